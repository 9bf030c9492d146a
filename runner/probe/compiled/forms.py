"""One model in every form in which a backend can run it."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true

X, Y = numbers(6, 3), numbers(6, 1, seed=1)

FORMS = [
    "run_eagerly=True",
    "",
    "jit_compile=True",
    "jit_compile=False",
    "jit_compile='auto'",
    "steps_per_execution=2",
    "steps_per_execution=2, jit_compile=True",
]


def _model(*layers):
    made = keras.Sequential(
        [keras.Input((3,)), *(layers or (keras.layers.Dense(2, activation="tanh"),)), keras.layers.Dense(1)]
    )
    return given(made)


def _compiled(model, form, **more):
    """Returns the model compiled in that form, without torch.compile."""
    arguments = eval("dict(%s)" % form)  # noqa: S307 - texts of this module
    if arguments.get("jit_compile") is True and keras.config.backend() == "torch":
        raise Lacking("torch.compile needs a C++ compiler, and is off here")
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **more, **arguments})
    return model


@each(form=FORMS)
def fit_is_the_same(form):
    """fit in the form compile({form}) gives the weights of eager steps"""
    model = _compiled(_model(), form)
    history = model.fit(X, Y, batch_size=2, shuffle=False, verbose=0).history
    other = _compiled(_model(), "run_eagerly=True")
    expected = other.fit(X, Y, batch_size=2, shuffle=False, verbose=0).history
    close(model.get_weights(), other.get_weights(), "weights", 1e-4)
    close(history["loss"], expected["loss"], "loss", 1e-4)


@each(form=FORMS[:4])
def predict_is_the_same(form):
    """predict in the form compile({form}) gives what a call gives"""
    model = _compiled(_model(), form)
    close(model.predict(X, batch_size=4, verbose=0), model(X))


@each(form=FORMS[1:3])
def evaluate_is_the_same(form):
    """evaluate in the form compile({form}) gives the loss of a call"""
    model = _compiled(_model(), form)
    found = model.evaluate(X, Y, batch_size=4, verbose=0)
    close(found, np.mean((np.asarray(array(model(X))) - Y) ** 2), "loss", 1e-4)


@each(
    form=["run_eagerly=True", "", "jit_compile=False"], method=["train_on_batch", "test_on_batch", "predict_on_batch"]
)
def batches_are_the_same(form, method):
    """{method} in the form compile({form}) is right for another batch size too"""
    model, other = _compiled(_model(), form), _compiled(_model(), "run_eagerly=True")
    for size in (4, 2):
        data = (X[:size],) if method.startswith("predict") else (X[:size], Y[:size])
        close(getattr(model, method)(*data), getattr(other, method)(*data), "batch of %d" % size, 1e-4)


def _counting():
    """Returns a model that counts the Python calls of a layer: one for each trace."""
    counts = []

    class Counts(keras.layers.Layer):
        def call(self, x):
            counts.append(1)
            return x * 1.0

    return _model(Counts(), keras.layers.Dense(2)), counts


def _traced():
    if keras.config.backend() == "torch":
        raise Lacking("torch traces nothing unless torch.compile is on")


def equal_batches_are_traced_once():
    """fit over equal batches traces the model no more often in a second epoch"""
    _traced()
    model, counts = _counting()
    _compiled(model, "")
    model.fit(X, Y, batch_size=2, verbose=0)
    first = len(counts)
    model.fit(X, Y, batch_size=2, epochs=3, verbose=0)
    true(len(counts) - first <= 1, "a second fit of equal batches traces %d times more" % (len(counts) - first))


def train_on_batch_traces_once():
    """train_on_batch of equal shapes traces in the first call only"""
    _traced()
    model, counts = _counting()
    _compiled(model, "")
    for _ in range(2):
        model.train_on_batch(X, Y)
    before = len(counts)
    for _ in range(3):
        model.train_on_batch(X, Y)
    equal(len(counts) - before, 0, "traces of later calls")


@each(method=["test_on_batch", "predict_on_batch"])
def other_methods_trace_once(method):
    """{method} of equal shapes traces in the first call only"""
    _traced()
    model, counts = _counting()
    _compiled(model, "")
    data = (X,) if method.startswith("predict") else (X, Y)
    getattr(model, method)(*data)
    before = len(counts)
    for _ in range(3):
        getattr(model, method)(*data)
    equal(len(counts) - before, 0, "traces of later calls")


@each(method=["predict", "evaluate"])
def a_second_call_is_not_traced_again(method):
    """A second {method} of the same data traces no more"""
    _traced()
    model, counts = _counting()
    _compiled(model, "")
    data = (X,) if method == "predict" else (X, Y)
    getattr(model, method)(*data, batch_size=2, verbose=0)
    before = len(counts)
    getattr(model, method)(*data, batch_size=2, verbose=0)
    true(len(counts) - before <= 1, "%d traces of a second call" % (len(counts) - before))


@each(method=["predict", "evaluate", "fit"])
def short_last_batch_is_right(method):
    """{method} with a short last batch is right, compiled"""
    model, other = _compiled(_model(), ""), _compiled(_model(), "run_eagerly=True")
    data = (X[:5],) if method == "predict" else (X[:5], Y[:5])
    more = {"shuffle": False} if method == "fit" else {}
    found = getattr(model, method)(*data, batch_size=3, verbose=0, **more)
    expected = getattr(other, method)(*data, batch_size=3, verbose=0, **more)
    if method == "fit":
        found, expected = found.history["loss"], expected.history["loss"]
    close(found, expected, "result", 1e-4)


@each(form=["run_eagerly=True", "", "jit_compile=False"])
def learning_rate_takes_effect(form):
    """A new learning rate takes effect in a compiled step ({form})"""
    model = _compiled(_model(), form)
    model.train_on_batch(X, Y)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.train_on_batch(X, Y)
    close(model.get_weights(), before, "weights after a step with a learning rate of 0")


def learning_rate_needs_no_trace():
    """A new learning rate needs no new trace"""
    _traced()
    model, counts = _counting()
    _compiled(model, "")
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    before = len(counts)
    model.optimizer.learning_rate = 0.5
    model.train_on_batch(X, Y)
    equal(len(counts) - before, 0, "traces")


@each(form=["run_eagerly=True", ""])
def trainable_changed_before_compile_counts(form):
    """A layer frozen before another compile stays as it is ({form})"""
    model = _compiled(_model(), form)
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    _compiled(model, form)
    before = model.get_weights()
    model.train_on_batch(X, Y)
    close(model.get_weights()[:2], before[:2], "frozen weights")
    true(np.abs(model.get_weights()[2] - before[2]).max() > 0, "the other layer learns")


@each(form=["run_eagerly=True", ""])
def weights_set_later_are_used(form):
    """predict after set_weights uses the new weights ({form})"""
    model = _compiled(_model(), form)
    model.predict(X, verbose=0)
    model.set_weights([w * 2 for w in model.get_weights()])
    close(model.predict(X, verbose=0), model(X))


@each(form=["run_eagerly=True", ""])
def weights_set_between_steps_are_trained(form):
    """train_on_batch after set_weights starts from the new weights ({form})"""
    model, other = _compiled(_model(), form), _compiled(_model(), "run_eagerly=True")
    model.train_on_batch(X, Y)
    model.set_weights([w * 0 + 0.3 for w in model.get_weights()])
    other.set_weights(model.get_weights())
    model.train_on_batch(X, Y)
    other.train_on_batch(X, Y)
    close(model.get_weights(), other.get_weights(), "weights", 1e-4)


def run_eagerly_runs_python():
    """run_eagerly=True calls the layer's Python for every batch"""
    model, counts = _counting()
    _compiled(model, "run_eagerly=True")
    model.predict(X, batch_size=2, verbose=0)
    before = len(counts)
    model.predict(X, batch_size=2, verbose=0)
    equal(len(counts) - before, 3, "calls for three batches")


