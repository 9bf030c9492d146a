"""Prints the versions of a cell and trains a small Keras model in it.

It stands in for the script of a bug report that has none.
"""

import keras
import numpy as np

data = np.random.default_rng(0)
inputs, labels = data.random((256, 8), dtype="float32"), data.integers(0, 2, 256)
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(2)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(inputs, labels, epochs=2, verbose=0)
print(f"keras={keras.__version__} backend={keras.backend.backend()} numpy={np.__version__}")  # noqa: T201
print(f"loss={history.history['loss'][-1]:.6f}")  # noqa: T201
