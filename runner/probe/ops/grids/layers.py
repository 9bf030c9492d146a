"""Layers with given weights against their definitions."""

from __future__ import annotations

import itertools


def add(add):
    """Adds the cases."""
    _dense(add)
    _convolutions(add)
    _pooling(add)
    _normalization(add)
    _reshaping(add)
    _merging(add)
    _attention(add)
    _preprocessing(add)


def _dense(add):
    inputs = {
        "x": "normal(3, 5)", "y": "normal(2, 3, 5)", "w": "normal(5, 4)", "b": "normal(4)", "i": "integers(2, 3, high=6)",
        "e": "normal(6, 4)", "a": "normal(5, 2, 3)", "c": "normal(2, 3)", "s": "normal(5)", "t": "uniform(5, low=0.5)",
    }  # fmt: skip
    add(
        """
        apply(layers.Dense(4), x, weights=[w, b]) ==> ref.dense(x, w, b)
        apply(layers.Dense(4), y, weights=[w, b]) ==> ref.dense(y, w, b)
        apply(layers.Dense(4, use_bias=False), x, weights=[w]) ==> x @ w
        apply(layers.Dense(4, activation="relu"), x, weights=[w, b]) ==> ref.relu(ref.dense(x, w, b))
        apply(layers.Dense(4, activation="softmax"), y, weights=[w, b]) ==> ref.softmax(ref.dense(y, w, b))
        apply(layers.EinsumDense("ab,bc->ac", output_shape=4, bias_axes="c"), x, weights=[w, b]) ==> ref.dense(x, w, b)
        apply(layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d"), y, weights=[w, b]) ==> ref.dense(y, w, b)
        apply(layers.EinsumDense("...x,xy->...y", output_shape=4, bias_axes="y"), y, weights=[w, b]) ==> ref.dense(y, w, b)
        apply(layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de"), y, weights=[a, c]) ==> np.einsum("abc,cde->abde", y, a) + c
        apply(layers.Embedding(6, 4), i, weights=[e]) ==> e[i]
        apply(layers.Embedding(6, 4, mask_zero=True), i, weights=[e]) ==> e[i]
        layers.Embedding(6, 4, mask_zero=True).compute_mask(i) ==> i != 0
        layers.Masking(0.0)(y) ==> y
        layers.Activation("tanh")(x) ==> np.tanh(x)
        layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2)(x) ==> ref.relu(x, 0.1, 1.0, 0.2)
        layers.LeakyReLU(negative_slope=0.2)(x) ==> ref.leaky_relu(x, 0.2)
        layers.LeakyReLU()(x) ==> ref.leaky_relu(x, 0.3)
        layers.ELU(alpha=0.5)(x) ==> ref.elu(x, 0.5)
        layers.Softmax()(x) ==> ref.softmax(x)
        layers.Softmax(axis=(1, 2))(y) ==> np.exp(y - ref.logsumexp(y, axis=(1, 2), keepdims=True))
        apply(layers.PReLU(), x, weights=[s]) ==> np.where(x > 0, x, s * x)
        apply(layers.PReLU(shared_axes=[1]), y, weights=[s[None]]) ==> np.where(y > 0, y, s * y)
        layers.Identity()(x) ==> x
        layers.Dropout(0.5)(x) ==> x
        layers.GaussianNoise(0.5)(x) ==> x
        layers.GaussianDropout(0.5)(x) ==> x
        layers.AlphaDropout(0.5)(x) ==> x
        layers.SpatialDropout1D(0.5)(y) ==> y
        layers.Dropout(0.0)(x, training=True) ==> x
        layers.ActivityRegularization(0.1)(x) ==> x
        layers.UnitNormalization()(x) ==> ref.unit_norm(x)
        layers.UnitNormalization(axis=1)(y) ==> ref.unit_norm(y, 1)
        layers.Lambda(lambda v: 2 * v)(x) ==> 2 * x
        layers.TimeDistributed(layers.Activation("tanh"))(y) ==> np.tanh(y)
        apply(layers.TimeDistributed(layers.Dense(4)), y, weights=[w, b]) ==> ref.dense(y, w, b)
        """,
        inputs,
        wrt=("x", "y"),
        dynamic="xy",
        family="dense",
    )
    mask = {"x": "normal(2, 3)", "m": "array([[True, True, False], [False, True, True]], 'bool')"}
    add("layers.Softmax()(x, mask=m) ==> ref.softmax(np.where(m, x, -1e300))", mask, wrt="x")
    add(
        "mask_of(layers.Masking(0.0)(x)) ==> np.any(x != 0, -1)",
        {"x": "array([[[1., 0.], [0., 0.]], [[0., 0.], [2., 3.]]])"},
        symbolic=False,
    )


