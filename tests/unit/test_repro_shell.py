"""A shell in a cell: what the container is started with, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import cli
from runner.executors import shell
from runner.matrix.probes import SOURCE


def _command(**more: bool) -> list[str]:
    return shell.container_command(
        "image", ("python", "-V"), {"A": "b"}, {"l": "m"},
        network=more.get("network", False), terminal=more.get("terminal", False), folder=Path("/here"),
    )  # fmt: skip


def test_the_folder_and_the_probes_are_there_and_the_network_is_not() -> None:
    command = _command()
    assert command[-3:] == ["image", "python", "-V"]
    assert command[command.index("--network") + 1] == "none"
    mounts = [word for word in command if word.startswith("type=bind")]
    assert mounts[0] == "type=bind,source=/here,target=/work"
    assert mounts[1].endswith("target=/probes/probe,readonly")
    assert (SOURCE.parent / "probe" / "__main__.py").is_file()
    assert "--tty" not in command


def test_a_terminal_and_the_network_when_there_are_such() -> None:
    command = _command(network=True, terminal=True)
    assert "--tty" in command
    assert command[command.index("--network") + 1] == "bridge"


def test_what_is_no_cell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["shell", "torch"]) == 2
    assert "is not a cell id" in capsys.readouterr().err
