"""Timings: an exact test of paired log-ratios per round.

An early test can show large changes before. Alpha is spent over the looks; ``same`` needs equivalence.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

import numpy as np
from numpy.typing import NDArray

from runner.judge import calibration, moderated, ranks
from runner.judge.paired import Paired
from runner.judge.ranks import Floats
from runner.judge.settings import SAME_SPENDING_POWER, JudgeSettings
from runner.model import Better, Evidence, Verdict

Rows = NDArray[np.intp]

_HOPELESS = 2000
"""More rounds than this are not reported: the effect is so near the floor that the number would be arbitrary."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, what it rests on and a sentence fragment."""

    verdict: Verdict
    reason: str
    evidence: Evidence


def judge_timings(material: Sequence[Paired], settings: JudgeSettings) -> list[Judged]:
    """Judge all timing comparisons of a run together, since they share one error rate."""
    if not material:
        return []
    margin = np.array([math.log1p(item.floor) for item in material])
    looked = _looks(material, margin, settings)
    p = np.minimum(1.0, 2 * looked.p)
    adjusted = np.maximum(ranks.holm(p), np.minimum(1.0, p * settings.alpha / settings.per_comparison))
    columns = zip(
        looked.shift, looked.low, looked.high, p, adjusted, looked.p_same, looked.sigma, looked.known, strict=True
    )
    rows = (_Row(*map(float, column)) for column in columns)
    return [_verdict(item, row, settings) for item, row in zip(material, rows, strict=True)]


@dataclass(frozen=True, slots=True)
class _Looked:
    shift: Floats
    low: Floats
    high: Floats
    p: Floats
    """One-sided, the smaller side, weighted by the looks: valid at any alpha."""
    p_same: Floats
    sigma: Floats
    """Noise per round as the last early look saw it, or NaN."""
    known: Floats
    """One where other comparisons or a calibration state the noise of a comparison, else zero."""


@dataclass(frozen=True, slots=True)
class _Row:
    shift: float
    low: float
    high: float
    p: float
    p_adjusted: float
    p_same: float
    sigma: float
    known: float


def _looks(material: Sequence[Paired], margin: Floats, settings: JudgeSettings) -> _Looked:
    """Sequential p-values: the smallest alpha that some look so far rejects at.

    Under alpha_k = share_k * alpha, that is min over the looks of p_k / share_k; Holm's procedure on such
    p-values keeps the family's error rate at every look (Ye, Li, Liu & Yao, Statist. Med. 32 (2013) 1112). Only
    whole looks count: one that was begun gives an estimate and no p-value, or it would be one look more.
    """
    m = len(material)
    looked = _Looked(*(np.full(m, fill) for fill in (np.nan, -np.inf, np.inf, 1.0, np.inf, np.nan, 0.0)))
    _look_early(looked, material, margin, settings)
    seen = [0] * m
    for look, share, same_share in zip(
        settings.exact_looks, settings.exact_shares, settings.spent(SAME_SPENDING_POWER), strict=True
    ):
        level = settings.alpha * same_share
        due: dict[int, list[int]] = {}
        for i, item in enumerate(material):
            if settings.sequential and item.reached < look:
                continue
            n = _before(item, look, settings)
            if n:
                due.setdefault(n, []).append(i)
                seen[i] = n
        for rows, found in _tested(material, due, margin, level):
            _merge(looked, rows, found, share, same_share, settings.alpha)
    rest: dict[int, list[int]] = {}
    for i, item in enumerate(material):
        if seen[i] != len(item.rounds):
            rest.setdefault(len(item.rounds), []).append(i)
    first = settings.alpha * settings.spent(SAME_SPENDING_POWER)[0]
    for rows, found in _tested(material, rest, margin, first):
        _estimate(looked, rows, found, settings.alpha)
    return looked


def _look_early(looked: _Looked, material: Sequence[Paired], margin: Floats, settings: JudgeSettings) -> None:
    """Look for large changes.

    A comparison that was decided after three rounds and measured no more still says what the noise is at the look
    after five.
    """
    shared = Counter(item.figure for item in material)
    calibrated = [_calibrated(item, settings) for item in material]
    told = [shared[item.figure] > 1 or noise is not None for item, noise in zip(material, calibrated, strict=True)]
    looked.known[:] = told
    for look, share in zip(settings.early_looks, settings.early_shares, strict=True):
        begun = [
            moderated.Rounds(
                () if item.flaw else item.ratios[: _before(item, look, settings)], item.figure, calibrated[i]
            )
            for i, item in enumerate(material)
        ]
        found = moderated.noise(begun)
        whole = np.array([not settings.sequential or item.reached >= look for item in material])
        p = np.where(whole, moderated.p_values(begun, found, margin), 1.0) / 2
        looked.p[:] = np.minimum(looked.p, p / share)
        seen = np.array([len(one.ratios) >= moderated.LEAST for one in begun])
        looked.sigma[seen] = np.exp(found.center[seen])


def _before(item: Paired, look: int, settings: JudgeSettings) -> int:
    """How many of the rounds count at a look."""
    return bisect_left(item.rounds, look) if look < settings.max_rounds else len(item.rounds)


