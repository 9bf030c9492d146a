"""Computes activations, normalizations, losses and attention, in float64.

They follow their published definitions.
"""

from __future__ import annotations

import math

import numpy as np

_erf = np.vectorize(math.erf, otypes=["float64"])
EPSILON = 1e-7
"""Keras's fuzz factor."""


def erf(x):
    """Gauss's error function."""
    return _erf(x)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """As ``keras.activations.relu``."""
    y = np.where((x >= threshold) | np.isnan(x), x, negative_slope * (x - threshold) if negative_slope else 0.0)
    return y if max_value is None else np.minimum(y, max_value)


def relu6(x):
    """Returns min(max(x, 0), 6)."""
    return np.clip(x, 0, 6)


def leaky_relu(x, negative_slope=0.2):
    """Returns x or its multiple."""
    return np.where(x >= 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    """Returns the exponential linear unit."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x):
    """Returns the scaled ELU, constants of Klambauer et al. 2017."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def celu(x, alpha=1.0):
    """Returns the continuously differentiable ELU."""
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


def gelu(x, approximate=True):
    """Returns the Gaussian error linear unit."""
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def glu(x, axis=-1):
    """Returns the first half times the sigmoid of the second."""
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)


def sigmoid(x):
    """Returns 1 / (1 + exp(-x))."""
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def log_sigmoid(x):
    """Returns log sigmoid."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def softplus(x):
    """Returns log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softsign(x):
    """Returns x / (1 + |x|)."""
    return x / (1 + np.abs(x))


def silu(x):
    """Returns x sigmoid(x)."""
    return x * sigmoid(x)


def mish(x):
    """Returns x tanh(softplus(x))."""
    return x * np.tanh(softplus(x))


def hard_sigmoid(x):
    """Returns relu6(x + 3) / 6."""
    return relu6(x + 3) / 6


def hard_silu(x):
    """Returns x hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


def hard_tanh(x):
    """Returns x clipped to [-1, 1]."""
    return np.clip(x, -1, 1)


def hard_shrink(x, threshold=0.5):
    """Returns x outside of [-threshold, threshold], else 0."""
    return np.where(np.abs(x) > threshold, x, 0.0)


def soft_shrink(x, threshold=0.5):
    """Returns x moved towards 0 by threshold."""
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def tanh_shrink(x):
    """Returns x - tanh(x)."""
    return x - np.tanh(x)


def squareplus(x, b=4):
    """Returns (x + sqrt(x^2 + b)) / 2."""
    return (x + np.sqrt(x * x + b)) / 2


def sparse_plus(x):
    """Returns 0 to -1, (x + 1)^2 / 4 to 1, then x."""
    return np.where(x <= -1, 0.0, np.where(x < 1, 0.25 * (x + 1) ** 2, x))


def sparse_sigmoid(x):
    """Returns (x + 1) / 2 clipped to [0, 1]."""
    return np.clip(0.5 * (x + 1), 0, 1)


def threshold(x, threshold, default_value):
    """Returns x above the threshold, else the default."""
    return np.where(x > threshold, x, default_value)


def exponential(x):
    """Returns exp."""
    return np.exp(x)


def linear(x):
    """Returns x."""
    return x


def log_softmax(x, axis=-1):
    """Returns x - logsumexp(x)."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def softmax(x, axis=-1):
    """Returns exp(log_softmax(x))."""
    return np.exp(log_softmax(x, axis))


def logsumexp(x, axis=None, keepdims=False):
    """Returns the log of the sum of exp, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else (np.squeeze(y, axis=axis) if axis is not None else y.reshape(()))


def sparsemax(x, axis=-1):
    """Martins and Astudillo 2016: projection on the simplex."""
    x = np.moveaxis(x, axis, -1)
    z = -np.sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1)
    total = np.cumsum(z, axis=-1)
    support = (1 + k * z > total).sum(-1, keepdims=True)
    tau = (np.take_along_axis(total, support - 1, axis=-1) - 1) / support
    return np.moveaxis(np.maximum(x - tau, 0), -1, axis)


def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Returns one-hot vectors; a class outside of the range has zeros only."""
    y = (x[..., None] == np.arange(num_classes)).astype("float64")
    return np.moveaxis(y, -1, axis if axis >= 0 else y.ndim + axis)


