"""Turns samples of the ``ops`` probe into defects.

A case is right in a cell, wrong in some way, or not there (see ``ops_records``). The cells in which it is wrong and
those in which it is right show which axis the defect follows.
Cases of one function that are wrong in the same way in the same cells are one defect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.defects import cases, cells, ops_script
from runner.defects.cases import Run
from runner.defects.defect import Defect
from runner.defects.ops_records import WrongCase, wrong_cases
from runner.model import Sample

PROBE = "ops"

KINDS = {
    "crashes": ("kills the process", 9),
    "wrong": ("wrong value", 8),
    "nan": ("NaN or infinity", 8),
    "wrong#gradient": ("wrong gradient", 7),
    "nan#gradient": ("gradient is NaN or infinite", 7),
    "nondeterministic": ("nondeterministic", 7),
    "shape": ("wrong shape", 7),
    "raises": ("raises", 6),
    "raises#gradient": ("raises in the gradient", 6),
    "wrong#arguments": ("changes its argument", 7),
    "differs": ("differs from the other cells", 5),
    "wrong#graph": ("graph differs from eager", 5),
    "shape#graph": ("graph differs from eager in shape", 5),
    "raises#graph": ("raises in a graph", 5),
    "inaccurate": ("inaccurate", 4),
    "configuration": ("configuration leaves out arguments", 4),
    "refuses": ("refuses what works elsewhere", 3),
    "raises#dtype": ("raises for some dtypes", 3),
    "dtype": ("wrong dtype", 3),
    "shape#symbolic": ("symbolic shape is wrong", 3),
    "shape#dynamic": ("symbolic shape is wrong (unknown batch)", 3),
    "dtype#symbolic": ("symbolic dtype is wrong", 2),
    "dtype#dynamic": ("symbolic dtype is wrong (unknown batch)", 2),
    "raises#symbolic": ("raises on symbolic input", 2),
    "raises#dynamic": ("raises on symbolic input (unknown batch)", 2),
    "changed": ("changed between versions on every backend", 1),
}
"""Kind -> its words and its severity (10: worst)."""


def defects(samples: Iterable[Sample]) -> tuple[Defect, ...]:
    """All defects that the ``ops`` samples show; samples of other probes are skipped."""
    runs = cases.runs(samples, PROBE)
    firsts = [of_cell[0] for of_cell in runs]
    known = (wrong for wrong in wrong_cases(runs) if wrong.kind in KINDS)  # a cell may write anything
    return tuple(_defect(group, firsts) for group in _grouped(known, _passing(firsts)))


@dataclass(slots=True)
class _Group:
    ops: tuple[str, ...]
    kind: str
    bad: frozenset[int]
    good: frozenset[int]
    members: list[WrongCase]
    pattern: str = ""


def _grouped(found: Iterable[WrongCase], passing: Mapping[str, set[str]]) -> list[_Group]:
    """Group the wrong cases of one function and kind in the same cells.

    A case joins also where it is wrong in fewer cells, and the others say nothing about it.
    Functions of one module that fail for the same arguments in the same cells share one cause.
    """
    exact: dict[tuple[str, str, frozenset[int]], list[WrongCase]] = defaultdict(list)
    for wrong in found:
        exact[wrong.op, wrong.kind, wrong.bad].append(wrong)
    groups: list[_Group] = []
    for (op, kind, bad), members in sorted(exact.items(), key=lambda item: (-len(item[0][2]), sorted(item[0][2]))):
        good = frozenset.intersection(*(m.good for m in members)) or frozenset.union(*(m.good for m in members))
        for group in groups:
            unknown = group.bad - bad
            if (
                (group.ops, group.kind) == ((op,), kind)
                and bad <= group.bad
                and not any(m.good & unknown for m in members)
            ):
                group.members.extend(members)
                break
        else:
            groups.append(_Group((op,), kind, bad, good - bad, list(members)))
    for group in groups:
        group.pattern = _pattern([m.case for m in group.members], passing[group.ops[0]])
    return _merged(groups)


def _merged(groups: Sequence[_Group]) -> list[_Group]:
    merged: dict[tuple[str, str, str, frozenset[int]], _Group] = {}
    for group in groups:
        name = group.ops[0]
        key = (group.pattern or name, group.kind, name.rpartition(".")[0], group.bad)
        if key in merged:
            first = merged[key]
            first.ops, first.good = tuple(sorted({*first.ops, name})), first.good & group.good or first.good
            first.members.extend(group.members)
        else:
            merged[key] = group
    return list(merged.values())


def _passing(runs: Sequence[Run]) -> dict[str, set[str]]:
    """For every function, the calls that are right in some cell (ids without checks)."""
    passing: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for ident, case in run.cases.items():
            if case.right:
                passing[ops_script.operation(ident)].add(ident)
    return passing


def _defect(group: _Group, runs: Sequence[Run]) -> Defect:
    words, severity = KINDS[group.kind]
    samples = [run.sample for run in runs]
    members = sorted(group.members, key=lambda m: (len(m.case), m.case))
    simplest = members[0]
    shown = samples[at := cells.newest(simplest.bad, samples)]
    op = ", ".join(group.ops)
    observed = simplest.observed.get(at, "")
    return cells.defect(
        op,
        f"{words} with {group.pattern}" if group.pattern else words,
        severity,
        cells.parted(group.bad, group.good, samples),
        op=op,
        kind=words,
        pattern=group.pattern,
        cases=tuple(m.case for m in members),
        observed=observed,
        script=ops_script.script(
            simplest.case,
            shown.cell.framework,
            str(shown.details.get("prelude", "")),
            f"{simplest.op}: {words}. Seen with {cells.versions(shown.cell)}.",
            observed,
        ),
        packages=cells.packages(group.bad, group.good, samples),
    )


def _pattern(bad: Sequence[str], passing: set[str]) -> str:
    """The arguments that every failing call has and some passing call lacks."""
    failing = [_arguments(ident) for ident in bad]
    common = set.intersection(*failing)
    fine = [_arguments(ident) for ident in passing - {ident.partition("#")[0] for ident in bad}]
    telling = sorted(
        a for a in common if not a.startswith("weights=[") and sum(a in other for other in fine) < len(fine)
    )
    return ", ".join(telling)


def _arguments(ident: str) -> set[str]:
    """Keyword arguments as written, and the element type."""
    case = ops_script.parse(ident)
    found = set(re.findall(r"\b\w+=(?:\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|[\w.+*-]+)", case.expression))
    return found | ({case.dtype} if case.dtype else set())
