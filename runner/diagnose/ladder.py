"""The ladder: each rung removes a suspect; the difference ends at the right one.

Rungs with random numbers are judged over seeds (``judge.seeded``). On the others every step starts from the reference
weights, so rounding errors do not accumulate. They are judged against the noise of float32 rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from runner.diagnose.evidence import Drawn, Dropped, Elementwise, Evidence, Together, distance, number
from runner.judge.exact import ROUNDING, WRONG, classify
from runner.judge.seeded import judge_seeded
from runner.judge.settings import JudgeSettings
from runner.model import Better, Kind, Metric, Verdict

BEYOND = 8.0
"""So many times the noise of rounding is a difference. Correct cells (TensorFlow, PyTorch, JAX) were at 0.01 to 0.4,
single gradients and losses at up to 1.0."""

SHRUNK = 0.5
"""A rung takes the difference away where it leaves less than this part of it, whatever the seeds still do."""

ALIKE = 0.1
"""Two deviations apart by less than this part of the larger one are the same deviation, and no difference."""

KEPT = 1e-3
"""The relative difference by which the scale of dropout may be off; each cell keeps some 80,000 ones."""

SUSPECTS = {
    "as reported": "",
    "same weights": "the initial weights",
    "same order": "the order of the batches",
    "no dropout": "dropout",
    "same optimizer": "the optimizer's arithmetic",
    "float64": "precision",
}
"""The rungs, and what each takes away."""


PRESENT = {"initial": ("as reported",), "dropout": ("as reported", "same weights", "same order")}
"""On which rungs a suspect that is looked at directly still counts."""


class Found(StrEnum):
    """The result of a rung."""

    DIFFERS = "differs"
    AGREES = "agrees"
    UNCLEAR = "unclear"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung. ``a``, ``b``: a summary of each cell; ``gap``: their distance."""

    name: str
    suspect: str
    found: Found
    a: str = ""
    b: str = ""
    gap: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A step (from 1) and a quantity in which cells differ.

    With the error of both and its class (see ``judge.exact``).
    """

    step: int
    part: str
    """``layers``, ``whole`` or ``update``."""
    quantity: str
    a: float
    b: float
    class_a: str
    class_b: str
    terms: int | None = None


@dataclass(frozen=True, slots=True)
class Toggled:
    """The effect of a switch on one cell."""

    cell: str
    toggle: str
    bits: bool | None
    """Whether the cell computes other bits with it; None where it could not be run."""
    equals_other: bool
    """Whether it makes the cell equal the other one bit by bit, which it does not without."""
    outcome: bool
    """Whether where the cell leaves the reference changes."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One cell's evidence: its ladder, a second run, and a short run per switch.

    A text stands for a run with a switch that failed, with the reason.
    """

    cell: str
    ladder: Evidence
    again: Evidence | None
    toggles: Mapping[str, Evidence | str]

    @property
    def nondeterministic(self) -> bool:
        """Whether a second process computed other bits."""
        return self.again is not None and _bits(self.again) != _bits(self.ladder, len(self.again.steps))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer."""

    cells: tuple[str, str]
    a: str
    b: str
    """The parts of the ids that differ."""
    common: str
    """What their ids have in common."""
    network: str
    rungs: tuple[Rung, ...]
    top: str | None
    """The first rung with a difference, or None."""
    gone: str | None
    """The rung from which on there is none; None where there never was one, or it stays to the end."""
    first: Place | None
    others: tuple[Place, ...]
    shared: tuple[str, ...]
    """Quantities in which both cells leave the reference in the same way."""
    hints: tuple[str, ...]
    """What a direct look at initial weights and dropout shows."""
    toggles: tuple[Toggled, ...]
    nondeterministic: tuple[str, ...]
    trajectory: tuple[float, ...]
    """Of free-running steps: the relative distance of the two losses."""
    bit_equal: bool
    left_out: int
    samples: int
    same_inputs: bool
    """Whether both references have the same bits; another NumPy may round differently."""

    @property
    def differs(self) -> bool:
        """Whether there is a difference beyond seeds and rounding."""
        return self.top is not None or self.first is not None


