"""Files: their formats, paths, overwriting, and what a failure leaves behind."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pathlib
import pickle
import zipfile

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import close, equal, given, need, numbers, refuses, true, warned


def _net(units=3):
    """Returns a small model with fixed weights."""
    return given(
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, name="d"), keras.layers.Dense(2, name="e")])
    )


def _loads(path, model):
    """Checks that a file holds a model of the same weights."""
    loaded = keras.models.load_model(path)
    equal(loaded.get_weights(), model.get_weights(), "weights")
    return loaded


@each(form=["keras", "h5", "hdf5"])
def path_object_is_taken(form):
    """save and load_model take a pathlib.Path of a .{form} file"""
    model, path = _net(), pathlib.Path("folder") / ("it." + form)
    path.parent.mkdir()
    model.save(path)
    _loads(path, model)


def weights_path_object_is_taken():
    """save_weights and load_weights take a pathlib.Path"""
    model, path = _net(), pathlib.Path("it.weights.h5")
    model.save_weights(path)
    other = given(_net(), seed=7)
    other.load_weights(path)
    equal(other.get_weights(), model.get_weights(), "weights")


@each(name=["saving", "models"])
def functions_do_what_methods_do(name):
    """keras.{name}.save_model and load_model do what the methods do"""
    model, home = _net(), getattr(keras, name)
    home.save_model(model, "it.keras")
    equal(home.load_model("it.keras").get_weights(), model.get_weights(), "weights")


def weights_functions_do_what_methods_do():
    """keras.saving.save_weights and load_weights do what the methods do"""
    save, load = need("keras.saving.save_weights"), need("keras.saving.load_weights")
    model, other = _net(), given(_net(), seed=7)
    save(model, "it.weights.h5")
    load(other, "it.weights.h5")
    equal(other.get_weights(), model.get_weights(), "weights")


def unzipped_model_is_loaded():
    """save(zipped=False) writes a folder that load_model reads"""
    need("keras.Model.save(zipped)")
    model = _net()
    model.save("folder", zipped=False)
    true(os.path.isdir("folder"), "there is a folder")
    _loads("folder", model)


def unzipped_model_with_assets_is_loaded():
    """save(zipped=False) keeps a vocabulary that was learnt"""
    need("keras.Model.save(zipped)")
    layer = keras.layers.IntegerLookup(output_mode="multi_hot")
    layer.adapt(np.array([7, 7, 9]))
    model = keras.Sequential([keras.Input((2,), dtype="int64"), layer])
    model.save("folder", zipped=False)
    equal(keras.models.load_model("folder").layers[-1].get_vocabulary(), layer.get_vocabulary(), "the vocabulary")


def keras_file_is_a_zip():
    """a .keras file is a zip with metadata.json, config.json and weights"""
    model = _net()
    model.save("it.keras")
    with zipfile.ZipFile("it.keras") as archive:
        equal(sorted(archive.namelist()), ["config.json", "metadata.json", "model.weights.h5"], "names in the archive")
        equal(json.loads(archive.read("metadata.json"))["keras_version"], keras.__version__, "the version")
        equal(json.loads(archive.read("config.json"))["class_name"], "Sequential", "the class")


@each(form=["keras", "h5", "weights.h5"])
def nothing_else_is_left(form):
    """saving and loading a .{form} file leaves no other file behind"""
    model = _net()
    if form == "weights.h5":
        model.save_weights("it.weights.h5")
        model.load_weights("it.weights.h5")
    else:
        model.save("it." + form)
        keras.models.load_model("it." + form)
    equal(os.listdir("."), ["it." + form], "files")


@each(form=["keras", "h5", "weights.h5"])
def file_is_closed(form):
    """a .{form} file is closed once it is written and read"""
    model = _net()
    name = "it." + form
    if form == "weights.h5":
        model.save_weights(name)
        model.load_weights(name)
    else:
        model.save(name)
        keras.models.load_model(name)
    if os.path.isdir("/proc/self/fd"):
        links = [os.path.join("/proc/self/fd", entry) for entry in os.listdir("/proc/self/fd")]
        held = [os.readlink(link) for link in links if os.path.exists(link)]
        equal([path for path in held if path.endswith(name)], [], "open files")


@each(form=["keras", "h5"])
def later_save_wins(form):
    """a second save to the same .{form} file replaces the first"""
    first, second = _net(), given(_net(), seed=7)
    first.save("it." + form)
    second.save("it." + form)
    _loads("it." + form, second)


def later_weights_win():
    """a second save_weights to the same file replaces the first"""
    first, second = _net(), given(_net(), seed=7)
    first.save_weights("it.weights.h5")
    second.save_weights("it.weights.h5")
    first.load_weights("it.weights.h5")
    equal(first.get_weights(), second.get_weights(), "weights")


@each(answer=["y", "n"], form=["keras", "h5", "weights.h5"])
def overwriting_asks(answer, form):
    """overwrite=False asks, and does what is answered ({answer}): .{form}"""
    import builtins

    first, second = _net(), given(_net(), seed=7)
    name = "it." + form

    def write(model, **more):
        model.save_weights(name, **more) if form == "weights.h5" else model.save(name, **more)

    write(first)
    asked, usual = [], builtins.input
    builtins.input = lambda text="": asked.append(text) or answer
    try:
        write(second, overwrite=False)
    finally:
        builtins.input = usual
    equal(len(asked), 1, "how often it asked")
    if form == "weights.h5":
        loaded = _net()
        loaded.load_weights(name)
    else:
        loaded = keras.models.load_model(name)
    equal(loaded.get_weights(), (second if answer == "y" else first).get_weights(), "weights")


@each(name=["it", "it.zip", "it.tf", "it.json"])
def other_ending_is_refused(name):
    """save to a file called {name} is refused"""
    refuses(lambda: _net().save(name), "save(%r)" % name)
    equal(os.path.exists(name), False, "whether there is such a file")


@each(name=["it.h5", "it.keras", "it"])
def other_ending_of_weights_is_refused(name):
    """save_weights to a file called {name} is refused"""
    refuses(lambda: _net().save_weights(name), "save_weights(%r)" % name)


@each(name=["none.keras", "none.h5", "none"])
def missing_file_is_refused(name):
    """load_model of a missing file is refused: {name}"""
    refuses(lambda: keras.models.load_model(name), "load_model(%r)" % name, (ValueError, OSError))


def unknown_argument_is_refused():
    """save refuses an argument that it does not know"""
    refuses(lambda: _net().save("it.keras", nonsense=1), "save(nonsense=1)")


def unbuilt_weights_are_refused():
    """save_weights of a model that is not built is refused"""
    model = keras.Sequential([keras.layers.Dense(2)])
    refuses(lambda: model.save_weights("it.weights.h5"), "save_weights of an unbuilt model")


def loading_into_an_unbuilt_model_is_refused():
    """load_weights into a model that is not built is refused"""
    _net().save_weights("it.weights.h5")
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    refuses(lambda: model.load_weights("it.weights.h5"), "load_weights into an unbuilt model")


def unbuilt_model_is_warned_about():
    """saving a model that is not built warns of it"""
    model = keras.Sequential([keras.layers.Dense(2)])
    texts = warned(lambda: model.save("it.keras"))
    true(any("built" in text for text in texts), "a warning says that the model is not built")


def unbuilt_model_is_saved():
    """a Sequential model that is not built is saved, loaded and built later"""
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(3)])
    model.save("it.keras")
    loaded = keras.models.load_model("it.keras")
    equal(tuple(loaded(numbers(2, 4)).shape), (2, 3), "the output's shape")


def failed_save_leaves_no_temporary_file():
    """a save that fails leaves no temporary files behind"""

    class Broken(keras.layers.Layer):
        def call(self, x):
            return x

        def save_own_variables(self, store):
            raise ValueError("not today")

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), Broken()])
    try:
        model.save("it.keras")
    except ValueError as error:
        true("not today" in str(error), "the error is the layer's own, not %s" % error)
    equal([name for name in os.listdir(".") if name != "it.keras"], [], "other files")


def failed_load_leaves_the_file():
    """a load that fails leaves the file and the folder as they were"""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save("it.keras")
    with open("it.keras", "rb") as file:
        before = file.read()
    with contextlib.suppress(Exception):  # safe mode refuses the lambda
        keras.models.load_model("it.keras")
    with open("it.keras", "rb") as file:
        equal(file.read() == before, True, "whether the file is unchanged")
    equal(os.listdir("."), ["it.keras"], "files")


@each(what=["pickle", "copy.deepcopy"])
def model_is_copied(what):
    """{what} of a model gives one with the same outputs"""
    model = _net()
    model.compile("adam", keras.losses.MeanSquaredError())
    copied = copy.deepcopy(model) if what == "copy.deepcopy" else pickle.loads(pickle.dumps(model))
    close(copied(numbers(2, 4)), model(numbers(2, 4)), tolerance=0.0)
    equal(copied is model, False, "whether it is the same object")


def deepcopy_is_independent():
    """a deep copy of a model does not share its weights"""
    model = _net()
    before, copied = model.get_weights(), copy.deepcopy(model)
    given(copied, seed=7)
    equal(model.get_weights(), before, "weights of the first")


def layer_is_pickled():
    """pickle of a layer alone keeps its weights"""
    layer = keras.layers.Dense(3)
    layer.build((None, 4))
    given(layer)
    copied = copy.deepcopy(layer)
    close(copied(numbers(2, 4)), layer(numbers(2, 4)), tolerance=0.0)


@each(kind=["zip", "folder"])
def read_only_folder_is_enough(kind):
    """load_model needs no right to write to the folder: {kind}"""
    model = _net()
    os.mkdir("there")
    if kind == "folder":
        need("keras.Model.save(zipped)")
        model.save("there/folder", zipped=False)
    else:
        model.save("there/it.keras")
    os.chmod("there", 0o555)
    try:
        _loads("there/folder" if kind == "folder" else "there/it.keras", model)
    finally:
        os.chmod("there", 0o755)


def saving_does_not_change_the_model():
    """save leaves a model's outputs, weights and compilation as they were"""
    model = _net()
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    model.train_on_batch(numbers(2, 4), numbers(2, 2))
    before, config = model.get_weights(), model.get_config()
    steps = int(np.asarray(keras.ops.convert_to_numpy(model.optimizer.iterations)))
    model.save("it.keras")
    equal(model.get_weights(), before, "weights")
    equal(
        keras.saving.serialize_keras_object(model.get_config()), keras.saving.serialize_keras_object(config), "config"
    )
    equal(int(np.asarray(keras.ops.convert_to_numpy(model.optimizer.iterations))), steps, "iterations")


