"""A test of few rounds that borrows the noise of other comparisons.

Vectorised over comparisons.

Three rounds say little about the noise of a comparison, but all comparisons of one figure together say more. The
logarithm of the standard deviation from round to round is squeezed to that of the others (Smyth, Statist. Appl. Genet.
Mol. Biol. 3 (2004) no. 3, with a lognormal prior, whose centre is not moved by a single bad cell), or to the A/A noise
that ``runner calibrate`` measured. What is left of doubt about it makes the tails of the test heavy.

The test asks for more than its p-value: nearly all rounds must show the same change, and not a small one. A slow spell
of the host can hit one side of three successive rounds, and no model of normal rounds knows that.

The constants were chosen on three recordings in bench/judge. A fourth, noise-busy.csv, was made later to check them
(only ``TAILS`` was changed since). report.py prints what they do.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runner.judge.ranks import Floats

Rows = NDArray[np.intp]

LEAST = 3
"""Fewest rounds of the test."""

MOST = 8
"""Most rounds of the test: the exact test can decide alone with more."""

USUAL = math.log(0.2)
"""Logarithm of the noise (standard deviation of a log-ratio from round to round) where nothing is known. The recordings
have 0.04 to 0.7, with a mean of 0.14; they are from one machine, so a noisier one is expected."""

USUAL_SPREAD = 1.0
"""Standard deviation of ``USUAL`` from figure to figure and host to host (recordings: 0.7)."""

CALIBRATED_SPREAD = 0.5
"""The same for calibrated noise: the host may be busier now."""

EXCESS = 0.25
"""Variance of the logarithm of the noise from comparison to comparison of one figure, beyond that of normal rounds
(recordings: 0.06 to 0.6 for three rounds). Counts like ``EXCESS_WEIGHT`` comparisons, those of the run count too."""

EXCESS_WEIGHT = 8
EXCESS_LEAST = 0.1

TAILS = 0.9
"""Part of the excess that is due to tails, not to the noise of the comparison."""

CLIP = 1.5
"""Comparisons that lie farther from the median (in standard deviations) count as if they lay there."""

TINY = 1e-3
"""Added to every noise: figures that never vary can still have been rounded."""

_CALIBRATED = 2.5758 * math.sqrt(math.pi / 3 / 20)
"""A/A noise by noise per round: the 99 % quantile of the Hodges-Lehmann estimate of 20 rounds."""

_NODES = np.linspace(-6.0, 8.0, 57)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the test knows of one comparison."""

    ratios: Sequence[float]
    """Log-ratios of the first rounds."""
    figure: Hashable
    """Comparisons of one figure share their noise."""
    calibrated: float | None
    """A/A noise of the figure on this host, relative, where it was measured."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What is believed of the noise of m comparisons."""

    center: Floats
    """Logarithm of the noise."""
    spread: Floats
    """Standard deviation of ``center``."""
    known: Floats
    """One where other comparisons or a calibration contribute to it, else zero."""


def least_effect(n: int) -> float:
    """The smallest log-ratio that n rounds may show as a change."""
    return math.log(1.4 if n < 5 else 1.2 if n < MOST else 1.1)


