"""A control group for one cell on the host, where this user may make one.

Root may, and whoever systemd has delegated a subtree to. It bounds memory and the number of processes exactly, and its
own count says whether the kernel killed one of its processes for want of memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_ENOUGH_S = 2.0
_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The folders of one control group, or none where there is none.

    One with cgroup v2, one per controller with v1.
    """

    folders: tuple[Path, ...] = ()

    @property
    def procs(self) -> tuple[str, ...]:
        """The files into which a process writes 0 to become a member."""
        return tuple(str(folder / "cgroup.procs") for folder in self.folders)

    def oom_kills(self) -> int | None:
        """How many of its processes the kernel has killed for want of memory.

        None where it does not say.
        """
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                counts = _counts(folder / name)
                if "oom_kill" in counts:
                    return counts["oom_kill"]
        return None

    def remove(self) -> None:
        """Remove it, once its processes have ended.

        The kernel may still be busy with them for a moment.
        """
        deadline = time.monotonic() + _ENOUGH_S
        for folder in self.folders:
            while folder.is_dir():
                with suppress(OSError):
                    folder.rmdir()
                    break
                if time.monotonic() > deadline:
                    return
                time.sleep(_PAUSE_S)


def make(name: str, *, memory_bytes: int | None, pids: int) -> Cgroup:
    """Make a control group; one without folders where that is impossible."""
    limits = {
        "pids.max": str(pids),
        "memory.max": str(memory_bytes or "max"),
        "memory.swap.max": "0" if memory_bytes else "max",
        "memory.limit_in_bytes": str(memory_bytes or -1),
    }
    made = []
    for parent in _parents(_text(_OWN)):
        folder = parent / name
        try:
            folder.mkdir()
        except OSError:
            continue
        made.append(folder)
        for file, value in limits.items():
            with suppress(OSError):
                if (folder / file).exists():
                    (folder / file).write_text(value)
    return Cgroup(tuple(made))


def of(pid: int, container: str) -> Cgroup:
    """The control group of a container's process, as far as it can be seen from here.

    An engine elsewhere (another machine, a virtual machine, outside of this container) has other process ids, so the
    process may be a stranger here. An engine names the group by the container's id, which ``container`` is.
    """
    found = _parents(_text(Path(f"/proc/{pid}/cgroup")))
    return Cgroup(tuple(folder for folder in found if container and container in str(folder)))


def sweep(name: str) -> None:
    """Remove the control groups of a run that was killed.

    Their names begin with ``name.``.
    """
    for parent in _parents(_text(_OWN)):
        Cgroup(tuple(parent.glob(f"{name}.*"))).remove()


def _parents(text: str) -> Iterator[Path]:
    """The folders of this process's own control group.

    ``0::/user.slice`` is that of version 2, ``7:pids:/docker/1a2b`` one of version 1.
    """
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("pids", "memory"):
            folders = [_MOUNT / controllers / path.lstrip("/"), _MOUNT / controllers]
        elif not controllers and (_MOUNT / "cgroup.controllers").exists():
            folders = [_MOUNT / path.lstrip("/")]
        else:
            continue
        # a container sees its own group as the root of what is mounted, whatever its path outside is
        yield next((folder for folder in folders if folder.is_dir()), folders[0])


def _counts(path: Path) -> Mapping[str, int]:
    words = (line.split() for line in _text(path).splitlines())
    return {word[0]: int(word[1]) for word in words if len(word) == 2 and word[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