def _convolutions(add):
    inputs = {
        "x": "normal(2, 9, 3)", "w": "normal(3, 3, 4)", "v": "normal(2, 3, 4)", "b": "normal(4)", "i": "normal(2, 9, 8, 4)",
        "k": "normal(3, 3, 4, 6)", "g": "normal(3, 3, 2, 6)", "c": "normal(6)", "d": "normal(3, 3, 4, 2)", "h": "normal(8)",
        "t": "normal(3, 3, 6, 4)", "u": "normal(3, 4, 3)", "p": "normal(1, 1, 8, 5)", "q": "normal(5)", "z": "normal(1, 5, 6, 4, 2)",
        "y": "normal(3, 2, 3, 2, 4)", "f": "normal(2, 4, 9, 8)", "e": "normal(3, 3, 2)", "o": "normal(6)", "r": "normal(3, 2, 3, 4, 2)",
    }  # fmt: skip
    for stride, dilation, padding in itertools.product((1, 2), (1, 2), ("same", "valid", "causal")):
        if stride > 1 and dilation > 1:
            continue
        for kernel, size in (("w", 3), ("v", 2)):
            add(
                "apply(layers.Conv1D(4, %d, strides=%d, padding=%r, dilation_rate=%d), x, weights=[%s, b])"
                " ==> ref.conv(x, %s, %d, %r, None, %d) + b" % (size, stride, padding, dilation, kernel, kernel, stride, padding, dilation),
                inputs, wrt="x" if size == 3 else (), dynamic="x", family="convolution",
            )  # fmt: skip
    for stride, padding in itertools.product((1, 2), ("same", "valid")):
        options = "strides=%d, padding=%r" % (stride, padding)
        add(
            """
            apply(layers.Conv2D(6, 3, {0}), i, weights=[k, c]) ==> ref.conv(i, k, {1}) + c
            apply(layers.Conv2D(6, 3, groups=2, {0}), i, weights=[g, c]) ==> ref.conv(i, g, {1}) + c
            apply(layers.Conv2D(6, 3, data_format="channels_first", {0}), f, weights=[k, c]) ==> ref.conv(f, k, {1}, "channels_first") + c[:, None, None]
            apply(layers.DepthwiseConv2D(3, depth_multiplier=2, {0}), i, weights=[d, h]) ==> ref.depthwise_conv(i, d, {1}) + h
            apply(layers.SeparableConv2D(5, 3, depth_multiplier=2, {0}), i, weights=[d, p, q]) ==> ref.separable_conv(i, d, p, {1}) + q
            apply(layers.Conv2DTranspose(6, 3, {0}), i, weights=[t, c]) ==> ref.conv_transpose(i, t, {1}) + c
            apply(layers.Conv1DTranspose(4, 3, {0}), x, weights=[u, b]) ==> ref.conv_transpose(x, u, {1}) + b
            apply(layers.Conv3D(4, (3, 2, 3), {0}), z, weights=[y, b]) ==> ref.conv(z, y, {1}) + b
            apply(layers.Conv3DTranspose(4, (3, 2, 3), {0}), z, weights=[r, b]) ==> ref.conv_transpose(z, r, {1}) + b
            apply(layers.DepthwiseConv1D(3, depth_multiplier=2, {0}), x, weights=[e, o]) ==> ref.depthwise_conv(x, e, {1}) + o
            """.format(options, "%d, %r" % (stride, padding)),
            inputs, wrt=("i", "x") if stride == 2 else (), dynamic="ixzf", family="convolution",
        )  # fmt: skip


