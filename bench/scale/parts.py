"""Measures the CPU time that a block costs on each side.

``python bench/scale/parts.py`` starts a scheduler and a worker, runs 20 and then 200 blocks, and prints the difference
per block: of the scheduler, of the worker with the process that runs its shares, and of the machine that asks. It needs
the extra ``cluster`` and Linux.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measured

TICK = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of its children, ended and running."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(fields[number]) for number in (11, 12, 13, 14)) / TICK
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(int(child)) for child in children)


def said(path: Path, pattern: str) -> str:
    """Wait for a line; its first group."""
    for _ in range(1200):
        if found := re.search(pattern, path.read_text()):
            return found[1]
        time.sleep(0.1)
    sys.exit(path.read_text())


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as base:
        where = measured.folder(Path(base), 10, 20)
        site = os.pathsep.join([str(measured.ROOT / "tests" / "cluster" / "site"), str(measured.ROOT)])
        surroundings = {**os.environ, "PYTHONPATH": site, "PRETEND": "1"}

        def start(name: str, *words: str) -> subprocess.Popen[bytes]:
            with (where / name).open("wb") as file:
                return subprocess.Popen(
                    [sys.executable, "-m", *words], cwd=where, env=surroundings, stdout=file, stderr=file
                )

        asked = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        scheduler = start("scheduler", "distributed.cli.dask_scheduler", *asked)
        address = said(where / "scheduler", r"Scheduler at: +(\S+)")
        worker = start("worker", "runner", "worker", address)
        said(where / "worker", "(at work for)")
        figures = []
        for number, only in ((20, "torch-2.0.0_*"), (200, "*")):
            before = (cpu_s(scheduler.pid), cpu_s(worker.pid), _children())
            words = ["--set", "cells", "--out", str(number), "--no-history", "--scheduler", address, "--only", only]
            subprocess.run(
                [sys.executable, "-m", "runner", "matrix", *words],
                cwd=where, env=surroundings, capture_output=True, check=False,
            )  # fmt: skip
            after = (cpu_s(scheduler.pid), cpu_s(worker.pid), _children())
            figures.append([one - other for one, other in zip(after, before, strict=True)])
        for name, few, many in zip(("scheduler", "worker", "machine that asks"), *figures, strict=True):
            print(f"{name}: {1000 * (many - few) / 180:.1f} ms of CPU per block")
        for process in (worker, scheduler):
            process.terminate()
            process.wait()


def _children() -> float:
    """CPU seconds of the programs that have ended: of the runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
