"""The help and the options of every command, against the texts in ``help/``.

A command that changes on purpose: look at the difference that pytest shows, and change the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from runner import cli

HELP = Path(__file__).parent / "help"


def _commands(group: click.Group = cli.cli, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words: ``("images", "prune")``."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS = dict(_commands())
PAGES = ((), ("history",), ("images",), ("probe",), *COMMANDS)


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_the_help_reads_as_expected(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    if words in COMMANDS:  # click keeps the option as it was first asked for, by a test without the whole program too
        monkeypatch.setattr(COMMANDS[words], "_help_option", None, raising=False)
    assert cli.run([*words, "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out == (HELP / f"{'-'.join(words) or 'runner'}.txt").read_text(encoding="utf-8")


def _example(parameter: click.Parameter) -> str:
    """A value that the parameter takes."""
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[-1])
    if parameter.type.name.startswith(("integer", "float")):
        return "0.5" if parameter.name in ("alpha", "floor") else "30"
    return "10m" if parameter.type.name == "time" else "x.y"


def _words(parameter: click.Parameter) -> list[str]:
    """The parameter on a command line, twice where it may be given several times."""
    if isinstance(parameter, click.Argument):
        return [_example(parameter)]
    assert isinstance(parameter, click.Option)
    if parameter.is_flag:
        return [parameter.secondary_opts[0] if parameter.secondary_opts else parameter.opts[0]]
    return [parameter.opts[0], _example(parameter)] * (1 + parameter.multiple)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_shown, value)) or "nothing"
    return f"path {value.as_posix()}" if isinstance(value, Path) else repr(value)


def _values(command: click.Command, words: list[str]) -> Iterator[str]:
    """What the command's function would be called with, a line per argument."""
    context = command.make_context("x", words)
    for name, value in sorted(context.params.items()):
        yield f"{name} = {_shown(value)}\n"


def _called(command: click.Command) -> str:
    """With as little as the command takes, then with every option and two further words."""
    least = [word for parameter in command.params if parameter.required for word in _words(parameter)]
    most = [word for parameter in command.params if parameter.nargs == 1 for word in _words(parameter)]
    rest = ["--", "-a", "b"] * any(parameter.nargs == -1 for parameter in command.params)
    return "".join(["# least\n", *_values(command, least), "# most\n", *_values(command, [*most, *rest])])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_called_with_the_values_of_its_options(words: tuple[str, ...]) -> None:
    expected = (HELP / f"{'-'.join(words)}.values").read_text(encoding="utf-8")
    assert _called(COMMANDS[words]) == expected
