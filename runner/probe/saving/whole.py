"""Whole models of every layer, saved in each format and loaded again."""

from __future__ import annotations

import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers

FORMS = {
    "v": (4,),
    "s": (5, 4),
    "i": (6, 6, 4),
    "c": (4, 4, 4, 2),
    "f": (3, 6, 4),
    "F": (2, 4, 4, 2),
    "w": (64,),
    "W": (64, 1),
}

LAYERS = [
    "v Dense(3, activation='relu')",
    "s EinsumDense('abc,cd->abd', (None, 3), bias_axes='d')",
    "v Activation('tanh')",
    "v ActivityRegularization(l1=0.1)",
    "s Masking(0.5)",
    "v ReLU(max_value=1.0)",
    "v LeakyReLU(negative_slope=0.1)",
    "v ELU(alpha=0.5)",
    "s PReLU(shared_axes=[1])",
    "v Softmax()",
    "s AveragePooling1D(2)",
    "i AveragePooling2D(2, padding='same')",
    "c AveragePooling3D(2)",
    "s MaxPooling1D(2)",
    "i MaxPooling2D(2, padding='same')",
    "c MaxPooling3D(2)",
    "s GlobalAveragePooling1D(keepdims=True)",
    "i GlobalAveragePooling2D()",
    "c GlobalAveragePooling3D()",
    "s GlobalMaxPooling1D()",
    "i GlobalMaxPooling2D(keepdims=True)",
    "c GlobalMaxPooling3D()",
    "i AdaptiveAveragePooling2D((2, 3))",
    "i AdaptiveMaxPooling2D((2, 3))",
    "s Conv1D(4, 3, padding='causal', groups=2)",
    "i Conv2D(4, (3, 2), strides=2, padding='same')",
    "c Conv3D(2, 2)",
    "s Conv1DTranspose(3, 3, strides=2)",
    "i Conv2DTranspose(3, 3, strides=2, output_padding=1)",
    "c Conv3DTranspose(2, 2, use_bias=False)",
    "s DepthwiseConv1D(3, depth_multiplier=2)",
    "i DepthwiseConv2D(3, depth_multiplier=2)",
    "s SeparableConv1D(3, 3)",
    "i SeparableConv2D(3, 3, use_bias=False)",
    "f ConvLSTM1D(2, 3)",
    "F ConvLSTM2D(2, 2, return_sequences=True)",
    "s SimpleRNN(3)",
    "s SimpleRNN(3, go_backwards=True, return_sequences=True)",
    "s GRU(3)",
    "s GRU(3, reset_after=False, use_bias=False)",
    "s LSTM(3, return_sequences=True)",
    "s LSTM(3, unit_forget_bias=False, unroll=True)",
    "s RNN(keras.layers.GRUCell(3))",
    "s RNN([keras.layers.LSTMCell(3), keras.layers.GRUCell(2)])",
    "s RNN(keras.layers.StackedRNNCells([keras.layers.SimpleRNNCell(3), keras.layers.SimpleRNNCell(2)]))",
    "s Bidirectional(keras.layers.LSTM(3))",
    "s Bidirectional(keras.layers.GRU(3), merge_mode='ave')",
    "s Bidirectional(keras.layers.LSTM(3), backward_layer=keras.layers.GRU(3, go_backwards=True))",
    "s Bidirectional(keras.layers.RNN(keras.layers.LSTMCell(3)))",
    "s TimeDistributed(keras.layers.Dense(3))",
    "s TimeDistributed(keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)]))",
    "i TimeDistributed(keras.layers.TimeDistributed(keras.layers.Reshape((2, 2))))",
    "v SpectralNormalization(keras.layers.Dense(3))",
    "i SpectralNormalization(keras.layers.Conv2D(2, 2))",
    "v BatchNormalization()",
    "s BatchNormalization(axis=1, scale=False)",
    "v BatchNormalization(renorm=True)",
    "i GroupNormalization(groups=2)",
    "s LayerNormalization(axis=(1, 2))",
    "v LayerNormalization(center=False)",
    "v LayerNormalization(rms_scaling=True)",
    "v RMSNormalization()",
    "v UnitNormalization()",
    "v Dropout(0.5, seed=1)",
    "v AlphaDropout(0.5, seed=1)",
    "v GaussianDropout(0.5, seed=1)",
    "v GaussianNoise(0.5, seed=1)",
    "s SpatialDropout1D(0.5, seed=1)",
    "i SpatialDropout2D(0.5, seed=1)",
    "i Flatten()",
    "s Permute((2, 1))",
    "v RepeatVector(2)",
    "s Reshape((4, -1))",
    "s Cropping1D((1, 2))",
    "i Cropping2D(((1, 0), (2, 1)))",
    "c Cropping3D(1)",
    "s UpSampling1D(2)",
    "i UpSampling2D((2, 3), interpolation='bilinear')",
    "c UpSampling3D(2)",
    "s ZeroPadding1D((1, 2))",
    "i ZeroPadding2D(((1, 0), (2, 1)))",
    "c ZeroPadding3D(1)",
    "v Identity()",
    "v Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 2.0, 3.0, 4.0])",
    "v Normalization(mean=1.0, variance=4.0)",
    "s Normalization(axis=(1, 2), mean=0.5, variance=4.0)",
    "v Normalization(axis=None, mean=1.0, variance=4.0, invert=True)",
    "i Rescaling([1.0, 2.0, 3.0, 4.0], offset=[1.0, 0.0, 2.0, 3.0])",
    "i Resizing(3, 4)",
    "i CenterCrop(3, 3)",
    "v Discretization(bin_boundaries=[-0.5, 0.5])",
    "i RandomFlip(seed=1)",
    "i RandomRotation(0.2, seed=1)",
    "i RandomZoom(0.2, seed=1)",
    "i RandomTranslation(0.2, 0.2, seed=1)",
    "i RandomCrop(3, 3, seed=1)",
    "i RandomContrast(0.2, seed=1)",
    "i RandomBrightness(0.2, seed=1)",
    "i RandomErasing(seed=1)",
    "i RandomGaussianBlur(seed=1)",
    "i RandomPerspective(seed=1)",
    "i RandomShear(0.2, 0.2, seed=1)",
    "w MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4)",
    "W STFTSpectrogram(frame_length=16, frame_step=8)",
    "v Pipeline([keras.layers.Rescaling(2.0), keras.layers.Rescaling(1.0, offset=0.5)])",
]


