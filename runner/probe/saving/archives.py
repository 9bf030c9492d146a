"""Archives that get_file unpacks stay in their folder; a failed save says why."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tarfile

import keras

from ..cases.collect import each
from ..cases.prelude import equal, given, printed, true


def _member(archive, name, kind=tarfile.REGTYPE, target="", content=b"here"):
    """Adds a member of this kind to an open archive."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    entry.size = len(content) if kind == tarfile.REGTYPE else 0
    archive.addfile(entry, io.BytesIO(content) if kind == tarfile.REGTYPE else None)


WAYS = [
    "a hard link with ../ in its name",
    "a symbolic link with ../ in its name",
    "a file by way of a link to the folder",
    "a file by way of a link to the folder above",
    "a hard link to a file outside",
    "a symbolic link to a file outside",
]


@each(way=WAYS)
def links_in_archives_do_not_escape(way):
    """get_file unpacks nothing outside of its folder: {way}"""
    os.makedirs("site/deep")
    with open("site/secret.txt", "w", encoding="utf-8") as file:
        file.write("secret")
    with tarfile.open("site/deep/a.tar", "w") as archive:
        _member(archive, "fine.txt")
        if way == WAYS[0]:
            _member(archive, "../escaped.txt", tarfile.LNKTYPE, "fine.txt")
        elif way == WAYS[1]:
            _member(archive, "../escaped.txt", tarfile.SYMTYPE, "fine.txt")
        elif way == WAYS[2]:
            _member(archive, "link", tarfile.SYMTYPE, ".")
            _member(archive, "link/../escaped.txt")
        elif way == WAYS[3]:
            _member(archive, "link", tarfile.SYMTYPE, "..")
            _member(archive, "link/escaped.txt")
        else:
            kind = tarfile.LNKTYPE if way == WAYS[4] else tarfile.SYMTYPE
            _member(archive, "leak.txt", kind, os.path.abspath("site/secret.txt"))
    origin, cache = "file://" + os.path.abspath("site/deep/a.tar"), os.path.abspath("cache/x/y/z")
    os.makedirs(cache)  # get_file does not use a folder that is not there
    with contextlib.suppress(Exception):  # refused, in whatever words
        printed(lambda: keras.utils.get_file("a.tar", origin, extract=True, cache_dir=cache))
    files = [os.path.join(at, name) for at, _, names in os.walk("cache") for name in names]
    inside = tuple(os.path.join(os.path.dirname(path), "") for path in files if path.endswith("fine.txt"))
    outside = [path for path in files if path.endswith("escaped.txt") and not path.startswith(inside)]
    equal([os.path.basename(path) for path in outside], [], "files outside of the folder")
    leaks = [path for path in files if path.endswith("leak.txt") and os.path.exists(path)]
    equal([open(path, encoding="utf-8").read() for path in leaks], [], "what is read from outside")  # noqa: SIM115


class Fails(keras.layers.Layer):
    """Holds a layer, and cannot be saved."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = keras.layers.Dense(2)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x)

    def save_own_variables(self, store):
        raise ValueError("mine")


@each(where=["a file", "weights", "a pickle"])
def a_failed_save_gives_its_reason(where):
    """An error of save_own_variables comes out of saving to {where}, and no rest stays"""
    model = given(keras.Sequential([keras.Input((3,)), Fails()]))
    saved = {
        "a file": lambda: model.save("m.keras"),
        "weights": lambda: model.save_weights("m.weights.h5"),
        "a pickle": lambda: pickle.dumps(model),
    }[where]
    try:
        saved()
    except ValueError as error:
        true("mine" in str(error), "the error is that of the layer, got %r" % str(error))
    else:
        true(False, "the error comes out")
    rest = [name for name in os.listdir(".") if name not in ("m.keras", "m.weights.h5")]
    equal(rest, [], "files left")
