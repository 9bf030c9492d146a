"""Whether a Docker engine answers, asked without importing docker-py where the engine is behind a local socket."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

_DEFAULT = "/var/run/docker.sock"
_TIMEOUT_S = 3.0


def engine_problem() -> str:
    """Empty where an engine answers, else why not, in a few words."""
    path = _socket_path()
    if path is None:
        return _ask_docker_py()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT_S)
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
    """The engine's local socket, or None where docker-py has to find out (another host, a Docker context)."""
    host = os.environ.get("DOCKER_HOST", "")
    if host:
        return host.removeprefix("unix://") if host.startswith("unix://") else None
    if os.environ.get("DOCKER_CONTEXT", "default") != "default":
        return None
    config = Path(os.environ.get("DOCKER_CONFIG", "~/.docker")).expanduser() / "config.json"
    try:
        chosen = json.loads(config.read_text()).get("currentContext", "default")
    except (OSError, ValueError):
        chosen = "default"
    return _DEFAULT if chosen == "default" else None


def _ask_docker_py() -> str:
    from runner.errors import UnavailableError
    from runner.executors.docker import connect

    try:
        api, _ = connect()
    except UnavailableError as error:
        return str(error)
    api.close()
    return ""
