"""Arranges a report as tables, one per probe.

Cells are rows grouped by framework, metrics are columns. Pure data in, pure data out; the formats only draw what is
decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.matrix import frameworks
from runner.model import AXES, AXIS, CONDITIONS, Cell, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.report import columns, native, numbers
from runner.report.data import Report
from runner.report.marks import Mark, mark
from runner.report.summary import Summary, combined, summarise
from runner.util import versions

BASELINE = "◆"
"""Marks the rows that others are compared with."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of a probe's table, or one figure in several modes."""

    metrics: tuple[str, ...]
    """One name, or one figure's names in several modes."""
    label: str
    unit: str
    percent: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of the table."""

    text: str
    mark: Mark
    delta: str
    """The change against the baseline, the class of a numerical verdict, or in how many modes; empty where equal."""
    summaries: tuple[Summary, ...]
    comparisons: tuple[Comparison, ...]
    """Those of all modes, worst first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cell in one probe's table.

    Figures where it ran, else a status with its reason.
    """

    cell: Cell
    probe: str
    status: Status
    reason: str
    n: int
    failed: int
    """How many of its processes did not end well; with figures, those that did are shown."""
    figures: tuple[Figure | None, ...]
    mark: Mark
    """The verdict about whether it runs at all."""
    issue: str
    baseline: str
    """Id of the cell it is compared with, or empty."""
    against: str
    """What the baseline has on the axis in which the two differ: ``2.2.2``, ``keras 3.11.3``, ``tensorflow``."""
    leads: bool
    """Whether it is the baseline of other rows and has none within its group."""


@dataclass(frozen=True, slots=True)
class Table:
    """All cells of one probe."""

    probe: str
    columns: tuple[Column, ...]
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    hidden: tuple[str, ...]
    """Labels of judged metrics that have no column; JSON has them all."""
    rounds: tuple[int, int]
    """Fewest and most processes of a cell that has figures; of all cells where none has."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all groups, in order."""
        return tuple(row for _, rows in self.groups for row in rows)


def tables(report: Report) -> tuple[Table, ...]:
    """One table per probe, in the order in which the probes appear in the report."""
    probes = list(dict.fromkeys(s.probe for s in report.samples))
    return tuple(_table(report, probe) for probe in probes)


def _table(report: Report, probe: str) -> Table:
    by_cell: dict[Cell, list[Sample]] = {}
    for sample in report.samples:
        if sample.probe == probe:
            by_cell.setdefault(sample.cell, []).append(sample)
    comparisons = tuple(c for c in report.comparisons if c.probe == probe)
    by_candidate: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_candidate.setdefault(comparison.candidate, []).append(comparison)
    summaries = {cell: summarise(samples) for cell, samples in by_cell.items()}
    metas = {name: s.metric for per_cell in summaries.values() for name, s in per_cell.items()}
    bad = {c.metric for c in comparisons if mark(c) in (Mark.WORSE, Mark.EXPECTED, Mark.FIXED)}
    cols = tuple(
        Column(pick.names, numbers.plain(pick.label), meta.unit, columns.percent(meta.name), meta.kind is Kind.EXACT)
        for pick in columns.choose(probe, metas.values(), bad)
        for meta in [metas[pick.names[0]]]
    )
    leaders = {c.baseline for c in comparisons}
    cells = {s.cell.id: s.cell for s in report.samples}
    rows = [
        _row(cell, probe, by_cell[cell], summaries[cell], by_candidate.get(cell.id, []), cols, cells, leaders)
        for cell in by_cell
    ]
    shown = {columns.label(name) for col in cols for name in col.metrics}
    judged = dict.fromkeys(columns.label(c.metric) for c in comparisons if c.metric in metas)
    counts = [row.n for row in rows if row.figures] or [row.n for row in rows]
    hidden = tuple(numbers.plain(label) for label in judged if label not in shown)
    cols, rows = _beside(cols, rows, [b for b in native.beside(report.samples, comparisons) if b.probe == probe])
    return Table(probe, cols, _groups(rows, comparisons, cells), hidden, (min(counts), max(counts)))


