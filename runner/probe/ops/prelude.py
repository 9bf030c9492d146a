"""What the cases' expressions are written with: inputs from fixed seeds, and layers with given weights.

The source of these functions is put in front of a defect's script, so each stands alone: NumPy and Keras only.
``RandomState`` gives the same numbers in every NumPy.
"""

from __future__ import annotations

import numpy as np


def normal(*shape, seed=0, loc=0.0, scale=1.0):
    """Float32 normal numbers, none closer to zero than 0.01 (a kink of many functions), all different."""
    x = np.random.RandomState(seed + 7919 * len(shape)).standard_normal(shape)
    return (loc + scale * np.where(np.abs(x) < 0.01, x + 0.05, x)).astype("float32")


def uniform(*shape, seed=0, low=0.0, high=1.0):
    """Float32 uniform numbers in [low, high)."""
    return np.random.RandomState(seed + 104729).uniform(low, high, shape).astype("float32")


def integers(*shape, seed=0, low=0, high=10, dtype="int32"):
    """Integers in [low, high)."""
    return np.random.RandomState(seed + 1299709).randint(low, high, shape).astype(dtype)


def bools(*shape, seed=0):
    """True or False, about half each; the first of each row is True."""
    x = np.random.RandomState(seed + 15485863).uniform(0, 1, shape) < 0.5
    x[..., 0] = True
    return x


def steps(*shape, low=-2.0, high=2.0):
    """Evenly spaced float32 numbers."""
    return np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype("float32")


def symmetric_positive(n, seed=0):
    """A well conditioned symmetric positive definite float32 matrix."""
    x = np.random.RandomState(seed + 31).standard_normal((n, n))
    return (x @ x.T / n + np.eye(n)).astype("float32")


def well_conditioned(*shape, seed=0):
    """Float32 square matrices (the last two axes) far from singular."""
    x = np.random.RandomState(seed + 57).standard_normal(shape)
    return (x + 3.0 * np.eye(shape[-1])).astype("float32")


def array(values, dtype="float32"):
    """``values`` as an array."""
    return np.array(values, dtype=dtype)


def apply(layer, *inputs, weights=None, **call):
    """The layer's output after its weights have been set, in the order of ``get_weights``.

    Weights that are not given come from ``normal`` with seeds 100, 101, ... (random seeds' states stay as they are).
    """
    import keras

    _build(layer, inputs, call)
    old = [v for v in layer.variables if "seed_generator" not in v.path]
    weights = list(weights or [])
    if len(weights) < len(old):
        weights += [normal(*v.shape, seed=100 + i) for i, v in enumerate(old)][len(weights) :]
    for variable, value in zip(old, weights):
        variable.assign(value)
    if keras.config.backend() == "jax":
        return layer.stateless_call(
            [v.value for v in layer.trainable_variables],
            [v.value for v in layer.non_trainable_variables],
            *inputs,
            **call,
        )[0]
    return layer(*inputs, **call)


def _build(layer, inputs, call):
    """Builds by a symbolic call, outside of whatever is being traced."""
    import contextlib

    import keras

    def symbol(value):
        if isinstance(value, (list, tuple)):
            return type(value)(symbol(v) for v in value)
        if isinstance(value, dict):
            return {k: symbol(v) for k, v in value.items()}
        if not hasattr(value, "dtype"):
            return value
        return keras.KerasTensor(tuple(value.shape), keras.backend.standardize_dtype(value.dtype))

    scope = contextlib.nullcontext()
    if keras.config.backend() == "jax":
        import jax

        scope = jax.ensure_compile_time_eval()
    with scope:
        layer(*symbol(inputs), **symbol(call))
