"""Computes a small network and its backward pass in float64 NumPy.

It is the truth that training is compared with. Every quantity that float32 training would round goes through a
``rounding`` function. With ``exact`` the result is the truth; with ``Perturbation`` each is moved by up to one rounding
error. So the spread over a few such runs shows how far a correct float32 training may be off (Monte Carlo arithmetic:
Parker, "Monte Carlo Arithmetic", UCLA CSD-970002, 1997).
"""

from __future__ import annotations

import numpy as np


def exact(value):
    """Return the value without more rounding than that of float64.

    The truth may differ between processors by it: some 2**-53 of a value.
    """
    return value


class Perturbation:
    """Moves every value by a random relative amount.

    The amount is within ``unit`` (2^-24 for float32).
    """

    def __init__(self, seed, unit):
        self._random = np.random.RandomState(seed)
        self._unit = unit

    def __call__(self, value):
        value = np.asarray(value, "float64")
        return value * (1.0 + self._unit * self._random.uniform(-1.0, 1.0, value.shape))


class Dense:
    """``activation(x @ kernel + bias)`` over the last axis.

    Activation is ``tanh`` or None. ``l1`` and ``l2`` penalize the kernel; ``activity_l2`` the output, over the batch
    size as Keras documents.
    """

    def __init__(self, kernel, bias, activation=None, l1=0.0, l2=0.0, activity_l2=0.0):
        self.parameters = [np.array(kernel, "float64"), np.array(bias, "float64")]
        self.state = []
        self.trainable = True
        self.activation, self.l1, self.l2, self.activity_l2 = activation, l1, l2, activity_l2

    def forward(self, x, training, rounding):
        """The output, (..., units) of x (..., features)."""
        kernel, bias = self.parameters
        z = rounding(rounding(x[..., :, None] * kernel).sum(-2) + bias)
        self.x = x
        self.y = rounding(np.tanh(z)) if self.activation == "tanh" else z
        return self.y

    def backward(self, dy, rounding):
        """The gradient by x, of that by y; leaves ``self.gradients`` (kernel, bias)."""
        kernel, _ = self.parameters
        dy = rounding(dy + 2.0 * self.activity_l2 * self.y / len(self.y))
        dz = rounding(dy * (1.0 - self.y**2)) if self.activation == "tanh" else dy
        flat_x, flat_dz = self.x.reshape(-1, self.x.shape[-1]), dz.reshape(-1, dz.shape[-1])
        dkernel = rounding(flat_x[:, :, None] * flat_dz[:, None, :]).sum(0)
        dkernel = dkernel + self.l1 * np.sign(kernel) + 2.0 * self.l2 * kernel
        self.gradients = [rounding(dkernel), rounding(rounding(flat_dz).sum(0))]
        return rounding(dz[..., None, :] * kernel).sum(-1)

    def penalty(self):
        """What the regularizers add to the loss of the last forward pass."""
        kernel = self.parameters[0]
        penalty = self.l1 * np.abs(kernel).sum() + self.l2 * np.square(kernel).sum()
        return penalty + (self.activity_l2 * np.square(self.y).sum() / len(self.y) if self.activity_l2 else 0.0)


