"""Layers that join tensors: attention and its masks, concatenation."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, numbers, refuses, true

MASKS = ["(T, S)", "(1, T, S)", "(B, T, S)", "(B, 1, T, S)", "(1, H, T, S)", "(B, H, T, S)"]
SIZES = {"B": 2, "H": 3, "T": 4, "S": 5}
ALLOWED = np.array([[1, 0, 0, 1, 0], [1, 1, 0, 0, 1], [0, 1, 1, 0, 0], [1, 1, 1, 1, 0]], "bool")


def _heads(**options):
    """Returns a MultiHeadAttention of three heads, a query and a value."""
    layer = keras.layers.MultiHeadAttention(3, 2, **options)
    query, value = numbers(2, 4, 6), numbers(2, 5, 6, seed=1)
    layer(query, value)
    return given(layer), query, value


@each(shape=MASKS, kind=["bool", "int32"])
def attention_masks_are_spread(shape, kind):
    """Attention spreads a {kind} mask of shape {shape} over batch and heads"""
    layer, query, value = _heads()
    whole = np.broadcast_to(ALLOWED, (2, 4, 5))
    _, expected = layer(query, value, attention_mask=whole, return_attention_scores=True)
    true(float(np.abs(array(expected) * ~ALLOWED).max()) < 1e-6, "what is masked has no weight")
    sizes = eval(shape, dict(SIZES))  # noqa: S307 - texts of this module
    mask = np.broadcast_to(ALLOWED, sizes).astype(kind)
    close(layer(query, value, attention_mask=mask), layer(query, value, attention_mask=whole), "the output", 1e-4)
    _, found = layer(query, value, attention_mask=mask, return_attention_scores=True)
    close(found, expected, "the scores", 1e-4)


@each(form=["5", "(5,)", "[5]", "(2, 3)", "[2, 3]"])
def attention_output_shape_may_be(form):
    """MultiHeadAttention takes output_shape={form}, and keeps its promise"""
    wanted = eval(form)  # noqa: S307 - texts of this module
    layer, query, value = _heads(output_shape=wanted)
    whole = (2, 4, *(wanted if isinstance(wanted, (tuple, list)) else (wanted,)))
    equal(tuple(layer(query, value).shape), whole, "the output")
    equal(tuple(layer.compute_output_shape(query.shape, value.shape)), whole, "compute_output_shape")
    symbols = keras.KerasTensor(query.shape), keras.KerasTensor(value.shape)
    equal(tuple(layer(*symbols).shape), whole, "the symbolic output")
    again = type(layer).from_config(layer.get_config())
    equal(tuple(again(query, value).shape), whole, "the output of its copy")


@each(layer=["Attention()", "Attention(use_scale=True)", "Attention(score_mode='concat')", "AdditiveAttention()"])
def attention_takes_more_axes(layer):
    """{layer} attends over the last axis but one, whatever comes before"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    query, value = numbers(2, 3, 4, 6), numbers(2, 3, 5, 6, seed=1)
    made.build([(2, 4, 6), (2, 5, 6)])
    given(made)
    found, scores = made([query, value], return_attention_scores=True)
    close(found, np.stack([array(made([query[:, n], value[:, n]])) for n in range(3)], axis=1), "the output", 1e-4)
    equal(tuple(scores.shape), (2, 3, 4, 5), "the scores")
    symbols = [keras.KerasTensor(query.shape), keras.KerasTensor(value.shape)]
    promised = made(symbols, return_attention_scores=True)
    equal([tuple(one.shape) for one in promised], [(2, 3, 4, 6), (2, 3, 4, 5)], "the promised shapes")


@each(mask=["(4, 2, 3)", "(4, 3)", "(2, 4)", "(1, 1, 3)"])
def softmax_refuses_masks(mask):
    """Softmax refuses a mask of shape {mask} for an input of shape (2, 3)"""
    wrong = np.ones(eval(mask), "bool")  # noqa: S307 - texts of this module
    refuses(lambda: keras.layers.Softmax()(np.ones((2, 3), "float32"), mask=wrong), mask)


