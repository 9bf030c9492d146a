"""Plan -> shards -> one collector, with the commands of the workflow's own steps, one machine lost on the way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from runner.model import Status
from runner.results import schema, store
from tests.engine import actions

pytestmark = pytest.mark.engine


def _run(folder: Path, **inputs: Any) -> Any:
    """A run of the reusable workflow as a caller starts it."""
    workflow = msgspec.yaml.decode((actions.ROOT / ".github/workflows/matrix.yml").read_bytes())
    declared = workflow[True]["workflow_call"]["inputs"]
    assert set(inputs) <= set(declared)
    (folder / "artifacts").mkdir(parents=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
        "PATH": actions.programs(folder / "bin"),
        "PYTHONPATH": str(actions.ROOT),
    }
    given = {name: inputs.get(name, one["default"]) for name, one in declared.items()}
    return actions.Run(workflow, given, folder, environment)


def _shards(planned: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(planned["linux"])
    return found


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, list[dict[str, Any]]]:
    """A run of two JAX cells, which are compared, and a NumPy cell on a shard of its own, whose machine is lost."""
    run = _run(
        tmp_path_factory.mktemp("actions") / "run",
        only="jax-* numpy-*",
        probes="hello mnist",
        settings="mnist.epochs=1 mnist.train_samples=256 mnist.test_samples=128",
        **{"shard-minutes": 0},
    )
    planned = actions.Job(run, "plan").start()
    shards = _shards(planned)
    for shard in shards:
        alone = "numpy" in shard["cells"]
        job = actions.Job(run, "linux", {"shard": shard}, kill_when=_measured_something if alone else lambda _: False)
        if alone:
            with pytest.raises(actions.MachineLostError):
                job.start()
        else:
            job.start()
            assert not job.failed, job.log
    collect = actions.Job(run, "collect")
    collect.start()
    return run, collect, shards


def _measured_something(workspace: Path) -> bool:
    return any(workspace.glob("out/results/*/*/*.json"))


def test_what_is_compared_is_on_one_shard(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    _, _, shards = lost
    frameworks = [[cell.split("-")[0] for cell in shard["cells"].split()] for shard in shards]
    assert frameworks == [["jax", "jax"], ["numpy"]]


def test_shards_leave_their_results_in_folders_of_their_own(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    run, _, _ = lost
    assert sorted(path.name for path in run.artifacts.iterdir()) == [
        "plan-quick", "report-quick", "shard-linux-01-of-quick",
    ]  # fmt: skip


def test_the_collector_shows_what_was_measured(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    run, collect, shards = lost
    samples = store.load([run.artifacts / "report-quick" / "merged"])
    assert {sample.cell.id for sample in samples} == set(shards[0]["cells"].split())
    good = {(s.cell.keras, s.probe) for s in samples if s.status is Status.OK}
    assert good >= {("3.11.3", "hello"), ("3.11.3", "mnist"), ("3.8.0", "hello")}
    summary = collect.summary.read_text()
    assert "### mnist" in summary
    assert len(summary.encode()) < 1 << 20


def test_the_shard_that_died_is_shown_as_missing(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    run, collect, shards = lost
    where = "with keras 3.11.3: unavailable: planned, but left no result"
    assert where in collect.summary.read_text()
    assert re.search(rf"::warning title=Not measured::numpy [0-9.]+ {where}", collect.log)
    report = json.loads((run.artifacts / "report-quick/report/report.json").read_text())
    assert [skip["cell"] for skip in report["skips"]] == [shards[1]["cells"]]
    cases = ET.parse(run.artifacts / "report-quick/report/junit.xml").iter("testcase")  # noqa: S314 - written just now
    assert shards[1]["cells"] in {case.get("name") for case in cases if len(case)}


def test_the_collector_ends_by_the_exit_code_contract(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    run, collect, _ = lost
    assert collect.failed
    assert run.needs["collect"]["outputs"]["exit-code"] == "3"


def test_the_plan_shows_minutes_and_gigabytes(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    run, _, _ = lost
    summary = (run.folder / "plan.summary").read_text()
    assert "| linux-01 | 2 | 2 |" in summary
    assert "registry = 0.45" in summary


def test_results_fit_their_schema(lost: tuple[Any, Any, list[dict[str, Any]]]) -> None:
    """The reader of the schemas is a library of its own: not the one that wrote them."""
    validate = pytest.importorskip("jsonschema", reason="check-jsonschema brings it").validate
    run, _, _ = lost
    folder = run.artifacts / "report-quick" / "merged"
    for kind, pattern in (("sample", "**/results/*/*/*.json"), ("run", "**/run.json")):
        files = sorted(folder.glob(pattern))
        assert files, kind
        for path in files:
            validate(json.loads(path.read_text()), json.loads(schema.text(kind)))


def test_a_run_that_measured_nothing_is_red(tmp_path: Path) -> None:
    """Every machine is lost before it has measured anything."""
    run = _run(tmp_path / "run", only="numpy-*", probes="hello")
    actions.Job(run, "plan").start()
    collect = actions.Job(run, "collect")
    collect.start()
    assert collect.failed
    assert run.needs["collect"]["outputs"]["exit-code"] == "4"
    assert "Nothing was measured" in collect.log


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of a registry on loopback, which the engine takes without TLS."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed (Debian: docker-registry)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    configuration = tmp_path / "registry.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}"
    configuration.write_text(f"version: 0.1\n{storage}\nhttp: {{addr: '{address}'}}\n")
    log = (tmp_path / "registry.log").open("w")
    with log, subprocess.Popen([program, "serve", str(configuration)], stdout=log, stderr=log) as process:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.1)
        yield address
        process.terminate()


def test_images_of_one_machine_are_pulled_by_the_next(tmp_path: Path, registry: str) -> None:
    logs = []
    for machine in ("first", "second"):
        run = _run(tmp_path / machine, only="numpy-*", probes="hello", registry=f"{registry}/Owner")
        run.environment["DOCKER_CONFIG"] = str(tmp_path / machine / "docker")  # what `docker login` writes
        (shard,) = _shards(actions.Job(run, "plan").start())
        job = actions.Job(run, "linux", {"shard": shard})
        job.start()
        assert not job.failed, job.log
        logs.append(job.log)
    first, second = logs
    assert "Login Succeeded" in first
    assert re.search("missing  numpy-", first)
    assert f"{registry}/owner/keras-version-matrix:numpy-" in first
    assert re.search("pulled   numpy-", second)
    assert "not all images" not in second.lower()


def test_a_first_run_pulls_in_place_of_building(tmp_path: Path, registry: str) -> None:
    """The image that comes back is the one that was pushed: a build would make another one."""
    at = f"{registry}/owner"
    (tmp_path / "work").mkdir()

    def runner(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runner", *words]
        environment = {**os.environ, "PYTHONPATH": str(actions.ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=False, timeout=1200
        )
        assert done.returncode == 0, done.stderr
        return done

    measure = ("matrix", "--set", "quick", "--only", "numpy-*", "--probe", "hello", "--rounds", "1", "--pull-from", at)
    runner(*measure)  # built, or there from an earlier test
    name = runner("images", "push", at, "--set", "quick", "--only", "numpy-*").stdout.strip()
    assert re.fullmatch(rf"{at}/keras-version-matrix:numpy-[\w.-]+@sha256:[0-9a-f]{{64}}", name)
    tag = name.removeprefix(f"{at}/").partition("@")[0]
    show = ["docker", "image", "inspect", "--format", "{{.Id}}", tag]
    before = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    subprocess.run(["docker", "rmi", tag], capture_output=True, check=True)
    pulled = runner(*measure, "--fresh")
    assert at not in pulled.stderr, "nothing went wrong, so nothing is said"
    assert subprocess.run(show, capture_output=True, text=True, check=True).stdout == before


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed; hosted machines have it")
def test_cuda_that_nobody_took_is_told(tmp_path: Path) -> None:
    """No runner answers: cuda-wait says which shards, the collector why their cells have no result."""
    run = _run(tmp_path / "run", set="full", only="jax-0.7.2_keras-3.11.3_*", **{"cuda-labels": '["gpu"]'})
    planned = actions.Job(run, "plan").start()
    assert [shard["id"] for shard in json.loads(planned["cuda"])] == ["cuda-01"]
    # what GitHub's API says of the jobs of this run, by the program that asks for it
    states = "queued matrix / cuda-01\\ncompleted matrix / linux-01\\n"
    fake = tmp_path / "run" / "bin" / "gh"
    fake.write_text(f"#!/bin/sh\nprintf '{states}'\n")
    fake.chmod(0o755)
    run.inputs["cuda-wait-minutes"] = 0
    run.environment["GITHUB_REPOSITORY"] = "owner/name"
    run.environment["GITHUB_RUN_ID"] = "1"
    assert actions.Job(run, "cuda-wait").start() == {"unanswered": "cuda-01"}
    collect = actions.Job(run, "collect")
    collect.start()
    assert "jax-0.7.2" in collect.log or "jax 0.7.2" in collect.log
    assert 'no runner with the labels ["gpu"] answered in time' in collect.log.replace("\\", "")
