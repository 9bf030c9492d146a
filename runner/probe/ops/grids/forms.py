"""Generates layers whose arguments are numbers of NumPy, tuples or lists.

A layer made so promises the shapes, and has the configuration, of one that is made with plain numbers.
"""

from __future__ import annotations

from . import refusals

NUMPY = ("np.int64(%s)", "np.int32(%s)")
PAIRED = ("kernel_size", "strides", "dilation_rate", "pool_size", "size", "padding", "cropping")
"""Arguments that take a number for each dimension."""

DIMENSIONS = {"1D": 1, "2D": 2, "3D": 3}


def add(add):
    """Adds the cases."""
    options = {"symbolic": False, "eager": True, "family": "forms"}
    for name, (arguments, shape) in refusals.MADE.items():
        given = dict(item.split("=", 1) for item in arguments.split(", ") if "=" in item)
        inputs = ", ".join(["symbol(%s)" % shape] * (2 if "HeadAtt" in name or "GroupQ" in name else 1))
        inputs = "[%s, %s]" % (inputs, inputs) if name == "Attention" else inputs
        plain = _made(name, given)
        for argument, value in given.items():
            for other in _forms(name, argument, value):
                written = _made(name, {**given, argument: other})
                add(
                    "promised_shape(%s(%s)) == promised_shape(%s(%s)) ==> True" % (written, inputs, plain, inputs),
                    **options,
                )
                add("clone_config(%s) == clone_config(%s) ==> True" % (written, plain), **options)


def _made(name, arguments):
    return "layers.%s(%s)" % (name, ", ".join("%s=%s" % pair for pair in arguments.items()))


def _forms(name, argument, value):
    """Returns other ways to write an argument."""
    if not value.lstrip("-").isdigit() or argument == "axis":
        return []
    rank = DIMENSIONS.get(name[-2:], 0) or (DIMENSIONS.get(name[:6][-2:], 0))
    found = [form % value for form in NUMPY[:1]]
    if argument in PAIRED and rank and not (argument in ("padding", "cropping") and rank > 1):
        found += ["(%s)" % (("%s, " % value) * rank), "[%s]" % ", ".join([value] * rank)]
    return found
