"""Makes the maps of the sweeps.

A map shows which release of Keras broke which function on which framework, and which release fixed it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.defects import Defect, activities, cases, known, ops_script, training
from runner.defects.cases import Run
from runner.matrix import frameworks, probes
from runner.report import numbers
from runner.report.data import Report
from runner.report.defects import reported
from runner.util import versions

MOST_CASES = 12
"""Of a defect with more cases, the simplest are listed."""

_SCENARIO = re.compile(r"([\w.]+)\([\w.]+\)")


def payload(report: Report, order: Mapping[str, int]) -> dict[str, Any]:
    """For every sweep: cells, a row per function, and the defects with their scripts.

    ``names``: the functions. ``right`` and ``wrong``: for each function, the number of cases in each of ``cells``.
    ``defects``: which functions and cells each is about.
    """
    listed = reported() if report.defects else ()
    return {
        probe: _sweep(report, probe, order, report.defects, listed)
        for probe in probes.sweeps()
        if probe in report.by_probe
    }


def _sweep(
    report: Report, probe: str, order: Mapping[str, int], found: Sequence[Defect], listed: Sequence[known.Known]
) -> dict[str, Any]:
    runs = sorted((of_cell[0] for of_cell in cases.runs(report.samples, probe)), key=_place)
    right: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    wrong: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for place, run in enumerate(runs):
        for name, is_right in _cases(probe, run):
            (right if is_right else wrong)[name][place] += 1
    names = sorted({*right, *wrong})
    number = {name: place for place, name in enumerate(names)}
    at = {run.cell.id: place for place, run in enumerate(runs)}
    return {
        "cells": [order[run.cell.id] for run in runs],
        "names": [numbers.plain(name) for name in names],
        "right": [[right[name].get(place, 0) for place in range(len(runs))] for name in names],
        "wrong": [[wrong[name].get(place, 0) for place in range(len(runs))] for name in names],
        "defects": [
            _defect(defect, functions, at, listed)
            for defect in found
            if (functions := [number[name] for name in _functions(probe, defect) if name in number])
        ],
    }


def _place(run: Run) -> tuple[Any, ...]:
    """The order of the columns: that of the overview, a framework together."""
    cell, known = run.cell, frameworks.names()
    first = known.index(cell.framework) if cell.framework in known else len(known)
    other = (versions.order(cell.python), cell.device, cell.variant)
    return (first, cell.framework, versions.order(cell.version), *other, versions.order(cell.keras or ""))


def _cases(probe: str, run: Run) -> Iterable[tuple[str, bool]]:
    """The function of every case that says something, and whether it was right."""
    for ident, case in run.cases.items():
        if not case.silent:
            yield function(probe, ident), case.right


def function(probe: str, case: str) -> str:
    """The row of the map that a case belongs to.

    >>> function("ops", "ops.exp(x) | x=normal(3) | float16#graph"), function("training", "optimizer.Adam_2(weights)")
    ('ops.exp', 'Adam')
    """
    if probe == "ops":
        return ops_script.operation(case)
    if probe != "training":
        return activities.name(case)
    match = _SCENARIO.fullmatch(case)
    return training.subject(match[1] if match else case)


def _functions(probe: str, defect: Defect) -> list[str]:
    """The rows of the map that a defect is about; none where another probe found it."""
    at = defect.op.partition(": ")[0] if ": " in defect.op else "ops"
    if at != probe:
        return []
    return list(dict.fromkeys(function(probe, case) for case in defect.cases))


def _defect(
    defect: Defect, functions: Sequence[int], at: Mapping[str, int], listed: Sequence[known.Known]
) -> dict[str, Any]:
    addresses = known.issues(listed, defect.op, defect.kind, defect.cells)
    bounds = (("last good", defect.last_good), ("first bad", defect.first_bad), ("first good", defect.first_good))
    return {
        "functions": list(functions),
        "title": numbers.plain(defect.title),
        "kind": numbers.plain(defect.kind),
        "severity": defect.severity,
        "bad": [at[cell] for cell in defect.cells if cell in at],
        "good": [at[cell] for cell in defect.good if cell in at],
        "bounds": [[words, numbers.plain(version)] for words, version in bounds if version],
        "follows": numbers.plain(defect.axis),
        "packages": [numbers.plain(package) for package in defect.packages],
        "cases": [numbers.plain(case) for case in defect.cases[:MOST_CASES]],
        "more": max(0, len(defect.cases) - MOST_CASES),
        "observed": numbers.plain(defect.observed),
        "script": "\n".join(numbers.plain(line, indent=True) for line in defect.script.splitlines()),
        "known": next((numbers.plain(address) for address in addresses if address), "") if addresses else None,
    }
