"""Draws sparklines: the paths of a small SVG picture of a series.

``web/src/charts/spark.js`` makes the same paths: both pass the cases in ``tests/unit/report/spark_cases.json``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 80, 18
_PAD = 2
_PIECES = 20
"""Longer series keep the least and the largest figure of each of that many pieces."""


@dataclass(frozen=True, slots=True)
class Spark:
    """The paths of a sparkline, each possibly empty."""

    line: str
    last: str
    """The last point: a path without length, drawn with round ends."""
    changes: str
    """An upright line per change point."""


def spark(values: Sequence[float | None], changes: Sequence[int] = ()) -> Spark:
    """Draws a series, the oldest figure first; ``changes`` are places in it.

    A figure that is None, NaN or infinite interrupts the line.

    >>> spark([1.0, 2.0, 3.0], [1])
    Spark(line='M2 16L40 9L78 2', last='M78 2h0', changes='M40 0V18')
    """
    figures = [figure for figure in values if figure is not None and math.isfinite(figure)]
    if not figures:
        return Spark("", "", "")
    x, y = _across(len(values)), _upward(min(figures), max(figures))
    line, last, pen = "", "", "M"
    for place in _kept(values):
        figure = values[place]
        if figure is None or not math.isfinite(figure):
            pen = "M"
            continue
        line += f"{pen}{x(place)} {y(figure)}"
        last, pen = f"M{x(place)} {y(figure)}h0", "L"
    inside = (place for place in changes if 0 <= place < len(values))
    return Spark(line, last, "".join(f"M{x(place)} 0V{HEIGHT}" for place in inside))


def _across(count: int) -> Callable[[int], str]:
    if count < 2:
        return lambda _: _tenth(WIDTH / 2)
    return lambda place: _tenth(_PAD + (place / (count - 1)) * (WIDTH - 2 * _PAD))


def _upward(low: float, high: float) -> Callable[[float], str]:
    half = high / 2 - low / 2  # halves: the difference of two large figures is infinite
    if half <= 0:
        return lambda _: _tenth(HEIGHT / 2)
    return lambda figure: _tenth(HEIGHT - _PAD - ((figure / 2 - low / 2) / half) * (HEIGHT - 2 * _PAD))


def _kept(values: Sequence[float | None]) -> list[int]:
    """The places that are drawn.

    Of a long series, these are the extremes of its pieces and its last figure.
    """
    count = len(values)
    if count <= 2 * _PIECES:
        return list(range(count))
    known = {place: figure for place, figure in enumerate(values) if figure is not None and math.isfinite(figure)}
    chosen = {max(known)}
    for piece in range(_PIECES):
        first, end = piece * count // _PIECES, (piece + 1) * count // _PIECES
        inside = {place: known[place] for place in range(first, end) if place in known}
        chosen |= {min(inside, key=inside.__getitem__), max(inside, key=inside.__getitem__)} if inside else {first}
    return sorted(chosen)


def _tenth(place: float) -> str:
    """A place with at most one decimal, rounded the same way in both languages."""
    whole, rest = divmod(math.floor(place * 10 + 0.5), 10)
    return f"{whole}.{rest}" if rest else str(whole)
