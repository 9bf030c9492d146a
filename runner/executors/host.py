"""Runs cells in virtual environments, which uv makes from the images' locks.

An environment is made in a folder of another name and renamed when it is complete, under a lock that other runs of
this program respect: a half-made one is never found, and two runs do not make the same one twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from runner.environments.resolve import explain
from runner.errors import BuildError, Cause, OutageError, UnavailableError
from runner.executors import Launch, Prepared, Room, Say, Shell, shell
from runner.executors.interpreters import pythons
from runner.executors.process import GRACE_S, Group, Surroundings, keep_failed
from runner.model import Cell, Environment, Limits, Outcome
from runner.util import commands, files, folders, locks, outage
from runner.util.remove import remove, size

_FORMAT = "1"
"""Part of an environment's key: how it is made. Environments made in another way are not taken for this one."""
_INSTALL_LIMITS = Limits(timeout_s=3600.0, log_bytes=256 * 1024)
_READY = "ready.json"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What an environment is installed from."""

    requirements: str
    """The text of a requirements file; every package carries hashes."""
    hash: str
    arguments: tuple[str, ...] = ("--require-hashes", "--no-deps")
    """For ``uv pip install``."""
    packages: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Pin = Callable[[Environment], Pinned]
"""The lock of an environment. Raises BuildError where there is none."""


def locked(environment: Environment) -> Pinned:
    """What the environment's lock says (see ``runner.environments.lock``).

    Raises BuildError where it cannot be resolved and UsageError where it cannot be read.
    """
    from runner.environments import lock

    found = lock.locked(environment)
    text = "\n".join([*found.framework_lines, *found.rest_lines, ""])
    return Pinned(text, found.sha256, tuple(lock.install_arguments(found)), found.packages, found.notes)


class HostExecutor:
    """Runs cells in virtual environments below ``folder``. Thread-safe."""

    label = "virtual environments"
    isolated = False

    def __init__(self, folder: Path | None = None, pin: Pin = locked, *, grace_s: float = GRACE_S) -> None:
        self._folder = folder or folders.cache_dir() / "environments"
        self._pin = pin
        self._cells = Group(grace_s)
        self._installers = Group(grace_s)

    def available(self) -> str:
        """Return an empty string: what a cell lacks here shows when it is prepared."""
        return ""

    def cells(self, device: str) -> tuple[Cell, ...]:  # noqa: ARG002 - the protocol's
        """Return none: an environment is made for every cell."""
        return ()

    def data_path(self, data: Path) -> str:
        """The file itself."""
        return str(data)

    def identity(self, environment: Environment) -> str:
        """The lock's hash. Raises BuildError where there is no lock."""
        return self._pin(environment).hash

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        """Make the environment's virtual environment, or find it made.

        Raises BuildError with uv's message where it cannot be installed, UnavailableError where this machine lacks
        the Python or uv, and OutageError where it lacks disk space or the network.
        """
        began = time.monotonic()
        pinned = self._pin(environment)
        place = self._folder / f"{environment.id}-{_key(environment, pinned)}"
        found = _made(environment, pinned, place)
        if found is None:
            with _locked(place.with_name(place.name + ".lock"), say):
                found = _made(environment, pinned, place) or self._make(environment, pinned, place, say)
        return replace(found, seconds=time.monotonic() - began)

    def find(self, environment: Environment) -> Prepared | None:
        """Find the environment's virtual environment."""
        pinned = self._pin(environment)
        return _made(environment, pinned, self._folder / f"{environment.id}-{_key(environment, pinned)}")

    def execute(self, launch: Launch) -> Outcome:
        """Run one process group.

        Raises UnavailableError where its interpreter is gone or ``close`` ended it.
        """
        python = launch.prepared.reference
        # nothing of the user's own packages may leak in, and the venv's own tools come first
        kept = {"PYTHONNOUSERSITE": "1", "VIRTUAL_ENV": str(Path(python).parent.parent)}
        with Surroundings(launch.environment, kept) as environment:
            environment["PATH"] = f"{Path(python).parent}:{environment['PATH']}"
            cut_off = without_network() if (launch.foreign or launch.cut_off) and not launch.network else ()
            outcome = self._cells.run(
                [*cut_off, python, *launch.argv], cwd=launch.io, environment=environment, limits=launch.limits
            )
        return keep_failed(launch, outcome, "PYTHONNOUSERSITE=1")

    def shell(self, wanted: Shell) -> int:
        """Run the command in the virtual environment."""
        return shell.on_host(wanted)

    def discard(self, prepared: Prepared) -> None:
        """Remove the virtual environment."""
        remove(Path(prepared.reference).parent.parent)

    def make_room(self, room: Room, protected: Collection[str]) -> None:
        """Virtual environments are small; none is evicted."""

    def close(self) -> None:
        """Kill what still runs or is being installed."""
        self._cells.close()
        self._installers.close()

    def _make(self, environment: Environment, pinned: Pinned, place: Path, say: Say) -> Prepared:
        for left in place.parent.glob(f"{place.name}.*.part"):  # of a run that was killed: nobody else has the lock
            remove(left)
        # a new name each time: an installer that outlived its run by a moment writes elsewhere
        part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
        try:
            part.mkdir()
            self._install(environment, pinned, part, say)
            taken = size(part)
            ready = {"environment": environment.id, "lock_hash": pinned.hash, "size_bytes": taken}
            files.write_atomically(part / _READY, json.dumps(ready).encode())
            remove(place)
            part.rename(place)
        except OSError as error:
            raise _unwritable(place.parent, error) from error
        finally:
            remove(part)
        return _prepared(environment, pinned, place, taken)

    def _install(self, environment: Environment, pinned: Pinned, part: Path, say: Say) -> None:
        say(f"making a virtual environment of Python {environment.python}")
        python = str(part / "bin" / "python")
        uv = folders.uv_program()
        known = pythons().get(environment.python)
        # uv's own search may run every shim on PATH, and may download: only where nothing is known
        for interpreter in (str(known), environment.python) if known else (environment.python,):
            made = self._uv(
                [uv, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", interpreter, str(part)], part
            )
            if not made.exit_code:
                break
        else:
            raise _outage(made.log, part) or UnavailableError(
                f"no Python {environment.python} on this machine: {explain(made.log)}", made.log
            )
        lock = part / "requirements.txt"
        lock.write_text(pinned.requirements)
        say(f"installing {len(pinned.packages) or 'its'} packages")
        # bytecode now, because cells do not write any: otherwise every process would compile what it imports
        command = [
            uv,
            "pip",
            "install",
            "--quiet",
            *pinned.arguments,
            "--compile-bytecode",
            "--python",
            python,
            "-r",
            str(lock),
        ]
        installed = self._uv(command, part)
        if installed.exit_code:
            raise _outage(installed.log, part) or BuildError(
                f"uv could not install the environment: {explain(installed.log)}", installed.log
            )

    def _uv(self, command: list[str], cwd: Path) -> Outcome:
        # in the part folder: no project or uv.toml of the current folder has a say
        environment = {name: value for name, value in os.environ.items() if name not in _UV_MISLEADING}
        return self._installers.run(
            command, cwd=cwd, environment={**environment, "NO_COLOR": "1"}, limits=_INSTALL_LIMITS
        )


_UV_MISLEADING = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"),
    *("UV_EXCLUDE_NEWER", "UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_NO_BINARY"),
)
"""Settings of the user's that would choose another place or other packages. Mirrors, proxies, certificates stay."""


