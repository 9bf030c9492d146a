"""Writes a script that shows one task on its own.

It has Keras, NumPy, the data written out, and what was expected.
"""

from __future__ import annotations

import numpy as np

from . import keras_side, network, source


def of(scenario, framework, figure, note):
    """Returns the whole script, or an empty string where it cannot be written.

    ``note`` is what the probe observed.
    """
    task = scenario.task
    lines = ['"""%s: %s."""' % (scenario.name, figure), "", "import os", ""]
    lines += ['os.environ["KERAS_BACKEND"] = "%s"' % framework, "", "import keras", "import numpy as np", ""]
    if task is None:
        try:
            lines += _measured(scenario, figure)
        except (source.NoSourceError, OSError):  # the source files are not available
            return ""
    elif scenario.gradients is not None:
        lines += _updates(task, scenario.gradients)
    else:
        lines += _data(task) + _model(task) + _fit(task, figure)
    return "\n".join([*lines, "print(%r)" % note]) + "\n"


def _measured(scenario, figure):
    definitions, name = source.of(scenario.measure)
    return ["", definitions, "", "", "print(%s(keras)[%r])" % (name, figure)]


def _array(name, array):
    return "%s = %s" % (name, source.array(array))


def _data(task):
    arrays = {"x": task.x, "y": keras_side.targets(task), "sample_weight": task.sample_weight}
    if task.validation is not None:
        arrays.update(validation_x=task.validation[0], validation_y=task.validation[1])
        arrays.update(validation_weight=task.validation_weight)
    return [_array(name, array) for name, array in arrays.items() if array is not None] + [""]


def _layer(layer, task, place):
    policy = "" if task.policy is None else ", dtype=%r" % task.policy
    if isinstance(layer, network.Embedding):
        return "keras.layers.Embedding(%d, %d%s)" % (*layer.parameters[0].shape, policy)
    if isinstance(layer, network.Mean):
        return "keras.layers.GlobalAveragePooling1D()"
    if isinstance(layer, network.BatchNormalization):
        options = (layer.momentum, layer.epsilon, layer.trainable)
        return "keras.layers.BatchNormalization(momentum=%r, epsilon=%r, trainable=%r)" % options
    options = ["%d" % layer.parameters[1].size, "activation=%r" % layer.activation]
    if layer.l1 or layer.l2:
        options.append("kernel_regularizer=keras.regularizers.L1L2(%r, %r)" % (layer.l1, layer.l2))
    if layer.activity_l2:
        options.append("activity_regularizer=keras.regularizers.L2(%r)" % layer.activity_l2)
    for index, (name, settings, _) in task.constraints.items():
        if index // 2 == place:
            made = "keras.constraints.%s(%s)" % (name, _keywords(settings))
            options.append("%s_constraint=%s" % (("kernel", "bias")[index % 2], made))
    return "keras.layers.Dense(%s%s)" % (", ".join(options), policy)


def _model(task):
    net = task.network()
    integers = ', dtype="int32"' if isinstance(net.layers[0], network.Embedding) else ""
    stack = ["keras.Input(%r%s)" % (tuple(task.x.shape[1:]), integers)]
    stack += ["keras.layers.Masking(0.0)"] if task.mask is not None else []
    stack += [_layer(layer, task, place) for place, layer in enumerate(net.layers)]
    lines = ["model = keras.Sequential(", "    [", *("        %s," % text for text in stack), "    ]", ")"]
    lines += [_array("weight_%d" % i, np.asarray(w)) for i, w in enumerate(net.weights())]
    lines.append("model.set_weights([%s])" % ", ".join("weight_%d" % i for i in range(len(net.weights()))))
    return [*lines, _optimizer(task), _compile(task), ""]


def _optimizer(task):
    name, settings = task.optimizer
    rate = task.rate.text if callable(task.rate) else repr(task.rate)
    options = ["learning_rate=%s" % rate, _keywords(settings), _keywords(task.common)]
    text = "optimizer = keras.optimizers.%s(%s)" % (name, ", ".join(option for option in options if option))
    return text + ('\noptimizer.exclude_from_weight_decay(var_names=["bias"])' if task.undecayed else "")


def _compile(task):
    if task.loss == "mse":
        loss = "keras.losses.MeanSquaredError(reduction=%r)" % task.reduction
    else:
        kind = "Categorical" if task.one_hot else "SparseCategorical"
        loss = "keras.losses.%sCrossentropy(from_logits=True)" % kind
    options = ["optimizer=optimizer", "loss=%s" % loss, _keywords(task.compile)]
    named = {name: list(getattr(task, name)) for name in ("metrics", "weighted_metrics")}
    options.append(_keywords({name: metrics for name, metrics in named.items() if metrics}))
    return "model.compile(%s)" % ", ".join(option for option in options if option)


def _fit(task, figure):
    options = {"batch_size": task.batch_size, "epochs": task.epochs, "shuffle": False, "verbose": 0}
    options.update(class_weight=task.class_weight, steps_per_epoch=task.steps, **task.fit)
    text = _keywords({name: value for name, value in options.items() if value is not None})
    text += ", sample_weight=sample_weight" if task.sample_weight is not None else ""
    if task.validation is not None:
        weight = ", validation_weight" if task.validation_weight is not None else ""
        text += ", validation_data=(validation_x, validation_y%s)" % weight
    shown = "model.get_weights()" if figure == "weights" else "history.history[%r]" % figure.split(".")[-1]
    return ["history = model.fit(x, y, %s)" % text, "print(%s)" % shown]


def _updates(task, gradients):
    names = ["kernel", "bias"] * len(task.layers)
    lines = []
    for i, weight in enumerate(task.network().weights()):
        lines.append(_array("weight_%d" % i, weight))
        lines.append("variable_%d = keras.Variable(weight_%d, name=%r)" % (i, i, names[i]))
    count = len(names)
    lines += [_optimizer(task), "variables = [%s]" % ", ".join("variable_%d" % i for i in range(count)), "steps = ["]
    for step in gradients:
        texts = [_array("", g)[3:] for g in step]
        lines += ["    [%s]," % ", ".join(texts)]
    lines += ["]", "for gradients in steps:"]
    lines += ["    optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)"]
    return [*lines, "    print([keras.ops.convert_to_numpy(v) for v in variables])"]


def _keywords(options):
    return ", ".join("%s=%r" % item for item in options.items())
