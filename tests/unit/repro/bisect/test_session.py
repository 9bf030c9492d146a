"""``runner bisect`` from the command line to its report."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from runner import cli
from runner.environments import index
from runner.errors import BuildError, Cause, CellError, ImpossibleError, NotMeasuredError, OutageError, UnavailableError
from runner.executors import Prepared
from runner.matrix.plan import Target
from runner.measure import context, places
from runner.model import Custom, Environment
from runner.repro.bisect import along, trials
from runner.repro.bisect.lines import Published
from runner.repro.bisect.question import Answer, Request, State
from runner.repro.bisect.search import Found, Mark
from runner.repro.bisect.searching import Search
from runner.results.store import Store
from runner.util import files, locks, versions
from runner.util.workers import Workers

NO_WHEEL = (
    "  x No solution found when resolving dependencies:\n  ... keras==3.7 has no wheels with a matching Python ABI tag"
)
MISMATCH = "error: Failed to download `keras==3.5.0`\n  cause: Hash mismatch for `keras==3.5.0`"
KILLED = BuildError("uv could not install the environment: no reason given", "")
LOST = OutageError(Cause.NETWORK, "the package index cannot be reached", "check it, then run the same command again")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A whole search, on an executor that runs no processes."""
    (tmp_path / "s.py").write_text("print()")
    return [
        "bisect", "keras", "--good", "3.0.0", "--bad", "3.9.0", "--pin", "jax==0.4.35", "--python", "3.11",
        "--script", str(tmp_path / "s.py"), "--out", str(tmp_path / "out"), "--executor", "docker",
    ]  # fmt: skip


class TestCommandLine:
    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (
                ["--good", "3.9.0", "--bad", "3.8.0"],
                "--good 3.9.0 is newer than --bad 3.8.0: swap them, or find the fix with --find-fix",
            ),
            (
                ["--good", "3.8.0", "--bad", "3.9.0", "--find-fix"],
                "--find-fix: --good 3.8.0 must be the newer one; swap them",
            ),
            (["--good", "3.8.0", "--bad", "3.8"], "--good and --bad are the same release"),
            (
                ["--good", "new", "--bad", "3.8"],
                "'new' is not a release number (example: 2.2.2); commits need --source REPOSITORY",
            ),
        ],
    )
    def test_ends_that_make_no_sense_are_refused(
        self, arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "s.py").touch()
        assert cli.run(["bisect", "keras", "--script", str(tmp_path / "s.py"), *arguments]) == 2
        assert capsys.readouterr().err == f"runner: {why}\n"

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            ([], "either --script FILE or --probe NAME"),
            (["--script", "nowhere.py"], "no such script"),
            (["--probe", "mnits"], "did you mean 'mnist'"),
            (["--probe", "mnist", "--case", "x"], "goes with --pytest, or a probe that tries single cases"),
        ],
    )
    def test_what_is_tested_must_be_there(
        self, arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["bisect", "keras", "--good", "3.8.0", "--bad", "3.9.0", *arguments]) == 2
        assert why in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["--verdict", "broken"], "--verdict is about a figure that the judge compares: name it with --metric"),
            (["--rounds", "10"], "--rounds is about a figure that the judge compares: name it with --metric"),
            (["--metric", "a=(.)", "--metric", "b=(.)"], "--metric is given 2 times: a search is about one figure"),
            (["--metric", "a=(.)", "--repeat", "3"], "--repeat is a vote on runs: with --metric, --rounds says how"),
            (["--pin", "Keras==3.8.0"], "--pin Keras==3.8.0: keras is what moves; a pin holds another package fixed"),
            (["--pin", "keras-nightly"], "--pin keras-nightly: keras is what moves"),
            (["--pin", "keras@nightly"], "--pin keras@nightly: keras is what moves"),
            (["--with", "keras==3.8.0"], "--with keras==3.8.0: keras is what moves; --with adds another package"),
            (["--with", "keras-nightly"], "--with keras-nightly: keras is what moves"),
            (["--python", "3.7"], "--python '3.7': there are 3.8, 3.9, 3.10, 3.11, 3.12, 3.13, 3.14"),
            (["--python", "2.7"], "--python '2.7': there are 3.8, "),
            (["--python", "3.11.2"], "--python '3.11.2': there are 3.8, "),
            (["--source", "../k", "--source", "keras=b"], "--source ../k and --source keras=b: one repository"),
        ],
    )
    def test_an_option_that_means_nothing_for_the_search_is_refused_before_anything_else(
        self, arguments: list[str], words: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run([*arguments, *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"runner: {why}")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("package", "why"),
        [
            ("scipy", "compat.toml names no package with nightly builds of scipy; it does for keras, tensorflow"),
            ("torch", "nightly builds of torch are on another package index; name its address in the table"),
        ],
    )
    def test_a_package_without_nights_is_refused_before_its_releases_are_searched(
        self, package: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "s.py").touch()
        words = ["--good", "1.0.0", "--bad", "2.0.0", "--to", "nightly", "--script", str(tmp_path / "s.py")]
        assert cli.run(["bisect", package, *words]) == 2
        assert f"runner: --to nightly: {why}" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (["--mount", "s.py"], "--mount is"),
            (["--network"], "--network is"),
            (["--disk", "2"], "--disk is"),
            (["--", "x"], "arguments after -- are"),
        ],
    )
    @pytest.mark.parametrize("tested", [["--probe", "hello"], ["--pytest=."]])
    def test_what_only_a_script_has_is_refused_without_one(
        self, tested: list[str], words: list[str], what: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["bisect", "keras", "--good", "3.8.0", "--bad", "3.9.0", *tested, *words]) == 2
        assert capsys.readouterr().err == (f"runner: {what} for a script: give it with --script, or leave it out\n")


