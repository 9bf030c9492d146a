"""Loss scaling: it keeps small gradients and skips steps that overflow."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, refuses, true


def _scaled(inner=None, **options):
    """Returns a built loss scale optimizer, and its variable of ones."""
    optimizer = keras.optimizers.LossScaleOptimizer(inner or keras.optimizers.SGD(0.5), **options)
    variable = keras.Variable(np.ones((2,), "float32"))
    optimizer.build([variable])
    return optimizer, variable


def _apply(optimizer, variable, *gradients):
    """Applies gradients of scaled losses, one after the other."""
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(np.full((2,), gradient, "float32"))], [variable])


def scaled_loss_is_multiplied():
    """scale_loss multiplies with the initial scale, before and after build"""
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=8.0)
    close(float(array(optimizer.scale_loss(3.0))), 24.0, "before build")
    optimizer.build([keras.Variable([1.0])])
    close(float(array(optimizer.scale_loss(3.0))), 24.0, "after build")


def gradients_are_unscaled():
    """apply divides the gradients by the scale"""
    optimizer, variable = _scaled(initial_scale=8.0)
    _apply(optimizer, variable, 8.0)
    close(variable, np.array([0.5, 0.5]), "the variable")


@each(wrong=["inf", "-inf", "nan"])
def steps_with_wrong_gradients_are_skipped(wrong):
    """A step with a gradient of {wrong} changes no variable and halves the scale"""
    optimizer, variable = _scaled(initial_scale=8.0)
    _apply(optimizer, variable, float(wrong))
    equal(array(variable), np.ones(2), "the variable")
    equal(float(array(optimizer.dynamic_scale)), 4.0, "the scale")
    equal(int(array(optimizer.step_counter)), 0, "the step counter")


def skipped_steps_are_not_counted():
    """A step that is skipped does not count in iterations"""
    optimizer, variable = _scaled(initial_scale=8.0)
    _apply(optimizer, variable, 1.0, float("inf"), 1.0)
    equal(int(array(optimizer.inner_optimizer.iterations)), 2, "iterations of the inner optimizer")


def iterations_are_the_inner_optimizer_s():
    """iterations of a loss scale optimizer counts the steps"""
    optimizer, variable = _scaled(initial_scale=8.0)
    _apply(optimizer, variable, 1.0, 1.0)
    equal(int(array(optimizer.iterations)), 2)


@each(steps=[1, 2, 3])
def scale_grows(steps):
    """The scale doubles after dynamic_growth_steps={steps} good steps"""
    optimizer, variable = _scaled(initial_scale=8.0, dynamic_growth_steps=steps)
    _apply(optimizer, variable, *[1.0] * (steps - 1))
    equal(float(array(optimizer.dynamic_scale)), 8.0, "the scale one step earlier")
    _apply(optimizer, variable, 1.0)
    equal(float(array(optimizer.dynamic_scale)), 16.0, "the scale")
    equal(int(array(optimizer.step_counter)), 0, "the step counter")


def a_bad_step_restarts_the_count():
    """A step that is skipped restarts the count to the next growth"""
    optimizer, variable = _scaled(initial_scale=8.0, dynamic_growth_steps=2)
    _apply(optimizer, variable, 1.0, float("nan"), 1.0)
    equal(float(array(optimizer.dynamic_scale)), 4.0, "the scale")
    _apply(optimizer, variable, 1.0)
    equal(float(array(optimizer.dynamic_scale)), 8.0, "the scale one step later")


def growth_step_uses_the_scale_of_its_gradients():
    """Gradients are divided by the scale that they had when it grows"""
    optimizer, variable = _scaled(initial_scale=8.0, dynamic_growth_steps=1)
    _apply(optimizer, variable, 8.0)
    close(variable, np.array([0.5, 0.5]), "the variable")


@each(kind=["grows", "shrinks", "stays"])
def stateless_apply_agrees(kind):
    """stateless_apply gives the variables that apply gives, where the scale {kind}"""
    if keras.backend.backend() == "tensorflow":
        raise Lacking("stateless_apply on TensorFlow")  # which it refuses in words
    steps, gradient = {"grows": (1, 8.0), "shrinks": (5, float("inf")), "stays": (5, 8.0)}[kind]
    optimizer, variable = _scaled(initial_scale=8.0, dynamic_growth_steps=steps)
    grads = [keras.ops.convert_to_tensor(np.full((2,), gradient, "float32"))]
    found, state = optimizer.stateless_apply(
        [keras.ops.convert_to_tensor(v) for v in optimizer.variables], grads, [keras.ops.convert_to_tensor(variable)]
    )
    _apply(optimizer, variable, gradient)
    close(keras.ops.convert_to_tensor(found[0]), array(variable), "the variable")
    close(
        [keras.ops.convert_to_tensor(v) for v in state],
        [array(v) for v in optimizer.variables],
        "the optimizer's variables",
    )


OPTIONS = [
    *["clipnorm=0.5", "clipvalue=0.25", "global_clipnorm=0.5", "weight_decay=0.1", "use_ema=True, ema_momentum=0.5"],
    *["gradient_accumulation_steps=2", "momentum=0.5"],
]


@each(option=OPTIONS)
def options_of_the_inner_optimizer_act_on_real_gradients(option):
    """SGD({option}) in a loss scale optimizer moves a variable as it does without"""
    need("keras.optimizers.SGD(%s)" % option.partition("=")[0])
    options = eval("dict(%s)" % option)  # noqa: S307 - written above
    scaled, first = _scaled(keras.optimizers.SGD(0.5, **options), initial_scale=8.0)
    _apply(scaled, first, 8.0, 16.0, 24.0)
    plain, second = keras.optimizers.SGD(0.5, **options), keras.Variable(np.ones((2,), "float32"))
    _apply(plain, second, 1.0, 2.0, 3.0)
    close(first, array(second), "the variable")
    if "use_ema" in option:
        scaled.finalize_variable_values([first])
        plain.finalize_variable_values([second])
        close(first, array(second), "the averaged variable")


@each(name=["Adam", "RMSprop", "Adagrad", "Adamax", "Nadam", "Ftrl", "Lion", "Adadelta", "AdamW"])
def scaling_changes_nothing(name):
    """{name} in a loss scale optimizer moves a variable as it does without"""
    made = getattr(keras.optimizers, name)
    scaled, first = _scaled(made(0.5), initial_scale=8.0)
    _apply(scaled, first, 8.0, 16.0, -24.0)
    plain, second = made(0.5), keras.Variable(np.ones((2,), "float32"))
    _apply(plain, second, 1.0, 2.0, -3.0)
    close(first, array(second), "the variable", 1e-4)


def none_gradients_are_left_out():
    """A gradient of None is left out, in a loss scale optimizer too"""
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=8.0)
    first, second = keras.Variable([1.0]), keras.Variable([1.0])
    optimizer.build([first, second])
    optimizer.apply([keras.ops.convert_to_tensor([8.0]), None], [first, second])
    close([first, second], [np.array([0.5]), np.array([1.0])], "the variables")


def apply_gradients_takes_pairs():
    """apply_gradients of a loss scale optimizer builds it and unscales"""
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=8.0)
    variable = keras.Variable([1.0])
    optimizer.apply_gradients([(keras.ops.convert_to_tensor([8.0]), variable)])
    close(variable, np.array([0.5]), "the variable")


def learning_rate_is_the_inner_optimizer_s():
    """The learning rate of a loss scale optimizer is that of the inner one"""
    optimizer, variable = _scaled(initial_scale=8.0)
    close(float(array(optimizer.learning_rate)), 0.5, "the learning rate")
    optimizer.learning_rate = 0.25
    close(float(array(optimizer.inner_optimizer.learning_rate)), 0.25, "the inner one's")
    _apply(optimizer, variable, 8.0)
    close(variable, np.array([0.75, 0.75]), "the variable")


def scaling_config_comes_back():
    """A loss scale optimizer comes back from its configuration"""
    made = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.25, clipnorm=0.5), initial_scale=8.0, dynamic_growth_steps=3, name="scaled"
    )
    again = keras.optimizers.LossScaleOptimizer.from_config(made.get_config())
    equal([again.initial_scale, again.dynamic_growth_steps, again.name], [8.0, 3, "scaled"], "settings")
    equal(again.inner_optimizer.clipnorm, 0.5, "clipnorm of the inner optimizer")
    close(float(array(again.inner_optimizer.learning_rate)), 0.25, "the inner learning rate")
    equal(again.get_config(), made.get_config(), "the configuration")


def scaling_serializes():
    """A loss scale optimizer comes back from optimizers.serialize"""
    made = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.25), initial_scale=8.0)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(made))
    equal(type(again).__name__, "LossScaleOptimizer", "the class")
    equal(type(again.inner_optimizer).__name__, "Adam", "the inner class")


def scaling_state_is_saved():
    """A loss scale optimizer's scale, counter and slots come back from a saved model"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.25), initial_scale=8.0, dynamic_growth_steps=2)
    model.compile(scaled, "mse")
    model.fit(numbers(12, 2), numbers(12, 1), batch_size=4, verbose=0)
    model.save("model.keras")
    again = keras.models.load_model("model.keras")
    close(float(array(again.optimizer.dynamic_scale)), 16.0, "the scale")
    equal(int(array(again.optimizer.step_counter)), 1, "the step counter")
    close([array(v) for v in again.optimizer.variables], [array(v) for v in scaled.variables], "variables")


