from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.probe.conv2d import convolution
from runner.probe.conv2d.convolution import Geometry, backward_error, inputs, sample, truth
from runner.probe.protocol import UnsupportedError


def everything(geometry):
    return sample(geometry, most_products=1 << 60)


def by_definition(x, w, g):
    """The convolution as nested loops over one output's terms, from TensorFlow's definition of padding."""
    output = np.zeros(g.output)
    (above, _), (left, _) = g.pads
    share, filters = g.x[3] // g.groups, g.filters // g.groups
    for n, i, j, f in np.ndindex(*g.output):
        for a, b, c in itertools.product(range(g.kernel[0]), range(g.kernel[1]), range(share)):
            row = i * g.strides[0] + a * g.dilation[0] - above
            column = j * g.strides[1] + b * g.dilation[1] - left
            if 0 <= row < g.x[1] and 0 <= column < g.x[2]:
                output[n, i, j, f] += float(x[n, row, column, f // filters * share + c]) * float(w[a, b, c, f])
    return output


geometries = st.builds(
    lambda size, kernel, per_group, groups, padding, strides, dilation: Geometry(
        (2, *size, per_group[0] * groups), kernel, per_group[1] * groups, padding, strides, dilation, groups
    ),
    size=st.tuples(st.integers(5, 8), st.integers(5, 8)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    per_group=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    groups=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(geometries)
def test_truth_is_the_convolution_by_definition(geometry):
    x, w = inputs(geometry, 1)
    positions, channels = everything(geometry)
    value, magnitude = truth(x, w, geometry, positions, channels)
    np.testing.assert_allclose(value.reshape(geometry.output), by_definition(x, w, geometry), rtol=0, atol=1e-12)
    expected = by_definition(np.abs(x), np.abs(w), geometry)
    np.testing.assert_allclose(magnitude.reshape(geometry.output), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "output", "pads"),
    [  # computed by hand from: output = ceil(size / stride), the odd zero at the end
        (9, 5, 2, 1, 5, (2, 2)),
        (9, 3, 2, 1, 5, (1, 1)),
        (10, 3, 2, 1, 5, (0, 1)),
        (6, 2, 1, 1, 6, (0, 1)),
        (256, 4, 1, 3, 256, (4, 5)),
        (7, 1, 3, 1, 3, (0, 0)),
    ],
)
def test_same_padding_is_tensorflows(size, kernel, stride, dilation, output, pads):
    geometry = Geometry((1, size, size, 1), (kernel, 1), 1, "same", (stride, 1), (dilation, 1))
    assert geometry.output[1] == output
    assert geometry.pads[0] == pads


def test_a_sample_agrees_with_the_whole_and_has_the_border():
    geometry = Geometry((2, 20, 21, 8), (3, 3), 16, "same", dilation=(2, 1))
    x, w = inputs(geometry, 3)
    positions, channels = sample(geometry, most_products=1000, channels=6)
    assert len(positions) < 2 * 20 * 21
    rows = {tuple(position) for position in positions.tolist()}
    assert {(0, 0, 0), (0, 19, 20), (0, 0, 20), (0, 19, 0)} <= rows
    assert {0, 15} <= set(channels.tolist())
    whole, _ = truth(x, w, geometry, *everything(geometry))
    some, magnitude = truth(x, w, geometry, positions, channels)
    # two matrix products of different shapes: a BLAS may sum each in its own order
    terms = geometry.terms * 2.0**-53
    gamma = terms / (1 - terms)
    difference = np.abs(whole.reshape(geometry.output)[tuple(positions.T)][:, channels] - some)
    assert (difference <= 2 * gamma * magnitude).all()


def test_inputs_have_the_same_bits_everywhere():
    """RandomState's streams are frozen; these were computed with NumPy 1.23 on Python 3.8 and 2.4 on 3.11."""
    x, w = inputs(Geometry((1, 2, 2, 1), (1, 1), 2), 7)
    assert x.dtype == w.dtype == np.float32
    assert [value.hex() for value in x.ravel().tolist()] == [
        "-0x1.b1dc3e0000000p-1",
        "0x1.1ea3080000000p-1",
        "-0x1.f88d340000000p-4",
        "0x1.c9a81c0000000p-2",
    ]
    assert [value.hex() for value in w.ravel().tolist()] == ["0x1.e976160000000p-1", "0x1.3b5bb20000000p-4"]


def test_inputs_fill_the_interval_whatever_their_number():
    x, _ = inputs(Geometry((1, 1030, 1030, 1), (1, 1), 1), 0)  # more than one piece
    random = np.random.RandomState(0)
    np.testing.assert_array_equal(x.ravel(), (2 * random.random_sample(x.size) - 1).astype("float32"))


# --- errors separate the ways of being wrong --------------------------------------------------------------------------

WIDE = Geometry((1, 16, 16, 64), (4, 7), 16, "same", dilation=(3, 2))


def rounded(array, bits):
    """float32 with a mantissa of ``bits`` bits, to nearest: 10 are TF32's, 7 bfloat16's."""
    step = np.uint32(1 << (23 - bits))
    return ((array.view("uint32") + step // 2) & ~(step - np.uint32(1))).view("float32")


def float32_convolution(x, w, geometry):
    value, _ = truth(x, w, geometry, *everything(geometry))
    return value.astype("float32")


@pytest.fixture(scope="module")
def wide():
    x, w = inputs(WIDE, 5)
    return x, w, truth(x, w, WIDE, *everything(WIDE))


def test_rounding_once_is_at_most_one_unit(wide):
    _, _, (value, magnitude) = wide
    assert 0 < backward_error(value.astype("float32"), value, magnitude).max() <= 1


def test_lower_precisions_and_a_shifted_pixel_are_orders_apart(wide):
    x, w, (value, magnitude) = wide
    tf32 = backward_error(float32_convolution(rounded(x, 10), rounded(w, 10), WIDE), value, magnitude).max()
    bf16 = backward_error(float32_convolution(rounded(x, 7), rounded(w, 7), WIDE), value, magnitude).max()
    shifted = float32_convolution(np.roll(x, 1, axis=1), w, WIDE)
    pixel = backward_error(shifted, value, magnitude).max()
    assert 100 < tf32 < 2000
    assert 4 < bf16 / tf32 < 16  # three bits fewer
    assert pixel > 100 * bf16


def test_an_output_without_terms_must_be_zero():
    zero = np.zeros((1, 1))
    assert backward_error(zero.astype("float32"), zero, zero) == 0
    assert np.isinf(backward_error(np.ones((1, 1), "float32"), zero, zero))


def test_nan_stays_nan():
    assert np.isnan(backward_error(np.array([np.nan], "float32"), np.ones(1), np.ones(1)))


def test_a_framework_without_a_convolution_says_so():
    class Backend:
        name, keras = "numpy", None

    geometry = Geometry((1, 4, 4, 1), (1, 1), 1)
    with pytest.raises(UnsupportedError, match="numpy has no convolution"):
        convolution.prepare(Backend(), *inputs(geometry, 0), geometry)
