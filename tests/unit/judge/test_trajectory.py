"""Losses step by step: a value on a kink, and other arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from runner.judge import Pair, judge
from runner.judge.trajectory import ALARMS, Seed, bound, chance, decisive, distance, judge_trajectories
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Status, Verdict

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.13.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
NATIVE = Cell("torch", "2.13.0", None, "3.11", "cpu")
VERSION = Pair(OLD, NEW, "version")

LOSSES = [2.3 * 0.97**step for step in range(120)]
STEPS, STARTS = 4, 8
KINK = dict.fromkeys(range(2, 120), 6e-05)
"""Two healthy cells that diverge at step 2 by 47 times what rounding explains there."""


def changed(by: Mapping[int, float], losses: Sequence[float] = LOSSES) -> list[float]:
    return [loss * (1 + by.get(step, 0.0)) for step, loss in enumerate(losses)]


def starts(by: Mapping[int, float], apart: int) -> list[float]:
    """The fresh losses of a cell of which the first so many starts are changed."""
    return [
        loss for start in range(STARTS) for loss in changed(by if start < apart else {}, LOSSES[start : start + STEPS])
    ]


def sample(cell: Cell, losses: list[float] | None, fresh: list[float] | None = None, seed: int = 0) -> Sample:
    metrics = [Metric("controlled.loss_per_step", losses, Kind.TRAJECTORY, Better.LOWER)]
    if fresh is not None:
        metrics.append(Metric("controlled.fresh_losses", fresh, Kind.INFO))
        metrics.append(Metric("controlled.fresh_steps", STEPS, Kind.EXACT))
    return Sample(cell, "", "mnist", {}, seed, seed, "host", Status.OK, "", tuple(metrics))


def judged(samples: Sequence[Sample], pair: Pair = VERSION) -> Comparison:
    (found,) = [c for c in judge(samples, [pair]) if c.metric == "controlled.loss_per_step"]
    return found


def compared(
    by: Mapping[int, float], apart: int | None = None, seeds: int = 1, healthy: int = 0, pair: Pair = VERSION
) -> Comparison:
    """Two cells of which the second is changed, but for the last ``healthy`` seeds.

    In ``apart`` fresh starts as well; None: it has no fresh starts.
    """
    samples = []
    for seed in range(seeds):
        mine = by if seed < seeds - healthy else {}
        fresh = None if apart is None else starts(by, apart)
        plain = None if apart is None else starts({}, 0)
        samples += [sample(pair.baseline, LOSSES, plain, seed), sample(pair.candidate, changed(mine), fresh, seed)]
    return judged(samples, pair)


# --- within the bound ------------------------------------------------------------------------------------------------


def test_equal_trajectories_are_bit_equal() -> None:
    found = compared({})
    assert (found.verdict, found.reason, found.evidence.classification) == (Verdict.SAME, "bit-equal", "bit-equal")
    assert (found.evidence.n, found.evidence.steps, found.evidence.effect) == (1, 120, 0.0)


def test_rounding_may_grow_with_the_steps() -> None:
    found = compared({step: 0.5 * bound(step) for step in range(120)})
    assert (found.verdict, found.evidence.classification) == (Verdict.SAME, "rounding")
    assert found.reason == "rounding: at most 0.16 apart in 120 steps"


def test_what_was_measured_between_frameworks_is_rounding() -> None:
    # largest distances up to a step between tensorflow 2.21, torch 2.13 and jax 0.10 on MNIST
    seen = {0: 1e-7, 8: 1.4e-7, 12: 1.6e-7, 15: 9e-7, 18: 3e-6, 20: 5.1e-5, 21: 1e-4, 50: 6e-4, 100: 4.8e-3}
    assert compared(seen).evidence.classification == "rounding"


@pytest.mark.parametrize(("step", "by"), [(0, 1e-5), (1, 1e-4), (5, 1e-3), (20, 1e-2), (100, 0.2)])
def test_the_first_step_that_rounding_does_not_explain_is_known(step: int, by: float) -> None:
    found = distance(LOSSES, changed(dict.fromkeys(range(step, 120), by)))
    assert (found.steps, found.diverged) == (step, True)


def test_a_figure_that_is_no_number_is_beyond_every_bound() -> None:
    found = distance(LOSSES, changed({110: math.nan}))
    assert (found.steps, found.diverged, found.gross) == (110, True, True)


# --- with fresh starts -----------------------------------------------------------------------------------------------


def test_a_kink_is_no_regression_where_fresh_starts_agree() -> None:
    found = compared(KINK, apart=0)
    assert (found.verdict, found.evidence.classification, found.evidence.steps) == (Verdict.SAME, "kink", 2)
    assert found.reason == "rounding on a kink at step 2 by 6e-05; 8 of 8 fresh starts agree bit by bit"


@pytest.mark.parametrize("apart", [1, 4])
def test_a_kink_in_some_of_the_fresh_starts_is_none_either(apart: int) -> None:
    assert compared(KINK, apart).verdict == Verdict.SAME
    found = judged([sample(OLD, LOSSES, starts({}, 0)), sample(NEW, LOSSES, starts(KINK, apart))])
    assert (found.verdict, found.evidence.classification) == (Verdict.SAME, "rounding")
    assert found.reason.endswith(f"; {STARTS - apart} of 8 fresh starts agree bit by bit, the others lie on a kink")


@pytest.mark.parametrize("apart", [5, 8])
def test_other_arithmetic_shows_in_most_of_the_fresh_starts(apart: int) -> None:
    found = compared(dict.fromkeys(range(1, 120), 0.0003), apart)
    assert (found.verdict, found.evidence.classification, found.gates) == (Verdict.REGRESSED, "diverges", True)
    assert found.reason == f"diverges in {apart} of 8 fresh starts, at step 1 by 0.0003"
    assert found.evidence.steps == 1


def test_other_arithmetic_between_frameworks_fails_the_run() -> None:
    found = compared(dict.fromkeys(range(1, 120), 0.0003), 8, pair=Pair(OLD, JAX, "framework"))
    assert (found.verdict, found.gates) == (Verdict.REGRESSED, True)


def test_the_fresh_starts_of_all_seeds_count_together() -> None:
    assert compared(KINK, apart=8, seeds=3).reason == "diverges in 24 of 24 fresh starts, at step 2 by 6e-05"


def test_fresh_starts_that_end_before_the_others_diverge() -> None:
    short = starts({}, 0)[:13]
    found = judged([sample(OLD, LOSSES, starts({}, 0)), sample(NEW, LOSSES, short)])
    assert (found.verdict, found.reason) == (
        Verdict.REGRESSED,
        "diverges in 5 of 8 fresh starts, at step 0, where one of them ends",
    )


def test_fresh_starts_without_any_finite_loss_diverge_and_missing_ones_do_not() -> None:
    found = judged([sample(OLD, LOSSES, starts({}, 0)), sample(NEW, LOSSES, [])])
    assert found.reason == "diverges in 8 of 8 fresh starts, at step 0, where one of them ends"
    assert judged([sample(OLD, LOSSES, starts({}, 0)), sample(NEW, LOSSES)]).reason == "bit-equal"


def test_a_drift_in_all_seeds_is_found_although_fresh_starts_agree() -> None:
    late = {step: 2 * bound(40) for step in range(40, 120)}
    few, many = decisive(1) - 1, decisive(1)
    assert (compared(late, 0, few).verdict, compared(late, 0, few).evidence.classification) == (Verdict.SAME, "kink")
    found = compared(late, 0, many)
    assert (found.verdict, found.evidence.classification, found.gates) == (Verdict.REGRESSED, "drift", True)
    assert found.reason == (
        f"drifts apart in {many} of {many} seeds, at step 40 by 0.02: more often than kinks explain, "
        f"though {8 * many} of {8 * many} fresh starts agree bit by bit"
    )


@pytest.mark.parametrize(("pair", "gates"), [(Pair(OLD, JAX, "framework"), False), (Pair(NATIVE, NEW, "keras"), False)])
def test_a_drift_between_two_programs_is_said_and_fails_nothing(pair: Pair, gates: bool) -> None:
    late = {step: 2 * bound(40) for step in range(40, 120)}
    found = compared(late, 0, decisive(1), pair=pair)
    assert (found.verdict, found.gates) == (Verdict.REGRESSED, gates)


def test_a_kink_in_some_seeds_is_the_same() -> None:
    found = compared(KINK, 0, seeds=8, healthy=7)
    assert (found.verdict, found.evidence.classification, found.evidence.steps) == (Verdict.SAME, "kink", 120)
    assert found.reason.startswith("rounding on a kink in 1 of 8 seeds, at step 2 by 6e-05; 64 of 64")


# --- without fresh starts --------------------------------------------------------------------------------------------


def test_one_seed_that_diverges_is_undecided() -> None:
    found = compared(KINK)
    needed = decisive(1) - 1
    assert (found.verdict, found.evidence.rounds_needed) == (Verdict.INCONCLUSIVE, needed)
    assert found.reason == (
        f"diverges at step 2 by 6e-05: other arithmetic, or a kink; {needed} more seeds would show which"
    )


def test_one_seed_that_diverges_grossly_is_a_regression() -> None:
    found = compared(dict.fromkeys(range(3, 120), 0.1))
    assert (found.verdict, found.reason) == (
        Verdict.REGRESSED,
        "diverges at step 3 by 0.09: rounding explains 2.7e-06",
    )


def test_seeds_that_all_diverge_are_a_regression() -> None:
    found = compared(KINK, seeds=decisive(1))
    assert (found.verdict, found.evidence.classification, found.gates) == (Verdict.REGRESSED, "diverges", True)


def test_a_seed_that_agrees_shows_a_kink() -> None:
    found = compared(KINK, seeds=2, healthy=1)
    assert (found.verdict, found.reason) == (
        Verdict.SAME,
        "rounding on a kink in 1 of 2 seeds, at step 2 by 6e-05; the other seeds agree",
    )


def test_training_that_stops_being_finite_diverges_there_even_if_fresh_starts_agree() -> None:
    for fresh in (None, starts({}, 0)):
        found = judged([sample(OLD, LOSSES, fresh), sample(NEW, LOSSES[:90], fresh)])
        assert (found.verdict, found.reason[:19]) == (Verdict.REGRESSED, "diverges at step 90")


def test_a_cell_without_any_loss_is_a_regression() -> None:
    found = judged([sample(OLD, LOSSES), sample(NEW, None), sample(OLD, LOSSES, seed=1), sample(NEW, LOSSES, seed=1)])
    assert (found.verdict, found.reason) == (Verdict.REGRESSED, "no finite figure any more")


def test_no_seed_in_common_compares_nothing() -> None:
    found = judged([sample(OLD, LOSSES), sample(NEW, LOSSES, seed=1)])
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARABLE, "no seed in common")


# --- cells that do not repeat themselves -----------------------------------------------------------------------------


def test_a_trajectory_that_does_not_repeat_itself_blames_nobody() -> None:
    off = changed(dict.fromkeys(range(120), 0.01))
    found = judged([sample(OLD, LOSSES), sample(OLD, off), sample(NEW, off)])
    assert (found.verdict, found.evidence.classification) == (Verdict.NOT_COMPARABLE, "nondeterministic")


def test_a_cell_that_does_not_repeat_itself_is_not_undecided() -> None:
    samples = [sample(OLD, LOSSES), sample(NEW, changed(KINK))]
    shaky = Metric("controlled.repeatable", "no", Kind.EXACT)
    found = judged([replace(one, metrics=(*one.metrics, shaky)) for one in samples])
    assert (found.verdict, found.evidence.classification) == (Verdict.NOT_COMPARABLE, "nondeterministic")


# --- the rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", range(1, 30))
def test_kinks_alone_raise_an_alarm_in_half_a_percent_at_most(seeds: int) -> None:
    first = next((k for k in range(seeds + 1) if chance(k, seeds) <= ALARMS), seeds + 1)
    assert chance(first, seeds) <= ALARMS < chance(first - 1, seeds)


def test_the_judge_takes_a_seed_at_its_first_process() -> None:
    verdict, _, evidence = judge_trajectories([Seed([LOSSES, LOSSES], [LOSSES])])
    assert (verdict, evidence.n) == (Verdict.SAME, 1)
