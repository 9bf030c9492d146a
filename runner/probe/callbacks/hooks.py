"""When the hooks of a callback are called, with what, and what they may do."""

from __future__ import annotations

import functools

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, close, equal, given, need, numbers, refuses, true

HOOKS = [
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_begin",
    "on_predict_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
]


class _Spy(keras.callbacks.Callback):
    """Notes each call of a hook, with its number, and the keys of its logs."""

    def __init__(self, name="", notes=None):
        super().__init__()
        self.name = name
        self.calls = [] if notes is None else notes
        self.keys = {}
        for hook in HOOKS:
            setattr(self, hook, functools.partial(self._note, hook))

    def _note(self, hook, *arguments, **keywords):
        number = [value for value in arguments if isinstance(value, (int, np.integer))]
        logs = keywords.get("logs") or (arguments[-1] if arguments and isinstance(arguments[-1], dict) else {})
        self.keys.setdefault(hook, []).append(sorted(logs))
        self.calls.append(" ".join([self.name + hook[3:], *map(str, number)]))


class _Acts(keras.callbacks.Callback):
    """Calls ``act(self)`` in one hook, at one call of it, or at each."""

    def __init__(self, hook, act, at=None):
        super().__init__()
        self.hook_calls = 0
        setattr(self, hook, functools.partial(self._hook, act, at))

    def _hook(self, act, at, *arguments, **keywords):
        self.hook_calls += 1
        if at is None or self.hook_calls == at:
            act(self)


def _model(rate=0.0, **options):
    """Returns a compiled linear model of two inputs."""
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True, **options)
    return model


def _data(count=5):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _fit(model, callbacks, count=5, **options):
    x, y = _data(count)
    options = {"batch_size": 2, "epochs": 2, "verbose": 0, "shuffle": False, **options}
    return model.fit(x, y, callbacks=callbacks, **options)


def _batches(kind, *numbers):
    return [text % (kind, number) for number in numbers for text in ("%s_batch_begin %d", "%s_batch_end %d")]


def fit_calls_its_hooks_in_order():
    """fit calls train, epoch and batch hooks in order, numbered from 0"""
    spy = _Spy()
    _fit(_model(), [spy])
    epochs = [["epoch_begin %d" % e, *_batches("train", 0, 1, 2), "epoch_end %d" % e] for e in (0, 1)]
    equal(spy.calls, ["train_begin", *epochs[0], *epochs[1], "train_end"], "calls")


def validation_calls_test_hooks_before_the_epoch_ends():
    """Validation calls the test hooks, before the epoch's end"""
    spy = _Spy()
    _fit(_model(), [spy], epochs=1, validation_data=_data(4))
    tests = ["test_begin", *_batches("test", 0, 1), "test_end"]
    equal(spy.calls, ["train_begin", "epoch_begin 0", *_batches("train", 0, 1, 2), *tests, "epoch_end 0", "train_end"])


def evaluate_calls_its_hooks_in_order():
    """evaluate calls only the test hooks, in order"""
    spy, (x, y) = _Spy(), _data()
    _model().evaluate(x, y, batch_size=2, verbose=0, callbacks=[spy])
    equal(spy.calls, ["test_begin", *_batches("test", 0, 1, 2), "test_end"], "calls")


def predict_calls_its_hooks_in_order():
    """predict calls only the predict hooks, in order"""
    spy = _Spy()
    _model().predict(_data()[0], batch_size=2, verbose=0, callbacks=[spy])
    equal(spy.calls, ["predict_begin", *_batches("predict", 0, 1, 2), "predict_end"], "calls")


def _numbers_of(spy, hook):
    return [int(call.split()[1]) for call in spy.calls if call.startswith(hook + " ")]


def several_steps_are_one_batch_call_in_fit():
    """With steps_per_execution=2, four batches begin at 0 and 2"""
    spy = _Spy()
    _fit(_model(steps_per_execution=2), [spy], count=8, epochs=1)
    equal(_numbers_of(spy, "train_batch_begin"), [0, 2], "batches that begin")


def several_steps_end_with_the_last_of_them():
    """With steps_per_execution=2, four batches end at 1 and 3"""
    spy = _Spy()
    _fit(_model(steps_per_execution=2), [spy], count=8, epochs=1)
    equal(_numbers_of(spy, "train_batch_end"), [1, 3], "batches that end")


