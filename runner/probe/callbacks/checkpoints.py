"""Callbacks that keep weights: ModelCheckpoint, BackupAndRestore, SwapEMAWeights."""

from __future__ import annotations

import json
import os
import pathlib

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, Lacking, close, equal, given, need, numbers, printed, refuses, true, warned


def _model(rate=0.1, optimizer=None, **options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(optimizer or keras.optimizers.SGD(rate), "mse", run_eagerly=True, **options)
    return model


def _data(count=8):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _fit(model, callbacks, count=8, **options):
    x, y = _data(count)
    return model.fit(x, y, callbacks=callbacks, **{"batch_size": 2, "verbose": 0, "shuffle": False, **options})


def _marked(model, number):
    """Gives the model weights that say ``number``."""
    model.set_weights([np.full((2, 1), float(number)), np.zeros(1)])


def _run(callback, values, name="val_loss", model=None):
    """Goes through epochs with these monitored values; epoch n's weights are n + 1."""
    model = model or _model()
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        _marked(model, epoch + 1)
        callback.on_epoch_end(epoch, {"loss": 1.0, name: value})
    callback.on_train_end()
    return model


def _old_names():
    """Gives NumPy 2 back a name that early releases need; another case is about that."""
    np.Inf = np.inf


def _checkpoint(name="{epoch}.weights.h5", **options):
    _old_names()
    options = {"monitor": "val_loss", "save_weights_only": True, **options}
    return keras.callbacks.ModelCheckpoint(name, **options)


def _files():
    return sorted(os.listdir("."))


def _saved(path):
    """Returns the first number of the kernel in a file of weights."""
    model = _model()
    model.load_weights(path)
    return float(model.get_weights()[0][0, 0])


@each(mode=["auto", "min", "max"])
def a_checkpoint_callback_can_be_made(mode):
    """ModelCheckpoint(mode={mode}) can be made with this NumPy"""
    vars(np).pop("Inf", None)
    keras.callbacks.ModelCheckpoint("one.keras", mode=mode)


def a_checkpoint_is_written_every_epoch():
    """ModelCheckpoint writes each epoch's weights to a file of its number"""
    _run(_checkpoint(), [3.0, 1.0, 2.0])
    equal(_files(), ["1.weights.h5", "2.weights.h5", "3.weights.h5"], "files")
    equal([_saved(name) for name in _files()], [1.0, 2.0, 3.0], "weights in them")


def a_checkpoint_is_overwritten():
    """ModelCheckpoint overwrites a file whose name has no epoch"""
    _run(_checkpoint("one.weights.h5"), [1.0, 3.0, 2.0])
    equal(_files(), ["one.weights.h5"], "files")
    equal(_saved("one.weights.h5"), 3.0, "weights in it")


@each(mode=["min", "max", "auto"])
def only_the_best_is_kept(mode):
    """ModelCheckpoint(save_best_only=True, mode={mode}) saves better epochs only"""
    values = [2.0, 3.0, 1.0, 4.0] if mode == "max" else [3.0, 2.0, 4.0, 1.0]
    _run(_checkpoint(save_best_only=True, mode=mode), values)
    equal(_files(), ["1.weights.h5", "2.weights.h5", "4.weights.h5"], "files")


def the_best_stays_in_the_file():
    """ModelCheckpoint(save_best_only=True) leaves the best weights in one file"""
    _run(_checkpoint("best.weights.h5", save_best_only=True, mode="min"), [3.0, 1.0, 2.0])
    equal(_saved("best.weights.h5"), 2.0, "weights in it")


@each(mode=["min", "max", "auto"])
def only_what_beats_the_threshold_is_kept(mode):
    """ModelCheckpoint(initial_value_threshold=2, mode={mode}) saves what is better"""
    values = [1.0, 2.0, 3.0, 4.0] if mode == "max" else [3.0, 2.0, 1.5, 1.0]
    _run(_checkpoint(save_best_only=True, mode=mode, initial_value_threshold=2.0), values)
    equal(_files(), ["3.weights.h5", "4.weights.h5"], "files")


@each(monitor=["accuracy", "val_accuracy", "val_acc"])
def a_checkpoint_knows_that_accuracy_grows(monitor):
    """ModelCheckpoint(mode="auto", monitor={monitor}) knows that more is better"""
    model = _model(metrics=["acc" if monitor == "val_acc" else "accuracy"])
    model.train_on_batch(numbers(2, 2), numbers(2, 1))
    _run(_checkpoint(save_best_only=True, monitor=monitor), [0.1, 0.3, 0.2], monitor, model)
    equal(_files(), ["1.weights.h5", "2.weights.h5"], "files")


@each(metric=["MeanSquaredError min", "AUC max", "R2Score max", "Precision max", "BinaryIoU max", "LogCoshError min"])
def a_checkpoint_finds_the_direction(metric):
    """ModelCheckpoint(mode="auto") knows which way the metric gets better: {metric}"""
    name, _, better = metric.partition(" ")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[getattr(keras.metrics, name)(name="mine")], run_eagerly=True)
    model.train_on_batch(numbers(2, 2), np.array([[0.0], [1.0]], "float32"))
    values = [0.2, 0.3, 0.1] if better == "max" else [0.3, 0.2, 0.4]
    _run(_checkpoint(save_best_only=True, monitor="val_mine"), values, "val_mine", model)
    equal(_files(), ["1.weights.h5", "2.weights.h5"], "files")


