"""Identifies the process that owns a leftover, safe against reused ids."""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from runner.util import commands

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, distinguished from every other one with the same id."""

    host: str
    """Host name and process-id namespace: where ``pid`` means something."""
    boot: str
    """Which boot of that host; process ids start again with the next."""
    pid: int
    started: str
    """When the process started, as the system prints it; empty where unknown."""

    @classmethod
    def this(cls) -> Owner:
        """The running process."""
        return cls(_host(), _boot(), os.getpid(), _started(os.getpid()))

    def gone(self) -> bool:
        """Whether the process has certainly ended. False on another host."""
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
        return commands.output("sysctl", "-n", "kern.bootsessionuuid", timeout_s=_TIMEOUT_S)
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started; empty where that is unknown."""
    if platform.system() == "Darwin":
        return commands.output("ps", "-o", "lstart=", "-p", str(pid), timeout_s=_TIMEOUT_S)
    try:
        # the command name, in parentheses, may itself hold blanks and parentheses
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19]
