"""Strict TOML: unknown keys and wrong types are errors.

They name the file, the place and the nearest known key.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runner.errors import UsageError, suggest

T = TypeVar("T")
_PLACE = re.compile(r"at `\$\.?(?P<where>(?P<table>\w+)\[\.\.\.\](?P<rest>[^`]*))`")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `\$?(?P<where>[^`]*)`)?")


def load(path: Path, kind: type[T]) -> T:
    """Read ``path`` as ``kind``, a msgspec Struct with ``forbid_unknown_fields``.

    Raises UsageError, in one line, where the file is missing, is not TOML (with the line), or does not fit.
    """
    text, raw = read(path)
    return convert(path, text, raw, kind)


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and its content.

    Raises UsageError, in one line, where the file is missing or is not TOML (with the line).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error).replace("at end of document", f"at the end, line {len(text.splitlines())}")
        raise UsageError(f"{path}: not valid TOML: {told}") from None


def convert(path: Path, text: str, raw: dict[str, Any], kind: type[T]) -> T:
    """A table of the file ``path`` as ``kind``, a msgspec Struct.

    ``text`` is the whole file, to find lines in. Raises UsageError, in one line, where the table does not fit.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_explain(_placed(str(error), raw, kind), text, kind)}") from None


def _explain(message: str, text: str, kind: Any) -> str:
    found = _UNKNOWN.search(message)
    if not found:
        quotes = "; write it in quotes" if re.match("Expected `str`, got `(int|float|bool)`", message) else ""
        return message.replace("$.", "").replace("`$`", "the file") + quotes
    key = found["key"]
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{re.escape(key)}\s*=", line)]
    line = f", line {lines[0]}" if len(lines) == 1 else ""
    where = (found["where"] or "").lstrip(".")
    place = f" in {where}" if where else ""
    return f"unknown key {key!r}{place}{line}{suggest(key, sorted(_keys(kind, set()) - {key}))}"


def _placed(message: str, raw: dict[str, Any], kind: Any) -> str:
    """The message with the name of the table that msgspec leaves out.

    ``sets[...]`` is ``sets.quick``.
    """
    found = _PLACE.search(message)
    if not found:
        return message
    entries = {entry.encode_name: entry.type for entry in msgspec.structs.fields(kind)}
    for name, value in raw[found["table"]].items():
        try:
            msgspec.convert(value, entries[found["table"]].__args__[1])
        except msgspec.ValidationError:
            return message.replace(found["where"], f"{found['table']}.{name}{found['rest']}")
    return message


def _keys(kind: Any, seen: set[Any]) -> set[str]:
    """All field names of a Struct and of the Structs inside it.

    Enough to suggest the right spelling from.
    """
    if kind in seen:
        return set()
    seen.add(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        names = set()
        for entry in msgspec.structs.fields(kind):
            names |= {entry.encode_name} | _keys(entry.type, seen)
        return names
    return set().union(*(_keys(argument, seen) for argument in getattr(kind, "__args__", ())))
