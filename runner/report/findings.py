"""Says in sentences what a report found, worst first.

One cause is one sentence, however many metrics or cells show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.model import Cell, Comparison, Sample, Status, Verdict
from runner.report import columns, numbers
from runner.report.data import Finding, Report, Severity
from runner.report.marks import Mark, mark
from runner.report.words import Words, both, listed

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
"""One cell, several cells."""

_WEIGHTS = {"outcome": 5, "accuracy": 4, "numerics": 4, "trajectory": 3, "step": 2, "cpu": 1, "memory": 1}
"""Wrong before slow, slow before large."""


def findings(report: Report) -> tuple[Finding, ...]:
    """All that a reader should know, worst first.

    Empty where every comparison is ``same``.
    """
    words = Words(report)
    found = [
        *report.extra,
        *_failures(report, words),
        *_gone(report, words),
        *_changes(report, words),
        *_differences(report, words),
        *_undecided(report),
        *_unsteady(report, words),
        *_incomparable(report),
    ]
    return tuple(sorted(found, key=lambda f: (f.severity, -f.weight, f.text)))


def not_measured(report: Report) -> tuple[str, ...]:
    """What could not be measured, and why; cells with one reason share a line."""
    words = Words(report, skipped=True)
    reasons: dict[tuple[str, str], dict[str, Cell]] = {}
    probes: dict[tuple[str, str], dict[str, None]] = {}
    for skip in report.skips:
        reasons.setdefault((skip.status, numbers.plain(skip.reason)), {})[skip.cell.id] = skip.cell
    for probe, cell, samples in _by_cell(report.samples):
        failed = [s for s in samples if s.status is not Status.OK]
        if failed and not any(_tells(s.status) for s in failed):
            part = "" if len(failed) == len(samples) else f"{len(failed)} of {len(samples)} processes: "
            key = (failed[0].status, f"{part}{numbers.plain(failed[0].reason)}")
            reasons.setdefault(key, {})[cell.id] = cell
            probes.setdefault(key, {})[numbers.plain(probe)] = None
    return tuple(
        ": ".join(
            part for part in (words.names(cells.values()), key[0], both(list(probes.get(key, ()))), key[1]) if part
        )
        for key, cells in reasons.items()
    )


def none_found(report: Report) -> str:
    """The line that is printed where there are no findings."""
    compared = any(
        c.baseline and c.verdict not in (Verdict.NOT_COMPARABLE, Verdict.NO_BASELINE) for c in report.comparisons
    )
    return "None: no difference was found." if compared else "None: nothing could be compared."


def last_lines(report: Report, found: Sequence[Finding], most: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Where processes failed, and the last ``most`` lines that each printed.

    There is one process for each finding about a failure. Failures that are expected are left out; their logs are
    known.
    """
    wanted = [f.cells[0] for f in found if f.severity in (Severity.BROKEN, Severity.FAILED) and f.cells]
    shown: dict[str, tuple[str, ...]] = {}
    for cell_id in dict.fromkeys(wanted):
        failed = (s for s in report.samples if s.cell.id == cell_id and s.status is not Status.OK and s.log.strip())
        for sample in failed:
            log = tuple(numbers.plain(line, indent=True) for line in sample.log.rstrip().splitlines()[-most:])
            shown.setdefault(f"{numbers.plain(cell_id)}, {numbers.plain(sample.probe)}", log)
            break
    return tuple(shown.items())


def _tells(status: Status) -> bool:
    """Whether a status is news about the cell.

    What a framework reports as unsupported is not news.
    """
    return status.about_cell and status is not Status.UNSUPPORTED


def _by_cell(samples: Iterable[Sample]) -> list[tuple[str, Cell, list[Sample]]]:
    grouped: dict[tuple[str, Cell], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.probe, sample.cell), []).append(sample)
    return [(probe, cell, group) for (probe, cell), group in grouped.items()]


# --- cells that do not run -------------------------------------------------------------------------------------------


def _failures(report: Report, words: Words) -> list[Finding]:
    """Cells that did not run, one finding per reason."""
    statuses = _statuses(report)
    causes: dict[tuple[Severity, Status, str, str], list[tuple[str, str]]] = {}
    for probe, cell, samples in _by_cell(report.samples):
        comparison = statuses.get((probe, cell.id))
        bad = [s for s in samples if s.status is not Status.OK]
        if not bad or (not _tells(bad[0].status) and mark(comparison) not in (Mark.WORSE, Mark.EXPECTED)):
            continue
        reason = numbers.plain(bad[0].reason) or "no reason given"
        if len(bad) < len(samples):
            reason = f"{len(bad)} of {len(samples)} processes: {reason}"
        key = (_failure_severity(comparison), bad[0].status, reason, comparison.issue if comparison else "")
        causes.setdefault(key, []).append((cell.id, probe))
    return [_failure(*key, shown, statuses, words) for key, shown in causes.items()]


