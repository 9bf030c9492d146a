"""Says in sentences which cells do not run, run again, or were not measured."""

from __future__ import annotations

from collections.abc import Sequence

from runner.model import Cell, Comparison, Sample, Status, Verdict
from runner.report import advice, keys, numbers
from runner.report.data import Finding, Report, Severity
from runner.report.marks import Mark, mark
from runner.report.words import Words, both

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


def not_measured(report: Report) -> tuple[str, ...]:
    """What could not be measured or read, and why.

    Cells with one reason share a line.
    """
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
    unread = tuple(numbers.plain(line) for line in report.unread)
    return unread + tuple(
        ": ".join(
            part for part in (words.names(cells.values()), key[0], both(list(probes.get(key, ()))), key[1]) if part
        )
        for key, cells in reasons.items()
    )


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


def failures(report: Report, words: Words) -> list[Finding]:
    """Cells that did not run, one finding per reason."""
    statuses = _statuses(report)
    causes: dict[tuple[Severity, Status, str, str], list[tuple[str, str]]] = {}
    for probe, cell, samples in _by_cell(report):
        comparison = statuses.get((probe, cell.id))
        bad = [s for s in samples if s.status is not Status.OK]
        if not bad or (not _tells(bad[0].status) and mark(comparison) not in (Mark.WORSE, Mark.EXPECTED)):
            continue
        reason = numbers.plain(bad[0].reason) or "no reason given"
        if len(bad) < len(samples):
            reason = f"{len(bad)} of {len(samples)} processes: {reason}"
        key = (_failure_severity(comparison), bad[0].status, reason, comparison.issue if comparison else "")
        causes.setdefault(key, []).append((cell.id, probe))
    return [_failure(*key, shown, statuses, report, words) for key, shown in causes.items()]


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
    report: Report,
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
        better = [report.cells[c.baseline] for c in ran if c.candidate == lead and c.baseline in report.cells]
        commands = advice.next_commands(report, asked, report.cells, better, None)
    anywhere = status is Status.IMPORT_FAILED
    probes = tuple(sorted({probe for _, probe in shown}))
    first = keys.oldest(words.cells[c] for c in cells)
    what = "" if anywhere else probes[0]
    before = next((c for c in ran if c.candidate == first.id), None)
    return Finding(
        severity,
        text,
        tuple(cells),
        issue,
        float(len(cells)),
        commands=commands,
        key=keys.key("fails", first.id, what),
        kin=keys.key("fails", what),
        probes=() if anywhere else probes,
        release=keys.first_release(before, report.cells) if before else "",
    )


def gone(report: Report, words: Words) -> list[Finding]:
    """Cells that run where the baseline, or what is expected, does not."""
    shown: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.metric == "status" and comparison.verdict is Verdict.FIXED:
            key = (comparison.candidate, comparison.issue, comparison.baseline)
            shown.setdefault(key, []).append(comparison)
    found = []
    for (candidate, issue, _), group in shown.items():
        probes = both([numbers.plain(c.probe) for c in group])
        names = tuple(sorted({c.probe for c in group}))
        about = keys.key("runs", candidate, *names)
        if issue:
            text = f"{words.name(candidate)} runs {probes}, although a failure is expected; update the expectations"
            found.append(Finding(Severity.FIXED, text, (candidate,), issue, 1.0, key=about, probes=names))
        else:
            text = f"{words.name(candidate)} runs {probes}, which {words.baseline(group[0])} does not"
            found.append(Finding(Severity.IMPROVED, text, (candidate,), "", 1.0, key=about, probes=names))
    return found
