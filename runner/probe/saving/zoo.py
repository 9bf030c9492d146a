"""Small models of every layer family, the same in every release."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.prelude import given, need, numbers

ZOO = (
    "dense",
    "activations",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "depthwise",
    "separable",
    "conv_lstm",
    "simple_rnn",
    "lstm",
    "gru",
    "gru_reset_before",
    "bidirectional",
    "stacked_cells",
    "masked_rnn",
    "time_distributed",
    "attention",
    "multi_head_attention",
    "group_query_attention",
    "batch_normalization",
    "layer_normalization",
    "group_normalization",
    "rms_normalization",
    "spectral_normalization",
    "embedding",
    "pooling",
    "shapes",
    "merging",
    "normalization",
    "discretization",
    "integer_lookup",
    "category_encoding",
    "image_preprocessing",
    "augmentation",
    "nested",
    "deeply_nested",
    "shared_across_levels",
    "shared",
    "two_inputs",
    "dict_inputs",
    "dict_outputs",
    "unnamed_sequential",
    "operations",
    "slices",
    "registered",
    "subclassed",
    "own_variables",
    "layers_in_containers",
    "mixed_float16",
    "float64",
    "policy_per_layer",
    "frozen",
    "regularized",
    "int8",
    "int4",
    "float8",
    "lora",
    "with_optimizer",
    "with_momentum",
    "with_schedule",
    "with_ema",
    "with_loss_scale",
    "with_metrics",
)
"""Names of functions of this module; each returns ``(model, inputs)``, or raises Lacking."""

EXCHANGED = (
    "dense",
    "conv2d",
    "conv_transpose",
    "lstm",
    "gru",
    "bidirectional",
    "stacked_cells",
    "multi_head_attention",
    "batch_normalization",
    "layer_normalization",
    "embedding",
    "normalization",
    "discretization",
    "integer_lookup",
    "nested",
    "shared",
    "two_inputs",
    "dict_inputs",
    "registered",
    "subclassed",
    "mixed_float16",
    "int8",
    "lora",
    "with_optimizer",
)
"""The models that cells exchange: every cell reads the files of all others, so each one costs cells times cells."""

TRAINED = (
    "dense",
    "lstm",
    "batch_normalization",
    "nested",
    "two_inputs",
    "frozen",
    "with_optimizer",
    "with_momentum",
    "with_schedule",
    "with_ema",
    "with_loss_scale",
    "with_metrics",
)
"""Those that are written in the middle of training."""


LEARNT = ("normalization", "discretization", "integer_lookup")
"""Those whose state was learnt from data."""


def made(name, seed=100):
    """Returns ``(model, inputs)`` of a name, with fixed weights."""
    model, inputs = globals()[name]()
    return (model if name in LEARNT else given(model, seed)), inputs


def compile_as(name, model):
    """Compiles a model as its writer did, without a jitted step."""
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = {
        "with_optimizer": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
        "with_momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "with_schedule": lambda: keras.optimizers.SGD(rate, momentum=0.5),
        "with_ema": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3),
        "with_loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.1, momentum=0.5), initial_scale=8.0, dynamic_growth_steps=3
        ),
    }.get(name, lambda: keras.optimizers.Adam(0.01))()
    metrics = [keras.metrics.MeanAbsoluteError(name="error")] if name == "with_metrics" else None
    model.compile(optimizer, keras.losses.MeanSquaredError(), metrics=metrics, run_eagerly=True)


def train_a_little(model, inputs, steps=2, first=0):
    """Trains a compiled model ``steps`` steps; ``first`` counts those before."""
    shape = tuple(model(inputs, training=False).shape)
    for place in range(first, first + steps):
        model.train_on_batch(inputs, numbers(*shape, seed=50 + place))


_layers = keras.layers
_SEQUENCE, _IMAGE = (5, 4), (6, 6, 4)


def _sequential(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers]), numbers(2, *shape)


def dense():
    """Dense layers."""
    return _sequential((4,), _layers.Dense(5, activation="relu", name="hidden"), _layers.Dense(2, name="out"))


def activations():
    """Activations with parameters and without."""
    return _sequential(
        _SEQUENCE,
        _layers.LeakyReLU(),
        _layers.PReLU(shared_axes=[1]),
        _layers.ELU(alpha=0.5),
        _layers.Activation("gelu"),
        _layers.ReLU(max_value=2.0, negative_slope=0.1),
        _layers.Dense(3, activation="swish"),
        _layers.Softmax(axis=1),
    )


def conv1d():
    """One-dimensional convolutions."""
    return _sequential(_SEQUENCE, _layers.Conv1D(4, 3, padding="causal"), _layers.Conv1D(2, 3, groups=2))


def conv2d():
    """Two-dimensional convolutions."""
    same = _layers.Conv2D(4, 3, padding="same", activation="relu")
    return _sequential(_IMAGE, same, _layers.Conv2D(2, 2, strides=2, use_bias=False))


def conv3d():
    """A three-dimensional convolution."""
    return _sequential((3, 4, 4, 2), _layers.Conv3D(2, 2))


def conv_transpose():
    """Transposed convolutions."""
    shape = _layers.Reshape((-1, 2))
    return _sequential(_IMAGE, _layers.Conv2DTranspose(2, 3, strides=2), shape, _layers.Conv1DTranspose(2, 3))


def depthwise():
    """Depthwise convolutions."""
    flat = _layers.Reshape((-1, 8))
    return _sequential(_IMAGE, _layers.DepthwiseConv2D(3, depth_multiplier=2), flat, _layers.DepthwiseConv1D(2))


def separable():
    """Separable convolutions."""
    return _sequential(_IMAGE, _layers.SeparableConv2D(3, 3), _layers.Reshape((-1, 3)), _layers.SeparableConv1D(2, 3))


def conv_lstm():
    """A convolutional LSTM."""
    return _sequential((2, 5, 4), _layers.ConvLSTM1D(2, 3))


def simple_rnn():
    """A simple recurrent layer, backwards."""
    return _sequential(_SEQUENCE, _layers.SimpleRNN(3, go_backwards=True))


def lstm():
    """Two LSTM layers."""
    return _sequential(_SEQUENCE, _layers.LSTM(3, return_sequences=True), _layers.LSTM(2))


def gru():
    """A GRU layer."""
    return _sequential(_SEQUENCE, _layers.GRU(3))


def gru_reset_before():
    """A GRU layer of the older kind."""
    return _sequential(_SEQUENCE, _layers.GRU(3, reset_after=False))


def bidirectional():
    """Recurrent layers in both directions."""
    backward = _layers.GRU(2, go_backwards=True)
    both = _layers.Bidirectional(_layers.LSTM(2, return_sequences=True))
    return _sequential(_SEQUENCE, both, _layers.Bidirectional(_layers.LSTM(2), backward_layer=backward))


def stacked_cells():
    """Stacked cells in one recurrent layer."""
    cells = [_layers.LSTMCell(3), _layers.GRUCell(2), _layers.SimpleRNNCell(2)]
    return _sequential(_SEQUENCE, _layers.RNN(cells))


def masked_rnn():
    """A mask from an embedding through recurrent layers."""
    embedding = _layers.Embedding(6, 3, mask_zero=True)
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), embedding, _layers.LSTM(2, return_sequences=True), _layers.GRU(2)]
    )
    return model, np.array([[1, 2, 0, 0], [3, 4, 5, 0]], "int32")


def time_distributed():
    """A layer at each step of time."""
    return _sequential(
        (3, *_SEQUENCE), _layers.TimeDistributed(_layers.Conv1D(2, 2)), _layers.TimeDistributed(_layers.Flatten())
    )


def attention():
    """Attention with a scale, and additive."""
    x = keras.Input(_SEQUENCE)
    y = _layers.Attention(use_scale=True, score_mode="concat")([x, x])
    return keras.Model(x, _layers.AdditiveAttention()([y, x])), numbers(2, *_SEQUENCE)


def multi_head_attention():
    """Attention of several heads."""
    x, y = keras.Input(_SEQUENCE), keras.Input((3, 4))
    out = _layers.MultiHeadAttention(2, 3, output_shape=(5,))(x, y, key=y)
    return keras.Model([x, y], out), [numbers(2, *_SEQUENCE), numbers(2, 3, 4, seed=1)]


def group_query_attention():
    """Attention of groups of heads."""
    need("keras.layers.GroupQueryAttention")
    x = keras.Input(_SEQUENCE)
    return keras.Model(x, _layers.GroupQueryAttention(3, 4, 2)(x, x)), numbers(2, *_SEQUENCE)


def batch_normalization():
    """Normalization by batches."""
    return _sequential(
        _SEQUENCE, _layers.BatchNormalization(axis=1), _layers.Dense(3), _layers.BatchNormalization(scale=False)
    )


def layer_normalization():
    """Normalization by samples."""
    return _sequential(
        _SEQUENCE,
        _layers.LayerNormalization(axis=(1, 2)),
        _layers.LayerNormalization(center=False),
        _layers.UnitNormalization(),
    )


def group_normalization():
    """Normalization by groups."""
    return _sequential(_IMAGE, _layers.GroupNormalization(groups=2))


def rms_normalization():
    """Normalization by the mean square."""
    need("keras.layers.RMSNormalization")
    return _sequential(_SEQUENCE, _layers.RMSNormalization())


def spectral_normalization():
    """Weights divided by their largest singular value."""
    need("keras.layers.SpectralNormalization")
    return _sequential((4,), _layers.SpectralNormalization(_layers.Dense(3)))


def embedding():
    """An embedding."""
    model = keras.Sequential(
        [keras.Input((4,), dtype="int32"), _layers.Embedding(6, 3), _layers.Flatten(), _layers.Dense(2)]
    )
    return model, np.array([[1, 2, 0, 3], [3, 4, 5, 0]], "int32")


def pooling():
    """Pooling."""
    x = keras.Input(_IMAGE)
    ends = [_layers.GlobalAveragePooling2D()(x), _layers.GlobalMaxPooling2D(keepdims=True)(x)]
    middle = _layers.AveragePooling2D(2, padding="same")(_layers.MaxPooling2D(3, strides=1)(x))
    return keras.Model(x, [*ends, middle]), numbers(2, *_IMAGE)


def shapes():
    """Layers that move, repeat and cut."""
    return _sequential(
        _IMAGE,
        _layers.ZeroPadding2D(((1, 0), (2, 1))),
        _layers.Cropping2D(((0, 1), (1, 0))),
        _layers.UpSampling2D(2, interpolation="bilinear"),
        _layers.Permute((3, 1, 2)),
        _layers.Reshape((-1, 4)),
        _layers.Flatten(),
        _layers.RepeatVector(2),
    )


def merging():
    """Layers that merge their inputs."""
    x, y = keras.Input(_SEQUENCE), keras.Input(_SEQUENCE)
    kinds = [
        _layers.Add(),
        _layers.Subtract(),
        _layers.Multiply(),
        _layers.Average(),
        _layers.Maximum(),
        _layers.Minimum(),
    ]
    ends = [layer([x, y]) for layer in [*kinds, _layers.Concatenate(axis=1), _layers.Dot(axes=2, normalize=True)]]
    return keras.Model([x, y], ends), [numbers(2, *_SEQUENCE), numbers(2, *_SEQUENCE, seed=1)]


def normalization():
    """Normalization by statistics that were learnt."""
    layer = _layers.Normalization()
    layer.adapt(numbers(20, 4, seed=3) * 3 + 1)
    return _sequential((4,), layer, _layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[4.0, 3.0, 2.0, 1.0]))


def discretization():
    """Bins that were learnt."""
    layer = _layers.Discretization(num_bins=4, output_mode="one_hot")
    layer.adapt(numbers(40, 1, seed=3))
    return _sequential((1,), layer)


def integer_lookup():
    """A vocabulary that was learnt."""
    layer = _layers.IntegerLookup(num_oov_indices=2, output_mode="multi_hot")
    layer.adapt(np.array([[7, 7, 7, 9, 9, 5]]))
    model = keras.Sequential([keras.Input((3,), dtype="int64"), layer])
    return model, np.array([[7, 9, 3], [5, 5, 4]], "int64")


def category_encoding():
    """Numbers of categories as vectors."""
    model = keras.Sequential([keras.Input((2,), dtype="int32"), _layers.CategoryEncoding(4, output_mode="count")])
    return model, np.array([[1, 1], [3, 0]], "int32")


def image_preprocessing():
    """Images rescaled, resized and cut."""
    scaled = _layers.Rescaling([1.0, 2.0, 0.5, 1.0], offset=[0.0, 1.0, 0.0, 2.0])
    return _sequential(_IMAGE, scaled, _layers.Resizing(8, 5, crop_to_aspect_ratio=True), _layers.CenterCrop(3, 3))


def augmentation():
    """Layers of chance, which do nothing in inference."""
    return _sequential(
        _IMAGE,
        _layers.RandomFlip("horizontal", seed=1),
        _layers.RandomRotation(0.2, seed=2),
        _layers.RandomZoom(0.2, seed=3),
        _layers.Dropout(0.5, seed=4),
        _layers.GaussianNoise(0.5, seed=5),
        _layers.Conv2D(2, 3),
    )


def nested():
    """A model in a model."""
    inner = keras.Sequential([keras.Input((4,)), _layers.Dense(3, activation="tanh"), _layers.Dense(3)], name="inner")
    return _sequential((4,), _layers.Dense(4), inner, _layers.Dense(2))


def deeply_nested():
    """Models three levels deep, functional and sequential."""
    a = keras.Input((4,))
    first = keras.Model(a, _layers.Dense(4, activation="tanh")(a), name="first")
    second = keras.Sequential([keras.Input((4,)), first, _layers.Dense(4)], name="second")
    b = keras.Input((4,))
    third = keras.Model(b, [second(b), _layers.Dense(2)(b)], name="third")
    c = keras.Input((4,))
    return keras.Model(c, third(_layers.Dense(4)(c))), numbers(2, 4)


def shared_across_levels():
    """A model used at two levels."""
    a = keras.Input((4,))
    first = keras.Model(a, _layers.Dense(4, activation="tanh")(a), name="first")
    second = keras.Sequential([keras.Input((4,)), first, _layers.Dense(4)], name="second")
    b = keras.Input((4,))
    return keras.Model(b, [second(b), _layers.Dense(2)(first(b))], name="third"), numbers(2, 4)


def shared():
    """A layer and a model used twice."""
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    layer, model = _layers.Dense(3, name="twice"), keras.Sequential([keras.Input((3,)), _layers.Dense(2)], name="both")
    return keras.Model([x, y], [_layers.Add()([model(layer(x)), model(layer(y))]), layer(layer(x))]), [
        numbers(2, 3),
        numbers(2, 3, seed=1),
    ]


def two_inputs():
    """A list of inputs."""
    x, y = keras.Input((3,)), keras.Input((4,))
    out = _layers.Dense(2)(_layers.Concatenate()([_layers.Dense(2)(x), _layers.Dense(3)(y)]))
    return keras.Model([x, y], out), [numbers(2, 3), numbers(2, 4, seed=1)]


def dict_inputs():
    """Inputs by name, not in the order of the alphabet."""
    x, y = keras.Input((3,), name="z"), keras.Input((3,), name="a")
    out = _layers.Subtract()([_layers.Dense(2)(x), _layers.Dense(2)(y)])
    return keras.Model({"z": x, "a": y}, out), {"z": numbers(2, 3), "a": numbers(2, 3, seed=1)}


def dict_outputs():
    """Outputs by name."""
    x = keras.Input((3,))
    return keras.Model(x, {"z": _layers.Dense(2)(x), "a": _layers.Dense(3)(x)}), numbers(2, 3)


def unnamed_sequential():
    """A Sequential model without an input layer, built by its shape."""
    model = keras.Sequential([_layers.Dense(3), _layers.BatchNormalization(), _layers.Dense(2)])
    model.build((None, 4))
    return model, numbers(2, 4)


def operations():
    """Keras's functions in a functional model."""
    x = keras.Input((3,))
    y = keras.ops.concatenate([keras.ops.exp(x), keras.ops.sum(x, axis=1, keepdims=True) * 2.0], axis=-1)
    return keras.Model(x, keras.ops.reshape(_layers.Dense(4)(y) - 1.0, (-1, 2, 2))), numbers(2, 3)


