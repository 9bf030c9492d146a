"""``runner shell``: an interactive shell or Python in a cell."""

from __future__ import annotations

import sys
from typing import Any

import click

from runner.cli import options
from runner.util.plain import say


@click.command("shell")
@click.argument("cell", metavar="CELL")
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]")
@click.option("--python", "in_python", is_flag=True, help="Start Python in place of a shell.")
@options.installing_executor
@click.option("--network", is_flag=True, help="Let a container reach the network.")
@click.option("--with", "extra", multiple=True, metavar="PACKAGE", help="One more package, as scipy==1.10.1.")
@click.option("--pin", "pins", multiple=True, metavar="NAME==VERSION", help="Another release than the cell's own.")
def shell_command(**arguments: Any) -> None:
    """Open a shell (or run COMMAND) in CELL.

    It runs in the cell's container, or in its virtual environment on the host. The current folder is there as it is,
    writable; `python -m probe` finds the probes. Exit code: the shell's.
    """
    sys.exit(shell(**arguments))


def shell(
    *,
    cell: str,
    command: tuple[str, ...],
    in_python: bool,
    executor: str,
    network: bool,
    extra: tuple[str, ...],
    pins: tuple[str, ...],
) -> int:
    """Prepare the cell and hand the terminal over. Returns the exit code of what ran."""
    from runner.executors import Shell
    from runner.matrix import selection
    from runner.measure import places, workspace
    from runner.repro import pins as asked

    wanted = asked.Wanted(asked.parse(pins), asked.packages(extra))
    place = places.one_place(asked.on_cell(asked.cell(cell), wanted), executor)
    variables = selection.variables(place.cell)
    if place.cell.keras:
        variables.setdefault("KERAS_BACKEND", place.cell.framework)
    words = command or (("python",) if in_python else ())
    with workspace.executors() as executors:
        chosen = executors[place.executor]
        prepared = chosen.prepare(place.environment, lambda text: say(f"{place.cell.id}: {text}", err=True))
    return chosen.shell(Shell(place.cell, prepared, words, variables, network=network))
