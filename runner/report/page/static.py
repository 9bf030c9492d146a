"""Arranges what the page shows without its script.

The answer, the overview and the tables, as values for the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.matrix import probes
from runner.model import Cell
from runner.report import columns, earlier, exchange, numbers, seeding
from runner.report.answer import Answer
from runner.report.data import Finding, Report, all_notes, command, exit_line, open_figures, subtitle
from runner.report.failures import last_lines, not_measured
from runner.report.findings import none_found
from runner.report.labels import common, labels, title, used_marks
from runner.report.marks import BASELINE, Mark
from runner.report.overview import ALONE, SKIPPED, Tile
from runner.report.page import cells, past
from runner.report.page.spark import Spark, spark
from runner.report.rows import Figure, Row, Table
from runner.report.table import CHANGED
from runner.report.words import Words

_LOG_LINES = 40

MOST_COMMANDS = 200
"""The page lists so many commands that measure a cell again; the script shows that of every cell."""

MOST_LINKS = 3
"""A finding about many cells links to the first ones."""

_SHORT = {
    Mark.WORSE: "worse",
    Mark.BETTER: "better",
    Mark.SAME: "same",
    Mark.UNDECIDED: "undecided",
    Mark.EXPECTED: "known",
    Mark.FIXED: "gone",
    Mark.INCOMPARABLE: "not judged",
    Mark.DIFFERS: "differs",
}
"""The word on a tile."""

_SYMBOLS = {BASELINE: "baseline", ALONE: "alone", SKIPPED: "missing"}


_TELLING = (*CHANGED, Mark.UNDECIDED)
"""A row with one of these marks differs, or may differ."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table: text, verdict, and the number it is sorted by."""

    text: str
    verdict: str
    style: str
    sort: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A sparkline, and the same in words."""

    drawn: Spark
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table. ``place`` is the cell's place in the data of the script."""

    place: int
    cell: str
    leads: bool
    labels: tuple[str, ...]
    fields: tuple[Field, ...]
    status: Field | None
    failed: str
    differs: bool
    trend: Trend | None
    """The sparkline of the row, where there is a history."""


def views(report: Report, said: Answer) -> dict[str, Any]:
    """The values of the template."""
    shared = common(sample.cell for sample in report.samples)
    place = {cell_id: number for number, cell_id in enumerate(cells.ids(report))}
    days = (cells.stale(report), cells.missed(report))
    words = Words(report, skipped=True)
    return {
        "title": numbers.plain(report.title),
        "subtitle": subtitle(report, shared),
        "exit_code": report.exit_code,
        "exit_line": exit_line(report),
        "exit_style": "open" if report.exit_code == 0 and open_figures(report)[0] else report.exit_code,
        "dates": dates(report),
        "findings": [_finding(finding, place, words) for finding in said.findings],
        "logs": [(where, "\n".join(log)) for where, log in last_lines(report, said.findings, most=_LOG_LINES)],
        "measured": bool(report.samples),
        "none_found": none_found(report),
        "blocks": list(_blocks(said, words, place, days)) if report.samples else [],
        "legend": said.overview.legend,
        "baseline_notes": said.overview.baseline_notes,
        "tables": [_table(table, report, shared, place) for table in said.tables],
        "marks": [(mark.symbol, mark.meaning, _style(mark)) for mark in used_marks(said.tables)],
        "baseline": BASELINE,
        "sweeps": [probe for probe in probes.sweeps() if probe in report.by_probe],
        "exchange_heading": exchange.HEADING,
        "exchange": exchange.exchange(report),
        "parity_heading": seeding.HEADING,
        "parity": seeding.seeding(report),
        "remedies": seeding.table(report),
        "not_measured": not_measured(report),
        "notes": all_notes(report),
        "commands": [(cell_id, command(cell_id, report)) for cell_id in list(report.cells)[:MOST_COMMANDS]],
        "more_commands": max(0, len(report.cells) - MOST_COMMANDS),
    }


def _style(mark: Mark) -> str:
    return mark.name.lower()


def dates(report: Report) -> str:
    """The days on which it was measured; empty where that is unknown.

    ``2026-11-12`` or ``2026-11-12 to 2026-11-14``
    """
    days = sorted({numbers.plain(sample.started[:10]) for sample in report.samples if sample.started})
    return f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(days)


def _finding(finding: Finding, place: Mapping[str, int], words: Words) -> dict[str, Any]:
    # Only a web address becomes a link: a report is made of files that anybody may have written.
    safe = finding.issue if finding.issue.startswith(("https://", "http://")) else ""
    return {
        "style": _style(finding.severity.mark),
        "symbol": finding.severity.mark.symbol,
        "text": finding.text.rstrip(".") if safe else finding.sentence,
        "issue": numbers.plain(safe),
        "kind": finding.kind,
        "label": finding.severity.label,
        "since": finding.since if safe else "",
        "details": finding.details,
        "commands": finding.commands,
        "probes": "\n".join(map(numbers.plain, finding.probes)),
        "places": " ".join(str(place[cell]) for cell in finding.cells if cell in place),
        "cells": [(numbers.plain(cell), words.name(cell)) for cell in finding.cells[:MOST_LINKS] if cell in place],
    }


