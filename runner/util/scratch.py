"""Temporary folders of this process; the next one removes those of a killed one.

All lie in one folder of this process, below the system's temporary folder. A lock on it (``flock``) says that the
process is alive: the system releases it whatever ends the process, so nothing that is alive is ever swept, and neither
a reused process id nor another container that shares the temporary folder can mislead the sweep. The folder is
readable by this user alone, as some of what lies in it is secret.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Cause, OutageError
from runner.util import files, orphans, outage
from runner.util.folders import APP
from runner.util.remove import remove as remove_tree

_PREFIX = f"{APP}-run-"
_OWNER = "owner"
"""File that the folder of a process has once it is locked."""
_KEPT = "kept"
"""File with the names of the folders that a user wanted kept."""
_YOUNG_S = 60.0
"""For so long a folder without ``owner`` may be one that is being made just now."""


@dataclass
class _Home:
    """The folder of this process below one temporary folder, while anything is in it."""

    path: Path
    descriptor: int
    users: int = 0


@dataclass
class _State:
    guard: threading.Lock = field(default_factory=threading.Lock)
    homes: dict[str, _Home] = field(default_factory=dict)
    swept: set[str] = field(default_factory=set)


_STATE = _State()


@contextmanager
def folder(purpose: str) -> Iterator[Path]:
    """Make a new folder, and remove it at the end.

    Raises as ``make``.
    """
    path = make(purpose)
    try:
        yield path
    finally:
        remove(path)


def make(purpose: str) -> Path:
    """Make a new folder, absolute and without links, which ``remove`` removes.

    The first one of a process sweeps what killed processes left. Raises OutageError where none can be made.
    """
    with _STATE.guard:
        try:
            home = _home()
            path = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=home.path))
        except OSError as error:
            raise _unusable(error) from error
        home.users += 1
        return path


def remove(path: Path) -> None:
    """Remove a folder that ``make`` has made. Never raises.

    What cannot be removed is swept later.
    """
    remove_tree(path)
    _released(path)


def keep(path: Path) -> None:
    """Keep a folder that ``make`` has made, for a person to look at.

    Only ``discard`` removes it.
    """
    with suppress(OSError), (path.parent / _KEPT).open("a", encoding="utf-8") as file:
        file.write(f"{path.name}\n")
    _released(path)


def discard(path: Path) -> None:
    """Remove a folder that was kept, also by another process.

    What lies next to it goes too, unless the run that has kept it is still alive.
    """
    remove_tree(path)
    with suppress(OSError), _abandoned(path.parent):
        _clear(path.parent)


def is_kept(path: Path) -> bool:
    """Whether ``keep`` has kept this folder."""
    return path.parent.name.startswith(_PREFIX) and path.name in _kept(path.parent)


def sweep() -> None:
    """Remove the folders of this user's killed runs, and end what they left running."""
    place = _place()
    try:
        entries = [entry for entry in os.scandir(place) if entry.name.startswith(_PREFIX)]
    except OSError:
        return
    for entry in entries:
        with suppress(OSError):  # gone meanwhile, or not ours
            if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                _sweep_one(Path(entry.path))


def _sweep_one(path: Path) -> None:
    if not (path / _OWNER).exists() and (_kept(path) or time.time() - path.lstat().st_mtime < _YOUNG_S):
        return
    with _abandoned(path):
        orphans.end(path.name)
        _clear(path)


@contextmanager
def _abandoned(path: Path) -> Iterator[None]:
    """Hold the lock of a run's folder. Raises BlockingIOError while the run is alive."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _home() -> _Home:
    """The folder of this process below the temporary folder of now."""
    place = _place()
    if place not in _STATE.homes:
        if place not in _STATE.swept:
            _STATE.swept.add(place)
            sweep()
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place)).resolve()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # without locks there is no owner, and nobody can lock the folder to sweep it either
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (path / _OWNER).write_text(f"{os.getpid()}\n")
        _STATE.homes[place] = _Home(path, descriptor)
    return _STATE.homes[place]


def _released(path: Path) -> None:
    """Remove the folder of this process with the last folder in it."""
    with _STATE.guard:
        home = next((one for one in _STATE.homes.values() if one.path == path.parent), None)
        if home is None:
            return
        home.users -= 1
        if home.users:
            return
        place = next(where for where, one in _STATE.homes.items() if one is home)
        del _STATE.homes[place]
        _clear(home.path)
        os.close(home.descriptor)


def _clear(path: Path) -> None:
    """Remove all that nobody wanted kept, and the folder itself if nothing was kept."""
    kept = _kept(path)
    if not kept:
        remove_tree(path)
        return
    with suppress(OSError):
        for entry in os.scandir(path):
            if entry.name not in kept and entry.name != _KEPT:
                remove_tree(Path(entry.path))


def _kept(path: Path) -> set[str]:
    try:
        names = files.content(path / _KEPT).decode().split("\n")  # not a FIFO, which would stop every run
    except (OSError, UnicodeDecodeError):
        return set()
    return {name for name in names if name and (path / name).is_dir()}


def _place() -> str:
    return tempfile.gettempdir()


def _unusable(error: OSError) -> OutageError:
    """The outage of a machine without a usable temporary folder.

    ``tempfile`` does not find one that is full.
    """
    reason = f"no temporary folder can be made in {tempfile.tempdir or 'the system (TMPDIR)'}"
    full = outage.of_os(error, f"the disk of {tempfile.tempdir}")
    way_out = "set TMPDIR to a folder that has room, then run the same command again"
    return full or OutageError(Cause.DISK, f"{reason} ({error.strerror or error})", way_out)
