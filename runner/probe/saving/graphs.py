"""Graphs: functional models of every form come back as they were."""

from __future__ import annotations

import json

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Broken, array, close, equal, given, need, numbers, refuses

L = keras.layers


def _x(*shape, **more):
    return keras.Input(shape, **more)


def _plain():
    x = _x(3, name="x")
    return keras.Model(x, L.Dense(2)(x)), numbers(2, 3)


def _two():
    x, y = _x(3, name="b"), _x(3, name="a")
    return keras.Model([x, y], L.Subtract()([x, L.Dense(3)(y)])), [numbers(2, 3), numbers(2, 3, seed=1)]


def _dict():
    x, y = _x(3, name="b"), _x(3, name="a")
    return keras.Model({"b": x, "a": y}, L.Subtract()([x, y])), {"b": numbers(2, 3), "a": numbers(2, 3, seed=1)}


def _dict_other_keys():
    x, y = _x(3), _x(3)
    return keras.Model({"left": x, "right": y}, L.Subtract()([x, y])), {
        "left": numbers(2, 3),
        "right": numbers(2, 3, seed=1),
    }


def _deep_model(inputs, outputs):
    """Returns a model of nested inputs or outputs, where the release has such."""
    try:
        return keras.Model(inputs, outputs)
    except ValueError as error:
        if "must be KerasTensors" in str(error):
            need("keras.Model(nested inputs or outputs)")
        raise


def _nested_inputs():
    x, y, z = _x(3, name="x"), _x(3, name="y"), _x(3, name="z")
    out = L.Subtract()([L.Add()([x, y]), z])
    data = {"pair": [numbers(2, 3), numbers(2, 3, seed=1)], "one": numbers(2, 3, seed=2)}
    return _deep_model({"pair": [x, y], "one": z}, out), data


def _dict_outputs():
    x = _x(3)
    return keras.Model(x, {"z": L.Dense(2)(x), "a": L.Dense(3)(x)}), numbers(2, 3)


def _nested_outputs():
    x = _x(3)
    return _deep_model(x, [L.Dense(2)(x), {"a": L.Dense(3)(x), "b": [L.Dense(1)(x)]}]), numbers(2, 3)


def _single_list_output():
    x = _x(3)
    return keras.Model(x, [L.Dense(2)(x)]), numbers(2, 3)


def _single_list_input():
    x = _x(3)
    return keras.Model([x], L.Dense(2)(x)), [numbers(2, 3)]


def _input_is_output():
    x = _x(3)
    return keras.Model(x, [x, L.Dense(2)(x)]), numbers(2, 3)


def _same_output_twice():
    x = _x(3)
    y = L.Dense(2)(x)
    return keras.Model(x, [y, y]), numbers(2, 3)


def _shared_layer():
    x, y = _x(3), _x(3)
    layer = L.Dense(2)
    return keras.Model([x, y], [layer(x), layer(y)]), [numbers(2, 3), numbers(2, 3, seed=1)]


def _shared_model():
    x = _x(3)
    model = keras.Sequential([keras.Input((3,)), L.Dense(3)])
    return keras.Model(x, L.Add()([model(x), model(model(x))])), numbers(2, 3)


def _chain_of_one_layer():
    x = _x(3)
    layer = L.Dense(3)
    return keras.Model(x, layer(layer(layer(x)))), numbers(2, 3)


def _call_arguments():
    x = _x(4, 3)
    return keras.Model(x, L.MultiHeadAttention(1, 2)(query=x, value=x, use_causal_mask=True)), numbers(2, 4, 3)


def _tensors_as_keywords():
    x, y = _x(4, 3), _x(2, 3)
    return keras.Model([x, y], L.MultiHeadAttention(1, 2)(x, value=y, key=y)), [numbers(2, 4, 3), numbers(2, 2, 3)]


def _training_flag():
    x = _x(3)
    return keras.Model(x, L.BatchNormalization()(L.Dense(3)(x), training=False)), numbers(2, 3)


def _initial_state():
    x, state = _x(4, 3), _x(2)
    return keras.Model([x, state], L.GRU(2)(x, initial_state=state)), [numbers(2, 4, 3), numbers(2, 2)]


def _initial_states():
    x = _x(4, 3)
    h, c = L.Dense(2)(L.Flatten()(x)), L.Dense(2)(L.Flatten()(x))
    return keras.Model(x, L.LSTM(2)(x, initial_state=[h, c])), numbers(2, 4, 3)


