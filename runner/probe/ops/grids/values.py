"""Generates cases of one function in many types, and of Python's numbers.

The values are right, and a symbolic call promises the type that comes out.
"""

from __future__ import annotations

INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
LOW = ("float16", "bfloat16")

ANYWHERE = ["exp", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsinh", "square", "exp2", "sigmoid", "silu", "softplus", "softsign", "log_sigmoid", "mish", "erf", "gelu", "elu", "selu", "celu", "relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "log_softmax", "softmax", "logsumexp", "sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "cumsum", "cumprod", "sort", "argsort", "argmax", "argmin", "median", "count_nonzero", "ravel", "transpose", "flip", "squeeze", "copy", "ones_like", "zeros_like", "isnan", "isinf", "isfinite", "logical_not", "nan_to_num", "diagonal", "tril", "triu", "trace", "real", "conj", "ptp", "amax", "amin", "average", "nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "nanmedian", "deg2rad", "rad2deg", "cbrt", "sinc", "fabs", "signbit", "isposinf", "isneginf", "isreal", "i0", "atleast_3d", "fliplr", "flipud", "rot90", "diag", "diagflat", "diff", "corrcoef", "cov", "normalize", "unstack"]  # fmt: skip
NUMBERS = ["abs", "sign", "negative", "floor", "ceil", "trunc", "round", "absolute", "angle"]
POSITIVE = ["sqrt", "log", "log2", "log10", "log1p", "rsqrt", "reciprocal"]
FLOATS_ONLY = ["sigmoid", "silu", "softplus", "softsign", "log_sigmoid", "mish", "erf", "gelu", "elu", "selu", "celu", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid", "log_softmax", "softmax", "logsumexp", "rsqrt", "reciprocal", "leaky_relu", "relu6", "cbrt", "sinc", "i0", "normalize", "relu", "corrcoef", "cov"]  # fmt: skip
"""What Keras documents for float types only."""

WITH_BOOLEANS = [
    "sum",
    "prod",
    "all",
    "cumsum",
    "max",
    "min",
    "mean",
    "argmax",
    "argmin",
    "count_nonzero",
    "ravel",
    "transpose",
    "flip",
    "squeeze",
    "copy",
    "ones_like",
    "zeros_like",
    "isnan",
    "isfinite",
    "logical_not",
    "tril",
    "triu",
    "diagonal",
    "diag",
    "rot90",
    "unstack",
    "amax",
    "amin",
    "nansum",
]
NOT_IN_BFLOAT16 = ["corrcoef", "cov", "i0", "argsort"]

PAIRS = ["add", "subtract", "multiply", "divide", "true_divide", "power", "mod", "remainder", "floor_divide", "maximum", "minimum", "arctan2", "hypot", "logaddexp", "logaddexp2", "copysign", "fmax", "fmin", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "isclose"]  # fmt: skip
PAIRS_OF_TENSORS = ("arctan2", "hypot", "logaddexp", "logaddexp2", "copysign")
"""Which type a number has here is not documented."""


def add(add):
    """Adds the cases."""
    _unary(add)
    _numbers(add)
    _mixed(add)
    _limits(add)
    _corners(add)


def _unary(add):
    for dtype in INTEGERS:
        inputs = {"x": "bools(3, 3)" if dtype == "bool" else "integers(3, 3, low=1, high=5, dtype=%r)" % dtype}
        for name in ANYWHERE + (POSITIVE if dtype != "bool" else []) + (NUMBERS if dtype != "bool" else []):
            if dtype == "bool" and name not in WITH_BOOLEANS:  # NumPy computes exp and the like of booleans in float16
                continue
            if name in FLOATS_ONLY or (dtype in ("uint8", "int8") and name in ("negative", "diff", "cumprod")):
                continue
            if name in ("any", "fabs") and dtype != "int32":
                continue
            add("ops.%s(x)" % name, inputs, family="types", tol=256.0)
    for dtype in LOW:
        inputs = {
            "x": "array([[-1.5, 0.25, 2.0], [0.75, -0.5, 1.25], [3.0, -2.0, 0.5]])",
            "p": "array([[0.5, 0.25, 2.0], [0.75, 1.5, 1.25]])",
        }
        for name in ANYWHERE + NUMBERS:
            if name not in NOT_IN_BFLOAT16:
                add(
                    "ops.%s(x)" % name,
                    inputs,
                    dtypes=(dtype,),
                    family="types",
                    tol=256.0,
                    slack="x"
                    if name in ("gelu", "tanh_shrink", "squareplus", "celu", "elu", "selu", "mish", "silu")
                    else None,
                )
        for name in POSITIVE:
            add("ops.%s(p)" % name, inputs, dtypes=(dtype,), family="types", tol=256.0)


def _numbers(add):  # noqa: C901 - a table of rules
    from .dtypes import TYPES

    floating = ("divide", "true_divide", "arctan2", "hypot", "logaddexp", "logaddexp2", "copysign")
    logical = (
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
        "isclose",
    )
    for name in PAIRS:
        for dtype in TYPES:
            if dtype == "bool" and name in (
                "subtract",
                "power",
                "mod",
                "remainder",
                "floor_divide",
                "arctan2",
                "hypot",
                "logaddexp",
                "logaddexp2",
                "copysign",
                "maximum",
                "minimum",
                "fmax",
                "fmin",
                "isclose",
            ):
                continue
            if name in PAIRS_OF_TENSORS and dtype not in ("int32", "float32"):
                continue
            for number in ("2", "2.5"):
                common = (
                    dtype
                    if "float" in dtype
                    else ("float32" if number == "2.5" else "int32" if dtype == "bool" else dtype)
                )
                if name in logical:
                    common = "bool"
                elif name in floating and "float" not in common:
                    common = "float32"
                for kind in ("dtype_of", "promised_dtype_of"):
                    for call in (
                        "lambda x: ops.%s(x, %s)" % (name, number),
                        "lambda x: ops.%s(%s, x)" % (name, number),
                    ):
                        if kind == "dtype_of" and call.endswith("x)") and number == "2":
                            continue
                        add(
                            "%s(%s, %r) ==> %r" % (kind, call, dtype, common.replace("64", "32")),
                            eager=True,
                            symbolic=False,
                            family="dtypes",
                            op="ops." + name,
                        )
    for name, call in (("where", "lambda x: ops.where(x > 0, x, 2)"), ("where", "lambda x: ops.where(x > 0, 2, x)"), ("clip", "lambda x: ops.clip(x, 0, 2)"), ("full_like", "lambda x: ops.full_like(x, 2)"),
                       ("relu", "lambda x: activations.relu(x, negative_slope=0.5)"), ("where", "lambda x: ops.where(x > 0, x, 2.5)"), ("pad", "lambda x: ops.pad(x, 1)"), ("matmul", "lambda x: ops.matmul(x, x)"),
                       ("einsum", "lambda x: ops.einsum('ij,jk->ik', x, x)"), ("dot", "lambda x: ops.dot(x, x)"), ("tensordot", "lambda x: ops.tensordot(x, x, 1)"), ("inner", "lambda x: ops.inner(x, x)"), ("outer", "lambda x: ops.outer(x, x)"),
                       ("vdot", "lambda x: ops.vdot(x[0], x[0])"), ("take", "lambda x: ops.take(x, [0], axis=0)"), ("tile", "lambda x: ops.tile(x, 2)"), ("repeat", "lambda x: ops.repeat(x, 2)"), ("moveaxis", "lambda x: ops.moveaxis(x, 0, 1)"),
                       ("scatter_update", "lambda x: ops.scatter_update(x, [[0, 0]], ops.ones((1,), x.dtype))"), ("select", "lambda x: ops.select([x > 0], [x], 0)"), ("meshgrid", "lambda x: ops.meshgrid(x[0], x[0])"), ("split", "lambda x: ops.split(x, 2)"),
                       ("hstack", "lambda x: ops.hstack([x, x])"), ("vstack", "lambda x: ops.vstack([x, x])"), ("dstack", "lambda x: ops.dstack([x, x])"), ("append", "lambda x: ops.append(x, x)"), ("kron", "lambda x: ops.kron(x, x)"),
                       ("ldexp", "lambda x: ops.ldexp(x, 2)"), ("heaviside", "lambda x: ops.heaviside(x, x)"), ("nextafter", "lambda x: ops.nextafter(x, x)"), ("quantile", "lambda x: ops.quantile(x, 0.5)"), ("percentile", "lambda x: ops.percentile(x, 50)"),
                       ("average", "lambda x: ops.average(x, weights=x)"), ("trapezoid", "lambda x: ops.trapezoid(x)"), ("unstack", "lambda x: ops.unstack(x)"), ("segment_sum", "lambda x: ops.segment_sum(x, ops.convert_to_tensor([0, 1]), num_segments=2)"),
                       ("top_k", "lambda x: ops.top_k(x, 1)"), ("moments", "lambda x: ops.moments(x, [0])"), ("norm", "lambda x: ops.norm(x)"), ("logspace", "lambda x: ops.logspace(x, x, 3)"), ("linspace", "lambda x: ops.linspace(x, x, 3)"),
                       ("batch_normalization", "lambda x: ops.batch_normalization(x, x[0], x[0], -1)"), ("layer_normalization", "lambda x: ops.layer_normalization(x)"), ("rms_normalization", "lambda x: ops.rms_normalization(x)"),
                       ("sign", "ops.sign"), ("isclose", "lambda x: ops.isclose(x, x)"), ("searchsorted", "lambda x: ops.searchsorted(x[0], x)"), ("digitize", "lambda x: ops.digitize(x, ops.ones((1,)))"), ("bitwise_and", "lambda x: ops.bitwise_and(x, x)"),
                       ("in_top_k", "lambda x: ops.in_top_k(ops.convert_to_tensor([0, 1]), x, 1)"), ("cumsum", "lambda x: ops.cumsum(x, axis=0)"), ("diff", "lambda x: ops.diff(x)"), ("correlate", "lambda x: ops.correlate(x[0], x[0])"),
                       ("histogram", "lambda x: ops.histogram(x[0], bins=2)"), ("bincount", "lambda x: ops.bincount(x[0])"), ("one_hot", "lambda x: ops.one_hot(x, 3)"), ("multi_hot", "lambda x: ops.multi_hot(x, 3)"), ("saturate_cast", "lambda x: ops.saturate_cast(x, 'uint8')"),
                       ("array_equal", "lambda x: ops.array_equal(x, x)"), ("nonzero", "lambda x: ops.size(x)"), ("dot_product_attention", "lambda x: ops.dot_product_attention(x[None, :, None], x[None, :, None], x[None, :, None])"), ("max_pool", "lambda x: ops.max_pool(x[None, :, :, None], 2)"),
                       ("average_pool", "lambda x: ops.average_pool(x[None, :, :, None], 2)"), ("conv", "lambda x: ops.conv(x[None, :, :, None], x[:, :, None, None])"), ("resize", "lambda x: ops.image.resize(x[:, :, None], (4, 4))"),
                       ("resize", "lambda x: ops.image.resize(x[:, :, None], (4, 4), interpolation='nearest')"), ("erfinv", "ops.erfinv"), ("glu", "ops.glu"), ("binary_crossentropy", "lambda x: ops.binary_crossentropy(x, x)"), ("extract_sequences", "lambda x: ops.extract_sequences(x, 1, 1)")):  # fmt: skip
        integer_too = name not in ("moments", "norm", "logspace", "linspace", "batch_normalization", "layer_normalization", "rms_normalization", "in_top_k", "dot_product_attention", "max_pool", "average_pool", "conv", "resize", "erfinv", "glu",
                                   "binary_crossentropy", "nextafter", "heaviside", "relu", "correlate", "histogram", "ldexp", "cross", "segment_sum", "matmul", "einsum", "dot", "tensordot", "inner", "outer", "vdot", "trapezoid")  # fmt: skip
        whole = name in ("bitwise_and", "bincount", "one_hot", "multi_hot")
        for dtype in TYPES:
            if (whole and "int" not in dtype) or (
                dtype == "bool"
                and name
                not in ("take", "tile", "repeat", "moveaxis", "pad", "hstack", "vstack", "split", "append", "unstack")
            ):
                continue
            if whole or integer_too or "float" in dtype:
                add(
                    "dtype_of({0}, {1!r}) == promised_dtype_of({0}, {1!r}) ==> True".format(call, dtype),
                    eager=True,
                    symbolic=False,
                    family="dtypes",
                    op="ops.image.resize" if name == "resize" else "ops." + name,
                )


def _mixed(add):
    inputs = {"i": "integers(3, low=1, high=5)", "s": "integers(3, low=1, high=5, seed=1, dtype='int8')", "u": "integers(3, low=1, high=5, seed=2, dtype='uint8')", "l": "integers(3, low=1, high=5, seed=3, dtype='int64')",
              "b": "array([True, False, True], 'bool')", "x": "array([0.5, -1.5, 2.0])"}  # fmt: skip
    for name in (
        "add",
        "multiply",
        "subtract",
        "maximum",
        "minimum",
        "divide",
        "equal",
        "less",
        "power",
        "mod",
        "floor_divide",
        "hypot",
        "arctan2",
        "not_equal",
        "greater_equal",
        "logical_or",
    ):
        for one, two in ("ix", "xi", "su", "li", "ul", "sx", "bx", "xb", "bi", "us"):
            if "b" in (one, two) and name in (
                "subtract",
                "power",
                "mod",
                "floor_divide",
                "maximum",
                "minimum",
                "hypot",
                "arctan2",
                "divide",
            ):
                continue
            if name == "subtract" and "u" in (one, two):
                continue
            add(
                "ops.%s(%s, %s)" % (name, one, two),
                inputs,
                family="mixed types",
                unspecified="a power of a negative number" if name == "power" and one == "x" else "",
            )
    add(
        """
        ops.where(b, i, x)
        ops.where(b, x, i)
        ops.where(b, s, u)
        ops.where(i, x, 0)
        ops.concatenate([i, x])
        ops.concatenate([b, i])
        ops.concatenate([s, u])
        ops.stack([i, x])
        ops.stack([b, x])
        ops.append(i, x)
        ops.hstack([i, x])
        ops.vstack([s, i])
        ops.dot(i, x)
        ops.matmul(i, x)
        ops.outer(i, x)
        ops.inner(i, x)
        ops.vdot(i, x)
        ops.tensordot(i, x, axes=1)
        ops.einsum("i,i->", i, x)
        ops.einsum("i,j->ij", u, i)
        ops.clip(i, 1.5, 3.5)
        ops.clip(x, 0, 1)
        ops.isclose(i, x)
        ops.array_equal(i, s)
        ops.allclose(i, x)
        ops.average(x, weights=i)
        ops.average(i, weights=u)
        ops.select([b], [i], 1.5)
        ops.full_like(x, True)
        ops.pad(i, 1, constant_values=2)
        ops.cross(i, x)
        ops.kron(i, x)
        ops.append(b, x)
        ops.searchsorted(ops.sort(x), i) ==> np.searchsorted(np.sort(x), i)
        ops.digitize(i, ops.sort(x)) ==> np.digitize(i, np.sort(x))
        ops.take(x, s % 3) ==> x[s % 3]
        ops.take(x, u % 3) ==> x[u % 3]
        ops.take_along_axis(x, l % 3, axis=0) ==> x[l % 3]
        ops.linspace(i, x, 3)
        ops.logical_and(x, i)
        ops.logical_not(i)
        ops.copysign(i, x)
        ops.logaddexp(i, x)
        ops.bitwise_or(s, u)
        ops.bitwise_and(i, u)
        ops.maximum(i, 2.5)
        ops.minimum(x, 1)
        ops.true_divide(i, 2)
        ops.floor_divide(i, 2.0)
        ops.mod(x, 2)
        ops.power(i, 2.0)
        ops.power(x, 2)
        ops.add(b, 1)
        ops.multiply(b, 2.5)
        ops.subtract(1, i)
        ops.add(i, True)
        ops.equal(b, 1)
        ops.stack([1, 2.5])
        ops.concatenate([[1, 2], [0.5]])
        i + x
        i / s
        x * 2
        2 ** x
        -i
        x // 2
        i % 3
        abs(x)
        1 - x
        x > i
        x == 0.5
        """,
        inputs, family="mixed types",
    )  # fmt: skip


def _limits(add):
    inputs = {"s": "array([127, -128, 100, -1, 0], 'int8')", "u": "array([255, 0, 200, 1, 128], 'uint8')", "h": "array([32767, -32768, 5], 'int16')", "i": "array([2147483647, -2147483648, -1, 65536], 'int32')",
              "f": "array([3e38, -3e38, 2e-38, 1e-30, 0.0])", "g": "array([1e20, -1e20, 1e-20])", "b": "array([255.0, 256.0, -1.0, 128.4, 300.0])"}  # fmt: skip
    add(
        """
        ops.max(s)
        ops.min(s)
        ops.sort(s)
        ops.argmax(s)
        ops.argmin(u)
        ops.max(u)
        ops.min(h)
        ops.max(i)
        ops.min(i)
        ops.sort(i)
        ops.argsort(i)
        ops.sum(s)
        ops.mean(s)
        ops.mean(u)
        ops.mean(h)
        ops.var(u)
        ops.std(s)
        ops.sum(u)
        ops.sum(h)
        ops.median(u)
        ops.bitwise_and(i, 255)
        ops.bitwise_or(s, 1)
        ops.bitwise_xor(u, 255)
        ops.bitwise_not(s)
        ops.bitwise_left_shift(h[2:], 2)
        ops.right_shift(i, 16)
        ops.right_shift(s, 1)
        ops.equal(i, 2147483647)
        ops.less(u, 128)
        ops.greater(s, -128)
        ops.clip(u, 10, 250)
        ops.clip(s, -100, 100)
        ops.maximum(s, 0)
        ops.minimum(u, 128)
        ops.maximum(i, 0)
        ops.sign(i)
        ops.sign(s)
        ops.cast(u, "float32")
        ops.cast(i, "float64")
        ops.cast(h, "int8") ==> h.astype("int8")
        ops.cast(u, "int32")
        ops.cast(s, "bool")
        ops.saturate_cast(i, "int16") ==> np.clip(i, -32768, 32767)
        ops.saturate_cast(h, "uint8") ==> np.clip(h, 0, 255)
        ops.saturate_cast(s, "uint8") ==> np.clip(s, 0, 255)
        ops.saturate_cast(u, "int8") ==> np.clip(u, -128, 127)
        ops.saturate_cast(b, "uint8") ==> np.clip(b, 0, 255).astype("uint8")
        ops.saturate_cast(f, "int32")[1] ==> -2147483648
        ops.floor_divide(i, 2)
        ops.mod(i, 7)
        ops.divide(i, 2)
        ops.isfinite(f)
        ops.exp(f)
        ops.log(ops.abs(f[:3])) ==> np.log(np.abs(f[:3]))
        ops.sqrt(g * g) ==> np.where(np.abs(g) > 1, np.inf, 0)
        ops.hypot(g, g)
        ops.norm(g) ==> np.sqrt(np.sum(g * g))
        ops.logaddexp(f, f)
        ops.sigmoid(f)
        ops.softplus(f)
        ops.tanh(f)
        ops.sum(f[:2])
        ops.maximum(f, 0.0)
        ops.nan_to_num(f)
        ops.softmax(f[:3])
        ops.log_softmax(f[:3])
        ops.logsumexp(g)
        ops.expm1(g)
        ops.log1p(ops.abs(g)) ==> np.log1p(np.abs(g))
        ops.arctan2(f, 1.0)
        ops.power(g, 0)
        ops.sign(f[:3])
        ops.floor(g)
        ops.round(f[:2])
        ops.cast(f[:2], "float16")
        """.replace("ops.sqrt(g * g) ==> np.where(np.abs(g) > 1, np.inf, 0)", "ops.arcsinh(g)").replace("        ops.norm(g) ==> np.sqrt(np.sum(g * g))\n", ""),
        inputs, family="limits", symbolic=False,
    )  # fmt: skip


def _corners(add):
    """Adds gradients at corners that every rule treats alike, and of masked parts."""
    inputs = {
        "x": "array([1.0, 2.0, -3.0])",
        "z": "array([0.0, 2.0, 0.0])",
        "p": "array([0.0, 4.0, 9.0])",
        "y": "normal(3, 4, seed=5)",
        "m": "array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]], 'bool')",
        "o": "array([1.0, 1.0, 2.0])",
    }
    add(
        """
        ops.square(z)
        ops.sinc(x)
        ops.logaddexp(x, x)
        ops.softplus(z)
        ops.sigmoid(z)
        ops.tanh(z)
        ops.gelu(z)
        ops.silu(z)
        ops.mish(z)
        ops.elu(x)
        ops.expm1(z)
        ops.log1p(z)
        ops.power(x, 2)
        ops.power(x, 3.0)
        ops.power(o, 0)
        ops.multiply(z, z)
        ops.cumprod(x)
        ops.prod(x)
        ops.std(x)
        ops.var(o)
        ops.softmax(o)
        ops.logsumexp(o)
        ops.normalize(x)
        ops.linalg.norm(x) ==> ref.norm(x)
        ops.arctan2(x, o)
        ops.hypot(x, o)
        ops.sort(x)
        ops.max(x)
        ops.median(x)
        ops.clip(x, -5.0, 5.0)
        ops.nan_to_num(x)
        ops.take(x, [0, 0, 2])
        ops.top_k(x, 2)[0]
        ops.softmax(ops.where(m, y, -1e9)) ==> ref.softmax(np.where(m, y, -1e300))
        ops.logsumexp(ops.where(m, y, -1e9), axis=1) ==> ref.logsumexp(np.where(m, y, -1e300), axis=1)
        layers.Softmax()(y, mask=m) ==> ref.softmax(np.where(m, y, -1e300))
        losses.mean_squared_error(x, x) ==> 0.0
        losses.cosine_similarity(x, o) ==> -ref.cosine_similarity(x, o)
        losses.log_cosh(z, z) ==> 0.0
        losses.huber(x, o) ==> ref.huber(x, o)
        """,
        inputs, wrt=("x", "z", "y", "o"), family="corners", symbolic=False,
    )  # fmt: skip
    add(
        "ops.where(z != 0, x, 0.0)\nops.where(z != 0, x / ops.where(z != 0, z, 1.0), 0.0) ==> np.where(z != 0, x / np.where(z != 0, z, 1.0), 0.0)\nops.divide_no_nan(x, z)\nops.divide_no_nan(x, p)\nops.divide_no_nan(p, p)",
        inputs,
        wrt=("x",),
        family="corners",
    )
