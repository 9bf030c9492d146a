"""Where a cell runs. One protocol for containers, pinned virtual environments and the interpreter at hand.

An executor prepares an environment once (build an image, make a venv) and then runs any number of probe
processes in it. Every process gets a folder of its own, ``io``, that holds ``request.json`` and the payload
package ``probe/``; it is started there as ``python -m probe`` and leaves ``result.json`` behind. What it prints
is kept for people and never parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runner.model import Cell, Environment, Limits, Outcome

Say = Callable[[str], None]
"""Told what an executor is doing, in a few words, for the progress display."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment that is ready to run processes."""

    environment: Environment
    reference: str
    """Docker: image id. Host and current: path of the interpreter."""
    lock_hash: str = ""
    packages: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()
    size_bytes: int | None = None
    seconds: float = 0.0
    """What preparing took; about nothing where it was there already."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this machine that a process may read."""

    source: Path
    """Absolute."""
    target: str
    """Where a container shows it, absolute. On the host a process is told ``source`` instead."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start in a prepared environment."""

    cell: Cell
    prepared: Prepared
    io: Path
    """Staged folder, absolute; the process's working directory."""
    data: Path | None
    """A file the process may read, shown to it as ``mnist.npz`` in ``/data`` or at this very path."""
    environment: Mapping[str, str]
    """Environment variables on top of the executor's own."""
    limits: Limits
    argv: tuple[str, ...] = ("-m", "probe")
    """Arguments of the cell's Python."""
    mounts: tuple[Mount, ...] = ()
    network: bool = False
    """Whether a container may reach the network; on the host nothing stops a process from it (but see ``foreign``)."""
    foreign: bool = False
    """A user's script: without ``network`` it is cut off on the host as well, where the system can do that."""
    keep: Callable[[Outcome], bool] | None = None
    """Asked once the process has ended: whether what is left of it is to be kept, for a person to look at."""


class Executor(Protocol):
    """One way of running cells."""

    name: str

    def data_path(self, data: Path) -> str:
        """Where a process finds the data file that lies at ``data`` on this machine."""
        ...

    def identity(self, environment: Environment) -> str:
        """Digest of what ``prepare`` would make ready: the lock's hash. Cheap, and contacts no engine.

        Raises BuildError where no lock can be had.
        """
        ...

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        """Make the environment ready, or find it ready.

        Raises BuildError (with the log) or UnavailableError.
        """
        ...

    def execute(self, launch: Launch) -> Outcome:
        """Run one process to its end and clean up after it, also when interrupted.

        Raises UnavailableError where the engine or device is not (or no longer) there.
        """
        ...

    def close(self) -> None:
        """Let go of connections; leave nothing running."""
        ...
