"""Collects facts of OpenVINO, a backend of Keras."""

from __future__ import annotations

from ..kit.questions import answers as answers_to


def facts(openvino, _kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """
    answers = answers_to(errors, "openvino", {"build": lambda: openvino.__version__})
    return dict(answers, version=str(openvino.__version__).split("-")[0])


def select(_openvino, device):
    """Keras's backend uses the CPU only."""
    return device == "cpu"


def tensor(_openvino, array, _device):
    """Returns the array unchanged: Keras converts it."""
    return array


def block(_openvino, value, _device):
    """Returns the computed value: until then it is a graph."""
    import keras

    return keras.ops.convert_to_numpy(value)


def array(_openvino, value):
    """Returns an array of NumPy."""
    import numpy as np

    return np.asarray(value)
