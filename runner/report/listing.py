"""A plan on the terminal: what would run, in which order, and what would not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model import Plan, Skip
from runner.report import numbers, textlines

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

_HEADINGS = ("", "cell", "probe", "round", "seed", "executor")
_NUMBERS = frozenset({0, 3, 4})


def print_plan(plan: Plan, console: Console) -> None:
    """Write the plan to the console."""
    console.print(plan_lines(plan, console.width, ascii_only=textlines.needs_ascii(console)), soft_wrap=True)


def plan_lines(plan: Plan, width: int = 100, *, ascii_only: bool = False) -> Group:
    """Every job in order, then skips with their reasons, notes and totals."""
    from rich.console import Group

    out = [*_jobs(plan)] if plan.jobs else [textlines.text("Nothing would run.", "yellow")]
    out += textlines.section("Left out", left_out(plan.skips), width, most=max(30, len(plan.skips)))
    out += textlines.section("Notes", [numbers.plain(note) for note in plan.notes], width)
    out += [textlines.text(""), *textlines.wrapped(_totals(plan), width, "bold")]
    return Group(*(textlines.ascii_only(line) if ascii_only else line for line in out))


def left_out(skips: tuple[Skip, ...]) -> list[str]:
    """Skipped cells by reason: ``unavailable: no NVIDIA GPU: cell, cell``."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for skip in skips:
        reasons.setdefault((skip.status, numbers.plain(skip.reason)), []).append(numbers.plain(skip.cell.id))
    return [f"{status}: {reason}: {', '.join(dict.fromkeys(ids))}" for (status, reason), ids in reasons.items()]


def _jobs(plan: Plan) -> list[Text]:
    rows = [
        (str(n), job.cell.id, job.probe.name, str(job.round), str(job.seed), job.executor)
        for n, job in enumerate(plan.jobs, 1)
    ]
    shown = [_HEADINGS, *(tuple(numbers.plain(part) for part in row) for row in rows)]
    widths = [max(textlines.cells(row[n]) for row in shown) for n in range(len(_HEADINGS))]
    out = []
    for number, row in enumerate(shown):
        parts = [
            part.rjust(width) if n in _NUMBERS else textlines.pad(part, width)
            for n, (part, width) in enumerate(zip(row, widths, strict=True))
        ]
        out.append(textlines.text(textlines.GAP.join(parts).rstrip(), "" if number else "dim"))
    return out


def _totals(plan: Plan) -> str:
    """The line of totals.

    ``14 processes: 7 cells in 6 environments, probes mnist and conv2d; 1 cell left out``
    """
    cells = len({job.cell for job in plan.jobs})
    environments = len({job.environment for job in plan.jobs})
    probes = ", ".join(dict.fromkeys(numbers.plain(job.probe.name) for job in plan.jobs)) or "none"
    skipped = len({skip.cell for skip in plan.skips})
    counts = (_count(len(plan.jobs), "process", "es"), _count(cells, "cell"), _count(environments, "environment"))
    left = f"; {_count(skipped, 'cell')} left out" if skipped else ""
    return f"{counts[0]}: {counts[1]} in {counts[2]}, probes: {probes}{left}"


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"
