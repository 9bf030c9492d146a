"""Turns a function of this package into a separate script.

The script contains the function's source, and all that it uses, and nothing else. What a function names is followed
through closures and modules: functions and classes are carried as source (a class only with the methods that are
called), everything else as a literal.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
import types

import numpy as np

from . import keras_side

HELPER = """def made(kind, **attributes):
    new = kind.__new__(kind)
    new.__dict__.update(attributes)
    return new"""


class NoSourceError(Exception):
    """The source of something cannot be written down."""


def of(function):
    """Returns ``(definitions, name)``: source text in which ``name`` is ``function``.

    Raises NoSourceError.
    """
    carrier = _Carrier()
    name = carrier.carry(function)
    return carrier.text(), name


def array(value):
    """Returns an expression for an array, with the digits that its type holds."""
    kind = "float32" if value.dtype.kind == "f" else str(value.dtype)
    if value.dtype.kind == "f":
        value = np.asarray(value, "float64")
    listed = ", ".join(_number(v) if value.dtype.kind == "f" else str(v) for v in value.ravel())
    shape = "" if value.ndim == 1 else ".reshape%r" % (tuple(value.shape),)
    return "np.array([%s], %r)%s" % (listed, kind, shape)


def _number(value):
    return "%.9g" % value if np.isfinite(value) else ("%g" % value).replace("nan", "np.nan").replace("inf", "np.inf")


class _Carrier:
    def __init__(self):
        self._parts = {}  # name -> syntax tree, or text
        self._names = {}  # id of an object -> its name
        self._kept = []  # keeps the objects alive, and with them their ids
        self._imports = {}

    def text(self):
        """Returns all definitions, in the order in which they need each other."""
        trees = [part for part in self._parts.values() if isinstance(part, ast.AST)]
        _drop_uncalled(trees)
        parts = [HELPER] if any("made(" in part for part in self._parts.values() if isinstance(part, str)) else []
        parts += [part if isinstance(part, str) else ast.unparse(part) for part in self._parts.values()]
        return "\n\n\n".join(["\n".join(sorted(self._imports))] * bool(self._imports) + parts)

    def carry(self, thing):
        """Returns the name under which a function or class is in the script.

        The function or class is one of this package.
        """
        if id(thing) in self._names:
            return self._names[id(thing)]
        name = thing.__name__ if thing.__name__ != "<lambda>" else "chosen"
        name = "keras_" + name if thing.__module__ == keras_side.__name__ else name
        while name in self._parts or name in self._names.values():
            name += "_"
        self._names[id(thing)] = name
        self._kept.append(thing)
        tree = _without_texts(_tree(thing))
        tree.name = name
        for function in _functions(thing):
            self._resolve(tree, function)
        if isinstance(thing, type):
            for base in thing.__bases__:
                if base is not object:
                    self.carry(base)
        self._parts[name] = tree
        return name

    def _resolve(self, tree, function):
        """Carries what ``function`` names, and gives it the names it has in the script."""
        scope = dict(function.__globals__)
        scope.update(inspect.getclosurevars(function).nonlocals)
        local = _locals(function.__code__)
        for node in list(ast.walk(tree)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = scope.get(node.value.id)
                if isinstance(module, types.ModuleType) and _ours(module) and node.value.id not in local:
                    node.value.id, node.attr = "@", self._named(node.attr, getattr(module, node.attr))
        replaced = _Flatten().visit(tree)
        for node in ast.walk(replaced):
            if not isinstance(node, ast.Name) or node.id in local or hasattr(builtins, node.id):
                continue
            if getattr(node, "done", False):
                continue
            if node.id in scope and node.id != "keras":
                node.id = self._named(node.id, scope[node.id])
                node.done = True

    def _named(self, name, thing):
        if isinstance(thing, types.ModuleType):
            if name != "np":
                self._imports["import %s" % thing.__name__ + (" as %s" % name if name != thing.__name__ else "")] = None
            return name
        if isinstance(thing, (types.FunctionType, type)) and _ours(inspect.getmodule(thing)):
            return self.carry(thing)
        if id(thing) not in self._names:
            text = self._literal(thing)
            while name in self._parts:
                name += "_"
            self._names[id(thing)] = name
            self._kept.append(thing)
            self._parts[name] = "%s = %s" % (name, text)
        return self._names[id(thing)]

    def _literal(self, thing):
        if isinstance(thing, np.ndarray):
            return array(thing)
        if isinstance(thing, dict):
            return "{%s}" % ", ".join("%s: %s" % (self._literal(k), self._literal(v)) for k, v in thing.items())
        if isinstance(thing, (list, tuple)):
            inner = ", ".join(self._literal(entry) for entry in thing)
            return "[%s]" % inner if isinstance(thing, list) else "(%s%s)" % (inner, "," * (len(thing) == 1))
        if thing is None or isinstance(thing, (str, bool, int, float, slice)):
            return repr(thing)
        if isinstance(thing, (types.FunctionType, type)):
            return self.carry(thing)
        if _ours(inspect.getmodule(type(thing))):
            attributes = ["%s=%s" % (key, self._literal(value)) for key, value in vars(thing).items()]
            return "made(%s)" % ", ".join([self.carry(type(thing)), *attributes])
        raise NoSourceError("no literal of a %s" % type(thing).__name__)


def _drop_uncalled(trees):
    """Takes the methods out of classes that nothing in the script calls by name."""
    classes = [tree for tree in trees if isinstance(tree, ast.ClassDef)]
    methods = [node for tree in classes for node in tree.body if isinstance(node, ast.FunctionDef)]
    kept, more = set(), {"__init__", "__call__"}
    while more:
        kept |= more
        reached = [tree for tree in trees if tree not in classes] + [node for node in methods if node.name in kept]
        called = {node.attr for tree in reached for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        more = {node.name for node in methods if node.name in called} - kept
    for tree in classes:
        tree.body = [node for node in tree.body if node not in methods or node.name in kept] or [ast.Pass()]


class _Flatten(ast.NodeTransformer):
    """Renames ``@.name`` to ``name``."""

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "@":
            name = ast.Name(node.attr, node.ctx)
            name.done = True
            return name
        return node


def _tree(thing):
    """Returns the definition of a function, lambda or class."""
    text = textwrap.dedent(inspect.getsource(thing)).strip()
    if getattr(thing, "__name__", "") != "<lambda>":
        return ast.parse(text).body[0]
    for whole in (text, "(%s)" % text.rstrip(",")):
        try:
            found = [node for node in ast.walk(ast.parse(whole)) if isinstance(node, ast.Lambda)]
        except SyntaxError:
            continue
        if len(found) == 1:
            definition = ast.parse("def chosen():\n    return 0").body[0]
            definition.args, definition.body[0].value = found[0].args, found[0].body
            return definition
    raise NoSourceError("no source of a lambda")


def _without_texts(tree):
    """Removes the docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _functions(thing):
    if isinstance(thing, type):
        return [member for member in vars(thing).values() if isinstance(member, types.FunctionType)]
    return [thing]


def _locals(code):
    """Names of the function's own, those of functions inside it too."""
    found = set(code.co_varnames) | set(code.co_cellvars)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _locals(constant)
    return found


def _ours(module):
    return module is not None and module.__name__.startswith(__package__)
