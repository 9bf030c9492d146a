"""Reads the JSON of Google Benchmark (``--benchmark_out``).

https://github.com/google/benchmark/blob/main/docs/user_guide.md: all repetitions of a file are from one process.
Aggregates (mean, median, complexity) are computed from them and are not measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from runner.errors import UsageError
from runner.model import Metric
from runner.results.tools.process import Measured, Process, known, name, rate, start, time

TOOL = "Google Benchmark"
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_RATES = {"items_per_second": "items/s", "bytes_per_second": "B/s"}


class _Run(msgspec.Struct):
    name: str
    run_type: str = "iteration"
    run_name: str = ""
    real_time: float = 0.0
    time_unit: Literal["ns", "us", "ms", "s"] = "ns"
    items_per_second: float | None = None
    bytes_per_second: float | None = None
    error_occurred: bool = False
    error_message: str = ""
    skipped: bool = False

    @property
    def benchmark(self) -> str:
        """The name of the benchmark, the same for all repetitions."""
        return name(self.run_name or self.name)


class _Context(msgspec.Struct):
    date: str = ""
    host_name: str = ""
    num_cpus: int = 0
    library_build_type: str = ""


class _File(msgspec.Struct):
    context: _Context
    benchmarks: list[_Run]


def recognises(content: Mapping[str, Any]) -> bool:
    """Whether the content is a file of Google Benchmark."""
    return "benchmarks" in content and "context" in content


def read(content: Mapping[str, Any]) -> Measured:
    """Read a file.

    Raises UsageError for one that has aggregates only, and msgspec.ValidationError.
    """
    file = msgspec.convert(content, _File)
    runs: dict[str, list[_Run]] = {}
    for run in file.benchmarks:
        if run.run_type == "iteration" and not run.skipped:
            runs.setdefault(run.benchmark, []).append(run)
    if file.benchmarks and not runs:
        raise UsageError("aggregates alone, which are not measured: run it without --benchmark_report_aggregates_only")
    return Measured(TOOL, tuple(_process(file.context, one, repeats) for one, repeats in runs.items()))


def _process(context: _Context, benchmark: str, repeats: Sequence[_Run]) -> Process:
    failed = next((one for one in repeats if one.error_occurred), None)
    return Process(
        benchmark,
        () if failed else _metrics(repeats),
        repeats=len(repeats),
        started=start(context.date),
        failure=name(failed.error_message) or "an error occurred" if failed else "",
        fingerprint=known(host=context.host_name, cpus=context.num_cpus, library_build=context.library_build_type),
    )


def _metrics(repeats: Sequence[_Run]) -> tuple[Metric, ...]:
    found = [time([one.real_time * _SECONDS[one.time_unit] for one in repeats])]
    for key, unit in _RATES.items():
        values = [value for one in repeats if (value := getattr(one, key)) is not None]
        if len(values) == len(repeats):
            found.append(rate(values, key, unit))
    return tuple(found)
