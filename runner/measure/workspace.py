"""Puts the parts of a run together: this host, the executors, the data, the plan. The edge where things are real."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from runner import data
from runner.cli.options import Chosen
from runner.environments import lock
from runner.errors import UsageError, suggest
from runner.executors import Executor, Prepared, Say
from runner.executors.ping import engine_problem
from runner.machine import facts
from runner.matrix import compat, plan, sets
from runner.measure import scheduler
from runner.model import Cell, Environment, Plan, ProbeSpec
from runner.results.store import Store

if TYPE_CHECKING:
    from runner.images import Builder

APP = "keras-version-matrix"


def cache_dir() -> Path:
    """Where data, host environments and locks made on the way are kept."""
    return Path(platformdirs.user_cache_dir(APP))


def state_dir() -> Path:
    """Where calibrations and what was last used are kept."""
    return Path(platformdirs.user_data_dir(APP))


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


@contextmanager
def executors() -> Iterator[dict[str, Executor]]:
    """All executors, none of which has contacted anything yet; closed at the end."""
    from runner import images
    from runner.executors.current import CurrentExecutor
    from runner.executors.docker import DockerExecutor
    from runner.executors.host import HostExecutor

    builder = images.Builder()
    made: dict[str, Executor] = {
        "docker": DockerExecutor(functools.partial(_image, builder)),
        "host": HostExecutor(cache_dir() / "environments"),
        "current": CurrentExecutor(),
    }
    try:
        yield made
    finally:
        builder.close()
        for executor in made.values():
            executor.close()


def _image(builder: Builder, environment: Environment, say: Say) -> Prepared:
    """The environment's image, built where it is not there."""
    pinned = lock.locked(environment, say)
    image = builder.build(environment, pinned, say)
    return Prepared(
        environment, image.id, pinned.sha256, pinned.packages, pinned.notes, image.size_bytes, image.seconds
    )


def context(
    made: dict[str, Executor],
    store: Store,
    chosen: Chosen,
    files: Mapping[str, data.DataFile],
    *,
    fresh: bool,
    jobs: int,
    builds: int,
) -> scheduler.Context:
    """What ``run.run`` works with."""
    return scheduler.Context(
        executors=made,
        store=store,
        data=files,
        host=facts.fingerprint(facts.here()),
        variants={name: variant.env for name, variant in chosen.whole.variants.items()},
        fresh=fresh,
        jobs=jobs,
        builds=builds,
    )
