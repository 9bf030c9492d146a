"""Draws comparisons from recorded processes and judges them.

They have no change, a known change, or drift.

A recording is the logarithms of one figure of successive processes of one workload, oldest first. It contains the
effect of other work on the host. A window of 2 n successive processes becomes n interleaved rounds of two cells, or a
block of n for either. A change is made by shifting the candidate's logarithms.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runner.judge import JudgeSettings, Pair, judge, more_rounds
from runner.judge.paired import Paired
from runner.judge.timing import judge_timings
from runner.model import Better, Comparison, Kind, Metric, Sample, Status, Verdict
from runner.results.lines import NamedCell

Floats = NDArray[np.float64]
FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Recording:
    """One figure of successive processes."""

    name: str
    logs: Floats
    """log(seconds), oldest first."""
    started: Floats
    """Seconds since the recording began."""


def recordings(path: Path, figures: tuple[str, ...] = ("step_s", "cpu_s", "process_s")) -> list[Recording]:
    """All figures of all workloads of a file that record.py wrote."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["workload"], []).append(row)
    return [
        Recording(
            f"{path.stem}.{workload}.{figure}",
            np.log([float(row[figure]) for row in mine]),
            np.array([float(row["started_s"]) for row in mine]),
        )
        for workload, mine in rows.items()
        for figure in figures
    ]


def scaled(recording: Recording, factor: float) -> Recording:
    """Returns the recording with its noise multiplied by ``factor``.

    Its tails, spells and drift keep their shape.
    """
    return Recording(f"{recording.name} x {factor:.2g}", recording.logs * factor, recording.started)


def window(recording: Recording, n: int, draw: np.random.Generator) -> Floats:
    """Returns the log-ratios of n interleaved rounds.

    A round is two neighbours in time, in a random order of the two cells.
    """
    start = draw.integers(0, len(recording.logs) - 2 * n + 1)
    one, other = recording.logs[start : start + 2 * n].reshape(n, 2).T
    ratios: Floats = (other - one) * draw.choice([-1.0, 1.0], n)
    return ratios


def round_robin(recording: Recording, cells: int, n: int, draw: np.random.Generator) -> Floats:
    """Returns the log-ratios of n rounds of one baseline and several cells.

    There is one row for each cell. A round is successive processes; the cell that leads moves on by one each round.
    """
    size = cells + 1
    start = draw.integers(0, len(recording.logs) - size * n + 1)
    rounds = recording.logs[start : start + size * n].reshape(n, size)
    order = (draw.permutation(size) + np.arange(n)[:, None]) % size
    by_cell = np.take_along_axis(rounds, order, 1)
    ratios: Floats = (by_cell[:, 1:] - by_cell[:, :1]).T
    return ratios


def paired(ratios: Floats) -> Paired:
    """The judge's material of log-ratios of successive rounds."""
    n = len(ratios)
    return Paired(tuple(range(n)), tuple(ratios.tolist()), Better.LOWER, FLOOR, n)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a sequential comparison ended."""

    verdict: Verdict
    rounds: int


def sequential(ratios: Floats, settings: JudgeSettings, others: Sequence[Floats] = ()) -> Stopped:
    """Judges a comparison after each look until it is decided, as a run does.

    ``others``: the other comparisons of the run, of the same figure.
    """
    for look in settings.looks:
        judged = judge_timings([paired(one[:look]) for one in (ratios, *others)], settings)[0]
        if judged.verdict != Verdict.INCONCLUSIVE:
            return Stopped(judged.verdict, look)
    return Stopped(Verdict.INCONCLUSIVE, settings.max_rounds)


def blocks(recording: Recording, n: int, draw: np.random.Generator, drift: float = 0.0) -> list[Sample]:
    """Returns all n samples of cell A, then all n of B, with their start times.

    ``drift`` is added to the logarithm once per process.
    """
    start = int(draw.integers(0, len(recording.logs) - 2 * n + 1))
    logs = recording.logs[start : start + 2 * n] + drift * np.arange(2 * n)
    return [
        sample("A" if i < n else "B", i % n, {recording.name: math.exp(log)}, started=recording.started[start + i])
        for i, log in enumerate(logs)
    ]


def sample(
    cell: str, number: int, values: Mapping[str, float], started: float | None = None, host: str = "here"
) -> Sample:
    """What one process measured."""
    clock = (
        ""
        if started is None
        else f"2024-01-01T{int(started) // 3600:02}:{int(started) // 60 % 60:02}:{int(started) % 60:02}"
    )
    return Sample(
        cell=NamedCell(cell, "", None, "", ""),
        environment_id="",
        probe="noise",
        settings={},
        round=number,
        seed=number,
        executor="host",
        status=Status.OK,
        reason="",
        metrics=tuple(Metric(name, value, Kind.TIMING, Better.LOWER, "s") for name, value in values.items()),
        fingerprint={"host": host},
        started=clock,
    )


def timings(samples: list[Sample], settings: JudgeSettings) -> list[Comparison]:
    """Judge all cells of the samples against the first."""
    cells = list(dict.fromkeys(one.cell for one in samples))
    pairs = [Pair(cells[0], cell, "cell") for cell in cells[1:]]
    return [c for c in judge(samples, pairs, (), settings) if c.baseline and c.metric != "status"]


@dataclass(frozen=True, slots=True)
class Cost:
    """The processes that a matrix took, and its verdicts."""

    processes: int
    verdicts: dict[str, Verdict]
    """By candidate."""


def matrix(
    recording: Recording, changes: Mapping[int, float], cells: int, settings: JudgeSettings, draw: np.random.Generator
) -> Cost:
    """Runs one baseline and ``cells`` candidates, and judges all at each look.

    ``changes``: candidate -> relative change. Every candidate's rounds are another window; the baseline's
    processes are counted once a round, for as long as anything is undecided.
    """
    rounds = settings.looks[-1]
    ratios = [window(recording, rounds, draw) + math.log1p(changes.get(i, 0.0)) for i in range(cells)]
    samples: list[Sample] = []
    due = {f"c{i}": settings.looks[0] for i in range(cells)}
    taken = dict.fromkeys(due, 0)
    while True:
        reached = max((sum(s.cell.id == "base" for s in samples), *(taken[c] + more for c, more in due.items())))
        samples += [sample("base", r, {"t": 1.0}) for r in range(sum(s.cell.id == "base" for s in samples), reached)]
        for name, more in due.items():
            own = ratios[int(name[1:])]
            samples += [sample(name, r, {"t": math.exp(own[r])}) for r in range(taken[name], taken[name] + more)]
            taken[name] += more
        found = timings(samples, settings)
        plan = more_rounds(samples, found, settings)
        due = {cell: more for (cell, _), more in plan.items() if cell != "base"}
        if not due:
            return Cost(len(samples), {c.candidate: c.verdict for c in found})


def rate(hits: Iterator[bool] | list[bool]) -> tuple[int, int]:
    """How many of how many."""
    seen = list(hits)
    return sum(seen), len(seen)
