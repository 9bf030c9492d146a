"""Models made of layers and models: what they take, give, and know of themselves."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, close, equal, given, need, numbers, refuses, true, warned


def _two(**kwargs):
    """Returns a model of inputs ``a`` and ``b``, 2 * a - b."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], keras.layers.Subtract(name="minus")([keras.layers.Rescaling(2.0)(a), b]), **kwargs)


def _named(names=("a", "b")):
    """Returns the same model with a dict of inputs, in the order of ``names``."""
    found = {name: keras.Input((3,), name=name) for name in names}
    a, b = found[min(names)], found[max(names)]
    return keras.Model(found, keras.layers.Subtract(name="minus")([keras.layers.Rescaling(2.0)(a), b]))


def _nested_models(inputs, outputs):
    """Returns a model, where the release takes nested inputs and outputs."""
    try:
        return keras.Model(inputs, outputs)
    except ValueError as error:
        if "When providing" in str(error):
            raise Lacking("this release takes flat inputs and outputs only") from error
        raise


A, B = np.ones((2, 3), "float32"), np.full((2, 3), 5.0, "float32")
EXPECTED = 2 * A - B


@each(form=["[A, B]", "(A, B)", "{'a': A, 'b': B}", "{'b': B, 'a': A}"])
def list_model_takes(form):
    """A model of a list of inputs takes {form}"""
    close(_two()(eval(form)), EXPECTED)  # noqa: S307 - texts of this module


@each(form=["[A, B]", "{'a': A, 'b': B}", "{'b': B, 'a': A}"], order=["ab", "ba", "zc", "cz"])
def dict_model_takes(form, order):
    """A model of a dict of inputs in the order {order} takes or refuses {form}"""
    first, last = min(order), max(order)
    if form.startswith("["):
        if order != "".join(sorted(order)):
            try:
                found = _named(order)([A, B])
            except ValueError:
                return
            close(found, EXPECTED, "the result in the order of the names")
            return
        close(_named(order)([A, B]), EXPECTED)
        return
    data = eval(form.replace("'a'", "first").replace("'b'", "last"), {"A": A, "B": B, "first": first, "last": last})  # noqa: S307
    close(_named(order)(data), EXPECTED)


@each(order=["ab", "ba"])
def dict_model_predicts_by_name(order):
    """predict of a dict model in the order {order} goes by name"""
    close(_named(order).predict({"b": B, "a": A}, verbose=0), EXPECTED)


def extra_keys_are_ignored():
    """A dict model ignores keys that it has no input for"""
    close(_named()({"a": A, "b": B, "c": A}), EXPECTED)


def missing_key_is_refused():
    """A dict model refuses a dict in which an input is missing"""
    refuses(lambda: _named()({"a": A}), "a dict without b", (ValueError, TypeError, KeyError))


@each(count=[1, 3])
def wrong_number_of_inputs_is_refused(count):
    """A model of two inputs refuses {count}"""
    refuses(lambda: _two()([A] * count), "%d inputs" % count)


def wrong_last_dimension_is_refused():
    """A model refuses data of another last dimension"""
    refuses(lambda: _two()([A, np.ones((2, 4), "float32")]), "4 features for 3")


def wrong_rank_is_refused():
    """A model refuses data of another rank"""
    refuses(lambda: _two()([A, np.ones((2, 3, 3, 3), "float32")]), "rank 4 for 2")


def none_for_a_needed_input_is_refused():
    """A model refuses None for an input that is not optional"""
    refuses(lambda: _two()([A, None]), "None")


def optional_input_may_be_none():
    """An input with optional=True takes None"""
    need("keras.Input(optional)")

    class Perhaps(keras.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape=None):
            return x_shape

    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b", optional=True)
    model = keras.Model([a, b], Perhaps()(a, b))
    close(model([A, None]), A)
    close(model([A, B]), A + B)


