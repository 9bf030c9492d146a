"""Generates cases that the grids by parameter leave out.

These are unusual arguments, extreme masks, low precision, large seeds and quantization.
"""

from __future__ import annotations


def add(add):
    """Adds the cases."""
    _recurrent(add)
    _masks(add)
    _configs(add)
    _precision(add)
    _arguments(add)
    _quantization(add)
    _applications(add)


def _recurrent(add):
    inputs = {"x": "normal(2, 4, 3)", "w": "0.5 * normal(3, 16)", "r": "0.5 * normal(4, 16, seed=1)", "b": "normal(16, seed=2)",
              "k": "0.5 * normal(3, 12)", "s": "0.5 * normal(4, 12, seed=1)", "c": "normal(2, 12, seed=2)"}  # fmt: skip
    add(
        """
        apply(layers.LSTM(4, activation="relu"), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, act=ref.relu)
        apply(layers.LSTM(4, activation="sigmoid", return_sequences=True), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, act=ref.sigmoid, sequences=True)
        apply(layers.LSTM(4, recurrent_activation="hard_sigmoid"), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, gate=ref.hard_sigmoid)
        apply(layers.LSTM(4, recurrent_activation="tanh"), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b, gate=np.tanh)
        apply(layers.GRU(4, activation="relu"), x, weights=[k, s, c]) ==> ref.gru(x, k, s, c, act=ref.relu)
        apply(layers.GRU(4, recurrent_activation="hard_sigmoid", return_sequences=True), x, weights=[k, s, c]) ==> ref.gru(x, k, s, c, gate=ref.hard_sigmoid, sequences=True)
        apply(layers.GRU(4, use_bias=False), x, weights=[k, s]) ==> ref.gru(x, k, s, np.zeros((2, 12)))
        """,
        inputs, family="recurrent", symbolic=False,
    )  # fmt: skip
    add(
        "apply(layers.LSTM(4), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b)",
        {**inputs, "x": "normal(2, 1, 3)"},
        symbolic=False,
    )
    add(
        """
        twice(layers.LSTM(4, stateful=True), x, [w, r, b]) ==> ref.lstm(np.concatenate([x, x], 1), w, r, b)
        twice(layers.GRU(4, stateful=True), x, [k, s, c]) ==> ref.gru(np.concatenate([x, x], 1), k, s, c)
        twice(layers.LSTM(4, stateful=True, return_sequences=True), x, [w, r, b])[:, -1] ==> ref.lstm(np.concatenate([x, x], 1), w, r, b)
        """,
        inputs, family="recurrent", symbolic=False, eager=True,
    )  # fmt: skip
    add(
        "apply(layers.LSTM(4, dtype='float16'), x, weights=[w, r, b]) ==> ref.lstm(x, w, r, b)\n"
        "apply(layers.GRU(4, dtype='float16'), x, weights=[k, s, c]) ==> ref.gru(x, k, s, c)",
        inputs, dtypes=("float16",), symbolic=False, family="recurrent",
    )  # fmt: skip


