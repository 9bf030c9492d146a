"""Callbacks that write: CSVLogger, TensorBoard and RemoteMonitor."""

from __future__ import annotations

import csv
import json
import os
import pathlib

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true, warned


def _model(rate=0.1, optimizer=None, **options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="one")]))
    model.compile(optimizer or keras.optimizers.SGD(rate), "mse", run_eagerly=True, **options)
    return model


def _data(count=4):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _fit(model, callbacks, count=4, **options):
    x, y = _data(count)
    return model.fit(x, y, callbacks=callbacks, **{"batch_size": 2, "verbose": 0, "shuffle": False, **options})


def _run(callback, *logs):
    """Goes through epochs with these logs."""
    callback.on_train_begin()
    for epoch, values in enumerate(logs):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, dict(values))
    callback.on_train_end()


def _rows(name="log.csv", separator=","):
    with open(name, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def a_log_has_a_line_for_each_epoch():
    """CSVLogger writes a line of sorted columns for each epoch"""
    _run(keras.callbacks.CSVLogger("log.csv"), {"loss": 0.5, "acc": 1.0, "val_loss": 0.1}, {"loss": 0.25, "acc": 2.0})
    rows = _rows()
    equal(rows[0], ["epoch", "acc", "loss", "val_loss"], "first line")
    equal(rows[1:], [["0", "1.0", "0.5", "0.1"], ["1", "2.0", "0.25", "NA"]], "other lines")


def a_log_has_columns_for_late_validation():
    """CSVLogger keeps validation that begins after the first epoch"""
    _run(keras.callbacks.CSVLogger("log.csv"), {"loss": 0.5}, {"loss": 0.25, "val_loss": 0.1})
    rows = [dict(zip(_rows()[0], row)) for row in _rows()[1:]]
    equal([row.get("val_loss") for row in rows], ["NA", "0.1"], "val_loss")


@each(separator=[";", "\t", "|"])
def a_log_has_its_separator(separator):
    """CSVLogger writes with the separator that it is given"""
    _run(keras.callbacks.CSVLogger("log.csv", separator=separator), {"loss": 0.5, "val_loss": 0.1})
    equal(_rows(separator=separator), [["epoch", "loss", "val_loss"], ["0", "0.5", "0.1"]], "lines")


def a_log_is_overwritten():
    """CSVLogger overwrites an older log by default"""
    for value in (0.5, 0.25):
        _run(keras.callbacks.CSVLogger("log.csv"), {"loss": value, "val_loss": 0.1})
    equal(_rows(), [["epoch", "loss", "val_loss"], ["0", "0.25", "0.1"]], "lines")


def a_log_is_continued():
    """CSVLogger(append=True) continues an older log, with one first line"""
    for value in (0.5, 0.25):
        _run(keras.callbacks.CSVLogger("log.csv", append=True), {"loss": value, "val_loss": 0.1})
    equal(_rows(), [["epoch", "loss", "val_loss"], ["0", "0.5", "0.1"], ["0", "0.25", "0.1"]], "lines")


@each(append=[True, False])
def a_log_is_written_by_a_second_fit(append):
    """CSVLogger(append={append}) used in two fits has one first line"""
    callback = keras.callbacks.CSVLogger("log.csv", append=append)
    for value in (0.5, 0.25):
        _run(callback, {"loss": value, "val_loss": 0.1})
    old = [["0", "0.5", "0.1"]] if append else []
    equal(_rows(), [["epoch", "loss", "val_loss"], *old, ["0", "0.25", "0.1"]], "lines")


def a_log_begins_anew_with_other_columns():
    """CSVLogger takes other metrics in a second fit"""
    callback = keras.callbacks.CSVLogger("log.csv")
    _run(callback, {"loss": 0.5, "val_loss": 0.1})
    _run(callback, {"loss": 0.25, "mae": 3.0, "val_loss": 0.1})
    equal(_rows(), [["epoch", "loss", "mae", "val_loss"], ["0", "0.25", "3.0", "0.1"]], "lines")


@each(kind=["float32", "float64", "0-d array", "int"])
def a_log_takes_numpy_numbers(kind):
    """CSVLogger writes a NumPy number as a number: {kind}"""
    value = {"0-d array": np.array(0.5), "int": np.int64(2)}.get(kind)
    value = getattr(np, kind)(0.5) if value is None else value
    _run(keras.callbacks.CSVLogger("log.csv"), {"loss": value, "val_loss": 0.1})
    close(float(_rows()[1][1]), 2.0 if kind == "int" else 0.5, "the number in the file")


def a_log_takes_lists():
    """CSVLogger writes a list as one column"""
    _run(keras.callbacks.CSVLogger("log.csv"), {"loss": [1, 2], "val_loss": 0.1})
    equal(len(_rows()[1]), 3, "columns")
    true("1" in _rows()[1][1] and "2" in _rows()[1][1], "the list is there, got %s" % _rows()[1][1])


def a_log_is_readable_during_fit():
    """CSVLogger has written each epoch when the next begins"""
    lengths = []
    spy = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: lengths.append(len(_rows())))
    _fit(_model(), [keras.callbacks.CSVLogger("log.csv"), spy], epochs=3, validation_data=_data(2))
    equal(lengths, [0, 2, 3], "lines")


