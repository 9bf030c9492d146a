"""compile() in all of its forms, and what fit and evaluate make of it."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, numbers, refuses, true

_X, _A, _B = numbers(6, 3, seed=1), numbers(6, 2, seed=2), numbers(6, 2, seed=3)
_W = np.array([1.0, 0.0, 2.5, 0.5, 3.0, 1.0], "float32")
_V = np.array([0.5, 1.0, 0.0, 2.0, 1.0, 1.0], "float32")


def _single(**options):
    """Returns a compiled model of one output."""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a")]))
    model.compile(keras.optimizers.SGD(0.1), **options)
    return model


def _double(form="list", **options):
    """Returns a compiled model of two outputs, as a list or a dict."""
    x = keras.Input((3,))
    a, b = keras.layers.Dense(2, name="a")(x), keras.layers.Dense(2, name="b")(x)
    outputs = {"list": [a, b], "tuple": (a, b), "dict": {"a": a, "b": b}, "other dict": {"b": b, "a": a},
               "keys": {"one": a, "two": b}}[form]  # fmt: skip
    model = given(keras.Model(x, outputs))
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True, **options)
    return model


def _off(model, name, y, power=2):
    """Returns the mean error of each sample of the layer of that name."""
    kernel, bias = (w.astype("float64") for w in model.get_layer(name).get_weights())
    return np.mean(abs(_X @ kernel + bias - y) ** power, -1)


def _of_outputs(logs, expected, weights=(1, 1)):
    """Compares the loss, and the outputs' losses where a release logs them."""
    close(logs["loss"], np.dot(expected, weights), "the loss")
    if "a_loss" in logs or "b_loss" in logs:
        close([logs["a_loss"], logs["b_loss"]], expected, "the losses of the outputs")


def _evaluated(model, y, batch_size=6, **options):
    """Returns the logs of evaluate, of one batch where nothing else is asked."""
    return model.evaluate(_X, y, batch_size=batch_size, verbose=0, return_dict=True, **options)


@each(form=["mse", "function", "class", "instance", "list", "dict", "custom"])
def loss_can_be_given_as(form):
    """compile(loss=...) takes a loss as {form}"""
    losses = {"mse": "mse", "function": keras.losses.mean_squared_error, "class": "MeanSquaredError",
              "instance": keras.losses.MeanSquaredError(), "list": ["mse"], "dict": {"a": "mse"},
              "custom": lambda t, p: keras.ops.mean((t - p) ** 2, axis=-1)}  # fmt: skip
    x = keras.Input((3,))
    model = given(keras.Model(x, keras.layers.Dense(2, name="a")(x)))
    model.compile("sgd", losses[form], run_eagerly=True)
    close(_evaluated(model, _A)["loss"], np.mean(_off(model, "a", _A)))


@each(form=["list", "tuple", "dict", "other dict"], losses=["one", "list", "dict", "tuple"],
      targets=["list", "dict"])  # fmt: skip
def losses_of_two_outputs(form, losses, targets):
    """losses as {losses} of outputs in a {form}, targets in a {targets}, are added"""
    if (targets == "dict" or losses == "dict") != ("dict" in form) and not (losses == "one" and targets == "list"):
        return
    if "dict" in form and (targets == "list" or losses in ("list", "tuple")):
        return
    asked = {"one": "mse", "list": ["mse", "mae"], "tuple": ("mse", "mae"), "dict": {"a": "mse", "b": "mae"}}[losses]
    model = _double(form, loss=asked)
    y = {"list": [_A, _B], "dict": {"a": _A, "b": _B}}[targets]
    a, b = np.mean(_off(model, "a", _A)), np.mean(_off(model, "b", _B, 2 if losses == "one" else 1))
    _of_outputs(_evaluated(model, y), [a, b])


def losses_of_outputs_are_logged():
    """the losses of two outputs are logged one by one, under the outputs' names"""
    logs = _evaluated(_double("list", loss=["mse", "mse"]), [_A, _B])
    equal(sorted(logs), ["a_loss", "b_loss", "loss"], "the names")


@each(form=["list", "dict"])
def losses_by_names_of_list_outputs(form):
    """a dict of losses by output names serves a model of a list, targets as {form}"""
    model = _double("list", loss={"b": "mae", "a": "mse"})
    logs = _evaluated(model, {"list": [_A, _B], "dict": {"b": _B, "a": _A}}[form])
    a, b = np.mean(_off(model, "a", _A)), np.mean(_off(model, "b", _B, 1))
    _of_outputs(logs, [a, b])


