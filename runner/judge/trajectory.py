"""Trajectories: the losses of each training step of two cells that start from equal weights and data.

Rounding grows in training, and not evenly. Where a value lies on a kink (a ReLU at zero, two equal values in a
maximum), rounding decides on which side it falls, and two healthy cells part. That happens in few of several starts;
other arithmetic shows in all of them. So no single start decides, unless it parts by more than a kink explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from runner.judge.exact import NONDETERMINISTIC, ROUNDING, Ruling
from runner.model import Evidence, Verdict

FIRST, EARLY, LATE, LATE_FROM = 1e-6, 1.4, 1.05, 1e-3
"""Growth of rounding in training, measured on 186 Adam steps of a convolutional network from equal weights, on
tensorflow 2.21, torch 2.2 and 2.13 and jax 0.10 (every pair of them): two losses are at most 1.6e-7 apart in the
first 13 steps; then a rounding tips a ReLU or a maximum the other way, which brings up to 5e-5 by step 20; from
there the distance grows by 5 % a step at most (6e-4 at 50, 5e-3 at 100, 3.6e-2 at 150). The bound lies 5 to 20
times above."""

GROSS = 1e-2
"""Where healthy cells part, they are less than this apart, or less than ``GROSS_MULTIPLE`` bounds."""
GROSS_MULTIPLE = 5.0

KINK_RATE = 0.2
"""The share of seeds in which two healthy cells part within 186 steps."""

ALARMS = 0.005
"""The chance at which so many of the seeds part that kinks do not explain it."""

BIT_EQUAL, KINK, DIVERGES, DRIFT = "bit-equal", "kink", "diverges", "drift"

Losses = Sequence[float]


@dataclass(frozen=True, slots=True)
class Seed:
    """What the processes of two cells reported for one seed."""

    baseline: Sequence[Losses]
    """The losses of each process."""
    candidate: Sequence[Losses]
    starts: Sequence[tuple[Losses, Losses]] = ()
    """Baseline and candidate: the losses of a few steps from each of several other weights."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two trajectories are apart."""

    steps: int
    """How many steps agree."""
    parted: bool
    """Whether the next one does not."""
    relative: float
    """The distance there, or else the largest one: relative, infinite where one trajectory ends."""

    @property
    def gross(self) -> bool:
        """Whether they part by more than a kink explains."""
        return self.parted and not self.relative <= max(GROSS, GROSS_MULTIPLE * bound(self.steps))


def bound(step: int) -> float:
    """Relative deviation that rounding explains after ``step`` training steps.

    ``step`` 0: none yet. 1 where rounding explains any.

    >>> [float(f"{bound(step):.1g}") for step in (0, 10, 20, 100, 180)]
    [1e-06, 3e-05, 0.0008, 0.05, 1.0]
    """
    return min(1.0, FIRST * EARLY**step, LATE_FROM * LATE ** (step - 20))


def distance(a: Losses, b: Losses) -> Distance:
    """How long two trajectories agree, and how far apart they are. One that ends early parts there."""
    largest = 0.0
    for step, (x, y) in enumerate(zip(a, b, strict=False)):
        if x == y or (x != x and y != y):  # NaN is not itself
            continue
        relative = abs(x - y) / max(abs(x), abs(y))
        if not relative <= bound(step):
            return Distance(step, True, relative)
        largest = max(largest, relative)
    if len(a) != len(b):
        return Distance(min(len(a), len(b)), True, math.inf)
    return Distance(len(a), False, largest)


def chance(parted: int, seeds: int) -> float:
    """The chance that kinks part two healthy cells in so many of the seeds or more.

    >>> chance(0, 3), round(chance(3, 3), 6)
    (1.0, 0.008)
    """
    each = (math.comb(seeds, k) * KINK_RATE**k * (1 - KINK_RATE) ** (seeds - k) for k in range(parted, seeds + 1))
    return min(1.0, math.fsum(each))


def decisive(seeds: int) -> int:
    """How many seeds it takes, if all so far part, until kinks do not explain it."""
    return next(n for n in range(seeds, seeds + 100) if chance(n, n) <= ALARMS)


