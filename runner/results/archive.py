"""Results in one file: packed for a report or the documentation, and read again."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.errors import UsageError

PACKED = ".tar.xz"
SUFFIXES = (PACKED, ".tar.gz", ".tar")


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


def packed(folder: Path) -> bytes:
    """The record and the results of a run as a ``.tar.xz``.

    The same files make the same bytes. Results of one probe follow each other: they are alike, and so take a fifth of
    the room. Raises UsageError where there are none.
    """
    results = sorted((folder / "results").rglob("*.json"), key=lambda path: (path.parent.name, path))
    if not results:
        raise UsageError(f"{folder}: there are no results in it")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in (*folder.glob("run.json"), *results):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size = path.stat().st_size
            archive.addfile(member, io.BytesIO(path.read_bytes()))
    return lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME)
