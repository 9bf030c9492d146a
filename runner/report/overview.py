"""The matrix as a matrix: releases across, Keras down, one symbol per cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.matrix import frameworks, probes
from runner.model import CONDITIONS, Cell, Comparison, Status, Verdict
from runner.report import numbers
from runner.report.data import Report
from runner.report.marks import BASELINE, Mark, mark
from runner.util import versions

ALONE = "o"
"""Measured, and compared with nothing."""
SKIPPED = "-"
NO_CELL = "·"


@dataclass(frozen=True, slots=True)
class Tile:
    """One cell of the overview."""

    cell: str
    """Its id, or empty where the matrix has no such cell."""
    symbol: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Block:
    """The cells on one device with one Python and variant."""

    name: str
    """What distinguishes the block, or empty where there is one."""
    columns: tuple[tuple[str, str], ...]
    """Framework and version."""
    rows: tuple[tuple[str, tuple[Tile, ...]], ...]
    """``keras 3.11.3`` or ``native``, and a tile per column."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All blocks, and the legend of what they contain."""

    blocks: tuple[Block, ...]
    legend: tuple[tuple[str, str], ...]
    """Symbol and meaning."""
    baseline_notes: tuple[str, ...] = ()
    """What the reader must know about the cell that most others are compared with."""


def overview(report: Report) -> Overview:
    """Arrange the cells of a report, each with its worst verdict."""
    measured = report.cells
    skipped = {s.cell.id: s.cell for s in report.skips if s.cell.id not in measured}
    cells = [*measured.values(), *skipped.values()]
    worst = _worst(report)
    leads = {c.baseline for c in report.comparisons}
    nothing = _unmeasured(report)
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(str(cell.values[axis.name] or "") for axis in CONDITIONS), []).append(cell)
    differ = [axis for axis in CONDITIONS if len({cell.values[axis.name] for cell in cells}) > 1]
    blocks = []
    for group in groups.values():
        name = numbers.plain(", ".join(axis.in_sentence(group[0]) for axis in differ))
        blocks.append(_block(name, group, worst, {*skipped, *nothing}, leads))
    return Overview(tuple(blocks), _legend(blocks), _baseline_notes(report))


def _baseline_notes(report: Report) -> tuple[str, ...]:
    """The notes of the baseline of most comparisons.

    Those about other cells too are left out.
    """
    used = Counter(c.baseline for c in report.comparisons if c.baseline)
    if not used:
        return ()
    lead = used.most_common(1)[0][0]
    own = {note for s in report.samples if s.cell.id == lead for note in s.notes}
    others = {note for s in report.samples if s.cell.id != lead for note in s.notes}
    return tuple(sorted(numbers.plain(note) for note in own - others))


def _unmeasured(report: Report) -> set[str]:
    """The cells of which no process says anything.

    This machine could not measure them.
    """
    told = {s.cell.id for s in report.samples if s.status is Status.OK or s.status.about_cell}
    return report.cells.keys() - told


def _block(name: str, cells: Sequence[Cell], worst: dict[str, Mark], skipped: set[str], leads: set[str]) -> Block:
    known = frameworks.names()

    def place(cell: Cell) -> tuple[object, ...]:
        framework = known.index(cell.framework) if cell.framework in known else len(known)
        return (framework, cell.framework, versions.order(cell.version))

    columns = tuple(dict.fromkeys((c.framework, c.version) for c in sorted(cells, key=place)))
    kerases = sorted({c.keras for c in cells}, key=lambda k: (k is not None, versions.order(k or "")))
    by_place = {(c.keras, c.framework, c.version): c for c in cells}
    rows = []
    for keras in kerases:
        tiles = tuple(_tile(by_place.get((keras, *column)), worst, skipped, leads) for column in columns)
        rows.append((numbers.plain(f"keras {keras}") if keras else "native", tiles))
    return Block(name, tuple((numbers.plain(f), numbers.plain(v)) for f, v in columns), tuple(rows))


def _tile(cell: Cell | None, worst: dict[str, Mark], skipped: set[str], leads: set[str]) -> Tile:
    if cell is None:
        return Tile("", NO_CELL, Mark.NONE)
    if cell.id in skipped:
        return Tile(cell.id, SKIPPED, Mark.NONE)
    found = worst[cell.id]
    return Tile(cell.id, found.symbol or (BASELINE if cell.id in leads else ALONE), found)


_ORDER = (
    Mark.WORSE,
    Mark.FIXED,
    Mark.EXPECTED,
    Mark.DIFFERS,
    Mark.BETTER,
    Mark.UNDECIDED,
    Mark.INCOMPARABLE,
    Mark.SAME,
    Mark.NONE,
)
"""A cell has the first mark that one of its figures has."""


def _worst(report: Report) -> dict[str, Mark]:
    """The mark of every measured cell: its worst verdict.

    A figure that is not a headline counts once it is decided. A defect counts where it is a regression or known.
    """
    found = dict.fromkeys(report.cells, Mark.NONE)
    for finding in report.extra:
        drawn = finding.severity.mark
        for cell_id in finding.cells if drawn in (Mark.WORSE, Mark.EXPECTED) else ():
            if cell_id in found and _ORDER.index(drawn) < _ORDER.index(found[cell_id]):
                found[cell_id] = drawn
    for comparison in report.comparisons:
        drawn = _counted(comparison)
        if report.rebounds(comparison):
            continue
        candidate = comparison.candidate
        if candidate in found and _ORDER.index(drawn) < _ORDER.index(found[candidate]):
            found[candidate] = drawn
    statuses: dict[Cell, set[Status]] = {}
    for sample in report.samples:
        statuses.setdefault(sample.cell, set()).add(sample.status)
    for cell, ended in statuses.items():
        if found[cell.id] is not Mark.NONE:
            continue
        if any(status is not Status.OK and status.about_cell for status in ended):
            found[cell.id] = Mark.EXPECTED if ended <= {Status.OK, Status.UNSUPPORTED} else Mark.WORSE
    return found


def _counted(comparison: Comparison) -> Mark:
    drawn = mark(comparison)
    if not comparison.baseline:
        return drawn if drawn in (Mark.WORSE, Mark.EXPECTED, Mark.FIXED) else Mark.NONE
    if comparison.metric == "status":  # a cell that does not run is judged by how it ended
        ran = comparison.candidate_value == Status.OK
        return drawn if drawn in (Mark.WORSE, Mark.EXPECTED, Mark.FIXED, Mark.BETTER) or ran else Mark.NONE
    if comparison.verdict is Verdict.INCONCLUSIVE and not probes.is_headline(comparison.probe, comparison.metric):
        return Mark.NONE
    return drawn


def _legend(blocks: Iterable[Block]) -> tuple[tuple[str, str], ...]:
    tiles = [tile for block in blocks for _, row in block.rows for tile in row]
    used = {tile.mark for tile in tiles}
    meanings = {tile.symbol for tile in tiles}
    found = [(BASELINE, "baseline, which others are compared with")] if BASELINE in meanings else []
    found += [(m.symbol, "no difference" if m is Mark.SAME else m.meaning) for m in Mark if m in used and m.symbol]
    found += [(ALONE, "measured, compared with nothing")] if ALONE in meanings else []
    found += [(SKIPPED, "not measured")] if SKIPPED in meanings else []
    return tuple(found)
