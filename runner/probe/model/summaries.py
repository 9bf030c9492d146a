"""What a model prints of itself, and the graph that it is drawn as."""

from __future__ import annotations

import re

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import equal, given, need, printed, refuses, true


def _small():
    """Returns a Sequential of 3 * 4 + 4 and 4 * 2 + 2 parameters."""
    return keras.Sequential(
        [keras.Input((3,), name="x"), keras.layers.Dense(4, name="one"), keras.layers.Dense(2, name="two")],
        name="small",
    )


def _nested_models():
    """Returns a model that holds a model that holds a model."""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="deepest")], name="inner")
    middle = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(3, name="between")], name="middle")
    x = keras.Input((3,), name="x")
    return keras.Model(x, keras.layers.Dense(1, name="last")(middle(x)), name="outer")


def _text(model, **options):
    """Returns the summary as text."""
    lines = []
    model.summary(print_fn=lambda *args, **kwargs: lines.append(args[0]), **options)
    return "\n".join(lines)


def _counts(text):
    """Returns the numbers of parameters in a summary, by kind."""
    return {
        name: int(number.replace(",", ""))
        for name, number in re.findall(r"(Total|Non-trainable|Trainable|Optimizer) params:\s*([\d,]+)", text)
    }


def summary_goes_to_standard_output():
    """summary() prints to the standard output, and gives None"""
    model = _small()
    text = printed(lambda: equal(model.summary(), None, "what it returns"))
    for word in ("small", "one", "two", "Dense"):
        true(word in text, "%r is in the summary" % word)


def summary_print_fn_gets_text():
    """summary(print_fn=) hands the text to the function"""
    text = _text(_small())
    for word in ("small", "one", "two"):
        true(word in text, "%r is in the text" % word)


def summary_print_fn_prints_nothing_else():
    """summary(print_fn=) prints nothing itself"""
    equal(printed(lambda: _text(_small())), "", "standard output")


def summary_counts_parameters():
    """summary counts all, trainable and other parameters"""
    equal(_counts(_text(_small())), {"Total": 26, "Trainable": 26, "Non-trainable": 0}, "parameters")


def summary_counts_frozen_parameters():
    """summary counts the parameters of a frozen layer as non-trainable"""
    model = _small()
    model.get_layer("one").trainable = False
    equal(_counts(_text(model)), {"Total": 26, "Trainable": 10, "Non-trainable": 16}, "parameters")


def summary_counts_a_frozen_model():
    """summary of a frozen model has no trainable parameters"""
    model = _small()
    model.trainable = False
    equal(_counts(_text(model)), {"Total": 26, "Trainable": 0, "Non-trainable": 26}, "parameters")


def summary_counts_shared_layers_once():
    """summary counts a layer that is used twice once"""
    x, y = keras.Input((3,)), keras.Input((3,))
    dense = keras.layers.Dense(3)
    equal(_counts(_text(keras.Model([x, y], dense(dense(x)) + dense(y))))["Total"], 12, "parameters")


def summary_counts_nested_models():
    """summary counts the parameters of nested models"""
    equal(_counts(_text(_nested_models()))["Total"], 28, "parameters")


def summary_counts_statistics():
    """summary counts moving statistics as non-trainable"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization()])
    equal(_counts(_text(model)), {"Total": 12, "Trainable": 6, "Non-trainable": 6}, "parameters")


def summary_counts_no_seeds():
    """summary counts no seeds of random layers as parameters"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    equal(_counts(_text(model))["Total"], 4, "parameters")


@each(optimizer=["SGD", "Adam", "RMSprop"])
def summary_counts_optimizer_parameters(optimizer):
    """summary of a fitted model counts the variables of {optimizer}"""
    model = _small()
    model.compile(optimizer, "mse", run_eagerly=True)
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    expected = sum(int(np.prod(tuple(v.shape))) for v in model.optimizer.variables)
    counts = _counts(_text(model))
    equal(counts["Total"], 26 + expected, "total")
    equal(counts["Trainable"], 26, "trainable")
    equal(counts.get("Optimizer"), expected, "optimizer")


def summary_of_a_model_that_is_not_built():
    """summary of a model that is not built names it, or counts 0"""
    model = keras.Sequential([keras.layers.Dense(2, name="one")], name="later")
    text = printed(model.summary)
    true("later" in text and "one" in text, "the layers are listed")


