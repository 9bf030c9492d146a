"""Process groups: deadline, memory, disk, log and end, with processes made of a pipe and a few lines."""

from __future__ import annotations

import os
import platform
import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, process
from runner.executors.process import Group, Surroundings, keep_failed
from runner.model import Cell, Environment, Limits, Outcome
from runner.util import commands

PID = 1 << 23
"""Larger than any process id of Linux."""


class Process:
    """Stands in for ``subprocess.Popen``: writes ``output`` to a real pipe; ends when told, or by a signal."""

    def __init__(self) -> None:
        self.pid = PID
        self.output = b""
        self.returncode = 0
        self.ended = threading.Event()
        self.arguments: list[str] = []
        self.options: dict[str, Any] = {}
        self.signals: list[tuple[int, int]] = []
        self.limits: list[tuple[Any, ...]] = []
        self.on_term: Callable[[], None] = lambda: self.end(-signal.SIGTERM)
        self.refuses: OSError | None = None
        self.waited = 0
        self.stdout: Any = None
        self.writer = -1

    def __call__(self, arguments: list[str], **options: Any) -> Process:
        if self.refuses:
            raise self.refuses
        self.arguments, self.options = arguments, options
        reader, self.writer = os.pipe()
        os.write(self.writer, self.output)
        self.stdout = os.fdopen(reader, "rb", buffering=0)
        return self

    def end(self, code: int) -> None:
        if not self.ended.is_set():
            self.returncode = code
            self.ended.set()

    def killed(self, group: int, number: int) -> None:
        self.signals.append((group, number))
        if number == signal.SIGTERM:
            self.on_term()
        else:
            self.end(-number)

    def wait(self) -> int:
        self.waited += 1
        os.close(self.writer)
        return self.returncode


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Process:
    """The process that the next group starts; it has ended well unless a test says otherwise."""
    fake = Process()
    fake.end(0)
    monkeypatch.setattr(subprocess, "Popen", fake)
    monkeypatch.setattr(os, "killpg", fake.killed)
    monkeypatch.setattr(os, "waitid", lambda *_: object() if fake.ended.is_set() else None)
    monkeypatch.setattr(resource, "prlimit", lambda *asked: fake.limits.append(asked), raising=False)
    monkeypatch.setattr(process, "_exit_descriptor", lambda _pid: None)
    monkeypatch.setattr(process, "oom_kills", lambda: 0)
    return fake


@pytest.fixture
def running(made: Process) -> Process:
    """A process that does not end by itself."""
    made.ended.clear()
    return made


def run(folder: Path, group: Group | None = None, **limits: Any) -> Outcome:
    asked = Limits(**{"timeout_s": 60.0, **limits})
    return (group or Group(60.0)).run(["python", "-m", "probe"], cwd=folder, environment={"A": "b"}, limits=asked)


