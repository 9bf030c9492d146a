"""Runs other faults with the cells in Podman."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import kills
import strangers
from dockerd import BASE, Engine, EngineError
from judged import Judged
from tries import CONTAINERS, Fault, Suite, UntriedError

_RUNTIME = """#!/usr/bin/env python3
# Podman asks for more open files and processes than this machine lets it have: leave those limits as they are.
import json, os, sys
arguments = sys.argv[1:]
if "create" in arguments and "--bundle" in arguments:
    path = os.path.join(arguments[arguments.index("--bundle") + 1], "config.json")
    with open(path) as file:
        config = json.load(file)
    limits = config["process"].get("rlimits", [])
    config["process"]["rlimits"] = [limit for limit in limits if limit["type"] == "RLIMIT_CORE"]
    with open(path, "w") as file:
        json.dump(config, file)
os.execvp("RUNTIME", ["RUNTIME", *arguments])
"""


def configuration(place: Path) -> Path:
    """Write Podman's configuration, with ``_RUNTIME`` where limits cannot be raised."""
    path = place / "containers.conf"
    path.write_text("")
    capabilities = next(
        (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")),
        "0",
    )
    may_raise_limits = int(capabilities, 16) >> 24 & 1  # CAP_SYS_RESOURCE
    if os.geteuid() == 0 and not may_raise_limits:
        runtime = place / "runtime"
        runtime.write_text(_RUNTIME.replace('"RUNTIME"', repr("crun" if shutil.which("crun") else "runc")))
        runtime.chmod(0o755)
        named = json.dumps([str(runtime)])
        path.write_text(f'[engine]\nruntime = "limited"\n[engine.runtimes]\nlimited = {named}\n')
    return path


class Podman(Engine):
    """A Podman service behind a socket, in place of an engine."""

    def _podman(self, *words: str) -> list[str]:
        return ["podman", "--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"), *words]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")}

    def start(self) -> None:
        """Start the service and wait until it answers. Raises EngineError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration(self.folder)
        self.socket.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._podman("system", "service", "--time=0", self.address), cwd=self.folder,
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 30.0
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise EngineError("Podman's service does not start")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """The service's process."""
        return [self._process.pid] if self._process is not None and self._process.poll() is None else []

    def load_base(self) -> None:
        """Copy the base image from the machine's engine."""
        with subprocess.Popen(["docker", "save", BASE], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                self._podman("load", "--quiet"), stdin=saved.stdout, check=True, stdout=subprocess.DEVNULL,
                env=self._environment(),
            )  # fmt: skip

    def label(self, tag: str, base: str, labels: dict[str, str]) -> None:
        """Make an image as the program would leave it: the base with labels."""
        lines = [f"FROM {base}", *(f'LABEL {key}="{text}"' for key, text in labels.items())]
        words = self._podman("build", "--quiet", "--format", "docker", "--tag", tag, "-")
        text = "\n".join(lines).encode()
        subprocess.run(words, input=text, check=True, capture_output=True, env=self._environment())

    def reset(self) -> None:
        """Stop the service and remove its storage."""
        self.kill()
        words = self._podman("system", "reset", "--force")
        subprocess.run(words, env=self._environment(), check=False, capture_output=True)


@contextmanager
def instead(suite: Suite) -> Iterator[None]:
    """Let the suite use Podman in place of its engine. Raises UntriedError."""
    if suite.podman is None:
        made = Podman(suite.place / "podman", suite.place.name)
        try:
            made.start()
        except EngineError as error:
            raise UntriedError(str(error)) from None
        suite.stack.callback(made.reset)
        made.load_base()
        for image in suite.images:
            made.label(image.tag, image.base, image.labels)
        suite.podman = made
    docker, suite.engine = suite.engine, suite.podman
    try:
        yield
    finally:
        suite.engine = docker


def on_podman(suite: Suite, draw: random.Random, *, once: Callable[[Suite, random.Random], Judged]) -> Judged:
    """Another fault, with the cells in Podman."""
    with instead(suite):
        return once(suite, draw)


def _no_podman() -> str:
    missing = [name for name in ("podman", "docker") if shutil.which(name) is None]
    return f"{' '.join(missing)} is not installed" if missing else ""


FAULTS = tuple(
    Fault(f"podman-{name}", what, partial(on_podman, once=once), 0, tries, obstacle=_no_podman)
    for name, what, tries, once in (
        ("kill", "SIGKILL of the runner, cells in Podman", 30, partial(kills.killed, words=CONTAINERS)),
        ("stop", "SIGTERM or SIGINT, cells in Podman", 15, partial(kills.stopped, words=CONTAINERS)),
        ("rm", "`rm --force` of a cell in Podman by somebody else", 10, partial(strangers.ended, how="remove")),
    )
)
