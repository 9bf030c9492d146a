"""Replays steps that each start from the reference's weights.

So rounding errors do not accumulate from step to step.
"""

from __future__ import annotations

import copy

import numpy as np

from . import measure
from .reference import Adam, Jolt

JOLTED = 3
"""Passes with random rounding, from which the noise of a step is estimated."""


class Step:
    """One step of the reference, with its exact results.

    ``weights``, ``x`` and ``y`` are what every cell gets. ``loss``, ``gradients`` and ``after`` (the weights, of Adam)
    are each ``(truth, noise)``.
    """


def steps(network, weights, data, order, batch, count):
    """Returns ``count`` steps of the reference's own trajectory.

    The weights are rounded to float32 before each step. ``order``: indices of the samples, which are taken in turn; one
    that lies at a kink of the network is left out.
    """
    x, y = data
    adam = Adam()
    jolted = [(Jolt([seed, 20713]), Adam()) for seed in range(JOLTED)]
    left = list(order)
    for _ in range(count):
        step = Step()
        step.weights = [np.asarray(w, "float32") for w in weights]
        step.index, step.left_out = _smooth_batch(network, step.weights, data, left, batch)
        step.x, step.y = x[step.index], y[step.index]
        step.trace = network.run(step.weights, step.x, step.y)
        after = adam.step(step.weights, step.trace.gradients)
        step.adam = copy.deepcopy(adam)
        noisy = [network.run(step.weights, step.x, step.y, jolt) for jolt, _ in jolted]
        moved = [own.step(step.weights, n.gradients, jolt) for n, (jolt, own) in zip(noisy, jolted)]
        step.loss = step.trace.loss, measure.noise([step.trace.loss], [[n.loss] for n in noisy])
        step.gradients = [
            (truth, measure.noise([truth], [[n.gradients[i]] for n in noisy]))
            for i, truth in enumerate(step.trace.gradients)
        ]
        step.after = after, measure.noise(after, moved)
        weights = after
        yield step


def _smooth_batch(network, weights, data, left, batch):
    """Takes the samples of one batch off the front of ``left``.

    Returns ``(indices, how many were left out)``.
    """
    taken = left[: batch + batch // 2]
    network.run(weights, data[0][taken], data[1][taken])
    good = network.smooth()
    kept = [index for index, fine in zip(taken, good) if fine][:batch]
    used = taken.index(kept[-1]) + 1 if kept else len(taken)
    del left[:used]
    return np.array(kept, "int64"), used - len(kept)


def layers(side, network, step):
    """Measures every layer alone on the reference's inputs, in the order of a step.

    Returns ``{"conv1/output": elementwise, ...}``.

    Forward first, then gradients from the last layer back. ``conv1/input`` is the gradient by its input; the last
    layer's gradients are those of the loss. A layer's figures are None where it raises, with the reason in its stead.
    """
    forward, backward = {}, []
    for index, (layer, weights) in enumerate(zip(network.layers, network.split(step.weights))):
        x = step.trace.inputs[index].astype("float32")
        last = index == len(network.layers) - 1
        slope = step.y if last else step.trace.slopes[index].astype("float32")
        y, dx, gradients = side.layer(index, weights, x, slope)
        truth_y = layer.forward(x.astype("float64"), [w.astype("float64") for w in weights])
        truth_dx, truths = layer.backward(slope if last else slope.astype("float64"))
        forward[layer.name + "/output"] = _one(layer, "output", y, truth_y)
        own = {}
        for quantity, value, truth in zip(layer.quantities, gradients, truths):
            own["%s/d-%s" % (layer.name, quantity)] = _one(layer, quantity, value, truth)
        if index:
            own[layer.name + "/d-input"] = _one(layer, "input", dx, truth_dx)
        backward.insert(0, own)
    for own in backward:
        forward.update(own)
    return forward


def _one(layer, quantity, value, truth):
    return measure.elementwise(value, truth, layer.scale_of(quantity), layer.terms[quantity])


def whole(loss, gradients, step, network):
    """Measures a whole step's loss and gradients, as training computes them.

    Returns ``{"loss": together, "conv1/kernel": ...}``.
    """
    found = {"loss": measure.together([loss], [step.loss[0]], step.loss[1])}
    for name, value, (truth, noise) in zip(network.names, gradients, step.gradients):
        found[name] = measure.together([value], [truth], noise)
    return found


def update(side, network, step):
    """Measures Adam alone on the reference's gradients.

    Returns ``{"conv1/kernel": elementwise}``.
    """
    gradients = [g.astype("float32") for g in step.trace.gradients]
    moved = side.update(step.weights, gradients)
    # the few roundings of the gradients are within the scale
    return {
        name: measure.elementwise(value, truth, scale, 8)
        for name, value, truth, scale in zip(network.names, moved, step.after[0], step.adam.scales)
    }


def rung(values, step):
    """Compares the weights after a step with the reference's, all as one vector."""
    return measure.together(values, step.after[0], step.after[1])
