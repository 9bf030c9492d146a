"""Large changes after a few rounds: what is borrowed, from whom, and what is never decided early."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from runner.judge import JudgeSettings, moderated
from runner.judge.calibration import key
from runner.judge.paired import Paired
from runner.judge.timing import Judged, judge_timings
from runner.model import Better, Verdict

LOOKS = JudgeSettings(max_rounds=20)
TWICE = math.log(2)


def paired(ratios: Sequence[float], *, metric: str = "step_s", cell: str = "new", flaw: str = "") -> Paired:
    n = len(ratios)
    return Paired(tuple(range(n)), tuple(ratios), Better.LOWER, 0.05, n, flaw, ("mnist", metric), ("old", cell))


def others(n: int, count: int = 8, spread: float = 0.05, **given: str) -> list[Paired]:
    draw = np.random.default_rng(3)
    return [paired(draw.normal(0.0, spread, n).tolist(), **given) for _ in range(count)]


def noisy(shift: float, n: int, spread: float = 0.05) -> list[float]:
    return [shift + spread * one for one in (0.5, -0.7, 0.2, 0.9, -0.4, 0.1, -0.9, 0.6)[:n]]


def first(material: list[Paired], settings: JudgeSettings = LOOKS) -> Judged:
    return judge_timings(material, settings)[0]


@pytest.mark.parametrize("settings", [LOOKS, JudgeSettings(max_rounds=3, sequential=False)], ids=["looks", "one look"])
def test_a_doubling_is_found_after_three_rounds(settings: JudgeSettings) -> None:
    found = first([paired(noisy(TWICE, 3)), *others(3)], settings)
    assert found.verdict == Verdict.REGRESSED
    assert found.evidence.p_adjusted is not None
    assert 0 < found.evidence.p_adjusted <= 0.05
    assert (found.evidence.n, found.evidence.low, found.evidence.rounds_needed) == (3, None, None)
    assert first([paired(noisy(-TWICE, 3)), *others(3)], settings).verdict == Verdict.IMPROVED


def test_one_half_more_is_found_after_five_rounds_and_not_after_three() -> None:
    assert first([paired(noisy(math.log(1.5), 5)), *others(5)]).verdict == Verdict.REGRESSED
    assert first([paired(noisy(math.log(1.35), 3)), *others(3)]).verdict == Verdict.INCONCLUSIVE


@pytest.mark.parametrize("rounds", [1, 2])
def test_one_or_two_rounds_decide_nothing(rounds: int) -> None:
    for settings in (LOOKS, JudgeSettings(max_rounds=rounds, sequential=False)):
        found = first([paired(noisy(3.0, rounds)), *others(rounds)], settings)
        assert (found.verdict, found.evidence.rounds_needed) == (Verdict.INCONCLUSIVE, 3 - rounds)


def test_nothing_is_called_the_same_early() -> None:
    found = judge_timings(others(5, spread=0.001), LOOKS)
    assert {one.verdict for one in found} == {Verdict.INCONCLUSIVE}


def test_a_single_comparison_takes_longer_unless_the_host_is_calibrated() -> None:
    assert first([paired(noisy(TWICE, 3))]).verdict == Verdict.INCONCLUSIVE
    assert first([paired(noisy(5.0, 3))]).verdict == Verdict.INCONCLUSIVE, "the noise could be anything"
    assert first([paired(noisy(TWICE, 5))]).verdict == Verdict.REGRESSED
    for noise, verdict in ((0.03, Verdict.REGRESSED), (0.5, Verdict.INCONCLUSIVE)):
        calibrated = JudgeSettings(max_rounds=20, noise={key("old", "mnist", "step_s"): noise})
        assert first([paired(noisy(TWICE, 3))], calibrated).verdict == verdict


def test_noise_is_borrowed_from_the_same_figure_only() -> None:
    change = paired(noisy(TWICE, 3))
    assert first([change, *others(3, metric="peak_rss", spread=0.001)]).verdict == Verdict.INCONCLUSIVE
    assert first([change, *others(3, spread=0.6), *others(3, metric="peak_rss")]).verdict == Verdict.INCONCLUSIVE


def test_one_bad_cell_neither_hides_itself_nor_the_others() -> None:
    bad = paired([3.0, -2.0, 0.1])
    assert first([bad, *others(3)]).verdict == Verdict.INCONCLUSIVE
    assert first([paired(noisy(TWICE, 3)), bad, *others(3)]).verdict == Verdict.REGRESSED


def test_three_slow_processes_in_a_row_are_no_change_on_a_noisy_host() -> None:
    assert first([paired([0.7, 0.9, 0.6]), *others(3, spread=0.4)]).verdict == Verdict.INCONCLUSIVE


def test_every_one_of_three_rounds_must_show_it_and_four_of_five() -> None:
    assert first([paired([0.7, 0.7, 0.3]), *others(3, spread=0.001)]).verdict == Verdict.INCONCLUSIVE
    assert first([paired([0.7, 0.7, 0.1, 0.7, 0.7]), *others(5, spread=0.02)]).verdict == Verdict.REGRESSED
    assert first([paired([0.7, 0.1, 0.1, 0.7, 0.7]), *others(5, spread=0.02)]).verdict == Verdict.INCONCLUSIVE


def test_noise_of_the_cell_itself_that_is_larger_hides_the_change() -> None:
    loud = paired(noisy(TWICE, 3))
    loud = Paired(loud.rounds, loud.ratios, loud.better, 1.2, 3, "", loud.figure, loud.cells)
    assert first([loud, *others(3)]).verdict == Verdict.INCONCLUSIVE


def test_processes_in_blocks_get_no_verdict_and_tell_nothing_about_noise() -> None:
    assert first([paired(noisy(TWICE, 3), flaw="blocks"), *others(3)]).verdict == Verdict.INCONCLUSIVE
    assert first([paired(noisy(TWICE, 3)), *others(3, flaw="blocks")]).verdict == Verdict.INCONCLUSIVE


def test_a_look_that_was_only_begun_does_not_count() -> None:
    """Four rounds are one look after three, whatever the fourth shows."""
    change = noisy(TWICE, 3)
    assert first([paired([*change, -3.0]), *others(4)]).verdict == Verdict.REGRESSED
    assert first([paired([*change[:2], 0.0, *noisy(TWICE, 1)]), *others(4)]).verdict == Verdict.INCONCLUSIVE


def test_comparisons_that_stopped_early_still_lend_their_noise() -> None:
    assert first([paired(noisy(math.log(1.5), 5)), *others(3)]).verdict == Verdict.REGRESSED


def test_an_estimate_of_rounds_goes_with_the_effect_and_the_noise() -> None:
    def needed(ratios: list[float], *rest: Paired) -> int | None:
        return first([paired(ratios), *rest]).evidence.rounds_needed

    assert needed([TWICE], *others(1)) == 2
    assert needed([math.log(1.5)], *others(1)) == 4
    assert needed([math.log(1.3)], *others(1)) == 7
    assert needed([TWICE]) == 4
    assert (needed([0.7, 0.7, 0.3], *others(3)) or 0) == 2, "the look after three rounds is over"
    assert (needed([0.2, 0.4, 0.7], *others(3, spread=0.4)) or 0) > 5


def test_the_p_value_of_normal_rounds_is_an_upper_bound() -> None:
    """Noise as the prior has it: from figure to figure, and a little from comparison to comparison."""
    draw = np.random.default_rng(8)
    level, m, hits, runs = 0.02, 6, 0, 1500
    for _ in range(runs):
        figure = moderated.USUAL + draw.normal(0.0, moderated.USUAL_SPREAD)
        own = np.exp(figure + draw.normal(0.0, 0.2, m))
        rounds = [moderated.Rounds(d.tolist(), "f", None) for d in draw.normal(0.0, own[:, None], (m, 3))]
        p = moderated.p_values(rounds, moderated.noise(rounds), np.zeros(m))
        hits += int((p <= level).sum())
    assert hits <= level * m * runs


@pytest.mark.parametrize("f", [2, 3, 4, 7])
def test_the_logarithm_of_chi_square_has_the_moments_that_draws_have(f: int) -> None:
    drawn = np.log(np.random.default_rng(f).chisquare(f, 200_000) / f)
    assert moderated._log_chi2(f) == pytest.approx((drawn.mean(), drawn.var()), rel=0.03)
