"""Reaches the Docker engine, describes it and translates its errors."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UnavailableError
from runner.util import commands, folders, outage

if TYPE_CHECKING:
    from docker.api.client import APIClient

REQUEST_TIMEOUT_S = 60
"""How long one request may take."""
_PING_TIMEOUT_S = 3.0
_COMMAND_TIMEOUT_S = 20.0
_CONNECTIONS = 64
"""Threads that may talk to the engine at the same time."""
_SOCKET = "/var/run/docker.sock"
_ARCHITECTURES = {"amd64": "linux/amd64", "x86_64": "linux/amd64", "arm64": "linux/arm64", "aarch64": "linux/arm64"}
_BUILT_IN_BEFORE = 23
"""Docker's client had BuildKit built in up to 20.10. From 23.0 on BuildKit needs the buildx plug-in."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Facts about an engine, read once."""

    version: str = ""
    api: str = ""
    platform: str = ""
    """Of the images that it runs: ``linux/amd64``."""
    podman: bool = False
    system: str = ""
    """What the engine runs on: ``Debian GNU/Linux 12 (bookworm)``, ``Docker Desktop``."""
    root: str = ""
    """The folder of its images, on the machine that it runs on."""
    rootless: bool = False
    """Whether the engine runs as the caller, who is root inside its containers."""
    remapped: bool = False
    """Whether container users are other users outside (``userns-remap``), who could not write the caller's files."""
    selinux: bool = False
    cgroup: str = ""
    """``1`` or ``2``."""
    limits_memory: bool = True
    """Whether it can limit a container's memory; a rootless engine on cgroup v1 cannot."""
    nvidia: bool = False
    """Whether it knows NVIDIA's runtime, or devices by the Container Device Interface."""

    @classmethod
    def read(cls, info: Mapping[str, Any], version: Mapping[str, Any]) -> Engine:
        """Read the engine's answers to ``/info`` and ``/version``."""
        security = {str(option).partition(",")[0] for option in info.get("SecurityOptions") or ()}
        rootless = "name=rootless" in security or info.get("Rootless") is True  # Podman 4.3 has only this
        cgroup = str(info.get("CgroupVersion") or "1")
        components = [str(component.get("Name", "")).lower() for component in version.get("Components") or ()]
        architecture = str(info.get("Architecture", ""))
        return cls(
            version=str(info.get("ServerVersion", "")),
            api=str(version.get("ApiVersion", "")),
            platform=_ARCHITECTURES.get(architecture, f"linux/{architecture}"),
            podman=any("podman" in name for name in components),
            system=str(info.get("OperatingSystem", "")),
            root=str(info.get("DockerRootDir", "")),
            rootless=rootless,
            remapped="name=userns" in security,
            selinux="name=selinux" in security,
            cgroup=cgroup,
            # Podman reports the machine's controllers, which a rootless one may not use
            limits_memory=bool(info.get("MemoryLimit", True)) and not (rootless and cgroup == "1"),
            nvidia="nvidia" in (info.get("Runtimes") or {})
            or "cdi" in str(info.get("DiscoveredDevices") or "").lower(),
        )


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A docker command line that builds with BuildKit."""

    path: str
    buildx: bool


def connect(timeout_s: int = REQUEST_TIMEOUT_S) -> APIClient:
    """Return a client for the engine that the docker command line would use.

    ``timeout_s`` is for one request. Raises UnavailableError, in one line, where no engine answers.
    """
    import docker

    with answering("no Docker engine answers"):
        client = docker.from_env(timeout=timeout_s, max_pool_size=_CONNECTIONS).api
        client.ping()
    return client


def describe(client: APIClient) -> Engine:
    """Ask the engine what it is. Raises UnavailableError where it does not answer."""
    with answering():
        return Engine.read(client.info(), client.version())


def problem() -> str:
    """Return why no engine can be used, in a few words; empty where one answers.

    docker-py takes 0.2 s to import, so an engine behind a local socket is asked without it.
    """
    path = _socket_path()
    if path is None:
        return _problem_by_client()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PING_TIMEOUT_S)
            connection.connect(path)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            first = connection.recv(64)
    except FileNotFoundError:
        return "no Docker engine is running"
    except PermissionError:
        return f"the Docker engine's socket {path} may not be used by this user"
    except OSError as error:
        return f"no Docker engine answers ({error.strerror or error})"
    return "" if b" 200 " in first else "the Docker engine does not answer a ping"


def _socket_path() -> str | None:
    """Return the engine's local socket; None for another host or a Docker context."""
    host = os.environ.get("DOCKER_HOST", "")
    if host:
        return host.removeprefix("unix://") if host.startswith("unix://") else None
    if os.environ.get("DOCKER_CONTEXT", "default") != "default":
        return None
    config = (
        Path(os.environ.get("DOCKER_CONFIG") or (folders.home() or Path("/nonexistent")) / ".docker") / "config.json"
    )
    try:
        chosen = json.loads(config.read_text()).get("currentContext", "default")
    except (OSError, ValueError):
        chosen = "default"
    return _SOCKET if chosen == "default" else None


