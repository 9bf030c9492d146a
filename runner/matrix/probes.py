"""The payload's probes: names, settings, files and hashes. Read as text, never imported."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "probe"


_IMPORT = re.compile(r"^ *from (\.+)([\w.]*) import (\([^)]*\)|[^\n#]*)", re.MULTILINE)


def probes() -> tuple[str, ...]:
    """The names of the probes the payload has: modules and packages that define ``run(request, report)``."""
    return tuple(sorted(name for name, text in _entries() if "\ndef run(request, report)" in text))


@functools.cache
def settings(probe: str) -> dict[str, Any]:
    """The settings a probe has and their defaults, read from the literal ``DEFAULTS`` in its source, never imported."""
    import ast

    for node in ast.parse(dict(_entries()).get(probe, "")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["DEFAULTS"]:
            defaults: dict[str, Any] = ast.literal_eval(node.value)
            return defaults
    return {}


@functools.cache
def probe_hash(probe: str) -> str:
    """sha256 over the files the probe needs: relative path, NUL, content, NUL, in the order of the paths."""
    digest = hashlib.sha256()
    for name in files(probe):
        digest.update(name.encode() + b"\0" + (SOURCE / name).read_bytes() + b"\0")
    return digest.hexdigest()


@functools.cache
def files(probe: str) -> tuple[str, ...]:
    """What of the payload a process of the probe is given, as sorted relative paths: no more than it can import.

    So a change to one probe leaves the results of the others as good as they were. A package counts as a whole.
    """
    units = _units()
    needed: set[str] = set()
    due = {name for name in ("__init__", "__main__", probe) if name in units}
    while due:
        name = due.pop()
        needed.add(name)
        due |= {found for path in units[name] for found in _imported(path, set(units))} - needed
    return tuple(sorted(path for name in needed for path in units[name]))


def _units() -> dict[str, list[str]]:
    """The payload's modules and packages by name, with their files as relative paths."""
    units: dict[str, list[str]] = {}
    for path in SOURCE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            parts = path.relative_to(SOURCE).parts
            units.setdefault(parts[0] if len(parts) > 1 else path.stem, []).append("/".join(parts))
    return units


def _imported(name: str, units: set[str]) -> set[str]:
    """Which of the payload's units a file of it imports, anywhere in its text."""
    found: set[str] = set()
    text = (SOURCE / name).read_text(encoding="utf-8") if name.endswith(".py") else ""
    for dots, module, names in _IMPORT.findall(text):
        if len(dots) == name.count("/") + 1:
            found |= {module.partition(".")[0]} if module else {each.split()[0] for each in _names(names)}
    return found & units


def _names(text: str) -> list[str]:
    return [each for each in text.strip("()").replace("\n", " ").split(",") if each.strip()]


def _entries() -> Iterator[tuple[str, str]]:
    for path in SOURCE.iterdir():
        if path.suffix == ".py" and not path.stem.startswith("_"):
            yield path.stem, path.read_text(encoding="utf-8")
        elif (path / "__init__.py").is_file():
            yield path.name, (path / "__init__.py").read_text(encoding="utf-8")
