"""Measures the time of small networks: first and steady steps, and memory.

The steps are those of ``fit``, ``evaluate`` and ``predict``. Every figure is one per process: the median over warm
steps or repeats. Small networks on purpose: what differs between versions is mostly the framework's own work, and the
verdicts need many processes.
"""

from __future__ import annotations

import time

from . import networks
from .frameworks import backend as backends
from .kit import usage
from .kit.clock import median, pauses, step_clock
from .networks.keras_models import sequential, transformer
from .protocol import BadOutputError

DEFAULTS = {
    "workloads": ["dense", "cnn", "lstm", "transformer"],
    "batches": [32, 128, 512],
    "steps": 16,
    "overhead_steps": 150,
    "leak_epochs": 12,
}

HEADLINES = ("*.step_s", "*.first_step_s", "memory.peak_bytes")
"""The figures that a run measures until they are decided; patterns over metric names."""

LONG = 1000
"""Epochs after which a leak of 50 kB in each is a tenth of what a framework needs."""

WARM = 3
"""Steps at the start of a ``fit`` that are left out of the median: tracing, allocation, caches."""

LAYERS = {
    "dense": ([("dense", 256, "relu"), ("dense", 256, "relu"), ("dense", 10, None)], (128,)),
    "cnn": ([("conv", 16, 3, "relu"), ("pool",), ("conv", 32, 3, "relu"), ("pool",), ("flatten",), ("dense", 10, None)],
            (28, 28, 1)),
    "lstm": ([("lstm", 32), ("dense", 10, None)], (16, 8)),
    "transformer": ([("encoder", 2), ("mean",), ("dense", 10, None)], (32, 32)),
    "tiny": ([("dense", 10, None)], (4,)),
}  # fmt: skip
"""Workload to its layers (see ``networks``) and the shape of one sample."""


