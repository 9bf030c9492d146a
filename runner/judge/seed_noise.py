"""How much a figure differs between runs with other seeds.

Three sources are combined as in a moderated t-test (Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004) 3): recorded runs of
the probe, the size of the test set, and all cells of the run together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from runner.judge.series import WORKLOAD, Group, Groups, Series
from runner.model import Better, Kind, Metric

Values = dict[int, float]
"""Seed -> the mean figure of its processes; NaN where one of them has none."""

LARGEST = 1e150
"""What is beyond (or not finite) does not count as a figure: its square would not be finite."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What recorded runs of a probe showed."""

    factor: float
    """Standard deviation between seeds, as a multiple of what counting N independent test images would give.

    That is sqrt(a (1 - a) / N) for an accuracy a (binomial) and sqrt(loss / N) for a loss.
    """
    df: int
    """For how many degrees of freedom the recording counts in another run."""


PRIORS = {
    ("mnist", "free.test_accuracy"): Prior(1.0, 30),
    ("mnist", "free.test_loss"): Prior(1.2, 20),
    ("mnist", "controlled.test_accuracy"): Prior(1.3, 20),
    ("mnist", "controlled.test_loss"): Prior(1.7, 20),
}
"""(Probe, metric) -> the prior. ``bench/judge/seeded_rates.py`` prints these figures from the recorded runs."""

RECORDED_TESTS = 2000
"""The test images of the recorded runs. A larger test set does not lower the noise of the training, which is unknown
there, so that it counts as one of this size."""

SIZES = (100, 200, 500, 1000, 2000, 2500, 5000, 10_000)
"""Sizes that a test set can have where the settings do not limit it. The smallest one that fits all figures is taken:
MNIST has 10,000 images, the synthetic digits 2,000, and a user's own file any number."""

LEAST_CELLS = 4
"""Fewest cells whose figures for one seed say how much seeds differ, where there is no prior."""

MOST_APART = 4.0
"""By what factor cells that lie apart can raise the variance of the prior: they may differ for another reason."""

MOST_DF = 200


@dataclass(frozen=True, slots=True)
class Scale:
    """The standard deviation between seeds as a function of the level.

    It is known up to a factor.
    """

    factor: float | None = None
    """That of the prior, or None where there is none."""
    accuracy: bool = False
    """The figure is a share of right answers."""
    loss: bool = False
    """The figure is positive, and lower is better."""
    tests: int | None = None
    """The size of the test set, where it is known."""

    def at(self, level: float) -> float:
        """The standard deviation of one run at a level. Positive."""
        if self.factor is None:
            return max(abs(level), 1e-12) if self.loss else 1.0
        images = min(self.tests or RECORDED_TESTS, RECORDED_TESTS)
        if self.accuracy:
            return self.factor * binomial(level, images)
        return self.factor * math.sqrt(max(abs(level), 1e-12) / images)

    @property
    def step(self) -> float:
        """The standard deviation that whole images give a difference.

        Several seeds can differ equally by chance.
        """
        return 1 / (self.tests * math.sqrt(6)) if self.accuracy and self.tests else 0.0

    def least(self, level: float) -> float:
        """What the size of the test set alone makes of it; 0 where that is not known."""
        return binomial(level, self.tests) if self.accuracy and self.tests else 0.0


def binomial(accuracy: float, images: int) -> float:
    """The standard deviation of an accuracy on so many images.

    None of N wrong does not mean that none ever is.
    """
    least = 1 / (images + 2)
    wrong = min(max(1 - accuracy, least), 1 - least)
    return math.sqrt(wrong * (1 - wrong) / images)


@dataclass(frozen=True, slots=True)
class Noise:
    """The spread of one metric of a probe between seeds."""

    scale: Scale
    ratio: float
    """The variance as a multiple of the scale's."""
    df: int
    """Degrees of freedom of the estimate."""

    def spread(self, level: float) -> float:
        """The standard deviation of one run at a level."""
        return max(math.sqrt(self.ratio) * self.scale.at(level), self.scale.least(level))


Key = tuple[str, str, tuple[tuple[str, ...], ...]]
"""Probe, metric, and what the fingerprints say about the workload."""

Noises = dict[Key, Noise]


def key(probe: str, name: str, group: Group) -> Key:
    """The key of the noise of a group's metric.

    Other settings and data have other noise.
    """
    return probe, name, tuple(tuple(group.fingerprint.get(part, ())) for part in sorted(WORKLOAD))


def pooled(groups: Groups) -> Noises:
    """The noise of every seed-dependent metric that something is known about."""
    pools: dict[Key, list[Series]] = {}
    for (_, probe), group in groups.items():
        for name, one in group.series.items():
            if one.metric.kind == Kind.SEEDED:
                pools.setdefault(key(probe, name, group), []).append(one)
    found = {at: noise(at[0], members) for at, members in pools.items()}
    return {at: one for at, one in found.items() if one is not None}


