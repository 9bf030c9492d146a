"""Files with links or wrong sizes, and configurations of the wrong type."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, equal, given, need, printed, refuses, true

REFUSALS = (ValueError, TypeError, OSError, KeyError)


def _net():
    """Returns a model of two layers."""
    return given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(2)]))


def _groups(file):
    """Returns the paths of all groups in a file of HDF5, from the outside."""
    h5py = need("h5py")
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Group) else None)
    return [name for name in found if "optimizer" not in name]


def _linked(path, how, level):
    """Puts a link in the place of a group. Level 0 is the outermost."""
    h5py = need("h5py")
    with h5py.File(path, "a") as file:
        groups = [name for name in _groups(file) if name.count("/") == level]
        full = [name for name in groups if len(file[name])] or groups
        name = full[0]
        if how == "soft":
            file.move(name, "elsewhere")
            file[name] = h5py.SoftLink("/elsewhere")
        else:
            with h5py.File("other.h5", "w") as other:
                file.copy(name, other, "elsewhere")
            del file[name]
            file[name] = h5py.ExternalLink("other.h5", "/elsewhere")


def _whole_of(how, level):
    """Writes a .keras file whose weights file has such a link."""
    _net().save("m.keras")
    with zipfile.ZipFile("m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with open("w.h5", "wb") as file:
        file.write(parts["model.weights.h5"])
    _linked("w.h5", how, level)
    with open("w.h5", "rb") as file:
        parts["model.weights.h5"] = file.read()
    with zipfile.ZipFile("m.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


READERS = ["load_weights of .weights.h5", "load_model of .keras", "KerasFileEditor of .weights.h5",
           "load_weights of .h5", "load_model of .h5", "load_weights by name of .h5"]  # fmt: skip


@each(reader=READERS, how=["external", "soft"], level=[0, 1, 2])
def linked_groups_are_refused(reader, how, level):
    """{reader} refuses a file in which a group of level {level} is a {how} link"""
    model = _net()
    if reader == "load_model of .keras":
        _whole_of(how, level)
        refuses(lambda: keras.models.load_model("m.keras"), "a link", REFUSALS)
        return
    if ".weights.h5" in reader:
        path = "w.weights.h5"
        model.save_weights(path)
    else:
        path = "m.h5"
        model.save(path)
    _linked(path, how, level)
    if "Editor" in reader:
        kind = need("keras.saving.KerasFileEditor")
        refuses(lambda: printed(lambda: kind(path)), "a link", REFUSALS)
    elif "load_model" in reader:
        refuses(lambda: keras.models.load_model(path), "a link", REFUSALS)
    else:
        options = {"by_name": True} if "by name" in reader else {}
        refuses(lambda: _net().load_weights(path, **options), "a link", REFUSALS)


@each(reader=["load_weights", "load_model"], place=["kernel", "bias"])
def weights_that_say_more_than_they_hold_are_refused(reader, place):
    """{reader} refuses a file whose {place} says that it has 2 ** 50 numbers, in words"""
    h5py = need("h5py")
    model = _net()
    name = "layers/dense/vars/%d" % ["kernel", "bias"].index(place)

    def change(path):
        with h5py.File(path, "a") as file:
            del file[name]
            file.create_dataset(name, shape=(2**50,), dtype="float64", chunks=(1024,), compression="gzip")

    if reader == "load_weights":
        model.save_weights("w.weights.h5")
        change("w.weights.h5")
        text = refuses(lambda: model.load_weights("w.weights.h5"), "2 ** 50 numbers")
        true("llocate" not in text, "it is refused before memory is asked for (the message is: %s)" % text[:300])
        return
    model.save("m.keras")
    with zipfile.ZipFile("m.keras") as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with open("w.h5", "wb") as file:
        file.write(parts["model.weights.h5"])
    change("w.h5")
    with open("w.h5", "rb") as file:
        parts["model.weights.h5"] = file.read()
    with zipfile.ZipFile("m.keras", "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    text = refuses(lambda: keras.models.load_model("m.keras"), "2 ** 50 numbers")
    true("llocate" not in text, "it is refused before memory is asked for (the message is: %s)" % text[:300])


WRONG = ["[]", "''", "0", "false", "[1, 2]", "'text'", "3"]


@each(kind=["ReLU", "function"], config=WRONG)
def configurations_of_another_type_are_refused(kind, config):
    """deserialize_keras_object of a {kind} whose config is {config} is refused"""
    value = json.loads(config.replace("'", '"'))
    if kind == "function" and isinstance(value, str):
        value = {"name": value}
    written = {"module": "keras.layers" if kind == "ReLU" else "builtins", "class_name": kind, "config": value,
               "registered_name": None}  # fmt: skip
    refuses(lambda: keras.saving.deserialize_keras_object(written), config)


@keras.saving.register_keras_serializable(package="probe-links")
class Counting(keras.layers.Layer):
    """A layer that looks closely at what it is given to load."""

    seen = None

    def build(self, shape):
        self.one = self.add_weight(shape=(shape[-1], 2), initializer="zeros")
        self.two = self.add_weight(shape=(2,), initializer="zeros")
        self.three = self.add_weight(shape=(2,), initializer="zeros")

    def call(self, x):
        return keras.ops.matmul(x, self.one) + self.two + self.three

    def save_own_variables(self, store):
        for place, variable in enumerate((self.one, self.two, self.three)):
            store["v%d" % place] = array(variable)

    def load_own_variables(self, store):
        self.seen = [len(store), sorted(store.keys()), "v1" in store, "v7" in store]
        for place, variable in enumerate((self.one, self.two, self.three)):
            variable.assign(store["v%d" % place])


@each(form=["w.weights.h5", "one shard", "small shards", "smallest shards"])
def stores_of_variables_are_dictionaries(form):
    """load_own_variables gets a store of the right length and names: {form}"""
    if form != "w.weights.h5":
        need("keras.Model.save_weights(max_shard_size)")

    def made(seed):
        return given(keras.Sequential([keras.Input((2,)), *(Counting() for _ in range(4))]), seed)

    model, other = made(100), made(7)
    if form == "w.weights.h5":
        path = form
        model.save_weights(path)
    else:
        path = "w.weights.json"
        size = {"one shard": 1e-3, "small shards": 1e-7, "smallest shards": 2e-8}[form]
        model.save_weights(path, max_shard_size=size)
    other.load_weights(path)
    equal([layer.seen for layer in other.layers], [[3, ["v0", "v1", "v2"], True, False]] * 4, "what the layers see")
    equal(other.get_weights(), model.get_weights(), "weights")


@each(layer=["dense", "dense_1"])
def the_editor_counts_each_difference_once(layer):
    """KerasFileEditor.compare counts a missing and a misshapen weight of {layer} once"""
    kind = need("keras.saving.KerasFileEditor")
    model = _net()
    model.save_weights("w.weights.h5")
    editors = []
    printed(lambda: editors.append(kind("w.weights.h5")))
    editor, found = editors[0], []

    def compare():
        printed(lambda: found.append(editor.compare(model)))

    compare()
    editor.delete_weight("layers/" + layer, "1")
    compare()
    editor.add_weights("layers/" + layer, {"1": np.zeros((7,))})
    compare()
    editor.delete_weight("layers/" + layer, "1")
    editor.add_weights("layers/" + layer, {"1": np.zeros((4 if layer == "dense" else 2,))})
    compare()
    equal([one["status"] for one in found], ["success", "error", "error", "success"], "status")
    equal([one.get("error_count") for one in found[1:3]], [1, 1], "error_count")
