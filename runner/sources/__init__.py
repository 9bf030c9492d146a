"""Wheels, checkouts and commits of the user -> versions like any other.

``keras=../keras`` becomes ``keras 3.16.0+g1a2b3c4``: a wheel in the store of ``runner.environments.wheels``, by whose
version everything else asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from runner.environments import wheels
from runner.errors import SourceError, UsageError
from runner.executors import Say
from runner.matrix import frameworks
from runner.sources import build, checkout
from runner.sources.build import Turn
from runner.sources.given import Given, is_named, parse
from runner.util import wheel_file

__all__ = ["Given", "Source", "is_named", "made", "parse"]

_DIGITS = 7
"""The hex digits of a commit or a digest in a version, as many as git shows."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source that has become a version."""

    package: str
    """A framework, ``keras``, or another project."""
    version: str
    note: str
    """What it was made from, in one line."""


def made(given: Sequence[Given], executor: str, say: Say, turn: Turn = nullcontext) -> tuple[Source, ...]:
    """The versions of the sources; those that are not built yet are built.

    ``executor`` is the name of one, or ``auto``. ``turn`` is taken for as long as a build lasts.
    Raises UsageError for a source that cannot be used, BuildError where
    it cannot be built, and OutageError where the engine, the network or the disk stops it.
    """
    found = tuple(_wheel(one) if one.is_wheel else _checkout(one, executor, say, turn) for one in given)
    for source in found:
        say(source.note)
    return found


def _wheel(given: Given) -> Source:
    try:
        wheel = wheel_file.read(given.path)
    except UsageError as error:
        raise UsageError(f"{given.option} {given.package}={error}") from None
    _check_name(given, wheel)
    label = f"w{wheel.sha256[:_DIGITS]}"
    version = wheel_file.labelled(wheel.version, label)
    note = f"{given.package} {version} is the wheel {wheel.path.name} (sha256 {wheel.sha256[:16]}...)"
    return _kept(given, wheel, label, f"sha256:{wheel.sha256}", note)


def _checkout(given: Given, executor: str, say: Say, turn: Turn) -> Source:
    with checkout.opened(given, say) as tree:
        built = build.wheel(given, tree, executor, say, turn)
        try:
            wheel = wheel_file.read(built)
        except UsageError as error:
            raise SourceError(f"{given}: {str(error).removeprefix(f'{built}: ')}") from None
    _check_name(given, wheel)
    label = tree.label(_DIGITS)
    version = wheel_file.labelled(wheel.version, label)
    return _kept(given, wheel, label, f"tree:{tree.id}", f"{given.package} {version} is built from {tree.words}")


def _check_name(given: Given, wheel: wheel_file.Wheel) -> None:
    wanted = frameworks.distribution(given.package)
    if wheel.project == wanted:
        return
    is_part = frameworks.named(wheel.project) == given.package
    way_out = f"build it as {wanted}" if is_part else f"give {given.option} {wheel.project}={given.target}"
    raise SourceError(f"{given}: that is {wheel.project} {wheel.version}, not {wanted}; {way_out}")


def _kept(given: Given, wheel: wheel_file.Wheel, label: str, origin: str, note: str) -> Source:
    kept = wheels.keep(wheel, label, origin, note)
    return Source(given.package, kept.version, kept.entry.note)
