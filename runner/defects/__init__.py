"""Turns samples into defects.

Each is listed once, with the cells that show it, the axis it follows and a script.

``ops`` reads the probe of that name, ``training`` that one, ``activities`` those that try promises, ``suite`` the tests
of a user's library, ``other_probes`` the exact figures of the others, ``failures`` the cells that do not run,
``kernels`` the digests that agree. ``cases`` names the places of a record, ``cells`` finds the axis. All is pure but
for ``known.load`` and ``scripts``, which use files.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.defects import activities, causes, failures, kernels, ops, other_probes, reading, suite, training
from runner.defects.defect import Defect
from runner.model import Sample

__all__ = ["Defect", "agreements", "defects"]


def defects(samples: Sequence[Sample], *, whole: bool = False) -> tuple[Defect, ...]:
    """All defects that the samples show, the gravest first.

    ``whole``: with the cells that do not run, which a report shows in another place.
    """
    found = [*ops.defects(samples), *training.defects(samples), *activities.defects(samples)]
    found += reading.defects(samples)
    found += other_probes.defects(samples, found)
    found = [*causes.joined(found, samples), *suite.defects(samples)]
    if whole:
        found += failures.defects(samples)
    return tuple(sorted(found, key=lambda d: (-d.severity, -len(d.cells), d.op, d.cases)))


def agreements(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Sentences on the cells that agree bit by bit, and on their kernel libraries."""
    return kernels.agreements(samples)
