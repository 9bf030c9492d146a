"""Odd values for functions and layers that are usual otherwise."""

from __future__ import annotations

import itertools

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true

TYPES = ["float16", "bfloat16", "float32", "int8", "uint8", "int32", "bool"]


@each(value=["1", "2.0", "True", "[1, 2]", "[1.0, 2.0]", "np.float64(2.0)", "np.int64(3)", "np.ones((2,), 'int64')"],
      dtype=TYPES)  # fmt: skip
def a_given_type_is_the_tensors(value, dtype):
    """ops.convert_to_tensor({value}, dtype={dtype}) has that type and value"""
    made = keras.ops.convert_to_tensor(eval(value), dtype=dtype)  # noqa: S307 - texts of this module
    equal(keras.backend.standardize_dtype(made.dtype), dtype, "type")
    expected = np.asarray(eval(value)).astype(bool if dtype == "bool" else "float64")  # noqa: S307
    close(array(keras.ops.cast(made, "float32")), expected.astype("float32"), "value")


@each(layer=["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"],
      types=["float16 bfloat16", "float32 bfloat16", "float32 float16"])  # fmt: skip
def merged_types_do_not_depend_on_the_order(layer, types):
    """layers.{layer} of {types} has one type, whichever comes first"""
    tensors = [keras.ops.ones((2, 3), dtype) for dtype in types.split()]
    made = getattr(keras.layers, layer)
    found = [keras.backend.standardize_dtype(made(autocast=False)(order).dtype) for order in (tensors, tensors[::-1])]
    equal(found[0], found[1], "type with the order turned round")


METRICS = ["Accuracy", "AUC", "BinaryAccuracy", "BinaryIoU", "CategoricalAccuracy", "CosineSimilarity", "F1Score",
           "FalseNegatives", "FalsePositives", "Hinge", "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError",
           "MeanSquaredError", "Precision", "R2Score", "Recall", "RootMeanSquaredError", "Sum",
           "TrueNegatives", "TruePositives", "ConcordanceCorrelation", "PearsonCorrelation"]  # fmt: skip


@each(metric=METRICS)
def a_reset_metric_is_a_new_one(metric):
    """metrics.{metric} after reset_state has the variables of a new one"""
    kind = need("keras.metrics." + metric)
    truth = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    scores = np.abs(numbers(4, 3)) / 4
    given_ = (scores,) if metric in ("Mean", "Sum") else (truth, scores)
    made = kind()
    made.update_state(*given_)
    once = array(made.result())
    made.reset_state()
    true(all(not np.any(array(v)) for v in made.variables), "every variable is zero again")
    made.update_state(*given_)
    close(array(made.result()), once, "the result after the reset")


@each(form=["list", "dict", "nested"])
def results_of_evaluate_begin_with_the_loss(form):
    """evaluate returns the loss, then the same figures as by name: metrics as {form}"""
    x = keras.Input((3,))
    outputs = [keras.layers.Dense(2, name="b")(x), keras.layers.Dense(2, name="a")(x)]
    model = given(keras.Model(x, outputs))
    metrics = {"list": [["mae"], ["mse"]], "dict": {"a": ["mae"], "b": ["mse"]},
               "nested": [["mae", "mse"], ["mse", "mae"]]}[form]  # fmt: skip
    model.compile("sgd", ["mse", "mae"], metrics=metrics)
    data = numbers(4, 3), [numbers(4, 2, seed=1), numbers(4, 2, seed=2)]
    listed = model.evaluate(*data, verbose=0)
    named = model.evaluate(*data, verbose=0, return_dict=True)
    close(sorted(listed), sorted(named.values()), "the figures")
    close(listed[0], named["loss"], "the first, the loss")


MASKS = ["query", "value", "key", "attention", "causal"]


