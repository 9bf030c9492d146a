"""A report arranged as tables: one per probe, cells as rows grouped by framework, metrics as columns.

Pure data in, pure data out; the formats only draw what is decided here.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.model import Cell, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.report import columns, figures
from runner.report.data import Report
from runner.report.marks import Mark, mark

FRAMEWORKS = ("tensorflow", "torch", "jax", "numpy", "openvino", "mxnet")
"""The order of the groups, unless a comparison between frameworks has a baseline: that group comes first."""

BASELINE = "◆"
"""Marks the rows that others are compared with."""

_AXES = ("version", "keras", "variant", "python", "device", "framework")
"""Which comparison a row shows where it takes part in several, first choice first."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric over the processes of one cell. For texts and lists the numbers are None."""

    metric: Metric
    n: int
    median: float | int | None
    low: float | int | None
    high: float | int | None
    shown: Any
    """The median, or what stands for it: the text all agree on, the list with its median last element."""
    distinct: int
    """How many different values there were."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric of a probe's table."""

    metric: str
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
    """The change against the baseline, or the class of a numerical verdict; empty where they agree."""
    summary: Summary
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Row:
    """One cell in one probe's table: figures where it ran, else a status with its reason."""

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
    """Fewest and most processes of a cell."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all groups, in order."""
        return tuple(row for _, rows in self.groups for row in rows)


def summarise(samples: Iterable[Sample]) -> dict[str, Summary]:
    """Every metric of the samples that are ok, over the processes: n, median, least and greatest."""
    seen: dict[str, list[Metric]] = {}
    for sample in samples:
        if sample.status is Status.OK:
            for metric in sample.metrics:
                seen.setdefault(metric.name, []).append(metric)
    return {name: _summary(metrics) for name, metrics in seen.items()}


