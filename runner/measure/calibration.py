"""Measures how much a cell differs from itself on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.environments import index
from runner.errors import RunnerError, UsageError
from runner.judge import JudgeSettings, calibration, calibration_file
from runner.matrix import selection
from runner.measure import host, scheduler, workspace
from runner.measure.context import Event, Observer, noted
from runner.util import folders


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner calibrate``."""

    cell: str
    set_name: str | None
    probes: tuple[str, ...]
    rounds: int
    """Pairs of processes."""
    executor: str
    out: Path


def calibrate(request: Request, observe: Observer) -> tuple[Mapping[str, float], Path]:
    """Run the cell twice per round, and save how far equal processes can differ.

    Returns the largest relative difference by ``cell/probe/metric`` and the file that has it now. Raises RunnerError
    where there are too few timings and where the file cannot be written.
    """
    calibration_file.ready(folders.state_dir())
    chosen = selection.choose(request.set_name, (request.cell,), index.nightly)
    if len(chosen.cells) > 1:
        raise UsageError(f"{request.cell!r} matches {len(chosen.cells)} cells; one is calibrated at a time")
    probes = selection.probe_specs(chosen, request.probes, ())
    planned = host.planned(chosen, probes, host.Wish(request.executor, 2 * request.rounds))
    names = [probe.name for probe in probes]
    with workspace.open(request.out, probes=names, fresh=True, builds=1, say=noted(observe)) as work:
        observe(Event("expect", count=len(planned.jobs)))
        samples = scheduler.run(planned.jobs, work.context, observe)
    noise = calibration.noise(samples, JudgeSettings().max_rounds)
    if not noise:
        raise RunnerError(f"{request.cell}: too few timings to calibrate with; see the results in {request.out}")
    try:
        return noise, calibration_file.save(samples, noise, folders.state_dir())
    except OSError as error:
        raise RunnerError(f"the calibration cannot be saved: {error}") from None
