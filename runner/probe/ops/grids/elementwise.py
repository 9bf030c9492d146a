"""Generates cases of elementwise functions, with gradients.

The arguments are ordinary, tiny, huge and special, in several types.
"""

from __future__ import annotations

CANCELLING = ("gelu", "tanh_shrink", "squareplus")
"""Their usual formulas subtract nearly equal numbers for large negative or small arguments; the error is relative to x."""


WIDE = (
    "exp expm1 sin cos tanh sinh cosh arctan arcsinh square exp2 negative sigmoid silu softplus softsign log_sigmoid "
    "mish erf elu selu celu abs"
)
LOW = "exp expm1 sin cos tanh sigmoid silu softplus softsign log_sigmoid mish erf gelu elu selu arcsinh square"
SPECIAL = (
    "exp expm1 tanh sigmoid softplus abs square isnan isinf isfinite floor ceil round trunc relu erf sqrt log log1p "
    "isposinf isneginf"
)
ACTIVATIONS = (
    "relu relu6 leaky_relu elu selu celu gelu sigmoid log_sigmoid softplus softsign silu mish hard_sigmoid hard_silu "
    "hard_tanh hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid exponential linear tanh"
)
PIECEWISE = "relu relu6 leaky_relu hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink sparse_plus sparse_sigmoid"


def add(add):
    """Adds the cases."""
    _smooth(add)
    _activations(add)
    _exact(add)
    _binary(add)
    _integers(add)


def _smooth(add):
    wide = {"x": "array([-30., -5., -1.5, -0.3, -1e-3, -1e-6, 1e-6, 1e-3, 0.3, 1.5, 5., 30.])"}
    positive = {"x": "array([1e-30, 1e-6, 1e-3, 0.3, 1., 1.5, 5., 30., 1e6, 1e30])"}
    unit = {"x": "array([-0.999, -0.9, -0.3, -1e-3, -1e-6, 1e-6, 1e-3, 0.3, 0.9, 0.999])"}
    options = {"pointwise": True, "wrt": "x"}
    for name in WIDE.split():
        add("ops.%s(x)" % name, wide, **options)
    for name in CANCELLING:
        add("ops.%s(x)" % name, wide, slack="x", **options)
    for name in ("sqrt", "log", "log2", "log10", "log1p", "rsqrt", "reciprocal", "cbrt"):
        add("ops.%s(x)" % name, positive, **options)
    for name in ("arcsin", "arccos", "arctanh", "erfinv", "log1p", "tan", "expm1", "deg2rad", "rad2deg", "sinc"):
        add("ops.%s(x)" % name, unit, **options)
    add("ops.arccosh(x)", {"x": "array([1.001, 1.1, 2., 30., 1e4])"}, **options)
    add("ops.gelu(x, approximate=False)", wide, slack="x", **options)
    add("ops.tan(x)", {"x": "array([-1.5, -1., 0.2, 1.2])"}, **options)
    low = {"x": "array([-3., -1.5, -0.4, 0.3, 0.9, 2.5, 6.])"}
    for name in LOW.split():
        slack = "x" if name in CANCELLING else None
        add("ops.%s(x)" % name, low, pointwise=True, dtypes=("float16", "bfloat16"), slack=slack)
    low_positive = {"x": "array([0.1, 0.5, 1., 1.5, 7., 50.])"}
    for name in ("sqrt", "log", "log2", "log10", "log1p", "rsqrt", "reciprocal"):
        add("ops.%s(x)" % name, low_positive, pointwise=True, dtypes=("float16", "bfloat16"))
    special = {"x": "array([np.nan, np.inf, -np.inf, 0., -0.])"}
    for name in SPECIAL.split():
        add("ops.%s(x)" % name, special)
    add(
        """
        ops.nan_to_num(x)
        ops.nan_to_num(x, nan=1.5, posinf=2.5, neginf=-3.5)
        ops.equal(x, x)
        ops.maximum(x, 1.0)
        ops.minimum(x, 1.0)
        ops.logical_not(x)
        ops.signbit(x)
        ops.where(ops.isnan(x), 0.0, x)
    """,
        special,
    )
    add("ops.sign(x)", special, unspecified="PyTorch's sign of NaN is 0, NumPy's is NaN; Keras documents neither")


