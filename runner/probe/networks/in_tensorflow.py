"""Holds the networks in plain TensorFlow.

They are variables, with ``tf.GradientTape``, ``tf.function`` and the Adam kernel.
"""

from __future__ import annotations

import tensorflow as tf

from . import ADAM, ENCODER_WEIGHTS, NORM_EPSILON, channels_last, laid_out


class Model:
    """The network as ``networks.model`` describes it."""

    def __init__(self, backend, layers, weights, loss, rate, seed):
        tf.random.set_seed(seed)
        self._weights = [tf.Variable(w) for w in weights]
        self._first = [tf.Variable(tf.zeros_like(w)) for w in weights]
        self._second = [tf.Variable(tf.zeros_like(w)) for w in weights]
        self._powers = [tf.Variable(1.0), tf.Variable(1.0)]
        self._layers, self._loss, self._rate = layers, loss, rate
        self.parameters = sum(w.size for w in weights)
        self._step = tf.function(self._update, reduce_retracing=True)
        self._forward = tf.function(lambda x: forward(layers, iter(self._weights), x, False), reduce_retracing=True)

    def step(self, x, y):
        return self._step(_tensors(x), tf.constant(y))

    def outputs(self, x):
        return self._forward(_tensors(x)).numpy()

    def weights(self):
        """Returns the weights in Keras's layout."""
        return [w.numpy() for w in self._weights]

    def _update(self, x, y):
        with tf.GradientTape() as tape:
            loss = losses(self._loss, forward(self._layers, iter(self._weights), x, True), y)
        gradients = tape.gradient(loss, self._weights)
        for power, beta in zip(self._powers, (ADAM["beta_1"], ADAM["beta_2"])):
            power.assign(power * beta)
        for w, m, v, g in zip(self._weights, self._first, self._second, gradients):
            tf.raw_ops.ResourceApplyAdam(
                var=w.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=self._powers[0],
                beta2_power=self._powers[1],
                lr=self._rate,
                beta1=ADAM["beta_1"],
                beta2=ADAM["beta_2"],
                epsilon=ADAM["epsilon"],
                grad=tf.convert_to_tensor(g),  # an embedding's comes as rows
            )
        return loss


def _tensors(x):
    return tuple(tf.constant(part) for part in x) if isinstance(x, tuple) else tf.constant(x)


def losses(name, out, y):
    if name == "mse":
        return tf.reduce_mean(tf.square(out - y))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=out))


def forward(layers, weights, x, training):
    """Returns the output of the network; ``weights`` is an iterator."""
    for layer in layers:
        name = layer[0]
        if name == "branches":
            x = tf.concat([forward(branch, weights, part, training) for branch, part in zip(layer[1:], x)], -1)
        elif name == "conv":
            x = tf.nn.bias_add(tf.nn.conv2d(x, next(weights), 1, "VALID"), next(weights))
        elif name == "pool":
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        elif name == "flatten":
            x = tf.reshape(x, (tf.shape(x)[0], x.shape[1] * x.shape[2] * x.shape[3]))
        elif name == "dense":
            x = tf.nn.bias_add(tf.matmul(x, next(weights)), next(weights))
        elif name == "dropout" and training:
            x = tf.nn.dropout(x, layer[1])
        elif name == "embedding":
            x = tf.gather(next(weights), x)
        elif name in OVER_STEPS:
            x = OVER_STEPS[name](x, weights)
        if layer[-1] == "relu":
            x = tf.nn.relu(x)
    return x


def encoder(x, w):
    """Returns the output of one block; ``w`` as ``networks`` lists them."""
    query, key, value = (tf.einsum("btd,dhk->bthk", x, w[i]) + w[i + 1] for i in (0, 2, 4))
    scores = tf.einsum("bqhk,bshk->bhqs", query * query.shape[-1] ** -0.5, key)
    mixed = tf.einsum("bhqs,bshk->bqhk", tf.nn.softmax(scores), value)
    x = normalized(x + tf.einsum("bqhk,hkd->bqd", mixed, w[6]) + w[7], w[8], w[9])
    inner = tf.tensordot(tf.nn.relu(tf.tensordot(x, w[10], 1) + w[11]), w[12], 1) + w[13]
    return normalized(x + inner, w[14], w[15])


def normalized(x, gain, offset):
    """Normalizes over the last axis (Ba et al., arXiv:1607.06450)."""
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, offset, gain, NORM_EPSILON)


def lstm(x, kernel, recurrent, bias):
    """Returns the output at the last step, unrolled.

    The gates are in Keras's order i, f, c, o.
    """
    h = c = tf.zeros((tf.shape(x)[0], recurrent.shape[0]), x.dtype)
    inputs = tf.tensordot(x, kernel, 1) + bias
    for t in range(x.shape[1]):
        i, f, g, o = tf.split(inputs[:, t] + tf.matmul(h, recurrent), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
    return h


OVER_STEPS = {
    "lstm": lambda x, weights: lstm(x, next(weights), next(weights), next(weights)),
    "encoder": lambda x, weights: encoder(x, [next(weights) for _ in range(ENCODER_WEIGHTS)]),
    "mean": lambda x, _: tf.reduce_mean(x, 1),
}
"""What takes steps in time, (batch, steps, features)."""


def convolution(backend, x, w, geometry):
    """Returns a convolution, as ``conv2d.convolution.prepare`` describes it."""
    tf = backend.lib
    x, w = backend.tensor(laid_out(x, geometry)), backend.tensor(w)
    layout = "NHWC" if geometry.layout == "channels_last" else "NCHW"

    def compute():
        return tf.nn.conv2d(
            x,
            w,
            strides=geometry.strides,
            padding=geometry.padding.upper(),
            data_format=layout,
            dilations=geometry.dilation,
        )

    return compute, channels_last(backend, layout == "NCHW")
