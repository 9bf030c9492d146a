"""Lines of text for a terminal: wrapped, padded and coloured, never markup."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runner.report import numbers

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAP = "  "
_MOST_LABEL = 36
"""Longer versions and names are cut."""
_FIXED_SPACE = "\u00a0"
_UNIT = re.compile(r"(?<=\d) (?=(?:%|u|pts|[mµn]?s|[kMGT]?B)(?:\W|$))")
"""The space between a number and its unit."""
_ASCII = str.maketrans({
    "◆": ">", "✗": "x", "✓": "+", "≠": "#", "Δ": "d", "…": "~", "─": "-", "·": "-", "×": "x", "−": "-", "–": "-",
    "µ": "u", "∞": "I", "▁": "_", "▂": ".", "▃": ",", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#", "╎": "|",
})  # fmt: skip
"""One character for one, so that columns stay where they are."""


def text(content: str, style: str = "") -> Text:
    """One line, shown as it is.

    What a framework or a file contains is never read as markup.
    """
    from rich.text import Text

    line = Text(no_wrap=True, overflow="ignore")
    line.append(content, style)
    return line


def wrap(content: str, width: int) -> list[str]:
    """The content in lines of at most ``width``, at least one.

    Addresses, options and figures are not broken.
    """
    content = _UNIT.sub(_FIXED_SPACE, content)
    broken = textwrap.wrap(content, max(16, width), break_on_hyphens=False, break_long_words=False)
    return [line.replace(_FIXED_SPACE, " ") for line in broken] or [""]


def wrapped(content: str, width: int, style: str = "") -> list[Text]:
    """The content as lines of one style."""
    return [text(line, style) for line in wrap(content, width)]


def together(parts: Iterable[str], width: int) -> str:
    """Parts next to each other that a line end must not tear.

    A part that is longer than a line is the exception.
    """
    return GAP.join(part.replace(" ", _FIXED_SPACE) if len(part) <= width else part for part in parts)


def items(bullet: str, content: str, width: int, style: str = "") -> list[Text]:
    """One list item, later lines indented under the first; ``style`` is the bullet's."""
    indent = " " * (cells(bullet) + 1)
    broken = wrap(content, width - len(indent))
    return [text(f"{bullet} " if n == 0 else indent, style).append(line, "") for n, line in enumerate(broken)]


def section(heading: str, contents: Sequence[str], width: int, most: int = 30) -> list[Text]:
    """A heading and a list under it, or nothing where there is nothing to list."""
    if not contents:
        return []
    lines = [text(""), text(heading, "bold")]
    for content in contents[:most]:
        lines += items("-", content, width)
    if len(contents) > most:
        lines.append(text(f"  and {len(contents) - most} more (--format html has all)", "dim"))
    return lines


def cells(content: str) -> int:
    """The width of a text on the terminal; some characters take two places, some none."""
    from rich.cells import cell_len

    return cell_len(content)


def short(name: str) -> str:
    """A version or a name, cut where it is longer than a column should be."""
    return numbers.shorten(name, _MOST_LABEL)


def pad(content: str, width: int) -> str:
    """The text, filled with spaces on the right."""
    return content + " " * max(0, width - cells(content))


def ascii_only(line: Text) -> Text:
    """The same line for a terminal whose encoding has nothing else."""
    plain = line.plain.translate(_ASCII)
    line.plain = "".join(c if c.isascii() else "?" for c in plain)
    return line


def needs_ascii(console: Console) -> bool:
    """Whether the console's encoding lacks the symbols."""
    return "utf" not in console.encoding.lower()
