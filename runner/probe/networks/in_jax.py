"""Holds the networks in plain JAX.

They are functions of arrays, with ``jax.jit``, ``jax.value_and_grad`` and Adam by hand.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from . import ADAM, ENCODER_WEIGHTS, NORM_EPSILON, channels_last, laid_out


class Model:
    """The network as ``networks.model`` describes it."""

    def __init__(self, backend, layers, weights, loss, rate, seed):
        self._weights = [jnp.asarray(w) for w in weights]
        first, second = ([jnp.zeros_like(w) for w in self._weights] for _ in range(2))
        self._state = (first, second, jnp.zeros((), "float32"))
        self._key = jax.random.PRNGKey(seed)
        self.parameters = sum(w.size for w in self._weights)

        def value(weights, x, y, key):
            out = forward(layers, iter(weights), x, key)
            return losses(loss, out, y)

        def step(weights, state, key, x, y):
            key, now = jax.random.split(key)
            found, gradients = jax.value_and_grad(value)(weights, x, y, now)
            weights, state = adam(weights, gradients, state, rate)
            return weights, state, key, found

        self._step = jax.jit(step, donate_argnums=(0, 1))
        self._forward = jax.jit(lambda weights, x: forward(layers, iter(weights), x, None))

    def step(self, x, y):
        self._weights, self._state, self._key, loss = self._step(self._weights, self._state, self._key, x, y)
        return loss

    def outputs(self, x):
        return jax.device_get(self._forward(self._weights, x))

    def weights(self):
        """Returns the weights in Keras's layout."""
        return jax.device_get(self._weights)


def adam(weights, gradients, state, rate):
    """Returns the weights and the state after an Adam update.

    Kingma and Ba, arXiv:1412.6980, with epsilon as in ``networks.ADAM``.
    """
    first, second, t = state
    t = t + 1
    left = [-jnp.expm1(t * math.log(ADAM[beta])) for beta in ("beta_1", "beta_2")]  # 1 - beta^t, without cancellation
    scale = rate * jnp.sqrt(left[1]) / left[0]
    first = [m + (g - m) * (1 - ADAM["beta_1"]) for m, g in zip(first, gradients)]
    second = [v + (g * g - v) * (1 - ADAM["beta_2"]) for v, g in zip(second, gradients)]
    moved = [w - m * scale / (jnp.sqrt(v) + ADAM["epsilon"]) for w, m, v in zip(weights, first, second)]
    return moved, (first, second, t)


def losses(name, out, y):
    if name == "mse":
        return jnp.mean((out - y) ** 2)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], -1)
    return -jnp.mean(chosen)


def forward(layers, weights, x, key):
    """Returns the output of the network.

    ``weights`` is an iterator, ``key`` None where nothing is dropped.
    """
    for layer in layers:
        name = layer[0]
        if name == "branches":
            x = jnp.concatenate([forward(branch, weights, part, key) for branch, part in zip(layer[1:], x)], -1)
        elif name == "conv":
            kernel, bias = next(weights), next(weights)
            x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = x + bias
        elif name == "pool":
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif name == "flatten":
            x = x.reshape(x.shape[0], -1)
        elif name == "dense":
            x = x @ next(weights) + next(weights)
        elif name == "dropout" and key is not None:
            x = jnp.where(jax.random.bernoulli(key, 1 - layer[1], x.shape), x / (1 - layer[1]), 0)
        elif name == "embedding":
            x = next(weights)[x]
        elif name in OVER_STEPS:
            x = OVER_STEPS[name](x, weights)
        if layer[-1] == "relu":
            x = jax.nn.relu(x)
    return x


def encoder(x, w):
    """Returns the output of one block; ``w`` as ``networks`` lists them."""
    query, key, value = (jnp.einsum("btd,dhk->bthk", x, w[i]) + w[i + 1] for i in (0, 2, 4))
    scores = jnp.einsum("bqhk,bshk->bhqs", query * query.shape[-1] ** -0.5, key)
    mixed = jnp.einsum("bhqs,bshk->bqhk", jax.nn.softmax(scores), value)
    x = normalized(x + jnp.einsum("bqhk,hkd->bqd", mixed, w[6]) + w[7], w[8], w[9])
    inner = jax.nn.relu(x @ w[10] + w[11]) @ w[12] + w[13]
    return normalized(x + inner, w[14], w[15])


def normalized(x, gain, offset):
    """Normalizes over the last axis (Ba et al., arXiv:1607.06450)."""
    centred = x - jnp.mean(x, -1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, -1, keepdims=True) + NORM_EPSILON) * gain + offset


def lstm(x, kernel, recurrent, bias):
    """Returns the output at the last step; gates in Keras's order i, f, c, o."""
    inputs = jnp.swapaxes(x @ kernel + bias, 0, 1)

    def step(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zeros = jnp.zeros((x.shape[0], recurrent.shape[0]), x.dtype)
    (h, _), _ = jax.lax.scan(step, (zeros, zeros), inputs)
    return h


OVER_STEPS = {
    "lstm": lambda x, weights: lstm(x, next(weights), next(weights), next(weights)),
    "encoder": lambda x, weights: encoder(x, [next(weights) for _ in range(ENCODER_WEIGHTS)]),
    "mean": lambda x, _: jnp.mean(x, 1),
}
"""What takes steps in time, (batch, steps, features)."""


def convolution(backend, x, w, geometry):
    """Returns a convolution, as ``conv2d.convolution.prepare`` describes it."""
    x, w = backend.tensor(laid_out(x, geometry)), backend.tensor(w)
    layout = "NHWC" if geometry.layout == "channels_last" else "NCHW"

    def compute():
        return backend.lib.lax.conv_general_dilated(
            x,
            w,
            window_strides=geometry.strides,
            padding=geometry.padding.upper(),
            rhs_dilation=geometry.dilation,
            dimension_numbers=(layout, "HWIO", layout),
            feature_group_count=geometry.groups,
        )

    return compute, channels_last(backend, layout == "NCHW")
