"""Starts a second Docker engine and kills it.

It has a network and mount namespace, a data root, a socket and a control group that no other engine uses.

A second engine in the machine's own network namespace would take over, or delete, the bridge of the first.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import place

BASE = "python:3.11-slim-bookworm"
_NEEDED = ("dockerd", "docker", "unshare", "ip", "mount")
_START_S = 60.0


def obstacle() -> str:
    """Why no engine of the suite's own can be started here; empty where one can."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        return f"{' '.join(missing)} is not installed"
    if os.geteuid() != 0:
        return "only root may start an engine"
    held = subprocess.run(["docker", "image", "inspect", BASE], check=False, capture_output=True)
    return f"the engine here has no image {BASE}" if held.returncode else ""


class EngineError(Exception):
    """The suite's own engine does not start."""


class Engine:
    """One engine below one folder.

    Nothing of it is left once the folder is removed with ``place.remove``.
    """

    user = ""
    """Who runs the engine, and the program that uses it; empty: whoever runs the suite."""

    def __init__(self, folder: Path, group: str, more: Sequence[str] = ()) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.address = f"unix://{self.socket}"
        self._group = group
        self._more = tuple(more)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the engine and wait until it answers. Raises EngineError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in (self.folder / "pid", self.folder / "exec/containerd/containerd.pid"):
            left.unlink(missing_ok=True)  # of an engine that was killed
        command = [
            "unshare", "--net", "--mount", "--propagation", "slave",
            "sh", "-c", 'ip link set lo up && exec "$@"', "engine",
            "dockerd", "--host", self.address, "--pidfile", str(self.folder / "pid"),
            "--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec"),
            "--iptables=false", "--ip6tables=false", "--ip-masq=false",
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{self._group}",
            *self._more,
        ]  # fmt: skip
        environment = {key: text for key, text in os.environ.items() if key != "DOCKER_HOST"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        until = time.monotonic() + _START_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                tail = (self.folder / "log").read_text(errors="replace")[-400:]
                raise EngineError(f"the suite's own engine does not start: {tail}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the engine answers within some seconds."""
        return self.socket.exists() and self.docker("version", check=False, timeout_s=10.0).returncode == 0

    def kill(self) -> None:
        """SIGKILL the engine and its containerd, as a crash does. Containers stay."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self, seconds: float) -> None:
        """Stop the engine's processes for a while; they keep all their connections."""
        pids = self.pids()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(seconds)

    def pids(self) -> list[int]:
        """The processes of dockerd and containerd, not those of containers."""
        return [pid for pid in place.processes(self.folder) if place.name(pid) in ("dockerd", "containerd")]

    def inside(self, *words: str) -> list[str]:
        """A command for the engine's network namespace."""
        return ["nsenter", "--target", str(self._process.pid if self._process else 0), "--net", "--", *words]

    def docker(
        self, *words: str, check: bool = True, timeout_s: float = 60.0, typed: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a docker command line on this engine."""
        environment = {**os.environ, "DOCKER_HOST": self.address, "DOCKER_CONFIG": str(self.folder / "config")}
        try:
            return subprocess.run(
                ["docker", *words], check=check, capture_output=True, timeout=timeout_s, input=typed, env=environment
            )
        except subprocess.TimeoutExpired:
            if check:
                raise
            return subprocess.CompletedProcess(words, 124, b"", b"")

    def containers(self) -> list[str]:
        """All containers, running or not, by name; empty where the engine does not answer."""
        listed = self.docker("ps", "--all", "--format", "{{.Names}}", check=False, timeout_s=10.0)
        return listed.stdout.decode().split()

    def clear(self) -> None:
        """Remove all containers."""
        names = self.containers()
        if names:
            self.docker("rm", "--force", "--volumes", *names, check=False)

    def load_base(self) -> None:
        """Copy the base image from the machine's engine: no registry is needed."""
        kept = {key: text for key, text in os.environ.items() if key != "DOCKER_HOST"}
        with subprocess.Popen(["docker", "save", BASE], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                ["docker", "--host", self.address, "load", "--quiet"],
                stdin=saved.stdout, check=True, stdout=subprocess.DEVNULL, env=kept,
            )  # fmt: skip
            if saved.stdout is not None:
                saved.stdout.close()
        if saved.returncode:
            raise EngineError(f"{BASE} cannot be copied from the engine of this machine")

    def label(self, tag: str, base: str, labels: dict[str, str]) -> None:
        """Make an image as the program would leave it: the base with labels."""
        lines = [f"FROM {base}", *(f'LABEL {key}="{text}"' for key, text in labels.items())]
        self.docker("build", "--quiet", "--tag", tag, "-", typed="\n".join(lines).encode())
