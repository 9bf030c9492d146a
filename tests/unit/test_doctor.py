"""What a doctor makes of what he finds, and that nothing keeps him from saying it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runner import doctor
from runner.doctor import Check, Question, State
from runner.errors import UnavailableError
from runner.executors.container import Engine
from runner.machine import Gpu, Machine
from runner.model import Environment

ENGINE = Engine(version="24.0.7", api="1.43", cgroup="2", system="Debian", root="/", limits_memory=True)
DOWN = UnavailableError("no Docker engine answers (Connection refused)")
MAC = Machine("macos-arm64", "mac", "Apple M3", (), 8, 24 << 30)
BOX = Machine("linux-x86_64", "box", "AMD EPYC", (), 2, 4 << 30)
GPU = Gpu("NVIDIA L4", "550.54.15", "8.9")


def test_a_good_machine_has_nothing_to_fix() -> None:
    checks = [
        doctor.machine_check(MAC),
        doctor.engine_check(ENGINE),
        doctor.buildkit_check(ENGINE, "docker with buildx"),
        doctor.buildkit_check(DOWN, ""),
        doctor.gpu_check((), ENGINE),
        doctor.gpu_check((GPU,), Engine(nvidia=True)),
        doctor.mps_check(MAC),
        doctor.mps_check(BOX),
        doctor.disk_check(Path("/"), 1),
        doctor.uv_check("uv 0.9"),
        doctor.python_check(["3.11"]),
        doctor.index_check("", "the package index"),
        doctor.torch_index_check(""),
        doctor.base_images_check({}),
        doctor.power_check(""),
    ]
    assert [(check.state, check.fix) for check in checks] == [(State.OK, "")] * len(checks)


@pytest.mark.parametrize(
    ("check", "state", "says", "fix"),
    [
        (doctor.machine_check(BOX), State.WARN, "4.0 GiB", "oom"),
        (doctor.engine_check(Engine(limits_memory=False)), State.WARN, "cannot limit memory", "delegate"),
        (doctor.buildkit_check(ENGINE, ""), State.WARN, "classic builder", "buildx"),
        (doctor.gpu_check((GPU,), ENGINE), State.WARN, "no NVIDIA runtime", "Container Toolkit"),
        (doctor.disk_check(Path("/"), 1 << 60), State.WARN, "the whole set takes about", "prune"),
        (doctor.uv_check(""), State.FAIL, "not found", "pip install uv"),
        (doctor.python_check([]), State.WARN, "none found", "uv python install"),
        (doctor.index_check("dns error", "the package index"), State.WARN, "dns error", "HTTPS_PROXY"),
        (doctor.torch_index_check("x"), State.WARN, "carries CUDA", "proxy"),
        (
            doctor.base_images_check({"python:3.8": "no such host"}),
            State.FAIL,
            "no such host",
            "docker pull python:3.8",
        ),
        (doctor.power_check("battery"), State.WARN, "battery", "plug in"),
    ],
)
def test_what_is_missing_comes_with_its_fix(check: Check, state: State, says: str, fix: str) -> None:
    assert check.state == state
    assert says in check.says
    assert fix in check.fix
    assert "\n" not in check.says + check.fix


def test_shared_layers_are_counted_once() -> None:
    torch = Environment("torch", "2.2.2", "3.8.0", "3.11", "cpu", "linux-x86_64")
    one = doctor.estimate([torch])
    two = doctor.estimate([torch, replace(torch, keras="3.9.0")])
    assert 0.9e9 < one < 1.3e9
    assert two - one == 80 << 20
    assert doctor.estimate([replace(torch, build="cuda")]) > 9e9
    assert doctor.estimate([torch], cpu_wheels=False) > 9e9
    assert doctor.estimate([replace(torch, framework="jax")], cpu_wheels=False) < 1e9
    assert doctor.estimate([]) == 0


def test_an_engine_that_does_not_answer_is_to_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    check = doctor.engine_check(DOWN)
    assert check.state == State.WARN
    assert "Connection refused" in check.says
    assert "start Docker" in check.fix


def test_a_socket_that_may_not_be_used_is_a_matter_of_groups() -> None:
    assert "usermod" in doctor.engine_check(UnavailableError("no Docker engine answers (Permission denied)")).fix


def test_an_engine_chosen_by_the_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://nowhere:2375")
    assert "tcp://nowhere:2375" in doctor.engine_check(DOWN).fix


def test_pythons_are_listed_in_their_order() -> None:
    assert doctor.python_check(["3.8", "3.12", "3.9"]).says.startswith("3.8, 3.9, 3.12")


def test_a_gpu_without_known_capability_is_a_gpu() -> None:
    assert "unknown" in doctor.gpu_check((Gpu("Tesla K80", "470.57", None),), DOWN).says


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
        never.wait(60)
        return Check("hang", State.OK, "")

    began = time.monotonic()
    checks = doctor.ask_all([Question("hang", hang), Question("fast", lambda: Check("fast", State.OK, "x"))], 2.0)
    assert time.monotonic() - began < 30
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
