"""Strict TOML: unknown keys and wrong types are errors that name the file, the place and the nearest known key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runner.errors import UsageError, suggest

T = TypeVar("T")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `\$?(?P<where>[^`]*)`)?")


def load(path: Path, kind: type[T]) -> T:
    """Read ``path`` as ``kind``, a msgspec Struct with ``forbid_unknown_fields``.

    Raises UsageError, in one line, where the file is missing, is no TOML (with the line), or does not fit.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_explain(str(error), kind)}") from None


def _explain(message: str, kind: Any) -> str:
    found = _UNKNOWN.search(message)
    if not found:
        return message.replace("$.", "").replace("`$`", "the file")
    where = (found["where"] or "").lstrip(".")
    place = f" in {where}" if where else ""
    return f"unknown key {found['key']!r}{place}{suggest(found['key'], sorted(_keys(kind, set())))}"


def _keys(kind: Any, seen: set[Any]) -> set[str]:
    """All field names of a Struct and of the Structs inside it: enough to suggest the right spelling from."""
    if kind in seen:
        return set()
    seen.add(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        names = set()
        for entry in msgspec.structs.fields(kind):
            names |= {entry.encode_name} | _keys(entry.type, seen)
        return names
    return set().union(*(_keys(argument, seen) for argument in getattr(kind, "__args__", ())))
