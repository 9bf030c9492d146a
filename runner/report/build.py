"""Samples -> judged report, for a run that has just ended and for result files alike."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner import judge
from runner.defects import known
from runner.errors import UsageError
from runner.judge import calibration_file, expectations
from runner.matrix import sets
from runner.measure import workspace
from runner.model import Cell, Comparison, Sample, Skip, Status
from runner.report import Finding, Report, Severity, native
from runner.results import store
from runner.util import folders as resources

if TYPE_CHECKING:
    from runner.defects import Defect


_GRAVE = 6
"""A defect's severity from which on results are wrong or missing; below are precision, types and what is refused."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What samples are judged by."""

    set_name: str | None = None
    baseline: str | None = None
    alpha: float = 0.05
    floor: float = 0.05
    max_rounds: int | None = None

    def as_planned(self, record: store.RunRecord) -> Rules:
        """These rules with the set and the looks that a run was planned with, where they do not say otherwise."""
        listed = record.set_name in sets.load().sets
        return replace(
            self,
            set_name=self.set_name or (record.set_name if listed else None),
            max_rounds=self.max_rounds or record.max_rounds,
        )

    def settings(self, samples: Sequence[Sample]) -> judge.JudgeSettings:
        """The judge's settings; as many looks as a run up to ``max_rounds`` takes, else one look at all there is."""
        rounds = max((sample.round + 1 for sample in samples), default=1)
        return judge.JudgeSettings(
            alpha=self.alpha,
            floor=self.floor,
            max_rounds=max(self.max_rounds or 0, rounds),
            sequential=self.max_rounds is not None,
            noise=calibration_file.noise_for(samples, workspace.state_dir()),
        )


def comparisons(
    samples: Sequence[Sample], rules: Rules, expected: Sequence[expectations.Expectation] | None = None
) -> list[Comparison]:
    """Every cell against its baseline; ``expected``: the expectations, where they are not those of this repository."""
    if expected is None:
        expected = expectations.load(resources.matrix_dir() / "expectations.toml")
    loaded = sets.load()
    prefer = sets.named_set(loaded, rules.set_name).prefer
    cells = list(dict.fromkeys(sample.cell for sample in samples))
    pairs = judge.pairs(cells, prefer, baseline=rules.baseline)
    pairs += [pair for pair in _beside_native(cells) if pair not in pairs]
    return judge.judge(samples, pairs, expected, rules.settings(samples))


def _beside_native(cells: Sequence[Cell]) -> list[judge.Pair]:
    """Every cell with Keras against the same without, whatever else it is compared with."""
    return [judge.Pair(native.twin(c), c, "keras") for c in cells if c.keras is not None and native.twin(c) in cells]


def report(samples: Sequence[Sample], record: store.RunRecord, rules: Rules) -> Report:
    """All there is to say about the samples."""
    judged = comparisons(samples, rules)
    skips = (*record.skips, *missing(record, samples))
    defects = _defects(samples)
    code = judge.exit_code(samples, judged, skips)
    if code != 4 and any(finding.severity is Severity.REGRESSED for finding in defects):
        code = 1
    return Report(
        samples=tuple(samples),
        comparisons=tuple(judged),
        skips=skips,
        notes=record.notes,
        title=f"version-regression matrix: {record.set_name}" if record.set_name else "version-regression matrix",
        exit_code=code,
        invocation=record.invocation,
        alpha=rules.alpha,
        extra=defects,
    )


def _defects(samples: Sequence[Sample]) -> tuple[Finding, ...]:
    """What the sweeps found, in sentences; ``runner defects`` has the scripts."""
    from runner import defects as attribution

    defects = attribution.defects(samples)
    listed = known.load(resources.matrix_dir() / "expectations.toml") if defects else ()
    found = [_finding(defect, listed) for defect in defects]
    return (*found, *(Finding(Severity.DIFFERENT, text, ()) for text in attribution.agreements(samples)))


def _finding(defect: Defect, listed: Sequence[known.Known]) -> Finding:
    """A grave defect that a release brought, that the newest one has, and that nobody knows of, is a regression."""
    addresses = known.issues(listed, defect.op, defect.kind, defect.cells)
    news = defect.last_good and not defect.first_good and defect.severity >= _GRAVE
    severity = Severity.EXPECTED if addresses else Severity.REGRESSED if news else Severity.DIFFERENT
    return Finding(severity, _told(defect), defect.cells, "".join(addresses[:1]), weight=float(defect.severity))


def _told(defect: Defect) -> str:
    """The defect with the versions between which it came and went."""
    parts = [defect.title]
    if defect.last_good:
        parts.append(f"last good {defect.last_good}")
    if defect.first_good:
        parts.append(f"first good {defect.first_good}")
    return "; ".join(parts)


def from_folders(folders: Sequence[Path], rules: Rules) -> Report:
    """The report of the result files below the folders. Raises UsageError for what cannot be read."""
    samples = store.load(folders)
    if rules.baseline and rules.baseline not in {sample.cell.id for sample in samples}:
        raise UsageError(f"--baseline {rules.baseline!r}: no result of that cell in {' '.join(map(str, folders))}")
    record = store.load_records(folders)
    return report(samples, record, rules.as_planned(record))


def invocation(words: Sequence[str]) -> str:
    """Arguments quoted for a shell."""
    return " ".join(shlex.quote(word) for word in words)


def missing(record: store.RunRecord, samples: Sequence[Sample]) -> tuple[Skip, ...]:
    """What was planned and left nothing behind: a shard that died, a run that was stopped.

    A cell that failed a probe is not asked again in later rounds, so that nothing of it is missing.
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
