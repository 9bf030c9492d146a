"""Control flow of keras.ops and of Python inside compiled calls, against NumPy."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, need, numbers, refuses

X = numbers(4, 3)


class Calls(keras.Model):
    """A model whose call is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


WAYS = ["eager", "predict", "graph"]


def _run(function, way, data=X):
    """Returns ``function(data)``: eager, inside predict, or in a compiled function."""
    if way == "eager":
        return function(keras.ops.convert_to_tensor(data))
    if way == "predict":
        return Calls(function).predict(data, batch_size=len(data), verbose=0)
    if keras.config.backend() == "jax":
        raise Lacking("JAX compiles predict, which is tried already")
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)(tf.constant(data))
    raise Lacking("torch.compile needs a C++ compiler, and is off here")


def _zeroed(x):
    x = x.copy()
    x[1] = 0
    return x


FUNCTIONS = {
    "cond": (lambda x: _ops().cond(_ops().sum(x) > 0, lambda: x + 1, lambda: x - 1), lambda x: x + np.sign(x.sum())),
    "cond of a tuple": (
        lambda x: _ops().add(*_ops().cond(_ops().sum(x) > 99, lambda: (x, x), lambda: (x * 2, x * 3))),
        lambda x: x * 5,
    ),
    "cond of Python": (lambda x: _ops().cond(True, lambda: x + 1, lambda: x - 1), lambda x: x + 1),
    "while_loop": (
        lambda x: _ops().while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x))[1],
        lambda x: x * 8,
    ),
    "while_loop with a limit": (
        lambda x: _ops().while_loop(lambda i, y: i < 9, lambda i, y: (i + 1, y * 2), (0, x), maximum_iterations=2)[1],
        lambda x: x * 4,
    ),
    "while_loop of one": (
        lambda x: _ops().while_loop(lambda y: _ops().max(y) < 50, lambda y: (y * 2,), (_ops().abs(x),))[0],
        lambda x: np.abs(x) * 2 ** np.ceil(np.log2(50 / np.abs(x).max())),
    ),
    "while_loop of a tensor": (
        lambda x: _ops().while_loop(lambda y: _ops().max(y) < 50, lambda y: y * 2, _ops().abs(x)),
        lambda x: np.abs(x) * 2 ** np.ceil(np.log2(50 / np.abs(x).max())),
    ),
    "fori_loop": (lambda x: _ops().fori_loop(0, 3, lambda i, y: y + _ops().cast(i, "float32"), x), lambda x: x + 3),
    "scan": (lambda x: _ops().scan(lambda c, r: (c + r, c * r), x[0], x)[1], lambda x: _scanned(x)[1]),
    "scan's carry": (lambda x: _ops().scan(lambda c, r: (c + r, c), x[0], x)[0], lambda x: x[0] + x.sum(0)),
    "scan backwards": (
        lambda x: _ops().scan(lambda c, r: (c + r, c + r), x[0] * 0, x, reverse=True)[1],
        lambda x: np.cumsum(x[::-1], 0)[::-1],
    ),
    "scan of a length": (
        lambda x: _ops().scan(lambda c, _: (c * 2, c), x, length=3)[1][2],
        lambda x: x * 4,
    ),
    "associative_scan": (lambda x: _ops().associative_scan(lambda a, b: a + b, x), lambda x: np.cumsum(x, 0)),
    "associative_scan of an axis": (
        lambda x: _ops().associative_scan(lambda a, b: a * b, x, axis=1),
        lambda x: np.cumprod(x, 1),
    ),
    "associative_scan backwards": (
        lambda x: _ops().associative_scan(lambda a, b: a + b, x, reverse=True),
        lambda x: np.cumsum(x[::-1], 0)[::-1],
    ),
    "map": (lambda x: _ops().map(lambda row: row * _ops().sum(row), x), lambda x: x * x.sum(1, keepdims=True)),
    "vectorized_map": (
        lambda x: _ops().vectorized_map(lambda row: row * _ops().sum(row), x),
        lambda x: x * x.sum(1, keepdims=True),
    ),
    "vectorized_map of two": (
        lambda x: _ops().vectorized_map(lambda rows: rows[0] + rows[1], (x, x * 2)),
        lambda x: x * 3,
    ),
    "switch": (
        lambda x: _ops().switch(_ops().cast(1, "int32"), [lambda y: y, lambda y: y * 2, lambda y: y * 3], x),
        lambda x: x * 2,
    ),
    "switch beyond its branches": (
        lambda x: _ops().switch(_ops().cast(7, "int32"), [lambda y: y, lambda y: y * 2], x),
        lambda x: x * 2,
    ),
    "stop_gradient": (lambda x: _ops().stop_gradient(x) * 2, lambda x: x * 2),
    "unstack": (lambda x: sum(_ops().unstack(x, axis=1)), lambda x: x.sum(1)),
    "slice": (lambda x: _ops().slice(x, (1, 0), (2, 3)), lambda x: x[1:3]),
    "slice_update": (lambda x: _ops().slice_update(x, (1, 0), _ops().zeros((1, 3))), _zeroed),
    "scatter_update": (
        lambda x: _ops().scatter_update(x, _ops().convert_to_tensor([[1]]), _ops().zeros((1, 3))),
        _zeroed,
    ),
    "scatter": (
        lambda x: _ops().scatter(_ops().convert_to_tensor([[1], [3]]), x[:2], (4, 3)),
        lambda x: np.stack([x[0] * 0, x[0], x[0] * 0, x[1]]),
    ),
    "where": (lambda x: _ops().where(x > 0, x, -x), np.abs),
    "one_hot of argmax": (
        lambda x: _ops().one_hot(_ops().argmax(x, axis=1), 3),
        lambda x: np.eye(3)[x.argmax(1)],
    ),
    "reshape to the shape of a tensor": (
        lambda x: _ops().reshape(x, (_ops().shape(x)[0] * 3,)),
        lambda x: x.reshape(-1),
    ),
    "broadcast_to the shape of a tensor": (
        lambda x: _ops().broadcast_to(x[:1], _ops().shape(x)),
        lambda x: np.broadcast_to(x[:1], x.shape),
    ),
    "arange of a shape": (
        lambda x: x * _ops().cast(_ops().arange(_ops().shape(x)[0]), "float32")[:, None],
        lambda x: x * np.arange(len(x))[:, None],
    ),
    "shape of a shape": (lambda x: x * _ops().cast(_ops().shape(x)[1], "float32"), lambda x: x * 3),
    "cumsum": (lambda x: _ops().cumsum(x, axis=0), lambda x: np.cumsum(x, 0)),
    "sort": (lambda x: _ops().sort(x, axis=0), lambda x: np.sort(x, 0)),
    "top_k": (lambda x: _ops().top_k(x, 2)[0], lambda x: -np.sort(-x, 1)[:, :2]),
    "segment_sum": (
        lambda x: _ops().segment_sum(x, _ops().convert_to_tensor([0, 0, 1, 2]), 3),
        lambda x: np.stack([x[0] + x[1], x[2], x[3]]),
    ),
    "in_top_k": (
        lambda x: _ops().cast(_ops().in_top_k(_ops().zeros((4,), "int32"), x, 1), "float32"),
        lambda x: (x.argmax(1) == 0).astype("float32"),
    ),
    "logical of a tensor": (
        lambda x: _ops().cond(_ops().logical_and(_ops().sum(x) < 99, True), lambda: x, lambda: x * 0),
        lambda x: x,
    ),
}


