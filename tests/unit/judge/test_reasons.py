"""The reason, evidence and exit code of each verdict, one example each, as whole texts."""

from __future__ import annotations

from typing import Any

import pytest

from runner.judge import JudgeSettings, Pair, exit_code, judge
from runner.judge.cpu_time import cpu_names
from runner.judge.exact import judge_error, judge_exact, judge_missing
from runner.judge.seeded import judge_seeded
from runner.judge.series import Values, differing, moved
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict

A = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
B = Cell("torch", "2.13.0", "3.8.0", "3.11", "cpu")
C = Cell("torch", "2.15.0", "3.8.0", "3.11", "cpu")


def sample(cell: Cell, status: Status = Status.OK, number: int = 0, **changes: Any) -> Sample:
    reason = "" if status is Status.OK else f"why it is {status.value}"
    return Sample(cell, "", "mnist", {}, number, number, "host", status, reason, **changes)


def of(found: list[Comparison], cell: Cell) -> Comparison:
    (one,) = [c for c in found if c.candidate == cell.id and c.metric == "status"]
    return one


# --- what was not measured -------------------------------------------------------------------------------------------


def test_a_pair_without_any_sample_is_not_measured_and_says_so_in_the_exit_code() -> None:
    samples = [sample(A), sample(B)]
    found = judge(samples, [Pair(A, B, "version"), Pair(Cell("jax", "0.5.0", None, "3.11", "cpu"), C, "framework")])
    one = of(found, C)
    assert (one.verdict, one.reason, one.gates) == (
        Verdict.NOT_COMPARABLE,
        "candidate not measured: no result",
        True,
    )
    assert (one.baseline_value, one.candidate_value) == (None, None)
    assert exit_code(samples, found) == 3


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (Status.OK, Status.OK, "both run"),
        (Status.CRASHED, Status.OK, "runs; baseline: crashed: why it is crashed"),
        (Status.OK, Status.CRASHED, "crashed: why it is crashed"),
        (Status.CRASHED, Status.CRASHED, "neither runs: crashed: why it is crashed"),
        (
            Status.OOM,
            Status.CRASHED,
            "neither runs: oom: why it is oom -> crashed: why it is crashed",
        ),
        (Status.UNAVAILABLE, Status.OK, "baseline not measured: unavailable"),
        (
            Status.UNAVAILABLE,
            Status.CRASHED,
            "crashed: why it is crashed; baseline not measured: unavailable",
        ),
        (Status.OK, Status.BUILD_FAILED, "candidate not measured: build-failed: why it is build-failed"),
    ],
)
def test_the_reason_of_a_status(before: Status, after: Status, reason: str) -> None:
    one = of(judge([sample(A, before), sample(B, after)], [Pair(A, B, "version")]), B)
    assert one.reason == reason
    assert (one.baseline_value, one.candidate_value) == (before.value, after.value)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(Status.OK, "nothing to compare with"), (Status.OOM, "oom: why it is oom; nothing to compare with")],
)
def test_the_reason_of_a_cell_without_a_baseline(status: Status, reason: str) -> None:
    (one,) = judge([sample(A, status)], [])
    assert (one.verdict, one.reason, one.evidence) == (Verdict.NO_BASELINE, reason, Evidence(n=1))


