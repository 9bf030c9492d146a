"""``runner schema``: the JSON Schemas of result files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from runner.util import program
from runner.util.plain import say


@click.command("schema")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("docs/schema"))
@click.option(
    "--check", is_flag=True, help="Say which files in FOLDER are not what the types make; exit code 1 if any."
)
def schema_command(folder: Path, *, check: bool) -> None:
    """Write the JSON Schemas of result files to FOLDER (docs/schema).

    There is one for each kind and version.
    """
    from runner.results import schema

    made = {folder / schema.file_name(kind): schema.text(kind) for kind in schema.KINDS}
    if check:
        stale = [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
        for path in stale:
            say(f"{path}: not what the types make; run: {shlex.join(program.words())} schema {folder}")
        sys.exit(1 if stale else 0)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        say(str(path))
