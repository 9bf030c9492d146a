"""Checks the precision of convolutions against exact values.

A framework should still compute what its float type allows. Each case is computed twice; a cell that disagrees with
itself is nondeterministic, and no version is the cause of that.

``issue_20804`` is the convolution of keras-team/keras#20804; the others are small, and together they separate rounding
from TF32, bfloat16 and float16 arithmetic (64 channels do that better than 1024) and from padding that is off by a
pixel.
"""

from __future__ import annotations

import hashlib
import time

import numpy as np

from ..frameworks import backend as backends
from ..kit import mps, usage
from ..protocol import BadOutputError, one_line
from .convolution import Geometry, backward_error, inputs, prepare, sample, truth

DEFAULTS = {"cases": "small"}
WARM_S = 0.2
WARM_REPEATS = 15
"""A case is repeated until it has taken this long, or so often, and its time is the median."""

SMALL = {
    "digits_3x3": Geometry((8, 28, 28, 1), (3, 3), 32),
    "valid_5x5_stride_3": Geometry((2, 31, 29, 16), (5, 5), 32, strides=(3, 3)),
    "valid_dilated": Geometry((2, 24, 24, 32), (3, 3), 32, dilation=(2, 3)),
    "same_3x3_64": Geometry((2, 32, 32, 64), (3, 3), 64, "same"),
    "same_even_kernel": Geometry((2, 15, 14, 16), (4, 2), 16, "same"),
    "same_stride_2_odd": Geometry((2, 9, 9, 8), (3, 5), 16, "same", strides=(2, 2)),
    "same_stride_2_even": Geometry((2, 16, 16, 8), (3, 3), 16, "same", strides=(2, 2)),
    "same_stride_2_224": Geometry((1, 112, 112, 3), (7, 7), 64, "same", strides=(2, 2)),
    "same_dilated_64": Geometry((1, 32, 32, 64), (4, 7), 64, "same", dilation=(3, 2)),
    "pointwise": Geometry((4, 16, 16, 256), (1, 1), 64, "same"),
    "pointwise_stride_2": Geometry((2, 15, 15, 64), (1, 1), 32, "same", strides=(2, 2)),
    "groups_4": Geometry((2, 16, 16, 32), (3, 3), 64, "same", groups=4),
    "channels_first": Geometry((2, 16, 17, 64), (3, 3), 32, "same", layout="channels_first"),
    "channels_first_stride_2": Geometry((2, 17, 16, 16), (3, 3), 32, "same", strides=(2, 2), layout="channels_first"),
}
FULL = {"issue_20804": Geometry((1, 256, 256, 1024), (4, 7), 1024, "same", dilation=(3, 2))}
SETS = {"small": SMALL, "full": dict(SMALL, **FULL)}
REFUSALS = ("not support", "only support", "not implemented", "unimplemented", "not currently")


def run(request, report):
    """Measures the cases of the setting ``cases``.

    ``cases`` is ``small`` (seconds) or ``full`` (with ``issue_20804``: a minute and 4 GB).
    """
    name = request.settings_with(DEFAULTS)["cases"]
    if name not in SETS:
        raise BadOutputError("setting 'cases' is %r, not one of %s" % (name, ", ".join(SETS)))
    backend = backends.load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    cases = {case: attempt(backend, report, case, geometry) for case, geometry in SETS[name].items()}
    report.detail("cases", {case: found for case, (found, _) in cases.items()})
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
    times = [found["time_s"] for case, (found, _) in cases.items() if case in SMALL and "time_s" in found]
    if len(times) == len(SMALL):
        report.metric("small.time_s", sum(times), "timing", better="lower", unit="s")
    errors = [error for _, error in cases.values()]
    if all(errors):
        raise errors[0]  # not a case that fails, but all of it


