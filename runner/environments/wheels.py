"""Wheels of this machine that no package index has, by project and local version.

A wheel of the user's, or one built from a source, is kept here under a local version: ``keras 3.16.0+g1a2b3c4``.
From then on it is a version like any other. Whatever asks for it finds it here, and a lock pins its hash.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.util import aging, files, folders, versions, wheel_file
from runner.util.remove import remove


class Entry(msgspec.Struct, frozen=True):
    """What is kept next to a wheel."""

    sha256: str
    origin: str
    """What the wheel was made from: a digest of its file, or of its source."""
    note: str
    """A line for reports."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A wheel of this machine."""

    project: str
    version: str
    path: Path
    entry: Entry

    @property
    def pin(self) -> str:
        """The wheel as the header of a lock names it."""
        return f"{self.project}=={self.version} sha256:{self.entry.sha256}"


def store() -> Path:
    """The folder of all of them, one folder for each."""
    return folders.cache_dir() / "wheels"


def keep(wheel: wheel_file.Wheel, label: str, origin: str, note: str) -> Kept:
    """Keep a wheel under its version with the label as local part.

    One of the same origin that is there already stays. Raises UsageError where the store cannot be written.
    """
    version = wheel_file.labelled(wheel.version, label)
    there = find(wheel.project, version)
    if there is not None and (there.entry.origin, there.entry.note) == (origin, note):
        return there
    aging.prune(store())
    place = _place(wheel.project, version)
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(parents=True)
        made = wheel_file.copy(wheel, version, part)
        entry = Entry(wheel_file.digest(made), origin, note)
        files.write_atomically(part / _ENTRY, msgspec.json.encode(entry))
        remove(place)
        part.rename(place)
    except OSError as error:
        raise UsageError(f"{store()}: cannot be written: {error.strerror}") from None
    finally:
        remove(part)
    return Kept(wheel.project, version, place / made.name, entry)


def find(project: str, version: str) -> Kept | None:
    """The wheel of that version, or None."""
    if not versions.is_local(version):
        return None
    place = _place(project, version)
    found = next(iter(sorted(place.glob("*.whl"))), None)
    try:
        entry = msgspec.json.decode((place / _ENTRY).read_bytes(), type=Entry)
    except (OSError, msgspec.DecodeError):
        return None
    if found is None:
        return None
    aging.used(place)
    return Kept(project, version, found, entry)


def of(requirements: Iterable[str]) -> tuple[Kept, ...]:
    """The wheels of this machine that requirement lines name exactly."""
    pinned = (line.partition("==") for line in requirements if line.count("==") == 1)
    found = (find(versions.project(name), version) for name, _, version in pinned)
    return tuple(one for one in found if one is not None)


def find_links(kept: Iterable[Kept]) -> list[str]:
    """What uv needs to find the wheels; the user's own places count, too.

    uv reads them from the environment only where no place is named.
    """
    places = [str(one.path.parent) for one in kept]
    others = [place for place in os.environ.get("UV_FIND_LINKS", "").split(",") if place]
    return [word for place in (*places, *others) for word in ("--find-links", place)] if places else []


_ENTRY = "wheel.json"


def _place(project: str, version: str) -> Path:
    return store() / f"{project}-{version}"
