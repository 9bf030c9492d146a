"""Sublayers and variables: tracking, names, order, and whether they train."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, need, refuses, true

A = np.ones((2, 3), "float32")


def _holder(**attributes):
    """Returns a layer with these attributes."""
    layer = keras.layers.Layer(name="holder")
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


def _dense(name="dense"):
    layer = keras.layers.Dense(2, name=name)
    layer.build((None, 3))
    return layer


@each(
    held=[
        "_dense()",
        "[_dense()]",
        "(_dense(),)",
        "{'a': _dense()}",
        "[[_dense()]]",
        "{'a': [_dense()]}",
        "[{'a': _dense()}]",
        "({'a': (_dense(),)},)",
    ]
)
def held_layers_are_tracked(held):
    """A layer kept as {held} is tracked"""
    equal(len(_holder(part=eval(held)).weights), 2, "weights")  # noqa: S307 - texts of this module


@each(way=["append", "insert", "plus", "setitem", "dict_setitem", "dict_update", "setdefault"])
def later_additions_are_tracked(way):
    """A layer added to a held list or dict by {way} is tracked"""
    layer = _holder(many=[_dense()], named={"a": _dense()})
    new = _dense("new")
    if way == "append":
        layer.many.append(new)
    elif way == "insert":
        layer.many.insert(0, new)
    elif way == "plus":
        layer.many += [new]
    elif way == "setitem":
        layer.many.append(new)
        layer.many[1] = new
    elif way == "dict_setitem":
        layer.named["b"] = new
    elif way == "dict_update":
        layer.named.update({"b": new})
    else:
        layer.named.setdefault("b", new)
    equal(len(layer.weights), 6, "weights")


@each(way=["del", "reassign", "remove", "pop", "clear", "dict_pop", "del_item", "setitem"])
def removed_layers_are_forgotten(way):
    """A layer removed by {way} is not tracked any more"""
    first = _dense()
    layer = _holder(part=first, many=[_dense()], named={"a": _dense()})
    if way == "del":
        del layer.part
    elif way == "reassign":
        layer.part = None
    elif way == "remove":
        layer.many.remove(layer.many[0])
    elif way == "pop":
        layer.many.pop()
    elif way == "clear":
        layer.many.clear()
    elif way == "dict_pop":
        layer.named.pop("a")
    elif way == "del_item":
        del layer.named["a"]
    else:
        layer.many[0] = None
    expected = 6 if way in ("reassign", "setitem") else 4  # Keras says nothing on what is overwritten
    found = len(layer.weights)
    true(found == 4 or found == expected, "4 weights are left, not %d" % found)


def replaced_layers_are_used():
    """A layer put in the place of another is the one that computes"""
    layer = _holder(part=_dense("one"))
    two = _dense("two")
    layer.part = two
    true(layer.part is two, "the attribute is the new layer")
    true(any(w is two.kernel for w in layer.weights), "its kernel is tracked")


def private_attributes_are_tracked():
    """A layer kept under a private name is tracked"""
    equal(len(_holder(_part=_dense()).weights), 2, "weights")


def one_layer_twice_is_tracked_once():
    """A layer kept under two names has its weights once"""
    dense = _dense()
    layer = _holder(one=dense, two=dense, many=[dense])
    equal(len(layer.weights), 2, "weights")


def lists_stay_lists():
    """A list kept in a layer behaves as a list"""
    layer = _holder(many=[1, 2, 3], named={"a": 1}, pair=(1, 2))
    equal(list(layer.many), [1, 2, 3], "list")
    equal(layer.many[1:], [2, 3], "slice")
    equal([isinstance(layer.many, list), isinstance(layer.named, dict), isinstance(layer.pair, tuple)], [True] * 3)


def variables_are_tracked():
    """A keras.Variable kept in a layer is one of its weights"""
    layer = _holder(v=keras.Variable(np.ones(3), name="v"), frozen=keras.Variable(np.ones(2), trainable=False))
    equal([len(layer.trainable_variables), len(layer.non_trainable_variables)], [1, 1], "variables")


def variables_in_lists_are_tracked():
    """Variables in lists and dicts of a layer are its weights"""
    layer = _holder(many=[keras.Variable(np.ones(3))], named={"a": keras.Variable(np.ones(2))})
    equal(len(layer.weights), 2, "weights")


def metrics_are_tracked_apart():
    """A metric kept in a layer gives variables, but no weights"""
    layer = _holder(m=keras.metrics.Mean())
    equal([len(layer.weights), len(layer.metrics_variables)], [0, 2], "weights, metrics_variables")


def seeds_are_tracked_apart():
    """A seed generator kept in a layer is a variable, but no weight"""
    layer = _holder(seed=keras.random.SeedGenerator(1))
    equal([len(layer.weights), len(layer.variables)], [0, 1], "weights, variables")


def new_weights_after_build_are_refused():
    """A built layer refuses new weights in call, with a message"""

    class Late(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(3,))

        def call(self, x):
            self.late = keras.layers.Dense(2)
            return self.late(x)

    refuses(lambda: (Late()(A), Late()(A)), "a layer made in call", (Exception,))


@each(trainable=[True, False])
def trainable_is_handed_down(trainable):
    """layer.trainable = {trainable} holds for every layer inside"""
    model = keras.Sequential([keras.Input((3,)), keras.Sequential([keras.layers.Dense(2)]), keras.layers.Dense(1)])
    model.trainable = not trainable
    model.trainable = trainable
    equal([layer.trainable for layer in model.layers], [trainable] * 2, "layers")
    equal(model.layers[0].layers[-1].trainable, trainable, "the layer inside")
    equal(len(model.trainable_weights), 4 if trainable else 0, "trainable weights")
    equal(len(model.non_trainable_weights), 0 if trainable else 4, "other weights")


def thawing_a_model_thaws_its_weights_only():
    """trainable on and off again leaves moving statistics untrainable"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    model.trainable = False
    model.trainable = True
    equal([len(model.trainable_weights), len(model.non_trainable_weights)], [4, 2], "weights")


