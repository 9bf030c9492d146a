"""MNIST, prepared once on the host: the user's file, the cache, a download, or - offline - synthetic digits.

The address and the digest of ``mnist.npz`` are those of ``keras/src/datasets/mnist.py``.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_ARRAYS = ("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy")
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class DataFile:
    """A prepared data set. Two results on different ``sha256`` are not comparable."""

    path: Path
    name: str
    """``mnist`` (Keras's file), ``synthetic-digits``, or ``file`` with the user's own."""
    sha256: str
    note: str = ""
    """What the report must say about it, or empty."""


def prepare(path: Path | None, cache: Path, *, offline: bool = False) -> DataFile:
    """The data set for this run: ``path`` if given, else Keras's MNIST, else synthetic digits.

    Raises UsageError where ``path`` is given and is no MNIST-like file.
    """
    if path is not None:
        return _users(path)
    real = cache / "mnist.npz"
    if real.is_file() and sha256(real) == MNIST_SHA256:
        return DataFile(real, "mnist", MNIST_SHA256)
    if not offline and _download(real):
        return DataFile(real, "mnist", MNIST_SHA256)
    drawn = cache / f"synthetic-digits-{_SYNTHETIC_VERSION}.npz"
    if not drawn.is_file():
        _save(drawn, *synthetic())
    note = "MNIST could not be downloaded; these are synthetic digits: --data FILE takes a real mnist.npz"
    return DataFile(drawn, "synthetic-digits", sha256(drawn), note)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _users(path: Path) -> DataFile:
    path = path.expanduser().resolve()
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except FileNotFoundError:
        raise UsageError(f"--data {path}: no such file") from None
    except (OSError, zipfile.BadZipFile):
        raise UsageError(f"--data {path}: is no .npz file") from None
    missing = [name.removesuffix(".npy") for name in _ARRAYS if name not in names]
    if missing:
        raise UsageError(f"--data {path}: lacks {', '.join(missing)}; it needs the arrays of Keras's mnist.npz")
    digest = sha256(path)
    return DataFile(path, "mnist" if digest == MNIST_SHA256 else path.stem, digest)


def _download(target: Path) -> bool:
    """Fetch Keras's file; False where it cannot be had or is not what it should be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(MNIST_URL, timeout=_TIMEOUT_S) as answer:
            while block := answer.read(1 << 20):
                file.write(block)
        if sha256(Path(name)) != MNIST_SHA256:
            return False
        Path(name).replace(target)
    except (OSError, urllib.error.URLError):
        return False
    else:
        return True
    finally:
        Path(name).unlink(missing_ok=True)


# --- synthetic digits -------------------------------------------------------------------------------------

_SYNTHETIC_VERSION = 1
_SIZE = 28
_TRAIN, _TEST = 10_000, 2_000

# Strokes of each digit as polylines in a unit square, x to the right and y down.
_STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (
        (
            (0.5, 0.1),
            (0.25, 0.25),
            (0.2, 0.55),
            (0.3, 0.8),
            (0.5, 0.9),
            (0.7, 0.8),
            (0.8, 0.5),
            (0.72, 0.22),
            (0.5, 0.1),
        ),
    ),
    (((0.35, 0.25), (0.52, 0.1), (0.52, 0.9)),),
    (((0.25, 0.28), (0.4, 0.12), (0.65, 0.13), (0.74, 0.32), (0.6, 0.55), (0.25, 0.88), (0.78, 0.88)),),
    (((0.27, 0.17), (0.55, 0.1), (0.72, 0.27), (0.5, 0.46), (0.74, 0.66), (0.58, 0.88), (0.25, 0.84)),),
    (((0.62, 0.9), (0.62, 0.1), (0.2, 0.62), (0.82, 0.62)),),
    (((0.74, 0.12), (0.32, 0.12), (0.28, 0.45), (0.58, 0.42), (0.74, 0.64), (0.58, 0.88), (0.25, 0.84)),),
    (((0.68, 0.12), (0.38, 0.35), (0.26, 0.65), (0.42, 0.89), (0.68, 0.8), (0.68, 0.58), (0.46, 0.5), (0.28, 0.66)),),
    (((0.22, 0.13), (0.77, 0.13), (0.45, 0.9)), ((0.36, 0.5), (0.66, 0.5))),
    (
        ((0.5, 0.1), (0.3, 0.22), (0.36, 0.42), (0.64, 0.54), (0.72, 0.74), (0.5, 0.9), (0.28, 0.75), (0.36, 0.54)),
        ((0.36, 0.54), (0.64, 0.42), (0.7, 0.22), (0.5, 0.1)),
    ),
    (((0.7, 0.36), (0.48, 0.48), (0.3, 0.34), (0.42, 0.12), (0.66, 0.15), (0.7, 0.36), (0.62, 0.9)),),
)


