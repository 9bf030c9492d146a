"""Runs processes with a deadline, limits on what they use, and a bounded log.

They end with this program, and with them all that they have started (``runner.util.guarded``).

The memory limit is a watch on what the group has resident, not ``RLIMIT_AS``: CUDA and XLA reserve far more
addresses than they ever use, and die of an address limit that no memory limit would have caused.
"""

from __future__ import annotations

import os
import platform
import resource
import select
import shlex
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.errors import UnavailableError
from runner.executors import Launch
from runner.model import Limits, Outcome
from runner.util import cgroups, commands, orphans, scratch, warden
from runner.util.cgroups import Cgroup
from runner.util.guarded import Guarded
from runner.util.remove import size

GRACE_S = 3.0
"""From SIGTERM to SIGKILL for a process past its deadline."""
_TICK_S = 0.1
"""How often the leading process's memory is looked at: one short read."""
_GROUP_TICK_S = 1.0
"""How often the whole group's is: a walk over all processes, some milliseconds."""
_PAGE = resource.getpagesize()
_STOPPED = "the run was stopped before this cell ended"
_KILLED = "something killed the process (SIGKILL): a person, or the system for want of memory"
_KILLED_BY_SOMEBODY = "somebody killed the process (SIGKILL); it was not the system for want of memory"


_PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
)
"""What a cell on the host inherits: the way out of a company's network, and which GPU is whose."""
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Surroundings:
    """The environment variables of a process on the host.

    Home, caches and temporary files are in a scratch folder. A context manager; the folder is removed at its end.
    Nothing of the caller's shell gets through but ``_PASSED_ON``: a thread count, an XLA flag or a library path set
    there would change what is measured. Variables of the cell (``own``) outrank those of the executor (``kept``).
    """

    def __init__(self, own: Mapping[str, str], kept: Mapping[str, str]) -> None:
        self._own = own
        self._kept = kept
        self._scratch = Path()

    def __enter__(self) -> dict[str, str]:
        self._scratch = scratch.make("home")
        home = str(self._scratch)
        return {
            "PATH": _PATH,
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **self._kept,
            "HOME": home,
            "TMPDIR": home,
            "XDG_CACHE_HOME": f"{home}/.cache",
            "USER": "cell",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            **self._own,
        }

    def __exit__(self, *_: object) -> None:
        scratch.remove(self._scratch)


