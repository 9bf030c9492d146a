"""Real containers on a real engine: what they may not do, whose they are, and that none is left behind.

How a probe can end is in test_endings.py.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from runner.errors import CellError, OutageError, UnavailableError
from runner.executors import Launch, Prepared
from runner.executors import container as recipe
from runner.executors.docker import DockerExecutor, sweep
from runner.executors.owner import Owner
from runner.model import Cell, Environment, Limits, Outcome

IMAGE = "python:3.11-slim-bookworm"
CELL = Cell("numpy", "2.0.0", "3.8.0", "3.11", "cpu")
ENVIRONMENT = Environment("numpy", "2.0.0", "3.8.0", "3.11", "cpu", "linux-x86_64")
LIMITS = Limits(timeout_s=30.0, memory_bytes=256 << 20, pids=64, shm_bytes=64 << 20, log_bytes=4096)

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def docker_executor() -> Iterator[DockerExecutor]:
    executor = DockerExecutor(
        lambda environment, _say: Prepared(environment, IMAGE), lambda _environment: "", grace_s=1
    )
    yield executor
    executor.close()
    assert not containers(executor.run_id)


@pytest.fixture
def io() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="runner-io-") as folder:
        yield Path(folder).resolve()


@contextmanager
def client() -> Iterator[docker.DockerClient]:
    opened = docker.from_env()
    try:
        yield opened
    finally:
        opened.close()


def containers(run: str) -> list[dict[str, Any]]:
    with client() as engine:
        found: list[dict[str, Any]] = engine.api.containers(all=True, filters=recipe.run_filter(run))
    return found


@pytest.fixture
def careless_sdk() -> Iterator[None]:
    """docker-py does not close a socket that could not be connected: let that be collected, and warned of, in here."""
    yield
    gc.collect()


def launch(io: Path, reference: str, code: str, **limits: float) -> Launch:
    return Launch(
        CELL,
        Prepared(ENVIRONMENT, reference),
        io,
        None,
        {},
        replace(LIMITS, **limits),  # type: ignore[arg-type]
        ("-c", code),
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_the_process_is_the_caller_and_nobody_else(
    docker_executor: DockerExecutor, io: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    monkeypatch.setattr(os, "getgid", lambda: 4243)
    os.chown(io, 4242, 4243)
    code = "import os, getpass; open('file', 'w'); print(os.getuid(), os.getgid(), os.getgroups(), getpass.getuser())"
    assert docker_executor.execute(launch(io, IMAGE, code)).log == "4242 4243 [4243] cell\n"
    assert ((io / "file").stat().st_uid, (io / "file").stat().st_gid) == (4242, 4243)


def test_silence_beyond_one_requests_patience_is_no_end(
    docker_executor: DockerExecutor, io: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docker-py gives up on a silent connection; with the slice cut to 0.3 s the same happens here ten times over."""
    monkeypatch.setattr("runner.executors.docker._WAIT_SLICE_S", 0.3)
    outcome = docker_executor.execute(launch(io, IMAGE, "import time; time.sleep(3); print('awake')"))
    assert (outcome.exit_code, outcome.timed_out, outcome.log) == (0, False, "awake\n")


def test_the_container_is_gone_afterwards_also_when_it_failed(docker_executor: DockerExecutor, io: Path) -> None:
    docker_executor.execute(launch(io, IMAGE, "raise SystemExit(3)"))
    with pytest.raises(UnavailableError, match="gone from the Docker engine"):
        docker_executor.execute(launch(io, "no-such-image:at-all", "pass"))
    assert not containers(docker_executor.run_id)


def test_a_container_that_cannot_start_leaves_nothing_and_says_why(docker_executor: DockerExecutor, io: Path) -> None:
    no_folder = io / "file"  # it is there to be mounted, and then cannot be a working directory
    no_folder.write_text("")
    with pytest.raises(CellError, match=r"could not run the container: .*not a directory") as caught:
        docker_executor.execute(launch(no_folder, IMAGE, "pass"))
    assert "\n" not in str(caught.value)
    assert not containers(docker_executor.run_id)


