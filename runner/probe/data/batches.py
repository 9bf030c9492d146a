"""Batches, their order, and the arguments that count them."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, numbers, true, warned


class _Rows(keras.layers.Layer):
    """Passes its input on, and keeps the first column of what training sees."""

    def __init__(self, kept):
        super().__init__()
        self.keep = kept.append

    def call(self, x):
        try:
            self.keep(np.array(keras.ops.convert_to_numpy(x))[:, 0].astype("int64").tolist())
        except Exception:
            self.keep(None)
        return x

    def compute_output_shape(self, shape):
        return shape


def _watched():
    """Returns a model and the list in which it keeps each batch's first column."""
    kept = []
    model = given(keras.Sequential([keras.Input((2,)), _Rows(kept), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model, kept


def _batches(kept):
    return [batch for batch in kept if batch is not None]


def _rows(count):
    return np.stack([np.arange(count), np.zeros(count)], axis=1).astype("float32"), np.zeros((count, 1), "float32")


def fit_keeps_the_order():
    """fit(shuffle=False) takes the samples in their order, each epoch"""
    (model, kept), (x, y) = _watched(), _rows(5)
    del kept[:]
    model.fit(x, y, batch_size=2, shuffle=False, epochs=2, verbose=0)
    equal(_batches(kept)[-6:], [[0, 1], [2, 3], [4]] * 2, "samples of the batches")


def fit_shuffles_all_samples():
    """fit shuffles by default, with a seed too: every sample once, in another order"""
    keras.utils.set_random_seed(1)
    (model, kept), (x, y) = _watched(), _rows(40)
    del kept[:]
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    seen = _batches(kept)[-10:]
    one, two = np.concatenate(seen[:5]).tolist(), np.concatenate(seen[5:]).tolist()
    equal(sorted(one), list(range(40)), "samples of the first epoch")
    equal(sorted(two), list(range(40)), "samples of the second epoch")
    true(one != list(range(40)), "the first epoch is shuffled")
    true(one != two, "the second epoch has another order")


def fit_shuffles_within_batches():
    """fit(shuffle="batch") keeps each batch's samples together"""
    (model, kept), (x, y) = _watched(), _rows(20)
    del kept[:]
    model.fit(x, y, batch_size=10, shuffle="batch", verbose=0)
    found = sorted(sorted(batch) for batch in _batches(kept)[-2:])
    equal(found, [list(range(10)), list(range(10, 20))], "samples of the batches")


@each(method=["evaluate", "predict"])
def no_other_call_shuffles(method):
    """{method} takes the samples in their order"""
    (model, kept), (x, y) = _watched(), _rows(5)
    del kept[:]
    targets = () if method == "predict" else (y,)
    getattr(model, method)(x, *targets, batch_size=2, verbose=0)
    equal(_batches(kept)[-3:], [[0, 1], [2, 3], [4]], "samples of the batches")


@each(method=["fit", "evaluate", "predict"])
def a_batch_has_32_samples_by_default(method):
    """{method} makes batches of 32 by default"""
    (model, kept), (x, y) = _watched(), _rows(40)
    del kept[:]
    targets = () if method == "predict" else (y,)
    getattr(model, method)(x, *targets, verbose=0)
    equal([len(batch) for batch in _batches(kept)[-2:]], [32, 8], "sizes")


@each(method=["fit", "evaluate", "predict"], size=[2, 9])
def batches_have_their_size(method, size):
    """{method}(batch_size={size}) on 5 samples has batches of that size, and a rest"""
    (model, kept), (x, y) = _watched(), _rows(5)
    targets = () if method == "predict" else (y,)
    model.predict_on_batch(x)
    del kept[:]
    getattr(model, method)(x, *targets, batch_size=size, verbose=0)
    count = -(-5 // size)
    sizes = [len(batch) for batch in _batches(kept)[-count:]]
    equal(sizes, [min(size, 5 - size * n) for n in range(count)], "sizes")


def steps_per_epoch_limit_an_epoch():
    """fit(steps_per_epoch=2) on arrays trains two batches an epoch"""
    (model, kept), (x, y) = _watched(), _rows(8)
    steps = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    model.fit(x, y, batch_size=2, steps_per_epoch=2, epochs=2, shuffle=False, verbose=0, callbacks=[spy])
    equal(steps, [0, 1, 0, 1], "batches")
    equal(_batches(kept)[-4:], [[0, 1], [2, 3], [4, 5], [6, 7]], "samples of the batches")


def an_epoch_of_an_endless_dataset_goes_on():
    """fit(steps_per_epoch=2) continues an endless generator in the next epoch"""
    (model, kept), (x, y) = _watched(), _rows(8)

    def endless():
        while True:
            for start in (0, 2, 4, 6):
                yield x[start : start + 2], y[start : start + 2]

    model.fit(endless(), steps_per_epoch=2, epochs=2, verbose=0)
    equal(_batches(kept)[-4:], [[0, 1], [2, 3], [4, 5], [6, 7]], "samples of the batches")


def too_many_steps_are_warned_of():
    """fit(steps_per_epoch=9) on a generator of four batches warns, and trains four"""
    steps = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    (model, _), (x, y) = _watched(), _rows(2)
    data = ((x, y) for _ in range(4))
    texts = warned(lambda: model.fit(data, steps_per_epoch=9, verbose=0, callbacks=[spy]))
    equal(steps, [0, 1, 2, 3], "batches")
    true(any("ran out of data" in text for text in texts), "a warning names it, got %s" % texts)


@each(method=["fit", "evaluate", "predict"])
def all_of_an_array_is_no_reason_to_warn(method):
    """{method} on arrays does not warn that data ran out"""
    (model, _), (x, y) = _watched(), _rows(5)
    targets = () if method == "predict" else (y,)
    texts = warned(lambda: getattr(model, method)(x, *targets, batch_size=2, verbose=0))
    equal([text for text in texts if "ran out" in text], [], "warnings")


@each(method=["evaluate", "predict"])
def steps_limit(method):
    """{method}(steps=2) takes the first two batches"""
    (model, kept), (x, y) = _watched(), _rows(8)
    model.predict_on_batch(x)
    del kept[:]
    if method == "evaluate":
        model.evaluate(x, y, batch_size=2, steps=2, verbose=0)
        equal(_batches(kept)[-2:], [[0, 1], [2, 3]], "samples of the batches")
    else:
        equal(model.predict(x, batch_size=2, steps=2, verbose=0).shape, (4, 1), "shape of the outputs")


@each(count=[1, 3, 4])
def predict_returns_every_sample(count):
    """predict of {count} samples in batches of 2 returns {count} outputs in order"""
    x = numbers(count, 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(2.0)])
    close(model.predict(x, batch_size=2, verbose=0), 2 * x, "outputs")


@each(steps=[2, 3], count=[7])
def predict_in_several_steps_returns_every_sample(steps, count):
    """predict of {count} samples with steps_per_execution={steps} returns them all"""
    x = numbers(count, 2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(2.0)])
    model.compile(steps_per_execution=steps)
    close(model.predict(x, batch_size=2, verbose=0), 2 * x, "outputs")


@each(steps=[2, 3], method=["fit", "evaluate"], compiled=["run_eagerly", "jit"])
def several_steps_at_once_see_every_sample(steps, method, compiled):
    """{method} with steps_per_execution={steps} sees each of 7 samples ({compiled})"""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    eagerly = compiled == "run_eagerly"
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=eagerly, steps_per_execution=steps)
    x, y = numbers(7, 2), numbers(7, 1, seed=1)
    kernel, bias = model.get_weights()
    expected = np.mean((x.astype("float64") @ kernel + bias - y) ** 2)
    found = getattr(model, method)(x, y, batch_size=2, verbose=0)
    close(found.history["loss"][0] if method == "fit" else found, expected, "loss")


@each(compiled=["run_eagerly", "jit"])
def several_steps_at_once_train_the_same(compiled):
    """fit with steps_per_execution=2 trains as one step at a time does ({compiled})"""
    x, y, found = numbers(7, 2), numbers(7, 1, seed=1), []
    for steps in (1, 2):
        model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        eagerly = compiled == "run_eagerly"
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=eagerly, steps_per_execution=steps)
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
        found.append(model.get_weights())
    close(found[1], found[0], "weights after fit")


