"""The probes of the payload and of the user: names, settings, files and hashes.

Read as text, never imported. A user's probe is a file that the configuration names (see ``configuration``). A process
of it gets the payload's files that any such probe needs, a module with the probe's name, and the user's file.
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import hashlib
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.matrix import configuration
from runner.util import files as texts
from runner.util import folders, versions

SOURCE = folders.payload_dir()
"""The folder of the payload."""

OWN = "own_probes"
"""The folder of a process that has the user's file, next to the payload."""

_RUNS_OWN = "_own"
"""The payload's module that runs a user's file."""

_ADAPTER = f'''"""Runs the file of the same name in {OWN}."""

from . import {_RUNS_OWN}


def run(request, report):
    """Runs the functions of the file."""
    {_RUNS_OWN}.run(request, report)
'''


def probes() -> tuple[str, ...]:
    """Returns the names of the probes in the payload.

    These are its modules and packages that define ``run(request, report)``.
    """
    return tuple(sorted(name for name, text in _entries() if "\ndef run(request, report)" in text))


@functools.cache
def activities() -> tuple[str, ...]:
    """Returns the names of the probes that try promises (see ``probe/cases``)."""
    return tuple(sorted(name for name, text in _entries() if "cases.run(request" in text))


def sweeps() -> tuple[str, ...]:
    """Returns the names of the probes that report a record per case."""
    return ("ops", "training", "suite", *activities())


def settings(probe: str) -> dict[str, Any]:
    """Returns the settings of a probe and their defaults.

    They are read from the literal ``DEFAULTS`` in its source. The probe is never imported.
    """
    found = _literal(probe, "DEFAULTS")
    return found if isinstance(found, dict) else {}


def headlines(probe: str) -> tuple[str, ...]:
    """Returns the figures of a probe that a run measures until they are decided.

    They are patterns over metric names, read from the literal ``HEADLINES`` in its source. A probe without it has none.
    """
    found = _literal(probe, "HEADLINES")
    return tuple(found) if isinstance(found, tuple | list) else ()


@functools.cache
def reads(probe: str) -> str:
    """Returns the name of the probe whose files a probe reads, or an empty text.

    It is the literal ``READS`` in its source.
    """
    return str(_assigned(_payload_text(probe), "READS") or "")


@functools.cache
def is_read(probe: str) -> bool:
    """Returns whether another probe reads the files that a probe leaves."""
    return any(reads(other) == probe for other in probes())


def is_headline(probe: str, metric: str) -> bool:
    """Returns whether a metric is one of the probe's headline figures."""
    return any(fnmatch.fnmatchcase(metric, pattern) for pattern in headlines(probe))


def check(probe: str) -> None:
    """Raise UsageError where a user's probe or its settings cannot be read.

    A file that is not Python is left to the cells: another Python may read it.
    """
    if (content := own(probe)) is None:
        return
    path = _own_path(probe)
    for name in ("DEFAULTS", "HEADLINES"):
        try:
            found = _assigned(content.decode(errors="replace"), name)
        except ValueError:
            raise UsageError(f"{path}: {name} is not a literal: it is read, and never run") from None
        if name == "DEFAULTS" and found is not None and not _are_settings(found):
            example = "DEFAULTS = {'units': 64}"
            raise UsageError(f"{path}: DEFAULTS is a dict of names and plain values, such as {example}")
        if name == "HEADLINES" and found is not None and not _are_names(found):
            raise UsageError(f"{path}: HEADLINES is a tuple of names of figures, such as HEADLINES = ('step_s',)")


def check_syntax(probe: str, python: str = "") -> None:
    """Raise UsageError where a user's probe is not Python, with the line.

    ``python``: of the cell. One that is newer than this one may understand what this one does not. Without it, this
    one has to understand it: it reads the settings.
    """
    content = own(probe)
    if content is None or (python and versions.release(python) > sys.version_info[:2]):
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # an unknown escape in a string
            ast.parse(content)
    except SyntaxError as error:
        raise UsageError(f"{_own_path(probe)}, line {error.lineno or 1}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{_own_path(probe)}: is not Python: {error}") from None


def _are_settings(found: object) -> bool:
    plain = (str, int, float, bool, type(None))
    return isinstance(found, dict) and all(
        isinstance(key, str)
        and (isinstance(value, plain) or (isinstance(value, list) and set(map(type, value)) <= {*plain}))
        for key, value in found.items()
    )


def _are_names(found: object) -> bool:
    return isinstance(found, tuple | list) and all(isinstance(name, str) for name in found)


def own(probe: str) -> bytes | None:
    """Returns the content of a user's probe, as it was when it was first read.

    None for a probe of the payload. A file that is changed while a run lasts does not come into half of its processes.
    Raises UsageError where the file cannot be read.
    """
    path = _own_path(probe)
    return _content(path) if path else None


def file(probe: str) -> Path | None:
    """Returns the path of a user's probe; None for a probe of the payload."""
    return _own_path(probe)


def gives_model(probe: str) -> bool:
    """Returns whether a user's probe has a function ``diagnose``.

    It returns a model and data. The text is read, never run: another Python may be the one that understands it.
    """
    return bool(re.search(rb"^(?:async )?def diagnose\b|^diagnose\b[^=\n]*=", own(probe) or b"", re.MULTILINE))


