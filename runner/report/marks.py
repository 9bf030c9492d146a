"""Verdicts as they are drawn."""

from __future__ import annotations

from enum import Enum

from runner.model import Comparison, Verdict

BASELINE = "◆"
"""The cell that others are compared with."""


class Mark(Enum):
    """How a verdict is drawn: symbol, symbol in ASCII, meaning, style.

    The symbols differ without any colour.
    """

    WORSE = ("✗", "x", "worse", "bold red")
    BETTER = ("✓", "+", "better", "green")
    SAME = ("=", "=", "same", "dim")
    UNDECIDED = ("?", "?", "too few runs to tell", "yellow")
    EXPECTED = ("~", "~", "known failure", "magenta")
    FIXED = ("!", "!", "known failure is gone", "bold yellow")
    INCOMPARABLE = ("≠", "#", "not comparable", "dim")
    DIFFERS = ("Δ", "d", "another framework or device, no regression", "cyan")
    NONE = ("", "", "", "")

    def __init__(self, symbol: str, ascii_symbol: str, meaning: str, style: str) -> None:
        self.symbol = symbol
        self.ascii_symbol = ascii_symbol
        self.meaning = meaning
        self.style = style


_MARKS = {
    Verdict.SAME: Mark.SAME,
    Verdict.REGRESSED: Mark.WORSE,
    Verdict.BROKEN: Mark.WORSE,
    Verdict.IMPROVED: Mark.BETTER,
    Verdict.INCONCLUSIVE: Mark.UNDECIDED,
    Verdict.EXPECTED: Mark.EXPECTED,
    Verdict.NOT_COMPARABLE: Mark.INCOMPARABLE,
    Verdict.NO_BASELINE: Mark.NONE,
}
_CHANGES = frozenset({Verdict.REGRESSED, Verdict.IMPROVED, Verdict.BROKEN})


def mark(comparison: Comparison | None) -> Mark:
    """The mark of a comparison.

    An ``inconclusive`` one is never red, and what gates nothing is never red either.
    """
    if comparison is None:
        return Mark.NONE
    if comparison.verdict is Verdict.FIXED:
        return Mark.FIXED if comparison.issue else Mark.BETTER
    if not comparison.gates and comparison.verdict in _CHANGES:
        return Mark.DIFFERS
    if comparison.verdict is Verdict.INCONCLUSIVE and not comparison.evidence.n:
        return Mark.INCOMPARABLE  # no figure that can be used: more runs alone do not help
    return _MARKS[comparison.verdict]
