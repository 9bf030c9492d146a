"""Defines scenarios of networks that are not a plain chain.

Two heads on one trunk, and a layer used twice.
"""

from __future__ import annotations

import numpy as np

from . import keras_side, network, reference
from .scenarios import BIAS_1, KERNEL_1, WEIGHTS_ALL, X_ALL, Y_ALL, N, Scenario, X, Y, mlp, regression


def several(name, loss_weights, weighted, count=N):
    """Trains two heads on one trunk, on ``count`` samples.

    Each head has its own loss weight and sample weights.
    """
    x, first_target = X_ALL[:count], Y_ALL[:count]
    heads = network.Dense(np.hstack([mlp()[1].parameters[0], KERNEL_1[:5, :2]]), np.zeros(5))
    targets = {"a": first_target, "b": first_target[:, :2] * 0.5}
    parts = {"a": slice(0, 3), "b": slice(3, 5)}
    ones, some = np.ones(count), WEIGHTS_ALL[:count]
    weights = {"a": some, "b": some[::-1]} if weighted else {"a": ones, "b": ones}

    def measure(keras):
        first = mlp()[0]
        inputs = keras.Input((6,))
        trunk = keras.layers.Dense(5, activation="tanh")
        made = {key: keras.layers.Dense(part.stop - part.start, name=key) for key, part in parts.items()}
        hidden = trunk(inputs)
        model = keras.Model(inputs, {key: layer(hidden) for key, layer in made.items()})
        trunk.set_weights([w.astype("float32") for w in first.parameters])
        for key, part in parts.items():
            made[key].set_weights([w[..., part].astype("float32") for w in heads.parameters])
        model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights=loss_weights, metrics={"a": ["mae"], "b": ["mse"]})
        model.optimizer.learning_rate = 0.1
        history = model.fit(
            x.astype("float32"),
            {key: y.astype("float32") for key, y in targets.items()},
            sample_weight={key: w.astype("float32") for key, w in weights.items()} if weighted else None,
            batch_size=8,
            epochs=2,
            shuffle=False,
            verbose=0,
        ).history
        layers = [trunk, made["a"], made["b"]]
        found = {key: [float(v) for v in values] for key, values in history.items()}
        return dict(found, weights=[np.asarray(w, "float64") for layer in layers for w in layer.get_weights()])

    def truth(rounding):
        net = network.Network([mlp()[0], network.Dense(*heads.parameters)])
        scale = loss_weights or {"a": 1.0, "b": 1.0}
        history = {}
        for _ in range(2):
            means = {}
            for index in reference.batches(count, 8, None):
                n = len(x[index])
                out = net.forward(x[index], True, rounding)
                slope = np.zeros_like(out)
                total = 0.0
                for key, part in parts.items():
                    error = rounding(out[:, part] - targets[key][index])
                    square = key == "a"
                    values = rounding((error**2 if square else np.abs(error)).mean(-1))
                    slopes = (2.0 * error if square else np.sign(error)) / error.shape[-1]
                    share = weights[key][index] / n
                    loss = rounding((values * share).sum())
                    total = total + scale[key] * loss
                    slope[:, part] = scale[key] * slopes * share[:, None]
                    other = (np.abs(error) if square else error**2).mean(-1)
                    means.setdefault("%s_loss" % key, reference.Mean()).add(loss, n)
                    means.setdefault("%s_%s" % (key, "mae" if square else "mse"), reference.Mean()).add(other.mean(), n)
                means.setdefault("loss", reference.Mean()).add(total, n)
                net.backward(slope, rounding)
                for layer in net.layers:
                    layer.parameters = [rounding(p - 0.1 * g) for p, g in zip(layer.parameters, layer.gradients)]
            for key, mean in means.items():
                history.setdefault(key, []).append(mean.value)
        trunk, both = net.layers
        history["weights"] = trunk.parameters + [w[..., part] for part in parts.values() for w in both.parameters]
        return history

    made = Scenario(name, measure, truth)
    made.optional = ("a_loss", "b_loss")  # left out on purpose before keras-team/keras#20023
    return made


def shared_layer():
    """Trains a layer that is used twice, and learns from both uses."""
    kernel, bias = np.vstack([KERNEL_1.T, KERNEL_1.T[:1] * 0.5]), np.append(BIAS_1, 0.1)

    def measure(keras):
        layer = keras.layers.Dense(6, activation="tanh")
        inputs = keras.Input((6,))
        model = keras.Model(inputs, layer(layer(inputs)))
        model.set_weights([kernel.astype("float32"), bias.astype("float32")])
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        return keras_side.fitted(model, X, np.tile(Y, 2), epochs=2)

    def truth(rounding):
        pair = [network.Dense(kernel, bias, "tanh"), network.Dense(kernel, bias, "tanh")]
        net, task, losses = network.Network(pair), regression(), []
        for _ in range(2):
            mean = reference.Mean()
            for index in reference.batches(N, 8, None):
                out = net.forward(X[index], True, rounding)
                loss, slope = reference.batch_loss(task, out, np.tile(Y, 2)[index], None, None, rounding)
                net.backward(slope, rounding)
                both = [rounding(a + b) for a, b in zip(pair[0].gradients, pair[1].gradients)]
                pair[0].parameters = [rounding(p - 0.1 * g) for p, g in zip(pair[0].parameters, both)]
                pair[1].parameters = pair[0].parameters
                mean.add(loss, len(out))
            losses.append(mean.value)
        return {"loss": losses, "weights": pair[0].parameters}

    return Scenario("fit.shared_layer", measure, truth)


def as_lists():
    """Trains two outputs described by lists.

    The metrics of each are its own, under its own name.
    """
    heads = [network.Dense(*mlp()[1].parameters), network.Dense(KERNEL_1[:5, :2], np.zeros(2))]
    targets = [Y, Y[:, :2] * 0.5]

    def built(keras):
        inputs = keras.Input((6,))
        trunk = keras.layers.Dense(5, activation="tanh")
        made = [keras.layers.Dense(count, name=name) for count, name in ((3, "first"), (2, "second"))]
        hidden = trunk(inputs)
        model = keras.Model(inputs, [layer(hidden) for layer in made])
        for layer, described in zip([trunk, *made], [mlp()[0], *heads]):
            layer.set_weights([w.astype("float32") for w in described.parameters])
        return model

    def evaluated(keras, **options):
        model = built(keras)
        model.compile(optimizer="sgd", **options)
        found = model.evaluate(
            X.astype("float32"), [y.astype("float32") for y in targets], batch_size=8, verbose=0, return_dict=True
        )
        return {name: float(value) for name, value in found.items()}

    def errors(rounding):
        trunk = network.Network([mlp()[0]]).forward(X, False, rounding)
        return [rounding(head.forward(trunk, False, rounding) - y) for head, y in zip(heads, targets)]

    def both(rounding):
        first, second = errors(rounding)
        losses = rounding((first**2).mean()), rounding(np.abs(second).mean())
        return {"loss": sum(losses), "first_mae": np.abs(first).mean(), "second_mse": (second**2).mean()}

    def one(rounding):
        first, second = errors(rounding)
        return {"loss": rounding((first**2).mean()), "second_mae": rounding(np.abs(second).mean())}

    return [
        Scenario(
            "outputs.lists",
            lambda keras: evaluated(keras, loss=["mse", "mae"], metrics=[["mae"], ["mse"]]),
            both,
        ),
        Scenario(
            "outputs.one_without_loss",
            lambda keras: evaluated(keras, loss=["mse", None], metrics=[None, ["mae"]]),
            one,
        ),
    ]
