"""Prepares the data that probes read, once, on the host.

It is the user's file, the cache, a download, or a stand-in.

``matrix/data.toml`` says which data set a probe reads and where it is published. ``digits`` is MNIST, ``pm25`` the
hourly series of the lstm probe, ``daquar`` the image and question pairs of the vqa probe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.data import daquar, digits, pm25
from runner.data.catalog import DataSet, catalog
from runner.data.files import DataFile, fetch, sha256
from runner.errors import UsageError, suggest

__all__ = ["Collected", "DataFile", "collect", "of_probe", "parse", "sha256"]

MNIST = "mnist"
_PACKERS: dict[str, Callable[[Path, Path], None]] = {"beijing-pm25": pm25.pack, "daquar": daquar.pack}
"""What turns the published files into the .npz a probe reads. Both raise UsageError where they are other files."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the probes of a run read."""

    files: Mapping[str, DataFile]
    """By probe. One that is missing makes a stand-in of its own, or reads nothing."""
    notes: tuple[str, ...] = ()
    """What the report must say about it."""


def parse(words: Iterable[str]) -> dict[str, Path]:
    """Read ``--data``: ``NAME=PATH``, or a PATH alone for MNIST.

    Raises UsageError for an unknown name.

    >>> parse(["a.npz", "daquar=photos"])
    {'mnist': PosixPath('a.npz'), 'daquar': PosixPath('photos')}
    """
    found: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or (name not in catalog() and Path(word).exists()) or not re.fullmatch(r"[\w-]+", name):
            name, path = MNIST, word
        if name not in catalog():
            raise UsageError(f"--data {word}: no data set {name!r}{suggest(name, list(catalog()))}")
        if name in found:
            raise UsageError(f"--data: {name} is given twice")
        found[name] = Path(path)
    return found


def of_probe(probe: str) -> str | None:
    """The name of the data set that a probe reads, or None."""
    return next((name for name, entry in catalog().items() if probe in entry.probes), None)


def collect(probes: Iterable[str], given: Mapping[str, Path], cache: Path, *, offline: bool = False) -> Collected:
    """Collect the files for these probes.

    ``given``: the user's own files, by data set. With ``offline`` nothing is downloaded. Raises UsageError where a file
    that was given is not what it should be, or no probe of the run reads it, and where the cache cannot be written.
    """
    files: dict[str, DataFile] = {}
    notes: dict[str, None] = {}
    read = {probe: name for probe in probes if (name := of_probe(probe)) is not None}
    for name in given:
        if name not in read.values():
            wanted = " or ".join(catalog()[name].probes)
            raise UsageError(f"--data {name}=...: no probe of this run reads it; it is for {wanted}")
    try:
        for probe, name in read.items():
            if name == MNIST:
                found: DataFile | None = digits.prepare(given.get(name), cache, offline=offline)
            else:
                found = _published(name, given.get(name), cache, offline=offline)
            if found is None:
                notes[_missing(name, catalog()[name])] = None
                continue
            files[probe] = found
            if found.note:
                notes[found.note] = None
    except OSError as error:
        problem = f"{error.filename or cache}: {error.strerror or error}"
        raise UsageError(f"{problem}; data is kept there, XDG_CACHE_HOME names another place") from None
    return Collected(files, tuple(notes))


def _missing(name: str, entry: DataSet) -> str:
    how = "could not be downloaded" if entry.fetched else "is not downloaded by itself (see matrix/data.toml)"
    return f"{name} {how}: {' and '.join(entry.probes)} ran on {entry.stand_in}; --data {name}=PATH takes the real one"


def _published(name: str, path: Path | None, cache: Path, *, offline: bool) -> DataFile | None:
    """The data set packed for its probe, or None where there is nothing to pack."""
    entry = catalog()[name]
    if path is not None:
        return _packed(name, entry, _checked(name, entry, path), cache)
    source = cache / entry.url.rpartition("/")[2]
    if not entry.fetched:
        return None
    if not source.is_file() and (offline or not fetch(entry.url, source, entry.sha256)):
        return None
    try:
        return _packed(name, entry, source, cache)
    except UsageError:  # a login page instead of the file
        source.unlink(missing_ok=True)
        return None


def _checked(name: str, entry: DataSet, path: Path) -> Path:
    path = path.expanduser().resolve()
    if not path.exists():
        raise UsageError(f"--data {name}={path}: no such file")
    if entry.sha256 and path.is_file() and path.suffix != ".npz" and sha256(path) != entry.sha256:
        raise UsageError(f"--data {name}={path}: is another file than the published one (sha256 {entry.sha256})")
    return path


def _packed(name: str, entry: DataSet, source: Path, cache: Path) -> DataFile:
    """The .npz made of ``source``, from the cache where it was made before."""
    note = "" if entry.sha256 else f"{name}: the digest of the published files is not known here, so not checked"
    if source.suffix == ".npz":
        return DataFile(source, name, sha256(source), note)
    target = cache / f"{name}-{daquar.stamp(source) if source.is_dir() else sha256(source)[:16]}.npz"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        _PACKERS[name](source, target)
    return DataFile(target, name, sha256(target), note)
