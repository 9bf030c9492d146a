"""Locks between processes and threads."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.util import locks


def nobody(_who: str) -> None:
    pytest.fail("there is nobody to wait for")


class EndedError(Exception):
    """Ends a wait in a test."""


def ends_after(calls: int) -> Callable[[], None]:
    left = iter(range(calls))

    def check() -> None:
        if next(left, None) is None:
            raise EndedError

    return check


def refused(path: Path, *, shared: bool = False) -> list[str]:
    """What somebody who wants the lock gets to read; fails where the lock is free."""
    said: list[str] = []
    with (
        pytest.raises(EndedError),
        locks.held(path, said.append, shared=shared, check=ends_after(6)),
    ):
        pytest.fail("two hold one lock")
    return said


def test_a_second_one_waits_and_reads_once_who_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["runner", "matrix", "--out", "my out"])
    path = tmp_path / "lock"
    with locks.held(path, nobody) as locked:
        assert locked
        (said,) = refused(path)
        assert said.startswith(f"process {os.getpid()} (runner")
        assert said.endswith(" UTC)")
        assert "(runner matrix, since 2" in said
        assert locks.holder(path) == said
    assert locks.holder(path) == ""
    with locks.held(path, nobody) as locked:
        assert locked


def test_the_wait_ends_when_the_holder_ends(tmp_path: Path) -> None:
    path, inside, order = tmp_path / "lock", threading.Event(), []

    def second() -> None:
        with locks.held(path, lambda _who: inside.set()):
            order.append("second")

    with locks.held(path, nobody):
        thread = threading.Thread(target=second)
        thread.start()
        assert inside.wait(60)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_a_file_that_was_removed_during_the_wait_locks_nothing(tmp_path: Path) -> None:
    path, first = tmp_path / "lock", locks.held(tmp_path / "lock", nobody)
    first.__enter__()

    def remove(_who: str) -> None:
        path.unlink()
        first.__exit__(None, None, None)

    with locks.held(path, remove) as locked:
        assert locked
        assert refused(path)


def test_several_share_a_lock_and_one_alone_excludes_them(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path, nobody, shared=True), locks.held(path, nobody, shared=True):
        assert refused(path)
    with locks.held(path, nobody):
        assert refused(path, shared=True)


def test_of_several_that_share_a_lock_each_removes_only_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    first = locks.held(path, nobody, shared=True)
    first.__enter__()
    monkeypatch.setattr(sys, "argv", ["runner", "second"])
    with locks.held(path, nobody, shared=True):
        first.__exit__(None, None, None)
        assert "(runner second, " in locks.holder(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_at_once(tmp_path: Path, number: signal.Signals) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        with locks.held(tmp_path / "lock", nobody):
            with (
                pytest.raises(KeyboardInterrupt),
                locks.held(tmp_path / "lock", lambda _who: os.kill(os.getpid(), number)),
            ):
                pytest.fail("two hold one lock")
            assert refused(tmp_path / "lock")
    finally:
        signal.signal(number, before)


def test_a_signal_whose_handler_returns_does_not_end_the_wait(tmp_path: Path) -> None:
    counted: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: counted.append(1))
    try:
        with locks.held(tmp_path / "lock", nobody):

            def check() -> None:
                os.kill(os.getpid(), signal.SIGUSR1)
                if len(counted) > 5:
                    raise EndedError

            with pytest.raises(EndedError), locks.held(tmp_path / "lock", lambda _who: None, check=check):
                pytest.fail("two hold one lock")
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_system_releases_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from runner.util import locks\n"
        f"with locks.held(Path({str(path)!r}), print): time.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(locks.__file__).parents[2])}
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", code], environment)
    try:
        while not locks.holder(path):
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
            time.sleep(0.01)
        assert f"process {child} " in refused(path)[0]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with locks.held(path, nobody) as locked:
        assert locked
        assert f"process {os.getpid()} " in locks.holder(path)


def test_no_child_inherits_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    really = os.open

    def remember(*arguments: object, **named: object) -> int:
        opened.append(really(*arguments, **named))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(os, "open", remember)
    with locks.held(tmp_path / "lock", nobody):
        assert [os.get_inheritable(one) for one in opened] == [False]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(opened[0])


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def without(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", without)
    said: list[str] = []
    with locks.held(tmp_path / "lock", nobody, unlocked=said.append) as locked:
        assert not locked
    with locks.held(tmp_path / "lock", said.append) as locked:
        assert not locked
    assert said == [os.strerror(number)] * 2
    assert (tmp_path / "lock").read_bytes() == b""


def test_another_error_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"), locks.held(tmp_path / "lock", nobody):
        pytest.fail("a broken disk is not a lock")


def test_a_file_that_can_only_be_read_is_locked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    path.write_text('{"pid": 7, "host": "h", "since": "s", "command": "c"}')
    really = os.open

    def somebody_elses(name: Path, flags: int, *mode: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(name, flags, *mode)

    monkeypatch.setattr(os, "open", somebody_elses)
    with locks.held(path, nobody) as locked:
        assert locked
        assert refused(path) == ["process 7 on h (c, since s)"]


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_not_a_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock"
    if kind == "link":
        (tmp_path / "other").write_text("precious")
        path.symlink_to(tmp_path / "other")
    else:
        path.mkdir()
    with pytest.raises(OSError, match=r"symbolic links|directory"), locks.held(path, nobody):
        pytest.fail("this is not a lock")
    if kind == "link":
        assert path.read_text() == "precious"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"pid": 1}', b"[" * 20_000])
def test_who_is_not_named_is_another_process(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    with locks.held(path, nobody):
        path.write_bytes(content)
        assert refused(path) == ["another process"]


def test_a_name_reaches_the_terminal_as_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["runner", "\x1b[2J\n" + "x" * 999])
    with locks.held(tmp_path / "lock", nobody):
        (said,) = refused(tmp_path / "lock")
    assert said.isprintable()
    assert len(said) == 200
    assert said.endswith("xxx...")


def test_the_holder_of_a_lock_that_is_not_there_is_nobody(tmp_path: Path) -> None:
    assert locks.holder(tmp_path / "lock") == ""
