"""Describes a two-dimensional convolution, and computes its exact value in NumPy.

It also asks each framework for the same convolution.

All arrays here are float32, ``x`` (n, height, width, channels) and ``w`` (kernel height, kernel width,
channels / groups, filters), as Keras keeps them, whatever layout a geometry asks the framework to use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from .. import networks
from ..kit import numerics
from ..networks import channels_last, laid_out

UNIT_ROUNDOFF = numerics.UNIT_ROUNDOFF["float32"]
"""u of float32."""


@dataclass(frozen=True)
class Geometry:
    """The shapes and options of one convolution.

    ``padding`` is ``same`` or ``valid``, as TensorFlow defines them.
    """

    x: Tuple[int, int, int, int]
    kernel: Tuple[int, int]
    filters: int
    padding: str = "valid"
    strides: Tuple[int, int] = (1, 1)
    dilation: Tuple[int, int] = (1, 1)
    groups: int = 1
    layout: str = "channels_last"

    @property
    def w(self):
        """The shape of the weights."""
        return (*self.kernel, self.x[3] // self.groups, self.filters)

    @property
    def terms(self):
        """K, the number of terms of the inner product behind one output."""
        return self.kernel[0] * self.kernel[1] * (self.x[3] // self.groups)

    @property
    def output(self):
        """The shape of the output, channels last."""
        sizes = [self._axis(axis)[0] for axis in (0, 1)]
        return (self.x[0], *sizes, self.filters)

    @property
    def pads(self):
        """Returns the numbers of padding zeros, ((above, below), (left, right)).

        The odd one of ``same`` goes below and to the right.
        """
        return tuple(self._axis(axis)[1] for axis in (0, 1))

    def _axis(self, axis):
        size, stride = self.x[1 + axis], self.strides[axis]
        reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
        if self.padding == "valid":
            return (size - reach) // stride + 1, (0, 0)
        output = -(-size // stride)
        total = max((output - 1) * stride + reach - size, 0)
        return output, (total // 2, total - total // 2)


def inputs(geometry, seed):
    """Returns the inputs ``(x, w)``, uniform on [-1, 1).

    They have the same bits on every machine and NumPy (see ``mnist.initial_weights``).
    """
    random = np.random.RandomState(seed)
    return _uniform(random, geometry.x), _uniform(random, geometry.w)


def _uniform(random, shape):
    flat = np.empty(int(np.prod(shape)), "float32")
    step = 1 << 20  # float64 only piecewise: the full case has 67 million inputs
    for start in range(0, len(flat), step):
        part = flat[start : start + step]
        part[:] = 2 * random.random_sample(len(part)) - 1
    return flat.reshape(shape)


def sample(geometry, most_products=1 << 28, positions=96, channels=64):
    """Chooses the outputs to check: ``(positions (p, 3), channels (c,))``.

    Every position is checked with every channel. All outputs are checked where that takes at most ``most_products``
    multiplications; else corners, the middles of the edges and random ones, since padding goes wrong at the border and
    accumulation anywhere.
    """
    n, height, width, filters = geometry.output
    if n * height * width * filters * geometry.terms <= most_products:
        grid = np.stack(np.meshgrid(np.arange(n), np.arange(height), np.arange(width), indexing="ij"), -1)
        return grid.reshape(-1, 3), np.arange(filters)
    random = np.random.RandomState(0)
    rows, columns = (sorted({0, 1, size // 2, size - 2, size - 1}) for size in (height, width))
    border = [(0, row, column) for row in rows for column in columns]
    inner = [(random.randint(n), random.randint(height), random.randint(width)) for _ in range(positions)]
    chosen = np.unique(np.array((border + inner)[:positions]), axis=0)
    return chosen, np.unique(np.concatenate([[0, filters - 1], random.randint(0, filters, channels - 2)]))


def truth(x, w, geometry, positions, channels):
    """Returns the outputs and their magnitudes, ``(value, magnitude)``.

    Both are float64 (p, c). The magnitude of an output is the sum of |x_k w_k| over its terms.

    Plain inner products of the float32 inputs in float64. With K terms the error of an output is at most
    gamma_K * magnitude, in any order of summation: gamma_K = K v / (1 - K v), v = 2**-53 (Higham, Accuracy and
    Stability of Numerical Algorithms, 3.1). In the units of ``backward_error`` that is about K * 2**-29, 5e-5 for the
    largest K here, 28672. Bits are not promised: they depend on the processor, the BLAS and the number of positions.
    """
    (above, _), (left, _) = geometry.pads
    (kh, kw), (_, height, width, depth) = geometry.kernel, geometry.x
    rows = np.arange(kh) * geometry.dilation[0] - above
    columns = np.arange(kw) * geometry.dilation[1] - left
    patches = np.zeros((len(positions), kh, kw, depth))
    for patch, (n, i, j) in zip(patches, positions):
        r, c = rows + i * geometry.strides[0], columns + j * geometry.strides[1]
        a, b = np.flatnonzero((r >= 0) & (r < height)), np.flatnonzero((c >= 0) & (c < width))
        patch[np.ix_(a, b)] = x[n][np.ix_(r[a], c[b])]
    value, magnitude = np.empty((2, len(positions), len(channels)))
    share, filters = depth // geometry.groups, geometry.filters // geometry.groups
    for group in range(geometry.groups):
        chosen = np.flatnonzero(channels // filters == group)
        left_side = patches[..., group * share : (group + 1) * share].reshape(len(positions), -1)
        right_side = w[..., channels[chosen]].reshape(-1, len(chosen)).astype("float64")
        value[:, chosen] = left_side @ right_side
        magnitude[:, chosen] = np.abs(left_side) @ np.abs(right_side)
    return value, magnitude


def backward_error(found, value, magnitude):
    """Returns |found - value| in units of u * sum|x_k w_k|.

    The result is float64, of the same shape, and infinite where the sum is 0.
    """
    difference = np.abs(found.astype("float64") - value)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / (UNIT_ROUNDOFF * magnitude))


# --- the frameworks ---------------------------------------------------------------------------------------------------


def prepare(backend, x, w, geometry):
    """Returns ``(compute, finish)`` for one convolution on the backend.

    ``compute()`` is one convolution, to be timed; ``finish`` turns its value into NumPy's, channels last. The inputs
    are laid out and moved to the device here, which is not timed.

    Raises UnsupportedError for a framework that does not have a convolution, and what the framework raises.
    """
    if backend.keras is not None:
        return _keras(backend, x, w, geometry)
    return networks.of(backend.name).convolution(backend, x, w, geometry)


def _keras(backend, x, w, geometry):
    convert, conv = backend.keras.ops.convert_to_tensor, backend.keras.ops.conv
    x, w = convert(laid_out(x, geometry)), convert(w)

    def compute():
        return conv(
            x,
            w,
            strides=geometry.strides,
            padding=geometry.padding,
            data_format=geometry.layout,
            dilation_rate=geometry.dilation,
        )

    return compute, channels_last(backend, geometry.layout == "channels_first")
