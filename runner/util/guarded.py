"""Programs that end with this process, with all that they have started.

Between this process and the program is ``warden``, which notices when this process is gone.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from runner.util import warden

_ENDS_S = 20.0
"""How long it may take to kill what is left of a program."""


class Guarded:
    """One program, from its start to its end. Its standard input is empty.

    Another thread may ``kill`` it; all else is for the thread that has started it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        errors_apart: bool = False,
        largest_file: int | None = None,
        cgroups: Sequence[str] = (),
    ) -> None:
        """Start it.

        ``variables`` are all its environment variables; None means those of this process.
        ``errors_apart``: what it prints to stderr is in ``errors`` and not among its output. ``largest_file`` is in
        bytes. ``cgroups`` are files into which a member of a control group writes itself. Raises OSError where nothing
        can be started; a program that is not there shows in ``failed``.
        """
        self.failed: int | None = None
        """Error number, where the program could not be started."""
        self.leader: int | None = None
        """Its pid, once it is known. It leads a session."""
        self.status: int | None = None
        """How it ended, as ``waitpid`` says it; None while it runs, and where it was not seen to end."""
        self.wall_s = 0.0
        self.gone = False
        """Whether nothing of it is left."""
        life, alive = os.pipe()
        reports, reporting = os.pipe()
        options = [str(life), str(reporting), str(largest_file or "-"), ":".join(cgroups) or "-"]
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", warden.__file__, *options, *command],
                cwd=cwd,
                env=None if variables is None else dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if errors_apart else subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(life, reporting),
            )
        except BaseException:
            os.close(alive)
            os.close(reports)
            raise
        finally:
            os.close(life)
            os.close(reporting)
        assert self.process.stdout is not None  # noqa: S101 - it was asked for above
        self.output: IO[bytes] = self.process.stdout
        self.errors: IO[bytes] | None = self.process.stderr
        self.reports = reports
        """Readable when there is something for ``listen``."""
        os.set_blocking(reports, False)
        self._unread = b""
        self._alive: int | None = alive
        self._guard = threading.Lock()
        _RUNNING.add(self)

    def listen(self) -> bool:
        """Read what the warden reports.

        Returns whether the program has ended, or could not be started.
        """
        with suppress(BlockingIOError):
            while not self.gone:
                piece = os.read(self.reports, 4096)
                self.gone = not piece
                self._unread += piece
        *lines, self._unread = self._unread.split(b"\n")
        for what, *values in (line.split() for line in lines):
            if what == b"started":
                self.leader = int(values[0])
            elif what == b"failed":
                self.failed = int(values[0])
            else:
                self.status, self.wall_s = int(values[0]), float(values[1])
        return self.gone or self.status is not None or self.failed is not None

    def wait(self) -> None:
        """Wait until the program has ended.

        It may do that some time after it has closed its output.
        """
        poll = select.poll()
        poll.register(self.reports, select.POLLIN)
        while not self.listen():
            poll.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the program's session."""
        if self.leader is not None:
            _signal(self.leader, number)

    def kill(self) -> None:
        """Have everything killed. From any thread, any number of times."""
        with self._guard:
            if self._alive is not None:
                os.close(self._alive)
                self._alive = None

    def end(self) -> None:
        """Kill what is left and wait for that. The output can still be read."""
        self.kill()
        deadline = time.monotonic() + _ENDS_S
        poll = select.poll()
        poll.register(self.reports, select.POLLIN)
        self.listen()
        while not self.gone and time.monotonic() < deadline:
            poll.poll(100)
            self.listen()
        if not self.gone:  # the warden was stopped (SIGSTOP), or something cannot be killed
            _signal(self.process.pid, signal.SIGKILL)
        if self.status is None:
            self.signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.reports)
        _RUNNING.discard(self)

    @property
    def exit_code(self) -> int | None:
        """The exit code as ``subprocess`` has it, negative for a signal.

        None where the program was not seen to end.
        """
        return None if self.status is None else os.waitstatus_to_exitcode(self.status)


_RUNNING: set[Guarded] = set()


def kill_all() -> None:
    """Have all programs killed that run now; the threads that wait for them return."""
    for one in tuple(_RUNNING):
        one.kill()


def _signal(session: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM where only zombies are left
        os.killpg(session, number)
