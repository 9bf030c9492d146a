"""Options that several commands share, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Finite(click.FloatRange):
    """A range of numbers, of which ``nan`` and ``inf`` are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises UsageError of click's."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


FORMATS = ("terminal", "json", "markdown", "comment", "html", "junit", "github")


def which_cells(command: F) -> F:
    """``--set`` and ``--only``."""
    command = click.option(
        "--only", multiple=True, metavar="GLOB", help="Only cells whose id matches; may be given several times."
    )(command)
    return click.option("--set", "set_name", metavar="NAME", help="A set of matrix.toml (default: quick).")(command)


def error_rates(command: F) -> F:
    """``--alpha`` and ``--floor``."""
    alpha, floor = Finite(0, 1, min_open=True, max_open=True), Finite(0, 1, max_open=True)
    command = click.option(
        "--floor", default=0.05, show_default=True, type=floor, help="Smallest relative change that counts."
    )(command)
    return click.option(
        "--alpha", default=0.05, show_default=True, type=alpha, help="Chance of any false alarm among all timings."
    )(command)


every_set = click.option("--all", "every", is_flag=True, help="The environments of every set.")


def judging(command: F) -> F:
    """``--max-rounds``, ``--json`` and the error rates, of every command that judges finished measurements."""
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
