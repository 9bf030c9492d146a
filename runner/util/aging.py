"""Removes what a cache has not used for long.

Every entry of such a cache is one file or folder, whose time of change says when it was last used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runner.util.remove import remove

KEPT_S = 60 * 86400.0
"""An entry that was used within this time stays."""

LEAST = 10
"""So many entries stay, however old: those used last."""


def used(entry: Path) -> None:
    """Note that an entry is used now.

    One that cannot be changed stays as old as it is.
    """
    with suppress(OSError):
        os.utime(entry)


def prune(folder: Path, now: float | None = None) -> tuple[Path, ...]:
    """Remove old entries of a cache, and return them.

    An entry may have a lock next to it (``NAME.lock``), which goes with it.
    """
    now = time.time() if now is None else now
    ages = sorted((now - _changed(one, now), one) for one in _entries(folder))
    old = [entry for age, entry in ages[LEAST:] if age > KEPT_S]
    gone = tuple(entry for entry in old if remove(entry))
    for entry in gone:
        remove(entry.with_suffix(".lock"))
    return gone


def _changed(entry: Path, now: float) -> float:
    """When the entry was changed.

    One that another process has just removed counts as new.
    """
    try:
        return entry.stat().st_mtime
    except OSError:
        return now


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return [one for one in folder.iterdir() if one.suffix != ".lock"]
    except OSError:
        return ()
