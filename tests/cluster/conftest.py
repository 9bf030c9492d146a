"""A scheduler, workers and runs in separate processes, with cells that take no time (see ``site/sitecustomize.py``)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 240.0
"""How long anything may take on a slow machine."""

CONFIGURATION = """
schema = 1
[probes.nap]
file = "probes/nap.py"
timed = false
timeout_s = 60
[probes.clock]
file = "probes/clock.py"
timeout_s = 60
[sets.cells]
description = "cells that do nothing"
executor = "pretend"
[[sets.cells.product]]
framework = ["torch", "jax"]
version = [{versions}]
keras = [{keras}]
device = ["cpu"]
[sets.cells.probes.nap]
[sets.cells.probes.clock]
"""
PROBE = 'DEFAULTS = {"seconds": 0.0}\n\n\ndef measure(report, settings):\n    report.info("seed", settings.seed)\n'


def _listed(values: list[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


@dataclass
class Process:
    """A program that runs, and what it has printed so far."""

    process: subprocess.Popen[bytes]
    text: Path

    def said(self, pattern: str) -> str:
        """Wait until the program has printed something that matches; the first group of it."""
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            if found := re.search(pattern, self.text.read_text(errors="replace")):
                return found[1] if found.groups() else found[0]
            if self.process.poll() is not None and not re.search(pattern, self.text.read_text(errors="replace")):
                pytest.fail(f"ended with {self.process.returncode} before {pattern!r}:\n{self.text.read_text()}")
            time.sleep(0.02)
        pytest.fail(f"no {pattern!r} within {LONG_S:.0f} s:\n{self.text.read_text()}")

    def ended(self) -> tuple[int, str]:
        """Wait for the end; the exit code and all that was printed."""
        return self.process.wait(LONG_S), self.text.read_text(errors="replace")

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


@dataclass
class Place:
    """A folder with a user's configuration, and the programs that were started in it."""

    folder: Path
    log: Path
    started: list[Process] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "cluster" / "site"), str(ROOT)]),
            "PRETEND": "1",
            "PRETEND_LOG": str(self.log),
            "COLUMNS": "200",
            "TMPDIR": str(self.folder / "tmp"),
            **more,
        }

    def start(self, *words: str, **more: str) -> Process:
        """Start a program of Python; ``more`` are environment variables."""
        return self.started_by((), words, more)

    def started_by(self, wrapped: tuple[str, ...], words: tuple[str, ...], more: Mapping[str, str]) -> Process:
        """Start it as the argument of another program."""
        text = self.folder / f"said-{len(self.started)}.txt"
        with text.open("wb") as file:
            process = subprocess.Popen(
                [*wrapped, sys.executable, "-m", *words],
                cwd=self.folder,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.started.append(Process(process, text))
        return self.started[-1]

    def scheduler(self, *words: str, host: str = "127.0.0.1", wrapped: tuple[str, ...] = ()) -> tuple[Process, str]:
        """A scheduler of Dask, and its address."""
        asked = ("--host", host, "--port", "0", "--no-dashboard", *words)
        process = self.started_by(wrapped, ("distributed.cli.dask_scheduler", *asked), {})
        return process, process.said(r"Scheduler at: +(\S+)")

    def worker(self, address: str, *words: str, **more: str) -> Process:
        """A worker that is at work."""
        process = self.start("runner", "worker", address, *words, **more)
        process.said("at work for")
        return process

    def matrix(self, *words: str, out: str = "out", **more: str) -> Process:
        asked = ("--set", "cells", "--out", out, "--no-history", "--format", "json")
        return self.start("runner", "matrix", *asked, *words, **more)

    def processes(self) -> list[tuple[str, str, str]]:
        """Probe, cell and round of every process that ended, of all runs."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(probe, cell, number) for _, probe, cell, number, _ in (line.split() for line in lines)]


Make = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Make]:
    """Makes the folder with so many versions and releases of Keras, for two frameworks."""
    made: list[Place] = []

    def make(versions: int = 1, keras: int = 2, settings: Mapping[str, Mapping[str, float]] | None = None) -> Place:
        folder = tmp_path / "user"
        (folder / "probes").mkdir(parents=True)
        (folder / "tmp").mkdir()
        listed = [f"2.{n // 3}.{n % 3}" for n in range(versions)], [f"3.{n}.0" for n in range(keras)]
        text = CONFIGURATION.format(versions=_listed(listed[0]), keras=_listed(listed[1]))
        for probe, values in (settings or {}).items():
            text = text.replace(
                f"[sets.cells.probes.{probe}]\n",
                f"[sets.cells.probes.{probe}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()),
            )
        (folder / "keras-matrix.toml").write_text(text)
        for name in ("nap", "clock"):
            (folder / "probes" / f"{name}.py").write_text(PROBE)
        made.append(Place(folder, tmp_path / "log.txt"))
        return made[-1]

    yield make
    for one in made:
        for process in reversed(one.started):
            if process.process.poll() is None:
                process.process.terminate()
        for process in one.started:
            with suppress(subprocess.TimeoutExpired):
                process.process.wait(30)
            if process.process.poll() is None:
                process.kill()


@pytest.fixture
def figures() -> Callable[[Path], dict[tuple[str, str, int, str], object]]:
    """Reads every exact figure of a folder: by cell, probe, round and name."""

    def read(out: Path) -> dict[tuple[str, str, int, str], object]:
        found: dict[tuple[str, str, int, str], object] = {}
        for path in sorted(out.glob("results/*/*/*.json")):
            one = json.loads(path.read_text())
            number = int(path.name.partition("-")[0])
            for metric in one["metrics"]:
                if metric["kind"] == "exact":
                    key = (path.parent.parent.name, path.parent.name, number, metric["name"])
                    assert key not in found, f"{key} is there twice"
                    found[key] = metric["value"]
        assert found
        return found

    return read
