"""The progress of a run: plain lines, and the display of a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console, ConsoleDimensions

from runner.cli import output, progress
from runner.cli.progress import Progress
from runner.measure.context import Event
from runner.model import Status
from runner.report import Report


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def console(*, terminal: bool = False, width: int = 80, height: int | None = None) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=width,
        height=height,
        color_system=None,
        legacy_windows=False,
    )


def written(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


def drawn(observe: Progress) -> str:
    """What the display of the terminal has now."""
    shown = console(width=160)
    shown.print(observe._display())
    return written(shown)


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


def test_what_is_left_of_the_budget_is_shown_and_goes_down_while_a_process_runs() -> None:
    shown, clock = console(terminal=True), Clock()
    observe = Progress(shown, clock)
    observe(Event("expect", count=4))
    assert str(observe._display()) == "  0 of 4 processes"
    observe(Event("budget", seconds=600.0))
    assert str(observe._display()) == "  0 of 4 processes, 10 min of the budget left"
    observe(Event("start", "jax", probe="mnist"))
    clock.now += 30
    assert str(observe._display()).endswith("  0 of 4 processes, 9 min 30 s of the budget left")
    observe(Event("done", "jax", probe="mnist", seconds=28.0))
    assert str(observe._display()) == "  1 of 4 processes, 9 min 32 s of the budget left"
    observe(Event("budget", seconds=45.0))
    observe(Event("further", count=2, round=1))
    assert str(observe._display()) == "  1 of 6 processes, 45 s of the budget left"
    observe(Event("budget", seconds=-5.0))
    assert str(observe._display()) == "  1 of 6 processes, 0 s of the budget left"
    observe(Event("budget", seconds=float("inf")))
    assert str(observe._display()) == "  1 of 6 processes"


def test_a_log_says_which_round_begins_and_which_verdict_fell() -> None:
    shown = console()
    with Progress(shown, Clock()) as observe:
        observe(Event("budget", seconds=100.0))
        observe(Event("further", count=1, round=1))
        observe(Event("verdict", text="round 2: torch against jax: step time +76 %, decided"))
        observe(Event("prepare", "torch"))  # it is there already
        observe(Event("ready", "torch"))
        observe(Event("budget", seconds=float("inf")))
        observe(Event("further", count=8, round=2))
    assert written(shown).splitlines() == [
        "round 2: 1 process, 1 min 40 s of the budget left",
        "round 2: torch against jax: step time +76 %, decided",
        "round 3: 8 processes",
    ]


class TestTables:
    """The report as it stands, while the run goes on."""

    def test_it_is_shown_above_the_progress_in_place_of_the_one_before(self, quick: Report) -> None:
        shown, out = console(terminal=True, height=500), console(terminal=True)
        with Progress(shown, Clock(), tables=out) as observe:
            observe.table(quick)
            first = drawn(observe)
            observe.table(replace(quick, title="another title"))
            second = drawn(observe)
        assert written(out) == ""
        assert quick.title in first
        assert first.splitlines()[-1] == "  0 of 0 processes"
        assert "another title" in second
        assert quick.title not in second
        assert written(shown).endswith("\x1b[2K")  # it is gone at the end: the report is printed then

    def test_one_that_is_taller_than_the_terminal_is_printed_once(self, quick: Report) -> None:
        shown, out = console(terminal=True, height=24), console(terminal=True)
        with Progress(shown, Clock(), tables=out) as observe:
            observe.table(quick)
            printed = written(out)
            observe.table(replace(quick, title="another title"))
            assert str(observe._display()) == "  0 of 0 processes"
        assert written(out) == printed
        assert printed.count(quick.title) == 1
        assert [line.rstrip() for line in printed.splitlines()] == [
            line.rstrip() for line in output.drawn(quick, console(terminal=True)).splitlines()
        ]

    def test_no_table_is_shown_in_a_log_or_where_the_report_goes_elsewhere(self, quick: Report) -> None:
        out = console(terminal=True)
        log, screen = console(), console(terminal=True)
        with Progress(log, Clock(), tables=out) as observe:
            observe.table(quick)
        with Progress(screen, Clock()) as observe:
            observe.table(quick)
        assert written(out) == written(log) == ""
        assert quick.title not in written(screen)


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
