"""A folder that reproduces one result without this project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner import cli
from runner.environments.lockfile import Lock, Recipe
from runner.model import Cell, Kind, Metric, Sample, Status
from runner.repro import bundle

CELL = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
LOCK = Lock(
    Path("x"), Recipe("e", "3.11", "p", "cpu", "2026-01-01T00:00:00Z", ("jax==0.10.2",)), ("a note",), "",
    ("jax==0.10.2",), ("keras==3.11.3",), "0" * 64, {"jax": "0.10.2"},
)  # fmt: skip
SAMPLE = Sample(
    CELL, "e", "conv2d", {}, 0, 0, "docker", Status.OK, "",
    (Metric("digest", "ab", Kind.EXACT), Metric("error", 1.5, Kind.ERROR), Metric("time_s", 0.1, Kind.TIMING)),
)  # fmt: skip


def _bundle(**more: object) -> bundle.Bundle:
    given = {"request": {"probe": "conv2d"}, "sample": SAMPLE, **more}
    return bundle.Bundle(CELL, LOCK, {"Dockerfile": "FROM x\n"}, **given)  # type: ignore[arg-type]


def test_the_folder_holds_all_it_takes() -> None:
    files = bundle.files(_bundle())
    assert set(files) == {
        "Dockerfile", "lock.txt", "expected.json", "check.py", "reproduce.sh", "README.md", "request.json"
    }  # fmt: skip
    assert files["lock.txt"] == "jax==0.10.2\nkeras==3.11.3\n"
    assert "a note" in files["README.md"]


def test_exact_figures_must_come_again_and_timings_are_shown() -> None:
    assert bundle.expected(SAMPLE) == {
        "status": "ok", "same": {"digest": "ab", "error": 1.5}, "shown": {"time_s": 0.1}
    }  # fmt: skip


def test_it_runs_without_a_network_and_its_words_are_quoted() -> None:
    text = bundle.reproduce(_bundle(request=None, script="print()", arguments=("it's; rm -rf x",)))
    assert "--network none" in text
    assert "'it'\\''s; rm -rf x'" in text
    assert "--env 'KERAS_BACKEND=jax'" in text


@pytest.mark.parametrize(("digest", "code"), [("ab", 0), ("cd", 1)])
def test_the_check_says_whether_the_figures_came_again(
    digest: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = bundle.files(_bundle())
    (tmp_path / "out").mkdir()
    (tmp_path / "expected.json").write_text(files["expected.json"])
    found = [{"name": "digest", "value": digest}, {"name": "error", "value": 1.5}, {"name": "time_s", "value": 3}]
    (tmp_path / "out" / "result.json").write_text(json.dumps({"status": "ok", "reason": "", "metrics": found}))
    with pytest.raises(SystemExit) as end:
        exec(compile(files["check.py"], "check.py", "exec"), {"__file__": f"{tmp_path}/check.py"})  # noqa: S102
    assert int(end.value.code or 0) == code
    assert ("came again" if code == 0 else "DIFFER digest cd") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["jax-0.10.2_keras-3.11.3_py3.11_cpu"], "either --probe NAME or --script FILE"),
        (["jax-0.10.2_keras-3.11.3_py3.11_mps", "--probe", "conv2d"], "MPS"),
        (["nothing"], "is not a cell id"),
    ],
)
def test_what_cannot_be_exported_is_refused(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["export", *arguments]) == 2
    assert why in capsys.readouterr().err
