"""The project's own errors.

Each carries one line that says what is wrong and what to do about it.

Only ``runner.cli`` catches them in general, and only ``runner.measure.scheduler`` turns those of a cell into a status.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum

from runner.model import Status


class RunnerError(Exception):
    """Something the user can fix.

    The message is one line; ``exit_code`` is the process's exit code.
    """

    exit_code = 2


class UsageError(RunnerError):
    """A command line, configuration or input file that cannot be used as it is."""


class SourceError(UsageError):
    """A tree of files that cannot be built as it is, on any machine and at any time."""


class NotMeasuredError(RunnerError):
    """What was asked for cannot be measured now; nothing is wrong with the command."""

    exit_code = 3


class NothingMeasuredError(NotMeasuredError):
    """Nothing at all could be measured: there is no engine, for example."""

    exit_code = 4


class CellError(RunnerError):
    """What stopped one cell.

    ``run`` turns it into a result with this status; the others go on.
    """

    status = Status.CRASHED

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(reason)
        self.log = log


class BuildError(CellError):
    """An environment could not be locked, built or installed."""

    status = Status.BUILD_FAILED


class UnbuildableError(BuildError):
    """A source that its own build backend refuses, or that has none."""


class UnavailableError(CellError):
    """This machine lacks an engine, a device, a platform or disk space."""

    status = Status.UNAVAILABLE


class ImpossibleError(UnavailableError):
    """No machine can make the environment, by what is known about its releases."""


class Cause(StrEnum):
    """What an outage lies in."""

    ENGINE = "engine"
    NETWORK = "network"
    DISK = "disk"


class OutageError(UnavailableError):
    """The engine, the network or the disk stopped a cell.

    The other cells would fail in the same way. The message has the reason alone (see ``runner.util.outage``).
    """

    exit_code = 3

    def __init__(self, cause: Cause, reason: str, way_out: str, log: str = "", *, everywhere: bool = True) -> None:
        super().__init__(reason, log)
        self.cause = cause
        self.way_out = way_out
        self.everywhere = everywhere
        """Whether no environment can be built.

        An environment that is too large for the disk leaves room for others.
        """

    @property
    def sentence(self) -> str:
        """The reason and the way out, in one line."""
        return f"{self}: {self.way_out}"


class BadOutputError(CellError):
    """The probe's result file is missing, cut off, or has an impossible value."""

    status = Status.BAD_OUTPUT


def suggest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the nearest known words, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    if not near:
        return ""
    return f" (did you mean {' or '.join(repr(n) for n in near)}?)"
