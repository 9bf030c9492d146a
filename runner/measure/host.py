"""Facts of this host turned into a plan."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.errors import UsageError, suggest
from runner.executors.ping import engine_problem
from runner.machine import facts
from runner.matrix import compat, plan, sets
from runner.matrix.selection import Chosen
from runner.model import Cell, Environment, Plan, ProbeSpec


@dataclass(frozen=True, slots=True)
class Wish:
    """How the user wants a plan run, beside which cells and probes."""

    executor: str = "auto"
    rounds: int = 1
    seed: int = 0
    timeout_s: float | None = None


def host_facts(executor: str) -> plan.Host:
    """What the plan must know of this machine. An engine is asked for only where it could be used."""
    here = facts.here()
    problem = engine_problem() if executor in ("auto", "docker") else "not asked for"
    return plan.Host(
        platform=here.platform,
        container_platform=facts.container_platform(here),
        engine=not problem,
        engine_reason=problem,
        mps=here.mps,
        cuda=lambda environment: _cuda_problem(environment, here),
    )


def _cuda_problem(environment: Environment, here: facts.Machine) -> str:
    """Why that environment's CUDA build cannot run on this machine's GPU, or empty."""
    if not here.gpus:
        return "no NVIDIA GPU here"
    build = compat.load().cuda(environment.framework, environment.version)
    gpu = here.gpus[0]
    return (build and build.objection(gpu.driver, gpu.compute_capability)) or ""


def cells_at_hand(device: str, only: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of the interpreter that runs this program, by pattern. Raises UsageError where it has none."""
    from runner.executors.current import cells_here

    found = tuple(cells_here(device))
    if not found:
        raise UsageError(f"--executor current: {sys.executable} has neither tensorflow, torch nor jax installed")
    return sets.select(found, only)


def planned(chosen: Chosen, cells: tuple[Cell, ...], probes: tuple[ProbeSpec, ...], wish: Wish) -> Plan:
    """The plan for this machine. Raises UsageError for an executor there is none of."""
    memory = facts.here().memory_bytes
    limited = tuple(
        replace(probe, limits=plan.default_limits(wish.timeout_s or chosen.whole.probes[probe.name].timeout_s, memory))
        for probe in probes
    )
    executor = chosen.definition.executor if wish.executor == "auto" else wish.executor
    if executor not in plan.EXECUTORS:
        known = ", ".join(plan.EXECUTORS)
        raise UsageError(f"no executor {executor!r}{suggest(executor, plan.EXECUTORS)}; there are: {known}")
    platform = "" if wish.executor == "current" else chosen.definition.platform
    selection = plan.Selection(limited, wish.rounds, wish.seed, executor, platform)
    made = plan.plan(cells, chosen.skips, selection, host_facts(executor))
    return replace(made, notes=(*chosen.notes, *made.notes))
