"""``runner expect``: brings matrix/expectations.toml up to date with a run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.util import files
from runner.util.plain import say


@click.command("expect")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--update", is_flag=True, help="Write the file; without it, only print what would change.")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="The file (default: the one that keras-matrix.toml names, else matrix/expectations.toml).",
)
def expect_command(run: Path, *, update: bool, file: Path | None) -> None:
    """Bring expectations.toml in line with the results in the folder RUN.

    Removes known failures that no longer happen and adds new ones; what a person wrote elsewhere in the file stays.
    Exits with 1 where the file is out of date and was not written, with 3 where a result file could not be used.
    """
    from runner.cli import output
    from runner.judge import expectations_file, rules

    path = file or expectations_file.default()
    unread = output.Unread()
    made = rules.update(run, path, unread)
    for sign, entries in (("-", made.removed), ("+", made.added)):
        for entry in entries:
            say(f"{sign} {entry.cell} {entry.probe} {entry.status or entry.metric}: {entry.reason}")
    if not (made.added or made.removed):
        say(f"{path} is up to date")
        sys.exit(unread.exit_code(0))
    if not update:
        say("run again with --update to write that")
        sys.exit(1)
    files.write(path, made.text)
    nameless = sum(not entry.issue for entry in made.added)
    say(f"{path} written" + (f"; {nameless} new entries lack the address of an issue" if nameless else ""))
    sys.exit(unread.exit_code(0))
