"""What ``runner doctor`` found, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from runner.report import numbers, textlines
from runner.util import jsontext

if TYPE_CHECKING:
    from rich.console import Console, Group

_MARKS = {"ok": ("✓", "green"), "none": ("-", "dim"), "warn": ("!", "bold yellow"), "fail": ("✗", "bold red")}


class Check(Protocol):
    """One thing that was looked at. Read-only, so that a frozen data class fits."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str:
        """``ok``, ``none``, ``warn`` or ``fail``."""
        ...

    @property
    def says(self) -> str: ...
    @property
    def fix(self) -> str:
        """What to do about it, or an empty string."""
        ...


def print_checks(checks: Sequence[Check], console: Console) -> None:
    """Write the checks to the console."""
    console.print(check_lines(checks, console.width, ascii_only=textlines.needs_ascii(console)), soft_wrap=True)


def check_lines(checks: Sequence[Check], width: int = 100, *, ascii_only: bool = False) -> Group:
    """The checks as lines in the order given, with a line that sums up.

    The fix is under what is missing.
    """
    from rich.console import Group

    widest = max((textlines.cells(numbers.plain(check.name)) for check in checks), default=0)
    out = []
    for check in checks:
        symbol, style = _MARKS.get(check.state, ("?", "yellow"))
        start = f"{symbol} {textlines.pad(numbers.plain(check.name), widest)}"
        out += textlines.items(start, numbers.plain(check.says), width, style)
        if check.fix and check.state != "ok":
            indent = " " * (textlines.cells(start) + 1)
            out += [
                textlines.text(indent + line, "dim")
                for line in textlines.wrap(numbers.plain(check.fix), width - len(indent))
            ]
    failed = sum(check.state == "fail" for check in checks)
    warned = sum(check.state == "warn" for check in checks)
    total = "All is in place." if not failed and not warned else f"{failed} missing, {warned} to know about."
    out += [
        textlines.text(""),
        textlines.text(total, "bold red" if failed else "bold yellow" if warned else "bold green"),
    ]
    return Group(*(textlines.ascii_only(line) if ascii_only else line for line in out))


def to_json(checks: Sequence[Check]) -> str:
    """Write the checks for programs."""
    return jsontext.dumps([{"name": c.name, "state": str(c.state), "says": c.says, "fix": c.fix} for c in checks])