@each(masks=[" ".join(some) for n in (1, 2, 3) for some in itertools.combinations(MASKS, n)])
def attention_masks_are_combined(masks):
    """MultiHeadAttention with masks of {masks} attends to what all of them allow"""
    q, v = numbers(2, 4, 6, seed=1), numbers(2, 4, 6, seed=2)
    layer = keras.layers.MultiHeadAttention(2, 3)
    layer(q, v)
    given(layer)
    rows = np.array([[True, True, True, False], [True, True, False, False]])
    full = np.arange(16).reshape(4, 4)[None] % 5 != 3
    parts = {
        "query": rows[:, :, None], "value": rows[::-1, None, :], "key": rows[:, None, :], "attention": full,
        "causal": np.tril(np.ones((4, 4), bool))[None],
    }  # fmt: skip
    allowed = np.ones((2, 4, 4), bool)
    for name in masks.split():
        allowed = allowed & parts[name]
    options = {"query_mask": rows, "value_mask": rows[::-1].copy(), "key_mask": rows}
    options = {key: value for key, value in options.items() if key.partition("_")[0] in masks.split()}
    if "attention" in masks.split():
        options["attention_mask"] = full
    if "causal" in masks.split():
        options["use_causal_mask"] = True
    _output, scores = layer(q, v, return_attention_scores=True, **options)
    scores = array(scores)
    seen = allowed.any(-1)  # a row that may attend to nothing promises nothing
    true(np.all(scores.transpose(0, 2, 3, 1)[seen][~allowed[seen]] < 1e-6), "no score where a mask forbids it")
    close(scores.sum(-1).transpose(0, 2, 1)[seen], np.ones((int(seen.sum()), 2), "float32"), "sums of scores")


@each(shape=["(2,)", "(2, 3)", "(2, 1, 3)", "(None, 1, None)", "(2, 1, 4)", "'x'", "(2, 0, 4)", "(2.0, 1, 4)"])
def noise_shape_is_checked(shape):
    """Dropout(noise_shape={shape}) is used, or refused"""
    value = eval(shape)  # noqa: S307 - a text of this module
    data = np.ones((2, 3, 4), "float32")
    fits = (
        isinstance(value, tuple)
        and len(value) == 3
        and all(n is None or (isinstance(n, int) and n in (1, m)) for n, m in zip(value, data.shape))
    )

    def use():
        return array(keras.layers.Dropout(0.5, noise_shape=value, seed=1)(data, training=True))

    if fits:
        found = use()
        equal(found.shape, data.shape, "shape")
        true((found == found[:, :1]).all(), "one draw for all of axis 1")
    else:
        refuses(use, shape, (Exception,))


def pipeline_leaves_its_configuration_alone():
    """Pipeline.from_config leaves what it is given, and refuses nonsense"""
    kind = need("keras.layers.Pipeline")
    made = kind([keras.layers.Rescaling(0.5), keras.layers.Rescaling(2.0)])
    config = made.get_config()
    before = str(config)
    found = kind.from_config(config)
    equal(str(config), before, "the configuration")
    close(array(found(numbers(2, 3))), numbers(2, 3), "the output")
    refuses(lambda: kind.from_config({**config, "layers": "nonsense"}), "layers as text", (Exception,))


@each(order=["float16 bfloat16", "bfloat16 float16", "int8 float16", "uint8 int8", "bool int32", "int64 float32"])
def promotion_does_not_depend_on_the_order(order):
    """ops.add of {order} has the type of the reverse, and what is promised"""
    one, two = order.split()
    found = [
        keras.backend.standardize_dtype(keras.ops.add(keras.ops.ones((2,), a), keras.ops.ones((2,), b)).dtype)
        for a, b in ((one, two), (two, one))
    ]
    equal(found[0], found[1], "type")
    promised = keras.ops.add(keras.KerasTensor((2,), one), keras.KerasTensor((2,), two)).dtype
    if keras.config.backend() == "jax" and "64" in order:
        raise Lacking("jax has no 64 bits by default")
    equal(found[0], promised, "the promised type")


@each(axis=[1, -1, 2])
def sparse_classes_are_squeezed_along_their_axis(axis):
    """sparse_categorical_crossentropy(axis={axis}) takes singletons there"""
    scores = np.abs(numbers(2, 3, 4)) + 0.1
    scores = scores / scores.sum(axis, keepdims=True)
    shape = [2, 3, 4]
    classes = shape.pop(axis if axis > 0 else 2)
    truth = np.random.RandomState(1).randint(0, classes, shape)
    loss = keras.losses.sparse_categorical_crossentropy
    expected = -np.log(np.take_along_axis(scores, np.expand_dims(truth, axis), axis)).squeeze(axis)
    close(array(loss(truth, scores, axis=axis)), expected, "without the axis", tolerance=1e-4)
    close(array(loss(np.expand_dims(truth, axis), scores, axis=axis)), expected, "with it", tolerance=1e-4)


def names_of_lora_weights_are_kept():
    """enable_lora adds weights named after their layer, and build again keeps names"""
    layer = keras.layers.Dense(3, name="mine")
    if not hasattr(layer, "enable_lora"):
        raise Lacking("enable_lora")
    layer.build((None, 4))
    layer.enable_lora(2)
    names = [v.path for v in layer.weights]
    true(all("mine" in name for name in names), "every path has the layer's name: %s" % names)
    equal(len(set(names)), len(names), "different paths")
