"""Generates layers on other inputs: no rows, float64, float16, unknown axes.

A layer casts floats to the type in which it computes, takes a batch of no rows, and promises for axes that it does not
know a shape that the output has.
"""

from __future__ import annotations

from . import refusals

WHOLE = ("Embedding", "CategoryEncoding", "Hashing")
"""Layers of whole numbers."""
ADAPTED = ("Discretization",)
FIXED = ("ConvLSTM1D",)
"""Layers that say that they want known sizes."""
RANDOM = ("Random", "Dropout", "Noise")


def add(add):
    """Adds the cases."""
    options = {"symbolic": False, "eager": True, "family": "inputs"}
    for name, given, _ in refusals.usual():
        if name in ADAPTED:
            continue
        made = refusals.call(name, given)
        shape = [int(n) for n in refusals.MADE[name][1].split(", ")]
        call = ", training=False" if any(word in name for word in RANDOM) else ""
        whole = name in WHOLE
        for kind in ("float64", "float16") if not whole else ("int64", "uint8"):
            given_array = _inputs(name, "np.ones((%s), %r)" % (_text(shape), kind))
            add(
                "kind_of(%s(%s%s)) == kind_of(%s(%s)) ==> True"
                % (made, given_array, call, made, _symbols(name, shape, kind)),
                **options,
            )
        none = _inputs(name, "np.ones((%s), %r)" % (_text([0, *shape[1:]]), "int32" if whole else "float32"))
        add("promised_shape(%s(%s%s))[0] ==> 0" % (made, none, call), **options)
        for axes in list(_unknown(shape))[: 1 if name in FIXED else None]:
            known = _inputs(name, "np.ones((%s), %r)" % (_text(shape), "int32" if whole else "float32"))
            add(
                "fits(promised_shape(%s(%s)), promised_shape(%s(%s%s))) ==> True"
                % (made, _symbols(name, axes, "int32" if whole else "float32"), made, known, call),
                **options,
            )


def _unknown(shape):
    """Yields the shape with its batch unknown, then all but its last axis."""
    yield [None, *shape[1:]]
    if len(shape) > 2:
        yield [*[None] * (len(shape) - 1), shape[-1]]
        yield [shape[0], *[None] * (len(shape) - 2), shape[-1]]


def _inputs(name, text):
    both = "%s, %s" % (text, text)
    return {"Attention": "[%s]" % both, "MultiHeadAttention": both, "GroupQueryAttention": both}.get(name, text)


def _symbols(name, shape, kind):
    return _inputs(name, "symbol(%s, dtype=%r)" % (_text(shape), kind))


def _text(shape):
    return ", ".join(map(str, shape))
