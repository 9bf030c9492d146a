"""The stages of ``runner matrix``, in order: choose, plan, measure, judge, print."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from runner import data, judge
from runner.cli import options, output
from runner.cli.progress import Progress
from runner.errors import CellError, UsageError, suggest
from runner.measure import scheduler, workspace
from runner.model import Environment, Job, Plan, Sample
from runner.report import build
from runner.results.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class Request:
    """The command line of ``runner matrix``."""

    set_name: str | None
    only: tuple[str, ...]
    probes: tuple[str, ...]
    settings: tuple[str, ...]
    executor: str
    device: str
    rounds: int
    max_rounds: int | None
    keep: int | None
    keep_free: float | None
    seed: int
    jobs: int
    builds: int
    timeout_s: float | None
    data: tuple[str, ...]
    offline: bool
    baseline: str | None
    alpha: float
    floor: float
    fresh: bool
    keep_failed: bool
    dry_run: bool
    out: Path
    format_: str

    def invocation(self) -> str:
        """The arguments that decide what is measured, where they are not the defaults."""
        words: list[str] = []
        for option, value, default in (
            ("--set", self.set_name, None),
            ("--executor", self.executor, "auto"),
            ("--device", self.device, "cpu"),
            ("--seed", self.seed, 0),
        ):
            if value != default:
                words += [option, str(value)]
        if self.timeout_s is not None:
            words += ["--timeout", f"{self.timeout_s:g}"]
        if self.offline:
            words.append("--offline")
        for path in self.data:
            words += ["--data", path]
        for setting in self.settings:
            words += ["--setting", setting]
        return build.invocation(words)

    def rules(self) -> build.Rules:
        """What the samples are judged by."""
        return build.Rules(self.set_name, self.baseline, self.alpha, self.floor, self.max_rounds)


def matrix(request: Request) -> int:
    """Everything, in order. Returns the exit code."""
    if request.max_rounds and request.max_rounds < request.rounds:
        raise UsageError(f"--max-rounds {request.max_rounds} is less than --rounds {request.rounds}")
    given = data.parse(request.data)
    at_hand = request.executor == "current"
    if request.device != "cpu" and not at_hand:
        raise UsageError(f"--device goes with --executor current; of a set, take --only '*_{request.device}*'")
    chosen = options.choose(request.set_name, () if at_hand else request.only)
    probes = options.probe_specs(chosen, request.probes, request.settings)
    cells = workspace.cells_at_hand(request.device, request.only) if at_hand else chosen.cells
    if request.baseline is not None and request.baseline not in (ids := [cell.id for cell in cells]):
        raise UsageError(f"--baseline {request.baseline!r}: not a cell of this run{suggest(request.baseline, ids)}")
    wish = workspace.Wish(request.executor, request.rounds, request.seed, request.timeout_s)
    planned = workspace.planned(chosen, cells, probes, wish)
    if request.dry_run:
        return _show(planned)
    if request.max_rounds and (request.keep is not None or request.keep_free is not None):
        raise UsageError("--max-rounds needs all images at once: it does not go with --keep or --keep-free")
    store = Store(request.out)
    store.open()
    collected = data.collect(
        [probe.name for probe in probes], given, workspace.cache_dir() / "data", offline=request.offline
    )
    notes = (*planned.notes, *collected.notes)
    wanted = Counter((job.cell.id, job.probe.name) for job in planned.jobs)
    record = RunRecord(
        chosen.name,
        cells,
        planned.skips,
        notes,
        request.invocation(),
        request.max_rounds,
        tuple((*pair, count) for pair, count in wanted.items()),
    )
    store.record(record)
    with workspace.executors() as executors, stoppable():
        context = workspace.context(
            executors, store, chosen, collected.files, fresh=request.fresh, jobs=request.jobs, builds=request.builds
        )
        context = replace(context, keep_failed=request.keep_failed)
        try:
            samples = _measure(request, planned, context)
        except scheduler.Interrupted as stop:
            return _report(request, record, stop.samples, interrupted=True)
    return _report(request, record, samples)


def _show(planned: Plan) -> int:
    """``--dry-run``: what would run, in order."""
    from runner.report import listing

    listing.print_plan(planned, output.console(sys.stdout))
    return 0


def _measure(request: Request, planned: Plan, context: scheduler.Context) -> list[Sample]:
    """Run the plan, then further rounds of the cells whose timings are undecided, up to ``--max-rounds``."""
    with Progress(output.console(sys.stderr), len(planned.jobs)) as progress:
        for note in planned.notes:
            progress.note(note)
        if request.keep is not None or request.keep_free is not None:
            return _measure_and_evict(request, planned, context, progress)
        samples = scheduler.run(planned.jobs, context, progress)
        while request.max_rounds and (more := _undecided(request, planned, samples)):
            progress.expect(len(more))
            samples += scheduler.run(more, replace(context, fresh=False), progress)
    return samples


def _measure_and_evict(request: Request, planned: Plan, context: scheduler.Context, progress: Progress) -> list[Sample]:
    """One environment after the other: build, run, make room. What is still to run is never evicted.

    Timings of different environments are taken at different times then, and say so in their fingerprint.
    """
    from runner import engine
    from runner.cli.images import evict

    waiting = neighbours(job.environment for job in planned.jobs)
    samples: list[Sample] = []
    while waiting:
        environment = waiting.pop(0)
        jobs = tuple(job for job in planned.jobs if job.environment == environment)
        try:
            done = scheduler.run(jobs, replace(context, block=environment.id), progress)
        except scheduler.Interrupted as stop:
            raise scheduler.Interrupted([*samples, *stop.samples]) from None
        samples += done
        if any(job.executor == "docker" for job in jobs):
            evict(engine.connect(), request.keep, request.keep_free, _still_needed(waiting))
    return samples


def neighbours(environments: Iterable[Environment]) -> list[Environment]:
    """Each once, those on one framework release side by side, so that their common layer is built once."""
    groups: dict[tuple[str, ...], dict[Environment, None]] = {}
    for one in environments:
        groups.setdefault((one.framework, one.version, one.python, one.build, one.platform), {})[one] = None
    return [environment for group in groups.values() for environment in group]


def _still_needed(waiting: Sequence[Environment]) -> tuple[str, ...]:
    """What must not be evicted: images that are still to run, and those on a layer that is still to be built on."""
    from runner.environments import lock
    from runner.images.recipe import recipe

    keys = [environment.id for environment in waiting]
    for environment in waiting:
        with suppress(CellError):  # one without a lock fails by itself when its turn comes
            keys.append(recipe(environment, lock.locked(environment)).framework_key)
    return tuple(keys)


def _undecided(request: Request, planned: Plan, samples: Sequence[Sample]) -> tuple[Job, ...]:
    """The jobs of the rounds that the judge asks for next; none when all is decided or nothing more may run."""
    rules = request.rules()
    wanted = judge.more_rounds(samples, build.comparisons(samples, rules), rules.settings(samples))
    return further_rounds(planned, samples, wanted, request.seed)


def further_rounds(planned: Plan, samples: Sequence[Sample], wanted: judge.RoundPlan, seed: int) -> tuple[Job, ...]:
    """The jobs of those further rounds: rounds outermost, and the cell that leads moves on by one each round."""
    taken = Counter((sample.cell.id, sample.probe) for sample in samples)
    first = {(job.cell.id, job.probe.name): job for job in planned.jobs}
    last = {key: taken[key] + more for key, more in wanted.items()}
    jobs: list[Job] = []
    for number in range(min(taken[key] for key in wanted), max(last.values())) if wanted else ():
        due = [key for key in first if key in wanted and taken[key] <= number < last[key]]
        lead = number % len(due) if due else 0
        jobs += [replace(first[key], round=number, seed=seed + number) for key in (*due[lead:], *due[:lead])]
    return tuple(jobs)


def _report(request: Request, record: RunRecord, samples: Sequence[Sample], *, interrupted: bool = False) -> int:
    report = build.report(samples, record, request.rules())
    if interrupted:
        report = replace(report, exit_code=130)
    output.emit(report, request.format_)
    return report.exit_code


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and a closed terminal end the run as Ctrl-C does: containers removed, finished results kept.

    SIGINT is set as well: a shell that starts a job in the background leaves it ignored.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
