"""Generates cases of wrong arguments, which must be refused.

A call refuses them, and so does a symbolic call.

A symbolic call that accepts what no call can compute lets a model be built that cannot run.
"""

from __future__ import annotations

AXIS = ["sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "argmax", "argmin", "sort", "argsort", "cumsum", "cumprod", "median", "softmax", "log_softmax", "logsumexp", "flip", "squeeze", "unstack", "count_nonzero", "amax", "amin", "average", "diff", "take", "repeat", "expand_dims", "concatenate", "stack", "split", "normalize"]  # fmt: skip
CALLS = {
    "take": "ops.take(%s, 0, axis=%d)", "repeat": "ops.repeat(%s, 2, axis=%d)", "concatenate": "ops.concatenate([%s], axis=%d)", "stack": "ops.stack([%s], axis=%d)", "split": "ops.split(%s, 1, axis=%d)",
}  # fmt: skip

WRONG = (
    "ops.reshape({x}, (5, 5))", "ops.reshape({x}, (-1, -1))", "ops.transpose({x}, (0, 0))", "ops.transpose({x}, (0, 1, 2))", "ops.matmul({x}, {x})", "ops.dot({x}, {x})",
    "ops.concatenate([{x}, {y}], axis=0)", "ops.concatenate([{x}, {v}])", "ops.stack([{x}, {y}])", "ops.split({x}, 5, axis=1)", "ops.add({x}, {y})",
    "ops.broadcast_to({x}, (2, 4))", "ops.einsum('ijk->i', {x})", "ops.where({x} > 0, {x}, {y})", "ops.swapaxes({x}, 0, 5)", "ops.moveaxis({x}, 0, 5)",
    "ops.diagonal({v})", "ops.trace({v})", "ops.linalg.inv({x})", "ops.linalg.det({x})", "ops.linalg.cholesky({x})", "ops.linalg.solve({x}, {v})", "ops.linalg.eigh({x})",
    "ops.linalg.norm({x}, axis=(0, 1, 2))", "ops.linalg.norm({x}, ord='bad')", "ops.linalg.norm({v}, ord='fro')", "ops.linalg.qr({x}, mode='bad')",
    "ops.pad({x}, ((1, 1), (1, 1), (1, 1)))", "ops.meshgrid({v}, indexing='bad')", "ops.conv({i}, {v})", "ops.conv({i}, {k}, strides=0)", "ops.glu({x}, axis=0)",
    "ops.one_hot({n}, 3, axis=7)", "ops.image.resize({v}, (2, 2))", "ops.image.resize({i}, (2, 2, 2))",
    "ops.image.resize({i}, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)", "ops.image.rgb_to_grayscale({v})", "ops.image.rgb_to_hsv({v})",
    "ops.image.hsv_to_rgb({v})", "ops.image.crop_images({i}, 1, 1, 1)", "ops.image.crop_images({i}, 1, 1, 1, 1, 9, 9)",
    "ops.image.crop_images({i}, top_cropping=-1, bottom_cropping=0, left_cropping=0, right_cropping=0)",
    "ops.image.crop_images({i}, top_cropping=9, bottom_cropping=0, left_cropping=0, right_cropping=0)", "ops.image.pad_images({i}, 1, 1, 1)",
    "ops.image.pad_images({i}, 1, 1, 1, 1, 9, 9)", "ops.image.pad_images({i}, top_padding=-1, bottom_padding=0, left_padding=0, right_padding=0)",
    "ops.image.pad_images({i}, top_padding=0, left_padding=0, target_height=2, target_width=2)", "ops.image.crop_images({v}, 1, 1, 1, 1)",
    "ops.image.pad_images({v}, 1, 1, 1, 1)", "ops.image.gaussian_blur({v}, (3, 3), (1.0, 1.0))", "ops.image.extract_patches({i}, 2.5)",
    "ops.image.perspective_transform({i}, {v}, {v})", "ops.image.extract_patches({v}, 2)", "ops.space_to_depth({i}, 3)", "ops.space_to_depth({i}, 1)",
    "ops.depth_to_space({i}, 3)", "ops.depth_to_space({i}, 0)", "ops.space_to_depth({i}, 0)", "ops.space_to_depth({x}, 2)", "ops.depth_to_space({x}, 2)",
    "ops.segment_sum({x}, {n2})", "ops.fft({x})", "ops.fft(({x}, {y}))", "ops.batch_normalization({x}, {v}, {v}, 1)", "ops.binary_crossentropy({x}, {y})",
    "ops.categorical_crossentropy({x}, {y})", "ops.categorical_crossentropy({s}, {s})", "ops.moments({x}, [5])", "ops.vectorize(3)", "ops.full((2, 3), 0)[5, 5, 5]",
    "ops.arange(0, 5, 0)", "ops.linspace(0, 1, -1)", "ops.cast({x}, 'bad')", "ops.convert_to_tensor({x}, dtype='bad')", "ops.tile({x}, None)", "ops.rot90({v})",
    "ops.rot90({x}, axes=(0, 0))", "ops.rot90({x}, axes=(0, 1, 2))", "ops.hsplit({x}, 3)", "ops.vsplit({x}, 2)", "ops.dsplit({x}, 2)", "ops.histogram({v}, bins=-1)",
    "ops.histogram({v}, bins=2, range=(1, 0))", "ops.fold({x}, (2, 2), 2)", "ops.unfold({x}, 2)", "ops.searchsorted({x}, {v})",
    "ops.associative_scan(ops.add, {x}, axis=4)", "ops.associative_scan(3, {x})", "ops.ctc_decode({s}, {n}, strategy='bad')", "ops.inner({x}, {w})",
    "ops.median({x}, axis=3)", "ops.sum({x}, axis=(0, 7))",
)  # fmt: skip
"""Refused by a call and by a symbolic one."""

EAGER = (
    "ops.einsum('ij,jk->ik', {x}, {x})", "ops.tensordot({x}, {x}, axes=1)", "ops.pad({x}, 1, mode='bad')", "ops.pad({x}, 1, mode='reflect', constant_values=1)",
    "ops.image.resize({i}, (2, 2), interpolation='bad')", "ops.image.affine_transform({i}, {v})", "ops.image.affine_transform({i}, {t}, interpolation='bad')",
    "ops.image.affine_transform({i}, {t}, fill_mode='bad')", "ops.image.map_coordinates({x}, {c}, 1, fill_mode='bad')", "ops.top_k({x}, 9)", "ops.stft({v}, 8, 2, 4)",
    "ops.stft({v}, 4, 2, 8, window='bad')", "ops.rfft({n}, fft_length=0)", "ops.dot_product_attention({x}, {x}, {x})", "ops.scatter_update({x}, {n}, {v})",
    "ops.normalize({x}, order=0)", "ops.searchsorted({v}, {v}, side='bad')", "ops.rms_normalization({x}, {w})", "ops.vdot({x}, {v})", "ops.logsumexp({x}, axis=(0, 0))",
    "ops.max({x}, axis=(0, 0))", "ops.polar({x}, {y})",
)  # fmt: skip
"""Refused where there are values only."""

SYMBOLIC = (
    "ops.squeeze({x}, axis=0)", "ops.cross({x}, {x})", "ops.conv({i}, {k}, padding='bad')", "ops.max_pool({i}, 2, padding='bad')",
    "ops.average_pool({i}, 2, padding='bad')", "ops.slice({x}, [0], [1, 1])", "ops.kron({x}, None)", "ops.correlate({v}, {v}, mode='bad')", "ops.correlate({x}, {x})",
)  # fmt: skip
"""What a backend accepts is refused in a symbolic call."""

LAYERS = (
    "layers.Dense(0)", "layers.Dense(-1)", "layers.Dense('a')", "layers.Dense(2, activation='bad')", "layers.Dense(2, kernel_initializer='bad')",
    "layers.Dense(2, kernel_regularizer='bad')", "layers.Dense(2, kernel_constraint='bad')", "layers.Dense(2)(symbol(3))", "layers.Conv2D(0, 3)", "layers.Conv2D(2, 0)",
    "layers.Conv2D(2, (3, 3, 3))", "layers.Conv2D(2, 3, strides=0)", "layers.Conv2D(2, 3, padding='bad')", "layers.Conv2D(2, 3, padding='causal')",
    "layers.Conv2D(3, 3, groups=2)", "layers.Conv2D(2, 3, groups=0)", "layers.Conv2D(2, 3, strides=2, dilation_rate=2)", "layers.Conv2D(2, 3, data_format='bad')",
    "layers.Conv2D(2, 3, groups=2)(symbol(1, 5, 5, 3))", "layers.Conv2D(2, 3)(symbol(1, 5, 3))", "layers.Conv2D(2, 3)(symbol(1, 5, 5, None))",
    "layers.Conv2D(2, 7)(symbol(1, 5, 5, 3))", "layers.Conv1D(2, 7)(symbol(1, 5, 3))", "layers.Conv1D(2, 3, dilation_rate=3)(symbol(1, 5, 3))",
    "layers.DepthwiseConv2D(7)(symbol(1, 5, 5, 3))", "layers.SeparableConv2D(2, 7)(symbol(1, 5, 5, 3))", "layers.Conv3D(2, 4)(symbol(1, 3, 3, 3, 1))",
    "layers.MaxPooling2D(7)(symbol(1, 5, 5, 3))", "layers.AveragePooling1D(7)(symbol(1, 5, 3))", "layers.Conv2DTranspose(2, 3, strides=2, output_padding=2)",
    "layers.Conv1DTranspose(2, 3, strides=2, output_padding=3)", "layers.Conv2DTranspose(2, 3, strides=2, dilation_rate=2)",
    "layers.Conv2DTranspose(2, 3, padding='causal')", "layers.DepthwiseConv2D(3, depth_multiplier=0)", "layers.DepthwiseConv2D(3, depth_multiplier=-1)",
    "layers.SeparableConv1D(2, 3, depth_multiplier=0)", "layers.MaxPooling2D(0)", "layers.MaxPooling2D((2, 2, 2))", "layers.MaxPooling2D(2)(symbol(2, 5, 3))",
    "layers.GlobalAveragePooling2D()(symbol(2, 5, 3))", "layers.AveragePooling1D(2, data_format='bad')", "layers.ZeroPadding2D((1, 2, 3))", "layers.ZeroPadding2D('a')",
    "layers.ZeroPadding2D(((1, 2), (3,)))", "layers.ZeroPadding1D((1, 2, 3))", "layers.Cropping2D((1, 2, 3))", "layers.Cropping1D((1, 2, 3))", "layers.Cropping2D('a')",
    "layers.Cropping2D(3)(symbol(1, 5, 5, 2))", "layers.Cropping1D(3)(symbol(1, 5, 2))", "layers.Cropping3D(2)(symbol(1, 3, 5, 5, 2))", "layers.UpSampling2D((1, 2, 3))",
    "layers.Reshape((3, 3))(symbol(1, 5, 2))", "layers.Reshape((-1, -1))(symbol(1, 5, 2))", "layers.Reshape((-1, 3))(symbol(1, 5, 2))", "layers.Permute((1, 1))",
    "layers.Permute((0, 1))", "layers.Permute((1, 3))", "layers.Permute((1, 2))(symbol(1, 2, 3, 4))", "layers.RepeatVector(2.5)", "layers.RepeatVector('a')",
    "layers.RepeatVector(2)(symbol(1, 2, 3))", "layers.Concatenate()([symbol(1, 2), symbol(1, 2, 3)])", "layers.Concatenate(axis=1)([symbol(1, 2, 3), symbol(1, 2, 4)])",
    "layers.Concatenate()([])", "layers.Concatenate(axis=5)([symbol(1, 2), symbol(1, 2)])", "layers.Add()(symbol(1, 2))", "layers.Add()([symbol(2, 2), symbol(2, 3)])",
    "layers.Subtract()([symbol(1, 2), symbol(1, 2), symbol(1, 2)])", "layers.Subtract()([symbol(1, 2)])", "layers.Dot('a')", "layers.Dot((1, 2, 3))",
    "layers.Dot(1)([symbol(1, 2), symbol(1, 3)])", "layers.Dot(1)([symbol(1, 2)])", "layers.Dot((1, 'a'))", "layers.Average()([symbol(2, 2), symbol(2, 3)])",
    "layers.Dropout(-0.1)", "layers.Dropout(1.5)", "layers.Dropout('a')", "layers.SpatialDropout1D(1.5)", "layers.GaussianDropout(1.5)", "layers.GaussianNoise(-1)",
    "layers.AlphaDropout(-1)", "layers.SpatialDropout2D(0.5, data_format='bad')", "layers.SpatialDropout1D(0.5)(symbol(2, 3))",
    "layers.BatchNormalization(axis=5)(symbol(2, 3))", "layers.LayerNormalization(axis='a')", "layers.LayerNormalization(axis=5)(symbol(2, 3))",
    "layers.GroupNormalization(3)(symbol(2, 4, 4))", "layers.GroupNormalization(8)(symbol(2, 4, 4))", "layers.GroupNormalization(2, axis=7)(symbol(2, 4, 4))",
    "layers.UnitNormalization(axis='a')", "layers.SpectralNormalization(layers.Dense(2), power_iterations=0)", "layers.SpectralNormalization(3)",
    "layers.TimeDistributed(3)", "layers.TimeDistributed(layers.Dense(2))(symbol(2))", "layers.Bidirectional(layers.Dense(2))",
    "layers.Bidirectional(layers.LSTM(2), merge_mode='bad')", "layers.Bidirectional(3)", "layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))",
    "layers.LSTM(0)", "layers.GRU(-1)", "layers.SimpleRNN(0)", "layers.LSTM(2)(symbol(2, 3))", "layers.RNN(3)", "layers.RNN([layers.LSTMCell(2), 3])",
    "layers.LSTM(2, stateful=True)(symbol(None, 3, 2))", "layers.GRU(2, activation='bad')", "layers.MultiHeadAttention(2, 3, attention_axes='a')",
    "layers.MultiHeadAttention(0, 3)", "layers.MultiHeadAttention(2, 0)", "layers.GroupQueryAttention(3, 4, 3)", "layers.Attention(score_mode='bad')",
    "layers.Attention()(symbol(2, 3, 4))", "layers.Attention()([symbol(2, 3, 4)])", "layers.Attention()([symbol(2, 3, 4)] * 2, mask=symbol(2, 3))",
    "layers.EinsumDense('ab,bc->ad', 3)(symbol(2, 4))", "layers.EinsumDense('abc', 3)(symbol(2, 4))", "layers.EinsumDense('ab,bc->ac', 3, bias_axes='z')(symbol(2, 4))",
    "layers.ReLU(max_value=-1)", "layers.ReLU(negative_slope=-1)", "layers.ReLU(threshold=-1)", "layers.ReLU(negative_slope=None)", "layers.ReLU(threshold=None)",
    "layers.LeakyReLU(negative_slope=None)", "layers.LeakyReLU(negative_slope=-1)", "layers.Lambda(3)", "layers.Masking(0.0)('a')", "layers.Activation('bad')",
    "layers.Input((2, 'a'))", "layers.Input((2,), batch_shape=(1, 2))", "layers.InputLayer((2,), batch_shape=(1, 2))", "layers.Input((-1,))",
    "layers.Flatten(data_format='bad')", "layers.AdaptiveMaxPooling2D((1, 2, 3))", "layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)",
    "layers.ConvLSTM2D(2, 3)(symbol(1, 2, 4, 4))", "layers.Dense(2, dtype='bad')", "layers.Dense(2, name=3)", "layers.Dense(2, bad=3)",
    "layers.Dense(2, input_shape=3, bad=1)", "layers.Identity(3, 4)", "losses.MeanSquaredError(reduction='bad')", "losses.get('bad')", "losses.get(3)",
    "losses.MeanSquaredError()(ops.ones((2, 3)), ops.ones((2, 4)))", "losses.CategoricalCrossentropy()(ops.ones((2, 3)), ops.ones((2, 4)))", "losses.Huber(reduction=3)",
    "losses.Dice(axis='a')(ops.ones((2, 3)), ops.ones((2, 3)))", "metrics.get('bad')", "metrics.get(3)", "activations.get('bad')", "activations.get(3)",
    "initializers.get('bad')", "initializers.get(3)", "regularizers.get('bad')", "regularizers.get(3)", "constraints.get('bad')", "constraints.get(3)",
    "optimizers.get('bad')", "optimizers.get(3)", "metrics.AUC(num_thresholds=0)", "metrics.AUC(num_thresholds=1)", "metrics.AUC(curve='bad')",
    "metrics.AUC(summation_method='bad')", "metrics.Precision(thresholds=2.0)", "metrics.Precision(thresholds=[-0.1])", "metrics.Recall(thresholds=[None])",
    "metrics.PrecisionAtRecall(2.0)", "metrics.RecallAtPrecision(-1.0)", "metrics.SensitivityAtSpecificity(1.5)", "metrics.SpecificityAtSensitivity(-0.1)",
    "metrics.PrecisionAtRecall(0.5, num_thresholds=0)", "metrics.SensitivityAtSpecificity(0.5, num_thresholds=0)", "metrics.FBetaScore(average='bad')",
    "metrics.FBetaScore(beta=0.0)", "metrics.FBetaScore(beta='a')", "metrics.FBetaScore(threshold='a')", "metrics.FBetaScore(threshold=2.0)",
    "metrics.F1Score(threshold=-1)", "metrics.IoU(2, [5])", "metrics.R2Score(class_aggregation='bad')", "metrics.R2Score(num_regressors=-1)",
    "metrics.F1Score().update_state(ops.ones((3,)), ops.ones((3,)))", "initializers.VarianceScaling(scale=0.0)", "initializers.VarianceScaling(mode='bad')",
    "initializers.VarianceScaling(distribution='bad')", "initializers.Identity()((2, 2, 2))", "initializers.Orthogonal()((2,))", "initializers.RandomNormal(seed='a')",
    "initializers.STFT('bad')", "initializers.STFT(window='bad')", "regularizers.L1(-1.0)", "regularizers.L1('a')", "regularizers.L2(float('nan'))",
    "regularizers.L1L2('a', 0.1)", "regularizers.OrthogonalRegularizer(mode='bad')", "regularizers.OrthogonalRegularizer()(ops.ones((2, 2, 2)))",
    "random.randint((2,), 0, 5, dtype='float32')", "random.normal((2,), dtype='int32')", "random.uniform((2,), dtype='bad')", "random.categorical(ops.ones((2,)), 3)",
    "random.normal((2,), seed='a')", "random.SeedGenerator('a')", "utils.to_categorical([5], 3)", "utils.pad_sequences([1, 2])",
    "utils.pad_sequences([[1], [2]], padding='bad')", "utils.pad_sequences([[1], [2]], maxlen=1, truncating='bad')",
    "schedules.PiecewiseConstantDecay([1, 2], [1.0, 2.0])", "schedules.CosineDecayRestarts(0.1, 0)", "optimizers.SGD(momentum=2.0)", "optimizers.SGD(momentum=-1.0)",
    "optimizers.Adam(clipnorm=1.0, clipvalue=1.0)", "optimizers.Adam(use_ema=True, ema_momentum=2.0)", "optimizers.Adam(gradient_accumulation_steps=1)",
    "optimizers.Adam(learning_rate='a')", "optimizers.Adam(bad=3)", "optimizers.Ftrl(initial_accumulator_value=-1.0)", "optimizers.Ftrl(learning_rate_power=1.0)",
    "optimizers.Ftrl(l1_regularization_strength=-1.0)", "optimizers.Lion(beta_1=0.0)", "optimizers.LossScaleOptimizer(3)",
)  # fmt: skip
"""Refused when made, or when called on a symbolic tensor."""


MADE = {
    "Dense": ("units=2", "2, 3"), "Embedding": ("input_dim=4, output_dim=2", "2, 3"), "EinsumDense": ("equation='ab,bc->ac', output_shape=2", "2, 3"),
    "Conv1D": ("filters=2, kernel_size=3, strides=1, dilation_rate=1, groups=1", "2, 8, 2"),
    "Conv2D": ("filters=2, kernel_size=3, strides=1, dilation_rate=1, groups=1", "2, 8, 8, 2"),
    "Conv3D": ("filters=2, kernel_size=3, strides=1, dilation_rate=1, groups=1", "2, 8, 8, 8, 2"),
    "Conv1DTranspose": ("filters=2, kernel_size=3, strides=1, dilation_rate=1, output_padding=0", "2, 8, 2"),
    "Conv2DTranspose": ("filters=2, kernel_size=3, strides=1, dilation_rate=1, output_padding=0", "2, 8, 8, 2"),
    "DepthwiseConv1D": ("kernel_size=3, strides=1, depth_multiplier=1, dilation_rate=1", "2, 8, 2"),
    "DepthwiseConv2D": ("kernel_size=3, strides=1, depth_multiplier=1, dilation_rate=1", "2, 8, 8, 2"),
    "SeparableConv1D": ("filters=2, kernel_size=3, strides=1, depth_multiplier=1, dilation_rate=1", "2, 8, 2"),
    "SeparableConv2D": ("filters=2, kernel_size=3, strides=1, depth_multiplier=1, dilation_rate=1", "2, 8, 8, 2"),
    "ConvLSTM1D": ("filters=2, kernel_size=3, strides=1, dilation_rate=1", "2, 3, 8, 2"),
    "MaxPooling1D": ("pool_size=2, strides=2", "2, 8, 2"), "MaxPooling2D": ("pool_size=2, strides=2", "2, 8, 8, 2"),
    "AveragePooling2D": ("pool_size=2, strides=2", "2, 8, 8, 2"), "AveragePooling3D": ("pool_size=2, strides=2", "2, 8, 8, 8, 2"),
    "LSTM": ("units=2, dropout=0.1, recurrent_dropout=0.1", "2, 3, 4"), "GRU": ("units=2, dropout=0.1, recurrent_dropout=0.1", "2, 3, 4"),
    "SimpleRNN": ("units=2, dropout=0.1, recurrent_dropout=0.1", "2, 3, 4"),
    "MultiHeadAttention": ("num_heads=2, key_dim=3, value_dim=3, dropout=0.1", "2, 3, 4"),
    "GroupQueryAttention": ("head_dim=2, num_query_heads=4, num_key_value_heads=2, dropout=0.1", "2, 3, 4"),
    "Attention": ("dropout=0.1", "2, 3, 4"), "Dropout": ("rate=0.1", "2, 3"), "SpatialDropout2D": ("rate=0.1", "2, 8, 8, 2"),
    "GaussianDropout": ("rate=0.1", "2, 3"), "GaussianNoise": ("stddev=0.1", "2, 3"), "AlphaDropout": ("rate=0.1", "2, 3"),
    "BatchNormalization": ("momentum=0.9, epsilon=0.1, axis=-1", "2, 3"), "LayerNormalization": ("epsilon=0.1, axis=-1", "2, 3"),
    "GroupNormalization": ("groups=2, epsilon=0.1, axis=-1", "2, 4"), "RMSNormalization": ("epsilon=0.1, axis=-1", "2, 3"),
    "UnitNormalization": ("axis=-1", "2, 3"), "UpSampling1D": ("size=2", "2, 8, 2"), "UpSampling2D": ("size=2", "2, 8, 8, 2"),
    "ZeroPadding1D": ("padding=1", "2, 8, 2"), "ZeroPadding2D": ("padding=1", "2, 8, 8, 2"), "Cropping1D": ("cropping=1", "2, 8, 2"),
    "Cropping2D": ("cropping=1", "2, 8, 8, 2"), "RepeatVector": ("n=2", "2, 3"), "LeakyReLU": ("negative_slope=0.1", "2, 3"),
    "ReLU": ("max_value=2.0, negative_slope=0.1, threshold=0.5", "2, 3"), "ELU": ("alpha=1.0", "2, 3"), "Softmax": ("axis=-1", "2, 3"),
    "CategoryEncoding": ("num_tokens=3", "2, 3"), "Hashing": ("num_bins=3", "2, 3"), "Discretization": ("num_bins=3", "2, 3"),
    "Resizing": ("height=4, width=4", "2, 8, 8, 3"), "CenterCrop": ("height=4, width=4", "2, 8, 8, 3"),
    "RandomRotation": ("factor=0.1", "2, 8, 8, 3"), "RandomZoom": ("height_factor=0.1", "2, 8, 8, 3"),
    "RandomContrast": ("factor=0.1", "2, 8, 8, 3"), "RandomBrightness": ("factor=0.1", "2, 8, 8, 3"),
    "STFTSpectrogram": ("frame_length=4, frame_step=2, fft_length=4", "2, 16, 1"),
    "MelSpectrogram": ("fft_length=8, sequence_stride=2, num_mel_bins=4, sampling_rate=16", "2, 16"),
}  # fmt: skip
"""Layer -> its arguments, and the shape of an input that it takes."""

COUNTS = ("0", "-1", "2.5", "'a'")
SHARES = ("-0.1", "1.5", "'a'")
WRONG_VALUES = {
    **dict.fromkeys(("rate", "dropout", "recurrent_dropout"), SHARES), "epsilon": ("-1.0", "'a'"), "momentum": ("'a'", "-0.5", "1.5"),
    "stddev": ("-1.0", "'a'"), "axis": ("'a'", "7", "1.5"), "padding": ("-1", "'a'", "1.5"), "cropping": ("-1", "'a'", "1.5"),
    "output_padding": ("-1", "'a'"), "negative_slope": ("'a'", "None", "-1.0"), "max_value": ("'a'", "-1.0"), "threshold": ("'a'", "None", "-1.0"),
    "alpha": ("'a'", "None"), "factor": ("'a'", "(2.0, 1.0)", "(1, 2, 3)"), "height_factor": ("'a'", "(2.0, 1.0)", "(1, 2, 3)"),
    "equation": ("'a'", "3", "'ab,bc->ad'"), "output_shape": ("'a'", "-1", "2.5"),
}  # fmt: skip
"""Argument -> values that are wrong; of all others ``COUNTS``."""


def usual():
    """Yields a layer's name, its usual arguments as text by name, and its inputs."""
    for name, (arguments, shape) in MADE.items():
        given = dict(item.split("=", 1) for item in arguments.split(", ") if "=" in item)
        symbols = "symbol(%s)" % shape
        both = "%s, %s" % (symbols, symbols)
        inputs = {"Attention": "[%s]" % both, "MultiHeadAttention": both, "GroupQueryAttention": both}
        yield name, given, inputs.get(name, symbols)


def call(name, arguments):
    """Returns the text that makes a layer."""
    return "layers.%s(%s)" % (name, ", ".join("%s=%s" % pair for pair in arguments.items()))


def made():
    """Yields calls of layers with one wrong argument."""
    for name, given, inputs in usual():
        for argument in given:
            for value in WRONG_VALUES.get(argument, COUNTS):
                yield "%s(%s)" % (call(name, {**given, argument: value}), inputs)


def add(add):
    """Adds the cases."""
    inputs = {
        "x": "normal(3, 4)", "y": "normal(2, 3)", "v": "normal(5)", "i": "normal(1, 4, 4, 3)", "k": "normal(3, 3, 3, 2)", "n": "integers(3, high=3)", "n2": "integers(7, high=3)", "c": "normal(2, 2)", "t": "normal(8)", "w": "normal(7, 9)", "s": "array(1.5)",
    }  # fmt: skip
    shapes = {
        "x": "3, 4",
        "y": "2, 3",
        "v": "5",
        "i": "1, 4, 4, 3",
        "k": "3, 3, 3, 2",
        "n": "3, dtype='int32'",
        "n2": "7, dtype='int32'",
        "c": "2, 2",
        "t": "8",
        "w": "7, 9",
        "s": "",
    }
    options = {"symbolic": False, "eager": True, "family": "refusals"}
    symbols = {name: "symbol(%s)" % text for name, text in shapes.items()}
    for name in AXIS:
        for axis in (5, -6):
            call = CALLS.get(name, "ops.%s(%%s, axis=%%d)" % name)
            if name != "concatenate":  # PyTorch takes any axis for a single array
                add("refused(lambda: %s) ==> True" % (call % ("x", axis)), inputs, op="ops." + name, **options)
            add("refused(lambda: %s) ==> True" % (call % ("symbol(3, 4)", axis)), op="ops." + name, **options)
    for text in WRONG + EAGER:
        add("refused(lambda: %s) ==> True" % text.format(**{n: n for n in inputs}), inputs, **options)
    for text in WRONG + SYMBOLIC:
        add("refused(lambda: %s) ==> True" % text.format(**symbols), **options)
    for text in (*LAYERS, *made()):
        add("refused(lambda: %s) ==> True" % text, **options)
