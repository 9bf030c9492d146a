"""A report in the format asked for."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from runner import judge
from runner.report import Report, formats, numbers
from runner.util import program
from runner.util.plain import say

if TYPE_CHECKING:
    from rich.console import Console


class Unread:
    """Names the result files that cannot be used, for ``store.load``.

    Each has a line on stderr.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        """Name one file."""
        self.lines.append(line)
        program.warn(numbers.plain(line))

    def exit_code(self, otherwise: int) -> int:
        """The exit code of a command that would have ended with ``otherwise``."""
        return judge.with_unread(otherwise, self.lines)


def console(stream: TextIO) -> Console:
    """A rich console on that stream.

    Where it is not a terminal, the width is COLUMNS or 160.
    """
    import os

    from runner.report.console import Screen

    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdecimal() and int(columns) else 160
    return Screen(file=stream, width=width)


def drawn(report: Report, on: Console) -> str:
    """The report as ``emit`` prints it on that terminal, with its colours."""
    from runner.report.formats import terminal

    with on.capture() as written:
        terminal.print(report, on)
    return written.get()


NOTHING = 4
"""The exit code of a run that measured nothing."""


def name_page(format_: str, report: Report, out: Path) -> None:
    """Name the command that opens the report as a page, below one in a terminal."""
    if format_ == "terminal" and report.exit_code != NOTHING:
        page = shlex.join((*program.words(), "report", str(out), "--open"))
        say(f"As a page with charts: {page}", err=True)


def emit(report: Report, format_: str, *, commands: bool = False) -> None:
    """Print the report on stdout.

    ``commands``: a terminal also gets the commands that reproduce every cell.
    """
    if format_ == "terminal":
        from runner.report.formats import terminal

        terminal.print(report, console(sys.stdout), commands=commands)
        return
    piece = ""
    for piece in formats.pieces(report, format_):
        say(piece, nl=False)
    say("", nl=not piece.endswith("\n"))
