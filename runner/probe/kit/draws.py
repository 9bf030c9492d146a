"""Draws weights and the order of batches with NumPy, alike for every cell."""

import hashlib
import math

REPEATED_STEPS = 10
"""How many controlled steps are taken twice, to see whether the cell agrees with itself."""


FRESH_STARTS, FRESH_STEPS = 8, 4
"""How often the controlled training starts again from other weights, and how many steps it takes each time.

A value at the kink of a ReLU, or a tie in a maximum, makes two healthy cells diverge. It happens in few of the
starts; other arithmetic shows in all of them."""


def stream(seed, start):
    """Returns the seed of the ``RandomState`` that a start's weights are drawn from."""
    return [seed, 0, start] if start else [seed, 0]


def initial_weights(shapes, seed, start=0):
    """Returns Glorot-uniform float32 kernels and zero biases for ``shapes``.

    They are the same on every machine, and others for every ``start``. They are drawn from ``RandomState``, whose
    streams NumPy has frozen, unlike the Generator's. They are uniform, since normal deviates pass through the
    platform's logarithm.
    """
    import numpy as np

    random = np.random.RandomState(stream(seed, start))
    weights = []
    for shape in shapes:
        if len(shape) == 1:
            weights.append(np.zeros(shape, "float32"))
            continue
        field = int(np.prod(shape[:-2]))  # 1 for a dense kernel
        limit = math.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
        weights.append(((2 * random.random_sample(shape) - 1) * limit).astype("float32"))
    return weights


def batch_order(samples, batch, epochs, seed):
    """Returns the index arrays of the full batches of all epochs.

    What does not fill a batch is left out, and with it a second shape to compile for.
    """
    import numpy as np

    random = np.random.RandomState([seed, 1])
    orders = (random.permutation(samples) for _ in range(epochs))
    return [order[start : start + batch] for order in orders for start in range(0, samples - batch + 1, batch)]


def fresh_batches(batches, start):
    """Returns the batches of one fresh start (1, 2, ...).

    They are the next ones in order, from the front again at the end.
    """
    first = (start - 1) * FRESH_STEPS
    return [batches[(first + step) % len(batches)] for step in range(FRESH_STEPS)]


def digest(arrays):
    """Returns the sha256 over the bit patterns of the arrays, shapes included."""
    import numpy as np

    found = hashlib.sha256()
    for array in arrays:
        found.update(repr((array.shape, array.dtype.str)).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
