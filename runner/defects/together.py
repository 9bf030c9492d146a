"""Decides whether two defects came and went with one change.

They must also be about one thing. What was broken in the same release, was right again in the same release, and is
about the same class, has one cause in almost all cases: a change of that class. Pure.
"""

from __future__ import annotations

import re

from runner.defects import signatures
from runner.defects.defect import Defect
from runner.defects.sides import ACCEPTS, Side, contradict

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
    if contradict(one, other):
        return False
    if _narrowed(one.defect) & _narrowed(other.defect):
        return True
    if ": " not in one.defect.op and ": " not in other.defect.op:
        return bool(_fractions(one.defect) & _fractions(other.defect)) and _went_together(one, other)
    if _about_one_thing(one.defect, other.defect) and (_went_together(one, other) or _only_there(one, other)):
        return True
    if {one.defect.kind, other.defect.kind} <= set(ACCEPTS) and _one_body(one, other):
        return _went_together(one, other)
    figure = _figure(one.defect)
    return figure != "" and figure == _figure(other.defect) and compatible(one, other)


def one_promise(one: Side, other: Side) -> bool:
    """Whether one promise is broken in one way in the same cases.

    The cells differ, and so do the figures. Trainings have exact references: there, other figures are other defects.
    """
    a, b = one.defect, other.defect
    return ": " in a.op and not a.op.startswith("training: ") and a.kind == b.kind and _one_body(one, other)


def _one_body(one: Side, other: Side) -> bool:
    """Whether both are about one promise in the same cases."""
    return one.defect.op == other.defect.op and bool(one.bodies & other.bodies)


def _went_together(one: Side, other: Side) -> bool:
    """Whether the same releases are right, and some are.

    Compared are the lines of cells on which both were tried; without any, the releases with which both end.
    """
    if compatible(one, other):
        lines = {line[:2] for line in other.defect.bounds}
        return any(line.last_good or line.first_good for line in one.defect.bounds if line[:2] in lines)
    apart = not {line[:2] for line in one.defect.bounds} & {line[:2] for line in other.defect.bounds}
    ends = [{line.first_good for line in side.defect.bounds} for side in (one, other)]
    return apart and ends[0] == ends[1] and len(ends[0]) == 1 and None not in ends[0]


def _only_there(one: Side, other: Side) -> bool:
    """Whether the very same cells show both, and others are right in both."""
    return one.bad == other.bad and bool(one.good and other.good)


def compatible(one: Side, other: Side) -> bool:
    """Whether the same releases are right on each line of cells that both have."""
    lines = [{line[:2]: (line.last_good, line.first_good) for line in side.defect.bounds} for side in (one, other)]
    both = lines[0].keys() & lines[1].keys()
    return bool(both) and all(lines[0][line] == lines[1][line] for line in both)


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
    told = (text for text in defect.signatures if re.match(r"\w+(Error|Exception)\b: ", text))
    return frozenset(text for text in told if not signatures.GENERAL.search(text))


def _figure(defect: Defect) -> str:
    """The promise's function and the figure that is wrong; empty without one.

    ``training_resumes_from_h5_file the number of the optimizer's variables``
    """
    if ": " not in defect.op:
        return ""
    if defect.observed.startswith("not so: "):
        return f"{defect.op} {_NUMBERS.sub('', defect.observed)}"
    figure, expected, _ = defect.observed.partition(": expected ")
    return f"{defect.op} {figure}" if expected and figure not in _ANY else ""


_ANY = ("the output", "the outputs", "the result")
"""Figures that most promises have."""


_NUMBERS = re.compile(r"\[.*|\d[\d.]*", re.DOTALL)


def _narrowed(defect: Defect) -> set[str]:
    """Where 64 bits became 32, on one framework and since one release.

    It shows as a wrong type here, as a lost digit there.
    """
    text = f"{defect.title} {defect.pattern} {defect.observed} {defect.cases[0] if defect.cases else ''}"
    shown = defect.kind in ("inaccurate", "is not so") and "float64" in text
    typed = "dtype" in defect.kind and re.search(r"int64.*int32|int32.*int64|float64.*float32", defect.observed)
    if len(defect.bounds) != 1 or not (shown or typed):
        return set()
    (line,) = defect.bounds
    return {f"{line.name} since {line.first_bad}"} if line.last_good else set()


def _fractions(defect: Defect) -> set[str]:
    """The fractions that one framework accepts where a whole number is needed."""
    frameworks = {line.framework for line in defect.bounds}
    if not defect.kind.startswith("accepts") or len(frameworks) > 1:
        return set()
    found = re.findall(r"=(\d+\.5)\b", " ".join(defect.cases[:1]))
    return {f"{value} on {framework}" for value in found for framework in frameworks}
