"""Defines scenarios of what is promised around ``fit``.

Single batches, evaluation, prediction, several outputs, resuming, callbacks. Every function returns a scenario whose
truth is written down next to what Keras is asked to do.
"""

from __future__ import annotations

import numpy as np

from . import keras_side, network, outputs, reference
from .scenarios import (
    ALL,
    KERNEL_1,
    LABELS,
    WEIGHTS,
    WEIGHTS_ALL,
    X_ALL,
    Y_ALL,
    N,
    Scenario,
    X,
    Y,
    mlp,
    of_task,
    partial,
    regression,
)

ADAM = ("Adam", {"epsilon": 0.01})


def compiled(keras, task):
    """Returns the task's model, compiled."""
    model = keras_side.model(keras, task)
    model.compile(
        optimizer=keras_side.optimizer(keras, task),
        loss=keras_side.loss(keras, task),
        metrics=list(task.metrics) or None,
        weighted_metrics=list(task.weighted_metrics) or None,
        **task.compile,
    )
    return model


def train_on_batch():
    task = regression(optimizer=ADAM, rate=0.05, epochs=1)

    def measure(keras):
        model = compiled(keras, task)
        first = None
        for index in reference.batches(N, 8, None):
            value = model.train_on_batch(X[index].astype("float32"), Y[index].astype("float32"))
            first = float(np.asarray(value).ravel()[0]) if first is None else first
        iterations = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
        return {"weights": keras_side.weights(model), "first_loss": first, "iterations": iterations}

    def truth(rounding):
        found = reference.fit(task, rounding)
        return {"weights": found["weights"], "first_loss": found["running.loss"][0], "iterations": 2}

    return Scenario("batch.train", measure, truth)


def evaluation(name, task, weight=None, compile_options=None):
    """Calls ``evaluate`` and ``predict`` of the untrained model."""

    def measure(keras):
        model = keras_side.model(keras, task)
        model.compile(
            loss=keras_side.loss(keras, task),
            metrics=list(task.metrics) or None,
            weighted_metrics=list(task.weighted_metrics) or None,
            **(compile_options or {}),
        )
        x = keras_side.single(task.x)
        options = {"batch_size": 8, "verbose": 0}
        found = model.evaluate(
            x, keras_side.targets(task), sample_weight=keras_side.single(weight), return_dict=True, **options
        )
        found = {key: float(value) for key, value in found.items()}
        return dict(found, predict=np.asarray(model.predict(x, **options), "float64"))

    def truth(rounding):
        net = task.network()
        found = reference.evaluate(task, net, task.x, task.y, weight, rounding)
        return dict(found, predict=net.forward(task.x, False, rounding))

    return Scenario(name, measure, truth)


def outputs_of_lower_rank(name, loss, targets, function):
    """Evaluates a model with one output (n, 1) on targets of shape (n,).

    There must not be an accidental (n, n) of pairs.
    """
    kernel = KERNEL_1[:, :1]

    def measure(keras):
        activation = "sigmoid" if loss == "binary_crossentropy" else None
        layer = keras.layers.Dense(1, activation=activation)
        model = keras.Sequential([keras.Input((6,)), layer])
        model.set_weights([kernel.astype("float32"), np.zeros(1, "float32")])
        model.compile(loss=loss, metrics=["accuracy"] if activation else ["mae"])
        found = model.evaluate(
            X.astype("float32"), targets.astype("float32"), batch_size=8, verbose=0, return_dict=True
        )
        return {key: float(value) for key, value in found.items()}

    def truth(rounding):
        out = rounding(X[:, :, None] * kernel).sum(1)[:, 0]
        return function(targets.astype("float64"), rounding(out), rounding)

    return Scenario(name, measure, truth)


def _binary(y, out, rounding):
    p = rounding(1.0 / (1.0 + np.exp(-out)))
    values = rounding(-(y * np.log(p) + (1 - y) * np.log(1 - p)))
    return {"loss": values.mean(), "accuracy": ((p > 0.5) == y).mean()}


def _squares(y, out, rounding):
    return {"loss": rounding((out - y) ** 2).mean(), "mae": rounding(np.abs(out - y)).mean()}


def in_two_parts(name, between):
    """Trains two epochs as two calls of ``fit``: the optimizer continues.

    ``between(keras, model)`` is called in between.
    """
    task = regression(optimizer=ADAM, rate=0.05)

    def measure(keras):
        model = compiled(keras, task)
        first = keras_side.fitted(model, X, Y)
        model = between(keras, model)
        second = keras_side.fitted(model, X, Y)
        return {"loss": first["loss"] + second["loss"], "weights": second["weights"]}

    return Scenario(name, measure, lambda rounding: reference.fit(task, rounding), ("loss", "weights"))


