"""Generates cases that make, reshape, join, index and contract arrays."""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _reshape(add)
    _make(add)
    _index(add)
    _contract(add)


def _reshape(add):
    inputs = {
        "x": "normal(3, 4, 5)",
        "m": "normal(3, 4)",
        "v": "normal(6)",
        "q": "normal(1, 3, 1)",
        "o": "normal(3, 3, seed=2)",
    }
    add(
        """
        ops.reshape(x, (4, 15))
        ops.reshape(x, (-1, 10))
        ops.reshape(x, -1)
        ops.transpose(x)
        ops.transpose(x, (2, 0, 1))
        ops.swapaxes(x, 0, -1)
        ops.moveaxis(x, 0, -1)
        ops.moveaxis(x, [0, 1], [-1, -2])
        ops.ravel(x)
        ops.expand_dims(x, 1)
        ops.expand_dims(x, -1)
        ops.expand_dims(x, (0, 2))
        ops.expand_dims(x, (-1, 0))
        ops.squeeze(q)
        ops.squeeze(q, 0)
        ops.squeeze(q, (0, 2))
        ops.squeeze(q, -1)
        ops.flip(x)
        ops.flip(x, axis=1)
        ops.flip(x, axis=-1)
        ops.fliplr(m)
        ops.flipud(m)
        ops.rot90(m)
        ops.rot90(m, k=3)
        ops.rot90(x, k=2, axes=(1, 2))
        ops.rot90(x, k=3, axes=(1, 2))
        ops.rot90(x, k=3)
        ops.rot90(x, axes=(2, 1))
        ops.rot90(x, k=-1, axes=(0, 2))
        ops.roll(x, 2)
        ops.roll(x, 1, axis=1)
        ops.roll(x, -2, axis=-1)
        ops.roll(x, (1, 2), axis=(0, 1))
        ops.repeat(x, 2)
        ops.repeat(x, 2, axis=1)
        ops.repeat(m, [1, 0, 2], axis=0)
        ops.repeat(x, 3, axis=-1)
        ops.tile(x, 2)
        ops.tile(m, (2, 1))
        ops.tile(m, (2, 1, 3))
        ops.broadcast_to(q, (2, 3, 4))
        ops.pad(m, 1)
        ops.pad(m, ((1, 2), (0, 3)))
        ops.pad(m, ((1, 2), (0, 3)), constant_values=7)
        ops.pad(m, ((1, 2), (1, 3)), mode="reflect")
        ops.pad(m, ((1, 2), (1, 3)), mode="symmetric")
        ops.pad(x, ((0, 0), (1, 2), (1, 1)), mode="edge")
        ops.pad(x, ((0, 0), (1, 2), (1, 1)), mode="reflect")
        ops.pad(x, ((1, 1), (1, 2), (0, 1)), mode="wrap")
        ops.stack([m, m])
        ops.stack([m, 2 * m], axis=1)
        ops.stack([m, 2 * m], axis=-1)
        ops.concatenate([m, o], axis=1)
        ops.concatenate([m, o], axis=-1)
        ops.hstack([m, o])
        ops.vstack([m, m])
        ops.vstack([v, v])
        ops.hstack([v, v])
        ops.dstack([m, m])
        ops.append(m, o, axis=1)
        ops.append(m, o)
        ops.split(x, 2, axis=1)
        ops.split(x, [1, 3], axis=1)
        ops.split(x, [2], axis=-1)
        ops.array_split(x, 3, axis=1)
        ops.array_split(v, 4)
        ops.hsplit(m, 2)
        ops.vsplit(m, 3)
        ops.unstack(m)
        ops.unstack(x, axis=1)
        ops.unstack(x, axis=-1)
        ops.diagonal(m)
        ops.diagonal(x, offset=1)
        ops.diagonal(x, axis1=1, axis2=2)
        ops.diagonal(x, offset=-1, axis1=0, axis2=1)
        ops.diagonal(x, offset=-2, axis1=1, axis2=2)
        ops.diagonal(m, offset=2)
        ops.trace(x, offset=-1, axis1=1, axis2=2)
        ops.diag(v)
        ops.diag(v, k=2)
        ops.diag(o)
        ops.diag(m, k=-1)
        ops.diagflat(m)
        ops.trace(m)
        ops.trace(x, offset=1)
        ops.trace(x, axis1=1, axis2=2)
        ops.tril(m)
        ops.tril(x, k=-1)
        ops.triu(m)
        ops.triu(x, k=1)
        ops.atleast_1d(v)
        ops.atleast_2d(v)
        ops.atleast_3d(m)
        ops.copy(m)
        ops.vander(v)
        ops.vander(v, 3, increasing=True)
        ops.extract_sequences(m, 2, 1)
        ops.extract_sequences(x, 3, 2)
    """,
        inputs,
        wrt=("x", "m"),
    )
    stacked = {"a": "normal(4)", "b": "normal(3)"}
    add("ops.meshgrid(a, b)\nops.meshgrid(a, b, indexing='ij')", stacked)


