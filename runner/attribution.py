"""Samples of the ``ops`` probe -> defects: each once, with the cells that show it and what they have in common. Pure.

A case says of every cell whether it is right, wrong in some way, or nothing (the version lacks the function; see
``runner.findings``). The cells in which a case is wrong, and those in which it is right, say which axis the defect
follows. Cases of one function that are wrong in the same way in the same cells are one defect.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner import casescript
from runner.findings import Finding, findings, version_key
from runner.model import Cell, Sample, Status

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
"""Outcome -> what a reader calls it, and how grave it is (10: worst)."""

AXES = ("keras", "version", "variant", "device", "python")
"""The axes that can part the bad cells of one framework from its good ones, the likeliest first."""

LIBRARY = {"torch": "oneDNN", "tensorflow": "oneDNN", "jax": "XLA and Eigen"}
"""Whose kernels a framework runs on x86 by default; tensorflow's variant without oneDNN runs Eigen's."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong, wherever it shows."""

    op: str
    """The public function or layer, for example ``ops.average_pool``; several where one cause shows in all of them."""
    kind: str
    """In words, for example ``wrong value``."""
    severity: int
    title: str
    """One line: what, where, until when."""
    where: str
    """The cells in words: ``all torch cells with keras 3.0.5 - 3.8.0``."""
    axis: str
    """What it follows: framework, ``kernel library`` and the names in ``AXES``, joined by a comma; or empty."""
    cells: tuple[str, ...]
    good: tuple[str, ...]
    """The cells in which the same cases are right."""
    last_good: str | None
    """The newest version before the first bad one that was run and is right, on the axis."""
    first_bad: str | None
    first_good: str | None
    """The oldest version after the last bad one that was run and is right."""
    pattern: str
    """What the failing calls have in common that passing ones lack, for example ``padding='same'``."""
    cases: tuple[str, ...]
    """Ids, the simplest first."""
    observed: str
    """What the simplest case gave, and what was expected."""
    script: str
    """Runs as it stands where Keras and the framework are installed."""
    packages: tuple[str, ...] = ()
    """What differs between the packages of the nearest bad and good cells: ``keras 3.8.0 -> 3.9.2``."""


def defects(samples: Iterable[Sample]) -> tuple[Defect, ...]:
    """All defects that the ``ops`` samples show, the gravest first. Samples of other probes are passed over."""
    runs: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.probe == PROBE and sample.status is Status.OK and isinstance(sample.details.get("cases"), dict):
            runs[sample.cell.id].append(_readable(sample))
    if not runs:
        return ()
    firsts = [found[0] for found in runs.values()]
    passing = _passing(firsts)
    found = [_defect(group, firsts) for group in _grouped(findings(list(runs.values())), passing)]
    return tuple(sorted(found, key=lambda d: (-d.severity, -len(d.cells), d.op, d.cases)))


def _readable(sample: Sample) -> Sample:
    """The sample without records that are none: what a cell writes is not to be trusted."""
    cases = {ident: record for ident, record in sample.details["cases"].items() if _is_record(record)}
    return replace(sample, details={**sample.details, "cases": cases})


def _is_record(record: object) -> bool:
    return (
        isinstance(record, list)
        and len(record) >= 6
        and isinstance(record[0], str)
        and isinstance(record[5], (str, list))
    )


@dataclass(slots=True)
class _Group:
    ops: tuple[str, ...]
    kind: str
    bad: frozenset[int]
    good: frozenset[int]
    found: list[Finding]
    pattern: str = ""


def _grouped(found: Iterable[Finding], passing: Mapping[str, set[str]]) -> list[_Group]:
    """Findings of one function and kind in the same cells; or in fewer, where nothing is known of the others.

    Functions of one module that fail for the same arguments in the same cells share one cause.
    """
    exact: dict[tuple[str, str, frozenset[int]], list[Finding]] = defaultdict(list)
    for finding in found:
        exact[finding.op, finding.kind, finding.bad].append(finding)
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
                group.found.extend(members)
                break
        else:
            groups.append(_Group((op,), kind, bad, good - bad, list(members)))
    for group in groups:
        group.pattern = _pattern([m.case for m in group.found], passing[group.ops[0]])
    return _merged(groups)


