"""``runner init``: a configuration for the user's repository."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path

import click

from runner.errors import UsageError
from runner.matrix import configuration, starter
from runner.util import files, program
from runner.util.plain import say


@click.command("init")
@click.option("--pyproject", is_flag=True, help="Add the table [tool.keras-matrix] to pyproject.toml instead.")
def init_command(*, pyproject: bool) -> None:
    """Write keras-matrix.toml: a set that runs, with a comment on every key.

    Commands find the file from this folder and the folders below it. Nothing is overwritten.
    """
    folder, called = Path.cwd(), program.name()
    if (there := configuration.in_folder(folder)) is not None:
        raise UsageError(f"{there.place}: is there already; it is not overwritten")
    outer = _above()
    if pyproject:
        path = folder / configuration.PYPROJECT
        _append(path, starter.as_table(starter.text(program.anywhere())))
    else:
        path = folder / configuration.NAME
        files.create(path, starter.text(program.anywhere()))
    configuration.forget()
    made = configuration.read(path)
    say(
        f"{path.name} written. `{called} list` prints the cells of its set {made.file.default!r}; "
        f"`{called} matrix` runs it"
    )
    say(f"`{called} probe new NAME` adds your own probe.")
    if outer:
        say(f"note: in this folder it takes the place of {outer}", err=True)


def _above() -> str:
    """The configuration that holds here so far, or the empty text.

    One that cannot be used counts for nothing.
    """
    with suppress(UsageError):
        found = configuration.here()
        return found.place if found else ""
    return ""


def _append(path: Path, table: str) -> None:
    """Add a table to the end of a TOML file.

    Raises UsageError where the result would not be TOML.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; leave out --pyproject to write {configuration.NAME}")
    text = files.source(path)
    whole = f"{text.rstrip()}\n\n{table}" if text.strip() else table
    try:
        tomllib.loads(whole)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: the table cannot be added: not valid TOML: {error}") from None
    files.write(path, whole)
