"""Says in sentences what a report found, worst first.

One cause is one sentence, however many metrics or cells show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from runner.matrix import probes
from runner.model import AXIS, CONDITIONS, Cell, Comparison, Kind, Sample, Status, Verdict
from runner.report import advice, columns, numbers
from runner.report.data import Finding, Report, Severity
from runner.report.marks import Mark, mark
from runner.report.summary import Summary
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

_WEIGHTS = {"accuracy": 6, "outcome": 5, "numerics": 4, "trajectory": 3, "step": 2, "cpu": 1, "memory": 1}
"""Wrong before slow, slow before large."""


def findings(report: Report) -> tuple[Finding, ...]:
    """All that a reader should know, worst first.

    Empty where every comparison is ``same``.
    """
    words = Words(report)
    seen = _Seen(report)
    found = [
        *(replace(finding, text=numbers.plain(finding.text)) for finding in report.extra),
        *_failures(seen, words),
        *_gone(report, words),
        *_changes(seen, words),
        *_differences(seen, words),
        *_undecided(report),
        *_unsteady(report, words),
        *_incomparable(report),
    ]
    return tuple(sorted(found, key=lambda f: (f.severity, -f.weight, f.text)))


@dataclass(frozen=True)
class _Seen:
    """A report with what findings look up again and again."""

    report: Report

    @property
    def cells(self) -> dict[str, Cell]:
        """The measured cells by id."""
        return self.report.cells

    @cached_property
    def _alike(self) -> dict[tuple[str | None, ...], list[str]]:
        """The ids of the cells by all but framework and version, and by all but Keras."""
        found: dict[tuple[str | None, ...], list[str]] = {}
        for cell_id, cell in self.cells.items():
            for key in _relations(cell):
                found.setdefault(key, []).append(cell_id)
        return found

    def near(self, cell: Cell) -> list[str]:
        """The other cells that differ in framework or version, or in Keras alone."""
        found = dict.fromkeys(other for key in _relations(cell) for other in self._alike.get(key, ()))
        return [other for other in found if other != cell.id]

    @cached_property
    def judged(self) -> dict[tuple[str, str, str], list[Comparison]]:
        """The comparisons by probe, metric and candidate."""
        found: dict[tuple[str, str, str], list[Comparison]] = {}
        for comparison in self.report.comparisons:
            found.setdefault((comparison.probe, comparison.metric, comparison.candidate), []).append(comparison)
        return found

    def summary(self, probe: str, cell_id: str, metric: str) -> Summary | None:
        """One metric of one cell over its runs, or None."""
        return self.report.summaries[probe].get(self.cells[cell_id], {}).get(metric)

    def worse(self, probe: str, metric: str, cell_id: str) -> bool:
        """Whether the cell is worse than one of its baselines in the metric."""
        return any(c.verdict is Verdict.REGRESSED for c in self.judged.get((probe, metric, cell_id), ()))


def _relations(cell: Cell) -> tuple[tuple[str | None, ...], ...]:
    """What a cell shares with other releases, and with those of another Keras."""
    shared = tuple(cell.values[axis.name] for axis in CONDITIONS)
    return ("keras", cell.keras, *shared), ("framework", cell.framework, cell.version, *shared)


def not_measured(report: Report) -> tuple[str, ...]:
    """What could not be measured, and why; cells with one reason share a line."""
    words = Words(report, skipped=True)
    reasons: dict[tuple[str, str], dict[str, Cell]] = {}
    probes: dict[tuple[str, str], dict[str, None]] = {}
    for skip in report.skips:
        reasons.setdefault((skip.status, numbers.plain(skip.reason)), {})[skip.cell.id] = skip.cell
    for probe, cell, samples in _by_cell(report):
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
    failed: dict[str, Sample] = {}
    for one in report.samples:
        if one.status is not Status.OK and one.log.strip():
            failed.setdefault(one.cell.id, one)
    for cell_id in dict.fromkeys(wanted):
        if sample := failed.get(cell_id):
            log = tuple(numbers.plain(line, indent=True) for line in sample.log.rstrip().splitlines()[-most:])
            shown.setdefault(f"{numbers.plain(cell_id)}, {numbers.plain(sample.probe)}", log)
    return tuple(shown.items())


def _tells(status: Status) -> bool:
    """Whether a status is news about the cell.

    What a framework reports as unsupported is not news.
    """
    return status.about_cell and status is not Status.UNSUPPORTED


def _by_cell(report: Report) -> list[tuple[str, Cell, list[Sample]]]:
    pairs = dict.fromkeys((sample.probe, sample.cell) for sample in report.samples)
    return [(probe, cell, report.by_probe[probe][cell]) for probe, cell in pairs]


# --- cells that do not run -------------------------------------------------------------------------------------------


def _failures(seen: _Seen, words: Words) -> list[Finding]:
    """Cells that did not run, one finding per reason."""
    statuses = _statuses(seen.report)
    causes: dict[tuple[Severity, Status, str, str], list[tuple[str, str]]] = {}
    for probe, cell, samples in _by_cell(seen.report):
        comparison = statuses.get((probe, cell.id))
        bad = [s for s in samples if s.status is not Status.OK]
        if not bad or (not _tells(bad[0].status) and mark(comparison) not in (Mark.WORSE, Mark.EXPECTED)):
            continue
        reason = numbers.plain(bad[0].reason) or "no reason given"
        if len(bad) < len(samples):
            reason = f"{len(bad)} of {len(samples)} processes: {reason}"
        key = (_failure_severity(comparison), bad[0].status, reason, comparison.issue if comparison else "")
        causes.setdefault(key, []).append((cell.id, probe))
    return [_failure(*key, shown, statuses, seen, words) for key, shown in causes.items()]


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
    seen: _Seen,
    words: Words,
) -> Finding:
    cells = list(dict.fromkeys(cell_id for cell_id, _ in shown))
    probes_ = sorted({numbers.plain(probe) for _, probe in shown})
    compared = [statuses[probe, cell_id] for cell_id, probe in shown if (probe, cell_id) in statuses]
    ran = [c for c in compared if c.baseline and c.baseline_value in (None, Status.OK)]
    ran = [c for c in ran if c.verdict in (Verdict.BROKEN, Verdict.EXPECTED)]
    others = list(dict.fromkeys(words.baseline(c) for c in ran))
    does = (("works", "work"), ("does", "do"))[status is Status.IMPORT_FAILED][len(others) > 1]
    works = f" ({both(others[:3])} {does})" if others else ""
    where = f" in {both(probes_)}" if words.probes and status is not Status.IMPORT_FAILED else ""
    verb = _DOES_NOT[status][len(cells) > 1]
    text = f"{words.names(words.cells[c] for c in cells)} {verb}{where}{works}: {reason}"
    commands: tuple[str, ...] = ()
    if severity in (Severity.BROKEN, Severity.FAILED):
        probe, lead = shown[0][1], cells[0]
        asked = statuses.get((probe, lead)) or Comparison("", lead, "", probe, "status", Verdict.BROKEN, "")
        better = [seen.cells[c.baseline] for c in ran if c.candidate == lead and c.baseline in seen.cells]
        commands = advice.next_commands(seen.report, asked, seen.cells, better, None)
    return Finding(severity, text, tuple(cells), issue, float(len(cells)), commands=commands)


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


def _changes(seen: _Seen, words: Words) -> list[Finding]:
    """Findings about metrics that moved.

    Those of one cell, one probe, one cause and one direction are one finding, whatever the cell is compared with.
    """
    grouped: dict[tuple[Severity, str, str, str, str], list[Comparison]] = {}
    for comparison in seen.report.comparisons:
        severity = _severity(comparison)
        if severity is None or (severity is Severity.IMPROVED and _rebound(comparison, seen)):
            continue
        cause = columns.cause(comparison.metric)
        key = (severity, comparison.candidate, comparison.probe, cause, comparison.issue)
        grouped.setdefault(key, []).append(comparison)
    return [_change(key[0], group, seen, words) for key, group in grouped.items()]


def _rebound(comparison: Comparison, seen: _Seen) -> bool:
    """Whether the baseline is the one that is worse.

    The finding about it names this cell as well.
    """
    return seen.worse(comparison.probe, comparison.metric, comparison.baseline)


def _change(severity: Severity, group: Sequence[Comparison], seen: _Seen, words: Words) -> Finding:
    lead = min(group, key=_importance)
    others = _others(lead, seen)
    text = f"{words.name(lead.candidate)} {words.moved(lead)}{_neighbours(lead, others, seen, words)}"
    text += words.where(lead.probe)
    if severity is Severity.FIXED:
        text += "; a regression is expected here, update the expectations"
    size = min(999.0, max(abs(c.evidence.effect or 0.0) for c in group))
    weight = size + 1000.0 * _WEIGHTS.get(columns.cause(lead.metric), 0)
    commands: tuple[str, ...] = ()
    if severity in (Severity.REGRESSED, Severity.BROKEN):
        kind = words.kind(lead)
        commands = advice.next_commands(seen.report, lead, seen.cells, [seen.cells[o] for o in others], kind)
    details = _details(group, lead, seen, words)
    return Finding(severity, text, (lead.candidate,), lead.issue, weight, details, commands)


def _details(group: Sequence[Comparison], lead: Comparison, seen: _Seen, words: Words) -> tuple[str, ...]:
    """The figures behind a finding, the controlled training, and what else moved."""
    found = [words.rests_on(lead), _controlled(lead, seen, words)]
    also = [c for c in group if c is not lead and c.metric == lead.metric]
    found += [f"Against {words.baseline(c)}: {words.short(c)}." for c in also if c.baseline != lead.baseline]
    rest = [words.short(c) for c in group if c.baseline == lead.baseline and c is not lead]
    found += [f"With it: {listed(rest, 3)}."] if rest else []
    if lead.packages and lead.axis not in ("framework", "device"):
        named = [numbers.plain(p) for p in lead.packages]
        many = f"{len(named)} other packages differ too (--format json has them)."
        found.append(many if len(named) > _MOST_PACKAGES else f"Other packages that differ: {', '.join(named)}.")
    return tuple(text for text in found if text)


def _others(lead: Comparison, seen: _Seen) -> list[str]:
    """The cells that do not have the fault, the baseline first.

    They differ from the candidate in its framework, its version or its Keras alone.
    """
    candidate = seen.cells.get(lead.candidate)
    found = [lead.baseline] if lead.baseline in seen.cells else []
    for cell_id in seen.near(candidate) if candidate else ():
        runs = cell_id != lead.baseline and seen.summary(lead.probe, cell_id, lead.metric)
        if runs and not seen.worse(lead.probe, lead.metric, cell_id):
            found.append(cell_id)
    return found


_MOST_NEIGHBOURS = 3
_MOST_PACKAGES = 6
"""Of a longer list only the number is printed: it hides a cause rather than naming it."""


def _neighbours(lead: Comparison, others: Sequence[str], seen: _Seen, words: Words) -> str:
    """What other cells reach: ``, jax 0.10.2 99.10 %, torch 2.15.0 99.35 %``."""
    kind = words.kind(lead)
    candidate = seen.cells.get(lead.candidate)
    if kind not in (Kind.SEEDED, Kind.TIMING) or candidate is None or not lead.baseline:
        return ""
    told = []
    for cell_id in others:
        cell = seen.cells[cell_id]
        if cell_id == lead.baseline or (kind is Kind.TIMING and cell.framework != candidate.framework):
            continue
        summary = seen.summary(lead.probe, cell_id, lead.metric)
        if summary is None or summary.median is None:
            continue
        shown = numbers.value(summary.median, summary.metric.unit, percent=columns.percent(lead.metric))
        axis = "keras" if cell.version == candidate.version and cell.framework == candidate.framework else "version"
        told.append(f"{numbers.plain(AXIS[axis].in_sentence(cell))} {shown}")
    more = f" and {len(told) - _MOST_NEIGHBOURS} more like it" if len(told) > _MOST_NEIGHBOURS else ""
    return "".join(f", {one}" for one in told[:_MOST_NEIGHBOURS]) + more


_CONTROLLED = "controlled.loss_per_step"


def _controlled(lead: Comparison, seen: _Seen, words: Words) -> str:
    """What the training from equal weights and batches says about a worse accuracy."""
    if columns.cause(lead.metric) != "accuracy" or lead.verdict is not Verdict.REGRESSED:
        return ""
    told = seen.judged.get((lead.probe, _CONTROLLED, lead.candidate), ())
    found = next((c for c in told if c.baseline == lead.baseline), None)
    if found is None:
        return ""
    other = words.baseline(found)
    steps_ = getattr(found.evidence, "steps", None)
    start = "From equal weights and batches, without dropout, it"
    if found.verdict is Verdict.SAME:
        steps = f"for {steps_} steps" if steps_ else "in every step"
        suspects = "Suspect dropout, initial weights or the order of the data."
        return f"{start} follows {other} {steps}: not the arithmetic. {suspects}"
    if found.verdict is Verdict.REGRESSED:
        at = f"after {steps_} steps" if steps_ else "at the first step"
        return f"{start} leaves {other} {at}: the arithmetic differs."
    return ""


def _importance(comparison: Comparison) -> tuple[int, bool, float]:
    """Sort key: the best known figure first, of those the one that moved most.

    A comparison within one framework comes before one between two. A finding is named after the first.
    """
    found = columns.known(comparison.metric)
    place = columns.KNOWN.index(found) if found else len(columns.KNOWN)
    return (place, comparison.axis == "framework", -abs(comparison.evidence.effect or 0.0))


def _differences(seen: _Seen, words: Words) -> list[Finding]:
    """Findings about differences between frameworks or devices.

    They are not regressions. There is one per pair of cells and probe.
    """
    grouped: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in seen.report.comparisons:
        if mark(comparison) is Mark.DIFFERS and not words.is_digest(comparison):
            key = (comparison.baseline, comparison.candidate, comparison.probe)
            grouped.setdefault(key, []).append(comparison)
    found = []
    for (_, candidate, probe), group in grouped.items():
        lead, *rest = sorted(group, key=_importance)
        text = f"{words.name(candidate)} {words.moved(lead)}{words.where(probe)}"
        details = [words.rests_on(lead), f"With it: {listed([words.short(c) for c in rest])}." if rest else ""]
        size = abs(lead.evidence.effect or 0.0)
        found.append(
            Finding(Severity.DIFFERENT, text, (candidate,), "", min(999.0, size), tuple(d for d in details if d))
        )
    return found


# --- what was not decided --------------------------------------------------------------------------------------------


def _undecided(report: Report) -> list[Finding]:
    """One finding: how many comparisons are open, and what it would take.

    Where a probe has headline figures, only those count.
    """
    judged = [c for c in report.comparisons if c.metric != "status" and c.baseline]
    if any(probes.headlines(probe) for probe in {c.probe for c in judged}):
        judged = [c for c in judged if probes.is_headline(c.probe, c.metric)]
    judged = [c for c in judged if mark(c) not in (Mark.NONE, Mark.INCOMPARABLE)]
    undecided = [c for c in judged if c.verdict is Verdict.INCONCLUSIVE]
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
    return [Finding(Severity.UNDECIDED, text, cells)]


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
        labels = listed(list(dict.fromkeys(numbers.plain(columns.label(c.metric)) for c in group)))
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        text = f"{count} not comparable with the baseline in {labels}: {reason}"
        found.append(Finding(Severity.INCOMPARABLE, text, cells))
    return found