def _statuses(report: Report) -> dict[tuple[str, str], Comparison]:
    """The comparison that says most about whether a cell runs, by probe and cell."""
    order = {Verdict.BROKEN: 0, Verdict.EXPECTED: 1, Verdict.FIXED: 2}
    chosen: dict[tuple[str, str], Comparison] = {}
    for comparison in report.comparisons:
        if comparison.metric == "status":
            kept = chosen.setdefault((comparison.probe, comparison.candidate), comparison)
            if order.get(comparison.verdict, 9) < order.get(kept.verdict, 9):
                chosen[comparison.probe, comparison.candidate] = comparison
    return chosen


def _failure_severity(comparison: Comparison | None) -> Severity:
    if comparison is not None and comparison.verdict is Verdict.EXPECTED:
        return Severity.EXPECTED
    if comparison is not None and comparison.verdict is Verdict.BROKEN and comparison.gates:
        return Severity.BROKEN
    return Severity.FAILED


def _failure(
    severity: Severity,
    status: Status,
    reason: str,
    issue: str,
    shown: Sequence[tuple[str, str]],
    statuses: dict[tuple[str, str], Comparison],
    words: Words,
) -> Finding:
    cells = list(dict.fromkeys(cell_id for cell_id, _ in shown))
    probes = sorted({numbers.plain(probe) for _, probe in shown})
    compared = [statuses[probe, cell_id] for cell_id, probe in shown if (probe, cell_id) in statuses]
    ran = [c for c in compared if c.baseline and c.baseline_value in (None, Status.OK)]
    others = list(dict.fromkeys(words.baseline(c) for c in ran if c.verdict in (Verdict.BROKEN, Verdict.EXPECTED)))
    does = (("works", "work"), ("does", "do"))[status is Status.IMPORT_FAILED][len(others) > 1]
    works = f" ({both(others[:3])} {does})" if others else ""
    where = f" in {both(probes)}" if words.probes and status is not Status.IMPORT_FAILED else ""
    verb = _DOES_NOT[status][len(cells) > 1]
    text = f"{words.names(words.cells[c] for c in cells)} {verb}{where}: {reason}{works}"
    return Finding(severity, _expected(text, severity), tuple(cells), issue, float(len(cells)))


def _expected(text: str, severity: Severity) -> str:
    return f"{text}. Expected" if severity is Severity.EXPECTED else text


def _gone(report: Report, words: Words) -> list[Finding]:
    """Cells that run where the baseline, or what is expected, does not."""
    shown: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.metric == "status" and comparison.verdict is Verdict.FIXED:
            key = (comparison.candidate, comparison.issue, comparison.baseline)
            shown.setdefault(key, []).append(comparison)
    found = []
    for (candidate, issue, _), group in shown.items():
        probes = both([numbers.plain(c.probe) for c in group])
        if issue:
            text = f"{words.name(candidate)} runs {probes}, although a failure is expected; update the expectations"
            found.append(Finding(Severity.FIXED, text, (candidate,), issue, 1.0))
        else:
            text = f"{words.name(candidate)} runs {probes}, which {words.baseline(group[0])} does not"
            found.append(Finding(Severity.IMPROVED, text, (candidate,), "", 1.0))
    return found


# --- figures that moved ----------------------------------------------------------------------------------------------

_SEVERITIES = {
    Verdict.REGRESSED: Severity.REGRESSED,
    Verdict.BROKEN: Severity.BROKEN,
    Verdict.EXPECTED: Severity.EXPECTED,
    Verdict.IMPROVED: Severity.IMPROVED,
}


def _severity(comparison: Comparison) -> Severity | None:
    """How bad a judged metric is; None where there is nothing to say about it here."""
    if comparison.metric == "status" or mark(comparison) is Mark.DIFFERS:
        return None
    if comparison.verdict is Verdict.FIXED:
        return Severity.FIXED if comparison.issue else Severity.IMPROVED
    return _SEVERITIES.get(comparison.verdict)


