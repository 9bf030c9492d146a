"""The cases, by area."""

from __future__ import annotations

from .. import namespace
from ..case import Sweep


def cases():
    """All cases, in the order in which they run."""
    from . import (
        augment,
        contracts,
        convolution,
        corners,
        dtypes,
        elementwise,
        further,
        images,
        layers,
        limits,
        losses,
        randoms,
        recurrent,
        reductions,
        shapes,
        transforms,
        updates,
    )

    sweep = Sweep(namespace.resolve)
    areas = (
        elementwise, reductions, shapes, dtypes, convolution, layers, contracts, losses, images, transforms, updates, randoms, corners, recurrent, further, limits, augment,
    )  # fmt: skip
    for area in areas:
        area.add(sweep.add)
    return list(sweep.cases.values())
