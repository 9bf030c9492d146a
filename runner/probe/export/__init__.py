"""Exports models, serves what was written, and checks what Keras promises."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 90.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``."""
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)


def _modules():
    from . import endpoints, exports, programs

    return (exports, programs, endpoints)