def _calibrated(item: Paired, settings: JudgeSettings) -> float | None:
    """The A/A noise of the noisier cell, where it was measured."""
    keys = (calibration.key(cell, *item.figure) for cell in item.cells) if settings.noise else ()
    return max((settings.noise[key] for key in keys if key in settings.noise), default=None)


def _tested(
    material: Sequence[Paired], by_n: Mapping[int, list[int]], margin: Floats, level: float
) -> Iterator[tuple[Rows, ranks.Ranked]]:
    """Test the first n rounds of comparisons, those of equal n together."""
    for n, rows in by_n.items():
        d = np.array([material[i].ratios[:n] for i in rows])
        yield np.array(rows), ranks.signed_rank(d, margin[rows], level)


def _merge(looked: _Looked, rows: Rows, found: ranks.Ranked, share: float, same_share: float, alpha: float) -> None:
    looked.p[rows] = np.minimum(looked.p[rows], np.minimum(found.p_up, found.p_down) / share)
    _estimate(looked, rows, found, alpha)
    looked.p_same[rows] = np.minimum(looked.p_same[rows], found.p_same / same_share)


def _estimate(looked: _Looked, rows: Rows, found: ranks.Ranked, alpha: float) -> None:
    """Take over the latest estimate and interval.

    An interval that has shown ``same`` stays.
    """
    looked.shift[rows] = found.shift
    shown = looked.p_same[rows] <= alpha
    looked.low[rows] = np.where(shown, looked.low[rows], found.low)
    looked.high[rows] = np.where(shown, looked.high[rows], found.high)


def _verdict(item: Paired, row: _Row, settings: JudgeSettings) -> Judged:
    n = len(item.ratios)
    if not n:
        return Judged(Verdict.INCONCLUSIVE, item.flaw or "no round that both completed", Evidence(floor=item.floor))
    margin = math.log1p(item.floor)
    significant = row.p_adjusted <= settings.alpha and abs(row.shift) > margin
    same = row.p_same <= settings.alpha and not significant
    if item.flaw:
        verdict = Verdict.INCONCLUSIVE
    elif significant:
        worse = (row.shift > 0) != (item.better == Better.HIGHER)
        verdict = Verdict.REGRESSED if worse else Verdict.IMPROVED
    else:
        verdict = Verdict.SAME if same else Verdict.INCONCLUSIVE
    needed = None
    if verdict == Verdict.INCONCLUSIVE and not item.flaw:
        needed = rounds_needed(item, row.shift, settings, sigma=row.sigma, known=row.known > 0)
    evidence = Evidence(
        n=n,
        effect=math.expm1(row.shift),
        low=math.expm1(row.low) if math.isfinite(row.low) else None,
        high=math.expm1(row.high) if math.isfinite(row.high) else None,
        p=row.p,
        p_adjusted=row.p_adjusted,
        floor=item.floor,
        rounds_needed=needed,
    )
    return Judged(verdict, item.flaw or _reason(verdict, evidence), evidence)


def _reason(verdict: Verdict, evidence: Evidence) -> str:
    effect, floor = evidence.effect or 0.0, evidence.floor or 0.0
    if verdict == Verdict.SAME:
        return f"{effect:+.1%}, shown to lie within ±{floor:.0%}"
    if verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
        return f"{effect:+.1%}, p {evidence.p_adjusted:.2g} corrected"
    more = f", about {evidence.rounds_needed} more round{_s(evidence.rounds_needed)}" if evidence.rounds_needed else ""
    return f"{effect:+.1%} after {evidence.n} round{_s(evidence.n)}: neither a change nor its absence is shown{more}"


def rounds_needed(
    item: Paired, shift: float, settings: JudgeSettings, *, sigma: float = math.nan, known: bool = False
) -> int | None:
    """How many more rounds a decision needs, with this effect and noise.

    None where hopeless.

    ``sigma``: noise per round as the last early look saw it. ``known``: whether others state the noise.

    Normal approximation with 80 % power, by the usual sample size formula n = ((z_a + z_b) * sigma / distance)^2,
    efficiency 0.83 of the Winsorised ranks and 3/pi of Wilcoxon's; never below what the exact test needs to reach its
    level at all.
    """
    n = len(item.ratios)
    margin = math.log1p(item.floor)
    change = abs(shift) > margin
    early = moderated.rounds_for(shift, item.reached, None if math.isnan(sigma) else sigma, known=known)
    if change and early is not None:
        return early - item.reached
    level = settings.per_comparison / 2 if change else settings.alpha
    least = ranks.smallest_n(level)
    distance = abs(shift) if change else margin - abs(shift)
    spread = 1.4826 * median(abs(d - shift) for d in item.ratios) if n > 2 else 0.0
    # equivalence can fail on either side, so that half of the misses are on each
    z = NormalDist().inv_cdf(1 - level) + NormalDist().inv_cdf(0.8 if change else 0.9)
    efficiency = 0.83 if change else 3 / math.pi
    if n > 2 and (z * spread) ** 2 > _HOPELESS * efficiency * distance**2:
        return None
    total = math.ceil((z * spread / distance) ** 2 / efficiency) if distance > 0 else least
    return max(1, max(least, total) - n)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
