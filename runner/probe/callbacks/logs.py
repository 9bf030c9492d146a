"""What logs and the history hold, against float64 values."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, numbers, refuses, true


class _Keep(keras.callbacks.Callback):
    """Keeps the logs of batches and epochs."""

    def __init__(self):
        super().__init__()
        self.batches, self.epochs, self.tests, self.ends = [], [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))

    def on_test_batch_end(self, batch, logs=None):
        self.tests.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))

    def on_test_end(self, logs=None):
        self.ends.append(dict(logs))


def _model(loss="mse", rate=0.0, **options):
    """Returns a compiled linear model of two inputs; with rate 0 it stays as it is."""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    options = {"run_eagerly": True, **options}
    model.compile(keras.optimizers.SGD(rate), loss, **options)
    return model


def _data(count=5):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _errors(model, x, y):
    """Returns prediction less target, in float64."""
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return (x.astype("float64") @ kernel + bias - y)[:, 0]


@each(steps=[1, 2], compiled=["run_eagerly", "jit"])
def an_epochs_loss_is_the_mean_of_its_samples(steps, compiled):
    """An epoch's loss weighs a short batch by its samples (steps={steps}, {compiled})"""
    model, (x, y) = _model(steps_per_execution=steps, run_eagerly=compiled == "run_eagerly"), _data(5)
    history = model.fit(x, y, batch_size=2, verbose=0).history
    close(history["loss"], [np.mean(_errors(model, x, y) ** 2)], "loss")


@each(metric=["mae", "mse", "RootMeanSquaredError"])
def an_epochs_metric_is_the_mean_of_its_samples(metric):
    """An epoch's {metric} weighs a short last batch by its samples"""
    made = keras.metrics.RootMeanSquaredError(name=metric) if metric.startswith("Root") else metric
    model, (x, y) = _model(metrics=[made]), _data(5)
    history = model.fit(x, y, batch_size=2, verbose=0).history
    error = _errors(model, x, y)
    mean = np.mean(np.abs(error)) if metric == "mae" else np.mean(error**2)
    close(history[metric], [np.sqrt(mean) if metric.startswith("Root") else mean], metric)


def evaluates_loss_is_the_mean_of_its_samples():
    """evaluate's loss weighs a short last batch by its samples"""
    model, (x, y) = _model(), _data(5)
    close(model.evaluate(x, y, batch_size=2, verbose=0), np.mean(_errors(model, x, y) ** 2), "loss")


def validations_loss_is_the_mean_of_its_samples():
    """val_loss weighs a short last batch by its samples"""
    model, (x, y) = _model(metrics=["mae"]), _data(5)
    history = model.fit(x[:2], y[:2], validation_data=(x, y), batch_size=2, verbose=0).history
    error = _errors(model, x, y)
    close(history["val_loss"], [np.mean(error**2)], "val_loss")
    close(history["val_mae"], [np.mean(np.abs(error))], "val_mae")


@each(hook=["train", "test"])
def a_batchs_loss_is_the_mean_so_far(hook):
    """logs of a {hook} batch hold the mean of the samples so far"""
    keep, model, (x, y) = _Keep(), _model(metrics=["mae"]), _data(5)
    if hook == "train":
        model.fit(x, y, batch_size=2, verbose=0, shuffle=False, callbacks=[keep])
    else:
        model.evaluate(x, y, batch_size=2, verbose=0, callbacks=[keep])
    found = keep.batches if hook == "train" else keep.tests
    error = _errors(model, x, y)
    close([logs["loss"] for logs in found], [np.mean(error[:n] ** 2) for n in (2, 4, 5)], "loss")
    close([logs["mae"] for logs in found], [np.mean(np.abs(error[:n])) for n in (2, 4, 5)], "mae")


def each_epochs_loss_begins_anew():
    """The loss of an epoch does not hold that of the epoch before"""
    keep, model, (x, y) = _Keep(), _model(), _data(4)
    model.fit(x, y, batch_size=2, epochs=2, verbose=0, shuffle=False, callbacks=[keep])
    first = np.mean(_errors(model, x, y)[:2] ** 2)
    close([keep.batches[0]["loss"], keep.batches[2]["loss"]], [first, first], "loss of the first batch")


def an_epochs_loss_is_that_before_each_step():
    """A training loss is computed with the weights before the step"""
    model, (x, y) = _model(rate=0.1), _data(2)
    expected = np.mean(_errors(model, x, y) ** 2)
    close(model.fit(x, y, verbose=0).history["loss"], [expected], "loss of one batch")


