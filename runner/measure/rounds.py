"""Runs a plan: all its rounds, then further ones.

They end when all is decided or the budget is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from runner import judge
from runner.errors import CellError
from runner.executors import Room
from runner.judge import budget, rules
from runner.matrix import probes
from runner.measure import phases
from runner.measure import sample as samples_of
from runner.measure.context import Context, Event, Interrupted, Observer, noted
from runner.measure.workspace import Work
from runner.model import Comparison, Environment, Job, Plan, Sample, Status

Judged = Callable[[Sequence[Sample]], Sequence[Comparison]]
"""Judges what has been measured so far."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The samples of a plan, in the jobs' order."""

    samples: tuple[Sample, ...]
    interrupted: bool = False
    """The user stopped the run; the samples are those that had finished."""


def until_decided(
    planned: Plan, work: Work, further: budget.Further, judged: Judged, observe: Observer, room: Room | None = None
) -> Measured:
    """Run the plan, then further rounds of what is undecided.

    ``judged`` is called after each round where another could follow. With ``room`` one environment is run after the
    other, and there are no further rounds. Ctrl-C ends the run; what had finished is returned.
    """
    observe(Event("expect", count=len(planned.jobs)))
    for note in planned.notes:
        observe(Event("note", text=note))
    if room is not None:
        return _measure_and_evict(planned, work, observe, room)
    if further.budget_s is not None:
        observe(Event("budget", seconds=further.budget_s))
    samples: list[Sample] = []
    jobs = planned.jobs
    while jobs:
        try:
            samples += phases.run(jobs, work.context, observe)
            if not further.most:
                break
            if jobs is planned.jobs and further.budget_s is not None:
                samples += _stored(planned, samples, work.context, further.most, observe)
            jobs = further_rounds(planned, samples, _wanted(samples, judged(samples), further, observe))
        except Interrupted as stop:
            return Measured((*samples, *stop.samples), interrupted=True)
        except KeyboardInterrupt:  # while nothing ran: what was measured is reported all the same
            if not samples:
                raise
            return Measured(tuple(samples), interrupted=True)
        if jobs:
            observe(Event("further", count=len(jobs), round=max(job.round for job in jobs)))
    return Measured(tuple(samples))


def _measure_and_evict(planned: Plan, work: Work, observe: Observer, room: Room) -> Measured:
    """Build and run one environment after the other, and make room after each.

    Images that are still to run are never evicted. Timings of different environments are taken at different times,
    so each environment is a separate block in their fingerprints.
    """
    samples: list[Sample] = []
    groups = [(part, one) for part in phases.split(planned.jobs) for one in neighbours(job.environment for job in part)]
    while groups:
        part, environment = groups.pop(0)
        waiting = [one for _, one in groups]
        jobs = tuple(job for job in part if job.environment == environment)
        try:
            context = replace(work.context, block=environment.id, later=len(waiting))
            samples += phases.run(jobs, context, observe, samples)
        except Interrupted as stop:
            return Measured((*samples, *stop.samples), interrupted=True)
        for name in dict.fromkeys(job.executor for job in jobs):
            work.executors[name].make_room(room, still_needed(waiting))
    return Measured(tuple(samples))


def _wanted(
    samples: Sequence[Sample], comparisons: Sequence[Comparison], further: budget.Further, observe: Observer
) -> judge.RoundPlan:
    """The rounds that are to run next.

    There are none where all is decided or nothing more may run.
    """
    if further.budget_s is None:
        settings = judge.JudgeSettings.after(rules.rounds(samples), further.most)
        return judge.more_rounds(samples, comparisons, settings)
    left_s = further.budget_s - budget.spent(one for one in samples if probes.headlines(one.probe))
    observe(Event("budget", seconds=left_s))
    return budget.next_round(samples, comparisons, _headline, left_s, further.most)


def _headline(comparison: Comparison) -> bool:
    return probes.is_headline(comparison.probe, comparison.metric)


def _stored(
    planned: Plan, samples: Sequence[Sample], context: Context, most: int, observe: Observer
) -> Iterator[Sample]:
    """The results of further rounds that an earlier run left.

    Those of a cell end before the first that is missing, and with a failure. All are taken at once: judged round by
    round, they would take as many judgements as there are rounds.
    """
    if context.fresh:
        return
    fine = {(one.cell.id, one.probe) for one in samples if one.status == Status.OK}
    fine -= {(one.cell.id, one.probe) for one in samples if one.status != Status.OK}
    for key, job in _last(planned).items():
        with suppress(CellError):  # an environment that cannot be named has no results that could be used
            identity = context.executors[job.executor].identity(job.environment)
            for number in range(job.round + 1, most) if key in fine else ():
                name = samples_of.key(_in_round(job, number), identity, context)
                found = context.store.find(*key, number, name, noted(observe, ": not used"))
                if found is None or (found.status != Status.OK and context.keep_failed):
                    break
                observe(Event("expect", count=1))
                observe(Event("reuse", job.cell.id, found.reason, job.probe.name, number, found.status))
                yield found
                if found.status != Status.OK:
                    break


def _last(planned: Plan) -> dict[tuple[str, str], Job]:
    """The last job of each cell and probe."""
    return {(job.cell.id, job.probe.name): job for job in planned.jobs}


def neighbours(environments: Iterable[Environment]) -> list[Environment]:
    """Each environment once, those on one framework release next to each other.

    Their common layer is built once then.
    """
    groups: dict[tuple[str, ...], dict[Environment, None]] = {}
    for one in environments:
        groups.setdefault((one.framework, one.version, one.python, one.build, one.platform), {})[one] = None
    return [environment for group in groups.values() for environment in group]


def still_needed(waiting: Sequence[Environment]) -> tuple[str, ...]:
    """The images that must not be evicted.

    They are still to run, or their layer is still to be built on.
    """
    from runner.environments import lock
    from runner.images.recipe import recipe

    keys = [environment.id for environment in waiting]
    for environment in waiting:
        with suppress(CellError):  # one without a lock fails by itself when its turn comes
            keys.append(recipe(environment, lock.locked(environment)).framework_key)
    return tuple(keys)


def further_rounds(planned: Plan, samples: Sequence[Sample], wanted: judge.RoundPlan) -> tuple[Job, ...]:
    """The jobs of further rounds, rounds outermost.

    The cell that leads moves on by one each round. Seeds go on from those of the plan.
    """
    taken = Counter((sample.cell.id, sample.probe) for sample in samples)
    known = _last(planned)
    last = {key: taken[key] + more for key, more in wanted.items()}
    jobs: list[Job] = []
    for number in range(min(taken[key] for key in wanted), max(last.values())) if wanted else ():
        due = [key for key in known if key in wanted and taken[key] <= number < last[key]]
        lead = number % len(due) if due else 0
        jobs += [_in_round(known[key], number) for key in (*due[lead:], *due[:lead])]
    return tuple(jobs)


def _in_round(job: Job, number: int) -> Job:
    """The same job in another round; seeds count up with the rounds."""
    return replace(job, round=number, seed=job.seed - job.round + number)
