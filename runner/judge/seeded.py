"""Figures that depend on the seed: accuracy, loss, epochs to a goal.

The seed is the unit and pairs the cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist, fmean

from runner.judge import seed_noise
from runner.judge.exact import Ruling
from runner.judge.seed_noise import Noise, Values
from runner.judge.settings import JudgeSettings
from runner.model import Better, Evidence, Metric, Verdict

FLOOR = 0.5
"""Smallest shift that counts, in standard deviations from seed to seed. Less than that is what another choice of
seeds does."""

LEAST = 3
"""Fewest seeds for a verdict that rests on their own spread alone."""

GROSS = 2 / 3
"""A change by this part of the larger figure in every seed needs no statistics: 0.97 to 0.3, a loss of 0.1 to 0.3."""

OWN_SHARE = 0.1
"""The part of the error rate that the plain paired t-test gets where the noise is known too. It decides where the same
seed gives both cells nearly the same figure."""

SPENT = ((1, 0.3), (3, 0.85), (8, 0.95))
"""(Seeds, the part of the error rate that is spent up to there) of a run that looks several times. The rest is spent
at its last round."""

SPENT_SAME = ((1, 0.1), (3, 0.3), (8, 0.6))
"""The same for equivalence, which a few seeds rarely show."""

HOPELESS = 2000
"""More seeds than this are not reported."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The material of one comparison."""

    metric: Metric
    before: Values
    after: Values
    noise: Noise | None = None
    """Of one run with another seed. None: not known."""
    by_chance: bool = False
    """Equal figures are so by chance, since another figure of the same trainings differs."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """What a test of the common seeds found.

    It is not yet corrected for many comparisons.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    p: float
    same: bool
    floor: float
    spread: float
    reach: float
    """Half the width of the interval of the shift."""
    df: int
    """Degrees of freedom of the noise that was known beforehand; 0 where none was."""

    @property
    def shift(self) -> float:
        return fmean(a - b for b, a in zip(self.before, self.after, strict=True))


def judge_seeded(
    baseline: dict[int, list[Metric]], candidate: dict[int, list[Metric]], settings: JudgeSettings
) -> Ruling:
    """Judge one comparison by the spread of its own seeds alone."""
    metric = next(iter(candidate.values()))[0]
    before, after = ({seed: seed_noise.mean(m) for seed, m in side.items()} for side in (baseline, candidate))
    return judge_together([Seeded(metric, before, after)], settings)[0]


def judge_together(material: Sequence[Seeded], settings: JudgeSettings) -> list[Ruling]:
    """Judge all seed-dependent comparisons of a run.

    They share one error rate (Holm).

    Normality across seeds is assumed (unlike for timings): seeds cost whole trainings, and with the handful there
    are no exact test could ever decide.
    """
    found = [_tested(item, settings) for item in material]
    order = sorted((i for i, one in enumerate(found) if isinstance(one, _Tested)), key=lambda i: _p(found[i]))
    adjusted, largest = {}, 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, _p(found[i]) * (len(order) - rank)))
        adjusted[i] = max(largest, min(1.0, _p(found[i]) * settings.alpha / settings.per_comparison))
    return [
        _verdict(item, one, adjusted[i], settings) if isinstance(one, _Tested) else one
        for i, (item, one) in enumerate(zip(material, found, strict=True))
    ]


def _p(one: Ruling | _Tested) -> float:
    return one.p if isinstance(one, _Tested) else 1.0


def _tested(item: Seeded, settings: JudgeSettings) -> Ruling | _Tested:
    """Test a comparison, or decide it where there is nothing to test."""
    seeds = sorted(item.before.keys() & item.after.keys())
    pairs = [(item.before[s], item.after[s]) for s in seeds]
    lost = sum(math.isfinite(b) and not math.isfinite(a) for b, a in pairs)
    if lost:
        return Verdict.REGRESSED, f"not finite for {lost} of {len(seeds)} seeds", Evidence(n=len(seeds))
    pairs = [(b, a) for b, a in pairs if math.isfinite(b) and math.isfinite(a)]
    if not pairs:
        return Verdict.NOT_COMPARABLE, "no seed in common" if not seeds else "no finite figure", Evidence(n=0)
    n = len(pairs)
    before, after = zip(*pairs, strict=True)
    if before == after and not item.by_chance:
        return (
            Verdict.SAME,
            f"equal for {'all ' if n > 1 else ''}{n} seed{_s(n)}",
            Evidence(n=n, effect=0.0, classification="bit-equal"),
        )
    if n >= LEAST and len({*before}) == len({*after}) == 1:
        return _seedless(item, before, after, settings)
    if item.noise is None and n < LEAST:
        return _unknown(item, before, after)
    return _looked(item, before, after, settings)


