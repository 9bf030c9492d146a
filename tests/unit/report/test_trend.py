"""Figures over dates and releases: lines, change points in words, and what the terminal shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from runner.errors import UsageError
from runner.history.data import Point, Series
from runner.judge import changes
from runner.model import Cell
from runner.report import trend, trend_text

METRICS = [
    ("mnist", "free.step_s"),
    ("mnist", "controlled.step_s"),
    ("mnist", "free.test_accuracy"),
    ("mnist", "peak_rss_bytes"),
    ("speed", "peak_rss_bytes"),
]
RELEASES = ("3.0.5", "3.3.3", "3.5.0", "3.8.0", "3.9.2", "3.11.3", "3.14.1", "3.15.1")


def series(values: Sequence[float], cell: str = "torch-2.2.2_keras-3.11.3_py3.11_cpu", **more: Any) -> Series:
    """One night of November and December 2026 after the other."""
    points = tuple(
        Point(f"{n:012x}", f"2026-{11 + n // 30}-{1 + n % 30:02}T01:17:00+00:00", cell, value, None, None, 3, "")
        for n, value in enumerate(values)
    )
    known: dict[str, Any] = {
        "probe": "mnist", "metric": "free.step_s", "unit": "s", "better": "lower", "host": "atlas", "kind": "timing",
        "scope": "s",
    }  # fmt: skip
    return Series(cell=cell, points=points, **{**known, **more})


def stepped(*levels: tuple[int, float], noise: float = 0.005) -> list[float]:
    draw = np.random.default_rng(1)
    values = np.concatenate([np.full(count, level) for count, level in levels])
    made: list[float] = (values * np.exp(draw.normal(0, noise, len(values)))).tolist()
    return made


def over_keras(values: Sequence[float], **more: Any) -> list[Series]:
    """A release of Keras for each value."""
    return [
        series([value], Cell("torch", "2.2.2", release, "3.11", "cpu").id, **more)
        for release, value in zip(RELEASES, values, strict=False)
    ]


def drawn(made: trend.Trend, width: int = 90, *, ascii_only: bool = False) -> list[str]:
    return [line.plain for line in trend_text.lines(made, width, ascii_only=ascii_only)]


# --- the name of a metric --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step time", {("mnist", "free.step_s"), ("mnist", "controlled.step_s")}),
        ("free step time", {("mnist", "free.step_s")}),
        ("Free  Step Time", {("mnist", "free.step_s")}),
        ("free.step_s", {("mnist", "free.step_s")}),
        ("mnist:free.step_s", {("mnist", "free.step_s")}),
        ("test accuracy", {("mnist", "free.test_accuracy")}),
        ("peak memory", {("mnist", "peak_rss_bytes"), ("speed", "peak_rss_bytes")}),
        ("speed:peak memory", {("speed", "peak_rss_bytes")}),
    ],
)
def test_a_metric_has_the_name_that_people_see_and_its_own(text: str, expected: set[tuple[str, str]]) -> None:
    assert set(trend.resolve(text, METRICS)) == expected


def test_a_typing_error_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"no metric 'stp time' \(did you mean 'step time'"):
        trend.resolve("stp time", METRICS)
    with pytest.raises(UsageError, match="there are: peak memory, step time, test accuracy"):
        trend.resolve("zzz", METRICS)
    with pytest.raises(UsageError, match=r"--probe 'mnst': .*did you mean 'mnist'"):
        trend.resolve("step time", METRICS, "mnst")


def test_of_very_many_metrics_the_first_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        trend.resolve("x" * 5000, [("mnist", f"a.f{n}_s") for n in range(5000)])
    assert str(caught.value).endswith("and 4980 more")
    assert len(str(caught.value)) < 600


def test_a_probe_chooses_among_equal_names() -> None:
    assert trend.resolve("peak memory", METRICS, "speed") == (("speed", "peak_rss_bytes"),)


# --- over dates ------------------------------------------------------------------------------------------------------


def test_a_change_point_has_its_date_its_size_and_its_interval() -> None:
    (line,) = trend.over_date([series(stepped((20, 0.010), (20, 0.013)))])
    (move,) = line.moves
    assert (line.axis, line.host, len(line.spots)) == ("date", "atlas", 40)
    assert (move.index, move.label, move.meaning) == (20, "2026-11-21", "worse")
    assert move.effect == pytest.approx(0.3, abs=0.02)
    assert move.low < 0.3 < move.high
    assert move.text.startswith("since the night of 21 November: +30 % (+")
    assert move.text.endswith("; 10.0 ms → 13.0 ms, worse")


@pytest.mark.parametrize(
    ("better", "after", "meaning"),
    [("lower", 2.0, "worse"), ("lower", 0.5, "better"), ("higher", 2.0, "better"), ("neither", 2.0, "")],
)
def test_the_direction_of_a_metric_decides_what_is_worse(better: str, after: float, meaning: str) -> None:
    (line,) = trend.over_date([series(stepped((20, 1.0), (20, after)), better=better)])
    assert [move.meaning for move in line.moves] == [meaning]


def test_a_fall_of_an_accuracy_is_in_points() -> None:
    errors = np.array(stepped((20, 0.03), (20, 0.12), noise=0.1))
    values = (1 - errors).tolist()
    (line,) = trend.over_date([series(values, metric="free.test_accuracy", unit="", better="higher", kind="seeded")])
    (move,) = line.moves
    assert line.percent
    assert (move.points, move.meaning) == (True, "worse")
    assert move.effect == pytest.approx(-0.09, abs=0.01)
    assert move.low < move.effect < move.high < 0
    assert "since the night of 21 November: −9." in move.text
    assert " points (−" in move.text


def test_a_change_from_nothing_or_of_negative_figures_is_a_difference() -> None:
    (line,) = trend.over_date([series([0.0] * 20 + stepped((20, 1.0)))])
    (move,) = line.moves
    assert move.text.startswith("since the night of 21 November: +1.00 s (+99")
    assert move.effect == float("inf")
    (line,) = trend.over_date([series([-value for value in stepped((20, 1.0), (20, 2.0))])])
    (move,) = line.moves
    assert move.text.endswith("−1.00 s → −2.00 s, better")
    assert (round(move.effect, 1), round(move.low, 1), round(move.high, 1)) == (-1.0, -1.0, -1.0)


def test_a_series_says_where_it_breaks() -> None:
    (line,) = trend.over_date([series([1.0] * 8, breaks=("another host before 1 November",))])
    assert line.breaks == ("another host before 1 November",)
    assert "- another host before 1 November" in drawn(trend.Trend("step time", "date", (line,)))


def test_hosts_are_never_joined() -> None:
    one, other = series([1.0] * 10, scope="a", host="atlas"), series([2.0] * 10, scope="b", host="other")
    lines = trend.over_date([one, other])
    assert [line.host for line in lines] == ["atlas", "other"]
    assert not [move for line in lines for move in line.moves]


# --- over releases ---------------------------------------------------------------------------------------------------


def test_releases_are_joined_in_the_order_of_versions() -> None:
    (line,) = trend.over_release(reversed(over_keras(stepped((4, 1.0), (4, 2.0)))))
    assert [spot.label for spot in line.spots] == list(RELEASES)
    assert line.axis == "keras"
    assert line.title == "torch 2.2.2 over the releases of keras (py3.11, cpu)"
    assert [move.text.split(":")[0] for move in line.moves] == ["since keras 3.9.2"]


def test_each_axis_of_releases_is_a_line_with_everything_else_fixed() -> None:
    cells = [
        Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu"),
        Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu"),
        Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu"),
        Cell("torch", "2.15.0", "3.11.3", "3.12", "cpu"),
        Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu"),
    ]
    lines = trend.over_release([series([1.0], cell.id) for cell in cells])
    assert [(line.axis, [spot.label for spot in line.spots]) for line in lines] == [
        ("version", ["2.2.2", "2.15.0"]),
        ("keras", ["3.8.0", "3.11.3"]),
    ]


def test_a_release_that_another_host_measured_is_left_out_and_named() -> None:
    every = over_keras([1.0] * 8)
    every[6] = series([5.0], every[6].cell, scope="elsewhere")
    (line,) = trend.over_release(every)
    assert [spot.label for spot in line.spots] == [*RELEASES[:6], RELEASES[7]]
    assert line.breaks == ("measured on another host or with other settings, so left out: 3.14.1",)


def test_several_runs_of_a_release_are_one_point_with_their_spread() -> None:
    every = over_keras([1.0] * 8)
    every[2] = series([1.0, 1.2, 1.1], every[2].cell)
    (line,) = trend.over_release(every)
    spot = line.spots[2]
    assert (spot.value, spot.low, spot.high, spot.n) == (1.1, 1.0, 1.2, 9)
    assert (line.spots[3].low, line.spots[3].high) == (None, None)


def test_every_change_of_a_count_is_one() -> None:
    counts = [3.0, 3.0, 4.0, 4.0, 4.0, 0.0, 0.0, 7.0]
    (line,) = trend.over_release(over_keras(counts, metric="cases.wrong", unit="cases", kind="info", better="lower"))
    assert [move.text for move in line.moves] == [
        "since keras 3.5.0: 3 cases → 4 cases, worse",
        "since keras 3.11.3: 4 cases → 0 cases, better",
        "since keras 3.15.1: 0 cases → 7 cases, worse",
    ]


def test_without_two_releases_there_is_no_trend_over_releases() -> None:
    with pytest.raises(UsageError, match="no two cells differ in one release alone; name results"):
        trend.trend("step time", "release", [series([1.0])])
    with pytest.raises(UsageError, match="no two cells"):
        trend.trend("step time", "release", [series([1.0], "my own name"), series([1.0], "another")])


# --- the terminal and programs ---------------------------------------------------------------------------------------


def test_the_chart_of_a_step() -> None:
    (line,) = trend.over_date([series([1.0] * 20 + [2.0] * 20)])
    assert drawn(trend.Trend("step time", "date", (line,)), 64) == [
        "free step time (mnist): torch-2.2.2_keras-3.11.3_py3.11_cpu,",
        "atlas",
        "2.00 s ┤                            ●●●─●●─●●●─●●─●●●─●●●─●●─●●",
        "       │                            ┊",
        "       │                            ┊",
        "1.50 s ┤                            ┊",
        "       │                            ┊",
        "       │                            ┊",
        "1.00 s ┤●●─●●─●●●─●●●─●●─●●●─●●─●●● ┊",
        "       └────────────────────────────▲──────────────────────────",
        "        2026-11-01 2026-11-09       2026-11-21       2026-12-10",
        "▲ since the night of 21 November: +100 % (+100 % to +100 %);",
        "  1.00 s → 2.00 s, worse",
    ]


@pytest.mark.parametrize("kind", ["timing", "exact"])
@pytest.mark.parametrize("values", [[1.7e308] * 6, [-1.7e308, 1.7e308] * 3, [1.2e308] * 20 + [1.7e308] * 20])
def test_the_largest_figures_have_a_chart(values: list[float], kind: str) -> None:
    (line,) = trend.over_date([series(values, kind=kind, unit="")])
    text = drawn(trend.Trend("step time", "date", (line,)), 64)
    assert not any(word in "\n".join(text) for word in ("NaN", "∞"))
    assert max(map(len, text)) <= 64


@pytest.mark.parametrize("width", [30, 40, 80, 100, 200, 400])
@pytest.mark.parametrize("count", [1, 2, 5, 40, 400])
def test_a_chart_fits_the_width_and_shows_every_point_that_it_can(width: int, count: int) -> None:
    values = stepped((count // 2, 1.0), (count - count // 2, 1.5))
    (line,) = trend.over_date([series(values)])
    chart = [text.plain for text in trend_text.chart(line, width)]
    assert max(map(len, chart)) <= width
    assert len(chart) == trend_text.HEIGHT + 2
    points = sum(text.count(trend_text.POINT) for text in chart)
    assert points == count if count <= width - 20 else points >= min(count, width - 20) // 2
    assert chart[-2].count("▲") == len(line.moves)


def test_a_terminal_without_symbols_gets_ascii() -> None:
    (line,) = trend.over_date([series(stepped((20, 1.0), (20, 2.0)), breaks=("another host before 1 November",))])
    text = "\n".join(drawn(trend.Trend("step time", "date", (line,)), ascii_only=True))
    assert text.isascii()
    assert "?" not in text
    assert "o" in text


def test_few_points_are_shown_with_the_number_that_change_points_need() -> None:
    (line,) = trend.over_date([series([1.0, 2.0, 1.0])])
    assert drawn(trend.Trend("step time", "date", (line,)))[-1] == "3 runs: change points need 5"
    (line,) = trend.over_date([series([1.0] * 9)])
    assert drawn(trend.Trend("step time", "date", (line,)))[-1] == "no change point in 9 runs"
    (line,) = trend.over_date([series([1.0] * 401)])
    assert drawn(trend.Trend("step time", "date", (line,)))[-1] == "no change point in the newest 400 of 401 runs"


def test_the_numbers_of_points_are_those_of_the_judge() -> None:
    assert (trend.FEWEST, trend.LONGEST) == (changes.FEWEST, changes.MOST)


def test_hostile_names_steer_nothing() -> None:
    (line,) = trend.over_date([series([1.0] * 6, "\x1b[2Jcell", host="\x1b]0;x\x07")])
    assert "\x1b" not in "\n".join(drawn(trend.Trend("step time", "date", (line,))))


def test_programs_get_all_of_it() -> None:
    made = trend.trend("step time", "release", over_keras(stepped((4, 1.0), (4, 2.0))))
    read = json.loads(trend_text.as_json(made))
    assert (read["schema"], read["metric"], read["over"]) == (1, "step time", "release")
    (line,) = read["lines"]
    assert [spot["label"] for spot in line["spots"]] == list(RELEASES)
    assert [(move["label"], move["meaning"]) for move in line["moves"]] == [("3.9.2", "worse")]


def test_of_many_lines_those_that_change_have_a_chart_and_the_others_a_line() -> None:
    names = [f"torch-2.{n}.0_keras-3.11.3_py3.11_cpu" for n in range(5)]
    every = [series(stepped((20, 0.01), (20, 0.02)) if n == 3 else stepped((40, 0.01)), names[n]) for n in range(5)]
    shown = [line.plain for line in trend_text.lines(trend.trend("step time", "date", every))]
    assert shown[0] == "1 of 5 lines changes its level"
    assert sum("┤" in line for line in shown) == 3  # the labels of one axis
    rest = shown[shown.index("The others (--cells draws them)") + 1 :]
    assert [line.partition(": ")[2].partition(",")[0] for line in rest if line] == [names[n] for n in (0, 1, 2, 4)]
    few = [line.plain for line in trend_text.lines(trend.trend("step time", "date", every[2:]))]
    assert sum("┤" in line for line in few) == 9
