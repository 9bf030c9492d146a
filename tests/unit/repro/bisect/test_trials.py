"""The tests of a release: exit codes, outputs, cases and verdicts become marks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import BuildError, CellError, UnavailableError, UsageError
from runner.executors import Prepared
from runner.matrix import configuration
from runner.measure import places
from runner.measure.context import Context
from runner.model import Better, Cell, Comparison, Environment, Job, Kind, Metric, ProbeSpec, Sample, Status, Verdict
from runner.repro import script
from runner.repro.bisect import trials
from runner.repro.bisect.question import Request
from runner.repro.bisect.search import Mark
from runner.results.store import Store

ENVIRONMENT = Environment("jax", "0.5.0", "3.8", "3.11", "cpu", "linux-x86_64")
CELL = Cell("jax", "0.5.0", "3.5", "3.11", "cpu")
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

    def test_a_case_is_bad_where_any_check_of_it_is(self) -> None:
        assert trials.case_mark(
            {"conv": ["ok"], "conv#jit": ["wrong", "", "", "", "off"], "conv2": ["ok"]}, "conv"
        ) == (
            Mark.BAD,
            "conv#jit: wrong off",
        )
        for status in ("ok", "seen", "unsupported", "unspecified"):
            assert trials.case_mark({"conv": [status, "", "", "", ""]}, "conv")[0] == Mark.GOOD
        assert trials.case_mark({"relu": ["ok"]}, "rellu") == (
            Mark.SKIP,
            "the sweep has no case 'rellu' (did you mean 'relu'?)",
        )

    @pytest.mark.parametrize(
        ("verdict", "mark"),
        [("inconclusive", Mark.SKIP), ("not-comparable", Mark.SKIP), ("no-baseline", Mark.SKIP), ("same", Mark.GOOD),
         ("improved", Mark.GOOD), ("regressed", Mark.BAD), ("broken", Mark.GOOD)],
    )  # fmt: skip
    def test_each_verdict_has_its_mark(self, verdict: str, mark: Mark) -> None:
        judged = Comparison("a", "b", "keras", "mnist", "free.step_s", Verdict(verdict), "1.2x")
        other = replace(judged, metric="other_step_s", verdict=Verdict.SAME)
        assert trials.verdict_mark([other, judged], "step_s", Verdict.REGRESSED) == (
            mark,
            f"free.step_s {verdict}: 1.2x",
        )

    def test_of_samples_only_the_one_metric_stays(self) -> None:
        job = Job(CELL, ENVIRONMENT, ProbeSpec("speed"), 0, 0, "host")
        (found,) = trials.only([self._sample(job, 1.0)], "step_s")
        assert [metric.name for metric in found.metrics] == ["overhead.step_s"]
        (found,) = trials.only([self._sample(job, 1.0)], "import_s")
        assert [metric.name for metric in found.metrics] == ["import_s"]
        with pytest.raises(UsageError, match=r"no metric 'step'; there are: overhead\.step_s, import_s"):
            trials.only([self._sample(job, 1.0)], "step")

    def test_the_rounds_are_interleaved_and_the_first_alternates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[str, int, int]] = []

        def measure(jobs: Sequence[Job], *_: object) -> list[Sample]:
            asked.extend((str(job.cell.keras), job.round, job.seed) for job in jobs)
            return [self._sample(job, 1.0) for job in jobs]

        monkeypatch.setattr(trials, "_measure", measure)
        self._judged("3.5", "3.8")
        assert asked[:6] == [("3.5", 0, 0), ("3.8", 0, 0), ("3.8", 1, 1), ("3.5", 1, 1), ("3.5", 2, 2), ("3.8", 2, 2)]
        assert len(asked) == len(set(asked)) == 40

    @pytest.mark.parametrize(
        ("failing", "verdict", "mark"),
        [("3.8", Verdict.BROKEN, Mark.BAD), ("3.8", Verdict.REGRESSED, Mark.SKIP), ("3.5", Verdict.BROKEN, Mark.SKIP)],
    )
    def test_a_process_that_fails_ends_the_rounds(
        self, failing: str, verdict: Verdict, mark: Mark, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def measure(jobs: Sequence[Job], *_: object) -> list[Sample]:
            samples = [self._sample(job, 1.0) for job in jobs]
            return [
                replace(sample, status=Status.CRASHED, reason="oops", metrics=())
                if sample.cell.keras == failing
                else sample
                for sample in samples
            ]

        monkeypatch.setattr(trials, "_measure", measure)
        result = self._judged("3.5", "3.8", verdict)
        assert (result.mark, result.reason) == (mark, "crashed: oops")

    @pytest.mark.parametrize(
        ("failing", "status", "error"),
        [
            ("3.8", Status.UNAVAILABLE, UnavailableError),
            ("3.5", Status.UNAVAILABLE, UnavailableError),
            ("3.8", Status.BUILD_FAILED, BuildError),
            ("3.5", Status.BUILD_FAILED, UnavailableError),  # says nothing about 3.8
        ],
    )
    def test_a_process_that_could_not_run_is_no_answer(
        self, failing: str, status: Status, error: type[CellError], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def measure(jobs: Sequence[Job], *_: object) -> list[Sample]:
            samples = [self._sample(job, 1.0) for job in jobs]
            lost = {"status": status, "reason": "oops", "log": "all of it"}
            return [replace(s, **lost) if s.cell.keras == failing else s for s in samples]  # type: ignore[arg-type]

        monkeypatch.setattr(trials, "_measure", measure)
        with pytest.raises(error, match=r"^oops$") as caught:
            self._judged("3.5", "3.8", Verdict.BROKEN)
        assert type(caught.value) is error
        assert caught.value.log == "all of it"

    def test_the_oldest_release_is_the_baseline_and_is_not_measured(self) -> None:
        assert self._judged("3.5", "3.5") == trials.Result(Mark.GOOD, "the baseline", [], 0.0)

    def test_a_package_that_is_no_axis_has_no_metric(self) -> None:
        trial = trials.JudgeTrial(ProbeSpec("speed"), "step_s", Verdict.REGRESSED, 20)
        base = places.Place(CELL, ENVIRONMENT, "host")
        place = places.Place(replace(CELL, keras="3.9", version="0.4.35"), ENVIRONMENT, "host")
        with pytest.raises(UsageError, match="a package that is an axis of the cell"):
            trial.run(place, PREPARED, base, _context())

    @staticmethod
    def _judged(base: str, candidate: str, verdict: Verdict = Verdict.REGRESSED) -> trials.Result:
        trial = trials.JudgeTrial(ProbeSpec("speed"), "step_s", verdict, 20)
        old, new = (places.Place(replace(CELL, keras=keras), ENVIRONMENT, "host") for keras in (base, candidate))
        return trial.run(new, PREPARED, old, _context())


class TestScriptTrial:
    @staticmethod
    def _run(monkeypatch: pytest.MonkeyPatch, ran: list[script.Ran], repeat: int) -> trials.Result:
        waiting = list(ran)
        monkeypatch.setattr(script, "run", lambda *_: waiting.pop(0))
        context = replace(_context(), executors={"host": None})  # type: ignore[dict-item]
        trial = trials.ScriptTrial(script.Script(Path("s.py")), None, repeat)
        place = places.Place(CELL, ENVIRONMENT, "host")
        return trial.run(place, PREPARED, place, context)

    def test_one_run_decides_and_its_last_line_is_the_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ran = replace(_ran(0, "first\n\x1b[1mlast\x1b[0m \n\n"), wall_s=2.0)
        assert self._run(monkeypatch, [ran], 1) == trials.Result(Mark.GOOD, "last", ["good"], 2.0)

    def test_the_reason_is_that_of_a_run_with_the_mark_of_the_vote(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bad = [replace(_ran(1), reason=f"exit code {n}", wall_s=1.0) for n in (1, 2)]
        assert self._run(monkeypatch, [_ran(0, "fine"), *bad], 3) == trials.Result(
            Mark.BAD, "flaky: good, bad, bad; exit code 1", ["good", "bad", "bad"], 2.0
        )

    def test_a_tie_cannot_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self._run(monkeypatch, [_ran(0, "fine"), _ran(1)], 2)
        assert (found.mark, found.reason) == (Mark.SKIP, "flaky: good, bad; ")

    def test_a_run_without_an_engine_is_no_answer(self) -> None:
        trial = trials.ScriptTrial(script.Script(Path("s.py")), re.compile("x"), 1)
        with pytest.raises(UnavailableError, match=r"^the engine is gone$"):
            trial.mark(replace(_ran(0, "x"), status=Status.UNAVAILABLE, reason="the engine is gone"))
        assert trial.mark(_ran(125, "x")) == Mark.SKIP

    def test_a_line_that_is_long_is_cut_and_no_line_is_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self._run(monkeypatch, [_ran(0, "y" * 300)], 1).reason == "y" * 200
        assert self._run(monkeypatch, [_ran(0, " \n")], 1).reason == ""


class TestProbeTrial:
    @staticmethod
    def _run(
        monkeypatch: pytest.MonkeyPatch, statuses: list[Status], repeat: int, case: str | None = None
    ) -> tuple[trials.Result, list[tuple[int, int]]]:
        waiting, asked = list(statuses), []

        def measure(jobs: Sequence[Job], *_: object) -> list[Sample]:
            (job,) = jobs
            asked.append((job.round, job.seed))
            status = waiting.pop(0)
            details = {"cases": {"conv": ["wrong", "", "", "", "off"]}}
            return [
                Sample(
                    job.cell, "e", "ops", {}, 0, 0, "host", status, f"it is {status}", (), details=details, wall_s=1.5
                )
            ]

        monkeypatch.setattr(trials, "_measure", measure)
        place = places.Place(CELL, ENVIRONMENT, "host")
        trial = trials.ProbeTrial(ProbeSpec("ops"), case, repeat)
        return trial.run(place, PREPARED, place, _context()), asked

    def test_ok_is_good_and_all_else_that_was_tested_is_bad(self, monkeypatch: pytest.MonkeyPatch) -> None:
        marks = {status: self._run(monkeypatch, [status], 1)[0].mark for status in Status if status.about_cell}
        assert {status for status, mark in marks.items() if mark == Mark.GOOD} == {Status.OK}
        assert set(marks.values()) == {Mark.GOOD, Mark.BAD}

    @pytest.mark.parametrize("status", [status for status in Status if not status.about_cell])
    def test_what_could_not_be_tested_is_no_answer(self, status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
        error = BuildError if status == Status.BUILD_FAILED else UnavailableError
        with pytest.raises(error, match=f"^it is {status}$"):
            self._run(monkeypatch, [Status.OK, status], 3)

    def test_each_run_has_a_round_and_the_vote_has_a_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, asked = self._run(monkeypatch, [Status.OK, Status.CRASHED, Status.CRASHED], 3)
        assert found == trials.Result(Mark.BAD, "it is crashed", ["good", "bad", "bad"], 4.5)
        assert asked == [(0, 0), (1, 1), (2, 2)]

    def test_a_tie_gives_the_first_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, _ = self._run(monkeypatch, [Status.OK, Status.CRASHED], 2)
        assert (found.mark, found.reason) == (Mark.SKIP, "it is ok")

    def test_with_a_case_that_case_decides_where_the_probe_ran(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, _ = self._run(monkeypatch, [Status.OK], 1, "conv")
        assert (found.mark, found.reason) == (Mark.BAD, "conv: wrong off")
        found, _ = self._run(monkeypatch, [Status.CRASHED], 1, "conv")
        assert (found.mark, found.reason) == (Mark.BAD, "it is crashed")


class TestTests:
    """The records of a user's tests become marks."""

    A, B, FILE = "t.py::a", "t.py::b", "t.py (import)"

    def _mark(self, cases: dict[str, str], case: str | None = None, status: Status = Status.OK) -> tuple[Mark, str]:
        records = {name: [word, None, "", "", "why" * (word != "ok"), ""] for name, word in cases.items()}
        sample = Sample(CELL, "e", "suite", {}, 0, 0, "host", status, "the reason", details={"cases": records})
        return trials.tests_mark(sample, case)

    def test_every_test_has_to_pass(self) -> None:
        assert self._mark({self.A: "ok", self.B: "unsupported", self.FILE: "ok"}) == (Mark.GOOD, "")
        assert self._mark({self.A: "ok", self.B: "wrong"}) == (Mark.BAD, "t.py::b: why")
        failed = {self.A: "raises", self.B: "wrong"}
        assert self._mark(failed) == (Mark.BAD, "2 tests fail, the first: t.py::a: why")

    def test_a_file_that_cannot_be_imported_is_bad(self) -> None:
        assert self._mark({self.FILE: "raises"}, self.A) == (Mark.BAD, "t.py (import): why")

    def test_what_is_skipped_or_not_there_cannot_tell(self) -> None:
        assert self._mark({self.A: "unsupported", self.FILE: "ok"}) == (Mark.SKIP, "every test is skipped")
        assert self._mark({}, status=Status.BAD_OUTPUT) == (Mark.SKIP, "the reason")

    def test_of_an_import_the_tests_of_the_file_do_not_count(self) -> None:
        assert self._mark({self.A: "wrong", self.FILE: "ok"}, self.FILE) == (Mark.GOOD, "")

    @pytest.mark.parametrize("status", [Status.CRASHED, Status.IMPORT_FAILED, Status.OOM, Status.TIMEOUT])
    def test_a_cell_in_which_no_test_can_run_is_bad(self, status: Status) -> None:
        assert self._mark({}, status=status) == (Mark.BAD, "the reason")