def _pooling(add):
    inputs = {"x": "normal(2, 9, 3, loc=-3)", "i": "normal(2, 8, 7, 3, loc=-3)", "z": "normal(1, 5, 6, 4, 2, loc=-3)",
              "f": "normal(2, 3, 8, 7, loc=-3)", "m": "array([[1] * 9, [1, 0, 1, 1, 0, 0, 1, 0, 0]], 'bool')"}  # fmt: skip
    for kind, name in (("Max", "max"), ("Average", "average")):
        for pool, stride, padding in itertools.product((2, 3), (None, 1, 2), ("same", "valid")):
            rest = "%d, %r, %r" % (pool, stride, padding)
            add(
                """
                layers.{0}Pooling1D(pool_size={2}, strides={3}, padding={4!r})(x) ==> ref.{1}_pool(x, {5})
                layers.{0}Pooling2D(pool_size={2}, strides={3}, padding={4!r})(i) ==> ref.{1}_pool(i, {5})
                layers.{0}Pooling3D(pool_size={2}, strides={3}, padding={4!r})(z) ==> ref.{1}_pool(z, {5})
                """.format(kind, name, pool, stride, padding, rest),
                inputs, dynamic="xiz", family="pooling",
            )  # fmt: skip
        add(
            """
            layers.{0}Pooling2D(2, data_format="channels_first", padding="same")(f) ==> ref.{1}_pool(f, 2, None, "same", "channels_first")
            layers.Global{0}Pooling1D()(x) ==> np.{2}(x, 1)
            layers.Global{0}Pooling1D(keepdims=True)(x) ==> np.{2}(x, 1, keepdims=True)
            layers.Global{0}Pooling1D(data_format="channels_first")(x) ==> np.{2}(x, 2)
            layers.Global{0}Pooling2D()(i) ==> np.{2}(i, (1, 2))
            layers.Global{0}Pooling2D(keepdims=True)(i) ==> np.{2}(i, (1, 2), keepdims=True)
            layers.Global{0}Pooling2D(data_format="channels_first")(f) ==> np.{2}(f, (2, 3))
            layers.Global{0}Pooling3D()(z) ==> np.{2}(z, (1, 2, 3))
            layers.Adaptive{0}Pooling1D(4)(x) ==> ref.adaptive_{1}_pool(x, 4)
            layers.Adaptive{0}Pooling2D(3)(i) ==> ref.adaptive_{1}_pool(i, 3)
            layers.Adaptive{0}Pooling2D((2, 5))(i) ==> ref.adaptive_{1}_pool(i, (2, 5))
            layers.Adaptive{0}Pooling3D(2)(z) ==> ref.adaptive_{1}_pool(z, 2)
            """.format(kind, name, {"max": "max", "average": "mean"}[name]),
            inputs, wrt=("x", "i"), dynamic="xizf", family="pooling",
        )  # fmt: skip
    add(
        "layers.GlobalAveragePooling1D()(x, mask=m) ==> np.sum(x * m[..., None], 1) / np.sum(m, 1)[:, None]",
        inputs,
        wrt="x",
    )


