"""Distinguishes answers about a release from trouble that passes. Pure.

An answer is stored and never asked for again, so only these are answers: what a test of the release found, and what
the package index or the project's own tables say for good. Everything else ends the search, and the same command asks
again: a lost network, a full disk, an engine that is gone, a process that was killed, a fault of this program.
"""

from __future__ import annotations

from runner.errors import BuildError, CellError, ImpossibleError, UnbuildableError
from runner.util import outage


def lasting(error: CellError) -> bool:
    """Whether the release would fail in the same way whenever it is asked for.

    A BuildError alone says little: a killed installer and a missing wheel both raise one. Its text decides, and a text
    that is not known counts as trouble: to ask again costs minutes, a wrong answer costs the search.
    """
    if isinstance(error, ImpossibleError):
        return True
    if isinstance(error, UnbuildableError):
        return outage.of(_text(error)) is None
    return isinstance(error, BuildError) and outage.lasting(_text(error))


def worth_a_second_try(error: CellError, *, earlier: bool) -> bool:
    """Whether the environment is to be prepared once more.

    ``earlier``: it failed some time ago, when it was prepared ahead of its test.
    """
    return outage.perhaps(_text(error)) if lasting(error) else earlier


def sentence(error: CellError) -> str:
    """The error in one line, with the way out where there is one."""
    return " ".join(str(getattr(error, "sentence", error)).split())


def _text(error: CellError) -> str:
    return f"{error}\n{error.log}"