def loading_does_not_change_the_seed():
    """load_model draws nothing from NumPy's and Python's generators"""
    import random

    _net().save("it.keras")
    np.random.seed(1)
    random.seed(1)
    expected = [np.random.rand(), random.random()]
    np.random.seed(1)
    random.seed(1)
    keras.models.load_model("it.keras", compile=False)
    equal(np.random.rand(), expected[0], "NumPy's next number")


@each(shard=["0.000001", "1.0"])
def sharded_weights_are_restored(shard):
    """save_weights(max_shard_size={shard}) is read by load_weights"""
    need("keras.Model.save_weights(max_shard_size)")
    model = keras.Sequential(
        [keras.Input((8,)), *(keras.layers.Dense(8) for _ in range(4)), keras.layers.BatchNormalization()]
    )
    given(model)
    model.save_weights("it.weights.json", max_shard_size=float(shard))
    other = keras.Sequential.from_config(model.get_config())
    given(other, seed=7)
    other.load_weights("it.weights.json")
    equal(other.get_weights(), model.get_weights(), "weights")


def sharded_weights_are_split():
    """save_weights(max_shard_size=...) writes files no larger than that"""
    need("keras.Model.save_weights(max_shard_size)")
    model = keras.Sequential([keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(4))])
    model.save_weights("it.weights.json", max_shard_size=2e-5 * 2)
    shards = [name for name in os.listdir(".") if name.endswith(".h5")]
    true(len(shards) >= 2, "there are several files, not %s" % shards)
    with open("it.weights.json") as file:
        named = {
            name
            for value in json.load(file)["weight_map"].values()
            for name in ([value] if isinstance(value, str) else value)
        }
    equal(sorted(named), sorted(shards), "files named by the index")


@each(text=["not a model", ""])
def damaged_file_is_refused(text):
    """load_model refuses a .keras file that is not one: {text}"""
    with open("it.keras", "w") as file:
        file.write(text)
    refuses(lambda: keras.models.load_model("it.keras"), "a damaged file", (ValueError, OSError))


def missing_layer_state_is_refused():
    """load_weights of a file without the model's layers is refused"""
    _net().save_weights("it.weights.h5")
    other = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    refuses(lambda: other.load_weights("it.weights.h5"), "weights of another model", (ValueError, KeyError))
