"""Calls of layers and models: arguments, training flags, dtypes, refusals."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true, warned

A, B = np.ones((2, 3), "float32"), np.full((2, 3), 5.0, "float32")


class Flag(keras.layers.Layer):
    """Adds 1 in training."""

    def call(self, x, training=None):
        return x + 1.0 if training else x


class Plain(keras.layers.Layer):
    """Hands its input to a layer that knows the flag, without naming it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.flag = Flag()

    def call(self, x):
        return self.flag(x)


class FlagModel(keras.Model):
    """A model that names the flag."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x, training=None):
        return self.inner(x, training=training) if isinstance(self.inner, Flag) else self.inner(x)


def _functional():
    x = keras.Input((3,))
    return keras.Model(x, Flag()(x))


def _outer():
    x = keras.Input((3,))
    return keras.Model(x, Plain()(_functional()(x)))


MODELS = [
    "Flag()",
    "Plain()",
    "keras.Sequential([Flag()])",
    "keras.Sequential([keras.Input((3,)), Plain()])",
    "keras.Sequential([keras.Sequential([Flag()])])",
    "_functional()",
    "FlagModel(Flag())",
    "FlagModel(Plain())",
    "FlagModel(_functional())",
]


@each(model=MODELS, training=[True, False, None])
def training_reaches_the_inside(model, training):
    """training={training} reaches the layer inside {model}"""
    made = eval(model)  # noqa: S307 - texts of this module
    close(made(A, training=training), A + 1 if training else A)


@each(model=MODELS)
def training_is_off_by_default(model):
    """A call of {model} without a flag does not train"""
    close(eval(model)(A), A)  # noqa: S307 - texts of this module


@each(method=["predict", "predict_on_batch", "evaluate", "test_on_batch", "train_on_batch", "fit"])
def methods_set_the_flag(method):
    """{method} sets training for layers inside nested models"""
    seen = []

    class Notes(keras.layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    model = keras.Sequential([keras.Input((3,)), keras.Sequential([Notes()]), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    seen.clear()
    data = (A,) if "predict" in method else (A, A[:, :1])
    options = {} if "batch" in method else {"verbose": 0}
    getattr(model, method)(*data, **options)
    equal([bool(flag) for flag in seen[-1:]], [method in ("train_on_batch", "fit")], "the flag")


def training_false_in_a_graph_is_kept():
    """A layer called with training=False in a model rests while it trains"""
    x = keras.Input((3,))
    model = keras.Model(x, Flag()(x, training=False))
    close(model(A, training=True), A)


def training_true_in_a_graph_is_kept():
    """A layer called with training=True in a model trains by default"""
    x = keras.Input((3,))
    model = keras.Model(x, Flag()(x, training=True))
    close(model(A), A + 1)


def default_training_of_a_layer_holds():
    """A layer whose call has training=True by default trains by default"""

    class Always(keras.layers.Layer):
        def call(self, x, training=True):
            return x + 1.0 if training else x

    close(Always()(A), A + 1)
    close(Always()(A, training=False), A)


def inner_training_overrides():
    """A layer that passes training=False to another one keeps it"""

    class Freezes(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.flag = Flag()

        def call(self, x, training=None):
            return self.flag(x, training=False)

    close(Freezes()(A, training=True), A)


@each(
    layer=["Dropout(0.5)", "GaussianDropout(0.5)", "GaussianNoise(1.0)", "AlphaDropout(0.5)", "SpatialDropout1D(0.5)"]
)
def random_layers_rest_without_training(layer):
    """{layer} changes nothing unless it trains"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    data = np.ones((2, 6, 8), "float32")
    close(made(data), data, "by default")
    close(made(data, training=False), data, "training=False")
    true(
        np.abs(np.asarray(keras.ops.convert_to_numpy(made(data, training=True))) - data).max() > 0,
        "it changes in training",
    )


def frozen_batch_normalization_does_not_train():
    """BatchNormalization with trainable=False uses and keeps its statistics"""
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    layer.trainable = False
    before = layer.get_weights()
    close(layer(B, training=True), B / np.sqrt(1.001), "output", 1e-5)
    equal(layer.get_weights(), before, "statistics")


