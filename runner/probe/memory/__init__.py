"""Counts the objects, files, threads and bytes that a program leaves."""

from __future__ import annotations

from .. import cases

DEFAULTS = {"budget_s": 45.0, "only": ""}
FLOOR = 20000000
"""Bytes in a thousand rounds. A case has some ten rounds, and an allocator takes memory in pieces of 64 kB and more."""


def run(request, report):
    """Runs the cases (see ``cases.run``). Settings: ``DEFAULTS``.

    Metrics: ``ACTIVITY.bytes_per_1000``, by how much the process grows in a thousand rounds. They are judged as times
    are, by ratios, so that a slope below ``FLOOR`` counts as that: the noise of an allocator is not a leak.
    """
    cases.run(request, report, request.settings_with(DEFAULTS), _modules)
    from . import growth

    for name, slope in sorted(growth.SLOPES.items()):
        report.metric("%s.bytes_per_1000" % name, max(slope, FLOOR), "timing", better="lower", unit="bytes")


def _modules():
    from . import growth, left

    return (left, growth)
