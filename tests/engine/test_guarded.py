"""Programs that end with the process that started them: real processes, no Docker engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.executors.process import Group
from runner.model import Limits, Outcome
from runner.util import cgroups, commands, orphans, scratch, warden
from runner.util.guarded import Guarded

ESCAPES = """
import os, sys, time
def escaped(name):  # a new session, and a parent that is gone
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(name, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    os.wait()
for name in sys.argv[2:]:
    escaped(name)
time.sleep(float(sys.argv[1]))
"""
"""Starts processes that leave their session and their parent, and ends after some seconds."""


def pid_in(path: Path) -> int:
    return int(until(lambda: path.exists() and path.read_text()))


def until(ask: Callable[[], object], seconds: float = 60.0) -> str:
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return str(answer)


def finish(program: Guarded) -> None:
    program.end()
    program.output.close()
    if program.errors is not None:
        program.errors.close()


def runs(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    return pid in warden.processes()


@pytest.fixture
def escaping(tmp_path: Path) -> Iterator[tuple[list[str], list[Path]]]:
    """A command that starts two processes which escape, and the files that their pids are in."""
    files = [tmp_path / "first", tmp_path / "second"]
    yield [sys.executable, "-c", ESCAPES, "600", *map(str, files)], files
    for file in files:
        if file.exists() and runs(pid_in(file)):
            os.kill(pid_in(file), signal.SIGKILL)


class TestGuarded:
    def test_what_it_prints_and_how_it_ends_are_known(self, tmp_path: Path) -> None:
        program = Guarded(
            ["sh", "-c", "pwd; echo $A; echo oops >&2; exit 3"],
            cwd=tmp_path, variables={"A": "b", "PATH": os.environ["PATH"]}, errors_apart=True,
        )  # fmt: skip
        said, errors = program.process.communicate()
        finish(program)
        assert (said, errors) == (f"{tmp_path.resolve()}\nb\n".encode(), b"oops\n")
        assert (program.exit_code, program.failed) == (3, None)
        assert 0 < program.wall_s < 60

    def test_a_signal_is_a_negative_code_and_a_missing_program_an_error_number(self) -> None:
        program = Guarded(["sh", "-c", "exec >&- 2>&-; sleep 0.2; kill -11 $$"])
        assert program.output.read() == b""  # closed before the end
        program.wait()
        finish(program)
        assert program.exit_code == -11
        missing = Guarded(["/no/such/program"])
        missing.wait()
        finish(missing)
        assert (missing.failed, missing.exit_code) == (2, None)

    def test_it_has_the_signals_that_a_shell_gives_it(self) -> None:
        """Python ignores SIGPIPE, which what it starts must not inherit."""
        program = Guarded(["sh", "-c", "grep SigIgn /proc/self/status"])
        ignored = int(program.output.read().split()[1], 16)
        program.wait()
        finish(program)
        assert not ignored & 1 << (signal.SIGPIPE - 1)
        assert not ignored & 1 << (signal.SIGTERM - 1)

    @pytest.mark.parametrize("how", ["it ends", "it is killed"])
    def test_nothing_that_it_started_outlives_it(self, escaping: tuple[list[str], list[Path]], how: str) -> None:
        command, files = escaping
        if how == "it ends":
            command[3] = "0"
        program = Guarded(command)
        pids = [pid_in(file) for file in files]
        if how == "it is killed":
            program.kill()
        until(lambda: not any(map(runs, pids)))
        finish(program)
        assert program.gone

    def test_a_process_that_is_killed_takes_all_with_it(self, escaping: tuple[list[str], list[Path]]) -> None:
        command, files = escaping
        code = f"from runner.util.guarded import Guarded; p = Guarded({command!r}); p.output.read()"
        runner = subprocess.Popen([sys.executable, "-c", code])
        pids = [pid_in(file) for file in files]
        runner.kill()
        runner.wait()
        until(lambda: not any(map(runs, pids)))

    def test_where_the_warden_is_killed_the_program_does_not_go_on(self) -> None:
        program = Guarded(["sleep", "600"])
        until(lambda: program.listen() or program.leader)
        assert program.leader is not None
        program.process.kill()
        until(lambda: program.leader is not None and not runs(program.leader))
        finish(program)
        assert program.exit_code is None

    def test_without_a_subreaper_what_was_seen_is_killed(self, escaping: tuple[list[str], list[Path]]) -> None:
        """As on macOS: parents by ``ps``, and a look now and then remembers what a dead parent would hide."""
        command, files = escaping
        slow = command[2].replace("os._exit(0)", "time.sleep(3); os._exit(0)")
        code = textwrap.dedent(f"""
            import subprocess, sys, time
            from runner.util import warden
            tree = warden.Tree(adopts=False)
            child = subprocess.Popen({[*command[:2], slow, "600", str(files[0])]!r})
            while len(tree.look()) < 3:
                time.sleep(0.05)
            child.kill()
            child.wait()
            time.sleep(4)  # by now the one in between has ended
            tree.end()
        """)
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
        assert not runs(pid_in(files[0]))

    def test_both_ways_to_list_processes_agree(self) -> None:
        """As far as they can: processes come and go."""
        by_proc, by_ps = warden.processes(), warden.processes(by_ps=True)
        assert by_ps[os.getpid()][0] == by_proc[os.getpid()][0] == os.getppid()
        assert os.getpid() in warden.descendants(os.getppid(), by_ps)

    def test_what_it_writes_to_other_files_is_no_report(self) -> None:
        """The pipes between run and warden are not its own."""
        each = "  try: os.write(n, b'ended 0 1\\n')\n  except OSError: pass\n"
        code = f"import os\nfor n in range(3, 64):\n{each}os._exit(5)"
        program = Guarded([sys.executable, "-c", code])
        program.wait()
        finish(program)
        assert program.exit_code == 5

    def test_one_that_forks_and_exits_all_the_time_is_caught(self) -> None:
        """No look finds it: by the time it is killed it is another process."""
        hops = (
            "import os, time\nend = time.monotonic() + 60\nwhile time.monotonic() < end:\n  if os.fork(): os._exit(0)"
        )
        program = Guarded([sys.executable, "-c", hops])
        program.wait()
        began = time.monotonic()
        finish(program)
        assert program.gone
        assert time.monotonic() - began < 9  # after 10 s the warden gives up


class TestCommands:
    def test_a_program_that_takes_long_is_stopped_with_all_it_started(
        self, escaping: tuple[list[str], list[Path]]
    ) -> None:
        command, files = escaping
        ended = commands.guarded(command, timeout_s=3.0)
        assert (ended.code, ended.late) == (None, True)
        assert not any(runs(pid_in(file)) for file in files)

    def test_output_and_errors_are_apart(self) -> None:
        ended = commands.guarded(["sh", "-c", "echo out; echo err >&2; exit 4"], timeout_s=60)
        assert (ended.code, ended.output, ended.errors) == (4, "out\n", "err\n")
        assert "cannot be started" in commands.guarded(["/no/such"], timeout_s=60).errors


class TestLimits:
    """Those of a cell on the host."""

    def run(self, folder: Path, code: str, **limits: float) -> Outcome:
        environment = {"PATH": os.environ["PATH"]}
        asked = Limits(**{"timeout_s": 60.0, **limits})  # type: ignore[arg-type]
        return Group(1.0).run([sys.executable, "-c", code], cwd=folder, environment=environment, limits=asked)

    @pytest.mark.parametrize("group", [True, False])
    def test_too_many_processes_are_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: bool) -> None:
        if not group:
            monkeypatch.setattr(cgroups, "make", lambda *_, **__: cgroups.Cgroup())
        code = (
            "import os, time\nfor _ in range(400):\n  if os.fork() == 0: os.setsid(); time.sleep(600)\ntime.sleep(60)"
        )
        found = self.run(tmp_path, code, pids=50)
        assert found.exit_code != 0
        assert found.out_of_processes or "Resource temporarily unavailable" in found.log
        assert not found.timed_out
        until(lambda: not orphans.marked("keras-version-matrix"))

    def test_in_a_control_group_no_fork_escapes(self, tmp_path: Path) -> None:
        """Each of these processes has a session of its own, and ends before it can be found."""
        group = cgroups.make(f"test-{os.getpid()}", memory_bytes=None, pids=50)
        group.remove()
        if not group.folders:
            pytest.skip("this user may make no control groups")
        hops = (
            "import os, time\nend = time.monotonic() + 60\n"
            "while time.monotonic() < end:\n  if os.fork(): os._exit(0)\n  os.setsid()"
        )
        began = time.monotonic()
        self.run(tmp_path, hops)
        assert time.monotonic() - began < 9  # after 10 s the warden gives up
        until(lambda: not orphans.marked("keras-version-matrix"))

    def test_it_runs_with_the_mark_of_the_run(self, tmp_path: Path) -> None:
        found = self.run(tmp_path, f"import os; print(os.environ[{orphans.MARK!r}])")
        assert found.log.startswith("keras-version-matrix-run-")


class TestSweep:
    def test_what_a_killed_run_left_is_ended_and_removed_by_the_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, escaping: tuple[list[str], list[Path]]
    ) -> None:
        """Run and warden are killed together, so that only the sweep can end the rest."""
        command, files = escaping
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        code = textwrap.dedent(f"""
            import os, subprocess, sys, tempfile
            from runner.util import orphans, scratch
            tempfile.tempdir = {str(tmp_path)!r}
            folder = scratch.make("io")
            (folder / "file").write_text("x")
            marked = {{**os.environ, orphans.MARK: folder.parent.name}}
            subprocess.Popen({command!r}, stdout=subprocess.DEVNULL, env=marked)
            print(folder, flush=True)
            sys.stdin.read()
        """)
        runner = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert runner.stdout is not None
        left = Path(runner.stdout.readline().strip())
        pids = [pid_in(file) for file in files]
        with scratch.folder("io"):  # while it is alive nothing is swept
            scratch.sweep()
            assert left.exists()
            assert all(map(runs, pids))
        runner.kill()
        runner.communicate()
        scratch.sweep()
        assert not left.parent.exists()
        assert not any(map(runs, pids))
