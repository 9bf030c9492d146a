"""The Docker engine as data, its errors, and why it does not answer; docker-py and the socket are made up."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import urllib3

from runner import engine
from runner.engine import CommandLine, Engine
from runner.errors import UnavailableError
from runner.util import commands

INFO = {
    "ServerVersion": "24.0.7",
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless", "name=cgroupns"],
    "CgroupVersion": "2",
    "OperatingSystem": "Fedora",
    "Architecture": "x86_64",
    "DockerRootDir": "/var/lib/docker",
    "MemoryLimit": False,
    "Runtimes": {"runc": {}, "nvidia": {}},
}


def refused(explanation: str) -> docker.errors.APIError:
    return docker.errors.APIError("refused", response=requests.Response(), explanation=explanation)


class TestRead:
    def test_an_engines_answers_are_read(self) -> None:
        version = {"ApiVersion": "1.43", "Components": [{"Name": "Engine"}]}
        assert Engine.read(INFO, version) == Engine(
            version="24.0.7",
            api="1.43",
            platform="linux/amd64",
            system="Fedora",
            root="/var/lib/docker",
            rootless=True,
            cgroup="2",
            limits_memory=False,
            nvidia=True,
        )

    def test_an_engine_without_details_is_taken_for_an_old_one(self) -> None:
        assert Engine.read({"SecurityOptions": None}, {}) == Engine(platform="linux/", cgroup="1")

    @pytest.mark.parametrize(
        ("info", "name", "value"),
        [
            ({"SecurityOptions": ["name=userns"]}, "remapped", True),
            ({"SecurityOptions": ["name=selinux"]}, "selinux", True),
            ({"SecurityOptions": ["name=rootless"]}, "rootless", True),
            ({"SecurityOptions": ["name=selinux"]}, "rootless", False),
            ({"SecurityOptions": ["name=seccomp"], "Rootless": True}, "rootless", True),
            ({"Rootless": False}, "rootless", False),
            ({"Architecture": "amd64"}, "platform", "linux/amd64"),
            ({"Architecture": "aarch64"}, "platform", "linux/arm64"),
            ({"Architecture": "arm64"}, "platform", "linux/arm64"),
            ({"Architecture": "riscv64"}, "platform", "linux/riscv64"),
            ({"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}, "nvidia", True),
            ({"Runtimes": {"runc": {}}}, "nvidia", False),
            ({"MemoryLimit": True}, "limits_memory", True),
            ({"MemoryLimit": True, "Rootless": True, "CgroupVersion": "1"}, "limits_memory", False),
            ({"MemoryLimit": True, "Rootless": True, "CgroupVersion": "2"}, "limits_memory", True),
        ],
    )
    def test_each_fact_is_read_from_its_place(self, info: dict[str, Any], name: str, value: object) -> None:
        assert getattr(Engine.read(info, {}), name) == value

    def test_podman_is_known_by_its_components(self) -> None:
        assert Engine.read({}, {"Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]}).podman
        assert not Engine.read({}, {"Components": None}).podman


class Client:
    """Stands in for docker-py's APIClient."""

    def __init__(self, *, images: tuple[str, ...] = (), registry: dict[str, Exception] | None = None) -> None:
        self.images, self.registry = images, registry or {}
        self.closed = False
        self.broken: Exception | None = None

    @property
    def api(self) -> Client:
        return self

    def ping(self) -> None:
        if self.broken:
            raise self.broken

    def info(self) -> dict[str, Any]:
        self.ping()
        return INFO

    def version(self) -> dict[str, Any]:
        return {"ApiVersion": "1.43"}

    def inspect_image(self, name: str) -> None:
        if name not in self.images:
            raise docker.errors.ImageNotFound(name)

    def inspect_distribution(self, name: str) -> None:
        if name in self.registry:
            raise self.registry[name]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()
    monkeypatch.setattr(docker, "from_env", lambda **_arguments: made)
    return made


