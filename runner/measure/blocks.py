"""Cuts cells into blocks: cells that are timed against each other. Pure.

Timings from two machines cannot be compared, so a block is measured on one machine. The comparisons of a run connect
its cells. What is connected is one block. A block that would take too long is cut between frameworks and devices,
where a difference in speed is reported but never fails a run, and nowhere else.

A job matrix of CI (see ``shards``) and a cluster (see ``runner.cluster``) both divide a run into these blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runner.judge import Pair
from runner.model import AXES, Cell

LINUX, MACOS, CUDA = "linux", "macos", "cuda"
MACHINES = (LINUX, MACOS, CUDA)

SPLITTABLE = frozenset(axis.name for axis in AXES if axis.other_kind)
"""Axes of comparisons that may span two machines where a block is too long for one."""

Fits = Callable[[Sequence[Cell]], bool]
"""Whether so many cells can be one block."""


@dataclass(frozen=True, slots=True)
class Block:
    """Cells that stay together on one machine."""

    machine: str
    """The kind of machine that can run them: one of ``MACHINES``."""
    cells: tuple[Cell, ...]


def cut(cells: Sequence[Cell], pairs: Sequence[Pair], fits: Fits, *, mac: bool = False) -> tuple[Block, ...]:
    """Cut the cells into blocks; both cells of a comparison are in one block.

    See the module for the comparisons that count. A block that does not fit even so stays whole. ``mac``: all of them
    run on a Mac, as they do where there is an MPS cell.
    """
    mac = mac or any(cell.device == "mps" for cell in cells)
    found = []
    for machine in MACHINES:
        own = [cell for cell in cells if machine_of(cell, mac=mac) == machine]
        for tree in _trees(own, pairs, frozenset()):
            parts = [tree] if fits(tree) else _trees(tree, pairs, SPLITTABLE)
            found += [Block(machine, tuple(part)) for part in parts]
    return tuple(found)


def machine_of(cell: Cell, *, mac: bool) -> str:
    """Which kind of machine runs a cell.

    ``mac``: the set has an MPS cell or is for Macs, so all of it runs on one.
    """
    if mac:
        return MACOS
    return CUDA if cell.device == "cuda" else LINUX


def torn(groups: Iterable[Iterable[Cell]], pairs: Iterable[Pair]) -> list[Pair]:
    """Comparisons whose two cells are in different groups."""
    where = {cell: number for number, group in enumerate(groups) for cell in group}
    return [
        p for p in pairs if p.baseline in where and p.candidate in where and where[p.baseline] != where[p.candidate]
    ]


def _trees(cells: Sequence[Cell], pairs: Iterable[Pair], without: frozenset[str]) -> list[list[Cell]]:
    """Connected components of the comparisons, those of some axes left out."""
    leader = {cell: cell for cell in cells}

    def find(cell: Cell) -> Cell:
        while leader[cell] != cell:
            leader[cell] = cell = leader[leader[cell]]
        return cell

    for pair in pairs:
        if pair.axis not in without and pair.baseline in leader and pair.candidate in leader:
            leader[find(pair.candidate)] = find(pair.baseline)
    trees: dict[Cell, list[Cell]] = {}
    for cell in cells:
        trees.setdefault(find(cell), []).append(cell)
    return list(trees.values())