def judge_trajectories(seeds: Sequence[Seed]) -> Ruling:
    """Judge all seeds that two cells have in common. At least one is needed."""
    n = len(seeds)
    for who, cells in (("baseline", [s.baseline for s in seeds]), ("candidate", [s.candidate for s in seeds])):
        if said := _disagree(cells):
            reason = f"runs of the {who} disagree at step {said.steps}, by {said.relative:.2g}"
            return Verdict.NOT_COMPARABLE, reason, Evidence(n=n, classification=NONDETERMINISTIC)
    long = [distance(seed.baseline[0], seed.candidate[0]) for seed in seeds]
    fresh = [distance(*start) for seed in seeds for start in seed.starts]
    verdict, reason, evidence = _ruling(long, fresh)
    return verdict, reason, replace(evidence, n=n, steps=median_low(one.steps for one in long))


def _ruling(long: Sequence[Distance], fresh: Sequence[Distance]) -> Ruling:
    parted, anew = [one for one in long if one.parted], [one for one in fresh if one.parted]
    if 2 * len(anew) > len(fresh):
        first = _middle(anew)
        reason = f"parts in {len(anew)} of {len(fresh)} fresh starts, {_at(first)}"
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=DIVERGES)
    if gross := [one for one in parted if one.gross]:
        first = min(gross, key=lambda one: one.steps)
        reason = f"diverges {_at(first)}: rounding explains {bound(first.steps):.2g}"
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=DIVERGES)
    if not parted:
        return _alike(long, fresh)
    first, all_of_them = _middle(parted), len(parted) == len(long)
    where = f"in {len(parted)} of {len(long)} seeds, {_at(first)}" if len(long) > 1 else _at(first)
    agree = _agree(fresh)
    if chance(len(parted), len(long)) <= ALARMS:
        name = DRIFT if fresh else DIVERGES
        reason = f"drifts apart {where}: more often than rounding explains" + (f", though {agree}" if fresh else "")
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=name)
    evidence = Evidence(effect=first.relative, classification=KINK)
    if all_of_them and not fresh:
        needed = decisive(len(long)) - len(long)
        reason = f"parts {where}: a kink or other arithmetic; {needed} more seed{'s' * (needed > 1)} would show which"
        return Verdict.INCONCLUSIVE, reason, replace(evidence, classification="", rounds_needed=needed)
    reason = f"parts {where}, as rounding on a kink does; {agree or 'the other seeds agree'}"
    return Verdict.SAME, reason, evidence


def _alike(long: Sequence[Distance], fresh: Sequence[Distance]) -> Ruling:
    """Judge trajectories that stay within the bound."""
    largest = max(one.relative for one in (*long, *(one for one in fresh if not one.parted)))
    if not largest and not any(one.parted for one in fresh):
        return Verdict.SAME, BIT_EQUAL, Evidence(effect=0.0, classification=BIT_EQUAL)
    shown = f"{max(one.steps for one in long)} steps" + (f" of {len(long)} seeds" if len(long) > 1 else "")
    reason = f"rounding: at most {largest:.2g} apart in {shown}"
    return Verdict.SAME, reason, Evidence(effect=largest, classification=ROUNDING)


def _disagree(cells: Sequence[Sequence[Losses]]) -> Distance | None:
    """Where two processes of one cell part that had the same seed. None where none do."""
    found = (distance(runs[0], other) for runs in cells for other in runs[1:])
    return next((one for one in found if one.parted), None)


def _agree(fresh: Sequence[Distance]) -> str:
    """How many fresh starts agree, and how well. Empty without any."""
    same = [one for one in fresh if not one.parted]
    if not same:
        return ""
    largest = max(one.relative for one in same)
    return f"{len(same)} of {len(fresh)} fresh starts agree {f'to {largest:.1g}' if largest else 'bit by bit'}"


def _middle(parted: Sequence[Distance]) -> Distance:
    """The distance that speaks for several: the middle one of those that part."""
    ordered = sorted(parted, key=lambda one: (one.steps, one.relative))
    return ordered[(len(ordered) - 1) // 2]


def _at(one: Distance) -> str:
    if one.relative == math.inf:
        return f"at step {one.steps}, where one of them ends"
    return f"at step {one.steps} by {one.relative:.1g}"
