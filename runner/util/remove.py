"""Removes and measures folders of any depth.

``shutil.rmtree`` and ``os.walk`` recurse or join paths: they fail some thousand folders down, or where a path is
longer than the system allows. Here a walk has one folder open at a time and reaches its neighbours by name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MINE = stat.S_IRWXU
_TRIES = 3
"""How often a folder is gone through, for one that another process writes to meanwhile."""

Identity = tuple[int, int]
"""Device and inode of a folder."""


def remove(folder: Path) -> bool:
    """Remove a file or a folder with all it contains, and return whether it is gone.

    Links are removed, not followed. Folders that this user may not read or change are made accessible first. Never
    raises: what cannot be removed stays.
    """
    return any(_removed(folder) for _ in range(_TRIES))


def size(folder: Path) -> int:
    """Return the bytes on disk of all files below a folder, links not followed.

    A file with several names counts once. What cannot be read, or is gone meanwhile, counts nothing.
    """
    total = 0
    linked: set[Identity] = set()

    def count(place: int) -> list[str]:
        nonlocal total
        folders, others = _entries(place)
        for name in others:
            with suppress(OSError):
                about = os.lstat(name, dir_fd=place)
                if about.st_nlink > 1:
                    if (about.st_dev, about.st_ino) in linked:
                        continue
                    linked.add((about.st_dev, about.st_ino))
                total += about.st_blocks * 512
        return folders

    with suppress(OSError):
        _walk(os.open(folder, _FOLDER), _opened, count)
    return total


def _removed(folder: Path) -> bool:
    try:
        parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        with suppress(OSError):
            if stat.S_ISDIR(os.lstat(folder.name, dir_fd=parent).st_mode):
                _walk(_taken(folder.name, parent), _taken, _emptied, _without)
                os.rmdir(folder.name, dir_fd=parent)
            else:
                os.unlink(folder.name, dir_fd=parent)
        os.lstat(folder.name, dir_fd=parent)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(parent)
    return False


@dataclass(slots=True)
class _Place:
    """A folder on the way of a walk, and what in it is still to be visited."""

    name: str
    identity: Identity
    waiting: list[str]


def _walk(
    place: int,
    enter: Callable[[str, int], int],
    visit: Callable[[int], list[str]],
    leave: Callable[[str, int], None] | None = None,
) -> None:
    """Visit an open folder and all below it, and close it.

    ``visit`` returns the folders to enter; ``leave`` gets the name of a finished folder and the folder it is in.
    Raises OSError where a folder was moved away meanwhile, so that the way back from it leads elsewhere.
    """
    try:
        here = _Place("", _identity(os.fstat(place)), visit(place))
        above: list[_Place] = []
        while here.waiting or above:
            if here.waiting:
                name = here.waiting.pop()
                try:
                    below = enter(name, place)
                except OSError:
                    continue
                if not _is_in(below, here.identity):
                    os.close(below)
                    continue
                os.close(place)
                place = below
                above.append(here)
                here = _Place(name, _identity(os.fstat(place)), visit(place))
                continue
            up = os.open("..", _FOLDER, dir_fd=place)
            os.close(place)
            place = up
            name, here = here.name, above.pop()
            if _identity(os.fstat(place)) != here.identity:
                raise OSError(f"{name} was moved meanwhile")
            if leave is not None:
                leave(name, place)
    finally:
        os.close(place)


def _is_in(place: int, parent: Identity) -> bool:
    """Whether the way up from an open folder can be gone, and leads to its parent."""
    with suppress(OSError):
        return _identity(os.stat("..", dir_fd=place)) == parent
    return False


def _identity(about: os.stat_result) -> Identity:
    return about.st_dev, about.st_ino


def _entries(place: int) -> tuple[list[str], list[str]]:
    """The names in an open folder: folders, and all else.

    Empty where they cannot be read.
    """
    folders: list[str] = []
    others: list[str] = []
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
    return folders, others


def _emptied(place: int) -> list[str]:
    """Remove the files of an open folder, and return its folders."""
    folders, others = _entries(place)
    for name in others:
        with suppress(OSError):
            os.unlink(name, dir_fd=place)
    return folders


def _without(name: str, place: int) -> None:
    """Remove an empty folder; one that is not empty stays."""
    with suppress(OSError):
        os.rmdir(name, dir_fd=place)


def _opened(name: str, parent: int) -> int:
    return os.open(name, _FOLDER, dir_fd=parent)


def _taken(name: str, parent: int) -> int:
    """Open a folder to change it, with the permissions that this takes."""
    try:
        place = _opened(name, parent)
    except PermissionError:
        _allow(name, parent)
        place = _opened(name, parent)
    with suppress(OSError):
        if os.fstat(place).st_mode & _MINE != _MINE:
            os.fchmod(place, _MINE)
    return place


def _allow(name: str, parent: int) -> None:
    """Make a folder accessible; a link in its place is not followed. Raises OSError."""
    if not hasattr(os, "O_PATH"):
        os.chmod(name, _MINE, dir_fd=parent, follow_symlinks=False)
        return
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(_MINE)
    finally:
        os.close(handle)