def slices():
    """Slices in a functional model."""
    x = keras.Input(_SEQUENCE)
    return keras.Model(x, _layers.Dense(2)(x[:, 1:4, ::2])), numbers(2, *_SEQUENCE)


@keras.saving.register_keras_serializable(package="zoo")
class Scaled(keras.layers.Layer):
    """A layer of a person's own."""

    def __init__(self, factor=1.0, **more):
        super().__init__(**more)
        self.factor = factor

    def build(self, shape):
        """Makes the layer's weight."""
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.built = True

    def call(self, x):
        """Returns the inputs, scaled."""
        return x * self.gain * self.factor

    def get_config(self):
        """Returns the configuration."""
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="zoo")
def halved(x):
    """Returns half of a tensor."""
    return x * 0.5


def registered():
    """A layer and a function of a person's own, registered."""
    return _sequential((4,), Scaled(2.0), _layers.Dense(3, activation=halved))


@keras.saving.register_keras_serializable(package="zoo")
class Subclassed(keras.Model):
    """A model of a person's own."""

    def __init__(self, units=3, **more):
        super().__init__(**more)
        self.units = units
        self.first = _layers.Dense(units, activation="tanh")
        self.scale = Scaled(0.5)
        self.last = _layers.Dense(2)

    def call(self, x):
        """Returns the outputs."""
        return self.last(self.scale(self.first(x)))

    def get_config(self):
        """Returns the configuration."""
        return {**super().get_config(), "units": self.units}


