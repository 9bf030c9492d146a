"""Computes the published updates of the optimizers, in float64 NumPy.

Each class holds the state of one optimizer for a list of arrays. ``step(weights, gradients, rate, t, rounding)``
returns the new weights after update ``t`` (1 for the first); ``rounding`` is explained in ``network``. Where Keras
documents its own convention (an epsilon inside the root, say), the docstring states it and that is what is used.
"""

from __future__ import annotations

import numpy as np


class Update:
    """Holds per-array state, made of zeros (or ``fill``) on first use."""

    def __init__(self, **settings):
        self.__dict__.update(settings)
        self._state = {}

    def state(self, name, index, like, fill=0.0):
        return self._state.setdefault((name, index), np.full(np.shape(like), fill))

    def keep(self, name, index, value):
        self._state[name, index] = value
        return value

    def step(self, weights, gradients, rate, t, rounding):
        self.begin(t, rounding)
        return [self.one(i, w, g, rate, t, rounding) for i, (w, g) in enumerate(zip(weights, gradients))]

    def begin(self, t, rounding):
        """Does the work of a step that comes before any array."""


class SGD(Update):
    """SGD with momentum.

    Momentum and Nesterov's momentum are in the form of Sutskever et al., ICML 2013.
    """

    momentum, nesterov = 0.0, False

    def one(self, i, w, g, rate, t, rounding):
        if not self.momentum:
            return rounding(w - rate * g)
        m = self.keep("m", i, rounding(rounding(self.momentum * self.state("m", i, w)) - rounding(rate * g)))
        return rounding(w + (rounding(self.momentum * m) - rounding(rate * g) if self.nesterov else m))


class RMSprop(Update):
    """RMSprop, with epsilon inside the root.

    Hinton, Coursera lecture 6e; centred as in Graves, arXiv:1308.0850, eq. 38-45.
    """

    rho, momentum, epsilon, centered = 0.9, 0.0, 1e-7, False

    def one(self, i, w, g, rate, t, rounding):
        v = self.keep("v", i, rounding(rounding(self.rho * self.state("v", i, w)) + rounding((1 - self.rho) * g**2)))
        spread = v
        if self.centered:
            a = self.keep("a", i, rounding(rounding(self.rho * self.state("a", i, w)) + rounding((1 - self.rho) * g)))
            spread = rounding(v - rounding(a**2))
        move = rounding(rate * g / np.sqrt(spread + self.epsilon))
        if self.momentum:
            move = self.keep("m", i, rounding(self.momentum * self.state("m", i, w) + move))
        return rounding(w - move)


class Adam(Update):
    """Adam, and AMSGrad.

    Kingma and Ba, arXiv:1412.6980, in the form before section 2.1 (epsilon hat); AMSGrad: Reddi et al., ICLR 2018. As
    Keras documents, AMSGrad takes the maximum before the correction of the bias.
    """

    beta_1, beta_2, epsilon, amsgrad = 0.9, 0.999, 1e-7, False

    def one(self, i, w, g, rate, t, rounding):
        m = self.keep("m", i, _average(self.state("m", i, w), g, self.beta_1, rounding))
        v = self.keep("v", i, _average(self.state("v", i, w), rounding(g**2), self.beta_2, rounding))
        if self.amsgrad:
            v = self.keep("h", i, np.maximum(self.state("h", i, w), v))
        rate = rate * np.sqrt(1 - rounding(self.beta_2**t)) / (1 - rounding(self.beta_1**t))
        return rounding(w - rounding(rounding(m * rate) / rounding(np.sqrt(v) + self.epsilon)))


class Adamax(Update):
    """Adamax (Kingma and Ba, arXiv:1412.6980, section 7.1)."""

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7

    def one(self, i, w, g, rate, t, rounding):
        m = self.keep("m", i, _average(self.state("m", i, w), g, self.beta_1, rounding))
        u = self.keep("u", i, np.maximum(rounding(self.beta_2 * self.state("u", i, w)), np.abs(g)))
        return rounding(w - rounding(rate * m / ((1 - rounding(self.beta_1**t)) * (u + self.epsilon))))


class Nadam(Update):
    """Nadam, with Dozat's schedule of 0.96^t.

    Dozat, "Incorporating Nesterov Momentum into Adam", 2016.
    """

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7

    def begin(self, t, rounding):
        mu = [self.beta_1 * (1 - 0.5 * rounding(0.96 ** (t + k))) for k in (0, 1)]
        self.now, self.then = mu
        self.product = rounding(getattr(self, "product", 1.0) * self.now)

    def one(self, i, w, g, rate, t, rounding):
        m = self.keep("m", i, _average(self.state("m", i, w), g, self.beta_1, rounding))
        v = self.keep("v", i, _average(self.state("v", i, w), rounding(g**2), self.beta_2, rounding))
        ahead = rounding(self.then * m / (1 - rounding(self.product * self.then)))
        m_hat = rounding(ahead + rounding((1 - self.now) * g / (1 - self.product)))
        v_hat = rounding(v / (1 - rounding(self.beta_2**t)))
        return rounding(w - rounding(m_hat * rate / (np.sqrt(v_hat) + self.epsilon)))


