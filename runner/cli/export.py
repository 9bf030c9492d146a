"""``runner export``: write a folder that reproduces one result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runner.util.plain import say


@click.command("export")
@click.argument("what", metavar="CELL|RESULT")
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENTS...]")
@click.option("--probe", metavar="NAME", help="For a cell: the probe to run.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@click.option("--script", type=click.Path(path_type=Path), help="For a cell: the script to run.")
@click.option("--data", "data_path", type=click.Path(path_type=Path), help="The data the result was measured on.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder (default: export/CELL).")
def export_command(**arguments: Any) -> None:
    """Write a folder and a .tar.gz that reproduce one result without this project.

    They hold a Dockerfile, the lock, the probe or script, its data and reproduce.sh.

    RESULT is a result file below `--out` of `runner matrix`; its figures are what reproduce.sh checks.
    """
    from runner.repro import pack

    folder = pack.export(pack.Request(**arguments), lambda text: say(text, err=True))
    say(f"{folder}\n{pack.archive(folder)}\nsh {folder}/reproduce.sh")