def _normalization(add):
    inputs = {
        "x": "normal(6, 4)", "y": "normal(3, 5, 4)", "i": "normal(2, 4, 5, 6)", "f": "normal(2, 6, 4, 5)", "l": "normal(64, 3, loc=1000)",
        "g": "uniform(4, low=0.5)", "b": "normal(4)", "m": "normal(4, seed=3)", "v": "uniform(4, low=0.5, seed=1)", "h": "uniform(6, low=0.5)",
        "c": "normal(6)", "k": "array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]], 'bool')", "p": "uniform(5, low=0.5)", "q": "normal(5)",
        "s": "uniform(5, 4, low=0.5)", "t": "normal(5, 4)", "o": "np.ones(3, 'float32')", "z": "np.zeros(3, 'float32')",
        "n": "normal(6)", "u": "uniform(6, low=0.5, seed=1)", "w": "normal(2, 64, loc=300)", "d": "np.ones(64, 'float32')",
        "e": "np.zeros(64, 'float32')",
    }  # fmt: skip
    add(
        """
        apply(layers.BatchNormalization(), x, weights=[g, b, m, v]) ==> ref.batch_norm(x, g, b, m, v)
        apply(layers.BatchNormalization(), x, weights=[g, b, m, v], training=True) ==> ref.batch_norm(x, g, b, m, v, training=True)
        apply(layers.BatchNormalization(epsilon=0.1), y, weights=[g, b, m, v], training=True) ==> ref.batch_norm(y, g, b, m, v, epsilon=0.1, training=True)
        apply(layers.BatchNormalization(), y, weights=[g, b, m, v], training=True, mask=k) ==> ref.batch_norm(y, g, b, m, v, training=True, mask=k)
        apply(layers.BatchNormalization(axis=1), f, weights=[h, c, n, u]) ==> ref.batch_norm(f, h, c, n, u, axis=1)
        apply(layers.BatchNormalization(axis=1), f, weights=[h, c, n, u], training=True) ==> ref.batch_norm(f, h, c, n, u, axis=1, training=True)
        apply(layers.BatchNormalization(scale=False), x, weights=[b, m, v]) ==> ref.batch_norm(x, np.ones(4), b, m, v)
        apply(layers.BatchNormalization(center=False), x, weights=[g, m, v]) ==> ref.batch_norm(x, g, np.zeros(4), m, v)
        apply(layers.LayerNormalization(), x, weights=[g, b]) ==> ref.layer_normalization(x, g, b)
        apply(layers.LayerNormalization(), y, weights=[g, b]) ==> ref.layer_normalization(y, g, b)
        apply(layers.LayerNormalization(axis=1), y, weights=[p, q]) ==> ref.layer_normalization(y, p, q, axis=1)
        apply(layers.LayerNormalization(axis=(1, 2)), y, weights=[s, t]) ==> ref.layer_normalization(y, s, t, axis=(1, 2))
        apply(layers.LayerNormalization(axis=[-2, -1]), y, weights=[s, t]) ==> ref.layer_normalization(y, s, t, axis=(1, 2))
        apply(layers.LayerNormalization(epsilon=0.1, center=False), x, weights=[g]) ==> ref.layer_normalization(x, g, epsilon=0.1)
        apply(layers.GroupNormalization(groups=2), i, weights=[h, c]) ==> ref.group_normalization(i, h, c, 2)
        apply(layers.GroupNormalization(groups=3), i, weights=[h, c]) ==> ref.group_normalization(i, h, c, 3)
        apply(layers.GroupNormalization(groups=-1), i, weights=[h, c]) ==> ref.group_normalization(i, h, c, 6)
        apply(layers.GroupNormalization(groups=1), i, weights=[h, c]) ==> ref.group_normalization(i, h, c, 1)
        apply(layers.GroupNormalization(groups=2, axis=1), f, weights=[h, c]) ==> ref.group_normalization(f, h, c, 2, axis=1)
        apply(layers.RMSNormalization(), x, weights=[g]) ==> ref.rms_normalization(x, g, epsilon=1e-6)
        """,
        inputs, wrt=("x", "y"), dynamic="xyif", family="normalization",
    )  # fmt: skip
    add(
        """
        apply(layers.BatchNormalization(), l, weights=[o, z, z, o], training=True) ==> ref.batch_norm(l, o, z, z, o, training=True)
        updated(layers.BatchNormalization(momentum=0.5), l, weights=[o, z, z, o], training=True) ==> ref.batch_norm_moving(l, z, o, momentum=0.5)
        updated(layers.BatchNormalization(), x, weights=[g, b, m, v], training=True) ==> ref.batch_norm_moving(x, m, v)
        updated(layers.BatchNormalization(axis=1), f, weights=[h, c, n, u], training=True) ==> ref.batch_norm_moving(f, n, u, axis=1)
        updated(layers.BatchNormalization(), x, weights=[g, b, m, v]) ==> [m, v]
        apply(layers.LayerNormalization(), w, weights=[d, e]) ==> ref.layer_normalization(w, d, e)
        apply(layers.GroupNormalization(groups=4), w, weights=[d, e]) ==> ref.group_normalization(w, d, e, 4)
        """,
        inputs, symbolic=False, family="normalization",
    )  # fmt: skip
    add(
        "apply(layers.LayerNormalization(), x, weights=[g, b]) ==> ref.layer_normalization(x, g, b)\n"
        "apply(layers.BatchNormalization(), x, weights=[g, b, m, v], training=True) ==> ref.batch_norm(x, g, b, m, v, training=True)",
        inputs, dtypes=("float16", "bfloat16"), family="normalization", symbolic=False,
    )  # fmt: skip