def losses_by_keys_of_dict_outputs():
    """losses, metrics and targets go by the keys of dict outputs, not by layer names"""
    model = _double("keys", loss={"one": "mse", "two": "mae"}, metrics={"two": ["mse"]})
    try:
        logs = _evaluated(model, {"two": _B, "one": _A})
    except ValueError as error:
        if "does not correspond to any model output" in str(error):
            raise Lacking("losses go by layer names only") from error
        raise
    close(logs["loss"], np.mean(_off(model, "a", _A)) + np.mean(_off(model, "b", _B, 1)), "the loss")
    close(logs["two_mse"], np.mean(_off(model, "b", _B)), "the metric")


@each(form=["list", "dict"], weights=["list", "dict", "tuple"])
def loss_weights_weigh_outputs(form, weights):
    """loss_weights as {weights} weigh the losses of outputs in a {form}"""
    if (form, weights) in (("dict", "list"), ("dict", "tuple")):
        return
    asked = {"list": [0.5, 2.0], "tuple": (0.5, 2.0), "dict": {"b": 2.0, "a": 0.5}}[weights]
    losses = {"a": "mse", "b": "mse"} if "dict" in (form, weights) else ["mse", "mse"]
    model = _double(form, loss=losses, loss_weights=asked)
    a, b = np.mean(_off(model, "a", _A)), np.mean(_off(model, "b", _B))
    logs = _evaluated(model, [_A, _B] if form == "list" else {"a": _A, "b": _B})
    _of_outputs(logs, [a, b], [0.5, 2])


def loss_weight_of_one_output():
    """loss_weights halves the loss of a model with one output, as 0.5 or [0.5]"""
    try:
        model = _single(loss="mse", loss_weights=0.5, run_eagerly=True)
        logs = _evaluated(model, _A)
    except ValueError:
        model = _single(loss=["mse"], loss_weights=[0.5], run_eagerly=True)
        logs = _evaluated(model, _A)
    close(logs["loss"], np.mean(_off(model, "a", _A)) / 2)


@each(form=["list", "dict", "missing"])
def output_without_a_loss(form):
    """an output whose loss is None ({form}) adds nothing and trains nothing"""
    losses = {"list": ["mse", None], "dict": {"a": "mse", "b": None}, "missing": {"a": "mse"}}[form]
    model = _double("list" if form == "list" else "dict", loss=losses)
    y = [_A, _B] if form == "list" else {"a": _A, "b": _B}
    kept = model.get_layer("b").get_weights()
    close(_evaluated(model, y)["loss"], np.mean(_off(model, "a", _A)), "the loss")
    model.fit(_X, y, verbose=0)
    equal(model.get_layer("b").get_weights(), kept, "the weights of the other output")


@each(form=["list", "dict"])
def sample_weights_of_outputs(form):
    """sample_weight as {form} weighs the losses and weighted metrics of each output"""
    asked = {"loss": {"a": "mse", "b": "mse"}, "weighted_metrics": {"a": ["mae"], "b": ["mae"]},
             "metrics": {"b": ["mae"]}} if form == "dict" else {
                 "loss": ["mse", "mse"], "weighted_metrics": [["mae"], ["mae"]], "metrics": [[], ["mae"]]}  # fmt: skip
    model = _double(form, **asked)
    y, w = ([_A, _B], [_W, _V]) if form == "list" else ({"a": _A, "b": _B}, {"a": _W, "b": _V})
    logs = _evaluated(model, y, sample_weight=w)
    a, b = _off(model, "a", _A), _off(model, "b", _B)
    _of_outputs(logs, [np.mean(a * _W), np.mean(b * _V)])
    c, d = _off(model, "a", _A, 1), _off(model, "b", _B, 1)
    close(logs["a_mae"], np.average(c, weights=_W), "the weighted metric of a")
    close(sorted([logs["b_mae"], logs["b_mae_1"] if "b_mae_1" in logs else logs["b_weighted_mae"]]),
          sorted([np.mean(d), np.average(d, weights=_V)]), "both metrics of b")  # fmt: skip


