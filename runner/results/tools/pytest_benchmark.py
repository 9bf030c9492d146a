"""Reads the JSON of pytest-benchmark (``--benchmark-json``, ``--benchmark-save``).

https://pytest-benchmark.readthedocs.io/en/stable/usage.html. All rounds of a file are from the one process of pytest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from runner.results.tools.process import Measured, Process, known, name, start, time

TOOL = "pytest-benchmark"


class _Stats(msgspec.Struct):
    median: float
    rounds: int


class _Benchmark(msgspec.Struct):
    fullname: str
    stats: _Stats


class _Cpu(msgspec.Struct):
    brand_raw: str = ""
    count: int = 0


class _Machine(msgspec.Struct):
    node: str = ""
    cpu: _Cpu = msgspec.field(default_factory=_Cpu)


class _File(msgspec.Struct):
    machine_info: _Machine
    benchmarks: list[_Benchmark]
    datetime: str = ""


def recognises(content: Mapping[str, Any]) -> bool:
    """Whether the content is a file of pytest-benchmark."""
    return "benchmarks" in content and "machine_info" in content


def read(content: Mapping[str, Any]) -> Measured:
    """Read a file. Raises msgspec.ValidationError."""
    file = msgspec.convert(content, _File)
    machine = file.machine_info
    place = known(host=machine.node, cpu_model=machine.cpu.brand_raw, cpus=machine.cpu.count)
    started = start(file.datetime)
    return Measured(
        TOOL,
        tuple(
            Process(
                name(one.fullname),
                (time([one.stats.median]),),
                repeats=one.stats.rounds,
                started=started,
                fingerprint=place,
            )
            for one in file.benchmarks
        ),
    )
