"""Which rounds a run still needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from runner import judge
from runner.errors import CellError
from runner.model import Environment, Job, Plan, Sample


def neighbours(environments: Iterable[Environment]) -> list[Environment]:
    """Each once, those on one framework release side by side, so that their common layer is built once."""
    groups: dict[tuple[str, ...], dict[Environment, None]] = {}
    for one in environments:
        groups.setdefault((one.framework, one.version, one.python, one.build, one.platform), {})[one] = None
    return [environment for group in groups.values() for environment in group]


def still_needed(waiting: Sequence[Environment]) -> tuple[str, ...]:
    """What must not be evicted: images that are still to run, and those on a layer that is still to be built on."""
    from runner.environments import lock
    from runner.images.recipe import recipe

    keys = [environment.id for environment in waiting]
    for environment in waiting:
        with suppress(CellError):  # one without a lock fails by itself when its turn comes
            keys.append(recipe(environment, lock.locked(environment)).framework_key)
    return tuple(keys)


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
