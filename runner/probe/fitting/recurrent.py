"""Recurrent layers in every form and through fit, against NumPy in float64."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true

_LAYERS = ["SimpleRNN", "LSTM", "GRU"]
_X = numbers(2, 4, 3, seed=1)
_MASK = np.array([[1, 1, 0, 0], [1, 0, 1, 1]], bool)
_Y = numbers(2, 2, seed=2)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _step(layer, weights, x, state):
    """Returns the new state of one step; its first part is the output."""
    kernel, recurrent, bias = weights
    h = state[0]
    if layer == "SimpleRNN":
        return [np.tanh(x @ kernel + h @ recurrent + bias)]
    if layer == "LSTM":
        i, f, c, o = np.split(x @ kernel + h @ recurrent + bias, 4, -1)
        carry = _sigmoid(f) * state[1] + _sigmoid(i) * np.tanh(c)
        return [_sigmoid(o) * np.tanh(carry), carry]
    own, theirs = (bias[0], bias[1]) if bias.ndim == 2 else (bias, 0 * bias)
    xz, xr, xh = np.split(x @ kernel + own, 3, -1)
    kz, kr, kh = np.split(recurrent, 3, -1)
    bz, br, bh = np.split(theirs, 3, -1)
    z, r = _sigmoid(xz + h @ kz + bz), _sigmoid(xr + h @ kr + br)
    candidate = np.tanh(xh + (r * (h @ kh + bh) if bias.ndim == 2 else (r * h) @ kh))
    return [z * h + (1 - z) * candidate]


def _rnn(layer, weights, x, mask=None, backwards=False, state=None):
    """Returns the outputs in the order of the steps run, and the last state."""
    units = weights[1].shape[0]
    state = [np.zeros((len(x), units))] * (2 if layer == "LSTM" else 1) if state is None else state
    outputs, shown = [], np.zeros((len(x), units))
    for place in range(x.shape[1])[:: -1 if backwards else 1]:
        new = _step(layer, weights, x[:, place].astype("float64"), state)
        kept = np.ones((len(x), 1), bool) if mask is None else mask[:, place, None]
        state = [np.where(kept, a, b) for a, b in zip(new, state)]
        shown = np.where(kept, new[0], shown)
        outputs.append(shown)
    return np.stack(outputs, 1), state


def _weights(layer):
    return [w.astype("float64") for w in layer.get_weights()]


def _made(layer, **options):
    """Returns a layer of two units with fixed weights."""
    made = getattr(keras.layers, layer)(2, **options)
    made.build((2, 4, 3))
    return given(made)


@each(layer=_LAYERS, backwards=[0, 1], unroll=[0, 1], masked=[0, 1])
def rnn_equals_numpy(layer, backwards, unroll, masked):
    """{layer}(go_backwards={backwards}, unroll={unroll}), masked: {masked}"""
    made = _made(layer, go_backwards=bool(backwards), unroll=bool(unroll), return_state=True, return_sequences=True)
    mask = _MASK if masked else None
    outputs, state = _rnn(layer, _weights(made), _X, mask, backwards)
    found = made(_X, mask=None if mask is None else keras.ops.convert_to_tensor(mask))
    close(found[0], outputs, "the outputs")
    for place, expected in enumerate(state):
        close(found[1 + place], expected, "state %d" % place)


@each(layer=_LAYERS, masked=[0, 1])
def rnn_gives_the_last_output(layer, masked):
    """{layer} without return_sequences gives the last output, masked: {masked}"""
    made, mask = _made(layer), _MASK if masked else None
    outputs, _ = _rnn(layer, _weights(made), _X, mask)
    close(made(_X, mask=None if mask is None else keras.ops.convert_to_tensor(mask)), outputs[:, -1])


@each(layer=_LAYERS, unroll=[0, 1])
def rnn_fills_masked_outputs_with_zeros(layer, unroll):
    """{layer}(zero_output_for_mask=True, unroll={unroll}) gives 0 at masked steps"""
    made = _made(layer, zero_output_for_mask=True, return_sequences=True, unroll=bool(unroll))
    outputs, _ = _rnn(layer, _weights(made), _X, _MASK)
    found = made(_X, mask=keras.ops.convert_to_tensor(_MASK))
    close(found, outputs * _MASK[..., None])


@each(layer=_LAYERS)
def rnn_starts_from_a_state(layer):
    """{layer} called with initial_state starts from it"""
    made = _made(layer, return_state=True)
    start = [numbers(2, 2, seed=5 + i) for i in range(2 if layer == "LSTM" else 1)]
    outputs, state = _rnn(layer, _weights(made), _X, state=[s.astype("float64") for s in start])
    found = made(_X, initial_state=[keras.ops.convert_to_tensor(s) for s in start])
    close(found[0], outputs[:, -1], "the output")
    close(found[-1], state[-1], "the last state")


@each(layer=_LAYERS)
def rnn_carries_its_state(layer):
    """a stateful {layer} goes on where it stopped, and reset_state begins again"""
    made = _made(layer, stateful=True)
    weights = _weights(made)
    first, state = _rnn(layer, weights, _X)
    second, _ = _rnn(layer, weights, _X[:, ::-1], state=state)
    close(made(_X), first[:, -1], "the first call")
    close(made(_X[:, ::-1].copy()), second[:, -1], "the second call")
    (made.reset_state if hasattr(made, "reset_state") else made.reset_states)()
    close(made(_X), first[:, -1], "after reset")


@each(layer=_LAYERS)
def stateful_rnn_carries_its_state_through_predict(layer):
    """predict of a stateful {layer} carries the state from batch to batch"""
    made = getattr(keras.layers, layer)(2, stateful=True)
    model = given(keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), made]))
    weights = _weights(made)
    first, state = _rnn(layer, weights, _X)
    second, _ = _rnn(layer, weights, _X, state=state)
    found = model.predict(np.concatenate([_X, _X]), batch_size=2, verbose=0)
    close(found, np.concatenate([first[:, -1], second[:, -1]]))


@each(layer=_LAYERS)
def rnn_seeds_and_noise_are_off_in_inference(layer):
    """{layer} with dropout computes without it in inference, and with it in training"""
    made = _made(layer, dropout=0.5, recurrent_dropout=0.5, seed=3)
    outputs, _ = _rnn(layer, _weights(made), _X)
    close(made(_X, training=False), outputs[:, -1], "in inference")
    a, b = array(made(_X, training=True)), array(made(_X, training=True))
    true(not np.allclose(a, outputs[:, -1]), "dropout changes the output in training")
    true(not np.allclose(a, b), "two calls in training draw other masks")


@each(layer=_LAYERS, unroll=[0, 1])
def cell_inside_rnn_equals_the_layer(layer, unroll):
    """RNN({layer}Cell) computes what {layer} does, masked, unroll={unroll}"""
    made = _made(layer)
    other = keras.layers.RNN(getattr(keras.layers, layer + "Cell")(2), unroll=bool(unroll))
    other.build((None, 4, 3))
    other.set_weights(made.get_weights())
    mask = keras.ops.convert_to_tensor(_MASK)
    close(other(_X, mask=mask), _rnn(layer, _weights(made), _X, _MASK)[0][:, -1])


@each(masked=[0, 1], unroll=[0, 1], sequences=[0, 1])
def stacked_cells_equal_numpy(masked, unroll, sequences):
    """RNN of an LSTM and a GRU cell equals NumPy, masked: {masked}, unroll: {unroll}"""
    made = keras.layers.RNN([keras.layers.LSTMCell(2), keras.layers.GRUCell(2)], unroll=bool(unroll),
                            return_sequences=bool(sequences))  # fmt: skip
    made.build((None, 4, 3))
    weights, mask = _weights(given(made)), _MASK if masked else None
    lower = [np.zeros((2, 2))] * 2
    upper, outputs, shown = [np.zeros((2, 2))], [], np.zeros((2, 2))
    for place in range(4):
        kept = np.ones((2, 1), bool) if mask is None else mask[:, place, None]
        new = _step("LSTM", weights[:3], _X[:, place].astype("float64"), lower)
        top = _step("GRU", weights[3:], new[0], upper)
        lower = [np.where(kept, a, b) for a, b in zip(new, lower)]
        upper = [np.where(kept, a, b) for a, b in zip(top, upper)]
        shown = np.where(kept, top[0], shown)
        outputs.append(shown)
    found = made(_X, mask=None if mask is None else keras.ops.convert_to_tensor(mask))
    close(found, np.stack(outputs, 1) if sequences else outputs[-1])


@each(layer=_LAYERS, merge=["concat", "sum", "mul", "ave", "None"], sequences=[0, 1])
def bidirectional_equals_numpy(layer, merge, sequences):
    """Bidirectional({layer}, merge_mode={merge}), sequences: {sequences}, masked"""
    if layer != "LSTM" and merge != "concat":
        return
    merge = None if merge == "None" else merge
    inner = getattr(keras.layers, layer)(2, return_sequences=bool(sequences))
    made = keras.layers.Bidirectional(inner, merge_mode=merge)
    made.build((None, 4, 3))
    weights = _weights(given(made))
    a = _rnn(layer, weights[:3], _X, _MASK)[0]
    b = _rnn(layer, weights[3:], _X, _MASK, True)[0]
    # what a sequence has at masked steps is not compared
    kept = _MASK[..., None] if sequences else 1.0
    a, b = (a * kept, b[:, ::-1] * kept) if sequences else (a[:, -1], b[:, -1])
    expected = {"concat": lambda: np.concatenate([a, b], -1), "sum": lambda: a + b, "mul": lambda: a * b,
                "ave": lambda: (a + b) / 2, None: lambda: [a, b]}[merge]()  # fmt: skip
    found = made(_X, mask=keras.ops.convert_to_tensor(_MASK))
    close([array(f) * kept for f in found] if merge is None else array(found) * kept, expected)


@each(layer=_LAYERS, sequences=[0, 1])
def bidirectional_returns_its_states(layer, sequences):
    """Bidirectional({layer}, return_state=True) gives the states of both"""
    inner = getattr(keras.layers, layer)(2, return_state=True, return_sequences=bool(sequences))
    made = keras.layers.Bidirectional(inner)
    made.build((None, 4, 3))
    weights = _weights(given(made))
    a, s = _rnn(layer, weights[:3], _X)
    b, t = _rnn(layer, weights[3:], _X, None, True)
    a, b = (a, b[:, ::-1]) if sequences else (a[:, -1], b[:, -1])
    found = made(_X)
    equal(len(found), 1 + len(s + t), "how many results")
    close(found[0], np.concatenate([a, b], -1), "the output")
    close(list(found[1:]), s + t, "the states")
    symbolic = made(keras.Input((4, 3)))
    equal([tuple(k.shape)[1:] for k in symbolic], [tuple(k.shape)[1:] for k in found], "shapes of symbolic results")
    made(_X, initial_state=[keras.ops.convert_to_tensor(np.float32(k)) for k in s + t])


@each(layer=_LAYERS)
def bidirectional_takes_a_backward_layer(layer):
    """Bidirectional(backward_layer=...) uses it, and refuses a forward one"""
    made = getattr(keras.layers, layer)
    both = keras.layers.Bidirectional(made(2, name="there"), backward_layer=made(3, go_backwards=True, name="back"))
    equal(tuple(both(_X).shape), (2, 5), "the shape of the output")
    refuses(lambda: keras.layers.Bidirectional(made(2), backward_layer=made(2)), "a backward layer that goes forward")


@each(layer=["Dense", "Conv1D", "LayerNormalization"], masked=[0, 1])
def time_distributed_equals_each_step(layer, masked):
    """TimeDistributed({layer}) of five steps computes each step, masked: {masked}"""
    inner = {"Dense": lambda: keras.layers.Dense(2), "Conv1D": lambda: keras.layers.Conv1D(2, 2)}.get(
        layer, getattr(keras.layers, layer)
    )()
    made = keras.layers.TimeDistributed(inner)
    x = numbers(3, 5, 4, 3, seed=4)
    made.build((None, 5, 4, 3))
    given(made)
    expected = np.stack([array(inner(x[:, i], training=False)) for i in range(5)], 1)
    mask = keras.ops.convert_to_tensor(np.arange(15).reshape(3, 5) % 4 > 0) if masked else None
    if masked:
        model = keras.Sequential([keras.Input((5, 4, 3)), made])
        close(made(x, mask=mask, training=False), expected, "the call")
        close(model.predict(x, batch_size=2, verbose=0), expected, "predict with a short last batch")
    else:
        close(made(x, training=False), expected)


def time_distributed_masks_through_predict():
    """TimeDistributed after Masking takes a short last batch in predict and fit"""
    x = numbers(5, 4, 3, seed=4)
    x[1, 2:] = 0.0
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), keras.layers.TimeDistributed(
        keras.layers.Dense(2)), keras.layers.LSTM(2)])  # fmt: skip
    model.compile("sgd", "mse")
    equal(model.predict(x, batch_size=2, verbose=0).shape, (5, 2), "the shape predicted")
    model.fit(x, numbers(5, 2), batch_size=2, verbose=0)


@each(layer=["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"])
def conv_lstm_of_one_pixel_is_an_lstm(layer):
    """{layer} with kernels of size 1 computes an LSTM at every place"""
    rank = int(layer[-2])
    made = getattr(keras.layers, layer)(2, 1, recurrent_activation="sigmoid", return_sequences=True)
    x = numbers(2, 3, *([2] * rank), 3, seed=7)
    made.build(x.shape)
    weights = [w.reshape(w.shape[rank:]) if w.ndim > 1 else w for w in _weights(given(made))]
    flat = np.moveaxis(x.reshape(2, 3, -1, 3), 1, 2).reshape(-1, 3, 3)
    expected = _rnn("LSTM", weights, flat)[0].reshape(2, -1, 3, 2)
    close(made(x), np.moveaxis(expected, 2, 1).reshape(2, 3, *([2] * rank), 2))


@each(layer=_LAYERS)
def rnn_tells_its_shapes(layer):
    """{layer} with every return option computes the shapes of its results"""
    for options in ({}, {"return_sequences": True}, {"return_state": True},
                    {"return_sequences": True, "return_state": True}):  # fmt: skip
        made = _made(layer, **options)
        found, symbolic = made(_X), made(keras.Input((4, 3)))
        found, symbolic = (list(f) if isinstance(f, (list, tuple)) else [f] for f in (found, symbolic))
        equal([(None, *k.shape[1:]) for k in symbolic], [(None, *k.shape[1:]) for k in found], "with %s" % options)


def _sizes(value):
    """Returns nested tensors, or nested shapes, as nested lists of sizes."""
    if hasattr(value, "shape"):
        return [None if n is None else int(n) for n in value.shape]
    return [n if n is None or isinstance(n, int) else _sizes(n) for n in value]


@each(cells=["LSTM", "GRU", "SimpleRNN", "LSTM LSTM", "GRU LSTM", "SimpleRNN GRU"])
def rnn_of_cells_tells_the_shapes_of_its_states(cells):
    """RNN of {cells} cells computes the shapes of its outputs and states"""
    made = [getattr(keras.layers, name + "Cell")(2 + place) for place, name in enumerate(cells.split())]
    layer = keras.layers.RNN(made if len(made) > 1 else made[0], return_state=True, return_sequences=True)
    found = _sizes(layer(_X))
    equal(_sizes(layer.compute_output_shape(_X.shape)), found, "compute_output_shape")
    equal(_sizes(layer(keras.Input(batch_shape=_X.shape))), found, "the symbolic call")


@each(layer=_LAYERS)
def stateful_rnn_refuses_another_batch_size(layer):
    """a stateful {layer} built for two samples refuses three, in words"""
    made = _made(layer, stateful=True)
    made(_X)
    text = refuses(lambda: made(numbers(3, 4, 3)), "three samples", errors=(Exception,))
    true("batch" in text.lower(), "the message names the batch size (it is: %s)" % text[:120])


def _fit_step(model, x, y, rate=0.5, **options):
    """Trains two steps of SGD on one batch; returns the losses and the weights."""
    model.compile(keras.optimizers.SGD(rate), "mse")
    history = model.fit(x, y, batch_size=len(x), epochs=2, shuffle=False, verbose=0, **options)
    return history.history["loss"], model.get_weights()


def _descend(outputs, weights, y, rate=0.5):
    """Returns what ``_fit_step`` should, from central differences in float64."""
    losses = []
    for _ in range(2):
        losses.append(np.mean((outputs(weights) - y) ** 2))
        new = [w.copy() for w in weights]
        for part, w in enumerate(weights):
            for place in np.ndindex(w.shape):
                kept, found = w[place], []
                for moved in (kept + 1e-5, kept - 1e-5):
                    w[place] = moved
                    found.append(np.mean((outputs(weights) - y) ** 2))
                w[place] = kept
                new[part][place] -= rate * (found[0] - found[1]) / 2e-5
        weights = new
    return losses, weights


@each(layer=_LAYERS, how=["plain", "masked", "backwards", "unrolled"])
def fit_of_an_rnn_equals_numpy(layer, how):
    """two steps of fit with {layer}, {how}, give the losses and weights of NumPy"""
    if layer == "SimpleRNN" and how in ("backwards", "unrolled"):
        return
    options = {"backwards": {"go_backwards": True}, "unrolled": {"unroll": True}}.get(how, {})
    x, front = _X.copy(), []
    if how == "masked":
        x[~_MASK] = 0.0
        front = [keras.layers.Masking()]
    made = getattr(keras.layers, layer)(2, **options)
    model = given(keras.Sequential([keras.Input((4, 3)), *front, made]))
    mask = _MASK if how == "masked" else None
    start = _weights(model)
    losses, weights = _descend(lambda w: _rnn(layer, w, x, mask, how == "backwards")[0][:, -1], start, _Y)
    found = _fit_step(model, x, _Y)
    close(found[0], losses, "the losses", tolerance=1e-4)
    close(found[1], weights, "weight", tolerance=1e-4)


@each(layer=["LSTM", "GRU"])
def fit_of_bidirectional_equals_numpy(layer):
    """two steps of fit with a masked Bidirectional({layer}) give the weights of NumPy"""
    x = _X.copy()
    x[~_MASK] = 0.0
    made = keras.layers.Bidirectional(getattr(keras.layers, layer)(2), merge_mode="sum")
    model = given(keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), made]))
    start = _weights(model)

    def outputs(w):
        return _rnn(layer, w[:3], x, _MASK)[0][:, -1] + _rnn(layer, w[3:], x, _MASK, True)[0][:, -1]

    losses, weights = _descend(outputs, start, _Y)
    found = _fit_step(model, x, _Y)
    close(found[0], losses, "the losses", tolerance=1e-4)
    close(found[1], weights, "weight", tolerance=1e-4)


def fit_of_steps_equals_numpy():
    """fit of masked sequences with return_sequences counts unmasked steps only"""
    x, y = _X.copy(), numbers(2, 4, 2, seed=3)
    x[~_MASK] = 0.0
    made = keras.layers.GRU(2, return_sequences=True)
    model = given(keras.Sequential([keras.Input((4, 3)), keras.layers.Masking(), made]))
    outputs, _ = _rnn("GRU", _weights(model), x, _MASK)
    losses, _ = _fit_step(model, x, y)
    close(losses[0], np.mean(np.mean((outputs - y) ** 2, -1)[_MASK]), "the first loss", tolerance=1e-4)


@each(layer=_LAYERS)
def fit_of_a_stateful_rnn_equals_numpy(layer):
    """fit with a stateful {layer} carries the state from batch to batch"""
    made = getattr(keras.layers, layer)(2, stateful=True)
    model = given(keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), made]))
    weights = _weights(model)
    first, state = _rnn(layer, weights, _X)
    second, _ = _rnn(layer, weights, _X, state=state)
    expected = np.mean([np.mean((o[:, -1] - _Y) ** 2) for o in (first, second)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = np.concatenate([_X, _X]), np.concatenate([_Y, _Y])
    loss = model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history["loss"][0]
    close(loss, expected, "the loss of two batches", tolerance=1e-4)
    close(made.states[0] if isinstance(made.states, (list, tuple)) else made.states,
          _rnn(layer, weights, _X, state=state)[1][0], "the state after fit", tolerance=1e-4)  # fmt: skip


@each(layer=_LAYERS)
def rnn_settings_come_back(layer):
    """{layer} with every option set comes back from its config"""
    options = {"units": 2, "activation": "relu", "use_bias": False, "dropout": 0.1, "recurrent_dropout": 0.2,
               "return_sequences": True, "return_state": True, "go_backwards": True, "stateful": True,
               "unroll": True, "kernel_regularizer": "l2", "recurrent_initializer": "zeros", "seed": 3,
               "bias_constraint": "non_neg"}  # fmt: skip
    made = getattr(keras.layers, layer)(**options)
    config = made.__class__.from_config(made.get_config()).get_config()
    for key in ("units", "activation", "use_bias", "dropout", "recurrent_dropout", "return_sequences",
                "return_state", "go_backwards", "stateful", "unroll", "seed"):  # fmt: skip
        equal(config.get(key), options[key], key)


@each(layer=["LSTM", "GRU"], option=["use_cudnn", "dropout", "unroll", "zero_output_for_mask"], again=[0, 1])
def bidirectional_keeps_settings(layer, option, again):
    """Bidirectional({layer}) keeps {option} on both sides, from its config: {again}"""
    value = {"use_cudnn": False, "dropout": 0.2, "unroll": True, "zero_output_for_mask": True}[option]
    need("keras.layers.LSTM(use_cudnn)")
    inner = getattr(keras.layers, layer)(2, return_sequences=True, **{option: value})
    made = keras.layers.Bidirectional(inner)
    made = keras.layers.Bidirectional.from_config(made.get_config()) if again else made
    for side in (made.forward_layer, made.backward_layer):
        equal(getattr(side, option), value, "%s of %s" % (option, side.name.split("_")[0]))


def gru_without_reset_after_equals_numpy():
    """GRU(reset_after=False) resets before the product, masked"""
    made = _made("GRU", reset_after=False, return_sequences=True)
    close(made(_X, mask=keras.ops.convert_to_tensor(_MASK)), _rnn("GRU", _weights(made), _X, _MASK)[0])


def lstm_adds_one_to_its_forget_bias():
    """LSTM(unit_forget_bias=True) starts with forget biases of one, all others zero"""
    made = keras.layers.LSTM(2)
    made.build((None, 4, 3))
    equal(array(made.get_weights()[2]).tolist(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], "the bias")


@each(layer=_LAYERS)
def rnn_of_one_step_and_one_sample(layer):
    """{layer} takes sequences of one step, and one sample"""
    made = _made(layer, return_sequences=True)
    x = _X[:1, :1]
    close(made(x), _rnn(layer, _weights(made), x)[0])


@each(layer=_LAYERS)
def rnn_takes_sequences_of_any_length(layer):
    """a model with {layer} and Input((None, 3)) predicts sequences of two lengths"""
    made = getattr(keras.layers, layer)(2)
    model = given(keras.Sequential([keras.Input((None, 3)), made]))
    for steps in (4, 2):
        close(model.predict(_X[:, :steps], verbose=0), _rnn(layer, _weights(made), _X[:, :steps])[0][:, -1])


def rnn_takes_a_custom_cell():
    """RNN takes a cell class of two states with its own step"""

    class Sum(keras.layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.state_size, self.output_size = [3, 3], 3

        def call(self, inputs, states, training=False):
            return states[0] + inputs, [states[0] + inputs, states[1] + 1.0]

        def get_initial_state(self, batch_size=None):
            return [keras.ops.zeros((batch_size, 3)), keras.ops.ones((batch_size, 3))]

    found = keras.layers.RNN(Sum(), return_state=True)(_X)
    close(found[0], _X.sum(1), "the output")
    close(found[2], np.full((2, 3), 5.0), "the second state")


def encoder_and_decoder_share_states():
    """a decoder that starts from an encoder's states trains through fit"""
    source, target = keras.Input((None, 3)), keras.Input((None, 3))
    _, *states = keras.layers.LSTM(2, return_state=True)(source)
    outputs = keras.layers.LSTM(2, return_sequences=True)(target, initial_state=states)
    model = given(keras.Model([source, target], outputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    weights = _weights(model)
    _, state = _rnn("LSTM", weights[:3], _X)
    expected = _rnn("LSTM", weights[3:], _X[:, ::-1], state=state)[0]
    close(model.predict([_X, _X[:, ::-1]], verbose=0), expected, "the prediction")
    y = numbers(2, 4, 2, seed=3)
    losses = model.fit([_X, _X[:, ::-1]], y, epochs=2, verbose=0).history["loss"]
    close(losses[0], np.mean((expected - y) ** 2), "the first loss")
    true(losses[1] < losses[0], "the loss decreases")