def run_eagerly_may_be_set_later():
    """model.run_eagerly = True after compile is followed"""
    model, counts = _counting()
    _compiled(model, "")
    model.run_eagerly = True
    model.fit(X, Y, batch_size=2, verbose=0)
    before = len(counts)
    model.fit(X, Y, batch_size=2, verbose=0)
    equal(len(counts) - before, 3, "calls for three batches")


def make_functions_force_anew():
    """make_*_function(force=True) makes functions that compute the same"""
    model = _compiled(_model(), "")
    first = model.predict(X, verbose=0)
    model.make_predict_function(force=True)
    model.make_train_function(force=True)
    model.make_test_function(force=True)
    close(model.predict(X, verbose=0), first)
    close(model.evaluate(X, Y, verbose=0), np.mean((first - Y) ** 2), "loss", 1e-4)


def jit_compile_is_decided():
    """jit_compile='auto' becomes True or False"""
    model = _compiled(_model(), "jit_compile='auto'")
    model.train_on_batch(X, Y)
    true(model.jit_compile in (True, False), "it is %s" % model.jit_compile)


def jit_and_eager_are_refused_or_warned():
    """jit_compile=True with run_eagerly=True runs, is warned of, or refused"""
    model = _model()
    try:
        model.compile("sgd", "mse", jit_compile=True, run_eagerly=True)
    except ValueError:
        return
    model.train_on_batch(X, Y)


