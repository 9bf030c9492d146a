"""Writes one judged run, within the caller's transaction.

Which results belong to one run follows from the results alone: a folder that has grown, or the shards of a run put
together, share results with what is there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from runner.history import entry as entries
from runner.history.data import Added, Entry
from runner.model import Cell, Comparison, Metric, Sample
from runner.util import plain

_TOGETHER = 500
"""So many values are looked up at once: older releases of SQLite take up to 999."""


@dataclass(frozen=True, slots=True)
class _Result:
    """One result with its identities."""

    digest: bytes
    job: bytes | None
    sample: Sample


def add(connection: sqlite3.Connection, entry: Entry) -> Added:
    """See ``History.add``. Raises sqlite3.Error."""
    identities = entries.Identities()
    results = {r.digest: r for r in (_Result(identities.of(s), identities.job(s), s) for s in entry.samples)}
    known = known_runs(connection, results)
    fresh = [result for digest, result in results.items() if digest not in known]
    if not fresh:
        newest = _newest_first(connection, set(known.values()), None)
        return Added(newest[0][1] if newest else "", 0, len(known), created=False)
    run, created = _run(connection, entry, set(known.values()), fresh)
    connection.executemany(
        "INSERT INTO samples (digest, job, run) VALUES (?, ?, ?)", [(one.digest, one.job, run) for one in fresh]
    )
    mine = {digest for digest, at in known_runs(connection, results).items() if at == run}
    name = _described(connection, run, entry, fresh)
    _write(connection, run, entry, results, mine, {one.digest for one in fresh})
    return Added(name, len(fresh), len(known), created=created)


def known_runs(connection: sqlite3.Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    """Which results are there, and in which run."""
    return dict(_looked_up(connection, "SELECT digest, run FROM samples WHERE digest IN", digests))


def _looked_up(connection: sqlite3.Connection, query: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    left = iter(values)
    while some := list(islice(left, _TOGETHER)):
        yield from connection.execute(f"{query} ({','.join('?' * len(some))})", some)


def _newest_first(
    connection: sqlite3.Connection, runs: Collection[int], set_name: str | None
) -> list[tuple[int, str, str]]:
    """Id, name and beginning of runs, those of a set where one is given."""
    rows = list(_looked_up(connection, "SELECT id, name, started, set_name FROM runs WHERE id IN", runs))
    kept = [(run, name, started) for run, name, started, of in rows if set_name in (None, of)]
    return sorted(kept, key=lambda row: (row[2], row[1]), reverse=True)


def _run(
    connection: sqlite3.Connection, entry: Entry, shared: Collection[int], fresh: Sequence[_Result]
) -> tuple[int, bool]:
    """The run that the new results belong to, and whether it is a new one.

    It is the newest that shares results with them and in which none of them has been measured already; the others
    that share results, and have measured other things, are parts of it.
    """
    jobs = {one.job for one in fresh if one.job is not None}
    others = _newest_first(connection, shared, entry.set_name)
    for run, _, _ in others:
        mine = _jobs(connection, run)
        if jobs & mine:
            continue
        for other, _, _ in others:
            theirs = _jobs(connection, other)
            if other != run and not theirs & (jobs | mine):
                _join(connection, other, run)
                mine |= theirs
        return run, False
    first = _first(fresh)
    made = connection.execute(
        "INSERT INTO runs (name, set_name, started, ended, exit_code, invocation) VALUES (?, ?, ?, ?, 0, '')",
        (first[1], entry.set_name, first[0], first[0]),
    )
    return int(made.lastrowid or 0), True


def _jobs(connection: sqlite3.Connection, run: int) -> set[bytes]:
    return {job for (job,) in connection.execute("SELECT job FROM samples WHERE run = ? AND job IS NOT NULL", (run,))}


def _join(connection: sqlite3.Connection, part: int, run: int) -> None:
    """Make one run a part of another."""
    for table in ("samples", "figures", "outcomes", "verdicts", "findings"):
        connection.execute(f"UPDATE OR IGNORE {table} SET run = ? WHERE run = ?", (run, part))  # noqa: S608 - names from here
    row = connection.execute("SELECT started, name, ended FROM runs WHERE id = ?", (part,)).fetchone()
    connection.execute("DELETE FROM runs WHERE id = ?", (part,))
    mine = connection.execute("SELECT started, name, ended FROM runs WHERE id = ?", (run,)).fetchone()
    started, name = min(row[:2], mine[:2])
    connection.execute(
        "UPDATE runs SET started = ?, name = ?, ended = ? WHERE id = ?", (started, name, max(row[2], mine[2]), run)
    )


def _first(results: Iterable[_Result]) -> tuple[str, str]:
    """When the first of the results began, and the name that a run has by it."""
    return min((one.sample.started, one.digest.hex()[:12]) for one in results)


def _described(connection: sqlite3.Connection, run: int, entry: Entry, fresh: Sequence[_Result]) -> str:
    """Bring the run's own row up to date. Returns its name."""
    started, name, ended = connection.execute("SELECT started, name, ended FROM runs WHERE id = ?", (run,)).fetchone()
    if (first := _first(fresh))[0] < started:
        started, name = first
    ended = max(ended, *(one.sample.started for one in fresh))
    connection.execute(
        "UPDATE runs SET started = ?, name = ?, ended = ?, exit_code = ?, invocation = ? WHERE id = ?",
        (started, name, ended, entry.exit_code, plain.printable(entry.invocation), run),
    )
    return str(name)


