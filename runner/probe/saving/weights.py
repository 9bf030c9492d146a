"""Weights: their order, names, files of others, mismatches and containers."""

from __future__ import annotations

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, refuses, true, warned


def _net(hidden=3, names=("a", "b")):
    """Returns a small model with fixed weights."""
    first, last = keras.layers.Dense(hidden, name=names[0]), keras.layers.Dense(2, name=names[1])
    return given(keras.Sequential([keras.Input((4,)), first, last]))


ORDERS = [
    "Dense(3) v kernel bias",
    "Conv2D(2, 2) i kernel bias",
    "SeparableConv2D(2, 2) i depthwise_kernel pointwise_kernel bias",
    "BatchNormalization() v gamma beta moving_mean moving_variance",
    "LayerNormalization() v gamma beta",
    "GroupNormalization(groups=2) i gamma beta",
    "SimpleRNN(3) s kernel recurrent_kernel bias",
    "GRU(3) s kernel recurrent_kernel bias",
    "LSTM(3) s kernel recurrent_kernel bias",
    "PReLU() v alpha",
    "Embedding(5, 3) v embeddings",
    "EinsumDense('ab,bc->ac', 3, bias_axes='c') v kernel bias",
    "Bidirectional(keras.layers.GRU(2)) s kernel recurrent_kernel bias kernel recurrent_kernel bias",
]


@each(layer=ORDERS)
def weights_come_in_order(layer):
    """get_weights gives a layer's weights in the usual order: {layer}"""
    text, _, rest = layer.rpartition(") ")
    form, *names = rest.split(" ")
    made = eval("keras.layers.%s)" % text, {"keras": keras})
    made.build({"v": (None, 4), "s": (None, 5, 4), "i": (None, 6, 6, 4)}[form])
    equal([w.name for w in made.weights], names, "names")
    equal([tuple(w.shape) for w in made.get_weights()], [tuple(w.shape) for w in made.weights], "shapes")


@each(layer=ORDERS)
def set_weights_sets_each(layer):
    """set_weights(get_weights()) of another layer makes them equal: {layer}"""
    text, _, rest = layer.rpartition(") ")
    shape = {"v": (None, 4), "s": (None, 5, 4), "i": (None, 6, 6, 4)}[rest.split(" ")[0]]
    first, second = (eval("keras.layers.%s)" % text, {"keras": keras}) for _ in range(2))
    first.build(shape)
    second.build(shape)
    given(first)
    second.set_weights(first.get_weights())
    equal(second.get_weights(), first.get_weights(), "weights")


@each(what=["too few", "too many", "another shape"])
def wrong_weights_are_refused(what):
    """set_weights refuses a list with {what}"""
    model = _net()
    values = model.get_weights()
    wrong = {
        "too few": values[:-1],
        "too many": [*values, values[0]],
        "another shape": [*values[:-1], np.zeros(3, "float32")],
    }
    refuses(lambda: model.set_weights(wrong[what]), "set_weights with " + what)
    equal(model.get_weights(), values, "weights after the refusal") if what != "another shape" else None


@each(form=["weights.h5", "keras"])
def other_shape_is_refused(form):
    """load_weights refuses weights of another shape: .{form}"""
    _save(_net(), form)
    refuses(lambda: _net(5).load_weights("it." + form), "weights of another shape")


def _save(model, form):
    model.save_weights("it." + form) if form == "weights.h5" else model.save("it." + form)


@each(form=["weights.h5", "keras", "h5"])
def mismatch_is_skipped(form):
    """load_weights(skip_mismatch=True) loads what fits, and warns: .{form}"""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")])
    given(model)
    _save(model, form)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(5, name="b")])
    given(other, seed=7)
    before = other.layers[1].get_weights()
    texts = warned(lambda: other.load_weights("it." + form, skip_mismatch=True))
    equal(other.layers[0].get_weights(), model.layers[0].get_weights(), "weights of the layer that fits")
    equal(other.layers[1].get_weights(), before, "weights of the layer that does not")
    true(len(texts) > 0, "there is a warning")


