"""Initializers: seeds, variances, bounds, shapes and configurations."""

from __future__ import annotations

import math

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

RANDOM = [
    *["RandomNormal", "RandomUniform", "TruncatedNormal", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform"],
    *["LecunNormal", "LecunUniform", "VarianceScaling", "Orthogonal"],
]
OTHERS = ["Zeros", "Ones", "Constant", "Identity"]


@each(name=RANDOM, seed=[0, 5])
def initializer_repeats(name, seed):
    """{name}(seed={seed}) gives the same at each call, and in another instance"""
    made = getattr(keras.initializers, name)
    first = made(seed=seed)
    equal(array(first((4, 3))), array(made(seed=seed)((4, 3))), "another instance")
    equal(array(first((4, 3))), array(first((4, 3))), "another call")


@each(name=RANDOM)
def initializers_of_other_seeds_differ(name):
    """{name} gives other values for the seeds 0, 1 and None"""
    made = getattr(keras.initializers, name)
    values = [array(made(seed=seed)((4, 3))) for seed in (0, 1, None)]
    true(bool((values[0] != values[1]).any()), "0 and 1 differ")
    true(bool((values[0] != values[2]).any()), "0 and None differ")


@each(name=RANDOM)
def initializer_advances_with_a_generator(name):
    """{name} with a SeedGenerator gives other values at each call"""
    made = getattr(keras.initializers, name)(seed=keras.random.SeedGenerator(3))
    true(bool((array(made((4, 3))) != array(made((4, 3)))).any()), "the second call differs")


@each(name=RANDOM, seed=[0, 5])
def initializer_config_keeps_its_seed(name, seed):
    """{name}(seed={seed}) comes back from its configuration and draws the same"""
    made = getattr(keras.initializers, name)(seed=seed)
    equal(made.get_config()["seed"], seed, "the seed")
    again = keras.initializers.deserialize(keras.initializers.serialize(made))
    equal(array(again((4, 3))), array(made((4, 3))), "what it draws")


@each(name=RANDOM)
def initializer_config_keeps_a_generator(name):
    """{name} with a SeedGenerator draws the same when deserialized"""
    made = getattr(keras.initializers, name)(seed=keras.random.SeedGenerator(3))
    again = keras.initializers.deserialize(keras.initializers.serialize(made))
    equal(array(again((4, 3))), array(made((4, 3))), "what it draws")


@each(name=RANDOM, wrong=["a float", "a text"])
def initializer_refuses_other_seeds(name, wrong):
    """{name} refuses {wrong} as a seed"""
    made = getattr(keras.initializers, name)
    refuses(lambda: made(seed={"a float": 1.5, "a text": "one"}[wrong])((3, 3)), wrong)


@each(name=RANDOM)
def unseeded_initializers_follow_the_global_seed(name):
    """{name} without a seed repeats after set_random_seed"""
    made = getattr(keras.initializers, name)
    keras.utils.set_random_seed(2)
    first = array(made()((4, 3)))
    keras.utils.set_random_seed(2)
    equal(array(made()((4, 3))), first)


@each(name=RANDOM)
def clones_of_unseeded_initializers_differ(name):
    """clone() of {name} without a seed draws something of its own"""
    need("keras.initializers.Initializer.clone")
    made = getattr(keras.initializers, name)()
    true(bool((array(made.clone()((4, 3))) != array(made((4, 3)))).any()), "they differ")


@each(name=[*RANDOM, *OTHERS], dtype=["float16", "bfloat16", "None"])
def initializer_has_its_dtype(name, dtype):
    """{name} called with dtype={dtype} returns that dtype"""
    if name == "Orthogonal" and keras.backend.backend() != "tensorflow" and "16" in dtype:
        need("keras.decompositions_in_half_precision")
    made = getattr(keras.initializers, name)()
    found = made((4, 3), dtype=None if dtype == "None" else dtype)
    equal(keras.backend.standardize_dtype(found.dtype), "float32" if dtype == "None" else dtype)


@each(name=[*RANDOM, *OTHERS])
def initializers_have_their_shape(name):
    """{name} gives the shape asked for, as a tuple and as a list"""
    made = getattr(keras.initializers, name)()
    equal(tuple(made((5, 2)).shape), (5, 2), "a tuple")
    equal(tuple(made([5, 2]).shape), (5, 2), "a list")


@each(name=[*RANDOM, "Zeros", "Ones"])
def initializers_are_found_by_name(name):
    """initializers.get finds {name} by its names and its class"""
    made = getattr(keras.initializers, name)
    snake = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
    for identifier in (name, snake, made, made()):
        equal(type(keras.initializers.get(identifier)).__name__, made.__name__, "get(%s)" % identifier)


FANS = {"(1000, 30)": (1000, 30), "(5, 5, 20, 60)": (500, 1500), "(30000,)": (30000, 30000)}
SCALES = {
    "GlorotNormal": (1.0, "fan_avg"),
    "GlorotUniform": (1.0, "fan_avg"),
    "HeNormal": (2.0, "fan_in"),
    "HeUniform": (2.0, "fan_in"),
    "LecunNormal": (1.0, "fan_in"),
    "LecunUniform": (1.0, "fan_in"),
}


@each(name=list(SCALES), shape=list(FANS))
def variance_follows_the_fans(name, shape):
    """{name} of shape {shape} has the variance that its formula says, and the mean 0"""
    scale, mode = SCALES[name]
    fans = FANS[shape]
    wanted = scale / (fans[0] if mode == "fan_in" else sum(fans) / 2)
    values = array(getattr(keras.initializers, name)(seed=4)(eval(shape))).astype("float64").ravel()  # noqa: S307
    error = 5 / math.sqrt(len(values))
    true(abs(values.mean()) <= error * math.sqrt(wanted), "the mean is 0: %.3g" % values.mean())
    true(abs(values.var() / wanted - 1.0) <= 1.5 * error, "the variance is %.4g: %.4g" % (wanted, values.var()))
    if "Uniform" in name:
        true(float(np.abs(values).max()) <= math.sqrt(3 * wanted) * (1 + 1e-5), "the values are within their bounds")


@each(mode=["fan_in", "fan_out", "fan_avg"], distribution=["truncated_normal", "untruncated_normal", "uniform"])
def variance_scaling_scales(mode, distribution):
    """VarianceScaling(3.0, "{mode}", "{distribution}") has its variance"""
    made = keras.initializers.VarianceScaling(3.0, mode, distribution, seed=4)
    values = array(made((100, 300))).astype("float64").ravel()
    wanted = 3.0 / {"fan_in": 100, "fan_out": 300, "fan_avg": 200}[mode]
    true(abs(values.var() / wanted - 1.0) <= 7.5 / math.sqrt(len(values)), "it is %.4g: %.4g" % (wanted, values.var()))
    if distribution == "truncated_normal":
        limit = 2 * math.sqrt(wanted) / 0.87962566
        true(float(np.abs(values).max()) <= limit * 1.0001, "the values are within two deviations of the normal")


WRONG = ["scale=0.0", "scale=-1.0", "mode='fan'", "distribution='gamma'"]


@each(wrong=WRONG)
def variance_scaling_refuses(wrong):
    """VarianceScaling({wrong}) is refused"""
    refuses(lambda: eval("keras.initializers.VarianceScaling(%s)" % wrong), wrong)  # noqa: S307 - written above


@each(shape=["(6, 6)", "(8, 3)", "(3, 8)", "(2, 3, 4)", "(3, 2, 2, 9)"], gain=[1.0, 0.5])
def orthogonal_is_orthogonal(shape, gain):
    """Orthogonal(gain={gain}) of shape {shape} is orthogonal"""
    sizes = eval(shape)  # noqa: S307 - written above
    flat = array(keras.initializers.Orthogonal(gain, seed=1)(sizes)).astype("float64").reshape(-1, sizes[-1])
    square = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    close(square, gain**2 * np.eye(len(square)), "products of rows or columns", 1e-5)


def orthogonal_refuses_one_axis():
    """Orthogonal refuses a shape of one axis"""
    refuses(lambda: keras.initializers.Orthogonal()((4,)), "a shape of one axis")


@each(shape=["(3, 3)", "(4, 2)", "(2, 4)"])
def identity_is_the_identity(shape):
    """Identity(gain=2) of shape {shape} has 2 on its diagonal"""
    name = "Identity" if hasattr(keras.initializers, "Identity") else "IdentityInitializer"
    sizes = eval(shape)  # noqa: S307 - written above
    equal(array(getattr(keras.initializers, name)(gain=2.0)(sizes)), 2.0 * np.eye(*sizes, dtype="float32"))


@each(shape=["(3,)", "(3, 3, 3)"])
def identity_refuses_other_ranks(shape):
    """Identity refuses the shape {shape}"""
    name = "Identity" if hasattr(keras.initializers, "Identity") else "IdentityInitializer"
    refuses(lambda: getattr(keras.initializers, name)()(eval(shape)), shape)  # noqa: S307 - written above


@each(value=["2.5", "True", "[1.0, 2.0]"])
def constant_is_constant(value):
    """Constant({value}) gives that value"""
    wanted = eval(value)  # noqa: S307 - written above
    found = array(keras.initializers.Constant(wanted)((3, 2)))
    equal(found, np.broadcast_to(np.array(wanted, "float32"), (3, 2)))


@each(name=["RandomNormal", "TruncatedNormal"])
def normal_initializers_have_their_moments(name):
    """{name}(mean=2, stddev=0.5) has that mean, and a fitting deviation"""
    values = array(getattr(keras.initializers, name)(mean=2.0, stddev=0.5, seed=1)((20000,))).astype("float64")
    wanted = 0.5 * (0.8796 if name == "TruncatedNormal" else 1.0)
    true(abs(values.mean() - 2.0) <= 5 * 0.5 / math.sqrt(20000), "the mean is 2: %.5f" % values.mean())
    true(abs(values.std() / wanted - 1.0) <= 0.03, "the deviation is %.4f: %.5f" % (wanted, values.std()))


def uniform_initializer_keeps_its_bounds():
    """RandomUniform(-1, 3) stays within its bounds and fills them"""
    values = array(keras.initializers.RandomUniform(-1.0, 3.0, seed=1)((20000,)))
    true(values.min() >= -1.0 and values.max() < 3.0, "within the bounds")
    true(values.min() < -0.99 and values.max() > 2.99, "the bounds are reached")


@each(layer=["Dense(3)", "Conv1D(3, 2)", "Embedding(5, 3)", "LSTM(3)", "EinsumDense('ab,bc->ac', output_shape=3)"])
def layers_of_one_initializer_differ(layer):
    """Two {layer} made by default have different weights"""
    first, second = (eval("keras.layers." + layer) for _ in range(2))  # noqa: S307 - written above
    for one in (first, second):
        one.build((2, 4, 3) if layer.startswith(("Conv", "LSTM")) else (2, 4))
    true(bool((array(first.weights[0]) != array(second.weights[0])).any()), "they differ")


@each(layer=["LSTM", "GRU", "SimpleRNN"])
def gates_differ(layer):
    """The recurrent weights of {layer} differ from gate to gate and from the input's"""
    made = getattr(keras.layers, layer)(4)
    made.build((2, 3, 4))
    kernel, recurrent = (array(v) for v in made.weights[:2])
    true(bool((kernel != recurrent).any()), "kernel and recurrent kernel differ")
    parts = np.split(kernel, kernel.shape[1] // 4, axis=1)
    true(all(bool((parts[0] != part).any()) for part in parts[1:]), "gates differ")


def custom_initializers_are_functions():
    """A function is taken as an initializer, with shape and dtype"""
    seen = []

    def mine(shape, dtype=None):
        seen.append((tuple(shape), dtype))
        return keras.ops.ones(shape, dtype=dtype)

    layer = keras.layers.Dense(3, kernel_initializer=mine)
    layer.build((None, 2))
    equal(array(layer.kernel), np.ones((2, 3), "float32"))
    equal(seen[-1][0], (2, 3), "the shape")
