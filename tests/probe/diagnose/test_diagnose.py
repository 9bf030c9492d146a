"""One side of the ladder: the float64 reference, its bounds, and what the evidence says of cells broken on purpose."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from runner.probe import diagnose, networks, protocol
from runner.probe.diagnose import measure, reference, replay
from runner.probe.kit import draws

_spec = importlib.util.spec_from_file_location("diagnose_side", Path(__file__).with_name("diagnose_side.py"))
diagnose_side = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(diagnose_side)

SMALL = [("conv", 3, 3, "relu"), ("pool",), ("flatten",), ("dense", 16, "relu"), ("dropout", 0.2),
         ("dense", 10, "softmax")]  # fmt: skip
QUICK = {**diagnose.DEFAULTS, "seeds": 0, "steps": 2, "free_steps": 3, "batch": 16}


def weights(described, seed=0):
    return draws.initial_weights(networks.shapes(described, diagnose.SHAPE)[0], seed)


@pytest.fixture(scope="module")
def data():
    return diagnose_side.digits()


def evidence(data, fault="", **settings):
    side = diagnose_side.NumpySide(SMALL, fault, turn=settings.pop("turn", False))
    return diagnose.measured(side, {**QUICK, **settings}, 0, data)


# --- the reference ----------------------------------------------------------------------------------------------------


def test_the_network_is_that_of_the_mnist_probe():
    shapes, _ = networks.shapes(diagnose.NETWORKS["conv"], diagnose.SHAPE)
    assert shapes == [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 128), (128,), (128, 10), (10,)]


def test_gradients_are_those_of_finite_differences(data):
    network = reference.Network(SMALL)
    start = [w + 0.01 for w in weights(SMALL)]
    x, y = data[0][0][:5], data[0][1][:5]
    trace = network.run(start, x, y)
    random = np.random.RandomState(1)
    for i, w in enumerate(start):
        direction, h = random.standard_normal(w.shape), 1e-7
        ends = [network.run([*start[:i], w + s * h * direction, *start[i + 1 :]], x, y).loss for s in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx((trace.gradients[i] * direction).sum(), rel=1e-4)


def test_adam_is_the_published_update():
    """The first step moves each weight by the rate against the sign of its gradient."""
    adam = reference.Adam()
    moved = adam.step([np.zeros(3)], [np.array([2.0, -3.0, 0.0])])
    assert moved[0] == pytest.approx([-1e-3, 1e-3, 0.0], rel=1e-5)


def test_samples_near_a_kink_are_left_out():
    """A unit that float32 may put on either side of zero has two right gradients."""
    network = reference.Network([("flatten",), ("dense", 2, "relu"), ("dense", 2, "softmax")])
    kernel = np.zeros((784, 2))
    kernel[0, :], kernel[1, :] = 1.0, -1.0
    x = np.zeros((2, 28, 28, 1))
    x[:, 0, 0, 0], x[0, 0, 1, 0], x[1, 0, 1, 0] = 1.0, 1.0 + 2e-7, 0.5
    network.run([kernel, np.zeros(2), np.eye(2), np.zeros(2)], x, np.array([0, 1]))
    assert network.smooth().tolist() == [False, True]


# --- measures ---------------------------------------------------------------------------------------------------------


def test_the_distance_of_sketches_is_that_of_the_arrays():
    random = np.random.RandomState(0)
    ratios = []
    for size in (40, 1000, 30000):
        for _ in range(20):
            a, b = random.standard_normal((2, size))
            distance = np.linalg.norm(np.subtract(measure.sketch(a), measure.sketch(b)))
            ratios.append(distance / np.linalg.norm(a - b))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)
    assert max(ratios) < 1.8
    assert min(ratios) > 0.4


def test_equal_deviations_have_equal_sketches():
    a = np.random.RandomState(0).standard_normal(500)
    assert measure.sketch(a) == measure.sketch(a.copy())


def test_a_wrong_shape_or_a_nan_is_no_figure():
    truth = np.ones((2, 3))
    assert measure.elementwise(np.ones((3, 2)), truth, truth, 1)[0] is None
    assert measure.elementwise(np.full((2, 3), np.nan), truth, truth, 1)[0] is None
    assert measure.together([np.ones(2)], [np.ones(3)], 1.0) == [None, []]


def test_noise_is_what_float32_does(data):
    """A right float32 cell is within a few times the noise; one eighth of the digits is not."""
    network = reference.Network(SMALL)
    order = list(range(len(data[0][1])))
    steps = list(replay.steps(network, weights(SMALL), data[0], order, 16, 2))
    assert len(steps) == 2
    for step in steps:
        side = diagnose_side.NumpySide(SMALL)
        loss, gradients = side.gradients(step.weights, step.x, step.y)
        found = replay.whole(loss, gradients, step, network)
        assert set(found) == {"loss", *network.names}
        assert all(0 <= one[0] < 3 for one in found.values())
        off = replay.whole(loss, [g * (1 + 2.0**-12) for g in gradients], step, network)
        assert all(off[name][0] > 8 for name in network.names if not name.endswith("bias"))


# --- evidence ---------------------------------------------------------------------------------------------------------


def largest(found, part="layers"):
    return {name: one[0] for step in found["steps"] for name, one in step[part].items()}


def test_a_right_cell_is_within_rounding_everywhere(data):
    found = evidence(data)
    assert max(largest(found).values()) < 8
    assert max(largest(found, "update").values()) < 8
    for step in found["steps"]:
        assert step["no dropout"][0] < 3
        assert step["same optimizer"][0] < 3
        assert step["float64"][0] < 1e-4
    assert found["double"] == ""
    json.dumps(protocol.plain(found), allow_nan=False)


def test_the_order_of_a_step_is_forward_then_backward(data):
    names = list(evidence(data)["steps"][0]["layers"])
    assert names[:5] == ["conv1/output", "pool1/output", "flatten1/output", "dense1/output", "dense2/output"]
    dense2, dense1 = ([f"{layer}/d-{what}" for what in ("kernel", "bias", "input")] for layer in ("dense2", "dense1"))
    assert names[5:] == [*dense2, *dense1, "flatten1/d-input", "pool1/d-input", "conv1/d-kernel", "conv1/d-bias"]


@pytest.mark.parametrize(
    ("fault", "first"),
    [("transposed-kernel", "conv1/output"), ("half-layer", "dense1/output"), ("wrong-gradient", "dense1/d-bias")],
)
def test_the_first_quantity_that_is_off_is_that_of_the_broken_layer(data, fault, first):
    found = evidence(data, fault)
    off = [name for name, error in largest(found).items() if error > 60]
    assert off[0] == first
    assert not [name for name in off if name.split("/")[0] != first.split("/")[0]], "its inputs come from the reference"


def test_a_wrong_epsilon_is_seen_in_the_update_alone(data):
    found = evidence(data, "adam-epsilon")
    assert max(largest(found).values()) < 8
    assert min(largest(found, "update").values()) > 100
    assert found["steps"][0]["no dropout"][0] > 8 > found["steps"][0]["same optimizer"][0]


def test_two_right_cells_differ_in_bits_and_not_beyond(data):
    one, other = evidence(data), evidence(data, turn=True)
    assert one["steps"][0]["inputs"] == other["steps"][0]["inputs"]
    first, second = (each["steps"][0]["layers"]["dense1/output"] for each in (one, other))
    assert first[3] != second[3]
    assert second[0] < 8


def test_a_device_without_float64_says_so(data):
    class Single(diagnose_side.NumpySide):
        def double(self):
            raise NotImplementedError("no float64 on mps")

    found = diagnose.measured(Single(SMALL), QUICK, 0, data)
    assert found["double"] == "no float64 on mps"
    assert "float64" not in found["steps"][0]


def test_dropout_and_initial_weights_are_looked_at_directly(data):
    found = evidence(data, "unscaled-dropout", seeds=1, epochs=1)["suspects"]
    rate, zeros, kept, _ = found["dropout"]
    assert (rate, kept) == (0.2, 1.0)
    assert zeros == pytest.approx(0.2, abs=0.01)
    assert len(found["initial"]) == len(weights(SMALL))
    for rms, told, _ in found["initial"]:
        assert rms == pytest.approx(told, rel=0.2, abs=1e-9)


@pytest.mark.parametrize("settings", [{"network": "lstm"}, {"fault": "nosuch"}])
def test_an_unknown_name_is_refused(settings):
    request = protocol.Request(
        {"schema": 1, "probe": "diagnose", "settings": settings,
         "cell": {"framework": "torch", "version": "2", "keras": "3", "python": "3.11", "device": "cpu"}}
    )  # fmt: skip
    with pytest.raises(protocol.BadOutputError, match="there are: "):
        diagnose.run(request, protocol.Report())
