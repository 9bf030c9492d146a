"""Computes a case's float64 reference, and compares a cell's result with it."""

from __future__ import annotations

import numpy as np

from ..kit import numerics
from . import compare, namespace
from .engines import leaves

NAMES = namespace.truth()


class Truth:
    """The arrays of a case's reference, and the scale of their errors."""

    __slots__ = ("arrays", "scales")

    def __init__(self, arrays, scales):
        self.arrays = arrays
        self.scales = scales


def inputs(case):
    """Returns the case's inputs by name, as NumPy arrays."""
    return {name: eval(text, dict(NAMES)) for name, text in case.inputs.items()}  # noqa: S307


def exact_inputs(case, arrays):
    """Returns the inputs in float64, after rounding to the case's type.

    That is how the framework sees them.
    """
    exact = {}
    for name, value in arrays.items():
        if value.dtype.kind == "f":
            rounded = bfloat16(value) if case.dtype == "bfloat16" else value.astype(case.dtype or value.dtype)
            exact[name] = rounded.astype("float64")
        else:
            exact[name] = value.astype("int64") if value.dtype.kind in "iu" else value
    return exact


def reference(case, exact):
    """Returns the arrays that the reference gives for these inputs."""
    value = eval(case.ref, {**NAMES, **exact})  # noqa: S307
    return [np.asarray(leaf) for leaf in leaves(value)]


def truth(case, arrays, output):
    """Returns the Truth of a case with a reference; raises what the reference raises."""
    exact = exact_inputs(case, arrays)
    unit = max([compare.UNIT.get(d, 0.0) for d in output.dtypes] or [0.0]) or compare.UNIT["float32"]
    if case.dtype:
        unit = max(unit, compare.UNIT[case.dtype])
    true = reference(case, exact)
    moved = []
    if any(a.dtype.kind == "f" for a in exact.values()) and any(a.dtype.kind in "fc" for a in true):
        moved = [reference(case, compare.perturbed(exact, unit, seed)) for seed in (1, 2)]
    scales = [
        compare.scale(
            t.astype("complex128" if t.dtype.kind == "c" else "float64"),
            [m[i] for m in moved],
            unit,
            case.pointwise,
        )
        if t.dtype.kind in "biufc"
        else None
        for i, t in enumerate(true)
    ]
    if case.slack:
        more = np.abs(eval(case.slack, {**NAMES, **exact}))  # noqa: S307
        scales = [size + more for size in scales]
    return Truth(true, scales)


def verdict(case, output, true):
    """Returns ``(status, figure, note)`` of an Output against the Truth."""
    if len(output.arrays) != len(true.arrays):
        return "shape", None, "expected %d results, got %d" % (len(true.arrays), len(output.arrays))
    worst = 0.0
    for got, dtype, wanted, size in zip(output.arrays, output.dtypes, true.arrays, true.scales):
        if got.shape != wanted.shape:
            return "shape", None, "expected [%s]" % ",".join(map(str, wanted.shape))
        if wanted.dtype.kind in "biuSU" and got.dtype.kind in "biuSU":
            if not np.array_equal(got, wanted):
                note = "expected %s" % compare.sketch([wanted])[1:]
                if wanted.dtype.kind not in "SU":
                    return "wrong", None, note
                status = "dtype" if "dtype_of(" in case.expr else "wrong"
                return status, None, "%s, got %s" % (note, compare.sketch([got])[1:])
            continue
        if got.dtype.kind not in "biufc" or size is None:
            return "dtype", None, "expected numbers"
        low = max((dtype, case.dtype or dtype), key=lambda d: compare.UNIT.get(d, 0.0))
        exact = case.exact and case.dtype in ("", "float64") and wanted.dtype.kind == "f" and got.dtype.kind == "f"
        if exact and not compare.same(got, wanted, dtype):
            return "wrong", None, "expected exactly %s" % compare.sketch([wanted])[1:]
        bad, figure = compare.judge(got, wanted, size, low, case.tol)
        if bad:
            return bad, figure and numerics.rounded(figure), "expected %s" % compare.sketch([wanted])[1:]
        worst = max(worst, figure)
    return "ok", float("%.3g" % worst), ""


def bfloat16(value):
    """Returns the array rounded to the nearest even bfloat16, kept as float32."""
    bits = np.ascontiguousarray(value, "float32").view("uint32")
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).astype("uint32").view("float32")
    return np.where(np.isfinite(value), rounded, value).astype("float32").reshape(value.shape)
