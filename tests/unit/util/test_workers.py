"""Threads that run functions, and whoever waits for them."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from runner.util.workers import Workers


def test_functions_run_and_answer() -> None:
    workers = Workers(2, "test")
    futures = [workers.submit(lambda number: number * 2, n) for n in range(20)]
    assert [future.result(60) for future in futures] == [2 * n for n in range(20)]
    assert workers.wait(60)


def test_what_a_function_raises_is_raised_again() -> None:
    workers = Workers(1, "test")
    future = workers.submit(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        future.result(60)
    assert workers.submit(int, "7").result(60) == 7


def test_no_more_run_at_once_than_asked_for() -> None:
    workers = Workers(3, "test")
    running, most, guard, together = 0, 0, threading.Lock(), threading.Barrier(3)

    def run() -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        together.wait(60)
        with guard:
            running -= 1

    for _ in range(9):
        workers.submit(run)
    assert workers.wait(60)
    assert most == 3


def test_one_idle_thread_is_not_counted_for_several_functions() -> None:
    workers = Workers(3, "test")
    workers.submit(int, "1").result(60)
    assert workers.wait(60)
    together = threading.Barrier(3)
    futures = [workers.submit(together.wait, 60) for _ in range(3)]
    assert sorted(future.result(60) for future in futures) == [0, 1, 2]


def test_where_no_further_thread_can_be_started_those_that_run_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers, go_on = Workers(2, "test"), threading.Event()
    first = workers.submit(go_on.wait, 60)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = workers.submit(int, "7")
    go_on.set()
    assert first.result(60)
    assert second.result(60) == 7
    none = Workers(2, "test")
    with pytest.raises(RuntimeError, match="can't start"):
        none.submit(int, "7")
    assert none.wait(60)  # nothing waits for a thread that is not there


def test_closing_cancels_what_waits_and_not_what_runs() -> None:
    workers = Workers(1, "test")
    started, go_on = threading.Event(), threading.Event()

    def run() -> str:
        started.set()
        go_on.wait(60)
        return "done"

    running, waiting = workers.submit(run), workers.submit(run)
    assert started.wait(60)
    workers.close()
    assert waiting.cancelled()
    assert workers.submit(run).cancelled()
    assert not workers.wait(0.01)
    go_on.set()
    assert running.result(60) == "done"
    assert workers.wait(60)


def test_its_threads_do_not_keep_the_program_from_ending() -> None:
    workers = Workers(1, "test")
    assert workers.submit(lambda: threading.current_thread().daemon).result(60)


def test_a_signal_ends_a_wait_and_the_next_wait_still_waits() -> None:
    """Where a thread is joined, Python 3.11 and 3.12 take it for ended after that."""
    workers = Workers(1, "test")
    go_on = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:

        def run() -> bool:
            os.kill(os.getpid(), signal.SIGINT)
            return go_on.wait(60)

        future = workers.submit(run)
        with pytest.raises(KeyboardInterrupt):
            workers.wait(60)
        assert not workers.wait(0.05)
        go_on.set()
        assert workers.wait(60)
        assert future.result(0)
    finally:
        signal.signal(signal.SIGINT, before)
