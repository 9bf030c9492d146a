"""Objects of a person's own, plain objects, and what is unsafe."""

from __future__ import annotations

import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true


class _Plain(keras.layers.Layer):
    """A layer without a get_config of its own."""

    def __init__(self, factor=1.0, mode="a", sizes=(1, 2), **more):
        super().__init__(**more)
        self.factor, self.mode, self.sizes = factor, mode, sizes

    def call(self, x):
        return x * self.factor


class _Configured(_Plain):
    def get_config(self):
        return {**super(_Plain, self).get_config(), "factor": self.factor, "mode": self.mode, "sizes": self.sizes}


@keras.saving.register_keras_serializable(package="probe")
class _Registered(_Configured):
    """A registered layer."""


@keras.saving.register_keras_serializable(package="probe", name="Renamed")
class _Named(_Configured):
    """A layer registered by another name."""


@keras.saving.register_keras_serializable(package="probe")
def _tripled(x):
    return x * 3.0


def _doubled(x):
    return x * 2.0


_DATA = np.arange(6, dtype="float32").reshape(2, 3)


def _of(layer):
    return keras.Sequential([keras.Input((3,)), layer])


@each(kind=["_Plain", "_Configured"], way=["custom_objects", "custom_object_scope"], form=["keras", "h5"])
def custom_layer_is_loaded(kind, way, form):
    """a custom layer is loaded through {way}: {kind}, .{form}"""
    made = {"_Plain": _Plain, "_Configured": _Configured}[kind]
    _of(made(2.5, mode="b", sizes=[3])).save("it." + form)
    if way == "custom_objects":
        loaded = keras.models.load_model("it." + form, custom_objects={kind: made})
    else:
        with keras.saving.custom_object_scope({kind: made}):
            loaded = keras.models.load_model("it." + form)
    layer = loaded.layers[-1]
    equal([layer.factor, layer.mode, list(layer.sizes)], [2.5, "b", [3]], "the arguments")
    close(loaded(_DATA), _DATA * 2.5)


@each(kind=["_Registered", "_Named"], form=["keras", "h5", "json"])
def registered_layer_is_loaded(kind, form):
    """a registered layer needs no custom_objects: {kind}, {form}"""
    model = _of({"_Registered": _Registered, "_Named": _Named}[kind](2.5))
    if form == "json":
        loaded = keras.models.model_from_json(model.to_json())
    else:
        model.save("it." + form)
        loaded = keras.models.load_model("it." + form)
    equal(type(loaded.layers[-1]), type(model.layers[-1]), "the class")
    close(loaded(_DATA), _DATA * 2.5)


@each(form=["keras", "h5"])
def unknown_layer_is_refused(form):
    """a custom layer that is not passed is refused when loaded: .{form}"""

    class Unknown(keras.layers.Layer):
        def call(self, x):
            return x

    _of(Unknown()).save("it." + form)
    refuses(lambda: keras.models.load_model("it." + form), "a custom layer that was not passed")


@each(way=["registered", "custom_objects", "scope"], form=["keras", "h5"])
def custom_activation_is_loaded(way, form):
    """a custom activation function is loaded: {way}, .{form}"""
    function = _tripled if way == "registered" else _doubled
    model = given(_of(keras.layers.Dense(2, activation=function)))
    model.save("it." + form)
    objects = {} if way == "registered" else {"_doubled": _doubled}
    if way == "scope":
        with keras.saving.custom_object_scope(objects):
            loaded = keras.models.load_model("it." + form)
    else:
        loaded = keras.models.load_model("it." + form, custom_objects=objects)
    close(loaded(_DATA), model(_DATA))
    equal(loaded.layers[-1].activation is function, True, "whether it is the same function")


