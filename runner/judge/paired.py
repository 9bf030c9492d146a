"""Pairs two series of one metric by round and by seed.

Also names what forbids a verdict.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runner.judge.series import Series
from runner.model import Better, Metric


@dataclass(frozen=True, slots=True)
class Paired:
    """One comparison's material: a log-ratio for every common round."""

    rounds: tuple[int, ...]
    """Ascending."""
    ratios: tuple[float, ...]
    """log(candidate / baseline), one per round."""
    better: Better
    floor: float
    """Relative: 0.05 is five percent."""
    reached: int
    """How many rounds both sides have begun, whether or not each of them counts."""
    flaw: str = ""
    """Why no verdict may rest on these figures, or empty."""
    figure: tuple[str, str] = ("", "")
    """Probe and metric: comparisons of one figure have about the same noise."""
    cells: tuple[str, ...] = ()
    """The ids of both."""


_STEEPEST = 30.0
"""No log-ratio is taken for larger: a factor of 1e13 stands for every larger one, and can be shown."""


def paired_rounds(baseline: Series, candidate: Series, floor: float) -> Paired:
    """Pair two timing series by round.

    Processes that were not alone (``quiet`` false), values that are not a positive finite number and rounds that only
    one side completed do not count; several values of one cell in a round count as their median.
    """
    left, right = baseline.by_round, candidate.by_round
    rounds = tuple(sorted(left.keys() & right.keys()))
    ratios = tuple([math.log(right[r]) - math.log(left[r]) for r in rounds])
    if ratios and not -_STEEPEST <= min(ratios) <= max(ratios) <= _STEEPEST:
        ratios = tuple(max(-_STEEPEST, min(_STEEPEST, ratio)) for ratio in ratios)
    better = candidate.metric.better if candidate.metric.better != Better.NEITHER else Better.LOWER
    reached = min(baseline.reached, candidate.reached)
    first, other = candidate.points[0][0], baseline.points[0][0]
    return Paired(
        rounds,
        ratios,
        better,
        floor,
        reached,
        _flaw(baseline, candidate, left, right, rounds),
        (first.probe, candidate.metric.name),
        (other.cell.id, first.cell.id),
    )


def _flaw(
    baseline: Series, candidate: Series, left: dict[int, float], right: dict[int, float], rounds: Sequence[int]
) -> str:
    if not rounds:
        if not left or not right:
            who = "baseline" if not left else "candidate"
            return f"the {who} has no usable value: {_unusable(baseline if not left else candidate)}"
        return "no round in common: the processes were not interleaved"
    if not _interleaved(baseline, candidate, rounds):
        return "the processes were run in blocks, not in interleaved rounds: drift of the host looks like a change"
    return ""


def _unusable(series: Series) -> str:
    busy = sum(not sample.quiet for sample, _ in series.points)
    if busy == len(series.points):
        return "other work ran meanwhile"
    if len(series.points) == 1:
        return "one value, which is not positive and finite"
    return f"{len(series.points)} values, none of them positive and finite"


def _interleaved(baseline: Series, candidate: Series, rounds: Sequence[int]) -> bool:
    """Whether the two processes of a round were neighbours in time.

    As far as start times are known.

    False when in more than a quarter of successive rounds the later one began before the earlier one had begun
    on both sides, as it is when all of one cell ran before the other, or one side is of another day.
    """
    left, right = baseline.starts, candidate.starts
    spans = [sorted((left[r], right[r])) for r in rounds if r in left and r in right]
    if len(spans) < 2:
        return True
    crossed = sum(later[0] < earlier[1] for earlier, later in pairwise(sorted(spans, key=sum)))
    return crossed <= (len(spans) - 1) / 4


def by_seed(series: Series) -> dict[int, list[Metric]]:
    """The values of each seed, those without one left out."""
    values: dict[int, list[Metric]] = defaultdict(list)
    for sample, metric in series.points:
        values[sample.seed].append(metric)
    return dict(values)
