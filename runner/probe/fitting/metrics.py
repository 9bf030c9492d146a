"""Metrics, one by one and inside a compiled model, against NumPy in float64."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, numbers, refuses, true

_EPSILON = 1e-7
_WEIGHTS = np.array([1.0, 0.0, 2.5, 0.5, 3.0, 1.0], "float32")


def _unit(x):
    return x / np.sqrt(np.sum(x * x, -1, keepdims=True))


def _shares(p):
    return p / np.sum(p, -1, keepdims=True)


def _true_class(t, p):
    return np.take_along_axis(p, t[..., None], -1)[..., 0]


def _right(t, p):
    return -t * np.log(p) - (1 - t) * np.log(1 - p)


_MEANS = {
    "MeanSquaredError": lambda t, p: np.mean((t - p) ** 2, -1),
    "MeanAbsoluteError": lambda t, p: np.mean(abs(t - p), -1),
    "MeanAbsolutePercentageError": lambda t, p: 100 * np.mean(abs((t - p) / t), -1),
    "MeanSquaredLogarithmicError": lambda t, p: np.mean((np.log(t + 1) - np.log(p + 1)) ** 2, -1),
    "CosineSimilarity": lambda t, p: np.sum(_unit(t) * _unit(p), -1),
    "LogCoshError": lambda t, p: np.mean(np.log(np.cosh(p - t)), -1),
    "Poisson": lambda t, p: np.mean(p - t * np.log(p + _EPSILON), -1),
    "KLDivergence": lambda t, p: np.sum(t * np.log(t / p), -1),
    "Hinge": lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0), -1),
    "SquaredHinge": lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0) ** 2, -1),
    "CategoricalHinge": lambda t, p: np.maximum(np.max((1 - t) * p, -1) - np.sum(t * p, -1) + 1, 0),
    "BinaryAccuracy": lambda t, p: np.mean(t == (p > 0.5), -1),
    "BinaryCrossentropy": lambda t, p: np.mean(_right(t, p), -1),
    "CategoricalAccuracy": lambda t, p: np.argmax(t, -1) == np.argmax(p, -1),
    "CategoricalCrossentropy": lambda t, p: -np.sum(t * np.log(_shares(p)), -1),
    "TopKCategoricalAccuracy": lambda t, p: np.sum(p > np.sum(t * p, -1, keepdims=True), -1) < 2,
    "SparseCategoricalAccuracy": lambda t, p: t == np.argmax(p, -1),
    "SparseCategoricalCrossentropy": lambda t, p: -np.log(_true_class(t, _shares(p))),
    "SparseTopKCategoricalAccuracy": lambda t, p: np.sum(p > _true_class(t, p)[..., None], -1) < 2,
    "PearsonCorrelation": lambda t, p: np.sum(
        _unit(t - t.mean(-1, keepdims=True)) * _unit(p - p.mean(-1, keepdims=True)), -1
    ),
    "ConcordanceCorrelation": lambda t, p: (
        2
        * np.mean((t - t.mean(-1, keepdims=True)) * (p - p.mean(-1, keepdims=True)), -1)
        / (t.var(-1) + p.var(-1) + (t.mean(-1) - p.mean(-1)) ** 2)
    ),
}
"""Metrics that are means: the value per sample."""

_BINARY = ("Hinge", "SquaredHinge", "BinaryAccuracy", "BinaryCrossentropy")
_ONE_HOT = ("CategoricalHinge", "CategoricalAccuracy", "CategoricalCrossentropy", "TopKCategoricalAccuracy")
_SPARSE = ("SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy")
_POSITIVE = ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Poisson", "KLDivergence")
_MEAN_NAMES = list(_MEANS)


def _pair(name, shape=(6, 4)):
    """Returns targets and predictions that suit the metric of that name."""
    raw = numbers(*shape, seed=3)
    probabilities = (0.1 + 0.8 / (1 + np.exp(-raw))).astype("float32")
    classes = np.random.RandomState(4).randint(0, shape[-1], shape[:-1])
    if name in _BINARY:
        return (numbers(*shape, seed=5) > 0).astype("float32"), probabilities
    if name in _ONE_HOT:
        return np.eye(shape[-1], dtype="float32")[classes], _shares(probabilities)
    if name in _SPARSE:
        return classes, _shares(probabilities)
    if name in _POSITIVE:
        return (0.1 + 0.9 / (1 + np.exp(-numbers(*shape, seed=5)))).astype("float32"), probabilities
    return 2 * numbers(*shape, seed=5), raw


def _made(name, **options):
    """Returns the metric of that name."""
    options.update({"k": 2} if "TopK" in name else {})
    return need("keras.metrics." + name)(**options)


def _values(name, t, p):
    return _MEANS[name](t if t.dtype.kind == "i" else t.astype("float64"), p.astype("float64"))


@each(metric=_MEAN_NAMES)
def metric_equals_numpy(metric):
    """metrics.{metric} of one batch equals its formula in float64"""
    t, p = _pair(metric)
    close(_made(metric)(t, p), np.mean(_values(metric, t, p)), tolerance=3e-5)


@each(metric=_MEAN_NAMES, shape=["(6,)", "(6, 1)"])
def metric_weights_samples(metric, shape):
    """metrics.{metric} weights samples by a sample_weight of shape {shape}"""
    t, p = _pair(metric)
    found = _made(metric)
    found.update_state(t, p, sample_weight=_WEIGHTS if shape == "(6,)" else _WEIGHTS[:, None])
    close(found.result(), np.sum(_values(metric, t, p) * _WEIGHTS) / _WEIGHTS.sum(), tolerance=3e-5)


@each(metric=_MEAN_NAMES)
def metric_of_sequences(metric):
    """metrics.{metric} averages over samples and steps, weighted per step"""
    t, p = _pair(metric, (2, 3, 4))
    weights = np.array([[1.0, 0.0, 2.0], [0.5, 0.0, 1.0]], "float32")
    values = _values(metric, t, p)
    close(_made(metric)(t, p), np.mean(values), "without weights", tolerance=3e-5)
    expected = np.sum(values * weights) / weights.sum()
    close(_made(metric)(t, p, sample_weight=weights), expected, "with weights", tolerance=3e-5)


@each(metric=["MeanSquaredError", "MeanAbsoluteError", "BinaryAccuracy", "LogCoshError", "RootMeanSquaredError",
              "Precision", "AUC", "TruePositives", "BinaryIoU"])  # fmt: skip
def metric_of_flat_targets(metric):
    """metrics.{metric} of targets (6,) and predictions (6, 1) is that of equal shapes"""
    t, p = _pair(metric if metric in _MEANS else "BinaryAccuracy", (6, 1))
    expected = _made(metric)(t, p)
    close(_made(metric)(t[:, 0], p), expected, "flat targets")
    close(_made(metric)(t, p[:, 0]), expected, "flat predictions")
    close(_made(metric)(t[:, 0], p[:, 0]), expected, "both flat")
    weighted = _made(metric)(t, p, sample_weight=_WEIGHTS)
    close(_made(metric)(t[:, 0], p, sample_weight=_WEIGHTS), weighted, "flat targets, weighted")
    close(_made(metric)(t, p, sample_weight=_WEIGHTS[:, None]), weighted, "weights of one column")


def _confusion(t, p, threshold, weights=1.0):
    """Returns true positives, false positives, true negatives and false negatives."""
    weights = np.broadcast_to(np.asarray(weights, "float64"), t.shape)
    said, so = p > threshold, t > 0.5
    return [float(weights[which].sum()) for which in (said & so, said & ~so, ~said & ~so, ~said & so)]


def _flat():
    """Returns targets and probabilities of 12 samples."""
    t = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1], "float32")
    p = np.array([0.91, 0.82, 0.73, 0.64, 0.55, 0.46, 0.37, 0.28, 0.19, 0.12, 0.07, 0.97], "float32")
    return t, p


_COUNTS = ["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"]


@each(metric=_COUNTS, weighted=[0, 1])
def counts_equal_numpy(metric, weighted):
    """metrics.{metric} counts at one threshold and at several, weighted: {weighted}"""
    (t, p), place = _flat(), _COUNTS.index(metric)
    weights = np.linspace(0, 2, 12).astype("float32") if weighted else None
    asked = {} if weights is None else {"sample_weight": weights}
    for thresholds in (None, 0.3, [0.0, 0.3, 0.6, 1.0]):
        found = getattr(keras.metrics, metric)(thresholds=thresholds)
        found.update_state(t, p, **asked)
        listed = thresholds if isinstance(thresholds, list) else [0.5 if thresholds is None else thresholds]
        expected = [_confusion(t, p, one, 1.0 if weights is None else weights)[place] for one in listed]
        close(array(found.result()).reshape(-1), expected, "at thresholds %s" % thresholds)


@each(metric=["Precision", "Recall"], weighted=[0, 1])
def precision_and_recall_equal_numpy(metric, weighted):
    """metrics.{metric} at one threshold and at several, weighted: {weighted}"""
    t, p = _flat()
    weights = np.linspace(0.1, 2, 12).astype("float32") if weighted else np.ones(12, "float32")
    for thresholds in (None, 0.3, [0.1, 0.3, 0.6]):
        found = getattr(keras.metrics, metric)(thresholds=thresholds)
        found.update_state(t, p, sample_weight=weights if weighted else None)
        expected = []
        for one in thresholds if isinstance(thresholds, list) else [0.5 if thresholds is None else thresholds]:
            tp, fp, _, fn = _confusion(t, p, one, weights)
            expected.append(tp / (tp + (fp if metric == "Precision" else fn)))
        close(array(found.result()).reshape(-1), expected, "at thresholds %s" % thresholds)


@each(metric=["Precision", "Recall"], top_k=[0, 1, 2], class_id=[-1, 0, 2])
def precision_and_recall_of_classes(metric, top_k, class_id):
    """metrics.{metric}(top_k={top_k}, class_id={class_id}) equals a count in NumPy"""
    t, p = _pair("CategoricalAccuracy")
    options = dict({"top_k": top_k} if top_k else {}, **({"class_id": class_id} if class_id >= 0 else {}))
    if top_k:
        said = np.argsort(np.argsort(-p, -1), -1) < top_k
    else:
        said = p > 0.3
        options["thresholds"] = 0.3
    so = t > 0.5
    if class_id >= 0:
        said, so = said[:, class_id], so[:, class_id]
    both, base = np.sum(said & so), np.sum(said if metric == "Precision" else so)
    close(getattr(keras.metrics, metric)(**options)(t, p), both / base if base else 0.0)


def _auc(t, p, thresholds, curve, method, weights=1.0):
    """Returns the area under a curve, by the documented sums."""
    points = [_confusion(t, p, one, weights) for one in thresholds]
    tp, fp, tn, fn = (np.array(x) for x in zip(*points))
    if curve == "PR" and method == "interpolation":
        dtp, said = tp[:-1] - tp[1:], tp + fp
        dsaid = said[:-1] - said[1:]
        slope = np.where(dsaid > 0, dtp / np.maximum(dsaid, 1e-9), 0.0)
        intercept = tp[1:] - slope * said[1:]
        ratio = np.where((said[:-1] > 0) & (said[1:] > 0), said[:-1] / np.maximum(said[1:], 1e-9), 1.0)
        return np.sum(slope * (dtp + intercept * np.log(ratio)) / np.maximum(tp[1:] + fn[1:], 1e-9))
    recall = tp / (tp + fn)
    if curve == "ROC":
        x, y = fp / (fp + tn), recall
    else:
        x, y = recall, np.where(tp + fp > 0, tp / np.maximum(tp + fp, 1e-9), 0.0)
    heights = {"interpolation": (y[:-1] + y[1:]) / 2, "minoring": np.minimum(y[:-1], y[1:]),
               "majoring": np.maximum(y[:-1], y[1:])}[method]  # fmt: skip
    return np.sum((x[:-1] - x[1:]) * heights)


def _spread(count):
    """Returns the thresholds of AUC(num_thresholds=count)."""
    return [-_EPSILON, *[(i + 1) / (count - 1) for i in range(count - 2)], 1 + _EPSILON]


@each(curve=["ROC", "PR"], method=["interpolation", "minoring", "majoring"], weighted=[0, 1])
def auc_equals_its_sum(curve, method, weighted):
    """AUC(curve={curve}, summation_method={method}) is its sum, weighted: {weighted}"""
    t, p = _flat()
    weights = np.linspace(0.1, 2, 12).astype("float32") if weighted else np.ones(12, "float32")
    found = keras.metrics.AUC(num_thresholds=12, curve=curve, summation_method=method)
    found.update_state(t, p, sample_weight=weights if weighted else None)
    close(found.result(), _auc(t, p, _spread(12), curve, method, weights), tolerance=1e-4)


@each(weighted=[0, 1])
def auc_is_the_share_of_ordered_pairs(weighted):
    """AUC with 200 thresholds is the share of ordered pairs, weighted: {weighted}"""
    t, p = _flat()
    weights = np.linspace(0.1, 2, 12) if weighted else np.ones(12)
    pairs = [(weights[i] * weights[j], p[i] > p[j]) for i in range(12) for j in range(12) if t[i] > t[j]]
    found = keras.metrics.AUC()
    found.update_state(t, p, sample_weight=weights.astype("float32") if weighted else None)
    close(found.result(), sum(w * ordered for w, ordered in pairs) / sum(w for w, _ in pairs), tolerance=1e-4)


@each(thresholds=["[0.2, 0.5, 0.8]", "[0.5]", "[0.11, 0.31, 0.77]"])
def auc_at_given_thresholds(thresholds):
    """AUC(thresholds={thresholds}) uses these, and both ends"""
    t, p = _flat()
    listed = [float(one) for one in thresholds.strip("[]").split(",")]
    expected = _auc(t, p, [-_EPSILON, *listed, 1 + _EPSILON], "ROC", "interpolation")
    close(keras.metrics.AUC(thresholds=listed)(t, p), expected, tolerance=1e-4)


@each(weighted=[0, 1], labels=[0, 3])
def auc_of_several_labels(weighted, labels):
    """AUC(multi_label=True) is the (weighted: {weighted}) mean of each label's area"""
    t, p = _pair("BinaryAccuracy", (6, 3))
    t[:, 0], t[:, 1] = [1, 0, 1, 0, 0, 1], [0, 0, 1, 1, 0, 0]
    t[:, 2] = [1, 1, 0, 0, 1, 0]
    areas = np.array([_auc(t[:, i], p[:, i], _spread(200), "ROC", "interpolation") for i in range(3)])
    shares = [0.2, 0.3, 0.5] if weighted else [1 / 3, 1 / 3, 1 / 3]
    options = dict({"num_labels": 3} if labels else {}, **({"label_weights": shares} if weighted else {}))
    close(keras.metrics.AUC(multi_label=True, **options)(t, p), np.sum(areas * shares), tolerance=1e-4)


