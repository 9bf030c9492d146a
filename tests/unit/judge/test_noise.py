"""The judge's error rates and power on processes that were really run (see bench/judge)."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report
import simulate as sim

from runner.judge import JudgeSettings
from runner.judge.timing import judge_timings
from runner.model import Verdict

BENCH = Path(__file__).parents[3] / "bench" / "judge"
ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)
FIXED = JudgeSettings(sequential=False)
LOOKS = JudgeSettings()


@pytest.fixture(scope="module")
def recordings() -> list[Any]:
    found = [recording for path in sorted(BENCH.glob("*.csv")) for recording in sim.recordings(path)]
    assert found
    return found


@pytest.fixture(scope="module")
def quiet(recordings: list[Any]) -> list[Any]:
    """The same, shrunk where other work on the machine made more noise than any judge could see a change in."""
    return [report.quieted(recording, report.FOR_POWER) for recording in recordings]


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(7)


def windows(recordings: list[Any], draws: int, draw: np.random.Generator) -> list[Any]:
    return list(report.mixed(recordings, draws, draw))


def test_enough_was_recorded(recordings: list[Any]) -> None:
    workloads = {recording.name.rsplit(".", 1)[0] for recording in recordings}
    assert len(workloads) >= 2
    assert all(len(recording.logs) >= 300 for recording in recordings)


def test_a_cell_compared_with_itself_raises_no_alarm(recordings: list[Any], draw: np.random.Generator) -> None:
    judged = [judge_timings([sim.paired(d)], FIXED)[0].verdict for d in windows(recordings, 1000, draw)]
    assert len(judged) == 1000
    assert sum(v in ALARMS for v in judged) <= 0.005 * 1000


def test_nor_does_it_with_several_looks(recordings: list[Any], draw: np.random.Generator) -> None:
    judged = [sim.sequential(d, LOOKS).verdict for d in windows(recordings, 1000, draw)]
    assert len(judged) == 1000
    assert sum(v in ALARMS for v in judged) <= 0.005 * 1000


def test_nor_does_a_matrix_of_fifty(recordings: list[Any], draw: np.random.Generator) -> None:
    alarms = 0
    for _ in range(400):
        judged = judge_timings([sim.paired(d) for d in windows(recordings, 50, draw)], FIXED)
        alarms += any(j.verdict in ALARMS for j in judged)
    assert alarms <= 0.05 * 400


@pytest.mark.parametrize("slope", [0.0, 0.002, 0.01, 0.05])
def test_blocks_on_a_drifting_host_are_inconclusive(
    recordings: list[Any], draw: np.random.Generator, slope: float
) -> None:
    for recording in recordings:
        for _ in range(5):
            (found,) = sim.timings(sim.blocks(recording, 20, draw, slope), FIXED)
            assert found.verdict == Verdict.INCONCLUSIVE


def test_different_hosts_get_no_verdict(recordings: list[Any], draw: np.random.Generator) -> None:
    for recording in recordings:
        samples = [replace(s, fingerprint={"host": s.cell.id}) for s in sim.blocks(recording, 20, draw)]
        (found,) = sim.timings(samples, FIXED)
        assert found.verdict == Verdict.NOT_COMPARABLE


def test_the_early_looks_raise_next_to_no_alarm(recordings: list[Any], draw: np.random.Generator) -> None:
    early = len(LOOKS.early_looks)
    ends = [one[:early] for recording in recordings for _ in range(2) for one in report.alarms(recording, 50, draw)]
    assert (early, len(ends)) == (3, 100 * len(recordings))
    assert sum(any(one) for one in ends) <= 0.0005 * len(ends)


@pytest.mark.parametrize("case", [case for case in report.LARGE if case.promised], ids=lambda case: str(case.what))
def test_large_changes_are_found_early(quiet: list[Any], draw: np.random.Generator, case: Any) -> None:
    found = [case.found(recording, draw) for recording in quiet for _ in range(25)]
    assert sum(found) >= case.promised * len(found) - 2 * np.sqrt(len(found) * case.promised * (1 - case.promised))


@pytest.mark.parametrize(("change", "least"), [(0.1, 0.97), (0.2, 0.995), (-0.1, 0.97)])
@pytest.mark.parametrize("settings", [FIXED, LOOKS], ids=["20 rounds", "looks"])
def test_changes_are_found_and_never_called_the_same(
    quiet: list[Any], draw: np.random.Generator, settings: JudgeSettings, change: float, least: float
) -> None:
    shifted = [d + np.log1p(change) for d in windows(quiet, 1800, draw)]
    ends = [sim.sequential(d, settings) for d in shifted]
    wanted = Verdict.REGRESSED if change > 0 else Verdict.IMPROVED
    assert sum(end.verdict == wanted for end in ends) >= least * len(ends)
    assert not any(end.verdict == Verdict.SAME for end in ends)
    assert max(end.rounds for end in ends) <= 20


def test_looking_saves_two_fifths_of_the_processes(recordings: list[Any], draw: np.random.Generator) -> None:
    spent = []
    for recording in (report.quieted(recording, report.FOR_SAVINGS) for recording in recordings):
        cost = sim.matrix(recording, {3: 0.1, 30: 0.2}, 50, LOOKS, draw)
        spent.append(cost.processes / (51 * 20))
        assert {name for name, verdict in cost.verdicts.items() if verdict in ALARMS} <= {"c3", "c30"}
    assert 1 - np.mean(spent) >= 0.4


def test_judging_takes_time_in_proportion_to_the_comparisons(draw: np.random.Generator) -> None:
    """A ratio of this thread's CPU times; ``bench/judge/report.py`` has the seconds."""
    names = [f"m{i}" for i in range(100)]

    def seconds(cells: int) -> float:
        samples = [
            sim.sample(f"c{cell}", r, dict(zip(names, np.exp(draw.normal(0, 0.03, 100)).tolist(), strict=True)))
            for r in range(20)
            for cell in range(cells + 1)
        ]
        began = time.thread_time()
        found = sim.timings(samples, FIXED)
        took = time.thread_time() - began
        assert len(found) == 100 * cells
        return took

    assert seconds(50) < 40 * min(seconds(5) for _ in range(3))
