"""Collects facts of PaddlePaddle, and makes its tensors.

Keras does not have a backend for it.
"""

from __future__ import annotations

import os

from ..kit.questions import answers as answers_to


def facts(paddle, kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """
    build = paddle.version
    with_cuda = paddle.is_compiled_with_cuda()
    answers = answers_to(
        errors,
        "paddle",
        {
            "commit": lambda: build.commit,
            "mkl": build.mkl,
            "cuda": lambda: build.cuda() if with_cuda else None,
            "cudnn": lambda: build.cudnn() if with_cuda else None,
        },
    )
    answers["version"] = answers["build"] = str(paddle.__version__)
    # its import sets this variable, to 1 where nobody has; there is no public question
    answers["threads"] = answers_to(errors, "paddle", {"intra_op": lambda: int(os.environ["OMP_NUM_THREADS"])})
    onednn = ["FLAGS_use_mkldnn", "FLAGS_use_onednn"]  # the older and the newer name; either switches it on
    answers["switches"] = answers_to(
        errors,
        "paddle",
        {"paddle.onednn": lambda: any(paddle.get_flags(onednn).values()), "paddle.cuda": lambda: with_cuda},
    )
    if kind == "cuda" and with_cuda:
        answers["device"] = answers_to(errors, "paddle", {"device_name": paddle.device.cuda.get_device_name})
    return answers


def select(paddle, device):
    """Makes ``device`` the one used. Returns whether it is there."""
    if device == "mps":
        return False
    if device == "cuda" and not (paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count()):
        return False
    paddle.set_device({"cpu": "cpu", "cuda": "gpu"}[device])
    return True


def tensor(paddle, array, _device):
    """Returns a NumPy array as a tensor on the device."""
    return paddle.to_tensor(array)


def block(paddle, value, device):
    """Waits until ``value`` is computed, and returns it."""
    if device == "cuda":
        paddle.device.synchronize()
    return value


def array(_paddle, value):
    """Returns a tensor as a NumPy array."""
    return value.numpy()