def auc_of_logits():
    """AUC(from_logits=True) of logits equals AUC of probabilities"""
    t, p = _flat()
    logits = np.log(p.astype("float64") / (1 - p)).astype("float32")
    close(keras.metrics.AUC(from_logits=True)(t, logits), keras.metrics.AUC()(t, p))


@each(metric=["SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"],
      value=[0.5, 0.8])  # fmt: skip
def best_point_of_the_curve(metric, value):
    """metrics.{metric}({value}) is the best point that keeps that bound"""
    t, p = _flat()
    points = np.array([_confusion(t, p, one) for one in np.linspace(-1e-7, 1 + 1e-7, 200)]).T
    tp, fp, tn, fn = points
    with np.errstate(all="ignore"):
        figures = {"Sensitivity": tp / (tp + fn), "Specificity": tn / (tn + fp), "Recall": tp / (tp + fn),
                   "Precision": np.nan_to_num(tp / (tp + fp))}  # fmt: skip
    wanted, kept = metric.split("At")
    close(getattr(keras.metrics, metric)(value)(t, p), figures[wanted][figures[kept] >= value].max(), tolerance=1e-4)


@each(average=["None", "micro", "macro", "weighted"], threshold=["None", 0.3], beta=[1.0, 2.0], weighted=[0, 1])
def f_score_equals_numpy(average, threshold, beta, weighted):
    """FBetaScore({average}, beta={beta}, threshold={threshold}), weighted: {weighted}"""
    t, p = _pair("CategoricalAccuracy")
    weights = _WEIGHTS.astype("float64")[:, None] if weighted else np.ones((6, 1))
    said = p > 0.3 if threshold != "None" else p == p.max(-1, keepdims=True)
    tp, fp, fn = ((w * weights).sum(0 if average != "micro" else None) for w in (said * t, said * (1 - t), ~said * t))
    score = np.nan_to_num((1 + beta**2) * tp / np.maximum((1 + beta**2) * tp + beta**2 * fn + fp, 1e-9))
    if average == "macro":
        score = score.mean()
    if average == "weighted":
        support = (t * weights).sum(0)
        score = np.sum(score * support / support.sum())
    options = {"average": None if average == "None" else average,
               "threshold": None if threshold == "None" else threshold}  # fmt: skip
    found = keras.metrics.FBetaScore(beta=beta, **options)
    found.update_state(t, p, sample_weight=_WEIGHTS if weighted else None)
    close(found.result(), score, tolerance=1e-4)
    if beta == 1.0:
        plain = keras.metrics.F1Score(**options)
        plain.update_state(t, p, sample_weight=_WEIGHTS if weighted else None)
        close(plain.result(), score, "F1Score", tolerance=1e-4)


