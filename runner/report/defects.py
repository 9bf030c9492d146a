"""Defects as findings of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.defects import known
from runner.model import Sample
from runner.report import Finding, Severity
from runner.util import folders as resources

if TYPE_CHECKING:
    from runner.defects import Defect


_GRAVE = 6
"""A defect's severity from which on results are wrong or missing; below are precision, types and what is refused."""


def defects(samples: Sequence[Sample]) -> tuple[Finding, ...]:
    """What the sweeps found, in sentences; ``runner defects`` has the scripts."""
    from runner import defects as attribution

    defects = attribution.defects(samples)
    listed = known.load(resources.matrix_dir() / "expectations.toml") if defects else ()
    found = [_finding(defect, listed) for defect in defects]
    return (*found, *(Finding(Severity.DIFFERENT, text, ()) for text in attribution.agreements(samples)))


def _finding(defect: Defect, listed: Sequence[known.Known]) -> Finding:
    """A grave defect that a release brought, that the newest one has, and that nobody knows of, is a regression."""
    addresses = known.issues(listed, defect.op, defect.kind, defect.cells)
    news = defect.last_good and not defect.first_good and defect.severity >= _GRAVE
    severity = Severity.EXPECTED if addresses else Severity.REGRESSED if news else Severity.DIFFERENT
    return Finding(severity, _told(defect), defect.cells, "".join(addresses[:1]), weight=float(defect.severity))


def _told(defect: Defect) -> str:
    """The defect with the versions between which it came and went."""
    parts = [defect.title]
    if defect.last_good:
        parts.append(f"last good {defect.last_good}")
    if defect.first_good:
        parts.append(f"first good {defect.first_good}")
    return "; ".join(parts)
