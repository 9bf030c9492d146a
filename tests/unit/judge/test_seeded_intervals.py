"""The interval of a seeded figure is relative to the baseline's mean, as its effect is."""

from __future__ import annotations

import pytest

from runner.judge.seeded import FLOOR, judge_seeded
from runner.judge.settings import JudgeSettings
from runner.model import Better, Kind, Metric, Verdict


def _seeds(*values: float) -> dict[int, list[Metric]]:
    return {n: [Metric("free.test_accuracy", v, Kind.SEEDED, Better.HIGHER)] for n, v in enumerate(values)}


def _interval(scale: float) -> tuple[float, float, float, float]:
    before = [scale * value for value in (0.50, 0.52, 0.48, 0.51, 0.49)]
    after = [value * (0.81 if n % 2 else 0.79) for n, value in enumerate(before)]
    verdict, _, evidence = judge_seeded(_seeds(*before), _seeds(*after), JudgeSettings())
    assert verdict == Verdict.REGRESSED
    assert None not in (evidence.low, evidence.effect, evidence.high, evidence.floor)
    return evidence.low or 0.0, evidence.effect or 0.0, evidence.high or 0.0, evidence.floor or 0.0


def test_the_interval_is_relative_and_encloses_the_effect() -> None:
    low, effect, high, floor = _interval(1.0)
    assert low < effect < high
    assert effect == pytest.approx(-0.2, abs=0.01)
    assert high - low < 0.06
    assert floor == pytest.approx(FLOOR * 0.0176 / 0.5, rel=0.01)  # the candidate's spread is the larger one


def test_the_unit_of_a_figure_changes_no_interval() -> None:
    assert _interval(100.0) == pytest.approx(_interval(1.0))


def test_relative_to_a_baseline_of_zero_there_is_no_interval() -> None:
    before, after = (-0.1, 0.1, -0.2, 0.2, 0.0), (0.9, 1.1, 0.8, 1.2, 1.0)
    verdict, _, evidence = judge_seeded(_seeds(*before), _seeds(*after), JudgeSettings())
    assert verdict == Verdict.IMPROVED
    assert (evidence.effect, evidence.low, evidence.high, evidence.floor) == (None, None, None, None)