def _crossed(t, p, classes, weights):
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (t, p), weights)
    return matrix


def _iou(matrix):
    """Returns the overlap over the union, per class; NaN where a class is nowhere."""
    both, union = np.diag(matrix), matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    with np.errstate(all="ignore"):
        return both / union


@each(metric=["MeanIoU", "IoU", "OneHotMeanIoU", "OneHotIoU"], weighted=[0, 1], ignored=[-2, 1])
def iou_equals_numpy(metric, weighted, ignored):
    """metrics.{metric}, weighted: {weighted}, ignore_class: {ignored}, equals NumPy"""
    random = np.random.RandomState(6)
    t, p = random.randint(0, 3, 8), random.randint(0, 3, 8)
    weights = np.linspace(0.5, 2, 8) if weighted else np.ones(8)
    kept = t != ignored
    each_one = _iou(_crossed(t[kept], p[kept], 3, weights[kept]))
    asked = {"num_classes": 3, "dtype": "float32"}
    asked.update({"ignore_class": ignored} if ignored >= 0 else {})
    asked.update({"target_class_ids": [0, 2]} if not metric.endswith("MeanIoU") else {})
    found = getattr(keras.metrics, metric)(**asked)
    eye = np.eye(3, dtype="float32")
    given = (eye[t], eye[p]) if metric.startswith("OneHot") else (t, p)
    found.update_state(*given, sample_weight=weights.astype("float32") if weighted else None)
    close(found.result(), np.nanmean(each_one if metric.endswith("MeanIoU") else each_one[[0, 2]]))


