"""What a finding is about, as a digest that stays the same from run to run.

A key is made of what was found and where, never of a text, a figure or a severity: a failure that becomes a known one
keeps its key. What several cells show has the key of its oldest cell, or, for a defect, of its frameworks, so that one
more release with the same fault does not make it another finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from runner.model import AXIS, Cell, Comparison
from runner.report.table import cell_order
from runner.util import plain, versions

RELEASES = ("keras", "version")
"""The axes whose values are releases."""


def key(kind: str, *parts: str) -> str:
    """16 hex digits over the kind of finding and what it is about."""
    content = "\0".join((kind, *parts))
    return hashlib.sha256(plain.printable(content).encode()).hexdigest()[:16]


def oldest(cells: Iterable[Cell]) -> Cell:
    """The cell with the oldest releases, of the first framework by name."""
    return min(cells, key=lambda cell: (cell.framework, *cell_order(cell)))


def release(axis: str, cell: Cell) -> str:
    """A cell's release on an axis, in words: ``keras 3.14.0``; or empty."""
    return AXIS[axis].in_sentence(cell) if axis in RELEASES and getattr(cell, axis) else ""


def first_release(comparison: Comparison, cells: Mapping[str, Cell]) -> str:
    """The release of a candidate that is newer than its baseline; else empty.

    The baseline does not have the finding.
    """
    baseline, candidate = cells.get(comparison.baseline), cells.get(comparison.candidate)
    if baseline is None or candidate is None or comparison.axis not in RELEASES:
        return ""
    before, after = getattr(baseline, comparison.axis), getattr(candidate, comparison.axis)
    newer = before and after and versions.order(before) < versions.order(after)
    return release(comparison.axis, candidate) if newer else ""
