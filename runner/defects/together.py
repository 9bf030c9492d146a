"""Decides whether two defects came and went with one change.

They must also be about one thing. What was broken in the same release, was right again in the same release, and is
about the same class, has one cause in almost all cases: a change of that class. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.defects import signatures

if TYPE_CHECKING:
    from runner.defects.defect import Defect
    from runner.defects.related import Side

_MATERIAL = frozenset(
    [
        "Adam",
        "Dense",
        "Embedding",
        "Flatten",
        "Functional",
        "Input",
        "InputLayer",
        "Lambda",
        "Layer",
        "LSTM",
        "Model",
        "NumPy",
        "SGD",
        "Sequential",
    ]
)
"""Classes that cases use as an example of something else."""

_FEW = 3
"""A defect in cases of more classes is not about any of them."""

_MADE = re.compile(r"\b([A-Z]\w+)\(")
_NAMED = re.compile(r"'([A-Z]\w*[a-z]\w*)[' ]")
_HUMPS = re.compile(r"\b[A-Z]+[a-z0-9]+[A-Z]\w*")


def one_change(one: Side, other: Side) -> bool:
    """Whether two defects have one cause by their releases and what they are about.

    At least one of them must be a promise: defects of functions are joined by their calls and arguments.
    """
    if ": " not in one.defect.op and ": " not in other.defect.op:
        return _whole_numbers(one.defect) & _whole_numbers(other.defect) != set() and _went_together(one, other)
    if _went_together(one, other) and _about_one_thing(one.defect, other.defect):
        return True
    figure = _figure(one.defect)
    return figure != "" and figure == _figure(other.defect) and _compatible(one, other)


def one_promise(one: Side, other: Side) -> bool:
    """Whether one promise is broken in one way in the same cases.

    The cells differ, and so do the figures. Trainings have exact references: there, other figures are other defects.
    """
    a, b = one.defect, other.defect
    return (
        ": " in a.op
        and not a.op.startswith("training: ")
        and (a.op, a.kind) == (b.op, b.kind)
        and bool(one.bodies & other.bodies)
    )


def _went_together(one: Side, other: Side) -> bool:
    """Whether the bounds are equal on each line of cells on which both were tried.

    A release on one side must be right, and no cell may be bad in one and right in the other.
    """
    lines = [{line[:2]: line for line in side.defect.bounds} for side in (one, other)]
    both = lines[0].keys() & lines[1].keys()
    if not both or any(lines[0][line] != lines[1][line] for line in both) or _contradict(one, other):
        return False
    return any(lines[0][line].last_good or lines[0][line].first_good for line in both)


def _compatible(one: Side, other: Side) -> bool:
    """Whether the same releases are right on each line of cells that both have."""
    lines = [{line[:2]: (line.last_good, line.first_good) for line in side.defect.bounds} for side in (one, other)]
    both = lines[0].keys() & lines[1].keys()
    return bool(both) and all(lines[0][line] == lines[1][line] for line in both) and not _contradict(one, other)


def _contradict(one: Side, other: Side) -> bool:
    return bool(one.bad & other.good or other.bad & one.good)


def _about_one_thing(one: Defect, other: Defect) -> bool:
    """Whether two defects are about one class, or show one message."""
    return bool(_things(one) & _things(other) or _messages(one) & _messages(other))


def _things(defect: Defect) -> frozenset[str]:
    """The classes and functions that a defect is about, without module and spelling."""
    if ": " not in defect.op:
        named = {name.rpartition(".")[2] for name in defect.op.split(", ")}
        return frozenset(map(signatures.snake, named))
    cases = {_first_class(case) for case in defect.cases}
    if len(cases) > _FEW or cases & _MATERIAL:
        return frozenset()
    named = (cases - {""}) | set(_HUMPS.findall(defect.title.partition(f": {defect.kind}")[0]))
    return frozenset(map(signatures.snake, named - _MATERIAL))


def _first_class(case: str) -> str:
    """The first class that a case makes or names.

    >>> _first_class("saved_layer_is_loaded(layer='s Bidirectional(keras.layers.LSTM(3))')")
    'Bidirectional'
    """
    found = _MADE.search(case.partition("(")[2]) or _NAMED.search(case)
    return found[1] if found else ""


def _messages(defect: Defect) -> frozenset[str]:
    """The messages of its exceptions, without what varies."""
    return frozenset(text for text in defect.signatures if re.match(r"\w+(Error|Exception)\b: ", text))


def _figure(defect: Defect) -> str:
    """The promise's function and the figure that is wrong; empty without one.

    ``training_resumes_from_h5_file the number of the optimizer's variables``
    """
    figure, expected, _ = defect.observed.partition(": expected ")
    return f"{defect.op} {figure}" if expected and ": " in defect.op else ""


def _whole_numbers(defect: Defect) -> set[str]:
    """The fractions that one framework accepts where a whole number is needed."""
    frameworks = {line.framework for line in defect.bounds}
    if not defect.kind.startswith("accepts") or len(frameworks) > 1:
        return set()
    found = re.findall(r"=(\d+\.5)\b", " ".join(defect.cases[:1]))
    return {f"{value} on {framework}" for value in found for framework in frameworks}