@each(metric=["MeanIoU", "IoU"], bad=[-1, 255])
def iou_leaves_out_the_ignored_value(metric, bad):
    """metrics.{metric}(ignore_class={bad}) leaves out targets of that value"""
    t, p = np.array([0, 1, 2, bad, 1, 0]), np.array([0, 1, 1, 2, 1, 0])
    kept = t != bad
    each_one = _iou(_crossed(t[kept], p[kept], 3, 1.0))
    asked = {"num_classes": 3, "ignore_class": bad}
    asked.update({"target_class_ids": [0, 1, 2]} if metric == "IoU" else {})
    close(getattr(keras.metrics, metric)(**asked)(t, p), np.nanmean(each_one))


@each(dtype=["uint8", "int64", "float32"])
def iou_takes_classes(dtype):
    """metrics.MeanIoU takes images of classes of dtype {dtype}"""
    random = np.random.RandomState(6)
    t, p = random.randint(0, 3, (2, 3, 3)), random.randint(0, 3, (2, 3, 3))
    expected = np.nanmean(_iou(_crossed(t.ravel(), p.ravel(), 3, 1.0)))
    close(keras.metrics.MeanIoU(num_classes=3)(t.astype(dtype), p.astype(dtype)), expected)


@each(axis=[-1, 1])
def iou_takes_shares(axis):
    """MeanIoU(sparse_y_pred=False, axis={axis}) takes the likeliest class there"""
    random = np.random.RandomState(6)
    t, p = random.randint(0, 3, (2, 4)), random.uniform(size=(2, 4, 3)).astype("float32")
    expected = np.nanmean(_iou(_crossed(t.ravel(), p.argmax(-1).ravel(), 3, 1.0)))
    found = keras.metrics.MeanIoU(num_classes=3, sparse_y_pred=False, axis=axis)
    close(found(t, p if axis == -1 else np.moveaxis(p, -1, 1)), expected)


@each(threshold=[0.3, 0.6], ids=["[0, 1]", "[0]", "[1]"])
def binary_iou_equals_numpy(threshold, ids):
    """BinaryIoU({ids}, threshold={threshold}) equals NumPy"""
    t, p = _flat()
    each_one = _iou(_crossed(t.astype(int), (p >= threshold).astype(int), 2, 1.0))
    listed = [int(i) for i in ids.strip("[]").split(",")]
    close(keras.metrics.BinaryIoU(listed, threshold=threshold)(t, p), np.mean(each_one[listed]))