@each(form=["layer(A, B)", "layer(A, b=B)", "layer(a=A, b=B)", "layer(b=B, a=A)"])
def layers_take_arguments_by_name(form):
    """A layer with call(a, b) takes {form}"""

    class Minus(keras.layers.Layer):
        def call(self, a, b):
            return a - b

    close(eval(form, {"layer": Minus(), "A": A, "B": B}), A - B)  # noqa: S307 - texts of this module


@each(form=["layer(x, y)", "layer(x, b=y)", "layer(a=x, b=y)", "layer(x, y, scale=3.0)"])
def symbolic_layers_take_arguments_by_name(form):
    """A layer in a Functional model takes {form}"""

    class Minus(keras.layers.Layer):
        def call(self, a, b, scale=1.0):
            return (a - b) * scale

    x, y = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([x, y], eval(form, {"layer": Minus(), "x": x, "y": y}))  # noqa: S307 - texts of this module
    close(model([A, B]), (A - B) * (3 if "3" in form else 1))


def keyword_tensors_may_be_nested():
    """A layer takes a dict of lists of tensors as a keyword argument"""

    class Sums(keras.layers.Layer):
        def call(self, x, others=None):
            return x + others["a"][0] + others["a"][1]

    x = keras.Input((3,))
    model = keras.Model(x, Sums()(x, others={"a": [x, 2 * x]}))
    close(model(A), 4 * A)
    close(Sums()(A, others={"a": [A, B]}), 2 * A + B)


def arguments_may_be_no_tensors():
    """A layer takes texts and numbers as further arguments"""

    class Does(keras.layers.Layer):
        def call(self, x, what, times=2):
            return x * times if what == "multiply" else x

    x = keras.Input((3,))
    close(keras.Model(x, Does()(x, what="multiply", times=3))(A), 3 * A)
    close(Does()(A, what="nothing"), A)


def layers_may_take_star_arguments():
    """A layer with call(*inputs) takes several tensors"""

    class Sum(keras.layers.Layer):
        def call(self, *inputs):
            return sum(inputs[1:], inputs[0])

    close(Sum()(A, B, A), 2 * A + B)


def layers_may_take_keyword_star_arguments():
    """A layer with call(x, **more) takes any keyword"""

    class Sum(keras.layers.Layer):
        def call(self, x, **more):
            return x + more["y"]

    close(Sum()(A, y=B), A + B)


def unknown_arguments_are_refused():
    """A call with an argument that the layer does not have is refused"""
    refuses(lambda: keras.layers.Dense(2)(A, nothing=3), "nothing=3")


def missing_arguments_are_refused():
    """A call without its tensor is refused"""
    refuses(keras.layers.Dense(2).__call__, "no input", (ValueError, TypeError, IndexError))


@each(thing=["'text'", "None", "keras.layers.Dense", "object()"])
def layers_refuse_what_is_no_tensor(thing):
    """Dense refuses {thing} as input"""
    refuses(lambda: keras.layers.Dense(2)(eval(thing)), thing, (Exception,))  # noqa: S307 - texts of this module


@each(thing=["[[1.0, 2.0], [3.0, 4.0]]", "np.ones((2, 2))", "np.ones((2, 2), 'int64')", "keras.ops.ones((2, 2))"])
def layers_take_what_becomes_a_tensor(thing):
    """Dense takes {thing} as input"""
    try:
        found = keras.layers.Dense(2)(eval(thing))  # noqa: S307 - texts of this module
    except (ValueError, TypeError):
        if thing.startswith("[["):
            return
        raise
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "dtype")


