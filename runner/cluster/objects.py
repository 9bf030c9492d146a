"""The files of one worker, by the digests of their contents.

The functions are called by the machine that asked. They run in the worker's event loop through ``Client.run``, so they
are short: one message has at most ``MOST_BYTES``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.cluster.receipts import digest
from runner.util import files
from runner.util.remove import remove

MOST_BYTES = 4 << 20
"""What one message carries at most."""
ATTRIBUTE = "runner_objects"
"""Where a worker of Dask keeps its ``Objects``."""


class Objects:
    """The files of a worker: those that it was sent, and those that its shares made."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "objects"
        self.folder.mkdir(parents=True, exist_ok=True)
        (base / "shares").mkdir(exist_ok=True)
        self.made: dict[str, dict[str, Path]] = {}
        """Share -> digest -> file, of the results that were not fetched yet."""

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """The digests of which there is no file."""
        return [one for one in wanted if not (self.folder / one).is_file()]

    def put(self, name: str, offset: int, content: bytes, *, last: bool) -> bool:
        """Take a part of a file.

        Returns False where the whole file is not what its name says.
        """
        part = self.folder / f"{name}.part"
        with part.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(content)
        if not last:
            return True
        if digest(files.content(part)) != name:
            part.unlink()
            return False
        part.replace(self.folder / name)
        return True

    def read(self, wanted: Sequence[tuple[str, int, int]]) -> list[bytes]:
        """Parts of files that shares made: (digest, offset, length).

        Raises OSError for what is not there.
        """
        return [self._read(*one) for one in wanted]

    def _read(self, name: str, offset: int, length: int) -> bytes:
        path = next((some[name] for some in self.made.values() if name in some), None)
        if path is None:
            raise FileNotFoundError(f"no file {name} here")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def forget(self, share: str) -> None:
        """Remove what a share made."""
        self.made.pop(share, None)
        remove(self.base / "shares" / share)


def missing(wanted: list[str], dask_worker: Any) -> list[str]:
    """See ``Objects.missing``."""
    return _of(dask_worker).missing(wanted)


def put(name: str, offset: int, content: bytes, last: bool, dask_worker: Any) -> bool:
    """See ``Objects.put``."""
    return _of(dask_worker).put(name, offset, content, last=last)


def read(wanted: list[tuple[str, int, int]], dask_worker: Any) -> list[bytes]:
    """See ``Objects.read``."""
    return _of(dask_worker).read(wanted)


def forget(share: str, dask_worker: Any) -> None:
    """See ``Objects.forget``."""
    with suppress(OSError):
        _of(dask_worker).forget(share)


def _of(dask_worker: Any) -> Objects:
    found: Objects = getattr(dask_worker, ATTRIBUTE)
    return found


def parts(content: bytes) -> list[tuple[int, bytes, bool]]:
    """A file in messages: offset, content, whether it is the last."""
    starts = range(0, len(content), MOST_BYTES) or range(1)
    return [(start, content[start : start + MOST_BYTES], start + MOST_BYTES >= len(content)) for start in starts]
