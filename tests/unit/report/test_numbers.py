"""Numbers as they are shown, and text that frameworks printed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model import Cell
from runner.report import numbers
from runner.report.table import cell_order


@pytest.mark.parametrize(
    ("figure", "unit", "shown"),
    [
        (0.0123, "s", "12.3 ms"),
        (1.31, "s", "1.31 s"),
        (0.9996, "s", "1.00 s"),
        (0.000_999_6, "s", "1.00 ms"),
        (153.4, "s", "153 s"),
        (4.2e-8, "s", "42.0 ns"),
        (0, "s", "0 s"),
        (812_000_000, "B", "812 MB"),
        (1_310_000_000, "bytes", "1.31 GB"),
        (999, "B", "999 B"),
        (11.46875, "B", "11 B"),  # rounded once: 11.5 would be 12
        (1.053, "u", "1.05 u"),
        (592_000.0, "u", "5.92e5 u"),
        (4123.4, "images/s", "4,120 images/s"),
        (1234, "", "1,234"),
        (-0.5, "", "−0.500"),
        (True, "", "yes"),
        (None, "s", "none"),
        ([2.3, 0.4], "", "0.400 (last of 2)"),
        ([], "", "empty"),
        ("a" * 64, "", "aaaaaaaa"),
        ("generator", "", "generator"),
        (math.nan, "s", "NaN"),
        (-math.inf, "s", "−∞"),
    ],
)
def test_a_figure_has_three_digits_and_a_decimal_unit(figure: object, unit: str, shown: str) -> None:
    assert numbers.value(figure, unit) == shown


def test_accuracy_is_shown_in_percent_and_a_sum_with_all_its_digits() -> None:
    assert numbers.value(0.98412, percent=True) == "98.41 %"
    assert numbers.value(58094.523, exact=True) == "58094.523"
    assert numbers.points(-0.1) == "−10.00 pts"


@pytest.mark.parametrize(
    ("effect", "shown"),
    [(0.31, "+31 %"), (-0.0123, "−1.2 %"), (0.0, "+0.0 %"), (0.0996, "+10 %"), (41.0, "×42"), (math.inf, "")],
)
def test_a_change_has_its_sign(effect: float, shown: str) -> None:
    assert numbers.change(effect) == shown


@pytest.mark.parametrize(
    ("effect", "shown"),
    [(0.31, "×1.31"), (-0.0123, "×0.99"), (0.0, "×1.00"), (9.0, "×10.0"), (41.0, "×42.0"), (-0.958, "×0.042"),
     (-1.0, "×0"), (8.994, "×9.99"), (8.996, "×10.0"), (-0.906, "×0.094"), (math.inf, ""), (math.nan, "")],
)  # fmt: skip
def test_a_ratio_has_two_decimals_or_enough_digits(effect: float, shown: str) -> None:
    assert numbers.times(effect) == shown


@settings(deadline=None)
@given(st.floats(min_value=1e-9, max_value=1e9), st.sampled_from(["s", "B"]))
def test_a_scaled_figure_means_what_it_says(figure: float, unit: str) -> None:
    scale = {
        "ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0,
        "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    }  # fmt: skip
    number, name = numbers.value(figure, unit).split(" ")
    read = float(number.replace(",", "")) * scale[name]
    assert read == pytest.approx(figure, rel=6e-3, abs=0.5 if unit == "B" else 5e-12)


@settings(deadline=None)
@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    shown = numbers.plain(text)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) <= 1
    assert all(ord(c) >= 32 for c in shown)
    shown.encode()


def test_plain_drops_escape_sequences_whole_and_keeps_the_words() -> None:
    hostile = "a\x1b[31mred\x1b[0m\r\nb\x1b]8;;http://evil\x07link\u202ereversed"
    assert numbers.plain(hostile) == "ared blink reversed"


def test_rows_are_in_the_order_of_their_versions() -> None:
    cells = [Cell("torch", version, "3.8.0", "3.11", "cpu") for version in ("2.15.0", "2.9.1", "2.10.0", "2.10.0rc1")]
    assert [cell.version for cell in sorted(cells, key=cell_order)] == ["2.9.1", "2.10.0rc1", "2.10.0", "2.15.0"]
