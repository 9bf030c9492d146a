"""Reads figures over runs, for a trend and for a report."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from runner.history import adding, since, words
from runner.history import entry as entries
from runner.history.data import CellRun, Entry, Key, Past, Point, ProbeRun, Run, Series
from runner.model import Sample, Scalar, Status

MOST_RUNS = 100
"""A report shows so many earlier runs of a cell at most."""
MOST_POINTS = 100_000
"""It reads about so many figures at most: of very many cells fewer runs are read ..."""
LEAST_RUNS = 15
"""... but never fewer than these."""
MOST_SCOPES = 50_000
"""It looks at so many scopes at most for the reasons why a series breaks: a run on another host each night adds one for
every timing."""

_Row = tuple[Any, ...]
"""One figure: series, run, condition, value, least, greatest, n, verdict."""


@dataclass(frozen=True, slots=True)
class _Line:
    """The figures of one scope, and what they are of."""

    cell: str
    probe: str
    metric: str
    kind: str
    unit: str
    better: str
    rows: Sequence[_Row]
    """In the order of time."""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when a scope has figures, and the fingerprint of one of them."""

    first: str
    last: str
    condition: int


class _Book:
    """The runs and fingerprints that figures refer to."""

    def __init__(self, connection: sqlite3.Connection, runs: Mapping[int, tuple[str, str]]) -> None:
        """``runs``: number -> id and beginning."""
        self._connection = connection
        self.runs = runs
        self._texts: dict[int, str] = dict(connection.execute("SELECT id, fingerprint FROM conditions"))
        self._prints: dict[int, dict[str, Scalar]] = {}

    def fingerprint(self, condition: int) -> Mapping[str, Scalar]:
        """What figures were measured on and with."""
        if condition not in self._prints:
            self._prints[condition] = json.loads(self._texts.get(condition, "{}"))
        return self._prints[condition]

    def series(self, line: _Line, others: Sequence[_Span], own: tuple[Point, Mapping[str, Scalar]] | None) -> Series:
        """A series as others see it; ``own`` is the report's own figure, its last point."""
        points = [
            Point(*self.runs[run], line.cell, value, low, high, n, verdict)
            for _, run, _, value, low, high, n, verdict in line.rows
        ]
        prints = [self.fingerprint(row[2]) for row in line.rows]
        if own is not None:
            points.append(own[0])
            prints.append(own[1])
        breaks = [*self._other_scopes(points, prints, others), *self._moved(points, prints)]
        place = words.place(prints[-1])
        named = (line.cell, line.probe, line.metric, line.unit, line.better, place)
        return Series(*named, tuple(points), (), tuple(breaks), line.kind, line.scope)

    def _other_scopes(
        self, points: Sequence[Point], prints: Sequence[Mapping[str, Scalar]], others: Sequence[_Span]
    ) -> Iterator[str]:
        """Why other figures of the same name are not in the series.

        That is the nearest reason of each kind.
        """
        first, now = points[0].when, points[-1].when
        said: dict[str, str] = {}
        for other in sorted(others, key=lambda span: span.first):
            why = words.difference(prints[0], self.fingerprint(other.condition))
            if not why:
                continue
            if other.first < first:
                said[why] = f"{why} before {words.day(first, now)}"
            else:
                said.setdefault(why, f"{why} from {words.day(other.first, now)}")
        yield from said.values()

    def _moved(self, points: Sequence[Point], prints: Sequence[Mapping[str, Scalar]]) -> Iterator[str]:
        """Where the machine changes within a series.

        Only figures that are compared all the same have such places.
        """
        moves = []
        for place in range(1, len(points)):
            before, after = prints[place - 1], prints[place]
            if before is not after and any(before.get(name) != after.get(name) for name in words.MACHINE):
                why = words.difference(before, after)
                moves.append(f"{why} from {words.day(points[place].when, points[-1].when)}, compared all the same")
        yield from moves[-1:]
        if len(moves) > 1:
            count = len(moves) - 1
            yield f"{count} more {'change' if count == 1 else 'changes'} of the machine before that"


