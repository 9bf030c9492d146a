"""Probes that read what other cells left: they run last, on all of it, and again when it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.executors import Launch
from runner.matrix import probes
from runner.measure import phases, scheduler
from runner.measure.context import Context, Event, Interrupted
from runner.measure.exchange import archive
from runner.model import Cell, Environment, Job, Outcome, ProbeSpec, Sample, Status
from runner.results.store import Store

Ran = list[tuple[str, str, Path | None]]


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """``reading`` reads what ``mnist`` leaves."""
    monkeypatch.setattr(probes, "reads", lambda probe: "mnist" if probe == "reading" else "")
    monkeypatch.setattr(probes, "is_read", lambda probe: probe == "mnist")


class Executor:
    """Runs nothing: writes a result, and for ``mnist`` a file."""

    label, isolated = "host", False

    def __init__(self, text: str = "x") -> None:
        self.text = text
        self.ran: Ran = []

    def identity(self, environment: Environment) -> str:
        return environment.id

    def prepare(self, environment: Environment, _say: Callable[[str], None]) -> Any:
        from runner.executors import Prepared

        return Prepared(environment, "", "lock")

    def find(self, environment: Environment) -> Any:
        return self.prepare(environment, lambda _: None)

    def data_path(self, path: Path) -> str:
        return str(path)

    def execute(self, launch: Launch) -> Outcome:
        reads = launch.data is not None
        self.ran.append((launch.cell.version, "reading" if reads else "mnist", launch.data))
        if not reads:
            (launch.io / "left").mkdir()
            (launch.io / "left" / "model.keras").write_text(self.text + launch.cell.version)
        (launch.io / "result.json").write_text('{"status": "ok", "details": {}}')
        return Outcome(0, None, False, False, 1.0, "")

    def close(self) -> None:
        pass


def job(version: str, probe: str) -> Job:
    cell = Cell("torch", version, "3.8.0", "3.11", "cpu")
    environment = Environment("torch", version, "3.8.0", "3.11", "cpu", "linux-x86_64")
    return Job(cell, environment, ProbeSpec(probe, timed=False), 0, 0, "host")


JOBS = [job("1.0", "reading"), job("1.0", "mnist"), job("2.0", "reading"), job("2.0", "mnist")]


def run(out: Path, executor: Any, jobs: list[Job] = JOBS) -> list[Sample]:
    return phases.run(jobs, Context({"host": executor}, Store(out), {}, {"host": "h"}), lambda _: None)


def test_readers_run_last_on_the_files_of_all_cells(tmp_path: Path) -> None:
    executor = Executor()
    samples = run(tmp_path, executor)
    ran = [(version, probe) for version, probe, _ in executor.ran]  # within a phase: as environments become ready
    assert sorted(ran[:2]) == [("1.0", "mnist"), ("2.0", "mnist")]
    assert sorted(ran[2:]) == [("1.0", "reading"), ("2.0", "reading")]
    assert [sample.status for sample in samples] == [Status.OK] * 4
    assert len({path for _, probe, path in executor.ran if probe == "reading"}) == 1
    assert all(archive(sample) for sample in samples if sample.probe == "mnist")


def test_a_second_run_reuses_both_and_other_files_are_read_again(tmp_path: Path) -> None:
    run(tmp_path, Executor())
    again = Executor()
    run(tmp_path, again)
    assert again.ran == []
    for archived in (tmp_path / "files").glob("*.tar"):
        archived.unlink()
    other = Executor("other")
    run(tmp_path, other)
    assert [probe for _, probe, _ in other.ran] == ["mnist", "mnist", "reading", "reading"]


def test_readers_alone_read_what_an_earlier_run_left(tmp_path: Path) -> None:
    run(tmp_path, Executor(), [job("1.0", "mnist")])
    executor = Executor()
    run(tmp_path, executor, [job("2.0", "reading")])
    assert [(version, probe) for version, probe, _ in executor.ran] == [("2.0", "reading")]


def test_where_nothing_was_left_readers_get_nothing(tmp_path: Path) -> None:
    executor = Executor()
    samples = run(tmp_path, executor, [job("2.0", "reading")])
    assert [path for *_, path in executor.ran] == [None]
    assert len(samples) == 1


def test_an_interrupt_while_reading_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scheduler.run

    def interrupted(jobs: tuple[Job, ...], context: Context, observe: Callable[[Event], None]) -> list[Sample]:
        if jobs[0].probe.name == "reading":
            raise Interrupted([])
        return plain(jobs, context, observe)

    monkeypatch.setattr(scheduler, "run", interrupted)
    with pytest.raises(Interrupted) as stop:
        run(tmp_path, Executor())
    assert [sample.probe for sample in stop.value.samples] == ["mnist", "mnist"]
