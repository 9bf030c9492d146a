"""Losses called directly, against NumPy in float64."""

from __future__ import annotations

import itertools

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, numbers, refuses, true

_EPSILON = 1e-7


def _softplus(x):
    return np.logaddexp(0.0, x)


def _clipped(p):
    return np.clip(p, _EPSILON, 1 - _EPSILON)


def _unit(x):
    return x / np.sqrt(np.sum(x * x, -1, keepdims=True))


def _shares(p):
    return p / np.sum(p, -1, keepdims=True)


_NUMPY = {
    "MeanSquaredError": lambda t, p: np.mean((t - p) ** 2, -1),
    "MeanAbsoluteError": lambda t, p: np.mean(abs(t - p), -1),
    "MeanAbsolutePercentageError": lambda t, p: 100 * np.mean(abs(t - p) / np.maximum(abs(t), _EPSILON), -1),
    "MeanSquaredLogarithmicError": lambda t, p: np.mean((np.log(t + 1) - np.log(p + 1)) ** 2, -1),
    "CosineSimilarity": lambda t, p: -np.sum(_unit(t) * _unit(p), -1),
    "Huber": lambda t, p: np.mean(np.where(abs(t - p) <= 1, (t - p) ** 2 / 2, abs(t - p) - 0.5), -1),
    "LogCosh": lambda t, p: np.mean(np.log(np.cosh(p - t)), -1),
    "Poisson": lambda t, p: np.mean(p - t * np.log(p + _EPSILON), -1),
    "KLDivergence": lambda t, p: np.sum(
        np.clip(t, _EPSILON, 1) * np.log(np.clip(t, _EPSILON, 1) / np.clip(p, _EPSILON, 1)), -1
    ),
    "Hinge": lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0), -1),
    "SquaredHinge": lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0) ** 2, -1),
    "CategoricalHinge": lambda t, p: np.maximum(np.max((1 - t) * p, -1) - np.sum(t * p, -1) + 1, 0),
    "BinaryCrossentropy": lambda t, p: np.mean(-t * np.log(_clipped(p)) - (1 - t) * np.log(1 - _clipped(p)), -1),
    "BinaryFocalCrossentropy": lambda t, p: np.mean(
        (1 - (t * p + (1 - t) * (1 - p))) ** 2 * (-t * np.log(p) - (1 - t) * np.log(1 - p)), -1
    ),
    "CategoricalCrossentropy": lambda t, p: -np.sum(t * np.log(_shares(p)), -1),
    "CategoricalFocalCrossentropy": lambda t, p: np.sum(0.25 * (1 - _shares(p)) ** 2 * -t * np.log(_shares(p)), -1),
    "SparseCategoricalCrossentropy": lambda t, p: -np.log(np.take_along_axis(_shares(p), t[..., None], -1))[..., 0],
    "CategoricalGeneralizedCrossEntropy": lambda t, p: 2 - 2 * np.take_along_axis(p, t[..., None], -1)[..., 0] ** 0.5,
}
"""Loss per sample, of float64 targets and predictions (classes in the sparse ones)."""

