"""The column of a table that draws the earlier figures of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from runner.history.data import Series
from runner.report import columns, sparkline
from runner.report.data import Report
from runner.report.marks import Mark
from runner.report.rows import Column, Figure, Row

T = TypeVar("T")


def ordered(cols: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """The columns by what a reader wants to see the history of.

    Those in which a cell is worse or better are first.
    """
    moved = {n for n in range(len(cols)) for row in rows if row.figures and (f := row.figures[n]) and f.mark in _MOVED}
    return [cols[n] for n in sorted(range(len(cols)), key=lambda n: n not in moved) if cols[n].metrics]


_MOVED = (Mark.WORSE, Mark.BETTER)


def column(
    report: Report, cols: tuple[Column, ...], rows: Sequence[Row], drawn: Sequence[Column]
) -> tuple[tuple[Column, ...], list[Row]]:
    """One column more where a history has earlier figures.

    It has a sparkline in each row, and stands after the figure that it is about.
    """
    if report.past is None:
        return cols, list(rows)
    if len(rows) <= _FEW_ROWS:  # looking for changes takes time
        drawn = sorted(drawn, key=lambda col: not any(_changes(report, row, col.metrics[0]) for row in rows))
    for col in drawn:
        metric = col.metrics[0]
        lines = {row.cell.id: _sparkline(report, row, metric) for row in rows if row.figures}
        if any(lines.values()):
            label = f"{col.label} history"
            added = Column((), label, "", percent=False, exact=False, history=metric)
            figures = {cell: Figure(line, Mark.NONE, "", (), ()) if line else None for cell, line in lines.items()}
            at = cols.index(col) + 1
            told = [replace(row, figures=row.figures and _with(row.figures, at, figures[row.cell.id])) for row in rows]
            return _with(cols, at, added), told
    return cols, list(rows)


_FEW_ROWS = 60
"""In a table of so many rows, a figure that changed over time is drawn before one that did not."""


def series(report: Report, row: Row, metric: str) -> Series | None:
    """The earlier figures of a row and its own; None where there is nothing to draw."""
    found = report.past.series(row.cell.id, row.probe, metric) if report.past and row.figures else None
    return found if found and len(found.points) > 1 else None


def _changes(report: Report, row: Row, metric: str) -> bool:
    found = series(report, row, metric)
    return found is not None and bool(found.changes)


def _with(some: tuple[T, ...], at: int, one: T) -> tuple[T, ...]:
    return (*some[:at], one, *some[at:])


def _sparkline(report: Report, row: Row, metric: str) -> str:
    found = series(report, row, metric)
    return sparkline.text(found, percent=columns.percent(metric)) if found else ""
