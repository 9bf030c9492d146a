"""Generates cases of reductions and scans.

Axes (one, several, negative, none), keepdims, large means, ties, empty and size-1 axes, NaN.
"""

from __future__ import annotations

AXES = ("", "axis=0", "axis=-1", "axis=1, keepdims=True", "axis=(0, 2)", "axis=(-1, 1), keepdims=True", "keepdims=True")


def add(add):
    """Adds the cases."""
    _axes(add)
    _hard(add)
    _orders(add)
    _statistics(add)


def _axes(add):
    inputs = {"x": "normal(3, 4, 5)", "b": "bools(3, 4, 5)", "i": "integers(3, 4, 5, low=-9)"}
    for name in [
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "var",
        "std",
        "logsumexp",
        "amax",
        "amin",
        "ptp",
        "nansum",
        "nanmean",
        "nanmax",
        "nanmin",
        "nanvar",
        "nanstd",
        "nanprod",
    ]:
        for axis in AXES:
            plain = name not in ("ptp", "amax", "amin") and not name.startswith("nan")
            wrt = "x" if plain and axis in ("", "axis=(0, 2)", "axis=1, keepdims=True") else ()
            add("ops.%s(x%s)" % (name, axis and ", " + axis), inputs, wrt=wrt)
    for name in ["any", "all", "count_nonzero"]:
        for axis in AXES:
            if name == "count_nonzero" and "keepdims" in axis:
                continue
            add("ops.%s(b%s)" % (name, axis and ", " + axis), inputs)
    for name in ["argmax", "argmin"]:
        for axis in ("", "axis=0", "axis=-1", "axis=1, keepdims=True"):
            add("ops.%s(x%s)" % (name, axis and ", " + axis), inputs)
    for name in ["cumsum", "cumprod"]:
        for axis in ("", "axis=0", "axis=-1", "axis=1"):
            add("ops.%s(x%s)" % (name, axis and ", " + axis), inputs, wrt="x")
    add(
        """
        ops.sum(b)
        ops.sum(b, axis=1)
        ops.mean(b)
        ops.mean(b, axis=(0, 1))
        ops.mean(i, axis=1)
        ops.sum(i, axis=(0, 1))
        ops.max(b, axis=1)
        ops.max(i, axis=(0, 1))
        ops.prod(b, axis=0)
        ops.var(i, axis=1)
        ops.std(i)
        ops.cumsum(b, axis=0)
        ops.cumsum(x, axis=1, dtype="float16") ==> np.cumsum(x.astype("float16"), axis=1)
        ops.norm(x) ==> np.sqrt(np.sum(x * x))
        ops.max(x, axis=1, initial=0.5)
        ops.min(x, axis=1, initial=0.5)
        ops.max(x, initial=100.0)
        ops.all(i)
        ops.any(x)
    """,
        inputs,
    )


