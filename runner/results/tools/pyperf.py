"""Reads the JSON of pyperf.

https://pyperf.readthedocs.io/en/latest/api.html#pyperf.BenchmarkSuite; the classes ``Benchmark`` and ``Run`` of pyperf
2.11 write it. Each run is one process. Its values are seconds per loop. A run that only calibrates has no
values, and warmups are not values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from runner.errors import UsageError
from runner.model import Metric, Scalar
from runner.results.tools.process import Measured, Process, figure, known, name, size, start, time

TOOL = "pyperf"
_MAKERS = {"second": time, "byte": size, "integer": figure}
_FORMAT = "1."
"""How the version of the format begins."""


class _Run(msgspec.Struct):
    values: list[float] = []
    metadata: dict[str, Scalar] = {}


class _Benchmark(msgspec.Struct):
    runs: list[_Run]
    metadata: dict[str, Scalar] = {}


class _Suite(msgspec.Struct):
    benchmarks: list[_Benchmark]
    version: str
    metadata: dict[str, Scalar] = {}


def recognises(content: Mapping[str, Any]) -> bool:
    """Whether the content is a suite of pyperf."""
    listed = content.get("benchmarks")
    return isinstance(listed, list) and all(isinstance(one, dict) and "runs" in one for one in listed) and bool(listed)


def read(content: Mapping[str, Any]) -> Measured:
    """Read a suite.

    Raises UsageError for another version of the format, and msgspec.ValidationError.
    """
    suite = msgspec.convert(content, _Suite)
    if not suite.version.startswith(_FORMAT):
        raise UsageError(f"format {suite.version}; format 1.0 is read: `pyperf convert` writes it")
    return Measured(TOOL, tuple(process for one in suite.benchmarks for process in _processes(suite, one)))


def _processes(suite: _Suite, benchmark: _Benchmark) -> Iterator[Process]:
    for run in benchmark.runs:
        facts = {**suite.metadata, **benchmark.metadata, **run.metadata}
        if run.values:
            yield Process(
                name(str(facts.get("name", "benchmark"))),
                (_metric(run, str(facts.get("unit", "second"))),),
                repeats=len(run.values),
                started=start(str(facts.get("date", ""))),
                fingerprint=known(
                    host=facts.get("hostname"),
                    cpu_model=facts.get("cpu_model_name"),
                    cpus=facts.get("cpu_count"),
                    affinity=facts.get("cpu_affinity"),
                ),
            )


def _metric(run: _Run, unit: str) -> Metric:
    maker = _MAKERS.get(unit)
    if maker is None:
        raise UsageError(f"unit {unit!r}; read are {', '.join(_MAKERS)}")
    return maker(run.values)