class TestConnect:
    def test_the_timeout_is_that_of_one_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[dict[str, Any]] = []

        def from_env(**arguments: Any) -> Client:
            asked.append(arguments)
            return Client()

        monkeypatch.setattr(docker, "from_env", from_env)
        engine.connect()
        engine.connect(3)
        assert asked == [{"timeout": 60, "max_pool_size": 64}, {"timeout": 3, "max_pool_size": 64}]

    def test_no_engine_is_one_line_with_the_innermost_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(**_arguments: Any) -> None:
            error = ConnectionRefusedError(111, "Connection refused")
            raise docker.errors.DockerException(f"Error while fetching server API version: {error}") from error

        monkeypatch.setattr(docker, "from_env", refuse)
        with pytest.raises(UnavailableError) as caught:
            engine.connect()
        assert str(caught.value) == "no Docker engine answers (Connection refused)"

    @pytest.mark.usefixtures("client")
    def test_an_engine_is_described(self) -> None:
        assert engine.describe(engine.connect()) == Engine.read(INFO, {"ApiVersion": "1.43"})

    def test_an_engine_that_dies_meanwhile_is_unavailable(self, client: Client) -> None:
        connected = engine.connect()
        client.broken = requests.ConnectionError("gone")
        with pytest.raises(UnavailableError, match=r"^the Docker engine does not answer \(gone\)$"):
            engine.describe(connected)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (refused("no space left on device"), "no space is left on the Docker engine's disk"),
        (refused("odd"), "the Docker engine refuses: odd"),
        (docker.errors.DockerException("odd"), "the Docker engine does not answer (odd)"),
        (requests.ReadTimeout("slow"), "the Docker engine does not answer (slow)"),
        (requests.exceptions.ChunkedEncodingError("cut"), "the Docker engine does not answer (cut)"),
        (urllib3.exceptions.ProtocolError("cut"), "the Docker engine does not answer (cut)"),
        (BrokenPipeError(32, "Broken pipe"), "the Docker engine does not answer (Broken pipe)"),
        (requests.ConnectionError(), "the Docker engine does not answer (ConnectionError)"),
    ],
)
def test_whatever_docker_py_raises_is_unavailable_in_one_line(error: Exception, text: str) -> None:
    with pytest.raises(UnavailableError) as caught, engine.answering():
        raise error
    assert str(caught.value) == text


def test_an_error_of_this_program_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), engine.answering():
        raise ZeroDivisionError


def test_images_are_missing_where_neither_the_engine_nor_the_registry_has_them(client: Client) -> None:
    client.images = ("here",)
    client.registry = {
        "refused": refused("no such manifest"),
        "odd": docker.errors.DockerException("odd"),
        "silent": requests.ConnectionError("timed out"),
    }
    assert engine.missing_images(["here", "there", "refused", "odd", "silent"]) == {
        "refused": "no such manifest",
        "odd": "odd",
        "silent": "its registry does not answer",
    }
    assert client.closed


