"""Judges samples and makes the report, after a run and from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runner import defects, judge
from runner.defects import reading, suite
from runner.errors import UsageError
from runner.judge import pairing
from runner.judge.rules import Rules, comparisons
from runner.matrix import probes
from runner.model import Sample, Skip, Status
from runner.report import Report, Severity, advice, seeding
from runner.report.defects import findings
from runner.results import store


def report(
    samples: Sequence[Sample],
    record: store.RunRecord,
    rules: Rules,
    *,
    interrupted: bool = False,
    unread: Sequence[str] = (),
) -> Report:
    """Judge the samples and make the report.

    ``interrupted``: the user stopped the run, which decides the exit code. ``unread``: a line for each file that could
    not be used; what it holds counts as not measured.
    """
    judged = comparisons(samples, rules)
    skips = (*record.skips, *missing(record, samples))
    swept = defects.defects(samples)
    found = findings(swept, samples, against=rules.against)
    by_key = {finding.key: defect for defect, finding in zip(swept, found, strict=True)}
    if rules.against:
        pairs = pairing.pairs([sample.cell for sample in samples])
        compared = [(pair.baseline.id, pair.candidate.id) for pair in pairs if pairing.with_release(pair)]
        found = tuple(one for one in found if _differs(one.cells, compared))
    code = judge.exit_code(samples, judged, skips)
    if code != 4 and any(finding.severity is Severity.REGRESSED for finding in found):
        code = 1
    code = judge.with_unread(code, unread)
    if interrupted:
        code = 130
    made = Report(
        samples=tuple(samples),
        comparisons=tuple(judged),
        skips=skips,
        notes=(*record.notes, *defects.agreements(samples)),
        title=f"version-regression matrix: {record.set_name}" if record.set_name else "version-regression matrix",
        exit_code=code,
        invocation=record.invocation,
        alpha=rules.alpha,
        extra=found,
        defects=swept,
        unread=tuple(unread),
        set_name=record.set_name,
    )
    if not any(suite.PROBE in finding.probes for finding in found):
        return made
    return replace(made, extra=tuple(replace(one, commands=advice.of_tests(made, by_key[one.key])) for one in found))


def _differs(cells: Sequence[str], pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether one side of a pair is among the cells and the other is not."""
    return any((baseline in cells) != (candidate in cells) for baseline, candidate in pairs)


def from_folders(folders: Sequence[Path], rules: Rules) -> Report:
    """The report of the result files below the folders.

    A file that cannot be used is a line of the report. Raises UsageError for folders without results.
    """
    unread: list[str] = []
    samples = store.load(
        folders, details_of=frozenset({seeding.PROBE, reading.PROBE, *probes.sweeps()}), bad=unread.append
    )
    if rules.baseline and rules.baseline not in {sample.cell.id for sample in samples}:
        raise UsageError(f"--baseline {rules.baseline!r}: no result of that cell in {' '.join(map(str, folders))}")
    record = store.load_records(folders, unread.append)
    return report(samples, record, rules.as_planned(record), unread=unread)


def missing(record: store.RunRecord, samples: Sequence[Sample]) -> tuple[Skip, ...]:
    """The cells and processes that were planned and left no result.

    A shard died, or the run was stopped. A cell that failed a probe is not asked again in later rounds, so that nothing
    of it is missing.
    """
    stopped = "the run was stopped or died"
    there = {sample.cell.id: sample.cell for sample in samples}
    left_out = {skip.cell for skip in record.skips}
    lost = [
        Skip(cell, Status.UNAVAILABLE, f"planned, but left no result: {stopped}")
        for cell in record.cells
        if cell.id not in there and cell not in left_out
    ]
    count = Counter((sample.cell.id, sample.probe) for sample in samples)
    failed = {(sample.cell.id, sample.probe) for sample in samples if sample.status != Status.OK}
    most: dict[tuple[str, str], int] = {}
    for cell_id, probe, wanted in record.processes:
        most[cell_id, probe] = max(wanted, most.get((cell_id, probe), 0))
    for (cell_id, probe), wanted in most.items():
        found = count[cell_id, probe]
        if cell_id in there and found < wanted and (cell_id, probe) not in failed:
            part = f"{found} of {wanted} processes" if found else "planned, but left no result"
            lost.append(Skip(there[cell_id], Status.UNAVAILABLE, f"{probe}: {part}: {stopped}"))
    return tuple(lost)
