"""Reads the result files of asv (``results/MACHINE/COMMIT-ENVIRONMENT.json``).

https://asv.readthedocs.io/en/stable/dev.html: format 2. A benchmark is run in as many processes as its ``rounds``
say, but a result file has neither their number nor which samples are of which process. So a file is one sample of
each benchmark: the result, which is the median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import msgspec

from runner.errors import UsageError
from runner.model import Metric, Scalar
from runner.results.tools.process import Measured, Process, figure, known, name, size, start_of, time

TOOL = "asv"
_FORMAT = 2
_BY_PREFIX = {"time": time, "timeraw": time, "mem": size, "peakmem": size}
"""What a benchmark measures, by the beginning of its function's name; any other one is just a number."""


class _File(msgspec.Struct):
    commit_hash: str
    version: int
    results: dict[str, list[Any] | None]
    params: dict[str, Scalar] = {}
    result_columns: list[str] = []


class _Row(msgspec.Struct):
    """One benchmark: the columns that are read."""

    result: list[float | None] | None = None
    params: list[list[str]] = []
    version: str = ""
    started_at: float | None = None
    stats_repeat: list[int | None] | None = None


def recognises(content: Mapping[str, Any]) -> bool:
    """Whether the content is a result file of asv."""
    return "results" in content and "commit_hash" in content


def read(content: Mapping[str, Any]) -> Measured:
    """Read a file.

    Raises UsageError for another version of the format, and msgspec.ValidationError.
    """
    if content.get("version") != _FORMAT:
        raise UsageError(f"format {content.get('version')}; format {_FORMAT} is read: `asv update` writes it")
    file = msgspec.convert(content, _File)
    place = known(host=file.params.get("machine"), cpu_model=file.params.get("cpu"), cpus=file.params.get("num_cpu"))
    found: list[Process] = []
    for benchmark, values in file.results.items():
        columns = dict(zip(file.result_columns, values or (), strict=False))
        row = msgspec.convert({key: value for key, value in columns.items() if value is not None}, _Row)
        # asv compares only results of the same code of a benchmark
        workload = {**place, "probe_hash": row.version} if row.version else place
        found += _processes(benchmark, row, workload)
    return Measured(TOOL, tuple(found), merged="asv does not write which repeats are from one process")


def _processes(benchmark: str, row: _Row, fingerprint: dict[str, Scalar]) -> Iterator[Process]:
    """One process for each combination of parameters.

    NaN stands for one that was skipped, null for one that failed.
    """
    names = [
        name(f"{benchmark}({', '.join(values)})") if values else name(benchmark) for values in product(*row.params)
    ]
    results: Sequence[float | None] = [None] * len(names) if row.result is None else row.result
    if len(results) != len(names):
        raise UsageError(f"{len(results)} results and {len(names)} combinations of parameters of {benchmark!r}")
    repeats = row.stats_repeat or [1] * len(names)
    started = "" if row.started_at is None else start_of(row.started_at / 1000)
    for one, value, count in zip(names, results, repeats, strict=True):
        if value is not None and math.isnan(value):
            continue
        metrics = () if value is None else (_metric(benchmark, value),)
        yield Process(
            one,
            metrics,
            repeats=count or 1,
            started=started,
            failure="" if metrics else "it failed",
            fingerprint=fingerprint,
        )


def _metric(benchmark: str, value: float) -> Metric:
    function = benchmark.rpartition(".")[2]
    return _BY_PREFIX.get(function.partition("_")[0].lower(), figure)([value])
