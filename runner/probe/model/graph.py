"""The parts of a Functional model, their names, and its messages."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, given, need, numbers, refuses, true


@each(policy=["float32", "mixed_float16", "mixed_bfloat16", "float16"], where=["global", "layers"])
def functional_models_hold_what_was_called(policy, where):
    """A model of policy {policy} ({where}) has the layers called, and no others"""
    if where == "global":
        keras.config.set_dtype_policy(policy)
    options = {} if where == "global" else {"dtype": policy}
    x = keras.Input((3,), name="x")
    y = keras.layers.Dense(3, activation="relu", name="one", **options)(x)
    z = keras.layers.Add(name="both", **options)([keras.layers.Dense(3, name="two", **options)(y), y])
    model = keras.Model(x, z)
    equal([layer.name for layer in model.layers], ["x", "one", "two", "both"], "layers")
    equal([part.name for part in model.operations], ["x", "one", "two", "both"], "operations")


KINDS = {"list": list, "tuple": tuple, "dict": lambda parts: dict(zip("za", parts))}


@each(structure=list(KINDS), way=["from_config", "clone_model", "file"])
def restored_models_keep_the_type_of_outputs(structure, way):
    """A model of outputs in a {structure} gives a {structure}, restored by {way}"""
    x = keras.Input((3,))
    model = keras.Model(x, KINDS[structure]([keras.layers.Dense(2)(x), keras.layers.Dense(1)(x)]))
    if way == "file":
        model.save("m.keras")
    restored = {
        "from_config": lambda: keras.Model.from_config(model.get_config()),
        "clone_model": lambda: keras.models.clone_model(model),
        "file": lambda: keras.models.load_model("m.keras"),
    }[way]()
    data = numbers(2, 3)
    equal(type(restored(data)), type(model(data)), "type of the outputs")
    equal(type(restored(keras.Input((3,)))), type(model(keras.Input((3,)))), "type of the symbolic outputs")


INPUTS = ["x", "[x]", "[[x]]", "{'k': x}", "{'k': [x]}", "[x, y]", "(x, y)", "[[x], y]", "{'k': x, 'l': y}"]


def _model_of(structure):
    """Returns a model whose inputs have that structure."""
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    output = keras.layers.Dense(2)(keras.layers.Add()([x, y]) if "y" in structure else x)
    try:
        return keras.Model(eval(structure, {"x": x, "y": y}), output)  # noqa: S307 - texts of this module
    except ValueError as error:
        if "must be KerasTensors" in str(error):
            raise Lacking("models of nested inputs") from error
        raise


@each(structure=INPUTS)
def json_of_a_restored_model_is_the_same(structure):
    """A model of inputs {structure} has the same JSON once restored from it"""
    text = _model_of(structure).to_json()
    equal(keras.models.model_from_json(text).to_json(), text, "to_json()")


@each(structure=INPUTS)
def restored_models_keep_the_structure_of_inputs(structure):
    """A model of inputs {structure} has input and input_shape of it once restored"""
    model = _model_of(structure)
    restored = keras.Model.from_config(model.get_config())

    def form(value):
        if isinstance(value, dict):
            return {key: form(item) for key, item in value.items()}
        if hasattr(value, "shape"):
            return value.name
        return [form(item) for item in value] if isinstance(value, (list, tuple)) else value

    equal(form(restored.input), form(model.input), "input")
    equal(form(restored.input_shape), form(model.input_shape), "input_shape")


@each(way=["from_config", "json"])
def a_model_around_a_sequential_s_tensors_is_restored(way):
    """A model of a Sequential's inputs and outputs has its layers and outputs by {way}"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Softmax()])
    model = keras.Model(inner.inputs, inner.outputs)
    restored = (
        keras.Model.from_config(model.get_config())
        if way == "from_config"
        else keras.models.model_from_json(model.to_json())
    )
    restored.set_weights(model.get_weights())
    equal([type(layer).__name__ for layer in restored.layers], ["InputLayer", "Dense", "Softmax"], "layers")
    data = numbers(2, 3)
    close([array(part) for part in restored(data)], [array(part) for part in model(data)], "outputs")


