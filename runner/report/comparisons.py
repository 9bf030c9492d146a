"""Comparisons as a plain table and as JSON, with the error rate they keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from runner.judge.settings import JudgeSettings
from runner.model import Comparison, Verdict
from runner.util import jsontext

_HEAD = ("metric", "baseline", "candidate", "verdict", "effect", "interval", "p", "adjusted", "n", "needs", "")
_RIGHT = frozenset({"effect", "p", "adjusted", "n", "needs"})


def text(comparisons: Sequence[Comparison], settings: JudgeSettings, *, as_json: bool) -> str:
    """The comparisons as JSON or as a table."""
    return as_json_text(comparisons, settings) if as_json else "\n".join(table(comparisons, settings))


def table(comparisons: Sequence[Comparison], settings: JudgeSettings) -> list[str]:
    """A table with a line per comparison, and the error rate that they keep.

    ``needs`` are further rounds.
    """
    if not comparisons:
        return rates(comparisons, settings)
    rows = [_HEAD, *(_row(comparison) for comparison in comparisons)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = []
    for row in rows:
        columns = zip(row, widths, _HEAD, strict=True)
        lines.append(
            "  ".join(f"{text:>{w}}" if head in _RIGHT else f"{text:<{w}}" for text, w, head in columns).rstrip()
        )
    return [*lines, "", *rates(comparisons, settings)]


def rates(comparisons: Sequence[Comparison], settings: JudgeSettings) -> list[str]:
    """The counts of verdicts and of timings, and the error rate that was kept."""
    verdicts = Counter(comparison.verdict for comparison in comparisons)
    counted = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    timings = sum(tested(comparison) for comparison in comparisons)
    lines = [counted or "nothing to compare"]
    if timings:
        looks = f", over looks after {', '.join(map(str, settings.looks))} rounds" if len(settings.looks) > 1 else ""
        lines.append(
            f"{timings} timing comparison{'s' if timings > 1 else ''}: "
            f"at most {settings.alpha:.2g} chance of any false alarm (Holm), "
            f"{min(settings.per_comparison, settings.alpha):.2g} in each{looks}; floor {settings.floor:.0%}"
        )
    return lines


def tested(comparison: Comparison) -> bool:
    """Whether a comparison is one of those timings that share one error rate."""
    return comparison.evidence.p_adjusted is not None and comparison.evidence.spread is None


def as_json_text(comparisons: Sequence[Comparison], settings: JudgeSettings) -> str:
    """The comparisons and their settings as JSON.

    ``{"schema", "alpha", "floor", "looks", "timing_comparisons", "comparisons": [...]}``
    """
    content = {
        "schema": 1,
        "alpha": settings.alpha,
        "floor": settings.floor,
        "looks": settings.looks,
        "timing_comparisons": sum(map(tested, comparisons)),
        "comparisons": comparisons,
    }
    return jsontext.escaped(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())


def _row(comparison: Comparison) -> tuple[str, ...]:
    e = comparison.evidence
    low, high = (_percent(limit) for limit in (e.low, e.high))
    needs = "" if e.rounds_needed is None else str(e.rounds_needed)
    return (
        f"{comparison.probe}:{comparison.metric}" if comparison.probe else comparison.metric,
        comparison.baseline,
        comparison.candidate,
        comparison.verdict.value,
        _percent(e.effect) if not e.classification else "",
        f"{low} .. {high}" if low or high else "",
        "" if e.p is None else f"{e.p:.2g}",
        "" if e.p_adjusted is None else f"{e.p_adjusted:.2g}",
        str(e.n) if e.n else "",
        needs,
        comparison.reason,
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"