SPECS = [
    "Dense(2) on (3,)",
    "Conv1D(2, 2) on (2, 3)",
    "Conv2D(2, 2) on (2, 3, 3)",
    "Conv3D(2, 2) on (2, 3, 3)",
    "Conv1DTranspose(2, 2) on (2, 3)",
    "Conv2DTranspose(2, 2) on (2, 3, 3)",
    "Conv3DTranspose(2, 2) on (2, 3, 3)",
    "DepthwiseConv1D(2) on (2, 3)",
    "DepthwiseConv2D(2) on (2, 3, 3)",
    "SeparableConv1D(2, 2) on (2, 3)",
    "SeparableConv2D(2, 2) on (2, 3, 3)",
    "AveragePooling1D(2) on (2, 3)",
    "AveragePooling2D(2) on (2, 3, 3)",
    "AveragePooling3D(2) on (2, 3, 3)",
    "MaxPooling1D(2) on (2, 3)",
    "MaxPooling2D(2) on (2, 3, 3)",
    "MaxPooling3D(2) on (2, 3, 3)",
    "GlobalAveragePooling1D() on (2, 3)",
    "GlobalAveragePooling2D() on (2, 3, 3)",
    "GlobalAveragePooling3D() on (2, 3, 3)",
    "GlobalMaxPooling1D() on (2, 3)",
    "GlobalMaxPooling2D() on (2, 3, 3)",
    "GlobalMaxPooling3D() on (2, 3, 3)",
    "SimpleRNN(2) on (2, 3)",
    "LSTM(2) on (2, 3)",
    "GRU(2) on (2, 3, 3, 3)",
    "Bidirectional(keras.layers.LSTM(2)) on (2, 3)",
    "ConvLSTM1D(2, 2) on (2, 3, 3)",
    "ConvLSTM2D(2, 2) on (2, 3, 3)",
    "RepeatVector(2) on (2, 3, 3)",
    "Permute((2, 1)) on (2, 3)",
    "Cropping1D(1) on (2, 3)",
    "Cropping2D(1) on (2, 3, 3)",
    "Cropping3D(1) on (2, 3, 3)",
    "ZeroPadding1D(1) on (2, 3)",
    "ZeroPadding2D(1) on (2, 3, 3)",
    "ZeroPadding3D(1) on (2, 3, 3)",
    "UpSampling1D(2) on (2, 3)",
    "UpSampling2D(2) on (2, 3, 3)",
    "UpSampling3D(2) on (2, 3, 3)",
    "SpatialDropout1D(0.5) on (2, 3)",
    "SpatialDropout2D(0.5) on (2, 3, 3)",
    "Reshape((4,)) on (2, 3)",
    "Cropping1D((3, 4)) on (2, 6, 3)",
    "Cropping2D(((3, 3), (0, 0))) on (2, 6, 6, 3)",
    "Cropping3D(3) on (2, 6, 6, 6, 3)",
    "Add() on [(2, 3), (2, 4)]",
    "Subtract() on [(2, 3), (2, 3), (2, 3)]",
    "Multiply() on (2, 3)",
    "Concatenate() on [(2, 3, 4), (2, 4, 4)]",
    "Concatenate() on (2, 3)",
    "Dot(axes=1) on [(2, 3), (2, 4)]",
    "Dot(axes=1) on [(2, 3)]",
    "Attention() on [(2, 3, 4)]",
    "AdditiveAttention() on (2, 3, 4)",
    "Conv2D(2, 4) on (2, 3, 3, 1)",
    "Conv1D(2, 9) on (2, 3, 1)",
    "MaxPooling2D(4) on (2, 3, 3, 1)",
    "Conv2D(4, 2, groups=2) on (2, 4, 4, 3)",
    "TimeDistributed(keras.layers.Dense(2)) on (2, 3)",
    "BatchNormalization(axis=3) on (2, 3)",
    "LayerNormalization(axis=3) on (2, 3)",
    "GroupNormalization(groups=2) on (2, 3)",
    "UnitNormalization(axis=4) on (2, 3)",
    "EinsumDense('abc,cd->abd', output_shape=(None, 2)) on (2, 3)",
]


def _shapes_of(text):
    shapes = eval(text)  # noqa: S307 - texts of this module
    return shapes if isinstance(shapes, list) else [shapes]


@each(call=SPECS)
def layers_refuse_wrong_shapes(call):
    """A layer refuses a symbolic input that it cannot take: {call}"""
    text, _, shape = call.partition(" on ")
    layer = eval("keras.layers." + text)  # noqa: S307 - texts of this module
    symbols = [keras.KerasTensor(item) for item in _shapes_of(shape)]
    refuses(lambda: str(layer(symbols if shape.startswith("[") else symbols[0])), call, (Exception,))


