"""Reads and writes results: one JSON file per process.

Files are written atomically, never changed, and versioned. The last key of each is a checksum of all before it.

``<out>/results/<cell>/<probe>/<round>-<key>.json``; everything else about a run can be made from these again.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from runner.errors import UsageError
from runner.model import SCHEMA, Cell, Metric, Sample, Skip
from runner.util import files

T = TypeVar("T")

RESULTS = "results"
RECORD = "run.json"

Bad = Callable[[str], None]
"""Gets a line about each file that cannot be used: which, why, and what to do. The others are used."""


class BadFileError(UsageError):
    """A result file that cannot be used, and what to do about it."""

    def __init__(self, path: Path, problem: str, way_out: str) -> None:
        super().__init__(f"{path}: {problem}; {way_out}")
        self.problem = f"{path}: {problem}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run set out to do: ``<out>/run.json``.

    With the samples it makes the whole report again.
    """

    set_name: str = ""
    cells: tuple[Cell, ...] = ()
    """All cells that were to run."""
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    invocation: str = ""
    """The command line's arguments that differ from the defaults, quoted for a shell."""
    max_rounds: int | None = None
    """The looks at timings were planned up to this many rounds; None: one look at all there is."""
    processes: tuple[tuple[str, str, int], ...] = ()
    """Cell id, probe, and how many processes of it were to run at least."""
    budget_s: float | None = None
    """Seconds of measuring within which undecided figures got further rounds; None: no further rounds, or no limit."""
    executors: tuple[str, ...] = ()
    """The executors that were to run the cells; a file of an earlier version has none."""
    against: str = ""
    """The release that sources are compared with, and then nothing else is compared; empty: every cell is."""
    schema: int = SCHEMA


class Store:
    """The results of one ``--out`` folder."""

    def __init__(self, out: Path) -> None:
        """Nothing is touched before ``open``."""
        self.out = out

    def open(self) -> None:
        """Make the folder, and make sure it can be written. Raises UsageError."""
        try:
            (self.out / RESULTS).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.out / RESULTS):
                pass
        except OSError as error:
            raise UsageError(f"--out {self.out}: cannot be written: {error.strerror}; name another folder") from None

    def path(self, sample: Sample) -> Path:
        """Where this sample lies."""
        name = f"{sample.round:03d}-{sample.key[:12]}.json"
        return self.out / RESULTS / sample.cell.id / sample.probe / name

    def save(self, sample: Sample) -> Path:
        """Write one sample, whole or not at all. Raises OSError where the disk is full."""
        path = self.path(sample)
        if path.is_dir() and not path.is_symlink():  # nothing of this program's; a file cannot replace it
            path.rename(path.with_name(f"{path.name}.{secrets.token_hex(4)}.aside"))  # one may be there from before
        files.write_atomically(path, sealed(sample, serial=_next_serial(path)))
        return path

    def record(self, record: RunRecord) -> None:
        """Write down what this run sets out to do. Raises OSError."""
        files.write_atomically(self.out / RECORD, sealed(record))

    def find(self, cell_id: str, probe: str, round_: int, key: str, bad: Bad | None = None) -> Sample | None:
        """A sample that can stand in for running the job again, or None.

        A file that cannot be used counts as none and goes to ``bad``.
        """
        path = self.out / RESULTS / cell_id / probe / f"{round_:03d}-{key[:12]}.json"
        if not os.path.lexists(path):
            return None
        tell = bad or (lambda _: None)
        try:
            sample = read(path)
        except BadFileError as error:
            tell(error.problem)
            return None
        if (sample.cell.id, sample.probe, sample.round) != (cell_id, probe, round_):
            other = f"{sample.cell.id}, {sample.probe}, round {sample.round}"
            tell(f"{path}: the result of another process ({other})")
            return None
        return sample if sample.key == key and sample.status.about_cell else None

    def executors(self) -> frozenset[str]:
        """The executors behind what is here, as far as it can be read.

        Those of the last run; of a run of an earlier version, those of one result of each cell.
        """
        with suppress(UsageError):
            if recorded := _decode(self.out / RECORD, RunRecord).executors:
                return frozenset(recorded)
        found: dict[str, str] = {}
        for path in _result_files(self.out, lambda _: None):
            if path.parent.parent.name not in found:
                with suppress(UsageError):
                    found[path.parent.parent.name] = read(path).executor
        return frozenset(found.values())