def _returned_states():
    x = _x(4, 3)
    y, h, c = L.LSTM(2, return_sequences=True, return_state=True)(x)
    return keras.Model(x, [y, L.Add()([h, c])]), numbers(2, 4, 3)


def _bidirectional_states():
    x = _x(4, 3)
    y, *states = L.Bidirectional(L.LSTM(2, return_sequences=True, return_state=True))(x)
    return keras.Model(x, L.Bidirectional(L.LSTM(2))(y, initial_state=states)), numbers(2, 4, 3)


def _mask():
    x = _x(4, dtype="int32")
    return keras.Model(x, L.LSTM(2)(L.Embedding(5, 3, mask_zero=True)(x))), np.array([[1, 2, 0, 0], [3, 4, 1, 0]])


def _explicit_mask():
    x, mask = _x(4, 3), _x(4, dtype="bool")
    return keras.Model([x, mask], L.LSTM(2)(x, mask=mask)), [
        numbers(2, 4, 3),
        np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool),
    ]


def _operators():
    x, y = _x(3), _x(3)
    return keras.Model([x, y], (x + y) * 2.0 - x / 3.0 + 1.0 - y**2), [numbers(2, 3), numbers(2, 3, seed=1)]


def _reflected_operators():
    x = _x(3)
    return keras.Model(x, 1.0 - x + 2.0 * x), numbers(2, 3)


def _items():
    x = _x(4, 5)
    return keras.Model(x, [x[:, 0], x[:, 1:3, ::2], x[..., -1], x[:, None]]), numbers(2, 4, 5)


def _functions():
    x = _x(4, 3)
    y = keras.ops.concatenate([keras.ops.exp(x), keras.ops.mean(x, axis=1, keepdims=True)], axis=1)
    return keras.Model(x, keras.ops.transpose(keras.ops.reshape(y, (-1, 3, 5)), (0, 2, 1))), numbers(2, 4, 3)


def _function_with_constant():
    x = _x(3)
    return keras.Model(x, keras.ops.add(x, np.array([1.0, 2.0, 3.0], "float32"))), numbers(2, 3)


def _functions_of_many():
    x = _x(3)
    parts = keras.ops.split(keras.ops.concatenate([x, x * 2.0], axis=1), 3, axis=1)
    return keras.Model(x, [keras.ops.stack(parts, axis=1), keras.ops.where(x > 0, x, x * 0.1)]), numbers(2, 3)


def _einsum():
    x, y = _x(4, 3), _x(4, 3)
    return keras.Model([x, y], keras.ops.einsum("abc,adc->abd", x, y)), [numbers(2, 4, 3), numbers(2, 4, 3, seed=1)]


def _casts():
    x = _x(3, dtype="int32")
    return keras.Model(x, keras.ops.cast(x, "float32") / 2.0), np.array([[1, 2, 3]], "int32")


def _dims_of_none():
    x = _x(None, 3)
    return keras.Model(x, L.Conv1D(2, 2)(x)), numbers(2, 5, 3)


def _fixed_batch():
    x = keras.Input(batch_shape=(2, 3))
    return keras.Model(x, L.Dense(2)(x)), numbers(2, 3)


def _deep():
    x = _x(3)
    inner = keras.Sequential([keras.Input((3,)), L.Dense(3, name="d")], name="in")
    middle = keras.Model(x, inner(L.Dense(3, name="d")(x)), name="mid")
    y = _x(3)
    return keras.Model(y, middle(L.Dense(3, name="d")(y)), name="out"), numbers(2, 3)


def _inner_of_two():
    x, y = _x(3), _x(3)
    inner = keras.Model([x, y], [L.Add()([x, y]), L.Multiply()([x, y])], name="in")
    a, b = _x(3), _x(3)
    total, product = inner([a, b])
    return keras.Model([a, b], L.Concatenate()([product, total])), [numbers(2, 3), numbers(2, 3, seed=1)]


def _inner_of_dict():
    x, y = _x(3, name="x"), _x(3, name="y")
    inner = keras.Model({"x": x, "y": y}, {"s": L.Add()([x, y]), "p": L.Multiply()([x, y])}, name="in")
    a, b = _x(3), _x(3)
    out = inner({"x": a, "y": b})
    return keras.Model([a, b], [out["p"], out["s"]]), [numbers(2, 3), numbers(2, 3, seed=1)]


