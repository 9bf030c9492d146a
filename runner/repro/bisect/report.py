"""The report of a finished search: Markdown to paste into an issue. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.matrix import frameworks
from runner.repro.bisect.question import Answer
from runner.repro.bisect.search import Found, Mark
from runner.util import versions
from runner.util.plain import printable, uncoloured

_WITH_FRAMEWORKS = frozenset({"keras", "ml-dtypes", "optree"})
"""Packages whose version is listed with the environment, besides those of the frameworks."""
_COUNTED = {Mark.GOOD: "good", Mark.BAD: "bad", Mark.SKIP: "could not be tested"}
_LONGEST = 160
"""Characters of a reason in the table."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A search that found the release."""

    package: str
    end: Found
    find_fix: bool
    answers: Mapping[str, Answer]
    releases: int
    """How many lie between the ends, ends included."""
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


def report(finished: Finished) -> str:
    """The report as Markdown."""
    end, answers = finished.end, finished.answers
    old, new = answers[end.last_old], answers[end.first_new]
    words = ("last bad", "first good") if finished.find_fix else ("last good", "first bad")
    between = f"- **not tested in between**: {', '.join(end.between)}; the change may be in any of them"
    differences = moved(old.packages, new.packages, finished.package)
    marks = [answer.mark for answer in answers.values()]
    counts = ", ".join(f"{marks.count(mark)} {word}" for mark, word in _COUNTED.items())
    shown = _WITH_FRAMEWORKS.union(*(one.parts for one in frameworks.table().values()))
    packages = ", ".join(f"{name} {version}" for name, version in sorted(new.packages.items()) if name in shown)
    lines = [
        f"## {finished.package} {end.first_new} is the {words[1]} release",
        "",
        _release(finished, words[1], end.first_new),
        _release(finished, words[0], end.last_old),
        *([between] if end.between else []),
        f"- **other packages that moved between the two**: {', '.join(differences) or 'none'}",
        f"- **environment**: Python {finished.python}, {finished.cell}, {finished.executor}; {packages}",
        f"- **tested**: {len(answers)} of {finished.releases} releases ({counts}), {finished.ran} of them in this run",
        "",
        "```",
        shlex.join(finished.command),
        "```",
        "",
        "| release | result | why | also moved |",
        "|---|---|---|---|",
        *(
            f"| {version} | {answer.mark} | {_cell(answer.reason)} | {_cell(', '.join(answer.moved))} |"
            for version, answer in sorted(answers.items(), key=lambda item: versions.order(item[0]))
        ),
        "",
    ]
    return printable("\n".join(lines))


def moved(base: Mapping[str, str], now: Mapping[str, str], package: str) -> list[str]:
    """Packages other than this one that differ, as ``numpy 1.26.4 -> 2.1.0``."""
    names = sorted({*base, *now} - frameworks.parts_of(package))
    return [f"{n} {base.get(n, 'none')} -> {now.get(n, 'none')}" for n in names if base.get(n) != now.get(n)]


def _release(finished: Finished, word: str, version: str) -> str:
    reason = " ".join(uncoloured(finished.answers[version].reason).split())
    line = f"- **{word}**: {finished.package} {version} ({finished.dates.get(version, 'date unknown')})"
    return f"{line} - {reason}" if reason else line


def _cell(text: str) -> str:
    text = uncoloured(text)
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return short.replace("|", "\\|").replace("\n", " ")
