"""Keeps one issue per finding of the night.

    GH_TOKEN=... python .github/night/issues.py news/*.json

Each file is the output of ``runner history news --json`` for one set. An issue belongs to the finding that the first
line of its text names, and to this program where the bot wrote it and it has the label. No other issue is touched.
Exit code 0: done; 1: GitHub refused something; 2: a file cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rest

LABEL = "keras-version-matrix"
BOT = "github-actions[bot]"
SEVERITIES = ("broken", "regressed")
"""The findings that open an issue (BROKEN and WORSE in a report), the worst first."""
KNOWN = "expected"
"""A failure that the expectations file lists: it needs no issue any more."""
AT_MOST = 10
"""New issues in one night."""
LISTED = 200
"""Titles that the summary issue has at most."""

_MARKER = re.compile(r"<!-- finding: ([0-9a-f]{8,64}|summary)(?:; sets: ([\w. -]*); severity: (\w*))? -->")
_NOTE = "_This text is written by the nightly run. Comments stay, and so does a title that was changed by hand. "
_HOW_TO_STOP = f"Closed as not planned, or without the label `{LABEL}`, the issue is left alone._"
_LEFT_ALONE = ("not_planned", "duplicate")
"""How people close an issue that is to stay closed."""


class InputError(Exception):
    """A file that cannot be used."""


@dataclass(frozen=True)
class Finding:
    """One finding in one set."""

    key: str
    state: str
    """``new``, ``lasting``, ``unmeasured`` or ``gone``."""
    severity: str
    label: str
    title: str
    body: str
    set_name: str
    when: str
    """When the set was measured, in words."""


@dataclass(frozen=True)
class Night:
    """The findings of all sets."""

    sets: frozenset[str]
    findings: tuple[Finding, ...]
    when: str
    """The newest run, in words, for comments."""


@dataclass(frozen=True)
class Issue:
    """One issue of this program."""

    number: int
    title: str
    body: str
    open: bool
    left_alone: bool
    """People took it over: they closed it for good, or removed the label."""
    key: str
    sets: frozenset[str]
    """The sets that have the finding."""
    severity: str


@dataclass(frozen=True)
class Wanted:
    """An issue as it should be."""

    key: str
    sets: frozenset[str]
    severity: str
    title: str
    body: str


@dataclass(frozen=True)
class Change:
    """One thing to do."""

    what: str
    """``open``, ``update``, ``reopen`` or ``close``."""
    wanted: Wanted
    issue: Issue | None = None
    comment: str = ""


# --- what is to be done. Pure ----------------------------------------------------------------------------------------


def read(texts: Iterable[tuple[str, str]]) -> Night:
    """The findings of files, given as name and content. Raises InputError."""
    sets, findings, dates = set(), [], [("", "")]
    for name, text in texts:
        try:
            content = json.loads(text)
            if content["schema"] != 1:
                raise InputError(f"{name}: has schema {content['schema']}; this program reads 1")
            set_name, when = re.sub(r"[^\w.-]+", "-", content["set"]), str(content["when"])
            findings += [_finding(one, set_name, when) for one in content["findings"]]
            dates.append((str(content["started"]), when))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{name}: not from `runner history news --json` ({error!r})") from None
        sets.add(set_name)
    return Night(frozenset(sets), tuple(findings), max(dates)[1])


def _finding(one: dict[str, Any], set_name: str, when: str) -> Finding:
    key, state, severity, label = (str(one[name]) for name in ("key", "state", "severity", "label"))
    if not re.fullmatch(r"[0-9a-f]{8,64}", key):
        raise ValueError(key)
    return Finding(key, state, severity, label, str(one["title"]), str(one["body"]), set_name, when)


def issues(listed: Iterable[Any], bot: str) -> list[Issue]:
    """The issues of this program in a list of issues, the oldest first."""
    found = []
    for one in listed:
        marker = _MARKER.match(one.get("body") or "")
        if marker is None or "pull_request" in one or (one.get("user") or {}).get("login") != bot:
            continue
        names = {label["name"] if isinstance(label, dict) else label for label in one.get("labels", ())}
        closed = one["state"] != "open"
        left = LABEL not in names or (closed and one.get("state_reason") in _LEFT_ALONE)
        sets = frozenset((marker[2] or "").split())
        found.append(
            Issue(one["number"], one["title"], _text(one["body"]), not closed, left, marker[1], sets, marker[3] or "")
        )
    return sorted(found, key=lambda issue: issue.number)


def _text(body: str) -> str:
    """A text without what the web form changes in it."""
    return body.replace("\r\n", "\n").rstrip()


def plan(night: Night, there: Sequence[Issue], at_most: int = AT_MOST) -> list[Change]:
    """What brings the issues in line with the findings."""
    by_key: dict[str, Issue] = {}
    for issue in there:  # of two for one finding the open one counts, else the newest
        if issue.key not in by_key or not by_key[issue.key].open:
            by_key[issue.key] = issue
    summary = by_key.pop("summary", None)
    present: dict[str, list[Finding]] = {}
    for finding in night.findings:
        if finding.state in ("new", "lasting"):
            present.setdefault(finding.key, []).append(finding)
    changes = [
        change
        for key, issue in by_key.items()
        if not issue.left_alone
        for change in _existing(night, issue, present.get(key, []))
    ]
    missing = [some for key, some in present.items() if key not in by_key and _worst(some).severity in SEVERITIES]
    missing.sort(key=lambda some: (SEVERITIES.index(_worst(some).severity), some[0].state != "new", some[0].key))
    wanted = [_wanted(some, frozenset(one.set_name for one in some)) for some in missing]
    changes += [Change("open", one) for one in wanted[:at_most]]
    return changes + list(_summary(wanted[at_most:], summary, at_most))


def _existing(night: Night, issue: Issue, present: Sequence[Finding]) -> Iterator[Change]:
    """What to do with an issue that is there."""
    here = frozenset(one.set_name for one in present)
    unknown = frozenset(
        one.set_name for one in night.findings if one.key == issue.key and one.state == "unmeasured"
    ) | (issue.sets - night.sets)
    sets = here | (issue.sets & unknown)
    if not present:
        if issue.open and not sets:
            gone = any(one.key == issue.key and one.state == "gone" for one in night.findings)
            said = "not there any more" if gone else "not known any more to the history of earlier runs"
            yield Change("close", _as_it_is(issue), issue, f"The finding is {said}, as of {night.when}.")
        return  # an open one with sets was not measured: nothing is known about it
    worst = _worst(present)
    wanted = _wanted(present, sets)
    if worst.severity == KNOWN:
        if issue.open:
            yield Change("close", wanted, issue, f"The finding is {worst.label} now, as of {worst.when}.")
    elif issue.open:
        if issue.body != wanted.body:
            changed = issue.severity != worst.severity
            yield Change("update", wanted, issue, f"{worst.label} as of {worst.when}." if changed else "")
    elif worst.severity in SEVERITIES:
        yield Change("reopen", wanted, issue, f"There again as of {worst.when}: {worst.label}.")


def _worst(some: Sequence[Finding]) -> Finding:
    """The finding in the set in which it is worst."""
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    return min(some, key=lambda one: (order.get(one.severity, len(order)), one.set_name))


def _wanted(some: Sequence[Finding], sets: frozenset[str]) -> Wanted:
    worst = _worst(some)
    named = " ".join(sorted(sets))
    text = f"<!-- finding: {worst.key}; sets: {named}; severity: {worst.severity} -->\n{worst.body}\n\n"
    text += f"Seen in: {', '.join(f'`{name}`' for name in sorted(sets))}\n\n{_NOTE}{_HOW_TO_STOP}"
    return Wanted(worst.key, sets, worst.severity, worst.title, text)


def _as_it_is(issue: Issue) -> Wanted:
    return Wanted(issue.key, frozenset(), issue.severity, issue.title, issue.body)


def _summary(rest_of_them: Sequence[Wanted], issue: Issue | None, at_most: int) -> Iterator[Change]:
    """The one issue that names the findings which have none yet."""
    title = "More findings than issues of one night"
    lines = [f"- {_inline(one.title)}" for one in rest_of_them[:LISTED]]
    lines += [f"- and {len(rest_of_them) - LISTED} more"] if len(rest_of_them) > LISTED else []
    head = f"{len(rest_of_them)} findings have no issue yet: a night opens {at_most}, the worst first."
    body = "\n".join(["<!-- finding: summary -->", head, "", *lines, "", _NOTE + _HOW_TO_STOP])
    wanted = Wanted("summary", frozenset(), "", title, body)
    if not rest_of_them:
        if issue is not None and issue.open and not issue.left_alone:
            yield Change("close", _as_it_is(issue), issue, "Every finding has an issue now, or is gone.")
    elif issue is None:
        yield Change("open", wanted)
    elif not issue.left_alone and not issue.open:
        yield Change("reopen", wanted, issue, head)
    elif not issue.left_alone and issue.body != body:
        yield Change("update", wanted, issue)


def _inline(title: str) -> str:
    """A title as code, whose fence is longer than any run of backticks in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", title)), default=0))
    return f"{fence} {title} {fence}" if "`" in title else f"{fence}{title}{fence}"


