"""Renders the report as one HTML file, made for looking.

It works from a file and offline, and has a strict Content-Security-Policy. ``static`` arranges what is there without a
script, ``payload`` the data that the script draws from, ``document`` puts both together; ``trend`` is the page of
``runner trend``. ``web/`` has the sources of the scripts, ``assets/`` what a page is made of.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.report.answer import answer
from runner.report.data import Report
from runner.report.page import document, payload, static


def render(report: Report) -> str:
    """The whole document."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The document piece by piece.

    Everything that comes from outside is escaped by the template engine.
    """
    said = answer(report)
    values = static.views(report, said) | {"data": payload.packed(report, said.overview)}
    return document.pieces("page.html.j2", "page.js", values)
