"""Turns samples of the probe ``reading`` into defects.

A defect is a file that one cell wrote and another cannot use.

A release promises to read the files of older releases, and of its own on any backend. That an older release cannot
read a newer file is shown in the table of the report (``runner.report.exchange``) and is not a defect. A file that its
own writer cannot read either is a defect of the probe ``saving``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.defects import activities, cases, cells
from runner.defects.cases import Case, Run
from runner.defects.defect import Defect
from runner.model import Cell, Sample
from runner.util import versions

PROBE = "reading"

KINDS = {
    "crashes": ("kills the process that loads it", 9),
    "wrong": ("loads and computes something else", 8),
    "raises": ("cannot be loaded", 6),
    "inaccurate": ("computes less exactly", 4),
}
"""Status of a case -> its words and its severity (10: worst)."""

_IDENT = re.compile(r"read\(writer='([^']+)', file='([^']+)'\)")


@dataclass(frozen=True, slots=True)
class Read:
    """One file of one writer, read in one cell."""

    writer: str
    reader: int
    file: str
    case: Case


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """All defects that the first ``reading`` sample of each cell shows."""
    runs = [of_cell[0] for of_cell in cases.runs(samples, PROBE)]
    by_id = {run.cell.id: run.cell for run in runs}
    found = list(reads(runs))
    own = {(one.reader, one.file, _signature(one.case)) for one in found if runs[one.reader].cell.id == one.writer}
    broken: dict[tuple[str, str, str], set[tuple[str, int]]] = defaultdict(set)
    fine: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for one in found:
        writer = by_id.get(one.writer)
        if writer is None or not promised(writer, runs[one.reader].cell):
            continue
        if one.case.right:
            fine[one.file].add((one.writer, one.reader))
        elif one.case.status in KINDS and (one.reader, one.file, _signature(one.case)) not in own:
            broken[one.file, one.case.status, _signature(one.case)].add((one.writer, one.reader))
    groups: dict[tuple[str, str, frozenset[tuple[str, int]]], list[str]] = defaultdict(list)
    for (file, kind, signature), pairs in broken.items():
        groups[kind, signature, frozenset(pairs)].append(file)
    return [_defect(kind, sorted(files), pairs, fine, runs) for (kind, _, pairs), files in groups.items()]


def reads(runs: Sequence[Run]) -> Iterable[Read]:
    """Every case of every reader whose id names a writer and a file."""
    for reader, run in enumerate(runs):
        for ident, case in run.cases.items():
            if match := _IDENT.fullmatch(ident):
                yield Read(match[1], reader, match[2], case)


def promised(writer: Cell, reader: Cell) -> bool:
    """Whether the reader's release is not older than the writer's."""
    return versions.order(reader.keras or "") >= versions.order(writer.keras or "")


def _signature(case: Case) -> str:
    return case.status if case.status != "raises" else activities.signature(case)


def _defect(
    kind: str,
    files: Sequence[str],
    pairs: frozenset[tuple[str, int]],
    fine: Mapping[str, set[tuple[str, int]]],
    runs: Sequence[Run],
) -> Defect:
    samples = [run.sample for run in runs]
    words, severity = KINDS[kind]
    bad = frozenset(reader for _, reader in pairs)
    writers = {writer for writer, _ in pairs}
    good = frozenset(reader for writer, reader in fine[files[0]] if writer in writers and reader not in bad)
    place = {run.cell.id: i for i, run in enumerate(runs)}
    wrote = frozenset(place[writer] for writer in writers)
    others = frozenset(place[writer] for writer, _ in fine[files[0]] if writer not in writers)
    by_whom, _ = cells.described(*cells.parted(wrote, others, samples))
    at = cells.newest(bad, samples)
    newest = samples[cells.newest(frozenset(place[writer] for writer, reader in pairs if reader == at), samples)]
    ident = f"read(writer={newest.cell.id!r}, file={files[0]!r})"
    listed = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return cells.defect(
        f"{PROBE}: {listed}, written by {by_whom}",
        words,
        severity,
        bad,
        good,
        samples,
        op=f"{PROBE}: {listed}",
        kind=words,
        pattern="",
        cases=tuple(f"read(writer={writer!r}, file={files[0]!r})" for writer in sorted(writers)),
        observed=runs[at].cases[ident].note,
        script=cells.measuring(samples[at]),
    )
