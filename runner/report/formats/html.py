"""Renders the report as one HTML file; see ``runner.report.page``."""

from __future__ import annotations

from collections.abc import Iterator

from runner.report import page
from runner.report.data import Report


def render(report: Report) -> str:
    """The whole document."""
    return page.render(report)


def pieces(report: Report) -> Iterator[str]:
    """The document piece by piece."""
    return page.pieces(report)
