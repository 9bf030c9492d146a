"""Runs models eagerly, in graphs and under jit, and counts compilations."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import dynamic, flow, forms, steps

    return (forms, steps, flow, dynamic)
