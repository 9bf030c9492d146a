"""Names the rows of a table, its baseline and its number of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runner.model import CONDITIONS, Cell
from runner.report import numbers
from runner.report.marks import Mark
from runner.report.rows import Row, Table

AGAINST = "against"
"""The heading of the column that names the baseline of each row."""


def title(table: Table) -> list[str]:
    """How often each cell was measured, and the table's baseline.

    A table with several baselines names them in its rows.

    ``median of 3 runs``, ``against tensorflow 2.21.0``
    """
    low, high = table.rounds
    medians = f"median of {high}" if low == high else f"medians of {low} to {high}"
    runs = "1 run each" if high == 1 else f"{medians} runs"
    told = references(table.rows)
    return [runs, *([f"{AGAINST} {told.pop()}"] if len(told) == 1 else [])]


def used_marks(shown: Iterable[Table]) -> tuple[Mark, ...]:
    """The marks that appear, in the order of the legend."""
    used = {row.mark for t in shown for row in t.rows} | {
        f.mark for t in shown for row in t.rows for f in row.figures if f is not None
    }
    return tuple(m for m in Mark if m in used and m is not Mark.NONE)


def common(cells: Iterable[Cell]) -> Cell | None:
    """A cell with the Python, device and variant that all cells share.

    Each is empty where they differ; None for no cells.
    """
    every = list(cells)
    if not every:
        return None

    def agreed(axis: str) -> str:
        values = {str(cell.values[axis]) for cell in every}
        return values.pop() if len(values) == 1 else ""

    return replace(every[0], **{axis.name: agreed(axis.name) for axis in CONDITIONS})


def _unshared(cell: Cell, axis: str, shared: Cell | None) -> str:
    return "" if shared and shared.values[axis] else str(cell.values[axis])


def references(rows: Iterable[Row]) -> set[str]:
    """The baselines of the rows that have figures, in words."""
    return {row.against for row in rows if row.against and row.figures}


def labels(rows: Sequence[Row], shared: Cell | None) -> tuple[tuple[str, ...], dict[Cell, tuple[str, ...]]]:
    """Headings and texts of the columns that distinguish rows within a group.

    The texts are per cell. What all cells share (see ``common``) has no column: it is said once above the tables.
    """
    fields: list[tuple[str, list[str]]] = [
        ("version", [row.cell.version for row in rows]),
        ("keras", [row.cell.keras or "native" for row in rows]),
        *((axis.name, [_unshared(row.cell, axis.name, shared) for row in rows]) for axis in CONDITIONS),
        (AGAINST, [row.against if row.figures else "" for row in rows]),
    ]
    if len(references(rows)) == 1:  # the title of the table says it
        del fields[-1]
    if not any(row.cell.keras for row in rows):
        del fields[1]
    kept = [(heading, texts) for heading, texts in fields if heading == "version" or any(texts)]
    by_cell = {row.cell: tuple(numbers.plain(texts[n]) for _, texts in kept) for n, row in enumerate(rows)}
    return tuple(heading for heading, _ in kept), by_cell
