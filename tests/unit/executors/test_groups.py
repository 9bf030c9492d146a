"""Processes on the host: deadline, memory, disk, log and end, with programs made of a pipe and a few lines."""

from __future__ import annotations

import os
import platform
import resource
import signal
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, process
from runner.executors.process import Group, Surroundings, keep_failed
from runner.model import Cell, Environment, Limits, Outcome
from runner.util import cgroups, commands, orphans, warden

PID, WARDEN = 1 << 23, (1 << 23) + 1
"""Larger than any process id of Linux."""
T = TypeVar("T")


class Program:
    """Stands in for ``Guarded``: writes ``printed`` to a real pipe; ends when told, or when it is signalled."""

    def __init__(self) -> None:
        self.process = SimpleNamespace(pid=WARDEN)
        self.leader: int | None = PID
        self.failed: int | None = None
        self.exit_code: int | None = 0
        self.gone = True
        self.wall_s = 1.5
        self.printed = b""
        self.ended = threading.Event()
        self.command: list[str] = []
        self.options: dict[str, Any] = {}
        self.signals: list[int] = []
        self.kills = 0
        self.on_term: Callable[[], None] = lambda: self.end_with(-signal.SIGTERM)
        self.refuses: OSError | None = None
        self.output: Any = None
        self.writer = self.reports = self.reporting = -1

    def __call__(self, command: list[str], **options: Any) -> Program:
        if self.refuses:
            raise self.refuses
        self.command, self.options = command, options
        reader, self.writer = os.pipe()
        self.reports, self.reporting = os.pipe()
        os.write(self.writer, self.printed)
        self.output = os.fdopen(reader, "rb", buffering=0)
        return self

    @property
    def status(self) -> int | None:
        return 0 if self.ended.is_set() and self.exit_code is not None else None

    def end_with(self, code: int | None) -> None:
        if not self.ended.is_set():
            self.exit_code = code
            self.ended.set()
            os.write(self.reporting, b"x")  # wakes whoever waits

    def listen(self) -> bool:
        return self.failed is not None or self.ended.is_set()

    def signal(self, number: int) -> None:
        self.signals.append(number)
        self.on_term()

    def kill(self) -> None:
        self.kills += 1
        self.end_with(-signal.SIGKILL)

    def end(self) -> None:
        self.kill()
        for descriptor in (self.writer, self.reports, self.reporting):
            os.close(descriptor)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program that the next group starts; it has ended well unless a test says otherwise."""
    fake = Program()
    fake.ended.set()
    monkeypatch.setattr(process, "Guarded", fake)
    monkeypatch.setattr(cgroups, "make", lambda *_, **__: cgroups.Cgroup())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("tmp")))
    return fake


@pytest.fixture
def running(made: Program) -> Program:
    """A program that does not end by itself."""
    made.ended.clear()
    return made


def run(folder: Path, group: Group | None = None, **limits: Any) -> Outcome:
    asked = Limits(**{"timeout_s": 60.0, **limits})
    return (group or Group(60.0)).run(["python", "-m", "probe"], cwd=folder, environment={"A": "b"}, limits=asked)


class TestStart:
    def test_it_gets_its_folder_its_variables_and_the_mark_of_this_run(self, made: Program, tmp_path: Path) -> None:
        run(tmp_path)
        mark = made.options["variables"].pop(orphans.MARK)
        assert made.command == ["python", "-m", "probe"]
        assert made.options == {"cwd": tmp_path, "variables": {"A": "b"}, "largest_file": None, "cgroups": ()}
        run_name, _, program = mark.partition(".")
        assert run_name.startswith("keras-version-matrix-run-")
        assert program.startswith("run-")
        assert not (Path(tempfile.gettempdir()) / run_name).exists()

    def test_no_file_grows_beyond_the_limit(self, made: Program, tmp_path: Path) -> None:
        run(tmp_path, disk_bytes=1 << 20)
        assert made.options["largest_file"] == 1 << 20

    def test_its_control_group_bounds_it_and_ends_with_it(
        self, made: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        folder = tmp_path / "group"
        folder.mkdir()

        def make(name: str, **limits: Any) -> cgroups.Cgroup:
            asked.append((name, limits))
            return cgroups.Cgroup((folder,))

        monkeypatch.setattr(cgroups, "make", make)
        run(tmp_path, memory_bytes=1 << 30, pids=7)
        ((name, limits),) = asked
        assert name == made.options["variables"][orphans.MARK]
        assert limits == {"memory_bytes": 1 << 30, "pids": 7}
        assert made.options["cgroups"] == (f"{folder}/cgroup.procs",)
        assert not folder.exists()

    def test_what_cannot_be_started_is_unavailable(self, made: Program, tmp_path: Path) -> None:
        made.failed = 2
        with pytest.raises(UnavailableError, match=r"^python cannot be started: No such file or directory$"):
            run(tmp_path)
        made.refuses = OSError(11, "Resource temporarily unavailable")
        with pytest.raises(UnavailableError, match=r"^python cannot be started: Resource temporarily unavailable$"):
            run(tmp_path)


class TestEnd:
    @pytest.mark.parametrize(("code", "exit_code", "number"), [(0, 0, None), (3, 3, None), (-11, 139, 11)])
    def test_a_signal_is_an_exit_code_above_128(
        self, made: Program, tmp_path: Path, code: int, exit_code: int, number: int | None
    ) -> None:
        made.exit_code, made.printed = code, b"hi\n"
        assert run(tmp_path) == Outcome(exit_code, number, oom=False, timed_out=False, wall_s=1.5, log="hi\n")

    def test_what_it_has_started_is_killed_with_it(self, made: Program, tmp_path: Path) -> None:
        run(tmp_path)
        assert made.kills == 1
        assert made.output.closed

    def test_the_end_is_noticed_at_once(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process, "_TICK_S", 60.0)
        threading.Timer(0.05, lambda: running.end_with(4)).start()
        assert run(tmp_path, timeout_s=600.0).exit_code == 4

    def test_whatever_happens_it_is_killed(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(process, "resident", interrupt)
        group = Group()
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, group, memory_bytes=1)
        assert running.kills == 1
        group.close()
        assert running.kills == 1  # it is not among those that run

    def test_one_that_was_not_seen_to_end_says_nothing_and_what_it_started_is_killed(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended: list[str] = []
        monkeypatch.setattr(orphans, "end", ended.append)
        running.printed = b"last words\n"
        threading.Timer(0.05, lambda: running.end_with(None)).start()
        with pytest.raises(UnavailableError, match="killed the process that watched over this cell") as caught:
            run(tmp_path)
        assert caught.value.log == "last words\n"
        assert ended == [running.options["variables"][orphans.MARK]]

    def test_where_its_warden_has_given_up_what_it_started_is_killed(
        self, made: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended: list[str] = []
        monkeypatch.setattr(orphans, "end", ended.append)
        made.gone = False
        assert run(tmp_path).exit_code == 0
        assert ended == [made.options["variables"][orphans.MARK]]


class TestDeadline:
    def test_past_it_the_group_is_asked_to_end(self, running: Program, tmp_path: Path) -> None:
        found = run(tmp_path, timeout_s=0.05)
        assert (found.timed_out, found.oom, found.signal) == (True, False, signal.SIGTERM)
        assert (running.signals, running.kills) == ([signal.SIGTERM], 1)
        assert 0.05 <= found.wall_s < 30

    def test_it_has_some_time_to_end_well(self, running: Program, tmp_path: Path) -> None:
        running.on_term = lambda: threading.Timer(0.1, lambda: running.end_with(7)).start()
        found = run(tmp_path, timeout_s=0.0)
        assert (found.timed_out, found.exit_code) == (True, 7)
        assert found.wall_s >= 0.1

    def test_after_that_it_is_killed_which_is_not_out_of_memory(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count_kills(monkeypatch, tmp_path, 1)
        running.on_term = lambda: None
        found = run(tmp_path, Group(0.05), timeout_s=0.0)
        assert (found.timed_out, found.oom, found.signal) == (True, False, signal.SIGKILL)


class TestMemory:
    def test_too_much_of_it_ends_the_process(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes = iter([99, 100, 101])
        monkeypatch.setattr(process, "resident", lambda pid: next(sizes, 101) if pid == PID else 0)
        found = run(tmp_path, memory_bytes=100)
        assert (found.oom, found.timed_out, found.out_of_disk) == (True, False, False)
        assert running.kills == 1
        assert next(sizes, None) is None

    @pytest.mark.usefixtures("running")
    def test_that_of_the_whole_group_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sizes = iter([99, 100, 101])
        monkeypatch.setattr(process, "_GROUP_TICK_S", 0.15)
        monkeypatch.setattr(process, "resident", lambda _pid: 100)
        monkeypatch.setattr(process, "below", lambda pid: (1, next(sizes, 101) if pid == WARDEN else 0))
        assert run(tmp_path, memory_bytes=100).oom
        assert next(sizes, None) is None

    @pytest.mark.usefixtures("running")
    def test_the_group_is_looked_at_less_often(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "_GROUP_TICK_S", 600.0)
        monkeypatch.setattr(process, "resident", lambda _pid: 0)
        for name in ("below", "size"):
            monkeypatch.setattr(process, name, lambda _: pytest.fail("it was looked at"))
        assert run(tmp_path, timeout_s=0.5, memory_bytes=100, disk_bytes=1).timed_out

    def test_without_a_limit_nobody_looks(
        self, running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process, "_GROUP_TICK_S", 0.0)
        for name in ("resident", "size"):
            monkeypatch.setattr(process, name, lambda _: pytest.fail("it was looked at"))
        monkeypatch.setattr(process, "below", lambda _: (1, 1 << 40))
        threading.Timer(0.3, lambda: running.end_with(0)).start()
        assert not run(tmp_path).oom

    @pytest.mark.parametrize(("code", "oom"), [(-9, True), (-11, True), (9, True), (0, False)])
    def test_a_kill_that_its_control_group_counts_is_out_of_memory(
        self, made: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, oom: bool
    ) -> None:
        """The kernel may have killed a child of it, without which it could not go on."""
        count_kills(monkeypatch, tmp_path, 1)
        made.exit_code = code
        assert run(tmp_path).oom is oom

    @pytest.mark.parametrize(("kills", "why"), [(0, "somebody killed"), (None, "or the system for want of memory")])
    def test_a_kill_by_somebody_else_says_nothing_about_the_cell(
        self, made: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int | None, why: str
    ) -> None:
        count_kills(monkeypatch, tmp_path, kills)
        made.exit_code = -9
        with pytest.raises(UnavailableError, match=why):
            run(tmp_path)


def count_kills(monkeypatch: pytest.MonkeyPatch, folder: Path, kills: int | None) -> None:
    """Have a control group that counts so many kills for want of memory; None: it does not count."""
    group = folder / "group"
    group.mkdir()
    if kills is not None:
        (group / "memory.events").write_text(f"oom 3\noom_kill {kills}\n")
    monkeypatch.setattr(cgroups, "make", lambda *_, **__: cgroups.Cgroup((group,)))
    monkeypatch.setattr(cgroups.Cgroup, "remove", lambda _: None)


def test_too_many_processes_end_it(running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([99, 100, 101])
    monkeypatch.setattr(process, "_GROUP_TICK_S", 0.0)
    monkeypatch.setattr(process, "below", lambda pid: (next(counts, 101), 0) if pid == WARDEN else (0, 0))
    found = run(tmp_path, pids=100)
    assert (found.out_of_processes, found.oom, found.timed_out) == (True, False, False)
    assert next(counts, None) is None


def test_too_many_files_end_the_process(running: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own folder and its home count together; neither counts twice."""
    home = tmp_path / "home"
    sizes = {tmp_path: 60, home: 40}
    monkeypatch.setattr(process, "_GROUP_TICK_S", 0.0)
    monkeypatch.setattr(process, "size", lambda folder: sizes[folder])

    def ended(environment: dict[str, str], disk_bytes: int) -> Outcome:
        limits = Limits(timeout_s=0.5, disk_bytes=disk_bytes)
        running.ended.clear()
        return Group(0.0).run(["python"], cwd=tmp_path, environment=environment, limits=limits)

    found = ended({"TMPDIR": str(home)}, 99)
    assert (found.out_of_disk, found.oom, found.timed_out) == (True, False, False)
    assert not ended({"TMPDIR": str(home)}, 100).out_of_disk
    assert ended({}, 59).out_of_disk
    assert not ended({}, 60).out_of_disk


