"""How much a figure differs between runs with other seeds.

Three sources are combined as in a moderated t-test (Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004) 3): recorded runs of
the probe, the size of the test set, and all cells of the run together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

from runner.judge.series import WORKLOAD, Group, Groups, Series
from runner.model import Better, Kind, Metric

Values = dict[int, float]
"""Seed -> the mean figure of its processes; NaN where one of them has none."""

LARGEST = 1e150
"""What is beyond (or not finite) does not count as a figure: its square would not be finite."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What recorded runs of a probe showed."""

    relative: float
    """Standard deviation between seeds, relative to a loss, or to the error rate that belongs to an accuracy."""
    df: int
    """For how many degrees of freedom the recording counts in another run."""


PRIORS = {
    ("mnist", "free.test_accuracy"): Prior(0.13, 20),
    ("mnist", "free.test_loss"): Prior(0.09, 20),
    ("mnist", "controlled.test_accuracy"): Prior(0.13, 20),
    ("mnist", "controlled.test_loss"): Prior(0.09, 20),
}
"""(Probe, metric) -> the prior. ``bench/judge/seeded_rates.py`` prints these figures from the recorded runs."""

ALL_TESTS = {"mnist": 10_000}
"""Probe -> the images in its test set, where the settings do not limit them."""

LEAST_CELLS = 4
"""Fewest cells whose figures for one seed say how much seeds differ, where there is no prior."""

MOST_APART = 4.0
"""By what factor cells that lie apart can raise the variance of the prior: they may differ for another reason."""

MOST_DF = 200


@dataclass(frozen=True, slots=True)
class Scale:
    """The standard deviation between seeds as a function of the level of the figure, up to a factor."""

    accuracy: bool = False
    """The figure is a share of right answers."""
    relative: float | None = None
    """To a loss or an error rate. None: the same at every level."""
    tests: int | None = None
    """The size of the test set."""

    def at(self, level: float) -> float:
        """The standard deviation of one run at a level. Positive."""
        if not self.accuracy:
            return 1.0 if self.relative is None else max(self.relative * abs(level), 1e-12)
        least = 1 / ((self.tests or 10_000) + 2)  # none of N wrong does not mean that none ever is
        wrong = min(max(1 - level, least), 1 - least)
        return 1.0 if self.relative is None else max(self.relative * wrong, self.sampling(level))

    def sampling(self, level: float) -> float:
        """The binomial standard deviation of an accuracy by the size of the test set; 0 where it is not known."""
        if not self.accuracy or self.tests is None:
            return 0.0
        wrong = min(max(1 - level, 1 / (self.tests + 2)), 1 - 1 / (self.tests + 2))
        return math.sqrt(wrong * (1 - wrong) / self.tests)


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
        return max(math.sqrt(self.ratio) * self.scale.at(level), self.scale.sampling(level))


Key = tuple[str, str, tuple[tuple[str, ...], ...]]
"""Probe, metric, and what the fingerprints say about the workload."""


Noises = dict[Key, Noise]


def key(probe: str, name: str, group: Group) -> Key:
    """Under which the noise of a group's metric is found. Other settings and data have other noise."""
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
    """The noise of a metric, from all its cells and the prior. None where nothing is known."""
    metric = members[0].metric
    cells = [finite for member in members if (finite := _finite(by_seed(member).values()))]
    prior = PRIORS.get((probe, metric.name))
    scale = _scale(metric, cells, prior, _tests(probe, members[0], cells))
    parts = [(1.0, float(prior.df))] if prior and scale.relative else []
    parts += _within(scale, cells)
    apart = _between(scale, cells, LEAST_CELLS - 1 if parts else LEAST_CELLS)
    parts += [(min(ratio, MOST_APART) if prior else ratio, df) for ratio, df in apart]
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
    """The mean of what the processes of one seed reported, or NaN where one of them has no figure."""
    values = [m.value for m in metrics]
    numbers = [float(v) for v in values if isinstance(v, int | float) and abs(v) <= LARGEST]
    return fmean(numbers) if len(numbers) == len(values) and numbers else math.nan


def better_of(metric: Metric, one: float, other: float) -> float:
    """The better of two levels.

    Two cells without a difference are both as good as the better one, and a bad one would show more noise than that.
    """
    return min(one, other, key=abs) if metric.better == Better.LOWER else max(one, other)


def _finite(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(value for value in values if math.isfinite(value))


def _scale(metric: Metric, cells: Sequence[Sequence[float]], prior: Prior | None, tests: int | None) -> Scale:
    values = [value for cell in cells for value in cell]
    if metric.better == Better.HIGHER:
        share = metric.name.endswith("accuracy") and all(0 <= value <= 1 for value in values)
        return Scale(share, prior.relative if prior and share else None, tests if share else None)
    positive = all(value > 0 for value in values)
    relative = prior.relative if prior else 1.0
    return Scale(relative=relative if positive and metric.better == Better.LOWER else None)


def _tests(probe: str, one: Series, cells: Sequence[Sequence[float]]) -> int | None:
    """The size of the test set, where all figures are multiples of one right answer of so many."""
    settings: Mapping[str, object] = one.points[0][0].settings
    size = settings.get("test_samples") or ALL_TESTS.get(probe)
    if not isinstance(size, int) or size < 1:
        return None
    right = [value * size for cell in cells for value in cell]
    return size if all(abs(count - round(count)) < 0.01 for count in right) else None


def _within(scale: Scale, cells: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Variance ratio and degrees of freedom by the spread within each cell.

    The median over the cells: one cell that is noisier than the others does not hide itself. The two cells of a
    comparison count in the comparison itself, so that their degrees of freedom are taken off here.
    """
    several = [cell for cell in dict.fromkeys(cells) if len(cell) > 1]
    if len(several) <= 2:
        return []
    dfs = [len(cell) - 1 for cell in several]
    middle = (
        1 - 2 / (9 * median(dfs))
    ) ** 3  # the median of chi-square over its degrees of freedom (Wilson & Hilferty)
    ratio = median(variance(cell) / scale.at(fmean(cell)) ** 2 for cell in several) / middle
    return [(ratio, MEDIAN_EFFICIENCY * sum(dfs) * (len(several) - 2) / len(several))]


MEDIAN_EFFICIENCY = 0.5
"""How many degrees of freedom the median of variances keeps of those of their mean."""


def _between(scale: Scale, cells: Sequence[Sequence[float]], least: int) -> list[tuple[float, float]]:
    """The same by how far the cells lie apart, while they have too few seeds to show their own spread.

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