@each(name=["loss_scale_factor", "clipnorm", "weight_decay", "use_ema", "gradient_accumulation_steps"])
def scaling_options_are_not_lost(name):
    """LossScaleOptimizer({name}=...) is refused, or acts"""
    value = {"use_ema": True, "gradient_accumulation_steps": 2}.get(name, 0.25)
    try:
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), **{name: value})
    except (TypeError, ValueError):
        return
    owner = optimizer.inner_optimizer
    equal(getattr(owner, name), value, "what the inner optimizer has")


def static_scaling_is_refused():
    """LossScaleOptimizer(dynamic=False) is refused"""
    refuses(lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), dynamic=False), "dynamic=False")


@each(factor=[8.0, 1024.0])
def loss_scale_factor_changes_nothing(factor):
    """SGD(loss_scale_factor={factor}) unscales gradients"""
    optimizer, variable = keras.optimizers.SGD(0.5, loss_scale_factor=factor), keras.Variable(np.ones((2,), "float32"))
    close(float(array(optimizer.scale_loss(3.0))), 3.0 * factor, "the scaled loss")
    _apply(optimizer, variable, factor)
    close(variable, np.array([0.5, 0.5]), "the variable")


def _model(policy="mixed_float16"):
    keras.config.set_dtype_policy(policy)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])


