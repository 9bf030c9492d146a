"""Shapes that layers promise, against the shapes that come out."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import equal, need, true

CALLS = [
    "Dense(3) on (2, 5)",
    "Dense(3, use_bias=False, activation='relu') on (2, 4, 5)",
    "EinsumDense('ab,bc->ac', output_shape=3) on (2, 5)",
    "EinsumDense('abc,cd->abd', output_shape=(4, 3), bias_axes='d') on (2, 4, 5)",
    "EinsumDense('...x,xy->...y', output_shape=3, bias_axes='y') on (2, 4, 5)",
    "Embedding(5, 3) on int (2, 4)",
    "Embedding(5, 3, mask_zero=True) on int (2, 4)",
    "Embedding(5, 3) on int (2,)",
    "ReversibleEmbedding(5, 3) on int (2, 4)",
    "Identity() on (2, 4)",
    "Activation('softmax') on (2, 4)",
    "ELU() on (2, 4)",
    "LeakyReLU() on (2, 4)",
    "PReLU() on (2, 4, 5)",
    "PReLU(shared_axes=[1]) on (2, 4, 5)",
    "ReLU(max_value=1.0, negative_slope=0.1) on (2, 4)",
    "Softmax() on (2, 4)",
    "Softmax(axis=(1, 2)) on (2, 4, 5)",
    "ActivityRegularization(l1=0.1) on (2, 4)",
    "Masking() on (2, 4, 5)",
    "Lambda(lambda x: x[:, :2]) on (2, 4)",
    "Dropout(0.5) on (2, 4)",
    "Dropout(0.5, noise_shape=(None, 1)) on (2, 4)",
    "AlphaDropout(0.5) on (2, 4)",
    "AlphaDropout(0.5, noise_shape=(2, 1)) on (2, 4)",
    "GaussianDropout(0.5) on (2, 4)",
    "GaussianNoise(0.5) on (2, 4)",
    "SpatialDropout1D(0.5) on (2, 4, 5)",
    "SpatialDropout2D(0.5) on (2, 8, 8, 3)",
    "SpatialDropout3D(0.5) on (1, 4, 4, 4, 2)",
    "Conv1D(3, 2) on (2, 8, 3)",
    "Conv1D(3, 2, padding='same', strides=2) on (2, 8, 3)",
    "Conv1D(3, 2, padding='causal', dilation_rate=2) on (2, 8, 3)",
    "Conv2D(3, 2) on (2, 8, 8, 3)",
    "Conv2D(3, (3, 2), padding='same', strides=(2, 1)) on (2, 8, 8, 3)",
    "Conv2D(3, 2, dilation_rate=2, groups=3) on (2, 8, 8, 3)",
    "Conv3D(2, 2) on (1, 4, 4, 4, 2)",
    "Conv3D(2, 2, padding='same', strides=2) on (1, 4, 4, 4, 2)",
    "Conv1DTranspose(3, 2) on (2, 8, 3)",
    "Conv1DTranspose(3, 3, strides=2, padding='same') on (2, 8, 3)",
    "Conv1DTranspose(3, 3, strides=2, output_padding=1) on (2, 8, 3)",
    "Conv1DTranspose(3, 2, dilation_rate=2) on (2, 8, 3)",
    "Conv2DTranspose(3, 2) on (2, 8, 8, 3)",
    "Conv2DTranspose(3, 3, strides=2, padding='same', output_padding=1) on (2, 8, 8, 3)",
    "Conv2DTranspose(3, (3, 2), strides=(2, 1)) on (2, 8, 8, 3)",
    "Conv3DTranspose(2, 2, strides=2) on (1, 4, 4, 4, 2)",
    "DepthwiseConv1D(2, depth_multiplier=2) on (2, 8, 3)",
    "DepthwiseConv1D(3, strides=2, padding='same') on (2, 8, 3)",
    "DepthwiseConv2D(2, depth_multiplier=2) on (2, 8, 8, 3)",
    "DepthwiseConv2D(3, strides=2, padding='same') on (2, 8, 8, 3)",
    "SeparableConv1D(3, 2, depth_multiplier=2) on (2, 8, 3)",
    "SeparableConv2D(3, 2, strides=2, padding='same') on (2, 8, 8, 3)",
    "AveragePooling1D(2) on (2, 8, 3)",
    "AveragePooling1D(3, strides=2, padding='same') on (2, 8, 3)",
    "AveragePooling2D((3, 2), strides=1, padding='same') on (2, 8, 8, 3)",
    "AveragePooling2D(3) on (2, 8, 8, 3)",
    "AveragePooling3D(2) on (1, 4, 4, 4, 2)",
    "MaxPooling1D(3) on (2, 8, 3)",
    "MaxPooling1D(3, strides=2, padding='same') on (2, 8, 3)",
    "MaxPooling2D((2, 3), strides=(1, 2)) on (2, 8, 8, 3)",
    "MaxPooling2D(3, padding='same') on (2, 8, 8, 3)",
    "MaxPooling3D(2, strides=1) on (1, 4, 4, 4, 2)",
    "GlobalAveragePooling1D() on (2, 8, 3)",
    "GlobalAveragePooling1D(keepdims=True) on (2, 8, 3)",
    "GlobalAveragePooling2D(keepdims=True) on (2, 8, 8, 3)",
    "GlobalAveragePooling3D() on (1, 4, 4, 4, 2)",
    "GlobalMaxPooling1D(keepdims=True) on (2, 8, 3)",
    "GlobalMaxPooling2D() on (2, 8, 8, 3)",
    "GlobalMaxPooling3D(keepdims=True) on (1, 4, 4, 4, 2)",
    "AdaptiveAveragePooling1D(3) on (2, 8, 3)",
    "AdaptiveAveragePooling2D((2, 4)) on (2, 8, 8, 3)",
    "AdaptiveAveragePooling3D(2) on (1, 4, 4, 4, 2)",
    "AdaptiveMaxPooling1D(3) on (2, 8, 3)",
    "AdaptiveMaxPooling2D(3) on (2, 8, 8, 3)",
    "AdaptiveMaxPooling3D((2, 1, 2)) on (1, 4, 4, 4, 2)",
    "BatchNormalization() on (2, 4, 5)",
    "BatchNormalization(axis=1) on (2, 4, 5)",
    "LayerNormalization() on (2, 4, 5)",
    "LayerNormalization(axis=[1, 2]) on (2, 4, 5)",
    "LayerNormalization(axis=[-1, 1]) on (2, 4, 5)",
    "GroupNormalization(2) on (2, 4, 4)",
    "GroupNormalization(2, axis=1) on (2, 4, 5)",
    "RMSNormalization() on (2, 4, 5)",
    "RMSNormalization(axis=[-1, 1]) on (2, 4, 5)",
    "UnitNormalization(axis=1) on (2, 4, 5)",
    "SpectralNormalization(Dense(3)) on (2, 5)",
    "SpectralNormalization(Conv2D(3, 2)) on (2, 8, 8, 3)",
    "SimpleRNN(3) on (2, 4, 5)",
    "SimpleRNN(3, return_sequences=True, return_state=True) on (2, 4, 5)",
    "LSTM(3) on (2, 4, 5)",
    "LSTM(3, return_state=True) on (2, 4, 5)",
    "LSTM(3, return_sequences=True, go_backwards=True) on (2, 4, 5)",
    "LSTM(3, return_sequences=True, unroll=True) on (2, 4, 5)",
    "GRU(3) on (2, 4, 5)",
    "GRU(3, return_sequences=True, return_state=True) on (2, 4, 5)",
    "GRU(3, reset_after=False) on (2, 4, 5)",
    "RNN(SimpleRNNCell(3), return_state=True) on (2, 4, 5)",
    "RNN([LSTMCell(3), GRUCell(2)], return_sequences=True) on (2, 4, 5)",
    "RNN([LSTMCell(3), GRUCell(2)], return_state=True) on (2, 4, 5)",
    "RNN(StackedRNNCells([SimpleRNNCell(3), SimpleRNNCell(2)])) on (2, 4, 5)",
    "Bidirectional(GRU(3)) on (2, 4, 5)",
    "Bidirectional(GRU(3, return_sequences=True), merge_mode='sum') on (2, 4, 5)",
    "Bidirectional(SimpleRNN(3, return_sequences=True), merge_mode=None) on (2, 4, 5)",
    "Bidirectional(SimpleRNN(3), merge_mode=None) on (2, 4, 5)",
    "Bidirectional(LSTM(3, return_state=True), merge_mode='ave') on (2, 4, 5)",
    "Bidirectional(LSTM(3, return_sequences=True, return_state=True)) on (2, 4, 5)",
    "Bidirectional(LSTM(3, return_state=True), merge_mode=None) on (2, 4, 5)",
    "TimeDistributed(Dense(3)) on (2, 4, 5)",
    "TimeDistributed(Conv1D(3, 2)) on (2, 2, 8, 3)",
    "TimeDistributed(Flatten()) on (2, 2, 8, 3)",
    "ConvLSTM1D(2, 2) on (1, 2, 4, 2)",
    "ConvLSTM1D(2, 2, return_sequences=True, return_state=True) on (1, 2, 4, 2)",
    "ConvLSTM2D(2, 2, padding='same', return_sequences=True) on (1, 2, 4, 4, 2)",
    "ConvLSTM2D(2, 2, return_state=True) on (1, 2, 4, 4, 2)",
    "ConvLSTM3D(2, 2) on (1, 2, 3, 3, 3, 2)",
    "Flatten() on (2, 4, 5)",
    "Flatten() on (2,)",
    "Permute((2, 1)) on (2, 4, 5)",
    "RepeatVector(3) on (2, 5)",
    "Reshape((5, 4)) on (2, 4, 5)",
    "Reshape((-1, 2)) on (2, 4, 5)",
    "Reshape((20,)) on (2, 4, 5)",
    "Reshape((-1,)) on (2, 4, 5)",
    "Cropping1D((1, 2)) on (2, 8, 3)",
    "Cropping2D(((1, 2), (0, 3))) on (2, 8, 8, 3)",
    "Cropping3D(1) on (1, 4, 4, 4, 2)",
    "Cropping3D(((1, 0), (0, 1), (1, 1))) on (1, 4, 4, 4, 2)",
    "ZeroPadding1D((1, 2)) on (2, 8, 3)",
    "ZeroPadding2D(((1, 2), (0, 3))) on (2, 8, 8, 3)",
    "ZeroPadding3D((1, 0, 2)) on (1, 4, 4, 4, 2)",
    "UpSampling1D(3) on (2, 8, 3)",
    "UpSampling2D((2, 3)) on (2, 8, 8, 3)",
    "UpSampling2D(2, interpolation='bilinear') on (2, 8, 8, 3)",
    "UpSampling3D((1, 2, 2)) on (1, 4, 4, 4, 2)",
    "Add() on [(2, 4), (2, 4)]",
    "Add() on [(2, 4), (2, 1)]",
    "Add() on [(2, 1, 4), (2, 4)]",
    "Subtract() on [(2, 4), (2, 4)]",
    "Multiply() on [(2, 4), (2, 4), (2, 1)]",
    "Average() on [(2, 4), (2, 4), (2, 4)]",
    "Maximum() on [(2, 4, 5), (2, 1, 5)]",
    "Minimum() on [(2, 4), (2, 4)]",
    "Concatenate() on [(2, 4), (2, 5)]",
    "Concatenate(axis=1) on [(2, 4, 5), (2, 1, 5)]",
    "Dot(axes=1) on [(2, 4), (2, 4)]",
    "Dot(axes=(2, 1), normalize=True) on [(2, 4, 5), (2, 5, 3)]",
    "Dot(axes=(1, 2)) on [(2, 4, 5), (2, 3, 4)]",
    "Attention() on [(2, 4, 5), (2, 3, 5)]",
    "Attention() on [(2, 4, 5), (2, 3, 5), (2, 3, 5)]",
    "Attention(use_scale=True, score_mode='concat') on [(2, 4, 5), (2, 3, 5)]",
    "AdditiveAttention() on [(2, 4, 5), (2, 3, 5)]",
    "Rescaling(0.5, offset=1.0) on (2, 8, 8, 3)",
    "Rescaling([0.5, 1.0, 2.0]) on (2, 8, 8, 3)",
    "Normalization(mean=0.0, variance=1.0) on (2, 4)",
    "Normalization(mean=[0.0, 1.0, 2.0, 3.0], variance=[1.0, 1.0, 2.0, 2.0]) on (2, 4)",
    "CenterCrop(4, 6) on (2, 8, 8, 3)",
    "Resizing(4, 6) on (2, 8, 8, 3)",
    "Resizing(4, 6, crop_to_aspect_ratio=True) on (2, 8, 8, 3)",
    "Resizing(4, 6, pad_to_aspect_ratio=True) on (2, 8, 8, 3)",
    "CategoryEncoding(4) on int (2, 3)",
    "CategoryEncoding(4, output_mode='count') on int (2, 3)",
    "CategoryEncoding(4, output_mode='one_hot') on int (2, 1)",
    "CategoryEncoding(4, output_mode='one_hot') on int (2, 3)",
    "CategoryEncoding(4, output_mode='multi_hot') on int (2, 3, 3)",
    "Discretization([0.0, 1.0]) on (2, 4)",
    "Discretization([0.0, 1.0], output_mode='one_hot') on (2, 1)",
    "Discretization([0.0, 1.0], output_mode='multi_hot') on (2, 4)",
    "Discretization([0.0, 1.0], output_mode='count') on (2, 4)",
    "Hashing(3) on int (2, 4)",
    "Hashing(3, output_mode='multi_hot') on int (2, 4)",
    "HashedCrossing(3) on [int (2, 1), int (2, 1)]",
    "HashedCrossing(3, output_mode='one_hot') on [int (2, 1), int (2, 1)]",
    "IntegerLookup(vocabulary=[1, 2, 3]) on int (2, 4)",
    "IntegerLookup(vocabulary=[1, 2, 3], output_mode='multi_hot') on int (2, 4)",
    "IntegerLookup(vocabulary=[1, 2, 3], output_mode='one_hot') on int (2, 1)",
    "IntegerLookup(vocabulary=[1, 2, 3], output_mode='count', max_tokens=8, pad_to_max_tokens=True) on int (2, 4)",
    "MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4) on (2, 40)",
    "STFTSpectrogram(frame_length=8, frame_step=4, fft_length=8) on (2, 40, 1)",
    "STFTSpectrogram(mode='stft', frame_length=8, frame_step=4, fft_length=8, padding='same') on (2, 40, 1)",
]

ATTENTIONS = [
    "MultiHeadAttention(2, 3) on (2, 4, 6), (2, 4, 6)",
    "MultiHeadAttention(2, 3) on (2, 4, 6), (2, 5, 6)",
    "MultiHeadAttention(2, 3, value_dim=4, output_shape=5, use_bias=False) on (2, 4, 6), (2, 5, 6)",
    "MultiHeadAttention(2, 3, attention_axes=(2,)) on (2, 2, 4, 6), (2, 2, 5, 6)",
    "MultiHeadAttention(2, 3, attention_axes=(-2,)) on (2, 2, 4, 6), (2, 2, 5, 6)",
    "MultiHeadAttention(2, 3, output_shape=(2, 5)) on (2, 4, 6), (2, 5, 6)",
    "GroupQueryAttention(3, 4, 2) on (2, 4, 6), (2, 5, 6)",
    "GroupQueryAttention(3, 4, 2, use_bias=False) on (2, 4, 6), (2, 5, 6)",
    "AdditiveAttention() on [(2, 4, 5), (2, 3, 5)]",
    "AdditiveAttention(use_scale=False, dropout=0.1) on [(2, 4, 5), (2, 3, 5), (2, 3, 5)]",
    "Attention() on [(2, 4, 5), (2, 3, 5)]",
    "Attention(score_mode='concat', dropout=0.1) on [(2, 4, 5), (2, 3, 5), (2, 3, 5)]",
]

IMAGES = [
    "AugMix()",
    "AutoContrast()",
    "ContrastLimitedAdaptiveHistogramEqualization()",
    "CutMix()",
    "Equalization()",
    "MixUp()",
    "RandAugment()",
    "RandomBrightness(0.5)",
    "RandomColorDegeneration(0.5)",
    "RandomColorJitter(brightness_factor=0.5)",
    "RandomContrast(0.5)",
    "RandomElasticTransform()",
    "RandomErasing()",
    "RandomFlip()",
    "RandomGaussianBlur()",
    "RandomGrayscale()",
    "RandomHue(0.5)",
    "RandomInvert()",
    "RandomPerspective()",
    "RandomPosterization(4)",
    "RandomRotation(0.5)",
    "RandomSaturation(0.5)",
    "RandomSharpness(0.5)",
    "RandomShear(0.5, 0.5)",
    "RandomTranslation(0.5, 0.5)",
    "RandomZoom(0.5)",
    "Solarization()",
]

SPATIAL = [
    "Conv1D(3, 2)",
    "Conv1D(3, 3, strides=2, padding='same')",
    "Conv2D(3, (2, 3), strides=(1, 2))",
    "Conv2D(3, 2, dilation_rate=2, padding='same')",
    "Conv3D(2, 2)",
    "Conv1DTranspose(3, 2, strides=2)",
    "Conv2DTranspose(3, (3, 2), strides=2, padding='same')",
    "Conv3DTranspose(2, 2)",
    "DepthwiseConv1D(2, depth_multiplier=2)",
    "DepthwiseConv2D(2, padding='same')",
    "SeparableConv1D(3, 2)",
    "SeparableConv2D(3, 2, padding='same')",
    "AveragePooling1D(2)",
    "AveragePooling2D((3, 2))",
    "AveragePooling3D(2, strides=1)",
    "MaxPooling1D(2)",
    "MaxPooling2D((3, 2), padding='same')",
    "MaxPooling3D(2, strides=1)",
    "GlobalAveragePooling1D()",
    "GlobalAveragePooling2D(keepdims=True)",
    "GlobalAveragePooling3D()",
    "GlobalMaxPooling1D(keepdims=True)",
    "GlobalMaxPooling2D()",
    "GlobalMaxPooling3D(keepdims=True)",
    "AdaptiveAveragePooling1D(3)",
    "AdaptiveAveragePooling2D((2, 4))",
    "AdaptiveMaxPooling2D((2, 4))",
    "AdaptiveMaxPooling3D(2)",
    "Cropping2D(((1, 2), (0, 3)))",
    "Cropping3D(((1, 0), (0, 1), (1, 1)))",
    "ZeroPadding1D((1, 2))",
    "ZeroPadding2D(((1, 2), (0, 3)))",
    "ZeroPadding3D((1, 0, 2))",
    "UpSampling2D((2, 3))",
    "UpSampling2D((2, 3), interpolation='bilinear')",
    "UpSampling3D((1, 2, 2))",
    "SpatialDropout2D(0.5)",
    "SpatialDropout3D(0.5)",
    "ConvLSTM2D(2, 2)",
    "CenterCrop(4, 6)",
    "Resizing(4, 6)",
    "RandomCrop(4, 6)",
]


def _layer(text):
    """Returns the layer that a text makes, with zeros for weights to save time."""
    need("keras.layers." + text.partition("(")[0])
    layer = eval(text, dict(vars(keras.layers)))  # noqa: S307 - texts of this module
    for part in layer._flatten_layers():  # noqa: SLF001
        for name in [name for name in vars(part) if name.endswith("_initializer")]:
            setattr(part, name, keras.initializers.Zeros())
    return layer


class _Spec(tuple):
    """The shape of an integer input."""

    dtype = "int32"


def _parts(call):
    """Returns the layer of a call, and the shapes of its inputs."""
    text, _, inputs = call.partition(" on ")
    shapes = eval(inputs.replace("int (", "_Spec((").replace(")", "))") if "int" in inputs else inputs, globals())  # noqa: S307
    return _layer(text), shapes


def _each_input(function, shapes):
    """Returns ``function(shape, dtype)`` of one shape, or of each in a list."""
    if isinstance(shapes, list):
        return [_each_input(function, shape) for shape in shapes]
    return function(tuple(shapes), getattr(shapes, "dtype", "float32"))


def _data(shape, dtype):
    values = np.arange(int(np.prod(shape))).reshape(shape)
    return (values % 4).astype(dtype) if "int" in dtype else (values % 7 / 7).astype(dtype)


def _symbol(shape, dtype):
    return keras.KerasTensor(shape, dtype=dtype)


def _open(shape, dtype):
    """Returns a symbol of which no dimension but the last is known."""
    return keras.KerasTensor((None,) * (len(shape) - 1) + shape[-1:], dtype=dtype)


def _shapes(outputs):
    """Returns the shapes of nested tensors or shapes, as nested lists."""
    if isinstance(outputs, dict):
        return {key: _shapes(value) for key, value in outputs.items()}
    if hasattr(outputs, "shape"):
        return [d if d is None else int(d) for d in outputs.shape]
    if isinstance(outputs, (list, tuple)) and outputs and not _plain(outputs):
        return [_shapes(item) for item in outputs]
    return list(outputs)


def _plain(shape):
    return all(d is None or isinstance(d, int) for d in shape)


def _flat(shapes):
    return [shapes] if _plain(shapes) else [flat for shape in shapes for flat in _flat(shape)]


def _dtypes(outputs):
    return [keras.backend.standardize_dtype(x.dtype) for x in keras.tree.flatten(outputs)]


def _agrees(got, real):
    """Returns whether a shape with unknown dimensions fits the real one."""
    return len(got) == len(real) and all(a is None or a == b for a, b in zip(got, real))


def _real(layer, shapes):
    """Returns what a call with arrays gives.

    JAX says the shapes and types of that without computing them: it would compile every operation again.
    """
    data = _each_input(_data, shapes)
    if keras.config.backend() == "jax":
        import jax

        try:
            if not layer.built:
                layer.build(_each_input(lambda shape, _: shape, shapes))
            return jax.eval_shape(layer.__call__, keras.tree.map_structure(keras.ops.convert_to_tensor, data))
        except Exception:  # it cannot be traced
            return layer(data)
    return layer(data)


@each(call=CALLS)
def computed_shape_is_the_real_one(call):
    """compute_output_shape is the shape that comes out: {call}"""
    layer, shapes = _parts(call)
    promised = layer.compute_output_shape(_each_input(lambda shape, _: shape, shapes))
    equal(_flat(_shapes(promised)), _flat(_shapes(_real(layer, shapes))), "shape")


@each(call=CALLS)
def symbolic_output_is_the_real_one(call):
    """A symbolic call has the shapes and dtypes that come out: {call}"""
    layer, shapes = _parts(call)
    promised = layer(_each_input(_symbol, shapes))
    real = _real(layer, shapes)
    equal(_flat(_shapes(promised)), _flat(_shapes(real)), "shape")
    equal(_dtypes(promised), _dtypes(real), "dtype")


@each(call=CALLS)
def unknown_dimensions_are_allowed(call):
    """A symbolic call without the batch size fits the one with it: {call}"""
    layer, shapes = _parts(call)
    known = layer(_each_input(_symbol, shapes))
    unknown = layer(_each_input(lambda shape, dtype: _symbol((None, *shape[1:]), dtype), shapes))
    for got, real in zip(_flat(_shapes(unknown)), _flat(_shapes(known))):
        true(_agrees(got, real), "the shape %s fits %s" % (got, real))
        true(got[0] is None or "noise_shape" in call, "the batch stays unknown in %s" % (got,))


@each(call=ATTENTIONS)
def attention_scores_have_the_promised_shape(call):
    """Attention scores have the symbolic call's shapes: {call}"""
    layer, shapes = _parts(call)
    inputs = (shapes,) if isinstance(shapes, list) else shapes
    symbols = layer(*[_each_input(_symbol, shape) for shape in inputs], return_attention_scores=True)
    real = layer(*[_each_input(_data, shape) for shape in inputs], return_attention_scores=True)
    equal(_shapes(symbols), _shapes(real), "shapes")
    equal(_dtypes(symbols), _dtypes(real), "dtypes")
    alone = layer(*[_each_input(_symbol, shape) for shape in inputs])
    equal(_shapes(alone), _shapes(real)[0], "shape without scores, after a call with them")


