"""Decides whether two promises that do not hold have one cause.

It goes by what they are about and what they show. Each rule needs the very same cells, or releases, on both sides.
Pure.
"""

from __future__ import annotations

import re

from runner.defects import together
from runner.defects.sides import ACCEPTS, Side

ONE_THING = (
    {"fitting: recompiling_without_metrics_drops_them", "model: compile_again_replaces"},
    {
        "fitting: models_inside_add_no_figures",
        "model: a_compiled_model_inside_a_compiled_model",
        "model: a_compiled_model_inside_a_subclassed_one",
    },
    {
        "precision: assigned_values_keep_the_variables_precision",
        "precision: variables_may_be_made_by_a_value",
        "model: layers_assign_their_variables",
    },
    {"fitting: one_loss_weight_weighs_one_loss", "fitting: loss_weight_of_one_output"},
)
"""Promises of several probes about one thing that people do."""

_ARGUMENT = re.compile(r"\b(\w+)=(?:'[^']*'|\"[^\"]*\"|[\w.+-]+)")
_SHOWN = re.compile(r": expected ([\[{].+)", re.DOTALL)
_ENOUGH = 20
"""Characters of a list that two promises do not share by chance."""
_RARE = 11
"""Letters of the longest name that many functions have for an argument."""


def alike(one: Side, other: Side) -> bool:
    """Whether two defects have one cause, at least one of them a promise."""
    a, b = one.defect, other.defect
    if ": " not in a.op and ": " not in b.op:
        return False
    if ": " not in a.op or ": " not in b.op:
        return _accepted_arguments(one, other) or _accepted_arguments(other, one)
    if any(a.op in ops and b.op in ops for ops in ONE_THING):
        return together.compatible(one, other)
    rules = (_one_figure, _one_refusal, _one_argument, _distributed)
    return one.bad == other.bad and _bounded(one) and any(rule(one, other) for rule in rules)


def rare(argument: str) -> bool:
    """Whether few functions have an argument, by its name.

    >>> rare("steps_per_execution"), rare("kernel_size")
    (True, False)
    """
    return len(argument) > _RARE


def _bounded(one: Side) -> bool:
    """Whether a release is right, so that equal bounds say something."""
    return any(line.last_good or line.first_good for line in one.defect.bounds)


def _one_figure(one: Side, other: Side) -> bool:
    """Whether the same list was expected and the same found."""
    shown = [_SHOWN.search(side.defect.observed) for side in (one, other)]
    return bool(shown[0] and shown[1] and shown[0][1] == shown[1][1] and len(shown[0][1]) > _ENOUGH)


def _one_refusal(one: Side, other: Side) -> bool:
    """Whether the same wrong thing is accepted, in one part of Keras."""
    a, b = one.defect, other.defect
    wrong = [defect.observed.partition(": accepted ")[0] for defect in (a, b)]
    return (
        {a.kind, b.kind} <= set(ACCEPTS)
        and a.op.partition(":")[0] == b.op.partition(":")[0]
        and wrong[0] == wrong[1]
        and len(wrong[0].split()) > 1
    )


def _one_argument(one: Side, other: Side) -> bool:
    """Whether both pass the same arguments that few functions have."""
    passed = []
    for side in (one, other):
        told = side.defect.title.partition(f": {side.defect.kind}")[0]
        passed.append({n for n in _ARGUMENT.findall(told) if rare(n) and not n.startswith("return_")})
    return bool(passed[0]) and passed[0] == passed[1] and one.defect.kind == other.defect.kind


def _distributed(one: Side, other: Side) -> bool:
    """Whether a distribution gave other numbers, from one release to another."""
    return all(
        side.defect.op.startswith("distribution: ")
        and side.defect.kind == "is not so"
        and all(line.last_good and line.first_good for line in side.defect.bounds)
        for side in (one, other)
    )


def _accepted_arguments(promised: Side, swept: Side) -> bool:
    """Whether a call accepts the arguments that a promise says are refused.

    The promise names all of them.
    """
    a, b = promised.defect, swept.defect
    if ": " not in a.op or not {a.kind, b.kind} <= set(ACCEPTS) or promised.bad != swept.bad:
        return False
    names = set(_ARGUMENT.findall(b.pattern))
    return len(names) > 1 and all(re.search(rf"\b{name}\b", a.title) for name in names)
