"""Runs a plan: all its rounds, then further ones until the timings are decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from runner import judge
from runner.errors import CellError
from runner.executors import Room
from runner.judge import rules
from runner.measure import scheduler
from runner.measure.context import Event, Interrupted, Observer
from runner.measure.workspace import Work
from runner.model import Environment, Job, Plan, Sample


@dataclass(frozen=True, slots=True)
class Measured:
    """The samples of a plan, in the jobs' order."""

    samples: tuple[Sample, ...]
    interrupted: bool = False
    """The user stopped the run; the samples are those that had finished."""


def until_decided(
    planned: Plan, work: Work, judged_by: rules.Rules, observe: Observer, room: Room | None = None
) -> Measured:
    """Run the plan, then further rounds of undecided timings.

    There are at most ``judged_by.max_rounds`` rounds. With ``room`` one environment is run after the other, and there
    are no further rounds. Ctrl-C ends the run; what had finished is returned.
    """
    observe(Event("expect", count=len(planned.jobs)))
    for note in planned.notes:
        observe(Event("note", text=note))
    if room is not None:
        return _measure_and_evict(planned, work, observe, room)
    samples: list[Sample] = []
    jobs = planned.jobs
    context = work.context
    while jobs:
        try:
            samples += scheduler.run(jobs, context, observe)
        except Interrupted as stop:
            return Measured((*samples, *stop.samples), interrupted=True)
        jobs = _undecided(planned, samples, judged_by) if judged_by.max_rounds else ()
        context = replace(context, fresh=False)
        observe(Event("expect", count=len(jobs)))
    return Measured(tuple(samples))


def _measure_and_evict(planned: Plan, work: Work, observe: Observer, room: Room) -> Measured:
    """Build and run one environment after the other, and make room after each.

    Images that are still to run are never evicted. Timings of different environments are taken at different times,
    so each environment is a separate block in their fingerprints.
    """
    waiting = neighbours(job.environment for job in planned.jobs)
    samples: list[Sample] = []
    while waiting:
        environment = waiting.pop(0)
        jobs = tuple(job for job in planned.jobs if job.environment == environment)
        try:
            context = replace(work.context, block=environment.id, later=len(waiting))
            samples += scheduler.run(jobs, context, observe)
        except Interrupted as stop:
            return Measured((*samples, *stop.samples), interrupted=True)
        for name in dict.fromkeys(job.executor for job in jobs):
            work.executors[name].make_room(room, still_needed(waiting))
    return Measured(tuple(samples))


def _undecided(planned: Plan, samples: Sequence[Sample], judged_by: rules.Rules) -> tuple[Job, ...]:
    """The jobs of the rounds that the judge asks for next.

    There are none when all is decided or nothing more may run.
    """
    wanted = judge.more_rounds(samples, rules.comparisons(samples, judged_by), judged_by.settings(samples))
    return further_rounds(planned, samples, wanted)


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
    known = {(job.cell.id, job.probe.name): job for job in planned.jobs}
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
