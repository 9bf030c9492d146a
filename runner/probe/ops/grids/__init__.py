"""Lists the cases, by area."""

from __future__ import annotations

from .. import namespace
from ..case import Sweep


def cases():
    """Returns all cases, in the order in which they run."""
    from . import (
        arguments,
        augment,
        contracts,
        convolution,
        corners,
        dtypes,
        elementwise,
        everyday,
        extremes,
        forms,
        further,
        images,
        inputs,
        layers,
        losses,
        mixtures,
        objects,
        options,
        randoms,
        recurrent,
        reductions,
        refusals,
        shapes,
        transforms,
        updates,
        values,
    )

    sweep = Sweep(namespace.resolve)
    areas = (
        elementwise, reductions, shapes, dtypes, convolution, layers, contracts, losses, images, transforms, updates, randoms, corners, recurrent, everyday, extremes, augment, arguments, options, values, refusals, forms, objects, inputs, mixtures, further,
    )  # fmt: skip
    for area in areas:
        area.add(sweep.add)
    return list(sweep.cases.values())
