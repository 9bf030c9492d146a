"""The ends of a search -> the commits between them."""

from __future__ import annotations

import datetime as dt

from runner.environments import index
from runner.errors import UsageError
from runner.executors import Say
from runner.matrix import frameworks, sets
from runner.repro.bisect import nights, question
from runner.repro.bisect.lines import Commits
from runner.repro.bisect.question import Request
from runner.sources import history
from runner.sources.history import DIGITS, Commit, History
from runner.util import versions

EARLIER = dt.timedelta(hours=1)
"""A nightly build is numbered after its commit was checked out."""


def opened(request: Request) -> History | None:
    """The repository of the command line, or None.

    Raises UsageError for one that cannot be searched.
    """
    place = question.repository(request)
    if request.all_parents and not place:
        raise UsageError("--all-parents is about commits: it goes with --source REPOSITORY")
    if not place:
        return None
    there = history.opened(place)
    _check_project(request, there)
    return there


def _check_project(request: Request, there: History) -> None:
    """Raise UsageError for the repository of another package.

    Where its files do not state which one it is, the tags of the two ends decide.
    """
    moves, project = request.package, there.project
    if project and frameworks.named(project) != frameworks.named(moves):
        fixed = f"--source {frameworks.named(project)}={there.place}"
        way_out = f"give the repository of {moves}, or hold this one fixed: {fixed}"
        raise UsageError(f"--source {there.place}: it is the repository of {project}, not of {moves}; {way_out}")
    released = all(question.is_release(end) and not versions.night(end) for end in request.ends)
    if not project and released and not any(there.has_tag(moves, end) for end in request.ends):
        there.tagged(moves, request.ends[0])


def named(request: Request, there: History) -> tuple[str, str]:
    """The commits that the ends name, the older one first.

    An end is a commit, a tag, a branch, a release or a nightly build.

    Raises UsageError where one is not there, or where they are the same or the wrong way round.
    """
    good, bad = (_commit(request, word, there, newer=newer) for word, newer in _ends(request))
    if good == bad:
        raise UsageError(f"--good {request.good} and --bad {request.bad} are the same commit, {good}")
    old, new = (bad, good) if request.find_fix else (good, bad)
    if there.is_before(new, old):
        if request.find_fix:
            raise UsageError(f"--find-fix: --good {request.good} must be the newer one; swap them")
        raise UsageError(
            f"--good {request.good} is newer than --bad {request.bad}: swap them, or find the fix with --find-fix"
        )
    return old, new


def of_published(request: Request, there: History, old: str, new: str) -> tuple[str, str]:
    """The commits of two releases or nightly builds, the older one first.

    Raises UsageError where the repository does not have one, or where it has nothing between them.
    """
    first = _commit(request, old, there, newer=False)
    last = _commit(request, new, there, newer=True)
    if first == last:
        raise UsageError(f"--source {there.place}: {old} and {new} are the same commit, {first}; fetch what is newer")
    return first, last


def between(
    request: Request, there: History, old: str, new: str, say: Say, words: tuple[str, str] = ("", "")
) -> Commits:
    """The commits from ``old`` to ``new``. Raises UsageError where no line joins them.

    ``words``: how the ends were named.
    """
    older, newer = (_shown(commit, word) for commit, word in zip((old, new), words, strict=True))
    found = there.stretch(old, new)
    line = Commits(
        request.package,
        found.commits,
        there,
        request.executor,
        say,
        there.described(found.commits),
        apart=older if found.apart else "",
    )
    if line.apart:
        say(
            f"{older} is not on the first-parent line of {newer}: {line.points[0]}, where they diverge, is tested first"
        )
    return line


def into(request: Request, merge: Commit, there: History, say: Say) -> Commits:
    """The commits that a merge brought, on the line of its second parent.

    Raises UsageError.
    """
    first, second = (one[:DIGITS] for one in merge.parents[:2])
    return between(request, there, first, second, say)


def not_enclosed(request: Request, line: Commits) -> str:
    """Why the oldest point has the change already, if another end was named."""
    if not line.apart:
        return ""
    first, last = line.points[0], line.points[-1]
    word = "good" if request.find_fix else "bad"
    back = "fixed" if not request.find_fix else "broken"
    return (
        f"{first}, where {line.apart} and {last} diverge, is {word} already: the change is not between the two. "
        f"If {line.apart} is {'bad' if request.find_fix else 'good'}, it was {back} on its own branch, after {first}"
    )


def _shown(commit: str, word: str) -> str:
    """A commit with the word that named it, unless that is its hash."""
    return f"{commit} ({word})" if word and not commit.startswith(word[:7]) else commit


def _ends(request: Request) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """The good and the bad end, each with whether it is the newer one."""
    return (request.good, request.find_fix), (request.bad, not request.find_fix)


def _commit(request: Request, word: str, there: History, *, newer: bool) -> str:
    """The commit that an end names.

    Of a nightly build: the newest one before it was made.
    """
    name = frameworks.named(request.package)
    plain = word.removeprefix(f"{request.package}@")
    build = index.nightly(name, plain) if sets.is_nightly(plain) else word
    if versions.night(build):
        begin, end = nights.moments(build)
        return there.before(end if newer else begin - EARLIER)
    if question.is_release(word):
        return there.tagged(request.package, word)
    return there.commit(word)
