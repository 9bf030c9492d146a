"""Finds cells that agree bit by bit, and whether they share a kernel library."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from runner.defects import cells
from runner.model import Cell, Sample, Status

_SUFFIX = ".digest"

_MOST_PAIRS = 3
"""Of more pairs of cells the first are named and the rest are counted."""

_Side = tuple[str, str, str]
"""Framework, version and variant: cells that differ in Keras alone run the same kernels."""


def agreements(samples: Sequence[Sample]) -> tuple[str, ...]:
    """One sentence per probe that reports digests on the CPU.

    There must be pairs of frameworks that share a kernel library, and pairs that do not.
    Cells are taken together that differ in Keras alone; a case counts as equal where all of both have one digest.
    """
    probes: dict[str, dict[_Side, dict[str, set[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    for sample in samples:
        if sample.status is Status.OK and sample.cell.device == "cpu":
            cell = sample.cell
            for metric in sample.metrics:
                if metric.name.endswith(_SUFFIX):
                    side = (cell.framework, cell.version, cell.variant)
                    probes[sample.probe][side][metric.name].add(str(metric.value))
    return tuple(text for probe, sides in probes.items() if (text := _said(probe, sides)))


def _said(probe: str, sides: dict[_Side, dict[str, set[str]]]) -> str:
    """In how many cases pairs agree that share a library, and pairs that do not."""
    same: list[tuple[Fraction, str]] = []
    across: list[tuple[Fraction, str]] = []
    for a, b in combinations(sides, 2):
        cases = sides[a].keys() & sides[b].keys()
        if not cases or (a[0], a[2]) == (b[0], b[2]):
            continue  # two releases of one framework: that is what the comparisons are for
        equal = sum(len(sides[a][case] | sides[b][case]) == 1 for case in cases)
        pairs = same if _library(a) == _library(b) else across
        pairs.append((Fraction(equal, len(cases)), f"{_name(a)} and {_name(b)} in {equal} of {len(cases)} cases"))
    if not same or not across:
        return ""
    follows = min(same)[0] > max(across)[0]
    verdict = f"agreement {'follows the kernel library' if follows else 'does not follow the kernel library alone'}"
    more = f" and {len(same) - _MOST_PAIRS} more pairs" if len(same) > _MOST_PAIRS else ""
    together = "; ".join(text for _, text in same[:_MOST_PAIRS]) + more
    apart = max(across)[1]
    best = f"The best pair on different libraries: {apart}"
    return f"{probe}: {verdict}. Bit by bit equal on the same library: {together}. {best}"


def _library(side: _Side) -> str:
    return cells.kernels(Cell(side[0], side[1], None, "", "cpu", side[2]))


def _name(side: _Side) -> str:
    variant = f" {side[2]}" if side[2] else ""
    return f"{side[0]} {side[1]}{variant} ({_library(side)})"
