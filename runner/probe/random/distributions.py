"""Distributions: moments, bounds and ranks within five standard errors."""

from __future__ import annotations

import math

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, need, refuses, true

COUNT = 20000


def _many(name, *arguments, **options):
    """Returns 20,000 draws as float64."""
    function = need("keras.random." + name)
    return array(function((COUNT,), *arguments, seed=11, **options)).astype("float64")


def _moments(values, mean, deviation, kurtosis=3.0):
    """Compares mean and variance, within five standard errors."""
    error = 5 * deviation / math.sqrt(len(values))
    true(abs(values.mean() - mean) <= error, "the mean is %.4g within %.2g: %.6g" % (mean, error, values.mean()))
    error = 5 * deviation**2 * math.sqrt(max(kurtosis - 1.0, 0.1) / len(values))
    found = values.var()
    true(abs(found - deviation**2) <= error, "the variance is %.4g within %.2g: %.6g" % (deviation**2, error, found))


def _ranks(values, cumulated):
    """Compares the shares below some points with a cumulated distribution."""
    for point, share in cumulated:
        error = 5 * math.sqrt(share * (1 - share) / len(values))
        found = float((values <= point).mean())
        true(abs(found - share) <= error, "%.4f of the values are below %.3g: %.4f" % (share, point, found))


NORMAL = [(-2.0, 0.02275), (-1.0, 0.158655), (0.0, 0.5), (1.0, 0.841345), (2.0, 0.97725)]


@each(mean=[0.0, -3.0], deviation=[1.0, 0.5])
def normal_is_normal(mean, deviation):
    """random.normal(mean={mean}, stddev={deviation}) has those moments"""
    values = _many("normal", mean=mean, stddev=deviation)
    _moments(values, mean, deviation)
    _ranks((values - mean) / deviation, NORMAL)


@each(low=[0.0, -2.0], high=[1.0, 5.0])
def uniform_is_uniform(low, high):
    """random.uniform({low}, {high}) stays within its bounds, with even ranks"""
    values = _many("uniform", minval=low, maxval=high)
    true(values.min() >= low and values.max() < high, "the values are within the bounds")
    _moments(values, (low + high) / 2, (high - low) / math.sqrt(12), 1.8)
    _ranks((values - low) / (high - low), [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)])


@each(mean=[0.0, 2.0], deviation=[1.0, 0.05])
def truncated_normal_is_truncated(mean, deviation):
    """random.truncated_normal({mean}, {deviation}) stays in two deviations"""
    values = (_many("truncated_normal", mean=mean, stddev=deviation) - mean) / deviation
    true(
        float(np.abs(values).max()) <= 2.0 + 1e-4,
        "no value is further than two deviations: %.5f" % np.abs(values).max(),
    )
    inside = 0.954500
    _ranks(values, [(x, (share - 0.02275) / inside) for x, share in NORMAL[1:-1]])
    _moments(values, 0.0, math.sqrt(0.7737), 2.2)


@each(low=[0, -5], high=[7, 3])
def randint_is_even(low, high):
    """random.randint({low}, {high}) draws each number equally often"""
    values = array(keras.random.randint((COUNT,), low, high, seed=11)).astype("int64")
    counts = np.bincount(values - low, minlength=high - low)
    equal(len(counts), high - low, "how many numbers there are")
    share = 1.0 / (high - low)
    error = 5 * math.sqrt(share * (1 - share) * COUNT)
    true(bool((np.abs(counts - share * COUNT) <= error).all()), "each is drawn equally often: %s" % counts.tolist())


@each(alpha=[0.5, 2.0, 9.0])
def gamma_has_its_moments(alpha):
    """random.gamma(alpha={alpha}) has that mean and variance"""
    values = _many("gamma", alpha)
    true(float(values.min()) >= 0.0, "no value is negative")
    _moments(values, alpha, math.sqrt(alpha), 3.0 + 6.0 / alpha)


@each(first=[0.5, 2.0], second=[1.0, 3.0])
def beta_has_its_moments(first, second):
    """random.beta({first}, {second}) has its mean and variance, within 0 to 1"""
    values = _many("beta", first, second)
    true(values.min() >= 0.0 and values.max() <= 1.0, "the values are in 0 to 1")
    total = first + second
    _moments(values, first / total, math.sqrt(first * second / (total**2 * (total + 1))), 3.0)