def _ops():
    return keras.ops


def _scanned(x):
    carry, rows = x[0], []
    for row in x:
        rows.append(carry * row)
        carry = carry + row
    return carry, np.stack(rows)


@each(name=list(FUNCTIONS), way=WAYS)
def control_flow_is_numpys(name, way):
    """keras.ops: {name} gives what NumPy gives ({way})"""
    word = name.split(" ")[0].split("'")[0]
    if word not in ("reshape", "shape", "logical", "one_hot", "arange"):
        need("keras.ops." + word)
    function, expected = FUNCTIONS[name]
    close(_run(function, way), expected(X), tolerance=1e-4)


@each(
    name=["cond", "while_loop with a limit", "scan", "fori_loop", "switch", "associative_scan", "map", "vectorized_map"]
)
def control_flow_has_gradients(name):
    """A layer with keras.ops: {name} trains a weight in front of it"""
    need("keras.ops." + name.split(" ")[0])
    if name == "while_loop with a limit" and keras.config.backend() == "jax":
        raise Lacking("JAX cannot differentiate a while_loop backwards")
    if name == "fori_loop" and keras.config.backend() == "jax":
        raise Lacking("JAX cannot differentiate every fori_loop backwards")
    function, _ = FUNCTIONS[name]
    dense = keras.layers.Dense(3)
    model = Calls(lambda x: function(dense(x)))
    model.dense = dense
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(X, X)
    before = dense.get_weights()[0]
    model.train_on_batch(X, X * 3)
    after = dense.get_weights()[0]
    if not np.abs(after - before).max() > 0:
        close(after, before + 1, "the kernel has changed")


