"""What a report is made of. Every format is a pure function of one ``Report``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from runner.model import Cell, Comparison, Sample, Skip

EXIT_MEANINGS = {
    0: "all that was asked was measured, and nothing regressed",
    1: "something regressed or broke",
    2: "bad usage or configuration",
    3: "something asked for could not be measured; nothing regressed",
    4: "nothing was measured",
    130: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one or several runs, judged."""

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


def exit_line(report: Report) -> str:
    """The exit code and what it means: ``exit code 0: all that was asked ...``."""
    return f"exit code {report.exit_code}: {EXIT_MEANINGS.get(report.exit_code, 'unknown')}"


def command(cell: Cell | str, report: Report, probe: str = "") -> str:
    """The one command that measures a cell again, quoted for a POSIX shell.

    With ``probe`` only that probe is run, else all that the report has of the cell.
    """
    cell_id = cell if isinstance(cell, str) else cell.id
    probes = [probe] if probe else sorted({s.probe for s in report.samples if s.cell.id == cell_id})
    words = ["python", "-m", "runner", "matrix", "--only", cell_id]
    for name in probes:
        words += ["--probe", name]
    # The cell id is quoted even where a shell would not need it: the reader sees at once what to change.
    line = " ".join(
        f"'{word}'" if word == cell_id and shlex.quote(word) == word else shlex.quote(word) for word in words
    )
    return f"{line} {report.invocation}".rstrip()
