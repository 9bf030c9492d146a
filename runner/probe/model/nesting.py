"""Nested structures, mixed types, and scopes around layers."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true

X, Y = numbers(4, 3), numbers(4, 2, seed=1)


def map_takes_nested_inputs():
    """ops.map of a dict gives the function every entry's row"""
    found = need("keras.ops.map")(lambda row: row["a"] + keras.ops.sum(row["b"]), {"a": X, "b": Y})
    close(array(found), X + Y.sum(1, keepdims=True))


@each(form=["dict", "tuple", "list"])
def map_gives_nested_outputs(form):
    """ops.map of a function that returns a {form} stacks every part"""
    forms = {
        "dict": lambda row: {"a": row, "b": 2.0 * row}, "tuple": lambda row: (row, 2.0 * row),
        "list": lambda row: [row, 2.0 * row],
    }  # fmt: skip
    found = need("keras.ops.map")(forms[form], keras.ops.array(X))
    parts = [found["a"], found["b"]] if form == "dict" else list(found)
    close([array(part) for part in parts], [X, 2 * X])


def vectorized_map_takes_nested_inputs():
    """ops.vectorized_map of a tuple gives the function a row of each"""
    found = keras.ops.vectorized_map(
        lambda rows: rows[0] * keras.ops.sum(rows[1]), (keras.ops.array(X), keras.ops.array(Y))
    )
    close(array(found), X * Y.sum(1, keepdims=True))


def scan_carries_nested_states():
    """ops.scan carries a dict, and stacks a tuple of outputs"""
    if keras.config.backend() == "tensorflow":
        raise Lacking("the documentation asks for outputs shaped like what is carried on TensorFlow")

    def step(state, row):
        state = {"sum": state["sum"] + row, "count": state["count"] + 1.0}
        return state, (state["sum"], row)

    start = {"sum": keras.ops.zeros((3,)), "count": keras.ops.array(0.0)}
    last, (sums, rows) = need("keras.ops.scan")(step, start, keras.ops.array(X))
    close(array(last["sum"]), X.sum(0))
    close(array(last["count"]), np.float32(4.0), "the count")
    close([array(sums), array(rows)], [np.cumsum(X, 0), X], "the outputs")


@each(reverse=[0, 1])
def scan_goes_both_ways(reverse):
    """ops.scan(reverse={reverse}) keeps the places of the outputs"""
    scan = need("keras.ops.scan")
    last, sums = scan(lambda c, x: (c + x, c + x), keras.ops.zeros((3,)), keras.ops.array(X), reverse=bool(reverse))
    close(array(last), X.sum(0))
    close(array(sums), np.cumsum(X[::-1], 0)[::-1] if reverse else np.cumsum(X, 0), "the outputs")


def associative_scan_takes_nested_elements():
    """ops.associative_scan of a tuple combines parts together"""
    scan = need("keras.ops.associative_scan")
    found = scan(lambda a, b: (a[0] + b[0], a[1] * b[1]), (keras.ops.array(X), keras.ops.array(np.abs(X))))
    close([array(part) for part in found], [np.cumsum(X, 0), np.cumprod(np.abs(X), 0)], tolerance=1e-4)


@each(form=["dict", "tuple"], value=[1, 0])
def cond_gives_nested_results(form, value):
    """ops.cond gives the {form} of the branch that is taken: {value}"""

    def made(x):
        return {"a": x, "b": 2.0 * x} if form == "dict" else (x, 2.0 * x)

    found = keras.ops.cond(
        keras.ops.array(bool(value)), lambda: made(keras.ops.array(X)), lambda: made(-keras.ops.array(X))
    )
    parts = [found["a"], found["b"]] if form == "dict" else list(found)
    sign = 1 if value else -1
    close([array(part) for part in parts], [sign * X, sign * 2 * X])


