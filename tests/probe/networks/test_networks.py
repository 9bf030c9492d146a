"""The networks without Keras: their shapes and weights, and their arithmetic where a framework is installed."""

from __future__ import annotations

import math
import types
from pathlib import Path

import numpy as np
import pytest

from runner.probe import conv2d, networks
from runner.probe.conv2d import convolution
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


FRAMEWORKS = sorted(path.stem[3:] for path in Path(networks.__file__).parent.glob(networks.LOADED_BY_NAME))


def loaded(framework):
    """The framework on the CPU. Skips the test where it is not installed."""
    return backend.Backend(framework, pytest.importorskip(framework), None, "cpu", 0.0)


def forward(layers, weights, x):
    """The output in float64 NumPy, from the definitions; ``weights`` is an iterator."""
    for layer in layers:
        name = layer[0]
        if name == "branches":
            x = np.concatenate([forward(branch, weights, part) for branch, part in zip(layer[1:], x, strict=True)], -1)
        elif name == "conv":
            patches = np.lib.stride_tricks.sliding_window_view(x, (layer[2], layer[2]), (1, 2))
            x = np.einsum("bhwcij,ijco->bhwo", patches, next(weights)) + next(weights)
        elif name == "pool":
            n, height, width, depth = x.shape
            x = x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, depth).max((2, 4))
        elif name == "flatten":
            x = x.reshape(len(x), -1)
        elif name == "dense":
            x = x @ next(weights) + next(weights)
        elif name == "embedding":
            x = next(weights)[x]
        elif name == "lstm":
            x = lstm(x, next(weights), next(weights), next(weights))
        elif name == "encoder":
            x = encoder(x, [next(weights) for _ in range(networks.ENCODER_WEIGHTS)])
        elif name == "mean":
            x = x.mean(1)
        if layer[-1] == "relu":
            x = np.maximum(x, 0)
    return x


def lstm(x, kernel, recurrent, bias):
    h = c = np.zeros((len(x), len(recurrent)))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, -1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    return h


def encoder(x, w):
    query, key, value = (np.einsum("btd,dhk->bhtk", x, w[i]) + w[i + 1][:, None] for i in (0, 2, 4))
    share = np.exp(query @ key.swapaxes(-1, -2) / math.sqrt(query.shape[-1]))
    mixed = share / share.sum(-1, keepdims=True) @ value
    x = normalized(x + np.einsum("bhqk,hkd->bqd", mixed, w[6]) + w[7], w[8], w[9])
    return normalized(x + np.maximum(x @ w[10] + w[11], 0) @ w[12] + w[13], w[14], w[15])


def normalized(x, gain, offset):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + networks.NORM_EPSILON) * gain + offset


@pytest.mark.parametrize("network", ["branched", "encoder"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_layer_follows_float64(framework, network):
    """Outputs before and after training, and that no weight changes place or shape."""
    random = np.random.RandomState(3)
    images, steps = random.random_sample((6, 8, 8, 3)).astype("float32"), random.standard_normal((6, 5, 8))
    layers, shape, x = {
        "branched": (BRANCHED, ((8, 8, 3), (4,)), (images, random.randint(0, 9, (6, 4)).astype("int32"))),
        "encoder": ([("encoder", 2), ("mean",), ("dense", 3, None)], (5, 8), steps.astype("float32")),
    }[network]
    if networks.lacks(types.SimpleNamespace(framework=framework), layers):
        pytest.skip(f"{framework} has no such layer")
    weights = networks.initial_weights(layers, shape, 4)
    here = loaded(framework)
    trained = networks.model(here, layers, weights, "crossentropy", 0.01)
    assert trained.parameters == sum(w.size for w in weights)
    for got, want in zip(trained.weights(), weights, strict=True):
        assert np.array_equal(got, want)

    def exact(weights):
        return forward(layers, iter([w.astype("float64") for w in weights]), x)

    assert trained.outputs(x) == pytest.approx(exact(weights), abs=1e-5)
    losses, _ = networks.train(trained, here, x, np.array([0, 1, 1, 0, 1, 0], "int32"), [slice(0, 6)] * 20)
    assert losses[-1] < 0.9 * losses[0]
    assert trained.outputs(x) == pytest.approx(exact(trained.weights()), abs=1e-5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_epsilon_is_added_where_keras_adds_it(framework):
    """The first step of Adam, with gradients so small that epsilon matters (Kingma and Ba, before section 2.1)."""
    random = np.random.RandomState(5)
    layers = [("dense", 2, None)]
    weights = networks.initial_weights(layers, (5,), 6)
    here = loaded(framework)
    x, y = random.standard_normal((8, 5)).astype("float32") * 1e-5, random.randint(0, 2, 8).astype("int32")
    trained = networks.model(here, layers, weights, "crossentropy", 0.25)
    networks.train(trained, here, x, y, [slice(0, 8)])
    moves = trained.weights()[0] - weights[0]
    for index in np.ndindex(moves.shape):
        slope = difference(layers, weights, 0, index, x, y)
        assert abs(slope) < 1e-5
        assert moves[index] == pytest.approx(-0.25 * slope / (abs(slope) + 1e-7 / math.sqrt(1 - 0.999)), rel=1e-2)


def difference(layers, weights, place, index, x, y):
    """The gradient of the loss by one weight: a central difference in float64."""

    def loss(step):
        moved = [w.astype("float64") for w in weights]
        moved[place][index] += step
        return networks.scores(
            types.SimpleNamespace(outputs=lambda part: forward(layers, iter(moved), part)), x, y, "crossentropy", 8
        )["loss"]

    return (loss(1e-5) - loss(-1e-5)) / 2e-5


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("case", conv2d.SMALL)
def test_a_convolution_is_right_to_rounding(framework, case):
    geometry = conv2d.SMALL[case]
    x, w = convolution.inputs(geometry, 1)
    compute, finish = convolution.prepare(loaded(framework), x, w, geometry)
    try:
        found = finish(compute())
    except Exception as error:  # whatever a framework raises for what it cannot do, in its own words
        if framework != "tensorflow" or geometry.layout != "channels_first":
            raise
        pytest.skip(f"{framework} on a CPU: {type(error).__name__}")
    assert found.shape == geometry.output
    positions, channels = convolution.sample(geometry, most_products=1 << 20)
    value, magnitude = convolution.truth(x, w, geometry, positions, channels)
    chosen = found[tuple(positions.T)][:, channels]
    assert convolution.backward_error(chosen, value, magnitude).max() < 2 * math.sqrt(geometry.terms) + 4


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_training_follows_float64(framework):
    """A dense layer with cross-entropy and Adam against the training probe's own reference."""
    here = loaded(framework)
    random = np.random.RandomState(0)
    x, y = random.standard_normal((24, 6)).astype("float32"), random.randint(0, 4, 24).astype("int32")
    layers = [("dense", 4, None)]
    weights = networks.initial_weights(layers, (6,), 2)
    trained = networks.model(here, layers, weights, "crossentropy", 0.05)
    rows = [slice(i, i + 8) for i in range(0, 24, 8)]
    losses, _ = networks.train(trained, here, x, y, rows)

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
