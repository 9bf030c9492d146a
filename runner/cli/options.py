"""Options that several commands share, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from runner import compat, matrix
from runner.errors import UsageError, suggest
from runner.model import Cell, ProbeSpec, Scalar, Skip

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("terminal", "json", "markdown", "comment", "html", "junit", "github")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A set of the matrix as the user has narrowed it down."""

    name: str
    whole: matrix.Matrix
    definition: matrix.Set
    cells: tuple[Cell, ...]
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]
    """What is to be said about cells: versions that compat.toml does not know."""


def which_cells(command: F) -> F:
    """``--set`` and ``--only``."""
    command = click.option(
        "--only", multiple=True, metavar="GLOB", help="Only cells whose id matches; may be given several times."
    )(command)
    return click.option("--set", "set_name", metavar="NAME", help="A set of matrix.toml (default: quick).")(command)


def choose(set_name: str | None, only: tuple[str, ...]) -> Chosen:
    """The cells of a set. Raises UsageError for an unknown set or a pattern that matches nothing."""
    loaded = matrix.load()
    facts = compat.load()
    chosen = matrix.named_set(loaded, set_name)
    all_cells, skips = matrix.cells(loaded, chosen, matrix.Resolver(compat.latest, facts.python_for))
    cells = matrix.select(all_cells, only)
    notes = dict.fromkeys(note for cell in cells if (note := facts.warn(cell.framework, cell.version)))
    return Chosen(set_name or loaded.default, loaded, chosen, cells, skips if not only else (), tuple(notes))


def probe_specs(chosen: Chosen, names: tuple[str, ...], settings: tuple[str, ...]) -> tuple[ProbeSpec, ...]:
    """The probes of the set, or those named, with ``probe.setting=value`` over the set's settings.

    Raises UsageError for a probe the payload does not have or a setting that is malformed.
    """
    known = chosen.whole.probes
    for name in names:
        if name not in known:
            raise UsageError(f"no probe {name!r}{suggest(name, known)}; there are: {', '.join(known)}")
    wanted = names or tuple(chosen.definition.probes)
    changed = _settings(settings, wanted)
    return tuple(
        ProbeSpec(name, {**chosen.definition.probes.get(name, {}), **changed.get(name, {})}, timed=known[name].timed)
        for name in wanted
    )


def _settings(texts: tuple[str, ...], probes: tuple[str, ...]) -> dict[str, dict[str, Scalar]]:
    import json

    from runner import payload

    changed: dict[str, dict[str, Scalar]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        probe, dot, name = target.partition(".")
        if not (equals and dot and name):
            raise UsageError(f"--setting {text!r}: it looks like mnist.epochs=5")
        if probe not in probes:
            raise UsageError(f"--setting {text!r}: probe {probe!r} does not run{suggest(probe, probes)}")
        known = payload.settings(probe)
        if name not in known:
            there_are = f"; there are: {', '.join(known)}" if known else ""
            raise UsageError(f"--setting {text!r}: {probe} has no setting {name!r}{suggest(name, known)}{there_are}")
        try:
            found = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            found = value
        default = known[name]
        if default is not None and type(found) is not type(default) and (type(default), type(found)) != (float, int):
            raise UsageError(f"--setting {text!r}: {name} is {type(default).__name__}, such as {json.dumps(default)}")
        changed.setdefault(probe, {})[name] = found
    return changed
