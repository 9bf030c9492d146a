"""A history on a real disk: several writers, a killed one, no room, no permission."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from runner import history
from runner.errors import RunnerError
from runner.history.data import Entry
from runner.model import Cell, Kind, Metric, Sample, Status
from runner.results import store

CELL = Cell("torch", "2.2.2", "3.11.3", "3.11", "cpu")
NOBODY = 65534


def sample(day: int, number: int = 0, metrics: int = 1) -> Sample:
    figures = tuple(Metric(f"figure_{n}_s", 1.0 + n, Kind.TIMING, unit="s") for n in range(metrics))
    return Sample(
        CELL, "e", "mnist", {}, number, number, "docker", Status.OK, "", figures, fingerprint={"host": "atlas"},
        started=f"2026-11-{day:02}T01:{number // 60 % 60:02}:{number % 60:02}+00:00", key=f"{day}-{number}",
    )  # fmt: skip


def night(folder: Path, day: int) -> Path:
    """A folder of results of one night."""
    there = store.Store(folder)
    there.open()
    there.record(store.RunRecord(set_name="quick", cells=(CELL,)))
    for number in range(3):
        there.save(sample(day, number))
    return folder


def command(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runner", "history", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def in_another_process(work: Callable[[], None], before: Callable[[], object] = lambda: None) -> str:
    """What work in a process of its own ends with: the line of its error, or nothing."""

    def run(answer: Connection) -> None:
        try:
            before()
            work()
        except (RunnerError, OSError, sqlite3.Error) as error:
            answer.send(f"{type(error).__name__}: {error}")
        else:
            answer.send("")

    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs,))
    process.start()
    theirs.close()
    try:
        return str(mine.recv())
    finally:
        process.join()


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Six programs begin one history together; the file does not exist before."""
    folders = [night(tmp_path / f"n{day}", day) for day in range(1, 7)]
    path = tmp_path / "h.sqlite"
    programs = [command("add", str(folder), "--history", str(path)) for folder in folders]
    for program in programs:
        out, errors = program.communicate(timeout=120)
        assert (program.returncode, errors) == (0, "")
        assert "new run" in out
    with history.read(path) as database:
        assert [(run.started[:10], run.samples) for run in database.runs()] == [
            (f"2026-11-{day:02}", 3) for day in range(1, 7)
        ]
        (series,) = database.series(metric="figure_0_s")
        assert len(series.points) == 6


def test_writers_of_one_folder_add_it_once(tmp_path: Path) -> None:
    folder, path = night(tmp_path / "n", 1), tmp_path / "h.sqlite"
    programs = [command("add", str(folder), "--history", str(path)) for _ in range(3)]
    said = [program.communicate(timeout=120)[0] for program in programs]
    assert sorted("new run" in line for line in said) == [False, False, True]
    with history.read(path) as database:
        assert [run.samples for run in database.runs()] == [3]


def test_a_killed_writer_leaves_the_runs_before_it(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("quick", (sample(1),), (), (), 0))
    large = Entry("quick", tuple(sample(2, number, 40) for number in range(3000)), (), (), 0)

    def add() -> None:
        with history.open(path) as database:
            database._connection.execute("PRAGMA cache_size = 10")  # so that it writes into the file as it goes
            database.add(large)

    process = multiprocessing.get_context("fork").Process(target=add)
    process.start()
    journal, deadline = path.with_name("h.sqlite-journal"), time.monotonic() + 60
    while not (journal.exists() and path.stat().st_size > 300_000):
        assert time.monotonic() < deadline
        assert process.is_alive(), "it ended before it was killed"
        time.sleep(0.001)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    with history.open(path) as database:
        assert [run.samples for run in database.runs()] == [1]
        assert database.add(large).new == 3000


def _limited(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _large(path: Path) -> Callable[[], None]:
    entry = Entry("quick", tuple(sample(2, number, 40) for number in range(3000)), (), (), 0)

    def add() -> None:
        with history.open(path) as database:
            database.add(entry)

    return add


def test_a_file_that_may_not_grow_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("quick", (sample(1),), (), (), 0))
    said = in_another_process(_large(path), lambda: _limited(200_000))
    assert said.startswith(f"FileError: {path}: ")
    assert "nothing was changed" in said
    with history.open(path) as database:
        assert [run.samples for run in database.runs()] == [1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("may not mount a file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_named_and_nothing_is_lost(small_disk: Path) -> None:
    path = small_disk / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("quick", (sample(1),), (), (), 0))
    (small_disk / "rest").write_bytes(b"x" * 700_000)
    said = in_another_process(_large(path))
    assert said == (
        f"FileError: {path}: the disk is full, and nothing was changed; make room, then try again"
    )  # fmt: skip
    with history.open(path) as database:
        assert [run.samples for run in database.runs()] == [1]
    assert sorted(os.listdir(small_disk)) == ["h.sqlite", "rest"]  # noqa: PTH208


def test_a_disk_without_room_for_a_history_is_named(small_disk: Path) -> None:
    (small_disk / "rest").write_bytes(b"x" * 1_000_000)
    said = in_another_process(_large(small_disk / "h.sqlite"))
    assert said.startswith("FileError: ")
    assert "full" in said
    assert os.listdir(small_disk) == ["rest"]  # noqa: PTH208


def _as_nobody() -> None:
    if os.getuid() == 0:
        os.setuid(NOBODY)


@pytest.fixture
def open_to_all(tmp_path: Path) -> Path:
    """A folder that every user can enter."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    return tmp_path


def test_a_file_of_somebody_else_is_read_and_not_written(open_to_all: Path) -> None:
    path = open_to_all / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("quick", (sample(1),), (), (), 0))
    path.chmod(0o444)
    open_to_all.chmod(0o555)

    def read() -> None:
        with history.read(path) as database:
            assert len(database.runs()) == 1

    try:
        assert in_another_process(read, _as_nobody) == ""
        said = in_another_process(_large(path), _as_nobody)
    finally:
        open_to_all.chmod(0o755)
    assert said == f"FileError: {path}: cannot be written: read-only; name another file with --history"


def test_a_folder_of_somebody_else_takes_no_history(open_to_all: Path) -> None:
    with history.open(open_to_all / "h.sqlite"):
        pass
    (open_to_all / "h.sqlite").chmod(0o666)
    open_to_all.chmod(0o555)
    try:
        for name in ("h.sqlite", "new.sqlite", "a/new.sqlite"):
            said = in_another_process(_large(open_to_all / name), _as_nobody)
            assert said.startswith(f"FileError: {open_to_all / name}: cannot be written")
            assert "\n" not in said
    finally:
        open_to_all.chmod(0o755)


def test_a_reader_waits_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with history.open(path) as database:
        database.add(Entry("quick", (sample(1),), (), (), 0))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        program = command("ls", "--history", str(path))
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(timeout=2)
        other.execute("COMMIT")
        out, errors = program.communicate(timeout=60)
    assert (program.returncode, errors, out.splitlines()[-1]) == (0, "", "1 run")
