"""No text that leaves the program steers a terminal, whoever wrote it.

Every string that a cell, a script, a file or a server can have a say in carries hostile characters here.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
import unicodedata
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from runner import cli
from runner.cli import output
from runner.cli.progress import Progress
from runner.environments.lockfile import Lock, Recipe
from runner.errors import OutageError, UsageError
from runner.matrix import scripts
from runner.measure.context import Event
from runner.model import Cell, Status
from runner.report import Finding, Report, Severity, formats
from runner.report.console import Screen
from runner.repro import bundle, compare
from runner.repro.bisect import report as bisect_report
from runner.repro.bisect.question import Answer
from runner.repro.bisect.search import Found, Mark
from runner.repro.script import Ran

HOSTILE = st.lists(
    st.sampled_from(
        ["\x1b]52;c;ZXZpbA==\x07", "\x1b]0;title\x1b\\", "\x1b[2J", "\x1b[1A\r", "\x9b2J", "\x9d52;c;eA==\x9c", "\x1b",
         "\x00", "\x07", "\x08", "\r", "\x7f", "\x85", "\u202e", "\u2066", "\u2028", "\u2029", "\ud800", "\udfff",
         "|", "<b>", "[bold]", "\n", "\t", "a"]
    ),
    min_size=1,
    max_size=6,
).map("".join)  # fmt: skip
FEW = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""What rich makes, and what nothing in ``HOSTILE`` is."""
BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def steering(text: str) -> set[str]:
    """The characters of a text that steer a terminal or hide what is there."""
    return {
        c
        for c in set(text) - {"\n", "\t"}
        if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in BIDI
    }


