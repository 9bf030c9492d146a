"""Constructor calls as texts: each argument differs from its default."""

from __future__ import annotations

_WEIGHTS = "keras.initializers.RandomUniform(-0.3, 0.4, seed=3)"
_BIAS = "keras.initializers.Constant(0.3)"
_PENALTY = "keras.regularizers.L1L2(l1=0.1, l2=0.2)"
_BOUND = "keras.constraints.MinMaxNorm(min_value=0.2, max_value=0.9, rate=0.5, axis=0)"


def _weights(*names):
    """Returns initializer, regularizer and constraint of the named weights."""
    found = []
    for name in names:
        found += [
            "%s_initializer=%s" % (name, _BIAS if name == "bias" else _WEIGHTS),
            "%s_regularizer=%s" % (name, _PENALTY),
            "%s_constraint=%s" % (name, _BOUND),
        ]
    return found


_LAST = ["activity_regularizer=%s" % _PENALTY]
_FORM = ["data_format='channels_first'"]
_DENSE = ["activation='relu'", "use_bias=False", *_weights("kernel", "bias"), *_LAST]


def _conv(rank, *more):
    dilation = "dilation_rate=%r" % (2 if rank == 1 else (2,) * rank,)
    stride = "strides=%r" % (2 if rank == 1 else (2,) * rank,)
    return [stride, "padding='same'", *_FORM, dilation, *more]


_RECURRENT = [
    "activation='relu'",
    "use_bias=False",
    *_weights("kernel", "recurrent", "bias"),
    "dropout=0.25",
    "recurrent_dropout=0.25",
    "seed=7",
]
_SEQUENCE = ["return_sequences=True", "return_state=True", "go_backwards=True", "stateful=True"]
_NORM = ["epsilon=0.01", "center=False", "scale=False", *_weights("beta", "gamma")]
_VALUES = "value_range=(0, 1)"
_WARP = ["fill_mode='constant'", "interpolation='nearest'", "seed=3", "fill_value=0.5", *_FORM]
_TABLE = ["num_oov_indices=2", "output_mode='multi_hot'"]


def _pools(kind):
    return {
        "keras.layers.%sPooling%dD(2" % (kind, rank): [
            "strides=1",
            "padding='same'",
            *_FORM,
        ]
        for rank in (1, 2, 3)
    }


