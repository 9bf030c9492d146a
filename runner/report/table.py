"""Arranges a report as tables, one per probe.

Cells are rows grouped by framework, metrics are columns. Pure data in, pure data out; the formats only draw what is
decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.judge import exact
from runner.matrix import frameworks, probes
from runner.model import AXES, AXIS, Cell, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.report import columns, earlier, native, numbers
from runner.report.data import Report
from runner.report.marks import Mark, mark
from runner.report.rows import Column, Figure, Row, Table
from runner.report.summary import Summary, combined
from runner.util import versions


def tables(report: Report) -> tuple[Table, ...]:
    """One table per probe, those with headline figures first.

    Unless ``report.everything`` is set, a table has the headline figures and the columns in which cells differ.
    """
    beside = native.beside(report)
    comparisons: dict[str, list[Comparison]] = {}
    for comparison in report.comparisons:
        comparisons.setdefault(comparison.probe, []).append(comparison)
    return tuple(
        _table(report, probe, comparisons.get(probe, []), [one for one in beside if one.probe == probe])
        for probe in sorted(report.by_probe, key=lambda probe: not probes.headlines(probe))
    )


def _table(report: Report, probe: str, comparisons: Sequence[Comparison], twins: Sequence[native.KerasCost]) -> Table:
    by_cell = report.by_probe[probe]
    by_candidate: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_candidate.setdefault(comparison.candidate, []).append(comparison)
    summaries = report.summaries[probe]
    metas = {name: s.metric for per_cell in summaries.values() for name, s in per_cell.items()}
    bad: dict[str, set[str]] = {}
    for c in comparisons:
        if mark(c) in (Mark.WORSE, Mark.EXPECTED, Mark.FIXED):
            bad.setdefault(c.metric, set()).add(c.candidate)
    cols = tuple(
        Column(pick.names, numbers.plain(pick.label), meta.unit, columns.percent(meta.name), meta.kind is Kind.EXACT)
        for pick in columns.choose(probe, metas.values(), bad)
        for meta in [metas[pick.names[0]]]
    )
    leaders = {c.baseline for c in comparisons}
    cells = report.cells
    rows = [
        _row(cell, probe, by_cell[cell], summaries[cell], by_candidate.get(cell.id, []), cols, cells, leaders)
        for cell in by_cell
    ]
    counts = [row.n for row in rows if row.figures] or [row.n for row in rows]
    kept = _kept(probe, cols, rows, everything=report.everything)
    shown = [cols[n] for n in kept]
    alone = [cols[n].label for n in range(len(cols)) if n not in kept and not _judged(rows, n)]
    rows = [replace(row, figures=tuple(row.figures[n] for n in kept if row.figures)) for row in rows]
    plain = "" if report.everything else _plain(probe, rows, comparisons, metas)
    folded = (*_folded(shown, comparisons, metas), *([f"Not compared: {', '.join(alone)}"] if alone else []))
    drawn = earlier.ordered(shown, rows)
    cols, rows = _beside(tuple(shown), rows, twins)
    cols, rows = earlier.column(report, cols, rows, drawn)
    return Table(probe, cols, _groups(rows, comparisons, cells), folded, plain, (min(counts), max(counts)))


CHANGED = (Mark.WORSE, Mark.FIXED, Mark.EXPECTED, Mark.BETTER, Mark.DIFFERS)
"""A figure with one of these marks is worth a column."""


def _kept(probe: str, cols: Sequence[Column], rows: Sequence[Row], *, everything: bool) -> list[int]:
    """The columns to show: headline figures, and those in which a cell differs.

    All where nothing was compared. The headline figures come first.
    """
    drawn = [[row.figures[n] for row in rows if row.figures] for n in range(len(cols))]
    if everything or not any(_judged(rows, n) for n in range(len(cols))):
        return list(range(len(cols)))
    leading = {n for n, col in enumerate(cols) if any(probes.is_headline(probe, name) for name in col.metrics)}
    kept = {n for n, figures in enumerate(drawn) if any(figure and figure.mark in CHANGED for figure in figures)}
    return sorted(leading | kept, key=lambda n: (n not in leading, n)) or [0][: len(cols)]


def _judged(rows: Sequence[Row], column: int) -> bool:
    """Whether a cell has been compared in a column."""
    return any((figure := row.figures[column]) and figure.comparisons for row in rows if row.figures)


def _plain(probe: str, rows: Sequence[Row], comparisons: Sequence[Comparison], metas: Mapping[str, Metric]) -> str:
    """One sentence for a probe in which no cell differs, else empty.

    A probe with headline figures keeps its table.
    """
    judged = [c for c in comparisons if c.metric != "status" and c.baseline]
    differs = any(mark(c) in CHANGED for c in judged) or any(row.mark in (Mark.WORSE, Mark.FIXED) for row in rows)
    if probes.headlines(probe) or differs or not any(c.verdict is Verdict.SAME for c in judged):
        return ""
    compared = {cell for c in judged for cell in (c.baseline, c.candidate)}
    ran = sum(bool(row.figures) and row.cell.id in compared for row in rows)
    where = f"in {'both' if ran == 2 else f'all {ran}'} combinations that run"
    errors = [c for c in judged if metas[c.metric].kind is Kind.ERROR]
    cases = len({columns.mode(c.metric) for c in errors})
    rounding = cases and all(c.verdict is Verdict.SAME and c.evidence.classification == exact.ROUNDING for c in errors)
    said = f"{cases} {'case' if cases == 1 else 'cases'}, every error within rounding" if rounding else "no difference"
    open_ = dict.fromkeys(columns.label(c.metric) for c in judged if c.verdict is Verdict.INCONCLUSIVE)
    tail = f" (too few runs to tell: {', '.join(open_)})" if open_ else ""
    return numbers.plain(f"{probe}: {said} {where}{tail}")


def _folded(shown: Sequence[Column], comparisons: Sequence[Comparison], metas: Mapping[str, Metric]) -> tuple[str, ...]:
    """What there is to say about the judged figures that are not shown."""
    there = {columns.label(name) for col in shown for name in col.metrics}
    worst: dict[str, Mark] = {}
    for comparison in comparisons:
        label = columns.label(comparison.metric)
        if comparison.metric in metas and label not in there:
            drawn = mark(comparison)
            before = worst.setdefault(label, drawn)
            worst[label] = min(before, drawn, key=_WORST_FIRST.index)
    groups = (
        ("Differ too", CHANGED),
        ("Too few runs to tell", (Mark.UNDECIDED,)),
        ("Not comparable", (Mark.INCOMPARABLE,)),
        ("No difference", (Mark.SAME,)),
    )
    found = []
    for heading, marks in groups:
        labels = [numbers.plain(label) for label, drawn in worst.items() if drawn in marks]
        more = f" and {len(labels) - _MOST_FOLDED} more" if len(labels) > _MOST_FOLDED else ""
        found += [f"{heading}: {', '.join(labels[:_MOST_FOLDED])}{more}"] if labels else []
    return tuple(found)


_MOST_FOLDED = 8


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
    mine: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        mine.setdefault(comparison.metric, []).append(comparison)
    status = _chosen(mine.get("status", ()), primary)
    bad = [s for s in samples if s.status is not Status.OK]
    broken = len(bad) == len(samples)
    drawn = mark(status)
    if drawn in (Mark.SAME, Mark.INCOMPARABLE):  # the status says it all
        drawn = Mark.NONE
    baseline = cells.get(primary.baseline) if primary else None
    chosen = {metric: found for metric, some in mine.items() if (found := _chosen(some, primary))}
    return Row(
        cell=cell,
        probe=probe,
        status=bad[0].status if broken else Status.OK,
        # a reason that lies outside the cell is the same for many cells: "Not measured" has it once
        reason=numbers.plain(bad[0].reason) if bad and bad[0].status is not Status.UNAVAILABLE else "",
        n=len(samples),
        failed=len(bad),
        figures=() if broken else tuple(_figure(col, summary, chosen, primary, cells) for col in cols),
        mark=drawn,
        issue=next((c.issue for c in comparisons if c.issue and c.metric == "status"), ""),
        baseline=primary.baseline if primary else "",
        against=_against(baseline, primary) if primary else "",
        leads=cell.id in leaders and primary is None,
    )


def _chosen(comparisons: Sequence[Comparison], primary: Comparison | None) -> Comparison | None:
    """The comparison that a field shows.

    With the row's baseline, or with another one that the cell is worse than.
    """
    worse = [c for c in comparisons if mark(c) in (Mark.WORSE, Mark.FIXED)]
    own = [c for c in comparisons if not c.baseline or (primary and c.baseline == primary.baseline)]
    return next((c for c in own if c in worse), None) or next(iter(worse or own), None)


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

    That of the whole table where the cell differs from it in its framework alone, else the nearest relative.
    """
    near = [axis.name for axis in AXES]

    def order(comparison: Comparison) -> tuple[bool, bool, bool, int]:
        axis = near.index(comparison.axis) if comparison.axis in near else len(near)
        told = comparison.verdict is not Verdict.NO_BASELINE
        return (not told, not comparison.gates, comparison.axis != "framework", axis)

    return min((c for c in comparisons if c.baseline), key=order, default=None)


def _against(baseline: Cell | None, comparison: Comparison) -> str:
    """What the baseline has on the axis in which the two cells differ.

    Its whole id where it is not in the report.
    """
    if baseline is None:
        return numbers.plain(comparison.baseline)
    return AXIS[comparison.axis].in_sentence(baseline) if comparison.axis in AXIS else baseline.id


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


def _figure(
    col: Column,
    summary: dict[str, Summary],
    mine: dict[str, Comparison],
    primary: Comparison | None,
    cells: dict[str, Cell],
) -> Figure | None:
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
        changed = f"{alike} of {len(found)} cases" if alike > 1 or not changed else changed
    if judged and primary and judged[0].baseline and judged[0].baseline != primary.baseline:
        changed += f" vs {_against(cells.get(judged[0].baseline), judged[0])}"
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
    return numbers.times(evidence.effect) if evidence.effect is not None else ""


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