def _layer_twice_across():
    x = _x(3)
    inner = keras.Model(x, L.Dense(3)(x), name="in")
    y = _x(3)
    middle = keras.Sequential([keras.Input((3,)), inner], name="mid")
    return keras.Model(y, [middle(y), inner(y)]), numbers(2, 3)


def _autoencoder():
    x = _x(3)
    code = L.Dense(2, name="code")(x)
    encoder = keras.Model(x, code, name="encoder")
    z = _x(2)
    decoder = keras.Model(z, L.Dense(3)(z), name="decoder")
    return keras.Model(x, decoder(encoder(x))), numbers(2, 3)


def _sub_model_of_layers():
    x = _x(3)
    y = L.Dense(3, name="one")(x)
    z = L.Dense(2, name="two")(y)
    return keras.Model(y, z), numbers(2, 3)


def _sequential_in_time():
    inner = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    return keras.Sequential([keras.Input((4, 3)), L.TimeDistributed(inner)]), numbers(2, 4, 3)


def _sequential_named():
    return keras.Sequential(
        [keras.Input((3,), name="my_input"), L.Dense(2, name="my_layer")], name="my_model"
    ), numbers(2, 3)


def _sequential_of_functional():
    x = _x(3)
    return keras.Sequential([keras.Model(x, L.Dense(2)(x)), L.Dense(1)]), numbers(2, 3)


def _sequential_built_by_data():
    model = keras.Sequential([L.Dense(3), L.Dense(2)])
    model(numbers(2, 3))
    return model, numbers(2, 3)


def _optional_input():
    need("keras.Input(optional)")
    x, y = _x(3), _x(3, optional=True)
    return keras.Model([x, y], _Maybe()([x, y])), [numbers(2, 3), None]


@keras.saving.register_keras_serializable(package="probe-graphs")
class _Maybe(keras.layers.Layer):
    def call(self, inputs):
        x, y = inputs
        return x * 2.0 if y is None else x + y

    def compute_output_shape(self, shapes):
        return shapes[0]


def _list_to_layer_of_dict():
    x, y = _x(3), _x(3)
    return keras.Model([x, y], _Named()({"a": x, "b": y}, scale=2.0)), [numbers(2, 3), numbers(2, 3, seed=1)]


@keras.saving.register_keras_serializable(package="probe-graphs")
class _Named(keras.layers.Layer):
    def call(self, inputs, scale=1.0):
        return (inputs["a"] - inputs["b"]) * scale


GRAPHS = [
    "_plain",
    "_two",
    "_dict",
    "_dict_other_keys",
    "_nested_inputs",
    "_dict_outputs",
    "_nested_outputs",
    "_single_list_output",
    "_single_list_input",
    "_input_is_output",
    "_same_output_twice",
    "_shared_layer",
    "_shared_model",
    "_chain_of_one_layer",
    "_call_arguments",
    "_tensors_as_keywords",
    "_training_flag",
    "_initial_state",
    "_initial_states",
    "_returned_states",
    "_bidirectional_states",
    "_mask",
    "_explicit_mask",
    "_operators",
    "_reflected_operators",
    "_items",
    "_functions",
    "_function_with_constant",
    "_functions_of_many",
    "_einsum",
    "_casts",
    "_dims_of_none",
    "_fixed_batch",
    "_deep",
    "_inner_of_two",
    "_inner_of_dict",
    "_layer_twice_across",
    "_autoencoder",
    "_sub_model_of_layers",
    "_sequential_in_time",
    "_sequential_named",
    "_sequential_of_functional",
    "_sequential_built_by_data",
    "_optional_input",
    "_list_to_layer_of_dict",
]


_MAKERS = {name: thing for name, thing in list(globals().items()) if name in GRAPHS}


def _loads_the_same(loaded, model, data, weights=True):
    """Checks that two models have the same names, shapes, weights and outputs.

    Without ``data``, outputs are not compared: on JAX, each costs a compilation.
    """
    if weights:
        equal(loaded.get_weights(), model.get_weights(), "weights")
    else:
        loaded.set_weights(model.get_weights())
    equal([layer.name for layer in loaded.layers], [layer.name for layer in model.layers], "names of the layers")
    if data is not None:
        close(loaded(data), model(data))
    equal(loaded.count_params(), model.count_params(), "the number of parameters")


@each(graph=GRAPHS)
def graph_is_saved(graph):
    """a model's graph survives a .keras file: {graph}"""
    model, data = _MAKERS[graph]()
    given(model)
    model.save("it.keras")
    _loads_the_same(keras.models.load_model("it.keras"), model, data)


