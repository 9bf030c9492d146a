"""One process's outcome as a sample: key, fingerprint, notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.data import DataFile
from runner.errors import BadOutputError, CellError
from runner.executors import Prepared
from runner.matrix import probes
from runner.measure import payload
from runner.measure.context import Context
from runner.model import Job, Metric, Outcome, Scalar, Status
from runner.util import outage
from runner.util.files import digest

NO_FAILURE = (Status.OK, Status.UNSUPPORTED)


def failed(io: Path, outcome: Outcome) -> bool:
    """Whether a person may want to see what a process left."""
    try:
        return payload.ending(io, outcome).status not in NO_FAILURE
    except BadOutputError:
        return True


def internal(error: Exception) -> CellError:
    """A fault of this program as the error of a cell.

    Its status keeps it from counting as a failure of a version. A full disk is an outage.
    """
    import traceback

    if isinstance(error, OSError) and (full := outage.of_os(error)):
        return full
    shown = CellError(f"internal error: {type(error).__name__}: {error}", traceback.format_exc())
    shown.status = Status.UNAVAILABLE
    return shown


def key(job: Job, identity: str, context: Context) -> str:
    """Digest of all that decides whether an old result can be reused."""
    return digest(
        [
            job.cell.id,
            job.environment.id,
            job.executor,
            job.probe.name,
            job.probe.settings,
            job.round,
            job.seed,
            identity,
            probes.probe_hash(job.probe.name),
            data.sha256 if (data := context.data.get(job.probe.name)) else "",
            dict(context.variants.get(job.cell.variant, {})),
            dict(context.host),
        ]
    )


def fingerprint(job: Job, context: Context, facts: Mapping[str, Any]) -> dict[str, Scalar]:
    """What two timings must share.

    It is kept in words where they are short, so that a report can name what differs.
    """
    return {
        **context.host,
        "executor": job.executor,
        "device": str(facts.get("device_name", job.cell.device)),
        "probe_hash": probes.probe_hash(job.probe.name)[:16],
        "settings": digest(job.probe.settings)[:16],
        "data": data.sha256[:16] if (data := context.data.get(job.probe.name)) else "",
        **({"block": context.block} if context.block else {}),
    }


def outside(outcome: Outcome | None) -> tuple[Metric, ...]:
    """What is measured around the process rather than in it."""
    from runner.model import Better, Kind

    return (Metric("process_s", outcome.wall_s, Kind.TIMING, Better.LOWER, "s"),) if outcome else ()


def notes(prepared: Prepared | None, data: DataFile | None) -> tuple[str, ...]:
    return tuple(note for note in (*(prepared.notes if prepared else ()), data.note if data else "") if note)
