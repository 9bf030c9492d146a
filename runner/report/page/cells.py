"""Describes every cell for the page.

What ran there, what differs, what it printed, what to run next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from runner.model import Cell, Comparison, Sample, Status
from runner.report import advice, numbers
from runner.report.data import Report, command
from runner.report.marks import Mark, mark
from runner.report.overview import Overview
from runner.report.page import past
from runner.report.words import Words
from runner.util import jsontext

MOST_LOG = 1_500_000
"""Characters of output in one page. Where failed processes printed more, each keeps its last ``SHORT_LOG`` lines."""

SHORT_LOG = 40

STALE_DAYS = 7
"""A cell whose newest result is so much older than the newest of the report is marked as stale."""

_LONG = ("packages", "environment", "errors", "platform", "framework", "device", "probe_hash")
"""Facts that the page shows elsewhere, or that say nothing to a reader."""


def ids(report: Report) -> list[str]:
    """The ids of all cells: the measured ones, then those that were left out."""
    return list(dict.fromkeys([*report.cells, *(skip.cell.id for skip in report.skips)]))


def known(report: Report) -> dict[str, Cell]:
    """All cells by their ids, those that were left out too."""
    return {skip.cell.id: skip.cell for skip in report.skips} | report.cells


def payload(report: Report, view: Overview) -> dict[str, Any]:
    """The cells, and tables of what several of them share: facts, packages and logs."""
    words = Words(report, skipped=True)
    tiles = marks(view)
    facts: dict[bytes, int] = {}
    packages: dict[bytes, int] = {}
    logs = _Logs(report)
    samples = _samples(report)
    newest = max((sample.started for sample in report.samples), default="")
    against = _against(report)
    return {
        "cells": [
            {
                "id": numbers.plain(cell_id),
                "name": words.name(cell),
                "axes": {name: value and numbers.plain(value) for name, value in cell.values.items()},
                "mark": tiles.get(cell_id, Mark.NONE).name.lower(),
                "skips": [numbers.plain(skip.reason) for skip in report.skips if skip.cell.id == cell_id],
                **_measured(samples.get(cell_id, ()), newest, facts, packages, logs),
                **past.of_cell(report.past, cell_id),
                "commands": list(_commands(cell_id, report, against)),
            }
            for cell_id, cell in ((cell_id, known(report)[cell_id]) for cell_id in ids(report))
        ],
        "facts": [msgspec.json.decode(text) for text in facts],
        "packages": [msgspec.json.decode(text) for text in packages],
        "logs": logs.texts,
        "newest": newest,
    }


def marks(view: Overview) -> dict[str, Mark]:
    """The mark of every cell of the overview."""
    return {tile.cell: tile.mark for block in view.blocks for _, row in block.rows for tile in row if tile.cell}


def _samples(report: Report) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in report.samples:
        found.setdefault(sample.cell.id, []).append(sample)
    return found


def _measured(
    samples: Sequence[Sample],
    newest: str,
    facts: dict[bytes, int],
    packages: dict[bytes, int],
    logs: _Logs,
) -> dict[str, Any]:
    """What ran in a cell. Nothing for a cell without a result."""
    if not samples:
        return {}
    telling = next((sample for sample in samples if sample.facts), samples[0])
    days = age(max(sample.started for sample in samples), newest)
    return {
        "facts": _place(facts, dict(_facts(telling))),
        "packages": _place(packages, {numbers.plain(k): numbers.plain(v) for k, v in telling.packages.items()}),
        "lock": telling.lock_hash[:12],
        "executor": numbers.plain(telling.executor),
        "started": [min(s.started for s in samples), max(s.started for s in samples)],
        **({"stale": math.floor(days)} if days >= STALE_DAYS else {}),
        "notes": list(dict.fromkeys(numbers.plain(note) for sample in samples for note in sample.notes)),
        "settings": {
            numbers.plain(probe): numbers.plain(msgspec.json.encode(jsontext.finite(of[0].settings)).decode())
            for probe, of in _by_probe(samples).items()
        },
        "failures": [
            [numbers.plain(s.probe), s.round, str(s.status), numbers.plain(s.reason), logs.place(s), s.exit_code]
            for s in samples
            if s.status is not Status.OK
        ],
    }


def _by_probe(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.probe, []).append(sample)
    return found


def age(started: str, newest: str) -> float:
    """Days between two times in ISO 8601; 0 where one of them is not a time.

    >>> age("2026-11-12T00:00:00+00:00", "2026-11-19T12:00:00+00:00")
    7.5
    """
    try:
        return (datetime.fromisoformat(newest) - datetime.fromisoformat(started)).total_seconds() / 86_400
    except (ValueError, TypeError):
        return 0.0


def _place(table: dict[bytes, int], value: Mapping[str, Any]) -> int:
    """The place of a value in a table of values that are each there once."""
    return table.setdefault(msgspec.json.encode(value), len(table))


def _facts(sample: Sample) -> Iterator[tuple[str, str]]:
    """What really ran, as pairs of words and values: build, threads, switches."""
    facts = sample.facts
    for name, value in facts.items():
        if name in _LONG or value in (None, "", {}, []):
            continue
        if isinstance(value, dict):
            for inner, part in value.items():
                if part not in (None, "", {}, []):
                    key = inner if name == "switches" else f"{name} {inner}"
                    yield numbers.plain(key.replace("_", " ")), _text(part)
        else:
            yield numbers.plain(name.replace("_", " ")), _text(value)
    if "host" in sample.fingerprint:
        yield "host", numbers.plain(str(sample.fingerprint["host"]))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    elif isinstance(value, dict):
        value = ", ".join(f"{key} {part}" for key, part in value.items())
    return numbers.shorten(numbers.plain(str(value)), 400)


class _Logs:
    """The output of the processes that failed, each text once."""

    def __init__(self, report: Report) -> None:
        whole = {s.log for s in report.samples if s.status is not Status.OK}
        self._short = sum(map(len, whole)) > MOST_LOG
        self.texts: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, sample: Sample) -> int:
        """The place of a sample's output in ``texts``; -1 where it printed nothing."""
        lines = sample.log.rstrip().splitlines()
        if not lines:
            return -1
        cut = f"… {len(lines) - SHORT_LOG} lines before these are in the result file"
        kept = [cut, *lines[-SHORT_LOG:]] if self._short and len(lines) > SHORT_LOG else lines
        text = "\n".join(numbers.plain(line, indent=True) for line in kept)
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