def optional_input_may_be_none_in_predict():
    """predict takes None for an optional input"""
    need("keras.Input(optional)")

    class Perhaps(keras.layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

        def compute_output_shape(self, x_shape, y_shape=None):
            return x_shape

    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b", optional=True)
    model = keras.Model({"a": a, "b": b}, Perhaps()(a, b))
    close(model.predict({"a": A, "b": None}, verbose=0), A)


@each(structure=["[y, z]", "(y, z)", "{'y': y, 'z': z}", "{'z': z, 'y': y}", "{'p': [y, {'q': z}]}", "[y, [z, y]]"])
def outputs_keep_their_structure(structure):
    """A Functional model gives its outputs as {structure}"""
    x = keras.Input((3,))
    y, z = keras.layers.Rescaling(2.0)(x), keras.layers.Rescaling(3.0)(x)
    model = _nested_models(x, eval(structure, {"y": y, "z": z}))  # noqa: S307 - texts of this module
    expected = eval(structure, {"y": 2 * A, "z": 3 * A})  # noqa: S307
    close(model(A), expected, "called")
    close(model.predict(A, verbose=0), expected, "predicted")


@each(structure=["[a, [b]]", "{'x': a, 'y': [b]}", "({'x': a}, b)", "{'x': {'y': a, 'z': b}}"])
def inputs_may_be_nested(structure):
    """A Functional model takes inputs as {structure}"""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    minus = keras.layers.Subtract()([keras.layers.Rescaling(2.0)(a), b])
    model = _nested_models(eval(structure, {"a": a, "b": b}), minus)  # noqa: S307 - texts of this module
    close(model(eval(structure, {"a": A, "b": B})), EXPECTED)  # noqa: S307


def matching_inputs_give_no_warning():
    """Calling a Functional model as it was made gives no warning"""
    for model, data in [(_two(), [A, B]), (_two(), (A, B)), (_named(), {"a": A, "b": B})]:
        equal([text for text in warned(lambda m=model, d=data: m(d)) if "structure" in text], [], "warnings")


def mismatched_inputs_give_a_warning():
    """A dict for a model of one unnamed tensor gives a warning on structure"""
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.Rescaling(2.0)(x))
    true(any("structure" in text for text in warned(lambda: model([A]))), "a list for a tensor is reported")


def lower_rank_gets_a_dimension():
    """A model with inputs of shape (1,) takes a batch of numbers"""
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Rescaling(2.0)(x))
    close(model(np.array([1.0, 2.0], "float32")), [[2.0], [4.0]])


def higher_rank_loses_a_dimension():
    """A model with an input of shape () takes a column of numbers"""
    x = keras.Input(())
    model = keras.Model(x, keras.layers.Rescaling(2.0)(x))
    close(model(np.array([[1.0], [2.0]], "float32")), [2.0, 4.0])


@each(dtype=["int32", "float64", "uint8", "bool", "float16"])
def inputs_are_cast_to_the_input_dtype(dtype):
    """A Functional model casts {dtype} data to its input's dtype"""
    x = keras.Input((3,), dtype="float32")
    model = keras.Model(x, keras.layers.Activation("linear")(x))
    found = model(np.ones((2, 3), dtype))
    equal(keras.backend.standardize_dtype(found.dtype), "float32", "dtype")


def inputs_not_connected_are_refused():
    """A model refuses outputs that do not depend on any of its inputs"""
    x, y = keras.Input((3,)), keras.Input((3,))
    refuses(lambda: keras.Model(x, keras.layers.Rescaling(2.0)(y)), "inputs not connected")


def one_unconnected_input_of_a_layer_is_refused():
    """A model refuses an output that needs another input too"""
    x, y = keras.Input((3,)), keras.Input((3,))
    refuses(lambda: keras.Model(x, keras.layers.Add()([x, y])), "an output of two inputs, one given")


def arrays_as_inputs_are_refused():
    """A model refuses arrays for symbolic inputs or outputs"""
    x = keras.Input((3,))
    refuses(lambda: keras.Model(A, x), "an array as input")
    refuses(lambda: keras.Model(x, A), "an array as output")


def model_may_begin_inside():
    """A model may begin at a tensor inside another model"""
    x = keras.Input((3,), name="x")
    middle = given(keras.layers.Dense(2, name="one"))(x)
    out = keras.layers.Dense(1, name="two")(middle)
    model = keras.Model(middle, out)
    equal([layer.name for layer in model.layers if "input" not in type(layer).__name__.lower()], ["two"], "layers")
    equal(len(model.weights), 2, "weights")
    equal(tuple(model(np.ones((4, 2), "float32")).shape), (4, 1), "shape")


