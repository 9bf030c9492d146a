"""Inputs, targets and outputs in dicts, lists and tuples, nested too."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, close, equal, given, need, numbers, refuses


def _compiled(model, loss="mse", **options):
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True, **options)
    return model


def _nested_model(inputs, outputs):
    """Returns a model. Raises Lacking where the release knows no nested dicts."""
    try:
        return keras.Model(inputs, outputs)
    except ValueError as error:
        if "must be KerasTensors" not in str(error):
            raise
        raise Lacking("this release takes no nested dict of inputs or outputs") from error


def _two(form="list"):
    """Returns a model of two inputs, a and b: 2a - 3b."""
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    inputs = {"list": [a, b], "tuple": (a, b), "dict": {"a": a, "b": b}, "nested": {"a": a, "rest": [b]}}[form]
    return _compiled(_nested_model(inputs, 2.0 * a - 3.0 * b))


def _data(form, a, b):
    return {"list": [a, b], "tuple": (a, b), "dict": {"b": b, "a": a}, "nested": {"rest": [b], "a": a}}[form]


@each(form=["list", "tuple", "dict", "nested"], method=["evaluate", "predict"])
def inputs_may_be_nested(form, method):
    """{method} takes two inputs in a {form}"""
    model, a, b, y = _two(form), numbers(5, 2), numbers(5, 2, seed=1), numbers(5, 2, seed=2)
    x, out = _data(form, a, b), 2.0 * a - 3.0 * b
    if method == "predict":
        close(model.predict(x, batch_size=2, verbose=0), out, "outputs")
    else:
        close(model.evaluate(x, y, batch_size=2, verbose=0), np.mean((out - y) ** 2), "loss")


@each(form=["list", "tuple", "dict"], method=["fit", "train_on_batch", "predict_on_batch"])
def training_inputs_may_be_nested(form, method):
    """{method} takes two inputs in a {form}"""
    a, b, y = numbers(3, 2), numbers(3, 2, seed=1), numbers(3, 1, seed=2)
    first, second = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    inputs = {"list": [first, second], "tuple": (first, second), "dict": {"a": first, "b": second}}[form]
    model = given(keras.Model(inputs, keras.layers.Dense(1)(first - 2.0 * second)))
    _compiled(model)
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    out = (a - 2.0 * b) @ kernel + bias
    if method == "predict_on_batch":
        close(model.predict_on_batch(_data(form, a, b)), out, "outputs")
    elif method == "fit":
        history = model.fit(_data(form, a, b), y, batch_size=2, verbose=0).history
        close(history["loss"], [np.mean((out - y) ** 2)], "loss")
    else:
        close(getattr(model, method)(_data(form, a, b), y), np.mean((out - y) ** 2), "loss")


def inputs_by_name_may_be_given_in_any_order():
    """A dict for named inputs may have any order, and more keys"""
    model, a, b = _two("list"), numbers(3, 2), numbers(3, 2, seed=1)
    close(model.predict({"b": b, "a": a}, verbose=0), 2.0 * a - 3.0 * b, "outputs")


def _outputs(form):
    """Returns a model with the outputs 2x and 3x[:, :1]."""
    x = keras.Input((2,))
    one, two = 2.0 * x, 3.0 * x[:, :1]
    outputs = {
        "list": [one, two],
        "tuple": (one, two),
        "dict": {"one": one, "two": two},
        "nested": {"one": one, "rest": [two, {"deep": one}]},
    }[form]
    return _nested_model(x, outputs)


def _expected(form, x):
    one, two = 2.0 * x, 3.0 * x[:, :1]
    return {
        "list": [one, two],
        "tuple": (one, two),
        "dict": {"one": one, "two": two},
        "nested": {"one": one, "rest": [two, {"deep": one}]},
    }[form]


@each(form=["list", "tuple", "dict", "nested"], size=[2, 5])
def predict_returns_the_structure(form, size):
    """predict returns outputs in a {form}, in batches of {size}"""
    x = numbers(5, 2)
    found = _outputs(form).predict(x, batch_size=size, verbose=0)
    close(found, _expected(form, x), "outputs")
    if form == "dict":
        equal(list(found), ["one", "two"], "order of the keys")


@each(form=["list", "dict", "nested"])
def predict_on_batch_returns_the_structure(form):
    """predict_on_batch returns outputs in a {form}"""
    x = numbers(3, 2)
    close(_outputs(form).predict_on_batch(x), _expected(form, x), "outputs")


@each(form=["list", "dict"])
def predict_returns_arrays(form):
    """predict returns NumPy arrays of the outputs' types ({form})"""
    found = _outputs(form).predict(numbers(3, 2), batch_size=2, verbose=0)
    values = list(found.values()) if isinstance(found, dict) else found
    equal([type(value) for value in values], [np.ndarray, np.ndarray], "types")
    equal([str(value.dtype) for value in values], ["float32", "float32"], "number types")