def summary_of_a_subclassed_model():
    """summary of a subclassed model lists its layers and parameters"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.one, self.many = keras.layers.Dense(2, name="one"), [keras.layers.Dense(1, name="of_a_list")]

        def call(self, x):
            return self.many[0](self.one(x))

    model = Mine()
    model(np.ones((2, 3), "float32"))
    text = _text(model)
    true("one" in text, "the layer is listed")
    equal(_counts(text)["Total"], 11, "parameters")


def summary_expands_nested_models():
    """summary(expand_nested=True) lists the layers of nested models"""
    model = _nested_models()
    text = _text(model, expand_nested=True)
    for name in ("middle", "inner", "deepest", "between", "last"):
        true(name in text, "%r is listed" % name)
    true("deepest" not in _text(model), "it is not listed without expand_nested")


def summary_expands_nested_models_in_order():
    """summary(expand_nested=True) lists layers in their order"""
    text = _text(_nested_models(), expand_nested=True)
    places = [text.index(name) for name in ("middle", "inner", "deepest", "between", "last")]
    equal(places, sorted(places), "places")


def summary_expands_layers_of_layers():
    """summary(expand_nested=True) counts the same as without"""
    model = _nested_models()
    equal(_counts(_text(model, expand_nested=True)), _counts(_text(model)), "parameters")


def summary_shows_trainable():
    """summary(show_trainable=True) marks each layer Y or N"""
    model = _small()
    model.get_layer("one").trainable = False
    text = _text(model, show_trainable=True)
    rows = {name: row for row in text.splitlines() for name in ("one", "two") if re.search(r"\b%s \(" % name, row)}
    true(re.search(r"\bN\b", rows["one"]), "the frozen layer is marked N")
    true(re.search(r"\bY\b", rows["two"]), "the other is marked Y")
    true("Trai" in text, "there is a column for it")


@each(chosen=["['one', 'one']", "['one', 'two']", "['two', 'two']", "['o.e', 'o.e']"])
def summary_takes_a_range(chosen):
    """summary(layer_range={chosen}) lists these layers"""
    first, last = eval(chosen)  # noqa: S307 - texts of this module
    text = _text(_small(), layer_range=[first, last])
    equal(["one (" in text, "two (" in text], [first[0] == "o", last[0] == "t"], "listed one, two")


@each(chosen=["['nothing', 'two']", "['one']", "'one'", "['one', 'nothing']"])
def summary_refuses_a_range(chosen):
    """summary(layer_range={chosen}) is refused"""
    refuses(lambda: _text(_small(), layer_range=eval(chosen)), chosen)  # noqa: S307 - texts of this module


@each(length=[40, 60, 98, 150])
def summary_keeps_to_its_width(length):
    """summary(line_length={length}) has no wider line"""
    lines = _text(_small(), line_length=length).splitlines()
    widest = max(len(line) for line in lines[1:-5])
    true(widest <= length, "no line is wider than %d; the widest is %d" % (length, widest))


@each(length=[60, 90, 120])
def summary_is_as_wide_as_asked(length):
    """summary(line_length={length}) is not cut off at fewer columns"""
    text = _text(_small(), line_length=length)
    equal(["one (" in text, "Param" in text, " 16 " in text], [True, True, True], "name, header and number are there")


@each(positions=["[0.3, 0.6, 0.8, 1.0]", "[0.5, 0.7, 0.85, 1.0]"])
def summary_takes_positions(positions):
    """summary(positions={positions}) prints every layer"""
    text = _text(_small(), positions=eval(positions))  # noqa: S307 - texts of this module
    true("one (" in text and "two (" in text, "both are listed")


def summary_shows_shapes():
    """summary shows each layer's output shape"""
    text = _text(_small())
    true("(None, 4)" in text and "(None, 2)" in text, "the shapes are there")


def summary_shows_several_outputs():
    """summary shows every shape of a layer with several outputs"""
    x = keras.Input((4, 3))
    text = _text(keras.Model(x, keras.layers.LSTM(5, return_state=True, return_sequences=True)(x)))
    true("(None, 4, 5)" in text and "(None, 5)" in text, "both shapes are there")


