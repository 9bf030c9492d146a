"""Versions are ordered as PEP 440 orders them, and a text that is not a version stops nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.judge.expectations import Expectation
from runner.judge.pairing import pairs
from runner.model import Cell, Status
from runner.util import versions

RISING = [
    "main",  # texts that are not versions come first
    "1.9.post2",
    "2.16.0.dev1",
    "2.16.0a1.dev3",
    "2.16.0a1",
    "2.16.0b2",
    "2.16.0rc1",
    "2.16.0",
    "2.16.0+cpu",
    "2.16.0.post1.dev2",
    "2.16.0.post1",
    "2.16.1",
    "2.100.0",
    "1!0.1",
]


@pytest.mark.parametrize("older", range(len(RISING) - 1))
def test_each_version_comes_before_the_next(older: int) -> None:
    assert versions.order(RISING[older]) < versions.order(RISING[older + 1])


def test_no_version_at_all_comes_last() -> None:
    assert versions.order("1!0.1") < versions.order(None)
    assert versions.order("") < versions.order("main") < versions.order("0.1.dev0")


@pytest.mark.parametrize(
    ("one", "other"), [("2.0", "2.0.0"), ("3.0.0-rc.1", "3.0.0rc1"), ("2.4.0dev", "2.4.0.dev0"), ("v2.2.2", "2.2.2")]
)
def test_two_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert versions.order(one) == versions.order(other)


@given(st.lists(st.one_of(st.text(max_size=8), st.sampled_from(RISING)), max_size=8))
def test_anything_can_be_sorted_and_the_order_does_not_depend_on_where_it_began(texts: list[str]) -> None:
    once = sorted(texts, key=versions.order)
    again = sorted(sorted(texts, reverse=True), key=versions.order)
    assert [versions.order(text) for text in once] == [versions.order(text) for text in again]


def test_a_number_longer_than_python_converts_is_not_a_version() -> None:
    assert versions.order("9" * 5000) < versions.order("0")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.2.2", (2, 2, 2)), ("3.0.0", (3,)), ("0.0", (0,)), ("450.80.02", (450, 80, 2)), ("2.9.1rc1+cpu", (2, 9, 1))],
)
def test_the_numbers_of_a_version(version: str, numbers: tuple[int, ...]) -> None:
    assert versions.release(version) == numbers


@pytest.mark.parametrize("text", ["", "main", "cu121", "3.x"])
def test_a_text_without_numbers_of_a_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a version \(example: 2.2.2\)"):
        versions.release(text)


def test_prereleases_are_told_apart() -> None:
    before = ["2.0rc1", "2.0.dev3", "2.0a1", "2.0.post1.dev1"]
    assert [v for v in (*before, "2.0", "2.0.post1", "2.0+cpu", "main") if versions.is_prerelease(v)] == before


@pytest.mark.parametrize(("line", "name"), [("ML_dtypes>=0.4", "ml-dtypes"), ("torch[cuda]==2", "torch"), ("a-", "a")])
def test_the_project_of_a_requirement(line: str, name: str) -> None:
    assert versions.project(line) == name


def test_a_line_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="is not a requirement"):
        versions.project("==2.2")


def _cell(keras: str, version: str = "2.2.2") -> Cell:
    return Cell("torch", version, keras, "3.11", "cpu")


@pytest.mark.parametrize(("before", "after"), [("3.0.0rc1", "3.0.0"), ("3.0.0.dev1", "3.0.0"), ("3.9.2", "3.10.0")])
def test_the_older_release_is_the_baseline(before: str, after: str) -> None:
    (pair,) = pairs([_cell(after), _cell(before)])
    assert (pair.baseline.keras, pair.candidate.keras) == (before, after)


def test_a_beta_of_the_last_bad_release_is_bad_and_one_of_the_first_good_is_judged_by_its_order() -> None:
    known = Expectation("*", status=Status.CRASHED, last_bad="keras-3.9.2")
    covered = {keras: known.covers(_cell(keras), "mnist") for keras in ("3.9.2rc1", "3.9.2", "3.10.0rc1", "3.10.0")}
    assert covered == {"3.9.2rc1": True, "3.9.2": True, "3.10.0rc1": False, "3.10.0": False}
    final = Expectation("*", status=Status.CRASHED, last_bad="keras-3.10.0rc1")
    assert not final.covers(_cell("3.10.0"), "mnist")


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("3.16.0.dev2026102704", dt.date(2026, 10, 27)),
        ("2.23.0.dev20261026", dt.date(2026, 10, 26)),
        ("3.16.0.dev3", None),
        ("3.16.0.dev20261326", None),
        ("3.16.0", None),
        ("3.16.0.dev20261026+g1a2b3c4", None),
    ],
)
def test_a_nightly_build_is_known_by_the_day_in_its_number(version: str, day: dt.date | None) -> None:
    assert versions.night(version) == day


@pytest.mark.parametrize("version", ["3.16.0+g1a2b3c4", "3.16.0+g1a2b3c4.dirty1a2b3c4", "3.16.0rc1"])
def test_an_exact_version_may_have_a_local_part(version: str) -> None:
    assert versions.EXACT.fullmatch(version)
    assert versions.is_local(version) == ("+" in version)


@pytest.mark.parametrize("version", ["3.16.0+", "3.16.0+A", "3.16.0+a_b", "3.16.0+a..b", "3.16.0+a b", "latest"])
def test_what_is_not_an_exact_version_is_refused(version: str) -> None:
    assert not versions.EXACT.fullmatch(version)
