"""Divides cells into shards for a job matrix of GitHub Actions. Pure.

Comparison blocks (see ``blocks``) are put together while a machine has room and time for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.judge import Pair
from runner.measure import blocks
from runner.model import Cell, ProbeSpec
from runner.util import versions

JOB_LIMIT = 256
"""Jobs that one matrix of GitHub Actions may have."""
JOB_MINUTES = 360
"""How long a job on a hosted machine may take."""
UPLOAD_MINUTES = 10
"""What of it stays for uploading what was measured."""
LATE = 3.0
"""A job may take so many times its estimate: the assumed figures below can be off."""
MEASURING = 0.9
"""Share of the time after building in which processes run; the rest goes between them."""

START_MINUTES = 3.0
"""Checkout, Python, installing this program, making room on the disk. Assumed."""
BUILD_S_PER_GB = 60.0
"""Downloading wheels, installing and compiling them, per GB of unpacked image. Assumed."""
PULL_S_PER_GB = 25.0
"""Pulling and unpacking an image from the registry, per GB of unpacked image. Assumed: 40 MB/s."""
COMPRESSED = 0.45
"""Share of an image's size that its layers take in the registry, gzipped. Assumed."""
BASE_GB = 0.31
"""python:3.11-slim-bookworm, unpacked."""

PROCESS_S = 5.0
"""Starting a container and importing the framework and Keras: 2 to 5 s."""
IMAGE_S = 1e-3
"""Training on one image in the slower frameworks, two cores, with Keras: 0.7 ms TensorFlow, 1.1 ms JAX."""
MNIST_USUAL = {"train_samples": 60_000, "epochs": 3}
"""What the probe does where a setting is left out."""
PROBE_S: Mapping[str, float] = {"hello": 1.0, "parity": 35.0, "training": 70.0, "fitting": 55.0}
"""Measured on two cores, without ``PROCESS_S``."""
CONV2D_S: Mapping[str, float] = {"small": 15.0, "full": 90.0}
UNKNOWN_S = 300.0
"""Of a probe that nobody has measured."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a cell asks of its machine."""

    environment: str
    layer: str
    """Which framework layer the environment is made on; environments with the same one share it."""
    layer_gb: float
    rest_gb: float
    """Keras and what only Keras needs."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Minutes and GB for some cells on one machine."""

    environments: int
    layers: int
    disk_gb: float
    """Unpacked, on the machine's disk."""
    first: float
    """Minutes where every environment has to be built."""
    cached: float
    """Minutes where every image is in the registry."""
    running: float
    """Minutes of these that probes run."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The cells of one job."""

    id: str
    machine: str
    cells: tuple[Cell, ...]
    estimate: Estimate

    @property
    def timeout(self) -> int:
        """Minutes after which the job is stopped.

        It is thrice the estimate, between half an hour and what GitHub allows.
        """
        return int(min(JOB_MINUTES - UPLOAD_MINUTES, max(30.0, LATE * self.estimate.first)))

    @property
    def budget(self) -> int:
        """Minutes that processes may take in all rounds, so that the job ends in time.

        It is what the job's minutes leave when building takes thrice its estimate.
        """
        building = self.estimate.first - self.estimate.running
        return max(1, int(MEASURING * (self.timeout - LATE * building)))

    def job(self, rounds: int | None = None) -> dict[str, str | int]:
        """The shard as an entry of the job matrix.

        ``budget`` is the value of ``--budget``; none where the user asks for so many ``rounds``.
        """
        ids = " ".join(cell.id for cell in self.cells)
        budget = "" if rounds else f"{self.budget}m"
        minutes = round(self.estimate.first)
        return {"id": self.id, "cells": ids, "timeout": self.timeout, "minutes": minutes, "budget": budget}


@dataclass(frozen=True, slots=True)
class Budget:
    """How large a shard may become."""

    minutes: float = 120.0
    disk_gb: float = 45.0
    """Free on a hosted machine once the toolchains nobody needs here are removed."""
    shards: int = JOB_LIMIT


