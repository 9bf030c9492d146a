"""The payload's probes: names, settings, files and hashes.

Read as text, never imported.
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "probe"
"""The folder of the payload."""


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
    return ("ops", "training", *activities())


@functools.cache
def settings(probe: str) -> dict[str, Any]:
    """Returns the settings of a probe and their defaults.

    They are read from the literal ``DEFAULTS`` in its source. The probe is never imported.
    """
    defaults: dict[str, Any] = _literal(probe, "DEFAULTS") or {}
    return defaults


@functools.cache
def headlines(probe: str) -> tuple[str, ...]:
    """Returns the figures of a probe that a run measures until they are decided.

    They are patterns over metric names, read from the literal ``HEADLINES`` in its source. A probe without it has none.
    """
    return tuple(_literal(probe, "HEADLINES") or ())


@functools.cache
def reads(probe: str) -> str:
    """Returns the name of the probe whose files a probe reads, or an empty text.

    It is the literal ``READS`` in its source.
    """
    return str(_literal(probe, "READS") or "")


@functools.cache
def is_read(probe: str) -> bool:
    """Returns whether another probe reads the files that a probe leaves."""
    return any(reads(other) == probe for other in probes())


def is_headline(probe: str, metric: str) -> bool:
    """Returns whether a metric is one of the probe's headline figures."""
    return any(fnmatch.fnmatchcase(metric, pattern) for pattern in headlines(probe))


def _literal(probe: str, name: str) -> Any:
    """The literal that a name in the probe's source is given; None where it has none."""
    for node in ast.parse(dict(_entries()).get(probe, "")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return ast.literal_eval(node.value)
    return None


@functools.cache
def probe_hash(probe: str) -> str:
    """Returns the sha256 over the files that the probe needs.

    It hashes relative path, NUL, content, NUL of each, in the order of the paths.
    """
    digest = hashlib.sha256()
    for name in files(probe):
        digest.update(name.encode() + b"\0" + (SOURCE / name).read_bytes() + b"\0")
    return digest.hexdigest()


@functools.cache
def files(probe: str) -> tuple[str, ...]:
    """Returns the files that a process of the probe is given, as relative paths.

    These are the files that it can import, sorted. Imports are followed file by file, those inside functions included.
    So a change to one file leaves the results of every probe that does not use it valid. A package brings its
    ``__init__`` and its files that are not Python.
    """
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
