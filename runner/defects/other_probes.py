"""Turns figures of the other probes, right or wrong by themselves, into defects.

A convolution that has another shape or is further from its exact value than rounding explains, a cell that does not
repeat itself, and names or counts that change from one release to the next.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.defects import cells
from runner.defects.defect import Defect
from runner.judge import exact
from runner.matrix import probes
from runner.model import Cell, Kind, Metric, Sample, Status

OUTCOMES = {"wrong shape": 7, "not finite": 8, "raised": 6}
"""What a case's ``outcome`` says where it is bad, and how grave that is."""

_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{16,}")
_SHAPELESS = ("shape", "outcome", "repeatable", "initial_weights")
"""Exact figures that are reported in another way, or follow from others."""

_Value = tuple[str, int, bool]
"""A judged figure: in words, how grave that is, and whether it is right."""


@dataclass(frozen=True, slots=True)
class _OddFigure:
    """A figure that is wrong or old: the cells (indices) that show it, and the good."""

    probe: str
    figure: str
    kind: str
    severity: int
    bad: frozenset[int]
    good: frozenset[int]
    observed: str


def defects(samples: Iterable[Sample], found: Sequence[Defect]) -> list[Defect]:
    """The defects that the remaining probes show and ``found`` does not have."""
    runs: dict[str, dict[str, Sample]] = defaultdict(dict)
    for sample in samples:
        if sample.probe not in probes.sweeps() and sample.status is Status.OK:
            runs[sample.probe].setdefault(sample.cell.id, sample)
    made = []
    for probe, by_cell in runs.items():
        firsts = list(by_cell.values())
        groups: dict[tuple[str, frozenset[int]], list[_OddFigure]] = defaultdict(list)
        for odd in _odd(probe, firsts):
            groups[odd.kind, odd.bad].append(odd)
        made += [_defect(group, firsts) for group in groups.values()]
    return [defect for defect in made if not _told(defect, found)]


def _odd(probe: str, runs: Sequence[Sample]) -> Iterable[_OddFigure]:
    figures: dict[str, dict[int, Metric]] = defaultdict(dict)
    for i, sample in enumerate(runs):
        for metric in sample.metrics:
            figures[metric.name][i] = metric
    for name, by_cell in figures.items():
        values = {i: value for i, metric in by_cell.items() if (value := _judged(metric)) is not None}
        yield from _wrong(probe, name, values)
        yield from _changed(probe, name, by_cell, runs)


def _judged(metric: Metric) -> _Value | None:
    """Judge the figure by itself; None where it is not about right and wrong."""
    figure, value = metric.name.rpartition(".")[2], metric.value
    if figure == "outcome" and isinstance(value, str) and value != "unsupported":
        return value, OUTCOMES.get(value, 0), value not in OUTCOMES
    if figure == "repeatable" and metric.kind is Kind.EXACT:
        same = value in (True, 1, "yes")
        return "nondeterministic", 7, same
    if metric.kind is Kind.ERROR and metric.unit == "u" and metric.terms and isinstance(value, int | float):
        if figure.endswith("rms"):
            return None
        name = exact.classify(float(value), metric.terms)
        words = {exact.WRONG: "wrong value", exact.ROUNDING: "ok"}.get(name, f"{name} precision")
        return words, 8 if name == exact.WRONG else 4, name == exact.ROUNDING
    return None


def _wrong(probe: str, name: str, values: Mapping[int, _Value]) -> Iterable[_OddFigure]:
    good = frozenset(i for i, (_, _, right) in values.items() if right)
    ways: dict[tuple[str, int], set[int]] = defaultdict(set)
    for i, (words, severity, right) in values.items():
        if not right:
            ways[words, severity].add(i)
    for (words, severity), bad in ways.items():
        yield _OddFigure(probe, name, words, severity, frozenset(bad), good, f"{name}: {words}")


def _changed(probe: str, name: str, by_cell: Mapping[int, Metric], runs: Sequence[Sample]) -> Iterable[_OddFigure]:
    """Names and counts that changed in later releases of Keras, all else being equal."""
    lines: dict[Cell, dict[int, str]] = defaultdict(dict)
    for i, metric in by_cell.items():
        cell = runs[i].cell
        plain = metric.kind is Kind.EXACT and not isinstance(metric.value, list) and cell.keras is not None
        if not plain or name.rpartition(".")[2] in _SHAPELESS or _DIGEST.fullmatch(str(metric.value)):
            continue
        lines[replace(cell, keras=None)][i] = str(metric.value)
    older: dict[tuple[str, str], tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
    for line in lines.values():
        last = line[cells.newest(line, runs)]
        for i, value in line.items():
            if value != last:
                older[value, last][0].add(i)
        for value in set(line.values()) - {last}:
            older[value, last][1].update(i for i, v in line.items() if v == last)
    for (value, last), (bad, good) in older.items():
        told = f"{name} was {value} and is {last}"
        yield _OddFigure(probe, name, "changed between versions", 1, frozenset(bad), frozenset(good), told)


def _defect(group: Sequence[_OddFigure], runs: Sequence[Sample]) -> Defect:
    first = group[0]
    bad = first.bad
    good = frozenset.intersection(*(f.good for f in group)) or first.good
    names = sorted({f.figure.rpartition(".")[0] or f.figure for f in group})
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return cells.defect(
        f"{first.probe}, {shown}",
        first.kind,
        first.severity,
        bad,
        good,
        runs,
        op=f"{first.probe}: {shown}",
        kind=first.kind,
        pattern="",
        cases=tuple(names),
        observed="; ".join(f.observed for f in group[:3]),
        script=cells.measuring(runs[cells.newest(bad, runs)]),
    )


def _told(defect: Defect, found: Sequence[Defect]) -> bool:
    """Whether the sweep has the convolution's defect in at least the same cells."""
    return defect.op.startswith("conv2d") and any(
        "conv" in one.op.lower() and one.kind == defect.kind and set(defect.cells) <= set(one.cells) for one in found
    )
