"""Puts cells and changes into words.

``findings`` decides which sentences are printed, and in what order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.model import AXIS, CONDITIONS, Cell, Comparison, Kind, Verdict
from runner.report import columns, numbers
from runner.report.data import Report
from runner.report.table import cell_order

MOST_NAMED = 4
"""Of a longer list the first four are named and the rest are counted."""


class Words:
    """Short names of the cells of a report, and sentences about their metrics.

    The names are as short as their differences allow.
    """

    def __init__(self, report: Report, *, skipped: bool = False) -> None:
        self.cells: dict[str, Cell] = dict(report.cells)
        if skipped:
            self.cells.update({s.cell.id: s.cell for s in report.skips})
        self.metrics = report.metrics
        modes: dict[tuple[str, str], set[str]] = {}
        for probe, name in self.metrics:
            modes.setdefault((probe, columns.label(name)), set()).add(columns.mode(name))
        self.modes = {key for key, found in modes.items() if len(found) > 1}
        cells = self.cells.values()
        self.conditions = [a for a in CONDITIONS if a.unset or len({c.values[a.name] for c in cells}) > 1]
        self.probes = len(report.by_probe) > 1

    def name(self, cell: Cell | str) -> str:
        """A cell in words: ``torch 2.2.2 with keras 3.15.1``.

        Other axes are named where cells differ in them.
        """
        if isinstance(cell, str):
            found = self.cells.get(cell)
            if found is None:
                return numbers.plain(cell)
            cell = found
        keras = f" with keras {cell.keras}" if cell.keras else " without Keras"
        more = [axis.in_sentence(cell) for axis in self.conditions if cell.values[axis.name]]
        inside = f" ({', '.join(more)})" if more else ""
        return numbers.plain(f"{cell.framework} {cell.version}{keras}{inside}")

    def names(self, cells: Iterable[Cell]) -> str:
        """Several cells in words."""
        ordered = sorted(cells, key=lambda c: (c.framework, *cell_order(c)))
        named = [self.name(c) for c in ordered[:MOST_NAMED]]
        if len(ordered) > MOST_NAMED:
            more = len(ordered) - MOST_NAMED
            named.append(f"{more} more {'cell' if more == 1 else 'cells'}")
        return both(named)

    def baseline(self, comparison: Comparison) -> str:
        """The baseline in words: ``torch 2.2.2``, ``keras 3.11.3``.

        It is as short as the axis allows.
        """
        cell = self.cells.get(comparison.baseline)
        if cell is None:
            return numbers.plain(comparison.baseline)
        axis = AXIS.get(comparison.axis)
        return numbers.plain(axis.in_sentence(cell) if axis else self.name(cell))

    def where(self, probe: str) -> str:
        """The probe in brackets, where there are several."""
        return f" ({numbers.plain(probe)})" if self.probes else ""

    def label(self, comparison: Comparison) -> str:
        """What the metric is called, with its mode where others have it too.

        ``free`` is the mode without a name.
        """
        label = columns.label(comparison.metric)
        mode = columns.mode(comparison.metric)
        told = mode in ("", "free") or (comparison.probe, label) not in self.modes
        return numbers.plain(label if told else f"{label} of {mode}")

    def kind(self, comparison: Comparison) -> Kind | None:
        """The kind of the compared metric, or None for one that no sample has."""
        metric = self.metrics.get((comparison.probe, comparison.metric))
        return metric.kind if metric else None

    def rests_on(self, comparison: Comparison) -> str:
        """The evidence of a change in a sentence, or empty.

        ``Compared run by run, over 12 runs: 1.31 to 1.32 times.``
        """
        evidence = comparison.evidence
        kind = self.kind(comparison)
        if kind is Kind.SEEDED and evidence.effect is not None:
            return self._seeded(comparison)
        if kind is not Kind.TIMING or evidence.effect is None or not evidence.n:
            return ""
        over = f"over {evidence.n} {'run' if evidence.n == 1 else 'runs'}"
        if evidence.low is None or evidence.high is None:
            return ""
        return f"Compared run by run, {over}: {numbers.multiple(evidence.low)} to {times(evidence.high)}."

    def _seeded(self, comparison: Comparison) -> str:
        before, after = comparison.baseline_value, comparison.candidate_value
        if not isinstance(before, int | float) or not isinstance(after, int | float):
            return ""
        evidence, apart = comparison.evidence, after - before
        percent = columns.percent(comparison.metric)

        def shown(figure: float) -> str:
            return f"{numbers.significant(100 * figure, 2)} points" if percent else numbers.significant(figure, 2)

        said = f"{shown(abs(apart))} {'lower' if apart < 0 else 'higher'}"
        spread = evidence.spread
        said += f"; runs with other seeds differ by about {shown(spread)}" if spread else ""
        seeds = f" ({evidence.n} {'run' if evidence.n == 1 else 'runs'} each)" if evidence.n else ""
        wary = ". Unexpectedly good: check that it is real" if comparison.verdict is Verdict.IMPROVED else ""
        return f"{said}{seeds}{wary}."

    def is_digest(self, comparison: Comparison) -> bool:
        """Whether the metric is a text that is equal or not.

        Between frameworks it always differs.
        """
        metric = self.metrics.get((comparison.probe, comparison.metric))
        return metric is not None and metric.kind is Kind.EXACT and isinstance(metric.value, str)

    def moved(self, comparison: Comparison) -> str:
        """The predicate of a sentence about a change.

        ``takes 1.31 times as long per step as torch 2.2.2: 16.1 ms against 12.3 ms``
        """
        label = self.label(comparison)
        if not comparison.baseline:
            return f"is off in {label}: {_detail(comparison)}"
        other = self.baseline(comparison)
        effect = comparison.evidence.effect
        metric = self.metrics.get((comparison.probe, comparison.metric))
        if metric is not None and metric.kind is Kind.TRAJECTORY:
            return f"computes other losses than {other} from equal weights and batches: {_detail(comparison)}"
        if metric is None or metric.kind not in (Kind.TIMING, Kind.SEEDED) or effect is None:
            return f"differs from {other} in {label}: {_detail(comparison)}"
        values = self.values(comparison)
        if metric.kind is Kind.SEEDED and values:
            return f"{'reaches' if columns.percent(metric.name) else 'has'} {values[1]} {label} - {other} {values[0]}"
        known = columns.known(comparison.metric)
        takes = (known or columns.Known("", "", "")).takes
        said = takes.format(times=times(effect), other=other, label=label)
        mode = label.removeprefix(columns.label(comparison.metric)).replace(" of ", " in ", 1)
        said += mode if "{label}" not in takes else ""
        return f"{said}: {values[1]} against {values[0]}" if values else said

    def values(self, comparison: Comparison) -> tuple[str, str] | None:
        """The medians of baseline and candidate as they are shown, or None."""
        metric = self.metrics.get((comparison.probe, comparison.metric))
        before, after = comparison.baseline_value, comparison.candidate_value
        if metric is None or not isinstance(before, int | float) or not isinstance(after, int | float):
            return None
        percent = columns.percent(metric.name)
        return numbers.value(before, metric.unit, percent=percent), numbers.value(after, metric.unit, percent=percent)

    def short(self, comparison: Comparison) -> str:
        """A change in a list of changes: ``images/s ×0.76``."""
        label = self.label(comparison)
        metric = self.metrics.get((comparison.probe, comparison.metric))
        effect = comparison.evidence.effect
        if metric is None or metric.kind not in (Kind.TIMING, Kind.SEEDED) or effect is None:
            return f"{label} {comparison.evidence.classification or comparison.verdict}"
        before, after = comparison.baseline_value, comparison.candidate_value
        if columns.percent(comparison.metric) and isinstance(before, int | float) and isinstance(after, int | float):
            return f"{label} {numbers.points(after - before)}"
        return f"{label} {numbers.times(effect)}"


def both(names: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def listed(parts: Sequence[str], most: int = MOST_NAMED) -> str:
    """``a, b and 7 more``."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + more


def times(effect: float) -> str:
    """A ratio in a sentence.

    >>> times(0.31), times(-0.35), times(4.4)
    ('1.31 times', '0.65 times', '5.40 times')
    """
    return f"{numbers.multiple(effect)} times"


def _detail(comparison: Comparison) -> str:
    return numbers.plain(comparison.reason) or comparison.evidence.classification or str(comparison.verdict)