def a_log_is_the_history():
    """CSVLogger writes what the history holds"""
    history = _fit(_model(metrics=["mae"]), [keras.callbacks.CSVLogger("log.csv")], epochs=2, validation_data=_data(3))
    rows = _rows()
    equal(rows[0], ["epoch", *sorted(history.history)], "first line")
    for place, key in enumerate(rows[0][1:]):
        close([float(row[place + 1]) for row in rows[1:]], history.history[key], key)
    equal([row[0] for row in rows[1:]], ["0", "1"], "epochs")


def a_log_takes_a_path():
    """CSVLogger takes a pathlib.Path"""
    _run(keras.callbacks.CSVLogger(pathlib.Path("log.csv")), {"loss": 0.5, "val_loss": 0.1})
    equal(len(_rows()), 2, "lines")


def a_logs_epochs_begin_where_fit_begins():
    """CSVLogger writes the epochs from initial_epoch on"""
    _fit(_model(), [keras.callbacks.CSVLogger("log.csv")], epochs=4, initial_epoch=2)
    equal([row[0] for row in _rows()], ["epoch", "2", "3"], "first column")


def _events(folder):
    """Returns ``{tag: [(step, value)]}`` of a folder's event files."""
    need("tensorflow")
    import tensorflow as tf
    from tensorflow.python.summary.summary_iterator import summary_iterator

    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if "tfevents" in name:
            for event in summary_iterator(os.path.join(folder, name)):
                for value in event.summary.value:
                    data = tf.make_ndarray(value.tensor)
                    found.setdefault(value.tag, []).append((event.step, data))
    return found


def _board(**options):
    need("tensorflow")
    need("tensorboard")
    return keras.callbacks.TensorBoard("logs", **options)


def _steps(events, tag):
    return [step for step, _ in events.get(tag, [])]


def _values(events, tag):
    return [float(value) for _, value in events.get(tag, [])]


def tensorboard_has_every_epoch():
    """TensorBoard's scalars of training are those of the history"""
    history = _fit(_model(metrics=["mae"]), [_board()], epochs=2).history
    events = _events("logs/train")
    for key in ("loss", "mae"):
        equal(_steps(events, "epoch_" + key), [0, 1], "steps of epoch_" + key)
        close(_values(events, "epoch_" + key), history[key], "epoch_" + key)


def tensorboard_has_validation():
    """TensorBoard's scalars of validation are those of the history"""
    history = _fit(_model(), [_board()], epochs=2, validation_data=_data(2)).history
    events = _events("logs/validation")
    equal(_steps(events, "epoch_loss"), [0, 1], "steps")
    close(_values(events, "epoch_loss"), history["val_loss"], "epoch_loss")


def tensorboard_has_evaluation_by_iterations():
    """TensorBoard writes each evaluation at the optimizer's iterations"""
    history = _fit(_model(), [_board()], epochs=2, validation_data=_data(2)).history
    events = _events("logs/validation")
    equal(_steps(events, "evaluation_loss_vs_iterations"), [2, 4], "steps")
    close(_values(events, "evaluation_loss_vs_iterations"), history["val_loss"], "values")


