"""A share on a worker has the results of a run, and what goes wrong is an answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runner import cli
from runner.cluster import hand, request
from runner.cluster.receipts import digest
from runner.cluster.request import Answer, Data, Request
from runner.environments import lock
from runner.judge.rules import Rules
from runner.matrix import plan
from runner.model import Better, Cell, Environment, Kind, Metric, ProbeSpec, Sample
from runner.results import store
from tests.unit.cluster.shares import PLAIN

CELLS = (Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu"), Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu"))


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The working folder and the given locks of this process."""
    before = Path.cwd()
    monkeypatch.setattr(lock, "_given", [])
    yield
    os.chdir(before)


def _request(**more: Any) -> Request:
    wanted = plan.Selection((ProbeSpec("speed"),), rounds=2, executor="docker")
    return msgspec.structs.replace(PLAIN, **{"cells": CELLS, "wanted": wanted, "apart": False, **more})


def _answered(base: Path, asked: Request, objects: dict[str, bytes] | None = None) -> tuple[Answer, Path]:
    folder = base / "shares" / "s1"
    folder.mkdir(parents=True)
    (base / hand.OBJECTS).mkdir()
    for content in (objects or {}).values():
        (base / hand.OBJECTS / digest(content)).write_bytes(content)
    (folder / hand.REQUEST).write_bytes(request.encode(asked))
    return hand.answered(folder, base / hand.OBJECTS), folder / hand.OUT


def _figures(samples: list[Sample]) -> dict[tuple[str, str, int], list[tuple[str, object]]]:
    return {(s.cell.id, s.probe, s.round): [(m.name, m.value) for m in s.metrics] for s in samples}


def _noisy(base: float) -> Any:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        step = base * (1 + 0.004 * ((asked["round"] * 3) % 5))
        return {"metrics": [Metric("dense.step_s", step, Kind.TIMING, Better.LOWER, "s")]}

    return answer


def test_the_figures_are_those_of_a_local_run(fake_executor: Any, tmp_path: Path) -> None:
    """Further rounds within the budget included."""
    fake_executor.answers = {CELLS[0].id: _noisy(0.010), CELLS[1].id: _noisy(0.0101)}
    words = ["matrix", "--set", "quick", "--probe", "speed", "--executor", "docker", "--rounds", "2", "--budget", "1h"]
    only = [word for cell in CELLS for word in ("--only", cell.id)]
    cli.run([*words, *only, "--out", str(tmp_path / "local")])
    local = _figures(store.load([tmp_path / "local"]))
    assert max(number for _, _, number in local) > 1, "else no further round is looked at"
    rules = Rules("quick", max_rounds=20)
    answer, out = _answered(tmp_path / "w", _request(most=20, budget_s=3600.0, rules=rules))
    assert answer.error == ""
    assert _figures(store.load([out])) == local
    assert answer.processes == answer.measured == len(local)
    assert {file.path for file in answer.files} == {
        path.relative_to(out).as_posix() for path in out.glob("results/*/*/*.json")
    }


def test_nothing_of_a_share_apart_is_judged_by_time(fake_executor: Any, tmp_path: Path) -> None:
    answer, out = _answered(tmp_path, _request(apart=True))
    assert answer.measured == 4
    assert not any(sample.quiet for sample in store.load([out]))


def test_failures_of_cells_are_counted(fake_executor: Any, tmp_path: Path) -> None:
    fake_executor.answers = {CELLS[0].id: {"exit_code": 1}, CELLS[1].id: {"status": "unsupported", "reason": "no"}}
    answer, _ = _answered(tmp_path, _request())
    assert (answer.processes, answer.measured) == (2, 1), "what a cell cannot do is measured"


def test_the_users_probe_and_data_are_those_that_were_sent(fake_executor: Any, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        seen.append(asked)
        return {}

    fake_executor.answers = {"*": answer}
    objects = {
        "conf": b'schema = 1\n[probes.mine]\nfile = "../probes/mine.py"\n',
        "probe": b"def measure(report, settings):\n    report.info('a', 1)\n",
        "data": b"numbers",
    }
    where = {name: digest(content) for name, content in objects.items()}
    asked = _request(
        wanted=plan.Selection((ProbeSpec("mine"),), executor="docker"),
        folder="conf",
        project={"conf/keras-matrix.toml": where["conf"], "probes/mine.py": where["probe"]},
        data={"mine": Data("numbers", where["data"], "", where["data"])},
    )
    found, out = _answered(tmp_path, asked, objects)
    assert (found.error, found.measured) == ("", 2)
    assert Path(seen[0]["data"]["path"]).read_bytes() == b"numbers"
    (sample, _) = store.load([out])
    assert sample.fingerprint["data"] == where["data"][:16]


def test_a_configuration_above_the_worker_does_not_count(fake_executor: Any, tmp_path: Path) -> None:
    (tmp_path / "keras-matrix.toml").write_text("this is not TOML", encoding="utf-8")
    answer, _ = _answered(tmp_path / "w", _request())
    assert answer.error == ""


def test_what_cannot_be_run_is_said_in_one_line(fake_executor: Any, tmp_path: Path) -> None:
    answer, _ = _answered(tmp_path, _request(project={"keras-matrix.toml": digest(b"x")}), {"c": b"x"})
    assert "keras-matrix.toml" in answer.error
    assert "\n" not in answer.error
    assert answer.files == ()


@pytest.mark.parametrize("what", [{"wheels": {"keras-3.16.0+g1/k.whl": "0" * 64}}, {"locks": {"some-id": "0" * 64}}])
def test_a_file_that_was_not_sent_is_named(fake_executor: Any, tmp_path: Path, what: dict[str, Any]) -> None:
    answer, _ = _answered(tmp_path, _request(**what))
    assert answer.error.endswith(": this worker did not get the file (sha256 0000000000000000...)")
    assert ("keras-3.16.0+g1/k.whl: " if "wheels" in what else "some-id.txt: ") in answer.error


def test_a_lock_that_was_sent_counts_before_all_others(tmp_path: Path) -> None:
    environment = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
    assert lock.known(environment) == lock.committed(environment)
    text = lock.committed_path(environment).read_text(encoding="utf-8")
    sent = tmp_path / f"{environment.id}.txt"
    sent.write_text(text, encoding="utf-8")
    lock.use(tmp_path)
    assert lock.locked(environment).path == sent
    other = Environment("jax", "0.10.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    assert lock.locked(other).path.parent == lock.committed_path(other).parent, "one that was not sent"
