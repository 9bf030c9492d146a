"""Stores the files of shares, a share as a whole or not at all.

``<out>/shares/<key>.json`` is the receipt of a share: the files that it made, and where it ran. The files of a share
are written below ``<out>/shares/<key>.part`` first, then the receipt, and then they are put into their places. Whatever
ends the program in between, the next one finishes that where there is a receipt, and removes the rest.

A cell and probe have the results of one share. Those of an earlier one, with other rounds or settings, go: they may be
from another machine, and a report would take both.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from runner.cluster.request import File
from runner.errors import RunnerError
from runner.model import Scalar, Skip
from runner.results import left, store
from runner.util import files
from runner.util.remove import remove

FOLDER = "shares"
_PLACES = (store.RESULTS, left.FOLDER)
"""Where files of a share may lie, below the folder of results."""


class DamagedError(RunnerError):
    """What a worker sent is not what it promised."""


class Receipt(msgspec.Struct, frozen=True):
    """What is written down about a stored share."""

    key: str
    worker: str
    fingerprint: dict[str, Scalar]
    files: tuple[File, ...]
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]
    locks: dict[str, str]
    replaces: tuple[str, ...] = ()
    """Result files that it takes the place of."""
    schema: int = 1


class Receipts:
    """The receipts in one folder of results."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._folder = out / FOLDER

    def recover(self) -> None:
        """Finish or undo what a program that was ended has begun."""
        for part in sorted(self._folder.glob("*.part")):
            receipt = self.find(part.stem)
            if receipt is not None:
                self._placed(part, receipt)
            remove(part)

    def find(self, key: str) -> Receipt | None:
        """The receipt of a share; None where there is none that can be read."""
        try:
            return msgspec.json.decode(files.content(self._folder / f"{key}.json"), type=Receipt)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def whole(self, key: str) -> Receipt | None:
        """The receipt of a share whose files are all there, else None."""
        receipt = self.find(key)
        if receipt is None or any(_size(self.out / file.path) != file.size for file in receipt.files):
            return None
        return receipt

    def strangers(self) -> list[str]:
        """The result files that are in no receipt, by their path below the folder."""
        known = {file.path for receipt in self.all() for file in receipt.files}
        found = self.out.glob(f"{store.RESULTS}/*/*/*.json")
        return sorted(path for one in found if (path := one.relative_to(self.out).as_posix()) not in known)

    def all(self) -> Iterator[Receipt]:
        """All receipts that can be read."""
        for path in sorted(self._folder.glob("*.json")):
            receipt = self.find(path.stem)
            if receipt is not None:
                yield receipt

    def keep(self, receipt: Receipt, contents: Mapping[str, bytes]) -> None:
        """Store a share. ``contents``: by digest.

        Raises DamagedError for a path or a content that is not what the receipt says, and OSError where the disk is
        full.
        """
        for file in receipt.files:
            _check(file, contents)
        part = self._folder / f"{receipt.key}.part"
        remove(part)
        for digest in {file.sha256 for file in receipt.files}:
            files.write_atomically(part / digest, contents[digest])
        receipt = msgspec.structs.replace(receipt, replaces=self._replaced(receipt))
        files.write_atomically(self._folder / f"{receipt.key}.json", msgspec.json.encode(receipt))
        self._placed(part, receipt)
        remove(part)

    def _replaced(self, receipt: Receipt) -> tuple[str, ...]:
        """The results of the same cells and probes that are there already."""
        new = {file.path for file in receipt.files}
        folders = {(self.out / path).parent for path in paths([receipt])}
        found = (path for folder in folders for path in folder.glob("*.json"))
        return tuple(sorted({path.relative_to(self.out).as_posix() for path in found} - new))

    def _placed(self, part: Path, receipt: Receipt) -> None:
        """Put the files of a share into their places; those that are there already stay."""
        for file in receipt.files:
            with suppress(FileNotFoundError):
                content = files.content(part / file.sha256)
                target = self.out / file.path
                if _size(target) != file.size or files.content(target) != content:
                    files.write_atomically(target, content)
        for path in receipt.replaces:
            (self.out / path).unlink(missing_ok=True)


def digest(content: bytes) -> str:
    """The digest by which a file travels."""
    return hashlib.sha256(content).hexdigest()


def made(out: Path) -> Iterator[File]:
    """The files that a share has made in its own folder of results."""
    for place in _PLACES:
        for path in sorted((out / place).rglob("*")):
            if path.is_file() and not path.name.startswith("all-") and not path.name.endswith(".part"):
                content = files.content(path)
                yield File(path.relative_to(out).as_posix(), digest(content), len(content))


def paths(receipts: Iterable[Receipt]) -> list[str]:
    """The result files of shares, by their paths below the folder of results."""
    found = (file.path for receipt in receipts for file in receipt.files)
    return [path for path in found if path.startswith(f"{store.RESULTS}/")]


def _check(file: File, contents: Mapping[str, bytes]) -> None:
    parts = PurePosixPath(file.path).parts
    if not parts or parts[0] not in _PLACES or ".." in parts or PurePosixPath(file.path).is_absolute():
        raise DamagedError(f"a worker sent a file with the path {file.path!r}, which is not a place of results")
    content = contents.get(file.sha256)
    if content is None or len(content) != file.size or digest(content) != file.sha256:
        raise DamagedError(f"{file.path}: what the worker sent is not the file that it promised")


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - of a hundred thousand files
    except OSError:
        return -1
