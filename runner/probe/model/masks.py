"""Masks on their way through layers, wrappers and models."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, true

IDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
MASK = IDS != 0
STEPS = np.where(MASK[:, :, None], np.arange(24).reshape(2, 4, 3) / 10 + 0.1, 0).astype("float32")


def _mask(tensor):
    """Returns the mask that a tensor carries, as an array, or None."""
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else array(mask)


class Shows(keras.layers.Layer):
    """Gives the mask that it gets as numbers, -1 without one."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return keras.ops.ones_like(x[..., 0]) * -1.0
        return keras.ops.cast(mask, "float32")

    def compute_mask(self, x, mask=None):
        return None

    def compute_output_shape(self, shape):
        return shape[:-1]


PASSING = [
    "Dense(3)",
    "Activation('relu')",
    "Dropout(0.5)",
    "GaussianDropout(0.5)",
    "GaussianNoise(0.5)",
    "AlphaDropout(0.5)",
    "SpatialDropout1D(0.5)",
    "ActivityRegularization(0.1)",
    "BatchNormalization()",
    "LayerNormalization()",
    "UnitNormalization()",
    "GroupNormalization(1)",
    "ReLU()",
    "LeakyReLU()",
    "ELU()",
    "PReLU()",
    "Identity()",
    "TimeDistributed(keras.layers.Dense(2))",
    "LSTM(2, return_sequences=True)",
    "GRU(2, return_sequences=True)",
    "SimpleRNN(2, return_sequences=True)",
    "RNN(keras.layers.LSTMCell(2), return_sequences=True)",
    "Bidirectional(keras.layers.LSTM(2, return_sequences=True))",
    "Bidirectional(keras.layers.GRU(2, return_sequences=True), merge_mode='sum')",
    "Sequential([keras.layers.Dense(2), keras.layers.ReLU()])",
]

ENDING = [
    "LSTM(2)",
    "GRU(2)",
    "SimpleRNN(2)",
    "Bidirectional(keras.layers.LSTM(2))",
    "GlobalAveragePooling1D()",
]


def _made(text):
    if text.startswith("Sequential"):
        return eval("keras." + text)  # noqa: S307 - texts of this module
    need("keras.layers." + text.partition("(")[0])
    return eval("keras.layers." + text)  # noqa: S307


@each(layer=PASSING)
def masks_pass(layer):
    """The mask of an input goes on behind {layer}"""
    x = keras.layers.Masking()(STEPS)
    equal(_mask(_made(layer)(x)), MASK, "mask")


@each(layer=PASSING)
def masks_pass_in_a_model(layer):
    """In a Functional model the mask goes on behind {layer}"""
    x = keras.Input((4, 3))
    y = Shows()(_made(layer)(keras.layers.Masking()(x)))
    close(keras.Model(x, y)(STEPS), MASK.astype("float32"))


@each(layer=ENDING)
def masks_end(layer):
    """No mask is left behind {layer}"""
    equal(_mask(_made(layer)(keras.layers.Masking()(STEPS))), None, "mask")


@each(layer=[*ENDING, "LSTM(2, return_sequences=True)", "GRU(2, return_sequences=True, reset_after=False)"])
def masked_steps_have_no_influence(layer):
    """What stands in masked steps has no influence on {layer}"""
    made = given(_made(layer))
    other = np.where(MASK[:, :, None], STEPS, 9.0).astype("float32")
    found, expected = made(STEPS, mask=MASK), made(other, mask=MASK)
    close(np.asarray(array(found))[:, -1], np.asarray(array(expected))[:, -1])


def embedding_makes_a_mask():
    """Embedding(mask_zero=True) gives a mask of what is not 0"""
    equal(_mask(keras.layers.Embedding(5, 3, mask_zero=True)(IDS)), MASK, "mask")
    equal(_mask(keras.layers.Embedding(5, 3)(IDS)), None, "mask without mask_zero")
    equal(array(keras.layers.Embedding(5, 3, mask_zero=True).compute_mask(IDS)), MASK, "compute_mask")


