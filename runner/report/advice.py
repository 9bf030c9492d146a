"""Makes the commands that a reader should run next."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from runner import executors
from runner.defects import Defect, suite
from runner.errors import UsageError
from runner.matrix import configuration, frameworks, probes, scripts, sets
from runner.model import Cell, Comparison, Kind, Sample, Status, Verdict
from runner.report import numbers
from runner.report.data import Bisection, Report
from runner.util import program, versions

_TAKES: dict[str, tuple[str, ...]] = {
    "bisect": ("--executor", "--timeout", "--with", "--source", "--wheel"),
    "diagnose": ("--executor", "--timeout", "--data", "--offline"),
    "matrix": (),
    "shell": ("--executor",),
    "export": (),
    "trend": (),
}
"""The options of a run that the other commands have too."""

_FLAGS = frozenset({"--offline", "--network"})
_BARE = frozenset({"--pytest"})
"""Options that may have no value."""
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
    learns = kind in (Kind.SEEDED, Kind.TRAJECTORY) and (comparison.probe == "mnist" or _gives_model(comparison.probe))
    if learns and baseline is not None and candidate.keras and baseline.keras:
        found.append(line("diagnose", report, [candidate.id, baseline.id, *_own_model(report, comparison, candidate)]))
    if kind is None:
        found.append(line("matrix", report, ["--only", candidate.id, "--keep-failed", *report_words(report)]))
    return tuple(line for line in found if line)


def _gives_model(probe: str) -> bool:
    """Whether ``diagnose`` can train the model of a user's probe."""
    try:
        return probes.gives_model(probe)
    except UsageError:  # the file is gone
        return False


def _own_model(report: Report, comparison: Comparison, candidate: Cell) -> list[str]:
    """The user's probe whose model ``diagnose`` trains.

    Nothing for the program's networks.
    """
    if not _gives_model(comparison.probe):
        return []
    settings = [word for setting in _settings(report, comparison) for word in ("--setting", setting)]
    return ["--probe", comparison.probe, *settings, *_packages(report, candidate)]


def _bisect(report: Report, comparison: Comparison, candidate: Cell, better: Sequence[Cell], kind: Kind | None) -> str:
    """The bisection between the candidate and the nearest better release, or empty."""
    ends = _between(report, candidate, better)
    tested = _tested(report, comparison, kind)
    return line("bisect", report, [*ends, *tested, *_packages(report, candidate)]) if ends and tested else ""


def _between(report: Report, candidate: Cell, better: Sequence[Cell]) -> list[str]:
    """The package, the ends and the cell of a bisection.

    Nothing where no release is better, or none lies between them.
    """
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
        if found := _ends(report, package, good, bad, candidate, find_fix=not older):
            return found
    return []


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


def _tested(report: Report, comparison: Comparison, kind: Kind | None) -> list[str]:
    """What a bisection tests; nothing where it has no test for that.

    ``kind``: of the metric; None for a cell that does not run.
    """
    if comparison.probe == scripts.PROBE:
        return _of_script(report, comparison, kind)
    words = ["--probe", comparison.probe]
    if comparison.probe == suite.PROBE:
        if kind is None:  # without a framework or Keras no test is needed; other endings say nothing about one test
            return ["--probe", "hello"] if _status(report, comparison) is Status.IMPORT_FAILED else []
        words = _tests(report)
    words += ["--metric", comparison.metric] if kind is not None else []
    return words + [word for setting in _settings(report, comparison) for word in ("--setting", setting)]


def _of_script(report: Report, comparison: Comparison, kind: Kind | None) -> list[str]:
    """The script of the run as its command line named it, and the worse figure."""
    given = list(pairwise(report_words(report)))
    script = next((value for option, value in given if option == "--script"), "script.py")
    words = ["--script", script, *(["--network"] if "--network" in report_words(report) else [])]
    if kind is None:  # a script that ends well and does not print its figure is good by its exit code
        return [] if _status(report, comparison) is Status.BAD_OUTPUT else words
    figure = comparison.metric.removeprefix(f"{scripts.PRINTED}.")
    for option, value in given:
        with suppress(UsageError):  # run.json is damaged
            if option == "--metric" and scripts.metric(value)[0] == figure:
                return [*words, "--metric", value]
    return []


def of_tests(report: Report, defect: Defect) -> tuple[str, ...]:
    """The bisection of a user's test that fails in some cells.

    Nothing where it passes with no other release, and for a defect of another probe.
    """
    if not defect.op.startswith(f"{suite.PROBE}: "):
        return ()
    good = [report.cells[cell] for cell in defect.good if cell in report.cells]
    bad = [report.cells[cell] for cell in defect.cells if cell in report.cells]
    found = [(ends, cell) for cell in sorted(bad, key=_age) if (ends := _between(report, cell, good))]
    found.sort(key=lambda one: "--find-fix" in one[0])
    for ends, cell in found[:1]:
        asked = Comparison("", cell.id, "", suite.PROBE, "", Verdict.REGRESSED, "")
        settings = [word for setting in _settings(report, asked) for word in ("--setting", setting)]
        words = [*ends, *_tests(report), "--case", defect.cases[0], *settings, *_packages(report, cell)]
        return (line("bisect", report, words),)
    return ()


def _age(cell: Cell) -> tuple[object, ...]:
    return (cell.framework, versions.order(cell.version), versions.order(cell.keras or "0"))


def _tests(report: Report) -> list[str]:
    """The tests of the run as its command line named them.

    Those of the configuration where it named none.
    """
    return _given(report, ("--pytest", "--install")) or ["--pytest"]


def _packages(report: Report, cell: Cell) -> list[str]:
    """What the user's own set installs in all cells, but for the cell's own axes."""
    found = configuration.here()
    one = found.file.sets.get(report.set_name) if found else None
    own = {*frameworks.parts_of("keras"), *frameworks.of(cell.framework).distributions}
    lines = [text for text in (one.packages if one else ()) if versions.project(text) not in own]
    return [word for text in lines for word in ("--with", text)]


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


def _status(report: Report, comparison: Comparison) -> Status:
    """How the candidate's process ended that did not end well."""
    cell = report.cells.get(comparison.candidate)
    samples = report.by_probe.get(comparison.probe, {}).get(cell, []) if cell else []
    return next((sample.status for sample in samples if sample.status is not Status.OK), Status.OK)


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
    for option, *given in _options(report):
        values = given
        if option == "--data" and command == "diagnose":
            values = [value.removeprefix(f"{_DATA}=") for value in given]
            if "=" in values[0]:  # another data set
                continue
        installs = option == "--executor" and command in ("bisect", "shell")
        if installs and values[0] not in executors.names(installing=True):
            continue
        if option in _BUILDS and frameworks.named(values[0].partition("=")[0]) in (*frameworks.names(), "keras"):
            continue  # a build in the place of a release has its version in the cell's id
        found += [option, *values] if option in _TAKES[command] else []
    return found


_BUILDS = ("--source", "--wheel")


def _given(report: Report, wanted: Collection[str]) -> list[str]:
    """These options of the run, with their values."""
    return [word for option, *values in _options(report) if option in wanted for word in (option, *values)]


def _options(report: Report) -> Iterator[list[str]]:
    """The options of the run, each with its value where it has one."""
    words = report_words(report)
    while words:
        option = words.pop(0)
        bare = option in _FLAGS or (option in _BARE and (not words or words[0].startswith("--")))
        yield [option] if bare else [option, words.pop(0) if words else ""]