def tensorboard_has_the_rate():
    """TensorBoard writes the learning rate of each epoch"""
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: [0.1, 0.05][epoch])
    _fit(_model(), [schedule, _board()], epochs=2)
    close(_values(_events("logs/train"), "epoch_learning_rate"), [0.1, 0.05], "rates")


@each(freq=["batch", "2"])
def tensorboard_has_batches(freq):
    """TensorBoard(update_freq={freq}) writes the loss of those batches"""
    losses = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    _fit(_model(), [spy, _board(update_freq="batch" if freq == "batch" else 2)], epochs=2)
    events = _events("logs/train")
    expected = {"batch": [1, 2, 3, 4], "2": [2, 4]}[freq]
    equal(_steps(events, "batch_loss"), expected, "steps")
    close(_values(events, "batch_loss"), [losses[step - 1] for step in expected], "batch_loss")


def tensorboard_has_no_batches_by_default():
    """TensorBoard writes no batches with update_freq="epoch\""""
    _fit(_model(), [_board()])
    true(not any(tag.startswith("batch_") for tag in _events("logs/train")), "there are no scalars of batches")


@each(freq=[1, 2])
def tensorboard_has_histograms(freq):
    """TensorBoard(histogram_freq={freq}) writes each weight at those epochs"""
    _fit(_model(), [_board(histogram_freq=freq)], epochs=3, validation_data=_data(2))
    events = _events("logs/train")
    tags = sorted(tag for tag in events if tag.endswith("/histogram"))
    equal(len(tags), 2, "histograms of kernel and bias")
    for tag in tags:
        equal(_steps(events, tag), list(range(0, 3, freq)), "steps of " + tag)


def tensorboards_histogram_holds_the_weights():
    """TensorBoard's histogram of a weight counts its values"""
    _fit(_model(), [_board(histogram_freq=1)])
    events = _events("logs/train")
    tag = next(tag for tag in events if "kernel" in tag)
    close(events[tag][0][1][:, 2].sum(), 2.0, "number of values")