def _masks(add):
    inputs = {
        "x": "normal(2, 4)", "m": "array([[1, 0, 1, 0], [0, 0, 0, 0]], 'bool')", "q": "normal(2, 3, 4)", "v": "normal(2, 5, 4, seed=1)",
        "n": "array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1]], 'bool')", "z": "array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0]], 'bool')", "h": "normal(2, 5, 3)",
        "i": "array([[1, 2, 0], [3, 0, 0]], 'int32')", "e": "normal(5, 4)",
    }  # fmt: skip
    add(
        """
        layers.Softmax()(x[:1], mask=m[:1]) ==> ref.softmax(np.where(m[:1], x[:1], -1e300))
        layers.Softmax()(50 * x[:1], mask=m[:1]) ==> ref.softmax(np.where(m[:1], 50 * x[:1], -1e300))
        layers.Attention()([q, v], mask=[None, n]) ==> ref.attention(q, v, value_mask=n)
        layers.GlobalAveragePooling1D()(h, mask=n) ==> np.sum(h * n[..., None], 1) / np.sum(n, 1)[:, None]
        ops.all(ops.isfinite(layers.GlobalAveragePooling1D()(h, mask=z))[0]) ==> True
        ops.all(ops.isfinite(layers.Softmax()(x, mask=m))) ==> True
        ops.all(ops.isfinite(layers.Attention()([q, v], mask=[None, z]))) ==> True
        ops.all(ops.isfinite(apply(layers.MultiHeadAttention(2, 3), q, v, value_mask=z))) ==> True
        """,
        inputs, symbolic=False, family="masks",
    )  # fmt: skip
    add(
        """
        layers.Softmax()(x[:1], mask=m[:1]) ==> ref.softmax(np.where(m[:1], x[:1], -1e300))
        layers.Attention()([q, v], mask=[None, n]) ==> ref.attention(q, v, value_mask=n)
        layers.Attention()([q, q], use_causal_mask=True) ==> ref.attention(q, q, causal=True)
        """.replace("layers.Softmax()", "layers.Softmax(dtype='float16')").replace("layers.Attention()", "layers.Attention(dtype='float16')"),
        inputs, dtypes=("float16",), symbolic=False, family="masks",
    )  # fmt: skip
    add(
        """
        mask_of(layers.Embedding(5, 4, mask_zero=True)(i)) ==> i != 0
        mask_of(layers.Dropout(0.5)(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.Dense(3)(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.LSTM(3, return_sequences=True)(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.Concatenate(axis=1)([layers.Embedding(5, 4, mask_zero=True)(i), layers.Embedding(5, 4, mask_zero=True)(i)])) ==> np.concatenate([i, i], 1) != 0
        mask_of(layers.Concatenate()([layers.Embedding(5, 4, mask_zero=True)(i), layers.Embedding(5, 4, mask_zero=True)(i)])) ==> i != 0
        mask_of(layers.Add()([layers.Embedding(5, 4, mask_zero=True)(i), layers.Embedding(5, 4, mask_zero=True)(i)])) ==> i != 0
        mask_of(layers.TimeDistributed(layers.Dense(3))(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.Activation("relu")(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.LayerNormalization()(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.BatchNormalization()(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.MultiHeadAttention(2, 3)(layers.Embedding(5, 4, mask_zero=True)(i), layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        mask_of(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Embedding(5, 4, mask_zero=True)(i))) ==> i != 0
        """,
        inputs, symbolic=False, eager=True, family="masks",
    )  # fmt: skip