@each(when=["before", "after"])
def trainable_false_by_argument(when):
    """Dense(trainable=False) has no trainable weights, {when} build"""
    layer = keras.layers.Dense(2, trainable=False)
    if when == "after":
        layer.build((None, 3))
    layer.build((None, 3)) if not layer.built else None
    equal([len(layer.trainable_weights), len(layer.non_trainable_weights)], [0, 2], "weights")
    equal([v.trainable for v in layer.weights], [False, False], "variables")


@each(layer=["BatchNormalization", "LSTM", "Bidirectional", "TimeDistributed", "MultiHeadAttention", "Sequential"])
def trainable_false_by_argument_holds_inside(layer):
    """{layer}(trainable=False) has no trainable weights"""
    made = {
        "BatchNormalization": lambda: keras.layers.BatchNormalization(trainable=False),
        "LSTM": lambda: keras.layers.LSTM(2, trainable=False),
        "Bidirectional": lambda: keras.layers.Bidirectional(keras.layers.LSTM(2), trainable=False),
        "TimeDistributed": lambda: keras.layers.TimeDistributed(keras.layers.Dense(2), trainable=False),
        "MultiHeadAttention": lambda: keras.layers.MultiHeadAttention(1, 2, trainable=False),
        "Sequential": lambda: keras.Sequential([keras.layers.Dense(2)], trainable=False),
    }[layer]
    made = made()
    x = keras.KerasTensor((2, 4, 3))
    made(x, x) if layer == "MultiHeadAttention" else made(x)
    equal(len(made.trainable_weights), 0, "trainable weights")
    true(len(made.weights) > 0, "it has weights")


def trainable_of_a_variable_decides():
    """A variable with trainable=False is not among the trainable ones"""
    layer = _dense()
    layer.bias.trainable = False
    equal([len(layer.trainable_variables), len(layer.non_trainable_variables)], [1, 1], "variables")


def frozen_before_build_stays_frozen():
    """A layer frozen before it is built has no trainable weights"""
    layer = keras.layers.Dense(2)
    layer.trainable = False
    layer.build((None, 3))
    equal(len(layer.trainable_weights), 0, "before")
    layer.trainable = True
    equal(len(layer.trainable_weights), 2, "after")


