"""Makes the commands that a reader should run next."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from runner import executors
from runner.defects import suite
from runner.matrix import configuration, frameworks, probes, scripts, sets
from runner.model import Cell, Comparison, Kind, Sample
from runner.report import numbers
from runner.report.data import Bisection, Report
from runner.util import program, versions

_TAKES: dict[str, tuple[str, ...]] = {
    "bisect": ("--executor", "--timeout", "--network", "--with"),
    "diagnose": ("--executor", "--timeout", "--data", "--offline"),
    "matrix": (),
    "shell": ("--executor",),
    "export": (),
    "trend": (),
}
"""The options of a run that the other commands have too."""

_FLAGS = frozenset({"--offline", "--network"})
_DATA = "mnist"
"""The data set that ``diagnose`` reads."""


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
        found.append(line("diagnose", report, [candidate.id, baseline.id]))
    if kind is None:
        found.append(line("matrix", report, ["--only", candidate.id, "--keep-failed", *report_words(report)]))
    return tuple(line for line in found if line)


def _bisect(report: Report, comparison: Comparison, candidate: Cell, better: Sequence[Cell], kind: Kind | None) -> str:
    """The bisection between the candidate and the nearest better release, or empty."""
    if comparison.probe == suite.PROBE:
        return ""  # bisect has no tests of a user's library
    words = _tested(report, comparison, kind)
    for package, bad, known in (
        (candidate.framework, candidate.version, _of_framework(candidate, better)),
        ("keras", candidate.keras, _of_keras(candidate, better)),
    ):
        ends = [end for end in known if not versions.is_local(end)]
        if not ends or bad is None:
            continue
        place = versions.order(bad)
        older = [v for v in ends if versions.order(v) < place]
        good = older[-1] if older else ends[0]
        found = _ends(report, package, good, bad, candidate, find_fix=not older)
        if found:
            return line("bisect", report, [*found, *words]) if words else ""
    return ""


def _tested(report: Report, comparison: Comparison, kind: Kind | None) -> list[str]:
    """What the bisection of a comparison tests; empty where it has no such test."""
    if comparison.probe == scripts.PROBE:
        return ["--script", _script(report)] if kind is None else []
    words = ["--probe", comparison.probe]
    words += ["--metric", comparison.metric] if kind is not None else []
    return words + [word for setting in _settings(report, comparison) for word in ("--setting", setting)]


def bisection(report: Report, wanted: Bisection) -> str:
    """The bisection of one case.

    Empty where there are no releases or commits between its ends.
    """
    find_fix = versions.order(wanted.good) > versions.order(wanted.bad)
    found = _ends(report, wanted.package, wanted.good, wanted.bad, wanted.cell, find_fix=find_fix)
    return line("bisect", report, [*found, "--probe", wanted.probe, "--case", wanted.case]) if found else ""


def _ends(report: Report, package: str, good: str, bad: str, cell: Cell, *, find_fix: bool) -> list[str]:
    """The package and the ends, with the cell that moves.

    A local build is between no releases of the index. One of a commit is between the commits of its repository, where
    the run was given one; else there is nothing to search.
    """
    words = ["--find-fix"] if find_fix else []
    if not versions.is_local(bad):
        return [package, "--good", good, "--bad", bad, *words, "--cell", cell.id]
    commit, place = _COMMIT.search(bad), _repository(report, package)
    if commit is None or not place:
        return []
    released = replace(cell, **{"keras" if package == "keras" else "version": good})
    return [package, "--good", good, "--bad", commit["hash"], *words, "--source", place, "--cell", released.id]


_COMMIT = re.compile(r"[+.]g(?P<hash>[0-9a-f]{7,})$")
"""The local part of a build of a commit.

One with uncommitted changes is not what its commit is.
"""
_AT_COMMIT = re.compile(r"@[^@/]+$")


def _repository(report: Report, package: str) -> str:
    """The folder that ``--source`` names for a package, without a commit.

    Empty for a repository that is elsewhere.
    """
    words = report_words(report)
    for option, value in pairwise(words):
        name, _, place = value.partition("=")
        if option == "--source" and frameworks.named(name) == package and not place.startswith("git+"):
            return _AT_COMMIT.sub("", place)
    return ""


def _script(report: Report) -> str:
    """The script of the run, as its command line named it."""
    words = report_words(report)
    return next((value for option, value in pairwise(words) if option == "--script"), "script.py")


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
    """The settings of the probe in this run, as values of ``--setting``.

    What ``bisect`` uses anyway is left out.
    """
    sample = _sample(report, comparison)
    probe = comparison.probe
    usual = _usual(probe)
    changed = {name: value for name, value in (sample.settings if sample else {}).items() if value is not None}
    return [f"{probe}.{name}={_written(value)}" for name, value in changed.items() if usual.get(name) != value]


@functools.cache
def _usual(probe: str) -> dict[str, object]:
    """The settings that a probe has where none are given."""
    return {**probes.settings(probe), **sets.named_set(configuration.matrix(), None).probes.get(probe, {})}


def _written(value: object) -> str:
    """A setting's value as ``--setting`` reads it: JSON, or any other text as it is."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)


def _sample(report: Report, comparison: Comparison) -> Sample | None:
    cell = report.cells.get(comparison.candidate)
    samples = report.by_probe.get(comparison.probe, {}).get(cell, []) if cell else []
    return next(iter(samples), None)


def report_words(report: Report) -> list[str]:
    """The arguments of the run that differ from the defaults."""
    try:
        return shlex.split(report.invocation)
    except ValueError:  # run.json is damaged
        return []


def line(command: str, report: Report, words: Sequence[str]) -> str:
    """A command line for a POSIX shell.

    It has the options of the run that the command has too.
    """
    return shlex.join(numbers.plain(word) for word in (*program.words(), command, *words, *_carried(command, report)))


def _carried(command: str, report: Report) -> list[str]:
    """The options of the run that the command has too, with their values."""
    found: list[str] = []
    given = iter(report_words(report))
    for option in given:
        values = [] if option in _FLAGS else [next(given, "")]
        if option == "--data" and command == "diagnose":
            values = [value.removeprefix(f"{_DATA}=") for value in values]
            if "=" in values[0]:  # another data set
                continue
        installs = option == "--executor" and command in ("bisect", "shell")
        if installs and values[0] not in executors.names(installing=True):
            continue
        found += [option, *values] if option in _TAKES[command] else []
    return found
