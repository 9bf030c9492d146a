"""Describes a cell's container, and the meaning of its end, as data. Pure.

Nothing here talks to an engine. ``runner.executors.docker`` passes the dictionaries on to docker-py as they are.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.engine import Engine
from runner.errors import Cause, CellError, UnavailableError
from runner.executors import Launch
from runner.executors.owner import Owner
from runner.model import Outcome
from runner.util import outage, scratch

PROJECT = "keras-version-matrix"
"""Value of the label ``LABEL`` of every container of this project."""
LABEL = "org.keras-version-matrix.project"
_OWN = "org.keras-version-matrix."
LABEL_PID = _OWN + "pid"
"""Label with the process id of the run that made a container."""

IO = "/io"
DATA = "/data/mnist.npz"
TMP_BYTES = 1 << 30
"""Size of the container's /tmp, a tmpfs: caches of compilers go there. It counts towards the memory limit."""

_SIGKILL = 9
_INIT_PROGRAMS = ("docker-init", "catatonit")
_GPU_WORDS = ("gpu", "nvidia", "cdi device", "device driver", "cuda")


def create_arguments(
    launch: Launch, *, engine: Engine, run: str, name: str, owner: Owner, uid: int, gid: int
) -> dict[str, Any]:
    """Return the keyword arguments of docker-py's ``create_container``.

    ``host_config`` holds those of ``create_host_config``.
    """
    return {
        "image": launch.prepared.reference,
        "name": name,
        "entrypoint": ["python"],
        "command": list(launch.argv),
        "environment": {**_SURROUNDINGS, **launch.environment},
        "hostname": "cell",
        "user": "0:0" if engine.rootless else f"{uid}:{gid}",
        "working_dir": IO,
        "stdin_open": False,
        "tty": False,
        "labels": labels(launch, run=run, owner=owner),
        "host_config": _host_config(launch, engine),
    }


_SURROUNDINGS = {
    "HOME": "/tmp",  # noqa: S108 - the container's own tmpfs
    "TMPDIR": "/tmp",  # noqa: S108
    "XDG_CACHE_HOME": "/tmp/.cache",  # noqa: S108
    "USER": "cell",  # getpass, which torch's compiler uses, fails for a uid without a name
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",  # what a crashing process printed last is what one wants to read
    "PYTHONFAULTHANDLER": "1",
}


def _host_config(launch: Launch, engine: Engine) -> dict[str, Any]:
    limits = launch.limits
    # a limited folder is one in memory: an engine has no quota for a folder of this machine
    bounded = launch.foreign and limits.disk_bytes is not None
    mounts = [] if bounded else [{"Type": "bind", "Source": str(launch.io), "Target": IO, "ReadOnly": False}]
    if launch.data is not None:
        mounts.append({"Type": "bind", "Source": str(launch.data), "Target": DATA, "ReadOnly": True})
    mounts += [
        {"Type": "bind", "Source": str(mount.source), "Target": mount.target, "ReadOnly": True}
        for mount in launch.mounts
    ]
    # the driver keeps the last file and one before it, each with the bytes JSON adds to every line
    log_size = max(1 << 20, 16 * limits.log_bytes)
    config: dict[str, Any] = {
        "init": True,
        "network_mode": "bridge" if launch.network else "none",
        "read_only": True,
        "tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={TMP_BYTES}"},  # noqa: S108
        # a mount, unlike a volume, fails where the engine does not see the path, instead of making an empty folder
        "mounts": mounts,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"] + (["label=disable"] if engine.selinux else []),
        "pids_limit": limits.pids,
        "shm_size": limits.shm_bytes,
        "ulimits": _ulimits(launch),
        "log_config": {"type": "json-file", "config": {"max-size": str(log_size), "max-file": "2"}},
    }
    if bounded:
        config["tmpfs"][IO] = f"rw,exec,nosuid,nodev,mode=1777,size={limits.disk_bytes}"
    if limits.memory_bytes is not None:
        # equal limits: no swap, so that running out of memory shows as such and not as slowness
        config |= {"mem_limit": limits.memory_bytes, "memswap_limit": limits.memory_bytes}
    if engine.remapped:
        config["userns_mode"] = "host"
    if launch.cell.device == "cuda":
        config["device_requests"] = [{"count": -1, "capabilities": [["gpu", "compute", "utility"]]}]
    return config


