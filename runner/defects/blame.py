"""Names the innermost function that is wrong by itself in a wrong expression.

``isinf(nancumsum(x))`` is not a defect of ``isinf`` where ``nancumsum(x)`` is wrong too.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runner.defects import ops_script
from runner.defects.cases import Run
from runner.defects.ops_records import WrongCase

VALUES = ("wrong", "nan", "inaccurate", "shape", "dtype", "raises", "crashes")
"""The kinds that are about what a call gives, so that a call around it gives something wrong too."""

TESTS = ("ops.isinf", "ops.isfinite", "ops.isnan")
"""What the sweep puts around a call to see what a comparison of numbers overlooks, the largest number for infinity."""

READS = ("ops.shape",)
"""What the sweep puts around a call whose values are drawn, to see its shape alone."""


def blamed(found: Sequence[WrongCase], runs: Sequence[Run]) -> list[WrongCase]:
    """The wrong cases, each with the function that it is a defect of.

    That is the innermost one that is wrong by itself in the same cells.

    A call that the sweep does not try alone is named where the function around it is right in every other case.
    """
    wrong: dict[str, set[int]] = defaultdict(set)
    for one in found:
        if one.kind in VALUES:
            wrong[one.case] |= one.bad
    named = _Named(runs)
    return [replace(one, op=_innermost(one, wrong, named)) for one in found]


class _Named:
    """In which cells a function has a right case of its own."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.tried: set[str] = set()
        """Expressions that are cases themselves."""
        self.right: dict[str, set[int]] = defaultdict(set)
        alone: dict[str, tuple[str, bool]] = {}
        for i, run in enumerate(runs):
            for ident, case in run.cases.items():
                if ident not in alone:
                    expression = ident.partition(" | ")[0]
                    alone[ident] = (ops_script.operation(ident), expression.count("ops.") < 2)
                    self.tried.add(ident.partition("#")[0])
                name, single = alone[ident]
                if single and case.right:
                    self.right[name].add(i)


def _innermost(one: WrongCase, wrong: Mapping[str, set[int]], named: _Named) -> str:
    if one.op in READS:
        return next((name for name, _ in _inner(one.case)), one.op)
    if one.kind not in VALUES:
        return one.op
    for name, ident in _inner(one.case):
        if one.bad <= wrong.get(ident, set()):
            return name
        untold = ident not in named.tried and not named.right[name] & one.bad
        if (untold or one.op in TESTS) and one.bad <= named.right[one.op]:
            return name
    return one.op


def _inner(ident: str) -> Iterable[tuple[str, str]]:
    """The calls within the outermost one, the innermost first.

    Each with its name, and the id that it has as a case.
    """
    case = ops_script.parse(ident)
    try:
        tree = ast.parse(case.expression, mode="eval").body
    except SyntaxError:  # a cell may write anything
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node is not tree]
    for node in reversed(calls):
        name = ast.unparse(node.func)
        if re.fullmatch(rf"({'|'.join(ops_script.MODULES)})(\.\w+)+", name) and not name.startswith("backend."):
            text = ast.get_source_segment(case.expression, node) or ""
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            inputs = "; ".join(f"{k}={v}" for k, v in case.inputs.items() if k in used)
            yield name, " | ".join(part for part in (text, inputs, case.dtype) if part)
