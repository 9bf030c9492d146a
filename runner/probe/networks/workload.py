"""Trains a described network as a user would, with Keras or without.

It measures total time, throughput and error.
"""

from __future__ import annotations

import time

from .. import networks
from ..frameworks import backend as backends
from ..kit import usage
from ..kit.clock import median, pauses, step_clock
from .keras_models import keras_layer

RATE = 1e-3


def load(request):
    """Returns the cell's framework with or without Keras.

    Raises UnsupportedError for one that cannot train.
    """
    return backends.load(request) if request.keras else networks.load(request)


def measure(backend, request, report, prefix, layers, shape, train, test, loss, epochs, batch):
    """Trains on ``train`` and scores on ``test``, and reports the figures.

    Both are (x, y). The figures' names begin with ``prefix``.

    ``layers``, ``shape`` and ``loss`` as in ``networks``: weights and order come from NumPy, so that cells with and
    without Keras do the same work. Reports ``fit_s``, ``fit_cpu_s``, ``first_step_s``, ``step_s``, ``samples_per_s``,
    ``loss_per_epoch``, ``test_loss``, ``test_accuracy`` or ``test_mae``, ``parameters``, ``cpus_busy``, ``gpu.*``.
    """
    weights = networks.initial_weights(layers, shape, request.seed)
    make = _Keras if request.keras else _Native
    trained = make(backend, layers, shape, weights, loss, request.seed)
    orders = _orders(len(train[1]), epochs, request.seed)
    losses, ends = [], []
    with usage.Gpu(request.device) as gpu, usage.Meter() as meter:
        started = time.perf_counter()
        for order in orders:
            value, finished = trained.epoch(networks.take(train[0], order), train[1][order], batch)
            losses.append(value)
            ends.append(finished)
    warm = [pause for finished in ends for pause in pauses(finished[:-1])]
    report.metric(prefix + "fit_s", meter.wall_s, "timing", better="lower", unit="s")
    report.metric(prefix + "fit_cpu_s", meter.cpu_s, "timing", better="lower", unit="s")
    report.metric(prefix + "first_step_s", ends[0][0] - started, "timing", better="lower", unit="s")
    report.metric(prefix + "step_s", median(warm), "timing", better="lower", unit="s")
    rate = epochs * len(train[1]) / meter.wall_s
    report.metric(prefix + "samples_per_s", rate, "timing", better="higher", unit="samples/s")
    report.metric(prefix + "loss_per_epoch", losses, "info", better="lower")
    for name, value in trained.scores(*test, batch).items():
        better = "higher" if name == "accuracy" else "lower"
        report.metric("%stest_%s" % (prefix, name), value, "seeded", better=better)
    report.metric(prefix + "parameters", trained.parameters, "exact")
    report.metric(prefix + "cpus_busy", meter.cpus, "info")
    if request.device == "cuda":
        report.metric(prefix + "gpu.busy", gpu.busy, "info")
        report.metric(prefix + "gpu.memory_bytes", gpu.memory_bytes, "info", better="lower", unit="B")


def finish(report):
    """Reports the figures of the whole process, after all networks."""
    report.metric("cpu_s", usage.cpu_s(), "timing", better="lower", unit="s")
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")


def _orders(samples, epochs, seed):
    import numpy as np

    random = np.random.RandomState([seed, 3])
    return [random.permutation(samples) for _ in range(epochs)]


class _Native:
    def __init__(self, backend, layers, shape, weights, loss, seed):
        self._backend, self._loss = backend, loss
        self._model = networks.model(backend, layers, weights, loss, RATE, seed)
        self.parameters = self._model.parameters

    def epoch(self, x, y, batch):
        """Trains one epoch on data that are in order already.

        Returns ``(mean loss, time at which each step ended)``.
        """
        import numpy as np

        rows = [slice(i, min(i + batch, len(y))) for i in range(0, len(y), batch)]
        losses, ends = networks.train(self._model, self._backend, x, y, rows)
        return float(np.average(losses, weights=[r.stop - r.start for r in rows])), ends

    def scores(self, x, y, batch):
        return networks.scores(self._model, x, y, self._loss, batch)


class _Keras:
    def __init__(self, backend, layers, shape, weights, loss, seed):
        keras = self._keras = backend.keras
        keras.utils.set_random_seed(seed)
        inputs = _inputs(keras, layers, shape)
        made, weights = [], list(weights)
        self._model = keras.Model(inputs, _connect(keras, layers, inputs, made))
        for layer in made:  # one by one: Keras lists a model's layers by depth, not by branch
            layer.set_weights([weights.pop(0) for _ in layer.weights])
        classes = loss == "crossentropy"
        self._model.compile(
            keras.optimizers.Adam(RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True) if classes else "mse",
            metrics=["accuracy" if classes else "mae"],
        )
        self.parameters = self._model.count_params()

    def epoch(self, x, y, batch):
        clock = step_clock(self._keras)
        history = self._model.fit(
            list(x) if isinstance(x, tuple) else x, y, batch_size=batch, shuffle=False, verbose=0, callbacks=[clock]
        )
        return float(history.history["loss"][0]), clock.epochs[0]

    def scores(self, x, y, batch):
        x = list(x) if isinstance(x, tuple) else x
        found = self._model.evaluate(x, y, batch_size=batch, verbose=0, return_dict=True)
        return {name: float(value) for name, value in found.items()}


def _inputs(keras, layers, shape):
    if layers[0][0] == "branches":
        return [_inputs(keras, branch, part) for branch, part in zip(layers[0][1:], shape)]
    return keras.Input(shape, dtype="int32" if layers[0][0] == "embedding" else "float32")


def _connect(keras, layers, x, made):
    """Returns the output of the layers.

    Appends those with weights to ``made``, in the order of ``networks.shapes``.
    """
    for layer in layers:
        if layer[0] == "branches":
            x = keras.layers.Concatenate()([_connect(keras, branch, part, made) for branch, part in zip(layer[1:], x)])
            continue
        built = keras_layer(keras.layers, layer)
        x = built(x)
        if built.weights:
            made.append(built)
    return x
