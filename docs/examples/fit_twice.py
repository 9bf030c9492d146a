"""Trains one network as Sequential and as a subclass: keras-team/keras#20577.

On jax their losses differed. Both begin with the same weights and see the same data. The seed is set once before both,
then before each.
"""
# ruff: noqa: INP001, T201 - a script of a user, not of a package

import keras
import numpy as np


class Subclassed(keras.Model):
    """The same two layers."""

    def __init__(self):
        super().__init__()
        self.steps = make_layers()

    def call(self, inputs):
        for step in self.steps:
            inputs = step(inputs)
        return inputs


def make_layers():
    return [keras.layers.Conv1D(4, 3, padding="same", activation="relu"), keras.layers.Conv1D(1, 3, padding="same")]


def loss(model, *, seed=None, shuffle=True):
    model(x[:1])
    for weights in model.weights:
        weights.assign(np.random.RandomState(7).uniform(-0.3, 0.3, weights.shape).astype("float32"))
    model.compile("adam", "mse")
    if seed is not None:
        keras.utils.set_random_seed(seed)
    return model.fit(x, y, batch_size=8, epochs=3, shuffle=shuffle, verbose=0).history["loss"][-1]


data = np.random.RandomState(1)
x, y = data.rand(64, 16, 1).astype("float32"), data.rand(64, 16, 1).astype("float32")
keras.utils.set_random_seed(1)
ways = {"seeded_once": {}, "seeded_before_each": {"seed": 1}, "not_shuffled": {"shuffle": False}}
for name, how in ways.items():
    losses = [loss(model, **how) for model in (keras.Sequential(make_layers()), Subclassed())]
    print(f"{name}: sequential {losses[0]:.9f}, subclassed {losses[1]:.9f}")
    print(f"{name}_differ={losses[0] != losses[1]}")