_ONE_FILE = ("_layer_twice_across",)  # only a .keras file knows what is shared at several levels
_WITH_FUNCTIONS = (
    *_ONE_FILE,
    "_operators",
    "_reflected_operators",
    "_items",
    "_function_with_constant",
    "_functions_of_many",
    "_einsum",
    "_casts",
)


@each(graph=[graph for graph in GRAPHS if graph not in _WITH_FUNCTIONS])
def graph_survives_legacy_file(graph):
    """a model's graph survives a legacy .h5 file: {graph}"""
    model, _ = _MAKERS[graph]()
    given(model)
    model.save("it.h5")
    _loads_the_same(keras.models.load_model("it.h5"), model, None)


@each(graph=[graph for graph in GRAPHS if graph not in _ONE_FILE])
def graph_survives_json(graph):
    """a model's graph survives to_json and model_from_json: {graph}"""
    model, data = _MAKERS[graph]()
    given(model)
    text = model.to_json()
    second = keras.models.model_from_json(text)
    second(data) if not second.built else None
    _loads_the_same(second, model, data, weights=False)
    equal(_numbered(second.to_json()), _numbered(text), "the configuration")


def _numbered(text):
    """A model's configuration with a number for the name of each layer.

    Operations get other names each time.
    """
    config = json.loads(text)["config"]
    places = {layer.get("name"): i for i, layer in enumerate(config["layers"])}

    def renamed(value):
        if isinstance(value, dict):
            return {key: renamed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [renamed(inner) for inner in value]
        return places.get(value, value) if isinstance(value, str) else value

    return renamed(config)


@each(graph=[graph for graph in GRAPHS if graph not in _ONE_FILE])
def graph_survives_config(graph):
    """from_config(get_config()) gives the same model: {graph}"""
    model, data = _MAKERS[graph]()
    given(model)
    second = model.__class__.from_config(model.get_config())
    second(data) if not second.built else None
    _loads_the_same(second, model, None, weights=False)
    equal(second.name, model.name, "the name")


@each(
    graph=[
        "_plain",
        "_two",
        "_dict",
        "_nested_inputs",
        "_dict_outputs",
        "_nested_outputs",
        "_dims_of_none",
        "_fixed_batch",
    ]
)
def inputs_and_outputs_keep_their_form(graph):
    """inputs and outputs have the same structure once loaded: {graph}"""
    model, _ = _MAKERS[graph]()
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")

    def form(value):
        if isinstance(value, dict):
            return {key: form(item) for key, item in value.items()}
        return (
            [form(item) for item in value]
            if isinstance(value, (list, tuple))
            else [value.name, str(value.shape), value.dtype]
        )

    equal([form(t)[1:] for t in loaded.inputs], [form(t)[1:] for t in model.inputs], "shapes and dtypes of the inputs")
    equal(loaded.input_names, model.input_names, "names of the inputs") if hasattr(model, "input_names") else None
    equal(loaded.output_names, model.output_names, "names of the outputs") if hasattr(model, "output_names") else None
    equal(str(loaded.input_shape), str(model.input_shape), "the input's shape")
    equal(str(loaded.output_shape), str(model.output_shape), "the output's shape")


def _soon(function):
    """Calls a function, and gives it up after three seconds of CPU time."""
    import signal

    def ring(*_):
        raise Broken("no answer within three seconds")

    if not hasattr(signal, "ITIMER_VIRTUAL"):
        return function()
    old = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, 3)
    try:
        return function()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


@each(what=["missing layer", "loop"])
def damaged_graph_is_refused(what):
    """from_config refuses a graph with a {what}, and does not hang"""
    x = keras.Input((3,), name="x")
    a = keras.layers.Dense(3, name="a")(x)
    model = keras.Model(x, keras.layers.Dense(3, name="b")(a))
    config = json.loads(model.to_json())["config"]
    if what == "missing layer":
        config["layers"] = [layer for layer in config["layers"] if layer["name"] != "a"]
    else:
        text = json.dumps(config["layers"][1]["inbound_nodes"]).replace('"x"', '"b"')
        config["layers"][1]["inbound_nodes"] = json.loads(text)
    refuses(lambda: _soon(lambda: keras.Model.from_config(config)), "a graph with a " + what)


def regularization_survives():
    """a loaded model has the same losses of regularizers"""
    model = given(
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")])
    )
    model(numbers(2, 3))
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    loaded(numbers(2, 3))
    close([array(v) for v in loaded.losses], [array(v) for v in model.losses], "losses")
