"""What a fault works with: engine, program, index, a fresh folder for every try."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import account
import place
import program
import world
from dockerd import Engine
from index import Index
from judged import Ended, Expected, Judged, World, incomplete, judge
from tiny import Image

CONTAINERS = ("--executor", "docker", "--probe", "pace")
HOST = ("--set", "host", "--executor", "host", "--probe", "pace")
CURRENT = ("--executor", "current", "--probe", "pace")


@dataclass(frozen=True)
class Quiet:
    """A command as it runs when nothing disturbs it."""

    words: tuple[str, ...]
    seconds: float
    expected: Expected


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    name: str
    what: str
    once: Callable[[Suite, random.Random], Judged]
    """Does it once. The generator decides all that is random."""
    short: int
    """Tries of ``--short``; 0: only in the full suite."""
    full: int
    engine: bool = True
    """Whether it needs the suite's own engine."""
    obstacle: Callable[[], str] = str
    """Why it cannot be tried here; empty where it can."""


@dataclass
class Try:
    """A fresh set of folders in which the program runs."""

    suite: Suite
    root: Path
    address: str
    more: dict[str, str] = field(default_factory=dict)
    """Variables on top of those of every run."""
    out: Path = Path()

    def __post_init__(self) -> None:
        for name in ("tmp", "cache", "data"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.out = self.root / "out"
        if self.suite.user:
            account.give(self.suite.user, self.root)
        self._runs = 0

    def environment(self) -> dict[str, str]:
        """The variables of a run."""
        suite = self.suite
        found = program.variables(self.root, home=suite.place / "home", address=self.address, index=suite.index.address)
        return {**found, "PYTHONPATH": str(suite.stage / "site"), **self.more}

    def start(self, words: Sequence[str], out: Path | None = None) -> program.Run:
        """Start a command. ``{out}`` in a word becomes the try's folder for results."""
        self._runs += 1
        filled = [word.replace("{out}", str(out or self.out)) for word in words]
        user = self.suite.user
        python = account.python(user) if user else [sys.executable]
        return program.start(self.suite.stage, filled, self.environment(), self.root / f"run{self._runs}.log", python)

    def run(self, words: Sequence[str]) -> Ended:
        """Run a command to its end."""
        return self.start(words).wait()

    def look(self) -> World:
        """What the try has on the machine now."""
        return world.look(self.root, self.out, self.suite.containers)

    def results(self) -> World:
        """The result files alone: quick, for the moment of a fault."""
        return World(world.results(self.out))

    def resume(self, expected: Expected, words: Sequence[str], at_fault: World, disturbed: Ended) -> Judged:
        """Run the command again without a fault, and judge."""
        again = self.run(words)
        return judge(expected, at_fault, disturbed, self.look(), again)


@dataclass
class Suite:
    """All that the faults share."""

    place: Path
    stage: Path
    index: Index
    engine: Engine | None = None
    wheels: Path = Path()
    images: Sequence[Image] = ()
    stack: ExitStack = field(default_factory=ExitStack)
    """What is undone at the end of the suite."""
    podmans: dict[str, Engine] = field(default_factory=dict)
    """The services of Podman that were started, by kind."""
    _quiet: dict[tuple[str, ...], Quiet] = field(default_factory=dict)
    _tries: int = 0

    @property
    def user(self) -> str:
        """Who runs the program; empty: whoever runs the suite."""
        return self.engine.user if self.engine else ""

    @contextmanager
    def trying(self, **more: str) -> Iterator[Try]:
        """A fresh try.

        What it leaves is removed at its end, so that no try disturbs the next.
        """
        self._tries += 1
        root = self.place / "tries" / str(self._tries)
        address = self.engine.address if self.engine else "unix:///nowhere.sock"
        try:
            yield Try(self, root, address, dict(more))
        finally:
            self.clear(root)

    def clear(self, root: Path) -> None:
        """End all that a try has left, and delete its folders."""
        for _ in range(100):
            left = [pid for pid in place.processes(root) if not place.name(pid).startswith(("containerd", "dockerd"))]
            for pid in left:
                with suppress(OSError):
                    place.end(pid)
            if not left:
                break
            time.sleep(0.05)
        if self.engine is not None:
            if not self.engine.answers():
                self.engine.kill()
                self.engine.start()
            self.engine.clear()
        place.delete(root)

    def label_images(self) -> None:
        """Make the images of all cells, where there is an engine."""
        if self.engine is not None:
            for image in self.images:
                self.engine.label(image.tag, image.base, image.labels)

    def containers(self) -> list[str]:
        """The containers on the suite's own engine."""
        return self.engine.containers() if self.engine is not None else []

    def quiet(self, *words: str, code: int = 0, codes_at_fault: Sequence[int] | None = None) -> Quiet:
        """How a command of ``runner matrix`` runs undisturbed: run once, then remembered.

        ``code``: how it ends.
        """
        key = (self.engine.address if self.engine else "", *words)
        if key not in self._quiet:
            full = matrix(*words)
            with self.trying() as one:
                ended = one.run(full)
                found = one.results().results.values()
                jobs = {saved.job: saved.status for saved in found}
            if ended.code != code or not jobs or "" in jobs.values():
                raise SuiteError(f"without a fault, `runner {' '.join(full)}` ends with {ended.code}:\n{ended.shown}")
            print(f"{chr(32).join(words)}: {ended.seconds:.1f} s without a fault", flush=True)
            self._quiet[key] = Quiet(full, ended.seconds, Expected(jobs, code))
        known = self._quiet[key]
        return replace(known, expected=replace(known.expected, codes_at_fault=codes_at_fault))


class SuiteError(Exception):
    """The suite itself cannot work: nothing is known about the program."""


class UntriedError(SuiteError):
    """This machine lacks what a fault needs."""


def matrix(*words: str) -> tuple[str, ...]:
    """A ``runner matrix`` of the tiny cells, two rounds, with more words."""
    rounds = () if {"--rounds", "--max-rounds", "--keep"} & set(words) else ("--rounds", "2")
    chosen = () if "--set" in words else ("--set", "faults")
    return ("matrix", *chosen, "--offline", "--out", "{out}", *rounds, *words)


def complete(one: Try, expected: Expected) -> Judged:
    """Whether all results are there after a run that nothing was lost in."""
    return Judged(wrong=incomplete(expected, one.results()))


def merged(parts: Mapping[str, Judged]) -> Judged:
    """The findings of several parts of one try."""
    found = Judged()
    for one in parts.values():
        found += one
    return found
