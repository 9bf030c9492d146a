"""Generates cases of random functions.

Shapes, types, ranges, repeatability, and moments within seven standard errors.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _moments(add)
    _repeat(add)
    _layers(add)


def _moments(add):
    n = 20000.0
    draws = (
        ("random.normal(s, 1.0, 2.0, seed=1)", 1.0, 4.0, 3.0), ("random.uniform(s, -1.0, 3.0, seed=1)", 1.0, 16 / 12, 1.8),
        ("random.truncated_normal(s, 0.0, 2.0, seed=1)", 0.0, 4 * 0.7737413, 2.5), ("random.randint(s, -2, 5, seed=1)", 1.0, 4.0, 1.75),
        ("random.gamma(s, 3.0, seed=1)", 3.0, 3.0, 5.0), ("random.beta(s, 2.0, 3.0, seed=1)", 0.4, 0.04, 2.36),
        ("random.binomial(s, 10.0, 0.3, seed=1)", 3.0, 2.1, 2.88), ("random.categorical(ops.log(ops.convert_to_tensor([[0.2, 0.5, 0.3]])), s[0], seed=1)", 1.1, 0.49, 2.0),
        ("random.dropout(ops.ones(s), 0.25, seed=1)", 1.0, 1 / 3, 2.33), ("random.uniform(s, 0.0, 1.0, dtype='float16', seed=1)", 0.5, 1 / 12, 1.8),
        ("random.normal(s, dtype='bfloat16', seed=1)", 0.0, 1.0, 3.0),
    )  # fmt: skip
    for draw, mean, variance, kurtosis in draws:
        margins = (7 * (variance / n) ** 0.5, 7 * variance * ((kurtosis - 1) / n) ** 0.5)
        if "float16" in draw:
            margins = tuple(m + 0.01 for m in margins)
        add("within(moments_of(lambda s: ops.cast({0}, 'float32'), 20000), ({1:.8g}, {2:.8g}), ({3:.5g}, {4:.5g})) ==> [True, True]".format(
            draw, mean, variance, *margins), symbolic=False, eager=True, family="random")  # fmt: skip
    for draw, low, high in (
        ("uniform((5000,), -1.0, 2.0, seed=2)", -1.0, 2.0), ("randint((5000,), 3, 7, seed=2)", 3, 6), ("truncated_normal((5000,), 0.0, 1.0, seed=2)", -2.0, 2.0),
    ):  # fmt: skip
        add(
            "[bool(ops.min(random.{0}) >= {1}), bool(ops.max(random.{0}) <= {2})] ==> [True, True]".format(
                draw, low, high
            ),
            symbolic=False,
            eager=True,
            family="random",
        )


CALLS = (
    "normal((3, 4), seed={0})", "uniform((3, 4), seed={0})", "randint((3, 4), 0, 9, seed={0})", "truncated_normal((3, 4), seed={0})", "gamma((3, 4), 2.0, seed={0})",
    "beta((3, 4), 2.0, 2.0, seed={0})", "binomial((3, 4), 9.0, 0.5, seed={0})", "dropout(ops.ones((3, 4)), 0.5, seed={0})", "shuffle(ops.arange(12), seed={0})",
    "categorical(ops.zeros((3, 4)), 5, seed={0})",
)  # fmt: skip


def _repeat(add):
    for call in CALLS:
        same, other = call.format(7), call.format(8)
        add("random.{0} - random.{0} ==> {1}".format(same, "np.zeros((3, 5))" if "categorical" in call else "np.zeros(12)" if "shuffle" in call else "np.zeros((3, 4))"),
            symbolic=False, family="random")  # fmt: skip
        if "dropout" not in call and "randint" not in call and "categorical" not in call:
            add(
                "bool(ops.all(random.%s == random.%s)) ==> False" % (same, other),
                symbolic=False,
                eager=True,
                family="random",
            )
    add(
        """
        ops.sort(random.shuffle(ops.arange(12), seed=1)) ==> np.arange(12)
        ops.sum(random.shuffle(ops.reshape(ops.arange(12), (3, 4)), axis=1, seed=1), axis=1) ==> np.arange(12).reshape(3, 4).sum(1)
        ops.sort(ops.sum(random.shuffle(ops.reshape(ops.arange(12), (3, 4)), seed=1), axis=1)) ==> np.arange(12).reshape(3, 4).sum(1)
        random.dropout(ops.ones((3, 4)), 0.0, seed=1) ==> np.ones((3, 4))
        ops.max(random.dropout(ops.ones((50, 4)), 0.5, seed=1)) ==> 2.0
        ops.std(random.dropout(ops.ones((5, 40)), 0.5, noise_shape=(5, 1), seed=1), axis=1) ==> np.zeros(5)
        """,
        symbolic=False, family="random",
    )  # fmt: skip
    add(
        """
        ops.shape(random.normal((2, 0, 3), seed=1)) ==> [2, 0, 3]
        ops.shape(random.categorical(ops.zeros((3, 4)), 2, seed=1)) ==> [3, 2]
        ops.shape(random.uniform((), seed=1)) ==> []
        backend.standardize_dtype(random.normal((2,), seed=1).dtype) == "float32" ==> True
        backend.standardize_dtype(random.randint((2,), 0, 5, seed=1).dtype) == "int32" ==> True
        backend.standardize_dtype(random.categorical(ops.zeros((3, 4)), 2, seed=1).dtype) == "int32" ==> True
        backend.standardize_dtype(random.uniform((2,), dtype="float16", seed=1).dtype) == "float16" ==> True
        backend.standardize_dtype(random.dropout(ops.ones((3,), "float16"), 0.5, seed=1).dtype) == "float16" ==> True
        bool(ops.all(random.categorical(ops.convert_to_tensor([[0.0, -1e9, -1e9]]), 50, seed=1) == 0)) ==> True
        """,
        symbolic=False, eager=True, family="random",
    )  # fmt: skip


def _layers(add):
    inputs = {
        "x": "np.ones((40, 60), 'float32')",
        "z": "normal(40, 60)",
        "i": "uniform(2, 6, 6, 3, high=255)",
        "y": "np.ones((20, 30, 8), 'float32')",
    }
    add(
        """
        within([ops.convert_to_numpy(layers.Dropout(0.5, seed=1)(x, training=True)).mean()], [1.0], [0.15]) ==> [True]
        within([ops.convert_to_numpy(layers.GaussianNoise(0.5, seed=1)(x, training=True)).std()], [0.5], [0.06]) ==> [True]
        within([ops.convert_to_numpy(layers.GaussianDropout(0.5, seed=1)(x, training=True)).std()], [1.0], [0.12]) ==> [True]
        within([ops.convert_to_numpy(layers.AlphaDropout(0.3, seed=1)(z, training=True)).mean()], [0.0], [0.15]) ==> [True]
        within([ops.convert_to_numpy(layers.AlphaDropout(0.3, seed=1)(z, training=True)).std()], [1.0], [0.15]) ==> [True]
        """,
        inputs, symbolic=False, eager=True, tol=20000.0, family="random",
    )  # fmt: skip
    add(
        """
        ops.max(apply(layers.Dropout(0.5, seed=1), x, training=True)) ==> 2.0
        ops.max(ops.std(apply(layers.SpatialDropout1D(0.5, seed=1), y, training=True), axis=1)) ==> 0.0
        apply(layers.RandomFlip("horizontal", seed=1), i, training=False) ==> i
        apply(layers.RandomRotation(0.0, seed=1), i, training=True) ==> i
        apply(layers.RandomTranslation(0.0, 0.0, seed=1), i, training=True) ==> i
        apply(layers.RandomZoom(0.0, seed=1), i, training=True) ==> i
        apply(layers.RandomContrast(0.0, seed=1), i, training=True) ==> i
        apply(layers.RandomBrightness(0.0, seed=1), i, training=True) ==> i
        ops.sort(ops.reshape(apply(layers.RandomFlip("horizontal_and_vertical", seed=1), i, training=True), (2, 36, 3)), axis=1) ==> np.sort(i.reshape(2, 36, 3), axis=1)
        """,
        inputs, symbolic=False, tol=20000.0, family="random",
    )  # fmt: skip