def test_a_folder_that_the_engine_does_not_see_is_named(docker_executor: DockerExecutor) -> None:
    with pytest.raises(UnavailableError, match="does not see /no/such/folder"):
        docker_executor.execute(launch(Path("/no/such/folder"), IMAGE, "pass"))


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_unavailable(docker_executor: DockerExecutor, io: Path) -> None:
    asked = replace(launch(io, IMAGE, "pass"), cell=replace(CELL, device="cuda"))
    with pytest.raises(UnavailableError, match="GPU"):
        docker_executor.execute(asked)
    assert not containers(docker_executor.run_id)


def test_containers_say_whose_they_are(docker_executor: DockerExecutor, io: Path) -> None:
    thread = threading.Thread(target=docker_executor.execute, args=(launch(io, IMAGE, "import time; time.sleep(2)"),))
    thread.start()
    try:
        found = _eventually(lambda: containers(docker_executor.run_id))
        labels = found[0]["Labels"]
    finally:
        thread.join()
    assert labels[recipe.LABEL] == recipe.PROJECT
    assert labels["org.keras-version-matrix.cell"] == CELL.id
    assert labels["org.keras-version-matrix.environment"] == ENVIRONMENT.id
    assert labels["org.keras-version-matrix.pid"] == str(os.getpid())
    assert not recipe.orphaned(labels)


def test_somebody_else_removing_the_container_is_told(docker_executor: DockerExecutor, io: Path) -> None:
    caught: list[BaseException] = []

    def execute() -> None:
        try:
            docker_executor.execute(launch(io, IMAGE, "import time; time.sleep(30)"))
        except CellError as error:
            caught.append(error)

    thread = threading.Thread(target=execute)
    thread.start()
    found = _eventually(lambda: containers(docker_executor.run_id))
    with client() as engine:
        engine.api.remove_container(found[0]["Id"], force=True)
    thread.join(10)
    assert "removed the container" in str(caught[0])


