"""The outages of a run: which cells they stop, and which were reported already."""

from __future__ import annotations

import threading

from runner.errors import Cause, OutageError


class Outages:
    """The outages of a whole run, by executor. Thread-safe.

    The first outage of one cause stands for all later ones, so that all its cells have the same reason.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: dict[tuple[str, Cause, bool], OutageError] = {}
        self._running: dict[str, OutageError] = {}
        self._reported: set[int] = set()
        self._logged: set[int] = set()

    def note(self, executor: str, error: OutageError, *, running: bool = False) -> OutageError:
        """Note an outage. Returns the one that stands for it.

        ``running``: it stopped a process and not the making of an environment.
        """
        with self._lock:
            first = self._first.setdefault((executor, error.cause, error.everywhere), error)
            if running or first.cause is Cause.ENGINE:
                self._running.setdefault(executor, first)
            return first

    def building(self, executor: str) -> OutageError | None:
        """Return why the executor can make no environment, if so."""
        with self._lock:
            return next(
                (error for (name, _, everywhere), error in self._first.items() if name == executor and everywhere), None
            )

    def running(self, executor: str) -> OutageError | None:
        """Return why the executor can run no process, if so."""
        with self._lock:
            return self._running.get(executor)

    def news(self) -> list[tuple[str, OutageError]]:
        """Return the outages that were not reported yet, with their executor."""
        with self._lock:
            found = [(name, error) for (name, _, _), error in self._first.items() if id(error) not in self._reported]
            self._reported.update(id(error) for _, error in found)
            return found

    def log(self, error: OutageError) -> str:
        """Return the log of an outage once, then an empty text."""
        with self._lock:
            log = "" if id(error) in self._logged else error.log
            self._logged.add(id(error))
            return log