def _reshaping(add):
    inputs = {"x": "normal(2, 6, 3)", "i": "normal(2, 4, 5, 3)", "f": "normal(2, 3, 4, 5)", "v": "normal(2, 4)", "z": "normal(1, 3, 4, 2, 2)",
              "s": "normal(3)"}  # fmt: skip
    add(
        """
        layers.Flatten()(i) ==> i.reshape(2, -1)
        layers.Flatten(data_format="channels_first")(f) ==> np.moveaxis(f, 1, -1).reshape(2, -1)
        layers.Flatten()(s) ==> s[:, None]
        layers.Reshape((3, 6))(x) ==> x.reshape(2, 3, 6)
        layers.Reshape((-1, 2))(x) ==> x.reshape(2, -1, 2)
        layers.Permute((2, 1))(x) ==> x.transpose(0, 2, 1)
        layers.Permute((3, 1, 2))(i) ==> i.transpose(0, 3, 1, 2)
        layers.RepeatVector(3)(v) ==> np.repeat(v[:, None], 3, 1)
        layers.ZeroPadding1D(2)(x) ==> np.pad(x, ((0, 0), (2, 2), (0, 0)))
        layers.ZeroPadding1D((1, 3))(x) ==> np.pad(x, ((0, 0), (1, 3), (0, 0)))
        layers.ZeroPadding2D(((1, 2), (3, 0)))(i) ==> np.pad(i, ((0, 0), (1, 2), (3, 0), (0, 0)))
        layers.ZeroPadding2D((1, 2), data_format="channels_first")(f) ==> np.pad(f, ((0, 0), (0, 0), (1, 1), (2, 2)))
        layers.ZeroPadding3D((1, 0, 2))(z) ==> np.pad(z, ((0, 0), (1, 1), (0, 0), (2, 2), (0, 0)))
        layers.Cropping1D((1, 2))(x) ==> x[:, 1:-2]
        layers.Cropping2D(((1, 0), (2, 1)))(i) ==> i[:, 1:, 2:-1]
        layers.Cropping2D(1, data_format="channels_first")(f) ==> f[:, :, 1:-1, 1:-1]
        layers.Cropping3D(((1, 0), (1, 1), (0, 1)))(z) ==> z[:, 1:, 1:-1, :-1]
        layers.UpSampling1D(3)(x) ==> ref.upsampling(x, 3)
        layers.UpSampling2D(2)(i) ==> ref.upsampling(i, 2)
        layers.UpSampling2D((2, 3))(i) ==> ref.upsampling(i, (2, 3))
        layers.UpSampling2D((2, 3), data_format="channels_first")(f) ==> ref.upsampling(f, (2, 3), "channels_first")
        layers.UpSampling2D(2, interpolation="bilinear")(i) ==> ref.resize_bilinear(i, 8, 10)
        layers.UpSampling2D((3, 2), interpolation="bilinear", data_format="channels_first")(f) ==> np.moveaxis(ref.resize_bilinear(np.moveaxis(f, 1, -1), 12, 10), -1, 1)
        layers.UpSampling3D((1, 2, 3))(z) ==> ref.upsampling(z, (1, 2, 3))
        """,
        inputs, wrt=("x", "i"), dynamic="xifvz", family="reshaping",
    )  # fmt: skip


def _merging(add):
    inputs = {"a": "normal(2, 3, 4)", "b": "normal(2, 3, 4, seed=1)", "c": "normal(2, 3, 1, seed=2)", "d": "normal(2, 4)", "e": "normal(2, 5, 4, seed=3)",
              "f": "normal(2, 4, seed=4)", "g": "normal(2, 4, 3, seed=5)"}  # fmt: skip
    add(
        """
        layers.Add()([a, b]) ==> a + b
        layers.Add()([a, b, a]) ==> 2 * a + b
        layers.Add()([a, c]) ==> a + c
        layers.Subtract()([a, b]) ==> a - b
        layers.Multiply()([a, b]) ==> a * b
        layers.Multiply()([a, c]) ==> a * c
        layers.Average()([a, b]) ==> (a + b) / 2
        layers.Average()([a, b, a]) ==> (2 * a + b) / 3
        layers.Maximum()([a, b]) ==> np.maximum(a, b)
        layers.Minimum()([a, b]) ==> np.minimum(a, b)
        layers.Concatenate()([a, b]) ==> np.concatenate([a, b], -1)
        layers.Concatenate(axis=1)([a, e]) ==> np.concatenate([a, e], 1)
        layers.Concatenate(axis=-2)([a, e]) ==> np.concatenate([a, e], 1)
        layers.Dot(axes=1)([d, f]) ==> np.sum(d * f, 1, keepdims=True)
        layers.Dot(axes=2)([a, e]) ==> np.einsum("bij,bkj->bik", a, e)
        layers.Dot(axes=(2, 1))([a, g]) ==> np.einsum("bij,bjk->bik", a, g)
        layers.Dot(axes=-1)([a, e]) ==> np.einsum("bij,bkj->bik", a, e)
        layers.Dot(axes=1, normalize=True)([d, f]) ==> np.sum(ref.unit_norm(d) * ref.unit_norm(f), 1, keepdims=True)
        layers.Dot(axes=(2, 1), normalize=True)([a, g]) ==> np.einsum("bij,bjk->bik", ref.unit_norm(a), ref.unit_norm(g, 1))
        """,
        inputs, wrt=("a",), dynamic="abcdefg", family="merging",
    )  # fmt: skip


