"""Every figure of a history as a table, for analysts.

That is CSV, or Parquet where pyarrow is installed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.model import ID_ORDER
from runner.util import files

FORMATS = ("csv", "parquet")

_TEXT, _WHOLE, _NUMBER = "string", "int64", "float64"
COLUMNS = {
    **dict.fromkeys(("run", "set", "started", "cell"), _TEXT),
    **{axis.name: _TEXT for axis in ID_ORDER},
    **dict.fromkeys(("probe", "metric", "kind", "unit", "better"), _TEXT),
    "n": _WHOLE,
    **dict.fromkeys(("value", "low", "high"), _NUMBER),
    **dict.fromkeys(("verdict", "scope", "fingerprint"), _TEXT),
}
"""Name -> type. Figures of one cell, metric and ``scope`` can be compared; ``fingerprint`` is JSON."""

QUERY = """
SELECT runs.name, set_name, started, cells.name,
  axes,
  probe, metrics.name, kind, unit, better, n, value, low, high, verdict, lower(hex(scope)), fingerprint
FROM figures
  JOIN runs ON runs.id = run
  JOIN series ON series.id = series
  JOIN cells ON cells.id = series.cell
  JOIN metrics ON metrics.id = series.metric
  JOIN conditions ON conditions.id = condition
ORDER BY started, runs.name, cells.name, probe, metrics.name, scope
"""

_AXES = tuple(axis.name for axis in ID_ORDER)


def rows(found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The answer to ``QUERY``, with a field per axis."""
    known: dict[str, tuple[Any, ...]] = {}
    for row in found:
        axes = row[4]
        if axes not in known:
            values = json.loads(axes)
            known[axes] = tuple(values.get(name) for name in _AXES)
        yield (*row[:4], *known[axes], *row[5:])


_TOGETHER = 50_000
"""So many rows are written together."""


def write(rows: Iterable[tuple[Any, ...]], path: Path, form: str) -> int:
    """Write the rows to a file, whole or not at all. Returns how many there are.

    Raises UsageError where the file cannot be written, or pyarrow is missing.
    """
    _refuse_others(path)
    counted = _Counted(rows)
    content = _csv(counted) if form == "csv" else _parquet(counted)
    try:
        files.write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return counted.count


_DATABASE = b"SQLite format 3\0"
"""How a history begins, and every other file of SQLite."""


def _refuse_others(path: Path) -> None:
    """Raises UsageError for what is there and must not be replaced.

    That is a history above all.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: a folder, device or pipe, not a file; name another file")
    try:
        with path.open("rb") as there:
            known = there.read(len(_DATABASE)) == _DATABASE
    except OSError:  # not there, or not readable, which writing it reports
        return
    if known:
        raise UsageError(f"{path}: a history or another database, which an export does not replace; name another file")


class _Counted:
    """Rows, and how many of them have been taken."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)
        self.count = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.count += 1
            yield row


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would read as a formula."""


def _csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(field) for field in row] for row in rows)
    return out.getvalue().encode()


def _harmless(field: Any) -> Any:
    return f"'{field}" if isinstance(field, str) and field.startswith(_FORMULA) else field


def _parquet(rows: Iterable[tuple[Any, ...]]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow: pip install 'keras-version-matrix[history]'; or --format csv"
        ) from None
    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in COLUMNS.items()])
    out, left = io.BytesIO(), iter(rows)
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        while some := list(islice(left, _TOGETHER)):
            columns = [list(column) for column in zip(*some, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))
    return out.getvalue()
