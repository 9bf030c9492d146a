"""Folders of any depth are removed and measured."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runner.util.remove import remove, size

NOBODY = 65534


def deep(top: Path, depth: int, name: str = "d") -> None:
    """Folders in folders, with a file in the last one, made one name at a time: their path is too long for one."""
    top.mkdir()
    place = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=place)
        below = os.open(name, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=place)
    os.write(file, b"x" * 100_000)
    os.close(file)
    os.close(place)


@pytest.fixture
def plain_user() -> Iterator[Path]:
    """A folder of a user to whom permissions apply, which they do not to root."""
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp())
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        remove(folder)


def test_a_folder_is_removed_with_all_it_contains(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    top = tmp_path / "top"
    for number in range(3):
        (top / f"a{number}" / "b").mkdir(parents=True)
        (top / f"a{number}" / "b" / "file").write_text("x")
    (top / "link").symlink_to(outside)
    (top / "a0" / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(top / "pipe")
    assert remove(top)
    assert not top.exists()
    assert (outside / "kept").read_text() == "x"


@pytest.mark.parametrize(("depth", "name"), [(3000, "d"), (60, "n" * 250)])
def test_depth_and_length_of_path_do_not_matter(tmp_path: Path, depth: int, name: str) -> None:
    deep(tmp_path / "top", depth, name)
    assert 100_000 <= size(tmp_path / "top") < 200_000
    assert remove(tmp_path / "top")
    assert not (tmp_path / "top").exists()


def test_a_link_or_a_file_is_removed_itself(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "file").write_text("x")
    assert remove(tmp_path / "link")
    assert remove(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_is_not_there_is_gone(tmp_path: Path) -> None:
    assert remove(tmp_path / "nothing")
    assert remove(tmp_path / "nothing" / "below")
    assert size(tmp_path / "nothing") == 0


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o400, 0o500])
def test_folders_without_permissions_are_removed(plain_user: Path, mode: int) -> None:
    top = plain_user / "top"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("x")
    for folder in (top / "a" / "b", top / "a", top):
        folder.chmod(mode)
    assert remove(top)
    assert not list(plain_user.iterdir())


def test_an_unreadable_folder_does_not_end_the_measurement(plain_user: Path) -> None:
    for name, mode in (("a", 0o000), ("b", 0o400), ("c", 0o700)):
        (plain_user / name).mkdir()
        (plain_user / name / "file").write_bytes(b"x" * 50_000)
        (plain_user / name).chmod(mode)
    assert 50_000 <= size(plain_user) < 100_000


def test_what_cannot_be_removed_is_told(plain_user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (plain_user / "top" / "in").mkdir(parents=True)
    (plain_user / "top" / "in" / "file").write_text("x")
    unlink = os.unlink

    def refuse(name: str, *, dir_fd: int) -> None:
        if name == "file":
            raise PermissionError(1, "not permitted")
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr("os.unlink", refuse)
    assert not remove(plain_user / "top")
    assert (plain_user / "top" / "in" / "file").exists()
    monkeypatch.undo()
    assert remove(plain_user / "top")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    deep(tmp_path / "top", 50)
    before = len(list(Path("/dev/fd").iterdir()))
    size(tmp_path / "top")
    remove(tmp_path / "top")
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_folder_moved_away_meanwhile_leads_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way up from a moved folder leads to where it is now, which is not to be removed."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").mkdir()
    (tmp_path / "top" / "a").mkdir(parents=True)
    (tmp_path / "top" / "a" / "file").write_text("x")
    unlink = os.unlink

    def moving(name: str, *, dir_fd: int) -> None:
        unlink(name, dir_fd=dir_fd)
        with suppress(OSError):
            (tmp_path / "top" / "a").rename(other / "a")

    monkeypatch.setattr("os.unlink", moving)
    assert remove(tmp_path / "top")
    assert (other / "kept").is_dir()


def test_links_are_not_followed_and_hard_links_count_once(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (tmp_path / "big").write_bytes(b"x" * 200_000)
    (top / "file").write_bytes(b"x" * 50_000)
    os.link(top / "file", top / "again")
    (top / "link").symlink_to(tmp_path / "big")
    (top / "folder").symlink_to(tmp_path)
    assert 50_000 <= size(top) < 100_000