@each(
    call=[
        "Dense(2) on (2, 3) then (2, 4)",
        "Conv1D(2, 2) on (2, 4, 3) then (2, 4, 2)",
        "Conv2D(2, 2) on (2, 4, 4, 3) then (2, 4, 4, 2)",
        "Conv2DTranspose(2, 2) on (2, 4, 4, 3) then (2, 4, 4, 2)",
        "DepthwiseConv2D(2) on (2, 4, 4, 3) then (2, 4, 4, 2)",
        "SeparableConv1D(2, 2) on (2, 4, 3) then (2, 4, 2)",
        "LSTM(2) on (2, 4, 3) then (2, 4, 2)",
        "GRU(2) on (2, 4, 3) then (2, 4, 2)",
        "Bidirectional(keras.layers.SimpleRNN(2)) on (2, 4, 3) then (2, 4, 2)",
        "BatchNormalization() on (2, 3) then (2, 4)",
        "LayerNormalization() on (2, 3) then (2, 4)",
        "PReLU() on (2, 3) then (2, 4)",
        "EinsumDense('ab,bc->ac', output_shape=2) on (2, 3) then (2, 4)",
        "TimeDistributed(keras.layers.Dense(2)) on (2, 4, 3) then (2, 4, 2)",
        "Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0]) on (2, 3) then (2, 4)",
    ]
)
def built_layers_refuse_other_features(call):
    """A built layer refuses another number of features: {call}"""
    text, _, shapes = call.partition(" on ")
    first, _, second = shapes.partition(" then ")
    layer = eval("keras.layers." + text)  # noqa: S307 - texts of this module
    layer(keras.KerasTensor(eval(first)))  # noqa: S307
    refuses(lambda: layer(np.ones(eval(second), "float32")), second, (Exception,))  # noqa: S307


def spec_errors_name_the_layer():
    """The refusal of a wrong shape names the layer and both shapes"""
    layer = keras.layers.Dense(2, name="mydense")
    layer(A)
    message = refuses(lambda: layer(np.ones((2, 4), "float32")), "another last axis")
    true("mydense" in message and "4" in message and "3" in message, "the message is %s" % message[:100])


@each(spec=["ndim=3", "min_ndim=3", "max_ndim=1", "shape=(None, 4)", "axes={-1: 4}", "dtype='int32'"])
def input_spec_refuses(spec):
    """A layer with InputSpec({spec}) refuses what does not fit"""

    class Strict(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = eval("keras.layers.InputSpec(%s)" % spec)  # noqa: S307 - texts of this module

        def call(self, x):
            return x

    refuses(lambda: Strict()(A), spec)


def dict_model_refuses_a_single_tensor():
    """A model of a dict of two inputs refuses one tensor clearly"""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    message = refuses(lambda: model(A), "one tensor")
    true("'a'" in message or '"a"' in message or "a" in message, "there is a message")


@each(policy=["float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"])
def layers_compute_in_their_dtype(policy):
    """A layer of dtype {policy} casts input and computes in it"""
    layer = keras.layers.Dense(2, dtype=policy)
    found = layer(A)
    expected = policy.replace("mixed_", "")
    if expected == "float64" and keras.config.backend() == "jax":
        expected = "float32"
    equal(keras.backend.standardize_dtype(found.dtype), expected, "output")
    equal(layer.variable_dtype, "float32" if "mixed" in policy else policy, "variable_dtype")
    equal(layer.compute_dtype, policy.replace("mixed_", ""), "compute_dtype")


def autocast_false_keeps_the_input():
    """A layer with autocast=False gets its input as it is"""

    class Same(keras.layers.Layer):
        def call(self, x):
            return x

    found = Same(dtype="float16", autocast=False)(keras.ops.convert_to_tensor(A))
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "dtype")


def integers_are_not_cast():
    """A float16 layer does not cast integers"""

    class Same(keras.layers.Layer):
        def call(self, x, y):
            return x, y

    x, y = Same(dtype="float16")(keras.ops.convert_to_tensor(A), keras.ops.ones((2,), "int32"))
    equal([keras.backend.standardize_dtype(t.dtype) for t in (x, y)], ["float16", "int32"], "dtypes")


def nested_tensors_are_cast():
    """A float16 layer casts tensors inside dicts and lists"""

    class Same(keras.layers.Layer):
        def call(self, x):
            return x["a"][0]

    found = Same(dtype="float16")({"a": [keras.ops.convert_to_tensor(A)]})
    equal(keras.backend.standardize_dtype(found.dtype), "float16", "dtype")


