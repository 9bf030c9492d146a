"""Layers and ops in models with None in their shapes."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true

LAYERS = [
    "Dense(3) of (None, 4)",
    "Conv1D(2, 3, padding='same') of (None, 4)",
    "Conv1D(2, 3, padding='causal') of (None, 4)",
    "Conv1D(2, 2, strides=2) of (None, 4)",
    "Conv2D(2, 2, padding='same', strides=2) of (None, None, 2)",
    "Conv1DTranspose(2, 3, strides=2, padding='same') of (None, 4)",
    "Conv2DTranspose(2, 3, strides=2, padding='same') of (None, None, 2)",
    "Conv2DTranspose(2, 3, strides=2) of (None, None, 2)",
    "DepthwiseConv1D(2) of (None, 4)",
    "DepthwiseConv2D(2, padding='same') of (None, None, 2)",
    "SeparableConv1D(2, 2) of (None, 4)",
    "SeparableConv2D(2, 2, padding='same') of (None, None, 2)",
    "AveragePooling1D(2, padding='same') of (None, 4)",
    "AveragePooling2D(2, padding='same') of (None, None, 2)",
    "MaxPooling1D(2) of (None, 4)",
    "MaxPooling2D(2, padding='same') of (None, None, 2)",
    "GlobalAveragePooling1D() of (None, 4)",
    "GlobalAveragePooling2D(keepdims=True) of (None, None, 2)",
    "GlobalMaxPooling1D() of (None, 4)",
    "GlobalMaxPooling2D() of (None, None, 2)",
    "UpSampling1D(2) of (None, 4)",
    "UpSampling2D(2) of (None, None, 2)",
    "UpSampling2D(2, interpolation='bilinear') of (None, None, 2)",
    "ZeroPadding1D(1) of (None, 4)",
    "ZeroPadding2D(1) of (None, None, 2)",
    "Cropping1D(1) of (None, 4)",
    "Cropping2D(1) of (None, None, 2)",
    "CenterCrop(2, 2) of (None, None, 2)",
    "Resizing(3, 3) of (None, None, 2)",
    "Resizing(3, 3, crop_to_aspect_ratio=True) of (None, None, 2)",
    "Resizing(3, 3, pad_to_aspect_ratio=True) of (None, None, 2)",
    "SimpleRNN(2) of (None, 4)",
    "LSTM(2, return_sequences=True) of (None, 4)",
    "GRU(2, go_backwards=True) of (None, 4)",
    "Bidirectional(LSTM(2)) of (None, 4)",
    "Bidirectional(GRU(2, return_sequences=True), merge_mode='sum') of (None, 4)",
    "TimeDistributed(Dense(2)) of (None, 4)",
    "TimeDistributed(Conv1D(2, 2)) of (None, 5, 4)",
    "ConvLSTM1D(2, 2) of (None, 5, 2)",
    "BatchNormalization() of (None, 4)",
    "LayerNormalization() of (None, 4)",
    "GroupNormalization(2) of (None, 4)",
    "UnitNormalization() of (None, 4)",
    "RMSNormalization() of (None, 4)",
    "Softmax(axis=1) of (None, 4)",
    "PReLU(shared_axes=[1]) of (None, 4)",
    "Reshape((-1, 2)) of (None, 4)",
    "Reshape((-1, 2, 2)) of (None, 4)",
    "Flatten() of (None, 4)",
    "Permute((2, 1)) of (None, 4)",
    "Masking() of (None, 4)",
    "SpatialDropout1D(0.5) of (None, 4)",
    "Dropout(0.5, noise_shape=(None, 1, 4)) of (None, 4)",
    "EinsumDense('abc,cd->abd', output_shape=(None, 2), bias_axes='d') of (None, 4)",
    "Rescaling(0.5) of (None, 4)",
    "Lambda(lambda x: keras.ops.mean(x, axis=1)) of (None, 4)",
    "Lambda(lambda x: x[:, -2:]) of (None, 4)",
    "Lambda(lambda x: keras.ops.reshape(x, (keras.ops.shape(x)[0], -1))) of (None, 4)",
    "Lambda(lambda x: keras.ops.tile(x, (1, 2, 1))) of (None, 4)",
    "Lambda(lambda x: keras.ops.repeat(x, 2, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.pad(x, ((0, 0), (1, 1), (0, 0)))) of (None, 4)",
    "Lambda(lambda x: keras.ops.cumsum(x, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.flip(x, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.sort(x, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.max(x, axis=(1, 2))) of (None, 4)",
    "Lambda(lambda x: keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1)))) of (None, 4)",
    "Lambda(lambda x: keras.ops.einsum('abc,adc->abd', x, x)) of (None, 4)",
    "Lambda(lambda x: keras.ops.concatenate([x, x], axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.stack([x, x], axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.expand_dims(x, 1) * 2) of (None, 4)",
    "Lambda(lambda x: keras.ops.ones_like(x) + keras.ops.zeros(keras.ops.shape(x))) of (None, 4)",
    "Lambda(lambda x: keras.ops.broadcast_to(x[:, :1], keras.ops.shape(x))) of (None, 4)",
    "Lambda(lambda x: keras.ops.roll(x, 1, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.one_hot(keras.ops.argmax(x, axis=-1), 4)) of (None, 4)",
    "Lambda(lambda x: keras.ops.take(x, [0, 1], axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.std(x, axis=1)) of (None, 4)",
    "Lambda(lambda x: keras.ops.softmax(x, axis=(1, 2))) of (None, 4)",
    "Lambda(lambda x: keras.ops.image.resize(x, (3, 3))) of (None, None, 2)",
    "Lambda(lambda x: keras.ops.average_pool(x, 2, padding='same')) of (None, None, 2)",
]


def _parts(call):
    text, _, shape = call.rpartition(" of ")
    name = text.partition("(")[0]
    need("keras.layers." + name)
    names = dict(vars(keras.layers))
    names["keras"] = keras
    return eval(text, names), eval(shape)  # noqa: S307 - texts of this module


def _data(shape, size, batch):
    return numbers(batch, *[size if d is None else d for d in shape])


@each(call=LAYERS)
def models_of_unknown_sizes_take_any_size(call):
    """A model built with unknown sizes gives what the layer gives: {call}"""
    layer, shape = _parts(call)
    x = keras.Input(shape)
    model = given(keras.Model(x, layer(x)))
    data = _data(shape, 6, 3)
    if keras.config.backend() != "torch":  # it would compile every operation again: the shapes are enough
        known = layer(keras.KerasTensor(data.shape)).shape
        fits = [a is None or a == b for a, b in zip(model.output_shape, known)]
        true(len(known) == len(model.output_shape) and all(fits), "%s fits %s" % (model.output_shape, known))
        return
    found, expected = model(data), layer(data)
    equal(tuple(found.shape), tuple(expected.shape), "shape")
    close(found, expected, tolerance=1e-4)
    close(model(_data(shape, 4, 2)), layer(_data(shape, 4, 2)), "another size", 1e-4)


@each(call=LAYERS)
def graphs_of_unknown_sizes_give_any_size(call):
    """A tf.function of unknown sizes gives what a call gives: {call}"""
    if keras.config.backend() != "tensorflow":
        raise Lacking("it is about the backend tensorflow")
    import tensorflow as tf

    layer, shape = _parts(call)
    data = _data(shape, 4, 2)
    layer(data)
    given(layer)
    function = tf.function(layer, input_signature=[tf.TensorSpec((None, *shape))])
    for size, batch in ((4, 2), (6, 3)):
        data = _data(shape, size, batch)
        close(function(data), layer(data), "size %d" % size, 1e-4)


@each(method=["predict", "fit", "evaluate"])
def batches_of_other_lengths_run(method):
    """{method} runs twice with sequences of other lengths"""
    model = given(
        keras.Sequential([keras.Input((None, 2)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    for length in (3, 5):
        data = numbers(2, length, 2)
        expected = np.asarray(array(model(data)))
        if method == "predict":
            close(model.predict(data, verbose=0), expected, tolerance=1e-4)
        elif method == "evaluate":
            close(model.evaluate(data, expected + 1, verbose=0), 1.0, "loss", 1e-4)
        else:
            close(model.fit(data, expected + 1, verbose=0).history["loss"], [1.0], "loss", 1e-4)


def generators_of_other_lengths_run():
    """fit takes a generator whose batches have other lengths"""
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    def batches():
        for length in (3, 5, 4):
            yield numbers(2, length, 2), np.ones((2, 1), "float32")

    model.fit(batches(), steps_per_epoch=3, verbose=0)
    equal(int(array(model.optimizer.iterations)), 3, "iterations")


def batch_size_one_is_right():
    """predict with batches of 1 gives what a call gives"""
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Softmax()]))
    data = numbers(3, 3)
    close(model.predict(data, batch_size=1, verbose=0), model(data))


def fixed_batch_sizes_are_kept():
    """A model of batch_shape=(2, 3) predicts batches of 2"""
    x = keras.Input(batch_shape=(2, 3))
    model = keras.Model(x, keras.ops.reshape(keras.layers.Rescaling(2.0)(x), (6,)))
    close(model.predict(np.ones((2, 3), "float32"), batch_size=2, verbose=0), np.full(6, 2.0))


def empty_batches_give_empty_results():
    """A call with a batch of 0 gives a result of 0 rows"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu")])
    equal(tuple(model(np.zeros((0, 3), "float32")).shape), (0, 2), "shape")


