"""What a report says, in sentences, worst first. One cause is one sentence, however many metrics or cells show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from runner.model import Cell, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.report import columns, figures
from runner.report.data import Report
from runner.report.table import Mark, cell_order, mark

_MOST_NAMED = 4


class Severity(IntEnum):
    """How bad a finding is; a smaller one is worse."""

    BROKEN = 0
    REGRESSED = 1
    FAILED = 2
    """A cell did not run, and there is no baseline that says whether it ever did."""
    FIXED = 3
    """A known failure is gone: the expectations file is out of date."""
    UNDECIDED = 4
    EXPECTED = 5
    IMPROVED = 6
    DIFFERENT = 7
    """Between frameworks or devices: no regression."""
    INCOMPARABLE = 8

    @property
    def mark(self) -> Mark:
        """The symbol the tables use for the same thing."""
        return {
            Severity.BROKEN: Mark.WORSE,
            Severity.REGRESSED: Mark.WORSE,
            Severity.FAILED: Mark.WORSE,
            Severity.FIXED: Mark.FIXED,
            Severity.UNDECIDED: Mark.UNDECIDED,
            Severity.EXPECTED: Mark.EXPECTED,
            Severity.IMPROVED: Mark.BETTER,
            Severity.DIFFERENT: Mark.DIFFERS,
            Severity.INCOMPARABLE: Mark.INCOMPARABLE,
        }[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, with the ids of the cells it is about."""

    severity: Severity
    text: str
    cells: tuple[str, ...]
    issue: str = ""
    weight: float = 0.0
    """Orders findings of one severity: the larger, the worse."""

    @property
    def sentence(self) -> str:
        """The text with the address of the known problem."""
        return f"{self.text}: {figures.plain(self.issue)}" if self.issue else self.text


_DOES_NOT = {
    Status.BUILD_FAILED: ("could not be built", "could not be built"),
    Status.IMPORT_FAILED: ("does not import", "do not import"),
    Status.UNSUPPORTED: ("does not support this", "do not support this"),
    Status.CRASHED: ("crashes", "crash"),
    Status.OOM: ("runs out of memory", "run out of memory"),
    Status.TIMEOUT: ("does not finish in time", "do not finish in time"),
    Status.BAD_OUTPUT: ("gives no usable result", "give no usable result"),
    Status.UNAVAILABLE: ("cannot run here", "cannot run here"),
    Status.SKIPPED: ("was skipped", "were skipped"),
}

_WEIGHTS = {"accuracy": 4, "numerics": 4, "trajectory": 3, "step": 2, "cpu": 1, "memory": 1}
"""Wrong before slow, slow before large."""
_WORKS = (("works", "work"), ("does", "do"))


def findings(report: Report) -> tuple[Finding, ...]:
    """All that a reader should know, worst first. Empty where every comparison came to ``same``."""
    known = _Known(report)
    found = [*_failures(report, known), *_changes(report, known), *_undecided(report), *_incomparable(report)]
    return tuple(sorted(found, key=lambda f: (f.severity, -f.weight, f.text)))


def not_measured(report: Report) -> tuple[str, ...]:
    """What was asked for and could not be measured, and why; cells with one reason share a line."""
    known = _Known(report, skipped=True)
    reasons: dict[tuple[str, str], dict[str, Cell]] = {}
    for skip in report.skips:
        reasons.setdefault((skip.status, figures.plain(skip.reason)), {})[skip.cell.id] = skip.cell
    for probe, cell, samples in _by_cell(report.samples):
        if all(s.status is not Status.OK for s in samples) and not _tells(samples[0].status):
            reason = f"{probe}: {figures.plain(samples[0].reason)}"
            reasons.setdefault((samples[0].status, reason), {})[cell.id] = cell
    return tuple(
        f"{known.names(cells.values())}: {status}: {reason}".removesuffix(": ")
        for (status, reason), cells in reasons.items()
    )


def _tells(status: Status) -> bool:
    """Whether a status is news about the cell. What a framework says it cannot do is none."""
    return status.about_cell and status is not Status.UNSUPPORTED


def _by_cell(samples: Iterable[Sample]) -> list[tuple[str, Cell, list[Sample]]]:
    grouped: dict[tuple[str, Cell], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.probe, sample.cell), []).append(sample)
    return [(probe, cell, group) for (probe, cell), group in grouped.items()]


