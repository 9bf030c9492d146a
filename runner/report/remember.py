"""A report as an entry of the history. Pure."""

from __future__ import annotations

from runner.history.data import Entry, Found
from runner.report.data import Finding, Report
from runner.report.findings import findings


def entry(report: Report) -> Entry:
    """The report's results, verdicts and findings, as the history keeps them."""
    return Entry(
        set_name=report.set_name,
        samples=report.samples,
        comparisons=report.comparisons,
        findings=tuple(_found(finding) for finding in findings(report) if finding.key),
        exit_code=report.exit_code,
        invocation=report.invocation,
    )


def _found(finding: Finding) -> Found:
    return Found(
        key=finding.key,
        kin=finding.kin,
        severity=finding.severity.name.lower(),
        text=finding.text,
        cells=finding.cells,
        probes=finding.probes,
        issue=finding.issue,
        release=finding.release,
        details=finding.details,
        commands=finding.commands,
    )
