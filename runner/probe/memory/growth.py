"""What grows from round to round."""

from __future__ import annotations

import gc

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, need, numbers, true

X, Y = numbers(8, 3), numbers(8, 1, seed=1)
BOUND = 50e3
"""Bytes per round: a model of this size is a tenth of it, and noise of the allocator is below it."""

SLOPES = {}


def _bytes():
    """Returns how much memory the process has."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        raise Lacking("the size of the process") from None


def _counts():
    """Returns how many objects of Keras and of the framework there are, by type."""
    gc.collect()
    found = {}
    for thing in gc.get_objects():
        kind = type(thing)
        module = getattr(kind, "__module__", "") or ""
        if isinstance(module, str) and module.startswith(("keras", "tensorflow", "torch", "jax")):
            name = "%s.%s" % (module.partition(".")[0], kind.__name__)
            found[name] = found.get(name, 0) + 1
    return found


def _steady(name, action, rounds, warm=3):
    """Repeats ``action``; neither objects nor bytes may grow in each round.

    Objects: a type of which there is at least one more in each of the last rounds. Bytes: the second half only.
    """
    for _ in range(warm):
        action()
    before, start = _counts(), _bytes()
    half = start
    for place in range(rounds):
        action()
        if place == rounds // 2 - 1:
            gc.collect()
            half = _bytes()
    after, end = _counts(), _bytes()
    slope = (end - half) / (rounds - rounds // 2)
    SLOPES[name] = round(1000.0 * max(slope, 0.0))
    grown = sorted(kind for kind in after if after[kind] - before.get(kind, 0) >= rounds)
    true(not grown, "as many objects as before: more in each round are %s" % ", ".join(grown[:6]))
    true(slope < 20 * BOUND, "the process grows by less than a megabyte in a round")


@each(what=["predict", "evaluate", "fit", "train_on_batch", "call", "compile", "get_weights"])
def repeating_keeps_nothing(what):
    """{what} of the same model, again and again, leaves no more objects"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    actions = {
        "predict": lambda: model.predict(X, verbose=0),
        "evaluate": lambda: model.evaluate(X, Y, verbose=0),
        "fit": lambda: model.fit(X, Y, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(X, Y),
        "call": lambda: model(X),
        "compile": lambda: model.compile(keras.optimizers.Adam(0.1), "mse"),
        "get_weights": lambda: model.set_weights(model.get_weights()),
    }
    _steady(what, actions[what], 12)


@each(what=["build", "build and predict", "save and load", "clone"])
def new_models_leave_nothing(what):
    """A loop of {what} and clear_session leaves no more objects"""

    def action():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
        if what == "build and predict":
            model.predict(X, verbose=0)
        elif what == "save and load":
            model.save("m.keras")
            keras.models.load_model("m.keras")
        elif what == "clone":
            keras.models.clone_model(model)
        del model
        keras.utils.clear_session()

    _steady(what.replace(" ", "_"), action, 5 if "predict" in what else 12, warm=2)


@each(what=["tensors", "variables", "optimizers", "metrics", "layers", "seeds"])
def small_objects_leave_nothing(what):
    """Making {what} again and again leaves no more objects"""
    actions = {
        "tensors": lambda: keras.ops.add(keras.ops.ones((3,)), 1.0),
        "variables": lambda: keras.Variable(np.ones(3)),
        "optimizers": lambda: keras.optimizers.Adam().build([keras.Variable(np.ones(3))]),
        "metrics": lambda: keras.metrics.AUC().update_state([0.0, 1.0], [0.5, 0.5]),
        "layers": lambda: keras.layers.Dense(2)(X),
        "seeds": lambda: keras.random.normal((2,), seed=keras.random.SeedGenerator(1)),
    }

    def action():
        actions[what]()
        keras.utils.clear_session()

    _steady(what, action, 12)


def generators_leave_nothing():
    """fit of a generator again and again leaves no more objects"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")

    def batches():
        for _ in range(2):
            yield X[:4], Y[:4]

    _steady("generators", lambda: model.fit(batches(), verbose=0), 10)


def datasets_leave_nothing():
    """predict of a tf.data.Dataset again and again leaves no more objects"""
    data = need("tensorflow").data.Dataset.from_tensor_slices(X).batch(4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    _steady("datasets", lambda: model.predict(data, verbose=0), 12)