def _changes(report: Report, words: Words) -> list[Finding]:
    """Findings about metrics that moved.

    Those of one pair of cells, one probe, one cause and one direction are one finding.
    """
    grouped: dict[tuple[Severity, str, str, str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        severity = _severity(comparison)
        if severity is not None:
            cause = columns.cause(comparison.metric)
            where = (comparison.baseline, comparison.candidate, comparison.probe)
            grouped.setdefault((severity, *where, cause, comparison.issue), []).append(comparison)
    return [_change(key[0], group, words) for key, group in grouped.items()]


def _change(severity: Severity, group: Sequence[Comparison], words: Words) -> Finding:
    lead = min(group, key=_importance)
    text = f"{words.name(lead.candidate)} {words.moved(lead)}{words.where(lead.probe)}"
    rest = [words.short(c) for c in group if c is not lead]
    if rest:
        text += f"; with it {listed(rest, 3)}"
    if lead.packages:
        text += f"; also moved: {listed([numbers.plain(p) for p in lead.packages])}"
    if severity is Severity.FIXED:
        text += "; a regression is expected here, update the expectations"
    size = min(999.0, max(abs(c.evidence.effect or 0.0) for c in group))
    weight = size + 1000.0 * _WEIGHTS.get(columns.cause(lead.metric), 0)
    return Finding(severity, _expected(text, severity), (lead.candidate,), lead.issue, weight)


def _importance(comparison: Comparison) -> tuple[int, float]:
    """Sort key: the best known figure first, of those the one that moved most.

    A finding is named after the first.
    """
    found = columns.known(comparison.metric)
    place = columns.KNOWN.index(found) if found else len(columns.KNOWN)
    return (place, -abs(comparison.evidence.effect or 0.0))


def _differences(report: Report, words: Words) -> list[Finding]:
    """Findings about differences between frameworks or devices.

    They are not regressions. There is one per pair of cells and probe.
    """
    grouped: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        if mark(comparison) is Mark.DIFFERS and not words.is_digest(comparison):
            key = (comparison.baseline, comparison.candidate, comparison.probe)
            grouped.setdefault(key, []).append(comparison)
    found = []
    for (_, candidate, probe), group in grouped.items():
        ordered = sorted(group, key=_importance)
        shown = listed([words.short(c) for c in ordered])
        text = (
            f"{words.name(candidate)} against {words.baseline(ordered[0])}{words.where(probe)}: {shown}; "
            f"no regression, as they differ in {ordered[0].axis}"
        )
        found.append(Finding(Severity.DIFFERENT, text, (candidate,)))
    return found


# --- what was not decided --------------------------------------------------------------------------------------------


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
        verb = "is" if len(undecided) == 1 else "are"
        text = (
            f"{numbers.plain(probe)}: {len(undecided)} of {len(judged)} comparisons {verb} undecided ({listed(labels)})"
        )
        needed = [c.evidence.n + c.evidence.rounds_needed for c in undecided if c.evidence.rounds_needed]
        if needed:
            text += f"; about {max(needed)} rounds in all would decide (--max-rounds {max(needed)})"
        hopeless = {numbers.plain(c.reason) for c in undecided if not c.evidence.rounds_needed and c.reason}
        if len(hopeless) == 1:
            text += f"; {'the others' if needed else 'all of them'}: {hopeless.pop()}"
        found.append(Finding(Severity.UNDECIDED, text, tuple(dict.fromkeys(c.candidate for c in undecided))))
    return found


def _unsteady(report: Report, words: Words) -> list[Finding]:
    """Findings about cells that disagree with themselves, whatever the version."""
    grouped: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.verdict is Verdict.NOT_COMPARABLE and comparison.evidence.classification == "nondeterministic":
            grouped.setdefault((comparison.candidate, comparison.probe), []).append(comparison)
    found = []
    for (candidate, probe), group in grouped.items():
        labels = listed(list(dict.fromkeys(columns.label(c.metric) for c in group)))
        against = f" and {words.baseline(group[0])}" if group[0].baseline else ""
        text = (
            f"{words.name(candidate)}{against} cannot be compared in {labels}{words.where(probe)}, "
            f"as repeated runs disagree: {numbers.plain(group[0].reason)}"
        )
        found.append(Finding(Severity.INCOMPARABLE, text, (candidate,), weight=1.0))
    return found


def _incomparable(report: Report) -> list[Finding]:
    """One finding per reason for which figures cannot be compared."""
    reasons: dict[str, list[Comparison]] = {}
    for comparison in report.comparisons:
        unsteady = comparison.evidence.classification == "nondeterministic"
        if comparison.verdict is Verdict.NOT_COMPARABLE and comparison.metric != "status" and not unsteady:
            reasons.setdefault(numbers.plain(comparison.reason), []).append(comparison)
    found = []
    for reason, group in reasons.items():
        cells = tuple(dict.fromkeys(c.candidate for c in group))
        labels = listed(list(dict.fromkeys(columns.label(c.metric) for c in group)))
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        text = f"{count} not comparable with the baseline in {labels}: {reason}"
        found.append(Finding(Severity.INCOMPARABLE, text, cells))
    return found
