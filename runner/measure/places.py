"""Where a cell runs on this machine, and in which environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner import executors
from runner.errors import ImpossibleError, UnavailableError, UsageError, suggest
from runner.machine import facts
from runner.matrix import compat, plan
from runner.matrix.plan import Target
from runner.measure import host
from runner.model import Cell, Environment, Limits, ProbeSpec


@dataclass(frozen=True, slots=True)
class Place:
    """A cell that can run here, where it runs, and in which environment."""

    cell: Cell
    environment: Environment
    executor: str
    notes: tuple[str, ...] = ()


def process_limits(timeout_s: float) -> Limits:
    """The limits of a probe's process on this machine."""
    return plan.default_limits(timeout_s, facts.here().memory_bytes)


TIMEOUT_S = 900.0
"""How long a script may run where no time is given."""
DISK_GB = 2.0
"""What a script may write where nothing is given."""


def limits(timeout_s: float | None, memory: float | None, disk: float | None = None) -> Limits:
    """The limits of a script's process; memory and disk in GB."""
    default = process_limits(timeout_s or TIMEOUT_S)
    held = int(memory * 1e9) if memory else default.memory_bytes
    return replace(default, memory_bytes=held, disk_bytes=int((disk or DISK_GB) * 1e9), log_bytes=1 << 20)


def placed(
    found: Sequence[Target], executor: str, *, installing: bool = True
) -> tuple[tuple[Place, ...], tuple[tuple[Target, UnavailableError], ...]]:
    """Where each of them runs here; and those that cannot, with the reason.

    ``installing``: only an executor that installs what a cell names will do. Raises UsageError for an unknown one.
    """
    known = (plan.AUTO, *executors.names(installing=installing))
    if executor not in known:
        raise UsageError(f"--executor {executor!r}{suggest(executor, known)}; there are: {', '.join(known)}")
    here = host.host_facts(executor)
    places: list[Place] = []
    out: list[tuple[Target, UnavailableError]] = []
    for target in found:
        made = plan.plan((target.cell,), (), plan.Selection((ProbeSpec("script"),), executor=executor), here)
        for job in made.jobs:
            environment = replace(job.environment, custom=target.custom)
            problems = compat.load().problems(environment)
            if problems:
                out.append((target, ImpossibleError(problems[0])))
            else:
                places.append(Place(job.cell, environment, job.executor, (*target.notes, *made.notes)))
        out += [(target, UnavailableError(skip.reason)) for skip in made.skips]
    return tuple(places), tuple(out)


def one_place(target: Target, executor: str) -> Place:
    """Where the one cell runs.

    Raises UnavailableError with the reason where it cannot, ImpossibleError where it could on no machine.
    """
    places, out = placed((target,), executor)
    if not places:
        reason = out[0][1]
        raise type(reason)(f"{target.cell.id}: {reason}")
    return places[0]
