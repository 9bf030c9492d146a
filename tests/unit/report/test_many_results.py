"""Reports of many results: work in proportion to the results, whatever the format."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from runner.judge import rules
from runner.model import Better, Cell, Kind, Metric, Sample, Status
from runner.report import build, formats
from runner.results import store
from runner.util import memory


def results(folder: Path, cells: int) -> Path:
    """Two rounds of each cell below the folder. Every sixth cell fails, every fifth is slower, half have a twin."""
    there = store.Store(folder)
    for number in range(cells):
        cell = Cell("jax", f"0.{number // 2}.0", "3.11.3" if number % 2 else None, "3.11", "cpu")
        fails = number % 6 == 5
        for round_ in range(2):
            metrics = (
                Metric("free.step_s", (2.0 if number % 5 == 4 else 1.0) + round_ / 100, Kind.TIMING, Better.LOWER, "s"),
                Metric("free.test_accuracy", 0.97 + round_ / 1000, Kind.SEEDED, Better.HIGHER),
                Metric("controlled.loss_per_step", [2.0, 1.0 + number / 1e3], Kind.TRAJECTORY, Better.LOWER),
                Metric("same.digest", f"{number:064x}", Kind.EXACT),
                Metric("same.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", 64),
                Metric("parameters", 10, Kind.EXACT),
            )
            sample = Sample(
                cell, "e", "mnist", {"epochs": 3}, round_, round_, "docker", Status.CRASHED if fails else Status.OK,
                "it broke" if fails else "", () if fails else metrics, {"python": "3.11.7"}, {"host": "h"},
                packages={"jax": cell.version}, notes=("a note",), log="last line" if fails else "",
                started=f"2026-01-01T0{round_}:{number // 60:02}:{number % 60:02}+00:00",
                key=f"{number:032}{round_:032}",
            )  # fmt: skip
            there.save(sample)
    return folder


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of this project's Python code the work executes, repetitions included."""
    count = 0

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        return local if "/runner/" in frame.f_code.co_filename or "<string>" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", formats.FORMATS)
def test_twice_the_results_are_twice_the_work(tmp_path: Path, name: str) -> None:
    def report(folder: Path) -> Callable[[], str]:
        return lambda: formats.text(build.from_folders([folder], rules.Rules()), name)

    few, many = results(tmp_path / "few", 36), results(tmp_path / "many", 72)
    report(results(tmp_path / "one", 2))()  # what is done once is done
    assert lines_run(report(many)) < 2.3 * lines_run(report(few))  # sorting takes a little more than twice


def test_equal_parts_of_results_are_one_object(tmp_path: Path) -> None:
    first, second, *_ = store.load([results(tmp_path, 1)])
    assert first.facts == {"python": "3.11.7"}
    assert first.facts is second.facts
    assert first.metrics[0] != second.metrics[0]
    assert first.metrics[3] is second.metrics[3]


def test_the_search_for_garbage_goes_on_after_a_pause() -> None:
    def fail() -> None:
        with memory.no_cycles():
            seen.append(gc.isenabled())
            raise ZeroDivisionError

    seen = [gc.isenabled()]
    with pytest.raises(ZeroDivisionError):
        fail()
    assert [*seen, gc.isenabled()] == [True, False, True]


def test_a_search_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with memory.no_cycles():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