def variables_are_autocast_in_call():
    """Weights of a mixed layer are float16 inside call, float32 outside"""
    seen = []

    class Looks(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(3,), initializer="ones")

        def call(self, x):
            seen.append(keras.backend.standardize_dtype(keras.ops.convert_to_tensor(self.w).dtype))
            return x * self.w

    layer = Looks(dtype="mixed_float16")
    layer(A)
    equal([seen[-1], keras.backend.standardize_dtype(layer.w.dtype)], ["float16", "float32"], "inside, outside")


def global_policy_is_followed():
    """Layers made under a global policy have it"""
    keras.config.set_dtype_policy("mixed_bfloat16")
    layer = keras.layers.Dense(2)
    equal([layer.compute_dtype, layer.variable_dtype], ["bfloat16", "float32"], "dtypes")


@each(policy=["'mixed_float17'", "3", "'nonsense'"])
def wrong_policies_are_refused(policy):
    """dtype={policy} of a layer is refused"""
    refuses(lambda: keras.layers.Dense(2, dtype=eval(policy)), policy)  # noqa: S307 - texts of this module


def dtype_policy_may_be_an_object():
    """dtype of a layer may be a DTypePolicy"""
    policy = need("keras.dtype_policies.DTypePolicy")("mixed_float16")
    equal(keras.layers.Dense(2, dtype=policy).compute_dtype, "float16", "compute dtype")


def activity_regularizer_adds_a_loss():
    """activity_regularizer of a layer adds the mean loss of its outputs"""
    layer = keras.layers.Activation("linear", activity_regularizer=keras.regularizers.L2(0.5))
    layer(B)
    equal(len(layer.losses), 1, "losses")
    close(layer.losses[0], 0.5 * np.sum(B**2) / 2, "the loss")


def kernel_regularizer_adds_a_loss():
    """kernel_regularizer adds 0.1 * sum(w * w)"""
    layer = given(keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.1)))
    layer.build((None, 3))
    given(layer)
    close(sum(layer.losses), 0.1 * np.sum(layer.get_weights()[0] ** 2), "the loss")


def frozen_layers_have_no_regularization():
    """A layer with trainable=False adds no weight regularization"""
    layer = keras.layers.Dense(2, kernel_regularizer="l2")
    layer.build((None, 3))
    layer.trainable = False
    equal(len(layer.losses), 0, "losses")


def add_loss_is_collected_from_inside():
    """add_loss inside nested models is in the outermost losses"""

    class Adds(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return x

    model = keras.Sequential([keras.Input((3,)), keras.Sequential([keras.Input((3,)), Adds()])])
    model(A)
    model(B)
    close(model.losses, [np.sum(B)], "losses of the last call")


def add_loss_of_two_calls_is_kept():
    """A layer called twice in one model adds two losses"""

    class Adds(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x))
            return 2 * x

    x = keras.Input((3,))
    adds = Adds()
    model = keras.Model(x, adds(adds(x)))
    model(A)
    close(sorted(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses), [6.0, 12.0], "losses")


def add_loss_takes_part_in_training():
    """add_loss counts in the loss of train_on_batch"""

    class Adds(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(x) * 3.0)
            return x

    model = keras.Sequential([keras.Input((3,)), Adds()])
    model.compile("sgd", "mse", run_eagerly=True)
    close(model.test_on_batch(A, A * 2), 4.0, "loss")


