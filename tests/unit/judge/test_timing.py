"""Timings and seeded figures: the exact test, its looks, what is left out, and what a sentence says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.judge import JudgeSettings, Pair, calibration, judge, more_rounds, ranks
from runner.judge.seeded import student_quantile, student_tail
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Status, Verdict

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.13.0", "3.11.3", "3.11", "cpu")
VERSION = Pair(OLD, NEW, "version")
FIXED = JudgeSettings(sequential=False)


def sample(cell: Cell, number: int, *metrics: Metric, started: str = "", quiet: bool = True) -> Sample:
    made = Sample(cell, "", "mnist", {}, number, number, "host", Status.OK, "", metrics)
    return replace(made, started=started, quiet=quiet)


def step(value: Any, better: Better = Better.LOWER) -> Metric:
    return Metric("step_s", value, Kind.TIMING, better, "s")


def series(ratios: Sequence[float], better: Better = Better.LOWER) -> list[Sample]:
    """Rounds whose log-ratios are given."""
    made = [sample(OLD, r, step(0.01, better)) for r in range(len(ratios))]
    return made + [sample(NEW, r, step(0.01 * math.exp(d), better)) for r, d in enumerate(ratios)]


def verdict(samples: Sequence[Sample], settings: JudgeSettings = FIXED) -> Comparison:
    (found,) = [c for c in judge(samples, [VERSION], (), settings) if c.candidate == NEW.id and c.metric == "step_s"]
    return found


def noisy(shift: float, n: int = 20, spread: float = 0.02, seed: int = 1) -> list[float]:
    return list(np.random.default_rng(seed).normal(shift, spread, n))


# --- the statistics --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("winsorised", [False, True])
def test_the_signed_rank_distribution_is_that_of_all_sign_patterns(n: int, winsorised: bool) -> None:
    most = math.ceil(n / 2) if winsorised else n
    sums = [sum(min(r + 1, most) for r in range(n) if signs[r]) for signs in product([0, 1], repeat=n)]
    for w, p in enumerate(ranks.tail(n, winsorised=winsorised)):
        assert p == pytest.approx(sum(s >= w for s in sums) / 2**n)


def test_one_slow_spell_does_not_hide_a_change() -> None:
    """The largest differences, however large, have no larger say than the middle one."""
    shifted = np.array([0.05 + 0.004 * i for i in range(10)])
    hit = np.concatenate([shifted, [-5.0, -5.1]])
    found = ranks.signed_rank(np.stack([hit, -hit]), np.array([0.05, 0.05]), 0.05)
    scores = [1, 2, 3, 4, 5, *[6] * 7]
    as_large = sum(
        sum(s for s, sign in zip(scores, signs, strict=True) if sign) >= 45 for signs in product([0, 1], repeat=12)
    )
    assert found.p_up[0] == found.p_down[1] == pytest.approx(as_large / 2**12)
    assert found.p_up[0] < 0.04 < ranks.tail(12)[55], "Wilcoxon's ranks give the two a say of 23 in 78"


def test_ranked_figures_agree_with_those_by_hand() -> None:
    d = np.array([[1.0, 2.0, 4.0]])
    found = ranks.signed_rank(d, np.array([10.0]), 0.125)
    # Walsh averages: 1 1.5 2 2.5 3 4
    assert (found.shift[0], found.low[0], found.high[0]) == (2.25, 1.0, 4.0)
    assert (found.p_up[0], found.p_down[0], found.p_same[0]) == (0.125, 1.0, 0.125)


def test_ties_and_zeros_never_help_to_reject() -> None:
    zeros = ranks.signed_rank(np.zeros((1, 10)), np.array([1.0]), 0.01)
    assert (zeros.p_up[0], zeros.p_down[0]) == (1.0, 1.0)
    tied = ranks.signed_rank(np.array([[1.0, 1.0, 1.0, 1.0, -1.0]]), np.array([1.0]), 0.01)
    # scores 1 2 3 3 3; the tied negative gets a 3, so 9 is reached, by it and 6 more of the 32 patterns
    assert tied.p_up[0] == 7 / 32
    assert ranks.signed_rank(-np.array([[1.0, 1.0, 1.0, 1.0, -1.0]]), np.array([1.0]), 0.01).p_down[0] == 7 / 32


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-0.5, 0.5))
def test_the_interval_holds_just_the_shifts_that_the_test_does_not_reject(ratios: list[float], margin: float) -> None:
    d, level = np.array([ratios]), 0.05
    found = ranks.signed_rank(d, np.array([abs(margin)]), level)
    inside = -abs(margin) < found.low[0] and found.high[0] < abs(margin)
    assert (found.p_same[0] <= level) == inside


def test_many_rounds_are_thinned_without_losing_the_effect() -> None:
    d = np.random.default_rng(0).normal(0.1, 0.05, (2, 1013))
    found = ranks.signed_rank(d, np.array([0.05, 0.05]), 0.05)
    assert found.shift == pytest.approx([0.1, 0.1], abs=0.005)


def test_holm_is_the_published_one() -> None:
    assert ranks.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(
    ("tail", "df", "t"),
    [(0.025, 1, 12.706), (0.025, 2, 4.303), (0.005, 5, 4.032), (0.05, 10, 1.812), (0.01, 19, 2.539)],
)
def test_students_t_is_that_of_the_tables(tail: float, df: int, t: float) -> None:
    assert student_quantile(tail, df) == pytest.approx(t, abs=5e-4)
    assert student_tail(t, df) == pytest.approx(tail, rel=2e-3)


@pytest.mark.parametrize("rounds", [1, 5, 6, 7, 10, 20, 33, 100])
def test_all_of_alpha_is_spent_over_the_looks_and_no_more(rounds: int) -> None:
    settings = JudgeSettings(max_rounds=rounds)
    assert settings.looks[-1] == rounds
    assert sorted(set(settings.looks)) == list(settings.looks)
    shares = settings.spent(1.5)
    assert len(shares) == len(settings.exact_looks) == len(settings.exact_shares)
    assert sum(shares) == pytest.approx(1.0)
    assert sum(settings.early_shares) + sum(settings.exact_shares) == pytest.approx(1.0)
    assert len(settings.early_shares) == len(settings.early_looks)
    assert sum(settings.exact_shares) > 0.9, "the exact tests keep nearly all of it"
    assert min(*shares, *settings.exact_shares, *settings.early_shares, 1.0) > 0


@pytest.mark.parametrize(
    ("rounds", "looks", "at_once"),
    [(1, (1,), ()), (2, (2,), ()), (3, (3,), (3,)), (4, (3, 4), (4,)), (5, (3, 5), (5,)), (7, (3, 5, 7), (7,))],
)
def test_short_runs_look_early_and_at_their_end(rounds: int, looks: tuple[int, ...], at_once: tuple[int, ...]) -> None:
    assert JudgeSettings(max_rounds=rounds).looks == looks
    assert JudgeSettings(max_rounds=rounds, sequential=False).early_looks == at_once


def test_long_runs_in_one_look_leave_all_of_alpha_to_the_exact_test() -> None:
    assert (FIXED.early_looks, FIXED.exact_shares) == ((), (1.0,))


def test_false_alarms_of_a_sequential_run_stay_within_alpha_without_any_floor() -> None:
    draw = np.random.default_rng(5)
    settings = JudgeSettings(alpha=0.05, per_comparison=0.05, floor=0.0)
    alarms = 0
    for _ in range(400):
        ratios = list(draw.standard_t(2, 20) * 0.1)  # heavy tails: no normal test would keep its level
        alarms += any(
            verdict(series(ratios[:n]), settings).verdict in (Verdict.REGRESSED, Verdict.IMPROVED)
            for n in settings.looks
        )
    assert alarms <= 0.05 * 400 + 2 * math.sqrt(400 * 0.05 * 0.95)


def test_a_look_that_was_only_begun_decides_nothing() -> None:
    settings = JudgeSettings(max_rounds=20)
    clear = noisy(0.0, n=20, spread=0.001)
    assert verdict(series(clear[:8]), settings).verdict == Verdict.SAME
    begun = verdict(series(clear[:7]), settings)
    assert (begun.verdict, begun.evidence.n, begun.evidence.p) == (Verdict.INCONCLUSIVE, 7, 1.0)
    assert begun.evidence.effect == pytest.approx(0.0, abs=0.001)


def test_a_round_that_does_not_count_still_completes_its_look() -> None:
    samples = [replace(s, quiet=s.round != 7) for s in series(noisy(0.0, n=8, spread=0.001))]
    assert verdict(samples, JudgeSettings(max_rounds=20)).verdict == Verdict.SAME


def test_rounds_of_an_earlier_decision_stay_decided() -> None:
    ratios = [*noisy(0.0, n=8, spread=0.001), 0.3, -0.3, 0.3]
    found = verdict(series(ratios), JudgeSettings(max_rounds=20))
    assert (found.verdict, found.evidence.n) == (Verdict.SAME, 11)
    assert found.evidence.high is not None
    assert found.evidence.high < 0.01, "the interval is that of the look which has shown it"


# --- verdicts --------------------------------------------------------------------------------------------------------


def test_a_change_beyond_the_floor_is_found_and_goes_with_the_direction() -> None:
    assert verdict(series(noisy(0.1))).verdict == Verdict.REGRESSED
    assert verdict(series(noisy(-0.1))).verdict == Verdict.IMPROVED
    assert verdict(series(noisy(0.1), Better.HIGHER)).verdict == Verdict.IMPROVED
    assert verdict(series(noisy(-0.1), Better.HIGHER)).verdict == Verdict.REGRESSED


def test_the_evidence_is_what_the_verdict_rests_on() -> None:
    found = verdict(series(noisy(0.1)))
    e = found.evidence
    assert e.effect is not None and e.low is not None and e.high is not None and e.p is not None  # noqa: PT018
    assert e.low < e.effect < e.high
    assert e.effect == pytest.approx(math.expm1(0.1), abs=0.02)
    assert (e.n, e.floor, e.rounds_needed) == (20, 0.05, None)
    assert e.p_adjusted == pytest.approx(e.p * FIXED.alpha / FIXED.per_comparison)


def test_same_means_shown_to_lie_within_the_floor() -> None:
    found = verdict(series(noisy(0.01)))
    assert found.verdict == Verdict.SAME
    assert found.evidence.low is not None and found.evidence.high is not None  # noqa: PT018
    assert -0.05 < found.evidence.low < found.evidence.high < 0.05


def test_a_sure_change_below_the_floor_is_the_same() -> None:
    assert verdict(series(noisy(0.03, spread=0.005))).verdict == Verdict.SAME


def test_noise_is_inconclusive_and_says_how_much_more_it_takes() -> None:
    found = verdict(series(noisy(0.0, n=10, spread=0.15, seed=3)))
    assert found.verdict == Verdict.INCONCLUSIVE
    assert (found.evidence.rounds_needed or 0) > 10
    assert f"about {found.evidence.rounds_needed} more rounds" in found.reason


def test_the_rounds_it_says_it_needs_are_about_those_it_needs() -> None:
    judged = [verdict(series(noisy(0.0, n=12, spread=0.1, seed=seed))) for seed in range(30)]
    needed = sorted(c.evidence.rounds_needed or 0 for c in judged if c.verdict == Verdict.INCONCLUSIVE)
    total = 12 + needed[len(needed) // 2]
    for rounds, enough in ((total, True), (total // 4, False)):
        decided = [verdict(series(noisy(0.0, n=rounds, spread=0.1, seed=seed))).verdict for seed in range(30)]
        assert (decided.count(Verdict.SAME) >= 0.8 * 30) == enough


def test_one_outlier_changes_nothing() -> None:
    assert verdict(series([*noisy(0.0, n=19), 3.0])).verdict == Verdict.SAME
    assert verdict(series([*noisy(0.1, n=19), -3.0])).verdict == Verdict.REGRESSED


def test_noise_of_the_cell_itself_raises_the_floor() -> None:
    name = calibration.key(NEW.id, "mnist", "step_s")
    loud = JudgeSettings(sequential=False, noise={name: 0.2})
    found = verdict(series(noisy(0.1)), loud)
    assert (found.verdict, found.evidence.floor) == (Verdict.SAME, 0.2)
    assert verdict(series(noisy(0.1)), JudgeSettings(sequential=False, noise={name: 0.01})).evidence.floor == 0.05


def test_many_comparisons_share_one_error_rate() -> None:
    cells = [replace(NEW, version=f"3.{i}") for i in range(40)]
    draw = np.random.default_rng(0)
    samples = [sample(OLD, r, step(1.0)) for r in range(12)]
    for i, cell in enumerate(cells):
        ratios = draw.normal(0.08 if i == 0 else 0.0, 0.02, 12)
        samples += [sample(cell, r, step(math.exp(d))) for r, d in enumerate(ratios)]
    pairs = [Pair(OLD, cell, "version") for cell in cells]
    found = [c for c in judge(samples, pairs, (), FIXED) if c.metric == "step_s"]
    alone = [c for c in judge(samples, pairs[:1], (), FIXED) if c.metric == "step_s"]
    assert alone[0].evidence.p == found[0].evidence.p
    assert (alone[0].evidence.p_adjusted or 0) < (found[0].evidence.p_adjusted or 0)


# --- what counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0, None, "fast", True, [1.0]])
def test_values_that_are_no_positive_number_do_not_count(bad: object) -> None:
    samples = series(noisy(0.1))
    samples[3] = sample(OLD, 3, step(bad))
    found = verdict(samples)
    assert (found.verdict, found.evidence.n) == (Verdict.REGRESSED, 19)


def test_nothing_usable_is_said_to_be_so() -> None:
    samples = [s for r in range(5) for s in (sample(OLD, r, step(1.0)), sample(NEW, r, step(math.nan)))]
    found = verdict(samples)
    assert (found.verdict, found.evidence.n) == (Verdict.INCONCLUSIVE, 0)
    assert found.reason == "the candidate has no usable value: 5 values, none of them positive and finite"


def test_processes_that_were_not_alone_do_not_count() -> None:
    samples = [replace(s, quiet=s.round >= 5) for s in series(noisy(0.1))]
    assert verdict(samples).evidence.n == 15
    assert "other work ran meanwhile" in verdict([replace(s, quiet=False) for s in samples]).reason


def test_unequal_counts_and_missing_rounds_leave_the_common_ones() -> None:
    samples = [s for s in series(noisy(0.1)) if not (s.cell is OLD and s.round in (2, 5, 19))]
    assert verdict(samples).evidence.n == 17


def test_no_round_in_common_is_inconclusive() -> None:
    samples = [sample(OLD, r, step(1.0)) for r in range(10)] + [sample(NEW, r + 10, step(2.0)) for r in range(10)]
    found = verdict(samples)
    assert (found.verdict, found.evidence.rounds_needed) == (Verdict.INCONCLUSIVE, None)
    assert found.reason == "no round in common: the processes were not interleaved"


def test_one_sample_is_inconclusive() -> None:
    found = verdict(series([0.5]))
    assert (found.verdict, found.evidence.n) == (Verdict.INCONCLUSIVE, 1)
    assert found.evidence.rounds_needed == 8, "nine rounds are the fewest that reach 0.5 % two-sided"
    assert verdict(series([math.log(2)])).evidence.rounds_needed == 4, "a doubling takes five"


def test_constant_samples_are_judged_by_the_same_rule() -> None:
    assert verdict(series([0.0] * 6)).verdict == Verdict.SAME
    assert verdict(series([0.1] * 20)).verdict == Verdict.REGRESSED
    assert verdict(series([0.1] * 4)).verdict == Verdict.INCONCLUSIVE


def test_repeats_of_a_round_count_as_one() -> None:
    doubled = [s for s in series(noisy(0.1)) for _ in range(3)]
    assert verdict(doubled).evidence == verdict(series(noisy(0.1))).evidence


def stamped(order: Sequence[tuple[Cell, int]], effect: float = 0.1) -> list[Sample]:
    draw = np.random.default_rng(2)
    return [
        sample(
            cell,
            r,
            step(math.exp(draw.normal(effect * (cell is NEW), 0.02))),
            started=f"2024-05-01T10:{position // 60:02}:{position % 60:02}",
        )
        for position, (cell, r) in enumerate(order)
    ]


def test_interleaved_processes_with_a_rotating_lead_are_judged() -> None:
    order = [(cell, r) for r in range(20) for cell in ((OLD, NEW) if r % 2 else (NEW, OLD))]
    assert verdict(stamped(order)).verdict == Verdict.REGRESSED


def test_blocks_are_inconclusive_whatever_they_show() -> None:
    order = [(cell, r) for cell in (OLD, NEW) for r in range(20)]
    found = verdict(stamped(order))
    assert (found.verdict, found.evidence.rounds_needed) == (Verdict.INCONCLUSIVE, None)
    assert "in blocks" in found.reason


def test_results_of_another_day_are_inconclusive() -> None:
    samples = stamped([(cell, r) for r in range(20) for cell in (OLD, NEW)])
    reused = [replace(s, started=s.started.replace("05-01", "04-30")) if s.cell is OLD else s for s in samples]
    assert verdict(reused).verdict == Verdict.INCONCLUSIVE


def test_a_few_rounds_run_later_do_not_spoil_the_rest() -> None:
    samples = stamped([(cell, r) for r in range(20) for cell in (OLD, NEW)])
    late = [replace(s, started="2024-05-01T11:00:00") if s.cell is OLD and s.round == 7 else s for s in samples]
    assert verdict(late).verdict == Verdict.REGRESSED


def test_wall_time_that_moves_without_cpu_time_is_remarked_on() -> None:
    def both(wall: float, cpu: float) -> list[Sample]:
        return [
            sample(
                cell,
                r,
                Metric("fit_s", math.exp(noisy(wall * (cell is NEW))[r]), Kind.TIMING, Better.LOWER),
                Metric("fit_cpu_s", math.exp(noisy(cpu * (cell is NEW), seed=9)[r]), Kind.TIMING, Better.LOWER),
            )
            for r in range(20)
            for cell in (OLD, NEW)
        ]

    def reason(samples: list[Sample]) -> str:
        return next(c.reason for c in judge(samples, [VERSION], (), FIXED) if c.metric == "fit_s")

    assert "the machine was busy" in reason(both(0.2, 0.0))
    assert "busy" not in reason(both(0.2, 0.2))


# --- more rounds -----------------------------------------------------------------------------------------------------


def test_only_undecided_pairs_get_more_rounds_up_to_the_next_look() -> None:
    settings = JudgeSettings(max_rounds=20)
    third = replace(NEW, version="2.14.0")
    samples = [sample(OLD, r, step(1.0)) for r in range(8)]
    samples += [sample(NEW, r, step(math.exp(d))) for r, d in enumerate(noisy(0.0, 8, 0.005))]
    samples += [sample(third, r, step(math.exp(d))) for r, d in enumerate(noisy(0.08, 8, 0.02))]
    pairs = [VERSION, Pair(OLD, third, "version")]
    plan = more_rounds(samples, judge(samples, pairs, (), settings), settings)
    assert plan == {(OLD.id, "mnist"): 3, (third.id, "mnist"): 3}


def test_there_are_no_more_rounds_than_allowed() -> None:
    settings = JudgeSettings(max_rounds=10)
    samples = series(noisy(0.0, 10, 0.2))
    assert verdict(samples, settings).verdict == Verdict.INCONCLUSIVE
    assert more_rounds(samples, judge(samples, [VERSION], (), settings), settings) == {}


def test_what_more_rounds_will_not_decide_is_given_up() -> None:
    settings = JudgeSettings(max_rounds=20)
    samples = series([0.8, -0.8, 0.7, -0.7, 0.6, -0.6])
    assert more_rounds(samples, judge(samples, [VERSION], (), settings), settings) == {}


def test_a_flaw_gets_no_more_rounds() -> None:
    settings = JudgeSettings(max_rounds=20)
    samples = [sample(OLD, r, step(1.0)) for r in range(6)] + [sample(NEW, r + 6, step(1.0)) for r in range(6)]
    assert more_rounds(samples, judge(samples, [VERSION], (), settings), settings) == {}


# --- seeds -----------------------------------------------------------------------------------------------------------


def accuracies(before: Sequence[float], after: Sequence[float]) -> Comparison:
    def metric(value: float) -> Metric:
        return Metric("accuracy", value, Kind.SEEDED, Better.HIGHER)

    samples = [sample(OLD, seed, metric(value)) for seed, value in enumerate(before)]
    samples += [sample(NEW, seed, metric(value)) for seed, value in enumerate(after)]
    (found,) = [c for c in judge(samples, [VERSION]) if c.metric == "accuracy"]
    return found


USUAL = [0.971, 0.968, 0.973, 0.970, 0.969]


def test_equal_figures_for_equal_seeds_are_the_same() -> None:
    assert accuracies(USUAL, USUAL).verdict == Verdict.SAME


def test_a_lower_accuracy_over_the_same_seeds_is_a_regression() -> None:
    found = accuracies(USUAL, [a - 0.02 + d for a, d in zip(USUAL, [0.001, -0.001, 0, 0.0005, 0], strict=True)])
    assert (found.verdict, found.evidence.n, found.gates) == (Verdict.REGRESSED, 5, True)


def test_a_suspiciously_good_result_is_flagged() -> None:
    found = accuracies(USUAL, [0.9995, 0.9996, 0.9994, 0.9995, 0.9997])
    assert (found.verdict, "suspiciously good" in found.reason) == (Verdict.IMPROVED, True)


def test_the_spread_of_the_seeds_is_no_change() -> None:
    shuffled = [USUAL[i] for i in (2, 0, 3, 4, 1)] * 4
    assert accuracies(USUAL * 4, shuffled).verdict in (Verdict.SAME, Verdict.INCONCLUSIVE)


def test_two_seeds_show_nothing_but_a_collapse() -> None:
    found = accuracies([0.97, 0.96], [0.95, 0.97])
    assert (found.verdict, found.evidence.rounds_needed) == (Verdict.INCONCLUSIVE, 1)
    assert accuracies([0.97], [0.098]).verdict == Verdict.REGRESSED


def test_a_figure_that_is_not_finite_any_more_is_a_regression() -> None:
    found = accuracies(USUAL, [0.97, math.nan, 0.97, 0.97, 0.97])
    assert (found.verdict, found.reason) == (Verdict.REGRESSED, "not finite for 1 of 5 seeds")


def test_seeds_without_a_partner_are_not_compared() -> None:
    metric = Metric("accuracy", 0.9, Kind.SEEDED)
    samples = [sample(OLD, 0, metric), sample(NEW, 1, metric)]
    (found,) = [c for c in judge(samples, [VERSION]) if c.metric == "accuracy"]
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARABLE, "no seed in common")


# --- calibration and settings ----------------------------------------------------------------------------------------


def test_calibration_measures_what_a_comparison_with_itself_can_show() -> None:
    draw = np.random.default_rng(0)
    samples = [sample(NEW, r, step(math.exp(draw.normal(0, 0.1)))) for r in range(200)]
    (noise,) = calibration.noise(samples, 20).values()
    # the estimate of 20 rounds has a standard error of about 0.1 * sqrt(2 / 20), and 2.6 of them are 99 of 100
    assert noise == pytest.approx(2.6 * 0.1 * math.sqrt(2 / 20), rel=0.2)


def test_too_few_processes_calibrate_nothing() -> None:
    assert calibration.noise([sample(NEW, r, step(1.0 + r)) for r in range(11)], 20) == {}


@pytest.mark.parametrize("bad", [{"alpha": 0.0}, {"alpha": 1.0}, {"floor": -0.1}, {"floor": 1.0}, {"max_rounds": 0}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        JudgeSettings(**bad)