@each(counts=[1.0, 10.0], share=[0.0, 0.3, 1.0])
def binomial_has_its_moments(counts, share):
    """random.binomial({counts}, {share}) has its mean and variance"""
    values = _many("binomial", counts, share)
    equal(values, np.round(values), "whole numbers")
    true(values.min() >= 0.0 and values.max() <= counts, "the values are in 0 to the count")
    _moments(values, counts * share, math.sqrt(counts * share * (1 - share)), 3.0)


@each(form=["plain", "rows", "shifted"])
def categorical_follows_its_logits(form):
    """random.categorical draws classes as often as the logits say ({form})"""
    shares = np.array([[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]])
    logits = np.log(shares).astype("float32") + (40.0 if form == "shifted" else 0.0)
    if form == "plain":
        logits, shares = logits[:1], shares[:1]
    found = array(keras.random.categorical(logits, COUNT, seed=11))
    equal(found.shape, (len(shares), COUNT), "the shape")
    for row, wanted in zip(found, shares):
        counts = np.bincount(row.astype("int64"), minlength=3) / COUNT
        error = 5 * np.sqrt(wanted * (1 - wanted) / COUNT)
        true(bool((np.abs(counts - wanted) <= error).all()), "shares %s: %s" % (wanted.tolist(), counts.tolist()))


@each(dtype=["int32", "int64", "uint8", "None"])
def categorical_has_its_dtype(dtype):
    """random.categorical(dtype={dtype}) returns that dtype"""
    if dtype == "int64" and keras.backend.backend() == "jax":
        need("keras.jax_without_x64")
    options = {} if dtype == "None" else {"dtype": dtype}
    found = keras.random.categorical(np.zeros((2, 3), "float32"), 4, seed=1, **options)
    equal(keras.backend.standardize_dtype(found.dtype), "int32" if dtype == "None" else dtype)


@each(rank=[1, 3])
def categorical_refuses_other_ranks(rank):
    """random.categorical refuses logits with {rank} axes"""
    refuses(lambda: keras.random.categorical(np.zeros((2,) * rank, "float32"), 4, seed=1), "another rank")


def categorical_never_draws_what_is_impossible():
    """random.categorical never draws a class with logits of minus infinity"""
    found = array(keras.random.categorical(np.array([[0.0, -np.inf, 0.0]], "float32"), 500, seed=1))
    equal(sorted(set(found.ravel().tolist())), [0, 2])


@each(axis=[0, 1, -1])
def shuffle_only_reorders(axis):
    """random.shuffle along axis {axis} keeps the values of each line along it"""
    data = np.arange(60).reshape(10, 6)
    found = array(keras.random.shuffle(data, axis=axis, seed=1))
    equal(np.sort(found, axis), data, "the values, sorted")
    true(found.tolist() != data.tolist(), "the order has changed")


def shuffle_is_fair():
    """random.shuffle of three items gives each of the six orders equally often"""
    seed, counts = keras.random.SeedGenerator(1), {}
    for _ in range(300):
        order = tuple(array(keras.random.shuffle(np.arange(3), seed=seed)).tolist())
        counts[order] = counts.get(order, 0) + 1
    equal(len(counts), 6, "orders that were seen")
    true(all(abs(count - 50) < 5 * math.sqrt(300 * 5 / 36) for count in counts.values()), "even: %s" % counts)


@each(rate=[0.0, 0.3, 0.9])
def dropout_keeps_the_mean(rate):
    """random.dropout(rate={rate}) drops that share and scales what is left"""
    found = array(keras.random.dropout(keras.ops.ones((COUNT,)), rate, seed=11)).astype("float64")
    values = found[found != 0.0]
    close(values, np.full(values.shape, 1.0 / (1.0 - rate)), "what is left", 1e-5)
    error = 5 * math.sqrt(rate * (1 - rate) / COUNT)
    true(abs((found == 0.0).mean() - rate) <= error, "the share of zeros is %.2f: %.4f" % (rate, (found == 0.0).mean()))


