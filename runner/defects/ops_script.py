"""Reads the id of a case of the ``ops`` probe.

An id is ``expression | name=input; name=input | type#check``; the helpers in it are functions of the probe's prelude.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

MODULES = (
    "ops", "layers", "activations", "losses", "metrics", "optimizers", "initializers", "constraints", "regularizers",
    "random", "utils", "backend",
)  # fmt: skip
_NAME = re.compile(rf"\b(?:schedules|{'|'.join(MODULES)})(?:\.\w+)+")
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


@cache
def operation(ident: str) -> str:
    """The public name that a case is about: a layer before an array function.

    >>> operation("ops.max(apply(layers.Dense(3), ops.exp(x)))")
    'layers.Dense'
    """
    found = _NAME.findall(ident)
    chosen = [name for name in found if not name.startswith(("ops.", "backend."))] or found
    return chosen[0] if chosen else ident.split("(", maxsplit=1)[0]