def _merged(groups: Sequence[_Group]) -> list[_Group]:
    merged: dict[tuple[str, str, str, frozenset[int]], _Group] = {}
    for group in groups:
        name = group.ops[0]
        key = (group.pattern or name, group.kind, name.rpartition(".")[0], group.bad)
        if key in merged:
            first = merged[key]
            first.ops, first.good = tuple(sorted({*first.ops, name})), first.good & group.good or first.good
            first.found.extend(group.found)
        else:
            merged[key] = group
    return list(merged.values())


def _passing(samples: Sequence[Sample]) -> dict[str, set[str]]:
    """For every function, the calls that are right in some cell (ids without checks)."""
    passing: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        for ident, record in sample.details["cases"].items():
            if record[0] in ("ok", "seen"):
                passing[casescript.operation(ident)].add(ident)
    return passing


def _defect(group: _Group, samples: Sequence[Sample]) -> Defect:
    words, severity = KINDS[group.kind]
    members = sorted(group.found, key=lambda m: (len(m.case), m.case))
    simplest = members[0]
    cells = [samples[i].cell for i in sorted(group.bad)]
    good = [samples[i].cell for i in sorted(group.good)]
    where, axes = _where(cells, good, [s.cell for s in samples])
    last_good, first_bad, first_good = _bounds(cells, good, axes)
    shown = max(simplest.bad, key=lambda i: (version_key(samples[i].cell.keras), version_key(samples[i].cell.version)))
    op = ", ".join(group.ops)
    title = f"{op}: {words}{' with ' + group.pattern if group.pattern else ''} - {where}"
    observed = simplest.observed.get(shown, "")
    return Defect(
        op=op,
        kind=words,
        severity=severity,
        title=title,
        where=where,
        axis=", ".join(axes),
        cells=tuple(c.id for c in cells),
        good=tuple(c.id for c in good),
        last_good=last_good,
        first_bad=first_bad,
        first_good=first_good,
        pattern=group.pattern,
        cases=tuple(m.case for m in members),
        observed=observed,
        script=casescript.script(
            simplest.case,
            samples[shown].cell.framework,
            str(samples[shown].details.get("prelude", "")),
            f"{simplest.op}: {words}. Seen with {_versions(samples[shown].cell)}.",
            observed,
        ),
        packages=_packages(group, samples),
    )


def _versions(cell: Cell) -> str:
    return f"{cell.framework} {cell.version}, keras {cell.keras}, Python {cell.python}, {cell.device}"


# where: which cells, in words


def _where(bad: Sequence[Cell], good: Sequence[Cell], ran: Sequence[Cell]) -> tuple[str, list[str]]:
    """The bad cells in words, and the axes that part them from the good ones. ``ran``: all cells of the run."""
    axes: list[str] = []
    frameworks = sorted({c.framework for c in bad})
    others = {c.framework for c in good} - set(frameworks)
    library = _library(bad, good)
    if library:
        return f"cells whose kernels are {library}'s", ["kernel library"]
    if others:
        axes.append("framework")
    parts = {}
    for framework in frameworks:
        mine, fine, all_ = ([c for c in cells if c.framework == framework] for cells in (bad, good, ran))
        parts[framework], axis = _part(mine, fine, all_)
        if axis and axis not in axes:
            axes.append(axis)
    if len(set(parts.values())) == 1:
        names = "all" if not others else "all " + " and ".join(frameworks)
        return f"{names} cells{next(iter(parts.values()))}", axes
    return "; ".join(f"{framework} cells{text}" for framework, text in parts.items()), axes


def _part(bad: Sequence[Cell], good: Sequence[Cell], ran: Sequence[Cell]) -> tuple[str, str]:
    """`` with keras 3.0.5 - 3.8.0`` and the axis that parts the bad from the good cells of one framework.

    Where no cell of it is good, but some tell nothing, the words say which are bad and no axis is claimed.
    """
    rest = good or [c for c in ran if c not in bad]
    for axis in AXES:
        mine, other = {getattr(c, axis) for c in bad}, {getattr(c, axis) for c in rest}
        if other and not mine & other:
            return f" with {_name(axis)} {_ranges(mine, other)}", axis if good else ""
    return (f" ({', '.join(c.id for c in bad)})" if good else ""), ""


