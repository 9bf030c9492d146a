"""The user's wheels and sources as versions, before anything is planned."""

from __future__ import annotations

from collections.abc import Sequence

from runner import sources
from runner.executors import Say
from runner.measure import turns, workspace
from runner.sources import Source


def made(wheels: Sequence[str], checkouts: Sequence[str], executor: str, say: Say) -> tuple[Source, ...]:
    """The versions of ``--wheel`` and ``--source``.

    A source that is not built yet is built while no run on this machine times anything. A signal ends the build.
    Raises as ``sources.parse`` and ``sources.made``.
    """
    given = sources.parse(wheels, checkouts)
    if not given:
        return ()
    with workspace.stoppable():
        return sources.made(
            given, executor, say, lambda: turns.taken(alone=False, waiting=lambda who: say(f"taking turns with {who}"))
        )


def pins(wheels: Sequence[str], checkouts: Sequence[str], executor: str, say: Say) -> tuple[str, ...]:
    """``name==version`` of every source of a command line. Raises as ``made``."""
    return tuple(f"{one.package}=={one.version}" for one in made(wheels, checkouts, executor, say))
