"""Hands this terminal to a command in a prepared environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.errors import UnavailableError
from runner.executors import Launch, Shell, container
from runner.executors.owner import Owner
from runner.matrix.probes import SOURCE
from runner.model import Limits
from runner.util import scratch


def in_container(wanted: Shell) -> int:
    """Run the command in a new container, in the current folder.

    Returns its exit code. Raises UnavailableError where there is no docker command line.
    """
    if shutil.which("docker") is None:
        raise UnavailableError("a shell in a container needs the docker command line; or use --executor host")
    folder = Path.cwd()
    launch = Launch(wanted.cell, wanted.prepared, folder, None, {}, Limits())
    labels = container.labels(launch, run="shell", owner=Owner.this())
    command = container_command(wanted, labels, folder=folder, terminal=sys.stdin.isatty())
    return _handed_over(command, os.environ)


def container_command(wanted: Shell, labels: Mapping[str, str], *, folder: Path, terminal: bool) -> list[str]:
    """Return the docker command line; ``folder`` is its /work. Pure."""
    command = ["docker", "run", "--rm", "--init", "--interactive", *(["--tty"] if terminal else [])]
    command += ["--network", "bridge" if wanted.network else "none", "--cap-drop", "ALL"]
    command += ["--security-opt", "no-new-privileges", "--shm-size", "1g", "--user", f"{os.getuid()}:{os.getgid()}"]
    command += ["--mount", f"type=bind,source={folder},target=/work", "--workdir", "/work"]
    command += ["--mount", f"type=bind,source={SOURCE},target=/probes/probe,readonly"]
    variables = {"PYTHONPATH": "/probes", "HOME": "/tmp", **wanted.variables}  # noqa: S108 - the container's own
    for name, value in variables.items():
        command += ["--env", f"{name}={value}"]
    for name, value in labels.items():
        command += ["--label", f"{name}={value}"]
    command += ["--gpus", "all"] if wanted.cell.device == "cuda" else []
    return [*command, wanted.prepared.reference, *(wanted.words or ("bash",))]


def on_host(wanted: Shell) -> int:
    """Run the command with the environment's Python first on the path.

    Returns its exit code. Raises UnavailableError where it cannot be started.
    """
    # the probes are found, the rest of this program is not: a folder with nothing but a link to them
    with scratch.folder("shell") as folder:
        (folder / "probe").symlink_to(SOURCE)
        variables = host_variables(wanted, os.environ, str(folder))
        return _handed_over(wanted.words or (os.environ.get("SHELL") or "sh",), variables)


def host_variables(wanted: Shell, outside: Mapping[str, str], probes: str) -> dict[str, str]:
    """Return the variables of a shell; ``probes`` is the probes' folder. Pure."""
    place = Path(wanted.prepared.reference).parent
    kept = {name: value for name, value in outside.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    own = {
        "VIRTUAL_ENV": str(place.parent),
        "PATH": f"{place}{os.pathsep}{outside.get('PATH', '')}",
        "PYTHONPATH": probes,
        "PYTHONNOUSERSITE": "1",
    }
    return {**kept, **own, **wanted.variables}


def _handed_over(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command with this terminal. Ctrl-C reaches only the command."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            list(command),
            env=dict(variables),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        code = child.wait()
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be started: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