def sample_weight_of_one_for_both_outputs():
    """one sample_weight serves both outputs"""
    model = _double("list", loss=["mse", "mse"], weighted_metrics=[["mae"], ["mae"]])
    logs = _evaluated(model, [_A, _B], sample_weight=_W)
    expected = [np.mean(_off(model, n, y) * _W) for n, y in (("a", _A), ("b", _B))]
    _of_outputs(logs, expected)
    expected = [np.average(_off(model, n, y, 1), weights=_W) for n, y in (("a", _A), ("b", _B))]
    close([logs["a_mae"], logs["b_mae"]], expected, "the weighted metrics")


@each(form=["list", "nested", "dict", "partial"])
def metrics_of_outputs(form):
    """metrics of two outputs as {form} are logged under the outputs' names"""
    asked = {"list": ["mae", "mse"], "nested": [["mae"], ["mse"]],
             "dict": {"a": "mae", "b": ["mse"]}, "partial": {"b": "mse"}}[form]  # fmt: skip
    model = _double("list", loss=["mse", "mse"], metrics=asked)
    logs = _evaluated(model, [_A, _B])
    close(logs["b_mse"], np.mean(_off(model, "b", _B)), "b_mse")
    equal("a_mae" in logs, form != "partial", "whether a_mae is logged")
    if form != "partial":
        close(logs["a_mae"], np.mean(_off(model, "a", _A, 1)), "a_mae")


@each(form=["list", "dict"])
def metrics_of_one_output(form):
    """metrics of one output as {form} are logged"""
    asked = {"list": ["mae", keras.metrics.MeanSquaredError(name="own")],
             "dict": {"a": ["mae"]}}[form]  # fmt: skip
    x = keras.Input((3,))
    model = given(keras.Model(x, keras.layers.Dense(2, name="a")(x)))
    model.compile("sgd", "mse", metrics=asked, run_eagerly=True)
    logs = _evaluated(model, _A)
    close(logs["mae"], np.mean(_off(model, "a", _A, 1)))
    equal("own" in logs, form == "list", "whether own is logged")


