"""Compares gradients with central differences of the reference.

They are taken along two random directions (or at each element).
"""

from __future__ import annotations

import numpy as np

from ..kit import numerics
from ..kit.records import Record
from . import compare
from .truth import reference


def cotangent(array, i):
    """Returns the weights of the elements of the ``i``-th result.

    The gradient is that of the weighted sum.
    """
    if array.dtype.kind not in "f":
        return np.zeros(array.shape, "int32")
    return np.random.RandomState(17 + i).uniform(0.5, 1.5, array.shape).astype("float32")


def judge(case, exact, cotangents, gradients):
    """Returns the record of a wrong gradient, or None where all of them hold."""
    for name, gradient in zip(case.wrt, gradients):
        for seed in (3,) if case.pointwise else (3, 4):
            slope, size = _slope(case, exact, cotangents, name, seed)
            if gradient is None:
                got = np.zeros_like(slope)
            else:
                got = gradient.astype("float64") * _direction(exact[name], seed)
                if not case.pointwise:
                    size = size + np.abs(got).sum()
                    got = got.sum()
            unit = compare.UNIT.get(case.dtype or "float32", 2.0**-24)
            step = np.abs(_direction(exact[name], seed)) if case.pointwise else 1.0
            bound = max(2e-4, 256 * unit) * (np.abs(slope) + np.abs(got)) + 1e-7 * size + 1e-37 * step
            if case.pointwise:  # a derivative as a difference of terms of the size of f / x, or of 1
                bound = bound + 64 * unit * (step + size)
            bad = (np.abs(slope) < 1e37 * np.minimum(step, 1.0)) & ~(np.abs(got - slope) <= bound)
            if np.any(bad) and np.all(np.isfinite(got)):  # how much one rounding of the inputs changes the slope
                moved = compare.perturbed(exact, unit, 5)
                shift = np.abs(_slope(case, moved, cotangents, name, seed)[0] - slope)
                bad = bad & ~(np.abs(got - slope) <= bound + 16 * shift)
            if np.any(bad):
                return _wrong(case, name, gradient, slope, got, bad)
    return None


def _slope(case, exact, cotangents, name, seed):
    """Returns directional derivative(s) of sum(cotangent * reference).

    It also returns the size of what was subtracted to get them.
    """
    h = 1e-6
    step = h * _direction(exact[name], seed)
    sides = []
    for sign in (1, -1):
        arrays = reference(case, {**exact, name: exact[name] + sign * step})
        sides.append([np.nan_to_num(a) * c for a, c in zip(arrays, cotangents)])
    if case.pointwise:
        return (sides[0][0] - sides[1][0]) / (2 * h), np.abs(sides[0][0])
    slope = sum(float(np.sum(p - q)) for p, q in zip(*sides)) / (2 * h)
    return slope, sum(float(np.abs(p).sum()) for p in sides[0])


def _wrong(case, name, gradient, slope, got, bad):
    slope, got, bad = np.atleast_1d(slope), np.atleast_1d(got), np.atleast_1d(bad)
    worst = int(np.argmax(np.where(bad.ravel(), np.nan_to_num(np.abs(got - slope).ravel(), nan=np.inf), -1.0)))
    wanted, found = float(slope.ravel()[worst]), float(got.ravel()[worst])
    where = "at element %d" % worst if case.pointwise else "along a direction"
    note = "%s: expected %s, got %s" % (where, numerics.rounded(wanted), numerics.rounded(found))
    status = "wrong" if np.isfinite(found) else "nan"
    figure = numerics.rounded(abs(found - wanted) / (abs(found) + abs(wanted))) if status == "wrong" else None
    sketch = "none" if gradient is None else compare.sketch([gradient])
    return Record(status, figure, sketch, name, note)


def _direction(value, seed):
    """Returns a step per element, relative to it, with random signs."""
    size = np.where(value == 0, 0.1, np.abs(value))
    return np.random.RandomState(seed).choice([-1.0, 1.0], value.shape) * size
