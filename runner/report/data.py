"""What a report is made of. Every format is a pure function of one ``Report``."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from functools import cached_property

from runner.defects import Defect
from runner.history.data import Past
from runner.matrix import probes
from runner.model import CONDITIONS, Cell, Comparison, Kind, Metric, Sample, Skip, Status, Verdict
from runner.report import numbers
from runner.report.marks import Mark, mark
from runner.report.summary import Summary, summarise
from runner.util import program

EXIT_MEANINGS = {
    0: "nothing got worse",
    1: "something got worse or broke",
    2: "bad usage or configuration",
    3: "something could not be measured; nothing got worse",
    4: "nothing was measured",
    130: "interrupted; the same command measures the rest",
}


class Severity(IntEnum):
    """How bad a finding is; a smaller one is worse."""

    BROKEN = 0
    REGRESSED = 1
    FAILED = 2
    """A cell did not run, and there is no baseline that says whether it ever did."""
    FIXED = 3
    """A known failure is gone: the expectations file is out of date."""
    CHANGED = 4
    """The level of a figure is worse than it was in earlier runs of the same cell."""
    EXPECTED = 5
    DEFECT = 6
    """A sweep found it wrong, and no baseline says that a release brought it."""
    DIFFERENT = 7
    """Between frameworks or devices: no regression."""
    IMPROVED = 8
    INCOMPARABLE = 9
    UNDECIDED = 10
    FINE = 11

    @property
    def mark(self) -> Mark:
        """The symbol the tables use for the same thing."""
        return _SHOWN[self][1]

    @property
    def label(self) -> str:
        """The word that a report puts before a finding."""
        return _SHOWN[self][0]


_SHOWN = {
    Severity.BROKEN: ("BROKEN", Mark.WORSE),
    Severity.REGRESSED: ("WORSE", Mark.WORSE),
    Severity.FAILED: ("FAILED", Mark.WORSE),
    Severity.FIXED: ("GONE", Mark.FIXED),
    Severity.CHANGED: ("CHANGED", Mark.WORSE),
    Severity.EXPECTED: ("KNOWN", Mark.EXPECTED),
    Severity.DEFECT: ("DEFECT", Mark.DIFFERS),
    Severity.DIFFERENT: ("DIFFERENT", Mark.DIFFERS),
    Severity.IMPROVED: ("BETTER", Mark.BETTER),
    Severity.INCOMPARABLE: ("NOT JUDGED", Mark.INCOMPARABLE),
    Severity.UNDECIDED: ("UNDECIDED", Mark.UNDECIDED),
    Severity.FINE: ("FINE", Mark.SAME),
}


@dataclass(frozen=True, slots=True)
class Bisection:
    """The search for what changed one case of a probe between two cells.

    The cells differ in one package alone.
    """

    package: str
    """A framework, or ``keras``."""
    good: str
    bad: str
    cell: Cell
    """The bad one."""
    probe: str
    case: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, with the ids of the cells it is about."""

    severity: Severity
    text: str
    cells: tuple[str, ...]
    issue: str = ""
    weight: float = 0.0
    """Orders findings of one severity: the larger, the worse."""
    details: tuple[str, ...] = ()
    """Sentences: the figures behind it, what other cells do, what the controlled training says."""
    commands: tuple[str, ...] = ()
    """What to run next, each a whole command line."""
    key: str = ""
    """A digest of what it is about: the same in every run that has it, whatever its text, figures and severity.

    Empty for a sentence that is not about anything in particular (``report.keys``)."""
    kin: str = ""
    """The same digest without the cell: findings about other releases share it."""
    probes: tuple[str, ...] = ()
    """The probes that show it; empty: any."""
    release: str = ""
    """The first release that shows it, where the report knows one: ``keras 3.14.0``."""
    bisection: Bisection | None = None
    """What finds its cause, where it does not come from a comparison; it becomes one of the commands."""
    since: str = ""
    """Since when it is there, where a history knows that: ``since the night of 12 November``."""

    @property
    def sentence(self) -> str:
        """The text, since when it holds, and the address of the known problem."""
        text = self.text
        if self.since:
            text = f"{text.rstrip('.')}. {self.since[0].upper()}{self.since[1:]}"
        if not self.issue:
            return text
        return f"{text.rstrip('.')}. {self.kind}: {numbers.plain(self.issue)}"

    @property
    def kind(self) -> str:
        """What the address of the known problem is: ``Change``, ``Report`` or ``See``."""
        return "Change" if "/pull/" in self.issue else "Report" if "/issues/" in self.issue else "See"