def frozen_layers_do_not_change_in_training():
    """Training leaves a frozen layer's weights as they are"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    before = model.get_weights()
    model.train_on_batch(A, A[:, :1] * 9)
    after = model.get_weights()
    equal(after[:2], before[:2], "frozen weights")
    true(np.abs(after[3] - before[3]).max() > 0, "the other layer has learned")


@each(argument=["3", "'yes'"])
def trainable_takes_only_truth(argument):
    """trainable = {argument} means true, or is refused"""
    layer = _dense()
    try:
        layer.trainable = eval(argument)  # noqa: S307 - texts of this module
    except (ValueError, TypeError):
        return
    equal(len(layer.trainable_weights), 2, "trainable weights")


@each(
    options=[
        "shape=(3,)",
        "shape=()",
        "shape=(2, 3), initializer='ones'",
        "shape=(3,), initializer=keras.initializers.Constant(2.0)",
        "shape=(3,), dtype='int32', initializer='zeros', trainable=False",
        "shape=(3,), dtype='float16'",
        "shape=(3,), name='mine'",
        "shape=(3,), regularizer='l2'",
        "shape=(3,), constraint='non_neg'",
        "shape=[3]",
        "",
        "shape=(3,), initializer=lambda shape, dtype: np.full(shape, 4.0, 'float32')",
    ]
)
def add_weight_takes(options):
    """add_weight({options}) makes such a variable"""
    layer = keras.layers.Layer()
    arguments = eval("dict(%s)" % options)  # noqa: S307 - texts of this module
    weight = layer.add_weight(**arguments)
    shape = arguments.get("shape", ())
    equal(tuple(weight.shape), (shape,) if isinstance(shape, int) else tuple(shape), "shape")
    equal(keras.backend.standardize_dtype(weight.dtype), arguments.get("dtype", "float32"), "dtype")
    equal(weight.trainable, arguments.get("trainable", True), "trainable")
    equal(len(layer.weights), 1, "weights")
    for word, value in [("ones", 1.0), ("Constant", 2.0), ("lambda", 4.0)]:
        if word in options:
            close(weight, np.full(weight.shape, value), "value")
    if "name" in arguments:
        equal(weight.name, "mine", "name")
    if "regularizer" in arguments:
        equal(len(layer.losses), 1, "losses")


@each(
    options=[
        "shape=(3,), initializer='nonsense'",
        "shape='3x'",
        "shape=(3, None)",
        "shape=(3,), dtype='nonsense'",
        "shape=(-3,)",
    ]
)
def add_weight_refuses(options):
    """add_weight({options}) is refused"""
    layer = keras.layers.Layer()
    refuses(lambda: layer.add_weight(**eval("dict(%s)" % options)), options, (Exception,))  # noqa: S307


def add_weight_order_is_kept():
    """Weights are in the order in which they were added"""
    layer = keras.layers.Layer()
    for size in (3, 1, 2):
        layer.add_weight(shape=(size,), name="w%d" % size)
    equal([w.name for w in layer.weights], ["w3", "w1", "w2"], "names")


def trainable_weights_come_first():
    """weights lists trainable ones before the others"""
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    names = [w.name for w in layer.weights]
    equal(names, ["gamma", "beta", "moving_mean", "moving_variance"], "names")
    equal([w.name for w in layer.trainable_weights], names[:2], "trainable")
    equal([w.name for w in layer.non_trainable_weights], names[2:], "others")


@each(layer=["Dense(2)", "LSTM(2)", "BatchNormalization()", "Bidirectional(keras.layers.GRU(2))"])
def set_weights_sets_what_get_weights_gives(layer):
    """set_weights of {layer} sets what get_weights gives"""
    made = eval("keras.layers." + layer)  # noqa: S307 - texts of this module
    made.build((None, 4, 3))
    values = [np.full(w.shape, 0.5 + place, "float32") for place, w in enumerate(made.weights)]
    made.set_weights(values)
    equal(made.get_weights(), values, "weights")


def set_weights_refuses_wrong_numbers():
    """set_weights refuses too few arrays, and says how many it wants"""
    layer = _dense()
    message = refuses(lambda: layer.set_weights([np.ones((3, 2))]), "one array for two")
    true("2" in message, "the message names the number")


def set_weights_refuses_wrong_shapes():
    """set_weights refuses an array of another shape"""
    layer = _dense()
    refuses(lambda: layer.set_weights([np.ones((2, 3)), np.ones(2)]), "a transposed kernel")


def set_weights_changes_nothing_when_refused():
    """get_weights gives copies: changing them changes no weight"""
    layer = _dense()
    found = layer.get_weights()
    found[0] = found[0] * 0 + 7
    true(np.abs(layer.get_weights()[0] - 7).max() > 0, "the kernel is as before")


def names_are_unique():
    """Layers of one class without a name get different names"""
    names = [keras.layers.Dense(2).name for _ in range(3)]
    equal(len(set(names)), 3, "different names")
    true(all(name.startswith("dense") for name in names), "they are called dense")


def names_are_in_snake_case():
    """A class's default name is in snake case"""

    class MyOwnLayer(keras.layers.Layer):
        pass

    equal([MyOwnLayer().name, keras.layers.LSTM(2).name], ["my_own_layer", "lstm"], "names")


