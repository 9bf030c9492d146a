"""Change points of a series: rates on recorded noise, other libraries, and unusual input."""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import ruptures
import simulate as sim

from runner.judge.changes import Change, changes

BENCH = Path(__file__).parents[3] / "bench" / "judge"


def _program() -> ModuleType:
    """``bench/judge/changes.py``, which has the name of the module that it measures."""
    described = importlib.util.spec_from_file_location("bench_changes", BENCH / "changes.py")
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    sys.modules["bench_changes"] = module
    described.loader.exec_module(module)
    return module


bench: Any = _program()


@pytest.fixture(scope="module")
def apart() -> list[Any]:
    """Recorded processes on which nothing was chosen."""
    found = [recording for path in sorted((BENCH / "apart").glob("*.csv")) for recording in sim.recordings(path)]
    assert len(found) == 6
    assert not {one.name.split(".")[0] for one in found} & bench.TUNED
    return found


def _noisy(levels: list[tuple[int, float]], noise: float = 0.01, seed: int = 0) -> list[float]:
    draw = np.random.default_rng(seed)
    values = np.concatenate([np.full(count, level) for count, level in levels])
    noisy: list[float] = (values * np.exp(draw.normal(0, noise, len(values)))).tolist()
    return noisy


def _indices(found: tuple[Change, ...]) -> list[int]:
    return [change.index for change in found]


# --- rates (a smaller version of bench/judge/changes.py) -------------------------------------------------------------


@pytest.mark.parametrize("way", ["in turn", "nights"])
def test_at_most_one_percent_of_unchanged_series_have_a_change_point(apart: list[Any], way: str) -> None:
    assert bench.alarms(apart, bench.WAYS[way], 40, 360) <= 0.01


@pytest.mark.parametrize("way", ["in turn", "nights"])
def test_ten_percent_in_the_middle_is_found_within_two_points(apart: list[Any], way: str) -> None:
    quiet = [bench.calm(recording) for recording in apart]
    found, alone = bench.finds(quiet, bench.WAYS[way], 40, [(0.5, 0.1)], 180)
    assert found >= 0.95
    assert alone >= 0.93


def test_two_steps_are_both_found(apart: list[Any]) -> None:
    quiet = [bench.calm(recording) for recording in apart]
    assert bench.finds(quiet, bench.nights, 60, [(1 / 3, 0.1), (2 / 3, 0.1)], 60)[0] >= 0.9


def test_four_hundred_points_take_little_time() -> None:
    values = _noisy([(200, 1.0), (200, 1.1)], 0.03)
    changes(values)
    began = time.process_time()
    for _ in range(5):
        changes(values)
    assert (time.process_time() - began) / 5 < 0.25  # 20 ms on an idle machine


# --- what is found ---------------------------------------------------------------------------------------------------


def test_a_change_has_its_place_its_size_and_an_interval_around_it() -> None:
    (found,) = changes(_noisy([(20, 1.0), (20, 1.2)]))
    assert found.index == 20
    assert found.effect == pytest.approx(0.2, abs=0.02)
    assert found.low < found.effect < found.high
    assert found.low > 0.1
    assert found.p < 1e-4


def test_up_and_down_are_alike() -> None:
    values = np.array(_noisy([(20, 1.0), (20, 1.2)]))
    (up,), (down,) = changes(values.tolist()), changes((1 / values).tolist())
    assert down.index == up.index
    assert 1 + down.effect == pytest.approx(1 / (1 + up.effect))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([(20, 1.0), (20, 1.2), (20, 1.5)], [20, 40]),
        ([(20, 1.0), (20, 1.2), (20, 1.0)], [20, 40]),
        ([(30, 1.0), (10, 0.5), (30, 1.0), (30, 1.3)], [30, 40, 70]),
        ([(10, 1.0), (10, 1.2), (10, 1.4), (10, 1.7), (10, 2.1)], [10, 20, 30, 40]),
        ([(100, 1.0), (100, 1.1), (100, 1.0), (100, 1.1)], [100, 200, 300]),
    ],
)
def test_several_changes_are_found(levels: list[tuple[int, float]], expected: list[int]) -> None:
    assert _indices(changes(_noisy(levels))) == expected


def test_a_change_below_the_floor_is_not_reported() -> None:
    values = _noisy([(40, 1.0), (40, 1.03)], 0.002)
    assert not changes(values)
    assert _indices(changes(values, floor=0.01)) == [40]


def test_one_slow_run_is_not_a_change() -> None:
    for place in (0, 7, 38, 39):
        values = _noisy([(40, 1.0)])
        values[place] *= 10
        assert not changes(values)


