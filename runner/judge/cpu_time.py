"""Wall time against CPU time.

Where only one of them moved, the machine is suspected before the version.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runner.model import Comparison, Verdict

_DECIDED = (Verdict.REGRESSED, Verdict.IMPROVED)


def remarked(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Add a remark to every change of a wall time whose CPU time did not move with it."""
    by_name = {(c.baseline, c.candidate, c.probe, c.metric): c for c in comparisons}
    return [
        replace(c, reason=f"{c.reason}; {remark}") if c.verdict in _DECIDED and (remark := _remark(c, by_name)) else c
        for c in comparisons
    ]


def cpu_names(metric: str) -> tuple[str, ...]:
    """What the CPU time that belongs to a wall time may be called.

    >>> cpu_names("free.fit_s"), cpu_names("process_s"), cpu_names("step_wall_s")
    (('free.fit_cpu_s',), ('process_cpu_s', 'cpu_s'), ('step_wall_cpu_s', 'step_cpu_s'))
    """
    if not metric.endswith("_s") or re.search(r"(^|_|\.)cpu_s$", metric):
        return ()
    stem = metric.removesuffix("_s")
    names = [f"{stem}_cpu_s"]
    if stem == "process":
        names.append("cpu_s")
    if stem.endswith("wall"):
        names.append(f"{stem.removesuffix('wall')}cpu_s")
    return tuple(names)


def _remark(c: Comparison, by_name: dict[tuple[str, str, str, str], Comparison]) -> str:
    names = ((c.baseline, c.candidate, c.probe, name) for name in cpu_names(c.metric))
    cpu = next((by_name[name] for name in names if name in by_name), None)
    if cpu is None or cpu.evidence.effect is None or c.evidence.effect is None or c.evidence.floor is None:
        return ""
    moved = cpu.evidence.effect
    if abs(moved) <= c.evidence.floor or (moved > 0) != (c.evidence.effect > 0):
        return f"CPU time {moved:+.1%}: the machine was busy, or the process waits"
    return ""
