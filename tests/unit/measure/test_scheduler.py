"""Plan + executors -> results."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest

from runner.data import DataFile
from runner.errors import BuildError, Cause, CellError, OutageError, RunnerError, UnavailableError
from runner.executors import Launch, Prepared, Room, Say, Shell
from runner.measure import scheduler
from runner.measure.context import Context, Event, Interrupted
from runner.model import Cell, Environment, Job, Limits, Outcome, ProbeSpec, Sample, Status
from runner.results.store import Store
from runner.util import outage

Behaviour = Callable[[Launch], Outcome]
DONE = Outcome(exit_code=0, signal=None, oom=False, timed_out=False, wall_s=0.5, log="")


def fine(launch: Launch) -> Outcome:
    (launch.io / "result.json").write_text(json.dumps({"schema": 1, "status": "ok", "facts": {"device_name": "cpu"}}))
    return DONE


class Executor:
    """An executor in this process: what each cell does is a function."""

    label = "this process"
    isolated = False

    def __init__(self, behaviour: dict[str, Behaviour] | None = None) -> None:
        self.behaviour = behaviour or {}
        self.order: list[tuple[str, str, int]] = []
        self.prepared: list[str] = []
        self.found: list[str] = []
        self.there: tuple[str, ...] = ()
        self.prepare_hook: Callable[[Environment], None] = lambda _environment: None
        self.identities: dict[str, str] = {}
        self.closed = threading.Event()

    def available(self) -> str:
        return ""

    def cells(self, device: str) -> tuple[Cell, ...]:  # noqa: ARG002 - the protocol's
        return ()

    def shell(self, wanted: Shell) -> int:  # noqa: ARG002 - the protocol's
        return 0

    def discard(self, prepared: Prepared) -> None:
        self.prepared.remove(prepared.environment.version)

    def make_room(self, room: Room, protected: Collection[str]) -> None:  # noqa: ARG002 - the protocol's
        raise AssertionError("a scheduler does not evict")

    def data_path(self, data: Path) -> str:
        return str(data)

    def identity(self, environment: Environment) -> str:
        return self.identities.get(environment.version, "lock-1")

    def prepare(self, environment: Environment, say: Say) -> Prepared:
        self.prepared.append(environment.version)
        self.prepare_hook(environment)
        say("installing")
        return Prepared(environment, "python", "lock-1", {"numpy": "2.0"}, ("a note",))

    def find(self, environment: Environment) -> Prepared | None:
        self.found.append(environment.version)
        return Prepared(environment, "python", "lock-1") if environment.version in self.there else None

    def execute(self, launch: Launch) -> Outcome:
        request = json.loads((launch.io / "request.json").read_text())
        self.order.append((launch.cell.version, request["probe"], request["round"]))
        return self.behaviour.get(launch.cell.version, fine)(launch)

    def close(self) -> None:
        self.closed.set()


def _job(version: str = "1.0", probe: str = "mnist", number: int = 0, *, timed: bool = True) -> Job:
    cell = Cell("torch", version, "3.8.0", "3.11", "cpu")
    environment = Environment("torch", version, "3.8.0", "3.11", "cpu", "linux-x86_64")
    return Job(cell, environment, ProbeSpec(probe, timed=timed), number, number, "host")


def _run(tmp_path: Path, executor: Executor, *jobs: Job, **changes: object) -> list[Sample]:
    context = Context({"host": executor}, Store(tmp_path), {}, {"host": "h"})
    return scheduler.run(jobs, replace(context, **changes), lambda _event: None)  # type: ignore[arg-type]


def test_every_job_gives_one_saved_sample_in_order(tmp_path: Path) -> None:
    executor = Executor()
    samples = _run(tmp_path, executor, _job("1.0"), _job("2.0"), _job("1.0", number=1))
    assert [(s.cell.version, s.round, s.status) for s in samples] == [
        ("1.0", 0, Status.OK), ("2.0", 0, Status.OK), ("1.0", 1, Status.OK),
    ]  # fmt: skip
    assert len(list(tmp_path.rglob("*.json"))) == 3
    assert samples[0].packages == {"numpy": "2.0"}
    assert samples[0].notes == ("a note",)
    assert samples[0].lock_hash == "lock-1"
    assert sorted(executor.prepared) == ["1.0", "2.0"]


def test_a_second_run_runs_nothing_and_prepares_nothing(tmp_path: Path) -> None:
    first = _run(tmp_path, Executor(), _job("1.0"), _job("2.0"))
    executor = Executor()
    assert _run(tmp_path, executor, _job("1.0"), _job("2.0")) == first
    assert executor.order == []
    assert executor.prepared == []


def test_fresh_measures_again(tmp_path: Path) -> None:
    _run(tmp_path, Executor(), _job())
    executor = Executor()
    _run(tmp_path, executor, _job(), fresh=True)
    assert len(executor.order) == 1


def _crash(launch: Launch) -> Outcome:
    outcome = replace(DONE, exit_code=1)
    return replace(outcome, kept=str(launch.io)) if launch.keep and launch.keep(outcome) else outcome


def test_what_a_failed_process_leaves_is_kept_on_request_and_the_way_in_told(tmp_path: Path) -> None:
    told: list[Event] = []
    executor = Executor({"2.0": _crash})
    context = Context({"host": executor}, Store(tmp_path / "out"), {}, {"host": "h"}, keep_failed=True)
    scheduler.run((_job("1.0"), _job("2.0")), context, told.append)
    ((folder, cell),) = [(Path(event.text), event.subject) for event in told if event.kind == "kept"]
    assert cell == "torch-2.0_keras-3.8.0_py3.11_cpu"
    assert (folder / "request.json").is_file()
    shutil.rmtree(folder)


def test_a_failure_of_an_earlier_run_is_run_again_to_be_kept(tmp_path: Path) -> None:
    _run(tmp_path, Executor({"2.0": _crash}), _job("1.0"), _job("2.0"))
    executor = Executor()
    _run(tmp_path, executor, _job("1.0"), _job("2.0"), keep_failed=True)
    assert [version for version, _, _ in executor.order] == ["2.0"]


def test_another_lock_setting_or_host_is_another_measurement(tmp_path: Path) -> None:
    _run(tmp_path, Executor(), _job())
    changed_lock = Executor()
    changed_lock.identities = {"1.0": "lock-2"}
    _run(tmp_path, changed_lock, _job())
    changed_settings = Executor()
    _run(tmp_path, changed_settings, replace(_job(), probe=ProbeSpec("mnist", {"epochs": 1})))
    changed_host = Executor()
    _run(tmp_path, changed_host, _job(), host={"host": "other"})
    assert [len(e.order) for e in (changed_lock, changed_settings, changed_host)] == [1, 1, 1]


def test_whatever_decides_a_result_is_part_of_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these changes one thing against the first run, and so must measure again."""
    seen = DataFile(Path("/d.npz"), "mnist", "a" * 64)
    variants = {"plain": {"TF_ENABLE_ONEDNN_OPTS": "1"}}
    job = replace(_job(), cell=replace(_job().cell, variant="plain"))
    context: dict[str, object] = {"data": {"mnist": seen}, "variants": variants}
    measured = []
    for changes, seed, payload_hash in (
        ({}, 0, "a"),
        ({"data": {"mnist": replace(seen, sha256="b" * 64), "lstm": seen}}, 0, "a"),
        ({"variants": {"plain": {"TF_ENABLE_ONEDNN_OPTS": "0"}}}, 0, "a"),
        ({}, 7, "a"),
        ({}, 0, "b"),
    ):
        monkeypatch.setattr("runner.matrix.probes.probe_hash", lambda _probe, said=payload_hash: said)
        executor = Executor()
        (sample,) = _run(tmp_path, executor, replace(job, seed=seed), **{**context, **changes})
        measured.append((len(executor.order), sample.key, sample.fingerprint["data"]))
        assert _run(tmp_path, Executor(), replace(job, seed=seed), **{**context, **changes}) == [sample]
    assert [count for count, _, _ in measured] == [1] * 5
    assert len({key for _, key, _ in measured}) == 5
    assert [data for _, _, data in measured] == ["a" * 16, "b" * 16, "a" * 16, "a" * 16, "a" * 16]


