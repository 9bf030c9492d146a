"""Turns chosen cells and probes into a plan for this host."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner import executors
from runner.environments import index
from runner.errors import NotMeasuredError, UsageError, suggest
from runner.machine import facts
from runner.matrix import compat, frameworks, plan, selection, sets
from runner.matrix.selection import Chosen
from runner.model import Cell, Environment, Limits, Plan, ProbeSpec, Skip
from runner.results.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class Wish:
    """How the user wants a plan run."""

    executor: str = plan.AUTO
    rounds: int = 1
    seed: int = 0
    timeout_s: float | None = None
    jobs: int = 1
    """Processes at once."""


def host_facts(executor: str) -> plan.Host:
    """Collect what the plan must know about this machine.

    Only executors that could be used are asked.
    """
    here = facts.here()
    usable = executors.names(installing=True) if executor == plan.AUTO else (executor,)
    return plan.Host(
        platform=here.platform,
        container_platform=facts.container_platform(here),
        executors={name: _offer(executors.make(name)) for name in usable},
        mps=here.mps,
        cuda=lambda environment: _cuda_problem(environment, here),
    )


def _offer(executor: executors.Executor) -> plan.Offer:
    return plan.Offer(executor.label, executor.isolated, executor.available())


def _cuda_problem(environment: Environment, here: facts.Machine) -> str:
    """Why that environment's CUDA build cannot run on this machine's GPU, or empty."""
    if not here.gpus:
        return "no NVIDIA GPU here"
    build = compat.load().cuda(environment.framework, environment.version)
    gpu = here.gpus[0]
    return (build and build.objection(gpu.driver, gpu.compute_capability)) or ""


def cells_at_hand(executor: str, device: str, only: Sequence[str]) -> tuple[Cell, ...]:
    """Return the cells that an executor finds installed, by pattern.

    Raises UsageError where there are none.
    """
    found = executors.make(executor).cells(device)
    if not found:
        known = ", ".join(frameworks.table())
        raise UsageError(f"--executor {executor}: {sys.executable} has none of these installed: {known}")
    return sets.select(found, only)


def chosen(
    set_name: str | None,
    only: tuple[str, ...],
    executor: str,
    device: str = "cpu",
    *,
    own: Mapping[str, str] | None = None,
    against: str = "",
) -> Chosen:
    """The cells of a set, or those of this interpreter (executor ``current``).

    The latter take the settings of the set. ``own`` and ``against``: the versions of the user's builds, and the
    release to run next to them. Raises UsageError for what does not exist, and for a device given to another executor.
    """
    if own:
        patterns = [sets.exact_id(pattern, index.nightly) for pattern in only]
        return selection.with_sources(selection.choose(set_name, (), index.nightly), patterns, own, against)
    if not executors.installs(executor):
        return replace(selection.choose(set_name, (), index.nightly), cells=cells_at_hand(executor, device, only))
    if device != "cpu":
        raise UsageError(f"--device goes with --executor current; of a set, take --only '*_{device}*'")
    return selection.choose(set_name, only, index.nightly)


def planned(chosen: Chosen, probes: Sequence[ProbeSpec], wish: Wish) -> Plan:
    """The plan for this machine. Raises UsageError for an unknown executor."""
    made = placed(chosen.cells, chosen.skips, asked(chosen, probes, wish), wish.jobs)
    return replace(made, notes=(*chosen.notes, *made.notes))


def asked(chosen: Chosen, probes: Sequence[ProbeSpec], wish: Wish) -> plan.Selection:
    """What is asked for on any machine. Raises UsageError for an unknown executor."""
    timed = tuple(
        replace(probe, limits=Limits(timeout_s=wish.timeout_s or chosen.whole.probes[probe.name].timeout_s))
        for probe in probes
    )
    executor = chosen.definition.executor if wish.executor == plan.AUTO else wish.executor
    known = (plan.AUTO, *executors.names())
    if executor not in known:
        raise UsageError(f"no executor {executor!r}{suggest(executor, known)}; there are: {', '.join(known)}")
    platform = chosen.definition.platform if executors.installs(wish.executor) else ""
    custom = chosen.definition.custom
    return plan.Selection(timed, wish.rounds, wish.seed, executor, platform, custom, chosen.needs)


def placed(cells: Sequence[Cell], skips: Sequence[Skip], wanted: plan.Selection, jobs: int) -> Plan:
    """The plan of what is asked for on this machine.

    Of the limits of ``wanted`` only the times count. ``jobs``: processes at once, which share this machine's memory.
    """
    memory = facts.here().memory_bytes
    limited = tuple(
        replace(probe, limits=plan.default_limits(probe.limits.timeout_s, memory, jobs)) for probe in wanted.probes
    )
    return plan.plan(cells, skips, replace(wanted, probes=limited), host_facts(wanted.executor))


def record(
    chosen: Chosen,
    planned: Plan,
    invocation: str,
    max_rounds: int | None,
    budget_s: float | None = None,
    against: str = "",
) -> RunRecord:
    """What a run of the plan sets out to do.

    ``invocation`` are its arguments, quoted for a shell.
    """
    wanted = Counter((job.cell.id, job.probe.name) for job in planned.jobs)
    processes = tuple((*pair, count) for pair, count in wanted.items())
    used = tuple(dict.fromkeys(job.executor for job in planned.jobs))
    return RunRecord(
        chosen.name, chosen.cells, planned.skips, planned.notes, invocation, max_rounds, processes, budget_s, used,
        against,
    )  # fmt: skip


def check_resumed(out: Path, planned: Plan, *, automatic: bool) -> None:
    """Raise NotMeasuredError where an automatic choice would measure everything again.

    That is where the folder has results of an executor that cannot be used now, so that another one takes its place.
    ``automatic``: the user did not name the executor.
    """
    used = {job.executor for job in planned.jobs}
    if not automatic or not used or not out.is_dir():
        return
    for name in sorted(Store(out).executors() & set(executors.names(installing=True)) - used):
        offer = _offer(executors.make(name))
        if offer.problem:
            others = " and ".join(sorted(used))
            raise NotMeasuredError(
                f"{out} has results from {offer.label}, and {offer.problem}: start it and run the same "
                f"command again, or give --executor {others} to measure everything again there"
            )