def while_loop_carries_nested_values():
    """ops.while_loop carries a tuple, and ends at maximum_iterations"""
    loop = keras.ops.while_loop
    found = loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (keras.ops.array(0), keras.ops.array(X)))
    close(array(found[1]), 8 * X)
    found = loop(
        lambda i, x: i < 9, lambda i, x: (i + 1, x * 2.0), (keras.ops.array(0), keras.ops.array(X)),
        maximum_iterations=2,
    )  # fmt: skip
    close(array(found[1]), 4 * X, "with a limit")


def switch_passes_operands():
    """ops.switch gives every operand to the branch, and clamps the index"""
    branches = [lambda a, b: a + b, lambda a, b: a - b]
    switch = need("keras.ops.switch")
    for index, expected in ((0, X + X), (1, X - X), (5, X - X), (-3, X + X)):
        found = switch(keras.ops.array(index), branches, keras.ops.array(X), keras.ops.array(X))
        close(array(found), expected, "index %d" % index)


def fori_loop_carries_nested_values():
    """ops.fori_loop carries a dict"""
    start = {"a": keras.ops.array(X), "n": keras.ops.array(0.0)}

    def step(i, value):
        return {"a": value["a"] + 1.0, "n": value["n"] + keras.ops.cast(i, "float32")}

    found = keras.ops.fori_loop(2, 5, step, start)
    close(array(found["a"]), X + 3)
    close(array(found["n"]), np.float32(9.0), "the sum of the indices")


@each(dtypes=["float16 float32", "float32 float16", "bfloat16 float32", "float32 float64"])
def attention_takes_mixed_types(dtypes):
    """ops.dot_product_attention of {dtypes} gives what casting before gives"""
    attend = need("keras.ops.dot_product_attention")
    one, two = dtypes.split()
    if "64" in dtypes and keras.config.backend() == "jax":
        one, two = "float32", "float32"
    q, k, v = (numbers(2, 4, 2, 8, seed=seed) for seed in (1, 2, 3))
    found = attend(keras.ops.cast(q, one), keras.ops.cast(k, two), keras.ops.cast(v, two))
    expected = array(attend(q, k, v))
    close(array(keras.ops.cast(found, "float32")), expected, tolerance=2e-2)


@each(form=["number", "array", "tensor", "numpy number"])
def masking_takes_its_value_as(form):
    """Masking(mask_value) as {form} masks those steps"""
    data = np.ones((2, 3, 2), "float32")
    data[0, 1] = 0.5
    value = {"number": 0.5, "array": np.array(0.5, "float32"), "numpy number": np.float32(0.5)}.get(form)
    layer = keras.layers.Masking(keras.ops.array(0.5) if form == "tensor" else value)
    equal(array(layer.compute_mask(keras.ops.array(data))), np.array([[True, False, True], [True] * 3]))
    model = given(keras.Sequential([keras.Input((3, 2)), layer, keras.layers.LSTM(2)]))
    true(np.isfinite(array(model(data))).all(), "the model runs")
    model.save("m.keras")
    close(array(keras.models.load_model("m.keras")(data)), array(model(data)), "the loaded model")


@each(change=["assign", "assign_add", "assign_sub"], policy=["mixed_float16", "mixed_bfloat16", "float32"])
def layers_assign_their_variables(change, policy):
    """Variable.{change} in the call of a layer of {policy} changes it"""

    class Counting(keras.layers.Layer):
        def build(self, shape):
            self.count = self.add_weight(shape=(3,), initializer="ones", trainable=False, dtype="float32")

        def call(self, x):
            getattr(self.count, change)(keras.ops.array([2.0, 2.0, 2.0], "float32"))
            return x

    layer = Counting(dtype=policy)
    layer(keras.ops.array(X))
    equal(keras.backend.standardize_dtype(layer.count.dtype), "float32", "type")
    close(array(layer.count), np.full((3,), {"assign": 2.0, "assign_add": 3.0, "assign_sub": -1.0}[change]))


