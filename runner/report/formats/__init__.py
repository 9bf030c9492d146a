"""The formats of a report, by the names that ``--format`` takes.

A format is a module of this package with a function ``render(report) -> str``, and a line in ``_MODULES``.
"""

from __future__ import annotations

import importlib

from runner.report.data import Report

_MODULES = {
    "terminal": "terminal",
    "json": "jsonout",
    "markdown": "markdown",
    "comment": "comment",
    "html": "html",
    "junit": "junit",
    "github": "github",
    "csv": "csvout",
}
"""Name -> module, which is imported when the format is used."""

FORMATS = tuple(_MODULES)


def text(report: Report, name: str) -> str:
    """The report in the format of that name."""
    rendered: str = importlib.import_module(f"{__name__}.{_MODULES[name]}").render(report)
    return rendered
