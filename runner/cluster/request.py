"""What is sent to a worker for one share, and what it answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from runner.cluster import program
from runner.judge.budget import Further
from runner.judge.rules import Rules
from runner.matrix import plan, probes
from runner.model import Cell, Scalar, Skip
from runner.util.files import digest


class Data(msgspec.Struct, frozen=True):
    """What a probe reads."""

    name: str
    identity: str
    """The digest by which results are comparable (see ``runner.data.DataFile``)."""
    note: str
    sha256: str
    """The digest of the file's content, by which it travels."""


class Request(msgspec.Struct, frozen=True):
    """One share as a worker gets it. Files are named by the digests of their content."""

    cells: tuple[Cell, ...]
    wanted: plan.Selection
    most: int
    """Rounds at most (see ``Further``)."""
    budget_s: float | None
    unlimited: bool
    """Whether the budget is without a limit, which JSON cannot say."""
    rules: Rules
    apart: bool
    jobs: int
    builds: int
    data: dict[str, Data]
    """By probe."""
    folder: str
    """The working folder below that of the user's files."""
    project: dict[str, str]
    """The user's configuration and probes: relative path -> digest."""
    locks: dict[str, str]
    """Environment id -> digest."""
    wheels: dict[str, str]
    """Relative path in the store of wheels -> digest."""
    pull_from: str
    """The registry that may have the images; empty: none is asked."""

    @property
    def further(self) -> Further:
        """The rounds that follow the first ones."""
        return Further(self.most, float("inf") if self.unlimited else self.budget_s)

    @property
    def digests(self) -> frozenset[str]:
        """All files that a worker needs for it."""
        read = (one.sha256 for one in self.data.values())
        return frozenset([*read, *self.project.values(), *self.locks.values(), *self.wheels.values()])


class File(msgspec.Struct, frozen=True):
    """A file that a share made, by its path below the folder of results."""

    path: str
    sha256: str
    size: int


class Answer(msgspec.Struct, frozen=True):
    """What a worker answers: digests and no data."""

    files: tuple[File, ...] = ()
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    processes: int = 0
    measured: int = 0
    """How many of them say something about their cell and did not fail."""
    fingerprint: dict[str, Scalar] = {}
    locks: dict[str, str] = {}
    """The locks that were used: environment id -> digest."""
    error: str = ""
    """Why nothing was run, in one line."""


def encode(value: Request | Answer) -> bytes:
    """The value as JSON."""
    return msgspec.json.encode(value)


def decode(raw: bytes) -> Request:
    """Read a request. Raises msgspec.DecodeError."""
    return msgspec.json.decode(raw, type=Request)


def decode_answer(raw: bytes) -> Answer:
    """Read an answer. Raises msgspec.DecodeError."""
    return msgspec.json.decode(raw, type=Answer)


def key(request: Request) -> str:
    """Digest of all that decides whether the results of a share can be reused.

    Locks are not in it: they depend on the worker's platform, and a receipt lists those that were used.
    """
    described: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(request, locks={}, pull_from="", jobs=1 if request.jobs == 1 else 2, builds=0)
    )
    hashes = {probe.name: probes.probe_hash(probe.name) for probe in request.wanted.probes}
    return digest([described, hashes, program.images_digest()])


def alone(wanted: plan.Selection, chosen: tuple[Any, ...]) -> plan.Selection:
    """What is asked for, with the probes of one share."""
    return replace(wanted, probes=chosen)


def chunks(files: tuple[File, ...], most: int) -> Iterator[list[tuple[str, int, int]]]:
    """Requests for the content of files, each at most ``most`` bytes.

    A part is a digest, an offset and a length.
    """
    batch: list[tuple[str, int, int]] = []
    room = most
    for file in files:
        offset = 0
        while offset < file.size:
            length = min(room, file.size - offset)
            batch.append((file.sha256, offset, length))
            offset += length
            room -= length
            if not room:
                yield batch
                batch, room = [], most
    if batch:
        yield batch