def test_a_slow_drift_is_at_most_a_few_levels() -> None:
    """A drift has no change points. Levels are how it is described, as by every method of this kind."""
    values = (np.array(_noisy([(100, 1.0)], 0.02)) * np.exp(np.linspace(0, 0.1, 100))).tolist()
    assert len(changes(values)) <= 1


def test_constant_figures_with_a_step() -> None:
    """Sizes in bytes do not vary at all."""
    (found,) = changes([614e6] * 10 + [902e6] * 10)
    assert found.index == 10
    assert found.effect == pytest.approx(902 / 614 - 1)


@pytest.mark.parametrize("n", [5, 6, 8, 9])
def test_a_short_series_shows_large_changes_only(n: int) -> None:
    assert not changes(_noisy([(n // 2, 1.0), (n - n // 2, 1.1)]))
    assert _indices(changes(_noisy([(n // 2, 1.0), (n - n // 2, 1.8)]))) == [n // 2]


# --- unusual input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [1.0, 2.0, 3.0, 4.0], [1.0] * 40, [0.0] * 40, [math.nan] * 40, [math.inf] * 9, [1e308, 1e-308] * 20],
)
def test_no_change_points_and_no_warning(values: list[float]) -> None:
    assert changes(values) == ()


def test_figures_that_are_not_finite_have_no_say() -> None:
    values = _noisy([(20, 1.0), (20, 1.2)])
    values[5] = math.nan
    values[30] = math.inf
    assert _indices(changes(values)) == [20]


def test_figures_that_are_not_positive_are_compared_by_their_difference() -> None:
    values = (np.array(_noisy([(20, 1.0), (20, 2.0)])) - 3).tolist()  # -2, then -1
    (found,) = changes(values)
    assert found.index == 20
    assert found.effect == pytest.approx(2 / 3, abs=0.05)  # of the median size, 1.5


def test_the_last_points_of_a_very_long_series_are_searched() -> None:
    assert _indices(changes(_noisy([(600, 1.0), (100, 1.2)]))) == [600]
    assert not changes(_noisy([(100, 1.0), (600, 1.2)]))


def test_the_same_values_give_the_same_change_points() -> None:
    values = _noisy([(12, 1.0), (12, 1.3)], 0.05)
    assert changes(values) == changes(values)


# --- another library -------------------------------------------------------------------------------------------------

CLEAN = [
    [(20, 1.0), (20, 1.2)],
    [(20, 1.0), (20, 1.2), (20, 1.0)],
    [(15, 1.0), (25, 0.8), (30, 1.1)],
    [(50, 1.0), (50, 1.1), (50, 1.3)],
]


@pytest.mark.parametrize("levels", CLEAN, ids=str)
@pytest.mark.parametrize("method", ["Pelt", "Dynp", "Binseg"])
def test_ruptures_finds_the_same_splits_of_clean_steps(levels: list[tuple[int, float]], method: str) -> None:
    values = _noisy(levels)
    signal = np.log(values)
    made = getattr(ruptures, method)(model="l2", min_size=3, jump=1).fit(signal)
    known = {"n_bkps": len(levels) - 1}
    given = {"pen": 3 * math.log(len(values)) * 0.01**2} if method == "Pelt" else known
    assert made.predict(**given)[:-1] == _indices(changes(values))


def test_where_the_host_wanders_ruptures_reports_it() -> None:
    """The penalty of ruptures assumes independent noise of a known size, so that a slow wave is many steps."""
    draw = np.random.default_rng(3)
    noise = np.zeros(200)
    for i in range(1, 200):
        noise[i] = 0.9 * noise[i - 1] + draw.normal(0, 0.02)
    spread = float(np.median(np.abs(np.diff(noise)))) / 0.6745 / math.sqrt(2)
    pen = 3 * math.log(200) * spread**2
    assert len(ruptures.Pelt(model="l2", min_size=3, jump=1).fit(noise).predict(pen=pen)) > 3
    assert not changes(np.exp(noise).tolist())


def test_one_slow_run_is_two_splits_for_ruptures() -> None:
    """Squares weigh an outlier fully, ranks do not; with pieces of one point it is a piece."""
    values = _noisy([(40, 1.0)])
    values[20] *= 10
    pen = 3 * math.log(40) * 0.01**2
    assert ruptures.Pelt(model="l2", min_size=1, jump=1).fit(np.log(values)).predict(pen=pen)[:2] == [20, 21]
    assert not changes(values)