def _r2(t, p, w):
    """Returns R2 of each output, and the variance of each."""
    mean = (w * t).sum(0) / w.sum()
    total, residual = (w * (t - mean) ** 2).sum(0), (w * (t.astype("float64") - p) ** 2).sum(0)
    return 1 - residual / total, total


@each(kind=["None", "uniform_average", "variance_weighted_average"], weighted=[0, 1])
def r2_equals_numpy(kind, weighted):
    """R2Score({kind}) of two outputs, weighted: {weighted}, equals NumPy"""
    t = numbers(6, 2, seed=5)
    p = (t + 0.5 * numbers(6, 2, seed=6)).astype("float32")
    score, total = _r2(t, p, _WEIGHTS.astype("float64")[:, None] if weighted else np.ones((6, 1)))
    if kind == "uniform_average":
        score = score.mean()
    if kind == "variance_weighted_average":
        score = np.sum(score * total) / total.sum()
    found = keras.metrics.R2Score(class_aggregation=None if kind == "None" else kind)
    for part in (slice(0, 2), slice(2, 6)):
        found.update_state(t[part], p[part], sample_weight=_WEIGHTS[part] if weighted else None)
    close(found.result(), score, tolerance=1e-4)


@each(outputs=[1, 2], regressors=[1, 2])
def adjusted_r2_counts_samples(outputs, regressors):
    """R2Score's mean over {outputs} outputs, adjusted for {regressors}, counts samples"""
    t = numbers(6, outputs, seed=5)
    p = (t + 0.5 * numbers(6, outputs, seed=6)).astype("float32")
    score = _r2(t, p, np.ones((6, 1)))[0].mean()
    expected = 1 - (1 - score) * (6 - 1) / (6 - regressors - 1)
    close(keras.metrics.R2Score("uniform_average", num_regressors=regressors)(t, p), expected, tolerance=1e-4)


