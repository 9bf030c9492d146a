"""Whether the process that a leftover belongs to has ended, on Linux and on a Mac."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.executors import owner
from runner.executors.owner import Owner
from runner.util import commands

STAT = "4711 (a (strange) name) S " + " ".join(str(number) for number in range(4, 60)) + "\n"


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The files of a made-up /proc: a host with two processes."""
    found = {"/proc/sys/kernel/random/boot_id": "boot-1\n", "/proc/4711/stat": STAT, "/proc/1/stat": STAT}

    def read_text(path: Path, *_: object) -> str:
        if str(path) not in found:
            raise FileNotFoundError(2, "gone")
        return found[str(path)]

    def kill(pid: int, number: int) -> None:
        assert number == 0
        if pid == 1:
            raise PermissionError  # another user's
        if f"/proc/{pid}/stat" not in found:
            raise ProcessLookupError

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(Path, "readlink", lambda _path: Path("pid:[7]"))
    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    monkeypatch.setattr(platform, "node", lambda: "box")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    owner._host.cache_clear()
    owner._boot.cache_clear()
    yield found
    owner._host.cache_clear()
    owner._boot.cache_clear()


def test_a_process_is_its_host_its_boot_its_number_and_its_start() -> None:
    assert Owner.this() == Owner("box pid:[7]", "boot-1", 4711, "22")


def test_a_process_that_is_there_is_not_gone() -> None:
    assert not Owner.this().gone()
    assert not Owner("box pid:[7]", "boot-1", 1, "22").gone()


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"boot": "boot-0"}, True),
        ({"pid": 4712}, True),
        ({"started": "21"}, True),
        ({"started": ""}, False),
        ({"host": "other", "boot": "boot-0"}, False),
        ({"host": "box pid:[8]", "pid": 4712}, False),
    ],
)
def test_only_a_process_that_has_certainly_ended_is_gone(change: dict[str, Any], gone: bool) -> None:
    assert replace(Owner.this(), **change).gone() is gone


def test_a_process_of_unknown_start_is_taken_for_the_same(files: dict[str, str]) -> None:
    me = Owner.this()
    del files["/proc/1/stat"]
    assert not replace(me, pid=1, started="21").gone()


def test_a_system_without_proc_knows_less(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> Path:
        raise OSError

    files.clear()
    monkeypatch.setattr(Path, "readlink", refuse)
    assert Owner.this() == Owner("box", "", 4711, "")


def test_a_mac_is_asked_by_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        ("sysctl", "-n", "kern.bootsessionuuid"): "session",
        ("ps", "-o", "lstart=", "-p", "4711"): "Mon Nov 23 10:00:00 2026",
    }
    limits: list[float] = []

    def output(*command: str, timeout_s: float) -> str:
        limits.append(timeout_s)
        return answers[command]

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(commands, "output", output)
    assert Owner.this() == Owner("box pid:[7]", "session", 4711, "Mon Nov 23 10:00:00 2026")
    assert limits == [5.0, 5.0]
