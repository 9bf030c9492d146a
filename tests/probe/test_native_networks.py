"""The networks without Keras: their shapes and weights, and their arithmetic where a framework is installed."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest

from runner.probe import networks
from runner.probe.frameworks import backend
from runner.probe.protocol import UnsupportedError
from runner.probe.training import network, updates

BRANCHED = [
    (
        "branches",
        [("conv", 4, 3, "relu"), ("pool",), ("flatten",), ("dense", 6, "relu")],
        [("embedding", 9, 5), ("lstm", 3)],
    ),
    ("dense", 2, None),
]


def test_the_mnist_network_has_the_keras_models_weights():
    shapes, out = networks.shapes(networks.MNIST, (28, 28, 1))
    assert shapes == [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 128), (128,), (128, 10), (10,)]
    assert sum(math.prod(shape) for shape in shapes) == 225034
    assert out == (10,)


def test_branches_are_listed_one_after_the_other():
    shapes, out = networks.shapes(BRANCHED, ((8, 8, 3), (4,)))
    assert shapes[:4] == [(3, 3, 3, 4), (4,), (36, 6), (6,)]
    assert shapes[4:] == [(9, 5), (5, 12), (3, 12), (12,), (9, 2), (2,)]
    assert out == (2,)


def test_only_the_forget_gate_starts_open():
    weights = networks.initial_weights(BRANCHED, ((8, 8, 3), (4,)), 1)
    assert weights[7].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    assert not any(w.any() for w in (weights[1], weights[3], weights[9]))
    assert all(w.dtype == "float32" for w in weights)


def test_an_encoder_has_keras_weights_and_begins_with_gains_of_one():
    layers, shape = [("encoder", 2), ("mean",), ("dense", 3, None)], (5, 8)
    shapes, out = networks.shapes(layers, shape)
    assert len(shapes) == networks.ENCODER_WEIGHTS + 2
    assert out == (3,)
    weights = networks.initial_weights(layers, shape, 1)
    ones = [place for place, w in enumerate(weights) if w.ndim == 1 and (w == 1).all()]
    assert ones == [8, 14]
    assert [w.shape for w in weights[6:8]] == [(2, 4, 8), (8,)]


def test_gluon_has_no_encoder():
    speed_layers = [("encoder", 2), ("dense", 3, None)]
    assert networks.lacks(types.SimpleNamespace(framework="mxnet"), speed_layers)
    assert not networks.lacks(types.SimpleNamespace(framework="torch"), speed_layers)
    assert not networks.lacks(types.SimpleNamespace(framework="mxnet"), networks.MNIST)


def test_weights_are_the_mnist_probes():
    from runner.probe import mnist

    shapes, _ = networks.shapes(networks.MNIST, (28, 28, 1))
    assert mnist.digest(networks.initial_weights(networks.MNIST, (28, 28, 1), 5)) == mnist.digest(
        mnist.initial_weights(shapes, 5)
    )


def test_a_framework_that_trains_nothing_is_unsupported():
    with pytest.raises(UnsupportedError, match="numpy"):
        networks.load(types.SimpleNamespace(framework="numpy"))


def test_scores_are_those_of_the_outputs():
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    trained = types.SimpleNamespace(outputs=lambda x: logits[x])
    found = networks.scores(trained, np.arange(3), np.array([0, 1, 1]), "crossentropy", 2)
    assert found["accuracy"] == pytest.approx(2 / 3)
    expected = -np.log(np.exp(logits)[[0, 1, 2], [0, 1, 1]] / np.exp(logits).sum(1)).mean()
    assert found["loss"] == pytest.approx(expected)
    errors = networks.scores(types.SimpleNamespace(outputs=lambda x: x), np.ones((4, 1)), np.zeros((4, 1)), "mse", 3)
    assert errors == {"loss": 1.0, "mae": 1.0}


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax", "mxnet"])
def test_training_follows_float64(framework):
    """A dense layer with cross-entropy and Adam against the training probe's own reference."""
    lib = pytest.importorskip(framework)
    loaded = backend.Backend(framework, lib, None, "cpu", 0.0)
    random = np.random.RandomState(0)
    x, y = random.standard_normal((24, 6)).astype("float32"), random.randint(0, 4, 24).astype("int32")
    layers = [("dense", 4, None)]
    weights = networks.initial_weights(layers, (6,), 2)
    trained = networks.model(loaded, layers, weights, "crossentropy", 0.05)
    rows = [slice(i, i + 8) for i in range(0, 24, 8)]
    losses, _ = networks.train(trained, loaded, x, y, rows)

    truth, adam, expected = network.Dense(*weights), updates.Adam(), []
    for t, row in enumerate(rows, 1):
        out = truth.forward(x[row].astype("float64"), True, network.exact)
        values, slopes = network.crossentropy(y[row], out, network.exact)
        expected.append(values.mean())
        truth.backward(slopes / len(values), network.exact)
        truth.parameters = adam.step(truth.parameters, truth.gradients, 0.05, t, network.exact)
    assert losses == pytest.approx(expected, rel=1e-5)
    for got, want in zip(trained.weights(), truth.parameters, strict=True):
        assert got == pytest.approx(want, abs=1e-5)