def operations_end_at_the_inputs():
    """A model that begins inside another has only the layers behind"""
    x = keras.Input((3,), name="x")
    middle = keras.layers.Dense(2, name="one")(x)
    both = keras.layers.Add(name="sum")([keras.layers.Dense(2, name="two")(middle), middle])
    model = keras.Model(middle, both)
    names = [operation.name for operation in model.operations]
    true("one" not in names and "x" not in names, "operations end at the inputs, and are %s" % names)


def layers_of_a_part_of_a_model_are_its_own():
    """A model of another's inside tensors has the layers between"""
    x = keras.Input((3,), name="x")
    one = keras.layers.Dense(2, name="one")(x)
    two = keras.layers.Dense(2, name="two")(one)
    keras.Model(x, two)
    part = keras.Model(x, one)
    equal([layer.name for layer in part.layers], ["x", "one"], "layers")


@each(depth=[1, 2, 3])
def nested_models_compute_the_same(depth):
    """A layer inside {depth} models computes what it does alone"""
    dense = keras.layers.Dense(2, activation="tanh")
    inner = dense
    for _ in range(depth):
        x = keras.Input((3,))
        inner = keras.Model(x, inner(x))
    given(inner)
    data = numbers(2, 3)
    close(inner(data), np.tanh(data @ np.asarray(dense.get_weights()[0]) + dense.get_weights()[1]))
    equal(len(inner.weights), 2, "weights")
    equal(inner.count_params(), 8, "parameters")


@each(depth=[1, 2, 3])
def nested_sequentials_have_their_weights_once(depth):
    """A layer inside {depth} Sequentials has its weights once"""
    model = keras.Sequential([keras.layers.Dense(2)])
    for _ in range(depth - 1):
        model = keras.Sequential([model])
    model.build((None, 3))
    equal([len(model.weights), len(model.trainable_weights), model.count_params()], [2, 2, 8], "weights and parameters")
    equal(tuple(model.output_shape), (None, 2), "output_shape")


def shared_layers_have_two_outputs():
    """A layer called twice has one set of weights, and two nodes"""
    x, y = keras.Input((3,)), keras.Input((3,))
    dense = given(keras.layers.Dense(2))
    model = keras.Model([x, y], [dense(x), dense(y)])
    found = model([A, B])
    close(found[0], dense(A))
    close(found[1], dense(B))
    equal(len(model.weights), 2, "weights")


def shared_model_computes_both():
    """A model called twice inside another computes each call"""
    x = keras.Input((3,))
    inner = given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="tanh")]))
    model = keras.Model(x, inner(inner(x)))
    close(model(A), inner(inner(A)))
    equal(model.count_params(), 12, "parameters")


@each(by=["name", "index"])
def get_layer_finds(by):
    """get_layer finds a layer by {by}"""
    model = _two()
    found = model.get_layer("minus") if by == "name" else model.get_layer(index=len(model.layers) - 1)
    equal(found.name, "minus", "name")


def get_layer_index_zero():
    """get_layer(index=0) gives the first layer"""
    equal(_two().get_layer(index=0).name, "a", "name")


@each(arguments=["name='nothing'", "index=99", "", "name='a', index=0"])
def get_layer_refuses(arguments):
    """get_layer({arguments}) is refused"""
    refuses(lambda: eval("_two().get_layer(%s)" % arguments), arguments)  # noqa: S307 - texts of this module


def inputs_and_outputs_are_known():
    """A Functional model knows its inputs, outputs and shapes"""
    model = _two(name="both")
    equal([x.name for x in model.inputs], ["a", "b"], "names of inputs")
    equal(model.input_names if hasattr(model, "input_names") else ["a", "b"], ["a", "b"], "input_names")
    equal([list(shape) for shape in model.input_shape], [[None, 3], [None, 3]], "input_shape")
    equal(list(model.output_shape), [None, 3], "output_shape")
    equal(model.output_names, ["minus"], "output_names")


