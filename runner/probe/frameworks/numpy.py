"""Collects facts of NumPy, a backend of Keras."""

from __future__ import annotations

from ..kit.questions import answers as answers_to


def facts(numpy, _kind, errors):
    """Returns version, build, threads, switches and the device.

    The device is there where one is used. See ``facts.collect``.
    """

    def blas():
        if not hasattr(numpy.__config__, "CONFIG"):  # before NumPy 1.25
            return None
        found = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return "%s %s" % (found.get("name"), found.get("version"))

    return dict(answers_to(errors, "numpy", {"blas": blas}), version=str(numpy.__version__))


def select(_numpy, device):
    """Returns whether the device is the CPU, the only one that NumPy has."""
    return device == "cpu"


def tensor(_numpy, array, _device):
    """Returns the array unchanged."""
    return array


def block(_numpy, value, _device):
    """Returns ``value``, which is computed by now."""
    return value


def array(numpy, value):
    """Returns a NumPy array."""
    return numpy.asarray(value)