def test_a_process_gets_its_variants_variables_its_data_and_its_limits(tmp_path: Path) -> None:
    launches: list[Launch] = []

    def look(launch: Launch) -> Outcome:
        launches.append(launch)
        return fine(launch)

    limits = Limits(timeout_s=12.0, memory_bytes=1 << 29)
    job = replace(_job(), cell=replace(_job().cell, variant="plain"), probe=ProbeSpec("mnist", limits=limits))
    data = DataFile(Path("/d.npz"), "mnist", "a" * 64)
    _run(
        tmp_path,
        Executor({"1.0": look}),
        job,
        variants={"plain": {"A": "1"}, "other": {"B": "2"}},
        data={"mnist": data},
    )
    (launch,) = launches
    assert (launch.environment, launch.limits, launch.data) == ({"A": "1"}, limits, data.path)


def _raises(error: Exception) -> Behaviour:
    def behave(_launch: Launch) -> Outcome:
        raise error

    return behave


@pytest.mark.parametrize(
    ("behaviour", "status", "reason"),
    [
        (lambda _l: replace(DONE, exit_code=7, log="x\nlast words"), Status.CRASHED, "exit code 7: last words"),
        (lambda _l: replace(DONE, oom=True, exit_code=137), Status.OOM, "memory"),
        (lambda _l: replace(DONE, timed_out=True), Status.TIMEOUT, "did not finish"),
        (lambda _l: DONE, Status.BAD_OUTPUT, "without a result file"),
        (_raises(UnavailableError("the engine\nwent away")), Status.UNAVAILABLE, "the engine went away"),
        (_raises(CellError("cannot start")), Status.CRASHED, "cannot start"),
        (_raises(ZeroDivisionError("oops")), Status.UNAVAILABLE, "internal error: ZeroDivisionError: oops"),
    ],
)
def test_every_way_to_fail_is_a_status_and_never_stops_the_others(
    tmp_path: Path, behaviour: Behaviour, status: Status, reason: str
) -> None:
    samples = _run(tmp_path, Executor({"1.0": behaviour}), _job("1.0"), _job("2.0"))
    assert [s.status for s in samples] == [status, Status.OK]
    assert reason in samples[0].reason
    assert "\n" not in samples[0].reason


