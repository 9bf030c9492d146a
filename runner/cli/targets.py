"""Cells named in other ways than by a set: patterns over all cells, pins, a date. For repro, bisect and shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def script_options(command: F) -> F:
    """What a script is given: packages, files, the network, limits."""
    for option in (
        click.option("--disk", default=2.0, show_default=True, type=click.FloatRange(0.001), help="GB it may write."),
        click.option("--memory", type=click.FloatRange(0.01), help="GB it may use (default: most of this machine's)."),
        click.option("--timeout", "timeout_s", default=900.0, show_default=True, type=click.FloatRange(1)),
        click.option("--network", is_flag=True, help="Let the script reach the network."),
        click.option(
            "--mount", "mounts", multiple=True, metavar="PATH[:NAME]", help="A file for the script, in its own folder."
        ),
        click.option("--with", "extra", multiple=True, metavar="PACKAGE", help="One more package, as scipy==1.10.1."),
    ):
        command = option(command)
    return command
