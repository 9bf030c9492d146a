"""Which share runs where: nothing is lost, nothing counts twice, and a broken worker does not decide."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cluster.dispatch import ATTEMPTS, TRIES, Dispatch, Item, Verdict


def _anywhere(_resources: Mapping[str, float]) -> bool:
    return True


def _items(count: int, environments: int = 3) -> list[Item]:
    return [Item(f"s{n}", frozenset({n % environments}), _anywhere) for n in range(count)]


def _dispatch(count: int, *workers: str) -> Dispatch:
    made = Dispatch(_items(count))
    for name in workers:
        made.came(name, {})
    return made


def test_one_share_per_worker_at_a_time() -> None:
    made = _dispatch(5, "a", "b")
    assert made.next("a") == "s0"
    assert made.next("a") is None
    assert made.next("b") == "s1"
    assert sorted(made.running) == ["s0", "s1"]


def test_a_worker_goes_on_with_the_environment_that_it_has() -> None:
    made = _dispatch(6, "a", "b")
    assert [made.next("a"), made.next("b")] == ["s0", "s1"]
    assert made.measured("a", "s0", anything=True) is Verdict.STORE
    assert made.next("a") == "s3", "the other share of environment 0"


def test_a_new_environment_is_begun_where_no_other_worker_has_it() -> None:
    made = Dispatch([Item(name, frozenset({place}), _anywhere) for name, place in (("x", 0), ("y", 0), ("z", 1))])
    made.came("a", {})
    made.came("b", {})
    assert [made.next("a"), made.next("b")] == ["x", "z"]


def test_a_share_goes_only_where_it_can_run() -> None:
    made = Dispatch([Item("gpu", frozenset({0}), lambda has: has.get("cuda", 0) > 0)])
    made.came("a", {"cores": 8})
    assert made.next("a") is None
    assert made.hopeless() == ["gpu"]
    made.came("b", {"cuda": 1})
    assert made.hopeless() == []
    assert made.next("b") == "gpu"


def test_the_death_of_a_worker_blames_the_one_share_that_it_ran() -> None:
    made = _dispatch(4, "a", "b")
    made.next("a")
    made.next("b")
    made.went("a")
    assert made.lost == {"s0": 1}
    assert made.measured("b", "s1", anything=True) is Verdict.STORE
    assert made.next("b") == "s0", "what was lost comes first"


def test_a_share_that_its_workers_die_with_is_given_up() -> None:
    made = _dispatch(2)
    for number in range(ATTEMPTS):
        made.came(f"w{number}", {})
        assert made.next(f"w{number}") == "s0"
        made.went(f"w{number}")
    assert made.given_up == {"s0": f"its worker died {ATTEMPTS} times with it"}
    made.came("good", {})
    assert made.next("good") == "s1"


def test_a_share_without_any_result_is_confirmed_by_another_worker() -> None:
    made = _dispatch(2, "a", "b")
    assert [made.next("b"), made.next("a")] == ["s0", "s1"]
    assert made.measured("b", "s0", anything=True) is Verdict.STORE
    assert made.measured("a", "s1", anything=False) is Verdict.HOLD
    assert made.next("a") is None
    assert made.next("b") == "s1"
    assert made.measured("b", "s1", anything=False) is Verdict.STORE
    assert not made.workers["a"].doubtful


def test_two_broken_workers_do_not_confirm_each_other() -> None:
    made = _dispatch(1, "a", "b", "c")
    for name in "ab":
        assert made.next(name) == "s0"
        assert made.measured(name, "s0", anything=False) is Verdict.HOLD
    assert made.next("c") == "s0"
    assert made.measured("c", "s0", anything=True) is Verdict.STORE
    assert [made.workers[name].refuted for name in "abc"] == [1, 1, 0]


def test_where_everything_fails_a_share_is_tried_on_some_workers_only() -> None:
    names = [f"w{number}" for number in range(20)]
    made = _dispatch(1, *names)
    tried = []
    for name in names:
        share = made.next(name)
        if share is not None:
            tried.append(made.measured(name, share, anything=False))
    assert tried == [Verdict.HOLD] * (TRIES - 1) + [Verdict.STORE]


def test_a_worker_that_can_measure_nothing_is_stopped_and_fails_nothing() -> None:
    made = _dispatch(10, "bad", "good")
    for _ in range(2):
        share = made.next("bad")
        assert share is not None
        made.measured("bad", share, anything=False)
    assert made.next("bad") is None, "a suspect gets no more"
    for _ in range(10):
        share = made.next("good")
        assert share is not None
        assert made.measured("good", share, anything=True) is Verdict.STORE
        made.fetched(share)
    assert made.banned() == ["bad"]
    assert made.ended
    assert made.given_up == {}


def test_alone_a_worker_decides() -> None:
    """A run with one worker ends as a local run does, whatever fails."""
    made = _dispatch(5, "a")
    stored = []
    while not made.ended:
        share = made.next("a")
        if share is None:
            settled = made.settled()
            assert settled
            stored += settled
            for one in settled:
                made.fetched(one)
        else:
            assert made.measured("a", share, anything=False) is Verdict.HOLD
    assert sorted(stored) == [f"s{n}" for n in range(5)]
    assert made.banned() == []


def test_what_no_worker_can_run_at_all_is_given_up_with_the_reason() -> None:
    made = _dispatch(2, "a", "b", "c")
    assert [made.next("a"), made.next("b")] == ["s0", "s1"]
    made.measured("b", "s1", anything=True)
    made.failed("a", "s0", "the process ended with 1")
    for name in "bc":
        assert made.next(name) == "s0"
        made.failed(name, "s0", "the process ended with 1")
    assert made.given_up == {"s0": "the process ended with 1"}
    assert made.banned() == [], "the share is the cause, not three workers"


def test_files_that_are_lost_blame_nobody() -> None:
    made = _dispatch(1, "a")
    made.next("a")
    assert made.measured("a", "s0", anything=True) is Verdict.STORE
    made.not_fetched("s0")
    assert not made.ended
    assert (made.lost, made.next("a")) == ({}, "s0")


@given(
    st.integers(1, 25),
    st.lists(st.sampled_from(["good", "broken", "crashing", "mortal"]), min_size=1, max_size=5),
    st.integers(0, 2**32),
)
def test_every_share_is_stored_or_given_up_once(count: int, kinds: list[str], seed: int) -> None:
    """Workers of all kinds, in any order: the run ends, and one good worker is enough for all that does not kill."""
    run = _Run(count, kinds, random.Random(seed))  # noqa: S311 - no secret
    for step in range(60 * count + 500):
        if run.made.ended:
            break
        run.step(step)
    assert run.made.ended
    assert len(run.stored) == len(set(run.stored))
    assert set(run.stored) | set(run.made.given_up) == set(run.made.items)
    if "good" in kinds and "mortal" not in kinds:
        assert sorted(run.good) == sorted(run.made.items)


class _Run:
    """A run whose workers are of some kinds."""

    def __init__(self, count: int, kinds: list[str], draw: random.Random) -> None:
        self.made = Dispatch(_items(count))
        self.draw = draw
        self.kind = {f"w{number}": kind for number, kind in enumerate(kinds)}
        self.stored: list[str] = []
        self.good: list[str] = []
        """Those that a worker could measure."""
        for name in self.kind:
            self.made.came(name, {})

    def step(self, step: int) -> None:
        names = list(self.made.workers)
        self.draw.shuffle(names)
        busy = [name for name in names if self.made.workers[name].running]
        begun = [name for name in names if self.made.next(name)]
        if not begun and not busy:
            self._stuck()
        for name in self.draw.sample(busy, len(busy) and self.draw.randint(1, len(busy))):
            self._ends(name, step)

    def _stuck(self) -> None:
        settled = self.made.settled()
        for share in settled:
            self._store(share)
        hopeless = [] if settled else self.made.hopeless()
        assert settled or hopeless or not self.made.workers, "something can be done, and nobody does it"
        for share in hopeless:
            self.made.give_up(share, "nobody")

    def _ends(self, name: str, step: int) -> None:
        share, how = self.made.workers[name].running, self.kind[name]
        if how == "mortal" and self.draw.random() < 0.3:
            self.made.went(name)
            self.kind[f"x{step}-{name}"] = "mortal"
            self.made.came(f"x{step}-{name}", {})
        elif how == "crashing":
            self.made.failed(name, share, "crashed")
        elif self.made.measured(name, share, anything=how != "broken") is Verdict.STORE:
            self._store(share)
            self.good += [share] if how != "broken" else []

    def _store(self, share: str) -> None:
        self.made.fetched(share)
        self.stored.append(share)


def test_a_run_without_workers_loses_nothing() -> None:
    made = _dispatch(3, "a")
    made.next("a")
    made.went("a")
    assert sorted(made.waiting) == ["s0", "s1", "s2"]
    with pytest.raises(KeyError):
        made.next("a")
