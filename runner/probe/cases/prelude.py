"""Says what a case expects.

The source of these functions is put in front of a defect's script, so each stands alone: NumPy and Keras only.
"""

from __future__ import annotations

import numpy as np


class Broken(AssertionError):  # noqa: N818 - it is about Keras, not about the case
    """A promise that does not hold."""


class Lacking(Exception):  # noqa: N818 - a fact about the release, not an error
    """This release, or this cell, does not have what the case is about."""


def need(name):
    """Returns what a dotted name means.

    ``keras.layers.Dense(lora_rank)`` asks for the argument ``lora_rank`` too. Raises Lacking where there is no such
    module, attribute or argument.
    """
    import importlib
    import inspect

    path, _, arguments = name.rstrip(")").partition("(")
    first, *rest = path.split(".")
    try:
        found = importlib.import_module(first)
    except ImportError as error:
        raise Lacking("the package %s is missing" % first) from error
    for place, part in enumerate(rest):
        if not hasattr(found, part):
            try:
                found = importlib.import_module(".".join([first, *rest[: place + 1]]))
                continue
            except ImportError:
                raise Lacking("no %s" % path) from None
        found = getattr(found, part)
    for argument in filter(None, (text.strip() for text in arguments.split(","))):
        known = inspect.signature(found).parameters
        if argument not in known:
            raise Lacking("%s takes no %s" % (path, argument))
    return found


def equal(got, expected, what="the result"):
    """Compares nested values exactly: structure, numbers, texts. NaN equals NaN.

    Tensors are compared as arrays; a list equals a tuple. Raises Broken.
    """
    if not _same(got, expected):
        raise Broken("%s: expected %s, got %s" % (what, shown(expected), shown(got)))


def close(got, expected, what="the result", tolerance=1e-5):
    """Compares nested numbers: each within ``tolerance`` of the largest expected one.

    The default is some 160 roundings of float32. Shapes must agree. Raises Broken.
    """
    if isinstance(expected, dict):
        equal(sorted(got), sorted(expected), what + ", keys")
        for key in expected:
            close(got[key], expected[key], "%s, %s" % (what, key), tolerance)
        return
    if isinstance(expected, (list, tuple)) and any(_nested(item) for item in expected):
        equal(len(got), len(expected), what + ", length")
        for place, item in enumerate(expected):
            close(got[place], item, "%s %d" % (what, place), tolerance)
        return
    a, b = array(got), array(expected)
    if a.shape != b.shape:
        raise Broken("%s: expected shape %s, got %s" % (what, shown(b.shape), shown(a.shape)))
    a, b = a.astype("float64"), b.astype("float64")
    finite = np.isfinite(b)
    size = float(np.abs(b[finite]).max()) if finite.any() else 0.0
    with np.errstate(all="ignore"):
        fine = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * size)
    if not fine.all():
        place = int(np.argmin(fine.ravel()))
        if place < 6:  # shown
            raise Broken("%s: expected %s, got %s" % (what, shown(b), shown(a)))
        told = what, place, "%.7g" % b.ravel()[place], "%.7g" % a.ravel()[place], shown(b)
        raise Broken("%s, element %d: expected %s, got %s; all that is expected: %s" % told)


def true(condition, what):
    """Raises Broken with ``what``, a sentence on what should hold, where it does not."""
    if not condition:
        raise Broken("not so: " + what)


def refuses(function, what, errors=(ValueError, TypeError)):
    """Returns the message with which ``function()`` refuses wrong arguments.

    ``what`` names the arguments. Raises Broken where it accepts them, and where it fails with another error than one
    of ``errors``, from which nobody learns what was wrong; Lacking where this is not implemented, or needs a package.
    """
    try:
        found = function()
    except errors as error:
        return str(error)
    except Lacking:
        raise
    except (NotImplementedError, ImportError) as error:
        raise Lacking("%s: %s" % (what, error)) from error
    except Exception as error:
        raise Broken("%s: refused by %s: %s" % (what, type(error).__name__, error)) from error
    raise Broken("%s: accepted without a word, gave %s" % (what, shown(found)))


def array(value):
    """Returns a tensor, variable, number or nested list as a NumPy array."""
    import keras

    if isinstance(value, (np.ndarray, np.generic, int, float, bool, complex, str)):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        return np.asarray([array(item) for item in value])
    value = getattr(value, "value", value) if hasattr(value, "assign") else value
    return np.asarray(keras.ops.convert_to_numpy(value))


def numbers(*shape, seed=0):
    """Returns float32 numbers, normally distributed and the same everywhere."""
    return np.random.RandomState(seed).standard_normal(shape).astype("float32")


def printed(function):
    """Returns what ``function()`` prints to the standard output."""
    import contextlib
    import io

    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        function()
    return stream.getvalue()


def warned(function):
    """Returns the texts of the warnings that ``function()`` gives."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [str(item.message) for item in caught]


def given(layer, seed=100):
    """Gives every float weight fixed values in 0.1 to 0.6, and returns the layer."""
    for place, variable in enumerate(layer.weights):
        if "float" in str(variable.dtype):
            values = np.random.RandomState(seed + place).uniform(0.1, 0.6, tuple(variable.shape))
            variable.assign(values.astype("float32"))
    return layer


def shown(value):
    """Returns a short text of a nested value: at most 120 characters."""
    if isinstance(value, (list, tuple)) and not any(hasattr(item, "shape") for item in value):
        text = str([item if isinstance(item, (str, int, float, bool, type(None))) else shown(item) for item in value])
    elif isinstance(value, dict):
        text = "{%s}" % ", ".join("%s: %s" % (key, shown(item)) for key, item in value.items())
    elif hasattr(value, "shape"):
        flat = array(value).ravel()
        first = ", ".join("%.7g" % v if flat.dtype.kind == "f" else str(v) for v in flat[:6].tolist())
        text = "[%s%s] of shape %s" % (first, ", ..." if flat.size > 6 else "", tuple(value.shape))
    else:
        text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _nested(item):
    return isinstance(item, (dict, list, tuple)) or hasattr(item, "shape")


def _same(got, expected):
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and all(_same(got[k], expected[k]) for k in got)
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(expected)
            and all(_same(a, b) for a, b in zip(got, expected))
        )
    if expected is None or isinstance(expected, (str, bytes, type)):
        return type(got) is type(expected) and got == expected
    if isinstance(expected, bool) or isinstance(got, (str, bytes, bool)) or got is None:
        return isinstance(got, (bool, np.bool_)) is isinstance(expected, (bool, np.bool_)) and got == expected
    if not (hasattr(expected, "shape") or isinstance(expected, (int, float, complex))):
        return got == expected
    a, b = array(got), array(expected)
    if a.shape != b.shape:
        return False
    nan = (a != a) & (b != b)
    return bool(np.all((a == b) | nan))
