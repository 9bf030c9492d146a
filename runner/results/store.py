"""Reads and writes results: one JSON file per process.

Files are written atomically, never changed, and versioned.

``<out>/results/<cell>/<probe>/<round>-<key>.json``; everything else about a run can be made from these again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from runner.errors import UsageError
from runner.model import SCHEMA, Cell, Metric, Sample, Skip
from runner.util.files import write_atomically

T = TypeVar("T")

RESULTS = "results"
RECORD = "run.json"


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
        write_atomically(path, msgspec.json.format(msgspec.json.encode(sample), indent=1))
        return path

    def record(self, record: RunRecord) -> None:
        """Write down what this run sets out to do. Raises OSError."""
        write_atomically(self.out / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1))

    def find(self, cell_id: str, probe: str, round_: int, key: str) -> Sample | None:
        """A sample that can stand in for running the job again, or None."""
        path = self.out / RESULTS / cell_id / probe / f"{round_:03d}-{key[:12]}.json"
        if not path.is_file():
            return None
        sample = read(path)
        return sample if sample.key == key and sample.status.about_cell else None


def load(folders: Iterable[Path], details_of: Collection[str] | None = None) -> list[Sample]:
    """Load all samples below the folders, or of single files.

    Of each job only the newest counts; the order is stable. A run that was recorded and measured nothing has none.
    ``details_of``: the probes whose details are wanted, None for all; the samples of others have none.
    Raises UsageError for a folder that no run has made, a file cut in half or one from a newer program.
    """
    newest: dict[tuple[Cell, str, int, bytes, str, str], Sample] = {}
    reader = _Reader(details_of)
    for folder in folders:
        if folder.is_file():
            files = [folder]
        elif (folder / RESULTS).is_dir():
            files = sorted((folder / RESULTS).glob("*/*/*.json"))
        elif folder.is_dir():
            files = sorted(folder.glob("**/results/*/*/*.json"))
        else:
            raise UsageError(f"{folder}: no such file or folder")
        if not files and not (folder.is_dir() and any(folder.glob(f"**/{RECORD}"))):
            raise UsageError(f"{folder}: holds no results; a folder made by `runner matrix --out` does")
        for file in files:
            sample = reader.read(file)
            # the settings and the host tell apart shards and reruns that are samples of their own
            job = (
                sample.cell,
                sample.probe,
                sample.round,
                msgspec.json.encode(sample.settings, order="sorted"),
                str(sample.fingerprint.get("host", "")),
                str(sample.fingerprint.get("data", "")),
            )
            if job not in newest or newest[job].started <= sample.started:
                newest[job] = sample
    return sorted(newest.values(), key=lambda sample: (sample.started, sample.cell.id, sample.probe, sample.round))


def load_records(folders: Iterable[Path]) -> RunRecord:
    """What the runs in these folders set out to do, put together.

    Empty where none is recorded. Raises UsageError for a file that is cut off, malformed or from a newer program.
    """
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob(f"**/{RECORD}"))]
    records = [_decode(path, RunRecord) for path in paths]
    return RunRecord(
        set_name=records[0].set_name if records else "",
        cells=tuple(dict.fromkeys(cell for record in records for cell in record.cells)),
        skips=tuple(dict.fromkeys(skip for record in records for skip in record.skips)),
        notes=tuple(dict.fromkeys(note for record in records for note in record.notes)),
        invocation=records[0].invocation if records else "",
        max_rounds=max((record.max_rounds for record in records if record.max_rounds), default=None),
        processes=tuple(dict.fromkeys(some for record in records for some in record.processes)),
        budget_s=max((record.budget_s for record in records if record.budget_s), default=None),
    )


def read(path: Path) -> Sample:
    """Read one result file.

    Raises UsageError for one that is cut off, malformed or from a newer program.
    """
    return _Reader(None).read(path)


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

    def read(self, path: Path) -> Sample:
        """Read one file. Raises UsageError as ``read`` does."""
        if path.parent != self._folder:
            self._folder, self._parts, self._metrics = path.parent, {}, {}
        try:
            return self._sample(path.read_bytes())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError, _UnreadableError):
            return _checked(path)  # says what is wrong, and where

    def _sample(self, raw: bytes) -> Sample:
        found = msgspec.structs.asdict(self._file.decode(raw))
        if found["schema"] > SCHEMA:
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
                metric = self._metrics[text] = self._metric.decode(text)
                if metric.overflows:
                    raise _UnreadableError
            metrics.append(metric)
        return Sample(**{**found, "metrics": tuple(metrics)})


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
    return msgspec.defstruct("_File", described, kw_only=True)


def _checked(path: Path) -> Sample:
    sample = _decode(path, Sample)
    if beyond := next((metric.name for metric in sample.metrics if metric.overflows), ""):
        raise UsageError(f"{path}: not a whole result file ({beyond!r} is too large); delete it to measure that again")
    return sample


def _decode(path: Path, kind: type[T]) -> T:
    try:
        raw = path.read_bytes()
        schema = msgspec.json.decode(raw, type=_Versioned).schema
        if schema > SCHEMA:
            raise UsageError(
                f"{path}: written by a newer program (schema {schema}, this one reads up to {SCHEMA}); upgrade this one"
            )
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not a whole result file ({error}); delete it to measure that again") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


class _Versioned(msgspec.Struct):
    schema: int
