"""Ends processes that a killed run of this program has left.

Every program that a run starts carries its name in its environment, and so does all that it starts in turn, whatever
session, process group or parent that has.
"""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner.util import cgroups, commands

MARK = "KERAS_VERSION_MATRIX_RUN"
"""Environment variable with the name of a program, which begins with that of its run."""
_ENOUGH_S = 5.0
_PAUSE_S = 0.01
_TIMEOUT_S = 5.0


def end(name: str) -> bool:
    """Kill the processes that carry the mark. Returns whether none is left.

    ``name`` is that of a run, or of one program of a run: ``run-1`` and ``run-1.program-2``.
    Those that they start meanwhile are found in the next look; there is an end to it after some seconds.
    """
    deadline = time.monotonic() + _ENOUGH_S
    while found := [pid for pid in marked(name) if pid != os.getpid()]:
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    cgroups.sweep(name)
    return True


def marked(name: str) -> list[int]:
    """The processes of this user that carry the mark.

    Those of all programs of a run, where ``name`` is that of a run.
    """
    mark = f"{MARK}={name}".encode()
    return list(_by_ps(mark) if platform.system() == "Darwin" else _by_proc(mark))


def _by_proc(mark: bytes) -> Iterator[int]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - hundreds, and only their names are wanted
    except OSError:
        return
    for pid in (int(name) for name in names if name.isdecimal()):
        with suppress(OSError):  # gone, or another user's; a zombie has no environment
            if any(_fits(entry, mark) for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")):
                yield pid


def _by_ps(mark: bytes) -> Iterator[int]:
    """macOS shows the environment of the user's own processes behind their command."""
    for line in commands.output("ps", "-axEww", "-o", "pid=,command=", timeout_s=_TIMEOUT_S).splitlines():
        pid, _, words = line.strip().partition(" ")
        if pid.isdecimal() and any(_fits(word.encode(), mark) for word in words.split()):
            yield int(pid)


def _fits(entry: bytes, mark: bytes) -> bool:
    return entry == mark or entry.startswith(mark + b".")