def tensorboard_has_images_of_weights():
    """TensorBoard(write_images=True) writes weights as images"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(numbers(2, 2), numbers(2, 3), verbose=0, callbacks=[_board(histogram_freq=1, write_images=True)])
    tags = [tag for tag in _events("logs/train") if tag.endswith("/image")]
    equal(len(tags), 2, "images of kernel and bias")


def tensorboard_has_the_models_graph():
    """TensorBoard writes the model as a graph of layers"""
    model = _model()
    _fit(model, [_board(write_graph=True)])
    found = _events("logs/train")["keras"][0][1]
    equal(json.loads(found.item())["class_name"], "Sequential", "class of the model in the graph")


def tensorboard_has_no_graph_unasked():
    """TensorBoard(write_graph=False) writes no graph"""
    _fit(_model(), [_board(write_graph=False)])
    true("keras" not in _events("logs/train"), "there is no graph")


@each(freq=["epoch", "batch"])
def tensorboard_has_the_speed(freq):
    """TensorBoard(write_steps_per_second=True, update_freq={freq}) writes speeds"""
    _fit(_model(), [_board(write_steps_per_second=True, update_freq=freq)], epochs=2)
    events = _events("logs/train")
    speeds = _values(events, "epoch_steps_per_second")
    equal(len(speeds), 2, "speeds of epochs")
    true(min(speeds) > 0, "speeds are positive, got %s" % speeds)
    if freq == "batch":
        true(min(_values(events, "batch_steps_per_second") or [0]) > 0, "speeds of batches are positive")


@each(optimizer=["LossScaleOptimizer", "schedule", "Adam"])
def tensorboard_works_with_optimizers(optimizer):
    """TensorBoard writes the rate of an optimizer: {optimizer}"""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    made = {
        "LossScaleOptimizer": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
        "schedule": lambda: keras.optimizers.SGD(schedule),
        "Adam": lambda: keras.optimizers.Adam(0.1),
    }[optimizer]()
    _fit(_model(optimizer=made), [_board()])
    expected = 0.1 * 0.5 ** (2 / 100) if optimizer == "schedule" else 0.1
    close(_values(_events("logs/train"), "epoch_learning_rate"), [expected], "rate")


def tensorboard_can_be_used_again():
    """TensorBoard writes in a second fit as in the first"""
    board, model = _board(), _model()
    first = _fit(model, [board]).history["loss"]
    second = _fit(model, [board]).history["loss"]
    close(sorted(_values(_events("logs/train"), "epoch_loss")), sorted(first + second), "losses of both")


def tensorboard_works_in_evaluate():
    """TensorBoard writes what evaluate finds, after fit"""
    board, model, (x, y) = _board(), _model(), _data()
    _fit(model, [board])
    loss = model.evaluate(x, y, verbose=0, callbacks=[board])
    close(_values(_events("logs/validation"), "evaluation_loss_vs_iterations")[-1], loss, "loss")


def tensorboard_takes_a_path():
    """TensorBoard takes a pathlib.Path"""
    need("tensorflow")
    need("tensorboard")
    _fit(_model(), [keras.callbacks.TensorBoard(pathlib.Path("logs"))])
    equal(_steps(_events("logs/train"), "epoch_loss"), [0], "steps")


def tensorboard_has_embeddings():
    """TensorBoard(embeddings_freq=1) writes the projector's settings"""
    board = _board(embeddings_freq=1, embeddings_metadata={"words": "words.tsv"})
    model = keras.Sequential(
        [keras.Input((2,), dtype="int32"), keras.layers.Embedding(4, 2, name="words"), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    os.makedirs("logs")
    model.fit(np.array([[1, 2]]), numbers(1, 4), verbose=0, callbacks=[board])
    with open("logs/projector_config.pbtxt", encoding="utf-8") as file:
        true("words.tsv" in file.read(), "the settings name the file of metadata")


def tensorboard_refuses_unknown_embeddings():
    """TensorBoard refuses metadata for a layer that does not exist"""
    board = _board(embeddings_freq=1, embeddings_metadata={"nothing": "words.tsv"})
    refuses(lambda: _fit(_model(), [board]), "metadata of an unknown layer")


@each(value=["-1", "(2, 1)", "(1, 2, 3)"])
def tensorboard_refuses_wrong_batches(value):
    """TensorBoard refuses profile_batch={value}"""
    wrong = {"-1": -1, "(2, 1)": (2, 1), "(1, 2, 3)": (1, 2, 3)}[value]
    if keras.backend.backend() == "jax":
        return  # with Python before 3.12 it profiles nothing, and warns
    refuses(lambda: _board(profile_batch=wrong), "profile_batch=" + value)


class _Answer:
    """Stands in for the package requests, and keeps what is posted."""

    class exceptions:  # noqa: N801
        class RequestException(Exception):  # noqa: N818
            pass

    def __init__(self, fails=False):
        self.calls = []
        self.fails = fails

    def post(self, *arguments, **options):
        self.calls.append((arguments, options))
        if self.fails:
            raise self.exceptions.RequestException


def _monitored(answer, logs, **options):
    """Runs one epoch of a RemoteMonitor that posts to ``answer``."""
    import sys

    callback = keras.callbacks.RemoteMonitor(root="http://server", path="/path", **options)
    module = sys.modules[type(callback).__module__]
    old, module.requests = module.requests, answer
    try:
        callback.on_epoch_end(3, logs)
    finally:
        module.requests = old
    return answer.calls


@each(as_json=[True, False])
def a_remote_monitor_posts_the_logs(as_json):
    """RemoteMonitor(send_as_json={as_json}) posts epoch and logs as numbers"""
    logs = {"loss": np.float32(0.5), "mae": np.array(0.25), "n": np.int64(2), "acc": 1.0}
    ((arguments, options),) = _monitored(_Answer(), logs, send_as_json=as_json, field="mine", headers={"a": "b"})
    equal(arguments[0], "http://server/path", "address")
    equal(options["headers"], {"a": "b"}, "headers")
    sent = json.loads(json.dumps(options["json"])) if as_json else json.loads(arguments[1]["mine"])
    equal(sent, {"epoch": 3, "loss": 0.5, "mae": 0.25, "n": 2, "acc": 1.0}, "data")


def a_remote_monitor_warns_of_a_silent_server():
    """RemoteMonitor warns when the server cannot be reached"""
    texts = warned(lambda: _monitored(_Answer(fails=True), {"loss": 0.5}))
    true(any("http://server" in text for text in texts), "a warning names the server, got %s" % texts)
