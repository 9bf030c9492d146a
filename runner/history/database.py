"""Adds judged runs to a history, and reads them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UsageError, suggest
from runner.history import files, words
from runner.history.data import Added, Entry, Finder, Found, News, Past, ProbeRun, Run, Series, Standing

if TYPE_CHECKING:
    from runner.history.since import Measured


class History:
    """One open history. Every method raises UsageError or LockedError about the file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """``connection``: from ``files.connect`` or ``files.reader``."""
        self.path = path
        self._connection = connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # --- adding ------------------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> Added:
        """Keep a run, all of it or nothing.

        Results that the history has already are not added again. New ones of a run that it has make that run grow,
        unless they are other measurements of the same processes: those are another run.
        """
        from runner.history import adding

        with files.named(self.path, "written"), files.transaction(self._connection):
            return adding.add(self._connection, entry)

    # --- reading -----------------------------------------------------------------------------------------------------

    def runs(self, set_name: str | None = None) -> tuple[Run, ...]:
        """All runs, or those of a set, oldest first."""
        rows = self._all(
            "SELECT name, set_name, started, ended, exit_code, invocation,"
            " (SELECT COUNT(DISTINCT cell) FROM outcomes WHERE run = runs.id),"
            " (SELECT COUNT(*) FROM samples WHERE run = runs.id),"
            " (SELECT COUNT(*) FROM findings WHERE run = runs.id) FROM runs ORDER BY started, name"
        )
        return tuple(Run(*row) for row in rows if set_name is None or row[1] == set_name)

    def run(self, name: str) -> Run:
        """One run, by its id or the beginning of it. Raises UsageError.

        ``latest`` is the one that began last.
        """
        found = self.runs()
        if name == "latest" and found:
            return found[-1]
        fitting = [run for run in found if run.id.startswith(name)] if name else []
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise UsageError(f"{name!r}: {len(fitting)} runs begin so: {', '.join(run.id for run in fitting[:4])}")
        ids = [run.id for run in found]
        hint = suggest(name, ids) or "; `runner history ls` shows the runs"
        raise UsageError(f"{self.path}: has no run {name!r}{hint}")

    def hosts(self, run: Run) -> tuple[str, ...]:
        """The hosts that figures of a run are from, in words."""
        rows = self._all(
            "SELECT fingerprint FROM conditions WHERE id IN"
            " (SELECT condition FROM figures JOIN runs ON runs.id = figures.run WHERE runs.name = ?)",
            (run.id,),
        )
        return tuple(sorted({words.place(json.loads(text)) for (text,) in rows} - {""}))

    def outcomes(self, run: Run) -> tuple[ProbeRun, ...]:
        """How every probe of every cell ended in a run, in the order of the ids."""
        rows = self._all(
            "SELECT runs.name, runs.started, cells.name, probe, status, reason, n, failed, verdict"
            " FROM outcomes JOIN runs ON runs.id = run JOIN cells ON cells.id = cell WHERE runs.name = ?"
            " ORDER BY cells.name, probe",
            (run.id,),
        )
        return tuple(ProbeRun(*row) for row in rows)

    def verdicts(self, run: Run) -> tuple[dict[str, Any], ...]:
        """The comparisons of a run with what they rest on, as plain data."""
        names = (
            "baseline", "candidate", "axis", "probe", "metric", "verdict", "gates", "reason", "issue", "n", "effect",
            "low", "high", "p", "p_adjusted", "floor", "classification", "steps",
        )  # fmt: skip
        rows = self._all(
            "SELECT COALESCE(b.name, ''), c.name, axis, probe, metric, verdict, gates, reason, issue, n, effect, low,"
            " high, p, p_adjusted, floor, classification, steps FROM verdicts JOIN cells c ON c.id = candidate"
            " LEFT JOIN cells b ON b.id = baseline JOIN runs ON runs.id = run WHERE runs.name = ?"
            " ORDER BY verdicts.rowid",
            (run.id,),
        )
        return tuple(dict(zip(names, (*row[:6], bool(row[6]), *row[7:]), strict=True)) for row in rows)

    def findings(self, run: Run) -> tuple[Found, ...]:
        """The findings of a run, in the order of their keys."""
        rows = self._all(
            "SELECT key, kin, severity, text, cells, probes, issue, release, details, commands FROM findings"
            " JOIN runs ON runs.id = run WHERE runs.name = ? ORDER BY key",
            (run.id,),
        )
        return tuple(_found(row) for row in rows)

    def news(self, run: Run) -> News:
        """The findings of a run that are new, that last and that are gone.

        It is compared with the runs of its set before it.
        """
        from runner.history import since

        before, now, earlier, there = self._compared(run)
        new, gone = since.news(now, earlier, there)
        dates = self.since(run, now)
        return News(
            run,
            before,
            tuple(found for found in now if found.key in new),
            tuple(replace(found, since=dates.get(found.key, "")) for found in now if found.key not in new),
            tuple(gone),
        )

    def standing(self, run: Run) -> Standing:
        """Every finding of the runs of a set, seen from this run of it."""
        from runner.history import since

        news = self.news(run)
        _, now, earlier, there = self._compared(run)
        unmeasured, gone = since.rest(now, earlier, there)
        return Standing(run, news.before, news.new, news.lasting, tuple(unmeasured), tuple(gone))

    def _compared(
        self, run: Run
    ) -> tuple[Run | None, tuple[Found, ...], list[tuple[Sequence[Found], Measured]], Measured]:
        """What a run is compared with, and what is compared.

        The run before it, its findings, findings and cells of each earlier run, and its own cells.
        """
        from runner.history import since

        before = [one for one in self.runs(run.set_name) if _order(one) < _order(run)][-since.MOST_RUNS :]
        earlier: list[tuple[Sequence[Found], Measured]] = [
            (self.findings(one), since.measured(self.outcomes(one))) for one in before
        ]
        return before[-1] if before else None, self.findings(run), earlier, since.measured(self.outcomes(run))

    def since(self, run: Run, found: Sequence[Found]) -> dict[str, str]:
        """Since when findings of a run are there, in words, by their keys."""
        earlier = [one for one in self.runs(run.set_name) if _order(one) < _order(run)]
        with files.named(self.path):
            from runner.history import since

            return since.since(self._connection, run, earlier, found)

    def series(
        self, cells: Sequence[str] = (), probe: str | None = None, metric: str | None = None, *, runs: int | None = None
    ) -> tuple[Series, ...]:
        """The figures over the runs.

        There is a series for each cell, metric and scope in which figures are comparable.

        ``cells``: patterns over ids, none for all; ``runs``: only the newest so many. In the order of cells, probes,
        metrics, and of time within a metric.
        """
        from runner.history import reading

        with files.named(self.path):
            return reading.series(self._connection, lambda cell: _fits(cell, cells), probe, metric, runs)

    def metrics(self) -> tuple[tuple[str, str, str], ...]:
        """The probe, the name and the kind of every metric."""
        return tuple(self._all("SELECT probe, name, kind FROM metrics ORDER BY probe, name"))

    def cells(self) -> tuple[str, ...]:
        """The ids of all cells, in their order."""
        return tuple(name for (name,) in self._all("SELECT name FROM cells ORDER BY name"))

    def past(self, entry: Entry, find: Finder | None = None) -> Past:
        """What a report of this run shows of earlier runs.

        The run itself need not be in the history.

        ``find`` finds the changes of level of each series that is looked at.
        """
        from runner.history import reading

        with files.named(self.path):
            return replace(reading.past(self._connection, self.runs(), entry), find=find, file=str(self.path))

    def figures(self) -> Iterator[tuple[Any, ...]]:
        """Every figure of every run, for an analyst: the fields of ``export.COLUMNS``."""
        from runner.history import export

        with files.named(self.path):
            yield from export.rows(self._connection.execute(export.QUERY))

    # --- removing ----------------------------------------------------------------------------------------------------

    def prune(self, chosen: Iterable[Run]) -> int:
        """Remove runs and what only they have. Returns how many."""
        with files.named(self.path, "written"):
            with files.transaction(self._connection):
                before = self._connection.total_changes
                gone = [(run.id,) for run in chosen]
                self._connection.executemany("DELETE FROM runs WHERE name = ?", gone)
                for statement in _UNUSED:
                    self._connection.execute(statement)
            if self._connection.total_changes > before:
                self._connection.execute("VACUUM")
        return len(gone)

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with files.named(self.path):
            return self._connection.execute(query, values).fetchall()


