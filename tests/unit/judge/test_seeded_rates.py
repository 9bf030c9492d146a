"""The error rates of seed-dependent figures on processes that were really run (see bench/judge)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seeded_rates as rates

from runner.judge import seed_noise
from runner.model import Verdict

BENCH = Path(__file__).parents[3] / "bench" / "judge"


@pytest.fixture(scope="module")
def recording() -> Any:
    return rates.Recording(BENCH / "learning.npz")


@pytest.fixture(scope="module")
def held(recording: Any) -> Any:
    draw = np.random.default_rng(rates.SEED)
    runs = [recording.runs(cell, rates.FIGURES) for cell in recording.cells(rates.FIGURES)[:2]]
    return tuple(zip(*(rates.halves(one, draw) for one in runs), strict=True))


def test_sixty_processes_of_two_backends_were_recorded(recording: Any) -> None:
    counts = [len(recording.runs(cell, rates.FIGURES)["seed"]) for cell in recording.cells(rates.FIGURES)[:2]]
    assert min(counts) >= 60


@pytest.mark.parametrize("name", list(rates.FIGURES))
def test_the_priors_are_those_of_the_recording(held: Any, name: str) -> None:
    prior = seed_noise.PRIORS[rates.PROBE, name].factor
    for half in held:
        assert 0.9 <= prior / rates.fitted(half, name) <= 1.3


def test_unchanged_cells_rarely_alarm(held: Any) -> None:
    draw = np.random.default_rng(1)
    found = [c for _ in range(300) for c in rates.judged(rates.drawn(held, 4, 1, draw), rates.ONE_LOOK)]
    assert sum(c.verdict in rates.ALARMS for c in found) <= 0.005 * len(found)


@pytest.mark.parametrize(("points", "seeds", "least"), [(3, 1, 0.9), (5, 1, 0.99), (1.5, 3, 0.85), (1, 8, 0.9)])
def test_lower_accuracies_are_found(held: Any, points: float, seeds: int, least: float) -> None:
    """The least for 1.5 points leaves room for the chance of so few draws."""
    draw = np.random.default_rng(2)
    found = []
    for _ in range(200):
        made = rates.drawn(held, 4, seeds, draw)
        made["c1"] = rates.dropped(made["c1"], points)
        judged = rates.judged(made, rates.ONE_LOOK)
        found += [c.verdict == Verdict.REGRESSED for c in judged if (c.candidate, c.metric) == ("c1", rates.ACCURACY)]
    assert rates.rate(found) >= least
