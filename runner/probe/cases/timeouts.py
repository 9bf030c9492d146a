"""Stops a case that does not end, without ending the sweep."""

from __future__ import annotations

import signal

CASE_S = 30
"""A case that takes longer (CPU seconds, so that a busy machine does not matter) is given up."""


class TooLong(Exception):  # noqa: N818
    """The case did not end in time."""


class limit:  # noqa: N801
    """Raises TooLong after ``CASE_S`` (times ``factor``) seconds of CPU time.

    It does so where there are such alarms.
    """

    def __init__(self, factor=1):
        self.seconds = CASE_S * factor

    def __enter__(self):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, self.seconds)

    def __exit__(self, *_):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)


class alarm:  # noqa: N801
    """Alarms raise TooLong meanwhile."""

    def __enter__(self):
        def ring(*_):
            raise TooLong("no result after %d s of CPU time" % CASE_S)

        self.old = signal.signal(signal.SIGPROF, ring) if hasattr(signal, "SIGPROF") else None

    def __exit__(self, *_):
        if hasattr(signal, "SIGPROF"):
            signal.signal(signal.SIGPROF, self.old)
