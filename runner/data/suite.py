"""Packs the tests of a user's library, and the library, into one archive.

The library is built into a wheel on this machine, which needs its build backend. The wheel is pure Python: the cells
have other releases of Python than this program, and its dependencies are locked with each cell.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from runner.data.files import DataFile
from runner.errors import UsageError, suggest
from runner.util import commands, files, folders, scratch, wheel_file

PROBE = "suite"
"""The probe that reads the archive (``runner/probe/suite.py``)."""

COPY, PACKAGE, START = "copy", "package", "start.txt"

_SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py")
"""Files of the working folder that pytest reads."""

_LEFT_OUT = frozenset(
    {"__pycache__", ".git", ".hg", ".venv", "node_modules", ".pytest_cache", ".mypy_cache", ".tox", ".nox"}
)
_MOST_BYTES = 512 << 20
_BUILD_S = 900.0


@dataclass(frozen=True, slots=True)
class Wheel:
    """A library as a wheel."""

    name: str
    version: str
    needs: tuple[str, ...]
    """Its requirement lines (``Requires-Dist``), with markers."""
    extras: tuple[str, ...]
    """The extras that were asked for."""
    members: tuple[tuple[str, bytes], ...]
    """Its files, as they lie in ``site-packages``."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The archive of a library's tests, not written yet."""

    name: str
    """The library and its version."""
    content: bytes

    def written(self, out: Path) -> DataFile:
        """Write the archive below the folder of the results.

        Raises UsageError where that fails.
        """
        digest = hashlib.sha256(self.content).hexdigest()
        target = out / "tests" / f"{digest[:32]}.tar"
        if not target.is_file():
            try:
                files.write_atomically(target, self.content)
            except OSError as error:
                raise UsageError(f"{target}: cannot be written: {error.strerror}") from None
        return DataFile(target.resolve(), self.name, digest)


def packed(tests: Iterable[str], wheel: Wheel | None, out: Path, *, root: Path | None = None, only: str = "") -> Packed:
    """Pack the tests, and the library where there is one.

    ``tests``: files or folders below ``root`` (None: the working folder), or one test for pytest as
    ``tests/test_a.py::test_b``. ``only``: the test or file to run in place of all. The folder ``out`` of the results is
    left out. Raises UsageError where a path cannot be read.
    """
    root = (root or Path.cwd()).resolve()
    starts, members = [], dict(_settings(root))
    for test in tests:
        start = _start(test, "--pytest", root)
        starts.append(start)
        members |= dict(_files(root, root / start.partition("::")[0], out.resolve()))
    whole = {f"{COPY}/{name}": content for name, content in sorted(members.items())}
    whole |= {f"{PACKAGE}/{name}": content for name, content in (wheel.members if wheel else ())}
    if only:
        starts = [_start(only, "--case", root)]
        if f"{COPY}/{starts[0].partition('::')[0]}" not in whole:
            raise UsageError(f"--case {only}: is not among the tests of --pytest")
    whole[START] = "\n".join(starts).encode()
    if (size := sum(map(len, whole.values()))) > _MOST_BYTES:
        raise UsageError(f"--pytest: {size >> 20} MiB of files, at most {_MOST_BYTES >> 20}: name the tests alone")
    return Packed(f"{wheel.name} {wheel.version}" if wheel else "the tests", _archive(whole))


def _start(test: str, option: str, root: Path) -> str:
    """What pytest is started with, as a path below the root.

    The name of a test follows it where there is one. Raises UsageError for what is not there.
    """
    place, colons, name = test.partition("::")
    path = root / Path(place).expanduser()
    if not path.exists():
        near = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f"{option} {test}: no such file or folder{suggest(path.name, near)}")
    if colons and not path.is_file():
        raise UsageError(f"{option} {test}: is a folder; a test lies in a file, as tests/test_a.py::{name}")
    try:
        return f"{path.resolve().relative_to(root).as_posix()}{colons}{name}"
    except ValueError:
        raise UsageError(f"{option} {test}: is not below the folder {root}") from None


