"""Runs a program to its end and collects what it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it printed."""

    code: int | None
    """The exit code, negative for a signal; None where it could not be started, was stopped at the deadline, or was
    killed together with what watches over it."""
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


def guarded(
    command: Sequence[str], *, timeout_s: float, folder: Path | None = None, variables: Mapping[str, str] | None = None
) -> Ended:
    """Run a program that takes long. Never raises.

    It ends with this process, and with it all that it has started.
    ``folder`` is where it runs; ``variables`` are as in ``run``.
    """
    from runner.util.guarded import Guarded

    try:
        program = Guarded(command, cwd=folder, variables=variables, errors_apart=True)
    except OSError as error:
        return Ended(None, errors=f"{command[0]} cannot be started: {error.strerror}")
    late = False
    try:
        said, errors = program.process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        late = True
        program.kill()
        said, errors = program.process.communicate()
    finally:
        program.end()
    if program.failed is not None:
        return Ended(None, errors=f"{command[0]} cannot be started: {os.strerror(program.failed)}")
    code = None if late else program.exit_code
    return Ended(code, said.decode("utf-8", "replace"), errors.decode("utf-8", "replace"), late)


def output(*command: str, timeout_s: float) -> str:
    """Return what a program prints; empty where it is missing, fails or hangs."""
    ended = run(command, timeout_s=timeout_s)
    return ended.output.strip() if ended.code == 0 else ""
