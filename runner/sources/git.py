"""Runs git. Not pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from runner.errors import UsageError
from runner.util import commands

_TIMEOUT_S = 900.0
_DECIDED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables of a git hook that would name another repository."""


class GitError(UsageError):
    """What git refuses, and why."""


def asked(arguments: list[str], variables: Mapping[str, str], folder: Path) -> str | None:
    """What git prints; None where it refuses. Raises GitError where there is no git."""
    ended = _ran(arguments, variables, folder)
    return ended.output.strip() if ended.code == 0 else None


def output(arguments: list[str], variables: Mapping[str, str], folder: Path) -> str:
    """What git prints. Raises GitError with its reason."""
    ended = _ran(arguments, variables, folder)
    if ended.code != 0:
        lines = [line.strip() for line in ended.errors.splitlines() if line.strip() and not line.startswith("hint:")]
        why = "it did not end in time" if ended.late else (lines[-1] if lines else "it gave no reason")
        raise GitError(f"git {arguments[0]} failed: {why.removeprefix('fatal: ')}")
    return ended.output.strip()


def _ran(arguments: list[str], variables: Mapping[str, str], folder: Path) -> commands.Ended:
    kept = {name: value for name, value in os.environ.items() if name not in _DECIDED}
    own = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    ended = commands.guarded(
        ["git", *arguments], timeout_s=_TIMEOUT_S, folder=folder, variables={**kept, **own, **variables}
    )
    if ended.code is None and not ended.late:
        raise GitError(f"git is needed for --source: {ended.errors or 'something ended it'}")
    return ended
