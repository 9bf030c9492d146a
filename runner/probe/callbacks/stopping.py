"""Callbacks that end training: EarlyStopping and TerminateOnNaN."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, printed, refuses, true, warned


def _model(**options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    options = {"optimizer": keras.optimizers.SGD(0.0), "loss": "mse", "run_eagerly": True, **options}
    model.compile(**options)
    return model


def _data(count=4):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _stopped(callback, values, name="val_loss", model=None):
    """Returns the epoch at whose end ``callback`` stops training."""
    model = model or _model()
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
    model.stop_training = False
    callback.on_train_begin()
    found = None
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, name: value})
        if model.stop_training:
            found = epoch
            break
    callback.on_train_end()
    return found


def _stopping(**options):
    return keras.callbacks.EarlyStopping(**{"monitor": "val_loss", "mode": "min", **options})


@each(patience=[0, 1, 2, 3])
def early_stopping_waits_for_patience(patience):
    """EarlyStopping(patience={patience}) stops after so many bad epochs"""
    values = [5.0, 4.0, 4.5, 3.0, 3.5, 3.5, 3.5, 3.5]
    equal(_stopped(_stopping(patience=patience), values), {0: 2, 1: 2, 2: 5, 3: 6}[patience], "epoch of the stop")


@each(mode=["min", "max", "auto"])
def early_stopping_knows_its_mode(mode):
    """EarlyStopping(mode={mode}) stops when the value gets no better"""
    values = [1.0, 2.0, 3.0, 2.5, 2.5, 2.5] if mode == "max" else [3.0, 2.0, 1.0, 1.5, 1.5, 1.5]
    equal(_stopped(_stopping(patience=2, mode=mode), values), 4, "epoch of the stop")


@each(mode=["min", "max"])
def early_stopping_wants_more_than_min_delta(mode):
    """EarlyStopping(min_delta=1, mode={mode}) takes changes of less than 1 for none"""
    values = [5.0, 4.5, 4.25, 4.0, 4.0] if mode == "min" else [5.0, 5.5, 5.75, 6.0, 6.0]
    # three small steps from 5 to 4 do not count: the best stays 5
    equal(_stopped(_stopping(patience=2, min_delta=1.0, mode=mode), values), 2, "epoch of the stop")


@each(mode=["min", "max"])
def early_stopping_takes_more_than_min_delta(mode):
    """EarlyStopping(min_delta=1, mode={mode}) takes changes of 2 for improvements"""
    values = [9.0, 7.0, 5.0, 3.0] if mode == "min" else [3.0, 5.0, 7.0, 9.0]
    equal(_stopped(_stopping(patience=1, min_delta=1.0, mode=mode), values), None, "epoch of the stop")


def early_stopping_takes_a_negative_min_delta():
    """EarlyStopping(min_delta=-1) means the same as min_delta=1"""
    equal(_stopped(_stopping(patience=2, min_delta=-1.0), [5.0, 4.5, 4.25, 4.0]), 2, "epoch of the stop")


@each(mode=["min", "max"])
def early_stopping_wants_better_than_baseline(mode):
    """EarlyStopping(baseline=3, mode={mode}) stops if the value does not reach it"""
    values = [5.0, 5.0, 5.0, 5.0] if mode == "min" else [1.0, 1.0, 1.0, 1.0]
    equal(_stopped(_stopping(patience=2, baseline=3.0, mode=mode), values), 1, "epoch of the stop")


def early_stopping_goes_on_beyond_baseline():
    """EarlyStopping(baseline=3) goes on when the value is better"""
    equal(_stopped(_stopping(patience=2, baseline=3.0), [5.0, 2.0, 2.5, 1.0]), None, "epoch of the stop")


def early_stopping_begins_late():
    """EarlyStopping(start_from_epoch=3) does not look at the epochs before"""
    callback = need("keras.callbacks.EarlyStopping(start_from_epoch)")(
        monitor="val_loss", mode="min", patience=2, start_from_epoch=3
    )
    equal(_stopped(callback, [1.0, 2.0, 2.0, 5.0, 4.0, 4.5, 4.5, 4.5]), 6, "epoch of the stop")


def early_stopping_can_be_used_again():
    """EarlyStopping begins again in a second fit"""
    callback = _stopping(patience=2)
    equal(_stopped(callback, [3.0, 1.0, 2.0, 2.0]), 3, "epoch of the first stop")
    equal(_stopped(callback, [9.0, 8.0, 7.0, 6.0]), None, "epoch of the second stop")
    equal(_stopped(callback, [9.0, 8.0, 9.0, 9.0]), 3, "epoch of the third stop")


@each(mode=["min", "max"])
def early_stopping_with_min_delta_can_be_used_again(mode):
    """EarlyStopping(min_delta=1, mode={mode}) keeps its direction in a second fit"""
    callback = _stopping(patience=2, min_delta=1.0, mode=mode)
    values = [5.0, 4.5, 4.25, 4.0] if mode == "min" else [5.0, 5.5, 5.75, 6.0]
    equal([_stopped(callback, values) for _ in range(3)], [2, 2, 2], "epochs of the stops")


def early_stopping_notes_when_it_stopped():
    """EarlyStopping.stopped_epoch is the epoch of the stop"""
    callback = _stopping(patience=1)
    _stopped(callback, [3.0, 2.0, 2.5])
    equal(callback.stopped_epoch, 2, "stopped_epoch")


def early_stopping_notes_the_best():
    """EarlyStopping.best is the best value, best_epoch its epoch"""
    callback = _stopping(patience=5)
    _stopped(callback, [3.0, 2.0, 2.5])
    close(callback.best, 2.0, "best")
    equal(callback.best_epoch, 1, "best_epoch")


def early_stopping_warns_of_a_missing_metric():
    """EarlyStopping warns when the monitored metric is missing, and names it"""
    callback = _stopping(monitor="val_nothing", mode="min")
    texts = warned(lambda: _stopped(callback, [1.0]))
    true(any("val_nothing" in text for text in texts), "a warning names val_nothing, got %s" % texts)


def early_stopping_warns_of_an_unknown_mode():
    """EarlyStopping warns of an unknown mode"""
    true(any("mode" in text for text in warned(lambda: _stopping(mode="least"))), "it warns of mode='least'")


def early_stopping_refuses_what_has_no_direction():
    """EarlyStopping(mode="auto") refuses a name that says no direction"""
    refuses(lambda: _stopped(_stopping(monitor="mine", mode="auto"), [1.0], name="mine"), "a name of no metric")


def early_stopping_says_that_it_stops():
    """EarlyStopping(verbose=1) prints the epoch of the stop"""
    text = printed(lambda: _stopped(_stopping(patience=1, verbose=1), [1.0, 2.0, 2.0]))
    true("Epoch 2: early stopping" in text, "it prints 'Epoch 2: early stopping', got %r" % text)


@each(ends=["early", "late"])
def early_stopping_restores_the_best_weights(ends):
    """EarlyStopping(restore_best_weights=True) restores them when fit ends {ends}"""
    model, values = _model(), [3.0, 1.0, 2.0, 2.0, 2.0]
    callback = _stopping(patience=2 if ends == "early" else 9, restore_best_weights=True)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.set_weights([np.full((2, 1), epoch + 1.0), np.zeros(1)])
        callback.on_epoch_end(epoch, {"val_loss": value})
        if ends == "early" and epoch == 3:
            break
    callback.on_train_end()
    close(model.get_weights()[0], np.full((2, 1), 2.0), "kernel after the end")


def early_stopping_restores_nothing_unasked():
    """EarlyStopping keeps the last weights by default"""
    model = _model()
    callback = _stopping(patience=1)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate([1.0, 2.0, 3.0]):
        model.set_weights([np.full((2, 1), epoch + 1.0), np.zeros(1)])
        callback.on_epoch_end(epoch, {"val_loss": value})
    callback.on_train_end()
    close(model.get_weights()[0], np.full((2, 1), 3.0), "kernel after the end")


def early_stopping_restores_after_a_late_start():
    """EarlyStopping restores no weights of epochs before start_from_epoch"""
    need("keras.callbacks.EarlyStopping(start_from_epoch)")
    model = _model()
    callback = _stopping(patience=2, restore_best_weights=True, start_from_epoch=2)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate([0.1, 0.2, 3.0, 2.0, 4.0]):
        model.set_weights([np.full((2, 1), epoch + 1.0), np.zeros(1)])
        callback.on_epoch_end(epoch, {"val_loss": value})
    callback.on_train_end()
    close(model.get_weights()[0], np.full((2, 1), 4.0), "kernel after the end")


@each(compiled=["run_eagerly", "jit"])
def early_stopping_ends_fit(compiled):
    """fit ends when the loss gets no better ({compiled})"""
    model, (x, y) = _model(run_eagerly=compiled == "run_eagerly"), _data()
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])  # every order of the samples gives the same loss
    y = np.ones_like(y)
    history = model.fit(x, y, epochs=6, verbose=0, callbacks=[keras.callbacks.EarlyStopping("loss", patience=2)])
    equal(history.epoch, [0, 1, 2], "epochs")


def early_stopping_monitors_validation():
    """EarlyStopping monitors val_loss by default"""
    model, (x, y) = _model(), _data()
    stop = keras.callbacks.EarlyStopping(patience=1)
    equal(model.fit(x, y, epochs=6, verbose=0, validation_data=(x, y), callbacks=[stop]).epoch, [0, 1], "epochs")


def early_stopping_restores_in_fit():
    """fit with EarlyStopping ends with the weights of the best epoch"""
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append((logs["val_loss"], self.model.get_weights()))

    model, (x, y) = _model(optimizer=keras.optimizers.SGD(-0.05)), _data()
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model.fit(x, y, epochs=6, verbose=0, validation_data=(x, y), callbacks=[Keep(), stop])
    equal(len(kept), 3, "epochs")
    close(model.get_weights(), min(kept, key=lambda item: item[0])[1], "weights after fit")


def early_stopping_works_with_validation_now_and_then():
    """EarlyStopping ignores epochs that have no validation"""
    model, (x, y) = _model(), _data()
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1)
    history = model.fit(x, y, epochs=8, verbose=0, validation_data=(x, y), validation_freq=2, callbacks=[stop])
    equal(len(history.history["val_loss"]), 2, "validations until the stop")


METRICS = [
    "accuracy max",
    "BinaryAccuracy max",
    "CategoricalAccuracy max",
    "SparseCategoricalAccuracy max",
    "TopKCategoricalAccuracy max",
    "SparseTopKCategoricalAccuracy max",
    "AUC max",
    "Precision max",
    "Recall max",
    "F1Score max",
    "FBetaScore max",
    "R2Score max",
    "CosineSimilarity max",
    "MeanSquaredError min",
    "RootMeanSquaredError min",
    "MeanAbsoluteError min",
    "MeanAbsolutePercentageError min",
    "MeanSquaredLogarithmicError min",
    "LogCoshError min",
    "BinaryCrossentropy min",
    "CategoricalCrossentropy min",
    "SparseCategoricalCrossentropy min",
    "KLDivergence min",
    "Poisson min",
    "Hinge min",
    "SquaredHinge min",
    "CategoricalHinge min",
    "BinaryIoU max",
    "MeanIoU max",
    "OneHotIoU max",
    "OneHotMeanIoU max",
]


def _measured(name):
    """Returns a model with the metric, after one batch, and the metric's name."""
    own = {"MeanIoU": {"num_classes": 2}, "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]}}
    own.update({name: {"k": 1} for name in ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")})
    options = {**own, "OneHotMeanIoU": {"num_classes": 2}}.get(name, {})
    if name == "MeanIoU":
        options["sparse_y_pred"] = False
    metric = name if name == "accuracy" else getattr(keras.metrics, name)(name="mine", **options)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    sparse = name.startswith("Sparse") or name == "MeanIoU"
    loss = "sparse_categorical_crossentropy" if sparse else "mse"
    model.compile("sgd", loss, metrics=[metric], run_eagerly=True)
    y = np.array([0, 1, 1]) if sparse else np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], "float32")
    model.train_on_batch(numbers(3, 2), y)
    return model, name if name == "accuracy" else "mine"


@each(metric=METRICS)
def early_stopping_finds_the_direction(metric):
    """EarlyStopping(mode="auto") knows which way the metric gets better: {metric}"""
    name, _, better = metric.partition(" ")
    model, logged = _measured(name)
    values = [0.9, 0.5, 0.4, 0.3] if better == "max" else [0.3, 0.4, 0.5, 0.9]
    callback = keras.callbacks.EarlyStopping("val_" + logged, patience=2)
    equal(_stopped(callback, values, "val_" + logged, model), 2, "epoch of the stop when it only gets worse")
    improving = keras.callbacks.EarlyStopping("val_" + logged, patience=2)
    equal(_stopped(improving, values[::-1], "val_" + logged, model), None, "epoch of the stop when it only gets better")


def _broken(**options):
    """Returns a model whose loss is not a number."""
    model = _model(**options)
    model.set_weights([np.full((2, 1), np.nan), np.zeros(1)])
    return model


@each(value=["nan", "inf"])
def terminate_on_nan_stops_at_once(value):
    """TerminateOnNaN stops fit after the first batch whose loss is {value}"""
    batches = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append(batch)

    model, (x, y) = _model(), _data()
    model.set_weights([np.full((2, 1), float(value)), np.zeros(1)])
    text = printed(
        lambda: model.fit(
            abs(x), y, batch_size=2, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN(), Count()]
        )
    )
    equal(batches, [0], "batches trained")
    true("Batch 0" in text, "it prints the batch, got %r" % text)


def terminate_on_nan_lets_numbers_pass():
    """TerminateOnNaN does nothing while the loss is a number"""
    model, (x, y) = _model(), _data()
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    equal(history.epoch, [0, 1], "epochs")


def terminate_on_nan_can_raise():
    """TerminateOnNaN(raise_error=True) raises a RuntimeError"""
    callback, (x, y) = need("keras.callbacks.TerminateOnNaN(raise_error)")(raise_error=True), _data()
    refuses(lambda: _broken().fit(x, y, verbose=0, callbacks=[callback]), "a loss of NaN", (RuntimeError,))


def terminate_on_nan_ends_several_steps():
    """TerminateOnNaN stops fit with steps_per_execution=2"""
    model, (x, y) = _broken(steps_per_execution=2), _data(8)
    history = model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    equal(history.epoch, [0], "epochs")