class TestLog:
    def test_it_is_what_was_printed_last(self, made: Program, tmp_path: Path) -> None:
        made.printed = b"".join(b"line %d\n" % number for number in range(5000))
        assert run(tmp_path, log_bytes=20).log == "line 4998\nline 4999\n"

    def test_all_of_it_is_read_while_the_process_runs(self, running: Program, tmp_path: Path) -> None:
        """A pipe holds 64 KiB: a process that prints more waits until somebody reads."""

        def printing() -> None:
            for _ in range(300):
                os.write(running.writer, b"x" * 1023 + b"\n")
            os.write(running.writer, b"end\n")
            running.end_with(0)

        running.printed = b"first\n"
        thread = threading.Timer(0.05, printing)
        thread.start()
        found = run(tmp_path, log_bytes=1 << 20)
        thread.join(60)
        assert found.log == "first\n" + ("x" * 1023 + "\n") * 300 + "end\n"

    def test_a_process_that_closes_its_output_goes_on(self, running: Program, tmp_path: Path) -> None:
        def close() -> None:
            os.close(running.writer)
            running.writer = os.open(os.devnull, os.O_WRONLY)

        threading.Timer(0.02, close).start()
        threading.Timer(0.2, lambda: running.end_with(6)).start()
        assert run(tmp_path).exit_code == 6