CONFIGS = (
    "layers.Conv2DTranspose, filters=2, kernel_size=3, strides=2, output_padding=1, dilation_rate=1", "layers.Conv1D, filters=2, kernel_size=3, groups=1",
    "layers.Attention, use_scale=True, dropout=0.1, seed=3", "layers.AdditiveAttention, use_scale=True, dropout=0.1", "layers.Dropout, rate=0.5, seed=3, noise_shape=(1, 2)",
    "layers.MultiHeadAttention, num_heads=2, key_dim=3, dropout=0.1, seed=3, output_shape=4, attention_axes=(1,)", "layers.LSTM, units=3, dropout=0.1, recurrent_dropout=0.1, seed=3",
    "layers.GRU, units=3, reset_after=False, unroll=True, stateful=True", "layers.RandomFlip, mode='horizontal', seed=3", "layers.RandomZoom, height_factor=0.1, fill_value=0.5, seed=3",
    "layers.GaussianNoise, stddev=0.5, seed=3", "layers.LayerNormalization, axis=1, epsilon=0.1", "layers.Embedding, input_dim=3, output_dim=2, mask_zero=True",
    "layers.SpectralNormalization, layer=layers.Dense(3), power_iterations=2", "layers.RandomRotation, factor=0.1, fill_mode='constant', value_range=(0, 1), seed=3",
    "layers.Resizing, height=3, width=4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=False, fill_mode='constant', fill_value=0.1", "layers.Dot, axes=1, normalize=True",
    "layers.UpSampling2D, size=2, interpolation='bilinear', data_format='channels_last'", "layers.BatchNormalization, momentum=0.5, synchronized=False",
    "losses.Huber, delta=0.5, reduction='sum'", "losses.CategoricalFocalCrossentropy, alpha=0.5, gamma=1.0, label_smoothing=0.1", "losses.Tversky, alpha=0.5, beta=0.3",
    "losses.SparseCategoricalCrossentropy, from_logits=True, ignore_class=0", "losses.CosineSimilarity, axis=0", "losses.BinaryCrossentropy, from_logits=True, label_smoothing=0.1, axis=-1",
    "metrics.AUC, num_thresholds=10, curve='PR', from_logits=True, multi_label=False", "metrics.Precision, thresholds=0.4, top_k=2, class_id=1", "metrics.MeanIoU, num_classes=3, ignore_class=0",
    "metrics.F1Score, average='macro', threshold=0.5", "metrics.TopKCategoricalAccuracy, k=3", "metrics.BinaryIoU, target_class_ids=[1], threshold=0.3", "metrics.R2Score, num_regressors=1",
    "optimizers.Adam, learning_rate=0.1, amsgrad=True, weight_decay=0.1, clipnorm=1.0, use_ema=True, gradient_accumulation_steps=2", "optimizers.SGD, learning_rate=0.1, nesterov=True, momentum=0.5",
    "optimizers.RMSprop, learning_rate=0.1, centered=True", "schedules.CosineDecay, initial_learning_rate=0.1, decay_steps=3, warmup_target=0.2, warmup_steps=2",
    "constraints.MinMaxNorm, min_value=0.1, rate=0.5, axis=1", "regularizers.OrthogonalRegularizer, factor=0.1, mode='columns'", "initializers.VarianceScaling, scale=2.0, mode='fan_out', seed=3",
    "layers.GroupNormalization, groups=2, axis=1, epsilon=0.1", "layers.ConvLSTM2D, filters=2, kernel_size=3, dropout=0.1, seed=3", "layers.Bidirectional, layer=layers.LSTM(3), merge_mode='sum'",
)  # fmt: skip


def _configs(add):
    for arguments in CONFIGS:
        add("missing_in_config(%s) ==> ''" % arguments, symbolic=False, eager=True, family="configurations")
    for layer, shape, variance in (
        ("Dense(400)", (None, 100), 2 / 500), ("EinsumDense('abc,cd->abd', output_shape=(None, 400))", (None, 3, 100), 2 / 500),
        ("EinsumDense('abc,cde->abde', output_shape=(None, 4, 100))", (None, 3, 100), 2 / 500), ("Conv2D(40, 5)", (None, 8, 8, 40), 2 / 2000),
        ("LSTM(100)", (None, 3, 100), 2 / 500), ("Embedding(100, 400)", (None, 3), 0.05**2 / 3),
    ):  # fmt: skip
        kurtosis = 7 * variance * (0.8 / 40000) ** 0.5
        add("within(weight_moments(layers.%s, %r), (0.0, %.8g), (%.5g, %.5g)) ==> [True, True]" % (layer, shape, variance, 7 * (variance / 40000) ** 0.5, kurtosis),
            symbolic=False, eager=True, family="initializers", op="layers." + layer.split("(")[0])  # fmt: skip