def metric_function_is_named_after_it():
    """a function among metrics is averaged and logged under its name"""

    def cubed(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    model = _single(loss="mse", metrics=[cubed], weighted_metrics=[cubed], run_eagerly=True)
    logs = _evaluated(model, _A, sample_weight=_W)
    values = _off(model, "a", _A, 3)
    found = sorted(float(v) for k, v in logs.items() if "cubed" in k)
    close(found, sorted([values.mean(), np.average(values, weights=_W)]), tolerance=3e-5)


def metric_names_that_meet_are_told_apart():
    """two metrics of one name are both logged, each with its value"""
    first, second = keras.metrics.MeanAbsoluteError(name="m"), keras.metrics.MeanSquaredError(name="m")
    model = _single(loss="mse", metrics=[first, second], run_eagerly=True)
    logs = _evaluated(model, _A)
    close([logs["m"], logs["m_1"]], [np.mean(_off(model, "a", _A, 1)), np.mean(_off(model, "a", _A))])


_WRONG = {
    "three losses": {"loss": ["mse", "mse", "mse"]}, "an unknown key of a loss": {"loss": {"a": "mse", "c": "mse"}},
    "an unknown loss": {"loss": "nonesuch"}, "an unknown metric": {"loss": "mse", "metrics": ["nonesuch", "mse"]},
    "an unknown key of metrics": {"loss": "mse", "metrics": {"c": "mse"}},
    "three loss weights": {"loss": ["mse", "mse"], "loss_weights": [1.0, 2.0, 3.0]},
    "an unknown key of weights": {"loss": {"a": "mse", "b": "mse"}, "loss_weights": {"a": 1.0, "c": 1.0}},
    "three metrics": {"loss": "mse", "metrics": [["mse"], ["mse"], ["mse"]]},
    "a number as metrics": {"loss": "mse", "metrics": 3}, "a text as metrics": {"loss": "mse", "metrics": "mse"},
    "a text as weights": {"loss": ["mse", "mse"], "loss_weights": "0.5"},
}  # fmt: skip


@each(what=list(_WRONG), form=["list", "dict"])
def compile_refuses(what, form):
    """compile() or the first step refuses {what} of two outputs in a {form}"""
    data = {"a": _A, "b": _B} if form == "dict" else [_A, _B]
    errors = (ValueError, TypeError, KeyError)
    message = refuses(lambda: _evaluated(_double(form, **_WRONG[what]), data), what, errors)
    true(len(message.split()) > 2, "the message says what is wrong: %s" % message)


@each(what=["optimizer", "jit_compile", "run_eagerly"])
def compile_tells_unknown_arguments(what):
    """compile() refuses an unknown argument or optimizer"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    if what == "optimizer":
        refuses(lambda: model.compile("nonesuch", "mse"), "an unknown optimizer")
    else:
        refuses(lambda: model.compile("sgd", "mse", **{what + "s": True}), "an unknown argument")


@each(what=["fit", "evaluate", "train_on_batch", "test_on_batch"])
def methods_ask_for_compile(what):
    """{what} of a model that is not compiled is refused in words"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    text = refuses(lambda: getattr(model, what)(_X, _A), "a model that is not compiled")
    true("compile" in text, "the message names compile() (it is: %s)" % text[:120])


@each(y=["three samples", "one target of two", "three columns"])
def fit_refuses_targets(y):
    """fit refuses targets that do not fit: {y}"""
    if y == "one target of two":
        model = _double("list", loss=["mse", "mse"])
        refuses(lambda: model.fit(_X, [_A], verbose=0), y)
    else:
        model = _single(loss="mse", run_eagerly=True)
        bad = _A[:3] if y == "three samples" else numbers(6, 3)
        refuses(lambda: model.fit(_X, bad, verbose=0), y, errors=(Exception,))


@each(method=["evaluate", "test_on_batch", "train_on_batch", "fit"])
def results_have_names(method):
    """{method} reports loss and metrics under metrics_names or as a dict"""
    model = _single(loss="mse", metrics=["mae"], weighted_metrics=["mape"], run_eagerly=True)
    if method == "fit":
        equal(sorted(model.fit(_X, _A, verbose=0).history), ["loss", "mae", "mape"], "the names in history")
        return
    options = {"verbose": 0} if method == "evaluate" else {}
    listed = getattr(model, method)(_X, _A, **options)
    equal(len(listed), 3, "how many results")
    logs = getattr(model, method)(_X, _A, return_dict=True, **options)
    equal(sorted(logs), ["loss", "mae", "mape"], "the names")
    if method != "train_on_batch":
        close(list(listed), [logs["loss"], logs["mae"], logs["mape"]], "the list")


def evaluate_equals_the_logs_of_fit():
    """evaluate gives what fit logs at a learning rate of 0, val_ as well"""
    model = _single(loss="mse", metrics=["mae"], weighted_metrics=["mse"])
    model.optimizer.learning_rate = 0.0
    history = model.fit(_X, _A, sample_weight=_W, batch_size=3, validation_data=(_X, _A, _W), verbose=0).history
    logs = _evaluated(model, _A, sample_weight=_W)
    for key, value in logs.items():
        close(history[key][0], value, key)
        close(history["val_" + key][0], value, "val_" + key)


def recompiling_replaces_metrics():
    """compile() again replaces the loss and metrics, and keeps the weights"""
    model = _single(loss="mse", metrics=["mae"])
    model.fit(_X, _A, verbose=0)
    kept = model.get_weights()
    model.compile("sgd", "mae", metrics=["mse"])
    equal(model.get_weights(), kept, "the weights")
    logs = _evaluated(model, _A)
    equal(sorted(logs), ["loss", "mse"], "the names")
    close(logs["loss"], np.mean(_off(model, "a", _A, 1)), "the loss")
    close(logs["mse"], np.mean(_off(model, "a", _A)), "the metric")


def recompiling_without_metrics_drops_them():
    """compile() again without metrics and weights logs the loss alone"""
    model = _single(loss="mse", metrics=["mae"], weighted_metrics=["mae"], run_eagerly=True)
    model.evaluate(_X, _A, verbose=0)
    model.compile("sgd", "mse", run_eagerly=True)
    equal(sorted(_evaluated(model, _A)), ["loss"], "the names")


@each(times=[2, 3])
def compiling_several_times_keeps_no_variables(times):
    """compile() {times} times leaves as many variables as once"""
    model = _single(loss="mse", metrics=["mae"])
    model.fit(_X, _A, verbose=0)
    expected = len(model.variables), len(model.metrics_variables)
    for _ in range(times):
        model.compile("sgd", "mse", metrics=["mae"])
    model.fit(_X, _A, verbose=0)
    equal((len(model.variables), len(model.metrics_variables)), expected, "variables of model and metrics")


def metrics_reset_between_epochs():
    """the metrics of each epoch start at 0, and reset_metrics sets them to 0"""
    model = _single(loss="mse", metrics=["mae"])
    model.optimizer.learning_rate = 0.0
    history = model.fit(_X, _A, epochs=3, batch_size=4, verbose=0).history
    close(history["mae"], [history["mae"][0]] * 3, "the epochs")
    model.reset_metrics()
    close(array(model.metrics[0].result()), 0.0, "after reset_metrics")


def metric_object_in_two_models():
    """a metric object shared by two models is reset at each use"""
    metric = keras.metrics.MeanAbsoluteError(name="m")
    one, two = _single(loss="mse", metrics=[metric]), _single(loss="mse", metrics=[metric])
    first = _evaluated(one, _A)["m"]
    close(_evaluated(two, _B)["m"], np.mean(_off(two, "a", _B, 1)), "the second model")
    close(_evaluated(one, _A)["m"], first, "the first again")


def compile_config_comes_back():
    """compile_from_config gives optimizer, loss, weights and metrics back"""
    model = _single(loss="mae", metrics=["mse"], weighted_metrics=["mae"], run_eagerly=True)
    config = model.get_compile_config()
    other = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a")]))
    other.compile_from_config(config)
    close(float(array(other.optimizer.learning_rate)), 0.1, "the learning rate")
    close(_evaluated(other, _A), _evaluated(model, _A))


def loss_of_a_layer_is_added():
    """add_loss of a layer and a regularizer are added to the loss in fit and evaluate"""

    class Penalty(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.5 * keras.ops.mean(x**2))
            return x

    dense = keras.layers.Dense(2, name="a", kernel_regularizer=keras.regularizers.L2(0.1))
    inner = keras.Sequential([keras.Input((2,)), Penalty()])
    model = given(keras.Sequential([keras.Input((3,)), dense, inner]))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    kernel, bias = (w.astype("float64") for w in dense.get_weights())
    out = _X @ kernel + bias
    expected = np.mean((out - _A) ** 2) + 0.5 * np.mean(out**2) + 0.1 * np.sum(kernel**2)
    close(model.evaluate(_X, _A, verbose=0), expected, "evaluate")
    close(model.fit(_X, _A, batch_size=6, verbose=0).history["loss"], [expected], "fit")


def model_without_a_loss_trains_by_add_loss():
    """compile() without a loss trains by losses that layers add"""

    class Penalty(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(x**2))
            return x

    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a"), Penalty()]))
    model.compile(keras.optimizers.SGD(0.1))
    losses = model.fit(_X, batch_size=6, epochs=3, verbose=0).history["loss"]
    true(losses[2] < losses[1] < losses[0], "the loss decreases (found %s)" % losses)


@each(name=["l1", "l2", "L1", "L2", "orthogonal_regularizer", "OrthogonalRegularizer"])
def regularizer_by_its_name(name):
    """kernel_regularizer={name} adds its formula to the loss"""
    if name.lower().startswith("orth"):
        made = keras.regularizers.get(name)
        equal(type(made).__name__, "OrthogonalRegularizer", "its class")
        return
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="a", kernel_regularizer=name)]))
    model.compile("sgd", "mse", run_eagerly=True)
    kernel = model.get_layer("a").get_weights()[0].astype("float64")
    penalty = 0.01 * (np.sum(abs(kernel)) * ("1" in name) + np.sum(kernel**2) * ("2" in name))
    close(_evaluated(model, _A)["loss"], np.mean(_off(model, "a", _A)) + penalty)


