"""The evidence of one process of the ``diagnose`` probe: its detail ``evidence``.

Errors are None where a figure is not finite or a shape is wrong; a sketch is empty then.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from runner.errors import BadOutputError
from runner.model import Sample


class Elementwise(msgspec.Struct, array_like=True, frozen=True):
    """An array against its truth; errors in units of u * scale."""

    largest: float | None
    rms: float | None
    terms: int
    digest: str
    sketch: list[float]


class Together(msgspec.Struct, array_like=True, frozen=True):
    """Several arrays as one vector against the truth, in units of rounding noise."""

    distance: float | None
    sketch: list[float]


class Step(msgspec.Struct, frozen=True, rename={"same_optimizer": "same optimizer", "no_dropout": "no dropout"}):
    """One step from the reference's weights. ``layers``: in the order of computation."""

    inputs: str
    left_out: int
    samples: int
    layers: dict[str, Elementwise]
    whole: dict[str, Together]
    update: dict[str, Elementwise]
    loss: list[float]
    same_optimizer: Together
    no_dropout: Together
    float64: Together | None = None


class Seeded(msgspec.Struct, frozen=True):
    """Figures of whole trainings, one per seed."""

    loss: list[float | str]
    accuracy: list[float | str]
    first_epoch: list[float | str]


class Drawn(msgspec.Struct, array_like=True, frozen=True):
    """The numbers that a weight started with, over all seeds."""

    rms: float
    expected: float
    """The RMS of the initializer's rule."""
    count: int


class Dropped(msgspec.Struct, array_like=True, frozen=True):
    """What dropout made of an array of ones."""

    rate: float
    zeros: float
    """The share of zeros."""
    kept: float
    """The mean of the others; 1 / (1 - rate) where dropout is right."""
    count: int


class Suspects(msgspec.Struct, frozen=True):
    """Initial weights and dropout, which are looked at without training."""

    initial: list[Drawn] = []
    dropout: Dropped | None = None


class Free(msgspec.Struct, frozen=True):
    """Steps that follow one another: their losses, a digest of the last weights."""

    losses: list[float | str]
    digest: str


class Evidence(msgspec.Struct, frozen=True):
    """All of it. ``double``: why float64 could not be tried, or empty."""

    network: str
    steps: list[Step]
    seeded: dict[str, Seeded]
    suspects: Suspects
    double: str
    free: Free
    seconds: dict[str, float] = {}
    given: str = ""
    """Layers and data, which both cells must have alike; empty in results of earlier releases."""


def read(sample: Sample) -> Evidence:
    """Read the evidence of a process. Raises BadOutputError for another form."""
    try:
        found: Evidence = msgspec.convert(_whole(sample.details.get("evidence")), type=Evidence)
    except msgspec.ValidationError as error:
        raise BadOutputError(f"{sample.cell.id}: the evidence cannot be read: {error}") from None
    return found


def distance(one: list[float], other: list[float]) -> float:
    """The distance of two arrays by their sketches; infinite where one has none."""
    if len(one) != len(other) or not one:
        return math.inf
    return math.dist(one, other)


def number(value: float | str | None) -> float:
    """A figure; what JSON cannot say comes as its name, or as None."""
    return math.inf if value is None else float(value)


def _whole(detail: Any) -> Any:
    return detail if isinstance(detail, dict) else {}