# --- doing it --------------------------------------------------------------------------------------------------------


class Repository:
    """Does what a plan lists, and prints a line about each."""

    def __init__(self, github: rest.GitHub, bot: str = BOT) -> None:
        self._github = github
        self._bot = bot

    def issues(self) -> list[Issue]:
        """The issues of this program, open and closed. Raises rest.GitHubError."""
        return issues(self._github.pages("issues", creator=self._bot, state="all"), self._bot)

    def label(self) -> None:
        """Make the label where there is none. Raises rest.GitHubError."""
        try:
            self._github.get(f"labels/{LABEL}")
        except rest.GitHubError as error:
            if error.status != 404:
                raise
            content = {"name": LABEL, "color": "b60205", "description": "A finding of the nightly run"}
            self._github.post("labels", content, self._label)

    def _label(self) -> Any:
        try:
            return self._github.get(f"labels/{LABEL}")
        except rest.GitHubError:
            return None

    def do(self, change: Change) -> int:
        """Do one thing. Returns the issue's number. Raises rest.GitHubError."""
        wanted, issue = change.wanted, change.issue
        if issue is None:
            content = {"title": wanted.title, "body": wanted.body, "labels": [LABEL]}
            return int(self._github.post("issues", content, lambda: self._made(wanted.key))["number"])
        content = {"body": wanted.body} if wanted.body != issue.body else {}
        if change.what == "close":
            content |= {"state": "closed", "state_reason": "completed"}
        elif change.what == "reopen":
            content |= {"state": "open"}
        self._github.patch(f"issues/{issue.number}", content)
        if change.comment:  # after the change: a night that ends in between does not write it twice
            path = f"issues/{issue.number}/comments"
            before = {one["id"] for one in self._github.pages(path)}
            said = {"body": change.comment}
            self._github.post(path, said, lambda: self._said(path, change.comment, before))
        return issue.number

    def _made(self, key: str) -> Any:
        """The issue of a finding among the newest ones, where an earlier request made it."""
        newest = self._github.get("issues", creator=self._bot, state="all", per_page=20, sort="created")
        found = [one.number for one in issues(newest, self._bot) if one.key == key]
        return {"number": found[-1]} if found else None

    def _said(self, path: str, comment: str, before: set[int]) -> Any:
        there = (one for one in self._github.pages(path) if one["id"] not in before)
        return next((one for one in there if one["body"] == comment), None)