def class_weight_weighs_one_output():
    """class_weight weighs samples by class in the loss and in weighted_metrics"""
    y = np.array([0, 1, 1, 0, 1, 0])
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")]))
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    p = model.predict(_X, verbose=0)
    weights = np.where(y == 0, 1.0, 3.0)
    history = model.fit(_X, y, class_weight={0: 1.0, 1: 3.0}, batch_size=6, verbose=0).history
    close(history["loss"][0], np.mean(-np.log(p[np.arange(6), y]) * weights), "the loss", tolerance=3e-5)
    close(history["accuracy"][0], np.average(p.argmax(-1) == y, weights=weights), "the accuracy")


def class_weight_of_two_outputs_is_refused():
    """class_weight with two outputs is refused in words"""
    model = _double("list", loss=["mse", "mse"])
    refuses(lambda: model.fit(_X, [_A, _B], class_weight={0: 1.0}, verbose=0), "class_weight of two outputs")


def validation_split_takes_the_last_samples():
    """validation_split=1/3 holds the last samples out, with their weights"""
    model = _single(loss="mse", metrics=["mae"])
    model.optimizer.learning_rate = 0.0
    history = model.fit(_X, _A, sample_weight=_W, validation_split=1 / 3, batch_size=2, verbose=0).history
    weighted = _off(model, "a", _A) * _W
    close(history["loss"][0], weighted[:4].mean(), "the loss")
    close(history["val_loss"][0], weighted[4:].mean(), "the validation loss")
    close(history["val_mae"][0], _off(model, "a", _A, 1)[4:].mean(), "the validation metric")


