"""A search among commits, with builds that are only counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import sources
from runner.environments import wheels
from runner.errors import (
    BuildError,
    Cause,
    CellError,
    NotMeasuredError,
    OutageError,
    SourceError,
    UnbuildableError,
    UsageError,
)
from runner.executors import Prepared
from runner.matrix.plan import Target
from runner.measure import context, places
from runner.model import Environment
from runner.repro.bisect import lines, trials
from runner.repro.bisect.lines import Commits
from runner.repro.bisect.question import Request, State
from runner.repro.bisect.search import Found, Mark, Refused
from runner.repro.bisect.searching import Budget, Search
from runner.results.store import Store
from runner.sources.history import Commit, History
from runner.util import outage
from runner.util.workers import Workers

LOST = OutageError(Cause.NETWORK, "the package index cannot be reached", "check it, then run the same command again")


@dataclass
class Repository:
    """Commits that are numbers; counts their builds."""

    count: int
    first_new: int
    unbuildable: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()
    """The script cannot tell (125)."""
    built: list[int] = field(default_factory=list)
    tested: list[int] = field(default_factory=list)
    content: Callable[[int], str] = str
    trouble: dict[int, CellError] = field(default_factory=dict)

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(f"{number:012x}" for number in range(self.count))

    def line(self) -> Commits:
        made = _Counted("keras", self.points, History("../keras", Path()), "host", lambda _: None)
        made.repository = self
        return made

    # the trial's side
    timed = False

    def run(self, place: places.Place, *_: object) -> trials.Result:
        number = int(str(place.cell.keras).partition("+g")[2], 16)
        self.tested.append(number)
        if number in self.skipped:
            return trials.Result(Mark.SKIP, "exit code 125", [], 0.1)
        return trials.Result(Mark.BAD if number >= self.first_new else Mark.GOOD, "", [], 0.1)


@dataclass
class _Counted(Commits):
    """Builds of that repository."""

    repository: Repository | None = None

    def version(self, point: str) -> str:
        assert self.repository is not None
        number = int(point, 16)
        if number in self.repository.trouble:
            raise self.repository.trouble[number]
        if number not in self.repository.built:
            self.repository.built.append(number)
        if number in self.repository.unbuildable:
            raise UnbuildableError("its build failed: SyntaxError")
        return f"3.16.0+g{point}"

    def content(self, point: str) -> str:
        assert self.repository is not None
        self.version(point)
        return self.repository.content(int(point, 16))


class _Executor:
    def prepare(self, environment: Environment, _say: object) -> Prepared:
        return Prepared(environment, str(environment.keras), packages={"keras": str(environment.keras)})

    def discard(self, _prepared: Prepared) -> None:
        """Nothing was made."""


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    def place(target: Target, _executor: str) -> places.Place:
        environment = Environment("jax", "0.4.35", target.cell.keras, "3.11", "cpu", "linux-x86_64")
        return places.Place(target.cell, environment, "host")

    monkeypatch.setattr(places, "one_place", place)


@contextmanager
def search(
    repository: Repository, folder: Path, state: State | None = None, budget_s: float = math.inf, *, fix: bool = False
) -> Iterator[Search]:
    request = Request(
        "keras", (), "a", "b", fix, Path("s.py"), None, None, (), None, (), None, None, None,
        ("jax==0.4.35",), None, "3.11", "host", 1, False, False, False, False, folder, (), (), False, 9.0, None, 1.0,
    )  # fmt: skip
    executors: Any = {"host": _Executor()}
    there = context.Context(executors, Store(folder), {}, {})
    state = state or State({}, "2026-01-01T00:00:00Z", format=2)
    with Workers(1, "test") as pool:
        yield Search(
            request, repository.line(), "3.11", state, folder / "s.json", repository, there, pool, lambda _: None,
            Budget(budget_s),
        )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 120), st.data())
def test_no_search_builds_more_than_log2_and_two_commits(tmp_path: Path, n: int, data: st.DataObject) -> None:
    repository = Repository(n, data.draw(st.integers(1, n - 1)))
    with search(repository, tmp_path) as work:
        found = work.run()
    assert found == Found(repository.points[repository.first_new - 1], repository.points[repository.first_new])
    assert len(repository.built) <= math.ceil(math.log2(n)) + 2
    assert sorted(repository.tested) == sorted(set(repository.tested)) == sorted(repository.built)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(3, 40), st.data())
def test_commits_that_do_not_build_or_cannot_tell_leave_suspects(tmp_path: Path, n: int, data: st.DataObject) -> None:
    broken = data.draw(st.sets(st.integers(1, n - 2)))
    silent = data.draw(st.sets(st.integers(1, n - 2)))
    repository = Repository(n, data.draw(st.integers(1, n - 1)), frozenset(broken), frozenset(silent))
    with search(repository, tmp_path) as work:
        found = work.run()
    assert isinstance(found, Found)
    suspects = [int(point, 16) for point in (*found.between, found.first_new)]
    assert repository.first_new in suspects
    assert set(suspects[:-1]) <= broken | silent
    assert not broken & set(repository.tested)


def test_a_commit_with_the_files_of_another_one_shares_its_answer(tmp_path: Path) -> None:
    repository = Repository(9, 5, content=lambda number: "new" if number >= 5 else "old")
    with search(repository, tmp_path) as work:
        assert work.run() == Found(repository.points[4], repository.points[5])
    assert repository.tested == [0, 8]
    assert len(repository.built) > 2
    reasons = {int(point, 16): answer.reason for point, answer in work.state.answers.items()}
    assert reasons[4] == "the same files as 000000000000"


def test_an_interrupted_search_goes_on_without_a_second_build(tmp_path: Path) -> None:
    first = Repository(33, 20, trouble={16: LOST})
    with (
        search(first, tmp_path) as work,
        pytest.raises(NotMeasuredError, match=r"keras 000000000010 could not be tested: .*; the same command goes on"),
    ):
        work.run()
    kept = msgspec.json.decode((tmp_path / "s.json").read_bytes(), type=State)
    assert len(kept.answers) == 2
    second = Repository(33, 20)
    with search(second, tmp_path, kept) as work:
        assert work.run() == Found(second.points[19], second.points[20])
    assert set(second.tested) & set(first.tested) == set()


@pytest.mark.parametrize(
    ("error", "is_answer"),
    [
        (UnbuildableError("its build failed: x"), True),
        (UnbuildableError("its build failed: x", "OSError: [Errno 28] No space left on device"), False),
        (UnbuildableError("its build failed: x", "Temporary failure in name resolution"), False),
        (BuildError("its build failed: exit code 137"), False),
        (BuildError("its build did not end within 30 minutes"), False),
        (LOST, False),
    ],
)
def test_only_what_the_commit_itself_is_to_blame_for_is_an_answer(
    tmp_path: Path, error: CellError, is_answer: bool
) -> None:
    repository = Repository(3, 2, trouble={1: error})
    with search(repository, tmp_path) as work:
        if is_answer:
            assert work.run() == Found(repository.points[0], repository.points[2], (repository.points[1],))
        else:
            with pytest.raises(NotMeasuredError):
                work.run()
            assert repository.points[1] not in work.state.answers


def test_a_budget_ends_the_search_and_the_answers_stay(tmp_path: Path) -> None:
    repository = Repository(33, 20)
    with (
        search(repository, tmp_path, budget_s=0.25) as work,
        pytest.raises(NotMeasuredError, match="the budget is used; the same command goes on from"),
    ):
        work.run()
    assert len(repository.tested) == 3
    assert len(msgspec.json.decode((tmp_path / "s.json").read_bytes(), type=State).answers) == 3


def test_ends_that_do_not_build_are_refused(tmp_path: Path) -> None:
    with search(Repository(9, 5, unbuildable=frozenset({0})), tmp_path) as work:
        found = work.run()
    assert isinstance(found, Refused)
    assert "000000000000 cannot be tested" in found.reason


class TestVersion:
    """A commit is built by ``runner.sources`` under the name of the package."""

    @pytest.fixture
    def line(self) -> Commits:
        known = {"bb": Commit("bb" * 20, "2026-05-01", "Fix it (#7)", ())}
        return Commits("Keras", ("aa", "bb", "cc"), History("../keras", Path()), "host", lambda _: None, known)

    @staticmethod
    def _raising(error: Exception) -> Callable[..., object]:
        def made(*_: object) -> object:
            raise error

        return made

    def test_it_is_built_once(self, line: Commits, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def made(given: tuple[sources.Given, ...], _executor: str, _say: object, turn: Any) -> tuple[object, ...]:
            asked.append(str(given[0]))
            with turn():
                return (sources.Source("keras", "3.16.0+gbb", ""),)

        monkeypatch.setattr(sources, "made", made)
        assert [line.version("bb"), line.version("bb")] == ["3.16.0+gbb", "3.16.0+gbb"]
        assert asked == ["--source keras=../keras@bb"]
        assert line.builds == 1
        assert line.label("bb") == "Keras bb (Fix it (#7))"
        monkeypatch.setattr(wheels, "find", lambda *_: None)
        with pytest.raises(CellError, match="the wheel of keras bb is gone"):
            line.content("bb")

    def test_a_commit_that_cannot_be_built_is_one_to_skip(self, line: Commits, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "made", self._raising(SourceError("no build backend")))
        with pytest.raises(UnbuildableError, match="no build backend"):
            line.version("bb")

    def test_an_end_that_cannot_be_built_ends_the_command(self, line: Commits, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "made", self._raising(SourceError("that is x 1.0, not keras")))
        with pytest.raises(SourceError, match=r"that is x 1\.0, not keras \(cc is an end of the search\)"):
            line.version("cc")

    def test_trouble_with_git_or_the_cache_is_nothing_about_the_commit(
        self, line: Commits, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "made", self._raising(UsageError("git read-tree failed: x")))
        with pytest.raises(CellError) as caught:
            line.version("bb")
        assert not lines.Published("keras", ("1", "2"), "3.11").content("1")
        assert outage.of(str(caught.value)) is None
        assert not isinstance(caught.value, UnbuildableError)
