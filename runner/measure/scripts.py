"""Copies a user's script, so that all processes of a run have the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runner.data import DataFile, sha256
from runner.errors import UsageError
from runner.matrix.scripts import PROBE
from runner.util import scratch


@contextmanager
def copied(path: Path | None, probe: str = PROBE) -> Iterator[Mapping[str, DataFile]]:
    """A copy of the script as the data file of its probe; none without a script.

    The digest of its content is a part of what makes results comparable. Raises UsageError where it cannot be read.
    """
    if path is None:
        yield {}
        return
    with scratch.folder("script") as folder:
        copy = folder / "script.py"
        try:
            copy.write_bytes(path.read_bytes())
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
        yield {probe: DataFile(copy, path.name, sha256(copy))}
