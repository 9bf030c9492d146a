"""Generates cases of seldom arguments: -1 for the rest, and cutoffs."""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    inputs = {
        "x": "normal(3, 4, seed=121)",
        "y": "normal(2, 3, 4, seed=122)",
        "d": "array([[3., 0., 0.], [0., 2., 0.], [0., 0., 0.01], [0., 0., 0.]])",
        "n": "uniform(4, 6, seed=125)",
        "u": "uniform(4, 3, seed=126)",
        "b": "normal(4, seed=123)",
        "c": "normal(4, 2, seed=124)",
    }
    add(
        """
        ops.slice(x, [1, 2], [-1, 2]) ==> x[1:, 2:4]
        ops.slice(x, [0, 1], [2, -1]) ==> x[:2, 1:]
        ops.slice(y, [1, 0, 2], [-1, -1, -1]) ==> y[1:, :, 2:]
        """,
        inputs,
        family="slices",
    )
    for matrix in ("d", "n", "u"):
        for right in ("b", "c"):
            for cutoff in ("0.02", "0.1", "0.2", "0.35"):
                add(
                    "ops.lstsq({0}, {1}, rcond={2}) ==> np.linalg.lstsq({0}, {1}, rcond={2})[0]".format(
                        matrix, right, cutoff
                    ),
                    inputs,
                    tol=1e4,
                    family="least squares",
                )
    add(
        """
        promised_shape(ops.slogdet(symbol(2, 3, 3))[0]) ==> [2]
        promised_shape(ops.slogdet(symbol(2, 3, 3))[1]) ==> [2]
        promised_shape(ops.slogdet(symbol(4, 2, 3, 3))[1]) ==> [4, 2]
        promised_shape(ops.det(symbol(4, 2, 3, 3))) ==> [4, 2]
        promised_shape(ops.logdet(symbol(4, 2, 3, 3))) ==> [4, 2]
        """,
        symbolic=False,
        eager=True,
        family="shapes",
    )
