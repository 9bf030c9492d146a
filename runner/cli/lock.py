"""``runner render`` and ``runner lock``: the files that environments are made from."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from runner.cli import options
from runner.environments import lock
from runner.errors import CellError
from runner.machine import facts
from runner.matrix import plan, sets
from runner.model import Cell, Environment

_all = click.option("--all", "every", is_flag=True, help="The environments of every set.")


def environments(cells: Iterable[Cell]) -> tuple[Environment, ...]:
    """The environments that the repository keeps files for: Linux x86-64, and macOS for cells that need Metal.

    A set with an MPS cell runs on a Mac as a whole, so its CPU cells have a macOS environment.
    """
    cells = tuple(cells)
    mac = any(cell.device == "mps" for cell in cells)
    platform = "macos-arm64" if mac else "linux-x86_64"
    return tuple(dict.fromkeys(plan.environment_of(cell, platform) for cell in cells))


def _chosen(set_name: str | None, only: tuple[str, ...], *, every: bool) -> tuple[Environment, ...]:
    names = sets.load().sets if every else [set_name]
    found = [environment for name in names for environment in environments(options.choose(name, only).cells)]
    return tuple(dict.fromkeys(found))


@click.command("lock")
@options.which_cells
@_all
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
            click.echo(line)
    wanted = _chosen(set_name, only, every=every)
    if check:
        stale = lock.check(wanted, complete=every)
        for line in stale:
            click.echo(line)
        click.echo(f"{len(wanted)} environments, {len(stale)} stale locks")
        sys.exit(1 if stale else 0)
    if here:
        platform = facts.here().platform
        wanted = tuple(dict.fromkeys(plan.environment_of(c, platform) for c in options.choose(set_name, only).cells))
    failed = 0
    for name, made in lock.make_all(wanted, lock.cache_dir() if here else None).items():
        if isinstance(made, CellError):
            failed += 1
            click.echo(f"{name}: {made}", err=True)
        else:
            click.echo(f"{made.path}: {len(made.packages)} packages")
    sys.exit(3 if failed else 0)


@click.command("render")
@options.which_cells
@_all
@click.option("--check", is_flag=True, help="Say which committed Dockerfiles are not what the templates make.")
@click.option("--stdout", is_flag=True, help="Print them instead of writing images/rendered/.")
def render_command(set_name: str | None, only: tuple[str, ...], *, every: bool, check: bool, stdout: bool) -> None:
    """Write the Dockerfiles of a set's environments to images/rendered/. Needs no engine."""
    from runner import images

    linux = [environment for environment in _chosen(set_name, only, every=every) if "linux" in environment.platform]
    pairs = [(environment, lock.committed(environment)) for environment in linux]
    if stdout:
        for environment, pinned in pairs:
            click.echo(images.render(environment, pinned))
        return
    if check:
        drifted = images.check(pairs, complete=every)
        for line in drifted:
            click.echo(line)
        click.echo(f"{len(pairs)} Dockerfiles, {len(drifted)} differ")
        sys.exit(1 if drifted else 0)
    for path in images.render_all(pairs, complete=every):
        click.echo(str(path))
