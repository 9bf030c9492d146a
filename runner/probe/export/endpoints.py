"""Exported models that draw, and endpoints that are called by name."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.prelude import array, close, equal, given, need, numbers, true


class Noisy(keras.layers.Layer):
    """Adds a number from 0 to 1 to each input, also at inference."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(5)

    def call(self, x):
        return x + keras.random.uniform(keras.ops.shape(x), seed=self.seed_generator)


def _loaded():
    """Returns what TensorFlow loads from ``it``."""
    return need("tensorflow").saved_model.load("it")


def _can_export():
    if keras.backend.backend() not in ("tensorflow", "jax"):
        need("keras.Model.export(as a SavedModel only with tensorflow and jax)")
    need("tensorflow")


def a_drawing_model_is_exported():
    """A model that draws at inference is exported, and what it serves draws"""
    _can_export()
    model = keras.Sequential([keras.Input((6,), batch_size=3), Noisy()])
    data = numbers(3, 6)
    model(data)
    model.export("it")
    loaded = _loaded()
    found = np.asarray(loaded.serve(data)) - data
    equal(found.shape, (3, 6), "the shape")
    true(bool(((found >= -1e-6) & (found <= 1 + 1e-6)).all()), "each number is moved by 0 to 1")
    true(bool(np.ptp(found) > 0.01), "the numbers are moved by different amounts")


def an_endpoint_keeps_the_names_of_its_arguments():
    """ExportArchive's endpoint of a layer is called by the names of its arguments"""
    _can_export()
    tf = need("tensorflow")
    archive = need("keras.export.ExportArchive")()
    layer = keras.layers.MultiHeadAttention(2, 2)
    query, value = numbers(2, 3, 4), numbers(2, 5, 4, seed=1)
    layer(query, value)
    given(layer)
    archive.track(layer)
    shapes = [tf.TensorSpec((2, 3, 4), "float32"), tf.TensorSpec((2, 5, 4), "float32")]
    archive.add_endpoint("call", layer.call, input_signature=shapes)
    archive.write_out("it")
    loaded = _loaded()
    close(np.asarray(loaded.call(query=query, value=value)), array(layer(query, value)))