def _blocks(
    said: Answer, words: Words, place: Mapping[str, int], days: tuple[Mapping[str, int], Mapping[str, int]]
) -> Iterator[dict[str, Any]]:
    for block in said.overview.blocks:
        groups: list[list[Any]] = []
        for framework, _ in block.columns:
            if groups and groups[-1][0] == framework:
                groups[-1][1] += 1
            else:
                groups.append([framework, 1])
        rows = [(name, [_tile(tile, words, place, *days) for tile in tiles]) for name, tiles in block.rows]
        yield {"name": block.name, "groups": groups, "columns": block.columns, "rows": rows}


def _tile(
    tile: Tile, words: Words, place: Mapping[str, int], stale: Mapping[str, int], missed: Mapping[str, int]
) -> dict[str, Any]:
    if not tile.cell:
        return {"cell": ""}
    word = _SHORT.get(tile.mark) or _SYMBOLS.get(tile.symbol, "")
    style = _style(tile.mark) if tile.mark is not Mark.NONE else _SYMBOLS.get(tile.symbol, "none")
    old = label = ""
    if days := stale.get(tile.cell):
        old, label = f"{days} d old", f", measured {days} days before the newest"
    elif tile.cell in missed:
        old, label = f"{missed[tile.cell]} d ago", f", last measured {missed[tile.cell]} days before this run"
    return {
        "cell": numbers.plain(tile.cell),
        "place": place[tile.cell],
        "symbol": tile.symbol,
        "word": word,
        "style": style,
        "stale": bool(days),
        "old": old,
        "label": f"{words.name(tile.cell)}: {word}{label}",
    }


def _table(table: Table, report: Report, shared: Cell | None, place: Mapping[str, int]) -> dict[str, Any]:
    headings, texts = labels(table.rows, shared)
    metric = next((column.history for column in table.columns if column.history), "")
    shown = [number for number, column in enumerate(table.columns) if not column.history]
    cols = [table.columns[number] for number in shown]
    lines = [
        _line(row, texts[row.cell], place[row.cell.id], shown, _trend(report, row, metric) if metric else None)
        for row in table.rows
    ]
    return {
        "probe": numbers.plain(table.probe),
        "n": " · ".join(map(numbers.plain, title(table))),
        "headings": ("framework", *headings),
        "columns": [column.label for column in cols],
        "metrics": [" ".join(map(numbers.plain, column.metrics[:1])) for column in cols],
        "lines": lines,
        "folded": table.folded,
        "trend": f"{numbers.plain(columns.label(metric))}, earlier runs" if metric else "",
    }


def _line(row: Row, named: Sequence[str], place: int, shown: Sequence[int], trend: Trend | None) -> Line:
    status = None
    reason = f": {row.reason}" if row.reason else ""
    if not row.figures:
        known = " (known)" if row.mark is Mark.EXPECTED else ""
        status = Field(f"{row.status}{known}{reason}", row.mark.symbol, _style(row.mark), "")
    fields = tuple(_field(row.figures[number]) for number in shown if row.figures)
    return Line(
        place=place,
        cell=numbers.plain(row.cell.id),
        leads=row.leads,
        labels=(numbers.plain(row.cell.framework), *named),
        fields=fields,
        status=status,
        failed=f"{row.failed} of {row.n} failed{reason}" if row.failed and row.figures else "",
        differs=status is not None or row.leads or _differs(row),
        trend=trend,
    )


def _differs(row: Row) -> bool:
    """Whether a figure differs or may differ; a row in which nothing was judged may."""
    marks = {figure.mark for figure in row.figures if figure}
    return not marks.isdisjoint(_TELLING) or marks <= {Mark.NONE}


def _trend(report: Report, row: Row, metric: str) -> Trend | None:
    series = earlier.series(report, row, metric)
    if series is None:
        return None
    first = max(0, len(series.points) - past.MOST_POINTS)
    changes = [change.index - first for change in series.changes if change.index >= first]
    words = [numbers.plain(change.text) for change in series.changes]
    changed = f"; {'; '.join(words)}" if words else ", no change of level found"
    label = f"{numbers.plain(columns.label(series.metric))} over {len(series.points)} runs{changed}"
    return Trend(spark(series.values[first:], changes), label)


def _field(figure: Figure | None) -> Field:
    if figure is None:
        return Field("·", "", "none", "")
    sort = next((f"{s.median:.6g}" for s in figure.summaries if s.median is not None), "")
    verdict = f"{figure.mark.symbol} {figure.delta}".strip()
    return Field(figure.text, verdict, _style(figure.mark), sort)
