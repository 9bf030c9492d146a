"""Collects facts of JAX, and makes its tensors."""

from __future__ import annotations

import sys

from ..kit.questions import answers as answers_to
from ..protocol import UnavailableError, one_line


def facts(jax, kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """
    config = jax.config
    answers = answers_to(
        errors, "jax", {"jaxlib": lambda: sys.modules["jaxlib.version"].__version__, "backend": jax.default_backend}
    )
    answers["version"] = answers["build"] = str(jax.__version__)
    names = (
        "jax_enable_x64",
        "jax_default_matmul_precision",
        "jax_threefry_partitionable",
        "jax_default_prng_impl",
        "jax_numpy_dtype_promotion",
        "jax_disable_jit",
    )
    answers["switches"] = answers_to(
        errors, "jax", {name: lambda name=name: _or_default(getattr(config, name)) for name in names}
    )
    if kind not in (None, "cpu"):
        answers["device"] = answers_to(errors, "jax", {"device_name": lambda: jax.devices()[0].device_kind})
    return answers


def _or_default(value):
    return "default" if value is None else value


def select(jax, device):
    """Returns whether the device is the one that JAX uses.

    Raises UnavailableError where JAX says why it cannot use it.
    """
    try:
        platform = jax.devices()[0].platform.lower()
    except RuntimeError as error:  # "Unable to initialize backend 'cuda': ..."
        raise UnavailableError(one_line(error)) from error
    return platform in {"cpu": ("cpu",), "cuda": ("cuda", "gpu"), "mps": ("metal", "mps")}[device]


def tensor(jax, array, _device):
    """Returns a NumPy array as an array on the device."""
    return jax.numpy.asarray(array)


def block(jax, value, _device):
    """Waits until ``value`` is computed, and returns it."""
    jax.block_until_ready(value)
    return value


def array(_jax, value):
    """Returns an array of JAX as a NumPy array."""
    import numpy as np

    return np.asarray(value)
