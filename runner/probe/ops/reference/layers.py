"""Computes layers in float64, from their published definitions."""

from __future__ import annotations

import itertools

import numpy as np

from . import convolution as _convolution
from .nn import sigmoid as _sigmoid
from .nn import softmax as _softmax


def dense(x, w, b):
    """Returns x w + b."""
    return x @ w + b


def batch_norm(x, gamma, beta, mean, variance, axis=-1, epsilon=1e-3, training=False, mask=None):
    """Normalizes over the batch (Ioffe and Szegedy 2015).

    Masked steps do not count.
    """
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    shape = [1] * x.ndim
    shape[axis] = -1
    if training:
        keep = np.ones(x.shape) if mask is None else np.broadcast_to(mask[..., None], x.shape).astype("float64")
        mean = np.sum(x * keep, axes) / np.sum(keep, axes)
        variance = np.sum((x - mean.reshape(shape)) ** 2 * keep, axes) / np.sum(keep, axes)
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    return y * gamma.reshape(shape) + beta.reshape(shape)


def batch_norm_moving(x, mean, variance, axis=-1, momentum=0.99):
    """Returns moving mean and (biased) variance after one training step."""
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    return [mean * momentum + x.mean(axes) * (1 - momentum), variance * momentum + x.var(axes) * (1 - momentum)]


def _unroll(x, step, states, mask, zero):
    """Runs steps by Keras's rule for masked steps.

    States stay, the output repeats the last one (or is 0).
    """
    outputs, last = [], 0.0
    for t in range(x.shape[1]):
        out, new = step(x[:, t], states)
        if mask is not None:
            keep = mask[:, t][:, None]
            out = np.where(keep, out, 0.0 if zero else last)
            new = [np.where(keep, n, s) for n, s in zip(new, states)]
        states, last = new, out
        outputs.append(out)
    return outputs, states


def _run(x, step, sizes, mask, sequences, state, backwards, initial, zero):
    if backwards:
        x, mask = x[:, ::-1], None if mask is None else mask[:, ::-1]
    states = initial or [np.zeros((x.shape[0], u)) for u in sizes]
    outputs, states = _unroll(x, step, states, mask, zero)
    out = np.stack(outputs, 1) if sequences else outputs[-1]
    return [out, *states] if state else out


def simple_rnn(x, w, r, b, mask=None, sequences=False, state=False, backwards=False, initial=None, zero=False):
    """Elman's network, tanh."""

    def step(v, s):
        h = np.tanh(v @ w + s[0] @ r + b)
        return h, [h]

    return _run(x, step, [r.shape[0]], mask, sequences, state, backwards, initial, zero)


def lstm(
    x,
    w,
    r,
    b,
    mask=None,
    sequences=False,
    state=False,
    backwards=False,
    initial=None,
    zero=False,
    act=np.tanh,
    gate=_sigmoid,
):
    """Computes an LSTM with a forget gate.

    Hochreiter and Schmidhuber 1997; gates in the order i, f, c, o.
    """

    def step(v, s):
        i, f, c, o = np.split(v @ w + s[0] @ r + b, 4, axis=-1)
        cell = gate(f) * s[1] + gate(i) * act(c)
        h = gate(o) * act(cell)
        return h, [h, cell]

    return _run(x, step, [r.shape[0]] * 2, mask, sequences, state, backwards, initial, zero)


def gru(
    x, w, r, b, mask=None, sequences=False, state=False, backwards=False, initial=None, zero=False, reset_after=True,
    act=np.tanh, gate=_sigmoid,
):  # fmt: skip
    """Computes a GRU.

    Cho et al. 2014; gates in the order z, r, h; ``b`` is (2, 3 units) with ``reset_after``.
    """
    bx, bh = (b[0], b[1]) if reset_after else (b, np.zeros_like(b))
    u = r.shape[0]

    def step(v, s):
        xz, xr, xh = np.split(v @ w + bx, 3, axis=-1)
        hz, hr = np.split(s[0] @ r[:, : 2 * u] + bh[: 2 * u], 2, axis=-1)
        z, forget = gate(xz + hz), gate(xr + hr)
        if reset_after:
            hh = act(xh + forget * (s[0] @ r[:, 2 * u :] + bh[2 * u :]))
        else:
            hh = act(xh + (forget * s[0]) @ r[:, 2 * u :])
        h = z * s[0] + (1 - z) * hh
        return h, [h]

    return _run(x, step, [u], mask, sequences, state, backwards, initial, zero)


def bidirectional(cell, x, forward, backward, merge="concat", mask=None, sequences=False):
    """Computes two passes and merges them.

    With sequences, the second is put back in the order of time and masked steps give 0.
    """
    a = cell(x, *forward, mask=mask, sequences=sequences, zero=sequences)
    b = cell(x, *backward, mask=mask, sequences=sequences, backwards=True, zero=sequences)
    b = b[:, ::-1] if sequences else b
    return {
        "concat": lambda: np.concatenate([a, b], -1),
        "sum": lambda: a + b,
        "mul": lambda: a * b,
        "ave": lambda: (a + b) / 2,
        "none": lambda: [a, b],
    }[merge]()


