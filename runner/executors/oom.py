"""Watches for a container's process that is killed for want of memory.

For engines that may not report it. The kernel counts such kills per control group, but the group is gone soon after
its container has ended. So the count is read all along, some fifty times a second, which costs about a thousandth of a
core.
"""

from __future__ import annotations

import threading

from runner.util import cgroups

_PAUSE_S = 0.02


class Watch:
    """Reads the count of one container's control group until it is closed."""

    def __init__(self, pid: int, container: str) -> None:
        """``pid`` is of a process in the container, as its engine numbers it.

        0: nothing is watched. ``container`` is the container's id.
        """
        self._group = cgroups.of(pid, container) if pid else cgroups.Cgroup()
        self._closed = threading.Event()
        self.seen = False
        """Whether the kernel has killed a process of the container for want of memory."""
        if self._group.oom_kills() is not None:
            threading.Thread(target=self._read, name="oom", daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()

    def _read(self) -> None:
        while not self._closed.is_set():
            count = self._group.oom_kills()
            if count is None:  # the group is gone
                return
            if count:
                self.seen = True
                return
            self._closed.wait(_PAUSE_S)
