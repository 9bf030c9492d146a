"""Writes a set as job matrices of GitHub Actions (``runner list --github``)."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from runner.environments import index, lock
from runner.errors import CellError, UsageError
from runner.judge import Pair, pairs, rules
from runner.matrix import plan, selection
from runner.measure import blocks, shards
from runner.model import Cell, Custom, Environment, Skip, Status
from runner.results.store import RunRecord, Store
from runner.util.plain import printable, say


@dataclass(frozen=True, slots=True)
class Request:
    """What ``list --github`` was asked for."""

    set_name: str | None
    only: tuple[str, ...]
    folder: Path
    condensed: bool | None
    """None: as for the event that GitHub names, condensed for pull requests."""
    probes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    rounds: int | None = None
    """Rounds, and no more. None: one, and further ones while the minutes of the job last."""
    shard_minutes: float = 120.0
    max_shards: int = shards.JOB_LIMIT
    cuda_labels: str = ""


def write(request: Request) -> list[str]:
    """Write ``run.json``, ``plan.md`` and ``not-run/<shard>/run.json`` to the folder.

    Returns ``<kind of machine>=<job matrix in JSON>`` for every kind, as GITHUB_OUTPUT takes them. Raises UsageError.
    """
    chosen = selection.choose(request.set_name, request.only, index.nightly)
    specs = selection.probe_specs(chosen, request.probes, request.settings)
    found = pairs(chosen.cells, chosen.definition.prefer)
    cells, skips, notes = _wanted(request, chosen, found)
    compared = rules.compared(cells, rules.Rules(chosen.name))
    mac = chosen.definition.platform.startswith("macos") or any(cell.device == "mps" for cell in cells)
    run_s = shards.probes_s(specs, request.rounds or 1)
    loads = {cell: _load(cell, chosen.definition.custom, mac=mac) for cell in cells}
    budget = shards.Budget(minutes=request.shard_minutes, shards=request.max_shards)
    planned = shards.shards(cells, compared, loads, run_s, budget, mac=mac)
    late = [f"{shard.id}: {shards.warning(shard)}" for shard in shards.too_long(planned)]
    for line in late:
        say(f"::warning title=A shard takes too long::{line}", err=True)
    notes = (*notes, *late)
    words = ["--set", chosen.name, *(word for text in request.settings for word in ("--setting", text))]
    record = RunRecord(chosen.name, (*cells, *(skip.cell for skip in skips)), skips, notes, shlex.join(words))
    Store(request.folder).record(record)
    for shard in planned:
        if shard.machine == blocks.CUDA:
            _not_run(request, shard, record)
    text = shards.markdown(planned, loads, run_s, blocks.torn((one.cells for one in planned), compared))
    (request.folder / "plan.md").write_text(
        printable(text + "".join(f"\n- {note}\n" for note in notes)), encoding="utf-8"
    )
    return [
        f"{machine}={json.dumps([shard.job(request.rounds) for shard in planned if shard.machine == machine])}"
        for machine in blocks.MACHINES
    ]


def _wanted(
    request: Request, chosen: selection.Chosen, found: list[Pair]
) -> tuple[tuple[Cell, ...], tuple[Skip, ...], tuple[str, ...]]:
    """The cells to run, the skipped ones, and notes about the others."""
    cells = chosen.cells
    skips: tuple[Skip, ...] = ()
    notes = [*chosen.notes, *(f"left out of the set: {skip.cell.id}: {skip.reason}" for skip in chosen.skips)]
    condense = request.condensed
    if condense is None:
        condense = os.environ.get("GITHUB_EVENT_NAME") == "pull_request"
    if condense:
        cells = shards.condensed(cells, found)
        notes.append(f"condensed for a pull request: {len(cells)} of the set's {len(chosen.cells)} cells")
    elif not_asked := _cuda_left_out(request):
        notes.append(f"not asked for (only {' '.join(request.only)}): the set's {not_asked} CUDA cells")
    elif not request.cuda_labels:
        reason = "CUDA cells need a self-hosted runner, and no labels of one were given (cuda-labels)"
        skips = tuple(Skip(cell, Status.UNAVAILABLE, reason) for cell in cells if cell.device == "cuda")
        cells = tuple(cell for cell in cells if cell.device != "cuda")
    if not cells and not skips:
        raise UsageError("nothing to plan: no cell of the set is left")
    return cells, skips, tuple(notes)


def _cuda_left_out(request: Request) -> int:
    """How many CUDA cells the set has that the patterns left out completely."""
    if not request.only:
        return 0
    whole = selection.choose(request.set_name, (), index.nightly).cells
    chosen = selection.choose(request.set_name, request.only, index.nightly).cells
    return 0 if any(c.device == "cuda" for c in chosen) else sum(c.device == "cuda" for c in whole)


def _load(cell: Cell, custom: Custom | None, *, mac: bool) -> shards.Load:
    from runner.images import disk

    environment = plan.environment_of(cell, "macos-arm64" if mac else "linux-x86_64", custom)
    layer = f"{cell.framework}-{cell.version}_py{cell.python}_{environment.build}"
    return shards.Load(environment.id, layer, _layer_gb(environment), disk.rest_bytes() / 1e9)


def _layer_gb(environment: Environment) -> float:
    """The size of an environment's wheels, from its lock or the usual size.

    A lock says whether a CPU build carries CUDA.
    """
    from runner.images import disk

    try:
        cuda = lock.committed(environment).carries_cuda
    except (CellError, UsageError):  # it will be locked when it is first used
        cuda = disk.carries_cuda(environment)
    return disk.layer_bytes(environment, cuda=cuda) / 1e9


def _not_run(request: Request, shard: shards.Shard, record: RunRecord) -> None:
    """What is reported where no runner takes the shard in time."""
    reason = f"no runner with the labels {request.cuda_labels} answered in time"
    skips = tuple(Skip(cell, Status.UNAVAILABLE, reason) for cell in shard.cells)
    Store(request.folder / "not-run" / shard.id).record(
        RunRecord(record.set_name, shard.cells, skips, (), record.invocation)
    )