# --- exact figures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "verdict", "reason", "evidence"),
    [
        (
            judge_error([2.0], [744.0], 1792),
            Verdict.REGRESSED,
            "rounding -> tf32-like: 2 u -> 744 u (K = 1792)",
            Evidence(n=1, effect=744.0, classification="tf32-like"),
        ),
        (
            judge_error([744.0], [2.0], 1792),
            Verdict.IMPROVED,
            "tf32-like -> rounding: 744 u -> 2 u (K = 1792)",
            Evidence(n=1, effect=2.0, classification="rounding"),
        ),
        (
            judge_error([700.0, 720.0], [744.0], 1792),
            Verdict.SAME,
            "both tf32-like: 720 u -> 744 u (K = 1792)",
            Evidence(n=1, effect=744.0, classification="tf32-like"),
        ),
        (
            judge_error([2.0, 744.0], [2.0, 2.0], None),
            Verdict.NOT_COMPARABLE,
            "runs of the baseline disagree: 2 to 744 u",
            Evidence(n=2, classification="nondeterministic"),
        ),
        (
            judge_missing([None], [None]),
            Verdict.NOT_COMPARABLE,
            "no finite figure on either side",
            Evidence(n=1),
        ),
        (
            judge_missing([1.0], [None]),
            Verdict.REGRESSED,
            "no finite figure any more",
            Evidence(n=1, classification="wrong"),
        ),
        (
            judge_missing([None], [1.0]),
            Verdict.IMPROVED,
            "a finite figure where there was none",
            Evidence(n=1),
        ),
        (
            judge_exact(["a" * 30], ["b"]),
            Verdict.REGRESSED,
            "aaaaaaaaaaaa... -> b",
            Evidence(n=1, classification="differs"),
        ),
        (judge_exact([3], [3]), Verdict.SAME, "equal: 3", Evidence(n=1, classification="bit-equal")),
        (
            judge_exact([3, 3], [4, 5]),
            Verdict.NOT_COMPARABLE,
            "runs of the candidate disagree: 4, 5",
            Evidence(n=2, classification="nondeterministic"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_exact_verdict_says(
    found: tuple[Verdict, str, Evidence], verdict: Verdict, reason: str, evidence: Evidence
) -> None:
    assert found == (verdict, reason, evidence)


# --- figures that depend on the seed ---------------------------------------------------------------------------------


def seeded(before: list[float], after: list[float]) -> tuple[Verdict, str, Evidence]:
    sides = [
        {seed: [Metric("free.accuracy", value, Kind.SEEDED, Better.HIGHER)] for seed, value in enumerate(values)}
        for values in (before, after)
    ]
    return judge_seeded(sides[0], sides[1], JudgeSettings())


def test_an_interval_of_an_accuracy_is_relative_to_the_baseline() -> None:
    low = [0.50, 0.52, 0.48, 0.50]
    verdict, reason, evidence = seeded(low, [value + 0.1 for value in low])
    assert verdict == Verdict.IMPROVED
    assert reason == f"0.5 -> 0.6 over 4 seeds, p {evidence.p:.2g}: suspiciously good, see that it is real"
    assert evidence.effect == pytest.approx(0.2)
    assert evidence.low == pytest.approx(0.2)
    assert evidence.high == pytest.approx(0.2)
    assert evidence.floor == pytest.approx(0.5 * 0.01632993 / 0.5)


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    """Differences 1, 2, 3 of a baseline of 10: mean 2, standard error 0.57735, t(0.975, 2) = 4.302653."""
    _, _, evidence = seeded([10.0, 10.0, 10.0], [11.0, 12.0, 13.0])
    reach = 4.302653 * 0.5773503
    assert evidence.low == pytest.approx((2 - reach) / 10)
    assert evidence.high == pytest.approx((2 + reach) / 10)
    assert evidence.p == pytest.approx(0.0741799, rel=1e-4)


def test_relative_to_a_baseline_of_zero_there_is_no_interval() -> None:
    verdict, reason, evidence = seeded([0.1, -0.1, 0.0], [0.5, 0.1, 0.6])
    assert (verdict, reason) == (
        Verdict.INCONCLUSIVE,
        "0 -> 0.4 over 3 seeds: neither a change nor its absence is shown",
    )
    assert (evidence.effect, evidence.low, evidence.high, evidence.floor) == (None, None, None, None)
    assert evidence.p is not None


@pytest.mark.parametrize(
    ("before", "after", "verdict", "reason"),
    [
        ([0.9], [0.9], Verdict.SAME, "equal for 1 seed"),
        ([0.9, 0.8], [0.9, 0.8], Verdict.SAME, "equal for all 2 seeds"),
        ([0.9], [0.1], Verdict.REGRESSED, "0.9 -> 0.1"),
        ([0.9], [0.8], Verdict.INCONCLUSIVE, "-0.1 with 1 seed: 3 are the least for a verdict"),
        ([0.9, 0.9], [float("nan"), 0.9], Verdict.REGRESSED, "not finite for 1 of 2 seeds"),
        ([float("nan")], [0.9], Verdict.NOT_COMPARABLE, "no finite figure"),
        ([], [0.9], Verdict.NOT_COMPARABLE, "no seed in common"),
        (
            [0.9, 0.7, 0.8],
            [0.901, 0.701, 0.8],
            Verdict.SAME,
            "0.8 -> 0.8007 over 3 seeds: within the spread of the seeds",
        ),
    ],
)
def test_what_a_seeded_verdict_says(before: list[float], after: list[float], verdict: Verdict, reason: str) -> None:
    assert seeded(before, after)[:2] == (verdict, reason)


def test_how_many_more_seeds_it_takes() -> None:
    assert seeded([0.9], [0.8])[2].rounds_needed == 2


# --- notes next to a verdict -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        ("free.fit_s", ("free.fit_cpu_s",)),
        ("process_s", ("process_cpu_s", "cpu_s")),
        ("step_wall_s", ("step_wall_cpu_s", "step_cpu_s")),
        ("cpu_s", ()),
        ("free.fit_cpu_s", ()),
        ("free.accuracy", ()),
    ],
)
def test_the_cpu_time_that_belongs_to_a_wall_time(metric: str, names: tuple[str, ...]) -> None:
    assert cpu_names(metric) == names


def test_what_differs_between_two_hosts_in_words() -> None:
    one: Values = {"cpu": {"'a'": "a"}, "driver": {"'5'": "5"}, "same": {"1": 1}}
    other: Values = {"cpu": {"'b'": "b"}, "same": {"1": 1}, "gpu": {"None": None}}
    assert differing(one, other) == {"cpu": "cpu: a, b", "driver": "driver: 5, nothing"}


def test_packages_that_moved_are_those_of_neither_axis() -> None:
    before = [sample(A, packages={"torch": "2.2.2", "numpy": "1.26.4", "optree": "0.1"})]
    after = [sample(B, packages={"torch": "2.13.0", "numpy": "2.4.6", "sympy": "1.13"})]
    assert moved(before, after, {"torch"}) == ("numpy 1.26.4 -> 2.4.6", "optree 0.1 -> none", "sympy none -> 1.13")
    assert moved(before, [sample(B)], {"torch"}) == ()