def _ulimits(launch: Launch) -> list[dict[str, Any]]:
    """The limits on files: no core file, which would land in io.

    In a folder of this machine no single file may exceed all that may be written.
    """
    sizes = {"core": 0}
    if launch.limits.disk_bytes is not None and not launch.foreign:
        sizes["fsize"] = launch.limits.disk_bytes
    return [{"name": name, "soft": size, "hard": size} for name, size in sizes.items()]


def labels(launch: Launch, *, run: str, owner: Owner) -> dict[str, str]:
    """Labels that say whose a container is and what ran in it."""
    return {
        LABEL: PROJECT,
        _OWN + "run": run,
        _OWN + "cell": launch.cell.id,
        _OWN + "environment": launch.prepared.environment.id,
        _OWN + "host": owner.host,
        _OWN + "boot": owner.boot,
        LABEL_PID: str(owner.pid),
        _OWN + "started": owner.started,
    }


def run_filter(run: str) -> dict[str, list[str]]:
    """The engine's filter for the containers of one run."""
    return {"label": [f"{LABEL}={PROJECT}", f"{_OWN}run={run}"]}


def orphaned(found: Mapping[str, str]) -> bool:
    """Whether the run that made a container with these labels is certainly over."""
    pid = found.get(LABEL_PID, "")
    if found.get(LABEL) != PROJECT or not pid.isdecimal():
        return False
    values = (found.get(_OWN + key, "") for key in ("host", "boot", "started"))
    host, boot, started = values
    return Owner(host, boot, int(pid), started).gone()


_KEPT = "runner-kept-"


def kept_name(name: str) -> str:
    """Rename a container that is kept: ``runner-ab12-3`` -> ``runner-kept-ab12-3``."""
    return f"{_KEPT}{name.removeprefix('runner-')}"


