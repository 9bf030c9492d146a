"""Finds figures whose level changed over the nights.

The cell and the host are the same before and after.
"""

from __future__ import annotations

from runner.history import default
from runner.history.data import Change, Series
from runner.matrix import probes
from runner.model import Better, Cell
from runner.report import advice, columns, keys, numbers
from runner.report.data import Finding, Report, Severity
from runner.report.words import Words

MOST = 400
"""A report of more headline figures does not look for changes in all of them: that takes too long."""


def shifts(report: Report, words: Words) -> list[Finding]:
    """A finding for each headline figure whose newest level is a worse one."""
    if report.past is None:
        return []
    wanted = [
        (probe, cell, name)
        for probe, cells in report.summaries.items()
        for cell, figures in cells.items()
        for name in figures
        if probes.is_headline(probe, name)
    ]
    if len(wanted) > MOST:
        return []
    found = []
    for probe, cell, name in wanted:
        series = report.past.series(cell.id, probe, name)
        if series is not None and series.changes and _is_worse(series, series.changes[-1]):
            found.append(_shift(report, words, cell, series))
    return found


def _is_worse(series: Series, change: Change) -> bool:
    if series.better == Better.NEITHER:
        return False
    return (change.effect > 0) is (series.better == Better.LOWER)


def _shift(report: Report, words: Words, cell: Cell, series: Series) -> Finding:
    change = series.changes[-1]
    nights = len(series.points) - change.index
    label = columns.label(series.metric)
    text = f"{words.name(cell)} has another level of {label}{words.where(series.probe)}: {numbers.plain(change.text)}"
    suspect = "The releases are the same before and after: suspect the image, the machine or this program."
    details = (f"{nights} of {len(series.points)} runs are at the new level. {suspect}",)
    file = report.past.file if report.past else ""
    history = ["--history", file] if file and file != str(default()) else []
    line = advice.line("trend", report, [f"{series.probe}:{series.metric}", "--cells", cell.id, *history])
    about = (cell.id, series.probe, columns.cause(series.metric))
    return Finding(
        Severity.CHANGED,
        text,
        (cell.id,),
        "",
        abs(change.effect),
        details,
        (line,),
        key=keys.key("level", *about),
        kin=keys.key("level", *about[1:]),
        probes=(series.probe,),
    )
