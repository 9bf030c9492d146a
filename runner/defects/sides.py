"""A defect as it is compared with others: what it is about, and its cells as sets."""

from __future__ import annotations

from dataclasses import dataclass

from runner.defects.defect import Defect

TRACED = {"raises under jit", "raises in a graph", "raises in the gradient"}
"""Kinds of checks that trace a function, each on another framework."""

ACCEPTS = (
    "accepts a wrong argument",
    "accepts a wrong argument on symbolic input",
    "is accepted without a word",
    "is refused by an unrelated error",
)
"""Kinds of what takes a wrong argument. The first one stands for all."""


@dataclass(slots=True)
class Side:
    """A defect with its cells as sets."""

    defect: Defect
    bad: frozenset[str]
    good: frozenset[str]
    names: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.names = frozenset(names(self.defect))
        self.bodies = frozenset(case.partition("#")[0] for case in self.defect.cases)


def names(defect: Defect) -> list[str]:
    """The public names of a defect of the sweep; of other probes, what they are about.

    >>> from runner.defects import defect as d
    >>> names(d.Defect("ops.f, ops.g", "wrong value", 8, "", "", "", (), (), None, None, None, "", (), "", ""))
    ['ops.f', 'ops.g']
    """
    probe, colon, rest = defect.op.partition(": ")
    return (rest.partition(" (")[0] if colon else probe).split(", ")


def contradict(one: Side, other: Side) -> bool:
    """Whether a cell shows one and is right in the other.

    Checks of tracing on other frameworks do not contradict each other.
    """
    if {one.defect.kind, other.defect.kind} <= TRACED and one.defect.kind != other.defect.kind:
        return False
    return bool(one.bad & other.good or other.bad & one.good)
