"""Generates cases of arguments that are seldom given, function by function.

Every argument of every function of ``keras.ops`` has a value here that is not its default, unless another grid gives
it one.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _arrays(add)
    _statistics(add)
    _axes(add)
    _contractions(add)
    _nn(add)
    _images(add)
    _segments(add)
    _control(add)
    _complex(add)


INPUTS = {
    "x": "normal(3, 4, seed=51)", "y": "normal(2, 3, 4, seed=52)", "v": "normal(5, seed=53)", "i": "integers(3, 4, low=-4, high=5)", "b": "bools(3, 4)",
    "n": "array([[1., np.nan, 3.], [-2., 5., 0.5]])", "k": "normal(3, 5, seed=54)", "l": "normal(3, 5, seed=55)", "t": "array([3, 1, 3, 2, 1, 7], 'int32')",
    "s": "symmetric_positive(4)", "z": "array([0., 1., 3., 4., 8.])", "o": "array([[0, 2], [3, 1]], 'int32')", "q": "array([0.1, 0.5, 0.9])", "e": "normal(1, 1, seed=56)",
}  # fmt: skip


def _arrays(add):
    add(
        """
        ops.allclose(x, x + 0.01, rtol=0.0, atol=0.02)
        ops.allclose(x, x + 0.01, rtol=0.0, atol=0.001)
        ops.allclose(n, n, equal_nan=True)
        ops.allclose(n, n)
        ops.array([1.5, 2.5], dtype="int32") ==> np.array([1, 2])
        ops.array([1, 0], dtype="bool") ==> np.array([True, False])
        ops.array(x, dtype="float16") ==> x.astype("float16")
        ops.diagflat(v, k=1)
        ops.diagflat(x, k=-2)
        ops.geomspace(1.0, 100.0, 5, endpoint=False)
        ops.geomspace(q, 8 * q, 4, axis=-1)
        x[-1]
        x[1:]
        x[1, 2]
        x[:, 1:3]
        x[-2:, :-1]
        y[0, ..., 1]
        y[:, None, :, 2]
        y[..., -2:]
        ops.identity(3, dtype="int32")
        ops.logspace(q, 2 * q, 4, axis=1)
        ops.logspace(0.0, 2.0, 3, dtype="float16") ==> np.logspace(0.0, 2.0, 3)
        ops.ones_like(x, dtype="int32")
        ops.tri(3, 4, dtype="int32")
        ops.tri(2, 5, k=-1)
        ops.unstack(x, num=3) ==> ref.unstack(x)
        ops.unstack(x, num=4, axis=1) ==> ref.unstack(x, axis=1)
        ops.unstack(y, axis=-2) ==> ref.unstack(y, axis=-2)
        ops.one_hot(o, 4, dtype="int32") ==> np.eye(4)[o]
        ops.one_hot(o, 4, dtype="bool") ==> np.eye(4)[o] == 1
        ops.one_hot(o, 4, axis=0) ==> np.moveaxis(np.eye(4)[o], -1, 0)
        ops.one_hot(o[0, 0], 4) ==> np.eye(4)[0]
        ops.multi_hot(o, 5, axis=1) ==> ?
        ops.multi_hot(o, 5, dtype="int32") ==> ref.multi_hot(o, 5)
        ops.view(x, dtype="int32") ==> x.astype("float32").view("int32")
        ops.view(i, dtype="uint8") ==> i.astype("int32").view("uint8")
        ops.tile(v, (2, 2))
        ops.tile(x, [1, 1])
        ops.split(x, [0, 2], axis=1)
        ops.split(x, [1, 3, 3], axis=-1)
        ops.split(x, 1)
        ops.split(v, [1, 2])
        ops.array_split(x, 3, axis=-1)
        ops.array_split(v, 7)
        ops.hsplit(v, [2])
        ops.vsplit(x, [1, 2])
        ops.roll(x, (1, 1), axis=(0, 1))
        ops.roll(x, 5)
        ops.roll(x, -7, axis=1)
        ops.roll(x, (1, -2), axis=(-1, 0))
        ops.rot90(y, k=1, axes=(0, 2))
        ops.rot90(y, k=2, axes=(0, 1))
        ops.rot90(y, k=-1, axes=(1, 2))
        ops.rot90(y, k=5, axes=(2, 0))
        ops.rot90(x, k=0)
        ops.rot90(x, k=4)
        ops.flip(y, axis=(1,))
        ops.flip(y, axis=(2, 0))
        ops.expand_dims(x, (1, 3))
        ops.expand_dims(x, -3)
        ops.expand_dims(x, (-4, -1))
        ops.squeeze(e)
        ops.squeeze(e, axis=(0, -1))
        ops.moveaxis(y, -2, 0)
        ops.moveaxis(y, (0, -1), (-1, 0))
        ops.swapaxes(y, -2, -1)
        ops.transpose(y, axes=(-1, 0, 1))
        ops.transpose(y, [2, 1, 0])
        ops.transpose(v)
        ops.reshape(x, (2, -1, 3))
        ops.reshape(x, [4, 3])
        ops.reshape(x, (-1,))
        ops.reshape(e, ())
        ops.ravel(e)
        ops.broadcast_to(v, (2, 1, 5))
        ops.broadcast_to(e, (2, 3))
        ops.pad(x, ((0, 1), (2, 0)), mode="constant", constant_values=-1.5)
        ops.pad(x, 2, mode="symmetric")
        ops.pad(x, (1, 2))
        ops.pad(x, ((1, 2),))
        ops.pad(i, 1, constant_values=3)
        ops.pad(b, ((1, 0), (0, 1)))
        ops.concatenate([x], axis=0)
        ops.concatenate([x, x, x], axis=-2)
        ops.concatenate([x, i], axis=1)
        ops.concatenate([b, b])
        ops.stack([x], axis=-3)
        ops.stack([x, i], axis=1)
        ops.hstack([x, x, x])
        ops.dstack([v, v])
        ops.dstack([y, y])
        ops.append(v, v, axis=0)
        ops.append(x, v)
        ops.atleast_1d(v[0])
        ops.atleast_2d(v[0])
        ops.atleast_3d(v)
        ops.atleast_3d(v[0])
        ops.atleast_1d(v, x)
        ops.atleast_2d(v, x)
        ops.vander(v, 2)
        ops.vander(v, N=7, increasing=False)
        ops.meshgrid(v, q, z)
        ops.meshgrid(v, q, z, indexing="ij")
        ops.meshgrid(v)
        ops.linspace(0.0, 1.0, 0)
        ops.linspace(2, 3, 4)
        ops.linspace(1.0, -1.0, 3)
        ops.arange(0)
        ops.arange(5, 0)
        ops.arange(0, 5, 2)
        ops.arange(-3, 3, dtype="int16")
        ops.arange(3, dtype="float16")
        ops.arange(3, dtype="uint8")
        ops.arange(0.0, 1.0, 0.25)
        ops.arange(4.0)
        ops.eye(0)
        ops.eye(3, M=5)
        ops.eye(3, 2, k=5)
        ops.eye(2, 4, -1)
        ops.full((), 2.0)
        ops.full((2,), True, dtype="bool")
        ops.zeros(())
        ops.zeros(3)
        ops.ones(2, dtype="bool")
        ops.full_like(i, 2.7) ==> np.full((3, 4), 2)
        ops.full_like(x, 2, dtype="int32")
        ops.zeros_like(i, dtype="float32")
        ops.trace(y, offset=-1)
        ops.trace(y, axis1=1, axis2=2)
        ops.trace(y, axis1=-1, axis2=0)
        ops.diagonal(y, offset=1, axis1=2, axis2=0)
        ops.diagonal(y, axis1=-2, axis2=-1)
        ops.tril(x, k=1)
        ops.tril(y, k=-2)
        ops.triu(x, k=-1)
        ops.triu(i, k=2)
        ops.tril(b)
        ops.copy(i)
        ops.where(b, x, 1)
        ops.where(b, 2, i)
        ops.where(x[:, :1] > 0, x, i)
        ops.cast(b, "float32")
        ops.cast(x, "int8") ==> x.astype("int8")
        ops.cast(i, "float16")
        ops.cast(n, "bool")
        ops.saturate_cast(1e10 * x, "int16") ==> np.clip(1e10 * x, -32768, 32767).astype("int16")
        ops.saturate_cast(i, "uint8") ==> np.clip(i, 0, 255).astype("uint8")
        ops.saturate_cast(b, "float32") ==> b.astype("float32")
        ops.saturate_cast(1e6 * x, "float16") ==> np.clip(1e6 * x, -65504, 65504)
        ops.convert_to_tensor(x, dtype="float16") ==> x.astype("float16")
        ops.convert_to_tensor(i, dtype="bool") ==> i != 0
        ops.convert_to_tensor([[1, 2], [3, 4]], dtype="int8") ==> np.array([[1, 2], [3, 4]])
        ops.convert_to_tensor(True) ==> True
        ops.convert_to_tensor(()) ==> np.zeros((0,))
        ops.convert_to_tensor([True, False]) ==> np.array([True, False])
        ops.stop_gradient(i) ==> i
        ops.shape(y) ==> [2, 3, 4]
        ops.take(x, [[0], [2]], axis=0)
        ops.take(x, 1)
        ops.take(x, [5, 11])
        ops.take(y, [1, -1], axis=-2)
        ops.take(x, o, axis=-1)
        ops.take_along_axis(y, ops.argsort(y, axis=1), axis=1) ==> np.sort(y, axis=1)
        ops.searchsorted(z, v)
        ops.searchsorted(z, z, side="right")
        ops.searchsorted(z, z, side="left")
        ops.searchsorted(z, o)
        ops.searchsorted(z, x)
        ops.digitize(z, z)
        ops.digitize(x, [0.0])
        ops.digitize(i, [0, 2])
        """,
        INPUTS, family="arguments",
    )  # fmt: skip
    add(
        """
        ops.empty((2, 3)) * 0 ==> np.zeros((2, 3))
        ops.empty((2, 3), dtype="int32") * 0 ==> np.zeros((2, 3), "int32")
        ops.empty_like(x, dtype="int32") * 0 ==> np.zeros((3, 4), "int32")
        ops.get_item(x, 1) ==> x[1]
        ops.get_item(x, (slice(0, 2), 1)) ==> x[0:2, 1]
        ops.get_item(x, (None, -1)) ==> x[None, -1]
        ops.get_item(x, (..., 2)) ==> x[..., 2]
        ops.get_item(y, (0, slice(None), None, 1)) ==> y[0, :, None, 1]
        ops.get_item(y, (slice(None), slice(1, None, 1))) ==> y[:, 1:]
        ops.unique(t) ==> np.unique(t)
        ops.isin(t, [3, 7], assume_unique=False)
        ops.isin(i, [0, 1], assume_unique=False, invert=True)
        ops.repeat(x, [2, 0, 1], axis=0)
        ops.repeat(x, repeats=[1, 2, 0, 1], axis=-1)
        ops.repeat(x, [3])
        ops.nonzero(i)
        ops.dtype(x) == "float32" ==> True
        ops.is_tensor(x) ==> True
        ops.is_tensor(1.0) ==> False
        ops.bincount(t, minlength=3)
        ops.bincount(t, minlength=10)
        ops.unravel_index(t, (4, 2)) ==> np.unravel_index(t, (4, 2))
        ops.unravel_index(o, (5, 5)) ==> np.unravel_index(o, (5, 5))
        """,
        INPUTS, family="arguments", eager=True,
    )  # fmt: skip
    add(
        """
        ops.size(x) ==> 12
        ops.ndim(x) ==> 2
        ops.unique(t, return_inverse=True)
        ops.unique(t, return_counts=True)
        ops.unique(t, return_index=True)
        ops.unique(t, return_index=True, return_inverse=True, return_counts=True)
        ops.unique(i, axis=0)
        """,
        INPUTS, family="arguments", eager=True, symbolic=False,
    )  # fmt: skip


def _statistics(add):
    add(
        """
        ops.cumprod(i, axis=1, dtype="float32")
        ops.cumprod(i, axis=1, dtype="int32")
        ops.cumsum(i, axis=-1, dtype="float32")
        ops.cumsum(b, axis=0, dtype="int32")
        ops.nancumsum(n, axis=0, dtype="float32")
        ops.nancumprod(n, axis=-1, dtype="float32")
        ops.nancumsum(n, axis=0)
        ops.prod(i, axis=1, dtype="float32")
        ops.prod(x, axis=0, keepdims=True)
        ops.prod(x, axis=(0, 1), keepdims=True)
        ops.prod(y, axis=(2, 0))
        ops.prod(y, axis=(-1, 1), keepdims=True)
        ops.all(y > -1, axis=(0, 2), keepdims=True)
        ops.any(y > 1, axis=(2, 0))
        ops.any(y > 1, axis=(-3, -1), keepdims=True)
        ops.all(b, axis=None, keepdims=True)
        ops.any(b, keepdims=True)
        ops.count_nonzero(y > 0, axis=(0, 2))
        ops.count_nonzero(i)
        ops.count_nonzero(x, axis=1)
        ops.count_nonzero(b, axis=())
        ops.argmax(y, axis=1, keepdims=True)
        ops.argmin(y, axis=-1, keepdims=True)
        ops.argmax(y, keepdims=True)
        ops.nanargmax(n, axis=0, keepdims=True)
        ops.nanargmin(n, keepdims=True)
        ops.nanmedian(n, axis=1, keepdims=True)
        ops.nanmedian(n, keepdims=True)
        ops.nanquantile(n, 0.3, method="lower")
        ops.nanquantile(n, 0.3, axis=0, keepdims=True)
        ops.nanquantile(n, q, axis=1)
        ops.nanpercentile(n, 40.0, axis=1)
        ops.nanpercentile(n, 40.0, axis=0, keepdims=True)
        ops.nanpercentile(n, 40.0, method="higher")
        ops.percentile(x, 40.0, axis=0)
        ops.percentile(x, 40.0, axis=1, keepdims=True)
        ops.percentile(x, 40.0, method="nearest")
        ops.percentile(x, 100 * q, axis=-1)
        ops.nanvar(n, axis=1, keepdims=True)
        ops.nanstd(n, axis=0, keepdims=True)
        ops.nansum(n, axis=(0, 1), keepdims=True)
        ops.nanprod(n, axis=0, keepdims=True)
        ops.nanmax(n, axis=(0, 1))
        ops.nanmin(n, axis=-1, keepdims=True)
        ops.nanmean(n, axis=(1, 0), keepdims=True)
        ops.median(y, axis=(2, 0), keepdims=True)
        ops.median(x[:, :3], axis=1)
        ops.median(i, axis=1)
        ops.quantile(y, q, axis=(0, 2), keepdims=True)
        ops.quantile(y, 0.3, axis=(1, 2))
        ops.quantile(y, [0.2, 0.9], axis=1)
        ops.quantile(y, q, axis=None, keepdims=True)
        ops.quantile(i, 0.3, axis=1)
        ops.quantile(x, 0.3, axis=0, method="midpoint", keepdims=True)
        ops.max(y, axis=(0, 2), keepdims=True, initial=0.0)
        ops.min(y, axis=(0, 2), keepdims=True, initial=0.0)
        ops.max(i, axis=1, initial=10)
        ops.min(i, initial=-10)
        ops.amax(y, axis=(1, 2), keepdims=True)
        ops.amin(y, axis=(0, 1), keepdims=True)
        ops.ptp(y, axis=(0, 2))
        ops.ptp(y, axis=1, keepdims=True)
        ops.trapezoid(k, x=z)
        ops.trapezoid(k, z)
        ops.trapezoid(k, dx=0.5, axis=0)
        ops.average(y, axis=(0, 2))
        ops.average(y, axis=(0, 1, 2))
        ops.average(y, axis=1, weights=q)
        ops.average(x, axis=0, weights=[1.0, 2.0, 3.0])
        ops.average(i, axis=0)
        ops.average(i, axis=0, weights=q)
        ops.mean(i)
        ops.mean(y, axis=(2, 0), keepdims=True)
        ops.mean(y, axis=())
        ops.sum(y, axis=())
        ops.var(y, axis=(2, 0), keepdims=True)
        ops.std(y, axis=(0, -1))
        ops.var(b, axis=1)
        ops.std(i, axis=(0, 1))
        ops.logsumexp(y, axis=(0, 2), keepdims=True)
        ops.logsumexp(x, axis=1)
        ops.moments(y, axes=(0, 2))
        ops.moments(y, axes=[0, 2], keepdims=True)
        ops.moments(y, axes=1)
        ops.moments(x, axes=[-1])
        ops.moments(x, axes=[0], synchronized=False)
        ops.histogram(v, bins=3)
        ops.histogram(v, bins=4, range=(-2.0, 2.0))
        ops.histogram(v, bins=4, range=(-2.0, 2.0))[0]
        ops.corrcoef(x)
        ops.corrcoef(v)
        ops.cov(x)
        ops.cov(v)
        ops.correlate(v, q, mode="valid")
        ops.correlate(q, v, mode="full")
        ops.correlate(q, v, mode="same")
        ops.correlate(v, v)
        ops.diff(x, n=2)
        ops.diff(x, n=0)
        ops.diff(y, axis=-2)
        ops.diff(v, n=3)
        ops.cumsum(y, axis=None)
        ops.cumprod(y, axis=None)
        ops.sort(y, axis=-2)
        ops.argsort(y, axis=-3)
        ops.top_k(y, 2, sorted=True)
        ops.top_k(i, 1)[0]
        ops.top_k(v, 5)
        ops.clip(x, None, 0.5)
        ops.clip(x, -0.5, None)
        ops.clip(i, -2, 2)
        ops.round(x, 2)
        ops.round(i, 0)
        ops.isclose(x, x + 0.01, rtol=0.0, atol=0.02)
        ops.nan_to_num(n, nan=-1.0)
        ops.nan_to_num(i)
        ops.isnan(i)
        ops.isfinite(i)
        ops.isinf(b)
        ops.signbit(x)
        ops.angle(x)
        ops.heaviside(x, 0.25)
        ops.heaviside(0 * x, 0.25)
        ops.ldexp(x, i)
        ops.logaddexp2(x, x)
        ops.float_power(i, 2)
        ops.power(2.0, x)
        ops.power(x, 0)
        ops.power(i, 3)
        ops.select([x > 0, x > -1], [x, 2 * x], default=1.5) ==> np.select([x > 0, x > -1], [x, 2 * x], 1.5)
        ops.select([b], [x])
        ops.kaiser(4, 0.0)
        ops.kaiser(1, 3.0)
        ops.hamming(1)
        ops.hanning(1)
        ops.hamming(6)
        ops.blackman(6)
        ops.bartlett(6)
        """,
        INPUTS, family="arguments",
    )  # fmt: skip


REDUCTIONS = "sum mean max min prod var std any all amax amin logsumexp median argmax argmin count_nonzero ptp nansum nanmean nanmax nanmin nanprod nanvar nanstd average"


def _axes(add):
    inputs = {
        "x": "normal(2, 1, 3, seed=61)",
        "s": "array(0.75)",
        "o": "array([1.5])",
        "e": "normal(0, 3)",
        "f": "normal(2, 0, 3)",
        "w": "normal(2, 3, 4, 5, seed=62)",
    }
    for name in REDUCTIONS.split():
        lines = ["ops.%s(x, axis=1)", "ops.%s(o)", "ops.%s(o, axis=-1)"]
        single = name in ("argmax", "argmin", "average")
        lines += ["ops.%s(s)"] if name not in ("ptp",) else []
        if not single:
            lines += [
                "ops.%s(w, axis=(1, 2))",
                "ops.%s(w, axis=(0, 2))",
                "ops.%s(w, axis=(3, 1))",
                "ops.%s(w, axis=(-2,))",
            ]
            lines += (
                ["ops.%s(x, axis=(0, 1), keepdims=True)", "ops.%s(o, keepdims=True)"] if name != "count_nonzero" else []
            )
        if name in ("sum", "prod", "any", "all", "count_nonzero", "nansum", "nanprod"):
            lines += ["ops.%s(e)", "ops.%s(e, axis=0)", "ops.%s(f, axis=1)", "ops.%s(f, axis=(0, 1))"]
        add("\n".join(lines).replace("%s", name), inputs, family="axes", symbolic=name != "average")
    for name in ("cumsum", "cumprod", "sort", "argsort", "nancumsum", "nancumprod"):
        add(
            "ops.{0}(x, axis=1)\nops.{0}(o)\nops.{0}(e, axis=0)\nops.{0}(f, axis=1)\nops.{0}(w, axis=2)".format(name),
            inputs,
            family="axes",
        )
    for name in ("softmax", "log_softmax", "sparsemax", "normalize", "rms_normalization"):
        add(
            "ops.{0}(x, axis=1)\nops.{0}(o)\nops.{0}(w, axis=2)\nops.{0}(w, axis=-4)".format(name),
            inputs,
            family="axes",
        )
    for name in ("softmax", "log_softmax"):
        for axis in ((1, 2), (0, 2), (3, 1), (-1, -3), (0, 1, 2, 3)):
            truth = (
                "np.exp(w - ref.logsumexp(w, axis={0}, keepdims=True))"
                if name == "softmax"
                else "w - ref.logsumexp(w, axis={0}, keepdims=True)"
            )
            add("ops.%s(w, axis=%r) ==> %s" % (name, axis, truth.format(axis)), inputs, family="axes")
    add(
        """
        ops.linalg.norm(w, axis=(1, 2)) ==> ref.norm(w, axis=(1, 2))
        ops.linalg.norm(w, axis=(3, 0)) ==> ref.norm(w, axis=(3, 0))
        ops.linalg.norm(w, ord=1, axis=(-3, -1), keepdims=True) ==> ref.norm(w, 1, (-3, -1), True)
        ops.linalg.norm(w, ord=-1, axis=(0, 2)) ==> ref.norm(w, -1, (0, 2))
        ops.linalg.norm(o) ==> ref.norm(o)
        ops.linalg.norm(x, ord=2, axis=1) ==> ref.norm(x, 2, 1)
        ops.linalg.norm(x, ord=-1, axis=-1) ==> ref.norm(x, -1, -1)
        ops.linalg.norm(x, ord=-np.inf, axis=-1) ==> ref.norm(x, -np.inf, -1)
        ops.linalg.norm(x, ord=0.5, axis=-1) ==> ref.norm(x, 0.5, -1)
        """,
        inputs, family="axes", tol=256.0,
    )  # fmt: skip
    for name in (
        "exp",
        "log1p",
        "abs",
        "sqrt",
        "sigmoid",
        "relu",
        "gelu",
        "softplus",
        "square",
        "floor",
        "isnan",
        "ravel",
        "transpose",
        "flip",
        "copy",
        "zeros_like",
        "tanh",
        "erf",
        "sign",
    ):
        add(
            "ops.{0}(s)\nops.{0}(e)\nops.{0}(f)".format(name) if name != "flip" else "ops.flip(e)\nops.flip(f, axis=1)",
            inputs,
            family="axes",
        )
    add(
        """
        ops.add(s, o)
        ops.multiply(s, e)
        ops.maximum(e, s)
        ops.where(s > 0, o, 0.0)
        ops.concatenate([e, e], axis=1)
        ops.concatenate([e, w[0, 0, 0:1, :3]], axis=0)
        ops.stack([e, e], axis=1)
        ops.expand_dims(s, 0)
        ops.expand_dims(s, (0, 1))
        ops.reshape(s, (1, 1))
        ops.reshape(e, (0,))
        ops.reshape(e, (3, 0))
        ops.broadcast_to(s, (2, 2))
        ops.repeat(s, 3)
        ops.repeat(e, 2, axis=0)
        ops.tile(s, 3)
        ops.tile(s, (2, 3))
        ops.tile(e, (2, 1))
        ops.pad(e, ((1, 1), (0, 0)))
        ops.matmul(e, ops.transpose(e))
        ops.matmul(ops.transpose(e), e)
        ops.dot(s, o)
        ops.dot(s, s)
        ops.outer(s, o)
        ops.outer(e, o)
        ops.tensordot(e, e, axes=[[0], [0]])
        ops.einsum("ij,ij->", e, e)
        ops.einsum("ij->j", e)
        ops.einsum(",i->i", s, o)
        ops.diag(e[:, 0])
        ops.meshgrid(o, e[:, 0])
        ops.take(o, [0, 0, -1])
        ops.take(w, [], axis=1) ==> np.zeros((2, 0, 4, 5))
        ops.cumsum(o, axis=0)
        ops.logsumexp(s)
        ops.atleast_2d(e)
        ops.split(e, 3, axis=1)
        ops.array_equal(e, e)
        ops.array_equal(e, f)
        ops.array_equal(o, s)
        ops.isclose(s, 0.75)
        ops.median(o)
        ops.quantile(o, 0.3)
        ops.quantile(s, 0.3)
        ops.var(s)
        ops.std(o)
        ops.top_k(o, 1)
        ops.clip(s, 0.0, 0.5)
        ops.nonzero(e)
        ops.norm(o) ==> np.abs(o[0])
        """,
        inputs, family="axes",
    )  # fmt: skip


def _contractions(add):
    inputs = {**INPUTS, "a": "normal(3, 5, seed=71)", "c": "normal(5, 3, seed=72)", "d": "normal(2, 3, 3, seed=73)", "f": "well_conditioned(2, 3, 3)", "g": "normal(2, 5, 3, seed=74)",
              "h": "normal(2, 3, 4, 5, seed=75)", "u": "normal(4, seed=76)", "r": "array([[1., 2., 3.], [2., 4., 6.], [1., 0., 1.]])"}  # fmt: skip
    add(
        """
        ops.cross(k, l, axis=0)
        ops.cross(k, l, axisa=0, axisb=0)
        ops.cross(k, l, axisa=0, axisb=0, axisc=0)
        ops.cross(c, l, axisb=0)
        ops.inner(x, y)
        ops.inner(y, y)
        ops.inner(h, a)
        ops.inner(u, y)
        ops.outer(y, v)
        ops.vdot(y, y)
        ops.kron(a, u)
        ops.kron(v, u)
        ops.kron(y, x)
        ops.dot(y, ops.transpose(x)) ==> np.dot(y, x.T)
        ops.dot(u, h)
        ops.dot(h, v)
        ops.dot(3.0, y)
        ops.matmul(a, c)
        ops.matmul(h, c)
        ops.matmul(x, h)
        ops.matmul(h, v)
        ops.matmul(u, h)
        ops.matmul(i, ops.transpose(i))
        ops.matmul(i, ops.transpose(x))
        ops.tensordot(y, x, axes=[[1, 2], [0, 1]])
        ops.tensordot(y, x, axes=[[2, 1], [1, 0]])
        ops.tensordot(y, x, axes=2)
        ops.tensordot(y, y, axes=[0, 0])
        ops.tensordot(y, x, axes=[[-1], [-1]])
        ops.tensordot(y, v, axes=0)
        ops.einsum("abc,bc->a", y, x)
        ops.einsum("abc->ca", y)
        ops.einsum("...c,bc->...b", y, x)
        ops.einsum("ij,ij,ij->i", x, x, x)
        ops.einsum("bhqd,bhkd->bhqk", h, h)
        ops.einsum("ab...->...ba", h)
        ops.einsum("ij,kj", x, x)
        ops.einsum("ba,b", x, x[:, 0])
        ops.einsum("i,j,k->ijk", v, u, v)
        ops.einsum("ij,jk,kl->il", a, c, a)
        ops.einsum("ij,ij->ij", i, i)
        ops.einsum("aij,ajk->aik", d, d)
        ops.einsum("ijj->i", d)
        ops.linalg.cholesky(s, upper=False)
        ops.linalg.cholesky_inverse(ops.linalg.cholesky(s, upper=True), upper=True) ==> np.linalg.inv(s)
        ops.linalg.matrix_rank(r) ==> 2
        ops.matrix_rank(s, tol=1e5) ==> 0
        ops.linalg.pinv(c) ==> np.linalg.pinv(c)
        ops.linalg.pinv(g) ==> np.linalg.pinv(g)
        ops.pinv(s, rcond=0.5) ==> np.linalg.pinv(s, rcond=0.5)
        ops.linalg.det(f[0]) ==> np.linalg.det(f[0])
        ops.linalg.inv(f) ==> np.linalg.inv(f)
        ops.linalg.solve(f, d)
        ops.linalg.solve_triangular(f, d, lower=False)
        ops.linalg.lstsq(c, v) ==> np.linalg.lstsq(c, v, rcond=None)[0]
        ops.linalg.lstsq(a, x) ==> np.linalg.lstsq(a, x, rcond=None)[0]
        ops.linalg.eigh(s)[0] ==> np.linalg.eigh(s)[0]
        ops.linalg.svd(g, compute_uv=False) ==> np.linalg.svd(g, compute_uv=False)
        [ops.shape(w) for w in ops.linalg.svd(g)] ==> [[2, 5, 5], [2, 3], [2, 3, 3]]
        [ops.shape(w) for w in ops.linalg.svd(g, full_matrices=False)] ==> [[2, 5, 3], [2, 3], [2, 3, 3]]
        [ops.shape(w) for w in ops.linalg.qr(g)] ==> [[2, 5, 3], [2, 3, 3]]
        [ops.shape(w) for w in ops.linalg.qr(g, mode="complete")] ==> [[2, 5, 5], [2, 5, 3]]
        [promised_shape(w) for w in ops.linalg.svd(symbol(2, 5, 3))] ==> [[2, 5, 5], [2, 3], [2, 3, 3]]
        [promised_shape(w) for w in ops.linalg.svd(symbol(2, 5, 3), full_matrices=False)] ==> [[2, 5, 3], [2, 3], [2, 3, 3]]
        promised_shape(ops.linalg.svd(symbol(2, 5, 3), compute_uv=False)) ==> [2, 3]
        [promised_shape(w) for w in ops.linalg.qr(symbol(2, 5, 3), mode="complete")] ==> [[2, 5, 5], [2, 5, 3]]
        [promised_shape(w) for w in ops.linalg.qr(symbol(2, 3, 5))] ==> [[2, 3, 3], [2, 3, 5]]
        [promised_shape(w) for w in ops.linalg.eigh(symbol(2, 3, 3))] ==> [[2, 3], [2, 3, 3]]
        promised_shape(ops.linalg.lu_factor(symbol(2, 3, 3))) ==> [[2, 3, 3], [2, 3]]
        promised_shape(ops.linalg.det(symbol(None, 3, 3))) ==> [-1]
        promised_shape(ops.linalg.inv(symbol(None, 3, 3))) ==> [-1, 3, 3]
        promised_shape(ops.linalg.solve(symbol(None, 3, 3), symbol(None, 3, 2))) ==> [-1, 3, 2]
        promised_shape(ops.linalg.norm(symbol(None, 3, 4), axis=(0, 1))) ==> [4]
        promised_shape(ops.linalg.norm(symbol(None, 3, 4))) ==> []
        """,
        inputs, family="arguments", tol=512.0,
    )  # fmt: skip


def _nn(add):
    inputs = {
        "x": "normal(2, 3, 4, seed=81)", "g": "uniform(4, low=0.5)", "b": "normal(4, seed=82)", "h": "uniform(3, 4, low=0.5)", "c": "normal(3, 4, seed=83)", "u": "normal(2, 2, 4, 4, seed=84)",
        "w": "normal(1, 4, 4, 2, seed=85)", "p": "normal(1, 8, 2, 2, seed=86)", "r": "normal(2, 24, seed=87)", "m": "normal(3, seed=88)", "v": "uniform(3, low=0.5)",
        "q": "normal(2, 4, 2, 3, seed=89)", "k": "normal(2, 4, 2, 3, seed=90)", "t": "array([[1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1]], 'bool')[None, None]",
    }  # fmt: skip
    add(
        """
        ops.layer_normalization(x, epsilon=0.001) ==> ref.layer_normalization(x)
        ops.layer_normalization(x, g, epsilon=0.001) ==> ref.layer_normalization(x, g)
        ops.layer_normalization(x, None, b, epsilon=0.001) ==> ref.layer_normalization(x, None, b)
        ops.layer_normalization(x, h, c, axis=(1, 2), epsilon=0.001) ==> ref.layer_normalization(x, h, c, (1, 2))
        ops.layer_normalization(x, v, m, axis=1, epsilon=0.001) ==> ref.layer_normalization(x, v, m, 1)
        ops.layer_normalization(x, epsilon=0.5) ==> ref.layer_normalization(x, epsilon=0.5)
        ops.rms_normalization(x, g, epsilon=0.5)
        ops.rms_normalization(x, v[:, None], axis=(1,)) ==> x / np.sqrt(np.mean(x * x, 1, keepdims=True) + 1e-7) * v[:, None]
        ops.normalize(x, epsilon=10.0)
        ops.normalize(x, axis=(0, 2)) ==> x / np.sqrt(np.sum(x * x, (0, 2), keepdims=True))
        ops.normalize(x, axis=1, order=1)
        ops.batch_normalization(x, m, v, 1)
        ops.batch_normalization(x, m, v, axis=-2)
        ops.batch_normalization(x, b, g, axis=2, epsilon=0.5)
        ops.space_to_depth(u, 2, data_format="channels_first") ==> ?
        ops.depth_to_space(p, 2, data_format="channels_first") ==> ?
        ops.shape(ops.space_to_depth(u, 2, data_format="channels_first")) ==> [2, 8, 2, 2]
        ops.fold(ops.unfold(u, 2, stride=2), (4, 4), 2, stride=2) ==> u
        ops.shape(ops.unfold(u, 2, dilation=2)) ==> [2, 8, 4]
        ops.shape(ops.unfold(u, 3, padding=1)) ==> [2, 18, 16]
        ops.shape(ops.fold(ops.unfold(u, 3, padding=1), (4, 4), 3, padding=1)) ==> [2, 2, 4, 4]
        ops.fold(ops.unfold(u, 2, dilation=2, stride=2), (4, 4), 2, dilation=2, stride=2) ==> ?
        ops.dot_product_attention(q, k, k, mask=t, is_causal=True) ==> ref.dot_product_attention(q, k, k, mask=t & np.tril(np.ones((4, 4), bool)))
        ops.dot_product_attention(q, k, k, scale=1.0, bias=t * 0.5) ==> ref.dot_product_attention(q, k, k, scale=1.0, bias=t * 0.5)
        ops.dot_product_attention(q, k, k, flash_attention=False) ==> ref.dot_product_attention(q, k, k)
        ops.istft(ops.stft(r, 8, 4, 8, window="hamming"), 8, 4, 8, window="hamming") ==> r
        ops.stft(r, 8, 4, 16)[0] ==> ?
        ops.extract_sequences(r, 6, 3) ==> ref.extract_sequences(r, 6, 3)
        activations.celu(x, alpha=0.5) ==> ref.celu(x, 0.5)
        activations.glu(x, axis=2) ==> ref.glu(x, 2)
        activations.hard_shrink(x, threshold=0.2) ==> ref.hard_shrink(x, 0.2)
        activations.soft_shrink(x, threshold=0.2) ==> ref.soft_shrink(x, 0.2)
        activations.squareplus(x, b=1) ==> ref.squareplus(x, 1)
        activations.softmax(x, axis=(1, 2)) ==> np.exp(x - ref.logsumexp(x, axis=(1, 2), keepdims=True))
        activations.log_softmax(x, axis=0) ==> ref.log_softmax(x, 0)
        activations.relu(x, max_value=1.0) ==> np.clip(x, 0, 1)
        activations.relu(x, negative_slope=0.5, threshold=0.5) ==> ref.relu(x, 0.5, None, 0.5)
        ops.jvp(lambda a: (a * a, a), (x,), (x,), has_aux=True)[1] ==> 2 * x * x
        """,
        inputs, family="arguments", tol=512.0, wrt="x",
    )  # fmt: skip
    for name in [
        "relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "tanh",
        "sigmoid",
        "softplus",
        "softsign",
        "exponential",
        "linear",
        "hard_sigmoid",
        "relu6",
        "leaky_relu",
        "celu",
        "hard_tanh",
        "hard_silu",
        "hard_shrink",
        "soft_shrink",
        "tanh_shrink",
        "squareplus",
        "sparse_plus",
        "sparse_sigmoid",
        "log_sigmoid",
        "softmax",
        "log_softmax",
        "sparsemax",
        "swish",
        "hard_swish",
    ]:
        add(
            "activations.get({0!r})(x) - activations.{0}(x) ==> np.zeros((2, 3, 4))\n"
            "rebuilt(activations, activations.{0})(x) - activations.{0}(x) ==> np.zeros((2, 3, 4))".format(name),
            inputs, family="names", symbolic=False,
        )  # fmt: skip
    pools = {"x": "normal(1, 6, 5, seed=91)", "y": "normal(1, 2, 6, seed=92)", "z": "normal(1, 2, 4, 5, 6, seed=93)"}
    add(
        """
        ops.max_pool(y, 2, data_format="channels_first")
        ops.average_pool(y, 3, 2, "same", data_format="channels_first")
        ops.max_pool(x, (2,), (1,), "same")
        ops.average_pool(x, (4,), (3,), "same")
        ops.max_pool(z, (2, 1, 3), (1, 2, 3), "same", data_format="channels_first")
        ops.average_pool(z, (2, 1, 3), (2, 1, 1), "valid", data_format="channels_first")
        ops.average_pool(x, 6)
        ops.max_pool(x, 6, 1, "same")
        """,
        pools, family="arguments", dynamic="xyz",
    )  # fmt: skip
    convs = {"x": "normal(1, 9, 4, seed=94)", "w": "normal(2, 2, 6, seed=95)", "d": "normal(2, 4, 1, seed=96)", "p": "normal(1, 4, 3, seed=97)", "f": "normal(1, 4, 9, seed=98)", "e": "normal(4, 4, 6, seed=99)",
             "i": "normal(1, 7, 8, 4, seed=94)", "c": "normal(2, 3, 4, 1, seed=95)", "q": "normal(1, 1, 4, 3, seed=97)", "g": "normal(3, 3, 4, seed=90)"}  # fmt: skip
    add(
        """
        ops.conv(x, w, padding="same", dilation_rate=2)
        ops.conv(f, w, 2, "valid", "channels_first")
        ops.conv(f, e, 1, "same", "channels_first", 2)
        ops.conv(x, e, (2,), "same")
        ops.conv(x, e, dilation_rate=(2,))
        ops.conv(x, e, 3, "same", dilation_rate=1)
        ops.depthwise_conv(f, d, 1, "same", "channels_first")
        ops.depthwise_conv(x, d, 1, "valid", dilation_rate=3)
        ops.depthwise_conv(i, c, 2, "same")
        ops.depthwise_conv(i, c, (2, 2), "valid")
        ops.depthwise_conv(i, c, 1, "same", dilation_rate=(2, 1))
        ops.separable_conv(f, d, p, 1, "valid", "channels_first")
        ops.separable_conv(x, d, p, 2, "same")
        ops.separable_conv(i, c, q, 1, "same", dilation_rate=2)
        ops.conv_transpose(x, g, 2, "same", 1)
        ops.conv_transpose(x, g, 2, "valid", 1)
        ops.conv_transpose(f, g, 3, "same", None, "channels_first")
        ops.conv_transpose(x, g, 1, "valid", dilation_rate=2)
        """,
        convs, family="arguments", dynamic="xfi",
    )  # fmt: skip


def _images(add):
    inputs = {
        "x": "uniform(2, 5, 6, 3, seed=3)", "f": "uniform(2, 3, 5, 6, seed=4)", "s": "uniform(5, 6, 3, seed=5)", "c": "uniform(3, 5, 6, seed=6)", "z": "uniform(1, 4, 4, 4, 2, seed=7)",
        "u": "integers(1, 4, 6, 3, high=256, dtype='uint8')", "p": "array([[[0., 0.], [5., 0.], [0., 4.], [5., 4.]]] * 2)", "e": "uniform(1, 12, 12, 1)", "g": "uniform(1, 12, 12, 1, seed=1)",
        "t": "array([1., 0., 1., 0., 1., -1., 0., 0.])", "m": "integers(4, 5, high=200, dtype='uint8')", "o": "array([[[0.0, 1.5], [2.0, 3.0]], [[1.0, 0.5], [1.5, 2.0]]])",
    }  # fmt: skip
    add(
        """
        ops.image.extract_patches(f, 2, data_format="channels_first") ==> np.moveaxis(ref.patches(np.moveaxis(f, 1, -1), 2, None), -1, 1)
        ops.image.extract_patches(f, (2, 3), strides=1, padding="same", data_format="channels_first") ==> np.moveaxis(ref.patches(np.moveaxis(f, 1, -1), (2, 3), 1, "same"), -1, 1)
        ops.image.extract_patches(s, 2) ==> ref.patches(s[None], 2, None)[0]
        ops.image.extract_patches(x, (2, 3), strides=(1, 2)) ==> ref.patches(x, (2, 3), (1, 2))
        ops.image.extract_patches(x, 2, strides=(2, 1), padding="same") ==> ref.patches(x, 2, (2, 1), "same")
        ops.shape(ops.image.extract_patches_3d(z, 2)) ==> [1, 2, 2, 2, 16]
        ops.image.extract_patches_3d(z, 1) ==> z
        ops.shape(ops.image.extract_patches_3d(z, (1, 2, 2), strides=(1, 1, 2))) ==> [1, 4, 3, 2, 8]
        ops.shape(ops.image.extract_patches_3d(z, 2, strides=1, padding="same")) ==> [1, 4, 4, 4, 16]
        ops.shape(ops.image.extract_patches_3d(ops.transpose(z, (0, 4, 1, 2, 3)), 2, data_format="channels_first")) ==> [1, 16, 2, 2, 2]
        ops.image.hsv_to_rgb(f, data_format="channels_first") ==> ?
        ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(f, data_format="channels_first"), data_format="channels_first") ==> f
        ops.image.rgb_to_hsv(s) ==> ?
        ops.image.rgb_to_grayscale(s) ==> np.sum(s * np.array([0.2989, 0.587, 0.114]), -1, keepdims=True)
        ops.image.rgb_to_grayscale(c, data_format="channels_first") ==> np.sum(c * np.array([0.2989, 0.587, 0.114])[:, None, None], 0, keepdims=True)
        ops.image.perspective_transform(x, p, p) ==> x
        ops.image.perspective_transform(s, p[0], p[0]) ==> s
        ops.image.perspective_transform(f, p, p, data_format="channels_first") ==> f
        ops.image.perspective_transform(x, p, p, interpolation="nearest") ==> x
        ops.image.perspective_transform(x, p, p + 1, fill_value=0.5) ==> ?
        ops.image.affine_transform(s, t) ==> np.pad(s, ((1, 0), (0, 1), (0, 0)))[:5, 1:]
        ops.image.affine_transform(x, ops.stack([t, t]), fill_value=0.5) ==> np.pad(x, ((0, 0), (1, 0), (0, 1), (0, 0)), constant_values=0.5)[:, :5, 1:]
        ops.image.affine_transform(f, ops.stack([t, t]), data_format="channels_first") ==> np.pad(f, ((0, 0), (0, 0), (1, 0), (0, 1)))[:, :, :5, 1:]
        ops.image.map_coordinates(m, o, 1, fill_mode="constant") ==> ?
        ops.image.map_coordinates(m, ops.cast(o, "float32"), 1) ==> ?
        ops.image.resize(x, (7, 9), pad_to_aspect_ratio=True, fill_mode="constant", fill_value=0.25) ==> ?
        ops.image.resize(s, (5, 6)) ==> s
        ops.image.resize(c, (10, 3), data_format="channels_first") ==> np.moveaxis(ref.resize_bilinear(np.moveaxis(c, 0, -1), 10, 3), -1, 0)
        ops.image.resize(x, (5, 6), interpolation="bicubic") ==> x
        ops.image.resize(x, (5, 6), interpolation="nearest") ==> x
        ops.image.resize(u, (4, 6)) ==> u
        ops.image.resize(x, (10, 12), antialias=True) ==> ref.resize_bilinear(x, 10, 12)
        ops.image.resize(f, (4, 4), crop_to_aspect_ratio=True, data_format="channels_first") ==> ?
        ops.image.resize(f, (7, 9), pad_to_aspect_ratio=True, data_format="channels_first") ==> ?
        ops.image.pad_images(x, 1, 2, 3, 0) ==> np.pad(x, ((0, 0), (1, 3), (2, 0), (0, 0)))
        ops.image.pad_images(x, bottom_padding=2, right_padding=1, target_height=9, target_width=8) ==> np.pad(x, ((0, 0), (2, 2), (1, 1), (0, 0)))
        ops.image.pad_images(c, 1, 0, 0, 2, data_format="channels_first") ==> np.pad(c, ((0, 0), (1, 0), (0, 2)))
        ops.image.crop_images(x, 1, 2, 3, 0) ==> x[:, 1:2, 2:]
        ops.image.crop_images(s, bottom_cropping=1, right_cropping=2, target_height=3, target_width=3) ==> s[1:4, 1:4]
        ops.image.gaussian_blur(s, (3, 3), (1.0, 1.0)) ==> ref.gaussian_blur(s[None], (3, 3), (1.0, 1.0))[0]
        ops.image.gaussian_blur(x, (1, 1), (1.0, 1.0)) ==> x
        ops.image.elastic_transform(x, alpha=0.0, sigma=10.0, seed=1) ==> x
        ops.shape(ops.image.elastic_transform(x, alpha=5.0, sigma=10.0, interpolation="nearest", fill_mode="constant", fill_value=0.5, seed=1)) ==> [2, 5, 6, 3]
        ops.shape(ops.image.elastic_transform(f, alpha=5.0, sigma=10.0, seed=1, data_format="channels_first")) ==> [2, 3, 5, 6]
        ops.image.scale_and_translate(s, (5, 6, 3), ops.ones((2,)), ops.zeros((2,)), [0, 1], "linear", antialias=False) ==> s
        ops.image.scale_and_translate(s, (5, 6, 3), ops.ones((2,)), ops.zeros((2,)), (0, 1), "cubic") ==> s
        ops.image.ssim(e, e, max_val=1.0) ==> np.ones(1)
        ops.image.ssim(e, e, max_val=1.0, filter_size=5, filter_sigma=1.0, k1=0.02, k2=0.05) ==> np.ones(1)
        ops.image.ssim(255 * e, 255 * e, max_val=255.0) ==> np.ones(1)
        ops.image.sobel_edges(ops.ones((1, 4, 4, 2)))[:, 1:-1, 1:-1] ==> np.zeros((1, 2, 2, 2, 2))
        """,
        inputs, family="images", tol=4000.0, dynamic="xfz",
    )  # fmt: skip


def _segments(add):
    inputs = {"d": "normal(6, 2, seed=31)", "l": "array([0, 0, 1, 1, 3, 3], 'int32')", "o": "array([2, 0, 1, 2, 0, 1], 'int32')", "e": "normal(0, 2)", "z": "array([], 'int32')", "n": "array([0, 0, 1, 1, 2, 2], 'int32')",
              "x": "normal(3, 4, seed=32)", "c": "array([[0, 1], [2, 3]], 'int32')", "u": "normal(2, seed=33)", "r": "normal(2, 4, seed=34)", "k": "array([[0], [2]], 'int32')"}  # fmt: skip
    add(
        """
        ops.segment_sum(d, l, num_segments=4, sorted=True)
        ops.segment_max(d, n, num_segments=3, sorted=True)
        ops.segment_min(d, o, num_segments=3) ==> np.stack([d[o == k].min(0) for k in range(3)])
        ops.segment_prod(d, o, num_segments=3) ==> np.stack([d[o == k].prod(0) for k in range(3)])
        ops.segment_prod(d, l, num_segments=5, sorted=True) ==> np.stack([d[l == k].prod(0) for k in range(5)])
        ops.segment_sum(d, o, num_segments=3)
        ops.segment_sum(d, l, num_segments=6)
        ops.segment_sum(d[:, 0], o, num_segments=4)
        ops.segment_sum(e, z, num_segments=3) ==> np.zeros((3, 2))
        ops.segment_max(d, o, num_segments=3)
        ops.segment_max(d[:, 0], o, num_segments=3)
        ops.scatter(c, u, (3, 4))
        ops.scatter(k, r, (3, 4)) ==> np.stack([r[0], 0 * r[0], r[1]])
        ops.scatter(c, u, shape=(4, 4))
        ops.scatter_update(x, c, u)
        ops.scatter_update(x, k, r) ==> np.stack([r[0], x[1], r[1]])
        ops.scatter_update(x, k, r, reduction="add") ==> np.stack([x[0] + r[0], x[1], x[2] + r[1]])
        ops.scatter_update(x, k, r, reduction="max") ==> np.stack([np.maximum(x[0], r[0]), x[1], np.maximum(x[2], r[1])])
        ops.scatter_update(x, k, r, reduction="min") ==> np.stack([np.minimum(x[0], r[0]), x[1], np.minimum(x[2], r[1])])
        ops.scatter_update(x, k, r, reduction="mul") ==> np.stack([x[0] * r[0], x[1], x[2] * r[1]])
        ops.slice(x, [0, 1], [3, 2])
        ops.slice(x, (1, 0), (1, 4))
        ops.slice_update(x, (0, 0), r)
        """,
        inputs, family="arguments",
    )  # fmt: skip


def _control(add):
    inputs = {
        "x": "normal(4, 3, seed=41)",
        "y": "normal(4, 3, seed=42)",
        "v": "normal(3, seed=43)",
        "e": "normal(0, 3)",
        "o": "normal(1, 3, seed=44)",
        "w": "normal(5, 2, seed=45)",
    }
    add(
        """
        ops.scan(lambda c, v: (c + v, c), ops.zeros((3,)), x, length=4) ==> [x.sum(0), np.cumsum(x, 0) - x]
        ops.scan(lambda c, v: (c + v, c), ops.zeros((3,)), x, unroll=2) ==> [x.sum(0), np.cumsum(x, 0) - x]
        ops.scan(lambda c, v: (c + v, c * 2), ops.zeros((3,)), x, unroll=True) ==> [x.sum(0), 2 * (np.cumsum(x, 0) - x)]
        ops.scan(lambda c, _: (c * 2, c), v, length=3) ==> [8 * v, np.stack([v, 2 * v, 4 * v])]
        ops.scan(lambda c, v: (c, v), ops.zeros((3,)), x, reverse=True, unroll=2) ==> [np.zeros(3), x]
        ops.scan(lambda c, v: (c + v[0] * v[1], c), ops.zeros((3,)), (x, y)) ==> [(x * y).sum(0), np.cumsum(x * y, 0) - x * y]
        ops.associative_scan(ops.add, w) ==> np.cumsum(w, 0)
        ops.associative_scan(ops.maximum, w) ==> np.maximum.accumulate(w, 0)
        ops.associative_scan(ops.multiply, w, reverse=True) ==> np.cumprod(w[::-1], 0)[::-1]
        ops.associative_scan(ops.add, o) ==> o
        ops.associative_scan(ops.add, x, axis=-1) ==> np.cumsum(x, 1)
        ops.associative_scan(lambda a, b: [a[0] + b[0], a[1] * b[1]], [x, y]) ==> [np.cumsum(x, 0), np.cumprod(y, 0)]
        ops.map(lambda a: ops.sum(a[0] * a[1]), (x, y)) ==> np.sum(x * y, 1)
        ops.map(lambda a: {"d": a + 1, "s": ops.sum(a)}, x) ==> {"d": x + 1, "s": x.sum(1)}
        ops.vectorized_map(lambda a: a[0] + a[1], (x, y)) ==> x + y
        ops.vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()")(x, y) ==> np.sum(x * y, 1)
        ops.vectorize(lambda a, b: a + b)(x, v) ==> x + v
        ops.vectorize(lambda a, b: a * b, excluded={1})(x, 2.0) ==> 2 * x
        ops.fori_loop(0, 0, lambda i, a: a + 1.0, x) ==> x
        ops.fori_loop(2, 5, lambda i, a: a + ops.cast(i, "float32"), x) ==> x + 9
        ops.while_loop(lambda a, b: a < 3, lambda a, b: [a + 1, b * 2], [0, v]) ==> [3, 8 * v]
        ops.while_loop(lambda a: ops.sum(a) < 100.0, lambda a: a + 10.0, ops.ones((2,))) ==> np.full(2, 51.0)
        ops.while_loop(lambda a: a < 10, lambda a: a + 1, 0, maximum_iterations=4) ==> 4
        ops.while_loop(lambda a, b: b["k"] < 3, lambda a, b: (a * 2, {"k": b["k"] + 1}), (v, {"k": 0})) ==> [8 * v, {"k": 3}]
        ops.cond(True, lambda: v, lambda: 2 * v) ==> v
        ops.cond(ops.convert_to_tensor(False), lambda: v, lambda: 2 * v) ==> 2 * v
        ops.cond(ops.all(v < 100), lambda: (v, {"a": x}), lambda: (2 * v, {"a": y})) ==> [v, {"a": x}]
        ops.switch(0, [lambda a: a, lambda a: -a], v) ==> v
        ops.switch(7, [lambda a: a, lambda a: -a], v) ==> -v
        ops.switch(-3, [lambda a: a, lambda a: -a], v) ==> v
        ops.unstack(x, axis=1)[2] ==> x[:, 2]
        """,
        inputs, symbolic=False, family="control flow",
    )  # fmt: skip


def _complex(add):
    inputs = {"x": "normal(2, 3, seed=46)", "y": "normal(2, 3, seed=47)"}
    z, w = "ops.view_as_complex(ops.stack([x, y], -1))", "(x + 1j * y)"
    for name in (
        "real",
        "imag",
        "conj",
        "conjugate",
        "angle",
        "abs",
        "absolute",
        "negative",
        "square",
        "exp",
        "sum",
        "isreal",
        "transpose",
        "ravel",
    ):
        add("ops.%s(%s) ==> np.%s(%s)" % (name, z, name, w), inputs, family="complex", symbolic=False)
    add(
        """
        ops.multiply({0}, {0}) ==> {1} * {1}
        ops.add({0}, 1.0) ==> {1} + 1
        ops.subtract({0}, x) ==> {1} - x
        ops.matmul({0}, ops.transpose({0})) ==> {1} @ {1}.T
        ops.cast({0}, "complex64") ==> {1}
        ops.view_as_real({0}) ==> np.stack([x, y], -1)
        ops.cast(x, "complex64") ==> x + 0j
        ops.real(x) ==> x
        ops.imag(x) ==> 0 * x
        ops.mean({0}) ==> np.mean({1})
        ops.vdot({0}, {0}) ==> np.vdot({1}, {1})
        ops.concatenate([{0}, {0}]) ==> np.concatenate([{1}, {1}])
        ops.where(x > 0, {0}, 0.0) ==> np.where(x > 0, {1}, 0)
        ops.complex(x, y) ==> {1}
        """.format(z, w),
        inputs, family="complex", symbolic=False,
    )  # fmt: skip
