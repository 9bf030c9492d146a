"""What fit, evaluate and predict print, and the progress bar itself."""

from __future__ import annotations

import contextlib
import io
import re
import sys

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import equal, given, need, numbers, printed, refuses, true


def _model(**options):
    model = given(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True, **options)
    return model


def _data(count=5):
    return numbers(count, 2), numbers(count, 1, seed=1)


def _lines(function):
    """Returns what is printed as lines without colours."""
    text = re.sub(r"\x1b\[\d*m", "", printed(function))
    return [line.strip() for line in re.split(r"[\r\n\b]+", text) if line.strip()]


def _shown(line):
    """Returns the numbers in a line of progress by name, as text."""
    return dict(re.findall(r"(\w+): (\S+)", line))


def _text(value):
    return ("%.4f" if abs(value) > 1e-3 else "%.4e") % value


def _fit(model, count=5, **options):
    x, y = _data(count)
    return model.fit(x, y, **{"batch_size": 2, "shuffle": False, **options})


def silence_is_silent():
    """verbose=0 prints nothing in fit, evaluate and predict"""
    model, (x, y) = _model(), _data()

    def work():
        _fit(model, verbose=0, epochs=2, validation_data=(x, y))
        model.evaluate(x, y, verbose=0)
        model.predict(x, verbose=0)

    equal(printed(work), "", "output")


@each(verbose=["1", "2", "auto"])
def the_last_line_has_the_history(verbose):
    """fit(verbose={verbose}) ends an epoch with the numbers of the history"""
    model, kept = _model(metrics=["mae"]), []
    mode = verbose if verbose == "auto" else int(verbose)
    lines = _lines(lambda: kept.append(_fit(model, verbose=mode, validation_data=_data(3))))
    expected = {key: _text(values[0]) for key, values in kept[0].history.items()}
    equal(_shown(lines[-1]), expected, "numbers of the last line")
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])


@each(verbose=[1, 2])
def epochs_are_numbered(verbose):
    """fit(verbose={verbose}, epochs=2) prints Epoch 1/2 and Epoch 2/2"""
    lines = _lines(lambda: _fit(_model(), verbose=verbose, epochs=2))
    equal([line for line in lines if line.startswith("Epoch")], ["Epoch 1/2", "Epoch 2/2"], "headings")


def one_line_for_each_epoch():
    """fit(verbose=2) prints a heading and one line for each epoch"""
    equal(len(_lines(lambda: _fit(_model(), verbose=2, epochs=2, validation_data=_data(3)))), 4, "lines")


def epochs_are_numbered_from_initial_epoch():
    """fit(initial_epoch=1, epochs=3) prints Epoch 2/3 and Epoch 3/3"""
    lines = _lines(lambda: _fit(_model(), verbose=2, epochs=3, initial_epoch=1))
    equal([line for line in lines if line.startswith("Epoch")], ["Epoch 2/3", "Epoch 3/3"], "headings")


def the_first_line_has_the_first_batch():
    """fit(verbose=1) prints the first batch and its loss"""
    losses = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    lines = _lines(lambda: _fit(_model(), verbose=1, callbacks=[spy]))
    true(lines[0].startswith("1/3"), "the first line begins with 1/3, got %s" % lines[0])
    equal(_shown(lines[0]).get("loss"), _text(losses[0]), "loss of the first line")


@each(method=["fit", "evaluate", "predict"])
def an_odd_rest_ends_at_the_last_step(method):
    """{method}, steps_per_execution=2: three steps end with 3/3"""
    model, (x, y) = _model(steps_per_execution=2), _data(6)
    targets = () if method == "predict" else (y,)
    lines = _lines(lambda: getattr(model, method)(x, *targets, batch_size=2, verbose=1))
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])


@each(verbose=["1", "2", "auto"])
def evaluate_prints_its_result(verbose):
    """evaluate(verbose={verbose}) prints what it returns"""
    model, (x, y), kept = _model(metrics=["mae"]), _data(), []
    mode = verbose if verbose == "auto" else int(verbose)
    options = {"batch_size": 2, "verbose": mode, "return_dict": True}
    lines = _lines(lambda: kept.append(model.evaluate(x, y, **options)))
    equal(_shown(lines[-1]), {key: _text(value) for key, value in kept[0].items()}, "numbers of the last line")
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])


