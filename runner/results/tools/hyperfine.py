"""Reads the JSON of hyperfine (``--export-json``).

https://github.com/sharkdp/hyperfine: each run of a command is one process. Commands are run one after the
other, and the file does not say when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from runner.errors import UsageError
from runner.results.tools.process import Measured, Process, name, time

TOOL = "hyperfine"


class _Result(msgspec.Struct):
    command: str
    times: list[float]
    exit_codes: list[int | None] = []
    """None where a signal ended the run. Releases before 1.12 write none: they stop at the first failure."""


class _File(msgspec.Struct):
    results: list[_Result]


def recognises(content: Mapping[str, Any]) -> bool:
    """Whether the content is a file of hyperfine."""
    results = content.get("results")
    return isinstance(results, list) and all(isinstance(one, dict) and "command" in one for one in results)


def read(content: Mapping[str, Any]) -> Measured:
    """Read a file.

    Raises UsageError for counts that contradict each other, and msgspec.ValidationError.
    """
    file = msgspec.convert(content, _File)
    return Measured(TOOL, tuple(run for one in file.results for run in _processes(one)), alternatives=True)


def _processes(result: _Result) -> Iterator[Process]:
    codes = result.exit_codes or [0] * len(result.times)
    if len(codes) != len(result.times):
        raise UsageError(f"{len(result.times)} times and {len(codes)} exit codes of {name(result.command)!r}")
    for seconds, code in zip(result.times, codes, strict=True):
        if code == 0:
            yield Process(name(result.command), (time([seconds]),))
        else:
            ended = "ended by a signal" if code is None else f"exit code {code}"
            yield Process(name(result.command), failure=ended)
