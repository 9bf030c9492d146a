"""Cells on this machine: pinned environments made by the real uv, and how a run of them is ended.

From a wheel that the test makes; neither an engine nor a network is needed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import BuildError, CellError, UnavailableError
from runner.executors import Launch, Prepared, interpreters
from runner.executors import host as module
from runner.executors.current import CurrentExecutor
from runner.executors.host import HostExecutor, Pinned
from runner.model import Cell, Environment, Limits
from runner.util import folders

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
CELL = Cell("torch", "1.0", None, PYTHON, "cpu")
ENVIRONMENT = Environment("torch", "1.0", None, PYTHON, "cpu", "linux-x86_64")


def make_wheel(folder: Path, name: str = "pretend") -> Path:
    """The smallest wheel there is: one module of one line."""
    files = {
        f"{name}.py": "ANSWER = 42\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for path, text in files.items()
    )
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{name}-1.0.dist-info/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


@pytest.fixture
def pinned(tmp_path: Path) -> Pinned:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    digest = hashlib.sha256(make_wheel(wheels).read_bytes()).hexdigest()
    return Pinned(
        f"pretend==1.0 \\\n    --hash=sha256:{digest}\n",
        "lock-hash",
        ("--require-hashes", "--no-deps", "--no-index", "--find-links", str(wheels)),
        {"pretend": "1.0"},
        ("a note",),
    )


def quiet(_text: str) -> None:
    pass


def launch(prepared: Prepared, io: Path, code: str) -> Launch:
    return Launch(CELL, prepared, io, None, {}, Limits(timeout_s=60), ("-c", code))


def test_an_environment_is_made_once_and_runs(tmp_path: Path, pinned: Pinned, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = HostExecutor(tmp_path / "environments", lambda _environment: pinned)
    prepared = executor.prepare(ENVIRONMENT, quiet)
    assert (prepared.lock_hash, prepared.packages, prepared.notes) == ("lock-hash", {"pretend": "1.0"}, ("a note",))
    assert prepared.size_bytes is not None
    assert prepared.size_bytes > 0

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code = "import pretend, sys, site; print(pretend.ANSWER, pretend.__cached__, site.ENABLE_USER_SITE); import pytest"
    outcome = executor.execute(launch(prepared, tmp_path, code))
    answer, cached, user_site = outcome.log.splitlines()[0].split()
    assert (answer, user_site) == ("42", "False")
    assert Path(cached).is_file()  # compiled when it was installed
    assert "No module named 'pytest'" in outcome.log  # nothing of the caller's leaks in

    monkeypatch.setattr(HostExecutor, "_make", lambda *_: pytest.fail("it was there already"))
    again = executor.prepare(ENVIRONMENT, quiet)
    assert again.reference == prepared.reference
    assert again.seconds < 1
    executor.close()


def test_another_lock_is_another_environment(tmp_path: Path, pinned: Pinned) -> None:
    locks = [pinned, replace(pinned, hash="another")]
    executor = HostExecutor(tmp_path / "environments", lambda _environment: locks.pop(0))
    assert executor.prepare(ENVIRONMENT, quiet).reference != executor.prepare(ENVIRONMENT, quiet).reference


def test_two_at_once_make_it_once(tmp_path: Path, pinned: Pinned) -> None:
    executors = [HostExecutor(tmp_path / "environments", lambda _environment: pinned) for _ in range(3)]
    made: list[str] = []
    said: list[str] = []
    threads = [
        threading.Thread(
            target=lambda executor=executor: made.append(executor.prepare(ENVIRONMENT, said.append).reference)
        )
        for executor in executors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 3
    assert len(set(made)) == 1
    assert sum("making a virtual environment" in text for text in said) == 1


def test_a_wrong_hash_is_a_build_failure_and_leaves_nothing(tmp_path: Path, pinned: Pinned) -> None:
    wrong = replace(pinned, requirements=f"pretend==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    executor = HostExecutor(tmp_path / "environments", lambda _environment: wrong)
    with pytest.raises(BuildError, match="Hash mismatch") as caught:
        executor.prepare(ENVIRONMENT, quiet)
    assert "\n" not in str(caught.value)
    assert "0" * 64 in caught.value.log
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]


def test_what_a_killed_run_left_half_made_is_made_again(tmp_path: Path, pinned: Pinned) -> None:
    executor = HostExecutor(tmp_path / "environments", lambda _environment: pinned)
    place = Path(executor.prepare(ENVIRONMENT, quiet).reference).parent.parent
    (place / "ready.json").unlink()
    (place.with_name(place.name + ".1a2b.part")).mkdir()
    (place.with_name(place.name + ".1a2b.part") / "rubbish").write_text("x")
    prepared = executor.prepare(ENVIRONMENT, quiet)
    assert executor.execute(launch(prepared, tmp_path, "import pretend")).exit_code == 0
    assert not list((tmp_path / "environments").glob("*.part"))


def test_a_python_that_is_not_there_is_unavailable(
    tmp_path: Path, pinned: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    executor = HostExecutor(tmp_path / "environments", lambda _environment: pinned)
    with pytest.raises(UnavailableError, match=r"no Python 3\.2 on this machine") as caught:
        executor.prepare(replace(ENVIRONMENT, python="3.2"), quiet)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path, pinned: Pinned) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UnavailableError, match="cannot be written"):
            HostExecutor(tmp_path / "environments", lambda _environment: pinned).prepare(ENVIRONMENT, quiet)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path, pinned: Pinned) -> None:
    (tmp_path / "environments").write_text("")
    with pytest.raises(UnavailableError, match="cannot be written"):
        HostExecutor(tmp_path / "environments", lambda _environment: pinned).prepare(ENVIRONMENT, quiet)


def test_closing_ends_an_installation(tmp_path: Path, pinned: Pinned, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho started > {tmp_path}/started\nexec sleep 600\n")
    uv.chmod(0o755)
    monkeypatch.setattr(folders, "uv_program", lambda: str(uv))
    executor = HostExecutor(tmp_path / "environments", lambda _environment: pinned)
    caught: list[CellError] = []

    def prepare() -> None:
        try:
            executor.prepare(ENVIRONMENT, quiet)
        except CellError as error:
            caught.append(error)

    thread = threading.Thread(target=prepare)
    thread.start()
    while not (tmp_path / "started").exists():
        thread.join(0.02)
    executor.close()
    thread.join(10)
    assert str(caught[0]) == "the run was stopped before this cell ended"
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]


def test_pythons_that_are_found_are_what_they_are_called() -> None:
    found = interpreters.pythons()
    assert PYTHON in found
    for version, path in list(found.items())[:4]:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        assert subprocess.check_output([path, "-c", code], text=True).strip() == version


# -- ending a run on the host --------------------------------------------------------------------------------

INTERRUPTS = """
import signal
import socket
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with it ignored
"""

RUNNER = """
import sys, tempfile
from pathlib import Path
from runner.executors import Launch, Prepared
from runner.executors.current import CurrentExecutor
from runner.model import Cell, Environment, Limits