def noise(probe: str, members: Sequence[Series]) -> Noise | None:
    """The noise of a metric, from all its cells and the prior.

    None where nothing is known.
    """
    cells = [finite for member in members if (finite := _finite(by_seed(member).values()))]
    prior = PRIORS.get((probe, members[0].metric.name))
    scale = _scale(members[0], cells, prior)
    parts = [(1.0, float(prior.df))] if prior and scale.factor else []
    parts += _within(scale, cells)
    apart = _between(scale, cells, LEAST_CELLS - 1 if parts else LEAST_CELLS)
    parts += [(min(ratio, MOST_APART) if scale.factor else ratio, df) for ratio, df in apart]
    df = sum(part for _, part in parts)
    if df < 1:
        return None
    ratio = sum(ratio * part for ratio, part in parts) / df
    return Noise(scale, ratio, min(int(df), MOST_DF)) if ratio > 0 else None


def by_seed(one: Series) -> Values:
    """The figure of each seed."""
    values: dict[int, list[Metric]] = {}
    for sample, metric in one.points:
        values.setdefault(sample.seed, []).append(metric)
    return {seed: mean(metrics) for seed, metrics in values.items()}


def mean(metrics: Sequence[Metric]) -> float:
    """The mean of what the processes of one seed reported.

    NaN where one of them has no figure.
    """
    numbers = [float(v) for m in metrics if isinstance(v := m.value, int | float) and abs(v) <= LARGEST]
    return fmean(numbers) if len(numbers) == len(metrics) and numbers else math.nan


def variance(values: Sequence[float]) -> float:
    """The variance of at least two values.

    ``statistics.variance`` takes thirty times as long.
    """
    center = fmean(values)
    return math.fsum((value - center) ** 2 for value in values) / (len(values) - 1)


def better_of(metric: Metric, one: float, other: float) -> float:
    """The better of two levels.

    Two cells without a difference are both as good as the better one, and a bad one would show more noise than that.
    """
    return min(one, other, key=abs) if metric.better == Better.LOWER else max(one, other)


def _finite(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(value for value in values if math.isfinite(value))


def _scale(one: Series, cells: Sequence[Sequence[float]], prior: Prior | None) -> Scale:
    values = [value for cell in cells for value in cell]
    factor = prior.factor if prior else None
    given = one.points[0][0].settings.get("test_samples")
    size = given if isinstance(given, int) and given > 0 else None
    if one.metric.better == Better.LOWER and all(value > 0 for value in values):
        return Scale(factor, loss=True, tests=size)
    if one.metric.name.endswith("accuracy") and all(0 <= value <= 1 for value in values):
        size = next((tests for tests in ([size] if size else SIZES) if _counted(values, tests)), None)
        return Scale(factor if size else None, accuracy=True, tests=size)
    return Scale()


def _counted(accuracies: Sequence[float], tests: int) -> bool:
    """Whether all accuracies are multiples of one right answer of so many."""
    return all(abs(value * tests - round(value * tests)) < 0.01 for value in accuracies)


def _within(scale: Scale, cells: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Variance ratio and degrees of freedom by the spread within each cell.

    The median over the cells: one cell that is noisier than the others does not hide itself. The two cells of a
    comparison count in the comparison itself, so that their degrees of freedom are taken off here.
    """
    several = [cell for cell in dict.fromkeys(cells) if len(cell) > 1]
    if len(several) <= 2:
        return []
    dfs = [len(cell) - 1 for cell in several]
    middle = (1 - 2 / (9 * median(dfs))) ** 3  # the median of chi-square over its df (Wilson & Hilferty)
    ratio = median(variance(cell) / scale.at(fmean(cell)) ** 2 for cell in several) / middle
    return [(ratio, MEDIAN_EFFICIENCY * sum(dfs) * (len(several) - 2) / len(several))]


MEDIAN_EFFICIENCY = 0.5
"""How many degrees of freedom the median of variances keeps of those of their mean."""


def _between(scale: Scale, cells: Sequence[Sequence[float]], least: int) -> list[tuple[float, float]]:
    """The same by how far the cells lie apart.

    Only while they have too few seeds to show their own spread.

    The median absolute deviation of m cells acts like an estimate with m // 2 degrees of freedom (simulated in
    bench/judge/seeded_rates.py). Equal figures count once: two cells with the same arithmetic say no more than one.
    """
    seeds = median([len(cell) for cell in cells]) if cells else 0
    levels = sorted({fmean(cell) for cell in cells})
    if seeds > 2 or len(levels) < least:
        return []
    center = median(levels)
    apart = 1.4826 * median(abs(level - center) for level in levels)
    return [(seeds * (apart / scale.at(center)) ** 2, len(levels) // 2)]