def _precision(add):
    inputs = {"x": "normal(3, 40, loc=100)", "y": "300 * normal(3, 8)", "s": "30 * normal(3, 8)", "w": "2 * normal(4, 3)", "z": "array([-300., -20., 20., 300.])", "p": "uniform(3, 4, low=0.1)",
              "b": "array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]])", "l": "5 * normal(3, 4)"}  # fmt: skip
    add(
        """
        ops.mean(x, axis=1)
        ops.var(x, axis=1)
        ops.std(x, axis=1)
        ops.logsumexp(y, axis=1)
        ops.softmax(y)
        ops.log_softmax(y)
        ops.norm(s, axis=1) ==> ref.norm(s, axis=1)
        ops.normalize(s)
        ops.sum(x, axis=1)
        ops.softplus(z)
        ops.sigmoid(z)
        ops.log_sigmoid(z)
        ops.elu(z)
        ops.gelu(z, approximate=False)
        ops.mish(z)
        ops.logaddexp(z, z)
        constraints.UnitNorm()(w) ==> w / np.linalg.norm(w, axis=0)
        constraints.MaxNorm(1.5)(w) ==> w * np.minimum(np.linalg.norm(w, axis=0), 1.5) / np.linalg.norm(w, axis=0)
        losses.categorical_crossentropy(b, l, from_logits=True) ==> ref.cce(b, l, True)
        losses.binary_crossentropy(b, l, from_logits=True) ==> ref.bce(b, l, True)
        losses.mean_squared_error(b, l) ==> ref.mean_squared_error(b, l)
        losses.cosine_similarity(b, l) ==> -ref.cosine_similarity(b, l)
        """,
        inputs, dtypes=("float16", "bfloat16"), symbolic=False, family="low precision", tol=128.0,
    )  # fmt: skip
    big = {
        "x": "array([-3e38, -1e20, -1e-30, 1e-30, 1e20, 3e38])",
        "y": "array([[1e20, 1e20], [1e-30, 1e-30]])",
        "i": "array([-np.inf, np.inf, 2.0, -2.0])",
    }
    add(
        """
        ops.sigmoid(x)
        ops.tanh(x)
        ops.softplus(x)
        ops.relu(x)
        ops.elu(x)
        ops.log_sigmoid(x)
        ops.softsign(x)
        ops.arctan(x)
        ops.arcsinh(x)
        ops.logaddexp(x, x)
        ops.hypot(x, x)
        activations.relu(i, threshold=1.0) ==> ref.relu(i, threshold=1.0)
        activations.relu(i, negative_slope=0.5) ==> ref.relu(i, 0.5)
        activations.relu(i, max_value=6.0) ==> ref.relu(i, max_value=6.0)
        constraints.NonNeg()(i) ==> np.maximum(i, 0)
        activations.leaky_relu(i) ==> ref.leaky_relu(i)
        ops.hard_sigmoid(i)
        ops.softsign(i) ==> ?
        """,
        big, symbolic=False, pointwise=True, family="extremes",
    )  # fmt: skip


