"""Models and functions under torch.compile with its default backend, Inductor.

Inductor writes C++ and needs a compiler: an image has one where its set asks for ``g++``. A compilation takes seconds,
so this runs where the setting ``torch_compile`` is on.
"""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true
from .flow import FUNCTIONS

X, Y = numbers(6, 3), numbers(6, 1, seed=1)


def _torch():
    """Returns torch where it can compile."""
    import shutil

    if keras.config.backend() != "torch":
        raise Lacking("it is about the backend torch")
    if not (shutil.which("g++") or shutil.which("clang++")):
        raise Lacking("torch.compile needs a C++ compiler")
    torch = need("torch")
    torch._dynamo.reset()  # noqa: SLF001 - the documented way to forget what was compiled
    return torch


def _graphs():
    """Returns how many graphs were compiled since the last reset of the counters."""
    return need("torch._dynamo.utils").counters["stats"]["unique_graphs"]


def _model(*layers):
    layers = layers or (keras.layers.Dense(2, activation="tanh"),)
    return given(keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)]))


def _compiled(model, optimizer="SGD(0.1)", **more):
    made = eval("keras.optimizers." + optimizer)  # noqa: S307 - texts of this module
    model.compile(made, "mse", **{"jit_compile": True, **more})
    return model


@each(optimizer=["SGD(0.1)", "SGD(0.1, momentum=0.9)", "Adam(0.1)", "RMSprop(0.1)", "AdamW(0.1)", "Adagrad(0.1)"])
def fit_under_inductor_is_the_same(optimizer):
    """fit with jit_compile=True and {optimizer} gives the weights of eager steps"""
    _torch()
    model, other = _compiled(_model(), optimizer), _compiled(_model(), optimizer, jit_compile=False)
    found = model.fit(X, Y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    expected = other.fit(X, Y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
    close(found, expected, "loss", 1e-4)
    close(model.get_weights(), other.get_weights(), "weights", 1e-4)


@each(more=["steps_per_execution=2", "metrics=['mae']", "loss_weights=[0.5]"])
def fit_with_more_is_the_same(more):
    """fit with jit_compile=True and {more} gives the weights of eager steps"""
    _torch()
    options = eval("dict(%s)" % more)  # noqa: S307 - texts of this module
    model, other = _compiled(_model(), **options), _compiled(_model(), jit_compile=False, **options)
    found = model.fit(X, Y, batch_size=2, shuffle=False, verbose=0).history
    expected = other.fit(X, Y, batch_size=2, shuffle=False, verbose=0).history
    close(found, expected, "history", 1e-4)
    close(model.get_weights(), other.get_weights(), "weights", 1e-4)


LAYERS = {
    "Dense": ("Dense(3, activation='gelu')", (4,)),
    "Conv2D": ("Conv2D(3, 3, padding='same')", (5, 5, 2)),
    "Conv1DTranspose": ("Conv1DTranspose(3, 3, strides=2)", (5, 2)),
    "DepthwiseConv2D": ("DepthwiseConv2D(3)", (5, 5, 2)),
    "MaxPooling2D": ("MaxPooling2D(2, padding='same')", (5, 5, 2)),
    "AveragePooling2D": ("AveragePooling2D(2, padding='same')", (5, 5, 2)),
    "BatchNormalization": ("BatchNormalization()", (4,)),
    "LayerNormalization": ("LayerNormalization()", (4,)),
    "GroupNormalization": ("GroupNormalization(2)", (5, 4)),
    "LSTM": ("LSTM(3, return_sequences=True)", (4, 2)),
    "GRU": ("GRU(3)", (4, 2)),
    "SimpleRNN": ("SimpleRNN(3)", (4, 2)),
    "Bidirectional": ("Bidirectional(keras.layers.LSTM(2))", (4, 2)),
    "Embedding": ("Embedding(5, 3)", (4,)),
    "Softmax": ("Softmax()", (4,)),
    "UpSampling2D": ("UpSampling2D(2, interpolation='bilinear')", (3, 3, 2)),
    "Dropout": ("Dropout(0.5)", (4,)),
    "SpectralNormalization": ("SpectralNormalization(keras.layers.Dense(2))", (4,)),
    "EinsumDense": ("EinsumDense('abc,cd->abd', (None, 3))", (2, 4)),
    "Normalization": ("Normalization(mean=1.0, variance=2.0)", (4,)),
    "Resizing": ("Resizing(2, 3)", (5, 5, 2)),
}


@each(layer=list(LAYERS))
def layers_predict_the_same(layer):
    """predict of {layer} with jit_compile=True gives what a call gives"""
    _torch()
    text, shape = LAYERS[layer]
    made = eval("keras.layers." + text)  # noqa: S307 - texts of this module
    data = numbers(3, *shape) if layer != "Embedding" else np.array([[0, 1, 2, 3], [4, 3, 2, 1], [0, 0, 1, 1]])
    dtype = "int32" if layer == "Embedding" else "float32"
    model = given(keras.Sequential([keras.Input(shape, dtype=dtype), made]))
    model.compile(jit_compile=True)
    close(model.predict(data, verbose=0), model(data), tolerance=1e-4)


@each(layer=["BatchNormalization", "LayerNormalization", "LSTM", "Conv2D", "Bidirectional", "GroupNormalization"])
def layers_learn_the_same(layer):
    """fit of {layer} with jit_compile=True gives the weights of eager steps"""
    _torch()
    text, shape = LAYERS[layer]
    weights = []
    for jit in (True, False):
        made = eval("keras.layers." + text)  # noqa: S307 - texts of this module
        model = given(keras.Sequential([keras.Input(shape), made, keras.layers.Flatten(), keras.layers.Dense(1)]))
        _compiled(model, jit_compile=jit)
        model.fit(numbers(4, *shape), numbers(4, 1, seed=1), batch_size=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    close(weights[0], weights[1], "weights", 1e-4)


@each(name=list(FUNCTIONS))
def functions_are_the_same(name):
    """{name} under torch.compile gives what NumPy gives"""
    torch = _torch()
    word = name.split(" ")[0].split("'")[0]
    if word not in ("reshape", "shape", "logical", "one_hot", "arange"):
        need("keras.ops." + word)
    function, expected = FUNCTIONS[name]
    data = numbers(4, 3)
    close(torch.compile(function)(torch.tensor(data)), expected(data), tolerance=1e-4)


def equal_batches_compile_once():
    """A second fit of equal batches compiles nothing with jit_compile=True"""
    _torch()
    model = _compiled(_model())
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    before = _graphs()
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    equal(_graphs() - before, 0, "graphs compiled by the second fit")


def batch_sizes_compile_once_more():
    """Batches of many sizes compile no more than two graphs with jit_compile=True"""
    _torch()
    model = _compiled(_model())
    model.predict(numbers(4, 3), batch_size=4, verbose=0)
    before = _graphs()
    for rows in (5, 6, 7, 9):
        model.predict(numbers(rows, 3), batch_size=rows, verbose=0)
    true(_graphs() - before <= 2, "four other sizes compile %d graphs more" % (_graphs() - before))


def a_learning_rate_compiles_nothing():
    """A new learning rate takes effect and compiles nothing with jit_compile=True"""
    _torch()
    model = _compiled(_model())
    model.fit(X, Y, batch_size=6, epochs=2, verbose=0)
    before, weights = _graphs(), model.get_weights()
    model.optimizer.learning_rate = 0.0
    model.fit(X, Y, batch_size=6, verbose=0)
    close(model.get_weights(), weights, "weights after a step with a learning rate of 0")
    equal(_graphs() - before, 0, "graphs compiled for a new learning rate")


def short_last_batch_is_the_same():
    """fit with jit_compile=True and a short last batch gives eager weights"""
    _torch()
    model, other = _compiled(_model()), _compiled(_model(), jit_compile=False)
    for one in (model, other):
        one.fit(X[:5], Y[:5], batch_size=2, shuffle=False, verbose=0)
    close(model.get_weights(), other.get_weights(), "weights", 1e-4)


def evaluate_under_inductor_is_the_same():
    """evaluate with jit_compile=True gives the loss of a call"""
    _torch()
    model = _compiled(_model())
    expected = float(np.mean((np.asarray(array(model(X))) - Y) ** 2))
    close(model.evaluate(X, Y, batch_size=3, verbose=0), expected, "loss", 1e-4)


def frozen_layers_stay():
    """A frozen layer stays as it is in fit with jit_compile=True"""
    _torch()
    model = _model()
    model.layers[0].trainable = False
    before = model.get_weights()
    _compiled(model).fit(X, Y, verbose=0)
    equal(model.get_weights()[:2], before[:2], "frozen weights")
    true(np.abs(model.get_weights()[2] - before[2]).max() > 0, "the other layer learns")


def dropout_draws_again():
    """Dropout draws again in every step with jit_compile=True"""
    _torch()

    class Sees(keras.Model):
        def __init__(self):
            super().__init__()
            self.noise = keras.layers.Dropout(0.5)

        def call(self, x):
            return self.noise(x, training=True)

    model = Sees()
    model.compile(jit_compile=True)
    ones = np.ones((2, 32), "float32")
    true(np.abs(model.predict(ones, verbose=0) - model.predict(ones, verbose=0)).max() > 0, "two calls differ")
