"""Reaches a scheduler, or starts one with workers, here or by ssh."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runner
from runner.cluster import address, keys, waiting, worker
from runner.cluster.address import Address, Cluster, Remote
from runner.errors import NotMeasuredError
from runner.util import program

WAIT_S = 30.0
"""How long a run waits for a scheduler that somebody else has started."""
_ENDS_S = 15.0
_READ_S = 1.0
"""How long the last lines of a worker that has ended may take to be read."""
_SSH_S = 30
"""How long ``ssh`` may take to connect, in whole seconds."""
_SSH_FAILED, _NOT_FOUND = 255, (126, 127)
"""The exit codes of ``ssh`` for its own failures, and of a shell for a program that it cannot start."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Where:
    """Which scheduler a run uses: one that is there, or one that it starts."""

    scheduler: Address | None
    cluster: Cluster | None
    tls: Path | None

    @staticmethod
    def of(scheduler: str | None, cluster: str | None, tls: Path | None, *, insecure: bool) -> Where:
        """Read the options. Raises UsageError."""
        return Where(
            address.scheduler(scheduler, insecure=insecure) if scheduler else None,
            address.cluster(cluster) if cluster else None,
            tls,
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """A scheduler that can be asked."""

    address: Address
    security: Any
    """Of ``distributed``; None for plain TCP."""
    page_host: str
    """Where the scheduler's own page can be seen from this machine."""
    alive: Callable[[], bool] = lambda: True
    """Whether workers can still come."""
    ended: Callable[[], Sequence[str]] = lambda: ()
    """Why the workers that have ended by themselves have ended, each in one line."""


class Started:
    """A worker that this program has started."""

    def __init__(self, process: subprocess.Popen[str], remote: Remote | None) -> None:
        self.process = process
        self._remote = remote
        self._last: deque[str] = deque(maxlen=1)
        """The last line that is not empty: ``ssh`` and this program put the reason there."""
        self._why = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        if self.process.stderr is not None:
            with suppress(OSError, ValueError), self.process.stderr as stream:
                self._last.extend(line.strip() for line in stream if line.strip())

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def why(self) -> str:
        """Why it has ended, in one line; empty where it runs or was asked to end."""
        if not self._why and (code := self.process.poll()):
            self._reading.join(_READ_S)
            self._why = self._told(code, self._last[-1] if self._last else f"exit code {code}")
        return self._why

    def _told(self, code: int, last: str) -> str:
        said = last.removeprefix(f"{program.SHORT}: ").removeprefix(f"{program.PACKAGE}: ")
        if self._remote is None:
            return said
        host, name = self._remote.host, self._remote.program
        if code == _SSH_FAILED:
            return f"{host} cannot be reached: {last.removeprefix('ssh: ')} (try `ssh {host} true`)"
        if code in _NOT_FOUND:
            return f"{host} has no program {name}: {last} (install it there, or name it: ssh:{host}=/path/to/runner)"
        return f"{host}: {said}"


@asynccontextmanager
async def reached(where: Where, say: Callable[[str], None]) -> AsyncIterator[Reached]:
    """The scheduler of a run. ``say`` gets a line where it has to be waited for.

    Raises UsageError where keys are missing, NotMeasuredError where none answers or none can be started.
    """
    if where.scheduler is not None:
        security = keys.of_folder(where.tls) if where.scheduler.protocol == "tls" else None
        await waiting.until_answered(where.scheduler, keys.context(security), WAIT_S, say)
        yield Reached(where.scheduler, security, where.scheduler.host)
        return
    async with _started(where.cluster or Cluster()) as found:
        yield found


@asynccontextmanager
async def _started(wanted: Cluster) -> AsyncIterator[Reached]:
    """A scheduler in this process, and its workers.

    Beyond this machine it has keys that were made for this run alone. Its page can only be seen on this machine.
    """
    import dask
    import distributed

    worker.quiet()
    security, line = keys.new() if wanted.remotes else (None, "")
    with dask.config.set({"distributed.scheduler.worker-ttl": "60s"}):
        scheduler = distributed.Scheduler(
            host=None if wanted.remotes else LOOPBACK,
            port=0,
            protocol="tls" if wanted.remotes else "tcp",
            security=security,
            dashboard=True,
            dashboard_address=f"{LOOPBACK}:0",
        )
    try:
        await scheduler
    except OSError as error:
        raise NotMeasuredError(f"no scheduler can be started here: {error}") from None
    protocol, _, place = scheduler.address.partition("://")
    host, _, port = place.rpartition(":")
    here = Address(protocol, host, int(port))
    started: list[Started] = []
    try:
        for command, remote in _commands(wanted, here):
            started.append(_start(command, line, remote))
        yield Reached(
            here,
            security,
            LOOPBACK,
            lambda: any(one.alive() for one in started),
            lambda: [why for one in started if (why := one.why())],
        )
    finally:
        await asyncio.to_thread(_end, started)
        with suppress(Exception):
            await asyncio.wait_for(scheduler.close(), _ENDS_S)


def _commands(wanted: Cluster, here: Address) -> list[tuple[list[str], Remote | None]]:
    """The command of every worker, and the machine that it reaches by ssh."""
    words = ["worker", here.text, "--attached"]
    ssh = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={_SSH_S}"]
    local: list[tuple[list[str], Remote | None]] = [([sys.executable, "-m", "runner", *words], None)] * wanted.local
    return [*local, *(([*ssh, one.host, one.program, *words], one) for one in wanted.remotes)]


def _start(command: list[str], line: str, remote: Remote | None) -> Started:
    """Start a worker.

    It reads the keys from its standard input, and ends when that is closed.
    """
    root = Path(runner.__file__).resolve().parents[1]
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise NotMeasuredError(f"{command[0]}: cannot be started: {error.strerror}") from None
    if process.stdin is not None:
        with suppress(OSError):  # it has ended, and says why
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
    return Started(process, remote)


def _end(started: Sequence[Started]) -> None:
    """End all workers, and what they run."""
    processes = [one.process for one in started]
    for one in processes:
        if one.stdin is not None:
            with suppress(OSError):
                one.stdin.close()
    for one in processes:
        try:
            one.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
