"""Shows who can read whose files: the probe ``reading`` as a table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from runner.defects import cases, reading
from runner.report import numbers
from runner.report.data import Report
from runner.util import versions

HEADING = "Saved models: files that the row's Keras wrote, read by the column's"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Counts of files by the releases of Keras that wrote and read them.

    All backends are counted together.
    """

    readers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """A writer's release; for each reader ``all 96``, ``3 of 96 fail``, or nothing where none was read."""


def exchange(report: Report) -> Exchange | None:
    """The table; None without the probe."""
    runs = [of_cell[0] for of_cell in cases.runs(report.samples, reading.PROBE)]
    if not runs:
        return None
    wrote = {run.cell.id: run.cell.keras or "" for run in runs}
    right: dict[tuple[str, str], int] = defaultdict(int)
    wrong: dict[tuple[str, str], int] = defaultdict(int)
    for one in reading.reads(runs):
        if one.writer in wrote and not one.case.silent:
            pair = wrote[one.writer], runs[one.reader].cell.keras or ""
            (right if one.case.right else wrong)[pair] += 1
    releases = sorted({release for pair in (*right, *wrong) for release in pair}, key=versions.order)
    rows = tuple((w, tuple(_field(right[w, r], wrong[w, r]) for r in releases)) for w in releases)
    return Exchange(tuple(map(numbers.plain, releases)), rows)


def lines(report: Report) -> tuple[str, ...]:
    """The table as lines of text; empty without the probe."""
    table = exchange(report)
    if table is None:
        return ()
    head = ("written by", *table.readers)
    rows = [head, *((writer, *fields) for writer, fields in table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return tuple("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _field(right: int, wrong: int) -> str:
    if not right + wrong:
        return ""
    return f"{wrong} of {right + wrong} fail" if wrong else f"all {right}"
