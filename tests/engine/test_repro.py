"""A script in a real container: read-only, in a bounded folder, without a network; and a bundle built from nothing."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import cli
from runner.executors import Prepared
from runner.executors.docker import DockerExecutor
from runner.images.network import Network
from runner.model import Cell, Environment, Limits, Status
from runner.repro import script

pytestmark = pytest.mark.engine

BASE = "python:3.11-slim-bookworm"
CELL = Cell("jax", "0.10.2", None, "3.11", "cpu")
PREPARED = Prepared(Environment("jax", "0.10.2", None, "3.11", "cpu", "linux-x86_64"), BASE)


@pytest.fixture
def executor() -> Iterator[DockerExecutor]:
    made = DockerExecutor(lambda _environment, _say: PREPARED)
    yield made
    made.close()


def _run(executor: DockerExecutor, tmp_path: Path, text: str, **more: object) -> script.Ran:
    path = tmp_path / "s.py"
    path.write_text(text)
    limits = Limits(timeout_s=20, memory_bytes=256 << 20, disk_bytes=1 << 20)
    work = script.Script(path, limits=limits, **more)  # type: ignore[arg-type]
    return script.run(work, CELL, PREPARED, executor)


def test_it_runs_with_its_arguments_in_a_folder_of_its_own(executor: DockerExecutor, tmp_path: Path) -> None:
    ran = _run(
        executor, tmp_path, "import os, sys\nopen('x', 'w')\nprint(os.listdir(), sys.argv[1:])", arguments=("a b",)
    )
    assert ran.status == Status.OK
    assert ran.output.strip() == "['x'] ['a b']"


def test_a_mounted_module_is_imported_and_cannot_be_written(executor: DockerExecutor, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("value = 7")
    mounts = ((tmp_path / "helper.py", "lib/helper.py"),)
    ran = _run(
        executor, tmp_path,
        # to one stream: an engine does not keep the order of two
        "import sys\nfrom lib import helper\nprint(helper.value, file=sys.stderr)\nopen('lib/helper.py', 'a')",
        mounts=mounts,
    )  # fmt: skip
    assert ran.output.startswith("7\n")
    assert "Read-only file system" in ran.reason


def test_the_script_itself_is_read_only(executor: DockerExecutor, tmp_path: Path) -> None:
    ran = _run(executor, tmp_path, "open(__file__, 'a')")
    assert "Read-only file system" in ran.reason
    assert (tmp_path / "s.py").read_text() == "open(__file__, 'a')"


@pytest.mark.parametrize(
    ("text", "status", "help_"),
    [
        ("import urllib.request as u; u.urlopen('http://example.org')", Status.CRASHED, "--network"),
        ("import scipy", Status.CRASHED, "--with scipy"),
        ("input('name? ')", Status.CRASHED, "stdin"),
        ("open('x', 'wb').write(b'a' * (2 << 20))", Status.CRASHED, "--disk"),
        ("x = [bytearray(1 << 20) for _ in range(1000)]", Status.OOM, "--memory"),
    ],
)
def test_a_script_that_misbehaves_is_told_what_would_help(
    executor: DockerExecutor, tmp_path: Path, text: str, status: Status, help_: str
) -> None:
    ran = _run(executor, tmp_path, text)
    assert ran.status == status, ran.output
    assert help_ in ran.reason


def test_a_script_that_never_ends_is_stopped(executor: DockerExecutor, tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    path.write_text("import time\nprint('here', flush=True)\nwhile True: time.sleep(1)")
    ran = script.run(script.Script(path, limits=Limits(timeout_s=2)), CELL, PREPARED, executor)
    assert ran.status == Status.TIMEOUT
    assert ran.output.startswith("here")


def test_what_a_script_leaves_running_ends_with_it(executor: DockerExecutor, tmp_path: Path) -> None:
    ran = _run(executor, tmp_path, "import os, time\nif os.fork() == 0:\n    time.sleep(600)\nprint('parent')")
    assert ran.status == Status.OK
    assert ran.wall_s < 15


def test_a_bundle_is_built_and_run_from_an_empty_folder(tmp_path: Path) -> None:
    """numpy's backend of Keras is the smallest image; the script says what must come again."""
    (tmp_path / "s.py").write_text("import keras\nprint('version=' + keras.__version__, keras.backend.backend())")
    made = tmp_path / "made"
    cell = "numpy-2.4.6_keras-3.11.3_py3.11_cpu"
    assert cli.run(["export", cell, "--script", str(tmp_path / "s.py"), "--out", str(made)]) == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    with tarfile.open(f"{made}.tar.gz") as tar:
        tar.extractall(empty, filter="data")
    network = Network.here()
    words = [f"--build-arg {name}" for name in network.build_arguments()]
    words += [f"--network {network.mode}"] if network.mode else []
    environment = {**os.environ, **network.build_arguments(), "BUILD_ARGUMENTS": " ".join(words)}
    done = subprocess.run(
        ["sh", str(empty / "made" / "reproduce.sh")],
        cwd=empty, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "version=3.11.3 numpy" in done.stdout
