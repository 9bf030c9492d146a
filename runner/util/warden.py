"""Watches over one program and ends it, with all that it has started.

A program by itself, run by the Python that runs this project. It imports nothing of the project and little else, so
that it starts in some 20 ms. It starts the command in a new session and waits. When the command has ended, it
kills everything that descends from it. It does the same when the pipe ``LIFE`` is closed: by the run, which wants the
program ended, or by the system, when the run was killed.

Descendants are found by the parents of all processes. On Linux a process whose parent has died gets the nearest
"subreaper" as its parent (prctl(2), PR_SET_CHILD_SUBREAPER). This program is one, so neither ``setsid`` nor a double
fork escapes. Elsewhere it looks once a second and remembers what it has seen.

    warden.py LIFE REPORT LARGEST_FILE CGROUPS COMMAND...

``LIFE`` and ``REPORT`` are file descriptors. ``LARGEST_FILE`` is in bytes. ``CGROUPS`` are files into which a member
of a control group writes itself, separated by colons. ``-`` stands for none. It writes to ``REPORT``: ``started PID``,
or ``failed ERRNO`` where the command cannot be started; ``ended STATUS SECONDS``, with the status of ``waitpid``, when
the command has ended. It closes ``REPORT`` when nothing is left.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

_SUBREAPER, _DEATH_SIGNAL = 36, 1  # PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG
_LOOK_S = 1.0
_PAUSE_S = 0.003
_ENOUGH_S = 10.0
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

Prctl = Callable[[int, int], int]
Table = dict[int, tuple[int, bytes]]
"""Pid -> pid of the parent, and when the process started."""


def processes(*, by_ps: bool = False) -> Table:
    """All processes that run, as /proc lists them, else ``ps``."""
    if by_ps or not os.access("/proc/self/stat", os.R_OK):
        return _by_ps()
    found: Table = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # the command's name, in parentheses, may itself hold blanks and parentheses
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if len(fields) > 19 and fields[0] not in (b"Z", b"X"):
            found[int(name)] = (int(fields[1]), fields[19])
    return found


def _by_ps() -> Table:
    import subprocess

    with subprocess.Popen(["ps", "-axo", "pid=,ppid=,stat=,lstart="], stdout=subprocess.PIPE) as ps:
        rows = [line.split(None, 3) for line in ps.communicate()[0].splitlines()]
    found = {int(row[0]): (int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith(b"Z")}
    found.pop(ps.pid, None)
    return found


def descendants(root: int, table: Table) -> list[int]:
    """The processes below ``root``, without it."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in table.items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    unexplored = [root]
    while unexplored:
        below = children.get(unexplored.pop(), [])
        found += below
        unexplored += below
    return found


class Tree:
    """All processes below this one, also those that a dead process in between hides."""

    def __init__(self, *, adopts: bool) -> None:
        """``adopts``: this process is the parent of orphans, so that none can hide."""
        self.adopts = adopts
        self._seen: dict[int, bytes] = {}

    def look(self) -> list[int]:
        """Return those that run, and remember them."""
        table = processes(by_ps=not self.adopts)
        found = set(descendants(os.getpid(), table))
        if not self.adopts:
            for pid in [pid for pid, started in self._seen.items() if table.get(pid, (0, b""))[1] == started]:
                found |= {pid, *descendants(pid, table)}
            self._seen = {pid: table[pid][1] for pid in found}
        return list(found)

    def end(self) -> None:
        """Kill until none is left; one that forks faster than that gets some seconds."""
        deadline = time.monotonic() + _ENOUGH_S
        while left := self._left():
            for pid in left:
                _kill(pid)
            if time.monotonic() > deadline:
                break
            time.sleep(_PAUSE_S)
        _reap()

    def _left(self) -> list[int]:
        _reap()
        return self.look()


def main(arguments: list[str]) -> None:
    """Run the command and stay until nothing of it is left."""
    life, report = int(arguments[0]), int(arguments[1])
    largest_file, command = arguments[2], arguments[4:]
    cgroups = [] if arguments[3] == "-" else arguments[3].split(":")
    for descriptor in (life, report):  # the command must not write reports, nor keep the pipe open
        os.set_inheritable(descriptor, False)
    call = _prctl()
    tree = Tree(adopts=bool(call and call(_SUBREAPER, 1) == 0))
    for number in _IGNORED:  # sent to the cell's session they do not reach this process; Ctrl-C is the run's to handle
        signal.signal(number, signal.SIG_IGN)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    began = time.monotonic()
    leader = _start(command, largest_file, cgroups, report, call)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # the cell's output ends with the cell
        os.dup2(nowhere, descriptor)
    while leader:
        status = _reap().get(leader)
        if status is not None:
            _report(report, b"ended %d %.6f\n" % (status, time.monotonic() - began))
            break
        ready, _, _ = select.select([life, wake], [], [], None if tree.adopts else _LOOK_S)
        if life in ready and wake not in ready:
            break
        if wake in ready:
            os.read(wake, 4096)
        elif not tree.adopts:
            tree.look()
    _end_at_once(leader, cgroups)
    tree.end()


def _end_at_once(leader: int, cgroups: list[str]) -> None:
    """Kill what one call can kill.

    Processes that fork and exit all the time are gone before a look finds them.
    """
    for cgroup in cgroups:
        for file, value in (("cgroup.kill", b"1"), ("pids.max", b"0")):  # version 1 has no kill; there no fork succeeds
            try:
                descriptor = os.open(os.path.join(os.path.dirname(cgroup), file), os.O_WRONLY)
            except OSError:
                continue
            try:
                os.write(descriptor, value)
            except OSError:
                pass
            finally:
                os.close(descriptor)
    if leader:
        try:
            os.killpg(leader, signal.SIGKILL)
        except OSError:  # nothing of its group is left
            pass


def _start(command: list[str], largest_file: str, cgroups: list[str], report: int, call) -> int:  # type: ignore[no-untyped-def]
    """Start the command; 0 where that is impossible, which is reported."""
    reading, writing = os.pipe()  # closed by exec
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            if call:
                call(_DEATH_SIGNAL, signal.SIGKILL)
            for number in (*_IGNORED, *_IGNORED_BY_PYTHON):
                signal.signal(number, signal.SIG_DFL)
            _limit(resource.RLIMIT_CORE, 0)  # a core file would land in the cell's folder
            if largest_file != "-":
                _limit(resource.RLIMIT_FSIZE, int(largest_file))
            for path in cgroups:
                _join(path)
            os.execvpe(command[0], command, os.environ)  # noqa: S606 - a shell is what this avoids
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 0))
        finally:
            os._exit(127)
    os.close(writing)
    failed = os.read(reading, 16)
    os.close(reading)
    _report(report, b"failed %s\n" % failed if failed else b"started %d\n" % pid)
    return 0 if failed else pid


def _report(report: int, line: bytes) -> None:
    try:
        os.write(report, line)
    except OSError:  # the run was killed
        pass


def _join(cgroup: str) -> None:
    try:
        with open(cgroup, "w") as file:
            file.write("0")
    except OSError:  # it may be made by this user, but not entered: everything else works all the same
        pass


def _limit(what: int, most: int) -> None:
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):  # the system allows less already, or refuses
        pass


def _prctl() -> Prctl | None:
    """The C library's prctl, where there is one."""
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # not Linux
        return None


def _reap() -> dict[int, int]:
    """Take the status of all children that have ended."""
    found: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not pid:
            return found
        found[pid] = status


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:  # it has ended
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
