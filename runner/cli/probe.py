"""``runner probe``: the user's own probes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runner.errors import UsageError
from runner.matrix import configuration, starter
from runner.util import files, program
from runner.util.plain import say


@click.group("probe")
def probe_command() -> None:
    """Write your own probes: new."""


@probe_command.command("new", short_help="Write a probe that runs, and add it to the configuration.")
@click.argument("name")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="The Python file (default: probes/NAME.py, next to keras-matrix.toml).",
)
def new_command(name: str, file: Path | None) -> None:
    """Write the probe NAME, which measures a dense layer, and list it.

    Its table is added to the end of keras-matrix.toml. A default set of that file gets the probe too.
    """
    found = configuration.here()
    if found is None:
        raise UsageError(f"no {configuration.NAME} in this folder or above it; `runner init` writes one")
    configuration.check_name("probe new", name)
    if name in found.file.probes:
        raise UsageError(f"{found.place}: probes.{name}: is there already")
    path = (file or found.path.parent / "probes" / f"{name}.py").absolute()
    set_name = found.file.default if found.file.default in found.file.sets else None
    relative = Path(os.path.relpath(path, found.path.parent)).as_posix()
    tables = starter.probe_tables(name, relative, set_name)
    text = files.source(found.path)
    whole = f"{text.rstrip()}\n\n{starter.headed(tables, found)}"
    configuration.check_text(found.path, whole)
    files.create(path, starter.probe_text(name))
    files.write(found.path, whole)
    say(f"{relative} written, and its table added to {found.path.name}")
    where = "" if set_name else f" --probe {name}"
    say(f"`{program.name()} matrix{where}` runs it in every cell; `--setting {name}.units=128` changes a setting")