class TestChoice:
    """The options of the command line choose the trial."""

    REQUEST = Request(
        "keras", ("x",), "3.6.0", "3.9.0", False, None, None, None, (), None, (), None, None, None,
        (), None, None, "host", 2, False, False, False, False, Path("out"), (), ("s.py:d/s.py",), True, 9.0, 1.0, 0.5,
    )  # fmt: skip

    def test_a_script_has_its_arguments_mounts_network_and_limits(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("s.py").touch()
        trial = trials.of(replace(self.REQUEST, script=Path("s.py"), pattern="^a$"))
        assert isinstance(trial, trials.ScriptTrial)
        assert (trial.repeat, trial.timed) == (2, False)
        assert trial.pattern
        assert trial.pattern.search("b\na\nc")  # of several lines each counts
        work = trial.work
        assert (work.path, work.arguments, work.network) == (tmp_path / "s.py", ("x",), True)
        assert work.mounts == ((tmp_path / "s.py", "d/s.py"),)
        limits = work.limits
        assert (limits.timeout_s, limits.memory_bytes, limits.disk_bytes) == (9.0, 10**9, 5 * 10**8)

    def test_a_probe_has_its_settings_and_no_limit_of_disk(self) -> None:
        trial = trials.of(replace(self.REQUEST, probe="mnist", settings=("mnist.epochs=1",)))
        assert isinstance(trial, trials.ProbeTrial)
        assert (trial.spec.name, dict(trial.spec.settings)["epochs"], trial.case) == ("mnist", 1, None)
        assert trial.spec.limits.disk_bytes is None
        assert trial.spec.limits.memory_bytes == 10**9
        assert trial.repeat == 2

    def test_a_probe_has_its_own_time_where_none_is_given(self) -> None:
        given, none = (trials.of(replace(self.REQUEST, probe="ops", timeout_s=one)) for one in (9.0, None))
        assert isinstance(given, trials.ProbeTrial)
        assert isinstance(none, trials.ProbeTrial)
        assert given.spec.limits.timeout_s == 9.0
        assert none.spec.limits.timeout_s == configuration.matrix().probes["ops"].timeout_s != 900.0

    def test_a_case_is_all_that_the_sweep_runs(self) -> None:
        trial = trials.of(replace(self.REQUEST, probe="ops", case="nn.relu#x"))
        assert isinstance(trial, trials.ProbeTrial)
        assert trial.case == "nn.relu#x"
        assert dict(trial.spec.settings)["only"] == r"^nn\.relu\#x$"

    def test_a_probe_of_promises_has_cases_too(self) -> None:
        trial = trials.of(replace(self.REQUEST, probe="saving", case="files[format=h5]"))
        assert isinstance(trial, trials.ProbeTrial)
        assert dict(trial.spec.settings)["only"] == r"^files\[format=h5\]$"

    def test_a_metric_is_judged_and_nothing_is_installed_meanwhile(self) -> None:
        trial = trials.of(replace(self.REQUEST, probe="mnist", metrics=("step_s",), verdict="improved"))
        assert isinstance(trial, trials.JudgeTrial)
        assert (trial.metric, trial.verdict, trial.rounds, trial.timed) == ("step_s", Verdict.IMPROVED, 10, True)

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ({}, "either --script FILE or --probe NAME"),
            ({"script": Path("s.py"), "probe": "mnist"}, "either --script FILE or --probe NAME"),
            ({"script": Path("s.py"), "metrics": ("a=(.*)",)}, "--mount do not go with the --metric of a script"),
            ({"script": Path("s.py"), "case": "a"}, "go with --probe, not with --script"),
            ({"script": Path("s.py"), "settings": ("a",)}, "go with --probe, not with --script"),
            ({"script": Path("s.py"), "pattern": "("}, "--stdout '\\(' is not a regular expression"),
            ({"probe": "mnist", "pattern": "a"}, "--stdout goes with --script"),
            (
                {"probe": "mnist", "case": "a"},
                "--case goes with --pytest, or a probe that tries single cases: ops, callbacks",
            ),
        ],
    )
    def test_options_that_do_not_go_together(self, options: dict[str, Any], why: str) -> None:
        with pytest.raises(UsageError, match=why):
            trials.of(replace(self.REQUEST, **options))
