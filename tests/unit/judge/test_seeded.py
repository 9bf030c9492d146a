"""Figures that depend on the seed: a verdict at one seed, and how the test goes over into the paired t-test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from runner import cli
from runner.judge import JudgeSettings, Pair, exit_code, judge, more_rounds, pairs, seed_noise, seeded
from runner.judge.seed_noise import Noise, Scale
from runner.judge.seeded import FLOOR, SPENT, SPENT_SAME, Seeded, judge_together, looks, student_quantile
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.results import store

TENSORFLOW = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
TORCH_OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
TORCH_NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
LEARNED = {TENSORFLOW: 0.99, TORCH_OLD: 0.88, TORCH_NEW: 0.9935, JAX: 0.991}
"""The run in which torch 2.2.2 learns to 88 %."""
FIXED = JudgeSettings(sequential=False)
METRIC = Metric("free.test_accuracy", 0.99, Kind.SEEDED, Better.HIGHER)


def sample(cell: Cell, value: float, seed: int = 0, **metric: Any) -> Sample:
    settings = {"epochs": 3, "batch": 128, "train_samples": 8000, "test_samples": 2000}
    metrics = (replace(METRIC, value=value, **metric),)
    return Sample(cell, "", "mnist", settings, seed, seed, "host", Status.OK, "", metrics)


def figures(samples: Sequence[Sample], settings: JudgeSettings = FIXED) -> dict[str, Comparison]:
    """The comparisons of the figure, by candidate."""
    cells = list(dict.fromkeys(s.cell for s in samples))
    prefer = ("tensorflow-*_keras-3.11.3_*",)
    found = judge(samples, pairs(cells, prefer), (), settings)
    return {c.candidate: c for c in found if c.metric != "status" and c.baseline}


# --- one seed --------------------------------------------------------------------------------------------------------


def test_eleven_points_with_one_seed_are_worse_and_fail_the_run() -> None:
    samples = [sample(cell, value) for cell, value in LEARNED.items()]
    found = figures(samples)
    assert {c: one.verdict for c, one in found.items()} == {
        TORCH_OLD.id: Verdict.REGRESSED,
        TORCH_NEW.id: Verdict.IMPROVED,
        JAX.id: Verdict.INCONCLUSIVE,
    }
    worse, better = found[TORCH_OLD.id], found[TORCH_NEW.id]
    assert (worse.baseline, better.baseline) == (TENSORFLOW.id, TORCH_OLD.id)
    assert worse.evidence.spread == pytest.approx(0.0024, abs=0.0006)
    assert worse.reason.startswith("0.99 -> 0.88 over 1 seed, p ")
    assert worse.reason.endswith(f"; other seeds differ by {worse.evidence.spread:.2g}")
    assert "suspiciously good" in better.reason
    assert exit_code(samples, list(found.values())) == 1


def test_the_report_of_that_run_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = store.Store(tmp_path)
    kept.open()
    for cell, value in LEARNED.items():
        kept.save(replace(sample(cell, value), key=cell.id.ljust(12, "0")))
    assert cli.run(["report", str(tmp_path), "--format", "json"]) == 1
    compared = json.loads(capsys.readouterr().out)["comparisons"]
    assert Verdict.REGRESSED in [c["verdict"] for c in compared if c["candidate"] == TORCH_OLD.id]


def test_two_cells_are_enough() -> None:
    found = figures([sample(TENSORFLOW, 0.99), sample(TORCH_OLD, 0.88)])
    assert found[TORCH_OLD.id].verdict == Verdict.REGRESSED


@pytest.mark.parametrize("apart", [0.001, 0.005])
def test_what_seeds_do_is_not_a_change_and_not_the_same(apart: float) -> None:
    found = figures([sample(TENSORFLOW, 0.97), sample(TORCH_OLD, 0.97 - apart)])[TORCH_OLD.id]
    assert found.verdict == Verdict.INCONCLUSIVE
    assert found.evidence.rounds_needed is not None
    assert f"about {found.evidence.rounds_needed} more seeds" in found.reason


def test_a_smaller_shift_needs_more_seeds() -> None:
    needed = {}
    for apart in (0.015, 0.01):
        found = figures([sample(TENSORFLOW, 0.97), sample(TORCH_OLD, 0.97 - apart)])[TORCH_OLD.id]
        needed[apart] = found.evidence.rounds_needed or 0
    assert 0 < needed[0.015] < needed[0.01]


def test_a_loss_is_judged_at_one_seed_too() -> None:
    loss: dict[str, Any] = {"name": "free.test_loss", "better": Better.LOWER}
    found = figures([sample(TENSORFLOW, 0.11, **loss), sample(TORCH_OLD, 0.25, **loss), sample(JAX, 0.12, **loss)])
    assert {c: one.verdict for c, one in found.items()} == {
        TORCH_OLD.id: Verdict.REGRESSED,
        JAX.id: Verdict.INCONCLUSIVE,
    }


@pytest.mark.parametrize(("loss", "verdict"), [(0.11, "same"), (0.1101, "inconclusive")])
def test_equal_accuracies_of_other_trainings_are_equal_by_chance(loss: float, verdict: str) -> None:
    def trained(cell: Cell, value: float) -> Sample:
        one = sample(cell, 0.97)
        return replace(one, metrics=(*one.metrics, Metric("free.test_loss", value, Kind.SEEDED, Better.LOWER)))

    both = [trained(TENSORFLOW, 0.11), trained(TORCH_OLD, loss)]
    found = judge(both, [Pair(TENSORFLOW, TORCH_OLD, "framework")], (), FIXED)
    assert next(c.verdict for c in found if c.metric == METRIC.name) == verdict


def test_a_small_test_set_shows_less() -> None:
    small = [replace(s, settings={"test_samples": 50}) for s in (sample(TENSORFLOW, 0.98), sample(TORCH_OLD, 0.92))]
    large = [sample(TENSORFLOW, 0.98), sample(TORCH_OLD, 0.92)]
    assert figures(small)[TORCH_OLD.id].verdict == Verdict.INCONCLUSIVE
    assert figures(large)[TORCH_OLD.id].verdict == Verdict.REGRESSED


def test_the_first_look_of_several_finds_it_too_and_asks_for_more_otherwise() -> None:
    settings = JudgeSettings(max_rounds=20)
    assert figures([sample(TENSORFLOW, 0.97), sample(TORCH_OLD, 0.93)], settings)[TORCH_OLD.id].verdict == "regressed"
    near = [sample(TENSORFLOW, 0.97), sample(TORCH_OLD, 0.96)]
    found = judge(near, [Pair(TENSORFLOW, TORCH_OLD, "framework")], (), settings)
    assert set(more_rounds(near, found, settings)) == {(TENSORFLOW.id, "mnist"), (TORCH_OLD.id, "mnist")}


def test_other_settings_are_another_noise() -> None:
    def noisy(cell: Cell, value: float) -> Sample:
        return replace(sample(cell, value), fingerprint={"settings": "x"})

    steady = [sample(cell, value) for cell, value in zip((JAX, TORCH_NEW), (0.99, 0.9895), strict=True)]
    wild = [noisy(cell, value) for cell, value in zip((TENSORFLOW, TORCH_OLD), (0.99, 0.90), strict=True)]
    found = seed_noise.pooled(seed_noise_groups(steady + wild))
    assert len(found) == 2


def seed_noise_groups(samples: Sequence[Sample]) -> Any:
    from runner.judge import series

    return series.grouped(samples)


# --- figures of other tools ------------------------------------------------------------------------------------------


def lines(values: Mapping[str, Sequence[float]]) -> list[str]:
    return [
        json.dumps({"cell": cell, "seed": n, "metric": "acc", "value": v, "kind": "seeded", "better": "higher"})
        for cell, several in values.items()
        for n, v in enumerate(several)
    ]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"A": [0.99], "B": [0.9935], "C": [0.991], "D": [0.9921], "E": [0.9896], "bad": [0.88]}, "regressed"),
        ({"A": [0.99], "B": [0.9935], "bad": [0.88]}, "inconclusive"),  # three cells do not say how much seeds differ
        ({"A": [0.99], "bad": [0.3]}, "regressed"),
        ({"A": [0.5], "B": [0.7], "C": [0.3], "D": [0.9], "E": [0.1], "bad": [0.4]}, "inconclusive"),
    ],
)
def test_the_other_cells_of_the_file_say_how_much_seeds_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: dict[str, list[float]], verdict: str
) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text("\n".join(lines(values)))
    code = cli.run(["judge", str(file), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert next(c["verdict"] for c in shown["comparisons"] if c["candidate"] == "bad") == verdict
    assert code == (1 if verdict == "regressed" else 0)
    assert shown["timing_comparisons"] == 0


# --- several seeds ---------------------------------------------------------------------------------------------------

NOISE = Noise(Scale(), 0.01, 20)
"""A standard deviation of 0.1 at every level."""


def ruling(before: Sequence[float], after: Sequence[float], noise: Noise | None = NOISE) -> Any:
    sides = [dict(enumerate(values)) for values in (before, after)]
    (found,) = judge_together([Seeded(METRIC, sides[0], sides[1], noise)], FIXED)
    return found


def test_one_seed_is_tested_against_the_known_noise() -> None:
    threshold = student_quantile(0.0025, 20) * 0.1 * 2**0.5
    assert ruling([5.0], [5.0 - 1.01 * threshold])[0] == Verdict.REGRESSED
    assert ruling([5.0], [5.0 - 0.99 * threshold])[0] == Verdict.INCONCLUSIVE


def test_own_seeds_and_known_noise_count_by_their_degrees_of_freedom() -> None:
    """Differences 0.1, 0.2, 0.3: variance (20 * 0.02 + 2 * 0.01) / 22, and 0.9 of the error rate."""
    _, _, evidence = ruling([5.0, 5.0, 5.0], [5.1, 5.2, 5.3])
    error = ((20 * 0.02 + 2 * 0.01) / 22 / 3) ** 0.5
    assert evidence.p == pytest.approx(2 * seeded.student_tail(0.2 / error, 22) / 0.9)


def test_equal_shifts_of_paired_seeds_count_although_seeds_differ_more() -> None:
    before = [5.0, 5.3, 4.8, 5.1, 4.9, 5.2]
    after = [b - 0.07 + d for b, d in zip(before, (0.001, -0.001, 0.002, 0.0, -0.002, 0.0), strict=True)]
    assert ruling(before, after)[0] == Verdict.REGRESSED
    unpaired = after[3:] + after[:3]
    assert ruling(before, unpaired)[0] == Verdict.INCONCLUSIVE


def test_a_shift_below_the_floor_is_not_a_change() -> None:
    before = [5.0, 5.3, 4.8, 5.1, 4.9, 5.2]
    shift = 0.9 * FLOOR * 0.1
    verdict, _, evidence = ruling(before, [b - shift + d for b, d in zip(before, [0.0001, -0.0001] * 3, strict=True)])
    assert (verdict, evidence.spread) == (Verdict.SAME, pytest.approx(0.1))


def test_many_comparisons_need_more_evidence_each() -> None:
    threshold = student_quantile(0.0025, 20) * 0.1 * 2**0.5
    changed = Seeded(METRIC, {0: 5.0}, {0: 5.0 - 1.05 * threshold}, NOISE)
    quiet = Seeded(METRIC, {0: 5.0}, {0: 5.001}, NOISE)
    assert judge_together([changed, *[quiet] * 4], FIXED)[0][0] == Verdict.REGRESSED
    assert judge_together([changed, *[quiet] * 49], FIXED)[0][0] == Verdict.INCONCLUSIVE


def test_the_looks_share_the_error_rate() -> None:
    settings = JudgeSettings(max_rounds=20)
    for spent in (SPENT, SPENT_SAME):
        assert [seeds for seeds, _ in looks(spent, 20, settings)] == [1, 3, 8, 20]
        assert sum(share for _, share in looks(spent, 20, settings)) == pytest.approx(1)
        assert looks(spent, 1, JudgeSettings(max_rounds=1)) == [(1, 1.0)]
        assert [seeds for seeds, _ in looks(spent, 5, settings)] == [1, 3]


def test_a_decision_of_an_early_look_stays() -> None:
    item = Seeded(METRIC, dict.fromkeys(range(4), 5.0), {0: 4.0, 1: 4.0, 2: 4.0, 3: 4.9}, NOISE)
    assert judge_together([item], JudgeSettings(max_rounds=20))[0][0] == Verdict.REGRESSED


def test_normal_noise_alarms_no_more_often_than_promised() -> None:
    """On the quantiles of normal noise: the share of differences that are called a change."""
    normal = NormalDist(0, 0.1 * 2**0.5)
    shifts = [normal.inv_cdf((i + 0.5) / 2000) for i in range(2000)]
    found = [ruling([5.0], [5.0 + shift])[0] for shift in shifts]
    assert sum(v in (Verdict.REGRESSED, Verdict.IMPROVED) for v in found) <= 0.005 * len(found)


def test_the_order_of_cells_does_not_matter() -> None:
    samples = [sample(cell, value) for cell, value in LEARNED.items()]
    seen = {
        tuple(sorted((c, one.verdict) for c, one in figures(list(order)).items()))
        for order in itertools.permutations(samples)
    }
    assert len(seen) == 1


def test_the_figures_of_a_comparison_are_the_means_that_the_verdict_rests_on() -> None:
    """One seed of eight collapses: the medians would say that the worse cell is the better one."""
    before = [0.960, 0.961, 0.962, 0.963, 0.964, 0.965, 0.966, 0.967]
    after = [0.88, *(value + 0.004 for value in before[1:])]
    samples = [sample(TENSORFLOW, value, seed) for seed, value in enumerate(before)]
    samples += [sample(TORCH_OLD, value, seed) for seed, value in enumerate(after)]
    judged = judge(samples, [Pair(TENSORFLOW, TORCH_OLD, "framework")], (), FIXED)
    (found,) = [one for one in judged if one.metric == METRIC.name]
    assert found.baseline_value == pytest.approx(sum(before) / 8)
    assert found.candidate_value == pytest.approx(sum(after) / 8)
    assert found.candidate_value < found.baseline_value  # type: ignore[operator]


# --- seeds without effect --------------------------------------------------------------------------------------------


def test_figures_that_no_seed_changes_are_one_run() -> None:
    """A script that sets its own seed repeats one training, however often it is run."""
    metric = Metric("accuracy", 0.97, Kind.SEEDED, Better.HIGHER)
    before, after = dict.fromkeys(range(8), 0.9712), dict.fromkeys(range(8), 0.9701)
    verdict, reason, evidence = judge_together([Seeded(metric, before, after)], FIXED)[0]
    assert (verdict, evidence.n, evidence.rounds_needed) == (Verdict.INCONCLUSIVE, 1, None)
    assert reason == "-0.0011, the same with all 8 seeds: the seed has no effect"


def test_they_are_one_run_too_where_other_cells_show_how_much_seeds_differ() -> None:
    metric = Metric("accuracy", 0.97, Kind.SEEDED, Better.HIGHER)
    noise = seed_noise.Noise(seed_noise.Scale(), 0.003**2, 20)
    constant = Seeded(metric, dict.fromkeys(range(8), 0.97), dict.fromkeys(range(8), 0.963), noise)
    verdict, _, evidence = judge_together([constant], FIXED)[0]
    assert (verdict, evidence.n, evidence.rounds_needed) == (Verdict.INCONCLUSIVE, 1, None)
    eight = {n: 0.97 + (n - 3.5) / 1e4 for n in range(8)}
    varied = replace(constant, before=eight, after={n: value - 0.007 for n, value in eight.items()})
    assert judge_together([varied], FIXED)[0][0] == Verdict.REGRESSED


def test_a_gross_change_needs_no_seeds_and_one_side_that_varies_is_tested() -> None:
    metric = Metric("accuracy", 0.97, Kind.SEEDED, Better.HIGHER)
    same, low = dict.fromkeys(range(8), 0.97), dict.fromkeys(range(8), 0.1)
    assert judge_together([Seeded(metric, same, low)], FIXED)[0][0] == Verdict.REGRESSED
    varied = {n: 0.93 + n / 1000 for n in range(8)}
    verdict, _, evidence = judge_together([Seeded(metric, same, varied)], FIXED)[0]
    assert (verdict, evidence.n) == (Verdict.REGRESSED, 8)