def initial_epoch_leaves_epochs_out():
    """fit(initial_epoch=2, epochs=4) runs epochs 2 and 3, and a second fit goes on"""
    model = _single(loss="mse")
    history = model.fit(_X, _A, initial_epoch=2, epochs=4, batch_size=6, verbose=0)
    equal(history.epoch, [2, 3], "the epochs")
    equal(int(array(model.optimizer.iterations)), 2, "iterations")
    model.fit(_X, _A, batch_size=3, verbose=0)
    equal(int(array(model.optimizer.iterations)), 4, "iterations after a second fit")


def fitting_twice_is_fitting_longer():
    """two fits of one epoch give the weights of one fit of two epochs"""
    one, two = (_single(loss="mse") for _ in range(2))
    one.compile(keras.optimizers.Adam(0.1), "mse")
    two.compile(keras.optimizers.Adam(0.1), "mse")
    one.fit(_X, _A, epochs=2, batch_size=3, shuffle=False, verbose=0)
    for _ in range(2):
        two.fit(_X, _A, batch_size=3, shuffle=False, verbose=0)
    close(two.get_weights(), one.get_weights(), "weight")


def train_on_batch_equals_fit():
    """train_on_batch with sample and class weights gives the weights of fit"""
    one, two = (_single(loss="mse", metrics=["mae"]) for _ in range(2))
    for _ in range(2):
        logs = one.train_on_batch(_X, _A, sample_weight=_W, return_dict=True)
    two.fit(_X, _A, sample_weight=_W, batch_size=6, epochs=2, verbose=0)
    close(one.get_weights(), two.get_weights(), "weight")
    true("loss" in logs and "mae" in logs, "the logs have loss and metric")


class _Own(keras.Model):
    """A model with its own compute_loss."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, name="a")

    def call(self, x):
        return self.dense(x)


def compute_loss_can_be_overridden():
    """compute_loss of a subclass is used by fit and evaluate, with its arguments"""
    seen = []

    class Doubled(_Own):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **options):
            seen.append(sample_weight is not None)
            return 2 * keras.ops.mean((y - y_pred) ** 2)

    model = Doubled()
    model(_X)
    given(model).compile(keras.optimizers.SGD(0.0))
    kernel, bias = (w.astype("float64") for w in model.dense.get_weights())
    expected = 2 * np.mean((_X @ kernel + bias - _A) ** 2)
    close(model.fit(_X, _A, batch_size=6, verbose=0).history["loss"], [expected], "fit")
    close(model.evaluate(_X, _A, sample_weight=_W, verbose=0), expected, "evaluate")
    equal(sorted(set(seen)), [False, True], "whether it is handed sample weights")


def compute_metrics_can_be_overridden():
    """compute_metrics of a subclass adds to the logs"""

    class Noted(_Own):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            logs["ten"] = 10.0
            return logs

    model = Noted()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(_X, _A, batch_size=6, verbose=0).history
    equal(sorted(history), ["loss", "mae", "ten"], "the names")
    close(history["ten"], [10.0])


@each(when=["before", "after"])
def frozen_layer_stays(when):
    """a layer frozen {when} the first compile() is unchanged by fit"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="low"),
                                    keras.layers.Dense(2, name="a")]))  # fmt: skip
    if when == "after":
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.fit(_X, _A, verbose=0)
    model.get_layer("low").trainable = False
    model.compile(keras.optimizers.Adam(0.1), "mse")
    kept, moved = model.get_layer("low").get_weights(), model.get_layer("a").get_weights()
    model.fit(_X, _A, verbose=0)
    equal(model.get_layer("low").get_weights(), kept, "its weights")
    true(not np.allclose(model.get_layer("a").get_weights()[0], moved[0]), "the other layer trains")
    equal(len(model.trainable_variables), 2, "trainable variables")


