"""Generates layers whose arguments are numbers of NumPy, tuples or lists.

A layer made so promises the shapes, and has the configuration, of one that is made with plain numbers.
"""

from __future__ import annotations

import re

from . import refusals

PAIRED = ("kernel_size", "strides", "dilation_rate", "pool_size", "size", "padding", "cropping")
"""Arguments that take a number for each dimension."""


def add(add):
    """Adds the cases."""
    options = {"symbolic": False, "eager": True, "family": "forms"}
    for name, given, inputs in refusals.usual():
        plain = refusals.call(name, given)
        for argument, value in given.items():
            for other in _forms(name, argument, value):
                written = refusals.call(name, {**given, argument: other})
                add(
                    "promised_shape(%s(%s)) == promised_shape(%s(%s)) ==> True" % (written, inputs, plain, inputs),
                    **options,
                )
                add("clone_config(%s) == clone_config(%s) ==> True" % (written, plain), **options)


def _forms(name, argument, value):
    """Returns other ways to write an argument."""
    if not value.lstrip("-").isdigit() or argument == "axis":
        return []
    dimensions = re.search(r"([123])D", name)
    rank = int(dimensions.group(1)) if dimensions else 0
    found = ["np.int64(%s)" % value]
    if argument in PAIRED and rank and not (argument in ("padding", "cropping") and rank > 1):
        found += ["(%s)" % (("%s, " % value) * rank), "[%s]" % ", ".join([value] * rank)]
    return found