@each(way=["from_config", "json"])
def a_model_of_a_later_call_is_restored(way):
    """A model of the second call of a layer has its layers and outputs by {way}"""
    layer = keras.layers.Dense(3)
    layer(keras.Input((3,)))
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.ReLU()(layer(x))))
    restored = (
        keras.Model.from_config(model.get_config())
        if way == "from_config"
        else keras.models.model_from_json(model.to_json())
    )
    restored.set_weights(model.get_weights())
    equal(len(restored.layers), 4, "how many layers")
    close(array(restored(numbers(2, 3))), array(model(numbers(2, 3))))


@each(place=["before", "between"])
def a_sequential_of_a_functional_is_restored(place):
    """A Sequential that holds a Functional model {place} other layers is restored"""
    x = keras.Input((4, 4, 3))
    body = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    first = [keras.layers.Rescaling(2.0)] if place == "between" else []
    model = keras.Sequential([keras.Input((4, 4, 3)), *first, body, keras.layers.GlobalAveragePooling2D()])
    restored = keras.Sequential.from_config(model.get_config())
    restored.set_weights(model.get_weights())
    close(array(restored(numbers(2, 4, 4, 3))), array(model(numbers(2, 4, 4, 3))))


@each(structure=["x", "[x, y]", "{'k': [x]}"], wrong=["too many axes", "too few axes"])
def refused_data_is_named(structure, wrong):
    """A model of inputs {structure} refuses {wrong} by a message that names the input"""
    model = _model_of(structure)
    bad = numbers(2, 3, 4) if wrong == "too many axes" else np.float32(1.0)
    names = {"x": bad, "y": numbers(2, 3)}
    data = eval(structure, names)  # noqa: S307 - texts of this module
    text = refuses(lambda: model(data), wrong)
    true("'x'" in text, "the message names the input (it is: %s)" % text[:200])


class _Body(keras.Model):
    """A Functional model that keeps another layer."""

    def __init__(self):
        head = keras.layers.Dense(2, name="head")
        x = keras.Input((3,))
        super().__init__(x, keras.layers.Dense(4, name="body")(x))
        self.head = head


@each(holds=["weights", "trainable", "file", "training"])
def layers_kept_by_a_functional_subclass_are_its_own(holds):
    """A layer kept by a Functional subclass next to its graph is part of it: {holds}"""
    body = _Body()
    x = body.input
    whole = keras.Model(x, body.head(body(x)))
    if holds == "weights":
        paths = [variable.path for variable in body.weights]
        equal(len(paths), 4, "how many weights (they are: %s)" % paths)
    elif holds == "trainable":
        body.trainable = False
        equal([len(body.trainable_weights), body.head.trainable], [0, False], "trainable weights, and the flag")
    elif holds == "file":
        given(whole)
        body.save_weights("b.weights.h5")
        other = _Body()
        other.head.build((None, 4))
        other.load_weights("b.weights.h5")
        close([array(v) for v in other.head.weights], [array(v) for v in body.head.weights], "weights")
    else:
        need("keras.saving.load_weights")
        given(whole)
        whole.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        before = array(body.head.kernel)
        whole.train_on_batch(numbers(4, 3), numbers(4, 2))
        true(np.abs(array(body.head.kernel) - before).max() > 0, "the layer learns")


