"""Copies of models."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses


def _shared():
    """Returns a Functional model in which one layer is used twice."""
    x = keras.Input((3,), name="x")
    y = keras.Input((3,), name="y")
    dense = keras.layers.Dense(4, activation="relu", name="shared")
    return given(keras.Model([x, y], keras.layers.Add(name="sum")([dense(x), dense(y)])))


def clone_keeps_sharing():
    """clone_model keeps a layer that is used twice as one layer"""
    clone = keras.models.clone_model(_shared())
    equal([layer.name for layer in clone.layers].count("shared"), 1, "layers of that name")
    equal(len(clone.weights), 2, "weights")


def clone_computes_the_same():
    """clone_model with the same weights gives the same output"""
    model = _shared()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    data = [numbers(2, 3), numbers(2, 3, seed=1)]
    close(clone(data), model(data))


@each(recursive=[True, False])
def clone_function_sees_every_layer(recursive):
    """clone_model(recursive={recursive}) hands its function the layers"""
    need("keras.models.clone_model(recursive)")
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="inner_dense")], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1, name="outer_dense")])
    seen = []

    def note(layer):
        seen.append(layer.name)
        return layer.__class__.from_config(layer.get_config())

    keras.models.clone_model(model, clone_function=note, recursive=recursive)
    equal("inner_dense" in seen, recursive, "whether it sees the layer inside")
    equal("outer_dense" in seen, True, "whether it sees the outer layer")


def _chain():
    """Returns a Sequential of three layers with fixed weights."""
    return given(
        keras.Sequential(
            [keras.Input((3,), name="x"), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)], name="chain"
        )
    )


def _dicts():
    """Returns a Functional model of a dict of inputs and outputs."""
    p, q = keras.Input((3,), name="p"), keras.Input((3,), name="q")
    dense = keras.layers.Dense(2, name="d")
    return given(keras.Model({"q": q, "p": p}, {"sum": dense(p) + dense(q), "p": dense(p)}))


@each(model=["_chain()", "_shared()", "_dicts()"])
def clone_does_not_share_weights(model):
    """A clone of {model} has its own, newly drawn weights"""
    made = eval(model)  # noqa: S307 - texts of this module
    clone = keras.models.clone_model(made)
    before = [np.array(w) for w in made.get_weights()]
    clone.set_weights([w + 1 for w in clone.get_weights()])
    equal(made.get_weights(), before, "weights of the model")
    equal([w.shape for w in clone.get_weights()], [w.shape for w in before], "shapes")


@each(model=["_chain()", "_shared()", "_dicts()"])
def clone_keeps_names_and_structure(model):
    """A clone of {model} has its names, inputs and outputs"""
    made = eval(model)  # noqa: S307 - texts of this module
    clone = keras.models.clone_model(made)
    equal(type(clone), type(made), "class")
    equal(clone.name, made.name, "name")
    equal([layer.name for layer in clone.layers], [layer.name for layer in made.layers], "names of layers")
    equal([list(x.shape) for x in clone.outputs], [list(x.shape) for x in made.outputs], "shapes of outputs")
    equal(clone.input_names if hasattr(clone, "input_names") else [], getattr(made, "input_names", []), "inputs")


def clone_of_dicts_computes_by_name():
    """clone_model of a model with dicts computes the same by name"""
    model = _dicts()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    data = {"p": numbers(2, 3), "q": numbers(2, 3, seed=1)}
    close(clone(data), model(data))


@each(model=["_chain()", "_shared()"])
def clone_takes_input_tensors(model):
    """clone_model({model}, input_tensors=) begins at these tensors"""
    made = eval(model)  # noqa: S307 - texts of this module
    count = 1 if model == "_chain()" else 2
    tensors = [keras.Input((3,), name="new%d" % place) for place in range(count)]
    clone = keras.models.clone_model(made, input_tensors=tensors if count > 1 else tensors[0])
    clone.set_weights(made.get_weights())
    data = [numbers(2, 3, seed=place) for place in range(count)]
    data = data if count > 1 else data[0]
    close(clone(data), made(data))


def clone_takes_an_inner_tensor_as_input():
    """clone_model(Sequential, input_tensors=) takes another layer's output"""
    made = _chain()
    x = keras.Input((5,), name="before")
    inside = keras.layers.Dense(3, name="first")(x)
    clone = keras.models.clone_model(made, input_tensors=inside)
    clone.set_weights(made.get_weights())
    close(clone(numbers(2, 3)), made(numbers(2, 3)))


