"""Reads matrix/expectations.toml, and rewrites it.

Reading is strict; rewriting keeps what a person wrote.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

import msgspec

from runner.errors import UsageError, suggest
from runner.judge.expectations import SCHEMA, Expectation, as_expected
from runner.judge.series import grouped
from runner.matrix import configuration
from runner.model import Cell, Comparison, Sample, Status, Verdict
from runner.util import folders, toml


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
    defect: list[dict[str, str]] = []
    """``runner.defects.known`` reads these."""


def read(path: Path) -> tuple[Expectation, ...]:
    """Read the file. Raises UsageError (see ``runner.judge.expectations_file.load``)."""
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


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was measured and can be expected.

    It is whether a cell runs a probe, or an exact figure.
    """

    cell: Cell
    probe: str
    metric: str
    """Empty for the status."""
    status: Status | None
    bad: bool
    reason: str
    sample: Sample | None = None
    """One of those that failed."""

    def entry(self) -> Expectation:
        """The expectation that says just this."""
        return Expectation(self.cell.id, self.probe, self.status, self.metric, reason=self.reason)


@dataclass(frozen=True, slots=True)
class Update:
    """The file as it should be, and what changed."""

    text: str
    added: tuple[Expectation, ...]
    removed: tuple[Expectation, ...]


def observed(samples: Sequence[Sample], comparisons: Sequence[Comparison]) -> list[Seen]:
    """All that was measured and can be expected.

    No timings: those are one machine's affair.
    """
    groups = grouped(samples)
    cells = {sample.cell.id: sample.cell for sample in samples}
    found = []
    for (cell_id, probe), group in groups.items():
        status = group.bad.status if group.bad else Status.OK
        if status.about_cell:
            reason = group.bad.reason if group.bad else ""
            found.append(Seen(cells[cell_id], probe, "", status, status != Status.OK, reason, group.bad))
    worse = (Verdict.REGRESSED, Verdict.BROKEN, Verdict.EXPECTED)
    better = (Verdict.SAME, Verdict.IMPROVED, Verdict.FIXED)
    found += [
        Seen(cells[c.candidate], c.probe, c.metric, None, c.verdict in worse, c.reason)
        for c in comparisons
        if c.evidence.classification and c.candidate in cells and c.verdict in worse + better
    ]
    return found


def updated(text: str, entries: Sequence[Expectation], seen: Sequence[Seen]) -> Update:
    """Bring the file's text in line with what was measured.

    ``entries`` are what the text holds, in its order.

    An entry goes when a cell it covers did otherwise; for those that still do as it says, entries of their own take
    its place. Failures that no entry covers are added. Everything else stays as it is written.
    """
    keep, added = [], []
    for entry in entries:
        about = [one for one in seen if _about(entry, one)]
        keep.append(all(_agrees(entry, one) for one in about))
        if not keep[-1]:
            still = (one.entry() for one in about if _agrees(entry, one))
            added += [replace(new, issue=entry.issue, reason=entry.reason) for new in still]
    settled = [entry for entry, stays in zip(entries, keep, strict=True) if stays] + added
    added += _merged([one for one in seen if one.bad and not any(_about(e, one) for e in settled)], seen)
    starts = [match.start() for match in re.finditer(r"(?m)^(?:#.*\n)*\[\[expect\]\]", text)]
    head, *blocks = (text[a:b] for a, b in pairwise([0, *starts, len(text)]))
    kept = [block for block, stays in zip(blocks, keep, strict=True) if stays]
    parts = [part.rstrip() for part in (head, *kept)] + [_written(entry) for entry in added]
    removed = tuple(entry for entry, stays in zip(entries, keep, strict=True) if not stays)
    return Update("\n\n".join(part for part in parts if part) + "\n", tuple(added), removed)


def _about(entry: Expectation, one: Seen) -> bool:
    if bool(entry.metric) != bool(one.metric) or not entry.covers(one.cell, one.probe):
        return False
    return not entry.metric or fnmatchcase(one.metric, entry.metric)


def _agrees(entry: Expectation, one: Seen) -> bool:
    return one.bad if entry.metric else as_expected(entry, one.sample)


def _merged(new: Sequence[Seen], seen: Sequence[Seen]) -> list[Expectation]:
    """One entry for all probes of a cell where none of them could be imported."""
    probes = Counter(one.cell.id for one in seen if not one.metric)
    failed = Counter(one.cell.id for one in new if one.status == Status.IMPORT_FAILED)
    entries = [
        replace(one.entry(), probe="*")
        if one.status == Status.IMPORT_FAILED and failed[one.cell.id] == probes[one.cell.id]
        else one.entry()
        for one in new
    ]
    return list({(entry.cell, entry.probe, entry.metric): entry for entry in entries}.values())


def _written(entry: Expectation) -> str:
    fields = {
        "cell": entry.cell,
        "probe": "" if entry.probe == "*" else entry.probe,
        "status": entry.status.value if entry.status else "",
        "metric": entry.metric,
        "issue": entry.issue,
        "last-bad": entry.last_bad,
        "reason": entry.reason,
    }
    # a JSON string of printable characters is a TOML basic string
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items() if value]
    return "\n".join(["[[expect]]", *lines])


def shipped() -> Path:
    """The expectations of this program's own sets."""
    return folders.matrix_dir() / "expectations.toml"


def default() -> Path:
    """The file that ``runner expect`` writes.

    It is the one that the user's configuration names, else the program's.
    """
    found = configuration.here()
    return (found and found.expectations) or shipped()


def known() -> tuple[Expectation, ...]:
    """All expectations that hold here: the user's before the program's."""
    listed = load(shipped())
    if (path := default()) == shipped():
        return listed
    return (*(replace(entry, file=path.name) for entry in load(path)), *listed)


def without(seen: Sequence[Seen], entries: Sequence[Expectation]) -> list[Seen]:
    """What was measured, without what the entries of another file expect."""
    return [one for one in seen if not any(_about(entry, one) and _agrees(entry, one) for entry in entries)]


def load(path: Path) -> tuple[Expectation, ...]:
    """Read expectations.toml. A missing file has no entries.

    Raises UsageError for unknown keys (with the nearest known one), unknown statuses, an entry with neither or both
    of ``status`` and ``metric``, and a ``last-bad`` that is not ``package-version``.
    """
    return read(path) if path.exists() else ()
