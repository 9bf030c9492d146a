"""Exact figures, errors and trajectories: which judge they go to, seed by seed."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from runner.judge import exact, paired, trajectory
from runner.judge.exact import Ruling
from runner.judge.series import Group, Series
from runner.model import Evidence, Kind, Verdict

REPEATABLE = "repeatable"
"""``<case>.repeatable``: whether a cell agreed with itself when it computed the same twice in one process."""

FRESH_LOSSES, FRESH_STEPS = "fresh_losses", "fresh_steps"
"""``<mode>.fresh_losses``: those of ``fresh_steps`` steps from each of several other initial weights, in one list."""

_Starts = list[Sequence[float]]

DIGEST = "digest"
"""``<case>.digest``: of all bits of what ``<case>.error_*`` measures the errors of."""


def judge_figure(name: str, baseline: Group, candidate: Group) -> Ruling:
    """Judge a metric that both groups have and that does not depend on the seed.

    Of exact figures the worst seed speaks for all.
    """
    left, right = baseline.series[name], candidate.series[name]
    case, _, figure = name.rpartition(".")
    if figure == REPEATABLE:
        return _repeatable(left, right)
    of_training = right.metric.kind == Kind.TRAJECTORY
    found = _trajectories(case, baseline, candidate, name) if of_training else _by_seed(left, right)
    if found[0] not in (Verdict.REGRESSED, Verdict.INCONCLUSIVE) or right.metric.kind == Kind.ERROR:
        return found
    unstable = [who for who, group in (("baseline", baseline), ("candidate", candidate)) if _unstable(group, case)]
    if unstable:
        reason = f"the {' and the '.join(unstable)} does not repeat itself: {found[1]}"
        return Verdict.NOT_COMPARABLE, reason, Evidence(n=found[2].n, classification=exact.NONDETERMINISTIC)
    if figure == DIGEST:
        return _explained(case, baseline, candidate) or found
    return found


def largest_error(one: Series) -> tuple[float, float] | None:
    """The largest error of a series in u, and the same as the largest of many.

    They differ where the figure is a root mean square.
    """
    errors = numbers(one)
    return (max(errors), max(errors) * scale(one.metric.name)) if errors else None


def scale(name: str) -> float:
    """The factor that makes an error figure comparable with the bounds.

    The bounds are for the largest of many errors.
    """
    return exact.RMS_TO_MAX if "rms" in name.rpartition(".")[2] else 1.0


def numbers(one: Series) -> list[float]:
    """The values that are numbers."""
    return one.numbers


def _by_seed(left: Series, right: Series) -> Ruling:
    kind = right.metric.kind
    one, other = left.metric.value, right.metric.value
    constant = left.constant and right.constant and left.seeds == right.seeds  # so are most figures
    if constant and not isinstance(one, list) and not isinstance(other, list):
        return _alone(kind, right.metric.terms, scale(right.metric.name), one, other)
    before, after = paired.by_seed(left), paired.by_seed(right)
    seeds = sorted(before.keys() & after.keys())
    if not seeds:
        return Verdict.NOT_COMPARABLE, "no seed in common", Evidence()
    return exact.worst(
        _values(right, [_fitting(kind, m.value) for m in before[s]], [_fitting(kind, m.value) for m in after[s]])
        for s in seeds
    )


@lru_cache(maxsize=4096, typed=True)
def _alone(kind: Kind, terms: int | None, factor: float, baseline: Hashable, candidate: Hashable) -> Ruling:
    """Judge the only value of each cell. Most pairs of cells have the same ones."""
    return _judged(kind, terms, factor, [_fitting(kind, baseline)], [_fitting(kind, candidate)])


def _fitting(kind: Kind, value: object) -> object:
    """The value, or None for one that a figure of this kind cannot have."""
    if kind == Kind.ERROR:
        return value if isinstance(value, int | float) and abs(value) <= sys.float_info.max else None
    return value


def _values(one: Series, baseline: Sequence[Any], candidate: Sequence[Any]) -> Ruling:
    """Judge what the processes of two cells gave for one seed.

    None stands for a figure that was not finite.
    """
    return _judged(one.metric.kind, one.metric.terms, scale(one.metric.name), baseline, candidate)


def _judged(kind: Kind, terms: int | None, factor: float, baseline: Sequence[Any], candidate: Sequence[Any]) -> Ruling:
    if any(value is None for value in (*baseline, *candidate)):
        return exact.judge_missing(baseline, candidate)
    if kind == Kind.ERROR:
        return exact.judge_error(baseline, candidate, terms, factor)
    return exact.judge_exact(baseline, candidate)


def _trajectories(case: str, baseline: Group, candidate: Group, name: str) -> Ruling:
    """Judge all seeds in common together.

    A cell without any figure for one of them is judged by that.
    """
    before, after = _losses(baseline, name), _losses(candidate, name)
    starts = _starts(case, baseline), _starts(case, candidate)
    whole, missing = [], []
    for seed in sorted(before.keys() & after.keys()):
        runs = before[seed], after[seed]
        if any(losses is None for losses in (*runs[0], *runs[1])):
            missing.append(exact.judge_missing(*runs))
        else:
            whole.append(trajectory.Seed(*runs, _matched(*(one.get(seed) for one in starts))))
    if any(found[0] == Verdict.REGRESSED for found in missing) or (missing and not whole):
        return exact.worst(missing)
    if not whole:
        return Verdict.NOT_COMPARABLE, "no seed in common", Evidence()
    return trajectory.judge_trajectories(whole)


def _losses(group: Group, name: str) -> dict[int, list[Any]]:
    """The losses of each process by seed.

    None stands for a figure that was not finite.
    """
    found = paired.by_seed(group.series[name]).items()
    return {seed: [m.value if isinstance(m.value, list) else None for m in metrics] for seed, metrics in found}


def _starts(case: str, group: Group) -> dict[int, _Starts]:
    """The losses of each fresh start of a seed's first process.

    A start has none where training ended earlier.
    """
    losses, steps = (group.series.get(f"{case}.{figure}") for figure in (FRESH_LOSSES, FRESH_STEPS))
    if losses is None or steps is None:
        return {}
    each = {seed: metrics[0].value for seed, metrics in paired.by_seed(steps).items()}
    return {
        seed: [values[i : i + step] for i in range(0, len(values), step)]
        for seed, metrics in paired.by_seed(losses).items()
        if isinstance(values := metrics[0].value, list) and isinstance(step := each.get(seed), int) and step > 0
    }


def _matched(one: _Starts | None, other: _Starts | None) -> list[tuple[Sequence[float], Sequence[float]]]:
    """Both cells' fresh starts. None where only one cell reports them."""
    return [] if one is None or other is None else list(zip_longest(one, other, fillvalue=()))


def _repeatable(left: Series, right: Series) -> Ruling:
    n = min(len(left.points), len(right.points))
    unstable = [who for who, one in (("baseline", left), ("candidate", right)) if not _all_yes(one)]
    if unstable:
        reason = f"the {' and the '.join(unstable)} does not repeat itself"
        return Verdict.NOT_COMPARABLE, reason, Evidence(n=n, classification=exact.NONDETERMINISTIC)
    return Verdict.SAME, "both repeat themselves", Evidence(n=n, classification="bit-equal")


def _unstable(group: Group, case: str) -> bool:
    one = group.series.get(f"{case}.{REPEATABLE}")
    return one is not None and not _all_yes(one)


def _all_yes(one: Series) -> bool:
    return all(value in ("yes", 1) for value in one.values)


def _explained(case: str, baseline: Group, candidate: Group) -> Ruling | None:
    """Judge other bits of a case by its errors, or None without errors.

    Rounding does not count as a change.
    """
    found = [
        _by_seed(one, candidate.series[name])
        for name, one in baseline.errors.items()
        if name.startswith(f"{case}.") and name in candidate.series
    ]
    if not found:
        return None
    verdict, reason, evidence = exact.worst(found)
    return verdict, f"other bits, {reason}", evidence
