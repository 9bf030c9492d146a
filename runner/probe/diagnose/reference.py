"""Computes a classifier and its backward pass in float64 NumPy.

It also computes how far float32 may be off from it.

Every inner product comes with its scale ``sum |x_k w_k|``: a float32 result errs by a small multiple of u times the
scale (u = 2**-24; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1), whatever order it
sums in. For whole steps the scales are turned into noise by moving every inner product at random within two such units
(Monte Carlo arithmetic: Parker, UCLA CSD-970002, 1997) and looking at what comes out.

The reference itself is promised to the same bound with 2**-53 in place of u, not to the bit: the bits of a matrix
product depend on the processor and the BLAS. So the references of two cells may round a weight to float32 differently;
a diagnosis reports that.
"""

from __future__ import annotations

import math

import numpy as np

from ..kit.numerics import UNIT_ROUNDOFF

U = UNIT_ROUNDOFF["float32"]
"""Unit roundoff of float32."""

KINK = 32
"""A unit this many times u * scale near the kink of a ReLU or a tie of a pooling window may fall on either side of it
in float32: there the gradient jumps, and no bound on rounding holds."""

CLIP = 1e-6
"""Keras clips probabilities at 1e-7 before the logarithm; samples as near as this are left out as kinks too."""


class Jolt:
    """Moves values at random within two units of their scale."""

    def __init__(self, seed):
        self._random = np.random.RandomState(seed)

    def __call__(self, value, scale):
        return value + 2 * U * scale * self._random.uniform(-1.0, 1.0, np.shape(value))


class Product:
    """``activation(x @ kernel + bias)`` over windows or over whole rows.

    Windows are ``size`` x ``size``, valid; a ``size`` of 0 means whole rows. Activation: ``relu`` or ``softmax``. The
    first exact pass leaves the scales that jolted ones use.
    """

    quantities = ("kernel", "bias")

    def __init__(self, name, size, activation):
        self.name, self.size, self.activation = name, size, activation
        self.scale, self.terms = {}, {}

    def forward(self, x, weights, jolt=None):
        """Returns the output of x (n, ...).

        ``weights``: (kernel, bias) in Keras's layout.
        """
        kernel, bias = weights
        self.shape, self.kernel = x.shape, kernel.reshape(-1, kernel.shape[-1])
        self.rows = self._unfold(x)
        z = self.rows @ self.kernel + bias
        if jolt is None:
            self.scale["z"] = np.abs(self.rows) @ np.abs(self.kernel) + np.abs(bias)
            self.terms["output"] = len(self.kernel) + 1
        else:
            z = jolt(z, self.scale["z"])
        self.z = z
        y = np.maximum(z, 0) if self.activation == "relu" else softmax(z)
        if jolt is None:
            self.scale["output"] = self._outwards(
                self._softened(y) if self.activation == "softmax" else self.scale["z"]
            )
        return self._outwards(y)

    def backward(self, dy, jolt=None):
        """Returns ``(gradient by x, [by kernel, by bias])``.

        ``dy`` is the gradient by the output; after a softmax, it is the labels (n,).
        """
        if self.activation == "softmax":
            p = softmax(self.z)
            dz = (p - np.eye(p.shape[-1])[dy]) / len(p)
            if jolt is None:
                self.scale["dz"] = (self._softened(p) + np.eye(p.shape[-1])[dy]) / len(p)
            else:
                dz = jolt(dz, self.scale["dz"])
        else:
            dz = dy.reshape(self.z.shape) * (self.z > 0)
        kernel = self.rows.T @ dz
        bias = dz.sum(0)
        dx = self._fold(dz @ self.kernel.T)
        if jolt is None:
            size = np.abs(dz) + self.scale.get("dz", 0.0)
            self.scale["kernel"] = np.abs(self.rows).T @ size
            self.scale["bias"] = size.sum(0)
            self.scale["input"] = self._fold(size @ np.abs(self.kernel).T)
            self.terms.update(kernel=len(dz), bias=len(dz), input=self.kernel.shape[1] * max(1, self.size**2))
        else:
            kernel, bias = jolt(kernel, self.scale["kernel"]), jolt(bias, self.scale["bias"])
            dx = jolt(dx, self.scale["input"])
        return dx, [self._as_kernel(kernel), bias]

    def scale_of(self, quantity):
        """Returns the scale of ``output``, ``kernel``, ``bias`` or ``input``.

        ``input`` means a gradient by the input. The scale has the shape of the named array.
        """
        found = self.scale[quantity]
        return self._as_kernel(found) if quantity == "kernel" else found

    def smooth(self):
        """Returns a mask: the samples without a unit near a kink."""
        if self.activation != "relu":
            return np.ones(self.shape[0], bool)
        near = (np.abs(self.z) < KINK * U * self.scale["z"]).reshape(self.shape[0], -1)
        return ~near.any(1)

    def _softened(self, p):
        """Returns the scale of a softmax's output, from that of its input."""
        z = self.scale["z"]
        return p * (z + (p * z).sum(-1, keepdims=True) + 4)

    def _unfold(self, x):
        if not self.size:
            return x
        windows = np.lib.stride_tricks.sliding_window_view(x, (self.size, self.size), axis=(1, 2))
        return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, self.size**2 * x.shape[-1])

    def _fold(self, rows):
        if not self.size:
            return rows
        n, height, width, channels = self.shape
        height, width = height - self.size + 1, width - self.size + 1
        rows = rows.reshape(n, height, width, self.size, self.size, channels)
        x = np.zeros(self.shape)
        for i in range(self.size):
            for j in range(self.size):
                x[:, i : i + height, j : j + width] += rows[:, :, :, i, j]
        return x

    def _outwards(self, rows):
        if not self.size:
            return rows
        n, height, width, _ = self.shape
        return rows.reshape(n, height - self.size + 1, width - self.size + 1, -1)

    def _as_kernel(self, rows):
        return rows.reshape(self.size, self.size, -1, rows.shape[-1]) if self.size else rows