def _saved(keras, model):
    model.save("resumed.keras")
    return keras.saving.load_model("resumed.keras")


def frozen():
    """Trains with a layer that is not trainable, which keeps its weights.

    The others learn as if it were a constant.
    """
    task = regression()

    def measure(keras):
        model = keras_side.model(keras, task)
        model.layers[0].trainable = False
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        return keras_side.fitted(model, X, Y)

    layers = mlp()
    layers[0].trainable = False
    rest = regression(layers=layers, epochs=1)
    return Scenario("fit.frozen", measure, lambda rounding: reference.fit(rest, rounding), ("loss", "weights"))


def rate_changes():
    """Sets the learning rate between two calls of ``fit``, and by a callback."""

    def rate(iteration):
        return 0.1 if iteration < 2 else 0.02

    task = regression(rate=rate)

    def between(keras):
        model = compiled(keras, regression())
        first = keras_side.fitted(model, X, Y)
        model.optimizer.learning_rate = 0.02
        return {"loss": first["loss"] + keras_side.fitted(model, X, Y)["loss"], "weights": keras_side.weights(model)}

    def callback(keras):
        model = compiled(keras, regression())
        schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 if epoch == 0 else 0.02)
        return keras_side.fitted(model, X, Y, epochs=2, callbacks=[schedule])

    def truth(rounding):
        return reference.fit(task, rounding)

    return [
        Scenario("fit.rate_set_between", between, truth, ("loss", "weights")),
        Scenario("fit.rate_by_callback", callback, truth, ("loss", "weights")),
    ]


class Decay:
    """Decays a rate exponentially, counted in iterations from 0.

    It is ExponentialDecay(0.2, decay_steps=2, decay_rate=0.5, staircase=True).
    """

    text = "keras.optimizers.schedules.ExponentialDecay(0.2, decay_steps=2, decay_rate=0.5, staircase=True)"

    def __call__(self, iteration):
        return 0.2 * 0.5 ** (iteration // 2)

    def keras(self, keras):
        """Returns Keras's own object for the same schedule."""
        return keras.optimizers.schedules.ExponentialDecay(0.2, decay_steps=2, decay_rate=0.5, staircase=True)


def loss_scaling():
    """Scales the loss dynamically, which changes nothing else.

    The scale grows every two good steps and halves on a bad one.
    """
    bad = Y.copy()
    bad[9] = np.nan  # in the second of two batches

    def scenario(name, y, epochs, scale, skipped):
        def measure(keras):
            model = keras_side.model(keras, regression())
            inner = keras.optimizers.SGD(0.1)
            outer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=4.0, dynamic_growth_steps=2)
            model.compile(optimizer=outer, loss="mse")
            keras_side.fitted(model, X, y, epochs=epochs)
            found = float(np.asarray(keras.ops.convert_to_numpy(outer.dynamic_scale)))
            return {"weights": keras_side.weights(model), "scale": found}

        def truth(rounding):
            net = network.Network(mlp())
            for _ in range(epochs):
                for which, index in enumerate(reference.batches(N, 8, None)):
                    if which in skipped:
                        continue
                    out = net.forward(X[index], True, rounding)
                    _, slope = reference.batch_loss(regression(), out, y[index], None, None, rounding)
                    net.backward(slope, rounding)
                    for layer in net.layers:
                        layer.parameters = [rounding(p - 0.1 * g) for p, g in zip(layer.parameters, layer.gradients)]
            return {"weights": net.weights(), "scale": scale}

        return Scenario(name, measure, truth)

    # two good steps: one doubling; good, bad, good, bad: halved twice
    return [
        scenario("fit.loss_scale_dynamic", Y, 1, 8.0, ()),
        scenario("fit.loss_scale_overflow", bad, 2, 1.0, (1,)),
    ]


def splitting():
    """Splits with ``validation_split``: the last samples, before any shuffling."""
    kept = N
    task = reference.Task(mlp(), X_ALL[:kept], Y_ALL[:kept], validation=(X_ALL[kept:], Y_ALL[kept:]), metrics=("mae",))

    def measure(keras):
        return keras_side.fitted(
            compiled(keras, task), X_ALL, Y_ALL, validation_split=(ALL - kept) / ALL - 1e-6, epochs=2
        )

    return Scenario("fit.validation_split", measure, lambda rounding: _without_running(reference.fit(task, rounding)))


