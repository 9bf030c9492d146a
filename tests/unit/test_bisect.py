"""The search for the release that changed something."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import cli
from runner.errors import UsageError
from runner.executors import Prepared
from runner.matrix.plan import Target
from runner.measure import places
from runner.model import (
    Better,
    Cell,
    Comparison,
    Environment,
    Job,
    Kind,
    Metric,
    ProbeSpec,
    Sample,
    Status,
    Verdict,
)
from runner.repro import script
from runner.repro.bisect import session, trials
from runner.repro.bisect.search import Ask, Found, Mark, Refused, Step, ahead, step, vote
from runner.util import versions

ENVIRONMENT = Environment("jax", "0.5.0", "3.8", "3.11", "cpu", "linux-x86_64")
PREPARED = Prepared(ENVIRONMENT, "python")


def _search(truth: list[Mark], *, find_fix: bool = False) -> tuple[Step, list[str]]:
    releases = [f"1.{n}" for n in range(len(truth))]
    answers: dict[str, Mark] = {}
    asked: list[str] = []
    while isinstance(after := step(releases, answers, find_fix=find_fix), Ask):
        assert after.version not in asked
        asked.append(after.version)
        answers[after.version] = truth[releases.index(after.version)]
    return after, asked


@given(st.integers(2, 300), st.data(), st.booleans())
def test_the_first_new_release_is_found_in_few_runs(n: int, data: st.DataObject, find_fix: bool) -> None:
    first_new = data.draw(st.integers(1, n - 1))
    old, new = (Mark.BAD, Mark.GOOD) if find_fix else (Mark.GOOD, Mark.BAD)
    found, asked = _search([old] * first_new + [new] * (n - first_new), find_fix=find_fix)
    assert found == Found(f"1.{first_new - 1}", f"1.{first_new}")
    assert len(asked) <= math.ceil(math.log2(n)) + 2


@given(st.integers(3, 60), st.data())
def test_releases_that_cannot_be_tested_are_stepped_around(n: int, data: st.DataObject) -> None:
    first_new = data.draw(st.integers(1, n - 1))
    truth = [Mark.GOOD] * first_new + [Mark.BAD] * (n - first_new)
    for skipped in data.draw(st.sets(st.integers(1, n - 2))):
        truth[skipped] = Mark.SKIP
    found, _ = _search(truth)
    assert isinstance(found, Found)
    suspects = [*found.between, found.first_new]
    assert f"1.{first_new}" in suspects
    assert all(truth[int(one.split(".")[1])] == Mark.SKIP for one in found.between)


@given(st.lists(st.sampled_from(Mark), min_size=2, max_size=40))
def test_whatever_the_answers_the_search_ends_at_a_change(truth: list[Mark]) -> None:
    found, asked = _search(truth)
    assert len(asked) <= len(truth)
    if isinstance(found, Found):
        assert truth[int(found.last_old.split(".")[1])] == Mark.GOOD
        assert truth[int(found.first_new.split(".")[1])] == Mark.BAD
    else:
        assert (truth[0], truth[-1]) != (Mark.GOOD, Mark.BAD)


@pytest.mark.parametrize(
    ("truth", "why"),
    [
        ([Mark.GOOD, Mark.GOOD], "both ends are good"),
        ([Mark.BAD, Mark.BAD], "both ends are bad"),
        ([Mark.BAD, Mark.GOOD], "other way round"),
        ([Mark.SKIP, Mark.BAD], "1.0 cannot be tested"),
        ([Mark.GOOD, Mark.SKIP], "1.1 cannot be tested"),
    ],
)
def test_ends_that_enclose_no_change_are_refused(truth: list[Mark], why: str) -> None:
    found, asked = _search(truth)
    assert isinstance(found, Refused)
    assert why in found.reason
    assert len(asked) == 2


def test_both_next_candidates_are_known_while_one_is_tested() -> None:
    releases = [f"1.{n}" for n in range(9)]
    answers = {"1.0": Mark.GOOD, "1.8": Mark.BAD}
    assert step(releases, answers) == Ask("1.4")
    assert set(ahead(releases, answers, "1.4")) == {"1.2", "1.6"}


@pytest.mark.parametrize(
    ("marks", "repeat", "result"),
    [
        ([], 1, None),
        ([Mark.GOOD], 1, Mark.GOOD),
        ([Mark.GOOD], 3, None),
        ([Mark.GOOD, Mark.GOOD], 3, Mark.GOOD),
        ([Mark.GOOD, Mark.BAD], 3, None),
        ([Mark.GOOD, Mark.BAD, Mark.BAD], 3, Mark.BAD),
        ([Mark.GOOD, Mark.BAD], 2, Mark.SKIP),
        ([Mark.SKIP], 3, Mark.SKIP),
    ],
)
def test_a_flaky_release_is_voted_on(marks: list[Mark], repeat: int, result: Mark | None) -> None:
    assert vote(marks, repeat) == result


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
        trial = trials.JudgeTrial(ProbeSpec("speed"), {}, "step_s", Verdict.REGRESSED, 20)
        base, place = (places.Place(Cell("jax", "0.5.0", k, "3.11", "cpu"), ENVIRONMENT, "host") for k in steps)
        result = trial.run(place, PREPARED, base, {})
        assert (result.mark, result.reason.split(":")[0]) == (Mark.BAD, "overhead.step_s regressed")
        assert sum(measured) < 40
        measured.clear()
        steps["3.8"] = 1.05
        assert trial.run(place, PREPARED, base, {}).mark in (Mark.SKIP, Mark.GOOD)
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


class TestCommandLine:
    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--good", "3.9.0", "--bad", "3.8.0"], "swap them"),
            (["--good", "3.8.0", "--bad", "3.9.0", "--find-fix"], "must be the newer"),
            (["--good", "3.8.0", "--bad", "3.8"], "the same release"),
            (["--good", "new", "--bad", "3.8"], "no release number"),
        ],
    )
    def test_ends_that_make_no_sense_are_refused(
        self, arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "s.py").touch()
        assert cli.run(["bisect", "keras", "--script", str(tmp_path / "s.py"), *arguments]) == 2
        assert why in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            ([], "either --script FILE or --probe NAME"),
            (["--script", "nowhere.py"], "no such script"),
            (["--probe", "mnits"], "did you mean 'mnist'"),
            (["--probe", "mnist", "--case", "x"], "goes with --probe ops"),
        ],
    )
    def test_what_is_tested_must_be_there(
        self, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["bisect", "keras", "--good", "3.8.0", "--bad", "3.9.0", *arguments]) == 2
        assert why in capsys.readouterr().err

    def test_what_moved_leaves_out_the_package_itself(self) -> None:
        base = {"jax": "0.4.35", "jaxlib": "0.4.35", "numpy": "1.26.4", "old": "1"}
        now = {"jax": "0.5.0", "jaxlib": "0.5.0", "numpy": "2.0.0"}
        assert session.moved(base, now, "jax") == ["numpy 1.26.4 -> 2.0.0", "old 1 -> none"]


def _ran(code: int, output: str = "") -> script.Ran:
    return script.Ran("c", Status.OK if code == 0 else Status.CRASHED, code, "", output)


class _Executor:
    """Environments are words; remembers what was made."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def prepare(self, environment: Environment, _say: object) -> Prepared:
        self.made.append(str(environment.keras))
        return Prepared(environment, str(environment.keras), packages={"keras": str(environment.keras)})