def added(probe: str) -> dict[str, bytes]:
    """Returns what a process of a user's probe gets besides files of the payload.

    Relative paths and contents; nothing for a probe of the payload.
    """
    content = own(probe)
    return {} if content is None else {f"probe/{probe}.py": _ADAPTER.encode(), f"{OWN}/{probe}.py": content}


def _own_path(probe: str) -> Path | None:
    found = configuration.here()
    return found.probe_file(probe) if found else None


@functools.cache
def _content(path: Path) -> bytes:
    try:
        return texts.content(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _literal(probe: str, name: str) -> Any:
    """The literal that a name in the probe's source is given; None where it has none."""
    text = _payload_text(probe)
    if not text:
        try:
            text = (own(probe) or b"").decode(errors="replace")
        except UsageError:  # an error where the probe is to run, not where its results are read
            return None
    try:
        return _assigned(text, name)
    except ValueError:
        return None


@functools.lru_cache(maxsize=512)
def _assigned(text: str, name: str) -> Any:
    """The literal that a name in a text is given; None where it has none.

    None for a text that is not Python, too. Raises ValueError where it is not a literal.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, RecursionError, ValueError):
        return None
    for node in body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return ast.literal_eval(node.value)
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == name:
            return ast.literal_eval(node.value)
    return None


@functools.cache
def _payload_text(probe: str) -> str:
    return dict(_entries()).get(probe, "")


def probe_hash(probe: str) -> str:
    """Returns the sha256 over the files that the probe needs.

    It hashes relative path, NUL, content, NUL of each, in the order of the paths; those of a user's probe last.
    """
    return _hash(files(probe), tuple(added(probe).items()))


@functools.cache
def _hash(names: tuple[str, ...], more: tuple[tuple[str, bytes], ...]) -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0" + (SOURCE / name).read_bytes() + b"\0")
    for name, content in more:
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def files(probe: str) -> tuple[str, ...]:
    """Returns the files of the payload that a process of the probe is given.

    These are the files that it can import, as sorted relative paths. Imports are followed file by file, those inside
    functions included. So a change to one file leaves the results of every probe that does not use it valid. A package
    brings its ``__init__`` and its files that are not Python.
    """
    return _files(_RUNS_OWN if _own_path(probe) else probe)


@functools.cache
def _files(probe: str) -> tuple[str, ...]:
    needed: set[str] = set()
    due = {*_module(()), *_module(("__main__",)), *_module((probe,))}
    while due:
        name = due.pop()
        needed.add(name)
        due |= _imported(name) - needed
    return tuple(sorted(needed))


_STATEMENT = re.compile(
    r"^[ \t]*(from[ \t]+\.[\w.]*[ \t]+import[ \t]+(?:\([^)]*\)|[^\n#;]*))"
    r"|^(MODULES_BY_NAME[ \t]*=[ \t]*\{[^}]*\}|LOADED_BY_NAME[ \t]*=[^\n#]*)",
    re.MULTILINE,
)
"""The statements by which a file of the payload names others. Parsing whole files would dominate a rerun's time."""


@functools.cache
def _imported(name: str) -> set[str]:
    """The payload's files that one of them imports, anywhere in its text."""
    if not name.endswith(".py"):
        return set()
    package = tuple(name.split("/")[:-1])
    found: set[str] = set()
    for imports, names in _STATEMENT.findall((SOURCE / name).read_text(encoding="utf-8")):
        (node,) = ast.parse(imports or names).body
        if isinstance(node, ast.ImportFrom):
            parent = (*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ()))
            found |= _module(parent)
            for alias in node.names:
                found |= _module((*parent, alias.name))
        elif isinstance(node, ast.Assign):
            value = ast.literal_eval(node.value)
            for module in value.values() if isinstance(value, dict) else _matching(package, value):
                found |= _module((*package, module))
    return found


def _matching(package: tuple[str, ...], pattern: str) -> list[str]:
    """The modules of a package whose file names match."""
    return [path.stem for path in SOURCE.joinpath(*package).glob(pattern)]


def _module(parts: tuple[str, ...]) -> set[str]:
    """The files of a module or package of the payload with its parents' ``__init__``.

    Empty where there is none.
    """
    found = SOURCE.joinpath(*parts)
    if parts and found.with_suffix(".py").is_file():
        return {"/".join(parts) + ".py", *(_module(parts[:-1]))}
    if not found.is_dir():
        return set()
    of_package = {path.name for path in found.iterdir() if path.is_file() and path.suffix not in (".py", ".pyc")}
    of_package |= {"__init__.py"} if (found / "__init__.py").is_file() else set()
    return {"/".join((*parts, name)) for name in of_package} | (_module(parts[:-1]) if parts else set())


def _entries() -> Iterator[tuple[str, str]]:
    for path in SOURCE.iterdir():
        if path.suffix == ".py" and not path.stem.startswith("_"):
            yield path.stem, path.read_text(encoding="utf-8")
        elif (path / "__init__.py").is_file():
            yield path.name, (path / "__init__.py").read_text(encoding="utf-8")