class TestClose:
    def test_it_kills_what_runs_which_is_no_result(self, running: Program, tmp_path: Path) -> None:
        group = Group()
        threading.Timer(0.05, group.close).start()
        with pytest.raises(UnavailableError, match=r"^the run was stopped before this cell ended$"):
            run(tmp_path, group)
        assert running.kills == 2

    def test_nothing_starts_after_it(self, made: Program, tmp_path: Path) -> None:
        group = Group()
        group.close()
        with pytest.raises(UnavailableError, match=r"^the run was stopped before this cell ended$"):
            run(tmp_path, group)
        assert made.command == []

    def test_what_has_ended_is_not_killed_again(self, made: Program, tmp_path: Path) -> None:
        group = Group()
        run(tmp_path, group)
        group.close()
        assert made.kills == 1


class TestSurroundings:
    def test_all_variables_of_a_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        passed = (
            *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy"),
            *("all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
            *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"),
        )
        for name in (*passed, "OMP_NUM_THREADS"):
            monkeypatch.setenv(name, f"value of {name}")
        with Surroundings({"OWN": "1"}, {"KEPT": "2"}) as found:
            home = found["HOME"]
            assert Path(home).name.startswith("home-")
            assert found == {
                **{name: f"value of {name}" for name in passed},
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "LANG": "C.UTF-8",
                "KEPT": "2",
                "HOME": home,
                "TMPDIR": home,
                "XDG_CACHE_HOME": f"{home}/.cache",
                "USER": "cell",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUNBUFFERED": "1",
                "PYTHONFAULTHANDLER": "1",
                "OWN": "1",
            }


CELL = Cell("torch", "2.2.2", None, "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")


def test_what_is_kept_can_be_run_again() -> None:
    outcome = Outcome(1, None, oom=False, timed_out=False, wall_s=1.0, log="")
    prepared = Prepared(ENVIRONMENT, "/envs/a b/bin/python")
    launch = Launch(CELL, prepared, Path("/tmp/the io"), None, {"A": "b c", "D": "e"}, Limits())
    assert keep_failed(launch, outcome) == outcome
    assert keep_failed(replace(launch, keep=lambda _: False), outcome) == outcome
    kept = keep_failed(replace(launch, keep=lambda ended: ended is outcome), outcome, "X=1")
    again = "env X=1 'A=b c' D=e '/envs/a b/bin/python' -m probe"
    assert kept == replace(outcome, kept=f"cd '/tmp/the io' && {again}")


class TestMeasures:
    @pytest.mark.parametrize("text", [None, "", "12", "a b c"])
    def test_unknown_memory_is_none(self, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
        assert self.read(monkeypatch, {"/proc/5/statm": text}, lambda: process.resident(5)) == 0

    def read(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, str | None], ask: Callable[[], T]) -> T:
        def read_text(path: Path, *_: object) -> str:
            text = files.get(str(path))
            if text is None:
                raise FileNotFoundError(2, "gone")
            return text

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", read_text)
            return ask()

    def test_resident_memory_is_in_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.read(monkeypatch, {"/proc/5/statm": "99 7 3 1\n"}, lambda: process.resident(5))
        assert found == 7 * resource.getpagesize()

    def test_shared_pages_count_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """4 has started 5, 7 and 8; 5 has started 6. 1 has started 4 and 9."""
        table = {4: (1, b""), 5: (4, b""), 6: (5, b""), 7: (4, b""), 8: (4, b""), 9: (1, b"")}
        files: dict[str, str | None] = {
            "/proc/5/smaps_rollup": "00-ff ---p\nRss:  90 kB\nPss:  10 kB\n",
            "/proc/6/smaps_rollup": "Pss:  20 kB\n",
            "/proc/7/smaps_rollup": None,  # gone
            "/proc/8/statm": "9 1 1",  # another user's: only its resident size is known
            "/proc/6/statm": "9 2 1",
        }
        monkeypatch.setattr(platform, "system", lambda: "Linux")
        monkeypatch.setattr(warden, "processes", lambda: table)
        page = resource.getpagesize()
        assert self.read(monkeypatch, files, lambda: process.below(4)) == (4, 30 * 1024 + page)
        assert self.read(monkeypatch, files, lambda: process.below(5)) == (1, 2 * page)
        assert self.read(monkeypatch, files, lambda: process.below(9)) == (0, 0)

    def test_a_mac_is_asked_by_ps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []

        def output(*command: str, timeout_s: float) -> str:
            asked.append((command, timeout_s))
            return " 5 4 10\n 6 5 20\n 7 1 7\n PID garbage here\n 1 2\n"

        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        monkeypatch.setattr(commands, "output", output)
        assert process.below(4) == (2, 30 * 1024)
        assert asked == [(("ps", "-axo", "pid=,ppid=,rss="), 5.0)]
