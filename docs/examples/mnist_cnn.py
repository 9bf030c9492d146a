"""Trains a small convolutional network on MNIST: keras-team/keras#20713.

On torch it stayed below 90 %. The script needs mnist.npz in its folder: --mount mnist.npz, or
--mount other.npz:mnist.npz. Argument: epochs (4, as reported).
"""
# ruff: noqa: INP001, T201 - a script of a user, not of a package

import sys
import time

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
with np.load("mnist.npz") as digits:
    x, y, x_test, y_test = (digits[name] for name in ("x_train", "y_train", "x_test", "y_test"))
x, x_test = (images[..., None].astype("float32") / 255 for images in (x, x_test))

inputs = keras.Input((28, 28, 1))
hidden = inputs
for filters in (32, 64):
    hidden = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(hidden))
hidden = layers.Dense(128, activation="relu")(layers.Flatten()(hidden))
model = keras.Model(inputs, layers.Dense(10, activation="softmax")(hidden))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

began = time.time()
epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 4
history = model.fit(x, y, batch_size=64, epochs=epochs, validation_split=0.1, verbose=0)
curve = zip(history.history["loss"], history.history["val_accuracy"], strict=True)
for number, (loss, accuracy) in enumerate(curve, 1):
    print(f"epoch {number}: loss {loss:.4f}, validation accuracy {accuracy:.4f}")
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"images={len(x)}")
print(f"test_accuracy={accuracy:.4f}")
print(f"fit_s={time.time() - began:.1f}")
