"""Measures two cells and explains their difference. Not pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner import data, executors
from runner.diagnose.evidence import Evidence, read
from runner.diagnose.ladder import Diagnosis, Side, diagnose
from runner.diagnose.switches import switches
from runner.environments import index
from runner.errors import (
    ImpossibleError,
    NothingMeasuredError,
    NotMeasuredError,
    UnavailableError,
    UsageError,
    suggest,
)
from runner.matrix import frameworks, plan, probes, selection, sets
from runner.matrix.plan import Target
from runner.measure import host, places, scheduler, workspace
from runner.measure.context import Context, Event, Observer, noted
from runner.measure.places import Place
from runner.measure.scripts import copied
from runner.model import Cell, Custom, Job, ProbeSpec, Sample, Scalar, Status

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
"""The faults that ``probe/diagnose/faults.py`` has."""
SHORT: dict[str, Scalar] = {"seeds": 0, "double": False}
"""The settings of a second run and of a run with a switch. Both replay at most ``SHORT_STEPS`` steps."""
SHORT_STEPS = 2


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be explained, and how it is measured."""

    cell_a: str
    cell_b: str
    network: str
    seeds: int
    steps: int
    seed: int
    executor: str
    toggles: bool
    """Whether each cell also runs once with each of its switches."""
    fault: str
    """A fault that is put into the second cell, or empty."""
    data_path: Path | None
    offline: bool
    fresh: bool
    timeout_s: float
    out: Path
    probe: str | None = None
    """The user's probe whose model is trained, in place of ``network``."""
    settings: tuple[str, ...] = ()
    """``PROBE.NAME=VALUE``: settings of that probe."""
    extra: tuple[str, ...] = ()
    """Further packages in both environments."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The diagnosis, or None where one of the two cells could not be measured."""

    found: Diagnosis | None
    ladders: tuple[Sample, ...]
    """The long run of each cell."""

    @property
    def failed(self) -> tuple[Sample, ...]:
        """The long runs that did not end well."""
        return tuple(sample for sample in self.ladders if sample.status != Status.OK)

    @property
    def exit_code(self) -> int:
        """0: no difference; 1: a difference; 3: one cell not measured; 4: neither."""
        if self.found is not None:
            return 1 if self.found.differs else 0
        if all(sample.status.about_cell for sample in self.failed):
            return 1
        return 4 if len(self.failed) == len(self.ladders) else 3


def explain(request: Request, observe: Observer) -> Answer:
    """Choose the cells, measure them, climb the ladder.

    Raises UsageError, NotMeasuredError for a cell that cannot run here, NothingMeasuredError where neither can.
    """
    if request.fault and request.fault not in FAULTS:
        raise UsageError(f"no fault {request.fault!r}{suggest(request.fault, FAULTS)}; there are: {', '.join(FAULTS)}")
    cells = [cell_named(text, request.executor) for text in (request.cell_a, request.cell_b)]
    if cells[0] == cells[1] and not request.fault:
        raise UsageError("both are the same cell: nothing to explain")
    own = _own(request, cells)
    where = _places(cells, request, observe)
    pair = [_Runs(one, request, fault, own) for one, fault in zip(where, ("", request.fault), strict=True)]
    given = {data.MNIST: request.data_path} if request.data_path else {}
    with (
        copied(probes.file(own.name) if own else None, PROBE) as file,
        workspace.open(
            request.out,
            probes=[] if own else [PROBE],
            given=given,
            own=file,
            offline=request.offline,
            fresh=request.fresh,
            say=noted(observe),
        ) as work,
    ):
        for note in work.notes:
            observe(Event("note", text=note))
        observe(Event("expect", count=sum(runs.count for runs in pair)))
        ladders = _ladders(pair, work.context, observe)
        answer = Answer(None, ladders)
        refused = {one.reason for one in answer.failed if one.status in (Status.UNSUPPORTED, Status.BAD_OUTPUT)}
        if own and len(refused) == 1 and len(answer.failed) == len(ladders):
            raise UsageError(f"--probe {own.name}: {refused.pop()}")
        if answer.failed:
            return answer
        if len({read(ladder).given for ladder in ladders}) > 1:
            advice = "make both with NumPy and settings.seed, and of the settings alone"
            raise UsageError(f"--probe {request.probe}: the two cells got another model or other data: {advice}")
        a, b = (runs.side(ladder, work.context, observe) for runs, ladder in zip(pair, ladders, strict=True))
    return Answer(diagnose(a, b), ladders)


def _own(request: Request, cells: Iterable[Cell]) -> ProbeSpec | None:
    """The user's probe with its settings, or None.

    None: one of the program's networks is trained. Raises UsageError for a probe that gives no model.
    """
    if request.probe is None:
        if request.settings:
            raise UsageError("--setting is for the probe of --probe")
        return None
    if request.data_path:
        raise UsageError("--data is for the program's networks: a probe brings its own data")
    chosen = selection.choose(None, (), index.nightly)
    (spec,) = selection.probe_specs(chosen, (request.probe,), request.settings)
    for cell in cells:
        probes.check_syntax(spec.name, cell.python)
    if not probes.gives_model(spec.name):
        where = probes.file(spec.name) or f"the probe {spec.name}"
        raise UsageError(f"{where}: has no function diagnose(settings), which returns (model, x, y): see docs/probe.md")
    return spec