@each(method=["fit", "evaluate", "predict"])
def an_odd_rest_of_steps_stays_within_the_epoch(method):
    """{method}, steps_per_execution=2: no batch number is beyond the last batch"""
    spy, model, (x, y) = _Spy(), _model(steps_per_execution=2), _data(6)
    options = {"batch_size": 2, "verbose": 0, "callbacks": [spy]}
    targets = () if method == "predict" else (y,)
    getattr(model, method)(x, *targets, **options)
    hook = {"fit": "train", "evaluate": "test", "predict": "predict"}[method] + "_batch_end"
    true(max(_numbers_of(spy, hook)) <= 2, "three batches are numbered 0 to 2, got %s" % _numbers_of(spy, hook))


@each(method=["evaluate", "predict"])
def several_steps_are_one_batch_call(method):
    """{method}, steps_per_execution=2: four batches begin at 0 and 2"""
    spy, model, (x, y) = _Spy(), _model(steps_per_execution=2), _data(8)
    targets = () if method == "predict" else (y,)
    getattr(model, method)(x, *targets, batch_size=2, verbose=0, callbacks=[spy])
    equal(_numbers_of(spy, {"evaluate": "test"}.get(method, method) + "_batch_begin"), [0, 2], "batches that begin")


@each(hook=["train_batch_end", "epoch_end", "train_end"])
def logs_of_fit_have_the_loss(hook):
    """logs of on_{hook} hold the loss and the metrics"""
    spy = _Spy()
    _fit(_model(metrics=["mae"]), [spy], epochs=1)
    equal(spy.keys["on_" + hook][-1], ["loss", "mae"], "keys")


@each(hook=["test_batch_end", "test_end"])
def logs_of_evaluate_have_the_loss(hook):
    """logs of on_{hook} hold the loss and the metrics"""
    spy, (x, y) = _Spy(), _data()
    _model(metrics=["mae"]).evaluate(x, y, verbose=0, callbacks=[spy])
    equal(spy.keys["on_" + hook][-1], ["loss", "mae"], "keys")


def logs_of_an_epoch_have_validation():
    """logs of on_epoch_end hold validation's results with val_ before"""
    spy = _Spy()
    _fit(_model(metrics=["mae"]), [spy], epochs=1, validation_data=_data())
    equal(spy.keys["on_epoch_end"], [["loss", "mae", "val_loss", "val_mae"]], "keys")


