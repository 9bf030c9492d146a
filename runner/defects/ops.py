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

from runner.defects import blame, cases, cells, ops_script, plain, signatures
from runner.defects.cases import Run
from runner.defects.defect import Defect
from runner.defects.ops_records import WrongCase, wrong_cases
from runner.model import Sample

PROBE = "ops"

KINDS = {
    "crashes": ("kills the process", 10),
    "wrong": ("wrong value", 8),
    "nan": ("NaN or infinity", 8),
    "wrong#gradient": ("wrong gradient", 8),
    "nan#gradient": ("gradient is NaN or infinite", 8),
    "nondeterministic": ("nondeterministic", 7),
    "shape": ("wrong shape", 7),
    "wrong#arguments": ("changes its argument", 7),
    "raises": ("raises", 6),
    "raises#gradient": ("raises in the gradient", 6),
    "raises#jit": ("raises under jit", 6),
    "wrong#graph": ("graph differs from eager", 6),
    "shape#graph": ("graph differs from eager in shape", 5),
    "raises#graph": ("raises in a graph", 5),
    "disagree": ("backends disagree", 4),
    "inaccurate": ("inaccurate", 4),
    "configuration": ("configuration leaves out arguments", 4),
    "refuses": ("refuses what works elsewhere", 3),
    "accepts": ("accepts a wrong argument", 3),
    "accepts#symbolic": ("accepts a wrong argument on symbolic input", 2),
    "raises#dtype": ("raises for some dtypes", 3),
    "dtype": ("wrong dtype", 3),
    "shape#symbolic": ("symbolic shape is wrong", 3),
    "shape#dynamic": ("symbolic shape is wrong (unknown batch)", 3),
    "disagree#dtype": ("backends disagree on the dtype", 2),
    "raises#symbolic": ("raises on symbolic input", 2),
    "raises#dynamic": ("raises on symbolic input (unknown batch)", 2),
    "dtype#symbolic": ("symbolic dtype is wrong", 1),
    "dtype#dynamic": ("symbolic dtype is wrong (unknown batch)", 1),
    "changed": ("changed between versions on every backend", 1),
}
"""Kind -> its words and its severity for a user: 10 for wrong training and dead processes, 1 for a symbolic dtype."""


def defects(samples: Iterable[Sample]) -> tuple[Defect, ...]:
    """All defects that the ``ops`` samples show; samples of other probes are skipped."""
    runs = cases.runs(samples, PROBE)
    firsts = [of_cell[0] for of_cell in runs]
    known = [wrong for wrong in wrong_cases(runs) if wrong.kind in KINDS]  # a cell may write anything
    return tuple(_defect(group, firsts) for group in _grouped(blame.blamed(known, firsts), _passing(firsts)))


@dataclass(slots=True)
class _Group:
    ops: tuple[str, ...]
    kind: str
    bad: frozenset[int]
    members: list[WrongCase]
    parties: str = ""
    pattern: str = ""


def _grouped(found: Iterable[WrongCase], passing: Mapping[str, set[str]]) -> list[_Group]:
    """Group the wrong cases of one function and kind in the same cells.

    A case joins also where it is wrong in fewer cells, and the others say nothing about it: the bounds of the two
    cannot contradict each other.
    Functions of one module that fail for the same arguments in the same cells share one cause.
    """
    exact: dict[tuple[str, str, str, frozenset[int]], list[WrongCase]] = defaultdict(list)
    for wrong in found:
        exact[wrong.op, wrong.kind, wrong.parties, wrong.bad].append(wrong)
    groups: list[_Group] = []
    for (op, kind, parties, bad), members in sorted(
        exact.items(), key=lambda item: (-len(item[0][3]), sorted(item[0][3]))
    ):
        for group in groups:
            unknown = group.bad - bad
            if (
                (group.ops, group.kind, group.parties) == ((op,), kind, parties)
                and bad <= group.bad
                and not any(m.good & unknown for m in members)
            ):
                group.members.extend(members)
                break
        else:
            groups.append(_Group((op,), kind, bad, list(members), parties))
    for group in groups:
        group.pattern = _pattern([m.case for m in group.members], passing[group.ops[0]])
    return _merged(groups)


