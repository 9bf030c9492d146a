"""What is left of models, files and threads when a program is done with them."""

from __future__ import annotations

import gc
import weakref

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, equal, need, numbers, true

X, Y = numbers(8, 3), numbers(8, 1, seed=1)


def _model(kind="sequential"):
    """Returns a compiled model."""
    dense = [keras.layers.Dense(3), keras.layers.Dense(1)]
    if kind == "sequential":
        model = keras.Sequential([keras.Input((3,)), *dense])
    elif kind == "functional":
        x = keras.Input((3,))
        model = keras.Model(x, dense[1](dense[0](x)))
    elif kind == "nested":
        model = keras.Sequential([keras.Input((3,)), keras.Sequential([keras.Input((3,)), dense[0]]), dense[1]])
    elif kind == "recurrent":
        parts = [keras.layers.Reshape((3, 1)), keras.layers.LSTM(2), keras.layers.Dropout(0.5), dense[1]]
        model = keras.Sequential([keras.Input((3,)), *parts])
    else:

        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.parts = dense

            def call(self, x):
                return self.parts[1](self.parts[0](x))

        model = Own()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def _gone(reference, what):
    """Clears Keras's state, collects, and says that nothing refers to an object."""
    keras.utils.clear_session()
    for _ in range(3):
        gc.collect()
    true(reference() is None, "%s is gone" % what)


def _done(kind, what):
    """Uses a model, and returns weak references to it and to a layer of it."""
    model = _model(kind)
    if what == "fit":
        model.fit(X, Y, verbose=0)
    elif what == "predict":
        model.predict(X, verbose=0)
    elif what == "evaluate":
        model.evaluate(X, Y, verbose=0)
    elif what == "train_on_batch":
        model.train_on_batch(X, Y)
    elif what == "save":
        model(X)
        model.save("m.keras")
        keras.models.load_model("m.keras")
    elif what == "clone":
        keras.models.clone_model(model)
    elif what == "call":
        model(X)
    elif what == "summary":
        model.build((None, 3)) if not model.built else None
        model.summary(print_fn=lambda *_, **__: None)
    return weakref.ref(model), weakref.ref(model.layers[-1] if model.layers else model)


@each(kind=["sequential", "functional", "subclass"], what=["nothing", "call", "fit", "predict", "evaluate"])
def models_are_gone(kind, what):
    """A {kind} model is gone after {what}, once nothing of the program refers to it"""
    model, layer = _done(kind, what)
    _gone(model, "the model")
    _gone(layer, "its layer")


@each(kind=["sequential"], what=["train_on_batch", "save", "summary", "clone"])
def models_are_gone_after(kind, what):
    """A {kind} model is gone after {what}, once nothing of the program refers to it"""
    model, layer = _done(kind, what)
    _gone(model, "the model")
    _gone(layer, "its layer")


@each(kind=["nested", "recurrent"])
def larger_models_are_gone(kind):
    """A {kind} model is gone after fit, once nothing of the program refers to it"""
    model, layer = _done(kind, "fit")
    _gone(model, "the model")
    _gone(layer, "its layer")


CALLBACKS = [
    *["History()", "EarlyStopping(monitor='loss', restore_best_weights=True)", "ModelCheckpoint('c.keras')"],
    *["CSVLogger('l.csv')", "ReduceLROnPlateau(monitor='loss')", "TerminateOnNaN()", "LambdaCallback()"],
    *["BackupAndRestore('b')", "TensorBoard('t')", "SwapEMAWeights()"],
]


@each(callback=CALLBACKS)
def models_are_gone_with_their_callbacks(callback):
    """A model is gone after fit with {callback}, together with it"""
    need("keras.callbacks." + callback.partition("(")[0])

    def trained():
        model = _model()
        call = eval("keras.callbacks." + callback)  # noqa: S307 - written above
        if "EMA" in callback:
            model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
        model.fit(X, Y, verbose=0, callbacks=[call])
        return weakref.ref(model)

    _gone(trained(), "the model")