def _activations(add):
    wide = {"x": "array([-100., -7., -2.5, -1.2, -0.7, -0.2, 0.2, 0.7, 1.2, 2.5, 3.5, 7., 100.])"}
    for name in ACTIVATIONS.split():
        reference = {"tanh": "np.tanh(x)", "gelu": "ref.gelu(x, False)"}.get(name, "ref.%s(x)" % name)
        slack = "x" if name in CANCELLING else None
        add("activations.%s(x) ==> %s" % (name, reference), wide, wrt="x", pointwise=True, slack=slack, symbolic=False)
    for name in PIECEWISE.split():
        add("ops.%s(x)" % name, wide, wrt="x", pointwise=True)
    add(
        """
        ops.leaky_relu(x, negative_slope=0.3)
        ops.elu(x, alpha=0.5)
        ops.celu(x, alpha=2.0)
        ops.hard_shrink(x, threshold=1.0)
        ops.soft_shrink(x, threshold=1.0)
        ops.threshold(x, 1.0, -3.0)
        activations.relu(x, negative_slope=0.1, max_value=3.0, threshold=1.0) ==> ref.relu(x, 0.1, 3.0, 1.0)
        activations.relu(x, max_value=3.0) ==> ref.relu(x, max_value=3.0)
        activations.relu(x, threshold=1.0) ==> ref.relu(x, threshold=1.0)
        activations.relu(x, negative_slope=0.5) ==> ref.relu(x, 0.5)
        activations.elu(x, alpha=0.3) ==> ref.elu(x, 0.3)
        activations.leaky_relu(x, negative_slope=0.1) ==> ref.leaky_relu(x, 0.1)
    """,
        wide,
        wrt="x",
        pointwise=True,
    )
    add(
        """
        ops.squareplus(x, b=1)
        activations.gelu(x, approximate=True) ==> ref.gelu(x, True)
        activations.gelu(x, approximate=False) ==> ref.gelu(x, False)
        """,
        wide,
        wrt="x",
        pointwise=True,
        slack="x",
    )
    rows = {
        "x": "normal(3, 4, 5)",
        "y": "1000 * normal(3, 4)",
        "m": "array([[1., 2., -np.inf], [0., -np.inf, -np.inf]])",
    }
    for name in ("softmax", "log_softmax", "sparsemax"):
        add(
            """
            ops.{0}(x)
            ops.{0}(x, axis=1)
            ops.{0}(x, axis=0)
            ops.{0}(x, axis=-2)
        """.format(name),
            rows,
            wrt="x",
        )
    for name in ("softmax", "log_softmax", "sparsemax"):
        add("activations.%s(x) ==> ref.%s(x)" % (name, name), rows, wrt="x", symbolic=False)
        add("activations.%s(x, axis=1) ==> ref.%s(x, axis=1)" % (name, name), rows, symbolic=False)
    add(
        """
        ops.softmax(y)
        ops.log_softmax(y)
        ops.softmax(x, axis=(1, 2)) ==> np.exp(x - ref.logsumexp(x, axis=(1, 2), keepdims=True))
        ops.log_softmax(x, axis=(0, 2)) ==> x - ref.logsumexp(x, axis=(0, 2), keepdims=True)
        ops.softmax(x, axis=None) ==> np.exp(x - ref.logsumexp(x))
        ops.log_softmax(x, axis=None) ==> x - ref.logsumexp(x)
    """,
        rows,
        wrt="x",
    )
    add("ops.softmax(m)", rows)
    add(
        "ops.softmax(x)\nops.log_softmax(x)\nops.logsumexp(x, axis=-1)",
        {"x": "normal(3, 5)"},
        dtypes=("float16", "bfloat16"),
    )
    add("ops.glu(x)\nops.glu(x, axis=0)\nactivations.glu(x) ==> ref.glu(x)", {"x": "normal(4, 6)"}, wrt="x")


def _exact(add):
    values = {
        "x": "array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.7, -3.7])",
        "y": "array([-2.345, 1.255, 17.5, -0.05])",
        "i": "integers(5, low=-50, high=50)",
    }
    add(
        """
        ops.round(x)
        ops.floor(x)
        ops.ceil(x)
        ops.trunc(x)
        ops.sign(x)
        ops.abs(x)
        ops.round(y, decimals=1)
        ops.round(y, decimals=-1)
        ops.round(i)
        ops.round(i, decimals=-1)
        ops.clip(x, -1.0, 2.0)
        ops.relu(x)
        ops.heaviside(x, 0.5)
        ops.real(x)
        ops.imag(x)
        ops.conj(x)
        ops.angle(x)
        ops.cast(x, "int32")
        ops.cast(x, "bool")
        ops.saturate_cast(100 * x, "uint8") ==> np.clip(100 * x, 0, 255).astype("uint8")
        ops.saturate_cast(100 * x, "int8") ==> np.clip(100 * x, -128, 127).astype("int8")
    """,
        values,
    )


