"""Trains on handwritten digits, in two modes.

The network is that of keras-team/keras#20713. Both modes use the Keras API.

``free`` is what a user writes: ``set_random_seed``, then ``fit``. Each backend draws other weights, dropout masks and
batches from the same seed, so its figures say what a user sees and are compared over seeds.

``controlled`` takes weights and batch order from NumPy and has no dropout, so that all cells compute the same thing
and the loss of each step can be compared between them.
"""

from __future__ import annotations

import time

from ..frameworks import backend as backends
from ..kit import digits, mps, usage
from ..kit.clock import median, pauses, step_clock
from ..kit.draws import FRESH_STARTS, FRESH_STEPS, REPEATED_STEPS, batch_order, digest, fresh_batches, initial_weights

DEFAULTS = {"epochs": 3, "batch": 128, "train_samples": None, "test_samples": None, "controlled_epochs": None}

HEADLINES = ("free.test_accuracy", "free.step_s", "free.first_step_s", "peak_rss_bytes")
"""The figures that a run measures until they are decided; patterns over metric names."""


def run(request, report):
    """Trains and scores in both modes.

    Settings: ``epochs``, ``batch``, ``train_samples`` and ``test_samples`` (None: all there are), and
    ``controlled_epochs`` (None: as many).
    """
    settings = request.settings_with(DEFAULTS)
    train, test = digits.load(request, settings["train_samples"], settings["test_samples"])
    if request.keras is None:
        from . import native

        native.measure(request, report, settings, train, test)
        return
    backend = backends.load(request)
    report.metric("import_s", backend.import_s, "timing", better="lower", unit="s")
    free(backend.keras, report, settings, request.seed, train, test)
    controlled(backend.keras, report, settings, request.seed, train, test)
    report.metric("cpu_s", usage.cpu_s(), "timing", better="lower", unit="s")
    report.metric("peak_rss_bytes", usage.peak_rss_bytes(), "timing", better="lower", unit="B")
    with mps.listing(backend, report):
        if backend.device == "mps":
            count = 2 * settings["batch"]
            compiled(backend.keras, dropout=True).fit(train[0][:count], train[1][:count], verbose=0)


def network(keras, dropout):
    """Returns the model, not compiled.

    (n, 28, 28, 1) -> (n, 10) probabilities, 225,034 parameters.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            *([layers.Dropout(0.2)] if dropout else []),
            layers.Dense(10, activation="softmax"),
        ]
    )


def compiled(keras, dropout):
    """Returns the model with Adam at 1e-3.

    It is compiled with sparse categorical cross-entropy and accuracy.
    """
    model = network(keras, dropout)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# --- free -------------------------------------------------------------------------------------------------------------


def free(keras, report, settings, seed, train, test):
    """Trains as a user would and reports ``free.*``.

    The loss and validation accuracy of each epoch are among them.
    """
    keras.utils.set_random_seed(seed)
    model = compiled(keras, dropout=True)
    clock = step_clock(keras)
    cpu, started = usage.cpu_s(), time.perf_counter()
    history = model.fit(
        *train,
        batch_size=settings["batch"],
        epochs=settings["epochs"],
        validation_data=test,
        callbacks=[clock],
        verbose=0,
    ).history
    fit_s = time.perf_counter() - started
    report.metric("free.fit_s", fit_s, "timing", better="lower", unit="s")
    report.metric("free.fit_cpu_s", usage.cpu_s() - cpu, "timing", better="lower", unit="s")
    warm = clock.warm_steps()
    report.metric("free.first_step_s", clock.epochs[0][0] - started, "timing", better="lower", unit="s")
    report.metric("free.step_s", median(warm), "timing", better="lower", unit="s")
    rate = settings["batch"] * len(warm) / sum(warm) if warm else None
    report.metric("free.images_per_s", rate, "timing", better="higher", unit="images/s")
    report.metric("free.loss_per_epoch", history["loss"], "info", better="lower")
    report.metric("free.val_accuracy_per_epoch", history["val_accuracy"], "info", better="higher")
    _evaluate(report, "free", model, test, settings["batch"])
    report.metric("parameters", model.count_params(), "exact")


# --- controlled -------------------------------------------------------------------------------------------------------


def controlled(keras, report, settings, seed, train, test):
    """Trains in NumPy's order without dropout and reports ``controlled.*``.

    The initial weights are NumPy's too. ``controlled.fresh_losses`` are the losses of ``controlled.fresh_steps`` steps
    from each of several other initial weights, one start after the other.
    """
    model = compiled(keras, dropout=False)
    shapes = [tuple(weight.shape) for weight in model.weights]
    weights = initial_weights(shapes, seed)
    model.set_weights(weights)
    report.metric("controlled.initial_weights", digest(model.get_weights()), "exact")
    epochs = settings["controlled_epochs"] or settings["epochs"]
    batches = batch_order(len(train[0]), settings["batch"], epochs, seed)
    model.optimizer.build(model.trainable_variables)
    unused = [keras.ops.convert_to_numpy(variable) for variable in model.optimizer.variables]

    def start(weights):
        for variable, value in zip(model.optimizer.variables, unused):
            variable.assign(value)
        model.set_weights(weights)

    first, _ = steps(model, train, batches[:REPEATED_STEPS])
    found = []
    for number in range(1, FRESH_STARTS + 1):
        start(initial_weights(shapes, seed, number))
        found += steps(model, train, fresh_batches(batches, number))[0]
    start(weights)
    losses, ends = steps(model, train, batches)
    report.metric("controlled.fresh_steps", FRESH_STEPS, "info")
    report.metric("controlled.fresh_losses", found, "info")
    report.metric("controlled.repeatable", losses[: len(first)] == first, "exact")
    report.metric("controlled.loss_per_step", losses, "trajectory", better="lower")
    report.metric("controlled.step_s", median(pauses(ends)), "timing", better="lower", unit="s")
    _evaluate(report, "controlled", model, test, settings["batch"])
    report.metric("controlled.final_weights", digest(model.get_weights()), "info")


def steps(model, train, batches):
    """Runs one optimizer step per batch (an index array each).

    Returns the loss of each step, and when each ended.
    """
    losses, ends = [], []
    for batch in batches:
        model.reset_metrics()  # train_on_batch reports the mean since the last reset, not the step's own loss
        losses.append(float(model.train_on_batch(train[0][batch], train[1][batch], return_dict=True)["loss"]))
        ends.append(time.perf_counter())
    return losses, ends


# --- both -------------------------------------------------------------------------------------------------------------


def _evaluate(report, mode, model, test, batch):
    scores = model.evaluate(*test, batch_size=batch, verbose=0, return_dict=True)
    report.metric(mode + ".test_accuracy", scores["accuracy"], "seeded", better="higher")
    report.metric(mode + ".test_loss", scores["loss"], "seeded", better="lower")
