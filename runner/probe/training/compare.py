"""Compares measured figures with their truth.

There is a case per figure, in units of what rounding alone would do.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..kit import numerics
from . import network

PERTURBED = 5
"""Runs of the perturbed reference; their largest deviation, plus one rounding of the figure itself, is the unit."""

LIMIT = 40.0
"""Units beyond which a figure is wrong. Five uniform draws rarely miss the true spread by more than a factor of 3,
and a kernel may sum in a worse order than NumPy; a wrong formula is at 10^3 units and more."""

UNITS = dict(numerics.UNIT_ROUNDOFF, float64=2.0**-52)


def spread(truth, unit):
    """Returns ``(figures, scales)`` of a truth.

    The figures are ``truth(rounding)`` without rounding, the scales how far rounding may move each figure.
    """
    figures = truth(network.exact)
    scales = {}
    runs = [truth(network.Perturbation(seed, unit)) for seed in range(PERTURBED)]
    for name, value in figures.items():
        if _is_exact(value):
            scales[name] = None
            continue
        arrays = _arrays(value)
        moved = [_arrays(run[name]) for run in runs]
        scales[name] = [
            np.maximum.reduce([np.abs(other[i] - array) for other in moved]) + unit * _size(array)
            for i, array in enumerate(arrays)
        ]
        # one array's elements share their rounding: the unluckiest element is no worse than the array's mean
        scales[name] = [np.maximum(scale, scale.mean()) if scale.size else scale for scale in scales[name]]
    return figures, scales


def compare(measured, truth, scale):
    """Returns ``(status, figure, note)`` of one figure; status is ok, wrong or nan."""
    if scale is None:
        same = measured == truth
        return ("ok" if same else "wrong"), None, "" if same else "%s instead of %s" % (_short(measured), _short(truth))
    got, want = _arrays(measured), _arrays(truth)
    if [a.shape for a in got] != [a.shape for a in want]:
        shapes = "shape %s instead of %s"
        return "wrong", None, shapes % ([list(a.shape) for a in got], [list(a.shape) for a in want])
    worst, note = 0.0, ""
    for which, (g, w, s) in enumerate(zip(got, want, scale)):
        if np.any(np.isnan(g) != np.isnan(w)):
            return (
                "nan",
                None,
                "%s is %s" % (_place(got, which, np.argwhere(np.isnan(g) != np.isnan(w))[0]), "not a number"),
            )
        deviation = np.abs(g - w) / np.maximum(s, 1e-300)
        deviation = np.where(np.isnan(w) | (g == w), 0.0, deviation)
        if deviation.size and deviation.max() > worst:
            worst = float(deviation.max())
            # the first that is out, not the worst: what follows a wrong step is wrong too
            beyond = deviation > LIMIT
            at = np.argwhere(beyond)[0] if beyond.any() else np.unravel_index(deviation.argmax(), deviation.shape)
            at = tuple(int(k) for k in at)
            note = "%s is %.7g instead of %.7g" % (_place(got, which, at), g[at], w[at])
    return ("wrong" if worst > LIMIT else "ok"), worst, note if worst > LIMIT else ""


def digest(value):
    """Returns eight hex digits over a figure rounded to five digits.

    They are the same in cells that agree.
    """
    if not _is_exact(value):
        value = ["%.4e" % v for array in _arrays(value) for v in array.ravel()]
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]


def sketch(value):
    """Returns ``[norm, up to 8 values]`` of a wrong figure.

    That is enough to compare cells afterwards.
    """
    if _is_exact(value):
        return [0.0, str(value)]
    return numerics.sketch(np.concatenate([array.ravel() for array in _arrays(value)]))


def _is_exact(value):
    return isinstance(value, (str, int, bool)) or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _arrays(value):
    """Returns a figure as a list of float64 arrays.

    The figure is a number, a list of numbers, an array, or a list of arrays.
    """
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], np.ndarray) and value[0].ndim:
        return [np.asarray(v, "float64") for v in value]
    return [np.asarray(value, "float64")]


def _size(array):
    """Returns the magnitude that one rounding of the array scales with."""
    finite = np.abs(array[np.isfinite(array)])
    return np.where(np.isfinite(array), np.abs(array), 0.0) + (finite.mean() if finite.size else 0.0)


def _place(arrays, which, at):
    index = ",".join(str(int(k)) for k in at)
    return ("array %d" % which if len(arrays) > 1 else "the figure") + ("[%s]" % index if index else "")


def _short(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
