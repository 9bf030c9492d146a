"""Compares a result with its truth, in units of what its condition allows."""

from __future__ import annotations

import hashlib

import numpy as np

from ..kit import numerics

UNIT = dict(numerics.UNIT_ROUNDOFF, float64=2.0**-50)
"""Unit roundoff. float64 gets 8 times its own: the reference is float64 arithmetic too."""

TINY = {"float16": 2.0**-24, "bfloat16": 2.0**-126, "float32": 2.0**-126, "float64": 2.0**-1000}
HUGE = {"float16": 65504.0, "bfloat16": 3.3e38, "float32": 3.4e38, "float64": 1.7e308}


def perturbed(inputs, unit, seed):
    """Returns every floating input moved by one rounding error, with random signs."""
    random = np.random.RandomState(seed)
    moved = {}
    for name, value in inputs.items():
        signs = 2.0 * random.randint(0, 2, value.shape) - 1.0
        moved[name] = value * (1.0 + unit * signs) if value.dtype.kind == "f" else value
    return moved


def scale(truth, moved, unit, pointwise):
    """Returns how far a backward stable result may lie from ``truth``.

    The scale per unit is |f| plus the effect of one rounding of the inputs.

    Elementwise functions have an exact bound per element. Others mix elements, where random signs may cancel in one
    element by chance, so the mean over the result is added.
    """
    size = np.abs(truth)
    for other in moved:
        if other.shape == truth.shape:
            size = np.maximum(size, np.abs(truth) + np.abs(other - truth) / unit)
    finite = size[np.isfinite(size)]
    if not pointwise and finite.size:
        size = size + finite.mean()
    return size


def judge(got, truth, size, dtype, tol):
    """Compares a result with its truth and returns ``(class, figure)``.

    The class is "" (agrees), "nan", "wrong" or "inaccurate"; the figure is in units, or None. ``got`` and ``truth``
    have the same shape. ``inaccurate`` is beyond ``tol`` but below 1e-3 of the scale, or below 1e-5 of the largest
    result.
    """
    unit = UNIT.get(dtype, UNIT["float32"])
    huge = HUGE.get(dtype, HUGE["float32"])
    got = got.astype("complex128") if got.dtype.kind == "c" or truth.dtype.kind == "c" else got.astype("float64")
    strange = ~np.isfinite(truth) | (np.abs(truth) > 0.9 * huge)
    if np.any(np.isnan(got) != np.isnan(truth)):
        return "nan", None
    if np.any(strange):
        beyond = (np.abs(truth) > 0.9 * huge) & (np.abs(got) > 0.8 * huge) & (np.sign(got) == np.sign(truth))
        same = (got == truth) | np.isnan(truth) | beyond
        if not np.all(same[strange]):
            return "wrong", None
    plain = ~strange
    if not np.all(np.isfinite(got[plain])):
        return "wrong", None
    if not np.any(plain):
        return "", 0.0
    tiny = TINY.get(dtype, TINY["float32"])
    error = np.abs(got - truth)[plain] / (unit * size[plain] + tiny)
    error = np.where(np.isnan(error), 0.0, error)
    figure = float(error.max())
    if figure <= tol:
        return "", figure
    small = np.abs(got - truth)[plain].max() < 1e-5 * np.abs(truth[plain]).max()
    return ("inaccurate" if figure * unit < 1e-3 or small else "wrong"), figure


def same(got, truth, dtype):
    """Returns whether every number is the truth as ``dtype`` holds it.

    What the type cannot hold passes.
    """
    got, truth = got.astype("float64"), truth.astype("float64")
    held = truth.astype("float32").astype("float64") if dtype != "float64" else truth
    beyond = np.abs(truth) > 0.9 * HUGE.get(dtype, HUGE["float32"])
    return bool(np.all((got == truth) | (got == held) | (np.isnan(got) & np.isnan(truth)) | beyond))


def digest(arrays):
    """Returns eight hex digits over all values, shapes and types."""
    sha = hashlib.sha256()
    for value in arrays:
        sha.update(("%s%s" % (value.dtype, value.shape)).encode())
        sha.update(np.ascontiguousarray(value).tobytes())
    return sha.hexdigest()[:8]


def sketch(arrays):
    """Returns ``[norm, up to 8 values]`` over all arrays.

    That is enough to compare cells afterwards. Floats have 7 digits.
    """
    if any(value.dtype.kind not in "biufc" for value in arrays):
        return [0.0] + [str(item) for value in arrays for item in value.ravel()[:8]]
    flat = np.concatenate([_real(value).ravel() for value in arrays]) if arrays else np.zeros(0)
    return numerics.sketch(flat)


def _real(value):
    if value.dtype.kind == "c":
        return np.stack([value.real, value.imag]).astype("float64")
    return value.astype("float64")
