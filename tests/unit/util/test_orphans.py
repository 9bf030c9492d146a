"""Processes that a killed run has left, found by the mark in their environment. None of them is real here."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from runner.util import cgroups, commands, orphans

MARK = f"{orphans.MARK}=run-1"


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: found.append(pid))
    monkeypatch.setattr(cgroups, "sweep", lambda _name: None)
    return found


def test_linux_shows_the_environment_of_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    environments = {
        "/proc/5/environ": f"A=b\0{MARK}\0".encode(),
        "/proc/6/environ": f"A={MARK}\0{MARK}2\0".encode(),  # another run's, whose name begins alike
        "/proc/7/environ": b"",
        "/proc/9/environ": f"{MARK}.program-2\0".encode(),
    }

    def read(path: Path) -> bytes:
        if str(path) not in environments:
            raise PermissionError(13, "another user's")
        return environments[str(path)]

    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(os, "listdir", lambda _folder: ["5", "6", "7", "8", "9", "self"])
    monkeypatch.setattr(Path, "read_bytes", read)
    assert orphans.marked("run-1") == [5, 9]
    assert orphans.marked("run-1.program-2") == [9]


def test_macos_shows_it_behind_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    output = f"  5 python -m probe A=b {MARK} C=d\n  6 python {MARK}2\n  7 python\n garbage\n"
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(commands, "output", lambda *_, **__: output)
    assert orphans.marked("run-1") == [5]


def test_it_looks_again_until_it_finds_none(monkeypatch: pytest.MonkeyPatch, killed: list[int]) -> None:
    looks = iter([[5, 6, os.getpid()], [9], []])
    monkeypatch.setattr(orphans, "marked", lambda _name: next(looks))
    assert orphans.end("run-1")
    assert killed == [5, 6, 9]
    assert next(looks, None) is None


def test_what_cannot_be_killed_has_an_end(monkeypatch: pytest.MonkeyPatch, killed: list[int]) -> None:
    monkeypatch.setattr(orphans, "_ENOUGH_S", 0.05)
    monkeypatch.setattr(orphans, "marked", lambda _name: [5])
    assert not orphans.end("run-1")
    assert set(killed) == {5}