@dataclass(frozen=True)
class Report:
    """The outcome of one or several runs, judged.

    Nothing of it changes, so that what all formats ask for is found once.
    """

    samples: tuple[Sample, ...]
    comparisons: tuple[Comparison, ...]
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    title: str = "version-regression matrix"
    exit_code: int = 0
    invocation: str = ""
    """Further arguments of the run that differ from the defaults, quoted for a shell: ``--set seeds --rounds 5``."""
    expectations: str = "matrix/expectations.toml"
    """Where known failures are kept, as seen from the repository root; annotations point there."""
    alpha: float | None = None
    """The error rate kept over all timing comparisons together; None where that is not known."""
    unread: tuple[str, ...] = ()
    """Files that could not be used, each in one line: which, why, and what to do."""
    extra: tuple[Finding, ...] = ()
    """Findings that do not come from comparisons: defects that a sweep of many cases found."""
    defects: tuple[Defect, ...] = ()
    """What the sweeps found wrong, with the cases and scripts behind the findings in ``extra``."""
    everything: bool = False
    """Whether the tables keep the columns and probes in which nothing differs."""
    set_name: str = ""
    """The set that was run, where that is known."""
    past: Past | None = None
    """What a history knows of earlier runs; None without a history."""
    explained: Mapping[str, str] = field(default_factory=dict)
    """What bisections found, each in one sentence, by the command of the finding that asks for it."""

    def with_past(self, past: Past) -> Report:
        """The same report with what a history knows of earlier runs.

        What has been found out about the results is not found out again.
        """
        made = replace(self, past=past)
        made.__dict__.update({name: value for name, value in self.__dict__.items() if name not in _FIELDS})
        return made

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The measured cells by their ids, in the order in which they appear."""
        return {cell.id: cell for cell in dict.fromkeys(sample.cell for sample in self.samples)}

    @cached_property
    def by_probe(self) -> dict[str, dict[Cell, list[Sample]]]:
        """The samples of every cell, probe by probe, in the order in which they appear."""
        found: dict[str, dict[Cell, list[Sample]]] = {}
        for sample in self.samples:
            found.setdefault(sample.probe, {}).setdefault(sample.cell, []).append(sample)
        return found

    @cached_property
    def summaries(self) -> dict[str, dict[Cell, dict[str, Summary]]]:
        """Every metric of every cell over its runs, probe by probe."""
        return {
            probe: {cell: summarise(samples) for cell, samples in cells.items()}
            for probe, cells in self.by_probe.items()
        }

    @cached_property
    def judged(self) -> dict[tuple[str, str, str], list[Comparison]]:
        """The comparisons by probe, metric and candidate."""
        found: dict[tuple[str, str, str], list[Comparison]] = {}
        for comparison in self.comparisons:
            found.setdefault((comparison.probe, comparison.metric, comparison.candidate), []).append(comparison)
        return found

    def worse(self, probe: str, metric: str, cell_id: str) -> bool:
        """Whether the cell is worse than one of its baselines in the metric."""
        return any(c.verdict is Verdict.REGRESSED for c in self.judged.get((probe, metric, cell_id), ()))

    def rebounds(self, comparison: Comparison) -> bool:
        """Whether the candidate only looks better, because its baseline is worse."""
        improved = comparison.verdict is Verdict.IMPROVED
        return improved and self.worse(comparison.probe, comparison.metric, comparison.baseline)

    def near(self, cell: Cell) -> list[str]:
        """The ids of the other cells that differ in one way.

        They have another framework or version, or another Keras alone.
        """
        found = dict.fromkeys(other for key in _relations(cell) for other in self._alike.get(key, ()))
        return [other for other in found if other != cell.id]

    @cached_property
    def _alike(self) -> dict[tuple[str | None, ...], list[str]]:
        """The ids of the cells by all but framework and version, and by all but Keras."""
        found: dict[tuple[str | None, ...], list[str]] = {}
        for cell_id, cell in self.cells.items():
            for key in _relations(cell):
                found.setdefault(key, []).append(cell_id)
        return found

    @cached_property
    def probes(self) -> dict[str, list[str]]:
        """The probes of every cell, by the cell's id."""
        found: dict[str, list[str]] = {}
        for cell, probe in dict.fromkeys((sample.cell, sample.probe) for sample in self.samples):
            found.setdefault(cell.id, []).append(probe)
        return found

    @cached_property
    def metrics(self) -> dict[tuple[str, str], Metric]:
        """The first metric of each probe and name.

        Its kind, direction and unit hold for all.
        """
        first: dict[str, dict[str, Metric]] = {}
        for sample in self.samples:
            known = first.setdefault(sample.probe, {})
            for metric in sample.metrics:
                if metric.name not in known:
                    known[metric.name] = metric
        return {(probe, name): metric for probe, known in first.items() for name, metric in known.items()}


_FIELDS = frozenset(entry.name for entry in fields(Report))


def _relations(cell: Cell) -> tuple[tuple[str | None, ...], ...]:
    """What a cell shares with other releases, and with those of another Keras."""
    shared = tuple(cell.values[axis.name] for axis in CONDITIONS)
    return ("keras", cell.keras, *shared), ("framework", cell.framework, cell.version, *shared)