def diagnose(a: Side, b: Side) -> Diagnosis:
    """Climb the ladder and walk through the replay."""
    cells = (a.cell, b.cell)
    one, other, common = labels(*cells)
    a, b = replace(a, cell=one), replace(b, cell=other)
    rungs = (*_seeded_rungs(a.ladder, b.ladder), *_exact_rungs(a.ladder, b.ladder))
    top, gone = verdict(rungs)
    places, shared = replay(a.ladder, b.ladder)
    return Diagnosis(
        cells=cells,
        common=common,
        a=a.cell,
        b=b.cell,
        network=a.ladder.network,
        rungs=rungs,
        top=top,
        gone=gone,
        first=places[0] if places else None,
        others=tuple(place for place in places[1:] if place.step == places[0].step) if places else (),
        shared=shared,
        hints=(*hints(a), *hints(b)),
        toggles=(*toggled(a, b), *toggled(b, a)),
        nondeterministic=tuple(side.cell for side in (a, b) if side.nondeterministic),
        trajectory=trajectory(a.ladder, b.ladder),
        bit_equal=_bits(a.ladder) == _bits(b.ladder),
        left_out=sum(step.left_out for step in a.ladder.steps),
        samples=sum(step.samples for step in a.ladder.steps),
        same_inputs=[step.inputs for step in a.ladder.steps] == [step.inputs for step in b.ladder.steps],
    )


def labels(a: str, b: str) -> tuple[str, str, str]:
    """What is different in two ids, and what they share.

    >>> labels("jax-0.10.2_keras-3.11.3_py3.11_cpu", "torch-2.2.2_keras-3.11.3_py3.11_cpu")
    ('jax-0.10.2', 'torch-2.2.2', 'keras-3.11.3, py3.11, cpu')
    """
    (id_a, _, broken_a), (id_b, _, broken_b) = a.partition(" "), b.partition(" ")
    if id_a == id_b:  # one cell, broken on purpose
        first, *rest = id_a.split("_")
        return f"{first} {broken_a}".strip(), f"{first} {broken_b}".strip(), ", ".join(rest)
    one, other = id_a.split("_"), id_b.split("_")
    pairs = list(zip(one, other, strict=False))
    if len(one) != len(other) or all(x != y for x, y in pairs):
        return a, b, ""
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    if pairs[0] not in apart:  # another device or Keras of one framework: it stays named
        apart.insert(0, pairs[0])
    common = ", ".join(x for x, y in pairs[1:] if x == y)
    short = ["_".join(parts) for parts in zip(*apart, strict=True)]
    return f"{short[0]} {broken_a}".strip(), f"{short[1]} {broken_b}".strip(), common


def verdict(rungs: Sequence[Rung]) -> tuple[str | None, str | None]:
    """``(first rung with a difference, the rung from which on there is none)``.

    Rungs that are unclear or were not run do not count: the last that differs and the next that agrees do.
    """
    differing = [i for i, rung in enumerate(rungs) if rung.found == Found.DIFFERS]
    if not differing:
        return None, None
    after = [rung for rung in rungs[differing[-1] + 1 :] if rung.found == Found.AGREES]
    return rungs[differing[0]].name, after[0].name if after else None


# --- rungs ----------------------------------------------------------------------------------------------------


def _seeded_rungs(a: Evidence, b: Evidence) -> list[Rung]:
    """The rungs with random numbers.

    An unclear rung after one with a difference agrees where most of that difference is gone.
    """
    rungs: list[Rung] = []
    largest = 0.0
    seen = direct(a, b)
    for name in ("as reported", "same weights", "same order"):
        rung, shift, bound = _seeded(name, a, b)
        if rung.found == Found.DIFFERS:
            largest = max(largest, abs(shift))
        elif rung.found == Found.UNCLEAR and bound < SHRUNK * largest:
            note = f"less than {SHRUNK:.0%} of what it was"
            rung = replace(rung, found=Found.AGREES, note=note)
        present = [text for suspect, text in seen.items() if name in PRESENT[suspect]]
        if present and rung.found != Found.NOT_RUN:
            rung = replace(rung, found=Found.DIFFERS, note="; ".join(present))
        elif seen and rung.found == Found.UNCLEAR and not largest:
            rung = replace(rung, found=Found.AGREES, note="what differed is taken away, and seeds never showed more")
        rungs.append(rung)
    return rungs


