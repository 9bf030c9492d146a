"""Which nightly builds enclose what a release changed. Pure.

Nightly builds are made from the main line of development. A release is cut from a branch of it: 3.14.1 has what the
main line had when the branch of 3.14 left it, and single changes that were copied to the branch later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.errors import UsageError
from runner.util import versions


@dataclass(frozen=True, slots=True)
class Span:
    """Nightly builds, oldest first, and what the older end stands for."""

    builds: tuple[str, ...]
    since: str
    """The release on whose day the span begins."""


def branches(releases: Sequence[str], last_old: str) -> tuple[str, ...]:
    """The releases on whose day the search among the nights may begin, the best first.

    The first release of the same branch, then that of the branch before it: the branch may have left the main line
    some time before its first release.

    >>> branches(["3.13.0", "3.13.2", "3.14.0", "3.14.1", "3.15.0"], "3.14.1")
    ('3.14.0', '3.13.0')
    """
    firsts: dict[tuple[int, ...], str] = {}
    for release in releases:
        if not versions.is_prerelease(release):
            firsts.setdefault(_branch(release), release)
    upto = [first for branch, first in firsts.items() if branch <= _branch(last_old)]
    return tuple(reversed(upto[-2:]))


def spans(
    package: str, builds: Sequence[str], starts: Sequence[str], first_new: str, days: Mapping[str, str]
) -> tuple[Span, ...]:
    """The nights from each start to the first one after ``first_new``.

    The shortest span comes first.

    ``days``: the day of upload of the starts and of ``first_new``. Raises UsageError where no build is late or early
    enough.
    """
    for release in (*starts, first_new):
        if release not in days:
            raise UsageError(
                f"the package index does not state when {package} {release} was uploaded: "
                "name nightly builds as --good and --bad (example: nightly-2026-10-12)"
            )
    end = dt.date.fromisoformat(days[first_new])
    after = [build for build in builds if _night(build) > end]
    if not after:
        newest = f"the newest is of {_night(builds[-1])}" if builds else "there is none at all"
        raise UsageError(f"no nightly build of {package} after {first_new} of {end} yet: {newest}")
    found: list[Span] = []
    for start in starts:
        first = dt.date.fromisoformat(days[start])
        upto = [build for build in builds if _night(build) <= first]
        if upto:
            chosen = tuple(builds[builds.index(upto[-1]) : builds.index(after[0]) + 1])
            if chosen not in [one.builds for one in found]:
                found.append(Span(chosen, start))
    if not found:
        raise UsageError(f"no nightly build of {package} of the time before {starts[-1]} ({days[starts[-1]]})")
    return tuple(found)


def moments(build: str) -> tuple[dt.datetime, dt.datetime]:
    """Begin and end, in UTC, of the hour in which a nightly build was made.

    Of the day, where its number has no hour.

    >>> [str(moment) for moment in moments("3.16.0.dev2026102704")]
    ['2026-10-27 04:00:00+00:00', '2026-10-27 05:00:00+00:00']
    """
    day = dt.datetime.combine(_night(build), dt.time(), dt.UTC)
    digits = build.rpartition(".dev")[2][len("20261027") :]
    if len(digits) != len("04") or int(digits) > _LAST_HOUR:
        return day, day + dt.timedelta(days=1)
    begin = day + dt.timedelta(hours=int(digits))
    return begin, begin + dt.timedelta(hours=1)


_LAST_HOUR = 23


def _branch(release: str) -> tuple[int, ...]:
    numbers = (*versions.release(release), 0)
    return numbers[:2]


def _night(build: str) -> dt.date:
    day = versions.night(build)
    if day is None:
        raise UsageError(f"{build} is not a nightly build")
    return day
