"""The binary search for the release that changed something. Pure.

Releases are in order. Once both ends are tested, the first is of the old kind and the last of the new kind. A release
that cannot be tested is skipped: its nearest untested neighbour is tested instead. Without such releases at most
ceil(log2 n) + 2 of n releases are tested, and none twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """The result of testing a release."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "skip"
    """The index has no such environment, or the test ran and cannot tell."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Test this release next."""

    version: str
    end: bool = False
    """Whether it is one of the two that the user named."""


@dataclass(frozen=True, slots=True)
class Found:
    """The search is over."""

    last_old: str
    first_new: str
    between: tuple[str, ...] = ()
    """Releases that could not be tested: the change may be in any of these, or in ``first_new``."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The ends do not enclose a change."""

    reason: str


Step = Ask | Found | Refused


def step(
    releases: Sequence[str], answers: Mapping[str, Mark], *, find_fix: bool = False, noun: str = "release"
) -> Step:
    """What to do next.

    ``releases`` are oldest first, ends included; with ``find_fix`` the oldest is the bad one. ``noun``: what they are.
    """
    old, new = (Mark.BAD, Mark.GOOD) if find_fix else (Mark.GOOD, Mark.BAD)
    first, last = releases[0], releases[-1]
    for end in (first, last):
        if end not in answers:
            return Ask(end, end=True)
        if answers[end] == Mark.SKIP:
            return Refused(f"{end} cannot be tested, and a search needs both ends; name another {noun} as the end")
    if refusal := _ends(first, last, answers, old, new):
        return refusal
    low = max(
        n for n, release in enumerate(releases) if answers.get(release) == old and _all_old(releases, answers, n, new)
    )
    high = next(n for n in range(low + 1, len(releases)) if answers.get(releases[n]) == new)
    open_ = [n for n in range(low + 1, high) if releases[n] not in answers]
    if not open_:
        return Found(releases[low], releases[high], tuple(releases[low + 1 : high]))
    middle = (low + high) / 2
    return Ask(releases[min(open_, key=lambda n: (abs(n - middle), n))])


def ahead(releases: Sequence[str], answers: Mapping[str, Mark], version: str, *, find_fix: bool = False) -> list[str]:
    """The releases that could be tested after ``version``, for either mark."""
    found = []
    for mark in (Mark.GOOD, Mark.BAD):
        after = step(releases, {**answers, version: mark}, find_fix=find_fix)
        if isinstance(after, Ask) and after.version not in found:
            found.append(after.version)
    return found


def vote(marks: Sequence[Mark], repeat: int) -> Mark | None:
    """The mark of a release after its runs; None where one more run can decide.

    It is the majority of up to ``repeat`` runs. A tie at the end is SKIP, and so is one run that cannot tell.

    >>> vote([Mark.BAD, Mark.BAD], 3)
    <Mark.BAD: 'bad'>
    """
    good, bad = marks.count(Mark.GOOD), marks.count(Mark.BAD)
    left = repeat - len(marks)
    if marks and Mark.SKIP in marks:
        return Mark.SKIP
    if left > 0 and abs(good - bad) <= left:
        return None
    if good == bad:
        return Mark.SKIP
    return Mark.GOOD if good > bad else Mark.BAD


def _all_old(releases: Sequence[str], answers: Mapping[str, Mark], upto: int, new: Mark) -> bool:
    """Whether no release before ``upto`` is new: the first of several changes counts."""
    return all(answers.get(release) != new for release in releases[:upto])


def _ends(first: str, last: str, answers: Mapping[str, Mark], old: Mark, new: Mark) -> Refused | None:
    got = (answers[first], answers[last])
    if got == (old, new):
        return None
    if got == (new, old):
        other = "without" if old == Mark.BAD else "with"
        return Refused(f"{first} is {got[0]} and {last} is {got[1]}: the other way round; try again {other} --find-fix")
    return Refused(f"both ends are {got[0]}: {first} and {last} do not enclose a change")
