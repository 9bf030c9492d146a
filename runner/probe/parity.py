"""Tests whether Keras's three ways of writing a model train alike.

See keras-team/keras#20577.

The same small residual convolution network as a Sequential, a Functional and a subclassed model, trained under
every remedy people try: seeding once, seeding again before each ``fit``, initializers with seeds of their own, no
shuffling. And the reason: which generator the shuffle of ``fit`` draws from, found by disturbing one generator at a
time and seeing whether the order of the batches follows.
"""

from __future__ import annotations

import random

import numpy as np

from .frameworks import backend

DEFAULTS = {"epochs": 3, "samples": 96, "batch_size": 16}

KINDS = ("sequential", "functional", "subclassed")

ROUNDING = 1e-5
"""Relative difference of two losses up to which float32 rounding explains it: a compiler may fuse the same network
differently under another name. The smallest real difference (another batch order) is above 1e-3 here."""

REMEDIES = (
    # name, initializers have seeds, seed again (never, before each model is built, before each fit), shuffle
    ("seed_once", False, "never", True),
    ("no_shuffle", False, "never", False),
    ("explicit_initializers", True, "never", True),
    ("explicit_initializers_no_shuffle", True, "never", False),
    ("seed_before_build", False, "build", True),
    ("explicit_initializers_seed_before_fit", True, "fit", True),
)

ORDER_SAMPLES = 16


def run(request, report):
    """Losses under each remedy, repeatability, and the shuffle's generator."""
    settings = request.settings_with(DEFAULTS)
    if request.keras is None:
        raise backend.unsupported_natively(request)
    keras = backend.load(request).keras
    seed = request.seed + 1
    trained = {}
    for name, explicit, reseed, shuffle in REMEDIES:
        # without shuffling a second run would only repeat what the shuffled ones show
        runs = [_train_all(keras, seed, explicit, reseed, shuffle, settings) for _ in range(2 if shuffle else 1)]
        trained[name] = _judge(runs)
        report.metric(name + ".loss_difference", trained[name]["difference"], "info", better="lower")
        if shuffle:
            report.metric(name + ".repeatability", trained[name]["repeatability"], "info", better="lower")
        report.metric(name + ".verdict", trained[name]["verdict"], "exact")
    source = shuffle_source(keras, request.framework, seed)
    report.metric("shuffle.generator", ", ".join(source["follows"]) or "fixed", "exact")
    report.metric("shuffle.continues", int(source["continues"]), "exact")
    report.metric("shuffle.repeatable", int(source["repeatable"]), "exact")
    report.detail("remedies", trained)
    report.detail("shuffle", source)
    report.detail("verdicts", sentences(trained, source, request))


def _data(settings):
    rng = np.random.RandomState(20577)
    x = rng.standard_normal((settings["samples"], 8, 8, 1)).astype("float32")
    y = rng.standard_normal((settings["samples"], 4)).astype("float32")
    return x, y


def _layers(keras, explicit):
    """Returns the network's three layers, in order.

    Two convolutions, around the second of which the residual runs, and a dense layer.
    """

    def init(seed):
        return keras.initializers.GlorotUniform(seed=seed) if explicit else "glorot_uniform"

    return (
        keras.layers.Conv2D(4, 3, padding="same", activation="relu", kernel_initializer=init(11)),
        keras.layers.Conv2D(4, 3, padding="same", activation="relu", kernel_initializer=init(12)),
        keras.layers.Dense(4, kernel_initializer=init(13)),
    )


def _build(keras, kind, explicit):
    """Returns one of the three models, built and compiled."""
    first, second, last = _layers(keras, explicit)
    layers = keras.layers
    if kind == "sequential":

        class Residual(layers.Layer):
            """Computes ``x + layer(x)``, which a Sequential model needs for a branch."""

            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def build(self, shape):
                self.inner.build(shape)
                self.built = True

            def call(self, x):
                return x + self.inner(x)

        model = keras.Sequential([keras.Input((8, 8, 1)), first, Residual(second), layers.Flatten(), last])
    elif kind == "functional":
        inputs = keras.Input((8, 8, 1))
        x = first(inputs)
        model = keras.Model(inputs, last(layers.Flatten()(layers.Add()([x, second(x)]))))
    else:

        class Subclassed(keras.Model):
            def __init__(self):
                super().__init__()
                self.first, self.second, self.flatten, self.last = first, second, layers.Flatten(), last

            def call(self, x):
                x = self.first(x)
                return self.last(self.flatten(x + self.second(x)))

        model = Subclassed()
        model(keras.ops.zeros((1, 8, 8, 1)))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    return model


def _train_all(keras, seed, explicit, reseed, shuffle, settings):
    """Builds and trains the three models, one after the other.

    Returns ``{kind: [loss per epoch]}``.
    """
    x, y = _data(settings)
    keras.utils.set_random_seed(seed)
    losses = {}
    for kind in KINDS:
        if reseed == "build":
            keras.utils.set_random_seed(seed)
        model = _build(keras, kind, explicit)
        if reseed == "fit":
            keras.utils.set_random_seed(seed)
        history = model.fit(
            x, y, batch_size=settings["batch_size"], epochs=settings["epochs"], shuffle=shuffle, verbose=0
        )
        losses[kind] = [float(loss) for loss in history.history["loss"]]
    return losses