def test_the_log_of_a_failed_cell_is_kept(tmp_path: Path) -> None:
    crash: Behaviour = lambda _l: replace(DONE, exit_code=1, log="Traceback...\nboom")  # noqa: E731
    samples = _run(tmp_path, Executor({"1.0": crash}), _job("1.0"), _job("2.0"))
    assert samples[0].log == "Traceback...\nboom"
    assert samples[1].log == ""


def test_a_cell_whose_environment_fails_is_build_failed_and_tried_again_next_time(tmp_path: Path) -> None:
    def hook(environment: Environment) -> None:
        if environment.version == "1.0":
            raise BuildError("no solution", log="because")

    executor = Executor()
    executor.prepare_hook = hook
    samples = _run(tmp_path, executor, _job("1.0"), _job("2.0"))
    assert [s.status for s in samples] == [Status.BUILD_FAILED, Status.OK]
    assert (samples[0].reason, samples[0].log) == ("no solution", "because")
    again = Executor()
    assert _run(tmp_path, again, _job("1.0"))[0].status == Status.OK
    assert again.prepared == ["1.0"]


def test_a_cell_that_failed_is_not_asked_again_in_later_rounds(tmp_path: Path) -> None:
    executor = Executor({"1.0": lambda _l: replace(DONE, exit_code=1)})
    samples = _run(tmp_path, executor, *(_job(v, number=n) for n in range(3) for v in ("1.0", "2.0")))
    assert [(s.cell.version, s.round) for s in samples] == [("1.0", 0), ("2.0", 0), ("2.0", 1), ("2.0", 2)]
    cached = Executor()
    assert _run(tmp_path, cached, *(_job(v, number=n) for n in range(3) for v in ("1.0", "2.0"))) == samples
    assert cached.order == []


def test_untimed_probes_run_while_others_build_and_timed_ones_wait(tmp_path: Path) -> None:
    release = threading.Event()
    executor = Executor()

    def hook(environment: Environment) -> None:
        if environment.version == "2.0":
            assert release.wait(60)

    def first_done(launch: Launch) -> Outcome:
        release.set()  # the slow environment becomes ready only after a process has run
        return fine(launch)

    executor.prepare_hook = hook
    executor.behaviour = {"1.0": first_done}
    samples = _run(tmp_path, executor, _job("1.0", "mnist"), _job("2.0", "mnist"), _job("1.0", "conv2d", timed=False))
    assert executor.order[0] == ("1.0", "conv2d", 0)
    assert [(s.probe, s.quiet) for s in samples if s.probe == "mnist"] == [("mnist", True), ("mnist", True)]


