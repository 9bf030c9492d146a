"""The registry of executors: names, help texts, and what each executor answers about itself."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from runner import cli, engine, executors
from runner.executors import Executor, Prepared, docker, host
from runner.images import manage
from runner.matrix import plan
from runner.measure import host as here
from runner.measure import places
from runner.model import Cell, Environment

ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
MEMBERS = {name for name in vars(Executor) if not name.startswith("_")} | set(Executor.__annotations__)


@pytest.mark.parametrize("name", executors.REGISTRY)
def test_each_executor_has_every_member_of_the_protocol_with_its_arguments(name: str) -> None:
    kind = executors.kind(name)
    assert {"label", "isolated", "execute", "discard"} <= MEMBERS
    for member in MEMBERS:
        assert hasattr(kind, member), member
        wanted = getattr(Executor, member, None)
        if callable(wanted):
            assert inspect.signature(getattr(kind, member)) == inspect.signature(wanted), member


@pytest.mark.parametrize(
    ("name", "label", "isolated", "data"),
    [
        ("docker", "containers", True, "/data/mnist.npz"),
        ("host", "virtual environments", False, "/home/me/x.npz"),
        ("current", "this interpreter", False, "/home/me/x.npz"),
    ],
)
def test_each_executor_names_its_properties(name: str, label: str, isolated: bool, data: str) -> None:
    made = executors.make(name)
    assert (made.label, made.isolated, made.data_path(Path("/home/me/x.npz"))) == (label, isolated, data)


def test_only_some_install_what_a_cell_needs() -> None:
    assert executors.names() == ("docker", "host", "current")
    assert executors.names(installing=True) == ("docker", "host")
    assert [executors.installs(name) for name in ("auto", "docker", "host", "current")] == [True, True, True, False]


def test_those_that_install_have_no_cells_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("torch", "2.2.2", None, "3.11", "cuda")
    monkeypatch.setattr(executors.kind("current"), "cells", lambda _self, device: (cell,) if device == "cuda" else ())
    assert [executors.make(name).cells("cuda") for name in executors.names()] == [(), (), (cell,)]
    assert here.cells_at_hand("current", "cuda", ()) == (cell,)


@pytest.mark.parametrize(
    ("command", "names"),
    [("matrix", executors.names()), ("shell", executors.names(installing=True))],
)
def test_the_help_of_a_command_lists_its_executors(
    command: str, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "auto: docker or host, the first that can." in text
    for name, entry in executors.REGISTRY.items():
        assert (f"{name}: {entry.help}." in text) is (name in names)


def test_an_executor_that_is_not_there_is_an_error_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["matrix", "--executor", "dokcer", "--dry-run"]) == 2
    assert "did you mean 'docker'" in capsys.readouterr().err
    assert cli.run(["shell", "torch-2.2.2_native_py3.11_cpu", "--executor", "current"]) == 2
    assert "there are: auto, docker, host" in capsys.readouterr().err


class TestOffers:
    def test_only_an_executor_that_could_be_used_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "problem", lambda: pytest.fail("the engine was asked"))
        assert here.host_facts("host").executors == {"host": plan.Offer("virtual environments", isolated=False)}
        assert list(here.host_facts("current").executors) == ["current"]

    def test_auto_asks_those_that_install_the_preferred_one_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "problem", lambda: "no Docker engine is running")
        offers = here.host_facts(plan.AUTO).executors
        assert list(offers) == ["docker", "host"]
        assert offers["docker"] == plan.Offer("containers", isolated=True, problem="no Docker engine is running")
        place = places.one_place(plan.Target(Cell("torch", "2.2.2", None, "3.11", "cpu"), None), plan.AUTO)
        assert (place.executor, place.notes) == (
            "host",
            ("no Docker engine is running: running in virtual environments instead of containers",),
        )


class TestDiscard:
    def test_the_virtual_environment_goes_and_its_neighbours_stay(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name / "bin").mkdir(parents=True)
        made = host.HostExecutor(tmp_path)
        made.discard(Prepared(ENVIRONMENT, str(tmp_path / "one" / "bin" / "python")))
        assert [path.name for path in tmp_path.iterdir()] == ["two"]
        made.discard(Prepared(ENVIRONMENT, str(tmp_path / "one" / "bin" / "python")))  # it is gone already

    def test_what_is_installed_here_stays(self, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        executors.make("current").discard(Prepared(ENVIRONMENT, str(tmp_path / "bin" / "python")))
        assert (tmp_path / "bin").is_dir()

    def test_the_images_of_the_environment_go_and_the_connection_closes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Client:
            closed = False

            def close(self) -> None:
                self.closed = True

        client, name = Client(), ENVIRONMENT.id
        removed: list[str] = []
        images = [manage.Listed(id_, (), id_, "", "", 1, 1, 0.0, None) for id_ in (name, "another", name)]

        def remove(_client: Any, doomed: list[manage.Listed]) -> None:
            removed.extend(image.environment for image in doomed)

        monkeypatch.setattr(engine, "connect", lambda: client)
        monkeypatch.setattr(manage, "ls", lambda _client: images)
        monkeypatch.setattr(manage, "remove", remove)
        docker.DockerExecutor().discard(Prepared(ENVIRONMENT, "image"))
        assert removed == [name, name]
        assert client.closed


class TestRoom:
    def test_docker_evicts_images_within_the_room_and_closes_its_connection(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log: list[Any] = []

        class Client:
            def close(self) -> None:
                log.append("closed")

        monkeypatch.setattr(engine, "connect", Client)
        monkeypatch.setattr(manage, "evict", lambda client, *asked: log.append((type(client), *asked)))
        docker.DockerExecutor().make_room(executors.Room(2, 1.5), (ENVIRONMENT.id,))
        assert log == [(Client, 2, 1.5, (ENVIRONMENT.id,)), "closed"]

    @pytest.mark.parametrize("name", ["host", "current"])
    def test_what_is_no_image_stays_and_no_engine_is_asked(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        made = host.HostExecutor(tmp_path) if name == "host" else executors.make(name)
        made.make_room(executors.Room(0, 1e9), ())
        assert [path.name for path in tmp_path.iterdir()] == ["one"]
