"""Computes published update rules and learning rate schedules, in float64.

They have Keras's defaults and its documented deviations.
"""

from __future__ import annotations

import math

import numpy as np


def sgd(w, grads, lr=0.01, momentum=0.0, nesterov=False, decay=0.0):
    """Returns the weights after SGD steps with velocity m v - lr g.

    Sutskever et al. 2013. ``decay``: w -= lr decay w before the step, here and below.
    """
    v = np.zeros_like(w)
    for g in grads:
        w = w * (1 - lr * decay)
        v = momentum * v - lr * g
        w = w + (momentum * v - lr * g if nesterov else v)
    return w


def adam(w, grads, lr=0.001, b1=0.9, b2=0.999, eps=1e-7, amsgrad=False, decay=0.0):
    """Returns the weights after Adam steps (Kingma and Ba 2015, epsilon hat form)."""
    m, v, top = (np.zeros_like(w) for _ in range(3))
    for t, g in enumerate(grads, 1):
        w = w * (1 - lr * decay)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        top = np.maximum(top, v) if amsgrad else v
        w = w - lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(top) + eps)
    return w


def adamax(w, grads, lr=0.001, b1=0.9, b2=0.999, eps=1e-7):
    """Returns the weights after Adamax steps (Kingma and Ba 2015, section 7)."""
    m, u = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, 1):
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, np.abs(g))
        w = w - lr * m / ((1 - b1**t) * (u + eps))
    return w


def nadam(w, grads, lr=0.001, b1=0.9, b2=0.999, eps=1e-7):
    """Returns the weights after Nadam steps.

    Dozat 2016, momentum schedule with 0.96.
    """
    m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
    for t, g in enumerate(grads, 1):
        u, after = b1 * (1 - 0.5 * 0.96**t), b1 * (1 - 0.5 * 0.96 ** (t + 1))
        product *= u
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        mh = after * m / (1 - product * after) + (1 - u) * g / (1 - product)
        w = w - lr * mh / (np.sqrt(v / (1 - b2**t)) + eps)
    return w


def adagrad(w, grads, lr=0.001, start=0.1, eps=1e-7):
    """Returns the weights after Adagrad steps (Duchi et al. 2011)."""
    a = np.full_like(w, start)
    for g in grads:
        a = a + g * g
        w = w - lr * g / np.sqrt(a + eps)
    return w


def adadelta(w, grads, lr=0.001, rho=0.95, eps=1e-7):
    """Returns the weights after Adadelta steps (Zeiler 2012)."""
    a, d = np.zeros_like(w), np.zeros_like(w)
    for g in grads:
        a = rho * a + (1 - rho) * g * g
        step = -np.sqrt(d + eps) / np.sqrt(a + eps) * g
        d = rho * d + (1 - rho) * step * step
        w = w + lr * step
    return w


def rmsprop(w, grads, lr=0.001, rho=0.9, momentum=0.0, eps=1e-7, centered=False):
    """Hinton's lecture; epsilon inside of the root, as Keras has it."""
    v, mean, m = (np.zeros_like(w) for _ in range(3))
    for g in grads:
        v = rho * v + (1 - rho) * g * g
        mean = rho * mean + (1 - rho) * g
        step = lr * g / np.sqrt(v - (mean * mean if centered else 0.0) + eps)
        m = momentum * m + step
        w = w - (m if momentum else step)
    return w


def lion(w, grads, lr=0.001, b1=0.9, b2=0.99):
    """Returns the weights after Lion steps (Chen et al. 2023)."""
    m = np.zeros_like(w)
    for g in grads:
        w = w - lr * np.sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
    return w


def ftrl(w, grads, lr=0.001, power=-0.5, start=0.1, l1=0.0, l2=0.0, shrink=0.0, beta=0.0):
    """Returns the weights after Ftrl steps (McMahan et al. 2013)."""
    n, z = np.full_like(w, start), np.zeros_like(w)
    for g in grads:
        moved = g + 2 * shrink * w
        after = n + g * g
        z = z + moved - (after**-power - n**-power) / lr * w
        quadratic = after**-power / lr + 2 * (l2 + beta / (2 * lr))
        w = (np.clip(z, -l1, l1) - z) / quadratic
        n = after
    return w


def clipped(grads, value=None, norm=None):
    """Returns each gradient clipped by value or by its own norm."""
    if value is not None:
        return [np.clip(g, -value, value) for g in grads]
    return [g * min(1.0, norm / np.linalg.norm(g)) for g in grads]


def averaged(points, momentum=0.99):
    """Returns the exponential moving average of the weights after each step.

    It starts at the first.
    """
    mean = points[0]
    for w in points[1:]:
        mean = momentum * mean + (1 - momentum) * w
    return mean


def cosine_decay(step, lr, steps, alpha=0.0, warmup_target=None, warmup=0):
    """Returns a cosine decay after a linear warm-up.

    Loshchilov and Hutter 2016.
    """
    if warmup_target is not None and step < warmup:
        return lr + (warmup_target - lr) * step / warmup
    top = lr if warmup_target is None else warmup_target
    done = min(max(step - (warmup if warmup_target is not None else 0), 0), steps) / steps
    return top * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * done)) + alpha)


def cosine_restarts(step, lr, first, t_mul=2.0, m_mul=1.0, alpha=0.0):
    """Returns a cosine decay with restarts (Loshchilov and Hutter 2016)."""
    i, length, start = 0, float(first), 0.0
    while step >= start + length:
        start, length, i = start + length, length * t_mul, i + 1
    fraction = (step - start) / length
    return lr * ((1 - alpha) * 0.5 * m_mul**i * (1 + math.cos(math.pi * fraction)) + alpha)


def polynomial_decay(step, lr, steps, end=0.0001, power=1.0, cycle=False):
    """Returns (lr - end) (1 - step / steps)^power + end."""
    total = steps * max(math.ceil(step / steps), 1) if cycle else steps
    return (lr - end) * (1 - min(step, total) / total) ** power + end