def multi_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Ones at the classes in the last axis."""
    return np.max(one_hot(x, num_classes), axis=-2)


def moments(x, axes, keepdims=False, synchronized=False):
    """Returns mean and biased variance."""
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


def normalize(x, axis=-1, order=2, epsilon=None):
    """Returns x over its norm, which is at least epsilon."""
    epsilon = EPSILON if epsilon is None else epsilon
    norm = np.sum(np.abs(x) ** order, axis=axis, keepdims=True) ** (1 / order)
    return x / np.maximum(norm, epsilon)


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """Returns (x - mean) / sqrt(variance + epsilon) * scale + offset."""
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + epsilon)
    y = y if scale is None else y * scale.reshape(shape)
    return y if offset is None else y + offset.reshape(shape)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-3, rms_scaling=False):
    """Returns (x - mean) / sqrt(variance + epsilon) over ``axis``.

    gamma and beta have the shape of these axes.
    """
    axes = tuple(a % x.ndim for a in (axis if isinstance(axis, (list, tuple)) else (axis,)))
    shape = [x.shape[a] if a in axes else 1 for a in range(x.ndim)]
    mean, variance = np.mean(x, axes, keepdims=True), np.var(x, axes, keepdims=True)
    y = (x / np.sqrt(variance + epsilon)) if rms_scaling else (x - mean) / np.sqrt(variance + epsilon)
    y = y if gamma is None else y * gamma.reshape(shape)
    return y if beta is None else y + beta.reshape(shape)


def rms_normalization(x, scale=1.0, axis=-1, epsilon=None):
    """Returns x / sqrt(mean(x^2) + epsilon) * scale."""
    epsilon = EPSILON if epsilon is None else epsilon
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + epsilon) * scale


def group_normalization(x, gamma, beta, groups, axis=-1, epsilon=1e-3):
    """Normalizes groups of channels (Wu and He 2018)."""
    x = np.moveaxis(x, axis, -1)
    y = x.reshape((x.shape[0], -1, groups, x.shape[-1] // groups))
    y = (y - y.mean((1, 3), keepdims=True)) / np.sqrt(y.var((1, 3), keepdims=True) + epsilon)
    return np.moveaxis(y.reshape(x.shape) * gamma + beta, -1, axis)


def dot_product_attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False):
    """Returns dot-product attention; heads of the query can share a key.

    (batch, time, heads, dim) each; grouped queries where key has fewer heads.
    """
    repeat = query.shape[2] // key.shape[2]
    key, value = np.repeat(key, repeat, axis=2), np.repeat(value, repeat, axis=2)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    logits = np.einsum("btnh,bsnh->bnts", query, key) * scale
    logits = logits if bias is None else logits + bias
    keep = np.ones(logits.shape, bool) if mask is None else np.broadcast_to(mask, logits.shape)
    if is_causal:
        keep = keep & np.tril(np.ones(logits.shape[-2:], bool))
    weights = softmax(np.where(keep, logits, -1e300), -1)
    return np.einsum("bnts,bsnh->btnh", weights, value)


def binary_crossentropy(target, output, from_logits=False):
    """Returns the elementwise binary cross-entropy.

    Log probabilities are clipped at EPSILON.
    """
    if from_logits:
        return softplus(output) - target * output
    output = np.clip(output, EPSILON, 1 - EPSILON)
    return -(target * np.log(output) + (1 - target) * np.log1p(-output))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Probabilities are divided by their sum first, as Keras documents."""
    if from_logits:
        return -np.sum(target * log_softmax(output, axis), axis=axis)
    output = output / np.sum(output, axis=axis, keepdims=True)
    return -np.sum(target * np.log(np.clip(output, EPSILON, 1 - EPSILON)), axis=axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Returns ``categorical_crossentropy`` with the classes' numbers."""
    target = np.moveaxis((target[..., None] == np.arange(output.shape[axis])).astype("float64"), -1, axis)
    if not from_logits:
        output = np.clip(output, EPSILON, 1 - EPSILON)
        return -np.sum(target * np.log(output), axis=axis)
    return categorical_crossentropy(target, output, from_logits, axis)


def psnr(x1, x2, max_val):
    """Returns the peak signal to noise ratio, decibel."""
    return 20 * np.log10(max_val) - 10 * np.log10(np.mean((x1 - x2) ** 2))


def polar(abs_, angle):
    """Returns abs (cos angle + i sin angle)."""
    return abs_ * np.exp(1j * angle)