class Group:
    """The processes of one executor, each with all that it starts."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._watches: set[_Watch] = set()
        self._closed = False

    def run(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], limits: Limits) -> Outcome:
        """Run one process to the end; then nothing that it has started runs any more.

        Raises UnavailableError where it cannot be started, where ``close`` ended it, and where somebody else killed it.
        """
        with scratch.folder("run") as own, _cgroup(name := f"{own.parent.name}.{own.name}", limits) as group:
            watch = self._start(argv, cwd, {**environment, orphans.MARK: name}, limits, group)
            try:
                watch.follow(self._grace_s)
            finally:
                watch.end()
                # without its warden, or where that has given up, what it started may have gone on
                if watch.program.exit_code is None or not watch.program.gone:
                    orphans.end(name)
                with self._lock:
                    self._watches.discard(watch)
            if self._closed:
                raise UnavailableError(_STOPPED)
            return _outcome(watch, argv[0], group.oom_kills())

    def close(self) -> None:
        """Kill all of them; the threads that follow them return."""
        with self._lock:
            self._closed = True
            watches = set(self._watches)
        for watch in watches:
            watch.program.kill()

    def _start(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], limits: Limits, group: Cgroup
    ) -> _Watch:
        with self._lock:
            if self._closed:
                raise UnavailableError(_STOPPED)
            try:
                program = Guarded(
                    argv, cwd=cwd, variables=environment, largest_file=limits.disk_bytes, cgroups=group.procs
                )
            except OSError as error:
                raise UnavailableError(f"{argv[0]} cannot be started: {error.strerror}") from error
            watch = _Watch(program, limits, {cwd, Path(environment.get("TMPDIR", cwd))})
            self._watches.add(watch)
            return watch


@contextmanager
def _cgroup(name: str, limits: Limits) -> Iterator[Cgroup]:
    """A control group for one process, which a later run can find by its name."""
    group = cgroups.make(name, memory_bytes=limits.memory_bytes, pids=limits.pids)
    try:
        yield group
    finally:
        group.remove()


def _outcome(watch: _Watch, name: str, oom_kills: int | None) -> Outcome:
    """What the end of a process means.

    Raises UnavailableError where it says nothing about the process.
    """
    program, log = watch.program, tail(bytes(watch.output), watch.limits.log_bytes)
    if program.failed is not None:
        raise UnavailableError(f"{name} cannot be started: {os.strerror(program.failed)}")
    if program.exit_code is None and not watch.ended_it:
        raise UnavailableError("somebody killed the process that watched over this cell", log)
    code = -signal.SIGKILL if program.exit_code is None else program.exit_code
    oom = watch.out_of_memory or (bool(oom_kills) and code != 0 and not watch.ended_it)
    if code == -signal.SIGKILL and not oom and not watch.ended_it:
        raise UnavailableError(_KILLED if oom_kills is None else _KILLED_BY_SOMEBODY, log)
    return Outcome(
        exit_code=code if code >= 0 else 128 - code,
        signal=-code if code < 0 else None,
        oom=oom,
        timed_out=watch.timed_out,
        wall_s=watch.wall_s,
        log=log,
        out_of_disk=watch.out_of_disk,
        out_of_processes=watch.out_of_processes,
    )


@dataclass(eq=False)
class _Watch:
    """Follows one program: drains its output and checks its limits."""

    program: Guarded
    limits: Limits
    folders: Set[Path] = frozenset()
    """What the disk limit is for: the process's own folder and its home."""
    output: bytearray = field(default_factory=bytearray)
    """The end of the output, at most twice what is kept."""
    timed_out: bool = False
    out_of_memory: bool = False
    out_of_disk: bool = False
    out_of_processes: bool = False
    wall_s: float = 0.0

    def __post_init__(self) -> None:
        os.set_blocking(self.program.output.fileno(), False)
        self._began = self._looked_below_at = time.monotonic()

    @property
    def ended_it(self) -> bool:
        """Whether this program has ended it for one of its limits."""
        return self.timed_out or self._uses_too_much

    @property
    def _uses_too_much(self) -> bool:
        return self.out_of_memory or self.out_of_disk or self.out_of_processes

    def follow(self, grace_s: float) -> None:
        """Wait until it has ended or uses more than it may.

        A deadline that has passed is SIGTERM first.
        """
        self._until_over(self._began + self.limits.timeout_s)
        if not self.program.listen() and not self.ended_it:
            self.timed_out = True
            self.program.signal(signal.SIGTERM)
            self._until_over(time.monotonic() + grace_s)
        seen_s = time.monotonic() - self._began
        self.wall_s = seen_s if self.program.status is None else self.program.wall_s

    def end(self) -> None:
        """Kill all that is left; read the rest of the output."""
        self.program.end()
        self._drain()
        self.program.output.close()

    def _until_over(self, deadline: float) -> None:
        """Wait for the end, the deadline, or too much use of something."""
        output = self.program.output.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(self.program.reports, select.POLLIN)
        looked = time.monotonic()
        while not self.program.listen():
            now = time.monotonic()
            if now >= deadline:
                return
            ready = poll.poll(1000 * min(_TICK_S, deadline - now))
            if any(descriptor == output for descriptor, _ in ready) and not self._drain():
                poll.unregister(output)
            if time.monotonic() - looked >= _TICK_S:
                looked = time.monotonic()
                self._look(looked)
                if self._uses_too_much:
                    return

    def _drain(self) -> bool:
        """Read what is there, keep its end. False at the end of the output."""
        kept = max(self.limits.log_bytes, 1)
        for _ in range(64):  # at most 4 MiB, then the deadline is looked at again
            try:
                piece = os.read(self.program.output.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self.output += piece
            if len(self.output) > 2 * kept:
                del self.output[:-kept]
        return True

    def _look(self, now: float) -> None:
        """Check what it uses; once a second where that is slow."""
        memory, disk, leader = self.limits.memory_bytes, self.limits.disk_bytes, self.program.leader
        if memory is not None and leader is not None and resident(leader) > memory:
            self.out_of_memory = True
        elif now - self._looked_below_at >= _GROUP_TICK_S:
            self._looked_below_at = now
            count, held = below(self.program.process.pid)
            self.out_of_memory = memory is not None and held > memory
            self.out_of_processes = count > self.limits.pids
            self.out_of_disk = disk is not None and sum(map(size, self.folders)) > disk


def keep_failed(launch: Launch, outcome: Outcome, *variables: str) -> Outcome:
    """Add the command that runs the process again, where its folder is kept."""
    if launch.keep is None or not launch.keep(outcome):
        return outcome
    own = [f"{name}={value}" for name, value in launch.environment.items()]
    again = shlex.join(["env", *variables, *own, launch.prepared.reference, *launch.argv])
    return replace(outcome, kept=f"cd {shlex.quote(str(launch.io))} && {again}")


def resident(pid: int) -> int:
    """Return the resident bytes of a process; 0 where they are unknown."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def below(pid: int) -> tuple[int, int]:
    """Return how many processes run below one, and their resident bytes.

    Pages that they share count once where the system can tell.
    """
    if platform.system() == "Darwin":
        return _below_by_ps(pid)
    members = warden.descendants(pid, warden.processes())
    if len(members) == 1:
        return 1, resident(members[0])
    return len(members), sum(_proportional(member) for member in members)


def _proportional(pid: int) -> int:
    """Return resident bytes with shared pages divided among their users."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resident(pid)


def _below_by_ps(pid: int) -> tuple[int, int]:
    lines = commands.output("ps", "-axo", "pid=,ppid=,rss=", timeout_s=5.0).splitlines()
    rows = [tuple(map(int, words)) for words in map(str.split, lines) if len(words) == 3 and "".join(words).isdecimal()]
    members = warden.descendants(pid, {own: (parent, b"") for own, parent, _ in rows})
    sizes = {own: 1024 * size for own, _, size in rows}
    return len(members), sum(sizes[member] for member in members)


def tail(output: bytes, limit: int) -> str:
    """The last ``limit`` bytes as text, beginning with a whole line where one fits."""
    if len(output) > limit:
        output = output[len(output) - limit :]
        first_line, newline, rest = output.partition(b"\n")
        output = rest if newline and len(first_line) < limit // 2 else output
    return output.decode("utf-8", "replace")
