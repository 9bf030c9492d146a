"""A wheel's file: what it states about itself, and a copy with a local version.

The format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import csv
import email.parser
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError
from runner.util import versions

_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-[0-9][^-]*)?-(?P<tags>[\w.]+-[\w.]+-[\w.]+)\.whl")
_VERSION_LINE = re.compile(rb"^Version:[^\r\n]*", re.MULTILINE | re.IGNORECASE)
_LIKE = "a wheel is a zip file named like keras-3.16.0-py3-none-any.whl"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a copy, so that equal content makes equal bytes."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel states about itself."""

    path: Path
    project: str
    """The normalised name."""
    version: str
    """By PEP 440, normalised."""
    tags: str
    """``py3-none-any``"""
    sha256: str


def read(path: Path) -> Wheel:
    """Read a wheel's name and version.

    Raises UsageError for a file that is not there or not a wheel, and for a version that is not one by PEP 440.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; build the wheel first")
    named = _NAME.fullmatch(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = email.parser.BytesParser().parsebytes(archive.read(f"{_info(archive)}/METADATA"))
    except (zipfile.BadZipFile, KeyError, StopIteration, OSError) as error:
        raise UsageError(f"{path}: is not a wheel ({_reason(error)}): {_LIKE}") from None
    if named is None:
        raise UsageError(f"{path}: is not named as a wheel: {_LIKE}")
    project, version = versions.normalized(str(metadata["Name"] or "")), str(metadata["Version"] or "").strip()
    exact = versions.canonical(version)
    if exact is None:
        raise UsageError(f"{path}: its version {version!r} is not one by PEP 440 (example: 3.16.0)")
    return Wheel(path, project, exact, named["tags"], digest(path))


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content(path: Path) -> str:
    """Digest of all that a wheel installs, but for its version.

    Names and bytes count, not the order and the time at which they were packed.
    """
    rows = []
    with zipfile.ZipFile(path) as archive:
        info = _info(archive)
        for name in archive.namelist():
            own = name.startswith(f"{info}/")
            if own and name.removeprefix(f"{info}/").startswith("RECORD"):
                continue
            read = archive.read(name)
            if own and name.endswith("/METADATA"):
                read = _VERSION_LINE.sub(b"", read, count=1)
            shown = f"dist-info/{name.removeprefix(f'{info}/')}" if own else name
            rows.append(f"{shown}\0{hashlib.sha256(read).hexdigest()}\n")
    return hashlib.sha256("".join(sorted(rows)).encode()).hexdigest()


def labelled(version: str, label: str) -> str:
    """The version with one more local part.

    >>> labelled("3.16.0", "g1a2b3c4"), labelled("2.2.2+cpu", "w1a2b3c4")
    ('3.16.0+g1a2b3c4', '2.2.2+cpu.w1a2b3c4')
    """
    return f"{version}{'.' if versions.is_local(version) else '+'}{label}"


def copy(wheel: Wheel, version: str, folder: Path) -> Path:
    """Copy a wheel into a folder under another version. Returns the new file.

    Only the metadata and the names change. The same wheel always makes the same bytes.
    """
    project = wheel.project.replace("-", "_")
    stem = f"{project}-{version}"
    made = folder / f"{stem}-{wheel.tags}.whl"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(wheel.path) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        info = _info(source)
        moved = {info: f"{stem}.dist-info", info.removesuffix(".dist-info") + ".data": f"{stem}.data"}
        entries = [entry for entry in source.infolist() if not entry.is_dir()]
        for entry in sorted(entries, key=lambda one: (one.filename.startswith(f"{info}/"), one.filename)):
            top, slash, rest = entry.filename.partition("/")
            name = f"{moved.get(top, top)}{slash}{rest}"
            if top == info and rest.startswith("RECORD"):
                continue
            content = source.read(entry)
            if top == info and rest == "METADATA":
                content = _VERSION_LINE.sub(f"Version: {version}".encode(), content, count=1)
            rows.writerow([name, f"sha256={_short(content)}", len(content)])
            target.writestr(_entry(name, entry.external_attr), content)
        rows.writerow([f"{stem}.dist-info/RECORD", "", ""])
        target.writestr(_entry(f"{stem}.dist-info/RECORD", 0o644 << 16), record.getvalue())
    return made


def _entry(name: str, attributes: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, _EPOCH)
    made.compress_type, made.external_attr = zipfile.ZIP_DEFLATED, attributes
    return made


def _info(archive: zipfile.ZipFile) -> str:
    """The folder of the metadata. Raises StopIteration where there is none."""
    tops = (name.partition("/")[0] for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return next(top for top in tops if top.endswith(".dist-info"))


def _short(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _reason(error: Exception) -> str:
    if isinstance(error, StopIteration | KeyError):
        return "it has no dist-info folder with METADATA"
    return "it is not a zip file" if isinstance(error, zipfile.BadZipFile) else str(error)
