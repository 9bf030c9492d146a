"""Packed results are read like folders."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.results import archive


def test_an_archive_is_a_folder_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with tarfile.open(tmp_path / "results.tar.xz", "w:xz") as packed:
        packed.add(tmp_path / "run.json", "run.json")
    with archive.unpacked([tmp_path, tmp_path / "results.tar.xz"]) as (folder, other):
        assert folder == tmp_path
        assert (other / "run.json").read_text() == "{}"
    assert not other.exists()


def test_an_archive_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "results.tar.xz"
    broken.write_text("no archive")
    with pytest.raises(UsageError, match=r"results\.tar\.xz: cannot be unpacked"), archive.unpacked([broken]):
        pass
