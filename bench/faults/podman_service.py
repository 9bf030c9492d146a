"""Runs other faults with the cells in Podman, as root and as an ordinary user."""

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

import account
import kills
import place
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

    def command(self, *words: str) -> list[str]:
        """A command line of Podman with the suite's own storage."""
        return ["podman", "--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"), *words]

    def variables(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")}

    def start(self) -> None:
        """Start the service and wait until it answers. Raises EngineError."""
        self.make_folder()
        self.socket.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command("system", "service", "--time=0", self.address), cwd=self.folder,
                env=self.variables(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 30.0
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise EngineError("Podman's service does not start")
            time.sleep(0.05)

    def make_folder(self) -> None:
        """Make the folder and what Podman reads there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration(self.folder)

    def pids(self) -> list[int]:
        """The service's process."""
        return [self._process.pid] if self._process is not None and self._process.poll() is None else []

    def load_base(self) -> None:
        """Copy the base image from the machine's engine."""
        with subprocess.Popen(["docker", "save", BASE], stdout=subprocess.PIPE) as saved:
            subprocess.run(
                self.command("load", "--quiet"), stdin=saved.stdout, check=True, stdout=subprocess.DEVNULL,
                env=self.variables(), cwd=self.folder,
            )  # fmt: skip

    def label(self, tag: str, base: str, labels: dict[str, str]) -> None:
        """Make an image as the program would leave it: the base with labels."""
        lines = [f"FROM {base}", *(f'LABEL {key}="{text}"' for key, text in labels.items())]
        words = self.command("build", "--quiet", "--format", "docker", "--tag", tag, "-")
        text = "\n".join(lines).encode()
        subprocess.run(words, input=text, check=True, capture_output=True, env=self.variables(), cwd=self.folder)

    def check(self) -> None:
        """Raise EngineError where no container runs."""

    def reset(self) -> None:
        """Stop the service and remove its storage."""
        self.kill()
        words = self.command("system", "reset", "--force")
        subprocess.run(words, env=self.variables(), cwd=self.folder, check=False, capture_output=True)


class Rootless(Podman):
    """The same, run by an ordinary user who is root in its containers alone."""

    def __init__(self, folder: Path, group: str) -> None:
        super().__init__(folder, group)
        self.user = group

    def command(self, *words: str) -> list[str]:
        """A command line of Podman, for that user."""
        # the kernel's own overlay: FUSE needs a device that not every machine gives to users
        return account.command(self.user, *super().command("--storage-driver", "overlay", *words))

    def variables(self) -> dict[str, str]:
        """The variables of a session of that user."""
        kept = {key: text for key, text in os.environ.items() if key in ("PATH", "LANG")}
        folders = {
            "HOME": self.folder / "home",
            "XDG_RUNTIME_DIR": self.folder / "runtime",
            "TMPDIR": self.folder / "tmp",
        }
        return {**kept, **{key: str(path) for key, path in folders.items()}}

    def make_folder(self) -> None:
        """Make the user, where there is none yet, and its folders. Raises EngineError."""
        if not self.folder.exists():
            if why := account.make(self.user, self.folder / "home"):
                raise EngineError(why)
            self.folder.parent.chmod(0o711)  # the user finds the program and its own folders there
            for name in ("home", "runtime", "tmp"):
                (self.folder / name).mkdir(parents=True)
            account.give(self.user, self.folder)
            (self.folder / "runtime").chmod(0o700)

    def pids(self) -> list[int]:
        """The service's processes: one outside and one inside the namespace of users."""
        return [pid for pid in place.processes(self.folder) if place.name(pid) == "podman"]

    def check(self) -> None:
        """Run a container. Raises EngineError with Podman's words where none runs."""
        words = self.command("run", "--rm", "--network", "none", BASE, "true")
        done = subprocess.run(words, env=self.variables(), cwd=self.folder, check=False, capture_output=True, text=True)
        if done.returncode:
            raise EngineError(f"rootless Podman runs no container: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def _started(suite: Suite, kind: type[Podman]) -> Podman:
    """A service with the images of the cells. Raises UntriedError."""
    made = kind(suite.place / kind.__name__.lower(), suite.place.name)
    try:
        made.start()
        suite.stack.callback(made.reset)
        made.load_base()
        made.check()
    except EngineError as error:
        raise UntriedError(str(error)) from None
    for image in suite.images:
        made.label(image.tag, image.base, image.labels)
    return made


@contextmanager
def instead(suite: Suite, kind: type[Podman]) -> Iterator[None]:
    """Let the suite use Podman in place of its engine. Raises UntriedError."""
    if kind.__name__ not in suite.podmans:
        suite.podmans[kind.__name__] = _started(suite, kind)
    docker, suite.engine = suite.engine, suite.podmans[kind.__name__]
    try:
        yield
    finally:
        suite.engine = docker


def on_podman(
    suite: Suite, draw: random.Random, *, once: Callable[[Suite, random.Random], Judged], kind: type[Podman] = Podman
) -> Judged:
    """Another fault, with the cells in Podman."""
    with instead(suite, kind):
        return once(suite, draw)


def _no_podman() -> str:
    missing = [name for name in ("podman", "docker") if shutil.which(name) is None]
    return f"{' '.join(missing)} is not installed" if missing else ""


def _no_rootless() -> str:
    return _no_podman() or account.obstacle()


_ON_PODMAN = (
    ("kill", "SIGKILL of the runner, cells in", 30, partial(kills.killed, words=CONTAINERS)),
    ("stop", "SIGTERM or SIGINT, cells in", 15, partial(kills.stopped, words=CONTAINERS)),
    ("rm", "`rm --force` of a cell by somebody else in", 10, partial(strangers.ended, how="remove")),
)
FAULTS = tuple(
    Fault(f"{kind.__name__.lower()}-{name}", f"{what} {label}", partial(on_podman, once=once, kind=kind), 0, tries,
          obstacle=obstacle)
    for kind, label, obstacle in ((Podman, "Podman", _no_podman), (Rootless, "rootless Podman", _no_rootless))
    for name, what, tries, once in _ON_PODMAN
)  # fmt: skip
