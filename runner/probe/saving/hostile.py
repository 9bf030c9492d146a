"""Files that somebody else made: what is wrong or dangerous in them is refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile

import keras
import numpy as np

from ..cases.collect import each
from ..cases.prelude import array, close, equal, given, need, numbers, printed, refuses, true


def _net():
    """Returns a model of two layers."""
    return given(keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)]))


def _datasets(group):
    """Returns the paths of all datasets in a file of HDF5."""
    h5py = need("h5py")
    found = []
    group.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def _damaged(path, how):
    """Replaces the first dataset of a weights file."""
    h5py = need("h5py")
    with h5py.File("other.h5", "w") as file:
        file["x"] = np.ones((3, 4), "float32")
    with h5py.File(path, "a") as file:
        name = _datasets(file)[0]
        shape = file[name].shape
        del file[name]
        if how == "an external link":
            file[name] = h5py.ExternalLink("other.h5", "/x")
        elif how == "a soft link":
            file["elsewhere"] = np.ones(shape, "float32")
            file[name] = h5py.SoftLink("/elsewhere")
        elif how == "a virtual dataset":
            layout = h5py.VirtualLayout(shape=(3, 4), dtype="float32")
            layout[:] = h5py.VirtualSource("other.h5", "x", shape=(3, 4))
            file.create_virtual_dataset(name, layout)
        elif how == "a huge shape":
            file.create_dataset(name, shape=(2**50,), dtype="float32", chunks=(1024,))


HOW = ["an external link", "a virtual dataset", "a huge shape"]


@each(how=HOW)
def weights_file_is_refused(how):
    """load_weights refuses a file that has {how}"""
    model = _net()
    model.save_weights("w.weights.h5")
    _damaged("w.weights.h5", how)
    refuses(lambda: model.load_weights("w.weights.h5"), how, (ValueError, TypeError, OSError, KeyError))


@each(how=HOW)
def model_file_is_refused(how):
    """load_model refuses a .keras file whose weights have {how}"""
    _net().save("m.keras")
    with zipfile.ZipFile("m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with open("w.h5", "wb") as file:
        file.write(parts["model.weights.h5"])
    _damaged("w.h5", how)
    with open("w.h5", "rb") as file:
        parts["model.weights.h5"] = file.read()
    with zipfile.ZipFile("m.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refuses(lambda: keras.models.load_model("m.keras"), how, (ValueError, TypeError, OSError, KeyError))


@each(how=[*HOW, "a soft link"])
def editor_refuses_a_file(how):
    """KerasFileEditor refuses a weights file that has {how}"""
    kind = need("keras.saving.KerasFileEditor")
    _net().save_weights("w.weights.h5")
    _damaged("w.weights.h5", how)
    refuses(lambda: printed(lambda: kind("w.weights.h5")), how, (ValueError, TypeError, OSError, KeyError))


def _with_config(change):
    """Writes a .keras file whose configuration ``change`` has altered."""
    _net().save("m.keras")
    with zipfile.ZipFile("m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile("m.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@each(module=["os", "builtins", "subprocess", "keras.src.utils.file_utils"])
def foreign_functions_are_refused(module):
    """load_model refuses a configuration that names something in {module}"""
    name = {"os": "system", "builtins": "eval", "subprocess": "call"}.get(module, "makedirs")

    def change(config):
        dense = next(part for part in config["config"]["layers"] if part["class_name"] == "Dense")
        dense["config"]["activation"] = {
            "module": module, "class_name": "function", "config": name, "registered_name": None,
        }  # fmt: skip

    _with_config(change)
    refuses(lambda: keras.models.load_model("m.keras"), module, (ValueError, TypeError))


@each(form=["keras", "h5"], safe=["default", "off"])
def lambdas_are_loaded_only_on_demand(form, safe):
    """load_model of a Lambda from .{form} is refused unless safe_mode is off: {safe}"""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: 2.0 * x)])
    model.save("m." + form)
    if safe == "off":
        found = keras.models.load_model("m." + form, safe_mode=False)
        close(array(found(numbers(2, 3))), 2 * numbers(2, 3))
    else:
        refuses(lambda: keras.models.load_model("m." + form), "a function as code", (ValueError, TypeError))


def members_outside_are_not_written():
    """load_model of an archive with ../ in a name writes nothing outside"""
    layer = keras.layers.IntegerLookup(vocabulary=[1, 2])
    keras.Sequential([keras.Input((1,), dtype="int64"), layer]).save("m.keras")
    os.makedirs("inner")
    with zipfile.ZipFile("m.keras", "a") as archive:
        archive.writestr("../escaped.txt", "here")
    os.replace("m.keras", "inner/m.keras")
    with contextlib.suppress(ValueError, OSError):
        keras.models.load_model("inner/m.keras")
    true(not os.path.exists("escaped.txt"), "no file outside of the folder")


@each(archive=["tar", "zip"])
def archives_do_not_escape(archive):
    """get_file of a {archive} with ../ in a name writes nothing outside"""
    import tarfile

    content = b"here"
    os.makedirs("site")
    os.makedirs("cache/x/y")  # get_file does not use a folder that is not there
    path = "site/a." + archive
    if archive == "tar":
        with tarfile.open(path, "w") as file:
            for name in ("fine.txt", "../../../escaped.txt"):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                file.addfile(entry, io.BytesIO(content))
    else:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("fine.txt", content)
            file.writestr("../../../escaped.txt", content)
    try:
        printed(
            lambda: keras.utils.get_file(
                "a." + archive, "file://" + os.path.abspath(path), extract=True, cache_dir=os.path.abspath("cache/x/y")
            )
        )
    except Exception as error:  # refused, in whatever words
        true(str(error), "the refusal has words")
    found = [os.path.join(at, name) for at, _, names in os.walk(".") for name in names if name == "escaped.txt"]
    true(all("datasets" in path for path in found), "nothing is outside, but there is %s" % found)


TOKENS = ["a b", "\u00fc", " lead", "trail ", "carriage\r", "next\x85line", "separator\u2028", "#", "tab\t", "quote\"'"]


@each(place=list(range(len(TOKENS))))
def odd_tokens_survive(place):
    """A vocabulary with an odd token survives a .keras file: number {place}"""
    token = TOKENS[place]
    layer = keras.layers.StringLookup()
    layer.adapt([["one", token, token, "two"]])
    before = layer.get_vocabulary()
    need("tensorflow")
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
    model.save("m.keras")
    found = keras.models.load_model("m.keras").layers[-1].get_vocabulary()
    equal([str(word) for word in found], [str(word) for word in before], "the vocabulary")