def adjusted_r2_inside_compiled_evaluate():
    """a compiled evaluate logs R2Score(num_regressors=1) as called directly"""
    t, p = _pair("MeanSquaredError", (6, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[keras.metrics.R2Score(num_regressors=1, name="r2")])
    logs = model.evaluate(p, t, verbose=0, return_dict=True)
    close(logs["r2"], keras.metrics.R2Score(num_regressors=1)(t, p), tolerance=1e-4)


@each(weighted=[0, 1])
def root_mean_squared_error_equals_numpy(weighted):
    """RootMeanSquaredError is the root of the whole mean, weighted: {weighted}"""
    t, p = _pair("MeanSquaredError")
    found = keras.metrics.RootMeanSquaredError()
    for part in (slice(0, 2), slice(2, 6)):
        found.update_state(t[part], p[part], sample_weight=_WEIGHTS[part] if weighted else None)
    off = np.mean((t.astype("float64") - p) ** 2, -1)
    close(found.result(), np.sqrt(np.average(off, weights=_WEIGHTS if weighted else None)), tolerance=3e-5)


@each(metric=["Mean", "Sum"], weights=["none", "number", "vector", "negative", "zero", "column"])
def mean_and_sum_equal_numpy(metric, weights):
    """metrics.{metric} of values with {weights} weights equals NumPy"""
    values = np.array([[1.0, 2.0], [3.0, 5.0], [-4.0, 0.5]], "float32")
    chosen = {"none": None, "number": 2.0, "vector": [1.0, 0.0, 2.0], "negative": [-1.0, -2.0, -0.5],
              "zero": [0.0, 0.0, 0.0], "column": [[1.0], [0.5], [2.0]]}[weights]  # fmt: skip
    found = getattr(keras.metrics, metric)()
    found.update_state(values, sample_weight=None if chosen is None else np.asarray(chosen, "float32"))
    w = np.ones(3) if chosen is None else np.broadcast_to(np.ravel(chosen), 3)
    if metric == "Sum":
        expected = np.sum(values * w[:, None])
    else:
        expected = np.sum(values.mean(-1) * w) / w.sum() if w.sum() else 0.0
    close(found.result(), expected)


@each(metric=["Mean", "Sum"], kind=["number", "list", "int", "bool", "float64"])
def mean_and_sum_take_values(metric, kind):
    """metrics.{metric} takes values as {kind}"""
    values = {"number": 3.0, "list": [1.0, 2.0, 4.0], "int": np.array([1, 2, 4]), "bool": np.array([True, False]),
              "float64": np.array([1.0, 2.0, 4.0])}[kind]  # fmt: skip
    expected = (np.mean if metric == "Mean" else np.sum)(np.asarray(values, "float64"))
    close(getattr(keras.metrics, metric)()(values), expected)


_EVERY = {
    "Accuracy": ({}, "ids"), "AUC": ({"num_thresholds": 9, "curve": "PR"}, "binary"),
    "BinaryAccuracy": ({"threshold": 0.3}, "binary"),
    "BinaryCrossentropy": ({"from_logits": True, "label_smoothing": 0.1}, "binary"),
    "BinaryIoU": ({"target_class_ids": [1], "threshold": 0.3}, "binary"), "CategoricalAccuracy": ({}, "one hot"),
    "CategoricalCrossentropy": ({"from_logits": True, "label_smoothing": 0.1, "axis": -1}, "one hot"),
    "CategoricalHinge": ({}, "one hot"), "ConcordanceCorrelation": ({"axis": -1}, "numbers"),
    "CosineSimilarity": ({"axis": 0}, "numbers"), "F1Score": ({"average": "micro", "threshold": 0.3}, "one hot"),
    "FBetaScore": ({"average": "macro", "beta": 2.0, "threshold": 0.3}, "one hot"),
    "FalseNegatives": ({"thresholds": 0.3}, "binary"), "FalsePositives": ({"thresholds": [0.3, 0.6]}, "binary"),
    "Hinge": ({}, "binary"), "IoU": ({"num_classes": 4, "target_class_ids": [0, 2], "ignore_class": 1}, "ids"),
    "KLDivergence": ({}, "one hot"), "LogCoshError": ({}, "numbers"), "MeanAbsoluteError": ({}, "numbers"),
    "MeanAbsolutePercentageError": ({}, "numbers"), "MeanIoU": ({"num_classes": 4, "ignore_class": 1}, "ids"),
    "MeanSquaredError": ({}, "numbers"), "MeanSquaredLogarithmicError": ({}, "binary"),
    "OneHotIoU": ({"num_classes": 4, "target_class_ids": [0], "ignore_class": 1}, "one hot"),
    "OneHotMeanIoU": ({"num_classes": 4, "sparse_y_pred": False}, "one hot"), "PearsonCorrelation": ({}, "numbers"),
    "Poisson": ({}, "binary"), "Precision": ({"thresholds": 0.3, "class_id": 1}, "one hot"),
    "PrecisionAtRecall": ({"recall": 0.4, "num_thresholds": 9}, "binary"),
    "R2Score": ({"class_aggregation": "variance_weighted_average", "num_regressors": 1}, "numbers"),
    "Recall": ({"top_k": 2}, "one hot"), "RecallAtPrecision": ({"precision": 0.4, "num_thresholds": 9}, "binary"),
    "RootMeanSquaredError": ({}, "numbers"),
    "SensitivityAtSpecificity": ({"specificity": 0.4, "num_thresholds": 9}, "binary"),
    "SparseCategoricalAccuracy": ({}, "sparse"),
    "SparseCategoricalCrossentropy": ({"from_logits": True, "axis": -1}, "sparse"),
    "SparseTopKCategoricalAccuracy": ({"k": 2}, "sparse"),
    "SpecificityAtSensitivity": ({"sensitivity": 0.4, "num_thresholds": 9}, "binary"), "SquaredHinge": ({}, "binary"),
    "TopKCategoricalAccuracy": ({"k": 2}, "one hot"), "TrueNegatives": ({"thresholds": 0.3}, "binary"),
    "TruePositives": ({"thresholds": [0.3, 0.6]}, "binary"),
}  # fmt: skip
"""Every metric with its own options set, and the kind of data that it takes."""

_EVERY_NAME = list(_EVERY)


def _data(kind, count=6):
    """Returns targets and predictions of a kind."""
    random = np.random.RandomState(9)
    if kind == "ids":
        return random.randint(0, 4, count), random.randint(0, 4, count)
    name = {"binary": "BinaryAccuracy", "one hot": "CategoricalAccuracy", "sparse": "SparseCategoricalAccuracy",
            "numbers": "MeanSquaredError"}[kind]  # fmt: skip
    t, p = _pair(name, (count, 4))
    return (t[:, :1], p[:, :1]) if kind == "binary" else (t, p)


@each(metric=_EVERY_NAME, way=["config", "serialize"])
def metric_comes_back_from_its_config(metric, way):
    """metrics.{metric} with its options set is the same after {way}"""
    options, kind = _EVERY[metric]
    first = need("keras.metrics." + metric)(name="mine", **options)
    if way == "config":
        second = type(first).from_config(first.get_config())
    else:
        second = keras.metrics.deserialize(keras.metrics.serialize(first))
    equal(second.name, "mine", "its name")
    for t, p in [_data(kind)]:
        close(second(t, p), first(t, p), "the value")


@each(metric=_EVERY_NAME)
def metric_resets(metric):
    """metrics.{metric} after reset_state is as new"""
    options, kind = _EVERY[metric]
    found, (t, p) = need("keras.metrics." + metric)(**options), _data(kind)
    expected = array(found(t, p))
    found.reset_state()
    close(found(t, p), expected)


@each(metric=_EVERY_NAME)
def metric_accumulates(metric):
    """metrics.{metric} of two unequal batches equals that of one"""
    options, kind = _EVERY[metric]
    if metric == "CosineSimilarity":
        options = {}
    made, (t, p) = need("keras.metrics." + metric), _data(kind)
    found = made(**options)
    for part in (slice(0, 2), slice(2, 6)):
        found.update_state(t[part], p[part])
        found.result()
    close(found.result(), made(**options)(t, p))


@each(metric=_EVERY_NAME)
def metric_without_state_equals_with_state(metric):
    """metrics.{metric}.stateless_update_state gives what update_state gives"""
    options, kind = _EVERY[metric]
    found, (t, p) = need("keras.metrics." + metric)(**options), _data(kind)
    if not found.variables:
        found.update_state(t, p)
        found.reset_state()
    need("keras.metrics.Metric.stateless_reset_state")
    state = found.stateless_reset_state()
    state = found.stateless_update_state(state, t, p)
    result = array(found.stateless_result(state))
    close(result, found(t, p))


@each(metric=_EVERY_NAME)
def metric_is_float32(metric):
    """metrics.{metric} gives float32 of float64 and float16 data"""
    options, kind = _EVERY[metric]
    made, (t, p) = need("keras.metrics." + metric), _data(kind)
    for dtype in ("float64", "float16"):
        cast = [x.astype(dtype) if x.dtype.kind == "f" else x for x in (t, p)]
        found = made(**options)(*cast)
        equal(keras.backend.standardize_dtype(found.dtype), "float32", "the dtype of %s data" % dtype)


@each(metric=[name for name in _EVERY if name != "R2Score"])
def metric_of_nothing_is_a_number(metric):
    """metrics.{metric} before any update is 0, and no NaN"""
    options, kind = _EVERY[metric]
    found, (t, p) = need("keras.metrics." + metric)(**options), _data(kind)
    found.update_state(t, p)
    found.reset_state()
    true(np.isfinite(array(found.result())).all(), "result() is finite (found %s)" % array(found.result()))


_KINDS = ["binary", "one hot", "sparse", "numbers", "ids"]


@each(metric=[name for name in _EVERY if name not in _MEANS])
def metric_inside_evaluate(metric):
    """evaluate logs metrics.{metric} as called directly"""
    options, kind = _EVERY[metric]
    made, (t, p) = need("keras.metrics." + metric), _data(kind)
    shape = p.shape[1:]
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("linear")])
    model.compile(loss="mse" if t.shape == p.shape else None, metrics=[made(name="it", **options)], run_eagerly=True)
    if t.shape != p.shape:
        model.compile(loss="sparse_categorical_crossentropy", metrics=[made(name="it", **options)], run_eagerly=True)
    logs = model.evaluate(p, t, batch_size=3, verbose=0, return_dict=True)
    close(logs["it"], made(**options)(t, p), tolerance=1e-4)


