"""The truth of the training probe: gradients against differences, updates against what their papers promise."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probe.training import network, reference, scenarios, updates


@pytest.fixture
def random():
    return np.random.RandomState(3)


def loss_of(net, x, y, loss):
    out = net.forward(x, True, network.exact)
    return network.LOSSES[loss](y, out, network.exact)[0].mean() + net.penalty()


@pytest.mark.parametrize(
    ("layers", "x", "y", "loss"),
    [
        (scenarios.mlp(l1=0.03, l2=0.02), scenarios.X, scenarios.Y, "mse"),
        (scenarios.mlp(activity_l2=0.05), scenarios.X, scenarios.Y, "mse"),
        (scenarios.mlp(), scenarios.X, scenarios.LABELS, "crossentropy"),
        (scenarios.normalized(), scenarios.X, scenarios.Y, "mse"),
        (scenarios.normalized(trainable=False), scenarios.X, scenarios.Y, "mse"),
        (scenarios.words(), scenarios.WORDS, scenarios.Y, "mse"),
        (scenarios.mlp(), scenarios.STEPS_X, scenarios.STEPS_Y, "mse"),
    ],
)
def test_gradients_are_the_slopes_of_the_loss(layers, x, y, loss, random):
    net = network.Network(layers)
    out = net.forward(x, True, network.exact)
    values, slopes = network.LOSSES[loss](y, out, network.exact)
    net.backward(slopes / values.size, network.exact)
    for layer in net.layers:
        for parameter, gradient in zip(layer.parameters, [g.copy() for g in layer.gradients], strict=True):
            at = tuple(random.randint(0, n) for n in parameter.shape)
            ends = []
            for step in (1e-6, -2e-6):
                parameter[at] += step
                ends.append(loss_of(net, x, y, loss))
            parameter[at] += 1e-6
            assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[at], rel=1e-4, abs=1e-8)


def one_step(update, weight, gradient, rate=0.1, steps=1):
    for t in range(1, steps + 1):
        (weight,) = update.step([weight], [gradient], rate, t, network.exact)
    return weight


@pytest.mark.parametrize("name", ["Adam", "Adamax", "AdamW"])
def test_the_first_step_of_adam_moves_every_weight_by_the_rate(name):
    weight, gradient = np.zeros(4), np.array([3.0, -0.01, 200.0, -5.0])
    moved = one_step(updates.BY_NAME[name](epsilon=1e-12), weight, gradient)
    assert moved == pytest.approx(-0.1 * np.sign(gradient), rel=1e-6)


def test_amsgrad_never_forgets_a_large_gradient():
    plain, kept = updates.Adam(beta_2=0.5), updates.Adam(beta_2=0.5, amsgrad=True)
    for update in (plain, kept):
        (update.weight,) = update.step([np.zeros(1)], [np.array([100.0])], 0.1, 1, network.exact)
        for t in range(2, 9):
            (update.weight,) = update.step([update.weight], [np.array([0.1])], 0.1, t, network.exact)
    assert abs(plain.weight[0]) > 2 * abs(kept.weight[0])


def test_nesterov_looks_ahead_by_one_momentum():
    gradient = np.array([1.0])
    assert one_step(updates.SGD(momentum=0.9), np.zeros(1), gradient) == pytest.approx([-0.1])
    assert one_step(updates.SGD(momentum=0.9, nesterov=True), np.zeros(1), gradient) == pytest.approx([-0.19])
    assert one_step(updates.SGD(momentum=0.9), np.zeros(1), gradient, steps=2) == pytest.approx([-0.29])


def test_adagrad_steps_shrink_with_the_root_of_time():
    update = updates.Adagrad(initial_accumulator_value=0.0, epsilon=0.0)
    assert one_step(update, np.zeros(1), np.array([2.0]), steps=4)[0] == pytest.approx(
        -0.1 * sum(k**-0.5 for k in range(1, 5))
    )


def test_centred_rmsprop_divides_by_the_spread():
    update = updates.RMSprop(centered=True, rho=0.5, epsilon=0.0)
    # after one step the mean of squares is g^2 / 2 and the mean g / 2: a variance of g^2 / 4
    assert one_step(update, np.zeros(1), np.array([3.0])) == pytest.approx([-0.2])


def test_lion_moves_by_the_sign_alone():
    assert one_step(updates.Lion(), np.zeros(2), np.array([1e-9, -7.0])) == pytest.approx([-0.1, 0.1])


def test_lamb_moves_by_the_length_of_the_weights():
    weight = np.array([3.0, 4.0])
    moved = one_step(updates.Lamb(), weight, np.array([1.0, -2.0]))
    assert np.linalg.norm(moved - weight) == pytest.approx(0.1 * 5.0)


def test_ftrl_with_a_large_l1_stays_at_zero():
    strong = updates.Ftrl(l1_regularization_strength=10.0)
    assert not one_step(strong, np.zeros(3), np.array([1.0, -2.0, 0.5]), steps=3).any()
    assert one_step(updates.Ftrl(), np.zeros(1), np.array([1.0]))[0] < 0


def test_adafactor_moves_by_the_clipped_root_mean_square(random):
    weight = random.uniform(-1, 1, (4, 3))
    moved = one_step(updates.Adafactor(), weight, random.standard_normal((4, 3)))
    rms = np.sqrt(np.mean((moved - weight) ** 2))
    assert rms == pytest.approx(0.1 * np.sqrt(np.mean(weight**2)), rel=0.2)
    assert rms <= 0.1 * np.sqrt(np.mean(weight**2)) + 1e-12


def test_muon_makes_the_update_nearly_orthogonal(random):
    for shape in ((4, 7), (7, 4)):
        values = np.linalg.svd(updates.Muon().orthogonal(random.standard_normal(shape), network.exact))[1]
        assert np.all((values > 0.6) & (values < 1.25))


def test_adadelta_needs_no_rate_to_have_the_unit_of_the_weights():
    small, large = (one_step(updates.Adadelta(epsilon=1e-12), np.zeros(1), np.array([g]), 1.0) for g in (1.0, 1e6))
    assert small == pytest.approx(large)


def test_schedule_free_weights_lie_between_the_average_and_the_last():
    update = updates.ScheduleFreeAdamW(beta_1=0.9)
    weight = one_step(update, np.zeros(1), np.array([1.0]), steps=3)
    z = update.state("z", 0, weight)
    assert z < weight < 0


# --- fit --------------------------------------------------------------------------------------------------------------


def same(one, other):
    return all(np.allclose(a, b, rtol=1e-12, atol=1e-14) for a, b in zip(one["weights"], other["weights"], strict=True))


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    task = scenarios.partial(rate=0.0, epochs=1, metrics=("mse",))
    found = reference.fit(task)
    whole = reference.evaluate(task, task.network(), scenarios.X_ALL, scenarios.Y_ALL, None)
    assert found["loss"] == pytest.approx([whole["loss"]])
    assert found["mse"] == pytest.approx(found["loss"])
    assert len(found["running.loss"]) == 3


def test_a_batchs_own_figures_make_up_the_mean_so_far():
    found = reference.fit(scenarios.regression(epochs=1, metrics=("mae",)), logs_of_batches=True)
    for name in ("loss", "mae"):
        own = found["batch." + name]
        assert found["running." + name] == pytest.approx([own[0], (own[0] + own[1]) / 2])
    assert not [name for name in reference.fit(scenarios.regression()) if name.startswith("batch.")]


def test_class_weights_are_sample_weights():
    weights = np.array([scenarios.CLASSES[label] for label in scenarios.LABELS])
    by_class = reference.fit(scenarios.classification(class_weight=scenarios.CLASSES))
    assert same(by_class, reference.fit(scenarios.classification(sample_weight=weights)))
    assert not same(by_class, reference.fit(scenarios.classification()))


def test_accumulating_two_batches_is_one_batch_of_both():
    halves = reference.fit(scenarios.regression(common={"gradient_accumulation_steps": 2}, optimizer=("Adam", {})))
    assert same(halves, reference.fit(scenarios.regression(batch_size=16, optimizer=("Adam", {}))))


def test_a_masked_step_has_no_influence():
    x, y = scenarios.STEPS_X, scenarios.STEPS_Y
    mask = np.ones((scenarios.N, 4), bool)
    mask[:, 3] = False
    masked = reference.fit(reference.Task(scenarios.mlp(), x, y, mask=mask, metrics=("mae",)))
    cut = reference.fit(reference.Task(scenarios.mlp(), x[:, :3], y[:, :3], metrics=("mae",)))
    assert same(masked, cut)
    assert masked["mae"] == pytest.approx(cut["mae"])


def test_clipping_bounds_what_it_names():
    task = scenarios.regression(common={"clipnorm": 0.2})
    descent = reference.Descent(task, network.exact)
    big = [np.full((3, 3), 5.0), np.full(3, 0.01)]
    clipped = descent._clip(big)
    assert np.linalg.norm(clipped[0]) == pytest.approx(0.2)
    assert clipped[1] == pytest.approx(big[1])
    together = reference.Descent(scenarios.regression(common={"global_clipnorm": 0.2}), network.exact)._clip(big)
    assert np.sqrt(sum(np.sum(g**2) for g in together)) == pytest.approx(0.2)


def test_the_average_starts_at_the_first_weights_it_sees():
    one = reference.fit(scenarios.regression(epochs=1, batch_size=16, common={"use_ema": True, "ema_momentum": 0.9}))
    assert same(one, reference.fit(scenarios.regression(epochs=1, batch_size=16)))


def test_batch_normalization_keeps_the_biased_variance(random):
    layer = network.BatchNormalization(np.ones(2), np.zeros(2), np.zeros(2), np.ones(2), 0.75, 0.0)
    x = random.standard_normal((5, 2)) * 3 + 1
    out = layer.forward(x, True, network.exact)
    assert out.mean(0) == pytest.approx(np.zeros(2), abs=1e-12)
    assert out.std(0) == pytest.approx(np.ones(2))
    assert layer.state[1] == pytest.approx(0.75 + 0.25 * x.var(0))
    assert layer.forward(x, False, network.exact) == pytest.approx((x - layer.state[0]) / np.sqrt(layer.state[1]))