@each(call=[text for text in ATTENTIONS if "[" not in text])
def attention_computes_its_shape(call):
    """compute_output_shape of query and value is the real one: {call}"""
    layer, (query, value) = _parts(call)
    promised = layer.compute_output_shape(query, value)
    equal(list(promised), _shapes(layer(_data(query, "float32"), _data(value, "float32"))), "shape")


@each(layer=IMAGES)
def augmentation_keeps_the_shape(layer):
    """{layer} promises an image of the same size"""
    made = _layer(layer)
    equal(list(made.compute_output_shape((2, 8, 8, 3))), [2, 8, 8, 3], "computed")
    if "Mix()" not in layer:
        equal(list(_layer(layer)(keras.KerasTensor((2, 8, 8, 3))).shape), [2, 8, 8, 3], "symbolic")


@each(layer=["RandomCrop(4, 6)", "CenterCrop(4, 6)", "Resizing(4, 6)"])
def a_single_image_needs_no_batch(layer):
    """{layer} takes one image without a batch, and names it"""
    made = _layer(layer)
    equal(list(made.compute_output_shape((8, 8, 3))), [4, 6, 3], "computed")
    equal(_shapes(made(_data((8, 8, 3), "float32"))), [4, 6, 3], "real")


def _first(shape):
    return (shape[0], shape[-1], *shape[1:-1])