@each(layer=["Dense", "LSTM", "MultiHeadAttention", "Dropout"], mode=["full", "activations", "list_of_layers"])
def rematerialized_layers_compute_the_same(layer, mode):
    """{layer} inside RematScope({mode}) trains as it does outside"""
    scope = need("keras.RematScope")

    def trained(inside):
        keras.utils.set_random_seed(1)
        x = keras.Input((3, 4))
        with scope(mode=mode, layer_names=["it"]) if inside else scope(mode=None):
            made = {
                "Dense": lambda: keras.layers.Dense(4, name="it"), "LSTM": lambda: keras.layers.LSTM(4, name="it"),
                "MultiHeadAttention": lambda: keras.layers.MultiHeadAttention(2, 2, name="it"),
                "Dropout": lambda: keras.layers.Dropout(0.0, name="it"),
            }[layer]()  # fmt: skip
            y = made(x, x) if layer == "MultiHeadAttention" else made(x)
            y = keras.layers.GlobalAveragePooling1D()(y) if len(y.shape) == 3 else y
            model = given(keras.Model(x, keras.layers.Dense(1)(y)))
            model.compile(keras.optimizers.SGD(0.1), "mse")
            model.fit(numbers(4, 3, 4), numbers(4, 1, seed=2), verbose=0)
        return [array(v) for v in model.weights]

    close(trained(True), trained(False), "the weights", tolerance=1e-4)


def rematerialized_calls_take_keywords():
    """keras.remat passes keyword arguments on"""
    remat = need("keras.remat")
    found = remat(lambda x, scale=1.0: x * scale)
    close(array(found(keras.ops.array(X), scale=2.0)), 2 * X)


def remat_layers_add_losses_once():
    """A rematerialized layer's activity regularizer adds its loss once"""
    scope = need("keras.RematScope")
    losses = []
    for mode in ("full", None):
        with scope(mode=mode):
            layer = given(keras.layers.Dense(2, activity_regularizer=keras.regularizers.L2(0.1)))
            layer(X)
            given(layer)
            layer(X)
        losses.append([float(array(loss)) for loss in layer.losses][-1:])
    close(losses[0], losses[1], "the losses")


@each(rcond=["None", "1e-3", "0.5"])
def least_squares_cut_small_singular_values(rcond):
    """ops.lstsq(rcond={rcond}) is NumPy's"""
    solve = need("keras.ops.lstsq") if hasattr(keras.ops, "lstsq") else need("keras.ops.linalg.lstsq")
    a = numbers(5, 3) @ np.diag([1.0, 0.3, 1e-4]).astype("float32")
    limit = None if rcond == "None" else float(rcond)
    found = array(solve(a, numbers(5, 2, seed=1), rcond=limit))
    expected = np.linalg.lstsq(a.astype("float64"), numbers(5, 2, seed=1), rcond=limit if limit else 1e-7)[0]
    close(found, expected, tolerance=2e-2 if limit is None else 1e-3)


def paths_of_variables_have_their_layers():
    """Variable.path names the model, the layer and the weight"""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, name="one"), keras.layers.Dropout(0.5, name="two")], name="mine"
    )
    equal(sorted(v.path for v in model.trainable_variables), ["mine/one/bias", "mine/one/kernel"], "weights")


def colours_need_three_channels():
    """ops.image.rgb_to_hsv refuses other numbers of channels, by symbols too"""
    turn = need("keras.ops.image.rgb_to_hsv")
    refuses(lambda: turn(keras.ops.ones((2, 4, 4, 2)), data_format="channels_last"), "two channels", (Exception,))
    refuses(lambda: turn(keras.KerasTensor((2, 4, 4, 2)), data_format="channels_last"), "two symbolic channels")
    refuses(lambda: turn(keras.KerasTensor((2, 2, 4, 4)), data_format="channels_first"), "two symbolic channels first")