def _attention(add):
    inputs = {
        "q": "normal(2, 3, 4)", "v": "normal(2, 5, 4, seed=1)", "k": "normal(2, 5, 4, seed=2)", "s": "normal(2, 3, 4, seed=9)",
        "m": "array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1]], 'bool')", "n": "array([[1, 1, 0], [1, 1, 1]], 'bool')",
        "t": "array([[[1, 1, 0, 0, 1], [1, 0, 1, 1, 1], [0, 1, 1, 1, 1]], [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1]]], 'bool')",
        "w": "0.5 * normal(4, 2, 3)", "a": "normal(2, 3, seed=1)", "x": "0.5 * normal(4, 2, 3, seed=2)", "b": "normal(2, 3, seed=3)",
        "y": "0.5 * normal(4, 2, 3, seed=4)", "c": "normal(2, 3, seed=5)", "z": "0.5 * normal(2, 3, 4, seed=6)", "d": "normal(4, seed=7)",
    }  # fmt: skip
    weights = "[w, a, x, b, y, c, z, d]"
    add(
        """
        layers.Attention()([q, v]) ==> ref.attention(q, v)
        layers.Attention()([q, v, k]) ==> ref.attention(q, v, k)
        layers.Attention()([q, v, k], mask=[None, m]) ==> ref.attention(q, v, k, value_mask=m)
        layers.Attention()([q, v, k], mask=[n, m]) ==> ref.attention(q, v, k, value_mask=m, query_mask=n)
        layers.Attention()([q, s], use_causal_mask=True) ==> ref.attention(q, s, causal=True)
        layers.Attention()([q, v], return_attention_scores=True) ==> ref.attention(q, v, scores=True)
        layers.Attention(score_mode="concat")([q, v]) ==> ref.attention(q, v, score="concat")
        apply(layers.Attention(use_scale=True), [q, v], weights=[d[0]]) ==> ref.attention(q, v, scale=d[0])
        apply(layers.AdditiveAttention(use_scale=False), [q, v, k]) ==> ref.attention(q, v, k, score="concat")
        apply(layers.AdditiveAttention(), [q, v], weights=[d]) ==> np.einsum("bts,bsd->btd", ref.softmax(np.sum(d * np.tanh(q[:, :, None] + v[:, None]), -1)), v)
        apply(layers.AdditiveAttention(use_scale=False), [q, v, k], mask=[None, m]) ==> ref.attention(q, v, k, score="concat", value_mask=m)
        apply(layers.MultiHeadAttention(2, 3), q, v, weights={0}) ==> ref.multi_head_attention(q, v, {0})
        apply(layers.MultiHeadAttention(2, 3), q, v, k, weights={0}) ==> ref.multi_head_attention(q, v, {0}, k)
        apply(layers.MultiHeadAttention(2, 3), q, v, attention_mask=t, weights={0}) ==> ref.multi_head_attention(q, v, {0}, mask=t)
        apply(layers.MultiHeadAttention(2, 3), q, s, use_causal_mask=True, weights={0}) ==> ref.multi_head_attention(q, s, {0}, causal=True)
        apply(layers.MultiHeadAttention(2, 3), q, v, return_attention_scores=True, weights={0}) ==> ref.multi_head_attention(q, v, {0}, scores=True)
        apply(layers.MultiHeadAttention(2, 3), q, v, value_mask=m, weights={0}) ==> ref.multi_head_attention(q, v, {0}, mask=np.repeat(m[:, None], 3, 1))
        apply(layers.MultiHeadAttention(2, 3), q, v, key_mask=m, weights={0}) ==> ref.multi_head_attention(q, v, {0}, mask=np.repeat(m[:, None], 3, 1))
        apply(layers.MultiHeadAttention(2, 3), q, s, use_causal_mask=True, key_mask=n, weights={0}) ==> ref.multi_head_attention(q, s, {0}, mask=np.repeat(n[:, None], 3, 1), causal=True)
        """.format(weights),
        inputs, wrt=("q", "v"), dynamic="qvkstmn", family="attention",
    )  # fmt: skip
    grouped = {
        "q": "normal(2, 3, 4)", "v": "normal(2, 5, 4, seed=1)", "w": "0.5 * normal(4, 4, 3)", "a": "normal(4, 3, seed=1)", "x": "0.5 * normal(4, 2, 3, seed=2)",
        "b": "normal(2, 3, seed=3)", "y": "0.5 * normal(4, 2, 3, seed=4)", "c": "normal(2, 3, seed=5)", "z": "0.5 * normal(4, 3, 4, seed=6)", "d": "normal(4, seed=7)",
    }  # fmt: skip
    add(
        "apply(layers.GroupQueryAttention(3, 4, 2), q, v, return_attention_scores=True) ==> ?",
        grouped,
        dynamic="qv",
        family="attention",
    )
    add(
        "apply(layers.GroupQueryAttention(3, 4, 2), q, v, weights=[w, a, x, b, y, c, z, d])"
        " ==> ref.multi_head_attention(q, v, [w, a, np.repeat(x, 2, 1), np.repeat(b, 2, 0), np.repeat(y, 2, 1), np.repeat(c, 2, 0), z, d])",
        grouped, wrt=("q",), dynamic="qv", family="attention",
    )  # fmt: skip