def _unknown(item: Seeded, before: Sequence[float], after: Sequence[float]) -> Ruling:
    """Judge fewer seeds than show their spread, of a figure whose noise is not known."""
    n, shift = len(before), fmean(after) - fmean(before)
    evidence = Evidence(n=n, effect=_relative(shift, before))
    if all(abs(a - b) > GROSS * max(abs(a), abs(b)) for b, a in zip(before, after, strict=True)):
        return _changed(item.metric, shift, f"{fmean(before):.4g} -> {fmean(after):.4g}", evidence)
    reason = f"{shift:+.4g} with {n} seed{_s(n)}: {LEAST} are the least for a verdict"
    return Verdict.INCONCLUSIVE, reason, replace(evidence, rounds_needed=LEAST - n)


def _seedless(
    item: Seeded, before: tuple[float, ...], after: tuple[float, ...], settings: JudgeSettings
) -> Ruling | _Tested:
    """Judge figures on which the seed has no effect: they count as one run."""
    if item.noise is not None:
        return replace(_test(item, before[:1], after[:1], settings.alpha), df=0)
    verdict, reason, evidence = _unknown(item, before[:1], after[:1])
    if verdict == Verdict.INCONCLUSIVE:
        reason = f"{after[0] - before[0]:+.4g}, the same with all {len(before)} seeds: the seed has no effect"
    return verdict, reason, replace(evidence, rounds_needed=None)


def _looked(item: Seeded, before: tuple[float, ...], after: tuple[float, ...], settings: JudgeSettings) -> _Tested:
    """Test at every look so far.

    The smallest p over its share of the error rate counts, as for timings. Where the noise is not known, there is one
    look at all seeds.
    """
    n = len(before)
    latest = _test(item, before, after, settings.alpha)
    if item.noise is None or not settings.sequential:
        return latest
    p, same = 1.0, False
    for (seeds, share), (_, same_share) in zip(looks(SPENT, n, settings), looks(SPENT_SAME, n, settings), strict=True):
        found = _test(item, before[:seeds], after[:seeds], settings.alpha * same_share)
        p, same = min(p, found.p / share), same or found.same
    return replace(latest, p=p, same=same)


def looks(spent: Sequence[tuple[int, float]], n: int, settings: JudgeSettings) -> list[tuple[int, float]]:
    """The looks up to n seeds: after how many, and their shares of the error rate."""
    last = max(n, settings.max_rounds)
    planned = [*((seeds, part) for seeds, part in spent if seeds < last), (last, 1.0)]
    shares = [(s, part - before) for (s, part), (_, before) in zip(planned, [(0, 0.0), *planned], strict=False)]
    return [(seeds, share) for seeds, share in shares if seeds <= n]


def _test(item: Seeded, before: tuple[float, ...], after: tuple[float, ...], alpha: float) -> _Tested:
    """The moderated paired t-test, and the plain one where there are enough seeds.

    Each has its part of the error rate, so that either may decide. Of the two intervals the narrower one counts.
    """
    n = len(before)
    d = [a - b for b, a in zip(before, after, strict=True)]
    shift = fmean(d)
    own = max(_deviation(d), item.noise.scale.step if item.noise else 0.0) if n > 1 else 0.0
    tests: list[tuple[float, int, float]] = []  # standard error, degrees of freedom, share of the error rate
    if item.noise is None:
        spread, known = max(_deviation(before), _deviation(after)), 0
    else:
        level = seed_noise.better_of(item.metric, fmean(before), fmean(after))
        spread, known = item.noise.spread(level), item.noise.df
        squares = known * 2 * spread**2 + (n - 1) * own**2
        tests.append((math.sqrt(squares / (known + n - 1) / n), known + n - 1, 1 - OWN_SHARE))
    if n >= LEAST:
        tests.append((own / math.sqrt(n), n - 1, OWN_SHARE))
    if len(tests) == 1:
        tests = [(*tests[0][:2], 1.0)]
    p = min(2 * student_tail(abs(shift) / error if error else math.inf, df) / share for error, df, share in tests)
    reach = min(student_quantile(alpha / 2, df) * error for error, df, _ in tests)
    floor = FLOOR * spread
    same = shift - reach > -2 * floor and shift + reach < 2 * floor
    return _Tested(before, after, min(1.0, p), same, floor, spread, reach, known)


