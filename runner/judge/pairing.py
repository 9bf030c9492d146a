"""Which cells are compared: pairs that differ in exactly one axis.

The pairs form a forest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from runner.errors import UsageError, suggest
from runner.model import AXES, Cell, Sample
from runner.util import versions


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cells that differ in ``axis`` alone."""

    baseline: Cell
    candidate: Cell
    axis: str


def pairs(cells: Sequence[Cell], prefer: Sequence[str] = (), baseline: str | None = None) -> list[Pair]:
    """Pair every cell with at most one baseline, one axis away.

    The baseline has the better rank.

    Rank: the first glob in ``prefer`` that matches the cell's id (none: last), then the order in which the
    frameworks were declared, then older versions first (``native`` after every Keras), then declared order.
    Among the earlier cells that differ in one axis, the nearest axis decides (see ``model.AXES``), then the rank.
    A cell with a nightly or local build comes after all releases, and its baseline is the newest
    release of that axis, where the cells have one.
    With ``baseline`` (a cell id), every cell that differs from that one in one axis is compared with it.

    Raises UsageError when ``baseline`` names no cell.
    """
    unique = list({cell.id: cell for cell in cells}.values())
    if baseline is not None:
        return _against(unique, baseline)
    found = []
    first: dict[tuple[str, Cell], Cell] = {}
    for cell in _ranked(unique, prefer):
        newest = _newest_release(cell, unique)
        found += [newest] if newest else []
        for axis in () if newest else AXES:
            best = first.get((axis.name, _without(cell, axis.name)))
            if best is not None:
                found.append(Pair(best, cell, axis.name))
                break
        for axis in AXES:
            first.setdefault((axis.name, _without(cell, axis.name)), cell)
    order = {cell.id: i for i, cell in enumerate(unique)}
    return sorted(found, key=lambda pair: order[pair.candidate.id])


def unreleased(cell: Cell) -> tuple[str, ...]:
    """The axes in which a cell has a nightly or local build, not a release."""
    return tuple(name for name in ("version", "keras") if versions.is_unreleased(str(cell.values[name] or "")))


def with_release(pair: Pair) -> bool:
    """Whether the pair compares an unreleased version with a release of the same axis."""
    return pair.axis in unreleased(pair.candidate) and pair.axis not in unreleased(pair.baseline)


def _newest_release(cell: Cell, cells: Sequence[Cell]) -> Pair | None:
    """The pair of an unreleased version with the newest release.

    None where the cell has no such version, or no cell differs from it in that axis alone.
    """
    for axis in unreleased(cell):
        key = _without(cell, axis)
        others = [one for one in cells if axis not in unreleased(one) and _without(one, axis) == key]
        others = [one for one in others if one.values[axis] is not None]
        if others:
            return Pair(max(others, key=lambda one: versions.order(one.values[axis])), cell, axis)
    return None


def difference(a: Cell, b: Cell) -> str | None:
    """The one axis in which two cells differ.

    None where they differ in none or in several.
    """
    if a == b:
        return None
    return next((axis.name for axis in AXES if _without(a, axis.name) == _without(b, axis.name)), None)


def _against(cells: list[Cell], baseline: str) -> list[Pair]:
    base = next((cell for cell in cells if cell.id == baseline), None)
    if base is None:
        known = [cell.id for cell in cells]
        raise UsageError(f"no cell {baseline!r} to compare with{suggest(baseline, known)}")
    axes = ((cell, difference(base, cell)) for cell in cells)
    return [Pair(base, cell, axis) for cell, axis in axes if axis is not None]


def _ranked(cells: list[Cell], prefer: Sequence[str]) -> list[Cell]:
    frameworks = list(dict.fromkeys(cell.framework for cell in cells))
    order = {cell.id: i for i, cell in enumerate(cells)}

    def rank(cell: Cell) -> tuple[object, ...]:
        preferred = next((i for i, glob in enumerate(prefer) if fnmatchcase(cell.id, glob)), len(prefer))
        age = (versions.order(cell.version), versions.order(cell.keras), versions.order(cell.python))
        return bool(unreleased(cell)), preferred, frameworks.index(cell.framework), *age, order[cell.id]

    return sorted(cells, key=rank)


def _without(cell: Cell, axis: str) -> Cell:
    """The cell without its value on one axis.

    All cells that differ only there share it as a key.
    """
    if axis == "framework":
        return replace(cell, framework="", version="")
    return replace(cell, **{axis: ""})


def twin(cell: Cell) -> Cell:
    """The same cell without Keras."""
    return replace(cell, keras=None)


NAMED = "cell"
"""The axis of a comparison of two cells that are just names."""


def pairs_by_name(samples: Iterable[Sample], baseline: str | None) -> list[Pair]:
    """Every cell against the baseline, which is the first cell where none is named.

    Raises UsageError for a name that no line has.
    """
    cells = {sample.cell.id: sample.cell for sample in samples}
    if not cells:
        return []
    if baseline is not None and baseline not in cells:
        raise UsageError(f"--baseline {baseline!r}: no line has that cell{suggest(baseline, cells)}")
    base = cells[baseline] if baseline is not None else next(iter(cells.values()))
    return [Pair(base, cell, NAMED) for cell in cells.values() if cell is not base]