@each(
    name=["cond", "scan", "map", "vectorized_map", "while_loop with a limit", "fori_loop", "associative_scan", "switch"]
)
def control_flow_in_a_functional_model(name):
    """A Functional model with a layer of keras.ops: {name} has its shape"""
    need("keras.ops." + name.split(" ")[0])
    function, expected = FUNCTIONS[name]

    class Layer(keras.layers.Layer):
        def call(self, x):
            return function(x)

    x = keras.Input(batch_shape=(4, 3))
    model = keras.Model(x, Layer()(x))
    close(model(X), expected(X), tolerance=1e-4)


def custom_gradient_is_used():
    """keras.ops.custom_gradient replaces the gradient in compiled training"""
    need("keras.ops.custom_gradient")

    @keras.ops.custom_gradient
    def twice(x):
        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return upstream * 0.0

        return x * 2.0, grad

    dense = keras.layers.Dense(3)
    model = Calls(lambda x: twice(dense(x)))
    model.dense = dense
    close(model.predict(X, verbose=0), 2 * np.asarray(array(dense(X))), "output", 1e-4)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = dense.get_weights()
    model.train_on_batch(X, X)
    close(dense.get_weights(), before, "weights: the gradient is 0")


def stop_gradient_stops_when_compiled():
    """keras.ops.stop_gradient keeps a weight as it is in compiled training"""
    dense, last = keras.layers.Dense(3), keras.layers.Dense(1)
    model = Calls(lambda x: last(keras.ops.stop_gradient(dense(x))))
    model.dense, model.last = dense, last
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.predict(X, verbose=0)
    before = dense.get_weights()
    model.train_on_batch(X, X[:, :1])
    close(dense.get_weights(), before, "weights in front of it")


def python_loops_are_unrolled():
    """A Python loop and condition on shapes work in compiled calls"""

    def function(x):
        for _ in range(3):
            x = x * 2 if x.shape[-1] == 3 else x
        return x

    close(_run(function, "predict"), X * 8)


@each(what=["cond without a branch", "scan of nothing", "switch without branches"])
def control_flow_refuses(what):
    """keras.ops: {what} is refused"""
    ops = keras.ops
    x = ops.ones((2,))
    calls = {
        "cond without a branch": lambda: (
            ops.cond(True, lambda: x, None) if keras.config.backend() == "jax" else ops.cond(True, 3, 4)
        ),
        "scan of nothing": lambda: ops.scan(lambda c, _: (c, c), x),
        "switch without branches": lambda: ops.switch(0, [], x),
    }
    need("keras.ops." + what.split(" ")[0])
    refuses(calls[what], what, (Exception,))
