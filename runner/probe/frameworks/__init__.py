"""Holds one module for each framework, with the same functions.

- ``facts(lib, device, errors)``: a dict with ``version`` and ``build``, and where known ``threads``, ``switches`` and
  ``device``.
- ``select(lib, device)``: makes ``cpu``, ``cuda`` or ``mps`` the device that is used. Returns whether it is there.
- ``tensor(lib, array, device)``: a NumPy array as a tensor of the framework.
- ``block(lib, value, device)``: waits until the tensor is computed, and returns it.
- ``array(lib, value)``: the tensor as a NumPy array.

``lib`` is the framework's own module.

A framework without Keras also has its networks and its convolution in ``networks/in_NAME.py``.
"""

from __future__ import annotations

import importlib

MODULES_BY_NAME = {
    "tensorflow": "tensorflow",
    "torch": "torch",
    "jax": "jax",
    "numpy": "numpy",
    "openvino": "openvino",
    "mxnet": "mxnet",
    "paddle": "paddle",
}
"""The name by which a framework is imported, and its module here."""


def module(name):
    """Returns the module of the framework ``name``."""
    return importlib.import_module("." + MODULES_BY_NAME[name], __package__)