def _seeded(name: str, a: Evidence, b: Evidence) -> tuple[Rung, float, float]:
    """Judge test loss, accuracy and the first epoch's loss over the common seeds.

    Also returns the shift of the loss, and the largest shift inside its interval.
    """
    if name not in a.seeded or name not in b.seeded:
        return Rung(name, SUSPECTS[name], Found.NOT_RUN, note="no trainings were asked for"), 0.0, math.inf
    judged = {}
    settings = JudgeSettings(per_comparison=JudgeSettings().per_comparison / 3)  # for three figures
    for figure, better in (("loss", Better.LOWER), ("accuracy", Better.HIGHER), ("first_epoch", Better.LOWER)):
        one, other = ([number(v) for v in getattr(e.seeded[name], figure)] for e in (a, b))
        metrics = [{seed: [Metric(figure, v, Kind.SEEDED, better)] for seed, v in enumerate(v)} for v in (one, other)]
        judged[figure] = (judge_seeded(metrics[0], metrics[1], settings), one, other)
    verdicts = [finding[0] for finding, _, _ in judged.values()]
    if any(v in (Verdict.REGRESSED, Verdict.IMPROVED) for v in verdicts):
        found = Found.DIFFERS
    elif verdicts[0] == Verdict.SAME:  # accuracy comes in steps of one sample and rarely decides anything
        found = Found.AGREES
    else:
        found = Found.UNCLEAR
    (_, reason, evidence), one, other = judged["loss"]
    accuracies = judged["accuracy"][1:]
    shown = [
        f"loss {_mean(losses):.4g}, accuracy {_mean(right):.3f}"
        for losses, right in zip((one, other), accuracies, strict=True)
    ]
    largest = max(abs(x - y) for x, y in zip(one, other, strict=True))
    note = "" if found != Found.UNCLEAR else "more seeds (--seeds) would tell"
    rung = Rung(name, SUSPECTS[name], found, shown[0], shown[1], f"{reason}; one seed: up to {largest:.2g}", note)
    if evidence.low is None or evidence.high is None:
        return rung, _mean(other) - _mean(one), math.inf
    scale = abs(_mean(one)) or 1.0  # of the judge's interval
    return rung, _mean(other) - _mean(one), scale * max(abs(evidence.low), abs(evidence.high))


def _exact_rungs(a: Evidence, b: Evidence) -> list[Rung]:
    rungs = []
    for name, attribute in (("no dropout", "no_dropout"), ("same optimizer", "same_optimizer"), ("float64", "float64")):
        pairs = [
            (getattr(one, attribute), getattr(other, attribute)) for one, other in zip(a.steps, b.steps, strict=False)
        ]
        if not pairs or any(x is None or y is None for x, y in pairs):
            note = a.double or b.double or "not asked for"
            rungs.append(Rung(name, SUSPECTS[name], Found.NOT_RUN, note=note))
            continue
        rungs.append(_exact(name, pairs))
    return rungs


def _exact(name: str, pairs: Sequence[tuple[Together, Together]]) -> Rung:
    """Weights after each step, in units of the noise of rounding."""
    first = max(number(x.distance) for x, _ in pairs)
    second = max(number(y.distance) for _, y in pairs)
    gap = max(distance(x.sketch, y.sketch) for x, y in pairs)
    found = Found.DIFFERS if gap > BEYOND else Found.AGREES
    return Rung(
        name,
        SUSPECTS[name],
        found,
        _times(first, "off"),
        _times(second, "off"),
        f"{_times(gap, 'apart')}, largest of {len(pairs)} steps",
    )


# --- replay ---------------------------------------------------------------------------------------------------


def replay(a: Evidence, b: Evidence) -> tuple[list[Place], tuple[str, ...]]:
    """The places where the cells differ, in order, and where both are off alike.

    In a step: every layer alone, then the whole step (which shows only what no layer shows), then the optimizer.
    """
    places: list[Place] = []
    shared: dict[str, None] = {}
    for number_, (one, other) in enumerate(zip(a.steps, b.steps, strict=False), start=1):
        before = len(places)
        for part in ("layers", "update"):
            ones, others = getattr(one, part), getattr(other, part)
            for name in ones:
                if part == "update" and name == next(iter(ones)) and len(places) == before:
                    places += _whole(number_, one.whole, other.whole)
                place, alike = _elementwise(number_, part, name, ones[name], others.get(name))
                if alike:
                    shared[name] = None
                elif place:
                    places.append(place)
    return places, tuple(shared)


def _elementwise(step: int, part: str, name: str, a: Elementwise, b: Elementwise | None) -> tuple[Place | None, bool]:
    """The place where one array differs, if it does, and whether both are off alike."""
    if b is None:
        return None, False
    class_a, class_b = (_class(part, one) for one in (a, b))
    if class_a == class_b == ROUNDING:
        return None, False
    place = Place(step, part, name, number(a.largest), number(b.largest), class_a, class_b, a.terms)
    apart, size = distance(a.sketch, b.sketch), max(number(a.rms), number(b.rms))
    alike = math.isfinite(apart) and apart <= ALIKE * size and ROUNDING not in (class_a, class_b)
    return (None, True) if alike else (place, False)


def _class(part: str, one: Elementwise) -> str:
    """The class of an error.

    An optimizer has no inner products that could be summed in a reduced format.
    """
    found = classify(number(one.largest), one.terms)
    return found if part == "layers" or found == ROUNDING else WRONG