class _Loss(keras.losses.Loss):
    def __init__(self, factor=1.0, **more):
        super().__init__(**more)
        self.factor = factor

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1) * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class _Metric(keras.metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(keras.ops.abs(y_true - y_pred), sample_weight=sample_weight)


class _Optimizer(keras.optimizers.SGD):
    pass


@each(form=["keras", "h5"])
def custom_compilation_is_loaded(form):
    """custom loss, metric and optimizer are loaded with the model: .{form}"""
    model = given(_of(keras.layers.Dense(2)))
    model.compile(_Optimizer(0.25), _Loss(2.0), metrics=[_Metric(name="m")], run_eagerly=True)
    model.save("it." + form)
    objects = {"_Loss": _Loss, "_Metric": _Metric, "_Optimizer": _Optimizer}
    loaded = keras.models.load_model("it." + form, custom_objects=objects)
    y = np.ones((2, 2), "float32")
    expected = model.evaluate(_DATA, y, verbose=0, return_dict=True)
    found = loaded.evaluate(_DATA, y, verbose=0, return_dict=True)
    close([found[key] for key in sorted(expected)], [expected[key] for key in sorted(expected)], "results")
    equal(type(loaded.optimizer), _Optimizer, "the optimizer's class")


class _Initializer(keras.initializers.Initializer):
    def __init__(self, value=1.0):
        self.value = value

    def __call__(self, shape, dtype=None, **_):
        return keras.ops.full(shape, self.value, dtype=dtype)

    def get_config(self):
        return {"value": self.value}


class _Regularizer(keras.regularizers.Regularizer):
    def __init__(self, factor=1.0):
        self.factor = factor

    def __call__(self, x):
        return self.factor * keras.ops.sum(keras.ops.abs(x))

    def get_config(self):
        return {"factor": self.factor}


class _Constraint(keras.constraints.Constraint):
    def __init__(self, top=1.0):
        self.top = top

    def __call__(self, w):
        return keras.ops.minimum(w, self.top)

    def get_config(self):
        return {"top": self.top}


@each(argument=["kernel_initializer", "kernel_regularizer", "kernel_constraint"], form=["keras", "h5", "json"])
def custom_argument_is_loaded(argument, form):
    """a custom {argument} is loaded with its settings: {form}"""
    made = {"i": _Initializer(2.5), "r": _Regularizer(2.5), "c": _Constraint(2.5)}[argument[7]]
    model = _of(keras.layers.Dense(2, **{argument: made}))
    objects = {cls.__name__: cls for cls in (_Initializer, _Regularizer, _Constraint)}
    if form == "json":
        loaded = keras.models.model_from_json(model.to_json(), custom_objects=objects)
    else:
        model.save("it." + form)
        loaded = keras.models.load_model("it." + form, custom_objects=objects)
    equal(getattr(loaded.layers[-1], argument).get_config(), made.get_config(), "the settings")


class _Wrapping(keras.layers.Layer):
    """A layer that holds a layer and deserializes it by itself."""

    def __init__(self, inner, **more):
        super().__init__(**more)
        self.inner = inner

    def call(self, x):
        return self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.saving.deserialize_keras_object(config["inner"])
        return cls(**config)


class _Self(_Wrapping):
    def call(self, x):
        return self.inner(x, x)


@each(inner=["Dense(2)", "LSTM(2)", "BatchNormalization()", "MultiHeadAttention(1, 2)"])
def wrapped_layer_is_saved(inner):
    """a custom layer around a layer is saved with its weights: {inner}"""

    made = _Self if "Attention" in inner else _Wrapping
    shape = (3,) if inner in ("Dense(2)", "BatchNormalization()") else (4, 3)
    model = keras.Sequential([keras.Input(shape), made(eval("keras.layers." + inner, {"keras": keras}))])
    given(model)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={made.__name__: made})
    equal(loaded.get_weights(), model.get_weights(), "weights")
    close(loaded(numbers(2, *shape)), model(numbers(2, *shape)))


class _Auto(keras.layers.Layer):
    """A layer whose configuration is that of its arguments."""

    def __init__(self, first, second=2, *, third="c", fourth=None, flags=(True, False), table=None, **kwargs):
        super().__init__(**kwargs)
        self.kept = [first, second, third, fourth, list(flags), table]

    def call(self, x):
        return x


