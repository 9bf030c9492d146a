"""Turns tests of a user's library that fail in some cells into defects.

A test that fails everywhere is the library's own affair and no defect. One that passes in some rounds of a cell and
fails in others says nothing about that cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from runner.defects import cases, cells
from runner.defects.cases import Run
from runner.defects.defect import Defect
from runner.model import Sample

PROBE = "suite"
COLLECTED = " (import)"
"""Behind the name of a file: the case that all of its tests can be imported."""
FAILED = ("wrong", "raises")
"""Statuses of a test that failed, and of one whose fixtures or file raised."""

_SEVERITY = 7
_SHOWN = 5
"""Names of tests in a sentence."""


def defects(samples: Iterable[Sample]) -> list[Defect]:
    """The tests that fail in the same cells and pass in the same others, together."""
    runs = cases.runs(samples, PROBE)
    first = [of_cell[0].sample for of_cell in runs]
    groups: dict[tuple[frozenset[int], frozenset[int]], list[str]] = defaultdict(list)
    for name in dict.fromkeys(name for of_cell in runs for run in of_cell for name in run.cases):
        bad, good = _sides(name, runs)
        if bad and good:
            groups[bad, good].append(name)
    return [_defect(names, bad, good, first, runs) for (bad, good), names in groups.items()]


def _sides(name: str, runs: Sequence[Sequence[Run]]) -> tuple[frozenset[int], frozenset[int]]:
    """The places of the cells in which a test fails, and of those in which it passes.

    It does so in every round.
    """
    found = [[case for run in of_cell if (case := run.cases.get(name))] for of_cell in runs]
    bad = frozenset(i for i, of_cell in enumerate(found) if of_cell and all(c.status in FAILED for c in of_cell))
    good = frozenset(i for i, of_cell in enumerate(found) if of_cell and all(c.right for c in of_cell))
    return bad, good


def _defect(
    names: Sequence[str],
    bad: frozenset[int],
    good: frozenset[int],
    samples: Sequence[Sample],
    runs: Sequence[Sequence[Run]],
) -> Defect:
    at = cells.newest(bad, samples)
    count = f"{len(names)} tests" if len(names) > 1 else "1 test"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    listed = ", ".join(names[:_SHOWN]) + more
    made = cells.defect(
        f"{count}: {listed}",
        "fails" if len(names) == 1 else "fail",
        _SEVERITY,
        bad,
        good,
        samples,
        op=f"{PROBE}: {names[0]}",
        kind="test fails",
        pattern="",
        cases=tuple(names),
        observed=runs[at][0].cases[names[0]].note,
        script=_script(names, samples[at]),
    )
    return replace(made, sentence=f"{_versions(made)}: {count}: {listed}")


def _versions(made: Defect) -> str:
    """``passes with keras 3.12.4, fails with 3.15.1``.

    Other words where no axis of releases parts the cells.
    """
    axis = next((axis for axis in made.axis.split(", ") if axis in ("keras", "version")), "")
    frameworks = {cell.partition("-")[0] for cell in made.cells}
    if not axis or made.first_bad is None or not (made.last_good or made.first_good):
        return f"passes elsewhere, fails in {made.where}"
    subject = "keras" if axis == "keras" else " and ".join(sorted(frameworks))
    before = f"passes with {subject} {made.last_good}, " if made.last_good else ""
    after = f", passes with {made.first_good} again" if made.first_good and made.last_good else ""
    after = after or (f", passes with {made.first_good}" if made.first_good else "")
    name = "" if before else f"{subject} "
    framework = f" ({' and '.join(sorted(frameworks))})" if axis == "keras" else ""
    return f"{before}fails with {name}{made.first_bad}{after}{framework}"


def _script(names: Sequence[str], sample: Sample) -> str:
    tests = [name.removesuffix(COLLECTED) for name in names]
    return (
        f'"""Runs the tests that fail with {cells.versions(sample.cell)}, in the folder of the library."""\n\n'
        f"import sys\n\nimport pytest\n\nsys.exit(pytest.main({tests!r}))\n"
    )