@each(form=["weights.h5", "keras", "h5"])
def fitting_weights_give_no_warning(form):
    """load_weights of the same model gives no warning: .{form}"""
    model = _net()
    _save(model, form)
    other = given(_net(), seed=7)
    equal(warned(lambda: other.load_weights("it." + form)), [], "warnings")
    equal(other.get_weights(), model.get_weights(), "weights")


@each(names=["c b", "b a", "a b c"])
def weights_by_name(names):
    """load_weights(by_name=True) of an .h5 file goes by names: {names}"""
    model = _net(4, ("a", "b"))
    model.save("it.h5")
    layers = [keras.layers.Dense(4 if name != "b" else 2, name=name) for name in names.split(" ")]
    other = keras.Sequential(
        [keras.Input((4,)), *(keras.layers.Dense(4, name="other%d" % n) for n in range(0)), *layers[:1]]
    )
    given(other, seed=7)
    before = other.layers[0].get_weights()
    other.load_weights("it.h5", by_name=True)
    name = names[0]
    expected = before if name == "c" else model.get_layer(name).get_weights()
    equal(other.layers[0].get_weights(), expected, "weights of %s" % name)


def weights_by_name_of_another_shape():
    """load_weights(by_name=True) refuses a layer of another shape"""
    _net(3).save("it.h5")
    refuses(lambda: _net(5).load_weights("it.h5", by_name=True), "another shape")


@each(form=["weights.h5", "keras"])
def by_name_is_refused_elsewhere(form):
    """load_weights(by_name=True) is refused for a .{form} file"""
    model = _net()
    _save(model, form)
    refuses(lambda: model.load_weights("it." + form, by_name=True), "by_name")


def unknown_argument_of_load_is_refused():
    """load_weights refuses an argument that it does not know"""
    model = _net()
    model.save_weights("it.weights.h5")
    refuses(lambda: model.load_weights("it.weights.h5", nonsense=True), "load_weights(nonsense=True)")


class _Holder(keras.Model):
    """A model whose layers are held by ``kind`` of container."""

    def __init__(self, kind, **more):
        super().__init__(**more)
        layers = [keras.layers.Dense(3) for _ in range(4)]
        self.kind = kind
        if kind == "list":
            self.held = layers
        elif kind == "tuple":
            self.held = tuple(layers)
        elif kind == "dict":
            self.held = dict(zip("dbca", layers))
        elif kind == "list of lists":
            self.held = [layers[:2], layers[2:]]
        elif kind == "dict of lists":
            self.held = {"b": layers[:2], "a": layers[2:]}
        elif kind == "list of dicts":
            self.held = [{"b": layers[0], "a": layers[1]}, {"c": layers[2], "d": layers[3]}]
        elif kind == "three levels":
            self.held = [[[layers[0]], [layers[1]]], [[layers[2], layers[3]]]]
        elif kind == "attributes":
            self.one, self.two, self.zebra, self.ape = layers
        else:
            self._private, self.three, self._four, self.five = layers
        self.order = [kind == "never"]

    def _all(self):
        if self.kind == "attributes":
            return [self.one, self.two, self.zebra, self.ape]
        if self.kind == "private attributes":
            return [self._private, self.three, self._four, self.five]
        found, due = [], [self.held]
        while due:
            item = due.pop(0)
            if isinstance(item, keras.layers.Layer):
                found.append(item)
            else:
                due = list(item.values() if isinstance(item, dict) else item) + due
        return found

    def call(self, x):
        for layer in self._all():
            x = layer(x)
        return x

    def get_config(self):
        return {"kind": self.kind}


_KINDS = [
    "list",
    "tuple",
    "dict",
    "list of lists",
    "dict of lists",
    "list of dicts",
    "three levels",
    "attributes",
    "private attributes",
]


@each(kind=_KINDS)
def layers_are_tracked(kind):
    """a model has the weights of layers in: {kind}"""
    model = _Holder(kind)
    model(numbers(2, 3))
    equal(len(model.weights), 8, "weights")


