"""``runner images``: manages the images of this project."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from runner.cli import options
from runner.matrix import selection
from runner.util import program
from runner.util.plain import say

if TYPE_CHECKING:
    from runner.environments.lockfile import Lock
    from runner.model import Environment


@click.group("images")
def images_command() -> None:
    """Manage the images: ls, prune, pin, push, pull, sbom.

    Images of others are never touched.
    """


@images_command.command("ls", short_help="Show size, unshared size and last use.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def ls_command(*, as_json: bool) -> None:
    """Show every image of this project.

    A line has its size, the size of what no other image shares, and when it was last used.
    """
    from runner import engine
    from runner.executors import docker
    from runner.images import manage
    from runner.report import images

    client = engine.connect()
    found = manage.ls(client)
    say(images.to_json(found) if as_json else "\n".join(images.listed(found, docker.kept(client), time.time())))


@images_command.command("prune", short_help="Remove images, longest unused first.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the N images used last.")
@click.option("--keep-free", type=options.Finite(0), metavar="GB", help="Remove until this much is free.")
@click.option("--cache", is_flag=True, help="Drop the download cache of builds as well.")
def prune_command(keep: int | None, keep_free: float | None, *, cache: bool) -> None:
    """Remove images of this project, least recently used first.

    Without options it removes all of them.

    Containers that `matrix --keep-failed` kept go first, with the folders they ran in.
    """
    from runner import engine
    from runner.executors import docker
    from runner.images import manage
    from runner.report import images

    client = engine.connect()
    containers = docker.remove_kept(client)
    removed = manage.prune(client, keep, keep_free, cache=cache)
    say("\n".join(images.pruned(containers, removed)))


@images_command.command("pin", short_help="Write the digests of the base images.")
@options.which_cells
def pin_command(set_name: str | None, only: tuple[str, ...]) -> None:
    """Write the current digests of the base images to images/bases.toml."""
    from runner import engine
    from runner.images import registry
    from runner.images.recipe import base_image

    bases = {base_image(environment.python) for environment in _environments(set_name, only)}
    say(str(registry.pin(engine.connect(), sorted(bases))))


@images_command.command("push", short_help="Push the images of a set to a registry.")
@click.argument("prefix", metavar="REGISTRY/OWNER")
@options.which_cells
def push_command(prefix: str, set_name: str | None, only: tuple[str, ...]) -> None:
    """Push the images of a set, which must be built, to a registry (ghcr.io/owner).

    Exit code 3 where a lock could not be read.
    """
    from runner import engine
    from runner.images import registry

    client = engine.connect()
    found, bad = _locked(set_name, only)
    for environment, pinned in found:
        say(registry.push(client, prefix, environment, pinned))
    sys.exit(3 if bad else 0)


@images_command.command("pull", short_help="Pull them from there.")
@click.argument("prefix", metavar="REGISTRY/OWNER")
@options.which_cells
def pull_command(prefix: str, set_name: str | None, only: tuple[str, ...]) -> None:
    """Pull the images of a set from a registry.

    The next run builds what the registry does not have.

    Exit code 3 where any was missing or a lock could not be read.
    """
    from runner import engine
    from runner.images import registry

    client = engine.connect()
    found, missing = _locked(set_name, only)
    for environment, pinned in found:
        there = registry.pull(client, prefix, environment, pinned)
        missing += not there
        say(f"{'pulled ' if there else 'missing'}  {environment.id}")
    sys.exit(3 if missing else 0)


@images_command.command("sbom", short_help="Print one environment's CycloneDX.")
@options.which_cells
def sbom_command(set_name: str | None, only: tuple[str, ...]) -> None:
    """Print the bill of materials (CycloneDX 1.6) of one environment."""
    from runner.environments import lock
    from runner.errors import UsageError
    from runner.images import sbom

    wanted = _environments(set_name, only)
    if len(wanted) != 1:
        raise UsageError(f"one environment at a time, and these are {len(wanted)}: narrow it down with --only")
    say(sbom.cyclonedx(wanted[0], lock.locked(wanted[0])))


def _environments(set_name: str | None, only: tuple[str, ...]) -> list[Environment]:
    """Return the environments of a set, as containers here run them."""
    from runner.environments import index
    from runner.machine import facts
    from runner.matrix import plan

    platform = facts.container_platform(facts.here())
    chosen = selection.choose(set_name, only, index.nightly)
    custom, cells = chosen.definition.custom, [cell for cell in chosen.cells if cell.device != "mps"]
    return list(dict.fromkeys(plan.environment_of(cell, platform, custom) for cell in cells))


def _locked(set_name: str | None, only: tuple[str, ...]) -> tuple[list[tuple[Environment, Lock]], int]:
    """Return the environments of a set with their locks, and how many have none.

    Those are named on stderr.
    """
    from runner.environments import lock
    from runner.errors import CellError

    found, bad = [], 0
    for environment in _environments(set_name, only):
        try:
            found.append((environment, lock.locked(environment)))
        except CellError as error:
            bad += 1
            program.warn(str(error))
    return found, bad
