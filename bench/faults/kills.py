"""The runner is killed, or asked to stop, at random moments."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from judged import Judged, judge_stopped
from tiny import LARGE_MODULES
from tries import CONTAINERS, CURRENT, HOST, Fault, Suite

LARGE = ("--set", "large", *HOST[2:])
BROOD = (*HOST[:4], "--probe", "brood")
ROUNDS = (*CONTAINERS, "--max-rounds", "3")
STOPPED_S = 20.0
"""A run that was asked to stop has ended after this long."""
_CODES = (0, 3, 4, 130)
"""Exit codes of a run that was asked to stop, or had ended already."""


def killed(suite: Suite, draw: random.Random, *, words: tuple[str, ...]) -> Judged:
    """SIGKILL the runner at a uniform moment of its duration, then run it again."""
    quiet = suite.quiet(*words)
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds))
        run.signal(signal.SIGKILL)
        disturbed = run.wait()
        return one.resume(quiet.expected, quiet.words, one.results(), disturbed)


def killed_installing(suite: Suite, draw: random.Random) -> Judged:
    """SIGKILL the runner in the middle of an installation, and run it again at once."""
    quiet = suite.quiet(*LARGE)
    with suite.trying() as one:
        run = one.start(quiet.words)
        files = draw.randrange(2 * LARGE_MODULES)  # each module is compiled
        while run.running and _written(one.root / "cache") < files:
            time.sleep(0.02)
        run.signal(signal.SIGKILL)
        disturbed = run.wait()
        return one.resume(quiet.expected, quiet.words, one.results(), disturbed)


def _written(cache: Path) -> int:
    """How many files the half-made environments have."""
    return sum(len(names) for part in cache.rglob("*.part") for _, _, names in os.walk(part))


def stopped(suite: Suite, draw: random.Random, *, words: tuple[str, ...]) -> Judged:
    """Send SIGTERM to the runner or SIGINT to its group; half of the time twice."""
    quiet = suite.quiet(*words, codes_at_fault=_CODES)
    number, twice = draw.choice((signal.SIGTERM, signal.SIGINT)), draw.random() < 0.5
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds))
        asked = time.monotonic()
        run.signal(number, group=number == signal.SIGINT)
        if twice:
            time.sleep(draw.uniform(0.0, 0.5))
            run.signal(number, group=number == signal.SIGINT)
        ended = run.wait()
        ended = replace(ended, seconds=time.monotonic() - asked)
        # before and after its work the signal itself ends the program, as any other; what it left is judged too
        expected = replace(quiet.expected, codes_at_fault=(*_CODES, -number))
        at_fault = one.look()
        left = judge_stopped(expected, at_fault, ended, STOPPED_S)
        return left + one.resume(expected, quiet.words, at_fault, ended)


def killed_between_rounds(suite: Suite, draw: random.Random) -> Judged:
    """SIGKILL a run that decides after every round how many follow."""
    quiet = suite.quiet(*ROUNDS)
    # how many rounds there are depends on timings: any job may be there
    expected = replace(
        quiet.expected, jobs={k: v for k, v in quiet.expected.jobs.items() if k[-1] in "01"}, others="ok"
    )
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds))
        run.signal(signal.SIGKILL)
        disturbed = run.wait()
        return one.resume(expected, quiet.words, one.results(), disturbed)


FAULTS = (
    Fault("kill", "SIGKILL of the runner, cells in containers", partial(killed, words=CONTAINERS), 4, 400),
    Fault(
        "kill-host", "SIGKILL of the runner while it installs and measures on the host",
        partial(killed, words=HOST), 2, 200, engine=False,
    ),
    Fault("kill-install", "SIGKILL of the runner while it installs", killed_installing, 2, 100, engine=False),
    Fault(
        "kill-brood", "SIGKILL of the runner, probes whose children leave the session",
        partial(killed, words=BROOD), 1, 100, engine=False,
    ),
    Fault(
        "kill-current", "SIGKILL of the runner, cells in this Python",
        partial(killed, words=CURRENT), 4, 100, engine=False,
    ),
    Fault("kill-rounds", "SIGKILL of the runner with --max-rounds 3", killed_between_rounds, 0, 60),
    Fault("stop", "SIGTERM or SIGINT, once or twice, cells in containers", partial(stopped, words=CONTAINERS), 3, 100),
    Fault(
        "stop-host", "SIGTERM or SIGINT, once or twice, on the host",
        partial(stopped, words=HOST), 2, 100, engine=False,
    ),
)  # fmt: skip
