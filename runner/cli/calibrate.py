"""``runner calibrate``: how much a cell differs from itself on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.util.plain import say


@click.command("calibrate")
@click.argument("cell")
@click.option("--set", "set_name", metavar="NAME", help="The set that has the cell, and its probe settings.")
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(6), help="Pairs of processes to run.")
@options.executor
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/calibration"), show_default=True)
def calibrate_command(**arguments: Any) -> None:
    """Measure how much CELL differs from itself on this machine.

    Runs every probe of it --rounds times twice over. Where its timings scatter so much that a comparison of a cell
    with itself could show more than the 5 % floor, that becomes the floor of the cell on this machine.
    """
    from runner.cli import progress
    from runner.measure import calibration

    with progress.shown() as observe:
        noise, path = calibration.calibrate(calibration.Request(**arguments), observe)
    for name, value in noise.items():
        say(f"{name.split('/', 1)[1]}: up to {value:.1%} between equal processes")
    say(f"kept in {path}")
