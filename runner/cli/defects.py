"""``runner defects``: what the sweeps found, each once, with a script that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import click


@click.command("defects")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the scripts.")
@click.option(
    "--scripts", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a script for each into FOLDER."
)
def defects_command(folders: tuple[Path, ...], *, as_json: bool, scripts: Path | None) -> None:
    """List the defects that the `ops` sweeps below DIR show, the gravest first.

    Each is told once: the cells that show it, the axis it follows, the first bad and the first good version.
    """
    from runner import attribution, store

    found = attribution.defects(store.load(folders))
    if scripts:
        scripts.mkdir(parents=True, exist_ok=True)
        for number, defect in enumerate(found, 1):
            name = re.sub(r"[^a-z0-9]+", "-", f"{number:03d}-{defect.op}-{defect.kind}".lower()).strip("-")
            (scripts / f"{name}.py").write_text(defect.script, encoding="utf-8")
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps([asdict(defect) for defect in found], indent=1))
        return
    for number, defect in enumerate(found, 1):
        click.echo(f"{number:3}  {defect.title}")
        click.echo(f"     {defect.where}")
        if defect.observed:
            click.echo(f"     {defect.observed}")
    click.echo(f"{len(found)} defects" + (f"; scripts in {scripts}" if scripts else ""))