def input_spec_is_named():
    """The input specs of a dict model carry the inputs' names"""
    specs = _named().input_spec
    specs = specs.values() if isinstance(specs, dict) else specs
    equal(sorted(spec.name for spec in specs), ["a", "b"], "names")


def function_of_a_dict_takes_a_dict():
    """keras.Function of a dict of inputs computes by name"""
    need("keras.Function")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    function = keras.Function({"a": a, "b": b}, keras.ops.subtract(a, b))
    close(function({"a": A, "b": B}), A - B)


def sequential_without_input_is_built_by_a_call():
    """A Sequential without an input is built by the first call"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    equal([model.built, len(model.layers)], [False, 2], "before")
    equal(tuple(model(A).shape), (2, 1), "shape")
    equal([model.built, len(model.weights), len(model.layers)], [True, 4, 2], "after")


@each(attribute=["inputs", "outputs", "input_shape", "output_shape"])
def unbuilt_sequential_lacks(attribute):
    """hasattr(Sequential(), '{attribute}') is False before it is built"""
    model = keras.Sequential([keras.layers.Dense(2)])
    equal(hasattr(model, attribute), False, "hasattr")


def sequential_add_and_pop():
    """Sequential.add and pop change layers, weights and shape"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.add(keras.layers.Dense(5))
    equal([list(model.output_shape), len(model.weights)], [[None, 5], 4], "after add")
    removed = model.pop()
    equal(removed.units if removed is not None else 5, 5, "what pop gives")
    equal([list(model.output_shape), len(model.weights), len(model.layers)], [[None, 2], 2, 1], "after pop")
    equal(tuple(model(A).shape), (2, 2), "output")


def sequential_pop_without_input():
    """Sequential.pop works before the model is built"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(5)])
    model.pop()
    equal(tuple(model(A).shape), (2, 2), "shape")


def sequential_pop_of_all():
    """Sequential.pop of every layer leaves an empty model"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.pop()
    equal(len(model.layers), 0, "layers")


def sequential_add_after_a_call():
    """A layer added after a call takes part in the next one"""
    model = keras.Sequential([keras.layers.Dense(2)])
    model(A)
    model.add(keras.layers.Dense(5))
    equal([tuple(model(A).shape), len(model.weights)], [(2, 5), 4], "shape and weights")


def sequential_add_after_compile():
    """predict after add uses the layer that was added"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(loss="mse")
    model.predict(A, verbose=0)
    model.add(keras.layers.Dense(5))
    equal(model(A).shape[-1], 5, "called")


def sequential_refuses_names_twice():
    """Sequential refuses two layers of one name"""
    refuses(
        lambda: keras.Sequential([keras.layers.Dense(2, name="x"), keras.layers.Dense(2, name="x")]), "a name twice"
    )


def functional_refuses_names_twice():
    """A Functional model refuses two layers of one name"""
    x = keras.Input((3,))
    refuses(lambda: keras.Model(x, keras.layers.Dense(2, name="y")(keras.layers.Dense(2, name="y")(x))), "a name twice")


@each(thing=["3", "'Dense'", "None", "keras.layers.Dense"])
def sequential_refuses_what_is_no_layer(thing):
    """Sequential refuses {thing} as a layer"""
    refuses(lambda: keras.Sequential([eval(thing)]).build((None, 3)), thing)  # noqa: S307 - texts of this module


def sequential_refuses_incompatible_layers():
    """Sequential refuses layers that do not fit, when it is made"""
    refuses(lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Conv2D(2, 2)]), "Conv2D")


def sequential_takes_layers_with_optional_arguments():
    """Sequential takes a layer whose call has further arguments with defaults"""

    class Twice(keras.layers.Layer):
        def call(self, x, factor=2.0, training=False):
            return x * factor

    close(keras.Sequential([keras.Input((3,)), Twice()])(A), 2 * A)


def sequential_says_why_a_layer_does_not_fit():
    """Sequential names the cause when a layer of a model fails on its input"""

    class Halves(keras.layers.Layer):
        def call(self, x, factor=2.0):
            return keras.ops.reshape(x, (-1, 7)) * factor

    message = refuses(lambda: keras.Sequential([keras.Input((3,), batch_size=2), Halves()]), "no reshape", (Exception,))
    true("positional" not in message, "the message is on the reshape: %s" % message[:80])


def sequential_of_a_model_and_layers():
    """Sequential takes models as layers"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model = keras.Sequential([inner, keras.layers.Dense(2)])
    equal(tuple(model(A).shape), (2, 2), "shape")
    equal(len(model.weights), 4, "weights")