@each(kind=_KINDS, form=["weights.h5", "keras"])
def layers_are_saved(kind, form):
    """a .{form} file holds the weights of layers in: {kind}"""
    model = _Holder(kind)
    expected = array(_given_after(model))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras", custom_objects={"_Holder": _Holder})
    else:
        model.save_weights("it.weights.h5")
        loaded = _Holder(kind)
        loaded(numbers(2, 3))
        loaded.load_weights("it.weights.h5")
    close(loaded(numbers(2, 3)), expected)


def _given_after(model):
    """Returns the model's output, after its weights were given by layer."""
    model(numbers(2, 3))
    for place, layer in enumerate(model._all()):
        given(layer, seed=100 + 10 * place)
    return model(numbers(2, 3))


class _HolderLayer(keras.layers.Layer):
    """A layer whose layers are held as in _Holder."""

    def __init__(self, kind, **more):
        super().__init__(**more)
        self.kind = kind
        layers = [keras.layers.Dense(3) for _ in range(4)]
        self.held = {
            "list": layers,
            "dict": dict(zip("dbca", layers)),
            "list of lists": [layers[:2], layers[2:]],
            "dict of lists": {"b": layers[:2], "a": layers[2:]},
            "list of dicts": [{"b": layers[0], "a": layers[1]}, {"c": layers[2], "d": layers[3]}],
            "list of tuples": [(layers[0], layers[1]), (layers[2], layers[3])],
            "three levels": [[[layers[0]], [layers[1]]], [[layers[2], layers[3]]]],
        }[kind]

    _all = _Holder._all

    def build(self, shape):
        for layer in self._all():
            layer.build(shape)
        self.built = True

    def call(self, x):
        for layer in self._all():
            x = layer(x)
        return x

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


@each(
    kind=["list", "dict", "list of lists", "dict of lists", "list of dicts", "list of tuples", "three levels"],
    form=["weights.h5", "keras"],
)
def layers_in_a_layer_are_saved(kind, form):
    """a .{form} file holds the weights of layers that a layer holds in: {kind}"""
    model = given(keras.Sequential([keras.Input((3,)), _HolderLayer(kind)]))
    equal(len(model.weights), 8, "weights")
    expected = array(model(numbers(2, 3)))
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras", custom_objects={"_HolderLayer": _HolderLayer})
    else:
        model.save_weights("it.weights.h5")
        loaded = keras.Sequential([keras.Input((3,)), _HolderLayer(kind)])
        loaded.load_weights("it.weights.h5")
    close(loaded(numbers(2, 3)), expected)


class _Twice(keras.Model):
    """A model with the same layer under two names, and one in a layer."""

    def __init__(self, **more):
        super().__init__(**more)
        self.first = keras.layers.Dense(3)
        self.second = self.first
        self.block = keras.Sequential([keras.layers.Dense(3), keras.layers.Dropout(0.5)])

    def call(self, x):
        return self.block(self.second(self.first(x)))


@each(form=["weights.h5", "keras"])
def same_layer_twice_is_saved(form):
    """a layer held under two names is saved and shared: .{form}"""
    model = _Twice()
    model(numbers(2, 3))
    given(model)
    if form == "keras":
        model.save("it.keras")
        loaded = keras.models.load_model("it.keras", custom_objects={"_Twice": _Twice})
    else:
        model.save_weights("it.weights.h5")
        loaded = _Twice()
        loaded(numbers(2, 3))
        loaded.load_weights("it.weights.h5")
    equal(loaded.first is loaded.second, True, "whether it is one layer")
    close(loaded(numbers(2, 3)), model(numbers(2, 3)))


class _Bare(keras.layers.Layer):
    """A layer with variables of its own, one in a list."""

    def build(self, shape):
        self.one = self.add_weight(shape=(3,), initializer="zeros", name="one")
        self.many = [self.add_weight(shape=(3,), initializer="zeros", name="many%d" % n) for n in range(2)]
        self.count = keras.Variable(0.0, trainable=False, name="count")
        self.built = True

    def call(self, x):
        return x * self.one + self.many[0] + self.many[1] + self.count


