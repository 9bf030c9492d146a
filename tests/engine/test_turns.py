"""Runs on one machine take turns: real processes that hold the machine's lock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.measure import turns
from runner.util import folders

HOLDER = """
import sys
from pathlib import Path
from runner.measure import turns
from runner.util import folders
folders.machine_lock = lambda: Path(sys.argv[1])
with turns.taken(alone=sys.argv[2] == "alone"):
    print("held", flush=True)
    sys.stdin.read()
"""


class Waited(Exception):  # noqa: N818 - it ends a wait
    """Ends a wait at once."""


@contextmanager
def other_run(lock: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(lock), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folders, "machine_lock", lambda: tmp_path / "machine.lock")
    return tmp_path / "machine.lock"


@pytest.mark.parametrize(
    ("theirs", "ours", "waits"),
    [("alone", True, True), ("alone", False, True), ("together", True, True), ("together", False, False)],
)
def test_a_process_whose_timings_count_has_the_machine_to_itself(
    lock: Path, theirs: str, ours: bool, waits: bool
) -> None:
    told: list[str] = []

    def waiting(who: str) -> None:
        told.append(who)
        raise Waited

    with other_run(lock, theirs) as other:
        try:
            with turns.taken(alone=ours, waiting=waiting):
                pass
        except Waited:
            assert f"process {other.pid} " in told[0]
        assert bool(told) is waits


def test_one_that_was_killed_keeps_nobody_waiting(lock: Path) -> None:
    with other_run(lock, "alone") as other:
        other.kill()
        other.wait()
        with turns.taken(alone=True, waiting=lambda who: pytest.fail(f"waits for {who}")):
            pass


def test_every_user_of_the_machine_can_take_the_lock_of_one_with_a_strict_umask(lock: Path) -> None:
    before = os.umask(0o077)
    try:
        with turns.taken(alone=True):
            assert stat.S_IMODE(lock.stat().st_mode) == 0o644
    finally:
        os.umask(before)