@each(kind=["one tensor in a list", "a bare tensor"])
def sequential_clone_takes(kind):
    """clone_model of a Sequential takes {kind} as input_tensors"""
    made = _chain()
    x = keras.Input((3,), name="new", dtype="float32")
    clone = keras.models.clone_model(made, input_tensors=[x] if "list" in kind else x)
    clone.set_weights(made.get_weights())
    close(clone(numbers(2, 3)), made(numbers(2, 3)))


def clone_refuses_an_input_of_another_shape():
    """clone_model refuses input_tensors that are not tensors"""
    refuses(lambda: keras.models.clone_model(_chain(), input_tensors=3), "input_tensors=3", (Exception,))


def clone_refuses_a_function_that_is_none():
    """clone_model refuses a clone_function that cannot be called"""
    refuses(lambda: keras.models.clone_model(_chain(), clone_function="copy"), "a text as clone_function")


def clone_function_may_change_layers():
    """A clone_function may replace layers"""

    def bigger(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.Dense):
            config["activation"] = "tanh"
        return layer.__class__.from_config(config)

    clone = keras.models.clone_model(_chain(), clone_function=bigger)
    equal([layer.activation.__name__ for layer in clone.layers[-2:]], ["tanh", "tanh"], "activations")


def clone_function_may_keep_layers():
    """A clone_function that returns the layer itself shares the weights"""
    model = _shared()
    clone = keras.models.clone_model(model, clone_function=lambda layer: layer)
    data = [numbers(2, 3), numbers(2, 3, seed=1)]
    close(clone(data), model(data))
    equal([a is b for a, b in zip(clone.weights, model.weights)], [True, True], "same variables")


def call_function_sees_every_call():
    """clone_model(call_function=) hands every call of a layer to it"""
    need("keras.models.clone_model(call_function)")
    seen = []

    def call(layer, *args, **kwargs):
        seen.append(layer.name)
        return layer(*args, **kwargs)

    model = _shared()
    clone = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    equal(sorted(name for name in seen if name in ("shared", "sum")), ["shared", "shared", "sum"], "calls")
    data = [numbers(2, 3), numbers(2, 3, seed=1)]
    close(clone(data), model(data))


def clone_of_a_custom_layer_keeps_its_arguments():
    """clone_model makes a custom layer from its get_config"""

    class Scale(keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    x = keras.Input((3,))
    clone = keras.models.clone_model(keras.Model(x, Scale(3.0)(x)))
    close(clone(np.ones((2, 3), "float32")), np.full((2, 3), 3.0))


def clone_keeps_call_arguments():
    """clone_model keeps the keyword arguments of calls, training too"""

    class Scale(keras.layers.Layer):
        def call(self, x, factor=1.0, training=None):
            return x * factor + (1.0 if training else 0.0)

    x = keras.Input((3,))
    clone = keras.models.clone_model(keras.Model(x, Scale()(x, factor=3.0, training=True)))
    close(clone(np.ones((2, 3), "float32")), np.full((2, 3), 4.0))


def clone_of_nested_models_keeps_the_graph():
    """clone_model of nested models computes the same"""
    x = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="tanh")], name="inner")
    model = given(keras.Model(x, inner(inner(x))))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    data = numbers(2, 3)
    close(clone(data), model(data))


def clone_keeps_trainable():
    """clone_model keeps which layers are frozen"""
    model = _chain()
    model.layers[0].trainable = False
    clone = keras.models.clone_model(model)
    equal([layer.trainable for layer in clone.layers], [False, True], "trainable")


def clone_keeps_dtype_policies():
    """clone_model keeps each layer's dtype policy"""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2, dtype="mixed_bfloat16")(x))
    clone = keras.models.clone_model(model)
    equal(clone.layers[-1].compute_dtype, "bfloat16", "compute dtype")


def clone_of_a_model_with_ops():
    """clone_model of a model with operators computes the same"""
    x = keras.Input((3,))
    model = keras.Model(x, keras.ops.concatenate([keras.ops.exp(x) * 2.0, x[:, :1]], axis=1) - 1.0)
    data = numbers(2, 3)
    close(keras.models.clone_model(model)(data), model(data))


def clone_of_a_subclassed_model():
    """clone_model makes a subclassed model from its get_config"""

    class Mine(keras.Model):
        def __init__(self, units=2, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.dense = keras.layers.Dense(units)

        def call(self, x):
            return self.dense(x)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    clone = keras.models.clone_model(Mine(5))
    equal([type(clone), clone.units], [Mine, 5], "class and units")


def clone_of_an_unbuilt_sequential():
    """clone_model of a Sequential that is not built gives one"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    clone = keras.models.clone_model(model)
    equal([clone.built, len(clone.layers)], [False, 2], "built, layers")
