"""What the history keeps and gives back, as frozen data. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from runner.model import Comparison, Sample


class Change(Protocol):
    """A change of level in a series, as ``runner.report.trend`` finds it."""

    @property
    def index(self) -> int:
        """The first point after the change."""

    @property
    def effect(self) -> float:
        """The relative change of the level (0.1: ten percent more)."""

    @property
    def low(self) -> float:
        """The lower end of the effect's interval."""

    @property
    def high(self) -> float:
        """Its upper end."""

    @property
    def p(self) -> float:
        """The p-value of the change."""

    @property
    def text(self) -> str:
        """The change in words: since when, how much, from what to what."""


@dataclass(frozen=True, slots=True)
class Point:
    """One figure of one cell in one run."""

    run: str
    """The run's id."""
    when: str
    """When the run began: UTC, ISO 8601."""
    cell: str
    value: float
    """What a report shows: the median of the processes, or the mean of a figure that depends on the seed."""
    low: float | None
    """The least of the processes."""
    high: float | None
    """The greatest of the processes."""
    n: int
    """How many processes it rests on."""
    verdict: str
    """The worst verdict of the figure in that run, ``different`` for a change that does not fail a run; or empty."""


@dataclass(frozen=True, slots=True)
class Series:
    """One figure of one cell over the runs in which it is comparable, oldest first.

    A timing is comparable where all of the fingerprint agrees, any other figure where probe, settings and data do.
    """

    cell: str
    probe: str
    metric: str
    unit: str
    better: str
    host: str
    """The host and the processor of the newest point, in words."""
    points: tuple[Point, ...]
    changes: tuple[Change, ...] = ()
    breaks: tuple[str, ...] = ()
    """Why earlier figures of the cell are not in the series, or are from another host: ``another host before ...``."""
    kind: str = ""
    """The kind of the metric (see ``model.Kind``)."""
    scope: str = ""
    """A digest of what must agree: figures of two cells compare where it is equal."""

    @property
    def values(self) -> tuple[float, ...]:
        """The figures, oldest first."""
        return tuple(point.value for point in self.points)


Finder = Callable[[Series], Sequence[Change]]
"""Finds the changes of level in a series."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run in the history."""

    id: str
    """12 hex digits, made of its first result."""
    set_name: str
    started: str
    """When the first process began: UTC, ISO 8601."""
    ended: str
    """When the last process began."""
    exit_code: int
    invocation: str
    cells: int
    samples: int
    findings: int = 0
    """How many of them have a key."""


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """One probe of one cell in one run."""

    run: str
    when: str
    cell: str
    probe: str
    status: str
    """The status of the processes, or the most frequent one of those that failed."""
    reason: str
    n: int
    """How many processes there were."""
    failed: int
    verdict: str
    """The worst verdict of all its figures (see ``Point.verdict``)."""


@dataclass(frozen=True, slots=True)
class CellRun:
    """One cell in one run."""

    run: str
    when: str
    status: str
    """``ok``, or the status of the first probe that failed."""
    verdict: str
    """The worst verdict of all its probes."""
    probes: tuple[ProbeRun, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a report, as the history keeps it."""

    key: str
    """What the finding is about, as a digest: the same in every run that has it."""
    kin: str
    """The same without the cell, so that findings about other releases are found; empty where that has no meaning."""
    severity: str
    text: str
    """The sentence of the newest run that has the finding."""
    cells: tuple[str, ...]
    probes: tuple[str, ...]
    """The probes that show it; empty: any."""
    issue: str
    release: str
    """The first release that shows it, where the report itself knows one: ``keras 3.14.0``; or empty."""
    details: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """What to run next, each a whole command line."""
    since: str = ""
    """See ``Past.since``."""


@dataclass(frozen=True, slots=True)
class News:
    """The findings of a run against those of the runs of the same set before it."""

    run: Run
    before: Run | None
    """The run before it; None where it is the first one of its set: all its findings are new then."""
    new: tuple[Found, ...]
    lasting: tuple[Found, ...]
    """Those of earlier runs that measured the same, whether or not the runs in between did."""
    gone: tuple[Found, ...]
    """Those whose cells were measured in this run, and do not show it any more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Every finding that a history has of one set, seen from one run."""

    run: Run
    before: Run | None
    new: tuple[Found, ...]
    lasting: tuple[Found, ...]
    unmeasured: tuple[Found, ...]
    """Those of earlier runs whose cells this run did not measure: nothing is known about them."""
    gone: tuple[Found, ...]
    """Those that are not there any more, whether they ended in this run or in one before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A judged run, as it is added to the history."""

    set_name: str
    samples: tuple[Sample, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Found, ...]
    exit_code: int
    invocation: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What was done with a run."""

    run: str
    """Its id; empty where there was no result to keep."""
    new: int
    """How many of its results the history did not have."""
    known: int
    created: bool
    """Whether the run itself is new. Else it has grown, or was there as it is."""


Key = tuple[str, str, str]
"""Cell id, probe, metric."""


@dataclass(frozen=True)
class Past:
    """What a report knows of earlier runs, its own run being the last.

    Nothing of it is read from a file any more.
    """

    runs: tuple[Run, ...] = ()
    """The earlier runs, oldest first."""
    by_figure: Mapping[Key, Series] = field(default_factory=dict)
    by_key: Mapping[str, str] = field(default_factory=dict)
    """Since when, in words, by the keys of findings."""
    by_cell: Mapping[str, tuple[CellRun, ...]] = field(default_factory=dict)
    find: Finder | None = None
    file: str = ""
    """Where the history is."""

    def series(self, cell: str, probe: str, metric: str) -> Series | None:
        """The earlier figures of a cell, and the report's own one as the last point.

        None where there is no earlier one that is comparable.
        """
        key = (cell, probe, metric)
        if key not in self._found:
            found = self.by_figure.get(key)
            if found is not None and self.find is not None:
                found = replace(found, changes=tuple(self.find(found)))
            self._found[key] = found
        return self._found[key]

    @cached_property
    def _found(self) -> dict[Key, Series | None]:
        return {}

    def since(self, key: str) -> str:
        """Since when a finding is there.

        ``since the night of 12 November``, ``since keras 3.14.0``.

        Empty for a finding that is new, or about which nothing is known.
        """
        return self.by_key.get(key, "")

    def cell(self, cell: str) -> tuple[CellRun, ...]:
        """The earlier runs of a cell, oldest first."""
        return self.by_cell.get(cell, ())
