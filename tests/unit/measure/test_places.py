"""Where a cell runs here, with which limits, and why it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.errors import ImpossibleError, UnavailableError, UsageError
from runner.machine import facts
from runner.machine.facts import Gpu, Machine
from runner.matrix import plan
from runner.matrix.plan import Offer, Target
from runner.measure import host, places
from runner.model import Cell, Custom, Environment

TORCH = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
HERE = Machine("linux-x86_64", "box", "AMD EPYC", (), 8, 16 << 30)
OFFERS = {"docker": Offer("containers", isolated=True), "host": Offer("virtual environments", isolated=False)}


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "here", lambda: HERE)

    def host_facts(executor: str) -> plan.Host:
        offers = OFFERS if executor == plan.AUTO else {executor: OFFERS[executor]}
        return plan.Host("linux-x86_64", "linux-x86_64", offers, mps=False, cuda=lambda _environment: "no NVIDIA GPU")

    monkeypatch.setattr(host, "host_facts", host_facts)


def test_a_script_has_the_memory_and_the_disk_it_is_given() -> None:
    default = plan.default_limits(60.0, 16 << 30)
    assert places.process_limits(60.0) == default
    given = places.limits(60.0, 1.5, 2.0)
    assert given == replace(default, memory_bytes=1_500_000_000, disk_bytes=2_000_000_000, log_bytes=1 << 20)
    assert places.limits(60.0, None, 2.0).memory_bytes == default.memory_bytes


def test_a_cell_runs_where_it_can_in_its_own_environment() -> None:
    custom = Custom(pins=("h5py==3.9.0",))
    found, out = places.placed([Target(TORCH, custom, ("a note",))], "auto")
    environment = Environment("torch", "2.2.2", "3.11.3", "3.11", "cpu", "linux-x86_64", custom)
    assert found == (places.Place(TORCH, environment, "docker", ("a note",)),)
    assert out == ()
    assert places.one_place(Target(TORCH, None), "host").executor == "host"


def test_what_cannot_run_is_returned_with_its_reason() -> None:
    target = Target(replace(TORCH, device="cuda"), None)
    found, out = places.placed([target, Target(TORCH, None)], "auto")
    assert [place.cell for place in found] == [TORCH]
    ((left, reason),) = out
    assert left is target
    assert "no NVIDIA GPU" in str(reason)
    assert not isinstance(reason, ImpossibleError)
    with pytest.raises(UnavailableError) as caught:
        places.one_place(target, "auto")
    assert str(caught.value) == f"{target.cell.id}: {reason}"


def test_a_python_that_the_framework_does_not_have_is_a_reason() -> None:
    target = Target(replace(TORCH, python="3.13"), None)
    found, ((left, reason),) = places.placed([target], "auto")
    assert (found, left) == ((), target)
    assert "3.13" in str(reason)
    with pytest.raises(ImpossibleError, match=r"3\.13"):  # for good: no machine has it
        places.one_place(target, "auto")


def test_an_unknown_executor_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        places.placed([], "dokcer")
    assert str(caught.value) == ("--executor 'dokcer' (did you mean 'docker'?); there are: auto, docker, host")


class TestHost:
    @pytest.mark.parametrize(
        ("gpus", "problem"),
        [((), "no NVIDIA GPU here"), ((Gpu("H100", "570.1", "9.0"),), "")],
    )
    def test_a_gpu_must_be_there(self, gpus: tuple[Gpu, ...], problem: str) -> None:
        here = replace(HERE)
        here.__dict__["gpus"] = gpus
        environment = Environment("torch", "2.2.2", None, "3.11", "cuda", "linux-x86_64")
        assert host._cuda_problem(environment, here) == problem

    def test_a_driver_that_is_too_old_is_a_problem(self) -> None:
        here = replace(HERE)
        here.__dict__["gpus"] = (Gpu("K80", "390.1", "3.7"),)
        environment = Environment("torch", "2.2.2", None, "3.11", "cuda", "linux-x86_64")
        assert host._cuda_problem(environment, here)

    def test_an_interpreter_without_frameworks_has_no_cells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Empty:
            def cells(self, device: str) -> tuple[Cell, ...]:
                assert device == "mps"
                return ()

        monkeypatch.setattr("runner.executors.make", lambda _name: Empty())
        monkeypatch.setattr("sys.executable", "/my/python")
        with pytest.raises(UsageError) as caught:
            host.cells_at_hand("current", "mps", ())
        assert str(caught.value) == (
            "--executor current: /my/python has none of these installed: "
            "tensorflow, torch, jax, numpy, openvino, mxnet, paddle"
        )

    def test_a_device_goes_with_this_interpreter_only(self) -> None:
        with pytest.raises(UsageError) as caught:
            host.chosen(None, (), "docker", "cuda")
        assert str(caught.value) == "--device goes with --executor current; of a set, take --only '*_cuda*'"

    def test_the_cells_of_this_interpreter_take_the_settings_of_the_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []

        def at_hand(*arguments: Any) -> tuple[Cell, ...]:
            asked.append(arguments)
            return (TORCH,)

        monkeypatch.setattr(host, "cells_at_hand", at_hand)
        found = host.chosen("quick", ("torch-*",), "current", "mps")
        assert found.cells == (TORCH,)
        assert found.name == "quick"
        assert asked == [("current", "mps", ("torch-*",))]
        assert host.chosen("quick", ("torch-2.2.2_keras-3.11.3*",), "host").cells == (TORCH,)


class TestPlanned:
    def test_a_plan_has_the_wishes_of_the_user(self) -> None:
        from runner.matrix import selection

        chosen = selection.choose("quick", ("torch-2.2.2_keras-3.11.3*",))
        probes = selection.probe_specs(chosen, ("hello",), ())
        made = host.planned(chosen, probes, host.Wish("host", rounds=2, seed=7, timeout_s=12.0))
        assert [(job.executor, job.round, job.seed) for job in made.jobs] == [("host", 0, 7), ("host", 1, 8)]
        assert {job.probe.limits for job in made.jobs} == {plan.default_limits(12.0, 16 << 30)}
        two = host.planned(chosen, probes, host.Wish("host", jobs=2))
        timeout = chosen.whole.probes["hello"].timeout_s
        assert {job.probe.limits for job in two.jobs} == {plan.default_limits(timeout, 16 << 30, 2)}
        usual = host.planned(chosen, probes, host.Wish())
        timeout = chosen.whole.probes["hello"].timeout_s
        assert [(job.executor, job.probe.limits) for job in usual.jobs] == [
            ("docker", plan.default_limits(timeout, 16 << 30))
        ]
        record = host.record(chosen, made, "--set quick", 20)
        assert record.executors == ("host",)
        assert record.set_name == "quick"
        assert record.processes == ((TORCH.id, "hello", 2),)
        assert (record.cells, record.skips, record.notes) == (chosen.cells, made.skips, made.notes)
        assert (record.invocation, record.max_rounds) == ("--set quick", 20)

    def test_an_unknown_executor_is_refused_with_a_suggestion(self) -> None:
        from runner.matrix import selection

        chosen = selection.choose("quick", ())
        with pytest.raises(UsageError) as caught:
            host.planned(chosen, (), host.Wish("hots"))
        assert str(caught.value).startswith("no executor 'hots' (did you mean 'host'")
        assert str(caught.value).endswith("; there are: auto, docker, host, current")
