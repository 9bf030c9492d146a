"""Turns cells that do not run a probe into defects, one per reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from runner.defects import cells
from runner.defects.defect import Defect
from runner.matrix import frameworks
from runner.model import Sample, Status

KINDS = {
    Status.IMPORT_FAILED: ("does not import", 10),
    Status.CRASHED: ("crashes", 9),
    Status.OOM: ("runs out of memory", 8),
    Status.TIMEOUT: ("does not finish in time", 7),
    Status.BAD_OUTPUT: ("gives no usable result", 7),
}
"""Status -> its words and its severity (10: worst). The other statuses do not concern the cell."""


def defects(samples: Sequence[Sample]) -> list[Defect]:
    """One defect per reason, with its probes, and the good cells of its frameworks."""
    groups: dict[tuple[Status, str, str], dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        if sample.status in KINDS:
            probe = "" if sample.status is Status.IMPORT_FAILED else sample.probe
            groups[sample.status, _reason(sample.reason), probe][sample.cell.id].append(sample)
    return [_defect(status, by_cell, samples) for (status, _, _), by_cell in groups.items()]


def _reason(text: str) -> str:
    """A reason without what varies from cell to cell."""
    return re.sub(r"0x[0-9a-f]+|\d+", "", text)[:120]


def _defect(status: Status, by_cell: dict[str, list[Sample]], samples: Iterable[Sample]) -> Defect:
    words, severity = KINDS[status]
    bad = [found[0] for found in by_cell.values()]
    probes = sorted({sample.probe for found in by_cell.values() for sample in found})
    related = {s.cell.framework for s in bad}
    ran = {s.cell.id: s for s in samples if s.probe in probes and s.cell.framework in related}
    good = [s for i, s in ran.items() if s.status is Status.OK and i not in by_cell]
    said = [*bad, *good]
    runs = [*said, *(s for s in ran.values() if s not in said)]
    shown = bad[cells.newest(range(len(bad)), bad)]
    whom = "import" if status is Status.IMPORT_FAILED else ", ".join(probes)
    return cells.defect(
        whom,
        words,
        severity,
        range(len(bad)),
        range(len(bad), len(said)),
        runs,
        op=whom,
        kind=words,
        pattern="",
        cases=tuple(probes),
        observed=shown.reason,
        script=_importing(shown) if status is Status.IMPORT_FAILED else cells.measuring(shown),
    )


def _importing(sample: Sample) -> str:
    cell = sample.cell
    module = frameworks.of(cell.framework).module
    keras = cell.keras is not None
    lines = [f'"""Does not import with {cells.versions(cell)}."""', ""]
    if keras:
        lines += ["import os", "", f'os.environ["KERAS_BACKEND"] = "{cell.framework}"', ""]
    lines += [f"import {'keras' if keras else module}", "", f"print({'keras' if keras else module}.__version__)"]
    return "\n".join(lines) + "\n"
