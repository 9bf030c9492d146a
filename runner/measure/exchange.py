"""Takes up the files that a process leaves for the cells that read them.

A probe that reads has the literal ``READS`` in its source: the name of the probe whose files it wants (see ``phases``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.matrix import probes
from runner.measure import payload
from runner.measure.context import Context
from runner.model import Job, Sample, Status
from runner.results import left

LEFT = "left"
"""The folder of a process with its files, and the detail of its sample that says which archive they are in."""


def archive(sample: Sample) -> str:
    """The digest of what the sample's process left, or empty."""
    found = sample.details.get(LEFT)
    digest = found.get("sha256") if isinstance(found, dict) and sample.status is Status.OK else None
    return digest if isinstance(digest, str) else ""


def kept(sample: Sample, context: Context) -> bool:
    """Whether what the sample's process left is still there."""
    digest = archive(sample)
    return not digest or left.path(context.store.out, digest).is_file()


def taken(ending: payload.Ending, io: Path, job: Job, context: Context) -> payload.Ending:
    """The ending with the files that the process left in ``io/left``.

    They are taken from probes that another probe reads.

    Raises BadOutputError where they are too large.
    """
    folder = io / LEFT
    if ending.status is not Status.OK or not probes.is_read(job.probe.name) or not folder.is_dir():
        return ending
    found = left.keep(folder, context.store.out)
    said = {"sha256": found.sha256, "count": found.count, "size": found.size}
    return replace(ending, answer=payload.with_detail(ending.answer, LEFT, said))
