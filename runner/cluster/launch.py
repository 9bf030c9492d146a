"""Reaches a scheduler, or starts one with workers, here or by ssh."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runner
from runner.cluster import address, keys, worker
from runner.cluster.address import Address, Cluster
from runner.errors import NotMeasuredError

_ENDS_S = 15.0
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
    alive: Callable[[], bool]
    """Whether workers can still come."""


@asynccontextmanager
async def reached(where: Where) -> AsyncIterator[Reached]:
    """The scheduler of a run.

    Raises UsageError where keys are missing, NotMeasuredError where none can be started.
    """
    if where.scheduler is not None:
        security = keys.of_folder(where.tls) if where.scheduler.protocol == "tls" else None
        yield Reached(where.scheduler, security, lambda: True)
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
    started = [_start(command, line) for command in _commands(wanted, here)]
    try:
        yield Reached(here, security, lambda: any(one.poll() is None for one in started))
    finally:
        await asyncio.to_thread(_end, started)
        with suppress(Exception):
            await asyncio.wait_for(scheduler.close(), _ENDS_S)


def _commands(wanted: Cluster, here: Address) -> list[list[str]]:
    """The command of every worker."""
    words = ["worker", here.text, "--attached"]
    local = [[sys.executable, "-m", "runner", *words] for _ in range(wanted.local)]
    remote = [["ssh", "-T", "-o", "BatchMode=yes", one.host, one.program, *words] for one in wanted.remotes]
    return local + remote


def _start(command: list[str], line: str) -> subprocess.Popen[str]:
    """Start a worker.

    It reads the keys from its standard input, and ends when that is closed.
    """
    root = Path(runner.__file__).resolve().parents[1]
    try:
        process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
        )
    except OSError as error:
        raise NotMeasuredError(f"{command[0]}: cannot be started: {error.strerror}") from None
    if process.stdin is not None:
        with suppress(OSError):  # it has ended, and says why
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
    return process


def _end(started: list[subprocess.Popen[str]]) -> None:
    """End all workers, and what they run."""
    for one in started:
        if one.stdin is not None:
            with suppress(OSError):
                one.stdin.close()
    for one in started:
        try:
            one.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
