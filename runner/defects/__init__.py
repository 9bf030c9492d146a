"""Turns samples into defects.

Each is listed once, with the cells that show it, the axis it follows and a script.

``ops`` reads the probe of that name, ``training`` that one, ``activities`` those that try promises, ``other_probes``
the exact figures of the others, ``failures`` the cells that do not run, ``kernels`` the digests that agree. ``cases``
names the places of a record, ``cells`` finds the axis. All is pure but for ``known.load`` and ``scripts``, which use
files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runner.defects import activities, failures, kernels, ops, other_probes, reading, training
from runner.defects.defect import Defect
from runner.model import Sample

__all__ = ["Defect", "agreements", "defects"]


def defects(samples: Sequence[Sample], *, whole: bool = False) -> tuple[Defect, ...]:
    """All defects that the samples show, the gravest first.

    ``whole``: with the cells that do not run, which a report shows in another place.
    """
    found = _merged(ops.defects(samples), training.defects(samples))
    found += activities.defects(samples)
    found += reading.defects(samples)
    found += other_probes.defects(samples, found)
    if whole:
        found += failures.defects(samples)
    return tuple(sorted(found, key=lambda d: (-d.severity, -len(d.cells), d.op, d.cases)))


def _merged(swept: Iterable[Defect], trained: Iterable[Defect]) -> list[Defect]:
    """Join what sweep and trainings find of one optimizer in the same cells.

    The sweep's defect is kept, with the cases of both.
    """
    found = {(defect.op, defect.kind, defect.cells): defect for defect in swept}
    for defect in trained:
        name = defect.op.removeprefix("training: ").partition(" (")[0]
        same = (key for key in found if f"optimizers.{name}" in key[0].split(", ") and set(key[2]) == set(defect.cells))
        key = next(same, None)
        if key is None:
            found[defect.op, defect.kind, defect.cells] = defect
        else:
            found[key] = replace(found[key], cases=(*found[key].cases, *defect.cases))
    return list(found.values())


def agreements(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Sentences on the cells that agree bit by bit, and on their kernel libraries."""
    return kernels.agreements(samples)
