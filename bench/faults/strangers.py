"""Somebody else ends, removes or freezes a cell that runs, or its memory runs out."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from dockerd import Engine
from judged import Judged, Saved, World
from outages import own
from tries import CONTAINERS, Fault, Suite, complete

LONG = (*CONTAINERS, "--setting", "pace.seconds=1.5", "--rounds", "1", "--only", "tiny-1.0_*")
GREEDY = ("--executor", "docker", "--probe", "hostile", "--rounds", "1", "--only", "tiny-1.0_*")
ALLOCATES = ("--setting", "hostile.how=allocates", "--setting", "hostile.count=400")
_CODES = (0, 3, 4)
_MEMORY = Path("/sys/fs/cgroup/memory")
_CELL_BYTES = 128 << 20


def ended(suite: Suite, draw: random.Random, *, how: str) -> Judged:
    """A cell that runs is ended from outside.

    It is not the version's fault, and the next run measures it.
    """
    engine, quiet = own(suite), suite.quiet(*LONG, codes_at_fault=_CODES)
    with suite.trying() as one:
        run = one.start(quiet.words)
        name = _running(engine, run.process)
        time.sleep(draw.uniform(0.2, 1.0))
        at_fault = one.results()
        _do(engine, name, how)
        disturbed = run.wait()
        # what the fault did shows in the files that came after it
        stored = _changed(at_fault, one.results())
        blamed = tuple(f"{late.job}: {late.status} is stored" for late in stored if late.status in ("crashed", "oom"))
        return Judged(wrong=blamed) + one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def frozen(suite: Suite, draw: random.Random) -> Judged:
    """``docker pause`` for a second: the cell takes longer, and that is all."""
    engine, quiet = own(suite), suite.quiet(*LONG, codes_at_fault=(0,))
    with suite.trying() as one:
        run = one.start(quiet.words)
        name = _running(engine, run.process)
        time.sleep(draw.uniform(0.2, 0.8))
        at_fault = one.results()
        engine.docker("pause", name, check=False)
        time.sleep(1.0)
        engine.docker("unpause", name, check=False)
        disturbed = run.wait()
        found = complete(one, quiet.expected)
        return found + one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def out_of_memory(suite: Suite, draw: random.Random) -> Judged:
    """The cell itself runs out of memory: that is ``oom``, and stays so."""
    engine = own(suite)
    words = ("matrix", "--set", "faults", "--offline", "--out", "{out}", *GREEDY, *ALLOCATES)
    with suite.trying() as one:
        run = one.start(words)
        name = _running(engine, run.process)
        limit = str(_CELL_BYTES + draw.randrange(1 << 24))
        engine.docker("update", "--memory", limit, "--memory-swap", limit, name, check=False)
        run.wait()
        found = [saved.status for saved in one.results().results.values()]
        wrong = () if found == ["oom"] else (f"a cell without memory is {', '.join(found) or 'not stored'}, not oom",)
        return Judged(wrong=wrong, orphans=one.look().leftovers)


def _running(engine: Engine, process: subprocess.Popen[bytes]) -> str:
    """The name of a container whose probe runs; empty where the runner has ended."""
    while process.poll() is None:
        listed = engine.docker("ps", "--format", "{{.Names}}", check=False).stdout.decode().split()
        if listed:
            return listed[0]
        time.sleep(0.03)
    return ""


def _do(engine: Engine, name: str, how: str) -> None:
    if how == "remove":
        engine.docker("rm", "--force", name, check=False)
    elif how == "process":
        for pid in _pids_of(engine, name)[-1:]:  # the probe: its parent is the container's init
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    elif how == "kill and oom":
        other = threading.Thread(target=exhaust, args=(f"{engine.folder.parent.name}-other",))
        other.start()
        time.sleep(0.3)
        engine.docker("kill", name, check=False)
        other.join()
    else:
        engine.docker("kill", name, check=False)


def _pids_of(engine: Engine, name: str) -> list[int]:
    shown = engine.docker("top", name, "-o", "pid", check=False).stdout.decode().split()
    return sorted(int(word) for word in shown if word.isdecimal())


def exhaust(name: str) -> None:
    """Let the kernel kill a process for memory, in a control group of 20 MB."""
    group = _MEMORY / name
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(20 << 20))
        # the process joins the group before it allocates anything
        code = (
            f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
            "held = []\nwhile True: held.append(bytearray(os.urandom(1 << 20)))"
        )
        for _ in range(4):  # spread over the time in which the cell is killed
            subprocess.run([sys.executable, "-c", code], check=False, timeout=30, capture_output=True)
    finally:
        for _ in range(20):
            with suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def _no_memory_groups() -> str:
    return "" if (_MEMORY / "memory.limit_in_bytes").exists() else "no control groups for memory (cgroup v1) here"


def _changed(before: World, after: World) -> list[Saved]:
    return [saved for path, saved in after.results.items() if before.results.get(path) != saved]


FAULTS = (
    Fault("docker-kill", "`docker kill` of a cell by somebody else", partial(ended, how="kill"), 1, 20),
    Fault("docker-rm", "`docker rm --force` of a cell by somebody else", partial(ended, how="remove"), 0, 20),
    Fault("docker-pause", "`docker pause` of a cell for a second", frozen, 0, 20),
    Fault("cell-kill", "SIGKILL of a cell's process from outside", partial(ended, how="process"), 1, 20),
    Fault(
        "docker-kill-oom", "`docker kill` while the kernel kills other processes for memory",
        partial(ended, how="kill and oom"), 1, 20, obstacle=_no_memory_groups,
    ),
    Fault("cell-oom", "the cell runs out of memory: still `oom`", out_of_memory, 1, 20),
)  # fmt: skip