def _preprocessing(add):
    inputs = {
        "x": "normal(5, 3, loc=2)", "u": "uniform(4, 3, high=255)", "i": "integers(2, 3, high=4)", "c": "array([[0, 1, 1], [2, 3, 0]], 'int32')", "b": "array([[-1.5, 0.2], [1.0, 7.5]])",
        "w": "uniform(2, 3)", "p": "normal(2, 5, 6, 3)",
    }  # fmt: skip
    add(
        """
        layers.Rescaling(1 / 255)(u) ==> u / 255
        layers.Rescaling(2.0, offset=-1.0)(u) ==> 2 * u - 1
        layers.Rescaling([1.0, 2.0, 3.0], offset=[0.0, 1.0, 2.0])(u) ==> u * np.array([1, 2, 3]) + np.array([0, 1, 2])
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0])(x) ==> (x - np.array([1, 2, 3])) / np.array([2, 1, 3])
        layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0], invert=True)(x) ==> x * np.array([2, 1, 3]) + np.array([1, 2, 3])
        layers.Normalization(mean=2.0, variance=4.0, axis=None)(x) ==> (x - 2) / 2
        layers.CategoryEncoding(4, output_mode="one_hot")(i[0]) ==> np.eye(4)[i[0]]
        layers.CategoryEncoding(4, output_mode="multi_hot")(c) ==> ref.multi_hot(c, 4)
        layers.CategoryEncoding(4, output_mode="count")(c) ==> ref.one_hot(c, 4).sum(1)
        layers.CategoryEncoding(4, output_mode="count")(c, count_weights=w) ==> (ref.one_hot(c, 4) * w[..., None]).sum(1)
        layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])(b) ==> np.digitize(b, [0.0, 1.0, 2.0])
        layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0], output_mode="one_hot")(b[0]) ==> np.eye(4)[np.digitize(b[0], [0.0, 1.0, 2.0])]
        layers.CenterCrop(3, 4)(p) ==> p[:, 1:4, 1:5]
        layers.CenterCrop(4, 3)(p) ==> p[:, 0:4, 1:4]
        layers.Resizing(3, 4)(p) ==> ref.resize_bilinear(p, 3, 4)
        layers.Resizing(10, 9)(p) ==> ref.resize_bilinear(p, 10, 9)
        layers.Resizing(4, 4, interpolation="nearest")(p) ==> ref.resize_nearest(p, 4, 4)
        layers.Resizing(4, 4, crop_to_aspect_ratio=True)(p) ==> ?
        layers.Resizing(4, 4, pad_to_aspect_ratio=True)(p) ==> ?
        layers.Resizing(5, 4, interpolation="bicubic")(p) ==> ?
        """,
        inputs, eager=True, dynamic="xuicbp", family="preprocessing",
    )  # fmt: skip
