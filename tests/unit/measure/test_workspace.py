"""What a command works with, and how it ends."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from runner import data, executors
from runner.machine import facts
from runner.matrix import sets
from runner.measure import workspace
from runner.results.store import RunRecord


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_to_end_is_an_interrupt_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    def ended() -> None:
        with workspace.stoppable():
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        ended()
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