def frozen_inner_model_stays():
    """an inner model that is frozen is unchanged by fit, BatchNormalization as well"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    model = given(keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)]))
    inner.trainable = False
    model.compile("sgd", "mse")
    kept = inner.get_weights()
    model.fit(_X, _A, verbose=0)
    equal(inner.get_weights(), kept, "its weights")


def steps_per_epoch_goes_on_in_the_data():
    """fit(steps_per_epoch=1) of a generator takes the next batch in each epoch"""
    batches = [(_X[:3], _A[:3]), (_X[3:], _A[3:])]

    def endless():
        while True:
            yield from batches

    model = _single(loss="mse")
    model.optimizer.learning_rate = 0.0
    history = model.fit(endless(), steps_per_epoch=1, epochs=2, verbose=0).history
    off = _off(model, "a", _A)
    close(history["loss"], [off[:3].mean(), off[3:].mean()], "the losses")


@each(loss=["categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy", "crossentropy"])
def compiled_crossentropy_of_classes(loss):
    """compile(loss={loss}) of softmax outputs equals NumPy, of columns and one hot"""
    y = np.array([0, 1, 1, 0, 1, 0])
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")]))
    p = array(model(_X)).astype("float64")
    right = -np.log(p[np.arange(6), y])
    model.compile("sgd", loss, run_eagerly=True)
    if "sparse" in loss or loss == "crossentropy":
        close(_evaluated(model, y)["loss"], right.mean(), "flat classes", tolerance=3e-5)
        close(_evaluated(model, y[:, None])["loss"], right.mean(), "a column of classes", tolerance=3e-5)
    if "sparse" not in loss:
        model.compile("sgd", loss, run_eagerly=True)
        close(_evaluated(model, np.eye(2, dtype="float32")[y])["loss"], right.mean(), "one hot", tolerance=3e-5)


def loss_tracker_averages_by_samples():
    """the logged loss of unequal batches is the mean over samples"""
    model = _single(loss="mse")
    model.optimizer.learning_rate = 0.0
    history = model.fit(_X, _A, batch_size=4, shuffle=False, verbose=0).history
    close(history["loss"], [_off(model, "a", _A).mean()], "fit")
    close(_evaluated(model, _A, 4)["loss"], _off(model, "a", _A).mean(), "evaluate")


def losses_of_outputs_are_averaged_by_samples():
    """the logged losses of outputs of unequal batches are means over samples"""
    model = _double("list", loss=["mse", "mse"])
    logs = _evaluated(model, [_A, _B], 4)
    _of_outputs(logs, [_off(model, "a", _A).mean(), _off(model, "b", _B).mean()])


def steps_of_two_optimizers_alternate():
    """a train_step of two optimizers' apply moves each its own variables"""

    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = keras.layers.Dense(2), keras.layers.Dense(2)
            self.build((None, 3))

        def build(self, shape):
            self.one.build((None, 3))
            self.two.build((None, 2))
            self.built = True

        def call(self, x):
            return self.two(self.one(x))

    model = given(Pair())
    first, second = keras.optimizers.SGD(0.5), keras.optimizers.Adam(0.1)
    first.build(model.one.trainable_variables)
    second.build(model.two.trainable_variables)
    start = model.get_weights()
    ones = [keras.ops.ones(v.shape) for v in model.one.trainable_variables]
    first.apply(ones, model.one.trainable_variables)
    close(model.get_weights()[0], start[0] - 0.5, "the first optimizer's kernel")
    equal(model.get_weights()[2:], start[2:], "the other weights")
    second.apply([keras.ops.ones(v.shape) for v in model.two.trainable_variables])
    close(model.get_weights()[2], start[2] - 0.1, "the second optimizer's kernel", tolerance=1e-4)