@each(value=[0.0, -1.0])
def masking_makes_a_mask(value):
    """Masking({value}) masks steps in which every feature is that"""
    data = np.where(MASK[:, :, None], STEPS + 1, value).astype("float32")
    layer = keras.layers.Masking(value)
    equal(_mask(layer(data)), MASK, "mask")
    close(layer(data), np.where(MASK[:, :, None], data, 0.0), "output")
    equal(array(layer.compute_mask(data)), MASK, "compute_mask")


@each(model=["functional", "sequential", "nested"])
def embedding_mask_reaches_the_rnn(model):
    """A mask of Embedding reaches an LSTM in a {model} model"""
    embedding, lstm = keras.layers.Embedding(5, 3, mask_zero=True), keras.layers.LSTM(2)
    if model == "sequential":
        made = keras.Sequential([embedding, lstm])
    elif model == "nested":
        made = keras.Sequential([keras.Sequential([embedding]), keras.Sequential([keras.layers.ReLU(), lstm])])
    else:
        x = keras.Input((4,), dtype="int32")
        made = keras.Model(x, lstm(embedding(x)))
    made(IDS)
    given(made)
    embedded = embedding(IDS)
    embedded = keras.ops.relu(embedded) if model == "nested" else embedded
    close(made(IDS), lstm(keras.ops.convert_to_numpy(embedded), mask=MASK))


def mask_argument_wins():
    """A mask given in a call is used rather than the tensor's"""
    lstm = keras.layers.LSTM(2)
    x = keras.layers.Masking()(STEPS)
    ones = np.ones((2, 4), "bool")
    plain = np.asarray(array(x))
    close(lstm(x, mask=ones), lstm(plain))


def functional_takes_masks():
    """A Functional model hands a mask given in its call to its layers"""
    x = keras.Input((4, 3))
    model = keras.Model(x, Shows()(keras.layers.ReLU()(x)))
    close(model(STEPS, mask=MASK), MASK.astype("float32"))


def sequential_takes_masks():
    """A Sequential hands a mask given in its call to its layers"""
    model = keras.Sequential([keras.layers.ReLU(), Shows()])
    close(model(STEPS, mask=MASK), MASK.astype("float32"))


def functional_passes_masks_between_models():
    """The mask of one model's output reaches the next model"""
    first = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 3, mask_zero=True)])
    second = keras.Sequential([keras.Input((4, 3)), keras.layers.ReLU(), Shows()])
    x = keras.Input((4,), dtype="int32")
    close(keras.Model(x, second(first(x)))(IDS), MASK.astype("float32"))


def concatenate_joins_masks():
    """Concatenate along the steps joins the masks"""
    x = keras.layers.Masking()(STEPS)
    equal(_mask(keras.layers.Concatenate(axis=1)([x, x])), np.concatenate([MASK, MASK], 1), "mask")


def concatenate_of_features_needs_both():
    """Concatenate along the features keeps steps that neither masks"""
    x = keras.layers.Masking()(STEPS)
    equal(_mask(keras.layers.Concatenate()([x, x])), MASK, "mask")


@each(axis=[1, 2, -1])
def concatenate_with_one_mask(axis):
    """Concatenate(axis={axis}) takes one input with a mask, one without"""
    x = keras.layers.Masking()(STEPS)
    found = _mask(keras.layers.Concatenate(axis=axis)([x, STEPS]))
    if axis == 1:
        equal(found, np.concatenate([MASK, np.ones((2, 4), "bool")], 1), "mask")
    equal(list(found.shape), [2, 8] if axis == 1 else [2, 4], "shape of the mask")