@each(verbose=["1", "2", "auto"])
def predict_prints_its_steps(verbose):
    """predict(verbose={verbose}) ends with all steps"""
    model, mode = _model(), verbose if verbose == "auto" else int(verbose)
    lines = _lines(lambda: model.predict(_data()[0], batch_size=2, verbose=mode))
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])
    equal(_shown(lines[-1]), {}, "numbers of the last line")


def validation_prints_no_steps_of_its_own():
    """Validation inside fit prints no line"""
    model, (x, y) = _model(), _data(8)
    lines = _lines(lambda: _fit(model, count=2, verbose=1, validation_data=(x, y)))
    true(all(line.startswith("1/1") for line in lines), "all lines are of the one training step, got %s" % lines)


@each(verbose=[1, 2])
def unknown_steps_are_counted(verbose):
    """fit(verbose={verbose}) on a generator ends with the steps that it had"""
    x, y = _data(6)

    def batches():
        for start in (0, 2, 4):
            yield x[start : start + 2], y[start : start + 2]

    kept = []
    lines = _lines(lambda: kept.append(_model().fit(batches(), verbose=verbose)))
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])
    equal(_shown(lines[-1]), {"loss": _text(kept[0].history["loss"][0])}, "numbers of the last line")


def evaluation_of_a_generator_is_counted():
    """evaluate(verbose=1) on a generator ends with the steps that it had"""
    x, y = _data(6)
    kept = []

    def batches():
        for start in (0, 2, 4):
            yield x[start : start + 2], y[start : start + 2]

    lines = _lines(lambda: kept.append(_model().evaluate(batches(), verbose=1)))
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])
    equal(_shown(lines[-1]), {"loss": _text(kept[0])}, "numbers of the last line")


def prediction_of_a_generator_is_counted():
    """predict(verbose=1) on a generator ends with the steps that it had"""
    x, _ = _data(6)
    batches = ((x[start : start + 2],) for start in (0, 2, 4))
    lines = _lines(lambda: _model().predict(batches, verbose=1))
    true(lines[-1].startswith("3/3"), "the last line begins with 3/3, got %s" % lines[-1])


def a_given_progress_callback_is_enough():
    """fit that is given a ProgbarLogger prints one line for an epoch"""
    callback = need("keras.callbacks.ProgbarLogger")()
    lines = _lines(lambda: _fit(_model(), verbose=2, epochs=1, callbacks=[callback]))
    equal(len(lines), 1, "lines")


def small_numbers_are_shown_with_an_exponent():
    """A loss below 0.001 is shown with an exponent"""
    bar = keras.utils.Progbar(1, verbose=2)
    line = _lines(lambda: bar.update(1, [("loss", 0.00012345)]))[-1]
    equal(_shown(line), {"loss": "1.2345e-04"}, "numbers")


@each(verbose=[1, 2])
def negative_numbers_are_shown_plainly(verbose):
    """A progress bar shows -0.5 as -0.5000 (verbose={verbose})"""
    bar = keras.utils.Progbar(1, verbose=verbose)
    line = _lines(lambda: bar.update(1, [("loss", -0.5)]))[-1]
    equal(_shown(line), {"loss": "-0.5000"}, "numbers")


@each(kind=["float", "float32", "float64", "array", "int"])
def a_bar_shows_numbers_of_every_kind(kind):
    """A progress bar shows a number that is a {kind}"""
    value = {"float": 0.5, "array": np.array(0.5), "int": 2}.get(kind)
    value = getattr(np, kind)(0.5) if value is None else value
    bar = keras.utils.Progbar(1, verbose=1)
    line = _lines(lambda: bar.update(1, [("loss", value)]))[-1]
    equal(_shown(line), {"loss": "2.0000" if kind == "int" else "0.5000"}, "numbers")


@each(kind=["list", "array", "tensor", "tensor of one"], verbose=[1, 2])
def a_bar_shows_the_mean_of_many_numbers(kind, verbose):
    """A progress bar (verbose={verbose}) shows the mean of a value that is a {kind}"""
    many = [0.0, 1.0, 2.0]
    made = {"list": list, "array": np.array, "tensor": keras.ops.convert_to_tensor}
    value = keras.ops.convert_to_tensor(1.0) if kind == "tensor of one" else made[kind](many)
    bar = keras.utils.Progbar(1, verbose=verbose)
    line = _lines(lambda: bar.update(1, [("loss", value)], finalize=True))[-1]
    equal(_shown(line), {"loss": "1.0000"}, "numbers")


