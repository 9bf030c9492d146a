"""Masks where several tensors meet, and behind layers that look at them."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true
from .masks import Shows

ONE = np.array([[True, True, False, False], [True, False, True, False]])
TWO = np.array([[True, False, True, False], [True, False, False, True]])
A = np.where(ONE[:, :, None], numbers(2, 4, 3, seed=1), 0.0).astype("float32")
B = np.where(TWO[:, :, None], numbers(2, 4, 3, seed=2), 0.0).astype("float32")


def _behind(build, data):
    """Returns the mask behind the layers of ``build`` (-1: none), and their output."""
    inputs = [keras.Input(part.shape[1:]) for part in data]
    output = build(*inputs)
    mask, found = keras.Model(inputs, [Shows()(output), output])(data)
    return array(mask), array(found)


MERGED = {
    "Add": lambda parts: np.sum(parts, 0),
    "Subtract": lambda parts: parts[0] - parts[1],
    "Average": lambda parts: np.mean(parts, 0),
    "Multiply": lambda parts: np.prod(parts, 0),
    "Maximum": lambda parts: np.max(parts, 0),
    "Minimum": lambda parts: np.min(parts, 0),
}


@each(layer=list(MERGED), masked=["both", "the first"])
def merging_joins_different_masks(layer, masked):
    """{layer} masks what all inputs mask, and nothing where one has no mask: {masked}"""
    mask = keras.layers.Masking()

    def build(x, y):
        return getattr(keras.layers, layer)()([mask(x), mask(y) if masked == "both" else y])

    found, _output = _behind(build, [A, B])
    close(found, (ONE | TWO).astype("float32") if masked == "both" else np.full((2, 4), -1.0, "float32"), "mask")


@each(layer=list(MERGED))
def merging_leaves_masked_steps_out(layer):
    """{layer} takes each step from the inputs that do not mask it"""
    mask = keras.layers.Masking()
    _mask, output = _behind(lambda x, y: getattr(keras.layers, layer)()([mask(x), mask(y)]), [A, B])
    expected = MERGED[layer]([A, B])
    if layer in ("Multiply", "Maximum", "Minimum"):  # zero is not neutral here
        expected = np.where((ONE & TWO)[:, :, None], expected, A + B)
    close(output, expected)


@each(axis=[1, 2, -1])
def concatenate_joins_different_masks(axis):
    """Concatenate(axis={axis}) appends masks of steps, and joins those of features"""
    mask = keras.layers.Masking()
    found, _output = _behind(lambda x, y: keras.layers.Concatenate(axis=axis)([mask(x), mask(y)]), [A, B])
    close(found, (np.concatenate([ONE, TWO], 1) if axis == 1 else ONE | TWO).astype("float32"), "mask")


@each(layer=["MultiHeadAttention(1, 2)", "GroupQueryAttention(2, 2, 1)", "Attention()", "AdditiveAttention()"],
      value=["masked", "plain"])  # fmt: skip
def attention_hands_the_mask_of_its_query_on(layer, value):
    """{layer} of a masked query has its mask, with a {value} value"""
    need("keras.layers." + layer.partition("(")[0])
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    mask = keras.layers.Masking()

    def build(x, y):
        pair = mask(x), mask(y) if value == "masked" else y
        return made(*pair) if "Head" in layer or "Group" in layer else made(list(pair))

    found, _output = _behind(build, [A, B])
    close(found, ONE.astype("float32"), "mask")


def a_mask_that_call_takes_off_is_handed_on():
    """A layer that supports masking hands its mask on, also where call takes it off"""

    class TakesOff(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x, mask=None):
            true(mask is not None, "call gets the mask")
            if hasattr(x, "_keras_mask"):
                x._keras_mask = None  # noqa: SLF001 - as the layers of Keras do
            return x * 2.0

    x = keras.layers.Masking()(A)
    found = getattr(TakesOff()(x), "_keras_mask", None)
    equal(None if found is None else array(found), ONE, "mask")


@each(wrong=["steps", "samples", "rank"], layer=["Dense(2)", "LSTM(2)"])
def time_distributed_refuses_a_mask(wrong, layer):
    """TimeDistributed({layer}) refuses a mask of other {wrong} than its input"""
    made = keras.layers.TimeDistributed(eval("keras.layers." + layer))  # noqa: S307 - texts of this module
    data = numbers(2, 4, 5, 3) if "LSTM" in layer else numbers(2, 4, 3)
    made(data)
    mask = np.ones({"steps": (2, 5), "samples": (3, 4), "rank": (2,)}[wrong], "bool")
    refuses(lambda: made(data, mask=mask), "a mask of shape %s" % (mask.shape,))


@each(mode=["evaluate", "fit"], kind=["loss", "mae"])
def compiled_models_leave_masked_steps_out(mode, kind):
    """{mode} of a compiled model leaves masked steps out of its {kind}"""
    model = given(keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 2, mask_zero=True)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", weighted_metrics=["mae"] if kind == "mae" else None)
    words = np.array([[1, 0, 0, 2], [3, 1, 0, 0]])
    target = np.where(words[:, :, None] > 0, array(model(words)), 99.0).astype("float32")
    if mode == "fit":
        logs = {name: values[0] for name, values in model.fit(words, target, verbose=0).history.items()}
    else:
        logs = model.evaluate(words, target, verbose=0, return_dict=True)
    close(logs[kind], 0.0, kind)