@each(structure=["{'a': x, 'b': 2 * x}", "[x, 2 * x]", "(x,)", "{'a': [x, x]}"])
def summary_of_a_layer_that_gives(structure):
    """summary prints a layer that gives {structure}"""

    class Gives(keras.layers.Layer):
        def call(self, x):
            return eval(structure, {"x": x})  # noqa: S307 - texts of this module

    x = keras.Input((3,))
    model = keras.Model(x, Gives(name="gives")(x))
    text = _text(model)
    true("gives" in text and "(None, 3)" in text, "the layer and its shape are there")


@each(structure=["{'a': x, 'b': 2 * x}", "[x, 2 * x]"])
def summary_of_a_subclassed_model_that_gives(structure):
    """summary prints a built model whose layer gives {structure}"""

    class Gives(keras.layers.Layer):
        def call(self, x):
            return eval(structure, {"x": x})  # noqa: S307 - texts of this module

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.gives = Gives(name="gives")

        def call(self, x):
            return self.gives(x)

    model = Mine()
    model(np.ones((2, 3), "float32"))
    true("gives" in _text(model), "the layer is there")


def summary_of_a_layer_called_twice():
    """summary prints a layer whose two calls give other shapes"""
    x, y = keras.Input((4, 3)), keras.Input((5, 3))
    dense = keras.layers.Dense(2, name="twice")
    text = _text(keras.Model([x, y], [dense(x), dense(y)]))
    true("twice" in text, "the layer is there")


def summary_names_the_connections():
    """summary of a model with branches names what is connected to what"""
    x = keras.Input((3,), name="start")
    one, two = keras.layers.Dense(2, name="one")(x), keras.layers.Dense(2, name="two")(x)
    text = _text(keras.Model(x, keras.layers.Add(name="sum")([one, two])))
    true("Connected" in text, "there is a column for it")
    true(text.count("start[0][0]") == 2 and "one[0][0]" in text and "two[0][0]" in text, "the connections are there")


def summary_counts_lookup_layers_as_zero():
    """summary prints a model with preprocessing layers"""
    x = keras.Input((1,))
    model = keras.Model(x, keras.layers.Normalization(mean=0.0, variance=1.0)(x))
    equal(_counts(_text(model))["Trainable"], 0, "trainable")


def summary_of_an_empty_sequential():
    """summary of an empty Sequential prints"""
    true("empty" in _text(keras.Sequential(name="empty")), "the name is there")


def summary_of_escaped_names():
    """summary prints names with brackets as they are"""
    x = keras.Input((3,))
    text = _text(keras.Model(x, keras.layers.Dense(2, name="a[red]b")(x)))
    true("a[red]b" in text, "the name is there")


def summary_sizes_follow_dtypes():
    """summary gives the size of float16 weights as half"""
    text = _text(keras.Sequential([keras.Input((15,)), keras.layers.Dense(16, dtype="float16")]))
    true("512.00 B" in text or "512.0 B" in text, "256 parameters of two bytes take 512 B")


def summary_of_a_quantized_model_counts_its_variables():
    """summary of an int8 model counts its variables, kernel and scales"""
    need("keras.Model.quantize")
    model = given(_small())
    model.quantize("int8")
    expected = sum(int(np.prod(tuple(w.shape))) for w in model.weights)
    equal(_counts(_text(model))["Total"], expected, "parameters")


@each(model=["_small()", "_nested_models()"])
def count_params_is_the_sum(model):
    """count_params of {model} is the sum of its weights' sizes"""
    made = eval(model)  # noqa: S307 - texts of this module
    equal(made.count_params(), sum(int(np.prod(tuple(w.shape))) for w in made.weights), "count")


def count_params_of_an_unbuilt_layer_is_refused():
    """count_params of a layer that is not built is refused"""
    refuses(lambda: keras.layers.Dense(2).count_params(), "a layer that is not built")


def _graph(model, **options):
    """Returns the graph that a model is drawn as."""
    need("pydot")
    return need("keras.utils.model_to_dot")(model, **options)


def _boxes(graph):
    """Returns the labels of all nodes, also of those in subgraphs."""
    found = [str(node.get("label")) for node in graph.get_nodes() if node.get("label")]
    for part in graph.get_subgraphs():
        found += _boxes(part)
    return found


def _edges(graph):
    return len(graph.get_edges()) + sum(_edges(part) for part in graph.get_subgraphs())


