"""Gives every process of these tests the executor ``pretend``: cells without frameworks, containers and time.

Python imports this module at its start where the folder is on PYTHONPATH. The executor answers in the process that
runs the cells: a figure that follows from the cell and the seed, after the nap that the settings ask for. Everything
else of the program is real.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from runner import executors
from runner.environments import lock, lockfile, wheels
from runner.environments.lock import Lock
from runner.errors import UnavailableError
from runner.executors import Entry, Launch, Prepared, Room, Say, Shell
from runner.model import Cell, Environment, Outcome

LOG = "PRETEND_LOG"
"""A file that gets a line for every process."""
BROKEN = "PRETEND_BROKEN"
"""``unavailable`` or ``crashed``: what becomes of every process on this worker."""
UNFIT = "PRETEND_UNFIT"
"""Set where ``runner doctor`` is to find something missing."""
VERSION = "PRETEND_VERSION"
"""The version of this program on this worker."""
LOCK = "PRETEND_LOCK"
"""The file of a lock that this machine makes for every environment, and keeps in its cache."""
PRINT = "PRETEND_HOST"
"""The name of this machine, so that workers on one machine have different fingerprints."""


class PretendExecutor:
    """Runs no processes."""

    label = "nothing"
    isolated = False

    def available(self) -> str:
        return ""

    def cells(self, device: str) -> tuple[Cell, ...]:  # noqa: ARG002 - the protocol's
        return ()

    def data_path(self, data: Path) -> str:
        return str(data)

    def identity(self, environment: Environment) -> str:
        return environment.id

    def prepare(self, environment: Environment, say: Say) -> Prepared:  # noqa: ARG002 - the protocol's
        return Prepared(environment, "nothing", _sent(environment), {"numpy": "2.0.0"})

    def pull_from(self, prefix: str, note: Say) -> None:
        note(f"{os.environ.get(PRINT)} pulls from {prefix}")

    def find(self, environment: Environment) -> Prepared | None:
        return self.prepare(environment, lambda _text: None)

    def execute(self, launch: Launch) -> Outcome:
        asked = json.loads((launch.io / "request.json").read_text())
        began = time.monotonic()
        if os.environ.get(BROKEN) == "unavailable":
            raise UnavailableError("this worker is broken")
        time.sleep(asked["settings"].get("seconds", 0.0))
        if log := os.environ.get(LOG):
            with open(log, "a") as file:  # noqa: PTH123 - one line, appended at once
                file.write(f"{os.getpid()} {asked['probe']} {launch.cell.id} {asked['round']} {time.time()}\n")
        if os.environ.get(BROKEN) == "crashed":
            return Outcome(1, None, oom=False, timed_out=False, wall_s=0.1, log="everything fails here")
        (launch.io / "result.json").write_text(json.dumps(_result(asked, launch.cell)))
        return Outcome(0, None, oom=False, timed_out=False, wall_s=time.monotonic() - began, log="")

    def shell(self, wanted: Shell) -> int:  # noqa: ARG002 - the protocol's
        return 0

    def discard(self, prepared: Prepared) -> None:
        pass

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        pass

    def close(self) -> None:
        pass


def _result(asked: dict[str, object], cell: Cell) -> dict[str, object]:
    said = f"{cell.id} {asked['seed']}"
    number = int(hashlib.sha256(said.encode()).hexdigest()[:6], 16) / 0xFFFFFF
    data = asked["data"]
    metrics = [
        {"name": "digest", "value": hashlib.sha256(said.encode()).hexdigest(), "kind": "exact"},
        {"name": "time_s", "value": 0.01 + 0.0001 * number, "kind": "timing", "better": "lower", "unit": "s"},
    ]
    if isinstance(data, dict):
        metrics.append({"name": "read", "value": Path(str(data["path"])).read_text(), "kind": "info"})
    if (kept := wheels.find("keras", cell.keras or "")) is not None:
        found = hashlib.sha256(kept.path.read_bytes()).hexdigest()
        metrics.append({"name": "wheel", "value": f"{found} {kept.path}", "kind": "info"})
    return {"schema": 1, "status": "ok", "metrics": metrics, "details": {"cell": cell.id}}


_locked = lock.locked


def _sent(environment: Environment) -> str:
    """The digest of the lock that the machine that asked has sent; empty where it sent none."""
    sent = any((folder / f"{environment.id}.txt").is_file() for folder in lock._given)
    return _locked(environment).sha256 if sent else ""


def _makes(environment: Environment, say: Say | None = None) -> Lock:
    """Make the lock that the variable names, where ``runner`` would ask uv."""
    if not os.environ.get(LOCK):
        raise UnavailableError("nothing is installed here")
    path = lock.cache_dir() / f"{environment.id}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = Path(os.environ[LOCK]).read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return lockfile.parse(text, path)


def _install() -> None:
    module = ModuleType("runner.executors.pretend")
    setattr(module, PretendExecutor.__name__, PretendExecutor)
    sys.modules[module.__name__] = module
    executors.REGISTRY = {**executors.REGISTRY, "pretend": Entry(PretendExecutor.__name__, "nowhere", installs=True)}
    lock.locked = _makes
    if os.environ.get(UNFIT):
        from runner.machine import doctor

        doctor._uv_version = lambda: ""
    if version := os.environ.get(VERSION):
        import runner

        runner.__version__ = version
    if name := os.environ.get(PRINT):
        import platform

        platform.node = lambda: name


if os.environ.get("PRETEND"):
    _install()
