"""The report of a finished search: Markdown to paste into an issue. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.matrix import frameworks
from runner.repro.bisect.question import Answer
from runner.repro.bisect.search import Found, Mark
from runner.sources.history import Commit
from runner.util.plain import printable, uncoloured

_WITH_FRAMEWORKS = frozenset({"keras", "ml-dtypes", "optree"})
"""Packages whose version is listed with the environment, besides those of the frameworks."""
_COUNTED = {Mark.GOOD: "good", Mark.BAD: "bad", Mark.SKIP: "could not be tested"}
_LONGEST = 160
"""Characters of a reason in the table."""
_MOST = 20
"""Of a longer list of commits only the ends are printed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A search that found the point of a line."""

    package: str
    end: Found
    find_fix: bool
    answers: Mapping[str, Answer]
    points: Sequence[str]
    """All that the line has, oldest first, ends included."""
    ran: int
    """How many were tested by this command; the others were tested before it was interrupted."""
    python: str
    cell: str
    """Id of the cell with the new release."""
    executor: str
    """As a report names it: ``containers``."""
    dates: Mapping[str, str]
    """Day of upload by release, where it is known."""
    command: Sequence[str]
    """The words of the command line."""
    noun: str = "release"
    """What a point is: ``release``, ``nightly build`` or ``commit``."""
    known: Mapping[str, Commit] = field(default_factory=dict)
    """What is known of commits."""
    web: str = ""
    """The address of their repository on GitHub, or empty."""
    builds: int = 0
    """How many commits this command built."""
    merged: int = 0
    """How many commits the one that was found merged."""
    apart: str = ""
    """The end in whose place the oldest commit was tested, because it is on another branch."""
    before: tuple[str, ...] = ()
    """What earlier searches of the same command found, in one line each."""
    problems: tuple[str, ...] = ()
    """Why the search ended before the point that was asked for."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a command that found something."""

    text: str
    """The report, as Markdown."""
    line: str
    """What was found, in one line."""
    path: Path
    """The file of the report."""
    exit_code: int


def summary(finished: Finished) -> str:
    """What was found, in one line.

    ``keras 3.9.0 (2025-03-04) is the first good release, 3.8.0 the last bad one``
    """
    old, new = _words(finished)
    end = finished.end
    day = _day(finished, end.first_new)
    subject = f" {_subject(finished, end.first_new)}" if end.first_new in finished.known else ""
    line = f"{finished.package} {end.first_new} ({day}){subject} is the {new} {finished.noun}"
    between = f"; {len(end.between)} in between could not be tested" if end.between else ""
    return printable(f"{line}, {end.last_old} the {old} one{between}")


def report(finished: Finished) -> str:
    """The report as Markdown."""
    end, answers = finished.end, finished.answers
    last, first = _words(finished)
    lines = [
        _heading(finished, first),
        "",
        _point(finished, first, end.first_new),
        *_links(finished, end.first_new),
        _point(finished, last, end.last_old),
        *_gap(finished),
        *(f"- **before that**: {line}" for line in finished.before),
        *(f"- **not narrowed further**: {line}" for line in finished.problems),
        *_environment(finished),
        "",
        "```",
        *(shlex.join(words) for words in _commands(finished)),
        "```",
        "",
        f"| {finished.noun} | result | why | also moved |",
        "|---|---|---|---|",
        *(
            f"| {_row(finished, point)} | {answers[point].mark} | {_cell(answers[point].reason)} "
            f"| {_cell(', '.join(answers[point].moved))} |"
            for point in finished.points
            if point in answers
        ),
        "",
    ]
    return printable("\n".join(lines))


def moved(base: Mapping[str, str], now: Mapping[str, str], package: str) -> list[str]:
    """Packages other than this one that differ, as ``numpy 1.26.4 -> 2.1.0``."""
    names = sorted({*base, *now} - frameworks.parts_of(package))
    return [f"{n} {base.get(n, 'none')} -> {now.get(n, 'none')}" for n in names if base.get(n) != now.get(n)]


def _words(finished: Finished) -> tuple[str, str]:
    """What the older one and the newer one are."""
    return ("last bad", "first good") if finished.find_fix else ("last good", "first bad")


