"""Renders the report as CSV, a row per process and metric.

For spreadsheets and data frames.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from runner.model import Cell, Comparison, Status
from runner.report import numbers
from runner.report.data import Report
from runner.util import jsontext

COLUMNS = (
    "cell",
    "framework",
    "version",
    "keras",
    "python",
    "device",
    "variant",
    "probe",
    "round",
    "seed",
    "status",
    "metric",
    "value",
    "unit",
    "kind",
    "baseline",
    "verdict",
    "reason",
)
_FORMULA = ("=", "+", "-", "@")


def render(report: Report) -> str:
    """Render a heading and the rows.

    Every process has a row for ``status``, then one for each metric.

    ``verdict`` is that of the cell's metric against its first ``baseline``; it is the same for all rounds. ``reason``
    says why a process failed. A cell that was not run has one row, with the reason. Numbers have all their digits,
    lists are JSON.
    """
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The text piece by piece.

    First the heading, then the rows of each process, then those of the cells that were not run.
    """
    verdicts: dict[tuple[str, str, str], Comparison] = {}
    for comparison in report.comparisons:
        verdicts.setdefault((comparison.candidate, comparison.probe, comparison.metric), comparison)

    @cache
    def after(cell_id: str, probe: str, name: str, unit: str, kind: str) -> str:
        """What follows the value in the row of a metric: the same in every round."""
        judged = verdicts.get((cell_id, probe, name))
        return _text(unit, kind, *((judged.baseline, judged.verdict) if judged else ("", "")), "")

    known: dict[tuple[Cell, str], dict[int, str]] = {}
    yield _text(*COLUMNS) + "\n"
    for sample in report.samples:
        cell_id, probe = sample.cell.id, sample.probe
        process = _text(*_axes(sample.cell), probe, sample.round, sample.seed, sample.status)
        status = f"{_text('status', sample.status)},{after(cell_id, probe, 'status', '', '')}{_text(sample.reason)}"
        figures = known.setdefault((sample.cell, probe), {})  # by identity: processes share equal metrics
        for m in sample.metrics:
            if id(m) not in figures:
                tail = after(cell_id, probe, m.name, m.unit, m.kind)
                figures[id(m)] = f"{_text(m.name)},{_value(m.value)},{tail}"
        rows = [f"{process},{figures[id(m)]}" for m in sample.metrics]
        yield "\n".join([f"{process},{status}", *rows, ""])
    for skip in report.skips:
        process = _text(*_axes(skip.cell), "", "", "", skip.status)
        yield f"{process},{_text('status', skip.status, '', '', '', '', skip.reason)}\n"
    for line in report.unread:
        process = _text(*[""] * COLUMNS.index("status"), Status.UNAVAILABLE)
        yield f"{process},{_text('status', Status.UNAVAILABLE, '', '', '', '', line)}\n"


def _axes(cell: Cell) -> tuple[str | None, ...]:
    return cell.id, cell.framework, cell.version, cell.keras, cell.python, cell.device, cell.variant


def _listed(value: Any) -> str:
    """A list as JSON; NaN and infinities in it are null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(jsontext.finite(value))


@lru_cache(maxsize=4096)
def _text(*fields: str | int | None) -> str:
    """Fields of a row as CSV.

    No text starts like a formula: spreadsheets would run it.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([*map(_plain, fields), ""])
    return out.getvalue()[:-1]


def _plain(field: str | int | None) -> str | int | None:
    if not isinstance(field, str):
        return field
    text = numbers.plain(field)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _value(value: Any) -> str:
    """The value of a metric as CSV."""
    if isinstance(value, float):
        return repr(value)
    if not isinstance(value, list | bool):
        return _text(value)
    text = _listed(value)
    return f'"{text}"' if "," in text and '"' not in text else _text(text)