@each(layer=SPATIAL)
def channels_first_is_channels_last_moved(layer):
    """{layer} with channels_first has the moved shape of channels_last"""
    shape = {"1D": (2, 8, 3), "3D": (2, 6, 6, 6, 3)}.get(layer.partition("(")[0].replace("Transpose", "")[-2:])
    shape = (2, 3, 8, 8, 3) if "LSTM" in layer else shape or (2, 8, 9, 3)
    need("keras.layers.%s(data_format)" % layer.partition("(")[0])
    comma = "" if layer.endswith("()") else ", "
    last = _layer(layer).compute_output_shape(shape)
    other = _layer(layer[:-1] + comma + "data_format='channels_first')")
    if "LSTM" in layer:
        found = other.compute_output_shape((2, 3, 3, 8, 8))
    else:
        found = other.compute_output_shape(_first(shape))
    equal(list(found), list(last if len(last) == 2 else _first(last)), "shape")


@each(layer=SPATIAL)
def data_format_may_come_from_the_settings(layer):
    """{layer} follows keras.config.set_image_data_format"""
    shape = {"1D": (2, 3, 8), "3D": (2, 3, 6, 6, 6)}.get(layer.partition("(")[0].replace("Transpose", "")[-2:])
    shape = (2, 3, 3, 8, 8) if "LSTM" in layer else shape or (2, 3, 8, 9)
    need("keras.layers.%s(data_format)" % layer.partition("(")[0])
    comma = "" if layer.endswith("()") else ", "
    said = _layer(layer[:-1] + comma + "data_format='channels_first')").compute_output_shape(shape)
    keras.config.set_image_data_format("channels_first")
    equal(list(_layer(layer).compute_output_shape(shape)), list(said), "shape")


