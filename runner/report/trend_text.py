"""Draws trends on a terminal, and writes them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING

from runner.history import entry
from runner.report import numbers, textlines
from runner.report.trend import FEWEST, LONGEST, Line, Trend, answer, first_changed
from runner.util import jsontext

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

HEIGHT = 7
"""Rows of a chart."""

POINT, LEVEL, SPLIT = "●", "─", "┊"
_PLAIN = str.maketrans({POINT: "o", LEVEL: "-", SPLIT: ":", "┤": "|", "│": "|", "└": "+", "┴": "+", "▲": "^", "→": ">"})
_STYLES = {"worse": "red", "better": "green", "": "yellow"}
_LEAST_RANGE = 0.1
"""An axis spans at least this part of the figure, so that noise of one percent is a flat line ..."""
_LEAST_POINTS = 0.02
"""... and two points of a figure in percent."""
_MANY = 3
"""Of more lines, those that change have a chart, and the others a line of text each."""
_WIDEST = 120
_NARROW = 64
"""Columns of a chart with fewer points."""


def as_json(trend: Trend) -> str:
    """The trend for programs.

    ``{"schema", "metric", "over", "lines": [{"title", "spots", "moves", "breaks", ...}], "notes"}``
    """
    return jsontext.dumps({"schema": 1, **asdict(trend)})


def show(trend: Trend, console: Console) -> None:
    """Write the trend to the console."""
    ascii_only = textlines.needs_ascii(console)
    for line in lines(trend, min(console.width, _WIDEST), ascii_only=ascii_only):
        console.print(line, soft_wrap=True)


def lines(trend: Trend, width: int = 100, *, ascii_only: bool = False) -> list[Text]:
    """How many lines change, every chart with its changes, and the notes.

    Lines that change come first. One line alone is its own answer.
    """
    out: list[Text] = textlines.wrapped(answer(trend), width, "bold") if len(trend.lines) > 1 else []
    ordered = first_changed(trend)
    charts = [one for one in ordered if one.moves] if len(ordered) > _MANY else []
    for one in charts or ordered:
        out += [textlines.text("")] if out else []
        out += _one(one, width)
    if charts and len(charts) < len(ordered):
        rest = [f"{_heading(one)}: {_nothing(one)}" for one in ordered[len(charts) :]]
        out += textlines.section("The others (--cells draws them)", rest, width)
    out += textlines.section("Notes", [numbers.plain(note) for note in trend.notes], width)
    if not ascii_only:
        return out
    for line in out:
        line.plain = line.plain.translate(_PLAIN)
        textlines.ascii_only(line)
    return out


def _heading(line: Line) -> str:
    host = f", {line.host}" if line.host else ""
    return f"{line.label} ({line.probe}): {line.title}{host}"


def _one(line: Line, width: int) -> list[Text]:
    out = textlines.wrapped(_heading(line), width, "bold")
    out += chart(line, width)
    for move in line.moves:
        out += textlines.items("▲", move.text, width, _STYLES[move.meaning])
    if not line.moves:
        out += textlines.wrapped(_nothing(line), width)
    for reason in line.breaks:
        out += textlines.items("-", reason, width)
    return out


def _nothing(line: Line) -> str:
    count = len(line.spots)
    what = ("run" if line.axis == "date" else "release") + ("" if count == 1 else "s")
    if count < FEWEST and not line.counted:
        return f"{count} {what}: change points need {FEWEST}"
    searched = f"the newest {LONGEST} of {count}" if count > LONGEST and not line.counted else str(count)
    return f"no change point in {searched} {what}"


def chart(line: Line, width: int) -> list[Text]:
    """The points, the level of each piece, and a mark under each change point.

    Where there are more points than columns, a column has the median of its points.
    """
    values = [spot.value for spot in line.spots]
    low, high = _range(values, percent=line.percent)
    rows = [_on_axis(line, high * (1 - n / (HEIGHT - 1)) + low * (n / (HEIGHT - 1))) for n in range(HEIGHT)]
    shown = {0, HEIGHT // 2, HEIGHT - 1}
    margin = max(textlines.cells(rows[n]) for n in shown)
    columns = max(8, width - margin - 3)
    count = min(columns, max(_NARROW, len(values)))
    places = [round(i * (count - 1) / max(1, len(values) - 1)) for i in range(len(values))]
    styles, canvas = _canvas(line, values, places, count, (low, high))
    out = []
    for n in range(HEIGHT):
        label = rows[n] if n in shown else ""
        text = textlines.text(f"{' ' * (margin - textlines.cells(label))}{label} {'┤' if label else '│'}", "dim")
        for column in range(count):
            text.append(canvas[n][column], styles.get((n, column), ""))
        text.rstrip()
        out.append(text)
    marks = {places[move.index]: _STYLES[move.meaning] for move in line.moves}
    base = textlines.text(f"{' ' * margin} └", "dim")
    for column in range(count):
        base.append("▲" if column in marks else LEVEL, marks.get(column, "dim"))
    out += [base, textlines.text(f"{' ' * (margin + 2)}{_ends(line, places, count)}", "dim")]
    return out


def _on_axis(line: Line, value: float) -> str:
    return line.figure(float(round(value)) if line.counted else value)


def _range(values: Sequence[float], *, percent: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    middle = low / 2 + high / 2  # the sum of two large figures is infinite
    least = _LEAST_POINTS if percent else _LEAST_RANGE * abs(middle)
    if high - low >= least and high > low:
        return low, high
    least = least or 2.0
    return middle - least / 2, middle + least / 2


def _canvas(
    line: Line, values: Sequence[float], places: Sequence[int], count: int, ends: tuple[float, float]
) -> tuple[dict[tuple[int, int], str], list[list[str]]]:
    low, high = ends

    def row(value: float) -> int:
        share = (value / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.5
        return HEIGHT - 1 - min(HEIGHT - 1, max(0, round(share * (HEIGHT - 1))))

    canvas = [[" "] * count for _ in range(HEIGHT)]
    styles: dict[tuple[int, int], str] = {}
    edges = [0, *(move.index for move in line.moves), len(values)]
    for begin, end in pairwise(edges):
        at = row(entry.median(values[begin:end]))
        for column in range(places[begin], places[end - 1] + 1):
            canvas[at][column] = LEVEL
            styles[at, column] = "dim"
    for move in line.moves:
        column = places[move.index]
        for n in range(HEIGHT):
            if canvas[n][column] == " ":
                canvas[n][column] = SPLIT
                styles[n, column] = "dim"
    by_column: dict[int, list[float]] = {}
    for value, column in zip(values, places, strict=True):
        by_column.setdefault(column, []).append(value)
    for column, found in by_column.items():
        at = row(entry.median(found))
        canvas[at][column] = POINT
        styles[at, column] = "cyan"
    return styles, canvas


def _ends(line: Line, places: Sequence[int], count: int) -> str:
    """The labels under the axis: both ends, change points, more where there is room."""
    text = [" "] * count
    last = len(places) - 1
    for index in dict.fromkeys([0, last, *(move.index for move in line.moves), *range(1, last)]):
        label = textlines.short(numbers.plain(line.spots[index].label))
        begin = places[index]
        if index and begin + len(label) > count:
            begin = max(0, count - len(label))
        span = range(max(0, begin - 1), min(len(text), begin + len(label) + 1))
        if begin + len(label) <= len(text) and all(text[n] == " " for n in span):
            text[begin : begin + len(label)] = label
    return "".join(text).rstrip()
