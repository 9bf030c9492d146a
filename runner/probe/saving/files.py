"""Writes models of the zoo to files, and reads what another cell wrote."""

from __future__ import annotations

import os
import warnings

import keras
import numpy as np

from ..cases.attempt import first_line
from ..cases.prelude import Lacking, array
from . import zoo

FORMATS = ("keras", "weights.h5", "h5", "json")
"""``json`` is the configuration; its weights are those of ``get_weights``, in order, which the arrays hold."""

CLOSE, FAR = 2e-5, 2e-2
"""Part of the largest number up to which outputs agree (some 170 roundings of float32), and up to which they are
inaccurate rather than wrong. Half-precision models are given 300 times as much."""

IN_WEIGHTS = ("dense", "lstm", "bidirectional", "multi_head_attention", "batch_normalization", "nested", "subclassed")
IN_LEGACY = ("dense", "conv2d", "lstm", "nested")
"""The models that are also written as weights alone, and in the legacy formats. Each file is read in every cell."""

HALF = ("mixed_float16", "policy_per_layer", "float8")


def write(folder, formats=FORMATS):
    """Writes each model of the zoo in each of the formats that can hold it.

    ``folder/<model>.npz`` holds inputs, outputs, weights, and the outputs after two more steps of training.

    Returns ``{"file", "model", "format", "problem"}`` for each; the problem is empty where there is none, and begins
    with ``unsupported`` where this release has no such model.
    """
    done = []
    for name in zoo.EXCHANGED:
        keras.utils.set_random_seed(1)
        problem = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model, inputs = zoo.made(name)
                if name in zoo.TRAINED:
                    zoo.compile_as(name, model)
                    zoo.train_a_little(model, inputs)
                held = {**_flat("x", inputs), **_flat("y", model(inputs, training=False))}
        except Exception as error:
            problem = _said(error)
        for form in _held(name, formats):
            file = "%s.%s" % (name, form)
            done.append({"file": file, "model": name, "format": form, "problem": problem})
            if not problem:
                done[-1]["problem"] = _wrote(model, os.path.join(folder, file), form)
        if problem:
            continue
        weights = {"weights:%d" % place: _storable(array(w)) for place, w in enumerate(model.weights)}
        try:
            if name in zoo.TRAINED:
                zoo.train_a_little(model, inputs, 2, 2)
                held.update(_flat("after", model(inputs, training=False)))
        except Exception as error:
            done[-1]["problem"] = done[-1]["problem"] or _said(error)
        np.savez(os.path.join(folder, name + ".npz"), **held, **weights)
    keras.utils.clear_session()
    return done


def _held(name, formats):
    """Returns the formats that a model is written in."""
    held = {"keras": True, "weights.h5": name in IN_WEIGHTS, "h5": name in IN_LEGACY, "json": name in IN_LEGACY}
    return [form for form in formats if held[form]]


