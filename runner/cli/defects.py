"""``runner defects``: the defects that results show, each with a script."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.util.plain import say


@click.command("defects")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the scripts.")
@click.option(
    "--scripts", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a script for each into FOLDER."
)
def defects_command(folders: tuple[Path, ...], *, as_json: bool, scripts: Path | None) -> None:
    """List the defects that the results below DIR show, the gravest first.

    Each is listed once: the cells that show it, the axis it follows, the first bad and the first good version. Exit
    code 3 where a result file could not be used.
    """
    from runner import defects
    from runner.cli import output
    from runner.defects import scripts as files
    from runner.report import defects as report
    from runner.results import store

    unread = output.Unread()
    samples = store.load(folders, bad=unread)
    found = defects.defects(samples, whole=True)
    if scripts:
        files.write(found, scripts)
    if as_json:
        say(report.dumps(found))
        sys.exit(unread.exit_code(0))
    *lines, total = report.lines(found, report.reported(), defects.agreements(samples))
    for line in lines:
        say(line)
    say(f"{total}; scripts in {scripts}" if scripts else total)
    sys.exit(unread.exit_code(0))