@each(
    arguments=[
        "1",
        "1, 5",
        "first=1.5, second=5",
        "'a', third='d'",
        "1, fourth=3.5, name='mine'",
        "1, flags=[True, True]",
        "1, table={'a': 1, 'b': 2}",
        "1, trainable=False",
        "1, dtype='float16'",
    ]
)
def automatic_configuration_holds(arguments):
    """a layer without get_config is restored from its arguments: ({arguments})"""
    layer = eval("_Auto(%s)" % arguments, {"_Auto": _Auto})
    second = _Auto.from_config(json.loads(json.dumps(layer.get_config())))
    equal(second.kept, layer.kept, "the arguments")
    equal([second.name, second.trainable, second.dtype], [layer.name, layer.trainable, layer.dtype], "base arguments")


class _Others(keras.layers.Layer):
    def __init__(self, first, **others):
        super().__init__(**others)
        self.first = first

    def call(self, x):
        return x


def automatic_configuration_keeps_a_given_name():
    """a layer without get_config keeps its name, however it calls **kwargs"""
    equal(_Others.from_config(_Others(1, name="mine").get_config()).name, "mine", "the name")


def automatic_configuration_refuses_objects():
    """get_config of a layer that was given an object is refused"""
    layer = _Auto(object())
    refuses(layer.get_config, "get_config of a layer given an object", (NotImplementedError,))


def missing_arguments_are_named():
    """from_config of a layer whose get_config forgets an argument says which"""

    class Forgets(keras.layers.Layer):
        def __init__(self, units, **more):
            super().__init__(**more)

        def get_config(self):
            return super(Forgets, self).get_config()

    try:
        config = Forgets(3).get_config()
    except NotImplementedError:
        return
    if "units" not in config:
        text = refuses(lambda: Forgets.from_config(config), "a configuration without 'units'")
        true("units" in text or "Forgets" in text, "the message names the argument or the class, not %s" % text)


@each(form=["keras", "h5"])
def lambda_is_refused_in_safe_mode(form):
    """a Lambda layer of a lambda is refused unless safe_mode=False: .{form}"""
    model = _of(keras.layers.Lambda(lambda x: x * 2.0))
    model.save("it." + form)
    if form == "keras":
        text = refuses(lambda: keras.models.load_model("it.keras"), "a lambda")
        true("safe_mode" in text or "unsafe" in text, "the message names safe_mode, not %s" % text)
    loaded = keras.models.load_model("it." + form, safe_mode=False)
    close(loaded(_DATA), _DATA * 2)


def lambda_is_loaded_when_unsafe_is_enabled():
    """enable_unsafe_deserialization lets a lambda be loaded"""
    model = _of(keras.layers.Lambda(lambda x: x + 1.0))
    model.save("it.keras")
    keras.config.enable_unsafe_deserialization()
    close(keras.models.load_model("it.keras")(_DATA), _DATA + 1)


@each(way=["custom_objects", "scope", "registered"])
def lambda_layer_of_a_named_function_is_safe(way):
    """a Lambda layer of a named function is loaded in safe mode: {way}"""
    function = _tripled if way == "registered" else _doubled
    _of(keras.layers.Lambda(function)).save("it.keras")
    objects = {} if way == "registered" else {"_doubled": _doubled}
    if way == "scope":
        with keras.saving.custom_object_scope(objects):
            loaded = keras.models.load_model("it.keras")
    else:
        loaded = keras.models.load_model("it.keras", custom_objects=objects)
    close(loaded(_DATA), function(_DATA))


def lambda_keeps_default_values():
    """a Lambda layer of a lambda keeps its default values"""
    model = _of(keras.layers.Lambda(lambda x, shift=1.5: x + shift))
    model.save("it.keras")
    close(keras.models.load_model("it.keras", safe_mode=False)(_DATA), _DATA + 1.5)


