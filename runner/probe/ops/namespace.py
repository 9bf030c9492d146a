"""Defines the names that expressions and references are written with."""

from __future__ import annotations

import ast
import inspect
import re

import numpy as np

from . import prelude, reference

HELPERS = {name: value for name, value in vars(prelude).items() if inspect.isfunction(value)}
MODULES = (
    "ops",
    "layers",
    "activations",
    "losses",
    "metrics",
    "optimizers",
    "initializers",
    "constraints",
    "regularizers",
    "random",
    "utils",
    "backend",
)
DOTTED = re.compile(r"\bops\.(?:(?:nn|image|linalg|numpy)\.)?(\w+)")


class Missing(Exception):  # noqa: N818 - a finding, not an error
    """This version has no such name or argument."""


def framework(keras):
    """Returns the names that an expression can use."""
    names = {name: getattr(keras, name) for name in MODULES if hasattr(keras, name)}
    names["schedules"] = getattr(keras.optimizers, "schedules", None)
    names.update(HELPERS, keras=keras, np=np)
    return names


def truth():
    """Returns the names that a reference can use."""
    return {**HELPERS, "np": np, "ref": reference}


def resolve(expr):
    """Returns ``expr`` with NumPy's or ``reference``'s functions for Keras's.

    None where one is missing.
    """
    missing = []

    def replace(match):
        name = match.group(1)
        if hasattr(reference, name):
            return "ref." + name
        if hasattr(np, name):
            return "np." + name
        missing.append(name)
        return match.group(0)

    text = DOTTED.sub(replace, expr)
    if missing or re.search(r"\b(?:%s)\." % "|".join(MODULES), text):
        return None
    return text


def check(expr, names):
    """Raises Missing where a public name in ``expr`` is not there.

    Also where a keyword given to one is not there.
    """
    for node in ast.walk(ast.parse(expr, mode="eval")):
        if isinstance(node, ast.Attribute):
            _lookup(node, names)
        elif isinstance(node, ast.Call) and node.keywords and isinstance(node.func, ast.Attribute):
            _check_keywords(node, _lookup(node.func, names))


def _lookup(node, names):
    """Returns the object that a dotted name of a module means.

    None for anything else. Raises Missing.
    """
    path = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in (*MODULES, "schedules", "keras"):
        return None
    if node.id not in names:
        raise Missing("no keras.%s" % node.id)
    found = names[node.id]
    for name in reversed(path):
        if not hasattr(found, name):
            raise Missing("no %s.%s" % (node.id, ".".join(reversed(path))))
        found = getattr(found, name)
    return found


def _check_keywords(node, function):
    if function is None:
        return
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for keyword in node.keywords:
        if keyword.arg is not None and keyword.arg not in parameters:
            raise Missing("%s takes no %s" % (ast.unparse(node.func) if hasattr(ast, "unparse") else "it", keyword.arg))
