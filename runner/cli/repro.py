"""``runner repro``: a user's script, unchanged, in chosen cells."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from runner.cli import options
from runner.matrix import selection
from runner.measure import places, workspace
from runner.repro import pins
from runner.util import files


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
    timeout_s: float
    memory: float | None
    disk: float


@click.command("repro", context_settings={"ignore_unknown_options": False})
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, metavar="[-- ARGUMENTS...]")
@click.option("--cells", multiple=True, metavar="GLOB", help="Cells of the matrix; may be given several times.")
@click.option("--pin", "pins", multiple=True, metavar="NAME==VERSION", help="A release, of a framework or anything.")
@click.option(
    "--from", "report", type=click.Path(path_type=Path), metavar="REPORT", help="A bug report that tells the versions."
)
@click.option("--as-of", metavar="DATE", help="As a fresh install was on that day: 2025-01-02.")
@click.option("--python", metavar="3.X", help="Python (default: the cell's, or one the release has wheels for).")
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda", "mps"]))
@options.installing_executor
@click.option("--metric", "metrics", multiple=True, metavar="REGEX", help="A figure to compare, as 'acc=([\\d.]+)'.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object per cell.")
@options.script_options
def repro_command(**arguments: Any) -> None:
    """Run SCRIPT unchanged in chosen cells and show side by side what it printed.

    The script is read-only, runs in an empty folder of its own, and reaches no network. key=value words and lines
    of JSON that it prints are compared. Exit codes: 0 it ended well everywhere; 1 it failed somewhere; 3 a cell
    could not be made ready; 4 none could.
    """
    sys.exit(repro(Request(**arguments)))


def repro(request: Request) -> int:
    """Choose, make ready, run, show. Returns the exit code."""
    from runner.repro import compare, script

    path, mounts = script.check(request.script, request.mounts)
    patterns = [compare.metric_pattern(text) for text in request.metrics]
    wanted = _wanted(request)
    work = script.Script(
        path,
        request.arguments,
        mounts,
        request.network,
        places.limits(request.timeout_s, request.memory, request.disk),
    )
    ran = [
        replace(one, command=command(one.cell, request, wanted))
        for one in _run(work, pins.chosen(request.cells, wanted), request.executor)
    ]
    if request.as_json:
        _print_json(ran, patterns)
    else:
        width = shutil.get_terminal_size((120, 24)).columns
        click.echo("\n".join(compare.render(ran, patterns, width)))
    return exit_code(ran)


def command(cell: str, request: Request, wanted: Any) -> str:
    """The command that runs the script once more in one cell, in the same environment, whatever chose it."""
    import shlex

    from runner.matrix import frameworks, sets

    axes = {*frameworks.chosen_by_a_pin(), "keras"}
    words = ["python", "-m", "runner", "repro", str(request.script), "--cells", sets.parse_cell(cell).id]
    for name, version in sorted(wanted.pins.items()):
        words += ["--pin", f"{name}=={version}" if version else name] if name not in axes else []
    words += ["--as-of", wanted.as_of.isoformat()] if wanted.as_of else []
    for option, values in (("--with", request.extra), ("--mount", request.mounts), ("--metric", request.metrics)):
        words += [word for value in values for word in (option, value)]
    for option, value, default in (
        ("--executor", request.executor, "auto"),
        ("--timeout", request.timeout_s, 900.0),
        ("--memory", request.memory, None),
        ("--disk", request.disk, 2.0),
    ):
        words += [option, str(value)] if value != default else []
    words += ["--network"] if request.network else []
    return shlex.join([*words, *(["--", *request.arguments] if request.arguments else [])])


def _wanted(request: Request) -> Any:
    """What pins, date and report ask for; what the command line says outranks the report."""
    from runner.repro import pins

    asked = pins.Wanted(
        pins.parse(request.pins),
        pins.packages(request.extra),
        pins.date(request.as_of) if request.as_of else None,
        request.python,
        request.device,
    )
    if request.report is None:
        return asked
    from runner.repro import bugreport, reconstruct

    found = reconstruct.reconstruct(bugreport.read(files.source(request.report)), asked.as_of)
    found = reconstruct.beside(found) if request.cells else found
    for line in reconstruct.lines(found):
        click.echo(line, err=True)
    return replace(
        asked,
        pins={**found.wanted.pins, **asked.pins},
        as_of=asked.as_of or found.wanted.as_of,
        python=asked.python or found.wanted.python,
    )


def exit_code(ran: Sequence[Any]) -> int:
    """What the runs come to: 0 all ended well, 1 a script failed, 3 a cell was not measured, 4 none was."""
    measured = [one for one in ran if one.status.about_cell]
    if not measured:
        return 4
    if any(one.status != "ok" for one in measured):
        return 1
    return 0 if len(measured) == len(ran) else 3


def _run(work: Any, found: Sequence[Any], executor: str) -> list[Any]:
    """One run per cell, one after the other; environments are made ready two at a time meanwhile."""
    from runner.errors import CellError
    from runner.repro.script import Ran, run

    found_places, out = places.placed(found, executor)
    ran = [Ran(target.cell.id, _unavailable(), None, reason, "") for target, reason in out]
    for note in dict.fromkeys(note for place in found_places for note in place.notes):
        click.echo(f"note: {note}", err=True)
    if any(place.executor == "host" for place in found_places):
        from runner.executors.host import without_network

        open_ = "" if work.network or without_network() else "the network or "
        click.echo(f"note: on the host nothing keeps the script from {open_}files outside its folder", err=True)
    with workspace.executors() as executors, workspace.stoppable(), ThreadPoolExecutor(2) as pool:
        ready = [pool.submit(executors[p.executor].prepare, p.environment, _say(p.cell.id)) for p in found_places]
        try:
            for place, future in zip(found_places, ready, strict=True):
                try:
                    prepared = future.result()
                    click.echo(f"{place.cell.id}: running on {place.executor}", err=True)
                    own = replace(work, variables=selection.variables(place.cell))
                    ran.append(run(own, place.cell, prepared, executors[place.executor]))
                except CellError as error:
                    ran.append(Ran(place.cell.id, error.status, None, _why(error, place), error.log))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for one in executors.values():
                one.close()
            raise
    for note in dict.fromkeys(note for one in ran for note in one.notes):
        click.echo(f"note: {note}", err=True)
    return ran


def _why(error: Any, place: places.Place) -> str:
    """The error, with the nearest release or name where something was asked for that does not exist."""
    from runner.environments import index
    from runner.errors import BuildError

    if not isinstance(error, BuildError):
        return str(error)
    cell, custom = place.cell, place.environment.custom
    asked = [f"{cell.framework}=={cell.version}", *([f"keras=={cell.keras}"] if cell.keras else [])]
    asked += custom.pins if custom else ()
    plain = [text for text in asked if index.NAME.fullmatch(text.partition("==")[0])]
    return "; ".join([str(error), *index.unknown(plain, cell.python)])


def _unavailable() -> Any:
    from runner.model import Status

    return Status.UNAVAILABLE


def _say(name: str) -> Any:
    return lambda text: click.echo(f"{name}: {text}", err=True)


def _print_json(ran: Sequence[Any], patterns: Sequence[Any]) -> None:
    import json
    from dataclasses import asdict

    from runner.repro import compare

    shown = [{**asdict(one), "values": compare.values(one.output, patterns)} for one in ran]
    click.echo(json.dumps(shown, indent=1, default=str))
