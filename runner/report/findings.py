"""Says in sentences what a report found, worst first.

One cause is one sentence, however many metrics or cells show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.model import AXIS, Comparison, Kind, Verdict
from runner.report import advice, columns, keys, numbers
from runner.report.data import Finding, Report, Severity, undecided_of
from runner.report.failures import failures, gone
from runner.report.marks import Mark, mark
from runner.report.shifts import shifts
from runner.report.summary import Summary
from runner.report.words import Words, listed

_WEIGHTS = {"accuracy": 6, "outcome": 5, "numerics": 4, "trajectory": 3, "step": 2, "cpu": 1, "memory": 1}
"""Wrong before slow, slow before large."""


def findings(report: Report) -> tuple[Finding, ...]:
    """All that a reader should know, worst first.

    Empty where every comparison is ``same``.
    """
    words = Words(report)
    found = [
        *(_extra(finding, report) for finding in report.extra),
        *failures(report, words),
        *gone(report, words),
        *_changes(report, words),
        *_differences(report, words),
        *_undecided(report),
        *shifts(report, words),
        *_unsteady(report, words),
        *_incomparable(report),
    ]
    if report.past is not None:
        found = [replace(finding, since=report.past.since(finding.key)) for finding in found]
    if report.explained:
        found = [_explained(finding, report) for finding in found]
    return tuple(sorted(found, key=lambda f: (f.severity, -f.weight, f.text)))


def _extra(finding: Finding, report: Report) -> Finding:
    """The finding with the command that finds its cause."""
    command = advice.bisection(report, finding.bisection) if finding.bisection else ""
    commands = (*finding.commands, command) if command else finding.commands
    return replace(finding, text=numbers.plain(finding.text), commands=commands)


def _explained(finding: Finding, report: Report) -> Finding:
    """The finding with what its bisection found."""
    told = [numbers.plain(report.explained[line]) for line in finding.commands if line in report.explained]
    return replace(finding, details=(*finding.details, *told))


def none_found(report: Report) -> str:
    """The line that is printed where there are no findings."""
    compared = any(
        c.baseline and c.verdict not in (Verdict.NOT_COMPARABLE, Verdict.NO_BASELINE) for c in report.comparisons
    )
    return "None: no difference was found." if compared else "None: nothing could be compared."


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

    Those of one cell, one probe, one cause and one direction are one finding, whatever the cell is compared with.
    """
    grouped: dict[tuple[Severity, str, str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        severity = _severity(comparison)
        if severity is None or report.rebounds(comparison):
            continue
        cause = columns.cause(comparison.metric)
        key = (severity, comparison.candidate, comparison.probe, cause, comparison.issue)
        grouped.setdefault(key, []).append(comparison)
    return [_change(key[0], group, report, words) for key, group in grouped.items()]


def _change(severity: Severity, group: Sequence[Comparison], report: Report, words: Words) -> Finding:
    lead = min(group, key=_importance)
    others = _others(lead, report)
    text = f"{words.name(lead.candidate)} {words.moved(lead)}{_neighbours(lead, others, report, words)}"
    text += words.where(lead.probe)
    if severity is Severity.FIXED:
        text += "; a regression is expected here, update the expectations"
    size = min(999.0, max(abs(c.evidence.effect or 0.0) for c in group))
    weight = size + 1000.0 * _WEIGHTS.get(columns.cause(lead.metric), 0)
    commands: tuple[str, ...] = ()
    if severity in (Severity.REGRESSED, Severity.BROKEN):
        kind = words.kind(lead)
        commands = advice.next_commands(report, lead, report.cells, [report.cells[o] for o in others], kind)
    details = _details(group, lead, report, words)
    better = severity in (Severity.IMPROVED, Severity.FIXED)
    about = (lead.probe, columns.cause(lead.metric), "better" if better else "worse")
    return Finding(
        severity,
        text,
        (lead.candidate,),
        lead.issue,
        weight,
        details,
        commands,
        key=keys.key("figure", lead.candidate, *about),
        kin=keys.key("figure", *about),
        probes=(lead.probe,),
        release=keys.first_release(lead, report.cells),
    )


def _details(group: Sequence[Comparison], lead: Comparison, report: Report, words: Words) -> tuple[str, ...]:
    """The figures behind a finding, the controlled training, and what else moved."""
    found = [words.rests_on(lead), _controlled(lead, report, words)]
    also = [c for c in group if c is not lead and c.metric == lead.metric]
    found += [f"Against {words.baseline(c)}: {words.short(c)}." for c in also if c.baseline != lead.baseline]
    rest = [words.short(c) for c in group if c.baseline == lead.baseline and c is not lead]
    found += [f"With it: {listed(rest, 3)}."] if rest else []
    if lead.packages and lead.axis not in ("framework", "device"):
        named = [numbers.plain(p) for p in lead.packages]
        many = f"{len(named)} other packages differ too (--format json has them)."
        found.append(many if len(named) > _MOST_PACKAGES else f"Other packages that differ: {', '.join(named)}.")
    return tuple(text for text in found if text)


def _others(lead: Comparison, report: Report) -> list[str]:
    """The cells that do not have the fault, the baseline first.

    They differ from the candidate in its framework, its version or its Keras alone.
    """
    candidate = report.cells.get(lead.candidate)
    found = [lead.baseline] if lead.baseline in report.cells else []
    for cell_id in report.near(candidate) if candidate else ():
        runs = cell_id != lead.baseline and _summary(report, lead, cell_id)
        if runs and not report.worse(lead.probe, lead.metric, cell_id):
            found.append(cell_id)
    return found


def _summary(report: Report, lead: Comparison, cell_id: str) -> Summary | None:
    """The metric of the comparison in another cell, or None."""
    return report.summaries[lead.probe].get(report.cells[cell_id], {}).get(lead.metric)


_MOST_NEIGHBOURS = 3
_MOST_PACKAGES = 6
"""Of a longer list only the number is printed: it hides a cause rather than naming it."""


def _neighbours(lead: Comparison, others: Sequence[str], report: Report, words: Words) -> str:
    """What other cells reach: ``, jax 0.10.2 99.10 %, torch 2.15.0 99.35 %``."""
    kind = words.kind(lead)
    candidate = report.cells.get(lead.candidate)
    if kind not in (Kind.SEEDED, Kind.TIMING) or candidate is None or not lead.baseline:
        return ""
    told = []
    for cell_id in others:
        cell = report.cells[cell_id]
        if cell_id == lead.baseline or (kind is Kind.TIMING and cell.framework != candidate.framework):
            continue
        summary = _summary(report, lead, cell_id)
        if summary is None or summary.median is None:
            continue
        shown = numbers.value(summary.shown, summary.metric.unit, percent=columns.percent(lead.metric))
        axis = "keras" if cell.version == candidate.version and cell.framework == candidate.framework else "version"
        told.append(f"{numbers.plain(AXIS[axis].in_sentence(cell))} {shown}")
    more = f" and {len(told) - _MOST_NEIGHBOURS} more like it" if len(told) > _MOST_NEIGHBOURS else ""
    return "".join(f", {one}" for one in told[:_MOST_NEIGHBOURS]) + more


_CONTROLLED = "controlled.loss_per_step"


def _controlled(lead: Comparison, report: Report, words: Words) -> str:
    """What the training from equal weights and batches says about a worse accuracy."""
    if columns.cause(lead.metric) != "accuracy" or lead.verdict is not Verdict.REGRESSED:
        return ""
    told = report.judged.get((lead.probe, _CONTROLLED, lead.candidate), ())
    found = next((c for c in told if c.baseline == lead.baseline), None)
    if found is None:
        return ""
    other = words.baseline(found)
    steps = found.evidence.steps
    start = "From equal weights and batches, without dropout, it"
    if found.verdict is Verdict.SAME:
        how_long = f"for {steps} steps" if steps else "in every step"
        suspects = "Suspect dropout, initial weights or the order of the data."
        return f"{start} follows {other} {how_long}: not the arithmetic. {suspects}"
    if found.verdict is Verdict.REGRESSED:
        at = f"after {steps} steps" if steps else "at the first step"
        return f"{start} leaves {other} {at}: the arithmetic differs."
    return ""


def _importance(comparison: Comparison) -> tuple[int, bool, float]:
    """Sort key: the best known figure first, of those the one that moved most.

    A comparison within one framework comes before one between two. A finding is named after the first.
    """
    found = columns.known(comparison.metric)
    place = columns.KNOWN.index(found) if found else len(columns.KNOWN)
    return (place, comparison.axis == "framework", -abs(comparison.evidence.effect or 0.0))


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
    for (baseline, candidate, probe), group in grouped.items():
        lead, *rest = sorted(group, key=_importance)
        text = f"{words.name(candidate)} {words.moved(lead)}{words.where(probe)}"
        details = [words.rests_on(lead), f"With it: {listed([words.short(c) for c in rest])}." if rest else ""]
        size = abs(lead.evidence.effect or 0.0)
        found.append(
            Finding(
                Severity.DIFFERENT,
                text,
                (candidate,),
                "",
                min(999.0, size),
                tuple(d for d in details if d),
                key=keys.key("differs", baseline, candidate, probe),
                probes=(probe,),
            )
        )
    return found


# --- what was not decided --------------------------------------------------------------------------------------------


def _undecided(report: Report) -> list[Finding]:
    """One finding: how many comparisons are open, and what it would take.

    Where a probe has headline figures, only those count.
    """
    undecided, judged = undecided_of(report)
    if not undecided:
        return []
    labels = list(dict.fromkeys(columns.label(c.metric) for c in undecided))
    figures = "figure" if len(judged) == 1 else "figures"
    text = f"{len(undecided)} of {len(judged)} compared {figures}: {listed(labels)}"
    needed = [c.evidence.rounds_needed for c in undecided if c.evidence.rounds_needed]
    if needed:
        least, most = min(needed), max(needed)
        count = f"{least} to {most}" if least < most else f"{most}"
        text += f"; about {count} more {'run' if most == 1 else 'runs'} of each would decide"
        text += "" if len(needed) == len(undecided) else f" {len(needed)} of them"
    stuck = {numbers.plain(c.reason) for c in undecided if not c.evidence.rounds_needed and _is_flaw(c.reason)}
    if len(stuck) == 1:
        text += f"; {'the others' if needed else 'all of them'}: {stuck.pop()}"
    cells = tuple(dict.fromkeys(c.candidate for c in undecided))
    given = advice.report_words(report)
    limited = {"--rounds", "--max-rounds", "--budget"} & set(given)
    commands = (advice.line("matrix", report, [*given, "--budget", _BUDGET]),) if needed and not limited else ()
    return [Finding(Severity.UNDECIDED, text, cells, commands=commands)]


_BUDGET = "30m"


def _is_flaw(reason: str) -> bool:
    """Whether a reason is about how figures were measured: it has no figure."""
    return bool(reason) and not any(character.isdigit() for character in reason)


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
        key = keys.key("unsteady", candidate, probe)
        found.append(Finding(Severity.INCOMPARABLE, text, (candidate,), weight=1.0, key=key, probes=(probe,)))
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
        labels = listed(list(dict.fromkeys(numbers.plain(columns.label(c.metric)) for c in group)))
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        text = f"{count} not comparable with the baseline in {labels}: {reason}"
        found.append(Finding(Severity.INCOMPARABLE, text, cells))
    return found
