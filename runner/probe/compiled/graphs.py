"""Functions of ``keras.ops`` in graphs of TensorFlow and under XLA."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, true


def _tensorflow():
    """Returns TensorFlow. Raises Lacking on other backends."""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    import tensorflow as tf

    return tf


def _evaluated(text, **more):
    """Returns what an expression over keras.ops means."""
    return eval(text, {"ops": keras.ops, "np": np, **more})  # noqa: S307 - texts of this module


UNDER_XLA = [
    *("ops.norm(x, ord=%s)" % order for order in ("None", "1", "2", "'fro'", "np.inf")),
    *("ops.norm(x, ord=%s, axis=1)" % order for order in ("None", "0", "3", "-np.inf")),
    "ops.norm(x, axis=(0, 1), keepdims=True)",
    "ops.normalize(x, axis=-1)",
    "ops.softmax(x)",
    "ops.logsumexp(x, axis=0)",
    "ops.median(x, axis=1)",
    "ops.cumsum(x, axis=1)",
    "ops.tril(x, k=-1)",
    "ops.one_hot(ops.argmax(x, axis=1), 4)",
    "ops.einsum('ab,cb->ac', x, x)",
    "ops.linspace(x, 2 * x, 3)",
    "ops.roll(x, 1, axis=1)",
    "ops.take(x, [2, 0], axis=1)",
    "ops.var(x, axis=0)",
    "ops.image.resize(ops.reshape(x, (1, 3, 4, 1)), (6, 8))",
]


@each(call=UNDER_XLA)
def functions_run_under_xla(call):
    """A function gives under XLA what it gives eagerly, and a known shape: {call}"""
    tf = _tensorflow()
    data = numbers(3, 4)
    shapes = []

    def function(x):
        found = _evaluated(call, x=x)
        shapes.append(found.shape)
        return found

    found = tf.function(function, jit_compile=True)(tf.constant(data))
    expected = _evaluated(call, x=tf.constant(data))
    close(found, expected, tolerance=1e-4)
    equal(shapes[0].rank, len(expected.shape), "the rank in the graph")


OPEN = [
    "ops.softmax(x, axis=-1)",
    "ops.softmax(x, axis=0)",
    "ops.softmax(x, axis=(0, 1))",
    "ops.log_softmax(x, axis=1)",
    "ops.norm(x, axis=1)",
    "ops.argmax(x, axis=1)",
    "ops.quantile(x, [0.25, 0.5], axis=1)",
    "ops.median(x, axis=0)",
    "ops.sort(x, axis=1)",
    "ops.tril(x)",
    "ops.flip(x, axis=1)",
    "ops.mean(x, axis=1)",
    "ops.cumsum(x, axis=0)",
    "ops.reshape(x, (-1,))",
    "ops.repeat(x, 2, axis=1)",
    "ops.tile(x, 2)",
    "ops.diagonal(x)",
    "ops.roll(x, 1, axis=0)",
    "ops.pad(x, ((1, 0), (0, 2)))",
    "ops.slice(x, [0, 1], [2, 2])",
    "ops.matmul(x, ops.transpose(x))",
]


@each(call=OPEN)
def functions_take_open_shapes(call):
    """A graph whose shapes are all unknown gives what a call gives: {call}"""
    tf = _tensorflow()
    function = tf.function(
        lambda x: _evaluated(call, x=x), input_signature=[tf.TensorSpec((None, None))], autograph=False
    )
    data = numbers(3, 4)
    close(function(tf.constant(data)), _evaluated(call, x=tf.constant(data)), tolerance=1e-4)


COUNTS = [
    ("ops.tril(x, k=n)", -1),
    ("ops.tril(x, k=n)", 1),
    ("ops.triu(x, k=n)", -1),
    ("ops.triu(x, k=n)", 1),
    ("ops.linspace(0.0, 1.0, n)", 3),
    ("ops.linspace(0.0, 1.0, n, endpoint=False)", 4),
    ("ops.linspace(x[0], x[1], n)", 2),
    ("ops.arange(n)", 3),
    ("ops.arange(1, n, 2)", 6),
    ("ops.one_hot(n, 4)", 2),
    ("ops.take(x, n, axis=1)", 1),
    ("ops.roll(x, n, axis=1)", 2),
    ("ops.slice(x, [0, n], [2, 2])", 1),
    ("ops.full((2, 2), n)", 3),
    ("ops.reshape(x, (n, -1))", 4),
    ("ops.zeros((n, 2))", 3),
]


CALLS = ["%s with n = %d" % pair for pair in COUNTS]


def _of_a_number(call):
    """Returns a function of a number, its value, and what it should give."""
    text, _, number = call.partition(" with n = ")
    data = keras.ops.convert_to_tensor(numbers(3, 4))

    def function(n):
        return _evaluated(text, x=data, n=n)

    return function, int(number), array(function(int(number)))


@each(call=CALLS)
def numbers_may_be_tensors(call):
    """A number may be a tensor of TensorFlow: {call}"""
    tf = _tensorflow()
    function, number, expected = _of_a_number(call)
    close(function(tf.constant(number)), expected, tolerance=1e-4)


@each(call=[call for call in CALLS if "linspace" not in call])
def numbers_may_be_tensors_of_graphs(call):
    """A number may be known in a graph's run only: {call}"""
    tf = _tensorflow()
    function, number, expected = _of_a_number(call)
    close(tf.function(function, autograph=False)(tf.constant(number)), expected, tolerance=1e-4)