def main(arguments: Sequence[str]) -> int:
    """The program; its exit code."""
    parser = argparse.ArgumentParser(description="One issue per finding of the night.")
    parser.add_argument("news", nargs="+", type=Path, help="outputs of `runner history news --json`")
    parser.add_argument("--repository", default=os.environ.get("GITHUB_REPOSITORY", ""), help="OWNER/NAME")
    parser.add_argument("--api", default=os.environ.get("GITHUB_API_URL", "https://api.github.com"))
    parser.add_argument("--author", default=BOT, help="the user whose issues these are")
    parser.add_argument("--at-most", type=int, default=AT_MOST, help="new issues in one night")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    given = parser.parse_args(arguments)
    token = os.environ.get("GH_TOKEN", "")
    if not token or not re.fullmatch(r"[\w.-]+/[\w.-]+", given.repository):
        return _failed("the environment needs GH_TOKEN and GITHUB_REPOSITORY (OWNER/NAME)", 2)
    if given.at_most < 0:
        return _failed(f"--at-most {given.at_most}: a night opens 0 issues or more", 2)
    if not re.fullmatch(r"https?://[^\s?#]+", given.api):
        return _failed(f"{given.api!r} is not a web address (example: https://api.github.com)", 2)
    try:
        night = read((str(path), path.read_text("utf-8")) for path in given.news)
        return _bring_in_line(night, Repository(rest.GitHub(given.api, given.repository, token), given.author), given)
    except (InputError, OSError, UnicodeError) as error:
        return _failed(str(error), 2)
    except rest.GitHubError as error:
        return _failed(str(error), 1)


def _bring_in_line(night: Night, repository: Repository, given: argparse.Namespace) -> int:
    """Do all of the plan. Exit code 1 where GitHub refused a part of it."""
    changes = plan(night, repository.issues(), given.at_most)
    if any(change.what == "open" for change in changes) and not given.dry_run:
        repository.label()
    refused = 0
    for change in changes:
        number = change.issue.number if change.issue else 0
        try:
            if not given.dry_run:
                number = repository.do(change)
        except rest.GitHubError as error:
            refused = _failed(f"{change.what}: {error}", 1)
            if error.status in (401, 403, 429):
                break  # the others would be refused too
            continue
        print(f"{change.what:<7} {f'#{number}' if number else 'an issue'}: {change.wanted.title}")
    if not changes:
        print("every issue is as it should be")
    return refused


def _failed(line: str, code: int) -> int:
    print(f"issues: {' '.join(line.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
