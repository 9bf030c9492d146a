"""Shows the progress of builds and processes on the terminal.

A live display on a terminal, plain lines elsewhere.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.measure.context import Event
from runner.model import Status

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@dataclass
class _State:
    total: int = 0
    finished: int = 0
    reused: int = 0
    preparing: dict[str, tuple[float, str]] = field(default_factory=dict)
    running: dict[tuple[str, str, int], float] = field(default_factory=dict)


class Progress:
    """Shows events; a context manager.

    The display is gone when it ends, the lines of finished work stay.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._state = _State()
        self._clock = clock
        self._lock = threading.Lock()
        self._live: object | None = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            from rich.live import Live

            live = Live(get_renderable=self._display, console=self._console, transient=True, refresh_per_second=4)
            live.start()
            self._live = live
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()  # type: ignore[attr-defined]

    def __call__(self, event: Event) -> None:
        with self._lock:
            if line := self._take(event):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _take(self, event: Event) -> str:
        """Note the event; a line where it is worth keeping."""
        state, now = self._state, self._clock()
        job = (event.subject, event.probe, event.round)
        match event.kind:
            case "prepare":
                began, _ = state.preparing.get(event.subject, (now, ""))
                first = event.subject not in state.preparing
                state.preparing[event.subject] = (began, event.text)
                # on a terminal the display shows it; elsewhere one line says that it began
                return f"prepare  {event.subject}" if first and self._live is None else ""
            case "ready" | "failed":
                began, _ = state.preparing.pop(event.subject, (now, ""))
                if event.kind == "failed":
                    return f"failed   {event.subject}: {event.text}"
                return f"ready    {event.subject} ({now - began:.1f} s)" if now - began > 1 else ""
            case "expect":
                state.total += event.count
                return ""
            case "note":
                return f"note     {event.text}"
            case "start":
                state.running[job] = now
                return ""
            case "reuse":
                state.finished += 1
                state.reused += 1
                return ""
            case "lost":
                # one line reports the outage, whatever it stopped
                state.preparing.pop(event.subject, None)
                state.running.pop(job, None)
                state.finished += bool(event.probe)
                return ""
            case "outage":
                concerned = "1 environment" if event.count == 1 else f"{event.count} environments"
                return f"outage   {event.text} ({concerned} cannot be used)"
            case "kept":
                return f"kept     {event.subject} {event.probe}; enter with: {event.text}"
            case _:
                state.running.pop(job, None)
                state.finished += 1
                status = event.status or Status.OK
                detail = f"{status}: {event.text}" if event.text else str(status)
                number = f" #{event.round + 1}" if event.round else ""
                return f"{event.probe + number:<8} {event.subject} ({event.seconds:.1f} s) {detail}"

    def _display(self) -> RenderableType:
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
        text.append(f"  {state.finished} of {state.total} processes{reused}", style="dim")
        return text


def shown() -> Progress:
    """Progress on stderr."""
    from runner.cli import output

    return Progress(output.console(sys.stderr))