@each(last=[2, 1])
def logs_of_predict_have_the_outputs(last):
    """logs of on_predict_batch_end hold the outputs, of a last batch of {last} too"""
    seen = []

    class Keep(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(np.array(logs["outputs"]))

    model, x = _model(), _data(2 + last)[0]
    found = model.predict(x, batch_size=2, verbose=0, callbacks=[Keep()])
    equal([outputs.shape for outputs in seen], [(2, 1), (last, 1)], "shapes")
    close(np.concatenate(seen), found, "outputs of all batches")


@each(method=["fit", "evaluate", "predict"])
def callbacks_of_a_list_are_called_in_order(method):
    """{method} calls each hook of the callbacks in the order of the list"""
    calls, model, (x, y) = [], _model(), _data(2)
    pair = [_Spy("a ", calls), _Spy("b ", calls)]
    targets = () if method == "predict" else (y,)
    getattr(model, method)(x, *targets, verbose=0, callbacks=pair)
    equal(calls[0::2], [text.replace("b ", "a ", 1) for text in calls[1::2]], "the calls of both")
    true(all(text.startswith("a ") for text in calls[0::2]), "the first of the list comes first")


@each(method=["fit", "evaluate", "predict"])
def a_callback_has_its_model(method):
    """A callback's model is the model on which {method} is called"""
    found, model, (x, y) = [], _model(), _data(2)
    hook = {"fit": "on_train_begin", "evaluate": "on_test_begin", "predict": "on_predict_begin"}[method]
    targets = () if method == "predict" else (y,)
    act = _Acts(hook, lambda callback: found.append(callback.model is model))
    getattr(model, method)(x, *targets, verbose=0, callbacks=[act])
    equal(found, [True], "whether it is the model")


@each(method=["fit", "evaluate", "predict"])
def a_callback_knows_the_number_of_steps(method):
    """A callback's params say verbose, epochs and steps in {method}"""
    found, model, (x, y) = [], _model(), _data(5)
    hook = {"fit": "on_train_begin", "evaluate": "on_test_begin", "predict": "on_predict_begin"}[method]
    targets = () if method == "predict" else (y,)
    act = _Acts(hook, lambda callback: found.append(dict(callback.params)))
    getattr(model, method)(x, *targets, batch_size=2, verbose=0, callbacks=[act])
    expected = {"verbose": 0, "epochs": 1, "steps": 3}
    equal({key: found[0].get(key) for key in expected}, expected, "params")


def params_say_epochs_and_verbose():
    """A callback's params hold the epochs and the steps that fit was given"""
    found = []
    act = _Acts("on_train_begin", lambda callback: found.append(dict(callback.params)))
    _fit(_model(), [act], count=8, epochs=3, steps_per_epoch=2)
    equal((found[0]["epochs"], found[0]["steps"], found[0]["verbose"]), (3, 2, 0), "params")


def a_single_callback_needs_no_list():
    """fit takes one callback that is not in a list"""
    spy = _Spy()
    _fit(_model(), spy, epochs=1)
    equal(spy.calls[0], "train_begin", "first call")


def a_callback_list_may_be_given():
    """fit takes a CallbackList and calls its callbacks"""
    spy, model = _Spy(), _model()
    made = keras.callbacks.CallbackList([spy], add_history=True, model=model, epochs=1, steps=3, verbose=0)
    _fit(model, made, epochs=1)
    equal(spy.calls[-1], "train_end", "last call")


def a_callback_list_gives_its_parameters():
    """CallbackList gives its callbacks the model and the params"""
    spy, model = _Spy(), _model()
    keras.callbacks.CallbackList([spy], model=model, epochs=7, steps=2)
    true(spy.model is model, "the callback has the model")
    equal((spy.params["epochs"], spy.params["steps"]), (7, 2), "params")


def a_callback_list_adds_history():
    """CallbackList(add_history=True) sets the model's history"""
    model = _model()
    made = keras.callbacks.CallbackList(add_history=True, model=model)
    made.on_train_begin()
    made.on_epoch_begin(0)
    made.on_epoch_end(0, {"loss": 0.5})
    made.on_train_end()
    equal(model.history.history, {"loss": [0.5]}, "history")


def a_callback_list_calls_its_callbacks():
    """CallbackList's hooks call the hooks of its callbacks"""
    spy = _Spy()
    made = keras.callbacks.CallbackList([spy])
    made.on_train_begin()
    made.on_train_batch_begin(3)
    made.on_train_batch_end(3, {"loss": 1.0})
    made.on_train_end()
    equal(spy.calls, ["train_begin", *_batches("train", 3), "train_end"], "calls")


@each(hook=["on_batch_begin", "on_batch_end"])
def the_old_batch_hooks_are_called_in_fit(hook):
    """fit calls {hook} for each batch"""
    found = []

    def note(self, batch, logs=None):
        found.append(batch)

    _fit(_model(), [type("Old", (keras.callbacks.Callback,), {hook: note})()], epochs=1)
    equal(found, [0, 1, 2], "batches")


def lambda_callback_is_called():
    """LambdaCallback calls the functions that it was given"""
    calls = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: calls.append(("epoch_begin", epoch)),
        on_epoch_end=lambda epoch, logs: calls.append(("epoch_end", epoch, sorted(logs))),
        on_train_begin=lambda logs: calls.append("train_begin"),
        on_train_end=lambda logs: calls.append("train_end"),
        on_train_batch_begin=lambda batch, logs: calls.append(("begin", batch)),
        on_train_batch_end=lambda batch, logs: calls.append(("end", batch, sorted(logs))),
    )
    _fit(_model(), [callback], count=2, epochs=1)
    loss = ["loss"]
    expected = ["train_begin", ("epoch_begin", 0), ("begin", 0), ("end", 0, loss), ("epoch_end", 0, loss), "train_end"]
    equal(calls, expected, "calls")


@each(method=["evaluate", "predict"])
def lambda_callback_takes_every_hook(method):
    """LambdaCallback calls functions that are given for the hooks of {method}"""
    calls, (x, y), kind = [], _data(2), {"evaluate": "test"}.get(method, method)
    hooks = ["on_%s_%s" % (kind, when) for when in ("begin", "batch_begin", "batch_end", "end")]
    functions = {hook: lambda *_, hook=hook, **__: calls.append(hook) for hook in hooks}
    targets = () if method == "predict" else (y,)
    getattr(_model(), method)(x, *targets, verbose=0, callbacks=[keras.callbacks.LambdaCallback(**functions)])
    equal(calls, hooks, "calls")


