"""Exact signed-rank tests of a shift, its estimate and interval.

Vectorised over comparisons.

The differences of one comparison are d_1 .. d_n. Their Walsh averages are (d_i + d_j) / 2 for i <= j. The number of
Walsh averages above c is the signed-rank statistic of d - c, its median is the Hodges-Lehmann estimate of the shift,
and its order statistics are the limits of the exact confidence interval (Hodges & Lehmann, Ann. Math. Statist. 34
(1963) 598; Hollander & Wolfe, Nonparametric Statistical Methods, section 3.3). Only symmetry of the differences is
assumed, which exchangeable processes within a round provide, whatever the tails. Zeros and ties count against
the alternative, so that the test errs on the safe side with them.

Whether there is a shift is asked of Winsorised ranks, min(rank, n / 2): a process that met a slow spell of its host
makes the largest difference, and Wilcoxon's test gives it the largest say (Policello & Hettmansperger, J. Amer.
Statist. Assoc. 71 (1976) 624). With normal differences that needs 15 % more rounds (efficiency 0.83 against 0.95), with
those recorded in bench/judge fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_N = 400
"""Above this many rounds, neighbouring differences are averaged first (sums of symmetric figures are symmetric)."""

CHUNK = 4_000_000
"""Walsh averages held at once (32 MB)."""


def scores(n: int) -> NDArray[np.int64]:
    """Return the Winsorised ranks of n differences, in the order of their sizes."""
    return np.minimum(np.arange(1, n + 1), (n + 1) // 2)


@lru_cache(maxsize=512)
def tail(n: int, *, winsorised: bool = False) -> Floats:
    """P(W >= w) under the null, for w = 0 up to the sum of the ranks.

    By convolution over the ranks.
    """
    ranks = scores(n).tolist() if winsorised else range(1, n + 1)
    p = np.zeros(sum(ranks) + 1)
    p[0] = 1.0
    top = 0
    for rank in ranks:
        shifted = p[: top + 1].copy()
        p[: top + 1] *= 0.5
        p[rank : top + rank + 1] += 0.5 * shifted
        top += rank
    summed: Floats = np.cumsum(p[::-1])[::-1]
    return np.minimum(summed, 1.0)


def critical(n: int, level: float) -> int | None:
    """Return the smallest w with P(W >= w) <= level, or None where no w is that rare."""
    w = int(np.searchsorted(-tail(n), -level))
    return w if w < len(tail(n)) else None


def smallest_n(level: float) -> int:
    """The fewest rounds at which a one-sided test can reach ``level``.

    That is where 2**-n <= level.
    """
    return max(1, int(np.ceil(-np.log2(level))))


@dataclass(frozen=True, slots=True)
class Ranked:
    """Figures of m comparisons, each an array of length m.

    All in the unit of the differences.
    """

    shift: Floats
    """Hodges-Lehmann estimate."""
    low: Floats
    high: Floats
    """Interval at one-sided ``level`` on either end; infinite where n is too small for it."""
    p_up: Floats
    p_down: Floats
    """One-sided exact p-values against a shift of zero or less, zero or more."""
    p_same: Floats
    """Exact p-value of the two one-sided tests against a shift outside the margins."""


def signed_rank(d: Floats, margin: Floats, level: float) -> Ranked:
    """Test the rows of ``d`` against zero and against +-``margin``.

    ``d``: (m, n) without NaN. ``margin``: (m).
    """
    d = _thinned(d)
    m, n = d.shape
    i, j = np.triu_indices(n)
    per = max(1, CHUNK // len(i))
    parts = [_rows(d[k : k + per], margin[k : k + per], level, i, j) for k in range(0, m, per)]
    return Ranked(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _rows(d: Floats, margin: Floats, level: float, i: NDArray[np.intp], j: NDArray[np.intp]) -> tuple[Floats, ...]:
    n = d.shape[1]
    walsh = (d[:, i] + d[:, j]) / 2
    walsh.sort(axis=1)
    count = walsh.shape[1]
    shift = (walsh[:, (count - 1) // 2] + walsh[:, count // 2]) / 2
    cut = critical(n, level)
    unbounded = np.full(len(d), np.inf)
    high = unbounded if cut is None else walsh[:, cut - 1]
    low = -unbounded if cut is None else walsh[:, count - cut]
    shifted = tail(n, winsorised=True)
    up = shifted[_above_zero(d)]
    down = shifted[_above_zero(-d)]
    p = tail(n)
    below = p[(walsh < margin[:, None]).sum(axis=1)]
    above = p[(walsh > -margin[:, None]).sum(axis=1)]
    return shift, low, high, up, down, np.maximum(below, above)


def _above_zero(d: Floats) -> NDArray[np.int64]:
    """The sum of the Winsorised ranks of the differences above zero.

    Where sizes tie, the lower ranks count.
    """
    falling = -np.sort(-d, axis=1)
    by_size = np.argsort(np.abs(falling), axis=1, kind="stable")
    above: NDArray[np.int64] = (np.take_along_axis(falling, by_size, axis=1) > 0) @ scores(d.shape[1])
    return above


def _thinned(d: Floats) -> Floats:
    n = d.shape[1]
    if n <= MAX_N:
        return d
    edges = np.linspace(0, n, MAX_N + 1).astype(int)[:-1]
    sizes = np.diff([*edges, n])
    averaged: Floats = np.add.reduceat(d, edges, axis=1) / sizes
    return averaged


def holm(p: Floats) -> Floats:
    """Holm's step-down adjusted p-values (Scand. J. Statist. 6 (1979) 65)."""
    m = len(p)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(m, 0, -1)))
    return adjusted