def _row(
    cell: Cell,
    probe: str,
    samples: Sequence[Sample],
    summary: dict[str, Summary],
    comparisons: Sequence[Comparison],
    cols: Sequence[Column],
    cells: dict[str, Cell],
    leaders: set[str],
) -> Row:
    primary = _primary(comparisons)
    mine = {c.metric: c for c in comparisons if not c.baseline or (primary and c.baseline == primary.baseline)}
    status = mine.get("status") or next((c for c in comparisons if c.metric == "status"), None)
    bad = [s for s in samples if s.status is not Status.OK]
    broken = len(bad) == len(samples)
    drawn = mark(status)
    if drawn in (Mark.SAME, Mark.INCOMPARABLE):  # the status says it all
        drawn = Mark.NONE
    baseline = cells.get(primary.baseline) if primary else None
    within = any(c.baseline and c.axis != "framework" for c in comparisons)
    return Row(
        cell=cell,
        probe=probe,
        status=bad[0].status if broken else Status.OK,
        # a reason that lies outside the cell is the same for many cells: "Not measured" has it once
        reason=numbers.plain(bad[0].reason) if bad and bad[0].status is not Status.UNAVAILABLE else "",
        n=len(samples),
        failed=len(bad),
        figures=() if broken else tuple(_figure(col, summary, mine) for col in cols),
        mark=drawn,
        issue=next((c.issue for c in comparisons if c.issue and c.metric == "status"), ""),
        baseline=primary.baseline if primary else "",
        against=_against(baseline, primary) if primary else "",
        leads=cell.id in leaders and not within,
    )


def _beside(
    cols: tuple[Column, ...], rows: Sequence[Row], twins: Sequence[native.KerasCost]
) -> tuple[tuple[Column, ...], list[Row]]:
    """Two columns more, where cells with Keras have a twin without."""
    by_cell = {one.cell.id: one for one in twins}
    added = [
        (native.SPEED, {cell: (one.ratios, one.speed) for cell, one in by_cell.items() if one.ratios}),
        (native.AGREEMENT, {cell: (one.agrees, one.agreement) for cell, one in by_cell.items() if one.agrees}),
    ]
    shown = [(label, told) for label, told in added if told]
    cols += tuple(Column((), label, "", percent=False, exact=False) for label, _ in shown)
    extra = {row.cell.id: tuple(_told(told.get(row.cell.id)) for _, told in shown) for row in rows}
    return cols, [replace(row, figures=row.figures and row.figures + extra[row.cell.id]) for row in rows]


def _told(told: tuple[str, tuple[Comparison, ...]] | None) -> Figure | None:
    if told is None:
        return None
    ordered = tuple(sorted(told[1], key=lambda c: _WORST_FIRST.index(mark(c))))
    return Figure(told[0], mark(ordered[0]), "", (), ordered)