def attempt(backend, report, case, geometry):
    """Measures one case. Returns ``(detail, error)``.

    ``detail`` is what was observed, ``error`` the exception that ended the case, or None. The metric ``<case>.outcome``
    is one of ``ok``, ``wrong shape``, ``not finite``, ``unsupported`` (the framework says that it cannot) and
    ``raised``.
    """
    try:
        detail = measure(backend, report, case, geometry)
        error = None
    except Exception as raised:
        error = raised
        refused = isinstance(error, NotImplementedError) or any(word in str(error).lower() for word in REFUSALS)
        detail = {
            "outcome": "unsupported" if refused else "raised",
            "error": type(error).__name__,
            "reason": one_line(error),
        }
        if backend.device == "mps":
            mps.add(report, [str(error)])
    report.metric(case + ".outcome", detail["outcome"], "exact")
    return detail, error


def measure(backend, report, case, geometry):
    """Computes one case and reports its figures as ``<case>.*``. Returns its detail."""
    x, w = inputs(geometry, seed=case_seed(case))
    compute, finish = prepare(backend, x, w, geometry)
    large = case in FULL and usage.reset_peak_rss()
    with mps.listing(backend, report):
        started = time.perf_counter()
        value = backend.block(compute())
        first_s = time.perf_counter() - started
    output = np.ascontiguousarray(finish(value))
    digest = bits(output)
    del value
    times, again = repeat(backend, compute)
    repeatable = bits(np.ascontiguousarray(finish(again))) == digest
    del again
    report.metric(case + ".digest", digest, "exact")
    report.metric(case + ".repeatable", repeatable, "exact")
    report.metric(case + ".shape", "x".join(str(size) for size in output.shape), "exact")
    report.metric(case + ".sum", float(output.sum(dtype="float64")), "info")
    # a case of milliseconds is shown; what is judged is all of them together, and a large one by itself
    kind = "timing" if case in FULL else "info"
    report.metric(case + ".time_s", float(np.median(times)), kind, better="lower", unit="s")
    if large:
        report.metric(case + ".peak_rss_bytes", usage.current_peak_rss_bytes(), "timing", better="lower", unit="B")
    detail = {"outcome": "ok", "shape": output.shape, "expected_shape": geometry.output, "dtype": str(output.dtype)}
    detail.update(first_s=first_s, repeats=len(times), time_s=float(np.median(times)))
    if output.shape != geometry.output:
        return dict(detail, outcome="wrong shape")
    detail.update(judged(report, case, geometry, x, w, output))
    return detail if np.isfinite(output).all() else dict(detail, outcome="not finite")


def judged(report, case, geometry, x, w, output):
    """Compares the output with its exact value at the sampled places.

    Returns what goes into the detail.
    """
    positions, channels = sample(geometry)
    value, magnitude = truth(x, w, geometry, positions, channels)
    found = output[tuple(positions.T)][:, channels]
    error = backward_error(found, value, magnitude)
    rms = float(np.sqrt(np.mean(np.square(error))))
    report.metric(case + ".error_max", error.max(), "error", better="lower", unit="u", terms=geometry.terms)
    report.metric(case + ".error_rms", rms, "error", better="lower", unit="u", terms=geometry.terms)
    worst = np.unravel_index(np.argmax(error), error.shape)
    return {
        "checked": int(error.size),
        "worst": {
            "position": [*positions[worst[0]].tolist(), int(channels[worst[1]])],
            "found": float(found[worst]),
            "truth": float(value[worst]),
        },
    }


def repeat(backend, compute):
    """Repeats ``compute`` until ``WARM_S`` or ``WARM_REPEATS`` are used up.

    Returns the seconds of each repeat, and the first value.
    """
    times, value = [], None
    while not times or (sum(times) < WARM_S and len(times) < WARM_REPEATS):
        started = time.perf_counter()
        computed = backend.block(compute())
        times.append(time.perf_counter() - started)
        value = computed if value is None else value
        del computed
    return times, value


def bits(array):
    """Returns the sha256 over the bit pattern of a contiguous array."""
    return hashlib.sha256(array.data).hexdigest()


def case_seed(case):
    """Returns the seed of a case's inputs, made from the case's name.

    So adding a case does not change the others' inputs.
    """
    return int(hashlib.sha256(case.encode()).hexdigest()[:8], 16)