def _merged(groups: Sequence[_Group]) -> list[_Group]:
    merged: dict[tuple[str, ...], _Group] = {}
    for group in groups:
        name = group.ops[0]
        key = (group.pattern or name, group.kind, name.rpartition(".")[0], group.parties, str(sorted(group.bad)))
        if key in merged:
            first = merged[key]
            first.ops = tuple(sorted({*first.ops, name}))
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
    shown = _shown(group, runs)
    at = cells.newest(shown.bad, samples)
    cell = samples[at].cell
    others = sorted((m for m in group.members if m is not shown), key=lambda m: (len(m.case), m.case))
    op = ", ".join(group.ops)
    observed = shown.observed.get(at, "")
    related = {samples[i].cell.framework for i in group.bad}
    return cells.defect(
        op,
        f"{words} with {group.pattern}" if group.pattern else words,
        severity,
        group.bad,
        shown.good - group.bad,
        samples,
        op=op,
        kind=words,
        pattern=group.pattern,
        cases=tuple(dict.fromkeys(m.case for m in (shown, *others))),
        observed="; ".join(shown.sides) or observed,
        script=plain.script(
            shown.case.replace("#gradient", "#jit") if group.kind == "raises#jit" else shown.case,
            cell.framework,
            str(samples[at].details.get("prelude", "")),
            f"{shown.op}: {words}. Seen with {cells.versions(cell)}.",
            runs[at].cases.get(shown.case),
        ),
        signatures=_signatures(group, shown),
        sides=shown.sides,
        untried=cells.briefly(
            run.cell for run in runs if run.cell.framework in related and shown.case.partition("#")[0] not in run.cases
        ),
    )


def _shown(group: _Group, runs: Sequence[Run]) -> WrongCase:
    """The case that speaks for the group.

    It is wrong in all its cells, right in most of the others, and simple.

    A case whose kept values show what is wrong comes before one in which it is among those left out.
    """
    newest = cells.newest(group.bad, [run.sample for run in runs])

    def order(member: WrongCase) -> tuple[int, bool, int, str]:
        record = runs[newest].cases.get(member.case)
        hidden = record is not None and not plain.tells(record)
        return -len(member.good), hidden, len(member.case), member.case

    return min((m for m in group.members if m.bad == group.bad), key=order)


def _signatures(group: _Group, shown: WrongCase) -> tuple[str, ...]:
    """What defects of one cause share: messages, types, or arguments."""
    if group.kind.startswith(("raises", "refuses")):
        texts = (text for member in group.members for text in member.observed.values())
        found = {signatures.message(text, group.ops) for text in texts}
    elif group.kind.startswith("dtype#"):
        found = {signatures.promise(text) for member in group.members for text in member.observed.values()}
    elif group.kind.startswith("accepts"):
        found = {_wrong_arguments(member.case) for member in group.members}
        found |= {f"accepts {op.rpartition('.')[2]}" for op in group.ops if not op.startswith("ops.")}
    elif group.kind == "disagree#dtype":
        found = {" | ".join(" ".join(signatures.types(side)) for side in shown.sides)}
    elif group.kind == "configuration":
        found = {f"configuration {op.rpartition('.')[2]} {name}" for op in group.ops for name in _names(group.pattern)}
    else:
        found = {group.pattern}
    about = {signatures.ABOUT + op.rpartition(".")[2] for op in group.ops}
    return tuple(sorted((found | about) - {""}))


def _wrong_arguments(ident: str) -> str:
    """The keyword arguments of a call that should be refused.

    Without one its input, if that is symbolic.
    """
    names = sorted(_names(ops_script.parse(ident).expression) - {"dtype"})
    return ", ".join(names) or ("input shape" if "symbol(" in ident else "")


def _names(text: str) -> set[str]:
    """The names of keyword arguments."""
    return set(re.findall(r"\b(\w+)=", text))


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
    found = set(
        re.findall(r"\b\w+=(?:\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|[\w.+*-]+(?: [-+*] [\w.]+)*)", case.expression)
    )
    return found | ({case.dtype} if case.dtype else set())
