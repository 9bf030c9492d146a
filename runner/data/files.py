"""Files of data: their digests, downloads and archives of arrays."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class DataFile:
    """A prepared data set. Two results on different ``sha256`` are not comparable."""

    path: Path
    name: str
    """The data set's name, ``synthetic-digits``, or the stem of the user's own MNIST-like file."""
    sha256: str
    note: str = ""
    """What the report must say about it, or empty."""


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, target: Path, digest: str) -> bool:
    """Download ``url``. Returns whether it worked.

    False where it is not available, or differs from a known ``digest``.
    """
    try:
        with written(target) as part:
            with part.open("wb") as file, urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - of data.toml
                while block := answer.read(1 << 20):
                    file.write(block)
            _check(part, digest)
    except (OSError, urllib.error.URLError):
        return False
    return True


def _check(path: Path, digest: str) -> None:
    if digest and sha256(path) != digest:
        raise OSError("another file than the published one")


def save(target: Path, **arrays: NDArray[Any]) -> None:
    """An .npz, uncompressed, so that its bytes do not depend on zlib's version."""
    import numpy as np

    with written(target) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """A file that replaces ``target`` when the block ends without an error.

    Otherwise it is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
