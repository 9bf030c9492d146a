"""Reads measurements of any tool, one JSON object per line, as samples."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import UnionType
from typing import Annotated

import msgspec

from runner.errors import UsageError, suggest
from runner.model import Better, Cell, Kind, Metric, Sample, Scalar, Status
from runner.util.plain import printable


@dataclass(frozen=True, slots=True)
class NamedCell(Cell):
    """A cell of which only the name is known."""

    @property
    def id(self) -> str:
        """The name as the file has it."""
        return self.framework


_LAST = 2**53
"""The largest of the whole numbers that every reader of JSON keeps apart."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    cell: str
    metric: str
    value: float | int | str | list[float] | None
    round: Annotated[int, msgspec.Meta(ge=0, le=_LAST)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-_LAST, le=_LAST)] | None = None
    host: str | None = None
    kind: Kind | None = None
    better: Better = Better.LOWER
    probe: str = ""
    unit: str = ""
    terms: Annotated[int, msgspec.Meta(ge=1, le=_LAST)] | None = None
    started: str = ""


_FITS: dict[Kind, type | UnionType] = {
    Kind.TIMING: int | float,
    Kind.SEEDED: int | float,
    Kind.ERROR: int | float,
    Kind.TRAJECTORY: list,
}
_Process = tuple[str, str, int | None, int | None, str | None, str]

_DECODER = msgspec.json.Decoder(_Line)


def samples(lines: Iterable[str | bytes], source: str) -> list[Sample]:
    """Read samples from lines of JSON. Empty lines are skipped.

    A line is ``{"cell": "A", "round": 0, "metric": "step_s", "value": 0.0045}``. Optional: ``seed``, ``host``, ``kind``
    (left out: ``timing`` for a number, ``exact`` for a word, ``trajectory`` for a list), ``better`` (left out:
    ``lower``), ``probe``, ``unit``, ``terms`` (of an ``error``), ``started`` (ISO 8601). A timing needs its ``round``,
    since rounds pair the cells; a seeded figure without ``seed`` takes the round for it. NaN and Infinity are read as
    Python writes them.

    Raises UsageError naming ``source`` and the line for one that is not such an object or contradicts an earlier one.
    """
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        try:
            reader.add(_decoded(text))
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            raise UsageError(f"{source}: line {number}: {_explained(str(error))}") from None
    return reader.samples()


def _decoded(text: str | bytes) -> _Line:
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return msgspec.convert(json.loads(text), _Line)  # NaN and Infinity, which JSON proper does not have
    except json.JSONDecodeError as error:
        raise ValueError(f"not a JSON object: {error.msg[:1].lower()}{error.msg[1:]}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def _explained(message: str) -> str:
    unknown = re.match(r"Object contains unknown field `(.*)`", message)
    if unknown:
        return f"unknown key {unknown[1]!r}{suggest(unknown[1], _Line.__struct_fields__)}"
    return message.replace(" - at `$.", " - in `").replace("`$`", "the line")


class _Reader:
    """Sorts lines into processes.

    One cell, probe, round, seed, host and start make a process.
    """

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.metrics: dict[tuple[str, str], tuple[str, str, str]] = {}
        self.processes: dict[_Process, list[dict[str, Metric]]] = {}

    def add(self, line: _Line) -> None:
        """Raises ValueError where the line contradicts itself or an earlier one."""
        if not line.cell or not line.metric:
            raise ValueError("`cell` and `metric` cannot be empty")
        self._check_words(line)
        kind = line.kind or _kind(line.value)
        here = (kind.value, f"better {line.better}", f"in {line.unit or 'no unit'}")
        for one, before in zip(here, self.metrics.setdefault((line.probe, line.metric), here), strict=True):
            if one != before:
                raise ValueError(f"metric {line.metric!r} is {one} here and {before} before")
        if kind == Kind.TIMING and line.round is None:
            raise ValueError("a timing needs its `round`: rounds pair the cells")
        if line.value is not None and not isinstance(line.value, _FITS.get(kind, object)):
            raise ValueError(f"{kind.value} figures are {'lists' if kind == Kind.TRAJECTORY else 'numbers'}")
        if kind != Kind.EXACT and isinstance(line.value, int) and abs(line.value) > sys.float_info.max:
            raise ValueError("`value` is too large for a figure that is measured")
        if kind == Kind.ERROR and isinstance(line.value, int | float) and line.value < 0:
            raise ValueError(f"an error is a distance and cannot be {line.value:g}")
        process = (line.cell, line.probe, line.round, line.seed, line.host, line.started)
        metric = Metric(line.metric, line.value, kind, line.better, line.unit, line.terms)
        repeats = self.processes.setdefault(process, [{}])
        if line.metric in repeats[-1]:
            repeats.append({})  # the same figure again: another process that says it was in this round
        repeats[-1][line.metric] = metric

    def _check_words(self, line: _Line) -> None:
        words = (line.cell, line.metric, line.probe, line.unit, line.host or "", line.value)
        for word in words:
            if not isinstance(word, str) or word in self.words:
                continue
            if printable(word) != word or "\t" in word or "\n" in word:  # these have no place in a table
                raise ValueError(f"{word!a} has a character that cannot be printed")
            self.words.add(word)

    def samples(self) -> list[Sample]:
        cells: dict[str, NamedCell] = {}
        hosts: dict[str | None, dict[str, Scalar]] = {None: {}}
        made = []
        for (name, probe, number, seed, host, started), repeats in self.processes.items():
            cell = cells.setdefault(name, NamedCell(name, "", None, "", ""))
            fingerprint = hosts.setdefault(host, {"host": host})
            place = next(n for n in (number, seed, 0) if n is not None)
            made += [
                Sample(
                    cell=cell,
                    environment_id="",
                    probe=probe,
                    settings={},
                    round=place,
                    seed=_seed(seed, number, metrics),
                    executor="",
                    status=Status.OK,
                    reason="",
                    metrics=tuple(metrics.values()),
                    fingerprint=fingerprint,
                    started=started,
                )
                for metrics in repeats
            ]
        return made


def _seed(seed: int | None, number: int | None, metrics: dict[str, Metric]) -> int:
    """What pairs figures that are not timings.

    Without a seed, seeded ones pair by round; exact ones must all agree.
    """
    if seed is not None:
        return seed
    return (number or 0) if any(metric.kind == Kind.SEEDED for metric in metrics.values()) else 0


def _kind(value: object) -> Kind:
    if isinstance(value, str):
        return Kind.EXACT
    return Kind.TRAJECTORY if isinstance(value, list) else Kind.TIMING