def poisoned(value: Any, hostile: str, kept: frozenset[str] = frozenset()) -> Any:
    """The same with the hostile text in every string, but for the parts of cells and the values of ``kept``."""
    if isinstance(value, Cell | Enum):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return replace(value, **{name: poisoned(one, hostile, kept) for name, one in fields.items()})
    if isinstance(value, str):
        return value if value in kept else f"{value}{hostile}"
    if isinstance(value, dict):
        return {poisoned(key, hostile, kept): poisoned(item, hostile, kept) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(poisoned(item, hostile, kept) for item in value)
    return value


class Small:
    """A report. Hypothesis prints the arguments of a test, and a report is too long for that."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def __repr__(self) -> str:
        return "a report"


@pytest.fixture(scope="module")
def small(quick: Report) -> Small:
    """Every kind of thing that a report has, in two rounds."""
    samples = tuple(
        replace(s, facts={"build": "x", "switches": {"tf32": "off"}}, details={"cases": {"relu": ["wrong", "x"]}})
        for s in quick.samples
        if s.round < 2
    )
    extra = (Finding(Severity.BROKEN, "a defect", cells=(samples[0].cell.id,), details=("more",), commands=("run",)),)
    crashed = [replace(s, log="a\nlog") if s.status != Status.OK else s for s in samples]
    return Small(replace(quick, samples=tuple(crashed), extra=extra))


def hostile_report(report: Report, hostile: str) -> Report:
    axes = {"framework", "version", "keras", "python", "device", "variant"}
    ids = {sample.cell.id for sample in report.samples} | {c.baseline for c in report.comparisons}
    made: Report = poisoned(report, hostile, frozenset(axes | ids | {"status"}))
    return made


@FEW
@given(HOSTILE)
def test_no_format_of_a_report_steers(small: Small, hostile: str) -> None:
    report = hostile_report(small.report, hostile)
    for name in formats.FORMATS:
        shown = formats.text(report, name)
        assert shown
        assert not steering(shown), name
        if name == "json":
            told = json.loads(shown)
            assert told["cells"]


@FEW
@given(HOSTILE)
def test_a_report_on_a_terminal_has_colours_and_nothing_else(small: Small, hostile: str) -> None:
    stream = io.StringIO()
    screen = Screen(file=stream, width=100, force_terminal=True, color_system="standard", legacy_windows=False)
    formats_terminal(hostile_report(small.report, hostile), screen)
    assert COLOURS.search(stream.getvalue())
    assert not steering(COLOURS.sub("", stream.getvalue()))


def formats_terminal(report: Report, on: Console) -> None:
    from runner.report.formats import terminal

    terminal.print(report, on)


@FEW
@given(HOSTILE)
@pytest.mark.parametrize("terminal", [False, True])
def test_progress_does_not_steer(terminal: bool, hostile: str) -> None:
    stream = io.StringIO()
    screen = Screen(file=stream, width=100, force_terminal=terminal, color_system=None, legacy_windows=False)
    observe = Progress(screen)
    for kind in ("prepare", "ready", "failed", "start", "done", "outage", "kept", "verdict", "note", "further", "lost"):
        observe(Event(kind, f"cell{hostile}", f"text{hostile}", f"probe{hostile}", 0, Status.CRASHED))
    observe(Event("prepare", f"cell{hostile}", f"text{hostile}"))
    screen.print(observe._display())
    assert "crashed: text" in stream.getvalue()
    assert not steering(stream.getvalue())


@FEW
@given(HOSTILE, st.sampled_from([60, 200]))
def test_what_scripts_print_does_not_steer(hostile: str, width: int) -> None:
    printed = f"x {hostile}\nloss{hostile}=1 word=a\n{json.dumps({f'k{hostile}': f'v{hostile}'})}\n"
    ran = [
        Ran(f"cell{n}", Status.CRASHED, 1, f"exit code 1: {hostile}", printed, command=f"run {hostile}") for n in (1, 2)
    ]
    patterns = [scripts.metric_pattern("(?P<word>x.*)")]
    assert not steering("\n".join(compare.render(ran, patterns, width)))


@FEW
@given(HOSTILE)
def test_the_report_of_a_search_does_not_steer(hostile: str) -> None:
    answer = Answer(Mark.BAD, f"exit code 1: {hostile}", moved=[f"numpy {hostile}"], packages={"numpy": hostile})
    finished = bisect_report.Finished(
        package="keras", end=Found("1.0", "2.0"), find_fix=False, answers={"1.0": answer, "2.0": answer},
        points=("1.0", "2.0"), ran=2, python="3.11", cell="cell", executor=f"host{hostile}", dates={"1.0": hostile},
        command=("x", hostile),
    )  # fmt: skip
    assert not steering(bisect_report.report(finished))


@FEW
@given(HOSTILE)
def test_the_page_of_an_export_does_not_steer(small: Small, hostile: str) -> None:
    lock = Lock(Path(), Recipe("e", "3.11", "linux", "cpu", "2025-01-01", ()), (hostile,), "", (), (), "", {})
    sample = poisoned(small.report.samples[0], hostile)
    made = bundle.Bundle(
        cell=sample.cell, lock=lock, context={}, request={"probe": hostile}, script=None, arguments=(hostile,),
        sample=sample, variables=None, data_name=hostile, notes=(hostile,),
    )  # fmt: skip
    assert not steering(bundle.readme(made))


@FEW
@given(HOSTILE)
def test_an_error_does_not_steer(hostile: str) -> None:
    def fail(**_: object) -> None:
        raise UsageError(f"no {hostile}")

    with pytest.MonkeyPatch.context() as patched:
        written = io.StringIO()
        patched.setattr("sys.stderr", written)
        patched.setattr(cli.cli, "main", fail)
        assert cli.run([]) == 2
    assert not steering(written.getvalue())


def test_a_fault_of_the_program_is_shown_whole_and_does_not_steer(capsys: pytest.CaptureFixture[str]) -> None:
    """Python prints an exception that nothing caught, whatever is in its message."""
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("\x1b]52;c;ZXZpbA==\x07")
    cli.report_fault(caught.type, caught.value, caught.tb)
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "RuntimeError: \ufffd]52;c;ZXZpbA==\ufffd" in shown


def test_the_consoles_of_the_command_line_are_such_consoles() -> None:
    assert isinstance(output.console(io.StringIO()), Screen)


def test_an_outage_ends_a_command_with_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from runner.errors import Cause

    def fail(**_: object) -> None:
        raise OutageError(Cause.NETWORK, "the index is away", "wait")

    monkeypatch.setattr(cli.cli, "main", fail)
    assert cli.run([]) == 3
    assert capsys.readouterr().err == "runner: the index is away: wait\n"
