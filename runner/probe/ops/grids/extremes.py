"""Generates cases where a type ends: small integers, booleans, infinities, NaN."""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _bits(add)
    _infinite(add)


def _bits(add):
    inputs = {
        "t": "array([250, 251, 252, 3], 'uint8')",
        "s": "array([100, 100, 27, -128], 'int8')",
        "i": "array([2000000000, 1000000000, -2000000000], 'int32')",
        "b": "bools(2, 3)",
        "x": "normal(4, 3, seed=41)",
        "k": "array([0, 2], 'uint8')",
        "l": "array([0, 2], 'int64')",
        "h": "array([1, 0, 3], 'int8')",
    }
    add(
        """
        ops.sum(t) ==> 756
        ops.mean(t) ==> 189.0
        ops.mean(s) ==> 24.75
        ops.mean(i)
        ops.prod(s[:2]) ==> 10000
        ops.var(t)
        ops.std(s)
        ops.cast(t, "int8") ==> t.astype("uint8").astype("int8")
        ops.cast(i, "float32")
        ops.average(t)
        ops.max(t)
        ops.argmax(t)
        ops.sort(s)
        ops.divide(t, 2)
        ops.true_divide(s, s)
        ops.sqrt(t)
        ops.take(x, k, axis=0)
        ops.take(x, l, axis=0)
        ops.take_along_axis(x, ops.cast(ops.argsort(x, axis=0), "int64"), axis=0) ==> np.sort(x, axis=0)
        ops.one_hot(k, 3)
        ops.one_hot(h, 4)
        ops.sum(b, axis=1)
        ops.mean(b, axis=1)
        ops.cumsum(b, axis=1)
        ops.where(b, 1, 0)
        ops.any(b, axis=0)
        ops.logical_or(b, b)
        ops.argmax(b, axis=0)
        ops.cast(b, "float32")
        ops.prod(b)
        ops.count_nonzero(b)
        ops.matmul(ops.cast(b, "int32"), ops.transpose(ops.cast(b, "int32"))) ==> b.astype(int) @ b.T.astype(int)
        ops.equal(t, 250)
        ops.greater(t, 251)
        ops.multiply(s[2:], 2.5)
        ops.add(k, 0.5)
        ops.power(k, 2)
        ops.abs(s[:3])
        ops.median(t)
        ops.quantile(t, 0.5)
        ops.clip(t, 0, 251)
        ops.maximum(s, 5)
        ops.floor_divide(s, 7)
        ops.mod(s, 7)
        ops.bitwise_and(t, 3)
        """,
        inputs, family="small integers",
    )  # fmt: skip


def _infinite(add):
    inputs = {
        "x": "array([np.nan, np.inf, -np.inf, -0., np.inf, 1., -np.inf])",
        "y": "array([1., -np.inf, np.inf, 0., np.inf, np.inf, -np.inf])",
        "m": "array([[np.nan, np.inf, -np.inf], [-1., 1., 1e-6]])",
        "n": "array([[np.nan, np.inf, 2.], [np.inf, 1., 3.]])",
        "u": "array([np.inf, -np.inf, 0., 1., -1.])",
    }
    add(
        """
        ops.isclose(x, y)
        ops.isclose(x, y, equal_nan=True)
        ops.allclose(y, y)
        ops.array_equal(y, y)
        ops.hypot(x, y)
        ops.isinf(ops.hypot(x, y))
        ops.isfinite(ops.nextafter(x, y)) ==> np.isfinite(np.nextafter(x.astype("float32"), y.astype("float32")))
        ops.arctan2(x, y)
        ops.copysign(y, x)
        ops.maximum(x, y)
        ops.minimum(x, y)
        ops.fmax(x, y)
        ops.fmin(x, y)
        ops.add(x, y)
        ops.subtract(x, y)
        ops.multiply(x, y)
        ops.logaddexp(y, y)
        ops.logaddexp2(y, y)
        ops.equal(x, y)
        ops.greater(x, y)
        ops.where(ops.isfinite(x), x, y)
        ops.isinf(ops.nancumsum(m)) ==> np.isinf(np.nancumsum(m))
        ops.nancumsum(m)
        ops.isinf(ops.nancumprod(m)) ==> np.isinf(np.nancumprod(m))
        ops.nancumprod(m)
        ops.nansum(n)
        ops.nansum(m)
        ops.nanmean(n, axis=1)
        ops.nanmax(m, axis=1)
        ops.nanmin(m)
        ops.nanprod(n)
        ops.nanmedian(n, axis=1)
        ops.cumsum(n, axis=1)
        ops.cumprod(n, axis=1)
        ops.sum(m)
        ops.mean(n, axis=0)
        ops.max(n)
        ops.min(m, axis=1)
        ops.prod(n)
        ops.logsumexp(n[1])
        ops.softmax(u[1:]) ==> ref.softmax(np.where(np.isinf(u[1:]), -1e300, u[1:]))
        ops.isnan(ops.median(n)) ==> True
        ops.sort(u)
        ops.argmax(u)
        ops.argmin(u)
        ops.arctan(u)
        ops.arcsinh(u)
        ops.cbrt(u)
        ops.sign(u)
        ops.reciprocal(u[:2])
        ops.exp2(u)
        ops.sinh(u)
        ops.cosh(u)
        ops.log_sigmoid(u)
        ops.softplus(u)
        ops.elu(u)
        ops.relu6(u)
        ops.leaky_relu(u)
        ops.hard_tanh(u)
        ops.nan_to_num(m, posinf=5.0)
        ops.isposinf(m)
        ops.signbit(y)
        ops.trunc(u)
        ops.clip(u, -2.0, 2.0)
        """,
        inputs, symbolic=False, family="infinities",
    )  # fmt: skip