def _hard(add):
    far = {
        "x": "normal(3, 64, loc=1e4)",
        "y": "normal(3, 64, loc=-300)",
        "z": "normal(2, 4, 4, 3, loc=1000, scale=0.1)",
        "k": "np.full((3, 5), 0.1, 'float32')",
    }
    for name in "xy":
        add(
            """
            ops.var({0}, axis=-1)
            ops.std({0}, axis=-1)
            ops.var({0})
            ops.moments({0}, axes=[1])
            ops.moments({0}, axes=[0, 1])
            ops.moments({0}, axes=[1], keepdims=True)
        """.format(name),
            far,
            wrt=name,
        )
    add(
        """
        ops.var(z, axis=(0, 1, 2))
        ops.moments(z, axes=[0, 1, 2])
        ops.moments(z, axes=[1, 2], keepdims=True)
        ops.var(k, axis=1)
        ops.std(k, axis=1)
        ops.moments(k, axes=[1])
        ops.var(x, axis=1, keepdims=True)
    """,
        far,
    )
    add(
        "ops.moments(x, axes=[1]) ==> ref.moments(x, [1])\nops.var(x, axis=1)\nops.mean(x, axis=1)",
        {"x": "normal(3, 40, loc=20)"},
        dtypes=("float16", "bfloat16"),
    )
    add("ops.moments(x, axes=[0])", {"x": "normal(3, 4, loc=300, scale=30)"}, dtypes=("float16",))
    add("ops.mean(x)\nops.sum(x, axis=0)", {"x": "np.full((70, 2), 1000.0, 'float32')"}, dtypes=("float16",))
    add(
        """
        ops.logsumexp(x, axis=1)
        ops.logsumexp(x)
        ops.logsumexp(y, axis=1)
        ops.logsumexp(y, axis=0, keepdims=True)
        ops.sum(x, axis=1)
    """,
        {"x": "1000 * normal(3, 4)", "y": "array([[-np.inf, -np.inf], [0., -np.inf], [1e4, 1e4]])"},
    )
    empty = {"e": "np.zeros((0, 3), 'float32')", "f": "np.zeros((3, 0), 'float32')", "s": "normal(3, 1)"}
    add(
        """
        ops.sum(e)
        ops.sum(e, axis=0)
        ops.sum(f, axis=1)
        ops.prod(e, axis=0)
        ops.mean(e, axis=1)
        ops.any(e, axis=0)
        ops.all(e, axis=0)
        ops.cumsum(f, axis=0)
        ops.exp(e)
        ops.concatenate([e, e], axis=0)
        ops.matmul(f, e)
        ops.reshape(e, (3, 0))
        ops.sum(s, axis=1)
        ops.var(s, axis=1)
        ops.std(s, axis=1)
        ops.max(s, axis=1)
        ops.mean(s, axis=1, keepdims=True)
        ops.sort(s, axis=1)
        ops.argmax(s, axis=1)
        ops.cumsum(s, axis=1)
        ops.squeeze(s, axis=1)
        ops.median(s, axis=1)
        ops.softmax(s)
    """,
        empty,
    )
    add(
        """
        ops.max(x)
        ops.min(x, axis=1)
        ops.sum(x, axis=0)
        ops.mean(x)
        ops.nansum(x, axis=1)
        ops.nanmean(x, axis=1)
        ops.nanmax(x, axis=0)
        ops.nanmin(x)
        ops.nanvar(x, axis=0)
        ops.nanstd(x)
        ops.nanprod(x)
        ops.nanmedian(x)
        ops.nanargmax(x, axis=1)
        ops.nanargmin(x, axis=1)
        ops.nancumsum(x, axis=1)
        ops.nanquantile(x, 0.25)
        ops.any(x)
        ops.cumsum(x, axis=1)
    """,
        {"x": "array([[1., np.nan, 3.], [-2., 5., 0.5], [np.nan, 2., 7.]])"},
    )
    add(
        """
        ops.max(x, axis=1)
        ops.min(x, axis=1)
        ops.argmax(x, axis=1)
        ops.argmin(x, axis=1)
        ops.sum(x, axis=1)
    """,
        {"x": "array([[1., np.inf], [-np.inf, -np.inf], [np.inf, -np.inf]])"},
    )


def _orders(add):
    inputs = {
        "x": "normal(3, 4, 5)",
        "t": "array([[3., 1., 3., 1., 2.], [0., 0., 0., 0., 0.], [5., 4., 3., 4., 5.]])",
        "z": "array([[0.0, -0.0, 0.0], [-0.0, 0.0, -0.0]])",
        "i": "integers(3, 6, low=-3, high=3)",
        "u": "array([[3., 1., 2.], [6., 5., 4.]])",
        "b": "bools(3, 4)",
    }
    add(
        """
        ops.sort(x)
        ops.sort(x, axis=0)
        ops.sort(x, axis=1)
        ops.sort(t)
        ops.sort(i)
        ops.sort(x, axis=None)
        ops.argsort(x)
        ops.argsort(x, axis=0)
        ops.argsort(x, axis=1)
        ops.argsort(x, axis=None)
        ops.argmax(t, axis=1)
        ops.argmin(t, axis=1)
        ops.argmax(i, axis=1)
        ops.argmax(b, axis=1)
        ops.argmax(t)
        ops.top_k(x, 3)
        ops.top_k(x, 1)
        ops.top_k(t, 5)[0]
        ops.top_k(u, 2, sorted=True)
        ops.partition(u, 1)[..., 1]
        ops.argpartition(u, 1)[..., 1]
        ops.argpartition(x, 2)[..., 2]
        ops.argpartition(u, 2, axis=None)[2]
        ops.argpartition(u, 1, axis=0)[1]
        ops.partition(x, 2)[..., 2]
        ops.top_k(x, 3, sorted=False)[0][..., :0]
        ops.nanargmax(x)
        ops.nanargmin(x, axis=0, keepdims=True)
        ops.max(x, axis=(0, 1, 2))
        ops.flip(x, axis=(0, 2))
        ops.sort(b, axis=1)
    """,
        inputs,
    )
    add(
        "ops.argsort(t) ==> np.argsort(t, kind='stable')\nops.argsort(i, axis=1) ==> np.argsort(i, axis=1, kind='stable')",
        inputs,
        unspecified="Keras does not promise a stable order of ties",
    )
    add("ops.top_k(t, 3)", inputs, unspecified="which of equal elements comes first is not documented")
    add(
        "ops.argmax(z, axis=1)\nops.argmin(z, axis=1)",
        inputs,
        unspecified="whether 0.0 and -0.0 are equal is not documented, and Keras orders them on purpose on some backends",
    )
    targets = {
        "p": "array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.7, 0.2, 0.1], [0.3, 0.3, 0.3]])",
        "y": "array([2, 1, 2, 1], 'int32')",
    }
    add("ops.in_top_k(y, p, 1)\nops.in_top_k(y, p, 2)\nops.in_top_k(y, p, 3)", targets)