class BatchNormalization:
    """Batch normalization.

    Ioffe and Szegedy, arXiv:1502.03167; moving statistics by ``momentum``, with the biased variance. ``trainable =
    False`` also makes it use its moving statistics in training, as Keras documents.
    """

    def __init__(self, gamma, beta, mean, variance, momentum, epsilon):
        self.parameters = [np.array(gamma, "float64"), np.array(beta, "float64")]
        self.state = [np.array(mean, "float64"), np.array(variance, "float64")]
        self.trainable = True
        self.momentum, self.epsilon = momentum, epsilon

    def forward(self, x, training, rounding):
        gamma, beta = self.parameters
        self.batch = training and self.trainable
        mean, variance = self.state
        if self.batch:
            mean = rounding(rounding(x).mean(0))
            variance = rounding(rounding((x - mean) ** 2).mean(0))
            keep = self.momentum
            self.state = [rounding(keep * s + (1 - keep) * b) for s, b in zip(self.state, (mean, variance))]
        self.inverse = rounding(1.0 / np.sqrt(variance + self.epsilon))
        self.normal = rounding((x - mean) * self.inverse)
        return rounding(gamma * self.normal + beta)

    def backward(self, dy, rounding):
        gamma, _ = self.parameters
        self.gradients = [rounding(rounding(dy * self.normal).sum(0)), rounding(rounding(dy).sum(0))]
        dnormal = rounding(dy * gamma)
        if not self.batch:
            return rounding(dnormal * self.inverse)
        centred = dnormal - rounding(dnormal).mean(0) - self.normal * rounding(dnormal * self.normal).mean(0)
        return rounding(self.inverse * rounding(centred))

    def penalty(self):
        return 0.0


class Embedding:
    """Rows of a table, (batch,) integers to (batch, width)."""

    def __init__(self, table):
        self.parameters = [np.array(table, "float64")]
        self.state = []
        self.trainable = True

    def forward(self, x, training, rounding):
        self.x = np.asarray(x, "int64")
        return self.parameters[0][self.x]

    def backward(self, dy, rounding):
        gradient = np.zeros_like(self.parameters[0])
        np.add.at(gradient, self.x, rounding(dy))
        self.gradients = [gradient]

    def penalty(self):
        return 0.0


class Mean:
    """The mean over axis 1."""

    def __init__(self):
        self.parameters, self.state, self.gradients = [], [], []
        self.trainable = True

    def forward(self, x, training, rounding):
        self.shape = x.shape
        return rounding(rounding(x).mean(1))

    def backward(self, dy, rounding):
        return np.broadcast_to(rounding(dy / self.shape[1])[:, None], self.shape)

    def penalty(self):
        return 0.0


class Network:
    """Layers one after the other."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, training, rounding):
        for layer in self.layers:
            x = layer.forward(x, training, rounding)
        return x

    def backward(self, dy, rounding):
        for layer in reversed(self.layers):
            dy = layer.backward(dy, rounding)

    def penalty(self):
        return sum(layer.penalty() for layer in self.layers)

    def trained(self):
        """``[(layer, index)]`` of the trainable parameters, in Keras's order."""
        return [(layer, i) for layer in self.layers if layer.trainable for i in range(len(layer.parameters))]

    def weights(self):
        """All weights in the order of Keras's ``model.get_weights()``."""
        return [array for layer in self.layers for array in layer.parameters + layer.state]


def squared_error(y, out, rounding):
    """Returns ``(values, derivatives)`` of the squared error.

    A value is the mean over the last axis of the squared errors, a derivative that of the value by ``out``.
    """
    error = rounding(out - y)
    return rounding((error**2).mean(-1)), 2.0 * error / out.shape[-1]


def crossentropy(y, out, rounding):
    """Returns ``(values, derivatives)`` of softmax cross-entropy.

    ``y`` integers (...,), ``out`` logits (..., classes).
    """
    shifted = rounding(out - out.max(-1, keepdims=True))
    powers = rounding(np.exp(shifted))
    total = rounding(powers.sum(-1, keepdims=True))
    hot = np.eye(out.shape[-1])[np.asarray(y, "int64")]
    values = rounding(np.log(total[..., 0])) - (shifted * hot).sum(-1)
    return rounding(values), rounding(powers / total) - hot


def absolute_error(y, out):
    """Mean over the last axis, the metric ``mae``."""
    return np.abs(out - y).mean(-1)


def accuracy(y, out):
    """1 where the largest logit is the label's."""
    return (out.argmax(-1) == y).astype("float64")


LOSSES = {"mse": squared_error, "crossentropy": crossentropy}
METRICS = {"mae": absolute_error, "mse": lambda y, out: np.square(out - y).mean(-1), "accuracy": accuracy}
