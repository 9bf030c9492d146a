"""``runner doctor``: what this machine can run."""

from __future__ import annotations

import sys

import click

from runner.cli import options
from runner.util.plain import say


@click.command("doctor")
@options.which_cells
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor_command(set_name: str | None, only: tuple[str, ...], *, as_json: bool) -> None:
    """Say what this machine can run, and how to fix what is missing.

    Exit code 3 where something a set needs is not there.
    """
    from runner.cli import output
    from runner.environments import index
    from runner.machine import checks, doctor
    from runner.matrix import selection
    from runner.report import doctor as shown

    found = doctor.examine(selection.environments(set_name, only, every=False, nightly=index.nightly))
    if as_json:
        say(shown.to_json(found))
    else:
        shown.print_checks(found, output.console(sys.stdout))
    sys.exit(checks.exit_code(found))
