"""The cases, by area."""

from __future__ import annotations

from .. import namespace
from ..case import Sweep


def cases():
    """All cases, in the order in which they run."""
    from . import convolution, elementwise, reductions, shapes

    sweep = Sweep(namespace.resolve)
    for area in (convolution, elementwise, reductions, shapes):
        area.add(sweep.add)
    return list(sweep.cases.values())
