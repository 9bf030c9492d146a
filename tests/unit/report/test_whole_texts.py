"""The whole text of a report in each format, against the text in ``expected/``.

A report that reads differently on purpose: look at the difference that pytest shows, and change the file.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from runner.report import Report
from runner.report.formats import csvout, github, html, jsonout, junit, markdown, terminal

EXPECTED = Path(__file__).parent / "expected"
ISSUE = "https://github.com/keras-team/keras/issues/20713"


class Text(HTMLParser):
    """What a reader sees of a document: a line for each text, and for what the pointer reveals."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden = tag in ("style", "script")
        self.lines += [f"{name}: {value}" for name, value in attrs if name in ("title", "href", "aria-label")]

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.hidden:
            self.lines.append(" ".join(data.split()))


def html_text(report: Report) -> str:
    """The document without its tags."""
    text = Text()
    text.feed(html.render(report))
    return "\n".join(text.lines) + "\n"


def first_rows(report: Report) -> str:
    """The CSV of the first four processes, heading included."""
    return csvout.render(Report(report.samples[:4], report.comparisons))


def issue_annotations(report: Report) -> str:
    """The annotations, where the issue stands on line 7."""
    return github.annotations(report, {ISSUE: 7}) + "\n"


def coloured(report: Report) -> str:
    """What a terminal of 90 columns gets, with the escape sequences of colours spelt out."""
    out = io.StringIO()
    console = Console(file=out, width=90, force_terminal=True, color_system="standard", legacy_windows=False)
    terminal.print(report, console, commands=True)
    return out.getvalue().replace("\x1b", "^")


def small_json(report: Report) -> str:
    """The JSON of one process of each cell, and of the comparisons of one cell."""
    firsts = {(sample.cell, sample.probe): sample for sample in reversed(report.samples)}
    candidate = "torch-2.15.0_keras-3.11.3_py3.11_cpu"
    judged = tuple(c for c in report.comparisons if c.candidate == candidate and c.probe == "mnist")
    kept = tuple(sample for sample in firsts.values() if sample.probe == "mnist")
    return jsonout.render(replace(report, samples=kept, comparisons=judged))


FORMATS: dict[str, Callable[[Report], str]] = {
    "terminal.txt": terminal.render,
    "terminal-coloured.txt": coloured,
    "report.json": small_json,
    "markdown.txt": markdown.render,
    "junit.xml": junit.render,
    "github.txt": issue_annotations,
    "html.txt": html_text,
    "csv.txt": first_rows,
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_report_reads_as_expected(quick: Report, name: str) -> None:
    assert FORMATS[name](quick) == (EXPECTED / name).read_text(encoding="utf-8")
