"""Defects that are known: the ``[[defect]]`` tables of matrix/expectations.toml.

A table has the address of the report, so that a known defect is not reported as a regression. The tables
stand before the first ``[[expect]]``, so that rewriting those leaves them unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.judge.expectations import SCHEMA
from runner.util import toml


@dataclass(frozen=True, slots=True)
class Known:
    """One table: the address of a report, and the defects that it is about."""

    op: str
    """Glob over public names: ``ops.max``, ``layers.Conv?DTranspose``."""
    kind: str
    """Glob over kinds of defects: ``wrong *``."""
    cell: str
    """Glob over the ids of the cells that show it."""
    issue: str
    """Address of the report or the change; empty where none is known."""


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    op: str
    issue: str = ""
    kind: str = "*"
    cell: str = "*"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    defect: list[_Table] = []
    expect: list[dict[str, str]] = []


def load(path: Path) -> tuple[Known, ...]:
    """Read the tables of the file; none where it does not exist.

    Raises UsageError for unknown keys, and for an issue that is not an address.
    """
    if not path.exists():
        return ()
    file = toml.load(path, _File)
    if file.schema != SCHEMA:
        raise UsageError(f"{path}: schema {file.schema}, this program reads {SCHEMA}")
    for table in file.defect:
        if table.issue and not re.fullmatch(r"https?://\S+", table.issue):
            raise UsageError(f"{path}: defect {table.op}: issue is an address, https://..., not {table.issue!r}")
    return tuple(Known(table.op, table.kind, table.cell, table.issue) for table in file.defect)


def issues(known: Sequence[Known], op: str, kind: str, cells: Sequence[str]) -> tuple[str, ...]:
    """The addresses for one of the functions ``op`` (comma separated) in a cell.

    Empty where nothing is listed; one empty text where the defect is listed without an address.
    """
    names = op.split(", ")
    found = dict.fromkeys(
        k.issue
        for k in known
        if any(fnmatchcase(name, k.op) for name in names)
        and fnmatchcase(kind, k.kind)
        and any(fnmatchcase(cell, k.cell) for cell in cells)
    )
    return tuple(address for address in found if address) or tuple(found)
