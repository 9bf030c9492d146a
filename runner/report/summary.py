"""Summarises the processes of one cell, metric by metric."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from runner.judge.seed_noise import LARGEST
from runner.model import Better, Kind, Metric, Sample, Status
from runner.report import numbers


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over the processes of one cell.

    For texts and lists the numbers are None.
    """

    metric: Metric
    n: int
    median: float | int | None
    low: float | int | None
    high: float | int | None
    shown: Any
    """The median, or what stands for it: the mean of a figure that depends on the seed, as the judge takes it; the text
    all agree on; the list with its median last element."""
    values: tuple[Any, ...]
    """All that were measured."""

    @property
    def distinct(self) -> int:
        """How many different values there were."""
        return len({_text(value) for value in {id(value): value for value in self.values}.values()})


def summarise(samples: Iterable[Sample]) -> dict[str, Summary]:
    """Every metric of the samples that are ok: n, median, least and greatest."""
    seen: dict[str, list[Metric]] = {}
    for sample in samples:
        if sample.status is Status.OK:
            for metric in sample.metrics:
                seen.setdefault(metric.name, []).append(metric)
    return {name: _summary(metrics) for name, metrics in seen.items()}


def _summary(metrics: Sequence[Metric]) -> Summary:
    n = len(metrics)
    if metrics[0] is metrics[-1] and len(set(map(id, metrics))) == 1:
        metrics = metrics[:1]  # processes share equal metrics
    values = tuple([m.value for m in metrics if m.value is not None])
    counted = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if counted and len(counted) == len(values):
        middle = statistics.median(counted)
        if isinstance(middle, float) and middle.is_integer() and all(isinstance(v, int) for v in counted):
            middle = int(middle)
        typical: float = middle
        if metrics[0].kind is Kind.SEEDED and all(abs(v) <= LARGEST for v in counted):
            typical = statistics.fmean(counted)
        return Summary(metrics[0], n, middle, min(counted), max(counted), typical, values)
    lists = sorted((v for v in values if isinstance(v, list) and v), key=lambda v: v[-1])
    shown = lists[len(lists) // 2] if lists else (values[0] if values else None)
    return Summary(metrics[0], n, None, None, None, shown, values)


def _text(value: Any) -> object:
    """What is equal for equal values alone.

    Lists are written by a faster way than ``repr``.
    """
    return msgspec.json.encode(value) if isinstance(value, list) else repr(value)


def combined(summaries: Sequence[Summary], *, percent: bool = False, exact: bool = False) -> str:
    """One text for a figure in one mode or several.

    The sum of seconds, else the worst; of outcomes, how many are ok.

    ``percent`` and ``exact`` as in ``numbers.value``.
    """
    first = summaries[0]
    unit = first.metric.unit
    if len(summaries) == 1:
        if first.median is None and first.distinct > 1 and not isinstance(first.shown, list):
            return f"{first.distinct} different"
        shown = first.shown[-1] if isinstance(first.shown, list) and first.shown else first.shown
        return numbers.value(shown, unit, percent=percent, exact=exact)
    figures = [s.shown for s in summaries if s.median is not None]
    if not figures:
        good = sum(s.shown in ("ok", "yes") for s in summaries)
        return f"{good} of {len(summaries)} ok" if good else f"{len(summaries)} figures"
    if unit == "s":
        return numbers.value(sum(figures), unit)
    worst = min(figures) if first.metric.better is Better.HIGHER else max(figures)
    return numbers.value(worst, unit, percent=percent, exact=exact)
