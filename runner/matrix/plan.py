"""Cells + selection + facts about this host -> jobs and reasoned skips.

Pure: nothing is touched or asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.matrix import frameworks
from runner.model import Cell, Custom, Environment, Job, Limits, Plan, ProbeSpec, Skip, Status
from runner.util import versions

AUTO = "auto"
"""In place of an executor's name: the first one that is available and reaches the cell's device."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the plan must know about an executor."""

    label: str
    """Where it runs cells: ``containers``."""
    isolated: bool
    """Whether it runs them on the containers' platform, without MPS."""
    problem: str = ""
    """Why it cannot be used here, or empty."""


@dataclass(frozen=True, slots=True)
class Host:
    """What the plan must know of this machine."""

    platform: str
    """Of processes started here: ``linux-x86_64``, ``linux-aarch64``, ``macos-arm64`` ..."""
    container_platform: str
    """Of processes in containers."""
    executors: Mapping[str, Offer]
    """By name: the one that was asked for, or all that ``auto`` may choose, the preferred one first."""
    mps: bool = False
    cuda: Callable[[Environment], str] = lambda _environment: "no NVIDIA GPU here"
    """Why that environment cannot use a GPU here (driver too old, compute capability too low), or empty."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a user's library needs in every environment, next to what the axes say."""

    lines: tuple[str, ...] = ()
    """Requirement lines, with markers."""
    extras: tuple[str, ...] = ()
    """The extras for which markers are evaluated."""


NOTHING = Needs()
"""No library."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for."""

    probes: tuple[ProbeSpec, ...]
    rounds: int = 1
    seed: int = 0
    executor: str = AUTO
    platform: str = ""
    """The only platform the cells are for, or empty."""
    custom: Custom | None = None
    """What all environments have in addition."""
    needs: Needs = NOTHING


def build_of(cell: Cell) -> str:
    """Which wheels a cell's device needs.

    PyTorch's macOS wheels bring MPS; the others need a Metal plug-in.

    >>> build_of(Cell("torch", "2.2.2", "3.8.0", "3.11", "mps"))
    'cpu'
    """
    return frameworks.of(cell.framework).build(cell.device)


def environment_of(cell: Cell, platform: str, custom: Custom | None = None, needs: Needs = NOTHING) -> Environment:
    """The environment a cell runs in.

    ``custom``: what a set adds to all of its cells. Pins of the cell's own axes are left out. ``needs`` of a library
    count for these too: a release that it does not allow is a conflict.
    """
    more = versions.requirements_for(needs.lines, needs.extras, cell.python, platform) if needs.lines else ()
    if custom or more:
        custom = custom or Custom()
        own = {*frameworks.parts_of("keras"), *frameworks.of(cell.framework).distributions}
        own.add(frameworks.nightlies().get(cell.framework, cell.framework))
        pins = tuple(line for line in custom.pins if versions.project(line) not in own)
        custom = replace(custom, pins=pins, needs=(*custom.needs, *more))
        custom = custom if custom != Custom() else None
    return Environment(cell.framework, cell.version, cell.keras, cell.python, build_of(cell), platform, custom)


def plan(cells: Sequence[Cell], skips: Iterable[Skip], selection: Selection, host: Host) -> Plan:
    """All jobs in the order in which they run.

    Rounds are outermost, so that each round pairs all cells.

    Within a round every probe visits all cells, and the cell that leads moves on by one each round, so that no
    cell always runs first.
    """
    skipped = list(skips)
    notes: list[str] = []
    placed: list[tuple[Cell, Environment, str]] = []
    for cell in cells:
        environment, executor, reason = _place(cell, selection, host)
        if selection.platform not in ("", host.platform):
            reason = f"this set is for {selection.platform}; this is {host.platform}"
        if reason:
            skipped.append(Skip(cell, Status.UNAVAILABLE, reason))
        else:
            placed.append((cell, environment, executor))
    preferred = next(iter(host.executors.values()))
    used = dict.fromkeys(host.executors[where].label for _, _, where in placed)
    if selection.executor == AUTO and preferred.problem and used:
        notes.append(f"{preferred.problem}: running in {' and '.join(used)} instead of {preferred.label}")
    jobs = tuple(
        job
        for number in range(selection.rounds)
        for job in round_jobs(placed, selection.probes, number, selection.seed)
    )
    return Plan(jobs, tuple(skipped), tuple(notes))


def round_jobs(
    placed: Sequence[tuple[Cell, Environment, str]], probes: Sequence[ProbeSpec], number: int, seed: int
) -> list[Job]:
    """The jobs of one round, led by another cell than the round before."""
    lead = number % len(placed) if placed else 0
    order = [*placed[lead:], *placed[:lead]]
    return [
        Job(cell, environment, probe, number, seed + number, executor)
        for probe in probes
        for cell, environment, executor in order
        if probe.runs_in(cell)
    ]


PROBE_DISK_BYTES = 2 << 30
"""What a probe may write into its folder. Those of this project write a result of some kilobytes to megabytes."""


def default_limits(timeout_s: float, memory_total: int, jobs: int = 1) -> Limits:
    """The limits of a process, which leave the machine an eighth of its memory.

    At least 1 GiB, so that running out of memory ends the cell and nothing else. ``jobs`` processes at once share what
    is left.
    """
    spare = max(memory_total // 8, 1 << 30)
    memory = max((memory_total - spare) // jobs, 1 << 29)
    return Limits(timeout_s=timeout_s, memory_bytes=memory, disk_bytes=PROBE_DISK_BYTES)


def _place(cell: Cell, selection: Selection, host: Host) -> tuple[Environment, str, str]:
    """Environment, executor, and why the cell cannot run here.

    The reason is empty where it can.
    """
    where = _automatic(cell, host) if selection.executor == AUTO else selection.executor
    offer = host.executors[where]
    platform = host.container_platform if offer.isolated else host.platform
    environment = environment_of(cell, platform, selection.custom, selection.needs)
    return environment, where, _obstacle(cell, environment, offer, host)


def _automatic(cell: Cell, host: Host) -> str:
    """The first executor that is available and reaches the cell's device.

    Else the last one.
    """
    for name, offer in host.executors.items():
        if not offer.problem and not (offer.isolated and cell.device == "mps"):
            return name
    return list(host.executors)[-1]


def _obstacle(cell: Cell, environment: Environment, offer: Offer, host: Host) -> str:
    if cell.device == "mps":
        if offer.isolated:
            return "MPS cannot be reached from a container: use --executor host on a Mac"
        if not host.mps:
            return f"MPS needs macOS on Apple silicon; this is {host.platform}"
    if offer.problem:
        return offer.problem
    if cell.device == "cuda":
        return host.cuda(environment)
    return ""


@dataclass(frozen=True, slots=True)
class Target:
    """A cell to run in, and how its environment differs from the cell's own."""

    cell: Cell
    custom: Custom | None
    notes: tuple[str, ...] = ()


def environments(cells: Iterable[Cell], custom: Custom | None = None) -> tuple[Environment, ...]:
    """The environments that the repository keeps files for.

    Linux x86-64, and macOS for cells that need Metal.

    A set with an MPS cell runs on a Mac as a whole, so its CPU cells have a macOS environment.
    """
    cells = tuple(cells)
    mac = any(cell.device == "mps" for cell in cells)
    platform = "macos-arm64" if mac else "linux-x86_64"
    return tuple(dict.fromkeys(environment_of(cell, platform, custom) for cell in cells))