def sequential_starts_with_a_layer_of_known_input():
    """Sequential knows the shape of a first model with an input"""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model = keras.Sequential([inner, keras.layers.Dense(2)])
    model.build((None, 3))
    equal([list(model.input_shape), list(model.output_shape)], [[None, 3], [None, 2]], "shapes")


@each(way=["input_shape=(3,)", "input_dim=3"])
def old_input_arguments_still_work(way):
    """A first layer's {way} builds a Sequential"""
    layer = eval("keras.layers.Dense(2, %s)" % way)  # noqa: S307 - texts of this module
    model = keras.Sequential([layer])
    equal([model.built, list(model.output_shape)], [True, [None, 2]], "built, shape")


def sequential_compute_output_shape():
    """Sequential.compute_output_shape goes through all layers"""
    model = keras.Sequential([keras.layers.Conv1D(4, 3), keras.layers.MaxPooling1D(2), keras.layers.Flatten()])
    equal(list(model.compute_output_shape((2, 10, 3))), [2, 16], "shape")
    equal(list(model.compute_output_shape((None, 10, 3))), [None, 16], "shape, unknown batch")


def functional_compute_output_shape():
    """compute_output_shape of a Functional model follows its layers"""
    equal(list(_two().compute_output_shape([(5, 3), (5, 3)])), [5, 3], "list")
    equal(list(_named().compute_output_shape({"a": (5, 3), "b": (5, 3)})), [5, 3], "dict")


def functional_subclass_is_functional():
    """A subclass of Model made from inputs and outputs is a model of them"""

    class Mine(keras.Model):
        def __init__(self, extra, **kwargs):
            x = keras.Input((3,))
            super().__init__(inputs=x, outputs=keras.layers.Rescaling(extra)(x), **kwargs)
            self.extra = extra

    model = Mine(4.0, name="mine")
    close(model(A), 4 * A)
    equal([model.extra, model.name, len(model.layers)], [4.0, "mine", 2], "attributes")


def functional_subclass_may_extend_a_model():
    """A Model subclass may pass inputs and outputs by position"""

    class Mine(keras.Model):
        pass

    x = keras.Input((3,))
    model = Mine(x, keras.layers.Rescaling(2.0)(x))
    equal(isinstance(model, Mine), True, "its class")
    close(model(A), 2 * A)


@each(structure=["list", "tuple", "dict", "nested"])
def subclassed_model_takes(structure):
    """A subclassed model is built by inputs in a {structure}"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            flat = keras.tree.flatten(inputs)
            return self.dense(flat[0]) + self.dense(flat[1])

    need("keras.tree")
    model = Mine()
    data = {"list": [A, B], "tuple": (A, B), "dict": {"a": A, "b": B}, "nested": {"a": [A], "b": (B,)}}[structure]
    equal(tuple(model(data).shape), (2, 2), "shape")
    equal([model.built, len(model.weights)], [True, 2], "built, weights")
    equal(tuple(model.predict(data, verbose=0).shape), (2, 2), "predicted shape")


def subclassed_model_with_two_arguments():
    """A subclassed model may take two tensors as arguments"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x, y, training=False):
            return self.dense(x) - self.dense(y)

    model = Mine()
    close(model(A, A), np.zeros((2, 3)))
    close(model(A, y=A), np.zeros((2, 3)))


def subclassed_model_with_dict_output():
    """predict of a subclassed model keeps a dict of outputs"""

    class Mine(keras.Model):
        def call(self, x):
            return {"double": 2 * x, "more": [x, 3 * x]}

    found = Mine().predict(A, verbose=0)
    close(found, {"double": 2 * A, "more": [A, 3 * A]})