def _against(report: Report) -> dict[str, list[Comparison]]:
    """The comparisons of every candidate, those that are worse first."""
    found: dict[str, list[Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.baseline:
            found.setdefault(comparison.candidate, []).append(comparison)
    return found


def _commands(cell_id: str, report: Report, against: Mapping[str, Sequence[Comparison]]) -> Iterator[tuple[str, str]]:
    """What can be run about a cell, each a word and a whole command line."""
    shown = numbers.plain(cell_id)
    yield "measure it again", command(shown, report)
    yield "a shell in it", advice.line("shell", report, [shown])
    compared = against.get(cell_id, ())
    worse = next((c for c in compared if mark(c) is Mark.WORSE), None)
    lead = worse or next(iter(compared), None)
    if lead is not None and lead.baseline in report.cells:
        yield "why it differs from its baseline", advice.line("diagnose", report, [shown, numbers.plain(lead.baseline)])
    if worse is not None:
        metric = report.metrics.get((worse.probe, worse.metric))
        better = [report.cells[worse.baseline]] if worse.baseline in report.cells else []
        kind = metric.kind if metric else None
        for found in advice.next_commands(report, worse, report.cells, better, kind):
            if " bisect " in found:
                yield "the release that did it", found
    yield "a folder that reproduces it without this program", advice.line("export", report, [shown])


def missed(report: Report) -> dict[str, int]:
    """The cells without a result that a history knows, and for how many days."""
    if report.past is None:
        return {}
    newest = max((sample.started for sample in report.samples), default="")
    last = {skip.cell.id: report.past.cell(skip.cell.id) for skip in report.skips if skip.cell.id not in report.cells}
    return {cell_id: math.floor(age(runs[-1].when, newest)) for cell_id, runs in last.items() if runs}


def stale(report: Report) -> dict[str, int]:
    """The cells whose newest result is old, and by how many days; see ``STALE_DAYS``."""
    newest = max((sample.started for sample in report.samples), default="")
    last: dict[str, str] = {}
    for sample in report.samples:
        last[sample.cell.id] = max(last.get(sample.cell.id, ""), sample.started)
    days = {cell_id: age(started, newest) for cell_id, started in last.items()}
    return {cell_id: math.floor(found) for cell_id, found in days.items() if found >= STALE_DAYS}