def a_bar_shows_the_mean():
    """Progbar averages values over the steps before its end"""
    bar = keras.utils.Progbar(4, verbose=1, interval=0)

    def steps():
        bar.update(1, [("loss", 1.0)])
        bar.update(3, [("loss", 4.0)])

    # one step of 1 and two steps of 4
    equal([_shown(line)["loss"] for line in _lines(steps)], ["1.0000", "3.0000"], "means")


def a_bar_shows_stateful_values_as_they_are():
    """Progbar(stateful_metrics) shows these values as they are"""
    bar = keras.utils.Progbar(4, verbose=1, interval=0, stateful_metrics=["acc"])

    def steps():
        bar.update(1, [("loss", 1.0), ("acc", 1.0)])
        bar.update(2, [("loss", 3.0), ("acc", 3.0)])

    equal(_shown(_lines(steps)[-1]), {"loss": "2.0000", "acc": "3.0000"}, "numbers")


def a_bar_averages_stateless_values():
    """Progbar(stateless_metrics) averages these values only"""
    made = need("keras.utils.Progbar(stateless_metrics)")
    bar = made(4, verbose=1, interval=0, stateless_metrics=["loss"])

    def steps():
        bar.update(1, [("loss", 1.0), ("acc", 1.0)])
        bar.update(2, [("loss", 3.0), ("acc", 3.0)])

    equal(_shown(_lines(steps)[-1]), {"loss": "2.0000", "acc": "3.0000"}, "numbers")


def a_bar_refuses_both_kinds_of_names():
    """Progbar refuses stateful_metrics with stateless_metrics"""
    made = need("keras.utils.Progbar(stateless_metrics)")
    refuses(lambda: made(4, stateful_metrics=["a"], stateless_metrics=["b"]), "both kinds")


def a_bar_adds_steps():
    """Progbar.add counts the steps"""
    bar = keras.utils.Progbar(4, verbose=1, interval=0)

    def steps():
        bar.add(1, [("loss", 1.0)])
        bar.add(3, [("loss", 3.0)])

    lines = _lines(steps)
    equal([line.split()[0] for line in lines], ["1/4", "4/4"], "steps")


@each(target=[9, 10, 100])
def a_bar_aligns_its_count(target):
    """Progbar counts in the width of its target: {target}"""
    bar = keras.utils.Progbar(target, verbose=1, interval=0)
    text = re.sub(r"\x1b\[\d*m", "", printed(lambda: bar.update(1)))
    true("%*d/%d" % (len(str(target)), 1, target) in text, "the count is aligned, got %r" % text)


@each(width=[10, 20])
def a_bar_has_its_width(width):
    """Progbar(width={width}) draws so many characters"""
    bar = keras.utils.Progbar(2, width=width, verbose=1, interval=0)
    text = printed(lambda: bar.update(1))
    equal(text.count("\u2501"), width, "characters")


def a_bar_without_target_counts():
    """Progbar(None) shows that the number of steps is unknown"""
    bar = keras.utils.Progbar(None, verbose=1, interval=0)
    line = _lines(lambda: bar.update(3, [("loss", 1.0)]))[-1]
    true(line.startswith("3/Unknown"), "it begins with 3/Unknown, got %s" % line)


@each(verbose=[0, 1, 2])
def a_bar_is_as_verbose_as_asked(verbose):
    """Progbar(verbose={verbose}) prints so much"""
    bar = keras.utils.Progbar(2, verbose=verbose, interval=0)

    def steps():
        bar.update(1, [("loss", 1.0)])
        bar.update(2, [("loss", 1.0)])

    equal(len(_lines(steps)), {0: 0, 1: 2, 2: 1}[verbose], "lines")


def a_bar_ends_where_it_is_told():
    """Progbar.update(finalize=True) ends the line"""
    bar = keras.utils.Progbar(4, verbose=1, interval=100)

    def steps():
        bar.update(1)
        bar.update(2, finalize=True)

    text = printed(steps)
    true(text.endswith("\n"), "the line ends, got %r" % text[-20:])


def a_bar_has_its_unit():
    """Progbar(unit_name="sample") shows the time for a sample"""
    bar = keras.utils.Progbar(1, verbose=1, unit_name="sample")
    text = printed(lambda: bar.update(1))
    true("/sample" in text, "it shows a time per sample, got %r" % text)