def test_a_process_that_ran_while_another_environment_was_made_is_not_quiet(tmp_path: Path) -> None:
    begun, ended = threading.Event(), threading.Event()
    executor = Executor()

    def hook(environment: Environment) -> None:
        if environment.version == "2.0":
            assert begun.wait(60)

    def overlaps(launch: Launch) -> Outcome:
        begun.set()
        assert ended.wait(60)  # the other environment is ready by now: only the beginning was disturbed
        return fine(launch)

    def told(event: Event) -> None:
        if event.kind == "ready" and "2.0" in event.subject:
            threading.Timer(0.2, ended.set).start()

    executor.prepare_hook = hook
    executor.behaviour = {"1.0": overlaps}
    context = Context({"host": executor}, Store(tmp_path), {}, {"host": "h"})
    samples = scheduler.run((_job("1.0", timed=False), _job("2.0")), context, told)
    assert [s.quiet for s in samples] == [False, True]


def test_several_processes_at_once_are_never_called_quiet(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=60)

    def together(launch: Launch) -> Outcome:
        both.wait()
        return fine(launch)

    samples = _run(tmp_path, Executor({"1.0": together, "2.0": together}), _job("1.0"), _job("2.0"), jobs=2)
    assert [s.quiet for s in samples] == [False, False]


def test_an_interrupt_ends_the_processes_and_keeps_what_had_finished(tmp_path: Path) -> None:
    """Python 3.11 and 3.12 mark a thread as ended when a signal interrupts its ``join``: it would not be waited for."""
    executor = Executor()
    ended: list[bool] = []

    def hangs(_launch: Launch) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        closed = executor.closed.wait(60)
        time.sleep(0.3)
        ended.append(closed)
        return replace(DONE, exit_code=137, signal=9)

    executor.behaviour = {"2.0": hangs}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted) as caught:
            _run(tmp_path, executor, _job("1.0"), _job("2.0"), _job("3.0"))
        assert ended == [True]
    finally:
        signal.signal(signal.SIGINT, before)
    assert [s.cell.version for s in caught.value.samples] == ["1.0"]
    assert [s.status for s in caught.value.samples] == [Status.OK]
    after = Executor()
    _run(tmp_path, after, _job("1.0"), _job("2.0"), _job("3.0"))
    assert [version for version, _, _ in after.order] == ["2.0", "3.0"]


def test_a_full_disk_stops_the_run_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_store: Store, _sample: Sample) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "save", full)
    with pytest.raises(RunnerError, match="No space left on device"):
        _run(tmp_path, Executor(), _job("1.0"), _job("2.0"))


def test_a_result_that_cannot_be_written_never_gets_lost_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unspeakable(_store: Store, _sample: Sample) -> Path:
        raise TypeError("that cannot be said in JSON")

    monkeypatch.setattr(Store, "save", unspeakable)
    with pytest.raises(TypeError, match="said in JSON"):
        _run(tmp_path, Executor(), _job("1.0"), _job("2.0"))


@pytest.mark.parametrize("kind", ["prepare", "ready", "start", "done"])
def test_a_reader_of_the_progress_that_goes_away_ends_the_run(tmp_path: Path, kind: str) -> None:
    def gone(event: Event) -> None:
        if event.kind == kind:
            raise BrokenPipeError

    context = Context({"host": Executor()}, Store(tmp_path), {}, {"host": "h"})
    with pytest.raises(BrokenPipeError):
        scheduler.run((_job("1.0"), _job("2.0")), context, gone)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    _run(tmp_path / "out", Executor({"1.0": _raises(CellError("x"))}), _job("1.0"), _job("2.0"))
    assert list(scratch.iterdir()) == []


# --- outages ---------------------------------------------------------------------------------------------------------

VERSIONS = tuple(f"{number}.0" for number in range(1, 7))
OUT = "it is out: mend it"


