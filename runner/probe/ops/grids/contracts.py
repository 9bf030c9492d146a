"""Generates cases of the contracts of every layer.

A configuration makes the same layer again, and the documented shapes are those of the outputs.
"""

from __future__ import annotations

CONTRACT = (
    ("Dense(3, activation='relu', kernel_regularizer='l2', bias_constraint='non_neg')", "x"),
    ("EinsumDense('abc,cd->abd', output_shape=(None, 4), bias_axes='d')", "y"),
    ("Embedding(6, 4, mask_zero=True)", "i"),
    ("Conv1D(4, 3, strides=2, padding='same')", "y"),
    ("Conv1D(4, 2, padding='causal', dilation_rate=2)", "y"),
    ("Conv2D(4, (3, 2), padding='same', dilation_rate=(1, 2))", "f"),
    ("Conv2D(4, 3, strides=(2, 1), groups=2)", "f"),
    ("Conv3D(2, 2)", "z"),
    ("Conv1DTranspose(4, 3, strides=2, padding='same')", "y"),
    ("Conv2DTranspose(4, (3, 2), strides=2)", "f"),
    ("Conv2DTranspose(4, 3, strides=2, padding='same', output_padding=1)", "f"),
    ("Conv3DTranspose(2, 2, strides=2)", "z"),
    ("DepthwiseConv1D(3, depth_multiplier=2)", "y"),
    ("DepthwiseConv2D(3, strides=2, padding='same')", "f"),
    ("SeparableConv1D(4, 3)", "y"),
    ("SeparableConv2D(4, 3, padding='same')", "f"),
    ("MaxPooling1D(2, strides=1, padding='same')", "y"),
    ("MaxPooling2D((2, 3), strides=2)", "f"),
    ("AveragePooling2D(2, strides=1, padding='same')", "f"),
    ("AveragePooling3D(2)", "z"),
    ("GlobalAveragePooling1D(keepdims=True)", "y"),
    ("GlobalMaxPooling2D()", "f"),
    ("BatchNormalization(axis=1, momentum=0.9)", "y"),
    ("LayerNormalization(axis=(1, 2))", "y"),
    ("LayerNormalization(rms_scaling=True)", "y"),
    ("GroupNormalization(2)", "f"),
    ("RMSNormalization()", "y"),
    ("UnitNormalization(axis=1)", "y"),
    ("SpectralNormalization(layers.Dense(3))", "x"),
    ("SimpleRNN(3, return_sequences=True)", "y"),
    ("LSTM(3, return_sequences=True, go_backwards=True)", "y"),
    ("LSTM(3, return_state=True)", "y"),
    ("GRU(3, return_sequences=True, return_state=True)", "y"),
    ("GRU(3, reset_after=False, unroll=True)", "y"),
    ("Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode='sum')", "y"),
    ("Bidirectional(layers.GRU(3))", "y"),
    ("RNN(layers.LSTMCell(3), return_sequences=True)", "y"),
    ("RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)])", "y"),
    ("ConvLSTM1D(2, 3, padding='same')", "c"),
    ("ConvLSTM2D(2, 2, return_sequences=True)", "z"),
    ("TimeDistributed(layers.Dense(3))", "y"),
    ("TimeDistributed(layers.Conv1D(2, 2))", "c"),
    ("MultiHeadAttention(2, 3, value_dim=2, output_shape=5)", "y, y"),
    ("GroupQueryAttention(3, 4, 2)", "y, y"),
    ("Attention(use_scale=True, score_mode='concat')", "[y, y]"),
    ("AdditiveAttention()", "[y, y]"),
    ("Reshape((-1, 2))", "y"),
    ("Permute((2, 1))", "y"),
    ("RepeatVector(2)", "x"),
    ("Flatten()", "f"),
    ("ZeroPadding2D(((1, 2), (0, 1)))", "f"),
    ("ZeroPadding3D(1)", "z"),
    ("Cropping2D(1)", "f"),
    ("UpSampling2D((2, 3), interpolation='bilinear')", "f"),
    ("UpSampling3D(2)", "z"),
    ("Add()", "[y, y]"),
    ("Concatenate(axis=1)", "[y, y]"),
    ("Dot(axes=2, normalize=True)", "[y, y]"),
    ("Multiply()", "[y, y]"),
    ("PReLU(shared_axes=[1])", "y"),
    ("LeakyReLU(negative_slope=0.1)", "x"),
    ("ELU(alpha=0.5)", "x"),
    ("ReLU(max_value=1.0)", "x"),
    ("Softmax(axis=1)", "y"),
    ("Activation('gelu')", "x"),
    ("Dropout(0.5)", "x"),
    ("SpatialDropout2D(0.5)", "f"),
    ("GaussianNoise(0.1)", "x"),
    ("AlphaDropout(0.1)", "x"),
    ("Masking(0.0)", "y"),
    ("ActivityRegularization(l2=0.1)", "x"),
    ("Rescaling(0.5, offset=1.0)", "x"),
    ("Normalization(mean=1.0, variance=2.0)", "x"),
    ("CategoryEncoding(6, output_mode='count')", "i"),
    ("Discretization(bin_boundaries=[0.0, 1.0])", "x"),
    ("CenterCrop(2, 3)", "f"),
    ("Resizing(3, 5)", "f"),
    ("RandomFlip()", "f"),
    ("RandomRotation(0.1)", "f"),
    ("RandomZoom(0.1)", "f"),
    ("RandomTranslation(0.1, 0.1)", "f"),
    ("RandomContrast(0.1)", "f"),
    ("RandomBrightness(0.1)", "f"),
    ("RandomCrop(3, 3)", "f"),
    ("IntegerLookup(vocabulary=[1, 2, 3])", "i"),
    ("Identity()", "x"),
    ("LSTM(3, dropout=0.2, recurrent_dropout=0.2, kernel_regularizer='l1')", "y"),
    ("MelSpectrogram(fft_length=8, sequence_stride=2, num_mel_bins=4, sampling_rate=100, max_freq=40)", "w"),
    ("STFTSpectrogram(frame_length=8, frame_step=2, fft_length=8)", "s"),
    ("AdaptiveAveragePooling2D((2, 3))", "f"),
    ("AdaptiveMaxPooling1D(2)", "y"),
    ("ReversibleEmbedding(6, 4)", "i"),
)  # fmt: skip
"""Layers, and the inputs they are called on."""


def add(add):
    """Adds the cases."""
    inputs = {"x": "normal(2, 4)", "y": "normal(2, 5, 4)", "i": "integers(2, 3, high=6)", "f": "uniform(2, 5, 6, 4)", "z": "normal(1, 3, 4, 3, 2)",
              "c": "normal(2, 3, 5, 2)", "w": "normal(2, 32)", "s": "normal(2, 32, 1)"}  # fmt: skip
    for layer, names in CONTRACT:
        on = names + (", training=False" if "Random" in layer else "")
        eager = any(
            word in layer
            for word in ("Random", "Lookup", "Encoding", "Discretization", "CenterCrop", "Resizing", "Mel")
        )
        outputs = 1 + ("return_state" in layer) * (2 if "LSTM" in layer else 1)
        zeros = "[%s]" % ", ".join(["0.0"] * outputs)
        add("clone_difference(layers.%s, %s) ==> %s" % (layer, on, zeros), inputs, eager=eager, symbolic=False)
        kept = "[%s]" % ", ".join(["True"] * (2 * outputs))
        add("shape_kept(layers.%s, %s) ==> %s" % (layer, on, kept), inputs, eager=eager, symbolic=False)
