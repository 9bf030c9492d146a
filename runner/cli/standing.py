"""Shows the report of a run before each further round, and each new verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from runner.judge import budget
from runner.matrix import probes
from runner.measure.context import Event
from runner.model import Comparison, Sample, Verdict
from runner.report import Report

if TYPE_CHECKING:
    from runner.cli.progress import Progress


class Standing:
    """Makes the report of what has been measured so far, and shows it.

    ``report`` is the last one, which need not be made again at the end of the run.
    """

    def __init__(self, progress: Progress, make: Callable[[Sequence[Sample]], Report]) -> None:
        """``make`` judges samples and makes their report."""
        self._progress = progress
        self._make = make
        self._told: set[tuple[str, ...]] | None = None
        self.report: Report | None = None

    def judged(self, samples: Sequence[Sample]) -> Sequence[Comparison]:
        """Judge what has been measured so far."""
        self.report = self._make(samples)
        if self._told is not None:
            self._tell(self.report)
        return self.report.comparisons

    def observe(self, event: Event) -> None:
        """Show an event; before a further round, also the last report."""
        if event.kind == "further" and self.report is not None:
            if self._told is None:
                self._tell(self.report)
            self._progress.table(self.report)
        self._progress(event)

    def _tell(self, report: Report) -> None:
        """A line for every headline figure that has had no verdict so far and has one now."""
        told = self._told or set()
        for comparison in _with_verdict(report):
            key = (comparison.baseline, comparison.candidate, comparison.probe, comparison.metric)
            if key not in told:
                told.add(key)
                self._progress(Event("verdict", comparison.candidate, sentence(comparison, report)))
        self._told = told


def _with_verdict(report: Report) -> Iterator[Comparison]:
    for comparison in report.comparisons:
        if budget.decided(comparison) and probes.is_headline(comparison.probe, comparison.metric):
            yield comparison


def sentence(comparison: Comparison, report: Report) -> str:
    """A verdict in one line.

    ``round 3: torch 2.2.2 with keras 3.11.3 against tensorflow 2.21.0: step time +76 %, decided``
    """
    from runner.report.words import Words

    words = Words(report)
    taken = Counter((sample.cell.id, sample.probe) for sample in report.samples)
    number = min(taken[cell, comparison.probe] for cell in (comparison.baseline, comparison.candidate))
    label = words.label(comparison)
    change = f"{label} the same" if comparison.verdict is Verdict.SAME else words.short(comparison)
    return f"round {number}: {words.name(comparison.candidate)} against {words.baseline(comparison)}: {change}, decided"
