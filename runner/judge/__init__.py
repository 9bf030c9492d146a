"""Samples -> verdicts.

Pure: nothing here runs, reads or writes anything but expectations.toml.

``pairs`` says what is compared with what, ``judge`` gives each comparison its verdict, ``more_rounds`` which cells
are worth measuring again, ``exit_code`` the exit code of the run. NumPy is imported when timings are judged.
"""

from __future__ import annotations

from runner.judge.conclusion import RoundPlan, exit_code, more_rounds, with_unread
from runner.judge.expectations import Expectation
from runner.judge.pairing import Pair, pairs
from runner.judge.settings import JudgeSettings
from runner.judge.verdicts import judge

__all__ = [
    "Expectation",
    "JudgeSettings",
    "Pair",
    "RoundPlan",
    "exit_code",
    "judge",
    "more_rounds",
    "pairs",
    "with_unread",
]