def probes_s(probes: Iterable[ProbeSpec], rounds: int) -> float:
    """Seconds that the processes of one cell take."""
    return rounds * sum(PROCESS_S + _probe_s(probe) for probe in probes)


def _probe_s(probe: ProbeSpec) -> float:
    if probe.name == "mnist":
        images, epochs = (_number(probe.settings.get(name), usual) for name, usual in MNIST_USUAL.items())
        return 2 * images * epochs * IMAGE_S  # trained twice: free and controlled
    if probe.name == "conv2d":
        return CONV2D_S.get(str(probe.settings.get("cases")), CONV2D_S["full"])
    return PROBE_S.get(probe.name, UNKNOWN_S)


def _number(value: object, usual: float) -> float:
    return value if isinstance(value, int | float) and value > 0 else usual


def estimate(cells: Iterable[Cell], loads: Mapping[Cell, Load], run_s: float) -> Estimate:
    """What these cells take on one machine.

    ``run_s``: seconds of all processes of one cell.
    """
    cells = tuple(cells)
    layers = {loads[cell].layer: loads[cell].layer_gb for cell in cells}
    rests = {loads[cell].environment: loads[cell].rest_gb for cell in cells}
    gb = sum(layers.values()) + sum(rests.values())
    running = len(cells) * run_s / 60
    first, cached = (START_MINUTES + gb * per_gb / 60 + running for per_gb in (BUILD_S_PER_GB, PULL_S_PER_GB))
    return Estimate(len(rests), len(layers), gb + BASE_GB, first, cached, running)


def registry_gb(cells: Iterable[Cell], loads: Mapping[Cell, Load]) -> float:
    """What the images of these cells take in the registry.

    Every layer counts once, compressed.
    """
    cells = tuple(cells)
    layers = {loads[cell].layer: loads[cell].layer_gb for cell in cells}
    rests = {loads[cell].environment: loads[cell].rest_gb for cell in cells}
    pythons = {cell.python for cell in cells}
    return COMPRESSED * (sum(layers.values()) + sum(rests.values()) + BASE_GB * len(pythons))


def condensed(cells: Sequence[Cell], pairs: Iterable[Pair]) -> tuple[Cell, ...]:
    """The newest CPU cell of each framework and its baselines: for pull requests."""
    baselines = {pair.candidate: pair.baseline for pair in pairs}
    kept: dict[Cell, None] = {}
    for framework in dict.fromkeys(cell.framework for cell in cells):
        own = [cell for cell in cells if cell.framework == framework and cell.device == "cpu" and not cell.variant]
        if not own:
            continue
        newest = max(own, key=lambda cell: (versions.order(cell.version), versions.order(cell.keras)))
        kept[newest] = None
        if (baseline := baselines.get(newest)) is not None:
            kept[baseline] = None
    return tuple(cell for cell in cells if cell in kept)


def shards(
    cells: Sequence[Cell],
    pairs: Sequence[Pair],
    loads: Mapping[Cell, Load],
    run_s: float,
    budget: Budget,
    *,
    mac: bool = False,
) -> tuple[Shard, ...]:
    """Divide the cells; both cells of a comparison are on one shard.

    See ``blocks`` for the comparisons that count. A block that is longer than the budget even so makes a separate
    shard. Never more than ``budget.shards``. ``mac``: all of it runs on a Mac, as it does where there is an MPS cell.
    """
    whole = blocks.cut(cells, pairs, lambda some: _fits(estimate(some, loads, run_s), budget), mac=mac)
    order = {cell: number for number, cell in enumerate(cells)}
    found = []
    for machine in blocks.MACHINES:
        groups = [list(block.cells) for block in whole if block.machine == machine]
        bins = _fewer(_packed(groups, loads, run_s, budget), budget.shards)
        for number, group in enumerate(bins, 1):
            name = f"{machine}-{number:0{max(2, len(str(len(bins))))}d}"
            found.append(
                Shard(name, machine, tuple(sorted(group, key=order.__getitem__)), estimate(group, loads, run_s))
            )
    return tuple(found)


