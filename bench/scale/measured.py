"""Measures the overhead of a cluster per block, and two workers against one.

``python bench/scale/measured.py`` prints the figures that docs/scale.md takes. It needs the extra ``cluster``. Cells
take no time (``tests/cluster/site``); scheduler, workers and runs are real processes on this machine.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """
schema = 1
[probes.nap]
file = "nap.py"
timed = false
timeout_s = 60
[sets.cells]
description = "cells that do nothing"
executor = "pretend"
[[sets.cells.product]]
framework = ["torch"]
version = [{versions}]
keras = [{keras}]
device = ["cpu"]
[sets.cells.probes.nap]
"""
PROBE = 'DEFAULTS = {"seconds": 0.0}\n\n\ndef measure(report, settings):\n    report.info("seed", settings.seed)\n'


def folder(base: Path, versions: int, keras: int) -> Path:
    """A user's folder with a set of so many cells."""
    listed = [", ".join(f'"{major}.{n}.0"' for n in range(count)) for major, count in ((2, versions), (3, keras))]
    (base / "nap.py").write_text(PROBE)
    (base / "keras-matrix.toml").write_text(CONFIGURATION.format(versions=listed[0], keras=listed[1]))
    return base


def run(where: Path, out: str, *words: str) -> tuple[float, float]:
    """Run the set.

    Returns the seconds from the first process to the last, and the CPU seconds of all programs.
    """
    log = where / f"{out}.log"
    log.unlink(missing_ok=True)
    site = os.pathsep.join([str(ROOT / "tests" / "cluster" / "site"), str(ROOT)])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-m", "runner", "matrix", "--set", "cells", "--out", out, "--no-history", "--fresh", *words],
        cwd=where,
        env={**os.environ, "PYTHONPATH": site, "PRETEND": "1", "PRETEND_LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = [float(line.split()[4]) for line in log.read_text().splitlines()]
    if not times:
        sys.exit(ended.stderr)
    return max(times) - min(times), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--naps", type=float, default=0.5, help="seconds of a cell where two workers are compared")
    repeats, naps = asked.parse_args().repeats, asked.parse_args().naps
    with tempfile.TemporaryDirectory() as base:
        where = folder(Path(base), 10, 20)
        print("| | first to last process, s | CPU of all programs, s |\n|---|--:|--:|")
        overheads = []
        for number in range(repeats):
            local, cpu = run(where, f"local{number}")
            print(f"| local, 200 cells | {local:.2f} | {cpu:.1f} |")
            one, cpu = run(where, f"one{number}", "--cluster", "local:1")
            print(f"| one worker, 200 blocks | {one:.2f} | {cpu:.1f} |")
            overheads.append((one - local) / 199)
        print(f"\noverhead per block: {', '.join(f'{1000 * x:.1f}' for x in sorted(overheads))} ms\n")
        few = ("--setting", f"nap.seconds={naps}", "--only", "torch-2.[0-3].0_*")
        ratios = []
        for number in range(repeats):
            one, _ = run(where, f"n1-{number}", "--cluster", "local:1", *few)
            two, _ = run(where, f"n2-{number}", "--cluster", "local:2", *few)
            ratios.append((two + naps) / (one + naps))
            print(f"80 cells of {naps:g} s: one worker {one:.1f} s, two {two:.1f} s, ratio {ratios[-1]:.3f}")
        print(f"load of the machine at the end: {re.split(' ', Path('/proc/loadavg').read_text())[0]}, {time.ctime()}")


if __name__ == "__main__":
    main()