def load(folders: Iterable[Path], details_of: Collection[str] | None = None, bad: Bad | None = None) -> list[Sample]:
    """Load all samples below the folders, or of single files.

    Of each job only the newest counts; the order is stable. Within a folder the newest is the one saved last, whatever
    the clock said; between folders it is the one started last. A run that was recorded and measured nothing has none.
    ``details_of``: the probes whose details are wanted, None for all; the samples of others have none.
    Files that cannot be used go to ``bad``. Raises UsageError for a folder that no run has made and, without ``bad``,
    for the first such file.
    """
    tell = bad or _refuse
    newest: dict[_Identity, Sample] = {}
    reader = _Reader(details_of)
    for folder in folders:
        if not folder.exists():
            raise UsageError(f"{folder}: no such file or folder")
        unread: list[str] = []
        found = list(_result_files(folder, unread.append)) if folder.is_dir() else [folder]
        for line in unread:
            tell(line)
        if not found and not unread and not _record_files(folder):
            raise UsageError(f"{folder}: holds no results; a folder made by `runner matrix --out` does")
        for _, paths in groupby(found, key=lambda path: path.parent):
            for job, sample in _last_saved(paths, reader, tell).items():
                if job not in newest or newest[job].started <= sample.started:
                    newest[job] = sample
    return sorted(newest.values(), key=lambda sample: (sample.started, sample.cell.id, sample.probe, sample.round))


def _refuse(line: str) -> None:
    raise UsageError(line)


_Identity = tuple[Cell, str, int, bytes, str, str]


def _identity(sample: Sample) -> _Identity:
    """What two samples of one job share.

    The settings and the host separate shards and reruns that are samples of their own.
    """
    return (
        sample.cell,
        sample.probe,
        sample.round,
        msgspec.json.encode(sample.settings, order="sorted"),
        str(sample.fingerprint.get("host", "")),
        str(sample.fingerprint.get("data", "")),
    )


def _last_saved(paths: Iterable[Path], reader: _Reader, tell: Bad) -> dict[_Identity, Sample]:
    """The sample of each job that was saved last in one folder of a cell and probe.

    Files of an earlier version have no serial number; of those it is the one started last.
    """
    last: dict[_Identity, tuple[int, str]] = {}
    found: dict[_Identity, Sample] = {}
    for path in paths:
        try:
            sample, serial = reader.read(path)
        except UsageError as error:
            tell(str(error))
            continue
        job, place = _identity(sample), (serial, sample.started)
        if job not in last or last[job] <= place:
            last[job], found[job] = place, sample
    return found


def _result_files(folder: Path, tell: Bad) -> Iterator[Path]:
    """What lies where result files belong, in order.

    That is below the folder's own ``results``, or below any of that name where it has none.
    """
    if (folder / RESULTS).is_dir():
        yield from _files_of(folder / RESULTS, tell)
        return
    unread = _unreadable(tell)
    within = [Path(at) for at, _, _ in os.walk(folder, onerror=unread) if os.path.basename(at) == RESULTS]  # noqa: PTH119
    for one in sorted(within):
        yield from _files_of(one, tell)


def _files_of(results: Path, tell: Bad) -> Iterator[Path]:
    unread = _unreadable(tell)
    for cell in _names(results, unread):
        for probe in _names(cell, unread):
            yield from (path for path in _names(probe, unread) if path.name.endswith(".json"))


def _names(folder: Path, unread: Callable[[OSError], None]) -> list[Path]:
    """What a folder holds, in order; nothing where it is not a folder."""
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208 - a third of iterdir's time
    except NotADirectoryError:
        return []
    except OSError as error:
        unread(error)
        return []