def run(request, report):
    """Measures the workloads that the settings name.

    Settings: ``workloads``, ``batches`` (the first gives the first step; evaluate and predict use the middle one),
    ``steps`` per batch size, ``overhead_steps`` of the tiny model (0: none), ``leak_epochs`` (0: none).

    Metrics: ``import_s``; per workload ``first_step_s``, ``b<batch>.step_s``, ``evaluate_step_s``,
    ``predict_step_s``; ``overhead.step_s``; ``memory.*``; ``cpu_s``, ``cpus_busy`` and, on CUDA, ``gpu.*``.
    """
    settings = request.settings_with(DEFAULTS)
    unknown = sorted(set(settings["workloads"]) - set(LAYERS))
    if unknown or not settings["batches"]:
        raise BadOutputError("speed: no such workload: %s" % ", ".join(unknown) if unknown else "speed: no batch sizes")
    backend = backends.load(request) if request.keras else networks.load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    report.metric("memory.imported_bytes", usage.rss_bytes(), "timing", better="lower", unit="B")
    make = Keras if request.keras else Native
    with usage.Gpu(request.device) as gpu, usage.Meter() as meter:
        for name in settings["workloads"]:
            if not request.keras and networks.lacks(request, LAYERS[name][0]):
                continue
            _workload(make(backend, name, request.seed), name, report, settings)
        if settings["overhead_steps"]:
            tiny = make(backend, "tiny", request.seed)
            _, _, steps = tiny.fit(8, settings["overhead_steps"])
            report.metric("overhead.step_s", median(steps), "timing", better="lower", unit="s")
        if settings["leak_epochs"]:
            _leak(make(backend, "tiny", request.seed), report, settings["leak_epochs"])
    report.metric("memory.peak_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
    report.metric("cpu_s", usage.cpu_s(), "timing", better="lower", unit="s")
    report.metric("cpus_busy", meter.cpus, "info")
    if request.device == "cuda":
        report.metric("gpu.busy", gpu.busy, "info")
        report.metric("gpu.memory_bytes", gpu.memory_bytes, "info", better="lower", unit="B")


def _workload(trained, name, report, settings):
    """Reports all figures of one network."""
    for place, batch in enumerate(settings["batches"]):
        first, _, steps = trained.fit(batch, settings["steps"])
        if place == 0:
            report.metric(name + ".first_step_s", first, "timing", better="lower", unit="s")
        report.metric("%s.b%d.step_s" % (name, batch), median(steps), "timing", better="lower", unit="s")
    batch = settings["batches"][len(settings["batches"]) // 2]
    for what in ("evaluate", "predict"):
        call = getattr(trained, what)
        call(batch, 4)  # traces
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            call(batch, 4)
            seconds.append((time.perf_counter() - started) / 4)
        report.metric("%s.%s_step_s" % (name, what), median(seconds), "timing", better="lower", unit="s")


def _leak(trained, report, epochs):
    """Reports how the resident set grows from epoch to epoch.

    The growth is the median of the pairwise slopes (Sen, JASA 63 (1968) 1379) over the later two thirds of the epochs.
    It also reports how large the set would be after ``LONG`` epochs.
    """
    resident = []
    for _ in range(epochs):
        trained.fit(8, 10)
        resident.append(usage.rss_bytes())
    if None in resident:
        return
    late = list(enumerate(resident))[epochs // 3 :]
    slopes = [(b - a) / (j - i) for i, a in late for j, b in late if i < j]
    growth = median(slopes)
    report.metric("memory.growth_bytes_per_epoch", growth, "info", better="lower", unit="B")
    report.metric("memory.end_bytes", resident[-1], "timing", better="lower", unit="B")
    # growth itself is often nothing, and ratios of nothing say nothing: what is judged is where it leads
    ahead = resident[-1] + LONG * max(0.0, growth)
    report.metric("memory.after_%d_epochs_bytes" % LONG, ahead, "timing", better="lower", unit="B")
    report.detail("resident_bytes_per_epoch", resident)


def data(name, samples):
    """Returns ``(x, y)`` of one workload.

    Inputs are uniform float32, labels int32 from 0 to 9.
    """
    import numpy as np

    random = np.random.RandomState(5)
    x = random.random_sample((samples, *LAYERS[name][1])).astype("float32")
    return x, random.randint(0, 10, samples).astype("int32")


class Native:
    """A workload in the plain framework."""

    def __init__(self, backend, name, seed):
        layers, shape = LAYERS[name]
        weights = networks.initial_weights(layers, shape, seed)
        self._backend, self._name = backend, name
        self._model = networks.model(backend, layers, weights, "crossentropy", 1e-3, seed)

    def fit(self, batch, steps):
        """Returns the seconds to the first step's end, in all, and of each warm step."""
        x, y = data(self._name, batch * steps)
        started = time.perf_counter()
        _, ends = networks.train(
            self._model, self._backend, x, y, [slice(i, i + batch) for i in range(0, len(x), batch)]
        )
        return ends[0] - started, time.perf_counter() - started, pauses(ends)[WARM - 1 :]

    def evaluate(self, batch, steps):
        x, y = data(self._name, batch * steps)
        return networks.scores(self._model, x, y, "crossentropy", batch)

    def predict(self, batch, steps):
        x, _ = data(self._name, batch * steps)
        return [self._model.outputs(x[i : i + batch]) for i in range(0, len(x), batch)]


class Keras:
    """A workload on the Keras API, with the metrics that most people compile."""

    def __init__(self, backend, name, seed):
        self._keras, self._name = backend.keras, name
        layers, shape = LAYERS[name]
        build = transformer if layers[0][0] == "encoder" else sequential
        self._model = build(backend.keras, layers, shape)
        self._model.set_weights(networks.initial_weights(layers, shape, seed))
        loss = backend.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(backend.keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])

    def fit(self, batch, steps):
        """Trains as ``Native.fit`` does."""
        clock = step_clock(self._keras)
        x, y = data(self._name, batch * steps)
        started = time.perf_counter()
        self._model.fit(x, y, batch_size=batch, shuffle=False, verbose=0, callbacks=[clock])
        ends = clock.epochs[0]
        return ends[0] - started, time.perf_counter() - started, pauses(ends)[WARM - 1 :]

    def evaluate(self, batch, steps):
        x, y = data(self._name, batch * steps)
        return self._model.evaluate(x, y, batch_size=batch, verbose=0)

    def predict(self, batch, steps):
        x, _ = data(self._name, batch * steps)
        return self._model.predict(x, batch_size=batch, verbose=0)
