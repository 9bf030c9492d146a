"""Finds the change points of a series, corrected over all splits tried.

The figures of one cell in successive runs, or of successive releases, are a series. A *change point* is the first
point of a new level. Three questions are asked, in this order:

1. *Where?* All ways to cut the series into up to ``_most(n)`` + 1 pieces are searched by dynamic programming
   (Auger & Lawrence, Bull. Math. Biol. 51 (1989) 39): the sum of squares of the ranks around their means is the least.
   Ranks, so that one slow run moves nothing.
2. *Is there a change at all?* The two sides of a split are compared by Winsorised ranks (see ``runner.judge.ranks``)
   in their form for two samples: a_i = max(-1/4, min(1/4, rank / m - 1/2)) for the m points of both sides. The
   statistic is the largest standardised sum over all splits of those m points, so its p-value is corrected over them.
   It is the exact distribution under permutation up to ``EXACT`` points (by a fixed draw of permutations), above it
   the bound of James, James & Siegmund (Biometrika 74 (1987) 71). Holm's idea over pieces: a piece of m among n points
   may spend m / n of ``alpha``.
3. *Is it more than the noise wanders?* Successive figures are not independent: a host has slow spells, so that the
   level of twenty unchanged points is not that of the next twenty. How far levels wander is estimated from blocks of
   the series itself, and squeezed to what the recordings in bench/judge have (``WANDER``); long series speak for
   themselves. The change must exceed ``TIMES`` standard errors that include it, and ``floor``.

The fewest pieces of which every neighbouring two pass are taken, and each piece is searched again. Series of fewer
than ``RANKED`` points cannot reach 1 % by ranks. There, both sides must be separate, and the guard, with a prior of
the noise, decides alone: it finds large changes only.

The price is power where the noise is independent from point to point but large: a change of 20 + 20 points must be
about four times the noise. A host's slow spells are real steps in its figures, and that is how large they get.

``python bench/judge/changes.py`` prints the error rates. Everything is deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from runner.judge.ranks import Floats

FEWEST = 5
"""Shorter series have no change points."""

RANKED = 10
"""From so many points on, ranks decide; with fewer no order of ranks is rarer than 1 %."""

MOST = 400
"""Of longer series, the last so many points are searched."""

EXACT = 24
"""Up to so many points the p-value is that of permutations."""

DRAWS = 10_000

WANDER = 0.65
"""Standard deviation of the level of successive pieces, relative to the noise within them (recordings: 0.4 to 0.9).
Chosen, as ``TIMES`` and ``FEW``, on the four recordings in bench/judge that are older than this module."""

WANDER_WEIGHT = 8
"""``WANDER`` counts like so many blocks of the series."""

BLOCK = 10
"""Points of a block."""

TIMES = 4.5
"""A change exceeds so many of its standard errors."""

FEW = 3.0
"""With m points the change exceeds (1 + FEW / m) times that, as their noise is known less well."""

NOISE = 0.05
"""Noise from point to point where nothing is known; counts like ``NOISE_WEIGHT`` points in a series of few."""

NOISE_WEIGHT = 1

TINY = 1e-3
"""Added to every noise: figures that never vary can still have been rounded."""

_EDGE = 0.25


@dataclass(frozen=True, slots=True)
class Change:
    """A new level that begins at one point of a series."""

    index: int
    """The first point after the change."""
    effect: float
    """Relative change of the level: 0.1 is +10 % (Hodges-Lehmann estimate of the two sides)."""
    low: float
    high: float
    """Its interval, with the wander of levels, at ``1 - alpha``."""
    p: float
    """Corrected over all splits that were tried."""


def changes(values: Sequence[float], *, alpha: float = 0.01, floor: float = 0.05) -> tuple[Change, ...]:
    """Return the change points of a series, in its order.

    ``values``: 5 or more positive figures in the order of time or of releases; those that are not finite have no say.
    Figures that are not all positive are compared by differences, relative to their median size.
    ``alpha``: chance of any change point in an unchanged series. ``floor``: the smallest relative change that counts.
    """
    given = np.array(values, dtype=np.float64)
    kept = np.flatnonzero(np.isfinite(given))[-MOST:]
    if len(kept) < FEWEST:
        return ()
    figures = given[kept]
    positive = bool((figures > 0).all())
    x: Floats = np.log(figures) if positive else figures / (_median(np.abs(figures)) or 1.0)
    margin = math.log1p(floor) if positive else floor
    cuts = _searched(x, alpha, margin)
    edges = [0, *cuts, len(x)]
    found = []
    for before, at, after in zip(edges, edges[1:], edges[2:], strict=False):
        seen = _seen(x[before:at], x[at:after])
        reach = seen.error * _z(alpha)
        ends = (seen.shift, seen.shift - reach, seen.shift + reach)
        effect, low, high = map(math.expm1, ends) if positive else ends
        p = min(1.0, _p_value(x[before:after], seen) * len(x) / (after - before))
        found.append(Change(int(kept[at]), effect, low, high, p))
    return tuple(found)


def _searched(x: Floats, alpha: float, margin: float) -> list[int]:
    """The change points of a piece and of the pieces they make, ascending."""
    waiting, found = [(0, len(x))], []
    while waiting:
        begin, end = waiting.pop()
        if end - begin < FEWEST:
            continue
        cuts = [begin + cut for cut in _cuts(x[begin:end], alpha * (end - begin) / len(x), margin)]
        found += cuts
        edges = [begin, *cuts, end]
        waiting += list(pairwise(edges)) if cuts else []
    return sorted(found)


def _cuts(x: Floats, alpha: float, margin: float) -> list[int]:
    """The fewest cuts of which each passes; none where no number does."""
    if float(x.max() - x.min()) <= margin:
        return []
    for raw in _best(x):
        if not _worth(x, raw, margin):
            continue
        cuts = _moved(x, raw)
        edges = [0, *cuts, len(x)]
        pieces = list(zip(edges, edges[1:], edges[2:], strict=False))
        if all(_passes(x[a:b], x[b:c], alpha * (c - a) / len(x), margin) for a, b, c in pieces):
            return cuts
    return []


def _worth(x: Floats, cuts: list[int], margin: float) -> bool:
    """Whether all levels differ by half of what a change needs at least.

    Most series end here, in little time.
    """
    edges = [0, *cuts, len(x)]
    pieces = [x[a:b] for a, b in pairwise(edges)]
    levels = [_median(piece) for piece in pieces]
    rest = np.concatenate([np.abs(piece - level) for piece, level in zip(pieces, levels, strict=True)])
    least = max(margin / 2, 1.4826 * _median(rest))
    return all(abs(b - a) > least for a, b in pairwise(levels))


def _passes(one: Floats, other: Floats, alpha: float, margin: float) -> bool:
    seen = _seen(one, other)
    few = 1 + FEW / (len(one) + len(other))
    if abs(seen.shift) <= max(margin, TIMES * few * seen.error):
        return False
    return _p_value(np.concatenate([one, other]), seen) <= alpha


def _most(n: int) -> int:
    """The most cuts that are tried at once."""
    return min(8, 1 + n // 12)


def _least(n: int) -> int:
    """The fewest points of a piece."""
    return 2 if n < RANKED else 3


def _best(x: Floats) -> Iterator[list[int]]:
    """For 1, 2, ... cuts, where they make the sum of squares of the ranks least."""
    n, least = len(x), _least(len(x))
    r = _ranks(x)
    r -= r.mean()
    total = np.concatenate([[0.0], np.cumsum(r)])
    square = np.concatenate([[0.0], np.cumsum(r * r)])
    size = np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = (square[None, :] - square[:, None]) - (total[None, :] - total[:, None]) ** 2 / size
    cost[size < least] = np.inf
    best, back = cost[0], []
    for _ in range(_most(n)):
        ways = best[:, None] + cost
        back.append(ways.argmin(axis=0))
        best = ways.min(axis=0)
        if not math.isfinite(best[n]):
            break
        cuts, at = [], n
        for step in reversed(back):
            at = int(step[at])
            cuts.append(at)
        yield cuts[::-1]


def _moved(x: Floats, cuts: list[int]) -> list[int]:
    """Move each cut to where the squares of its two pieces are least.

    Figures far from both levels are drawn in. Ranks alone place a cut less exactly, above all where one side is longer.
    """
    edges = [0, *cuts, len(x)]
    for i in range(1, len(edges) - 1):
        begin, at, end = edges[i - 1 : i + 2]
        one, other = x[begin:at], x[at:end]
        levels = _median(one), _median(other)
        rest = np.abs(np.concatenate([one - levels[0], other - levels[1]]))
        reach = 2.5 * (1.4826 * _median(rest) + TINY)
        drawn = np.clip(x[begin:end], min(levels) - reach, max(levels) + reach)
        least = min(_least(len(x)), (end - begin) // 2)
        z = _statistics(drawn - drawn.mean())[least - 1 : end - begin - least]
        edges[i] = begin + least + int(z.argmax())
    return edges[1:-1]


def _median(x: Floats) -> float:
    """The median. ``np.median`` takes longer than the rest of this module together."""
    ordered = np.sort(x)
    return float(ordered[(len(x) - 1) // 2]) / 2 + float(ordered[len(x) // 2]) / 2  # their sum may be infinite


def _quantile(x: Floats, q: float) -> float:
    ordered, at = np.sort(x), q * (len(x) - 1)
    below = int(at)
    above = min(below + 1, len(x) - 1)
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))


def _ranks(x: Floats) -> Floats:
    """Ranks from 1; equal figures share their mean."""
    _, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Floats = (last - (counts - 1) / 2)[where]
    return middle


def _scores(x: Floats) -> Floats:
    """Winsorised ranks of two samples together, around zero."""
    scores = np.clip((_ranks(x) - 0.5) / len(x) - 0.5, -_EDGE, _EDGE)
    centred: Floats = scores - scores.mean()
    return centred


def _statistics(scores: Floats) -> Floats:
    """|z| of the split after 1 .. m - 1 points, by the variance under permutation."""
    m = scores.shape[-1]
    k = np.arange(1, m)
    variance = (scores**2).sum(axis=-1, keepdims=True) / (m - 1) * k * (m - k) / m
    z: Floats = np.abs(np.cumsum(scores, axis=-1)[..., :-1]) / np.sqrt(variance + 1e-300)
    return z


@dataclass(frozen=True, slots=True)
class _Seen:
    shift: float
    error: float
    """Standard error of the shift, with the wander of levels."""
    at: int


def _seen(one: Floats, other: Floats) -> _Seen:
    shift = _median((other[:, None] - one[None, :]).ravel())
    apart = [one - _median(one), other - _median(other)]
    rest = np.concatenate(apart)
    m = len(rest)
    edge = _quantile(np.abs(rest), 0.9)
    squares = float((np.clip(rest, -edge, edge) ** 2).sum())
    noise2 = squares / max(1, m - 2)
    if m < RANKED:
        noise2 = (squares + NOISE_WEIGHT * NOISE**2) / (m - 2 + NOISE_WEIGHT)
    noise2 += TINY**2
    slow = max(1.0, _slowness(rest))
    wander2 = _wander2(apart, noise2)
    error = math.sqrt(noise2 * slow * (1 / len(one) + 1 / len(other)) + 2 * wander2)
    return _Seen(shift, error, len(one))


def _slowness(rest: Floats) -> float:
    """Variance of a mean of these points, relative to that of independent ones.

    By the autocorrelation from point to point. Its bias, from removing two levels, is 2 / m.
    """
    edge = _quantile(np.abs(rest), 0.9)
    r = np.clip(rest, -edge, edge)
    total = float((r * r).sum())
    if total <= 0:
        return 1.0
    rho = min(0.9, max(0.0, float((r[1:] * r[:-1]).sum()) / total + 2 / len(r)))
    return (1 + rho) / (1 - rho)


def _wander2(apart: Sequence[Floats], noise2: float) -> float:
    """Variance of the level from piece to piece: of blocks, squeezed to ``WANDER``."""
    total, free = WANDER_WEIGHT * WANDER**2 * noise2, float(WANDER_WEIGHT)
    for rest in apart:
        count = len(rest) // BLOCK
        if count > 1:
            means = rest[: count * BLOCK].reshape(count, BLOCK).mean(axis=1)
            total += (count - 1) * max(0.0, float(means.var(ddof=1)) - noise2 / BLOCK)
            free += count - 1
    return total / free


def _p_value(x: Floats, seen: _Seen) -> float:
    """The chance of so large a statistic at any split of an unchanged piece."""
    m = len(x)
    if m < RANKED:
        one, other = x[: seen.at], x[seen.at :]
        apart = one.max() < other.min() or other.max() < one.min()
        return (m - 1) * math.erfc(abs(seen.shift) / seen.error / math.sqrt(2)) if apart else 1.0
    z = float(_statistics(_scores(x))[seen.at - 1])
    if m <= EXACT:
        drawn = _drawn(m)
        return float((len(drawn) - np.searchsorted(drawn, z - 1e-9) + 1) / (len(drawn) + 1))
    return _bound(z, m)


@lru_cache(maxsize=EXACT)
def _drawn(m: int) -> Floats:
    """The largest statistics of permutations of m ranks, ascending."""
    draw = np.random.default_rng(m)
    scores = _scores(np.arange(m, dtype=np.float64))
    least = _least(m)
    z = _statistics(draw.permuted(np.tile(scores, (DRAWS, 1)), axis=1))[:, least - 1 : m - least]
    return np.sort(z.max(axis=1))


def _bound(z: float, m: int) -> float:
    """P(max |z| >= z) over the splits of m normal points.

    James, James & Siegmund, Biometrika 74 (1987) 71. Ranks have lighter tails.
    """
    least = _least(m)
    t = np.linspace(least / m, 1 - least / m, 201)
    inner = np.exp(-0.583 * z / np.sqrt(m * t * (1 - t))) / (t * (1 - t))
    area = float((inner[1:] + inner[:-1]).sum() / 2 * (t[1] - t[0]))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return min(1.0, z * density * area + math.erfc(z / math.sqrt(2)))


@lru_cache(maxsize=16)
def _z(alpha: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - alpha / 2)