def _binary(add):
    pair = {
        "x": "normal(3, 4)",
        "y": "normal(3, 4, seed=1)",
        "r": "normal(4, seed=2)",
        "c": "normal(3, 1, seed=3)",
        "p": "uniform(3, 4, low=0.5, high=3)",
    }
    for name in [
        "add",
        "subtract",
        "multiply",
        "divide",
        "true_divide",
        "maximum",
        "minimum",
        "arctan2",
        "hypot",
        "logaddexp",
        "logaddexp2",
        "copysign",
    ]:
        add("ops.%s(x, y)" % name, pair, wrt="xy", pointwise=True)
        add("ops.%s(x, r)" % name, pair, wrt="xr")
        add("ops.%s(c, r)" % name, pair)
    add(
        """
        ops.power(p, y)
        ops.power(p, 2.5)
        ops.power(x, 3)
        ops.power(x, 2)
        ops.float_power(p, y)
        ops.divide_no_nan(x, y)
        ops.subtract(x, 1.5)
        ops.multiply(2, x)
    """,
        pair,
        wrt="xyp",
        pointwise=True,
    )
    edge = {
        "x": "array([7., -7., 7., -7., 0., 5.5, -5.5])",
        "y": "array([3., 3., -3., -3., 3., 2., 2.])",
        "z": "array([0., 1., 0., 2., 0., 0., 1.])",
        "i": "array([7, -7, 7, -7, 0], 'int32')",
        "j": "array([3, 3, -3, -3, 3], 'int32')",
        "h": "array([0.0, -0.0, 1e30, -1e30, 3e38, 1e-30, 5.])",
    }
    add(
        """
        ops.mod(x, y)
        ops.floor_divide(x, y)
        ops.remainder(x, y)
        ops.fmod(x, y)
        ops.divmod(x, y)
        ops.mod(i, j)
        ops.floor_divide(i, j)
        ops.divide(i, j)
        ops.true_divide(i, j)
        ops.divide_no_nan(x, z)
        ops.multiply(i, j)
        ops.subtract(i, j)
        ops.power(i, 2)
        ops.gcd(i, j)
        ops.lcm(i, j)
        ops.maximum(i, j)
        ops.minimum(i, j)
        ops.equal(x, y)
        ops.not_equal(x, y)
        ops.less(x, y)
        ops.less_equal(x, y)
        ops.greater(x, y)
        ops.greater_equal(x, y)
        ops.less(i, 2.5)
        ops.greater(i, j)
        ops.logical_and(z, x)
        ops.logical_or(z, x)
        ops.logical_xor(z, x)
        ops.logical_not(z)
        ops.where(z, x, y)
        ops.where(x > 0, x, y)
        ops.where(x > 0, 1.0, 0.0)
        ops.nextafter(x, y) ==> np.nextafter(x.astype("float32"), y.astype("float32"))
        ops.ldexp(x, ops.convert_to_tensor(array([1, 2, -3, 4, 0, 1, 2], "int32")))
        ops.logaddexp(h, -h)
        ops.hypot(h, h)
        ops.isclose(x, y)
        ops.isclose(x, x + 1e-7)
        ops.isclose(x, x + 0.5, rtol=0.1)
        ops.isclose(x, x + 0.5, atol=0.6)
        ops.array_equal(x, x)
    """,
        edge,
    )
    add("ops.divide_no_nan(x, z)", {"x": "array([1., -2., 0., 3.])", "z": "array([0., 2., 0., -1.])"}, wrt="x")
    add("ops.stack(list(ops.where(z > 0))) ==> np.stack(np.where(z > 0))", edge, symbolic=False)
    nan = {"x": "array([np.nan, 1., np.nan, np.inf])", "y": "array([1., np.nan, np.nan, np.inf])"}
    add(
        """
        ops.maximum(x, y)
        ops.minimum(x, y)
        ops.isclose(x, y, equal_nan=True)
        ops.isclose(x, y)
        ops.equal(x, y)
        ops.fmax(x, y)
        ops.fmin(x, y)
    """,
        nan,
    )


def _integers(add):
    for dtype in ("int8", "uint8", "int16", "int32", "int64"):
        low = 0 if dtype[0] == "u" else -20
        inputs = {
            "x": "integers(6, low=%d, high=20, dtype=%r)" % (low, dtype),
            "y": "integers(6, seed=1, low=1, high=4, dtype=%r)" % dtype,
        }
        add(
            """
            ops.add(x, y)
            ops.multiply(x, y)
            ops.floor_divide(x, y)
            ops.mod(x, y)
            ops.bitwise_and(x, y)
            ops.bitwise_or(x, y)
            ops.bitwise_xor(x, y)
            ops.left_shift(y, y)
            ops.right_shift(x, y)
            ops.bitwise_left_shift(y, y)
            ops.bitwise_right_shift(x, y)
            ops.abs(x)
            ops.sign(x)
            ops.square(y)
            ops.clip(x, 2, 5)
            ops.sqrt(y)
            ops.exp(y)
            ops.sum(x)
            ops.mean(x)
            ops.var(x)
            ops.std(x)
            ops.prod(y)
            ops.max(x)
            ops.min(x)
            ops.cumsum(x)
            ops.sort(x)
            ops.argmax(x)
            ops.median(x)
            ops.average(x)
            ops.dot(x, y)
            ops.where(x > 2, x, y)
            ops.any(x)
            ops.all(x)
            ops.count_nonzero(x)
            ops.relu(x)
            ops.mean(x, axis=0, keepdims=True)
        """,
            inputs,
        )
        if low:  # of unsigned numbers these wrap around
            add("ops.bitwise_not(x)\nops.bitwise_invert(x)\nops.negative(y)\nops.diff(x)\nops.subtract(x, y)", inputs)
