"""``runner repro``: run a user's script, unchanged, in chosen cells."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.util.plain import say


@click.command("repro")
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENTS...]")
@click.option("--cells", multiple=True, metavar="GLOB", help="Cells of the matrix; may be given several times.")
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar="NAME==VERSION",
    help="A release, of a framework or anything; keras@nightly.",
)
@click.option(
    "--from", "report", type=click.Path(path_type=Path), metavar="REPORT", help="A bug report that names the versions."
)
@click.option("--as-of", metavar="DATE", help="As a fresh install was on that day: 2025-01-02.")
@click.option("--python", metavar="3.X", help="Python (default: the cell's, or one the release has wheels for).")
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda", "mps"]))
@options.installing_executor
@click.option("--metric", "metrics", multiple=True, metavar="REGEX", help="A figure to compare, as 'acc=([\\d.]+)'.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object per cell.")
@options.sources
@options.script_options
def repro_command(**arguments: Any) -> None:
    """Run SCRIPT unchanged in chosen cells and show side by side what it printed.

    The script is read-only, runs in an empty folder of its own, and reaches no network. key=value words and lines
    of JSON that it prints are compared. Exit codes: 0 it ended well everywhere; 1 it failed somewhere; 3 a cell
    could not be made ready; 4 none could.
    """
    from runner.repro import session

    sys.exit(session.repro(session.Request(**arguments), lambda text: say(text, err=True), say))
