"""Draws a series in one short line of text: a block for each run. Pure."""

from __future__ import annotations

from runner.history.data import Series

BLOCKS = "▁▂▃▄▅▆▇█"
CHANGE = "╎"
"""Stands before the first run of a new level."""
MOST = 16
"""The newest so many runs are drawn."""

_LEAST_RANGE = 0.1
"""The blocks span at least this part of the figure, so that noise of one percent is a flat line ..."""
_LEAST_POINTS = 0.02
"""... and at least two points of a figure in percent."""


def text(series: Series, *, percent: bool = False) -> str:
    """The newest figures as blocks, the newest at the right.

    The least and the greatest of them have the lowest and the highest block, unless they are close to each other.
    """
    values = series.values[-MOST:]
    low, high = min(values), max(values)
    middle = low / 2 + high / 2  # halves: the sum of two large figures is infinite
    half = max(high / 2 - low / 2, (_LEAST_POINTS if percent else _LEAST_RANGE * abs(middle)) / 2)
    skipped = len(series.values) - len(values)
    changes = {change.index - skipped for change in series.changes}
    drawn = []
    for place, value in enumerate(values):
        share = 0.5 + (value / 2 - middle / 2) / half if half else 0.5
        block = BLOCKS[min(len(BLOCKS) - 1, max(0, int(share * len(BLOCKS))))]
        drawn.append(CHANGE + block if place in changes and place else block)
    return "".join(drawn)
