"""Turns samples of the probes of activities into defects.

Such a probe tries one promise per case, so a defect's name is the promise that does not hold. Cases of one probe that
fail in the same cells with the same message share a cause, and so a defect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.defects import cases, cells
from runner.defects.cases import Case, Run
from runner.defects.defect import Defect
from runner.matrix import probes
from runner.model import Sample

KINDS = {"crashes": ("kills the process", 9), "wrong": ("is not so", 7), "raises": ("raises", 6)}
"""Status of a case -> its words and its severity (10: worst)."""


@dataclass(frozen=True, slots=True)
class _BrokenCase:
    """A case that fails in one way.

    ``bad`` are the cells (indices) that show it, ``good`` those in which it is right.
    """

    probe: str
    ident: str
    kind: str
    signature: str
    bad: frozenset[int]
    good: frozenset[int]
    observed: Mapping[int, str]


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """All defects that the first sample of each cell and activity shows."""
    by_probe: dict[str, list[Sample]] = defaultdict(list)
    known = probes.activities()
    for sample in samples:
        if sample.probe in known:
            by_probe[sample.probe].append(sample)
    return [defect for probe, found in by_probe.items() for defect in _of_probe(probe, found)]


def _of_probe(probe: str, samples: Sequence[Sample]) -> list[Defect]:
    runs = [of_cell[0] for of_cell in cases.runs(samples, probe)]
    groups: dict[tuple[str, str, frozenset[int]], list[_BrokenCase]] = defaultdict(list)
    for broken in _broken(probe, runs):
        groups[broken.kind, broken.signature, broken.bad].append(broken)
    return [_defect(group, [run.sample for run in runs]) for group in groups.values()]


def _broken(probe: str, runs: Sequence[Run]) -> Iterable[_BrokenCase]:
    by_case: dict[str, dict[int, Case]] = defaultdict(dict)
    for i, run in enumerate(runs):
        for ident, case in run.cases.items():
            by_case[ident][i] = case
    for ident, by_cell in by_case.items():
        good = frozenset(i for i, case in by_cell.items() if case.right)
        ways: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for i, case in by_cell.items():
            if case.status in KINDS:
                ways[case.status, signature(case)][i] = case.note
        for (kind, text), observed in ways.items():
            # what nobody can do may be asked wrongly
            if good or kind != "raises":
                yield _BrokenCase(probe, ident, kind, text, frozenset(observed), good, observed)


def signature(case: Case) -> str:
    """What cases of one cause share: the message, without what varies."""
    return re.sub(r"0x[0-9a-f]+|\d+|'[^']*'", "", case.note)[:80] if case.status == "raises" else case.note[:80]


def _defect(group: Sequence[_BrokenCase], samples: Sequence[Sample]) -> Defect:
    members = sorted(group, key=lambda broken: (len(broken.ident), broken.ident))
    first = members[0]
    bad, good = first.bad, frozenset.intersection(*(m.good for m in members)) or first.good
    words, severity = KINDS[first.kind]
    shown = samples[at := cells.newest(bad, samples)]
    promises = shown.details.get("promises")
    promise = promises.get(first.ident, first.ident) if isinstance(promises, dict) else first.ident
    scripts = shown.details.get("scripts")
    script = scripts.get(first.ident, "") if isinstance(scripts, dict) else ""
    more = f" and {len(members) - 1} more" if len(members) > 1 else ""
    return cells.defect(
        f"{first.probe}: {promise}{more}",
        words,
        severity,
        cells.parted(bad, good, samples),
        op=f"{first.probe}: {name(first.ident)}",
        kind=words,
        pattern="",
        cases=tuple(m.ident for m in members),
        observed=first.observed[at],
        script=f"# Seen with {cells.versions(shown.cell)}.\n{script}" if script else cells.measuring(shown),
        packages=cells.packages(bad, good, samples),
    )


def name(ident: str) -> str:
    """The function of a case.

    >>> name("clone_function_sees_every_layer(recursive=True)")
    'clone_function_sees_every_layer'
    """
    return ident.partition("(")[0]
