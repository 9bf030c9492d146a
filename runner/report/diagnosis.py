"""Writes a diagnosis for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runner.diagnose import Diagnosis, Found, Place, Toggled
from runner.diagnose.words import paragraph, quantity
from runner.model import Sample, Status
from runner.util import jsontext

if TYPE_CHECKING:
    from rich.console import Group

_STYLES = {Found.DIFFERS: "bold red", Found.AGREES: "green", Found.UNCLEAR: "yellow", Found.NOT_RUN: "dim"}
_MOST_PLACES = 12

Rows = list[tuple[str, ...]]


def rungs(d: Diagnosis) -> tuple[tuple[str, ...], Rows]:
    """Head and rows of the ladder."""
    head = ("rung", "takes away", d.a, d.b, "apart", "")
    return head, [(r.name, r.suspect, r.a, r.b, " ".join(filter(None, (r.gap, r.note))), r.found) for r in d.rungs]


def places(d: Diagnosis) -> tuple[tuple[str, ...], Rows]:
    """Head and rows of the first step in which the cells differ."""
    found = [d.first, *d.others][:_MOST_PLACES] if d.first else []
    rows: Rows = [
        (str(p.step), quantity(p.quantity, p.part), _error(p, first=True), _error(p, first=False)) for p in found
    ]
    return ("step", "quantity", d.a, d.b), rows


def switches(d: Diagnosis) -> tuple[tuple[str, ...], Rows]:
    """Head and rows of the switches."""
    return ("cell", "switch", "what it does"), [(one.cell, one.toggle, _does(one)) for one in d.toggles]


def render(d: Diagnosis, width: int) -> Group:
    """Paragraph and tables for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    out: list[Any] = [Text(textwrap.fill(paragraph(d), min(width, 120), break_on_hyphens=False)), Text("")]
    for title, (head, rows) in _tables(d):
        if not rows:
            continue
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name in head:
            table.add_column(name, header_style="dim", overflow="fold")
        for row in rows:
            style = _STYLES.get(Found(row[-1])) if row[-1] in tuple(Found) else None
            table.add_row(*(Text(cell) for cell in row[:-1]), Text(row[-1], style=style or ""))
        out += [table, Text("")]
    out.append(Text(_legend(d), "dim"))
    return Group(*out)


def text(d: Diagnosis, format_: str) -> str:
    """The diagnosis as ``json`` or ``markdown``."""
    return dumps(d) if format_ == "json" else markdown(d)


def unmeasured(ladders: Sequence[Sample]) -> str:
    """The lines where a cell could not be measured: the status of each cell."""
    lines = [f"{s.cell.id}: {'runs' if s.status == Status.OK else f'{s.status}: {s.reason}'}" for s in ladders]
    failed = [sample for sample in ladders if sample.status != Status.OK]
    if len(failed) == 1 and failed[0].status.about_cell:
        lines.append(f"They differ in that only one of them trains: {failed[0].cell.id} does not.")
    return "\n".join(lines)


def markdown(d: Diagnosis) -> str:
    """The diagnosis as Markdown."""
    out = [f"## {d.cells[0]} and {d.cells[1]}", "", paragraph(d), ""]
    for title, (head, rows) in _tables(d):
        if rows:
            out += [f"**{title}**", "", _line(head), _line(["---"] * len(head)), *map(_line, rows), ""]
    return "\n".join([*out, _legend(d)])


def dumps(d: Diagnosis) -> str:
    """The diagnosis as one JSON object; a number that is not finite is null."""
    return jsontext.dumps({"schema": 1, "answer": paragraph(d), "differs": d.differs, **asdict(d)})


def _tables(d: Diagnosis) -> Sequence[tuple[str, tuple[tuple[str, ...], Rows]]]:
    return (("The ladder", rungs(d)), ("Where they differ", places(d)), ("Switches", switches(d)))


def _legend(d: Diagnosis) -> str:
    drift = f" Free-running losses: {max(d.trajectory):.1g} apart at most." if d.trajectory else ""
    if not d.same_inputs:
        drift += " The references differ in last bits (another NumPy), so bits of the two cells do not compare."
    return (
        f"Network {d.network}, {d.samples} samples replayed, {d.left_out} skipped because they lie within rounding "
        f"of a kink. u: 2^-24 sum |x w|; 'rounding' in the ladder: the length of random roundings of two units.{drift}"
    )


def _error(place: Place, *, first: bool) -> str:
    value, kind = (place.a, place.class_a) if first else (place.b, place.class_b)
    unit = "x rounding" if place.part == "whole" else " u"
    return f"{value:.3g}{unit} ({kind})" if math.isfinite(value) else f"not finite ({kind})"


def _does(one: Toggled) -> str:
    if one.bits is None:
        return f"could not be run: {one.note}"
    if one.equals_other:
        return "makes it equal to the other cell, bit by bit"
    if one.outcome:
        return "changes where it leaves the reference"
    return "other bits, same outcome" if one.bits else "nothing"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
