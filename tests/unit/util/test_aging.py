"""What a cache has not used for long is removed, but for those used last."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from runner.environments import wheels
from runner.util import aging, folders, wheel_file

DAY = 86400.0


def _filled(folder: Path, ages: dict[str, float]) -> None:
    for name, days in ages.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
        (folder / f"{name}.lock").touch()
        for path in (folder / name, folder / f"{name}.lock"):
            os.utime(path, (time.time() - days * DAY,) * 2)


def test_old_entries_go_and_the_last_ten_stay(tmp_path: Path) -> None:
    _filled(tmp_path, {f"e{n}": 100.0 + n for n in range(12)} | {"new": 1.0})
    gone = aging.prune(tmp_path)
    assert {path.name for path in gone} == {"e9", "e10", "e11"}
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".lock"} == {
        f"{name}.lock" for name in ("new", *(f"e{n}" for n in range(9)))
    }


def test_what_was_used_within_sixty_days_stays_however_many(tmp_path: Path) -> None:
    _filled(tmp_path, {f"e{n}": 59.0 for n in range(15)} | {"old": 61.0})
    assert [path.name for path in aging.prune(tmp_path)] == ["old"]


def test_use_makes_an_entry_new(tmp_path: Path) -> None:
    _filled(tmp_path, {f"e{n}": 100.0 + n for n in range(11)})
    aging.used(tmp_path / "e10")
    assert [path.name for path in aging.prune(tmp_path)] == ["e9"]


def test_a_folder_that_is_not_there_has_nothing_to_remove(tmp_path: Path) -> None:
    aging.used(tmp_path / "nowhere")
    assert aging.prune(tmp_path / "nowhere") == ()


def test_a_wheel_is_used_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "cache_dir", lambda: tmp_path)
    _filled(tmp_path / "wheels", {f"e-{n}+g1": 90.0 for n in range(12)})
    path = tmp_path / "own-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own.py", "")
        archive.writestr("own-1.dist-info/METADATA", "Name: own\nVersion: 1\n")
    kept = wheels.keep(wheel_file.read(path), "w1", "sha256:1", "note")
    assert len(list((tmp_path / "wheels").glob("e-*+g1"))) == aging.LEAST
    os.utime(kept.path.parent, (0, 0))
    assert wheels.find("own", "1+w1") == kept
    assert kept.path.parent.stat().st_mtime > time.time() - DAY