def _statistics(add):
    inputs = {
        "x": "normal(4, 5, 6)",
        "w": "uniform(4, 5, 6, low=0.1)",
        "v": "uniform(5, low=0.1)",
        "q": "array([0.1, 0.5, 0.77])",
        "y": "normal(5, 6, seed=4)",
        "z": "normal(5, 6, seed=5)",
        "e": "normal(3, 6)",
    }
    add(
        """
        ops.average(x)
        ops.average(x, axis=1)
        ops.average(x, axis=1, weights=v)
        ops.average(x, weights=w)
        ops.average(x, axis=(0, 1))
        ops.average(x, axis=2, weights=w)
        ops.average(x, axis=-1)
        ops.median(x)
        ops.median(x, axis=1)
        ops.median(x, axis=(0, 2))
        ops.median(x, axis=-1, keepdims=True)
        ops.median(x, axis=(1, 2), keepdims=True)
        ops.quantile(x, 0.3)
        ops.quantile(x, 0.3, axis=1)
        ops.quantile(x, q, axis=-1)
        ops.quantile(x, q, axis=(0, 2))
        ops.quantile(x, q, axis=1, keepdims=True)
        ops.quantile(x, q)
        ops.quantile(x, 0.0)
        ops.quantile(x, 1.0, axis=0)
        ops.percentile(x, 30.0)
        ops.corrcoef(y)
        ops.cov(y)
        ops.diff(x)
        ops.diff(x, axis=0)
        ops.diff(x, n=2, axis=1)
        ops.trapezoid(y)
        ops.trapezoid(y, axis=0)
        ops.trapezoid(y, dx=0.5)
        ops.correlate(v, q)
        ops.correlate(v, q, mode="same")
        ops.correlate(v, q, mode="full")
        ops.histogram(y)
        ops.histogram(y, bins=4)
        ops.histogram(y, bins=5, range=(-1, 1))
        ops.digitize(y, ops.sort(v)) ==> np.digitize(y, np.sort(v))
        ops.searchsorted(ops.sort(v), q) ==> np.searchsorted(np.sort(v), q)
        ops.searchsorted(ops.sort(v), q, side="right") ==> np.searchsorted(np.sort(v), q, side="right")
    """,
        inputs,
    )
    for method in ("linear", "lower", "higher", "midpoint", "nearest"):
        add("ops.quantile(y, q, axis=1, method=%r)" % method, inputs)
        add("ops.quantile(e, 0.25, axis=0, method=%r)" % method, inputs)
    count = {"x": "integers(8, high=6)", "m": "integers(2, 5, high=4)", "w": "uniform(8)", "n": "uniform(2, 5)"}
    add(
        """
        ops.bincount(x)
        ops.bincount(x, minlength=9)
        ops.bincount(x, minlength=2)
        ops.bincount(x, weights=w)
        ops.bincount(x, weights=w, minlength=10)
        ops.bincount(m) ==> np.stack([np.bincount(r, minlength=m.max() + 1) for r in m])
        ops.bincount(m, minlength=7) ==> np.stack([np.bincount(r, minlength=7) for r in m])
        ops.bincount(m, weights=n) ==> np.stack([np.bincount(r, weights=s, minlength=m.max() + 1) for r, s in zip(m, n)])
    """,
        count,
        eager=True,
    )
