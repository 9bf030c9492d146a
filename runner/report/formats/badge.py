"""Renders the report as a badge: JSON that shields.io draws from its address.

The format is that of its endpoint badges, https://shields.io/badges/endpoint-badge.
"""

from __future__ import annotations

from collections import Counter

from runner.report.answer import answer
from runner.report.data import Report, Severity, cell_ids
from runner.util import jsontext

LABEL = "keras matrix"
SCHEMA = 1
"""The version of the format that shields.io reads."""

_COLORS = {0: "brightgreen", 1: "red", 3: "yellow"}
_WORDS = {1: "something got worse", 3: "not all measured", 4: "nothing measured", 130: "interrupted"}
_FAILING = (Severity.BROKEN, Severity.REGRESSED, Severity.FIXED)


def render(report: Report) -> str:
    """Render the JSON object of the badge, with a line end."""
    color = _COLORS.get(report.exit_code, "lightgrey")
    return jsontext.dumps({"schemaVersion": SCHEMA, "label": LABEL, "message": message(report), "color": color}) + "\n"


def message(report: Report) -> str:
    """What the badge says: ``7 combinations, nothing worse``, ``1 broken, 2 worse``."""
    if report.exit_code == 0:
        count = len(cell_ids(report))
        return f"{count} {'combination' if count == 1 else 'combinations'}, nothing worse"
    counts = Counter(finding.severity for finding in answer(report).findings)
    failing = [f"{counts[severity]} {severity.label.lower()}" for severity in _FAILING if counts[severity]]
    if report.exit_code == 1 and failing:
        return ", ".join(failing)
    return _WORDS.get(report.exit_code, f"exit code {report.exit_code}")
