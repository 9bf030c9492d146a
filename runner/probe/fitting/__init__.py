"""Trains every layer family, and tries compile(), losses, metrics and optimizers, against NumPy in float64."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 60.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import compiling, losses, metrics, recurrent

    return (recurrent, compiling, losses, metrics)