@each(mask=["(2, 3)", "(1, 3)", "(2, 1)", "(3,)"])
def softmax_spreads_masks(mask):
    """Softmax spreads a mask of shape {mask} over an input of shape (2, 3)"""
    data = numbers(2, 3)
    kept = np.arange(int(np.prod(eval(mask)))).reshape(eval(mask)) != 1  # noqa: S307 - texts of this module
    weights = np.exp(data.astype("float64")) * np.where(kept, 1.0, 0.0)
    if np.all(weights.sum(-1) > 0):
        close(keras.layers.Softmax()(data, mask=kept), weights / weights.sum(-1, keepdims=True), tolerance=1e-4)
    equal(tuple(keras.layers.Softmax()(data, mask=kept).shape), (2, 3), "shape")


@each(rank=[3, 4, 5], axis=[1, -1])
def concatenate_joins_axes_of_one(rank, axis):
    """Concatenate joins tensors of rank {rank} along axis {axis}, other axes of size 1"""
    shapes = [[1] * rank, [1] * rank]
    shapes[0][axis], shapes[1][axis] = 3, 2
    arrays = [numbers(*shape, seed=n) for n, shape in enumerate(shapes)]
    close(keras.layers.Concatenate(axis=axis)(arrays), np.concatenate(arrays, axis))
    whole = [1] * rank
    whole[axis] = 5
    equal(tuple(keras.layers.Concatenate(axis=axis)([keras.KerasTensor(s) for s in shapes]).shape), tuple(whole))


@each(rank=[3, 4, 5], size=[1, 3], kind=["arrays", "symbols"])
def concatenate_refuses_other_sizes(rank, size, kind):
    """Concatenate refuses {kind} of rank {rank} with another axis of 2 and {size}"""
    make = keras.KerasTensor if kind == "symbols" else np.ones
    for other in range(1, rank - 1):
        shapes = [[1] * rank, [1] * rank]
        shapes[0][other], shapes[1][other] = 2, size
        both = [make(shape) for shape in shapes]
        layer = keras.layers.Concatenate(axis=-1)
        message = refuses(lambda one=layer, two=both: str(one(two)), "%s and %s" % tuple(shapes))
        true("shape" in message, "the message names the shapes: %s" % message[:80])


ACTIVATED = [
    "Dense(2, activation=A)",
    "Conv1D(2, 2, activation=A)",
    "Conv2DTranspose(2, 2, activation=A)",
    "EinsumDense('ab,bc->ac', 2, activation=A)",
    "SeparableConv1D(2, 2, activation=A)",
    "LSTM(2, activation=A)",
    "GRU(2, recurrent_activation=A)",
    "Activation(A)",
]


@each(layer=ACTIVATED, way=["from_config", "deserialize"])
def layers_as_activations_come_back(layer, way):
    """A layer as the activation comes back from its configuration: {layer}, {way}"""
    activation = keras.layers.LeakyReLU(negative_slope=0.15, name="mine")
    made = eval("keras.layers." + layer, {"keras": keras, "A": activation})  # noqa: S307 - texts of this module
    if way == "from_config":
        again = type(made).from_config(made.get_config())
    else:
        again = keras.layers.deserialize(keras.layers.serialize(made))
    found = again.recurrent_activation if "recurrent" in layer else again.activation
    equal(type(found).__name__, "LeakyReLU", "the activation")
    equal([found.name, round(float(found.negative_slope), 6)], ["mine", 0.15], "its name and slope")


@each(layer=["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"], padding=["valid", "same"], strides=[1, 2, 3, 4])
def transposed_layers_fill_their_promise(layer, padding, strides):
    """{layer}, padding {padding}, strides {strides}, gives the promised shape"""
    rank = int(layer[4])
    for kernel in (1, 2, 3):
        made = getattr(keras.layers, layer)(1, kernel, strides=strides, padding=padding)
        data = np.ones((1, *[3] * rank, 1), "float32")
        found = tuple(made(data).shape)
        equal(found, tuple(made.compute_output_shape(data.shape)), "kernel %d" % kernel)
        size = 3 * strides if padding == "same" else 3 * strides + max(kernel - strides, 0)
        equal(found[1:-1], (size,) * rank, "kernel %d, sizes" % kernel)
