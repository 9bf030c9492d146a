"""Callbacks that set the rate: ReduceLROnPlateau and LearningRateScheduler."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, numbers, printed, refuses, true, warned


def _model(rate=1.0, optimizer=None, **options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(optimizer or keras.optimizers.SGD(rate), "mse", run_eagerly=True, **options)
    return model


def _rate(model):
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _rates(callback, values, model=None, name="val_loss"):
    """Returns the learning rate after each epoch, if the monitored values are these."""
    model, found = model or _model(), []
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value})
        found.append(_rate(model))
    callback.on_train_end()
    return found


def _old_names():
    """Gives NumPy 2 back a name that early releases need; another case is about that."""
    np.Inf = np.inf


def _plateau(**options):
    _old_names()
    return keras.callbacks.ReduceLROnPlateau(**{"monitor": "val_loss", "factor": 0.5, "mode": "min", **options})


def a_plateau_callback_can_be_made():
    """ReduceLROnPlateau can be made with this NumPy"""
    vars(np).pop("Inf", None)
    keras.callbacks.ReduceLROnPlateau().on_train_begin()


@each(patience=[1, 2, 3])
def a_plateau_is_waited_for(patience):
    """ReduceLROnPlateau(patience={patience}) reduces after so many bad epochs"""
    values = [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0]
    expected = {
        1: [1, 1, 0.5, 0.25, 0.125, 0.125, 0.0625],
        2: [1, 1, 1, 0.5, 0.5, 0.5, 0.5],
        3: [1, 1, 1, 1, 0.5, 0.5, 0.5],
    }[patience]
    close(_rates(_plateau(patience=patience), values), expected, "rates")


@each(mode=["min", "max", "auto"])
def a_plateau_has_a_mode(mode):
    """ReduceLROnPlateau(mode={mode}) reduces when the value gets no better"""
    values = [1.0, 2.0, 2.0, 3.0] if mode == "max" else [3.0, 2.0, 2.0, 1.0]
    close(_rates(_plateau(patience=1, mode=mode), values), [1, 1, 0.5, 0.5], "rates")


@each(mode=["min", "max"])
def a_plateau_has_a_min_delta(mode):
    """ReduceLROnPlateau(min_delta=1, mode={mode}) ignores changes of less than 1"""
    values = [5.0, 4.5, 4.2, 2.0] if mode == "min" else [1.0, 1.5, 1.8, 4.0]
    close(_rates(_plateau(patience=1, min_delta=1.0, mode=mode), values), [1, 0.5, 0.25, 0.25], "rates")


def a_plateau_waits_for_ones_ten_thousandth():
    """ReduceLROnPlateau takes changes of less than 0.0001 for none by default"""
    close(_rates(_plateau(patience=1), [1.0, 0.99995, 0.9]), [1, 0.5, 0.5], "rates")


@each(cooldown=[0, 1, 2])
def a_plateau_has_a_cooldown(cooldown):
    """ReduceLROnPlateau(cooldown={cooldown}) waits so long after a reduction"""
    values = [1.0] * 6
    expected = {
        0: [1, 0.5, 0.25, 0.125, 0.0625, 0.03125],
        1: [1, 0.5, 0.25, 0.125, 0.0625, 0.03125],
        2: [1, 0.5, 0.5, 0.25, 0.25, 0.125],
    }[cooldown]
    close(_rates(_plateau(patience=1, cooldown=cooldown), values), expected, "rates")


def a_plateau_has_a_least_rate():
    """ReduceLROnPlateau(min_lr=0.3) never goes below it"""
    close(_rates(_plateau(patience=1, min_lr=0.3), [1.0] * 5), [1, 0.5, 0.3, 0.3, 0.3], "rates")


def a_plateau_begins_anew_in_a_second_fit():
    """ReduceLROnPlateau forgets the best value in a second fit"""
    callback = _plateau(patience=2)
    close(_rates(callback, [1.0, 2.0, 2.0]), [1, 1, 0.5], "rates of the first fit")
    close(_rates(callback, [9.0, 8.0, 7.0, 6.0]), [1, 1, 1, 1], "rates of the second fit")


@each(mode=["min", "max"])
def a_plateau_keeps_its_direction_in_a_second_fit(mode):
    """ReduceLROnPlateau(min_delta=1, mode={mode}) works the same in a second fit"""
    callback = _plateau(patience=1, min_delta=1.0, mode=mode)
    values = [5.0, 4.5, 2.0] if mode == "min" else [1.0, 1.5, 4.0]
    for fit in (1, 2, 3):
        close(_rates(callback, values), [1, 0.5, 0.5], "rates of fit %d" % fit)


def a_plateau_puts_the_rate_in_the_logs():
    """ReduceLROnPlateau puts learning_rate in the history"""
    model = _model(rate=0.0)
    history = model.fit(numbers(2, 2), numbers(2, 1), epochs=2, verbose=0, callbacks=[_plateau(monitor="loss")]).history
    close(history["learning_rate"], [0.0, 0.0], "learning_rate")


def a_plateau_says_what_it_does():
    """ReduceLROnPlateau(verbose=1) prints epoch and rate"""
    text = printed(lambda: _rates(_plateau(patience=1, verbose=1), [1.0, 1.0]))
    true("Epoch 2: ReduceLROnPlateau reducing learning rate to 0.5" in text, "it prints epoch and rate, got %r" % text)


def a_plateau_refuses_a_factor_of_one():
    """ReduceLROnPlateau refuses factor=1"""
    refuses(lambda: _plateau(factor=1.0), "factor=1")


def a_plateau_warns_of_a_missing_metric():
    """ReduceLROnPlateau warns when the monitored metric is missing, and names it"""
    texts = warned(lambda: _rates(_plateau(monitor="val_nothing"), [1.0]))
    true(any("val_nothing" in text for text in texts), "a warning names val_nothing, got %s" % texts)


def a_plateau_warns_of_an_unknown_mode():
    """ReduceLROnPlateau warns of an unknown mode"""
    true(any("mode" in text for text in warned(lambda: _plateau(mode="least"))), "it warns of mode='least'")


@each(monitor=["accuracy", "val_accuracy", "val_acc"])
def a_plateau_knows_that_accuracy_grows(monitor):
    """ReduceLROnPlateau(mode="auto", monitor={monitor}) knows that more is better"""
    model = _model(metrics=["acc" if monitor == "val_acc" else "accuracy"])
    model.train_on_batch(numbers(2, 2), numbers(2, 1))
    callback = _plateau(monitor=monitor, mode="auto", patience=1)
    close(_rates(callback, [0.1, 0.2, 0.3, 0.2], model, monitor), [1, 1, 1, 0.5], "rates")


@each(kind=["SGD", "Adam", "RMSprop", "LossScaleOptimizer"])
def a_plateau_reduces_in_fit(kind):
    """ReduceLROnPlateau reduces the rate of {kind} in fit"""
    made = keras.optimizers.SGD(1.0) if kind == "LossScaleOptimizer" else getattr(keras.optimizers, kind)(1.0)
    model = _model(optimizer=keras.optimizers.LossScaleOptimizer(made) if kind == "LossScaleOptimizer" else made)
    rows = []

    class Plateau(keras.callbacks.ReduceLROnPlateau):
        def on_epoch_end(self, epoch, logs=None):
            logs["loss"] = 1.0
            super().on_epoch_end(epoch, logs)
            rows.append(_rate(self.model))

    _old_names()
    callback = Plateau("loss", factor=0.5, patience=1, mode="min")
    model.fit(numbers(2, 2), numbers(2, 1), epochs=2, verbose=0, callbacks=[callback])
    close(rows, [1.0, 0.5], "rates")


@each(callback=["ReduceLROnPlateau", "LearningRateScheduler"])
def a_rate_that_follows_a_schedule_is_not_set(callback):
    """{callback} refuses an optimizer whose rate follows a schedule"""
    schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)
    model = _model(optimizer=keras.optimizers.SGD(schedule))
    if callback == "ReduceLROnPlateau":
        refuses(lambda: _rates(_plateau(patience=1), [1.0, 1.0], model), "a schedule")
    else:
        made = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5)
        refuses(lambda: _rates(made, [1.0, 1.0], model), "a schedule")


def a_scheduler_sets_the_rate_of_each_epoch():
    """LearningRateScheduler sets what its function says for the epoch"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 1.0 / (epoch + 1))
    close(_rates(callback, [1.0] * 3), [1, 0.5, 1 / 3], "rates")


