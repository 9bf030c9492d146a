"""Finds and reads the configuration of a user's repository.

It is ``keras-matrix.toml``, or the table ``[tool.keras-matrix]`` of ``pyproject.toml``, in the working folder or the
nearest folder above it. Its sets and probes are added to those of ``matrix/matrix.toml``.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from runner.errors import UsageError, suggest
from runner.matrix import sets
from runner.util import durations, folders, toml

NAME = "keras-matrix.toml"
PYPROJECT = "pyproject.toml"
TABLE = "keras-matrix"
"""The table of pyproject.toml: ``[tool.keras-matrix]``."""

SCHEMA = 1
"""Version of the format."""

_PROBE = re.compile(r"[a-z][a-z0-9_]*")
_SET = re.compile(r"[A-Za-z0-9][\w.-]*")


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A probe in a file of the user's (see docs/probe.md)."""

    file: str
    """The Python file, relative to the configuration's folder."""
    description: str = ""
    timed: bool = True
    """Whether its times count: it then runs alone."""
    timeout_s: float = 900.0
    """Seconds that one process may take."""


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tests of the user's library.

    ``--pytest`` without a path and the probe ``suite`` run them.
    """

    tests: list[str]
    """Files and folders of tests, relative to the configuration's folder, where pytest starts."""
    install: str = ""
    """The project's folder or a wheel to install in every cell, as ``.`` or ``.[test]``. Empty: nothing."""
    arguments: list[str] = []
    """Arguments of pytest, where the settings of the probe ``suite`` name none."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of ``keras-matrix.toml``."""

    schema: int
    """Version of the format: 1."""
    default: str = ""
    """The set that runs where no set is named: one of this file or of the program. Empty: the program's default."""
    budget: str = ""
    """Measuring time (``10m``) of this file's sets that give none."""
    expectations: str = ""
    """The file of known failures, relative to this one, in the format of matrix/expectations.toml."""
    sets: dict[str, sets.Set] = {}
    """The sets, by name. A set with the name of one of the program's takes its place."""
    probes: dict[str, Probe] = {}
    """The probes, by name."""
    pytest: Suite | None = None
    """The tests of the user's library."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration and where it was found."""

    path: Path
    """The file."""
    file: File

    @property
    def place(self) -> str:
        """The file in messages, with the table where it is not the whole file."""
        return _place(self.path)

    @property
    def expectations(self) -> Path | None:
        """The file of known failures; None where the configuration names none."""
        return self.path.parent / self.file.expectations if self.file.expectations else None

    def probe_file(self, name: str) -> Path | None:
        """The Python file of a probe; None where the configuration has no such probe."""
        probe = self.file.probes.get(name)
        return self.path.parent / probe.file if probe else None


def here() -> Configuration | None:
    """The configuration that holds in the working folder; None where there is none.

    Raises UsageError for one that cannot be used.
    """
    try:
        return _above(os.getcwd())  # noqa: PTH109 - asked for with every name of a probe; a Path costs ten times as much
    except FileNotFoundError:  # the working folder was removed
        return None


def forget() -> None:
    """Look for the file again when it is next asked for: it was written."""
    _above.cache_clear()


@lru_cache(maxsize=8)
def _above(folder: str) -> Configuration | None:
    for one in (Path(folder), *Path(folder).parents):
        found = in_folder(one)
        if found is not None:
            return found
    return None


def in_folder(folder: Path) -> Configuration | None:
    """The configuration in a folder itself.

    Raises UsageError for one that cannot be used, and where there are two.
    """
    whole, part = folder / NAME, folder / PYPROJECT
    table = _has_table(part)
    if whole.is_file() and table:
        raise UsageError(f"{folder}: {NAME} and {PYPROJECT} both have a configuration; remove one of them")
    if whole.is_file():
        return read(whole)
    return read(part) if table else None


