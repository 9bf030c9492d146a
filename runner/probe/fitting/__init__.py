"""Tries training by cases: layers through fit, compile(), losses and metrics."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 200.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import compiling, families, losses, metrics, optimizing, recurrent, reports

    return (recurrent, compiling, optimizing, metrics, losses, families, reports)
