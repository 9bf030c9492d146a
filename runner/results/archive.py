"""Reads results that are packed: the committed ones of the documentation."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.errors import UsageError

SUFFIXES = (".tar.xz", ".tar.gz", ".tar")


@contextmanager
def unpacked(paths: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    """The folders, with a temporary one in place of each archive.

    Raises UsageError for an archive that cannot be read.
    """
    with TemporaryDirectory(prefix="results-") as scratch:
        found = []
        for number, path in enumerate(paths):
            if path.is_file() and path.name.endswith(SUFFIXES):
                found.append(Path(scratch) / str(number))
                try:
                    with tarfile.open(path) as archive:
                        archive.extractall(found[-1], filter="data")
                except (tarfile.TarError, OSError, EOFError) as error:
                    raise UsageError(f"{path}: cannot be unpacked: {error}") from None
            else:
                found.append(path)
        yield tuple(found)
