"""The report as CSV, for spreadsheets and data frames: a row per process and metric."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from runner.model import Comparison, Sample
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
)
_FORMULA = ("=", "+", "-", "@")


def render(report: Report) -> str:
    """A heading and the rows. Every process has a row for ``status``, then one for each metric.

    ``verdict`` is that of the cell's metric against its first ``baseline``; it is the same for all rounds. Numbers
    have all their digits, lists are JSON.
    """
    verdicts: dict[tuple[str, str, str], Comparison] = {}
    for comparison in report.comparisons:
        verdicts.setdefault((comparison.candidate, comparison.probe, comparison.metric), comparison)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sample in report.samples:
        measured = [(m.name, m.value, m.unit, m.kind) for m in sample.metrics]
        for metric in [("status", sample.status, "", ""), *measured]:
            judged = verdicts.get((sample.cell.id, sample.probe, metric[0]))
            verdict = (judged.baseline, judged.verdict) if judged else ("", "")
            writer.writerow([_field(part) for part in (*_process(sample), *metric, *verdict)])
    return out.getvalue()


def _process(sample: Sample) -> tuple[Any, ...]:
    """The columns that name the process, as far as ``status``."""
    cell = sample.cell
    axes = (cell.id, cell.framework, cell.version, cell.keras, cell.python, cell.device, cell.variant)
    return (*axes, sample.probe, sample.round, sample.seed, sample.status)


def _field(value: Any) -> Any:
    """A field as the csv module takes it. No text starts like a formula: spreadsheets would run it."""
    if isinstance(value, str):
        text = numbers.plain(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    return json.dumps(value) if isinstance(value, list | bool) else value
