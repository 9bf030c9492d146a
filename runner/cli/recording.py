"""Adds runs from files to a history, with a line about each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from runner import history
from runner.cli.output import Unread
from runner.errors import UsageError
from runner.history import sources
from runner.history.data import Entry
from runner.history.files import FileError
from runner.judge import exit_code, rules
from runner.report import build, numbers, remember
from runner.report import history as texts
from runner.results import tools
from runner.util import memory
from runner.util.plain import say


def add(path: Path, words: Iterable[str]) -> int:
    """Add each folder of results, and each file of another tool, as one run.

    A file is given as ``[NAME=]FILE``. Returns the exit code.
    """
    unread = Unread()
    with history.open(path) as database:
        for word in words:
            if Path(word).is_dir() or not (Path(word).exists() or "=" in word):
                _add(database, word, Path(word), unread)
            else:
                say(numbers.plain(texts.added(word, database.add(_of_a_tool(word)))))
    return unread.exit_code(0)


def _of_a_tool(word: str) -> Entry:
    """A file of another tool as a run of the set that is called like the tool."""
    tool, samples = tools.run(word)
    return Entry(tool, tuple(samples), (), (), exit_code(samples, ()), "")


def folders(path: Path, given: Sequence[Path]) -> int:
    """Add every run below the folders. Returns the exit code.

    Raises UsageError where there is not a single one.
    """
    found = [(str(one), one) for folder in given for one in sources.below(folder)]
    if not found:
        raise UsageError(f"{' '.join(map(str, given))}: holds no results; a folder made by `runner matrix --out` does")
    return _add_all(path, found)


def branch(path: Path, repository: Path, name: str) -> int:
    """Add every run of the nights on a branch. Returns the exit code."""
    there = sources.Branch(repository, name)
    nights = there.nights()
    if not nights:
        raise UsageError(f"branch {name!r} has no results: folders as 2026-08-14-123456 are expected there")
    code = 0
    for night in nights:
        with there.results(night) as folder:
            found = (
                [(f"{night}/{one.relative_to(folder)}", one) for one in sources.below(folder)]
                if folder.is_dir()
                else []
            )
            code = max(code, _add_all(path, found))
    return code


def _add_all(path: Path, found: Sequence[tuple[str, Path]]) -> int:
    """Add many folders.

    One that cannot be used has a line on stderr, and the others are added.
    """
    unread = Unread()
    with history.open(path) as database:
        for name, folder in found:
            try:
                _add(database, name, folder, unread)
            except FileError:
                raise
            except UsageError as error:
                unread(f"{name}: skipped: {error}")
    return unread.exit_code(0)


def _add(database: history.History, name: str, folder: Path, unread: Unread) -> None:
    with memory.no_cycles():
        report = build.from_folders([folder], rules.Rules())
        for line in report.unread:
            unread(line)
        say(numbers.plain(texts.added(name, database.add(remember.entry(report)))))