@each(layer=["Dense(4)", "EinsumDense('ab,bc->ac', (4,))", "Embedding(5, 4)"], added=["lora", "int8"])
def weights_added_later_have_the_path_of_their_layer(layer, added):
    """{layer} inside a model names weights added by {added} as its first ones"""

    class Outer(keras.Model):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = eval("keras.layers." + layer[:-1] + ", name='inner')")  # noqa: S307 - texts of this module

        def build(self, shape):
            self.inner.build(shape)

        def call(self, x):
            return self.inner(x)

    model = Outer()
    model.build((None, 3))
    if added == "lora":
        if not hasattr(model.inner, "enable_lora"):
            raise Lacking("enable_lora")
        model.inner.enable_lora(2)
    else:
        if not hasattr(model.inner, "quantize"):
            raise Lacking("quantize")
        model.inner.quantize("int8")
    paths = [variable.path for variable in model.inner.weights]
    true(all(path.startswith("outer/inner/") for path in paths), "every path begins with outer/inner (%s)" % paths)
    equal(len(set(paths)), len(paths), "different paths")


def _parts(layers):
    """Returns a layer with weights of several kinds and a layer inside."""

    class Whole(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)
            self.scale = self.add_weight(initializer="ones", shape=(2, 2))
            self.count = self.add_weight(initializer="zeros", dtype="int32", trainable=False)

        def call(self, x):
            return self.inner(x)

    keras.utils.clear_session()
    made = Whole()
    made(numbers(2, 3))
    return made


def a_torch_state_dict_loads_into_another():
    """On PyTorch, the state_dict of a layer loads into one made in the same way"""
    if keras.config.backend() != "torch":
        raise Lacking("layers are modules of PyTorch only there")
    first, second = _parts(keras.layers), _parts(keras.layers)
    given(first)
    names = [[name for name, _value in layer.named_parameters()] for layer in (first, second)]
    true(names[0] == names[1], "layers made in the same way name their parameters alike")
    second.load_state_dict(first.state_dict())
    equal([array(v) for v in second.weights], [array(v) for v in first.weights], "weights")


INSIDE = ["GRU(2, dropout=0.5)", "GRU(2, recurrent_dropout=0.5)", "LSTM(2, dropout=0.5)",
          "LSTM(2, recurrent_dropout=0.5)", "SimpleRNN(2, dropout=0.5)", "SimpleRNN(2, recurrent_dropout=0.5)",
          "Dropout(0.5)", "GaussianDropout(0.5)", "GaussianNoise(0.5)", "AlphaDropout(0.5)", "SpatialDropout1D(0.5)",
          "BatchNormalization()", "LayerNormalization()", "Masking()", "ReLU()", "Softmax()", "Dense(3)",
          "ActivityRegularization(0.1)", "UnitNormalization()"]  # fmt: skip


@each(layer=INSIDE)
def calls_leave_their_tensors_alone(layer):
    """{layer} called in training leaves the tensors that it is given as they were"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    x, states = numbers(2, 4, 3), [numbers(2, 2, seed=place) + 3 for place in (1, 2)]
    tensor, tensors = keras.ops.convert_to_tensor(x + 0), [keras.ops.convert_to_tensor(s + 0) for s in states]
    options = {}
    if "recurrent" in layer:
        options["initial_state"] = tensors if "LSTM" in layer else tensors[:1]
    try:
        made(tensor, training=True, **options)
    except TypeError:  # it does not know training
        made(tensor)
    equal(array(tensor), x, "the input")
    equal([array(part) for part in tensors], states, "the states")


def add_metric_says_what_to_use():
    """add_metric of a layer is refused by a message that names compile"""
    text = refuses(lambda: keras.layers.Dense(2).add_metric(), "add_metric", (NotImplementedError, AttributeError))
    true("compile" in text, "the message names compile (it is: %s)" % text[:150])


def applications_begin_at_a_given_tensor():
    """applications.ConvNeXtTiny(input_tensor=) has the layers in front of that tensor"""
    x = keras.Input((64, 64, 4), name="mine")
    front = keras.layers.Conv2D(3, 2, strides=2, name="front")(x)
    model = need("keras.applications.ConvNeXtTiny")(include_top=False, weights=None, input_tensor=front)
    equal([part.name for part in model.inputs], ["mine"], "inputs")
    true("front" in [layer.name for layer in model.layers], "the layer in front is part of the model")