def _primary(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The comparison that names a row's baseline.

    It is one that counts, along the nearest axis.
    """
    near = [axis.name for axis in AXES]

    def order(comparison: Comparison) -> tuple[bool, bool, int]:
        axis = near.index(comparison.axis) if comparison.axis in near else len(near)
        return (comparison.verdict is Verdict.NO_BASELINE, not comparison.gates, axis)

    return min((c for c in comparisons if c.baseline), key=order, default=None)


def _against(baseline: Cell | None, comparison: Comparison) -> str:
    """What the baseline has on the axis in which the two cells differ.

    Its whole id where it is not in the report.
    """
    if baseline is None:
        return numbers.plain(comparison.baseline)
    return AXIS[comparison.axis].in_table(baseline) if comparison.axis in AXIS else baseline.id


_WORST_FIRST = (
    Mark.WORSE,
    Mark.FIXED,
    Mark.UNDECIDED,
    Mark.INCOMPARABLE,
    Mark.EXPECTED,
    Mark.BETTER,
    Mark.DIFFERS,
    Mark.SAME,
    Mark.NONE,
)


def _figure(col: Column, summary: dict[str, Summary], mine: dict[str, Comparison]) -> Figure | None:
    """The field of one column.

    Of several modes, the worst verdict and how many of them have it.
    """
    found = tuple(summary[name] for name in col.metrics if name in summary)
    if not found:
        return None
    text = combined(found, percent=col.percent, exact=col.exact)
    if col.unit in (col.label, "cases"):  # the heading says it already
        text = text.removesuffix(f" {col.unit}")
    judged = sorted((mine[n] for n in col.metrics if n in mine), key=lambda c: _WORST_FIRST.index(mark(c)))
    worst = mark(judged[0]) if judged else Mark.NONE
    alike = sum(mark(c) is worst for c in judged)
    changed = delta(found[0].metric, judged[0]) if judged else ""
    if len(found) > 1 and worst not in (Mark.SAME, Mark.NONE):
        changed = f"{alike} of {len(found)}" if alike > 1 or not changed else changed
    return Figure(numbers.shorten(text, 24), worst, changed, found, tuple(judged))


def delta(metric: Metric, comparison: Comparison | None) -> str:
    """What a verdict adds to a figure.

    The change, the name of a numerical class, or how much is missing.
    """
    if comparison is None or comparison.verdict in (Verdict.SAME, Verdict.NO_BASELINE, Verdict.NOT_COMPARABLE):
        return ""
    evidence = comparison.evidence
    if metric.kind in (Kind.ERROR, Kind.EXACT, Kind.TRAJECTORY):
        return "" if comparison.verdict is Verdict.INCONCLUSIVE else evidence.classification
    before, after = comparison.baseline_value, comparison.candidate_value
    if columns.percent(metric.name) and isinstance(before, int | float) and isinstance(after, int | float):
        return numbers.points(after - before)
    return numbers.change(evidence.effect) if evidence.effect is not None else ""


def _groups(
    rows: Sequence[Row], comparisons: Sequence[Comparison], cells: dict[str, Cell]
) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    first = {cells[c.baseline].framework for c in comparisons if c.axis == "framework" and c.baseline in cells}
    known = frameworks.names()
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cell.framework, []).append(row)

    def group_order(framework: str) -> tuple[bool, int, str]:
        place = known.index(framework) if framework in known else len(known)
        return (framework not in first, place, framework)

    return tuple((f, tuple(sorted(groups[f], key=row_order))) for f in sorted(groups, key=group_order))


def row_order(row: Row) -> tuple[Any, ...]:
    """Sort key of rows: baselines first, then by version and the other axes."""
    return (not row.leads, *cell_order(row.cell))


def cell_order(cell: Cell) -> tuple[Any, ...]:
    """Sort key of cells of one framework.

    A cell without Keras comes before those with it.
    """
    return tuple(versions.order(value or "") for value in cell.values.values())


def used_marks(shown: Iterable[Table]) -> tuple[Mark, ...]:
    """The marks that appear, in the order of the legend."""
    used = {row.mark for t in shown for row in t.rows} | {
        f.mark for t in shown for row in t.rows for f in row.figures if f is not None
    }
    return tuple(m for m in Mark if m in used and m is not Mark.NONE)


def common(cells: Iterable[Cell]) -> Cell | None:
    """A cell with the Python, device and variant that all cells share.

    Each is empty where they differ; None for no cells.
    """
    every = list(cells)
    if not every:
        return None

    def agreed(axis: str) -> str:
        values = {str(cell.values[axis]) for cell in every}
        return values.pop() if len(values) == 1 else ""

    return replace(every[0], **{axis.name: agreed(axis.name) for axis in CONDITIONS})


def _unshared(cell: Cell, axis: str, shared: Cell | None) -> str:
    return "" if shared and shared.values[axis] else str(cell.values[axis])


def labels(rows: Sequence[Row], shared: Cell | None) -> tuple[tuple[str, ...], dict[Cell, tuple[str, ...]]]:
    """Headings and texts of the columns that distinguish rows within a group.

    The texts are per cell. What all cells share (see ``common``) has no column: it is said once above the tables.
    """
    fields: list[tuple[str, list[str]]] = [
        ("version", [row.cell.version for row in rows]),
        ("keras", [row.cell.keras or "native" for row in rows]),
        *((axis.name, [_unshared(row.cell, axis.name, shared) for row in rows]) for axis in CONDITIONS),
        ("against", [row.against for row in rows]),
    ]
    if not any(row.cell.keras for row in rows):
        del fields[1]
    kept = [(heading, texts) for heading, texts in fields if heading == "version" or any(texts)]
    by_cell = {row.cell: tuple(numbers.plain(texts[n]) for _, texts in kept) for n, row in enumerate(rows)}
    return tuple(heading for heading, _ in kept), by_cell