def a_scheduler_gives_the_current_rate():
    """LearningRateScheduler gives its function the current rate"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    close(_rates(callback, [1.0] * 3), [0.5, 0.25, 0.125], "rates")


def a_scheduler_takes_a_function_of_the_epoch():
    """LearningRateScheduler takes a function of the epoch alone"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1))
    close(_rates(callback, [1.0] * 2), [1, 0.5], "rates")


@each(kind=["float32", "float64"])
def a_scheduler_takes_numpy_numbers(kind):
    """LearningRateScheduler takes a NumPy {kind}"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: getattr(np, kind)(0.25))
    close(_rates(callback, [1.0]), [0.25], "rates")


@each(value=["text", "None", "list"])
def a_scheduler_refuses_other_values(value):
    """LearningRateScheduler refuses a function that returns a {value}"""
    made = {"text": "0.5", "None": None, "list": [0.5]}[value]
    refuses(lambda: _rates(keras.callbacks.LearningRateScheduler(lambda epoch, rate: made), [1.0]), value)


def a_scheduler_says_what_it_does():
    """LearningRateScheduler(verbose=1) prints epoch and rate"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5, verbose=1)
    text = printed(lambda: _rates(callback, [1.0]))
    true("Epoch 1" in text and "0.5" in text, "it prints epoch and rate, got %r" % text)


