"""What a command works with, and how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner import data, executors
from runner.errors import UsageError
from runner.machine import facts
from runner.matrix import sets
from runner.measure import workspace
from runner.results.store import RunRecord
from runner.util import locks


class Executor:
    """An executor that only knows its name, and whether it was closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Executor]:
    found: list[Executor] = []

    def make(name: str) -> Executor:
        found.append(Executor(name))
        return found[-1]

    monkeypatch.setattr(executors, "make", make)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How the data was asked for; one note comes of it."""
    found: list[Any] = []

    def collect(*arguments: Any, **named: Any) -> data.Collected:
        found.append((*arguments, named))
        return data.Collected({"mnist": data.DataFile(Path("/d"), "mnist", "abc")}, ("made up",))

    monkeypatch.setattr(data, "collect", collect)
    monkeypatch.setattr(workspace, "cache_dir", lambda: Path("/cache"))
    return found


@pytest.mark.usefixtures("made")
def test_everything_that_is_given_reaches_the_run(tmp_path: Path, asked: list[Any]) -> None:
    record = RunRecord("quick", notes=("a note",))
    given = {"mnist": Path("/mine.npz")}
    with workspace.open(
        tmp_path / "out", probes=["mnist"], given=given, offline=True, record=record, fresh=True, jobs=3, builds=4,
        keep_failed=True,
    ) as work:  # fmt: skip
        context = work.context
        assert (context.fresh, context.jobs, context.builds, context.keep_failed) == (True, 3, 4, True)
        assert context.host == facts.fingerprint(facts.here())
        assert context.variants == {name: variant.env for name, variant in sets.load().variants.items()}
        assert list(work.executors) == ["docker", "host", "current"]
        assert work.executors is context.executors
        assert work.files == {"mnist": data.DataFile(Path("/d"), "mnist", "abc")}
        assert work.notes == ("made up",)
        assert work.record == RunRecord("quick", notes=("a note", "made up"))
        assert work.store is context.store
    assert asked == [(["mnist"], given, Path("/cache/data"), {"offline": True})]
    assert (tmp_path / "out" / "run.json").is_file()


@pytest.mark.usefixtures("asked")
def test_only_executors_with_images_pull_from_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []

    def pull_from(self: object, prefix: str, note: Callable[[str], None]) -> None:
        told.append((type(self).__name__, prefix))
        note("a line")

    monkeypatch.setattr(executors.kind("docker"), "pull_from", pull_from)
    said: list[str] = []
    with workspace.open(tmp_path, pull_from="ghcr.io/owner", say=said.append):
        assert told == [("DockerExecutor", "ghcr.io/owner")]
    with workspace.open(tmp_path, say=said.append):
        assert len(told) == 1
    assert said == ["a line"]
    assert [executors.pulls(name) for name in ("auto", *executors.names())] == [True, True, False, False]


@pytest.mark.usefixtures("made")
def test_nothing_is_asked_for_unless_it_is_said(tmp_path: Path, asked: list[Any]) -> None:
    with workspace.open(tmp_path) as work:
        context = work.context
        assert (context.fresh, context.jobs, context.builds, context.keep_failed) == (False, 1, 2, False)
        assert work.record == RunRecord()
    assert asked == [((), {}, Path("/cache/data"), {"offline": False})]
    assert not (tmp_path / "run.json").exists()


@pytest.mark.usefixtures("asked")
def test_every_executor_is_closed_however_it_ends(tmp_path: Path, made: list[Executor]) -> None:
    def broken() -> None:
        with workspace.open(tmp_path):
            assert [executor.closed for executor in made] == [0, 0, 0]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [(executor.name, executor.closed) for executor in made] == [("docker", 1), ("host", 1), ("current", 1)]


@pytest.mark.usefixtures("asked", "made")
def test_without_a_folder_results_go_with_the_workspace() -> None:
    with workspace.open(None) as work:
        folder = work.store.out
        assert folder.is_dir()
        assert folder.name.startswith("out-")
    assert not folder.exists()


@pytest.mark.usefixtures("asked", "made")
def test_a_second_command_that_writes_to_the_folder_waits_and_says_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    first = locks.held(tmp_path / ".lock", said.append)
    first.__enter__()
    assert not (tmp_path / "run.json").exists()

    def say(line: str) -> None:
        said.append(line)
        assert not (tmp_path / "run.json").exists()  # what the first one wrote is as it left it
        first.__exit__(None, None, None)

    with workspace.open(tmp_path, record=RunRecord("mine"), say=say):
        assert (tmp_path / "run.json").exists()
        assert f"process {os.getpid()} " in locks.holder(tmp_path / ".lock")
    (line,) = said
    assert line.startswith(f"--out {tmp_path}: waiting for process {os.getpid()} (runner")
    assert line.endswith(", which writes there; Ctrl-C ends the wait")
    assert locks.holder(tmp_path / ".lock") == ""


@pytest.fixture
def handlers() -> Iterator[None]:
    """Brings back the handlers of signals, which stay ignored once a run was interrupted."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_for_the_folder(tmp_path: Path, number: signal.Signals) -> None:
    waited = False

    def wait() -> None:
        with workspace.open(tmp_path, say=lambda _: signal.raise_signal(number)):
            pytest.fail("two write to one folder")

    with workspace.open(tmp_path):
        with pytest.raises(KeyboardInterrupt):
            wait()
        waited = True
    assert waited


@pytest.mark.usefixtures("asked", "made")
def test_a_folder_on_a_file_system_without_locks_is_used_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", without)
    said: list[str] = []
    with workspace.open(tmp_path, say=said.append) as work:
        assert work.store.out == tmp_path
    assert said == [
        f"--out {tmp_path}: cannot be locked (No locks available); let no other command write there",
    ]


@pytest.mark.usefixtures("asked", "made")
def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(UsageError, match=r"\.lock cannot be opened: .*name another folder"), workspace.open(tmp_path):
        pytest.fail("not a lock")


@pytest.mark.usefixtures("asked", "made")
def test_without_an_observer_the_wait_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = locks.held(tmp_path / ".lock", print)
    first.__enter__()
    done = threading.Timer(0.5, first.__exit__, (None, None, None))
    done.start()
    with workspace.open(tmp_path):
        done.join()
    assert capsys.readouterr().err.startswith(f"runner: --out {tmp_path}: waiting for process ")


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_an_interrupt_and_later_ones_do_not_cut_the_end_short(number: signal.Signals) -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    reached: list[str] = []

    def ended() -> None:
        with workspace.stoppable():
            try:
                signal.raise_signal(number)
            finally:
                for one in signals:
                    signal.raise_signal(one)
                reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        ended()
    assert reached == ["the end"]
    for one in signals:
        signal.raise_signal(one)  # while the program reports what it has


@pytest.mark.usefixtures("handlers")
def test_a_run_under_nohup_goes_on_when_the_terminal_is_closed() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with workspace.stoppable():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


@pytest.mark.usefixtures("handlers")
def test_without_a_signal_the_handlers_come_back() -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(one) for one in signals]
    with workspace.stoppable():
        assert [signal.getsignal(one) for one in signals] != before
    assert [signal.getsignal(one) for one in signals] == before
