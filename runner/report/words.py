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

    def is_digest(self, comparison: Comparison) -> bool:
        """Whether the metric is a text that is equal or not.

        Between frameworks it always differs.
        """
        metric = self.metrics.get((comparison.probe, comparison.metric))
        return metric is not None and metric.kind is Kind.EXACT and isinstance(metric.value, str)

    def moved(self, comparison: Comparison) -> str:
        """The predicate of a sentence about a change.

        ``is 1.31× slower per step than torch 2.2.2 (n=5, 90 % interval 1.2–1.4)``
        """
        label = self.label(comparison)
        if not comparison.baseline:
            return f"is off in {label}: {_detail(comparison)}"
        other = self.baseline(comparison)
        effect = comparison.evidence.effect
        metric = self.metrics.get((comparison.probe, comparison.metric))
        if metric is None or metric.kind not in (Kind.TIMING, Kind.SEEDED) or effect is None:
            return f"differs from {other} in {label}: {_detail(comparison)}"
        if columns.percent(comparison.metric):
            return _percent(comparison, label, other)
        return (
            f"is {factor(effect)} {_comparative(comparison.metric, effect, label)} than {other}{_rests_on(comparison)}"
        )

    def short(self, comparison: Comparison) -> str:
        """A change in a list of changes: ``images/s −24 %``."""
        label = self.label(comparison)
        metric = self.metrics.get((comparison.probe, comparison.metric))
        effect = comparison.evidence.effect
        if metric is None or metric.kind not in (Kind.TIMING, Kind.SEEDED) or effect is None:
            return f"{label} {comparison.evidence.classification or comparison.verdict}"
        before, after = comparison.baseline_value, comparison.candidate_value
        if columns.percent(comparison.metric) and isinstance(before, int | float) and isinstance(after, int | float):
            return f"{label} {numbers.points(after - before)}"
        return f"{label} {numbers.change(effect)}"


def both(names: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def listed(parts: Sequence[str], most: int = MOST_NAMED) -> str:
    """``a, b and 7 more``."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + more


def factor(effect: float) -> str:
    """How many times, always at least one: both 0.31 and its inverse are ``1.31×``."""
    return numbers.ratio(effect) if effect >= 0 or effect <= -1 else numbers.ratio(1 / (1 + effect) - 1)


def _comparative(metric: str, effect: float, label: str) -> str:
    """``slower per step``, ``larger in peak RSS``.

    A mode that the label has is named after the rest.
    """
    found = columns.known(metric)
    words = (found.more if effect >= 0 else found.less) if found else ""
    words = words or f"{'higher' if effect >= 0 else 'lower'} in"
    if words.endswith(" in"):
        return f"{words} {label}"
    return words + label.removeprefix(columns.label(metric)).replace(" of ", " in ", 1)


def _detail(comparison: Comparison) -> str:
    return numbers.plain(comparison.reason) or comparison.evidence.classification or str(comparison.verdict)


def _percent(comparison: Comparison, label: str, other: str) -> str:
    """Accuracy is put as two figures: a ratio of percentages misleads."""
    before, after = comparison.baseline_value, comparison.candidate_value
    effect = comparison.evidence.effect or 0.0
    shown = numbers.change(effect)
    if isinstance(before, int | float) and isinstance(after, int | float):
        shown = f"{numbers.value(after, percent=True)} against {numbers.value(before, percent=True)}"
    n = f", n={comparison.evidence.n}" if comparison.evidence.n else ""
    wary = "; suspiciously good, see that it is real" if comparison.verdict is Verdict.IMPROVED else ""
    return f"has {'higher' if effect > 0 else 'lower'} {label} than {other} ({shown}{n}){wary}"


def _rests_on(comparison: Comparison) -> str:
    """n and the interval, in the direction in which the sentence puts the ratio."""
    evidence = comparison.evidence
    parts = [f"n={evidence.n}"] if evidence.n else []
    if evidence.low is not None and evidence.high is not None:
        ends = [1 + evidence.low, 1 + evidence.high]
        if (evidence.effect or 0.0) < 0 < min(ends):
            ends = [1 / ends[1], 1 / ends[0]]
        parts.append(f"interval {numbers.significant(ends[0])}–{numbers.significant(ends[1])}")
    return f" ({', '.join(parts)})" if parts else ""
