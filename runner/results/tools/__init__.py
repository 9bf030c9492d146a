"""Reads the files of benchmark tools as samples, recognised by their content.

One module per tool makes a ``Process`` of each process that a file has. ``sampling`` makes samples of them. Repeats
inside one process are one sample, since the process is the unit of statistics.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from runner.errors import UsageError
from runner.model import Sample
from runner.results import lines
from runner.results.tools import asv, google_benchmark, hyperfine, process, pyperf, pytest_benchmark, sampling
from runner.results.tools.process import Measured
from runner.results.tools.sampling import Given, explained
from runner.util import files

__all__ = ["TOOLS", "Loaded", "explained", "load", "read", "run"]

_MODULES: tuple[ModuleType, ...] = (asv, google_benchmark, hyperfine, pyperf, pytest_benchmark)
TOOLS = tuple(module.TOOL for module in _MODULES)
_READ = f"the JSON of {', '.join(TOOLS[:-1])} and {TOOLS[-1]} is read"
_STDIN = Path("-")
_EXTENSION = re.compile(r"\.json(\.gz)?$")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The samples of files, and what the files are."""

    samples: list[Sample]
    described: list[str]
    """A line about each cell; empty for lines of JSON, which name their cells themselves."""


def load(words: Sequence[str]) -> Loaded:
    """Read files that the user names, each as ``[NAME=]PATH``, for a comparison.

    A path is that of one file of lines of JSON (see ``results.lines``), of files of tools, or of folders of such files.
    Files of one name are one cell; a file without a name is called by its own. Raises UsageError.
    """
    found = []
    for name, path in _named(words):
        for file in _files(path):
            content = _content(file)
            source = "stdin" if file == _STDIN else str(file)
            decoded = _decoded(content)
            if _is_lines(content, decoded):
                if len(words) > 1 or path.is_dir():
                    raise UsageError(f"{source}: lines of JSON name their cells themselves: give one such file alone")
                return Loaded(lines.samples(content.splitlines(), source), [])
            found.append(Given(name, _measured(decoded, source), _digest(content)))
    return Loaded(sampling.samples(found), sampling.described(found))


def run(word: str) -> tuple[str, list[Sample]]:
    """Read one file of a tool for a history: the tool, and the samples.

    The file is given as ``[NAME=]PATH``. Where the tool does not say when it measured, the time of the file stands
    for it. Raises UsageError.
    """
    ((name, path),) = _named([word])
    content = _content(path)
    decoded = _decoded(content)
    if _is_lines(content, decoded):
        raise UsageError(f"{path}: lines of JSON are for `runner judge`; for a history, {_READ}")
    measured = _measured(decoded, str(path))
    if not measured.processes:
        raise UsageError(f"{path}: no benchmark")
    if not all(one.started for one in measured.processes):
        written = process.start_of(path.stat().st_mtime)
        measured = replace(measured, processes=tuple(replace(one, started=written) for one in measured.processes))
    return measured.tool, sampling.samples([Given(name, replace(measured, alternatives=False), _digest(content))])


def read(content: bytes, source: str) -> Measured:
    """Read the content of one file of a tool. Raises UsageError naming ``source``."""
    return _measured(_decoded(content), source)


def _named(words: Sequence[str]) -> list[tuple[str, Path]]:
    """The name of the cell and the path of each ``[NAME=]PATH``.

    A path that has ``=`` and exists is not divided. Paths without a name are called by their last part, or as a whole
    where that does not distinguish them.
    """
    divided = [_divided(word) for word in words]
    for path in (path for place, (_, path) in enumerate(divided) if path in [other for _, other in divided[:place]]):
        raise UsageError(f"{path}: given twice")
    short = [name or _EXTENSION.sub("", path.resolve().name) for name, path in divided]
    return [
        (process.name(name or (last if short.count(last) == 1 else _EXTENSION.sub("", str(path)))), path)
        for (name, path), last in zip(divided, short, strict=True)
    ]


def _divided(word: str) -> tuple[str, Path]:
    if "=" not in word or Path(word).exists():
        return "", Path(word)
    name, _, rest = word.partition("=")
    if not name or not rest:
        raise UsageError(f"{word!r} is not NAME=PATH (example: before=results.json)")
    return name, Path(rest)


def _files(path: Path) -> list[Path]:
    """The file, or the files of a folder with ``2.json`` before ``10.json``."""
    if not path.is_dir():
        return [path]
    found = [one for one in path.iterdir() if one.is_file() and _EXTENSION.search(one.name)]
    if not found:
        raise UsageError(f"{path}: a folder without .json files")
    return sorted(
        found, key=lambda one: [(text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", one.name)]
    )


def _content(path: Path) -> bytes:
    content = files.given(path)
    if content.startswith(b"\x1f\x8b"):
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise UsageError(f"{path}: damaged: {error}") from None
    return content


def _decoded(content: bytes) -> Any:
    """The content as one JSON value, or a ValueError that says why it is not one."""
    try:
        return json.loads(content)  # with NaN, which JSON proper does not have and asv writes
    except RecursionError:
        return ValueError("nested too deeply")
    except ValueError as error:
        return error


def _is_lines(content: bytes, decoded: Any) -> bool:
    """Whether the content is lines of JSON for ``results.lines``, or empty."""
    first = next((line for line in content.splitlines() if line.strip()), b"")
    if not first:
        return True
    if isinstance(decoded, dict):
        return not _recognised(decoded) and bool({"cell", "metric", "value"} & decoded.keys())
    return isinstance(decoded, ValueError) and isinstance(_decoded(first), dict)


def _recognised(content: dict[str, Any]) -> ModuleType | None:
    return next((module for module in _MODULES if module.recognises(content)), None)


def _measured(decoded: Any, source: str) -> Measured:
    if isinstance(decoded, ValueError):
        raise UsageError(f"{source}: not JSON, or damaged: {_error(decoded)}; {_READ}")
    module = _recognised(decoded) if isinstance(decoded, dict) else None
    if module is None:
        raise UsageError(f"{source}: not a file of a known tool; {_READ}, and lines of JSON (`runner judge --help`)")
    try:
        measured: Measured = module.read(decoded)
    except (UsageError, msgspec.ValidationError, ValueError, OverflowError) as error:
        raise UsageError(f"{source}: {module.TOOL}: {_error(error)}") from None
    return measured


def _error(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]}, line {error.lineno}, column {error.colno}"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
