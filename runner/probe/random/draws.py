"""What is drawn from a seed: returned, and compared among versions of one backend.

Keras promises that a seed repeats within a version, and not that it does so in the next one. A change is reported, and
is not a defect.
"""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, need

DISTRIBUTIONS = [
    "normal((6,), seed=S)",
    "normal((6,), mean=1.0, stddev=2.0, dtype='float16', seed=S)",
    "uniform((6,), seed=S)",
    "uniform((6,), minval=-1.0, maxval=3.0, seed=S)",
    "truncated_normal((6,), seed=S)",
    "randint((6,), 0, 100, seed=S)",
    "categorical(np.array([[0.0, 1.0, 2.0]], 'float32'), 8, seed=S)",
    "gamma((6,), 2.0, seed=S)",
    "binomial((12,), 1000.0, 0.5, seed=S)",
    "beta((6,), 2.0, 3.0, seed=S)",
    "dropout(keras.ops.ones((8,)), 0.5, seed=S)",
    "shuffle(np.arange(8), seed=S)",
]
INITIALIZERS = [
    *["RandomNormal(seed=S)", "RandomUniform(seed=S)", "TruncatedNormal(seed=S)", "GlorotNormal(seed=S)"],
    *["GlorotUniform(seed=S)", "HeNormal(seed=S)", "HeUniform(seed=S)", "LecunNormal(seed=S)", "LecunUniform(seed=S)"],
    *["VarianceScaling(2.0, 'fan_avg', 'untruncated_normal', seed=S)", "Orthogonal(seed=S)"],
]
LAYERS = [
    "Dropout(0.5, seed=S)",
    "SpatialDropout2D(0.5, seed=S)",
    "GaussianDropout(0.5, seed=S)",
    "GaussianNoise(1.0, seed=S)",
    "AlphaDropout(0.5, seed=S)",
    "RandomFlip('horizontal', seed=S)",
    "RandomRotation(0.3, seed=S)",
    "RandomTranslation(0.3, 0.3, seed=S)",
    "RandomZoom(0.3, seed=S)",
    "RandomShear(0.3, 0.3, seed=S)",
    "RandomContrast(0.5, seed=S)",
    "RandomBrightness(0.5, seed=S)",
    "RandomCrop(3, 3, seed=S)",
    "RandomHue(0.5, seed=S)",
    "RandomSaturation(0.5, seed=S)",
    "RandomSharpness(0.5, seed=S)",
    "RandomPosterization(4, seed=S)",
    "RandomColorJitter(value_range=(0, 255), brightness_factor=0.5, seed=S)",
    "RandomColorDegeneration(0.5, seed=S)",
    "RandomGrayscale(0.5, seed=S)",
    "RandomInvert(0.5, seed=S)",
    "RandomErasing(seed=S)",
    "RandomGaussianBlur(seed=S)",
    "RandomPerspective(seed=S)",
    "RandomElasticTransform(seed=S)",
    "Solarization(0.5, seed=S)",
]


def _evaluated(module, call, seed):
    """Returns what ``call``, with S as the seed, makes of a module of keras."""
    need("keras.%s.%s" % (module, call.partition("(")[0]))
    return eval("keras.%s.%s" % (module, call), {"keras": keras, "np": np, "S": seed})  # noqa: S307 - written above


@each(call=DISTRIBUTIONS, seed=[0, 1337])
def draw(call, seed):
    """random.{call} with S={seed}"""
    return array(_evaluated("random", call, seed)).astype("float64")


@each(call=["normal((6,), seed=S)", "uniform((6,), seed=S)", "randint((6,), 0, 100, seed=S)"])
def draw_of_a_generator(call):
    """random.{call} with a SeedGenerator(3), the second draw"""
    seed = keras.random.SeedGenerator(3)
    _evaluated("random", call, seed)
    return array(_evaluated("random", call, seed)).astype("float64")


@each(call=["normal((6,))", "uniform((6,))", "randint((6,), 0, 100)"])
def draw_of_the_global_seed(call):
    """random.{call} after set_random_seed(7)"""
    keras.utils.set_random_seed(7)
    return array(_evaluated("random", call, None)).astype("float64")


@each(call=INITIALIZERS, seed=[0, 1337])
def initial(call, seed):
    """initializers.{call} of shape (4, 3) with S={seed}"""
    return array(_evaluated("initializers", call, seed)((4, 3))).astype("float64")


@each(call=LAYERS)
def drawn_by_layers(call):
    """layers.{call} with S=5, in training"""
    layer = _evaluated("layers", call, 5)
    images = np.linspace(0.0, 255.0, 2 * 4 * 4 * 3).reshape(2, 4, 4, 3).astype("float32")
    return array(layer(images, training=True)).astype("float64")


@each(layer=["Dense(3)", "Conv2D(2, 2)", "LSTM(2)", "Embedding(4, 3)", "MultiHeadAttention(1, 2)"])
def weights_after_set_random_seed(layer):
    """The weights of {layer} after set_random_seed(11)"""
    keras.utils.set_random_seed(11)
    made = eval("keras.layers." + layer)  # noqa: S307 - written above
    shapes = {"Conv2D": [(1, 4, 4, 2)], "LSTM": [(1, 2, 3)], "MultiHeadAttention": [(1, 2, 3), (1, 2, 3)]}
    made.build(*shapes.get(layer.partition("(")[0], [(2, 3)]))
    return np.concatenate([array(v).astype("float64").ravel() for v in made.weights if "seed" not in v.path])


def order_of_a_shuffled_fit():
    """The order in which fit(shuffle=True) visits samples after set_random_seed(13)"""
    keras.utils.set_random_seed(13)
    seen = []

    class Noting(keras.layers.Layer):
        def call(self, x):
            seen.extend(array(x)[:, 0].tolist())
            return x * 1.0

    model = keras.Sequential([Noting()])
    if keras.backend.backend() == "jax":
        need("keras.eager_steps_on_jax")
    model.compile(loss="mse", run_eagerly=True)
    model.fit(np.arange(6, dtype="float32").reshape(6, 1), np.zeros((6, 1), "float32"), batch_size=2, verbose=0)
    return np.array(seen[-6:])
