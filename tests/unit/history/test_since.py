"""Since when a finding is there, and which are new and gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.history import History, words
from runner.history.data import Found
from runner.model import Cell, Status

OTHER = Cell("jax", "0.10.2", "3.11.3", "3.11", "cpu")


def days(database: History, lab: Any, found: dict[int, list[Found]], **more: Any) -> None:
    for day, some in found.items():
        database.add(lab.entry(lab.sample(day, **more), findings=some))


def since(database: History, lab: Any, found: Found, day: int = 12, **more: Any) -> str:
    """Since when the run of that day has the finding."""
    return database.past(lab.entry(lab.sample(day, **more), findings=[found])).since(found.key)


def test_a_finding_is_there_since_the_first_of_the_runs_that_all_have_it(database: History, lab: Any) -> None:
    slow = lab.finding("slow")
    days(database, lab, {1: [slow], 2: [], 3: [slow], 4: [slow]})
    assert since(database, lab, slow) == "since the night of 3 November"


def test_a_run_by_day_is_not_a_night(database: History, lab: Any) -> None:
    slow = lab.finding("slow")
    days(database, lab, {1: []})
    days(database, lab, {3: [slow]}, started="2026-11-03T14:00:00+00:00")
    assert since(database, lab, slow) == "since 3 November"


def test_a_finding_of_another_year_has_the_year(database: History, lab: Any) -> None:
    slow = lab.finding("slow")
    days(database, lab, {1: [], 2: [slow]})
    assert since(database, lab, slow, started="2027-01-05T01:00:00+00:00") == "since the night of 2 November 2026"


def test_a_new_finding_is_since_nothing(database: History, lab: Any) -> None:
    slow = lab.finding("slow", release="torch 2.2.2")
    days(database, lab, {1: [slow], 2: []})
    assert since(database, lab, slow) == ""


def test_a_run_that_did_not_measure_the_cell_says_nothing(database: History, lab: Any) -> None:
    slow = lab.finding("slow")
    days(database, lab, {1: [], 2: [slow]})
    days(database, lab, {3: []}, cell=OTHER)
    days(database, lab, {4: []}, probe="speed")
    days(database, lab, {5: []}, status=Status.UNAVAILABLE)
    days(database, lab, {6: [slow]})
    assert since(database, lab, slow) == "since the night of 2 November"


def test_a_run_of_another_set_says_nothing(database: History, lab: Any) -> None:
    slow = lab.finding("slow")
    days(database, lab, {1: [], 2: [slow]})
    database.add(lab.entry(lab.sample(3), set_name="full"))
    days(database, lab, {4: [slow]})
    assert since(database, lab, slow) == "since the night of 2 November"


@pytest.mark.parametrize(
    ("severity", "expected"), [("broken", "at least since the night of 1 November"), ("different", "")]
)
def test_a_grave_finding_that_was_always_there_has_the_first_date(
    database: History, lab: Any, severity: str, expected: str
) -> None:
    found = lab.finding("x", severity=severity)
    days(database, lab, {1: [found], 2: [found]})
    assert since(database, lab, found) == expected


def test_a_finding_that_was_always_there_is_since_its_release(database: History, lab: Any) -> None:
    found = lab.finding("x", release="torch 2.2.2")
    days(database, lab, {1: [found], 2: [found]})
    assert since(database, lab, found) == "since torch 2.2.2 at the latest"


def test_the_release_is_the_oldest_that_shows_the_same(database: History, lab: Any) -> None:
    """Keras 3.9.0 is fine, 3.10.0 and 3.11.3 are slow."""
    releases = {name: replace(lab.cell, keras=name) for name in ("3.8.0", "3.9.0", "3.10.0", "3.11.3")}

    def slow(name: str) -> Found:
        cell = releases[name].id
        found: Found = lab.finding(f"slow {cell}", cells=(cell,), kin="slow in keras", release=f"keras {name}")
        return found

    bad = [slow("3.8.0"), slow("3.10.0")]
    database.add(
        lab.entry(*(lab.sample(1, cell=releases[name]) for name in ("3.8.0", "3.9.0", "3.10.0")), findings=bad)
    )
    newest = slow("3.11.3")
    assert since(database, lab, newest, cell=releases["3.11.3"]) == "since keras 3.10.0 at the latest"
    alone = database.past(lab.entry(lab.sample(2, cell=OTHER), findings=[replace(newest, kin="")]))
    assert alone.since(newest.key) == "since keras 3.11.3 at the latest"


def test_a_release_that_the_probe_did_not_measure_is_skipped(database: History, lab: Any) -> None:
    old, between, new = (replace(lab.cell, version=name) for name in ("2.0.1", "2.1.2", "2.2.2"))
    first = lab.finding("a", cells=(old.id,), kin="k", release="torch 2.0.1")
    database.add(lab.entry(lab.sample(1, cell=old), lab.sample(1, cell=between, probe="speed"), findings=[first]))
    found = lab.finding("b", cells=(new.id,), kin="k", release="torch 2.2.2")
    assert since(database, lab, found) == "since torch 2.0.1 at the latest"


# --- what is new and what is gone ------------------------------------------------------------------------------------


def news(database: History, run: str = "latest") -> tuple[list[str], list[str], list[str]]:
    found = database.news(database.run(run))
    new, lasting, gone = (sorted(one.key for one in some) for some in (found.new, found.lasting, found.gone))
    return new, lasting, gone


def test_findings_are_new_lasting_or_gone(database: History, lab: Any) -> None:
    a, b, c = (lab.finding(name) for name in "abc")
    days(database, lab, {1: [a, b]})
    assert news(database) == (["a", "b"], [], [])
    assert database.news(database.run("latest")).before is None
    days(database, lab, {2: [b, c]})
    assert news(database) == (["c"], ["b"], ["a"])
    days(database, lab, {3: [b, c]})
    assert news(database) == ([], ["b", "c"], [])


def test_a_run_of_a_few_cells_makes_nothing_new_and_nothing_gone(database: History, lab: Any) -> None:
    a = lab.finding("a")
    days(database, lab, {1: [a]})
    days(database, lab, {2: []}, cell=OTHER)
    assert news(database) == ([], [], [])
    days(database, lab, {3: [a]})
    assert news(database) == ([], ["a"], [])
    days(database, lab, {4: []}, cell=OTHER)
    days(database, lab, {5: []})
    assert news(database) == ([], [], ["a"])
    days(database, lab, {6: []})
    assert news(database) == ([], [], [])
    days(database, lab, {7: [a]})
    assert news(database) == (["a"], [], [])


def test_a_lasting_finding_says_since_when(database: History, lab: Any) -> None:
    a = lab.finding("a")
    days(database, lab, {1: [], 2: [a], 3: [a]})
    (one,) = database.news(database.run("latest")).lasting
    assert one.since == "since the night of 2 November"


def test_a_time_that_cannot_be_read_is_not_a_date() -> None:
    assert words.moment("yesterday") is None
    assert words.moment("0001-01-01T00:00:00+14:00") is None  # no day of the calendar in UTC
    assert words.since("yesterday") == "since an unknown day"
