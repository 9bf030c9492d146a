"""Reads the model and the data that a user's probe gives to ``runner diagnose``.

The file has a function ``diagnose(settings)`` that returns ``(model, x, y)``: a Keras Sequential model that classifies,
its inputs and the numbers of their classes. The ladder trains a network of the same layers, and computes it in float64
with NumPy. So the layers are those of ``reference``; any other layer or option is refused by its name.
"""

from __future__ import annotations

import json

import numpy as np

from .. import _own, measuring, networks
from ..protocol import BadOutputError, UnsupportedError

LEAST = 320
"""Samples that the ladder needs at least."""

KNOWN = "Conv2D (valid, stride 1, relu), MaxPooling2D (2 x 2), Flatten, Dense (relu; the last one softmax), Dropout"

_PLAIN = {
    "Conv2D": {
        "strides": (1, 1), "padding": "valid", "data_format": "channels_last", "dilation_rate": (1, 1), "groups": 1,
        "activation": "relu",
    },
    "MaxPooling2D": {
        "pool_size": (2, 2), "strides": (2, 2), "padding": "valid", "data_format": "channels_last",
    },
    "Flatten": {"data_format": "channels_last"},
    "Dense": {"activation": ("relu", "softmax")},
    "Dropout": {"noise_shape": None},
}  # fmt: skip
"""The options of a layer that the reference computes; those that are not listed may have any value."""

_WEIGHTED = {
    "use_bias": True, "kernel_initializer": "GlorotUniform", "bias_initializer": "Zeros", "kernel_regularizer": None,
    "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
    "lora_rank": None, "quantization_config": None,
}  # fmt: skip
"""The same for layers with weights."""


def given(request, keras, settings):
    """Returns ``(described, shape, data)`` of the user's file.

    The file is the data file of the request. ``described``: layers as in ``networks``; ``shape``: that of one input;
    ``data``: two pairs (x, y), for training and for tests. ``settings`` are those of the probe. Raises BadOutputError
    and UnsupportedError in one line.
    """
    file = settings["own"]
    path = request.data["path"]
    _own.check_protocol(path, file)
    module = _own.from_file(path, file)
    function = getattr(module, "diagnose", None)
    if not callable(function):
        raise BadOutputError("%s has no function diagnose(settings)" % file)
    wanted = dict(getattr(module, "DEFAULTS", {}), **json.loads(settings["own_settings"] or "{}"))
    found = function(measuring.Settings(wanted, request))
    if not isinstance(found, tuple) or len(found) != 3:
        raise BadOutputError("%s: diagnose returns a model, its inputs and their classes: (model, x, y)" % file)
    model, x, y = found
    described, shape = layers(model, keras, file)
    return described, shape, split(x, y, described, shape, settings, file)


def layers(model, keras, file):
    """Returns the layers of a model as in ``networks``, and the shape of one input.

    Raises UnsupportedError for a model that the reference cannot compute.
    """
    if not isinstance(model, keras.Sequential):
        raise UnsupportedError("%s: diagnose takes a keras.Sequential model, not %s" % (file, type(model).__name__))
    if not model.built:
        raise BadOutputError("%s: the model has no input shape: begin it with keras.Input(shape)" % file)
    shape = tuple(model.input_shape[1:])
    described, now = [], shape
    for layer in model.layers:
        if type(layer) is keras.layers.InputLayer:
            continue
        described.append(_described(layer, keras, file))
        wanted = {"conv": 3, "pool": 3, "dense": 1}.get(described[-1][0], len(now))
        if len(now) != wanted:
            raise UnsupportedError("%s: the inputs of %s have %d axes, not %d" % (file, layer.name, len(now), wanted))
        now = networks.shapes(described, shape)[1]
    last = [one[0] == "dense" and one[-1] == "softmax" for one in described]
    if not last or not last[-1] or sum(last) != 1:
        raise UnsupportedError("%s: the last layer, and no other, is a Dense layer with softmax" % file)
    return described, shape


def _described(layer, keras, file):
    kind = type(layer).__name__
    if kind not in _PLAIN or type(layer) is not getattr(keras.layers, kind, None):
        raise UnsupportedError("%s: %s (%s) is not among the layers that diagnose computes: %s" % (
            file, layer.name, kind, KNOWN))  # fmt: skip
    config = layer.get_config()
    rules = dict(_PLAIN[kind], **(_WEIGHTED if kind in ("Conv2D", "Dense") else {}))
    for name, wanted in rules.items():
        if name in config and not _fits(config[name], wanted):
            raise UnsupportedError("%s: %s has %s=%r, which diagnose does not compute: %s" % (
                file, layer.name, name, _plain(config[name]), KNOWN))  # fmt: skip
    if layer.compute_dtype != "float32" or layer.variable_dtype != "float32":
        raise UnsupportedError("%s: %s computes in %s, and the ladder in float32" % (
            file, layer.name, layer.compute_dtype))  # fmt: skip
    if kind == "Conv2D":
        height, width = config["kernel_size"]
        if height != width:
            raise UnsupportedError("%s: the kernel of %s is %d x %d, not square" % (file, layer.name, height, width))
        return ("conv", config["filters"], height, "relu")
    if kind == "Dense":
        return ("dense", config["units"], config["activation"])
    return {"MaxPooling2D": ("pool",), "Flatten": ("flatten",)}.get(kind) or ("dropout", config["rate"])


def _plain(value):
    """Returns an option of a layer without what Keras writes around it."""
    return value["class_name"] if isinstance(value, dict) and "class_name" in value else value


def _fits(value, wanted):
    value = _plain(value)
    value = tuple(value) if isinstance(value, list) else value
    return value in wanted if isinstance(wanted, tuple) and isinstance(value, str) else value == wanted


def split(x, y, described, shape, settings, file):
    """Returns ``((x, y) for training, (x, y) for tests)``.

    The settings name the most samples of both. Raises BadOutputError for data that the network cannot be trained on.
    """
    x, y = np.asarray(x), np.asarray(y)
    classes = described[-1][1]
    if x.shape[1:] != shape or x.dtype.kind not in "fiub":
        raise BadOutputError("%s: the inputs are %s of the shape %s, the model takes numbers of %s" % (
            file, x.dtype, x.shape[1:], shape))  # fmt: skip
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise BadOutputError("%s: the classes are whole numbers, one for each of %d inputs" % (file, len(x)))
    if len(y) < LEAST:
        raise BadOutputError("%s: %d samples are too few, diagnose needs %d" % (file, len(y), LEAST))
    if y.min() < 0 or y.max() >= classes:
        raise BadOutputError("%s: the classes reach from %d to %d, the model has %d" % (
            file, y.min(), y.max(), classes))  # fmt: skip
    x, y = x.astype("float32"), y.astype("int64")
    if not np.isfinite(x).all():
        raise BadOutputError("%s: the inputs are not all finite numbers" % file)
    tests = min(settings["test_samples"], len(y) // 5)
    train = min(settings["train_samples"], len(y) - tests)
    return (x[:train], y[:train]), (x[len(y) - tests :], y[len(y) - tests :])