def _make(add):
    add("""
        ops.arange(5)
        ops.arange(2, 9, 3)
        ops.arange(0.0, 1.0, 0.3)
        ops.arange(5, dtype="float32")
        ops.arange(10, 0, -3)
        ops.arange(0.5, 3)
        ops.linspace(0.0, 1.0, 5)
        ops.linspace(0.0, 1.0, 5, endpoint=False)
        ops.linspace(0, 10, 5)
        ops.linspace(0.0, 1.0, 1)
        ops.linspace(0.0, 1.0, 1, endpoint=False)
        ops.linspace(0.0, 1.0, 5, retstep=True)
        ops.logspace(0.0, 2.0, 5)
        ops.logspace(0.0, 2.0, 5, base=2)
        ops.logspace(0.0, 2.0, 4, endpoint=False)
        ops.geomspace(1.0, 100.0, 5)
        ops.eye(3)
        ops.eye(3, 4)
        ops.eye(3, 4, k=1)
        ops.eye(4, 3, k=-2)
        ops.eye(3, dtype="int32")
        ops.identity(3)
        ops.tri(3)
        ops.tri(3, 4, k=1)
        ops.tri(4, 3, k=-1)
        ops.ones((2, 3))
        ops.zeros((2, 3), dtype="int32")
        ops.full((2, 3), 1.5)
        ops.full((2, 3), 2, dtype="int32")
        ops.full((2,), 3)
        ops.array([1, 2, 3])
        ops.array([1.0, 2.0])
        ops.array([True, False])
        ops.bartlett(5)
        ops.blackman(5)
        ops.hamming(5)
        ops.hanning(5)
        ops.kaiser(5, 3.0)
        ops.bartlett(1)
        ops.blackman(1)
        ops.hanning(4)
        ops.convert_to_tensor([1.5, 2.5], dtype="int32") ==> np.array([1, 2])
        ops.convert_to_tensor([1, 2], dtype="float32")
        ops.one_hot(2, 5) ==> np.eye(5)[2]
    """)
    rows = {"a": "normal(3)", "b": "normal(3, seed=1)", "x": "normal(2, 3)"}
    add(
        """
        ops.linspace(a, b, 4)
        ops.linspace(a, b, 4, axis=-1)
        ops.linspace(a, b, 4, endpoint=False, axis=1)
        ops.logspace(a, b, 4)
        ops.zeros_like(x)
        ops.ones_like(x)
        ops.full_like(x, 2.5)
        ops.zeros_like(x, dtype="int32")
        ops.full_like(x, 3, dtype="int32")
        ops.empty_like(x) * 0 ==> np.zeros((2, 3))
    """,
        rows,
    )


