"""Prints the sum over one large convolution's outputs: keras-team/keras#20804.

It differed between tensorflow and jax. The reporter's kernel was drawn without a seed and is not known. Here NumPy
draws it, so that every backend has the same. The script prints the reporter's sum (float32, added by NumPy), the sum in
float64, and the largest error of some outputs against exact values.
"""
# ruff: noqa: INP001, T201 - a script of a user, not of a package

import keras
import numpy as np

KERNEL, DILATION, CHANNELS = (4, 7), (3, 2), 1024
random = np.random.RandomState(0)
image = random.rand(1, 256, 256, CHANNELS).astype("float32")
bound = np.sqrt(6 / (2 * CHANNELS * KERNEL[0] * KERNEL[1]))  # Glorot's, Keras's default
kernel = random.uniform(-bound, bound, (*KERNEL, CHANNELS, CHANNELS)).astype("float32")

layer = keras.layers.Conv2D(CHANNELS, KERNEL, padding="same", dilation_rate=DILATION)
layer.build(image.shape)
layer.set_weights([kernel, np.zeros(CHANNELS, "float32")])
output = keras.ops.convert_to_numpy(layer(image))

# the largest error of 50 outputs, in units of 2**-24 times the sum of what was multiplied, without its signs
before = [(d * (k - 1)) // 2 for k, d in zip(KERNEL, DILATION, strict=True)]
after = [d * (k - 1) - b for k, d, b in zip(KERNEL, DILATION, before, strict=True)]
padded = np.pad(image[0], ((before[0], after[0]), (before[1], after[1]), (0, 0)))
worst = 0.0
for row, column, channel in random.randint(0, (256, 256, CHANNELS), (50, 3)):
    patch = padded[row : row + 10 : DILATION[0], column : column + 13 : DILATION[1]].astype("float64")
    products = patch * kernel[..., channel]
    error = abs(float(output[0, row, column, channel]) - products.sum())
    worst = max(worst, error / (2.0**-24 * np.abs(products).sum()))

print(f"input_sum={image.sum(dtype='float64'):.6f}")
print(f"sum_float32={np.sum(output)}")
print(f"sum_float64={output.sum(dtype='float64'):.4f}")
print(f"worst_error_u={worst:.2f}")
