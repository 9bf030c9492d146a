"""Shows the progress of builds and processes on the terminal.

A live display on a terminal, plain lines elsewhere.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.measure.context import Event
from runner.model import Status
from runner.util import durations

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

    from runner.report import Report

_SPARE_LINES = 6
"""Lines of a terminal that a table leaves free: for the processes that run, and a prompt."""


@dataclass
class _State:
    total: int = 0
    finished: int = 0
    reused: int = 0
    preparing: dict[str, tuple[float, str]] = field(default_factory=dict)
    running: dict[tuple[str, str, int], float] = field(default_factory=dict)
    further: bool = False
    """Whether the first rounds are over."""
    cluster: str = ""
    """How far a run on a cluster is, in words; empty where there is no cluster."""
    left_s: float = math.inf
    """Measuring time that is left, without the processes that are running."""


class Progress:
    """Shows events; a context manager.

    The display is gone when it ends, the lines of finished work stay. ``tables``: where reports are printed, if they
    are shown while the run goes on.
    """

    def __init__(
        self, console: Console, clock: Callable[[], float] = time.monotonic, tables: Console | None = None
    ) -> None:
        self._console = console
        self._state = _State()
        self._clock = clock
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._tables = tables
        self._table: Text | None = None
        self._printed = False

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _start(self) -> None:
        from rich.live import Live

        self._live = Live(get_renderable=self._display, console=self._console, transient=True, refresh_per_second=4)
        self._live.start()

    def table(self, report: Report) -> None:
        """Show a report above the progress, in place of the one before.

        One that is taller than the terminal is printed, the first time. Without a terminal nothing is shown.
        """
        if self._live is None or self._tables is None:
            return
        from rich.text import Text

        from runner.cli import output

        drawn = Text.from_ansi(output.drawn(report, self._tables).rstrip("\n"))
        fits = len(self._console.render_lines(drawn)) <= self._console.height - _SPARE_LINES
        self._table = drawn if fits else None
        if not fits and not self._printed:
            self._live.stop()
            self._tables.print(drawn, soft_wrap=True)
            self._printed = True
            self._start()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if line := self._take(event):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _take(self, event: Event) -> str:
        """Note the event; a line where it is worth keeping."""
        if event.kind in ("prepare", "ready", "failed"):
            return self._environment(event)
        if event.kind in ("start", "reuse", "lost", "done"):
            return self._process(event)
        return self._run(event)

    def _environment(self, event: Event) -> str:
        """An environment is being made ready, is ready, or failed."""
        preparing, now = self._state.preparing, self._clock()
        if event.kind == "prepare":
            began, _ = preparing.get(event.subject, (now, ""))
            first = event.subject not in preparing
            preparing[event.subject] = (began, event.text)
            # On a terminal the display shows it; elsewhere one line says that it began. In further rounds everything is
            # there already, and what takes its time all the same has a line when it is ready.
            silent = self._live is not None or self._state.further
            return f"prepare  {event.subject}" if first and not silent else ""
        began, _ = preparing.pop(event.subject, (now, ""))
        if event.kind == "failed":
            return f"failed   {event.subject}: {event.text}"
        return f"ready    {event.subject} ({now - began:.1f} s)" if now - began > 1 else ""

    def _process(self, event: Event) -> str:
        """A process starts, ends, was reused, or was stopped by an outage."""
        state = self._state
        job = (event.subject, event.probe, event.round)
        if event.kind == "start":
            state.running[job] = self._clock()
            return ""
        if event.kind == "reuse":
            state.finished += 1
            state.reused += 1
            return ""
        state.running.pop(job, None)
        if event.kind == "lost":  # one line reports the outage, whatever it stopped
            state.preparing.pop(event.subject, None)
            state.finished += bool(event.probe)
            return ""
        state.finished += 1
        state.left_s -= event.seconds
        status = event.status or Status.OK
        detail = f"{status}: {event.text}" if event.text else str(status)
        number = f" #{event.round + 1}" if event.round else ""
        return f"{event.probe + number:<8} {event.subject} ({event.seconds:.1f} s) {detail}"

    def _run(self, event: Event) -> str:
        """Something about the run as a whole."""
        state = self._state
        match event.kind:
            case "expect":
                state.total += event.count
                return ""
            case "budget":
                state.left_s = event.seconds
                return ""
            case "further":
                state.total += event.count
                state.further = True
                processes = f"{event.count} process{'' if event.count == 1 else 'es'}"
                # on a terminal the display has both
                return "" if self._live else f"round {event.round + 1}: {processes}{self._left()}"
            case "outage":
                concerned = "1 environment" if event.count == 1 else f"{event.count} environments"
                return f"outage   {event.text} ({concerned} cannot be used)"
            case "kept":
                return f"kept     {event.subject} {event.probe}; enter with: {event.text}"
            case "verdict":
                return event.text
            case "cluster":
                state.cluster = event.text
                return ""
            case "block":
                processes = f"{event.count} process{'' if event.count == 1 else 'es'}"
                on = f"{processes}, {event.seconds:.1f} s on {event.text}"
                return f"block    {event.subject}: {on}" + ("" if self._live else f" ({state.cluster})")
            case _:
                return f"{event.kind:<8} {event.text}"

    def _left(self) -> str:
        """What is left of the budget, in words; nothing without one."""
        left = self._state.left_s - sum(self._clock() - began for began in list(self._state.running.values()))
        return f", {durations.words(max(0.0, left))} of the budget left" if math.isfinite(left) else ""

    def _display(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        state, now = self._state, self._clock()
        text = Text()
        for subject, (began, what) in list(state.preparing.items()):
            text.append(f"  {now - began:5.0f} s  ", style="dim")
            text.append(f"build {subject} ", style="cyan")
            text.append(f"{what[:60]}\n", style="dim")
        for (subject, probe, _), began in list(state.running.items()):
            text.append(f"  {now - began:5.0f} s  ", style="dim")
            text.append(f"{probe} {subject}\n", style="bold")
        reused = f", {state.reused} from earlier runs" if state.reused else ""
        processes = f"{state.finished} of {state.total} processes{reused}{self._left()}"
        text.append(f"  {state.cluster or processes}", style="dim")
        return text if self._table is None else Group(self._table, text)


def shown(*, tables: bool = False) -> Progress:
    """Progress on stderr.

    ``tables``: reports are shown too while the run goes on, if a person sees both stderr and stdout.
    """
    from runner.cli import output

    seen = tables and sys.stdout.isatty()
    return Progress(output.console(sys.stderr), tables=output.console(sys.stdout) if seen else None)