def series(
    connection: sqlite3.Connection,
    wanted: Callable[[str], bool],
    probe: str | None,
    metric: str | None,
    runs: int | None,
) -> tuple[Series, ...]:
    """See ``History.series``. Raises sqlite3.Error."""
    rows = connection.execute("SELECT id, name, started FROM runs ORDER BY started DESC, name DESC").fetchall()
    kept = rows if runs is None else rows[:runs]
    book = _Book(connection, {number: (name, started) for number, name, started in kept})
    order = {number: place for place, (number, _, _) in enumerate(reversed(kept))}
    cells = {number: name for number, name in connection.execute("SELECT id, name FROM cells") if wanted(name)}
    described = connection.execute(
        "SELECT series.id, cell, probe, name, kind, unit, better, lower(hex(scope)) FROM series"
        " JOIN metrics ON metrics.id = metric"
        " WHERE (?1 IS NULL OR probe = ?1) AND (?2 IS NULL OR name = ?2)",
        (probe, metric),
    ).fetchall()
    meanings = {row[0]: (cells[row[1]], *row[2:]) for row in described if row[1] in cells}
    figures = _figures(connection, list(meanings), list(order))
    lines: dict[tuple[str, str, str], list[_Line]] = {}
    for number, found in figures.items():
        cell, of, name, kind, unit, better, scope = meanings[number]
        ordered = sorted(found, key=lambda row: order[row[1]])
        lines.setdefault((cell, of, name), []).append(_Line(cell, of, name, kind, unit, better, ordered, scope))
    made = []
    for key in sorted(lines):
        scopes = sorted(lines[key], key=lambda line: order[line.rows[0][1]])
        spans = [_span(line, book) for line in scopes]
        made += [
            book.series(line, [*spans[:place], *spans[place + 1 :]], None) for place, line in enumerate(scopes)
        ]  # fmt: skip
    return tuple(made)


def _span(line: _Line, book: _Book) -> _Span:
    first, last = line.rows[0], line.rows[-1]
    return _Span(book.runs[first[1]][1], book.runs[last[1]][1], last[2])


def _figures(connection: sqlite3.Connection, numbers: Collection[int], runs: Collection[int]) -> dict[int, list[_Row]]:
    """The figures of series in runs, by series. In no order of time."""
    _fill(connection, "wanted_series", numbers)
    _fill(connection, "wanted_runs", runs)
    rows = connection.execute(
        "SELECT series, run, condition, value, low, high, n, verdict FROM wanted_series CROSS JOIN figures"
        " ON series = wanted_series.id WHERE run IN (SELECT id FROM wanted_runs)"
    ).fetchall()
    return {number: list(found) for number, found in groupby(rows, key=itemgetter(0))}


# --- for a report ----------------------------------------------------------------------------------------------------


