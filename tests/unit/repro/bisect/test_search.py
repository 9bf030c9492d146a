"""The search for the release that changed something, without anything to test."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.repro.bisect.search import Ask, Found, Mark, Refused, Step, ahead, step, vote


def _search(truth: list[Mark], *, find_fix: bool = False) -> tuple[Step, list[str]]:
    releases = [f"1.{n}" for n in range(len(truth))]
    answers: dict[str, Mark] = {}
    asked: list[str] = []
    while isinstance(after := step(releases, answers, find_fix=find_fix), Ask):
        assert after.version not in asked
        asked.append(after.version)
        answers[after.version] = truth[releases.index(after.version)]
    return after, asked


@given(st.integers(2, 300), st.data(), st.booleans())
def test_the_first_new_release_is_found_in_few_runs(n: int, data: st.DataObject, find_fix: bool) -> None:
    first_new = data.draw(st.integers(1, n - 1))
    old, new = (Mark.BAD, Mark.GOOD) if find_fix else (Mark.GOOD, Mark.BAD)
    found, asked = _search([old] * first_new + [new] * (n - first_new), find_fix=find_fix)
    assert found == Found(f"1.{first_new - 1}", f"1.{first_new}")
    assert len(asked) <= math.ceil(math.log2(n)) + 2


@given(st.integers(3, 60), st.data())
def test_releases_that_cannot_be_tested_are_stepped_around(n: int, data: st.DataObject) -> None:
    first_new = data.draw(st.integers(1, n - 1))
    truth = [Mark.GOOD] * first_new + [Mark.BAD] * (n - first_new)
    for skipped in data.draw(st.sets(st.integers(1, n - 2))):
        truth[skipped] = Mark.SKIP
    found, _ = _search(truth)
    assert isinstance(found, Found)
    suspects = [*found.between, found.first_new]
    assert f"1.{first_new}" in suspects
    assert all(truth[int(one.split(".")[1])] == Mark.SKIP for one in found.between)


@given(st.lists(st.sampled_from(Mark), min_size=2, max_size=40))
def test_whatever_the_answers_the_search_ends_at_a_change(truth: list[Mark]) -> None:
    found, asked = _search(truth)
    assert len(asked) <= len(truth)
    if isinstance(found, Found):
        assert truth[int(found.last_old.split(".")[1])] == Mark.GOOD
        assert truth[int(found.first_new.split(".")[1])] == Mark.BAD
    else:
        assert (truth[0], truth[-1]) != (Mark.GOOD, Mark.BAD)


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        ([Mark.GOOD, Mark.GOOD], "both ends are good"),
        ([Mark.BAD, Mark.BAD], "both ends are bad"),
        ([Mark.BAD, Mark.GOOD], "other way round"),
        ([Mark.SKIP, Mark.BAD], "1.0 cannot be tested"),
        ([Mark.GOOD, Mark.SKIP], "1.1 cannot be tested"),
    ],
)
def test_ends_that_enclose_no_change_are_refused(truth: list[Mark], why: str) -> None:
    found, asked = _search(truth)
    assert isinstance(found, Refused)
    assert why in found.reason
    assert len(asked) == (1 if truth[0] == Mark.SKIP else 2)


def test_both_next_candidates_are_known_while_one_is_tested() -> None:
    releases = [f"1.{n}" for n in range(9)]
    answers = {"1.0": Mark.GOOD, "1.8": Mark.BAD}
    assert step(releases, answers) == Ask("1.4")
    assert set(ahead(releases, answers, "1.4")) == {"1.2", "1.6"}


@pytest.mark.parametrize(
    ("marks", "repeat", "result"),
    [
        ([], 1, None),
        ([Mark.GOOD], 1, Mark.GOOD),
        ([Mark.GOOD], 3, None),
        ([Mark.GOOD, Mark.GOOD], 3, Mark.GOOD),
        ([Mark.GOOD, Mark.BAD], 3, None),
        ([Mark.GOOD, Mark.BAD, Mark.BAD], 3, Mark.BAD),
        ([Mark.GOOD, Mark.BAD], 2, Mark.SKIP),
        ([Mark.SKIP], 3, Mark.SKIP),
    ],
)
def test_a_flaky_release_is_voted_on(marks: list[Mark], repeat: int, result: Mark | None) -> None:
    assert vote(marks, repeat) == result
