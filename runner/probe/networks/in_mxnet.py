"""Holds the networks in MXNet Gluon: hybridized blocks, autograd and a trainer.

The trainer is ``gluon.Trainer``.
"""

from __future__ import annotations

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from . import ADAM, channels_last


class Model:
    """The network as ``networks.model`` describes it."""

    def __init__(self, backend, layers, weights, loss, rate, seed):
        mx.random.seed(seed)
        self._backend = backend
        self._net = Net(layers)
        self._net.initialize(ctx=mx.gpu() if backend.device == "cuda" else mx.cpu())
        self._net.fill(list(weights))
        self._net.hybridize()
        self._labels = loss == "crossentropy"
        self._loss = gluon.loss.SoftmaxCrossEntropyLoss() if self._labels else gluon.loss.L2Loss(weight=2.0)
        options = {"learning_rate": rate, "beta1": ADAM["beta_1"], "beta2": ADAM["beta_2"], "epsilon": ADAM["epsilon"]}
        self._trainer = gluon.Trainer(self._net.collect_params(), "adam", options)
        self.parameters = sum(w.size for w in weights)

    def step(self, x, y):
        target = self._backend.tensor(np.asarray(y, "float32"))
        with autograd.record():
            loss = self._loss(self._net(*self._inputs(x)), target)
        loss.backward()
        self._trainer.step(len(y))
        return loss.mean()

    def outputs(self, x):
        return self._net(*self._inputs(x)).asnumpy()

    def weights(self):
        """Returns the weights in Keras's layout."""
        return self._net.exported()

    def _inputs(self, x):
        return [self._backend.tensor(part) for part in (x if isinstance(x, tuple) else (x,))]


class Net(gluon.HybridBlock):
    """The layers one after the other."""

    def __init__(self, layers, **options):
        super().__init__(**options)
        self._slots = []
        with self.name_scope():
            self.branches = []
            if layers[0][0] == "branches":
                self.branches = [Net(branch) for branch in layers[0][1:]]
                for branch in self.branches:
                    self.register_child(branch)
                layers = layers[1:]
            self.rest = gluon.nn.HybridSequential()
            for layer in layers:
                self._add(layer)
        self.images = bool(layers) and layers[0][0] == "conv"

    def hybrid_forward(self, F, *inputs):  # noqa: N803 - Gluon's own name
        x = inputs[0]
        if self.branches:
            x = F.concat(*[branch(part) for branch, part in zip(self.branches, inputs)], dim=-1)
        elif self.images:
            x = F.transpose(x, axes=(0, 3, 1, 2))
        return self.rest(x)

    def _add(self, layer):
        """Appends a layer.

        ``_slots`` notes its block, its parameters and how Keras's axes become Gluon's.
        """
        name = layer[0]
        nn = gluon.nn
        if name == "conv":
            block = nn.Conv2D(layer[1], layer[2], activation=layer[3])
            self._slots.append((block, (("weight", (3, 2, 0, 1)), ("bias", (0,)))))
        elif name == "pool":
            block = nn.MaxPool2D(2)
        elif name == "flatten":
            block = nn.HybridLambda(lambda F, x: F.flatten(F.transpose(x, axes=(0, 2, 3, 1))))  # noqa: N803
        elif name == "dense":
            block = nn.Dense(layer[1], activation=layer[2])
            self._slots.append((block, (("weight", (1, 0)), ("bias", (0,)))))
        elif name == "dropout":
            block = nn.Dropout(layer[1])
        elif name == "embedding":
            block = nn.Embedding(layer[1], layer[2])
            self._slots.append((block, (("weight", (0, 1)),)))
        else:
            block = LastOutput(layer[1])
            names = (("l0_i2h_weight", (1, 0)), ("l0_h2h_weight", (1, 0)), ("l0_i2h_bias", (0,)))
            self._slots.append((block.lstm, names))
        self.rest.add(block)

    def fill(self, weights):
        """Sets the parameters from Keras's arrays, taken off the front of ``weights``."""
        for branch in self.branches:
            branch.fill(weights)
        for block, names in self._slots:
            for name, order in names:
                parameter, array = getattr(block, name), np.transpose(weights.pop(0), order)
                parameter.shape = array.shape
                parameter.initialize(force_reinit=True)
                parameter.set_data(mx.nd.array(array))
            if isinstance(block, gluon.rnn.LSTM):
                second = block.l0_h2h_bias
                second.initialize(mx.init.Zero(), force_reinit=True)
                second.grad_req = "null"  # Keras has one bias; two would learn twice as fast

    def exported(self):
        """Returns the weights in Keras's order and layout."""
        found = [w for branch in self.branches for w in branch.exported()]
        for block, names in self._slots:
            for name, order in names:
                inverse = [order.index(i) for i in range(len(order))]
                found.append(np.transpose(getattr(block, name).data().asnumpy(), inverse))
        return found


class LastOutput(gluon.HybridBlock):
    """An LSTM's output at the last step."""

    def __init__(self, units, **options):
        super().__init__(**options)
        with self.name_scope():
            self.lstm = gluon.rnn.LSTM(units, layout="NTC")

    def hybrid_forward(self, F, x):  # noqa: N803 - Gluon's own name
        return F.squeeze(F.slice_axis(self.lstm(x), axis=1, begin=-1, end=None), axis=1)


def convolution(backend, x, w, geometry):
    """Returns the convolution with channels first, padded beforehand by an odd zero.

    On a CPU MXNet has only channels first, and pads both sides alike.
    """
    nd = backend.lib.nd
    x = np.pad(x, ((0, 0), *geometry.pads, (0, 0)), mode="constant").transpose(0, 3, 1, 2)
    x, w = backend.tensor(np.ascontiguousarray(x)), backend.tensor(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))

    def compute():
        return nd.Convolution(
            x,
            w,
            kernel=geometry.kernel,
            stride=geometry.strides,
            dilate=geometry.dilation,
            num_filter=geometry.filters,
            num_group=geometry.groups,
            no_bias=True,
        )

    return compute, channels_last(backend, first=True)
