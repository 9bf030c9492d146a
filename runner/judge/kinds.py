"""Figures that are not timings: which judge they go to, seed by seed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from runner.judge import exact, paired, seeded
from runner.judge.exact import Ruling
from runner.judge.series import Group, Series
from runner.judge.settings import JudgeSettings
from runner.model import Evidence, Kind, Verdict

REPEATABLE = "repeatable"
"""``<case>.repeatable``: whether a cell agreed with itself when it computed the same twice in one process."""

DIGEST = "digest"
"""``<case>.digest``: of all bits of what ``<case>.error_*`` measures the errors of."""


def judge_figure(name: str, baseline: Group, candidate: Group, settings: JudgeSettings) -> Ruling:
    """Judge a metric that both groups have. The worst seed speaks for all."""
    left, right = baseline.series[name], candidate.series[name]
    if right.metric.kind == Kind.SEEDED:
        return seeded.judge_seeded(paired.by_seed(left), paired.by_seed(right), settings)
    case, _, figure = name.rpartition(".")
    if figure == REPEATABLE:
        return _repeatable(left, right)
    found = _by_seed(left, right)
    if found[0] != Verdict.REGRESSED or right.metric.kind == Kind.ERROR:
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
    plain = not isinstance(one, list) and not isinstance(other, list)
    if plain and left.constant and right.constant and left.seeds == right.seeds:  # so are most figures
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
def _alone(kind: Kind, terms: int | None, factor: float, baseline: object, candidate: object) -> Ruling:
    """Judge the only value of each cell. Most pairs of cells have the same ones."""
    return _judged(kind, terms, factor, [_fitting(kind, baseline)], [_fitting(kind, candidate)])


def _fitting(kind: Kind, value: object) -> object:
    """The value, or None for one that a figure of this kind cannot have."""
    if kind == Kind.ERROR:
        return value if isinstance(value, int | float) and abs(value) <= sys.float_info.max else None
    if kind == Kind.TRAJECTORY:
        return value if isinstance(value, list) else None
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
    if kind == Kind.TRAJECTORY:
        return exact.judge_trajectory(baseline, candidate)
    return exact.judge_exact(baseline, candidate)


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
