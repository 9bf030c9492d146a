"""Which switches a cell has that may change what it computes; ``probe/diagnose/toggles.py`` throws them."""

from __future__ import annotations

from runner.model import Cell

_EVERYWHERE = {
    "tensorflow": ("no-onednn", "one-thread", "deterministic"),
    "torch": ("no-onednn", "one-thread", "deterministic"),
    "jax": ("one-thread",),
}
_OF_DEVICES = {
    ("tensorflow", "cuda"): ("no-tf32", "deterministic"),
    ("torch", "cuda"): ("no-tf32", "tf32", "deterministic"),
    ("jax", "cuda"): ("no-tf32", "deterministic"),
    ("torch", "mps"): ("fallback", "no-fallback"),
}


def switches(cell: Cell) -> tuple[str, ...]:
    """The names of the cell's switches; one that its variant has thrown already is thrown back.

    >>> switches(Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu", "no-onednn"))
    ('onednn', 'one-thread', 'deterministic')
    """
    if cell.device == "cpu":
        found = _EVERYWHERE.get(cell.framework, ())
    else:
        found = _OF_DEVICES.get((cell.framework, cell.device), ())
    if cell.framework == "tensorflow" and cell.variant == "no-onednn":
        found = tuple("onednn" if name == "no-onednn" else name for name in found)
    return tuple(name for name in found if name != cell.variant)
