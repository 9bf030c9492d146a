"""The references of the ops probe against SciPy, against other definitions, and against themselves."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from runner.probe.ops import compare, grids, namespace, reference
from runner.probe.ops import prelude as p
from runner.probe.ops.engines import leaves
from runner.probe.ops.truth import bfloat16

CASES = grids.cases()


def test_every_case_can_be_told_by_its_id() -> None:
    assert len({case.ident for case in CASES}) == len(CASES) > 4000


@pytest.mark.parametrize("family", sorted({case.family for case in CASES if case.ref is not None}))
def test_every_reference_gives_numbers(family: str) -> None:
    names = namespace.truth()
    failures = []
    with np.errstate(all="ignore"):
        for case in CASES:
            if case.family != family or case.ref is None:
                continue
            inputs = {name: eval(text, dict(names)) for name, text in case.inputs.items()}  # noqa: S307 - our own text
            exact = {k: v.astype("float64") if v.dtype.kind == "f" else v for k, v in inputs.items()}
            try:
                found = eval(case.ref, {**names, **exact})  # noqa: S307
            except Exception as error:  # noqa: BLE001 - whatever it is, the case is named
                failures.append(f"{case.ident}: {error!r}")
                continue
            values = [np.asarray(leaf) for leaf in leaves(found)]
            if found is None or any(value.dtype.kind not in "biufcSU" for value in values):
                failures.append(f"{case.ident}: {found!r}")
    assert not failures


def test_convolution_is_scipys_correlation() -> None:
    signal = importlib.import_module("scipy.signal")
    x, w = np.random.RandomState(0).randn(1, 7, 8, 2), np.random.RandomState(1).randn(3, 2, 2, 1)
    wanted = sum(signal.correlate(x[0, :, :, c], w[:, :, c, 0], mode="valid") for c in range(2))
    np.testing.assert_allclose(reference.conv(x, w)[0, :, :, 0], wanted)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("size", "k", "s"), [(5, 3, 2), (4, 2, 2), (5, 5, 3), (6, 1, 2), (4, 4, 1)])
def test_transposed_convolution_is_the_adjoint(padding: str, size: int, k: int, s: int) -> None:
    """<conv(x), y> = <x, conv_transpose(y)> where the lengths fit."""
    w = np.random.RandomState(0).randn(k, 2, 3)
    y = np.random.RandomState(1).randn(1, size, 3)
    back = reference.conv_transpose(y, w, s, padding)
    x = np.random.RandomState(2).randn(*back.shape)
    forth = reference.conv(x, w, s, padding)
    assert forth.shape[1] >= size
    np.testing.assert_allclose(np.sum(forth[:, :size] * y), np.sum(x * back), rtol=1e-10)


def test_pooling_does_not_count_padding() -> None:
    x = np.arange(4.0).reshape(1, 4, 1)
    np.testing.assert_allclose(reference.average_pool(x, 3, 1, "same").ravel(), [0.5, 1.0, 2.0, 2.5])
    np.testing.assert_allclose(reference.max_pool(-x, 3, 1, "same").ravel(), [0.0, 0.0, -1.0, -2.0])


def test_the_gaussian_blur_has_height_first() -> None:
    signal = importlib.import_module("scipy.signal")
    x = np.random.RandomState(0).rand(1, 6, 7, 1)
    rows, columns = (np.exp(-0.5 * (np.arange(-k, k + 1) / s) ** 2) for k, s in ((1, 0.5), (2, 2.0)))
    kernel = np.outer(rows / rows.sum(), columns / columns.sum())
    wanted = signal.correlate2d(x[0, :, :, 0], kernel, mode="same")
    np.testing.assert_allclose(reference.gaussian_blur(x, (3, 5), (0.5, 2.0))[0, :, :, 0], wanted)


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_interpolation_between_coordinates_is_scipys(fill_mode: str) -> None:
    ndimage = importlib.import_module("scipy.ndimage")
    rng = np.random.RandomState(0)
    x, at = rng.rand(4, 5), rng.uniform(-9, 12, (2, 3, 40))
    mode = {"constant": "grid-constant", "wrap": "grid-wrap"}.get(fill_mode, fill_mode)
    wanted = ndimage.map_coordinates(x, at, order=1, mode=mode, cval=0.25)
    np.testing.assert_allclose(reference.map_coordinates(x, at, fill_mode, 0.25), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("promised", "shape", "kept"),
    [((2, 3), (2, 3), True), ((None, 3), (5, 3), True), ((2, 3), (2, 4), False), ((2,), (2, 1), False), ((), (), True)],
)
def test_an_unknown_axis_promises_nothing(promised: tuple, shape: tuple, kept: bool) -> None:
    assert p._fits(promised, shape) == kept


def test_special_functions_are_scipys() -> None:
    special = importlib.import_module("scipy.special")
    x = np.linspace(-0.999, 0.999, 21)
    np.testing.assert_allclose(reference.erfinv(x), special.erfinv(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(reference.log_softmax(x * 50), special.log_softmax(x * 50))
    np.testing.assert_allclose(reference.sigmoid(x * 700), special.expit(x * 700))


def test_sparsemax_lies_on_the_simplex() -> None:
    y = reference.sparsemax(p.normal(4, 6).astype("float64"))
    np.testing.assert_allclose(y.sum(-1), 1.0)
    assert (y >= 0).all()


def test_masked_steps_leave_the_state() -> None:
    x, w, r, b = p.normal(1, 3, 2), p.normal(2, 8), p.normal(2, 8), p.normal(8)
    mask = np.array([[True, False, False]])
    np.testing.assert_allclose(reference.lstm(x, w, r, b, mask=mask), reference.lstm(x[:, :1], w, r, b))
    zeros = reference.lstm(x, w, r, b, mask=mask, sequences=True, zero=True)
    assert (zeros[0, 1:] == 0).all()


def test_bfloat16_rounds_to_nearest_even() -> None:
    x = np.array([1.0, 1.0 + 2**-8, 1.0 + 3 * 2**-8, np.inf, -3.3e38], "float32")
    np.testing.assert_array_equal(bfloat16(x)[:4], np.array([1.0, 1.0, 1.0 + 2**-6, np.inf], "float32"))


# the measure of errors


def judged(got, truth, inputs=None, f=None, pointwise=False, dtype="float32"):
    moved = [f(compare.perturbed(inputs, 2.0**-24, seed)) for seed in (1, 2)] if f else []
    size = compare.scale(truth, moved, 2.0**-24, pointwise)
    return compare.judge(got, truth, size, dtype, 64.0)[0]


def test_cancellation_is_no_defect() -> None:
    x = {"x": np.array([1e8, 1.0, -1e8])}
    exact = np.sum(x["x"])
    in_float32 = np.asarray(np.float32(1e8) + np.float32(1.0) + np.float32(-1e8))
    assert judged(in_float32.reshape(1), np.array([exact]), x, lambda i: np.array([np.sum(i["x"])])) == ""


def test_the_naive_variance_is_one() -> None:
    x = p.normal(64, loc=1e4)
    naive = np.mean(x * x, dtype="float32") - np.mean(x, dtype="float32") ** 2
    f = lambda i: np.array([np.var(i["x"])])  # noqa: E731
    exact = {"x": x.astype("float64")}
    assert judged(np.array([naive]), f(exact), exact, f) in ("wrong", "inaccurate")
    assert judged(np.array([np.var(x)]), f(exact), exact, f) == ""


@pytest.mark.parametrize(
    ("got", "truth", "kind"),
    [
        ([1.0, np.nan], [1.0, np.nan], ""),
        ([1.0, 2.0], [1.0, np.nan], "nan"),
        ([np.nan, 2.0], [1.0, 2.0], "nan"),
        ([np.inf], [np.inf], ""),
        ([-np.inf], [np.inf], "wrong"),
        ([np.inf], [1e39], ""),
        ([np.inf], [1.0], "wrong"),
        ([1.01, 1.0], [1.0, 1.0], "wrong"),
        ([1.00002, 1.0], [1.0, 1.0], "inaccurate"),
        ([1.0000001, 1.0], [1.0, 1.0], ""),
    ],
)
def test_what_counts_as_wrong(got: list[float], truth: list[float], kind: str) -> None:
    assert judged(np.array(got), np.array(truth), pointwise=True) == kind


def test_sketches_are_short_and_plain() -> None:
    found = compare.sketch([np.arange(100.0), np.array([np.nan])])
    assert len(found) == 9
    assert found[-1] == "nan"
    assert compare.sketch([np.array(["float32"])]) == [0.0, "float32"]