def lambda_from_json_is_refused():
    """deserialize_keras_object refuses a lambda in safe mode"""
    config = keras.saving.serialize_keras_object(keras.layers.Lambda(lambda x: x))
    refuses(lambda: keras.saving.deserialize_keras_object(config), "a lambda")
    keras.saving.deserialize_keras_object(config, safe_mode=False)


_OBJECTS = [
    "None",
    "1",
    "1.5",
    "True",
    "'a'",
    "b'bytes'",
    "[1, 'a', None]",
    "(1, (2, 3))",
    "{'a': 1, 'b': [1.5, {'c': None}]}",
    "...",
    "slice(1, None, 2)",
    "np.array([1, 2, 3])",
    "np.array([[1.5], [2.5]], 'float32')",
    "np.array([True, False])",
    "np.float32(1.5)",
    "np.int64(3)",
    "np.array(2.5)",
    "keras.ops.convert_to_tensor(np.array([1.5, 2.5], 'float32'))",
    "keras.ops.convert_to_tensor(np.array([1, 2], 'int32'))",
]


@each(value=_OBJECTS)
def value_survives_json(value):
    """serialize_keras_object, JSON and deserialize give {value} back"""
    thing = eval(value, {"np": np, "keras": keras})
    text = json.dumps(keras.saving.serialize_keras_object(thing))
    found = keras.saving.deserialize_keras_object(json.loads(text))
    if thing is ... or isinstance(thing, slice):
        equal(found == thing, True, "whether they are equal")
    elif hasattr(thing, "shape"):
        equal(array(found), array(thing))
        equal(str(array(found).dtype), str(array(thing).dtype), "the dtype") if thing.shape else None
    else:
        equal(found, thing)


@each(
    name=[
        "relu",
        "gelu",
        "softmax",
        "swish",
        "silu",
        "tanh",
        "linear",
        "elu",
        "selu",
        "hard_sigmoid",
        "mish",
        "log_softmax",
        "leaky_relu",
        "relu6",
        "exponential",
        "softplus",
        "softsign",
        "sigmoid",
        "celu",
        "glu",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "log_sigmoid",
        "soft_shrink",
        "sparse_plus",
        "squareplus",
        "tanh_shrink",
        "threshold",
        "hard_shrink",
        "sparsemax",
        "sparse_sigmoid",
    ]
)
def activation_survives(name):
    """activations.get(serialize(...)) gives the activation {name} back"""
    function = need("keras.activations." + name)
    equal(keras.activations.get(name) is function, True, "whether get() of the name gives it")
    kept = keras.activations.serialize(function)
    second = keras.activations.deserialize(json.loads(json.dumps(kept)))
    equal(second is function, True, "whether deserialize(serialize()) gives it")
    layer = keras.layers.Dense(2, activation=name)
    equal(keras.layers.Dense.from_config(layer.get_config()).activation is function, True, "whether a layer keeps it")


@each(
    module=["losses", "metrics"],
    name=[
        "mean_squared_error",
        "mse",
        "MSE",
        "binary_crossentropy",
        "huber",
        "kl_divergence",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "poisson",
        "hinge",
        "log_cosh",
        "cosine_similarity",
    ],
)
def name_of_function_is_known(module, name):
    """{module}.get and deserialize know the name {name}"""
    home = getattr(keras, module)
    if module == "losses" or name not in ("huber", "log_cosh"):  # metrics does not have these
        true(callable(home.get(name)), "get gives a function")
        true(callable(home.deserialize(name)), "deserialize gives a function")


@each(module=["layers", "losses", "metrics", "optimizers", "initializers", "regularizers", "constraints"])
def serialize_of_module(module):
    """{module}.deserialize({module}.serialize(...)) has the same configuration"""
    home = getattr(keras, module)
    thing = {
        "layers": lambda: keras.layers.Dense(3, activation="relu"),
        "losses": lambda: keras.losses.BinaryCrossentropy(label_smoothing=0.25),
        "metrics": lambda: keras.metrics.AUC(num_thresholds=7),
        "optimizers": lambda: keras.optimizers.Adam(0.25),
        "initializers": lambda: keras.initializers.RandomNormal(0.5, seed=3),
        "regularizers": lambda: keras.regularizers.L1L2(0.25, 0.5),
        "constraints": lambda: keras.constraints.MaxNorm(3, axis=1),
    }[module]()
    second = home.deserialize(json.loads(json.dumps(home.serialize(thing))))
    equal(type(second), type(thing), "the class")
    equal(keras.saving.serialize_keras_object(second), keras.saving.serialize_keras_object(thing), "the configuration")


