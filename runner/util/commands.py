"""Runs a program to its end and collects what it prints."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it printed."""

    code: int | None
    """The exit code; None where it could not be started or was stopped at the deadline."""
    output: str = ""
    errors: str = ""
    late: bool = False
    """Whether it was stopped at the deadline."""


def run(
    command: Sequence[str], *, timeout_s: float, typed: str = "", variables: Mapping[str, str] | None = None
) -> Ended:
    """Run a program without a shell; ``typed`` is its standard input. Never raises.

    ``variables`` are all its environment variables; None means those of this process.
    """
    if shutil.which(command[0]) is None:
        return Ended(None, errors=f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            list(command), input=typed, env=variables, timeout=timeout_s,
            capture_output=True, check=False, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ended(None, late=True)
    except OSError as error:
        return Ended(None, errors=f"{command[0]} cannot be started: {error.strerror}")
    return Ended(done.returncode, done.stdout, done.stderr)


def output(*command: str, timeout_s: float) -> str:
    """Return what a program prints; empty where it is missing, fails or hangs."""
    ended = run(command, timeout_s=timeout_s)
    return ended.output.strip() if ended.code == 0 else ""
