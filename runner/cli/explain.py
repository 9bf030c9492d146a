"""Bisects what a run found: ``runner matrix --explain``."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from runner.errors import RunnerError
from runner.judge.budget import spent
from runner.report import Report, numbers
from runner.report.data import Finding, Severity
from runner.report.findings import findings
from runner.util import files, jsontext, program
from runner.util.plain import say

FILE = "explained.json"
"""In the folder of a run: what each bisection found, by its command."""

FOLDER = "bisect"
"""In the folder of a run: answers and reports of its bisections."""

NOTHING = "Nothing to explain: no new finding that a release of a package brought."


def explained(report: Report, out: Path, left_s: float) -> Report:
    """Bisect every new finding, the worst first.

    Returns the report with what was found.

    ``left_s``: how long the processes of the tests may take, in seconds. What a bisection found is kept in ``out``,
    and so is every answer on the way, so that the same command goes on where the time was not enough.
    """
    found = dict(kept([out]))
    wanted = _wanted(report)
    if not wanted:
        say(NOTHING, err=True)
        return report
    for command in wanted:
        try:
            left_s -= _one(command, out, left_s, found)
        except KeyboardInterrupt:  # the run itself has ended, and its report is printed
            found[command] = "Not bisected: interrupted; the same command goes on."
            break
        finally:
            _keep(out, found)
    return replace(report, explained=found)


def left_s(report: Report, budget_s: float | None) -> float:
    """How long bisections may take, in seconds: what the run has left of its budget.

    ``budget_s``: the half that was for measuring (see ``runner.cli.request``); None without a budget.
    """
    return math.inf if budget_s is None else 2 * budget_s - spent(report.samples)


def kept(folders: Sequence[Path]) -> Mapping[str, str]:
    """What the bisections of earlier commands found.

    A file that cannot be read counts as none.
    """
    found: dict[str, str] = {}
    for folder in folders:
        try:
            read = json.loads((folder / FILE).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(read, dict):
            found |= {str(command): str(line) for command, line in read.items()}
    return found


def is_new(finding: Finding) -> bool:
    """Whether a finding fails the run and no earlier run is known to have it."""
    return finding.severity in (Severity.BROKEN, Severity.REGRESSED) and not finding.since


def _wanted(report: Report) -> list[str]:
    """The bisections of the new findings, each once."""
    commands = (line for finding in findings(report) if is_new(finding) for line in finding.commands)
    return list(dict.fromkeys(line for line in commands if _words(line)[:1] == ["bisect"]))


def _words(command: str) -> list[str]:
    """The arguments of a command of this program, without the program."""
    return shlex.split(command)[len(program.words()) :]


def _one(command: str, out: Path, left_s: float, found: dict[str, str]) -> float:
    """Run one bisection and note what it found.

    Returns the seconds that its tests took.
    """
    from runner.repro.bisect import session
    from runner.repro.bisect.question import Request
    from runner.repro.bisect.searching import Budget

    budget = Budget(left_s)
    try:
        request = Request(**_parameters([*_words(command)[1:], "--out", str(out / FOLDER)]))
        _say(f"bisecting: {command}")
        ended = session.ended(request, ["runner", *_words(command)], _say, budget)
        found[command] = f"Bisected: {ended.line} (report: {ended.path})."
    except RunnerError as error:
        found[command] = f"Not bisected: {error}."
    return left_s - budget.left_s if math.isfinite(left_s) else 0.0


def _parameters(words: list[str]) -> dict[str, Any]:
    """The arguments of ``runner bisect`` as its command line would have them."""
    from runner.cli.bisect import bisect_command

    with click.Context(bisect_command).scope():
        return bisect_command.make_context("bisect", words).params


def _keep(out: Path, found: Mapping[str, str]) -> None:
    try:
        files.write_atomically(out / FILE, jsontext.dumps(found).encode())
    except OSError as error:
        _say(f"{out / FILE}: cannot be written: {error.strerror}; the report has what was found")


def _say(line: str) -> None:
    program.warn(numbers.plain(line))
