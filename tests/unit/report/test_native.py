"""Keras beside the framework without it, in the tables and in the JSON."""

from __future__ import annotations

from runner.judge import rules
from runner.model import Better, Cell, Comparison, Evidence, Kind, Metric, Sample, Status, Verdict
from runner.report import Report, native
from runner.report.formats import jsonout, markdown
from runner.report.table import tables

NATIVE = Cell("jax", "0.10.2", None, "3.11", "cpu")
KERAS = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")
OLDER = Cell("jax", "0.10.2", "3.8.0", "3.11", "cpu")


def sample(cell: Cell, step_s: float = 0.1, probe: str = "mnist", number: int = 0) -> Sample:
    metrics = (
        Metric("free.step_s", step_s, Kind.TIMING, Better.LOWER, "s"),
        Metric("free.first_step_s", 1.0, Kind.TIMING, Better.LOWER, "s"),
        Metric("controlled.step_s", 0.1, Kind.TIMING, Better.LOWER, "s"),
        Metric("controlled.loss_per_step", [2.0, 1.5], Kind.TRAJECTORY, Better.LOWER),
        Metric("same.error_max", 1.0, Kind.ERROR, Better.LOWER, "u", 64),
    )
    return Sample(cell, "e", probe, {}, number, number, "docker", Status.OK, "", metrics, fingerprint={"host": "h"})


def compared(metric: str, verdict: Verdict, evidence: Evidence, baseline: Cell = NATIVE) -> Comparison:
    return Comparison(baseline.id, KERAS.id, "keras", "mnist", metric, verdict, "", evidence, gates=False)


SLOWER = compared("free.step_s", Verdict.REGRESSED, Evidence(6, 0.4, 0.31, 0.52, 0.01, 0.02))
EQUAL = compared("controlled.loss_per_step", Verdict.SAME, Evidence(6, 7.4e-6, classification="rounding"))


def report(*comparisons: Comparison) -> Report:
    return Report((sample(NATIVE), sample(KERAS), sample(OLDER)), comparisons)


def test_the_ratio_has_its_interval_and_the_agreement_its_bound() -> None:
    (one,) = native.beside(report(SLOWER, EQUAL, compared("free.step_s", Verdict.SAME, Evidence(), OLDER)))
    assert (one.cell, one.native, one.probe) == (KERAS, NATIVE, "mnist")
    assert one.ratios == "1.40× (1.31-1.52)"
    assert one.agrees == "rounding, 7.4e-6"


def test_only_free_warm_steps_are_speed() -> None:
    others = [compared(name, Verdict.SAME, Evidence(6, 0.1)) for name in ("free.first_step_s", "controlled.step_s")]
    assert native.beside(report(*others)) == ()


def test_several_workloads_are_a_range_and_the_worst_difference_is_named() -> None:
    speed = tuple(compared(f"{w}.b32.step_s", Verdict.SAME, Evidence(6, e)) for w, e in (("cnn", 0.02), ("lstm", 1.5)))
    wrong = compared("same.error_max", Verdict.REGRESSED, Evidence(2, 744.0, classification="tf32-like"))
    one = native.KerasCost(KERAS, NATIVE, "speed", speed, (EQUAL, wrong))
    assert one.ratios == "1.02-2.50×"
    assert one.agrees == "tf32-like, 740 u"


def test_the_tables_have_the_columns_only_where_there_is_a_twin() -> None:
    (table,) = tables(report(SLOWER, EQUAL))
    assert [column.label for column in table.columns][-2:] == [native.SPEED, native.AGREEMENT]
    last = {
        row.cell: [figure and (figure.text, figure.mark.symbol) for figure in row.figures[-2:]] for row in table.rows
    }
    assert last[KERAS] == [("1.40× (1.31-1.52)", "Δ"), ("rounding, 7.4e-6", "=")]
    assert last[NATIVE] == last[OLDER] == [None, None]
    (plain,) = tables(report())
    assert native.SPEED not in [column.label for column in plain.columns]
    assert "1.40× (1.31-1.52) Δ" in markdown.render(report(SLOWER, EQUAL))


def test_json_has_the_figures() -> None:
    (one,) = jsonout.to_dict(report(SLOWER, EQUAL))["keras_over_native"]
    assert (one["cell"], one["native"], one["framework"]) == (KERAS.id, NATIVE.id, "jax")
    assert one["speed"][0]["ratio"] == 1.4
    assert (one["speed"][0]["low"], one["speed"][0]["verdict"]) == (1.31, "regressed")
    assert one["agreement"][0]["error"] == 7.4e-6


def test_every_keras_cell_is_judged_against_its_twin_and_that_gates_no_speed() -> None:
    samples = [
        sample(cell, step, number=n)
        for n in range(14)
        for cell, step in ((OLDER, 0.1), (KERAS, 0.1), (NATIVE, 0.05 + n * 1e-5))
    ]
    found = rules.comparisons(samples, rules.Rules(set_name="keras-history"), expected=())
    steps = {(c.baseline, c.candidate): c for c in found if c.metric == "free.step_s"}
    assert steps[NATIVE.id, KERAS.id].verdict is Verdict.REGRESSED
    assert not steps[NATIVE.id, KERAS.id].gates
    assert (NATIVE.id, OLDER.id) in steps
    assert len(steps) == len({(c.baseline, c.candidate, c.metric) for c in found if c.metric == "free.step_s"})
