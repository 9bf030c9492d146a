"""Figures that training reports: of which output and batch, in which order."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true

_DATA, _Z, _A = numbers(6, 3, seed=1), numbers(6, 2, seed=2), numbers(6, 4, seed=3)
_WEIGHTS = np.array([1.0, 0.0, 2.5, 0.5, 3.0, 1.0], "float32")


def _two(form, **options):
    """Returns a compiled model of two outputs, not in the alphabet's order."""
    x = keras.Input((3,))
    z, a = keras.layers.Dense(2, name="z")(x), keras.layers.Dense(4, name="a")(x)
    outputs = {"list": [z, a], "dict": {"z": z, "a": a}, "keys": {"two": z, "one": a}}[form]
    model = given(keras.Model(x, outputs))
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True, **options)
    return model


def _means(model, weights=None):
    """Returns the mean absolute error of z, and the mean squared one of a."""
    found = []
    for name, target, power in (("z", _Z, 1), ("a", _A, 2)):
        kernel, bias = (w.astype("float64") for w in model.get_layer(name).get_weights())
        found.append(np.average(np.mean(abs(_DATA @ kernel + bias - target) ** power, -1), weights=weights))
    return found


FORMS = ["list list list", "list list dict", "list dict dict", "dict dict dict", "keys dict dict"]


@each(forms=FORMS, weighted=[False, True])
def metrics_meet_their_outputs(forms, weighted):
    """metrics are of their outputs in the forms {forms}, weighted: {weighted}"""
    outputs, targets, metrics = forms.split()
    z, a = ("two", "one") if outputs == "keys" else ("z", "a")
    asked = [["mae"], ["mse"]] if metrics == "list" else {z: ["mae"], a: ["mse"]}
    model = _two(outputs, loss="mse", **{"weighted_metrics" if weighted else "metrics": asked})
    y = [_Z, _A] if targets == "list" else {z: _Z, a: _A}
    options = {"sample_weight": _WEIGHTS} if weighted else {}
    logs = model.evaluate(_DATA, y, batch_size=6, verbose=0, return_dict=True, **options)
    close([logs[z + "_mae"], logs[a + "_mse"]], _means(model, _WEIGHTS if weighted else None), "metrics")


def sample_weights_by_names_of_list_outputs():
    """a dict of sample weights by output names serves a model of a list"""
    model = _two("list", loss=["mae", "mse"])
    weights = {"z": np.ones((6,), "float32"), "a": np.zeros((6,), "float32")}
    found = model.evaluate(_DATA, {"z": _Z, "a": _A}, sample_weight=weights, batch_size=6, verbose=0, return_dict=True)
    close(found["loss"], _means(model)[0], "the loss")


def _one(**options):
    """Returns a compiled model of one output, which learns nothing."""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="z")]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True, **options)
    return model


@each(method=["evaluate", "test_on_batch", "train_on_batch"], order=["hinge mse mae", "mse mae hinge", "mae hinge mse"])
def results_are_in_the_order_of_metrics(method, order):
    """{method} lists the loss, then the metrics in the order of compile: {order}"""
    model = _one(metrics=order.split())
    options = {"verbose": 0, "batch_size": 6} if method == "evaluate" else {}
    found = getattr(model, method)(_DATA, _Z, **options)
    predicted = array(model(_DATA)).astype("float64")
    values = {"mae": np.mean(abs(predicted - _Z)), "mse": np.mean((predicted - _Z) ** 2),
              "hinge": np.mean(np.maximum(1 - _Z * predicted, 0))}  # fmt: skip
    close(list(found), [values["mse"], *(values[name] for name in order.split())], tolerance=3e-5)


@each(method=["train_on_batch", "test_on_batch"], before=["another batch", "fit", "evaluate"])
def figures_of_a_batch_are_its_own(method, before):
    """{method} after {before} reports the loss and metrics of its batch alone"""
    model = _one(metrics=["mae"])
    if before == "another batch":
        getattr(model, method)(_DATA[:3], _Z[:3])
    elif before == "fit":
        model.fit(_DATA[:3], _Z[:3], verbose=0)
    else:
        model.evaluate(_DATA[:3], _Z[:3], verbose=0)
    found = getattr(model, method)(_DATA[3:], _Z[3:], return_dict=True)
    off = array(model(_DATA[3:])).astype("float64") - _Z[3:]
    close([found["loss"], found["mae"]], [np.mean(off**2), np.mean(abs(off))], "loss and metric")


@each(weights=["0.5", "[0.5]", "{'z': 0.5}"])
def one_loss_weight_weighs_one_loss(weights):
    """loss_weights={weights} halves the loss of a model with one output"""
    x = keras.Input((3,))
    model = given(keras.Model(x, keras.layers.Dense(2, name="z")(x)))
    asked = eval(weights)  # noqa: S307 - texts of this module
    loss = {"0.5": "mse", "[0.5]": ["mse"], "{'z': 0.5}": {"z": "mse"}}[weights]
    model.compile("sgd", loss, loss_weights=asked, run_eagerly=True)
    expected = np.mean((array(model(_DATA)).astype("float64") - _Z) ** 2) / 2
    close(model.evaluate(_DATA, _Z, batch_size=6, verbose=0), expected, "the loss")


@each(method=["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"],
      form=["the first of a dict", "the last of a dict", "the last of a list"])  # fmt: skip