def _unreadable(tell: Bad) -> Callable[[OSError], None]:
    return lambda error: tell(f"{error.filename}: cannot be read: {error.strerror}")


def _record_files(folder: Path) -> list[Path]:
    """What is named like the record of a run, there and below, in order."""
    return sorted(Path(at, RECORD) for at, folders, names in os.walk(folder) if RECORD in (*folders, *names))


def load_records(folders: Iterable[Path], bad: Bad | None = None) -> RunRecord:
    """What the runs in these folders set out to do, put together.

    Empty where none is recorded. Files that cannot be used go to ``bad``; without it, this raises UsageError for the
    first one.
    """
    paths = [path for folder in folders for path in _record_files(folder)]
    records = []
    for path in paths:
        try:
            records.append(_decode(path, RunRecord))
        except UsageError as error:
            (bad or _refuse)(str(error))
    return RunRecord(
        set_name=records[0].set_name if records else "",
        cells=tuple(dict.fromkeys(cell for record in records for cell in record.cells)),
        skips=tuple(dict.fromkeys(skip for record in records for skip in record.skips)),
        notes=tuple(dict.fromkeys(note for record in records for note in record.notes)),
        invocation=records[0].invocation if records else "",
        max_rounds=max((record.max_rounds for record in records if record.max_rounds), default=None),
        processes=tuple(dict.fromkeys(some for record in records for some in record.processes)),
        executors=tuple(dict.fromkeys(name for record in records for name in record.executors)),
        against=next((record.against for record in records if record.against), ""),
        budget_s=max((record.budget_s for record in records if record.budget_s), default=None),
    )


def read(path: Path) -> Sample:
    """Read one result file.

    Raises UsageError for one that is cut off, damaged, from a newer program or not a file.
    """
    return _Reader(None).read(path)[0]


# --- the content of a file -------------------------------------------------------------------------------------------

_SEAL = b',\n "crc32": "%08x"\n}'
_SEAL_LENGTH = len(_SEAL % 0)


def sealed(value: Sample | RunRecord, **more: int) -> bytes:
    """The content of a file, with its checksum as the last key.

    CRC-32 over all before it finds every single flipped bit, and every burst of up to 32.
    """
    text = msgspec.json.format(msgspec.json.encode(value), indent=1).removesuffix(b"\n}")
    text += b"".join(b',\n "%s": %d' % (name.encode(), number) for name, number in more.items())
    return text + _SEAL % zlib.crc32(text)


def _is_whole(raw: bytes) -> bool:
    """Whether a file that has a checksum is as it was written."""
    return raw[-_SEAL_LENGTH:] == _SEAL % zlib.crc32(memoryview(raw)[:-_SEAL_LENGTH])


class _Serial(msgspec.Struct):
    serial: int = 0


def _next_serial(path: Path) -> int:
    """The number of the next result of a cell, probe and round.

    It is one more than the highest there is. The clock may have been set back, so it does not say which of two results
    is the newer.
    """
    highest, prefix = 0, path.name.partition("-")[0] + "-"
    with suppress(FileNotFoundError):
        for name in os.listdir(path.parent):  # noqa: PTH208 - a third of iterdir's time
            if name.startswith(prefix) and name.endswith(".json"):
                with suppress(OSError, msgspec.DecodeError, RecursionError):
                    raw = files.content(path.with_name(name))
                    highest = max(highest, msgspec.json.decode(raw, type=_Serial).serial)
    return highest + 1


_PARTS = ("cell", "settings", "facts", "fingerprint", "details", "packages", "notes")
"""Fields of a sample that are equal in many files, or that are not always wanted."""


