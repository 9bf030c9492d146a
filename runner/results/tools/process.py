"""What one process of another tool measured, whatever the tool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from runner.model import Better, Kind, Metric, Scalar
from runner.util.plain import printable


@dataclass(frozen=True, slots=True)
class Process:
    """One benchmark in one process."""

    benchmark: str
    metrics: tuple[Metric, ...] = ()
    """Each is the median of what the process repeated."""
    repeats: int = 1
    """How often the process measured the benchmark. The repeats are one sample."""
    started: str = ""
    """ISO 8601, or empty where the tool does not say it."""
    failure: str = ""
    """Why there are no figures, in one line."""
    fingerprint: dict[str, Scalar] = field(default_factory=dict)
    """What must agree for two timings to be comparable."""


REPEATS = "repeats inside one process are one sample"


@dataclass(frozen=True, slots=True)
class Measured:
    """The content of one file of a tool."""

    tool: str
    processes: tuple[Process, ...]
    """In the order in which they were run."""
    alternatives: bool = False
    """Whether the tool compares the benchmarks of a file with one another."""
    merged: str = REPEATS
    """Why the repeats of a file can be one sample."""


def time(seconds: Sequence[float], name: str = "time") -> Metric:
    """The time that a process took: the median of its repeats."""
    return Metric(name, median(seconds), Kind.TIMING, Better.LOWER, "s")


def size(values: Sequence[float], name: str = "memory") -> Metric:
    """The memory that a process used: the median of its repeats."""
    return Metric(name, median(values), Kind.TIMING, Better.LOWER, "B")


def figure(values: Sequence[float], name: str = "value") -> Metric:
    """A figure of which the tool does not say what it is: less is better."""
    return Metric(name, median(values), Kind.TIMING, Better.LOWER)


def rate(values: Sequence[float], name: str, unit: str) -> Metric:
    """A throughput: more is better."""
    return Metric(name, median(values), Kind.TIMING, Better.HIGHER, unit)


def name(text: str) -> str:
    """A benchmark's name in one line that can be printed."""
    return " ".join(printable(text).split())


def known(**facts: Scalar) -> dict[str, Scalar]:
    """The facts that a tool's file has, without those that it lacks."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in facts.items() if value}


def start(text: str) -> str:
    """A date and time as ISO 8601 in UTC, or an empty text where it is not one.

    A time without a zone is that of this machine's zone.

    >>> start("2026-11-30T01:18:06.655016+01:00"), start("yesterday")
    ('2026-11-30T00:18:06.655016+00:00', '')
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return ""


def start_of(seconds: float) -> str:
    """A POSIX time as ISO 8601, or an empty text where it is not one.

    >>> start_of(0.5), start_of(1e300)
    ('1970-01-01T00:00:00.500000+00:00', '')
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def grouped(processes: Iterable[Process]) -> dict[str, list[Process]]:
    """The processes of each benchmark, in their order."""
    found: dict[str, list[Process]] = {}
    for process in processes:
        found.setdefault(process.benchmark, []).append(process)
    return found