@each(axis=[1, -1])
def concatenate_with_masks_in_a_model(axis):
    """Concatenate(axis={axis}) joins masks in a Functional model"""
    x = keras.Input((None, 3))
    masked = keras.layers.Masking()(x)
    y = Shows()(keras.layers.Concatenate(axis=axis)([masked, masked]))
    expected = np.concatenate([MASK, MASK], 1) if axis == 1 else MASK
    close(keras.Model(x, y)(STEPS), expected.astype("float32"))


@each(layer=["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
def merging_with_masks_computes(layer):
    """{layer} of two masked tensors computes as without masks"""
    x = keras.layers.Masking()(STEPS)
    made = getattr(keras.layers, layer)()
    close(made([x, x]), made([STEPS, STEPS]))


def lambda_takes_a_mask_function():
    """Lambda(mask=) sets the mask of its output"""
    layer = keras.layers.Lambda(lambda x: x, mask=lambda x, mask=None: x[:, :, 0] > 0)
    equal(_mask(layer(STEPS)), MASK, "mask")


def masks_are_not_lost_by_casts():
    """A mask survives the cast to a layer's dtype"""
    x = keras.layers.Masking()(STEPS)
    close(Shows(dtype="float16")(x), MASK.astype("float32"))


def masks_are_not_lost_by_casts_in_a_model():
    """A mask survives the cast to a mixed layer inside a model"""
    x = keras.Input((4, 3))
    y = Shows(dtype="mixed_bfloat16")(keras.layers.Masking(dtype="float32")(x))
    close(keras.Model(x, y)(STEPS), MASK.astype("float32"))


def masks_reach_call_arguments_by_name():
    """A layer with several tensors gets each one's mask by name"""
    seen = {}

    class Two(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, query, value, query_mask=None, value_mask=None):
            seen.update(query=query_mask, value=value_mask)
            return query

    Two()(keras.layers.Masking()(STEPS), STEPS)
    equal([seen["query"] is not None, seen["value"] is not None], [True, False], "masks")


def unsupporting_layers_end_masks():
    """A layer that does not support masking gives no mask"""

    class Plain(keras.layers.Layer):
        def call(self, x):
            return x * 2

    equal(_mask(Plain()(keras.layers.Masking()(STEPS))), None, "mask")


def compute_mask_is_asked():
    """A layer's own compute_mask sets the mask of its output"""

    class Other(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, x):
            return x[:, ::2]

        def compute_mask(self, x, mask=None):
            return mask[:, ::2]

    equal(_mask(Other()(keras.layers.Masking()(STEPS))), MASK[:, ::2], "mask")


def list_inputs_get_lists_of_masks():
    """A layer called with a list gets a list of masks"""
    seen = []

    class Takes(keras.layers.Layer):
        def call(self, xs, mask=None):
            seen.append(mask)
            return xs[0]

    Takes()([keras.layers.Masking()(STEPS), STEPS])
    true(isinstance(seen[0], (list, tuple)) and len(seen[0]) == 2, "it gets two masks, not %s" % (seen[0],))
    equal([mask is not None for mask in seen[0]], [True, False], "masks")


@each(
    layer=[
        "RNN([keras.layers.LSTMCell(2), keras.layers.LSTMCell(3)])",
        "RNN([keras.layers.GRUCell(2), keras.layers.SimpleRNNCell(3)])",
        "RNN([keras.layers.LSTMCell(2)], return_sequences=True)",
        "LSTM(2, go_backwards=True)",
        "LSTM(2, unroll=True)",
        "RNN(keras.layers.GRUCell(2), zero_output_for_mask=True, return_sequences=True)",
        "Bidirectional(keras.layers.GRU(2))",
    ]
)
def masked_rnn_equals_the_short_sequence(layer):
    """{layer} of a masked sequence ends as for the sequence cut short"""
    made = _made(layer)
    made(STEPS)
    given(made)
    full = np.asarray(array(made(STEPS, mask=MASK)))
    short = np.asarray(array(made(STEPS[:1, :2])))
    if "return_sequences" in layer:
        close(full[:1, :2], short)
        if "zero_output" in layer:
            close(full[:1, 2:], np.zeros_like(full[:1, 2:]), "masked steps")
    else:
        close(full[:1], short)


def masked_rnn_states_are_those_of_the_last_step():
    """LSTM(return_state=True) gives the state of the last unmasked step"""
    layer = given(keras.layers.LSTM(2, return_state=True))
    full = layer(STEPS, mask=MASK)
    short = layer(STEPS[:1, :2])
    for got, expected in zip(full, short):
        close(np.asarray(array(got))[:1], expected)


@each(layer=["Attention()", "AdditiveAttention()"])
def attention_ignores_masked_values(layer):
    """{layer} gives masked values no weight"""
    made = _made(layer)
    other = np.where(MASK[:, :, None], STEPS, 7.0).astype("float32")
    full = np.ones((2, 4), "bool")
    close(made([STEPS, other], mask=[full, MASK]), made([STEPS, STEPS], mask=[full, MASK]))


@each(layer=["MultiHeadAttention(2, 2)", "GroupQueryAttention(2, 2, 2)"])
def multi_head_attention_ignores_masked_values(layer):
    """{layer} gives values of a masked tensor no weight"""
    made = _made(layer)
    other = np.where(MASK[:, :, None], STEPS, 7.0).astype("float32")
    query = np.ones((2, 2, 3), "float32")
    close(made(query, other, value_mask=MASK), made(query, STEPS, value_mask=MASK))


def multi_head_attention_takes_the_mask_of_its_input():
    """MultiHeadAttention uses the masks that its tensors carry"""
    made = keras.layers.MultiHeadAttention(2, 2)
    query = np.ones((2, 2, 3), "float32")
    close(made(query, keras.layers.Masking()(STEPS)), made(query, STEPS, value_mask=MASK))


def time_distributed_computes_under_a_mask():
    """TimeDistributed of a masked input computes every step"""
    layer = keras.layers.TimeDistributed(keras.layers.Dense(2))
    close(layer(STEPS, mask=MASK), layer(STEPS))


def time_distributed_takes_masks_with_a_batch_size():
    """TimeDistributed with a fixed batch size takes a smaller masked batch"""
    x = keras.Input(batch_shape=(None, 4, 3))
    model = keras.Model(x, keras.layers.TimeDistributed(keras.layers.Dense(2))(keras.layers.Masking()(x)))
    equal(tuple(model.predict(np.concatenate([STEPS, STEPS[:1]]), batch_size=2, verbose=0).shape), (3, 4, 2), "shape")


def loss_is_masked():
    """A mask of the output takes part in the loss of compile"""
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), keras.layers.ReLU()])
    model.compile("sgd", "mse", run_eagerly=True)
    target = np.where(MASK[:, :, None], STEPS + 1, 50.0).astype("float32")
    close(model.test_on_batch(STEPS, target), 1.0 if _over_all() else MASK.mean(), "loss")


def _over_all():
    """Returns whether a masked loss is divided by the number of unmasked steps."""
    loss = keras.losses.MeanSquaredError()
    predicted = keras.ops.convert_to_tensor(STEPS)
    predicted = keras.layers.Masking()(predicted)
    return float(array(loss(STEPS + 1, predicted))) > 0.9


def batch_normalization_counts_unmasked_steps_only():
    """BatchNormalization normalises with the unmasked steps in training"""
    layer = keras.layers.BatchNormalization(epsilon=1e-6)
    found = np.asarray(array(layer(STEPS, training=True, mask=MASK)))
    rows = STEPS[MASK].astype("float64")
    expected = (STEPS - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-6)
    close(found[MASK], expected[MASK], tolerance=1e-3)


def models_compute_masks():
    """compute_mask of a Functional model gives its output's mask"""
    x = keras.Input((4, 3))
    model = keras.Model(x, keras.layers.ReLU()(x))
    found = model.compute_mask(STEPS, MASK)
    equal(None if found is None else array(found), MASK, "mask")