_POSITIVE = (
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "KLDivergence",
)
_BINARY = ("Hinge", "SquaredHinge", "BinaryCrossentropy", "BinaryFocalCrossentropy")
_ONE_HOT = (
    "CategoricalHinge",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
)
_SPARSE = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")
_ALL = list(_NUMPY)
_REDUCTIONS = ["sum_over_batch_size", "sum", "none", "mean", "mean_with_sample_weight"]
_FUNCTIONS = {
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
    "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError",
    "cosine_similarity": "CosineSimilarity",
    "huber": "Huber",
    "log_cosh": "LogCosh",
    "poisson": "Poisson",
    "kl_divergence": "KLDivergence",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "categorical_hinge": "CategoricalHinge",
    "binary_crossentropy": "BinaryCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}


def _pair(name, shape=(4, 3)):
    """Returns targets and predictions that suit the loss of that name."""
    raw = numbers(*shape, seed=3)
    probabilities = (0.1 + 0.8 / (1 + np.exp(-raw))).astype("float32")
    classes = np.random.RandomState(4).randint(0, shape[-1], shape[:-1])
    if name in _BINARY:
        return (numbers(*shape, seed=5) > 0).astype("float32"), probabilities
    if name in _ONE_HOT:
        shares = probabilities / probabilities.sum(-1, keepdims=True)
        return np.eye(shape[-1], dtype="float32")[classes], shares
    if name in _SPARSE:
        return classes, probabilities / probabilities.sum(-1, keepdims=True)
    if name in _POSITIVE:
        return (0.1 + 0.9 / (1 + np.exp(-numbers(*shape, seed=5)))).astype("float32"), probabilities
    return 2 * numbers(*shape, seed=5), raw


def _per_sample(name, t, p):
    """Returns the loss of each sample in float64."""
    return _NUMPY[name](t if t.dtype.kind == "i" else t.astype("float64"), p.astype("float64"))


def _reduced(values, weights, reduction):
    """Returns weighted values after the reduction of that name."""
    weighted = values * (1 if weights is None else weights)
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return weighted.sum()
    if reduction == "mean_with_sample_weight" and weights is not None:
        return weighted.sum() / np.sum(np.broadcast_to(weights, np.shape(weights)))
    return weighted.sum() / weighted.size


@each(loss=_ALL, reduction=["sum_over_batch_size", "none"])
def loss_equals_numpy(loss, reduction):
    """losses.{loss}(reduction={reduction}) equals its formula in float64"""
    made = need("keras.losses." + loss)
    if reduction in ("mean", "mean_with_sample_weight"):
        need("keras.losses.CategoricalGeneralizedCrossEntropy")
    t, p = _pair(loss)
    close(made(reduction=reduction)(t, p), _reduced(_per_sample(loss, t, p), None, reduction), tolerance=3e-5)


@each(loss=_ALL, reduction=_REDUCTIONS)
def loss_with_sample_weight_equals_numpy(loss, reduction):
    """losses.{loss}(reduction={reduction}) weights samples by sample_weight"""
    made = need("keras.losses." + loss)
    if reduction in ("mean", "mean_with_sample_weight"):
        need("keras.losses.CategoricalGeneralizedCrossEntropy")
    t, p = _pair(loss)
    weights = np.array([1.0, 0.0, 2.5, 0.5], "float32")
    found = made(reduction=reduction)(t, p, sample_weight=weights)
    close(found, _reduced(_per_sample(loss, t, p), weights, reduction), tolerance=3e-5)


@each(loss=_ALL)
def loss_takes_weights_of_one_column(loss):
    """losses.{loss} takes a sample_weight of shape (samples, 1)"""
    t, p = _pair(loss)
    weights = np.array([[1.0], [0.0], [2.5], [0.5]], "float32")
    found = need("keras.losses." + loss)()(t, p, sample_weight=weights)
    close(found, np.mean(_per_sample(loss, t, p) * weights[:, 0]), tolerance=3e-5)


@each(loss=_ALL)
def loss_takes_a_weight_per_step(loss):
    """losses.{loss} takes a sample_weight per sample and step of a sequence"""
    t, p = _pair(loss, (2, 4, 3))
    weights = np.array([[1.0, 0.0, 2.5, 0.5], [0.0, 0.0, 1.0, 3.0]], "float32")
    found = need("keras.losses." + loss)()(t, p, sample_weight=weights)
    close(found, np.mean(_per_sample(loss, t, p) * weights), tolerance=3e-5)


@each(loss=_ALL)
def loss_takes_a_weight_per_sample_of_steps(loss):
    """losses.{loss} takes one sample_weight per sequence, as shape (samples, 1)"""
    t, p = _pair(loss, (2, 4, 3))
    weights = np.array([[2.0], [0.5]], "float32")
    found = need("keras.losses." + loss)()(t, p, sample_weight=weights)
    close(found, np.mean(_per_sample(loss, t, p) * weights), tolerance=3e-5)


@each(loss=_ALL)
def loss_weight_can_be_a_number(loss):
    """losses.{loss} takes a plain number as sample_weight"""
    t, p = _pair(loss)
    found = need("keras.losses." + loss)()(t, p, sample_weight=2.5)
    close(found, 2.5 * np.mean(_per_sample(loss, t, p)), tolerance=3e-5)


@each(loss=_ALL)
def loss_of_weights_zero_is_zero(loss):
    """losses.{loss} is 0 where every sample_weight is 0, under every reduction"""
    t, p = _pair(loss)
    for reduction in _REDUCTIONS[: 5 if hasattr(keras.losses, "CategoricalGeneralizedCrossEntropy") else 2]:
        found = need("keras.losses." + loss)(reduction=reduction)(t, p, sample_weight=np.zeros(4, "float32"))
        equal(float(np.sum(array(found))), 0.0, "the loss of reduction %s" % reduction)


@each(loss=_ALL, kind=["float64", "float16", "tensor"])
def loss_takes_inputs(loss, kind):
    """losses.{loss} takes targets and predictions as {kind}"""
    t, p = _pair(loss)
    expected = np.mean(_per_sample(loss, t, p))
    made = need("keras.losses." + loss)()
    floats = t.dtype.kind == "f"
    if kind == "tensor":
        found = made(keras.ops.convert_to_tensor(t), keras.ops.convert_to_tensor(p))
    else:
        found = made(t.astype(kind) if floats else t, p.astype(kind))
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "its dtype")
    close(found, expected, tolerance=5e-3 if kind == "float16" else 3e-5)


