"""How the training probe judges: correct float32 training is right, a formula that is a little off is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probe import training
from runner.probe.training import calls, compare, network, promises, scenarios, updates

ALL = scenarios.every() + promises.every() + calls.every()
EVERY = {scenario.name: scenario for scenario in ALL}


def single(value):
    """The rounding of correct single precision arithmetic."""
    return np.asarray(value, "float32").astype("float64")


def statuses(scenario, measured):
    truth, scales = compare.spread(scenario.truth, scenario.unit)
    return {name: compare.compare(measured[name], truth[name], scales[name])[0] for name in truth}


def test_scenarios_have_names_of_their_own():
    assert len(EVERY) == len(ALL)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_training_in_single_precision_is_right(name):
    scenario = EVERY[name]
    assert set(statuses(scenario, scenario.truth(single)).values()) == {"ok"}


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("optimizer.Adam_2", "epsilon", 0.0101),
        ("optimizer.RMSprop_2", "rho", 0.8005),
        ("optimizer.Adadelta_2", "epsilon", 0.0102),
        ("optimizer.Adagrad_2", "initial_accumulator_value", 0.0102),
        ("optimizer.Nadam_2", "beta_2", 0.9505),
        ("optimizer.Adamax_2", "beta_1", 0.801),
        ("optimizer.Ftrl_2", "beta", 0.101),
        ("optimizer.Lion_2", "beta_2", 0.9),
        ("optimizer.Adafactor_1", "epsilon_2", 0.9),
        ("optimizer.Muon_1", "ns_steps", 6),
        ("optimizer.SGD_3", "nesterov", False),
    ],
)
def test_an_update_that_is_a_little_off_is_wrong(name, attribute, value, monkeypatch):
    truth, scales = compare.spread(EVERY[name].truth, EVERY[name].unit)
    kind = updates.BY_NAME[name.split(".")[1].split("_")[0]]
    made = kind.__init__

    def spoilt(self, **settings):
        made(self, **dict(settings, **{attribute: value}))

    monkeypatch.setattr(kind, "__init__", spoilt)
    measured = EVERY[name].truth(single)
    assert compare.compare(measured["weights"], truth["weights"], scales["weights"])[0] == "wrong"


def test_a_running_mean_is_not_the_figure_of_a_batch():
    scenario = EVERY["batch.train_repeated"]
    measured = scenario.truth(single)
    assert len(measured["loss"]) == len(measured["mae"]) == 2
    measured["loss"] = list(np.cumsum(measured["loss"]) / [1, 2])
    found = statuses(scenario, measured)
    assert found == {"loss": "wrong", "mae": "ok", "weights": "ok"}


def test_a_mean_over_batches_is_not_the_mean_over_samples():
    scenario = EVERY["partial.fit"]
    measured = scenario.truth(single)
    measured["loss"] = [float(np.mean([loss, loss * 1.001])) for loss in measured["loss"]]
    assert statuses(scenario, measured)["loss"] == "wrong"


def test_the_first_figure_that_is_out_is_named():
    truth = [np.arange(1.0, 7.0).reshape(2, 3), np.ones(2)]
    scale = [np.full((2, 3), 1e-7), np.full(2, 1e-7)]
    got = [truth[0] + [[0, 0, 0], [0, 1e-3, 5.0]], truth[1]]
    status, figure, note = compare.compare(got, truth, scale)
    assert (status, note) == ("wrong", "array 0[1,1] is 5.001 instead of 5")
    assert figure == pytest.approx(5e7)


@pytest.mark.parametrize(
    ("measured", "truth", "scale", "status"),
    [
        (3, 3, None, "ok"),
        (2, 3, None, "wrong"),
        ([1.0, float("nan")], [1.0, 2.0], [np.full(2, 1e-7)], "nan"),
        ([1.0, float("nan")], [1.0, float("nan")], [np.full(2, 1e-7)], "ok"),
        ([1.0], [1.0, 2.0], [np.full(2, 1e-7)], "wrong"),
    ],
)
def test_what_is_no_matter_of_rounding(measured, truth, scale, status):
    assert compare.compare(measured, truth, scale)[0] == status


def test_cells_that_agree_have_the_same_digest():
    one = [np.array([1.000001, 2.0])]
    assert compare.digest(one) == compare.digest([np.array([1.0000012, 2.0])])
    assert compare.digest(one) != compare.digest([np.array([1.001, 2.0])])


# --- what happens to a scenario ---------------------------------------------------------------------------------------


def scenario(measure, lacks=""):
    return scenarios.Scenario("x", measure, lambda rounding: {"loss": [rounding(1.0)], "n": 2}, None, lambda _: lacks)


def raising(error):
    def measure(_keras):
        raise error

    return measure


@pytest.mark.parametrize(
    ("tried", "status", "note"),
    [
        (scenario(raising(ValueError("a bad shape"))), "raises", "ValueError: a bad shape"),
        (scenario(raising(NotImplementedError("fit is not implemented"))), "unsupported", "fit is not implemented"),
        (scenario(raising(ValueError("must be 1 with the PyTorch backend"))), "unsupported", "must be 1 with"),
        (scenario(raising(AssertionError()), lacks="no keras.optimizers.Muon"), "unsupported", "no keras.optimizers"),
        (scenario(lambda _keras: {"n": 2, "loss": [1.5]}), "wrong", "1.5 instead of 1"),
        (scenario(lambda _keras: {"n": 2}), "wrong", "not reported"),
        (scenario(lambda _keras: {"n": 2, "loss": [1.0]}), "ok", ""),
    ],
)
def test_every_way_to_end_is_a_record(tried, status, note):
    cases, trace = training.attempt(None, tried)
    assert cases["loss"].status == status
    assert note in cases["loss"].note
    assert bool(trace) == (status == "raises")


def test_perturbations_are_within_one_rounding():
    values = network.Perturbation(1, 2.0**-24)(np.ones(1000))
    assert 0.9 * 2.0**-24 < np.abs(values - 1).max() <= 2.0**-24
