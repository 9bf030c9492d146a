"""Draws in datasets, in models and of given shapes, and what a generator keeps."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, equal, need, true

DRAWN = {
    "normal": "normal((6,), seed=S)",
    "uniform": "uniform((6,), seed=S)",
    "truncated_normal": "truncated_normal((6,), seed=S)",
    "randint": "randint((6,), 0, 1000, seed=S)",
    "categorical": "categorical(np.zeros((1, 5), 'float32'), 6, seed=S)",
    "gamma": "gamma((6,), 2.0, seed=S)",
    "binomial": "binomial((6,), 10.0, 0.5, seed=S)",
    "beta": "beta((6,), 2.0, 3.0, seed=S)",
    "beta of arrays": "beta((1, 6), np.ones((1, 6), 'float32'), np.ones(6, 'float32'), seed=S)",
    "dropout": "dropout(keras.ops.ones((6,)), 0.5, seed=S)",
    "shuffle": "shuffle(keras.ops.arange(6), seed=S)",
}


def _drawn(name, seed):
    """Returns a draw as a tensor of the backend."""
    need("keras.random." + name.partition(" ")[0])
    return eval("keras.random." + DRAWN[name], {"keras": keras, "np": np, "S": seed})  # noqa: S307 - written above


@each(name=["gamma", "binomial", "beta"])
def parameters_do_not_change_the_shape(name):
    """random.{name} has the shape asked for, or refuses longer parameters"""
    function = need("keras.random." + name)
    long = [1.0, 2.0, 3.0]
    parameters = {"gamma": [long], "binomial": [long, 0.5], "beta": [long, 2.0]}[name]
    try:
        found = function((1,), *parameters, seed=1)
    except Exception as error:  # refused, in whatever words
        true(str(error), "the refusal has words")
    else:
        equal(tuple(found.shape), (1,), "the shape")


@each(name=list(DRAWN))
def draws_work_inside_a_dataset(name):
    """random.{name} draws the same inside tf.data as outside (TensorFlow)"""
    if keras.backend.backend() != "tensorflow":
        raise Lacking("keras.random inside tf.data belongs to the tensorflow backend")
    tf = need("tensorflow")
    data = tf.data.Dataset.range(1).map(lambda _: _drawn(name, 7))
    found, outside = array(next(iter(data))), array(_drawn(name, 7))
    true(np.allclose(found, outside, rtol=1e-5), "both draws agree")


@each(name=["truncated_normal", "binomial", "beta", "beta of arrays", "categorical", "shuffle"])
def draws_work_inside_a_model(name):
    """A layer that draws from random.{name} predicts what it gives when called"""

    class Drawing(keras.layers.Layer):
        def call(self, x):
            return x + keras.ops.cast(_drawn(name, 3), "float32")

    model = keras.Sequential([keras.Input((6,)), Drawing()])
    found = model.predict(np.zeros((2, 6), "float32"), verbose=0)
    true(np.allclose(found, array(_drawn(name, 3)).astype("float32"), rtol=1e-5), "both draws agree")


def generator_hands_out_its_own_dtype():
    """SeedGenerator.next() has the dtype that its state says"""
    seed = keras.random.SeedGenerator(7)
    said = keras.backend.standardize_dtype(seed.state.dtype)
    for what, tensor in (("next()", seed.next()), ("the state's value", keras.ops.convert_to_tensor(seed.state))):
        equal(keras.backend.standardize_dtype(tensor.dtype), said, "the dtype of %s" % what)


HOLDERS = {
    "Dropout(0.5)": (2, 3),
    "AlphaDropout(0.5)": (2, 3),
    "GaussianDropout(0.5)": (2, 3),
    "GaussianNoise(0.5)": (2, 3),
    "SpatialDropout1D(0.5)": (2, 3, 4),
    "RandomBrightness(0.2)": (2, 3, 4, 3),
    "RandomContrast(0.2)": (2, 3, 4, 3),
    "RandomFlip()": (2, 3, 4, 3),
    "RandomRotation(0.2)": (2, 3, 4, 3),
    "RandomZoom(0.2)": (2, 3, 4, 3),
    "Attention(dropout=0.5)": ((2, 3, 4), (2, 3, 4)),
    "MultiHeadAttention(1, 2, dropout=0.5)": ((2, 3, 4), (2, 3, 4)),
    "LSTM(2, dropout=0.5)": (2, 3, 4),
    "GRU(2, recurrent_dropout=0.5)": (2, 3, 4),
    "RNN([keras.layers.GRUCell(2, dropout=0.5), keras.layers.LSTMCell(2, dropout=0.5)])": (2, 3, 4),
}


@each(layer=list(HOLDERS))
def seeds_are_variables_of_their_layer(layer):
    """The seeds of {layer} are among its variables, as many as it has draws"""
    made = eval("keras.layers." + layer, {"keras": keras})  # noqa: S307 - written above
    shape = HOLDERS[layer]
    parts = [np.ones(part, "float32") for part in shape] if isinstance(shape[0], tuple) else [np.ones(shape, "float32")]
    made(parts) if layer.startswith("Attention") else made(*parts)
    seeds = [v for v in made.variables if "seed" in v.path]
    equal(len(seeds), layer.count("Cell(") or 1, "the number of seeds")
    equal([tuple(seed.shape) for seed in seeds], [(2,)] * len(seeds), "their shapes")


def seeds_have_their_generator_in_the_path():
    """A SeedGenerator's state is found under the generator's name"""
    seed = keras.random.SeedGenerator(5)
    name = getattr(seed, "name", None) or "seed_generator"
    true(seed.state.path.startswith(name + "/"), "%s begins with %s/" % (seed.state.path, name))


@each(layer=["Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"])
def layers_that_never_draw_have_no_seed(layer):
    """{layer}(0) draws nothing and has no variables"""
    made = getattr(keras.layers, layer)(0)
    made(np.ones((2, 3), "float32"), training=True)
    equal([v.path for v in made.variables], [], "its variables")