@cache
def without_network() -> tuple[str, ...]:
    """Return the words before a command that cut it off the network.

    Empty where the system has no such command. A user namespace, which Linux may forbid, makes it possible without
    rights; macOS has no such thing.
    """
    program = shutil.which("unshare")
    words = (str(program), "--user", "--map-current-user", "--net", "--")
    return words if program and commands.run([*words, "true"], timeout_s=10.0).code == 0 else ()


def _key(environment: Environment, pinned: Pinned) -> str:
    parts = [
        _FORMAT,
        environment.id,
        pinned.hash,
        hashlib.sha256(pinned.requirements.encode()).hexdigest(),
        sys.platform,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    """Let one process at a time make an environment."""
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = locks.held(
                path,
                lambda who: say(f"{who} is making this environment: waiting for it"),
                unlocked=lambda why: say(f"{path.parent} cannot be locked ({why}); let no other run make environments"),
            )
            stack.enter_context(held)
        except OSError as error:
            raise _unwritable(path.parent, error) from error
        yield


def _made(environment: Environment, pinned: Pinned, place: Path) -> Prepared | None:
    """The environment, if it was made completely."""
    try:
        return _prepared(environment, pinned, place, int(json.loads((place / _READY).read_text())["size_bytes"]))
    except (OSError, ValueError, KeyError, TypeError):  # it is not there, or power failed while it was written
        return None


def _prepared(environment: Environment, pinned: Pinned, place: Path, size_bytes: int) -> Prepared:
    python = str(place / "bin" / "python")
    return Prepared(environment, python, pinned.hash, pinned.packages, pinned.notes, size_bytes)


def _outage(log: str, place: Path) -> OutageError | None:
    return outage.of(log, f"the disk of {place.parent}")


def _unwritable(folder: Path, error: OSError) -> OutageError:
    """The outage of a folder in which nothing can be made."""
    full = outage.of_os(error, f"the disk of {folder}")
    way_out = "make it a folder that this user may write to, then run the same command again"
    return full or OutageError(Cause.DISK, f"{folder} cannot be written ({error.strerror})", way_out)
