"""``runner matrix``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.matrix.sets import DEVICES


@click.command("matrix")
@options.which_cells
@click.option("--probe", "probes", multiple=True, metavar="NAME", help="Only this probe; may be given several times.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@options.executor
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Device of the cell of --executor current.",
)
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1), help="Processes per cell and probe.")
@click.option("--max-rounds", type=click.IntRange(1), help="Add rounds for undecided timings, up to this many.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Build, run, evict: keep N images.")
@click.option("--keep-free", type=options.Finite(0), metavar="GB", help="Build, run, evict: keep GB of disk free.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 1 << 31),
    help="Seed of the first round; later rounds count up.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes at once; timings suffer.")
@click.option("--builds", default=2, show_default=True, type=click.IntRange(1), help="Images built at once.")
@click.option("--timeout", "timeout_s", type=options.Finite(1), metavar="SECONDS", help="Per process.")
@click.option(
    "--data",
    multiple=True,
    metavar="[NAME=]PATH",
    help="An mnist.npz to use, or another data set of matrix/data.toml by name; may be given several times.",
)
@click.option("--offline", is_flag=True, help="Download no data: synthetic stand-ins for what the cache has not.")
@click.option("--baseline", metavar="CELL", help="Compare everything that can be compared with this cell.")
@options.error_rates
@click.option("--fresh", is_flag=True, help="Measure again what has a result already.")
@click.option("--keep-failed", is_flag=True, help="Keep what a failed process leaves, and say how to enter it.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and stop.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Results go here.")
@click.option("--format", "format_", type=click.Choice(options.FORMATS), default="terminal", show_default=True)
def matrix_command(**arguments: Any) -> None:
    """Build, run and judge a set of cells; print the version-regression matrix.

    Results land in --out, one file per process; a second run reuses what is there.
    """
    from runner.cli import session

    sys.exit(session.matrix(session.Request(**arguments)))