def a_scheduler_puts_the_rate_in_the_history():
    """LearningRateScheduler puts learning_rate in the history"""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0)
    history = _model().fit(numbers(2, 2), numbers(2, 1), epochs=2, verbose=0, callbacks=[callback]).history
    close(history["learning_rate"], [0.0, 0.0], "learning_rate")


@each(compiled=["run_eagerly", "jit"])
def a_scheduled_rate_is_used_in_fit(compiled):
    """fit steps with the rate that LearningRateScheduler sets ({compiled})"""
    model = _model()
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=compiled == "run_eagerly")
    x, y = numbers(2, 2), numbers(2, 1)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: [0.1, 0.0, 0.2][epoch])
    model.fit(x, y, epochs=3, verbose=0, shuffle=False, callbacks=[schedule])
    twin = _model()
    for rate in (0.1, 0.2):
        twin.optimizer.learning_rate = rate
        twin.train_on_batch(x, y)
    close(model.get_weights(), twin.get_weights(), "weights")


def a_scheduler_begins_where_fit_begins():
    """LearningRateScheduler gets the epochs from initial_epoch on"""
    seen = []

    def schedule(epoch, rate):
        seen.append(epoch)
        return rate

    callback = keras.callbacks.LearningRateScheduler(schedule)
    _model(0.0).fit(numbers(2, 2), numbers(2, 1), epochs=4, initial_epoch=2, verbose=0, callbacks=[callback])
    equal(seen, [2, 3], "epochs")


def a_schedules_rate_is_that_of_the_step():
    """An ExponentialDecay has its rate at the optimizer's iterations"""
    schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 2, 0.5)
    model = _model(optimizer=keras.optimizers.SGD(schedule))
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    for step in range(3):
        close(_rate(model), 0.5 ** (step / 2), "rate before step %d" % step)
        model.train_on_batch(np.zeros((1, 2)), np.zeros((1, 1)))
