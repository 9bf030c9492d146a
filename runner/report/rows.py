"""What a table of a report is made of, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from runner.model import Cell, Comparison, Status
from runner.report.marks import Mark
from runner.report.summary import Summary


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of a probe's table, or one figure in several modes."""

    metrics: tuple[str, ...]
    """One name, or one figure's names in several modes."""
    label: str
    unit: str
    percent: bool
    exact: bool
    history: str = ""
    """The metric whose earlier figures the column draws; empty for all other columns."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of the table."""

    text: str
    mark: Mark
    delta: str
    """The change against the baseline, the class of a numerical verdict, or in how many modes; empty where equal."""
    summaries: tuple[Summary, ...]
    comparisons: tuple[Comparison, ...]
    """Those of all modes, worst first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cell in one probe's table.

    Figures where it ran, else a status with its reason.
    """

    cell: Cell
    probe: str
    status: Status
    reason: str
    n: int
    failed: int
    """How many of its processes did not end well; with figures, those that did are shown."""
    figures: tuple[Figure | None, ...]
    mark: Mark
    """The verdict about whether it runs at all."""
    issue: str
    baseline: str
    """Id of the cell it is compared with, or empty."""
    against: str
    """What the baseline has on the axis in which the two differ: ``torch 2.2.2``, ``keras 3.11.3``."""
    leads: bool
    """Whether it is the baseline of other rows and has none itself."""


@dataclass(frozen=True, slots=True)
class Table:
    """All cells of one probe."""

    probe: str
    columns: tuple[Column, ...]
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    folded: tuple[str, ...]
    """Sentences about the judged figures that have no column: those that do not differ, and those not decided."""
    plain: str
    """A sentence about a probe in which nothing differs; empty where something does."""
    rounds: tuple[int, int]
    """Fewest and most processes of a cell that has figures; of all cells where none has."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all groups, in order."""
        return tuple(row for _, rows in self.groups for row in rows)
