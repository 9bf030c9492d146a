"""Holds the networks in plain PaddlePaddle.

They are layers, with eager autograd and ``paddle.optimizer.Adam``.
"""

from __future__ import annotations

import numpy as np
import paddle

from . import ADAM, ENCODER_WEIGHTS, NORM_EPSILON, channels_last, laid_out


class Model:
    """The network as ``networks.model`` describes it."""

    def __init__(self, backend, layers, weights, loss, rate, seed):
        paddle.seed(seed)
        self._backend = backend
        self._net = Net(layers, list(weights))
        self._loss = paddle.nn.CrossEntropyLoss() if loss == "crossentropy" else paddle.nn.MSELoss()
        self._exports = self._net.exports()
        trained = [parameter for parameter, _ in self._exports]
        self.parameters = sum(w.size for w in weights)
        self._epsilon = paddle.zeros([1], "float64")  # a tensor, because it changes from step to step
        self._adam = paddle.optimizer.Adam(rate, ADAM["beta_1"], ADAM["beta_2"], self._epsilon, parameters=trained)
        self._steps = 0

    def step(self, x, y):
        self._net.train()
        self._steps += 1
        # PaddlePaddle adds its epsilon after the correction of the bias, Keras before
        self._epsilon.fill_(ADAM["epsilon"] / (1 - ADAM["beta_2"] ** self._steps) ** 0.5)
        loss = self._loss(self._net(self._inputs(x)), self._backend.tensor(y))
        loss.backward()
        self._adam.step()
        self._net.clear_gradients(set_to_zero=False)
        return loss.detach()

    def outputs(self, x):
        self._net.eval()
        with paddle.no_grad():
            return self._net(self._inputs(x)).numpy()

    def weights(self):
        """Returns the weights in Keras's layout."""
        return [parameter.numpy().transpose(order) for parameter, order in self._exports]

    def _inputs(self, x):
        return tuple(self._backend.tensor(part) for part in x) if isinstance(x, tuple) else self._backend.tensor(x)


class Net(paddle.nn.Layer):
    """The layers one after the other.

    ``weights``, NumPy arrays, is consumed from its front.
    """

    def __init__(self, layers, weights):
        super().__init__()
        self._exports = []
        made = []
        self.branches = paddle.nn.LayerList()
        for layer in layers:
            name = layer[0]
            if name == "branches":
                self.branches.extend([Net(branch, weights) for branch in layer[1:]])
            elif name == "conv":
                made.append(self._conv(layer, weights.pop(0), weights.pop(0)))
            elif name == "pool":
                made.append(paddle.nn.MaxPool2D(2))
            elif name == "flatten":
                made.append(Flatten())
            elif name == "dense":
                made.append(self._dense(weights.pop(0), weights.pop(0)))
            elif name == "dropout":
                made.append(paddle.nn.Dropout(layer[1]))
            elif name == "embedding":
                made.append(self._embedding(weights.pop(0)))
            elif name == "lstm":
                made.append(self._lstm(weights.pop(0), weights.pop(0), weights.pop(0)))
            elif name in ("encoder", "mean"):
                made.append(Mean() if name == "mean" else self._encoder(weights))
            if layer[-1] == "relu":
                made.append(paddle.nn.ReLU())
        self.images = layers[0][0] == "conv"
        self.rest = paddle.nn.Sequential(*made)

    def forward(self, x):
        if len(self.branches):
            x = paddle.concat([branch(part) for branch, part in zip(self.branches, x)], -1)
        elif self.images:
            x = x.transpose([0, 3, 1, 2])
        return self.rest(x)

    def exports(self):
        """Returns the trained parameters in Keras's order.

        Each is with the order of axes that makes Keras's layout of it.
        """
        return [pair for branch in self.branches for pair in branch.exports()] + self._exports

    def _fill(self, pairs):
        for parameter, array, order in pairs:
            parameter.set_value(array.transpose([order.index(i) for i in range(len(order))]))
            self._exports.append((parameter, order))

    def _conv(self, layer, kernel, bias):
        made = paddle.nn.Conv2D(kernel.shape[2], layer[1], layer[2])
        self._fill([(made.weight, kernel, (2, 3, 1, 0)), (made.bias, bias, (0,))])
        return made

    def _dense(self, kernel, bias):
        made = paddle.nn.Linear(*kernel.shape)
        self._fill([(made.weight, kernel, (0, 1)), (made.bias, bias, (0,))])
        return made

    def _embedding(self, table):
        made = paddle.nn.Embedding(*table.shape)
        self._fill([(made.weight, table, (0, 1))])
        return made

    def _lstm(self, kernel, recurrent, bias):
        made = LastOutput(kernel.shape[0], recurrent.shape[0])
        inner = made.lstm
        self._fill(
            [
                (inner.weight_ih_l0, kernel, (1, 0)),
                (inner.weight_hh_l0, recurrent, (1, 0)),
                (inner.bias_ih_l0, bias, (0,)),
            ]
        )
        # Keras has one bias; two would learn twice as fast. This one stays zero because it is not in `exports`:
        # PaddlePaddle's kernel has no gradient with a frozen bias
        paddle.nn.initializer.Constant(0.0)(inner.bias_hh_l0)
        return made

    def _encoder(self, weights):
        made = Encoder([weights.pop(0) for _ in range(ENCODER_WEIGHTS)])
        self._exports += [(weight, tuple(range(weight.ndim))) for weight in made.weights]
        return made