class Adadelta(Update):
    """Adadelta (Zeiler, arXiv:1212.5701, algorithm 1), times the learning rate."""

    rho, epsilon = 0.95, 1e-7

    def one(self, i, w, g, rate, t, rounding):
        keep = self.rho
        v = self.keep("v", i, rounding(rounding(keep * self.state("v", i, w)) + rounding((1 - keep) * g**2)))
        d = self.state("d", i, w)
        move = -rounding(rounding(np.sqrt(d + self.epsilon)) * g / rounding(np.sqrt(v + self.epsilon)))
        self.keep("d", i, rounding(rounding(keep * d) + rounding((1 - keep) * move**2)))
        return rounding(w + rate * move)


class Adagrad(Update):
    """Adagrad, with epsilon inside the root and an initial accumulator.

    Duchi et al., JMLR 12 (2011).
    """

    initial_accumulator_value, epsilon = 0.1, 1e-7

    def one(self, i, w, g, rate, t, rounding):
        v = rounding(self.state("v", i, w, self.initial_accumulator_value) + rounding(g**2))
        self.keep("v", i, v)
        return rounding(w - rounding(rate * g / np.sqrt(v + self.epsilon)))


class Ftrl(Update):
    """Ftrl, with shrinkage and the factor 2 of the L2 term as Keras documents.

    McMahan et al., KDD 2013, algorithm 1.
    """

    learning_rate_power, initial_accumulator_value, beta = -0.5, 0.1, 0.0
    l1_regularization_strength = l2_regularization_strength = l2_shrinkage_regularization_strength = 0.0

    def one(self, i, w, g, rate, t, rounding):
        n = self.state("n", i, w, self.initial_accumulator_value)
        z = self.state("z", i, w)
        grown = self.keep("n", i, rounding(n + rounding(g**2)))
        power = -self.learning_rate_power
        sigma = rounding((rounding(grown**power) - rounding(n**power)) / rate)
        z = rounding(z + rounding(g + 2 * self.l2_shrinkage_regularization_strength * w) - rounding(sigma * w))
        self.keep("z", i, z)
        curvature = rounding((self.beta + grown**power) / rate + 2 * self.l2_regularization_strength)
        l1 = self.l1_regularization_strength
        return rounding((np.clip(z, -l1, l1) - z) / curvature)


class Lion(Update):
    """Lion (Chen et al., arXiv:2302.06675, algorithm 2)."""

    beta_1, beta_2 = 0.9, 0.99

    def one(self, i, w, g, rate, t, rounding):
        m = self.state("m", i, w)
        move = np.sign(rounding(m * self.beta_1) + rounding(g * (1 - self.beta_1)))
        self.keep("m", i, rounding(rounding(m * self.beta_2) + rounding(g * (1 - self.beta_2))))
        return rounding(w - rate * move)


class Lamb(Update):
    """Lamb, without weight decay in the ratio.

    You et al., arXiv:1904.00962, algorithm 2.
    """

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7

    def one(self, i, w, g, rate, t, rounding):
        m = self.keep("m", i, _average(self.state("m", i, w), g, self.beta_1, rounding))
        v = self.keep("v", i, _average(self.state("v", i, w), rounding(g**2), self.beta_2, rounding))
        m_hat = rounding(m / (1 - rounding(self.beta_1**t)))
        v_hat = rounding(v / (1 - rounding(self.beta_2**t)))
        move = rounding(m_hat / (np.sqrt(v_hat) + self.epsilon))
        size, length = rounding(np.sqrt(np.sum(w**2))), rounding(np.sqrt(np.sum(move**2)))
        ratio = rounding(size / length) if size > 0 and length > 0 else 1.0
        return rounding(w - rounding(ratio * rate * move))