@each(callback=[text for text in CALLBACKS if text != "SwapEMAWeights()"])
def callbacks_close_their_files(callback):
    """fit with {callback} leaves no file open and no thread running"""
    import os
    import threading

    need("keras.callbacks." + callback.partition("(")[0])
    if not os.path.isdir("/proc/self/fd"):
        raise Lacking("a list of open files")

    def here():
        place = os.getcwd()
        paths = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
        return sorted(os.path.basename(t) for t in map(os.path.realpath, paths) if t.startswith(place))

    model = _model()
    model.fit(X, Y, verbose=0)
    threads = set(threading.enumerate())
    call = eval("keras.callbacks." + callback)  # noqa: S307 - written above
    model.fit(X, Y, verbose=0, callbacks=[call])
    equal(here(), [], "open files")
    left = [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    equal(left, [], "threads")


@each(workers=[1, 2])
def workers_are_stopped(workers):
    """fit of a PyDataset with {workers} workers leaves no thread running"""
    import threading

    made = need("keras.utils.PyDataset")

    class Batches(made):
        def __len__(self):
            return 2

        def __getitem__(self, place):
            return X[:4], Y[:4]

    model = _model()
    model.fit(X, Y, verbose=0)
    before = set(threading.enumerate())
    model.fit(Batches(workers=workers), verbose=0)
    gc.collect()
    # threads that a framework began in C cannot be joined, and are not Keras's
    left = [t for t in set(threading.enumerate()) - before if not isinstance(t, threading._DummyThread)]
    for thread in left:
        thread.join(timeout=5.0)
    equal([thread.name for thread in left if thread.is_alive()], [], "threads")


def datasets_are_gone():
    """A PyDataset is gone after fit, once nothing of the program refers to it"""
    made = need("keras.utils.PyDataset")

    class Batches(made):
        def __len__(self):
            return 2

        def __getitem__(self, place):
            return X[:4], Y[:4]

    def trained():
        model, data = _model(), Batches()
        model.fit(data, verbose=0)
        return weakref.ref(data), weakref.ref(model)

    data, model = trained()
    _gone(data, "the dataset")
    _gone(model, "the model")


class _Marked(np.ndarray):
    """An array to which a weak reference can be made."""


@each(what=["fit", "predict", "evaluate"])
def data_is_gone(what):
    """The arrays given to {what} are gone afterwards, while the model lives"""
    model = _model()

    def done():
        data, target = X.copy().view(_Marked), Y.copy().view(_Marked)
        if what == "fit":
            model.fit(data, target, verbose=0)
        elif what == "predict":
            model.predict(data, verbose=0)
        else:
            model.evaluate(data, target, verbose=0)
        return weakref.ref(data)

    reference = done()
    for _ in range(3):
        gc.collect()
    true(reference() is None, "the array is gone")
    true(model.built, "the model lives")


def histories_do_not_keep_more_than_numbers():
    """The history of fit keeps plain numbers"""
    history = _model().fit(X, Y, verbose=0).history
    true(all(isinstance(float(v), float) and np.isscalar(v) for v in history["loss"]), "the losses are numbers")


@each(form=["keras", "weights.h5", "json"])
def saving_closes_its_files(form):
    """Saving and loading as {form} leaves no file open"""
    import os

    if not os.path.isdir("/proc/self/fd"):
        raise Lacking("a list of open files")
    model = _model()
    if form == "json":
        keras.models.model_from_json(model.to_json())
    elif form == "keras":
        model.save("m.keras")
        keras.models.load_model("m.keras")
    else:
        model.save_weights("m.weights.h5")
        model.load_weights("m.weights.h5")
    paths = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    here = [os.path.basename(t) for t in map(os.path.realpath, paths) if t.startswith(os.getcwd())]
    equal(here, [], "open files")


def quantization_frees_the_kernel():
    """The float kernel of a quantized model is gone"""
    need("keras.Model.quantize")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model(X)
    reference = weakref.ref(model.layers[0]._kernel)
    model.quantize("int8")
    for _ in range(3):
        gc.collect()
    true(reference() is None, "the kernel is gone")
    true(model.built, "the model lives")