@each(loss=["BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge", "SquaredHinge", "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy", "CategoricalHinge"], dtype=["int32", "bool", "uint8"])  # fmt: skip
def loss_takes_integer_targets(loss, dtype):
    """losses.{loss} takes targets of dtype {dtype}"""
    t, p = _pair(loss)
    found = need("keras.losses." + loss)()(t.astype(dtype), p)
    close(found, np.mean(_per_sample(loss, t, p)), tolerance=3e-5)


@each(dtype=["int64", "int32", "uint8", "float32"], column=[0, 1])
def sparse_crossentropy_takes_classes(dtype, column):
    """sparse categorical crossentropy takes classes as {dtype}, column: {column}"""
    t, p = _pair("SparseCategoricalCrossentropy")
    classes = t.astype(dtype)[:, None] if column else t.astype(dtype)
    found = keras.losses.SparseCategoricalCrossentropy(reduction="none")(classes, p)
    close(found, _per_sample("SparseCategoricalCrossentropy", t, p), tolerance=3e-5)


@each(loss=[n for n in _ALL if n not in (*_ONE_HOT, *_SPARSE, "CosineSimilarity", "KLDivergence")])
def loss_of_flat_targets(loss):
    """losses.{loss} takes targets (samples,) with predictions (samples, 1)"""
    t, p = _pair(loss, (4, 1))
    made = need("keras.losses." + loss)
    expected = np.mean(_per_sample(loss, t, p))
    close(made()(t[:, 0], p), expected, "flat targets", tolerance=3e-5)
    close(made()(t, p[:, 0]), expected, "flat predictions", tolerance=3e-5)
    found = made()(t[:, 0], p, sample_weight=np.array([1.0, 0.0, 2.0, 3.0], "float32"))
    close(found, np.mean(_per_sample(loss, t, p) * [1, 0, 2, 3]), "flat targets and weights", tolerance=3e-5)


@each(function=list(_FUNCTIONS), shape=["(3,)", "(2, 4, 3)", "(2, 1, 2, 3)"])
def loss_function_keeps_the_leading_shape(function, shape):
    """losses.{function} of inputs {shape} reduces the last axis only"""
    name, shape = _FUNCTIONS[function], tuple(int(n) for n in shape.strip("(),").split(","))
    t, p = _pair(name, shape)
    close(need("keras.losses." + function)(t, p), _per_sample(name, t, p), tolerance=3e-5)