def _whole(step: int, a: Mapping[str, Together], b: Mapping[str, Together]) -> list[Place]:
    """The losses and gradients in which the whole step differs."""
    found = []
    for name, one in a.items():
        other = b.get(name)
        if other is None or distance(one.sketch, other.sketch) <= BEYOND:
            continue
        errors = [number(v.distance) for v in (one, other)]
        classes = [ROUNDING if e <= BEYOND else WRONG for e in errors]
        found.append(Place(step, "whole", name, errors[0], errors[1], classes[0], classes[1]))
    return found


def direct(a: Evidence, b: Evidence) -> dict[str, str]:
    """Suspects that differ without any training, beyond five standard errors."""
    found = {}
    for index, (drawn, other) in enumerate(zip(a.suspects.initial, b.suspects.initial, strict=False)):
        if abs(drawn.rms - other.rms) > math.sqrt(2) * _allowed(drawn):
            found["initial"] = f"weight {index} starts with an RMS of {drawn.rms:.4g} against {other.rms:.4g}"
            break
    one, two = a.suspects.dropout, b.suspects.dropout
    if one and two:
        if abs(one.zeros - two.zeros) > math.sqrt(2) * _share(one):
            found["dropout"] = f"dropout drops {one.zeros:.3f} against {two.zeros:.3f}"
        elif abs(one.kept - two.kept) > KEPT * one.kept:
            found["dropout"] = f"dropout scales by {one.kept:.4g} against {two.kept:.4g}"
    return found


def _allowed(drawn: Drawn) -> float:
    """Five standard errors of the RMS of uniform numbers.

    The standard deviation of their squares is sqrt(4 / 5) of the mean square.
    """
    return 5 * max(drawn.expected * math.sqrt(0.2 / drawn.count), 1e-12)


def _share(dropped: Dropped) -> float:
    """Five standard errors of the share that dropout drops."""
    return 5 * math.sqrt(dropped.rate * (1 - dropped.rate) / dropped.count)


def hints(side: Side) -> tuple[str, ...]:
    """Initial weights and dropout that are wrong by more than five standard errors."""
    told = []
    for index, drawn in enumerate(side.ladder.suspects.initial):
        if abs(drawn.rms - drawn.expected) > _allowed(drawn):
            told.append(f"{side.cell} draws weight {index} with an RMS of {drawn.rms:.4g}, not {drawn.expected:.4g}")
    if dropped := side.ladder.suspects.dropout:
        right = 1 / (1 - dropped.rate)
        if abs(dropped.zeros - dropped.rate) > _share(dropped):
            told.append(f"{side.cell} drops {dropped.zeros:.3f} where the rate is {dropped.rate}")
        if abs(dropped.kept / right - 1) > KEPT:
            told.append(f"{side.cell} scales what dropout keeps by {dropped.kept:.4g}, not {right:.4g}")
    return tuple(told)


def trajectory(a: Evidence, b: Evidence) -> tuple[float, ...]:
    """Relative distances of the losses of free-running steps, while finite."""
    found: list[float] = []
    for x, y in zip(a.free.losses, b.free.losses, strict=False):
        one, other = float(x), float(y)
        if not (math.isfinite(one) and math.isfinite(other)):
            break
        found.append(abs(one - other) / max(abs(one), abs(other), 1e-30))
    return tuple(found)


# --- switches -------------------------------------------------------------------------------------------------


def toggled(side: Side, other: Side) -> list[Toggled]:
    """What each switch of a cell does."""
    found = []
    for name, evidence in side.toggles.items():
        if isinstance(evidence, str):
            found.append(Toggled(side.cell, name, None, False, False, evidence))
            continue
        steps = len(evidence.steps)
        plain, across = _bits(side.ladder, steps), _bits(other.ladder, steps)
        bits = _bits(evidence) != plain
        equal = _bits(evidence) == across != plain
        outcome = _off(evidence) != _off(side.ladder, steps)
        found.append(Toggled(side.cell, name, bits, equal, outcome))
    return found


def _off(evidence: Evidence, steps: int | None = None) -> list[tuple[int, str, str]]:
    """Where a cell leaves the reference, as (step, quantity, class)."""
    return [
        (i, name, kind)
        for i, step in enumerate(evidence.steps[:steps])
        for part in ("layers", "update")
        for name, one in getattr(step, part).items()
        if (kind := _class(part, one)) != ROUNDING
    ]


def _bits(evidence: Evidence, steps: int | None = None) -> list[str]:
    """Digests of everything computed, of so many steps."""
    return [one.digest for step in evidence.steps[:steps] for one in step.layers.values()] + [evidence.free.digest]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan


def _times(value: float, words: str) -> str:
    return f"{value:.2g}x rounding {words}" if math.isfinite(value) else "not finite"
