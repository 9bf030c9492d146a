"""Work in proportion to the results: processor time far below a generous limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from runner import history
from runner.model import Cell

LIMIT_S = 5.0
"""Here each takes about a tenth of a second."""


def seconds(work: Callable[[], Any]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def test_two_thousand_results_are_added_and_remembered_quickly(lab: Any) -> None:
    cells = [Cell("jax", f"0.{number}.0", "3.11.3", "3.11", "cpu") for number in range(200)]

    def night(day: int) -> Any:
        samples = [lab.sample(day, round_, cell=cell) for cell in cells for round_ in range(10)]
        found = [lab.finding(f"slow {cell.id}", cells=(cell.id,), kin="slow", release="jax 0.9.0") for cell in cells]
        return lab.entry(*samples, findings=found)

    nights = [night(day) for day in range(1, 9)]
    with history.open(lab.path) as database:
        for one in nights[:-1]:
            assert seconds(partial(database.add, one)) < LIMIT_S
        assert seconds(lambda: database.add(nights[0])) < LIMIT_S
        assert seconds(lambda: database.past(nights[-1])) < LIMIT_S
        known = database.past(nights[-1])
        assert len(known.by_figure) == 400
        assert seconds(lambda: [known.series(*key) for key in known.by_figure]) < LIMIT_S
        assert seconds(lambda: database.news(database.run("latest"))) < LIMIT_S
        assert seconds(database.series) < LIMIT_S


def test_a_host_of_another_name_every_night_does_not_add_up(lab: Any) -> None:
    """As with hosted machines: every night adds a scope for every timing."""
    cells = [Cell("jax", f"0.{number}.0", "3.11.3", "3.11", "cpu") for number in range(40)]
    with history.open(lab.path) as database:
        for day in range(1, 26):
            fingerprint = {"host": f"runner-{day}", "cpu": "EPYC", "probe_hash": "p"}
            database.add(lab.entry(*(lab.sample(day, cell=cell, fingerprint=fingerprint) for cell in cells)))
        entry = lab.entry(*(lab.sample(26, cell=cell, fingerprint={"host": "x", "probe_hash": "p"}) for cell in cells))
        assert seconds(lambda: database.past(entry)) < LIMIT_S
        found = database.past(entry).series(cells[0].id, "mnist", "step_s")
    assert found is not None
    assert (len(found.points), found.breaks) == (1, ("another host before 26 November",))