def _problem_by_client() -> str:
    try:
        connect().close()
    except UnavailableError as error:
        return str(error)
    return ""


def missing_images(names: Sequence[str], timeout_s: int = REQUEST_TIMEOUT_S) -> dict[str, str]:
    """Find the images that are neither on the engine nor in their registry.

    Returns the reason for each. Raises UnavailableError where no engine answers.
    """
    import docker

    missing: dict[str, str] = {}
    with closing(connect(timeout_s)) as client:
        for name in names:
            try:
                client.inspect_image(name)  # type: ignore[no-untyped-call]
            except docker.errors.ImageNotFound:
                try:
                    client.inspect_distribution(name)  # type: ignore[no-untyped-call]
                except docker.errors.DockerException as error:
                    missing[name] = str(getattr(error, "explanation", None) or error)
                except transport_errors():
                    missing[name] = "its registry does not answer"
    return missing


def transport_errors() -> tuple[type[Exception], ...]:
    """Return what docker-py raises where a connection breaks or times out."""
    import requests
    import urllib3

    return (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, OSError)


def errors() -> tuple[type[Exception], ...]:
    """Return all that docker-py raises: refusals and broken connections."""
    import docker
    import requests

    return (docker.errors.DockerException, requests.RequestException, *transport_errors())


@contextmanager
def answering(otherwise: str = "the Docker engine does not answer") -> Iterator[None]:
    """Turn what docker-py raises into UnavailableError; ``otherwise`` begins its text.

    An engine that does not answer, and a refusal for want of disk or network, are an OutageError.
    """
    import docker

    try:
        yield
    except docker.errors.APIError as error:
        text = str(error.explanation or error)
        refused = outage.of(text, outage.ENGINE_DISK) or UnavailableError(f"the Docker engine refuses: {text}")
        raise refused from error
    except errors() as error:
        raise outage.of_engine(f"{otherwise} ({innermost(error)})") from error


def innermost(error: BaseException) -> str:
    """Return the text of the first error in a chain.

    docker-py wraps a refused connection four times.
    """
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


@cache
def buildkit() -> CommandLine | None:
    """Return the first docker command line here that has BuildKit."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    seen: set[Path] = set()
    for folder in folders:
        found = shutil.which("docker", path=folder) if folder else None
        real = Path(found).resolve() if found else None
        if found is None or real is None or real in seen:
            continue
        seen.add(real)
        if commands.output(found, "buildx", "version", timeout_s=_COMMAND_TIMEOUT_S):
            return CommandLine(found, buildx=True)
        if _major(commands.output(found, "--version", timeout_s=_COMMAND_TIMEOUT_S)) < _BUILT_IN_BEFORE:
            return CommandLine(found, buildx=False)
    return None


def _major(version: str) -> int:
    """Read 20 from ``Docker version 20.10.24+dfsg1, build 297e128``.

    Any other text is a large number.
    """
    words = version.split()
    number = words[2].split(".", maxsplit=1)[0] if words[:2] == ["Docker", "version"] and len(words) > 2 else ""
    return int(number) if number.isdigit() else 10**6