@each(name=["3", "'a/b'", "['x']", "True"])
def wrong_names_are_refused(name):
    """Dense(name={name}) is refused"""
    refuses(lambda: keras.layers.Dense(2, name=eval(name)), name)  # noqa: S307 - texts of this module


def paths_name_layer_and_variable():
    """The path of a weight is layer/variable"""
    layer = _dense("mine")
    equal([w.path for w in layer.weights], ["mine/kernel", "mine/bias"], "paths")


def paths_of_nested_layers_are_nested():
    """The path of a weight inside a layer made in build begins with the outer name"""

    class Outer(keras.layers.Layer):
        def build(self, shape):
            self.inner = keras.layers.Dense(2, name="inner")
            self.inner.build(shape)

        def call(self, x):
            return self.inner(x)

    outer = Outer(name="outer")
    outer(A)
    equal(outer.weights[0].path, "outer/inner/kernel", "path")


def paths_of_rnns_are_nested():
    """The path of an LSTM's kernel names the LSTM and its cell"""
    layer = keras.layers.LSTM(2, name="mine")
    layer.build((None, 4, 3))
    equal(layer.weights[0].path, "mine/lstm_cell/kernel", "path")


def layers_know_their_path():
    """layer.path of a built layer is its own name"""
    need("keras.Layer.path")
    equal(_dense("mine").path, "mine", "path")


def name_scope_goes_into_paths():
    """keras.name_scope puts its name in front of a variable's path"""
    scope = need("keras.name_scope")
    with scope("outer"), scope("inner"):
        variable = keras.Variable(np.ones(2), name="v")
    equal(variable.path, "outer/inner/v", "path")


def name_scope_ends():
    """Behind keras.name_scope paths are as before"""
    scope = need("keras.name_scope")
    with scope("outer"):
        pass
    equal(keras.Variable(np.ones(2), name="v").path, "v", "path")


def name_scope_survives_clear_session():
    """clear_session inside keras.name_scope does not break its end"""
    scope = need("keras.name_scope")
    with scope("outer"):
        keras.utils.clear_session()
    equal(keras.Variable(np.ones(2), name="v").path, "v", "path")


def name_scope_ends_after_an_error():
    """keras.name_scope ends also when an error passes it"""
    scope = need("keras.name_scope")
    try:
        with scope("outer"):
            {}["x"]
    except KeyError:
        pass
    equal(keras.Variable(np.ones(2), name="v").path, "v", "path")


@each(name=["3", "None"])
def name_scope_refuses(name):
    """keras.name_scope({name}) is refused"""
    scope = need("keras.name_scope")
    refuses(lambda: scope(eval(name)), name)  # noqa: S307 - texts of this module


def clear_session_starts_names_anew():
    """clear_session starts the counting of names again"""
    keras.utils.clear_session()
    first = keras.layers.Dense(2).name
    keras.layers.Dense(2)
    keras.utils.clear_session()
    equal(keras.layers.Dense(2).name, first, "name")


def layers_count_as_equal_only_to_themselves():
    """A layer is hashable, and equals only itself"""
    one, two = keras.layers.Dense(2), keras.layers.Dense(2)
    equal([one == one, one == two, len({one, two, one})], [True, False, 2], "comparisons")


def layer_repr_names_the_layer():
    """repr of a layer has its class and name"""
    text = repr(keras.layers.Dense(2, name="mine"))
    true("Dense" in text and "mine" in text, "repr is %s" % text)


def layer_input_and_output_are_symbols():
    """layer.input and output are the symbols of its only call"""
    x = keras.Input((3,))
    layer = keras.layers.Dense(2)
    y = layer(x)
    true(layer.input is x and layer.output is y, "they are the tensors of the call")


def layer_output_without_a_call_is_refused():
    """layer.output of a layer never called is refused"""
    refuses(lambda: keras.layers.Dense(2).output, "no call", (AttributeError, ValueError))


def sublayers_of_a_wrapper_are_found():
    """The layer inside TimeDistributed is among its flat layers"""
    inner = keras.layers.Dense(2)
    wrapper = keras.layers.TimeDistributed(inner)
    wrapper.build((None, 4, 3))
    true(wrapper.layer is inner and len(wrapper.weights) == 2, "the wrapper has the layer's weights")


def model_layers_are_those_of_attributes():
    """layers of a subclassed model are the layers in its attributes"""

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.one = keras.layers.Dense(2, name="one")
            self.many = [keras.layers.Dense(2, name="two"), keras.layers.Dense(2, name="three")]
            self.named = {"x": keras.layers.Dense(2, name="four")}

    equal(sorted(layer.name for layer in Mine().layers), ["four", "one", "three", "two"], "names")
