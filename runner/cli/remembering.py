"""What a report of ``matrix`` and ``report`` has to do with a history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner import history
from runner.errors import NotMeasuredError, UsageError
from runner.report import Report, numbers, remember, trend
from runner.util import program


@dataclass(frozen=True, slots=True)
class Wish:
    """The history that a command uses."""

    path: Path
    asked: bool
    """Whether the user named it. A history that was only found does not stop a command, and ``report`` does not write
    into it."""


def wish(given: Path | None, *, without: bool) -> Wish | None:
    """The history of a command line.

    The one named, else the one in the user's data folder, where there is one.
    """
    if without:
        return None
    if given is not None:
        return Wish(given, asked=True)
    found = history.default()
    return Wish(found, asked=False) if found.is_file() else None


def ready(wanted: Wish | None) -> Wish | None:
    """The same history where a run can be added to it, before the run begins.

    One that the user named is made where it is missing. Raises UsageError and LockedError about one that was named; one
    that was found is reported on stderr and left out.
    """
    if wanted is None:
        return None
    try:
        with history.open(wanted.path):
            return wanted
    except (UsageError, NotMeasuredError) as error:
        if wanted.asked:
            raise
        _say(f"{error}; the run is not added to it")
        return None


def after_a_run(report: Report, wanted: Wish | None) -> Report:
    """Add a run to the history.

    Returns the report with what the history knows of earlier runs.

    The run has its results in a folder already, so that an error is a line on stderr.
    """
    if wanted is None or not report.samples:
        return report
    entry = remember.entry(report)
    try:
        with history.open(wanted.path) as database:
            past = database.past(entry, trend.moves)
            database.add(remember.entry(report.with_past(past)))
    except (UsageError, NotMeasuredError) as error:
        _say(f"{error}; `runner history add DIR` adds the run later")
        return report
    return report.with_past(past)


def of_files(report: Report, wanted: Wish | None) -> Report:
    """The report with what the history knows of earlier runs.

    It is added to a history that the user named.

    One that cannot be written is read all the same. Raises UsageError and LockedError about one that was named.
    """
    if wanted is None or not report.samples:
        return report
    entry = remember.entry(report)
    try:
        if wanted.asked:
            try:
                with history.open(wanted.path) as database:
                    past = database.past(entry, trend.moves)
                    database.add(remember.entry(report.with_past(past)))
                return report.with_past(past)
            except (UsageError, NotMeasuredError) as error:
                if not wanted.path.exists():
                    raise
                problem = error
            with history.read(wanted.path) as database:
                past = database.past(entry, trend.moves)
            _say(f"{problem}; the report is not added to it")
            return report.with_past(past)
        with history.read(wanted.path) as database:
            return report.with_past(database.past(entry, trend.moves))
    except (UsageError, NotMeasuredError) as error:
        if wanted.asked:
            raise
        _say(f"{error}; the report goes without it")
        return report


def _say(line: str) -> None:
    program.warn(numbers.plain(line))