class TestStart:
    def test_it_leads_a_group_of_its_own_and_prints_into_one_pipe(self, made: Process, tmp_path: Path) -> None:
        run(tmp_path)
        assert made.arguments == ["python", "-m", "probe"]
        assert made.options == {
            "cwd": tmp_path,
            "env": {"A": "b"},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
        }

    def test_it_writes_no_core_file_and_no_file_beyond_the_limit(self, made: Process, tmp_path: Path) -> None:
        run(tmp_path)
        assert made.limits == [(PID, resource.RLIMIT_CORE, (0, 0))]
        run(tmp_path, disk_bytes=1 << 20)
        assert made.limits[1:] == [
            (PID, resource.RLIMIT_CORE, (0, 0)),
            (PID, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        ]

    @pytest.mark.usefixtures("made")
    def test_a_system_that_refuses_a_limit_runs_it_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(resource, "prlimit", refuse)
        assert run(tmp_path).exit_code == 0
        monkeypatch.delattr(resource, "prlimit")
        assert run(tmp_path).exit_code == 0

    def test_what_cannot_be_started_is_unavailable(self, made: Process, tmp_path: Path) -> None:
        made.refuses = FileNotFoundError(2, "No such file or directory")
        with pytest.raises(UnavailableError, match=r"^python cannot be started: No such file or directory$"):
            run(tmp_path)


class TestEnd:
    @pytest.mark.parametrize(("code", "exit_code", "number"), [(0, 0, None), (3, 3, None), (-11, 139, 11)])
    def test_a_signal_is_an_exit_code_above_128(
        self, made: Process, tmp_path: Path, code: int, exit_code: int, number: int | None
    ) -> None:
        made.returncode, made.output = code, b"hi\n"
        found = run(tmp_path)
        assert 0 <= found.wall_s < 60
        assert replace(found, wall_s=0.0) == Outcome(
            exit_code, number, oom=False, timed_out=False, wall_s=0, log="hi\n"
        )

    def test_what_it_has_started_is_killed_with_it(self, made: Process, tmp_path: Path) -> None:
        run(tmp_path)
        assert made.signals == [(PID, signal.SIGKILL)]
        assert made.waited == 1
        assert made.stdout.closed

    @pytest.mark.usefixtures("made")
    def test_a_group_that_is_gone_is_not_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for error in (ProcessLookupError, PermissionError):
            monkeypatch.setattr(os, "killpg", lambda *_, kind=error: (_ for _ in ()).throw(kind()))
            assert run(tmp_path).exit_code == 0

    def test_the_end_is_noticed_by_its_descriptor_and_the_descriptor_is_closed(
        self, running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader, writer = os.pipe()
        monkeypatch.setattr(process, "_exit_descriptor", lambda _pid: reader)
        monkeypatch.setattr(process, "_TICK_S", 60.0)

        def end() -> None:
            running.end(4)
            os.close(writer)

        threading.Timer(0.05, end).start()
        assert run(tmp_path, timeout_s=600.0).exit_code == 4
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(reader)

    def test_without_a_descriptor_it_is_asked_for(self, running: Process, tmp_path: Path) -> None:
        threading.Timer(0.05, lambda: running.end(5)).start()
        assert run(tmp_path).exit_code == 5

    def test_whatever_happens_the_group_is_killed(
        self, running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(process, "resident", interrupt)
        group = Group()
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, group, memory_bytes=1)
        assert running.signals == [(PID, signal.SIGKILL)]
        group.close()
        assert running.signals == [(PID, signal.SIGKILL)]  # it is not among those that run


class TestDeadline:
    def test_past_it_the_group_is_asked_to_end(self, running: Process, tmp_path: Path) -> None:
        found = run(tmp_path, timeout_s=0.05)
        assert (found.timed_out, found.oom, found.signal) == (True, False, signal.SIGTERM)
        assert running.signals == [(PID, signal.SIGTERM), (PID, signal.SIGKILL)]
        assert 0.05 <= found.wall_s < 30

    def test_it_has_some_time_to_end_well(self, running: Process, tmp_path: Path) -> None:
        running.on_term = lambda: threading.Timer(0.1, lambda: running.end(7)).start()
        found = run(tmp_path, timeout_s=0.0)
        assert (found.timed_out, found.exit_code) == (True, 7)
        assert found.wall_s >= 0.1

    def test_after_that_it_is_killed_which_is_not_out_of_memory(
        self, running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kills = iter(range(10))
        monkeypatch.setattr(process, "oom_kills", lambda: next(kills))
        running.on_term = lambda: None
        found = run(tmp_path, Group(0.05), timeout_s=0.0)
        assert (found.timed_out, found.oom, found.signal) == (True, False, signal.SIGKILL)


class TestMemory:
    def test_too_much_of_it_ends_the_process(
        self, running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes = iter([99, 100, 101])
        monkeypatch.setattr(process, "resident", lambda pid: next(sizes, 101) if pid == PID else 0)
        found = run(tmp_path, memory_bytes=100)
        assert (found.oom, found.timed_out, found.out_of_disk) == (True, False, False)
        assert running.signals == [(PID, signal.SIGKILL)]
        assert next(sizes, None) is None

    @pytest.mark.usefixtures("running")
    def test_that_of_the_whole_group_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sizes = iter([99, 100, 101])
        monkeypatch.setattr(process, "_GROUP_TICK_S", 0.15)
        monkeypatch.setattr(process, "resident", lambda _pid: 100)
        monkeypatch.setattr(process, "group_resident", lambda pid: next(sizes, 101) if pid == PID else 0)
        assert run(tmp_path, memory_bytes=100).oom
        assert next(sizes, None) is None

    @pytest.mark.usefixtures("running")
    def test_the_group_is_looked_at_less_often(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "_GROUP_TICK_S", 600.0)
        monkeypatch.setattr(process, "resident", lambda _pid: 0)
        for name in ("group_resident", "written"):
            monkeypatch.setattr(process, name, lambda _: pytest.fail("it was looked at"))
        assert run(tmp_path, timeout_s=0.5, memory_bytes=100, disk_bytes=1).timed_out

    def test_without_a_limit_nobody_looks(
        self, running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(process, "_GROUP_TICK_S", 0.0)
        for name in ("resident", "group_resident", "written"):
            monkeypatch.setattr(process, name, lambda _: pytest.fail("it was looked at"))
        threading.Timer(0.3, lambda: running.end(0)).start()
        assert not run(tmp_path).oom

    @pytest.mark.parametrize(
        ("code", "kills", "oom"),
        [(-9, [3, 4], True), (-9, [3, 3], False), (-11, [3, 4], False), (0, [3, 4], False), (9, [3, 4], False)],
    )
    def test_a_kill_that_the_kernel_counts_is_out_of_memory(
        self, made: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kills: list[int], oom: bool
    ) -> None:
        counts = iter(kills)
        monkeypatch.setattr(process, "oom_kills", lambda: next(counts))
        made.returncode = code
        assert run(tmp_path).oom is oom


def test_too_many_files_end_the_process(running: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own folder and its home count together; neither counts twice."""
    home, kills = tmp_path / "home", iter(range(10))
    sizes = {tmp_path: 60, home: 40}
    monkeypatch.setattr(process, "oom_kills", lambda: next(kills))
    monkeypatch.setattr(process, "_GROUP_TICK_S", 0.0)
    monkeypatch.setattr(process, "written", lambda folder: sizes[folder])

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
    def test_it_is_what_was_printed_last(self, made: Process, tmp_path: Path) -> None:
        made.output = b"".join(b"line %d\n" % number for number in range(5000))
        assert run(tmp_path, log_bytes=20).log == "line 4998\nline 4999\n"

    def test_all_of_it_is_read_while_the_process_runs(self, running: Process, tmp_path: Path) -> None:
        """A pipe holds 64 KiB: a process that prints more waits until somebody reads."""

        def printing() -> None:
            for _ in range(300):
                os.write(running.writer, b"x" * 1023 + b"\n")
            os.write(running.writer, b"end\n")
            running.end(0)

        running.output = b"first\n"
        thread = threading.Timer(0.05, printing)
        thread.start()
        found = run(tmp_path, log_bytes=1 << 20)
        thread.join(60)
        assert found.log == "first\n" + ("x" * 1023 + "\n") * 300 + "end\n"

    def test_a_process_that_closes_its_output_goes_on(self, running: Process, tmp_path: Path) -> None:
        def close() -> None:
            os.close(running.writer)
            running.writer = os.open(os.devnull, os.O_WRONLY)

        threading.Timer(0.02, close).start()
        threading.Timer(0.2, lambda: running.end(6)).start()
        assert run(tmp_path).exit_code == 6


class TestClose:
    def test_it_kills_what_runs_which_is_no_result(self, running: Process, tmp_path: Path) -> None:
        group = Group()
        threading.Timer(0.05, group.close).start()
        with pytest.raises(UnavailableError, match=r"^the run was stopped before this cell ended$"):
            run(tmp_path, group)
        assert running.signals == [(PID, signal.SIGKILL)] * 2

    def test_nothing_starts_after_it(self, made: Process, tmp_path: Path) -> None:
        group = Group()
        group.close()
        with pytest.raises(UnavailableError, match=r"^the run was stopped before this cell ended$"):
            run(tmp_path, group)
        assert made.arguments == []

    def test_what_has_ended_is_not_killed_again(self, made: Process, tmp_path: Path) -> None:
        group = Group()
        run(tmp_path, group)
        group.close()
        assert made.signals == [(PID, signal.SIGKILL)]


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
            assert Path(home).name.startswith("runner-home-")
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

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (OSError(28, "No space left on device"), "no space is left on the disk of /the/tmp"),
            (OSError(13, "Permission denied"), "no scratch folder can be made in /the/tmp: Permission denied"),
        ],
    )
    def test_without_a_scratch_folder_nothing_can_run(
        self, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
    ) -> None:
        def refuse(**_: object) -> None:
            raise error

        monkeypatch.setattr(tempfile, "mkdtemp", refuse)
        monkeypatch.setattr(tempfile, "gettempdir", lambda: "/the/tmp")
        with (
            pytest.raises(UnavailableError, match=f"^{reason}$"),
            Surroundings({}, {}),
        ):
            pass


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
    def test_files_are_counted_by_the_room_they_take(self, tmp_path: Path) -> None:
        (tmp_path / "below").mkdir()
        (tmp_path / "one").write_bytes(b"x" * 5000)
        (tmp_path / "below" / "two").write_bytes(b"x" * 10_000)
        blocks = [(tmp_path / name).stat().st_blocks for name in ("one", "below/two")]
        (tmp_path / "link").symlink_to(tmp_path / "one")
        link = os.lstat(tmp_path / "link").st_blocks
        assert process.written(tmp_path) == 512 * (sum(blocks) + link)
        assert process.written(tmp_path / "none") == 0

    def test_a_file_that_goes_meanwhile_is_not_counted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "walk", lambda _folder: [(str(tmp_path), [], ["gone"])])
        assert process.written(tmp_path) == 0

    @pytest.mark.parametrize("text", [None, "", "12", "a b c"])
    def test_unknown_memory_is_none(self, monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
        assert self.read(monkeypatch, {"/proc/5/statm": text}, lambda: process.resident(5)) == 0

    def read(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, str | None], ask: Callable[[], int]) -> int:
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

    def test_shared_pages_of_a_group_count_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        groups = {1: 1, 5: 5, 6: 5, 7: 7, 8: 5}
        files: dict[str, str | None] = {
            "/proc/5/smaps_rollup": "00-ff ---p\nRss:  90 kB\nPss:  10 kB\n",
            "/proc/6/smaps_rollup": "Pss:  20 kB\n",
            "/proc/7/statm": "9 2 1",
            "/proc/8/statm": "9 1 1",  # another user's: only its resident size is known
        }

        def group_of(pid: int) -> int:
            if pid not in groups:
                raise ProcessLookupError
            return groups[pid]

        monkeypatch.setattr(platform, "system", lambda: "Linux")
        monkeypatch.setattr(os, "listdir", lambda folder: ["1", "5", "6", "7", "8", "9", "self"] if folder else [])
        monkeypatch.setattr(os, "getpgid", group_of)
        page = resource.getpagesize()
        assert self.read(monkeypatch, files, lambda: process.group_resident(5)) == 30 * 1024 + page
        assert self.read(monkeypatch, files, lambda: process.group_resident(7)) == 2 * page
        assert self.read(monkeypatch, files, lambda: process.group_resident(3)) == 0

    def test_a_system_without_proc_has_no_processes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_folder: str) -> list[str]:
            raise FileNotFoundError

        monkeypatch.setattr(platform, "system", lambda: "FreeBSD")
        monkeypatch.setattr(os, "listdir", refuse)
        assert process.group_resident(5) == 0

    @pytest.mark.parametrize(
        ("text", "kills"), [("a 1\noom_kill 12\nz 3\n", 12), ("a 1\n", 0), ("oom_killer 7\n", 0), (None, 0)]
    )
    def test_the_kernels_kills_are_read(self, monkeypatch: pytest.MonkeyPatch, text: str | None, kills: int) -> None:
        assert self.read(monkeypatch, {"/proc/vmstat": text}, process.oom_kills) == kills

    def test_a_mac_is_asked_by_ps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []

        def output(*command: str, timeout_s: float) -> str:
            asked.append((command, timeout_s))
            return " 5  10\n 5 20 30\n 6 7\n"

        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        monkeypatch.setattr(commands, "output", output)
        assert process.group_resident(5) == 10 * 1024
        assert asked == [(("ps", "-axo", "pgid=,rss="), 5.0)]

    def test_a_system_may_have_no_descriptor_of_a_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "pidfd_open", lambda pid: pid + 1, raising=False)
        assert process._exit_descriptor(7) == 8

        def refuse(_pid: int) -> int:
            raise OSError

        monkeypatch.setattr(os, "pidfd_open", refuse)
        assert process._exit_descriptor(7) is None
        monkeypatch.delattr(os, "pidfd_open")
        assert process._exit_descriptor(7) is None