def a_bar_of_nothing_prints():
    """Progbar(0) can be updated"""
    bar = keras.utils.Progbar(0, verbose=1)
    printed(lambda: bar.update(0))


class _Clock:
    """Stands in for the module time: each look at it is ``step`` seconds later."""

    def __init__(self, step):
        self.now, self.step = 1000.0, step

    def time(self):
        self.now += self.step
        return self.now


def _timed(step, function):
    """Returns the lines that ``function()`` prints by such a clock."""
    module = sys.modules[keras.utils.Progbar.__module__]
    old, module.time = module.time, _Clock(step)
    try:
        return _lines(function)
    finally:
        module.time = old


@each(seconds=["0.001", "0.1", "4"])
def times_are_shown_in_their_unit(seconds):
    """A progress bar shows {seconds} s for two steps in a fitting unit"""
    line = _timed(float(seconds), lambda: keras.utils.Progbar(2, verbose=1).update(2))[-1]
    expected = {"0.001": "500us/step", "0.1": "50ms/step", "4": "2s/step"}[seconds]
    true(expected in line, "it shows %s, got %s" % (expected, line))


@each(seconds=[1, 100, 4000])
def the_time_that_is_left_is_shown(seconds):
    """A progress bar shows the time that is left: three more steps of {seconds} s"""
    line = _timed(seconds, lambda: keras.utils.Progbar(4, verbose=1).update(1))[-1]
    expected = {1: " 3s ", 100: " 5:00 ", 4000: " 3:20:00 "}[seconds]
    true(expected in line, "it shows%s, got %s" % (expected, line))


@each(method=["fit", "evaluate", "predict"])
def several_steps_are_shown_as_done(method):
    """{method}, steps_per_execution=2: after the first call, 2/4 is shown"""
    model, (x, y) = _model(steps_per_execution=2), _data(8)
    targets = () if method == "predict" else (y,)
    hook = {"fit": "on_train_batch_end", "evaluate": "on_test_batch_end", "predict": "on_predict_batch_end"}[method]
    # a callback that looks at batches has them reported one after another
    spy = keras.callbacks.LambdaCallback(**{hook: lambda *_, **__: None})
    lines = _timed(1, lambda: getattr(model, method)(x, *targets, batch_size=2, verbose=1, callbacks=[spy]))
    true(lines[0].startswith("2/4"), "the first line begins with 2/4, got %s" % lines[0])
    true(lines[-1].startswith("4/4"), "the last line begins with 4/4, got %s" % lines[-1])


@each(method=["fit", "evaluate"])
def each_batch_is_shown_with_its_logs(method):
    """{method}(verbose=1) shows after each batch what its logs hold"""
    model, (x, y), logged = _model(metrics=["mae"]), _data(6), []

    def keep(batch, logs):
        logged.append({key: _text(value) for key, value in logs.items()})

    hook = "on_train_batch_end" if method == "fit" else "on_test_batch_end"
    spy = keras.callbacks.LambdaCallback(**{hook: keep})
    options = {"batch_size": 2, "verbose": 1, "callbacks": [spy]}
    lines = _timed(1, lambda: getattr(model, method)(x, y, **options))
    found = [(line.split("/")[0], _shown(line)) for line in lines]
    equal(found[:3], [("1", logged[0]), ("2", logged[1]), ("3", logged[2])], "counts and numbers")


def interactive_logging_can_be_off():
    """With interactive logging disabled, nothing goes to the standard output"""
    keras.config.disable_interactive_logging()
    try:
        equal(printed(lambda: _fit(_model(), verbose=1)), "", "output")
    finally:
        keras.config.enable_interactive_logging()
    true(keras.config.is_interactive_logging_enabled(), "it is enabled again")


@each(encoding=["ascii", "latin-1", "cp1252"])
def a_bar_prints_in_every_encoding(encoding):
    """fit prints its progress to an output in {encoding}"""
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, encoding=encoding, write_through=True)):
        bar = keras.utils.Progbar(2, verbose=1, interval=0)
        bar.update(1, [("loss", 0.5)])
        bar.update(2, [("loss", 0.5)])
        text = raw.getvalue().decode(encoding)
    true("2/2" in text and "loss: 0.5000" in text, "count and loss are printed, got %r" % text)
