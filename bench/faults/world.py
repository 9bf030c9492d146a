"""Reads what a try has on the machine: results, containers, processes, locks."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import place
from judged import Saved, World

_ENGINE = ("dockerd", "containerd", "containerd-shim", "runc", "docker-proxy", "unshare")
"""Programs of the suite's own engine. Their command lines name the suite's folder."""
_PATIENCE_S = 4.0


def results(out: Path) -> dict[str, Saved]:
    """All result files below ``out``, by path."""
    found = {}
    for path in sorted((out / "results").glob("*/*/*.json")):
        with suppress(FileNotFoundError):
            found[str(path.relative_to(out))] = saved(path, str(path.relative_to(out)))
    return found


def saved(path: Path, name: str) -> Saved:
    """Read one result file, whole or not. Raises FileNotFoundError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return Saved(name, "", "", (status.st_ino, ""))
    raw = path.read_bytes()
    identity = (status.st_ino, hashlib.sha256(raw).hexdigest())
    try:
        content = json.loads(raw)
        cell = path.parent.parent.name
        return Saved(name, f"{cell} {content['probe']} #{content['round']}", content["status"], identity)
    except (ValueError, KeyError, TypeError):
        return Saved(name, "", "", identity)


def look(root: Path, out: Path, containers: Callable[[], list[str]]) -> World:
    """The world of the try in ``root``. What is just ending gets a few seconds to end."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        found = World(
            results(out), tuple(containers()), tuple(processes(root)), tuple(_entries(root / "tmp")),
            tuple(parts(root)), tuple(locks(root)),
        )  # fmt: skip
        ending = found.containers or found.processes or found.locks
        if not ending or time.monotonic() > until:
            return found
        time.sleep(0.1)


def processes(root: Path) -> list[str]:
    """The processes of a try, the engine's own left out."""
    return [place.command(pid) for pid in place.processes(root) if not place.name(pid).startswith(_ENGINE)]


def parts(root: Path) -> list[str]:
    """Half-written files and folders below the caches and results of a try."""
    found = []
    for above in (root / "cache", root / "out", root / "data"):
        for folder, folders, names in os.walk(above):
            found += [str(Path(folder, one).relative_to(root)) for one in (*folders, *names) if one.endswith(".part")]
    return found


def locks(root: Path) -> list[str]:
    """Lock files that somebody holds."""
    held = []
    # a probe may have made folders in the temporary one that are too deep to walk
    found = [path for name in ("cache", "data", "out") for path in (root / name).rglob("*.lock")]
    for path in (*found, *(root / "tmp").glob("*.lock")):
        if not path.is_file():
            continue
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(str(path.relative_to(root)))
        finally:
            os.close(descriptor)
    return held


def _entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
