"""Computes losses and metrics in float64, from their documentation.

Losses give one value per sample; ``reduce`` does the rest.
"""

from __future__ import annotations

import numpy as np

from .nn import EPSILON as _EPSILON
from .nn import binary_crossentropy as _binary
from .nn import categorical_crossentropy as _categorical
from .nn import softplus as _softplus


def reduce(values, weights=None, reduction="sum_over_batch_size", mask=None):
    """Reduces losses as Keras does.

    A mask takes its elements out of the sum and of the count (as documented since 3.0).
    """
    values = np.asarray(values, "float64")
    count = float(values.size)
    if mask is not None:
        values = values * mask
        count = float(np.sum(np.broadcast_to(mask, values.shape)))
    if weights is not None:
        while weights.ndim < values.ndim:
            weights = weights[..., None]
        values = values * weights
        weights = np.broadcast_to(weights, values.shape) * (1.0 if mask is None else mask)
    if reduction in (None, "none"):
        return values
    if reduction == "sum":
        return values.sum()
    if reduction == "mean_with_sample_weight":
        return values.sum() / (count if weights is None else weights.sum())
    return values.sum() / count


def mean_squared_error(y, p):
    """Returns the mean squared error over the last axis."""
    return np.mean((y - p) ** 2, -1)


def mean_absolute_error(y, p):
    """Returns the mean absolute error over the last axis."""
    return np.mean(np.abs(y - p), -1)


def mean_absolute_percentage_error(y, p):
    """Returns the mean of 100 |y - p| / max(|y|, epsilon)."""
    return 100 * np.mean(np.abs(y - p) / np.maximum(np.abs(y), _EPSILON), -1)


def mean_squared_logarithmic_error(y, p):
    """Returns the mean squared error of log(1 + max(v, epsilon))."""
    return np.mean((np.log1p(np.maximum(y, _EPSILON)) - np.log1p(np.maximum(p, _EPSILON))) ** 2, -1)


def huber(y, p, delta=1.0):
    """Returns the mean of a loss that is quadratic within delta, linear beyond."""
    e = np.abs(y - p)
    return np.mean(np.where(e <= delta, 0.5 * e * e, delta * e - 0.5 * delta**2), -1)


def log_cosh(y, p):
    """Returns the mean of log(cosh(p - y))."""
    e = p - y
    return np.mean(e + _softplus(-2 * e) - np.log(2.0), -1)


def cosine_similarity(y, p, axis=-1):
    """Returns the cosine similarity; Keras's loss is its negative."""
    norm = lambda v: v / np.maximum(np.linalg.norm(v, axis=axis, keepdims=True), 1e-12)  # noqa: E731
    return np.sum(norm(y) * norm(p), axis=axis)


def kl_divergence(y, p):
    """Returns the Kullback-Leibler divergence, both clipped to [epsilon, 1]."""
    y, p = np.clip(y, _EPSILON, 1), np.clip(p, _EPSILON, 1)
    return np.sum(y * np.log(y / p), -1)


def poisson(y, p):
    """Returns the mean of p - y log(p + epsilon)."""
    return np.mean(p - y * np.log(p + _EPSILON), -1)


def _signs(y):
    return np.where(y == 0, -1.0, y) if np.all((y == 0) | (y == 1)) else y


def hinge(y, p):
    """Returns the mean of max(1 - y p, 0); labels 0 or 1 count as -1 or 1."""
    return np.mean(np.maximum(1 - _signs(y) * p, 0), -1)


def squared_hinge(y, p):
    """Returns the mean of the squares that ``hinge`` is the mean of.

    That is max(1 - y p, 0)^2.
    """
    return np.mean(np.maximum(1 - _signs(y) * p, 0) ** 2, -1)


def categorical_hinge(y, p):
    """Returns max(neg - pos + 1, 0)."""
    return np.maximum(np.max((1 - y) * p, -1) - np.sum(y * p, -1) + 1, 0)


def bce(y, p, from_logits=False, label_smoothing=0.0, axis=-1):
    """Returns the mean binary cross-entropy over an axis."""
    y = y * (1 - label_smoothing) + 0.5 * label_smoothing
    return np.mean(_binary(y, p, from_logits), axis)


def cce(y, p, from_logits=False, label_smoothing=0.0, axis=-1):
    """Returns the categorical cross-entropy."""
    y = y * (1 - label_smoothing) + label_smoothing / y.shape[axis]
    return _categorical(y, p, from_logits, axis)


def binary_focal(y, p, alpha=0.25, gamma=2.0, balance=False, from_logits=False):
    """Returns the binary focal loss (Lin et al. 2018)."""
    p = 1 / (1 + np.exp(-p)) if from_logits else p
    right = y * p + (1 - y) * (1 - p)
    focal = (1 - right) ** gamma * _binary(y, p)
    return np.mean(focal * (y * alpha + (1 - y) * (1 - alpha) if balance else 1.0), -1)


def categorical_focal(y, p, alpha=0.25, gamma=2.0):
    """Returns the categorical focal loss (Lin et al. 2018)."""
    p = np.clip(p / p.sum(-1, keepdims=True), _EPSILON, 1 - _EPSILON)
    return np.sum(alpha * (1 - p) ** gamma * -y * np.log(p), -1)