def shape_of_a_symbol_has_unknowns():
    """keras.ops.shape of a symbolic tensor has None where nothing is known"""
    equal(list(keras.ops.shape(keras.Input((None, 3)))), [None, None, 3], "shape")


def attention_takes_other_lengths():
    """MultiHeadAttention with unknown lengths takes any"""
    q, v = keras.Input((None, 4)), keras.Input((None, 4))
    layer = keras.layers.MultiHeadAttention(2, 2)
    model = given(keras.Model([q, v], layer(q, v)))
    for a, b in ((3, 5), (4, 2)):
        data = [numbers(2, a, 4), numbers(2, b, 4, seed=1)]
        close(model.predict(data, verbose=0), layer(*data), tolerance=1e-4)


def causal_attention_takes_other_lengths():
    """MultiHeadAttention with a causal mask takes unknown lengths"""
    x = keras.Input((None, 4))
    layer = keras.layers.MultiHeadAttention(2, 2)
    model = given(keras.Model(x, layer(x, x, use_causal_mask=True)))
    for size in (3, 5):
        data = numbers(2, size, 4)
        found = np.asarray(array(model.predict(data, verbose=0)))
        close(found[:, :2], np.asarray(array(layer(data[:, :2], data[:, :2], use_causal_mask=True))), tolerance=1e-4)
        true(found.shape == (2, size, 4), "the shape is that of the query")
