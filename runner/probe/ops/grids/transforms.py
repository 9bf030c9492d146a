"""Generates cases of functions that transform whole arrays.

Linear algebra, Fourier transforms, normalization and attention functions, control flow.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _linalg(add)
    _fourier(add)
    _nn(add)
    _control(add)


def _linalg(add):
    inputs = {
        "a": "well_conditioned(3, 3)", "b": "well_conditioned(2, 3, 3)", "v": "normal(3)", "m": "normal(3, 2)", "n": "normal(2, 3, 2)", "s": "symmetric_positive(4)",
        "x": "normal(3, 4)", "y": "normal(2, 3, 4)", "t": "normal(5, 3)", "u": "normal(5)", "z": "normal(5, 2)", "w": "normal(2, 3)",
    }  # fmt: skip
    add(
        """
        ops.linalg.det(a)
        ops.linalg.det(b)
        ops.linalg.inv(a)
        ops.linalg.inv(b)
        ops.linalg.solve(a, v)
        ops.linalg.solve(a, m)
        ops.linalg.solve(b, n)
        ops.linalg.solve(b, w) ==> ref.solve(b, w)
        ops.linalg.solve_triangular(a, v, lower=True)
        ops.linalg.solve_triangular(a, m)
        ops.linalg.solve_triangular(b, n, lower=True)
        ops.linalg.cholesky(s)
        ops.linalg.cholesky(s, upper=True)
        ops.cholesky(s)
        ops.linalg.cholesky_inverse(ops.linalg.cholesky(s)) ==> np.linalg.inv(s)
        ops.linalg.lstsq(t, u) ==> ref.lstsq(t, u)
        ops.linalg.lstsq(t, z) ==> ref.lstsq(t, z)
        ops.linalg.norm(x) ==> ref.norm(x)
        ops.linalg.norm(x, axis=1) ==> ref.norm(x, axis=1)
        ops.linalg.norm(x, axis=0, keepdims=True) ==> ref.norm(x, axis=0, keepdims=True)
        ops.linalg.norm(x, ord="fro") ==> ref.norm(x, "fro")
        ops.linalg.norm(x, ord="nuc") ==> ref.norm(x, "nuc")
        ops.linalg.norm(x, ord=2) ==> ref.norm(x, 2)
        ops.linalg.norm(x, ord=1) ==> ref.norm(x, 1)
        ops.linalg.norm(x, ord=np.inf) ==> ref.norm(x, np.inf)
        ops.linalg.norm(x, ord=-np.inf) ==> ref.norm(x, -np.inf)
        ops.linalg.norm(x, ord=-2) ==> ref.norm(x, -2)
        ops.linalg.norm(x, ord=1, axis=1) ==> ref.norm(x, 1, 1)
        ops.linalg.norm(x, ord=2, axis=-1) ==> ref.norm(x, 2, -1)
        ops.linalg.norm(x, ord=3, axis=-1) ==> ref.norm(x, 3, -1)
        ops.linalg.norm(x, ord=0, axis=-1) ==> ref.norm(x, 0, -1)
        ops.linalg.norm(x, ord=np.inf, axis=0) ==> ref.norm(x, np.inf, 0)
        ops.linalg.norm(y, axis=(1, 2)) ==> ref.norm(y, axis=(1, 2))
        ops.linalg.norm(y, axis=(-2, -1), keepdims=True) ==> ref.norm(y, axis=(1, 2), keepdims=True)
        ops.linalg.norm(y, ord="nuc", axis=(1, 2)) ==> ref.norm(y, "nuc", axis=(1, 2))
        ops.linalg.norm(y, ord=2, axis=(0, 1)) ==> ref.norm(y, 2, axis=(0, 1))
        ops.linalg.norm(y, ord=1, axis=(1, 2), keepdims=True) ==> ref.norm(y, 1, axis=(1, 2), keepdims=True)
        ops.linalg.norm(v) ==> ref.norm(v)
        ops.linalg.norm(v, ord=1) ==> ref.norm(v, 1)
        """,
        inputs, wrt=("a", "v", "x", "y"), family="linalg", tol=256.0,
    )  # fmt: skip
    add(
        """
        ops.matmul(*ops.linalg.qr(x)) ==> x
        ops.matmul(*ops.linalg.qr(t)) ==> t
        ops.matmul(*ops.linalg.qr(t, mode="complete")) ==> t
        ops.linalg.svd(x, compute_uv=False) ==> np.linalg.svd(x, compute_uv=False)
        ops.linalg.svd(t, full_matrices=False)[1] ==> np.linalg.svd(t, compute_uv=False)
        ops.linalg.eigh(s)[0] ==> np.linalg.eigh(s)[0]
        ops.linalg.pinv(t) ==> np.linalg.pinv(t)
        ops.slogdet(a) ==> [np.linalg.slogdet(a)[0], np.linalg.slogdet(a)[1]]
        ops.slogdet(b) ==> [np.linalg.slogdet(b)[0], np.linalg.slogdet(b)[1]]
        ops.norm(x, axis=1) ==> ref.norm(x, axis=1)
        ops.normalize(x)
        ops.normalize(x, axis=0)
        ops.normalize(x, order=1)
        ops.normalize(x, order=3)
        ops.normalize(0 * x) ==> 0 * x
        utils.normalize(x) ==> x / np.linalg.norm(x, axis=-1, keepdims=True)
        utils.normalize(x, axis=0, order=1) ==> x / np.sum(np.abs(x), 0, keepdims=True)
        """,
        inputs, symbolic=False, tol=256.0, family="linalg",
    )  # fmt: skip


def _fourier(add):
    inputs = {"r": "normal(3, 8)", "i": "normal(3, 8, seed=1)", "o": "normal(2, 7)", "p": "normal(2, 7, seed=1)", "c": "normal(2, 5)", "d": "normal(2, 5, seed=1)",
              "s": "normal(2, 40)", "q": "normal(33)"}  # fmt: skip
    add(
        """
        ops.fft((r, i))
        ops.fft((o, p))
        ops.ifft2((r, i))
        ops.fft2((r, i))
        ops.fft2((o, p))
        ops.rfft(r)
        ops.rfft(o)
        ops.rfft(r, fft_length=6)
        ops.rfft(r, fft_length=11)
        ops.irfft((c, d))
        ops.irfft((c, d), fft_length=9)
        ops.irfft((c, d), fft_length=6)
        ops.irfft(ops.rfft(r)) ==> r
        ops.extract_sequences(r, 4, 2)
        ops.extract_sequences(r, 3, 3)
        """,
        inputs, wrt=("r", "o"), family="fourier",
    )  # fmt: skip
    add(
        """
        ops.stft(s, 16, 4, 16) ==> ?
        ops.stft(s, 12, 4, 16) ==> ?
        ops.stft(s, 16, 5, 16, center=False) ==> ?
        ops.stft(q, 8, 4, 8, window=None) ==> ?
        ops.stft(s, 16, 4, 16, window="hamming") ==> ?
        ops.istft(ops.stft(s, 16, 4, 16), 16, 4, 16) ==> s
        ops.istft(ops.stft(s, 16, 4, 16), 16, 4, 16, length=32) ==> s[:, :32]
        """,
        inputs, tol=2000.0, family="fourier",
    )  # fmt: skip


def _nn(add):
    inputs = {
        "x": "normal(3, 4, 5)", "f": "normal(2, 3, 4, 4)", "m": "normal(5, seed=3)", "v": "uniform(5, low=0.5)", "g": "uniform(5, low=0.5, seed=1)", "b": "normal(5, seed=4)",
        "n": "normal(3, seed=3)", "w": "uniform(3, low=0.5)", "q": "normal(2, 4, 2, 3)", "k": "normal(2, 5, 2, 3, seed=1)", "l": "normal(2, 5, 2, 3, seed=2)",
        "s": "normal(2, 4, 2, 3, seed=5)", "t": "array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1], [0, 1, 0, 0, 1], [1, 1, 1, 1, 1]], 'bool')[None, None]",
        "c": "normal(2, 2, 4, 5)", "h": "normal(2, 5, 1, 3, seed=1)", "j": "normal(2, 5, 1, 3, seed=2)", "y": "uniform(2, 4, 4, 3)", "z": "uniform(2, 4, 4, 3, seed=1)",
        "o": "uniform(3, 4, low=0.1)", "a": "normal(3, 4)",
    }  # fmt: skip
    add(
        """
        ops.batch_normalization(x, m, v, -1)
        ops.batch_normalization(x, m, v, 2, offset=b, scale=g)
        ops.batch_normalization(x, m, v, -1, scale=g, epsilon=0.1)
        ops.batch_normalization(f, n, w, 1)
        ops.batch_normalization(x, m, v, -1, offset=b)
        ops.layer_normalization(x, g, b, epsilon=0.001) ==> ref.layer_normalization(x, g, b)
        ops.rms_normalization(x, g)
        ops.rms_normalization(x, axis=1)
        ops.rms_normalization(x, axis=(1, 2), epsilon=0.1)
        ops.dot_product_attention(q, k, l)
        ops.dot_product_attention(q, s, s, is_causal=True)
        ops.dot_product_attention(q, k, l, mask=t)
        ops.dot_product_attention(q, k, l, bias=c)
        ops.dot_product_attention(q, k, l, scale=0.3)
        ops.dot_product_attention(q, h, j)
        ops.psnr(y, z, 1.0)
        ops.polar(o, a)
        ops.logdet(ops.matmul(ops.transpose(a), a) + ops.eye(4)) ==> np.linalg.slogdet(a.T @ a + np.eye(4))[1]
        """,
        inputs, wrt=("x", "f", "q", "k"), dynamic="xfqksyz", family="nn",
    )  # fmt: skip
    add(
        "ops.dot_product_attention(q, k, l)\nops.dot_product_attention(q, k, l, mask=t)",
        inputs,
        dtypes=("float16", "bfloat16"),
        family="attention",
        symbolic=False,
    )
    add(
        """
        ops.unfold(c, 2) ==> ?
        ops.unfold(c, (2, 3), dilation=1, padding=1, stride=2) ==> ?
        ops.depth_to_space(y[..., :1] * ops.ones((1, 1, 1, 8)), 2) ==> ?
        ops.space_to_depth(y, 2) ==> ?
        """,
        inputs, family="nn",
    )  # fmt: skip


def _control(add):
    inputs = {"x": "normal(4, 3)", "i": "integers(5)", "s": "normal(6)"}
    add(
        """
        ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1) ==> x + 1 if np.sum(x) > 0 else x - 1
        ops.fori_loop(0, 4, lambda i, v: v + 1.0, x) ==> x + 4
        ops.map(lambda v: 2 * v + 1, x) ==> 2 * x + 1
        ops.vectorized_map(lambda v: ops.sum(v * v), x) ==> np.sum(x * x, 1)
        ops.scan(lambda c, v: (c + v, 2 * c), ops.zeros((3,)), x) ==> [x.sum(0), 2 * (np.cumsum(x, 0) - x)]
        ops.scan(lambda c, v: (c + v, c), ops.zeros((3,)), x, reverse=True) ==> [x.sum(0), np.cumsum(x[::-1], 0)[::-1] - x]
        ops.associative_scan(ops.add, x) ==> np.cumsum(x, 0)
        ops.associative_scan(ops.add, x, axis=1) ==> np.cumsum(x, 1)
        ops.associative_scan(ops.add, x, reverse=True) ==> np.cumsum(x[::-1], 0)[::-1]
        ops.switch(1, [lambda v: v, lambda v: 3 * v], x) ==> 3 * x
        ops.vectorize(lambda a: a * 2)(s) ==> 2 * s
        ops.custom_gradient(lambda v: (v * v, lambda *a, upstream=None: 2 * v * (upstream if upstream is not None else a[0])))(x) ==> x * x
        """,
        inputs, wrt=("x",), symbolic=False, family="control flow",
    )  # fmt: skip
    # JAX has no reverse mode through a loop of unknown length
    add(
        "ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, 2 * v), (0, x)) ==> [3, 8 * x]\n"
        "ops.while_loop(lambda i, v: i < 9, lambda i, v: (i + 1, 2 * v), (0, x), maximum_iterations=2) ==> [2, 4 * x]",
        inputs, symbolic=False, family="control flow",
    )  # fmt: skip
