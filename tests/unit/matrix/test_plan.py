"""Cells and facts -> jobs and reasoned skips."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from runner.matrix.plan import Host, Offer, Selection, build_of, default_limits, environment_of, plan
from runner.model import Cell, Custom, Environment, ProbeSpec, Status

OFFERS = {"docker": Offer("containers", isolated=True), "host": Offer("virtual environments", isolated=False)}
NO_ENGINE = {**OFFERS, "docker": replace(OFFERS["docker"], problem="no Docker engine is running")}
LINUX = Host("linux-x86_64", "linux-x86_64", OFFERS)
BARE = replace(LINUX, executors=NO_ENGINE)
MAC = Host("macos-arm64", "linux-aarch64", OFFERS, mps=True)
MNIST = ProbeSpec("mnist")


def _cell(framework: str = "torch", device: str = "cpu", version: str = "2.2.2") -> Cell:
    return Cell(framework, version, "3.8.0", "3.11", device)


def test_rounds_are_interleaved_and_the_lead_rotates() -> None:
    cells = [_cell(version=v) for v in ("1.0", "2.0", "3.0")]
    made = plan(cells, [], Selection((MNIST,), rounds=3, seed=7), LINUX)
    assert [(job.round, job.cell.version) for job in made.jobs] == [
        (0, "1.0"), (0, "2.0"), (0, "3.0"),
        (1, "2.0"), (1, "3.0"), (1, "1.0"),
        (2, "3.0"), (2, "1.0"), (2, "2.0"),
    ]  # fmt: skip
    assert [job.seed for job in made.jobs[::3]] == [7, 8, 9]


@pytest.mark.parametrize(
    ("device", "executor", "host", "where"),
    [
        ("cpu", "auto", LINUX, "docker"),
        ("cpu", "auto", BARE, "host"),
        ("cpu", "host", LINUX, "host"),
        ("mps", "auto", MAC, "host"),
        ("cpu", "auto", MAC, "docker"),
    ],
)
def test_the_executor_follows_device_and_engine(device: str, executor: str, host: Host, where: str) -> None:
    made = plan([_cell(device=device)], [], Selection((MNIST,), executor=executor), host)
    assert [job.executor for job in made.jobs] == [where]


def test_an_environment_is_for_the_platform_of_the_place_it_runs_in() -> None:
    places = {
        executor: plan([_cell()], [], Selection((MNIST,), executor=executor), MAC).jobs[0].environment.platform
        for executor in ("docker", "host")
    }
    assert places == {"docker": "linux-aarch64", "host": "macos-arm64"}


def test_falling_back_to_the_host_is_said_once() -> None:
    made = plan([_cell(), _cell(version="2.6.0")], [], Selection((MNIST,)), BARE)
    assert made.notes == ("no Docker engine is running: running in virtual environments instead of containers",)


@pytest.mark.parametrize(("executor", "host"), [("host", BARE), ("auto", LINUX), ("auto", MAC)])
def test_without_a_fallback_there_is_no_note(executor: str, host: Host) -> None:
    assert plan([_cell()], [], Selection((MNIST,), executor=executor), host).notes == ()


def test_without_any_executor_nothing_runs_and_the_last_reason_is_given() -> None:
    offers = {name: replace(offer, problem=f"no {offer.label}") for name, offer in OFFERS.items()}
    made = plan([_cell()], [], Selection((MNIST,)), replace(LINUX, executors=offers))
    assert (made.jobs, made.notes) == ((), ())
    assert [skip.reason for skip in made.skips] == ["no virtual environments"]


@pytest.mark.parametrize(
    ("cell", "executor", "host", "reason"),
    [
        (_cell(device="mps"), "auto", LINUX, "macOS on Apple silicon"),
        (_cell(device="mps"), "docker", MAC, "cannot be reached from a container"),
        (_cell(device="cuda"), "auto", LINUX, "no NVIDIA GPU"),
        (_cell(), "docker", BARE, "no Docker engine is running"),
    ],
)
def test_a_cell_that_cannot_run_here_is_unavailable_with_the_reason(
    cell: Cell, executor: str, host: Host, reason: str
) -> None:
    made = plan([cell], [], Selection((MNIST,), executor=executor), host)
    assert made.jobs == ()
    assert made.skips[0].status == Status.UNAVAILABLE
    assert reason in made.skips[0].reason


def test_a_set_for_one_platform_is_unavailable_elsewhere_and_runs_there() -> None:
    cells = [_cell(), _cell(device="mps")]
    wish = Selection((MNIST,), executor="host", platform="macos-arm64")
    made = plan(cells, [], wish, LINUX)
    assert made.jobs == ()
    assert {skip.reason for skip in made.skips} == {"this set is for macos-arm64; this is linux-x86_64"}
    there = plan(cells, [], wish, MAC)
    assert [(job.cell.device, job.executor, job.environment.platform) for job in there.jobs] == [
        ("cpu", "host", "macos-arm64"), ("mps", "host", "macos-arm64"),
    ]  # fmt: skip
    assert there.skips == ()


def test_a_gpu_that_fits_runs_the_cuda_build() -> None:
    made = plan([_cell(device="cuda")], [], Selection((MNIST,)), replace(LINUX, cuda=lambda _environment: ""))
    assert made.jobs[0].environment == Environment("torch", "2.2.2", "3.8.0", "3.11", "cuda", "linux-x86_64")


def test_only_pytorch_needs_no_plug_in_for_metal() -> None:
    assert build_of(_cell("torch", "mps")) == "cpu"
    assert build_of(_cell("tensorflow", "mps")) == "metal"


def test_variants_share_the_environment() -> None:
    cell = _cell()
    assert environment_of(replace(cell, variant="no-onednn"), "linux-x86_64") == environment_of(cell, "linux-x86_64")


@pytest.mark.parametrize("total", [1 << 29, 1 << 30, 8 << 30, 512 << 30])
def test_limits_leave_the_machine_something(total: int) -> None:
    limit = default_limits(60, total).memory_bytes
    assert limit is not None
    assert limit >= 1 << 29
    assert limit <= max(total - (1 << 30), 1 << 29)


@pytest.mark.parametrize("jobs", [1, 2, 3, 8])
def test_processes_at_once_share_what_the_machine_has(jobs: int) -> None:
    limit = default_limits(60, 64 << 30, jobs).memory_bytes
    assert limit == (56 << 30) // jobs
    assert default_limits(60, 4 << 30, 64).memory_bytes == 1 << 29


def test_planning_takes_time_in_proportion_to_the_cells() -> None:
    """A ratio of this thread's CPU times, which neither a slow processor nor other work changes much."""

    def seconds(thousands: int) -> float:
        cells = [_cell(version=f"{a}.{b}.{c}") for a in range(thousands) for b in range(50) for c in range(20)]
        began = time.thread_time()
        made = plan(cells, [], Selection((MNIST,)), LINUX)
        took = time.thread_time() - began
        assert len(made.jobs) == thousands * 1000
        return took

    few, many = (min(seconds(thousands) for _ in range(3)) for thousands in (1, 10))
    assert many < 40 * few  # a plan that compares every pair of cells takes 100 times as long


def test_a_sets_packages_are_part_of_every_environment_but_for_its_own_axes() -> None:
    custom = Custom(("numpy==2.0.2", "tensorflow-cpu==2.18.1", "keras==3.0.0"))
    torch = environment_of(_cell(), "linux-x86_64", custom)
    tensorflow = environment_of(_cell("tensorflow"), "linux-x86_64", custom)
    assert torch.custom == Custom(("numpy==2.0.2", "tensorflow-cpu==2.18.1"))
    assert tensorflow.custom == Custom(("numpy==2.0.2",))
    assert environment_of(_cell(), "linux-x86_64").custom is None
    assert environment_of(_cell(), "linux-x86_64", Custom(("keras==3.0.0",))).custom is None
    made = plan([_cell()], [], Selection((MNIST,), custom=custom), LINUX)
    assert made.jobs[0].environment == torch
