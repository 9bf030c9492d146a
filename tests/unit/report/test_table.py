"""How samples and comparisons become tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report, columns
from runner.report.labels import common, labels
from runner.report.marks import Mark, mark
from runner.report.rows import Row, Table
from runner.report.summary import combined, summarise
from runner.report.table import delta, tables


def find(report: Report, probe: str, version: str, keras: str) -> Row:
    table = next(t for t in tables(report) if t.probe == probe)
    return next(r for r in table.rows if (r.cell.version, r.cell.keras) == (version, keras))


def column(table: Table, label: str) -> int:
    return [c.label for c in table.columns].index(label)


def made(cell: Cell, *metrics: Metric, round_: int = 0, status: Status = Status.OK) -> Sample:
    return Sample(cell, cell.id, "probe", {}, round_, round_, "host", status, "", metrics)


def test_frameworks_are_groups_and_the_baseline_comes_first(quick: Report) -> None:
    mnist = tables(quick)[0]
    assert [framework for framework, _ in mnist.groups] == ["tensorflow", "torch", "jax", "numpy"]
    torch = dict(mnist.groups)["torch"]
    assert [(r.cell.version, r.cell.keras) for r in torch] == [
        ("2.2.2", "3.11.3"),
        ("2.2.2", "3.15.1"),
        ("2.15.0", "3.11.3"),
    ]
    assert [r.leads for r in torch] == [True, False, False]


def test_the_baseline_framework_is_the_first_group() -> None:
    jax, tf = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu"), Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
    step = Metric("step_s", 0.1, Kind.TIMING, Better.LOWER, "s")
    comparison = Comparison(jax.id, tf.id, "framework", "probe", "step_s", Verdict.SAME, "")
    table = tables(Report((made(tf, step), made(jax, step)), (comparison,)))[0]
    assert [framework for framework, _ in table.groups] == ["jax", "tensorflow"]


def test_a_row_names_what_it_is_compared_with(quick: Report) -> None:
    assert find(quick, "mnist", "2.15.0", "3.11.3").against == "torch 2.2.2"
    assert find(quick, "mnist", "2.2.2", "3.15.1").against == "keras 3.11.3"
    assert find(quick, "mnist", "0.10.2", "3.11.3").against == "tensorflow 2.21.0"
    assert find(quick, "mnist", "2.2.2", "3.11.3").against == ""


def test_the_figure_is_the_median_with_its_verdict_and_change(quick: Report) -> None:
    table = tables(quick)[0]
    figure = find(quick, "mnist", "2.15.0", "3.11.3").figures[column(table, "step time")]
    assert figure is not None
    assert (figure.text, figure.mark, figure.delta) == ("16.1 ms", Mark.WORSE, "×1.31")
    assert figure.summaries[0].n == 12


def test_accuracy_changes_in_points_and_numerics_by_name(quick: Report) -> None:
    mnist, conv = tables(quick)
    accuracy = find(quick, "mnist", "2.15.0", "3.11.3").figures[column(mnist, "test accuracy")]
    error = find(quick, "conv2d", "2.15.0", "3.11.3").figures[column(conv, "largest error")]
    assert accuracy is not None
    assert error is not None
    assert accuracy.delta == "−10.00 pts"
    assert error.delta == "tf32-like"


def test_a_cell_that_failed_has_a_status_and_a_reason_instead_of_figures(quick: Report) -> None:
    row = find(quick, "mnist", "2.2.2", "3.15.1")
    assert row.figures == ()
    assert row.status is Status.IMPORT_FAILED
    assert "register_pytree_node" in row.reason
    assert row.mark is Mark.EXPECTED
    assert row.issue.endswith("/20713")


def test_a_cell_that_failed_sometimes_keeps_its_figures_and_says_how_often(quick: Report) -> None:
    bad = replace(quick.samples[0], status=Status.TIMEOUT, reason="after 900 s", metrics=(), round=9)
    row = find(replace(quick, samples=(*quick.samples, bad)), "mnist", "2.21.0", "3.11.3")
    assert (row.failed, row.n) == (1, 13)
    assert row.figures


@pytest.mark.parametrize(
    ("verdict", "gates", "expected"),
    [
        (Verdict.REGRESSED, True, Mark.WORSE),
        (Verdict.REGRESSED, False, Mark.DIFFERS),
        (Verdict.IMPROVED, False, Mark.DIFFERS),
        (Verdict.INCONCLUSIVE, True, Mark.UNDECIDED),
        (Verdict.EXPECTED, False, Mark.EXPECTED),
        (Verdict.NO_BASELINE, True, Mark.NONE),
    ],
)
def test_a_verdict_is_drawn_by_what_it_means_for_the_run(verdict: Verdict, gates: bool, expected: Mark) -> None:
    comparison = Comparison("a", "b", "version", "p", "m", verdict, "", Evidence(n=5), gates=gates)
    assert mark(comparison) is expected


def test_only_what_is_worse_is_red_and_every_mark_is_its_own_symbol() -> None:
    assert [m for m in Mark if "red" in m.style] == [Mark.WORSE]
    for symbols in ([m.symbol for m in Mark], [m.ascii_symbol for m in Mark]):
        assert len(set(symbols)) == len(symbols)


def test_a_known_probe_has_its_columns_in_order(quick: Report) -> None:
    assert [c.label for c in tables(quick)[0].columns] == [
        "test accuracy",
        "step time",
        "first step",
        "peak memory",
        "images/s",
        "import time",
    ]


def test_many_modes_of_one_figure_are_one_column_with_the_worst_verdict() -> None:
    base, cell = Cell("torch", "1", "3", "3.11", "cpu"), Cell("torch", "2", "3", "3.11", "cpu")
    samples = [
        made(c, *(Metric(f"case_{n}.error_max", n + 1.0, Kind.ERROR, Better.LOWER, "u") for n in range(9)))
        for c in (base, cell)
    ]
    comparisons = tuple(
        Comparison(
            base.id,
            cell.id,
            "version",
            "probe",
            f"case_{n}.error_max",
            Verdict.REGRESSED if n == 4 else Verdict.SAME,
            "",
            Evidence(classification="wrong" if n == 4 else "rounding"),
        )
        for n in range(9)
    )
    table = tables(Report(tuple(samples), comparisons))[0]
    assert [c.label for c in table.columns] == ["largest error"]
    figure = table.rows[1].figures[0]
    assert figure is not None
    assert (figure.text, figure.mark, figure.delta) == ("9.00 u", Mark.WORSE, "wrong")


def test_a_regression_that_has_no_column_gets_one() -> None:
    metrics = [Metric(f"figure_{n}", n, Kind.TIMING, Better.LOWER, "s") for n in range(20)]
    picks = columns.choose("unknown", metrics, bad={"figure_19": ["a cell"]})
    assert len(picks) == columns.MOST + 1
    assert picks[-1].names == ("figure_19",)


def test_digests_and_lists_are_no_columns_until_they_differ() -> None:
    metrics = [
        Metric("digest", "ab" * 32, Kind.EXACT),
        Metric("loss_per_step", [2.0, 1.0], Kind.TRAJECTORY),
        Metric("step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
    ]
    assert [p.names for p in columns.choose("new", metrics)] == [("step_s",)]
    assert ("loss_per_step",) in [p.names for p in columns.choose("new", metrics, bad={"loss_per_step": ["a cell"]})]


def test_summaries_have_median_least_and_greatest() -> None:
    cell = Cell("torch", "1", None, "3.11", "cpu")
    samples = [made(cell, Metric("step_s", v, Kind.TIMING), round_=n) for n, v in enumerate([0.3, 0.1, 0.2])]
    failed = made(cell, Metric("step_s", 99.0, Kind.TIMING), status=Status.CRASHED)
    summary = summarise([*samples, failed])["step_s"]
    assert (summary.n, summary.median, summary.low, summary.high) == (3, 0.2, 0.1, 0.3)


def test_values_that_are_not_numbers_have_no_median() -> None:
    cell = Cell("torch", "1", None, "3.11", "cpu")
    summary = summarise([made(cell, Metric("generator", v, Kind.EXACT)) for v in ("numpy", "torch")])["generator"]
    assert (summary.median, summary.distinct) == (None, 2)
    assert combined([summary]) == "2 different"


def test_what_all_cells_share_has_no_column(quick: Report) -> None:
    table = tables(quick)[0]
    shared = common(r.cell for r in table.rows)
    assert labels(table.rows, shared)[0] == ("version", "keras", "against")
    cuda = replace(table.rows[0], cell=replace(table.rows[0].cell, device="cuda"))
    rows = (*table.rows, cuda)
    assert "device" in labels(rows, common(r.cell for r in rows))[0]


def test_no_samples_make_no_tables() -> None:
    assert tables(Report((), ())) == ()


def test_a_change_of_unknown_size_is_not_shown() -> None:
    metric = Metric("step_s", 0.1, Kind.TIMING, Better.LOWER, "s")
    moved = Comparison("a", "b", "version", "probe", "step_s", Verdict.REGRESSED, "")
    assert delta(metric, moved) == ""
    assert delta(metric, replace(moved, evidence=Evidence(effect=0.31))) == "×1.31"
    assert delta(metric, None) == ""


def test_a_field_that_is_worse_than_another_baseline_says_which() -> None:
    root, old, new = (
        Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu"),
        Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu"),
        Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu"),
    )
    step = Metric("step_s", 0.1, Kind.TIMING, Better.LOWER, "s")
    accuracy = Metric("accuracy", 0.9, Kind.SEEDED, Better.HIGHER)
    samples = tuple(made(cell, step, accuracy) for cell in (root, old, new))

    def judged(baseline: Cell, candidate: Cell, metric: str, verdict: Verdict, effect: float) -> Comparison:
        axis = "version" if baseline is old else "framework"
        evidence = Evidence(effect=effect)
        speed = metric == "step_s" and axis == "framework"
        return Comparison(
            baseline.id, candidate.id, axis, "probe", metric, verdict, "", evidence, gates=not speed
        )  # fmt: skip

    report = Report(
        samples,
        (
            judged(root, old, "step_s", Verdict.SAME, 0.0),
            judged(root, old, "accuracy", Verdict.SAME, 0.0),
            judged(root, new, "step_s", Verdict.SAME, 0.0),
            judged(root, new, "accuracy", Verdict.SAME, 0.0),
            judged(old, new, "step_s", Verdict.REGRESSED, 0.31),
            judged(old, new, "accuracy", Verdict.SAME, 0.0),
        ),
    )
    table = tables(report)[0]
    row = next(r for r in table.rows if r.cell == new)
    assert row.against == "tensorflow 2.21.0"
    figure = row.figures[column(table, "step time")]
    assert figure is not None
    assert (figure.mark, figure.delta) == (Mark.WORSE, "×1.31 vs torch 2.2.2")
    same = replace(report, comparisons=report.comparisons[:4], everything=True)
    figure = next(r for r in tables(same)[0].rows if r.cell == new).figures[column(table, "step time")]
    assert figure is not None
    assert (figure.mark, figure.delta) == (Mark.SAME, "")


def test_folded_figures_are_counted_where_they_are_many() -> None:
    base, cell = Cell("torch", "1", "3", "3.11", "cpu"), Cell("torch", "2", "3", "3.11", "cpu")
    step = Metric("step_s", 0.1, Kind.TIMING, Better.LOWER, "s")
    digests = [Metric(f"figure_{n:02}", "ab" * 32, Kind.EXACT) for n in range(20)]
    samples = tuple(made(c, step, *digests) for c in (base, cell))
    comparisons = tuple(
        Comparison(base.id, cell.id, "version", "probe", m.name, Verdict.SAME, "") for m in (step, *digests)
    )
    (table,) = tables(Report(samples, comparisons, everything=True))
    (line,) = table.folded
    assert line.startswith("No difference: figure 00, figure 01, ")
    assert line.endswith("figure 07 and 12 more")
