"""Generates cases of what layers, losses and metrics are made with.

Every class with every argument that the other grids do not give: initializers, regularizers, constraints, types,
layouts, reductions.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _weights(add)
    _layers(add)
    _attention(add)
    _losses(add)
    _metrics(add)
    _objects(add)


WEIGHTS = (
    ("Dense(3", "x", "kernel bias"), ("EinsumDense('ab,bc->ac', 3, bias_axes='c'", "x", "kernel bias"), ("Embedding(6, 4", "i", "embeddings"),
    ("Conv1D(3, 2", "y", "kernel bias"), ("Conv2D(3, 2", "f", "kernel bias"), ("Conv3D(2, 2", "z", "kernel bias"),
    ("Conv1DTranspose(3, 2", "y", "kernel bias"), ("Conv2DTranspose(3, 2", "f", "kernel bias"), ("Conv3DTranspose(2, 2", "z", "kernel bias"),
    ("DepthwiseConv1D(2", "y", "depthwise:kernel bias"), ("DepthwiseConv2D(2", "f", "depthwise:kernel bias"),
    ("SeparableConv1D(3, 2", "y", "depthwise:depthwise_kernel pointwise:pointwise_kernel bias"), ("SeparableConv2D(3, 2", "f", "depthwise:depthwise_kernel pointwise:pointwise_kernel bias"),
    ("SimpleRNN(3", "y", "kernel recurrent:recurrent_kernel bias"), ("LSTM(3", "y", "kernel recurrent:recurrent_kernel bias"), ("GRU(3", "y", "kernel recurrent:recurrent_kernel bias"),
    ("ConvLSTM1D(2, 2", "t", "kernel recurrent:recurrent_kernel bias"), ("ConvLSTM2D(2, 2", "u", "kernel recurrent:recurrent_kernel bias"),
    ("BatchNormalization(", "x", "gamma beta"), ("LayerNormalization(", "x", "gamma beta"), ("GroupNormalization(2", "f", "gamma beta"), ("PReLU(", "x", "alpha"),
)  # fmt: skip
"""Layers, their input and the weights that they have; ``argument:name`` where these differ."""


def _weights(add):
    inputs = {
        "x": "normal(2, 4)",
        "y": "normal(2, 5, 4)",
        "i": "integers(2, 3, high=6)",
        "f": "normal(2, 5, 6, 4)",
        "z": "normal(1, 3, 4, 3, 2)",
        "t": "normal(2, 3, 4, 2)",
        "u": "normal(2, 3, 4, 4, 2)",
    }
    for layer, on, weights in WEIGHTS:
        comma = "" if layer.endswith("(") else ", "
        for weight in weights.split():
            argument, _, name = weight.partition(":")
            name = name or argument
            for kind, value in (("regularizer", "'l2'"), ("constraint", "'non_neg'")):
                add("weights_with(%r, layers.%s%s%s_%s=%s), %s) == %r ==> True" % (kind, layer, comma, argument, kind, value, on, name),
                    inputs, symbolic=False, eager=True, family="weights", op="layers." + layer.split("(")[0])  # fmt: skip
        shape = {
            "x": (2, 4),
            "y": (2, 5, 4),
            "i": (2, 3),
            "f": (2, 5, 6, 4),
            "z": (1, 3, 4, 3, 2),
            "t": (2, 3, 4, 2),
            "u": (2, 3, 4, 4, 2),
        }[on]
        names = [w.partition(":")[0] for w in weights.split()]
        given = ", ".join("%s_initializer=initializers.Constant(%s)" % (n, 0.25 * (k + 1)) for k, n in enumerate(names))
        values = [0.25 * (k + 1) for k in range(len(names))]
        if "LSTM" in layer:
            given += ", unit_forget_bias=False"
        if layer.startswith("BatchNorm"):
            given += ", moving_mean_initializer=initializers.Constant(3.0), moving_variance_initializer=initializers.Constant(4.0)"
            values += [3.0, 4.0]
        add(
            "initial_values(layers.%s%s%s), %r) ==> %r" % (layer, comma, given, shape, values),
            symbolic=False,
            eager=True,
            family="weights",
        )
        if not layer.startswith(("BatchN", "Embedding", "LayerN", "GroupN", "PReLU")):
            add("initial_values(layers.%s%suse_bias=False%s), %r) ==> [%s]" % (
                layer, comma, "".join(", %s_initializer='ones'" % n for n in names if n != "bias") if "Einsum" not in layer else "", shape, ", ".join(["1.0"] * (len(names) - 1))
            ), symbolic=False, eager=True, family="weights") if "Einsum" not in layer else None  # fmt: skip
    for layer in (
        "Dense(3",
        "Conv1D(3, 2",
        "Conv2D(3, 2",
        "Conv1DTranspose(3, 2",
        "DepthwiseConv1D(2",
        "SeparableConv1D(3, 2",
        "EinsumDense('...b,bc->...c', (3,)",
        "LSTM(3",
        "GRU(3",
        "Embedding(6, 4",
        "Activation('tanh'",
        "Flatten(",
        "Add(",
    ):
        on = "f" if "2D" in layer else "i" if "Embedding" in layer else "[y, y]" if "Add" in layer else "y"
        comma = "" if layer.endswith("(") else ", "
        add("(lambda v: round(float(v[0] / v[1]), 3) in (0.25, 0.5))(activity_of(layers.%s%sactivity_regularizer=regularizers.L2(0.5)), %s)) ==> True" % (layer, comma, on),
            inputs, symbolic=False, eager=True, tol=2000.0, family="weights", op="layers." + layer.split("(")[0])  # fmt: skip
    add(
        "initial_values(layers.LSTM(2, bias_initializer='zeros', kernel_initializer='zeros', recurrent_initializer='zeros'), (2, 5, 4)) ==> [0.0, 0.0, 0.0]",
        symbolic=False,
        eager=True,
        family="weights",
    )
    add(
        """
        (lambda l: [l.build((2, 4)), ops.convert_to_tensor(l.bias)][1])(layers.LSTMCell(2, kernel_initializer="zeros", recurrent_initializer="zeros")) ==> np.array([0, 0, 1, 1, 0, 0, 0, 0])
        (lambda l: [l.build((2, 4)), ops.convert_to_tensor(l.bias)][1])(layers.LSTMCell(2, kernel_initializer="zeros", recurrent_initializer="zeros", unit_forget_bias=False)) ==> np.zeros(8)
        layers.Embedding(3, 2, weights=[np.arange(6.0).reshape(3, 2)])(ops.convert_to_tensor([2, 0])) ==> np.array([[4.0, 5.0], [0.0, 1.0]])
        layers.Embedding(3, 2, embeddings_initializer="ones")(ops.convert_to_tensor([2, 0])) ==> np.ones((2, 2))
        """,
        symbolic=False, eager=True, family="weights",
    )  # fmt: skip


def _layers(add):
    inputs = {
        "x": "normal(2, 6, 4, seed=61)", "w": "normal(2, 4, 3, seed=62)", "g": "normal(2, 2, 4, seed=63)", "b": "normal(3, seed=64)", "d": "normal(4, seed=65)", "f": "normal(2, 4, 6, seed=66)",
        "i": "normal(2, 5, 6, 4, seed=67)", "k": "normal(2, 3, 4, 3, seed=68)", "j": "normal(2, 4, 5, 6, seed=69)", "t": "normal(2, 3, 3, 4, seed=70)", "z": "normal(1, 4, 3, 5, 2, seed=71)",
        "c": "normal(1, 2, 4, 3, 5, seed=72)", "y": "normal(2, 2, 2, 2, 3, seed=73)", "u": "normal(2, 4, 1, seed=74)", "p": "normal(1, 4, 3, seed=75)", "v": "normal(2, 3, 4, seed=76)", "q": "uniform(4, low=0.5)",
        "m": "uniform(6, low=0.5)", "n": "normal(6, seed=77)", "o": "normal(2, 2, 2, 3, 2, seed=78)", "r": "normal(2, 2, 4, 1, seed=79)", "s": "normal(1, 1, 4, 3, seed=80)", "a": "normal(1, 4, seed=82)", "h": "normal(6, 1, seed=83)", "l": "normal(1, 1, seed=84)",
    }  # fmt: skip
    add(
        """
        apply(layers.Conv1D(3, 2, data_format="channels_first"), f, weights=[w, b]) ==> ref.conv(f, w, 1, "valid", "channels_first") + b[:, None]
        apply(layers.Conv1D(4, 2, groups=2), x, weights=[g, d]) ==> ref.conv(x, g) + d
        apply(layers.Conv1D(3, 2, activation="relu", use_bias=False), x, weights=[w]) ==> ref.relu(ref.conv(x, w))
        apply(layers.Conv1D(3, 2, activation="softplus", padding="causal", dilation_rate=3), x, weights=[w, b]) ==> ref.softplus(ref.conv(x, w, 1, "causal", None, 3) + b)
        apply(layers.Conv1D(3, 2, padding="causal", strides=2), x, weights=[w, b]) ==> ref.conv(x, w, 2, "causal") + b
        apply(layers.Conv2D(3, (2, 3), activation="tanh"), i, weights=[k, b]) ==> np.tanh(ref.conv(i, k) + b)
        apply(layers.Conv2D(3, (2, 3), use_bias=False, padding="SAME"), i, weights=[k]) ==> ref.conv(i, k, 1, "same")
        apply(layers.Conv2D(3, (2, 3), data_format="channels_first", dilation_rate=(2, 1)), j, weights=[k, b]) ==> ref.conv(j, k, 1, "valid", "channels_first", (2, 1)) + b[:, None, None]
        apply(layers.Conv3D(3, 2, data_format="channels_first"), c, weights=[y, b]) ==> ref.conv(c, y, 1, "valid", "channels_first") + b[:, None, None, None]
        apply(layers.Conv3D(3, 2, activation="relu", dilation_rate=(2, 1, 2)), z, weights=[y, b]) ==> ref.relu(ref.conv(z, y, 1, "valid", None, (2, 1, 2)) + b)
        apply(layers.Conv3D(3, 2, use_bias=False, padding="same", strides=(1, 2, 2)), z, weights=[y]) ==> ref.conv(z, y, (1, 2, 2), "same")
        apply(layers.Conv1DTranspose(3, 2, strides=2, data_format="channels_first"), f, weights=[v.swapaxes(0, 0)[:, :, :], b]) ==> ref.conv_transpose(f, v, 2, "valid", None, "channels_first") + b[:, None]
        apply(layers.Conv1DTranspose(3, 2, activation="relu", use_bias=False), x, weights=[v]) ==> ref.relu(ref.conv_transpose(x, v))
        apply(layers.Conv1DTranspose(3, 2, strides=2, padding="same", output_padding=1), x, weights=[v, b]) ==> ref.conv_transpose(x, v, 2, "same", 1) + b
        apply(layers.Conv1DTranspose(3, 2, dilation_rate=2), x, weights=[v, b]) ==> ref.conv_transpose(x, v, 1, "valid", None, None, 2) + b
        apply(layers.Conv2DTranspose(3, (2, 3), data_format="channels_first"), j, weights=[t, b]) ==> ref.conv_transpose(j, t, 1, "valid", None, "channels_first") + b[:, None, None]
        apply(layers.Conv2DTranspose(3, (2, 3), activation="tanh", strides=2, use_bias=False), i, weights=[t]) ==> np.tanh(ref.conv_transpose(i, t, 2))
        apply(layers.Conv2DTranspose(3, (2, 3), dilation_rate=(2, 1)), i, weights=[t, b]) ==> ref.conv_transpose(i, t, 1, "valid", None, None, (2, 1)) + b
        apply(layers.Conv2DTranspose(3, (2, 3), strides=2, output_padding=(1, 0)), i, weights=[t, b]) ==> ref.conv_transpose(i, t, 2, "valid", (1, 0)) + b
        apply(layers.Conv3DTranspose(3, 2, strides=2, output_padding=1, padding="same"), z, weights=[o, b]) ==> ref.conv_transpose(z, o, 2, "same", 1) + b
        apply(layers.Conv3DTranspose(3, 2, activation="relu", use_bias=False), z, weights=[o]) ==> ref.relu(ref.conv_transpose(z, o))
        apply(layers.DepthwiseConv1D(2, data_format="channels_first", use_bias=False), f, weights=[u]) ==> ref.depthwise_conv(f, u, 1, "valid", "channels_first")
        apply(layers.DepthwiseConv1D(2, dilation_rate=2, activation="relu"), x, weights=[u, d]) ==> ref.relu(ref.depthwise_conv(x, u, 1, "valid", None, 2) + d)
        apply(layers.DepthwiseConv2D(2, data_format="channels_first", strides=2), j, weights=[r, d]) ==> ref.depthwise_conv(j, r, 2, "valid", "channels_first") + d[:, None, None]
        apply(layers.DepthwiseConv2D(2, dilation_rate=(1, 2), activation="relu", use_bias=False), i, weights=[r]) ==> ref.relu(ref.depthwise_conv(i, r, 1, "valid", None, (1, 2)))
        apply(layers.SeparableConv1D(3, 2, strides=2, padding="same", activation="relu"), x, weights=[u, p, b]) ==> ref.relu(ref.separable_conv(x, u, p, 2, "same") + b)
        apply(layers.SeparableConv1D(3, 2, dilation_rate=2, use_bias=False), x, weights=[u, p]) ==> ref.separable_conv(x, u, p, 1, "valid", None, 2)
        apply(layers.SeparableConv1D(3, 2, data_format="channels_first"), f, weights=[u, p, b]) ==> ref.separable_conv(f, u, p, 1, "valid", "channels_first") + b[:, None]
        apply(layers.SeparableConv2D(3, 2, dilation_rate=2, use_bias=False), i, weights=[r, s]) ==> ref.separable_conv(i, r, s, 1, "valid", None, 2)
        apply(layers.SeparableConv2D(3, 2, data_format="channels_first", strides=2, activation="tanh"), j, weights=[r, s, b]) ==> np.tanh(ref.separable_conv(j, r, s, 2, "valid", "channels_first") + b[:, None, None])
        layers.MaxPooling1D(2, data_format="channels_first")(f) ==> ref.max_pool(f, 2, None, "valid", "channels_first")
        layers.AveragePooling1D(2, 1, "same", data_format="channels_first")(f) ==> ref.average_pool(f, 2, 1, "same", "channels_first")
        layers.MaxPooling3D(2, data_format="channels_first")(c) ==> ref.max_pool(c, 2, None, "valid", "channels_first")
        layers.AveragePooling3D(2, 1, padding="same", data_format="channels_first")(c) ==> ref.average_pool(c, 2, 1, "same", "channels_first")
        layers.GlobalAveragePooling1D(data_format="channels_first")(f) ==> f.mean(2)
        layers.GlobalMaxPooling1D(data_format="channels_first", keepdims=True)(f) ==> f.max(2, keepdims=True)
        layers.GlobalAveragePooling2D(data_format="channels_first", keepdims=True)(j) ==> j.mean((2, 3), keepdims=True)
        layers.GlobalMaxPooling2D(data_format="channels_first")(j) ==> j.max((2, 3))
        layers.GlobalAveragePooling3D(data_format="channels_first", keepdims=True)(c) ==> c.mean((2, 3, 4), keepdims=True)
        layers.GlobalMaxPooling3D(data_format="channels_first")(c) ==> c.max((2, 3, 4))
        layers.GlobalMaxPooling3D(keepdims=True)(z) ==> z.max((1, 2, 3), keepdims=True)
        layers.AdaptiveAveragePooling1D(2, data_format="channels_first")(f) ==> ref.adaptive_average_pool(f, 2, "channels_first")
        layers.AdaptiveMaxPooling2D(2, data_format="channels_first")(j) ==> ref.adaptive_max_pool(j, 2, "channels_first")
        layers.AdaptiveAveragePooling3D((2, 1, 3), data_format="channels_first")(c) ==> ref.adaptive_average_pool(c, (2, 1, 3), "channels_first")
        layers.UpSampling3D(2, data_format="channels_first")(c) ==> ref.upsampling(c, 2, "channels_first")
        layers.UpSampling2D((1, 2), interpolation="nearest")(i) ==> np.repeat(i, 2, 2)
        layers.UpSampling2D(2, interpolation="bicubic")(i) ==> ?
        layers.ZeroPadding1D((1, 0), data_format="channels_first")(f) ==> np.pad(f, ((0, 0), (0, 0), (1, 0)))
        layers.ZeroPadding3D(((1, 0), (0, 2), (1, 1)), data_format="channels_first")(c) ==> np.pad(c, ((0, 0), (0, 0), (1, 0), (0, 2), (1, 1)))
        layers.ZeroPadding2D(2)(i) ==> np.pad(i, ((0, 0), (2, 2), (2, 2), (0, 0)))
        layers.Cropping3D(((1, 0), (0, 1), (2, 1)), data_format="channels_first")(c) ==> c[:, :, 1:, :-1, 2:-1]
        layers.Cropping2D((1, 2))(i) ==> i[:, 1:-1, 2:-2]
        layers.Cropping2D(((0, 0), (0, 3)))(i) ==> i[:, :, :-3]
        layers.Cropping1D((0, 2))(x) ==> x[:, :-2]
        layers.Cropping1D(1)(x) ==> x[:, 1:-1]
        layers.Cropping3D(1)(z[:, :, :, :3]) ==> z[:, 1:-1, 1:-1, 1:2]
        layers.Flatten(data_format="channels_first")(j) ==> np.moveaxis(j, 1, -1).reshape(2, -1)
        layers.Reshape((-1,))(x) ==> x.reshape(2, -1)
        layers.Reshape((2, 3, -1, 2))(x) ==> x.reshape(2, 2, 3, 2, 2)
        layers.Reshape((1, 24))(x) ==> x.reshape(2, 1, 24)
        layers.Reshape([4, 6])(x) ==> x.reshape(2, 4, 6)
        layers.Permute((1, 2))(x) ==> x
        layers.RepeatVector(1)(x[:, 0]) ==> x[:, :1]
        layers.Rescaling(scale=[1.0, 2.0, 3.0, 4.0])(x) ==> x * np.arange(1, 5)
        layers.Rescaling(2.0, offset=[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])(x) ==> 2 * x + np.arange(1, 7)[:, None]
        layers.Lambda(lambda v, n: n * v, arguments={"n": 3})(x) ==> 3 * x
        layers.Lambda(lambda v: v[:, 0], output_shape=(4,))(x) ==> x[:, 0]
        layers.UnitNormalization(axis=(1, 2))(x) ==> x / np.sqrt(np.sum(x * x, (1, 2), keepdims=True))
        layers.UnitNormalization(axis=-2)(x) ==> ref.unit_norm(x, 1)
        layers.Softmax(axis=0)(x) ==> ref.softmax(x, 0)
        layers.Softmax(axis=[1, 2])(x) ==> np.exp(x - ref.logsumexp(x, axis=(1, 2), keepdims=True))
        layers.ReLU(negative_slope=0.5, threshold=0.0)(x) ==> ref.relu(x, 0.5)
        layers.ReLU(threshold=1.0)(x) ==> ref.relu(x, threshold=1.0)
        layers.ELU(alpha=2.0)(x) ==> ref.elu(x, 2.0)
        layers.LeakyReLU(0.0)(x) ==> np.maximum(x, 0)
        layers.Activation(ops.tanh)(x) ==> np.tanh(x)
        layers.Activation("linear")(x) ==> x
        layers.Activation(None)(x) ==> x
        apply(layers.PReLU(shared_axes=[1]), x, weights=[a]) ==> np.where(x > 0, x, a * x)
        apply(layers.PReLU(shared_axes=[2]), x, weights=[h]) ==> np.where(x > 0, x, h * x)
        apply(layers.PReLU(shared_axes=[1, 2]), x, weights=[l]) ==> np.where(x > 0, x, l * x)
        apply(layers.LayerNormalization(axis=1), x, weights=[m, n]) ==> ref.layer_normalization(x, m, n, 1)
        apply(layers.LayerNormalization(axis=[-1, 1], center=False, scale=False), x) ==> ref.layer_normalization(x, None, None, (1, 2))
        apply(layers.LayerNormalization(scale=False), x, weights=[d]) ==> ref.layer_normalization(x, None, d)
        apply(layers.LayerNormalization(center=False, epsilon=0.1), x, weights=[q]) ==> ref.layer_normalization(x, q, None, -1, 0.1)
        apply(layers.LayerNormalization(axis=(1,)), x, weights=[m, n]) ==> ref.layer_normalization(x, m, n, 1)
        apply(layers.LayerNormalization(axis=-2), x, weights=[m, n]) ==> ref.layer_normalization(x, m, n, 1)
        apply(layers.LayerNormalization(axis=[2, 1], center=False, scale=False), i) ==> ref.layer_normalization(i, None, None, (1, 2))
        apply(layers.RMSNormalization(axis=1), x, weights=[m]) ==> x / np.sqrt(np.mean(x * x, 1, keepdims=True) + 1e-6) * m[:, None]
        apply(layers.RMSNormalization(epsilon=0.1), x, weights=[q]) ==> x / np.sqrt(np.mean(x * x, -1, keepdims=True) + 0.1) * q
        apply(layers.GroupNormalization(2, epsilon=0.1, center=False, scale=False), i) ==> ref.group_normalization(i, 1.0, 0.0, 2, -1, 0.1)
        apply(layers.GroupNormalization(2, scale=False), i, weights=[d]) ==> ref.group_normalization(i, 1.0, d, 2)
        apply(layers.GroupNormalization(2, center=False), i, weights=[q]) ==> ref.group_normalization(i, q, 0.0, 2)
        apply(layers.GroupNormalization(-1, center=False, scale=False), i) ==> ref.group_normalization(i, 1.0, 0.0, 4)
        apply(layers.GroupNormalization(1, axis=1, center=False, scale=False), j) ==> ref.group_normalization(j, 1.0, 0.0, 1, 1)
        apply(layers.BatchNormalization(center=False, scale=False), x, weights=[d, q]) ==> ref.batch_norm(x, np.ones(4), np.zeros(4), d, q)
        apply(layers.BatchNormalization(scale=False), x, weights=[d, d, q]) ==> ref.batch_norm(x, np.ones(4), d, d, q)
        apply(layers.BatchNormalization(axis=1), x, weights=[m, n, n, m]) ==> ref.batch_norm(x, m, n, n, m, 1)
        apply(layers.BatchNormalization(axis=-2, epsilon=0.1), x, weights=[m, n, n, m]) ==> ref.batch_norm(x, m, n, n, m, 1, 0.1)
        apply(layers.BatchNormalization(trainable=False), x, weights=[q, d, d, q], training=True) ==> ref.batch_norm(x, q, d, d, q)
        apply(layers.BatchNormalization(axis=1), j, weights=[q, d, d, q], training=True) ==> ref.batch_norm(j, q, d, d, q, 1, training=True)
        apply(layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), activation="relu", bias_axes="d"), x, weights=[w[0], b]) ==> ref.relu(x @ w[0] + b)
        apply(layers.EinsumDense("abc,cd->abd", output_shape=(6, 3)), x, weights=[w[0]]) ==> x @ w[0]
        apply(layers.Dense(3, activation="softmax", use_bias=False), x, weights=[w[0]]) ==> ref.softmax(x @ w[0])
        apply(layers.Dense(3, activation=ops.tanh), i, weights=[w[0], b]) ==> np.tanh(i @ w[0] + b)
        apply(layers.TimeDistributed(layers.Conv1D(3, 2)), i, weights=[w, b]) ==> np.stack([ref.conv(i[:, s], w) + b for s in range(5)], 1)
        apply(layers.TimeDistributed(layers.BatchNormalization()), x, weights=[q, d, d, q]) ==> ref.batch_norm(x, q, d, d, q)
        """.replace("v.swapaxes(0, 0)[:, :, :]", "v"),
        inputs, dynamic="xfijzc", family="options",
    )  # fmt: skip
    add(
        """
        updated(layers.BatchNormalization(momentum=0.5), x, weights=[q, d, d, q], training=True) ==> ref.batch_norm_moving(x, d, q, momentum=0.5)
        updated(layers.BatchNormalization(momentum=0.5), x, weights=[q, d, d, q], training=False) ==> [d, q]
        updated(layers.BatchNormalization(momentum=0.0, center=False, scale=False, axis=1), x, weights=[n, m], training=True) ==> ref.batch_norm_moving(x, n, m, 1, 0.0)
        """,
        inputs, family="options", symbolic=False,
    )  # fmt: skip
    for dtype in ("float16", "bfloat16", "float64"):
        for layer, on in (("Dense(3)", "x"), ("Conv1D(3, 2)", "x"), ("LayerNormalization()", "x"), ("BatchNormalization()", "x"), ("LSTM(3)", "x"), ("GRU(3)", "x"), ("MultiHeadAttention(2, 3)", "x, x"), ("Attention()", "[x, x]"),
                          ("MaxPooling1D(2)", "x"), ("AveragePooling1D(2)", "x"), ("GlobalAveragePooling1D()", "x"), ("Add()", "[x, x]"), ("Concatenate()", "[x, x]"), ("UpSampling2D(2, interpolation='bilinear')", "i"), ("Softmax()", "x"), ("PReLU()", "x"),
                          ("Dropout(0.5)", "x, training=True"), ("GaussianNoise(0.5)", "x, training=True"), ("Rescaling(0.5)", "x"), ("UnitNormalization()", "x"), ("EinsumDense('abc,cd->abd', (None, 3), bias_axes='d')", "x"), ("RMSNormalization()", "x"),
                          ("GroupNormalization(2)", "x"), ("Bidirectional(layers.LSTM(3))", "x"), ("Embedding(9, 3)", "ops.abs(ops.cast(x, 'int32'))"), ("Conv2DTranspose(3, 2)", "i"), ("SeparableConv1D(3, 2)", "x"), ("ELU()", "x"), ("Dot(axes=2)", "[x, x]"), ("AdditiveAttention()", "[x, x]")):  # fmt: skip
            if dtype == "float64" and layer.startswith(("LSTM", "GRU", "Bidir")):
                continue
            made = layer[:-1] + (", " if not layer.endswith("()") else "") + "dtype=%r)" % dtype
            if dtype == "float16":
                add(
                    "backend.standardize_dtype(layers.%s(%s).dtype) == %r ==> True" % (made, on, dtype),
                    inputs,
                    symbolic=False,
                    eager=True,
                    family="types",
                    op="layers." + layer.split("(")[0],
                )
            add("backend.standardize_dtype(layers.%s(%s).dtype) == %r ==> True" % (made, on.replace("x", "symbol(2, 6, 4)", 9) if on != "i" else "symbol(2, 5, 6, 4)", dtype) if "cast" not in on and "training" not in on else "",
                symbolic=False, family="types", eager=True, op="layers." + layer.split("(")[0])  # fmt: skip


def _attention(add):
    inputs = {"q": "normal(2, 3, 4, seed=11)", "v": "normal(2, 3, 4, seed=12)", "w": "0.5 * normal(4, 2, 3, seed=13)", "x": "0.5 * normal(4, 2, 3, seed=14)", "y": "0.5 * normal(4, 2, 3, seed=15)",
              "z": "0.5 * normal(2, 3, 4, seed=16)", "m": "array([[1, 1, 0], [1, 0, 1]], 'bool')", "t": "array([[[1, 0, 1], [1, 1, 0], [0, 1, 1]]] * 2, 'bool')"}  # fmt: skip
    plain = "ref.multi_head_attention(q, v, [w, np.zeros((2, 3)), x, np.zeros((2, 3)), y, np.zeros((2, 3)), z, np.zeros(4)]%s)"
    add(
        """
        apply(layers.MultiHeadAttention(2, 3, use_bias=False), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False, dropout=0.5), q, v, weights=[w, x, y, z], training=False) ==> {0}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False, flash_attention=False), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False), q, v, weights=[w, x, y, z], query_mask=m, return_attention_scores=True) ==> ?
        apply(layers.MultiHeadAttention(2, 3, use_bias=False), q, v, weights=[w, x, y, z], attention_mask=t, use_causal_mask=True) ==> {1}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False), q, v, weights=[w, x, y, z], attention_mask=t, return_attention_scores=True) ==> {2}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False, attention_axes=(1,)), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False, attention_axes=(-2,)), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.MultiHeadAttention(2, 3, use_bias=False, attention_axes=[1]), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.GroupQueryAttention(3, 2, 2, use_bias=False), q, v, weights=[w, x, y, z]) ==> {0}
        apply(layers.GroupQueryAttention(3, 2, 2, use_bias=False), q, v, weights=[w, x, y, z], attention_mask=t) ==> {3}
        apply(layers.GroupQueryAttention(3, 2, 2, use_bias=False), q, v, weights=[w, x, y, z], use_causal_mask=True) ==> {4}
        apply(layers.GroupQueryAttention(3, 2, 2, use_bias=False), q, v, weights=[w, x, y, z], return_attention_scores=True) ==> {5}
        apply(layers.GroupQueryAttention(3, 2, 2, use_bias=False, dropout=0.5), q, v, weights=[w, x, y, z], training=False) ==> {0}
        layers.Attention(dropout=0.5, seed=1)([q, v], training=False) ==> ref.attention(q, v)
        layers.AdditiveAttention(use_scale=False, dropout=0.5)([q, v], training=False) ==> ref.attention(q, v, score="concat")
        layers.Attention()([q, v], mask=[m, None]) ==> ref.attention(q, v, query_mask=m)
        layers.Attention()([q, v], mask=[m, m], return_attention_scores=True)[1] ==> ref.attention(q, v, value_mask=m, scores=True)[1]
        layers.Attention()([q, v], use_causal_mask=True, return_attention_scores=True) ==> ref.attention(q, v, causal=True, scores=True)
        layers.Attention()([q, v], mask=[None, m], use_causal_mask=True) ==> ref.attention(q, v, value_mask=m, causal=True)
        layers.AdditiveAttention(use_scale=False)([q, v], return_attention_scores=True) ==> ref.attention(q, v, score="concat", scores=True)
        layers.AdditiveAttention(use_scale=False)([q, v], use_causal_mask=True) ==> ref.attention(q, v, score="concat", causal=True)
        """.format(plain % "", plain % ", mask=t, causal=True", plain % ", mask=t, scores=True", plain % ", mask=t", plain % ", causal=True", plain % ", scores=True"),
        inputs, dynamic="qvmt", family="attention",
    )  # fmt: skip
    rnn = {"x": "normal(2, 4, 3, seed=5)", "m": "array([[1, 1, 0, 0], [0, 1, 1, 1]], 'bool')", "h": "normal(2, 4, seed=6)", "c": "normal(2, 4, seed=7)", "w": "0.5 * normal(3, 16)", "r": "0.5 * normal(4, 16, seed=1)", "b": "normal(16, seed=2)",
           "k": "0.5 * normal(3, 4, seed=3)", "s": "0.5 * normal(4, 4, seed=4)", "a": "normal(4, seed=8)", "g": "0.5 * normal(3, 12)", "u": "0.5 * normal(4, 12, seed=1)", "d": "normal(2, 12, seed=2)"}  # fmt: skip
    add(
        """
        apply(layers.RNN(layers.LSTMCell(4), return_state=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, state=True)
        apply(layers.RNN(layers.LSTMCell(4), go_backwards=True, return_sequences=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, backwards=True, sequences=True)
        apply(layers.RNN(layers.LSTMCell(4), unroll=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b)
        apply(layers.RNN(layers.LSTMCell(4), zero_output_for_mask=True, return_sequences=True), x, mask=m, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, mask=m, sequences=True, zero=True)
        apply(layers.RNN(layers.LSTMCell(4), zero_output_for_mask=True, return_sequences=True, unroll=True), x, mask=m, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, mask=m, sequences=True, zero=True)
        apply(layers.RNN(layers.GRUCell(4), return_state=True, return_sequences=True), x, weights=[g, u, d]) ==> ref.gru(x, g, u, d, state=True, sequences=True)
        apply(layers.RNN(layers.GRUCell(4)), x, initial_state=[h], weights=[g, u, d]) ==> ref.gru(x, g, u, d, initial=[h])
        apply(layers.RNN(layers.SimpleRNNCell(4, activation="relu")), x, weights=[k, s, 0.1 * a]) ==> ?
        apply(layers.RNN(layers.SimpleRNNCell(4, use_bias=False)), x, weights=[k, s]) ==> ref.simple_rnn(x, k, s, np.zeros(4))
        apply(layers.RNN([layers.LSTMCell(4), layers.SimpleRNNCell(4)]), x, weights=[w, r, b, s, s, a]) ==> ref.simple_rnn(ref.lstm(x, w, r, b, sequences=True), s, s, a)
        apply(layers.RNN(layers.StackedRNNCells([layers.LSTMCell(4), layers.SimpleRNNCell(4)]), return_sequences=True), x, weights=[w, r, b, s, s, a]) ==> ref.simple_rnn(ref.lstm(x, w, r, b, sequences=True), s, s, a, sequences=True)
        apply(layers.RNN([layers.SimpleRNNCell(4), layers.SimpleRNNCell(4)]), x, mask=m, weights=[k, s, a, s, s, a]) ==> ?
        apply(layers.SimpleRNN(4, use_bias=False), x, weights=[k, s]) ==> ref.simple_rnn(x, k, s, np.zeros(4))
        apply(layers.SimpleRNN(4, unroll=True, go_backwards=True), x, weights=[k, s, a]) ==> ref.simple_rnn(x, k, s, a, backwards=True)
        apply(layers.SimpleRNN(4, return_state=True, return_sequences=True), x, weights=[k, s, a]) ==> ref.simple_rnn(x, k, s, a, state=True, sequences=True)
        apply(layers.LSTM(4, return_state=True, return_sequences=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, state=True, sequences=True)
        apply(layers.LSTM(4, return_state=True), x, initial_state=[h, c], weights=[w, r, b]) ==> ref.lstm(x, w, r, b, state=True, initial=[h, c])
        apply(layers.LSTM(4, return_state=True), x, mask=m, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, state=True, mask=m)
        apply(layers.LSTM(4, return_state=True, go_backwards=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, state=True, backwards=True)
        apply(layers.GRU(4, return_state=True, go_backwards=True), x, weights=[g, u, d]) ==> ref.gru(x, g, u, d, state=True, backwards=True)
        apply(layers.GRU(4, return_state=True), x, initial_state=h, mask=m, weights=[g, u, d]) ==> ref.gru(x, g, u, d, state=True, initial=[h], mask=m)
        apply(layers.LSTM(4, use_cudnn=False), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b)
        apply(layers.GRU(4, use_cudnn=False), x, weights=[g, u, d]) ==> ref.gru(x, g, u, d)
        apply(layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5, seed=1), x, weights=[w, r, b], training=False) ==> ref.lstm(x, w, r, b)
        apply(layers.GRU(4, dropout=0.5, recurrent_dropout=0.5, seed=1), x, weights=[g, u, d], training=False) ==> ref.gru(x, g, u, d)
        apply(layers.Bidirectional(layers.LSTM(4, return_state=True)), x, weights=[w, r, b, w, r, b]) ==> [ref.bidirectional(ref.lstm, x, (w, r, b), (w, r, b)), *ref.lstm(x, w, r, b, state=True)[1:], *ref.lstm(x, w, r, b, state=True, backwards=True)[1:]]
        apply(layers.Bidirectional(layers.GRU(4, return_state=True, return_sequences=True), merge_mode="sum"), x, weights=[g, u, d, g, u, d]) ==> [ref.bidirectional(ref.gru, x, (g, u, d), (g, u, d), "sum", sequences=True), ref.gru(x, g, u, d, state=True)[1], ref.gru(x, g, u, d, state=True, backwards=True)[1]]
        apply(layers.Bidirectional(layers.SimpleRNN(4), backward_layer=layers.SimpleRNN(4, go_backwards=True)), x, weights=[k, s, a, k, s, a]) ==> ref.bidirectional(ref.simple_rnn, x, (k, s, a), (k, s, a))
        apply(layers.Bidirectional(layers.LSTM(4)), x, initial_state=[h, c, c, h], weights=[w, r, b, w, r, b]) ==> np.concatenate([ref.lstm(x, w, r, b, initial=[h, c]), ref.lstm(x, w, r, b, initial=[c, h], backwards=True)], -1)
        apply(layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode=None), x, weights=[g, u, d, g, u, d]) ==> ref.bidirectional(ref.gru, x, (g, u, d), (g, u, d), "none", sequences=True)
        apply(layers.Bidirectional(layers.LSTM(4, return_sequences=True)), x, mask=m, weights=[w, r, b, w, r, b]) ==> ref.bidirectional(ref.lstm, x, (w, r, b), (w, r, b), "concat", m, True)
        apply(layers.Bidirectional(layers.RNN(layers.LSTMCell(4))), x, weights=[w, r, b, w, r, b]) ==> ref.bidirectional(ref.lstm, x, (w, r, b), (w, r, b))
        """,
        rnn, family="options", dynamic="xmhc",
    )  # fmt: skip
    add(
        """
        twice(layers.RNN(layers.LSTMCell(4), stateful=True), x, [w, r, b]) ==> ref.lstm(np.concatenate([x, x], 1), w, r, b)
        twice(layers.SimpleRNN(4, stateful=True), x, [k, s, a]) ==> ref.simple_rnn(np.concatenate([x, x], 1), k, s, a)
        twice(layers.GRU(4, stateful=True, unroll=True), x, [g, u, d]) ==> ref.gru(np.concatenate([x, x], 1), g, u, d)
        twice(layers.Bidirectional(layers.SimpleRNN(4, stateful=True)), x, [k, s, a, k, s, a])[:, :4] ==> ref.simple_rnn(np.concatenate([x, x], 1), k, s, a)
        twice(layers.LSTM(4, stateful=True, return_state=True), x, [w, r, b]) ==> ref.lstm(np.concatenate([x, x], 1), w, r, b, state=True)
        """,
        rnn, family="options", symbolic=False, eager=True,
    )  # fmt: skip
    images = {
        "x": "normal(1, 2, 5, 3, seed=1)",
        "y": "normal(1, 2, 4, 4, 2, seed=2)",
        "z": "normal(1, 2, 3, 3, 3, 2, seed=3)",
        "f": "normal(1, 2, 2, 4, 4, seed=4)",
    }
    add(
        """
        ops.shape(apply(layers.ConvLSTM1D(2, 2, strides=2, return_state=True), x)) ==> [[1, 2, 2]] * 3
        ops.shape(apply(layers.ConvLSTM2D(3, 2, return_sequences=True, go_backwards=True), y)) ==> [1, 2, 3, 3, 3]
        ops.shape(apply(layers.ConvLSTM2D(3, 2, data_format="channels_first"), f)) ==> [1, 3, 3, 3]
        ops.shape(apply(layers.ConvLSTM2D(3, 2, dilation_rate=2, padding="same"), y)) ==> [1, 4, 4, 3]
        ops.shape(apply(layers.ConvLSTM3D(2, 2), z)) ==> [1, 2, 2, 2, 2]
        apply(layers.ConvLSTM2D(3, 2, unroll=True, use_bias=False), y) ==> ?
        apply(layers.ConvLSTM2D(3, 2, activation="relu", recurrent_activation="hard_sigmoid"), y) ==> ?
        apply(layers.ConvLSTM3D(2, 2, padding="same", return_sequences=True), z) ==> ?
        """.replace("ops.shape(apply(layers.ConvLSTM1D(2, 2, strides=2, return_state=True), x))", "[ops.shape(v) for v in apply(layers.ConvLSTM1D(2, 2, strides=2, return_state=True), x)]"),
        images, family="options", dynamic="xyzf",
    )  # fmt: skip


LOSSES = {
    "MeanSquaredError()": ("y, p", "ref.mean_squared_error(y, p)"), "MeanAbsoluteError()": ("y, p", "ref.mean_absolute_error(y, p)"), "MeanAbsolutePercentageError()": ("y, p", "ref.mean_absolute_percentage_error(y, p)"),
    "MeanSquaredLogarithmicError()": ("u, v", "ref.mean_squared_logarithmic_error(u, v)"), "Huber(delta=2.0)": ("y, p", "ref.huber(y, p, 2.0)"), "LogCosh()": ("y, p", "ref.log_cosh(y, p)"),
    "CosineSimilarity(axis=-1)": ("y, p", "-ref.cosine_similarity(y, p)"), "KLDivergence()": ("u, v", "ref.kl_divergence(u, v)"), "Poisson()": ("u, v", "ref.poisson(u, v)"), "Hinge()": ("b, p", "ref.hinge(b, p)"),
    "SquaredHinge()": ("b, p", "ref.squared_hinge(b, p)"), "CategoricalHinge()": ("o, p", "ref.categorical_hinge(o, p)"), "BinaryCrossentropy(axis=-1)": ("b, v", "ref.bce(b, v)"),
    "CategoricalCrossentropy(axis=-1)": ("o, q", "ref.cce(o, q)"), "SparseCategoricalCrossentropy(axis=-1, from_logits=True)": ("s, l", "ref.cce(np.eye(3)[s], l, True)"),
    "BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.6, gamma=1.0)": ("b, v", "ref.binary_focal(b, v, 0.6, 1.0, True)"),
    "BinaryFocalCrossentropy(from_logits=True, axis=-1)": ("b, l", "ref.binary_focal(b, l, from_logits=True)"), "BinaryFocalCrossentropy(label_smoothing=0.2)": ("b, v", "ref.binary_focal(b * 0.8 + 0.1, v)"),
    "CategoricalFocalCrossentropy(alpha=0.5, gamma=1.0)": ("o, q", "ref.categorical_focal(o, q, 0.5, 1.0)"), "CategoricalFocalCrossentropy(from_logits=True, axis=-1)": ("o, l", "ref.categorical_focal(o, ref.softmax(l))"),
    "CategoricalFocalCrossentropy(label_smoothing=0.3)": ("o, q", "ref.categorical_focal(o * 0.7 + 0.1, q)"),
}  # fmt: skip


def _losses(add):
    from .losses import INPUTS

    for loss, (on, values) in LOSSES.items():
        rest = loss[:-1] + ("" if loss.endswith("()") else ", ")
        for reduction in (None, "sum", "mean", "mean_with_sample_weight"):
            truth = "sum_over_batch_size" if reduction == "mean" else reduction
            add(
                "loss_of(losses.%sreduction=%r), %s, w) ==> ref.reduce(%s, w, %r)"
                % (rest, reduction, on, values, truth),
                INPUTS,
                family="losses",
                symbolic=False,
            )
        add(
            "loss_of(losses.%sreduction='sum'), %s) ==> ref.reduce(%s, None, 'sum')" % (rest, on, values),
            INPUTS,
            family="losses",
            symbolic=False,
        )
        add(
            "ops.shape(loss_of(losses.%sreduction=None), %s)) ==> [4]" % (rest, on),
            INPUTS,
            family="losses",
            symbolic=False,
        )
        add(
            "backend.standardize_dtype(losses.%sdtype='bfloat16')(%s).dtype) == 'bfloat16' ==> True" % (rest, on),
            INPUTS,
            family="types",
            symbolic=False,
            op="losses." + loss.split("(")[0],
        )
        add(
            "losses.get(losses.serialize(losses.{0}))({1}) - losses.{0}({1}) ==> 0.0".format(loss, on),
            INPUTS,
            family="names",
            symbolic=False,
            op="losses." + loss.split("(")[0],
        )
    add(
        """
        loss_of(losses.BinaryCrossentropy(axis=0), b, v) ==> np.mean(ref.bce(b, v, axis=0))
        loss_of(losses.CategoricalCrossentropy(axis=0), o, q) ==> np.mean(ref.cce(o, q, axis=0))
        loss_of(losses.CosineSimilarity(axis=0), y, p) ==> np.mean(-ref.cosine_similarity(y, p, 0))
        loss_of(losses.Dice(axis=(1,)), b, v) ==> np.mean(ref.dice(b, v, (1,)))
        loss_of(losses.Tversky(axis=(1,), alpha=0.5, beta=0.5), b, v) ==> np.mean(ref.tversky(b, v, axis=(1,)))
        loss_of(losses.Dice(reduction="sum"), b, v) ==> ref.dice(b, v)
        losses.binary_focal_crossentropy(b, v, label_smoothing=0.2) ==> ref.binary_focal(b * 0.8 + 0.1, v)
        losses.binary_focal_crossentropy(b, v, axis=0) ==> ?
        losses.categorical_focal_crossentropy(o, q, label_smoothing=0.3) ==> ref.categorical_focal(o * 0.7 + 0.1, q)
        losses.categorical_focal_crossentropy(o, q, axis=-1) ==> ref.categorical_focal(o, q)
        losses.sparse_categorical_crossentropy(s, l, from_logits=True, ignore_class=2) ==> np.where(s == 2, 0, ref.cce(np.eye(3)[s], l, True))
        losses.sparse_categorical_crossentropy(s, l, from_logits=True, ignore_class=-1) ==> ref.cce(np.eye(3)[s], l, True)
        losses.sparse_categorical_crossentropy(c, j, ignore_class=0) ==> np.where(c == 0, 0, ref.cce(np.eye(3)[c], j / j.sum(-1, keepdims=True)))
        losses.sparse_categorical_crossentropy(c, ops.transpose(j, (0, 2, 1)), from_logits=True, axis=1) ==> ref.cce(np.eye(3)[c], j, True)
        losses.categorical_generalized_cross_entropy(s, q / ops.sum(q, -1, keepdims=True), q=0.5) ==> (1 - (q / q.sum(-1, keepdims=True))[np.arange(4), s] ** 0.5) / 0.5
        loss_of(losses.CategoricalGeneralizedCrossEntropy(q=0.3), s, q / ops.sum(q, -1, keepdims=True)) ==> np.mean((1 - (q / q.sum(-1, keepdims=True))[np.arange(4), s] ** 0.3) / 0.3)
        loss_of(losses.CTC(), a, ops.concatenate([g, h], 1)) ==> ?
        losses.circle(s, ops.normalize(p), gamma=64, margin=0.3) ==> ?
        losses.circle(s, ops.normalize(p), ref_labels=s, ref_embeddings=ops.normalize(y), remove_diagonal=False) ==> ?
        loss_of(losses.MeanSquaredError(), y, p, w[:, None]) ==> ref.reduce(ref.mean_squared_error(y, p), w)
        loss_of(losses.MeanSquaredError(), y, p, 2.0) ==> 2 * np.mean((y - p) ** 2)
        loss_of(losses.MeanSquaredError(), y[:, 0], p[:, :1]) ==> np.mean((y[:, 0] - p[:, 0]) ** 2)
        loss_of(losses.MeanSquaredError(), y[:, :1], p[:, 0]) ==> np.mean((y[:, 0] - p[:, 0]) ** 2)
        loss_of(losses.SparseCategoricalCrossentropy(from_logits=True), s[:, None], l, w) ==> ref.reduce(ref.cce(np.eye(3)[s], l, True), w)
        loss_of(losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0, reduction="sum"), s, l) ==> np.sum(np.where(s == 0, 0, ref.cce(np.eye(3)[s], l, True)))
        loss_of(losses.SparseCategoricalCrossentropy(from_logits=True), c, j, x) ==> ref.reduce(ref.cce(np.eye(3)[c], j, True), x)
        loss_of(losses.Hinge(), 2 * b - 1, p) ==> np.mean(ref.hinge(2 * b - 1, p))
        loss_of(losses.SquaredHinge(), 2 * b - 1, p) ==> np.mean(ref.squared_hinge(2 * b - 1, p))
        loss_of(losses.BinaryCrossentropy(label_smoothing=1.0), b, v) ==> np.mean(ref.bce(b, v, label_smoothing=1.0))
        loss_of(losses.BinaryCrossentropy(), b > 0, v) ==> np.mean(ref.bce(b, v))
        loss_of(losses.BinaryCrossentropy(), ops.cast(b, "int32"), v) ==> np.mean(ref.bce(b, v))
        loss_of(losses.MeanSquaredError(), ops.cast(b, "int32"), v) ==> np.mean((b - v) ** 2)
        loss_of(losses.MeanAbsoluteError(), b > 0, v) ==> np.mean(np.abs(b - v))
        loss_of(losses.CategoricalCrossentropy(), ops.cast(o, "int32"), q) ==> np.mean(ref.cce(o, q))
        losses.mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]]) ==> np.array([2.5])
        losses.binary_crossentropy([[0, 1]], [[0.5, 0.5]]) ==> np.log([2.0])
        losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]) ==> 2.5
        losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]], sample_weight=[3.0]) ==> 7.5
        losses.get("mse")(y, p) ==> ref.mean_squared_error(y, p)
        losses.get("mean_absolute_error")(y, p) ==> ref.mean_absolute_error(y, p)
        losses.get("Huber")(y, p) ==> np.mean(ref.huber(y, p))
        losses.get({"class_name": "Huber", "config": {"delta": 2.0}})(y, p) ==> np.mean(ref.huber(y, p, 2.0))
        """,
        INPUTS, family="losses", symbolic=False,
    )  # fmt: skip


METRICS = {
    "MeanSquaredError": ("y, p", "ref.mean_squared_error({0})"), "MeanAbsoluteError": ("y, p", "ref.mean_absolute_error({0})"), "LogCoshError": ("y, p", "ref.log_cosh({0})"), "CosineSimilarity": ("y, p", "ref.cosine_similarity({0})"),
    "KLDivergence": ("u, v", "ref.kl_divergence({0})"), "Poisson": ("u, v", "ref.poisson({0})"), "Hinge": ("b, p", "ref.hinge({0})"), "CategoricalHinge": ("o, p", "ref.categorical_hinge({0})"), "BinaryCrossentropy": ("b, v", "ref.bce({0})"),
    "CategoricalCrossentropy": ("o, q", "ref.cce({0})"), "BinaryAccuracy": ("b, v", "np.mean((v > 0.5) == b, -1)"), "CategoricalAccuracy": ("o, q", "1.0 * (o.argmax(-1) == q.argmax(-1))"),
    "SparseCategoricalAccuracy": ("s, q", "1.0 * (s == q.argmax(-1))"),
}  # fmt: skip
STATEFUL = (
    ("Precision(thresholds=0.4)", "t, z"), ("Recall(thresholds=0.4)", "t, z"), ("AUC(num_thresholds=20)", "t, z"), ("AUC(num_thresholds=20, curve='PR')", "t, z"), ("TruePositives(thresholds=0.4)", "t, z"), ("FalseNegatives(thresholds=[0.2, 0.6])", "t, z"),
    ("TrueNegatives(thresholds=0.6)", "t, z"), ("FalsePositives()", "t, z"), ("MeanIoU(3)", "a, d"), ("IoU(3, [1])", "a, d"), ("BinaryIoU()", "t, z"), ("R2Score()", "y, p"), ("F1Score()", "o, q"), ("FBetaScore(average='micro')", "o, q"), ("Mean()", "z"), ("Sum()", "z"),
    ("RootMeanSquaredError()", "y, p"), ("PrecisionAtRecall(0.6, num_thresholds=20)", "t, z"), ("RecallAtPrecision(0.6, num_thresholds=20)", "t, z"), ("SensitivityAtSpecificity(0.6, num_thresholds=20)", "t, z"),
    ("SpecificityAtSensitivity(0.6, num_thresholds=20)", "t, z"), ("BinaryAccuracy()", "b, v"), ("MeanSquaredError()", "y, p"), ("PearsonCorrelation()", "y, p"), ("ConcordanceCorrelation()", "y, p"), ("TopKCategoricalAccuracy(k=2)", "o, q"), ("Accuracy()", "a, d"),
)  # fmt: skip


def _metrics(add):
    from .losses import INPUTS

    more = {
        **{k: INPUTS[k] for k in "ypuvboswlq"}, "a": "array([[0, 2, 1], [1, 1, 0]], 'int32')", "d": "array([[0, 1, 1], [1, 2, 0]], 'int32')", "r": "array([[1., 0., 2.], [0.5, 1., 1.]])",
        "t": "array([1., 0., 1., 1., 0., 0., 1., 0.])", "z": "array([0.9, 0.2, 0.35, 0.8, 0.4, 0.7, 0.55, 0.1])", "x": "array([1., 2., 0.5, 1., 1., 3., 0., 1.])",
        "g": "array([[0, 2, 1], [255, 1, 0]], 'int32')", "h": "uniform(2, 3, 3, low=0.1)", "k": "array([[1., 0.], [0., 1.], [1., 1.], [0., 0.]])", "n": "array([[0.9, 0.3], [0.2, 0.7], [0.6, 0.4], [0.1, 0.8]])",
    }  # fmt: skip
    options = {"family": "metrics", "symbolic": False, "eager": True}
    for metric, (on, form) in METRICS.items():
        values = form.format(on)
        add("metric_of(metrics.%s(), (%s, w)) ==> ref.weighted_mean(%s, w)" % (metric, on, values), more, **options)
        add("metric_of(metrics.%s(), (%s, 0 * w)) ==> 0.0" % (metric, on), more, **options)
        add(
            "backend.standardize_dtype(metric_of(metrics.%s(dtype='float16'), (%s)).dtype) == 'float16' ==> True"
            % (metric, on),
            more,
            op="metrics." + metric,
            **{**options, "family": "types"},
        )
    for metric, on in STATEFUL:
        name = "metrics." + metric.split("(")[0]
        made = "metrics.%s" % metric
        one, pair = on.replace(" ", "").split(","), on if "," in on else on + ","
        less = ", ".join("%s[:2]" % n for n in one) + ("," if len(one) == 1 else "")
        add(
            "reset_of({0}, ({2}), ({1})) - metric_of({0}, ({1})) ==> np.zeros({3})".format(
                made, pair, less, "2" if "[0.2, 0.6]" in metric else "3" if metric == "F1Score()" else "()"
            ),
            more,
            op=name,
            tol=1e6,
            **options,
        )
        add(
            "str(rebuilt(metrics, {0}).get_config()) == str({0}.get_config()) ==> True".format(
                made[:-1] + ("" if made.endswith("()") else ", ") + "name='m')"
            ),
            more,
            op=name,
            **options,
        )
    add(
        """
        metric_of(metrics.AUC(thresholds=[0.25, 0.5, 0.75]), (t, z)) ==> ?
        metric_of(metrics.AUC(multi_label=True, num_labels=3, num_thresholds=20), (b, v)) ==> np.mean([ref.auc(b[:, i], v[:, i], 20) for i in range(3)])
        metric_of(metrics.AUC(multi_label=True, num_thresholds=20, label_weights=[1.0, 2.0, 0.0]), (b, v)) ==> (ref.auc(b[:, 0], v[:, 0], 20) + 2 * ref.auc(b[:, 1], v[:, 1], 20)) / 3
        metric_of(metrics.AUC(multi_label=True, num_thresholds=20), (b, v, w)) ==> ?
        metric_of(metrics.AUC(num_thresholds=2), (t, z)) ==> ref.auc(t, z, 2)
        metric_of(metrics.AUC(num_thresholds=20), (t[:, None], z[:, None])) ==> ref.auc(t, z, 20)
        metric_of(metrics.AUC(num_thresholds=20), (b, v)) ==> ref.auc(b.ravel(), v.ravel(), 20)
        metric_of(metrics.AUC(num_thresholds=20), (t > 0, z)) ==> ref.auc(t, z, 20)
        metric_of(metrics.AUC(num_thresholds=20), (ops.cast(t, "int32"), z), (t, z)) ==> ref.auc(t, z, 20)
        metric_of(metrics.BinaryAccuracy(), (b > 0, v)) ==> np.mean((v > 0.5) == b)
        metric_of(metrics.BinaryAccuracy(), (b > 0, v > 0.5)) ==> np.mean((v > 0.5) == b)
        metric_of(metrics.BinaryAccuracy(), (t, z)) ==> np.mean((z > 0.5) == t)
        metric_of(metrics.BinaryCrossentropy(from_logits=True), (b, l)) ==> np.mean(ref.bce(b, l, True))
        metric_of(metrics.BinaryCrossentropy(label_smoothing=0.2), (b, v)) ==> np.mean(ref.bce(b, v, label_smoothing=0.2))
        metric_of(metrics.CategoricalCrossentropy(axis=0), (o, q)) ==> np.mean(ref.cce(o, q, axis=0))
        metric_of(metrics.CosineSimilarity(axis=0), (y, p)) ==> np.mean(ref.cosine_similarity(y, p, 0))
        metric_of(metrics.FBetaScore(beta=0.5, average="macro", threshold=0.5), (b, v)) ==> ref.fbeta(b, v, 0.5, 0.5, "macro")
        metric_of(metrics.FBetaScore(beta=0.5, average="weighted"), (o, q)) ==> ref.fbeta(o, q, 0.5, None, "weighted")
        metric_of(metrics.F1Score(), (o, q, w)) ==> ?
        metric_of(metrics.FalseNegatives(thresholds=0.6), (t, z)) ==> ref.confusion(t, z, 0.6)[3]
        metric_of(metrics.TrueNegatives(thresholds=[0.3, 0.6]), (t, z)) ==> np.array([ref.confusion(t, z, 0.3)[2], ref.confusion(t, z, 0.6)[2]])
        metric_of(metrics.TruePositives(thresholds=[0.0, 1.0]), (t, z)) ==> np.array([ref.confusion(t, z, 0.0)[0], 0.0])
        metric_of(metrics.TruePositives(), (t, z, x)) ==> ref.confusion(t, z, 0.5, x)[0]
        metric_of(metrics.FalsePositives(), (t, z), (t, z)) ==> 2 * ref.confusion(t, z)[1]
        metric_of(metrics.Precision(top_k=2), (b, v)) ==> ?
        metric_of(metrics.Precision(top_k=2, class_id=1), (b, v)) ==> ?
        metric_of(metrics.Precision(), (b, v, w)) ==> ref.precision(b, v, 0.5, w)
        metric_of(metrics.Precision(class_id=0, thresholds=[0.2, 0.8]), (b, v)) ==> np.array([ref.precision(b[:, 0], v[:, 0], 0.2), ref.precision(b[:, 0], v[:, 0], 0.8)])
        metric_of(metrics.Recall(class_id=1, top_k=2), (b, v)) ==> ?
        metric_of(metrics.Recall(), (b, v, w)) ==> ref.recall(b, v, 0.5, w)
        metric_of(metrics.Recall(), (t > 0, z)) ==> ref.recall(t, z)
        metric_of(metrics.PrecisionAtRecall(0.6, num_thresholds=20, class_id=1), (k, n)) ==> ?
        metric_of(metrics.RecallAtPrecision(0.6, num_thresholds=20, class_id=1), (k, n)) ==> ?
        metric_of(metrics.SensitivityAtSpecificity(0.5, num_thresholds=20, class_id=0), (k, n)) ==> ?
        metric_of(metrics.SpecificityAtSensitivity(0.5, num_thresholds=20, class_id=0), (k, n)) ==> ?
        metric_of(metrics.PrecisionAtRecall(0.6, num_thresholds=1), (t, z)) ==> ?
        metric_of(metrics.IoU(3, [0, 2], ignore_class=255), (g, d)) ==> ?
        metric_of(metrics.MeanIoU(3, ignore_class=255), (g, d)) ==> ref.iou(g[g != 255], d[g != 255], 3)
        metric_of(metrics.IoU(3, [0, 1, 2]), (a, d)) ==> ref.iou(a, d, 3)
        metric_of(metrics.IoU(3, [0, 2], sparse_y_pred=False), (a, h)) ==> ref.iou(a, h.argmax(-1), 3, [0, 2])
        metric_of(metrics.MeanIoU(3, sparse_y_pred=False, axis=-1), (a, h)) ==> ref.iou(a, h.argmax(-1), 3)
        metric_of(metrics.MeanIoU(3, sparse_y_true=False), (h, a)) ==> ref.iou(h.argmax(-1), a, 3)
        metric_of(metrics.MeanIoU(3), (a, d), (d, a)) ==> ref.iou(np.concatenate([a, d]), np.concatenate([d, a]), 3)
        metric_of(metrics.OneHotMeanIoU(3, sparse_y_pred=True), (o, s)) ==> ref.iou(o.argmax(-1), s, 3)
        metric_of(metrics.OneHotIoU(3, [1], sparse_y_pred=True), (o, s)) ==> ref.iou(o.argmax(-1), s, 3, [1])
        metric_of(metrics.R2Score(num_regressors=1), (y, p)) ==> ?
        metric_of(metrics.R2Score(class_aggregation="variance_weighted_average"), (y, p)) ==> 1 - np.sum((y - p) ** 2) / np.sum((y - y.mean(0)) ** 2)
        metric_of(metrics.R2Score(), (y[:, :1], p[:, :1])) ==> ref.r2(y[:, :1], p[:, :1])
        metric_of(metrics.R2Score(), (y, p), (p, y)) ==> ref.r2(np.concatenate([y, p]), np.concatenate([p, y]))
        metric_of(metrics.PearsonCorrelation(axis=0), (y, p)) ==> ref.pearson(y.T, p.T)
        metric_of(metrics.ConcordanceCorrelation(axis=0), (y, p)) ==> ref.concordance(y.T, p.T)
        metric_of(metrics.SparseCategoricalCrossentropy(axis=-1, from_logits=True), (s, l, w)) ==> ref.weighted_mean(ref.cce(np.eye(3)[s], l, True), w)
        metric_of(metrics.SparseCategoricalCrossentropy(from_logits=True), (s[:, None], l)) ==> np.mean(ref.cce(np.eye(3)[s], l, True))
        metric_of(metrics.SparseCategoricalAccuracy(), (s[:, None], q)) ==> np.mean(s == q.argmax(-1))
        metric_of(metrics.SparseCategoricalAccuracy(), (a, h)) ==> np.mean(a == h.argmax(-1))
        metric_of(metrics.SparseCategoricalAccuracy(), (a, h, r)) ==> ref.weighted_mean(a == h.argmax(-1), r)
        metric_of(metrics.SparseTopKCategoricalAccuracy(k=1), (s, q)) ==> np.mean(s == q.argmax(-1))
        metric_of(metrics.SparseTopKCategoricalAccuracy(k=3), (s, q)) ==> 1.0
        metric_of(metrics.SparseTopKCategoricalAccuracy(k=2), (s, q, w)) ==> ref.weighted_mean(ref.in_top_k(s, q, 2), w)
        metric_of(metrics.TopKCategoricalAccuracy(k=2), (o, q, w)) ==> ref.weighted_mean(ref.in_top_k(o.argmax(-1), q, 2), w)
        metric_of(metrics.CategoricalAccuracy(), (o, q), (o, q, w)) ==> ref.weighted_mean(np.tile(o.argmax(-1) == q.argmax(-1), 2), np.concatenate([np.ones(4), w]))
        metric_of(metrics.Mean(), (z,), (2.0,)) ==> (z.sum() + 2) / 9
        metric_of(metrics.Mean(), (1,), (2,)) ==> 1.5
        metric_of(metrics.Mean(), ([1.0, 2.0], [0.0, 3.0])) ==> 2.0
        metric_of(metrics.Mean(), ([1.0, 2.0], [-1.0, -3.0])) ==> 1.75
        metric_of(metrics.Mean(), (z, x)) ==> ref.weighted_mean(z, x)
        metric_of(metrics.Mean()) ==> 0.0
        metric_of(metrics.Sum(), (3,), (4.5,)) ==> 7.5
        metric_of(metrics.Sum(dtype="float16"), (z,)) ==> ?
        metric_of(metrics.MeanMetricWrapper(lambda a, b: ops.abs(a - b)), (y, p)) ==> np.mean(np.abs(y - p))
        metric_of(metrics.MeanMetricWrapper(lambda a, b, c: c * ops.abs(a - b), c=2.0), (y, p)) ==> 2 * np.mean(np.abs(y - p))
        metric_of(metrics.RootMeanSquaredError(), (y, p), (y, p, w)) ==> np.sqrt(ref.weighted_mean(np.tile((y - p) ** 2, (2, 1)), np.concatenate([np.ones(4), w])))
        metric_of(metrics.MeanAbsoluteError(), (y[:, 0], p[:, :1])) ==> np.mean(np.abs(y[:, 0] - p[:, 0]))
        metric_of(metrics.MeanAbsoluteError(), ([[0], [1]], [[1.0], [3.0]])) ==> 1.5
        metric_of(metrics.Accuracy(), ([1, 2, 3], [1, 0, 3])) ==> 2 / 3
        ops.mean(metrics.binary_accuracy(b, v)) ==> np.mean((v > 0.5) == b)
        ops.mean(metrics.binary_accuracy(b, v, threshold=0.7)) ==> np.mean((v > 0.7) == b)
        ops.mean(metrics.binary_accuracy(b > 0, v > 0.5)) ==> np.mean((v > 0.5) == b)
        metrics.categorical_accuracy(o, q) ==> o.argmax(-1) == q.argmax(-1)
        metrics.sparse_categorical_accuracy(s, q) ==> s == q.argmax(-1)
        metrics.sparse_categorical_accuracy(a, h) ==> a == h.argmax(-1)
        metrics.top_k_categorical_accuracy(o, q, k=2) ==> ref.in_top_k(o.argmax(-1), q, 2)
        metrics.sparse_top_k_categorical_accuracy(s, q, k=2) ==> ref.in_top_k(s, q, 2)
        metrics.pearson_correlation(y, p) ==> ?
        metrics.concordance_correlation(y, p) ==> ?
        """,
        more, tol=1e4, **options,
    )  # fmt: skip


def _objects(add):
    w = {"w": "normal(4, 3, seed=91)", "k": "normal(2, 2, 3, 4, seed=92)"}
    add(
        """
        constraints.MinMaxNorm(0.5, 1.0, axis=1)(w) ==> w * np.clip(np.linalg.norm(w, axis=1, keepdims=True), 0.5, 1.0) / np.linalg.norm(w, axis=1, keepdims=True)
        constraints.MaxNorm(0.5, axis=1)(w) ==> w * np.minimum(1, 0.5 / np.linalg.norm(w, axis=1, keepdims=True))
        constraints.MaxNorm(0.5, axis=[0, 1, 2])(k) ==> k * np.minimum(1, 0.5 / np.sqrt(np.sum(k * k, (0, 1, 2), keepdims=True)))
        constraints.UnitNorm(axis=[0, 1, 2])(k) ==> k / np.sqrt(np.sum(k * k, (0, 1, 2), keepdims=True))
        constraints.NonNeg()(k) ==> np.maximum(k, 0)
        constraints.get("non_neg")(w) ==> np.maximum(w, 0)
        constraints.get("NonNeg")(w) ==> np.maximum(w, 0)
        constraints.get("max_norm")(w) ==> w * np.minimum(1, 2 / np.linalg.norm(w, axis=0))
        rebuilt(constraints, constraints.MaxNorm(0.5, axis=1))(w) ==> w * np.minimum(1, 0.5 / np.linalg.norm(w, axis=1, keepdims=True))
        rebuilt(constraints, constraints.UnitNorm(axis=1))(w) ==> w / np.linalg.norm(w, axis=1, keepdims=True)
        regularizers.get("l1")(w) ==> 0.01 * np.abs(w).sum()
        regularizers.get("l2")(w) ==> 0.01 * np.square(w).sum()
        regularizers.get("L2")(w) ==> 0.01 * np.square(w).sum()
        regularizers.get("orthogonal_regularizer")(w) ==> ?
        rebuilt(regularizers, regularizers.L1(0.3))(w) ==> 0.3 * np.abs(w).sum()
        rebuilt(regularizers, regularizers.L1L2(0.3, 0.2))(w) ==> 0.3 * np.abs(w).sum() + 0.2 * np.square(w).sum()
        regularizers.L1(0.0)(w) ==> 0.0
        regularizers.L1L2(0.0, 0.0)(w) ==> 0.0
        """,
        w, symbolic=False, tol=256.0, family="constraints and regularizers",
    )  # fmt: skip
    for name in (
        "glorot_uniform",
        "GlorotNormal",
        "he_normal",
        "HeUniform",
        "lecun_normal",
        "LecunUniform",
        "random_normal",
        "RandomUniform",
        "truncated_normal",
        "orthogonal",
        "variance_scaling",
        "zeros",
        "Ones",
    ):
        add(
            "ops.shape(initializers.get(%r)((3, 3))) ==> [3, 3]" % name,
            symbolic=False,
            eager=True,
            family="names",
            op="initializers.get",
        )
    add("ops.diagonal(initializers.get('identity')((3, 3))) ==> np.ones(3)", symbolic=False, eager=True, family="names")
    for name in [
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "GlorotUniform",
        "GlorotNormal",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "Orthogonal",
    ]:
        add(
            "initializers.{0}(seed=5)((3, 4)) - rebuilt(initializers, initializers.{0}(seed=5))((3, 4)) ==> np.zeros((3, 4))".format(
                name
            ),
            symbolic=False,
            eager=True,
            family="names",
            op="initializers." + name,
        )
        add(
            "backend.standardize_dtype(initializers.%s(seed=5)((3, 4), dtype='float16').dtype) == 'float16' ==> True"
            % name,
            symbolic=False,
            eager=True,
            family="types",
            op="initializers." + name,
        )
