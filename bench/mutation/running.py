"""Runs the tests against a mutant, in a copy of the tree.

Tests that call the mutated function, or read its source file, run up to the first failure. No other test can notice
the mutant, unless the function is called by an import, or the change is at the top level of a module: then all others
follow. A failure of a test that does not call the function, or that is slow enough to depend on the load of the
machine, counts only if the test fails again with the mutant and passes without.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mutation.sites import Mutant, mutated

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"

SHORTEST_STUCK_S = 60.0
"""A test that takes longer than this, and than 20 times the longest one without a mutant, hangs."""

CPU_FACTOR = 3
"""A mutant's run may use so many times the processor time of a run without one."""

DOUBTFUL_S = 0.1
"""A failing test that takes longer than this without a mutant is run again."""

PAYLOAD = "runner/probe/"

COLLECTED_NOTHING = 5
"""pytest's exit code."""


Function = tuple[str, int]
"""Path and first line, as its code object has it; line 0 is the source file itself, read as text."""


class BenchError(Exception):
    """The tests cannot be run, or fail without a mutant."""


class StoppedError(Exception):
    """The user has interrupted the run."""


@dataclass(frozen=True)
class Order:
    """The plugin's orders: the tests to run and how to record them."""

    root: str
    notes: str
    only: list[str] | None = None
    without: tuple[str, ...] = ()
    trace: bool = False
    cpu_s: int = 0


@dataclass(frozen=True)
class Run:
    """One run of pytest."""

    code: int
    started: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: dict[str, float]
    """Of each test that finished."""
    calls: dict[str, set[Function]]
    imported: set[Function]
    cpu_s: float
    stuck: bool
    output: str


@dataclass(frozen=True)
class Baseline:
    """The tests without a mutant."""

    tests: tuple[str, ...]
    """Files and folders, as given to pytest."""
    seconds: dict[str, float]
    calls: dict[str, set[Function]]
    """What each test calls; not here are tests that were not traced to their end, or that started processes."""
    imported: set[Function]
    """Functions that an import calls."""
    cpu_limit_s: float
    stuck_s: float


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    outcome: str
    test: str
    """The test that failed, or that did not end; empty where the tests could not be collected."""
    seconds: float
    doubtful: tuple[str, ...] = ()
    """Tests that failed once with the mutant, and not again or also without it."""


