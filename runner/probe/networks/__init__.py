"""Holds the probes' networks for cells without Keras.

They are in plain PyTorch, TensorFlow, JAX, MXNet Gluon and PaddlePaddle.

Same layers, same initial weights (NumPy's, in Keras's layout and order), same batches, same Adam: what is left is what
Keras adds. A network is a list of layers, each a tuple of name and options:

``("conv", filters, size, activation)`` valid, stride 1; ``("pool",)`` 2 x 2; ``("flatten",)``;
``("dense", units, activation)``; ``("dropout", rate)``; ``("embedding", words, width)``; ``("lstm", units)``, the last
output; ``("encoder", heads)``, a transformer's block (Vaswani et al., arXiv:1706.03762) with normalization after each
sum and four times the width inside, not in Gluon; ``("mean",)`` over the steps; ``("branches", [layers], [layers])``,
which must come first, takes a pair of inputs and concatenates.
"""

from __future__ import annotations

import importlib
import math
import os
import time

from ..frameworks import backend as backends
from ..kit.draws import stream
from ..protocol import UnsupportedError

LOADED_BY_NAME = "in_*.py"
"""The module of a framework is ``in_NAME``: its ``Model`` (see ``model``) and ``convolution``."""

ENCODER_WEIGHTS = 16
NORM_EPSILON = 1e-3
"""Of Keras's LayerNormalization."""

ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
"""Keras's constants; epsilon is added to the root of the uncorrected second moment (Kingma and Ba, before 2.1)."""

MNIST = [
    ("conv", 32, 3, "relu"),
    ("pool",),
    ("conv", 64, 3, "relu"),
    ("pool",),
    ("flatten",),
    ("dense", 128, "relu"),
    ("dropout", 0.2),
    ("dense", 10, None),
]
"""The network of the mnist probe, as logits."""


def load(request):
    """Returns the cell's framework without Keras, a ``backend.Backend``.

    Raises UnsupportedError for one without a network.
    """
    if not _has_networks(request.framework):
        raise UnsupportedError("%s trains nothing of its own" % request.framework)
    return backends.load(request)


def of(name):
    """Returns the module with the networks and the convolution of a framework.

    Raises UnsupportedError where it has none.
    """
    if not _has_networks(name):
        raise UnsupportedError("%s has no convolution" % name)
    return importlib.import_module(".in_" + name, __package__)


def _has_networks(name):
    return os.path.isfile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "in_%s.py" % name))


def model(backend, layers, weights, loss, rate=1e-3, seed=0):
    """Returns the network on ``backend``, ready to train.

    ``weights``: NumPy arrays in the order and layout of Keras (see ``shapes``). ``loss``: ``crossentropy`` (of logits
    and integers) or ``mse``. The result has ``step(x, y)``, one update on NumPy arrays, which returns the loss before
    it as the framework's scalar; ``outputs(x)``, a NumPy array, without dropout; ``weights()``; and ``parameters``.
    """
    return of(backend.name).Model(backend, layers, weights, loss, rate, seed)


def shapes(layers, shape):
    """Returns ``(shapes of the weights, shape of the output)``.

    ``shape`` is the input's without the batch (a pair of shapes for ``branches``).
    """
    found = []
    for layer in layers:
        name = layer[0]
        if name == "branches":
            ends = []
            for branch, start in zip(layer[1:], shape):
                inner, end = shapes(branch, start)
                found += inner
                ends.append(end)
            shape = (sum(end[-1] for end in ends),)
        elif name == "conv":
            found += [(layer[2], layer[2], shape[-1], layer[1]), (layer[1],)]
            shape = (shape[0] - layer[2] + 1, shape[1] - layer[2] + 1, layer[1])
        elif name == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif name == "flatten":
            shape = (math.prod(shape),)
        elif name == "dense":
            found += [(shape[-1], layer[1]), (layer[1],)]
            shape = (*shape[:-1], layer[1])
        elif name == "embedding":
            found.append((layer[1], layer[2]))
            shape = (*shape, layer[2])
        elif name == "lstm":
            found += [(shape[-1], 4 * layer[1]), (layer[1], 4 * layer[1]), (4 * layer[1],)]
            shape = (layer[1],)
        elif name == "encoder":
            found += _encoder(shape[-1], layer[1])
        elif name == "mean":
            shape = shape[1:]
    return found, shape


