"""Runs jobs in two phases: first those that stand alone, then those that read.

The files that one probe leaves in every cell become one archive. It is a data set like any other: its digest decides
whether an old result can be reused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from runner.data import DataFile
from runner.errors import UsageError
from runner.matrix import probes
from runner.measure import scheduler
from runner.measure.context import Context, Interrupted, Observer
from runner.measure.exchange import archive, kept
from runner.model import Job, Sample
from runner.results import left, store


def split(jobs: Iterable[Job]) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
    """The jobs that read no files of other cells, and those that do."""
    first: list[Job] = []
    reading: list[Job] = []
    for job in jobs:
        (reading if probes.reads(job.probe.name) else first).append(job)
    return tuple(first), tuple(reading)


def run(jobs: Sequence[Job], context: Context, observe: Observer, before: Sequence[Sample] = ()) -> list[Sample]:
    """Run the jobs as ``scheduler.run`` does; those that read files come last.

    ``before``: samples of earlier calls, whose files are read as well. Raises what it raises; an Interrupted has the
    samples of all jobs that had finished.
    """
    first, reading = split(jobs)
    samples = scheduler.run(first, context, observe) if first else []
    for probe in dict.fromkeys(job.probe.name for job in reading):
        mine = tuple(job for job in reading if job.probe.name == probe)
        try:
            samples += scheduler.run(mine, with_files(probe, [*before, *samples], context), observe)
        except Interrupted as stop:
            raise Interrupted([*samples, *stop.samples]) from None
    return samples


def with_files(probe: str, samples: Iterable[Sample], context: Context) -> Context:
    """The context with the archive that the probe reads.

    It stays as it is where no cell left files.

    The files are those of ``samples``, else of what the store has.
    """
    source = probes.reads(probe)
    wrote = [sample for sample in samples if sample.probe == source] or _stored(source, context)
    digests = {sample.cell.id: digest for sample in wrote if (digest := archive(sample)) and kept(sample, context)}
    if not digests:
        return context
    path, sha256 = left.together(context.store.out, digests)
    return replace(context, data={**context.data, probe: DataFile(path, f"files of {source}", sha256)})


def _stored(probe: str, context: Context) -> list[Sample]:
    """The samples of a probe that earlier runs left in the store."""
    with suppress(UsageError):  # nothing was measured there before
        found = store.load([context.store.out], details_of={probe}, bad=lambda _: None)
        return [sample for sample in found if sample.probe == probe]
    return []
