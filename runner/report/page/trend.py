"""Renders a trend as one HTML file, like the report (see ``runner.report.page``)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.report import numbers
from runner.report.marks import Mark
from runner.report.page import document, payload
from runner.report.page.past import short
from runner.report.page.spark import spark
from runner.report.trend import DATE, Line, Move, Trend, answer, first_changed

_MARKS = {"worse": Mark.WORSE, "better": Mark.BETTER}


def render(trend: Trend) -> str:
    """The whole document: change points first, then a chart and a table per line."""
    trend = replace(trend, lines=first_changed(trend))
    moved = [(number, move) for number, line in enumerate(trend.lines) for move in line.moves]
    lines = [_line(number, line) for number, line in enumerate(trend.lines)]
    values = {
        "title": numbers.plain(f"{trend.metric} over {'dates' if trend.over == DATE else 'releases'}"),
        "answer": answer(trend),
        "over": trend.over,
        "moved": [(lines[number], _move(move)) for number, move in sorted(moved, key=_order)],
        "lines": lines,
        "notes": [numbers.plain(note) for note in trend.notes],
        "data": payload.packed_data({"lines": [_drawn(line, trend.over) for line in trend.lines]}),
    }
    return "".join(document.pieces("trend.html.j2", "trend.js", values))


def _order(moved: tuple[int, Move]) -> tuple[bool, float]:
    """Worse before better, large before small."""
    return (moved[1].meaning != "worse", -abs(moved[1].effect))


def _move(move: Move) -> dict[str, str]:
    mark = _MARKS.get(move.meaning, Mark.DIFFERS)
    word = {Mark.WORSE: "WORSE", Mark.BETTER: "BETTER"}.get(mark, "CHANGED")
    return {"style": mark.name.lower(), "symbol": mark.symbol, "word": word, "text": numbers.plain(move.text)}


def _line(number: int, line: Line) -> dict[str, Any]:
    rows = [
        (
            numbers.plain(spot.label),
            line.figure(spot.value),
            *("" if bound is None else line.figure(bound) for bound in (spot.low, spot.high)),
            str(spot.n),
        )
        for spot in line.spots
    ]
    return {
        "number": number,
        "title": numbers.plain(f"{line.label} of {line.title} ({line.probe})"),
        "host": numbers.plain(line.host),
        "label": numbers.plain(line.label),
        "spark": spark([spot.value for spot in line.spots], [move.index for move in line.moves]),
        "texts": [numbers.plain(move.text) for move in line.moves],
        "none": "No change of level found.",
        "rows": rows,
        "breaks": [numbers.plain(text) for text in line.breaks],
    }


def _drawn(line: Line, over: str) -> dict[str, Any]:
    return {
        "label": numbers.plain(line.label),
        "unit": numbers.plain(line.unit),
        "better": line.better,
        "percent": line.percent,
        "over": over,
        "points": [
            [numbers.plain(spot.when or spot.label if over == DATE else spot.label), spot.value, spot.low, spot.high]
            for spot in line.spots
        ],
        "changes": [[move.index, short(move.text)] for move in line.moves],
    }