def _has_table(path: Path) -> bool:
    """Whether a pyproject.toml has the table. One that is not TOML is somebody else's."""
    try:
        if TABLE not in path.read_text(encoding="utf-8", errors="replace"):
            return False
        tool = toml.read(path)[1].get("tool")
    except (OSError, UsageError):
        return False
    return isinstance(tool, dict) and TABLE in tool


def read(path: Path) -> Configuration:
    """Read a configuration. Raises UsageError, in one line, for what does not fit."""
    text, raw = toml.read(path)
    return _read(path, text, raw)


def check_text(path: Path, text: str) -> None:
    """Raise UsageError where a configuration cannot have this text."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{_place(path)}: a table cannot be added at the end: not valid TOML: {error}") from None
    matrix(_read(path, text, raw))


def _read(path: Path, text: str, raw: dict[str, Any]) -> Configuration:
    place = _place(path)
    if path.name == PYPROJECT:
        raw = raw["tool"][TABLE]
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or schema is None:
        raise UsageError(f"{place}: no schema, the version of the format: begin it with schema = {SCHEMA}")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        advice = "; upgrade keras-version-matrix" if newer else ""
        raise UsageError(f"{place}: schema {schema!r} is another version; this program reads schema {SCHEMA}{advice}")
    file = toml.convert(path, text, raw, File)
    _check(place, file)
    return Configuration(path, file)


def _place(path: Path) -> str:
    return f"{path}: tool.{TABLE}" if path.name == PYPROJECT else str(path)


def _check(place: str, file: File) -> None:
    for name in file.sets:
        if not _SET.fullmatch(name):
            raise UsageError(f"{place}: sets: {name!r} is not a name of letters, digits, dots and dashes")
    if file.budget:
        try:
            durations.seconds(file.budget)
        except UsageError as error:
            raise UsageError(f"{place}: budget: {error}") from None
    if file.pytest is not None and not file.pytest.tests:
        raise UsageError(f'{place}: pytest.tests: name the tests, such as ["tests"]')
    for name, probe in file.probes.items():
        check_name(f"{place}: probes", name)
        if not probe.file.endswith(".py"):
            raise UsageError(f"{place}: probes.{name}.file: {probe.file!r} is not the name of a Python file")


def check_name(place: str, name: str) -> None:
    """Raise UsageError for a name that a user's probe cannot have.

    A probe of the program keeps its name: sets, tables and defects of the program are about it.
    """
    if not _PROBE.fullmatch(name):
        raise UsageError(f"{place}: {name!r} is not a name of small letters, digits and underscores")
    payload = folders.payload_dir()
    if (payload / name).exists() or (payload / f"{name}.py").exists():
        raise UsageError(f"{place}: the program has {name!r} already; choose another name")


def matrix(found: Configuration | None = None) -> sets.Matrix:
    """The sets and probes of the program and of the configuration ``found``.

    None: that of the working folder. Raises UsageError.
    """
    shipped = sets.load()
    found = found or here()
    if found is None:
        return shipped
    file = found.file
    own = {
        name: sets.Probe(one.description or f"the probe of {one.file}", one.timed, one.timeout_s)
        for name, one in file.probes.items()
    }
    added = {name: msgspec.structs.replace(one, budget=one.budget or file.budget) for name, one in file.sets.items()}
    whole = sets.Matrix(
        shipped.schema,
        file.default or shipped.default,
        {**added, **{name: one for name, one in shipped.sets.items() if name not in added}},
        {**shipped.probes, **own},
        shipped.variants,
    )
    for name, one in added.items():
        sets.check_set(f"{found.place}: sets.{name}", one, whole.probes)
    if whole.default not in whole.sets:
        raise UsageError(f"{found.place}: default: no set {file.default!r}{suggest(file.default, whole.sets)}")
    return whole


def origin(set_name: str) -> str:
    """The name of the file that has a set, for messages and lists."""
    found = here()
    return found.path.name if found and set_name in found.file.sets else "matrix.toml"