@each(alias=["mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "kld", "KLD", "bce", "BCE", *_FUNCTIONS])
def loss_by_its_name(alias):
    """losses.get({alias}) gives the function of that name"""
    names = {"mse": "MeanSquaredError", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
             "msle": "MeanSquaredLogarithmicError", "kld": "KLDivergence", "bce": "BinaryCrossentropy"}  # fmt: skip
    if alias in _FUNCTIONS:
        need("keras.losses." + alias)
    name = _FUNCTIONS.get(alias, names.get(alias.lower()))
    t, p = _pair(name)
    close(keras.losses.get(alias)(t, p), _per_sample(name, t, p), tolerance=3e-5)


@each(loss=_ALL)
def loss_by_its_class_name(loss):
    """losses.get of the class name {loss} gives a Loss"""
    need("keras.losses." + loss)
    t, p = _pair(loss)
    found = keras.losses.get(loss)
    found = found() if isinstance(found, type) else found
    close(np.mean(array(found(t, p))), np.mean(_per_sample(loss, t, p)), tolerance=3e-5)


@each(name=["nonesuch", "", 3.5])
def loss_of_an_unknown_name(name):
    """losses.get({name}) is refused"""
    refuses(lambda: keras.losses.get(name), "an unknown loss")


_OPTIONS = {
    "MeanSquaredError": {},
    "CosineSimilarity": {"axis": 1},
    "Huber": {"delta": 0.3},
    "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "BinaryFocalCrossentropy": {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1},
    "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.2},
    "CategoricalFocalCrossentropy": {"alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1},
    "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 1},
    "Tversky": {"alpha": 0.3, "beta": 0.8},
    "Dice": {},
    "CategoricalGeneralizedCrossEntropy": {"q": 0.3},
    "Circle": {"gamma": 10.0, "margin": 0.3, "remove_diagonal": False},
}


@each(loss=list(_OPTIONS), way=["config", "serialize"])
def loss_comes_back_from_its_config(loss, way):
    """losses.{loss} with every option set is the same after {way}"""
    made = need("keras.losses." + loss)
    asked = dict(_OPTIONS[loss])
    first = made(name="mine", reduction="sum", **asked)
    if way == "config":
        second = made.from_config(first.get_config())
    else:
        second = keras.losses.deserialize(keras.losses.serialize(first))
    equal(second.name, "mine", "its name")
    equal(second.reduction, "sum", "its reduction")
    for key, value in asked.items():
        equal(second.get_config()[key], value, key)
    if loss != "Circle":
        t, p = _pair(loss)
        equal(second(t, p), first(t, p), "the loss")


@each(loss=_ALL, dtype=["float16"])
def loss_computes_in_its_dtype(loss, dtype):
    """losses.{loss}(dtype={dtype}) gives a result of that dtype"""
    made = need("keras.losses.%s" % loss)
    need("keras.losses.CategoricalGeneralizedCrossEntropy")
    t, p = _pair(loss)
    found = made(dtype=dtype)(t, p)
    equal(keras.backend.standardize_dtype(found.dtype), dtype, "its dtype")
    close(keras.ops.cast(found, "float32"), np.mean(_per_sample(loss, t, p)), tolerance=0.1)


@each(axis=[0, 1, -1, -2])
def cosine_similarity_over_an_axis(axis):
    """losses.CosineSimilarity(axis={axis}) reduces that axis"""
    t, p = _pair("CosineSimilarity", (4, 3, 2))
    a, b = t.astype("float64"), p.astype("float64")
    a, b = (x / np.sqrt(np.sum(x * x, axis, keepdims=True)) for x in (a, b))
    expected = -np.sum(a * b, axis)
    close(keras.losses.CosineSimilarity(axis=axis, reduction="none")(t, p), expected, tolerance=3e-5)
    close(keras.losses.cosine_similarity(t, p, axis=axis), expected, "the function", tolerance=3e-5)


@each(loss=["CategoricalCrossentropy", "CategoricalFocalCrossentropy"],
      axis=[1, -2], logits=[0, 1])  # fmt: skip
def crossentropy_over_an_axis(loss, axis, logits):
    """losses.{loss}(axis={axis}, from_logits={logits}) takes classes along that axis"""
    t, p = _pair(loss, (2, 4, 3))
    expected = _per_sample(loss, t, p)
    p = np.log(p) if logits else p
    moved = np.moveaxis(p, -1, 1), np.moveaxis(t, -1, 1)
    made = need("keras.losses.%s(axis)" % loss)
    found = made(axis=axis, from_logits=bool(logits), reduction="none")(moved[1], moved[0])
    close(found, expected, tolerance=3e-5)


@each(loss=["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy", "SparseCategoricalCrossentropy"])  # fmt: skip
def crossentropy_of_logits(loss):
    """losses.{loss}(from_logits=True) of logits equals that of probabilities"""
    t, p = _pair(loss)
    p64 = p.astype("float64")
    logits = (np.log(p64) - np.log(1 - p64) if loss.startswith("Binary") else np.log(p64)).astype("float32")
    found = need("keras.losses." + loss)(from_logits=True, reduction="none")(t, logits)
    close(found, _per_sample(loss, t, p), tolerance=3e-5)


@each(loss=["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy"])  # fmt: skip
def label_smoothing_blends_the_targets(loss):
    """losses.{loss}(label_smoothing=0.2) is the loss of blended targets"""
    t, p = _pair(loss)
    blended = t * 0.8 + 0.2 * (0.5 if loss.startswith("Binary") else 1 / 3)
    made = need("keras.losses." + loss)
    close(made(label_smoothing=0.2)(t, p), np.mean(_per_sample(loss, blended, p)), tolerance=3e-5)


@each(delta=[0.3, 2.0])
def huber_bends_at_delta(delta):
    """losses.Huber(delta={delta}) is quadratic below delta and linear above"""
    t, p = _pair("Huber")
    off = abs(t.astype("float64") - p)
    expected = np.mean(np.where(off <= delta, off**2 / 2, delta * off - delta**2 / 2))
    close(keras.losses.Huber(delta=delta)(t, p), expected, tolerance=3e-5)


@each(alpha=[0.25, 0.6], gamma=[0.0, 1.5])
def focal_loss_balances_classes(alpha, gamma):
    """BinaryFocalCrossentropy(apply_class_balancing, {alpha}, {gamma}) has its formula"""
    t, p = _pair("BinaryFocalCrossentropy")
    right = t * p.astype("float64") + (1 - t) * (1 - p.astype("float64"))
    expected = np.mean((t * alpha + (1 - t) * (1 - alpha)) * (1 - right) ** gamma * -np.log(right))
    made = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=alpha, gamma=gamma)
    close(made(t, p), expected, tolerance=3e-5)


@each(shape=["(4, 3)", "(2, 4, 3)", "(2, 2, 2, 3)"], logits=[0, 1])
def ignored_class_counts_zero(shape, logits):
    """SparseCategoricalCrossentropy(ignore_class=1) gives 0 there, inputs {shape}"""
    shape = tuple(int(n) for n in shape.strip("()").split(","))
    t, p = _pair("SparseCategoricalCrossentropy", shape)
    expected = np.where(t == 1, 0.0, _per_sample("SparseCategoricalCrossentropy", t, p))
    given = np.log(p) if logits else p
    made = keras.losses.sparse_categorical_crossentropy
    close(made(t, given, from_logits=bool(logits), ignore_class=1), expected, tolerance=3e-5)


@each(ignored=[-1, 255])
def ignored_class_may_be_no_class(ignored):
    """SparseCategoricalCrossentropy(ignore_class={ignored}) skips such targets"""
    t, p = _pair("SparseCategoricalCrossentropy")
    marked = t.copy()
    marked[1] = ignored
    found = keras.losses.SparseCategoricalCrossentropy(ignore_class=ignored, reduction="none")(marked, p)
    expected = _per_sample("SparseCategoricalCrossentropy", t, p)
    expected[1] = 0.0
    close(found, expected, tolerance=3e-5)
    true(
        np.isfinite(float(keras.losses.SparseCategoricalCrossentropy(ignore_class=ignored)(marked, p))), "it is finite"
    )


def _overlap(t, p, axis):
    return [np.sum(x, axis) for x in (t * p, t, p)]


@each(axis=["None", "(1, 2)", "(1, 2, 3)"])
def dice_has_its_formula(axis):
    """losses.Dice(axis={axis}) is one minus twice the overlap over the sum"""
    made, t, p = need("keras.losses.Dice"), *_pair("BinaryCrossentropy", (2, 2, 2, 3))
    axis = None if axis == "None" else tuple(int(n) for n in axis.strip("()").split(","))
    if axis:
        need("keras.losses.Dice(axis)")
    both, one, other = _overlap(t.astype("float64"), p.astype("float64"), axis)
    expected = 1 - (2 * both + _EPSILON) / (one + other + _EPSILON)
    close(made(**({"axis": axis} if axis else {}), reduction="none")(t, p), expected, tolerance=3e-5)


@each(weight=[0.5, 0.3, 1.0], axis=["None", "(1, 2, 3)"])
def tversky_has_its_formula(weight, axis):
    """losses.Tversky(alpha={weight}, beta={weight}, axis={axis}) has its formula"""
    made, t, p = need("keras.losses.Tversky"), *_pair("BinaryCrossentropy", (2, 2, 2, 3))
    axis = None if axis == "None" else tuple(int(n) for n in axis.strip("()").split(","))
    if axis:
        need("keras.losses.Tversky(axis)")
    both, one, other = _overlap(t.astype("float64"), p.astype("float64"), axis)
    expected = 1 - both / (both + weight * (one + other - 2 * both))
    options = {"axis": axis} if axis else {}
    close(made(alpha=weight, beta=weight, reduction="none", **options)(t, p), expected, tolerance=3e-5)


def tversky_alpha_weights_false_positives():
    """losses.Tversky weights false positives by alpha, and false negatives by beta"""
    made = need("keras.losses.Tversky")
    t, p = np.array([[1.0, 0.0, 0.0]], "float32"), np.array([[1.0, 1.0, 1.0]], "float32")
    close(made(alpha=0.25, beta=2.0)(t, p), 1 - 1 / (1 + 0.25 * 2), "two false positives, no false negative")


@each(q=[0.3, 0.9])
def generalized_crossentropy_has_its_formula(q):
    """CategoricalGeneralizedCrossEntropy(q={q}) is (1 - p ** q) / q"""
    made = need("keras.losses.CategoricalGeneralizedCrossEntropy")
    t, p = _pair("CategoricalGeneralizedCrossEntropy")
    right = np.take_along_axis(p.astype("float64"), t[:, None], -1)[:, 0]
    close(made(q=q, reduction="none")(t, p), (1 - right**q) / q, tolerance=3e-5)
    refuses(lambda: made(q=1.5), "q above 1")


def _ctc(target, shares):
    """Returns the CTC loss of one sample, by all paths; class 0 is the blank."""
    total = 0.0
    for path in itertools.product(range(shares.shape[1]), repeat=len(shares)):
        merged = [c for i, c in enumerate(path) if i == 0 or c != path[i - 1]]
        if [c for c in merged if c] == list(target):
            total += np.prod([shares[i, c] for i, c in enumerate(path)])
    return -np.log(total)


@each(reduction=["none", "sum", "sum_over_batch_size"])
def ctc_sums_all_paths(reduction):
    """losses.CTC(reduction={reduction}) is the log of the sum over all alignments"""
    made = need("keras.losses.CTC")
    targets, logits = np.array([[1, 2], [2, 0], [1, 1]]), numbers(3, 4, 3, seed=8)
    shares = np.exp(logits.astype("float64"))
    shares /= shares.sum(-1, keepdims=True)
    expected = np.array([_ctc([c for c in t if c], s) for t, s in zip(targets, shares)])
    close(made(reduction=reduction)(targets, logits), _reduced(expected, None, reduction), tolerance=1e-4)


@each(reduction=["mean_over", "SUM", "average"])
def loss_refuses_an_unknown_reduction(reduction):
    """a loss refuses reduction={reduction}"""
    refuses(lambda: keras.losses.MeanSquaredError(reduction=reduction), "an unknown reduction")


def loss_subclass_is_reduced():
    """a Loss subclass gives values per sample, which are weighted and reduced"""

    class Cubed(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    t, p = _pair("MeanSquaredError")
    each_one = np.mean(abs(t.astype("float64") - p) ** 3, -1)
    close(Cubed()(t, p), each_one.mean(), "the mean", tolerance=3e-5)
    close(Cubed(reduction="sum")(t, p, sample_weight=[1, 0, 2, 1]), (each_one * [1, 0, 2, 1]).sum(), tolerance=3e-5)
    close(Cubed(reduction=None)(t, p), each_one, "no reduction", tolerance=3e-5)


def loss_of_nested_values_per_leaf():
    """a Loss subclass is handed y_true and y_pred as tensors of the loss's dtype"""
    seen = []

    class Noted(keras.losses.Loss):
        def call(self, y_true, y_pred):
            seen.extend([keras.backend.standardize_dtype(y_true.dtype), keras.backend.standardize_dtype(y_pred.dtype)])
            return keras.ops.mean(y_true - y_pred, axis=-1)

    Noted()(np.ones((2, 3), "int32"), np.ones((2, 3), "float16"))
    equal(seen, ["float32", "float32"], "the dtypes in call")


@each(loss=["MeanSquaredError", "BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"])
def loss_refuses_shapes_that_do_not_fit(loss):
    """losses.{loss} refuses targets whose batch differs from that of predictions"""
    t, p = _pair(loss)
    refuses(lambda: float(need("keras.losses." + loss)()(t[:3], p)), "3 targets and 4 predictions", errors=(Exception,))


@each(logits=[0, 1])
def crossentropy_of_certain_predictions_is_finite(logits):
    """crossentropies of certain, wrong predictions are large and finite"""
    p = np.array([[1e3, -1e3], [-1e3, 1e3]] if logits else [[1.0, 0.0], [0.0, 1.0]], "float32")
    t = np.array([[0.0, 1.0], [1.0, 0.0]], "float32")
    for name in ("BinaryCrossentropy", "CategoricalCrossentropy", "BinaryFocalCrossentropy",
                 "CategoricalFocalCrossentropy"):  # fmt: skip
        found = float(getattr(keras.losses, name)(from_logits=bool(logits))(t, p))
        true(np.isfinite(found) and found > 1, "%s is finite and above 1 (found %r)" % (name, found))
    sparse = float(keras.losses.SparseCategoricalCrossentropy(from_logits=bool(logits))(np.array([1, 0]), p))
    true(np.isfinite(sparse) and sparse > 1, "the sparse one is finite and above 1 (found %r)" % sparse)


@each(loss=["mean_absolute_percentage_error", "mean_squared_logarithmic_error", "poisson", "kl_divergence",
            "cosine_similarity", "huber", "log_cosh"])  # fmt: skip
def loss_of_zeros_is_finite(loss):
    """losses.{loss} of predictions and targets 0 is finite"""
    zeros = np.zeros((2, 3), "float32")
    found = array(getattr(keras.losses, loss)(zeros, zeros))
    true(np.isfinite(found).all(), "it is finite (found %s)" % found)