class _FakeTrial:
    """Bad from 3.7 on. Looks at what is installed while it runs."""

    def __init__(self, *, timed: bool, stop_at: str = "") -> None:
        self.timed = timed
        self.stop_at = stop_at
        self.tested: list[str] = []

    def run(self, place: places.Place, *_: object) -> trials.Result:
        version = str(place.cell.keras)
        if version == self.stop_at:
            raise KeyboardInterrupt
        self.tested.append(version)
        bad = versions.order(version) >= versions.order("3.7")
        return trials.Result(Mark.BAD if bad else Mark.GOOD, "", [], 0.1)


class TestSearch:
    """The search at work, on environments that are words."""

    RELEASES = tuple(f"3.{minor}" for minor in range(16))

    @pytest.fixture
    def removed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        gone: list[str] = []

        def place(target: Target, _executor: str) -> places.Place:
            cell = target.cell
            environment = Environment("jax", "0.4.35", cell.keras, "3.11", "cpu", "linux-x86_64")
            return places.Place(cell, environment, "host")

        monkeypatch.setattr(places, "one_place", place)
        monkeypatch.setattr(session, "evict", lambda _place, prepared: gone.append(prepared.reference))
        return gone

    def _search(
        self, tmp_path: Path, trial: _FakeTrial, pool: ThreadPoolExecutor, state: session.State | None = None
    ) -> session._Search:
        request = session.Request(
            "keras", (), "3.0", "3.15", False, Path("s.py"), None, None, (), None, None, "regressed", 10, None,
            ("jax==0.4.35",), None, "3.11", "host", 1, False, True, False, False, tmp_path, (),
            (), False, 9.0, None, 1.0,
        )  # fmt: skip
        state = state or session.State({}, "2026-01-01T00:00:00Z")
        executors: dict[str, Any] = {"host": _Executor()}
        return session._Search(request, self.RELEASES, "3.11", state, tmp_path / "s.json", trial, executors, pool)

    def test_it_ends_on_the_release_and_takes_away_what_it_installed(self, tmp_path: Path, removed: list[str]) -> None:
        with ThreadPoolExecutor(1) as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=False), pool)
            assert work.run() == Found("3.6", "3.7")
        assert len(trial.tested) == len(set(trial.tested)) <= 6
        made = work.executors["host"].made  # type: ignore[attr-defined]
        assert set(made) > set(trial.tested)  # candidates were made ahead
        left = {version for version in made if version not in removed}
        assert left == {"3.0"}  # the oldest, which all are compared with, until the very end
        work.evict("3.0", oldest=True)
        assert removed[-1] == "3.0"

    def test_nothing_is_installed_ahead_of_a_timing(self, tmp_path: Path, removed: list[str]) -> None:
        with ThreadPoolExecutor(1) as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=True), pool)
            work.run()
        assert sorted(work.executors["host"].made) == sorted(trial.tested)  # type: ignore[attr-defined]
        assert "3.0" not in removed

    def test_after_an_interrupt_no_release_is_tested_twice(self, tmp_path: Path, removed: list[str]) -> None:
        with ThreadPoolExecutor(1) as pool:
            first = _FakeTrial(timed=False, stop_at="3.7")
            with pytest.raises(KeyboardInterrupt):
                self._search(tmp_path, first, pool).run()
            kept = msgspec.json.decode((tmp_path / "s.json").read_bytes(), type=session.State)
            second = _FakeTrial(timed=False)
            assert self._search(tmp_path, second, pool, kept).run() == Found("3.6", "3.7")
        assert "3.7" in second.tested
        assert not set(first.tested) & set(second.tested)
        assert removed
