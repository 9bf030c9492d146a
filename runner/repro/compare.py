"""What several cells printed, side by side, and which figures in it differ. Pure."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from runner.repro.script import Ran
from runner.util.plain import printable, uncoloured

Value = float | str
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)"
_PAIR = re.compile(rf"(?<![\w.-])([A-Za-z_][\w.]*)=({_NUMBER}|[A-Za-z0-9_.:+-]+)(?=[\s,;)\]]|$)")
_DEEPEST = 16
"""Figures that are nested deeper in a line of JSON are not taken for figures."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure in all cells; None where a cell did not print it."""

    name: str
    values: tuple[Value | None, ...]
    note: str
    """``equal``, ``differ``, ``differ by 1.2 %``, ``not everywhere``."""


def clean(output: str) -> str:
    """The output without colours, and without what a progress bar overwrote."""
    lines = (line.rstrip("\r").rpartition("\r")[2].rpartition("\b")[2] for line in uncoloured(output).split("\n"))
    return printable("\n".join(line.rstrip() for line in lines))


def values(output: str, patterns: Sequence[re.Pattern[str]] = ()) -> dict[str, Value]:
    """The figures in an output.

    They are ``key=value`` words, lines of JSON objects, and what the patterns capture.
    Where a name comes several times the last one counts. A pattern's groups are called by their names, else by
    the pattern itself.
    """
    found: dict[str, Value] = {}
    for line in clean(output).splitlines():
        text = line.strip()
        if text.startswith("{") and text.endswith("}"):
            found |= _json(text)
        else:
            found |= {name: _value(value) for name, value in _PAIR.findall(text)}
    for pattern in patterns:
        for match in pattern.finditer(clean(output)):
            named = {name: text for name, text in match.groupdict().items() if text is not None}
            plain = [text for text in match.groups() if text is not None]
            found |= {name: _value(text) for name, text in (named or {pattern.pattern: (plain or [""])[0]}).items()}
    return found


def rows(all_values: Sequence[dict[str, Value]]) -> tuple[Row, ...]:
    """The figures of all cells, in the order in which they were first printed."""
    names = dict.fromkeys(name for one in all_values for name in one)
    return tuple(_row(name, [one.get(name) for one in all_values]) for name in names)


def render(ran: Sequence[Ran], patterns: Sequence[re.Pattern[str]], width: int) -> list[str]:
    """The outputs and the figures as lines for the terminal.

    The outputs are side by side where they fit, else one below the other.
    """
    lines: list[str] = []
    column = (width - 3 * (len(ran) - 1)) // max(len(ran), 1)
    heads = [f"{one.cell}: {_end(one)}" for one in ran]
    texts = [clean(one.output).strip("\n").splitlines() for one in ran]
    if len(ran) > 1 and column >= 38:
        wrapped = [
            [*_wrap(head, column), "-" * column, *(piece for line in text for piece in _wrap(line, column))]
            for head, text in zip(heads, texts, strict=True)
        ]
        for number in range(max(map(len, wrapped))):
            cells = [(column_[number] if number < len(column_) else "").ljust(column) for column_ in wrapped]
            lines.append(" | ".join(cells).rstrip())
    else:
        for head, text in zip(heads, texts, strict=True):
            lines += [head, "-" * min(len(head), width), *text, ""]
    lines += [f"{one.cell}: {one.reason}" for one in ran if one.reason]
    again = [f"  {one.command}" for one in ran if one.command]
    lines += [*_figures(ran, patterns), *(["", "Run one cell again", *again] if again else [])]
    return [printable(line) for line in lines]


def _figures(ran: Sequence[Ran], patterns: Sequence[re.Pattern[str]]) -> list[str]:
    compared = rows([values(one.output, patterns) for one in ran])
    if not compared:
        return []
    widths = [max(len(row.name) for row in compared), *(max(len(one.cell), 12) for one in ran)]
    lines = ["", "  ".join(text.ljust(size) for text, size in zip(("", *(o.cell for o in ran)), widths, strict=True))]
    for row in compared:
        shown = (row.name, *("-" if value is None else _shown(value) for value in row.values))
        line = "  ".join(text.ljust(size) for text, size in zip(shown, widths, strict=True))
        lines.append(f"{line}  {row.note}".rstrip() if len(ran) > 1 else line.rstrip())
    return [line.rstrip() for line in lines]


def _row(name: str, found: Sequence[Value | None]) -> Row:
    there = [value for value in found if value is not None]
    if len(there) < len(found):
        note = "not everywhere"
    elif all(_same(value, there[0]) for value in there):
        note = "equal"
    elif all(isinstance(value, float) and math.isfinite(value) for value in there):
        numbers = [float(value) for value in there]
        scale = max(abs(number) for number in numbers)
        spread = max(numbers) / scale - min(numbers) / scale  # each for itself: a difference could overflow
        note = f"differ by {100 * spread:.3g} %"
    else:
        note = "differ"
    return Row(name, tuple(found), note)


def _same(a: Value, b: Value) -> bool:
    return a == b or (a != a and b != b)  # here nan equals nan


def _json(text: str) -> dict[str, Value]:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return dict(_flat(decoded, "", 0)) if isinstance(decoded, dict) else {}


def _flat(value: object, name: str, depth: int) -> list[tuple[str, Value]]:
    if depth > _DEEPEST:
        return []
    if isinstance(value, dict):
        return [
            pair
            for key, inner in value.items()
            for pair in _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
        ]
    if isinstance(value, bool) or value is None:
        return [(name, str(value))]
    if isinstance(value, int | float):
        try:
            return [(name, float(value))]
        except OverflowError:
            return [(name, str(value))]
    try:
        return [(name, value if isinstance(value, str) else json.dumps(value))]
    except RecursionError:
        return []


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text


def _shown(value: Value) -> str:
    return f"{value:.10g}" if isinstance(value, float) else value


def _end(one: Ran) -> str:
    code = f"exit code {one.exit_code}" if one.exit_code is not None else str(one.status)
    status = "" if one.status in ("ok", "crashed") else f", {one.status}"
    return f"{code}{status}, {one.wall_s:.1f} s" if one.exit_code is not None else code


def _wrap(line: str, width: int) -> list[str]:
    return textwrap.wrap(line.expandtabs(), width, drop_whitespace=False, break_on_hyphens=False) or [""]
