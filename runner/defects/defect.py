"""One thing that is wrong, wherever it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Bounds(NamedTuple):
    """The versions around a defect on one line of cells.

    The cells of a line differ in that version alone.
    """

    framework: str
    variant: str
    last_good: str | None
    """The newest version before the first bad one that is right."""
    first_bad: str | None
    last_bad: str | None
    first_good: str | None
    """The oldest version after the last bad one that is right."""

    @property
    def name(self) -> str:
        """``tensorflow``, or ``tensorflow with variant no-onednn``."""
        return f"{self.framework} with variant {self.variant}" if self.variant else self.framework


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect, with all cells that show it."""

    op: str
    """The public function or layer, for example ``ops.average_pool``; several where one cause shows in all of them."""
    kind: str
    """In words, for example ``wrong value``."""
    severity: int
    title: str
    """One line: what, where, until when."""
    where: str
    """The cells in words: ``all torch cells with keras 3.0.5 - 3.8.0``."""
    axis: str
    """What it follows: framework, ``kernel library`` and the names in ``AXES``, joined by a comma; or empty."""
    cells: tuple[str, ...]
    good: tuple[str, ...]
    """The cells in which the same cases are right."""
    last_good: str | None
    """The newest version before the first bad one that was run and is right, on the axis."""
    first_bad: str | None
    first_good: str | None
    """The oldest version after the last bad one that was run and is right."""
    pattern: str
    """What the failing calls have in common that passing ones lack, for example ``padding='same'``."""
    cases: tuple[str, ...]
    """Ids, the simplest first."""
    observed: str
    """What the simplest case gave, and what was expected."""
    script: str
    """Runs unchanged where Keras and the framework are installed."""
    packages: tuple[str, ...] = ()
    """What differs between the packages of the nearest bad and good cells: ``keras 3.8.0 -> 3.9.2``."""
    bounds: tuple[Bounds, ...] = ()
    """The versions around it on every line of cells."""
    signatures: tuple[str, ...] = ()
    """What two defects of one cause have in common: messages, promised and found types, arguments."""
    also: tuple[str, ...] = ()
    """What else has this cause, in words: other checks, callers, earlier and later symptoms."""
    sides: tuple[str, ...] = ()
    """Where there is no reference and backends disagree: the cells of each side, and what they gave."""
    untried: tuple[str, ...] = ()
    """Where the simplest case was not run, which bounds nothing: ``jax 3.8.0, 3.9.2``."""
    sentence: str = ""
    """The defect as a finding; empty where that is made of the title and the versions around it."""

    @property
    def key(self) -> str:
        """Names the defect in a list of verdicts, with the case that shows it."""
        return " | ".join((self.op, self.kind, *self.cases[:1]))
