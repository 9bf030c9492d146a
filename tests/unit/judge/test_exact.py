"""Figures without statistics: backward errors against float64, digests and counts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from runner.judge import Pair, exit_code, judge
from runner.judge.exact import CORRECT, classify
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Status, Verdict

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.13.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
VERSION = Pair(OLD, NEW, "version")

Array = NDArray[np.float32]


def sample(cell: Cell, metrics: list[Metric], seed: int = 0, **fingerprint: str) -> Sample:
    return Sample(cell, "", "conv2d", {}, seed, seed, "host", Status.OK, "", tuple(metrics), {}, dict(fingerprint))


def compared(before: list[Metric], after: list[Metric], pair: Pair = VERSION) -> dict[str, Comparison]:
    found = judge([sample(pair.baseline, before), sample(pair.candidate, after)], [pair])
    return {c.metric: c for c in found if c.baseline and c.metric != "status"}


def error(value: float | None, terms: int, name: str = "case.error_max") -> Metric:
    return Metric(name, value, Kind.ERROR, Better.LOWER, "u", terms)


# --- backward errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "terms", "name"),
    [
        # measured here and recorded in the documentation: kernels, input precisions and shifts of real convolutions
        (0.24, 28672, "rounding"),
        (1.9, 28672, "rounding"),
        (2.3, 1792, "rounding"),
        (4.09, 147, "rounding"),
        (3.54, 9, "rounding"),
        (164, 28672, "tf32-like"),
        (744, 1792, "tf32-like"),
        (1450, 28672, "bf16-like"),
        (6150, 1792, "bf16-like"),
        (30.0, 9, "wrong"),
        (5.9e5, 28672, "wrong"),
        (2.2e6, 1792, "wrong"),
        (math.inf, 1792, "wrong"),
        (math.nan, 1792, "wrong"),
    ],
)
def test_measured_errors_are_named_for_what_they_are(value: float, terms: int, name: str) -> None:
    assert classify(value, terms) == name


def test_a_lower_precision_is_a_regression_that_is_named_and_fails_the_run() -> None:
    found = compared([error(1.1, 1792)], [error(744, 1792)])["case.error_max"]
    assert (found.verdict, found.evidence.classification, found.gates) == (Verdict.REGRESSED, "tf32-like", True)
    assert found.reason == "rounding -> tf32-like: 1.1 u -> 744 u (K = 1792)"


def test_the_way_back_is_an_improvement() -> None:
    assert compared([error(744, 1792)], [error(1.1, 1792)])["case.error_max"].verdict == Verdict.IMPROVED


def test_two_cells_of_the_same_low_precision_are_the_same() -> None:
    found = compared([error(700, 1792)], [error(744, 1792)])["case.error_max"]
    assert (found.verdict, found.reason[:14]) == (Verdict.SAME, "both tf32-like")


def test_within_the_random_walk_a_small_step_over_a_band_is_no_change() -> None:
    near = compared([error(60, 28672)], [error(70, 28672)])["case.error_max"]
    assert near.verdict == Verdict.SAME


def test_a_root_mean_square_is_held_to_its_own_bound() -> None:
    found = compared([error(0.4, 1792, "case.error_rms")], [error(744 / 3.4, 1792, "case.error_rms")])
    assert found["case.error_rms"].evidence.classification == "tf32-like"


def test_an_error_that_is_no_number_any_more_is_a_regression() -> None:
    assert compared([error(1, 9)], [error(None, 9)])["case.error_max"].verdict == Verdict.REGRESSED
    assert compared([error(None, 9)], [error(None, 9)])["case.error_max"].verdict == Verdict.NOT_COMPARABLE


def test_a_wrong_result_needs_no_baseline_to_be_broken() -> None:
    samples = [sample(OLD, [error(2.2e6, 1792)])]
    found = [c for c in judge(samples, []) if c.metric == "case.error_max"]
    assert [(c.verdict, c.reason) for c in found] == [(Verdict.BROKEN, "wrong against float64: 2.2e+06 u (K = 1792)")]
    assert exit_code(samples, judge(samples, [])) == 1


def test_a_cell_that_disagrees_with_itself_is_nondeterministic_and_nobody_is_blamed() -> None:
    samples = [sample(OLD, [error(1, 1792)]), sample(NEW, [error(1, 1792)]), sample(NEW, [error(744, 1792)])]
    (found,) = [c for c in judge(samples, [VERSION]) if c.metric == "case.error_max" and c.baseline]
    assert (found.verdict, found.evidence.classification, found.gates) == (
        Verdict.NOT_COMPARABLE,
        "nondeterministic",
        False,
    )


def to_bits(x: Array, bits: int) -> Array:
    """Round float32 to a significand of that many bits, to nearest."""
    scale = np.float32(2.0 ** (24 - bits) + 1)
    high = x * scale
    rounded: Array = high - (high - x)
    return rounded


def inner_products(positions: int, terms: int, seed: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((positions, terms), dtype=np.float32)
    return x, draw.standard_normal((positions, terms), dtype=np.float32)


def backward_error(result: NDArray[np.floating], x: Array, w: Array) -> float:
    """Largest error in u * sum|x w| against float64."""
    exact = np.einsum("pk,pk->p", x.astype(np.float64), w.astype(np.float64))
    size = np.einsum("pk,pk->p", np.abs(x).astype(np.float64), np.abs(w).astype(np.float64))
    return float(np.max(np.abs(result - exact) / size) * 2**24)


def dot(x: Array, w: Array) -> Array:
    product: Array = np.einsum("pk,pk->p", x, w)
    return product


shapes = st.tuples(st.integers(32, 400), st.integers(2, 4000), st.integers(0, 10_000))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(shapes)
def test_correct_float32_is_always_rounding(shape: tuple[int, int, int]) -> None:
    x, w = inner_products(*shape)
    blocked = backward_error(dot(x, w), x, w)
    naive = backward_error(np.cumsum(x * w, axis=1, dtype=np.float32)[:, -1], x, w)
    same_sign = backward_error(np.cumsum(np.abs(x * w), axis=1, dtype=np.float32)[:, -1], np.abs(x), np.abs(w))
    for value in (blocked, naive, same_sign):
        assert classify(value, shape[1]) == "rounding"
    assert blocked < CORRECT


@settings(max_examples=60, deadline=None, derandomize=True)
@given(shapes, st.sampled_from([(11, "tf32-like"), (8, "bf16-like")]))
def test_inputs_of_a_lower_precision_are_found_and_named(shape: tuple[int, int, int], low: tuple[int, str]) -> None:
    x, w = inner_products(*shape)
    value = backward_error(dot(to_bits(x, low[0]), to_bits(w, low[0])), x, w)
    assert classify(value, shape[1]) == low[1]
    found = compared([error(backward_error(dot(x, w), x, w), shape[1])], [error(value, shape[1])])["case.error_max"]
    assert found.verdict == Verdict.REGRESSED


def shifted(x: Array, w: Array) -> NDArray[np.floating]:
    return dot(np.roll(x, 1, axis=1), w)


def without_one_term(x: Array, w: Array) -> NDArray[np.floating]:
    return dot(x[:, 1:], w[:, 1:])


def one_sign_turned(x: Array, w: Array) -> NDArray[np.floating]:
    turned = w.copy()
    turned[:, 0] = -turned[:, 0]
    return dot(x, turned)


def scaled_a_little(x: Array, w: Array) -> NDArray[np.floating]:
    return dot(x, w) * np.float32(1.01)


def summed_in_half_precision(x: Array, w: Array) -> NDArray[np.floating]:
    return np.cumsum((x * w).astype(np.float16), axis=1, dtype=np.float16)[:, -1].astype(np.float32)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    shapes,
    st.sampled_from([shifted, without_one_term, one_sign_turned, scaled_a_little, summed_in_half_precision]),
)
def test_every_injected_error_above_the_bound_is_found(shape: tuple[int, int, int], mistake: object) -> None:
    assert callable(mistake)
    x, w = inner_products(*shape)
    good, bad = backward_error(dot(x, w), x, w), backward_error(mistake(x, w), x, w)
    found = compared([error(good, shape[1])], [error(bad, shape[1])])["case.error_max"]
    assert (found.verdict, found.gates) == (Verdict.REGRESSED, True)
    assert found.evidence.classification != "rounding"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(shapes, st.floats(0.05, 8.0), st.floats(0.05, 8.0))
def test_no_false_alarm_between_correct_kernels(shape: tuple[int, int, int], one: float, other: float) -> None:
    assert compared([error(one, shape[1])], [error(other, shape[1])])["case.error_max"].verdict == Verdict.SAME


# --- digests and counts ----------------------------------------------------------------------------------------------


def exact(name: str, value: str | int) -> Metric:
    return Metric(name, value, Kind.EXACT)


def test_equal_counts_are_bit_equal_and_others_a_regression() -> None:
    assert compared([exact("parameters", 7)], [exact("parameters", 7)])["parameters"].verdict == Verdict.SAME
    found = compared([exact("parameters", 7)], [exact("parameters", 8)])["parameters"]
    assert (found.verdict, found.reason, found.gates) == (Verdict.REGRESSED, "7 -> 8", True)


def test_between_frameworks_other_names_are_information() -> None:
    found = compared([exact("generator", "numpy")], [exact("generator", "torch")], Pair(OLD, JAX, "framework"))
    assert (found["generator"].verdict, found["generator"].gates) == (Verdict.REGRESSED, False)


def test_other_bits_are_rounding_where_the_errors_say_so() -> None:
    found = compared([exact("case.digest", "a"), error(1, 1792)], [exact("case.digest", "b"), error(2, 1792)])
    assert (found["case.digest"].verdict, found["case.digest"].evidence.classification) == (Verdict.SAME, "rounding")


def test_other_bits_are_a_regression_where_the_errors_say_so_or_are_not_known() -> None:
    found = compared([exact("case.digest", "a"), error(1, 1792)], [exact("case.digest", "b"), error(744, 1792)])
    assert found["case.digest"].verdict == Verdict.REGRESSED
    assert compared([exact("w.digest", "a")], [exact("w.digest", "b")])["w.digest"].verdict == Verdict.REGRESSED


def test_a_cell_that_says_it_does_not_repeat_itself_is_not_blamed_for_its_bits() -> None:
    before = [exact("case.digest", "a"), exact("case.repeatable", "yes")]
    after = [exact("case.digest", "b"), exact("case.repeatable", "no")]
    found = compared(before, after)
    for name in ("case.digest", "case.repeatable"):
        assert found[name].evidence.classification == "nondeterministic"
        assert not found[name].gates


def test_seeds_pair_exact_figures() -> None:
    samples = [sample(cell, [exact("order", f"order of seed {seed}")], seed) for cell in (OLD, NEW) for seed in (0, 1)]
    (found,) = [c for c in judge(samples, [VERSION]) if c.metric == "order"]
    assert found.verdict == Verdict.SAME
    apart = [sample(OLD, [exact("order", "a")], 0), sample(NEW, [exact("order", "a")], 1)]
    (found,) = [c for c in judge(apart, [VERSION]) if c.metric == "order"]
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARABLE, "no seed in common")


def test_exact_figures_compare_across_hosts_with_a_caveat_where_the_processors_differ() -> None:
    def pair(flags: str, probe: str = "p") -> Comparison:
        samples = [
            sample(OLD, [error(1, 9)], host="a", cpu_flags="avx2", probe_hash="p"),
            sample(NEW, [error(2, 9)], host="b", cpu_flags=flags, probe_hash=probe),
        ]
        (found,) = [c for c in judge(samples, [VERSION]) if c.metric == "case.error_max" and c.baseline]
        return found

    assert (pair("avx2").verdict, "processors" in pair("avx2").reason) == (Verdict.SAME, False)
    assert pair("avx512").reason.endswith("(on different processors: cpu_flags: avx2, avx512)")
    assert pair("avx2", "q").verdict == Verdict.NOT_COMPARABLE


def test_a_metric_that_only_one_side_reports_is_not_comparable() -> None:
    found = compared([exact("parameters", 7), exact("gone", 1)], [exact("parameters", 7)])["gone"]
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARABLE, "the candidate does not report it")


def test_a_case_that_the_baseline_gets_wrong_cannot_regress() -> None:
    wrong = [exact("case.outcome", "wrong shape"), exact("case.shape", "2x6x4"), exact("other.outcome", "ok")]
    right = [exact("case.outcome", "ok"), exact("case.shape", "2x5x5"), error(1, 9), exact("other.outcome", "ok")]
    mended = compared(wrong, right)
    assert (mended["case.outcome"].verdict, mended["case.outcome"].reason) == (Verdict.IMPROVED, "wrong shape -> ok")
    for name in ("case.shape", "case.error_max"):
        assert (mended[name].verdict, mended[name].gates) == (Verdict.NOT_COMPARABLE, False)
    assert exit_code([sample(OLD, wrong), sample(NEW, right)], [*mended.values()]) == 0
    broken = compared(right, wrong)
    assert broken["case.outcome"].verdict == broken["case.shape"].verdict == Verdict.REGRESSED
    assert compared(wrong, wrong)["case.outcome"].verdict == Verdict.SAME
    assert compared(wrong, [exact("case.outcome", "raised")])["case.outcome"].verdict == Verdict.NOT_COMPARABLE


def test_information_is_never_judged() -> None:
    note = Metric("note", "x", Kind.INFO)
    assert compared([note], [replace(note, value="y")]) == {}


values = st.one_of(
    st.none(), st.integers(-5, 5), st.floats(), st.text(max_size=3), st.lists(st.floats(), max_size=4)
)  # what a result file may hold, whether or not it makes sense


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(Kind),
    st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3), values), max_size=12),
    st.one_of(st.none(), st.integers(-1, 9)),
)
def test_nothing_that_a_file_may_hold_stops_the_judge(
    kind: Kind, points: list[tuple[bool, int, int, object]], terms: int | None
) -> None:
    samples = [
        replace(sample(NEW if new else OLD, [Metric("m", value, kind, Better.LOWER, "", terms)], seed), round=number)  # type: ignore[arg-type]
        for new, number, seed, value in points
    ]
    found = judge(samples, [VERSION])
    both = {new for new, *_ in points} == {True, False}
    judged = {"m"} if both and kind != Kind.INFO else set()
    assert {one.metric for one in found} == (judged | {"status"} if points else set())
    assert all(one.reason for one in found)
    assert {one.verdict for one in found} <= set(Verdict)
