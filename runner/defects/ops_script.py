"""A script that shows one case of the ``ops`` probe, from the case's id alone.

An id is ``expression | name=input; name=input | type#check``; the helpers in it are functions of the probe's prelude,
whose source the probe reports.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

MODULES = (
    "ops", "layers", "activations", "losses", "metrics", "optimizers", "initializers", "constraints", "regularizers",
    "random", "utils", "backend",
)  # fmt: skip
DTYPES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class CaseId:
    """What a case's id says."""

    expression: str
    inputs: dict[str, str]
    dtype: str
    check: str
    """``symbolic``, ``dynamic``, ``gradient``, ``graph``, or empty for the values themselves."""


def parse(ident: str) -> CaseId:
    """Takes an id apart.

    >>> parse("ops.exp(x) | x=normal(3) | float16#graph")
    CaseId(expression='ops.exp(x)', inputs={'x': 'normal(3)'}, dtype='float16', check='graph')
    """
    body, _, check = ident.partition("#")
    parts = body.split(" | ")
    dtype = parts.pop() if len(parts) > 1 and parts[-1] in DTYPES else ""
    inputs = {}
    if len(parts) > 1 and re.match(r"\w+=", parts[-1]):
        for item in parts.pop().split("; "):
            name, _, text = item.partition("=")
            inputs[name] = text
    return CaseId(" | ".join(parts), inputs, dtype, check)


def operation(ident: str) -> str:
    """The public name that a case is about: a layer before an array function.

    >>> operation("ops.max(apply(layers.Dense(3), ops.exp(x)))")
    'layers.Dense'
    """
    found = re.findall(rf"\b(?:schedules|{'|'.join(MODULES)})(?:\.\w+)+", ident)
    chosen = [name for name in found if not name.startswith(("ops.", "backend."))] or found
    return chosen[0] if chosen else ident.split("(", maxsplit=1)[0]


def script(ident: str, framework: str, prelude: str, headline: str, expected: str) -> str:
    """The whole script. ``expected``: the result and its note, printed at the end."""
    case = parse(ident)
    text = "\n".join([case.expression, *case.inputs.values()])
    lines = [f'"""{headline}"""', "", "import os", "", f'os.environ["KERAS_BACKEND"] = "{framework}"', ""]
    lines += ["import keras", "import numpy as np"]
    used = [name for name in MODULES if re.search(rf"\b{name}\.", text) or name == "ops"]
    lines.append(f"from keras import {', '.join(used)}")
    if "schedules." in text:
        lines.append("from keras.optimizers import schedules")
    helpers = _helpers(prelude, text)
    lines += ["", "", helpers] if helpers else [""]
    lines += ["", *_inputs(case), ""] if helpers else [*_inputs(case), ""]
    lines += _BODIES.get(case.check, _values)(case, framework)
    if expected:
        lines.append(f"print({expected!r})")
    return "\n".join(lines) + "\n"


def _helpers(prelude: str, text: str) -> str:
    """The source of the prelude's functions that ``text`` needs, in their order."""
    tree = ast.parse(prelude)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    wanted: set[str] = set()
    todo = re.findall(r"\b\w+(?=\()", text)
    while todo:
        name = todo.pop()
        if name in functions and name not in wanted:
            wanted.add(name)
            todo += [n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)]
    return "\n\n\n".join(ast.unparse(node) for name, node in functions.items() if name in wanted)


def _inputs(case: CaseId) -> list[str]:
    lines = []
    for name, text in case.inputs.items():
        if case.check in ("symbolic", "dynamic"):
            lines.append(f"_{name} = {text}")
            dtype = (
                f"{case.dtype!r} if _{name}.dtype.kind == 'f' else str(_{name}.dtype)"
                if case.dtype
                else f"str(_{name}.dtype)"
            )
            shape = f"(None, *_{name}.shape[1:])" if case.check == "dynamic" and name == "x" else f"_{name}.shape"
            lines.append(f"{name} = keras.KerasTensor({shape}, dtype={dtype})")
        else:
            lines.append(f"{name} = ops.convert_to_tensor({text})")
            if case.dtype:
                lines.append(f"if 'float' in keras.backend.standardize_dtype({name}.dtype):")
                lines.append(f"    {name} = ops.cast({name}, {case.dtype!r})")
    return lines


def _values(case: CaseId, _framework: str) -> list[str]:
    return [f"print({case.expression})"]


def _graph(case: CaseId, framework: str) -> list[str]:
    names = ", ".join(case.inputs)
    lines = [f"def f({names}):", f"    return {case.expression}", "", ""]
    if framework == "tensorflow":
        return [
            "import tensorflow as tf",
            *lines,
            f"print('eager', f({names}))",
            f"print('graph', tf.function(f)({names}))",
        ]
    return ["import jax", *lines, f"print(jax.jit(f)({names}))"]


def _gradient(case: CaseId, framework: str) -> list[str]:
    names = ", ".join(case.inputs)
    lines = [
        f"def f({names}):",
        f"    found = {case.expression}",
        "    found = found if isinstance(found, (list, tuple)) else [found]",
        "    return sum(ops.sum(part) for part in found)",
        "",
        "",
    ]
    if framework == "torch":
        floating = f"[t for t in ({names},) if t.is_floating_point()]"
        return [*lines, f"inputs = {floating}", "for t in inputs:", "    t.requires_grad_(True)",
                f"f({names}).backward()", "for t in inputs:", "    print(t.grad)"]  # fmt: skip
    if framework == "tensorflow":
        return ["import tensorflow as tf", *lines, "with tf.GradientTape() as tape:", f"    tape.watch([{names}])",
                f"    loss = f({names})", f"print(tape.gradient(loss, [{names}]))"]  # fmt: skip
    return ["import jax", *lines, f"print(jax.grad(f)({names}))"]


_BODIES = {"gradient": _gradient, "graph": _graph}
