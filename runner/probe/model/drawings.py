"""Drawings and summaries of models in models, and layers around functions of jax."""

from __future__ import annotations

import io
import re
import warnings

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import Lacking, array, close, equal, need, numbers, true


def _drawn(model, **options):
    """Returns the nodes, ``{id: name}``, and the edges, pairs of ids, of a drawing."""
    need("pydot")
    graph = need("keras.utils.model_to_dot")(model, show_layer_names=True, **options)
    nodes, edges, due = {}, [], [graph]
    while due:
        part = due.pop()
        for node in part.get_nodes():
            if node.get("label"):
                nodes[node.get_name().strip('"')] = str(node.get("label"))
        edges += [(e.get_source().strip('"'), e.get_destination().strip('"')) for e in part.get_edges()]
        due += part.get_subgraphs()
    return nodes, edges


def _block(kind, name):
    """Returns a model of two layers, called first and last of ``name``."""
    first, last = keras.layers.Dense(4, name=name + "_first"), keras.layers.Dense(4, name=name + "_last")
    if kind == "sequential":
        return keras.Sequential([keras.Input((4,)), first, last], name=name)
    x = keras.Input((4,), name=name + "_in")
    return keras.Model(x, last(first(x)), name=name)


@each(outer=["sequential", "functional"], inner=["sequential", "functional"])
def expanded_models_are_connected(outer, inner):
    """model_to_dot(expand_nested=True): {inner} models in a {outer} one are a chain"""
    parts = [_block(inner, "one"), _block(inner, "two")]
    if outer == "sequential":
        model = keras.Sequential([keras.Input((4,)), *parts, keras.layers.Dense(1, name="end")])
    else:
        x = keras.Input((4,), name="begin")
        model = keras.Model(x, keras.layers.Dense(1, name="end")(parts[1](parts[0](x))))
    nodes, edges = _drawn(model, expand_nested=True)
    dangling = [edge for edge in edges if edge[0] not in nodes or edge[1] not in nodes]
    equal(len(dangling), 0, "edges that end nowhere")
    for name in ("one_first", "one_last", "two_first", "two_last", "end"):
        equal(sum(name in label for label in nodes.values()), 1, "boxes of the layer %s" % name)

    def reached(name):
        """Names of the layers that follow a layer."""
        found, due = set(), [key for key, label in nodes.items() if name in label]
        while due:
            here = due.pop()
            following = [b for a, b in edges if a == here and b not in found]
            found.update(following)
            due += following
        return " ".join(nodes[key] for key in found)

    for before, after in [("one_first", "one_last"), ("one_last", "two_first"), ("two_last", "end")]:
        true(after in reached(before), "%s follows %s" % (after, before))
        true(before not in reached(after), "%s does not follow %s" % (before, after))


def inputs_of_an_expanded_model_are_met():
    """model_to_dot(expand_nested=True) connects each input of a model inside"""
    a, b = keras.Input((4,), name="in_a"), keras.Input((4,), name="in_b")
    inner = keras.Model([a, b], [keras.layers.Dense(2, name="of_a")(a), keras.layers.Dense(2, name="of_b")(b)])
    x, y = keras.Input((4,), name="out_x"), keras.Input((4,), name="out_y")
    p, q = inner([x, y])
    model = keras.Model([x, y], [keras.layers.ReLU(name="end_p")(p), keras.layers.ReLU(name="end_q")(q)])
    nodes, edges = _drawn(model, expand_nested=True)

    def connected(first, second):
        ids = [[key for key, label in nodes.items() if name in label] for name in (first, second)]
        return any((a, b) in edges for a in ids[0] for b in ids[1])

    for first, second in [("out_x", "in_a"), ("out_y", "in_b"), ("of_a", "end_p"), ("of_b", "end_q")]:
        true(connected(first, second), "an edge from %s to %s" % (first, second))
    for first, second in [("out_x", "in_b"), ("of_a", "end_q")]:
        true(not connected(first, second), "no edge from %s to %s" % (first, second))


@each(show=["show_shapes", "show_dtype"])
def several_outputs_are_drawn(show):
    """model_to_dot({show}=True) draws a layer that gives a list or a dict"""

    class Splits(keras.layers.Layer):
        def call(self, x):
            return [x[:, :1], x[:, 1:]]

    class Names(keras.layers.Layer):
        def call(self, x):
            return {"a": x, "b": x}

    x = keras.Input((3,))
    left, right = Splits(name="splits")(x)
    named = Names(name="names")(right)
    model = keras.Model(x, keras.layers.Concatenate(name="joins")([left, named["a"], named["b"]]))
    nodes, _ = _drawn(model, **{show: True})
    text = " ".join(nodes.values())
    true(all(name in text for name in ("splits", "names", "joins")), "each layer is drawn")


@each(first=["functional", "sequential"])
def a_sequential_begins_with_a_model(first):
    """A Sequential whose first layer is a built {first} model is built at once"""
    model = keras.Sequential([_block(first, "one"), keras.layers.Dense(2, name="end")])
    stream = io.StringIO()
    model.summary(print_fn=lambda line, **_: stream.write(line + "\n"), line_length=100)
    true(model.built and model.layers[1].built, "the model and its layers are built")
    equal(model.count_params(), 4 * 4 + 4 + 4 * 4 + 4 + 4 * 2 + 2, "parameters")
    rows = [line for line in stream.getvalue().splitlines() if re.search(r"\b(one|end) \(", line)]
    equal([bool(re.search(r"\(None, [42]\)", row)) for row in rows], [True, True], "whether each row has a shape")
    close(model.predict(np.ones((2, 4), "float32"), verbose=0), array(model(np.ones((2, 4), "float32"))), "outputs")


