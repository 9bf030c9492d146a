"""Runs process groups with a deadline, a memory limit and a bounded log.

The memory limit is a watch on what the group has resident, not ``RLIMIT_AS``: CUDA and XLA reserve far more
addresses than they ever use, and die of an address limit that no memory limit would have caused.
"""

from __future__ import annotations

import os
import platform
import resource
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.errors import UnavailableError
from runner.executors import Launch
from runner.model import Limits, Outcome
from runner.util import commands, outage

GRACE_S = 3.0
"""From SIGTERM to SIGKILL for a process past its deadline."""
_TICK_S = 0.1
"""How often the leading process's memory is looked at: one short read."""
_GROUP_TICK_S = 1.0
"""How often the whole group's is: a walk over all processes, some milliseconds."""
_PAGE = resource.getpagesize()


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
        try:
            self._scratch = Path(tempfile.mkdtemp(prefix="runner-home-"))
        except OSError as error:
            folder = tempfile.gettempdir()
            raise outage.of_os(error, f"the disk of {folder}") or UnavailableError(
                f"no scratch folder can be made in {folder}: {error.strerror}"
            ) from error
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
        shutil.rmtree(self._scratch, ignore_errors=True)


class Group:
    """The process groups of one executor, from their start to their end."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._leaders: set[int] = set()
        self._closed = False

    def run(self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], limits: Limits) -> Outcome:
        """Run one process, and all it starts, to the end.

        Raises UnavailableError where it cannot be started, or where ``close`` ended it.
        """
        process = self._start(argv, cwd, environment, limits.disk_bytes)
        began = time.monotonic()
        kills_before = oom_kills()
        watch = _Watch(process, limits, began + limits.timeout_s, (cwd, Path(environment.get("TMPDIR", cwd))))
        try:
            watch.follow(self._grace_s)
        finally:
            watch.end()
            with self._lock:
                self._leaders.discard(process.pid)
        if self._closed:
            raise UnavailableError("the run was stopped before this cell ended")
        killed = process.returncode == -signal.SIGKILL and not watch.timed_out
        return Outcome(
            exit_code=process.returncode if process.returncode >= 0 else 128 - process.returncode,
            signal=-process.returncode if process.returncode < 0 else None,
            oom=watch.out_of_memory or (killed and not watch.out_of_disk and oom_kills() > kills_before),
            timed_out=watch.timed_out,
            wall_s=watch.ended - began,
            log=tail(bytes(watch.output), limits.log_bytes),
            out_of_disk=watch.out_of_disk,
        )

    def close(self) -> None:
        """Kill every group; the threads that follow them return."""
        with self._lock:
            self._closed = True
            leaders = set(self._leaders)
        for leader in leaders:
            _kill(leader, signal.SIGKILL)

    def _start(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], disk_bytes: int | None
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise UnavailableError("the run was stopped before this cell ended")
            try:
                process = subprocess.Popen(
                    list(argv),
                    cwd=cwd,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise UnavailableError(f"{argv[0]} cannot be started: {error.strerror}") from error
            self._leaders.add(process.pid)
        if hasattr(resource, "prlimit"):
            # a core file would land in the process's folder; macOS writes none by default
            with suppress(OSError):
                resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
                if disk_bytes is not None:
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (disk_bytes, disk_bytes))
        return process


@dataclass
class _Watch:
    """Follows one group: drains its output, minds deadline and memory."""

    process: subprocess.Popen[bytes]
    limits: Limits
    deadline: float
    folders: tuple[Path, ...] = ()
    """What the disk limit is for: the process's own folder and its home."""
    output: bytearray = field(default_factory=bytearray)
    """The end of the output, at most twice what is kept."""
    timed_out: bool = False
    out_of_memory: bool = False
    out_of_disk: bool = False
    ended: float = 0.0

    def __post_init__(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - started with a pipe
        self._pipe = self.process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._end = _exit_descriptor(self.process.pid)
        self._group_looked_at = time.monotonic()

    def follow(self, grace_s: float) -> None:
        self._until_over(self.deadline)
        if not self._over() and not self.out_of_memory and not self.out_of_disk:
            self.timed_out = True
            _kill(self.process.pid, signal.SIGTERM)
            self._until_over(time.monotonic() + grace_s)
        self.ended = time.monotonic()

    def end(self) -> None:
        """Kill the whole group; read the rest of the output."""
        _kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._drain()
        self._pipe.close()
        if self._end is not None:
            os.close(self._end)

    def _over(self) -> bool:
        """Whether the leader has ended.

        It is not reaped yet, so that no other process gets its number.
        """
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _until_over(self, deadline: float) -> None:
        """Until the leader has ended, the deadline has passed, or memory is used up."""
        output = self._pipe.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        if self._end is not None:
            poll.register(self._end, select.POLLIN)
        # without a descriptor for its end, a process is asked for it in short intervals
        tick = _TICK_S if self._end is not None else 0.02
        looked = time.monotonic()
        while not self._over():
            now = time.monotonic()
            if now >= deadline:
                return
            ready = poll.poll(1000 * min(tick, deadline - now))
            if any(descriptor == output for descriptor, _ in ready) and not self._drain():
                poll.unregister(output)
            if time.monotonic() - looked >= _TICK_S:
                looked = time.monotonic()
                self._look(looked)
                if self.out_of_memory or self.out_of_disk:
                    return

    def _drain(self) -> bool:
        """Read what is there, keep its end. False at the end of the output."""
        kept = max(self.limits.log_bytes, 1)
        for _ in range(64):  # at most 4 MiB, then the deadline is looked at again
            try:
                piece = os.read(self._pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            if not piece:
                return False
            self.output += piece
            if len(self.output) > 2 * kept:
                del self.output[:-kept]
        return True

    def _look(self, now: float) -> None:
        """Check memory and disk; once a second where that is slow."""
        memory, disk = self.limits.memory_bytes, self.limits.disk_bytes
        if memory is not None and resident(self.process.pid) > memory:
            self.out_of_memory = True
        elif now - self._group_looked_at >= _GROUP_TICK_S:
            self._group_looked_at = now
            self.out_of_memory = memory is not None and group_resident(self.process.pid) > memory
            self.out_of_disk = disk is not None and sum(map(written, set(self.folders))) > disk


def keep_failed(launch: Launch, outcome: Outcome, *variables: str) -> Outcome:
    """Add the command that runs the process again, where its folder is kept."""
    if launch.keep is None or not launch.keep(outcome):
        return outcome
    own = [f"{name}={value}" for name, value in launch.environment.items()]
    again = shlex.join(["env", *variables, *own, launch.prepared.reference, *launch.argv])
    return replace(outcome, kept=f"cd {shlex.quote(str(launch.io))} && {again}")


def _kill(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM where only zombies are left
        os.killpg(group, number)


def _exit_descriptor(pid: int) -> int | None:
    """Return a descriptor that is readable once the process has ended, if any."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def written(folder: Path) -> int:
    """Bytes on disk of the files below a folder, links not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118 - may be many files
    return total


def resident(pid: int) -> int:
    """Return the resident bytes of a process; 0 where they are unknown."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def group_resident(group: int) -> int:
    """Return the resident bytes of a process group.

    Pages that its processes share count once where the system can tell.
    """
    if platform.system() == "Darwin":
        return _resident_by_ps(group)
    members = [pid for pid in _processes() if _group_of(pid) == group]
    if len(members) == 1:
        return resident(members[0])
    return sum(_proportional(pid) for pid in members)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - the fast way
    except OSError:
        return []


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _proportional(pid: int) -> int:
    """Return resident bytes with shared pages divided among their users."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resident(pid)


def _resident_by_ps(group: int) -> int:
    rows = (line.split() for line in commands.output("ps", "-axo", "pgid=,rss=", timeout_s=5.0).splitlines())
    return sum(int(row[1]) * 1024 for row in rows if len(row) == 2 and row[0] == str(group))


def oom_kills() -> int:
    """Return how many processes the kernel has killed for memory since boot.

    0 where the kernel does not count them (Linux before 4.13, other systems).
    """
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def tail(output: bytes, limit: int) -> str:
    """The last ``limit`` bytes as text, beginning with a whole line where one fits."""
    if len(output) > limit:
        output = output[len(output) - limit :]
        first_line, newline, rest = output.partition(b"\n")
        output = rest if newline and len(first_line) < limit // 2 else output
    return output.decode("utf-8", "replace")
