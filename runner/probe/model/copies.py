"""Models that are pickled, copied, compiled again, or put into one another."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true

A = np.ones((4, 3), "float32")
Y = np.array([[1.0], [0.0], [1.0], [1.0]], "float32")


def _sequential():
    return given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)]))


def _functional():
    x = keras.Input((3,), name="x")
    dense = keras.layers.Dense(3, name="d")
    return given(keras.Model(x, keras.layers.Dense(1)(dense(dense(x)))))


MODELS = ["_sequential()", "_functional()"]


@each(model=MODELS, way=["copy.deepcopy(m)", "pickle.loads(pickle.dumps(m))"])
def copies_compute_the_same(model, way):
    """{way} of {model} computes the same"""
    made = eval(model)  # noqa: S307 - texts of this module
    again = eval(way, {"m": made, "copy": copy, "pickle": pickle})  # noqa: S307
    close(again(A), made(A))


@each(model=MODELS, way=["copy.deepcopy(m)", "pickle.loads(pickle.dumps(m))"])
def copies_have_their_own_weights(model, way):
    """{way} of {model} shares no weights"""
    made = eval(model)  # noqa: S307 - texts of this module
    again = eval(way, {"m": made, "copy": copy, "pickle": pickle})  # noqa: S307
    expected = made.get_weights()
    again.set_weights([w * 0 for w in again.get_weights()])
    equal(made.get_weights(), expected, "weights of the model")


@each(way=["copy.deepcopy(m)", "pickle.loads(pickle.dumps(m))"])
def copies_of_compiled_models_go_on_training(way):
    """{way} of a compiled model takes the same next step"""
    made = _sequential()
    made.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"], run_eagerly=True)
    made.train_on_batch(A, Y)
    again = eval(way, {"m": made, "copy": copy, "pickle": pickle})  # noqa: S307 - texts of this module
    equal(again.compiled, True, "compiled")
    made.train_on_batch(A, Y)
    again.run_eagerly = True
    again.train_on_batch(A, Y)
    close(again.get_weights(), made.get_weights(), "weights after the step")


@each(
    way=["copy.copy(m)", "copy.deepcopy(m)", "pickle.loads(pickle.dumps(m))"],
    thing=["metric", "loss", "optimizer", "layer", "initializer"],
)
def objects_are_copied(way, thing):
    """{way} of a {thing} is one of the same settings"""
    made = {
        "metric": lambda: keras.metrics.MeanSquaredError(name="mine"),
        "loss": lambda: keras.losses.Huber(delta=2.0, name="mine"),
        "optimizer": lambda: keras.optimizers.SGD(0.5, name="mine"),
        "layer": lambda: keras.layers.Dense(3, name="mine"),
        "initializer": lambda: keras.initializers.RandomUniform(-1, 1, seed=3),
    }[thing]()
    again = eval(way, {"m": made, "copy": copy, "pickle": pickle})  # noqa: S307 - texts of this module
    equal(type(again), type(made), "class")
    if thing != "loss":
        equal(str(again.get_config()), str(made.get_config()), "config")


def variables_are_copied_deeply():
    """copy.deepcopy of a Variable has its own value"""
    made = keras.Variable(A)
    again = copy.deepcopy(made)
    made.assign(A * 2)
    close(again, A)


COMPILED = [
    "optimizer='sgd', loss='mse'",
    "optimizer=keras.optimizers.Adam(0.01, beta_1=0.5), loss=keras.losses.MeanSquaredError(), metrics=['mae', 'mse']",
    "optimizer='adam', loss='binary_crossentropy', metrics=['accuracy']",
    "optimizer='adam', loss='mse', weighted_metrics=['mae']",
    "optimizer='adam', loss='mse', metrics=[keras.metrics.MeanAbsoluteError(name='mine')]",
    "optimizer='adam', loss='mse', jit_compile=False",
    "optimizer='adam', loss='mse', steps_per_execution=3",
    "optimizer='adam', loss='mse', run_eagerly=True",
    "optimizer='adam', loss='mse', loss_weights=[0.5]",
    "optimizer='adam', loss=['mse'], metrics=[['mae']]",
    "optimizer='adam', loss='mse', auto_scale_loss=False",
]


@each(arguments=COMPILED)
def compile_config_is_complete(arguments):
    """compile_from_config(get_compile_config()) is compile({arguments})"""
    made = _sequential()
    if "auto_scale_loss" in arguments:
        need("keras.Model.compile(auto_scale_loss)")
    if made is not None:
        made.compile(**eval("dict(%s)" % arguments))  # noqa: S307 - texts of this module
    again = _sequential()
    again.compile_from_config(made.get_compile_config())
    equal(type(again.optimizer), type(made.optimizer), "optimizer")
    equal(str(again.optimizer.get_config()), str(made.optimizer.get_config()), "optimizer's config")
    equal(again.steps_per_execution, made.steps_per_execution, "steps_per_execution")
    equal(again.run_eagerly, made.run_eagerly, "run_eagerly")
    if "jit_compile=" in arguments:
        equal(again.jit_compile, made.jit_compile, "jit_compile")
    for model in (made, again):
        model.run_eagerly = True
    close(again.test_on_batch(A, Y), made.test_on_batch(A, Y), "loss and metrics")


def compile_config_of_an_uncompiled_model_is_none():
    """get_compile_config of a model not compiled is None or refused"""
    try:
        found = _sequential().get_compile_config()
    except (ValueError, RuntimeError, AttributeError):
        return
    true(not found, "it is %s" % found)


@each(
    arguments=[
        "optimizer='nonsense'",
        "loss='nonsense'",
        "metrics=['nonsense']",
        "optimizer=3",
        "nothing=3",
        "steps_per_execution='x'",
    ]
)
def compile_refuses(arguments):
    """compile({arguments}) is refused, at the latest by the first step"""

    def step():
        model = _sequential()
        model.compile(**{"loss": "mse", **eval("dict(%s)" % arguments)})  # noqa: S307 - texts of this module
        model.run_eagerly = True
        model.fit(A, Y, verbose=0)

    refuses(step, arguments, (Exception,))


@each(method=["fit", "evaluate", "train_on_batch", "test_on_batch"])
def methods_need_compile(method):
    """{method} of a model that is not compiled is refused clearly"""
    message = refuses(lambda: getattr(_sequential(), method)(A, Y), method, (ValueError, RuntimeError))
    true("compile" in message, "the message names it: %s" % message[:80])


def predict_needs_no_compile():
    """predict works without compile"""
    equal(tuple(_sequential().predict(A, verbose=0).shape), (4, 1), "shape")


def compile_again_replaces():
    """A second compile replaces loss, metrics and optimizer"""
    model = _sequential()
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    model.train_on_batch(A, Y)
    model.compile("adam", "mae", run_eagerly=True)
    equal(type(model.optimizer).__name__.lower(), "adam", "optimizer")
    found = model.test_on_batch(A, Y, return_dict=True)
    equal(sorted(found), ["loss"], "logs")
    close(found["loss"], np.abs(np.asarray(keras.ops.convert_to_numpy(model(A))) - Y).mean())


def compile_again_forgets_old_metrics():
    """After many compiles metrics hold only those of the last"""
    model = _sequential()
    for _ in range(3):
        model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
        model.train_on_batch(A, Y)
    names = sorted(model.test_on_batch(A, Y, return_dict=True))
    equal(names, ["loss", "mae"], "logs")
    equal(sum(m.name == "loss" for m in model.metrics), 1, "loss trackers")


def a_compiled_model_inside_a_compiled_model():
    """A compiled model inside another adds no metrics to it"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    inner.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    inner.train_on_batch(A, A[:, :2])
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    outer.compile("sgd", "mse", metrics=["mse"], run_eagerly=True)
    found = outer.train_on_batch(A, Y, return_dict=True)
    equal(sorted(found), ["loss", "mse"], "logs")
    found = outer.test_on_batch(A, Y, return_dict=True)
    close(found["loss"], found["mse"], "loss and the same as a metric")