def predict_keeps_whole_numbers():
    """predict returns whole numbers for whole outputs"""
    x = keras.Input((2,))
    model = keras.Model(x, keras.ops.argmax(x, axis=-1))
    found = model.predict(np.array([[0.0, 1.0], [3.0, 2.0], [0.0, 5.0]], "float32"), batch_size=2, verbose=0)
    equal(found, np.array([1, 0, 1]), "outputs")
    equal(found.dtype.kind, "i", "kind of numbers")


def _losses(form, loss, **options):
    x = keras.Input((2,))
    one, two = keras.layers.Dense(1, name="one")(x), keras.layers.Dense(2, name="two")(x)
    model = given(keras.Model(x, {"list": [one, two], "dict": {"one": one, "two": two}}[form]))
    return _compiled(model, loss, **options)


@each(form=["list", "dict"], targets=["list", "tuple", "dict"])
def targets_may_be_nested(form, targets):
    """A model with outputs in a {form} takes targets in a {targets}"""
    if form == "dict" and targets != "dict":
        return  # a list has no names
    model, x = _losses(form, "mse"), numbers(5, 2)
    one, two = numbers(5, 1, seed=1), numbers(5, 2, seed=2)
    y = {"list": [one, two], "tuple": (one, two), "dict": {"two": two, "one": one}}[targets]
    out = model.predict(x, verbose=0)
    a, b = (out["one"], out["two"]) if form == "dict" else out
    expected = np.mean((a.astype("float64") - one) ** 2) + np.mean((b.astype("float64") - two) ** 2)
    close(model.fit(x, y, batch_size=2, verbose=0).history["loss"], [expected], "loss")


@each(form=["list", "dict"], weights=["one", "each"])
def weights_of_outputs_may_be_nested(form, weights):
    """A model with outputs in a {form} takes sample weights: {weights}"""
    model, x = _losses(form, "mse"), numbers(5, 2)
    one, two = numbers(5, 1, seed=1), numbers(5, 2, seed=2)
    w, v = np.arange(1.0, 6.0, dtype="float32"), np.arange(5.0, 0.0, -1.0, dtype="float32")
    y = [one, two] if form == "list" else {"one": one, "two": two}
    sample_weight = w
    if weights == "each":
        sample_weight = [w, v] if form == "list" else {"one": w, "two": v}
    else:
        v = w
    out = model.predict(x, verbose=0)
    a, b = (out["one"], out["two"]) if form == "dict" else out
    expected = np.sum(w * np.mean((a.astype("float64") - one) ** 2, axis=1)) / 5
    expected += np.sum(v * np.mean((b.astype("float64") - two) ** 2, axis=1)) / 5
    history = model.fit(x, y, sample_weight=sample_weight, batch_size=2, verbose=0).history
    close(history["loss"], [expected], "loss of fit")


def an_output_without_loss_needs_no_target():
    """An output whose loss is None adds nothing to the loss"""
    model, x = _losses("dict", {"one": "mse", "two": None}), numbers(5, 2)
    one = numbers(5, 1, seed=1)
    out = model.predict(x, verbose=0)
    y = {"one": one, "two": np.zeros((5, 2), "float32")}
    logs = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    close(logs["loss"], np.mean((out["one"].astype("float64") - one) ** 2), "loss")


@each(missing=["a", "b"])
def a_missing_input_is_refused(missing):
    """predict refuses a dict without the input {missing}"""
    model, x = _two("dict"), {"a": numbers(3, 2), "b": numbers(3, 2)}
    del x[missing]
    refuses(lambda: model.predict(x, verbose=0), "a dict without an input", (ValueError, KeyError))


@each(count=[1, 3])
def a_wrong_number_of_inputs_is_refused(count):
    """predict refuses {count} arrays for two inputs"""
    refuses(lambda: _two("list").predict([numbers(3, 2)] * count, verbose=0), "%d arrays" % count)


def weights_of_another_structure_are_refused():
    """fit refuses sample weights of another structure than the targets"""
    model, x = _losses("list", "mse"), numbers(4, 2)
    y = [numbers(4, 1), numbers(4, 2)]
    refuses(lambda: model.fit(x, y, sample_weight=[np.ones(4, "float32")], verbose=0), "one weight for two outputs")


@each(method=["fit", "predict"])
def an_optional_input_may_be_missing(method):
    """{method} takes None for an optional input"""
    made = need("keras.Input(optional)")
    a, b = keras.Input((2,), name="a"), made((2,), name="b", optional=True)

    class Sum(keras.layers.Layer):
        def call(self, first, second=None):
            return first if second is None else first + second

    model = given(keras.Model([a, b], keras.layers.Dense(1)(Sum()(a, b))))
    _compiled(model)
    x, y = numbers(3, 2), numbers(3, 1)
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    out = x @ kernel + bias
    if method == "predict":
        close(model.predict([x, None], batch_size=2, verbose=0), out, "outputs")
    else:
        close(model.fit([x, None], y, batch_size=2, verbose=0).history["loss"], [np.mean((out - y) ** 2)], "loss")
