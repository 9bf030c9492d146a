"""``runner calibrate``: how much a cell differs from itself on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.matrix import selection
from runner.measure import host, workspace
from runner.util import folders

if TYPE_CHECKING:
    from runner.model import Sample


@click.command("calibrate")
@click.argument("cell")
@click.option("--set", "set_name", metavar="NAME", help="The set that has the cell, and its probe settings.")
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(6), help="Pairs of processes to run.")
@options.executor
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/calibration"), show_default=True)
def calibrate_command(
    cell: str, set_name: str | None, probes: tuple[str, ...], rounds: int, executor: str, out: Path
) -> None:
    """Measure how much CELL differs from itself on this machine.

    Runs every probe of it --rounds times twice over. Where its timings scatter so much that a comparison of a cell
    with itself could show more than the 5 % floor, that becomes the floor of the cell on this machine.
    """
    from runner.errors import RunnerError
    from runner.judge import JudgeSettings, calibration, calibration_file

    calibration_file.ready(folders.state_dir())
    samples = _measured(cell, set_name, probes, 2 * rounds, executor, out)
    noise = calibration.noise(samples, JudgeSettings().max_rounds)
    if not noise:
        raise RunnerError(f"{cell}: too few timings to calibrate with; see the results in {out}")
    try:
        path = calibration_file.save(samples, noise, folders.state_dir())
    except OSError as error:
        raise RunnerError(f"the calibration cannot be saved: {error}") from None
    for name, value in noise.items():
        click.echo(f"{name.split('/', 1)[1]}: up to {value:.1%} between equal processes")
    click.echo(f"kept in {path}")


def _measured(
    cell: str, set_name: str | None, probes: tuple[str, ...], rounds: int, executor: str, out: Path
) -> list[Sample]:
    """Run the cell ``rounds`` times over, one process at a time. Raises RunnerError."""
    from runner import data
    from runner.cli import output
    from runner.cli.progress import Progress
    from runner.errors import UsageError
    from runner.measure import scheduler as run
    from runner.results.store import Store

    chosen = selection.choose(set_name, (cell,))
    if len(chosen.cells) > 1:
        raise UsageError(f"{cell!r} matches {len(chosen.cells)} cells; one is calibrated at a time")
    specs = selection.probe_specs(chosen, probes, ())
    planned = host.planned(chosen, chosen.cells, specs, host.Wish(executor, rounds))
    files = data.collect([probe.name for probe in specs], {}, folders.cache_dir() / "data").files
    store = Store(out)
    store.open()
    with (
        workspace.executors() as executors,
        workspace.stoppable(),
        Progress(output.console(sys.stderr), len(planned.jobs)) as progress,
    ):
        context = workspace.run_context(executors, store, chosen, files, fresh=True, jobs=1, builds=1)
        return run.run(planned.jobs, context, progress)
