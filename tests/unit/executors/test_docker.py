"""The order of things around a container, with an engine made of a few lines."""
# ruff: noqa: ARG002 - the fake has docker-py's signatures

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
import requests

from runner import engine as reach
from runner import images
from runner.environments import lock
from runner.errors import CellError, UnavailableError
from runner.executors import Launch, Prepared, Shell, shell
from runner.executors import container as recipe
from runner.executors import docker as module
from runner.executors.docker import DockerExecutor
from runner.executors.owner import Owner
from runner.model import Cell, Environment, Limits
from runner.util import scratch

CELL = Cell("torch", "2.2.2", None, "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")


def launch(**limits: Any) -> Launch:
    return Launch(CELL, Prepared(ENVIRONMENT, "image"), Path("/io"), None, {}, Limits(**limits))


def refusal(status: int, explanation: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
    return kind("refused", response=response, explanation=explanation)


class FakeEngine:
    """Stands in for docker-py's APIClient: remembers the calls, ends each container after ``wait`` calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.containers_left: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {"Running": False, "ExitCode": 0, "OOMKilled": False}
        self.log = b"the log\n"
        self.noted: list[dict[str, Any]] = []
        self.asked_events: list[tuple[Any, ...]] = []
        self.on: dict[str, Callable[[], None]] = {}

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.on:
            self.on[name]()

    def create_host_config(self, **arguments: Any) -> dict[str, Any]:
        return arguments

    def create_container(self, **arguments: Any) -> dict[str, str]:
        self._called("create")
        self.containers_left.append({"Id": arguments["name"], "Labels": arguments["labels"]})
        return {"Id": arguments["name"]}

    def start(self, name: str) -> None:
        self._called("start")

    def wait(self, name: str, timeout: float) -> None:
        self._called("wait")

    def stop(self, name: str, timeout: int) -> None:
        self._called("stop")

    def kill(self, name: str) -> None:
        self._called("kill")

    def inspect_container(self, name: str) -> dict[str, Any]:
        self._called("inspect")
        return {"State": self.state}

    def logs(self, name: str, stdout: bool, stderr: bool) -> bytes:
        self._called("logs")
        return self.log

    def containers(self, all: bool, filters: dict[str, list[str]]) -> list[dict[str, Any]]:  # noqa: A002
        self._called("list")
        return list(self.containers_left)

    def remove_container(self, name: str, force: bool, v: bool) -> None:
        self._called("remove")
        assert force
        self.containers_left = [left for left in self.containers_left if left["Id"] != name]

    def events(self, since: str, until: str, filters: dict[str, list[str]], decode: bool) -> Iterator[dict[str, Any]]:
        self._called("events")
        self.asked_events.append((since, until, filters))
        yield from self.noted

    def rename(self, name: str, other: str) -> None:
        self._called("rename")
        for left in self.containers_left:
            if left["Id"] == name:
                left |= {"Id": other, "Names": [f"/{other}"]}

    def close(self) -> None:
        self._called("close")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(reach, "connect", lambda: fake)
    monkeypatch.setattr(reach, "describe", lambda _client: reach.Engine())
    return fake


@pytest.fixture
def executor(engine: FakeEngine) -> DockerExecutor:
    return DockerExecutor(
        lambda environment, _say: Prepared(environment, "image"), lambda _environment: "hash", grace_s=1
    )


def raise_(error: BaseException) -> None:
    raise error


def test_nothing_is_contacted_before_it_is_needed(engine: FakeEngine, executor: DockerExecutor) -> None:
    assert executor.identity(ENVIRONMENT) == "hash"
    assert executor.data_path(Path("/home/me/mnist.npz")) == "/data/mnist.npz"
    executor.close()
    assert engine.calls == []


def test_a_container_is_inspected_before_it_is_removed(engine: FakeEngine, executor: DockerExecutor) -> None:
    outcome = executor.execute(launch())
    assert engine.calls == ["list", "create", "start", "wait", "inspect", "logs", "remove"]
    assert (outcome.exit_code, outcome.log) == (0, "the log\n")


def test_the_log_is_cut_to_its_end(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.log = b"".join(b"line %d\n" % number for number in range(1000))
    assert executor.execute(launch(log_bytes=20)).log == "line 998\nline 999\n"


def test_a_broken_wait_is_asked_about_and_taken_up_again(engine: FakeEngine, executor: DockerExecutor) -> None:
    broken = iter([requests.ConnectionError("Read timed out"), requests.ReadTimeout(), None])
    engine.state["Running"] = True

    def wait() -> None:
        if error := next(broken):
            raise error

    engine.on["wait"] = wait
    assert not executor.execute(launch()).timed_out
    assert engine.calls.count("wait") == 3


def test_a_container_that_ended_while_the_wait_was_broken_has_ended(
    engine: FakeEngine, executor: DockerExecutor
) -> None:
    engine.on["wait"] = lambda: raise_(requests.ConnectionError())
    assert executor.execute(launch()).exit_code == 0
    assert engine.calls.count("wait") == 1


def test_past_the_deadline_it_is_stopped(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.state = {"Running": True, "ExitCode": 143}

    def wait() -> None:
        if "stop" not in engine.calls:
            time.sleep(0.02)
            raise requests.ConnectionError("Read timed out")

    engine.on["wait"] = wait
    outcome = executor.execute(launch(timeout_s=0.1))
    assert (outcome.timed_out, outcome.signal) == (True, 15)
    assert engine.calls[-5:] == ["stop", "wait", "inspect", "logs", "remove"]


def test_what_cannot_be_stopped_is_killed(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.on["stop"] = lambda: raise_(refusal(500, "tried to kill container, but did not receive an exit event"))
    assert executor.execute(launch(timeout_s=0.0)).timed_out
    assert engine.calls[-6:] == ["stop", "kill", "wait", "inspect", "logs", "remove"]


@pytest.mark.parametrize("step", ["create", "start", "inspect", "logs"])
def test_an_engine_that_dies_is_unavailable_and_breaks_nothing_else(
    engine: FakeEngine, executor: DockerExecutor, step: str
) -> None:
    engine.on[step] = engine.on["remove"] = lambda: raise_(requests.ConnectionError("Connection refused"))
    with pytest.raises(UnavailableError, match="the Docker engine stopped answering"):
        executor.execute(launch())


def test_an_engine_that_dies_during_the_wait_is_unavailable(engine: FakeEngine, executor: DockerExecutor) -> None:
    for step in ("wait", "inspect", "remove"):
        engine.on[step] = lambda: raise_(requests.ConnectionError("Connection refused"))
    with pytest.raises(UnavailableError, match="the Docker engine stopped answering"):
        executor.execute(launch())


@pytest.mark.parametrize("step", ["create", "start", "wait", "inspect", "logs"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_whatever_happens_the_container_is_removed(
    engine: FakeEngine, executor: DockerExecutor, step: str, error: BaseException
) -> None:
    engine.on[step] = lambda: raise_(error)
    with pytest.raises(type(error)):
        executor.execute(launch())
    assert engine.calls[-1] == "remove"


@pytest.mark.parametrize("step", ["create", "start", "inspect", "logs"])
def test_a_refusal_is_the_cells_error_and_the_container_is_removed(
    engine: FakeEngine, executor: DockerExecutor, step: str
) -> None:
    engine.on[step] = lambda: raise_(refusal(500, "no space left on device"))
    with pytest.raises(UnavailableError, match="no space is left on the Docker engine's disk"):
        executor.execute(launch())
    assert engine.calls[-1] == "remove"


TIMES = {"StartedAt": "2001-09-09T01:46:40Z", "FinishedAt": "2001-09-09T01:46:41Z"}
KILLED = {"Running": False, "ExitCode": 137, "OOMKilled": False, **TIMES}


def test_a_kill_is_looked_into_until_the_engine_knows(
    engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OOM_FLAG_DELAY_S", 30.0)
    engine.state = KILLED

    def inspect() -> None:
        if engine.calls.count("inspect") == 3:
            engine.state = {**engine.state, "OOMKilled": True}

    engine.on["inspect"] = inspect
    assert executor.execute(launch()).oom


def test_the_engines_event_says_that_memory_ran_out(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.state, engine.noted = KILLED, [{"Action": "oom"}, {"Action": "kill"}]
    assert executor.execute(launch()).oom
    ((since, until, filters),) = engine.asked_events
    assert (since, filters) == ("1000000000.000000", {"container": [f"runner-{executor.run_id}-1"]})
    assert 1000000001 <= float(until) < 1000000061


@pytest.mark.parametrize(
    ("code", "action", "said"),
    [
        (137, "kill", "engine to kill"),
        (143, "stop", "engine to stop"),
        (130, "kill", "engine to kill"),
        (137, "restart", "to restart"),
    ],
)
def test_what_somebody_used_the_engine_for_says_nothing_about_the_cell(
    engine: FakeEngine, executor: DockerExecutor, code: int, action: str, said: str
) -> None:
    engine.state, engine.noted = {**KILLED, "ExitCode": code}, [{"Action": action}]
    with pytest.raises(UnavailableError, match=said) as caught:
        executor.execute(launch())
    assert caught.value.log == "the log\n"
    assert engine.calls[-1] == "remove"


def test_a_kill_that_nobody_explains_says_nothing_about_the_cell(
    engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OOM_FLAG_DELAY_S", 0.1)
    engine.state = KILLED
    with pytest.raises(UnavailableError, match="the engine does not say what"):
        executor.execute(launch())


def test_an_engine_may_note_a_signal_after_the_container_has_ended(
    engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OOM_FLAG_DELAY_S", 30.0)
    engine.state = {**KILLED, "ExitCode": 143}

    def inspect() -> None:
        if engine.calls.count("inspect") == 3:
            engine.noted = [{"Action": "kill"}]

    engine.on["inspect"] = inspect
    with pytest.raises(UnavailableError, match="engine to kill"):
        executor.execute(launch())


def test_other_signals_without_an_event_are_the_cells_own(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.state = {**KILLED, "ExitCode": 143}
    assert executor.execute(launch()).signal == 15
    engine.state = {**KILLED, "ExitCode": 139}
    engine.noted = [{"Action": "kill"}]
    assert executor.execute(launch()).signal == 11


@pytest.mark.parametrize(("state", "noted"), [({"Paused": True}, []), ({}, [{"Action": "pause"}])])
def test_the_deadline_of_a_container_that_somebody_paused_is_no_timeout(
    engine: FakeEngine, executor: DockerExecutor, state: dict[str, Any], noted: list[dict[str, Any]]
) -> None:
    engine.state, engine.noted = {"Running": True, **TIMES, **state}, noted
    engine.on["wait"] = lambda: raise_(requests.ReadTimeout())
    with pytest.raises(UnavailableError, match="somebody paused the container"):
        executor.execute(launch(timeout_s=0.05))
    assert engine.calls[-1] == "remove"


def test_timings_across_a_pause_are_no_result(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.state, engine.noted = (
        {"Running": False, "ExitCode": 0, **TIMES},
        [{"Action": "pause"}, {"Action": "unpause"}],
    )
    with pytest.raises(UnavailableError, match="somebody paused the container"):
        executor.execute(launch())
    engine.noted = [{"Action": "start"}, {"Action": "die"}]
    assert executor.execute(launch()).exit_code == 0


def test_a_container_that_writes_too_much_is_stopped(
    engine: FakeEngine, executor: DockerExecutor, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    engine.state = {"Running": True, "ExitCode": 143}
    engine.on["wait"] = lambda: raise_(requests.ReadTimeout()) if "stop" not in engine.calls else None
    writing = replace(launch(disk_bytes=5000, timeout_s=600), io=tmp_path)
    outcome = executor.execute(writing)
    assert (outcome.out_of_disk, outcome.timed_out) == (True, False)
    script = replace(writing, foreign=True, limits=replace(writing.limits, timeout_s=0.1))
    engine.calls.clear()
    assert not executor.execute(script).out_of_disk  # its folder is limited by the engine


def test_an_engine_that_hangs_is_not_waited_for_at_the_end(engine: FakeEngine, executor: DockerExecutor) -> None:
    executor.connect()
    executor.close()
    assert engine.timeout == 3  # type: ignore[attr-defined] # docker-py's attribute: seconds of one request
    engine.calls.clear()
    executor.close()
    assert engine.calls == []


def test_closing_removes_what_is_left_and_refuses_more(engine: FakeEngine, executor: DockerExecutor) -> None:
    executor.connect()
    engine.containers_left = [{"Id": "left-1", "Labels": {}}, {"Id": "left-2", "Labels": {}}]
    executor.close()
    assert engine.containers_left == []
    assert engine.calls[-1] == "close"
    with pytest.raises(UnavailableError, match="the run was stopped"):
        executor.execute(launch())


def test_closing_waits_for_a_container_that_is_just_being_created(engine: FakeEngine, executor: DockerExecutor) -> None:
    creating, go_on = threading.Event(), threading.Event()

    def create() -> None:
        creating.set()
        go_on.wait(60)

    engine.on["create"] = create
    refused: list[str] = []

    def execute() -> None:
        try:
            executor.execute(launch())
        except UnavailableError as error:
            refused.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    assert creating.wait(60)
    closing = threading.Thread(target=executor.close)
    closing.start()
    go_on.set()
    thread.join(60)
    closing.join(60)
    assert refused == ["the run was stopped before this cell ended"]
    assert "start" not in engine.calls
    assert engine.containers_left == []


def test_closing_an_engine_that_died_is_no_error(engine: FakeEngine, executor: DockerExecutor) -> None:
    executor.connect()
    engine.on["list"] = lambda: raise_(requests.ConnectionError())
    engine.calls.clear()
    executor.close()
    assert engine.calls == ["list", "close"]
    with pytest.raises(UnavailableError, match="the run was stopped"):
        executor.execute(launch())


def test_the_sweep_takes_dead_runs_only(engine: FakeEngine) -> None:
    living = recipe.labels(launch(), run="a", owner=Owner.this())
    dead = {**living, "org.keras-version-matrix.boot": "an earlier one"}
    engine.containers_left = [
        {"Id": "living", "Labels": living},
        {"Id": "dead", "Labels": dead},
        {"Id": "x", "Labels": None},
    ]
    assert module.sweep(engine) == 1  # type: ignore[arg-type]
    assert [left["Id"] for left in engine.containers_left] == ["living", "x"]


class TestKept:
    def test_a_failed_container_stays_under_another_name_and_a_good_one_goes(
        self, engine: FakeEngine, executor: DockerExecutor
    ) -> None:
        assert executor.execute(replace(launch(), keep=lambda _: False)).kept == ""
        assert engine.containers_left == []
        outcome = executor.execute(replace(launch(), keep=lambda outcome: outcome.exit_code == 0))
        (left,) = engine.containers_left
        assert left["Id"] == f"runner-kept-{executor.run_id}-2"
        assert f"--volumes-from {left['Id']} --workdir /io" in outcome.kept
        assert outcome.kept.endswith("--entrypoint bash image")

    def test_neither_the_end_of_the_run_nor_a_sweep_takes_it(
        self, engine: FakeEngine, executor: DockerExecutor
    ) -> None:
        executor.execute(replace(launch(), keep=lambda _: True))
        executor.close()
        engine.containers_left[0]["Labels"] |= {"org.keras-version-matrix.boot": "another"}
        assert module.sweep(engine) == 0  # type: ignore[arg-type]
        assert len(engine.containers_left) == 1

    def test_it_is_removed_with_its_folder_when_asked_for(
        self, engine: FakeEngine, executor: DockerExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        executor.execute(replace(launch(), keep=lambda _: True))
        executor.execute(replace(launch(), keep=lambda _: True))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        ours, others = scratch.make("io"), tmp_path / "precious"
        scratch.keep(ours)
        others.mkdir()
        for entry, folder in zip(engine.containers_left, (ours, others), strict=True):
            entry["Mounts"] = [{"Source": str(folder), "Destination": "/io"}]
        assert module.remove_kept(engine) == [CELL.id, CELL.id]  # type: ignore[arg-type]
        assert engine.containers_left == []
        assert [ours.exists(), others.exists()] == [False, True]


class TestAsked:
    """What the engine is asked, word by word."""

    @pytest.fixture
    def asked(self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []

        def remembering(name: str) -> None:
            original = getattr(engine, name)

            def call(*arguments: Any, **named: Any) -> Any:
                found.append((name, *arguments, named))
                return original(*arguments, **named)

            monkeypatch.setattr(engine, name, call)

        for name in ("create_container", "start", "wait", "stop", "kill", "logs", "containers", "remove_container"):
            remembering(name)
        return found

    def test_a_run_from_start_to_end(
        self, asked: list[tuple[Any, ...]], executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: 100.0)
        executor.execute(launch(timeout_s=7.0))
        name = f"runner-{executor.run_id}-1"
        created = recipe.create_arguments(
            launch(timeout_s=7.0), engine=reach.Engine(), run=executor.run_id, name=name, owner=Owner.this(),
            uid=os.getuid(), gid=os.getgid(),
        )  # fmt: skip
        assert asked == [
            ("containers", {"all": True, "filters": {"label": [f"{recipe.LABEL}={recipe.PROJECT}"]}}),
            ("create_container", created),
            ("start", name, {}),
            ("wait", name, {"timeout": 7.0}),
            ("logs", name, {"stdout": True, "stderr": True}),
            ("remove_container", name, {"force": True, "v": True}),
        ]

    def test_every_run_and_every_container_has_its_own_name(
        self, asked: list[tuple[Any, ...]], executor: DockerExecutor
    ) -> None:
        for _ in range(2):
            executor.execute(launch())
        assert [call[1] for call in asked if call[0] == "start"] == [
            f"runner-{executor.run_id}-1",
            f"runner-{executor.run_id}-2",
        ]
        assert len(executor.run_id) == 12
        assert DockerExecutor().run_id != executor.run_id

    def test_one_wait_is_no_longer_than_a_slice(self, asked: list[tuple[Any, ...]], executor: DockerExecutor) -> None:
        executor.execute(launch(timeout_s=3600.0))
        assert ("wait", f"runner-{executor.run_id}-1", {"timeout": 20.0}) in asked

    def test_a_stop_has_the_grace_and_a_kill_follows(
        self, engine: FakeEngine, asked: list[tuple[Any, ...]], executor: DockerExecutor
    ) -> None:
        name = f"runner-{executor.run_id}-1"
        engine.on["stop"] = engine.on["kill"] = lambda: raise_(refusal(409, "is not running"))
        assert executor.execute(launch(timeout_s=0.0)).timed_out
        assert asked[3:6] == [("stop", name, {"timeout": 1}), ("kill", name, {}), ("wait", name, {"timeout": 60})]

    def test_closing_asks_for_the_containers_of_this_run_alone(
        self, asked: list[tuple[Any, ...]], executor: DockerExecutor
    ) -> None:
        executor.connect()
        executor.close()
        labels = [f"{recipe.LABEL}={recipe.PROJECT}", f"org.keras-version-matrix.run={executor.run_id}"]
        assert asked[1:] == [("containers", {"all": True, "filters": {"label": labels}})]


class TestConnect:
    def test_the_engine_is_reached_once(self, engine: FakeEngine, executor: DockerExecutor) -> None:
        assert executor.connect() == executor.connect() == reach.Engine()
        assert engine.calls == ["list"]

    def test_what_it_is_decides_what_a_container_gets(
        self, engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users: list[str] = []

        def create(**arguments: Any) -> None:
            users.append(arguments["user"])

        monkeypatch.setattr(reach, "describe", lambda client: reach.Engine(rootless=client is engine))
        monkeypatch.setattr(engine, "create_container", create)
        executor.execute(launch())
        assert users == ["0:0"]

    def test_dead_runs_are_swept_away(self, engine: FakeEngine, executor: DockerExecutor) -> None:
        dead = {**recipe.labels(launch(), run="a", owner=Owner.this()), "org.keras-version-matrix.boot": "old"}
        engine.containers_left = [{"Id": "dead", "Labels": dead}]
        executor.connect()
        assert engine.containers_left == []

    def test_what_runs_is_ended_with_this_program(
        self, engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_exit: list[tuple[str, object]] = []
        monkeypatch.setattr(atexit, "register", lambda function: at_exit.append(("register", function)))
        monkeypatch.setattr(atexit, "unregister", lambda function: at_exit.append(("unregister", function)))
        executor.connect()
        assert at_exit == [("register", executor.close)]
        executor.close()
        assert at_exit[1:] == [("unregister", executor.close)]
        assert engine.calls[-1] == "close"

    def test_it_is_reached_before_an_image_is_built(self, engine: FakeEngine, executor: DockerExecutor) -> None:
        assert executor.prepare(ENVIRONMENT, lambda _text: None) == Prepared(ENVIRONMENT, "image")
        assert engine.calls == ["list"]

    def test_why_there_is_none_is_the_engines_own_word(
        self, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reach, "problem", lambda: "no Docker engine is running")
        assert executor.available() == "no Docker engine is running"

    def test_a_shell_is_a_containers(self, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        wanted = Shell(CELL, Prepared(ENVIRONMENT, "image"), (), {})
        monkeypatch.setattr(shell, "in_container", lambda asked: 7 if asked is wanted else 0)
        assert executor.shell(wanted) == 7


class TestImage:
    """Without a builder of its own an executor builds the image of the lock."""

    @pytest.fixture
    def builders(self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        made: list[Any] = []

        class Builder:
            def __init__(self, published: object = None) -> None:
                assert published is None
                self.built: list[tuple[Any, ...]] = []
                self.closed = False
                made.append(self)

            def build(self, *asked: Any) -> images.Image:
                self.built.append(asked)
                return images.Image("sha256:abc", "tag", 123, 4.5, cached=False)

            def find(self, *asked: Any) -> images.Image | None:
                there = (*asked,) in [built[:2] for built in self.built]
                return images.Image("sha256:abc", "tag", 123, 0.1, cached=True) if there else None

            def close(self) -> None:
                self.closed = True

        monkeypatch.setattr(images, "Builder", Builder)
        return made

    def test_one_builder_builds_all(self, builders: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        pinned = SimpleNamespace(sha256="hash", packages={"numpy": "2.0.0"}, notes=("a note",))
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)

        monkeypatch.setattr(
            lock, "locked", lambda environment, told=None: pinned if told in (say, None) and environment else None
        )
        executor = DockerExecutor()
        assert executor.identity(ENVIRONMENT) == "hash"
        found = executor.prepare(ENVIRONMENT, say)
        assert found == Prepared(ENVIRONMENT, "sha256:abc", "hash", {"numpy": "2.0.0"}, ("a note",), 123, 4.5)
        executor.prepare(ENVIRONMENT, say)
        (builder,) = builders
        assert builder.built == [(ENVIRONMENT, pinned, say)] * 2
        executor.close()
        assert builder.closed

    @pytest.mark.usefixtures("builders")
    def test_only_an_image_that_is_there_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pinned = SimpleNamespace(sha256="hash", packages={"numpy": "2.0.0"}, notes=("a note",))
        monkeypatch.setattr(lock, "locked", lambda *_: pinned)
        executor = DockerExecutor()
        assert executor.find(ENVIRONMENT) is None
        executor.prepare(ENVIRONMENT, lambda _text: None)
        found = executor.find(ENVIRONMENT)
        assert found == Prepared(ENVIRONMENT, "sha256:abc", "hash", {"numpy": "2.0.0"}, ("a note",), 123, 0.1)
        executor.close()


def test_an_executor_whose_images_come_from_elsewhere_finds_none(executor: DockerExecutor) -> None:
    assert executor.find(ENVIRONMENT) is None


def test_a_wait_that_breaks_at_the_deadline_is_not_taken_up_again(
    engine: FakeEngine, executor: DockerExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that stands still at the deadline: nothing is left to wait for."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    engine.on["wait"] = lambda: raise_(requests.ReadTimeout()) if "stop" not in engine.calls else None
    assert executor.execute(launch(timeout_s=0.0)).timed_out
    assert engine.calls[:5] == ["list", "create", "start", "inspect", "stop"]


def test_a_container_that_is_renamed_by_a_dead_engine_is_an_error(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.on["rename"] = lambda: raise_(requests.ConnectionError())
    with pytest.raises(UnavailableError, match="stopped answering"):
        executor.execute(replace(launch(), keep=lambda _: True))
    assert engine.containers_left == []


def test_kept_containers_of_this_project_are_listed(engine: FakeEngine, executor: DockerExecutor) -> None:
    executor.execute(replace(launch(), keep=lambda _: True))
    (left,) = engine.containers_left
    engine.containers_left.append({"Id": "other", "Names": ["/runner-x"], "Labels": {}})
    assert module.kept(engine) == [left]  # type: ignore[arg-type]


def test_a_refusal_without_an_explanation_is_its_own_text(engine: FakeEngine, executor: DockerExecutor) -> None:
    engine.on["start"] = lambda: raise_(docker.errors.APIError("odd"))
    with pytest.raises(CellError, match=r"^the Docker engine could not run the container: odd$"):
        executor.execute(launch())
