"""Makes of a run's results what the history keeps: identities, figures, outcomes.

Pure.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from runner.judge.series import WORKLOAD
from runner.model import Comparison, Kind, Metric, Sample, Scalar, Status, Verdict
from runner.util import plain

DIFFERENT = "different"
"""A change between frameworks, devices or variants, which does not fail a run."""

WORST_FIRST = (
    Verdict.BROKEN.value,
    Verdict.REGRESSED.value,
    Verdict.FIXED.value,
    Verdict.INCONCLUSIVE.value,
    Verdict.NOT_COMPARABLE.value,
    Verdict.EXPECTED.value,
    Verdict.IMPROVED.value,
    DIFFERENT,
    Verdict.SAME.value,
    Verdict.NO_BASELINE.value,
    "",
)
_RANK = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
_CHANGES = (Verdict.REGRESSED, Verdict.IMPROVED, Verdict.BROKEN, Verdict.FIXED)


def digest(value: Any) -> bytes:
    """16 bytes over anything that JSON can say, independent of the order of keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).digest()[:16]


def worst(verdicts: Iterable[str]) -> str:
    """The worst of several verdicts, as ``Point.verdict`` has it."""
    return min(verdicts, key=lambda verdict: _RANK.get(verdict, len(_RANK)), default="")


def verdict(comparison: Comparison) -> str:
    """The verdict of a comparison, as ``Point.verdict`` has it."""
    if not comparison.gates and comparison.verdict in _CHANGES:
        return DIFFERENT
    return comparison.verdict.value


class Identities:
    """What distinguishes results, in whatever folder they lie.

    Parts that many samples share are written once.
    """

    def __init__(self) -> None:
        self._settings: dict[int, str] = {}
        self._kept: list[dict[str, Any]] = []

    def of(self, sample: Sample) -> bytes:
        """The identity of one result: what was run, when, and for how long."""
        more = f"{sample.started}\0{sample.status}\0{sample.wall_s!r}\0{sample.seed}\0{sample.key}"
        return _hashed(f"{self._job(sample)}\0{more}")

    def job(self, sample: Sample) -> bytes | None:
        """The identity of what was to be measured.

        None for a result that is not about its cell.

        Another result of one job is another measurement of the same.
        """
        return _hashed(self._job(sample)) if sample.status.about_cell else None

    def _job(self, sample: Sample) -> str:
        found = sample.fingerprint
        settings = self._settings.get(id(sample.settings))
        if settings is None:
            self._kept.append(sample.settings)  # its id must not pass to another one
            settings = msgspec.json.encode(sample.settings, order="sorted").decode()
            self._settings[id(sample.settings)] = settings
        where = f"{found.get('host', '')}\0{found.get('data', '')}"
        return f"{sample.cell.id}\0{sample.probe}\0{sample.round}\0{settings}\0{where}"


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def scope(kind: Kind, fingerprint: Mapping[str, Scalar]) -> bytes:
    """The digest of what must agree for a figure of this kind to be compared."""
    names = fingerprint.keys() if kind is Kind.TIMING else WORKLOAD & fingerprint.keys()
    return digest({name: fingerprint[name] for name in names})


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one cell in one run, in one scope."""

    cell: str
    metric: Metric
    scope: bytes
    fingerprint: Mapping[str, Scalar]
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one probe of one cell ended."""

    status: str
    reason: str
    n: int
    failed: int


def figures(samples: Sequence[Sample]) -> list[Figure]:
    """The numbers of one cell and probe, one figure per metric and scope.

    A timing of a process that was not alone does not count, as with the judge. Without a finite number there is no
    figure.
    """
    grouped: dict[tuple[str, int], tuple[Metric, Mapping[str, Scalar], list[float]]] = {}
    for sample in samples:
        if sample.status is not Status.OK:
            continue
        at = id(sample.fingerprint)
        for metric in sample.metrics:
            number = metric.value
            if type(number) not in (int, float) or (not sample.quiet and metric.kind is Kind.TIMING):
                continue
            if metric.overflows or not math.isfinite(number):  # type: ignore[arg-type] # a number, as its type says
                continue
            found = grouped.get((metric.name, at))
            if found is None:
                found = grouped[metric.name, at] = (metric, sample.fingerprint, [])
            found[2].append(float(number))  # type: ignore[arg-type] # the same
    scoped: dict[tuple[str, bytes], tuple[Metric, Mapping[str, Scalar], list[float]]] = {}
    known: dict[tuple[int, bool], bytes] = {}
    for metric, fingerprint, values in grouped.values():
        part = (id(fingerprint), metric.kind is Kind.TIMING)
        if part not in known:
            known[part] = scope(metric.kind, fingerprint)
        scoped.setdefault((metric.name, known[part]), (metric, fingerprint, []))[2].extend(values)
    cell = samples[0].cell.id if samples else ""
    return [
        Figure(cell, metric, at, fingerprint, len(values), _typical(metric, values), min(values), max(values))
        for (_, at), (metric, fingerprint, values) in scoped.items()
    ]


def _typical(metric: Metric, values: Sequence[float]) -> float:
    """The figure of a report: the mean where it depends on the seed, else the median."""
    if metric.kind is Kind.SEEDED:
        with suppress(OverflowError):
            return statistics.fmean(values)
    return median(values)


def median(values: Sequence[float]) -> float:
    """The median; of two figures whose sum is infinite, the smaller one."""
    middle = statistics.median(values)
    return middle if math.isfinite(middle) else statistics.median_low(values)


def outcome(samples: Sequence[Sample]) -> Outcome:
    """How one probe of one cell ended, over its processes."""
    bad = [sample for sample in samples if sample.status is not Status.OK]
    about = [sample for sample in bad if sample.status.about_cell] or bad
    if not bad or (len(bad) < len(samples) and not any(sample.status.about_cell for sample in bad)):
        return Outcome(Status.OK.value, "", len(samples), len(bad))
    common = Counter(sample.status for sample in about).most_common(1)[0][0]
    shown = next(sample for sample in about if sample.status is common)
    reason = " ".join(plain.printable(shown.reason).split())[:400]
    return Outcome(common.value, reason, len(samples), len(bad))


def grouped(samples: Iterable[Sample]) -> dict[tuple[str, str], list[Sample]]:
    """The samples by cell id and probe."""
    ids: dict[int, str] = {}
    kept: list[Any] = []
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        cell_id = ids.get(id(sample.cell))
        if cell_id is None:
            kept.append(sample.cell)  # its id must not pass to another one
            cell_id = ids[id(sample.cell)] = sample.cell.id
        found.setdefault((cell_id, sample.probe), []).append(sample)
    return found
