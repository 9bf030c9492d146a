"""A set, or patterns over cells -> cells, probes and settings."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from runner.errors import UsageError, suggest
from runner.matrix import compat, configuration, plan, probes, sets
from runner.model import Cell, Environment, ProbeSpec, Scalar, Skip


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
    needs: plan.Needs = plan.NOTHING
    """What the user's library needs in all environments."""


def choose(set_name: str | None, only: tuple[str, ...], whole: sets.Matrix | None = None) -> Chosen:
    """The cells of a set.

    ``whole``: all sets and probes, where they are not those of the program and the user's configuration.

    Raises UsageError for an unknown or malformed set or a pattern that fits no cell.
    """
    loaded = whole or configuration.matrix()
    facts = compat.load()
    name = loaded.default if set_name is None else set_name
    chosen = sets.named_set(loaded, name)
    all_cells, skips = _cells(loaded, name, facts)
    for pattern in only:
        if not fnmatch.filter([cell.id for cell in all_cells], pattern):
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
        raise UsageError(f"{configuration.origin(name)}: sets.{name}: {error}") from None
    if not found and not skips:
        raise UsageError(f"{configuration.origin(name)}: sets.{name} has no cells: give it a product or an include")
    return found, skips


def _nowhere(loaded: sets.Matrix, facts: compat.Compat, name: str, pattern: str, ids: list[str]) -> str:
    """Why a pattern fits no cell of the set: another set has it, or it is misspelt."""
    others = []
    for other in loaded.sets:
        with suppress(UsageError):  # a malformed set is an error where it is asked for
            if fnmatch.filter([cell.id for cell in _cells(loaded, other, facts)[0]], pattern):
                others.append(other)
    where = f"; --set {others[0]} has it" if others else suggest(pattern, ids)
    return f"{pattern!r} matches no cell of the set {name!r}{where}"


def probe_specs(chosen: Chosen, names: tuple[str, ...], settings: tuple[str, ...]) -> tuple[ProbeSpec, ...]:
    """The probes of the set, or those named, with their settings.

    ``probe.setting=value`` counts before the set's settings.

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
        probes.check(name)
        for setting, value in chosen.definition.probes.get(name, {}).items():
            _check_setting(f"{configuration.origin(chosen.name)}: sets.{chosen.name}.probes", name, setting, value)
    changed = _settings(settings, wanted)
    given = {name: {**chosen.definition.probes.get(name, {}), **changed.get(name, {})} for name in wanted}
    cut = _cut(given, chosen.definition.cell_budget_s)
    # --probe runs a probe in all cells: who names one has chosen the cells as well
    where = {} if names else chosen.definition.probe_cells
    return tuple(
        ProbeSpec(
            name,
            {**given[name], **cut.get(name, {})},
            timed=known[name].timed,
            cells=tuple(where.get(name, ())),
        )
        for name in wanted
    )


def _cut(given: Mapping[str, Mapping[str, object]], budget_s: float | None) -> dict[str, dict[str, Scalar]]:
    """The budgets of the sweeps, cut so that one cell stays within ``budget_s``.

    Budgets given by the user or the set stay as they are, and count.
    """
    own = {
        name: float(default)
        for name in given
        if isinstance(default := probes.settings(name).get("budget_s"), int | float)
    }
    if budget_s is None or not own:
        return {}
    fixed = {name: float(str(given[name]["budget_s"])) for name in own if "budget_s" in given[name]}
    free = {name: seconds for name, seconds in own.items() if name not in fixed}
    left = max(budget_s - sum(fixed.values()), 0.0)
    if sum(free.values()) <= left:
        return {}
    return {name: {"budget_s": round(seconds * left / sum(free.values()), 1)} for name, seconds in free.items()}


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
    """Raise UsageError for a setting that does not exist or has another type."""
    import json

    known = probes.settings(probe)
    if name not in known:
        there_are = f"; there are: {', '.join(known)}" if known else ""
        raise UsageError(f"{where}: {probe} has no setting {name!r}{suggest(name, known)}{there_are}")
    default = known[name]
    if default is not None and type(value) is not type(default) and (type(default), type(value)) != (float, int):
        raise UsageError(f"{where}: {name} is {type(default).__name__}, such as {json.dumps(default)}")


def environments(set_name: str | None, only: tuple[str, ...], *, every: bool) -> tuple[Environment, ...]:
    """The environments of a set, or of every set of the program.

    This repository keeps files for the latter. Raises UsageError.
    """
    shipped = sets.load()
    chosen = [choose(name, only, shipped) for name in shipped.sets] if every else [choose(set_name, only)]
    return tuple(dict.fromkeys(e for one in chosen for e in plan.environments(one.cells, one.definition.packages)))


def all_cells() -> tuple[Cell, ...]:
    """The cells of all sets, each once."""
    loaded = configuration.matrix()
    resolver = sets.Resolver(compat.latest, compat.load().python_for)
    found = (cell for one in loaded.sets.values() for cell in sets.cells(loaded, one, resolver)[0])
    return tuple(dict.fromkeys(found))


def matching(patterns: Sequence[str]) -> tuple[Cell, ...]:
    """The cells the patterns mean: of all sets, or one that a whole id spells out.

    Raises UsageError.
    """
    known = {cell.id: cell for cell in all_cells()}
    found: dict[Cell, None] = {}
    for pattern in patterns:
        hits = [cell for name, cell in known.items() if fnmatch.fnmatchcase(name, pattern)]
        if not hits and any(mark in pattern for mark in "*?["):
            raise UsageError(f"--cells {pattern!r} matches no cell{suggest(pattern, known)}; `runner list` shows them")
        found |= dict.fromkeys(hits or [sets.parse_cell(pattern)])
    return tuple(found)


def variables(cell: Cell) -> dict[str, str]:
    """The environment variables of a cell's variant.

    Raises UsageError for one that is not known.
    """
    known = sets.load().variants
    if cell.variant and cell.variant not in known:
        raise UsageError(f"no variant {cell.variant!r}{suggest(cell.variant, known)}")
    return dict(known[cell.variant].env) if cell.variant else {}
