"""Copies of models."""

from __future__ import annotations

import keras

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers


def _shared():
    """Returns a Functional model in which one layer is used twice."""
    x = keras.Input((3,), name="x")
    y = keras.Input((3,), name="y")
    dense = keras.layers.Dense(4, activation="relu", name="shared")
    return given(keras.Model([x, y], keras.layers.Add(name="sum")([dense(x), dense(y)])))


def clone_keeps_sharing():
    """clone_model keeps a layer that is used twice as one layer"""
    clone = keras.models.clone_model(_shared())
    equal([layer.name for layer in clone.layers].count("shared"), 1, "layers of that name")
    equal(len(clone.weights), 2, "weights")


def clone_computes_the_same():
    """clone_model with the same weights gives the same output"""
    model = _shared()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    data = [numbers(2, 3), numbers(2, 3, seed=1)]
    close(clone(data), model(data))


@each(recursive=[True, False])
def clone_function_sees_every_layer(recursive):
    """clone_model(recursive={recursive}) hands its function the layers"""
    need("keras.models.clone_model(recursive)")
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="inner_dense")], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1, name="outer_dense")])
    seen = []

    def note(layer):
        seen.append(layer.name)
        return layer.__class__.from_config(layer.get_config())

    keras.models.clone_model(model, clone_function=note, recursive=recursive)
    equal("inner_dense" in seen, recursive, "whether it sees the layer inside")
    equal("outer_dense" in seen, True, "whether it sees the outer layer")