class TestProblem:
    @pytest.fixture(autouse=True)
    def _no_settings(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def answer(self, monkeypatch: pytest.MonkeyPatch, first: bytes | OSError) -> list[str]:
        """Make every socket answer with these bytes, or fail to connect; the addresses that were tried."""
        tried: list[str] = []

        def connect(_socket: socket.socket, address: str) -> None:
            tried.append(address)
            if isinstance(first, OSError):
                raise first

        monkeypatch.setattr(socket.socket, "connect", connect)
        monkeypatch.setattr(socket.socket, "sendall", lambda _socket, _data: None)
        monkeypatch.setattr(socket.socket, "recv", lambda _socket, _size: first)
        return tried

    @pytest.mark.parametrize(
        ("first", "problem"),
        [
            (b"HTTP/1.0 200 OK\r\n", ""),
            (b"HTTP/1.0 500 Internal Server Error\r\n", "the Docker engine does not answer a ping"),
            (b"", "the Docker engine does not answer a ping"),
            (FileNotFoundError(), "no Docker engine is running"),
            (PermissionError(), "the Docker engine's socket /var/run/docker.sock may not be used by this user"),
            (ConnectionRefusedError(111, "Connection refused"), "no Docker engine answers (Connection refused)"),
            (TimeoutError("timed out"), "no Docker engine answers (timed out)"),
        ],
    )
    def test_each_answer_of_a_local_socket_has_its_words(
        self, monkeypatch: pytest.MonkeyPatch, first: bytes | OSError, problem: str
    ) -> None:
        tried = self.answer(monkeypatch, first)
        assert engine.problem() == problem
        assert tried == ["/var/run/docker.sock"]

    def test_another_socket_is_asked_where_the_environment_names_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = self.answer(monkeypatch, b"HTTP/1.0 200 OK")
        monkeypatch.setenv("DOCKER_HOST", "unix:///run/podman.sock")
        assert engine.problem() == ""
        assert tried == ["/run/podman.sock"]

    @pytest.mark.parametrize(
        ("variables", "context"),
        [
            ({"DOCKER_HOST": "tcp://box:2375"}, "default"),
            ({"DOCKER_CONTEXT": "box"}, "default"),
            ({}, "box"),
        ],
    )
    def test_an_engine_elsewhere_is_asked_through_docker_py(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], context: str, client: Client
    ) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"currentContext": context}))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert engine.problem() == ""
        assert client.closed
        client.broken = requests.ConnectionError("gone")
        assert engine.problem() == "no Docker engine answers (gone)"

    @pytest.mark.parametrize("config", ["{}", "not json", '{"currentContext": "default"}'])
    def test_a_configuration_without_a_context_means_the_local_socket(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str
    ) -> None:
        (tmp_path / "config.json").write_text(config)
        tried = self.answer(monkeypatch, b"HTTP/1.0 200 OK")
        assert engine.problem() == ""
        assert tried == ["/var/run/docker.sock"]


class TestBuildkit:
    @pytest.mark.parametrize(
        ("version", "major"),
        [
            ("Docker version 20.10.24+dfsg1, build 297e128", 20),
            ("Docker version 28.2.2, build e6534b4", 28),
            ("podman version 4.3.1", 10**6),
            ("Docker version", 10**6),
            ("", 10**6),
        ],
    )
    def test_the_clients_version_is_read(self, version: str, major: int) -> None:
        assert engine._major(version) == major

    @pytest.mark.parametrize(
        ("answers", "found"),
        [
            ({"buildx version": "v0.12", "--version": "Docker version 28.2.2"}, True),
            ({"buildx version": "", "--version": "Docker version 20.10.24"}, False),
            ({"buildx version": "", "--version": "Docker version 23.0.1"}, None),
            ({"buildx version": "", "--version": ""}, None),
        ],
    )
    def test_a_command_line_is_taken_for_what_it_answers(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: dict[str, str], found: bool | None
    ) -> None:
        docker_here = tmp_path / "docker"
        docker_here.write_text("")
        docker_here.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

        def output(program: str, *words: str, **_: object) -> str:
            return answers[" ".join(words)] if program == str(docker_here) else ""

        monkeypatch.setattr(commands, "output", output)
        engine.buildkit.cache_clear()
        try:
            expected = None if found is None else CommandLine(str(docker_here), buildx=found)
            assert engine.buildkit() == expected
        finally:
            engine.buildkit.cache_clear()