class Pool:
    """Max pooling over windows of 2 x 2.

    What does not fill a window is left out. It is exact in any precision, except for ties.
    """

    quantities = ()

    def __init__(self, name):
        self.name = name
        self.scale, self.terms = {}, {"output": 1, "input": 1}

    def forward(self, x, weights, jolt=None):
        self.shape = x.shape
        windows = self._windows(x)
        y = windows.max(3)
        self.first = np.arange(4)[:, None] == windows.argmax(3)[:, :, :, None]
        if jolt is None:
            self.windows = windows
            self.tied = (windows == y[:, :, :, None]) & ((windows == y[:, :, :, None]).sum(3, keepdims=True) > 1)
            self.scale["output"] = np.abs(y)
        return y

    def backward(self, dy, jolt=None):
        if jolt is None:
            # which of several equal inputs gets the gradient is nobody's promise: there the unit takes in all of it
            size = np.abs(dy)[:, :, :, None]
            self.scale["input"] = self._back(np.where(self.tied, size / U, size))
        return self._back(self.first * dy[:, :, :, None]), []

    def scale_of(self, quantity):
        return self.scale[quantity]

    def smooth(self, scale):
        """Returns which samples do not have a tie that rounding would break.

        ``scale``: that of the input.
        """
        top = self.windows.max(3, keepdims=True)
        gap = top - self.windows
        near = (gap > 0) & (gap < KINK * U * 2 * self._windows(scale).max(3, keepdims=True))
        return ~near.reshape(len(near), -1).any(1)

    def _windows(self, x):
        n, height, width, channels = x.shape
        cut = x[:, : height // 2 * 2, : width // 2 * 2]
        windows = cut.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
        return windows.reshape(n, height // 2, width // 2, 4, channels)

    def _back(self, windows):
        n, height, width, channels = self.shape
        x = np.zeros(self.shape)
        inner = windows.reshape(n, height // 2, width // 2, 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
        x[:, : height // 2 * 2, : width // 2 * 2] = inner.reshape(n, height // 2 * 2, width // 2 * 2, channels)
        return x


class Flatten:
    """Rows of numbers from images. Exact."""

    quantities = ()

    def __init__(self, name):
        self.name = name
        self.scale, self.terms = {}, {"output": 1, "input": 1}

    def forward(self, x, weights, jolt=None):
        self.shape = x.shape
        y = x.reshape(len(x), -1)
        self.scale["output"] = np.abs(y)
        return y

    def backward(self, dy, jolt=None):
        self.scale["input"] = np.abs(dy).reshape(self.shape)
        return dy.reshape(self.shape), []

    def scale_of(self, quantity):
        return self.scale[quantity]


class Network:
    """The layers of a description (see ``networks``) without its dropout.

    The last one is a softmax.
    """

    def __init__(self, described):
        self.layers, counts = [], {}
        for layer in described:
            kind = layer[0]
            if kind == "dropout":
                continue
            counts[kind] = counts.get(kind, 0) + 1
            name = "%s%d" % (kind, counts[kind])
            if kind in ("conv", "dense"):
                self.layers.append(Product(name, layer[2] if kind == "conv" else 0, layer[-1]))
            else:
                self.layers.append({"pool": Pool, "flatten": Flatten}[kind](name))
        self.names = ["%s/%s" % (one.name, quantity) for one in self.layers for quantity in one.quantities]

    def split(self, weights):
        """Returns the weights of each layer, a list per layer."""
        left = list(weights)
        return [[left.pop(0) for _ in one.quantities] for one in self.layers]

    def run(self, weights, x, labels, jolt=None):
        """Computes one forward and backward pass.

        ``weights``, ``x`` and so everything is in float64; labels are (n,) integers.
        """
        inputs, slopes, gradients = [np.asarray(x, "float64")], [], []
        for layer, own in zip(self.layers, self.split([np.asarray(w, "float64") for w in weights])):
            inputs.append(layer.forward(inputs[-1], own, jolt))
        loss = cross_entropy(inputs[-1], labels)
        if jolt is not None:
            loss = float(jolt(loss, abs(loss)))
        slope = labels
        for layer in reversed(self.layers):
            slopes.insert(0, slope)
            slope, own = layer.backward(slope, jolt)
            gradients = own + gradients
        return Trace(inputs[:-1], inputs[1:], slopes, gradients, loss)

    def smooth(self):
        """Returns a mask: the samples of the last exact pass that lie off all kinks."""
        good, below = None, None
        for layer in self.layers:
            if isinstance(layer, Product):
                now = layer.smooth()
                if layer.activation == "softmax":
                    p = softmax(layer.z)
                    now = (p.max(-1) < 1 - CLIP) & (p.min(-1) > CLIP)
                good = now if good is None else good & now
            elif isinstance(layer, Pool) and below is not None:
                good &= layer.smooth(below)
            below = layer.scale_of("output")
        return good


class Trace:
    """The arrays of one pass.

    ``inputs`` and ``outputs`` of each layer, ``slopes`` (the gradient by each output; the labels for the last),
    ``gradients`` by each weight, ``loss``.
    """

    def __init__(self, inputs, outputs, slopes, gradients, loss):
        self.inputs, self.outputs, self.slopes, self.gradients, self.loss = inputs, outputs, slopes, gradients, loss


class Adam:
    """The Adam optimizer, as Keras documents it.

    Source: Kingma and Ba, arXiv:1412.6980, in the form before section 2.1.
    """

    beta_1, beta_2, epsilon, rate = 0.9, 0.999, 1e-7, 1e-3

    def __init__(self):
        self.t, self.first, self.second, self.sizes = 0, None, None, None

    def step(self, weights, gradients, jolt=None):
        """Returns the weights after one more update, float64; leaves their ``scales``."""
        if self.first is None:
            self.first, self.second, self.sizes = ([np.zeros(w.shape) for w in weights] for _ in range(3))
        self.t += 1
        powers = [beta**self.t for beta in (self.beta_1, self.beta_2)]
        rate = self.rate * math.sqrt(1 - powers[1]) / (1 - powers[0])
        # float32 holds beta to u, and 1 - beta**t magnifies that
        magnified = self.t * (powers[0] / (1 - powers[0]) + 0.5 * powers[1] / (1 - powers[1]))
        if jolt is not None:
            rate = float(jolt(rate, rate * magnified))
        moved, self.scales = [], []
        pairs = zip(*([np.asarray(a, "float64") for a in arrays] for arrays in (weights, gradients)))
        for i, (w, g) in enumerate(pairs):
            self.first[i] = self.first[i] + (g - self.first[i]) * (1 - self.beta_1)
            self.sizes[i] = self.sizes[i] + (np.abs(g) - self.sizes[i]) * (1 - self.beta_1)
            self.second[i] = self.second[i] + (g * g - self.second[i]) * (1 - self.beta_2)
            root = np.sqrt(self.second[i]) + self.epsilon
            after = w - rate * self.first[i] / root
            scale = np.abs(w) + rate * self.sizes[i] / root * (8 + magnified)
            self.scales.append(scale)
            moved.append(after if jolt is None else jolt(after, np.abs(w)))
        return moved


def softmax(z):
    """Returns the softmax over the last axis."""
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def cross_entropy(p, labels):
    """Returns the mean cross-entropy of probabilities (n, classes)."""
    return float(-np.log(np.maximum(p[np.arange(len(p)), labels], 1e-7)).mean())
