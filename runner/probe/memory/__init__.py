"""Counts the objects, files, threads and bytes that a program leaves."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 45.0, "only": ""}


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``.

    Metrics: ``ACTIVITY.bytes_per_1000``, by how much the process grows in a thousand rounds.
    """
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)
    from . import growth

    for name, slope in sorted(growth.SLOPES.items()):
        report.metric("%s.bytes_per_1000" % name, slope, "info", better="lower", unit="bytes")


def _modules():
    from . import growth, left

    return (left, growth)
