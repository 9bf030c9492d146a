"""Which switches a cell has that may change what it computes; ``probe/diagnose/toggles.py`` throws them."""

from __future__ import annotations

from runner.matrix import frameworks
from runner.model import Cell


def switches(cell: Cell) -> tuple[str, ...]:
    """The names of the cell's switches; one that its variant has thrown already is thrown back.

    >>> switches(Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu", "no-onednn"))
    ('onednn', 'one-thread', 'deterministic')
    """
    framework = frameworks.of(cell.framework)
    found = framework.switches.get(cell.device, [])
    undone = [framework.undo.get(name, name) if name == cell.variant else name for name in found]
    return tuple(name for name in undone if name != cell.variant)
