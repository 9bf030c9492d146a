"""Which nightly builds enclose what a release changed."""

from __future__ import annotations

import pytest

from runner.errors import UsageError
from runner.repro.bisect import nights
from runner.repro.bisect.nights import Span

RELEASES = ("3.12.0", "3.13.0", "3.13.1", "3.13.2", "3.14.0rc0", "3.14.0", "3.14.1", "3.15.0")
DAYS = {"3.12.0": "2025-10-27", "3.13.0": "2025-12-17", "3.14.0": "2026-04-02", "3.14.1": "2026-05-06",
        "3.15.0": "2026-06-24"}  # fmt: skip
BUILDS = ("3.12.0.dev2025100703", "3.14.0.dev2025122004", "3.14.0.dev2026040204", "3.14.0.dev2026040304",
          "3.15.0.dev2026050604", "3.15.0.dev2026050704", "3.15.0.dev2026062404", "3.16.0.dev2026062505")  # fmt: skip


@pytest.mark.parametrize(
    ("last_old", "starts"),
    [
        ("3.14.0", ("3.14.0", "3.13.0")),
        ("3.14.1", ("3.14.0", "3.13.0")),
        ("3.13.2", ("3.13.0", "3.12.0")),
        ("3.12.0", ("3.12.0",)),
    ],
)
def test_the_search_begins_where_the_branch_of_the_older_release_began(last_old: str, starts: tuple[str, ...]) -> None:
    assert nights.branches(RELEASES, last_old) == starts


def test_the_nights_reach_from_the_branch_to_the_first_one_after_the_newer_release() -> None:
    assert nights.spans("keras", BUILDS, ("3.14.0", "3.13.0"), "3.15.0", DAYS) == (
        Span(BUILDS[2:], "3.14.0"),
        Span(BUILDS, "3.13.0"),
    )


def test_a_patch_release_has_its_nights_too_although_it_is_on_a_branch() -> None:
    assert nights.spans("keras", BUILDS, ("3.14.0",), "3.14.1", DAYS) == (Span(BUILDS[2:6], "3.14.0"),)


def test_a_start_without_an_earlier_night_is_left_out() -> None:
    assert nights.spans("keras", BUILDS[2:], ("3.14.0", "3.13.0"), "3.15.0", DAYS) == (Span(BUILDS[2:], "3.14.0"),)


def test_nights_with_the_same_builds_are_searched_once() -> None:
    found = nights.spans("keras", (BUILDS[0], *BUILDS[6:]), ("3.14.0", "3.13.0"), "3.15.0", DAYS)
    assert [one.since for one in found] == ["3.14.0"]


@pytest.mark.parametrize(
    ("builds", "days", "why"),
    [
        (BUILDS[:-1], DAYS, "no nightly build of keras after 3.15.0 of 2026-06-24 yet: the newest is of 2026-06-24"),
        ((), DAYS, "no nightly build of keras after 3.15.0 of 2026-06-24 yet: there is none at all"),
        (BUILDS[3:], DAYS, "no nightly build of keras of the time before 3.14.0 (2026-04-02)"),
        (
            BUILDS,
            {"3.14.0": "2026-04-02"},
            (
                "the package index does not state when keras 3.15.0 was uploaded: "
                "name nightly builds as --good and --bad (example: nightly-2026-10-12)"
            ),
        ),
    ],
)
def test_nights_that_cannot_enclose_it_are_refused(builds: tuple[str, ...], days: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        nights.spans("keras", builds, ("3.14.0",), "3.15.0", days)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("build", "begin", "end"),
    [
        ("3.16.0.dev2026102704", "2026-10-27T04:00:00+00:00", "2026-10-27T05:00:00+00:00"),
        ("2.22.0.dev20261027", "2026-10-27T00:00:00+00:00", "2026-10-28T00:00:00+00:00"),
        ("3.16.0.dev2026102799", "2026-10-27T00:00:00+00:00", "2026-10-28T00:00:00+00:00"),
    ],
)
def test_a_build_was_made_in_the_hour_of_its_number(build: str, begin: str, end: str) -> None:
    assert [moment.isoformat() for moment in nights.moments(build)] == [begin, end]
