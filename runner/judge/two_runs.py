"""Two finished runs: the same cells, named by the run they are from."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from runner.errors import UsageError
from runner.judge.pairing import Pair, difference, unreleased
from runner.model import Cell, Sample

AXIS = "run"


@dataclass(frozen=True, slots=True)
class TaggedCell(Cell):
    """A cell of one of several runs."""

    tag: str = ""

    @property
    def id(self) -> str:
        """``A:torch-2.2.2_native_py3.11_cpu``."""
        return f"{self.tag}:{untagged(self).id}"


def untagged(cell: Cell) -> Cell:
    """The cell itself, whichever run it is from."""
    if not isinstance(cell, TaggedCell):
        return cell
    return Cell(**{field.name: getattr(cell, field.name) for field in fields(Cell)})


def check(a: Sequence[Sample], b: Sequence[Sample], names: tuple[str, str]) -> None:
    """Raise UsageError where two runs have no cell in common.

    The message has the cells of each and the command that compares them. ``names``: the folders.
    """
    first, second = (list(dict.fromkeys(sample.cell for sample in samples)) for samples in (a, b))
    if not first or not second or set(first) & set(second) or partners(first, second):
        return
    folders = " ".join(shlex.quote(name) for name in names)
    baseline = next((cell for cell in first if any(difference(cell, other) for other in second)), None)
    way_out = "cells can be compared where they differ in one axis, and none of these do"
    if baseline is not None:
        way_out = (
            f"`runner report {folders} --baseline {shlex.quote(baseline.id)}` compares those that differ in one axis"
        )
    raise UsageError(
        f"no cell is in both runs: {names[0]} has {_some(first)}, {names[1]} has {_some(second)}; {way_out}"
    )


def _some(cells: Sequence[Cell]) -> str:
    more = len(cells) - _MOST_NAMED
    return ", ".join(cell.id for cell in cells[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


_MOST_NAMED = 3


def tagged(a: Sequence[Sample], b: Sequence[Sample], tags: tuple[str, str]) -> tuple[list[Sample], list[Pair]]:
    """Mark the samples with their run, and pair every cell with itself.

    A nightly or local build is paired with the build of the other run that takes its place. A cell that only one run
    has is paired too.
    """
    marked = [_marked(sample, tag) for samples, tag in zip((a, b), tags, strict=True) for sample in samples]
    cells = list(dict.fromkeys(sample.cell for sample in (*a, *b)))
    other = partners([sample.cell for sample in a], [sample.cell for sample in b])
    taken = set(other.values())
    pairs = [(cell, other.get(cell, cell)) for cell in cells if cell not in taken]
    return marked, [Pair(_tag(before, tags[0]), _tag(after, tags[1]), AXIS) for before, after in pairs]


def partners(a: Sequence[Cell], b: Sequence[Cell]) -> dict[Cell, Cell]:
    """The cells of one run with another build than the other run has.

    Both cells have an unreleased version on one axis and are equal on all others, and no third cell of either run is.
    """
    first, second = ([cell for cell in dict.fromkeys(cells) if unreleased(cell)] for cells in (a, b))
    first, second = [c for c in first if c not in second], [c for c in second if c not in first]
    near = {cell: [other for other in second if _same_but_for_a_build(cell, other)] for cell in first}
    claims = [other for found in near.values() for other in found]
    return {cell: found[0] for cell, found in near.items() if len(found) == 1 and claims.count(found[0]) == 1}


def _same_but_for_a_build(a: Cell, b: Cell) -> bool:
    axis = difference(a, b)
    return axis in unreleased(a) and axis in unreleased(b)


def _marked(sample: Sample, tag: str) -> Sample:
    return replace(sample, cell=_tag(sample.cell, tag))


def _tag(cell: Cell, tag: str) -> TaggedCell:
    return TaggedCell(**{field.name: getattr(cell, field.name) for field in fields(Cell)}, tag=tag)
