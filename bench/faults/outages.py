"""The suite's own engine is killed, or stands still, while cells run."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace

from dockerd import Engine
from judged import Judged, judge_stopped
from tries import CONTAINERS, Fault, Suite, SuiteError, complete

_CODES = (0, 3, 4)
"""An outage may leave cells without a result.

It never makes a version worse (1) or the usage bad (2).
"""
_STOPPED_S = 20.0


def own(suite: Suite) -> Engine:
    """The suite's engine. Raises SuiteError where there is none."""
    if suite.engine is None:
        raise SuiteError("this fault needs an engine")
    return suite.engine


def killed(suite: Suite, draw: random.Random) -> Judged:
    """SIGKILL dockerd and containerd; start them again up to two seconds later."""
    engine, quiet = own(suite), suite.quiet(*CONTAINERS, codes_at_fault=_CODES)
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds))
        engine.kill()
        at_fault = one.results()
        time.sleep(draw.uniform(0.0, 2.0))
        engine.start()
        disturbed = run.wait()
        return one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def paused(suite: Suite, draw: random.Random) -> Judged:
    """Stop the engine for half a second: the run must not even notice."""
    engine, quiet = own(suite), suite.quiet(*CONTAINERS, codes_at_fault=(0,))
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.0, quiet.seconds))
        at_fault = one.results()
        engine.pause(0.5)
        disturbed = run.wait()
        unnoticed = complete(one, quiet.expected)
        return unnoticed + one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def away_for_a_moment(suite: Suite, draw: random.Random) -> Judged:
    """Restart the engine while a container runs: a second try measures the cell."""
    engine, quiet = own(suite), suite.quiet(*CONTAINERS, codes_at_fault=(0,))
    with suite.trying() as one:
        run = one.start(quiet.words)
        while run.running and not engine.containers():
            time.sleep(0.05)
        time.sleep(draw.uniform(0.0, 0.5))
        at_fault = one.results()
        engine.kill()
        engine.start()
        disturbed = run.wait()
        unnoticed = complete(one, quiet.expected)
        return unnoticed + one.resume(quiet.expected, quiet.words, at_fault, disturbed)


def stopped_while_it_hangs(suite: Suite, draw: random.Random) -> Judged:
    """Ctrl-C while the engine stands still: the run ends soon all the same."""
    engine, quiet = own(suite), suite.quiet(*CONTAINERS)
    with suite.trying() as one:
        run = one.start(quiet.words)
        time.sleep(draw.uniform(0.3, 1.0) * quiet.seconds)
        pids = engine.pids()
        _send(pids, signal.SIGSTOP)
        waking = threading.Timer(3 * _STOPPED_S, _send, (pids, signal.SIGCONT))
        waking.start()
        try:
            time.sleep(0.3)
            asked = time.monotonic()
            run.signal(signal.SIGINT, group=True)
            ended = replace(run.wait(), seconds=time.monotonic() - asked)
        finally:
            waking.cancel()
            _send(pids, signal.SIGCONT)
        # containers may stay: nobody could remove them. The next run does
        at_fault = one.results()
        expected = replace(quiet.expected, codes_at_fault=(0, 3, 4, 130))
        left = judge_stopped(expected, at_fault, ended, _STOPPED_S)
        return left + one.resume(expected, quiet.words, at_fault, ended)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


FAULTS = (
    Fault("engine-kill", "SIGKILL of dockerd and containerd, started again within two seconds", killed, 1, 60),
    Fault("engine-pause", "the engine stands still for half a second", paused, 1, 30),
    Fault("engine-restart", "the engine is killed and restarted while a cell runs", away_for_a_moment, 1, 30),
    Fault("engine-hangs", "Ctrl-C while the engine stands still", stopped_while_it_hangs, 0, 10),
)
