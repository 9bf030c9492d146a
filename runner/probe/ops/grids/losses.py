"""Generates cases of losses and metrics.

Losses with values, weights, masks, reductions and gradients; metrics with weights and several updates.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _functions(add)
    _classes(add)
    _metrics(add)


INPUTS = {
    "y": "normal(4, 3)", "p": "normal(4, 3, seed=1)", "u": "uniform(4, 3, low=0.05, high=0.95)", "v": "uniform(4, 3, low=0.05, high=0.95, seed=1)",
    "b": "array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0]])", "o": "array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]])",
    "s": "array([0, 2, 1, 2], 'int32')", "w": "array([1., 0.5, 2., 0.])", "l": "5 * normal(4, 3, seed=2)", "q": "uniform(4, 3, low=0.1)",
    "m": "array([[1, 1, 0], [1, 0, 1]], 'bool')", "g": "normal(2, 3, 4)", "h": "normal(2, 3, 4, seed=1)", "x": "array([[0.5, 2.], [1., 0.]])",
    "e": "array([[0., 1.], [1., 0.], [0., 0.]])", "f": "array([[0., 1.], [0., 1.], [1., 1.]])", "k": "300 * normal(4, 3, seed=2)",
    "i": "array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]]])", "j": "uniform(2, 2, 3, low=0.1)", "n": "array([[1, 0], [1, 1]], 'bool')",
    "c": "array([[0, 1], [2, 0]], 'int32')",
    "a": "array([[1, 2], [3, 1]], 'int32')",
}  # fmt: skip


def _functions(add):
    add(
        """
        losses.mean_squared_error(y, p) ==> ref.mean_squared_error(y, p)
        losses.mean_absolute_error(y, p) ==> ref.mean_absolute_error(y, p)
        losses.mean_absolute_percentage_error(y, p) ==> ref.mean_absolute_percentage_error(y, p)
        losses.mean_squared_logarithmic_error(u, v) ==> ref.mean_squared_logarithmic_error(u, v)
        losses.huber(y, p) ==> ref.huber(y, p)
        losses.huber(y, p, delta=0.5) ==> ref.huber(y, p, 0.5)
        losses.log_cosh(y, p) ==> ref.log_cosh(y, p)
        losses.log_cosh(y, k) ==> ref.log_cosh(y, k)
        losses.cosine_similarity(y, p) ==> -ref.cosine_similarity(y, p)
        losses.cosine_similarity(y, p, axis=0) ==> -ref.cosine_similarity(y, p, 0)
        losses.kl_divergence(u, v) ==> ref.kl_divergence(u, v)
        losses.poisson(u, v) ==> ref.poisson(u, v)
        losses.hinge(b, p) ==> ref.hinge(b, p)
        losses.squared_hinge(b, p) ==> ref.squared_hinge(b, p)
        losses.categorical_hinge(o, p) ==> ref.categorical_hinge(o, p)
        losses.binary_crossentropy(b, v) ==> ref.bce(b, v)
        losses.binary_crossentropy(b, l, from_logits=True) ==> ref.bce(b, l, True)
        losses.binary_crossentropy(b, k, from_logits=True) ==> ref.bce(b, k, True)
        losses.binary_crossentropy(b, v, label_smoothing=0.2) ==> ref.bce(b, v, label_smoothing=0.2)
        losses.binary_crossentropy(b, v, axis=0) ==> ref.bce(b, v, axis=0)
        losses.categorical_crossentropy(o, q) ==> ref.cce(o, q)
        losses.categorical_crossentropy(o, l, from_logits=True) ==> ref.cce(o, l, True)
        losses.categorical_crossentropy(o, k, from_logits=True) ==> ref.cce(o, k, True)
        losses.categorical_crossentropy(o, q, label_smoothing=0.3) ==> ref.cce(o, q, label_smoothing=0.3)
        losses.categorical_crossentropy(o, q, axis=0) ==> ref.cce(o, q, axis=0)
        losses.sparse_categorical_crossentropy(s, l, from_logits=True) ==> ref.cce(np.eye(3)[s], l, True)
        losses.sparse_categorical_crossentropy(s, ops.softmax(l)) ==> ref.cce(np.eye(3)[s], ref.softmax(l))
        losses.sparse_categorical_crossentropy(s[:, None], l, from_logits=True) ==> ref.cce(np.eye(3)[s], l, True)
        losses.binary_focal_crossentropy(b, v) ==> ref.binary_focal(b, v)
        losses.binary_focal_crossentropy(b, v, apply_class_balancing=True, alpha=0.7, gamma=1.5) ==> ref.binary_focal(b, v, 0.7, 1.5, True)
        losses.binary_focal_crossentropy(b, l, from_logits=True) ==> ref.binary_focal(b, l, from_logits=True)
        losses.categorical_focal_crossentropy(o, q) ==> ref.categorical_focal(o, q)
        losses.categorical_focal_crossentropy(o, l, from_logits=True, alpha=0.5, gamma=1.0) ==> ref.categorical_focal(o, ref.softmax(l), 0.5, 1.0)
        losses.dice(b, v) ==> ref.dice(b, v)
        losses.dice(b, v, axis=(1,)) ==> ref.dice(b, v, (1,))
        losses.tversky(b, v) ==> ref.tversky(b, v)
        losses.tversky(b, v, alpha=0.3, beta=0.6) ==> ref.tversky(b, v, 0.3, 0.6)
        losses.tversky(b, v, axis=(1,)) ==> ref.tversky(b, v, axis=(1,))
        ops.binary_crossentropy(b, v)
        ops.binary_crossentropy(b, l, from_logits=True)
        ops.categorical_crossentropy(o, q)
        ops.categorical_crossentropy(o, l, from_logits=True)
        ops.categorical_crossentropy(o, q, axis=0)
        ops.sparse_categorical_crossentropy(s, l, from_logits=True)
        ops.sparse_categorical_crossentropy(s, ops.softmax(l)) ==> ref.cce(np.eye(3)[s], ref.softmax(l))
        """,
        INPUTS, wrt=("p", "v", "l", "q", "k"), family="losses", symbolic=False, dynamic="ypuvbosqlk",
    )  # fmt: skip
    edge = {"b": "array([[1., 0.], [0., 1.]])", "z": "array([[1., 0.], [1., 0.]])", "n": "array([[0., 0.], [0., 0.]])"}
    add(
        """
        losses.binary_crossentropy(b, z) ==> ref.bce(b, z)
        losses.categorical_crossentropy(b, z) ==> ref.cce(b, z)
        losses.kl_divergence(b, z) ==> ref.kl_divergence(b, z)
        losses.cosine_similarity(b, n) ==> -ref.cosine_similarity(b, n)
        losses.poisson(b, n) ==> ref.poisson(b, n)
        losses.mean_absolute_percentage_error(n, b) ==> ref.mean_absolute_percentage_error(n, b)
        """,
        edge, tol=4e6, family="losses", symbolic=False,
    )  # fmt: skip


PAIRS = (
    ("MeanSquaredError()", "y, p", "ref.mean_squared_error(y, p)"),
    ("MeanAbsoluteError()", "y, p", "ref.mean_absolute_error(y, p)"),
    ("MeanAbsolutePercentageError()", "y, p", "ref.mean_absolute_percentage_error(y, p)"),
    ("MeanSquaredLogarithmicError()", "u, v", "ref.mean_squared_logarithmic_error(u, v)"),
    ("Huber(delta=0.7)", "y, p", "ref.huber(y, p, 0.7)"),
    ("LogCosh()", "y, p", "ref.log_cosh(y, p)"),
    ("CosineSimilarity()", "y, p", "-ref.cosine_similarity(y, p)"),
    ("KLDivergence()", "u, v", "ref.kl_divergence(u, v)"),
    ("Poisson()", "u, v", "ref.poisson(u, v)"),
    ("Hinge()", "b, p", "ref.hinge(b, p)"),
    ("SquaredHinge()", "b, p", "ref.squared_hinge(b, p)"),
    ("CategoricalHinge()", "o, p", "ref.categorical_hinge(o, p)"),
    ("BinaryCrossentropy()", "b, v", "ref.bce(b, v)"),
    ("BinaryCrossentropy(from_logits=True, label_smoothing=0.1)", "b, l", "ref.bce(b, l, True, 0.1)"),
    ("CategoricalCrossentropy(from_logits=True)", "o, l", "ref.cce(o, l, True)"),
    ("CategoricalCrossentropy(label_smoothing=0.2)", "o, q", "ref.cce(o, q, False, 0.2)"),
    ("SparseCategoricalCrossentropy(from_logits=True)", "s, l", "ref.cce(np.eye(3)[s], l, True)"),
    ("BinaryFocalCrossentropy()", "b, v", "ref.binary_focal(b, v)"),
    ("CategoricalFocalCrossentropy()", "o, q", "ref.categorical_focal(o, q)"),
)  # fmt: skip


def _classes(add):
    for loss, on, values in PAIRS:
        name, _, rest = loss.partition("(")
        made = "losses.%s(%s" % (name, rest)
        add("loss_of({0}, {1}) ==> ref.reduce({2})\nloss_of({0}, {1}, w) ==> ref.reduce({2}, w)".format(made, on, values), INPUTS,
            wrt=("p", "v", "l", "q"), family="losses", symbolic=False)  # fmt: skip
        for reduction in ("sum", "mean_with_sample_weight"):
            if name in ("MeanSquaredError", "CategoricalHinge", "BinaryCrossentropy", "SparseCategoricalCrossentropy"):
                joined = "losses.%s(%sreduction=%r)" % (name, rest[:-1] + ", " if rest != ")" else "", reduction)
                add(
                    "loss_of(%s, %s, w) ==> ref.reduce(%s, w, %r)" % (joined, on, values, reduction),
                    INPUTS,
                    family="losses",
                    symbolic=False,
                )
    add(
        """
        loss_of(losses.MeanSquaredError(reduction=None), g, h) ==> ref.mean_squared_error(g, h)
        loss_of(losses.MeanSquaredError(reduction="none"), g, h, t) ==> ref.reduce(ref.mean_squared_error(g, h), t, None)
        loss_of(losses.MeanSquaredError(), g, h) ==> ref.reduce(ref.mean_squared_error(g, h))
        loss_of(losses.MeanSquaredError(), g, h, mask=m) ==> ref.reduce(ref.mean_squared_error(g, h), None, mask=m)
        loss_of(losses.MeanAbsoluteError(reduction="sum"), g, h, mask=m) ==> ref.reduce(ref.mean_absolute_error(g, h), None, "sum", mask=m)
        loss_of(losses.CategoricalCrossentropy(), i, j) ==> ref.reduce(ref.cce(i, j))
        loss_of(losses.CategoricalCrossentropy(), i, j, x) ==> ref.reduce(ref.cce(i, j), x)
        loss_of(losses.CategoricalCrossentropy(), i, j, mask=n) ==> ref.reduce(ref.cce(i, j), None, mask=n)
        """,
        {**INPUTS, "t": "array([[0.5, 2., 1.], [1., 0., 3.]])"}, wrt=("h", "j"), family="losses", symbolic=False,
    )  # fmt: skip
    add(
        """
        loss_of(losses.SparseCategoricalCrossentropy(ignore_class=2, from_logits=True), s, l) ==> ?
        loss_of(losses.SparseCategoricalCrossentropy(ignore_class=2), s, q) ==> ?
        loss_of(losses.MeanSquaredError(), g, h, x[:, :1], mask=m) ==> ?
        loss_of(losses.MeanSquaredError(dtype="float64"), g, h) ==> ref.reduce(ref.mean_squared_error(g, h))
        loss_of(losses.Dice(), b, v) ==> ref.dice(b, v)
        loss_of(losses.Tversky(alpha=0.3, beta=0.6), b, v) ==> ref.tversky(b, v, 0.3, 0.6)
        loss_of(losses.Circle(), s, ops.normalize(p)) ==> ?
        losses.ctc(a, ops.concatenate([g, h], 1)) ==> ?
        ops.ctc_loss(a, ops.concatenate([g, h], 1), ops.convert_to_tensor([2, 1]), ops.convert_to_tensor([6, 4])) ==> ?
        ops.ctc_decode(ops.concatenate([g, h], 1), ops.convert_to_tensor([6, 4])) ==> ?
        """,
        INPUTS, family="losses", symbolic=False,
    )  # fmt: skip


def _metrics(add):
    more = {
        "a": "array([[0, 2, 1], [1, 1, 0]], 'int32')", "d": "array([[0, 1, 1], [1, 2, 0]], 'int32')", "r": "array([[1., 0., 2.], [0.5, 1., 1.]])",
        "t": "array([1., 0., 1., 1., 0., 0., 1., 0.])", "z": "array([0.9, 0.2, 0.35, 0.8, 0.4, 0.7, 0.55, 0.1])", "x": "array([1., 2., 0.5, 1., 1., 3., 0., 1.])",
        **{k: INPUTS[k] for k in "ypuvboswlqef"},
    }  # fmt: skip
    pairs = (
        ("MeanSquaredError()", "y, p", "ref.mean_squared_error(y, p)"), ("MeanAbsoluteError()", "y, p", "ref.mean_absolute_error(y, p)"),
        ("MeanAbsolutePercentageError()", "y, p", "ref.mean_absolute_percentage_error(y, p)"), ("LogCoshError()", "y, p", "ref.log_cosh(y, p)"),
        ("MeanSquaredLogarithmicError()", "u, v", "ref.mean_squared_logarithmic_error(u, v)"), ("Poisson()", "u, v", "ref.poisson(u, v)"),
        ("CosineSimilarity()", "y, p", "ref.cosine_similarity(y, p)"), ("KLDivergence()", "u, v", "ref.kl_divergence(u, v)"),
        ("Hinge()", "b, p", "ref.hinge(b, p)"), ("SquaredHinge()", "b, p", "ref.squared_hinge(b, p)"), ("CategoricalHinge()", "o, p", "ref.categorical_hinge(o, p)"),
        ("BinaryCrossentropy()", "b, v", "ref.bce(b, v)"), ("CategoricalCrossentropy()", "o, q", "ref.cce(o, q)"),
        ("CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)", "o, l", "ref.cce(o, l, True, 0.1)"),
        ("SparseCategoricalCrossentropy(from_logits=True)", "s, l", "ref.cce(np.eye(3)[s], l, True)"),
        ("BinaryAccuracy()", "b, v", "np.mean((v > 0.5) == b, -1)"), ("BinaryAccuracy(threshold=0.7)", "b, v", "np.mean((v > 0.7) == b, -1)"),
        ("CategoricalAccuracy()", "o, q", "(o.argmax(-1) == q.argmax(-1))"), ("SparseCategoricalAccuracy()", "s, q", "(s == q.argmax(-1))"),
        ("TopKCategoricalAccuracy(k=2)", "o, q", "ref.in_top_k(o.argmax(-1), q, 2)"), ("SparseTopKCategoricalAccuracy(k=2)", "s, q", "ref.in_top_k(s, q, 2)"),
    )  # fmt: skip
    for metric, on, values in pairs:
        made = "metrics." + metric
        add("metric_of({0}, ({1})) ==> ref.weighted_mean({2})\nmetric_of({0}, ({1}), ({1}, w)) ==> ref.weighted_mean(np.concatenate([np.asarray({2})] * 2), np.concatenate([np.ones(4), w]))"
            .format(made, on, values), more, family="metrics", symbolic=False, eager=True)  # fmt: skip
    add(
        """
        metric_of(metrics.Mean(), (y,)) ==> y.mean()
        metric_of(metrics.Mean(), (y, w[:, None])) ==> ref.weighted_mean(y, w)
        metric_of(metrics.Sum(), (y,), (p,)) ==> y.sum() + p.sum()
        metric_of(metrics.Sum(), (y, w)) ==> (y * w[:, None]).sum()
        metric_of(metrics.MeanMetricWrapper(losses.mean_squared_error), (y, p, w)) ==> ref.weighted_mean(ref.mean_squared_error(y, p), w)
        metric_of(metrics.RootMeanSquaredError(), (y, p)) ==> np.sqrt(np.mean((y - p) ** 2))
        metric_of(metrics.RootMeanSquaredError(), (y, p, w)) ==> np.sqrt(ref.weighted_mean((y - p) ** 2, w))
        metric_of(metrics.Precision(), (t, z)) ==> ref.precision(t, z)
        metric_of(metrics.Precision(), (t, z, x)) ==> ref.precision(t, z, weights=x)
        metric_of(metrics.Precision(thresholds=[0.3, 0.6]), (t, z)) ==> np.array([ref.precision(t, z, 0.3), ref.precision(t, z, 0.6)])
        metric_of(metrics.Precision(class_id=1), (b, v)) ==> ref.precision(b[:, 1], v[:, 1])
        metric_of(metrics.Precision(top_k=1), (o, q)) ==> np.mean(o.argmax(-1) == q.argmax(-1))
        metric_of(metrics.Recall(), (t, z)) ==> ref.recall(t, z)
        metric_of(metrics.Recall(thresholds=[0.3, 0.6]), (t, z, x)) ==> np.array([ref.recall(t, z, 0.3, x), ref.recall(t, z, 0.6, x)])
        metric_of(metrics.Recall(class_id=2), (b, v)) ==> ref.recall(b[:, 2], v[:, 2])
        metric_of(metrics.Recall(top_k=2), (o, q)) ==> np.mean(ref.in_top_k(o.argmax(-1), q, 2))
        metric_of(metrics.TruePositives(), (t, z)) ==> ref.confusion(t, z)[0]
        metric_of(metrics.FalsePositives(thresholds=[0.3, 0.6]), (t, z)) ==> np.array([ref.confusion(t, z, 0.3)[1], ref.confusion(t, z, 0.6)[1]])
        metric_of(metrics.TrueNegatives(), (t, z, x)) ==> ref.confusion(t, z, 0.5, x)[2]
        metric_of(metrics.FalseNegatives(), (b, v, w)) ==> ref.confusion(b, v, 0.5, w)[3]
        metric_of(metrics.AUC(), (t, z)) ==> ref.auc(t, z)
        metric_of(metrics.AUC(num_thresholds=20), (t, z)) ==> ref.auc(t, z, 20)
        metric_of(metrics.AUC(), (t, z, x)) ==> ref.auc(t, z, weights=x)
        metric_of(metrics.AUC(multi_label=True), (b, v)) ==> np.mean([ref.auc(b[:, i], v[:, i]) for i in range(3)])
        metric_of(metrics.AUC(curve="PR"), (t, z)) ==> ?
        metric_of(metrics.AUC(curve="PR", summation_method="majoring"), (t, z)) ==> ?
        metric_of(metrics.AUC(summation_method="minoring"), (t, z)) ==> ?
        metric_of(metrics.AUC(from_logits=True), (t, 4 * z - 2)) ==> ?
        metric_of(metrics.PrecisionAtRecall(0.6), (t, z)) ==> ?
        metric_of(metrics.RecallAtPrecision(0.6), (t, z)) ==> ?
        metric_of(metrics.SensitivityAtSpecificity(0.6), (t, z)) ==> ?
        metric_of(metrics.SpecificityAtSensitivity(0.6), (t, z)) ==> ?
        metric_of(metrics.F1Score(), (o, q)) ==> ref.fbeta(o, q)
        metric_of(metrics.F1Score(threshold=0.5), (b, v)) ==> ref.fbeta(b, v, threshold=0.5)
        metric_of(metrics.F1Score(average="micro", threshold=0.5), (b, v)) ==> ref.fbeta(b, v, threshold=0.5, average="micro")
        metric_of(metrics.F1Score(average="macro", threshold=0.5), (b, v)) ==> ref.fbeta(b, v, threshold=0.5, average="macro")
        metric_of(metrics.F1Score(average="weighted", threshold=0.5), (b, v)) ==> ref.fbeta(b, v, threshold=0.5, average="weighted")
        metric_of(metrics.FBetaScore(beta=2.0, threshold=0.5), (b, v)) ==> ref.fbeta(b, v, 2.0, 0.5)
        metric_of(metrics.IoU(3, [0, 2]), (a, d)) ==> ref.iou(a, d, 3, [0, 2])
        metric_of(metrics.MeanIoU(3), (a, d)) ==> ref.iou(a, d, 3)
        metric_of(metrics.MeanIoU(3, dtype="float32"), (a, d, r)) ==> ref.iou(a, d, 3, weights=r)
        metric_of(metrics.MeanIoU(4), (a, d)) ==> ref.iou(a, d, 4)
        metric_of(metrics.MeanIoU(3, ignore_class=1), (a, d)) ==> ?
        metric_of(metrics.BinaryIoU(), (t, z)) ==> ref.iou(t, z > 0.5, 2)
        metric_of(metrics.BinaryIoU([1], threshold=0.3), (t, z)) ==> ref.iou(t, z > 0.3, 2, [1])
        metric_of(metrics.OneHotIoU(3, [0, 2]), (o, q)) ==> ref.iou(o.argmax(-1), q.argmax(-1), 3, [0, 2])
        metric_of(metrics.OneHotMeanIoU(3), (o, q)) ==> ref.iou(o.argmax(-1), q.argmax(-1), 3)
        metric_of(metrics.OneHotMeanIoU(3, dtype="float32"), (o, q, w)) ==> ref.iou(o.argmax(-1), q.argmax(-1), 3, weights=w)
        metric_of(metrics.R2Score(), (y, p)) ==> ref.r2(y, p)
        metric_of(metrics.R2Score(), (y, p, w)) ==> ref.r2(y, p, w)
        metric_of(metrics.R2Score(class_aggregation=None), (y, p)) ==> 1 - np.sum((y - p) ** 2, 0) / np.sum((y - y.mean(0)) ** 2, 0)
        metric_of(metrics.PearsonCorrelation(), (y, p)) ==> ref.pearson(y, p)
        metric_of(metrics.ConcordanceCorrelation(), (y, p)) ==> ref.concordance(y, p)
        metric_of(metrics.Accuracy(), (a, d)) ==> np.mean(a == d)
        metric_of(metrics.Accuracy(), (a, d, r)) ==> ref.weighted_mean(a == d, r)
        """,
        more, family="metrics", symbolic=False, eager=True,
    )  # fmt: skip
    add(
        """
        metric_of(metrics.Precision(), (e, f)) ==> ref.precision(e, f)
        metric_of(metrics.Recall(), (f, e)) ==> ref.recall(f, e)
        metric_of(metrics.Precision(), (f, 0 * f)) ==> 0.0
        metric_of(metrics.AUC(), (f[0], f[0])) ==> 1.0
        metric_of(metrics.MeanSquaredError(), (e, f, 0 * e[:, 0])) ==> 0.0
        metric_of(metrics.Mean(), (e, 0 * e)) ==> 0.0
        """,
        more, family="metrics", symbolic=False, eager=True, tol=1e4,
    )  # fmt: skip