@each(layer=[text for text in SPATIAL if "1D" not in text and "Random" not in text])
def spatial_sizes_may_be_unknown(layer):
    """{layer} takes images of unknown size, and keeps them unknown"""
    sizes = 3 if "3D" in layer else 2
    shape = (None, 3) + (None,) * sizes + (2,) if "LSTM" in layer else (None,) + (None,) * sizes + (2,)
    found = _layer(layer).compute_output_shape(shape)
    fixed = "Global" in layer or "Adaptive" in layer or "Crop(" in layer or "Resizing" in layer
    equal(found[0], None, "batch")
    if not fixed:
        equal(list(found[1:-1]), [None] * (len(found) - 2), "sizes")


@each(
    layer=[
        "Conv1D(3, 2)",
        "Conv2D(3, 2)",
        "Conv1DTranspose(3, 2)",
        "Conv2DTranspose(3, 2)",
        "DepthwiseConv1D(2)",
        "DepthwiseConv2D(2)",
        "SeparableConv1D(3, 2)",
        "SeparableConv2D(3, 2)",
        "AveragePooling1D(2)",
        "AveragePooling2D(2)",
        "MaxPooling1D(2)",
        "MaxPooling2D(2)",
        "GlobalAveragePooling1D()",
        "GlobalMaxPooling2D()",
        "UpSampling1D(2)",
        "UpSampling2D(2)",
        "ZeroPadding1D(1)",
        "ZeroPadding2D(1)",
        "Cropping1D(1)",
        "Cropping2D(1)",
        "SimpleRNN(3)",
        "LSTM(3, return_sequences=True)",
        "GRU(3, return_state=True)",
        "Bidirectional(LSTM(3, return_sequences=True))",
        "TimeDistributed(Dense(3))",
        "BatchNormalization()",
        "LayerNormalization()",
        "GroupNormalization(1)",
        "Dense(3)",
        "Embedding(4, 2)",
        "Softmax()",
        "SpatialDropout1D(0.5)",
    ]
)
def a_model_of_unknown_sizes_runs(layer):
    """A model of {layer} built with unknown sizes takes any size"""
    ndim = 4 if "2D" in layer else 3
    made = _layer(layer)
    inputs = (
        keras.Input((None,) * (ndim - 2) + (2,)) if "Embedding" not in layer else keras.Input((None,), dtype="int32")
    )
    model = keras.Model(inputs, made(inputs))
    for size in (5, 7):
        data = (
            np.ones((2, *[size] * (ndim - 2), 2), "float32")
            if "Embedding" not in layer
            else np.ones((2, size), "int32")
        )
        promised = made.compute_output_shape(data.shape)
        equal(_flat(_shapes(model(data))), _flat(_shapes(promised)), "shape for size %d" % size)
