"""``runner lock``: the locks of a set's environments."""

from __future__ import annotations

import sys

import click

from runner.cli import options
from runner.environments import index, lock
from runner.errors import CellError
from runner.machine import facts
from runner.matrix import plan, selection
from runner.util.plain import say


@click.command("lock")
@options.which_cells
@options.every_set
@click.option("--check", is_flag=True, help="Say which locks are stale; exit code 1 where any is.")
@click.option("--upgrade", is_flag=True, help="Move `latest` to today's releases first.")
@click.option("--here", is_flag=True, help="For this machine's own platform, into the user's cache.")
def lock_command(
    set_name: str | None, only: tuple[str, ...], *, every: bool, check: bool, upgrade: bool, here: bool
) -> None:
    """Pin the packages of a set's environments, with hashes, in matrix/locks/.

    Which packages: matrix/compat.toml. As of when: the date in matrix/latest.toml.
    """
    if upgrade:
        for line in lock.upgrade():
            say(line)
    wanted = selection.environments(set_name, only, every=every, nightly=index.nightly)
    if check:
        stale = lock.check(wanted, complete=every)
        for line in stale:
            say(line)
        say(f"{len(wanted)} environments, {len(stale)} stale locks")
        sys.exit(1 if stale else 0)
    if here:
        platform = facts.here().platform
        chosen = selection.choose(set_name, only, index.nightly)
        custom = chosen.definition.custom
        wanted = tuple(dict.fromkeys(plan.environment_of(cell, platform, custom) for cell in chosen.cells))
    failed = 0
    for name, made in lock.make_all(wanted, lock.cache_dir() if here else None).items():
        if isinstance(made, CellError):
            failed += 1
            say(f"{name}: {made}", err=True)
        else:
            say(f"{made.path}: {len(made.packages)} packages")
    sys.exit(3 if failed else 0)