def _without_running(found):
    return {name: value for name, value in found.items() if not name.startswith("running.")}


def dataset():
    """Trains on batches from a ``PyDataset``, with sample weights."""
    task = regression(sample_weight=WEIGHTS, weighted_metrics=("mae",))

    def measure(keras):
        arrays = [a.astype("float32") for a in (X, Y, WEIGHTS)]

        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                part = slice(8 * index, 8 * index + 8)
                return tuple(a[part] for a in arrays)

        model = compiled(keras, task)
        history = model.fit(Batches(), epochs=2, shuffle=False, verbose=0).history
        found = {name: [float(v) for v in values] for name, values in history.items()}
        return dict(found, weights=keras_side.weights(model))

    return Scenario("fit.dataset", measure, lambda rounding: _without_running(reference.fit(task, rounding)))


def own_loader():
    """Trains on batches from the framework's own loader."""
    task = regression()

    def lacks(keras):
        return "" if keras.config.backend() in ("torch", "tensorflow") else "the backend does not have a loader"

    def measure(keras):
        x, y = X.astype("float32"), Y.astype("float32")
        if keras.config.backend() == "torch":
            import torch

            pairs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
            batches = torch.utils.data.DataLoader(pairs, batch_size=8, shuffle=False)
        else:
            import tensorflow as tf

            batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
        model = compiled(keras, task)
        history = model.fit(batches, epochs=2, verbose=0).history
        return {"loss": [float(v) for v in history["loss"]], "weights": keras_side.weights(model)}

    return Scenario(
        "fit.own_loader", measure, lambda rounding: reference.fit(task, rounding), ("loss", "weights"), lacks
    )


def early_stopping():
    """Stops after ``patience`` epochs without a better value.

    Then it takes the best epoch's weights back.
    """
    task = regression(epochs=1)

    def measure(keras):
        stop = keras.callbacks.EarlyStopping("loss", patience=2, mode="max", restore_best_weights=True)
        found = keras_side.fitted(compiled(keras, task), X, Y, epochs=8, callbacks=[stop])
        return {"epochs": found["epochs"], "weights": found["weights"]}

    def truth(rounding):
        # the loss falls, so the first epoch stays the best in the sense of "max", and two more are waited for
        return {"epochs": 3, "weights": reference.fit(task, rounding)["weights"]}

    return Scenario("fit.early_stopping", measure, truth)


def every():
    """Returns all scenarios of this module, in order."""
    plain, binary = Y[:, 0], (LABELS == 1).astype("float64")
    weighted = regression(metrics=("mae",), weighted_metrics=("mse",))
    logits = reference.Task(mlp(), X, LABELS, loss="crossentropy", metrics=("accuracy",))
    hot = reference.Task(mlp(), X, LABELS, loss="crossentropy", metrics=("accuracy",), one_hot=True)
    return [
        train_on_batch(),
        evaluation("evaluate.weights", weighted, weight=WEIGHTS),
        evaluation("partial.evaluate", partial(metrics=("mae",), weighted_metrics=("mse",)), weight=WEIGHTS_ALL),
        evaluation("evaluate.steps_per_execution_2", regression(), compile_options={"steps_per_execution": 2}),
        evaluation("evaluate.classes", logits),
        evaluation("evaluate.classes_one_hot", hot),
        outputs_of_lower_rank("evaluate.flat_targets_mse", "mse", plain, _squares),
        outputs_of_lower_rank("evaluate.flat_targets_binary", "binary_crossentropy", binary, _binary),
        outputs.several("outputs.two", None, weighted=False),
        outputs.several("partial.outputs", None, weighted=False, count=ALL),
        outputs.several("outputs.loss_weights", {"a": 0.5, "b": 2.0}, weighted=False),
        outputs.several("outputs.sample_weight", {"a": 0.5, "b": 2.0}, weighted=True),
        *outputs.as_lists(),
        in_two_parts("fit.twice", lambda keras, model: model),
        in_two_parts("fit.saved_and_resumed", _saved),
        frozen(),
        *rate_changes(),
        of_task("fit.schedule", regression(rate=Decay()), ("loss", "weights")),
        *loss_scaling(),
        splitting(),
        dataset(),
        own_loader(),
        early_stopping(),
        outputs.shared_layer(),
        of_task("fit.initial_epoch", regression(epochs=2, fit={"epochs": 3, "initial_epoch": 1}), ("loss", "weights")),
    ]