def _channels_first(rank, groups):
    """Returns an input, a function of it, and what it should give."""
    data, kernel = numbers(2, 4, *[5] * rank), numbers(*[2] * rank, 4 // groups, 2)
    expected = keras.ops.conv(np.moveaxis(data, 1, -1), kernel, data_format="channels_last")
    return data, lambda x: keras.ops.conv(x, kernel, data_format="channels_first"), np.moveaxis(array(expected), -1, 1)


@each(rank=[1, 2, 3], groups=[1, 2])
def convolutions_of_channels_first_in_graphs(rank, groups):
    """A {rank}D convolution of {groups} groups takes channels first in a graph"""
    tf = _tensorflow()
    data, function, expected = _channels_first(rank, groups)
    close(tf.function(function)(tf.constant(data)), expected, tolerance=1e-4)


@each(rank=[1, 2, 3], groups=[1, 2])
def convolutions_of_channels_first_in_models(rank, groups):
    """A {rank}D convolution of {groups} groups takes in a model what a call takes"""
    data, function, expected = _channels_first(rank, groups)
    x = keras.Input((4, *[5] * rank))
    close(keras.Model(x, function(x))(data), expected, tolerance=1e-4)


@each(form=["tuple", "list", "dict", "nested"])
def map_takes_structures(form):
    """keras.ops.map takes a {form} of tensors, and gives one"""
    a, b = np.arange(4, dtype="float32"), 10 * np.ones((4,), "float32")
    make = {
        "tuple": lambda p, q: (p, q),
        "list": lambda p, q: [p, q],
        "dict": lambda p, q: {"a": p, "b": q},
        "nested": lambda p, q: {"a": (p, q)},
    }[form]

    def parts(given):
        given = list(given.values()) if isinstance(given, dict) else given
        return given[0] if form == "nested" else given

    def function(given):
        p, q = parts(given)
        return make(p + q, p * q)

    found = keras.ops.map(function, make(keras.ops.convert_to_tensor(a), keras.ops.convert_to_tensor(b)))
    p, q = parts(found)
    close([array(p), array(q)], [a + b, a * b])


@each(optimizer=["SGD", "Adam"], form=["compiled", "eagerly"])
def averages_begin_with_the_weights(optimizer, form):
    """{optimizer}(use_ema=True) averages from the weights after the first step, {form}"""
    need("keras.optimizers.SGD(use_ema)")
    made = getattr(keras.optimizers, optimizer)(0.1, use_ema=True, ema_momentum=0.5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(made, "mse", run_eagerly=form == "eagerly", jit_compile=False)
    data, expected = numbers(4, 3), None
    for _ in range(3):
        model.train_on_batch(data, np.zeros((4, 1), "float32"))
        weight = array(model.trainable_variables[0])
        expected = weight if expected is None else 0.5 * expected + 0.5 * weight
    made.finalize_variable_values(model.trainable_variables)
    close(model.trainable_variables[0], expected, "the average", 1e-4)


def checkpoints_of_tensorflow_keep_optimizers():
    """A tf.train.Checkpoint of model and optimizer restores both"""
    tf = _tensorflow()

    def make():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    first = make()
    first.train_on_batch(numbers(4, 3), numbers(4, 2))
    path = tf.train.Checkpoint(model=first, optimizer=first.optimizer).save("here/point")
    saved = [name for name, _ in tf.train.list_variables(path) if name.startswith("optimizer/")]
    true(len(saved) >= 5, "the optimizer's variables are in the file: %s" % saved)
    second = make()
    second.optimizer.build(second.trainable_variables)
    tf.train.Checkpoint(model=second, optimizer=second.optimizer).restore(path)
    for old, new in zip(first.optimizer.variables, second.optimizer.variables):
        close(new, array(old), old.name)
    close(second.get_weights(), first.get_weights(), "weights")


@each(call=["ops.argmin(x)", "ops.argmax(-x)", "ops.argmin(x, axis=0)", "ops.argmax(-x, axis=-1)"])
def numbers_below_the_normal_ones_are_ordered(call):
    """Numbers too small to be normal are not all taken for zero: {call}"""
    x = np.array([0.0, 1.1754943508222875e-38, -1.401298464324817e-45, 459367.0], "float32")
    equal(_evaluated(call, x=keras.ops.convert_to_tensor(x)), eval(call, {"ops": np, "x": x}))  # noqa: S307
