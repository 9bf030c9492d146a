"""Strict TOML: unknown keys and wrong types are errors.

They name the file, the place and the nearest known key.
"""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from runner.errors import UsageError, suggest

T = TypeVar("T")
_PLACE = re.compile(r" - at `\$(?P<where>[^`]*?)\[\.\.\.\]")
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
    """The message of msgspec in the words of a TOML file, with the place."""
    if found := _UNKNOWN.search(message):
        key, where = found["key"], (found["where"] or "").lstrip(".")
        near = suggest(key, sorted(_keys(kind, set()) - {key}))
        return f"unknown key {key!r}{f' in {where}' if where else ''}{_line(key, text)}{near}"
    what, _, place = message.partition(" - at `$")
    where = place.removesuffix("`").lstrip(".")
    if found := _MISSING.fullmatch(what):
        return f"the key {found['key']!r} is missing{f' in {where}' if where else ''}"
    if found := _EXPECTED.fullmatch(what):
        wanted = [_WANTED.get(name, name) for name in found["wanted"].split(" | ") if name != "null"]
        rule = f"has to be {' or '.join(wanted)}{found['bound'] or ''}"
        if found["wanted"].startswith("array") and found["got"] == "object":
            rule += f", as [[{where}]]"
        got = f" is {_GOT.get(found['got'], found['got'])}; it" if found["got"] else ""
        line = _line(where.rpartition(".")[2], text).replace(", ", " (") + ")"
        return f"{where or 'the file'}{line if len(line) > 1 else ''}{got} {rule}"
    return f"{where}: {what}" if where else what


_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]*)`")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]*)`(?P<bound> [<>]=? \S+)?(?:, got `(?P<got>[^`]*)`)?")
_WANTED = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in brackets",
    "object": "a table",
    "date": "a date, as 2026-10-12",
}
"""What a value has to be, by msgspec's name of its type."""
_GOT = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _line(key: str, text: str) -> str:
    """``, line 3`` where a key is written in one line of the file alone."""
    found = [number for number, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{re.escape(key)}\s*=", line)]
    return f", line {found[0]}" if len(found) == 1 else ""


def _placed(message: str, raw: dict[str, Any], kind: Any) -> str:
    """The message with the names of tables that msgspec leaves out.

    ``sets[...]`` is ``sets.quick``.
    """
    told = message
    while found := _PLACE.search(message):
        where = found["where"]
        cuts = ((name, _alone(name, where, raw)) for name in _at(raw, where))
        name, raw = next(((name, cut) for name, cut in cuts if _problem(cut, kind) == told), ("", raw))
        if not name:
            break
        message = f"{message[: found.end('where')]}.{name}{message[found.end('where') + len('[...]') :]}"
    return message


def _at(raw: Any, where: str) -> dict[str, Any]:
    """The table at a place such as ``.sets.quick``; an empty one where there is none."""
    for part in re.findall(r"[^.\[\]]+", where):
        try:
            raw = raw[int(part)] if isinstance(raw, list) else raw[part]
        except (KeyError, ValueError, IndexError, TypeError):
            return {}
    return raw if isinstance(raw, dict) else {}


def _alone(name: str, where: str, raw: dict[str, Any]) -> dict[str, Any]:
    """The content with one entry of the table at that place alone."""
    cut = copy.deepcopy(raw)
    table = _at(cut, where)
    kept = table[name]
    table.clear()
    table[name] = kept
    return cut


def _problem(raw: dict[str, Any], kind: Any) -> str:
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


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
