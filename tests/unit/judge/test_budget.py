"""Which cells are measured once more, where measuring time is limited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.judge import RoundPlan
from runner.judge.budget import next_round, spent
from runner.model import Cell, Comparison, Evidence, Sample, Status, Verdict

PROBE = "mnist"
CELLS = {name: Cell(name, "1.0", "3.11.3", "3.11", "cpu") for name in "abcdef"}


def measured(**rounds: int | tuple[int, float]) -> list[Sample]:
    """So many rounds of each cell, of 10 s or as long as is said."""
    found = []
    for name, said in rounds.items():
        count, wall_s = (said, 10.0) if isinstance(said, int) else said
        cell = CELLS[name]
        found += [
            Sample(cell, "e", PROBE, {}, number, number, "docker", Status.OK, "", wall_s=wall_s)
            for number in range(count)
        ]
    return found


def open_(baseline: str, candidate: str, needed: int | None, **more: Any) -> Comparison:
    given: dict[str, Any] = {"metric": "step_s", "gates": True, "verdict": Verdict.INCONCLUSIVE, **more}
    sides = CELLS[baseline].id, CELLS[candidate].id
    evidence = Evidence(rounds_needed=needed)
    return Comparison(*sides, "version", PROBE, reason="", evidence=evidence, **given)


def planned(samples: list[Sample], *comparisons: Comparison, left_s: float = 1e9, most: int = 20) -> dict[str, int]:
    """The cells that are measured again, and how often."""
    plan: RoundPlan = next_round(samples, comparisons, lambda one: one.metric != "other", left_s, most)
    assert {probe for _, probe in plan} <= {PROBE}
    return short(plan)


def short(plan: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {cell[0]: count for (cell, _), count in plan.items()}


def test_both_sides_of_what_is_undecided_take_one_round() -> None:
    assert planned(measured(a=1, b=1, c=1), open_("a", "b", 7)) == {"a": 1, "b": 1}


def test_what_is_decided_or_no_headline_or_cannot_be_decided_takes_none() -> None:
    samples = measured(a=3, b=3)
    assert planned(samples, open_("a", "b", 7, verdict=Verdict.SAME)) == {}
    assert planned(samples, open_("a", "b", 7, metric="other")) == {}
    assert planned(samples, open_("a", "b", None)) == {}
    assert planned(samples) == {}


def test_what_this_machine_could_not_measure_is_not_asked_again() -> None:
    samples = measured(a=3, b=3)
    samples[-1] = replace(samples[-1], status=Status.UNAVAILABLE)
    assert planned(samples, open_("a", "b", 7)) == {}


def test_what_needs_more_rounds_than_there_are_takes_none() -> None:
    samples = measured(a=3, b=3)
    assert planned(samples, open_("a", "b", 17)) == {"a": 1, "b": 1}
    assert planned(samples, open_("a", "b", 18)) == {}
    assert planned(samples, open_("a", "b", 2), most=4) == {}


def test_what_takes_longer_than_what_is_left_takes_none() -> None:
    samples = measured(a=1, b=(1, 30.0))
    assert planned(samples, open_("a", "b", 2), left_s=80) == {"a": 1, "b": 1}
    assert planned(samples, open_("a", "b", 2), left_s=79) == {}


def test_the_cheapest_comes_first_and_the_dear_one_when_it_fits_as_well() -> None:
    samples = measured(a=1, b=1, c=1, d=1)
    both = open_("a", "b", 6), open_("c", "d", 2)
    assert planned(samples, *both, left_s=40) == {"c": 1, "d": 1}
    assert planned(samples, *both, left_s=130) == {"c": 1, "d": 1}
    assert planned(samples, *both, left_s=160) == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_what_can_fail_the_run_comes_before_what_is_cheaper() -> None:
    samples = measured(a=1, b=1, c=1, d=1)
    both = open_("a", "b", 2, gates=False), open_("c", "d", 6)
    assert planned(samples, *both, left_s=130) == {"c": 1, "d": 1}
    assert planned(samples, *both, left_s=40) == {"a": 1, "b": 1}


def test_a_process_that_serves_two_comparisons_costs_once() -> None:
    samples = measured(a=1, b=1, c=1)
    star = open_("a", "b", 2), open_("a", "c", 2)
    assert planned(samples, *star, left_s=60) == {"a": 1, "b": 1, "c": 1}
    assert planned(samples, *star, left_s=59) == {"a": 1, "b": 1}
    figures = open_("a", "b", 2), open_("a", "b", 5, metric="memory")
    assert planned(samples, *figures, left_s=100) == {"a": 1, "b": 1}


def test_a_side_that_lags_takes_the_rounds_that_it_lacks_and_goes_on_with_the_other() -> None:
    assert planned(measured(a=4, b=3), open_("a", "b", 2)) == {"a": 1, "b": 2}
    assert planned(measured(b=4, a=2), open_("a", "b", 5)) == {"b": 1, "a": 3}


def test_the_rounds_that_a_side_lacks_cost_too() -> None:
    samples = measured(a=4, b=3)
    assert planned(samples, open_("a", "b", 2), left_s=30) == {"a": 1, "b": 2}
    assert planned(samples, open_("a", "b", 2), left_s=29) == {}


def test_a_side_that_lags_so_far_that_the_rounds_would_be_blocks_takes_none() -> None:
    """The judge refuses rounds of which more than a quarter were not run side by side."""
    assert planned(measured(a=9, b=5), open_("a", "b", 2)) == {}
    assert planned(measured(a=9, b=5), open_("a", "b", 8)) == {"a": 1, "b": 5}


def test_all_sides_stay_in_step_where_comparisons_share_one() -> None:
    assert planned(measured(a=4, b=4, c=3), open_("a", "b", 2), open_("a", "c", 3)) == {"a": 1, "b": 1, "c": 2}


def test_what_was_spent_is_the_time_of_all_processes() -> None:
    assert spent(measured(a=3, b=(2, 7.5))) == 45.0
    assert spent([]) == 0
