"""Runs probes that misbehave: processes, output, deep folders, gigabytes."""

from __future__ import annotations

import random
from functools import partial

from judged import Judged
from tries import Fault, Suite

_CODES = (0, 1, 3, 4)
"""A probe that misbehaves may fail its own cell (1)."""
COUNTS = {"forks": 3000, "prints": 2000, "folders": 3000, "writes": 3000, "stops": 1}
MOST_S = 75.0
"""The probe's own limit of time is 30 s."""


def hostile(suite: Suite, _draw: random.Random, *, how: str, executor: str) -> Judged:
    """Run a probe that misbehaves in one cell.

    Nothing of it is left, and other cells are measured.
    """
    only = ("--only", "tiny-1.0_*") if executor == "docker" else ()
    words = (
        "matrix", "--set", "faults", "--offline", "--out", "{out}", "--rounds", "1", "--executor", executor, *only,
        "--probe", "hostile", "--probe", "pace",
        "--setting", f"hostile.how={how}", "--setting", f"hostile.count={COUNTS[how]}",
    )  # fmt: skip
    with suite.trying() as one:
        ended = one.run(words)
        world = one.look()
        wrong = [f"the run ended with {ended.code}"] if ended.code not in _CODES else []
        wrong += [f"the run took {ended.seconds:.0f} s"] if ended.seconds > MOST_S else []
        # a traceback may be the probe's own, which a report shows
        wrong += ["the run printed 'internal error'"] if "internal error" in ended.shown else []
        statuses = {saved.job.split()[1]: saved.status for saved in world.results.values() if saved.whole}
        if statuses.get("pace") != "ok":
            wrong.append(f"the probe next to it is {statuses.get('pace', 'not stored')}")
        if "hostile" not in statuses:
            wrong.append("the probe itself has no result")
        if how == "writes" and statuses.get("hostile") == "ok":
            wrong.append(f"it wrote {COUNTS[how]} MB, and nothing stopped it")
        return Judged(wrong=tuple(wrong), orphans=world.leftovers)


FAULTS = tuple(
    Fault(f"{how}-{executor}", f"a probe that {text}, with --executor {executor}",
          partial(hostile, how=how, executor=executor), int(executor == "current" and how in ("forks", "folders")), 2,
          engine=executor == "docker")
    for executor in ("current", "docker")
    for how, text in (
        ("forks", "starts 3,000 processes"), ("prints", "prints 130 MB"), ("folders", "makes 3,000 nested folders"),
        ("writes", "writes 3 GB"), ("stops", "stops itself"),
    )
)  # fmt: skip