def _write(
    connection: sqlite3.Connection,
    run: int,
    entry: Entry,
    results: dict[bytes, _Result],
    mine: Collection[bytes],
    fresh: Collection[bytes],
) -> None:
    """Write figures, outcomes, verdicts and findings.

    Of a run that the entry has only a part of, what is about other cells and probes stays.
    """
    (count,) = connection.execute("SELECT COUNT(*) FROM samples WHERE run = ?", (run,)).fetchone()
    whole = count == len(mine)
    groups = entries.grouped(results[digest].sample for digest in mine)
    if not whole:
        touched = {(one.cell.id, one.probe) for one in (results[digest].sample for digest in fresh)}
        groups = {key: samples for key, samples in groups.items() if key in touched}
    names = _Names(connection)
    by_figure: dict[tuple[str, str, str], list[str]] = {}
    by_group: dict[tuple[str, str], list[str]] = {}
    for comparison in entry.comparisons:
        found = entries.verdict(comparison)
        by_figure.setdefault((comparison.candidate, comparison.probe, comparison.metric), []).append(found)
        by_group.setdefault((comparison.candidate, comparison.probe), []).append(found)
    cells = {sample.cell.id: sample.cell for sample in entry.samples}
    _clear(connection, run, [(names.cell(cells[cell]), probe) for cell, probe in groups], whole=whole)
    figures, outcomes = [], []
    for (cell, probe), samples in groups.items():
        end = entries.outcome(samples)
        at = names.cell(cells[cell])
        worst = entries.worst(by_group.get((cell, probe), ()))
        outcomes.append((run, at, probe, end.status, end.reason, end.n, end.failed, worst))
        for figure in entries.figures(samples):
            series = names.series(at, names.metric(probe, figure.metric), figure.scope)
            verdict = entries.worst(by_figure.get((cell, probe, figure.metric.name), ()))
            condition = names.condition(figure.fingerprint)
            figures.append((series, run, condition, figure.n, figure.value, figure.low, figure.high, verdict))
    connection.executemany("INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", figures)
    connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", outcomes)
    judged = (c for c in entry.comparisons if (c.candidate, c.probe) in groups and c.candidate in cells)
    connection.executemany(
        f"INSERT INTO verdicts VALUES ({', '.join('?' * 19)})",  # noqa: S608 - question marks
        [_verdict(run, comparison, cells, names) for comparison in judged],
    )
    _findings(connection, run, entry, whole=whole)