def registered_name_has_its_package():
    """get_registered_name gives package>name, and the object back"""
    equal(keras.saving.get_registered_name(_Registered), "probe>_Registered", "the name")
    equal(keras.saving.get_registered_name(_Named), "probe>Renamed", "the name given")
    equal(keras.saving.get_registered_object("probe>Renamed") is _Named, True, "whether the object is found")
    equal(keras.saving.get_registered_name(_tripled), "probe>_tripled", "the function's name")
    equal(keras.saving.get_registered_name(_doubled), "_doubled", "an unregistered function's name")


def serialized_function_has_its_registered_name():
    """a registered function is serialized by package>name"""
    config = keras.saving.serialize_keras_object(_tripled)
    true("probe>_tripled" in str(config), "the configuration has the registered name, not %s" % config)
    equal(keras.saving.deserialize_keras_object(config) is _tripled, True, "whether it is found again")


@each(name=["_tripled", "probe>_tripled"])
def function_is_found_by_short_name(name):
    """a registered function saved by older releases as {name} is found"""
    config = {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    equal(keras.saving.deserialize_keras_object(config) is _tripled, True, "whether it is found")


def registering_needs_get_config():
    """register_keras_serializable refuses a class without get_config"""

    def register():
        @keras.saving.register_keras_serializable(package="probe")
        class Nothing:
            pass

    refuses(register, "a class without get_config")


def scope_ends():
    """custom_object_scope ends where it ends"""
    find = keras.saving.get_registered_object
    with keras.saving.custom_object_scope({"_doubled": _doubled}):
        equal(find("_doubled") is _doubled, True, "whether it is found in the scope")
    equal(find("_doubled") is None, True, "whether it is gone after the scope")


def global_custom_objects_are_known():
    """what is put in get_custom_objects() is found when a model is loaded"""
    _of(keras.layers.Dense(2, activation=_doubled)).save("it.keras")
    keras.saving.get_custom_objects()["_doubled"] = _doubled
    try:
        equal(keras.models.load_model("it.keras").layers[-1].activation is _doubled, True, "whether it is found")
    finally:
        keras.saving.get_custom_objects().pop("_doubled")


@each(way=["Sequential", "Model", "clone"])
def custom_objects_of_from_config(way):
    """from_config(custom_objects=...) finds custom layers: {way}"""
    x = keras.Input((3,))
    model = _of(_Configured(2.5)) if way != "Model" else keras.Model(x, _Configured(2.5)(x))
    if way == "clone":
        loaded = keras.models.clone_model(model)
    else:
        loaded = model.__class__.from_config(model.get_config(), custom_objects={"_Configured": _Configured})
    close(loaded(_DATA), _DATA * 2.5)


class _Shaped(keras.layers.Layer):
    """A layer that is built from its own build configuration."""

    def build(self, shape):
        self.inner = keras.layers.Dense(shape[-1])
        self.inner.build(shape)
        self.extra = self.add_weight(shape=(2, shape[-1]), name="extra", initializer="zeros")
        self.seen = tuple(shape)
        self.built = True

    def call(self, x):
        return self.inner(x)

    def get_build_config(self):
        return {"mine": list(self.seen)}

    def build_from_config(self, config):
        self.build(tuple(config["mine"]))


def own_build_config_is_used():
    """build_from_config gets what get_build_config gave"""
    model = given(_of(_Shaped()))
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={"_Shaped": _Shaped})
    equal(loaded.layers[-1].seen, (None, 3), "the shape it was built with")
    equal(loaded.get_weights(), model.get_weights(), "weights")


