"""Samples -> defects: each once, with the cells that show it, the axis it follows and a script that shows it. Pure.

``sweep`` reads the ``ops`` probe, ``fits`` the ``training`` probe, ``figures`` what the others say in exact figures,
``runs`` which cells do not run at all, ``kernels`` where results agree bit by bit. ``where`` says which cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runner.defects import failures, kernels, ops, other_probes, training
from runner.defects.defect import Defect
from runner.model import Sample

__all__ = ["Defect", "agreements", "defects"]


def defects(samples: Sequence[Sample], *, whole: bool = False) -> tuple[Defect, ...]:
    """All defects that the samples show, the gravest first.

    ``whole``: also cells that do not run, which a report tells on its own.
    """
    found = _merged(ops.defects(samples), training.defects(samples))
    found += other_probes.defects(samples, found)
    if whole:
        found += failures.defects(samples)
    return tuple(sorted(found, key=lambda d: (-d.severity, -len(d.cells), d.op, d.cases)))


def _merged(swept: Iterable[Defect], trained: Iterable[Defect]) -> list[Defect]:
    """An optimizer that the sweep and the trainings find wrong in the same cells is told once, by the sweep."""
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
    """Whose results are the same bit by bit, in words, where that follows the kernel library."""
    return kernels.agreements(samples)
