"""The switches of a cell, which ``probe/diagnose/switches.py`` throws."""

from __future__ import annotations

from runner.matrix import frameworks
from runner.model import Cell


def switches(cell: Cell) -> tuple[str, ...]:
    """The names of the cell's switches; the one that its variant throws is undone.

    >>> switches(Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu", "no-onednn"))
    ('onednn', 'one-thread', 'deterministic')
    """
    framework = frameworks.of(cell.framework)
    found = framework.switches.get(cell.device, [])
    undone = [framework.undo.get(name, name) if name == cell.variant else name for name in found]
    return tuple(name for name in undone if name != cell.variant)
