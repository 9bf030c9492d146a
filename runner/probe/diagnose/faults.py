"""Defines cells that are wrong on purpose, to test the verdicts of the ladder."""

from __future__ import annotations

FAULTS = {
    "biased-init": "biases start at 0.5",
    "sorted-batches": "fit takes the samples by label, unshuffled",
    "unscaled-dropout": "dropout does not scale what it keeps",
    "adam-epsilon": "Adam's epsilon is 1e-3",
    "transposed-kernel": "conv2's kernel has height and width swapped",
    "half-layer": "dense1 computes in float16",
    "wrong-gradient": "conv2's backward pass misses its bias",
}


def layer_class(keras, name, kind):
    """Returns Keras's class for a layer of the network, or a broken one.

    ``name`` is the fault's name, or empty.
    """
    plain = {"conv": keras.layers.Conv2D, "dense": keras.layers.Dense, "dropout": keras.layers.Dropout}[kind]
    broken = {("transposed-kernel", "conv"): _transposed, ("unscaled-dropout", "dropout"): _unscaled}
    broken["wrong-gradient", "conv"] = _stopped
    return broken[name, kind](keras) if (name, kind) in broken else plain


def options(keras, name, layer):
    """Returns the other options that a layer is made with. ``layer``: its name."""
    if name == "biased-init" and layer != "dropout":
        return {"bias_initializer": keras.initializers.Constant(0.5)}
    if name == "half-layer" and layer == "dense1" and keras.config.floatx() == "float32":
        return {"dtype": "mixed_float16"}
    return {}


def _transposed(keras):
    class Transposed(keras.layers.Conv2D):
        def call(self, inputs):
            kernel = self.kernel
            if self.name.startswith("conv2"):
                kernel = keras.ops.transpose(kernel, (1, 0, 2, 3))
            return self.activation(keras.ops.conv(inputs, kernel, 1, "valid") + self.bias)

    return Transposed


def _stopped(keras):
    class Stopped(keras.layers.Conv2D):
        def call(self, inputs):
            bias = keras.ops.stop_gradient(self.bias) + 0 * self.bias if self.name.startswith("conv2") else self.bias
            return self.activation(keras.ops.conv(inputs, self.kernel, 1, "valid") + bias)

    return Stopped


def _unscaled(keras):
    class Unscaled(keras.layers.Dropout):
        def call(self, inputs, training=False):
            out = super().call(inputs, training=training)
            return out * (1 - self.rate) if training else out

    return Unscaled
