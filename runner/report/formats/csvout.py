"""Renders the report as CSV, a row per process and metric.

For spreadsheets and data frames.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from runner.model import Cell, Comparison
from runner.report import numbers
from runner.report.data import Report

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
    verdicts: dict[tuple[str, str, str], Comparison] = {}
    for comparison in report.comparisons:
        verdicts.setdefault((comparison.candidate, comparison.probe, comparison.metric), comparison)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in report.samples:
        process = (*_axes(sample.cell), sample.probe, sample.round, sample.seed, sample.status)
        measured = [(m.name, m.value, m.unit, m.kind, "") for m in sample.metrics]
        for name, *figure, reason in [("status", sample.status, "", "", sample.reason), *measured]:
            judged = verdicts.get((sample.cell.id, sample.probe, name))
            verdict = (judged.baseline, judged.verdict) if judged else ("", "")
            writer.writerow(map(_field, (*process, name, *figure, *verdict, reason)))
    for skip in report.skips:
        process = (*_axes(skip.cell), "", "", "", skip.status)
        writer.writerow(map(_field, (*process, "status", skip.status, "", "", "", "", skip.reason)))
    return out.getvalue()


def _axes(cell: Cell) -> tuple[str | None, ...]:
    return cell.id, cell.framework, cell.version, cell.keras, cell.python, cell.device, cell.variant


def _field(value: Any) -> Any:
    """A field as the csv module takes it.

    No text starts like a formula: spreadsheets would run it.
    """
    if isinstance(value, str):
        text = numbers.plain(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return json.dumps(value) if isinstance(value, list | bool) else value