LAYERS = {
    "keras.layers.Dense(3": [*_DENSE, "lora_rank=2", "lora_rank=2, lora_alpha=4"],
    "keras.layers.EinsumDense('abc,cd->abd', (None, 4)": [
        "activation='relu'",
        "bias_axes='d'",
        *_weights("kernel", "bias"),
        *_LAST,
        "lora_rank=2",
        "lora_rank=2, lora_alpha=4",
    ],
    "keras.layers.Embedding(5, 3": [
        *_weights("embeddings"),
        "mask_zero=True",
        "lora_rank=2",
        "lora_rank=2, lora_alpha=4",
    ],
    "keras.layers.ReversibleEmbedding(5, 3": [
        "tie_weights=False",
        *_weights("embeddings"),
        "mask_zero=True",
        "reverse_dtype='float16'",
        "logit_soft_cap=0.5",
    ],
    "keras.layers.Activation('relu'": _LAST,
    "keras.layers.ActivityRegularization(": ["l1=0.25", "l2=0.5"],
    "keras.layers.Masking(": ["mask_value=2.0"],
    "keras.layers.InputLayer(": ["batch_shape=(4, 3)"],
    "keras.layers.InputLayer(shape=(3,)": [
        "dtype='int32'",
        "sparse=True",
        "optional=True",
    ],
    "keras.layers.ReLU(": ["max_value=2.0", "negative_slope=0.25", "threshold=0.5"],
    "keras.layers.LeakyReLU(": ["negative_slope=0.25"],
    "keras.layers.ELU(": ["alpha=0.5"],
    "keras.layers.PReLU(": [*_weights("alpha"), "shared_axes=[1]"],
    "keras.layers.Softmax(": ["axis=1", "axis=(-2, -1)"],
    "keras.layers.AdditiveAttention(": ["use_scale=False", "dropout=0.25", "seed=3"],
    "keras.layers.Attention(": ["use_scale=True", "score_mode='concat'", "dropout=0.25", "seed=3"],
    "keras.layers.MultiHeadAttention(2, 3": [
        "value_dim=4",
        "dropout=0.25",
        "use_bias=False",
        "output_shape=(5,)",
        "attention_axes=(1,)",
        "use_gate=True",
        *_weights("kernel", "bias"),
        *_LAST,
        "seed=3",
    ],
    "keras.layers.GroupQueryAttention(3, 4, 2": [
        "dropout=0.25",
        "use_bias=False",
        "use_gate=True",
        *_weights("kernel", "bias"),
        *_LAST,
        "seed=3",
    ],
    **_pools("Average"),
    **_pools("Max"),
    **{
        "keras.layers.Global%sPooling%dD(" % (kind, rank): [*_FORM, "keepdims=True"]
        for kind in ("Average", "Max")
        for rank in (1, 2, 3)
    },
    **{
        "keras.layers.Adaptive%sPooling%dD(2" % (kind, rank): _FORM for kind in ("Average", "Max") for rank in (1, 2, 3)
    },
    **{"keras.layers.Conv%dD(4, 3" % rank: [*_conv(rank, "groups=2"), *_DENSE] for rank in (1, 2, 3)},
    **{"keras.layers.Conv%dDTranspose(4, 3" % rank: [*_conv(rank), *_DENSE] for rank in (1, 2, 3)},
    "keras.layers.Conv1DTranspose(4, 3, strides=2": ["output_padding=1"],
    "keras.layers.Conv2DTranspose(4, 3, strides=(2, 3)": ["output_padding=(1, 2)"],
    "keras.layers.Conv3DTranspose(4, 3, strides=2": ["output_padding=(1, 1, 1)"],
    **{
        "keras.layers.DepthwiseConv%dD(3" % rank: [
            *_conv(rank, "depth_multiplier=2"),
            "activation='relu'",
            "use_bias=False",
            *_weights("depthwise", "bias"),
            *_LAST,
        ]
        for rank in (1, 2)
    },
    **{
        "keras.layers.SeparableConv%dD(4, 3" % rank: [
            *_conv(rank, "depth_multiplier=2"),
            "activation='relu'",
            "use_bias=False",
            *_weights("depthwise", "pointwise", "bias"),
            *_LAST,
        ]
        for rank in (1, 2)
    },
    **{
        "keras.layers.ConvLSTM%dD(4, 3" % rank: [
            *_conv(rank),
            *_RECURRENT,
            "recurrent_activation='relu'",
            "unit_forget_bias=False",
            *_LAST,
            *_SEQUENCE,
        ]
        for rank in (1, 2, 3)
    },
    "keras.layers.SimpleRNN(3": [*_RECURRENT, *_LAST, *_SEQUENCE, "unroll=True"],
    "keras.layers.SimpleRNNCell(3": _RECURRENT,
    "keras.layers.GRU(3": [
        *_RECURRENT,
        "recurrent_activation='relu'",
        "reset_after=False",
        *_LAST,
        *_SEQUENCE,
        "unroll=True",
    ],
    "keras.layers.GRUCell(3": [*_RECURRENT, "recurrent_activation='relu'", "reset_after=False"],
    "keras.layers.LSTM(3": [
        *_RECURRENT,
        "recurrent_activation='relu'",
        "unit_forget_bias=False",
        *_LAST,
        *_SEQUENCE,
        "unroll=True",
    ],
    "keras.layers.LSTMCell(3": [*_RECURRENT, "recurrent_activation='relu'", "unit_forget_bias=False"],
    "keras.layers.RNN(keras.layers.LSTMCell(3)": [*_SEQUENCE, "unroll=True", "zero_output_for_mask=True"],
    "keras.layers.Bidirectional(keras.layers.LSTM(3)": [
        "merge_mode='ave'",
        "backward_layer=keras.layers.GRU(3, go_backwards=True)",
    ],
    "keras.layers.SpectralNormalization(keras.layers.Dense(3)": ["power_iterations=2"],
    "keras.layers.BatchNormalization(": [
        "axis=1",
        "momentum=0.5",
        *_NORM,
        "moving_mean_initializer=%s" % _BIAS,
        "moving_variance_initializer=%s" % _BIAS,
        "synchronized=True",
        "renorm=True",
        "renorm=True, renorm_momentum=0.5",
        "renorm=True, renorm_clipping={'rmax': 3.0, 'rmin': 0.3, 'dmax': 5.0}",
    ],
    "keras.layers.GroupNormalization(": ["groups=3", "axis=1", *_NORM],
    "keras.layers.LayerNormalization(": ["axis=(1, 2)", "axis=1", *_NORM, "rms_scaling=True"],
    "keras.layers.RMSNormalization(": ["axis=1", "epsilon=0.01"],
    "keras.layers.UnitNormalization(": ["axis=1", "axis=(1, 2)"],
    "keras.layers.Concatenate(": ["axis=1"],
    "keras.layers.Dot(axes=1": ["normalize=True"],
    "keras.layers.Dropout(0.5": ["noise_shape=(None, 1)", "seed=3"],
    "keras.layers.AlphaDropout(0.5": ["noise_shape=(None, 1)", "seed=3"],
    "keras.layers.GaussianDropout(0.5": ["seed=3"],
    "keras.layers.GaussianNoise(0.5": ["seed=3"],
    "keras.layers.SpatialDropout1D(0.5": ["seed=3", "name='other'", "dtype='float16'"],
    "keras.layers.SpatialDropout2D(0.5": [*_FORM, "seed=3", "name='other'", "dtype='float16'"],
    "keras.layers.SpatialDropout3D(0.5": [*_FORM, "seed=3", "name='other'", "dtype='float16'"],
    "keras.layers.Flatten(": _FORM,
    "keras.layers.Permute(": ["dims=(2, 1)"],
    "keras.layers.RepeatVector(": ["n=3"],
    "keras.layers.Reshape(": ["target_shape=(3, 2)", "target_shape=(-1, 2)"],
    "keras.layers.Cropping1D(": ["cropping=(2, 1)"],
    "keras.layers.Cropping2D(": ["cropping=((1, 0), (2, 1))", *_FORM],
    "keras.layers.Cropping3D(": ["cropping=((1, 0), (2, 1), (0, 1))", *_FORM],
    "keras.layers.UpSampling1D(": ["size=3"],
    "keras.layers.UpSampling2D(": ["size=(2, 3)", *_FORM, "interpolation='bilinear'"],
    "keras.layers.UpSampling3D(": ["size=(2, 3, 1)", *_FORM],
    "keras.layers.ZeroPadding1D(": ["padding=(2, 1)", *_FORM],
    "keras.layers.ZeroPadding2D(": ["padding=((1, 0), (2, 1))", *_FORM],
    "keras.layers.ZeroPadding3D(": ["padding=((1, 0), (2, 1), (0, 1))", *_FORM],
    "keras.layers.CategoryEncoding(num_tokens=4": ["sparse=True", "output_mode='one_hot'"],
    "keras.layers.CenterCrop(3, 3": [*_FORM],
    "keras.layers.Discretization(": ["bin_boundaries=[0.0, 1.0]", "num_bins=4"],
    "keras.layers.Discretization(num_bins=4": ["epsilon=0.1", "output_mode='one_hot'", "name='other'"],
    "keras.layers.HashedCrossing(5": ["output_mode='one_hot'", "name='other'"],
    "keras.layers.Hashing(5": ["mask_value=''", "salt=[1, 2]", "output_mode='one_hot'"],
    "keras.layers.IntegerLookup(": [
        *_TABLE,
        "max_tokens=7",
        "mask_token=0",
        "oov_token=-2",
        "vocabulary=[3, 5]",
        "oov_method='farmhash'",
    ],
    "keras.layers.IntegerLookup(vocabulary=[3, 5]": [
        "invert=True",
        "output_mode='tf_idf', idf_weights=[0.5, 0.75]",
    ],
    "keras.layers.IntegerLookup(max_tokens=7, output_mode='count'": ["sparse=True", "pad_to_max_tokens=True"],
    "keras.layers.StringLookup(": [
        *_TABLE,
        "max_tokens=7",
        "mask_token=''",
        "oov_token='?'",
        "vocabulary=['a', 'b']",
        "encoding='latin-1'",
    ],
    "keras.layers.StringLookup(vocabulary=['a', 'b']": [
        "invert=True",
        "output_mode='tf_idf', idf_weights=[0.5, 0.75]",
    ],
    "keras.layers.StringLookup(max_tokens=7, output_mode='count'": ["sparse=True", "pad_to_max_tokens=True"],
    "keras.layers.TextVectorization(": [
        "max_tokens=7",
        "standardize='lower'",
        "standardize=None",
        "split='character'",
        "split=None",
        "ngrams=2",
        "ngrams=(1, 3)",
        "output_mode='multi_hot'",
        "output_sequence_length=4",
        "vocabulary=['a', 'b']",
        "encoding='latin-1'",
        "ragged=True",
    ],
    "keras.layers.TextVectorization(max_tokens=7, output_mode='count'": ["sparse=True", "pad_to_max_tokens=True"],
    "keras.layers.TextVectorization(vocabulary=['a', 'b']": ["output_mode='tf_idf', idf_weights=[0.5, 0.75]"],
    "keras.layers.Normalization(": ["axis=1", "axis=None", "invert=True", "mean=1.0, variance=4.0"],
    "keras.layers.Rescaling(": ["scale=3.0", "scale=[1.0, 2.0]"],
    "keras.layers.Rescaling(2.0": ["offset=1.0", "offset=[1.0, 2.0]"],
    "keras.layers.Resizing(3, 4": [
        "interpolation='nearest'",
        "crop_to_aspect_ratio=True",
        "pad_to_aspect_ratio=True",
        "fill_value=1.0",
        "antialias=True",
        *_FORM,
    ],
    "keras.layers.AugMix(": [
        _VALUES,
        "num_chains=2",
        "chain_depth=2",
        "factor=0.5",
        "alpha=0.5",
        "all_ops=False",
        "interpolation='nearest'",
        "seed=3",
        *_FORM,
    ],
    "keras.layers.AutoContrast(": [_VALUES],
    "keras.layers.CutMix(": ["factor=0.5", "seed=3", *_FORM],
    "keras.layers.Equalization(": [_VALUES, "bins=16", *_FORM],
    "keras.layers.MixUp(": ["alpha=0.5", "seed=3", *_FORM],
    "keras.layers.MaxNumBoundingBoxes(3": ["fill_value=-2"],
    "keras.layers.RandAugment(": [
        _VALUES,
        "num_ops=3",
        "factor=0.25",
        "interpolation='nearest'",
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomBrightness(factor=(0.1, 0.2)": [_VALUES, "seed=3"],
    "keras.layers.RandomColorDegeneration(factor=(0.1, 0.2)": [_VALUES, "seed=3", *_FORM],
    "keras.layers.RandomColorJitter(": [
        _VALUES,
        "brightness_factor=0.25",
        "contrast_factor=0.25",
        "saturation_factor=0.25",
        "hue_factor=0.25",
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomContrast(factor=(0.1, 0.2)": [_VALUES, "seed=3"],
    "keras.layers.RandomCrop(3, 3": ["seed=3", *_FORM, "name='other'"],
    "keras.layers.RandomElasticTransform(": [
        "factor=0.5",
        "scale=0.5",
        "interpolation='nearest'",
        "fill_mode='constant'",
        "fill_value=1.0",
        _VALUES,
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomErasing(": [
        "factor=0.5",
        "scale=(0.1, 0.2)",
        "fill_value=1.0",
        _VALUES,
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomFlip(": ["mode='vertical'", "seed=3", *_FORM],
    "keras.layers.RandomGaussianBlur(": [
        "factor=0.5",
        "kernel_size=5",
        "sigma=0.5",
        _VALUES,
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomGrayscale(": ["factor=0.25", *_FORM, "seed=3"],
    "keras.layers.RandomHue(factor=(0.1, 0.2)": [_VALUES, "seed=3", *_FORM],
    "keras.layers.RandomInvert(": ["factor=0.5", _VALUES, "seed=3", *_FORM],
    "keras.layers.RandomPerspective(": [
        "factor=0.5",
        "scale=0.5",
        "interpolation='nearest'",
        "fill_value=1.0",
        "seed=3",
        *_FORM,
    ],
    "keras.layers.RandomPosterization(5": [_VALUES, "seed=3", *_FORM],
    "keras.layers.RandomRotation((0.1, 0.2)": _WARP,
    "keras.layers.RandomSaturation(factor=(0.1, 0.2)": [_VALUES, "seed=3", *_FORM],
    "keras.layers.RandomSharpness(factor=(0.1, 0.2)": [_VALUES, "seed=3", *_FORM],
    "keras.layers.RandomShear(": ["x_factor=0.25", "y_factor=0.25", *_WARP],
    "keras.layers.RandomTranslation((0.1, 0.2), (0.2, 0.3)": _WARP,
    "keras.layers.RandomZoom((0.1, 0.2)": ["width_factor=0.25", *_WARP],
    "keras.layers.Solarization(": [
        "addition_factor=0.5",
        "threshold_factor=0.5",
        _VALUES,
        "seed=3",
    ],
    "keras.layers.MelSpectrogram(": [
        "fft_length=16",
        "sequence_stride=4",
        "sequence_length=8",
        "window='hamming'",
        "sampling_rate=8000",
        "num_mel_bins=4",
        "min_freq=10.0",
        "max_freq=4000.0",
        "power_to_db=False",
        "top_db=40.0",
        "mag_exp=1.0",
        "min_power=1e-5",
        "ref_power=2.0",
    ],
    "keras.layers.STFTSpectrogram(": [
        "mode='magnitude'",
        "frame_length=16",
        "frame_step=4",
        "fft_length=512",
        "window='hamming'",
        "periodic=True",
        "scaling='spectrum'",
        "padding='same'",
        "expand_dims=True",
        *_FORM,
    ],
    "keras.layers.Lambda(keras.ops.relu": ["output_shape=(3,)", "arguments={'axis': 1}"],
}

_LOSS = ["reduction='sum'", "reduction=None", "name='other'", "dtype='float64'"]
_ENTROPY = ["from_logits=True", "label_smoothing=0.25", "axis=1", *_LOSS]
LOSSES = {
    "keras.losses.BinaryCrossentropy(": _ENTROPY,
    "keras.losses.BinaryFocalCrossentropy(": ["apply_class_balancing=True", "alpha=0.5", "gamma=1.5", *_ENTROPY],
    "keras.losses.CategoricalCrossentropy(": _ENTROPY,
    "keras.losses.CategoricalFocalCrossentropy(": ["alpha=0.5", "gamma=1.5", *_ENTROPY],
    "keras.losses.CategoricalGeneralizedCrossEntropy(": ["q=0.25", *_LOSS],
    "keras.losses.Circle(": ["gamma=40.0", "margin=0.25", "remove_diagonal=False", *_LOSS],
    "keras.losses.CosineSimilarity(": ["axis=0", *_LOSS],
    "keras.losses.Dice(": ["axis=(1,)", *_LOSS],
    "keras.losses.Huber(": ["delta=0.5", *_LOSS],
    "keras.losses.SparseCategoricalCrossentropy(": ["from_logits=True", "ignore_class=1", "axis=1", *_LOSS],
    "keras.losses.Tversky(": ["alpha=0.25", "beta=0.75", "axis=(1,)", *_LOSS],
    **{
        "keras.losses.%s(" % name: _LOSS
        for name in [
            "CTC",
            "CategoricalHinge",
            "Hinge",
            "KLDivergence",
            "LogCosh",
            "MeanAbsoluteError",
            "MeanAbsolutePercentageError",
            "MeanSquaredError",
            "MeanSquaredLogarithmicError",
            "Poisson",
            "SquaredHinge",
        ]
    },
}

_METRIC = ["name='other'", "dtype='float64'"]
_AT = ["num_thresholds=20", "class_id=1", *_METRIC]
_COUNT = ["thresholds=[0.2, 0.7]", "thresholds=0.25", *_METRIC]
_IOU = ["ignore_class=0", "axis=1", *_METRIC]
METRICS = {
    "keras.metrics.AUC(": [
        "num_thresholds=20",
        "curve='PR'",
        "summation_method='minoring'",
        "thresholds=[0.25, 0.5]",
        "from_logits=True",
        "multi_label=True",
        *_METRIC,
    ],
    "keras.metrics.AUC(multi_label=True": ["num_labels=2", "label_weights=[0.25, 0.75]"],
    "keras.metrics.BinaryAccuracy(": ["threshold=0.25", *_METRIC],
    "keras.metrics.BinaryCrossentropy(": ["from_logits=True", "label_smoothing=0.25", *_METRIC],
    "keras.metrics.CategoricalCrossentropy(": ["from_logits=True", "label_smoothing=0.25", "axis=1", *_METRIC],
    "keras.metrics.SparseCategoricalCrossentropy(": ["from_logits=True", "ignore_class=1", "axis=1", *_METRIC],
    "keras.metrics.BinaryIoU(": ["target_class_ids=[1]", "threshold=0.25", *_METRIC],
    "keras.metrics.IoU(2, [0]": ["sparse_y_true=False", "sparse_y_pred=False", *_IOU],
    "keras.metrics.MeanIoU(2": ["sparse_y_true=False", "sparse_y_pred=False", *_IOU],
    "keras.metrics.OneHotIoU(2, [0]": ["sparse_y_pred=True", *_IOU],
    "keras.metrics.OneHotMeanIoU(2": ["sparse_y_pred=True", *_IOU],
    "keras.metrics.CosineSimilarity(": ["axis=0", *_METRIC],
    "keras.metrics.ConcordanceCorrelation(": ["axis=0", *_METRIC],
    "keras.metrics.PearsonCorrelation(": ["axis=0", *_METRIC],
    "keras.metrics.F1Score(": ["average='micro'", "threshold=0.25", *_METRIC],
    "keras.metrics.FBetaScore(": ["average='micro'", "beta=0.5", "threshold=0.25", *_METRIC],
    "keras.metrics.FalseNegatives(": _COUNT,
    "keras.metrics.FalsePositives(": _COUNT,
    "keras.metrics.TrueNegatives(": _COUNT,
    "keras.metrics.TruePositives(": _COUNT,
    "keras.metrics.Precision(": ["top_k=2", "class_id=1", *_COUNT],
    "keras.metrics.Recall(": ["top_k=2", "class_id=1", *_COUNT],
    "keras.metrics.PrecisionAtRecall(0.5": _AT,
    "keras.metrics.RecallAtPrecision(0.5": _AT,
    "keras.metrics.SensitivityAtSpecificity(0.5": _AT,
    "keras.metrics.SpecificityAtSensitivity(0.5": _AT,
    "keras.metrics.R2Score(": ["class_aggregation='variance_weighted_average'", "num_regressors=1", *_METRIC],
    "keras.metrics.SparseTopKCategoricalAccuracy(": ["k=2", "from_sorted_ids=True", *_METRIC],
    "keras.metrics.TopKCategoricalAccuracy(": ["k=2", *_METRIC],
    "keras.metrics.MeanMetricWrapper(keras.losses.huber": [*_METRIC, "delta=0.5"],
    **{
        "keras.metrics.%s(" % name: _METRIC
        for name in [
            "Accuracy",
            "CategoricalAccuracy",
            "CategoricalHinge",
            "Hinge",
            "KLDivergence",
            "LogCoshError",
            "Mean",
            "MeanAbsoluteError",
            "MeanAbsolutePercentageError",
            "MeanSquaredError",
            "MeanSquaredLogarithmicError",
            "Poisson",
            "RootMeanSquaredError",
            "SparseCategoricalAccuracy",
            "SquaredHinge",
            "Sum",
        ]
    },
}

_STEP = [
    "learning_rate=0.25",
    "learning_rate=keras.optimizers.schedules.CosineDecay(0.5, 10, alpha=0.25)",
    "weight_decay=0.25",
    "clipnorm=0.5",
    "clipvalue=0.5",
    "global_clipnorm=0.5",
    "use_ema=True",
    "use_ema=True, ema_momentum=0.5",
    "use_ema=True, ema_overwrite_frequency=2",
    "loss_scale_factor=4.0",
    "gradient_accumulation_steps=2",
    "name='other'",
]
_BETAS = ["beta_1=0.5", "beta_2=0.75", "epsilon=0.01", *_STEP]
OPTIMIZERS = {
    "keras.optimizers.SGD(": ["momentum=0.5", "nesterov=True", *_STEP],
    "keras.optimizers.RMSprop(": ["rho=0.5", "momentum=0.5", "epsilon=0.01", "centered=True", *_STEP],
    "keras.optimizers.Adam(": ["amsgrad=True", *_BETAS],
    "keras.optimizers.AdamW(": ["amsgrad=True", *_BETAS],
    "keras.optimizers.Adadelta(": ["rho=0.5", "epsilon=0.01", *_STEP],
    "keras.optimizers.Adagrad(": ["initial_accumulator_value=0.5", "epsilon=0.01", *_STEP],
    "keras.optimizers.Adamax(": _BETAS,
    "keras.optimizers.Nadam(": _BETAS,
    "keras.optimizers.Lamb(": _BETAS,
    "keras.optimizers.ScheduleFreeAdamW(": ["warmup_steps=3", *_BETAS],
    "keras.optimizers.Lion(": ["beta_1=0.5", "beta_2=0.75", *_STEP],
    "keras.optimizers.Ftrl(": [
        "learning_rate_power=-0.25",
        "initial_accumulator_value=0.5",
        "l1_regularization_strength=0.25",
        "l2_regularization_strength=0.25",
        "l2_shrinkage_regularization_strength=0.25",
        "beta=0.5",
        *_STEP,
    ],
    "keras.optimizers.Adafactor(": [
        "beta_2_decay=-0.5",
        "epsilon_1=1e-5",
        "epsilon_2=0.01",
        "clip_threshold=0.5",
        "relative_step=False",
        *_STEP,
    ],
    "keras.optimizers.Muon(": [
        "adam_beta_1=0.5",
        "adam_beta_2=0.75",
        "adam_weight_decay=0.5",
        "epsilon=0.01",
        "exclude_layers=['head']",
        "exclude_embeddings=False",
        "muon_a=3.0",
        "muon_b=-4.0",
        "muon_c=2.0",
        "adam_lr_ratio=0.5",
        "momentum=0.5",
        "ns_steps=3",
        "nesterov=False",
        "rms_rate=0.5",
        *_STEP,
    ],
    "keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25, momentum=0.5)": [
        "initial_scale=4.0",
        "dynamic_growth_steps=3",
        "name='other'",
    ],
}

_RATE = ["staircase=True"]
_LATE = ["name='other'"]
SCHEDULES = {
    "keras.optimizers.schedules.CosineDecay(0.5, 10": [
        *_LATE,
        "alpha=0.25",
        "warmup_target=0.75",
        "warmup_target=0.75, warmup_steps=3",
    ],
    "keras.optimizers.schedules.CosineDecayRestarts(0.5, 10": [
        *_LATE,
        "t_mul=3.0",
        "m_mul=0.5",
        "alpha=0.25",
    ],
    "keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5": [*_LATE, *_RATE],
    "keras.optimizers.schedules.InverseTimeDecay(0.5, 10, 0.5": [*_LATE, *_RATE],
    "keras.optimizers.schedules.PolynomialDecay(0.5, 10": [
        *_LATE,
        "end_learning_rate=0.25",
        "power=2.0",
        "cycle=True",
    ],
    "keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25]": ["name='other'"],
}

_SEED = ["seed=3", "seed=0", "seed=keras.random.SeedGenerator(3)"]
_FAN = [*_SEED, "input_axes=(0,), output_axes=(1,)"]
INITIALIZERS = {
    "keras.initializers.Constant(": ["value=0.5"],
    "keras.initializers.Identity(": ["gain=0.5"],
    "keras.initializers.Orthogonal(": ["gain=0.5", *_SEED],
    "keras.initializers.RandomNormal(": ["mean=0.5", *_SEED],
    "keras.initializers.TruncatedNormal(": ["mean=0.5", *_SEED],
    "keras.initializers.RandomUniform(": ["minval=-0.5", "maxval=0.5", *_SEED],
    "keras.initializers.VarianceScaling(": [
        "scale=0.5",
        "mode='fan_out'",
        "distribution='uniform'",
        *_FAN,
    ],
    "keras.initializers.STFT(": [
        "side='imag'",
        "window='hamming'",
        "scaling='spectrum'",
        "periodic=True",
    ],
    **{
        "keras.initializers.%s(" % name: _FAN
        for name in ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]
    },
}

REST = {
    "keras.regularizers.L1(": ["l1=0.5"],
    "keras.regularizers.L2(": ["l2=0.5"],
    "keras.regularizers.L1L2(": ["l1=0.5", "l2=0.25"],
    "keras.regularizers.OrthogonalRegularizer(": ["factor=0.5", "mode='columns'"],
    "keras.constraints.MaxNorm(": ["max_value=3", "axis=1", "axis=[0, 1]"],
    "keras.constraints.MinMaxNorm(": ["min_value=0.5", "max_value=0.75", "rate=0.5", "axis=1"],
    "keras.constraints.UnitNorm(": ["axis=1"],
    "keras.random.SeedGenerator(": ["seed=3"],
    "keras.quantizers.AbsMaxQuantizer(axis=0": [
        "value_range=(-7, 7)",
        "epsilon=0.01",
        "output_dtype='int16'",
    ],
}


def expanded(table):
    """Returns the calls of a table, one argument each."""
    return ["%s%s%s)" % (base, "" if base.endswith("(") else ", ", more) for base in table for more in table[base]]


_REQUIRED = (
    "keras.layers.InputLayer(shape=(3,))",
    "keras.layers.Permute((2, 1))",
    "keras.layers.RepeatVector(2)",
    "keras.layers.Reshape((2, 3))",
    "keras.layers.Rescaling(2.0)",
    "keras.layers.Discretization(num_bins=4)",
)


def bare(table, more=""):
    """Returns the calls of a table, each class once, with the arguments ``more``."""
    found = {name.partition("(")[0]: name for name in _REQUIRED if name.partition("(")[0] in str(list(table))}
    for base in table:
        comma = ", " if more and not base.endswith("(") else ""
        found.setdefault(base.partition("(")[0], base + comma + more + ")")
    return list(found.values())
