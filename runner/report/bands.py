"""Draws the overview as lines of text, in bands of columns that fit the width."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runner.report import textlines
from runner.report.overview import Block, Overview
from runner.report.textlines import GAP

if TYPE_CHECKING:
    from rich.text import Text


def lines(view: Overview, width: int) -> list[Text]:
    """The matrix: a band of columns for as many releases as the width takes."""
    out: list[Text] = []
    for block in view.blocks:
        out += [textlines.text("")]
        out += textlines.wrapped(block.name, width, "bold") if block.name else []
        side = max(textlines.cells(textlines.short(name)) for name, _ in block.rows)
        for band in _bands(block, width - side):
            out += _band(block, band, side)
    legend = [f"{symbol} {meaning}" for symbol, meaning in view.legend]
    out += textlines.wrapped(textlines.together(legend, width), width, "dim")
    for note in view.baseline_notes:
        out += textlines.wrapped(f"The baseline: {note}", width, "dim")
    return out if view.blocks else []


def _bands(block: Block, width: int) -> list[dict[int, int]]:
    """The columns of each band and their widths.

    A band is at most as wide as ``width``, or has one column.
    """
    bands: list[dict[int, int]] = [{}]
    for number in range(len(block.columns)):
        longer = _widths(block, [*bands[-1], number])
        if bands[-1] and sum(longer.values()) + len(GAP) * len(longer) > width:
            longer = _widths(block, [number])
            bands.append({})
        bands[-1] = longer
    return bands


def _widths(block: Block, band: Sequence[int]) -> dict[int, int]:
    """The widths of columns next to each other.

    The last one of a framework makes room for the framework's name.
    """
    found = {number: textlines.cells(textlines.short(block.columns[number][1])) for number in band}
    for _, columns in _runs(block, band):
        taken = sum(found[number] for number in columns) + len(GAP) * (len(columns) - 1)
        name = textlines.cells(textlines.short(block.columns[columns[0]][0]))
        found[columns[-1]] += max(0, name - taken)
    return found


def _runs(block: Block, band: Iterable[int]) -> list[tuple[str, list[int]]]:
    """The columns of a band by framework."""
    grouped = itertools.groupby(band, key=lambda number: block.columns[number][0])
    return [(framework, list(columns)) for framework, columns in grouped]


def _band(block: Block, widths: dict[int, int], side: int) -> list[Text]:
    names = textlines.text(" " * side)
    for framework, columns in _runs(block, widths):
        room = sum(widths[number] for number in columns) + len(GAP) * (len(columns) - 1)
        names.append(GAP + textlines.pad(textlines.short(framework), room), "bold cyan")
    releases = textlines.text(" " * side)
    for number, width in widths.items():
        releases.append(GAP + textlines.pad(textlines.short(block.columns[number][1]), width), "dim")
    out = [names, releases]
    for name, tiles in block.rows:
        if all(not tiles[number].cell for number in widths):
            continue
        line = textlines.text(textlines.pad(textlines.short(name), side))
        for number, width in widths.items():
            line.append(GAP + textlines.pad(tiles[number].symbol, width), tiles[number].mark.style)
        out.append(line)
    for line in out:
        line.rstrip()
    return out
