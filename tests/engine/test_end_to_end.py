"""The main job on real input: ``python -m runner matrix`` builds, runs, reuses, and can be stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from runner.data import digits as drawn
from runner.executors import container
from runner.model import Status
from runner.results import store

pytestmark = pytest.mark.engine

CELL = "jax-*_keras-3.11.3_*"
SMALL = ["--setting", "mnist.epochs=1", "--setting", "mnist.train_samples=640", "--setting", "mnist.test_samples=256"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic digits as a user's own file: nothing is downloaded."""
    return drawn.prepare(None, tmp_path_factory.mktemp("data"), offline=True).path


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "runner", "matrix", "--executor", "docker", "--only", CELL, *arguments]


def _matrix(out: Path, digits: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command("--out", str(out), "--data", str(digits), *SMALL, *arguments),
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


def _containers(engine: docker.DockerClient, pid: int) -> list[str]:
    """The names of the containers that the run with this process id made; other runs may be at work meanwhile."""
    made = [f"{container.LABEL}={container.PROJECT}", f"{container.LABEL_PID}={pid}"]
    found = engine.containers.list(all=True, filters={"label": made}, ignore_removed=True)
    return [one.name or one.id or "" for one in found]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, digits: Path) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("out")
    done = _matrix(out, digits)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_a_real_cell_is_built_run_and_shown(measured: tuple[Path, str]) -> None:
    out, shown = measured
    samples = store.load([out])
    assert {(s.probe, s.status) for s in samples} == {("mnist", Status.OK), ("conv2d", Status.OK)}
    for sample in samples:
        assert sample.executor == "docker"
        assert sample.facts["framework_version"] == sample.cell.version
        assert sample.packages["keras"] == "3.11.3"
        assert sample.lock_hash
        assert sample.metrics
    assert "mnist" in shown
    assert "conv2d" in shown
    assert "exit code 0" in shown


def test_the_files_belong_to_the_caller(measured: tuple[Path, str]) -> None:
    assert {path.stat().st_uid for path in measured[0].rglob("*")} == {os.getuid()}


def test_the_second_run_makes_no_container_and_is_quick(
    measured: tuple[Path, str], digits: Path, engine: docker.DockerClient
) -> None:
    since = int(time.time())
    began = time.monotonic()
    done = _matrix(measured[0], digits)
    took = time.monotonic() - began
    assert done.returncode == 0
    assert "ready" not in done.stderr
    events = engine.api.events(
        since=since, until=int(time.time()) + 1, decode=True, filters={"type": "container", "event": "create",
        "label": f"{container.LABEL}={container.PROJECT}"},
    )  # fmt: skip
    assert list(events) == []
    assert took < 5  # 0.5 s is the aim on a quiet machine


def test_the_report_comes_from_the_files_alone(measured: tuple[Path, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner", "report", str(measured[0]), "--format", "json"],
        capture_output=True, text=True, check=True, env={**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1"},
    )  # fmt: skip
    shown = json.loads(done.stdout)
    assert shown["exit_code"] == 0
    assert len(shown["cells"]) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_container_and_keeps_what_had_finished(
    measured: tuple[Path, str], digits: Path, engine: docker.DockerClient, tmp_path: Path, number: signal.Signals
) -> None:
    assert measured  # the image is there
    command = _command(
        "--out", str(tmp_path), "--data", str(digits), "--setting", "mnist.epochs=500", "--probe", "hello"
    )
    with subprocess.Popen(
        [*command, "--probe", "mnist"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            deadline = time.monotonic() + 240
            while not (list(tmp_path.rglob("hello/*.json")) and _containers(engine, running.pid)):
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            began = time.monotonic()
            running.send_signal(number)
            shown, _ = running.communicate(timeout=30)
            took = time.monotonic() - began
        finally:
            running.kill()
    assert took < 10
    assert running.returncode == 130
    assert _containers(engine, running.pid) == []
    assert [s.probe for s in store.load([tmp_path])] == ["hello"]
    assert "interrupted" in shown


def test_a_cell_that_cannot_work_is_told_and_stops_nothing(tmp_path: Path, digits: Path) -> None:
    """jax latest with keras 3.8.0 imports, and fit fails; it is listed in expectations.toml."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", "matrix", "--executor", "docker", "--only", "jax-*", "--probe", "mnist",
         "--out", str(tmp_path), "--data", str(digits), *SMALL],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "spmd_mode" in done.stdout
    statuses = {s.cell.keras: s.status for s in store.load([tmp_path])}
    assert statuses == {"3.11.3": Status.OK, "3.8.0": Status.CRASHED}
