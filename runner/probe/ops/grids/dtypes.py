"""Generates cases of float64, mixed types, integers and booleans.

float64 is tried where the backend has it. Mixed types are promoted.
"""

from __future__ import annotations

import itertools

TYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32")

FLOATING = (
    "exp expm1 exp2 log log1p log2 log10 sqrt rsqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh reciprocal "
    "mean var std median average nanmean deg2rad rad2deg cbrt sinc logsumexp erf sigmoid softmax silu gelu"
)  # fmt: skip
KEEPING = (
    "abs negative sign square sort max min flip ravel transpose squeeze copy roll relu ceil floor round clip trunc cumsum cumprod sum prod "
    "amax amin diagonal tril triu ones_like zeros_like nan_to_num expand_dims"
)  # fmt: skip
INDICES = "argmax argmin argsort count_nonzero"
LOGICAL = "isnan isinf isfinite logical_not any all isposinf isneginf signbit"
PAIRS = "add multiply maximum minimum where concatenate subtract power mod floor_divide divide arctan2 logaddexp equal less logical_and stack hypot"


def add(add):
    """Adds the cases."""
    _double(add)
    _promotion(add)
    _unary(add)


def _double(add):
    inputs = {"x": "normal(3, 4).astype('float64')", "p": "uniform(3, 4, low=0.1).astype('float64')", "w": "normal(4, 2).astype('float64')",
              "i": "normal(1, 5, 5, 2).astype('float64')", "k": "normal(3, 3, 2, 2).astype('float64')", "y": "normal(3, 4, seed=1).astype('float64')"}  # fmt: skip
    names = "exp log1p tanh sigmoid softmax gelu silu softplus erf sin arctan mean var std cumsum logsumexp median sort square mish"
    for name in names.split():
        on = "p" if name == "log1p" else "x"
        add(
            "ops.%s(%s)" % (name, on),
            inputs,
            dtypes=("float64",),
            symbolic=False,
            slack="x" if name == "gelu" else None,
            family="float64",
        )
    add(
        """
        ops.matmul(x, w)
        ops.add(x, y)
        ops.logaddexp(x, y)
        ops.conv(i, k, padding="same")
        ops.average_pool(i, 2)
        ops.einsum("ij,jk->ik", x, w)
        ops.linalg.norm(x, axis=1) ==> ref.norm(x, axis=1)
        ops.linspace(0.0, 1.0, 7, dtype="float64")
        ops.power(p, y)
        ops.normalize(x)
        ops.quantile(x, 0.3, axis=1)
        ops.average(x, axis=1)
        ops.rsqrt(p)
        ops.moments(x, [0])
        losses.mean_squared_error(x, y) ==> ref.mean_squared_error(x, y)
        """,
        inputs, dtypes=("float64",), symbolic=False, family="float64",
    )  # fmt: skip


def _both(add, call, expected, name):
    for kind in ("dtype_of", "promised_dtype_of"):
        add("%s(%s) ==> %r" % (kind, call, expected), eager=True, symbolic=False, family="dtypes", op="ops." + name)


def _promotion(add):
    calls = {
        "where": "lambda x, y: ops.where(ops.ones((2, 2), 'bool'), x, y)",
        "concatenate": "lambda x, y: ops.concatenate([x, y])",
        "stack": "lambda x, y: ops.stack([x, y])",
    }
    for name in PAIRS.split():
        for a, b in itertools.combinations_with_replacement(TYPES, 2):
            if "bool" in (a, b) and name in (
                "subtract",
                "power",
                "mod",
                "floor_divide",
                "maximum",
                "minimum",
                "arctan2",
                "logaddexp",
                "hypot",
            ):
                continue
            common = promoted(a, b)
            if name in ("equal", "less", "logical_and"):
                common = "bool"
            elif name in ("divide", "arctan2", "logaddexp", "hypot") and "float" not in common:
                common = "float32"
            call = calls.get(name, "ops.%s" % name)
            _both(add, "%s, %r, %r" % (call, a, b), common.replace("64", "32"), name)


def _unary(add):
    calls = {
        "clip": "lambda x: ops.clip(x, 0, 1)",
        "expand_dims": "lambda x: ops.expand_dims(x, 0)",
        "roll": "lambda x: ops.roll(x, 1)",
    }
    for names, rule in (
        (FLOATING, _floating),
        (KEEPING, _keeping),
        (INDICES, lambda *_: "int32"),
        (LOGICAL, lambda *_: "bool"),
    ):
        for name, dtype in itertools.product(names.split(), TYPES):
            expected = rule(name, dtype)
            if expected:
                _both(add, "%s, %r" % (calls.get(name, "ops.%s" % name), dtype), expected.replace("64", "32"), name)


def _floating(name, dtype):
    """Integers become Keras's float type."""
    undefined = ("erf", "sigmoid", "softmax", "silu", "gelu", "logsumexp", "rsqrt", "reciprocal", "cbrt", "sinc")
    if name in undefined and "float" not in dtype:
        return None
    return dtype if "float" in dtype else "float32"


def _keeping(name, dtype):
    """Returns the same type, except for sums of small integers.

    Sums of small integers widen, as in JAX.
    """
    if dtype == "bool" and name in (
        "abs",
        "negative",
        "sign",
        "square",
        "relu",
        "ceil",
        "floor",
        "round",
        "clip",
        "trunc",
        "roll",
        "cumsum",
        "cumprod",
        "nan_to_num",
        "sort",
        "max",
        "min",
    ):
        return None
    if name in ("ceil", "floor", "round", "relu") and "float" not in dtype:
        return None
    if name in ("sum", "prod") and dtype in ("bool", "int8", "uint8"):
        return None if dtype == "uint8" else "int32"
    return dtype


def promoted(a, b):
    """JAX's promotion of two arrays, which Keras documents as its own."""
    if a == b or a == "bool":
        return b
    if b == "bool":
        return a
    if "float" in a and "float" in b:
        return "float32"
    if "float" in a or "float" in b:
        return a if "float" in a else b
    order = ("int8", "int16", "int32", "int64")
    if "uint8" in (a, b):
        other = b if a == "uint8" else a
        return order[max(order.index(other), 1)]
    return order[max(order.index(a), order.index(b))]
