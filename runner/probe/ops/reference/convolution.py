"""Computes convolution and pooling as sums over windows, in float64.

``same`` is as TensorFlow defines it, which Keras documents.
"""

from __future__ import annotations

import itertools

import numpy as np


def _tuple(value, n):
    return (int(value),) * n if isinstance(value, int) else tuple(value)


def _pads(sizes, reach, strides, padding):
    """Returns (before, after) per spatial axis.

    For effective kernel sizes ``reach``.
    """
    pads = []
    for size, k, s in zip(sizes, reach, strides):
        total = max((-(-size // s) - 1) * s + k - size, 0) if padding == "same" else 0
        pads.append((k - 1, 0) if padding == "causal" else (total // 2, total - total // 2))
    return pads


def _taps(x, kernel, strides, dilation, padding, fill):
    """Yields every position in the kernel and its slice of the padded input.

    The position is its index.
    """
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    pads = _pads(x.shape[1:-1], reach, strides, padding)
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    out = [max((size - k) // s + 1, 0) for size, k, s in zip(x.shape[1:-1], reach, strides)]
    for index in itertools.product(*map(range, kernel)):
        cut = tuple(
            slice(i * d, i * d + (o - 1) * s + 1 if o else i * d, s)
            for i, d, o, s in zip(index, dilation, out, strides)
        )
        yield index, x[(slice(None), *cut, slice(None))]


def _last(x, data_format):
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def _back(x, data_format):
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def conv(x, w, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolves ``x`` with ``w``.

    ``x``: (batch, *spatial, in), ``w``: (*kernel, in / groups, out).
    """
    x = _last(x, data_format)
    n = x.ndim - 2
    groups = x.shape[-1] // w.shape[-2]
    each = w.shape[-1] // groups
    total = 0.0
    for index, seen in _taps(x, w.shape[:n], _tuple(strides, n), _tuple(dilation_rate, n), padding, 0.0):
        parts = [
            seen[..., g * w.shape[-2] : (g + 1) * w.shape[-2]] @ w[index][:, g * each : (g + 1) * each]
            for g in range(groups)
        ]
        total = total + np.concatenate(parts, axis=-1)
    return _back(total, data_format)


def depthwise_conv(x, w, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolves each channel on its own.

    ``w``: (*kernel, in, multiplier); the output channel is c * multiplier + m.
    """
    x = _last(x, data_format)
    n = x.ndim - 2
    total = 0.0
    for index, seen in _taps(x, w.shape[:n], _tuple(strides, n), _tuple(dilation_rate, n), padding, 0.0):
        product = seen[..., :, None] * w[index]
        total = total + product.reshape((*product.shape[:-2], -1))
    return _back(total, data_format)


def separable_conv(x, w, p, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Computes ``depthwise_conv`` with ``w``, then ``conv`` with ``p``.

    ``p``: (1, ..., 1, in * multiplier, out).
    """
    return conv(depthwise_conv(x, w, strides, padding, data_format, dilation_rate), p, data_format=data_format)


def conv_transpose(x, w, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """Returns the gradient of ``conv`` with respect to its input.

    ``w``: (*kernel, out, in).

    Output length as keras documents: n s (``same``), n s + max(k - s, 0) (``valid``).
    """
    x = _last(x, data_format)
    n = x.ndim - 2
    strides, dilation, kernel = _tuple(strides, n), _tuple(dilation_rate, n), w.shape[:n]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    sizes = x.shape[1:-1]
    extra = (None,) * n if output_padding is None else _tuple(output_padding, n)
    full = np.zeros((x.shape[0], *[(i - 1) * s + max(k, s) for i, s, k in zip(sizes, strides, reach)], w.shape[-2]))
    for index in itertools.product(*map(range, kernel)):
        cut = tuple(slice(i * d, i * d + (z - 1) * s + 1, s) for i, d, z, s in zip(index, dilation, sizes, strides))
        full[(slice(None), *cut, slice(None))] += x @ w[index].T
    for axis, (size, k, s, e) in enumerate(zip(sizes, reach, strides, extra)):
        full = _cut(full, 1 + axis, size, k, s, e, padding)
    return _back(full, data_format)


def _cut(full, axis, size, k, s, extra, padding):
    if padding == "same":
        out = size * s if extra is None else (size - 1) * s + k - 2 * (k // 2) + extra
        before = max((size - 1) * s + k - out, 0) // 2
    else:
        out = size * s + max(k - s, 0) if extra is None else (size - 1) * s + k + extra
        before = 0
    pads = [(0, 0)] * full.ndim
    pads[axis] = (0, max(before + out - full.shape[axis], 0))
    return np.take(np.pad(full, pads), range(before, before + out), axis=axis)


def max_pool(x, pool_size, strides=None, padding="valid", data_format=None):
    """Returns the largest element under the window; padding never wins."""
    x = _last(x, data_format)
    n = x.ndim - 2
    pool = _tuple(pool_size, n)
    strides = pool if strides is None else _tuple(strides, n)
    seen = [s for _, s in _taps(x, pool, strides, (1,) * n, padding, -np.inf)]
    return _back(np.max(seen, axis=0), data_format)


def average_pool(x, pool_size, strides=None, padding="valid", data_format=None):
    """Returns the mean of elements under the window; padding does not count."""
    x = _last(x, data_format)
    n = x.ndim - 2
    pool = _tuple(pool_size, n)
    strides = pool if strides is None else _tuple(strides, n)
    total = sum(s for _, s in _taps(x, pool, strides, (1,) * n, padding, 0.0))
    count = sum(s for _, s in _taps(np.ones_like(x, dtype="float64"), pool, strides, (1,) * n, padding, 0.0))
    return _back(total / count, data_format)


def _adaptive(x, output_size, data_format, reduce):
    x = _last(x, data_format)
    for axis, out in enumerate(_tuple(output_size, x.ndim - 2)):
        size = x.shape[1 + axis]
        pieces = [
            reduce(np.take(x, range(i * size // out, -(-(i + 1) * size // out)), axis=1 + axis), 1 + axis)
            for i in range(out)
        ]
        x = np.stack(pieces, axis=1 + axis)
    return _back(x, data_format)


def adaptive_average_pool(x, output_size, data_format=None):
    """Returns the means over windows that together cover the input.

    Window i of n to m elements: floor(i n / m) to ceil((i + 1) n / m).
    """
    return _adaptive(x, output_size, data_format, lambda v, a: np.mean(v, axis=a))


def adaptive_max_pool(x, output_size, data_format=None):
    """Returns the largest elements of the windows of ``adaptive_average_pool``."""
    return _adaptive(x, output_size, data_format, lambda v, a: np.max(v, axis=a))


def gaussian_blur(x, size, sigma):
    """Blurs images by a normalized Gaussian.

    Images: (batch, height, width, channels). ``size`` and ``sigma``: height, width. Zeros are taken beyond the border,
    as Keras does.
    """
    rows, columns = (
        np.exp(-0.5 * np.square((np.arange(n) - (n - 1) / 2) / deviation)) for n, deviation in zip(size, sigma)
    )
    kernel = np.outer(rows / rows.sum(), columns / columns.sum())
    return depthwise_conv(x, np.repeat(kernel[:, :, None, None], x.shape[-1], 2), 1, "same")