@each(hook=["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"])
def stop_training_ends_after_the_batch(hook):
    """stop_training set in {hook} ends fit after that batch"""
    spy = _Spy()

    def stop(callback):
        callback.model.stop_training = True

    at = 2 if hook == "on_epoch_begin" else 5
    _fit(_model(), [spy, _Acts(hook, stop, at)], epochs=3)
    expected = 4 if hook == "on_epoch_begin" else 5
    equal(sum(call.startswith("train_batch_end") for call in spy.calls), expected, "batches trained")
    equal(spy.calls[-2:], ["epoch_end 1", "train_end"], "the last calls")


@each(hook=["on_epoch_end", "on_test_end"])
def stop_training_ends_after_the_epoch(hook):
    """stop_training set in {hook} ends fit after that epoch"""
    spy = _Spy()

    def stop(callback):
        callback.model.stop_training = True

    _fit(_model(), [spy, _Acts(hook, stop)], count=2, epochs=3, validation_data=_data(2))
    equal([call for call in spy.calls if "epoch" in call], ["epoch_begin 0", "epoch_end 0"], "epochs")


def a_stopped_fit_can_go_on():
    """A second fit trains all epochs after the first was stopped"""
    model = _model()

    def stop(callback):
        callback.model.stop_training = True

    first = _fit(model, [_Acts("on_epoch_end", stop)], count=2, epochs=3)
    equal(first.epoch, [0], "epochs of the first fit")
    equal(_fit(model, [], count=2, epochs=3).epoch, [0, 1, 2], "epochs of the second")


def stop_evaluating_ends_evaluate():
    """stop_evaluating set in on_test_batch_end ends evaluate"""
    spy, model, (x, y) = _Spy(), _model(), _data(8)

    def stop(callback):
        callback.model.stop_evaluating = True

    model.evaluate(x, y, batch_size=2, verbose=0, callbacks=[spy, _Acts("on_test_batch_end", stop, 2)])
    equal(_numbers_of(spy, "test_batch_end"), [0, 1], "batches")


def stop_predicting_ends_predict():
    """stop_predicting set in on_predict_batch_end ends predict"""
    model, x = _model(), _data(8)[0]

    def stop(callback):
        callback.model.stop_predicting = True

    found = model.predict(x, batch_size=2, verbose=0, callbacks=[_Acts("on_predict_batch_end", stop, 2)])
    equal(found.shape, (4, 1), "shape of the outputs")


def epochs_begin_at_initial_epoch():
    """fit(initial_epoch=2, epochs=4) trains the epochs 2 and 3"""
    spy = _Spy()
    history = _fit(_model(), [spy], count=2, epochs=4, initial_epoch=2)
    equal(_numbers_of(spy, "epoch_begin"), [2, 3], "epochs")
    equal(history.epoch, [2, 3], "History.epoch")


def no_epochs_are_left_after_the_last():
    """fit(initial_epoch=3, epochs=3) trains nothing and returns a History"""
    history = _fit(_model(), [], count=2, epochs=3, initial_epoch=3)
    equal((history.epoch, history.history), ([], {}), "epochs and history")


@each(freq=["2", "3", "[1, 3]"])
def validation_runs_at_its_frequency(freq):
    """validation_freq={freq} validates at the end of those epochs"""
    spy = _Spy()
    chosen = {"2": 2, "3": 3, "[1, 3]": [1, 3]}[freq]
    expected = {"2": [1, 3], "3": [2], "[1, 3]": [0, 2]}[freq]
    _fit(_model(), [spy], count=2, epochs=4, validation_data=_data(2), validation_freq=chosen)
    found = [n for n, keys in enumerate(spy.keys["on_epoch_end"]) if "val_loss" in keys]
    equal(found, expected, "epochs with validation")