class _Reader:
    """Reads result files one after another.

    A part of a file or a metric that equals one of another file in the same folder is decoded once and shared. The
    processes of a cell differ in little more than their timings, so that saves most of the time and of the memory.
    """

    def __init__(self, details_of: Collection[str] | None) -> None:
        """``details_of``: as in ``load``."""
        self._details_of = details_of
        types = get_type_hints(Sample)
        self._file = msgspec.json.Decoder(_file_type(types))
        self._decoders = {name: msgspec.json.Decoder(types[name]) for name in _PARTS}
        self._metric = msgspec.json.Decoder(Metric)
        self._parts: dict[tuple[str, bytes], Any] = {}
        self._metrics: dict[bytes, Metric] = {}
        self._folder: Path | None = None

    def read(self, path: Path) -> tuple[Sample, int]:
        """Read one file: its sample and its serial number.

        Raises UsageError as ``read`` does.
        """
        if path.parent != self._folder:
            self._folder, self._parts, self._metrics = path.parent, {}, {}
        try:
            return self._sample(files.content(path))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError, _UnreadableError):
            return _checked(path), 0  # says what is wrong, and where

    def _sample(self, raw: bytes) -> tuple[Sample, int]:
        found = msgspec.structs.asdict(self._file.decode(raw))
        serial, seal = found.pop("serial"), found.pop("crc32")
        if found["schema"] > SCHEMA or (seal and not _is_whole(raw)):
            raise _UnreadableError
        if self._details_of is not None and found["probe"] not in self._details_of:
            found["details"] = msgspec.Raw(b"{}")
        for name in _PARTS:
            key = (name, bytes(found[name]))
            if key not in self._parts:
                self._parts[key] = self._decoders[name].decode(found[name])
            found[name] = self._parts[key]
        metrics = []
        for part in found["metrics"]:
            text = bytes(part)
            metric = self._metrics.get(text)
            if metric is None:
                metric = self._metric.decode(text)
                if metric.overflows:
                    raise _UnreadableError
                self._metrics[text] = metric
            metrics.append(metric)
        return Sample(**{**found, "metrics": tuple(metrics)}), serial


class _UnreadableError(Exception):
    """A file of the right types that is not a result all the same."""


def _file_type(types: dict[str, Any]) -> Any:
    """A result file whose ``_PARTS`` and single metrics are still JSON."""
    described: list[Any] = []
    for entry in fields(Sample):
        kind, default = types[entry.name], entry.default
        if entry.default_factory is not MISSING:
            default = entry.default_factory()
        if entry.name in _PARTS:
            kind, default = msgspec.Raw, MISSING if default is MISSING else msgspec.Raw(msgspec.json.encode(default))
        elif entry.name == "metrics":
            kind, default = tuple[msgspec.Raw, ...], ()
        required = default is MISSING or entry.name == "schema"
        described.append((entry.name, kind) if required else (entry.name, kind, default))
    described += [("serial", int, 0), ("crc32", str, "")]
    return msgspec.defstruct("_File", described, kw_only=True)


def _checked(path: Path) -> Sample:
    sample = _decode(path, Sample)
    if beyond := next((metric.name for metric in sample.metrics if metric.overflows), ""):
        raise BadFileError(path, f"not a whole result file ({beyond!r} is too large)", _WAY_OUT[Sample])
    return sample


_WAY_OUT: dict[type, str] = {
    Sample: "the next run measures that again",
    RunRecord: "delete it; the next run into that folder writes it again",
}


def _decode(path: Path, kind: type[T]) -> T:
    try:
        raw = files.content(path)
        found = msgspec.json.decode(raw, type=_Versioned)
        if found.crc32 and not _is_whole(raw):
            raise BadFileError(path, "damaged or changed by hand (its checksum does not fit)", _WAY_OUT[kind])
        if found.schema > SCHEMA:
            newer = f"schema {found.schema}, this one reads up to {SCHEMA}"
            raise BadFileError(path, f"written by a newer program ({newer})", "upgrade this one")
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFileError(path, f"not a whole result file ({error})", _WAY_OUT[kind]) from None
    except OSError as error:
        raise BadFileError(path, f"cannot be read ({error.strerror})", _WAY_OUT[kind]) from None


class _Versioned(msgspec.Struct):
    schema: int
    crc32: str = ""
