"""A cell for the ladder in float32 NumPy, which can be broken on purpose as ``probe.diagnose.faults`` breaks Keras."""

from __future__ import annotations

import numpy as np

from runner.probe import networks
from runner.probe.diagnose import SHAPE, reference
from runner.probe.kit import draws


class NumpySide:
    """See ``probe.diagnose.keras_side.Side``. ``order`` of summation makes two right cells that differ in bits."""

    def __init__(self, described, fault="", single=True, turn=False):
        self.described, self.shape, self.fault, self.single, self.turn = described, SHAPE, fault, single, turn
        self.network = reference.Network(described)
        self.shapes, _ = networks.shapes(described, SHAPE)
        self.restart()

    def restart(self):
        self.still, self.applied = self._adam(), self._adam()

    def _adam(self):
        made = reference.Adam()
        if self.fault == "adam-epsilon":
            made.epsilon = 1e-3
        return made

    def _round(self, values):
        return [np.asarray(v, "float32" if self.single else "float64") for v in values]

    # --- trainings ---

    def initial(self, seed):
        weights = draws.initial_weights(self.shapes, seed + 1000)
        if self.fault == "biased-init":
            weights = [w + np.float32(0.5) if w.ndim == 1 else w for w in weights]
        return weights

    def train(self, seed, weights, orders, data, epochs, batch):
        weights = self.initial(seed) if weights is None else weights
        (x, y), (tx, ty) = data
        random = np.random.RandomState(seed + 7 * self.turn)
        if orders is None:
            orders = [random.permutation(len(y)) for _ in range(epochs)]
            if self.fault == "sorted-batches":
                orders = [np.argsort(y, kind="stable")] * epochs
        adam, losses = self._adam(), []
        adam.rate = 3e-3
        for order in orders:
            losses.append([])
            for start in range(0, len(order), batch):
                index = order[start : start + batch]
                trace = self._pass(weights, x[index], y[index], random)
                losses[-1].append(trace.loss)
                weights = adam.step(weights, trace.gradients)
        trace = self.network.run(weights, tx, ty)
        right = float((trace.outputs[-1].argmax(-1) == ty).mean())
        return [float(np.mean(one)) for one in losses], trace.loss, right

    def dropped(self, size):
        kept = np.random.RandomState(0).rand(size) < 0.8
        return (kept * (1.0 if self.fault == "unscaled-dropout" else 1.25)).astype("float32")

    def _pass(self, weights, x, y, random):
        """Dropout, on the pixels, scaled or not."""
        kept = random.rand(*x.shape) < 0.8
        return self.network.run(weights, x * kept * (1.0 if self.fault == "unscaled-dropout" else 1.25), y)

    # --- steps ---

    def gradients(self, weights, x, y):
        h, slopes, layers = x, [], self.network.layers
        for index, own in enumerate(self.network.split(weights)):
            h, _, _ = self.layer(index, own, h, None)
            slopes.append(h)
        loss = float(np.float32(reference.cross_entropy(h.astype("float64"), y)))
        slope, gradients, h = y, [], [x, *slopes]
        for index in range(len(layers) - 1, -1, -1):
            _, slope, own = self.layer(index, self.network.split(weights)[index], h[index], slope)
            gradients = own + gradients
        return loss, gradients

    def step(self, weights, x, y):
        loss, gradients = self.gradients(weights, x, y)
        return loss, self._round(self.still.step(weights, gradients))

    def update(self, weights, gradients):
        return self._round(self.applied.step(weights, gradients))

    def free(self, weights, batches):
        losses = []
        for x, y in batches:
            loss, weights = self.step(weights, x, y)
            losses.append(loss)
        return losses, weights

    def double(self):
        return NumpySide(self.described, self.fault, single=False, turn=self.turn)

    # --- one layer ---

    def layer(self, index, weights, x, slope):
        dtype = "float32" if self.single else "float64"
        layer = reference.Network(self.described).layers[index]
        if self.fault == "half-layer" and layer.name == "dense1" and self.single:
            x, weights = x.astype("float16").astype(dtype), [w.astype("float16").astype(dtype) for w in weights]
        if self.fault == "transposed-kernel" and layer.name == "conv1":
            weights = [weights[0].transpose(1, 0, 2, 3), weights[1]]
        turned = slice(None, None, -1 if self.turn else 1)
        if self.turn and layer.name == "dense1":  # the same sums the other way round
            weights, x = [weights[0][turned], weights[1]], x[:, turned]
        y = layer.forward(x.astype(dtype), [w.astype(dtype) for w in weights])
        if slope is None:
            return y.astype(dtype), None, []
        dx, gradients = layer.backward(slope if slope.dtype.kind == "i" else slope.astype(dtype))
        if self.turn and layer.name == "dense1":
            dx, gradients[0] = dx[:, turned], gradients[0][turned]
        if self.fault == "transposed-kernel" and layer.name == "conv1":
            gradients[0] = gradients[0].transpose(1, 0, 2, 3)
        if self.fault == "wrong-gradient" and layer.name == "dense1":
            gradients[1] = gradients[1] * 0
        return y.astype(dtype), dx.astype(dtype), [g.astype(dtype) for g in gradients]


def digits(n=240):
    """Ten blurred shapes with noise: (train, test), each (images, labels)."""
    random = np.random.RandomState(5)
    shapes = random.rand(10, 28, 28, 1) * (random.rand(10, 28, 28, 1) < 0.3)
    labels = random.randint(0, 10, 2 * n).astype("int32")
    images = (0.6 * shapes[labels] + 0.4 * random.rand(2 * n, 28, 28, 1)).astype("float32")
    return (images[:n], labels[:n]), (images[n:], labels[n:])
