"""Seeds: they repeat, they differ, and they advance."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, equal, need, refuses, true

DRAWS = {
    "normal": "normal((6,), seed=S)",
    "uniform": "uniform((6,), seed=S)",
    "truncated_normal": "truncated_normal((6,), seed=S)",
    "randint": "randint((6,), 0, 1000000, seed=S)",
    "categorical": "categorical(np.zeros((2, 50)), 8, seed=S)",
    "gamma": "gamma((6,), 2.0, seed=S)",
    "binomial": "binomial((12,), 1000.0, 0.5, seed=S)",
    "beta": "beta((6,), 2.0, 3.0, seed=S)",
    "dropout": "dropout(keras.ops.ones((64,)), 0.5, seed=S)",
    "shuffle": "shuffle(np.arange(40), seed=S)",
}


def _draw(name, seed):
    """Returns a draw as an array."""
    need("keras.random." + name)
    return array(eval("keras.random." + DRAWS[name], {"keras": keras, "np": np, "S": seed}))  # noqa: S307


@each(name=list(DRAWS), seed=[0, 2147483647])
def a_seed_repeats(name, seed):
    """random.{name} draws the same twice from the seed {seed}"""
    equal(_draw(name, seed), _draw(name, seed))


@each(name=list(DRAWS))
def other_seeds_differ(name):
    """random.{name} draws other values from other seeds"""
    true(bool((_draw(name, 1) != _draw(name, 2)).any()), "seeds 1 and 2 differ")
    true(bool((_draw(name, 0) != _draw(name, 1)).any()), "seeds 0 and 1 differ")


@each(name=list(DRAWS))
def a_generator_advances(name):
    """random.{name} draws other values at each call with a SeedGenerator"""
    seed = keras.random.SeedGenerator(1)
    true(bool((_draw(name, seed) != _draw(name, seed)).any()), "the second draw differs")


@each(name=list(DRAWS), seed=[0, 5])
def generators_of_a_seed_agree(name, seed):
    """random.{name} draws the same from two SeedGenerators of the seed {seed}"""
    first, second = keras.random.SeedGenerator(seed), keras.random.SeedGenerator(seed)
    for place in range(2):
        equal(_draw(name, first), _draw(name, second), "draw %d" % place)


@each(name=list(DRAWS))
def the_global_seed_repeats(name):
    """random.{name} without a seed draws the same after set_random_seed"""
    keras.utils.set_random_seed(3)
    first = [_draw(name, None), _draw(name, None)]
    keras.utils.set_random_seed(3)
    equal(_draw(name, None), first[0], "the first draw")
    equal(_draw(name, None), first[1], "the second draw")
    true(bool((first[0] != first[1]).any()), "the two draws differ")


@each(name=list(DRAWS))
def large_seeds_are_taken(name):
    """random.{name} takes a seed of 2**31 or more, and draws other values than from 0"""
    found = _draw(name, 2**31 + 5)
    true(bool((found != _draw(name, 0)).any()), "it differs from the seed 0")


@each(name=["normal", "uniform", "shuffle", "dropout"], wrong=["a float", "a text", "a list"])
def other_seeds_are_refused(name, wrong):
    """random.{name} refuses {wrong} as a seed"""
    value = {"a float": 1.5, "a text": "one", "a list": [1, 2]}[wrong]
    refuses(lambda: _draw(name, value), wrong)


@each(wrong=["a float", "a text"])
def generators_refuse_other_seeds(wrong):
    """SeedGenerator refuses {wrong}"""
    refuses(lambda: keras.random.SeedGenerator({"a float": 1.5, "a text": "one"}[wrong]), wrong)


def generator_state_is_a_variable():
    """A SeedGenerator's state is a variable of two numbers that no optimizer trains"""
    seed = keras.random.SeedGenerator(7)
    equal(tuple(seed.state.shape), (2,), "its shape")
    equal(seed.state.trainable, False, "whether it trains")
    equal([int(v) for v in array(seed.state)], [7, 0], "its value")


