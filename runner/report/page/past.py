"""What the page shows of earlier runs.

The series behind its figures, and the earlier runs of its cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.history.data import CellRun, Past, Series
from runner.matrix import probes
from runner.report import numbers
from runner.report.data import Report

MOST_POINTS = 400
"""Of a longer series the newest points are drawn."""

MOST_RUNS = 60
"""Of a cell with more earlier runs the newest are listed."""

_MARKS = {
    "regressed": "worse",
    "broken": "worse",
    "improved": "better",
    "fixed": "fixed",
    "same": "same",
    "inconclusive": "undecided",
    "expected": "expected",
    "not-comparable": "incomparable",
    "different": "differs",
}
"""The verdicts that the history keeps, as marks of the page."""


def of_probe(report: Report, probe: str, order: Mapping[str, int], place: Mapping[str, int]) -> dict[str, Any]:
    """The series of the probe's headline figures: by metric, then by cell."""
    if report.past is None:
        return {}
    found: dict[int, dict[int, Any]] = {}
    for name in place:
        if not probes.is_headline(probe, name):
            continue
        for cell in report.by_probe[probe]:
            series = report.past.series(cell.id, probe, name)
            if series is not None and len(series.points) > 1:
                found.setdefault(place[name], {})[order[cell.id]] = _series(series)
    return {"past": found} if found else {}


def _series(series: Series) -> dict[str, Any]:
    first = max(0, len(series.points) - MOST_POINTS)
    changes = [[c.index - first, short(c.text)] for c in series.changes if c.index >= first]
    return {
        "points": [[p.when, numbers.plain(p.cell), p.value, p.low, p.high] for p in series.points[first:]],
        "changes": changes,
        "breaks": [numbers.plain(text) for text in series.breaks],
    }


def short(text: str) -> str:
    """A change point for a chart: without interval and levels.

    >>> short("since the night of 17 November: +26 % (+23 % to +29 %); 45.2 ms, worse")
    'the night of 17 November: +26 %'
    """
    return numbers.plain(text.partition(" (")[0].partition(";")[0].removeprefix("since "))


def of_cell(past: Past | None, cell_id: str) -> dict[str, Any]:
    """The earlier runs of a cell, the newest first; nothing without any."""
    runs = past.cell(cell_id) if past is not None else ()
    return {"past": [_run(run) for run in reversed(runs[-MOST_RUNS:])]} if runs else {}


def _run(run: CellRun) -> dict[str, str]:
    return {
        "when": numbers.plain(run.when[:16].replace("T", " ")),
        "mark": _MARKS.get(run.verdict, "none"),
        "text": "" if run.status == "ok" else numbers.plain(run.status),
    }
