"""validation_split and validation_data."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses


def _model():
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def _errors(model, x, y):
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return (np.asarray(x, "float64") @ kernel + bias - y)[:, 0] ** 2


def _data(count):
    return numbers(count, 2), numbers(count, 1, seed=1)


@each(split=[0.3, 0.75], count=[7])
def the_last_samples_are_split_off(split, count):
    """validation_split={split} of {count} samples validates with the last ones"""
    model, (x, y) = _model(), _data(count)
    history = model.fit(x, y, validation_split=split, batch_size=3, verbose=0).history
    first = int(np.floor(count * (1.0 - split)))
    if first == 0:
        return
    error = _errors(model, x, y)
    close(history["loss"], [error[:first].mean()], "loss")
    close(history["val_loss"], [error[first:].mean()], "val_loss")


@each(shuffle=["True", "batch"])
def a_split_is_made_before_shuffling(shuffle):
    """validation_split takes the last samples with shuffle={shuffle}"""
    model, (x, y) = _model(), _data(8)
    chosen = {"True": True, "False": False}.get(shuffle, shuffle)
    history = model.fit(x, y, validation_split=0.25, shuffle=chosen, batch_size=2, epochs=2, verbose=0).history
    error = _errors(model, x, y)
    close(history["loss"], [error[:6].mean()] * 2, "loss")
    close(history["val_loss"], [error[6:].mean()] * 2, "val_loss")


def a_split_has_its_sample_weights():
    """validation_split splits sample_weight too"""
    model, (x, y), w = _model(), _data(8), np.arange(1.0, 9.0, dtype="float32")
    history = model.fit(x, y, sample_weight=w, validation_split=0.25, batch_size=2, verbose=0).history
    error = w * _errors(model, x, y)
    close(history["loss"], [error[:6].mean()], "loss")
    close(history["val_loss"], [error[6:].mean()], "val_loss")


@each(kind=["DataFrame", "backend tensor", "tf.Tensor", "torch.Tensor", "scipy.sparse", "float64"])
def a_split_is_made_of(kind):
    """validation_split splits a {kind}"""
    model, y = _model(), numbers(8, 1)
    x = np.arange(16.0, dtype="float32").reshape(8, 2)
    held = {
        "DataFrame": lambda: need("pandas").DataFrame(x),
        "backend tensor": lambda: keras.ops.convert_to_tensor(x),
        "tf.Tensor": lambda: need("tensorflow").constant(x),
        "torch.Tensor": lambda: need("torch").tensor(x),
        "scipy.sparse": lambda: need("scipy.sparse.csr_matrix")(x),
    }.get(kind, lambda: x.astype(kind))()
    targets = need("pandas").Series(y[:, 0]) if kind == "DataFrame" else y
    history = model.fit(held, targets, validation_split=0.25, batch_size=4, verbose=0).history
    error = _errors(model, x, y)
    close(history["loss"], [error[:6].mean()], "loss")
    close(history["val_loss"], [error[6:].mean()], "val_loss")


@each(form=["list", "dict"])
def a_split_is_made_of_nested_inputs(form):
    """validation_split splits inputs in a {form}"""
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = given(keras.Model([a, b] if form == "list" else {"a": a, "b": b}, keras.layers.Dense(1)(a - 2.0 * b)))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x, z, y = numbers(8, 2), numbers(8, 2, seed=2), numbers(8, 1, seed=1)
    data = [x, z] if form == "list" else {"a": x, "b": z}
    history = model.fit(data, y, validation_split=0.25, batch_size=4, verbose=0).history
    error = _errors(model, x - 2.0 * z, y)
    close(history["loss"], [error[:6].mean()], "loss")
    close(history["val_loss"], [error[6:].mean()], "val_loss")


@each(split=[0.01, 0.99])
def a_split_that_leaves_nothing_is_refused(split):
    """validation_split={split} of 2 samples is refused"""
    x, y = _data(2)
    if split == 0.01:
        split, x, y = 0.99, x[:1], y[:1]
    refuses(lambda: _model().fit(x, y, validation_split=split, verbose=0), "too few samples")


@each(kind=["generator", "tf.data", "PyDataset"])
def a_split_of_a_stream_is_refused(kind):
    """validation_split of a {kind} is refused"""
    x, y = _data(4)
    if kind == "generator":
        data = ((x, y) for _ in range(2))
    elif kind == "tf.data":
        data = need("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(2)
    else:
        data = type(
            "Own", (need("keras.utils.PyDataset"),), {"__len__": lambda s: 2, "__getitem__": lambda s, n: (x, y)}
        )()
    refuses(lambda: _model().fit(data, validation_split=0.5, verbose=0), "validation_split")


def validation_data_comes_before_a_split():
    """validation_data is used where validation_split is given too"""
    model, (x, y) = _model(), _data(8)
    history = model.fit(x, y, validation_split=0.5, validation_data=(x[:2], y[:2]), verbose=0).history
    error = _errors(model, x, y)
    close(history["val_loss"], [error[:2].mean()], "val_loss")
    close(history["loss"], [error.mean()], "loss")


@each(form=["tuple", "list", "weights", "generator", "tf.data", "PyDataset", "DataLoader"])
def validation_data_may_be(form):
    """validation_data may be a {form}"""
    model, (x, y) = _model(), _data(5)
    w, error = np.arange(1.0, 6.0, dtype="float32"), _errors(model, x, y)
    halves = [(x[:2], y[:2]), (x[2:4], y[2:4]), (x[4:], y[4:])]
    if form == "generator":
        data = (half for half in halves)
    elif form == "tf.data":
        data = need("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(2)
    elif form == "PyDataset":
        base = need("keras.utils.PyDataset")
        data = type("Own", (base,), {"__len__": lambda s: 3, "__getitem__": lambda s, n: halves[n]})()
    elif form == "DataLoader":
        torch = need("torch")
        dataset = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
        data = need("torch.utils.data.DataLoader")(dataset, batch_size=2)
    else:
        data = {"tuple": (x, y), "list": [x, y], "weights": (x, y, w)}[form]
    epochs = 1 if form == "generator" else 2
    history = model.fit(x[:2], y[:2], validation_data=data, epochs=epochs, batch_size=2, verbose=0).history
    expected = (w * error).mean() if form == "weights" else error.mean()
    close(history["val_loss"], [expected] * epochs, "val_loss")


def validation_steps_limit_arrays():
    """validation_steps=2 validates with the first two batches"""
    model, (x, y) = _model(), _data(8)
    options = {"validation_batch_size": 2, "validation_steps": 2}
    history = model.fit(x[:2], y[:2], validation_data=(x, y), epochs=2, verbose=0, **options).history
    close(history["val_loss"], [_errors(model, x, y)[:4].mean()] * 2, "val_loss")


def validation_steps_limit_a_dataset():
    """validation_steps=2 validates a tf.data.Dataset from its beginning each time"""
    model, (x, y) = _model(), _data(8)
    data = need("tensorflow").data.Dataset.from_tensor_slices((x, y)).batch(2)
    history = model.fit(x[:2], y[:2], validation_data=data, validation_steps=2, epochs=2, verbose=0).history
    close(history["val_loss"], [_errors(model, x, y)[:4].mean()] * 2, "val_loss")


def validation_of_an_endless_generator():
    """validation_steps=2 takes two batches of an endless generator"""
    model, (x, y) = _model(), _data(4)

    def endless():
        while True:
            yield x[:2], y[:2]
            yield x[2:], y[2:]

    options = {"validation_data": endless(), "validation_steps": 2}
    history = model.fit(x[:2], y[:2], epochs=2, verbose=0, **options).history
    close(history["val_loss"], [_errors(model, x, y).mean()] * 2, "val_loss")


@each(size=[3, 8])
def validation_has_its_batch_size(size):
    """validation_batch_size={size} makes batches of {size}"""
    batches = []
    spy = keras.callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: batches.append(batch))
    model, (x, y) = _model(), _data(8)
    options = {"validation_data": (x, y), "validation_batch_size": size, "callbacks": [spy]}
    history = model.fit(x, y, batch_size=4, verbose=0, **options).history
    equal(len(batches), -(-8 // size), "batches")
    close(history["val_loss"], [_errors(model, x, y).mean()], "val_loss")


def validation_has_fits_batch_size():
    """Validation makes batches of fit's batch_size by default"""
    batches = []
    spy = keras.callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: batches.append(batch))
    model, (x, y) = _model(), _data(8)
    model.fit(x, y, batch_size=4, verbose=0, validation_data=(x, y), callbacks=[spy])
    equal(len(batches), 2, "batches")


def validation_of_a_second_fit_is_its_own():
    """A second fit validates with its own validation_data"""
    model, (x, y) = _model(), _data(8)
    error = _errors(model, x, y)
    for part in (slice(0, 3), slice(3, 8)):
        history = model.fit(x, y, validation_data=(x[part], y[part]), verbose=0).history
        close(history["val_loss"], [error[part].mean()], "val_loss")


def evaluate_after_fit_uses_its_own_data():
    """evaluate after fit does not use the validation data of fit"""
    model, (x, y) = _model(), _data(8)
    model.fit(x, y, validation_data=(x[:3], y[:3]), verbose=0)
    close(model.evaluate(x[3:], y[3:], verbose=0), _errors(model, x, y)[3:].mean(), "loss")