class _Executor:
    """Environments are words; remembers what was made."""

    def __init__(self, removed: list[str]) -> None:
        self.made: list[str] = []
        self.removed = removed
        self.broken = ""

    def prepare(self, environment: Environment, _say: object) -> Prepared:
        keras = str(environment.keras)
        if keras == self.broken:
            raise BuildError("no wheel", NO_WHEEL)
        self.made.append(keras)
        return Prepared(environment, keras, packages={"keras": keras, "numpy": "1.26.4"})

    def discard(self, prepared: Prepared) -> None:
        self.removed.append(prepared.reference)


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

    @pytest.fixture(autouse=True)
    def _said(self) -> None:
        self.said: list[str] = []

    @pytest.fixture
    def removed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        gone: list[str] = []

        def place(target: Target, _executor: str) -> places.Place:
            cell = target.cell
            environment = Environment("jax", "0.4.35", cell.keras, "3.11", "cpu", "linux-x86_64")
            return places.Place(cell, environment, "host")

        monkeypatch.setattr(places, "one_place", place)
        self.gone = gone
        return gone

    def _search(self, tmp_path: Path, trial: _FakeTrial, pool: Workers, state: State | None = None) -> Search:
        request = Request(
            "keras", (), "3.0", "3.15", False, Path("s.py"), None, None, (), None, (), None, None, None,
            ("jax==0.4.35",), None, "3.11", "host", 1, False, True, False, False, tmp_path, (),
            (), False, 9.0, None, 1.0,
        )  # fmt: skip
        state = state or State({}, "2026-01-01T00:00:00Z")
        executors: Any = {"host": _Executor(self.gone)}
        work = context.Context(executors, Store(tmp_path), {}, {})
        path = tmp_path / "s.json"
        line = Published("keras", self.RELEASES, "3.11", yanked=True)
        return Search(request, line, "3.11", state, path, trial, work, pool, self.said.append)

    def test_it_ends_on_the_release_and_takes_away_what_it_installed(self, tmp_path: Path, removed: list[str]) -> None:
        with Workers(1, "test") as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=False), pool)
            assert work.run() == Found("3.6", "3.7")
        assert len(trial.tested) == len(set(trial.tested)) <= 6
        made = work.context.executors["host"].made  # type: ignore[attr-defined]
        assert set(made) > set(trial.tested)  # candidates were made ahead
        left = {version for version in made if version not in removed}
        assert left == {"3.0"}  # the oldest, which all are compared with, until the very end
        work.evict("3.0", oldest=True)
        assert removed[-1] == "3.0"

    def test_nothing_is_installed_ahead_of_a_timing(self, tmp_path: Path, removed: list[str]) -> None:
        with Workers(1, "test") as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=True), pool)
            work.run()
        assert sorted(work.context.executors["host"].made) == sorted(trial.tested)  # type: ignore[attr-defined]
        assert "3.0" not in removed

    def test_after_an_interrupt_no_release_is_tested_twice(self, tmp_path: Path, removed: list[str]) -> None:
        with Workers(1, "test") as pool:
            first = _FakeTrial(timed=False, stop_at="3.7")
            with pytest.raises(KeyboardInterrupt):
                self._search(tmp_path, first, pool).run()
            kept = msgspec.json.decode((tmp_path / "s.json").read_bytes(), type=State)
            second = _FakeTrial(timed=False)
            assert self._search(tmp_path, second, pool, kept).run() == Found("3.6", "3.7")
        assert "3.7" in second.tested
        assert not set(first.tested) & set(second.tested)
        assert removed

    def test_every_answer_is_reported_with_what_moved(self, tmp_path: Path, removed: list[str]) -> None:
        with Workers(1, "test") as pool:
            self._search(tmp_path, _FakeTrial(timed=False), pool).run()
        assert self.said[:2] == ["keras 3.0: good", "keras 3.15: bad"]
        assert len(self.said) == 6
        assert removed

    def test_a_candidate_that_will_not_be_tested_is_removed_before_the_next_test(
        self, tmp_path: Path, removed: list[str]
    ) -> None:
        gone_before: dict[str, set[str]] = {}

        class Watched(_FakeTrial):
            def run(self, place: places.Place, *more: object) -> trials.Result:
                gone_before[str(place.cell.keras)] = set(removed)
                pool.wait(60)  # until both candidates are there: one that was not begun is just forgotten
                return super().run(place, *more)

        with Workers(1, "test") as pool:
            self._search(tmp_path, Watched(timed=False), pool).run()
        # 3.7 is bad: of its two candidates, 3.11 goes and 3.3 is tested
        assert "3.11" in gone_before["3.3"]
        assert "3.11" not in gone_before["3.7"]

    def test_with_keep_nothing_is_removed(self, tmp_path: Path, removed: list[str]) -> None:
        with Workers(1, "test") as pool:
            work = self._search(tmp_path, _FakeTrial(timed=False), pool)
            work.request = replace(work.request, keep=True)
            work.run()
            work.evict("3.0", oldest=True)
        assert removed == []

    def test_what_cannot_be_removed_is_said_in_one_line(
        self, tmp_path: Path, removed: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(_executor: object, _prepared: object) -> None:
            raise UnavailableError("the engine is gone")

        monkeypatch.setattr(_Executor, "discard", refuse)
        with Workers(1, "test") as pool:
            assert self._search(tmp_path, _FakeTrial(timed=False), pool).run() == Found("3.6", "3.7")
        notes = [line for line in self.said if line.startswith("note: ")]
        assert notes
        assert all(line.endswith(" was not removed: the engine is gone") for line in notes)
        assert caplog.records == []  # what a callback raises, the future prints with its traceback
        assert removed == []

    def test_a_yanked_release_is_not_tested_unless_it_is_an_end(
        self, tmp_path: Path, removed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(index, "yanked", lambda _p, version, _py: "wrong wheel" if version == "3.7" else "")
        with Workers(1, "test") as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=False), pool)
            work.line = Published("keras", self.RELEASES, "3.11")
            assert work.run() == Found("3.6", "3.8", ("3.7",))
        assert "3.7" not in trial.tested
        assert work.state.answers["3.7"] == Answer(Mark.SKIP, "yanked: wrong wheel")
        assert removed

    def test_an_environment_that_cannot_be_built_is_skipped_with_the_reason(
        self, tmp_path: Path, removed: list[str]
    ) -> None:
        with Workers(1, "test") as pool:
            work = self._search(tmp_path, trial := _FakeTrial(timed=False), pool)
            work.context.executors["host"].broken = "3.7"  # type: ignore[attr-defined]
            assert work.run() == Found("3.6", "3.8", ("3.7",))
        assert "3.7" not in trial.tested
        assert work.state.answers["3.7"] == Answer(Mark.SKIP, "no wheel")
        assert "3.7" not in removed

    def test_others_stay_close_to_the_oldest_environment(
        self, tmp_path: Path, removed: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Target] = []
        one_place = places.one_place

        def watched(target: Target, executor: str) -> places.Place:
            asked.append(target)
            return one_place(target, executor)

        monkeypatch.setattr(places, "one_place", watched)
        with Workers(1, "test") as pool:
            self._search(tmp_path, _FakeTrial(timed=False), pool).run()
        customs = {str(target.cell.keras): target.custom for target in asked}
        assert customs["3.0"] == Custom((), "2026-01-01T00:00:00Z")
        assert customs["3.15"] == Custom((), "2026-01-01T00:00:00Z", ("numpy==1.26.4",))
        assert removed


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten releases of keras, of which 3.4.0 is yanked and 3.9.0rc0 is a prerelease."""
    every = (*(f"3.{minor}.0" for minor in range(9)), "3.9.0rc0", "3.9.0")

    def listed(package: str, _python: str, *, prereleases: bool = False) -> tuple[str, ...]:
        assert package == "keras"
        return tuple(version for version in every if prereleases or "rc" not in version)

    monkeypatch.setattr(index, "published", listed)
    monkeypatch.setattr(index, "yanked", lambda _package, version, _python: "broken" if version == "3.4.0" else "")
    monkeypatch.setattr(
        index,
        "uploaded",
        lambda _package, versions_, _python: {v: f"2024-0{n + 1}-01" for n, v in enumerate(versions_)},
    )


@pytest.fixture
def discarded(fake_executor: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    gone: list[str] = []
    monkeypatch.setattr(fake_executor, "discard", lambda prepared: gone.append(str(prepared.environment.keras)))
    return gone


@pytest.mark.usefixtures("published")
class TestCommand:
    """The whole command, on an executor that runs no processes."""

    @staticmethod
    def _bad_from(fake_executor: Any, first: int) -> None:
        """The script fails from that minor release of keras on."""
        fake_executor.answers = {
            f"*keras-3.{minor}.*": {"exit_code": int(minor >= first), "log": f"it is {minor}\n", "wall_s": 2.0}
            for minor in range(10)
        }

    def test_the_release_is_found_and_reported(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self._bad_from(fake_executor, 7)
        monkeypatch.setattr("sys.argv", ["runner", "bisect", "keras", "--good", "3.0.0", "x y"])
        assert cli.run(arguments) == 0
        shown = capsys.readouterr()
        (written,) = (tmp_path / "out").glob("keras-*.md")
        assert shown.out == written.read_text() + "\n"
        assert shown.out.startswith("## keras 3.7.0 is the first bad release\n")
        assert "- **first bad**: keras 3.7.0 (2024-02-01) - exit code 1: it is 7\n" in shown.out
        assert "- **last good**: keras 3.6.0 (2024-01-01) - it is 6\n" in shown.out
        assert "- **environment**: Python 3.11, jax-0.4.35_keras-3.7.0_py3.11_cpu, containers; numpy 2.0.0" in shown.out
        tested = [environment.split("_")[1] for environment, _, _ in fake_executor.launched]
        assert tested == ["keras-3.0.0", "keras-3.9.0", "keras-3.5.0", "keras-3.7.0", "keras-3.6.0"]
        assert "**tested**: 6 of 10 releases (3 good, 2 bad, 1 could not be tested), 5 of them in this" in shown.out
        assert "```\nrunner bisect keras --good 3.0.0 'x y'\n```" in shown.out
        assert "10 releases of keras, at most 6 tests" in shown.err
        assert sorted(discarded) == sorted({str(environment.keras) for environment in fake_executor.prepared})

    def test_its_answers_are_kept_and_a_second_command_tests_nothing(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._bad_from(fake_executor, 3)
        assert cli.run(arguments) == 0
        ran = len(fake_executor.launched)
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        state = msgspec.json.decode(kept.read_bytes(), type=State)
        assert state.answers["3.0.0"] == Answer(Mark.GOOD, "it is 0", ["good"], [], {"numpy": "2.0.0"}, 2.0)
        assert state.answers["3.9.0"].mark == Mark.BAD
        capsys.readouterr()
        assert cli.run(arguments) == 0
        assert len(fake_executor.launched) == ran
        again = capsys.readouterr()
        assert f"{len(state.answers)} answers from before ({kept})" in again.err
        assert "0 of them in this run" in again.out
        assert cli.run([*arguments, "--fresh"]) == 0
        assert len(fake_executor.launched) == 2 * ran
        assert discarded

    def test_the_script_decides_which_answers_are_meant(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, discarded: list[str]
    ) -> None:
        self._bad_from(fake_executor, 3)
        assert cli.run(arguments) == 0
        (tmp_path / "s.py").write_text("print(1)")
        assert cli.run(arguments) == 0
        assert len(list((tmp_path / "out").glob("keras-*.json"))) == 2
        assert discarded

    def test_releases_that_cannot_be_tested_leave_a_range_and_exit_code_3(
        self, arguments: list[str], fake_executor: Any, discarded: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._bad_from(fake_executor, 4)
        fake_executor.answers["*keras-3.5.*"] = {"exit_code": 125}
        assert cli.run(arguments) == 3
        shown = capsys.readouterr().out
        assert "## keras 3.6.0 is the first bad release" in shown
        assert "- **not tested in between**: 3.4.0, 3.5.0; the change may be in any of them" in shown
        assert "2 could not be tested" in shown
        assert "| 3.4.0 | skip | yanked: broken |  |" in shown
        assert discarded

    def test_ends_without_a_change_are_refused_with_what_each_printed(
        self, arguments: list[str], fake_executor: Any, discarded: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._bad_from(fake_executor, 10)
        assert cli.run(arguments) == 2
        error = capsys.readouterr().err
        assert "3.0.0: good: it is 0\n3.9.0: good: it is 9\n" in error
        assert "runner: both ends are good" in error
        assert sorted(discarded) == sorted(str(environment.keras) for environment in fake_executor.prepared)

    def test_a_fix_is_found(
        self, arguments: list[str], fake_executor: Any, discarded: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._bad_from(fake_executor, 10)
        fake_executor.answers = {"*keras-3.[0-5].*": {"exit_code": 1}, **fake_executor.answers}
        fixed = [{"--good": "--bad", "--bad": "--good"}.get(word, word) for word in arguments]
        assert cli.run([*fixed, "--find-fix"]) == 0
        assert "## keras 3.6.0 is the first good release" in capsys.readouterr().out
        assert discarded

    def test_an_interrupt_keeps_the_answers_and_names_their_file(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._bad_from(fake_executor, 7)
        fake_executor.answers["*keras-3.9.*"] = {"raises": KeyboardInterrupt()}
        assert cli.run(arguments) == 130
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        assert set(msgspec.json.decode(kept.read_bytes(), type=State).answers) == {"3.0.0"}
        assert f"interrupted: the same command continues from {kept}" in capsys.readouterr().err
        assert discarded == []

    def test_without_an_engine_the_default_is_the_host_and_a_note_says_it(
        self,
        arguments: list[str],
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self._bad_from(fake_executor, 7)
        down = type(fake_executor)()
        monkeypatch.setattr(down, "available", lambda: "no engine")
        monkeypatch.setattr("runner.executors.make", lambda name: down if name == "docker" else fake_executor)
        fake_executor.label = "virtual environments"
        assert cli.run([*arguments, "--executor", "auto"]) == 0
        shown = capsys.readouterr()
        assert "note: no engine for containers answers" in shown.err
        assert ", virtual environments; " in shown.out
        assert discarded

    @pytest.mark.parametrize(
        ("executor", "code", "why"),
        [
            ("dokcer", 2, "--executor 'dokcer' (did you mean 'docker'?)"),
            ("docker", 4, "--executor docker: no engine; see `runner doctor`"),
        ],
    )
    def test_an_executor_that_cannot_run_leaves_no_answers(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        executor: str,
        code: int,
        why: str,
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(fake_executor, "available", lambda: "no engine")
            assert cli.run([*arguments, "--executor", executor]) == code
        assert why in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
        self._bad_from(fake_executor, 7)
        assert cli.run(arguments) == 0

    def test_a_file_of_answers_that_is_cut_off_is_refused(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._bad_from(fake_executor, 7)
        assert cli.run(arguments) == 0
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        kept.write_bytes(kept.read_bytes()[:100])
        assert cli.run(arguments) == 2
        assert f"{kept}: is not a whole file of answers" in capsys.readouterr().err
        assert discarded

    def test_an_out_that_cannot_be_used_is_refused(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "out").write_text("")
        assert cli.run(arguments) == 2
        assert f"--out {tmp_path / 'out'}: cannot be used: File exists" in capsys.readouterr().err
        assert fake_executor.launched == []

    def test_a_probe_that_fails_marks_its_release(
        self, arguments: list[str], fake_executor: Any, discarded: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake_executor.answers = {
            f"*keras-3.{minor}.*:conv2d": {"status": "crashed", "reason": "no such layer", "exit_code": 1}
            for minor in range(2, 10)
        }
        cut = arguments.index("--script")
        asked = [*arguments[:cut], *arguments[cut + 2 :], "--probe", "conv2d", "--repeat", "3"]
        assert cli.run(asked) == 0
        assert "- **first bad**: keras 3.2.0 (2024-02-01) - exit code 1: no such layer" in capsys.readouterr().out
        of_good = [launch for launch in fake_executor.launched if "keras-3.0.0" in launch[0]]
        assert [(probe, round_) for _, probe, round_ in of_good] == [("conv2d", 0), ("conv2d", 1)]
        assert discarded

    @staticmethod
    def _tests(arguments: list[str], *words: str) -> list[str]:
        cut = arguments.index("--script")
        return [*arguments[:cut], *arguments[cut + 2 :], *words]

    def test_a_test_of_a_library_is_bisected_in_environments_with_pytest_and_the_library(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        discarded: list[str],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "test_a.py").write_text("")
        name = "tests/test_a.py::test_b"
        fake_executor.answers = {
            f"*keras-3.{minor}.*": {
                "details": {"cases": {name: ["ok" if minor < 6 else "wrong", None, "", "", "off", ""]}}
            }
            for minor in range(10)
        }
        wheel = tmp_path / "tiny-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny.py", "")
            archive.writestr("tiny-1.dist-info/METADATA", "Name: tiny\nVersion: 1\nRequires-Dist: keras>=3\n\n")
        asked = self._tests(arguments, "--pytest", "tests", "--install", str(wheel), "--case", name)
        assert cli.run(asked) == 0
        shown = capsys.readouterr().out
        assert f"- **first bad**: keras 3.6.0 (2024-02-01) - {name}: off" in shown
        assert {one.custom.needs for one in fake_executor.prepared} == {("pytest", "keras>=3")}
        assert {probe for _, probe, _ in fake_executor.launched} == {"suite"}
        (archive_,) = (tmp_path / "out" / "tests").glob("*.tar")
        with tarfile.open(archive_) as packed:
            stream = packed.extractfile("start.txt")
            assert stream is not None
            assert stream.read().decode() == name
            assert "package/tiny.py" in packed.getnames()
        ran = len(fake_executor.launched)
        assert cli.run(asked) == 0
        assert len(fake_executor.launched) == ran  # from the file of answers
        (tmp_path / "tests" / "test_a.py").write_text("changed = 1")
        assert cli.run(asked) == 0
        assert len(fake_executor.launched) == 2 * ran
        assert discarded

    def test_the_figure_of_a_script_is_judged(
        self, arguments: list[str], fake_executor: Any, discarded: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        figure = {"name": "printed.digest", "kind": "exact"}
        fake_executor.answers = {
            f"*keras-3.{minor}.*:script": {"metrics": [{**figure, "value": "a" if minor < 3 else "b"}]}
            for minor in range(10)
        }
        assert cli.run([*arguments, "--metric", r"digest=(\w+) exact"]) == 0
        assert "- **first bad**: keras 3.3.0" in capsys.readouterr().out
        assert {probe for _, probe, _ in fake_executor.launched} == {"script"}
        assert discarded

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (["--pytest", "nope"], "--pytest nope: no such file or folder"),
            (["--pytest"], "no tests to run: name them, as --pytest tests, or in the table [pytest]"),
            (["--probe", "suite"], "the probe 'suite' runs your tests: give them with --pytest"),
            (["--probe", "hello", "--install", "."], "--install goes with --pytest"),
            (["--probe", "hello", "--pytest", "."], "either --script FILE or --probe NAME or --pytest PATH"),
        ],
    )
    @pytest.mark.usefixtures("fake_executor")
    def test_tests_that_cannot_be_bisected_are_one_line(
        self, arguments: list[str], words: list[str], why: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(self._tests(arguments, *words)) == 2
        assert why in capsys.readouterr().err

    @pytest.mark.usefixtures("fake_executor")
    def test_a_python_without_wheels_of_an_end_is_refused_with_those_that_have_them(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments[arguments.index("jax==0.4.35")] = "jax==0.5.0"
        assert cli.run([*arguments, "--python", "3.9"]) == 2
        why = "jax 0.5.0 needs Python >= 3.10, not 3.9; both ends run with Python 3.10 to 3.13"
        assert capsys.readouterr().err.endswith(f"_py3.9_cpu: {why}\n")


@pytest.mark.usefixtures("published", "discarded")
class TestTrouble:
    """What is not about the release ends the command and is asked again."""

    @pytest.fixture(autouse=True)
    def bad_from_7(self, fake_executor: Any) -> None:
        fake_executor.answers = {f"*keras-3.{n}.*": {"exit_code": int(n >= 7), "log": f"{n}"} for n in range(10)}

    @staticmethod
    def _answers(tmp_path: Path) -> dict[str, Answer]:
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        return msgspec.json.decode(kept.read_bytes(), type=State).answers

    def _stops_and_goes_on(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str], mend: Any
    ) -> str:
        """The command ends with 3, and again does all that is left. Returns its one line."""
        assert cli.run(arguments) == 3
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("runner: ")]
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        assert line.startswith("runner: keras 3.5.0 could not be tested: ")
        assert line.endswith(f"; the same command goes on from {kept}")
        assert set(self._answers(tmp_path)) == {"3.0.0", "3.9.0", "3.4.0"}  # 3.4.0 is yanked
        mend()
        fake_executor.launched.clear()
        assert cli.run(arguments) == 0
        assert "keras 3.7.0 is the first bad release" in capsys.readouterr().out
        tested = [cell.split("_")[1] for cell, _, _ in fake_executor.launched]
        assert tested == ["keras-3.5.0", "keras-3.7.0", "keras-3.6.0"]
        return line

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (LOST, "the package index cannot be reached: check it"),
            (KILLED, "uv could not install the environment: no reason given"),
            (BuildError("cannot resolve keras: it broke", "error: it broke"), "cannot resolve keras: it broke"),
            (UnavailableError("the Docker engine refuses:\n busy"), "the Docker engine refuses: busy"),
            (UnavailableError("uv did not resolve keras within 600 s"), "uv did not resolve keras within 600 s"),
            (OSError(28, "No space left on device"), "no space is left on the disk: make room there"),
            (KeyError("x"), "internal error: KeyError: 'x'"),
        ],
    )
    def test_an_environment_that_could_not_be_prepared(
        self,
        error: Exception,
        said: str,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        prepare = fake_executor.prepare

        def fails(environment: Environment, say: Any) -> Prepared:
            if environment.keras == "3.5.0":
                raise error
            made: Prepared = prepare(environment, say)
            return made

        monkeypatch.setattr(fake_executor, "prepare", fails)
        line = self._stops_and_goes_on(
            arguments, tmp_path, fake_executor, capsys, lambda: monkeypatch.setattr(fake_executor, "prepare", prepare)
        )
        assert f"could not be tested: {said}; " in line

    @pytest.mark.parametrize(
        "error",
        [
            UnavailableError("python cannot be started: Exec format error"),
            OutageError(
                Cause.ENGINE, "the Docker engine stopped answering", "start it, then run the same command again"
            ),
            OSError(28, "No space left on device"),
            RuntimeError("what"),
        ],
    )
    def test_a_script_that_could_not_be_run(
        self,
        error: Exception,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        answer = fake_executor.answers["*keras-3.5.*"]
        fake_executor.answers["*keras-3.5.*"] = {"raises": error}
        self._stops_and_goes_on(
            arguments, tmp_path, fake_executor, capsys, lambda: fake_executor.answers.update({"*keras-3.5.*": answer})
        )

    @pytest.mark.parametrize("error", [LOST, UnavailableError("whether it was yanked cannot be asked: killed")])
    def test_an_index_that_does_not_say_whether_a_release_was_yanked(
        self,
        error: CellError,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        yanked = index.yanked

        def lost(_package: str, version: str, _python: str) -> str:
            if version == "3.5.0":
                raise error
            return yanked(_package, version, _python)

        monkeypatch.setattr(index, "yanked", lost)
        self._stops_and_goes_on(
            arguments, tmp_path, fake_executor, capsys, lambda: monkeypatch.setattr(index, "yanked", yanked)
        )

    def test_an_end_is_no_exception(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fake_executor.outage = LOST
        assert cli.run(arguments) == 3
        error = capsys.readouterr().err
        assert "runner: keras 3.0.0 could not be tested: the package index cannot be reached: check it; " in error
        assert error.endswith("; the same command asks it again\n")
        assert not list((tmp_path / "out").glob("*.json"))
        fake_executor.outage = None
        assert cli.run(arguments) == 0

    def test_a_second_search_for_the_same_waits_and_takes_the_answers_of_the_first(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first one's answers appear during the wait."""
        assert cli.run(arguments) == 0
        (path,) = (tmp_path / "out").glob("*.json")
        answers = path.read_bytes()
        path.unlink()

        @contextmanager
        def held(lock: Path, waiting: Callable[[str], None], unlocked: Callable[[str], None]) -> Iterator[bool]:
            assert lock == path.with_suffix(".lock")
            waiting("process 17")
            unlocked("No locks available")
            path.write_bytes(answers)
            yield True

        monkeypatch.setattr(locks, "held", held)
        capsys.readouterr()
        assert cli.run(arguments) == 0
        said = capsys.readouterr()
        assert "waiting for process 17, which searches for the same" in said.err
        assert ", 0 of them in this run" in said.out

    @pytest.mark.parametrize(("before", "fits"), [("abc", True), (None, True), ("other", False), ("", False)])
    def test_answers_found_with_other_data_are_not_mixed(self, tmp_path: Path, before: str | None, fits: bool) -> None:
        """Without a network, synthetic data take the place of what could not be fetched."""
        work: Any = SimpleNamespace(files={"mnist": SimpleNamespace(sha256="abc")})
        state = State({}, "", {"3.0": Answer(Mark.GOOD)}, 2, before)
        if fits:
            assert along._on(state, work, tmp_path).data == "abc"
        else:
            with pytest.raises(NotMeasuredError, match="found with other data"):
                along._on(state, work, tmp_path)
        assert along._on(State({}, "", {}, 2, before), work, tmp_path).data == "abc"

    def test_an_answer_that_cannot_be_saved_is_asked_again(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write = files.write_atomically

        def full(path: Path, content: bytes) -> None:
            if b'"3.5.0"' in content:
                raise OSError(28, "No space left on device")
            write(path, content)

        monkeypatch.setattr(files, "write_atomically", full)
        line = self._stops_and_goes_on(
            arguments,
            tmp_path,
            fake_executor,
            capsys,
            lambda: monkeypatch.setattr(files, "write_atomically", write),
        )
        assert "no space is left on the disk" in line

    def test_a_report_that_cannot_be_saved_ends_with_3(
        self,
        arguments: list[str],
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        write = files.write_atomically

        def full(path: Path, content: bytes) -> None:
            if path.suffix == ".md":
                raise OSError(28, "No space left on device")
            write(path, content)

        monkeypatch.setattr(files, "write_atomically", full)
        assert cli.run(arguments) == 3
        assert (
            "runner: the report cannot be saved: No space left on device; all answers are in" in capsys.readouterr().err
        )

    def test_days_that_cannot_be_asked_for_do_not_hide_the_release(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(*_: object) -> dict[str, str]:
            raise LOST

        monkeypatch.setattr(index, "uploaded", lost)
        assert cli.run(arguments) == 0
        shown = capsys.readouterr()
        assert "- **first bad**: keras 3.7.0 (date unknown)" in shown.out
        assert "note: the days of upload are missing: the package index cannot be reached: check it" in shown.err

    def test_the_list_of_releases_that_cannot_be_had_ends_with_3(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(*_: object, **__: object) -> tuple[str, ...]:
            raise UnavailableError("the releases of keras cannot be listed: killed")

        monkeypatch.setattr(index, "published", lost)
        assert cli.run(arguments) == 3
        assert capsys.readouterr().err == "runner: the releases of keras cannot be listed: killed\n"

    def test_the_oldest_release_is_needed_again_and_its_failure_is_not_that_of_another(
        self,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        prepare = fake_executor.prepare
        fake_executor.answers["*keras-3.5.*"] = {"raises": UnavailableError("no")}
        assert cli.run(arguments) == 3
        del fake_executor.answers["*keras-3.5.*"]

        def gone(environment: Environment, say: Any) -> Prepared:
            if environment.keras == "3.0.0":
                raise BuildError("no wheel", NO_WHEEL)
            made: Prepared = prepare(environment, say)
            return made

        monkeypatch.setattr(fake_executor, "prepare", gone)
        capsys.readouterr()
        assert cli.run(arguments) == 3
        assert "keras 3.5.0 could not be tested: 3.0.0 is needed, too: no wheel; " in capsys.readouterr().err
        assert set(self._answers(tmp_path)) == {"3.0.0", "3.9.0", "3.4.0"}  # 3.4.0 is yanked

    @pytest.mark.parametrize(("failures", "kept"), [(1, False), (2, True)])
    def test_a_hash_mismatch_is_an_answer_once_it_is_found_twice(
        self,
        failures: int,
        kept: bool,
        arguments: list[str],
        tmp_path: Path,
        fake_executor: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        prepare = fake_executor.prepare
        tries: list[str] = []

        def fails(environment: Environment, say: Any) -> Prepared:
            if environment.keras == "3.5.0":
                tries.append("3.5.0")
                if len(tries) <= failures:
                    raise BuildError("hash mismatch", MISMATCH)
            made: Prepared = prepare(environment, say)
            return made

        monkeypatch.setattr(fake_executor, "prepare", fails)
        assert cli.run(arguments) == (3 if kept else 0) or kept
        assert len(tries) == 2
        assert self._answers(tmp_path)["3.5.0"].mark == (Mark.SKIP if kept else Mark.GOOD)

    def test_what_failed_ahead_of_its_test_is_prepared_again(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """3.7.0 is prepared while 3.5.0 is tested. The network is back when its turn comes."""
        prepare = fake_executor.prepare
        failed: list[str] = []

        def fails(environment: Environment, say: Any) -> Prepared:
            if environment.keras == "3.7.0" and not failed:
                failed.append("3.7.0")
                raise LOST
            made: Prepared = prepare(environment, say)
            return made

        monkeypatch.setattr(fake_executor, "prepare", fails)
        assert cli.run(arguments) == 0
        assert failed == ["3.7.0"]
        assert self._answers(tmp_path)["3.7.0"].mark == Mark.BAD

    def test_a_release_that_no_python_of_the_search_can_run_is_an_answer(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_place = places.one_place

        def place(target: Target, executor: str) -> places.Place:
            if target.cell.keras == "3.5.0":
                raise ImpossibleError("keras 3.5.0 needs Python 3.12")
            return one_place(target, executor)

        monkeypatch.setattr(places, "one_place", place)
        assert cli.run(arguments) == 0
        assert self._answers(tmp_path)["3.5.0"] == Answer(Mark.SKIP, "keras 3.5.0 needs Python 3.12")
        assert fake_executor.launched

    def test_skips_of_an_older_release_of_this_program_are_asked_again(
        self, arguments: list[str], tmp_path: Path, fake_executor: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(arguments) == 0
        (kept,) = (tmp_path / "out").glob("keras-*.json")
        state = msgspec.json.decode(kept.read_bytes())
        assert state.pop("format") == 2
        state["answers"] = {
            "3.0.0": {"mark": "good"},
            "3.9.0": {"mark": "skip", "reason": "the package index cannot be reached"},
            "3.4.0": {"mark": "skip", "reason": "yanked: broken"},
        }
        kept.write_bytes(msgspec.json.encode(state))
        fake_executor.launched.clear()
        capsys.readouterr()
        assert cli.run(arguments) == 0
        assert "skipped by an earlier version of this program, asked again: 3.9.0" in capsys.readouterr().err
        tested = [cell.split("_")[1] for cell, _, _ in fake_executor.launched]
        assert tested == ["keras-3.9.0", "keras-3.5.0", "keras-3.7.0", "keras-3.6.0"]
        state["format"] = 3
        kept.write_bytes(msgspec.json.encode(state))
        assert cli.run(arguments) == 2
        assert f"runner: {kept}: its format is 3" in capsys.readouterr().err
