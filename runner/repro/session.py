"""Runs ``runner repro``: choose cells, prepare them, run the script, show results."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runner import executors
from runner.environments import index, wheels
from runner.errors import BuildError, CellError
from runner.executors import Executor, Prepared, Say
from runner.matrix import frameworks, scripts, selection, sets
from runner.matrix.plan import Target
from runner.measure import builds, places, turns, workspace
from runner.measure.places import Place
from runner.model import Status
from runner.repro import bugreport, compare, pins, reconstruct, script
from runner.repro.pins import Wanted
from runner.repro.script import Ran
from runner.util import files, jsontext, program
from runner.util.workers import Workers

PREPARED_AT_ONCE = 2
"""Environments that are prepared at the same time."""


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner repro``."""

    script: Path
    arguments: tuple[str, ...]
    cells: tuple[str, ...]
    pins: tuple[str, ...]
    report: Path | None
    as_of: str | None
    python: str | None
    device: str
    executor: str
    metrics: tuple[str, ...]
    as_json: bool
    extra: tuple[str, ...]
    mounts: tuple[str, ...]
    network: bool
    timeout_s: float | None
    memory: float | None
    disk: float | None
    wheels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def repro(request: Request, say: Say, show: Callable[[str], None]) -> int:
    """Run the script in every chosen cell and show the results. Returns the exit code.

    ``say`` gets one line of progress at a time, ``show`` the whole result. Raises UsageError.
    """
    path, mounts = script.check(request.script, request.mounts)
    patterns = [scripts.metric_pattern(text) for text in request.metrics]
    own = builds.pins(request.wheels, request.sources, request.executor, say)
    request = replace(request, pins=(*request.pins, *own))
    wanted = _wanted(request, say)
    limits = places.limits(request.timeout_s, request.memory, request.disk)
    work = script.Script(path, request.arguments, mounts, request.network, limits)
    ran = [
        replace(one, command=command(one.cell, request, wanted))
        for one in _run(work, pins.chosen(request.cells, wanted), request.executor, say)
    ]
    if request.as_json:
        shown = [{**asdict(one), "values": compare.values(one.output, patterns)} for one in ran]
        show(jsontext.dumps(shown))
    else:
        show("\n".join(compare.render(ran, patterns, shutil.get_terminal_size((120, 24)).columns)))
    return exit_code(ran)


def command(cell: str, request: Request, wanted: Wanted) -> str:
    """The command that runs the script again in one cell, in the same environment."""
    axes = {*frameworks.chosen_by_a_pin(), "keras"}
    words = [*program.words(), "repro", str(request.script), "--cells", sets.parse_cell(cell).id]
    for name, version in sorted(wanted.pins.items()):
        words += ["--pin", f"{name}=={version}" if version else name] if name not in axes else []
    words += ["--as-of", wanted.as_of.isoformat()] if wanted.as_of else []
    for option, values in (("--with", request.extra), ("--mount", request.mounts), ("--metric", request.metrics)):
        words += [word for value in values for word in (option, value)]
    for option, value, default in (
        ("--executor", request.executor, "auto"),
        ("--timeout", request.timeout_s, None),
        ("--memory", request.memory, None),
        ("--disk", request.disk, None),
    ):
        words += [option, str(value)] if value != default else []
    words += ["--network"] if request.network else []
    return shlex.join([*words, *(["--", *request.arguments] if request.arguments else [])])


def exit_code(ran: Sequence[Ran]) -> int:
    """0: all ended well; 1: a script failed; 3: a cell did not run; 4: none ran."""
    measured = [one for one in ran if one.status.about_cell]
    if not measured:
        return 4
    if any(one.status != Status.OK for one in measured):
        return 1
    return 0 if len(measured) == len(ran) else 3


def _wanted(request: Request, say: Say) -> Wanted:
    """The environment that the command line and the report ask for.

    The command line outranks the report. Raises UsageError.
    """
    asked = Wanted(
        pins.parse(request.pins),
        pins.packages(request.extra),
        pins.date(request.as_of) if request.as_of else None,
        pins.python(request.python),
        request.device,
    )
    if request.report is None:
        return asked
    found = reconstruct.reconstruct(bugreport.read(files.source(request.report)), asked.as_of)
    found = reconstruct.packages_only(found) if request.cells else found
    for line in reconstruct.lines(found):
        say(line)
    return replace(
        asked,
        pins={**found.wanted.pins, **asked.pins},
        as_of=asked.as_of or found.wanted.as_of,
        python=asked.python or found.wanted.python,
    )


def _run(work: script.Script, targets: Sequence[Target], executor: str, say: Say) -> list[Ran]:
    """One run per cell, in order; the next environments are prepared meanwhile."""
    here, elsewhere = places.placed(targets, executor)
    for note in dict.fromkeys(note for place in here for note in place.notes):
        say(f"note: {note}")
    if not all(executors.kind(place.executor).isolated for place in here):
        say(f"note: {host_warning(network=work.network)}")
    ran = [Ran(target.cell.id, Status.UNAVAILABLE, None, str(reason), "") for target, reason in elsewhere]
    # the pool ends last: it waits for environments, and closing the executors stops their preparation
    with Workers(PREPARED_AT_ONCE, "prepare") as pool, workspace.open(None) as opened:
        ready = [
            pool.submit(
                turns.together, opened.executors[place.executor].prepare, place.environment, _named(say, place.cell.id)
            )
            for place in here
        ]
        for place, future in zip(here, ready, strict=True):
            ran.append(_ran(work, place, future, opened.executors[place.executor], say))
    for note in dict.fromkeys(note for one in ran for note in one.notes):
        say(f"note: {note}")
    return ran


def _ran(work: script.Script, place: Place, ready: Future[Prepared], executor: Executor, say: Say) -> Ran:
    """The run in one cell, or why there was none."""
    try:
        prepared = ready.result()
        say(f"{place.cell.id}: running on {place.executor}")
        own = replace(work, variables=selection.variables(place.cell))
        return turns.together(script.run, own, place.cell, prepared, executor)
    except CellError as error:
        return Ran(place.cell.id, error.status, None, _why(error, place), error.log)


def host_warning(*, network: bool) -> str:
    """What a user must know about a script on the host, where nothing isolates it."""
    from runner.executors.host import without_network

    open_ = "" if network or without_network() else "the network or "
    return f"on the host nothing keeps the script from {open_}files outside its folder"


def _why(error: CellError, place: Place) -> str:
    """The error; if no environment could be built, also the unknown releases."""
    if not isinstance(error, BuildError):
        return str(error)
    cell, custom = place.cell, place.environment.custom
    asked = [f"{cell.framework}=={cell.version}", *([f"keras=={cell.keras}"] if cell.keras else [])]
    asked += custom.pins if custom else ()
    here = {f"{one.project}=={one.version}" for one in wheels.of(asked)}
    plain = [text for text in asked if index.NAME.fullmatch(text.partition("==")[0]) and text not in here]
    return "; ".join([str(error), *index.unknown(plain, cell.python)])


def _named(say: Say, name: str) -> Say:
    return lambda text: say(f"{name}: {text}")
