"""Trajectories: the losses of two cells, step by step, from equal weights.

Rounding grows in training, and not evenly. Where a value lies on a kink (a ReLU at zero, two equal values in a
maximum), rounding decides on which side it falls, and two healthy cells diverge. That happens in few of several
starts; other arithmetic shows in all of them. So no single start decides, unless it diverges by more than a kink
explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median_low

from runner.judge.exact import NONDETERMINISTIC, ROUNDING, Ruling
from runner.model import Evidence, Verdict

FIRST, EARLY, LATE, LATE_FROM = 1e-6, 1.4, 1.05, 3e-3
"""Growth of rounding in training, measured on 186 Adam steps of a convolutional network from equal weights between
six releases of tensorflow, torch and jax. Where no kink is met early, two losses are at most 2.4e-7 apart up to step 5,
8e-6 up to 13, 1.1e-4 up to 20, 9e-3 up to 50, 0.033 up to 100 and 0.2 up to 185. The bound lies 1.4 to 10 times above;
bench/judge/trajectory_rates.py counts what goes beyond it."""

GROSS, GROSS_MULTIPLE = 1e-3, 5.0
"""Healthy cells diverge by less than this, or by less than so many times the bound.

On recorded kinks it was at most 2e-4."""

KINK_RATE = 0.25
"""The largest share of seeds in which two healthy cells diverge within 186 steps."""

ALARMS = 0.001
"""The chance at which more seeds diverge than kinks explain. Over all looks of twenty rounds it is 0.3 %."""

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
    diverged: bool
    """Whether the next one does not."""
    relative: float
    """The distance there, or else the largest one: relative, infinite where one trajectory ends."""

    @property
    def gross(self) -> bool:
        """Whether they diverge by more than a kink explains."""
        return self.diverged and not self.relative <= max(GROSS, GROSS_MULTIPLE * bound(self.steps))


@lru_cache(maxsize=4096)
def bound(step: int) -> float:
    """Relative deviation that rounding explains after ``step`` training steps.

    ``step`` 0: none yet. 1 where rounding explains any.

    >>> [float(f"{bound(step):.1g}") for step in (0, 10, 20, 100, 180)]
    [1e-06, 3e-05, 0.0008, 0.1, 1.0]
    """
    return min(1.0, FIRST * EARLY**step, LATE_FROM * LATE ** (step - 20))


def distance(a: Losses, b: Losses) -> Distance:
    """How long two trajectories agree, and how far apart they are.

    One that ends early diverges there.
    """
    largest = 0.0
    for step, (x, y) in enumerate(zip(a, b, strict=False)):
        if x == y or (x != x and y != y):  # NaN is not itself
            continue
        relative = abs(x - y) / max(abs(x), abs(y))
        if not relative <= FIRST and not relative <= bound(step):  # the bound is nowhere below FIRST
            return Distance(step, True, relative)
        if relative > largest:
            largest = relative
    if len(a) != len(b):
        return Distance(min(len(a), len(b)), True, math.inf)
    return Distance(len(a), False, largest)


def chance(diverged: int, seeds: int) -> float:
    """The chance that healthy cells diverge in so many of the seeds or more.

    >>> chance(0, 3), round(chance(3, 3), 6)
    (1.0, 0.015625)
    """
    each = (math.comb(seeds, k) * KINK_RATE**k * (1 - KINK_RATE) ** (seeds - k) for k in range(diverged, seeds + 1))
    return min(1.0, math.fsum(each))


def decisive(seeds: int) -> int:
    """How many diverging seeds it takes until kinks do not explain them."""
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
    diverged, anew = [one for one in long if one.diverged], [one for one in fresh if one.diverged]
    if 2 * len(anew) > len(fresh):
        first = _middle(anew)
        reason = f"diverges in {len(anew)} of {len(fresh)} fresh starts, {_at(first)}"
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=DIVERGES)
    if gross := [one for one in diverged if one.gross]:
        first = min(gross, key=lambda one: one.steps)
        reason = f"diverges {_at(first)}: rounding explains {bound(first.steps):.2g}"
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=DIVERGES)
    if not diverged:
        return _alike(long, fresh)
    first, agree = _middle(diverged), _agree(fresh)
    where = f"in {len(diverged)} of {len(long)} seeds, {_at(first)}" if len(long) > 1 else _at(first)
    if chance(len(diverged), len(long)) <= ALARMS:
        reason = f"drifts apart {where}: more often than kinks explain" + (f", though {agree}" if agree else "")
        return Verdict.REGRESSED, reason, Evidence(effect=first.relative, classification=DRIFT if fresh else DIVERGES)
    if len(diverged) == len(long) and not fresh:
        more = decisive(len(long)) - len(long)
        reason = f"diverges {where}: other arithmetic, or a kink; {more} more {_seeds(more)} would show which"
        return Verdict.INCONCLUSIVE, reason, Evidence(effect=first.relative, rounds_needed=more)
    reason = f"rounding on a kink {where}; {agree or 'the other seeds agree'}"
    return Verdict.SAME, reason, Evidence(effect=first.relative, classification=KINK)


def _alike(long: Sequence[Distance], fresh: Sequence[Distance]) -> Ruling:
    """Judge trajectories that stay within the bound."""
    largest = max(one.relative for one in (*long, *(one for one in fresh if not one.diverged)))
    if not largest and not any(one.diverged for one in fresh):
        return Verdict.SAME, BIT_EQUAL, Evidence(effect=0.0, classification=BIT_EQUAL)
    shown = f"{max(one.steps for one in long)} steps" + (f" of {len(long)} seeds" if len(long) > 1 else "")
    reason = f"rounding: at most {largest:.2g} apart in {shown}"
    if any(one.diverged for one in fresh):
        reason += f"; {_agree(fresh)}, the others lie on a kink"
    return Verdict.SAME, reason, Evidence(effect=largest, classification=ROUNDING)


def _disagree(cells: Sequence[Sequence[Losses]]) -> Distance | None:
    """Where two processes of one cell diverge that had the same seed, or None."""
    found = (distance(runs[0], other) for runs in cells for other in runs[1:])
    return next((one for one in found if one.diverged), None)


def _agree(fresh: Sequence[Distance]) -> str:
    """How many fresh starts agree, and how well. Empty without any."""
    same = [one for one in fresh if not one.diverged]
    if not same:
        return ""
    largest = max(one.relative for one in same)
    return f"{len(same)} of {len(fresh)} fresh starts agree {f'to {largest:.1g}' if largest else 'bit by bit'}"


def _middle(diverged: Sequence[Distance]) -> Distance:
    """The distance that speaks for several: the middle one."""
    ordered = sorted(diverged, key=lambda one: (one.steps, one.relative))
    return ordered[(len(ordered) - 1) // 2]


def _at(one: Distance) -> str:
    if one.relative == math.inf:
        return f"at step {one.steps}, where one of them ends"
    if math.isnan(one.relative):
        return f"at step {one.steps}, where one of them is not finite"
    return f"at step {one.steps} by {one.relative:.1g}"


def _seeds(count: int) -> str:
    return "seed" if count == 1 else "seeds"
