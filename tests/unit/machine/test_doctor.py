"""The doctor asks side by side, and nothing keeps him from answering."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from runner.engine import Engine
from runner.errors import UnavailableError
from runner.machine import doctor
from runner.machine.checks import Check, State
from runner.machine.doctor import Question

ENGINE = Engine(version="24.0.7", api="1.43", cgroup="2", system="Debian", root="/", limits_memory=True)
DOWN = UnavailableError("no Docker engine answers (Connection refused)")


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