class _Assets(keras.layers.Layer):
    """A layer that writes a file."""

    def __init__(self, **more):
        super().__init__(**more)
        self.words = []

    def call(self, x):
        return x

    def save_assets(self, folder):
        with open(folder + "/words.txt", "w") as file:
            file.write("\n".join(self.words))

    def load_assets(self, folder):
        with open(folder + "/words.txt") as file:
            self.words = file.read().split("\n")

    def save_own_variables(self, store):
        store["count"] = np.array([len(self.words)])

    def load_own_variables(self, store):
        self.count = int(np.asarray(store["count"])[0])


@each(depth=[1, 2])
def assets_are_saved(depth):
    """save_assets and load_assets are called, {depth} levels deep"""
    layers = [_Assets(), _Assets()]
    layers[0].words, layers[1].words = ["a", "b"], ["c"]
    model = keras.Sequential([keras.Input((3,)), *layers])
    if depth == 2:
        model = keras.Sequential([keras.Input((3,)), model])
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={"_Assets": _Assets})
    inner = loaded.layers[0].layers if depth == 2 else loaded.layers
    equal([layer.words for layer in inner], [["a", "b"], ["c"]], "the assets")
    equal([layer.count for layer in inner], [2, 1], "the variables that it wrote")


class _Compiling(keras.Model):
    """A model with another compile."""

    def __init__(self, **more):
        super().__init__(**more)
        self.layer = keras.layers.Dense(2)

    def call(self, x):
        return self.layer(x)

    def compile(self, optimizer, extra, **more):
        super().compile(optimizer=optimizer, loss="mse", **more)
        self.extra = extra

    def get_compile_config(self):
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer), "extra": self.extra}

    def compile_from_config(self, config):
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]), config["extra"])
        if hasattr(self, "optimizer") and self.built:
            self.optimizer.build(self.trainable_variables)


def own_compile_config_is_used():
    """compile_from_config gets what get_compile_config gave"""
    model = _Compiling()
    model(_DATA)
    model.compile(keras.optimizers.SGD(0.25), extra="mine", run_eagerly=True)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={"_Compiling": _Compiling})
    equal(loaded.extra, "mine", "the argument")
    close(array(loaded.optimizer.learning_rate), 0.25, "the learning rate")


@each(base=["Sequential", "Model"])
def subclass_with_functional_body_is_loaded(base):
    """a subclass that builds a functional graph in __init__ is loaded: {base}"""

    class Own(keras.Sequential if base == "Sequential" else keras.Model):
        def __init__(self, units=3, **more):
            if base == "Sequential":
                super().__init__([keras.Input((3,)), keras.layers.Dense(units)], **more)
            else:
                x = keras.Input((3,))
                super().__init__(x, keras.layers.Dense(units)(x), **more)
            self.units = units

        def get_config(self):
            return {"units": self.units, "name": self.name}

        @classmethod
        def from_config(cls, config, custom_objects=None):
            return cls(**config)

    model = given(Own(4))
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={"Own": Own})
    equal(type(loaded), Own, "the class")
    close(loaded(_DATA), model(_DATA))


def subclassed_model_without_config_is_saved():
    """a subclassed model without arguments and get_config is saved and loaded"""

    class Own(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.layer = keras.layers.Dense(3)

        def call(self, x):
            return self.layer(x)

    model = Own()
    model(_DATA)
    given(model)
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras", custom_objects={"Own": Own})
    close(loaded(_DATA), model(_DATA))


def torch_module_is_saved():
    """a TorchModuleWrapper is saved with its module and weights"""
    need("keras.layers.TorchModuleWrapper")
    if keras.backend.backend() != "torch":
        need("keras.layers.TorchModuleWrapper(only with the torch backend)")
    torch = need("torch")
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 2), output_shape=(2,))]
    )
    expected = array(model(_DATA))
    model.save("it.keras")
    keras.config.enable_unsafe_deserialization()
    close(keras.models.load_model("it.keras", safe_mode=False)(_DATA), expected)