def tracked(root: Path) -> list[str]:
    """Files of the working tree that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


class Copy:
    """A copy of the tree in which one mutant at a time is tested."""

    def __init__(self, source: Path, folder: Path, stop: threading.Event) -> None:
        self.root = folder.resolve() / "tree"
        self._beside = folder.resolve()
        self._stop = stop
        for name in tracked(source):
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target)

    def compile(self) -> None:
        """Writes the byte code of the tree, which later runs read and do not write."""
        subprocess.run([sys.executable, "-m", "compileall", "-q", "runner"], cwd=self.root, check=True)

    @contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        """Replaces one file of the tree.

        Its byte code is removed, since time and size might not show the change.
        """
        file = self.root / path
        before = file.read_bytes()
        for code in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            code.unlink()
        file.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            file.write_bytes(before)
            shutil.rmtree(self.root / ".hypothesis", ignore_errors=True)  # examples that a mutant failed

    def pytest(
        self,
        tests: Sequence[str],
        *,
        only: list[str] | None = None,
        without: Sequence[str] = (),
        trace: bool = False,
        first_failure: bool = True,
        options: Sequence[str] = (),
        cpu_s: float = 0.0,
        stuck_s: float = 600.0,
    ) -> Run:
        """Runs pytest in the copy.

        Raises StoppedError on interruption, BenchError where the tests would import another tree.
        """
        notes, order, log = (self._beside / name for name in ("notes.jsonl", "order.json", "log.txt"))
        notes.write_text("", encoding="utf-8")
        what = Order(str(self.root), str(notes), only, tuple(without), trace, int(cpu_s))
        order.write_text(json.dumps(asdict(what)), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
        command += [
            "-p",
            "mutation.plugin",
            "--hypothesis-seed=0",
            *(["-x"] if first_failure else []),
            *options,
            *tests,
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.root), str(self.root / "bench")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "RUNNER_MUTANTS": str(order),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stuck = self._wait(process, notes, stuck_s)
        code = process.returncode
        return _read(notes, code, stuck or code == -signal.SIGXCPU, log.read_text(encoding="utf-8", errors="replace"))

    def _wait(self, process: subprocess.Popen[bytes], notes: Path, stuck_s: float) -> bool:
        """Waits for the end of the process. Returns whether it was stuck.

        It is stuck where no test began or ended for ``stuck_s``. Then the process is ended.
        """
        size, since = -1, time.monotonic()
        try:
            while True:
                try:
                    process.wait(0.1)
                except subprocess.TimeoutExpired:
                    pass
                else:
                    return False
                if self._stop.is_set():
                    raise StoppedError
                if (now := notes.stat().st_size) != size:
                    size, since = now, time.monotonic()
                elif time.monotonic() - since > stuck_s:
                    return True
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _read(notes: Path, code: int, stuck: bool, output: str) -> Run:
    lines = [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    if wrong := [line["wrong"] for line in lines if "wrong" in line]:
        raise BenchError(wrong[0])
    ended = [line for line in lines if "finish" in line]
    return Run(
        code,
        tuple(line["start"] for line in lines if "start" in line),
        tuple(line["failed"] for line in lines if "failed" in line),
        {line["finish"]: line["seconds"] for line in ended},
        {
            line["finish"]: {(path, first) for path, first in line["calls"]}
            for line in ended
            if line["calls"] is not None
        },
        {(path, first) for line in lines for path, first in line.get("imported", [])},
        max((line["cpu_s"] for line in lines if "cpu_s" in line), default=0.0),
        stuck,
        output,
    )


def check(copy: Copy, tests: Sequence[str], options: Sequence[str]) -> Run:
    """Runs all tests without a mutant. Raises BenchError unless they pass."""
    run = copy.pytest(tests, first_failure=False, options=options)
    if run.code:
        raise BenchError(f"the tests fail without a mutant (pytest's exit code {run.code}):\n{run.output[-3000:]}")
    return run


def trace(copy: Copy, tests: Sequence[str], options: Sequence[str]) -> Run:
    """Runs all tests and notes the functions that each calls.

    Tests of speed may fail here, since tracing is slow.
    """
    return copy.pytest(tests, first_failure=False, trace=True, options=options)


def check_copy(copy: Copy, tests: Sequence[str], some_test: str) -> None:
    """Raises BenchError unless a mutant that every test must kill is killed.

    This proves that the copy is tested.
    """
    path = "runner/__init__.py"
    source = (copy.root / path).read_text(encoding="utf-8")
    with copy.changed(path, f"{source}\nraise RuntimeError('a mutant that every test kills')\n"):
        if not copy.pytest(tests, only=[some_test]).code:
            raise BenchError(f"{some_test} passes although {path} raises an exception: the copy is not what is tested")


def baseline(tests: Sequence[str], plain: Run, traced: Run) -> Baseline:
    stuck_s = max(SHORTEST_STUCK_S, 20 * max(plain.seconds.values(), default=0.0))
    calls = {test: of_test for test, of_test in traced.calls.items() if test not in traced.failed}
    return Baseline(tuple(tests), plain.seconds, calls, traced.imported, CPU_FACTOR * plain.cpu_s + 10, stuck_s)


def related(mutant: Mutant, base: Baseline) -> list[str]:
    """Returns the tests that call the mutated function, best first.

    For a module's top level: tests that call any function of the module. Also those that read the source, and those of
    which nothing is known. Best are those that call few functions: they are quick, and look at this one.
    """

    def calls(test: str) -> bool:
        if test not in base.calls:
            return True
        if mutant.entry:
            return not base.calls[test].isdisjoint({(mutant.path, mutant.entry), (mutant.path, 0)})
        return any(path == mutant.path for path, _line in base.calls[test])

    found = [test for test in base.seconds if calls(test)]
    return sorted(found, key=lambda test: (base.seconds[test] > DOUBTFUL_S, len(base.calls.get(test, ()))))


def is_confined(mutant: Mutant, base: Baseline) -> bool:
    """Returns whether only the related tests can notice a mutant.

    The payload also runs in other processes, whose calls are not noted.
    """
    inside = mutant.entry and (mutant.path, mutant.entry) not in base.imported
    return bool(inside) and not mutant.path.startswith(PAYLOAD)


def _files(tests: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(test.split("::")[0] for test in tests))


def _is_doubtful(test: str, near: Sequence[str], base: Baseline) -> bool:
    return bool(test) and (test not in near or base.seconds.get(test, 0.0) > DOUBTFUL_S)


def attempt(copy: Copy, mutant: Mutant, base: Baseline, options: Sequence[str], *, every_test: bool) -> Result:
    """Runs the tests that can notice a mutant until one fails.

    All other tests run after them with ``every_test``, or where they too can notice it (see ``is_confined``).
    """
    began = time.monotonic()
    source = (copy.root / mutant.path).read_text(encoding="utf-8")
    text = mutated(source, mutant.number, mutant.variant)
    near = related(mutant, base)
    steps: list[list[str] | None] = [near] if is_confined(mutant, base) and not every_test else [near, None]
    done: list[str] = []
    doubtful: list[str] = []
    while steps:
        only = steps[0] and [test for test in steps[0] if test not in done]
        if only == []:
            steps.pop(0)
            continue
        tests = _files(only) if only else base.tests
        with copy.changed(mutant.path, text):
            run = copy.pytest(
                tests, only=only, without=done, options=options, cpu_s=base.cpu_limit_s, stuck_s=base.stuck_s
            )
        done += run.started
        if run.stuck:
            return Result(mutant, TIMEOUT, run.started[-1] if run.started else "", time.monotonic() - began)
        if run.code in (0, COLLECTED_NOTHING):
            steps.pop(0)
            continue
        test = run.failed[0] if run.failed else f"signal {-run.code}" if run.code < 0 else ""
        if _is_doubtful(test, near, base) and test in run.started and not _fails(copy, mutant, text, test, options):
            doubtful.append(test)
            continue
        return Result(mutant, KILLED, test, time.monotonic() - began, tuple(doubtful))
    return Result(mutant, SURVIVED, "", time.monotonic() - began, tuple(doubtful))


def _fails(copy: Copy, mutant: Mutant, text: str, test: str, options: Sequence[str]) -> bool:
    """Returns whether a test fails again with the mutant, and passes without it."""
    with copy.changed(mutant.path, text):
        again = copy.pytest(_files([test]), only=[test], options=options)
    return again.code != 0 and copy.pytest(_files([test]), only=[test], options=options).code == 0