def _model(layer):
    """Returns a model of one layer, with fixed weights, and its inputs."""
    form, text = layer.split(" ", 1)
    need("keras.layers." + text.partition("(")[0])
    model = keras.Sequential([keras.Input(FORMS[form]), eval("keras.layers." + text, {"keras": keras})])
    return given(model), abs(numbers(2, *FORMS[form]))


def _same_weights(loaded, model):
    """Checks that weights are the same bit by bit, in order."""
    equal([w.name for w in loaded.weights], [w.name for w in model.weights], "names of the weights")
    equal(loaded.get_weights(), model.get_weights(), "weights")


@each(layer=LAYERS)
def saved_layer_is_loaded(layer):
    """a .keras file keeps weights and configuration: {layer}"""
    model, _ = _model(layer)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    _same_weights(loaded, model)
    a, b = loaded.layers[-1].get_config(), model.layers[-1].get_config()
    equal(keras.saving.serialize_keras_object(a), keras.saving.serialize_keras_object(b), "the layer's configuration")


_COMPUTED = [
    layer
    for layer in LAYERS
    if any(
        word in layer for word in ("Norm", "RNN", "Bidirectional", "TimeDist", "Discret", "Rescal", "Dense", "PReLU")
    )
]


@each(layer=_COMPUTED)
def saved_layer_computes_the_same(layer):
    """a model saved as .keras gives the same output once loaded: {layer}"""
    model, data = _model(layer)
    expected = array(model(data))
    model.save("it.keras")
    close(keras.models.load_model("it.keras")(data), expected, tolerance=1e-6)


HEAVY = [
    layer
    for layer in LAYERS
    if any(
        word in layer
        for word in ("Dense", "Conv", "RNN", "GRU", "LSTM", "Norm", "PReLU", "Discret", "Random", "Dropout", "Noise")
    )
]


@each(layer=HEAVY)
def weights_file_restores_layer(layer):
    """save_weights and load_weights restore each weight: {layer}"""
    model, _ = _model(layer)
    model.save_weights("it.weights.h5")
    other = model.__class__.from_config(model.get_config())
    given(other, seed=7)
    other.load_weights("it.weights.h5")
    equal(other.get_weights(), model.get_weights(), "weights")


