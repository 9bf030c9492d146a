"""Two runs at the same time: on one folder of results, and on two."""

from __future__ import annotations

import itertools
import json
import random
import re
import time
from collections import Counter
from functools import partial
from pathlib import Path

from judged import Judged, judge
from tries import CONTAINERS, CURRENT, Fault, Suite, SuiteError

_MEASURED = re.compile(r"^(?P<probe>\w+)(?: #(?P<round>\d+))? +(?P<cell>tiny-\S+) \([0-9.]+ s\) ", re.MULTILINE)
_HELD = 2
"""Exit code of a run that refuses because another one has the folder."""


def same_out(suite: Suite, draw: random.Random, *, words: tuple[str, ...]) -> Judged:
    """Start the same command twice.

    Every process runs once, and both runs end well or say who is at work.
    """
    quiet = suite.quiet(*words)
    with suite.trying() as one:
        first = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds / 2))
        second = one.start(quiet.words)
        ended = [first.wait(), second.wait()]
        measured = Counter(job for run in ended for job in measured_jobs(run.shown))
        twice = tuple(f"{job} was measured {count} times" for job, count in measured.items() if count > 1)
        wrong = tuple(
            f"the {which} of two runs ended with {run.code}"
            for which, run in zip(("first", "second"), ended, strict=True)
            if run.code not in (0, _HELD)
        )
        at_fault = one.results()
        again = one.run(quiet.words)
        return Judged(repeated=twice, wrong=wrong) + judge(quiet.expected, at_fault, ended[0], one.look(), again)


def measured_jobs(shown: str) -> list[str]:
    """The jobs that a run says it has measured, as ``judged`` names them."""
    return [f"{found['cell']} {found['probe']} #{int(found['round'] or 1) - 1}" for found in _MEASURED.finditer(shown)]


def other_out(suite: Suite, draw: random.Random, *, words: tuple[str, ...]) -> Judged:
    """Two runs with a folder each.

    Processes whose timings count as quiet do not overlap.
    """
    quiet = suite.quiet(*words)
    with suite.trying() as one:
        outs = [one.root / "out", one.root / "out2"]
        first = one.start(quiet.words, outs[0])
        time.sleep(draw.uniform(0.0, 0.5))
        second = one.start(quiet.words, outs[1])
        ended = [first.wait(), second.wait()]
        wrong = [f"one of two runs ended with {run.code}" for run in ended if run.code != 0]
        disturbed = overlaps(spans(outs[0]), spans(outs[1]))
        if disturbed:
            wrong.append(f"{disturbed} quiet processes of two runs overlap")
        return Judged(orphans=one.look().leftovers, wrong=tuple(wrong))


def spans(out: Path) -> list[tuple[float, float]]:
    """When the processes began and ended whose timings count.

    Raises SuiteError where nothing is stored.
    """
    contents = [json.loads(path.read_bytes()) for path in (out / "results").glob("*/*/*.json")]
    if not contents:
        raise SuiteError(f"{out} holds no results")
    return [tuple(content["details"]["span"]) for content in contents if content["quiet"] and content["details"]]


def overlaps(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> int:
    """How many pairs of spans share a moment."""
    return sum(a[0] < b[1] and b[0] < a[1] for a, b in itertools.product(one, other))


FAULTS = (
    Fault("same-out", "two runs on the same --out, in containers", partial(same_out, words=CONTAINERS), 0, 20),
    Fault("same-out-current", "two runs on the same --out", partial(same_out, words=CURRENT), 1, 30, engine=False),
    Fault("two-outs", "two runs with an --out each: timed phases", partial(other_out, words=CURRENT), 1, 30, False),
)
