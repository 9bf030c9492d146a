"""Turns the command line into an exit code.

The only place that catches the project's own errors in general.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType

import click
from click.core import ParameterSource

from runner import __version__
from runner.errors import OutageError, RunnerError, suggest
from runner.util import program
from runner.util.plain import say

# name -> (module, one line of help); a command's module is imported when the command is used
COMMANDS = {
    "matrix": ("runner.cli.matrix", "Build, run and judge a set of cells; print the version-regression matrix."),
    "init": ("runner.cli.init", "Write keras-matrix.toml: the sets, probes and known failures of your repository."),
    "probe": ("runner.cli.probe", "Write your own probes: new."),
    "list": ("runner.cli.list", "Show the cells of a set."),
    "report": ("runner.cli.report", "Print the matrix again from result files."),
    "history": ("runner.cli.history", "Keep runs in one file: add, ls, show, prune, export, import."),
    "doctor": ("runner.cli.doctor", "Say what this machine can run, and how to fix what is missing."),
    "render": ("runner.cli.render", "Write the Dockerfiles of a set's environments."),
    "lock": ("runner.cli.lock", "Pin the packages of a set's environments, with hashes."),
    "images": ("runner.cli.images", "Look after the images: ls, prune, pin, push, pull, sbom."),
    "defects": ("runner.cli.defects", "List what the sweeps found wrong, each once, with a script that shows it."),
    "schema": ("runner.cli.schema", "Write the JSON Schemas of result files."),
    "repro": ("runner.cli.repro", "Run a script unchanged in chosen cells; show what it printed side by side."),
    "bisect": ("runner.cli.bisect", "Find the release of a package that changed the result of a script or probe."),
    "diagnose": ("runner.cli.diagnose", "Why do two cells differ? Remove suspects, then replay layer by layer."),
    "shell": ("runner.cli.shell", "Open a shell, or run a command, in a cell."),
    "export": ("runner.cli.export", "Write a folder that reproduces one result without this project."),
    "trend": ("runner.cli.trend", "Show a figure over dates or releases, and where its level changes."),
    "judge": ("runner.cli.judge", "Judge any measurements, from any tool."),
    "worker": ("runner.cli.worker", "Work for `runner matrix --scheduler` on this machine."),
    "compare": ("runner.cli.compare", "Compare two finished runs, cell by cell."),
    "calibrate": ("runner.cli.calibrate", "Measure how much a cell differs from itself on this machine."),
    "expect": ("runner.cli.expect", "Bring matrix/expectations.toml up to date with a run."),
}


class _Formatter(click.HelpFormatter):
    """Help texts whose commands begin as the user began."""

    def write_text(self, text: str) -> None:
        super().write_text(program.named(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, program.named(text)) for term, text in rows], col_max, col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


def _helped(command: click.Command) -> click.Command:
    """Let a command, and those below it, use these help texts.

    They refuse options without a value.
    """
    command.context_class = _Context
    for option in command.params:
        optional = isinstance(option, click.Option) and option.flag_value == ""  # --pytest without a value
        if isinstance(option, click.Option) and option.callback is None and not optional:
            option.callback = _not_empty
    for one in getattr(command, "commands", {}).values():
        _helped(one)
    return command


def _not_empty(context: click.Context, option: click.Parameter, value: object) -> object:
    """An option's value.

    Raises UsageError for an empty one: a variable of a shell that is not set.
    """
    given = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    if given and (value == "" or (isinstance(value, tuple) and "" in value)):
        raise click.UsageError(f"{option.opts[-1]} is empty: give it a value, or leave it out")
    return value


class _Commands(click.Group):
    """A group whose commands are imported on first use.

    That keeps ``--help`` and ``list`` fast.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"no command {cmd_name!r}{suggest(cmd_name, COMMANDS)}")
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")
        return _helped(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all measured, nothing regressed; 1 something regressed or broke; 2 bad usage; "
    "3 something could not be measured; 4 nothing was measured; 130 interrupted.",
)
@click.version_option(__version__, prog_name=program.prefix())
def cli() -> None:
    """Finds which framework version changed accuracy, numerics, speed or memory.

    `python -m runner matrix` answers for the default set.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    _open_streams()
    sys.excepthook = report_fault
    sys.exit(run(argv))


def report_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an exception that nothing caught, as Python does."""
    import traceback

    say("".join(traceback.format_exception(kind, error, trace)), err=True, nl=False)


def run(argv: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code.

    Every error of the user's is one line on stderr.
    """
    try:
        cli.main(args=argv, prog_name=program.name(), standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except SystemExit as end:  # how a command returns its exit code
        return end.code if isinstance(end.code, int) else 0
    except click.ClickException as error:
        if error.format_message().startswith("Usage:"):  # no arguments at all: the help is the answer
            error.show()
            return 2
        where = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        _say(f"{' '.join(error.format_message().split()).rstrip('.')}{where}")
        return 2
    except RunnerError as error:
        _say(error.sentence if isinstance(error, OutageError) else str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return 130
    except BrokenPipeError:
        return _quietly()
    except OSError as error:  # a disk that is full, a folder that is gone: where no stage has more to say about it
        _say(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
        return 2
    return 0


def _say(line: str) -> None:
    """Print an error.

    Where that fails too (``2> /dev/full``), there is the exit code alone.
    """
    with suppress(OSError):
        program.warn(line)


def _open_streams() -> None:
    """Open missing standard streams (``>&-``) on the null device.

    Without that the first files it opens would take their places.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))


def _quietly() -> int:
    """End without an error where the reader of the output (``head``) has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