def exit_line(report: Report) -> str:
    """The exit code and what it means: ``exit code 0: nothing got worse``.

    A run without a failure says how much of it is known.
    """
    line = f"exit code {report.exit_code}: {EXIT_MEANINGS.get(report.exit_code, 'unknown')}"
    undecided, judged = open_figures(report)
    if report.exit_code != 0 or not undecided:
        return line
    return f"{line} that can be shown; {undecided} of {judged} figures are undecided"


def open_figures(report: Report) -> tuple[int, int]:
    """How many compared figures are undecided, and how many there are.

    Where a probe has headline figures, only those count.
    """
    undecided, judged = undecided_of(report)
    return len(undecided), len(judged)


def undecided_of(report: Report) -> tuple[list[Comparison], list[Comparison]]:
    """The undecided comparisons, and all that count."""
    judged = [c for c in report.comparisons if c.metric != "status" and c.baseline]
    if any(probes.headlines(probe) for probe in {c.probe for c in judged}):
        judged = [c for c in judged if probes.is_headline(c.probe, c.metric)]
    judged = [c for c in judged if mark(c) not in (Mark.NONE, Mark.INCOMPARABLE)]
    return [c for c in judged if c.verdict is Verdict.INCONCLUSIVE], judged


def command(cell: Cell | str, report: Report, probe: str = "") -> str:
    """The one command that measures a cell again, quoted for a POSIX shell.

    With ``probe`` only that probe is run, else all that the report has of the cell.
    """
    cell_id = cell if isinstance(cell, str) else cell.id
    probes = [probe] if probe else report.probes.get(cell_id, [])
    cell_id = numbers.plain(cell_id)
    words = [*program.words(), "matrix", "--only", cell_id]
    for name in probes:
        words += ["--probe", numbers.plain(name)]
    # The cell id is quoted even where a shell would not need it: the reader sees at once what to change.
    line = " ".join(
        f"'{word}'" if word == cell_id and shlex.quote(word) == word else shlex.quote(word) for word in words
    )
    # fresh: a result that lies in the same folder would be shown again, not measured again
    return f"{line} --fresh {numbers.plain(report.invocation)}".rstrip()


def cell_ids(report: Report) -> list[str]:
    """The ids of the measured cells, in the order in which they appear."""
    return list(report.cells)


def subtitle(report: Report, shared: Cell | None) -> str:
    """How much was measured, and what all cells share.

    ``7 combinations · 1 run each · Python 3.11 · cpu · SYNTHETIC digits, not MNIST``
    """
    count = len(cell_ids(report))
    parts = [f"{count} {'combination' if count == 1 else 'combinations'}"]
    parts += [runs(report.samples)] if report.samples else []
    if shared is not None:
        parts += [axis.in_sentence(shared) for axis in CONDITIONS if shared.values[axis.name]]
    parts += _stand_ins(report)
    return numbers.plain(" · ".join(parts))


def runs(samples: Sequence[Sample]) -> str:
    """How many processes a cell has of a probe: ``1 run each``, ``1 to 12 runs each``."""
    ran = [s for s in samples if s.status is Status.OK] or samples
    counts = Counter((s.cell, s.probe) for s in ran)
    low, high = min(counts.values()), max(counts.values())
    return f"{low} {'run' if low == 1 else 'runs'} each" if low == high else f"{low} to {high} runs each"


_STAND_IN = re.compile(r"these are synthetic ([\w ]+)")


def _stand_ins(report: Report) -> list[str]:
    """What was drawn in place of real data: ``SYNTHETIC digits``."""
    notes = dict.fromkeys([*report.notes, *(note for s in report.samples for note in s.notes)])
    return [f"SYNTHETIC {found[1]}" for note in notes if (found := _STAND_IN.search(note))]


def all_notes(report: Report) -> list[str]:
    """The report's notes, then those of its samples, each once.

    A note that does not concern all cells has those that it concerns.
    """
    raw: dict[str, set[Cell]] = {}
    for sample in report.samples:
        for note in sample.notes:
            raw.setdefault(note, set()).add(sample.cell)
    concerned: dict[str, set[Cell]] = {}
    for note, cells in raw.items():
        concerned.setdefault(numbers.plain(note), set()).update(cells)
    total = len(report.cells)
    counted = []
    for note, cells in concerned.items():
        where = next(iter(cells)).id if len(cells) == 1 else f"{len(cells)} cells"
        counted.append(note if len(cells) == total else f"{note} ({where})")
    own = [numbers.plain(note) for note in report.notes]
    return list(dict.fromkeys([*own, *counted, *_error_rate(report)]))


def _error_rate(report: Report) -> list[str]:
    """How many timings were judged together, and what is kept over all of them."""
    timings = {key for key, metric in report.metrics.items() if metric.kind is Kind.TIMING}
    made = sum((c.probe, c.metric) in timings and c.evidence.p_adjusted is not None for c in report.comparisons)
    if not made or report.alpha is None:
        return []
    kept = f"{100 * report.alpha:g} %"
    return [f"Timing comparisons corrected together (Holm): {made}; a false alarm among them in at most {kept} of runs"]