def synthetic(
    train: int = _TRAIN, test: int = _TEST
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Digits drawn as thick, distorted strokes on a noisy ground: ``x_train, y_train, x_test, y_test``.

    uint8; images (n, 28, 28). The same bytes on every platform and NumPy: only RandomState's frozen stream and
    the correctly rounded operations + - * / sqrt are used (no sin, exp or matrix product).
    """
    import numpy as np

    random = np.random.RandomState(20713)
    total = train + test
    labels = random.randint(0, 10, total).astype(np.uint8)
    images = np.empty((total, _SIZE, _SIZE), np.uint8)
    segments = [np.array([[*a, *b] for line in strokes for a, b in itertools.pairwise(line)]) for strokes in _STROKES]
    ys, xs = np.divmod(np.arange(_SIZE * _SIZE), _SIZE)
    for digit, strokes in enumerate(segments):
        chosen = np.flatnonzero(labels == digit)
        # one distortion per image, drawn in label order so that the stream does not depend on the batch size
        u = random.random_sample((len(chosen), 10))
        noise = random.randint(0, 48, (len(chosen), _SIZE * _SIZE))
        jitter = (random.random_sample((len(chosen), len(strokes), 4)) - 0.5) * 0.09
        lines = strokes + jitter - 0.5
        tangent = (u[:, 0] - 0.5) * 0.36  # half-angle tangent: a rotation by up to about 20 degrees
        cosine = (1 - tangent**2) / (1 + tangent**2)
        sine = 2 * tangent / (1 + tangent**2)
        scale_x, scale_y = 15 + 8 * u[:, 1], 17 + 7 * u[:, 2]
        shear = (u[:, 3] - 0.5) * 0.7
        shift_x, shift_y = 13.5 + (u[:, 4] - 0.5) * 5, 13.5 + (u[:, 5] - 0.5) * 5
        width = 0.7 + 1.3 * u[:, 6]
        ink = 150 + 105 * u[:, 7]

        def place(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            x, y = x * scale_x[:, None], y * scale_y[:, None]  # noqa: B023 - used within this turn of the loop only
            x = x + shear[:, None] * y  # noqa: B023
            return (
                x * cosine[:, None] - y * sine[:, None] + shift_x[:, None],  # noqa: B023
                x * sine[:, None] + y * cosine[:, None] + shift_y[:, None],  # noqa: B023
            )

        ax, ay = place(lines[:, :, 0], lines[:, :, 1])
        bx, by = place(lines[:, :, 2], lines[:, :, 3])
        nearest = np.full((len(chosen), _SIZE * _SIZE), 1e9)
        for s in range(len(strokes)):
            dx, dy = (bx - ax)[:, s, None], (by - ay)[:, s, None]
            px, py = xs - ax[:, s, None], ys - ay[:, s, None]
            along = np.clip((px * dx + py * dy) / (dx * dx + dy * dy + 1e-9), 0.0, 1.0)
            nearest = np.minimum(nearest, (px - along * dx) ** 2 + (py - along * dy) ** 2)
        cover = np.clip(width[:, None] + 0.5 - np.sqrt(nearest), 0.0, 1.0)
        speckle = np.where(random.random_sample(noise.shape) < 0.08, noise * 3, noise * 0)
        drawn = np.minimum(cover * ink[:, None] + speckle, 255.0)
        images[chosen] = np.floor(drawn).astype(np.uint8).reshape(-1, _SIZE, _SIZE)
    return images[:train], labels[:train], images[train:], labels[train:]


def _save(path: Path, x_train: object, y_train: object, x_test: object, y_test: object) -> None:
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:  # uncompressed, so that the bytes do not depend on zlib's version
            np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)  # type: ignore[arg-type]
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
