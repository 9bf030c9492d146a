"""The protocol of executors, and the registry of those there are.

An executor prepares an environment once (build an image, make a venv) and then runs any number of probe
processes in it. Every process gets its own folder, ``io``, that holds ``request.json`` and the payload package
``probe/``; it is started there as ``python -m probe`` and leaves ``result.json`` behind. What it prints is kept for
people and never parsed.

The rest of the program asks an executor for its properties and never for its name. ``docs/extending.md`` shows how to
add one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from runner.model import Cell, Environment, Limits, Outcome

Say = Callable[[str], None]
"""Shows what an executor is doing, in a few words, on the progress display."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment that is ready to run processes."""

    environment: Environment
    reference: str
    """Containers: image id. Elsewhere: path of the interpreter."""
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
    """Where a container shows it, absolute. A process that is not isolated reads ``source`` instead."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start in a prepared environment."""

    cell: Cell
    prepared: Prepared
    io: Path
    """Staged folder, absolute; the process's working directory."""
    data: Path | None
    """A file the process may read, at the path that ``Executor.data_path`` returns."""
    environment: Mapping[str, str]
    """Environment variables on top of the executor's own."""
    limits: Limits
    argv: tuple[str, ...] = ("-m", "probe")
    """Arguments of the cell's Python."""
    mounts: tuple[Mount, ...] = ()
    network: bool = False
    """Whether a container may reach the network. A process on the host always can (but see ``foreign``)."""
    foreign: bool = False
    """A user's script: without ``network`` it is cut off on the host as well, where the system can do that."""
    cut_off: bool = False
    """Whether a process on the host is cut off the network too, as a ``foreign`` one is."""
    keep: Callable[[Outcome], bool] | None = None
    """Asked once the process has ended: whether to keep what it leaves, for a person to look at."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell, or another command, for a person to use in a prepared environment."""

    cell: Cell
    prepared: Prepared
    words: tuple[str, ...]
    """The command; empty for a shell."""
    variables: Mapping[str, str]
    """Environment variables on top of the executor's own."""
    network: bool = False
    """Whether a container may reach the network."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much room environments may take when each is evicted after its run."""

    images: int | None = None
    """How many are kept."""
    free_gb: float | None = None
    """How much of the disk stays free."""


class Executor(Protocol):
    """One way of running cells."""

    label: str
    """Where it runs them, as a report names it: ``containers``."""
    isolated: bool
    """Whether a process sees only what it is given: ``/io``, its data and its mounts, on Linux, without MPS."""

    def available(self) -> str:
        """Return why it cannot be used here; empty where it can.

        Quick, because a plan waits for it.
        """
        ...

    def cells(self, device: str) -> tuple[Cell, ...]:
        """Return the cells that are installed already.

        None where ``prepare`` installs what a cell needs.
        """
        ...

    def data_path(self, data: Path) -> str:
        """Return where a process finds the data file that is at ``data`` on this machine."""
        ...

    def identity(self, environment: Environment) -> str:
        """Return a digest of what ``prepare`` would make ready.

        Cheap, and contacts no engine. Raises BuildError where the environment has no lock.
        """
        ...

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        """Make the environment ready, or find it ready.

        Raises BuildError (with the log), UnavailableError, or OutageError where others cannot be made either.
        """
        ...

    def find(self, environment: Environment) -> Prepared | None:
        """Return the environment where it is ready; make nothing.

        Asked in place of ``prepare`` after an outage. Raises CellError.
        """
        ...

    def execute(self, launch: Launch) -> Outcome:
        """Run one process to its end and clean up after it, also when interrupted.

        Raises UnavailableError where the engine or device is not (or no longer) there.
        """
        ...

    def shell(self, wanted: Shell) -> int:
        """Hand this terminal to a command in the environment. Returns its exit code.

        Works on a closed executor too. Raises UnavailableError where the command cannot be started.
        """
        ...

    def discard(self, prepared: Prepared) -> None:
        """Remove an environment that nobody needs any more.

        Does nothing where ``prepare`` installed nothing. Works on a closed executor too. Raises UnavailableError where
        the engine is not there.
        """
        ...

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        """Remove environments until they take no more than ``room``.

        The least recently used goes first. ``protected`` are ids of environments, and keys of layers, that stay. Does
        nothing where environments are not worth evicting. Raises UnavailableError where the engine is not there.
        """
        ...

    def close(self) -> None:
        """Close connections; leave nothing running."""
        ...


@runtime_checkable
class Pulls(Protocol):
    """An executor whose environments a registry may have."""

    def pull_from(self, prefix: str, note: Say) -> None:
        """Pull environments from ``prefix`` (``ghcr.io/owner``) in place of making them.

        What the registry does not have is made. ``note`` shows a line to the user. Raises UsageError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """An executor in the registry. Its module has its name."""

    class_name: str
    help: str
    """The rest of the sentence "It runs cells ..."."""
    installs: bool = True
    """Whether it installs what a cell's lock names. ``auto`` chooses among these, and only these take every cell."""


REGISTRY: Mapping[str, Entry] = {
    "docker": Entry("DockerExecutor", "in containers"),
    "host": Entry("HostExecutor", "in virtual environments"),
    "current": Entry("CurrentExecutor", "in the Python that runs this program, with what is installed there", False),
}
"""The executors by name. ``auto`` tries them in this order."""


def names(*, installing: bool = False) -> tuple[str, ...]:
    """Return the names of all executors, or of those that install packages."""
    return tuple(name for name, entry in REGISTRY.items() if entry.installs or not installing)


def kind(name: str) -> type[Executor]:
    """Import the class of an executor. Raises KeyError for an unknown name."""
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("type[Executor]", getattr(module, REGISTRY[name].class_name))


def make(name: str) -> Executor:
    """Make an executor, which contacts nothing yet. Raises KeyError as ``kind``."""
    return kind(name)()


def installs(name: str) -> bool:
    """Whether an executor installs what a cell's lock names; True for ``auto``."""
    return name not in REGISTRY or REGISTRY[name].installs


def pulls(name: str) -> bool:
    """Whether a registry may have an executor's environments; True for ``auto``."""
    return name not in REGISTRY or hasattr(kind(name), "pull_from")