@each(kind=_KINDS)
def metrics_inside_compiled_evaluate(kind):
    """a compiled evaluate logs all metrics of data of kind {kind} as called directly"""
    chosen = {n: o for n, (o, k) in _EVERY.items() if k == kind and n not in ("CosineSimilarity", "R2Score") and
              hasattr(keras.metrics, n)}  # fmt: skip
    t, p = _data(kind, 8)
    model = keras.Sequential([keras.Input(p.shape[1:]), keras.layers.Activation("linear")])
    loss = "mse" if t.shape == p.shape else "sparse_categorical_crossentropy"
    model.compile(loss=loss, metrics=[getattr(keras.metrics, n)(name=n, **o) for n, o in chosen.items()])
    logs = model.evaluate(p, t, batch_size=4, verbose=0, return_dict=True)
    wrong = {}
    for name, options in chosen.items():
        direct = array(getattr(keras.metrics, name)(**options)(t, p))
        if not np.allclose(array(logs[name]), direct, atol=1e-4):
            wrong[name] = (array(logs[name]), direct)
    true(not wrong, "all are equal (logged and direct: %s)" % wrong)


@each(name=["mse", "MSE", "mae", "mape", "msle", "cosine_similarity", "bce", "mean_squared_error",
            "hinge", "squared_hinge", "poisson", "binary_accuracy", "AUC", "Precision", "MeanSquaredError",
            "binary_crossentropy", "RootMeanSquaredError"])  # fmt: skip
def metric_by_its_name(name):
    """compile(metrics=[{name}]) takes the name and logs under it"""
    t, p = _data("binary")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[name], run_eagerly=True)
    logs = model.evaluate(p, t, verbose=0, return_dict=True)
    true(name in logs, "the log has the name (its names: %s)" % sorted(logs))
    if name in ("mse", "MSE", "mean_squared_error", "MeanSquaredError"):
        close(logs[name], np.mean((t - p) ** 2))


@each(asked=["accuracy", "acc"], kind=["binary", "one hot", "sparse", "sparse column"])
def metric_chosen_by_shapes(asked, kind):
    """metrics=[{asked}] chooses the variant that fits {kind} targets"""
    t, p = _data(kind.split(" column")[0])
    t = t[:, None] if kind == "sparse column" else t
    model = keras.Sequential([keras.Input(p.shape[1:]), keras.layers.Activation("linear")])
    loss = "mse" if t.shape == p.shape else "sparse_categorical_crossentropy"
    model.compile(loss=loss, metrics=[asked], run_eagerly=True)
    logs = model.evaluate(p, t, verbose=0, return_dict=True)
    form = {"binary": "Binary", "one hot": "Categorical"}.get(kind, "SparseCategorical")
    close(logs[asked], getattr(keras.metrics, form + "Accuracy")()(t, p), tolerance=1e-4)


