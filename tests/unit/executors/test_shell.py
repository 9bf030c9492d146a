"""A shell in a cell: what a container is started with, what a host shell sees, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner import cli
from runner.errors import UnavailableError
from runner.executors import Prepared, Shell, shell
from runner.matrix.probes import SOURCE
from runner.model import Cell, Environment

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