def _packed(groups: Iterable[list[Cell]], loads: Mapping[Cell, Load], run_s: float, budget: Budget) -> list[list[Cell]]:
    """Put groups together while they fit.

    The longest come first, each into the first shard that has room.
    """
    bins: list[list[Cell]] = []
    for group in sorted(groups, key=lambda group: -estimate(group, loads, run_s).first):
        room = next((one for one in bins if _fits(estimate([*one, *group], loads, run_s), budget)), None)
        if room is None:
            bins.append([*group])
        else:
            room += group
    return bins


def _fewer(bins: list[list[Cell]], most: int) -> list[list[Cell]]:
    """At most so many: the two with the fewest cells are put together until it is so."""
    bins = [*bins]
    while len(bins) > most:
        bins.sort(key=len, reverse=True)
        last = bins.pop()
        bins[-1] += last
    return bins


def _fits(needed: Estimate, budget: Budget) -> bool:
    return needed.first <= budget.minutes and needed.disk_gb <= budget.disk_gb


def too_long(shards_: Iterable[Shard]) -> list[Shard]:
    """Shards that cannot end in time.

    Comparisons that belong together take longer there than a job may.
    """
    return [shard for shard in shards_ if shard.estimate.first > JOB_MINUTES - UPLOAD_MINUTES]


def warning(shard: Shard) -> str:
    """The warning about a shard that is too long."""
    return (
        f"would take {shard.estimate.first:.0f} minutes, and a job may take {JOB_MINUTES}: what it has not measured by "
        "then is missing; ask for fewer rounds, probes or cells"
    )


def markdown(shards_: Sequence[Shard], loads: Mapping[Cell, Load], run_s: float, torn_pairs: Sequence[Pair]) -> str:
    """The plan for a step summary: a row per shard, and the arithmetic."""
    cells = [cell for shard in shards_ for cell in shard.cells]
    imaged = [cell for shard in shards_ if shard.machine != blocks.MACOS for cell in shard.cells]
    lines = [
        f"### Plan: cells {len(cells)}, machines {len(shards_)}",
        "",
        "| shard | cells | environments | layers | disk, GB | probes, min | first run, min | from cache, min |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for shard in shards_:
        e = shard.estimate
        lines.append(
            f"| {shard.id} | {len(shard.cells)} | {e.environments} | {e.layers} | {e.disk_gb:.1f} "
            f"| {e.running:.0f} | {e.first:.0f} | {e.cached:.0f} |"
        )
    first, cached = (sum(getattr(s.estimate, name) for s in shards_) for name in ("first", "cached"))
    longest = max((s.estimate.first for s in shards_), default=0.0)
    lines += ["", f"Machine minutes: {first:.0f} for the first run, {cached:.0f} with images from the registry."]
    lines += [
        f"The longest shard takes {longest:.0f}. Images in the registry: {registry_gb(imaged, loads):.1f} GB.",
        "",
    ]
    lines += [
        f"minutes = {START_MINUTES:g} + GB x {BUILD_S_PER_GB:g} s (built) or {PULL_S_PER_GB:g} s (pulled)",
        f"+ cells x {run_s:.0f} s of probes; GB = framework layers, each once, + Keras layers;",
        f"registry = {COMPRESSED:g} x (GB + {BASE_GB:g} for each Python).",
    ]
    for shard in too_long(shards_):
        lines += ["", f"**{shard.id}** {warning(shard)}."]
    if torn_pairs:
        lines += [
            "",
            f"{len(torn_pairs)} comparisons between frameworks or devices span two machines: no timings there.",
        ]
    return "\n".join([*lines, ""])
