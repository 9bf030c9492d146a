"""Collects the evidence of one cell for ``runner diagnose``.

A training runs with one suspect after the other taken away, and is then replayed layer by layer. Everything is compared
with a float64 reference in NumPy that each process computes for itself, never with the other cell. Two correct cells
therefore agree, although neither reads the other's arrays, and of two that differ it is known which one is off.

The deviations themselves are compared through sketches (see ``measure``), so no array leaves the process.
"""

from __future__ import annotations

import os
import time

from .. import networks
from ..frameworks import backend as backends
from ..kit import digits, draws, usage
from ..protocol import BadOutputError, UnsupportedError, one_line

DEFAULTS = {
    "network": "conv",
    "seeds": 5,
    "epochs": 2,
    "batch": 64,
    "train_samples": 640,
    "test_samples": 500,
    "steps": 4,
    "free_steps": 30,
    "double": True,
    "toggle": "",
    "fault": "",
    "own": "",
    "own_settings": "",
}
"""``seeds``: trainings on each rung that draws random numbers (0: none). ``steps``: replayed ones. ``free_steps``:
those that follow one another. ``double``: whether float64 is tried. ``toggle``, ``fault``: a name in those modules.
``own``: the name of the user's file that gives model and data in place of ``network`` (see ``own_model``);
``own_settings``: its settings as JSON."""

NETWORKS = {
    "conv": [*networks.MNIST[:-1], ("dense", 10, "softmax")],
    "dense": [("flatten",), ("dense", 64, "relu"), ("dropout", 0.2), ("dense", 10, "softmax")],
}
"""``conv``: keras-team/keras#20713's, as in the mnist probe."""

SHAPE = (28, 28, 1)

RUNGS = (
    # name, initial weights from NumPy, order of the batches from NumPy
    ("as reported", False, False),
    ("same weights", True, False),
    ("same order", True, True),
)
"""Those that draw random numbers, dropout at least; those below have none and are replayed step by step."""


def run(request, report):
    """Details ``evidence``: see ``runner.diagnose.evidence``, which reads it."""
    settings = request.settings_with(DEFAULTS)
    from . import faults, switches

    for name, known in (("network", NETWORKS), ("fault", ("", *faults.FAULTS))):
        if settings[name] not in known:
            raise BadOutputError("no %s %r (there are: %s)" % (name, settings[name], ", ".join(filter(None, known))))
    switches.before(settings["toggle"], request.framework, os.environ)
    side, data = _side(request, settings)
    switches.after(settings["toggle"], request.framework, side.backend.lib)
    found = measured(side, settings, request.seed, data)
    for name, value in found["seconds"].items():
        report.metric("seconds.%s" % name, value, "info", better="lower", unit="s")
    report.metric("free_running.loss_per_step", found["free"]["losses"], "info", better="lower")
    report.metric("free_running.weights", found["free"]["digest"], "info")
    report.metric("cpu_s", usage.cpu_s(), "info", better="lower", unit="s")
    report.detail("evidence", found)


def _side(request, settings):
    """Returns the network on the cell, and the data.

    The data are two pairs ``(x, y)``, for training and for tests.
    """
    if request.keras is None:
        raise backends.unsupported_natively(request)
    if request.framework not in ("tensorflow", "torch", "jax"):
        raise UnsupportedError("Keras on %s does not train" % request.framework)
    from .keras_side import Side

    if settings["own"]:
        from . import own_model

        backend = backends.load(request)
        described, shape, data = own_model.given(request, backend.keras, settings)
    else:
        parts = zip(digits.load(request), (settings["train_samples"], settings["test_samples"]))
        data = tuple(tuple(a[:n] for a in part) for part, n in parts)
        backend, described, shape = backends.load(request), NETWORKS[settings["network"]], SHAPE
    return Side(backend, described, shape, settings["fault"]), data


def measured(side, settings, seed, data):
    """Returns all of the evidence for one cell, in the form of the detail.

    ``side``: see ``keras_side``.
    """
    from . import measure

    clock = _Clock()
    network = "of %s" % settings["own"] if settings["own"] else settings["network"]
    found = {"network": network, "steps": [], "seeded": {}, "suspects": {}, "double": ""}
    found["given"] = "%s %s" % (side.described, measure.digest([a for part in data for a in part]))
    if settings["seeds"]:
        found["seeded"] = seeded(side, settings, seed, data)
        found["suspects"] = suspects(side, settings, seed)
        clock.lap("seeded")
    replayed(side, settings, seed, data, found, clock)
    return dict(found, seconds=clock.laps)


class _Clock:
    def __init__(self):
        self.laps, self._last = {}, time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.laps[name], self._last = round(self.laps.get(name, 0.0) + now - self._last, 2), now


