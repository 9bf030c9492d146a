"""Collects facts of MXNet, and makes its tensors.

Keras does not have a backend for it.
"""

from __future__ import annotations

from ..kit.questions import answers as answers_to


def facts(mxnet, _kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """
    enabled = mxnet.runtime.Features().is_enabled
    answers = {"version": str(mxnet.__version__), "build": str(mxnet.__version__)}
    answers["switches"] = answers_to(
        errors, "mxnet", {"mxnet." + name.lower(): lambda name=name: enabled(name) for name in ("MKLDNN", "CUDA")}
    )
    return answers


def select(mxnet, device):
    """Returns whether the device is available."""
    return device == "cpu" or (device == "cuda" and mxnet.context.num_gpus() > 0)


def tensor(mxnet, array, device):
    """Returns a NumPy array as an NDArray on the device."""
    return mxnet.nd.array(array, dtype=array.dtype, ctx=mxnet.gpu() if device == "cuda" else mxnet.cpu())


def block(_mxnet, value, _device):
    """Waits until ``value`` is computed, and returns it."""
    value.wait_to_read()
    return value


def array(_mxnet, value):
    """Returns an NDArray as a NumPy array."""
    return value.asnumpy()