def test_several_threads_share_one_executor(docker_executor: DockerExecutor, tmp_path: Path) -> None:
    outcomes: dict[int, Outcome] = {}

    def execute(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        outcomes[number] = docker_executor.execute(launch(folder, IMAGE, f"print({number})"))

    threads = [threading.Thread(target=execute, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: outcome.log for number, outcome in outcomes.items()} == {n: f"{n}\n" for n in range(6)}


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_engine_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, careless_sdk: None
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    executor = DockerExecutor(lambda environment, _say: Prepared(environment, IMAGE))
    with pytest.raises(UnavailableError, match="no Docker engine answers") as caught:
        executor.prepare(ENVIRONMENT, lambda _text: None)
    assert "\n" not in str(caught.value)
    executor.close()


class Relay:
    """Stands between docker-py and the engine, so that the engine can be made to vanish."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open = [self._listener]
        self._gone = False
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect("/var/run/docker.sock")
                with self._lock:
                    self._open += [caller, engine]
                    if self._gone:  # it was accepted while the relay vanished
                        self._close()
                for one, other in ((caller, engine), (engine, caller)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(1 << 16):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)

    def vanish(self) -> None:
        self.path.unlink(missing_ok=True)
        with self._lock:
            self._gone = True
            self._close()

    def _close(self) -> None:
        for opened in self._open:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.skipif(not Path("/var/run/docker.sock").exists(), reason="the engine is not behind a local socket")
def test_an_engine_that_dies_in_mid_run_fails_that_cell_only(
    monkeypatch: pytest.MonkeyPatch, io: Path, docker_executor: DockerExecutor, careless_sdk: None
) -> None:
    relay = Relay(io / "relay.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    executor = DockerExecutor(lambda environment, _say: Prepared(environment, IMAGE))
    executor.connect()
    monkeypatch.delenv("DOCKER_HOST")
    caught: list[tuple[str, str]] = []

    def execute() -> None:
        try:
            executor.execute(launch(io, IMAGE, "import time; time.sleep(600)", timeout_s=600.0))
        except OutageError as error:
            caught.append((error.cause, str(error)))

    thread = threading.Thread(target=execute)
    thread.start()
    try:
        _eventually(lambda: [found for found in containers(executor.run_id) if found["State"] == "running"])
        relay.vanish()
        thread.join(10)
        assert caught == [("engine", "the Docker engine stopped answering")]
        assert docker_executor.execute(launch(io, IMAGE, "print('still there')")).log == "still there\n"
        executor.close()
    finally:
        with client() as engine:
            for left in containers(executor.run_id):
                engine.api.remove_container(left["Id"], force=True)


# -- ending a run --------------------------------------------------------------------------------------------

RUNNER = """
import signal, tempfile, threading
from pathlib import Path
from runner.executors import Launch, Prepared
from runner.executors.docker import DockerExecutor
from runner.model import Cell, Environment, Limits

def interrupt(number, frame):
    raise KeyboardInterrupt

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, interrupt)
cell = Cell("numpy", "2.0.0", "3.8.0", "3.11", "cpu")
environment = Environment("numpy", "2.0.0", "3.8.0", "3.11", "cpu", "linux-x86_64")
executor = DockerExecutor(lambda environment, say: Prepared(environment, IMAGE))
ignore = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"

def execute():
    with tempfile.TemporaryDirectory() as io:
        executor.execute(Launch(cell, Prepared(environment, IMAGE), Path(io), None, {}, Limits(), ("-c", ignore)))

print(executor.run_id, flush=True)
try:
    threads = [threading.Thread(target=execute, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    execute()
finally:
    executor.close()
"""


@contextmanager
def runner(threads: int = 1) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A run in a process of its own, once its containers run (one of the main thread, one per thread); its run id."""
    code = RUNNER.replace("IMAGE", repr(IMAGE)).replace("THREADS", str(threads))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        _eventually(lambda: [found for found in containers(run_id) if found["State"] == "running"][threads:])
        yield process, run_id
    finally:
        process.kill()
        process.communicate()


def _eventually(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    for _ in range(600):
        if found := look():
            return found
        time.sleep(0.05)
    pytest.fail("it did not happen within 30 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_container(number: signal.Signals) -> None:
    with runner(threads=3) as (process, run_id):
        process.send_signal(number)
        process.wait(timeout=10)
        assert process.returncode != 0
        assert not containers(run_id)


def test_two_signals_leave_no_container_either() -> None:
    with runner() as (process, run_id):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        assert not containers(run_id)


def test_the_sweep_removes_what_a_killed_run_left_and_nothing_of_a_live_one() -> None:
    with runner() as (dead, dead_run):
        dead.kill()
        dead.wait()
    with runner() as (live, live_run):  # connects, and so sweeps
        assert not containers(dead_run)
        with client() as engine:
            sweep(engine.api)
        assert len(containers(live_run)) == 2
        live.send_signal(signal.SIGINT)
        live.wait(timeout=10)
        assert not containers(live_run)


def test_the_sweep_leaves_other_hosts_and_other_peoples_containers() -> None:
    owner = Owner.this()
    foreign = recipe.labels(
        Launch(CELL, Prepared(ENVIRONMENT, IMAGE), Path("/"), None, {}, LIMITS),
        run="foreign",
        owner=Owner("another-host", owner.boot, 1, "1"),
    )
    with client() as engine:
        made = [engine.containers.create(IMAGE, labels=labels) for labels in (foreign, {"somebody": "else"})]
        try:
            sweep(engine.api)
            for container in made:
                container.reload()
        finally:
            for container in made:
                container.remove(force=True)


def test_closing_ends_what_other_threads_run(io: Path) -> None:
    executor = DockerExecutor(lambda environment, _say: Prepared(environment, IMAGE))
    caught: list[str] = []

    def execute() -> None:
        try:
            executor.execute(launch(io, IMAGE, "import time; time.sleep(600)", timeout_s=600.0))
        except UnavailableError as error:
            caught.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    _eventually(lambda: containers(executor.run_id))
    executor.close()
    thread.join(5)
    assert not thread.is_alive()
    assert caught == ["the run was stopped before this cell ended"]
    assert not containers(executor.run_id)