def graph_has_every_layer():
    """model_to_dot draws every layer, and an edge between each two"""
    graph = _graph(_small(), show_layer_names=True)
    text = " ".join(_boxes(graph))
    true("one" in text and "two" in text, "the layers' names are there")
    equal(len(graph.get_edges()), len(_boxes(graph)) - 1, "edges")


@each(shown=[True, False])
def graph_shows_names(shown):
    """model_to_dot(show_layer_names={shown}) follows that"""
    text = " ".join(_boxes(_graph(_small(), show_layer_names=shown)))
    equal(bool(re.search(r"\btwo\b", text)), shown, "whether the name is there")


@each(shown=[True, False])
def graph_shows_shapes(shown):
    """model_to_dot(show_shapes={shown}) follows that"""
    text = " ".join(_boxes(_graph(_small(), show_shapes=shown)))
    equal("None, 2" in text, shown, "whether the shape is there")


@each(shown=[True, False])
def graph_shows_dtypes(shown):
    """model_to_dot(show_dtype={shown}) follows that"""
    text = " ".join(_boxes(_graph(_small(), show_dtype=shown)))
    equal("float32" in text, shown, "whether the dtype is there")


def graph_shows_activations():
    """model_to_dot(show_layer_activations=True) names activations"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh")])
    text = " ".join(_boxes(_graph(model, show_layer_activations=True)))
    true("tanh" in text, "tanh is there")


def graph_shows_trainable():
    """model_to_dot(show_trainable=True) marks frozen layers"""
    model = _small()
    model.get_layer("one").trainable = False
    labels = _boxes(_graph(model, show_trainable=True, show_layer_names=True))
    true(all("rainable" in label for label in labels if "one" in label or "two" in label), "each layer is marked")


def graph_expands_nested_models():
    """model_to_dot(expand_nested=True) draws the inside of models"""
    text = " ".join(_boxes(_graph(_nested_models(), expand_nested=True, show_layer_names=True)))
    true("deepest" in text and "between" in text and "last" in text, "the layers inside are there")


@each(direction=["TB", "LR"])
def graph_has_a_direction(direction):
    """model_to_dot(rankdir='{direction}') sets the direction"""
    equal(str(_graph(_small(), rankdir=direction).get("rankdir")).strip('"'), direction, "rankdir")


def graph_of_a_shared_layer_has_two_edges():
    """model_to_dot draws an edge for each call of a shared layer"""
    x, y = keras.Input((3,)), keras.Input((3,))
    dense = keras.layers.Dense(2, name="shared")
    graph = _graph(keras.Model([x, y], keras.layers.Add()([dense(x), dense(y)])), show_layer_names=True)
    true(_edges(graph) >= 3, "there are edges for both calls")


@each(options=["show_shapes=True", "show_dtype=True", "show_shapes=True, expand_nested=True"])
def graph_of_many_outputs(options):
    """model_to_dot({options}) draws a layer that gives a dict"""

    class Gives(keras.layers.Layer):
        def call(self, x):
            return {"a": x, "b": 2 * x}

    x = keras.Input((3,))
    graph = _graph(keras.Model(x, Gives(name="gives")(x)), show_layer_names=True, **eval("dict(%s)" % options))  # noqa: S307
    true("gives" in " ".join(_boxes(graph)), "the layer is there")


def graph_of_an_unbuilt_model_is_refused():
    """model_to_dot of a model that is not built is refused"""
    need("pydot")
    refuses(lambda: _graph(keras.Sequential([keras.layers.Dense(2)])), "a model that is not built")


@each(chosen=["['one', 'one']", "['two', 'two']"])
def graph_takes_a_range(chosen):
    """model_to_dot(layer_range={chosen}) draws these layers"""
    need("keras.utils.model_to_dot(layer_range)") if hasattr(keras.utils.model_to_dot, "__wrapped__") else None
    need("keras.utils.plot_model(layer_range)")
    first, _ = eval(chosen)  # noqa: S307 - texts of this module
    kwargs = {"layer_range": [first, first]}
    try:
        graph = _graph(_small(), show_layer_names=True, **kwargs)
    except TypeError:
        need("keras.utils.model_to_dot(layer_range)")
        raise
    text = " ".join(_boxes(graph))
    equal(
        [bool(re.search(r"\bone\b", text)), bool(re.search(r"\btwo\b", text))],
        [first == "one", first == "two"],
        "drawn",
    )