def wheel(wanted: str, *, root: Path | None = None) -> Wheel:
    """The wheel that ``--install`` means.

    A project's folder or a wheel, with extras in brackets (``.[test]``); ``root`` is what a path is relative to. Raises
    UsageError where there is none, where it cannot be built, and where it is not pure Python.
    """
    place, bracket, rest = wanted.partition("[")
    extras = tuple(extra.strip() for extra in rest.rstrip("]").split(",")) if bracket else ()
    path = (root or Path()) / Path(place or ".").expanduser()
    if not path.exists():
        near = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f"--install {wanted}: no such file or folder{suggest(path.name, near)}")
    if path.suffix == ".whl" and path.is_file():
        return _read(path, wanted, extras)
    if not any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise UsageError(f"--install {wanted}: neither a wheel nor a folder with a pyproject.toml or setup.py")
    with scratch.folder("wheel") as folder:
        command = [folders.uv_program(), "build", "--wheel", "--quiet", "--out-dir", str(folder), str(path.resolve())]
        ended = commands.guarded(command, timeout_s=_BUILD_S)
        built = sorted(folder.glob("*.whl"))
        if ended.code != 0 or not built:
            raise UsageError(f"--install {wanted}: no wheel could be built: {_why(ended)}")
        return _read(built[0], wanted, extras)


def _why(ended: commands.Ended) -> str:
    if ended.late:
        return f"the build did not end within {_BUILD_S:.0f} s"
    lines = [line.strip() for line in ended.errors.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error:", "× ", "╰─▶", "├─▶"))]
    return " ".join((errors or lines[-1:] or ["the build backend gave no reason"])[:3])


def _read(path: Path, wanted: str, extras: tuple[str, ...]) -> Wheel:
    try:
        wheel_file.read(path)
    except UsageError as error:
        raise UsageError(f"--install {wanted}: {str(error).removeprefix(f'{path}: ')}") from None
    if not path.name.endswith("-none-any.whl"):
        raise UsageError(f"--install {wanted}: {path.name} has compiled parts; only pure Python runs in every cell")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"--install {wanted}: {path.name} cannot be read: {error}") from None
    text = next((content for name, content in members.items() if name.endswith(".dist-info/METADATA")), b"")
    metadata = HeaderParser().parsestr(text.decode("utf-8", "replace"))
    known = {extra.lower() for extra in metadata.get_all("Provides-Extra") or []}
    for extra in extras:
        if extra.lower().replace("_", "-") not in {name.replace("_", "-") for name in known}:
            has = ", ".join(sorted(known)) or "none"
            raise UsageError(f"--install {wanted}: {metadata['Name']} has no extra {extra!r}; it has: {has}")
    needs = tuple(_check(line, wanted) for line in metadata.get_all("Requires-Dist") or [])
    return Wheel(str(metadata["Name"]), str(metadata["Version"]), needs, extras, tuple(_installed(members).items()))


def _check(line: str, wanted: str) -> str:
    """Raise UsageError for a requirement line that cannot be locked."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        if Requirement(line).url:
            raise UsageError(f"--install {wanted}: {line!r}: a requirement with an address cannot be locked")
    except InvalidRequirement as error:
        why = " ".join(str(error).split())
        raise UsageError(f"--install {wanted}: {line!r} is not a requirement: {why}") from None
    return line


def _installed(members: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a wheel as they lie when it is installed.

    What is in ``.data`` for site-packages is moved there; scripts and headers are left out.
    """
    found = {}
    for name, content in members.items():
        parts = PurePosixPath(name).parts
        if parts[0].endswith(".data"):
            if len(parts) > 2 and parts[1] in ("purelib", "platlib"):
                found["/".join(parts[2:])] = content
            continue
        found[name] = content
    return dict(sorted(found.items()))


def _settings(root: Path) -> Iterator[tuple[str, bytes]]:
    for name in _SETTINGS:
        if (root / name).is_file():
            yield name, (root / name).read_bytes()


def _files(root: Path, start: Path, out: Path) -> Iterator[tuple[str, bytes]]:
    """The regular files that the tests of a file or folder can import or read.

    Those of its folder; of a package, those of the whole package. With the ``conftest.py`` of the folders above.
    """
    start = start.resolve()
    whole = start if start.is_dir() else start.parent
    while whole != root and (whole.parent / "__init__.py").is_file() and whole.parent != root:
        whole = whole.parent
    above = [parent for parent in whole.parents if parent.is_relative_to(root) and parent != root]
    found = [start] if whole == root and start.is_file() else list(_below(whole, out))
    for path in (*(parent / "conftest.py" for parent in above), *found):
        if path.is_file():
            try:
                yield path.relative_to(root).as_posix(), files.content(path)
            except OSError as error:
                raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _below(folder: Path, out: Path) -> Iterator[Path]:
    for base, names, entries in os.walk(folder):
        names[:] = sorted(name for name in names if name not in _LEFT_OUT and Path(base, name) != out)
        yield from (Path(base, entry) for entry in sorted(entries) if not entry.endswith(".pyc"))


def _archive(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
