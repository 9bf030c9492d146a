"""``runner diagnose``: why do two cells differ?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from runner import data, diagnose, executors
from runner.cli import options, output
from runner.cli.progress import Progress
from runner.diagnose import switches
from runner.errors import UsageError, suggest
from runner.machine import facts
from runner.matrix import frameworks, plan, selection, sets
from runner.measure import host, places, scheduler, workspace
from runner.measure.context import Context, Event
from runner.model import Cell, Environment, Job, ProbeSpec, Sample, Scalar, Status
from runner.results.store import Store
from runner.util import folders

PROBE = "diagnose"
FAULTS = (
    "biased-init",
    "sorted-batches",
    "unscaled-dropout",
    "adam-epsilon",
    "transposed-kernel",
    "half-layer",
    "wrong-gradient",
)
"""What ``probe/diagnose/faults.py`` can break."""
SHORT: dict[str, Scalar] = {"seeds": 0, "double": False}
"""The settings of a second run and of one with a switch thrown; they replay ``SHORT_STEPS`` at most."""
SHORT_STEPS = 2


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner diagnose``."""

    cell_a: str
    cell_b: str
    network: str
    seeds: int
    steps: int
    seed: int
    executor: str
    toggles: bool
    fault: str
    data_path: Path | None
    offline: bool
    fresh: bool
    timeout_s: float
    out: Path
    format_: str
    as_json: bool


@click.command("diagnose")
@click.argument("cell_a")
@click.argument("cell_b")
@click.option("--network", default="conv", show_default=True, type=click.Choice(["conv", "dense"]))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(3), help="Trainings per random rung.")
@click.option("--steps", default=4, show_default=True, type=click.IntRange(1, 50), help="Steps replayed.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 1 << 31), help="The first seed.")
@options.executor
@click.option("--toggles/--no-toggles", default=True, help="Throw oneDNN, TF32, threads, determinism, fallback.")
@click.option("--fault", default="", metavar="NAME", help="Break CELL_B on purpose, to see what is said of it.")
@click.option("--data", "data_path", type=click.Path(path_type=Path), help="An mnist.npz to use.")
@click.option("--offline", is_flag=True, help="Download no data: synthetic digits where the cache has no MNIST.")
@click.option("--fresh", is_flag=True, help="Measure again what has a result already.")
@click.option("--timeout", "timeout_s", default=900.0, show_default=True, type=click.FloatRange(1), help="Per process.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/diagnose"), show_default=True)
@click.option("--format", "format_", type=click.Choice(["terminal", "json", "markdown"]), default="terminal")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def diagnose_command(**arguments: Any) -> None:
    """Why do CELL_A and CELL_B differ? Take one suspect after the other away, then replay layer by layer.

    Suspects: initial weights, order of the batches, dropout, the optimizer's arithmetic, precision. Exit codes: 0 no
    difference beyond seeds and rounding; 1 a difference; 3 one cell could not be measured; 4 neither could.
    """
    sys.exit(explain(Request(**arguments)))


def explain(request: Request) -> int:
    """Choose, measure, climb, print. Returns the exit code."""
    if request.fault and request.fault not in FAULTS:
        raise UsageError(f"no fault {request.fault!r}{suggest(request.fault, FAULTS)}; there are: {', '.join(FAULTS)}")
    pair = [cell_named(request.cell_a, request), cell_named(request.cell_b, request)]
    if pair[0] == pair[1] and not request.fault:
        raise UsageError("both are the same cell: nothing to explain")
    placed = [_placed(cell, request) for cell in pair]
    work = _Work(request, placed)
    store = Store(request.out)
    store.open()
    given = {data.MNIST: request.data_path} if request.data_path else {}
    collected = data.collect([PROBE], given, folders.cache_dir() / "data", offline=request.offline)
    for note in collected.notes:
        click.echo(f"note: {note}", err=True)
    chosen = selection.choose(None, ())
    with workspace.executors() as made, workspace.stoppable():
        context = workspace.run_context(made, store, chosen, collected.files, fresh=request.fresh, jobs=1, builds=2)
        with Progress(output.console(sys.stderr)) as progress:
            progress(Event("expect", count=work.processes))
            ladders = work.ladders(context, progress)
            if any(sample.status != Status.OK for sample in ladders):
                return failed(ladders)
            sides = [work.side(side, sample, context, progress) for side, sample in enumerate(ladders)]
    found = diagnose.diagnose(sides[0], sides[1])
    show(found, "json" if request.as_json else request.format_)
    return 1 if found.differs else 0


