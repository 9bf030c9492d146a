"""Makes the folder of a suite, and removes all that it or a killed one left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import account

PREFIX = "kvm-faults-"
_OWNER = "owner.json"
_CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def made() -> Iterator[Path]:
    """A new folder for a suite.

    Leftovers of suites that were killed are removed first.

    Mounts below the folder reach a mount namespace that is made later (an engine's).
    """
    sweep()
    place = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    (place / _OWNER).write_text(json.dumps({"pid": os.getpid(), "started": _started(os.getpid())}))
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
        subprocess.run(["mount", "--make-shared", str(place)], check=True)
    try:
        yield place
    finally:
        remove(place)


def sweep() -> None:
    """Remove folders, processes, mounts and loop devices of suites that were killed."""
    for place in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        try:
            owner = json.loads((place / _OWNER).read_text())
        except (OSError, ValueError):
            owner = {"pid": 0, "started": ""}
        if owner["pid"] and _started(owner["pid"]) == owner["started"]:
            continue  # a suite that is running
        print(f"removing what a killed suite left: {place}")
        remove(place)


def remove(place: Path) -> None:
    """End every process of the place, undo its mounts and loop devices, delete it.

    Its user is deleted too.
    """
    for _ in range(50):
        pids = [*processes(place), *_in_cgroups(place.name)]
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            break
        time.sleep(0.1)
    for mounted in sorted(_mounts(place), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)
    with suppress(FileNotFoundError):
        loops = subprocess.run(["losetup", "--list", "--json"], check=False, capture_output=True, text=True).stdout
        for loop in json.loads(loops or "{}").get("loopdevices", ()):
            if str(loop.get("back-file", "")).startswith(str(place)):
                subprocess.run(["losetup", "--detach", loop["name"]], check=False)
    for group in _groups(place.name):
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                os.rmdir(folder)  # noqa: PTH106 - of os.walk
    account.remove(place.name)
    delete(place)


def delete(folder: Path) -> None:
    """Delete a folder of any depth. What cannot be deleted stays."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False, capture_output=True)


def processes(place: Path) -> list[int]:
    """The processes that were started with a path of the place, or are in it.

    The suite's own are left out.
    """
    own = _ancestors(os.getpid())
    return [pid for pid in _all() if pid not in own and mentions(pid, str(place))]


def mentions(pid: int, text: str) -> bool:
    """Whether a process has a text in its command, its variables or its folder.

    False for one that has ended.
    """
    found = b""
    for name in ("cmdline", "environ"):
        with suppress(OSError):
            found += Path(f"/proc/{pid}/{name}").read_bytes()
    with suppress(OSError):
        found += os.fsencode(Path(f"/proc/{pid}/cwd").readlink())
    return text.encode() in found and _state(pid) not in ("Z", "")


def end(pid: int) -> None:
    """SIGKILL a process. Raises OSError where it has ended."""
    os.kill(pid, signal.SIGKILL)


def command(pid: int) -> str:
    """The command line of a process, cut to what fits a table."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    return ""


def name(pid: int) -> str:
    """The name of a process's program."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def parent(pid: int) -> int:
    """The parent of a process; 0 where it has none."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _all() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _state(pid: int) -> str:
    return (_stat(pid) or [""])[0]


def _started(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields else ""


def _ancestors(pid: int) -> set[int]:
    found = set()
    while pid > 0:
        found.add(pid)
        pid = parent(pid)
    return found


def _in_cgroups(group: str) -> list[int]:
    found: set[int] = set()
    for listed in (path for above in _groups(group) for path in above.rglob("cgroup.procs")):
        with suppress(OSError, ValueError):
            found |= {int(line) for line in listed.read_text().split()}
    return sorted(found)


def _groups(name: str) -> list[Path]:
    """The control groups of that name, of version 1 (one for each controller) or 2."""
    return [path for path in (*_CGROUPS.glob(f"*/{name}"), _CGROUPS / name) if path.is_dir()]


def _mounts(place: Path) -> list[str]:
    with suppress(OSError):
        points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        return [point for point in points if Path(point) == place or point.startswith(f"{place}/")]
    return []
