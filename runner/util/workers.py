"""Threads that run functions and never keep the program from ending.

Those of ``concurrent.futures`` are joined when the interpreter exits, however long they wait for an engine that hangs.
Python 3.11 and 3.12 also mark a thread as ended when a signal interrupts its ``join``. So whoever waits here waits on a
condition.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

_ENDS_S = 15.0
"""How long the end of a context waits: an engine that hangs keeps a thread for longer."""

T = TypeVar("T")
P = ParamSpec("P")


class Workers:
    """Up to ``count`` daemon threads, started when they are needed."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[object], Callable[[], object]]] = deque()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """Start nothing more, and wait some seconds for what runs."""
        self.close()
        self.wait(_ENDS_S)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a thread call the function.

        The future is cancelled already where ``close`` was called. Raises RuntimeError where no thread can be started.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                future.cancel()
                return future
            self._waiting.append((future, lambda: function(*args, **kwargs)))  # type: ignore[arg-type]
            self._changed.notify_all()
            # an idle thread that was notified before, for another function, counts as idle until it wakes
            if self._idle < len(self._waiting) and self._threads < self._count:
                self._start()
        return future

    def _start(self) -> None:
        """Start one more thread.

        Where the system allows none, those that run do the work. Raises RuntimeError where there are none.
        """
        try:
            threading.Thread(target=self._work, name=f"{self._name}-{self._threads + 1}", daemon=True).start()
        except RuntimeError:
            if not self._threads:
                self._waiting.pop()
                raise
        else:
            self._threads += 1

    def close(self) -> None:
        """Start nothing more: what waits is cancelled, what runs goes on."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for future, _ in waiting:
            future.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing waits or runs. Returns whether that is so.

        A signal ends the wait.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and self._threads == self._idle, timeout_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._idle -= 1
                if not self._waiting:
                    self._threads -= 1
                    self._changed.notify_all()
                    return
                future, call = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - raised again by ``Future.result``
                    future.set_exception(error)
            del future, call
