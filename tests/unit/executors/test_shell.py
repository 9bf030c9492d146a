"""A shell in a cell: what a container is started with, what a host shell sees, and what is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner import cli
from runner.errors import UnavailableError
from runner.executors import Launch, Prepared, Shell, container, shell
from runner.executors.owner import Owner
from runner.matrix.probes import SOURCE
from runner.model import Cell, Environment, Limits

CELL = Cell("torch", "2.2.2", None, "3.11", "cpu")
ENVIRONMENT = Environment("torch", "2.2.2", None, "3.11", "cpu", "linux-x86_64")
WANTED = Shell(CELL, Prepared(ENVIRONMENT, "image"), ("python", "-V"), {"A": "b"})


def _command(wanted: Shell = WANTED, *, terminal: bool = False) -> list[str]:
    return shell.container_command(wanted, {"l": "m"}, folder=Path("/here"), terminal=terminal)


def test_the_folder_and_the_probes_are_there_and_the_network_is_not() -> None:
    command = _command()
    assert command[:3] == ["docker", "run", "--rm"]
    assert command[-3:] == ["image", "python", "-V"]
    assert command[command.index("--network") + 1] == "none"
    assert command[command.index("--workdir") + 1] == "/work"
    assert command[command.index("--label") + 1] == "l=m"
    mounts = [word for word in command if word.startswith("type=bind")]
    assert mounts[0] == "type=bind,source=/here,target=/work"
    assert mounts[1] == f"type=bind,source={SOURCE},target=/probes/probe,readonly"
    assert (SOURCE.parent / "probe" / "__main__.py").is_file()
    assert "--tty" not in command
    assert "--gpus" not in command


def test_variables_of_the_cell_outrank_those_of_the_shell() -> None:
    command = _command(replace(WANTED, variables={"HOME": "/elsewhere", "A": "b"}))
    given = [command[n + 1] for n, word in enumerate(command) if word == "--env"]
    assert given == ["PYTHONPATH=/probes", "HOME=/elsewhere", "A=b"]


def test_a_terminal_the_network_and_a_gpu_where_there_are_such() -> None:
    cuda = replace(WANTED, cell=replace(CELL, device="cuda"), network=True, words=())
    command = _command(cuda, terminal=True)
    assert "--tty" in command
    assert command[command.index("--network") + 1] == "bridge"
    assert command[-4:] == ["--gpus", "all", "image", "bash"]


def test_a_container_needs_a_docker_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match="needs the docker command line"):
        shell.in_container(WANTED)


def test_a_host_shell_finds_the_environment_and_the_probes_only() -> None:
    on_host = replace(WANTED, prepared=Prepared(ENVIRONMENT, "/envs/torch/bin/python"))
    outside = {"PATH": "/usr/bin", "PYTHONPATH": "/mine", "PYTHONHOME": "/mine", "TERM": "xterm"}
    assert shell.host_variables(on_host, outside, "/probes") == {
        "PATH": "/envs/torch/bin:/usr/bin",
        "TERM": "xterm",
        "VIRTUAL_ENV": "/envs/torch",
        "PYTHONPATH": "/probes",
        "PYTHONNOUSERSITE": "1",
        "A": "b",
    }


def test_what_is_no_cell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["shell", "torch"]) == 2
    assert "is not a cell id" in capsys.readouterr().err


def test_the_whole_command_of_a_container() -> None:
    assert _command() == [
        *("docker", "run", "--rm", "--init", "--interactive", "--network", "none", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--shm-size", "1g", "--user", f"{os.getuid()}:{os.getgid()}"),
        *("--mount", "type=bind,source=/here,target=/work", "--workdir", "/work"),
        *("--mount", f"type=bind,source={SOURCE},target=/probes/probe,readonly"),
        *("--env", "PYTHONPATH=/probes", "--env", "HOME=/tmp", "--env", "A=b", "--label", "l=m"),
        *("image", "python", "-V"),
    ]


class Child:
    """Stands in for ``subprocess.Popen``: a command that ends with ``code``."""

    def __init__(self) -> None:
        self.code = 0
        self.arguments: list[str] = []
        self.options: dict[str, Any] = {}
        self.refuses: OSError | None = None
        self.on_wait: Callable[[], None] = lambda: None

    def __call__(self, arguments: list[str], **options: Any) -> Child:
        if self.refuses:
            raise self.refuses
        self.arguments, self.options = arguments, options
        return self

    def wait(self) -> int:
        self.on_wait()
        return self.code


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    made = Child()
    monkeypatch.setattr(subprocess, "Popen", made)
    return made


ON_HOST = replace(WANTED, prepared=Prepared(ENVIRONMENT, "/envs/torch/bin/python"))


class TestHandedOver:
    def test_a_container_runs_in_the_current_folder(
        self, child: Child, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: "/bin/docker" if name == "docker" else None)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("DOCKER_HOST", "unix:///x")
        child.code = 3
        assert shell.in_container(WANTED) == 3
        words = child.arguments
        assert words[:6] == ["docker", "run", "--rm", "--init", "--interactive", "--tty"]
        assert f"type=bind,source={tmp_path},target=/work" in words
        labels = dict(words[n + 1].split("=", 1) for n, word in enumerate(words) if word == "--label")
        launch = Launch(CELL, WANTED.prepared, tmp_path, None, {}, Limits())
        assert labels == container.labels(launch, run="shell", owner=Owner.this())
        assert child.options["env"]["DOCKER_HOST"] == "unix:///x"

    def test_a_host_shell_finds_the_probes_while_it_runs(self, child: Child) -> None:
        found: list[Path] = []

        def look() -> None:
            folder = Path(child.options["env"]["PYTHONPATH"])
            assert folder.name.startswith("shell-")
            assert [path.name for path in folder.iterdir()] == ["probe"]
            assert (folder / "probe").readlink() == SOURCE
            found.append(folder)

        child.on_wait = look
        assert shell.on_host(ON_HOST) == 0
        assert child.arguments == ["python", "-V"]
        assert child.options["env"]["VIRTUAL_ENV"] == "/envs/torch"
        assert [folder.exists() for folder in found] == [False]

    @pytest.mark.parametrize(("own", "command"), [("/bin/zsh", ["/bin/zsh"]), ("", ["sh"]), (None, ["sh"])])
    def test_without_a_command_it_is_the_users_shell(
        self, child: Child, monkeypatch: pytest.MonkeyPatch, own: str | None, command: list[str]
    ) -> None:
        monkeypatch.delenv("SHELL", raising=False)
        if own is not None:
            monkeypatch.setenv("SHELL", own)
        shell.on_host(replace(ON_HOST, words=()))
        assert child.arguments == command

    @pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (5, 5), (-2, 130), (-9, 137)])
    def test_a_signal_is_an_exit_code_above_128(self, child: Child, code: int, exit_code: int) -> None:
        child.code = code
        assert shell.on_host(ON_HOST) == exit_code

    def test_an_interrupt_reaches_the_command_alone(self, child: Child) -> None:
        before = signal.getsignal(signal.SIGINT)
        during: list[Any] = []

        def look() -> None:
            during.append(signal.getsignal(signal.SIGINT))
            child.options["preexec_fn"]()  # what the child does before it becomes the command
            during.append(signal.getsignal(signal.SIGINT))

        child.on_wait = look
        shell.on_host(ON_HOST)
        assert during == [signal.SIG_IGN, signal.SIG_DFL]
        assert signal.getsignal(signal.SIGINT) is before

    def test_what_cannot_be_started_is_unavailable(self, child: Child) -> None:
        before = signal.getsignal(signal.SIGINT)
        child.refuses = FileNotFoundError(2, "No such file or directory")
        with pytest.raises(UnavailableError, match=r"^python cannot be started: No such file or directory$"):
            shell.on_host(ON_HOST)
        assert signal.getsignal(signal.SIGINT) is before


def test_a_refused_container_names_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError) as caught:
        shell.in_container(WANTED)
    assert str(caught.value) == "a shell in a container needs the docker command line; or use --executor host"
