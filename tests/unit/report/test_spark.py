"""Sparklines: the Python and the JavaScript writer make the same paths."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from runner.report.page.spark import HEIGHT, WIDTH, spark

CASES = json.loads(Path(__file__).with_name("spark_cases.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES)
def test_a_sparkline_has_the_paths_of_the_page(case: dict[str, Any]) -> None:
    made = spark(case["values"], case["changes"])
    assert (made.line, made.last, made.changes) == (case["line"], case["last"], case["changesPath"])


def test_a_figure_that_is_not_finite_interrupts_the_line() -> None:
    assert spark([1.0, math.nan, math.inf, 2.0]) == spark([1.0, None, None, 2.0])
    assert spark([1.0, None, None, 2.0]).line.count("M") == 2


def test_a_long_series_stays_small_and_keeps_its_outlier() -> None:
    values = [1.0] * 400
    values[123] = 9.0
    made = spark(values, [123])
    assert made.line.count("L") < 50
    assert " 2L" in made.line  # the top
    assert made.changes == f"M25.4 0V{HEIGHT}"


def test_every_place_is_inside_the_picture() -> None:
    for case in CASES:
        for point in case["line"].replace("L", "M").split("M")[1:]:
            x, y = map(float, point.split())
            assert 2 <= x <= WIDTH - 2
            assert 2 <= y <= HEIGHT - 2
