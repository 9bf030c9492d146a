"""``runner report``: the table again, from result files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from runner.cli import options
from runner.judge import rules
from runner.report.formats import FORMATS


@click.command("report")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True)
@click.option("--set", "set_name", metavar="NAME", help="Take the baselines of this set (default: quick).")
@click.option("--baseline", metavar="CELL", help="Compare everything that can be compared with this cell.")
@options.error_rates
@options.everything
@click.option("--open", "look", is_flag=True, help="Write the HTML page to DIR/report.html, and open it.")
@click.option("--commands", is_flag=True, help="Print the command that reproduces every cell.")
@options.history
def report_command(
    folders: tuple[Path, ...],
    format_: str,
    set_name: str | None,
    baseline: str | None,
    alpha: float,
    floor: float,
    history: Path | None,
    *,
    everything: bool,
    look: bool,
    commands: bool,
    no_history: bool,
) -> None:
    """Print the matrix again from the result files below DIR.

    Several folders are merged. Needs no engine. Ends with the exit code the run would have had.
    """
    from runner.cli import explain, output, remembering
    from runner.cli import look as page
    from runner.report import build, formats
    from runner.util import memory

    if look and format_ not in ("terminal", "html"):
        raise click.UsageError(f"--open shows the HTML page; leave out --format {format_}")
    given = rules.Rules(set_name=set_name, baseline=baseline, alpha=alpha, floor=floor)
    with memory.no_cycles():
        made = replace(build.from_folders(folders, given), everything=everything, explained=explain.kept(folders))
        made = remembering.of_files(made, remembering.wish(history, without=no_history))
        if look:
            page.at(formats.pieces(made, "html"), folders)
        else:
            output.emit(made, format_, commands=commands)
    sys.exit(made.exit_code)