def _out(cause: Cause, log: str = "", *, everywhere: bool = True) -> OutageError:
    return OutageError(cause, "it is out", "mend it", log, everywhere=everywhere)


def _fails(*errors: Exception) -> Callable[[Environment], None]:
    """A hook that raises one error after the other; then it lets environments be made."""
    left = list(errors)

    def hook(_environment: Environment) -> None:
        if left:
            raise left.pop(0)

    return hook


def _told(tmp_path: Path, executor: Executor, *jobs: Job, **changes: object) -> tuple[list[Sample], list[Event]]:
    told: list[Event] = []
    context = Context({"host": executor}, Store(tmp_path), {}, {"host": "h"}, builds=1)
    return scheduler.run(jobs, replace(context, **changes), told.append), told  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE_S", 0.0)


@pytest.mark.parametrize("cause", [Cause.NETWORK, Cause.DISK])
def test_after_an_outage_nothing_is_built_and_what_is_ready_runs(tmp_path: Path, cause: Cause) -> None:
    executor = Executor()
    executor.there = ("5.0",)
    executor.prepare_hook = _fails(_out(cause, "why"), _out(cause, "again"))
    probes = ("mnist", "conv2d")
    samples, told = _told(tmp_path, executor, *(_job(version, probe) for version in VERSIONS for probe in probes))
    assert executor.prepared == ["1.0"]
    assert executor.found == list(VERSIONS[1:])
    ran = {s.cell.version for s in samples if s.status is Status.OK}
    assert ran == {"5.0"}
    lost = [s for s in samples if s.cell.version != "5.0"]
    assert {(s.status, s.reason) for s in lost} == {(Status.UNAVAILABLE, OUT)}
    assert [s.log for s in samples if s.log] == ["why"]
    assert [(e.text, e.count) for e in told if e.kind == "outage"] == [(OUT, 5)]
    assert [e.subject for e in told if OUT in e.text and e.kind not in ("outage", "lost")] == []
    assert len([e for e in told if e.kind == "lost" and e.probe]) == len(lost) == 10


def test_cells_that_were_lost_before_the_last_build_ended_are_counted(tmp_path: Path) -> None:
    lost = threading.Event()

    class Waits(Executor):
        def find(self, environment: Environment) -> Prepared | None:
            assert environment.version != VERSIONS[-1] or lost.wait(60)
            return super().find(environment)

    def told(event: Event) -> None:
        counts.extend([event.count] if event.kind == "outage" else [])
        seen.extend([event.subject] if event.kind == "lost" and event.probe else [])
        if len(seen) == len(VERSIONS) - 1:
            lost.set()

    counts: list[int] = []
    seen: list[str] = []
    executor = Waits()
    executor.prepare_hook = _fails(_out(Cause.NETWORK))
    context = Context({"host": executor}, Store(tmp_path), {}, {"host": "h"}, builds=1)
    scheduler.run(tuple(_job(version, timed=False) for version in VERSIONS), context, told)
    assert counts == [len(VERSIONS)]


def test_what_an_outage_stopped_is_never_reused(tmp_path: Path) -> None:
    executor = Executor()
    executor.prepare_hook = _fails(_out(Cause.NETWORK))
    _told(tmp_path, executor, *(_job(version) for version in VERSIONS))
    again = Executor()
    samples = _run(tmp_path, again, *(_job(version) for version in VERSIONS))
    assert {s.status for s in samples} == {Status.OK}
    assert len(again.order) == len(VERSIONS)


def test_without_an_engine_not_even_what_is_ready_runs(tmp_path: Path) -> None:
    executor = Executor()
    executor.there = VERSIONS
    executor.prepare_hook = _fails(*[_out(Cause.ENGINE)] * 9)
    samples, told = _told(tmp_path, executor, *(_job(version) for version in VERSIONS))
    assert executor.prepared == ["1.0", "1.0"]
    assert (executor.found, executor.order) == ([], [])
    assert {s.reason for s in samples} == {OUT}
    assert [e.count for e in told if e.kind == "outage"] == [6]


def test_an_engine_that_comes_back_at_once_stops_nothing(tmp_path: Path) -> None:
    executor = Executor({"2.0": _breaks(1)})
    executor.prepare_hook = _fails(_out(Cause.ENGINE))
    samples, told = _told(tmp_path, executor, *(_job(version) for version in VERSIONS))
    assert {s.status for s in samples} == {Status.OK}
    assert [e for e in told if e.kind in ("outage", "lost")] == []
    assert [version for version, _, _ in executor.order].count("2.0") == 2


