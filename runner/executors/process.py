"""What the executors share about processes: who owns what a run leaves behind, and how a wait status reads."""

from __future__ import annotations

import functools
import os
import platform
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from any other one that ever has its number."""

    host: str
    """Host name and process-id namespace: where ``pid`` means something."""
    boot: str
    """Which boot of that host; process ids start again with the next."""
    pid: int
    started: str
    """When the process started, in the system's own words; empty where it cannot be told."""

    @classmethod
    def this(cls) -> Owner:
        """The running process."""
        return cls(_host(), _boot(), os.getpid(), _started(os.getpid()))

    def gone(self) -> bool:
        """Whether the process has certainly ended. False for a process of another host: nobody can tell here."""
        if self.host != _host():
            return False
        if self.boot != _boot():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is there and another user's
            pass
        started = _started(self.pid)
        return bool(self.started and started and started != self.started)


@functools.cache
def _host() -> str:
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return platform.node() + (f" {namespace}" if namespace else "")


@functools.cache
def _boot() -> str:
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "kern.bootsessionuuid")
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, or an empty string where that cannot be told."""
    if platform.system() == "Darwin":
        return _output("ps", "-o", "lstart=", "-p", str(pid))
    try:
        # the command name, in parentheses, may itself hold blanks and parentheses
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19]


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def tail(output: bytes, limit: int) -> str:
    """The last ``limit`` bytes as text, beginning with a whole line where one fits."""
    if len(output) > limit:
        output = output[-limit:]
        first_line, newline, rest = output.partition(b"\n")
        output = rest if newline and len(first_line) < limit // 2 else output
    return output.decode("utf-8", "replace")


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that every ``finally`` in it runs.

    Without effect outside the main thread, where Python cannot set signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