@each(hook=["on_train_begin", "on_train_batch_end", "on_test_end", "on_train_end"])
def an_error_in_a_hook_reaches_the_caller(hook):
    """An error that is raised in {hook} comes out of fit"""

    def fail(callback):
        raise ZeroDivisionError("mine")

    refuses(
        lambda: _fit(_model(), [_Acts(hook, fail)], count=2, epochs=1, validation_data=_data(2)),
        "an error in " + hook,
        (ZeroDivisionError,),
    )


@each(hook=["on_train_batch_begin", "on_epoch_end"])
def a_model_survives_an_error_in_a_hook(hook):
    """After an error in {hook} the model still predicts and trains"""
    model = _model()

    def fail(callback):
        raise ZeroDivisionError("mine")

    try:
        _fit(model, [_Acts(hook, fail, 2)], count=4, epochs=3)
    except ZeroDivisionError:
        pass
    else:
        raise Broken("the error did not come out of fit")
    true(np.isfinite(model.predict(_data(2)[0], verbose=0)).all(), "it predicts")
    true(np.isfinite(_fit(model, [], count=2, epochs=1).history["loss"][0]), "it trains")


@each(hook=["on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end"])
def weights_are_current_in_a_hook(hook):
    """The model's weights in {hook} are those after the steps so far"""
    rows = []
    act = _Acts(hook, lambda callback: rows.append(np.array(callback.model.get_weights()[0]).ravel()))
    _fit(_model(rate=0.1), [act], count=6, epochs=2)
    model, (x, y), expected = _model(rate=0.1), _data(6), []
    for _ in range(2):
        if hook == "on_epoch_begin":
            expected.append(model.get_weights()[0].ravel())
        for start in (0, 2, 4):
            if hook == "on_train_batch_begin":
                expected.append(model.get_weights()[0].ravel())
            model.train_on_batch(x[start : start + 2], y[start : start + 2])
            if hook == "on_train_batch_end":
                expected.append(model.get_weights()[0].ravel())
        if hook == "on_epoch_end":
            expected.append(model.get_weights()[0].ravel())
    close(rows, expected, "kernels seen")


@each(hook=["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"])
def weights_set_in_a_hook_are_used(hook):
    """Weights that {hook} sets are what training goes on from"""

    def reset(callback):
        callback.model.set_weights([np.array([[7.0], [-7.0]]), np.array([1.0])])

    model, last = _model(rate=0.01), _model(rate=0.01)
    _fit(model, [_Acts(hook, reset)], count=4, epochs=1)
    x, y = _data(4)
    reset(type("Holder", (), {"model": last}))
    if hook in ("on_train_begin", "on_epoch_begin"):
        last.train_on_batch(x[:2], y[:2])
    if hook in ("on_train_begin", "on_epoch_begin", "on_train_batch_begin"):
        last.train_on_batch(x[2:], y[2:])
    close(model.get_weights(), last.get_weights(), "weights after fit")


@each(hook=["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"])
def a_rate_set_in_a_hook_is_used(hook):
    """A learning rate of 0 that {hook} sets stops all change"""

    def freeze(callback):
        callback.model.optimizer.learning_rate = 0.0

    model = _model(rate=0.1)
    before = model.get_weights()
    if hook == "on_train_batch_end":
        x, y = _data(2)
        twin = _model(rate=0.1)
        twin.train_on_batch(x, y)
        before = twin.get_weights()
    _fit(model, [_Acts(hook, freeze)], count=6, epochs=1)
    close(model.get_weights(), before, "weights after fit")


@each(compiled=["run_eagerly", "jit"])
def a_rate_set_between_batches_is_used(compiled):
    """A rate set in on_train_batch_begin is the step's rate ({compiled})"""
    model = _model(rate=0.1)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=compiled == "run_eagerly")

    def freeze(callback):
        callback.model.optimizer.learning_rate = 0.0

    _fit(model, [_Acts("on_train_batch_begin", freeze, 2)], count=6, epochs=1)
    twin, (x, y) = _model(rate=0.1), _data(2)
    twin.train_on_batch(x, y)
    close(model.get_weights(), twin.get_weights(), "weights after fit")


@each(hook=["on_train_batch_end", "on_epoch_end"])
def iterations_count_the_steps_in_a_hook(hook):
    """optimizer.iterations in {hook} is the number of steps so far"""
    found = []
    act = _Acts(hook, lambda callback: found.append(int(np.array(callback.model.optimizer.iterations.value))))
    _fit(_model(), [act], count=6, epochs=2)
    equal(found, [1, 2, 3, 4, 5, 6] if hook == "on_train_batch_end" else [3, 6], "iterations")


