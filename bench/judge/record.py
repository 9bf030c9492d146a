"""Record how long identical processes take on this machine, as they really come.

    python bench/judge/record.py --processes 320 --out bench/judge/noise.csv

Two workloads take turns, one process at a time: a convolution with its weight and input gradients (im2col and GEMM
on all BLAS threads), and a training step of a dense network (one BLAS thread, many small operations). A process
contributes the median of its warm repeats, wall and CPU, as a probe's process does. The recording is what report.py
and the tests of the judge draw their comparisons from.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

CONV = """
import json, statistics, time
import numpy as np
r = np.random.default_rng(0)
x = r.standard_normal((16, 28, 28, 16), dtype=np.float32)
w = r.standard_normal((9 * 16, 32), dtype=np.float32)
def step():
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * 16)
    y = np.maximum(columns @ w, 0)
    return columns.T @ y, y @ w.T
"""

DENSE = """
import json, os, statistics, time
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
r = np.random.default_rng(0)
x = r.standard_normal((128, 784), dtype=np.float32)
target = np.eye(10, dtype=np.float32)[r.integers(0, 10, 128)]
w1 = r.standard_normal((784, 256), dtype=np.float32) / 28
w2 = r.standard_normal((256, 10), dtype=np.float32) / 16
def step():
    global w1, w2
    hidden = np.maximum(x @ w1, 0)
    e = np.exp(hidden @ w2)
    d = (e / e.sum(1, keepdims=True) - target) / 128
    back = (d @ w2.T) * (hidden > 0)
    w1 = w1 - 0.01 * (x.T @ back)
    w2 = w2 - 0.01 * (hidden.T @ d)
"""

MEASURE = """
for _ in range(3):
    step()
wall, cpu = [], []
stop = time.perf_counter() + 0.3
while len(wall) < 5 or time.perf_counter() < stop:
    a, b = time.perf_counter(), time.process_time()
    step()
    wall.append(time.perf_counter() - a)
    cpu.append(time.process_time() - b)
print(json.dumps([statistics.median(wall), statistics.median(cpu)]))
"""

WORKLOADS = {"conv": CONV, "dense": DENSE}


def main() -> None:
    """Record, one line per process, flushed as it ends."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--processes", type=int, default=320, help="of each workload")
    parser.add_argument(
        "--quiet", type=float, default=1.0, help="wait until others use less than this share of the CPUs"
    )
    parser.add_argument("--one-thread", action="store_true", help="both workloads on one BLAS thread")
    parser.add_argument("--pause", type=float, default=0.0, metavar="S", help="seconds to wait after each index")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    environment = {**os.environ, **({"OPENBLAS_NUM_THREADS": "1"} if args.one_thread else {})}
    with args.out.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["workload", "index", "started_s", "step_s", "cpu_s", "process_s", "others"])
        begin = time.monotonic()
        for index in range(args.processes):
            for name, code in WORKLOADS.items():
                wait_for_quiet(args.quiet)
                started, before = time.monotonic(), used()
                done = subprocess.run(
                    [sys.executable, "-c", code + MEASURE], capture_output=True, check=True, env=environment
                )
                process, after = time.monotonic() - started, used()
                wall, cpu = json.loads(done.stdout)
                others = ((after[0] - before[0]) - (after[1] - before[1])) / process / (os.cpu_count() or 1)
                figures = (f"{figure:.4g}" for figure in (wall, cpu, process))
                rows.writerow([name, index, f"{started - begin:.1f}", *figures, f"{max(0.0, others):.2f}"])
            file.flush()
            time.sleep(args.pause)


def wait_for_quiet(share: float) -> None:
    """Waits for half a second in which the CPUs were almost idle.

    Idle: all processes together used less than ``share`` of the CPUs.
    """
    while share < 1:
        before = used()[0]
        time.sleep(0.5)
        if (used()[0] - before) / 0.5 / (os.cpu_count() or 1) < share:
            return


def used() -> tuple[float, float]:
    """Returns the CPU seconds of all processes and of this one's children (Linux).

    Children count once this process has waited for them.
    """
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy = sum(fields) - fields[3] - fields[4]
    return busy / os.sysconf("SC_CLK_TCK"), own.ru_utime + own.ru_stime


if __name__ == "__main__":
    main()
