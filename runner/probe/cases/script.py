"""Writes a case as a script: its source, and what that uses."""

from __future__ import annotations

import ast
import inspect
import re
import sys

from . import plainly, prelude


def of(case, framework, note):
    """Returns the script of a case. ``note`` is what the cell said."""
    package = case.function.__module__.rpartition(".")[0]
    text = inspect.getsource(sys.modules[case.function.__module__])
    own = definitions(text)
    for name in siblings(text):
        own = {**definitions(inspect.getsource(sys.modules["%s.%s" % (package, name)])), **own}
    helpers = {**definitions(inspect.getsource(prelude)), **definitions(inspect.getsource(plainly))}
    named = [word for word in re.findall(r"\w+", case.ident) if word in own]  # a case can name what it builds
    wanted, imports = reached([case.function.__name__, *named], own, helpers)
    lines = ['"""%s."""' % case.promise.replace('"""', "'''").replace("\\", "\\\\"), "", "import os", ""]
    lines += ['os.environ["KERAS_BACKEND"] = "%s"' % framework, ""]
    lines += sorted({"import keras", "import numpy as np", *imports})
    if package.endswith("distribution"):
        lines = _several_devices(lines, framework)
    parts = [text for name, text in [*helpers.items(), *own.items()] if name in wanted]
    body = "\n\n\n".join(dict.fromkeys(parts))  # one line can define several names
    return "\n".join(lines) + "\n\n\n" + body + "\n\n\n" + "# Seen: %s\n" % " ".join(note.split()) + case.ident + "\n"


def _several_devices(lines, framework):
    """Returns the lines with what makes several devices of one processor.

    That has to come first.
    """
    if framework == "jax":
        return [*lines[:3], 'os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"', *lines[3:]]
    if framework == "tensorflow":
        made = "[tf.config.LogicalDeviceConfiguration()] * 2"
        first = 'tf.config.list_physical_devices("CPU")[0]'
        made = "tf.config.set_logical_device_configuration(%s, %s)" % (first, made)
        return [*lines[:5], "import tensorflow as tf", "", made, "", *lines[5:]]
    return lines


def definitions(text):
    """Returns ``{name: source}`` of what a module's text defines at its top, in order."""
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            # a decorator says how a case is repeated, which a script does not need
            kept = [d for d in node.decorator_list if not _is_each(d)]
            first = min([node.lineno, *(d.lineno for d in kept)])
            source = "\n".join(lines[first - 1 : node.end_lineno])
            found[node.name] = re.sub(r"  # noqa.*", "", source)
        elif isinstance(node, ast.Assign):
            for target in ast.walk(node.targets[0]):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    found[target.id] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # it changes what is defined above
            name = getattr(getattr(node.value.func, "value", None), "id", "")
            if name in found:
                found[name] += "\n" + "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0):
            for alias in node.names:
                if getattr(node, "module", "") != "__future__":
                    found.setdefault("import " + (alias.asname or alias.name), ast.get_source_segment(text, node))
    return found


def siblings(text):
    """Returns the modules of its own package that a module imports from."""
    nodes = ast.parse(text).body
    return [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module]


def _is_each(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "each"


def reached(names, own, helpers):
    """Returns the definitions that ``names`` need, and the import lines.

    ``own`` and ``helpers``: from ``definitions``. No name may be in both: a helper would find the module's.
    """
    wanted, imports, due = set(), set(), list(names)
    while due:
        name = due.pop()
        if name in wanted:
            continue
        source = own.get(name, helpers.get(name))
        if source is None:
            for table in (own, helpers):
                if "import " + name in table:
                    imports.add(table["import " + name])
            continue
        wanted.add(name)
        nodes = list(ast.walk(ast.parse(source)))
        due += [node.id for node in nodes if isinstance(node, ast.Name)]
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        due += [word for text in texts for word in re.findall(r"\b_\w+(?=\()", text) if word in own]  # for eval
    return wanted, imports