@each(hook=["on_train_batch_end", "on_epoch_end"], method=["predict", "evaluate"])
def other_calls_in_a_hook_do_not_disturb_training(hook, method):
    """{method} called in {hook} leaves the trained weights as they are"""
    x, y = _data(4)

    def call(callback):
        if method == "predict":
            callback.model.predict(x, verbose=0)
        else:
            callback.model.evaluate(x, y, verbose=0)

    model, twin = _model(rate=0.1), _model(rate=0.1)
    _fit(model, [_Acts(hook, call, 1)], count=4, epochs=2)
    for start in (0, 2, 0, 2):
        twin.train_on_batch(x[start : start + 2], y[start : start + 2])
    close(model.get_weights(), twin.get_weights(), "weights after fit")


@each(method=["predict", "evaluate"])
def other_calls_at_an_epochs_end_leave_the_history(method):
    """{method} called in on_epoch_end leaves the history as it is"""
    x, y = _data(4)

    def call(callback):
        if method == "predict":
            callback.model.predict(x[:2] * 3, verbose=0)
        else:
            callback.model.evaluate(x[:2] * 3, y[:2], verbose=0)

    data = _data(3)
    one = _fit(_model(rate=0.1), [_Acts("on_epoch_end", call)], count=4, validation_data=data)
    two = _fit(_model(rate=0.1), [], count=4, validation_data=data)
    close(one.history, two.history, "history")


def evaluating_in_a_hook_sees_the_current_weights():
    """evaluate in on_epoch_end gives what validation gives"""
    x, y = _data(4)
    found = []
    act = _Acts("on_epoch_end", lambda callback: found.append(callback.model.evaluate(x, y, verbose=0)))
    history = _fit(_model(rate=0.1), [act], count=4, validation_data=(x, y))
    close(found, history.history["val_loss"], "losses")


def saving_in_a_hook_saves_the_current_weights():
    """save_weights in on_train_batch_end saves that step's weights"""
    kept = []

    def save(callback):
        callback.model.save_weights("now.weights.h5")
        kept.append(callback.model.get_weights())

    model = _model(rate=0.1)
    _fit(model, [_Acts("on_train_batch_end", save, 2)], count=6, epochs=1)
    model.load_weights("now.weights.h5")
    close(model.get_weights(), kept[0], "weights loaded")
    x, y = _data(6)
    twin = _model(rate=0.1)
    for start in (0, 2):
        twin.train_on_batch(x[start : start + 2], y[start : start + 2])
    close(kept[0], twin.get_weights(), "weights saved")


def a_callback_is_used_again_in_a_second_fit():
    """One callback works in two fits of two models"""
    spy, models, seen = _Spy(), [_model(), _model()], []
    spy.on_train_begin = lambda logs=None: seen.append(spy.model)
    for model in models:
        _fit(model, [spy], count=2, epochs=1)
    true(seen[0] is models[0] and seen[1] is models[1], "it has the model of each fit")


def validation_uses_the_callbacks_params():
    """Validation inside fit leaves the steps of fit in params"""
    found = []
    act = _Acts("on_epoch_end", lambda callback: found.append(callback.params["steps"]))
    _fit(_model(), [act], count=6, epochs=2, validation_data=_data(2))
    equal(found, [3, 3], "steps")


def a_subclassed_train_step_gives_its_logs():
    """What a custom train_step returns is what the hooks get"""

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, *arguments):
            if keras.backend.backend() == "jax":
                return {"mine": np.float32(3.0)}, arguments[0]
            return {"mine": keras.ops.convert_to_tensor(3.0)}

    model = Own()
    model.build((None, 2))
    model.compile("sgd", "mse", run_eagerly=True)
    history = _fit(model, [], count=2, epochs=1)
    close(history.history.get("mine", [0.0]), [3.0], "history of mine")


def trainers_refuse_unknown_arguments():
    """fit refuses an argument that does not exist"""
    refuses(lambda: _fit(_model(), [], nothing=1), "fit(nothing=1)")


def keras_callback_names_are_there():
    """Every documented callback of the release can be made of its defaults"""
    for name in ("History", "TerminateOnNaN", "ProgbarLogger", "EarlyStopping", "TensorBoard"):
        need("keras.callbacks." + name)()
