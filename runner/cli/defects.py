"""``runner defects``: the defects that results show, each with a script."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.errors import UsageError
from runner.util import program
from runner.util.plain import say

if TYPE_CHECKING:
    from runner.defects import Defect
    from runner.model import Sample


@click.command("defects")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--all", "whole", is_flag=True, help="List also what is right again in the newest release.")
@click.option("--show", "one", type=click.IntRange(1), metavar="N", help="Print evidence and script of defect N.")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the scripts.")
@click.option(
    "--scripts", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a script for each into FOLDER."
)
@click.option(
    "--verify", is_flag=True, help="Run the scripts in the newest bad and the nearest good cell of each defect."
)
@options.executor
@click.option(
    "--report", "number", type=click.IntRange(1), metavar="N", help="Write defect N as an issue for its project."
)
@click.option(
    "--verified",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --verify: keep the verdicts in FILE. With --page: read them.",
)
@click.option(
    "--pack", type=click.Path(path_type=Path), metavar="FILE", help="Keep the results of DIR in FILE, a .tar.xz."
)
@click.option(
    "--page", type=click.Path(path_type=Path), metavar="FILE", help="Write the list into FILE, as docs/findings.md."
)
def defects_command(
    folders: tuple[Path, ...],
    *,
    whole: bool,
    one: int | None,
    as_json: bool,
    scripts: Path | None,
    verify: bool,
    executor: str,
    number: int | None,
    verified: Path | None,
    pack: Path | None,
    page: Path | None,
) -> None:
    """List the defects that the results below DIR show.

    Those of the newest release come first, the gravest at the top. DIR can be a packed folder (.tar.xz). A cause is
    listed once; --show has the cells that show it, the axis it follows, the first bad and the first good version, and a
    script. Exit code 3 where a result file could not be used. With --verify: 0 all are
    confirmed; 1 one is not; 3 a script could not be run.
    """
    from runner import defects
    from runner.cli import output
    from runner.defects import scripts as files
    from runner.report import defects as report
    from runner.report import numbers, standings
    from runner.results import archive, store

    if pack is not None:
        _pack(folders, pack)
        return
    unread = output.Unread()
    with archive.unpacked(folders) as there:
        samples = store.load(there, bad=unread)
    found = standings.ordered(defects.defects(samples, whole=True), samples)
    if scripts:
        files.write(found, scripts)
    if one is not None:
        for line in standings.shown(_numbered(found, one, "--show"), report.reported()):
            say(line)
    elif number is not None:
        say(_issue(found, number, samples), nl=False)
    elif page is not None:
        _write(page, found, samples, verified)
    elif verify:
        sys.exit(unread.exit_code(_verified(found, samples, executor, verified)))
    elif as_json:
        say(report.dumps(found))
    else:
        command = shlex.join([*program.brief(), "defects", *map(str, folders)])
        for line in standings.lines(found, samples, report.reported(), whole=whole, command=command):
            say(line)
        for line in defects.agreements(samples):
            say(numbers.plain(line))
        if scripts:
            say(f"scripts in {scripts}")
    sys.exit(unread.exit_code(0))


def _pack(folders: Sequence[Path], target: Path) -> None:
    """Keep the results of a folder in a file. Raises UsageError."""
    from runner.results import archive
    from runner.util import files

    if len(folders) != 1 or not folders[0].is_dir():
        raise UsageError("--pack keeps the results of one folder")
    if not target.name.endswith(archive.PACKED):
        raise UsageError(f"--pack {target}: name a file that ends with {archive.PACKED}")
    made = archive.packed(folders[0])
    files.write(target, made)
    say(f"{target}: {len(made):,} bytes")


def _numbered(found: Sequence[Defect], number: int, option: str) -> Defect:
    """The defect of that number in the list. Raises UsageError for a number beyond it."""
    if number > len(found):
        raise UsageError(f"{option} {number}: the results show {len(found)} defects")
    return found[number - 1]


def _issue(found: Sequence[Defect], number: int, samples: Sequence[Sample]) -> str:
    """One defect as an issue. Raises UsageError for a number beyond the list."""
    from runner.defects import known
    from runner.report import defects as report
    from runner.report import numbers, upstream

    defect = _numbered(found, number, "--report")
    addresses = known.issues(report.reported(), defect.op, defect.kind, defect.cells)
    lines = upstream.issue(defect, samples, addresses).splitlines()
    return "".join(f"{numbers.plain(line, indent=True)}\n" for line in lines)


def _write(page: Path, found: Sequence[Defect], samples: Sequence[Sample], verified: Path | None) -> None:
    """Write the list between the marks of the page. Raises UsageError."""
    import json

    from runner.report import defects as report
    from runner.report import found as pages
    from runner.util import files

    old = files.source(page) if page.exists() else ""
    try:
        verdicts = json.loads(files.source(verified)) if verified else {}
    except ValueError:
        raise UsageError(f"--verified {verified}: not a file that --verify wrote") from None
    files.write(page, pages.page(old, found, samples, report.reported(), verdicts))


def _verified(found: Sequence[Defect], samples: Sequence[Sample], executor: str, kept: Path | None) -> int:
    """Run the scripts and print a line for each. Returns the exit code."""
    from runner.report import numbers
    from runner.repro import verify
    from runner.util import files

    by_id = {sample.cell.id: sample.cell for sample in samples}
    environments = {sample.cell.id: sample.environment_id for sample in samples}
    told = verify.verify(found, by_id, executor, lambda text: say(numbers.plain(text), err=True), environments)
    for line in verify.lines(told):
        say(numbers.plain(line))
    if kept:
        files.write(kept, verify.dumps(told))
    return verify.exit_code(told)
