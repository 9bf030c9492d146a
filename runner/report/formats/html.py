"""Renders the report as one HTML file that needs nothing else.

It loads no script, style sheet or font.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from runner.model import Comparison, Verdict
from runner.report import numbers
from runner.report.answer import answer
from runner.report.data import Finding, Report, all_notes, cell_ids, command, exit_line, subtitle
from runner.report.failures import last_lines, not_measured
from runner.report.findings import none_found
from runner.report.labels import common, labels, title, used_marks
from runner.report.marks import BASELINE, Mark
from runner.report.seeding import HEADING, seeding
from runner.report.summary import Summary
from runner.report.table import Figure, Row

_TEMPLATE = "report.html.j2"
_MOST_EVIDENCE = 1000
_LOG_LINES = 40
_MOST_SHOWN = 8
"""Of a figure in many modes, that many are named when the pointer rests on it."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a table as the template shows it.

    ``title`` is what the pointer reveals.
    """

    text: str
    symbol: str
    delta: str
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One row as the template shows it."""

    labels: tuple[str, ...]
    leads: bool
    fields: tuple[_Field, ...]
    status: _Field | None
    failed: str
    command: str
    cell: str


def render(report: Report) -> str:
    """Render the whole document.

    Everything that comes from outside is escaped by the template engine.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")
    said = answer(report)
    drawn, found = said.tables, said.findings
    shared = common(s.cell for s in report.samples)
    told = [c for c in report.comparisons if c.verdict not in (Verdict.SAME, Verdict.NO_BASELINE)]
    views = []
    for table in drawn:
        headings, texts = labels(table.rows, shared)
        groups = [(g, [_line(row, texts[row.cell], report) for row in rows]) for g, rows in table.groups]
        views.append(
            {"table": table, "headings": headings, "groups": groups, "n": numbers.plain(" · ".join(title(table)))}
        )
    return environment.from_string(source).render(
        title=numbers.plain(report.title),
        subtitle=subtitle(report, shared),
        exit_code=report.exit_code,
        exit_line=exit_line(report),
        findings=[_finding(f) for f in found],
        logs=[(where, "\n".join(log)) for where, log in last_lines(report, found, most=_LOG_LINES)],
        views=views,
        measured=bool(report.samples),
        none_found=none_found(report),
        overview=said.overview.blocks if report.samples else (),
        overview_legend=said.overview.legend,
        style=_style,
        baseline=BASELINE if any(row.leads for t in drawn for row in t.rows) else "",
        legend=[(m.symbol, m.meaning, _style(m)) for m in used_marks(drawn)],
        seeding_heading=HEADING,
        seeding=seeding(report),
        not_measured=not_measured(report),
        notes=all_notes(report),
        commands=[(cell_id, command(cell_id, report)) for cell_id in cell_ids(report)],
        evidence=[_evidence_row(c) for c in told[:_MOST_EVIDENCE]],
        same=len(report.comparisons) - len(told),
        untold=max(0, len(told) - _MOST_EVIDENCE),
    )


def _style(mark: Mark) -> str:
    return mark.name.lower()


def _finding(finding: Finding) -> dict[str, Any]:
    mark = finding.severity.mark
    # Only a web address becomes a link: a report is made of files that anybody may have written.
    safe = finding.issue if finding.issue.startswith(("https://", "http://")) else ""
    return {
        "style": _style(mark),
        "text": finding.text if safe else finding.sentence,
        "issue": numbers.plain(safe),
        "label": finding.severity.label,
        "details": finding.details,
        "commands": finding.commands,
    }


def _line(row: Row, named: Sequence[str], report: Report) -> _Line:
    status = None
    reason = f": {row.reason}" if row.reason else ""
    if not row.figures:
        expected = " (known)" if row.mark is Mark.EXPECTED else ""
        status = _Field(f"{row.status}{expected}{reason}", row.mark.symbol, "", _style(row.mark), row.issue)
    return _Line(
        labels=tuple(named),
        leads=row.leads,
        fields=tuple(_field(f) for f in row.figures),
        status=status,
        failed=f"{row.failed} of {row.n} failed{reason}" if row.failed and row.figures else "",
        command=command(row.cell, report, row.probe),
        cell=numbers.plain(row.cell.id),
    )


def _field(figure: Figure | None) -> _Field:
    if figure is None:
        return _Field("·", "", "", "none", "not measured")
    parts = [_spread(summary) for summary in figure.summaries[:_MOST_SHOWN]]
    parts += [f"{c.metric} against {c.baseline or 'truth'}: {evidence(c)}" for c in figure.comparisons[:_MOST_SHOWN]]
    title = "\n".join(numbers.plain(part) for part in parts if part)
    return _Field(figure.text, figure.mark.symbol, figure.delta, _style(figure.mark), title)


def _spread(summary: Summary) -> str:
    unit = summary.metric.unit
    if summary.low is None or summary.n < 2:
        return f"{summary.metric.name}, n={summary.n}"
    low, high = numbers.value(summary.low, unit), numbers.value(summary.high, unit)
    return f"{summary.metric.name}, n={summary.n}, {low} to {high}"


def evidence(comparison: Comparison) -> str:
    """What a verdict rests on, in one line.

    Verdict, effect, interval, p, adjusted p, n, class, reason.
    """
    found = comparison.evidence
    undecided = comparison.verdict is Verdict.INCONCLUSIVE
    parts = ["undecided" if undecided else str(comparison.verdict)]
    if found.effect is not None and not found.classification:
        parts.append(numbers.times(found.effect))
    if found.low is not None and found.high is not None:
        parts.append(f"interval {numbers.times(found.low)} to {numbers.times(found.high)}")
    if found.p is not None:
        parts.append(f"p={numbers.significant(found.p, 2)}")
    if found.p_adjusted is not None:
        parts.append(f"adjusted p={numbers.significant(found.p_adjusted, 2)}")
    parts += [f"n={found.n}"] if found.n else []
    parts += [found.classification] if found.classification else []
    parts += [f"about {found.rounds_needed} more runs needed"] if found.rounds_needed else []
    parts += [comparison.reason] if comparison.reason else []
    return numbers.plain(", ".join(parts))


def _evidence_row(comparison: Comparison) -> tuple[str, str, str, str, str]:
    shown = (comparison.probe, comparison.metric, comparison.baseline, comparison.candidate, evidence(comparison))
    probe, metric, baseline, candidate, rests_on = (numbers.plain(part) for part in shown)
    return probe, metric, baseline, candidate, rests_on
