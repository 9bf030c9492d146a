"""In which order environments run, which images must stay, and what an interrupt leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from runner.environments import lock
from runner.errors import BuildError
from runner.executors import Room
from runner.executors.host import HostExecutor
from runner.images.recipe import recipe
from runner.judge.budget import Further
from runner.measure import rounds, scheduler
from runner.measure.context import Context, Event, Interrupted
from runner.measure.rounds import Measured
from runner.model import Cell, Environment, Job, Plan, ProbeSpec, Sample, Status

TORCH = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
JAX = Environment("jax", "0.10.2", "3.11.3", "3.11", "cpu", "linux-x86_64")
OLD = replace(JAX, keras="3.8.0")


def job(environment: Environment, executor: str = "docker") -> Job:
    cell = Cell(environment.framework, environment.version, environment.keras, "3.11", "cpu")
    return Job(cell, environment, ProbeSpec("hello"), 0, 0, executor)


def sample(one: Job) -> Sample:
    return Sample(one.cell, one.environment.id, "hello", {}, 0, 0, one.executor, Status.OK, "")


def test_environments_on_one_framework_release_are_neighbours() -> None:
    other = replace(JAX, python="3.12")
    assert rounds.neighbours([JAX, TORCH, other, OLD, JAX]) == [JAX, OLD, TORCH, other]
    for change in ({"framework": "numpy"}, {"version": "1"}, {"build": "cuda"}, {"platform": "linux-aarch64"}):
        apart = replace(JAX, **change)  # type: ignore[arg-type] # always a text field
        assert rounds.neighbours([JAX, TORCH, apart]) == [JAX, TORCH, apart]


def test_what_is_still_to_run_and_its_layer_must_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(environment: Environment) -> lock.Lock:
        if environment == TORCH:
            raise BuildError("no lock")
        return lock.committed(environment)

    monkeypatch.setattr(lock, "locked", locked)
    layer = recipe(JAX, lock.committed(JAX)).framework_key
    assert rounds.still_needed([TORCH, JAX]) == (TORCH.id, JAX.id, layer)
    assert rounds.still_needed([]) == ()


class TestEvicting:
    @pytest.fixture
    def log(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What ran in which block, and what was evicted then."""
        found: list[Any] = []

        def run(jobs: tuple[Job, ...], context: Any, _observe: Callable[[Event], None]) -> list[Sample]:
            found.append((context.block, [one.environment for one in jobs]))
            if context.block == self.stops:
                raise Interrupted([sample(jobs[0])])
            return [sample(one) for one in jobs]

        monkeypatch.setattr(scheduler, "run", run)
        monkeypatch.setattr(rounds, "still_needed", lambda waiting: tuple(one.id for one in waiting))
        self.asked = found
        return found

    stops = ""
    asked: list[Any]

    def measured(self, planned: Plan, events: list[Event]) -> Measured:
        asked = self.asked
        made: Any = {"docker": SimpleNamespace(make_room=lambda *room: asked.append(room)), "host": HostExecutor()}
        store: Any = None
        context = Context(made, store, {}, {})
        work: Any = SimpleNamespace(context=context, executors=made)
        room = Room(images=2, free_gb=1.5)
        return rounds.until_decided(planned, work, Further(), lambda _samples: [], events.append, room)

    def test_room_is_made_after_each_environment(self, log: list[Any]) -> None:
        planned = Plan((job(JAX), job(TORCH), job(OLD)), (), ("a note",))
        events: list[Event] = []
        found = self.measured(planned, events)
        assert found == Measured(tuple(sample(job(one)) for one in (JAX, OLD, TORCH)))
        assert events == [Event("expect", count=3), Event("note", text="a note")]
        assert log == [
            (JAX.id, [JAX]),
            (Room(2, 1.5), (OLD.id, TORCH.id)),
            (OLD.id, [OLD]),
            (Room(2, 1.5), (TORCH.id,)),
            (TORCH.id, [TORCH]),
            (Room(2, 1.5), ()),
        ]

    def test_virtual_environments_are_no_images(self, log: list[Any]) -> None:
        self.measured(Plan((job(JAX, "host"),), (), ()), [])
        assert log == [(JAX.id, [JAX])]

    def test_an_interrupt_keeps_what_had_finished(self, log: list[Any]) -> None:
        self.stops = OLD.id
        found = self.measured(Plan((job(JAX), job(OLD), job(TORCH)), (), ()), [])
        assert found == Measured((sample(job(JAX)), sample(job(OLD))), interrupted=True)
        assert log[-1] == (OLD.id, [OLD])
