"""Keeps the files that processes leave for other cells, as archives by content.

``<out>/files/<sha256>.tar`` holds what one process left, ``<out>/files/all-<sha256>.tar`` what those of several cells
did, each below the id of its cell. The same files make the same archive: no times, owners or order of a disk in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import BadOutputError
from runner.util import files

FOLDER = "files"

MOST_BYTES = 256 << 20
"""What one process may leave. The models of a probe take some megabytes."""


@dataclass(frozen=True, slots=True)
class Left:
    """What one process left: the digest of the archive, and how much is in it."""

    sha256: str
    count: int
    size: int


def path(out: Path, sha256: str) -> Path:
    """Where the archive of that digest is."""
    return out / FOLDER / f"{sha256}.tar"


def keep(folder: Path, out: Path) -> Left:
    """Archive the regular files below ``folder``.

    Links and other kinds of files are left out. Raises BadOutputError where they are too large, OSError where the
    archive cannot be written.
    """
    found = sorted(_regular(folder))
    size = sum(entry.stat().st_size for _, entry in found)
    if size > MOST_BYTES:
        raise BadOutputError(f"the probe left {size >> 20} MiB of files: at most {MOST_BYTES >> 20}")
    content = _archive((name, files.content(entry)) for name, entry in found)
    digest = hashlib.sha256(content).hexdigest()
    if not path(out, digest).is_file():
        files.write_atomically(path(out, digest), content)
    return Left(digest, len(found), size)


def together(out: Path, of_cell: Mapping[str, str]) -> tuple[Path, str]:
    """Make one archive of those of several cells.

    ``of_cell``: cell id -> digest. Returns its path and a digest of its content. Raises OSError where one of them is
    missing, or the new one cannot be written.
    """
    listed = "\n".join(f"{cell} {digest}" for cell, digest in sorted(of_cell.items()))
    name = hashlib.sha256(listed.encode()).hexdigest()
    target = out / FOLDER / f"all-{name}.tar"
    if not target.is_file():
        files.write_atomically(target, _archive(_members(out, of_cell)))
    return target, name


def _members(out: Path, of_cell: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    for cell, digest in sorted(of_cell.items()):
        with tarfile.open(path(out, digest)) as archive:
            for member in archive:
                if (stream := archive.extractfile(member)) is not None:
                    yield f"{cell}/{member.name}", stream.read()


def _archive(members: Iterable[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _regular(folder: Path) -> Iterator[tuple[str, Path]]:
    for base, _, names in os.walk(folder):
        for name in names:
            entry = Path(base, name)
            if stat.S_ISREG(entry.lstat().st_mode):
                yield entry.relative_to(folder).as_posix(), entry