class _Known:
    """Look-ups over one report: cells by id, metrics by name, and which axes need saying."""

    def __init__(self, report: Report, *, skipped: bool = False) -> None:
        self.cells: dict[str, Cell] = {s.cell.id: s.cell for s in report.samples}
        if skipped:
            self.cells.update({s.cell.id: s.cell for s in report.skips})
        self.metrics: dict[tuple[str, str], Metric] = {}
        self.status: dict[tuple[str, str], Comparison] = {}
        for sample in report.samples:
            for metric in sample.metrics:
                self.metrics.setdefault((sample.probe, metric.name), metric)
        for comparison in report.comparisons:
            if comparison.metric == "status":
                key = (comparison.probe, comparison.candidate)
                kept = self.status.get(key)
                if kept is None or _worse(comparison, kept):
                    self.status[key] = comparison
        values = self.cells.values()
        self.pythons = len({c.python for c in values}) > 1
        self.devices = len({c.device for c in values}) > 1
        self.probes = len({s.probe for s in report.samples}) > 1

    def name(self, cell: Cell | str) -> str:
        """A cell in words: ``torch 2.2.2 with keras 3.15.1``, and what else tells it from the others."""
        if isinstance(cell, str):
            found = self.cells.get(cell)
            if found is None:
                return figures.plain(cell)
            cell = found
        keras = f" with keras {cell.keras}" if cell.keras else " without Keras"
        more = (
            [f"Python {cell.python}"] * self.pythons
            + [cell.device] * self.devices
            + [cell.variant] * bool(cell.variant)
        )
        return figures.plain(f"{cell.framework} {cell.version}{keras}" + (f" ({', '.join(more)})" if more else ""))

    def names(self, cells: Iterable[Cell]) -> str:
        """Several cells in words, the ones past the fourth counted."""
        ordered = sorted(cells, key=lambda c: (c.framework, *cell_order(c)))
        named = [self.name(c) for c in ordered[:_MOST_NAMED]]
        if len(ordered) > _MOST_NAMED:
            named.append(f"{len(ordered) - _MOST_NAMED} more cells")
        return _and(named)

    def other(self, comparison: Comparison) -> str:
        """The baseline in words, as short as the axis allows: ``torch 2.2.2``, ``keras 3.11.3``."""
        cell = self.cells.get(comparison.baseline)
        if cell is None:
            return figures.plain(comparison.baseline)
        return figures.plain(
            {
                "version": f"{cell.framework} {cell.version}",
                "keras": f"keras {cell.keras}" if cell.keras else f"native {cell.framework}",
                "python": f"Python {cell.python}",
                "device": cell.device,
                "variant": cell.variant or "without it",
                "framework": f"{cell.framework} {cell.version}",
            }.get(comparison.axis, self.name(cell))
        )


def _worse(a: Comparison, b: Comparison) -> bool:
    order = [Verdict.BROKEN, Verdict.EXPECTED, Verdict.FIXED]
    rank = {v: i for i, v in enumerate(order)}
    return (rank.get(a.verdict, 9), not a.gates) < (rank.get(b.verdict, 9), not b.gates)


def _failures(report: Report, known: _Known) -> list[Finding]:
    """Cells that did not run, one finding per reason; with failures that are gone."""
    causes: dict[tuple[Severity, Status, str, str], dict[str, list[str]]] = {}
    baselines: dict[tuple[Severity, Status, str, str], dict[str, None]] = {}
    found = []
    for probe, cell, samples in _by_cell(report.samples):
        comparison = known.status.get((probe, cell.id))
        bad = [s for s in samples if s.status is not Status.OK]
        if comparison is not None and comparison.verdict is Verdict.FIXED:
            found.append(_fixed(comparison, known, probe))
        if not bad or (not _tells(bad[0].status) and mark(comparison) not in (Mark.WORSE, Mark.EXPECTED)):
            continue
        severity = _failure_severity(comparison)
        reason = figures.plain(bad[0].reason)
        if len(bad) < len(samples):
            reason = f"{len(bad)} of {len(samples)} processes: {reason}"
        key = (severity, bad[0].status, reason, comparison.issue if comparison else "")
        causes.setdefault(key, {}).setdefault(cell.id, []).append(probe)
        if comparison is not None and comparison.verdict in (Verdict.BROKEN, Verdict.EXPECTED) and comparison.baseline:
            baselines.setdefault(key, {})[known.other(comparison)] = None
    for key, cells in causes.items():
        severity, status, reason, issue = key
        probes = sorted({p for per_cell in cells.values() for p in per_cell})
        everywhere = status is Status.IMPORT_FAILED or not known.probes
        verb = _DOES_NOT[status][len(cells) > 1]
        where = "" if everywhere else f" in {_and(probes)}"
        others = list(baselines.get(key, {}))
        does = f" ({_and(others[:3])} {_WORKS[status is Status.IMPORT_FAILED][len(others) > 1]})" if others else ""
        text = f"{known.names(known.cells[c] for c in cells)} {verb}{where}: {reason or 'no reason given'}{does}"
        found.append(Finding(severity, _expected(text, severity), tuple(cells), issue, float(len(cells))))
    return found


