"""Runs the reference's tasks through Keras.

Its models are built from the reference's layers, trained, and read out.
"""

from __future__ import annotations

import inspect

import numpy as np

from . import network


def layer(keras, described, policy):
    """Keras's counterpart of a layer of ``network``; its weights are set later."""
    options = {} if policy is None else {"dtype": policy}
    if isinstance(described, network.Dense):
        if described.l1 or described.l2:
            options["kernel_regularizer"] = keras.regularizers.L1L2(l1=described.l1, l2=described.l2)
        if described.activity_l2:
            options["activity_regularizer"] = keras.regularizers.L2(described.activity_l2)
        return keras.layers.Dense(described.parameters[1].size, activation=described.activation, **options)
    if isinstance(described, network.BatchNormalization):
        return keras.layers.BatchNormalization(
            momentum=described.momentum, epsilon=described.epsilon, trainable=described.trainable, **options
        )
    if isinstance(described, network.Embedding):
        return keras.layers.Embedding(*described.parameters[0].shape, **options)
    if isinstance(described, network.Mean):
        return keras.layers.GlobalAveragePooling1D(**options)
    raise TypeError(type(described).__name__)


def model(keras, task):
    """Returns the task's network as a Sequential model, not yet compiled.

    It has the initial weights.
    """
    net = task.network()
    integers = isinstance(net.layers[0], network.Embedding)
    stack = [keras.Input(task.x.shape[1:], dtype="int32" if integers else "float32")]
    if task.mask is not None:
        stack.append(keras.layers.Masking(0.0))
    built = [layer(keras, described, task.policy) for described in net.layers]
    for index, (name, settings, _) in task.constraints.items():
        which, parameter = net.trained()[index]
        constraint = getattr(keras.constraints, name)(**settings)
        setattr(built[net.layers.index(which)], ("kernel", "bias")[parameter] + "_constraint", constraint)
    result = keras.Sequential(stack + built)
    result.set_weights([weight.astype("float32") for weight in net.weights()])
    return result


def optimizer(keras, task):
    """Returns the task's optimizer."""
    name, settings = task.optimizer
    rate = task.rate.keras(keras) if callable(task.rate) else task.rate
    made = getattr(keras.optimizers, name)(learning_rate=rate, **settings, **task.common)
    if task.undecayed:
        made.exclude_from_weight_decay(var_names=["bias"])
    return made


def lacks(keras, task):
    """Returns why this version cannot do the task, or an empty string.

    The cause is an optimizer or option of a later version.
    """
    name, settings = task.optimizer
    made = getattr(keras.optimizers, name, None)
    if made is None:
        return "no keras.optimizers.%s" % name
    known = inspect.signature(made.__init__).parameters
    missing = [option for option in list(settings) + list(task.common) if option not in known]
    return "%s has no %s" % (name, ", ".join(missing)) if missing else ""


def loss(keras, task):
    """Returns the task's loss: by name where that is what users write."""
    if task.loss == "mse":
        return "mse" if task.reduction == "sum_over_batch_size" else keras.losses.MeanSquaredError(task.reduction)
    made = keras.losses.CategoricalCrossentropy if task.one_hot else keras.losses.SparseCategoricalCrossentropy
    return made(from_logits=True, reduction=task.reduction)


def watcher(keras, seen):
    """Returns a callback that appends the logs of training batches to ``seen``.

    ``seen``: ``{name: [value]}``, every training batch.
    """

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for name, value in (logs or {}).items():
                seen.setdefault("running." + name, []).append(float(value))

    return Watch()


def fit(keras, task):
    """Trains, and returns the figures of ``reference.fit``."""
    trained = model(keras, task)
    trained.compile(
        optimizer=optimizer(keras, task),
        loss=loss(keras, task),
        metrics=list(task.metrics) or None,
        weighted_metrics=list(task.weighted_metrics) or None,
        **task.compile,
    )
    seen = {}
    options = {"batch_size": task.batch_size, "epochs": task.epochs, "shuffle": False, "verbose": 0}
    options.update(sample_weight=single(task.sample_weight), class_weight=task.class_weight)
    options.update(steps_per_epoch=task.steps, callbacks=[watcher(keras, seen)])
    if task.validation is not None:
        arrays = [task.validation[0], task.validation[1]]
        arrays += [] if task.validation_weight is None else [task.validation_weight]
        options["validation_data"] = tuple(single(a) for a in arrays)
    options.update(task.fit)
    history = trained.fit(single(task.x), targets(task), **options)
    result = {name: [float(v) for v in values] for name, values in history.history.items()}
    result.update(seen)
    result["weights"] = weights(trained)
    return result


def apply(keras, task, gradients):
    """Returns the weights after each of several sets of gradients.

    One array (steps, ...) per weight.
    """
    names = ["kernel", "bias"] * len(task.layers)
    variables = [
        keras.Variable(weight.astype("float32"), name=name) for weight, name in zip(task.network().weights(), names)
    ]
    made = optimizer(keras, task)
    trail = []
    for step in gradients:
        made.apply([keras.ops.convert_to_tensor(g.astype("float32")) for g in step], variables)
        trail.append([np.array(keras.ops.convert_to_numpy(v), "float64") for v in variables])
    return [np.stack(arrays) for arrays in zip(*trail)]


def targets(task):
    """Returns the targets in the form that Keras gets."""
    if task.one_hot:
        return np.eye(int(task.y.max()) + 1, dtype="float32")[task.y]
    return single(task.y)


def weights(model):
    """Returns the weights as arrays of numbers, in the order of ``get_weights``."""
    return [np.asarray(weight, "float64") for weight in model.get_weights()]


def single(array):
    """Floats in single precision; anything else as it is."""
    if array is None or array.dtype.kind != "f":
        return array
    return array.astype("float32")


def fitted(model, x, y, **options):
    """Runs ``model.fit`` in order and in silence.

    Returns the figures of ``reference.fit``.
    """
    return fitted_as_given(model, single(x), single(y), **options)


def fitted_as_given(model, x, y, **options):
    """Runs ``fitted`` on data that are not to be converted."""
    history = model.fit(x, y, **dict({"batch_size": 8, "epochs": 1, "shuffle": False, "verbose": 0}, **options))
    found = {name: [float(v) for v in values] for name, values in history.history.items()}
    return dict(found, weights=weights(model), epochs=len(history.epoch))
