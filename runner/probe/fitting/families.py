"""Every layer family trained through fit: gradients and statistics."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, true

_EAGERLY = keras.config.backend() != "jax"
"""Whether a few steps are cheaper without compiling."""

_TRAINED = {
    "Dense": ((3,), {"units": 2, "activation": "tanh"}),
    "EinsumDense": ((4, 3), {"equation": "btd,de->bte", "output_shape": (4, 2), "bias_axes": "e"}),
    "Conv1D": ((6, 3), {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
    "Conv2D": ((5, 5, 2), {"filters": 4, "kernel_size": 2, "strides": 2, "padding": "same", "groups": 2}),
    "Conv3D": ((3, 3, 3, 2), {"filters": 2, "kernel_size": 2}),
    "Conv1DTranspose": ((4, 3), {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}),
    "Conv2DTranspose": ((3, 3, 2), {"filters": 2, "kernel_size": 3, "strides": 2}),
    "Conv3DTranspose": ((2, 2, 2, 2), {"filters": 2, "kernel_size": 2}),
    "DepthwiseConv1D": ((5, 3), {"kernel_size": 2, "depth_multiplier": 2}),
    "DepthwiseConv2D": ((4, 4, 3), {"kernel_size": 2, "depth_multiplier": 2, "padding": "same"}),
    "SeparableConv1D": ((5, 3), {"filters": 2, "kernel_size": 2}),
    "SeparableConv2D": ((4, 4, 3), {"filters": 2, "kernel_size": 2, "strides": 2}),
    "LayerNormalization": ((4, 3), {"axis": -1}),
    "RMSNormalization": ((4, 3), {}),
    "GroupNormalization": ((4, 4), {"groups": 2}),
    "UnitNormalization": ((4, 3), {}),
    "PReLU": ((4, 3), {"shared_axes": [1], "alpha_initializer": "ones"}),
    "LSTM": ((4, 3), {"units": 2, "return_sequences": True}),
    "GRU": ((4, 3), {"units": 2, "go_backwards": True}),
    "SimpleRNN": ((4, 3), {"units": 2, "unroll": True}),
    "ConvLSTM2D": ((3, 4, 4, 2), {"filters": 2, "kernel_size": 2}),
    "ReversibleEmbedding": ((4,), {"input_dim": 5, "output_dim": 3}),
    "Embedding": ((4,), {"input_dim": 5, "output_dim": 3}),
}  # fmt: skip
"""Layer to the shape of one sample, and its arguments."""


def _built(layer):
    """Returns a model of the layer, a dense layer behind it, inputs and targets."""
    shape, options = _TRAINED[layer]
    made = need("keras.layers." + layer)(**options)
    words = layer.endswith("Embedding")
    front = keras.Input(shape, dtype="int32" if words else "float32")
    model = given(keras.Model(front, keras.layers.Dense(2)(keras.layers.Flatten()(made(front)))))
    x = np.random.RandomState(3).randint(0, 4, (4, *shape)) if words else numbers(4, *shape, seed=2)
    y = array(model(x)) + numbers(4, 2, seed=4)
    return model, x, y


def _slope(model, x, y, weights, direction, step):
    """Returns the slope of the loss along a direction, by central differences."""
    values = []
    for sign in (1, -1):
        model.set_weights([w + sign * step * d for w, d in zip(weights, direction)])
        values.append(np.mean((array(model(x)).astype("float64") - y) ** 2))
    return (values[0] - values[1]) / (2 * step)


@each(layer=list(_TRAINED))
def fit_follows_the_gradient(layer):
    """one SGD step of fit moves the weights of {layer} along the steepest slope"""
    model, x, y = _built(layer)
    start = [w.astype("float64") for w in model.get_weights()]
    model.compile(keras.optimizers.SGD(0.001), "mse", run_eagerly=_EAGERLY)
    model.fit(x, y, batch_size=4, verbose=0)
    gradient = [(a - b) / 0.001 for a, b in zip(start, model.get_weights())]
    length = np.sqrt(sum(np.sum(g**2) for g in gradient))
    true(length > 1e-4, "the weights move (by %g)" % length)
    for along in (gradient, [np.random.RandomState(i).standard_normal(w.shape) for i, w in enumerate(start)]):
        size = np.sqrt(sum(np.sum(d**2) for d in along))
        expected = sum(np.sum(g * d) for g, d in zip(gradient, along)) / size
        found = _slope(model, x, y, start, [d / size for d in along], 0.003)
        true(abs(found - expected) < 0.02 * length, "the slope is %.6g (the step has %.6g)" % (found, expected))


@each(layer=["Conv2D", "LSTM", "Embedding", "LayerNormalization"])
def compiled_fit_equals_eager_fit(layer):
    """two epochs of compiled fit with {layer} give the weights of run_eagerly"""
    results = []
    for eagerly in (True, False):
        model, x, y = _built(layer)
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", run_eagerly=eagerly)
        losses = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
        true(losses[1] < losses[0], "the loss decreases (found %s)" % losses)
        results.append(model.get_weights())
    close(results[1], results[0], "weight", tolerance=1e-4)


_UNSEEN = {
    "Dropout": {"rate": 0.25, "seed": 1}, "SpatialDropout1D": {"rate": 0.25, "seed": 1},
    "GaussianDropout": {"rate": 0.5, "seed": 1}, "AlphaDropout": {"rate": 0.5, "seed": 1},
    "GaussianNoise": {"stddev": 1.0, "seed": 1},
}  # fmt: skip


@each(layer=list(_UNSEEN))
def noise_is_for_training_alone(layer):
    """{layer} acts in fit alone, with other noise in each step"""
    made = getattr(keras.layers, layer)(**_UNSEEN[layer])
    x = np.abs(numbers(4, 6, 5)) + 1
    model = keras.Sequential([keras.Input((6, 5)), made])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=_EAGERLY and layer != "Dropout")
    close(model.predict(x, verbose=0), x, "predict")
    close(model.evaluate(x, x, verbose=0), 0.0, "evaluate")
    losses = model.fit(x, x, batch_size=4, epochs=3, verbose=0).history["loss"]
    true(len({round(loss, 5) for loss in losses}) == 3 and min(losses) > 0, "three unlike losses (found %s)" % losses)


def _moments(x, mask=None):
    """Returns mean and variance over all unmasked steps, per channel."""
    flat = x.reshape(-1, x.shape[-1]).astype("float64")
    kept = np.ones(len(flat), bool) if mask is None else mask.ravel()
    return flat[kept].mean(0), flat[kept].var(0)


@each(momentum=[0.99, 0.5], renewed=[0, 1])
def batch_normalization_moves_its_statistics(momentum, renewed):
    """fit moves BatchNormalization({momentum}) by batch moments, renewed: {renewed}"""
    norm = keras.layers.BatchNormalization(momentum=momentum)
    model = given(keras.Sequential([keras.Input((4, 3)), norm]))
    if renewed:
        model.compile("adam", "mae")
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = numbers(4, 4, 3, seed=1)
    mean, variance = (w.astype("float64") for w in norm.get_weights()[2:])
    for part in (x[:2], x[2:]):
        new = _moments(part)
        mean, variance = (m * momentum + (1 - momentum) * n for m, n in zip((mean, variance), new))
    model.fit(x, x, batch_size=2, shuffle=False, verbose=0)
    close(norm.get_weights()[2:], [mean, variance], "moving statistics", tolerance=3e-5)


@each(seen=["training", "inference"])
def batch_normalization_leaves_masked_steps_out(seen):
    """BatchNormalization after Masking leaves masked steps out of its moments, {seen}"""
    x = numbers(2, 4, 3, seed=1)
    mask = np.array([[1, 1, 0, 0], [1, 0, 0, 1]], bool)
    x[~mask] = 0.0
    norm = keras.layers.BatchNormalization(momentum=0.5, epsilon=0.01)
    need("keras.layers.BatchNormalization(synchronized)")
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), norm])
    found = array(model(x, training=True))
    mean, variance = _moments(x, mask)
    if seen == "training":
        expected = (x - mean) / np.sqrt(variance + 0.01)
        close(found * mask[..., None], expected * mask[..., None], tolerance=3e-5)
    else:
        close(norm.get_weights()[2:], [mean * 0.5, 0.5 + variance * 0.5], "moving statistics", tolerance=3e-5)


def batch_normalization_of_a_full_mask_is_that_without():
    """BatchNormalization with a mask of ones computes what it does without a mask"""
    x, norm = numbers(2, 4, 3, seed=1), keras.layers.BatchNormalization()
    mask = keras.ops.convert_to_tensor(np.ones((2, 4), bool))
    close(norm(x, training=True, mask=mask), norm(x, training=True))


@each(axis=[1, 2, -1])
def batch_normalization_over_an_axis(axis):
    """BatchNormalization(axis={axis}) keeps that axis, in training and inference"""
    x = numbers(2, 4, 3, seed=1) + 2
    norm = keras.layers.BatchNormalization(axis=axis, momentum=0.0, epsilon=0.01)
    other = tuple(i for i in range(3) if i != axis % 3)
    mean, variance = x.astype("float64").mean(other, keepdims=True), x.astype("float64").var(other, keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 0.01)
    close(norm(x, training=True), expected, "in training", tolerance=1e-4)
    close(norm(x, training=False), expected, "in inference, momentum 0", tolerance=1e-4)


@each(center=[0, 1], scale=[0, 1])
def batch_normalization_parts(center, scale):
    """BatchNormalization(center={center}, scale={scale}) has its weights and trains"""
    norm = keras.layers.BatchNormalization(center=bool(center), scale=bool(scale))
    model = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), norm]))
    equal((len(norm.trainable_variables), len(norm.non_trainable_variables)), (center + scale, 2), "its weights")
    model.compile(keras.optimizers.SGD(0.05), "mse", run_eagerly=_EAGERLY)
    losses = model.fit(numbers(8, 3), numbers(8, 3, seed=1), batch_size=8, epochs=2, verbose=0).history["loss"]
    true(losses[1] < losses[0], "the loss decreases (found %s)" % losses)


@each(way=["layer", "model", "training"])
def frozen_batch_normalization_keeps_its_statistics(way):
    """a BatchNormalization frozen by {way} uses and keeps its moving statistics in fit"""
    norm = keras.layers.BatchNormalization()
    x = keras.Input((3,))
    model = given(keras.Model(x, norm(x, training=False) if way == "training" else norm(x)))
    if way != "training":
        (norm if way == "layer" else model).trainable = False
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=_EAGERLY)
    kept, data = norm.get_weights(), numbers(4, 3)
    gamma, beta, mean, variance = (w.astype("float64") for w in kept)
    expected = (data - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    close(model.fit(data, 0 * data, verbose=0).history["loss"], [np.mean(expected**2)], "the loss")
    equal(norm.get_weights(), kept, "its weights")


@each(iterations=[2])
def spectral_normalization_divides_by_the_norm(iterations):
    """SpectralNormalization({iterations}) trains towards a kernel of norm 1"""
    inner = keras.layers.Dense(3, use_bias=False)
    made = need("keras.layers.SpectralNormalization")(inner, power_iterations=iterations)
    model = given(keras.Sequential([keras.Input((4,)), made]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=_EAGERLY)
    before = model.get_weights()
    model.evaluate(numbers(4, 4), numbers(4, 3), verbose=0)
    equal(model.get_weights(), before, "weights after evaluate")
    model.fit(numbers(4, 4), numbers(4, 3), epochs=8, batch_size=4, verbose=0)
    close(np.linalg.norm(array(made.layer.kernel), 2), 1.0, "the largest singular value", tolerance=1e-2)


@each(axes=["None", "(1,)", "(2,)", "(1, 2)", "(-2,)"])
def attention_over_axes_trains(axes):
    """MultiHeadAttention(attention_axes={axes}) trains"""
    axes = None if axes == "None" else tuple(int(a) for a in axes.strip("(,)").split(","))
    made = keras.layers.MultiHeadAttention(2, 2, attention_axes=axes)
    x = keras.Input((2, 3, 4))
    model = given(keras.Model(x, made(x, x)))
    equal(tuple(model.output_shape), (None, 2, 3, 4), "the shape")
    model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=_EAGERLY)
    data = numbers(2, 2, 3, 4)
    losses = model.fit(data, data, epochs=2, batch_size=2, verbose=0).history["loss"]
    true(losses[1] < losses[0], "the loss decreases (found %s)" % losses)


@each(layer=["Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention"], scores=[0, 1])
def attention_leaves_masked_values_out(layer, scores):
    """{layer} after Embedding(mask_zero) leaves padding out, scores returned: {scores}"""
    options = {"MultiHeadAttention": {"num_heads": 1, "key_dim": 2},
               "GroupQueryAttention": {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}}  # fmt: skip
    made = need("keras.layers." + layer)(**options.get(layer, {}))
    embedding = keras.layers.Embedding(5, 3, mask_zero=True)
    words = keras.Input((4,), dtype="int32")
    inner = embedding(words)
    inputs = ([inner, inner],) if layer in ("Attention", "AdditiveAttention") else (inner, inner)
    found = made(*inputs, return_attention_scores=True) if scores else made(*inputs)
    model = given(keras.Model(words, found[0] if scores else found))
    words = np.array([[1, 2, 0, 0], [3, 4, 0, 0]])
    expected = array(model(words))[:, :2]
    embedding.set_weights([np.concatenate([[[9.0, 9.0, 9.0]], embedding.get_weights()[0][1:]])])
    close(array(model(words))[:, :2], expected, "unpadded steps with another padding vector")


@each(layer=["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"])
def merging_layer_trains(layer):
    """{layer} hands gradients to both inputs"""
    x = keras.Input((3,))
    one, two = keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)
    made = getattr(keras.layers, layer)(**({"axes": 1} if layer == "Dot" else {}))
    model = given(keras.Model(x, made([one, two])))
    data = numbers(8, 3)
    y = array(model(data)) + numbers(8, model.output_shape[-1], seed=3)
    start = model.get_weights()
    model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=_EAGERLY)
    losses = model.fit(data, y, epochs=2, batch_size=8, verbose=0).history["loss"]
    true(losses[1] < losses[0], "the loss decreases (found %s)" % losses)
    moved = [not np.array_equal(a, b) for a, b in zip(start, model.get_weights())]
    equal(moved, [True] * 4, "whether each weight moves")


@each(layer=["Concatenate", "Add"])
def merging_layer_joins_masks(layer):
    """{layer} of two masked sequences hands their mask to an LSTM behind it"""
    words = keras.Input((4,), dtype="int32")
    one, two = (keras.layers.Embedding(5, 3, mask_zero=True)(words) for _ in range(2))
    model = given(keras.Model(words, keras.layers.LSTM(2)(getattr(keras.layers, layer)()([one, two]))))
    padded = np.array([[1, 2, 0, 0]])
    expected = array(model(padded))
    for part in model.layers:
        if isinstance(part, keras.layers.Embedding):
            part.set_weights([np.concatenate([[[9.0, 9.0, 9.0]], part.get_weights()[0][1:]])])
    close(model(padded), expected, "the output with another padding vector")


@each(layer=["Flatten", "Reshape", "Permute", "RepeatVector", "Cropping1D", "ZeroPadding1D", "UpSampling1D",
             "MaxPooling1D", "AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D"])  # fmt: skip
def shaping_layer_trains(layer):
    """{layer} behind a dense layer hands gradients through in fit"""
    options = {"Reshape": {"target_shape": (3, -1)}, "Permute": {"dims": (2, 1)}, "RepeatVector": {"n": 2},
               "Cropping1D": {"cropping": 1}, "AveragePooling1D": {"pool_size": 2}}.get(layer, {})  # fmt: skip
    shape = (3,) if layer == "RepeatVector" else (4, 3)
    x = keras.Input(shape)
    made = getattr(keras.layers, layer)(**options)
    model = given(keras.Model(x, made(keras.layers.Dense(3)(x))))
    data = numbers(4, *shape)
    y = array(model(data)) + 0.5
    model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=_EAGERLY)
    losses = model.fit(data, y, epochs=2, batch_size=4, verbose=0).history["loss"]
    true(losses[1] < losses[0], "the loss decreases (found %s)" % losses)


@each(mode=["mean", "max"])
def pooling_leaves_masked_steps_out(mode):
    """global {mode} pooling after Masking gives what it documents"""
    x = np.abs(numbers(2, 4, 3, seed=1)) + 1
    x[0, 2:] = x[1, 1:] = 0.0
    if mode == "max":
        found = keras.layers.GlobalMaxPooling1D()(keras.layers.Masking()(x))
        close(found, x.max(1))
        return
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), keras.layers.GlobalAveragePooling1D()])
    close(model.predict(x, verbose=0), np.stack([x[0, :2].mean(0), x[1, :1].mean(0)]))


def preprocessing_inside_a_model_trains():
    """Normalization, Rescaling and CategoryEncoding inside a model train through fit"""
    norm = keras.layers.Normalization()
    data = numbers(8, 3) * 5 + 2
    norm.adapt(data)
    model = keras.Sequential([keras.Input((3,)), norm, keras.layers.Rescaling(0.5), keras.layers.Dense(2)])
    given(model.layers[-1])
    kernel, bias = (w.astype("float64") for w in model.layers[-1].get_weights())
    expected = (data - data.mean(0)) / data.std(0) * 0.5 @ kernel + bias
    close(model.predict(data, verbose=0), expected, "predict", tolerance=1e-4)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    losses = model.fit(data, numbers(8, 2), epochs=2, batch_size=8, verbose=0).history["loss"]
    close(losses[0], np.mean((expected - numbers(8, 2)) ** 2), "the first loss", tolerance=1e-4)
    true(losses[1] < losses[0], "the loss decreases")


@each(wrapper=["nested Sequential", "nested Functional", "TimeDistributed", "Bidirectional", "Wrapper", "list",
               "dict"])  # fmt: skip
def weights_inside_wrappers_train(wrapper):
    """weights inside {wrapper} are found and trained by fit"""
    x = keras.Input((4, 3))
    if wrapper == "nested Sequential":
        made = keras.Sequential([keras.Sequential([keras.layers.Dense(2)])])
    elif wrapper == "nested Functional":
        inner = keras.Input((4, 3))
        made = keras.Model(inner, keras.layers.Dense(2)(inner))
    elif wrapper == "TimeDistributed":
        made = keras.layers.TimeDistributed(keras.layers.Dense(2))
    elif wrapper == "Bidirectional":
        made = keras.layers.Bidirectional(keras.layers.SimpleRNN(2))
    else:

        class Own(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                dense = keras.layers.Dense(2)
                self.parts = {"list": [dense], "dict": {"a": dense}}.get(wrapper, (dense,))

            def build(self, shape):
                self._only().build(shape)

            def _only(self):
                return self.parts["a"] if isinstance(self.parts, dict) else self.parts[0]

            def call(self, x):
                return self._only()(x)

        made = Own()
    model = given(keras.Model(x, made(x)))
    start = model.get_weights()
    equal(len(model.trainable_variables), 6 if wrapper == "Bidirectional" else 2, "trainable variables")
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=_EAGERLY)
    data = numbers(2, 4, 3)
    model.fit(data, 0 * array(model(data)), verbose=0)
    equal([bool(np.any(a != b)) for a, b in zip(start, model.get_weights())], [True] * len(start), "each weight moves")
