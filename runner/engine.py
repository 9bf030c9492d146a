"""The Docker engine as the image code needs it: a client, what the engine is, and a command line with BuildKit."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UnavailableError

if TYPE_CHECKING:
    from docker.api.client import APIClient

_ARCHITECTURES = {"amd64": "linux/amd64", "x86_64": "linux/amd64", "arm64": "linux/arm64", "aarch64": "linux/arm64"}
_BUILT_IN_BEFORE = 23
"""Docker's client had BuildKit built in up to 20.10; from 23.0 on it is the buildx plug-in's."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What is asked of an engine once."""

    platform: str
    """``linux/amd64``."""
    podman: bool
    root: str
    """Where it keeps its images, on its own machine."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A docker command line that builds with BuildKit."""

    path: str
    buildx: bool


def connect() -> APIClient:
    """A client for the engine that the environment names. Raises UnavailableError where none answers."""
    import docker

    try:
        client = docker.from_env(max_pool_size=32).api
        client.ping()
    except docker.errors.DockerException as error:
        raise UnavailableError(f"no Docker engine answers: {innermost(error)}") from error
    except OSError as error:
        raise UnavailableError(f"no Docker engine answers: {innermost(error)}") from error
    return client


def describe(client: APIClient) -> Engine:
    """What the engine says of itself."""
    info: dict[str, Any] = client.info()
    version: dict[str, Any] = client.version()
    components = [c.get("Name", "") for c in version.get("Components") or ()]
    return Engine(
        platform=_ARCHITECTURES.get(info.get("Architecture", ""), f"linux/{info.get('Architecture')}"),
        podman=any("podman" in name.lower() for name in components),
        root=info.get("DockerRootDir", ""),
    )


@cache
def buildkit() -> CommandLine | None:
    """The first docker command line here that has BuildKit, or None."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    seen: set[Path] = set()
    for folder in folders:
        found = shutil.which("docker", path=folder) if folder else None
        real = Path(found).resolve() if found else None
        if found is None or real is None or real in seen:
            continue
        seen.add(real)
        if _answer([found, "buildx", "version"]) is not None:
            return CommandLine(found, buildx=True)
        version = _answer([found, "--version"]) or ""
        if _major(version) < _BUILT_IN_BEFORE:
            return CommandLine(found, buildx=False)
    return None


def _major(version: str) -> int:
    """20 for ``Docker version 20.10.24+dfsg1, build 297e128``; a large number where it says something else."""
    words = version.split()
    number = words[2].split(".", maxsplit=1)[0] if words[:2] == ["Docker", "version"] and len(words) > 2 else ""
    return int(number) if number.isdigit() else 10**6


def _answer(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def innermost(error: BaseException) -> str:
    """What the error that the others wrap says, in its own words."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