@each(noise=["(4, 1)", "(1, 50)"])
def dropout_keeps_its_noise_shape(noise):
    """random.dropout(noise_shape={noise}) drops whole slices"""
    noise_shape = eval(noise)  # noqa: S307 - written above
    found = array(keras.random.dropout(keras.ops.ones((4, 50)), 0.5, noise_shape=noise_shape, seed=3))
    along = 1 if noise == "(4, 1)" else 0
    equal(found.min(axis=along), found.max(axis=along), "values within a slice")


def dropout_takes_numpy():
    """random.dropout takes an array of NumPy"""
    equal(tuple(keras.random.dropout(np.ones((4,), "float32"), 0.5, seed=3).shape), (4,), "the shape")


@each(dtype=["float16", "bfloat16", "float32"])
def dropout_keeps_the_dtype(dtype):
    """random.dropout of {dtype} numbers returns {dtype}"""
    found = keras.random.dropout(keras.ops.ones((50,), dtype=dtype), 0.5, seed=1)
    equal(keras.backend.standardize_dtype(found.dtype), dtype)


@each(name=["normal", "uniform", "randint", "truncated_normal"])
def neighbouring_seeds_are_independent(name):
    """random.{name}: first values of the seeds 0 to 199 are spread as one stream is"""
    function = getattr(keras.random, name)
    arguments = (0, 1000000) if name == "randint" else ()
    values = np.array([float(array(function((1,), *arguments, seed=seed))[0]) for seed in range(200)])
    if name == "randint":
        values = values / 1000000.0
    middle = 0.5 if name in ("uniform", "randint") else 0.0
    true(abs((values > middle).mean() - 0.5) <= 5 * 0.5 / math.sqrt(200), "half are above the middle")
    true(abs(float(np.corrcoef(values[:-1], values[1:])[0, 1])) <= 5 / math.sqrt(200), "neighbours are not correlated")
    true(len(set(values.tolist())) > 190, "they differ")


@each(name=["normal", "uniform"])
def a_generator_s_draws_are_independent(name):
    """random.{name}: successive draws of a SeedGenerator are not correlated"""
    seed, function = keras.random.SeedGenerator(2), getattr(keras.random, name)
    first, second = (array(function((COUNT,), seed=seed)).astype("float64") for _ in range(2))
    true(abs(float(np.corrcoef(first, second)[0, 1])) <= 5 / math.sqrt(COUNT), "they are not correlated")


@each(form=["alpha", "beta", "both"])
def beta_takes_arrays(form):
    """random.beta takes {form} as arrays"""
    need("keras.random.beta")
    first = np.array([1.0, 3.0], "float32") if form != "beta" else 2.0
    second = np.array([2.0, 1.0], "float32") if form != "alpha" else 2.0
    found = array(keras.random.beta((4000, 2), first, second, seed=1)).astype("float64").mean(0)
    wanted = np.asarray(first) / (np.asarray(first) + np.asarray(second))
    true(bool((np.abs(found - wanted) < 0.025).all()), "the means are %s: %s" % (wanted.tolist(), found.tolist()))


@each(form=["counts", "probabilities", "both"])
def binomial_takes_arrays(form):
    """random.binomial takes {form} as arrays"""
    need("keras.random.binomial")
    counts = np.array([4.0, 10.0], "float32") if form != "probabilities" else 5.0
    shares = np.array([0.25, 0.5], "float32") if form != "counts" else 0.5
    found = array(keras.random.binomial((4000, 2), counts, shares, seed=1)).astype("float64").mean(0)
    wanted = np.asarray(counts) * np.asarray(shares) * np.ones(2)
    true(bool((np.abs(found - wanted) < 0.15).all()), "the means are %s: %s" % (wanted.tolist(), found.tolist()))


@each(form=["numbers", "array"])
def gamma_takes_arrays(form):
    """random.gamma takes alpha as {form}"""
    need("keras.random.gamma")
    alpha = 2.0 if form == "numbers" else np.array([1.0, 4.0], "float32")
    found = array(keras.random.gamma((4000, 2), alpha, seed=1)).astype("float64").mean(0)
    true(bool((np.abs(found - np.asarray(alpha)) < 0.2).all()), "the means are right: %s" % found.tolist())
