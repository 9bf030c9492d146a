"""The stages of ``runner matrix``, in order: choose, plan, measure, judge, print."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner import data, executors, judge
from runner.cli import output
from runner.cli.progress import Progress
from runner.errors import UsageError, suggest
from runner.judge import rules
from runner.matrix import selection
from runner.measure import host, scheduler, workspace
from runner.measure.context import Context, Interrupted
from runner.measure.rounds import further_rounds, neighbours, still_needed
from runner.measure.workspace import stoppable
from runner.model import Job, Plan, Sample
from runner.report import build
from runner.results.store import RunRecord, Store
from runner.util import folders


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

    def rules(self) -> rules.Rules:
        """What the samples are judged by."""
        return rules.Rules(self.set_name, self.baseline, self.alpha, self.floor, self.max_rounds)


def matrix(request: Request) -> int:
    """Everything, in order. Returns the exit code."""
    if request.max_rounds and request.max_rounds < request.rounds:
        raise UsageError(f"--max-rounds {request.max_rounds} is less than --rounds {request.rounds}")
    given = data.parse(request.data)
    at_hand = not executors.installs(request.executor)
    if request.device != "cpu" and not at_hand:
        raise UsageError(f"--device goes with --executor current; of a set, take --only '*_{request.device}*'")
    chosen = selection.choose(request.set_name, () if at_hand else request.only)
    probes = selection.probe_specs(chosen, request.probes, request.settings)
    cells = host.cells_at_hand(request.executor, request.device, request.only) if at_hand else chosen.cells
    if request.baseline is not None and request.baseline not in (ids := [cell.id for cell in cells]):
        raise UsageError(f"--baseline {request.baseline!r}: not a cell of this run{suggest(request.baseline, ids)}")
    wish = host.Wish(request.executor, request.rounds, request.seed, request.timeout_s)
    planned = host.planned(chosen, cells, probes, wish)
    if request.dry_run:
        return _show(planned)
    if request.max_rounds and (request.keep is not None or request.keep_free is not None):
        raise UsageError("--max-rounds needs all images at once: it does not go with --keep or --keep-free")
    store = Store(request.out)
    store.open()
    collected = data.collect(
        [probe.name for probe in probes], given, folders.cache_dir() / "data", offline=request.offline
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
    with workspace.executors() as made, stoppable():
        context = workspace.run_context(
            made, store, chosen, collected.files, fresh=request.fresh, jobs=request.jobs, builds=request.builds
        )
        context = replace(context, keep_failed=request.keep_failed)
        try:
            samples = _measure(request, planned, context)
        except Interrupted as stop:
            return _report(request, record, stop.samples, interrupted=True)
    return _report(request, record, samples)


def _show(planned: Plan) -> int:
    """``--dry-run``: what would run, in order."""
    from runner.report import listing

    listing.print_plan(planned, output.console(sys.stdout))
    return 0


def _measure(request: Request, planned: Plan, context: Context) -> list[Sample]:
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


def _measure_and_evict(request: Request, planned: Plan, context: Context, progress: Progress) -> list[Sample]:
    """One environment after the other: build, run, make room. What is still to run is never evicted.

    Timings of different environments are taken at different times then, and say so in their fingerprint.
    """
    from runner import engine
    from runner.images.manage import evict

    waiting = neighbours(job.environment for job in planned.jobs)
    samples: list[Sample] = []
    while waiting:
        environment = waiting.pop(0)
        jobs = tuple(job for job in planned.jobs if job.environment == environment)
        try:
            done = scheduler.run(jobs, replace(context, block=environment.id), progress)
        except Interrupted as stop:
            raise Interrupted([*samples, *stop.samples]) from None
        samples += done
        if any(context.executors[job.executor].isolated for job in jobs):
            evict(engine.connect(), request.keep, request.keep_free, still_needed(waiting))
    return samples


def _undecided(request: Request, planned: Plan, samples: Sequence[Sample]) -> tuple[Job, ...]:
    """The jobs of the rounds that the judge asks for next; none when all is decided or nothing more may run."""
    judged_by = request.rules()
    wanted = judge.more_rounds(samples, rules.comparisons(samples, judged_by), judged_by.settings(samples))
    return further_rounds(planned, samples, wanted, request.seed)


def _report(request: Request, record: RunRecord, samples: Sequence[Sample], *, interrupted: bool = False) -> int:
    report = build.report(samples, record, request.rules())
    if interrupted:
        report = replace(report, exit_code=130)
    output.emit(report, request.format_)
    return report.exit_code
