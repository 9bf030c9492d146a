"""Defines scenarios that call ``fit`` differently but must get the same result.

Single batches, other containers of data, and other things that must not change the result.
"""

from __future__ import annotations

import numpy as np

from . import keras_side, reference
from .promises import compiled
from .scenarios import (
    CLASSES,
    WEIGHTS,
    N,
    Scenario,
    X,
    Y,
    classification,
    mlp,
    normalized,
    of_task,
    partial,
    regression,
)

PARTS = reference.batches(N, 8, None)


def _logged(found, values):
    for name, value in values.items():
        found.setdefault(name, []).append(float(value))


def training_batches(name, task, reset=False, **by_batch):
    """Trains by ``train_on_batch`` twice.

    Each call returns the loss and the metrics of its own batch. ``reset``: after ``reset_metrics``, which until keras
    3.15 was what it took. ``by_batch``: arguments of the call, sample weights cut to the batch.
    """

    def measure(keras):
        model, found = compiled(keras, task), {}
        for part in PARTS:
            if reset:
                model.reset_metrics()
            options = {key: keras_side.single(v[part]) if key == "sample_weight" else v for key, v in by_batch.items()}
            x, y = keras_side.single(task.x[part]), keras_side.targets(task)[part]
            _logged(found, model.train_on_batch(x, y, return_dict=True, **options))
        return dict(found, weights=keras_side.weights(model))

    def truth(rounding):
        # every batch is the only one of an epoch: the rest of the state goes on
        whole = reference.fit(task, rounding, logs_of_batches=True)
        own = {key[6:]: value for key, value in whole.items() if key.startswith("batch.")}
        return dict(own, weights=whole["weights"])

    return Scenario(name, measure, truth)


def test_batches():
    """Calls ``test_on_batch`` and ``predict_on_batch`` of the untrained model."""
    task = regression(metrics=("mae",), weighted_metrics=("mse",))

    def measure(keras):
        model, found = compiled(keras, task), {}
        for part in PARTS:
            model.reset_metrics()
            arrays = [keras_side.single(a[part]) for a in (X, Y, WEIGHTS)]
            _logged(found, model.test_on_batch(*arrays, return_dict=True))
        return dict(found, predict=np.asarray(model.predict_on_batch(X.astype("float32")), "float64"))

    def truth(rounding):
        net, found = task.network(), {}
        for part in PARTS:
            _logged(found, reference.evaluate(task, net, X[part], Y[part], WEIGHTS[part], rounding))
        return dict(found, predict=net.forward(X, False, rounding))

    return Scenario("batch.test", measure, truth)


def containers():
    """Trains on the same numbers in other containers, for the same model."""
    task = regression()
    x, y = X.astype("float32"), Y.astype("float32")

    def trained(name, given):
        def measure(keras):
            return keras_side.fitted_as_given(compiled(keras, task), *given(keras), epochs=2)

        return Scenario(name, measure, lambda rounding: reference.fit(task, rounding), ("loss", "weights"))

    def endless():
        while True:
            for part in PARTS:
                yield x[part], y[part]

    def generator(keras):
        options = {"batch_size": None, "steps_per_epoch": 2, "epochs": 2}
        return keras_side.fitted_as_given(compiled(keras, task), endless(), None, **options)

    return [
        trained("data.float64", lambda keras: (X, Y)),
        trained("data.reversed_view", lambda keras: (x[::-1].copy()[::-1], y[::-1].copy()[::-1])),
        trained("data.column_major", lambda keras: (np.asfortranarray(x), np.asfortranarray(y))),
        trained("data.tensors", lambda keras: (keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))),
        Scenario("data.generator", generator, lambda rounding: reference.fit(task, rounding), ("loss", "weights")),
    ]