class TestPing:
    def test_the_socket_is_asked_as_a_client_would_ask_and_not_for_long(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked: list[Any] = []
        monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/socket")
        for name in ("settimeout", "connect", "sendall"):
            monkeypatch.setattr(socket.socket, name, lambda _socket, *what, name=name: asked.append((name, *what)))
        monkeypatch.setattr(socket.socket, "recv", lambda _socket, size: b"HTTP/1.0 200 OK"[:size])
        assert engine.problem() == ""
        assert asked == [
            ("settimeout", 3.0),
            ("connect", f"{tmp_path}/socket"),
            ("sendall", b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"),
        ]

    def test_the_configuration_is_in_the_home_folder(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert engine._socket_path() == "/var/run/docker.sock"
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "box"}')
        assert engine._socket_path() is None
        monkeypatch.setenv("DOCKER_CONTEXT", "default")
        assert engine._socket_path() is None
        monkeypatch.setenv("DOCKER_HOST", "")
        assert engine._socket_path() is None

    def test_an_error_without_a_text_of_the_system_is_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_socket: socket.socket, _address: str) -> None:
            raise OSError("odd")

        monkeypatch.setenv("DOCKER_HOST", "unix:///x")
        monkeypatch.setattr(socket.socket, "connect", refuse)
        assert engine.problem() == "no Docker engine answers (odd)"


class TestCommandLines:
    """Which docker command lines are tried, in which order, and how each is asked."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """The questions; every command line has neither buildx nor an old client."""
        found: list[Any] = []

        def output(*command: str, timeout_s: float) -> str:
            found.append((command, timeout_s))
            return ""

        monkeypatch.setattr(commands, "output", output)
        monkeypatch.setattr(shutil, "which", lambda name, path: f"{path}/{name}")
        return found

    def programs(self, asked: list[Any], monkeypatch: pytest.MonkeyPatch, path: str) -> list[str]:
        monkeypatch.setenv("PATH", path)
        engine.buildkit.cache_clear()
        assert engine.buildkit() is None
        engine.buildkit.cache_clear()
        return [command[0] for command, _ in asked[::2]]

    def test_those_of_the_path_come_first_and_the_usual_places_follow(
        self, asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        found = self.programs(asked, monkeypatch, f"{tmp_path}::/none")
        assert found == [f"{tmp_path}/docker", "/none/docker", "/usr/bin/docker", "/usr/local/bin/docker"]
        assert asked[:2] == [
            ((f"{tmp_path}/docker", "buildx", "version"), 20.0),
            ((f"{tmp_path}/docker", "--version"), 20.0),
        ]

    def test_one_program_under_two_names_is_asked_once(
        self, asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "docker").write_text("")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "docker").symlink_to(tmp_path / "docker")
        found = self.programs(asked, monkeypatch, f"{tmp_path}:{tmp_path}/other")
        assert found[:2] == [f"{tmp_path}/docker", "/usr/bin/docker"]

    def test_a_folder_without_one_is_passed_over(self, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name, path: None if path == "/none" else f"{path}/{name}")
        assert self.programs(asked, monkeypatch, "/none")[0] == "/usr/bin/docker"


@pytest.mark.parametrize(
    ("kind", "transport"),
    [
        (requests.ConnectionError, True),
        (requests.Timeout, True),
        (urllib3.exceptions.HTTPError, True),
        (OSError, True),
        (docker.errors.DockerException, False),
        (ZeroDivisionError, False),
    ],
)
def test_what_breaks_a_connection_is_told_from_a_refusal(kind: type[Exception], transport: bool) -> None:
    assert issubclass(kind, engine.transport_errors()) is transport
    assert issubclass(kind, engine.errors()) is (transport or kind is docker.errors.DockerException)


def test_a_refusal_without_an_explanation_is_its_own_text() -> None:
    with pytest.raises(UnavailableError, match=r"^the Docker engine refuses: odd$"), engine.answering("x"):
        raise docker.errors.APIError("odd")
    with pytest.raises(UnavailableError, match=r"^x \(odd\)$"), engine.answering("x"):
        raise docker.errors.DockerException("odd")


def test_the_last_error_of_a_chain_is_the_reason() -> None:
    first, second, third = ValueError("first"), ValueError("second"), ValueError("third")
    third.__cause__, second.__context__ = second, first
    assert engine.innermost(third) == "first"
    assert engine.innermost(OSError(111, "Connection refused")) == "Connection refused"
    assert engine.innermost(KeyError()) == "KeyError"
