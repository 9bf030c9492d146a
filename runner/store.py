"""Results on disk: one JSON file per process, written atomically, immutable, versioned.

``<out>/results/<cell>/<probe>/<round>-<key>.json``; everything else about a run can be made from these again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from runner.errors import UsageError
from runner.model import SCHEMA, Sample

RESULTS = "results"


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

    def find(self, cell_id: str, probe: str, round_: int, key: str) -> Sample | None:
        """A sample that can stand in for running the job again, or None."""
        path = self.out / RESULTS / cell_id / probe / f"{round_:03d}-{key[:12]}.json"
        if not path.is_file():
            return None
        sample = read(path)
        return sample if sample.key == key and sample.status.about_cell else None


def load(folders: Iterable[Path]) -> list[Sample]:
    """All samples below the folders (or single files), the newest of each job only, in a stable order.

    Raises UsageError for a folder without results, a file cut in half or one from a newer program.
    """
    newest: dict[tuple[str, ...], Sample] = {}
    for folder in folders:
        if folder.is_file():
            files = [folder]
        elif (folder / RESULTS).is_dir():
            files = sorted((folder / RESULTS).glob("*/*/*.json"))
        elif folder.is_dir():
            files = sorted(folder.glob("**/results/*/*/*.json"))
        else:
            raise UsageError(f"{folder}: no such file or folder")
        if not files:
            raise UsageError(f"{folder}: holds no results; a folder made by `runner matrix --out` does")
        for file in files:
            sample = read(file)
            # the settings and the host tell apart shards and reruns that are samples of their own
            job = (
                sample.cell.id,
                sample.probe,
                str(sample.round),
                digest(sample.settings),
                str(sample.fingerprint.get("host", "")),
                str(sample.fingerprint.get("data", "")),
            )
            if job not in newest or newest[job].started <= sample.started:
                newest[job] = sample
    return sorted(newest.values(), key=lambda sample: (sample.started, sample.cell.id, sample.probe, sample.round))


def read(path: Path) -> Sample:
    """One result file. Raises UsageError for one that is cut off, malformed or from a newer program."""
    try:
        raw = path.read_bytes()
        schema = msgspec.json.decode(raw, type=_Versioned).schema
        if schema > SCHEMA:
            raise UsageError(
                f"{path}: written by a newer program (schema {schema}, this one reads up to {SCHEMA}); upgrade this one"
            )
        return msgspec.json.decode(raw, type=Sample)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: not a whole result file ({error}); delete it to measure that again") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


class _Versioned(msgspec.Struct):
    schema: int


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def digest(value: Any) -> str:
    """Hex digest of anything that JSON can say, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
