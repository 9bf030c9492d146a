"""A set, or patterns over cells -> cells, probes and settings."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from runner.errors import UsageError, suggest
from runner.matrix import compat, configuration, frameworks, plan, probes, scripts, sets
from runner.model import Cell, Custom, Environment, ProbeSpec, Scalar, Skip, Status


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

    def with_packages(self, packages: Sequence[str]) -> Chosen:
        """The same with further packages in all environments."""
        together = [*self.definition.packages, *packages]
        return replace(self, definition=msgspec.structs.replace(self.definition, packages=together))


def choose(
    set_name: str | None,
    only: tuple[str, ...],
    nightly: sets.Nightly = sets.no_nightly,
    whole: sets.Matrix | None = None,
) -> Chosen:
    """The cells of a set.

    ``nightly`` resolves nightly builds that the set or a pattern names. ``whole``: all sets and probes, where they are
    not those of the program and the user's configuration. Raises UsageError for an unknown or malformed set or a
    pattern that fits no cell.
    """
    only = tuple(sets.exact_id(pattern, nightly) for pattern in only)
    loaded = whole or configuration.matrix()
    facts = compat.load()
    name = loaded.default if set_name is None else set_name
    chosen = sets.named_set(loaded, name)
    all_cells, skips = _cells(loaded, name, facts, nightly)
    for pattern in only:
        if not fnmatch.filter([cell.id for cell in all_cells], pattern):
            raise UsageError(_nowhere(loaded, facts, name, pattern, [cell.id for cell in all_cells]))
    cells = sets.select(all_cells, only)
    notes = dict.fromkeys(note for cell in cells if (note := facts.warn(cell.framework, cell.version)))
    return Chosen(name, loaded, chosen, cells, skips if not only else (), tuple(notes))


def with_sources(chosen: Chosen, only: Sequence[str], versions: Mapping[str, str], against: str = "") -> Chosen:
    """A whole set with the user's builds in the place of its releases.

    ``versions`` are those of the builds, by framework, ``keras`` or another project. A project that is not an axis is
    installed in all environments. Cells without any of the builds are left out. ``against``: the release that runs
    next to the build, in cells that differ from it in nothing else. Patterns fit the set's own cells, or the new ones.
    Raises UsageError where no cell is left.
    """
    axes = {name: version for name, version in versions.items() if name in ("keras", *frameworks.names())}
    pins = [f"{name}=={version}" for name, version in versions.items() if name not in axes]
    if against and (len(axes) != 1 or pins):
        raise UsageError("--against goes with one --source or --wheel, of Keras or a framework")
    made: dict[Cell, None] = {}
    fitting: dict[str, None] = dict.fromkeys(only)
    for cell in chosen.cells:
        new = _moved(cell, axes)
        if new == cell and not pins:
            continue
        pair = (*([_moved(cell, dict.fromkeys(axes, against))] if against else []), new)
        for pattern in [*only] or ["*"]:
            kept = [one for one in pair if any(fnmatch.fnmatchcase(two.id, pattern) for two in (cell, one))]
            made |= dict.fromkeys(kept)
            if kept:
                fitting.pop(pattern, None)
    if fitting:
        raise UsageError(f"{next(iter(fitting))!r} matches no cell of the set {chosen.name!r} with {_listed(versions)}")
    by_id = {cell.id: cell for cell in made}
    excluded = [(one, cell) for one in chosen.definition.exclude for cell in fnmatch.filter(by_id, one.cell)]
    skips = [Skip(by_id[cell], Status.SKIPPED, one.reason) for one, cell in excluded]
    out = {skip.cell for skip in skips}
    cells = tuple(cell for cell in made if cell not in out)
    if not cells:
        raise UsageError(f"no cell of the set {chosen.name!r} has {_listed(versions)}")
    definition = msgspec.structs.replace(chosen.definition, packages=[*chosen.definition.packages, *pins])
    return replace(chosen, definition=definition, cells=cells, skips=tuple(skips))


def _moved(cell: Cell, versions: Mapping[str, str]) -> Cell:
    """The cell with these versions on its axes; Keras only where it has Keras."""
    keras = versions.get("keras") if cell.keras else None
    return replace(cell, version=versions.get(cell.framework, cell.version), keras=keras or cell.keras)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _cells(
    loaded: sets.Matrix, name: str, facts: compat.Compat, nightly: sets.Nightly = sets.no_nightly
) -> tuple[tuple[Cell, ...], tuple[Skip, ...]]:
    one = loaded.sets[name]
    try:
        if one.platform:
            facts.platform(one.platform)
        found, skips = sets.cells(loaded, one, sets.Resolver(compat.latest, facts.python_for, nightly))
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


def probe_specs(
    chosen: Chosen, names: tuple[str, ...], settings: tuple[str, ...], script: scripts.Settings | None = None
) -> tuple[ProbeSpec, ...]:
    """The probes of the set, or those named, with their settings.

    ``probe.setting=value`` counts before the set's settings. With ``script``, which are the settings of the probe of
    that name, it runs alone or next to those named.

    Raises UsageError for a probe the payload does not have, a setting that it does not have or that is malformed,
    and where there is no probe to run.
    """
    known = chosen.whole.probes
    for name in names:
        if name not in known:
            raise UsageError(f"no probe {name!r}{suggest(name, known)}; there are: {', '.join(known)}")
    if script is not None:
        names = (*names, scripts.PROBE)
    wanted = tuple(dict.fromkeys(names)) or tuple(chosen.definition.probes)
    if script is None and scripts.PROBE in wanted:
        raise UsageError(f"the probe {scripts.PROBE!r} runs your script: `runner matrix --script FILE`")
    if not wanted:
        raise UsageError(f"the set {chosen.name!r} names no probe: choose with --probe from {', '.join(known)}")
    for name in wanted:
        probes.check(name)
        for setting, value in chosen.definition.probes.get(name, {}).items():
            _check_setting(f"{configuration.origin(chosen.name)}: sets.{chosen.name}.probes", name, setting, value)
    changed = _settings(settings, wanted)
    given = {name: {**chosen.definition.probes.get(name, {}), **changed.get(name, {})} for name in wanted}
    if script is not None:
        given[scripts.PROBE] |= script
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
        probes.check_syntax(probe)
        there_are = f"; there are: {', '.join(known)}" if known else ""
        raise UsageError(f"{where}: {probe} has no setting {name!r}{suggest(name, known)}{there_are}")
    default = known[name]
    if default is not None and type(value) is not type(default) and (type(default), type(value)) != (float, int):
        raise UsageError(f"{where}: {name} is {type(default).__name__}, such as {json.dumps(default)}")


def environments(
    set_name: str | None, only: tuple[str, ...], *, every: bool, nightly: sets.Nightly = sets.no_nightly
) -> tuple[Environment, ...]:
    """The environments of a set, or of every set of the program.

    This repository keeps files for the latter. Raises UsageError.
    """
    shipped = sets.load()
    if every:
        chosen = [choose(name, only, nightly, shipped) for name in shipped.sets]
    else:
        chosen = [choose(set_name, only, nightly)]
    return tuple(dict.fromkeys(e for one in chosen for e in plan.environments(one.cells, one.definition.custom)))


def custom_of(cell: Cell, environment: str) -> Custom | None:
    """What a set adds to the cell where its environment has that id.

    None where no set makes that environment.
    """
    for one in configuration.matrix().sets.values():
        made = plan.environment_of(cell, "", one.custom).custom
        if made and environment.endswith(f"_x{made.digest}"):
            return made
    return None


def all_cells(nightly: sets.Nightly = sets.no_nightly) -> tuple[Cell, ...]:
    """The cells of all sets, each once."""
    loaded = configuration.matrix()
    resolver = sets.Resolver(compat.latest, compat.load().python_for, nightly)
    found = (cell for one in loaded.sets.values() for cell in sets.cells(loaded, one, resolver)[0])
    return tuple(dict.fromkeys(found))


def matching(patterns: Sequence[str], nightly: sets.Nightly = sets.no_nightly) -> tuple[Cell, ...]:
    """The cells the patterns mean: of all sets, or one that a whole id spells out.

    Raises UsageError.
    """
    known = {cell.id: cell for cell in all_cells(nightly)}
    found: dict[Cell, None] = {}
    for pattern in (sets.exact_id(text, nightly) for text in patterns):
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
