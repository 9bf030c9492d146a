"""Findings about figures whose level changed over the nights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from runner.history.data import Past, Point, Series
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report, Severity, trend
from runner.report.data import exit_line
from runner.report.findings import findings

CELL = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
OLD = replace(CELL, version="2.2.2")
STEP = Metric("free.step_s", 0.057, Kind.TIMING, Better.LOWER, "s")
RAN = Sample(CELL, CELL.id, "mnist", {}, 0, 0, "host", Status.OK, "", (STEP,))


def past(values: Sequence[float], better: str = "lower") -> Past:
    points = tuple(
        Point(f"run{n}", f"2026-11-{n + 1:02}T01:00:00+00:00", CELL.id, value, value, value, 3, "")
        for n, value in enumerate(values)
    )
    series = Series(CELL.id, "mnist", STEP.name, "s", better, "atlas", points, kind="timing")
    return Past(by_figure={(CELL.id, "mnist", STEP.name): series}, find=trend.moves, file="nights.sqlite")


def noisy(level: float, count: int) -> list[float]:
    return [level * (1 + 0.004 * (n * 7 % 5 - 2)) for n in range(count)]


def changed(values: Sequence[float], better: str = "lower") -> list[str]:
    found = findings(Report((RAN,), (), past=past(values, better)))
    return [finding.text for finding in found if finding.severity is Severity.CHANGED]


def test_a_level_that_rose_is_a_finding_with_its_night_and_the_command_that_draws_it() -> None:
    known = past([*noisy(0.045, 14), *noisy(0.057, 13)])
    (finding,) = findings(Report((RAN,), (), past=known))
    assert finding.severity is Severity.CHANGED
    assert finding.text.startswith(
        "torch 2.15.0 with keras 3.11.3 has another level of step time: since the night of 15 November: +2"
    )
    assert finding.details[0].startswith("13 of 27 runs are at the new level.")
    assert finding.commands == (f"python -m runner trend mnist:free.step_s --cells {CELL.id} --history nights.sqlite",)
    assert finding.key
    assert finding.key == findings(Report((RAN,), (), past=past([*noisy(0.045, 14), *noisy(0.07, 12)])))[0].key


@pytest.mark.parametrize(
    ("values", "better"),
    [
        (noisy(0.045, 27), "lower"),
        ([*noisy(0.057, 14), *noisy(0.045, 13)], "lower"),
        ([*noisy(0.045, 14), *noisy(0.057, 13)], "higher"),
        ([*noisy(0.045, 14), *noisy(0.057, 13)], "neither"),
    ],
)
def test_a_level_that_stayed_or_got_better_is_none(values: Sequence[float], better: str) -> None:
    assert changed(values, better) == []


def test_a_change_that_has_gone_again_is_none() -> None:
    assert changed([*noisy(0.045, 12), *noisy(0.06, 12), *noisy(0.045, 12)]) == []


def test_without_a_history_there_is_none() -> None:
    assert findings(Report((RAN,), ())) == ()


def test_a_run_that_failed_nothing_says_how_much_is_undecided() -> None:
    old = replace(RAN, cell=OLD)
    undecided = Comparison(
        OLD.id, CELL.id, "version", "mnist", STEP.name, Verdict.INCONCLUSIVE, "", Evidence(n=1, rounds_needed=3)
    )
    report = Report((old, RAN), (undecided,))
    assert exit_line(report) == "exit code 0: nothing got worse that can be shown; 1 of 1 figures are undecided"
    assert exit_line(replace(report, exit_code=1)) == "exit code 1: something got worse or broke"
    assert findings(report)[0].commands == ("python -m runner matrix --budget 30m",)
    assert findings(replace(report, invocation="--rounds 3"))[0].commands == ()
    assert exit_line(Report((RAN,), ())) == "exit code 0: nothing got worse"