def layer_metrics_are_collected():
    """Metrics that a layer holds are metrics of the model"""

    class Counts(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = keras.metrics.Mean(name="mean_of_x")

        def call(self, x):
            self.mean.update_state(x)
            return x

    model = keras.Sequential([keras.Input((3,)), Counts()])
    model.compile("sgd", "mse", run_eagerly=True)
    found = model.test_on_batch(B, B, return_dict=True)
    close(found["mean_of_x"], 5.0, "the layer's metric")


def symbolic_call_gives_symbols():
    """symbolic_call of a layer gives a symbolic tensor"""
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    found = layer.symbolic_call(keras.Input((3,)))
    equal([keras.backend.is_keras_tensor(found), list(found.shape)], [True, [None, 2]], "symbolic, shape")


@each(layer=["keras.layers.Dense(2)", "keras.layers.BatchNormalization()", "keras.Sequential([keras.layers.Dense(2)])"])
def stateless_call_changes_nothing(layer):
    """stateless_call of {layer} gives outputs and new state, and changes none"""
    made = eval(layer)  # noqa: S307 - texts of this module
    made(A)
    before = made.get_weights()
    trainable = [v.value for v in made.trainable_variables]
    other = [v.value for v in made.non_trainable_variables]
    more = {"training": True} if "Batch" in layer else {}
    outputs, new = made.stateless_call(trainable, other, B, **more)
    equal(len(new), len(other), "number of new values")
    equal(made.get_weights(), before, "weights after it")
    close(outputs, made(B, **more))
    close(
        [np.asarray(keras.ops.convert_to_numpy(v)) for v in new],
        [keras.ops.convert_to_numpy(v) for v in made.non_trainable_variables],
    )


def stateless_call_uses_the_values():
    """stateless_call computes with the values that it is given"""
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    values = [keras.ops.ones((3, 2)), keras.ops.ones((2,))]
    found, _ = layer.stateless_call(values, [], A)
    close(found, np.full((2, 2), 4.0))


def stateless_call_gives_losses():
    """stateless_call(return_losses=True) gives the losses too"""
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L1(1.0))
    layer.build((None, 3))
    found = layer.stateless_call([keras.ops.ones((3, 2)), keras.ops.ones((2,))], [], A, return_losses=True)
    equal(len(found), 3, "results")
    close(sum(found[2]), 6.0, "loss")


def stateless_call_refuses_wrong_numbers():
    """stateless_call refuses too few values"""
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    refuses(lambda: layer.stateless_call([keras.ops.ones((3, 2))], [], A), "one value for two variables")


def stateless_call_of_an_unbuilt_layer_is_refused():
    """stateless_call of a layer that is not built is refused"""
    refuses(lambda: keras.layers.Dense(2).stateless_call([], [], A), "a layer that is not built")


def quantize_refuses_unbuilt_layers():
    """quantize of a layer that is not built is refused"""
    need("keras.layers.Dense.quantize")
    refuses(lambda: keras.layers.Dense(2).quantize("int8"), "a layer that is not built")


@each(mode=["'int3'", "'nonsense'", "7"])
def quantize_refuses_unknown_modes(mode):
    """quantize({mode}) is refused, and the layer still computes"""
    need("keras.layers.Dense.quantize")
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    expected = layer(A)
    refuses(lambda: layer.quantize(eval(mode)), mode, (ValueError, TypeError, NotImplementedError))  # noqa: S307
    equal([layer.dtype_policy.name, layer.built], ["float32", True], "policy and built")
    close(layer(A), expected)


@each(layer=["BatchNormalization()", "LayerNormalization()", "Conv1D(2, 1)", "LSTM(2)", "Flatten()", "Dropout(0.5)"])
def quantize_of_other_layers_is_refused(layer):
    """quantize of {layer} is refused or supported, and leaves it whole"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    need("keras.layers.Dense.quantize")
    data = np.ones((2, 4, 3), "float32")
    before = made(data)
    try:
        made.quantize("int8")
    except NotImplementedError:
        equal(made.dtype_policy.name, "float32", "policy")
        close(made(data), before)


def call_without_super_init_is_refused():
    """A layer that forgets super().__init__() is refused clearly"""

    class Forgets(keras.layers.Layer):
        def __init__(self):
            self.x = keras.layers.Dense(2)

    refuses(lambda: str(Forgets()(A)), "no super().__init__()", (RuntimeError, AttributeError, ValueError, TypeError))


def build_without_super_builds():
    """A layer whose build does not call super is built by a call"""

    class Own(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.w

    layer = Own()
    layer(A)
    equal([layer.built, len(layer.weights)], [True, 1], "built, weights")


def build_gets_shapes_by_name():
    """build(a_shape, b_shape) gets the shape of each argument"""
    seen = {}

    class Two(keras.layers.Layer):
        def build(self, a_shape, b_shape):
            seen.update(a=tuple(a_shape), b=tuple(b_shape))

        def call(self, a, b):
            return keras.ops.concatenate([a, b], axis=1)

    Two()(A, np.ones((2, 4), "float32"))
    equal(seen, {"a": (2, 3), "b": (2, 4)}, "shapes")


def build_gets_a_dict_of_shapes():
    """build of a layer called with a dict gets a dict of shapes"""
    seen = {}

    class Takes(keras.layers.Layer):
        def build(self, input_shape):
            seen.update(input_shape)

        def call(self, x):
            return x["a"] + x["b"]

    Takes()({"a": A, "b": B})
    equal({key: tuple(value) for key, value in seen.items()}, {"a": (2, 3), "b": (2, 3)}, "shapes")


@each(layer=["Dense(2)", "Conv1D(2, 2)", "LSTM(2)", "BatchNormalization()", "Bidirectional(keras.layers.GRU(2))"])
def build_config_builds_another(layer):
    """build_from_config(get_build_config()) of {layer} makes the weights"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    made.build((None, 4, 3))
    again = made.__class__.from_config(made.get_config())
    again.build_from_config(made.get_build_config())
    equal([tuple(w.shape) for w in again.weights], [tuple(w.shape) for w in made.weights], "shapes of weights")
    equal(again.built, True, "built")