def attention(
    query, value, key=None, scale=1.0, score="dot", causal=False, value_mask=None, query_mask=None, scores=False
):
    """Luong's dot-product attention; a masked query gives zeros."""
    key = value if key is None else key
    if score == "dot":
        logits = query @ np.swapaxes(key, -1, -2) * scale
    else:
        logits = np.sum(np.tanh(scale * (query[:, :, None] + key[:, None])), -1)
    keep = np.ones(logits.shape, bool)
    if value_mask is not None:
        keep &= value_mask[:, None, :]
    if causal:
        keep &= np.tril(np.ones(logits.shape[-2:], bool))
    weights = _softmax(np.where(keep, logits, -1e300), -1)
    out = weights @ value
    out = out if query_mask is None else out * query_mask[..., None]
    return [out, weights] if scores else out


def multi_head_attention(query, value, weights, key=None, mask=None, causal=False, scores=False):
    """Computes multi-head attention.

    Vaswani et al. 2017; weights: query, key, value and output kernels and biases, Keras's shapes.
    """
    key = value if key is None else key
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    q = np.einsum("btd,dnh->btnh", query, wq) + bq
    k = np.einsum("btd,dnh->btnh", key, wk) + bk
    v = np.einsum("btd,dnh->btnh", value, wv) + bv
    logits = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(wq.shape[-1])
    keep = np.ones(logits.shape, bool) if mask is None else np.broadcast_to(mask[:, None], logits.shape).copy()
    if causal:
        keep &= np.tril(np.ones(logits.shape[-2:], bool))
    p = _softmax(np.where(keep, logits, -1e300), -1)
    out = np.einsum("btnh,nho->bto", np.einsum("bnts,bsnh->btnh", p, v), wo) + bo
    return [out, p] if scores else out


def upsampling(x, size, data_format="channels_last"):
    """Returns x with each element repeated."""
    axes = range(1, x.ndim - 1) if data_format == "channels_last" else range(2, x.ndim)
    sizes = (size,) * len(axes) if isinstance(size, int) else size
    for axis, n in zip(axes, sizes):
        x = np.repeat(x, n, axis=axis)
    return x


def resize_bilinear(x, height, width):
    """Resizes with half-pixel centres.

    No antialiasing, channels last.
    """
    return _lines(_lines(x, height, -3), width, -2)


def _lines(x, size, axis):
    n = x.shape[axis]
    at = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    shape = [1] * x.ndim
    shape[axis] = size
    part = (at - low).reshape(shape)
    return np.take(x, low, axis=axis) * (1 - part) + np.take(x, high, axis=axis) * part


def resize_nearest(x, height, width):
    """Resizes to the nearest element with half-pixel centres, channels last."""
    for size, axis in ((height, -3), (width, -2)):
        n = x.shape[axis]
        index = np.minimum(np.floor((np.arange(size) + 0.5) * n / size).astype(int), n - 1)
        x = np.take(x, index, axis=axis)
    return x


_OUTSIDE = {
    "nearest": lambda i, n: np.clip(i, 0, n - 1),
    "wrap": lambda i, n: i % n,
    "mirror": lambda i, n: np.minimum(i % (2 * n - 2), -i % (2 * n - 2)),
    "reflect": lambda i, n: np.minimum(i % (2 * n), (-i - 1) % (2 * n)),
}
"""Fill mode -> the element that stands for index i of an axis of n, as Keras documents the extended input."""


def map_coordinates(x, coordinates, fill_mode, fill_value=0.0):
    """Interpolates linearly between the elements around each coordinate.

    ``coordinates`` (axes of x, ...) -> (...), after x is extended by ``fill_mode``. The modes are those of
    ``scipy.ndimage.map_coordinates(order=1)``, where "constant" and "wrap" are called "grid-constant" and "grid-wrap".
    """
    total = 0.0
    for corner in itertools.product((0, 1), repeat=x.ndim):
        index = [np.floor(c).astype(int) + step for c, step in zip(coordinates, corner)]
        weight = 1.0
        for c, i in zip(coordinates, index):
            weight = weight * (1.0 - np.abs(c - i))
        inside = np.all([(i >= 0) & (i < n) for i, n in zip(index, x.shape)], axis=0)
        within = _OUTSIDE.get(fill_mode, _OUTSIDE["nearest"])
        found = x[tuple(within(i, n) for i, n in zip(index, x.shape))]
        total = total + weight * (np.where(inside, found, fill_value) if fill_mode == "constant" else found)
    return total


def patches(x, size, strides, padding="valid", dilation=1):
    """Returns patches (batch, rows, columns, height * width * channels)."""
    size = (size, size) if isinstance(size, int) else size
    strides = size if strides is None else ((strides, strides) if isinstance(strides, int) else strides)
    seen = [s for _, s in _convolution._taps(x, size, strides, (dilation, dilation), padding, 0.0)]  # noqa: SLF001
    return np.concatenate(seen, axis=-1)


def unit_norm(x, axis=-1):
    """Returns x over its Euclidean norm."""
    return x / np.maximum(np.linalg.norm(x, axis=axis, keepdims=True), 1e-12)
