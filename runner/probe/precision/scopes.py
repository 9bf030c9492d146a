"""Layers that compute in half precision: what they assign and return."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, numbers

THIRDS = np.array([1 / 3, 2 / 3, 1e-3], "float32")


@each(policy=["mixed_float16", "mixed_bfloat16"], how=["assign", "assign_add", "assign_sub"])
def assigned_values_keep_the_variables_precision(policy, how):
    """A layer of {policy} that calls {how} stores float32, not what it computes in"""

    class Notes(keras.layers.Layer):
        def build(self, shape):
            self.note = self.add_weight(shape=(3,), initializer="zeros", trainable=False)

        def call(self, x):
            getattr(self.note, how)(-THIRDS if how == "assign_sub" else THIRDS)
            return x

    layer = Notes(dtype=policy)
    layer(numbers(2, 3))
    equal(keras.backend.standardize_dtype(layer.note.value.dtype), "float32", "the stored type")
    if how == "assign":
        equal(array(layer.note), THIRDS, "the stored numbers")
    close(array(layer.note), THIRDS, "the stored numbers", 1e-2)


@each(policy=["mixed_float16", "mixed_bfloat16"], kind=["float32", "int32"])
def variables_may_be_made_by_a_value(policy, kind):
    """A variable made inside a layer of {policy} keeps its own type {kind}"""

    class Makes(keras.layers.Layer):
        def build(self, shape):
            self.note = self.add_weight(shape=(3,), initializer="ones", dtype=kind, trainable=False)

        def call(self, x):
            self.note.assign(keras.ops.convert_to_tensor(np.array([1, 2, 3], kind)))
            return x

    layer = Makes(dtype=policy)
    layer(numbers(2, 3))
    equal(keras.backend.standardize_dtype(layer.note.value.dtype), kind, "the stored type")
    equal(array(layer.note), np.array([1, 2, 3], kind), "the stored numbers")


@each(policy=["float16", "bfloat16"])
def group_normalization_gives_its_type(policy):
    """GroupNormalization(dtype={policy}) gives {policy}, also where it casts no input"""
    for options in ({}, {"autocast": False}):
        found = keras.layers.GroupNormalization(2, dtype=policy, **options)(keras.ops.convert_to_tensor(numbers(2, 4)))
        equal(keras.backend.standardize_dtype(found.dtype), policy, "the type of the output, %s" % options)