def _name(axis: str) -> str:
    return {"version": "the framework's version"}.get(axis, axis)


def _ranges(bad: set[str | None], good: set[str | None]) -> str:
    """``3.0.5 - 3.8.0, 3.12.4``: runs of bad versions among all that were run."""
    runs: list[list[str]] = [[]]
    for value in sorted(bad | good, key=lambda v: (version_key(v), v or "")):
        if value in bad:
            runs[-1].append(value or "native")
        elif runs[-1]:
            runs.append([])
    return ", ".join(r[0] if len(r) == 1 else f"{r[0]} - {r[-1]}" for r in runs if r)


def _library(bad: Sequence[Cell], good: Sequence[Cell]) -> str:
    """The kernel library that all bad cells share and no good one has, where that says more than the framework does."""
    mine, rest = {_kernels(c) for c in bad}, {_kernels(c) for c in good}
    if len(mine) != 1 or mine & rest or not rest:
        return ""
    crossed = len({c.framework for c in bad}) > 1 or {c.framework for c in bad} & {c.framework for c in good}
    variants = any(c.variant == "no-onednn" for c in (*bad, *good))
    return next(iter(mine)) if crossed and variants else ""


def _kernels(cell: Cell) -> str:
    if cell.framework == "tensorflow" and cell.variant == "no-onednn":
        return LIBRARY["jax"]
    return LIBRARY.get(cell.framework, cell.framework)


def _bounds(
    bad: Sequence[Cell], good: Sequence[Cell], axes: Sequence[str]
) -> tuple[str | None, str | None, str | None]:
    """(last good before, first bad, first good after) on the version axis that the defect follows."""
    axis = next((a for a in axes if a in ("keras", "version")), "keras")
    frameworks = {c.framework for c in bad}
    mine = sorted({getattr(c, axis) or "" for c in bad}, key=version_key)
    rest = sorted({getattr(c, axis) or "" for c in good if c.framework in frameworks}, key=version_key)
    before = [v for v in rest if version_key(v) < version_key(mine[0])]
    after = [v for v in rest if version_key(v) > version_key(mine[-1])]
    return (before[-1] if before else None), mine[0] or None, (after[0] if after else None)


def _packages(group: _Group, samples: Sequence[Sample]) -> tuple[str, ...]:
    """What differs between the packages of the bad and the good cell that have most in common."""
    pairs = [
        (_unlike(samples[i].cell, samples[j].cell), i, j)
        for i in group.bad
        for j in group.good
        if samples[i].cell.framework == samples[j].cell.framework
    ]
    if not pairs:
        return ()
    _, i, j = min(pairs)
    bad, good = samples[i].packages, samples[j].packages
    return tuple(
        f"{name} {bad.get(name, 'absent')} -> {good.get(name, 'absent')}"
        for name in sorted({*bad, *good})
        if bad.get(name) != good.get(name)
    )


def _unlike(a: Cell, b: Cell) -> tuple[int, int]:
    count = sum(getattr(a, axis) != getattr(b, axis) for axis in AXES)
    distance = [abs(x - y) for x, y in zip(version_key(a.keras), version_key(b.keras), strict=False)]
    return count, sum(step * 100 ** (3 - place) for place, step in enumerate(distance[:3]))


# pattern: which calls


def _pattern(bad: Sequence[str], passing: set[str]) -> str:
    """The arguments that every failing call has and that tell them from the passing ones, or what most of them have."""
    failing = [_arguments(ident) for ident in bad]
    common = set.intersection(*failing)
    fine = [_arguments(ident) for ident in passing - {ident.partition("#")[0] for ident in bad}]
    telling = sorted(
        a for a in common if not a.startswith("weights=[") and sum(a in other for other in fine) < len(fine)
    )
    return ", ".join(telling)


def _arguments(ident: str) -> set[str]:
    """Keyword arguments as written, and the element type."""
    case = casescript.parse(ident)
    found = set(re.findall(r"\b\w+=(?:\([^()]*\)|\[[^\[\]]*\]|'[^']*'|\"[^\"]*\"|[\w.+*-]+)", case.expression))
    return found | ({case.dtype} if case.dtype else set())