def validation_uses_the_weights_after_the_epoch():
    """val_loss is computed with the weights after the epoch"""
    model, (x, y) = _model(rate=0.1), _data(4)
    history = model.fit(x, y, batch_size=2, verbose=0, validation_data=(x, y)).history
    close(history["val_loss"], [np.mean(_errors(model, x, y) ** 2)], "val_loss")


def logs_are_plain_numbers():
    """Values in the logs of every hook are Python floats"""
    keep, model, (x, y) = _Keep(), _model(metrics=["mae"]), _data(2)
    model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[keep])
    for hook in ("batches", "epochs", "tests", "ends"):
        equal({type(value) for logs in getattr(keep, hook) for value in logs.values()}, {float}, "types in " + hook)


def the_history_has_plain_numbers():
    """Values in the history are Python floats, one for each epoch"""
    model, (x, y) = _model(metrics=["mae"]), _data(2)
    history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x, y)).history
    equal(sorted(history), ["loss", "mae", "val_loss", "val_mae"], "keys")
    equal({len(values) for values in history.values()}, {2}, "lengths")
    equal({type(value) for values in history.values() for value in values}, {float}, "types")


def a_history_says_its_epochs_and_params():
    """fit returns a History with epochs, params and the model"""
    model, (x, y) = _model(), _data(4)
    history = model.fit(x, y, epochs=2, batch_size=2, verbose=0)
    equal(history.epoch, [0, 1], "epoch")
    equal({key: history.params[key] for key in ("verbose", "epochs", "steps")}, {"verbose": 0, "epochs": 2, "steps": 2})
    true(history.model is model, "History.model is the model")
    true(model.history is history, "model.history is what fit returns")


def a_second_fit_has_its_own_history():
    """A second fit leaves the first History as it was"""
    model, (x, y) = _model(rate=0.1), _data(4)
    first = model.fit(x, y, epochs=2, verbose=0)
    kept = {key: list(values) for key, values in first.history.items()}
    second = model.fit(x, y, epochs=1, verbose=0)
    equal(first.history, kept, "the first history")
    equal(len(second.history["loss"]), 1, "epochs in the second history")


def a_history_of_ones_own_is_used():
    """A History given as a callback is filled and returned"""
    model, (x, y), mine = _model(), _data(2), keras.callbacks.History()
    found = model.fit(x, y, epochs=2, verbose=0, callbacks=[mine])
    equal(len(mine.history["loss"]), 2, "epochs")
    true(found is mine, "fit returns the History that it was given")


def validation_now_and_then_is_in_the_history():
    """With validation_freq=2, val_loss has a value for each validation"""
    model, (x, y) = _model(), _data(2)
    history = model.fit(x, y, epochs=4, verbose=0, validation_data=(x, y), validation_freq=2).history
    equal((len(history["loss"]), len(history["val_loss"])), (4, 2), "values")


def what_a_callback_adds_to_an_epochs_logs_is_kept():
    """A value that on_epoch_end puts into logs is in the history"""

    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["mine"] = float(epoch)

    model, (x, y) = _model(), _data(2)
    equal(model.fit(x, y, epochs=2, verbose=0, callbacks=[Adds()]).history["mine"], [0.0, 1.0], "mine")


def a_penalty_is_in_the_loss():
    """A regularizer's penalty is added to the loss, once"""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_regularizer="l2")]))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mse"], run_eagerly=True)
    x, y = _data(5)
    expected = np.mean(_errors(model, x, y) ** 2)
    penalty = 0.01 * np.sum(model.get_weights()[0].astype("float64") ** 2)
    history = model.fit(x, y, batch_size=2, verbose=0, validation_data=(x, y)).history
    close(history["loss"], [expected + penalty], "loss")
    close(history["val_loss"], [expected + penalty], "val_loss")
    close(history["mse"], [expected], "mse")


def _two(**options):
    """Returns a model of two outputs, a and b."""
    x = keras.Input((2,))
    model = given(keras.Model(x, {"a": keras.layers.Dense(1, name="a")(x), "b": keras.layers.Dense(1, name="b")(x)}))
    options = {"loss": {"a": "mse", "b": "mae"}, **options}
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True, **options)
    return model


