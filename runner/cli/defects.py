"""``runner defects``: what the sweeps found, each once, with a script that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.defects import Defect


@click.command("defects")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the scripts.")
@click.option(
    "--scripts", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a script for each into FOLDER."
)
def defects_command(folders: tuple[Path, ...], *, as_json: bool, scripts: Path | None) -> None:
    """List the defects that the results below DIR show, the gravest first.

    Each is told once: the cells that show it, the axis it follows, the first bad and the first good version.
    """
    from runner import defects
    from runner.defects import known
    from runner.report import numbers
    from runner.results import store
    from runner.util import folders as resources

    samples = store.load(folders)
    found = defects.defects(samples, whole=True)
    if scripts:
        scripts.mkdir(parents=True, exist_ok=True)
        for number, defect in enumerate(found, 1):
            name = re.sub(r"[^a-z0-9]+", "-", f"{number:03d}-{defect.op}-{defect.kind}".lower()).strip("-")
            if defect.script:
                (scripts / f"{name[:100]}.py").write_text(defect.script, encoding="utf-8")
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps([asdict(defect) for defect in found], indent=1))
        return
    reports = known.load(resources.matrix_dir() / "expectations.toml")
    for number, defect in enumerate(found, 1):
        click.echo(f"{number:3}  {numbers.plain(defect.title)}")
        for line in _evidence(defect):
            click.echo(f"     {numbers.plain(line)}")
        for address in known.issues(reports, defect.op, defect.kind, defect.cells):
            click.echo(f"     known: {address or 'not reported'}")
    for text in defects.agreements(samples):
        click.echo(f"     {numbers.plain(text)}")
    click.echo(f"{len(found)} defects" + (f"; scripts in {scripts}" if scripts else ""))


def _evidence(defect: Defect) -> Iterator[str]:
    """The lines below a title: the axis and where on it, what else differs, and what was seen."""
    bounds = (("last good", defect.last_good), ("first bad", defect.first_bad), ("first good", defect.first_good))
    axis = f"follows {defect.axis}" if defect.axis else "in every cell that says anything about it"
    yield "; ".join([axis, *(f"{words} {version}" for words, version in bounds if version)])
    if defect.packages:
        yield f"packages: {', '.join(defect.packages)}"
    if defect.observed:
        yield defect.observed