def inputs_that_are_optional_may_be_missing(method, form):
    """{method} takes None for an optional input that is {form}"""
    need("keras.Input(optional)")

    class Perhaps(keras.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape=None):
            return x_shape

    names = ("b", "a") if "first" in form else ("a", "b")
    x, y = keras.Input((3,), name=names[0]), keras.Input((3,), name=names[1], optional=True)
    inputs = [x, y] if "list" in form else dict(zip(names, (x, y)))
    model = given(keras.Model(inputs, keras.layers.Dense(2)(Perhaps()(x, y))))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    data = [_DATA, None] if "list" in form else dict(zip(names, (_DATA, None)))
    predicted = array(model(data))
    options = {} if "batch" in method else {"verbose": 0}
    if method.startswith("predict"):
        close(getattr(model, method)(data, **options), predicted, "prediction")
        return
    found = getattr(model, method)(data, _Z, **options)
    found = found.history["loss"][0] if method == "fit" else found
    close(found, np.mean((predicted.astype("float64") - _Z) ** 2), "the loss")


@each(inner=["trained", "lossless", "uncompiled"], depth=[1, 2])
def models_inside_add_no_figures(inner, depth):
    """A {inner} model, {depth} levels inside, adds nothing to the reports"""
    part = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    if inner == "trained":
        part.compile("sgd", "mse", metrics=["mae", "mse"], run_eagerly=True)
        part.train_on_batch(_DATA, _DATA)
    elif inner == "lossless":
        part.compile("sgd", metrics=["mae"], run_eagerly=True)
    if depth == 2:
        part = keras.Sequential([keras.Input((3,)), part])
    model = keras.Sequential([keras.Input((3,)), part, keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    equal(sorted(model.evaluate(_DATA, _Z, verbose=0, return_dict=True)), ["loss", "mae"], "names")
    equal(len(model.evaluate(_DATA, _Z, verbose=0)), 2, "how many results")
    equal(sorted(model.fit(_DATA, _Z, verbose=0).history), ["loss", "mae"], "names of fit")


@each(metric=["Sum", "Mean"], dtype=["int32", "int64", "float16", "float64"])
def metrics_of_any_dtype_reset(metric, dtype):
    """metrics.{metric}(dtype={dtype}) is as new after reset_state"""
    if dtype in ("int64", "float64") and keras.config.backend() == "jax":
        raise Lacking("jax has no 64 bits by default")
    made = getattr(keras.metrics, metric)(dtype=dtype)
    expected = array(made([2, 4]))
    made.reset_state()
    equal([float(array(v)) for v in made.variables], [0.0] * len(made.variables), "variables")
    close(array(made([2, 4])), expected, "the result after the reset")


@each(metric=["MeanIoU(2)", "IoU(2, [0, 1])", "BinaryIoU([0, 1])", "OneHotIoU(2, [0, 1])", "OneHotMeanIoU(2)"])
def counts_of_iou_are_whole_numbers(metric):
    """metrics.{metric} counts single samples exactly after 2 ** 24 others"""
    made = eval("keras.metrics." + metric)  # noqa: S307 - texts of this module
    t = np.array([[0.0, 1.0]], "float32") if "OneHot" in metric else np.array([1])
    p = np.array([[0.2, 0.8]], "float32") if "OneHot" in metric else np.array([1])
    made.update_state(t, p, sample_weight=np.array([2**24]))
    for _ in range(3):
        made.update_state(t, p)
    close(array(made.variables[0]).astype("float64"), np.array([[0, 0], [0, 2.0**24 + 3]]), "counts", tolerance=1e-9)


ALL = ["SGD", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "RMSprop", "Ftrl", "Lion", "Adafactor",
       "LossScaleOptimizer"]  # fmt: skip


def _optimizer(name):
    kind = need("keras.optimizers." + name)
    if name == "LossScaleOptimizer" and keras.config.backend() == "jax":
        raise Lacking("on JAX it has no step that changes variables in place")
    return kind(keras.optimizers.SGD(0.1)) if name == "LossScaleOptimizer" else kind(0.1)


@each(optimizer=ALL)
def apply_without_variables_moves_those_of_build(optimizer):
    """{optimizer}.apply(gradients) moves the variables that build was given"""
    gradients = [keras.ops.convert_to_tensor(numbers(3, 2, seed=seed)) for seed in (1, 2)]
    found = []
    for passed in (True, False):
        made = _optimizer(optimizer)
        variables = [keras.Variable(np.ones((3, 2), "float32")) for _ in range(2)]
        made.build(variables)
        made.apply(gradients, *([variables] if passed else []))
        found.append([array(v) for v in variables])
    true(np.abs(found[0][0] - 1).max() > 0, "they move at all")
    close(found[1], found[0], "the variables")


REFUSED = {"weight_decay": 0.1, "clipnorm": 1.0, "global_clipnorm": 1.0, "clipvalue": 0.5, "use_ema": True,
           "gradient_accumulation_steps": 2, "nonsense": 1}  # fmt: skip


@each(argument=list(REFUSED))
def loss_scale_optimizer_refuses_what_it_would_ignore(argument):
    """LossScaleOptimizer uses {argument}, or refuses it"""
    inner = keras.optimizers.SGD(0.1)

    def made():
        return keras.optimizers.LossScaleOptimizer(inner, 1.0, **{argument: REFUSED[argument]})

    try:
        optimizer = made()
    except (TypeError, ValueError):
        return
    if keras.config.backend() == "jax":
        raise Lacking("on JAX it has no step that changes variables in place")
    variable = keras.Variable(np.full((2,), 5.0, "float32"))
    plain = keras.Variable(np.full((2,), 5.0, "float32"))
    gradient = keras.ops.convert_to_tensor(np.full((2,), 3.0, "float32"))
    optimizer.apply([gradient], [variable])
    other = keras.optimizers.SGD(0.1, **{argument: REFUSED[argument]})
    other.apply([gradient], [plain])
    close(array(variable), array(plain), "the variable after a step with %s" % argument)
