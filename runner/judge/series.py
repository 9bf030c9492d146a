"""Samples sorted by cell, probe and metric, for all judges."""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from statistics import median
from typing import TypeGuard

from runner.model import Cell, Kind, Metric, Sample, Scalar, Status

Values = dict[str, dict[str, Scalar]]
"""Fingerprint key -> the different values seen, by their repr."""


@dataclass
class Series:
    """All that was measured of one metric by the processes of one cell and probe.

    Several comparisons can ask for the same series, which is complete by then.
    """

    metric: Metric
    """The first seen: its kind, direction, unit and terms hold for all."""
    points: list[tuple[Sample, Metric]] = field(default_factory=list)

    @property
    def values(self) -> list[object]:
        """The values of all processes, None included."""
        return [metric.value for _, metric in self.points]

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each process."""
        return tuple([sample.seed for sample, _ in self.points])

    @cached_property
    def constant(self) -> bool:
        """Whether all processes have one figure, as one object.

        Their seeds differ.
        """
        same = self.points[-1][1] is self.metric and len({id(metric) for _, metric in self.points}) == 1
        return same and len(set(self.seeds)) == len(self.seeds)

    @property
    def numbers(self) -> list[float]:
        """The values that are numbers."""
        return _numbers(self.values)

    @cached_property
    def typical(self) -> float | int | str | None:
        """A figure for the table: the median of numbers, the value of everything else."""
        numbers = sorted(_numbers([self.metric.value] if self.constant else self.values))
        if numbers:
            middle = len(numbers) // 2
            return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2
        first = self.metric.value
        return first if isinstance(first, str) else None

    @cached_property
    def by_round(self) -> dict[int, float]:
        """The usable value of each round, of several their median.

        Those of processes that were not alone are left out.
        """
        found = [(s.round, float(m.value)) for s, m in self.points if s.quiet and usable(m.value)]
        values = dict(found)
        if len(values) < len(found):
            values = {r: median([value for other, value in found if other == r]) for r in values}
        return values

    @cached_property
    def busy(self) -> bool:
        """Whether no process was alone, so that none of its timings is judged."""
        return not any(sample.quiet for sample, _ in self.points)

    @cached_property
    def reached(self) -> int:
        """How many rounds have begun, whether or not each of them counts."""
        return max([sample.round for sample, _ in self.points]) + 1

    @cached_property
    def starts(self) -> dict[int, float]:
        """When the process of each round began, in seconds.

        Rounds without a time are left out.
        """
        starts = ((sample.round, _seconds(sample.started)) for sample, _ in self.points if sample.started)
        return {number: seconds for number, seconds in starts if seconds is not None}


def _numbers(values: Sequence[object]) -> list[float]:
    found = [value for value in values if isinstance(value, int | float)]
    return [float(v) if abs(v) <= sys.float_info.max else math.inf for v in found]


@dataclass
class Group:
    """All samples of one cell and probe."""

    samples: list[Sample] = field(default_factory=list)
    series: dict[str, Series] = field(default_factory=dict)

    @cached_property
    def bad(self) -> Sample | None:
        """A process that did not end well, one of the most frequent status, or None.

        What this machine did to one process (no such device, build failed) says nothing about a cell that ran
        in another.
        """
        failed = [sample for sample in self.samples if sample.status != Status.OK]
        if len(failed) < len(self.samples):
            failed = [sample for sample in failed if sample.status.about_cell]
        if not failed:
            return None
        common = Counter(sample.status for sample in failed).most_common(1)[0][0]
        return next(sample for sample in failed if sample.status == common)

    @property
    def how_bad(self) -> str:
        """The status for a sentence, with how often it happened where it did not always."""
        if self.bad is None:
            return Status.OK.value
        status = self.bad.status
        times = sum(sample.status == status for sample in self.samples)
        often = "" if times == len(self.samples) else f" in {times} of {len(self.samples)} processes"
        return f"{status}{often}" + (f": {self.bad.reason}" if self.bad.reason else "")

    @cached_property
    def errors(self) -> dict[str, Series]:
        """The backward errors among its series."""
        return {name: one for name, one in self.series.items() if one.metric.kind == Kind.ERROR}

    @cached_property
    def fingerprint(self) -> Values:
        """All values that the fingerprints of what was measured have.

        A key that one lacks counts as None there.

        A process that failed has no figures to compare, and may not have lived to say what it ran on.
        """
        samples = [sample for sample in self.samples if sample.status == Status.OK] or self.samples
        prints = {id(sample.fingerprint): sample.fingerprint for sample in samples}.values()  # many share one
        keys = dict.fromkeys(key for one in prints for key in one)
        return {key: {repr(value): value for value in (one.get(key) for one in prints)} for key in keys}


def usable(value: object) -> TypeGuard[float]:
    """Whether a timing can be: a positive, finite number (a bool is not one)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= sys.float_info.max


@lru_cache(maxsize=4096)
def _seconds(started: str) -> float | None:
    try:
        return datetime.fromisoformat(started).timestamp()
    except ValueError:
        return None


Groups = dict[tuple[str, str], Group]
"""(cell id, probe) -> its samples."""


def grouped(samples: Iterable[Sample]) -> Groups:
    """Sort samples into groups, and their metrics into series.

    Only processes that ended well have figures.
    """
    groups: Groups = defaultdict(Group)
    ids: dict[Cell, str] = {}
    for sample in samples:
        cell_id = ids.get(sample.cell)
        if cell_id is None:
            cell_id = ids[sample.cell] = sample.cell.id
        group = groups[cell_id, sample.probe]
        group.samples.append(sample)
        if sample.status != Status.OK:
            continue
        for metric in sample.metrics:
            series = group.series.get(metric.name)
            if series is None:
                series = group.series[metric.name] = Series(metric)
            series.points.append((sample, metric))
    return dict(groups)


WORKLOAD = frozenset({"probe_hash", "settings", "data"})
"""Fingerprint keys that say what was computed. Where they differ, no figure compares."""


def differing(a: Values, b: Values) -> dict[str, str]:
    """Fingerprint keys that do not have one and the same value on both sides.

    Each as ``key: one, other``.
    """
    found = {}
    for key in sorted(a.keys() | b.keys()):
        values = {**a.get(key, {"None": None}), **b.get(key, {"None": None})}
        if len(values) > 1:
            found[key] = f"{key}: {', '.join(_short(value) for value in values.values())}"
    return found


def named(differences: dict[str, str], keys: Container[str]) -> str:
    """The differences in some keys, in words, or an empty string."""
    return "; ".join(text for key, text in differences.items() if key in keys)


def moved(a: Sequence[Sample], b: Sequence[Sample], axis_packages: Container[str]) -> tuple[str, ...]:
    """The packages that differ between two environments.

    ``numpy 1.26.4 -> 2.4.6``, without the axis's own packages.
    """
    old = next((sample.packages for sample in a if sample.packages), {})
    new = next((sample.packages for sample in b if sample.packages), {})
    if not old or not new:
        return ()
    names = sorted((old.keys() | new.keys()) - {name for name in old.keys() | new.keys() if name in axis_packages})
    return tuple(
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}" for name in names if old.get(name) != new.get(name)
    )


def _short(value: Scalar) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