def next_advances_by_one():
    """SeedGenerator.next() returns the state and advances it"""
    seed = keras.random.SeedGenerator(7)
    equal([int(v) for v in array(seed.next())], [7, 0], "the first")
    equal([int(v) for v in array(seed.next())], [7, 1], "the second")
    equal([int(v) for v in array(seed.state)], [7, 2], "the state")


@each(seed=[0, 7])
def generator_config_comes_back(seed):
    """SeedGenerator({seed}) comes back from its configuration"""
    made = keras.random.SeedGenerator(seed)
    equal(made.get_config()["seed"], seed, "the seed in the configuration")
    again = keras.random.SeedGenerator.from_config(made.get_config())
    equal(_draw("normal", again), _draw("normal", seed=keras.random.SeedGenerator(seed)), "what it draws")


def generators_without_a_seed_differ():
    """Two SeedGenerators without a seed draw different values"""
    first, second = keras.random.SeedGenerator(), keras.random.SeedGenerator()
    true(bool((_draw("normal", first) != _draw("normal", second)).any()), "they differ")


def generators_follow_the_global_seed():
    """SeedGenerators without a seed repeat after set_random_seed"""
    keras.utils.set_random_seed(3)
    first = _draw("normal", keras.random.SeedGenerator())
    keras.utils.set_random_seed(3)
    equal(_draw("normal", keras.random.SeedGenerator()), first)


def clear_session_forgets_the_global_state():
    """set_random_seed after clear_session repeats"""
    keras.utils.set_random_seed(3)
    first = _draw("uniform", None)
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    equal(_draw("uniform", None), first)


def set_random_seed_seeds_numpy_and_python():
    """set_random_seed seeds NumPy and Python as well"""
    import random

    keras.utils.set_random_seed(3)
    first = [np.random.rand(), random.random()]  # noqa: S311 - this is what is tried
    keras.utils.set_random_seed(3)
    equal([np.random.rand(), random.random()], first)  # noqa: S311


@each(wrong=["a float", "a text"])
def set_random_seed_refuses(wrong):
    """set_random_seed refuses {wrong}"""
    refuses(lambda: keras.utils.set_random_seed({"a float": 1.5, "a text": "one"}[wrong]), wrong)


@each(name=["normal", "uniform", "randint", "gamma"])
def draws_work_when_compiled(name):
    """random.{name} draws the same inside a compiled function as outside"""
    need("keras.random." + name)
    call = "keras.random." + DRAWS[name]

    class Drawing(keras.layers.Layer):
        def call(self, x):
            drawn = eval(call, {"keras": keras, "np": np, "S": 3})  # noqa: S307 - written above
            return x + keras.ops.cast(drawn, "float32")

    model = keras.Sequential([keras.Input((12 if name == "binomial" else 6,)), Drawing()])
    width = 12 if name == "binomial" else 6
    found = model.predict(np.zeros((1, width), "float32"), verbose=0)[0]
    true(bool(np.allclose(found, _draw(name, 3).astype("float32"), rtol=1e-5)), "both draws agree")


