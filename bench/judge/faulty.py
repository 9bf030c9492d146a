"""Runs the probe ``mnist`` in part, or with a network that is broken on purpose.

``python -m faulty PART NAME`` is the command. learning.py copies this file and the faults next to the payload. The
faults are those of ``runner diagnose --fault``, and a layer that learns at half its rate.
"""

from __future__ import annotations

import sys


def main(part, fault):
    """Replaces the probe's network and runs the payload. Returns the exit code.

    ``part``: ``free``, ``controlled`` or ``both``. ``fault``: its name, or empty.
    """
    from probe import __main__ as payload
    from probe import mnist

    for name in {"free": ["controlled"], "controlled": ["free"]}.get(part, []):
        setattr(mnist, name, lambda *_arguments: None)
    if not fault:
        return payload.main()
    import faults

    if fault not in (*faults.FAULTS, "half-rate"):
        raise SystemExit("no fault {!r}: {}, half-rate".format(fault, ", ".join(faults.FAULTS)))

    def network(keras, dropout):
        def layer(kind, name, *arguments, **options):
            made = faults.layer_class(keras, fault, kind)
            return made(*arguments, name=name, **options, **faults.options(keras, fault, name))

        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layer("conv", "conv1", 32, 3, activation="relu"),
                keras.layers.MaxPooling2D(),
                layer("conv", "conv2", 64, 3, activation="relu"),
                keras.layers.MaxPooling2D(),
                keras.layers.Flatten(),
                layer("dense", "dense1", 128, activation="relu"),
                *([layer("dropout", "dropout", 0.2)] if dropout else []),
                layer("dense", "dense2", 10, activation="softmax"),
            ]
        )

    def compiled(keras, dropout):
        model = network(keras, dropout)
        epsilon = 1e-3 if fault == "adam-epsilon" else 1e-7
        adam = keras.optimizers.Adam(1e-3, epsilon=epsilon)
        if fault == "half-rate":
            _halve(adam, model.get_layer("dense1"))
        model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    mnist.network, mnist.compiled = network, compiled
    return payload.main()


def _halve(adam, layer):
    """Makes the optimizer move a layer's weights by half its step."""
    paths = [weight.path for weight in layer.weights]
    plain = adam.update_step

    def update_step(gradient, variable, rate):
        return plain(gradient, variable, rate / 2 if variable.path in paths else rate)

    adam.update_step = update_step
    together = getattr(adam, "_parallel_update_step", None)  # PyTorch's moves many variables at once
    if together is None:
        return

    def update_together(gradients, variables, rate):
        for inside in (False, True):
            chosen = [n for n, variable in enumerate(variables) if (variable.path in paths) == inside]
            together([gradients[n] for n in chosen], [variables[n] for n in chosen], rate / 2 if inside else rate)

    adam._parallel_update_step = update_together  # noqa: SLF001 - it has no public name


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