def _verdict(item: Seeded, found: _Tested, adjusted: float, settings: JudgeSettings) -> Ruling:
    n, shift = len(found.before), found.shift
    evidence = Evidence(
        n=n, effect=_relative(shift, found.before), p=found.p, p_adjusted=adjusted, spread=found.spread or None
    )
    if center := abs(fmean(found.before)):  # relative to zero there is no interval
        low, high = (shift - found.reach) / center, (shift + found.reach) / center
        evidence = replace(evidence, low=low, high=high, floor=found.floor / center)
    figures = f"{fmean(found.before):.4g} -> {fmean(found.after):.4g} over {n} seed{_s(n)}"
    others = f"; other seeds differ by {found.spread:.2g}" if found.df else ""
    if adjusted <= settings.alpha and abs(shift) > found.floor:
        return _changed(item.metric, shift, f"{figures}, p {found.p:.2g}{others}", evidence)
    if found.same:
        return Verdict.SAME, f"{figures}: within the spread of the seeds", evidence
    needed = seeds_needed(found, settings)
    more = f", about {needed} more seed{_s(needed)}" if needed else ""
    reason = f"{figures}: neither a change nor its absence is shown{others}{more}"
    return Verdict.INCONCLUSIVE, reason, replace(evidence, rounds_needed=needed)


def seeds_needed(found: _Tested, settings: JudgeSettings) -> int | None:
    """How many more seeds a decision needs.

    None where the noise is not known or the number is hopeless.

    The usual sample size with 80 % power: of the shift that was seen, or of its absence, whichever takes fewer. A shift
    within two standard errors is taken for none in the latter.
    """
    if not found.df:
        return None
    n, size = len(found.before), abs(found.shift)
    deviation = math.sqrt(2) * found.spread
    totals = []
    if size > found.floor:
        z = NormalDist().inv_cdf(1 - settings.per_comparison / 2) + NormalDist().inv_cdf(0.8)
        totals.append((z * deviation / size) ** 2)
    left = 2 * found.floor - (0.0 if size < 2 * deviation / math.sqrt(n) else size)
    if left > 0:
        z = NormalDist().inv_cdf(1 - settings.alpha / 2) + NormalDist().inv_cdf(0.9)
        totals.append((z * deviation / left) ** 2)
    if not totals or min(totals) > HOPELESS:
        return None
    return max(1, math.ceil(min(totals)) - n)


def _changed(metric: Metric, shift: float, figures: str, evidence: Evidence) -> Ruling:
    if metric.better != Better.NEITHER and (shift > 0) == (metric.better == Better.HIGHER):
        return Verdict.IMPROVED, f"{figures}: suspiciously good, see that it is real", evidence
    return Verdict.REGRESSED, figures, evidence


def _relative(shift: float, before: Sequence[float]) -> float | None:
    center = fmean(before)
    return shift / abs(center) if center else None


def _deviation(values: Sequence[float]) -> float:
    return math.sqrt(seed_noise.variance(values))


def _s(count: int) -> str:
    return "" if count == 1 else "s"


@lru_cache(maxsize=4096)
def student_tail(t: float, df: int) -> float:
    """P(T > t) of Student's t for t >= 0 and whole degrees of freedom.

    Abramowitz & Stegun 26.7.3, 26.7.4.
    """
    if math.isinf(t):
        return 0.0
    theta = math.atan2(t, math.sqrt(df))
    cos2 = math.cos(theta) ** 2
    term = total = 1.0
    start = 2 if df % 2 else 1
    for k in range(start, df - 1, 2):
        term *= cos2 * k / (k + 1)
        total += term
    if df % 2:
        inner = theta + (math.sin(theta) * math.cos(theta) * total if df > 1 else 0.0)
        inside = 2 / math.pi * inner
    else:
        inside = math.sin(theta) * total
    return max(0.0, (1 - inside) / 2)


@lru_cache(maxsize=4096)
def student_quantile(tail: float, df: int) -> float:
    """The t with P(T > t) = tail, by bisection."""
    low, high = 0.0, 1.0
    while student_tail(high, df) > tail:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, df) > tail else (low, middle)
    return high
