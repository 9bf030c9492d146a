"""What a doctor makes of what he finds, and that nothing keeps him from saying it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runner.engine import Engine
from runner.errors import UnavailableError
from runner.images import disk
from runner.machine import checks, doctor
from runner.machine.checks import Check, State
from runner.machine.doctor import Question
from runner.machine.facts import Gpu, Machine
from runner.model import Environment

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
    assert [(check.state, check.fix) for check in found] == [(State.OK, "")] * len(found)


@pytest.mark.parametrize(
    ("check", "state", "says", "fix"),
    [
        (checks.machine_check(BOX), State.WARN, "4.0 GiB", "oom"),
        (checks.engine_check(DOWN), State.WARN, "Connection refused", "start Docker"),
        (checks.engine_check(Engine(limits_memory=False)), State.WARN, "cannot limit memory", "delegate"),
        (checks.buildkit_check(ENGINE, ""), State.WARN, "classic builder", "buildx"),
        (checks.gpu_check((GPU,), ENGINE), State.WARN, "no NVIDIA runtime", "Container Toolkit"),
        (checks.disk_check(Path("/"), 1 << 59, 1 << 60), State.WARN, "the whole set takes about", "prune"),
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


def test_shared_layers_are_counted_once() -> None:
    torch = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    one = disk.estimate([torch])
    two = disk.estimate([torch, replace(torch, keras="3.9.0")])
    assert one == disk.layer_bytes(torch, cuda=False) + disk.rest_bytes()
    assert two - one == disk.rest_bytes()
    with_cuda = disk.layer_bytes(torch, cuda=True) + disk.rest_bytes()
    assert with_cuda > 5e9
    assert disk.estimate([replace(torch, build="cuda")]) == with_cuda
    assert disk.estimate([torch], cpu_wheels=False) == with_cuda
    assert disk.estimate([replace(torch, framework="jax")], cpu_wheels=False) < 1e9
    unknown = replace(torch, framework="new")
    assert disk.layer_bytes(unknown, cuda=False) == disk.layer_bytes(unknown, cuda=True) == 2 * 10**9
    assert disk.estimate([]) == 0


def test_a_socket_that_may_not_be_used_is_a_matter_of_groups() -> None:
    assert "usermod" in checks.engine_check(UnavailableError("no Docker engine answers (Permission denied)")).fix


def test_an_engine_chosen_by_the_user_is_named() -> None:
    assert "DOCKER_HOST is tcp://nowhere:2375" in checks.engine_check(DOWN, "tcp://nowhere:2375").fix
    assert "DOCKER_HOST" not in checks.engine_check(DOWN).fix


def test_pythons_are_listed_in_their_order() -> None:
    assert checks.python_check(["3.8", "3.12", "3.9"]).says.startswith("3.8, 3.9, 3.12")


def test_a_gpu_without_known_capability_is_a_gpu() -> None:
    assert "unknown" in checks.gpu_check((Gpu("Tesla K80", "470.57", None),), DOWN).says


def test_answers_keep_the_order_of_the_questions() -> None:
    def slow() -> Check:
        time.sleep(0.05)
        return Check("slow", State.OK, "")

    asked = [Question("slow", slow), Question("fast", lambda: Check("fast", State.OK, ""))]
    assert [check.name for check in doctor.ask_all(asked)] == ["slow", "fast"]


def test_a_check_that_breaks_is_an_answer() -> None:
    def broken() -> Check:
        raise ZeroDivisionError("by nothing")

    (check,) = doctor.ask_all([Question("broken", broken)])
    assert check == Check("broken", State.WARN, "could not be checked: ZeroDivisionError: by nothing")


def test_a_check_that_hangs_is_given_up_and_the_others_are_not() -> None:
    never = threading.Event()

    def hang() -> Check:
        never.wait(30)
        return Check("hang", State.OK, "")

    began = time.monotonic()
    checks = doctor.ask_all([Question("hang", hang), Question("fast", lambda: Check("fast", State.OK, "x"))], 0.3)
    assert time.monotonic() - began < 5
    assert [(check.name, check.state) for check in checks] == [("hang", State.WARN), ("fast", State.OK)]
    assert "did not answer" in checks[0].says
    never.set()


def test_several_checks_share_one_question_to_the_engine() -> None:
    asked: list[int] = []

    def ask() -> Engine:
        asked.append(1)
        time.sleep(0.02)
        return ENGINE

    once = doctor._Once(ask)
    threads = [threading.Thread(target=once) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert once() is ENGINE
    assert asked == [1]


def test_disk_space_counts_where_the_images_go(tmp_path: Path) -> None:
    assert doctor._image_folder(ENGINE, tmp_path) == Path("/")
    assert doctor._image_folder(Engine(root="/not/on/this/machine"), tmp_path) == tmp_path
    assert doctor._image_folder(DOWN, tmp_path) == tmp_path
