"""Simulates a nightly run of 10,000 cells on 5, 50 and 500 machines.

``python bench/scale/simulation.py`` prints the tables of docs/scale.md. The cells are cut and given out by the
program's own code (``cluster.shares``, ``cluster.dispatch``); time passes by the figures in ``Inputs``. A machine makes
each environment that it needs once, pulls it where the registry has it, and evicts the least recently used where its
disk is full. The machine that asks and the scheduler serve one block at a time.
"""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.cluster.dispatch import Dispatch, Item
from runner.cluster.shares import Share, cut
from runner.judge import Pair, rules
from runner.measure import shards
from runner.model import Cell, ProbeSpec


@dataclass(frozen=True)
class Inputs:
    """What the simulation assumes. docs/scale.md says where each figure is from."""

    layer_gb: float = 0.95
    """A framework's layer, unpacked: the mean of TensorFlow, PyTorch and JAX for CPUs in matrix/compat.toml."""
    rest_gb: float = 0.08
    """Keras and what only Keras needs, unpacked: matrix/compat.toml."""
    build_s_per_gb: float = shards.BUILD_S_PER_GB
    pull_s_per_gb: float = shards.PULL_S_PER_GB
    registry_gb_per_s: float = 1.25
    """What the registry sends to all machines together: a line of 10 Gbit/s."""
    disk_gb: float = 200.0
    overhead_s: float = 0.073
    """Of a block, between two processes of one worker: measured by measured.py on a busy machine."""
    asking_s: float = 0.013
    """CPU of the machine that asks, per block: measured by parts.py."""
    scheduler_s: float = 0.011
    """CPU of the scheduler, per block: measured by parts.py."""
    result_kb: float = 9.8
    """A result file: those of bench/report_time.py, which have the size of real ones."""
    machine_cost: float = 0.20
    """Euros per machine and hour: assumed, eight cores."""


@dataclass
class Machine:
    """One worker: when it is free, and what is on its disk."""

    free_s: float = 0.0
    busy_s: float = 0.0
    images: OrderedDict[object, float] = field(default_factory=OrderedDict)
    taken_gb: float = 0.0

    def fetch(self, wanted: Sequence[tuple[object, float]], disk_gb: float) -> float:
        """Make room for what is missing. Returns the GB of it."""
        missing = 0.0
        for name, gb in wanted:
            if name in self.images:
                self.images.move_to_end(name)
                continue
            while self.images and self.taken_gb + gb > disk_gb:
                self.taken_gb -= self.images.popitem(last=False)[1]
            self.images[name] = gb
            self.taken_gb += gb
            missing += gb
        return missing


def night(cells: int) -> list[Cell]:
    """So many cells: three frameworks, their releases, Keras and Python."""
    grid = itertools.product(("3.10", "3.11", "3.12"), range(56), range(20), ("tensorflow", "torch", "jax"))
    found = [Cell(name, f"2.{version}.0", f"3.{keras}.0", python, "cpu") for python, keras, version, name in grid]
    return found[:cells]


def simulate(found: Sequence[Share], machines: int, given: Inputs, *, cached: bool) -> dict[str, float]:
    """Run the blocks.

    Returns hours, traffic in GB, the share of the time that machines are busy, and the cost.
    """
    by_key = {f"s{number}": share for number, share in enumerate(found)}
    dispatch = Dispatch(Item(key, share.environments, lambda _resources: True) for key, share in by_key.items())
    workers = {f"w{number}": Machine() for number in range(machines)}
    for name in workers:
        dispatch.came(name, {})
    events: list[tuple[float, str, str]] = []
    asked_s = line_s = traffic = now = 0.0
    idle = list(workers)
    while not dispatch.ended:
        for name in idle:
            key = dispatch.next(name)
            if key is None:
                continue
            share = by_key[key]
            asked_s = max(asked_s, now) + max(given.asking_s, given.scheduler_s)
            wanted = {("layer", one[0], one[2]): given.layer_gb for one in share.environments}
            wanted |= {("rest", *one): given.rest_gb for one in share.environments}
            gb = workers[name].fetch(list(wanted.items()), given.disk_gb)
            ready = asked_s + gb * (given.pull_s_per_gb if cached else given.build_s_per_gb)
            if cached:
                line_s = max(line_s, now) + shards.COMPRESSED * gb / given.registry_gb_per_s
                ready = max(ready, line_s)
                traffic += shards.COMPRESSED * gb
            ends = ready + given.overhead_s + share.seconds(1)
            workers[name].busy_s += ends - now
            heapq.heappush(events, (ends, name, key))
        now, name, key = heapq.heappop(events)
        dispatch.measured(name, key, anything=True)
        dispatch.fetched(key)
        idle = [name]
    hours = now / 3600
    busy = sum(one.busy_s for one in workers.values()) / (now * machines)
    return {"hours": hours, "traffic": traffic, "busy": busy, "cost": hours * machines * given.machine_cost}


def table(title: str, found: Sequence[Share], given: Inputs) -> None:
    """Print a table of one night."""
    processes = sum(share.processes for share in found)
    work_h = sum(share.seconds(1) for share in found) / 3600
    longest = max(share.seconds(1) for share in found) / 3600
    print(f"\n### {title}\n")
    print(f"blocks {len(found)}, processes {processes}, {work_h:.0f} h of them; longest block {longest:.2f} h\n")
    print("| machines | images | hours | machines busy | from the registry, GB | machine hours | euros |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    for machines in (5, 50, 500):
        for cached in (False, True):
            one = simulate(found, machines, given, cached=cached)
            print(
                f"| {machines} | {'pulled' if cached else 'built'} | {one['hours']:.1f} | {one['busy']:.0%} | "
                f"{one['traffic']:,.0f} | {one['hours'] * machines:,.0f} | {one['cost']:,.0f} |"
            )
    print(f"\nresults: {processes * given.result_kb / 1e6:.1f} GB")


def blocks(cells: Sequence[Cell], probes: Sequence[ProbeSpec], pairs: Sequence[Pair]) -> tuple[Share, ...]:
    """The blocks of a night."""
    return cut(cells, pairs, probes, 1, 120.0)


def main() -> None:
    """Print all tables."""
    cells = night(10_000)
    pairs = rules.compared(cells, rules.Rules("quick"))
    given = Inputs()
    print(given)
    free = [ProbeSpec("parity", {}, timed=False), ProbeSpec("training", {}, timed=False)]
    timed = [ProbeSpec("mnist", {"train_samples": 2000, "epochs": 1}, timed=True)]
    table("Nothing timed: parity and training in 10,000 cells", blocks(cells, free, pairs), given)
    table("Also timed: mnist, one round", blocks(cells, [*free, *timed], pairs), given)
    small = [ProbeSpec("hello", {}, timed=False)]
    table("The shortest blocks: hello", blocks(cells, small, pairs), given)


if __name__ == "__main__":
    main()