@each(name=["normal", "uniform", "dropout", "shuffle"])
def generators_advance_when_compiled(name):
    """random.{name} with a SeedGenerator draws other values in each call of predict"""
    call = {
        "normal": "keras.random.normal(keras.ops.shape(x), seed=self.seed)",
        "uniform": "keras.random.uniform(keras.ops.shape(x), seed=self.seed)",
        "dropout": "keras.random.dropout(x, 0.5, seed=self.seed)",
        "shuffle": "keras.random.shuffle(x, axis=1, seed=self.seed)",
    }[name]

    class Drawing(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(3)

        def call(self, x):
            return eval(call, {"keras": keras, "x": x, "self": self})  # noqa: S307 - written above

    model = keras.Sequential([keras.Input(batch_shape=(1, 40)), Drawing()])
    data = np.arange(1.0, 41.0, dtype="float32")[None]
    first, second = model.predict(data, verbose=0), model.predict(data, verbose=0)
    true(bool((first != second).any()), "two calls differ")


@each(name=["normal", "uniform", "truncated_normal", "gamma", "beta"], dtype=["float16", "bfloat16", "None"])
def float_draws_have_their_dtype(name, dtype):
    """random.{name}(dtype={dtype}) returns that dtype"""
    need("keras.random." + name)
    more = {"gamma": "2.0, ", "beta": "2.0, 3.0, "}.get(name, "")
    text = "keras.random.%s((5,), %sdtype=%s, seed=1)" % (name, more, "None" if dtype == "None" else repr(dtype))
    found = eval(text)  # noqa: S307 - written above
    equal(keras.backend.standardize_dtype(found.dtype), "float32" if dtype == "None" else dtype)
    true(bool(np.isfinite(array(found).astype("float64")).all()), "the values are finite")


@each(dtype=["float16", "bfloat16", "None"])
def binomial_draws_have_their_dtype(dtype):
    """random.binomial(dtype={dtype}) returns that dtype, in whole numbers"""
    need("keras.random.binomial")
    found = keras.random.binomial((20,), 10.0, 0.5, dtype=None if dtype == "None" else dtype, seed=1)
    equal(keras.backend.standardize_dtype(found.dtype), "float32" if dtype == "None" else dtype)
    values = array(found).astype("float64")
    equal(values, np.round(values), "whole numbers")


@each(dtype=["int8", "int16", "int32", "uint8", "int64"])
def randint_has_its_dtype(dtype):
    """random.randint(dtype="{dtype}") returns that dtype, within its bounds"""
    if keras.backend.backend() == "jax" and dtype == "int64":
        need("keras.jax_without_x64")
    found = keras.random.randint((200,), 3, 100, dtype=dtype, seed=1)
    equal(keras.backend.standardize_dtype(found.dtype), dtype)
    values = array(found).astype("int64")
    true(int(values.min()) >= 3 and int(values.max()) < 100, "the values are in 3 to 99")


@each(name=["normal", "uniform", "truncated_normal"], dtype=["int32", "bool"])
def float_draws_refuse_whole_numbers(name, dtype):
    """random.{name} refuses the dtype {dtype}"""
    function = getattr(keras.random, name)
    refuses(lambda: function((3,), dtype=dtype, seed=1), dtype, (ValueError, TypeError, RuntimeError))


def randint_refuses_floats():
    """random.randint refuses a float dtype"""
    refuses(lambda: keras.random.randint((3,), 0, 5, dtype="float32", seed=1), "float32")


@each(floatx=["float16", "bfloat16"])
def draws_follow_floatx(floatx):
    """Draws without a dtype have the dtype floatx ({floatx})"""
    keras.config.set_floatx(floatx)
    for name in ("normal", "uniform", "truncated_normal"):
        found = getattr(keras.random, name)((3,), seed=1)
        equal(keras.backend.standardize_dtype(found.dtype), floatx, name)


@each(
    name=["normal", "uniform", "truncated_normal", "randint"],
    shape=["()", "(0, 3)", "[2, 3]"],
)
def draws_have_their_shape(name, shape):
    """random.{name} of shape {shape} has that shape"""
    need("keras.random." + name)
    more = {"randint": "0, 5, ", "gamma": "2.0, ", "binomial": "5.0, 0.5, ", "beta": "2.0, 3.0, "}.get(name, "")
    found = eval("keras.random.%s(%s, %sseed=1)" % (name, shape, more))  # noqa: S307 - written above
    equal(list(found.shape), list(eval(shape)))  # noqa: S307 - written above


@each(name=["gamma", "binomial", "beta"], shape=["()", "(0, 3)"])
def slower_draws_have_their_shape(name, shape):
    """random.{name} of shape {shape} has that shape"""
    need("keras.random." + name)
    more = {"gamma": "2.0, ", "binomial": "5.0, 0.5, ", "beta": "2.0, 3.0, "}[name]
    found = eval("keras.random.%s(%s, %sseed=1)" % (name, shape, more))  # noqa: S307 - written above
    equal(list(found.shape), list(eval(shape)))  # noqa: S307 - written above
