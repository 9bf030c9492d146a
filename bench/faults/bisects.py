"""``runner bisect`` loses its network, its installer or itself.

No trouble may become an answer.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from contextlib import suppress
from functools import partial

import place
import tiny
from judged import Ended, Judged, last_line
from tries import Fault, Suite, SuiteError, Try, UntriedError

GOOD, FIRST_BAD, BAD = "1.0", "1.4", "1.8"
_SCRIPT = f"import sys, tiny\nsys.exit(tiny.__version__ >= {FIRST_BAD!r})\n"
_CODES = (0, 3, 4)
_MARKED = re.compile(r"^tiny (?P<version>\S+): (?P<mark>good|bad|skip)\b", re.MULTILINE)


def disturbed(suite: Suite, draw: random.Random, *, how: str) -> Judged:
    """Disturb a bisect at a random moment, then run it again: it finds the release."""
    _fetch(suite)
    seconds = _quiet_seconds(suite)
    with suite.trying() as one:
        words = _words(one)
        run = one.start(words)
        time.sleep(draw.uniform(0.0, seconds))
        try:
            if how == "runner":
                run.signal(signal.SIGKILL)
            elif how == "network":
                suite.index.stop()
            else:
                _kill_installer(one, draw)
            first = run.wait()
        finally:
            suite.index.stop()
            suite.index.start()
        again = one.run(words)
        allowed = None if how == "runner" else _CODES
        return judge_search(first, again, allowed) + Judged(orphans=one.look().leftovers)


def judge_search(first: Ended, again: Ended, allowed: tuple[int, ...] | None) -> Judged:
    """Judge a disturbed search and the one that goes on.

    Every answer is true, the release is right, and nothing is asked twice.
    """
    wrong = [f"{mark} {version} is not true" for version, mark in _untrue(first.shown)]
    wrong += [f"{mark} {version} is not true, in the next run" for version, mark in _untrue(again.shown)]
    if allowed is not None and first.code not in allowed:
        wrong.append(f"the disturbed search ended with {first.code}: {last_line(first.shown)}")
    if again.code != 0 or not found(again.shown):
        wrong.append(f"the next search ended with {again.code}: {last_line(again.shown)}")
    told = {version for version, _ in _MARKED.findall(first.shown)}
    repeated = sorted(told & {version for version, _ in _MARKED.findall(again.shown)})
    return Judged(wrong=tuple(wrong), repeated=tuple(f"tiny {version}" for version in repeated))


def found(shown: str) -> bool:
    """Whether a search names the right release."""
    return re.search(rf"\b{re.escape(FIRST_BAD)}\b", shown) is not None and "may be in any" not in shown


def _untrue(shown: str) -> list[tuple[str, str]]:
    """The marks that are not what the release is.

    Every release can be installed, so that ``skip`` is never true.
    """
    return [
        (version, mark)
        for version, mark in _MARKED.findall(shown)
        if mark != ("bad" if version >= FIRST_BAD else "good")
    ]


def _words(one: Try) -> tuple[str, ...]:
    script = one.root / "script.py"
    script.write_text(_SCRIPT)
    return (
        "bisect", "tiny", "--good", GOOD, "--bad", BAD, "--script", str(script), "--python", tiny.PYTHON,
        "--executor", "host", "--out", "{out}",
    )  # fmt: skip


_seconds: dict[int, float] = {}


def _quiet_seconds(suite: Suite) -> float:
    """How long a search takes that nothing disturbs. Raises SuiteError where it fails."""
    if id(suite) not in _seconds:
        with suite.trying() as one:
            ended = one.run(_words(one))
        if ended.code != 0 or not found(ended.shown):
            raise SuiteError(f"a bisect without a fault ends with {ended.code}:\n{ended.shown}")
        print(f"bisect: {ended.seconds:.1f} s without a fault", flush=True)
        _seconds[id(suite)] = ended.seconds
    return _seconds[id(suite)]


def _fetch(suite: Suite) -> None:
    if not list(suite.wheels.glob("pip-*.whl")) and (why := tiny.fetch_tools(suite.stage, suite.wheels)):
        raise UntriedError(why)


def _kill_installer(one: Try, draw: random.Random) -> None:
    """SIGKILL the next uv that installs, as the kernel does where memory is short."""
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        installing = [pid for pid in place.processes(one.root) if "pip install" in place.command(pid)]
        if installing:
            time.sleep(draw.uniform(0.0, 0.1))
            for pid in installing:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.005)


FAULTS = (
    Fault("bisect-kill", "SIGKILL of a bisect, then again", partial(disturbed, how="runner"), 0, 30, False),
    Fault("bisect-network", "a bisect loses its package index", partial(disturbed, how="network"), 1, 30, False),
    Fault("bisect-installer", "a bisect's installation is killed", partial(disturbed, how="installer"), 1, 30, False),
)
