"""Optimizers of half- and double-precision variables."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, true

OPTIMIZERS = [
    *["SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam", "Ftrl", "Lion", "Lamb"],
    *["Muon", "ScheduleFreeAdamW"],
]


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _doubles(name):
    """Raises Lacking where the backend computes with single precision only."""
    if name == "float64" and keras.backend.backend() == "jax":
        raise Lacking("jax computes in float64 only with jax_enable_x64")


def _stepped(optimizer, dtype):
    """Returns a variable of ``dtype`` after three steps."""
    variable = keras.Variable(numbers(3, 2), dtype=dtype)
    for place in range(3):
        gradient = keras.ops.cast(keras.ops.convert_to_tensor(numbers(3, 2, seed=place + 1)), dtype)
        optimizer.apply([gradient], [variable])
    return variable


@each(name=OPTIMIZERS, dtype=["bfloat16", "float16"])
def optimizer_moves_half_variables(name, dtype):
    """{name} moves a {dtype} variable as it moves a float32 one, within rounding"""
    made = need("keras.optimizers." + name)
    variable = _stepped(made(learning_rate=0.125), dtype)
    equal(_dtype(variable.value), dtype, "its dtype")
    expected = array(_stepped(made(learning_rate=0.125), "float32"))
    found = array(variable).astype("float64")
    true(bool(np.isfinite(found).all()), "its values are finite")
    close(found, expected, "its values", 0.1)


@each(name=OPTIMIZERS)
def slots_have_the_variable_s_dtype(name):
    """The slots of {name} have the dtype of the variable"""
    made = need("keras.optimizers." + name)(learning_rate=0.125)
    variable = keras.Variable(numbers(3, 2), dtype="bfloat16")
    made.build([variable])
    slots = [v for v in made.variables if tuple(v.shape) == (3, 2)]
    equal({_dtype(v) for v in slots} or {"bfloat16"}, {"bfloat16"}, "their dtypes")


@each(name=OPTIMIZERS)
def optimizer_moves_float64_variables(name):
    """{name} moves a float64 variable as it moves a float32 one"""
    _doubles("float64")
    made = need("keras.optimizers." + name)
    variable = _stepped(made(learning_rate=0.125), "float64")
    equal(_dtype(variable.value), "float64", "its dtype")
    close(variable, array(_stepped(made(learning_rate=0.125), "float32")), "its values", 1e-4)


OPTIONS = [
    *["weight_decay=0.1", "clipnorm=0.5", "clipvalue=0.5", "global_clipnorm=0.5", "use_ema=True, ema_momentum=0.5"],
    *["use_ema=True, ema_overwrite_frequency=1", "gradient_accumulation_steps=2", "loss_scale_factor=8.0"],
]


@each(option=OPTIONS, dtype=["bfloat16", "float16"])
def options_work_on_half_variables(option, dtype):
    """SGD({option}) moves a {dtype} variable as it moves a float32 one"""
    need("keras.optimizers.SGD(%s)" % option.partition("=")[0])
    options = eval("dict(%s)" % option)  # noqa: S307 - written above
    variable = _stepped(keras.optimizers.SGD(0.125, **options), dtype)
    equal(_dtype(variable.value), dtype, "its dtype")
    expected = array(_stepped(keras.optimizers.SGD(0.125, **options), "float32"))
    close(variable, expected, "its values", 0.05)


@each(policy=["mixed_float16", "mixed_bfloat16"], name=OPTIMIZERS)
def gradients_of_mixed_models_are_float32(policy, name):
    """{name} under {policy} keeps float32 weights and slots in training"""
    made = need("keras.optimizers." + name)(learning_rate=0.1)
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    scaled = keras.optimizers.LossScaleOptimizer(made, initial_scale=64.0)
    eagerly = keras.backend.backend() != "jax"
    model.compile(scaled if policy == "mixed_float16" else made, "mse", run_eagerly=eagerly)
    before = model.get_weights()[0]
    model.train_on_batch(numbers(4, 2), numbers(4, 1))
    model.train_on_batch(numbers(4, 2), numbers(4, 1))
    found = model.get_weights()[0]
    equal(str(found.dtype), "float32", "the weights' dtype")
    equal({_dtype(v) for v in made.variables if tuple(v.shape) == (2, 1)} or {"float32"}, {"float32"}, "the slots'")
    true(bool(np.isfinite(found).all()) and bool((found != before).any()), "the weights have moved")


@each(dtype=["float16", "bfloat16"], schedule=["ExponentialDecay", "CosineDecay", "PiecewiseConstantDecay"])
def schedules_move_half_variables(dtype, schedule):
    """SGD with the schedule {schedule} moves a {dtype} variable as a float32 one"""
    made = {
        "ExponentialDecay": lambda: keras.optimizers.schedules.ExponentialDecay(0.125, 2, 0.5),
        "CosineDecay": lambda: keras.optimizers.schedules.CosineDecay(0.125, 4),
        "PiecewiseConstantDecay": lambda: keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.25, 0.125]),
    }[schedule]
    variable = _stepped(keras.optimizers.SGD(made()), dtype)
    equal(_dtype(variable.value), dtype, "its dtype")
    close(variable, array(_stepped(keras.optimizers.SGD(made()), "float32")), "its values", 0.05)


def iterations_are_whole_numbers():
    """optimizer.iterations counts in whole numbers under every policy"""
    keras.config.set_dtype_policy("mixed_float16")
    made = keras.optimizers.Adam(0.1)
    made.build([keras.Variable(numbers(2))])
    true("int" in _dtype(made.iterations), "the dtype of iterations is one of whole numbers")
    equal(_dtype(made._learning_rate), "float32", "the learning rate's dtype")


@each(floatx=["float16", "bfloat16"])
def iterations_count_past_the_half_format(floatx):
    """iterations counts from 4096 to 4099 where floatx is {floatx}"""
    keras.config.set_floatx(floatx)
    made = keras.optimizers.SGD(0.0)
    variable = keras.Variable(np.ones((1,)), dtype=floatx)
    made.build([variable])
    made.iterations.assign(4096)
    for _ in range(3):
        made.apply([keras.ops.zeros((1,), dtype=floatx)], [variable])
    equal(int(array(made.iterations)), 4099)
