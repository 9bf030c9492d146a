"""Generates cases that users write and that the other grids leave out.

These are lists and plain numbers, negative axes, an unknown batch, later names.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _plain(add)
    _negative(add)
    _unknown(add)
    _later(add)


def _plain(add):
    add(
        """
        ops.sum([1.0, 2.0])
        ops.mean([1, 2, 4])
        ops.max([1, 5, 2])
        ops.min([[1.0, 2.0], [0.5, 3.0]], axis=1)
        ops.add([1, 2], [3, 4])
        ops.multiply([1.0, 2.0], 3.0)
        ops.subtract(5, [1, 2])
        ops.divide([1, 2], [4, 8])
        ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
        ops.dot([1.0, 2.0], [3.0, 4.0])
        ops.concatenate([[1.0], [2.0, 3.0]])
        ops.stack([[1.0], [2.0]])
        ops.argmax([1.0, 3.0, 2.0])
        ops.argsort([3.0, 1.0, 2.0])
        ops.sort([3.0, 1.0, 2.0])
        ops.cumsum([1, 2, 3])
        ops.exp(1.0)
        ops.sqrt(4.0)
        ops.abs(-2.5)
        ops.power(2.0, 3.0)
        ops.maximum(1.0, 2.0)
        ops.minimum([1.0, 4.0], 2.0)
        ops.clip([0.5, 2.5], 0.0, 1.0)
        ops.floor_divide([7.0, -7.0], 2.0)
        ops.mod([7.0, -7.0], 3.0)
        ops.square([1.0, 2.0])
        ops.isnan([1.0, np.nan])
        ops.equal([1, 2], [1, 3])
        ops.logical_and([True, False], [True, True])
        ops.logical_not([True, False])
        ops.std([1.0, 2.0, 4.0])
        ops.var([1.0, 2.0, 4.0])
        ops.median([1.0, 2.0, 4.0])
        ops.quantile([1.0, 2.0, 4.0], 0.25)
        ops.average([1.0, 2.0, 4.0], weights=[1.0, 0.0, 3.0])
        ops.reshape([1, 2, 3, 4], (2, 2))
        ops.transpose([[1, 2], [3, 4]])
        ops.repeat([1, 2], 2)
        ops.tensordot([[1.0, 2.0]], [[3.0], [4.0]], axes=1)
        ops.einsum("i,i->", [1.0, 2.0], [3.0, 4.0])
        ops.take([1.0, 2.0, 3.0], [0, 2])
        ops.diff([1.0, 4.0, 9.0])
        ops.norm([3.0, 4.0]) ==> 5.0
        ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        ops.relu([-1.0, 2.0]) ==> np.array([0.0, 2.0])
        ops.sigmoid([0.0, 1.0]) ==> 1 / (1 + np.exp([0.0, -1.0]))
        ops.one_hot([0, 2], 3) ==> np.eye(3)[[0, 2]]
        ops.expand_dims([1, 2], 0)
        ops.squeeze([[1, 2]], 0)
        ops.pad([1, 2], ((1, 1),))
        ops.broadcast_to([1, 2], (2, 2))
        ops.split([1, 2, 3, 4], 2) ==> [np.array([1, 2]), np.array([3, 4])]
        ops.round([1.25, 2.75], 1)
        ops.prod([1, 2, 3])
        ops.tril([[1, 2], [3, 4]])
        ops.isclose([1.0, 2.0], [1.0, 2.1])
        ops.digitize([0.2, 1.5], [0.0, 1.0])
        ops.vstack([[1, 2], [3, 4]])
        ops.hstack([[1, 2], [3, 4]])
        ops.sum(2.0)
        ops.mean(2.0)
        ops.max(2.0)
        """,
        symbolic=False, eager=True, family="plain values",
    )  # fmt: skip


def _negative(add):
    inputs = {
        "x": "normal(2, 3, 4, seed=11)",
        "y": "normal(2, 3, 4, seed=12)",
        "i": "array([1, 0], 'int32')",
        "z": "normal(2, 4, 4, seed=13)",
    }
    add(
        """
        ops.stack([x, y], axis=-2)
        ops.expand_dims(x, -2)
        ops.concatenate([x, y], axis=-2)
        ops.split(x, 3, axis=-2)
        ops.unstack(x, axis=-2)
        ops.take(x, i, axis=-2)
        ops.repeat(x, 2, axis=-2)
        ops.roll(x, 1, axis=-2)
        ops.flip(x, axis=-2)
        ops.flip(x, axis=(-1, -3))
        ops.swapaxes(x, -1, -3)
        ops.moveaxis(x, -1, 0)
        ops.moveaxis(x, (-1, -2), (0, 1))
        ops.cumsum(x, axis=-2)
        ops.cumprod(x, axis=-2)
        ops.sort(x, axis=-2)
        ops.argsort(x, axis=-2)
        ops.argmax(x, axis=-2)
        ops.argmin(x, axis=-3)
        ops.sum(x, axis=(-2, -3))
        ops.mean(x, axis=(-1, -3), keepdims=True)
        ops.max(x, axis=(-1, -2))
        ops.min(x, axis=-2, keepdims=True)
        ops.prod(x, axis=-2)
        ops.prod(x, axis=(-1, 0))
        ops.all(x > 0, axis=(-1, 0))
        ops.any(x > 0, axis=-2, keepdims=True)
        ops.count_nonzero(x > 0, axis=(-1, 0))
        ops.var(x, axis=(-1, -2))
        ops.std(x, axis=-2, keepdims=True)
        ops.median(x, axis=-2)
        ops.median(x, axis=(-2, 0))
        ops.quantile(x, 0.3, axis=-2)
        ops.quantile(x, 0.3, axis=(0, -1), keepdims=True)
        ops.diff(x, axis=-2)
        ops.logsumexp(x, axis=(-1, -2))
        ops.logsumexp(x, axis=-2, keepdims=True)
        ops.softmax(x, axis=-3)
        ops.log_softmax(x, axis=-2)
        ops.trace(z, axis1=-2, axis2=-1)
        ops.diagonal(z, axis1=-2, axis2=-1)
        ops.diagonal(z, axis1=-1, axis2=-2, offset=1)
        ops.rot90(z, axes=(-2, -1))
        ops.tensordot(x, y, axes=[[-1], [-1]])
        ops.norm(x, axis=-2) ==> ref.norm(x, axis=-2)
        ops.norm(x, axis=(-1, -2)) ==> ref.norm(x, axis=(-1, -2))
        ops.average(x, axis=-2)
        ops.average(x, axis=-2, weights=y + 5)
        ops.take_along_axis(x, ops.argsort(x, axis=-2), axis=-2) ==> np.sort(x, axis=-2)
        ops.nansum(x, axis=(-1, -2))
        ops.nanmean(x, axis=-2)
        ops.nanmax(x, axis=-2)
        ops.nanmedian(x, axis=-2)
        ops.nanquantile(x, 0.3, axis=-2)
        ops.trapezoid(x, axis=-2)
        ops.squeeze(x[:, :1], -2)
        ops.array_split(x, 2, axis=-2)
        ops.ptp(x, axis=-2)
        ops.nancumsum(x, axis=-2)
        ops.glu(x, axis=-3)
        ops.sparsemax(x, axis=-2)
        ops.normalize(x, axis=-2)
        ops.normalize(x, axis=(-1, -2)) ==> x / np.sqrt(np.sum(x * x, (1, 2), keepdims=True))
        ops.normalize(x, order=1)
        ops.normalize(x, axis=1, order=3)
        """,
        inputs, family="negative axes",
    )  # fmt: skip


def _unknown(add):
    inputs = {
        "x": "normal(5, 3, 4, seed=21)", "y": "normal(5, 3, 4, seed=22)", "b": "normal(4, 2, seed=23)", "i": "array([2, 0, 1, 1, 0], 'int32')", "v": "normal(5, seed=24)",
        "w": "normal(4, 3, 6, seed=25)", "q": "normal(5, 1, 4, seed=26)", "m": "normal(5, 4, 4, seed=27)",
    }  # fmt: skip
    add(
        """
        ops.reshape(x, (-1, 12))
        ops.reshape(x, (5, 12))
        ops.reshape(x, (-1, 2, 6))
        ops.transpose(x, (0, 2, 1))
        ops.transpose(x, (1, 0, 2))
        ops.concatenate([x, y], axis=0)
        ops.concatenate([x, y], axis=1)
        ops.stack([x, y], axis=1)
        ops.split(x, 3, axis=1)
        ops.split(x, [1, 3], axis=2)
        ops.repeat(x, 2, axis=0)
        ops.repeat(x, 2, axis=1)
        ops.tile(x, (1, 2, 1))
        ops.tile(x, (2, 1, 1))
        ops.pad(x, ((0, 0), (1, 1), (0, 2)))
        ops.pad(x, ((1, 0), (0, 0), (0, 0)))
        ops.expand_dims(x, (0, -1))
        ops.squeeze(q, 1)
        ops.squeeze(q)
        ops.flip(x, axis=0)
        ops.roll(x, 1, axis=0)
        ops.moveaxis(x, 0, -1)
        ops.swapaxes(x, 0, 1)
        ops.matmul(x, b)
        ops.matmul(x, ops.transpose(y, (0, 2, 1))) ==> x @ y.transpose(0, 2, 1)
        ops.einsum("bij,jk->bik", x, b)
        ops.einsum("bij,bkj->bik", x, y)
        ops.einsum("bij->bji", x)
        ops.einsum("bij,bij->", x, y)
        ops.tensordot(x, b, axes=1)
        ops.dot(x, b)
        ops.sum(x, axis=0)
        ops.mean(x, axis=(0, 2))
        ops.max(x, axis=0)
        ops.argmax(x, axis=0)
        ops.var(x, axis=0)
        ops.std(x, axis=(0, 1))
        ops.median(x, axis=0)
        ops.sort(x, axis=0)
        ops.argsort(x, axis=0)
        ops.top_k(x, 2)
        ops.cumsum(x, axis=0)
        ops.diff(x, axis=0)
        ops.diff(x, axis=1)
        ops.take(x, [0, 2], axis=1)
        ops.take(x, i, axis=0)
        ops.take(b, i, axis=0)
        ops.one_hot(i, 3)
        ops.one_hot(i, 3, axis=0)
        ops.multi_hot(i[:, None], 3) ==> np.eye(3)[i]
        ops.where(x > 0, x, y)
        ops.where(x > 0, x, 0.0)
        ops.softmax(x, axis=0)
        ops.logsumexp(x, axis=0)
        ops.logsumexp(x, axis=(1, 2))
        ops.linalg.norm(x, axis=-1) ==> ref.norm(x, axis=-1)
        ops.normalize(x)
        ops.broadcast_to(q, (5, 3, 4))
        ops.meshgrid(v, b[:, 0])
        ops.outer(v, b[:, 0])
        ops.diagonal(m, axis1=1, axis2=2)
        ops.trace(m, axis1=1, axis2=2)
        ops.tril(m)
        ops.triu(m, k=1)
        ops.unstack(x, axis=1)
        ops.array_split(x, 2, axis=1)
        ops.ravel(x)
        ops.vstack([x, y])
        ops.hstack([x, y])
        ops.dstack([x, y])
        ops.append(x, y, axis=1)
        ops.cross(x[:, :, :3], y[:, :, :3])
        ops.inner(x, b[:, 0])
        ops.kron(x[:, 0], b)
        ops.moments(x, [0])
        ops.moments(x, [0, 1], keepdims=True)
        ops.quantile(x, 0.3, axis=1)
        ops.average(x, axis=0)
        ops.bincount(i, minlength=3)
        ops.slice_update(x, [0, 1, 0], y[:, :1]) ==> np.concatenate([x[:, :1], y[:, :1], x[:, 2:]], 1)
        ops.select([x > 1.0, x < -0.5], [x, y], 0.0)
        ops.vectorized_map(lambda r: r * 2.0, x) ==> 2 * x
        ops.map(lambda r: r * 2.0, x) ==> 2 * x
        ops.full_like(x, 2.0)
        ops.zeros_like(x)
        ops.glu(x)
        ops.rfft(x)
        ops.shape(x)[1:] ==> [3, 4]
        x[:, 1]
        x[:, 1:, ::2]
        x[:, -1:]
        x[..., None]
        x[1:]
        x[:, None]
        """,
        inputs, dynamic="xyvqmi", family="unknown batch",
    )  # fmt: skip
    layers = {**inputs, "f": "normal(3, 6, 5, 4, seed=28)", "e": "uniform(3, 4, 4, 3, seed=29)"}
    add(
        """
        layers.Flatten()(x) ==> x.reshape(5, -1)
        layers.Reshape((12,))(x) ==> x.reshape(5, 12)
        layers.Reshape((-1, 6))(x) ==> x.reshape(5, 2, 6)
        layers.Reshape((2, -1))(x) ==> x.reshape(5, 2, 6)
        layers.UpSampling2D((2, 1), interpolation="nearest")(f) ==> np.repeat(f, 2, 1)
        layers.GlobalAveragePooling2D()(f) ==> f.mean((1, 2))
        layers.add([x, y]) ==> x + y
        layers.subtract([x, y]) ==> x - y
        layers.multiply([x, y]) ==> x * y
        layers.average([x, y]) ==> (x + y) / 2
        layers.maximum([x, y]) ==> np.maximum(x, y)
        layers.minimum([x, y]) ==> np.minimum(x, y)
        layers.concatenate([x, y], axis=1) ==> np.concatenate([x, y], 1)
        layers.dot([x, y], axes=2) ==> np.einsum("bij,bkj->bik", x, y)
        layers.SpatialDropout3D(0.5)(f[..., None]) ==> f[..., None]
        ops.image.rgb_to_grayscale(e) ==> np.sum(e * np.array([0.2989, 0.587, 0.114]), -1, keepdims=True)
        ops.image.pad_images(e, top_padding=1, bottom_padding=0, left_padding=2, right_padding=3) ==> np.pad(e, ((0, 0), (1, 0), (2, 3), (0, 0)))
        ops.image.crop_images(e, top_cropping=1, left_cropping=1, target_height=2, target_width=2) ==> e[:, 1:3, 1:3]
        """,
        layers, dynamic="xyfe", family="unknown batch",
    )  # fmt: skip


def _later(add):
    inputs = {
        "x": "normal(3, 4, seed=31)", "y": "normal(2, 4, seed=32)", "i": "array([[0, 2, 1], [3, 1, 0]], 'int32')", "n": "array([[1., np.nan, 3.], [-2., 5., 0.5]])",
        "d": "normal(5, 3)", "l": "array([0, 1, 0, 2, 2], 'int32')", "c": "normal(2, 3, 4, seed=33)", "p": "normal(3, 2, seed=34)", "a": "well_conditioned(3, 3)",
        "s": "symmetric_positive(4)", "u": "normal(2, 4, 4, 3, seed=35)", "o": "normal(2, 2, 2, 12, seed=36)", "f": "normal(1, 2, 4, 5, seed=37)", "e": "uniform(1, 12, 12, 1)",
        "g": "uniform(1, 12, 12, 1, seed=1)", "t": "array([3, 1, 3, 2, 1], 'int32')",
    }  # fmt: skip
    add(
        """
        ops.absolute(x)
        ops.conjugate(x)
        ops.fabs(x)
        ops.erfc(x) ==> 1 - ref.erf(x)
        ops.i0(x)
        ops.isreal(x)
        ops.isin(i, [0, 3])
        ops.isin(i, [0, 3], invert=True)
        ops.allclose(x, x + 1e-9)
        ops.nancumprod(n, axis=1)
        ops.nanpercentile(n, 30.0)
        ops.dsplit(c, 2)
        ops.unique(t)
        ops.swish(x) ==> x * ref.sigmoid(x)
        ops.hard_swish(x) ==> ref.hard_silu(x)
        activations.swish(x) ==> x * ref.sigmoid(x)
        activations.threshold(x, 0.5, -1.0) ==> np.where(x > 0.5, x, -1.0)
        ops.cdist(x, y) ==> np.sqrt(np.sum((x[:, None] - y[None]) ** 2, -1))
        ops.segment_min(d, l, num_segments=3) ==> np.stack([d[l == k].min(0) for k in range(3)])
        ops.segment_prod(d, l, num_segments=3) ==> np.stack([d[l == k].prod(0) for k in range(3)])
        ops.matrix_rank(a) ==> 3
        ops.rearrange(c, "b h w -> b (h w)") ==> c.reshape(2, 12)
        ops.rearrange(c, "b (h k) w -> k b h w", k=3) ==> c.reshape(2, 1, 3, 4).transpose(2, 0, 1, 3)
        ops.view_as_real(ops.view_as_complex(p)) ==> p
        ops.sort(ops.real(ops.eig(s)[0])) ==> np.linalg.eigvalsh(s)
        ops.space_to_depth(u, 2) ==> u.reshape(2, 2, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 2, 12)
        ops.depth_to_space(o, 2) ==> o.reshape(2, 2, 2, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 4, 3)
        ops.fold(ops.unfold(f, 2, stride=1), (4, 5), 2, stride=1) ==> f * (np.r_[1, 2, 2, 1][:, None] * np.r_[1, 2, 2, 2, 1])
        ops.image.ssim(e, e) ==> np.ones(1)
        ops.image.ssim(e, g) ==> ?
        ops.image.sobel_edges(u) ==> ?
        ops.image.extract_patches_3d(u[..., None], 2) ==> ?
        ops.jvp(lambda v: v * v, (x,), (x,))[1] ==> 2 * x * x
        """,
        inputs, family="later names", tol=256.0, eager=True,
    )  # fmt: skip
