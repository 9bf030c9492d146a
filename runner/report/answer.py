"""What a report says, in the order in which every format says it."""

from __future__ import annotations

from dataclasses import dataclass

from runner.report.data import Finding, Report, Severity
from runner.report.findings import findings
from runner.report.overview import Overview, overview
from runner.report.rows import Table
from runner.report.table import tables


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, then the evidence."""

    findings: tuple[Finding, ...]
    """Worst first."""
    overview: Overview
    tables: tuple[Table, ...]
    """Those of the probes in which something differs."""


def answer(report: Report) -> Answer:
    """Work out what a report says."""
    drawn = tables(report)
    fine = tuple(Finding(Severity.FINE, table.plain, ()) for table in drawn if table.plain)
    shown = tuple(table for table in drawn if not table.plain)
    return Answer((*findings(report), *fine), overview(report), shown)
