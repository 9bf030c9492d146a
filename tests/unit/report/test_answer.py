"""What a report says, and what it leaves out until everything is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report, Severity
from runner.report.answer import answer
from runner.report.formats import html, jsonout, markdown, terminal

TF = Cell("tensorflow", "2.21.0", "3.11.3", "3.11", "cpu")
OLD = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NEW = Cell("torch", "2.15.0", "3.11.3", "3.11", "cpu")
CASES = ("plain", "same", "strided")
FINE = "conv2d: 3 cases, every error within rounding in all 3 combinations that run"


def sample(cell: Cell, probe: str) -> Sample:
    conv = tuple(Metric(f"{case}.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", terms=64) for case in CASES)
    mnist = (
        Metric("free.test_accuracy", 0.98, Kind.SEEDED, Better.HIGHER),
        Metric("free.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.first_step_s", 1.0, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.images_per_s", 1280.0, Kind.TIMING, Better.HIGHER, "images/s"),
        Metric("peak_rss_bytes", 1e9, Kind.TIMING, Better.LOWER, "B"),
        Metric("import_s", 2.0, Kind.TIMING, Better.LOWER, "s"),
    )
    time = Metric("plain.time_s", 0.1, Kind.TIMING, Better.LOWER, "s")
    metrics = mnist if probe == "mnist" else (*conv, time)
    return Sample(cell, cell.id, probe, {}, 0, 0, "docker", Status.OK, "", metrics)


def same(probe: str, *changed: Comparison) -> Report:
    """Three cells in which nothing differs but what is given."""
    samples = tuple(sample(cell, probe) for cell in (TF, OLD, NEW))
    told = {(c.candidate, c.metric) for c in changed}
    equal = tuple(
        judged(cell, m.name, Verdict.SAME, probe=probe)
        for cell in (OLD, NEW)
        for m in samples[0].metrics
        if (cell.id, m.name) not in told
    )
    return Report(samples, (*equal, *changed))


def judged(cell: Cell, metric: str, verdict: Verdict, **more: Any) -> Comparison:
    name = "rounding" if metric.endswith("error_max") else ""
    made = Comparison(
        TF.id, cell.id, "framework", "conv2d", metric, verdict, "", Evidence(5, 0.01, classification=name)
    )
    return replace(made, **more)


def test_a_probe_in_which_nothing_differs_is_one_line_and_no_table() -> None:
    said = answer(same("conv2d"))
    assert [(f.severity, f.text) for f in said.findings] == [(Severity.FINE, FINE)]
    assert said.tables == ()
    text = terminal.render(same("conv2d"))
    assert f"FINE       {FINE}\n" in text
    assert "largest error" not in text
    assert FINE in markdown.render(same("conv2d"))
    assert FINE in html.render(same("conv2d"))
    assert [f["label"] for f in jsonout.to_dict(same("conv2d"))["findings"]] == ["FINE"]


def test_equal_errors_that_rounding_does_not_explain_are_not_called_rounding() -> None:
    """On a GPU all cells can have the errors of TF32: they do not differ, and are not rounding."""
    alike = Evidence(5, 744.0, classification="tf32-like")
    errors = [judged(cell, f"{case}.error_max", Verdict.SAME, evidence=alike) for cell in (OLD, NEW) for case in CASES]
    said = answer(same("conv2d", *errors))
    assert [f.text for f in said.findings] == ["conv2d: no difference in all 3 combinations that run"]


def test_everything_has_the_table_in_place_of_the_line() -> None:
    said = answer(replace(same("conv2d"), everything=True))
    assert said.findings == ()
    assert [column.label for column in said.tables[0].columns] == ["largest error", "time"]
    assert "largest error" in terminal.render(replace(same("conv2d"), everything=True))


def test_one_figure_that_differs_brings_the_table_back() -> None:
    worse = judged(NEW, "plain.error_max", Verdict.REGRESSED, evidence=Evidence(classification="wrong"))
    said = answer(same("conv2d", worse))
    assert [f.severity for f in said.findings] == [Severity.REGRESSED]
    assert [[column.label for column in table.columns] for table in said.tables] == [["largest error"]]
    assert said.tables[0].folded == ("No difference: time",)


def test_what_is_not_decided_is_said_in_the_line() -> None:
    open_ = tuple(judged(cell, "plain.time_s", Verdict.INCONCLUSIVE) for cell in (OLD, NEW))
    said = answer(same("conv2d", *open_))
    assert said.findings[-1].text == f"{FINE} (too few runs to tell: time)"
    assert said.tables == ()


def test_a_probe_in_which_nothing_was_compared_keeps_its_table() -> None:
    said = answer(replace(same("conv2d"), comparisons=()))
    assert said.findings == ()
    assert len(said.tables) == 1


def test_a_cell_that_broke_keeps_the_table_of_its_probe() -> None:
    report = same("conv2d")
    failed = replace(report.samples[2], status=Status.CRASHED, reason="why", metrics=())
    broke = judged(NEW, "status", Verdict.BROKEN, baseline_value=Status.OK)
    kept = tuple(c for c in report.comparisons if c.candidate != NEW.id)
    said = answer(replace(report, samples=(*report.samples[:2], failed), comparisons=(*kept, broke)))
    assert len(said.tables) == 1
    assert not any(f.severity is Severity.FINE for f in said.findings)


def test_a_probe_with_headline_figures_keeps_them_and_folds_the_columns_without_a_difference() -> None:
    (table,) = answer(same("mnist")).tables
    assert [column.label for column in table.columns] == ["test accuracy", "step time", "first step", "peak memory"]
    assert table.folded == ("No difference: images/s, import time",)
    (table,) = answer(replace(same("mnist"), everything=True)).tables
    assert [column.label for column in table.columns][3:] == ["images/s", "peak memory", "import time"]
    assert table.folded == ()


def test_a_column_in_which_a_cell_differs_stays() -> None:
    slower = judged(NEW, "import_s", Verdict.REGRESSED, probe="mnist")
    (table,) = answer(same("mnist", slower)).tables
    assert [column.label for column in table.columns][-1] == "import time"
    assert table.folded == ("No difference: images/s",)


def test_an_undecided_column_that_is_no_headline_is_folded_as_undecided() -> None:
    open_ = judged(NEW, "import_s", Verdict.INCONCLUSIVE, probe="mnist")
    (table,) = answer(same("mnist", open_)).tables
    assert table.folded == ("Too few runs to tell: import time", "No difference: images/s")


def test_probes_with_headline_figures_come_first() -> None:
    conv, mnist = same("conv2d"), same("mnist")
    both = Report((*conv.samples, *mnist.samples), (*conv.comparisons, *mnist.comparisons), everything=True)
    assert [table.probe for table in answer(both).tables] == ["mnist", "conv2d"]