class Flatten(paddle.nn.Layer):
    """Flattens images, with the channels last as in Keras."""

    def forward(self, x):
        return x.transpose([0, 2, 3, 1]).flatten(1)


class LastOutput(paddle.nn.Layer):
    """An LSTM's output at the last step."""

    def __init__(self, features, units):
        super().__init__()
        self.lstm = paddle.nn.LSTM(features, units)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


class Mean(paddle.nn.Layer):
    """Computes the mean over the steps."""

    def forward(self, x):
        return x.mean(1)


class Encoder(paddle.nn.Layer):
    """A transformer's block; its weights as ``networks`` lists them."""

    def __init__(self, arrays):
        super().__init__()
        assign = paddle.nn.initializer.Assign
        self.weights = paddle.nn.ParameterList(
            [self.create_parameter(array.shape, default_initializer=assign(array)) for array in arrays]
        )

    def forward(self, x):
        w = self.weights
        query, key, value = (paddle.einsum("btd,dhk->bhtk", x, w[i]) + w[i + 1].unsqueeze(1) for i in (0, 2, 4))
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose([0, 1, 3, 2])
        mixed = paddle.nn.functional.softmax(scores, -1) @ value
        x = self._normalized(x + paddle.einsum("bhqk,hkd->bqd", mixed, w[6]) + w[7], w[8], w[9])
        inner = paddle.nn.functional.relu(x @ w[10] + w[11]) @ w[12] + w[13]
        return self._normalized(x + inner, w[14], w[15])

    def _normalized(self, x, gain, offset):
        return paddle.nn.functional.layer_norm(x, x.shape[-1:], gain, offset, NORM_EPSILON)


def convolution(backend, x, w, geometry):
    """Returns a convolution, as ``conv2d.convolution.prepare`` describes it."""
    x, w = backend.tensor(laid_out(x, geometry)), backend.tensor(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))
    layout = "NHWC" if geometry.layout == "channels_last" else "NCHW"
    (above, below), (left, right) = geometry.pads  # "SAME" would ignore the dilation

    def compute():
        return backend.lib.nn.functional.conv2d(
            x,
            w,
            stride=geometry.strides,
            padding=[above, below, left, right],
            dilation=geometry.dilation,
            groups=geometry.groups,
            data_format=layout,
        )

    return compute, channels_last(backend, layout == "NCHW")