def layer_loss():
    """Adds a loss in a layer's call, which counts once per batch.

    It counts in the loss and in the gradient.
    """

    def measure(keras):
        class Penalty(keras.layers.Layer):
            def call(self, inputs):
                self.add_loss(0.01 * keras.ops.mean(keras.ops.sum(keras.ops.square(inputs), -1)))
                return inputs

        first, second = mlp()
        inputs = keras.Input((6,))
        hidden = Penalty()(keras.layers.Dense(5, activation="tanh")(inputs))
        model = keras.Model(inputs, keras.layers.Dense(3)(hidden))
        model.set_weights([w.astype("float32") for layer in (first, second) for w in layer.parameters])
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        return keras_side.fitted(model, X, Y, epochs=2)

    task = regression(layers=mlp(activity_l2=0.01))
    return Scenario("fit.layer_loss", measure, lambda rounding: reference.fit(task, rounding), ("loss", "weights"))


def plateau():
    """Halves the rate with ``ReduceLROnPlateau``.

    It does so after ``patience`` epochs without a better value.
    """

    def measure(keras):
        model = compiled(keras, regression())
        # in the sense of "max" a falling loss never gets better: epochs 0 and 1 at 0.1, then 0.05, then 0.025
        lower = keras.callbacks.ReduceLROnPlateau("loss", mode="max", factor=0.5, patience=1, min_delta=0.0)
        found = keras_side.fitted(model, X, Y, epochs=4, callbacks=[lower])
        return {"loss": found["loss"], "weights": found["weights"]}

    task = regression(epochs=4, rate=lambda iteration: (0.1, 0.1, 0.05, 0.025)[iteration // 2])
    return Scenario("fit.rate_on_plateau", measure, lambda rounding: reference.fit(task, rounding), ("loss", "weights"))


def weighted_mean():
    """Trains on the loss over the sum of the weights.

    It is not over the number of samples.
    """
    share = WEIGHTS.reshape(2, 8)
    scaled = (share * 8 / share.sum(1, keepdims=True)).ravel()

    def lacks(keras):
        try:
            keras.losses.MeanSquaredError("mean_with_sample_weight")
        except ValueError:
            return "no reduction mean_with_sample_weight"
        return ""

    def measure(keras):
        model = keras_side.model(keras, regression())
        loss = keras.losses.MeanSquaredError("mean_with_sample_weight")
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
        return keras_side.fitted(model, X, Y, epochs=2, sample_weight=WEIGHTS.astype("float32"))

    task = regression(sample_weight=scaled)
    return Scenario(
        "fit.reduction_weighted_mean",
        measure,
        lambda rounding: reference.fit(task, rounding),
        ("loss", "weights"),
        lacks,
    )


def sparse_validation():
    """Validates after every second epoch only: ``validation_freq=2``."""
    task = regression(epochs=4, validation=(X[::2] * 0.9, Y[::2]))

    def measure(keras):
        model = compiled(keras, task)
        data = tuple(keras_side.single(a) for a in task.validation)
        return keras_side.fitted(model, X, Y, epochs=4, validation_data=data, validation_freq=2)

    def truth(rounding):
        found = reference.fit(task, rounding)
        return {"val_loss": found["val_loss"][1::2], "weights": found["weights"]}

    return Scenario("fit.validation_freq", measure, truth)


def every():
    """Returns all scenarios of this module, in order."""
    weighted = {"metrics": ("mae",), "weighted_metrics": ("mse",), "epochs": 1}
    return [
        training_batches("batch.train_repeated", regression(metrics=("mae",), epochs=1)),
        training_batches("batch.train_reset", regression(metrics=("mae",), epochs=1), reset=True),
        training_batches(
            "batch.train_sample_weight", regression(sample_weight=WEIGHTS, **weighted), sample_weight=WEIGHTS
        ),
        training_batches(
            "batch.train_class_weight", classification(class_weight=CLASSES, epochs=1), class_weight=CLASSES
        ),
        test_batches(),
        *containers(),
        layer_loss(),
        plateau(),
        weighted_mean(),
        sparse_validation(),
        of_task("partial.batch_normalization", partial(layers=normalized())),
        of_task("partial.validation_batch_size", regression(**_validated(5)), ("val_loss", "val_mae")),
        of_task("fit.ema_weight_decay", regression(common={"use_ema": True, "ema_momentum": 0.8, "weight_decay": 0.1})),
    ]


def _validated(size):
    return {"validation": (X[:14] * 0.9, Y[:14]), "metrics": ("mae",), "fit": {"validation_batch_size": size}}
