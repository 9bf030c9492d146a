"""Generates functions of several arrays whose types differ.

A call gives the type that a symbolic call promises, whichever of the two comes first.
"""

from __future__ import annotations

TYPES = (
    ("float16", "bfloat16"),
    ("bfloat16", "float16"),
    ("float16", "float32"),
    ("float32", "bfloat16"),
    ("int32", "float16"),
    ("float32", "int32"),
    ("bool", "float32"),
    ("int8", "int32"),
)
"""Pairs of types: of the first array, and of all others."""

CALLS = (
    *("ops.%s({a}, {b})" % name for name in (
        "matmul", "dot", "inner", "outer", "tensordot", "kron", "isclose", "allclose", "array_equal", "nextafter", "logaddexp2",
        "true_divide", "fmod", "fmax", "fmin", "remainder", "heaviside", "gcd", "lcm", "bitwise_and", "left_shift", "not_equal",
        "greater_equal", "logical_xor", "append", "union1d", "cosine_similarity", "polar", "binary_crossentropy", "categorical_crossentropy",
    )),
    "ops.einsum('ij,jk->ik', {a}, {b})", "ops.vdot({a}[0], {b}[0])", "ops.digitize({a}, {b}[0])", "ops.vstack([{a}, {b}])", "ops.hstack([{a}, {b}])", "ops.where({a}, {b}, {b})", "ops.where(True, {a}, {b})",
    "ops.clip({a}, {b}, {b})", "ops.average({a}, weights={b})", "ops.moments({a}, [0])[0]", "ops.normalize({a})", "ops.linspace({a}, {b}, 3)",
    "ops.full_like({a}, 2.5)", "ops.take_along_axis({b}, ops.zeros((2, 2), 'int32'), 1)", "ops.slice_update({a}, (0, 0), {b})",
    "ops.scatter_update({a}, np.array([[0, 0], [1, 1]]), {b}[0])", "ops.batch_normalization({a}, {b}[0], {b}[1], -1)",
    "ops.rms_normalization({a}, {b}[0])", "ops.layer_normalization({a}, {b}[0], {b}[1])", "ops.select([{a} > 0], [{b}], {a})", "ops.interp({a}, {b}[0], {b}[1])",
    "ops.searchsorted({a}[0], {b})", "ops.quantile({a}, {b}[0])", "ops.trapezoid({a}, {b})", "ops.convert_to_tensor({a}, dtype='float32')",
    "ops.add({a}, 1)", "ops.add({a}, 1.5)", "ops.multiply(2.5, {a})", "ops.power({a}, 2.0)", "ops.maximum({a}, 0)", "ops.divide({a}, 2)", "ops.mod({a}, 2.0)",
    "ops.floor_divide({a}, 2)", "ops.sum({a}, axis=0)", "ops.prod({a})", "ops.mean({a})", "ops.var({a})", "ops.cumsum({a})", "ops.logsumexp({a})",
    "ops.round({a}, 1)", "ops.sign({a})", "ops.rsqrt({a})", "ops.erfinv({a})", "ops.linalg.norm({a})", "ops.max({a}, initial=0)", "ops.median({a})",
    "ops.std({a}, axis=1)", "ops.bincount(ops.cast({a}[0], 'int32'), weights={b}[0], minlength=2)", "ops.sparse_sigmoid({a})", "ops.segment_sum({a}, np.array([0, 1]))",
    "ops.top_k({a}, 1)[0]", "ops.argmax({a})", "ops.count_nonzero({a})", "ops.one_hot(ops.cast({a}[0], 'int32'), 2, dtype={b}.dtype)",
    "ops.arange(2, dtype={a}.dtype)", "ops.eye(2, dtype={a}.dtype)", "ops.cast({a}, {b}.dtype)",
)  # fmt: skip
"""Calls of two arrays of 2 x 2."""

IMAGES = (
    "ops.max_pool({a}, 2)", "ops.average_pool({a}, 2)", "ops.dot_product_attention({a}, {b}, {b})", "ops.image.resize({a}, (2, 2))",
    "ops.image.rgb_to_grayscale(ops.concatenate([{a}, {a}[..., :1]], axis=-1))", "ops.image.map_coordinates({a}[0, 0], {b}[0, 0], 1)",
)  # fmt: skip
"""Calls of two arrays of 2 x 2 x 2 x 2."""


def add(add):
    """Adds the cases."""
    options = {"symbolic": False, "eager": True, "family": "mixtures"}
    for calls, shape in ((CALLS, "2, 2"), (IMAGES, "2, 2, 2, 2")):
        for call in calls:
            for first, second in TYPES if "{b}" in call else [(a, a) for a in dict.fromkeys(a for a, _ in TYPES)]:
                eager = call.format(**{n: "ops.ones((%s), %r)" % (shape, t) for n, t in (("a", first), ("b", second))})
                promised = call.format(
                    **{n: "symbol(%s, dtype=%r)" % (shape, t) for n, t in (("a", first), ("b", second))}
                )
                add("kind_of(%s) == kind_of(%s) ==> True" % (eager, promised), **options)
