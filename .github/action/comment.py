"""Puts a report into one comment on a pull request.

    GH_TOKEN=... PYTHONPATH=.github/night python .github/action/comment.py comment.md

The rest comes from the environment of a job of GitHub Actions; COMMENT is the name of the comment. Later runs find the
comment by its first line and its author, and replace its text. From a fork, and where the token may not comment,
nothing is written but a line in the log: the exit code of the job is that of what was measured. Exit code 2: a file
cannot be used.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rest
import words

BOT = "github-actions[bot]"
"""The author of what a job's own token writes."""
LIMIT = 65_536
"""The most characters of a comment."""
LONGEST_WAIT_S = 60.0
"""How long a limit of GitHub's is waited for: people wait for the job."""
CUT = "\n\n_Cut here to fit; the summary of the run has all of it._\n"

_MARKER = re.compile(r"<!-- keras-version-matrix: (?P<name>[\w .-]+); run: (?P<run>\d+)\.(?P<attempt>\d+) -->")
_NO_RIGHT = (401, 403, 404)
"""What GitHub answers a token that may not comment, also by not showing it what is there."""


class InputError(Exception):
    """A file or variable that cannot be used. Its text is one line."""


@dataclass(frozen=True)
class Run:
    """The run of a workflow that reports."""

    name: str
    """Of the comment: one pull request can have several."""
    number: tuple[int, int]
    """Its id and attempt; a later run has a larger one."""
    url: str
    commit: str
    """The head of the pull request."""


@dataclass(frozen=True)
class Pull:
    """The pull request that the run is about."""

    number: int
    commit: str
    fork: bool
    """Whether it comes from another repository; the token is read-only then."""


@dataclass(frozen=True)
class Plan:
    """What to do with the comments of a pull request."""

    replace: int | None = None
    """The id of the comment that gets the text; None: a new one."""
    remove: tuple[int, ...] = ()
    """Further comments of the same name, which two runs at the same time have made."""
    outdated: bool = False
    """A later run has reported already: nothing is to be done."""


# --- what is to be done. Pure ----------------------------------------------------------------------------------------


def pull_of(event: Any) -> Pull:
    """The pull request of an event's file. Raises InputError."""
    try:
        pull = event["pull_request"]
        head, base = pull["head"], pull["base"]["repo"]["full_name"]
        source = (head["repo"] or {}).get("full_name", "")  # a fork can be gone
        return Pull(int(pull["number"]), str(head["sha"]), source != base)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("the event is not about a pull request") from None


def text(report: str, run: Run) -> str:
    """The whole text of the comment, with its marker, in at most ``LIMIT`` characters."""
    head = f"<!-- keras-version-matrix: {run.name}; run: {run.number[0]}.{run.number[1]} -->\n"
    foot = f"\n<sub>Commit {run.commit[:9]} · [the run, with the page of all figures]({run.url})</sub>\n"
    room = LIMIT - len(head) - len(foot)
    if len(report) > room:
        report = report[: room - len(CUT)].rpartition("\n")[0] + CUT
    return f"{head}{report}{foot}"


def plan(comments: Iterable[Mapping[str, Any]], run: Run) -> Plan:
    """What to do, from all comments of the pull request, the oldest first."""
    mine: list[tuple[int, tuple[int, int]]] = []
    for comment in comments:
        found = _MARKER.match(str(comment.get("body") or ""))
        author = (comment.get("user") or {}).get("login")
        if found and found["name"] == run.name and author == BOT:
            mine.append((int(comment["id"]), (int(found["run"]), int(found["attempt"]))))
    if any(number > run.number for _, number in mine):
        return Plan(outdated=True)
    return Plan(mine[0][0] if mine else None, tuple(number for number, _ in mine[1:]))


# --- doing it --------------------------------------------------------------------------------------------------------


def put(github: rest.GitHub, pull: Pull, run: Run, body: str) -> str:
    """Write the comment. Returns what was done, in a few words. Raises GitHubError."""
    path = f"issues/{pull.number}/comments"
    todo = plan(github.pages(path), run)
    if todo.outdated:
        return "a later run has reported already"
    if todo.replace is None:

        def there() -> Any:
            made = plan(github.pages(path), run).replace
            return None if made is None else {"id": made}

        github.post(path, {"body": body}, there)
        return "the comment is new"
    github.patch(f"issues/comments/{todo.replace}", {"body": body})
    for number in todo.remove:
        github.delete(f"issues/comments/{number}")
    return "the comment has the new report"


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The program; its exit code."""
    try:
        (path,) = arguments
        report = Path(path).read_text("utf-8")
        pull = pull_of(json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text("utf-8")))
        repository = environment["GITHUB_REPOSITORY"]
        number = (int(environment["GITHUB_RUN_ID"]), int(environment.get("GITHUB_RUN_ATTEMPT") or 1))
        url = f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}/actions/runs/{number[0]}"
        name = words.comment(environment.get("COMMENT", "true"))
        run = Run("matrix" if name == "true" else name, number, url, pull.commit)
        api, token = environment.get("GITHUB_API_URL", "https://api.github.com"), environment["GH_TOKEN"]
    except KeyError as error:
        return _say(f"the environment needs {error.args[0]}", 2)
    except words.InputError as error:  # the step before has failed with it
        return _notice("No comment", str(error))
    except (InputError, OSError, ValueError) as error:
        return _say(str(error), 2)
    if name == "false":
        return _say("none is asked for", 0)
    if pull.fork:
        return _notice("No comment", "A pull request of a fork has a read-only token: the summary has the report")
    github = rest.GitHub(api, repository, token, longest_wait_s=LONGEST_WAIT_S)
    try:
        return _say(put(github, pull, run, text(report, run)), 0)
    except rest.GitHubError as error:
        if error.status in _NO_RIGHT:
            way_out = "give the job the permission pull-requests: write. The summary has the report"
            return _notice("No comment", f"{error}: this token may not comment; {way_out}")
        return _notice("No comment", f"{error}. The summary has the report", "warning")


def _notice(title: str, line: str, level: str = "notice") -> int:
    """An annotation of the job, which does not fail for it."""
    line = " ".join(line.split()).replace("%", "%25")
    sys.stdout.write(f"::{level} title={title}::{line}\n")
    return 0


def _say(line: str, code: int) -> int:
    stream = sys.stderr if code else sys.stdout
    stream.write(f"comment: {' '.join(line.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
