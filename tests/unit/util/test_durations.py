"""Lengths of time as people write them."""

from __future__ import annotations

import math

import pytest

from runner.errors import UsageError
from runner.util import durations


@pytest.mark.parametrize(
    ("text", "length"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5h", 5400), ("0.1s", 0.1), ("none", math.inf)],
)
def test_a_time_is_a_number_and_a_unit(text: str, length: float) -> None:
    assert durations.seconds(text) == length


@pytest.mark.parametrize(
    "text", ["", "10", "m", "10 m", "10M", "-5m", "5d", "1h30m", "1e3s", "nan", "inf", "٣m", "10m\n"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        durations.seconds(text)


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="is not longer than nothing"):
        durations.seconds("0.0h")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0.4, "0 s"), (-3, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3600, "1 h"),
        (3660, "1 h 1 min"), (86400, "24 h"), (math.inf, "no limit"),
    ],
)  # fmt: skip
def test_words_have_the_two_largest_units(length: float, text: str) -> None:
    assert durations.words(length) == text