@each(way=["a function", "under XLA"])
def tensorflow_functions_take_models(way):
    """A model inside tf.function gives what a call gives, {way}"""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    import tensorflow as tf

    model = _model()
    function = tf.function(model, jit_compile=True if "XLA" in way else None)
    close(function(tf.constant(X)), model(X))


def tensorflow_functions_take_unknown_batches():
    """A model inside tf.function takes a batch of unknown size"""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    import tensorflow as tf

    model = _model()
    function = tf.function(model, input_signature=[tf.TensorSpec((None, 3))])
    for size in (2, 5):
        close(function(tf.constant(X[:size])), model(X[:size]))


def jax_jit_takes_stateless_calls():
    """stateless_call inside jax.jit gives what a call gives"""
    if keras.config.backend() != "jax":
        raise Lacking("it is about the backend jax")
    import jax

    model = _model()
    values = [v.value for v in model.trainable_variables]
    function = jax.jit(lambda values, x: model.stateless_call(values, [], x)[0])
    close(function(values, X), model(X))


def jax_grad_takes_stateless_calls():
    """jax.grad of stateless_call gives the gradient of a Dense layer"""
    if keras.config.backend() != "jax":
        raise Lacking("it is about the backend jax")
    import jax

    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    values = [v.value for v in model.trainable_variables]
    found = jax.grad(lambda values: model.stateless_call(values, [], X)[0].sum())(values)
    close(found, [X.sum(0)[:, None], np.array([6.0])], tolerance=1e-4)


def torch_compile_is_off():
    """Without a setting nothing is compiled by torch"""
    if keras.config.backend() != "torch":
        raise Lacking("it is about the backend torch")
    model = _compiled(_model(), "")
    equal(model.jit_compile, False, "jit_compile")


def torch_no_grad_is_used_in_predict():
    """predict gives arrays, and leaves no gradients"""
    model = _compiled(_model(), "")
    equal(type(model.predict(X, verbose=0)).__name__, "ndarray", "class")
    equal(type(model.predict_on_batch(X)).__name__, "ndarray", "class of predict_on_batch")


@each(optimizer=["Adam", "RMSprop"])
def optimizers_step_the_same(optimizer):
    """{optimizer} takes the same two steps compiled and eagerly"""
    weights = []
    for form in ("", "run_eagerly=True"):
        model = _compiled(_model(), form, optimizer=getattr(keras.optimizers, optimizer)(0.01))
        for _ in range(2):
            model.train_on_batch(X, Y)
        weights.append(model.get_weights())
    close(weights[0], weights[1], "weights", 1e-4)


def gradient_accumulation_is_the_same():
    """gradient_accumulation_steps=2 steps the same compiled and eagerly"""
    need("keras.optimizers.SGD(gradient_accumulation_steps)")
    weights = []
    for form in ("", "run_eagerly=True"):
        model = _compiled(_model(), form, optimizer=keras.optimizers.SGD(0.1, gradient_accumulation_steps=2))
        for _ in range(3):
            model.train_on_batch(X, Y)
        weights.append(model.get_weights())
    close(weights[0], weights[1], "weights", 1e-4)


def schedules_advance_when_compiled():
    """A learning rate schedule advances in compiled steps"""
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])
    model = _compiled(_model(), "", optimizer=keras.optimizers.SGD(schedule))
    for _ in range(2):
        model.train_on_batch(X, Y)
    before = model.get_weights()
    model.train_on_batch(X, Y)
    close(model.get_weights(), before, "weights after the rate fell to 0")
    equal(int(array(model.optimizer.iterations)), 3, "iterations")