def a_checkpoints_name_has_metrics():
    """ModelCheckpoint fills epoch and metrics into the name"""
    _run(_checkpoint("{epoch:03d}-{val_loss:.2f}.weights.h5"), [0.5, 0.123])
    equal(_files(), ["001-0.50.weights.h5", "002-0.12.weights.h5"], "files")


def a_checkpoints_name_with_an_unknown_metric_is_refused():
    """ModelCheckpoint names the metric that its file name wants in vain"""
    message = refuses(
        lambda: _run(_checkpoint("{nothing}.weights.h5"), [0.5]), "{nothing} in the name", (KeyError, ValueError)
    )
    true("nothing" in message, "the message names it, got %s" % message)


def a_checkpoint_makes_its_folder():
    """ModelCheckpoint makes the folder of its file"""
    _run(_checkpoint("a/b/{epoch}.weights.h5"), [0.5])
    true(os.path.exists("a/b/1.weights.h5"), "the file is there")


def a_checkpoint_takes_a_path():
    """ModelCheckpoint takes a pathlib.Path"""
    _run(_checkpoint(pathlib.Path("x") / "one.weights.h5"), [0.5])
    true(os.path.exists("x/one.weights.h5"), "the file is there")


@each(name=["{epoch}.keras", "{epoch}.h5"])
def a_checkpoint_of_a_model_can_be_loaded(name):
    """ModelCheckpoint("{name}") writes whole models"""
    try:
        _checkpoint(name, save_weights_only=False)
    except ValueError as error:
        raise Lacking("this release takes no %s" % name) from error
    model = _run(_checkpoint(name, save_weights_only=False), [0.5, 0.4])
    loaded = keras.models.load_model(name.format(epoch=2), compile=False)
    close(loaded.get_weights(), model.get_weights(), "weights")
    close(loaded.predict(_data()[0], verbose=0), model.predict(_data()[0], verbose=0), "outputs")


