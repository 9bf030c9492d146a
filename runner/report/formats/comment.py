"""The report as Markdown that fits a comment or a pull request on GitHub."""

from __future__ import annotations

from runner.report.data import Report
from runner.report.formats import markdown

LIMIT_BYTES = 60_000
"""They take 65,536 characters: room is left for words around the report."""


def render(report: Report) -> str:
    """The Markdown report, cut to the size of a comment."""
    return markdown.render(report, LIMIT_BYTES)
