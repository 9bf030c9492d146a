"""What is wrong with a history's file is one line, and a file that cannot be used is left as it is."""

from __future__ import annotations

import gzip
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner import history
from runner.errors import RunnerError
from runner.history import files, schema
from runner.history.files import FileError, LockedError

VERSION_1 = gzip.decompress(Path(__file__).with_name("version-1.sqlite.gz").read_bytes())
"""A history of two nights, as the first version of the tables had it."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.sqlite"
    path.write_bytes(VERSION_1)
    return path


def refused(path: Path) -> list[str]:
    """What writing to a file and reading it say, each in one line; the file stays as it is."""
    before = path.read_bytes()
    said = []
    for use in (history.open, history.read):
        with pytest.raises(FileError) as error, use(path) as database:
            database.runs()
        said.append(str(error.value))
        assert "\n" not in said[-1]
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]  # noqa: PTH208
    return said


def test_a_text_is_not_a_history(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("figures of last week\n" * 200)
    assert refused(path) == [f"{path}: not a history of this program; name another file with --history"] * 2


def test_an_empty_file_is_not_a_history(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert "not a history of this program" in refused(path)[0]


def test_the_database_of_another_program_is_not_a_history(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE runs (id)")
        other.commit()
    assert "not a history of this program" in refused(path)[0]


def test_a_history_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer.sqlite"
    with history.open(path):
        pass
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    newer = f"written by a newer program (schema {schema.VERSION + 1}, this one reads up to {schema.VERSION})"
    assert refused(path) == [f"{path}: {newer}; upgrade this one"] * 2


@pytest.mark.parametrize("size", [5_000, 60_000, 110_000])
def test_a_file_that_was_cut_off_is_named_and_left_alone(old: Path, size: int) -> None:
    old.write_bytes(VERSION_1[:size])
    for line in refused(old):
        assert line.startswith(f"{old}: a damaged history (")
        assert "it is left as it is" in line


def test_a_file_with_foreign_bytes_inside_is_named_and_left_alone(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "damaged" / "h.sqlite"
    with history.open(path) as database:
        for entry in lab.days(dict.fromkeys(range(1, 29), 1.0)):
            database.add(entry)
    content = bytearray(path.read_bytes())
    for place in range(3 * 4096, len(content), 4096):
        content[place : place + 64] = b"\xa5" * 64
    path.write_bytes(content)
    assert all("a damaged history" in line for line in refused(path))


def test_a_folder_is_not_a_history(tmp_path: Path) -> None:
    for use in (history.open, history.read):
        with pytest.raises(FileError, match="is a folder; name a file"), use(tmp_path):
            pass


@pytest.mark.parametrize("use", [history.open, history.read])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, use: Any) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match="a device, pipe or socket, not a file"), use(pipe):
        pass


@pytest.mark.parametrize("use", [history.open, history.read])
def test_a_link_to_nothing_is_named(tmp_path: Path, use: Any) -> None:
    link = tmp_path / "h.sqlite"
    link.symlink_to("gone.sqlite")
    with pytest.raises(FileError, match=r"a link to gone\.sqlite, which is not there"), use(link):
        pass
    assert os.listdir(tmp_path) == [link.name]  # noqa: PTH208


def test_a_history_that_is_not_there_is_not_made_by_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(FileError, match=r"no such history; `runner history add DIR` begins one"), history.read(path):
        pass
    assert not path.exists()


def test_a_history_is_made_with_its_folder_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "h.sqlite"
    with history.open(path) as database:
        assert database.runs() == ()
    assert os.listdir(path.parent) == ["h.sqlite"]  # noqa: PTH208


def test_a_path_with_marks_of_an_address_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&x#y %41.sqlite"
    with history.open(path):
        pass
    assert path.is_file()
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208


def test_a_reader_writes_nothing_next_to_the_file(lab: Any) -> None:
    with history.open(lab.path) as database:
        database.add(lab.days({1: 1.0})[0])
    before = lab.path.stat()
    with history.read(lab.path) as database:
        assert len(database.runs()) == 1
        assert os.listdir(lab.path.parent) == [lab.path.name]  # noqa: PTH208
    assert lab.path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_reader_cannot_add(lab: Any) -> None:
    with history.open(lab.path):
        pass
    with history.read(lab.path) as database, pytest.raises(FileError, match="read-only"):
        database.add(lab.days({1: 1.0})[0])


def test_a_file_that_may_not_be_written_is_refused_before_anything_is_done(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with history.open(lab.path):
        pass
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may write everything
    with pytest.raises(FileError, match="cannot be written: read-only; name another file"), history.open(lab.path):
        pass


def test_a_history_that_another_program_writes_is_waited_for_and_then_named(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with history.open(lab.path):
        pass
    monkeypatch.setattr(files, "WAIT_S", 0.05)
    with closing(sqlite3.connect(lab.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for use in (history.open, history.read):
            with (
                pytest.raises(LockedError, match="another program has been writing to it") as error,
                use(lab.path) as d,
            ):
                d.runs()
            assert error.value.exit_code == 3


def test_an_addition_that_fails_leaves_the_history_as_it_was(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = lab.days({1: 1.0, 2: 2.0})
    with history.open(lab.path) as database:
        database.add(first)
        monkeypatch.setattr("runner.history.adding._findings", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            database.add(second)
        monkeypatch.undo()
        assert len(database.runs()) == 1
        assert database.add(second).new == 1
    with history.read(lab.path) as database:
        assert len(database.runs()) == 2


# --- an older version ------------------------------------------------------------------------------------------------


def content(path: Path) -> list[tuple[Any, ...]]:
    """What a history has of the finding with most cells, and how many figures."""
    with history.read(path) as database:
        runs = database.runs()
        found = database.findings(runs[-1])
        return [(run.id, run.samples, run.findings) for run in runs] + [(len(found), len(database.series()))]


def test_an_older_history_is_read_without_a_change_to_it(old: Path) -> None:
    assert content(old) == [("1763e24c60f4", 15, 7), ("2f3c6b00f841", 15, 8), (8, 28)]
    assert old.read_bytes() == VERSION_1
    assert os.listdir(old.parent) == [old.name]  # noqa: PTH208


def test_an_older_history_is_migrated_by_a_writer_and_the_old_file_kept(old: Path) -> None:
    before = content(old)
    with history.open(old) as database:
        assert all(found.details == () == found.commands for found in database.findings(database.run("latest")))
    assert content(old) == before
    kept = old.with_name("old.sqlite.v1")
    with closing(sqlite3.connect(old)) as new, closing(sqlite3.connect(kept)) as copy:
        assert schema.version(new) == schema.VERSION
        assert schema.version(copy) == 1
        assert list(copy.execute("SELECT * FROM figures")) == list(new.execute("SELECT * FROM figures")) != []
    assert sorted(os.listdir(old.parent)) == ["old.sqlite", "old.sqlite.v1"]  # noqa: PTH208
    with history.open(old) as database:  # once is enough
        assert database.run("latest").findings == 8


def test_a_migrated_history_has_the_tables_of_a_new_one(old: Path, lab: Any) -> None:
    def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
        with closing(sqlite3.connect(path)) as one:
            names = [name for (name,) in one.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: [row[1:] for row in one.execute(f"PRAGMA table_info({name})")] for name in sorted(names)}

    for path in (old, lab.path):
        with history.open(path):
            pass
    assert tables(old) == tables(lab.path)
    assert "findings" in tables(old)


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", {1: (*schema.MIGRATIONS[1], "ALTER TABLE nothing ADD COLUMN x")})
    with pytest.raises(RunnerError), history.open(old):
        pass
    assert old.read_bytes() == VERSION_1


def test_every_older_version_has_a_migration() -> None:
    assert sorted(schema.MIGRATIONS) == list(range(1, schema.VERSION))
