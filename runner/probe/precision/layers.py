"""Every layer in half and in double precision."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, true

# a call, and the shapes of its inputs: i is whole numbers, * hands several inputs over one by one
LAYERS = [
    "Dense(4, activation='relu') 2x3",
    "EinsumDense('abc,cd->abd', output_shape=(None, 4), bias_axes='d') 2x3x3",
    "Embedding(5, 3) i2x3",
    "ReversibleEmbedding(5, 3) i2x3",
    "Activation('gelu') 2x3",
    "ReLU(max_value=1.0, negative_slope=0.1) 2x3",
    "LeakyReLU(negative_slope=0.2) 2x3",
    "PReLU() 2x3",
    "ELU(alpha=0.5) 2x3",
    "Softmax() 2x3",
    "Masking(mask_value=0.5) 2x3x3",
    "Lambda(lambda x: x * 2.0) 2x3",
    "Conv1D(2, 2, activation='tanh') 2x5x3",
    "Conv2D(2, 2) 1x4x4x2",
    "Conv3D(2, 2) 1x3x3x3x2",
    "Conv1DTranspose(2, 2) 2x5x3",
    "Conv2DTranspose(2, 2) 1x4x4x2",
    "DepthwiseConv1D(2) 2x5x3",
    "DepthwiseConv2D(2) 1x4x4x2",
    "SeparableConv1D(2, 2) 2x5x3",
    "SeparableConv2D(2, 2) 1x4x4x2",
    "MaxPooling2D(2) 1x4x4x2",
    "AveragePooling1D(2) 2x5x3",
    "AveragePooling2D(2, padding='same') 1x3x3x2",
    "GlobalAveragePooling2D() 1x4x4x2",
    "GlobalMaxPooling1D() 2x5x3",
    "AdaptiveAveragePooling2D(2) 1x4x4x2",
    "AdaptiveMaxPooling1D(2) 2x4x3",
    "LSTM(3) 2x3x3",
    "GRU(3, return_sequences=True) 2x3x3",
    "GRU(3, reset_after=False) 2x3x3",
    "SimpleRNN(3) 2x3x3",
    "Bidirectional(keras.layers.LSTM(2, dtype=D)) 2x3x3",
    "TimeDistributed(keras.layers.Dense(2, dtype=D)) 2x3x3",
    "RNN(keras.layers.GRUCell(3, dtype=D)) 2x3x3",
    "ConvLSTM1D(2, 2) 1x2x4x2",
    "ConvLSTM2D(2, 2) 1x2x3x3x2",
    "BatchNormalization() 4x3",
    "LayerNormalization() 2x3x3",
    "GroupNormalization(groups=2) 2x3x4",
    "RMSNormalization() 2x3x3",
    "UnitNormalization() 2x3",
    "SpectralNormalization(keras.layers.Dense(2, dtype=D)) 2x3",
    "Attention(use_scale=True) 2x3x3,2x3x3",
    "AdditiveAttention() 2x3x3,2x3x3",
    "MultiHeadAttention(2, 2) *2x3x3,2x3x3",
    "GroupQueryAttention(2, 4, 2) *2x3x3,2x3x3",
    "Add() 2x3,2x3",
    "Subtract() 2x3,2x3",
    "Multiply() 2x3,2x3",
    "Average() 2x3,2x3",
    "Maximum() 2x3,2x3",
    "Minimum() 2x3,2x3",
    "Concatenate() 2x3,2x3",
    "Dot(axes=1, normalize=True) 2x3,2x3",
    "Flatten() 2x3x3",
    "Reshape((9,)) 2x3x3",
    "Permute((2, 1)) 2x3x3",
    "RepeatVector(2) 2x3",
    "Cropping1D(1) 2x5x3",
    "ZeroPadding2D(1) 1x4x4x2",
    "UpSampling2D(2, interpolation='bilinear') 1x4x4x2",
    "UpSampling1D(2) 2x3x3",
    "Dropout(0.5, seed=1) 2x3",
    "SpatialDropout1D(0.5, seed=1) 2x3x3",
    "SpatialDropout2D(0.5, seed=1) 1x4x4x2",
    "GaussianDropout(0.5, seed=1) 2x3",
    "GaussianNoise(0.5, seed=1) 2x3",
    "AlphaDropout(0.5, seed=1) 2x3",
    "ActivityRegularization(0.1) 2x3",
    "Identity() 2x3",
    "Rescaling(0.5, offset=0.1) 2x3",
    "Normalization(mean=0.5, variance=2.0) 2x3",
    "CategoryEncoding(5) i2x3",
    "Discretization(bin_boundaries=[0.0, 1.0]) 2x3",
    "Resizing(3, 3) 1x4x4x2",
    "CenterCrop(2, 2) 1x4x4x2",
    "RandomFlip(seed=1) 1x4x4x2",
    "RandomRotation(0.1, seed=1) 1x4x4x2",
    "RandomTranslation(0.1, 0.1, seed=1) 1x4x4x2",
    "RandomZoom(0.1, seed=1) 1x4x4x2",
    "RandomContrast(0.1, seed=1) 1x4x4x2",
    "RandomBrightness(0.1, seed=1) 1x4x4x2",
    "RandomCrop(2, 2, seed=1) 1x4x4x2",
]
WHOLE = ("CategoryEncoding", "Discretization")  # their output is counts or indices
AUGMENTING = ("Random", "Resizing", "CenterCrop")
NOISE = ("Random", "Gaussian", "AlphaDropout", "Dropout", "SpatialDropout")


def _made(text, policy):
    """Returns the layer that ``text`` names, and inputs for it."""
    call, _, shapes = text.rpartition(" ")
    made = need("keras.layers." + call.partition("(")[0])
    arguments = "(dtype=D)" if call.endswith("()") else "(%s, dtype=D)" % call.partition("(")[2][:-1]
    layer = eval("made" + arguments, {"made": made, "keras": keras, "D": policy})  # noqa: S307 - written above
    inputs = []
    for place, shape in enumerate(shapes.strip("*").split(",")):
        sizes = [int(size) for size in shape.strip("i").split("x")]
        values = np.arange(np.prod(sizes)).reshape(sizes) % 5 if shape[0] == "i" else numbers(*sizes, seed=place)
        inputs.append(values.astype("int32" if shape[0] == "i" else "float32"))
    several = shapes[0] == "*"
    return layer, inputs if several or len(inputs) == 1 else [inputs]


def _called(layer, inputs, **options):
    """Returns what a layer, with given weights, returns."""
    layer(*inputs)
    return given(layer)(*inputs, **options)


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _doubles(policy):
    """Raises Lacking where the backend computes with single precision only."""
    if policy == "float64" and keras.backend.backend() == "jax":
        raise Lacking("jax computes in float64 only with jax_enable_x64")


@each(layer=[text for text in LAYERS if not text.startswith(WHOLE)], policy=["mixed_bfloat16", "float16", "float64"])
def layer_returns_its_dtype(layer, policy):
    """{layer} of dtype {policy} computes and stores in it"""
    _doubles(policy)
    made, inputs = _made(layer, policy)
    training = "training" in made.call.__code__.co_varnames if hasattr(made.call, "__code__") else False
    out = made(*inputs, training=True) if training else made(*inputs)
    equal(_dtype(out), made.compute_dtype, "the output's dtype")
    stored = {_dtype(v) for v in made.weights if "float" in _dtype(v)}
    equal(stored or {made.variable_dtype}, {made.variable_dtype}, "the weights' dtype")


@each(layer=[text for text in LAYERS if not text.startswith(WHOLE)])
def layer_says_its_dtype(layer):
    """{layer} of dtype mixed_float16 says that its output is float16"""
    made, inputs = _made(layer, "mixed_float16")

    def symbolic(x):
        if isinstance(x, list):
            return [symbolic(item) for item in x]
        return keras.KerasTensor((None, *x.shape[1:]), dtype=str(x.dtype))

    out = made(*[symbolic(x) for x in inputs])
    equal(_dtype(out), "float16", "the symbolic output's dtype")


@each(layer=[text for text in LAYERS if not text.startswith(WHOLE + NOISE)])
def layer_in_float16_is_close(layer):
    """{layer} in mixed_float16 agrees with float32 within the rounding of float16"""
    made, inputs = _made(layer, "mixed_float16")
    exact, _ = _made(layer, "float32")
    close(_called(made, inputs), array(_called(exact, inputs)), "the output", 32 * 2.0**-11)


@each(layer=[text for text in LAYERS if not text.startswith(WHOLE + NOISE + AUGMENTING)])
def layer_in_bfloat16_is_close(layer):
    """{layer} in mixed_bfloat16 agrees with float32 within the rounding of bfloat16"""
    made, inputs = _made(layer, "mixed_bfloat16")
    exact, _ = _made(layer, "float32")
    close(_called(made, inputs), array(_called(exact, inputs)), "the output", 24 * 2.0**-8)


@each(layer=["LayerNormalization()", "LayerNormalization(rms_scaling=True)", "RMSNormalization()"])
def normalization_does_not_overflow(layer):
    """{layer} in mixed_float16 normalizes inputs whose squares overflow"""
    need("keras.layers." + layer.partition("(")[0])
    made = eval("keras.layers." + layer)  # noqa: S307 - written above
    options = made.get_config()
    half = made.__class__.from_config(dict(options, dtype="mixed_float16"))
    data = 500.0 + 200.0 * numbers(3, 8)
    expected = array(made(data.astype("float16").astype("float32")))
    close(half(data), expected, "the output", 16 * 2.0**-11)


@each(name=["BatchNormalization", "GroupNormalization"], policy=["mixed_float16", "float16"])
def statistics_do_not_overflow(name, policy):
    """{name}(dtype={policy}) normalizes large inputs within its rounding"""
    options = {"groups": 2} if name == "GroupNormalization" else {"momentum": 0.5}
    data = 500.0 + 200.0 * numbers(8, 4)
    exact = getattr(keras.layers, name)(**options)
    half = getattr(keras.layers, name)(dtype=policy, **options)
    expected = array(exact(data.astype("float16").astype("float32"), training=True))
    close(half(data, training=True), expected, "the output", 32 * 2.0**-11)


def moving_statistics_of_half_models_are_right():
    """BatchNormalization in mixed_float16 keeps moving statistics in float32"""
    layer = keras.layers.BatchNormalization(momentum=0.0, dtype="mixed_float16")
    data = 100.0 + numbers(16, 2)
    layer(data, training=True)
    half = data.astype("float16").astype("float64")
    close(layer.moving_mean, half.mean(0), "the mean", 2.0**-11)
    close(layer.moving_variance, half.var(0), "the variance", 0.05)


@each(policy=["mixed_float16", "mixed_bfloat16"])
def softmax_of_large_logits_is_finite(policy):
    """Softmax in {policy} gives probabilities for logits of a thousand"""
    out = array(keras.layers.Softmax(dtype=policy)(np.array([[1000.0, 0.0, -1000.0]], "float32"))).astype("float64")
    close(out, np.array([[1.0, 0.0, 0.0]]))


@each(layer=["Softmax", "Attention", "MultiHeadAttention", "AdditiveAttention"], policy=["mixed_float16", "float16"])
def masked_places_have_no_weight(layer, policy):
    """{layer} of dtype {policy} gives a masked place no weight"""
    mask = np.array([[True, False, True]])
    x = numbers(1, 3, 4)
    if layer == "Softmax":
        out = keras.layers.Softmax(dtype=policy)(numbers(1, 3), mask=mask)
        found = array(out).astype("float64")[0, 1]
    elif layer == "MultiHeadAttention":
        made = keras.layers.MultiHeadAttention(1, 2, dtype=policy)
        _, scores = made(x, x, attention_mask=np.broadcast_to(mask[:, None], (1, 3, 3)), return_attention_scores=True)
        found = array(scores).astype("float64")[..., 1].max()
    else:
        made = getattr(keras.layers, layer)(dtype=policy)
        _, scores = made([x, x], mask=[mask, mask], return_attention_scores=True)
        found = array(scores).astype("float64")[..., 1].max()
    close(float(found), 0.0, "the weight of the masked place")


@each(policy=["mixed_float16", "mixed_bfloat16"], mask=["causal", "padding", "all masked"])
def masked_attention_in_half_is_finite(policy, mask):
    """MultiHeadAttention in {policy} with a mask ({mask}) returns finite numbers"""
    layer = keras.layers.MultiHeadAttention(2, 2, dtype=policy)
    x = 8 * numbers(2, 4, 4)
    if mask == "causal":
        out = layer(x, x, use_causal_mask=True)
    else:
        allowed = np.zeros((2, 4, 4), bool)
        if mask == "padding":
            allowed[:, :, :2] = True
        out = layer(x, x, attention_mask=allowed)
    true(bool(np.isfinite(array(out).astype("float64")).all()), "the output is finite")


@each(layer=["LSTM", "GRU", "SimpleRNN"], policy=["mixed_float16", "mixed_bfloat16", "float16"])
def states_have_the_compute_dtype(layer, policy):
    """The states that {layer} of dtype {policy} returns have the dtype it computes in"""
    out = getattr(keras.layers, layer)(2, return_state=True, return_sequences=True, dtype=policy)(numbers(2, 3, 4))
    wanted = policy.replace("mixed_", "")
    equal([_dtype(part) for part in out], [wanted] * len(out), "dtypes")


@each(layer=["LSTM", "GRU", "SimpleRNN"], policy=["mixed_bfloat16", "float16"])
def stateful_layers_run_in_half(layer, policy):
    """A stateful {layer} of dtype {policy} goes on from its state"""
    made = getattr(keras.layers, layer)(2, stateful=True, dtype=policy)
    exact = getattr(keras.layers, layer)(2, stateful=True)
    x = numbers(2, 3, 4)
    for one in (made, exact):
        one.build((2, 3, 4))
        given(one)
        one.reset_states()
        one(x)
    close(made(x), array(exact(x)), "the second output", 24 * 2.0**-8)


@each(layer=["LSTM", "GRU", "SimpleRNN"])
def dropout_in_recurrent_layers_keeps_half(layer):
    """{layer} with both dropouts, in training, returns float16"""
    made = getattr(keras.layers, layer)(2, dropout=0.5, recurrent_dropout=0.5, seed=1, dtype="mixed_float16")
    equal(_dtype(made(numbers(2, 3, 4), training=True)), "float16", "the output's dtype")


ACTIVATIONS = [
    *["elu", "exponential", "gelu", "hard_sigmoid", "hard_swish", "leaky_relu", "linear", "log_softmax", "mish"],
    *[
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "softsign",
        "tanh",
        "celu",
        "glu",
        "squareplus",
    ],
    *["hard_tanh", "hard_shrink", "tanh_shrink", "soft_shrink", "threshold", "sparse_plus", "log_sigmoid"],
]


@each(name=ACTIVATIONS, dtype=["float16", "bfloat16"])
def activations_keep_their_dtype(name, dtype):
    """activations.{name} of {dtype} numbers is {dtype}, and right within rounding"""
    function = need("keras.activations." + name)
    if name == "threshold":
        need("keras.ops.threshold")
        x = keras.ops.convert_to_tensor(numbers(2, 4))
        out, expected = function(keras.ops.cast(x, dtype), 0.1, 0.5), function(x, 0.1, 0.5)
    else:
        x = keras.ops.cast(keras.ops.cast(keras.ops.convert_to_tensor(numbers(2, 4)), dtype), "float32")
        out, expected = function(keras.ops.cast(x, dtype)), function(x)
    equal(_dtype(out), dtype, "its dtype")
    close(out, array(expected), "its values", 8 * (2.0**-11 if dtype == "float16" else 2.0**-8))


@each(dtype=["float16", "bfloat16"], name=["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def regularizers_take_half(dtype, name):
    """The regularizer {name} of {dtype} weights is a finite number"""
    made = getattr(keras.regularizers, name)()
    found = made(keras.ops.cast(keras.ops.convert_to_tensor(numbers(3, 3)), dtype))
    close(
        float(array(keras.ops.cast(found, "float32"))),
        float(array(made(keras.ops.convert_to_tensor(numbers(3, 3))))),
        "the penalty",
        0.05,
    )


@each(dtype=["float16", "bfloat16"], name=["MaxNorm(0.5)", "NonNeg()", "UnitNorm()", "MinMaxNorm(0.2, 0.5)"])
def constraints_keep_half(dtype, name):
    """The constraint {name} returns {dtype} weights as {dtype}"""
    made = eval("keras.constraints." + name)  # noqa: S307 - written above
    weights = keras.ops.cast(keras.ops.convert_to_tensor(numbers(3, 3)), dtype)
    out = made(weights)
    equal(_dtype(out), dtype, "its dtype")
    close(out, array(made(keras.ops.convert_to_tensor(numbers(3, 3)))), "its values", 0.05)


def penalties_are_computed_from_stored_weights():
    """The kernel regularizer of a mixed_float16 layer gives a float32 penalty"""
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(1.0), dtype="mixed_float16")
    layer.build((None, 2))
    layer.set_weights([np.full((2, 2), 300.0), np.zeros(2)])
    close(float(layer.losses[0]), 4 * 300.0**2, "the penalty")
    equal(_dtype(layer.losses[0]), "float32", "its dtype")


@each(policy=["mixed_float16", "mixed_bfloat16"])
def nested_models_run_in_half(policy):
    """A model inside a model, both {policy}, agrees with float32"""

    def model(dtype):
        inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu", dtype=dtype)])
        outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2, dtype=dtype)])
        return given(outer)

    close(model(policy)(numbers(4, 3)), array(model("float32")(numbers(4, 3))), "the output", 0.03)


@each(dtype=["float16", "bfloat16", "float64"])
def input_layers_keep_their_dtype(dtype):
    """Input(dtype="{dtype}") takes it into the model"""
    _doubles(dtype)
    x = keras.Input((3,), dtype=dtype)
    equal(x.dtype, dtype, "the symbolic tensor's dtype")
    model = keras.Model(x, keras.layers.Dense(2, dtype=dtype)(x))
    equal(_dtype(model(numbers(2, 3))), dtype, "the output's dtype")