def subclassed():
    """A subclassed model, built by a call."""
    model = Subclassed(4)
    model(numbers(2, 3))
    return model, numbers(2, 3)


@keras.saving.register_keras_serializable(package="zoo")
class OwnVariables(Scaled):
    """A layer that writes its state itself."""

    def save_own_variables(self, store):
        """Writes the state."""
        store["gain-times-two"] = keras.ops.convert_to_numpy(self.gain) * 2

    def load_own_variables(self, store):
        """Reads the state."""
        self.gain.assign(np.asarray(store["gain-times-two"]) / 2)


def own_variables():
    """A layer that writes its state itself."""
    return _sequential((4,), OwnVariables(2.0))


@keras.saving.register_keras_serializable(package="zoo")
class Containers(keras.Model):
    """A model with its layers in a list, a tuple and a dictionary."""

    def __init__(self, **more):
        super().__init__(**more)
        self.listed = [_layers.Dense(3), _layers.Dense(3)]
        self.named = {"b": _layers.Dense(3), "a": Scaled()}
        self.paired = (_layers.Dense(3), Scaled())

    def call(self, x):
        """Returns the outputs."""
        for layer in [*self.listed, self.named["b"], self.named["a"], *self.paired]:
            x = layer(x)
        return x


def layers_in_containers():
    """A subclassed model with layers in containers."""
    model = Containers()
    model(numbers(2, 3))
    return model, numbers(2, 3)


