"""The records of a sweep (the probes ``ops`` and ``training``), one per case.

The payload writes a record as a JSON list (``probe/kit/records.py``); ``Case`` names its places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from runner.model import Cell, Sample, Status

RIGHT = ("ok", "seen")
"""Statuses of a case whose result is right; ``seen``: there is no reference, cells are compared afterwards."""

SILENT = ("unsupported", "unspecified")
"""Statuses that say nothing about right and wrong."""


class Case(msgspec.Struct, array_like=True, frozen=True):
    """One record."""

    status: str
    """``ok``, ``seen``, ``wrong``, ``inaccurate``, ``nan``, ``shape``, ``dtype``, ``raises``, ``crashes``,
    ``unsupported`` or ``unspecified``."""
    figure: float | str | None = None
    """The largest error in units of the case's own rounding; a text where it is not finite."""
    sketch: list[float | str] | str | None = ""
    """A digest where the result agrees with the reference; else the norm and up to 8 values."""
    types: str = ""
    """``float32[2,3] int32[2]``: types and shapes of the result."""
    note: str = ""
    """The exception's message, or what was expected."""
    passed: str = ""
    """Letters of the further checks that passed."""

    @property
    def right(self) -> bool:
        """Whether the result is right as far as the cell itself can say."""
        return self.status in RIGHT

    @property
    def silent(self) -> bool:
        """Whether the record says nothing about right and wrong."""
        return self.status in SILENT


@dataclass(frozen=True, slots=True)
class Run:
    """A sample of a sweep and its records by case id."""

    sample: Sample
    cases: Mapping[str, Case]

    @property
    def cell(self) -> Cell:
        """The cell of the sample."""
        return self.sample.cell


def read(records: object) -> dict[str, Case]:
    """Read the detail ``cases`` of a sample; records of another form are left out."""
    found = {}
    for ident, record in records.items() if isinstance(records, dict) else ():
        try:
            found[ident] = msgspec.convert(record, type=Case)
        except msgspec.ValidationError:  # a cell may write anything
            continue
    return found


def runs(samples: Iterable[Sample], probe: str) -> list[list[Run]]:
    """The runs of the probe that ended well, by cell; the first process first."""
    found: dict[str, list[Run]] = defaultdict(list)
    for sample in samples:
        if sample.probe == probe and sample.status is Status.OK and isinstance(sample.details.get("cases"), dict):
            found[sample.cell.id].append(Run(sample, read(sample.details["cases"])))
    return list(found.values())
