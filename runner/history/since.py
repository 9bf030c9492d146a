"""Since when a finding is there: by date, or by the release that brought it.

A run of the same set says something about a finding where it measured all of its cells with its probes. The finding is
there since the first of the runs that all have it, back to a run that measured the cells and does not have it. Where
there is no such run, the release decides: the oldest one that shows the finding.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property

from runner.errors import UsageError
from runner.history import words
from runner.history.data import Found, ProbeRun, Run
from runner.matrix import sets
from runner.model import AXIS, Cell, Status
from runner.util import versions

Measured = Mapping[str, Collection[str]]
"""Cell id -> the probes that say something about it in a run."""

_ELSEWHERE = {Status.BUILD_FAILED.value, Status.UNAVAILABLE.value, Status.SKIPPED.value}
_RELEASES = ("keras", "version")
_GRAVE = {"broken", "regressed", "failed"}
"""Of other findings nothing is printed where the history does not go back far enough."""
MOST_RUNS = 30
"""A finding that no run of these says anything about is forgotten."""


def news(
    now: Sequence[Found], earlier: Sequence[tuple[Sequence[Found], Measured]], there: Measured
) -> tuple[set[str], list[Found]]:
    """The keys of the findings that are new in a run, and the findings that are gone.

    ``earlier``: the runs of the same set before it, oldest first, with their findings and what they measured;
    ``there``: what the run measured. A run that did not measure a finding's cells says nothing about it, so that a
    run of a few cells makes nothing new or gone.
    """
    lasting: dict[str, Found] = {}
    for found, measured_then in earlier:
        lasting = {key: one for key, one in lasting.items() if not covered(one.cells, one.probes, measured_then)}
        lasting |= {one.key: one for one in found}
    keys = {one.key for one in now}
    gone = [one for key, one in lasting.items() if key not in keys and covered(one.cells, one.probes, there)]
    return keys - lasting.keys(), gone


def rest(
    now: Sequence[Found], earlier: Sequence[tuple[Sequence[Found], Measured]], there: Measured
) -> tuple[list[Found], list[Found]]:
    """The earlier findings that a run did not measure, and those that ended.

    The arguments are those of ``news``. A finding that ended has the text of the last run that had it.
    """
    keys = {one.key for one in now}
    known: dict[str, Found] = {}
    lasting: set[str] = set()
    for found, measured_then in [*earlier, (now, there)]:
        lasting = {key for key in lasting if not covered(known[key].cells, known[key].probes, measured_then)}
        known |= {one.key: one for one in found}
        lasting |= {one.key for one in found}
    unmeasured = [one for key, one in known.items() if key in lasting and key not in keys]
    return unmeasured, [one for key, one in known.items() if key not in lasting]


def measured(outcomes: Iterable[ProbeRun]) -> dict[str, set[str]]:
    """The probes that say something about each cell of a run."""
    found: dict[str, set[str]] = {}
    for one in outcomes:
        if one.status not in _ELSEWHERE:
            found.setdefault(one.cell, set()).add(one.probe)
    return found


def covered(cells: Sequence[str], probes: Sequence[str], there: Measured) -> bool:
    """Whether a run measured all cells of a finding with its probes."""
    return all(cell in there and (not probes or set(probes) <= set(there[cell])) for cell in cells)


def since(
    connection: sqlite3.Connection,
    run: Run,
    earlier: Sequence[Run],
    found: Sequence[Found],
    present: Collection[tuple[str, str]] = (),
) -> dict[str, str]:
    """Since when each finding of a run is there, in words, by its key.

    Those that are new are left out.

    ``earlier``: the runs of the same set before it, oldest first; ``present``: cells and probes of the run itself,
    where it is not in the history. Raises sqlite3.Error.
    """
    wanted = {one.key: one for one in found if one.key}
    if not wanted:
        return {}
    seen = _Seen(connection, earlier, wanted)
    releases = _Releases(connection, found, present)
    said = {}
    for key, one in wanted.items():
        start, certain, new = seen.start(one)
        if new:
            continue
        if start is not None and certain:
            said[key] = words.since(start.started, run.started)
        elif release := releases.first(one):
            said[key] = f"since {release} at the latest"  # releases between it and the one before were not measured
        elif start is not None and one.severity in _GRAVE:
            said[key] = f"at least {words.since(start.started, run.started)}"
    return said


class _Seen:
    """What the earlier runs of one set measured, and which findings they have."""

    def __init__(self, connection: sqlite3.Connection, runs: Sequence[Run], keys: Collection[str]) -> None:
        self._connection = connection
        self._runs = runs
        self._keys: dict[str, set[str]] = {}
        for name, key in connection.execute("SELECT runs.name, key FROM findings JOIN runs ON runs.id = run"):
            if key in keys:
                self._keys.setdefault(name, set()).add(key)
        self._measured: dict[str, dict[str, set[str]]] = {}

    def start(self, found: Found) -> tuple[Run | None, bool, bool]:
        """The first run of those that all have the finding, or None.

        Also whether one before it does not have it, and whether the finding is new.
        """
        start = None
        for run in reversed(self._runs):
            if found.key in self._keys.get(run.id, ()):
                start = run
            elif covered(found.cells, found.probes, self._of(run)):
                return start, True, start is None
        return start, False, False

    def _of(self, run: Run) -> Measured:
        """What a run measured; read when it is first asked for."""
        if run.id not in self._measured:
            rows = self._connection.execute(
                "SELECT cells.name, probe, status FROM outcomes JOIN cells ON cells.id = cell"
                " WHERE run = (SELECT id FROM runs WHERE name = ?)",
                (run.id,),
            )
            there: dict[str, set[str]] = {}
            for cell, probe, status in rows:
                if status not in _ELSEWHERE:
                    there.setdefault(cell, set()).add(probe)
            self._measured[run.id] = there
        return self._measured[run.id]


class _Releases:
    """Which other releases show a finding, in the history and in the report."""

    def __init__(
        self, connection: sqlite3.Connection, found: Sequence[Found], present: Collection[tuple[str, str]]
    ) -> None:
        self._connection = connection
        self._present: dict[str, set[str]] = {}
        for cell, probe in present:
            self._present.setdefault(cell, set()).add(probe)
        self._shown: dict[str, set[str]] = {}
        self._kin: dict[str, set[str]] = {}
        for one in found:
            self._shown.setdefault(one.kin, set()).update(one.cells)

    def first(self, found: Found) -> str:
        """The oldest release that shows a finding, in words: ``keras 3.14.0``.

        Every release after it that was measured shows it too.

        Empty where the finding is not about a release.
        """
        axis, oldest = _lead(found)
        if oldest is None or not found.kin:
            return found.release
        shown = (self._shown.get(found.kin, set()), self._earlier(found.kin))
        for cell in self._older(oldest, axis):
            there = self._probes(cell)
            if any(cell.id in some for some in shown):
                oldest = cell
            elif there and set(found.probes) <= there:
                break
        return AXIS[axis].in_sentence(oldest)

    def _earlier(self, kin: str) -> set[str]:
        if kin not in self._kin:
            rows = self._connection.execute("SELECT DISTINCT cells FROM findings WHERE kin = ?", (kin,))
            self._kin[kin] = {cell for (cells,) in rows for cell in json.loads(cells)}
        return self._kin[kin]

    def _older(self, cell: Cell, axis: str) -> list[Cell]:
        """The cells that differ in an older release alone, the newest of them first."""
        found = self._alike.get((axis, replace(cell, **{axis: ""})), [])
        return list(reversed(found[: found.index(cell)])) if cell in found else []

    @cached_property
    def _alike(self) -> dict[tuple[str, Cell], list[Cell]]:
        """The cells that differ in one release alone, the oldest first.

        The keys are the axis and what they share.
        """
        names = {name for (name,) in self._connection.execute("SELECT name FROM cells")} | self._present.keys()
        found: dict[tuple[str, Cell], list[Cell]] = {}
        for cell in filter(None, map(_parsed, names)):
            for axis in _RELEASES:
                if getattr(cell, axis):
                    found.setdefault((axis, replace(cell, **{axis: ""})), []).append(cell)
        for (axis, _), cells in found.items():
            cells.sort(key=lambda cell, axis=axis: versions.order(getattr(cell, axis)))  # type: ignore[misc] # its default
        return found

    def _probes(self, cell: Cell) -> set[str]:
        """The probes that measured a cell, in the report or earlier.

        Nothing where none did.
        """
        rows = self._connection.execute(
            "SELECT DISTINCT probe, status FROM outcomes WHERE cell = (SELECT id FROM cells WHERE name = ?)", (cell.id,)
        )
        return self._present.get(cell.id, set()) | {probe for probe, status in rows if status not in _ELSEWHERE}


def _lead(found: Found) -> tuple[str, Cell | None]:
    """The axis of a finding's release, and the cell that has it."""
    for cell in map(_parsed, found.cells if found.release else ()):
        for axis in _RELEASES:
            if cell is not None and getattr(cell, axis) and AXIS[axis].in_sentence(cell) == found.release:
                return axis, cell
    return "", None


@cache
def _parsed(name: str) -> Cell | None:
    """The cell of an id, or None for a name that is not one."""
    try:
        return sets.parse_cell(name)
    except UsageError:
        return None
