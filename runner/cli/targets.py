"""Cells named in other ways than by a set: patterns over all cells, pins, a date. For repro, bisect and shell."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.errors import UnavailableError, UsageError, suggest
from runner.machine import facts
from runner.matrix import compat, plan, sets
from runner.measure import workspace
from runner.model import Cell, Environment, Limits, ProbeSpec
from runner.repro import pins
from runner.repro.pins import Target, Wanted

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """A cell that can run here, where it runs, and in which environment."""

    cell: Cell
    environment: Environment
    executor: str
    notes: tuple[str, ...] = ()


def script_options(command: F) -> F:
    """What a script is given: packages, files, the network, limits."""
    for option in (
        click.option("--disk", default=2.0, show_default=True, type=click.FloatRange(0.001), help="GB it may write."),
        click.option("--memory", type=click.FloatRange(0.01), help="GB it may use (default: most of this machine's)."),
        click.option("--timeout", "timeout_s", default=900.0, show_default=True, type=click.FloatRange(1)),
        click.option("--network", is_flag=True, help="Let the script reach the network."),
        click.option(
            "--mount", "mounts", multiple=True, metavar="PATH[:NAME]", help="A file for the script, in its own folder."
        ),
        click.option("--with", "extra", multiple=True, metavar="PACKAGE", help="One more package, as scipy==1.10.1."),
    ):
        command = option(command)
    return command


def limits(timeout_s: float, memory: float | None, disk: float) -> Limits:
    """The limits of a script's process; memory and disk in GB."""
    default = plan.default_limits(timeout_s, facts.here().memory_bytes)
    held = int(memory * 1e9) if memory else default.memory_bytes
    return replace(default, memory_bytes=held, disk_bytes=int(disk * 1e9), log_bytes=1 << 20)


def all_cells() -> tuple[Cell, ...]:
    """The cells of all sets, each once."""
    loaded = sets.load()
    resolver = sets.Resolver(compat.latest, compat.load().python_for)
    found = (cell for one in loaded.sets.values() for cell in sets.cells(loaded, one, resolver)[0])
    return tuple(dict.fromkeys(found))


def matching(patterns: Sequence[str]) -> tuple[Cell, ...]:
    """The cells the patterns mean: of all sets, or one that a whole id spells out. Raises UsageError."""
    known = {cell.id: cell for cell in all_cells()}
    found: dict[Cell, None] = {}
    for pattern in patterns:
        hits = [cell for name, cell in known.items() if fnmatch.fnmatchcase(name, pattern)]
        if not hits and any(mark in pattern for mark in "*?["):
            raise UsageError(f"--cells {pattern!r} matches no cell{suggest(pattern, known)}; `runner list` shows them")
        found |= dict.fromkeys(hits or [sets.parse_cell(pattern)])
    return tuple(found)


def chosen(patterns: Sequence[str], wanted: Wanted) -> tuple[Target, ...]:
    """The cells of ``--cells`` with the pins on top, or those that the pins alone make. Raises UsageError."""
    if patterns:
        return tuple(dict.fromkeys(pins.on_cell(cell, wanted) for cell in matching(patterns)))
    return pins.targets(wanted)


def placed(found: Sequence[Target], executor: str) -> tuple[tuple[Place, ...], tuple[tuple[Target, str], ...]]:
    """Where each of them runs here, and those that cannot, with the reason. Raises UsageError."""
    if executor not in ("auto", "docker", "host"):
        raise UsageError(f"--executor {executor!r}{suggest(executor, ('auto', 'docker', 'host'))}")
    host = workspace.host_facts(executor)
    places: list[Place] = []
    out: list[tuple[Target, str]] = []
    for target in found:
        made = plan.plan((target.cell,), (), plan.Selection((ProbeSpec("script"),), executor=executor), host)
        for job in made.jobs:
            environment = replace(job.environment, custom=target.custom)
            problems = compat.load().problems(environment)
            if problems:
                out.append((target, problems[0]))
            else:
                places.append(Place(job.cell, environment, job.executor, (*target.notes, *made.notes)))
        out += [(target, skip.reason) for skip in made.skips]
    return tuple(places), tuple(out)


def one_place(target: Target, executor: str) -> Place:
    """Where the one cell runs. Raises UnavailableError with the reason where it cannot."""
    places, out = placed((target,), executor)
    if not places:
        raise UnavailableError(f"{target.cell.id}: {out[0][1]}")
    return places[0]


def variables(cell: Cell) -> dict[str, str]:
    """The environment variables of a cell's variant. Raises UsageError for one that is not known."""
    known = sets.load().variants
    if cell.variant and cell.variant not in known:
        raise UsageError(f"no variant {cell.variant!r}{suggest(cell.variant, known)}")
    return dict(known[cell.variant].env) if cell.variant else {}


def source(path: Path) -> str:
    """The text of a file the user names. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
