"""Measures the time that the runner adds to a container.

It compares a trivial process through DockerExecutor with ``docker run --rm``.

Interleaved pairs, each pair's order alternating, so that both see the same machine. Run from the repository root on
a machine with a Docker engine and the docker command line:

    python -m bench.overhead [--pairs 30] [--image python:3.11-slim-bookworm] [--json] [-- --network none]

What follows ``--`` goes to ``docker run``: without the network that docker sets up by default, for example. It fails
(exit code 1) where the median of the paired differences is above ``--limit`` milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runner.executors import Launch, Prepared
from runner.executors.docker import DockerExecutor
from runner.model import Cell, Environment, Limits

CODE = "open('result.json', 'w').write('{}')"
CELL = Cell("numpy", "0", None, "3.11", "cpu")
ENVIRONMENT = Environment("numpy", "0", None, "3.11", "cpu", "linux-x86_64")


def through_the_runner(executor: DockerExecutor, image: str) -> float:
    """Seconds for one container, staged folder included."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="runner-io-") as folder:
        io = Path(folder).resolve()
        limits = Limits(timeout_s=60, memory_bytes=1 << 30)
        outcome = executor.execute(Launch(CELL, Prepared(ENVIRONMENT, image), io, None, {}, limits, ("-c", CODE)))
        if outcome.exit_code or not (io / "result.json").is_file():
            raise SystemExit(f"the trivial probe failed: {outcome}")
    return time.perf_counter() - began


def through_the_command_line(image: str, options: list[str]) -> float:
    """Seconds for ``docker run --rm`` of the same image and program."""
    began = time.perf_counter()
    subprocess.run(["docker", "run", "--rm", "-w", "/tmp", *options, image, "python", "-c", CODE], check=True)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--image", default="python:3.11-slim-bookworm")
    parser.add_argument("--limit", type=float, default=60.0, help="milliseconds (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("options", nargs="*", help="for docker run")
    arguments = parser.parse_args()

    executor = DockerExecutor(lambda environment, _say: Prepared(environment, arguments.image))
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for number in range(-1, arguments.pairs):  # the first pair warms caches and does not count
            if number % 2:
                mine = through_the_runner(executor, arguments.image)
                other = through_the_command_line(arguments.image, arguments.options)
            else:
                other = through_the_command_line(arguments.image, arguments.options)
                mine = through_the_runner(executor, arguments.image)
            if number >= 0:
                ours.append(1000 * mine)
                theirs.append(1000 * other)
    finally:
        executor.close()

    added = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    median = statistics.median(added)
    figures = {
        "pairs": len(added),
        "runner_ms": round(statistics.median(ours), 1),
        "docker_run_ms": round(statistics.median(theirs), 1),
        "added_ms": round(median, 1),
        "added_ms_quartiles": [round(q, 1) for q in statistics.quantiles(added, n=4)],
    }
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f"{figures['runner_ms']} ms against {figures['docker_run_ms']} ms, {len(added)} pairs: {median:+.1f} ms")
    return int(median > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
