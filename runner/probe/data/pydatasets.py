"""PyDataset: workers, order, hooks and errors."""

from __future__ import annotations

import itertools
import threading

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, close, equal, given, need, numbers, refuses, true, warned


def _ended(function, seconds=20):
    """Returns what ``function()`` returns. Raises Broken where it does not end."""
    found = []

    def work():
        try:
            found.append((function(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise Broken("it does not end within %d seconds" % seconds)
    if found[0][1] is not None:
        raise found[0][1]
    return found[0][0]


def _model():
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def _out(model, x):
    kernel, bias = (weight.astype("float64") for weight in model.get_weights())
    return np.asarray(x, "float64") @ kernel + bias


def _data(count=7):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _dataset(*arrays, size=2, **options):
    """Returns a PyDataset of the arrays' rows, which notes what it is asked for."""

    class Rows(need("keras.utils.PyDataset")):
        def __init__(self):
            super().__init__(**options)
            self.asked, self.hooks = [], []

        def __len__(self):
            return (len(arrays[0]) + size - 1) // size

        def __getitem__(self, place):
            self.asked.append(place)
            return tuple(array[size * place : size * place + size] for array in arrays)

        def on_epoch_begin(self):
            self.hooks.append("begin")

        def on_epoch_end(self):
            self.hooks.append("end")

    return Rows()


@each(workers=[0, 1, 2], method=["fit", "evaluate", "predict"])
def workers_give_every_batch(workers, method):
    """{method} sees each sample of a PyDataset with workers={workers} once"""
    model, (x, y) = _model(), _data()
    data = _dataset(x, y, workers=workers)
    found = _ended(lambda: getattr(model, method)(data, verbose=0))
    if method == "predict":
        close(found, _out(model, x), "outputs, in order")
    else:
        expected = np.mean((_out(model, x) - y) ** 2)
        close(found.history["loss"][0] if method == "fit" else found, expected, "loss")


@each(workers=[1, 2], epochs=[2])
def workers_go_through_epochs(workers, epochs):
    """fit reads a PyDataset with workers={workers} again in each epoch"""
    model, (x, y) = _model(), _data()
    history = _ended(lambda: model.fit(_dataset(x, y, workers=workers), epochs=epochs, verbose=0)).history
    close(history["loss"], [np.mean((_out(model, x) - y) ** 2)] * epochs, "losses")


@each(size=[1, 10])
def a_short_queue_is_enough(size):
    """A PyDataset with max_queue_size={size} gives every batch"""
    model, (x, y) = _model(), _data(12)
    data = _dataset(x, y, workers=2, max_queue_size=size)
    close(_ended(lambda: model.evaluate(data, verbose=0)), np.mean((_out(model, x) - y) ** 2), "loss")


@each(workers=[1, 2])
def processes_give_every_batch(workers):
    """A PyDataset with use_multiprocessing and workers={workers} gives every batch"""
    model, (x, y) = _model(), _data()
    data = _dataset(x, y, workers=workers, use_multiprocessing=True)
    close(_ended(lambda: model.evaluate(data, verbose=0)), np.mean((_out(model, x) - y) ** 2), "loss")


@each(workers=[1, 2])
def a_dataset_has_weights(workers):
    """fit uses the sample weights of a PyDataset with workers={workers}"""
    model, (x, y), w = _model(), _data(), np.arange(1.0, 8.0, dtype="float32")
    expected = np.sum(w * (_out(model, x) - y)[:, 0] ** 2) / 7
    close(_ended(lambda: model.fit(_dataset(x, y, w, workers=workers), verbose=0)).history["loss"], [expected], "loss")


@each(workers=[1, 2])
def a_dataset_validates(workers):
    """validation_data may be a PyDataset with workers={workers}"""
    model, (x, y) = _model(), _data()
    data = _dataset(x, y, workers=workers)
    history = _ended(lambda: model.fit(x, y, validation_data=data, epochs=2, verbose=0)).history
    close(history["val_loss"], [np.mean((_out(model, x) - y) ** 2)] * 2, "val_loss")


def _order(shuffle, workers, epochs=1):
    """Returns the batches in the order in which training sees them."""
    seen = []

    class Keep(keras.layers.Layer):
        def call(self, x):
            try:
                seen.append(int(keras.ops.convert_to_numpy(x)[0, 0]))
            except Exception:
                return x
            return x

        def compute_output_shape(self, shape):
            return shape

    model = given(keras.Sequential([keras.Input((2,)), Keep(), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x = np.repeat(np.arange(12.0, dtype="float32")[:, None], 2, axis=1)
    model.predict_on_batch(x[:1])
    data = _dataset(x, x[:, :1], size=1, workers=workers)
    _ended(lambda: model.fit(data, shuffle=shuffle, epochs=epochs, verbose=0))
    return seen[-12 * epochs :]


@each(workers=[1, 2])
def a_dataset_keeps_its_order(workers):
    """fit(shuffle=False) takes a PyDataset's batches in order (workers={workers})"""
    equal(_order(False, workers, 2), [*range(12), *range(12)], "batches")


def a_dataset_is_shuffled_by_batches():
    """fit(shuffle=True) takes each batch of a PyDataset once, in another order"""
    found = _order(True, 1)
    equal(sorted(found), list(range(12)), "batches")
    true(found != list(range(12)), "the order is another")


@each(workers=[1, 2])
def a_dataset_is_told_of_epochs(workers):
    """fit calls a PyDataset's on_epoch_end after every epoch (workers={workers})"""
    model, (x, y) = _model(), _data()
    data = _dataset(x, y, workers=workers)
    _ended(lambda: model.fit(data, epochs=3, verbose=0))
    true(data.hooks.count("end") >= 3, "three epochs end, got %s" % data.hooks)


@each(workers=[1, 2])
def a_dataset_is_told_of_each_epoch_once(workers):
    """Epochs of a PyDataset begin and end in turn (workers={workers})"""
    if not hasattr(need("keras.utils.PyDataset"), "on_epoch_begin"):
        need("keras.utils.PyDataset.on_epoch_begin")
    model, (x, y) = _model(), _data()
    data = _dataset(x, y, workers=workers)
    model.fit(x, y, verbose=0)
    _ended(lambda: model.fit(data, epochs=3, verbose=0))
    begins = [n for n, hook in enumerate(data.hooks) if hook == "begin"]
    equal(len(begins), 3, "epochs that begin")
    true(all(data.hooks[n + 1] == "end" for n in begins), "each is followed by its end, got %s" % data.hooks)


def a_dataset_may_change_between_epochs():
    """What on_epoch_end changes is what the next epoch sees"""
    model, (x, y) = _model(), _data(4)

    class Growing(need("keras.utils.PyDataset")):
        def __init__(self):
            super().__init__()
            self.factor = 1.0

        def __len__(self):
            return 2

        def __getitem__(self, place):
            return self.factor * x[2 * place : 2 * place + 2], y[2 * place : 2 * place + 2]

    data = Growing()

    class Change(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            data.factor = 2.0

    model.fit(x, y, verbose=0)
    data.on_epoch_end = lambda: setattr(data, "factor", 2.0 if data.started else 1.0)
    data.started = False
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(data, "started", True))
    history = model.fit(data, epochs=2, verbose=0, callbacks=[spy]).history
    expected = [np.mean((_out(model, factor * x) - y) ** 2) for factor in (1.0, 2.0)]
    close(history["loss"], expected, "losses")


@each(workers=[1, 2])
def an_endless_dataset_needs_steps_per_epoch(workers):
    """fit takes steps_per_epoch batches of an endless PyDataset (workers={workers})"""
    model, (x, y) = _model(), _data(2)

    class Endless(need("keras.utils.PyDataset")):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, place):
            return x, y

    steps = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    data = Endless(workers=workers)
    _ended(lambda: model.fit(data, steps_per_epoch=3, epochs=2, verbose=0, callbacks=[spy]))
    equal(steps, [0, 1, 2, 0, 1, 2], "batches")


@each(workers=[1, 2], place=[0, 3])
def an_error_in_a_dataset_comes_out(workers, place):
    """An error in batch {place} of a PyDataset (workers={workers}) comes out of fit"""
    x, y = _data(2)

    class Fails(need("keras.utils.PyDataset")):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            if index == place:
                raise RuntimeError("mine is broken")
            return x, y

    data = Fails(workers=workers)
    try:
        _ended(lambda: _model().fit(data, shuffle=False, verbose=0))
    except Broken:
        raise
    except Exception as error:
        true("mine is broken" in str(error), "the error's text is there, got %s" % error)
        return
    true(False, "an error comes out of fit")


@each(workers=[1, 2])
def fit_may_stop_amid_a_dataset(workers):
    """fit can be stopped amid a PyDataset's epoch, and begun again (workers={workers})"""
    model, (x, y) = _model(), _data(12)
    data = _dataset(x, y, workers=workers)

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    _ended(lambda: model.fit(data, shuffle=False, verbose=0, callbacks=[Stop()]))
    found = _ended(lambda: model.fit(data, verbose=0)).history["loss"]
    close(found, [np.mean((_out(model, x) - y) ** 2)], "loss of the second fit")


@each(workers=[1, 2])
def steps_take_the_next_batches_of_a_dataset(workers):
    """fit(steps_per_epoch=2) goes on with the next batches (workers={workers})"""
    model, (x, y) = _model(), _data(8)
    error = (_out(model, x) - y)[:, 0] ** 2
    data = _dataset(x, y, workers=workers)
    history = _ended(lambda: model.fit(data, shuffle=False, steps_per_epoch=2, epochs=2, verbose=0)).history
    close(history["loss"], [error[:4].mean(), error[4:].mean()], "losses")


def a_dataset_may_give_dicts():
    """A PyDataset may give dicts of inputs"""
    a = keras.Input((2,), name="a")
    model = given(keras.Model({"a": a}, keras.layers.Dense(1)(a)))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    x, y = _data(4)

    class Dicts(need("keras.utils.PyDataset")):
        def __len__(self):
            return 2

        def __getitem__(self, place):
            return {"a": x[2 * place : 2 * place + 2]}, y[2 * place : 2 * place + 2]

    close(model.fit(Dicts(), verbose=0).history["loss"], [np.mean((_out(model, x) - y) ** 2)], "loss")
    close(model.predict(Dicts(), verbose=0), _out(model, x), "outputs")


@each(what=["a number", "four parts", "nothing"])
def a_wrong_batch_of_a_dataset_is_refused(what):
    """fit refuses a PyDataset whose batches are {what}"""
    x, y = _data(2)
    batch = {"a number": 3.0, "four parts": (x, y, y, y), "nothing": None}[what]
    base = need("keras.utils.PyDataset")
    data = type("Wrong", (base,), {"__len__": lambda self: 2, "__getitem__": lambda self, place: batch})()
    refuses(lambda: _model().fit(data, verbose=0), what)


def an_empty_dataset_is_refused():
    """fit refuses a PyDataset of no batches"""
    base = need("keras.utils.PyDataset")
    data = type("Empty", (base,), {"__len__": lambda self: 0, "__getitem__": lambda self, place: None})()
    refuses(lambda: _ended(lambda: _model().fit(data, verbose=0)), "no batches")


def a_forgotten_super_is_warned_of():
    """A PyDataset whose __init__ forgets super() works, with a warning"""
    x, y = _data(4)

    class Forgets(need("keras.utils.PyDataset")):
        def __init__(self):
            self.mine = 1

        def __len__(self):
            return 2

        def __getitem__(self, place):
            return x[2 * place : 2 * place + 2], y[2 * place : 2 * place + 2]

    model = _model()
    texts = warned(lambda: close(model.evaluate(Forgets(), verbose=0), np.mean((_out(model, x) - y) ** 2), "loss"))
    true(any("super().__init__" in text for text in texts), "a warning names it, got %s" % texts)


def a_dataset_can_be_iterated():
    """A PyDataset can be gone through in a loop"""
    x, y = _data(5)
    found = list(itertools.islice(_dataset(x, y), 10))
    equal(len(found), 3, "batches")
    close(np.concatenate([part[0] for part in found]), x, "inputs")


def a_dataset_knows_its_batches():
    """PyDataset.num_batches is its length"""
    equal(_dataset(*_data(5)).num_batches, 3, "num_batches")


@each(option=["workers", "use_multiprocessing", "max_queue_size"])
def options_of_a_dataset_can_be_set(option):
    """A PyDataset's {option} can be read and set"""
    data = _dataset(*_data(5), **{option: 3})
    equal(getattr(data, option), 3, "value given")
    setattr(data, option, 5)
    equal(getattr(data, option), 5, "value set")


def sequence_is_the_same():
    """keras.utils.Sequence is PyDataset"""
    true(need("keras.utils.Sequence") is need("keras.utils.PyDataset"), "both names mean one class")


def a_dataset_is_not_read_to_build_the_model_twice():
    """evaluate asks a PyDataset for each batch at most twice"""
    x, y = _data(8)
    data = _dataset(x, y)
    _model().evaluate(data, verbose=0)
    true(
        max(data.asked.count(place) for place in range(4)) <= 3,
        "no batch is asked for again and again: %s" % data.asked,
    )


def lengths_of_a_dataset_may_differ():
    """fit takes a PyDataset whose sequences differ in length from batch to batch"""
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    given(model).compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    y, x = numbers(2, 1), [numbers(2, length, 2) for length in (3, 5, 4)]
    base = need("keras.utils.PyDataset")
    data = type("Lengths", (base,), {"__len__": lambda self: 3, "__getitem__": lambda self, place: (x[place], y)})()
    expected = np.mean([(_out(model, part.mean(axis=1)) - y) ** 2 for part in x])
    close(model.fit(data, verbose=0).history["loss"], [expected], "loss")
