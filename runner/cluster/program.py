"""What must be equal on all machines of a cluster: this program and its Python."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runner import __version__
from runner.model import Scalar
from runner.util import folders


class Worker(msgspec.Struct, frozen=True):
    """What a worker announces about itself, next to its resources."""

    version: str
    program: str
    """Digest of the program's files."""
    python: str
    distributed: str
    """Version of Dask's ``distributed``."""
    platform: str
    container_platform: str
    fingerprint: dict[str, Scalar]
    """What two timings must share (see ``runner.machine.facts``)."""


@functools.cache
def digest() -> str:
    """Sixteen hex digits over the files of this program.

    They are its modules, its tables and locks, and what images are made from.
    """
    found = hashlib.sha256()
    for name, path in sorted(_files()):
        found.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def _files() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).resolve().parents[1]
    for name, root, patterns in (
        ("runner", package, ("*.py", "*.json")),
        ("matrix", folders.matrix_dir(), ("*.toml", "*.txt")),
        ("images", folders.images_dir(), ("*.j2", "*.sh", "*.toml", "*.txt")),
    ):
        for pattern in patterns:
            for path in root.rglob(pattern):
                inside = path.relative_to(root)
                if not {"__pycache__", "node_modules", "_data", "rendered"} & set(inside.parts):
                    yield f"{name}/{inside.as_posix()}", path


@functools.cache
def images_digest() -> str:
    """Hex digest over what images are made from, apart from locks."""
    root = folders.images_dir()
    found = hashlib.sha256()
    for path in sorted(root.iterdir()):
        if path.is_file():
            found.update(f"{path.name}\0".encode() + path.read_bytes())
    return found.hexdigest()


def python() -> str:
    """The version of Python that must be equal: ``3.11``."""
    return ".".join(platform.python_version_tuple()[:2])


def mismatch(worker: Worker, distributed: str) -> str:
    """What of the program differs on a worker; empty where nothing does."""
    here = {"program": (__version__, digest()), "Python": (python(), ""), "distributed": (distributed, "")}
    there = {
        "program": (worker.version, worker.program),
        "Python": (worker.python, ""),
        "distributed": (worker.distributed, ""),
    }
    return "; ".join(
        f"{what} {_said(there[what])} there, {_said(here[what])} here" for what in here if there[what] != here[what]
    )


def _said(version: tuple[str, str]) -> str:
    return " ".join(part for part in (version[0], f"({version[1]})" if version[1] else "") if part)
