"""Optimizers, schedules and their settings, directly and through fit."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true

_OPTIMIZERS = ["SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam", "Ftrl",
               "Lion", "Lamb", "Muon", "LossScaleOptimizer"]  # fmt: skip
_X, _Y = numbers(4, 3, seed=1), numbers(4, 2, seed=2)


def _made(kind, *arguments, **options):
    """Returns an optimizer; that of loss scaling wraps SGD."""
    made = need("keras.optimizers." + kind)
    if kind == "LossScaleOptimizer":
        return made(keras.optimizers.SGD(*arguments, **options), initial_scale=2.0)
    return made(*arguments, **options)


def _variables():
    """Returns a kernel and a bias."""
    return [keras.Variable(numbers(3, 2, seed=5), name="kernel"), keras.Variable(np.zeros(2, "float32"), name="bias")]


def _gradients(seed=6):
    return [keras.ops.convert_to_tensor(numbers(3, 2, seed=seed)), keras.ops.convert_to_tensor(numbers(2, seed=seed))]


def _applied(optimizer, steps=3, variables=None):
    """Returns the variables after some steps."""
    variables = _variables() if variables is None else variables
    for step in range(steps):
        optimizer.apply([2.0 * g if "Scale" in type(optimizer).__name__ else g for g in _gradients(step)], variables)
    return [array(v) for v in variables]


@each(optimizer=_OPTIMIZERS)
def apply_gradients_equals_apply(optimizer):
    """{optimizer}.apply_gradients of pairs moves variables as apply does"""
    variables, made = _variables(), _made(optimizer, 0.1)
    for step in range(3):
        found = [2.0 * g if optimizer.startswith("Loss") else g for g in _gradients(step)]
        made.apply_gradients(zip(found, variables))
    close([array(v) for v in variables], _applied(_made(optimizer, 0.1)), "variable")


@each(optimizer=_OPTIMIZERS)
def stateless_apply_equals_apply(optimizer):
    """{optimizer}.stateless_apply gives what apply gives, and changes nothing"""
    made, variables = _made(optimizer, 0.1), _variables()
    made.build(variables)
    before = [array(v) for v in variables]
    state, own = [array(v) for v in variables], [array(v) for v in made.variables]
    state, own = ([keras.ops.convert_to_tensor(v) for v in part] for part in (state, own))
    for step in range(2):
        found = [2.0 * g if optimizer.startswith("Loss") else g for g in _gradients(step)]
        state, own = made.stateless_apply(own, found, state)
    equal([array(v) for v in variables], before, "the variables themselves")
    close([array(v) for v in state], _applied(_made(optimizer, 0.1), 2), "variable")


@each(optimizer=["SGD", "Adam", "Adafactor", "Muon", "LossScaleOptimizer"])
def optimizer_counts_its_iterations(optimizer):
    """{optimizer}.iterations counts steps, applied and through fit"""
    made = _made(optimizer, 0.01)
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    model.compile(made, "mse", run_eagerly=True)
    model.fit(_X, _Y, batch_size=2, epochs=2, verbose=0)
    equal(int(array(made.iterations)), 4, "iterations")


@each(optimizer=_OPTIMIZERS)
def optimizer_skips_missing_gradients(optimizer):
    """{optimizer} leaves a variable alone whose gradient is None, and moves the others"""
    made, variables = _made(optimizer, 0.1), _variables()
    before = [array(v) for v in variables]
    made.apply([_gradients()[0], None], variables)
    true(not np.array_equal(array(variables[0]), before[0]), "the first variable moves")
    equal(array(variables[1]), before[1], "the second variable")
    refuses(lambda: made.apply([None, None], variables), "no gradient at all")


@each(optimizer=_OPTIMIZERS)
def optimizer_comes_back_from_its_config(optimizer):
    """{optimizer} with options comes back from its config and moves variables alike"""
    options = {"weight_decay": 0.01, "clipnorm": 0.5, "use_ema": True, "ema_momentum": 0.9, "name": "mine"}
    if optimizer.startswith("Loss"):
        options = {"momentum": 0.9}
    made = _made(optimizer, 0.05, **options)
    other = keras.optimizers.deserialize(keras.optimizers.serialize(made))
    for key, value in options.items():
        if key != "momentum":
            equal(other.get_config()[key], value, key)
    close(_applied(other), _applied(made), "variable")


@each(optimizer=["SGD", "Adam", "Adagrad", "Lamb", "Muon"], option=["clipnorm", "clipvalue", "global_clipnorm"])
def optimizer_clips(optimizer, option):
    """{optimizer}({option}=0.1) moves variables as by gradients clipped beforehand"""
    found, made = _variables(), _made(optimizer, 0.1, **{option: 0.1})
    plain, other = _variables(), _made(optimizer, 0.1)
    grads = [array(g) for g in _gradients()]
    if option == "clipvalue":
        clipped = [np.clip(g, -0.1, 0.1) for g in grads]
    elif option == "clipnorm":
        clipped = [g * 0.1 / max(np.linalg.norm(g), 0.1) for g in grads]
    else:
        clipped = [g * 0.1 / max(np.sqrt(sum(np.sum(h**2) for h in grads)), 0.1) for g in grads]
    made.apply([keras.ops.convert_to_tensor(g) for g in grads], found)
    other.apply([keras.ops.convert_to_tensor(g) for g in clipped], plain)
    close([array(v) for v in found], [array(v) for v in plain], "variable", tolerance=3e-5)


@each(optimizer=[name for name in _OPTIMIZERS[:-1] if name not in ("AdamW", "Muon")])
def optimizer_decays_weights(optimizer):
    """{optimizer}(weight_decay=0.1) shrinks weights that are not excluded"""
    made, plain = _made(optimizer, 0.01, weight_decay=0.1), _made(optimizer, 0.01)
    variables = _variables()
    variables[1].assign(np.ones(2, "float32"))
    others = _variables()
    others[1].assign(np.ones(2, "float32"))
    made.exclude_from_weight_decay(var_names=["bias"])
    zeros = [keras.ops.zeros(v.shape) for v in variables]
    made.apply(zeros, variables)
    plain.apply(zeros, others)
    if optimizer in ("Lamb", "Ftrl"):  # whose steps depend on the weights
        equal(array(variables[1]), array(others[1]), "the excluded one")
        return
    close(array(variables[0]), array(others[0]) * (1 - 0.1 * 0.01), "the kernel")
    equal(array(variables[1]), array(others[1]), "the excluded one")


@each(steps=[2, 3], optimizer=["SGD", "Adam", "RMSprop"])
def accumulation_averages_gradients(steps, optimizer):
    """{optimizer}(gradient_accumulation_steps={steps}) moves by the mean"""
    need("keras.optimizers.Optimizer(gradient_accumulation_steps)")
    made, variables = _made(optimizer, 0.1, gradient_accumulation_steps=steps), _variables()
    before = array(variables[0])
    for step in range(steps):
        equal(array(variables[0]), before, "the kernel before the last of the steps")
        made.apply(_gradients(step), variables)
    other, plain = _made(optimizer, 0.1), _variables()
    mean = [sum(array(_gradients(s)[i]) for s in range(steps)) / steps for i in range(2)]
    other.apply([keras.ops.convert_to_tensor(g) for g in mean], plain)
    close([array(v) for v in variables], [array(v) for v in plain], "variable")


@each(frequency=["None", 1, 3])
def moving_average_follows_the_weights(frequency):
    """SGD(use_ema, ema_overwrite_frequency={frequency}) averages weights"""
    every = None if frequency == "None" else frequency
    made, variables = _made("SGD", 0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=every), _variables()
    w = array(variables[0]).astype("float64")
    mean = np.zeros_like(w)
    for step in range(4):
        made.apply(_gradients(step), variables)
        w = w - 0.1 * array(_gradients(step)[0])
        mean = w if step == 0 else 0.8 * mean + 0.2 * w
        if every and (step + 1) % every == 0:
            w = mean
        close(array(variables[0]), w, "the kernel after step %d" % (step + 1), tolerance=3e-5)
    made.finalize_variable_values(variables)
    close(array(variables[0]), mean, "the kernel at the end", tolerance=3e-5)


@each(form=["number", "variable", "schedule", "callable"])
def learning_rate_can_be_given_as(form):
    """SGD(learning_rate) takes a {form}, and steps by it"""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.25])
    rate = {"number": 0.5, "variable": 0.5, "schedule": schedule, "callable": lambda: 0.5}[form]
    made, variables = keras.optimizers.SGD(rate), _variables()
    expected = array(variables[0]).astype("float64")
    for step, size in enumerate([0.5, 0.25 if form == "schedule" else 0.5]):
        made.apply(_gradients(step), variables)
        expected = expected - size * array(_gradients(step)[0])
    close(array(variables[0]), expected, "the kernel")


@each(optimizer=_OPTIMIZERS)
def learning_rate_can_be_set(optimizer):
    """{optimizer}.learning_rate can be read, set and used"""
    made = _made(optimizer, 0.5)
    made.learning_rate = 0.25
    close(float(array(made.learning_rate)), 0.25, "learning_rate")
    other = _made(optimizer, 0.25)
    close(_applied(made), _applied(other), "variable")


def learning_rate_of_a_schedule_cannot_be_set():
    """setting learning_rate of an optimizer with a schedule is refused"""
    made = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))
    refuses(lambda: setattr(made, "learning_rate", 0.5), "a learning rate next to a schedule")


def _truths(step):
    """Returns every schedule's value at a step, by its documented formula."""
    p = min(step, 10) / 10
    warm = 0.1 + (0.5 - 0.1) * step / 4 if step < 4 else 0.5 * (0.9 * (1 + np.cos(np.pi * min(
        step - 4, 10) / 10)) / 2 + 0.1)  # fmt: skip
    start, length, height = 0, 4, 1.0
    while step >= start + length:
        start, length, height = start + length, length * 2, height * 0.5
    restart = height * (1 + np.cos(np.pi * (step - start) / length)) / 2
    length = 10 * max(1, np.ceil(step / 10))
    return {
        "ExponentialDecay(0.5, 10, 0.8)": 0.5 * 0.8 ** (step / 10),
        "ExponentialDecay(0.5, 10, 0.8, staircase=True)": 0.5 * 0.8 ** (step // 10),
        "InverseTimeDecay(0.5, 10, 0.8)": 0.5 / (1 + 0.8 * step / 10),
        "InverseTimeDecay(0.5, 10, 0.8, staircase=True)": 0.5 / (1 + 0.8 * (step // 10)),
        "PolynomialDecay(0.5, 10, 0.1, power=2.0)": 0.4 * (1 - p) ** 2 + 0.1,
        "PolynomialDecay(0.5, 10, 0.1, cycle=True)": 0.4 * (1 - step / length) + 0.1,
        "PiecewiseConstantDecay([3, 12], [0.5, 0.2, 0.1])": 0.5 if step <= 3 else 0.2 if step <= 12 else 0.1,
        "CosineDecay(0.5, 10, alpha=0.1)": 0.5 * (0.9 * (1 + np.cos(np.pi * p)) / 2 + 0.1),
        "CosineDecay(0.1, 10, alpha=0.1, warmup_target=0.5, warmup_steps=4)": warm,
        "CosineDecayRestarts(0.5, 4, t_mul=2.0, m_mul=0.5, alpha=0.1)": 0.5 * (0.9 * restart + 0.1),
    }


@each(schedule=list(_truths(0)), step=[0, 3, 4, 10, 13, 25])
def schedule_equals_its_formula(schedule, step):
    """schedules.{schedule} at step {step} has its formula's value"""
    made = eval("keras.optimizers.schedules." + schedule, {"keras": keras})  # noqa: S307 - our own text
    close(made(step), _truths(step)[schedule])
    close(made(keras.ops.convert_to_tensor(np.int32(step))), _truths(step)[schedule], "of a tensor")


@each(schedule=list(_truths(0)))
def schedule_comes_back_from_its_config(schedule):
    """schedules.{schedule} comes back from its config, alone and in an optimizer"""
    made = eval("keras.optimizers.schedules." + schedule, {"keras": keras})  # noqa: S307 - our own text
    other = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
    close([float(other(s)) for s in (0, 5, 13)], [float(made(s)) for s in (0, 5, 13)], "its values")
    one = keras.optimizers.SGD.from_config(keras.optimizers.SGD(made).get_config())
    close(float(array(one.learning_rate)), float(made(0)), "the rate of an optimizer")


def schedule_steps_through_fit():
    """fit steps a schedule once per batch"""
    made = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    model.compile(made, "mse")
    model.fit(_X, _Y, batch_size=1, verbose=0)
    close(float(array(made.learning_rate)), 0.1 * 0.5**4)


@each(optimizer=["SGD", "Adam", "AdamW", "Adagrad", "Ftrl", "Lion", "Muon", "Adafactor"])
def embedding_trains_with(optimizer):
    """{optimizer} trains an embedding and leaves rows without gradients alone"""
    table = keras.layers.Embedding(6, 2)
    model = given(keras.Sequential([keras.Input((3,), dtype="int32"), table, keras.layers.Flatten(),
                                    keras.layers.Dense(2)]))  # fmt: skip
    model.compile(_made(optimizer, 0.05), "mse", run_eagerly=True)
    start, words = table.get_weights()[0], np.array([[0, 1, 1], [2, 1, 0], [4, 4, 0], [2, 0, 0]])
    losses = model.fit(words, _Y, batch_size=4, epochs=3, verbose=0).history["loss"]
    true(losses[-1] < losses[0], "the loss decreases (found %s)" % losses)
    moved = np.any(table.get_weights()[0] != start, axis=1)
    equal(moved[[0, 1, 2, 4]].tolist(), [True] * 4, "whether the rows that occur move")
    if optimizer not in ("AdamW", "Lamb", "Muon", "Ftrl"):
        equal(moved[[3, 5]].tolist(), [False] * 2, "whether the other rows move")


@each(option=["clipnorm", "global_clipnorm", "clipvalue", "weight_decay", "use_ema", "gradient_accumulation_steps"])
def embedding_trains_with_option(option):
    """Adam({option}) trains an embedding through fit"""
    value = {"use_ema": True, "gradient_accumulation_steps": 2}.get(option, 0.5)
    need("keras.optimizers.Adam(%s)" % option)
    table = keras.layers.Embedding(6, 2)
    model = given(keras.Sequential([keras.Input((3,), dtype="int32"), table, keras.layers.Flatten()]))
    model.compile(keras.optimizers.Adam(0.05, **{option: value}), "mse", run_eagerly="clip" not in option)
    words = np.array([[0, 1, 1], [2, 1, 0]])
    losses = model.fit(words, numbers(2, 6), batch_size=2, epochs=4, verbose=0).history["loss"]
    true(losses[-1] < losses[0], "the loss decreases (found %s)" % losses)


@each(name=[*(n.lower() for n in _OPTIMIZERS[:-1]), "SGD", "Adam", "AdamW"])
def optimizer_by_its_name(name):
    """compile(optimizer={name}) finds the optimizer"""
    found = {n.lower(): n for n in _OPTIMIZERS}[name.lower()]
    need("keras.optimizers." + found)
    equal(type(keras.optimizers.get(name)).__name__, found, "the class")


def optimizer_of_two_models_is_refused():
    """an optimizer that was built for one model refuses the variables of another"""
    made = keras.optimizers.Adam(0.1)
    for place in range(2):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile(made, "mse", run_eagerly=True)
        if place == 0:
            model.fit(_X, _Y, verbose=0)
        else:
            refuses(lambda model=model: model.fit(_X, _Y, verbose=0), "a second model", errors=(Exception,))


@each(option=["clipnorm and clipvalue", "ema_momentum 1.5", "ema_overwrite_frequency -1",
              "gradient_accumulation_steps 1", "an unknown argument"])  # fmt: skip
def optimizer_refuses(option):
    """SGD refuses {option}"""
    options = {"clipnorm and clipvalue": {"clipnorm": 1.0, "clipvalue": 1.0},
               "ema_momentum 1.5": {"use_ema": True, "ema_momentum": 1.5},
               "ema_overwrite_frequency -1": {"use_ema": True, "ema_overwrite_frequency": -1},
               "gradient_accumulation_steps 1": {"gradient_accumulation_steps": 1},
               "an unknown argument": {"lr_nonesuch": 0.1}}[option]  # fmt: skip
    if option.startswith("gradient"):
        need("keras.optimizers.SGD(gradient_accumulation_steps)")
    refuses(lambda: keras.optimizers.SGD(0.1, **options), option)


@each(optimizer=["SGD", "Adam"], constraint=["NonNeg", "MaxNorm", "UnitNorm", "MinMaxNorm"])
def constraints_hold_after_a_step(optimizer, constraint):
    """fit with {optimizer} keeps kernel_constraint={constraint}"""
    made = getattr(keras.constraints, constraint)()
    dense = keras.layers.Dense(2, kernel_constraint=made)
    model = given(keras.Sequential([keras.Input((3,)), dense]))
    model.compile(_made(optimizer, 0.5), "mse", run_eagerly=True)
    model.fit(_X, 5 * _Y, batch_size=4, verbose=0)
    kernel = dense.get_weights()[0]
    norms = np.linalg.norm(kernel, axis=0)
    fine = {"NonNeg": (kernel >= 0).all(), "MaxNorm": (norms < 2 + 1e-5).all(), "MinMaxNorm": (norms < 1 + 1e-5).all(),
            "UnitNorm": np.allclose(norms, 1, atol=1e-5)}[constraint]  # fmt: skip
    true(fine, "the kernel keeps it (norms %s, least %s)" % (norms, kernel.min()))


def loss_scale_adapts():
    """LossScaleOptimizer skips infinite gradients and adapts its scale"""
    made, variables = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), 8.0, 2), _variables()
    before = array(variables[0])
    made.apply([keras.ops.convert_to_tensor(np.full((3, 2), np.inf, "float32")), _gradients()[1]], variables)
    equal(array(variables[0]), before, "the kernel after infinite gradients")
    close(float(array(made.scale_loss(1.0))), 4.0, "the scale after them")
    for step in range(2):
        made.apply([4.0 * g for g in _gradients(step)], variables)
    close(float(array(made.scale_loss(1.0))), 8.0, "the scale after two finite steps")
    expected = before - 0.1 * (array(_gradients(0)[0]) + array(_gradients(1)[0]))
    close(array(variables[0]), expected, "the kernel after them")
    equal(int(array(made.iterations)), 2, "iterations")


@each(attribute=["learning_rate", "iterations", "variables", "weight_decay"])
def loss_scale_optimizer_hands_on(attribute):
    """LossScaleOptimizer.{attribute} is that of the optimizer inside"""
    inner = keras.optimizers.SGD(0.25)
    made = keras.optimizers.LossScaleOptimizer(inner)
    made.build(_variables())
    if attribute == "learning_rate":
        close(float(array(made.learning_rate)), 0.25)
    elif attribute == "variables":
        true(len(made.variables) > len(inner.variables), "it has those of the inner one and its own")
    elif attribute == "weight_decay":
        equal(inner.weight_decay, None)
    else:
        equal(int(array(made.iterations)), int(array(inner.iterations)))


@each(optimizer=_OPTIMIZERS)
def optimizer_variables_come_back(optimizer):
    """variables of {optimizer} handed to another one continue the same way"""
    one, first = _made(optimizer, 0.1), _variables()
    _applied(one, 2, first)
    two, second = _made(optimizer, 0.1), _variables()
    for mine, theirs in zip(second, first):
        mine.assign(array(theirs))
    two.build(second)
    for mine, theirs in zip(two.variables, one.variables):
        mine.assign(array(theirs))
    close(_applied(two, 2, second), _applied(one, 2, first), "variable")