def mixed_float16():
    """Weights in float32, computed in float16."""
    return _sequential((4,), _layers.Dense(3, dtype="mixed_float16"), _layers.BatchNormalization(dtype="mixed_float16"))


def float64():
    """Weights in float64."""
    model = keras.Sequential([keras.Input((4,), dtype="float64"), _layers.Dense(3, dtype="float64")])
    return model, numbers(2, 4).astype("float64")


def policy_per_layer():
    """A policy for each layer."""
    kinds = ["mixed_bfloat16", "float32", "mixed_float16"]
    return _sequential((4,), *(_layers.Dense(3, dtype=kind) for kind in kinds))


def frozen():
    """A layer that is not trained."""
    return _sequential(
        (4,), _layers.Dense(3, trainable=False), _layers.BatchNormalization(trainable=False), _layers.Dense(2)
    )


def regularized():
    """Regularizers, constraints and initializers with arguments."""
    layer = _layers.Dense(
        3,
        kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
        bias_regularizer="l2",
        activity_regularizer=keras.regularizers.L2(0.3),
        kernel_constraint=keras.constraints.MinMaxNorm(0.1, 0.9, 0.5, axis=1),
    )
    return _sequential((4,), layer)


def _quantized(mode):
    need("keras.Model.quantize")
    model, inputs = _sequential((8,), _layers.Dense(6, activation="relu"), _layers.Dense(4))
    given(model)
    try:
        model.quantize(mode)
    except (ValueError, NotImplementedError) as error:
        if "nvalid quantization mode" in str(error) or "Expected one of" in str(error):
            need("keras.quantizers." + mode)
        raise
    return model, inputs


def int8():
    """Weights in int8."""
    return _quantized("int8")


def int4():
    """Weights in int4."""
    return _quantized("int4")


def float8():
    """Weights for float8."""
    return _quantized("float8")


def lora():
    """Low-rank additions to the weights."""
    need("keras.layers.Dense(lora_rank)")
    return _sequential((8,), _layers.Dense(6, lora_rank=2), _layers.EinsumDense("ab,bc->ac", 4, lora_rank=2))


with_optimizer = with_momentum = with_schedule = with_ema = with_metrics = dense


def with_loss_scale():
    """A model whose loss is scaled."""
    need("keras.optimizers.LossScaleOptimizer")
    return dense()
