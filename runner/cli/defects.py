"""``runner defects``: what the sweeps found, each once, with a script that shows it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("defects")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the scripts.")
@click.option(
    "--scripts",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a script for each into FOLDER.",
)
def defects_command(folders: tuple[Path, ...], *, as_json: bool, folder: Path | None) -> None:
    """List the defects that the results below DIR show, the gravest first.

    Each is told once: the cells that show it, the axis it follows, the first bad and the first good version.
    """
    from runner.defects import agreements, defects, scripts
    from runner.report import defects as report
    from runner.results import store

    samples = store.load(folders)
    found = defects(samples, whole=True)
    if folder:
        scripts.write(found, folder)
    if as_json:
        click.echo(report.dumps(found))
        return
    *lines, total = report.lines(found, report.reported(), agreements(samples))
    for line in lines:
        click.echo(line)
    click.echo(f"{total}; scripts in {folder}" if folder else total)
