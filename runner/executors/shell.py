"""Opens a shell in a prepared cell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from runner.matrix.probes import SOURCE


def container_command(
    image: str, words: tuple[str, ...], variables: dict[str, str], labels: dict[str, str], *, network: bool,
    terminal: bool, folder: Path, gpu: bool = False,
) -> list[str]:  # fmt: skip
    """The docker command line: the recipe of a cell's container, with a terminal and the current folder."""
    command = ["docker", "run", "--rm", "--init", "--interactive", *(["--tty"] if terminal else [])]
    command += ["--network", "bridge" if network else "none", "--cap-drop", "ALL"]
    command += ["--security-opt", "no-new-privileges", "--shm-size", "1g", "--user", f"{os.getuid()}:{os.getgid()}"]
    command += ["--mount", f"type=bind,source={folder},target=/work", "--workdir", "/work"]
    command += ["--mount", f"type=bind,source={SOURCE},target=/probes/probe,readonly"]
    for name, value in {"PYTHONPATH": "/probes", "HOME": "/tmp", **variables}.items():  # noqa: S108 - the container's own
        command += ["--env", f"{name}={value}"]
    for name, value in labels.items():
        command += ["--label", f"{name}={value}"]
    return [*command, *(["--gpus", "all"] if gpu else []), image, *(words or ("bash",))]


def on_host(python: str, words: tuple[str, ...], variables: dict[str, str]) -> int:
    place = Path(python).parent
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environment |= {"VIRTUAL_ENV": str(place.parent), "PATH": f"{place}{os.pathsep}{os.environ.get('PATH', '')}"}
    # the probes are found, the rest of this program is not: a folder with nothing but a link to them
    import tempfile

    with tempfile.TemporaryDirectory(prefix="runner-shell-") as folder:
        (Path(folder) / "probe").symlink_to(SOURCE)
        environment |= {"PYTHONPATH": folder, "PYTHONNOUSERSITE": "1", **variables}
        return _handed_over(list(words) or [os.environ.get("SHELL") or "sh"], environment)


def in_container(place: Any, prepared: Any, words: tuple[str, ...], variables: dict[str, str], *, network: bool) -> int:
    import shutil

    from runner.errors import UnavailableError
    from runner.executors.container import labels
    from runner.executors.owner import Owner

    if shutil.which("docker") is None:
        raise UnavailableError("a shell in a container needs the docker command line; or use --executor host")
    from runner.executors import Launch
    from runner.model import Limits

    launch = Launch(place.cell, prepared, Path.cwd(), None, {}, Limits())
    command = container_command(
        prepared.reference, words, variables, labels(launch, run="shell", owner=Owner.this()),
        network=network, terminal=sys.stdin.isatty(), folder=Path.cwd(), gpu=place.cell.device == "cuda",
    )  # fmt: skip
    return _handed_over(command, dict(os.environ))


def _handed_over(command: list[str], environment: dict[str, str]) -> int:
    """Run with our own terminal; Ctrl-C is for what runs in it."""
    import signal

    from runner.errors import UnavailableError

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            command,
            env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        code = child.wait()
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be started: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