def cell_named(text: str, executor: str = "auto") -> Cell:
    """The cell with that id, in a set or not. Raises UsageError.

    For the executor ``current`` it is one of this interpreter's.
    """
    installs = executors.installs(executor)
    text = sets.exact_id(text, index.nightly)
    at_hand = {} if installs else {cell.id: cell for cell in host.cells_at_hand(executor, "cpu", ())}
    known = at_hand or {cell.id: cell for cell in selection.all_cells(index.nightly)}
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
        trained = ", ".join(frameworks.training())
        raise UsageError(f"{cell.id}: Keras on {cell.framework} does not train; there are: {trained}")
    selection.variables(cell)
    return cell


def _places(cells: Sequence[Cell], request: Request, observe: Observer) -> list[Place]:
    """Where the cells run.

    Raises UsageError for an unknown executor or a cell that runs nowhere, NotMeasuredError where one cannot run here,
    NothingMeasuredError where none can.
    """
    found: list[Place] = []
    trouble: list[UnavailableError] = []
    for cell in cells:
        try:
            found.append(_placed(cell, request, observe))
        except ImpossibleError as error:
            raise UsageError(str(error)) from None
        except UnavailableError as error:
            trouble.append(error)
    if trouble:
        raise (NotMeasuredError if found else NothingMeasuredError)(str(trouble[0]))
    return found


def _placed(cell: Cell, request: Request, observe: Observer) -> Place:
    """Where the cell runs.

    Raises UsageError for an unknown executor, UnavailableError where the cell cannot run.
    """
    executor, packages = request.executor, request.extra
    if not executors.installs(executor):
        if packages:
            raise UsageError(f"--with: --executor {executor} installs nothing; install it there yourself")
        return Place(cell, plan.environment_of(cell, host.host_facts(executor).platform), executor)
    place = places.one_place(Target(cell, Custom(packages) if packages else None), executor)
    for note in place.notes:
        observe(Event("note", text=note))
    return place


@dataclass(frozen=True, slots=True)
class _Runs:
    """The processes of one cell: its ladder, a second run, a short run per switch."""

    place: Place
    request: Request
    fault: str
    own: ProbeSpec | None = None
    """The user's probe that gives model and data."""

    @property
    def switches(self) -> tuple[str, ...]:
        return switches(self.place.cell) if self.request.toggles else ()

    @property
    def count(self) -> int:
        return 2 + len(self.switches)

    def ladder(self) -> Job:
        """The long run."""
        return self._job(0, self.request.steps)

    def side(self, ladder: Sample, context: Context, observe: Observer) -> Side:
        """Make the short runs of the cell. ``ladder``: its long run, which ended well."""

        def later(event: Event) -> None:
            if event.kind not in ("prepare", "ready"):  # shown once, before the ladder
                observe(event)

        def short(number: int, **changed: Scalar) -> Sample:
            # one call each: a switch that a version refuses must not keep the others from being tried
            job = self._job(number, min(self.request.steps, SHORT_STEPS), **SHORT, **changed)
            (sample,) = scheduler.run((job,), context, later)
            return sample

        again = short(1)
        return Side(
            cell=ladder.cell.id + (f" ({self.fault})" if self.fault else ""),
            ladder=read(ladder),
            again=read(again) if again.status == Status.OK else None,
            toggles={name: _evidence(short(number, toggle=name)) for number, name in enumerate(self.switches, start=2)},
        )

    def _job(self, number: int, steps: int, **changed: Scalar) -> Job:
        request, place = self.request, self.place
        settings: dict[str, Scalar | list[Scalar]] = {
            "network": request.network,
            "seeds": request.seeds,
            "steps": steps,
            "fault": self.fault,
            **(_of_own(self.own) if self.own else {}),
            **changed,
        }
        spec = ProbeSpec(PROBE, settings, places.process_limits(request.timeout_s), timed=False)
        return Job(place.cell, place.environment, spec, number, request.seed, place.executor)


def _of_own(spec: ProbeSpec) -> dict[str, Scalar | list[Scalar]]:
    """The settings by which the process finds the user's model."""
    return {"own": f"{spec.name}.py", "own_settings": json.dumps(dict(spec.settings), sort_keys=True)}


def _evidence(sample: Sample) -> Evidence | str:
    """What a run with a switch found, or why there is nothing."""
    return read(sample) if sample.status == Status.OK else f"{sample.status}: {sample.reason}"


def _ladders(pair: Iterable[_Runs], context: Context, observe: Observer) -> tuple[Sample, ...]:
    """The long run of each cell; both environments are made ready at once."""
    jobs = [runs.ladder() for runs in pair]
    groups = [jobs] if jobs[0].cell != jobs[1].cell else [jobs[:1], jobs[1:]]
    return tuple(sample for group in groups for sample in scheduler.run(tuple(group), context, observe))