_UNUSED = (
    "DELETE FROM series WHERE id NOT IN (SELECT series FROM figures)",
    "DELETE FROM conditions WHERE id NOT IN (SELECT condition FROM figures)",
    "DELETE FROM metrics WHERE id NOT IN (SELECT metric FROM series)",
    (
        "DELETE FROM cells WHERE id NOT IN (SELECT cell FROM outcomes UNION SELECT cell FROM series"
        " UNION SELECT candidate FROM verdicts UNION SELECT baseline FROM verdicts WHERE baseline IS NOT NULL)"
    ),
)


def _found(row: Sequence[Any]) -> Found:
    key, kin, severity, text, cells, probes, issue, release, details, commands = row
    listed = [tuple(json.loads(part)) for part in (cells, probes, details, commands)]
    return Found(key, kin, severity, text, listed[0], listed[1], issue, release, listed[2], listed[3])


def _order(run: Run) -> tuple[str, str]:
    return run.started, run.id


def _fits(cell: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(cell, pattern) for pattern in patterns)


def old(runs: Sequence[Run], keep: int | None, limit: datetime | None) -> list[Run]:
    """The runs that a clean-up removes.

    All but the newest ``keep`` of each set, and those that began before ``limit``.

    With both, those of which both are true. A run whose time is not known is not older than anything.
    """
    by_set: dict[str, list[Run]] = {}
    for run in runs:
        by_set.setdefault(run.set_name, []).append(run)
    beyond = {run.id for some in by_set.values() for run in some[: max(0, len(some) - (keep or 0))]}
    return [
        run
        for run in runs
        if (keep is None or run.id in beyond)
        and (limit is None or ((began := words.moment(run.started)) is not None and began < limit))
    ]


@contextmanager
def opened(path: Path) -> Iterator[History]:
    """A history to read and write, made where there is none.

    Raises as ``files.connect``.
    """
    yield from _closing(path, files.connect)


@contextmanager
def reading_alone(path: Path) -> Iterator[History]:
    """A history to read. Raises as ``files.reader``."""
    yield from _closing(path, files.reader)


def _closing(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> Iterator[History]:
    history = History(path, connect(path))
    try:
        yield history
    finally:
        history.close()