@each(option=["show_trainable=True", "expand_nested=True", "show_trainable=True, expand_nested=True"])
def a_summary_takes_operations(option):
    """summary({option}) of a model with operations has a row for each"""
    x = keras.Input((3,))
    model = keras.Model(x, keras.ops.sum(keras.layers.Dense(2, name="mine")(keras.ops.exp(x) * 2.0), axis=-1))
    stream = io.StringIO()
    options = eval("dict(%s)" % option)  # noqa: S307 - written above
    model.summary(print_fn=lambda line, **_: stream.write(line + "\n"), line_length=120, **options)
    text = stream.getvalue()
    true(all(word in text for word in ("mine", "Exp", "Sum")), "the layer and the operations are there")


@each(inputs=["a list of one", "a dict of one", "one tensor"], given_as=["array", "tensor"])
def one_input_gives_no_warning(inputs, given_as):
    """A model of {inputs} takes one {given_as} without a warning"""
    x = keras.Input((3,), name="x")
    y = keras.layers.ReLU()(x)
    model = keras.Model({"a list of one": [x], "a dict of one": {"x": x}, "one tensor": x}[inputs], y)
    value = numbers(2, 3)
    fed = keras.ops.convert_to_tensor(value) if given_as == "tensor" else value
    fed = {"x": fed} if inputs == "a dict of one" else fed
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [array(model(fed)), model.predict(fed, verbose=0)]
    for value_found in found:
        close(value_found, np.maximum(value, 0))
    texts = [str(w.message) for w in caught if "struct" in str(w.message)]
    equal(texts, [], "warnings")


@each(layer=["Attention", "AdditiveAttention"], parts=["query, value", "query, value, key"])
def attention_has_the_width_of_the_value(layer, parts):
    """{layer}.compute_output_shape of [{parts}] is that of the output"""
    width = 3 if layer == "Attention" and "key" in parts else 4
    shapes = [(2, 5, 4), (2, 6, width), (2, 6, 4)][: 2 + ("key" in parts)]
    made = getattr(keras.layers, layer)()
    found = array(made([numbers(*shape) for shape in shapes]))
    equal(tuple(made.compute_output_shape([tuple(shape) for shape in shapes])), found.shape, "the shape")


@each(layer=["LSTM", "GRU"], way=[0, 1, 2])
def recurrent_implementations_agree(layer, way):
    """{layer}(implementation={way}) gives what {layer}() gives"""
    x = numbers(2, 3, 4)
    made = getattr(keras.layers, layer)
    weights = [0.1 * numbers(*w.shape, seed=n) for n, w in enumerate(_built(made(2)).get_weights())]
    found = []
    for made_layer in (made(2), made(2, implementation=way)):
        _built(made_layer).set_weights(weights)
        found.append(array(made_layer(x)))
    close(found[1], found[0])


def _built(layer):
    layer.build((None, 3, 4))
    return layer


INITIALIZERS = [
    *["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Ones"],
    *["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "Orthogonal", "Identity"],
]


@each(name=INITIALIZERS)
def initializers_go_by_their_class(name):
    """initializers.get finds {name} by the name of its class, and in a layer's config"""
    kind = getattr(keras.initializers, name)
    found = keras.initializers.get({"class_name": name, "config": {}})
    true(isinstance(found, kind), "it is a %s, got %s" % (name, type(found).__name__))
    layer = keras.layers.Dense.from_config({"units": 3, "kernel_initializer": {"class_name": name, "config": {}}})
    true(isinstance(layer.kernel_initializer, kind), "the layer's initializer is a %s" % name)


def _of_jax():
    """Returns jax, where JaxLayer runs in every release that has it."""
    if keras.backend.backend() != "jax":
        raise Lacking("JaxLayer belongs to jax")
    need("keras.layers.JaxLayer")
    return need("jax")


@each(call=["at once", "predict"])
def jax_layer_is_built_in_a_subclassed_model(call):
    """JaxLayer inside a subclassed model has its first weights after the call {call}"""
    jax = _of_jax()
    layer = keras.layers.JaxLayer(
        call_fn=lambda params, inputs: inputs @ params["w"],
        init_fn=lambda rng, inputs: {"w": 3.0 + jax.random.uniform(rng, (inputs.shape[-1], 2))},
        seed=1,
    )

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, x):
            return self.inner(x)

    x, model = numbers(2, 3), Mine()
    found = model.predict(x, verbose=0) if call == "predict" else array(model(x))
    w = array(layer.trainable_variables[0])
    true(bool(((w >= 3) & (w < 4)).all()), "the weights are 3 to 4, as initialized, got %s" % w.ravel()[:3])
    close(found, x @ w, "the output")


@each(dtype=["float16", "bfloat16", "mixed_float16", "None"])
def jax_layer_has_its_dtype(dtype):
    """JaxLayer(dtype={dtype}) stores floats in it, and whole numbers as they are"""
    jax = _of_jax()
    params = {"w": jax.numpy.ones((3, 2), "float32"), "count": jax.numpy.asarray(3, "int32")}
    options = {} if dtype == "None" else {"dtype": dtype}
    layer = keras.layers.JaxLayer(
        call_fn=lambda params, inputs: inputs @ params["w"].astype(inputs.dtype), params=params, **options
    )
    expected = {"mixed_float16": "float32", "None": "float32"}.get(dtype, dtype)
    found = sorted(keras.backend.standardize_dtype(v.dtype) for v in layer.weights)
    equal(found, sorted([expected, "int32"]), "the dtypes")
    output = keras.backend.standardize_dtype(layer(numbers(2, 3)).dtype)
    equal(output, {"mixed_float16": "float16", "None": "float32"}.get(dtype, dtype), "the dtype of the output")
