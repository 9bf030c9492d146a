"""The formats of a report, by the names that ``--format`` takes.

A format is a module of this package with a function ``render(report) -> str``, and a line in ``_MODULES``. Where the
text can be larger than the report itself, the module also has ``pieces(report) -> Iterator[str]``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from runner.report.data import Report
from runner.util import plain

_MODULES = {
    "terminal": "terminal",
    "json": "jsonout",
    "markdown": "markdown",
    "comment": "comment",
    "html": "html",
    "junit": "junit",
    "github": "github",
    "csv": "csvout",
    "badge": "badge",
}
"""Name -> module, which is imported when the format is used."""

FORMATS = tuple(_MODULES)


def text(report: Report, name: str) -> str:
    """The report in the format of that name."""
    return "".join(pieces(report, name))


def pieces(report: Report, name: str) -> Iterable[str]:
    """The same text piece by piece, so that a large one is never in memory as a whole."""
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    found: Iterable[str] = module.pieces(report) if hasattr(module, "pieces") else (module.render(report),)
    return map(plain.printable, found)