def _breaks(times: int, error: Exception | None = None) -> Behaviour:
    """A process during which the engine goes away, so many times."""
    left = [error or _out(Cause.ENGINE)] * times

    def behave(launch: Launch) -> Outcome:
        if left:
            raise left.pop()
        return fine(launch)

    return behave


@pytest.mark.parametrize(
    ("error", "reason", "attempts"),
    [(None, OUT, 2), (OSError(28, "full"), "no space is left on the disk: make room there", 1)],
)
def test_an_outage_while_cells_run_ends_them_all(
    tmp_path: Path, error: Exception | None, reason: str, attempts: int
) -> None:
    executor = Executor({"3.0": _breaks(9, error)})
    jobs = [_job(version, number=number) for number in range(2) for version in VERSIONS[:4]]
    samples, told = _told(tmp_path, executor, *jobs)
    assert [version for version, _, _ in executor.order] == ["1.0", "2.0", *["3.0"] * attempts]
    assert [(s.cell.version, s.round) for s in samples if s.status is Status.OK] == [("1.0", 0), ("2.0", 0)]
    lost = [s for s in samples if s.status is not Status.OK]
    assert {s.status for s in lost} == {Status.UNAVAILABLE}
    assert all(s.reason.startswith(reason) for s in lost)
    # of a cell that ran before only the later rounds are lost
    assert [(s.cell.version, s.round) for s in lost] == [("3.0", 0), ("4.0", 0), ("1.0", 1), ("2.0", 1)]
    assert [e.count for e in told if e.kind == "outage"] == [4]


def test_an_environment_that_is_too_large_for_the_disk_leaves_the_others_alone(tmp_path: Path) -> None:
    executor = Executor()
    executor.prepare_hook = _fails(_out(Cause.DISK, everywhere=False), _out(Cause.DISK, everywhere=False))
    samples, told = _told(tmp_path, executor, *(_job(version) for version in VERSIONS), later=7)
    assert executor.prepared == list(VERSIONS)
    assert [s.status for s in samples] == [Status.UNAVAILABLE] * 2 + [Status.OK] * 4
    assert [e.count for e in told if e.kind == "outage"] == [2]


def test_an_outage_is_reported_once_in_all_calls_of_a_run(tmp_path: Path) -> None:
    executor = Executor()
    executor.prepare_hook = _fails(*[_out(Cause.NETWORK)] * 9)
    told: list[Event] = []
    context = Context({"host": executor}, Store(tmp_path), {}, {"host": "h"})
    for later in (2, 1, 0):
        scheduler.run((_job(VERSIONS[later]),), replace(context, later=later), told.append)
    assert [e.count for e in told if e.kind == "outage"] == [3]
    assert executor.prepared == [VERSIONS[2]]


def test_a_lock_that_cannot_be_made_for_the_network_is_an_outage_too(tmp_path: Path) -> None:
    class Unlocked(Executor):
        def identity(self, environment: Environment) -> str:
            if environment.version == "1.0":
                raise _out(Cause.NETWORK)
            return "lock-1"

    executor = Unlocked()
    executor.there = ("3.0",)
    samples, told = _told(tmp_path, executor, *(_job(version) for version in VERSIONS[:3]))
    assert executor.prepared == []
    assert [(s.status, s.reason) for s in samples] == [
        (Status.UNAVAILABLE, OUT), (Status.UNAVAILABLE, OUT), (Status.OK, ""),
    ]  # fmt: skip
    assert [e.count for e in told if e.kind == "outage"] == [2]


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), SystemExit(1)])
def test_an_event_that_cannot_be_shown_ends_the_run(tmp_path: Path, error: BaseException) -> None:
    """As where the reader of the output has gone; a thread that dies of it would leave the others waiting."""

    def observe(event: Event) -> None:
        if event.kind == "prepare":
            raise error

    jobs = (_job("1.0"), _job("2.0"))
    context = Context({"host": Executor()}, Store(tmp_path), {}, {"host": "h"})
    with pytest.raises(type(error)):
        scheduler.run(jobs, context, observe)
