"""The progress of a run: plain lines, and the display of a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, ConsoleDimensions

from runner.cli import output, progress
from runner.cli.progress import Progress
from runner.measure.context import Event
from runner.model import Status


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def console(*, terminal: bool = False, width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None, legacy_windows=False)


def written(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def test_without_a_terminal_every_step_is_a_line() -> None:
    shown, clock = console(width=40), Clock()
    with Progress(shown, clock) as observe:
        observe(Event("note", text="[bold] is no markup, and a line that is longer than the console stays whole"))
        observe(Event("expect", count=3))
        observe(Event("prepare", "torch", "installing"))
        observe(Event("prepare", "torch", "pulling"))
        clock.now += 12.34
        observe(Event("ready", "torch"))
        observe(Event("prepare", "jax"))
        clock.now += 1
        observe(Event("ready", "jax"))
        observe(Event("ready", "never announced"))
        observe(Event("prepare", "mxnet"))
        observe(Event("failed", "mxnet", "no wheel"))
        observe(Event("start", "torch", probe="mnist"))
        observe(Event("done", "torch", probe="mnist", status=Status.OK, seconds=3.21))
        observe(Event("reuse", "torch", probe="mnist", round=1))
        observe(Event("done", "torch", "signal 11", "conv2d-large", 1, Status.CRASHED, 0.04))
        observe(Event("done", "torch", probe="ops"))
        observe(Event("kept", "torch", "runner shell torch", "conv2d-large"))
    assert written(shown).splitlines() == [
        "note     [bold] is no markup, and a line that is longer than the console stays whole",
        "prepare  torch",
        "ready    torch (12.3 s)",
        "prepare  jax",
        "prepare  mxnet",
        "failed   mxnet: no wheel",
        "mnist    torch (3.2 s) ok",
        "conv2d-large #2 torch (0.0 s) crashed: signal 11",
        "ops      torch (0.0 s) ok",
        "kept     torch conv2d-large; enter with: runner shell torch",
    ]


def test_a_second_preparation_of_the_same_environment_is_a_line_again() -> None:
    shown = console()
    with Progress(shown, Clock()) as observe:
        for _ in range(2):
            observe(Event("prepare", "torch"))
            observe(Event("ready", "torch"))
    assert written(shown) == "prepare  torch\nprepare  torch\n"


def test_an_outage_is_one_line_whatever_it_stops() -> None:
    shown, clock = console(), Clock()
    observe = Progress(shown, clock)
    observe(Event("expect", count=2))
    observe(Event("prepare", "torch"))
    clock.now += 5
    observe(Event("lost", "torch"))
    observe(Event("outage", text="it is out: mend it", count=2))
    observe(Event("start", "torch", probe="mnist"))
    for subject in ("torch", "jax"):
        observe(Event("lost", subject, "it is out: mend it", "mnist"))
    assert str(observe._display()) == "  2 of 2 processes"
    observe(Event("outage", text="no disk: make room", count=1))
    assert written(shown).splitlines() == [
        "prepare  torch",
        "outage   it is out: mend it (2 environments cannot be used)",
        "outage   no disk: make room (1 environment cannot be used)",
    ]


def test_a_terminal_shows_what_is_going_on() -> None:
    shown, clock = console(terminal=True), Clock()
    observe = Progress(shown, clock)
    observe(Event("expect", count=4))
    observe(Event("prepare", "torch", "x" * 70))
    clock.now += 7
    observe(Event("prepare", "torch", "y" * 70))
    observe(Event("start", "jax", probe="mnist"))
    observe(Event("start", "jax", probe="mnist", round=1))
    observe(Event("done", "jax", probe="mnist", round=1))
    clock.now += 65.6
    lines = str(observe._display()).split("\n")
    assert lines == [
        "     73 s  build torch " + "y" * 60,
        "     66 s  mnist jax",
        "  1 of 4 processes",
    ]
    observe(Event("reuse", "jax", probe="mnist", round=2))
    observe(Event("ready", "torch"))
    observe(Event("done", "jax", probe="mnist"))
    assert str(observe._display()) == "  3 of 4 processes, 1 from earlier runs"


def test_the_display_of_a_terminal_is_gone_at_the_end_and_the_lines_stay() -> None:
    shown = console(terminal=True)
    with Progress(shown, Clock()) as observe:
        observe(Event("prepare", "torch"))  # the display shows it: no line
        observe(Event("failed", "torch", "no wheel"))
    text = written(shown)
    assert "failed   torch: no wheel" in text
    assert "prepare" not in text
    assert "0 of 0 processes" in text
    assert text.endswith("\x1b[2K")  # the last thing written erases the display


def test_the_lines_have_no_colours_of_their_own() -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard", legacy_windows=False)
    Progress(shown, Clock())(Event("done", "torch-2.2.2", "exit code 1", "mnist", 0, Status.CRASHED, 3.21))
    assert written(shown) == "mnist    torch-2.2.2 (3.2 s) crashed: exit code 1\n"


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown() as observe:
        observe(Event("note", text="hello"))
    assert capsys.readouterr() == ("", "note     hello\n")


@pytest.mark.parametrize(
    ("columns", "width"), [(None, 160), ("", 160), ("wide", 160), ("0", 160), ("-5", 160), ("1", 1), ("93", 93)]
)
def test_a_file_is_as_wide_as_columns_or_160(columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert output.console(io.StringIO()).width == width


def test_a_terminal_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("rich.console.Console.size", property(lambda _: ConsoleDimensions(77, 25)))
    assert output.console(Terminal()).width == 77
