"""Compiled models come back as they were, in the middle of training."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, warned


def _net(**more):
    """Returns a small model."""
    return given(
        keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(4, activation="tanh", name="hidden"),
                keras.layers.Dense(2, name="out"),
            ],
            **more,
        )
    )


def _train(model, steps, first=0):
    """Makes so many steps of training."""
    for place in range(first, first + steps):
        model.train_on_batch(numbers(4, 3, seed=place), numbers(4, 2, seed=100 + place))


def _resumes(model, form):
    """Checks that a loaded model trains on as the saved one does."""
    _train(model, 2)
    if form == "weights.h5":
        model.save_weights("it.weights.h5")
        loaded = keras.Sequential.from_config(model.get_config())
        loaded.compile_from_config(model.get_compile_config())
        if not loaded.optimizer.built:
            loaded.optimizer.build(loaded.trainable_variables)
        loaded.load_weights("it.weights.h5")
    else:
        model.save("it." + form)
        loaded = keras.models.load_model("it." + form)
    equal(type(loaded.optimizer), type(model.optimizer), "the optimizer's class")
    for place, (a, b) in enumerate(zip(loaded.optimizer.variables, model.optimizer.variables)):
        if "seed" not in b.path:
            equal(array(a), array(b), "the optimizer's variable %d, %s" % (place, b.name))
    equal(len(loaded.optimizer.variables), len(model.optimizer.variables), "the number of the optimizer's variables")
    _train(model, 2, 2)
    _train(loaded, 2, 2)
    for a, b in zip(loaded.weights, model.weights):
        close(array(a), array(b), b.path + " after two more steps")


OPTIMIZERS = [
    "SGD(0.1)",
    "SGD(0.1, momentum=0.9, nesterov=True)",
    "RMSprop(0.01, momentum=0.5, centered=True)",
    "Adam(0.01)",
    "Adam(0.01, amsgrad=True)",
    "AdamW(0.01, weight_decay=0.1)",
    "Adadelta(0.5)",
    "Adagrad(0.1)",
    "Adamax(0.01)",
    "Nadam(0.01)",
    "Lamb(0.01)",
    "Lion(0.01)",
    "Ftrl(0.1)",
    "Adafactor(0.01)",
    "Muon(0.01)",
    "ScheduleFreeAdamW(0.01)",
    "Adam(0.01, use_ema=True, ema_momentum=0.5)",
    "Adam(0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3)",
    "SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)",
    "LossScaleOptimizer(keras.optimizers.SGD(0.1, momentum=0.5), initial_scale=8.0, dynamic_growth_steps=3)",
    "SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5), momentum=0.5)",
    "Adam(keras.optimizers.schedules.PiecewiseConstantDecay([1, 3], [0.1, 0.01, 0.001]))",
]


def _compiled(optimizer):
    """Returns a compiled model."""
    need("keras.optimizers." + optimizer.partition("(")[0])
    model = _net()
    model.compile(
        eval("keras.optimizers." + optimizer, {"keras": keras}), keras.losses.MeanSquaredError(), run_eagerly=True
    )
    return model


@each(optimizer=OPTIMIZERS)
def training_resumes_from_keras_file(optimizer):
    """a model loaded from .keras trains on as the saved one: {optimizer}"""
    _resumes(_compiled(optimizer), "keras")


@each(optimizer=[o for o in OPTIMIZERS if "(0.01)" in o or "LossScale" in o or "use_ema" in o or "momentum=0.9" in o])
def training_resumes_from_h5_file(optimizer):
    """a model loaded from .h5 trains on as the saved one: {optimizer}"""
    _resumes(_compiled(optimizer), "h5")


@each(optimizer=[o for o in OPTIMIZERS if "(0.01)" in o or "LossScale" in o or "use_ema" in o or "momentum=0.9" in o])
def training_resumes_from_weights_file(optimizer):
    """load_weights restores the optimizer, which trains on as before: {optimizer}"""
    _resumes(_compiled(optimizer), "weights.h5")


def learning_rate_assigned_survives():
    """a learning rate that was assigned survives a .keras file"""
    model = _compiled("Adam(0.01)")
    _train(model, 1)
    model.optimizer.learning_rate = 0.25
    model.save("it.keras")
    close(array(keras.models.load_model("it.keras").optimizer.learning_rate), 0.25, "the learning rate")


@each(form=["keras", "h5"])
def iterations_survive(form):
    """the optimizer's count of steps survives a .{form} file"""
    model = _compiled("Adam(0.01)")
    _train(model, 3)
    model.save("it." + form)
    equal(int(array(keras.models.load_model("it." + form).optimizer.iterations)), 3, "iterations")