def outputs_of_unequal_length_are_joined():
    """predict joins outputs of a model that returns scalars for each sample"""
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.ops.sum(inputs, axis=-1))
    x = numbers(5, 2)
    close(model.predict(x, batch_size=2, verbose=0), x.astype("float64").sum(axis=1), "outputs")


@each(method=["fit", "evaluate", "predict"])
def no_samples_are_refused_or_give_nothing(method):
    """{method} of no samples is refused, or gives an empty result"""
    model, _ = _watched()
    x, y = _rows(0)
    targets = () if method == "predict" else (y,)
    try:
        found = getattr(model, method)(x, *targets, verbose=0)
    except ValueError:
        return
    if method == "predict":
        equal(np.shape(found), (0, 1), "shape of the outputs")


def the_most_steps_of_an_epoch_can_be_set():
    """keras.config.set_max_steps_per_epoch limits every epoch"""
    if not hasattr(keras.config, "set_max_steps_per_epoch"):
        keras.config.set_max_steps_per_epoch(2)
    (model, _), (x, y), steps = _watched(), _rows(8), []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    keras.config.set_max_steps_per_epoch(2)
    try:
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[spy])
    finally:
        keras.config.set_max_steps_per_epoch(None)
    equal(steps, [0, 1, 0, 1], "batches")


def the_most_epochs_can_be_set():
    """keras.config.set_max_epochs limits fit"""
    if not hasattr(keras.config, "set_max_epochs"):
        keras.config.set_max_epochs(1)
    (model, _), (x, y) = _watched(), _rows(2)
    keras.config.set_max_epochs(2)
    try:
        history = model.fit(x, y, epochs=5, verbose=0)
    finally:
        keras.config.set_max_epochs(None)
    equal(history.epoch, [0, 1], "epochs")
