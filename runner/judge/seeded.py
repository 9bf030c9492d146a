"""Figures that depend on the seed: accuracy, loss, epochs to a goal.

The seed is the unit and pairs the cells.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from statistics import fmean

from runner.judge.exact import Ruling
from runner.judge.settings import JudgeSettings
from runner.model import Better, Evidence, Metric, Verdict

FLOOR = 0.5
"""Smallest shift that counts, in standard deviations from seed to seed of the baseline. Less than that is what
another choice of seeds does."""

LEAST = 3
"""Fewest seeds for a verdict that rests on their spread."""

LARGEST = 1e150
"""What is beyond (or not finite) does not count as a figure: its square would not be finite."""

GROSS = 2 / 3
"""A change by this part of the larger figure in every seed needs no statistics: 0.97 to 0.3, a loss of 0.1 to 0.3."""


def judge_seeded(
    baseline: dict[int, list[Metric]], candidate: dict[int, list[Metric]], settings: JudgeSettings
) -> Ruling:
    """Judge the paired differences of the common seeds by the t-test.

    Normality across seeds is assumed (unlike for timings): seeds cost whole trainings, and with the handful there
    are no exact test could ever decide.
    """
    seeds = sorted(baseline.keys() & candidate.keys())
    before = [_mean(baseline[s]) for s in seeds]
    after = [_mean(candidate[s]) for s in seeds]
    lost = sum(math.isfinite(b) and not math.isfinite(a) for b, a in zip(before, after, strict=True))
    if lost:
        return Verdict.REGRESSED, f"not finite for {lost} of {len(seeds)} seeds", Evidence(n=len(seeds))
    usable = [(b, a) for b, a in zip(before, after, strict=True) if math.isfinite(b) and math.isfinite(a)]
    if not usable:
        return Verdict.NOT_COMPARABLE, "no seed in common" if not seeds else "no finite figure", Evidence(n=0)
    before, after = [b for b, _ in usable], [a for _, a in usable]
    d = [a - b for b, a in usable]
    n, shift = len(d), fmean(d)
    center = fmean(before)
    effect = shift / abs(center) if center else None
    if all(x == 0 for x in d):
        return (
            Verdict.SAME,
            f"equal for {'all ' if n > 1 else ''}{n} seed{_s(n)}",
            Evidence(n=n, effect=0.0, classification="bit-equal"),
        )
    if all(abs(a - b) > GROSS * max(abs(a), abs(b)) for b, a in usable) and n < LEAST:
        return _changed(d, candidate, f"{fmean(before):.4g} -> {fmean(after):.4g}", Evidence(n=n, effect=effect))
    if n < LEAST:
        reason = f"{shift:+.4g} with {n} seed{_s(n)}: {LEAST} are the least for a verdict"
        return Verdict.INCONCLUSIVE, reason, Evidence(n=n, effect=effect, rounds_needed=LEAST - n)
    return _tested(d, before, after, candidate, effect, settings)


def _tested(
    d: list[float],
    before: list[float],
    after: list[float],
    candidate: dict[int, list[Metric]],
    effect: float | None,
    settings: JudgeSettings,
) -> Ruling:
    n, shift, spread = len(d), fmean(d), stdev(d)
    floor = FLOOR * max(stdev(before), stdev(after))
    error = spread / math.sqrt(n)
    p = 2 * student_tail(abs(shift) / error if error else math.inf, n - 1)
    reach = student_quantile(settings.alpha / 2, n - 1) * error
    evidence = Evidence(n=n, effect=effect, p=p)
    if center := abs(fmean(before)):  # relative to zero there is no interval
        evidence = replace(evidence, low=(shift - reach) / center, high=(shift + reach) / center, floor=floor / center)
    figures = f"{fmean(before):.4g} -> {fmean(after):.4g} over {n} seeds"
    if p <= settings.per_comparison and abs(shift) > floor:
        return _changed(d, candidate, f"{figures}, p {p:.2g}", evidence)
    if shift - reach > -2 * floor and shift + reach < 2 * floor:
        return Verdict.SAME, f"{figures}: within the spread of the seeds", evidence
    return Verdict.INCONCLUSIVE, f"{figures}: neither a change nor its absence is shown", evidence


def _changed(d: list[float], candidate: dict[int, list[Metric]], figures: str, evidence: Evidence) -> Ruling:
    better = next(iter(candidate.values()))[0].better
    if better != Better.NEITHER and (fmean(d) > 0) == (better == Better.HIGHER):
        return Verdict.IMPROVED, f"{figures}: suspiciously good, see that it is real", evidence
    return Verdict.REGRESSED, figures, evidence


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _mean(metrics: list[Metric]) -> float:
    values = [m.value for m in metrics]
    if len(values) == 1 and type(values[0]) is float:
        return values[0] if abs(values[0]) <= LARGEST else math.nan
    numbers = [float(v) for v in values if isinstance(v, int | float) and abs(v) <= LARGEST]
    return fmean(numbers) if len(numbers) == len(values) and numbers else math.nan


def stdev(values: list[float]) -> float:
    """The standard deviation of at least two figures, exactly rounded.

    ``statistics.stdev`` gives the same, but took a fifth of the time of a report: its fractions are reduced at every
    step. Floats are whole numbers over a power of two, so that their common denominator is the largest one.
    """
    ratios = [value.as_integer_ratio() for value in values]
    scale = max([denominator for _, denominator in ratios])
    whole = [numerator * (scale // denominator) for numerator, denominator in ratios]
    n = len(values)
    return _root(n * sum([x * x for x in whole]) - sum(whole) ** 2, n * (n - 1) * scale * scale)


def _root(numerator: int, denominator: int) -> float:
    """The square root of a fraction, exactly rounded: two bits more than a float has, the last of them sticky."""
    shift = (denominator.bit_length() - numerator.bit_length() + 110) // 2
    if shift > 0:
        numerator <<= 2 * shift
    else:
        denominator <<= -2 * shift
    root = math.isqrt(numerator // denominator)
    root |= root * root * denominator != numerator
    return root / (1 << shift) if shift > 0 else float(root << -shift)


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


@lru_cache(maxsize=1024)
def student_quantile(tail: float, df: int) -> float:
    """The t with P(T > t) = tail, by bisection."""
    low, high = 0.0, 1.0
    while student_tail(high, df) > tail:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, df) > tail else (low, middle)
    return high
