"""Losses and metrics: dtypes, and values for predictions in half precision."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, true

LOSSES = [
    *["MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"],
    *["CosineSimilarity", "Huber", "LogCosh", "Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "Poisson"],
    *["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy"],
    *["SparseCategoricalCrossentropy", "Tversky", "Dice", "Circle", "CategoricalGeneralizedCrossEntropy"],
]
METRICS = [
    *["MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCoshError"],
    *["CosineSimilarity", "Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "Poisson", "R2Score"],
    *["BinaryAccuracy", "CategoricalAccuracy", "BinaryCrossentropy", "Precision", "Recall"],
    *[
        "CategoricalCrossentropy",
        "AUC",
        "F1Score",
        "FBetaScore",
        "TruePositives",
        "FalseNegatives",
        "PearsonCorrelation",
    ],
    *["MeanSquaredLogarithmicError", "ConcordanceCorrelation"],
]


def _targets(name):
    """Returns targets and predictions that suit every loss."""
    truth = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "float32")
    said = np.array([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.125, 0.25, 0.625], [0.5, 0.375, 0.125]], "float32")
    if "Percentage" in name:
        truth = truth + 0.5
    if name.startswith(("Sparse", "Circle", "CategoricalGeneralized")):
        truth = truth.argmax(-1)
    return truth, said


def _number(tensor):
    """Returns a scalar tensor as a float; NumPy knows no scalars of bfloat16."""
    return float(array(keras.ops.cast(tensor, "float32")))


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _doubles(name):
    """Raises Lacking where the backend computes with single precision only."""
    if name == "float64" and keras.backend.backend() == "jax":
        raise Lacking("jax computes in float64 only with jax_enable_x64")


@each(loss=LOSSES, dtype=["bfloat16", "float16", "float64"])
def loss_computes_in_its_dtype(loss, dtype):
    """losses.{loss}(dtype="{dtype}") returns it, and is right within its rounding"""
    _doubles(dtype)
    made = need("keras.losses." + loss)
    need("keras.losses.%s(dtype)" % loss)
    truth, said = _targets(loss)
    out = made(dtype=dtype)(truth, said)
    equal(_dtype(out), dtype, "the loss's dtype")
    tolerance = {"bfloat16": 32 * 2.0**-8, "float16": 32 * 2.0**-11, "float64": 1e-5}[dtype]
    close(_number(out), _number(made()(truth, said)), "the loss", tolerance)


@each(loss=LOSSES)
def loss_of_half_predictions_is_float32(loss):
    """losses.{loss} of float16 predictions is computed in float32"""
    made = need("keras.losses." + loss)()
    truth, said = _targets(loss)
    out = made(truth, keras.ops.cast(keras.ops.convert_to_tensor(said), "float16"))
    equal(_dtype(out), "float32", "the loss's dtype")
    close(float(array(out)), float(array(made(truth, said))), "the loss")


@each(form=["policy object", "policy name"])
def loss_takes_a_policy(form):
    """A loss takes dtype as a {form}, and computes in its compute dtype"""
    need("keras.losses.MeanSquaredError(dtype)")
    policy = keras.DTypePolicy("mixed_bfloat16") if form == "policy object" else "mixed_bfloat16"
    loss = keras.losses.MeanSquaredError(dtype=policy)
    equal(_dtype(loss([1.0, 2.0], [1.0, 3.0])), "bfloat16", "the loss's dtype")
    equal(keras.backend.standardize_dtype(loss.dtype), "bfloat16", "loss.dtype")


@each(metric=METRICS, dtype=["float32", "float64"])
def metric_computes_in_its_dtype(metric, dtype):
    """metrics.{metric}(dtype="{dtype}") has it in its state and result"""
    _doubles(dtype)
    made = need("keras.metrics." + metric)(dtype=dtype)
    truth, said = _targets(metric)
    made.update_state(truth, said)
    equal({_dtype(v) for v in made.variables if "float" in _dtype(v)}, {dtype}, "the state's dtype")
    equal(_dtype(keras.ops.convert_to_tensor(made.result())), dtype, "the result's dtype")


@each(metric=METRICS)
def metric_of_half_predictions_is_right(metric):
    """metrics.{metric} of float16 predictions is what it is of float32 ones"""
    truth, said = _targets(metric)
    half, exact = (need("keras.metrics." + metric)() for _ in range(2))
    half.update_state(truth, keras.ops.cast(keras.ops.convert_to_tensor(said), "float16"))
    exact.update_state(truth, said)
    equal(_dtype(keras.ops.convert_to_tensor(half.result())), "float32", "the result's dtype")
    close(half.result(), array(exact.result()), "the result", 8 * 2.0**-11)


@each(metric=["Mean", "Sum", "MeanSquaredError", "BinaryAccuracy", "Precision", "IoU", "AUC"])
def metric_takes_a_policy(metric):
    """metrics.{metric} takes a policy object as its dtype"""
    need("keras.metrics.%s(dtype)" % metric)
    need("keras.DTypePolicy")
    options = {"num_classes": 2, "target_class_ids": [0]} if metric == "IoU" else {}
    made = getattr(keras.metrics, metric)(dtype=keras.DTypePolicy("mixed_bfloat16"), **options)
    made.update_state(*(([1.0],) if metric in ("Mean", "Sum") else ([1.0, 0.0], [1.0, 0.0])))
    close(_number(made.result()), 0.0 if "Error" in metric else 1.0, "the result", 0.01)


@each(metric=["Mean", "Sum", "BinaryAccuracy", "MeanSquaredError"])
def metric_under_a_half_policy_stays_float32(metric):
    """metrics.{metric} made under mixed_float16 counts in float32"""
    keras.config.set_dtype_policy("mixed_float16")
    made = getattr(keras.metrics, metric)()
    equal({_dtype(v) for v in made.variables}, {"float32"}, "the state's dtype")


def mean_of_many_half_losses_does_not_stand_still():
    """metrics.Mean of 3000 float16 ones counts to 3000"""
    made = keras.metrics.Mean()
    ones = keras.ops.ones((300,), dtype="float16")
    for _ in range(10):
        made.update_state(ones)
    close(float(array(made.count)), 3000.0, "the count")
    close(_number(made.result()), 1.0, "the mean")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def fit_reports_float32_losses(policy):
    """The loss that fit reports of a {policy} model is that of float32 within rounding"""

    def history(name):
        keras.config.set_dtype_policy(name)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
        x = np.array([[0.5, 1.0], [1.5, -1.0], [2.0, 0.25], [1.0, 1.0]], "float32")
        return model.fit(x, np.zeros((4, 1), "float32"), batch_size=2, verbose=0).history

    close(history(policy), history("float32"), "history", 0.01)


@each(policy=["mixed_float16", "mixed_bfloat16"])
def sums_of_half_losses_do_not_overflow(policy):
    """The mean squared error of a {policy} model does not overflow"""
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    loss = float(model.evaluate(np.full((4, 1), 512.0, "float32"), np.zeros((4, 1), "float32"), verbose=0))
    close(loss, 512.0**2, "the loss")


@each(dtype=["float16", "bfloat16"], logits=[True, False])
def crossentropies_of_sure_predictions_are_finite(dtype, logits):
    """Crossentropies of sure and wrong {dtype} predictions are finite ({logits})"""
    said = keras.ops.convert_to_tensor([[200.0, -200.0]] if logits else [[1.0, 0.0]], dtype=dtype)
    for name in ("binary_crossentropy", "categorical_crossentropy"):
        out = array(getattr(keras.losses, name)(np.array([[0.0, 1.0]], "float32"), said, from_logits=logits))
        true(bool(np.isfinite(out.astype("float64")).all()), "%s is finite" % name)
        true(float(out.astype("float64").mean()) > 5.0, "%s is large" % name)


@each(dtype=["float16", "bfloat16"], smoothing=[0.0, 0.1])
def crossentropy_with_smoothing_keeps_its_targets(dtype, smoothing):
    """label_smoothing={smoothing} with {dtype} predictions is right"""
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    truth, said = _targets("CategoricalCrossentropy")
    half = loss(truth, keras.ops.cast(keras.ops.convert_to_tensor(said), dtype))
    close(_number(half), float(array(loss(truth, said))), "the loss", 0.01)


def sparse_labels_are_not_rounded():
    """SparseCategoricalCrossentropy in bfloat16 knows the class 257 of 300"""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="bfloat16")
    logits = np.zeros((1, 300), "float32")
    logits[0, 257] = 20.0
    true(_number(loss(np.array([257]), logits)) < 0.1, "the loss of a sure, right one is small")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def sample_weights_are_not_rounded(policy):
    """Sample weights of a {policy} model count in float32"""
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, weights = np.ones((2, 1), "float32"), np.array([1.001, 0.997], "float32")
    loss = float(model.evaluate(x, np.zeros((2, 1), "float32"), sample_weight=weights, verbose=0))
    close(loss, float(weights.sum() / 2), "the loss", 1e-5)
