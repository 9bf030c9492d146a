"""Changes result files: flipped bits, cuts, other kinds of files."""

from __future__ import annotations

import os
import random
from pathlib import Path

from judged import Ended, Judged, incomplete
from tries import CURRENT, Fault, Suite, Try

HANGS_S = 20.0
_CODES = (0, 3)
"""Exit codes of the next run: it measures again, and may name the broken file."""
_REPORT = ("report", "{out}", "--format", "json")


def changed(suite: Suite, draw: random.Random) -> Judged:
    """Change one result file.

    ``report`` names it or prints the same as before; a run measures it again.
    """
    quiet = suite.quiet(*CURRENT)
    with suite.trying() as one:
        one.run(quiet.words)
        before = one.run(_REPORT)
        path = draw.choice(sorted((one.out / "results").glob("*/*/*.json")))
        how = draw.choice((_bit, _bit, _bit, _cut, _empty, _fifo))
        what = how(path, draw)
        report = one.start(_REPORT).wait(HANGS_S)
        wrong = list(judge_report(before.shown, report, path, what))
        again = one.start(quiet.words).wait(HANGS_S)
        if again.code not in _CODES:
            wrong.append(f"{what}: the next run ended with {again.code}")
        wrong += [f"{what}: {line}" for line in incomplete(quiet.expected, one.results())]
        return Judged(wrong=tuple(wrong), orphans=_leftovers(one))


def judge_report(before: str, report: Ended, path: Path, what: str) -> tuple[str, ...]:
    """A report over a changed file is as before, or names the file."""
    if report.code is None:
        return (f"{what}: report hangs",)
    if "Traceback" in report.shown:
        return (f"{what}: report shows a traceback",)
    if report.shown != before and path.name not in report.shown:
        return (f"{what}: report prints something else and does not name the file",)
    return ()


def _leftovers(one: Try) -> tuple[str, ...]:
    return one.look().leftovers


def _bit(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    place = draw.randrange(len(content))
    content[place] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return "a flipped bit"


def _cut(path: Path, draw: random.Random) -> str:
    os.truncate(path, draw.randrange(1, path.stat().st_size))
    return "a file cut off"


def _empty(path: Path, _draw: random.Random) -> str:
    os.truncate(path, 0)
    return "an empty file"


def _fifo(path: Path, _draw: random.Random) -> str:
    path.unlink()
    os.mkfifo(path)
    return "a FIFO"


FAULTS = (Fault("changed-file", "a result file with a flipped bit, cut, emptied or a FIFO", changed, 4, 300, False),)
