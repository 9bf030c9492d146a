"""``runner bisect``: find the release of a package that changed a result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.util import program
from runner.util.plain import say


@click.command("bisect")
@click.argument("package")
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENTS...]")
@click.option(
    "--good",
    required=True,
    metavar="VERSION",
    help="A release known to be good, or nightly-2026-10-12; with --source also a commit, a tag or a branch.",
)
@click.option("--bad", required=True, metavar="VERSION", help="One known to be bad, or nightly.")
@click.option(
    "--to",
    default="release",
    show_default=True,
    type=click.Choice(["release", "nightly"]),
    help="Narrow down to the release, or on to the nightly build.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="[NAME=]PLACE",
    help="A repository of PACKAGE, as ../keras: narrow down to the commit. Or NAME=PLACE, which holds another package "
    "fixed.",
)
@click.option("--all-parents", is_flag=True, help="Where a merge commit did it, search what it merged, too.")
@click.option("--find-fix", is_flag=True, help="The bad one is the older: find the first good release.")
@click.option(
    "--script", type=click.Path(path_type=Path), metavar="FILE", help="Exit 0 good, 125 cannot tell, else bad."
)
@click.option("--stdout", "pattern", metavar="REGEX", help="With --script: good where the output matches.")
@click.option("--probe", metavar="NAME", help="In place of --script: good where the probe runs well.")
@click.option("--setting", "settings", multiple=True, metavar="PROBE.NAME=VALUE", help="Change a probe's setting.")
@options.tests
@click.option(
    "--case",
    metavar="NAME",
    help="With --probe ops, saving, ... or --pytest: good where this case is right, this test passes.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="With --probe or --pytest: bad where the judge's verdict on it is --verdict. With --script: a figure that it "
    "prints, as `runner matrix --metric` takes it.",
)
@click.option(
    "--verdict",
    type=click.Choice(["regressed", "improved", "broken"]),
    help="With --metric: the verdict that is bad (default: regressed).",
)
@click.option("--rounds", type=click.IntRange(2), help="With --metric: up to so many (default: 10).")
@click.option("--cell", metavar="CELL", help="The cell whose PACKAGE moves.")
@click.option("--pin", "pins", multiple=True, metavar="NAME==VERSION", help="What is held fixed; makes the cell.")
@click.option("--as-of", metavar="DATE", help="Nothing uploaded later is considered (default: today).")
@click.option("--python", metavar="3.X", help="Python (default: one both ends have wheels for).")
@options.installing_executor
@click.option("--repeat", default=1, show_default=True, type=click.IntRange(1), help="Vote on up to so many runs.")
@click.option("--prereleases", is_flag=True, help="Test prereleases too.")
@click.option("--yanked", is_flag=True, help="Test yanked releases too.")
@click.option("--keep", is_flag=True, help="Keep the images and environments made on the way.")
@click.option("--fresh", is_flag=True, help="Forget the answers of an earlier, interrupted search.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/bisect"), show_default=True)
@options.wheels
@options.script_options
def bisect_command(**arguments: Any) -> None:
    """Find the release of PACKAGE that changed something between --good and --bad.

    With --to nightly and --source the search goes on to the nightly build and to the commit.

    Everything else is held fixed. Both ends are verified first. Releases that were yanked, or that the package index
    cannot install, are skipped. Every answer is kept in --out. A lost network, engine or disk is not an answer: it ends
    the command, and the same command continues the search.

    Exit codes: 0 found; 2 the ends enclose no change, or bad usage; 3 found only up to releases or commits that could
    not be tested, or not narrowed as far as was asked, or stopped by what the message names; 4 nothing could be
    measured, as without an engine; 130 interrupted.
    """
    from runner.repro.bisect import session
    from runner.repro.bisect.question import Request

    request = Request(**arguments)
    command = [*program.brief(), *sys.argv[1:]]
    sys.exit(session.bisect(request, command, lambda text: say(text, err=True), say))
