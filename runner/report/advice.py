"""Makes the commands that a reader should run next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from runner.model import Cell, Comparison, Kind, Sample
from runner.report import numbers
from runner.report.data import Report
from runner.util import versions

_RUNNER = ("python", "-m", "runner")

_TAKES = {
    "bisect": ("--executor", "--timeout"),
    "diagnose": ("--executor", "--timeout", "--data", "--offline"),
}
"""The options of a run that the other commands have too."""

_FLAGS = frozenset({"--offline"})


def next_commands(
    report: Report, comparison: Comparison, cells: Mapping[str, Cell], better: Sequence[Cell], kind: Kind | None
) -> tuple[str, ...]:
    """What finds the cause of a worse figure, the most telling command first.

    ``better``: the cells that do not have the fault. ``kind``: of the metric; None for a cell that does not run.
    """
    candidate = cells.get(comparison.candidate)
    if candidate is None:
        return ()
    found = [_bisect(report, comparison, candidate, better, kind)]
    baseline = cells.get(comparison.baseline)
    learns = kind in (Kind.SEEDED, Kind.TRAJECTORY) and comparison.probe == "mnist"
    if learns and baseline is not None and candidate.keras and baseline.keras:
        found.append(_line("diagnose", report, [candidate.id, baseline.id]))
    if kind is None:
        found.append(_line("matrix", report, ["--only", candidate.id, "--keep-failed", *report_words(report)]))
    return tuple(line for line in found if line)


def _bisect(report: Report, comparison: Comparison, candidate: Cell, better: Sequence[Cell], kind: Kind | None) -> str:
    """The bisection between the candidate and the nearest better release, or empty."""
    for package, bad, ends in (
        (candidate.framework, candidate.version, _of_framework(candidate, better)),
        ("keras", candidate.keras, _of_keras(candidate, better)),
    ):
        if not ends or bad is None:
            continue
        place = versions.order(bad)
        older = [v for v in ends if versions.order(v) < place]
        good = older[-1] if older else ends[0]
        words = [package, "--good", good, "--bad", bad]
        words += [] if older else ["--find-fix"]
        words += ["--cell", candidate.id, "--probe", comparison.probe]
        if kind is not None:
            words += ["--metric", comparison.metric]
            words += [word for setting in _settings(report, comparison) for word in ("--setting", setting)]
        return _line("bisect", report, words)
    return ""


def _of_framework(candidate: Cell, better: Sequence[Cell]) -> list[str]:
    same = [
        cell.version
        for cell in better
        if cell.version != candidate.version
        and all(cell.values[axis] == value for axis, value in candidate.values.items() if axis != "version")
    ]
    return sorted(set(same), key=versions.order)


def _of_keras(candidate: Cell, better: Sequence[Cell]) -> list[str]:
    same = [
        cell.keras
        for cell in better
        if cell.keras is not None
        and cell.keras != candidate.keras
        and all(cell.values[axis] == value for axis, value in candidate.values.items() if axis != "keras")
    ]
    return sorted(set(same), key=versions.order)


def _settings(report: Report, comparison: Comparison) -> list[str]:
    """The settings of the probe in this run, as options; those that are not set are left out."""
    sample = _sample(report, comparison)
    settings = sample.settings if sample else {}
    return [f"{comparison.probe}.{name}={value}" for name, value in settings.items() if isinstance(value, int | str)]


def _sample(report: Report, comparison: Comparison) -> Sample | None:
    cell = report.cells.get(comparison.candidate)
    samples = report.by_probe.get(comparison.probe, {}).get(cell, []) if cell else []
    return next(iter(samples), None)


def report_words(report: Report) -> list[str]:
    """The arguments of the run that differ from the defaults."""
    return shlex.split(report.invocation)


def _line(command: str, report: Report, words: Sequence[str]) -> str:
    """A command line for a POSIX shell, with the options of the run that the command has too."""
    given = report_words(report)
    more: list[str] = []
    for place, word in enumerate(given):
        if word in _TAKES.get(command, ()):
            more += [word] if word in _FLAGS else given[place : place + 2]
    return shlex.join([*_RUNNER, command, *(numbers.plain(word) for word in words), *more])