class Adafactor(Update):
    """Adafactor, with relative step sizes bounded by the rate.

    Shazeer and Stern, arXiv:1804.04235, algorithms 4 and 5.
    """

    beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step = -0.8, 1e-30, 1e-3, 1.0, True

    def one(self, i, w, g, rate, t, rounding):
        rho = min(rate, 1 / np.sqrt(t)) if self.relative_step else rate
        alpha = rounding(max(self.epsilon_2, _rms(w)) * rho)
        beta = 1 - rounding(float(t) ** self.beta_2_decay)
        square = rounding(g**2 + self.epsilon_1)
        if np.ndim(w) >= 2:
            rows = rounding(beta * self.state("r", i, square.mean(-1)) + rounding((1 - beta) * square.mean(-1)))
            columns = rounding(beta * self.state("c", i, square.mean(-2)) + rounding((1 - beta) * square.mean(-2)))
            self.keep("r", i, rows)
            self.keep("c", i, columns)
            v = rounding((rows / rows.mean(-1, keepdims=True))[..., None] * columns[..., None, :])
        else:
            v = self.keep("v", i, rounding(beta * self.state("v", i, w) + rounding((1 - beta) * square)))
        u = rounding(g / np.sqrt(v))
        return rounding(w - rounding(alpha * u / max(1.0, _rms(u) / self.clip_threshold)))


class Muon(Update):
    """Muon for matrices, Adam for the rest.

    Jordan et al., "Muon", 2024 (momentum, five quintic Newton-Schulz steps). ``rms_rate`` not None: the scale
    sqrt(max(n, m)) rms_rate of Liu et al., arXiv:2502.16982, else Jordan's own sqrt(max(1, rows / columns)).
    """

    adam_beta_1, adam_beta_2, epsilon, adam_lr_ratio = 0.9, 0.999, 1e-7, 1.0
    muon_a, muon_b, muon_c = 3.4445, -4.775, 2.0315
    momentum, ns_steps, nesterov, rms_rate = 0.95, 5, True, 0.2

    def step(self, weights, gradients, rate, t, rounding):
        if "adam" not in self.__dict__:
            self.adam = Adam(beta_1=self.adam_beta_1, beta_2=self.adam_beta_2, epsilon=self.epsilon)
        return super().step(weights, gradients, rate, t, rounding)

    def one(self, i, w, g, rate, t, rounding):
        if np.ndim(w) != 2:
            return self.adam.one(i, w, g, rate * self.adam_lr_ratio, t, rounding)
        m = self.keep("m", i, rounding(self.momentum * self.state("m", i, w) + g))
        move = self.orthogonal(rounding(g + self.momentum * m) if self.nesterov else m, rounding)
        if self.rms_rate is None:
            scale = max(1.0, w.shape[0] / w.shape[1]) ** 0.5
        else:
            scale = max(w.shape) ** 0.5 * self.rms_rate
        return rounding(w - rate * move * scale)

    def orthogonal(self, x, rounding):
        """Runs a Newton-Schulz iteration towards the nearest semi-orthogonal matrix."""
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = rounding(x / (np.sqrt(np.sum(x**2)) + 1e-7))
        for _ in range(self.ns_steps):
            a = rounding(x @ x.T)
            b = rounding(self.muon_b * a + self.muon_c * rounding(a @ a))
            x = rounding(self.muon_a * x + rounding(b @ x))
        return x.T if tall else x


class ScheduleFreeAdamW(Update):
    """Schedule-free AdamW, where the weights hold y.

    Defazio et al., arXiv:2405.15682, algorithm 1 with constant weights 1/t.
    """

    beta_1, beta_2, epsilon, warmup_steps = 0.9, 0.999, 1e-8, 0

    def one(self, i, w, g, rate, t, rounding):
        if t == 1:
            self.keep("z", i, w)
            self.keep("x", i, w)
        rate = rate * min(1.0, t / self.warmup_steps) if self.warmup_steps else rate
        v = self.keep("v", i, _average(self.state("v", i, w), rounding(g**2), self.beta_2, rounding))
        scale = rounding(np.sqrt(v / (1 - rounding(self.beta_2**t))) + self.epsilon)
        z_before = self.state("z", i, w)
        z = self.keep("z", i, rounding(z_before - rounding(rate * g / scale)))
        # Keras keeps y and z and recovers x from them, which costs accuracy: rounded likewise
        x = rounding(rounding(w - rounding((1 - self.beta_1) * z_before)) / self.beta_1)
        x = rounding((1 - 1 / t) * x + z / t)
        return rounding((1 - self.beta_1) * z + self.beta_1 * x)


def _average(old, new, keep, rounding):
    return rounding(old + rounding((new - old) * (1 - keep)))


def _rms(x):
    return np.sqrt(np.mean(np.square(x)))


BY_NAME = {
    update.__name__: update
    for update in (SGD, RMSprop, Adam, Adamax, Nadam, Adadelta, Adagrad, Ftrl, Lion, Lamb, Adafactor, Muon)
}
BY_NAME.update(AdamW=Adam, ScheduleFreeAdamW=ScheduleFreeAdamW)
