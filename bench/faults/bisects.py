"""``runner bisect`` loses its network, its installer, its engine or itself.

No trouble may become an answer.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import builds
import place
import tiny
from judged import BROKEN_TEXT, Ended, Judged, last_line
from outages import own
from tries import Fault, Suite, SuiteError, Try, UntriedError

GOOD, FIRST_BAD, BAD = "1.0", "1.4", "1.8"
_SCRIPT = f"import sys, tiny\nsys.exit(tiny.__version__ >= {FIRST_BAD!r})\n"
_CODES = (0, 3, 4)
_NOT_MEASURED = 3
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


def engine_killed(suite: Suite, draw: random.Random) -> Judged:
    """SIGKILL the engine at a random moment of a bisect in containers.

    The engine is back up to six seconds later: sometimes before the program has given it up, sometimes after. Then the
    same command again: it finds the release.
    """
    engine = own(suite)
    with builds.building(suite):
        seconds = _quiet_seconds(suite, "docker")
        builds.forget(suite)
        with suite.trying() as one:
            words = _words(one, "docker")
            run = one.start(words)
            time.sleep(draw.uniform(0.0, seconds))
            engine.kill()
            time.sleep(draw.uniform(0.0, 6.0))
            engine.start()
            with builds.served(suite):  # the engine's network namespace is a new one
                first = run.wait()
                stored = answers(one.out)
                again = one.run(words)
            return judge_search(first, again, _CODES, stored) + Judged(orphans=one.look().leftovers)


def answers(out: Path) -> dict[str, str]:
    """The marks that a search has stored, by release."""
    found: dict[str, str] = {}
    for path in out.glob("*.json"):
        found |= {version: answer["mark"] for version, answer in json.loads(path.read_bytes())["answers"].items()}
    return found


def judge_search(
    first: Ended, again: Ended, allowed: tuple[int, ...] | None, stored: Mapping[str, str] | None = None
) -> Judged:
    """Judge a disturbed search and the one that goes on.

    Every answer is true, the release is right, and nothing is asked twice. ``stored`` are the marks on disk between the
    two, where they are looked at: each is true, and each release was tested.
    """
    wrong = [f"{mark} {version} is not true" for version, mark in _untrue(first.shown)]
    wrong += [f"{mark} {version} is not true, in the next run" for version, mark in _untrue(again.shown)]
    if allowed is not None and first.code not in allowed:
        wrong.append(f"the disturbed search ended with {first.code}: {last_line(first.shown)}")
    wrong += [f"{mark} {version} is stored" for version, mark in (stored or {}).items() if mark != _truth(version)]
    wrong += [f"{text!r} is printed" for text in BROKEN_TEXT if text in first.shown + again.shown]
    errors = [line for line in first.shown.splitlines() if line.startswith("runner: ")]
    if first.code == _NOT_MEASURED and len(errors) != 1:
        wrong.append(f"the disturbed search ended with {len(errors)} error lines, not one: {' / '.join(errors)[:160]}")
    if again.code != 0 or not found(again.shown):
        wrong.append(f"the next search ended with {again.code}: {last_line(again.shown)}")
    told = {version for version, _ in _MARKED.findall(first.shown)}
    wrong += [f"{version} is stored and was not tested" for version in (stored or {}) if version not in told]
    told |= set(stored or {})
    repeated = sorted(told & {version for version, _ in _MARKED.findall(again.shown)})
    return Judged(wrong=tuple(wrong), repeated=tuple(f"tiny {version}" for version in repeated))


def found(shown: str) -> bool:
    """Whether a search names the right release."""
    return re.search(rf"\b{re.escape(FIRST_BAD)}\b", shown) is not None and "may be in any" not in shown


def _untrue(shown: str) -> list[tuple[str, str]]:
    """The marks that are not what the release is.

    Every release can be installed, so that ``skip`` is never true.
    """
    return [(version, mark) for version, mark in _MARKED.findall(shown) if mark != _truth(version)]


def _truth(version: str) -> str:
    return "bad" if version >= FIRST_BAD else "good"


def _words(one: Try, executor: str = "host") -> tuple[str, ...]:
    script = one.root / "script.py"
    script.write_text(_SCRIPT)
    return (
        "bisect", "tiny", "--good", GOOD, "--bad", BAD, "--script", str(script), "--executor", executor,
        "--python", tiny.IMAGE_PYTHON if executor == "docker" else tiny.PYTHON, "--out", "{out}",
    )  # fmt: skip


_seconds: dict[tuple[int, str], float] = {}


def _quiet_seconds(suite: Suite, executor: str = "host") -> float:
    """How long a search takes that nothing disturbs. Raises SuiteError where it fails."""
    key = (id(suite), executor)
    if key not in _seconds:
        with suite.trying() as one:
            ended = one.run(_words(one, executor))
        if ended.code != 0 or not found(ended.shown):
            raise SuiteError(f"a bisect without a fault ends with {ended.code}:\n{ended.shown}")
        print(f"bisect --executor {executor}: {ended.seconds:.1f} s without a fault", flush=True)
        _seconds[key] = ended.seconds
    return _seconds[key]


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
    Fault("bisect-engine", "the engine is killed in the middle of a bisect in containers", engine_killed, 0, 20),
)