def frozen_layer_has_no_optimizer_state():
    """training with a frozen layer resumes from a .keras file"""
    model = _net()
    model.layers[0].trainable = False
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
    _resumes(model, "keras")


def uncompiled_when_asked():
    """load_model(compile=False) gives a model that is not compiled"""
    model = _compiled("Adam(0.01)")
    _train(model, 1)
    for form in ("keras", "h5"):
        model.save("it." + form)
        loaded = keras.models.load_model("it." + form, compile=False)
        equal(loaded.compiled, False, "compiled, from .%s" % form)
        equal(loaded.get_weights(), model.get_weights(), "weights, from .%s" % form)


def uncompiled_model_is_loaded_uncompiled():
    """a model that was never compiled is not compiled once loaded"""
    model = _net()
    model.save("it.keras")
    equal(keras.models.load_model("it.keras").compiled, False, "compiled")


def without_optimizer_nothing_is_restored():
    """save(include_optimizer=False) to .h5 leaves the optimizer out"""
    model = _compiled("Adam(0.01)")
    _train(model, 1)
    model.save("it.h5", include_optimizer=False)
    loaded = keras.models.load_model("it.h5")
    equal(loaded.get_weights(), model.get_weights(), "weights")
    equal(getattr(loaded, "optimizer", None) is None, True, "whether there is no optimizer")


def loading_a_compiled_model_gives_no_warning():
    """saving and loading a compiled, trained .keras model gives no warning"""
    model = _compiled("Adam(0.01)")
    _train(model, 1)
    model.save("it.keras")
    texts = warned(lambda: keras.models.load_model("it.keras"))
    equal([text for text in texts if "optimizer" in text or "variables" in text], [], "warnings")


_ARGUMENTS = [
    "loss='mse', metrics=['mae', 'accuracy']",
    "loss=keras.losses.Huber(delta=0.3), metrics=[keras.metrics.MeanSquaredError(name='m')]",
    "loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)",
    "loss=keras.losses.CategoricalCrossentropy(from_logits=True, axis=-1)",
    "loss='mse', weighted_metrics=['mae']",
    "loss='mse', loss_weights=0.25",
    "loss=keras.losses.mean_absolute_error, metrics=[keras.metrics.mean_squared_error]",
    "loss=keras.losses.huber, metrics=['cosine_similarity']",
]


@each(arguments=_ARGUMENTS)
def compile_survives(arguments):
    """evaluate gives the same once loaded: compile({arguments})"""
    model = _net()
    eval("model.compile('sgd', run_eagerly=True, %s)" % arguments, {"keras": keras, "model": model})
    data = numbers(4, 3), abs(numbers(4, 2, seed=9))
    weights = np.array([1.0, 2.0, 0.5, 1.0], "float32")
    expected = model.evaluate(*data, sample_weight=weights, verbose=0, return_dict=True)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    found = loaded.evaluate(*data, sample_weight=weights, verbose=0, return_dict=True)
    equal(sorted(found), sorted(expected), "names of the results")
    close([found[key] for key in sorted(found)], [expected[key] for key in sorted(found)], "the results")


def _two():
    """Returns a model of two named outputs."""
    x = keras.Input((3,))
    return given(keras.Model(x, {"a": keras.layers.Dense(2, name="a")(x), "b": keras.layers.Dense(1, name="b")(x)}))


