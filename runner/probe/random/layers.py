"""Layers that draw: seeds, rates, training and inference."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

LAYERS = [
    *["Dropout(0.5, seed=S)", "SpatialDropout1D(0.5, seed=S)", "SpatialDropout2D(0.5, seed=S)"],
    *["SpatialDropout3D(0.5, seed=S)", "GaussianDropout(0.5, seed=S)", "GaussianNoise(1.0, seed=S)"],
    *["AlphaDropout(0.5, seed=S)", "RandomFlip(seed=S)", "RandomRotation(0.3, seed=S)"],
    *["RandomTranslation(0.4, 0.4, seed=S)", "RandomZoom(0.4, seed=S)", "RandomContrast(0.9, seed=S)"],
    *["RandomBrightness(0.9, seed=S)", "RandomCrop(2, 2, seed=S)", "RandomShear(0.5, 0.5, seed=S)"],
    *["RandomHue(0.9, seed=S)", "RandomSaturation(0.9, seed=S)", "RandomSharpness(0.9, seed=S)"],
    *["RandomColorDegeneration(0.9, seed=S)", "RandomErasing(seed=S)", "RandomGaussianBlur(seed=S)"],
    *["RandomPerspective(seed=S)", "RandomElasticTransform(seed=S)", "RandomPosterization(4, seed=S)"],
]
AUGMENTING = [text for text in LAYERS if text.startswith("Random")]


def _made(text, seed):
    """Returns the layer that ``text`` names, and an input that suits it."""
    need("keras.layers." + text.partition("(")[0])
    layer = eval("keras.layers." + text, {"keras": keras, "S": seed})  # noqa: S307 - written above
    data = np.random.RandomState(1).uniform(20.0, 235.0, (4, 6, 6, 3)).astype("float32")
    if "1D" in text:
        data = data[:, 0].repeat(8, axis=-1)
    elif "3D" in text:
        data = data[:, None].repeat(8, axis=-1)
    return layer, data


@each(layer=LAYERS, seed=[0])
def layer_repeats(layer, seed):
    """Two {layer} with S={seed} do the same, call by call"""
    (first, data), (second, _) = _made(layer, seed), _made(layer, seed)
    for place in range(2):
        equal(array(first(data, training=True)), array(second(data, training=True)), "call %d" % place)


@each(layer=[text for text in LAYERS if not text.startswith("RandomPosterization")])
def layer_advances(layer):
    """{layer} does something else in one of the next calls"""
    made, data = _made(layer, 3)
    first = array(made(data, training=True))
    later = [array(made(data, training=True)) for _ in range(4)]
    true(any(bool((first != other).any()) for other in later), "a later call differs")


@each(layer=[text for text in LAYERS if not text.startswith(("RandomCrop", "RandomPosterization"))])
def layer_does_nothing_in_inference(layer):
    """{layer} returns its input when it is not training"""
    made, data = _made(layer, 3)
    close(made(data, training=False), data, "the output", 1e-6)


@each(layer=LAYERS)
def layer_keeps_its_seed(layer):
    """{layer} with S=0 comes back from its configuration and does the same"""
    made, data = _made(layer, 0)
    equal(made.get_config()["seed"], 0, "the seed in the configuration")
    again = made.__class__.from_config(made.get_config())
    equal(array(again(data, training=True)), array(made(data, training=True)), "the output")


@each(layer=LAYERS)
def unseeded_layers_follow_the_global_seed(layer):
    """{layer} with S=None repeats after set_random_seed"""
    keras.utils.set_random_seed(5)
    made, data = _made(layer, None)
    first = array(made(data, training=True))
    keras.utils.set_random_seed(5)
    equal(array(_made(layer, None)[0](data, training=True)), first)


@each(layer=["Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout"])
def rate_zero_changes_nothing(layer):
    """{layer}(0.0) returns its input in training"""
    data = np.random.RandomState(1).standard_normal((2, 4, 3)).astype("float32")
    close(getattr(keras.layers, layer)(0.0)(data, training=True), data, "the output", 0.0)


@each(layer=["Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout"], rate=[-0.1, 1.5])
def other_rates_are_refused(layer, rate):
    """{layer}({rate}) is refused"""
    refuses(lambda: getattr(keras.layers, layer)(rate), "the rate %s" % rate)


def dropout_of_everything_is_zero():
    """Dropout(1.0) returns zeros in training"""
    try:
        layer = keras.layers.Dropout(1.0)
    except ValueError:
        need("keras.dropout_of_everything")
    equal(array(layer(np.ones((2, 3), "float32"), training=True)), np.zeros((2, 3), "float32"))


@each(noise=["(None, 1, 3)", "(2, 4, 1)", "(None, 1, None)"])
def dropout_layers_keep_their_noise_shape(noise):
    """Dropout(noise_shape={noise}) drops along the axes of one together"""
    shape = eval(noise)  # noqa: S307 - written above
    found = array(keras.layers.Dropout(0.5, noise_shape=shape, seed=1)(np.ones((2, 4, 3), "float32"), training=True))
    for axis, size in enumerate(shape):
        if size == 1:
            equal(found.min(axis=axis), found.max(axis=axis), "values along axis %d" % axis)
    true(0.0 in found or 2.0 in found, "it draws")


@each(layer=["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"])
def spatial_dropout_drops_whole_channels(layer):
    """{layer} drops whole channels"""
    shape = (3,) + (4,) * int(layer[-2]) + (16,)
    found = array(getattr(keras.layers, layer)(0.5, seed=1)(np.ones(shape, "float32"), training=True))
    flat = found.reshape(3, -1, 16)
    equal(flat.min(axis=1), flat.max(axis=1), "values of a channel")
    equal(sorted(set(flat.ravel().tolist())), [0.0, 2.0], "the values")


@each(layer=["AlphaDropout", "GaussianDropout", "GaussianNoise", "Dropout"])
def noise_keeps_the_mean(layer):
    """{layer} keeps the mean of its input in training"""
    data = np.random.RandomState(1).standard_normal((100, 200)).astype("float32")
    found = array(getattr(keras.layers, layer)(0.3, seed=1)(data, training=True))
    true(abs(float(found.mean() - data.mean())) < 0.06, "the mean is kept: %.4f" % (found.mean() - data.mean()))


def alpha_dropout_keeps_the_variance():
    """AlphaDropout keeps the variance of normal input in training"""
    data = np.random.RandomState(1).standard_normal((100, 200)).astype("float32")
    found = array(keras.layers.AlphaDropout(0.3, seed=1)(data, training=True))
    close(float(found.var()), 1.0, "the variance", 0.06)


@each(layer=AUGMENTING)
def augmentation_keeps_its_dtype(layer):
    """{layer} returns float32 of the shape it says"""
    made, data = _made(layer, 3)
    out = made(data, training=True)
    equal(keras.backend.standardize_dtype(out.dtype), "float32", "the dtype")
    equal(tuple(out.shape), tuple(made.compute_output_shape(data.shape)), "the shape")


@each(layer=AUGMENTING)
def augmentation_differs_between_images(layer):
    """{layer} does not do the same to every image of a batch"""
    if layer.startswith(("RandomCrop", "RandomPosterization", "RandomHue")):
        need("keras.draws_per_image_of_this_layer")
    made, data = _made(layer, 3)
    same = data[:1].repeat(4, axis=0)
    outs = [array(made(same, training=True)) for _ in range(3)]
    true(any(bool((out != out[:1]).any()) for out in outs), "an image differs from the first")


@each(layer=AUGMENTING)
def augmentation_runs_in_a_compiled_model(layer):
    """{layer} runs in a compiled training step, in a tf.data pipeline too"""
    made, data = _made(layer, 3)
    tf = need("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(2).map(lambda x: made(x, training=True))
    found = [batch.numpy() for batch in dataset]
    equal(len(found), 2, "batches")
    true(bool((found[0] != found[1]).any()), "the batches differ")
