"""matrix/expectations.toml on disk: strict reading, and rewriting that keeps what a person wrote."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from runner import toml
from runner.errors import UsageError, suggest
from runner.judge.expectations import SCHEMA, Expectation
from runner.model import Status


class _Entry(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    cell: str
    probe: str = "*"
    status: str = ""
    metric: str = ""
    issue: str = ""
    last_bad: str = ""
    reason: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    expect: list[_Entry] = []


def read(path: Path) -> tuple[Expectation, ...]:
    """Read the file. Raises UsageError (see ``runner.judge.expectations.load``)."""
    file = toml.load(path, _File)
    if file.schema != SCHEMA:
        raise UsageError(f"{path}: schema {file.schema}, this program reads {SCHEMA}")
    return tuple(_checked(path, number, entry) for number, entry in enumerate(file.expect, 1))


def _checked(path: Path, number: int, entry: _Entry) -> Expectation:
    where = f"{path}: entry {number} ({entry.cell})"
    if bool(entry.status) == bool(entry.metric):
        raise UsageError(f"{where}: give either status or metric")
    failing = [s.value for s in Status if s != Status.OK]
    if entry.status and entry.status not in failing:
        raise UsageError(f"{where}: no failing status {entry.status!r}{suggest(entry.status, failing)}")
    if entry.last_bad and not re.fullmatch(r"[a-z]+-\d[\w.+]*", entry.last_bad):
        raise UsageError(f"{where}: last-bad is a package and a version, keras-3.9.2, not {entry.last_bad!r}")
    if entry.issue and not re.fullmatch(r"https?://\S+", entry.issue):
        raise UsageError(f"{where}: issue is an address, https://..., not {entry.issue!r}")
    status = Status(entry.status) if entry.status else None
    return Expectation(entry.cell, entry.probe, status, entry.metric, entry.issue, entry.last_bad, entry.reason)
