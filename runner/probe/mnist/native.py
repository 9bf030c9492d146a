"""Runs the mnist probe without Keras: same network, data, batches and figures."""

from __future__ import annotations

import time

from ..kit import clock, draws, usage
from ..networks import ADAM, MNIST, initial_weights, load, model, scores, train

RATE = 1e-3
LOSS = "crossentropy"


def measure(request, report, settings, digits, tests):
    """Reports the mnist probe's figures of both modes for the plain framework.

    See ``probe.mnist``. ``digits`` and ``tests``: (images, labels). The free mode draws its weights, order and dropout
    from the seed as well, but its weights come from NumPy here too: the frameworks' own initial weights are of other
    kinds.
    """
    from .. import mnist

    backend = load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    weights = initial_weights(MNIST, (28, 28, 1), request.seed)
    _free(backend, report, settings, request.seed, weights, digits, tests)
    _controlled(backend, report, settings, request.seed, weights, digits, tests, mnist)
    report.metric("cpu_s", usage.cpu_s(), "timing", better="lower", unit="s")
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
    report.detail("optimizer", dict(ADAM, rate=RATE))


def _free(backend, report, settings, seed, weights, digits, tests):
    import numpy as np

    from ..kit.clock import median, pauses

    x, y = digits
    random = np.random.RandomState([seed, 2])
    trained = model(backend, MNIST, weights, LOSS, RATE, seed)
    size, warm, losses, accuracies = settings["batch"], [], [], []
    cpu, started, first = usage.cpu_s(), time.perf_counter(), None
    for _ in range(settings["epochs"]):
        order = random.permutation(len(x))
        batches = [order[i : i + size] for i in range(0, len(x), size)]
        found, ends = train(trained, backend, x, y, batches)
        first = ends[0] - started if first is None else first
        warm += pauses(ends[:-1])
        losses.append(float(np.average(found, weights=[len(index) for index in batches])))
        accuracies.append(scores(trained, *tests, LOSS, size)["accuracy"])
    report.metric("free.fit_s", time.perf_counter() - started, "timing", better="lower", unit="s")
    report.metric("free.fit_cpu_s", usage.cpu_s() - cpu, "timing", better="lower", unit="s")
    report.metric("free.first_step_s", first, "timing", better="lower", unit="s")
    report.metric("free.step_s", median(warm), "timing", better="lower", unit="s")
    rate = size * len(warm) / sum(warm) if warm else None
    report.metric("free.images_per_s", rate, "timing", better="higher", unit="images/s")
    report.metric("free.loss_per_epoch", losses, "info", better="lower")
    report.metric("free.val_accuracy_per_epoch", accuracies, "info", better="higher")
    _evaluate(report, "free", trained, tests, size)
    report.metric("parameters", trained.parameters, "exact")


def _controlled(backend, report, settings, seed, weights, digits, tests, mnist):
    layers = [layer for layer in MNIST if layer[0] != "dropout"]
    epochs = settings["controlled_epochs"] or settings["epochs"]
    batches = draws.batch_order(len(digits[0]), settings["batch"], epochs, seed)
    once = model(backend, layers, weights, LOSS, RATE, seed)
    first, _ = train(once, backend, *digits, batches[: draws.REPEATED_STEPS])
    fresh = []
    for number in range(1, draws.FRESH_STARTS + 1):
        start = initial_weights(layers, (28, 28, 1), seed, number)
        anew = model(backend, layers, start, LOSS, RATE, seed)
        fresh += train(anew, backend, *digits, draws.fresh_batches(batches, number))[0]
    trained = model(backend, layers, weights, LOSS, RATE, seed)
    report.metric("controlled.fresh_steps", draws.FRESH_STEPS, "info")
    report.metric("controlled.fresh_losses", fresh, "info")
    report.metric("controlled.initial_weights", draws.digest(trained.weights()), "exact")
    losses, ends = train(trained, backend, *digits, batches)
    report.metric("controlled.repeatable", "yes" if losses[: len(first)] == first else "no", "exact")
    report.metric("controlled.loss_per_step", losses, "trajectory", better="lower")
    report.metric("controlled.step_s", clock.median(clock.pauses(ends)), "timing", better="lower", unit="s")
    _evaluate(report, "controlled", trained, tests, settings["batch"])
    report.metric("controlled.final_weights", draws.digest(trained.weights()), "info")


def _evaluate(report, mode, trained, tests, batch):
    found = scores(trained, *tests, LOSS, batch)
    report.metric(mode + ".test_accuracy", found["accuracy"], "seeded", better="higher")
    report.metric(mode + ".test_loss", found["loss"], "seeded", better="lower")
