"""A request for a share, which tests change."""

from __future__ import annotations

from runner.cluster.request import Request
from runner.judge.rules import Rules
from runner.matrix import plan
from runner.model import Cell, ProbeSpec

CELL = Cell("torch", "2.2.2", "3.8.0", "3.11", "cpu")
PLAIN = Request(
    cells=(CELL,),
    wanted=plan.Selection((ProbeSpec("hello"),), rounds=2, seed=3),
    most=0,
    budget_s=None,
    unlimited=False,
    rules=Rules("quick"),
    apart=True,
    jobs=1,
    builds=2,
    data={},
    folder=".",
    project={},
    locks={},
    wheels={},
    pull_from="",
)
