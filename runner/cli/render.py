"""``runner render``: the Dockerfiles of a set's environments."""

from __future__ import annotations

import sys

import click

from runner.cli import options
from runner.environments import index, lock
from runner.errors import UsageError
from runner.matrix import selection
from runner.util import program
from runner.util.plain import say


@click.command("render")
@options.which_cells
@options.every_set
@click.option("--check", is_flag=True, help="Say which committed Dockerfiles are not what the templates make.")
@click.option("--stdout", is_flag=True, help="Print them instead of writing images/rendered/.")
def render_command(set_name: str | None, only: tuple[str, ...], *, every: bool, check: bool, stdout: bool) -> None:
    """Write the Dockerfiles of a set's environments to images/rendered/. No engine.

    Exit code 3 where a lock could not be read.
    """
    from runner import images

    wanted = selection.environments(set_name, only, every=every, nightly=index.nightly)
    linux = [environment for environment in wanted if "linux" in environment.platform]
    pairs, bad = [], []
    for environment in linux:
        try:
            pairs.append((environment, lock.committed(environment)))
        except UsageError as error:  # the others are rendered all the same
            bad.append(environment)
            program.warn(str(error))
    every = every and not bad  # the Dockerfile of a bad lock is not one that no set uses
    if stdout:
        for environment, pinned in pairs:
            say(images.render(environment, pinned))
        sys.exit(3 if bad else 0)
    if check:
        drifted = images.check(pairs, complete=every)
        for line in drifted:
            say(line)
        say(f"{len(pairs)} Dockerfiles, {len(drifted)} differ")
        sys.exit(1 if drifted else 3 if bad else 0)
    for path in images.render_all(pairs, complete=every):
        say(str(path))
    sys.exit(3 if bad else 0)