def _judge(runs):
    """Returns the difference between two runs of one remedy, and a word for it.

    Differences are relative to the larger loss.
    """
    pairs = (("sequential", "functional"), ("sequential", "subclassed"), ("functional", "subclassed"))
    by_pair = {"-".join(pair): _difference(runs[0][pair[0]], runs[0][pair[1]]) for pair in pairs}
    difference = max(by_pair.values())
    repeatability = max(_difference(runs[0][kind], runs[-1][kind]) for kind in KINDS)
    return {
        "losses": runs[0],
        "pairs": by_pair,
        "difference": difference,
        "repeatability": repeatability,
        "verdict": _word(difference),
    }


def _difference(one, other):
    return max(abs(a - b) / max(abs(a), abs(b), 1e-30) for a, b in zip(one, other))


def _word(difference):
    if difference == 0:
        return "equal"
    return "rounding" if difference <= ROUNDING else "differs"


def _order(model, keras):
    """Returns the order in which one ``fit`` of ``model`` saw its samples.

    It is a list of indices.

    The model predicts 0 and does not learn, sample i has the target sqrt(i) and every batch is one sample, so the
    reported loss (the mean of the squares so far) identifies the sample.
    """
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float((logs or {})["loss"]) * (batch + 1))

    x = np.zeros((ORDER_SAMPLES, 1), "float32")
    y = np.sqrt(np.arange(ORDER_SAMPLES, dtype="float32"))[:, None]
    model.fit(x, y, batch_size=1, epochs=1, shuffle=True, verbose=0, callbacks=[Watch()])
    return [round(now - before) for before, now in zip([0.0, *seen[:-1]], seen)]


def shuffle_source(keras, framework, seed):
    """Finds which generators decide the order of ``fit``'s shuffle.

    It also finds whether a second ``fit`` continues the order or begins it again.

    ``follows``: generators (``python``, ``numpy``, ``keras``, or the framework's name) that change the order when they
    alone are disturbed after ``keras.utils.set_random_seed``. ``drawn``: generators whose state a shuffled ``fit`` left
    changed.
    """
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")

    def order(disturb=None):
        keras.utils.set_random_seed(seed)
        if disturb:
            disturb(seed + 1)
        return _order(model, keras)

    order()  # the first call also traces, which may itself draw from a generator
    keras.utils.set_random_seed(seed)
    before = _states(keras, framework)
    first = _order(model, keras)
    drawn = sorted(name for name, state in _states(keras, framework).items() if state != before[name])
    second = _order(model, keras)
    follows = [name for name, disturb in _disturbances(framework).items() if order(disturb) != first]
    return {
        "follows": follows,
        "drawn": drawn,
        "continues": second != first,
        "repeatable": order() == first,
        "first": first,
        "second": second,
        "valid": sorted(first) == list(range(ORDER_SAMPLES)),
    }


def _disturbances(framework):
    """Returns ``{generator: function that seeds it alone}``."""
    found = {"python": random.seed, "numpy": np.random.seed}
    if framework == "torch":
        import torch

        found["torch"] = torch.manual_seed
    elif framework == "tensorflow":
        import tensorflow as tf

        found["tensorflow"] = tf.random.set_seed
    generator = _keras_generator()
    if generator is not None:
        state = generator.state
        found["keras"] = lambda seed: state.assign(np.array([seed, seed], dtype=str(state.dtype)))
    return found


def _states(keras, framework):
    """Returns ``{generator: state}``.

    A state stays equal while the generator has not been drawn from.
    """
    states = {"python": repr(random.getstate()), "numpy": repr(np.random.get_state(legacy=False))}
    if framework == "torch":
        import torch

        states["torch"] = torch.get_rng_state().tolist()
    elif framework == "tensorflow":
        from tensorflow.python.eager import context

        inner = getattr(context.context(), "_rng", None)
        states["tensorflow"] = repr(inner.getstate()) if inner is not None else ""
    generator = _keras_generator()
    states["keras"] = "" if generator is None else keras.ops.convert_to_numpy(generator.state).tolist()
    return states


def _keras_generator():
    """Returns Keras's global seed generator, or None where this version has none.

    It is made on first use.
    """
    try:
        from keras.src.backend.common import global_state
        from keras.src.random import seed_generator

        seed_generator.global_seed_generator()
        return global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
    except (ImportError, AttributeError):
        return None


def sentences(trained, source, request):
    """Returns one plain sentence per remedy, and one about the shuffle."""
    where = "%s with keras %s" % (request.framework, request.keras)
    texts = {
        "seed_once": "Seeding once",
        "no_shuffle": "Seeding once, shuffle=False",
        "explicit_initializers": "Seeding once, initializers with seeds (as in the report)",
        "explicit_initializers_no_shuffle": "Seeding once, initializers with seeds, shuffle=False",
        "seed_before_build": "Seeding before each model is built",
        "explicit_initializers_seed_before_fit": "Initializers with seeds, seeding before each fit",
    }
    said = {}
    for name, text in texts.items():
        seen = trained[name]
        works = {
            "equal": "works, the three models agree bit by bit",
            "rounding": "works, the three models agree within rounding",
            "differs": "does not work, the losses are up to %.2g apart (relative)" % seen["difference"],
        }[seen["verdict"]]
        repeats = "" if seen["repeatability"] == 0 else "; a second run differs by %.2g" % seen["repeatability"]
        said[name] = "%s: %s%s, on %s." % (text, works, repeats, where)
    if source["follows"]:
        drawn = "follows the generator of %s" % " and ".join(source["follows"])
    else:
        drawn = "follows none of the generators that can be seeded"
    goes = "goes on from there in the next fit" if source["continues"] else "starts over in every fit"
    said["shuffle"] = "The shuffle of fit on %s %s and %s." % (where, drawn, goes)
    return said
