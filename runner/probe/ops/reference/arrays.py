"""Defines array functions of ``keras.ops`` that NumPy lacks, or names otherwise."""

from __future__ import annotations

import math

import numpy as np


def convert_to_tensor(x, dtype=None):
    """Returns the array itself."""
    return np.asarray(x) if dtype is None else np.asarray(x).astype(dtype)


def rsqrt(x):
    """Returns 1 / sqrt(x)."""
    return 1 / np.sqrt(x)


def logaddexp(a, b):
    """Returns log(exp(a) + exp(b))."""
    return np.logaddexp(a, b)


def divide_no_nan(a, b):
    """Returns a / b, and 0 where b is 0."""
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b))


def erfinv(x):
    """Inverts erf by Newton's method from Winitzki's start."""
    log = np.log1p(-x * x)
    first = 2 / (math.pi * 0.147) + log / 2
    y = np.sign(x) * np.sqrt(np.sqrt(first**2 - log / 0.147) - first)
    for _ in range(4):
        y = y - (np.vectorize(math.erf, otypes=["float64"])(y) - x) / (2 / math.sqrt(math.pi) * np.exp(-y * y))
    return y


def segment_sum(data, segment_ids, num_segments=None, sorted=False):  # noqa: A002 - Keras's own name
    """Returns sums per segment; ids outside of the range are dropped."""
    n = int(segment_ids.max()) + 1 if num_segments is None else num_segments
    return np.stack([data[segment_ids == i].sum(axis=0) for i in range(n)])


def segment_max(data, segment_ids, num_segments=None, sorted=False):  # noqa: A002
    """Returns maxima per segment, none of which is empty."""
    n = int(segment_ids.max()) + 1 if num_segments is None else num_segments
    return np.stack([data[segment_ids == i].max(axis=0) for i in range(n)])


def top_k(x, k, sorted=True):  # noqa: A002
    """Returns values and indices of the largest k in the last axis.

    Of equals, the first is taken.
    """
    index = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, index, axis=-1), index


def in_top_k(targets, predictions, k):
    """Returns whether fewer than k predictions exceed the target's."""
    chosen = np.take_along_axis(predictions, targets[:, None], axis=1)
    return (predictions > chosen).sum(axis=1) < k


def scatter(indices, values, shape):
    """Returns sums of values at indices."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(np.moveaxis(indices, -1, 0)), values)
    return out


def scatter_update(inputs, indices, updates):
    """Returns inputs with updates at indices."""
    out = np.array(inputs)
    out[tuple(np.moveaxis(indices, -1, 0))] = updates
    return out


def slice(inputs, start_indices, shape):  # noqa: A001
    """Returns a block."""
    import builtins

    return inputs[tuple(builtins.slice(int(s), int(s) + n) for s, n in zip(start_indices, shape))]


def slice_update(inputs, start_indices, updates):
    """Returns inputs with a block replaced."""
    import builtins

    out = np.array(inputs)
    out[tuple(builtins.slice(int(s), int(s) + n) for s, n in zip(start_indices, updates.shape))] = updates
    return out


def unstack(x, num=None, axis=0):
    """Returns the slices along an axis."""
    return [np.take(x, i, axis=axis) for i in range(x.shape[axis])]


def cast(x, dtype):
    """Returns x with another type."""
    return x.astype(dtype)


def extract_sequences(x, sequence_length, sequence_stride):
    """Returns overlapping windows of the last axis."""
    n = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    return np.stack([x[..., i * sequence_stride : i * sequence_stride + sequence_length] for i in range(n)], axis=-2)


def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002
    """Returns NumPy's norm."""
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


def cholesky(x, upper=False):
    """Returns the lower (or upper) factor."""
    y = np.linalg.cholesky(x)
    return np.swapaxes(y, -1, -2) if upper else y


def cholesky_inverse(x, upper=False):
    """Returns the inverse of the matrix whose factor is x."""
    return np.linalg.inv(np.swapaxes(x, -1, -2) @ x if upper else x @ np.swapaxes(x, -1, -2))


def det(x):
    """Returns the determinant."""
    return np.linalg.det(x)


def inv(x):
    """Returns the inverse."""
    return np.linalg.inv(x)


def solve(a, b):
    """Solves as NumPy does; b is a vector or matrix per matrix."""
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


def solve_triangular(a, b, lower=False):
    """Solves with only one triangle of a."""
    return solve(np.tril(a) if lower else np.triu(a), b)


def lstsq(a, b, rcond=None):
    """Solves least squares."""
    return np.linalg.lstsq(a, b, rcond=None)[0]


def diff(a, n=1, axis=-1):
    """Returns NumPy's differences."""
    return np.diff(a, n=n, axis=axis)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """Replaces NaN and infinities, by float32's limits where none are given."""
    big = float(np.finfo("float32").max)
    return np.nan_to_num(
        x, nan=nan, posinf=big if posinf is None else posinf, neginf=-big if neginf is None else neginf
    )


def max(x, axis=None, keepdims=False, initial=None):  # noqa: A001
    """Returns NumPy's maximum."""
    return np.max(x, axis=axis, keepdims=keepdims, **({} if initial is None else {"initial": initial}))


def min(x, axis=None, keepdims=False, initial=None):  # noqa: A001
    """Returns NumPy's minimum."""
    return np.min(x, axis=axis, keepdims=keepdims, **({} if initial is None else {"initial": initial}))


def concatenate(xs, axis=0):
    """Concatenates as NumPy does."""
    return np.concatenate(xs, axis=axis)


def bitwise_left_shift(x, y):
    """Returns x << y."""
    return np.left_shift(x, y)


def bitwise_right_shift(x, y):
    """Returns x >> y."""
    return np.right_shift(x, y)


def bitwise_invert(x):
    """Returns ~x."""
    return np.invert(x)


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integrates by the trapezoidal rule."""
    y = np.moveaxis(y, axis, -1)
    step = dx if x is None else np.diff(x)
    return np.sum((y[..., 1:] + y[..., :-1]) / 2 * step, axis=-1)


def fft(x):
    """Transforms (real, imaginary) along the last axis."""
    return _parts(np.fft.fft(x[0] + 1j * x[1]))


def ifft2(x):
    """Transforms (real, imaginary) back along the last two axes."""
    return _parts(np.fft.ifft2(x[0] + 1j * x[1]))


def fft2(x):
    """Transforms (real, imaginary) along the last two axes."""
    return _parts(np.fft.fft2(x[0] + 1j * x[1]))


def rfft(x, fft_length=None):
    """Transforms reals along the last axis."""
    return _parts(np.fft.rfft(x, n=fft_length))


def irfft(x, fft_length=None):
    """Transforms back to reals along the last axis."""
    return np.fft.irfft(x[0] + 1j * x[1], n=fft_length)


def _parts(y):
    return (y.real, y.imag)