@each(form=["weights.h5", "keras"])
def own_variables_are_saved(form):
    """variables in a list, and made with keras.Variable, are saved: .{form}"""

    def made():
        return keras.Sequential([keras.Input((3,)), _Bare()])

    model = given(made())
    _save(model, form)
    if form == "keras":
        loaded = keras.models.load_model("it.keras", custom_objects={"_Bare": _Bare})
    else:
        loaded = made()
        loaded.load_weights("it." + form)
    equal(loaded.get_weights(), model.get_weights(), "weights")
    close(loaded(numbers(2, 3)), model(numbers(2, 3)))


@each(layer=["Dense(3)", "BatchNormalization()", "LSTM(2)"])
def weights_file_has_plain_groups(layer):
    """a .weights.h5 file holds every weight once: {layer}"""
    h5py = need("h5py")
    form = (5, 4) if "LSTM" in layer else (4,)
    model = given(keras.Sequential([keras.Input(form), eval("keras.layers." + layer, {"keras": keras})]))
    model.save_weights("it.weights.h5")
    found = []
    with h5py.File("it.weights.h5", "r") as file:
        file.visititems(lambda _, item: found.append(np.array(item)) if hasattr(item, "shape") else None)
    missing = [
        w.name
        for w in model.weights
        if not any(v.shape == array(w).shape and np.array_equal(v, array(w)) for v in found)
    ]
    equal(missing, [], "weights that are missing")


def objects_to_skip_are_skipped():
    """load_weights(objects_to_skip=[...]) leaves these layers alone"""
    model, other = _net(), given(_net(), seed=7)
    model.save_weights("it.weights.h5")
    before = other.layers[1].get_weights()
    other.load_weights("it.weights.h5", objects_to_skip=[other.layers[1]])
    equal(other.layers[0].get_weights(), model.layers[0].get_weights(), "weights of the first")
    equal(other.layers[1].get_weights(), before, "weights of the skipped one")


def layer_names_do_not_matter():
    """load_weights of a .weights.h5 file does not go by layers' names"""
    model, other = _net(3, ("a", "b")), given(_net(3, ("c", "d")), seed=7)
    model.save_weights("it.weights.h5")
    other.load_weights("it.weights.h5")
    equal(other.get_weights(), model.get_weights(), "weights")


@each(name=["a/b", "a b", "a.b", "é", "kernel", "layers", "0"])
def odd_layer_names_are_saved(name):
    """a layer called "{name}" is saved and loaded"""
    try:
        layer = keras.layers.Dense(2, name=name)
    except ValueError:
        return
    model = given(keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)]))
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal(loaded.layers[0].name, name, "the name")
    equal(loaded.get_weights(), model.get_weights(), "weights")


def same_class_many_times():
    """fifteen layers of one class each get their own weights back"""
    model = given(keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(2) for _ in range(15))]))
    model.save("it.keras")
    equal(keras.models.load_model("it.keras").get_weights(), model.get_weights(), "weights")
    model.save_weights("it.weights.h5")
    other = given(keras.Sequential.from_config(model.get_config()), seed=7)
    other.load_weights("it.weights.h5")
    equal(other.get_weights(), model.get_weights(), "weights of the weights file")


def trainable_flag_after_weights():
    """weights saved unfrozen load into a frozen model, and the other way"""
    model, other = _net(), given(_net(), seed=7)
    other.layers[0].trainable = False
    for form in ("weights.h5", "keras"):
        _save(model, form)
        other.load_weights("it." + form)
        equal(other.get_weights(), model.get_weights(), "weights of a .%s file" % form)
        given(other, seed=7)
        _save(other, form)
        third = _net()
        third.load_weights("it." + form)
        equal(third.get_weights(), other.get_weights(), "weights of a frozen model's .%s file" % form)


@each(form=["h5"])
def frozen_batchnorm_keeps_order(form):
    """a legacy .{form} file keeps BatchNormalization's weights when frozen"""
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    )
    model.layers[0].trainable = False
    model.layers[1].trainable = False
    given(model)
    model.save("it." + form)
    loaded = keras.models.load_model("it." + form)
    close(loaded(numbers(2, 4)), model(numbers(2, 4)))