def a_checkpoint_has_the_optimizer():
    """A model from ModelCheckpoint trains on as the one that was saved"""
    model = _model(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    _fit(model, [_checkpoint("{epoch}.keras", save_weights_only=False)], epochs=2)
    loaded = keras.models.load_model("1.keras")
    _fit(loaded, [], epochs=1)
    close(loaded.get_weights(), model.get_weights(), "weights after the second epoch")


def weights_from_a_checkpoint_have_the_optimizer():
    """Weights from ModelCheckpoint bring the optimizer's state to a compiled model"""
    model = _model(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    _fit(model, [_checkpoint()], epochs=2)
    other = _model(optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    other.load_weights("1.weights.h5")
    _fit(other, [], epochs=1)
    close(other.get_weights(), model.get_weights(), "weights after the second epoch")


@each(freq=[1, 2, 3, 4, 5])
def a_checkpoint_is_written_every_few_batches(freq):
    """ModelCheckpoint(save_freq={freq}) saves after every {freq} batches"""
    _fit(_model(), [_checkpoint("{epoch}-{batch}.weights.h5", save_freq=freq)], epochs=2)
    expected = ["%d-%d.weights.h5" % (n // 4 + 1, n % 4 + 1) for n in range(8) if (n + 1) % freq == 0]
    equal(_files(), expected, "files")


def a_checkpoint_counts_several_steps():
    """ModelCheckpoint(save_freq=2) counts batches with steps_per_execution=2"""
    callback = _checkpoint("{epoch}-{batch}.weights.h5", save_freq=2)
    _fit(_model(steps_per_execution=2), [callback], epochs=2)
    equal(len(_files()), 4, "files of eight batches")


def a_checkpoint_between_batches_has_the_current_weights():
    """ModelCheckpoint(save_freq=1) saves each step's weights"""
    _fit(_model(), [_checkpoint("{epoch}-{batch}.weights.h5", save_freq=1)], epochs=1)
    twin, (x, y), found = _model(), _data(), _model()
    for batch in range(4):
        twin.train_on_batch(x[2 * batch : 2 * batch + 2], y[2 * batch : 2 * batch + 2])
        found.load_weights("1-%d.weights.h5" % (batch + 1))
        close(found.get_weights(), twin.get_weights(), "weights of batch %d" % batch)


@each(mode=["auto", "min"])
def the_best_batch_is_kept(mode):
    """ModelCheckpoint(save_best_only=True, save_freq=1, mode={mode}) compares batches"""
    callback = _checkpoint("{batch}.weights.h5", monitor="loss", save_best_only=True, save_freq=1, mode=mode)
    x = np.zeros((4, 2), "float32")
    y = np.array([[3.0], [2.0], [5.0], [1.0]], "float32")
    model = _model(rate=0.0)
    _marked(model, 0)
    model.fit(x, y, batch_size=1, verbose=0, shuffle=False, callbacks=[callback])
    # the running means of the losses are 9, 6.5, 12.7 and 9.75
    equal(_files(), ["1.weights.h5", "2.weights.h5"], "files")


def a_checkpoint_warns_of_a_missing_metric():
    """ModelCheckpoint(save_best_only=True) warns when the metric is missing"""
    texts = warned(lambda: _run(_checkpoint(save_best_only=True, monitor="val_nothing", mode="min"), [1.0]))
    true(any("val_nothing" in text for text in texts), "a warning names val_nothing, got %s" % texts)


def a_checkpoint_warns_of_an_unknown_mode():
    """ModelCheckpoint warns of an unknown mode"""
    true(any("mode" in text for text in warned(lambda: _checkpoint(mode="least"))), "it warns of mode='least'")


@each(name=["one.h5", "one.keras", "one.weights", "one"])
def a_wrong_name_of_weights_is_refused(name):
    """ModelCheckpoint(save_weights_only=True) refuses the name {name}"""
    refuses(lambda: _checkpoint(name), name)


@each(name=["one.weights", "one", "one.txt"])
def a_wrong_name_of_a_model_is_refused(name):
    """ModelCheckpoint refuses the name {name}"""
    refuses(lambda: _checkpoint(name, save_weights_only=False), name)


@each(callback=["ModelCheckpoint", "BackupAndRestore"], freq=["batch", "0.5"])
def a_wrong_save_freq_is_refused(callback, freq):
    """{callback} refuses save_freq={freq}"""
    value = freq if freq == "batch" else float(freq)
    _old_names()
    made = getattr(keras.callbacks, callback)
    name = "one.keras" if callback == "ModelCheckpoint" else "folder"
    refuses(lambda: made(name, save_freq=value), "save_freq=%s" % freq)


@each(best=[True, False])
def a_checkpoint_says_what_it_does(best):
    """ModelCheckpoint(verbose=1, save_best_only={best}) prints what it saves"""
    text = printed(lambda: _run(_checkpoint(verbose=1, save_best_only=best, mode="min"), [2.0, 3.0]))
    true("Epoch 1: " in text and "saving model to 1.weights.h5" in text, "it prints the file, got %r" % text)
    if best:
        true("Epoch 2: val_loss did not improve from 2.00000" in text, "it prints the best value, got %r" % text)


def a_checkpoint_refuses_a_folder():
    """ModelCheckpoint says that its file is a folder"""
    os.mkdir("one.keras")
    callback = _checkpoint("one.keras", save_weights_only=False)
    refuses(lambda: _run(callback, [1.0]), "a folder", (OSError, ValueError))


def a_checkpoint_monitors_in_fit():
    """ModelCheckpoint(save_best_only=True) keeps the best val_loss of fit"""
    model = _model(rate=-0.05)
    best = _checkpoint("best.weights.h5", save_best_only=True)
    history = _fit(model, [best], epochs=3, validation_data=_data(4))
    true(history.history["val_loss"][0] == min(history.history["val_loss"]), "the first epoch is the best")
    model.load_weights("best.weights.h5")
    x, y = _data(4)
    close(model.evaluate(x, y, verbose=0), history.history["val_loss"][0], "val_loss of the weights kept")


def a_checkpoint_can_be_used_again():
    """ModelCheckpoint saves in a second fit as in the first"""
    callback, model = _checkpoint(), _model()
    _run(callback, [3.0, 2.0], model=model)
    for name in _files():
        os.unlink(name)
    _run(callback, [3.0, 2.0], model=model)
    equal(_files(), ["1.weights.h5", "2.weights.h5"], "files of the second fit")


class _Stop(keras.callbacks.Callback):
    """Ends fit with an error at the beginning of an epoch, or of a batch of it."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch, self.now = epoch, batch, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            raise InterruptedError("interrupted")

    def on_train_batch_begin(self, batch, logs=None):
        if self.now == self.epoch and batch == self.batch:
            raise InterruptedError("interrupted")


def _interrupted(model, callback, epoch, batch=None, **options):
    try:
        _fit(model, [callback, _Stop(epoch, batch)], **{"epochs": 5, **options})
    except InterruptedError:
        return
    raise Broken("fit was not interrupted")


def _backup(**options):
    return keras.callbacks.BackupAndRestore("backup", **options)


def an_interrupted_fit_goes_on_at_its_epoch():
    """BackupAndRestore continues an interrupted fit at its epoch"""
    _interrupted(_model(), _backup(), 3)
    equal(_fit(_model(), [_backup()], epochs=5).epoch, [3, 4], "epochs of the second fit")


@each(optimizer=["momentum", "Adam", "RMSprop"])
def an_interrupted_fit_ends_the_same(optimizer):
    """A fit that BackupAndRestore continues ends as an uninterrupted one ({optimizer})"""

    def made():
        kind = keras.optimizers.SGD if optimizer == "momentum" else getattr(keras.optimizers, optimizer)
        return kind(0.1, momentum=0.9) if optimizer == "momentum" else kind(0.1)

    _interrupted(_model(optimizer=made()), _backup(), 1, epochs=3, count=4)
    model, whole = _model(optimizer=made()), _model(optimizer=made())
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    _fit(model, [_backup()], epochs=3, count=4)
    _fit(whole, [], epochs=3, count=4)
    close(model.get_weights(), whole.get_weights(), "weights at the end")


def a_backup_goes_on_in_the_same_model():
    """BackupAndRestore continues in the model that was interrupted"""
    model, whole = _model(), _model()
    _interrupted(model, _backup(), 2, epochs=3)
    equal(_fit(model, [_backup()], epochs=3).epoch, [2], "epochs of the second fit")
    _fit(whole, [], epochs=3)
    close(model.get_weights(), whole.get_weights(), "weights at the end")


def a_backup_is_deleted_at_the_end():
    """BackupAndRestore deletes its folder when fit is complete"""
    seen = []
    spy = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(os.path.exists("backup")))
    _fit(_model(), [_backup(), spy], epochs=2)
    equal(seen, [True, True], "whether it is there during fit")
    true(not os.path.exists("backup"), "the folder is deleted")


def a_backup_may_be_kept():
    """BackupAndRestore(delete_checkpoint=False) keeps its folder"""
    callback = need("keras.callbacks.BackupAndRestore(delete_checkpoint)")("backup", delete_checkpoint=False)
    _fit(_model(), [callback], epochs=2)
    true(os.path.exists("backup"), "the folder is kept")


def a_fit_after_a_restored_one_runs_every_epoch():
    """fit without BackupAndRestore begins at epoch 0 after a continued fit"""
    model = _model()
    _interrupted(model, _backup(), 2, epochs=3)
    _fit(model, [_backup()], epochs=3)
    equal(_fit(model, [], epochs=3).epoch, [0, 1, 2], "epochs of the third fit")


def a_complete_fit_is_not_continued():
    """A second fit with BackupAndRestore trains every epoch after a complete one"""
    model = _model()
    for fit in ("first", "second"):
        equal(_fit(model, [_backup()], epochs=2).epoch, [0, 1], "epochs of the %s fit" % fit)


def a_backup_between_batches_has_the_weights():
    """BackupAndRestore(save_freq=1) continues with the weights of the last batch"""
    model = _model()
    _interrupted(model, _backup(save_freq=1), 1, 2)
    other = _model()
    other.load_weights("backup/latest.weights.h5")
    twin, (x, y) = _model(), _data()
    for start in (0, 2, 4, 6, 0, 2):
        twin.train_on_batch(x[start : start + 2], y[start : start + 2])
    close(other.get_weights(), twin.get_weights(), "weights kept")


def a_backup_between_batches_goes_on_in_its_epoch():
    """BackupAndRestore(save_freq=1) continues in the epoch that was interrupted"""
    _interrupted(_model(), _backup(save_freq=1), 2, 2)
    equal(_fit(_model(), [_backup(save_freq=1)], epochs=5).epoch, [2, 3, 4], "epochs of the second fit")


@each(freq=[2, 3])
def a_backup_is_written_every_few_batches(freq):
    """BackupAndRestore(save_freq={freq}) writes after every {freq} batches"""
    times = []
    callback = _backup(save_freq=freq)

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if os.path.exists("backup/latest.weights.h5"):
                os.unlink("backup/latest.weights.h5")
                times.append(batch)

    _fit(_model(), [callback, Watch()], count=16, epochs=1)
    equal(times, [n for n in range(8) if (n + 1) % freq == 0], "batches after which it is written")


def a_broken_backup_falls_back_to_the_one_before():
    """BackupAndRestore(double_checkpoint=True) restores the one before a broken one"""
    made = need("keras.callbacks.BackupAndRestore(double_checkpoint)")
    _interrupted(_model(), made("backup", double_checkpoint=True), 3)
    with open("backup/latest.weights.h5", "wb") as file:
        file.write(b"broken")
    history = _fit(_model(), [made("backup", double_checkpoint=True)], epochs=4)
    twin = _model()
    losses = _fit(twin, [], epochs=4).history["loss"]
    close(history.history["loss"], losses[history.epoch[0] :], "losses of the continued epochs")


def a_backup_needs_a_folder():
    """BackupAndRestore refuses an empty folder name"""
    refuses(lambda: keras.callbacks.BackupAndRestore(""), "backup_dir=''")


def a_backup_needs_a_built_model():
    """BackupAndRestore works with, or clearly refuses, a model that is not built"""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    try:
        _fit(model, [_backup()], epochs=1)
    except ValueError as error:
        true("built" in str(error), "the message says that it is not built, got %s" % error)


def a_backup_takes_a_path():
    """BackupAndRestore takes a pathlib.Path"""
    _interrupted(_model(), keras.callbacks.BackupAndRestore(pathlib.Path("backup")), 1)
    history = _fit(_model(), [keras.callbacks.BackupAndRestore(pathlib.Path("backup"))], epochs=2)
    equal(history.epoch, [1], "epochs of the second fit")


def a_backup_says_its_epoch():
    """BackupAndRestore notes the number of epochs that are complete"""
    _interrupted(_model(), _backup(), 2)
    with open("backup/training_metadata.json", encoding="utf-8") as file:
        equal(json.load(file)["epoch"], 2, "epoch")


def _average(optimizer_options, steps=2):
    """Returns weights and their moving averages after some steps of SGD, in float64."""
    model, (x, y) = _model(optimizer=keras.optimizers.SGD(0.1)), _data(2)
    average = None
    for _ in range(steps):
        model.train_on_batch(x, y)
        now = [weight.astype("float64") for weight in model.get_weights()]
        momentum = optimizer_options["ema_momentum"]
        average = now if average is None else [momentum * a + (1 - momentum) * b for a, b in zip(average, now)]
    return now, average


EMA = {"use_ema": True, "ema_momentum": 0.5}


def averages_are_the_weights_after_fit():
    """An optimizer with use_ema leaves the averages in the model after fit"""
    model = _model(optimizer=keras.optimizers.SGD(0.1, **EMA))
    _fit(model, [], count=2, epochs=2)
    close(model.get_weights(), _average(EMA)[1], "weights after fit")


@each(swap_on_epoch=[True, False])
def swapped_averages_are_validated(swap_on_epoch):
    """SwapEMAWeights(swap_on_epoch={swap_on_epoch}) validates with the averages"""
    callback = need("keras.callbacks.SwapEMAWeights")(swap_on_epoch=swap_on_epoch)
    model, (x, y) = _model(optimizer=keras.optimizers.SGD(0.1, **EMA)), _data(2)
    history = _fit(model, [callback], count=2, epochs=2, validation_data=(x, y))
    twin = _model()
    twin.set_weights(_average(EMA)[1])
    close(history.history["val_loss"][1], twin.evaluate(x, y, verbose=0), "val_loss of the second epoch")


@each(swap_on_epoch=[True, False])
def swapped_averages_stay_after_fit(swap_on_epoch):
    """SwapEMAWeights(swap_on_epoch={swap_on_epoch}) leaves the averages after fit"""
    callback = need("keras.callbacks.SwapEMAWeights")(swap_on_epoch=swap_on_epoch)
    model = _model(optimizer=keras.optimizers.SGD(0.1, **EMA))
    _fit(model, [callback], count=2, epochs=2)
    close(model.get_weights(), _average(EMA)[1], "weights after fit")


@each(swap_on_epoch=[True, False])
def swapping_does_not_disturb_training(swap_on_epoch):
    """SwapEMAWeights(swap_on_epoch={swap_on_epoch}) trains the real weights on"""
    callback = need("keras.callbacks.SwapEMAWeights")(swap_on_epoch=swap_on_epoch)
    x, y = _data(2)
    one = _model(optimizer=keras.optimizers.SGD(0.1, **EMA))
    two = _model(optimizer=keras.optimizers.SGD(0.1, **EMA))
    a = _fit(one, [callback], count=2, epochs=3, validation_data=(x, y)).history["loss"]
    close(a, _fit(two, [], count=2, epochs=3).history["loss"], "training losses")


@each(method=["evaluate", "predict"])
def averages_are_swapped_back(method):
    """{method} with SwapEMAWeights uses the averages and restores the weights"""
    callback = need("keras.callbacks.SwapEMAWeights")()
    model, (x, y) = _model(optimizer=keras.optimizers.SGD(0.1, **EMA)), _data(2)
    for _ in range(2):
        model.train_on_batch(x, y)
    weights, average = _average(EMA)
    twin = _model()
    twin.set_weights(average)
    if method == "evaluate":
        close(model.evaluate(x, y, verbose=0, callbacks=[callback]), twin.evaluate(x, y, verbose=0), "loss")
    else:
        close(model.predict(x, verbose=0, callbacks=[callback]), twin.predict(x, verbose=0), "outputs")
    close(model.get_weights(), weights, "weights afterwards")


def swapped_averages_are_saved():
    """ModelCheckpoint after SwapEMAWeights(swap_on_epoch=True) saves the averages"""
    callback = need("keras.callbacks.SwapEMAWeights")(swap_on_epoch=True)
    model = _model(optimizer=keras.optimizers.SGD(0.1, **EMA))
    _fit(model, [callback, _checkpoint()], count=2, epochs=2)
    twin = _model()
    twin.load_weights("2.weights.h5")
    close(twin.get_weights(), _average(EMA)[1], "weights in the file")


def swapping_needs_averages():
    """SwapEMAWeights refuses an optimizer without use_ema"""
    callback = need("keras.callbacks.SwapEMAWeights")()
    x, y = _data(2)
    refuses(lambda: _model().evaluate(x, y, verbose=0, callbacks=[callback]), "an optimizer without averages")


def several_callbacks_work_together():
    """Checkpoint, early stopping, schedule and CSV work in one fit, and in a second"""
    callbacks = [
        _checkpoint("{epoch}.weights.h5"),
        keras.callbacks.EarlyStopping("val_loss", patience=9),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.05),
        keras.callbacks.CSVLogger("log.csv"),
        keras.callbacks.TerminateOnNaN(),
    ]
    model = _model()
    for _ in range(2):
        history = _fit(model, callbacks, epochs=2, count=2, validation_data=_data(2))
        equal(sorted(history.history), ["learning_rate", "loss", "val_loss"], "keys")
        equal(_files(), ["1.weights.h5", "2.weights.h5", "log.csv"], "files")
        with open("log.csv", encoding="utf-8") as file:
            equal(file.readline().strip(), "epoch,learning_rate,loss,val_loss", "first line of the log")


def orbax_names_its_package():
    """OrbaxCheckpoint works, or says that orbax is missing"""
    made = need("keras.callbacks.OrbaxCheckpoint")
    try:
        need("orbax")
    except Exception:
        refuses(lambda: made("folder"), "OrbaxCheckpoint without orbax", (ImportError, ValueError))