def _index(add):
    inputs = {
        "x": "normal(4, 5)",
        "y": "normal(3, 4, 5)",
        "i": "array([[0, 2], [3, 1]], 'int32')",
        "n": "array([-1, 0, -3], 'int32')",
        "j": "array([[0, 1, 2, 3, 1], [3, 2, 1, 0, 0]], 'int32')",
        "k": "array([[1], [0], [4], [2]], 'int32')",
        "z": "array([[0., 1., 0.], [2., 0., 3.]])",
        "l": "array([0, 1, 0, 2, 2], 'int32')",
        "d": "normal(5, 3)",
        "c": "array([[0, 1], [2, 3], [0, 1]], 'int32')",
        "u": "normal(3)",
        "m": "array([-1, 4], 'int32')",
        "g": "array([0, -1, 2, 2, -1], 'int32')",
    }
    add(
        """
        ops.take(x, i)
        ops.take(x, i, axis=0)
        ops.take(x, i, axis=1)
        ops.take(x, n, axis=-1)
        ops.take(x, n, axis=0)
        ops.take(y, i, axis=1)
        ops.take(x, 2, axis=1)
        ops.take(x, -1, axis=0)
        ops.take_along_axis(x, j[:, :5], axis=0)
        ops.take_along_axis(x, k, axis=1)
        ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1) ==> np.sort(x, axis=1)
        ops.select([x > 1.0, x < -0.5], [x, -x], 7.0)
        ops.select([x > 1.0, x < -0.5], [x, -x])
        ops.slice(x, [1, 2], [2, 3])
        ops.slice_update(x, [1, 2], x[:2, :3])
        ops.scatter(c, u, (4, 5))
        ops.scatter_update(x, c[:2], u[:2])
        ops.segment_sum(d, l)
        ops.segment_sum(d, l, num_segments=5)
        ops.segment_max(d, l)
        ops.segment_max(d, l, num_segments=3)
        ops.segment_sum(d, g, num_segments=3)
        ops.segment_sum(d[:, 0], l, num_segments=3)
        ops.one_hot(l, 4)
        ops.one_hot(l, 4, axis=0)
        ops.one_hot(i, 4, axis=1)
        ops.one_hot(n, 3)
        ops.one_hot(m, 4)
        ops.multi_hot(i, 5)
        ops.multi_hot(l, 4)
        ops.unravel_index(i, (2, 3)) ==> np.unravel_index(i, (2, 3))
        ops.unravel_index(ops.sum(l), (2, 3, 4)) ==> np.unravel_index(np.sum(l), (2, 3, 4))
        ops.unravel_index(l, (2, 2, 3)) ==> np.unravel_index(l, (2, 2, 3))
        ops.take_along_axis(x, j[0], axis=None)
        x[1:, ::2]
        x[..., None]
        x[:, -1]
        x[::2]
    """,
        inputs,
        wrt=("x", "y", "d"),
    )
    add("ops.shape(x) ==> [4, 5]\nops.size(x)\nops.ndim(x)\nops.stop_gradient(x) ==> x", inputs, symbolic=False)
    add(
        "ops.stack(list(ops.nonzero(z))) ==> np.stack(np.nonzero(z))\nops.stack(list(ops.where(z))) ==> np.stack(np.nonzero(z))",
        inputs,
        symbolic=False,
    )
    add("ops.take(x, i, axis=0)\nops.take(x, k, axis=1)", {"x": "integers(4, 5)", "i": inputs["i"], "k": inputs["k"]})


def _contract(add):
    inputs = {
        "a": "normal(3, 4)",
        "b": "normal(4, 5)",
        "c": "normal(2, 3, 4)",
        "d": "normal(2, 4, 5)",
        "v": "normal(4)",
        "u": "normal(3)",
        "e": "normal(1, 4, 5)",
        "f": "normal(2, 2, 3, 4)",
        "g": "normal(3)",
        "h": "normal(3, seed=1)",
        "k": "normal(2, 3, seed=1)",
        "l": "normal(2, 3, seed=2)",
        "s": "normal(3, 3)",
    }
    add(
        """
        ops.matmul(a, b)
        ops.matmul(c, d)
        ops.matmul(c, b)
        ops.matmul(a, v)
        ops.matmul(u, a)
        ops.matmul(v, v)
        ops.matmul(c, e)
        ops.matmul(c, v)
        ops.matmul(v, d)
        ops.matmul(f, b)
        ops.dot(a, b)
        ops.dot(c, b)
        ops.dot(c, d)
        ops.dot(a, v)
        ops.dot(v, v)
        ops.dot(a, 2.0)
        ops.tensordot(a, b, axes=1)
        ops.tensordot(c, d, axes=[[2], [1]])
        ops.tensordot(c, d, axes=[[0, 2], [0, 1]])
        ops.tensordot(a, a, axes=2)
        ops.tensordot(u, v, axes=0)
        ops.inner(a, a)
        ops.inner(c, a)
        ops.inner(v, v)
        ops.outer(u, v)
        ops.outer(a, b)
        ops.vdot(a, a)
        ops.kron(a, s)
        ops.cross(g, h)
        ops.cross(k, l)
        ops.cross(k, g)
        ops.einsum("ij,jk->ik", a, b)
        ops.einsum("ij,jk->ki", a, b)
        ops.einsum("bij,bjk->bik", c, d)
        ops.einsum("bij->bji", c)
        ops.einsum("ii->i", s)
        ops.einsum("ii", s)
        ops.einsum("ij->", a)
        ops.einsum("...ij,...jk->...ik", c, d)
        ops.einsum("bij,jk->bik", c, b)
        ops.einsum("bhij,jk->bhik", f, b)
        ops.einsum("i,j->ij", u, v)
        ops.einsum("bij,bij->b", c, c)
    """,
        inputs,
        wrt=("a", "c", "v"),
    )
    small = {"a": "integers(3, 4, low=-3, dtype='int8')", "b": "integers(4, 2, low=-3, dtype='int8')"}
    add("ops.matmul(a, b) ==> np.matmul(a.astype('int32'), b.astype('int32'))", small)
    add(
        "ops.matmul(a, b)\nops.einsum('ij,jk->ik', a, b)\nops.dot(a, b)",
        {"a": inputs["a"], "b": inputs["b"]},
        dtypes=("float16", "bfloat16"),
    )
