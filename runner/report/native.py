"""Compares Keras with the same framework without it: cost and results."""

from __future__ import annotations

from dataclasses import dataclass

from runner.judge.pairing import twin
from runner.model import Cell, Comparison, Kind, Metric, Verdict
from runner.report import numbers
from runner.report.data import Report

SPEED, AGREEMENT = "Keras / native", "agreement with native"
"""Headings of the two columns."""

_OTHER_STEPS = ("first_step_s", "evaluate_step_s", "predict_step_s")


@dataclass(frozen=True, slots=True)
class KerasCost:
    """A cell with Keras and its twin without, in one probe."""

    cell: Cell
    native: Cell
    probe: str
    speed: tuple[Comparison, ...]
    """Times of warm training steps, one per workload."""
    agreement: tuple[Comparison, ...]
    """Losses step by step from the same weights and batches, and errors against exact values."""

    @property
    def ratios(self) -> str:
        """``1.40×`` with its interval, or the range over several workloads.

        Empty where nothing was timed.

        >>> KerasCost(None, None, "", (), ()).ratios  # type: ignore[arg-type]
        ''
        """
        effects = [c.evidence.effect for c in self.speed if c.evidence.effect is not None]
        if not effects:
            return ""
        if len(effects) > 1:
            low, high = min(effects), max(effects)
            return f"{numbers.significant(1 + low)}-{numbers.ratio(high)}"
        evidence = self.speed[0].evidence
        if evidence.low is None or evidence.high is None:
            return numbers.ratio(effects[0])
        return f"{numbers.ratio(effects[0])} ({_bound(evidence.low)}-{_bound(evidence.high)})"

    @property
    def agrees(self) -> str:
        """The class and size of the largest difference: ``rounding, 7.4e-6``.

        Empty where there is none.
        """
        told = [c for c in self.agreement if c.evidence.classification]
        if not told:
            return ""
        worst = max(told, key=lambda c: (c.verdict is not Verdict.SAME, c.evidence.effect or 0.0))
        if worst.evidence.effect is None:
            return worst.evidence.classification
        unit = "" if worst.metric.endswith("loss_per_step") else " u"
        return f"{worst.evidence.classification}, {numbers.significant(worst.evidence.effect, 2)}{unit}"


def beside(report: Report) -> tuple[KerasCost, ...]:
    """Every cell with Keras that was compared with its twin, probe by probe."""
    by_pair: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in report.comparisons:
        by_pair.setdefault((comparison.candidate, comparison.baseline, comparison.probe), []).append(comparison)
    found = []
    for cell, probe in dict.fromkeys((s.cell, s.probe) for s in report.samples if s.cell.keras is not None):
        native = twin(cell)
        mine = by_pair.get((cell.id, native.id, probe), [])
        known = [(c, metric) for c in mine if (metric := report.metrics.get((probe, c.metric)))]
        speed = tuple(c for c, metric in known if _is_step(metric))
        agreement = tuple(c for c, metric in known if metric.kind in (Kind.TRAJECTORY, Kind.ERROR))
        if speed or agreement:
            found.append(KerasCost(cell, native, probe, speed, agreement))
    return tuple(found)


def _is_step(metric: Metric) -> bool:
    figure = metric.name.rpartition(".")[2]
    free = metric.kind is Kind.TIMING and not metric.name.startswith("controlled.")
    return free and figure.endswith("step_s") and figure not in _OTHER_STEPS


def _bound(effect: float) -> str:
    return numbers.significant(1 + effect)
