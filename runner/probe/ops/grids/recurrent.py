"""Generates cases of recurrent layers, and of wrappers of them.

Cells x sequences, states, direction, masks, unrolling.
"""

from __future__ import annotations

import itertools

CELLS = (
    ("SimpleRNN", "simple_rnn", "", {"w": "0.5 * normal(3, 4)", "r": "0.5 * normal(4, 4, seed=1)", "b": "normal(4, seed=2)"}),
    ("LSTM", "lstm", "", {"w": "0.5 * normal(3, 16)", "r": "0.5 * normal(4, 16, seed=1)", "b": "normal(16, seed=2)"}),
    ("GRU", "gru", "", {"w": "0.5 * normal(3, 12)", "r": "0.5 * normal(4, 12, seed=1)", "b": "normal(2, 12, seed=2)"}),
    ("GRU", "gru", "reset_after=False", {"w": "0.5 * normal(3, 12)", "r": "0.5 * normal(4, 12, seed=1)", "b": "normal(12, seed=2)"}),
)  # fmt: skip

MASKS = {"m": "array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], 'bool')", "n": "array([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], 'bool')",
         "o": "array([[1, 0, 1, 0, 1], [0, 1, 1, 0, 0]], 'bool')"}  # fmt: skip


def add(add):
    """Adds the cases."""
    for layer, reference, extra, weights in CELLS:
        inputs = {
            "x": "normal(2, 5, 3, seed=5)",
            **weights,
            **MASKS,
            "h": "normal(2, 4, seed=6)",
            "c": "normal(2, 4, seed=7)",
        }
        _cell(add, layer, reference, extra, inputs)
    _wrappers(add)


def _call(layer, reference, ours, theirs, call="", extra=""):
    options = ", ".join(part for part in ("4", ours, extra) if part)
    refs = ", ".join(part for part in ("x, w, r, b", theirs, extra) if part)
    return "apply(layers.%s(%s), x, weights=[w, r, b]%s) ==> ref.%s(%s)" % (
        layer,
        options,
        call and ", " + call,
        reference,
        refs,
    )


def _cell(add, layer, reference, extra, inputs):
    modes = (
        ("", ""), ("return_sequences=True", "sequences=True"), ("return_state=True", "state=True"),
        ("return_sequences=True, go_backwards=True", "sequences=True, backwards=True"), ("go_backwards=True", "backwards=True"),
    )  # fmt: skip
    for (ours, theirs), mask in itertools.product(modes, ("", "m", "n", "o")):
        backwards, sequences = "backwards" in ours, "sequences" in ours
        if (mask == "n" and not sequences) or (mask == "m" and backwards and not sequences):
            continue
        call = "mask=%s" % mask if mask else ""
        refs = ", ".join(part for part in (theirs, call) if part)
        plain = ours in ("", "return_sequences=True")
        add(_call(layer, reference, ours, refs, call, extra), inputs, wrt=("x",) if plain and mask in ("", "o") else (),
            dynamic="xmno" if plain else "", symbolic=plain and mask in ("", "o"), family="recurrent")  # fmt: skip
    initial = {"LSTM": "[h, c]", "GRU": "[h]", "SimpleRNN": "[h]"}[layer]
    more = (
        ("", "initial=%s" % initial, "initial_state=%s" % initial),
        ("unroll=True, return_sequences=True", "sequences=True", ""),
        ("unroll=True", "mask=m", "mask=m"),
        ("unroll=True, return_sequences=True", "sequences=True, mask=o", "mask=o"),
    )
    for ours, theirs, call in more:
        add(_call(layer, reference, ours, theirs, call, extra), inputs, family="recurrent", symbolic=False)
    cell = ", ".join(part for part in ("4", extra) if part)
    truth = ", ".join(part for part in ("x, w, r, b, sequences=True", extra) if part)
    add(
        "apply(layers.RNN(layers.%sCell(%s), return_sequences=True), x, weights=[w, r, b]) ==> ref.%s(%s)"
        % (layer, cell, reference, truth),
        inputs, symbolic=False, family="recurrent",
    )  # fmt: skip
    if layer == "LSTM":
        add(
            _call(layer, reference, "use_bias=False", "")
            .replace("weights=[w, r, b]", "weights=[w, r]")
            .replace("w, r, b)", "w, r, np.zeros(16))"),
            inputs,
        )


def _wrappers(add):
    inputs = {
        "x": "normal(2, 5, 3, seed=5)", "w": "0.5 * normal(3, 16)", "r": "0.5 * normal(4, 16, seed=1)", "b": "normal(16, seed=2)",
        "v": "0.5 * normal(3, 16, seed=3)", "s": "0.5 * normal(4, 16, seed=4)", "c": "normal(16, seed=5)", **MASKS,
    }  # fmt: skip
    for merge, sequences in itertools.product(("concat", "sum", "ave", "mul"), (False, True)):
        for mask in ("", "m", "n"):
            if mask and (merge != "concat" or (mask == "n" and not sequences)):
                continue
            call = ", mask=%s" % mask if mask else ""
            add(
                "apply(layers.Bidirectional(layers.LSTM(4, return_sequences=%r), merge_mode=%r), x, weights=[w, r, b, v, s, c]%s)"
                " ==> ref.bidirectional(ref.lstm, x, (w, r, b), (v, s, c), %r, sequences=%r%s)" % (sequences, merge, call, merge, sequences, call),
                inputs, dynamic="xmn", symbolic=merge == "concat", family="recurrent",
            )  # fmt: skip
    add(
        "apply(layers.Bidirectional(layers.LSTM(4), merge_mode=None), x, weights=[w, r, b, v, s, c])"
        " ==> ref.bidirectional(ref.lstm, x, (w, r, b), (v, s, c), 'none')",
        inputs,
    )
    images = {"x": "normal(2, 3, 4, 4, 2)", "y": "normal(2, 4, 6, 2)"}
    add(
        """
        apply(layers.ConvLSTM2D(3, 3, padding="same"), x) ==> ?
        apply(layers.ConvLSTM2D(3, 2, return_sequences=True), x) ==> ?
        apply(layers.ConvLSTM1D(3, 3, padding="same", return_sequences=True), y) ==> ?
        """,
        images, dynamic="xy", family="recurrent",
    )  # fmt: skip
