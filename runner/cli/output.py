"""A report in the format asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

import click

from runner.report import Report

if TYPE_CHECKING:
    from rich.console import Console


def console(stream: TextIO) -> Console:
    """A rich console on that stream; where it is no terminal, the width is COLUMNS or 160."""
    import os

    from rich.console import Console

    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdecimal() and int(columns) else 160
    return Console(file=stream, width=width)


def emit(report: Report, format_: str, *, commands: bool = False) -> None:
    """Print the report on stdout; ``commands``: with the one that reproduces each cell, on a terminal too."""
    if format_ == "terminal":
        from runner.report.formats import terminal

        terminal.print(report, console(sys.stdout), commands=commands)
        return
    click.echo(text(report, format_))


def text(report: Report, format_: str) -> str:
    """The report as text in any format but ``terminal``."""
    if format_ == "json":
        from runner.report.formats import jsonout

        return jsonout.dumps(report)
    if format_ == "markdown":
        from runner.report.formats import markdown

        return markdown.render(report)
    if format_ == "comment":
        from runner.report.formats import markdown

        return markdown.render(report, markdown.COMMENT_BYTES)
    if format_ == "html":
        from runner.report.formats import html

        return html.render(report)
    if format_ == "junit":
        from runner.report.formats import junit

        return junit.render(report)
    from runner.report.formats import github
    from runner.util import folders

    known = (folders.matrix_dir() / "expectations.toml").read_text(encoding="utf-8")
    return github.annotations(report, github.issue_lines(known))