def is_kept(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the engine's list is a container that a user wanted kept."""
    return any(str(name).lstrip("/").startswith(_KEPT) for name in entry.get("Names") or ())


def cell_of(entry: Mapping[str, Any]) -> str:
    """The cell that ran in a container of the engine's list."""
    return str((entry.get("Labels") or {}).get(_OWN + "cell", ""))


def kept_folder(entry: Mapping[str, Any]) -> str:
    """Return the folder of a kept container, if this program made it."""
    found = (str(m.get("Source", "")) for m in entry.get("Mounts") or () if m.get("Destination") == IO)
    return next((path for path in found if scratch.is_kept(Path(path))), "")


def way_in(launch: Launch, name: str, *, uid: int, gid: int) -> str:
    """Return the command that opens a shell with an ended container's folders.

    An ended container cannot be entered itself: it would run its one program again.
    """
    words = ["docker", "run", "--rm", "-it", "--network", "none", "--volumes-from", name, "--workdir", IO]
    words += ["--user", f"{uid}:{gid}", "--tmpfs", "/tmp:exec"]  # noqa: S108 - the container's own
    for key, value in {"HOME": "/tmp", "USER": "cell", **launch.environment}.items():  # noqa: S108
        words += ["--env", f"{key}={value}"]
    words += ["--gpus", "all"] if launch.cell.device == "cuda" else []
    return shlex.join([*words, "--entrypoint", "bash", launch.prepared.reference])


def outcome(state: Mapping[str, Any], *, timed_out: bool, wall_s: float, log: str) -> Outcome:
    """What the state of an ended container means.

    The init process reports a signal as exit code 128 + signal, as a shell does. Out of memory needs more evidence
    than SIGKILL: the engine's own flag or event (see ``runner.executors.docker``). A process that ends well although
    a child of it was killed for memory is not out of memory.
    """
    code = int(state.get("ExitCode") or 0)
    signal = code - 128 if 128 < code <= 128 + 64 else None
    oom = bool(state.get("OOMKilled")) and code != 0 and not timed_out
    return Outcome(code, signal, oom, timed_out, duration(state, wall_s), log)


def duration(state: Mapping[str, Any], seen_s: float) -> float:
    """Return the seconds from start to end by the engine's own clock.

    ``seen_s`` where that cannot be right. It includes a delay: Podman looks at a container four times a second.
    """
    try:
        began, ended = (datetime.fromisoformat(str(state.get(key))) for key in ("StartedAt", "FinishedAt"))
        took = (ended - began).total_seconds()
    except (ValueError, TypeError):
        return seen_s
    return took if 0 < took < seen_s + 1 else seen_s


_SENT_BY_OTHERS = (1, 2, 3, 15, _SIGKILL)
"""Signals that end a process from outside: SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGKILL. A fault sends itself others."""


def may_come_from_outside(state: Mapping[str, Any]) -> bool:
    """Whether a signal ended the container that others send."""
    return int(state.get("ExitCode") or 0) - 128 in _SENT_BY_OTHERS


def killed(state: Mapping[str, Any]) -> bool:
    """Whether SIGKILL ended the container."""
    return int(state.get("ExitCode") or 0) == 128 + _SIGKILL


def interference(events: Iterable[Mapping[str, Any]], *actions: str) -> str:
    """What somebody did to a container, by the engine's events.

    Only events of these actions count. Empty where there are none.
    """
    for event in events:
        action = str(event.get("Action") or event.get("status") or "")
        if action in actions:
            sent = ((event.get("Actor") or {}).get("Attributes") or {}).get("signal")
            how = f" (signal {sent})" if sent else ""
            return f"somebody used the engine to {action} the container while it ran{how}"
    return ""


def window(state: Mapping[str, Any], since_end_s: float) -> tuple[str, str] | None:
    """From the container's start to now, by the engine's own clock.

    In seconds, as the engine's API takes them.
    ``since_end_s`` is how long ago the container ended. None where the engine does not say when that was.
    """
    try:
        began, ended = (datetime.fromisoformat(str(state.get(key))) for key in ("StartedAt", "FinishedAt"))
    except (ValueError, TypeError):
        return None
    if began.year < _FIRST_YEAR:
        return None
    last = ended if ended.year >= _FIRST_YEAR else datetime.now(UTC)  # it runs: this machine's clock is all there is
    return f"{began.timestamp():.6f}", f"{last.timestamp() + since_end_s:.6f}"


_FIRST_YEAR = 2000
"""An engine says year 1 for what has not happened."""


def engine_error(explanation: str, launch: Launch) -> CellError:
    """Return the error for an engine's refusal to create or start a container."""
    line = next((part.strip() for part in explanation.splitlines() if part.strip()), "no reason given")
    low = line.lower()
    if "bind source path does not exist" in low or "mounts denied" in low or "statfs" in low:
        return UnavailableError(
            f"the Docker engine does not see {launch.io} of this machine (it is remote or in a virtual machine); "
            "use an engine on this machine, share that folder with it, or set TMPDIR to a folder that it sees"
        )
    if launch.cell.device == "cuda" and any(word in low for word in _GPU_WORDS):
        return UnavailableError(
            f"the Docker engine cannot offer a GPU (is the NVIDIA Container Toolkit set up?): {line}"
        )
    if any(f'{program}": executable file not found' in low for program in _INIT_PROGRAMS):
        return UnavailableError(
            f"the Docker engine lacks its init program (install tini, or catatonit for Podman): {line}"
        )
    if "no such container" in low or "marked for removal" in low:
        return UnavailableError("somebody removed the container while it ran")
    if "no such image" in low:
        return UnavailableError(
            f"image {launch.prepared.reference} is gone from the Docker engine; run again to rebuild it"
        )
    found = outage.of(explanation, outage.ENGINE_DISK)
    if found and (found.cause is Cause.DISK or "bridge" in low):
        return found
    return UnavailableError(f"the Docker engine could not run the container: {line}")