@each(weights=["none", "dict"])
def losses_of_outputs_are_in_the_logs(weights):
    """A model of two outputs logs each loss and their sum, weighted by {weights}"""
    model, (x, y) = _two(loss_weights={"a": 2.0, "b": 0.5} if weights == "dict" else None), _data(5)
    history = model.fit(x, {"a": y, "b": y}, batch_size=2, verbose=0).history
    equal(sorted(history), ["a_loss", "b_loss", "loss"], "keys")
    out = model.predict(x, verbose=0)
    a = np.mean((out["a"].astype("float64") - y) ** 2)
    b = np.mean(np.abs(out["b"].astype("float64") - y))
    factors = (2.0, 0.5) if weights == "dict" else (1.0, 1.0)
    close(history["loss"], [factors[0] * a + factors[1] * b], "loss")


def losses_of_outputs_are_means():
    """The logged losses of two outputs are means over the samples"""
    model, (x, y) = _two(), _data(5)
    history = model.fit(x, {"a": y, "b": y}, batch_size=2, verbose=0).history
    out = model.predict(x, verbose=0)
    close(history["a_loss"], [np.mean((out["a"].astype("float64") - y) ** 2)], "a_loss")
    close(history["b_loss"], [np.mean(np.abs(out["b"].astype("float64") - y))], "b_loss")


@each(form=["dict", "list"])
def metrics_of_outputs_have_their_names(form):
    """Metrics of two outputs ({form}) are named by output and metric"""
    metrics = {"a": ["mae"], "b": ["mse"]}
    model, (x, y) = _two(metrics=metrics), _data(4)
    if form == "list":
        inputs = keras.Input((2,))
        outputs = [keras.layers.Dense(1, name="a")(inputs), keras.layers.Dense(1, name="b")(inputs)]
        model = given(keras.Model(inputs, outputs))
        model.compile(keras.optimizers.SGD(0.0), ["mse", "mae"], metrics=[["mae"], ["mse"]], run_eagerly=True)
    history = model.fit(x, [y, y] if form == "list" else {"a": y, "b": y}, verbose=0).history
    true({"a_mae", "b_mse", "loss"} <= set(history), "keys a_mae, b_mse and loss, got %s" % sorted(history))
    out = model.predict(x, verbose=0)
    a, b = (out[0], out[1]) if form == "list" else (out["a"], out["b"])
    close(history["a_mae"], [np.mean(np.abs(a.astype("float64") - y))], "a_mae")
    close(history["b_mse"], [np.mean((b.astype("float64") - y) ** 2)], "b_mse")


@each(form=["object", "function", "named function"])
def metrics_have_the_names_of_their_kind(form):
    """A metric given as {form} is logged by its name"""

    def half(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1) / 2

    made = {
        "object": keras.metrics.MeanAbsoluteError(name="mine"),
        "function": half,
        "named function": keras.metrics.MeanMetricWrapper(half, name="mine"),
    }[form]
    model, (x, y) = _model(metrics=[made]), _data(5)
    history = model.fit(x, y, batch_size=2, verbose=0).history
    name = "half" if form == "function" else "mine"
    mean = np.mean(np.abs(_errors(model, x, y)))
    close(history[name], [mean if form == "object" else mean / 2], name)


def weighted_metrics_use_the_weights():
    """weighted_metrics use sample_weight, metrics do not"""
    model, (x, y), w = _model(metrics=["mae"], weighted_metrics=["mse"]), _data(5), np.array([1, 2, 3, 4, 5], "float32")
    history = model.fit(x, y, sample_weight=w, batch_size=2, verbose=0).history
    error = _errors(model, x, y)
    close(history["mae"], [np.mean(np.abs(error))], "mae")
    close(history["mse"], [np.sum(w * error**2) / np.sum(w)], "mse")


def a_weighted_loss_is_divided_by_the_samples():
    """The loss with sample_weight is the weighted sum by the number of samples"""
    model, (x, y), w = _model(), _data(5), np.array([1, 2, 3, 4, 5], "float32")
    history = model.fit(x, y, sample_weight=w, batch_size=2, verbose=0).history
    close(history["loss"], [np.sum(w * _errors(model, x, y) ** 2) / 5], "loss")


def weights_in_validation_data_are_used():
    """val_loss uses the weights in validation_data"""
    model, (x, y), w = _model(), _data(5), np.array([1, 2, 3, 4, 5], "float32")
    history = model.fit(x, y, validation_data=(x, y, w), batch_size=2, verbose=0).history
    error = _errors(model, x, y) ** 2
    close(history["loss"], [np.mean(error)], "loss")
    close(history["val_loss"], [np.sum(w * error) / 5], "val_loss")


