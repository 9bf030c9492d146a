"""Real workers in separate processes: what they measure, and what becomes of it when one of them dies or fails."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster

Figures = Callable[[Path], Mapping[tuple[str, str, int, str], object]]


def _samples(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(out.glob("results/*/*/*.json"))]


def _report(text: str) -> dict[str, Any]:
    """The JSON that a run has printed after its lines."""
    found: dict[str, Any] = json.loads(text[text.index("\n{") :] if not text.startswith("{") else text)
    return found


def test_exact_figures_are_those_of_a_local_run(place: Any, figures: Figures) -> None:
    here = place(versions=2, keras=2)
    local = here.matrix("--rounds", "3", out="local").ended()
    cluster = here.matrix("--rounds", "3", "--cluster", "local:2", out="cluster").ended()
    found = figures(here.folder / "cluster")
    assert found == figures(here.folder / "local")
    assert len(found) == 8 * 2 * 3, "cells, probes, rounds"
    assert local[0] == cluster[0], cluster[1]


def test_further_rounds_within_a_budget_are_those_of_a_local_run(place: Any, figures: Figures) -> None:
    here = place(versions=1, keras=2)
    words = ("--probe", "clock", "--max-rounds", "6", "--only", "torch-*")
    here.matrix(*words, out="local").ended()
    here.matrix(*words, "--cluster", "local:1", out="cluster").ended()
    found = figures(here.folder / "cluster")
    assert found == figures(here.folder / "local")
    assert max(number for _, _, number, _ in found) > 0, "else there were no further rounds"


def test_a_second_run_measures_nothing_again(place: Any) -> None:
    here = place()
    first = here.matrix("--cluster", "local:1").ended()
    measured = here.processes()
    assert len(measured) == 8
    second = here.matrix("--cluster", "local:1").ended()
    assert here.processes() == measured
    assert _report(second[1])["comparisons"] == _report(first[1])["comparisons"]


def test_a_user_script_and_its_data_travel(place: Any, tmp_path: Path) -> None:
    here = place(versions=1, keras=1)
    (here.folder / "script.py").write_text("print('accuracy=0.5')\n")
    code, text = here.matrix(
        "--script", "script.py", "--metric", "accuracy=([0-9.]+)", "--cluster", "local:1", "--only", "torch-*"
    ).ended()
    (sample,) = _samples(here.folder / "out")
    assert sample["probe"] == "script", text
    read = [metric["value"] for metric in sample["metrics"] if metric["name"] == "read"]
    assert read == ["print('accuracy=0.5')\n"]
    assert code == 0


@pytest.mark.parametrize("every_s", [2.0])
def test_200_blocks_with_a_worker_killed_every_few_seconds(place: Any, figures: Figures, every_s: float) -> None:
    """Nothing is lost, and nothing is there twice."""
    here = place(versions=10, keras=10, settings={"nap": {"seconds": 0.05}})
    _, address = here.scheduler()
    workers = [here.worker(address) for _ in range(2)]
    run = here.matrix("--probe", "nap", "--scheduler", address)
    run.said("block .* 2 of 200 blocks")
    killed = 0
    while run.process.poll() is None:
        time.sleep(every_s)
        if run.process.poll() is None:
            workers[killed % 2].kill()
            workers[killed % 2] = here.worker(address)
            killed += 1
    code, text = run.ended()
    assert killed >= 3, text
    found = figures(here.folder / "out")
    assert len(found) == 200
    assert Counter(len(list(path.iterdir())) for path in (here.folder / "out" / "results").iterdir()) == {1: 200}
    assert len(list((here.folder / "out" / "shares").glob("*.json"))) == 200
    assert "not measured" not in text
    assert _report(text)["not_measured"] == []
    assert code != 3
    again = len(here.processes()) - 200
    assert 0 <= again <= 2 * killed, "a death costs the block that ran, and one that was not fetched yet"
    here.matrix("--probe", "nap", out="local").ended()
    assert found == figures(here.folder / "local")


@pytest.mark.parametrize("how", ["unavailable", "crashed"])
def test_a_broken_worker_does_not_take_and_fail_everything(place: Any, how: str) -> None:
    here = place(versions=3, keras=3, settings={"nap": {"seconds": 0.1}})
    _, address = here.scheduler()
    here.worker(address, PRETEND_BROKEN=how, PRETEND_HOST="broken")
    here.worker(address, PRETEND_HOST="good")
    code, text = here.matrix("--probe", "nap", "--scheduler", address).ended()
    samples = _samples(here.folder / "out")
    assert [sample["status"] for sample in samples] == ["ok"] * 18, text
    assert {sample["fingerprint"]["host"] for sample in samples} == {"good"}
    assert len(here.processes()) <= 18 + 2, "a suspect gets no third one"
    assert code != 3


def test_a_failure_of_the_cells_themselves_is_a_result(place: Any) -> None:
    """Where every worker fails in the same way, the workers are not the cause."""
    here = place(versions=1, keras=2)
    _, address = here.scheduler()
    for _ in range(2):
        here.worker(address, PRETEND_BROKEN="crashed")
    _, text = here.matrix("--probe", "nap", "--scheduler", address).ended()
    assert [sample["status"] for sample in _samples(here.folder / "out")] == ["crashed"] * 4, text
    assert "gets nothing more" not in text


def test_a_machine_that_doctor_finds_unfit_gets_nothing(place: Any) -> None:
    here = place()
    _, address = here.scheduler()
    code, text = here.start("runner", "worker", address, PRETEND_UNFIT="1").ended()
    assert code == 3
    assert text == (
        "runner: this machine is not fit: uv: not found: nothing can be locked or installed: pip install uv; "
        "see `runner doctor`\n"
    )


def test_another_version_of_the_program_is_said_and_gets_nothing(place: Any) -> None:
    here = place(versions=1, keras=1)
    _, address = here.scheduler()
    here.worker(address, PRETEND_VERSION="9.9.9", PRETEND_HOST="other")
    here.worker(address, PRETEND_HOST="same")
    _, text = here.matrix("--scheduler", address).ended()
    assert "is not used: program 9.9.9" in text
    assert {sample["fingerprint"]["host"] for sample in _samples(here.folder / "out")} == {"same"}


def test_no_timing_comparison_spans_two_fingerprints(place: Any) -> None:
    here = place(versions=2, keras=2, settings={"clock": {"seconds": 0.2}})
    _, address = here.scheduler()
    for name in ("one", "two"):
        here.worker(address, PRETEND_HOST=name)
    words = ("--probe", "clock", "--rounds", "3", "--block-minutes", "0", "--scheduler", address)
    _, text = here.matrix(*words).ended()
    host: dict[str, set[str]] = {sample["cell"]["framework"]: set() for sample in _samples(here.folder / "out")}
    where: dict[str, set[str]] = {}
    for path in (here.folder / "out").glob("results/*/*/*.json"):
        sample = json.loads(path.read_text())
        where.setdefault(path.parent.parent.name, set()).add(sample["fingerprint"]["host"])
        host[sample["cell"]["framework"]].add(sample["fingerprint"]["host"])
    assert sorted(map(sorted, host.values())) == [["one"], ["two"]], "each framework is a block, on one worker"
    timed = [one for one in _report(text)["comparisons"] if one["metric"] == "time_s"]
    same = [one for one in timed if where[one["baseline"]] == where[one["candidate"]]]
    apart = [one for one in timed if one not in same]
    assert same
    assert apart
    assert {one["axis"] for one in apart} == {"framework"}
    assert {one["verdict"] for one in apart} == {"not-comparable"}
    assert "not-comparable" not in {one["verdict"] for one in same}


def test_when_the_scheduler_dies_the_same_command_completes_the_rest(place: Any, figures: Figures) -> None:
    here = place(versions=3, keras=3, settings={"nap": {"seconds": 0.2}})
    scheduler, address = here.scheduler()
    worker = here.worker(address)
    run = here.matrix("--probe", "nap", "--scheduler", address)
    run.said(r"block .* 5 of 18 blocks")
    scheduler.kill()
    code, text = run.ended()
    assert code != 0
    assert f"the scheduler at {address} went away: " in text
    assert "run the same command again for the others" in text
    assert worker.ended()[0] == 3
    kept = figures(here.folder / "out")
    assert 6 <= len(kept) < 18
    _, again = here.scheduler()
    here.worker(again)
    code, text = here.matrix("--probe", "nap", "--scheduler", again).ended()
    found = figures(here.folder / "out")
    assert len(found) == 18
    assert {key: found[key] for key in kept} == kept
    counts = Counter(here.processes())
    assert max(counts.values()) <= 2
    assert sum(count - 1 for count in counts.values()) <= 1, "only what was not stored is measured again"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_machine_that_asked_ends_the_workers_are_free_again(
    place: Any, figures: Figures, number: signal.Signals
) -> None:
    here = place(versions=1, keras=2, settings={"nap": {"seconds": 0.2}, "clock": {"seconds": 60.0}})
    _, address = here.scheduler()
    here.worker(address)
    run = here.matrix("--scheduler", address)
    run.said("dashboard: ")
    time.sleep(3)
    run.kill(number)
    code, text = run.ended()
    assert code == (130 if number == signal.SIGTERM else -signal.SIGKILL), text
    began = time.monotonic()
    code, text = here.matrix("--probe", "nap", "--scheduler", address).ended()
    assert time.monotonic() - began < 45, "the worker did not go on with what nobody waits for"
    assert len([key for key in figures(here.folder / "out") if key[1] == "nap"]) == 4


def test_without_workers_a_run_ends_and_says_so(place: Any) -> None:
    here = place()
    here.scheduler()
    code, text = here.matrix("--cluster", "local:1", PRETEND_UNFIT="1").ended()
    assert code == 3
    assert "this machine is not fit" in text
    assert text.splitlines()[-1].startswith("runner: no worker is left: this machine is not fit: uv: not found")


def test_no_scheduler_is_one_line(place: Any) -> None:
    here = place()
    code, text = here.matrix("--scheduler", "tcp://127.0.0.1:1").ended()
    assert code == 3
    assert text.splitlines()[-1].startswith("runner: no scheduler answers at tcp://127.0.0.1:1: ")


def test_results_of_a_local_run_are_not_mixed_with_those_of_a_cluster(place: Any) -> None:
    here = place(versions=1, keras=1)
    here.matrix().ended()
    code, text = here.matrix("--cluster", "local:1").ended()
    assert code == 2
    assert "has results of a run without a cluster" in text.splitlines()[-1]


def _keys(folder: Path) -> Path:
    """Keys as docs/cluster.md makes them."""
    from distributed import Security

    made = Security.temporary()
    folder.mkdir()
    for name, text in (
        ("ca.pem", made.tls_ca_file),
        ("cert.pem", made.tls_client_cert),
        ("key.pem", made.tls_client_key),
    ):
        (folder / name).write_text(str(text))
    return folder


def test_with_keys_over_tls_and_without_them_not_at_all(place: Any, tmp_path: Path) -> None:
    here = place(versions=1, keras=1)
    keys, others = _keys(tmp_path / "keys"), _keys(tmp_path / "others")
    words = [word for name, file in (("ca-file", "ca"), ("cert", "cert"), ("key", "key")) for word in
             (f"--tls-{name}", str(keys / f"{file}.pem"))]  # fmt: skip
    _, address = here.scheduler("--protocol", "tls", *words)
    assert address.startswith("tls://")
    here.worker(address, "--tls", str(keys))
    code, text = here.matrix("--scheduler", address, "--tls", str(others)).ended()
    assert code == 3
    assert f"no scheduler answers at {address}" in text
    code, text = here.matrix("--scheduler", address).ended()
    assert code == 2
    assert "tls:// needs keys: give --tls FOLDER" in text
    code, text = here.matrix("--scheduler", address, "--tls", str(keys)).ended()
    assert code == 0, text
    assert len(_samples(here.folder / "out")) == 4


def test_workers_by_ssh_get_keys_that_are_on_no_disk(place: Any, tmp_path: Path) -> None:
    """A program in the place of ssh runs the command here; beyond loopback, so with TLS."""
    here = place(versions=1, keras=1)
    folder = tmp_path / "bin"
    folder.mkdir()
    ssh = folder / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ssh.txt\nshift 6\nexec "$@"\n')
    program = folder / "runner"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m runner "$@"\n')
    for one in (ssh, program):
        one.chmod(one.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    code, text = here.matrix("--cluster", f"ssh:a,me@b={program}", PATH=path).ended()
    assert code == 0, text
    assert len(_samples(here.folder / "out")) == 4
    asked = (tmp_path / "ssh.txt").read_text().splitlines()
    assert sorted(line.split()[5] for line in asked) == ["a", "me@b"]
    assert all(" worker tls://" in line for line in asked)
    assert "PRIVATE KEY" not in (tmp_path / "ssh.txt").read_text()
    assert not [file for file in here.folder.rglob("*") if file.is_file() and b"PRIVATE KEY" in file.read_bytes()]