@each(layer=HEAVY)
def legacy_file_restores_layer(layer):
    """a model saved as .h5 has the same weights and configuration once loaded: {layer}"""
    model, _ = _model(layer)
    model.save("it.h5")
    loaded = keras.models.load_model("it.h5")
    equal(loaded.get_weights(), model.get_weights(), "weights")
    a, b = loaded.layers[-1].get_config(), model.layers[-1].get_config()
    equal(keras.saving.serialize_keras_object(a), keras.saving.serialize_keras_object(b), "the layer's configuration")


@each(layer=LAYERS)
def json_restores_layer(layer):
    """model_from_json(to_json()) has the same configuration and weights: {layer}"""
    model, _ = _model(layer)
    text = model.to_json()
    made = keras.models.model_from_json(text)
    equal(json.loads(made.to_json()), json.loads(text), "the JSON of the second model")
    equal([tuple(w.shape) for w in made.weights], [tuple(w.shape) for w in model.weights], "shapes of the weights")


@each(layer=LAYERS)
def build_config_restores_layer(layer):
    """a layer built from get_build_config has the same weights: {layer}"""
    model, _ = _model(layer)
    layer = model.layers[-1]
    config = keras.saving.serialize_keras_object(layer)
    second = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    equal(second.built, True, "built")
    equal([tuple(w.shape) for w in second.weights], [tuple(w.shape) for w in layer.weights], "shapes of the weights")
    second.set_weights(layer.get_weights())
    equal(second.get_weights(), layer.get_weights(), "weights")


@each(layer=["v Dense(3)", "s LSTM(3)", "i Conv2D(2, 2)", "v BatchNormalization()", "s MultiHeadAttention(2, 3)"])
def frozen_layer_is_loaded_frozen(layer):
    """a layer that is not trainable is not so once the model is loaded: {layer}"""
    form, text = layer.split(" ", 1)
    inputs = keras.Input(FORMS[form])
    made = eval("keras.layers." + text, {"keras": keras})
    output = made(inputs, inputs) if "Attention" in text else made(inputs)
    model = keras.Model(inputs, output)
    made.trainable = False
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal(loaded.layers[-1].trainable, False, "trainable")
    equal(len(loaded.trainable_variables), 0, "trainable variables")
    equal(len(loaded.non_trainable_variables), len(model.non_trainable_variables), "other variables")


@each(policy=["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"], form=["keras", "h5", "weights.h5"])
def dtypes_survive_file(policy, form):
    """weights and policies of {policy} survive a .{form} file"""
    made = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, dtype=policy),
            keras.layers.Dense(2),
            keras.layers.BatchNormalization(dtype=policy),
        ]
    )
    given(made)
    if form == "weights.h5":
        made.save_weights("it.weights.h5")
        loaded = keras.Sequential.from_config(made.get_config())
        loaded.load_weights("it.weights.h5")
    else:
        made.save("it." + form)
        loaded = keras.models.load_model("it." + form)
    equal([layer.dtype_policy.name for layer in loaded.layers], [policy, "float32", policy], "policies")
    equal([str(w.dtype) for w in loaded.weights], [str(w.dtype) for w in made.weights], "dtypes of the weights")
    for a, b in zip(loaded.weights, made.weights):
        equal(array(keras.ops.cast(a, "float32")), array(keras.ops.cast(b, "float32")), b.path)


@each(dtype=["int8", "uint8", "int32", "int64", "bool", "float16", "bfloat16", "float64"], form=["keras", "weights.h5"])
def variable_of_dtype_survives(dtype, form):
    """a layer's weight of dtype {dtype} survives a .{form} file"""
    model = keras.Sequential([keras.Input((2,)), _Holder(dtype)])
    model.layers[0].held.assign(np.array([[1, 0], [1, 1]]))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras", custom_objects={"_Holder": _Holder})
    else:
        model.save_weights("it.weights.h5")
        loaded = keras.Sequential([keras.Input((2,)), _Holder(dtype)])
        loaded.load_weights("it.weights.h5")
    held = loaded.layers[0].held
    equal(keras.backend.standardize_dtype(held.dtype), dtype, "the dtype")
    equal(array(keras.ops.cast(held, "int32")), np.array([[1, 0], [1, 1]]), "the values")


class _Holder(keras.layers.Layer):
    def __init__(self, kind, **more):
        super().__init__(**more)
        self.kind = kind

    def build(self, shape):
        self.held = self.add_weight(shape=(2, 2), initializer="zeros", dtype=self.kind, trainable=False, name="held")
        self.built = True

    def call(self, x):
        return x

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}
