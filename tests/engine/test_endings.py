"""Every way a probe can end: in a container of Docker, in one of Podman, and on this machine.

Small Python programs, no framework. The containers need an engine; the rest runs everywhere.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UnavailableError
from runner.executors import Executor, Launch, Prepared
from runner.executors.current import CurrentExecutor
from runner.executors.docker import DockerExecutor
from runner.model import Cell, Environment, Limits, Outcome

IMAGE = "python:3.11-slim-bookworm"
CELL = Cell("numpy", "2.0.0", "3.8.0", "3.11", "cpu")
ENVIRONMENT = Environment("numpy", "2.0.0", "3.8.0", "3.11", "cpu", "linux-x86_64")
LIMITS = Limits(timeout_s=60.0, memory_bytes=256 << 20, pids=64, shm_bytes=64 << 20, log_bytes=4096)

Run = Callable[..., Outcome]


def an_executor() -> DockerExecutor:
    executor = DockerExecutor(
        lambda environment, _say: Prepared(environment, IMAGE), lambda _environment: "", grace_s=1
    )
    executor.connect()
    return executor


@pytest.fixture(scope="module")
def on_docker() -> Iterator[DockerExecutor]:
    executor = an_executor()
    yield executor
    executor.close()


@pytest.fixture(scope="module")
def on_podman(podman: str) -> Iterator[DockerExecutor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", podman)
        executor = an_executor()
    yield executor
    executor.close()


@pytest.fixture
def io() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="runner-io-") as folder:
        yield Path(folder).resolve()


IN_CONTAINERS = [pytest.param(name, marks=pytest.mark.engine) for name in ("on_docker", "on_podman")]


@pytest.fixture(params=[*IN_CONTAINERS, "current"])
def run(request: pytest.FixtureRequest, io: Path) -> Iterator[Run]:
    """Runs a program in a container, and on this machine."""
    executor: Executor
    if request.param == "current":
        executor, reference = CurrentExecutor(grace_s=1.0), sys.executable
    else:
        executor, reference = request.getfixturevalue(request.param), IMAGE

    def execute(code: str, environment: dict[str, str] | None = None, **limits: float) -> Outcome:
        allowed = replace(LIMITS, **limits)  # type: ignore[arg-type]
        prepared = Prepared(ENVIRONMENT, reference)
        return executor.execute(Launch(CELL, prepared, io, None, environment or {}, allowed, ("-c", code)))

    yield execute
    if request.param == "current":
        executor.close()


def test_a_probe_that_succeeds_leaves_its_result(run: Run, io: Path) -> None:
    outcome = run("import json; json.dump({'status': 'ok'}, open('result.json', 'w')); print('done')")
    assert (outcome.exit_code, outcome.signal, outcome.oom, outcome.timed_out) == (0, None, False, False)
    assert outcome.log == "done\n"
    assert json.loads((io / "result.json").read_text()) == {"status": "ok"}
    assert 0 < outcome.wall_s < 10


def test_the_exit_code_is_kept(run: Run) -> None:
    outcome = run("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)")
    assert (outcome.exit_code, outcome.signal) == (7, None)
    assert sorted(outcome.log.splitlines()) == ["err", "out"]  # an engine does not keep the order of the two streams


def test_a_segmentation_fault_is_a_signal_with_a_traceback(run: Run) -> None:
    outcome = run("import ctypes; ctypes.string_at(0)")
    assert (outcome.exit_code, outcome.signal, outcome.oom) == (128 + signal.SIGSEGV, signal.SIGSEGV, False)
    assert "string_at" in outcome.log


def test_a_kill_that_nobody_explains_says_nothing_about_the_cell(run: Run) -> None:
    with pytest.raises(UnavailableError, match=r"killed the .*process \(SIGKILL\)"):
        run("import os; os.kill(os.getpid(), 9)")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kill",), "to kill the container"),
        (("kill", "--signal", "TERM"), "to kill the container while it ran .signal 15."),
        (("stop", "--time", "1"), "to (kill|stop) the container"),
        (("rm", "--force"), "somebody (removed|used the engine to kill) the container"),
        (("pause",), "somebody paused the container"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_somebody_does_to_a_container_says_nothing_about_the_cell(
    on_docker: DockerExecutor, io: Path, words: tuple[str, ...], said: str
) -> None:
    """While another process of this machine runs out of memory."""
    io.chmod(0o777)
    limits = replace(LIMITS, timeout_s=8.0 if words == ("pause",) else 60.0)
    code = "open('started', 'w').close(); import time; time.sleep(600)"
    caught: list[BaseException] = []

    def execute() -> None:
        try:
            on_docker.execute(Launch(CELL, Prepared(ENVIRONMENT, IMAGE), io, None, {}, limits, ("-c", code)))
        except UnavailableError as error:
            caught.append(error)

    thread = threading.Thread(target=execute)
    thread.start()
    while not (io / "started").exists():
        time.sleep(0.02)
    hoarder = ["docker", "run", "--rm", "--memory", "32m", IMAGE, "python", "-c", "x = bytearray(1 << 30)"]
    subprocess.run(hoarder, check=False, capture_output=True)
    running = subprocess.run(
        ["docker", "ps", "--quiet", "--filter", f"name=runner-{on_docker.run_id}-"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    subprocess.run(["docker", *words, *running], check=True, capture_output=True)
    thread.join(60)
    assert len(caught) == 1
    assert re.search(said, str(caught[0])), caught[0]
    left = ["docker", "ps", "--all", "--quiet", "--filter", f"name=runner-{on_docker.run_id}-"]
    assert subprocess.run(left, check=True, capture_output=True, text=True).stdout == ""


def test_out_of_memory_is_told_apart(run: Run) -> None:
    outcome = run("import time; hoard = bytearray(1 << 30); time.sleep(20)")
    assert outcome.oom
    assert outcome.signal == signal.SIGKILL
    assert not outcome.timed_out


def test_a_child_that_eats_the_memory_is_out_of_memory(run: Run) -> None:
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'x = bytearray(1 << 30); input()'],"
    outcome = run(f"{code} stdin=subprocess.PIPE) and 1)", timeout_s=20)
    assert outcome.oom
    assert not outcome.timed_out


def test_memory_below_the_limit_is_fine(run: Run) -> None:
    assert run("import os, time; held = bytearray(100 << 20); os.fork(); os.fork(); time.sleep(2)").exit_code == 0


def test_a_deadline_ends_a_probe_that_hangs(run: Run) -> None:
    began = time.monotonic()
    outcome = run("print('waiting'); import time; time.sleep(600)", timeout_s=1.5)
    assert outcome.timed_out
    assert not outcome.oom
    assert outcome.signal == signal.SIGTERM
    assert outcome.log == "waiting\n"
    assert 1.4 < outcome.wall_s < 5
    assert time.monotonic() - began < 6


def test_a_deadline_ends_a_probe_that_ignores_sigterm(run: Run) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    outcome = run(code, timeout_s=1.0)
    assert outcome.timed_out
    assert outcome.signal == signal.SIGKILL
    assert outcome.wall_s < 6


def test_ten_megabytes_of_output_are_cut_to_their_end(run: Run) -> None:
    outcome = run("print('x' * 99 + '\\n' * 1, end='') or [print('y' * 99) for _ in range(100_000)]; print('the end')")
    assert outcome.exit_code == 0
    assert outcome.log.endswith("y\nthe end\n")
    assert len(outcome.log) <= LIMITS.log_bytes


def test_ten_megabytes_in_one_line_are_cut_to_their_end(run: Run) -> None:
    outcome = run("print('x' * 10_000_000 + ' the end')")
    assert outcome.exit_code == 0
    assert outcome.log.endswith("x the end\n")
    assert len(outcome.log) <= LIMITS.log_bytes


def test_output_without_end_neither_blocks_nor_grows(run: Run) -> None:
    outcome = run("while True: print('x' * 1000)", timeout_s=2.0)
    assert outcome.timed_out
    assert 0 < len(outcome.log) <= LIMITS.log_bytes


def test_output_that_is_no_text_is_kept_readable(run: Run) -> None:
    outcome = run(r"import sys; sys.stdout.buffer.write(b'\xff\xfe\x00 garbage \x80\n')")
    assert outcome.exit_code == 0
    assert "garbage" in outcome.log


def test_a_probe_may_write_nothing(run: Run, io: Path) -> None:
    assert run("pass").log == ""
    assert list(io.iterdir()) == []


def test_a_probe_may_close_its_output(run: Run) -> None:
    assert run("import os, time; os.close(1); os.close(2); time.sleep(0.3)").exit_code == 0


def test_a_probe_gets_no_input(run: Run) -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").log == "''\n"


def test_children_left_behind_are_ended(run: Run, io: Path) -> None:
    ticking = "import time\nwhile True: open('ticks', 'a').write('x'); time.sleep(0.02)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {ticking!r}]); time.sleep(0.5)"
    assert run(code).exit_code == 0
    ticks = (io / "ticks").stat().st_size
    time.sleep(0.2)
    assert ticks > 0
    assert (io / "ticks").stat().st_size == ticks


def test_what_a_probe_writes_belongs_to_the_caller(run: Run, io: Path) -> None:
    run("import os; os.mkdir('folder'); open('folder/file', 'w').write('x')")
    for path in (io / "folder", io / "folder" / "file"):
        assert (path.stat().st_uid, path.stat().st_gid) == (os.getuid(), os.getgid())


def test_home_and_temporary_files_are_a_scratch_of_its_own(run: Run) -> None:
    code = "import os, tempfile, pathlib; p = pathlib.Path.home() / 'x'; p.write_text('x'); print(p)"
    assert run(code).exit_code == 0
    assert run("import pathlib; print((pathlib.Path.home() / 'x').exists())").log == "False\n"


def test_no_core_file_lands_in_the_folder(run: Run, io: Path) -> None:
    assert run("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))").log == "(0, 0)\n"


def test_variables_of_the_cell_arrive_and_the_callers_do_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    code = "import os; print(os.environ.get('OMP_NUM_THREADS'), os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert run(code, {"TF_ENABLE_ONEDNN_OPTS": "0"}).log == "None 0\n"


# -- what only a container can promise -----------------------------------------------------------------------


@pytest.fixture(params=IN_CONTAINERS)
def contained(request: pytest.FixtureRequest, io: Path) -> Run:
    """Runs a program in a container of either engine."""
    executor: Executor = request.getfixturevalue(request.param)
    asked = Launch(CELL, Prepared(ENVIRONMENT, IMAGE), io, None, {}, LIMITS)
    return lambda code, **changes: executor.execute(replace(asked, argv=("-c", code), **changes))


def test_the_network_is_off(contained: Run) -> None:
    code = "import socket; print([n for _, n in socket.if_nameindex()]); socket.create_connection(('1.1.1.1', 80), 2)"
    outcome = contained(code)
    assert outcome.exit_code == 1
    assert "['lo'" in outcome.log
    assert "unreachable" in outcome.log


def test_the_root_file_system_is_read_only_and_tmp_is_not(contained: Run) -> None:
    code = "open('/tmp/x', 'w').write('x'); print('tmp'); open('/usr/x', 'w')"
    outcome = contained(code)
    assert "tmp\n" in outcome.log
    assert "Read-only file system" in outcome.log


def test_capabilities_are_dropped_and_cannot_come_back(contained: Run) -> None:
    status = dict(
        line.split(":\t") for line in contained("print(open('/proc/self/status').read())").log.splitlines() if line
    )
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_memory_shm_and_pids_are_bounded(contained: Run) -> None:
    code = "import os; s = os.statvfs('/dev/shm'); print(s.f_blocks * s.f_frsize)"
    assert contained(code).log == f"{LIMITS.shm_bytes}\n"
    outcome = contained(
        "import threading, time\nfor _ in range(200): threading.Thread(target=time.sleep, args=(1,)).start()"
    )
    assert "can't start new thread" in outcome.log


def test_the_init_process_reaps_orphans(contained: Run) -> None:
    assert contained("print(open('/proc/1/comm').read())").log.strip() != "python"


def test_the_data_file_is_shown_read_only(contained: Run, tmp_path: Path) -> None:
    data = tmp_path / "digits.npz"
    data.write_bytes(b"digits")
    log = contained("print(open('/data/mnist.npz').read()); open('/data/mnist.npz', 'w')", data=data).log
    assert "digits\n" in log
    assert "Read-only file system" in log


@pytest.mark.engine
def test_a_kept_container_is_entered_word_for_word_by_the_command_that_is_told(
    on_docker: DockerExecutor,
    io: Path,
) -> None:
    executor = an_executor()
    (io / "trace.txt").write_text("what the process left")
    prepared = Prepared(ENVIRONMENT, IMAGE)
    launch = Launch(CELL, prepared, io, None, {"FLAG": "a b"}, LIMITS, ("-c", "raise SystemExit(3)"), keep=bool)
    words = shlex.split(executor.execute(launch).kept)
    name = words[words.index("--volumes-from") + 1]
    try:
        # without a terminal, which a test has none of
        words[words.index("-it")] = "-i"
        said = subprocess.run(
            words, input='cat trace.txt; echo ":$FLAG"; touch new', capture_output=True, text=True, check=True
        )
        assert said.stdout == "what the process left:a b\n"
        assert (io / "new").exists()
        executor.close()
        assert subprocess.run(["docker", "inspect", name], capture_output=True, check=False).returncode == 0
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


def test_a_kept_folder_runs_again_word_for_word(io: Path) -> None:
    launch = Launch(
        CELL, Prepared(ENVIRONMENT, sys.executable), io, None, {"FLAG": "a b"}, LIMITS,
        ("-c", "import os; print(os.getcwd(), os.environ['FLAG']); raise SystemExit(3)"), keep=bool,
    )  # fmt: skip
    executor = CurrentExecutor()
    command = executor.execute(launch).kept
    executor.close()
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602
    assert (said.returncode, said.stdout) == (3, f"{io} a b\n")


def test_on_this_machine_a_process_that_fills_its_folder_with_many_files_is_ended(io: Path) -> None:
    code = "import time\nfor n in range(40): open(str(n), 'wb').write(b'a' * (1 << 20))\ntime.sleep(20)"
    limits = replace(LIMITS, disk_bytes=20 << 20, timeout_s=15.0)
    executor = CurrentExecutor()
    outcome = executor.execute(Launch(CELL, Prepared(ENVIRONMENT, sys.executable), io, None, {}, limits, ("-c", code)))
    executor.close()
    assert outcome.out_of_disk
    assert (outcome.oom, outcome.timed_out, outcome.wall_s < 10) == (False, False, True)
