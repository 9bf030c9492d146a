"""What the findings of the doctor mean, and what fixes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.engine import Engine
from runner.errors import UnavailableError
from runner.machine import checks
from runner.machine.checks import Check, State
from runner.machine.facts import Gpu, Machine

ENGINE = Engine(version="24.0.7", api="1.43", cgroup="2", system="Debian", root="/", limits_memory=True)
DOWN = UnavailableError("no Docker engine answers (Connection refused)")
MAC = Machine("macos-arm64", "mac", "Apple M3", (), 8, 24 << 30)
BOX = Machine("linux-x86_64", "box", "AMD EPYC", (), 2, 4 << 30)
GPU = Gpu("NVIDIA L4", "550.54.15", "8.9")


def test_a_good_machine_has_nothing_to_fix() -> None:
    found = [
        checks.machine_check(MAC),
        checks.engine_check(ENGINE),
        checks.buildkit_check(ENGINE, "docker with buildx"),
        checks.buildkit_check(DOWN, ""),
        checks.gpu_check((), ENGINE),
        checks.gpu_check((GPU,), Engine(nvidia=True)),
        checks.mps_check(MAC),
        checks.mps_check(BOX),
        checks.disk_check(Path("/"), 1 << 40, 1),
        checks.uv_check("uv 0.9"),
        checks.python_check(["3.11"]),
        checks.index_check("", "the package index"),
        checks.torch_index_check(""),
        checks.base_images_check({}),
        checks.power_check(""),
    ]
    assert [check.fix for check in found] == [""] * len(found)
    absent = {place for place, check in enumerate(found) if check.state is State.NONE}
    assert absent == {4, 7}  # no GPU, no Metal: nothing to fix, and nothing to tick
    assert all(check.state is State.OK for place, check in enumerate(found) if place not in absent)


@pytest.mark.parametrize(
    ("check", "state", "says", "fix"),
    [
        (checks.machine_check(BOX), State.WARN, "4.0 GiB", "oom"),
        (checks.engine_check(Engine(limits_memory=False)), State.WARN, "cannot limit memory", "delegate"),
        (checks.buildkit_check(ENGINE, ""), State.WARN, "classic builder", "buildx"),
        (checks.gpu_check((GPU,), ENGINE), State.WARN, "no NVIDIA runtime", "Container Toolkit"),
        (checks.disk_check(Path("/"), 1 << 59, 1 << 60), State.WARN, "the cells asked for take about", "prune"),
        (checks.uv_check(""), State.FAIL, "not found", "pip install uv"),
        (checks.python_check([]), State.WARN, "none found", "uv python install"),
        (checks.index_check("dns error", "the package index"), State.WARN, "dns error", "HTTPS_PROXY"),
        (checks.torch_index_check("x"), State.WARN, "carries CUDA", "proxy"),
        (
            checks.base_images_check({"python:3.8": "no such host"}),
            State.FAIL,
            "no such host",
            "docker pull python:3.8",
        ),
        (checks.power_check("battery"), State.WARN, "battery", "plug in"),
    ],
)
def test_what_is_missing_comes_with_its_fix(check: Check, state: State, says: str, fix: str) -> None:
    assert check.state == state
    assert says in check.says
    assert fix in check.fix
    assert "\n" not in check.says + check.fix


def test_a_socket_that_may_not_be_used_is_a_matter_of_groups() -> None:
    assert "usermod" in checks.engine_check(UnavailableError("no Docker engine answers (Permission denied)")).fix


def test_an_engine_chosen_by_the_user_is_named() -> None:
    assert "DOCKER_HOST is tcp://nowhere:2375" in checks.engine_check(DOWN, "tcp://nowhere:2375").fix
    assert "DOCKER_HOST" not in checks.engine_check(DOWN).fix


def test_pythons_are_listed_in_their_order() -> None:
    assert checks.python_check(["3.8", "3.12", "3.9"]).says.startswith("3.8, 3.9, 3.12")


def test_a_gpu_without_known_capability_is_a_gpu() -> None:
    assert "unknown" in checks.gpu_check((Gpu("Tesla K80", "470.57", None),), DOWN).says


def test_an_engine_that_does_not_answer_is_to_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    check = checks.engine_check(DOWN)
    assert check.state == State.WARN
    assert "Connection refused" in check.says
    assert "start Docker" in check.fix
