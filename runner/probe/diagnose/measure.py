"""Measures how far arrays are from their truth.

The figures are small enough to be written down and compared between cells.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

from .reference import U

SKETCH = 16
"""Numbers in a sketch: the distance of two arrays is known from theirs to about 1 / sqrt(2 * 16) = 18 %."""


@functools.lru_cache(maxsize=32)
def _signs(size):
    return np.random.RandomState(size % (1 << 31)).randint(0, 2, size).astype("int8") * 2 - 1


def sketch(deviation):
    """Returns 16 numbers that stand for an array.

    The squared distance of two sketches estimates that of the arrays, whatever they are. The numbers are sums over
    every 16th element with signs drawn once per size (a count sketch: Charikar, Chen and Farach-Colton, ICALP 2002). So
    two cells are compared, although neither reads the other's arrays.
    """
    flat = np.ravel(deviation)
    flat = flat * _signs(flat.size)
    flat = np.concatenate([flat, np.zeros(-flat.size % SKETCH)])
    return [float("%.5g" % value) for value in flat.reshape(-1, SKETCH).sum(0)]


def digest(arrays):
    """Returns twelve hex digits over the bits of the arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:12]


def elementwise(value, truth, scale, terms):
    """Returns ``[largest error, RMS error, terms, digest, sketch]``.

    The errors are in u * scale, and None where one is not finite. The sketch is of the errors over the root of their
    number, so that its distances are RMS ones too.
    """
    value = np.asarray(value)
    bits = digest([value])
    if value.shape != np.shape(truth):
        return [None, None, terms, bits, []]
    scale = np.asarray(scale, "float64")
    # where every term is zero a kernel that works on tiles still leaves their rounding
    scale = np.maximum(scale, scale.mean() / 128) if scale.any() else np.ones(scale.shape)
    error = (value.astype("float64") - truth) / (U * scale)
    if not np.isfinite(error).all():
        return [None, None, terms, bits, []]
    rms = float(np.sqrt(np.mean(error**2)))
    largest = float(np.abs(error).max())
    return [float("%.4g" % largest), float("%.4g" % rms), terms, bits, sketch(error / np.sqrt(error.size))]


def together(values, truths, noise):
    """Returns ``[distance from the truth, sketch]`` of arrays as one vector.

    Both are in units of ``noise``.
    """
    values = [np.asarray(v, "float64") for v in values]
    if any(v.shape != np.shape(t) for v, t in zip(values, truths)):
        return [None, []]
    deviation = np.concatenate([np.ravel(v - t) for v, t in zip(values, truths)]) / noise
    if not np.isfinite(deviation).all():
        return [None, []]
    return [float("%.4g" % np.sqrt((deviation**2).sum())), sketch(deviation)]


def noise(truths, jolted):
    """Returns the size of rounding noise: the RMS length over jolted results.

    It is at least two roundings of the truth.
    """
    lengths = [sum(((np.asarray(v) - t) ** 2).sum() for v, t in zip(values, truths)) for values in jolted]
    floor = 4 * U**2 * sum((np.asarray(t) ** 2).sum() for t in truths) / max(1, sum(np.size(t) for t in truths))
    return float(np.sqrt(max(np.mean(lengths), floor, 1e-60)))
