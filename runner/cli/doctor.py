"""``runner doctor``: what this machine can run."""

from __future__ import annotations

import sys

import click

from runner.cli import options
from runner.matrix import plan, selection
from runner.util import folders


@click.command("doctor")
@options.which_cells
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor_command(set_name: str | None, only: tuple[str, ...], *, as_json: bool) -> None:
    """Say what this machine can run, and how to fix what is missing.

    Exit code 3 where something a set needs is not there.
    """
    from runner.images.recipe import base_image
    from runner.machine import doctor
    from runner.report import doctor as shown

    chosen = selection.choose(set_name, only)
    wanted = plan.environments(chosen.cells)
    from runner.machine.checks import State

    checks = doctor.examine(
        folders.cache_dir(),
        environments=wanted,
        base_images=sorted({base_image(environment.python) for environment in wanted}),
    )
    if as_json:
        import json

        click.echo(json.dumps(shown.to_list(checks), indent=1))
    else:
        from runner.cli import output

        shown.print_checks(checks, output.console(sys.stdout))
    sys.exit(3 if any(check.state == State.FAIL for check in checks) else 0)