def dice(y, p, axis=None):
    """Returns 1 - (2 sum(y p) + epsilon) / (sum(y) + sum(p) + epsilon)."""
    total = lambda v: np.sum(v, axis=axis)  # noqa: E731
    return 1 - (2 * total(y * p) + _EPSILON) / (total(y) + total(p) + _EPSILON)


def tversky(y, p, alpha=0.5, beta=0.5, axis=None):
    """Returns 1 - (TP + epsilon) / (TP + alpha FP + beta FN + epsilon)."""
    total = lambda v: np.sum(v, axis=axis)  # noqa: E731
    hit, false, missed = total(y * p), total((1 - y) * p), total(y * (1 - p))
    return 1 - (hit + _EPSILON) / (hit + false * alpha + missed * beta + _EPSILON)


def weighted_mean(values, weights=None):
    """Returns the mean of all values; weights broadcast from the left."""
    values = np.asarray(values, "float64")
    if weights is None:
        return values.mean()
    while weights.ndim < values.ndim:
        weights = weights[..., None]
    weights = np.broadcast_to(weights, values.shape)
    return np.sum(values * weights) / np.sum(weights)


def confusion(y, p, threshold=0.5, weights=None):
    """Returns the counts of right and wrong predictions.

    (true positives, false positives, true negatives, false negatives).
    """
    weights = (
        np.ones(y.shape)
        if weights is None
        else np.broadcast_to(weights.reshape(weights.shape + (1,) * (y.ndim - weights.ndim)), y.shape)
    )
    said, real = p > threshold, y > 0.5
    return [np.sum(weights[cell]) for cell in (said & real, said & ~real, ~said & ~real, ~said & real)]


def precision(y, p, threshold=0.5, weights=None):
    """Returns TP / (TP + FP), 0 where there are none."""
    tp, fp, _, _ = confusion(y, p, threshold, weights)
    return tp / (tp + fp) if tp + fp else 0.0


def recall(y, p, threshold=0.5, weights=None):
    """Returns TP / (TP + FN), 0 where there are none."""
    tp, _, _, fn = confusion(y, p, threshold, weights)
    return tp / (tp + fn) if tp + fn else 0.0


def fbeta(y, p, beta=1.0, threshold=None, average=None):
    """Returns the F-beta score per class.

    Without a threshold the largest prediction counts.
    """
    said = (p > threshold) if threshold is not None else (p == p.max(1, keepdims=True)) & (np.abs(p) > 1e-9)
    axis = None if average == "micro" else 0
    real = y > 0.5
    tp, fp, fn = np.sum(said & real, axis), np.sum(said & ~real, axis), np.sum(~said & real, axis)
    precise, found = tp / (tp + fp + _EPSILON), tp / (tp + fn + _EPSILON)
    score = (1 + beta**2) * precise * found / (beta**2 * precise + found + _EPSILON)
    if average == "weighted":
        return np.sum(score * (tp + fn) / np.sum(tp + fn))
    return score.mean() if average == "macro" else score


def iou(y, p, classes, targets=None, weights=None):
    """Returns mean intersection over union of the target classes that occur."""
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (y.ravel().astype(int), p.ravel().astype(int)), 1.0 if weights is None else weights.ravel())
    union = matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    chosen = [i for i in (range(classes) if targets is None else targets) if union[i] > 0]
    return np.mean([matrix[i, i] / union[i] for i in chosen])


def r2(y, p, weights=None):
    """Returns the coefficient of determination, mean over the outputs."""
    w = np.ones(len(y)) if weights is None else weights
    w = w[:, None]
    mean = np.sum(w * y, 0) / np.sum(w, 0)
    return np.mean(1 - np.sum(w * (y - p) ** 2, 0) / np.sum(w * (y - mean) ** 2, 0))


def pearson(y, p):
    """Returns the correlation of rows, averaged."""
    y, p = y - y.mean(-1, keepdims=True), p - p.mean(-1, keepdims=True)
    return np.mean(np.sum(y * p, -1) / np.sqrt(np.sum(y * y, -1) * np.sum(p * p, -1)))


def concordance(y, p):
    """Lin's coefficient of rows, averaged."""
    my, mp = y.mean(-1), p.mean(-1)
    cov = np.mean((y - my[:, None]) * (p - mp[:, None]), -1)
    return np.mean(2 * cov / (y.var(-1) + p.var(-1) + (my - mp) ** 2 + _EPSILON))


def auc(y, p, thresholds=200, curve="ROC", weights=None):
    """Trapezoids over Keras's evenly spaced thresholds (ROC only)."""
    at = np.array([-_EPSILON, *[(i + 1) / (thresholds - 1) for i in range(thresholds - 2)], 1 + _EPSILON])
    cells = np.array([confusion(y, p, t, weights) for t in at])
    tpr = cells[:, 0] / (cells[:, 0] + cells[:, 3])
    fpr = cells[:, 1] / (cells[:, 1] + cells[:, 2])
    return np.sum((fpr[:-1] - fpr[1:]) * (tpr[:-1] + tpr[1:]) / 2)