def _summary(metrics: Sequence[Metric]) -> Summary:
    values = [m.value for m in metrics if m.value is not None]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    distinct = len({repr(v) for v in values})
    if numbers and len(numbers) == len(values):
        middle = statistics.median(numbers)
        if isinstance(middle, float) and middle.is_integer() and all(isinstance(v, int) for v in numbers):
            middle = int(middle)
        return Summary(metrics[0], len(metrics), middle, min(numbers), max(numbers), middle, distinct)
    lists = sorted((v for v in values if isinstance(v, list) and v), key=lambda v: v[-1])
    shown = lists[len(lists) // 2] if lists else (values[0] if values else None)
    return Summary(metrics[0], len(metrics), None, None, None, shown, distinct)


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
    moved = frozenset(c.metric for c in comparisons if mark(c) in (Mark.WORSE, Mark.EXPECTED, Mark.FIXED, Mark.BETTER))
    names = columns.choose(probe, metas.values(), moved)
    cols = _columns(names, metas)
    leaders = {c.baseline for c in comparisons}
    cells = {cell.id: cell for cell in by_cell}
    rows = [
        _row(cell, probe, by_cell[cell], summaries[cell], by_candidate.get(cell.id, []), cols, cells, leaders)
        for cell in by_cell
    ]
    judged = dict.fromkeys(c.metric for c in comparisons if c.metric in metas and c.metric not in names)
    counts = [row.n for row in rows]
    hidden = dict.fromkeys(columns.label(n) for n in judged)
    return Table(probe, cols, _groups(rows, comparisons, cells), tuple(hidden), (min(counts), max(counts)))


def _columns(names: Sequence[str], metas: dict[str, Metric]) -> tuple[Column, ...]:
    """Columns with labels; where two share one, the mode tells them apart."""
    labels = Counter(columns.label(n) for n in names)
    cols = []
    for name in names:
        text = columns.label(name)
        if labels[text] > 1 and columns.mode(name):
            text = f"{columns.mode(name)} {text}"
        cols.append(
            Column(name, figures.plain(text), metas[name].unit, columns.percent(name), metas[name].kind is Kind.EXACT)
        )
    return tuple(cols)


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
    drawn = mark(status) if status and status.verdict is not Verdict.SAME else Mark.NONE
    baseline = cells.get(primary.baseline) if primary else None
    within = any(c.baseline and c.axis != "framework" for c in comparisons)
    return Row(
        cell=cell,
        probe=probe,
        status=bad[0].status if broken else Status.OK,
        reason=figures.plain(bad[0].reason) if bad else "",
        n=len(samples),
        failed=len(bad),
        figures=() if broken else tuple(_figure(col, summary.get(col.metric), mine.get(col.metric)) for col in cols),
        mark=drawn,
        issue=next((c.issue for c in comparisons if c.issue and c.metric == "status"), ""),
        baseline=primary.baseline if primary else "",
        against=_against(baseline, primary) if primary else "",
        leads=cell.id in leaders and not within,
    )


def _primary(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The comparison that names a row's baseline: one that counts, along the axis that comes first."""

    def order(comparison: Comparison) -> tuple[bool, bool, int]:
        axis = _AXES.index(comparison.axis) if comparison.axis in _AXES else len(_AXES)
        return (comparison.verdict is Verdict.NO_BASELINE, not comparison.gates, axis)

    return min((c for c in comparisons if c.baseline), key=order, default=None)


def _against(baseline: Cell | None, comparison: Comparison) -> str:
    """What the baseline has on the axis in which the two cells differ; its whole id where it is not in the report."""
    if baseline is None:
        return figures.plain(comparison.baseline)
    return {
        "version": baseline.version,
        "keras": f"keras {baseline.keras}" if baseline.keras else "native",
        "python": f"py{baseline.python}",
        "device": baseline.device,
        "variant": baseline.variant or "plain",
        "framework": baseline.framework,
    }.get(comparison.axis, baseline.id)


def _figure(col: Column, summary: Summary | None, comparison: Comparison | None) -> Figure | None:
    if summary is None:
        return None
    shown = summary.shown[-1] if isinstance(summary.shown, list) and summary.shown else summary.shown
    text = figures.value(shown, col.unit, percent=col.percent, exact=col.exact)
    if summary.median is None and summary.distinct > 1 and not isinstance(summary.shown, list):
        text = f"{summary.distinct} different"
    if col.unit in (col.label, "cases"):  # the heading says it already
        text = text.removesuffix(f" {col.unit}")
    return Figure(figures.shorten(text, 24), mark(comparison), delta(summary.metric, comparison), summary, comparison)


def delta(metric: Metric, comparison: Comparison | None) -> str:
    """What a verdict adds to a figure: the change, the name of a numerical class, or how much is missing."""
    if comparison is None or comparison.verdict in (Verdict.SAME, Verdict.NO_BASELINE, Verdict.NOT_COMPARABLE):
        return ""
    evidence = comparison.evidence
    if metric.kind in (Kind.ERROR, Kind.EXACT, Kind.TRAJECTORY):
        return "" if comparison.verdict is Verdict.INCONCLUSIVE else evidence.classification
    before, after = comparison.baseline_value, comparison.candidate_value
    if columns.percent(metric.name) and isinstance(before, int | float) and isinstance(after, int | float):
        return figures.points(after - before)
    return figures.change(evidence.effect) if evidence.effect is not None else ""


def _groups(
    rows: Sequence[Row], comparisons: Sequence[Comparison], cells: dict[str, Cell]
) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    first = {cells[c.baseline].framework for c in comparisons if c.axis == "framework" and c.baseline in cells}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cell.framework, []).append(row)

    def group_order(framework: str) -> tuple[bool, int, str]:
        place = FRAMEWORKS.index(framework) if framework in FRAMEWORKS else len(FRAMEWORKS)
        return (framework not in first, place, framework)

    return tuple((f, tuple(sorted(groups[f], key=row_order))) for f in sorted(groups, key=group_order))


def row_order(row: Row) -> tuple[Any, ...]:
    """Baselines first, then by version, Keras, Python, device and variant, counting as people do."""
    return (not row.leads, *cell_order(row.cell))


def cell_order(cell: Cell) -> tuple[Any, ...]:
    """Sort key of cells of one framework."""
    return (
        figures.natural(cell.version),
        figures.natural(cell.keras or ""),
        figures.natural(cell.python),
        cell.device,
        cell.variant,
    )


def used_marks(shown: Iterable[Table]) -> tuple[Mark, ...]:
    """The marks that appear, in the order of the legend."""
    used = {row.mark for t in shown for row in t.rows} | {
        f.mark for t in shown for row in t.rows for f in row.figures if f is not None
    }
    return tuple(m for m in Mark if m in used and m is not Mark.NONE)


def common(cells: Iterable[Cell]) -> Cell | None:
    """A cell whose Python, device and variant are those all cells have, or empty; None for no cells."""
    every = list(cells)
    if not every:
        return None

    def agreed(values: set[str]) -> str:
        return values.pop() if len(values) == 1 else ""

    return replace(
        every[0],
        python=agreed({c.python for c in every}),
        device=agreed({c.device for c in every}),
        variant=agreed({c.variant for c in every}),
    )


def labels(rows: Sequence[Row], shared: Cell | None) -> tuple[tuple[str, ...], dict[Cell, tuple[str, ...]]]:
    """Headings, and per cell the texts, of the columns that tell rows apart within a group.

    What all cells share (see ``common``) has no column: it is said once above the tables.
    """
    fields: list[tuple[str, list[str]]] = [
        ("version", [row.cell.version for row in rows]),
        ("keras", [row.cell.keras or "native" for row in rows]),
        ("python", [row.cell.python * (not shared or not shared.python) for row in rows]),
        ("device", [row.cell.device * (not shared or not shared.device) for row in rows]),
        ("variant", [row.cell.variant * (not shared or not shared.variant) for row in rows]),
        ("against", [row.against for row in rows]),
    ]
    if not any(row.cell.keras for row in rows):
        del fields[1]
    kept = [(heading, texts) for heading, texts in fields if heading == "version" or any(texts)]
    by_cell = {row.cell: tuple(figures.plain(texts[n]) for _, texts in kept) for n, row in enumerate(rows)}
    return tuple(heading for heading, _ in kept), by_cell
