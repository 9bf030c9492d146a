"""The short forms of ``prelude`` that stand in a script.

A case compares with care for every kind of value and says what it found in few characters. Who reads a script wants
few lines: these accept a little more (1 for True, an array for a list), and end with the same exception.
"""

from __future__ import annotations

import numpy as np


class Broken(AssertionError):  # noqa: N818 - it is about Keras, not about the case
    """A promise that does not hold."""


class Lacking(Exception):  # noqa: N818 - a fact about the release, not an error
    """This release does not have what the script is about."""


def plain(value):
    """Returns nested values with tensors as arrays."""
    import keras

    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return np.asarray(keras.ops.convert_to_numpy(value)) if hasattr(value, "shape") else value


def leaves(value):
    """Returns the arrays in nested values, dicts in the order of their keys."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, list) and any(isinstance(item, (dict, list)) or np.ndim(item) for item in value):
        return [leaf for item in value for leaf in leaves(item)]
    return [np.asarray(value)]


def form(value):
    """Returns how values are nested, without the values."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, (dict, list)) or np.ndim(item) for item in value):
        return [form(item) for item in value]
    return None


def equal(got, expected, what="the result"):
    """Compares nested values."""
    got, expected = plain(got), plain(expected)
    a, b = leaves(got), leaves(expected)
    same = [x.shape == y.shape and (repr(x) == repr(y) or np.all(x == y)) for x, y in zip(a, b)]
    if form(got) != form(expected) or len(a) != len(b) or not all(same):
        raise Broken("%s: expected %s, got %s" % (what, expected, got))


def close(got, expected, what="the result", tolerance=1e-5):
    """Compares nested numbers, relative to the largest expected."""
    got, expected = plain(got), plain(expected)
    a, b = leaves(got), leaves(expected)
    sizes = [np.abs(y[np.isfinite(y)]).max(initial=0) for y in b]
    fits = [x.shape == y.shape and np.allclose(x, y, 0, tolerance * s, equal_nan=True) for x, y, s in zip(a, b, sizes)]
    if len(a) != len(b) or not all(fits):
        raise Broken("%s: expected %s, got %s" % (what, expected, got))


def true(condition, what):
    """Raises Broken where a condition does not hold."""
    if not condition:
        raise Broken("not so: " + what)


def refuses(function, what, errors=(ValueError, TypeError)):
    """Returns the message with which wrong arguments are refused."""
    try:
        found = function()
    except errors as error:
        return str(error)
    except Lacking:
        raise
    except (NotImplementedError, ImportError) as error:
        raise Lacking(what) from error
    except Exception as error:
        raise Broken("%s: refused by %s: %s" % (what, type(error).__name__, error)) from error
    raise Broken("%s: accepted without a word, gave %s" % (what, found))


def array(value):
    """Returns a tensor or a nested list as a NumPy array."""
    return np.asarray(plain(value))


def need(name):
    """Returns what a dotted name means; it may name arguments in brackets."""
    import pkgutil

    try:
        return pkgutil.resolve_name(name.partition("(")[0])
    except (ImportError, AttributeError) as error:
        raise Lacking(name) from error
