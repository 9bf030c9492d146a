"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from runner import executors
from runner.errors import UsageError
from runner.matrix import plan
from runner.util import durations

F = TypeVar("F", bound=Callable[..., Any])


class Finite(click.FloatRange):
    """A range of numbers without ``nan`` and ``inf``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises UsageError of click's."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class Duration(click.ParamType):  # type: ignore[type-arg] # a generic class in new releases of click only
    """A length of time, such as ``10m``, in seconds; ``none`` is infinity."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises UsageError of click's."""
        if isinstance(value, float):
            return value
        try:
            return durations.seconds(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)


def which_cells(command: F) -> F:
    """``--set`` and ``--only``."""
    command = click.option(
        "--only", multiple=True, metavar="GLOB", help="Only cells whose id matches; may be given several times."
    )(command)
    told = "A set of keras-matrix.toml (see `runner init`) or of the program (default: the file's, else quick)."
    return click.option("--set", "set_name", metavar="NAME", help=told)(command)


def everything(command: F) -> F:
    """``--all``."""
    told = "Print also the probes and columns in which nothing differs."
    return click.option("--all", "everything", is_flag=True, help=told)(command)


def executor(command: F) -> F:
    """``--executor``, with any executor."""
    return _executor(command, executors.names())


def installing_executor(command: F) -> F:
    """``--executor``, with an executor that installs what a cell's lock names."""
    return _executor(command, executors.names(installing=True))


def _executor(command: F, names: Sequence[str]) -> F:
    preferred = " or ".join(executors.names(installing=True))
    lines = [f"{plan.AUTO}: {preferred}, the first that can."]
    lines += [f"{name}: {executors.REGISTRY[name].help}." for name in names]
    option = click.option(
        "--executor", default=plan.AUTO, show_default=True, metavar="NAME", help="Where cells run. " + " ".join(lines)
    )
    return option(command)


def tls(command: F) -> F:
    """``--tls`` and ``--insecure``: how a scheduler is reached."""
    command = click.option("--insecure", is_flag=True, help="Allow tcp:// to a scheduler on another machine.")(command)
    return click.option(
        "--tls",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="The keys for tls://: a folder with ca.pem, cert.pem and key.pem (default: Dask's configuration).",
    )(command)


def error_rates(command: F) -> F:
    """``--alpha`` and ``--floor``."""
    alpha, floor = Finite(0, 1, min_open=True, max_open=True), Finite(0, 1, max_open=True)
    command = click.option(
        "--floor", default=0.05, show_default=True, type=floor, help="Smallest relative change that counts."
    )(command)
    return click.option(
        "--alpha", default=0.05, show_default=True, type=alpha, help="Chance of any false alarm among all timings."
    )(command)


def wheels(command: F) -> F:
    """``--wheel``: a wheel of the user's in the place of a release."""
    return click.option(
        "--wheel",
        "wheels",
        multiple=True,
        metavar="NAME=FILE",
        help="A wheel in the place of a release, as keras=dist/keras-3.16.0-py3-none-any.whl.",
    )(command)


def sources(command: F) -> F:
    """``--source`` and ``--wheel``: builds of the user's in the place of releases."""
    return click.option(
        "--source",
        "sources",
        multiple=True,
        metavar="NAME=PLACE",
        help="A checkout or a commit in the place of a release: keras=../keras, keras=../keras@v3.15.1, "
        "keras=git+https://...@v3.15.1. It is built once, in a container without a network.",
    )(wheels(command))


def script_options(command: F) -> F:
    """What a script is given: packages, files, the network, limits."""
    for option in (
        click.option("--disk", type=click.FloatRange(0.001), help="GB a script may write (default: 2)."),
        click.option("--memory", type=click.FloatRange(0.01), help="GB it may use (default: most of this machine's)."),
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(1),
            metavar="SECONDS",
            help="Per process (default: 900; a probe has its own).",
        ),
        click.option("--network", is_flag=True, help="Let the script reach the network."),
        click.option(
            "--mount", "mounts", multiple=True, metavar="PATH[:NAME]", help="A file for the script, in its own folder."
        ),
        click.option("--with", "extra", multiple=True, metavar="PACKAGE", help="One more package, as scipy==1.10.1."),
    ):
        command = option(command)
    return command


def tests(command: F) -> F:
    """``--pytest`` and ``--install``: the tests of the user's library."""
    for option in (
        click.option(
            "--install",
            metavar="PATH",
            help="With --pytest: a project's folder or a wheel to install in every cell, as . or '.[test]'; "
            "pure Python.",
        ),
        click.option(
            "--pytest",
            multiple=True,
            is_flag=False,
            flag_value="",
            metavar="[PATH]",
            help="Run these tests with pytest in every cell, each test a case: a folder, a file or "
            "tests/test_a.py::test_b; may be given several times. Without a PATH: those of the table [pytest] of "
            "keras-matrix.toml.",
        ),
    ):
        command = option(command)
    return command


def history(command: F) -> F:
    """``--history`` and ``--no-history``."""
    command = click.option("--no-history", is_flag=True, help="Neither read nor write a history.")(command)
    return click.option(
        "--history",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="RUNNER_HISTORY",
        metavar="FILE",
        help="Keep the run in this file, and show what it knows of earlier ones (default: the history that `runner "
        "history add` has begun, where there is one). Or the environment variable RUNNER_HISTORY.",
    )(command)


history_file = click.option(
    "--history",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="RUNNER_HISTORY",
    metavar="FILE",
    help="The history (default: one in the user's data folder). Or the environment variable RUNNER_HISTORY.",
)


every_set = click.option("--all", "every", is_flag=True, help="The environments of every set.")


def judging(command: F) -> F:
    """``--max-rounds``, ``--json`` and the error rates.

    For every command that judges finished measurements.
    """
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per comparison."),
        click.option(
            "--max-rounds",
            type=click.IntRange(1),
            help="The rounds were taken in looks up to this many, and alpha is spent over them.",
        ),
    ):
        command = option(command)
    return error_rates(command)