def _heading(finished: Finished, first: str) -> str:
    end = finished.end
    if end.between and finished.known:
        count = len(end.between) + 1
        return f"## one of {count} commits of {finished.package} is the {first} one, {end.first_new} at the latest"
    return f"## {finished.package} {end.first_new} is the {first} {finished.noun}"


def _point(finished: Finished, word: str, point: str) -> str:
    reason = " ".join(uncoloured(finished.answers[point].reason).split())
    subject = f" {_subject(finished, point)}" if point in finished.known else ""
    line = f"- **{word}**: {finished.package} {point} ({_day(finished, point)}){subject}"
    return f"{line} - {reason}" if reason else line


def _day(finished: Finished, point: str) -> str:
    known = finished.known.get(point)
    return known.day if known else finished.dates.get(point, "date unknown")


def _subject(finished: Finished, point: str) -> str:
    return f'"{uncoloured(finished.known[point].subject)}"'


def _links(finished: Finished, point: str) -> Iterator[str]:
    """Where to read about a commit."""
    known = finished.known.get(point)
    if known is None:
        return
    yield f"- **commit**: {f'{finished.web}/commit/' if finished.web else ''}{known.hash}"
    if known.pull:
        yield f"- **pull request**: {f'{finished.web}/pull/' if finished.web else '#'}{known.pull}"
    if finished.merged:
        yield f"- **a merge** of {finished.merged} commits; --all-parents searches these"


def _gap(finished: Finished) -> Iterator[str]:
    """What could not be tested, and what took the place of an end."""
    between = finished.end.between
    if between and not finished.known:
        yield f"- **not tested in between**: {', '.join(between)}; the change may be in any of them"
    elif between:
        yield "- **not tested in between**; the change may be in any of them:"
        shown = [f"  - {point} {_subject(finished, point)}" for point in between]
        yield from shown if len(shown) <= _MOST else (shown[0], f"  - and {len(shown) - 2} more", shown[-1])
    if finished.apart:
        yield f"- **{finished.points[0]}**: where {finished.points[-1]} and {finished.apart} diverge"


def _environment(finished: Finished) -> Iterator[str]:
    """What else moved, in which environment, and how much was tested."""
    end, answers = finished.end, finished.answers
    old, new = answers[end.last_old], answers[end.first_new]
    differences = moved(old.packages, new.packages, finished.package)
    yield f"- **other packages that moved between the two**: {', '.join(differences) or 'none'}"
    parts = (one.parts for one in frameworks.table().values())
    shown = _WITH_FRAMEWORKS.union(frameworks.nightlies().values(), *parts)
    packages = ", ".join(f"{name} {version}" for name, version in sorted(new.packages.items()) if name in shown)
    yield f"- **environment**: Python {finished.python}, {finished.cell}, {finished.executor}; {packages}"
    marks = [answer.mark for answer in answers.values()]
    counts = ", ".join(f"{marks.count(mark)} {word}" for mark, word in _COUNTED.items())
    tested = f"{len(answers)} of {len(finished.points)} {finished.noun}s ({counts})"
    built = f", {finished.builds} builds" if finished.known else ""
    yield f"- **tested**: {tested}, {finished.ran} of them in this run{built}"


def _commands(finished: Finished) -> Iterator[Sequence[str]]:
    """The command line, and one that tests just the two commits that were found."""
    yield finished.command
    if finished.known:
        ends = {"--good": finished.end.last_old, "--bad": finished.end.first_new}
        if finished.find_fix:
            ends = {"--good": finished.end.first_new, "--bad": finished.end.last_old}
        yield _with_ends(finished.command, ends)


def _with_ends(command: Sequence[str], ends: Mapping[str, str]) -> list[str]:
    """The command line with other ends, and without --to."""
    found: list[str] = []
    words = iter(command)
    for word in words:
        option, equals, _ = word.partition("=")
        if option not in (*ends, "--to"):
            found.append(word)
            continue
        if not equals:
            next(words, None)
        found += [option, ends[option]] if option in ends else []
    return found


def _row(finished: Finished, point: str) -> str:
    known = finished.known.get(point)
    return _cell(f"{point} {known.subject}") if known else point


def _cell(text: str) -> str:
    text = uncoloured(text)
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return short.replace("|", "\\|").replace("\n", " ")
