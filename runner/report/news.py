"""What is new, lasting and gone in a run, as text and as data for issues. Pure.

Every finding has a title and a body in GitHub's Markdown. What frameworks print is data in them: it is escaped, and an
address stands as code, so that it mentions nobody, links nothing, and leaves no trace in the repository it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runner.history import words
from runner.history.data import Found, Run, Standing
from runner.history.since import MOST_RUNS
from runner.report import numbers
from runner.report.data import EXIT_MEANINGS, Severity
from runner.report.formats import markdown
from runner.util import jsontext

_TITLE = 180
"""Characters of a title; GitHub takes 256."""
_TEXT = 1500
"""Characters of the sentence in a body."""
_LINES = 12
"""Details, commands and cells of one finding at most, so that a body stays far below GitHub's 65,536 characters."""
_LINE = 500
"""Characters of a detail or an id. Escaped, a text has up to four times as many."""
_COMMAND = 1500
"""A command that is longer is left out: a part of one is of no use."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>()\"'`|\\]+", re.IGNORECASE)
_REFERENCE = re.compile(r"([@#])(?=\w)|\b(GH-)(?=\d)", re.IGNORECASE)
_JOINER = "\u2060"
"""Takes no room, and keeps ``@name`` from being a mention in a title, where there is no markup."""


def text(news: Standing) -> list[str]:
    """One line per finding, the worst first, below a line about the run."""
    named = numbers.plain(news.run.set_name) or "no set"
    counts = ", ".join(f"{len(some)} {state}" for state, some in _states(news))
    lines = [f"{named}, run {news.run.id}, {numbers.plain(news.run.started)}: {counts} in the last {MOST_RUNS} runs"]
    for state, some in _states(news):
        for found in _worst_first(some):
            since = f" ({numbers.plain(found.since)})" if found.since else ""
            lines.append(f"{state.upper():<11} {_severity(found).label:<9} {numbers.plain(found.text)}{since}")
    return lines


def json(news: Standing, page: str = "") -> str:
    """The same for programs: a title and a body for each finding, the worst first."""
    run, before = news.run, news.before
    content = {
        "schema": 1,
        "set": run.set_name,
        "run": run.id,
        "started": run.started,
        "when": _when(run),
        "before": before.id if before else None,
        "exit_code": run.exit_code,
        "exit_meaning": EXIT_MEANINGS.get(run.exit_code, "unknown"),
        "page": page,
        "findings": [_data(found, state, run, page) for state, some in _states(news) for found in _worst_first(some)],
    }
    return jsontext.dumps(content)


def _states(news: Standing) -> Iterator[tuple[str, Sequence[Found]]]:
    yield "new", news.new
    yield "lasting", news.lasting
    yield "unmeasured", news.unmeasured
    yield "gone", news.gone


def _severity(found: Found) -> Severity:
    return Severity[found.severity.upper()]


def _worst_first(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda one: (_severity(one), one.text, one.key))


def _when(run: Run) -> str:
    """When a run was, in words: ``the night of 12 November 2026``."""
    return words.since(run.started).removeprefix("since ")


def _data(found: Found, state: str, run: Run, page: str) -> dict[str, Any]:
    return {
        "key": found.key,
        "state": state,
        "severity": found.severity,
        "label": _severity(found).label,
        "title": title(found),
        "body": body(found, state, run, page),
        "since": found.since,
        "cells": found.cells,
    }


def title(found: Found) -> str:
    """The sentence on one line, cut at a word."""
    return _REFERENCE.sub(lambda match: match.group() + _JOINER, _cut(numbers.plain(found.text), _TITLE))


def body(found: Found, state: str, run: Run, page: str = "") -> str:
    """A finding as Markdown: the sentence, since when, cells, next commands.

    ``page`` is the address of the report.
    """
    parts = [f"**{_severity(found).label}** {_inert(found.text, _TEXT)}"]
    parts += [f"- {_inert(line, _LINE)}" for line in found.details[:_LINES]]
    parts += ["", _dated(found, state, run)]
    parts += ["", f"Combinations: {_listed(found.cells)}"] if found.cells else []
    parts += ["", f"Probes: {_listed(found.probes)}"] if found.probes else []
    if commands := [line for line in map(numbers.plain, found.commands[:_LINES]) if len(line) <= _COMMAND]:
        parts += ["", "To run next:", "", *_fenced(commands)]
    if page:
        parts += ["", f"[The report]({page}) has the figures and their history."]
    return "\n".join(parts)


def _dated(found: Found, state: str, run: Run) -> str:
    if state == "new":
        return f"New in {_when(run)}, run {run.id}."
    since = f"There {_inert(found.since, _LINE)}. " if found.since else ""
    if state == "lasting":
        return f"{since}Last seen in {_when(run)}, run {run.id}."
    if state == "unmeasured":
        return f"{since}Not measured in {_when(run)}, run {run.id}."
    return f"{since}Gone in {_when(run)}, run {run.id}, or before it."


def _inert(said: str, limit: int) -> str:
    """Text as it is: no mention, no reference, no HTML, no link."""
    said = _cut(numbers.plain(said), limit)
    parts, end = [], 0
    for link in _LINK.finditer(said):
        parts += [_escaped(said[end : link.start()]), f"`{link.group()}`"]
        end = link.end()
    return "".join([*parts, _escaped(said[end:])])


def _escaped(said: str) -> str:
    """``markdown.escape`` for a part of a line, whose ends may be spaces."""
    inner = said.strip()
    if not inner:
        return said
    start = said.index(inner)
    return f"{said[:start]}{markdown.escape(inner)}{said[start + len(inner) :]}"


def _listed(names: Sequence[str]) -> str:
    shown = [markdown.code(_cut(numbers.plain(name), _LINE)) for name in names[:_LINES]]
    more = [f"{len(names) - _LINES} more"] if len(names) > _LINES else []
    return ", ".join([*shown, *more])


def _fenced(lines: Sequence[str]) -> list[str]:
    """A block of code whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}sh", *lines, fence]


def _cut(said: str, limit: int) -> str:
    if len(said) <= limit:
        return said
    kept = said[: limit - 1]
    return (kept.rsplit(" ", 1)[0] if " " in kept[limit // 2 :] else kept) + "…"