def evaluate_returns_numbers_in_the_order_of_names():
    """evaluate returns loss and metrics in the order of metrics_names"""
    model, (x, y) = _model(metrics=["mae", "mse"]), _data(5)
    found = model.evaluate(x, y, verbose=0)
    error = _errors(model, x, y)
    close(found, [np.mean(error**2), np.mean(np.abs(error)), np.mean(error**2)], "loss, mae, mse")


def evaluate_returns_a_dict():
    """evaluate(return_dict=True) returns values by name"""
    model, (x, y) = _model(metrics=["mae"]), _data(5)
    found = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    error = _errors(model, x, y)
    close(found, {"loss": np.mean(error**2), "mae": np.mean(np.abs(error))}, "result")


@each(method=["evaluate", "test_on_batch", "train_on_batch"])
def a_loss_alone_is_a_number(method):
    """{method} without metrics returns one number"""
    model, (x, y) = _model(), _data(2)
    options = {"verbose": 0} if method == "evaluate" else {}
    found = getattr(model, method)(x, y, **options)
    equal(np.ndim(found), 0, "dimensions")
    close(found, np.mean(_errors(model, x, y) ** 2), "loss")


@each(method=["test_on_batch", "train_on_batch"])
def one_batch_gives_a_dict(method):
    """{method}(return_dict=True) returns values by name"""
    model, (x, y) = _model(metrics=["mae"]), _data(3)
    found = getattr(model, method)(x, y, return_dict=True)
    error = _errors(model, x, y)
    close(found, {"loss": np.mean(error**2), "mae": np.mean(np.abs(error))}, "result")


def evaluate_leaves_the_history():
    """evaluate and predict leave model.history as it is"""
    model, (x, y) = _model(), _data(2)
    history = model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    true(model.history is history, "model.history is that of fit")
    equal(len(history.history["loss"]), 1, "epochs")


def a_metric_of_several_values_is_logged():
    """A metric whose result is a dict logs each of its values"""

    class Both(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign(self.total + keras.ops.sum(keras.ops.ones_like(y_true)))

        def result(self):
            return {"one": self.total * 1.0, "two": self.total * 2.0}

        def reset_state(self):
            self.total.assign(0.0)

    model, (x, y) = _model(metrics=[Both()]), _data(5)
    history = model.fit(x, y, batch_size=2, epochs=2, verbose=0).history
    close(history["one"], [5.0, 5.0], "one")
    close(history["two"], [10.0, 10.0], "two")


def a_models_own_tracker_is_logged():
    """A Mean that call updates is logged and reset each epoch"""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.seen = keras.metrics.Mean(name="seen")

        def call(self, x):
            self.seen.update_state(3.0)
            return self.dense(x)

    model = Own()
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x, y = _data(4)
    history = model.fit(x, y, batch_size=2, epochs=2, verbose=0).history
    close(history["seen"], [3.0, 3.0], "seen")


def logs_with_validation_every_epoch_are_complete():
    """Training logs stay what they are when validation runs in between"""
    x, y = _data(4)
    one = _model(rate=0.1, metrics=["mae"])
    two = _model(rate=0.1, metrics=["mae"])
    a = one.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history
    b = two.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, validation_data=(3 * x, y)).history
    close({key: b[key] for key in a}, a, "training logs")


def evaluating_without_compile_is_refused():
    """fit and evaluate of a model that is not compiled are refused"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    x, y = _data(2)
    message = refuses(lambda: model.fit(x, y, verbose=0), "fit without compile")
    true("compile" in message, "the message names compile(), got %s" % message)
    refuses(lambda: model.evaluate(x, y, verbose=0), "evaluate without compile")


def a_callback_may_change_the_number_of_metrics():
    """Recompiling between two fits changes the logs of the second"""
    model, (x, y) = _model(metrics=["mae"]), _data(2)
    model.fit(x, y, verbose=0)
    model.compile(keras.optimizers.SGD(0.0), "mae", metrics=["mse"], run_eagerly=True)
    history = model.fit(x, y, verbose=0).history
    error = _errors(model, x, y)
    close(history, {"loss": [np.mean(np.abs(error))], "mse": [np.mean(error**2)]}, "history")
