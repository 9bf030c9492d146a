"""Temporary folders of a run, and what is swept of a run that was killed. Locks of other processes are made here."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import Cause, OutageError
from runner.util import orphans, scratch


@pytest.fixture(autouse=True)
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder where nothing was swept yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_STATE", scratch._State())
    monkeypatch.setattr(orphans, "end", lambda _name: True)
    return tmp_path.resolve()


def killed(tmp: Path, *folders: str, owner: bool = True) -> Path:
    """What a run that was killed left."""
    left = tmp / f"keras-version-matrix-run-{len(list(tmp.iterdir()))}"
    for name in folders:
        (left / name).mkdir(parents=True)
        (left / name / "file").write_text("x")
    if owner:
        (left / "owner").write_text("1\n")
    return left


@pytest.fixture
def alive(tmp: Path) -> Iterator[Path]:
    """The folder of another process that runs."""
    folder = killed(tmp, "io-1")
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield folder
    os.close(descriptor)


class TestFolders:
    def test_a_folder_is_this_users_alone_and_ends_with_its_context(self, tmp: Path) -> None:
        with scratch.folder("io") as folder:
            (folder / "file").write_text("x")
            assert folder.name.startswith("io-")
            assert folder.parent.parent == tmp
            assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert list(tmp.iterdir()) == []

    def test_all_of_a_process_lie_in_one_folder_that_goes_with_the_last(self, tmp: Path) -> None:
        with scratch.folder("io") as first:
            with scratch.folder("home") as second:
                assert first.parent == second.parent
            assert not second.exists()
            assert first.exists()
        assert list(tmp.iterdir()) == []

    def test_it_is_locked_while_it_is_there(self) -> None:
        with scratch.folder("io") as folder:
            descriptor = os.open(folder.parent, os.O_RDONLY)
            with pytest.raises(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(descriptor)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (OSError(28, "No space left on device"), "no space is left on the disk of"),
            (FileNotFoundError(2, "No usable temporary directory found"), "no temporary folder can be made in"),
            (PermissionError(13, "Permission denied"), r"\(Permission denied\)"),
        ],
    )
    def test_where_none_can_be_made_every_cell_fails_alike(
        self, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
    ) -> None:
        def refuse(**_: object) -> str:
            raise error

        monkeypatch.setattr(tempfile, "mkdtemp", refuse)
        with pytest.raises(OutageError, match=said) as caught:
            scratch.make("io")
        assert caught.value.cause is Cause.DISK


class TestKept:
    def test_one_that_is_kept_stays_and_the_others_go(self, tmp: Path) -> None:
        with scratch.folder("home"):
            kept = scratch.make("io")
            (kept / "file").write_text("x")
            scratch.keep(kept)
        assert scratch.is_kept(kept)
        assert sorted(path.name for path in kept.parent.iterdir()) == [kept.name, "kept"]
        scratch.sweep()
        assert (kept / "file").exists()
        scratch.discard(kept)
        assert list(tmp.iterdir()) == []

    def test_to_discard_one_of_a_run_that_is_alive_leaves_the_rest_to_that_run(self, alive: Path) -> None:
        """`runner images prune` while a run with --keep-failed goes on."""
        (alive / "io-2").mkdir()
        (alive / "kept").write_text("io-2\n")
        scratch.discard(alive / "io-2")
        assert not (alive / "io-2").exists()
        assert (alive / "io-1" / "file").exists()

    def test_a_folder_of_somebody_else_is_not_kept_here(self, tmp: Path) -> None:
        (tmp / "precious").mkdir()
        assert not scratch.is_kept(tmp / "precious")
        with scratch.folder("io") as folder:
            assert not scratch.is_kept(folder)


class TestSweep:
    def test_the_first_folder_of_a_process_sweeps_what_killed_ones_left(
        self, tmp: Path, alive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended: list[str] = []
        monkeypatch.setattr(orphans, "end", ended.append)
        left = killed(tmp, "io-1", "home-2")
        others = tmp / "keras-version-matrix-1000"  # the cache of a user without a home
        others.mkdir()
        with scratch.folder("io"):
            assert not left.exists()
            assert ended == [left.name]
        assert (alive / "io-1" / "file").exists()
        assert others.exists()

    def test_what_was_kept_of_a_killed_run_stays(self, tmp: Path) -> None:
        left = killed(tmp, "io-1", "home-2")
        (left / "kept").write_text("io-1\n")
        scratch.sweep()
        assert sorted(path.name for path in left.iterdir()) == ["io-1", "kept"]

    @pytest.mark.parametrize("content", [None, b"\xff\n"])
    def test_a_list_of_what_was_kept_that_cannot_be_read_is_none(self, tmp: Path, content: bytes | None) -> None:
        """A cell on the host may write there: a FIFO must not stop every later run."""
        left = killed(tmp, "io-1")
        if content is None:
            os.mkfifo(left / "kept")
        else:
            (left / "kept").write_bytes(content)
        scratch.sweep()
        assert not left.exists()

    def test_one_that_is_being_made_just_now_stays_until_it_is_old(self, tmp: Path) -> None:
        left = killed(tmp, "io-1", owner=False)
        scratch.sweep()
        assert left.exists()
        os.utime(left, (time.time() - 3600, time.time() - 3600))
        scratch.sweep()
        assert not left.exists()

    def test_a_link_and_what_another_user_made_stay(self, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        precious = tmp / "precious"
        precious.mkdir()
        (tmp / "keras-version-matrix-run-link").symlink_to(precious)
        left = killed(tmp, "io-1")
        monkeypatch.setattr(os, "getuid", lambda: 4711)
        scratch.sweep()
        assert precious.exists()
        assert left.exists()

    def test_a_temporary_folder_that_cannot_be_read_is_no_error(
        self, tmp: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp / "none"))
        scratch.sweep()