BUILT = [
    "Activation('relu')",
    "ELU()",
    "LeakyReLU()",
    "ReLU()",
    "Softmax()",
    "Identity()",
    "Masking()",
    "Dropout(0.5)",
    "ActivityRegularization()",
    "AlphaDropout(0.5)",
    "GaussianDropout(0.5)",
    "GaussianNoise(0.5)",
    "Flatten()",
    "UnitNormalization()",
    "GlobalAveragePooling1D()",
    "Rescaling(2.0)",
    "Cropping1D(0)",
    "ZeroPadding1D(1)",
    "UpSampling1D(2)",
    "MaxPooling1D(1)",
    "PReLU()",
    "Dense(2)",
    "LSTM(2)",
    "GRU(2)",
    "TimeDistributed(keras.layers.Dense(2))",
    "Bidirectional(keras.layers.LSTM(2))",
    "SpectralNormalization(keras.layers.Dense(2))",
    "BatchNormalization()",
    "LayerNormalization()",
    "GroupNormalization(1)",
    "Conv1D(2, 2)",
    "Conv1DTranspose(2, 2)",
    "SeparableConv1D(2, 2)",
    "DepthwiseConv1D(2)",
    "EinsumDense('abc,cd->abd', output_shape=(4, 2))",
    "Lambda(lambda x: x)",
    "Permute((2, 1))",
    "Reshape((12,))",
]


@each(layer=BUILT)
def build_marks_as_built(layer):
    """build of {layer} marks it as built, with all weights"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    made.build((2, 4, 3))
    equal(made.built, True, "built")
    count = len(made.weights)
    made(keras.KerasTensor((2, 4, 3)))
    equal(len(made.weights), count, "weights after a call")


@each(layer=BUILT)
def call_marks_as_built(layer):
    """A symbolic call of {layer} marks it as built"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    made(keras.KerasTensor((2, 4, 3)))
    equal(made.built, True, "built")


@each(layer=["Flatten()", "Dropout(0.5)", "ReLU()", "Identity()", "Softmax()", "Rescaling(2.0)"])
def layers_without_weights_have_none(layer):
    """{layer} has no trainable weights and counts 0 parameters"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    made(A)
    equal([len(made.trainable_weights), made.count_params()], [0, 0], "weights, parameters")


def warnings_of_a_plain_call_are_none():
    """Building and calling a plain model gives no warning of Keras"""

    def does():
        model = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(2), keras.layers.Dense(1)])
        model(numbers(2, 4, 3))

    equal([text for text in warned(does) if "keras" in text.lower()], [], "warnings")


def fresh_layers_give_no_warning_in_fit():
    """build() of layers without weights is not reported as missing in fit"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [keras.layers.Dropout(0.1), keras.layers.Dense(1), keras.layers.ReLU()]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    model = Mine()
    model.compile("sgd", "mse", run_eagerly=True)
    texts = warned(lambda: model.fit(A, A[:, :1], verbose=0))
    equal([text for text in texts if "build" in text], [], "warnings on building")