class Gain(tuple):
    """The shape of weights that begin as ones."""

    __slots__ = ()


def _encoder(width, heads):
    """Returns the weights' shapes of an encoder block.

    In this order: query, key, value and output with their biases; gain and offset; the two dense layers; gain and
    offset.
    """
    size = width // heads
    attention = [(width, heads, size), (heads, size)] * 3 + [(heads, size, width), (width,)]
    inner = [(width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    return [*attention, Gain((width,)), (width,), *inner, Gain((width,)), (width,)]


def lacks(request, layers):
    """Returns whether the plain framework does not have such a layer here."""
    return request.framework == "mxnet" and any(layer[0] == "encoder" for layer in layers)


def initial_weights(layers, shape, seed, start=0):
    """Returns Glorot-uniform float32 kernels and zero biases.

    LSTM forget biases are 1. All are the same on every machine, and others for every ``start``. They are drawn from
    ``RandomState``, whose streams NumPy has frozen. They are uniform: normal deviates pass through the platform's
    logarithm.
    """
    import numpy as np

    random = np.random.RandomState(stream(seed, start))
    weights = []
    for wanted in shapes(layers, shape)[0]:
        if len(wanted) == 1:
            weights.append((np.ones if isinstance(wanted, Gain) else np.zeros)(wanted, "float32"))
            continue
        field = int(np.prod(wanted[:-2]))  # 1 for a dense kernel
        limit = math.sqrt(6.0 / (field * (wanted[-2] + wanted[-1])))
        weights.append(((2 * random.random_sample(wanted) - 1) * limit).astype("float32"))
    for bias, kernel in zip(weights[2:], weights[1:]):
        if kernel.ndim == 2 and bias.ndim == 1 and bias.size == kernel.shape[1] == 4 * kernel.shape[0]:
            bias[bias.size // 4 : bias.size // 2] = 1.0  # after a recurrent kernel: gates i, f, c, o
    return weights


def take(x, index):
    """Rows of an array, or of each of a pair."""
    return tuple(part[index] for part in x) if isinstance(x, tuple) else x[index]


def train(trained, backend, x, y, batches):
    """Trains one step per index array.

    Returns ``(loss per step, time at which each ended)``, floats and seconds.
    """
    losses, ends = [], []
    for index in batches:
        loss = backend.block(trained.step(take(x, index), y[index]))
        ends.append(time.perf_counter())
        losses.append(loss)
    return [float(backend.numpy(loss)) for loss in losses], ends


def scores(trained, x, y, loss, batch):
    """Returns ``{"loss": mean, "accuracy" or "mae": mean}`` over all samples.

    The means are computed in float64 from the outputs.
    """
    import numpy as np

    rows = range(0, len(y), batch)
    out = np.concatenate([trained.outputs(take(x, slice(i, i + batch))) for i in rows]).astype("float64")
    if loss == "mse":
        error = out - y
        return {"loss": float(np.mean(error**2)), "mae": float(np.mean(np.abs(error)))}
    shifted = out - out.max(-1, keepdims=True)
    chosen = np.take_along_axis(shifted, np.asarray(y, "int64")[:, None], -1)[:, 0]
    return {
        "loss": float(np.mean(np.log(np.exp(shifted).sum(-1)) - chosen)),
        "accuracy": float(np.mean(out.argmax(-1) == y)),
    }


def laid_out(x, geometry):
    """Returns ``x`` in the layout that the geometry asks for.

    ``x``: (n, height, width, channels).
    """
    if geometry.layout == "channels_last":
        return x
    import numpy as np

    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def channels_last(backend, first):
    """Returns a function that makes a result NumPy's with channels last.

    ``first``: the result has them first.
    """

    def finish(value):
        array = backend.numpy(value)
        return array.transpose(0, 2, 3, 1) if first else array

    return finish
