"""Whether cells ran: broken, fixed, expected - and what a run exits with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.judge import Expectation, JudgeSettings, Pair, exit_code, judge
from runner.model import Better, Cell, Comparison, Kind, Metric, Sample, Skip, Status, Verdict

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.13.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
VERSION = Pair(OLD, NEW, "version")
FRAMEWORK = Pair(OLD, JAX, "framework")
CRASH = Expectation("torch-2.13.0_*", "mnist", Status.CRASHED, issue="https://example.org/1")


def sample(cell: Cell, status: Status = Status.OK, number: int = 0, **metrics: float) -> Sample:
    return Sample(
        cell=cell,
        environment_id="",
        probe="mnist",
        settings={},
        round=number,
        seed=number,
        executor="host",
        status=status,
        reason="" if status == Status.OK else f"why it is {status.value}",
        metrics=tuple(Metric(name, value, Kind.EXACT) for name, value in metrics.items()),
    )


def status_of(found: list[Comparison], cell: Cell) -> Comparison:
    (one,) = [c for c in found if c.candidate == cell.id and c.metric == "status"]
    return one


@pytest.mark.parametrize(
    ("before", "after", "verdict", "code"),
    [
        (Status.OK, Status.OK, Verdict.SAME, 0),
        (Status.OK, Status.CRASHED, Verdict.BROKEN, 1),
        (Status.OK, Status.IMPORT_FAILED, Verdict.BROKEN, 1),
        (Status.OK, Status.OOM, Verdict.BROKEN, 1),
        (Status.OK, Status.TIMEOUT, Verdict.BROKEN, 1),
        (Status.OK, Status.BAD_OUTPUT, Verdict.BROKEN, 1),
        (Status.OK, Status.UNSUPPORTED, Verdict.BROKEN, 1),
        (Status.OK, Status.UNAVAILABLE, Verdict.NOT_COMPARABLE, 3),
        (Status.OK, Status.BUILD_FAILED, Verdict.NOT_COMPARABLE, 3),
        (Status.OK, Status.SKIPPED, Verdict.NOT_COMPARABLE, 3),
        (Status.CRASHED, Status.OK, Verdict.FIXED, 3),
        (Status.UNAVAILABLE, Status.OK, Verdict.NO_BASELINE, 3),
        (Status.CRASHED, Status.CRASHED, Verdict.SAME, 4),
        (Status.CRASHED, Status.IMPORT_FAILED, Verdict.NOT_COMPARABLE, 4),
        (Status.UNAVAILABLE, Status.UNAVAILABLE, Verdict.NOT_COMPARABLE, 4),
    ],
)
def test_verdict_and_exit_code_of_every_way_to_end(before: Status, after: Status, verdict: Verdict, code: int) -> None:
    samples = [sample(OLD, before), sample(NEW, after)]
    found = judge(samples, [VERSION])
    assert status_of(found, NEW).verdict == verdict
    assert exit_code(samples, found) == code


def test_broken_says_why_and_how_often() -> None:
    samples = [sample(OLD), sample(NEW), sample(NEW, Status.CRASHED, 1), sample(NEW, Status.CRASHED, 2)]
    assert status_of(judge(samples, [VERSION]), NEW).reason == "crashed in 2 of 3 processes: why it is crashed"


def test_what_the_machine_did_to_one_process_breaks_no_version() -> None:
    samples = [sample(OLD), sample(NEW), sample(NEW, Status.UNAVAILABLE, 1)]
    found = judge(samples, [VERSION])
    assert status_of(found, NEW).verdict == Verdict.SAME
    assert exit_code(samples, found) == 3


def test_of_several_entries_the_one_that_fits_counts() -> None:
    known = [replace(CRASH, reason="out of ink"), replace(CRASH, issue="https://example.org/2", reason="it is cr")]
    found = status_of(judge([sample(OLD), sample(NEW, Status.CRASHED)], [VERSION], known), NEW)
    assert (found.verdict, found.issue) == (Verdict.EXPECTED, "https://example.org/2")


def test_what_another_framework_does_not_support_is_no_breakage() -> None:
    found = status_of(judge([sample(OLD), sample(JAX, Status.UNSUPPORTED)], [FRAMEWORK]), JAX)
    assert (found.verdict, found.gates) == (Verdict.NOT_COMPARABLE, False)


def test_a_crash_of_another_framework_is_breakage() -> None:
    found = status_of(judge([sample(OLD), sample(JAX, Status.CRASHED)], [FRAMEWORK]), JAX)
    assert (found.verdict, found.gates) == (Verdict.BROKEN, True)


def test_metrics_are_judged_only_where_both_ran() -> None:
    found = judge([sample(OLD, parameters=1), sample(NEW, Status.CRASHED)], [VERSION])
    assert [c.metric for c in found if c.candidate == NEW.id] == ["status"]


def test_a_cell_without_results_is_not_green() -> None:
    judged = judge([sample(OLD)], [VERSION])
    found = status_of(judged, NEW)
    assert (found.verdict, found.reason) == (Verdict.NOT_COMPARABLE, "candidate not measured: no result")
    assert exit_code([sample(OLD)], judged) == 3


def test_a_cell_without_baseline_says_so() -> None:
    assert status_of(judge([sample(OLD)], []), OLD).verdict == Verdict.NO_BASELINE


def test_an_expected_failure_does_not_fail_the_run() -> None:
    samples = [sample(OLD), sample(NEW, Status.CRASHED)]
    found = judge(samples, [VERSION], [CRASH])
    one = status_of(found, NEW)
    assert (one.verdict, one.gates, one.issue) == (Verdict.EXPECTED, False, "https://example.org/1")
    assert exit_code(samples, found) == 0


def test_another_failure_than_the_expected_one_is_broken() -> None:
    samples = [sample(OLD), sample(NEW, Status.IMPORT_FAILED)]
    found = judge(samples, [VERSION], [CRASH])
    assert status_of(found, NEW).verdict == Verdict.BROKEN
    assert exit_code(samples, found) == 1


@pytest.mark.parametrize(("reason", "verdict"), [("it is cr", Verdict.EXPECTED), ("out of ink", Verdict.BROKEN)])
def test_a_failure_for_another_reason_is_broken(reason: str, verdict: Verdict) -> None:
    found = judge([sample(OLD), sample(NEW, Status.CRASHED)], [VERSION], [replace(CRASH, reason=reason)])
    assert status_of(found, NEW).verdict == verdict


def test_the_reason_may_stand_in_the_log() -> None:
    crashed = replace(sample(NEW, Status.CRASHED), log="Traceback\nout of ink\n")
    found = judge([sample(OLD), crashed], [VERSION], [replace(CRASH, reason="out of ink")])
    assert status_of(found, NEW).verdict == Verdict.EXPECTED


@pytest.mark.parametrize("pairs", [[VERSION], []], ids=["with a baseline", "without one"])
def test_an_expected_failure_that_is_gone_fails_the_run_until_the_file_is_updated(pairs: list[Pair]) -> None:
    samples = [sample(OLD), sample(NEW)]
    found = judge(samples, pairs, [CRASH])
    assert status_of(found, NEW).verdict == Verdict.FIXED
    assert exit_code(samples, found) == 1


def test_an_expected_failure_without_baseline_is_expected_too() -> None:
    samples = [sample(OLD), sample(NEW, Status.CRASHED)]
    found = judge(samples, [], [CRASH])
    assert status_of(found, NEW).verdict == Verdict.EXPECTED
    assert exit_code(samples, found) == 0


def test_nothing_measured_is_never_success_however_expected() -> None:
    samples = [sample(NEW, Status.CRASHED)]
    assert exit_code(samples, judge(samples, [], [CRASH])) == 4
    assert exit_code([], []) == 4


def test_last_bad_ends_an_expectation() -> None:
    known = replace(CRASH, cell="torch-*", last_bad="torch-2.2.2")
    samples = [sample(OLD, Status.CRASHED), sample(NEW, Status.CRASHED), sample(JAX)]
    found = judge(samples, [VERSION], [known])
    assert status_of(found, OLD).verdict == Verdict.EXPECTED
    assert status_of(found, NEW).verdict == Verdict.SAME
    assert exit_code(samples, found) == 3


def test_a_skip_is_something_not_measured() -> None:
    samples = [sample(OLD), sample(NEW)]
    skip = Skip(JAX, Status.UNAVAILABLE, "no such device")
    assert exit_code(samples, judge(samples, [VERSION]), [skip]) == 3


def test_an_expected_regression_of_a_metric() -> None:
    known = Expectation("torch-2.13.0_*", "*", metric="par*", issue="https://example.org/2")
    worse = [sample(OLD, parameters=1), sample(NEW, parameters=2)]
    found = judge(worse, [VERSION], [known])
    assert [c.verdict for c in found if c.metric == "parameters"] == [Verdict.EXPECTED]
    assert exit_code(worse, found) == 0
    gone = [sample(OLD, parameters=1), sample(NEW, parameters=1)]
    found = judge(gone, [VERSION], [known])
    assert [c.verdict for c in found if c.metric == "parameters"] == [Verdict.FIXED]
    assert exit_code(gone, found) == 1


def test_a_regression_outranks_what_was_not_measured() -> None:
    samples = [sample(OLD, parameters=1), sample(NEW, parameters=2), sample(JAX, Status.UNAVAILABLE)]
    assert exit_code(samples, judge(samples, [VERSION, FRAMEWORK])) == 1


def timed(cell: Cell, host: str, number: int, value: float) -> Sample:
    made = sample(cell, number=number)
    metric = Metric("step_s", value, Kind.TIMING, Better.LOWER)
    return replace(made, metrics=(metric,), fingerprint={"host": host, "threads": 2})


def test_timings_of_different_hosts_get_no_verdict_and_are_not_measured() -> None:
    samples = [timed(OLD, "a", r, 1.0) for r in range(20)] + [timed(NEW, "b", r, 2.0) for r in range(20)]
    found = judge(samples, [VERSION], (), JudgeSettings())
    (one,) = [c for c in found if c.metric == "step_s"]
    assert (one.verdict, one.reason) == (Verdict.NOT_COMPARABLE, "differs in host: a, b")
    assert exit_code(samples, found) == 3


def test_timings_that_are_not_judged_anyway_may_be_of_different_hosts() -> None:
    """What is not timed runs anywhere on a cluster."""
    samples = [timed(OLD, "a", r, 1.0) for r in range(4)] + [timed(NEW, "b", r, 2.0) for r in range(4)]
    found = judge([replace(one, quiet=False) for one in samples], [VERSION], (), JudgeSettings())
    (one,) = [c for c in found if c.metric == "step_s"]
    assert one.verdict is Verdict.INCONCLUSIVE
    assert "other work ran meanwhile" in one.reason
    assert exit_code(samples, found) == 0


def test_one_cell_measured_on_two_hosts_is_not_comparable() -> None:
    samples = [timed(OLD, "a" if r < 10 else "b", r, 1.0) for r in range(20)]
    samples += [timed(NEW, "a" if r < 10 else "b", r, 1.0) for r in range(20)]
    (one,) = [c for c in judge(samples, [VERSION]) if c.metric == "step_s"]
    assert one.verdict == Verdict.NOT_COMPARABLE


def test_speed_between_frameworks_is_information() -> None:
    samples = [timed(cell, "a", r, 1.0 + r / 1000 + (cell is JAX)) for cell in (OLD, JAX) for r in range(20)]
    found = judge(samples, [FRAMEWORK])
    (one,) = [c for c in found if c.metric == "step_s"]
    assert (one.verdict, one.gates) == (Verdict.REGRESSED, False)
    assert exit_code(samples, found) == 0


def test_packages_that_moved_are_named() -> None:
    samples = [
        replace(sample(OLD, parameters=1), packages={"torch": "2.2.2", "numpy": "1.26.4", "six": "1"}),
        replace(sample(NEW, parameters=1), packages={"torch": "2.13.0", "numpy": "2.4.6", "six": "1"}),
    ]
    assert status_of(judge(samples, [VERSION]), NEW).packages == ("numpy 1.26.4 -> 2.4.6",)


@pytest.mark.parametrize(("status", "code"), [(Status.SKIPPED, 0), (Status.UNAVAILABLE, 3)])
def test_what_a_set_leaves_out_was_not_asked_for_and_what_cannot_run_was(status: Status, code: int) -> None:
    cell = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
    sample = Sample(cell, "e", "mnist", {}, 0, 0, "docker", Status.OK, "")
    assert exit_code([sample], [], [Skip(cell, status, "why")]) == code


def test_a_process_that_failed_does_not_make_the_others_not_comparable() -> None:
    ran = [
        replace(sample(cell, number=n, m=1.0), fingerprint={"device": "EPYC"}) for cell in (OLD, NEW) for n in (0, 1)
    ]
    lost = replace(sample(NEW, Status.UNAVAILABLE, 2), fingerprint={"device": "cpu"})
    timed = [replace(s, metrics=(Metric("m", 1.0, Kind.TIMING, Better.LOWER),)) for s in ran]
    (found,) = [c for c in judge([*timed, lost], [VERSION]) if c.metric == "m"]
    assert (found.verdict, found.evidence.n) == (Verdict.INCONCLUSIVE, 2)


@pytest.mark.parametrize(("outcome", "code"), [("ok", 3), ("failed", 0), (None, 3)])
def test_a_time_that_is_missing_since_its_tests_failed_was_measured(outcome: str | None, code: int) -> None:
    time = Metric("tests/test_a.py.time_s", 0.5, Kind.TIMING, Better.LOWER, "s")
    said = (Metric("tests/test_a.py.outcome", outcome, Kind.INFO),) if outcome else ()
    before = replace(sample(OLD), metrics=(time, Metric("tests/test_a.py.outcome", "ok", Kind.INFO)))
    after = replace(sample(NEW), metrics=said)
    found = judge([before, after], [VERSION])
    assert exit_code([before, after], [one for one in found if one.metric in ("status", time.name)]) == code