@each(
    arguments=[
        "loss={'a': 'mse', 'b': keras.losses.Huber(0.3)}, metrics={'a': ['mae'], 'b': [keras.metrics.MeanSquaredError(name='m')]}",
        "loss={'a': 'mse', 'b': 'mae'}, loss_weights={'a': 0.25, 'b': 2.0}",
        "loss={'a': 'mse', 'b': None}",
        "loss={'a': 'mse'}",
        "loss={'b': 'mse', 'a': 'mae'}, weighted_metrics={'b': ['mse']}",
    ]
)
def compile_of_named_outputs_survives(arguments):
    """evaluate of named outputs gives the same once loaded: compile({arguments})"""
    model = _two()
    eval("model.compile('sgd', run_eagerly=True, %s)" % arguments, {"keras": keras, "model": model})
    truth = {"a": numbers(4, 2, seed=9), "b": numbers(4, 1, seed=8)}
    truth = truth if "'b'" in arguments and "None" not in arguments else {"a": truth["a"]}
    expected = model.evaluate(numbers(4, 3), truth, verbose=0, return_dict=True)
    model.save("it.keras")
    found = keras.models.load_model("it.keras").evaluate(numbers(4, 3), truth, verbose=0, return_dict=True)
    equal(sorted(found), sorted(expected), "names of the results")
    close([found[key] for key in sorted(found)], [expected[key] for key in sorted(found)], "the results")


@each(name=["run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"])
def compile_option_survives(name):
    """compile's argument {name} survives a .keras file"""
    need("keras.Model.compile(%s)" % name)
    model = _net()
    value = {"run_eagerly": True, "steps_per_execution": 3, "jit_compile": False, "auto_scale_loss": False}[name]
    model.compile("sgd", "mse", **{name: value})
    config = model.get_compile_config()
    equal(config.get(name), value, "in get_compile_config()")
    model.save("it.keras")
    equal(keras.models.load_model("it.keras").get_compile_config().get(name), value, "once loaded")


@each(form=["keras", "h5"])
def string_loss_stays_string(form):
    """loss and metrics given as names are so once loaded from .{form}"""
    model = _net()
    model.compile("rmsprop", "mse", metrics=["mae"], run_eagerly=True)
    model.save("it." + form)
    loaded = keras.models.load_model("it." + form)
    equal(loaded.loss, "mse", "the loss")
    equal(type(loaded.optimizer).__name__, "RMSprop", "the optimizer")
    result = loaded.evaluate(numbers(4, 3), numbers(4, 2), verbose=0, return_dict=True)
    equal(sorted(result), ["loss", "mae"], "names of the results")


def fit_after_loading():
    """fit goes on where a loaded model stopped"""
    model = _compiled("Adam(0.01)")
    x, y = numbers(8, 3), numbers(8, 2, seed=4)
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    for one in (model, loaded):
        one.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(loaded.get_weights(), model.get_weights()):
        close(a, b, "weights")


def recompiled_model_starts_anew():
    """a loaded model that is compiled again has a new optimizer"""
    model = _compiled("Adam(0.01)")
    _train(model, 2)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    loaded.compile("sgd", "mse", run_eagerly=True)
    _train(loaded, 1)
    equal([type(loaded.optimizer).__name__, int(array(loaded.optimizer.iterations))], ["SGD", 1], "the optimizer")


@each(optimizer=["SGD(0.1, momentum=0.5)", "Adam(0.01)", "Lion(0.01)", "Ftrl(0.1)", "RMSprop(0.01)", "Adafactor(0.01)"])
def optimizer_alone_saves_its_variables(optimizer):
    """save_own_variables and load_own_variables restore an optimizer: {optimizer}"""
    model = _compiled(optimizer)
    _train(model, 2)
    store = {}
    model.optimizer.save_own_variables(store)
    other = _compiled(optimizer)
    other.optimizer.build(other.trainable_variables)
    other.optimizer.load_own_variables(store)
    for a, b in zip(other.optimizer.variables, model.optimizer.variables):
        equal(array(a), array(b), b.name)


def mixed_precision_training_resumes():
    """training with mixed_float16 resumes from a .keras file"""
    keras.config.set_dtype_policy("mixed_float16") if hasattr(keras.config, "set_dtype_policy") else need(
        "keras.config.set_dtype_policy"
    )
    model = _net()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "mse", run_eagerly=True)
    _train(model, 2)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal(type(loaded.optimizer), type(model.optimizer), "the optimizer's class")
    _train(model, 1, 2)
    _train(loaded, 1, 2)
    for a, b in zip(loaded.weights, model.weights):
        close(array(a), array(b), b.path, tolerance=1e-3)
    close(array(loaded.optimizer.dynamic_scale), array(model.optimizer.dynamic_scale), "the scale of the loss")