@each(asked=["crossentropy", "ce"])
def crossentropy_chosen_by_shapes(asked):
    """metrics=[{asked}] means the crossentropy that fits the shapes, as compile() says"""
    t, p = _data("one hot")
    model = keras.Sequential([keras.Input(p.shape[1:]), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[asked], run_eagerly=True)
    logs = model.evaluate(p, t, verbose=0, return_dict=True)
    close(logs[asked], keras.metrics.CategoricalCrossentropy()(t, p), tolerance=1e-4)


@each(dtype=["float16", "bfloat16"])
def metric_computes_in_its_dtype(dtype):
    """metrics.Mean(dtype={dtype}) has variables and a result of that dtype"""
    found = keras.metrics.Mean(dtype=dtype)
    found.update_state([1.0, 2.0])
    equal(keras.backend.standardize_dtype(found.result().dtype), dtype, "the result's dtype")
    equal({keras.backend.standardize_dtype(v.dtype) for v in found.variables}, {dtype}, "the variables' dtypes")


@each(dtype=["bool", "int32", "uint8", "float64"], predicted=["float32", "bool", "int32"])
def binary_accuracy_takes_labels(dtype, predicted):
    """BinaryAccuracy takes targets of dtype {dtype} with predictions of {predicted}"""
    t, p = _data("binary")
    p = p if predicted == "float32" else p > 0.5
    found = keras.metrics.BinaryAccuracy()(t.astype(dtype), p.astype(predicted))
    close(found, np.mean((t > 0.5) == (p > 0.5)))


@each(k=[1, 2, 3, 4, 5])
def top_k_counts_the_first_k(k):
    """TopKCategoricalAccuracy(k={k}) counts classes among the first {k} of four"""
    t, p = _data("sparse")
    expected = np.mean(np.sum(p > np.take_along_axis(p, t[:, None], -1), -1) < k)
    close(keras.metrics.SparseTopKCategoricalAccuracy(k=k)(t, p), expected, "the sparse one")
    close(keras.metrics.TopKCategoricalAccuracy(k=k)(np.eye(4)[t], p), expected, "one hot")


def top_k_of_sorted_ids():
    """SparseTopKCategoricalAccuracy(from_sorted_ids=True) looks the class up in ids"""
    need("keras.metrics.SparseTopKCategoricalAccuracy(from_sorted_ids)")
    ids = np.array([[1, 0, 2], [2, 1, 0], [0, 2, 1]])
    found = keras.metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    close(found(np.array([0, 0, 2]), ids), 2 / 3)


@each(metric=["Precision", "Recall", "TruePositives"])
def metric_refuses_thresholds_outside(metric):
    """metrics.{metric} refuses thresholds outside of 0 to 1"""
    refuses(lambda: getattr(keras.metrics, metric)(thresholds=[-0.5, 0.5]), "a threshold of -0.5")


@each(call=["AUC(curve='XYZ')", "AUC(summation_method='x')", "AUC(num_thresholds=1)", "FBetaScore(average='x')",
            "FBetaScore(beta=-1.0)", "F1Score(threshold=2)", "R2Score(class_aggregation='x')",
            "R2Score(num_regressors=-1)", "IoU(num_classes=2, target_class_ids=[3])", "BinaryIoU(target_class_ids=[5])",
            "SensitivityAtSpecificity(1.5)", "PrecisionAtRecall(-0.1)",
            "RecallAtPrecision(1.5)", "PrecisionAtRecall(0.5, num_thresholds=0)"])  # fmt: skip
def metric_refuses_options(call):
    """keras.metrics refuses {call}"""
    refuses(lambda: eval("keras.metrics." + call, {"keras": keras}), "a wrong option")  # noqa: S307 - our own text


def metric_subclass_keeps_its_variables():
    """a Metric subclass adds variables of any initializer, and resets them to 0"""

    class Count(keras.metrics.Metric):
        def __init__(self, **options):
            super().__init__(**options)
            self.seen = self.add_variable(shape=(2,), initializer="ones", name="seen")
            self.inner = keras.metrics.Mean(name="inner")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen.assign(self.seen + keras.ops.sum(y_pred, axis=0))
            self.inner.update_state(y_true)

        def result(self):
            return keras.ops.sum(self.seen)

    found = Count(name="count")
    equal(found.name, "count", "its name")
    equal(len(found.variables), 3, "its variables, with those of a metric inside")
    found.update_state(np.array([1.0, 3.0]), np.ones((3, 2), "float32"))
    close(found.result(), 8.0)
    close(found.inner.result(), 2.0, "the metric inside")


def mean_metric_wrapper_takes_a_function():
    """MeanMetricWrapper averages a function with its keyword arguments"""

    def off(y_true, y_pred, power):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power, axis=-1)

    t, p = _pair("MeanSquaredError")
    found = keras.metrics.MeanMetricWrapper(off, name="off", power=3)
    found.update_state(t, p, sample_weight=_WEIGHTS)
    values = np.mean(abs(t.astype("float64") - p) ** 3, -1)
    close(found.result(), np.sum(values * _WEIGHTS) / _WEIGHTS.sum(), tolerance=3e-5)


@each(metric=["MeanSquaredError", "CategoricalAccuracy", "BinaryAccuracy"])
def metric_skips_masked_steps(metric):
    """weighted metrics.{metric} after a Masking layer leaves masked steps out"""
    t, p = _pair(metric, (2, 3, 4))
    p[0, 2] = p[1, 1:] = 9.0
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    model = keras.Sequential([keras.Input((3, 4)), keras.layers.Masking(9.0), keras.layers.Activation("linear")])
    made = getattr(keras.metrics, metric)
    model.compile(loss="mse", weighted_metrics=[made(name="it")], run_eagerly=True)
    logs = model.evaluate(p, t, verbose=0, return_dict=True)
    close(logs["it"], np.mean(_values(metric, t, p)[mask]), "the metric", tolerance=3e-5)
    close(logs["loss"], np.mean(np.mean((t - p) ** 2, -1)[mask]), "the loss", tolerance=3e-5)
