"""Lets the runs on one machine take turns: none disturbs another's timings.

A process whose timings count has the machine to itself. Whatever else loads it, the making of an environment or a
process whose timings do not count, goes on together, but not at the same time as such a process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from runner.util import folders, locks

T = TypeVar("T")
P = ParamSpec("P")


@contextmanager
def taken(
    *, alone: bool, waiting: Callable[[str], None] = lambda _: None, check: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Have this machine ``alone``, or together with others; a context manager.

    ``waiting`` gets the description of whoever has it now, before this waits. ``check`` is called several times a
    second meanwhile and may raise. Where a machine has no such lock, nobody waits.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            path = folders.machine_lock()
            _make(path)
            stack.enter_context(locks.held(path, waiting, shared=not alone, unlocked=lambda _reason: None, check=check))
        yield


def _make(path: Path) -> None:
    """Make the lock's file, for all users of the machine, whatever this one's umask.

    Who cannot open it does not wait.
    """
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            os.fchmod(descriptor, 0o644)
        finally:
            os.close(descriptor)


def together(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that loads the machine and whose time does not count."""
    with taken(alone=False):
        return function(*args, **kwargs)
