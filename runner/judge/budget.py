"""Which cells are measured once more, where measuring time is limited. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from runner.judge.conclusion import RoundPlan
from runner.model import Comparison, Sample, Verdict

MOST_ROUNDS = 20
"""Rounds that a run with a budget takes at most, where the user does not say."""

_OPEN = (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE, Verdict.NO_BASELINE)


@dataclass(frozen=True, slots=True)
class Further:
    """How many rounds follow the first ones of a run, and of which cells."""

    most: int = 0
    """Rounds at most, the first ones included; 0: none follow."""
    budget_s: float | None = None
    """Measuring time for headline figures, that of the first rounds included; infinity: no limit. None: all undecided
    timings get further rounds, however long they take."""


Side = tuple[str, str]
"""A cell's id and a probe."""


def spent(samples: Iterable[Sample]) -> float:
    """The measuring time of the samples: the seconds that their processes took."""
    return sum(sample.wall_s for sample in samples)


def decided(comparison: Comparison) -> bool:
    """Whether a comparison has a verdict."""
    return comparison.verdict not in _OPEN


def next_round(
    samples: Sequence[Sample],
    comparisons: Sequence[Comparison],
    headline: Callable[[Comparison], bool],
    left_s: float,
    most: int,
) -> RoundPlan:
    """Which cells take one more round, and the rounds that a lagging cell takes first.

    The cells are both sides of the undecided ``headline`` comparisons that can be decided within ``most`` rounds and
    ``left_s`` seconds: those that can fail the run first, then the cheapest. A comparison costs the rounds that it
    needs on both sides; a process that serves two comparisons costs once. Each cell is asked for one round, so that
    the next decision rests on all that was measured.

    Empty where nothing can be decided any more.
    """
    taken = Counter((sample.cell.id, sample.probe) for sample in samples)
    wall = _seconds_per_process(samples)
    lost = {(sample.cell.id, sample.probe) for sample in samples if not sample.status.about_cell}
    due: list[tuple[bool, float, dict[Side, int]]] = []
    for comparison in comparisons:
        needed = comparison.evidence.rounds_needed
        if comparison.verdict != Verdict.INCONCLUSIVE or needed is None or not headline(comparison):
            continue
        sides = [(cell, comparison.probe) for cell in (comparison.baseline, comparison.candidate)]
        if lost.intersection(sides):  # this machine could not measure it: it is not asked in every round
            continue
        goal = _goal(min(taken[side] for side in sides), max(taken[side] for side in sides), needed)
        if goal is None or goal > most:
            continue
        rounds = {side: goal - taken[side] for side in sides}
        due.append((not comparison.gates, sum(count * wall[side] for side, count in rounds.items()), rounds))
    promised: RoundPlan = {}
    chosen: list[Sequence[Side]] = []
    for _, _, rounds in sorted(due, key=lambda one: one[:2]):
        price = sum(max(0, count - promised.get(side, 0)) * wall[side] for side, count in rounds.items())
        if price <= left_s:
            left_s -= price
            promised |= {side: max(count, promised.get(side, 0)) for side, count in rounds.items()}
            chosen.append(tuple(rounds))
    return _one_more(chosen, taken)


def _seconds_per_process(samples: Iterable[Sample]) -> dict[Side, float]:
    walls: dict[Side, list[float]] = {}
    for sample in samples:
        walls.setdefault((sample.cell.id, sample.probe), []).append(sample.wall_s)
    return {side: fmean(some) for side, some in walls.items()}


def _goal(behind: int, ahead: int, needed: int) -> int | None:
    """The round after which a comparison should be decided, or None.

    None where more rounds do not decide it. A side that lags takes the rounds that it lacks alone. The judge accepts
    them as up to a quarter of the rounds that follow each other (see ``paired``); one of them disturbs nothing.
    """
    goal = max(ahead + 1, behind + needed)
    lag = ahead - behind
    return None if 4 * (lag - 1) > goal - 1 else goal


def _one_more(chosen: Iterable[Sequence[Side]], taken: Counter[Side]) -> RoundPlan:
    """One round for both sides, after the rounds that one of them lacks."""
    plan: RoundPlan = {}
    for sides in chosen:
        level = max(taken[side] for side in sides) + 1
        plan |= {side: max(plan.get(side, 0), level - taken[side]) for side in sides}
    return plan