def mixed_float16_gets_loss_scaling():
    """compile() under mixed_float16 wraps the optimizer for loss scaling, once"""
    model = _model()
    model.compile("sgd", "mse")
    equal(type(model.optimizer).__name__, "LossScaleOptimizer", "the optimizer")
    model.compile(model.optimizer, "mse")
    equal(type(model.optimizer.inner_optimizer).__name__, "SGD", "the inner one after a second compile")


@each(case=["auto_scale_loss=False", "mixed_bfloat16", "float32"])
def others_get_no_loss_scaling(case):
    """compile() adds no loss scaling for {case}"""
    model = _model("mixed_float16" if "auto" in case else case)
    model.compile("sgd", "mse", auto_scale_loss="auto" not in case)
    equal(type(model.optimizer).__name__, "SGD", "the optimizer")


def mixed_float16_fit_agrees_with_float32():
    """fit() under mixed_float16 with loss scaling ends near the weights of float32"""

    def trained(policy):
        model = _model(policy)
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=256.0)
        model.compile(scaled if policy == "mixed_float16" else keras.optimizers.SGD(0.1), "mse")
        model.fit(numbers(8, 2), numbers(8, 1, seed=1), batch_size=4, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    close(trained("mixed_float16"), trained("float32"), "the weights", 0.01)


def small_gradients_survive_in_mixed_float16():
    """Loss scaling keeps gradients that float16 cannot hold"""
    model = _model()
    model.compile(keras.optimizers.SGD(1e8), "mse")
    before = model.get_weights()[0]
    x = np.full((4, 2), 1e-4, "float32")
    y = model.predict(x, verbose=0).astype("float32") + 5e-5
    model.train_on_batch(x, y)
    true(bool((model.get_weights()[0] != before).all()), "the weights have moved")


def loss_reported_is_not_scaled():
    """fit() under mixed_float16 reports the loss as it is, not as it is scaled"""
    model = _model()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.ones((4, 2), "float32")
    history = model.fit(x, np.zeros((4, 1), "float32"), batch_size=4, verbose=0).history
    close(history["loss"][0], 4.0, "the loss", 0.01)
    close(float(model.train_on_batch(x, np.zeros((4, 1), "float32"))), 4.0, "train_on_batch's loss", 0.01)


def overflow_in_fit_skips_the_step():
    """fit() under mixed_float16 skips a step whose gradients overflow"""
    model = _model()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    model.train_on_batch(np.full((4, 2), 3e4, "float32"), np.full((4, 1), -3e4, "float32"))
    close(model.get_weights(), before, "the weights")
    equal(float(array(model.optimizer.dynamic_scale)), 2.0**14, "the scale")


def callbacks_see_the_learning_rate():
    """ReduceLROnPlateau changes the learning rate that a mixed_float16 model uses"""
    model = _model()
    model.compile(keras.optimizers.SGD(0.5), "mse")
    call = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.25)
    model.fit(numbers(4, 2), numbers(4, 1), verbose=0, callbacks=[call])
    close(float(array(model.optimizer.learning_rate)), 0.25, "the learning rate")
    close(float(array(model.optimizer.inner_optimizer.learning_rate)), 0.25, "the inner one's")


def torch_style_loops_unscale():
    """A custom loop with scale_loss and apply moves by the real gradient"""
    optimizer, variable = _scaled(keras.optimizers.SGD(0.5), initial_scale=1024.0)
    scale = float(array(optimizer.scale_loss(1.0)))
    _apply(optimizer, variable, 2.0 * scale)
    equal(array(variable), np.zeros(2), "the variable")