# --- rungs that draw random numbers -----------------------------------------------------------------------------------


def seeded(side, settings, seed, data):
    """Trains on several seeds for each rung that draws random numbers.

    Returns ``{rung: {"loss": [per seed], "accuracy": [...], "first_epoch": [...]}}``.
    """
    import numpy as np

    found = {}
    shapes, _ = networks.shapes(side.described, side.shape)
    for name, weights, order in RUNGS:
        own = found.setdefault(name, {"loss": [], "accuracy": [], "first_epoch": []})
        for one in range(seed, seed + settings["seeds"]):
            orders = None
            if order:
                random = np.random.RandomState([one, 1])
                orders = [random.permutation(len(data[0][1])) for _ in range(settings["epochs"])]
            given = draws.initial_weights(shapes, one) if weights else None
            losses, loss, accuracy = side.train(one, given, orders, data, settings["epochs"], settings["batch"])
            for key, value in (("loss", loss), ("accuracy", accuracy), ("first_epoch", losses[0])):
                own[key].append(value)
    return found


def suspects(side, settings, seed):
    """Measures initial weights and dropout without training.

    ``initial``: per weight [RMS over all seeds, the RMS that Glorot's rule or zeros give, how many numbers].
    ``dropout``: [rate, share of zeros, what is kept of a one, how many ones].
    """
    import numpy as np

    found = {"initial": []}
    drawn = [side.initial(one) for one in range(seed, seed + settings["seeds"])]
    for many in zip(*drawn):
        shape = many[0].shape
        wide = np.prod(shape[:-2]) * (shape[-2] + shape[-1]) if len(shape) > 1 else 0
        told = float(np.sqrt(2.0 / wide)) if wide else 0.0  # uniform within sqrt(6 / wide)
        rms = float(np.sqrt(np.mean(np.square(many, dtype="float64"))))
        found["initial"].append([rms, told, int(np.size(many))])
    size = 100000
    out = side.dropped(size)
    if out is not None:
        kept = out[out != 0]
        rate = next(layer[1] for layer in side.described if layer[0] == "dropout")
        found["dropout"] = [rate, float((out == 0).mean()), float(kept.mean()) if kept.size else 0.0, size]
    return found


# --- rungs that do not ------------------------------------------------------------------------------------------------


def replayed(side, settings, seed, data, found, clock):
    """Fills ``steps`` (one dict each), ``free`` and ``double`` of ``found``."""
    import numpy as np

    from . import measure, reference, replay

    network = reference.Network(side.described)
    shapes, _ = networks.shapes(side.described, side.shape)
    first = draws.initial_weights(shapes, seed)
    order = np.random.RandomState([seed, 1]).permutation(len(data[0][1])).tolist()
    kept, adam = [], reference.Adam()
    side.restart()
    for step in replay.steps(network, first, data[0], order * 2, settings["batch"], settings["steps"]):
        clock.lap("reference")
        own = {"inputs": measure.digest([*step.weights, step.x]), "left_out": step.left_out, "samples": len(step.y)}
        own["layers"] = replay.layers(side, network, step)
        clock.lap("layers")
        loss, gradients = side.gradients(step.weights, step.x, step.y)
        own["whole"] = replay.whole(loss, gradients, step, network)
        own["loss"] = [loss, step.loss[0]]
        own["same optimizer"] = replay.rung(adam.step(step.weights, gradients), step)
        _, after = side.step(step.weights, step.x, step.y)
        own["no dropout"] = replay.rung(after, step)
        clock.lap("steps")
        own["update"] = replay.update(side, network, step)
        clock.lap("update")
        step.trace = None  # the large part, done with
        kept.append(step)
        found["steps"].append(own)
    side.restart()
    free = draws.batch_order(len(data[0][1]), settings["batch"], 1 + settings["free_steps"], seed)[
        : settings["free_steps"]
    ]
    losses, last = side.free(first, [(data[0][0][index], data[0][1][index]) for index in free])
    found["free"] = {"losses": losses, "digest": measure.digest(last)}
    clock.lap("free")
    if settings["double"]:
        found["double"] = _double(side, kept, found)
        clock.lap("float64")


def _double(side, kept, found):
    """Adds the rung ``float64`` to the steps.

    Returns why it could not be tried, or an empty string.
    """
    from . import reference, replay

    adam = reference.Adam()
    try:
        double = side.double()
        for step, own in zip(kept, found["steps"]):
            weights = [w.astype("float64") for w in step.weights]
            _, gradients = double.gradients(weights, step.x.astype("float64"), step.y)
            own["float64"] = replay.rung(adam.step(weights, gradients), step)
    except Exception as error:
        return one_line(error)
    return ""
