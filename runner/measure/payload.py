"""Copies the probe package into a cell and reads its answer.

The payload is copied, never imported.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runner.data import DataFile
from runner.errors import BadOutputError
from runner.matrix.probes import SOURCE, added, files
from runner.model import Cell, Job, Metric, Outcome, ProbeSpec, Status
from runner.util.plain import printable, uncoloured

REQUEST, RESULT = "request.json", "result.json"
_RESULT_LIMIT = 64 << 20
_SAYABLE = frozenset(Status) - {Status.BUILD_FAILED, Status.OOM, Status.TIMEOUT, Status.SKIPPED}
"""What a probe can report. The others are seen from outside of its process."""


class Answer(msgspec.Struct, frozen=True):
    """``result.json`` as a probe writes it. Unknown fields are left for newer readers."""

    status: str
    reason: str = ""
    traceback: str = ""
    probe_hash: str = ""
    facts: dict[str, Any] = {}
    metrics: list[Metric] = []
    details: dict[str, Any] = {}


def with_detail(answer: Answer, name: str, value: object) -> Answer:
    """The answer with one more detail."""
    return msgspec.structs.replace(answer, details={**answer.details, name: value})


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a process, when its exit code and its report are put together."""

    status: Status
    reason: str
    answer: Answer


def stage(io: Path, job: Job, data: DataFile | None, data_path: str) -> None:
    """Write a process's folder: the probe's files, and its request."""
    for name in files(job.probe.name):
        target = io / "probe" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_contents()[name])
    for name, content in added(job.probe.name).items():
        target = io / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (io / REQUEST).write_text(json.dumps(request(job.cell, job.probe, job.seed, job.round, data, data_path)))


@functools.cache
def _contents() -> dict[str, bytes]:
    """The payload as it is when the first process starts.

    A file that is changed while a run lasts does not come into half of its processes.
    """
    found = (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in found}


def request(
    cell: Cell, probe: ProbeSpec, seed: int, round_: int, data: DataFile | None, data_path: str
) -> dict[str, Any]:
    """The content of ``request.json``."""
    return {
        "schema": 1,
        "probe": probe.name,
        "cell": cell.values,
        "settings": probe.settings,
        "seed": seed,
        "round": round_,
        "data": {"path": data_path, "name": data.name, "sha256": data.sha256} if data else None,
    }


def ending(io: Path, outcome: Outcome) -> Ending:
    """Status, reason and answer of a finished process.

    What the executor saw outranks what the probe reports.
    """
    if outcome.oom:
        return Ending(Status.OOM, "ran out of the memory it was given", _answer_or_nothing(io))
    if outcome.out_of_disk:
        return Ending(Status.CRASHED, "wrote more than it may to its folder", _answer_or_nothing(io))
    if outcome.out_of_processes:
        return Ending(Status.CRASHED, "started more processes than it may", _answer_or_nothing(io))
    if outcome.timed_out:
        return Ending(Status.TIMEOUT, f"did not finish within {outcome.wall_s:.0f} s", _answer_or_nothing(io))
    if outcome.exit_code != 0 or outcome.signal:
        answer = _answer_or_nothing(io)
        how = f"killed by signal {_signal(outcome.signal)}" if outcome.signal else f"exit code {outcome.exit_code}"
        why = answer.reason or _last_line(outcome.log)
        return Ending(Status.CRASHED, f"{how}: {why}" if why else how, answer)
    answer = read_answer(io / RESULT)
    return Ending(Status(answer.status), answer.reason, answer)


def read_answer(path: Path) -> Answer:
    """Read the probe's result file.

    Raises BadOutputError where it is missing, cut off or impossible.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise BadOutputError("the probe ended without a result file")
        if path.stat().st_size > _RESULT_LIMIT:
            raise BadOutputError(f"the probe's result file is larger than {_RESULT_LIMIT >> 20} MiB")
        answer = msgspec.convert(_printable(msgspec.json.decode(path.read_bytes())), type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadOutputError(f"the probe's result file cannot be read: {error}") from None
    except OSError as error:
        raise BadOutputError(f"the probe's result file cannot be read: {error.strerror}") from None
    if answer.status not in _SAYABLE:
        raise BadOutputError(f"the probe's result file has an unknown status {answer.status!r}")
    if beyond := next((metric.name for metric in answer.metrics if metric.overflows), ""):
        raise BadOutputError(f"the probe's result file has too large a number for {beyond!r}")
    return answer


def _printable(value: Any) -> Any:
    """The same with all texts printable.

    People also look at the files of results, on terminals.
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(entry) for entry in value]
    if isinstance(value, dict):
        return {_printable(key): _printable(entry) for key, entry in value.items()}
    return value


def _answer_or_nothing(io: Path) -> Answer:
    """What a process that ended badly had left behind by then, if it can be read."""
    try:
        return read_answer(io / RESULT)
    except BadOutputError:
        return Answer(status="crashed")


def _signal(number: int | None) -> str:
    import signal

    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return str(number)


def _last_line(log: str) -> str:
    lines = [line.strip() for line in uncoloured(log).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