def past(connection: sqlite3.Connection, runs: Sequence[Run], entry: Entry) -> Past:
    """See ``History.past``; ``runs``: all of the history. Raises sqlite3.Error."""
    groups = entries.grouped(entry.samples)
    identities = entries.Identities()
    # the first and the last process of each cell and probe are enough to know a run again, also one that has grown
    digests = {identities.of(sample) for samples in groups.values() for sample in (samples[0], samples[-1])}
    began = min((sample.started for sample in entry.samples), default="")
    own = set(adding.known_runs(connection, digests).values())
    every = connection.execute("SELECT id, name, started FROM runs ORDER BY started, name").fetchall()
    before = [row for row in every if row[0] not in own and row[2] < began]
    here = {cell.id: cell for cell in dict.fromkeys(sample.cell for sample in entry.samples)}
    present = _present(entry, groups, began)
    numbers, other_scopes = _wanted(connection, present)
    most = min(MOST_RUNS, max(LEAST_RUNS, MOST_POINTS // max(1, len(numbers))))
    recent = before[-most:]
    book = _Book(connection, {number: (name, started) for number, name, started in recent})
    figures = _figures(connection, list(numbers), list(book.runs)) if recent else {}
    others = _spans(connection, other_scopes, list(book.runs))
    ids = {row[1] for row in before}
    earlier = tuple(run for run in runs if run.id in ids)
    this = Run("", entry.set_name, began, "", entry.exit_code, "", len(here), len(entry.samples))
    same_set = [run for run in earlier if run.set_name == entry.set_name]
    by_series = {key: number for number, key in numbers.items()}
    return Past(
        runs=earlier,
        by_figure=_Built(book, present, by_series, figures, others),
        by_key=since.since(connection, this, same_set, entry.findings, groups),
        by_cell=_Outcomes(connection, list(here), book.runs),
    )


_Own = tuple[entries.Figure, Point]


def _present(entry: Entry, groups: Mapping[tuple[str, str], Sequence[Sample]], began: str) -> dict[Key, _Own]:
    """The report's own figures. Of several scopes the one with most processes."""
    judged: dict[Key, list[str]] = {}
    for comparison in entry.comparisons:
        key = (comparison.candidate, comparison.probe, comparison.metric)
        judged.setdefault(key, []).append(entries.verdict(comparison))
    found: dict[Key, _Own] = {}
    for (cell, probe), samples in groups.items():
        for figure in entries.figures(samples):
            key = (cell, probe, figure.metric.name)
            if key in found and found[key][1].n >= figure.n:
                continue
            verdict = entries.worst(judged.get(key, ()))
            point = Point("", began, cell, figure.value, figure.low, figure.high, figure.n, verdict)
            found[key] = (figure, point)
    return found


def _wanted(connection: sqlite3.Connection, present: Mapping[Key, _Own]) -> tuple[dict[int, Key], dict[int, Key]]:
    """The series of the report's figures in the history, and those of other scopes."""
    cells = dict(connection.execute("SELECT id, name FROM cells"))
    metrics = {row[0]: row[1:] for row in connection.execute("SELECT id, probe, name FROM metrics")}
    mine: dict[int, Key] = {}
    others: dict[int, Key] = {}
    for number, cell, metric, scope in connection.execute("SELECT id, cell, metric, scope FROM series"):
        key = (cells[cell], *metrics[metric])
        own = present.get(key)
        if own is not None:
            (mine if own[0].scope == scope else others)[number] = key
    return mine, others


def _spans(connection: sqlite3.Connection, others: Mapping[int, Key], runs: Collection[int]) -> dict[Key, list[_Span]]:
    """From when to when other scopes have figures in these runs.

    Of very many, the newest.
    """
    if not others or not runs:
        return {}
    _fill(connection, "wanted_runs", runs)
    _fill(connection, "wanted_series", sorted(others)[-MOST_SCOPES:])
    rows = connection.execute(
        "SELECT series, MIN(started), MAX(started), condition FROM wanted_series CROSS JOIN figures"
        " ON series = wanted_series.id JOIN runs ON runs.id = run WHERE run IN (SELECT id FROM wanted_runs)"
        " GROUP BY series"
    )
    found: dict[Key, list[_Span]] = {}
    for number, first, last, condition in rows:
        found.setdefault(others[number], []).append(_Span(first, last, condition))
    return found


def _fill(connection: sqlite3.Connection, table: str, numbers: Iterable[int]) -> None:
    """A temporary table of numbers."""
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY)")
    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from here
    connection.executemany(f"INSERT INTO {table} VALUES (?)", [(number,) for number in numbers])  # noqa: S608


class _Built(Mapping[Key, Series]):
    """The series of a report. Each is made of its rows when it is looked at."""

    def __init__(
        self,
        book: _Book,
        present: Mapping[Key, _Own],
        numbers: Mapping[Key, int],
        figures: Mapping[int, Sequence[_Row]],
        others: Mapping[Key, Sequence[_Span]],
    ) -> None:
        self._book = book
        self._present = present
        self._rows = {key: figures[number] for key, number in numbers.items() if number in figures}
        self._others = others
        self._order = {number: place for place, number in enumerate(book.runs)}
        self._keys = [key for key in present if key in self._rows or key in others]

    def __getitem__(self, key: Key) -> Series:
        if key not in self._rows and (key not in self._others or key not in self._present):
            raise KeyError(key)
        figure, point = self._present[key]
        metric = figure.metric
        rows = sorted(self._rows.get(key, ()), key=lambda row: self._order[row[1]])
        line = _Line(*key, metric.kind.value, metric.unit, metric.better.value, rows, figure.scope.hex())
        return self._book.series(line, self._others.get(key, ()), (point, figure.fingerprint))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class _Outcomes(Mapping[str, tuple[CellRun, ...]]):
    """The earlier runs of a report's cells.

    Those of a cell are made of their rows when it is looked at.
    """

    def __init__(
        self, connection: sqlite3.Connection, cells: Sequence[str], runs: Mapping[int, tuple[str, str]]
    ) -> None:
        self._runs = runs
        self._order = {number: place for place, number in enumerate(runs)}
        numbers = dict(connection.execute("SELECT id, name FROM cells"))
        wanted = set(cells)
        ids = [number for number, name in numbers.items() if name in wanted] if runs else []
        _fill(connection, "wanted_cells", ids)
        _fill(connection, "wanted_runs", runs)
        rows = connection.execute(
            "SELECT cell, run, probe, status, reason, n, failed, verdict FROM wanted_cells CROSS JOIN outcomes"
            " ON cell = wanted_cells.id WHERE run IN (SELECT id FROM wanted_runs) ORDER BY cell"
        ).fetchall() if ids else []  # fmt: skip
        self._rows = {numbers[number]: list(found) for number, found in groupby(rows, key=itemgetter(0))}

    def __getitem__(self, cell: str) -> tuple[CellRun, ...]:
        rows = sorted(self._rows[cell], key=lambda row: (self._order[row[1]], row[2]))
        return tuple(self._run(cell, number, found) for number, found in groupby(rows, key=itemgetter(1)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _run(self, cell: str, number: int, rows: Iterable[_Row]) -> CellRun:
        run, when = self._runs[number]
        probes = tuple(ProbeRun(run, when, cell, *row[2:]) for row in rows)
        status = next((one.status for one in probes if one.status != Status.OK), Status.OK.value)
        return CellRun(run, when, status, entries.worst(one.verdict for one in probes), probes)
