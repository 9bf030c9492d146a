"""What ``runner calibrate`` measured, kept per host in the user's data folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from runner.errors import UsageError
from runner.judge import calibration
from runner.model import Sample, Scalar
from runner.util.files import digest, write_atomically

_OF_THE_JOB = frozenset({"executor", "device", "probe_hash", "settings", "data"})
"""Fingerprint keys that are not the host's (see ``runner.measure.scheduler``)."""


class _File(msgspec.Struct):
    host: dict[str, Scalar]
    noise: dict[str, float]
    schema: int = 1


def noise_for(samples: Sequence[Sample], folder: Path) -> dict[str, float]:
    """The A/A noise known for the hosts that the samples are from.

    Empty where none was calibrated.

    Raises UsageError for a file that cannot be read.
    """
    known: dict[str, float] = {}
    different = {id(sample.fingerprint): sample for sample in samples}.values()  # many share one
    for host in {digest(_host(sample)): _host(sample) for sample in different}.values():
        for name, value in _read(_path(folder, host)).items():
            known[name] = max(value, known.get(name, 0.0))
    return known


def ready(folder: Path) -> None:
    """Raise UsageError where ``save`` could not write.

    Before the rounds are run, not after.
    """
    try:
        (folder / "calibration").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder / "calibration"):
            pass
    except OSError as error:
        problem = f"{folder}: cannot be written: {error.strerror}"
        raise UsageError(f"{problem}; calibrations are kept there, XDG_DATA_HOME names another place") from None


def save(samples: Sequence[Sample], noise: Mapping[str, float], folder: Path) -> Path:
    """Keep the noise that was measured on the samples' host.

    What is known of the host already stays. Raises OSError.
    """
    host = _host(samples[0])
    path = _path(folder, host)
    file = _File(host, calibration.merged(_read(path), noise))
    write_atomically(path, msgspec.json.format(msgspec.json.encode(file), indent=1))
    return path


def _host(sample: Sample) -> dict[str, Scalar]:
    return {key: value for key, value in sample.fingerprint.items() if key not in _OF_THE_JOB}


def _path(folder: Path, host: Mapping[str, Scalar]) -> Path:
    return folder / "calibration" / f"{digest(host)[:16]}.json"


def _read(path: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).noise
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); delete it and calibrate again") from None