def _wrote(model, path, form):
    """Writes one file; returns the problem, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if form == "json":
                with open(path, "w", encoding="utf-8") as file:
                    file.write(model.to_json())
            elif form == "weights.h5":
                model.save_weights(path)
            else:
                model.save(path)
    except Exception as error:
        if os.path.exists(path):
            os.unlink(path)
        return _said(error)
    return ""


def listed(folder):
    """Returns the files of models in a folder that ``write`` filled."""
    there = set(os.listdir(folder))
    names = [
        "%s.%s" % (name, form) for name in zoo.EXCHANGED if name + ".npz" in there for form in _held(name, FORMATS)
    ]
    return [name for name in names if name in there]


def read_one(folder, file):
    """Reads one file of another cell; compares outputs and resumed training.

    Returns ``[status, note]``. The status is ``ok``, ``inaccurate``, ``wrong``, ``raises`` or
    ``unsupported``, where this release has no such model. The note of a right file says whether outputs are the same
    bit by bit, and what was warned about.
    """
    name, _, form = file.partition(".")
    with np.load(os.path.join(folder, name + ".npz"), allow_pickle=False) as held:
        found = _read(name, form, os.path.join(folder, file), dict(held))
    keras.utils.clear_session()
    return found


def read(folder):
    """Reads all files of another cell; returns ``{file: [status, note]}``."""
    return {file: read_one(folder, file) for file in listed(folder)}


def _read(name, form, path, held):
    """Returns the status and the note of one file."""
    texts = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = _loaded(name, form, path, held)
            inputs = _packed("x", held)
            status, note = _compared(name, _flat("y", model(inputs, training=False)), _part("y", held))
            texts = [str(item.message) for item in caught if issubclass(item.category, UserWarning)]
            if status == "ok" and any(key.startswith("after") for key in held) and form != "json":
                zoo.train_a_little(model, inputs, 2, 2)
                later, said = _compared(name, _flat("after", model(inputs, training=False)), _part("after", held), 10)
                if later != "ok":
                    status, note = later, "training resumed: " + said
    except Exception as error:
        lacking = _lacking(name)
        return ["unsupported" if lacking else "raises", lacking or _said(error)]
    warned = "; ".join(sorted({text.splitlines()[0][:100] for text in texts if text}))
    return [status, note + (" (warns: %s)" % warned if warned else "")]


def _lacking(name):
    """Returns why this release or backend cannot have such a model, or nothing."""
    try:
        model, inputs = zoo.made(name)
        model(inputs, training=False)
    except Exception as error:
        return "no such model here: " + _said(error)
    return ""


def _loaded(name, form, path, held):
    """Returns the model of a file."""
    if form in ("keras", "h5"):
        return keras.models.load_model(path)
    if form == "weights.h5":
        mine = zoo.made(name, seed=7)[0]
        if name in zoo.TRAINED:
            zoo.compile_as(name, mine)
            mine.optimizer.build(mine.trainable_variables) if not mine.optimizer.built else None
        mine.load_weights(path)
        return mine
    with open(path, encoding="utf-8") as file:
        model = keras.models.model_from_json(file.read())
    if not model.built:
        model(_packed("x", held))
    kept = [held["weights:%d" % place] for place in range(sum(key.startswith("weights:") for key in held))]
    model.set_weights(kept)
    return model


def _flat(start, value):
    """Returns ``{key: array}`` of a tensor, or a list or dict of them."""
    if isinstance(value, dict):
        return {"%s:%s" % (start, key): _storable(array(item)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return {"%s:%d" % (start, place): _storable(array(item)) for place, item in enumerate(value)}
    return {start: _storable(array(value))}


def _storable(value):
    """Returns an array of a kind that NumPy can write."""
    return (
        value
        if value.dtype.kind in "fiubc" and value.dtype.itemsize and value.dtype.name in np.sctypeDict
        else (np.asarray(value).astype("float32"))
    )


def _part(start, held):
    return {key: held[key] for key in held if key == start or key.startswith(start + ":")}


def _packed(start, held):
    """Returns the tensor, list or dict that ``_flat`` took apart."""
    part = _part(start, held)
    if list(part) == [start]:
        return part[start]
    keys = [key.partition(":")[2] for key in part]
    if all(key.isdigit() for key in keys):
        return [part["%s:%d" % (start, place)] for place in range(len(keys))]
    return {key: part["%s:%s" % (start, key)] for key in keys}


def _compared(name, found, expected, times=1):
    """Returns a status and a note on outputs by key."""
    if sorted(found) != sorted(expected):
        return "wrong", "outputs %s, expected %s" % (sorted(found), sorted(expected))
    worst, same = 0.0, True
    for key in expected:
        a, b = found[key].astype("float64"), expected[key].astype("float64")
        if a.shape != b.shape:
            return "wrong", "output of shape %s, expected %s" % (a.shape, b.shape)
        same = same and bool(np.array_equal(a, b, equal_nan=True))
        size = float(np.abs(b).max()) if b.size else 0.0
        far = float(np.abs(a - b).max()) if b.size else 0.0
        worst = max(worst, far / size if size else far)
        if not np.isfinite(a).all() and np.isfinite(b).all():
            return "wrong", "output is not finite"
    if same:
        return "ok", "bit by bit"
    allowed = CLOSE * times * (300 if name in HALF else 1)
    status = "ok" if worst <= allowed else "inaccurate" if worst <= max(FAR, allowed) else "wrong"
    return status, "deviates by %.1e" % worst


def _said(error):
    """Returns an error in one line."""
    if isinstance(error, Lacking):
        return "unsupported: %s" % error
    cause = str(error).partition("Exception encountered: ")[2].strip()
    return "%s: %s" % (type(error).__name__, (cause.splitlines()[0] if cause else first_line(error))[:200])