def _clear(connection: sqlite3.Connection, run: int, groups: Sequence[tuple[int, str]], *, whole: bool) -> None:
    """Remove what is written again."""
    if whole:
        for table in ("figures", "outcomes", "verdicts"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608 - names from here
        return
    keyed = [(run, cell, probe) for cell, probe in groups]
    connection.executemany(
        "DELETE FROM figures WHERE run = ? AND series IN (SELECT series.id FROM series JOIN metrics"
        " ON metrics.id = series.metric WHERE series.cell = ? AND metrics.probe = ?)",
        keyed,
    )
    connection.executemany("DELETE FROM outcomes WHERE run = ? AND cell = ? AND probe = ?", keyed)
    connection.executemany("DELETE FROM verdicts WHERE run = ? AND candidate = ? AND probe = ?", keyed)


def _verdict(run: int, comparison: Comparison, cells: dict[str, Cell], names: _Names) -> tuple[Any, ...]:
    evidence = comparison.evidence
    baseline = cells.get(comparison.baseline)
    return (
        run,
        names.cell(baseline) if baseline else None,
        names.cell(cells[comparison.candidate]),
        comparison.axis,
        comparison.probe,
        comparison.metric,
        comparison.verdict.value,
        comparison.gates,
        plain.printable(comparison.reason),
        plain.printable(comparison.issue),
        evidence.n,
        evidence.effect,
        evidence.low,
        evidence.high,
        evidence.p,
        evidence.p_adjusted,
        evidence.floor,
        evidence.classification,
        evidence.steps,
    )


def _findings(connection: sqlite3.Connection, run: int, entry: Entry, *, whole: bool) -> None:
    """Write the findings. Of two with one key the first, which is the worse, is kept."""
    if whole:
        connection.execute("DELETE FROM findings WHERE run = ?", (run,))
    kept = {found.key: found for found in reversed(entry.findings) if found.key}
    connection.executemany(
        "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                run,
                found.key,
                found.kin,
                found.severity,
                plain.printable(found.text),
                json.dumps(found.cells),
                json.dumps(found.probes),
                plain.printable(found.issue),
                plain.printable(found.release),
                json.dumps([plain.printable(line) for line in found.details]),
                json.dumps([plain.printable(line) for line in found.commands]),
            )
            for found in kept.values()
        ],
    )


class _Names:
    """The numbers of cells, metrics, conditions and series.

    A new one is given when it is first needed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cells: dict[str, int] = dict(connection.execute("SELECT name, id FROM cells"))
        self._metrics: dict[tuple[str, str], int] = {}
        self._conditions: dict[int, int] = {}
        self._kept: list[Any] = []
        self._series: dict[tuple[int, int, bytes], int] = {
            (cell, metric, scope): number
            for cell, metric, scope, number in connection.execute("SELECT cell, metric, scope, id FROM series")
        }

    def cell(self, cell: Cell) -> int:
        """The number of a cell."""
        name = plain.printable(cell.id)
        if name not in self._cells:
            axes = msgspec.json.encode(cell.values).decode()
            self._cells[name] = self._insert("INSERT INTO cells (name, axes) VALUES (?, ?)", name, axes)
        return self._cells[name]

    def metric(self, probe: str, metric: Metric) -> int:
        """The number of a metric; its kind and unit are those of the last run."""
        key = (probe, metric.name)
        if key not in self._metrics:
            rest = (metric.kind.value, metric.better.value, metric.unit)
            self._connection.execute(
                "INSERT INTO metrics (probe, name, kind, better, unit) VALUES (?, ?, ?, ?, ?) ON CONFLICT (probe, name)"
                " DO UPDATE SET kind = excluded.kind, better = excluded.better, unit = excluded.unit",
                (*key, *rest),
            )
            row = self._connection.execute("SELECT id FROM metrics WHERE probe = ? AND name = ?", key).fetchone()
            self._metrics[key] = int(row[0])
        return self._metrics[key]

    def condition(self, fingerprint: Any) -> int:
        """The number of what figures were measured on and with."""
        if id(fingerprint) not in self._conditions:
            self._kept.append(fingerprint)  # its id must not pass to another one
            digest = entries.digest(fingerprint)
            text = msgspec.json.encode(fingerprint, order="sorted").decode()
            self._connection.execute(
                "INSERT OR IGNORE INTO conditions (digest, fingerprint) VALUES (?, ?)", (digest, plain.printable(text))
            )
            row = self._connection.execute("SELECT id FROM conditions WHERE digest = ?", (digest,)).fetchone()
            self._conditions[id(fingerprint)] = int(row[0])
        return self._conditions[id(fingerprint)]

    def series(self, cell: int, metric: int, scope: bytes) -> int:
        """The number of a series."""
        key = (cell, metric, scope)
        if key not in self._series:
            self._series[key] = self._insert("INSERT INTO series (cell, metric, scope) VALUES (?, ?, ?)", *key)
        return self._series[key]

    def _insert(self, query: str, *values: Any) -> int:
        return int(self._connection.execute(query, values).lastrowid or 0)