def contrary(n: int) -> int:
    """How many of n rounds may show less than the least effect."""
    return max(0, (n - 3) // 2)


def noise(rounds: Sequence[Rounds]) -> Noise:
    """Estimate the noise of every comparison.

    It comes from its own rounds, those of the others and the calibration.
    """
    sizes = np.array([len(one.ratios) for one in rounds])
    own, error = np.zeros(len(rounds)), np.full(len(rounds), np.inf)
    for n in set(sizes.tolist()):
        if n < LEAST:
            continue
        rows = np.flatnonzero(sizes == n)
        mean, variance = _log_chi2(n - 1)
        values = np.array([rounds[i].ratios for i in rows.tolist()])
        own[rows] = 0.5 * (np.log(values.var(axis=1, ddof=1) + TINY**2) - mean)
        error[rows] = variance / 4
    center, spread2 = _priors(rounds)
    known = np.array([one.calibrated is not None for one in rounds], dtype=float)
    excess = np.full(len(rounds), EXCESS)
    for rows in _figures(rounds, sizes):
        _pool(rows, own, error, center, spread2, excess)
        known[rows] = 1.0
    spread2 += (1 - TAILS) * excess
    error += TAILS * excess
    weight = np.where(np.isfinite(error), spread2 / (spread2 + error), 0.0)
    return Noise(center + weight * (own - center), np.sqrt(spread2 * (1 - weight)), known)


def p_values(rounds: Sequence[Rounds], found: Noise, least: Floats) -> Floats:
    """Two-sided p-values.

    1 where there are too few rounds, or they do not agree on a change beyond ``least``.

    The mean of n normal rounds is independent of their standard deviation, and the smallest of those that agree is not
    above their mean. So the tail of the mean at the smallest, averaged over what the noise may be, is an upper bound.
    """
    smallest = np.array([_agreed(one.ratios) for one in rounds])
    sizes = np.array([len(one.ratios) for one in rounds])
    floors = np.maximum(least, [least_effect(n) for n in sizes.tolist()])
    enough = (sizes >= 5) | ((sizes >= LEAST) & (found.known > 0))
    p = np.ones(len(rounds))
    rows = np.flatnonzero(enough & (smallest >= floors))
    if len(rows):
        agreeing = np.array([n - contrary(n) for n in sizes[rows].tolist()])
        sigma = np.exp(found.center[rows, None] + found.spread[rows, None] * _NODES)
        z = np.sqrt(agreeing)[:, None] * smallest[rows, None] / sigma
        p[rows] = np.minimum(1.0, _two_sided(z) @ _WEIGHTS)
    return p


def _agreed(ratios: Sequence[float]) -> float:
    """The change that all rounds but the contrary ones reach, or a negative number."""
    if len(ratios) < LEAST:
        return -1.0
    ordered, skip = sorted(ratios), contrary(len(ratios))
    return max(ordered[skip], -ordered[-1 - skip])


def _two_sided(z: Floats) -> Floats:
    tails: Floats = np.array([math.erfc(one) for one in (z / math.sqrt(2)).ravel().tolist()]).reshape(z.shape)
    return tails


def _priors(rounds: Sequence[Rounds]) -> tuple[Floats, Floats]:
    """Centre and variance of the logarithm of the noise before any round is seen."""
    center, variance = np.full(len(rounds), USUAL), np.full(len(rounds), USUAL_SPREAD**2)
    for i, one in enumerate(rounds):
        if one.calibrated is not None:
            center[i] = math.log(math.log1p(one.calibrated) / _CALIBRATED + TINY)
            variance[i] = CALIBRATED_SPREAD**2
    return center, variance


def _figures(rounds: Sequence[Rounds], sizes: Rows) -> list[Rows]:
    """The comparisons of each figure that has several with enough rounds."""
    figures: dict[Hashable, list[int]] = {}
    for i, one in enumerate(rounds):
        if sizes[i] >= LEAST:
            figures.setdefault(one.figure, []).append(i)
    return [np.array(rows) for rows in figures.values() if len(rows) > 1]


def _pool(rows: Rows, own: Floats, error: Floats, center: Floats, variance: Floats, excess: Floats) -> None:
    """Move each prior of one figure to what the other comparisons show."""
    values, m = own[rows], len(rows)
    middle = float(np.median(values))
    normal = float(error[rows].mean())
    seen = max(0.0, (1.4826 * float(np.median(np.abs(values - middle)))) ** 2 - normal)
    beyond = max(EXCESS_LEAST, (EXCESS_WEIGHT * EXCESS + m * seen) / (EXCESS_WEIGHT + m))
    reach = CLIP * math.sqrt(normal + beyond)
    clipped = np.clip(values, middle - reach, middle + reach)
    others = (clipped.sum() - clipped) / (m - 1)
    weight = variance[rows] / (variance[rows] + (normal + beyond) / (m - 1))
    center[rows] += weight * (others - center[rows])
    variance[rows] *= 1 - weight
    excess[rows] = beyond


def _log_chi2(f: int) -> tuple[float, float]:
    """Mean and variance of log(chi2 / f) with f degrees of freedom.

    The digamma and trigamma functions at f / 2 by their recurrences (Abramowitz & Stegun 6.3.5, 6.4.6).
    """
    x, digamma, trigamma = (1.0, 0.0, math.pi**2 / 6) if f % 2 == 0 else (0.5, -2 * math.log(2), math.pi**2 / 2)
    digamma -= float(np.euler_gamma)
    while x < f / 2:
        digamma, trigamma, x = digamma + 1 / x, trigamma - 1 / x**2, x + 1
    return digamma - math.log(f / 2), trigamma


_NOISE_PROMISED = 0.06
"""Noise per round of a comparison whose A/A noise is 3.5 % (see ``bench/judge/report.py``)."""

_REACHED = {3: math.log(1.8), 5: math.log(1.4), 8: math.log(1.25)}
"""Changes that are found after so many rounds at this noise, in four of five comparisons."""

_REACHED_ALONE = {5: math.log(1.95), 8: math.log(1.7)}
"""The same where no other comparison and no calibration states the noise."""


def rounds_for(effect: float, n: int, sigma: float | None, *, known: bool) -> int | None:
    """The fewest rounds above n after which this test finds ``effect``, or None.

    ``effect``: log-ratio. ``sigma``: noise per round where it was seen. ``known``: whether there are other comparisons
    of the figure, or a calibration.
    """
    factor = max(1.0, (sigma or _NOISE_PROMISED) / _NOISE_PROMISED)
    table = _REACHED if known else _REACHED_ALONE
    return next(
        (k for k, reached in table.items() if k > n and abs(effect) >= factor * reached),
        None,
    )
