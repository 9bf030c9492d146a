"""The tests of a release: exit codes, outputs, cases and verdicts become marks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.executors import Prepared
from runner.measure import places
from runner.measure.context import Context
from runner.model import Better, Cell, Comparison, Environment, Job, Kind, Metric, ProbeSpec, Sample, Status, Verdict
from runner.repro import script
from runner.repro.bisect import trials
from runner.repro.bisect.search import Mark
from runner.results.store import Store

ENVIRONMENT = Environment("jax", "0.5.0", "3.8", "3.11", "cpu", "linux-x86_64")
PREPARED = Prepared(ENVIRONMENT, "python")


def _context() -> Context:
    """A context without executors: nothing may be run with it."""
    return Context({}, Store(Path("nowhere")), {}, {})


def _ran(code: int, output: str = "") -> script.Ran:
    return script.Ran("c", Status.OK if code == 0 else Status.CRASHED, code, "", output)


class TestTrials:
    def test_exit_codes_mean_what_they_mean_to_git_bisect(self) -> None:
        trial = trials.ScriptTrial(script.Script(Path("s.py")), None, 1)
        marks = [trial.mark(_ran(code)) for code in (0, 1, 125, 139)]
        assert marks == [Mark.GOOD, Mark.BAD, Mark.SKIP, Mark.BAD]

    def test_with_a_pattern_the_output_decides(self) -> None:
        trial = trials.ScriptTrial(script.Script(Path("s.py")), re.compile(r"acc=0\.9"), 1)
        assert trial.mark(_ran(1, "acc=0.93")) == Mark.GOOD
        assert trial.mark(_ran(0, "acc=0.83")) == Mark.BAD

    def test_the_judges_word_decides_on_a_metric(self) -> None:
        def judged(verdict: Verdict) -> list[Comparison]:
            return [Comparison("a", "b", "keras", "mnist", "free.step_s", verdict, "1.2x")]

        told = [trials.verdict_mark(judged(v), "step_s", Verdict.REGRESSED)[0] for v in Verdict]
        assert told[list(Verdict).index(Verdict.REGRESSED)] == Mark.BAD
        assert told[list(Verdict).index(Verdict.SAME)] == Mark.GOOD
        assert told[list(Verdict).index(Verdict.INCONCLUSIVE)] == Mark.SKIP

    def test_a_metric_there_is_none_of_is_refused_with_the_nearest(self) -> None:
        comparison = Comparison("a", "b", "keras", "mnist", "free.step_s", Verdict.SAME, "")
        with pytest.raises(UsageError, match=r"did you mean 'free\.step_s'"):
            trials.verdict_mark([comparison], "fre.stepp_s", Verdict.REGRESSED)

    def test_the_judge_is_given_no_more_rounds_than_it_asks_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A large change is decided at the first look; what is undecided goes on to the last."""
        steps = {"3.5": 1.0, "3.8": 1.5}
        measured: list[int] = []

        def measure(jobs: Sequence[Job], *_: object) -> list[Sample]:
            measured.append(len(jobs))
            return [self._sample(job, steps[str(job.cell.keras)]) for job in jobs]

        monkeypatch.setattr(trials, "_measure", measure)
        trial = trials.JudgeTrial(ProbeSpec("speed"), "step_s", Verdict.REGRESSED, 20)
        base, place = (places.Place(Cell("jax", "0.5.0", k, "3.11", "cpu"), ENVIRONMENT, "host") for k in steps)
        result = trial.run(place, PREPARED, base, _context())
        assert (result.mark, result.reason.split(":")[0]) == (Mark.BAD, "overhead.step_s regressed")
        assert sum(measured) < 40
        measured.clear()
        steps["3.8"] = 1.05
        assert trial.run(place, PREPARED, base, _context()).mark in (Mark.SKIP, Mark.GOOD)
        assert sum(measured) > 16

    @staticmethod
    def _sample(job: Job, step_s: float) -> Sample:
        noise = 1 + 0.04 * math.sin(7 * job.round + 3 * (job.cell.keras == "3.8"))
        figures = {"overhead.step_s": step_s * noise, "import_s": 3.0 * noise}
        metrics = tuple(Metric(name, value, Kind.TIMING, Better.LOWER, "s") for name, value in figures.items())
        return Sample(job.cell, "e", "speed", {}, job.round, job.seed, "host", Status.OK, "", metrics)

    def test_one_case_of_a_sweep_decides(self) -> None:
        cases = {"relu": ["ok"], "conv": ["wrong", "", "", "", "off by one"], "conv#jit": ["ok"]}
        assert trials.case_mark(cases, "relu") == (Mark.GOOD, "")
        assert trials.case_mark(cases, "conv")[0] == Mark.BAD
        assert trials.case_mark(cases, "rellu")[0] == Mark.SKIP