cell = Cell("torch", "1.0", None, "3.11", "cpu")
environment = Environment("torch", "1.0", None, "3.11", "cpu", "linux-x86_64")
executor = CurrentExecutor()
code = "import os, time; print(os.getpid(), file=open('pid', 'w')); time.sleep(600)"
prepared = Prepared(environment, sys.executable)
try:
    executor.execute(Launch(cell, prepared, Path(sys.argv[1]), None, {}, Limits(), ("-c", code)))
finally:
    executor.close()
"""


def _pid(folder: Path) -> int:
    for _ in range(600):
        with suppress(OSError, ValueError):
            return int((folder / "pid").read_text())
        time.sleep(0.05)
    pytest.fail("the process did not start within 30 s")


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupt_leaves_no_process(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", f"{INTERRUPTS}{RUNNER}", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        pid = _pid(tmp_path)
        assert _is_there(pid)
        runner.send_signal(signal.SIGINT)
        runner.wait(10)
        assert not _is_there(pid)
    finally:
        runner.kill()
        runner.wait()


INSTALLING = """
import sys
from pathlib import Path
from runner.executors.host import HostExecutor, Pinned
from runner.model import Environment
from runner.util import folders

folders.uv_program = lambda: sys.argv[2]
environment = Environment("torch", "1.0", None, sys.argv[3], "cpu", "linux-x86_64")
pinned = Pinned(Path(sys.argv[4]).read_text(), "lock-hash", tuple(sys.argv[5:]), {"pretend": "1.0"}, ("a note",))
HostExecutor(Path(sys.argv[1]), lambda _environment: pinned).prepare(environment, lambda _text: None)
"""


def test_a_run_killed_while_it_installs_leaves_nothing_that_disturbs_the_next(tmp_path: Path, pinned: Pinned) -> None:
    uv = tmp_path / "uv"  # an installer that goes on for ever, and writes
    uv.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nwhile :; do mkdir -p lib/x; echo x > lib/x/$RANDOM; done\n")
    uv.chmod(0o755)
    (tmp_path / "lock").write_text(pinned.requirements)
    place = tmp_path / "environments"
    words = [str(place), str(uv), PYTHON, str(tmp_path / "lock"), *pinned.arguments]
    runner = subprocess.Popen([sys.executable, "-c", INSTALLING, *words])
    installer = _pid(tmp_path)
    runner.kill()
    runner.wait()
    executor = HostExecutor(place, lambda _environment: pinned)
    prepared = executor.prepare(ENVIRONMENT, quiet)
    assert executor.execute(launch(prepared, tmp_path, "import pretend")).exit_code == 0
    executor.close()
    assert not _is_there(installer)
    assert list(place.glob("*.part")) == []


def test_closing_ends_what_other_threads_run(tmp_path: Path) -> None:
    executor = CurrentExecutor()
    code = "import os, time; print(os.getpid(), file=open('pid', 'w')); time.sleep(600)"
    caught: list[str] = []

    def execute() -> None:
        try:
            executor.execute(launch(Prepared(ENVIRONMENT, sys.executable), tmp_path, code))
        except UnavailableError as error:
            caught.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    pid = _pid(tmp_path)
    executor.close()
    thread.join(10)
    assert caught == ["the run was stopped before this cell ended"]
    assert not _is_there(pid)
    with pytest.raises(UnavailableError, match="stopped"):
        executor.execute(launch(Prepared(ENVIRONMENT, sys.executable), tmp_path, "pass"))


def test_an_interpreter_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    executor = CurrentExecutor()
    with pytest.raises(UnavailableError, match="cannot be started"):
        executor.execute(launch(Prepared(ENVIRONMENT, "/no/such/python"), tmp_path, "pass"))
    executor.close()


@pytest.mark.skipif(not module.without_network(), reason="this system gives an ordinary user no network namespace")
@pytest.mark.parametrize(("network", "reached"), [(False, "no"), (True, "yes")])
def test_a_users_script_has_a_network_when_it_is_given_one(tmp_path: Path, *, network: bool, reached: str) -> None:
    """A port of this machine stands for the network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)"
        code = f"import socket\ntry: {connect}; print('yes')\nexcept OSError: print('no')"
        executor = HostExecutor(tmp_path / "environments", lambda _environment: Pinned("", "the hash"))
        prepared = Prepared(ENVIRONMENT, sys.executable)
        launch = Launch(
            CELL, prepared, tmp_path, None, {}, Limits(timeout_s=20), ("-c", code), (), network, foreign=True
        )
        outcome = executor.execute(launch)
        executor.close()
    assert (outcome.exit_code, outcome.log.strip()) == (0, reached)
