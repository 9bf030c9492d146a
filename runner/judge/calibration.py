"""A/A: how much a cell differs from itself on one machine.

No verdict may call that a change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from runner.judge.series import grouped, usable
from runner.model import Kind, Sample

QUANTILE = 0.99
DRAWS = 4000

LEAST = 12
"""Fewest processes of a cell that say anything about its noise."""


def noise(samples: Sequence[Sample], rounds: int) -> dict[str, float]:
    """The relative change that 99 of 100 A/A comparisons stay below.

    Each comparison is one of ``rounds`` rounds.

    Any two successive processes of a cell are taken as the two sides of a round. Under A/A either order is as likely,
    so the estimate's distribution is that of the Hodges-Lehmann estimate of ``rounds`` log-ratios drawn from those
    seen, each with a random sign. Keys: ``cell/probe/metric``; a metric with fewer than 12 processes is left out.
    """
    found = {}
    for (cell, probe), group in grouped(samples).items():
        for name, series in group.series.items():
            points = sorted(
                (sample.round, float(metric.value))
                for sample, metric in series.points
                if metric.kind == Kind.TIMING and sample.quiet and usable(metric.value)
            )
            values = [value for _, value in points]
            if len(values) >= LEAST:
                ratios = [math.log(b / a) for a, b in pairwise(values)]
                found[key(cell, probe, name)] = _quantile(ratios, rounds)
    return found


def key(cell: str, probe: str, metric: str) -> str:
    """The name under which a noise is kept."""
    return f"{cell}/{probe}/{metric}"


def _quantile(ratios: Sequence[float], rounds: int) -> float:
    import numpy as np

    from runner.judge import ranks

    draw = np.random.default_rng(20240517)
    d = draw.choice(np.abs(np.array(ratios)), (DRAWS, rounds)) * draw.choice([-1.0, 1.0], (DRAWS, rounds))
    shifts = ranks.signed_rank(d, np.zeros(DRAWS), 0.5).shift
    return float(np.expm1(np.quantile(np.abs(shifts), QUANTILE)))


def merged(old: Mapping[str, float], new: Mapping[str, float]) -> dict[str, float]:
    """Stored figures with those measured again replaced."""
    return dict(sorted({**old, **new}.items()))