def cell_named(text: str, request: Request) -> Cell:
    """The cell an id means, one of a set or any other that is well formed. Raises UsageError."""
    installs = executors.installs(request.executor)
    at_hand = {} if installs else {cell.id: cell for cell in host.cells_at_hand(request.executor, "cpu", ())}
    known = at_hand or {cell.id: cell for cell in selection.all_cells()}
    if text not in known and at_hand:
        raise UsageError(f"{text!r} is not in this interpreter{suggest(text, known)}; it has: {', '.join(known)}")
    try:
        cell = known.get(text) or sets.parse_cell(text)
    except UsageError as error:
        raise UsageError(f"{error}{suggest(text, known)}") from None
    if cell.keras is None:
        raise UsageError(
            f"{cell.id}: a native cell has no Keras layers to replay; `runner matrix --set native` judges it"
        )
    if cell.framework not in frameworks.training():
        raise UsageError(
            f"{cell.id}: Keras on {cell.framework} does not train; there are: {', '.join(frameworks.training())}"
        )
    selection.variables(cell)
    return cell


def _placed(cell: Cell, request: Request) -> tuple[Cell, Environment, str]:
    """Where it runs. Raises UsageError for an executor there is none of, UnavailableError where it cannot run."""
    if not executors.installs(request.executor):
        return cell, plan.environment_of(cell, facts.here().platform), request.executor
    from runner.matrix.plan import Target

    place = places.one_place(Target(cell, None), request.executor)
    for note in place.notes:
        click.echo(f"note: {note}", err=True)
    return place.cell, place.environment, place.executor


class _Work:
    """The processes of both cells: a ladder each, a second short run, and one per switch."""

    def __init__(self, request: Request, placed: Sequence[tuple[Cell, Environment, str]]) -> None:
        self.request, self.placed = request, placed
        self.switches = [switches.switches(cell) if request.toggles else () for cell, _, _ in placed]

    @property
    def processes(self) -> int:
        """How many there are."""
        return sum(2 + len(names) for names in self.switches)

    def ladders(self, context: Context, progress: Progress) -> list[Sample]:
        """The long run of each cell; both environments are made ready side by side."""
        jobs = [self.job(side, 0, {}) for side in (0, 1)]
        groups = [jobs] if jobs[0].cell != jobs[1].cell else [jobs[:1], jobs[1:]]
        return [sample for group in groups for sample in scheduler.run(tuple(group), context, progress)]

    def side(self, side: int, ladder: Sample, context: Context, progress: Progress) -> diagnose.Side:
        """The short runs of one cell, and all its evidence."""

        def tell(event: Event) -> None:
            if event.kind not in ("prepare", "ready"):  # said once, before the ladder
                progress(event)

        (again,) = scheduler.run((self.job(side, 1, SHORT),), context, tell)
        thrown: dict[str, diagnose.Evidence | str] = {}
        for number, name in enumerate(self.switches[side], start=2):
            # one call each: a switch that a version refuses must not keep the others from being tried
            (sample,) = scheduler.run((self.job(side, number, {**SHORT, "toggle": name}),), context, tell)
            thrown[name] = diagnose.read(sample) if sample.status == Status.OK else f"{sample.status}: {sample.reason}"
        second = diagnose.read(again) if again.status == Status.OK else None
        name = ladder.cell.id + (f" ({self.request.fault})" if side == 1 and self.request.fault else "")
        return diagnose.Side(name, diagnose.read(ladder), second, thrown)

    def job(self, side: int, number: int, changed: dict[str, Scalar]) -> Job:
        """One process."""
        cell, environment, executor = self.placed[side]
        request = self.request
        settings: dict[str, Scalar | list[Scalar]] = {
            "network": request.network,
            "seeds": request.seeds,
            "steps": request.steps,
            "fault": request.fault if side == 1 else "",
            **changed,
        }
        if changed:
            settings["steps"] = min(request.steps, SHORT_STEPS)
        limits = plan.default_limits(request.timeout_s, facts.here().memory_bytes)
        spec = ProbeSpec(PROBE, settings, replace(limits), timed=False)
        return Job(cell, environment, spec, number, request.seed, executor)


def failed(samples: Sequence[Sample]) -> int:
    """Say which cell does not come as far as a difference. Returns the exit code."""
    for sample in samples:
        what = "runs" if sample.status == Status.OK else f"{sample.status}: {sample.reason}"
        click.echo(f"{sample.cell.id}: {what}")
    bad = [sample for sample in samples if sample.status != Status.OK]
    if all(sample.status.about_cell for sample in bad):
        if len(bad) == 1:
            click.echo(f"They differ in that only one of them trains: {bad[0].cell.id} does not.")
        return 1
    return 4 if len(bad) == len(samples) else 3


def show(found: diagnose.Diagnosis, format_: str) -> None:
    """Print it on stdout."""
    from runner.report import diagnosis

    if format_ == "json":
        click.echo(diagnosis.dumps(found))
    elif format_ == "markdown":
        click.echo(diagnosis.markdown(found))
    else:
        console = output.console(sys.stdout)
        console.print(diagnosis.render(found, console.width))