def a_compiled_model_inside_a_subclassed_one():
    """A model that holds a compiled model trains with its own loss"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    inner.compile("sgd", "mae", run_eagerly=True)

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x) * 2.0

    outer = Outer()
    outer.compile("sgd", "mse", run_eagerly=True)
    close(outer.test_on_batch(A, Y), np.mean((2 * np.asarray(keras.ops.convert_to_numpy(inner(A))) - Y) ** 2))


def training_the_outer_model_trains_the_inner():
    """Training a model changes the model inside, which still works alone"""
    inner = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    inner.compile("sgd", "mse", run_eagerly=True)
    before = inner.test_on_batch(A, Y)
    outer = keras.Sequential([keras.Input((3,)), inner])
    outer.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=True)
    outer.train_on_batch(A, Y)
    true(float(inner.test_on_batch(A, Y)) != float(before), "the inner model's loss has changed")


def frozen_inner_model_stays():
    """A frozen model inside another is not changed by training"""
    inner = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    inner.trainable = False
    outer = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    outer.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    before = inner.get_weights()
    outer.train_on_batch(A, Y)
    equal(inner.get_weights(), before, "weights")


def model_json_makes_the_same_model():
    """model_from_json(to_json()) computes the same"""
    made = _functional()
    again = keras.models.model_from_json(made.to_json())
    again.set_weights(made.get_weights())
    close(again(A), made(A))


def repr_of_a_model_names_it():
    """repr of a model has its class and name"""
    text = repr(keras.Sequential([keras.layers.Dense(2)], name="mine"))
    true("Sequential" in text and "mine" in text, "repr is %s" % text)


def reset_metrics_resets():
    """reset_metrics sets all metrics of the model to their start"""
    model = _sequential()
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    model.test_on_batch(A, Y)
    model.reset_metrics()
    for metric in model.metrics:
        for variable in metric.variables:
            close(variable, np.zeros(tuple(variable.shape)), metric.name)


@each(option=["loss", "metrics", "optimizer"])
def compiled_attributes_are_known(option):
    """A compiled model knows its {option}"""
    model = _sequential()
    equal(model.compiled, False, "compiled before")
    model.compile("sgd", "mse", metrics=["mae"])
    equal(model.compiled, True, "compiled")
    equal({"loss": model.loss, "metrics": "mse", "optimizer": "mse"}[option], "mse", "loss")
    equal(type(model.optimizer).__name__, "SGD", "optimizer")


def export_of_weights_by_path():
    """get_state_tree gives every value by its path"""
    model = _sequential()
    need("keras.Model.get_state_tree")
    model.compile("sgd", "mse")
    state = model.get_state_tree()
    equal(
        sorted(state),
        sorted(["trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"]),
        "keys",
    )
    equal(len(keras.tree.flatten(state["trainable_variables"])), 4, "trainable values")
    equal(len(keras.tree.flatten(state["non_trainable_variables"])), 0, "other values")


def state_tree_can_be_set():
    """set_state_tree(get_state_tree()) brings back all weights"""
    need("keras.Model.set_state_tree")
    model = _sequential()
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    state = keras.tree.map_structure(lambda x: np.array(keras.ops.convert_to_numpy(x)), model.get_state_tree())
    before = model.get_weights()
    model.train_on_batch(A, Y)
    model.set_state_tree(state)
    equal(model.get_weights(), before, "weights")


@each(
    optimizer=[
        "SGD",
        "Adam",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Nadam",
        "Ftrl",
        "Lion",
        "AdamW",
        "Adafactor",
        "Lamb",
        "Muon",
    ]
)
def optimizers_refuse_wrong_learning_rates(optimizer):
    """{optimizer}(learning_rate='text') is refused"""
    need("keras.optimizers." + optimizer)
    refuses(lambda: getattr(keras.optimizers, optimizer)(learning_rate="text"), "a text", (Exception,))


@each(
    optimizer=[
        "SGD",
        "Adam",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Nadam",
        "Ftrl",
        "Lion",
        "AdamW",
        "Adafactor",
        "Lamb",
        "Muon",
    ],
    arguments=[
        "nothing=3",
        "clipnorm=1.0, clipvalue=1.0",
        "clipnorm=-1.0",
        "gradient_accumulation_steps=1",
        "use_ema=True, ema_momentum=2.0",
        "decay=0.1",
    ],
)
def optimizers_refuse(optimizer, arguments):
    """{optimizer}({arguments}) is refused"""
    made = need("keras.optimizers." + optimizer)
    if "accumulation" in arguments:
        need("keras.optimizers.SGD(gradient_accumulation_steps)")
    try:
        refuses(lambda: made(**eval("dict(%s)" % arguments)), arguments)  # noqa: S307 - texts of this module
    except need("builtins.AssertionError"):
        if arguments == "clipnorm=-1.0" or (arguments == "decay=0.1"):
            return  # nobody promises a refusal
        raise


def dtype_of_a_shared_seed_is_kept():
    """Two models made after set_random_seed(3) have the same weights"""
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        weights.append(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).get_weights())
    equal(weights[0], weights[1], "weights")
    true(np.abs(numbers(1)).sum() > 0 and np.abs(weights[0][0]).sum() > 0, "they are not zero")
