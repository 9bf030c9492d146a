"""Figures over runs: what a series has, and where it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from runner import history
from runner.history import History
from runner.history.data import Past, Series
from runner.model import Cell, Comparison, Kind, Metric, Status, Verdict

HOST = {"host": "atlas", "cpu": "EPYC", "probe_hash": "p1", "settings": "s1", "data": "d1"}
OTHER = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")


def add(database: History, lab: Any, days: dict[int, float], **changes: Any) -> None:
    """One run a day, in any order."""
    for day, value in sorted(days.items(), key=lambda item: (item[0] % 3, item[0])):
        database.add(lab.entry(lab.sample(day, value=value, fingerprint={**HOST, **changes})))


def series(database: History, metric: str = "step_s") -> list[Series]:
    return list(database.series(metric=metric))


def test_points_are_in_the_order_of_time_whenever_they_were_added(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0})
    assert [one.values for one in series(database)] == [(1.0, 2.0, 3.0, 4.0)]
    assert [one.values for one in database.series(metric="step_s", runs=2)] == [(3.0, 4.0)]


def test_series_are_chosen_by_cell_probe_and_metric(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0})
    database.add(lab.entry(lab.sample(2, cell=OTHER, probe="speed")))
    named = [(one.cell, one.probe, one.metric) for one in database.series()]
    assert named == [
        (OTHER.id, "speed", "accuracy"),
        (OTHER.id, "speed", "step_s"),
        (lab.cell.id, "mnist", "accuracy"),
        (lab.cell.id, "mnist", "step_s"),
    ]
    assert {one.cell for one in database.series(["jax-*"])} == {OTHER.id}
    assert {one.probe for one in database.series(probe="mnist")} == {"mnist"}
    assert {one.metric for one in database.series(metric="step_s")} == {"step_s"}
    assert database.series(["nothing*"]) == ()
    assert database.metrics() == (
        ("mnist", "accuracy", "seeded"), ("mnist", "step_s", "timing"), ("speed", "accuracy", "seeded"),
        ("speed", "step_s", "timing"),
    )  # fmt: skip


def test_a_timing_never_crosses_hosts(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 1.1})
    add(database, lab, {3: 2.0, 4: 2.1}, host="moon", cpu="Xeon")
    first, second = series(database)
    assert (first.values, second.values) == ((1.0, 1.1), (2.0, 2.1))
    assert (first.host, second.host) == ("atlas (EPYC)", "moon (Xeon)")
    assert first.breaks == ("another host from 3 November",)
    assert second.breaks == ("another host before 3 November",)


def test_what_does_not_depend_on_the_host_goes_on_and_says_where_it_changed(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 1.1})
    add(database, lab, {3: 2.0, 4: 2.1}, host="moon", cpu="Xeon")
    (one,) = series(database, "accuracy")
    assert one.values == (0.5, 0.55, 1.0, 1.05)
    assert one.breaks == ("another host from 3 November, compared all the same",)
    add(database, lab, {5: 3.0})
    (one,) = series(database, "accuracy")
    assert one.breaks == (
        "another host from 5 November, compared all the same",
        "1 more change of the machine before that",
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"cpu": "Xeon"}, "another processor"),
        ({"cpu": "Xeon", "cores": 4}, "another processor"),
        ({"memory_gib": 7}, "another size of memory"),
        ({"device": "H200"}, "another device"),
        ({"executor": "host"}, "another executor"),
        ({"threads": 3}, "another threads"),
    ],
)
def test_a_timing_breaks_where_anything_of_the_fingerprint_differs(
    database: History, lab: Any, changed: dict[str, Any], why: str
) -> None:
    add(database, lab, {1: 1.0, 2: 1.0})
    add(database, lab, {3: 1.0, 4: 1.0}, **changed)
    assert [one.breaks for one in series(database)] == [(f"{why} from 3 November",), (f"{why} before 3 November",)]
    assert len(series(database, "accuracy")) == 1


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"probe_hash": "p2"}, "another version of the probe"),
        ({"settings": "s2"}, "other settings"),
        ({"data": "d2", "settings": "s2"}, "other settings and other data"),
    ],
)
def test_every_figure_breaks_where_the_work_differs(
    database: History, lab: Any, changed: dict[str, Any], why: str
) -> None:
    add(database, lab, {1: 1.0, 2: 1.0})
    add(database, lab, {3: 1.0, 4: 1.0}, **changed)
    for metric in ("step_s", "accuracy"):
        assert [one.breaks for one in series(database, metric)] == [
            (f"{why} from 3 November",),
            (f"{why} before 3 November",),
        ]


def test_the_shards_of_two_hosts_in_one_run_are_two_series(database: History, lab: Any) -> None:
    database.add(
        lab.entry(lab.sample(1, 0, 1.0), lab.sample(1, 0, 5.0, fingerprint={**HOST, "host": "moon"}))
    )  # fmt: skip
    assert sorted(one.values for one in series(database)) == [(1.0,), (5.0,)]
    assert [one.values for one in series(database, "accuracy")] == [(1.5,)]


# --- what a report shows ---------------------------------------------------------------------------------------------


def past(lab: Any, *samples: Any, **more: Any) -> Past:
    with history.read(lab.path) as database:
        return database.past(lab.entry(*samples, **more))


def test_a_report_sees_earlier_figures_and_its_own_as_the_last(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 2.0})
    known = past(lab, lab.sample(3, value=3.0))
    found = known.series(lab.cell.id, "mnist", "step_s")
    assert found is not None
    assert found.values == (1.0, 2.0, 3.0)
    assert [point.run for point in found.points] == [run.id for run in known.runs] + [""]
    assert known.series(lab.cell.id, "mnist", "digest") is None
    assert known.series(OTHER.id, "mnist", "step_s") is None


def test_a_report_that_is_in_the_history_is_not_its_own_past(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 2.0, 3: 3.0})
    known = past(lab, lab.sample(2, value=2.0))
    found = known.series(lab.cell.id, "mnist", "step_s")
    assert found is not None
    assert found.values == (1.0, 2.0)  # nor are later runs


def test_a_report_without_comparable_figures_knows_why(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 2.0}, host="moon")
    found = past(lab, lab.sample(3, value=3.0)).series(lab.cell.id, "mnist", "step_s")
    assert found is not None
    assert (found.values, found.breaks) == ((3.0,), ("another host before 3 November",))


def test_a_report_has_no_past_in_an_empty_history(database: History, lab: Any) -> None:
    known = past(lab, lab.sample(3))
    assert known.runs == ()
    assert known.series(lab.cell.id, "mnist", "step_s") is None
    assert known.cell(lab.cell.id) == ()


def test_changes_are_looked_for_in_the_series_that_are_looked_at(database: History, lab: Any) -> None:
    add(database, lab, {1: 1.0, 2: 2.0})
    asked: list[tuple[float, ...]] = []

    def find(series: Series) -> tuple[()]:
        asked.append(series.values)
        return ()

    known = database.past(lab.entry(lab.sample(3, value=3.0)), find)
    assert asked == []
    for _ in range(2):
        known.series(lab.cell.id, "mnist", "step_s")
    assert asked == [(1.0, 2.0, 3.0)]


def test_the_earlier_runs_of_a_cell_have_their_verdicts(database: History, lab: Any) -> None:
    worse = Comparison("", lab.cell.id, "", "mnist", "step_s", Verdict.REGRESSED, "")
    database.add(lab.entry(lab.sample(1), lab.sample(1, probe="speed"), comparisons=[worse]))
    crash = lab.sample(2, status=Status.CRASHED, reason="it fell")
    database.add(lab.entry(crash, lab.sample(2, 1)))
    first, second = past(lab, lab.sample(3)).cell(lab.cell.id)
    assert (first.status, first.verdict) == ("ok", "regressed")
    assert [(one.probe, one.verdict) for one in first.probes] == [("mnist", "regressed"), ("speed", "")]
    assert (second.status, second.when) == ("crashed", "2026-11-02T01:17:00+00:00")
    assert [(one.reason, one.n, one.failed) for one in second.probes] == [("it fell", 2, 1)]


def test_many_runs_are_read_up_to_a_limit(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.history.reading.MOST_RUNS", 3)
    with history.open(lab.path) as database:
        add(database, lab, dict.fromkeys(range(1, 8), 1.0))
    known = past(lab, lab.sample(9))
    found = known.series(lab.cell.id, "mnist", "step_s")
    assert found is not None
    assert len(found.points) == 4
    assert len(known.runs) == 7


def test_a_metric_whose_unit_was_corrected_has_the_new_one(database: History, lab: Any) -> None:
    for day, unit in ((1, ""), (2, "B")):
        metrics = (Metric("memory", 5.0, Kind.TIMING, unit=unit),)
        database.add(lab.entry(lab.sample(day, metrics=metrics)))
    assert [(one.unit, len(one.points)) for one in database.series()] == [("B", 2)]