def subclassed_model_inside_a_functional():
    """A subclassed model is a layer of a Functional model"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return {"a": self.dense(x), "b": x}

    x = keras.Input((3,))
    mine = Mine()
    found = mine(x)
    model = keras.Model(x, keras.layers.Concatenate()([found["a"], found["b"]]))
    equal([list(model.output_shape), len(model.weights)], [[None, 5], 2], "shape, weights")
    equal(tuple(model(A).shape), (2, 5), "real shape")


def layer_of_a_dict_in_a_functional():
    """A Functional model may hold a layer that gives a dict"""

    class Parts(keras.layers.Layer):
        def call(self, x):
            return {"sum": keras.ops.sum(x, axis=1), "same": x}

    x = keras.Input((3,))
    parts = Parts()(x)
    model = keras.Model(x, [parts["sum"], parts["same"]])
    close(model(A), [np.full(2, 3.0), A])


def ops_of_tensors_become_layers():
    """Operators and keras.ops on symbolic tensors make a model"""
    x = keras.Input((3,))
    y = keras.ops.exp(x) * 2.0 + x[:, :1] - keras.ops.mean(x, axis=1, keepdims=True)
    data = numbers(2, 3)
    close(keras.Model(x, y)(data), np.exp(data) * 2 + data[:, :1] - data.mean(1, keepdims=True))


def model_from_config_is_the_same():
    """from_config(get_config()) computes the same with the same weights"""
    x = keras.Input((3,), name="x")
    dense = keras.layers.Dense(3, name="d")
    model = given(keras.Model(x, {"one": dense(x), "two": dense(dense(x))}))
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    close(again(A), model(A))


def config_without_a_node_is_refused():
    """Model.from_config refuses a config that refers to a missing layer"""
    x = keras.Input((3,), name="x")
    config = keras.Model(x, keras.layers.Dense(2, name="d")(x)).get_config()
    config["layers"] = config["layers"][1:]
    refuses(lambda: keras.Model.from_config(config), "a config without the input layer")


def model_weights_are_in_the_order_of_layers():
    """The weights of a Functional model are in the order of its layers"""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(1, name="z")(keras.layers.Dense(2, name="y")(x)))
    equal([tuple(w.shape) for w in model.weights], [(3, 2), (2,), (2, 1), (1,)], "shapes")


def layers_cannot_be_set():
    """model.layers is not to be assigned"""
    model = _two()

    def assign():
        model.layers = []

    refuses(assign, "model.layers = []", (AttributeError,))


@each(
    option=[
        "shape=(3,)",
        "batch_shape=(2, 3)",
        "shape=(3,), batch_size=2",
        "shape=(3,), dtype='int32'",
        "shape=(None,)",
    ]
)
def input_options(option):
    """keras.Input({option}) has that shape and dtype"""
    x = eval("keras.Input(%s)" % option)  # noqa: S307 - texts of this module
    batch = 2 if "batch" in option else None
    equal(list(x.shape), [batch, None if "None" in option else 3], "shape")
    equal(x.dtype, "int32" if "int32" in option else "float32", "dtype")


@each(option=["", "shape=(3,), batch_shape=(2, 3)", "shape='3'", "shape=(3,), dtype='nonsense'"])
def input_refuses(option):
    """keras.Input({option}) is refused"""
    refuses(lambda: str(eval("keras.Input(%s)" % option)), option)  # noqa: S307 - texts of this module


def input_of_a_number():
    """keras.Input(shape=3) is that of (3,), or refused"""
    try:
        shape = list(keras.Input(3).shape)
    except (ValueError, TypeError):
        return
    equal(shape, [None, 3], "shape")


def input_wraps_a_symbolic_tensor():
    """keras.Input(tensor=) gives the tensor itself"""
    x = keras.Input((3,))
    inside = keras.layers.Dense(2)(x)
    wrapped = keras.Input(tensor=inside, name="wrapped")
    equal([list(wrapped.shape), wrapped.dtype], [[None, 2], "float32"], "shape and dtype")


def input_follows_floatx():
    """keras.Input has the default float dtype"""
    keras.config.set_floatx("float16")
    equal(keras.Input((3,)).dtype, "float16", "dtype")


def input_names_are_unique():
    """Inputs without a name get different names"""
    names = [keras.Input((3,)).name for _ in range(3)]
    equal(len(set(names)), 3, "different names")
