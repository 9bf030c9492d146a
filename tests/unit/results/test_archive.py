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


def test_results_are_packed_in_the_order_of_probes_and_always_alike(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for cell in ("b", "a"):
        for probe in ("ops", "model"):
            place = folder / "results" / cell / probe
            place.mkdir(parents=True)
            (place / "0-key.json").write_text(f"{cell} {probe}")
    (folder / "run.json").write_text("{}")
    made = archive.packed(folder)
    assert made == archive.packed(folder)
    kept = tmp_path / "kept.tar.xz"
    kept.write_bytes(made)
    with tarfile.open(kept) as packed:
        assert [name.split("/")[-3:-1] for name in packed.getnames()] == [
            [], ["a", "model"], ["b", "model"], ["a", "ops"], ["b", "ops"],
        ]  # fmt: skip
    with archive.unpacked([kept]) as (there,):
        assert (there / "results" / "b" / "ops" / "0-key.json").read_text() == "b ops"


def test_a_folder_without_results_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no results in it"):
        archive.packed(tmp_path)