def _failure_severity(comparison: Comparison | None) -> Severity:
    if comparison is not None and comparison.verdict is Verdict.EXPECTED:
        return Severity.EXPECTED
    if comparison is not None and comparison.verdict is Verdict.BROKEN and comparison.gates:
        return Severity.BROKEN
    return Severity.FAILED


def _expected(text: str, severity: Severity) -> str:
    return f"{text}. Expected" if severity is Severity.EXPECTED else text


def _fixed(comparison: Comparison, known: _Known, probe: str) -> Finding:
    name = known.name(comparison.candidate)
    if comparison.issue:
        text = f"{name} now works in {probe}, although a failure is expected; update the expectations"
        return Finding(Severity.FIXED, text, (comparison.candidate,), comparison.issue, 1.0)
    text = f"{name} works in {probe} where {known.other(comparison)} does not"
    return Finding(Severity.IMPROVED, text, (comparison.candidate,), "", 1.0)


def _changes(report: Report, known: _Known) -> list[Finding]:
    """Metrics that moved: those of one pair of cells, one cause and one direction are one finding."""
    grouped: dict[tuple[Severity, str, str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        severity = _change_severity(comparison)
        if severity is None or comparison.metric == "status":
            continue
        key = (severity, comparison.baseline, comparison.candidate, comparison.probe, columns.cause(comparison.metric))
        grouped.setdefault(key, []).append(comparison)
    return [_change(key[0], group, known) for key, group in grouped.items()]


def _change_severity(comparison: Comparison) -> Severity | None:
    drawn = mark(comparison)
    if drawn is Mark.DIFFERS:
        return Severity.DIFFERENT
    return {
        Verdict.REGRESSED: Severity.REGRESSED,
        Verdict.BROKEN: Severity.BROKEN,
        Verdict.EXPECTED: Severity.EXPECTED,
        Verdict.IMPROVED: Severity.IMPROVED,
        Verdict.FIXED: Severity.FIXED if comparison.issue else Severity.IMPROVED,
    }.get(comparison.verdict)


def _change(severity: Severity, group: Sequence[Comparison], known: _Known) -> Finding:
    lead = min(group, key=lambda c: _importance(c.metric))
    name = known.name(lead.candidate)
    where = f" ({lead.probe})" if known.probes else ""
    text = f"{name} {_moved(lead, known)}{where}"
    rest = [c for c in group if c is not lead]
    if rest:
        also = [f"{columns.label(c.metric)} {figures.change(c.evidence.effect)}" for c in rest if c.evidence.effect]
        if also:
            text += f"; with it {', '.join(also[:3])}"
        if len(also) > 3:
            text += f" and {len(also) - 3} more"
    if lead.packages:
        moved = [figures.plain(p) for p in lead.packages]
        more = f" and {len(moved) - _MOST_NAMED} more" if len(moved) > _MOST_NAMED else ""
        text += f"; also moved: {', '.join(moved[:_MOST_NAMED])}{more}"
    if severity is Severity.DIFFERENT:
        text += "; no regression, as they differ in " + lead.axis
    if severity is Severity.FIXED:
        text += "; a failure is expected here, update the expectations"
    size = min(999.0, max(abs(c.evidence.effect or 0.0) for c in group))
    weight = size + 1000.0 * _WEIGHTS.get(columns.cause(lead.metric).rpartition(":")[2], 0)
    return Finding(severity, _expected(text, severity), (lead.candidate,), lead.issue, weight)


def _importance(name: str) -> tuple[int, str]:
    found = columns.known(name)
    return (columns.KNOWN.index(found) if found else len(columns.KNOWN), name)


def _moved(comparison: Comparison, known: _Known) -> str:
    """The predicate: ``is 1.31× slower per step than torch 2.2.2 (n=5, 95 % interval 1.2–1.4)``."""
    metric = known.metrics.get((comparison.probe, comparison.metric))
    other = known.other(comparison)
    label = columns.label(comparison.metric)
    evidence = comparison.evidence
    if metric is None or metric.kind in (Kind.ERROR, Kind.EXACT, Kind.TRAJECTORY, Kind.INFO) or evidence.effect is None:
        detail = figures.plain(comparison.reason) or evidence.classification or comparison.verdict
        return f"differs from {other} in {label}: {detail}"
    if columns.percent(comparison.metric):
        return _percent_moved(comparison, label, other)
    known_words = columns.known(comparison.metric)
    more, less = (known_words.more, known_words.less) if known_words else ("", "")
    factor = figures.ratio(evidence.effect) if evidence.effect >= 0 else figures.ratio(1 / (1 + evidence.effect) - 1)
    words = more if evidence.effect >= 0 else less
    if not words:
        words = f"{'higher' if evidence.effect >= 0 else 'lower'} in {label}"
    return f"is {factor} {words} than {other}{_rests_on(comparison)}"


def _percent_moved(comparison: Comparison, label: str, other: str) -> str:
    """Accuracy is put as two figures: a ratio of percentages misleads."""
    before, after = comparison.baseline_value, comparison.candidate_value
    effect = comparison.evidence.effect or 0.0
    direction = "higher" if effect > 0 else "lower"
    shown = figures.change(effect)
    if isinstance(before, int | float) and isinstance(after, int | float):
        shown = f"{figures.value(after, percent=True)} against {figures.value(before, percent=True)}"
    n = f", n={comparison.evidence.n}" if comparison.evidence.n else ""
    return f"has {direction} {label} than {other} ({shown}{n})"


def _rests_on(comparison: Comparison) -> str:
    """n and the interval, in the direction in which the sentence puts the ratio."""
    evidence = comparison.evidence
    parts = [f"n={evidence.n}"] if evidence.n else []
    if evidence.low is not None and evidence.high is not None:
        ends = [1 + evidence.low, 1 + evidence.high]
        if (evidence.effect or 0.0) < 0 < min(ends):
            ends = [1 / ends[1], 1 / ends[0]]
        parts.append(f"95 % interval {figures.significant(ends[0])}–{figures.significant(ends[1])}")
    return f" ({', '.join(parts)})" if parts else ""


def _undecided(report: Report) -> list[Finding]:
    """One finding per probe: how many comparisons are open, and what it would take."""
    found = []
    for probe in dict.fromkeys(c.probe for c in report.comparisons):
        mine = [c for c in report.comparisons if c.probe == probe and c.metric != "status"]
        undecided = [c for c in mine if c.verdict is Verdict.INCONCLUSIVE]
        if not undecided:
            continue
        judged = [c for c in mine if c.verdict not in (Verdict.NO_BASELINE, Verdict.NOT_COMPARABLE)]
        labels = list(dict.fromkeys(columns.label(c.metric) for c in undecided))
        shown = ", ".join(labels[:_MOST_NAMED]) + (" and others" if len(labels) > _MOST_NAMED else "")
        verb = "is" if len(undecided) == 1 else "are"
        text = f"{probe}: {len(undecided)} of {len(judged)} comparisons {verb} undecided ({shown})"
        needed = [c.evidence.rounds_needed for c in undecided if c.evidence.rounds_needed]
        if needed:
            low, high = min(needed), max(needed)
            text += f"; about {low if low == high else f'{low} to {high}'} more rounds would decide"
        found.append(Finding(Severity.UNDECIDED, text, tuple(dict.fromkeys(c.candidate for c in undecided))))
    return found


def _incomparable(report: Report) -> list[Finding]:
    """One finding per reason for which cells cannot be compared."""
    reasons: dict[str, dict[str, None]] = {}
    for comparison in report.comparisons:
        if comparison.verdict is Verdict.NOT_COMPARABLE:
            reasons.setdefault(figures.plain(comparison.reason), {})[comparison.candidate] = None
    return [
        Finding(
            Severity.INCOMPARABLE,
            f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} not comparable with the baseline: {reason}",
            tuple(cells),
        )
        for reason, cells in reasons.items()
    ]


def _and(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
