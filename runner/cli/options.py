"""Options that several commands share, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import filter as matching
from typing import Any, TypeVar

import click

from runner.errors import UsageError, suggest
from runner.matrix import compat, sets
from runner.model import Cell, ProbeSpec, Scalar, Skip

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


@dataclass(frozen=True, slots=True)
class Chosen:
    """A set of the matrix as the user has narrowed it down."""

    name: str
    whole: sets.Matrix
    definition: sets.Set
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


def error_rates(command: F) -> F:
    """``--alpha`` and ``--floor``."""
    alpha, floor = Finite(0, 1, min_open=True, max_open=True), Finite(0, 1, max_open=True)
    command = click.option(
        "--floor", default=0.05, show_default=True, type=floor, help="Smallest relative change that counts."
    )(command)
    return click.option(
        "--alpha", default=0.05, show_default=True, type=alpha, help="Chance of any false alarm among all timings."
    )(command)


def choose(set_name: str | None, only: tuple[str, ...]) -> Chosen:
    """The cells of a set. Raises UsageError for an unknown or malformed set or a pattern that fits no cell."""
    loaded = sets.load()
    facts = compat.load()
    name = loaded.default if set_name is None else set_name
    chosen = sets.named_set(loaded, name)
    all_cells, skips = _cells(loaded, name, facts)
    for pattern in only:
        if not matching([cell.id for cell in all_cells], pattern):
            raise UsageError(_nowhere(loaded, facts, name, pattern, [cell.id for cell in all_cells]))
    cells = sets.select(all_cells, only)
    notes = dict.fromkeys(note for cell in cells if (note := facts.warn(cell.framework, cell.version)))
    return Chosen(name, loaded, chosen, cells, skips if not only else (), tuple(notes))


def _cells(loaded: sets.Matrix, name: str, facts: compat.Compat) -> tuple[tuple[Cell, ...], tuple[Skip, ...]]:
    one = loaded.sets[name]
    try:
        if one.platform:
            facts.platform(one.platform)
        found, skips = sets.cells(loaded, one, sets.Resolver(compat.latest, facts.python_for))
    except UsageError as error:
        raise UsageError(f"matrix.toml: sets.{name}: {error}") from None
    if not found and not skips:
        raise UsageError(f"matrix.toml: sets.{name} has no cells: give it a product or an include")
    return found, skips


def _nowhere(loaded: sets.Matrix, facts: compat.Compat, name: str, pattern: str, ids: list[str]) -> str:
    """Why a pattern fits no cell of the set: another set has it, or it is misspelt."""
    others = []
    for other in loaded.sets:
        with suppress(UsageError):  # a malformed set is told when it is asked for
            if matching([cell.id for cell in _cells(loaded, other, facts)[0]], pattern):
                others.append(other)
    where = f"; --set {others[0]} has it" if others else suggest(pattern, ids)
    return f"{pattern!r} matches no cell of the set {name!r}{where}"


def probe_specs(chosen: Chosen, names: tuple[str, ...], settings: tuple[str, ...]) -> tuple[ProbeSpec, ...]:
    """The probes of the set, or those named, with ``probe.setting=value`` over the set's settings.

    Raises UsageError for a probe the payload does not have, a setting that it does not have or that is malformed,
    and where there is no probe to run.
    """
    known = chosen.whole.probes
    for name in names:
        if name not in known:
            raise UsageError(f"no probe {name!r}{suggest(name, known)}; there are: {', '.join(known)}")
    wanted = tuple(dict.fromkeys(names)) or tuple(chosen.definition.probes)
    if not wanted:
        raise UsageError(f"the set {chosen.name!r} names no probe: choose with --probe from {', '.join(known)}")
    for name in wanted:
        for setting, value in chosen.definition.probes.get(name, {}).items():
            _check_setting(f"matrix.toml: sets.{chosen.name}.probes", name, setting, value)
    changed = _settings(settings, wanted)
    return tuple(
        ProbeSpec(name, {**chosen.definition.probes.get(name, {}), **changed.get(name, {})}, timed=known[name].timed)
        for name in wanted
    )


def _settings(texts: tuple[str, ...], probes: tuple[str, ...]) -> dict[str, dict[str, Scalar]]:
    import json

    changed: dict[str, dict[str, Scalar]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        probe, dot, name = target.partition(".")
        if not (equals and dot and name):
            raise UsageError(f"--setting {text!r}: it looks like mnist.epochs=5")
        if probe not in probes:
            raise UsageError(f"--setting {text!r}: probe {probe!r} does not run{suggest(probe, probes)}")
        try:
            found = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            found = value
        _check_setting(f"--setting {text!r}", probe, name, found)
        changed.setdefault(probe, {})[name] = found
    return changed


def _check_setting(where: str, probe: str, name: str, value: object) -> None:
    """Raises UsageError for a setting that the probe does not have, or whose value is of another type."""
    import json

    from runner.measure import payload

    known = payload.settings(probe)
    if name not in known:
        there_are = f"; there are: {', '.join(known)}" if known else ""
        raise UsageError(f"{where}: {probe} has no setting {name!r}{suggest(name, known)}{there_are}")
    default = known[name]
    if default is not None and type(value) is not type(default) and (type(default), type(value)) != (float, int):
        raise UsageError(f"{where}: {name} is {type(default).__name__}, such as {json.dumps(default)}")