def _arguments(add):
    inputs = {
        "x": "normal(3, 4)", "i": "integers(5)", "j": "integers(5, seed=1)", "y": "normal(2, 3, 4)", "t": "array([[0, 1, 2], [2, 1, 0]], 'int32')", "p": "uniform(2, 3, 3, low=0.1)",
        "u": "integers(3, 4, high=255, dtype='uint8')", "c": "array([[0], [2]], 'int32')", "d": "array([5., 7.])", "s": "array([1, 2], 'int32')", "v": "normal(4)", "l": "normal(3)",
        "k": "array([[0, 1], [0, 1], [2, 3]], 'int32')",
    }  # fmt: skip
    add(
        """
        ops.isclose(i, j)
        ops.isclose(i, i)
        ops.mean(u)
        ops.mean(u, axis=0)
        ops.average(u, axis=0)
        ops.scatter_update(x, c, y[0, :2]) ==> ref.scatter_update(x, c, y[0, :2])
        ops.scatter_update(x, k, l, reduction="add") ==> x + ref.scatter(k, l, (3, 4))
        ops.searchsorted(ops.sort(v), x) ==> np.searchsorted(np.sort(v), x)
        ops.unravel_index(i, (3, 4)) ==> np.unravel_index(i, (3, 4))
        ops.bitwise_left_shift(s, 2)
        ops.bitwise_right_shift(s, 1)
        ops.trace(u) ==> np.trace(u)
        ops.clip(x, x_min=-0.5, x_max=0.5) ==> np.clip(x, -0.5, 0.5)
        ops.clip(x, -0.5, ops.convert_to_tensor(0.5)) ==> np.clip(x, -0.5, 0.5)
        ops.sparse_categorical_crossentropy(t, p) ==> ref.cce(np.eye(3)[t], p)
        ops.sparse_categorical_crossentropy(t, p, from_logits=True) ==> ref.cce(np.eye(3)[t], p, True)
        ops.sparse_categorical_crossentropy(t, p, axis=1) ==> ref.cce(np.eye(3)[t].transpose(0, 2, 1), p, axis=1)
        ops.sparse_categorical_crossentropy(t, p, from_logits=True, axis=1) ==> ref.cce(np.eye(3)[t].transpose(0, 2, 1), p, True, axis=1)
        ops.sparse_categorical_crossentropy(t[0, 1], p[0, 0], from_logits=True) ==> ref.cce(np.eye(3)[t[0, 1]], p[0, 0], True)
        ops.categorical_crossentropy(ops.one_hot(t, 3), p, axis=1) ==> ref.cce(np.eye(3)[t], p, axis=1)
        ops.one_hot(u[0], 256) ==> np.eye(256)[u[0]]
        ops.argmax(u, axis=1)
        ops.max(u, axis=0)
        ops.sum(u)
        ops.sort(u, axis=1)
        ops.argsort(v)
        ops.where(u > 100, u, 0) ==> np.where(u > 100, u, 0)
        ops.tile(x, (1,)) ==> x
        ops.tile(x, [2, 1]) ==> np.tile(x, [2, 1])
        ops.repeat(v, ops.convert_to_tensor([1, 0, 2, 1])) ==> np.repeat(v, [1, 0, 2, 1])
        ops.take(x, ops.convert_to_tensor([[0, 1]]), axis=-1) ==> np.take(x, [[0, 1]], axis=-1)
        ops.squeeze(x[None, :, None])
        ops.expand_dims(v, [0, 2]) ==> v[None, :, None]
        ops.flip(x, axis=[0, 1]) ==> x[::-1, ::-1]
        ops.sum(x, axis=[0, 1]) ==> np.sum(x)
        ops.max(x, axis=[0, 1]) ==> np.max(x)
        ops.min(x, axis=[0, 1]) ==> np.min(x)
        ops.mean(y, axis=[0, -1]) ==> np.mean(y, axis=(0, -1))
        ops.std(x, axis=[0, 1]) ==> np.std(x)
        ops.any(x > 2, axis=[0, 1]) ==> False
        ops.tensordot(x, y, axes=[[1], [2]])
        ops.tensordot(x, y, [1, 2])
        ops.einsum("ij,kij->k", x[:, :4], y)
        ops.einsum("i,i", v, v)
        ops.pad(x, [[1, 0], [0, 2]], constant_values=1.5) ==> np.pad(x, [[1, 0], [0, 2]], constant_values=1.5)
        ops.pad(x, ((0, 0), (1, 1)), mode="constant")
        ops.digitize(x, array([-1.0, 0.0, 1.0]))
        ops.arange(3, 10, 2.5)
        ops.arange(0, 1, 0.25, dtype="float16")
        ops.eye(3, k=1)
        ops.full((2, 2), True)
        ops.linspace(0, 1, 5, dtype="int32") ==> np.linspace(0, 1, 5, dtype="int32")
        ops.diff(x, axis=0)
        ops.logsumexp(x, axis=[0, 1]) ==> ref.logsumexp(x)
        """,
        inputs, symbolic=False, family="arguments",
    )  # fmt: skip
    add(
        """
        random.normal((2, 3), seed=2**31 + 7) - random.normal((2, 3), seed=2**31 + 7) ==> np.zeros((2, 3))
        random.normal((2, 3), seed=2**32 - 1) - random.normal((2, 3), seed=2**32 - 1) ==> np.zeros((2, 3))
        random.gamma((2, 3), 2.0, seed=2**32 - 1) - random.gamma((2, 3), 2.0, seed=2**32 - 1) ==> np.zeros((2, 3))
        random.dropout(ops.ones((3, 4)), 1.0, seed=1) ==> np.zeros((3, 4))
        apply(layers.Dropout(1.0), ops.ones((3, 4)), training=True) ==> np.zeros((3, 4))
        random.randint((4,), 0, 1, seed=1) ==> np.zeros(4)
random.uniform((3,), 2.0, 2.0, seed=1) ==> np.full(3, 2.0)
        """,
        symbolic=False, family="random",
    )  # fmt: skip
    add(
        """
        random.normal((3,), seed=random.SeedGenerator(4)) - random.normal((3,), seed=random.SeedGenerator(4)) ==> np.zeros(3)
        (lambda g: bool(ops.any(random.normal((3,), seed=g) != random.normal((3,), seed=g))))(random.SeedGenerator(4)) ==> True
        """,
        symbolic=False, eager=True, family="random",
    )  # fmt: skip
    modes = {"x": "normal(2, 3, 4, 2)", "q": "normal(2, 3, 2, 4)", "v": "normal(2, 3, 5, 4)"}
    add(
        """
        shape_kept(layers.Dropout(0.5, noise_shape=(None, 1, 4, 1)), x) ==> [True, True]
        layers.Attention()([q, v]) ==> ref.softmax(q @ np.swapaxes(v, -1, -2)) @ v
        layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x).shape == x.shape ==> True
        apply(layers.MultiHeadAttention(2, 3, attention_axes=(2,)), x, x) ==> ?
        apply(layers.MultiHeadAttention(2, 3, attention_axes=(1, 2)), x, x) ==> ?
        """,
        modes, symbolic=False, family="attention",
    )  # fmt: skip


