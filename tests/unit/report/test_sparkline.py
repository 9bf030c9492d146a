"""The history of a figure in a row."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from rich.console import Console

from runner.history.data import Past, Point, Series
from runner.report import Report, sparkline
from runner.report.formats import markdown, terminal
from runner.report.table import tables

TORCH = "torch-2.15.0_keras-3.11.3_py3.11_cpu"


@dataclass(frozen=True)
class Step:
    """A change of level."""

    index: int
    effect: float = 0.0
    low: float = 0.0
    high: float = 0.0
    p: float = 0.0
    text: str = "it changed"


def series(*values: float, changes: Sequence[Step] = (), cell: str = TORCH, metric: str = "free.step_s") -> Series:
    points = tuple(
        Point(f"r{n}", f"2026-11-{n + 1:02}", cell, value, None, None, 1, "") for n, value in enumerate(values)
    )
    return Series(cell, "mnist", metric, "s", "lower", "h", points, tuple(changes))


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((1.0, 2.0, 3.0), "▁▅█"),
        ((3.0, 1.0), "█▁"),
        ((1.0, 1.0, 1.0), "▅▅▅"),
        ((0.0, 0.0), "▅▅"),
        ((1.0, 1.01, 0.99), "▅▅▄"),  # noise of a percent is almost flat
        ((-1.0, -2.0), "█▁"),
        (tuple(range(1, 31)), "▁▁▂▂▃▃▄▄▅▅▆▆▇▇██"),  # the newest sixteen
    ],
)
def test_the_least_is_low_and_the_greatest_high(values: tuple[float, ...], drawn: str) -> None:
    assert sparkline.text(series(*values)) == drawn


def test_the_largest_figures_are_drawn_too() -> None:
    assert sparkline.text(series(-1.7e308, 1.7e308, 1.7e308)) == "▁██"
    assert sparkline.text(series(1.7e308, 1.7e308)) == "▅▅"


def test_two_points_of_percent_are_the_whole_height() -> None:
    assert sparkline.text(series(0.98, 0.96), percent=True) == "█▁"
    assert sparkline.text(series(0.98, 0.979), percent=True) == "▅▄"


def test_a_new_level_has_a_mark_before_it() -> None:
    assert sparkline.text(series(1, 1, 2, 2, changes=[Step(2)])) == "▁▁╎██"
    long = series(*[1.0] * 10, *[2.0] * 10, changes=[Step(10)])
    assert sparkline.text(long) == "▁▁▁▁▁▁╎██████████"
    assert sparkline.text(series(*[1.0] * 4, *[2.0] * 16, changes=[Step(4)])) == "▅" * 16


def remembering(report: Report, *found: Series) -> Report:
    return report.with_past(Past(by_figure={(one.cell, one.probe, one.metric): one for one in found}))


def test_a_table_draws_the_figure_in_which_a_cell_is_worse(quick: Report) -> None:
    known = remembering(
        quick, series(1, 2, metric="free.test_accuracy"), series(1, 2), series(2, 1, metric="peak_rss_bytes")
    )
    table = tables(known)[0]
    assert [(column.label, column.history) for column in table.columns][:3] == [
        ("test accuracy", ""), ("test accuracy history", "free.test_accuracy"), ("step time", ""),
    ]  # fmt: skip
    drawn = {row.cell.id: figure.text if row.figures and (figure := row.figures[1]) else "" for row in table.rows}
    assert drawn.pop(TORCH) == "▁█"
    assert set(drawn.values()) == {""}


def test_a_table_without_earlier_figures_has_no_more_columns(quick: Report) -> None:
    assert tables(remembering(quick)) == tables(quick)
    assert tables(remembering(quick, series(1.0))) == tables(quick)


def test_what_was_found_about_a_report_is_kept_when_it_gets_a_past(quick: Report) -> None:
    assert remembering(quick, series(1, 2)).summaries is quick.summaries
    assert remembering(quick).past is not None
    assert quick.past is None


@pytest.mark.parametrize(("encoding", "drawn"), [("utf-8", "▁╎█"), ("ascii", "_|#")])
def test_a_terminal_shows_it_in_the_letters_that_it_has(quick: Report, encoding: str, drawn: str) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=out, width=200)
    terminal.print(remembering(quick, series(1, 2, changes=[Step(1)])), console)
    out.seek(0)
    lines = [line for line in out.read().splitlines() if drawn in line]
    assert len(lines) == 1
    assert "2.15.0" in lines[0]


def test_a_narrow_terminal_keeps_it_and_drops_what_is_less_important(quick: Report) -> None:
    console = Console(file=(out := io.StringIO()), width=90)
    terminal.print(remembering(quick, series(1, 2)), console)
    assert "▁█" in out.getvalue()
    dropped = " ".join(out.getvalue().partition("No room for:")[2].split())
    assert "import time (a wider terminal" in dropped


def test_markdown_has_it_too(quick: Report) -> None:
    text = markdown.render(remembering(quick, series(1, 2)))
    assert "| step time history |" in text
    assert [TORCH.split("-")[1][:6] in line for line in text.splitlines() if "| ▁█ |" in line] == [True]
