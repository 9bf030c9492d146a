"""Which results belong to one run, and that nothing is kept twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.history import History
from runner.model import Cell, Comparison, Evidence, Kind, Metric, Status, Verdict

OTHER = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")


def values(database: History, metric: str = "step_s") -> dict[str, tuple[float, ...]]:
    """The figures of each cell over the runs."""
    return {series.cell: series.values for series in database.series(metric=metric)}


def counts(database: History) -> list[tuple[int, int]]:
    """The cells and results of each run."""
    return [(run.cells, run.samples) for run in database.runs()]


def test_a_run_is_kept_with_its_figures(database: History, lab: Any) -> None:
    done = database.add(lab.entry(*(lab.sample(1, n, value) for n, value in enumerate((1.0, 2.0, 9.0)))))
    assert (done.new, done.known, done.created) == (3, 0, True)
    (series,) = database.series(metric="step_s")
    (point,) = series.points
    assert (point.value, point.low, point.high, point.n) == (2.0, 1.0, 9.0, 3)
    assert (point.run, point.when) == (done.run, "2026-11-01T01:17:00+00:00")
    assert (series.unit, series.better, series.kind, series.host) == ("s", "lower", "timing", "atlas (EPYC)")


def test_a_figure_that_depends_on_the_seed_is_the_mean(database: History, lab: Any) -> None:
    database.add(lab.entry(*(lab.sample(1, n, value) for n, value in enumerate((1.0, 2.0, 9.0)))))
    assert values(database, "accuracy") == {lab.cell.id: (2.0,)}


def test_the_same_results_are_not_added_again(database: History, lab: Any) -> None:
    entry = lab.entry(lab.sample(1), lab.sample(1, cell=OTHER), findings=[lab.finding()])
    first = database.add(entry)
    again = database.add(entry)
    assert (again.run, again.new, again.known, again.created) == (first.run, 0, 2, False)
    assert counts(database) == [(2, 2)]
    assert [found.key for found in database.findings(database.run("latest"))] == ["slow"]


def test_the_name_of_a_run_follows_from_its_results_alone(lab: Any, tmp_path: Any) -> None:
    from runner import history

    names = set()
    for name in ("a", "b"):
        with history.open(tmp_path / name) as database:
            names.add(database.add(lab.entry(lab.sample(1), lab.sample(1, 1))).run)
    assert len(names) == 1


def test_a_folder_that_has_grown_updates_its_run(database: History, lab: Any) -> None:
    first = database.add(lab.entry(lab.sample(1, 0, 1.0)))
    grown = database.add(lab.entry(lab.sample(1, 0, 1.0), lab.sample(1, 1, 3.0), lab.sample(1, 0, cell=OTHER)))
    assert (grown.run, grown.new, grown.known, grown.created) == (first.run, 2, 1, False)
    assert values(database) == {lab.cell.id: (2.0,), OTHER.id: (1.0,)}


def test_shards_that_are_put_together_are_one_run(database: History, lab: Any) -> None:
    here, there = lab.sample(1, 0, 1.0), lab.sample(1, 1, 2.0, cell=OTHER)
    database.add(lab.entry(here))
    database.add(lab.entry(there))
    assert len(database.runs()) == 2
    both = database.add(lab.entry(here, there))
    assert (both.new, both.known) == (0, 2)
    third = lab.sample(1, 2, 3.0, cell=replace(OTHER, version="0.5.0"))
    merged = database.add(lab.entry(here, there, third))
    assert counts(database) == [(3, 3)]
    assert merged.run == database.runs()[0].id
    assert sorted(values(database).values()) == [(1.0,), (2.0,), (3.0,)]


def test_a_part_of_a_run_does_not_remove_the_rest(database: History, lab: Any) -> None:
    both = lab.entry(lab.sample(1), lab.sample(1, cell=OTHER), findings=[lab.finding("a"), lab.finding("b")])
    database.add(both)
    database.add(lab.entry(lab.sample(1), lab.sample(1, 1, 5.0), findings=[lab.finding("c")]))
    assert counts(database) == [(2, 3)]
    assert values(database) == {lab.cell.id: (3.0,), OTHER.id: (1.0,)}
    assert [found.key for found in database.findings(database.run("latest"))] == ["a", "b", "c"]


def test_what_was_measured_again_in_the_same_folder_is_another_run(database: History, lab: Any) -> None:
    """As with ``matrix --fresh --only``: the folder keeps the results of the other cells."""
    old, other = lab.sample(1, value=1.0), lab.sample(1, value=7.0, cell=OTHER)
    database.add(lab.entry(old, other))
    again = lab.sample(2, value=2.0)
    done = database.add(lab.entry(again, other))
    assert (done.created, done.new, done.known) == (True, 1, 1)
    assert values(database) == {lab.cell.id: (1.0, 2.0), OTHER.id: (7.0,)}
    further = database.add(lab.entry(again, lab.sample(2, 1, 4.0), other))
    assert (further.run, further.created) == (done.run, False)
    assert values(database) == {lab.cell.id: (1.0, 3.0), OTHER.id: (7.0,)}
    assert counts(database) == [(2, 2), (1, 2)]


def test_a_cell_that_could_not_run_and_then_did_is_one_run(database: History, lab: Any) -> None:
    missing = lab.sample(1, cell=OTHER, status=Status.UNAVAILABLE, reason="the network is down")
    first = database.add(lab.entry(lab.sample(1), missing))
    done = database.add(
        lab.entry(lab.sample(1), lab.sample(1, 0, 4.0, cell=OTHER, started="2026-11-01T05:00:00+00:00"))
    )
    assert (done.run, done.created) == (first.run, False)
    statuses = {one.cell: one.status for one in database.outcomes(database.run("latest"))}
    assert statuses == {lab.cell.id: "ok", OTHER.id: "ok"}


def test_the_results_of_another_set_are_another_run(database: History, lab: Any) -> None:
    shared = lab.sample(1)
    database.add(lab.entry(shared))
    database.add(lab.entry(shared, lab.sample(2, cell=OTHER), set_name="seeds"))
    assert [(run.set_name, run.samples) for run in database.runs()] == [("quick", 1), ("seeds", 1)]


def test_a_run_without_results_is_not_kept(database: History, lab: Any) -> None:
    assert database.add(lab.entry()).run == ""
    assert database.runs() == ()


def test_figures_that_are_not_numbers_are_left_out(database: History, lab: Any) -> None:
    metrics = (
        Metric("nan", float("nan"), Kind.SEEDED),
        Metric("huge", 10**400, Kind.EXACT),
        Metric("text", "x", Kind.EXACT),
        Metric("truth", True, Kind.EXACT),
        Metric("list", [1.0], Kind.TRAJECTORY),
        Metric("count", 12, Kind.EXACT),
        Metric("none", None, Kind.TIMING),
    )
    database.add(lab.entry(lab.sample(1, metrics=metrics)))
    assert [series.metric for series in database.series()] == ["count"]


@pytest.mark.parametrize("kind", [Kind.SEEDED, Kind.TIMING])
def test_figures_with_an_infinite_sum_have_a_finite_middle(database: History, lab: Any, kind: Kind) -> None:
    made = [lab.sample(round_=n, metrics=(Metric("x", value, kind),)) for n, value in enumerate((1.2e308, 1.7e308))]
    database.add(lab.entry(*made))
    assert values(database, "x") == {lab.cell.id: (1.2e308,)}


def test_a_timing_of_a_busy_process_does_not_count(database: History, lab: Any) -> None:
    database.add(lab.entry(lab.sample(1, 0, 1.0), lab.sample(1, 1, 9.0, quiet=False)))
    assert values(database) == {lab.cell.id: (1.0,)}
    assert values(database, "accuracy") == {lab.cell.id: (2.5,)}


def test_verdicts_are_kept_with_what_they_rest_on(database: History, lab: Any) -> None:
    evidence = Evidence(n=5, effect=0.5, low=0.4, high=0.6, p=0.001, p_adjusted=0.01, floor=0.05)
    judged = [
        Comparison(OTHER.id, lab.cell.id, "framework", "mnist", "step_s", Verdict.SAME, "equal"),
        Comparison(OTHER.id, lab.cell.id, "version", "mnist", "step_s", Verdict.REGRESSED, "slower", evidence),
        Comparison("", lab.cell.id, "", "mnist", "accuracy", Verdict.REGRESSED, "", gates=False),
    ]
    database.add(lab.entry(lab.sample(1), lab.sample(1, cell=OTHER), comparisons=judged))
    run = database.run("latest")
    kept = database.verdicts(run)
    assert [one["verdict"] for one in kept] == ["same", "regressed", "regressed"]
    assert kept[1] | {"reason": ""} == {
        "baseline": OTHER.id, "candidate": lab.cell.id, "axis": "version", "probe": "mnist", "metric": "step_s",
        "verdict": "regressed", "gates": True, "reason": "", "issue": "", "n": 5, "effect": 0.5, "low": 0.4,
        "high": 0.6, "p": 0.001, "p_adjusted": 0.01, "floor": 0.05, "classification": "", "steps": None,
    }  # fmt: skip
    points = {series.metric: series.points[0].verdict for series in database.series([lab.cell.id])}
    assert points == {"step_s": "regressed", "accuracy": "different"}
    assert [one.verdict for one in database.outcomes(run)] == ["", "regressed"]


def test_of_two_findings_with_one_key_the_worse_is_kept(database: History, lab: Any) -> None:
    found = [lab.finding("a", severity="regressed"), lab.finding("a", severity="expected")]
    database.add(lab.entry(lab.sample(1), findings=found))
    assert [one.severity for one in database.findings(database.run("latest"))] == ["regressed"]


def test_text_that_no_database_takes_is_kept_readable(database: History, lab: Any) -> None:
    bad = lab.sample(1, status=Status.CRASHED, reason="half \ud800 a character\x00\n and lines")
    database.add(lab.entry(bad))
    (one,) = database.outcomes(database.run("latest"))
    assert one.reason == "half � a character� and lines"


def test_pruned_runs_leave_nothing_behind(database: History, lab: Any) -> None:
    for entry in lab.days({1: 1.0, 2: 2.0}):
        database.add(entry)
    database.add(lab.entry(lab.sample(3, cell=OTHER), set_name="seeds"))
    old, new, other = database.runs()
    assert database.prune([old, other]) == 2
    assert database.runs() == (new,)
    assert database.cells() == (lab.cell.id,)
    assert len(database.series(metric="step_s")[0].points) == 1
    assert database.add(lab.days({1: 1.0})[0]).created  # what is pruned can be added again
