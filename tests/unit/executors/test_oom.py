"""The count of a container's control group, read all along."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.executors import oom
from runner.util import cgroups


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The control group of process 7."""
    folder = tmp_path / "group"
    folder.mkdir()
    (folder / "memory.events").write_text("oom_kill 0\n")
    monkeypatch.setattr(cgroups, "of", lambda pid, _: cgroups.Cgroup((folder,) if pid == 7 else ()))
    return folder


def until(ask: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_kill_is_seen_also_when_the_group_is_gone_soon_after(group: Path) -> None:
    watch = oom.Watch(7, "1a")
    assert not watch.seen
    (group / "new").write_text("oom 1\noom_kill 1\n")
    (group / "new").rename(group / "memory.events")  # at once, as the kernel's
    until(lambda: watch.seen)
    (group / "memory.events").unlink()
    assert watch.seen
    watch.close()


def test_a_group_that_goes_without_a_kill_is_none(group: Path) -> None:
    watch = oom.Watch(7, "1a")
    (group / "memory.events").unlink()
    time.sleep(0.1)
    assert not watch.seen
    watch.close()


@pytest.mark.parametrize("pid", [0, 8])
@pytest.mark.usefixtures("group")
def test_without_a_group_nothing_is_read(pid: int) -> None:
    watch = oom.Watch(pid, "1a")
    assert not watch.seen
    watch.close()