def _quantization(add):
    inputs = {"x": "normal(4, 16)", "y": "normal(2, 3, 16)", "i": "integers(2, 3, high=6)", "z": "10 * normal(3, 8)"}
    add(
        """
        quantized_error(layers.Dense(8), x) < 0.03 ==> True
        quantized_error(layers.EinsumDense("abc,cd->abd", output_shape=(None, 8)), y) < 0.03 ==> True
        quantized_error(layers.EinsumDense("abc,cde->abde", output_shape=(None, 4, 2)), y) < 0.03 ==> True
        quantized_error(layers.Embedding(6, 8), i) < 0.03 ==> True
        quantized_error(layers.Dense(8), x, "int4") < 0.4 ==> True
        ops.max(ops.abs(ops.divide(*[ops.cast(v, "float32") for v in keras.quantizers.abs_max_quantize(z, axis=-1)]) - z)) < 0.2 ==> True
        keras.quantizers.fake_quant_with_min_max_vars(z, -6.0, 6.0) ==> ?
        keras.quantizers.fake_quant_with_min_max_vars(z, -3.0, 6.0, num_bits=4, narrow_range=True) ==> ?
        """,
        inputs, symbolic=False, eager=True, family="quantization",
    )  # fmt: skip


def _applications(add):
    inputs = {
        "x": "uniform(2, 4, 5, 3, high=255)",
        "f": "uniform(2, 3, 4, 5, high=255)",
        "s": "uniform(4, 5, 3, high=255)",
        "t": "uniform(3, 4, 5, high=255)",
    }
    mean, std = "np.array([103.939, 116.779, 123.68])", "np.array([0.229, 0.224, 0.225])"
    for name, axis in (("x", -1), ("f", 1), ("s", -1), ("t", 0)):
        layout = ", data_format='channels_first'" if name in "ft" else ""
        shape = "[:, None, None]" if name in "ft" else ""
        call = "keras.applications.imagenet_utils.preprocess_input(%s + 0, mode=%%r%s)" % (
            name,
            layout,
        )  # it works in place, as documented
        add(
            call % "tf" + " ==> %s / 127.5 - 1" % name,
            inputs,
            symbolic=False,
            family="applications",
            op="applications.preprocess_input",
        )
        add(call % "caffe" + " ==> np.flip(%s, %d) - %s%s" % (name, axis, mean, shape), inputs, symbolic=False, family="applications",
            op="applications.preprocess_input", tol=512.0)  # fmt: skip
        torch = "(%s / 255 - np.array([0.485, 0.456, 0.406])%s) / %s%s" % (name, shape, std, shape)
        add(
            call % "torch" + " ==> " + torch,
            inputs,
            symbolic=False,
            family="applications",
            op="applications.preprocess_input",
            tol=512.0,
        )
